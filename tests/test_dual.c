/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Dual activations: closed forms against stored values, quadrature against closed forms, Hermite
 * series against both, Price's identity, honest errors, and failures that do not pass silently.
 */
#include "nth_test.h"
#include "dual_priv.h"
#include "nth/rng.h"
#include "vmath.h"

#include <float.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

static const double PI = 3.14159265358979323846;

static nth_dual named(const char *name)
{
    nth_dual dual = { 0 };
    NTH_CHECK_OK(nth_dual_parse(&dual, name, 0.1));
    return dual;
}

static nth_dual power(int p) { return (nth_dual){ .kind = NTH_DUAL_MONOMIAL, .power = p }; }

/* A closed form handed in as a function of the user. */
static void as_function(const double *z, ptrdiff_t n, double *f, double *df, void *ctx)
{
    nth_priv_dual_eval(ctx, z, n, f, df);
}

static nth_dual wrapped(nth_dual *dual)
{
    return (nth_dual){ .kind = NTH_DUAL_FUNCTION, .eval = as_function, .ctx = dual };
}

static void elu(const double *z, ptrdiff_t n, double *f, double *df, void *ctx)
{
    (void)ctx;
    for (ptrdiff_t i = 0; i < n; ++i) {
        f[i] = z[i] > 0.0 ? z[i] : expm1(z[i]);
        df[i] = z[i] > 0.0 ? 1.0 : exp(z[i]);
    }
}

/* Rows G1-G11 at q1 = 1.1, q2 = 0.7, k = 0.3. */
static void oracles(void)
{
    static const struct {
        const char *name;
        double      S, Sdot, bound;
    } row[] = { { "relu", 0.222902162180695, 0.3055321131309485, 1e-14 },
                { "leaky_relu", 0.2105507513663629, 0.3474810116360683, 1e-14 },
                { "abs", 0.59160864872278, 0.2221284525237938, 1e-14 },
                { "erf", 0.1389324068593618, 0.4706028772443743, 1e-14 },
                { "gelu", 0.1488012685987417, 0.3099761125906324, 1e-14 },
                { "sin", 0.1238087120909122, 0.4250029240031143, 1e-14 },
                { "cos", 0.4250029240031143, 0.1238087120909122, 1e-14 },
                { "quadratic", 0.95, 1.2, 1e-14 },
                { "cubic", 2.241, 8.55, 1e-14 },
                { "linear", 0.3, 1.0, 1e-14 },
                { "tanh", 0.118924518202609721, 0.401581735463496522, 1e-14 },
                { "softplus", 0.709079445854118025, 0.263259468698876911, 1e-14 },
                { "silu", 0.11487284846402, 0.28936497277715, 5e-14 } };
    for (size_t a = 0; a < sizeof row / sizeof row[0]; ++a) {
        const nth_dual dual = named(row[a].name);
        nth_dual_value v, w;
        NTH_CHECK_OK(nth_dual_pair(&v, &dual, 1.1, 0.7, 0.3, 1e-13));
        NTH_CHECK_CLOSE(v.S, row[a].S, row[a].bound, 0.0);
        NTH_CHECK_CLOSE(v.Sdot, row[a].Sdot, row[a].bound, 0.0);
        NTH_CHECK(nth_dual_has_closed_form(&dual) ? v.error == 0.0 : v.error <= 1e-13);
        NTH_CHECK_OK(nth_dual_pair(&w, &dual, 0.7, 1.1, 0.3, 1e-13));
        NTH_CHECK_CLOSE(w.S, v.S, 4e-16, 0.0);
        NTH_CHECK_CLOSE(w.Sdot, v.Sdot, 4e-16, 0.0);
        NTH_CHECK_OK(nth_dual_quadrature(&v, &dual, 0.7, 1.1, 0.3, 1e-13));
        NTH_CHECK_CLOSE(v.S, row[a].S, 0.0, 1e-13);
        NTH_CHECK_CLOSE(v.Sdot, row[a].Sdot, 0.0, 1e-13 * fmax(1.0, row[a].Sdot));
    }
}

static const double sizes[] = { 0.0, 1e-6, 0.3, 1.0, 25.0 };
static const double rhos[] = {
    0.0, 0.5, -0.8, 1.0, -1.0, 1 - 1e-9, -1 + 1e-9, 1 - 1e-14, -1 + 1e-14
};
enum { SIZES = sizeof sizes / sizeof sizes[0], RHOS = sizeof rhos / sizeof rhos[0] };

