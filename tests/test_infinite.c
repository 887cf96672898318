/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Infinite-width kernels of fully connected networks of any activation: stored values, two independent
 * recursions, tiles and blocks of every kind, failures. Convolutional ones: test_conv.c.
 */
#include "nth_test.h"
#include "fixtures.h"
#include "linalg_priv.h"
#include "loops_priv.h"
#include "nth/infinite.h"
#include "nth/rng.h"
#include "par_priv.h"

#include <float.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char *const names[] = { "tanh",   "erf",       "softplus", "gelu", "sin",   "relu", "linear",
                                     "quadratic", "leaky_relu", "abs",      "cos",  "cubic", "silu" };
enum { NAMES = sizeof names / sizeof *names };

static nth_fc_config architecture(const char *name, int layers, double w2, double b2)
{
    nth_fc_config cfg = { .layers = layers, .sigma_w = sqrt(w2), .sigma_b = sqrt(b2) };
    NTH_CHECK_OK(nth_dual_parse(&cfg.activation, name, 0.1));
    return cfg;
}

/* Powers grow doubly exponentially: scaled down, so that deep kernels stay of order one. */
static double weight(const char *name)
{
    return strcmp(name, "quadratic") == 0 ? 0.4 : strcmp(name, "cubic") == 0 ? 0.15 : 1.7;
}

static nth_infinite *create(const nth_fc_config *cfg, const double *X, ptrdiff_t n, ptrdiff_t k, ptrdiff_t d)
{
    nth_infinite *K = NULL;
    NTH_CHECK_OK(nth_infinite_create_fc(&K, cfg, nth_cmat_of(X, n, d), nth_cmat_of(X + n * d, k, d)));
    return K;
}

/* All pairs of n points. */
static bool kernel(double *Theta, double *Sigma, const nth_fc_config *cfg, const double *X, ptrdiff_t n, ptrdiff_t d)
{
    nth_infinite *K = create(cfg, X, n, 0, d);
    nth_blocks    T = { .train = nth_mat_of(Theta, n, n) }, S = { .train = nth_mat_of(Sigma, n, n) };
    const bool    ok = K != NULL && NTH_CHECK_OK(nth_infinite_fill(&T, &S, K, NULL, NULL));
    nth_infinite_destroy(&K);
    return ok;
}

/* ---- Values ------------------------------------------------------------------------------------- */

/* H10-H12: Theta and Sigma of three layers at two fixed points; I3 of four. */
static void stored_values(void)
{
    static const struct {
        const char *name;
        double      w2, b2, Theta, Sigma, bound;
    } row[] = { { "erf", 2.25, 0.04, 1.397343490396887, 0.4910320207546756, 1e-14 },
                { "tanh", 2.25, 0.04, 1.1397653542379, 0.4100097226272, 2e-12 },
                { "softplus", 1.0, 0.0, 0.9173269714557, 0.7434842861286, 2e-12 } };
    static const double x[2] = { -0.9895229339599609, -0.5992491841316223 };
    double              T[4], S[4];
    fixture_points();
    for (int a = 0; a < 3; ++a) {
        const nth_fc_config cfg = architecture(row[a].name, 3, row[a].w2, row[a].b2);
        if (!kernel(T, S, &cfg, fx_Q, 2, 2)) continue;
        NTH_CHECK_CLOSE(T[1], row[a].Theta, row[a].bound, 0.0);
        NTH_CHECK_CLOSE(S[1], row[a].Sigma, row[a].bound, 0.0);
    }
    const nth_fc_config leaky = architecture("leaky_relu", 4, 2.0, 0.0); /* slope 0.1 */
    if (kernel(T, S, &leaky, x, 1, 2)) NTH_CHECK_CLOSE(T[0] / 2.0, 2.757611385964549, 1e-13, 0.0);
}

/* E52-E54 by single pairs of dual activations; variances by the same recursion on the diagonal. */
static bool recursion(const nth_fc_config *cfg, const double *x, const double *z, ptrdiff_t d, double *Theta, double *Sigma)
{
    const double w2 = cfg->sigma_w * cfg->sigma_w, b2 = cfg->sigma_b * cfg->sigma_b;
    const double c2 = cfg->input_scale == NTH_INPUT_ONE ? w2 : w2 / (double)d;
    double       q1 = b2, q2 = b2, k = b2, theta;
    bool         ok = true;
    for (ptrdiff_t e = 0; e < d; ++e) q1 += c2 * x[e] * x[e], q2 += c2 * z[e] * z[e], k += c2 * x[e] * z[e];
    theta = k;
    for (int l = 1; l < cfg->layers; ++l) {
        nth_dual_value v, one, two;
        ok = ok && NTH_CHECK_OK(nth_dual_pair(&one, &cfg->activation, q1, q1, q1, 1e-13)) &&
             NTH_CHECK_OK(nth_dual_pair(&two, &cfg->activation, q2, q2, q2, 1e-13)) &&
             NTH_CHECK_OK(nth_dual_pair(&v, &cfg->activation, q1, q2, k, 1e-13));
        if (!ok) return false;
        q1 = w2 * one.S + b2, q2 = w2 * two.S + b2, k = w2 * v.S + b2;
        theta = k + w2 * v.Sdot * theta;
    }
    *Theta = theta, *Sigma = k;
    return true;
}