static void quadrature_matches_closed(void)
{
    static const char *const name[] = { "relu", "leaky_relu", "abs",       "linear", "erf",
                                        "gelu", "sin",        "quadratic", "cubic",  "cos" };
    for (int a = 0; a < 10; ++a) {
        const nth_dual dual = named(name[a]);
        double         worst = 0.0;
        for (int i = 0; i < SIZES; ++i)
            for (int j = 0; j < SIZES; ++j)
                for (int r = 0; r < RHOS; ++r) {
                    const double   q1 = sizes[i], q2 = sizes[j], k = rhos[r] * sqrt(q1 * q2);
                    nth_dual_value v, w, one, two;
                    NTH_CHECK_OK(nth_dual_pair(&v, &dual, q1, q2, k, 0.0));
                    NTH_CHECK_OK(nth_dual_pair(&one, &dual, q1, q1, q1, 0.0));
                    NTH_CHECK_OK(nth_dual_pair(&two, &dual, q2, q2, q2, 0.0));
                    if (!NTH_CHECK_OK(nth_dual_quadrature(&w, &dual, q1, q2, k, 1e-12)))
                        printf("      %s at %g %g, rho %.17g\n", name[a], q1, q2, rhos[r]);
                    worst = nth_worst(worst, fabs(v.S - w.S) / fmax(1.0, sqrt(one.S * two.S)));
                    worst = nth_worst(worst,
                                      fabs(v.Sdot - w.Sdot) / fmax(1.0, sqrt(one.Sdot * two.Sdot)));
                }
        printf("    %s: worst %.1e\n", name[a], worst);
        NTH_CHECK_CLOSE(worst, 0.0, 0.0, 1e-12);
    }
}

/* Wick's moments by brute force: E z1^p z2^p from powers of independent normals. */
static void monomials(void)
{
    const double q1 = 1.7, q2 = 0.6, k = -0.45, t = k / sqrt(q1), c = sqrt(q2 - k * k / q1);
    for (int p = 1; p <= NTH_DUAL_MAX_POWER; ++p) {
        const nth_dual dual = power(p);
        nth_dual_value v;
        double         S = 0.0, ways = 1.0;
        for (int a = 0; a <= p; ++a) { /* z2^p = sum C(p,a) (t u)^a (c v)^{p-a} */
            double moment = 1.0;
            if (a % 2 == p % 2) {
                for (int i = 1; i < p + a; i += 2) moment *= i;
                for (int i = 1; i < p - a; i += 2) moment *= i;
                S += ways * pow(q1, 0.5 * p) * pow(t, a) * pow(c, p - a) * moment;
            }
            ways *= (double)(p - a) / (a + 1);
        }
        NTH_CHECK_OK(nth_dual_pair(&v, &dual, q1, q2, k, 0.0));
        NTH_CHECK_CLOSE(v.S, S, 1e-13, 0.0);
        if (p <= 8) {
            nth_dual_value w;
            const double   size = nth_priv_dual_variance(&dual, 1.7);
            NTH_CHECK_OK(nth_dual_quadrature(&w, &dual, q1, q2, k, 1e-12));
            NTH_CHECK_CLOSE(w.S, v.S, 0.0, 1e-12 * size);
            NTH_CHECK_CLOSE(w.Sdot, v.Sdot, 0.0, 1e-12 * fmax(1.0, p * p * size));
        }
    }
}

/* dS/dk = Sdot, by differences of fourth order. */
static void price_identity(void)
{
    static const char *const name[] = { "relu", "leaky_relu", "abs",  "erf",      "gelu", "sin",
                                        "cos",  "cubic",      "tanh", "softplus", "silu" };
    static const double      weight[4] = { 1.0 / 12.0, -8.0 / 12.0, 8.0 / 12.0, -1.0 / 12.0 };
    nth_dual                 all[12];
    for (int a = 0; a < 11; ++a) all[a] = named(name[a]);
    all[11] = (nth_dual){ .kind = NTH_DUAL_FUNCTION, .eval = elu, .kink = true };
    for (int a = 0; a < 12; ++a)
        for (int r = -2; r <= 2; ++r) {
            const double   q1 = 1.3, q2 = 0.8, k = 0.35 * r * sqrt(q1 * q2), h = 2e-3;
            nth_dual_value v, w;
            double         slope = 0.0;
            for (int i = 0; i < 4; ++i) {
                NTH_CHECK_OK(
                    nth_dual_pair(&w, &all[a], q1, q2, k + (i < 2 ? i - 2 : i - 1) * h, 1e-13));
                slope += weight[i] * w.S / h;
            }
            NTH_CHECK_OK(nth_dual_pair(&v, &all[a], q1, q2, k, 1e-13));
            NTH_CHECK_CLOSE(v.Sdot, slope, 0.0, 1e-9);
        }
}

/* Coincident, opposite, zero and nearly so; inputs of any size. */
static void closed_forms_at_the_ends(void)
{
    const nth_dual relu = named("relu"), size = named("abs"), gelu = named("gelu");
    nth_dual_value v;
    NTH_CHECK_OK(nth_dual_pair(&v, &relu, 1.7, 1.7, 1.7, 0.0));
    NTH_CHECK_CLOSE(v.S, 0.85, 4e-16, 0.0);
    NTH_CHECK_CLOSE(v.Sdot, 0.5, 2e-16, 0.0);
    NTH_CHECK_OK(nth_dual_pair(&v, &relu, 1.7, 1.7, -1.7, 0.0));
    NTH_CHECK(v.S == 0.0 && v.Sdot == 0.0);
    NTH_CHECK_OK(nth_dual_pair(&v, &size, 1.0, 1.0, 1.0 - 1e-18, 0.0)); /* rounds to 1 */
    NTH_CHECK_CLOSE(v.S, 1.0, 4e-16, 0.0);
    NTH_CHECK_CLOSE(v.Sdot, 1.0, 4e-16, 0.0);
    for (int zero = 0; zero < 2; ++zero)
        for (int side = -1; side <= 1; side += 2) {
            NTH_CHECK_OK(nth_dual_pair(&v, &relu, 0.0, zero ? 0.0 : 2.0, side * 0.0, 0.0));
            NTH_CHECK(v.S == 0.0);
            NTH_CHECK_CLOSE(v.Sdot, 0.5, 2e-16, 0.0);
        }
    for (int e = -2; e >= -15; --e) { /* th = 2 asin(sqrt(d/2)), k = 1 - d exactly */
        const double k = 1.0 - pow(10.0, e), d = 1.0 - k, th = 2.0 * asin(sqrt(0.5 * d));
        NTH_CHECK_OK(nth_dual_pair(&v, &relu, 1.0, 1.0, k, 0.0));
        NTH_CHECK_CLOSE(v.Sdot, 0.5 - th / (2.0 * PI), 0.0, 2e-16);
        NTH_CHECK_OK(nth_dual_pair(&v, &relu, 1.0, 1.0, -k, 0.0));
        NTH_CHECK_CLOSE(v.Sdot, th / (2.0 * PI), 2e-15, 0.0);
        NTH_CHECK_CLOSE(v.S, (sin(th) - th * cos(th)) / (2.0 * PI), 0.0, 1e-16);
        NTH_CHECK_OK(nth_dual_pair(&v, &size, 1.0, 1.0, -k, 0.0));
        NTH_CHECK_CLOSE(v.Sdot, 2.0 * th / PI - 1.0, 0.0, 4e-16);
    }
    for (int e = -150; e <= 130; e += 10) {
        const double q = pow(10.0, e), p = pow(10.0, -0.7 * e);
        NTH_CHECK_OK(nth_dual_pair(&v, &relu, q, p, 0.5 * sqrt(q) * sqrt(p), 0.0));
        NTH_CHECK_CLOSE(v.Sdot, 1.0 / 3.0, 1e-15, 0.0);
        NTH_CHECK_CLOSE(v.S, (sqrt(0.75) + PI / 3.0) / (2.0 * PI) * sqrt(q) * sqrt(p), 1e-14, 0.0);
    }
    NTH_CHECK_OK(
        nth_dual_pair(&v, &gelu, 1e8, 1e8, -1e8, 0.0)); /* -int z^2 Phi(z) Phi(-z), small */
    NTH_CHECK(v.S <= 0.0 && v.S >= -1e-4);
    NTH_CHECK(fabs(v.Sdot) <= 1e-3);
    const nth_dual sine = named("sin");
    NTH_CHECK_OK(nth_dual_pair(&v, &sine, 1e-12, 1e-12, 3e-13, 0.0));
    NTH_CHECK_CLOSE(v.S, 3e-13 * (1.0 - 1e-12), 1e-15, 0.0);
}

/* Rows are the pairs, whatever their length, and finite. */
static void rows_are_pairs(void)
{
    enum { n = 600 };
    static double q[n], k[n], S[n], Sdot[n], S2[n], D2[n];
    nth_dual      all[] = {
             named("relu"), named("leaky_relu"), named("abs"), named("erf"), named("gelu"),
             named("sin"),  named("cos"),        power(1),     power(2),     power(7)
    };
    nth_rand_normals(q, n, 7, NTH_STREAM_TEST, 0, 0);
    nth_rand_normals(k, n, 7, NTH_STREAM_TEST, 1, 0);
    for (int i = 0; i < n; ++i) q[i] = q[i] * q[i], k[i] = sin(k[i]) * sqrt(1.4 * q[i]);
    q[3] = 0.0, k[3] = 0.0, q[9] = 1.4, k[9] = 1.4, q[10] = 1.4, k[10] = -1.4;
    for (size_t a = 0; a < sizeof all / sizeof all[0]; ++a) {
        nth_priv_dual_row(&all[a], 1.4, q, k, n, S, Sdot);
        for (int i = 0; i < n; ++i) {
            nth_dual_value v;
            NTH_CHECK_OK(nth_dual_pair(&v, &all[a], 1.4, q[i], k[i], 0.0));
            NTH_CHECK(v.S == S[i] && v.Sdot == Sdot[i]);
        }
        for (int len = 0; len < n; len += 37) {
            nth_priv_dual_row(&all[a], 1.4, q, k, len, S2, D2);
            NTH_CHECK(memcmp(S, S2, (size_t)len * sizeof *S) == 0);
            NTH_CHECK(memcmp(Sdot, D2, (size_t)len * sizeof *S) == 0);
        }
        NTH_CHECK_CLOSE(nth_priv_dual_variance(&all[a], 1.4), S[9], 4e-16, 0.0);
    }
}