/* All activations, depths 1 to 5, with and without bias, both input scales. */
static void matches_recursion(void)
{
    enum { n = 4, d = 3 };
    double X[n * d], T[n * n], S[n * n];
    nth_rand_normals(X, n * d, 111, NTH_STREAM_TEST, 0, 0);
    for (int a = 0; a < NAMES; ++a) {
        double worst = 0.0;
        for (int kind = 0; kind < 10; ++kind) {
            nth_fc_config cfg = architecture(names[a], 1 + kind / 2, weight(names[a]), kind & 1 ? 0.3 : 0.0);
            cfg.input_scale = kind % 3 == 0 ? NTH_INPUT_ONE : NTH_INPUT_FAN_IN;
            const bool series = !nth_dual_has_closed_form(&cfg.activation);
            if (series && kind % 4 == 0 && kind > 0) continue; /* quadrature takes its time */
            if (!kernel(T, S, &cfg, X, n, d)) return;
            for (int i = 0; i < n; ++i)
                for (int j = 0; j < i; ++j) {
                    double theta, sigma;
                    if (!recursion(&cfg, X + i * d, X + j * d, d, &theta, &sigma)) return;
                    const double scale = sqrt(T[i * n + i] * T[j * n + j]);
                    worst = nth_worst(worst, fabs(T[i * n + j] - theta) / scale);
                    worst = nth_worst(worst, fabs(S[i * n + j] - sigma) / scale);
                }
        }
        printf("    %s: worst %.1e of the diagonal\n", names[a], worst);
        /* closed forms: a few roundings a layer, the powers' raised to theirs; others: 1e-12 a layer */
        const bool series = a == 0 || a == 2 || a == 12;
        NTH_CHECK_CLOSE(worst, 0.0, 0.0, series ? 2e-12 : 2e-14);
    }
}

/* L = 1 is linear regression's kernel: Theta = Sigma = E52. */
static void one_layer(void)
{
    static const double X[6] = { 1.0, -2.0, 0.5, 0.25, 3.0, 1.5 };
    for (int a = 0; a < NAMES; ++a)
        for (int one = 0; one < 2; ++one) {
            nth_fc_config cfg = architecture(names[a], 1, 2.0, 0.5);
            double        T[4], S[4];
            cfg.input_scale = one ? NTH_INPUT_ONE : NTH_INPUT_FAN_IN;
            if (!kernel(T, S, &cfg, X, 2, 3)) return;
            for (int i = 0; i < 4; ++i) {
                double dot = 0.0;
                for (int e = 0; e < 3; ++e) dot += X[i / 2 * 3 + e] * X[i % 2 * 3 + e];
                NTH_CHECK_CLOSE(T[i], 2.0 * (one ? dot : dot / 3.0) + 0.5, 1e-15, 1e-15);
                NTH_CHECK(S[i] == T[i]);
            }
        }
}

/* ---- Two slopes, near and at the corners -------------------------------------------------------- */

/* E46, E52-E54 for a min(z,0) + b max(z,0) in long double, by the angle, of two inputs in the plane.
 * 1 - cos of the next angle is 1 - cos th - (c1/c0) (sin th - th cos th) at bias 0; neither this nor
 * R - k is ever a difference of numbers that nearly agree. */
typedef struct slopes {
    long double a, b, w2, b2;
    int         layers;
} slopes;

/* sin t - t cos t */
static long double arc(long double t)
{
    long double term = t * t * t / 3.0L, sum = term;
    if (t > 0.5L) return sinl(t) - t * cosl(t);
    for (int i = 1; i < 20; ++i) { /* t^(2i+3) (-1)^i (2i+2) / (2i+3)! */
        term *= -t * t * (2.0L * i + 2.0L) / (2.0L * i * (2.0L * i + 2.0L) * (2.0L * i + 3.0L));
        sum += term;
    }
    return sum;
}

static long double versine(long double t) { return 2.0L * sinl(0.5L * t) * sinl(0.5L * t); }

/* (c0 R - S) / R at angle th: from th near 0, from w = pi - th near pi. */
static long double gap_of(const slopes *s, long double th, long double c0, long double c1)
{
    const long double pi = acosl(-1.0L), w = pi - th;
    if (th < 0.5L * pi) return c0 * versine(th) - c1 * arc(th);
    return c0 * versine(w) - c1 * arc(w) + 0.5L * (s->a + s->b) * (s->a + s->b) * cosl(w);
}