/* E elu and E elu^2 are known; the first by two independent inputs. */
static void kinked_function(void)
{
    const nth_dual dual = { .kind = NTH_DUAL_FUNCTION, .eval = elu, .kink = true };
    for (int i = 1; i < SIZES; ++i) {
        const double   q = sizes[i], r = sqrt(q);
        const double   below = 0.5 * erfc(r * sqrt(0.5)), twice = 0.5 * erfc(2.0 * r * sqrt(0.5));
        const double   mean = r / sqrt(2.0 * PI) + exp(0.5 * q) * below - 0.5;
        const double   square = 0.5 * q + exp(2.0 * q) * twice - 2.0 * exp(0.5 * q) * below + 0.5;
        nth_dual_value v, w;
        NTH_CHECK_OK(nth_dual_pair(&v, &dual, q, q, 0.0, 1e-12));
        NTH_CHECK_CLOSE(v.S, mean * mean, 0.0, 1e-12 * fmax(1.0, q));
        NTH_CHECK_OK(nth_dual_pair(&v, &dual, q, q, q, 1e-12));
        NTH_CHECK_CLOSE(v.S, square, 0.0, 1e-12 * fmax(1.0, q));
        NTH_CHECK_OK(nth_dual_pair(&w, &dual, q, q, q * (1.0 - 1e-15), 1e-12)); /* thin sectors */
        NTH_CHECK_CLOSE(w.S, v.S, 0.0, 1e-12 * fmax(1.0, q));
        NTH_CHECK_CLOSE(w.Sdot, v.Sdot, 0.0, 1e-7);
    }
}

enum { POINTS = 43 };

/* Variances from 0 to most, in no order, some equal. */
static void spread(double *q, double most)
{
    for (int i = 0; i < POINTS; ++i) q[i] = most * pow(0.5 + 0.5 * sin(7.0 * i), 2.0);
    q[0] = 0.0, q[5] = 1e-6, q[20] = q[21] = most, q[42] = 1e-13;
}

/* All pairs of the series against nth_dual_pair of `exact`, relative to max(1, diagonal). */
static double series_error(const nth_dual *dual, const nth_dual *exact, double most, double tol,
                           double *reached)
{
    double      q[POINTS], k[POINTS], S[POINTS], D[POINTS], var[POINTS], worst = 0.0;
    nth_series *s;
    spread(q, most);
    if (!NTH_CHECK_OK(nth_series_create(&s, dual, q, POINTS, tol, reached, var))) return NAN;
    for (int i = 0; i < POINTS; ++i) {
        for (int j = 0; j < POINTS; ++j) k[j] = rhos[(i + 2 * j) % RHOS] * sqrt(q[i] * q[j]);
        nth_series_row(s, i, 0, POINTS, k, S, D);
        for (int j = i; j < POINTS; j += 1 + (i + j) % 5) {
            nth_dual_value v, w;
            NTH_CHECK_OK(nth_dual_pair(&v, exact, q[i], q[j], k[j], 1e-13));
            NTH_CHECK_OK(nth_dual_pair(&w, exact, most, most, most, 1e-13));
            worst = nth_worst(worst, fabs(S[j] - v.S) / fmax(1.0, w.S));
            worst = nth_worst(worst, fabs(D[j] - v.Sdot) / fmax(1.0, w.Sdot));
            if (j == i + 1) {
                NTH_CHECK_OK(nth_dual_pair(&v, exact, q[i], q[i], q[i], 1e-13));
                worst = nth_worst(worst, fabs(var[i] - v.S) / fmax(1.0, v.S));
            }
        }
    }
    printf("    q to %g, tol %.0e: %td terms, worst %.1e, error given %.1e\n", most, tol,
           nth_series_terms(s), worst, *reached);
    nth_series_destroy(&s);
    NTH_CHECK(s == NULL);
    return worst;
}