static void by_angle(const slopes *s, const double *x, const double *z, long double *Theta, long double *Sigma)
{
    const long double pi = acosl(-1.0L), c0 = 0.5L * (s->a * s->a + s->b * s->b), c1 = (s->a - s->b) * (s->a - s->b) / (2.0L * pi);
    const long double b = sqrtl(s->b2), u[3] = { sqrtl(s->w2) * x[0], sqrtl(s->w2) * x[1], b },
                      v[3] = { sqrtl(s->w2) * z[0], sqrtl(s->w2) * z[1], b };
    const long double cross[3] = { u[1] * v[2] - u[2] * v[1], u[2] * v[0] - u[0] * v[2],
                                   s->w2 * ((long double)x[0] * z[1] - (long double)x[1] * z[0]) };
    long double       q1 = u[0] * u[0] + u[1] * u[1] + b * b, q2 = v[0] * v[0] + v[1] * v[1] + b * b;
    long double       k = u[0] * v[0] + u[1] * v[1] + b * b, theta = k;
    long double       th = atan2l(sqrtl(cross[0] * cross[0] + cross[1] * cross[1] + cross[2] * cross[2]), k);
    for (int l = 1; l < s->layers; ++l) {
        const long double R = sqrtl(q1 * q2), gap = gap_of(s, th, c0, c1), spread = sqrtl(q1) - sqrtl(q2);
        q1 = s->w2 * c0 * q1 + s->b2, q2 = s->w2 * c0 * q2 + s->b2;
        const long double R2 = sqrtl(q1 * q2);
        const long double extra = s->b2 > 0.0L ? s->b2 * s->w2 * c0 * spread * spread / (R2 + s->w2 * c0 * R + s->b2) : 0.0L;
        k = s->w2 * R * (c0 - gap) + s->b2;
        theta = k + s->w2 * (c0 - c1 * th) * theta;
        th = R2 > 0.0L ? 2.0L * asinl(fminl(sqrtl(fmaxl(s->w2 * R * gap + extra, 0.0L) / (2.0L * R2)), 1.0L)) : 0.0L;
    }
    *Theta = theta, *Sigma = k;
}

/* Coincident, opposite, 1e-3 to 1e-12 from these, parallel of other norms, and at any angle. */
static void corners(void)
{
    static const double side[][2] = { { 0.0, 1.0 }, { 0.1, 1.0 }, { -1.0, 1.0 }, { -0.999, 1.0 }, { 0.5, -2.0 }, { 1.0, 1.0 }, { 2.0, 0.0 } };
    static const double apart[] = { 0.0, 1e-12, 1e-9, 1e-8, 1e-6, 1e-3, 0.05, 0.3, 1.0, 1.5 };
    static const double norm[] = { 1.0, 1.0 + 1e-9, 2.5, 1e-3 };
    for (size_t f = 0; f < sizeof side / sizeof *side; ++f) {
        double worst[2] = { 0.0, 0.0 };
        for (int L = 2; L <= 5; ++L)
            for (int bias = 0; bias < 2; ++bias)
                for (int a = 0; a < 10; ++a)
                    for (int turn = 0; turn < 2 * 4; ++turn) {
                        const double r = norm[turn / 2] * (turn % 2 ? -1.0 : 1.0), c = cos(apart[a]), t = sin(apart[a]);
                        const double x[4] = { 0.6, 0.8, r * (0.6 * c - 0.8 * t), r * (0.8 * c + 0.6 * t) };
                        nth_fc_config cfg = architecture("leaky_relu", L, 1.7, bias ? 0.3 : 0.0);
                        double        T[4], S[4];
                        long double   theta, sigma;
                        cfg.activation.a = side[f][0], cfg.activation.b = side[f][1], cfg.input_scale = NTH_INPUT_ONE;
                        if (!kernel(T, S, &cfg, x, 2, 2)) return;
                        const slopes s = { side[f][0], side[f][1], (long double)cfg.sigma_w * cfg.sigma_w,
                                           (long double)cfg.sigma_b * cfg.sigma_b, L };
                        by_angle(&s, x, x + 2, &theta, &sigma);
                        const double scale = sqrt(T[0]) * sqrt(T[3]);
                        worst[bias] = nth_worst(worst[bias], (double)fabsl(T[1] - theta) / scale);
                        worst[bias] = nth_worst(worst[bias], (double)fabsl(S[1] - sigma) / scale);
                    }
        printf("    slopes %g and %g: worst %.1e of the diagonal, with bias %.1e\n", side[f][0], side[f][1], worst[0], worst[1]);
        NTH_CHECK_CLOSE(worst[0], 0.0, 0.0, 4e-15); /* inputs are rounded: 1e-16 in angle, for each layer */
        NTH_CHECK_CLOSE(worst[1], 0.0, 0.0, 4e-15);
    }
}