static void series_matches_quadrature(void)
{
    static const char *const name[] = { "tanh", "softplus", "silu", "erf",
                                        "gelu", "sin",      "cos",  "cubic" };
    for (int a = 0; a < 8; ++a) {
        nth_dual exact = named(name[a]), fn = wrapped(&exact);
        double   error;
        printf("    %s\n", name[a]);
        NTH_CHECK_CLOSE(series_error(&fn, &exact, 1.7, 1e-12, &error), 0.0, 0.0, 1e-12);
        NTH_CHECK(error <= 1e-12 * (a == 7 ? 100.0 : 1.0));
        if (a < 7) NTH_CHECK_CLOSE(series_error(&fn, &exact, 9.0, 1e-12, &error), 0.0, 0.0, 1e-12);
    }
}

/* Parts of rows, from any point to any other, have the bits of whole rows. */
static void series_rows_in_parts(void)
{
    const nth_dual dual = named("softplus");
    double         q[POINTS], k[POINTS], S[POINTS], D[POINTS], S2[POINTS], D2[POINTS], error;
    nth_series    *s;
    spread(q, 2.0);
    NTH_CHECK_OK(nth_series_create(&s, &dual, q, POINTS, 1e-12, &error, NULL));
    for (int j = 0; j < POINTS; ++j) k[j] = 0.9 * sqrt(q[20] * q[j]);
    nth_series_row(s, 20, 0, POINTS, k, S, D);
    for (int lo = 0; lo < POINTS; ++lo)
        for (int hi = lo; hi <= POINTS; hi += 3) {
            nth_series_row(s, 20, lo, hi - lo, k + lo, S2, D2);
            NTH_CHECK(memcmp(S + lo, S2, (size_t)(hi - lo) * sizeof *S) == 0);
            NTH_CHECK(memcmp(D + lo, D2, (size_t)(hi - lo) * sizeof *D) == 0);
        }
    for (int j = 0; j < POINTS; ++j) { /* symmetric in the two points */
        nth_series_row(s, j, 20, 1, k + j, S2, D2);
        NTH_CHECK_CLOSE(S2[0], S[j], 1e-15, 0.0);
        NTH_CHECK_CLOSE(D2[0], D[j], 1e-15, 0.0);
    }
    k[3] = 1.001 * sqrt(q[20] * q[3]); /* beyond the diagonal by rounding: clipped */
    nth_series_row(s, 20, 3, 1, k + 3, S, D);
    k[3] = sqrt(q[20]) * sqrt(q[3]);
    nth_series_row(s, 20, 3, 1, k + 3, S2, D2);
    NTH_CHECK_CLOSE(S[0], S2[0], 1e-15, 0.0);
    nth_series_destroy(&s);
}

/* With a coarse tolerance the true error stays below the estimate, and below the tolerance. */
static void error_is_honest(void)
{
    static const char *const name[] = { "erf", "gelu", "sin", "relu", "abs" };
    for (int a = 0; a < 5; ++a)
        for (int e = -1; e >= -11; e -= 2)
            for (int r = 0; r < RHOS; ++r) {
                const nth_dual dual = named(name[a]);
                const double   tol = pow(10.0, e), k = rhos[r] * sqrt(20.0 * 7.0);
                nth_dual_value v, w;
                NTH_CHECK_OK(nth_dual_pair(&v, &dual, 20.0, 7.0, k, tol));
                NTH_CHECK_OK(nth_dual_quadrature(&w, &dual, 20.0, 7.0, k, tol));
                NTH_CHECK_CLOSE(w.S, v.S, 0.0, 2.0 * w.error + 3e-14);
                NTH_CHECK_CLOSE(w.Sdot, v.Sdot, 0.0, 2.0 * w.error + 3e-14);
                NTH_CHECK(w.error <= 12.0 * tol); /* relative to E|sigma sigma| <= 11 */
            }
    for (int e = -1; e >= -11; e -= 2) {
        nth_dual exact = named("erf"), fn = wrapped(&exact);
        double   error;
        NTH_CHECK(series_error(&fn, &exact, 4.0, pow(10.0, e), &error) <= error + 3e-15);
        NTH_CHECK(error <= 2.0 * pow(10.0, e));
    }
}

/* sin whose period divides a grid's step: every node of a plain grid sees the same value. */
static void resonant_grids(void)
{
    const nth_dual dual = named("sin");
    for (int m = 1; m <= 16; m *= 2)
        for (int r = 0; r < RHOS; ++r) {
            const double   q = pow(2.0 * PI * m / 0.25, 2.0), k = rhos[r] * q;
            nth_dual_value v, w;
            NTH_CHECK_OK(nth_dual_pair(&v, &dual, q, q, k, 1e-6));
            const nth_status st = nth_dual_quadrature(&w, &dual, q, q, k, 1e-6);
            if (st != NTH_OK)
                NTH_CHECK(st == NTH_E_NUMERIC);
            else {
                NTH_CHECK_CLOSE(w.S, v.S, 0.0, 2e-6);
                NTH_CHECK_CLOSE(w.Sdot, v.Sdot, 0.0, 2e-6);
            }
            if (m <= 2) NTH_CHECK(st == NTH_OK);
        }
}

static void unreachable(void)
{
    nth_dual       relu = named("relu"), fn = wrapped(&relu);
    const nth_dual tanh_ = named("tanh");
    const double   q[3] = { 0.5, 2.0, 1.0 }, huge[2] = { 1.0, 1e6 }, hundred[1] = { 100.0 };
    double         error;
    nth_series    *s;
    nth_dual_value v;
    NTH_CHECK_STATUS(nth_dual_quadrature(&v, &fn, 1.0, 2.0, 0.5, 1e-12), NTH_E_NUMERIC);
    NTH_CHECK_MESSAGE("tolerance 1e-12 asked");
    NTH_CHECK_MESSAGE("variances 2 and 1, covariance 0.5");
    NTH_CHECK(v.error > 1e-12 && v.error < 1e-2);
    NTH_CHECK_STATUS(nth_dual_quadrature(&v, &fn, 1.0, 1.0, 1.0, 1e-12), NTH_E_NUMERIC);
    NTH_CHECK_STATUS(nth_dual_quadrature(&v, &tanh_, 1e6, 1e6, 5e5, 1e-12), NTH_E_NUMERIC);
    NTH_CHECK_MESSAGE("error");
    NTH_CHECK(v.error > 1e-12);
    NTH_CHECK_STATUS(nth_series_create(&s, &fn, q, 3, 1e-12, &error, NULL), NTH_E_NUMERIC);
    NTH_CHECK_MESSAGE("largest variance 2, tolerance 1e-12 asked, error");
    NTH_CHECK(s == NULL && error > 1e-12);
    NTH_CHECK_STATUS(nth_series_create(&s, &relu, q, 3, 1e-12, &error, NULL), NTH_E_NUMERIC);
    NTH_CHECK_MESSAGE("kink");
    NTH_CHECK_STATUS(nth_series_create(&s, &tanh_, huge, 2, 1e-12, &error, NULL), NTH_E_NUMERIC);
    NTH_CHECK_MESSAGE("largest variance 1e+06, tolerance 1e-12 asked");
    NTH_CHECK(s == NULL && error > 1e-12);
    const double wide[2] = { 1.0, 400.0 }; /* settles, but would need more terms */
    NTH_CHECK_STATUS(nth_series_create(&s, &tanh_, wide, 2, 1e-12, &error, NULL), NTH_E_NUMERIC);
    NTH_CHECK_MESSAGE("largest variance 400");
    NTH_CHECK(error > 1e-12 && error < 1.0);
    NTH_CHECK_STATUS(nth_series_create(&s, &tanh_, hundred, 1, 1e-12, &error, NULL), NTH_E_NUMERIC);
    NTH_CHECK(error > 1e-12 && error < 1e-7);
}

/* A narrow bump at 3: what it takes is not settled by the largest and the smallest variance. */
static void bump(const double *z, ptrdiff_t n, double *f, double *df, void *ctx)
{
    const double s = *(const double *)ctx;
    for (ptrdiff_t i = 0; i < n; ++i) {
        f[i] = exp(-0.5 * (z[i] - 3.0) * (z[i] - 3.0) / (s * s));
        df[i] = -(z[i] - 3.0) / (s * s) * f[i];
    }
}

/* The worst point is none of those which are tried first, nor the largest. */
static void every_point_counts(void)
{
    double       s = 0.3, q[9], k = 9.0, S, Sdot, var[9], error;
    nth_dual     dual = { .kind = NTH_DUAL_FUNCTION, .eval = bump, .ctx = &s };
    const double c = s * s + 18.0, want = s / sqrt(c) * exp(-9.0 / c);
    const double v = 1.0 / (1.0 / 9.0 + 2.0 / (s * s)), off = 6.0 * v / (s * s) - 3.0;
    nth_series  *series;
    for (int i = 0; i < 9; ++i) q[i] = i == 8 ? 9.0 : i == 0 ? 1e3 : 0.01;
    if (!NTH_CHECK_OK(nth_series_create(&series, &dual, q, 9, 0.08, &error, var))) return;
    nth_series_row(series, 8, 8, 1, &k, &S, &Sdot);
    NTH_CHECK_CLOSE(S, want, 0.0, error);
    NTH_CHECK_CLOSE(var[8], want, 1e-12, 0.0);
    NTH_CHECK_CLOSE(Sdot, want * (off * off + v) / pow(s, 4.0), 0.0, error);
    NTH_CHECK(error <= 0.08);
    nth_series_destroy(&series);
}