/* The builds for several instruction sets agree on a layer, at any angle and at both ends. */
static void builds_agree(void)
{
#if defined(__x86_64__) && defined(__GNUC__)
    enum { n = 64 };
    const nth_loops *build[3] = { &nth_loops_portable,
                                  __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma") ? &nth_loops_avx2 : NULL,
                                  __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512dq") ? &nth_loops_avx512 : NULL };
    static const double side[][2] = { { 0, 1 }, { 0.1, 1 }, { -1, 1 }, { 1, 1 } };
    _Alignas(64) double r2[n], a[4][n], keep[4][n];
    for (int f = 0; f < 4; ++f)
        for (int b = 0; b < 3; ++b) {
            const double        l = side[f][0], r = side[f][1];
            const nth_arc_layer layer = { .w2 = 1.7, .b2 = 0.3, .c0 = 0.5 * (l * l + r * r), .c1 = (l - r) * (l - r),
                                          .h = 0.5 * (l + r) * (l + r), .ab = l * r, .r1 = 1.25, .r2 = r2 };
            double              worst = 0.0;
            for (int j = 0; j < n; ++j) {
                const double t = 0.5 * acos(-1.0) * j / (n - 1.0), R = 1.25 * (r2[j] = 1.0 + 0.01 * j);
                a[0][j] = 2.0 * R * sin(t) * sin(t), a[1][j] = 2.0 * R * cos(t) * cos(t), a[2][j] = R * cos(2.0 * t);
            }
            if (build[b] == NULL) continue;
            build[b]->arc_layer(&layer, a[0], a[1], a[2], a[3], n);
            if (b == 0) memcpy(keep, a, sizeof a);
            for (int j = 0; j < 4 * n; ++j) worst = nth_worst(worst, fabs(a[j / n][j % n] - keep[j / n][j % n]));
            NTH_CHECK_CLOSE(worst, 0.0, 0.0, 1e-14); /* of numbers below 15 */
        }
#endif
}

/* An even activation without bias does not see the sign of an input: the same accuracy at both ends. */
static void abs_is_even(void)
{
    double        X[6] = { 0.6, 0.8, 0.6 + 1e-9, 0.8 - 1e-9, -0.6 - 1e-9, -0.8 + 1e-9 }, T[9], S[9];
    nth_fc_config cfg = architecture("abs", 4, 1.7, 0.0);
    if (!kernel(T, S, &cfg, X, 3, 2)) return;
    NTH_CHECK_CLOSE(T[1], T[2], 4e-15, 0.0);
    NTH_CHECK_CLOSE(S[1], S[2], 4e-15, 0.0);
}

/* ---- Tiles and blocks --------------------------------------------------------------------------- */

static void compare_tiles(const char *name)
{
    enum { n = 1500, k = 700, N = n + k, d = 2, TRIES = 400 };
    static double       X[N * d];
    double             *memory = calloc((size_t)(2 * (n * n + k * n + k * k)), sizeof(double));
    const nth_fc_config cfg = architecture(name, 3, 1.7, 0.2);
    double             *b[6] = { memory, memory + n * n, memory + n * n + k * n };
    nth_infinite       *K = NULL;
    double              worst = 0.0, diagonal[N], covariance[N];
    nth_rand_normals(X, N * d, 121, NTH_STREAM_TEST, 0, 0);
    for (int i = 0; i < 3; ++i) b[3 + i] = b[i] + n * n + k * n + k * k;
    nth_blocks T = { nth_mat_of(b[0], n, n), nth_mat_of(b[1], k, n), nth_mat_of(b[2], k, k) };
    nth_blocks S = { nth_mat_of(b[3], n, n), nth_mat_of(b[4], k, n), nth_mat_of(b[5], k, k) };
    if (!NTH_CHECK(memory != NULL) || (K = create(&cfg, X, n, k, d)) == NULL) goto done;
    NTH_CHECK(nth_infinite_tile_size(K) < n && nth_infinite_points(K) == N && nth_infinite_train_points(K) == n);
    NTH_CHECK(nth_infinite_positions(K) == 0.0);
    NTH_CHECK_OK(nth_infinite_fill(&T, &S, K, NULL, NULL));
    NTH_CHECK_OK(nth_infinite_diagonal(diagonal, covariance, K));
    for (ptrdiff_t i = 0; i < N; ++i) {
        const ptrdiff_t at = i < n ? i * n + i : (i - n) * k + i - n;
        if (diagonal[i] != b[i < n ? 0 : 2][at] || covariance[i] != b[i < n ? 3 : 5][at]) NTH_CHECK(i < 0);
    }
    for (uint64_t t = 0; t < TRIES; ++t) {
        const ptrdiff_t i = (ptrdiff_t)nth_rand_below(N, 122, NTH_STREAM_TEST, 0, 2 * t);
        const ptrdiff_t j = (ptrdiff_t)nth_rand_below(i < n ? n : N, 122, NTH_STREAM_TEST, 0, 2 * t + 1);
        const int       part = i < n ? 0 : j < n ? 1 : 2;
        const ptrdiff_t at = part == 0 ? i * n + j : part == 1 ? (i - n) * n + j : (i - n) * k + j - n;
        double          theta, sigma;
        NTH_CHECK_OK(nth_infinite_tile(nth_mat_of(&theta, 1, 1), nth_mat_of(&sigma, 1, 1), K, i, j));
        const double scale = sqrt(diagonal[i] * diagonal[j]);
        worst = nth_worst(worst, fabs(theta - b[part][at]) / scale);
        worst = nth_worst(worst, fabs(sigma - b[part + 3][at]) / scale);
        if (part != 1) NTH_CHECK(b[part][at] == b[part][part == 0 ? j * n + i : (j - n) * k + i - n]);
    }
    printf("    %s: worst %.1e\n", name, worst);
    NTH_CHECK_CLOSE(worst, 0.0, 0.0, 2e-15);
done:
    nth_infinite_destroy(&K);
    free(memory);
}

/* More points than a tile has: entries anywhere are those of single pairs. */
static void many_tiles(void)
{
    compare_tiles("relu");
    compare_tiles("erf");
    compare_tiles("tanh");
}

/* Rectangles across the border of training and test points, on and off the diagonal, strided. */
static void straddling_tiles(void)
{
    enum { n = 300, k = 290, N = n + k, d = 3, R = 280, C = 270, LD = 290 };
    static double X[N * d], whole[N * N], other[N * N], tile[R * LD], cov[R * LD];
    static const ptrdiff_t at[][4] = { { 200, 180, R, C }, { 180, 180, 270, 270 }, { 299, 0, 2, 270 }, { 310, 310, 280, 270 },
                                       { 0, 290, 270, 20 }, { 299, 299, 2, 2 }, { 589, 589, 1, 1 }, { 250, 320, 100, 60 } };
    nth_rand_normals(X, N * d, 131, NTH_STREAM_TEST, 0, 0);
    for (int a = 0; a < NAMES; a += 4) { /* tanh, sin, leaky_relu, silu */
        const nth_fc_config cfg = architecture(names[a], 3, 1.7, 0.2);
        nth_infinite       *K = create(&cfg, X, n, k, d);
        if (K == NULL || !kernel(whole, other, &cfg, X, N, d)) return;
        for (size_t t = 0; t < sizeof at / sizeof *at; ++t) {
            const ptrdiff_t r = at[t][2], c = at[t][3];
            const nth_mat   T = { tile, r, c, LD }, S = { cov, r, c, LD };
            double          worst = 0.0;
            for (int i = 0; i < R * LD; ++i) tile[i] = cov[i] = -7.0;
            NTH_CHECK_OK(nth_infinite_tile(T, S, K, at[t][0], at[t][1]));
            for (ptrdiff_t i = 0; i < r; ++i)
                for (ptrdiff_t j = 0; j < LD; ++j) {
                    const ptrdiff_t p = (at[t][0] + i) * N + at[t][1] + j;
                    if (j >= c) worst = nth_worst(worst, fabs(tile[i * LD + j] + 7.0) + fabs(cov[i * LD + j] + 7.0));
                    else worst = nth_worst(worst, fabs(tile[i * LD + j] - whole[p]) + fabs(cov[i * LD + j] - other[p]));
                }
            NTH_CHECK_CLOSE(worst, 0.0, 0.0, 4e-14); /* of entries below 20 */
        }
        nth_infinite_destroy(&K);
    }
}

static void same_bits_on_any_threads(void)
{
    enum { n = 137, k = 61, d = 5, SIZE = 2 * (n * n + k * n) };
    static double X[(n + k) * d], first[SIZE], again[SIZE];
    const int     had = nth_priv_threads();
    nth_rand_normals(X, (n + k) * d, 141, NTH_STREAM_TEST, 0, 0);
    for (int a = 0; a < NAMES; ++a)
        for (int t = 0; t < 4; ++t) {
            const nth_fc_config cfg = architecture(names[a], 3, weight(names[a]), 0.1);
            double             *to = t == 0 ? first : again, *S = to + n * n + k * n;
            nth_blocks          Theta = { .train = nth_mat_of(to, n, n), .test = nth_mat_of(to + n * n, k, n) };
            nth_blocks          Sigma = { .train = nth_mat_of(S, n, n), .test = nth_mat_of(S + n * n, k, n) };
            nth_priv_set_threads((const int[]){ 1, 2, 3, 7 }[t]);
            nth_infinite *K = create(&cfg, X, n, k, d);
            if (K != NULL) NTH_CHECK_OK(nth_infinite_fill(&Theta, &Sigma, K, NULL, NULL));
            nth_infinite_destroy(&K);
            if (t > 0) NTH_CHECK(memcmp(first, again, sizeof first) == 0);
        }
    nth_priv_set_threads(had);
}

/* 300 points, some of them twice, opposite, scaled or zero: eigenvalues are not below rounding. */
static void positive_semidefinite(void)
{
    enum { n = 300, d = 4 };
    static double X[n * d], T[n * n], S[n * n], U[n * n], values[n];
    nth_rand_normals(X, n * d, 151, NTH_STREAM_TEST, 0, 0);
    for (int i = 0; i < 40; ++i)
        for (int e = 0; e < d; ++e)
            X[(n - 1 - i) * d + e] = X[i * d + e] * (i < 20 ? 1.0 : i < 25 ? -1.0 : i < 30 ? 3.0 : i < 35 ? 1.0 + 1e-9 : 0.0);
    for (int a = 0; a < NAMES; ++a) {
        nth_fc_config cfg = architecture(names[a], 3, weight(names[a]), a % 2 ? 0.1 : 0.0);
        double        trace[2] = { 0.0, 0.0 };
        cfg.tolerance = 1e-10; /* variances up to 50: a series of 4096 terms reaches 4e-12 */
        if (!kernel(T, S, &cfg, X, n, d)) return;
        for (int i = 0; i < n; ++i) trace[0] += T[i * n + i], trace[1] += S[i * n + i];
        NTH_CHECK_OK(nth_eigh(nth_cmat_of(T, n, n), values, nth_mat_of(U, n, n)));
        NTH_CHECK(-values[0] <= n * DBL_EPSILON * trace[0]);
        NTH_CHECK_OK(nth_eigh(nth_cmat_of(S, n, n), values, nth_mat_of(U, n, n)));
        NTH_CHECK(-values[0] <= n * DBL_EPSILON * trace[1]);
    }
}

/* ---- Failures ----------------------------------------------------------------------------------- */

static const char *oom_name;

static nth_status build_once(void)
{
    enum { n = 5, k = 3, d = 2 };
    nth_fc_config cfg = { .layers = 3, .sigma_w = 1.2, .sigma_b = 0.1 };
    double        X[(n + k) * d], T[n * n], S[k * n], D[n + k];
    nth_infinite *K = NULL;
    nth_blocks    Theta = { .train = nth_mat_of(T, n, n) }, Sigma = { .test = nth_mat_of(S, k, n) };
    for (int i = 0; i < (n + k) * d; ++i) X[i] = cos(i);
    nth_status st = nth_dual_parse(&cfg.activation, oom_name, 0.1);
    if (st == NTH_OK) st = nth_infinite_create_fc(&K, &cfg, nth_cmat_of(X, n, d), nth_cmat_of(X + n * d, k, d));
    if (st == NTH_OK) st = nth_infinite_fill(&Theta, &Sigma, K, NULL, NULL);
    if (st == NTH_OK) st = nth_infinite_diagonal(D, NULL, K);
    NTH_CHECK((K != NULL) || st != NTH_OK);
    nth_infinite_destroy(&K);
    return st;
}

static void every_allocation_fails(void)
{
    static const char *const kinds[] = { "relu", "gelu", "tanh" };
    for (int i = 0; i < 3; ++i) {
        oom_name = kinds[i];
        nth_test_every_allocation_fails(build_once);
    }
}

typedef struct watch {
    int    calls, stop_at;
    double last;
    bool   rising;
} watch;

static bool watching(double done, void *ctx)
{
    watch *w = ctx;
    w->rising = w->rising && done > w->last;
    w->last = done;
    return ++w->calls != w->stop_at;
}

static void progress_can_stop(void)
{
    enum { n = 1100, k = 1050, d = 1 };
    static double       X[(n + k) * d];
    double             *memory = calloc(n * n + k * k, sizeof(double));
    const nth_fc_config cfg = architecture("relu", 2, 1.0, 0.1);
    nth_infinite       *K = NULL;
    watch               w = { .stop_at = 4, .rising = true };
    nth_rand_normals(X, (n + k) * d, 161, NTH_STREAM_TEST, 0, 0);
    nth_blocks T = { .train = nth_mat_of(memory, n, n), .test_test = nth_mat_of(memory + n * n, k, k) };
    if (NTH_CHECK(memory != NULL) && (K = create(&cfg, X, n, k, d)) != NULL) {
        NTH_CHECK_STATUS(nth_infinite_fill(&T, NULL, K, watching, &w), NTH_E_INTERRUPTED);
        NTH_CHECK(w.calls == 4 && w.rising && w.last > 0.0 && w.last < 1.0);
        NTH_CHECK_MESSAGE("interrupted after");
        w = (watch){ .rising = true };
        NTH_CHECK_OK(nth_infinite_fill(&T, NULL, K, watching, &w));
        NTH_CHECK(w.calls == 6 && w.rising && w.last == 1.0); /* 3 + 3 tiles on and below the diagonal */
    }
    nth_infinite_destroy(&K);
    free(memory);
}

/* Fails with this status and these words, and leaves nothing. */
static void refused(const nth_fc_config *cfg, nth_cmat X, nth_cmat Z, nth_status want, const char *words)
{
    nth_infinite *K = NULL;
    NTH_CHECK_STATUS(nth_infinite_create_fc(&K, cfg, X, Z), want);
    NTH_CHECK_MESSAGE(words);
    NTH_CHECK(K == NULL);
    nth_infinite_destroy(&K);
}

static void refusals(void)
{
    double              X[6] = { 1, 2, 3, 4, 5, 6 };
    const nth_cmat      x = nth_cmat_of(X, 3, 2), none = { 0 };
    const nth_fc_config good = architecture("relu", 3, 1.0, 0.0);
    nth_fc_config       cfg = good;
    cfg.layers = 0, refused(&cfg, x, none, NTH_E_ARG, "0 weight layers; expected 1..32");
    cfg.layers = 33, refused(&cfg, x, none, NTH_E_ARG, "33 weight layers");
    cfg = good, cfg.sigma_w = 0.0, refused(&cfg, x, none, NTH_E_ARG, "sigma_w = 0");
    cfg = good, cfg.sigma_w = (double)INFINITY, refused(&cfg, x, none, NTH_E_ARG, "sigma_w = inf");
    cfg = good, cfg.sigma_b = -1.0, refused(&cfg, x, none, NTH_E_ARG, "sigma_b = -1");
    cfg = good, cfg.sigma_b = (double)NAN, refused(&cfg, x, none, NTH_E_ARG, "sigma_b = nan");
    cfg = good, cfg.input_scale = (nth_input_scale)7, refused(&cfg, x, none, NTH_E_ARG, "input scale 7");
    cfg = good, cfg.tolerance = -1e-9, refused(&cfg, x, none, NTH_E_ARG, "tolerance -1e-09");
    cfg = good, cfg.tolerance = (double)NAN, refused(&cfg, x, none, NTH_E_ARG, "tolerance nan");
    cfg = good, cfg.activation.a = (double)NAN, refused(&cfg, x, none, NTH_E_ARG, "slopes nan and 1");
    cfg = good, cfg.activation = (nth_dual){ .kind = NTH_DUAL_MONOMIAL, .power = 17 };
    refused(&cfg, x, none, NTH_E_ARG, "power 17");
    cfg = good, cfg.activation = (nth_dual){ .kind = NTH_DUAL_FUNCTION };
    refused(&cfg, x, none, NTH_E_ARG, "needs eval");
    refused(&good, nth_cmat_of(X, 0, 2), none, NTH_E_SHAPE, "0 training inputs");
    refused(&good, nth_cmat_of(X, 3, 0), none, NTH_E_SHAPE, "inputs have 0 columns");
    refused(&good, x, nth_cmat_of(X, 2, 3), NTH_E_SHAPE, "2 test inputs with 3; expected 2 columns");
    X[3] = (double)NAN, refused(&good, x, none, NTH_E_NUMERIC, "training inputs have non-finite");
    refused(&good, nth_cmat_of(X, 1, 2), nth_cmat_of(X + 2, 2, 2), NTH_E_NUMERIC, "test inputs have non-finite");
    X[3] = 1e200, refused(&good, x, none, NTH_E_NUMERIC, "input 1 has variance inf at layer 1");
    X[3] = 1e150, cfg = architecture("quadratic", 3, 1.0, 0.0);
    refused(&cfg, x, none, NTH_E_NUMERIC, "input 1 has variance 5e+299 at layer 1");
}

/* A tolerance that cannot be reached names the largest variance, what was asked and what was reached. */
static void out_of_reach(void)
{
    const double  X[4] = { 1.0, 2.0, 3e3, -1e3 };
    nth_fc_config cfg = architecture("tanh", 3, 1.0, 0.0);
    refused(&cfg, nth_cmat_of(X, 2, 2), (nth_cmat){ 0 }, NTH_E_NUMERIC, "largest variance 5e+06, tolerance 1e-12 asked");
    cfg.activation.kink = true;
    refused(&cfg, nth_cmat_of(X, 1, 2), (nth_cmat){ 0 }, NTH_E_NUMERIC, "kink at 0");
}

/* A variance whose square leaves double precision, at any layer; within range the scale does not matter. */
static void scales(void)
{
    const double  X[2] = { pow(2.0, 127.25), pow(2.0, 127.25) };
    nth_fc_config cfg = architecture("quadratic", 3, 1.0, 0.0);
    refused(&cfg, nth_cmat_of(X, 2, 1), (nth_cmat){ 0 }, NTH_E_NUMERIC, "at layer 2; 0 or 1e-140 to 1e+140 is within range");
    cfg = architecture("relu", 32, 1e-6, 0.0);
    refused(&cfg, nth_cmat_of((double[]){ 1.0, 2.0 }, 1, 2), (nth_cmat){ 0 }, NTH_E_NUMERIC, "is within range");
    cfg = architecture("relu", 3, 1.5, 0.0);
    for (int e = -69; e <= 69; e += 23) {
        const double  f = pow(10.0, e), Y[4] = { f, 0.3 * f, -0.2 * f, 0.9 * f };
        double        T[4];
        nth_blocks    block = { .train = nth_mat_of(T, 2, 2) };
        nth_infinite *K = NULL;
        NTH_CHECK_OK(nth_infinite_create_fc(&K, &cfg, nth_cmat_of(Y, 2, 2), (nth_cmat){ 0 }));
        if (K != NULL) NTH_CHECK_OK(nth_infinite_fill(&block, NULL, K, NULL, NULL));
        static double ratio;
        if (e == -69) ratio = T[1] / T[0];
        NTH_CHECK_CLOSE(T[1] / T[0], ratio, 1e-14, 0.0);
        nth_infinite_destroy(&K);
    }
}

static void tiles_outside_are_refused(void)
{
    const double        X[6] = { 1, 2, 3, 4, 5, 6 };
    double              a[4], b[6];
    const nth_fc_config cfg = architecture("relu", 2, 1.0, 0.0);
    nth_infinite       *K = create(&cfg, X, 2, 1, 2);
    const nth_mat       T = nth_mat_of(a, 2, 2), none = { 0 };
    if (K == NULL) return;
    NTH_CHECK_STATUS(nth_infinite_tile(none, none, K, 0, 0), NTH_E_ARG);
    NTH_CHECK_STATUS(nth_infinite_tile(T, nth_mat_of(b, 2, 3), K, 0, 0), NTH_E_SHAPE);
    NTH_CHECK_STATUS(nth_infinite_tile(T, none, K, 2, 0), NTH_E_SHAPE);
    NTH_CHECK_STATUS(nth_infinite_tile(none, T, K, 0, 2), NTH_E_SHAPE);
    NTH_CHECK_MESSAGE("rectangle 2 x 2 at (0, 2) of a kernel of 3 points");
    NTH_CHECK_STATUS(nth_infinite_tile(T, none, K, -1, 0), NTH_E_SHAPE);
    NTH_CHECK_STATUS(nth_infinite_tile(T, none, K, PTRDIFF_MAX, 0), NTH_E_SHAPE);
    NTH_CHECK_STATUS(nth_infinite_tile(T, none, K, 0, PTRDIFF_MAX - 1), NTH_E_SHAPE);
    NTH_CHECK_OK(nth_infinite_tile(nth_mat_of(a, 0, 2), none, K, 0, 0));
    NTH_CHECK_STATUS(nth_infinite_fill(&(nth_blocks){ .test = T }, NULL, K, NULL, NULL), NTH_E_SHAPE);
    NTH_CHECK_OK(nth_infinite_diagonal(NULL, a, K));
    NTH_CHECK_STATUS(nth_infinite_diagonal(NULL, NULL, K), NTH_E_ARG);
    nth_infinite_destroy(&K);
    nth_infinite_destroy(&K);
    nth_infinite_destroy(NULL);
}

/* What a network's configuration says of the architecture. */
static void architecture_of_a_network(void)
{
    nth_net_config net = { .activation = NTH_ACT_GELU, .layers = 4, .widths = { 3, 8, 9, 10, 1 }, .sigma_w = 1.5, .sigma_b = 0.25,
                           .input_scale = NTH_INPUT_ONE, .doubled = true };
    nth_fc_config  cfg;
    NTH_CHECK_OK(nth_fc_config_of(&cfg, &net));
    NTH_CHECK(cfg.activation.kind == NTH_DUAL_GELU && cfg.layers == 4 && cfg.sigma_w == 1.5 && cfg.sigma_b == 0.25);
    NTH_CHECK(cfg.input_scale == NTH_INPUT_ONE && cfg.tolerance == 0.0);
    net.widths[2] = 0;
    NTH_CHECK_STATUS(nth_fc_config_of(&cfg, &net), NTH_E_ARG);
}

int main(void)
{
    return nth_test_main("infinite", (nth_test_case[]){ { "stored_values", stored_values },
                                                        { "matches_recursion", matches_recursion },
                                                        { "one_layer", one_layer },
                                                        { "corners", corners },
                                                        { "builds_agree", builds_agree },
                                                        { "abs_is_even", abs_is_even },
                                                        { "many_tiles", many_tiles },
                                                        { "straddling_tiles", straddling_tiles },
                                                        { "same_bits_on_any_threads", same_bits_on_any_threads },
                                                        { "positive_semidefinite", positive_semidefinite },
                                                        { "every_allocation_fails", every_allocation_fails },
                                                        { "progress_can_stop", progress_can_stop },
                                                        { "refusals", refusals },
                                                        { "out_of_reach", out_of_reach },
                                                        { "scales", scales },
                                                        { "tiles_outside_are_refused", tiles_outside_are_refused },
                                                        { "architecture_of_a_network", architecture_of_a_network },
                                                        { 0 } });
}