static void broken(const double *z, ptrdiff_t n, double *f, double *df, void *ctx)
{
    for (ptrdiff_t i = 0; i < n; ++i) {
        const double grow = ctx != NULL ? *(const double *)ctx : 0.0;
        f[i] = grow > 0.0 ? exp(grow * z[i] * z[i]) : z[i] > 2.0 ? NAN : z[i]; /* too fast; NaN */
        df[i] = grow > 0.0 ? 2.0 * grow * z[i] * f[i] : 3.0;
    }
}

static void wrong_slope(const double *z, ptrdiff_t n, double *f, double *df, void *ctx)
{
    (void)ctx;
    for (ptrdiff_t i = 0; i < n; ++i) f[i] = sin(z[i]), df[i] = 2.0 * cos(z[i]);
}

static void refusals(void)
{
    const nth_dual tanh_ = named("tanh"), none = { .kind = NTH_DUAL_FUNCTION };
    double         grow[2] = { 1.0, 0.2499 }; /* overflows; finite, but all of it far out */
    nth_dual       bad = { .kind = NTH_DUAL_FUNCTION, .eval = broken };
    nth_dual_value v;
    nth_dual       dual;
    nth_series    *s;
    const double   q[2] = { 1.0, -1.0 };
    double         error;
    NTH_CHECK_STATUS(nth_dual_parse(&dual, "relu6", 0.0), NTH_E_ARG);
    NTH_CHECK_MESSAGE(
        "tanh erf softplus gelu sin relu linear quadratic leaky_relu abs cos cubic silu");
    NTH_CHECK_STATUS(nth_dual_parse(&dual, "leaky_relu", NAN), NTH_E_ARG);
    NTH_CHECK_STATUS(nth_dual_of(&dual, NTH_ACT_COUNT), NTH_E_ARG);
    for (int act = 0; act < NTH_ACT_COUNT; ++act) {
        nth_dual by_name = named(nth_activation_name((nth_activation)act));
        double   z[3] = { -0.7, 0.4, 1.9 }, f[3], df[3], out[6];
        NTH_CHECK_OK(nth_dual_of(&dual, (nth_activation)act));
        NTH_CHECK(dual.kind == by_name.kind && dual.eval == by_name.eval);
        nth_priv_dual_eval(&dual, z, 3, f, df);
        nth_activation_eval((nth_activation)act, 1, z, 3, out, 3);
        for (int i = 0; i < 3; ++i) NTH_CHECK(f[i] == out[i] && df[i] == out[3 + i]);
    }
    for (int p = 0; p <= NTH_DUAL_MAX_POWER + 1; p += NTH_DUAL_MAX_POWER + 1) {
        dual = power(p);
        NTH_CHECK_STATUS(nth_dual_pair(&v, &dual, 1, 1, 0, 1e-6), NTH_E_ARG);
    }
    NTH_CHECK_STATUS(nth_dual_pair(&v, &none, 1, 1, 0, 1e-6), NTH_E_ARG);
    NTH_CHECK_STATUS(nth_dual_pair(&v, &tanh_, 1, 1, 0, 0.0), NTH_E_ARG);
    NTH_CHECK_STATUS(nth_dual_pair(&v, &tanh_, 1, 1, 0, NAN), NTH_E_ARG);
    NTH_CHECK_STATUS(nth_dual_pair(&v, &tanh_, -1, 1, 0, 1e-6), NTH_E_ARG);
    NTH_CHECK_STATUS(nth_dual_pair(&v, &tanh_, 1, NAN, 0, 1e-6), NTH_E_ARG);
    NTH_CHECK_STATUS(nth_dual_pair(&v, &tanh_, 1, INFINITY, 0, 1e-6), NTH_E_ARG);
    NTH_CHECK_STATUS(nth_dual_pair(&v, &tanh_, 1, 4, 2.001, 1e-6), NTH_E_ARG);
    NTH_CHECK_STATUS(nth_dual_pair(&v, &tanh_, 1, 4, NAN, 1e-6), NTH_E_ARG);
    NTH_CHECK_OK(nth_dual_pair(&v, &tanh_, 1, 4, 2.0 * (1 + 1e-15), 1e-6));
    dual = power(16);
    NTH_CHECK_STATUS(nth_dual_pair(&v, &dual, 1e60, 1e60, 0, 1e-6), NTH_E_NUMERIC);
    for (int kind = 0; kind < 3; ++kind) {
        bad.ctx = kind == 0 ? NULL : &grow[kind - 1];
        NTH_CHECK_STATUS(nth_dual_pair(&v, &bad, 1, 1, 0.5, 1e-6), NTH_E_NUMERIC);
        NTH_CHECK_STATUS(nth_dual_pair(&v, &bad, 1, 1, 1, 1e-6), NTH_E_NUMERIC);
        bad.kink = true;
        NTH_CHECK_STATUS(nth_dual_pair(&v, &bad, 1, 1, 0.5, 1e-6), NTH_E_NUMERIC);
        bad.kink = false;
        NTH_CHECK_STATUS(nth_series_create(&s, &bad, q, 1, 1e-6, &error, NULL), NTH_E_NUMERIC);
    }
    bad.eval = wrong_slope; /* a derivative that is not sigma' does not pass as one */
    NTH_CHECK_STATUS(nth_series_create(&s, &bad, q, 1, 1e-6, &error, NULL), NTH_E_NUMERIC);
    NTH_CHECK(s == NULL && error > 0.1);
    NTH_CHECK_STATUS(nth_series_create(&s, &tanh_, q, 2, 1e-6, &error, NULL), NTH_E_ARG);
    NTH_CHECK_MESSAGE("variance 1 is -1");
    NTH_CHECK_STATUS(nth_series_create(&s, &tanh_, q, 0, 1e-6, &error, NULL), NTH_E_SHAPE);
    NTH_CHECK_STATUS(nth_series_create(&s, &tanh_, q, 1, NAN, &error, NULL), NTH_E_ARG);
    NTH_CHECK_STATUS(nth_series_create(&s, &none, q, 1, 1e-6, &error, NULL), NTH_E_ARG);
    nth_series_destroy(&s);
}

static nth_status build_series(void)
{
    const nth_dual dual = named("silu");
    double         q[POINTS], error;
    nth_series    *s;
    spread(q, 2.0);
    const nth_status st = nth_series_create(&s, &dual, q, POINTS, 1e-12, &error, NULL);
    nth_series_destroy(&s);
    return st;
}

static void every_allocation_fails(void) { nth_test_every_allocation_fails(build_series); }

/* The vector loops behind all this: sums of powers by Horner, atan2 and expm1 of the C library. */
static void vector_loops(void)
{
    enum { V = NTH_VPOWER_COLUMNS, T = 57, STRIDE = 8 * T + 24 };
    static double B[4 * STRIDE];
    double        x[V], c[T], P[V], dP[V], out[V], y[V];
    nth_rand_normals(B, 4 * STRIDE, 9, NTH_STREAM_TEST, 0, 0);
    nth_rand_normals(c, T, 9, NTH_STREAM_TEST, 1, 0);
    for (int v = 0; v < V; ++v) x[v] = cos(0.1 * v);
    for (int terms = 0; terms <= T; terms += 19) {
        nth_vpower_sums(P, dP, x, c, B, STRIDE, terms);
        for (int v = 0; v < V; ++v) {
            double p = 0.0, d = 0.0, bound = 0.0;
            for (int i = 0; i < terms; ++i) {
                const double b = c[i] * B[v / 8 * STRIDE + 8 * i + v % 8];
                p += pow(x[v], i) * b, d += i * pow(x[v], i - 1) * b, bound += i * fabs(b);
            }
            NTH_CHECK_CLOSE(P[v], p, 0.0, 4 * T * DBL_EPSILON * bound);
            NTH_CHECK_CLOSE(dP[v], d, 0.0, 4 * T * DBL_EPSILON * bound);
        }
    }
    for (int v = 0; v < V; ++v) y[v] = pow(10.0, -v) * (v % 3 == 0 ? -1.0 : 1.0);
    for (int n = V - 9; n <= V; ++n) {
        nth_vatan2(out, y, x, n);
        for (int v = 0; v < n; ++v) NTH_CHECK_CLOSE(out[v], atan2(y[v], x[v]), 1e-15, 0.0);
        nth_vexpm1(out, y, n);
        for (int v = 0; v < n; ++v) NTH_CHECK_CLOSE(out[v], expm1(y[v]), 1e-15, 0.0);
    }
    NTH_CHECK(nth_priv_dual_det(1.0 + 1e-8, 1.0 - 1e-8, 1.0 - 1e-12) > 0.0);
    NTH_CHECK(nth_priv_dual_det(1.7, 1.7, 1.7) == 0.0 && nth_priv_dual_det(1.7, 1.7, 1.8) == 0.0);
}

int main(void)
{
    return nth_test_main(
        "dual", (nth_test_case[]){ { "oracles", oracles },
                                   { "quadrature_matches_closed", quadrature_matches_closed },
                                   { "monomials", monomials },
                                   { "price_identity", price_identity },
                                   { "closed_forms_at_the_ends", closed_forms_at_the_ends },
                                   { "rows_are_pairs", rows_are_pairs },
                                   { "kinked_function", kinked_function },
                                   { "series_matches_quadrature", series_matches_quadrature },
                                   { "series_rows_in_parts", series_rows_in_parts },
                                   { "error_is_honest", error_is_honest },
                                   { "resonant_grids", resonant_grids },
                                   { "every_point_counts", every_point_counts },
                                   { "unreachable", unreachable },
                                   { "refusals", refusals },
                                   { "every_allocation_fails", every_allocation_fails },
                                   { "vector_loops", vector_loops },
                                   { 0 } });
}
