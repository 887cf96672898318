/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Dual activations in closed form (E45-E50), along rows of pairs: loops of arithmetic around
 * vector math. Angles are taken by atan2, from the side on which nothing cancels, and
 * q1 q2 - k^2 with the rounding errors of both products, so coincident, nearly parallel, opposite
 * and zero inputs lose no digits that k still has.
 */
#include "dual_priv.h"
#include "fail_priv.h"
#include "vmath.h"

#include <math.h>
#include <string.h>

enum { BLOCK = NTH_DUAL_BLOCK };

#define FOR(i) for (ptrdiff_t i = 0; i < n; ++i)
static const double INV_TURN = 0.15915494309189533577; /* 1/(2 pi) */

/* a b - (rounded a b), exactly, by halves of 26 bits (Dekker); |a|, |b| below 1e300. */
static inline double product_error(double a, double b, double ab)
{
    const double ca = 134217729.0 * a, ah = ca - (ca - a), al = a - ah;
    const double cb = 134217729.0 * b, bh = cb - (cb - b), bl = b - bh;
    return ((ah * bh - ab) + ah * bl + al * bh) + al * bl;
}

static inline double det(double q1, double q2, double k)
{
    const double p = q1 * q2, s = k * k;
    const double d = (p - s) + (product_error(q1, q2, p) - product_error(k, k, s));
    return d > 0.0 ? d : 0.0;
}

double nth_priv_dual_det(double q1, double q2, double k) { return det(q1, q2, k); }

/* The largest power of two not above r, 1 for r = 0. */
static inline double power_of_two(double r)
{
    uint64_t bits;
    double   p;
    memcpy(&bits, &r, sizeof bits);
    bits &= UINT64_C(0x7ff0000000000000);
    memcpy(&p, &bits, sizeof p);
    return r > 0.0 ? p : 1.0;
}

/* E46 with w = pi - th: Sdot = ab + (a-b)^2 w/(2 pi), S = (a-b)^2 (s + w k)/(2 pi) + ab k. sigma is
 * homogeneous, so variances are scaled by powers of 4 to near 1: any size of input will do. */
static void row_piecewise(const nth_dual *dual, double q1, const double *q2, const double *k,
                          ptrdiff_t n, double *S, double *Sdot)
{
    const double c = dual->a * dual->b, d = (dual->a - dual->b) * (dual->a - dual->b) * INV_TURN;
    const double p1 = power_of_two(sqrt(q1)), b1 = q1 / p1 / p1;
    double       s[BLOCK], x[BLOCK], w[BLOCK], size[BLOCK];
    FOR(i) s[i] = sqrt(q2[i]);
    FOR(i) s[i] = power_of_two(s[i]);
    FOR(i)
    {
        size[i] = p1 * s[i];
        w[i] = q2[i] / s[i] / s[i];
        x[i] = -(k[i] / size[i] + 0.0); /* never +0 for k = 0: a zero input counts as coincident */
    }
    FOR(i) s[i] = det(b1, w[i], x[i]);
    FOR(i) s[i] = sqrt(s[i]);
    nth_vatan2(w, s, x, n);
    FOR(i)
    {
        Sdot[i] = c + d * w[i];
        S[i] = (d * (s[i] - w[i] * x[i]) - c * x[i]) * size[i];
    }
}

double nth_priv_dual_angle(double q1, double q2, double k, double *opposite)
{
    const double p1 = power_of_two(sqrt(q1)), p2 = power_of_two(sqrt(q2));
    const double x = k / (p1 * p2) + 0.0, s = sqrt(det(q1 / p1 / p1, q2 / p2 / p2, x));
    *opposite = atan2(s, -x);
    return atan2(s, x);
}

static void row_erf(double q1, const double *q2, const double *k, ptrdiff_t n, double *S,
                    double *Sdot) /* E47 */
{
    double r[BLOCK], y[BLOCK];
    FOR(i) r[i] = det(q1, q2[i], k[i]);
    FOR(i)
    {
        r[i] = sqrt(1.0 + 2.0 * (q1 + q2[i]) + 4.0 * r[i]);
        y[i] = 2.0 * k[i];
    }
    nth_vatan2(S, y, r, n);
    FOR(i)
    {
        S[i] *= 4.0 * INV_TURN;
        Sdot[i] = 8.0 * INV_TURN / r[i];
    }
}

/* E48 with 1/4 + th/(2 pi) = w/(2 pi), w = atan2(sqrt D, -k): no cancellation for opposite inputs. */
static void row_gelu(double q1, const double *q2, const double *k, ptrdiff_t n, double *S,
                     double *Sdot)
{
    double r[BLOCK], x[BLOCK], w[BLOCK];
    FOR(i)
    {
        r[i] = sqrt(1.0 + q1 + q2[i] + det(q1, q2[i], k[i]));
        x[i] = -k[i];
    }
    nth_vatan2(w, r, x, n);
    FOR(i)
    {
        const double e1 = 1.0 + q1, e2 = 1.0 + q2[i], kr = k[i] / r[i], ke = k[i] / e1 / e2;
        S[i] = (ke * kr + q1 / e1 * (q2[i] / e2) * r[i] + k[i] * w[i]) * INV_TURN;
        Sdot[i] = (kr / r[i] / r[i] + kr / e1 + kr / e2 + w[i]) * INV_TURN;
    }
}

/* E49: e^{-m} sinh k and e^{-m} cosh k, m = (q1 + q2)/2; |k| <= m, so nothing overflows. */
static void row_sin(double q1, const double *q2, const double *k, ptrdiff_t n, double *odd,
                    double *even)
{
    double up[BLOCK], fall[BLOCK];
    FOR(i)
    {
        up[i] = fabs(k[i]) - 0.5 * (q1 + q2[i]);
        fall[i] = -2.0 * fabs(k[i]);
    }
    nth_vexp(up, up, n);
    nth_vexpm1(fall, fall, n);
    FOR(i)
    {
        odd[i] = copysign(-0.5 * up[i] * fall[i], k[i]);
        even[i] = up[i] * (1.0 + 0.5 * fall[i]);
    }
}

/* c[i] of E[z1^p z2^p] = k^{p mod 2} sum_i c[i] (k^2)^i (q1 q2)^{m-i}, m = p/2. */
static int wick(int p, double *c)
{
    const int m = p / 2;
    for (int i = 0; i <= m; ++i) {
        const int j = 2 * i + p % 2, h = (p - j) / 2;
        double    ways = 1.0; /* p! / (j! h! 2^h), an integer */
        for (int f = j + 1; f <= p; ++f) ways *= f;
        for (int f = 1; f <= h; ++f) ways /= 2.0 * f;
        c[i] = ways * ways;
        for (int f = 2; f <= j; ++f) c[i] *= f;
    }
    return m;
}

static void row_moment(int p, double scale, double q1, const double *q2, const double *k,
                       ptrdiff_t n, double *M) /* E50 */
{
    double    c[NTH_DUAL_MAX_POWER / 2 + 1], Q[BLOCK], power[BLOCK];
    const int m = wick(p, c);
    FOR(i)
    {
        M[i] = c[m];
        power[i] = Q[i] = q1 * q2[i];
    }
    for (int a = m - 1; a >= 0; --a) FOR(i)
        {
            M[i] = M[i] * (k[i] * k[i]) + c[a] * power[i];
            power[i] *= Q[i];
        }
    FOR(i) M[i] *= p % 2 == 1 ? scale * k[i] : scale;
}

void nth_priv_dual_row(const nth_dual *dual, double q1, const double *q2, const double *k,
                       ptrdiff_t n, double *S, double *Sdot)
{
    const int p = dual->power;
    for (ptrdiff_t lo = 0; lo < n; lo += BLOCK) {
        const ptrdiff_t len = n - lo < BLOCK ? n - lo : BLOCK;
        const double   *b = q2 + lo, *c = k + lo;
        double         *s = S + lo, *d = Sdot + lo;
        switch (dual->kind) {
        case NTH_DUAL_PIECEWISE: row_piecewise(dual, q1, b, c, len, s, d); break;
        case NTH_DUAL_ERF: row_erf(q1, b, c, len, s, d); break;
        case NTH_DUAL_GELU: row_gelu(q1, b, c, len, s, d); break;
        case NTH_DUAL_SIN: row_sin(q1, b, c, len, s, d); break;
        case NTH_DUAL_COS: row_sin(q1, b, c, len, d, s); break;
        case NTH_DUAL_MONOMIAL:
            row_moment(p, 1.0, q1, b, c, len, s);
            row_moment(p - 1, (double)p * p, q1, b, c, len, d);
            break;
        case NTH_DUAL_FUNCTION: break;
        }
    }
}

double nth_priv_dual_variance(const nth_dual *dual, double q)
{
    double S = 0.0, Sdot;
    if (dual->kind == NTH_DUAL_PIECEWISE) return 0.5 * (dual->a * dual->a + dual->b * dual->b) * q;
    nth_priv_dual_row(dual, q, &q, &q, 1, &S, &Sdot);
    return S;
}

/* The activations themselves, for quadrature. */

static void from_activation(nth_activation act, const double *z, ptrdiff_t n, double *f, double *df)
{
    double out[2 * BLOCK];
    nth_activation_eval(act, 1, z, n, out, BLOCK);
    memcpy(f, out, (size_t)n * sizeof(double));
    memcpy(df, out + BLOCK, (size_t)n * sizeof(double));
}

static void eval_tanh(const double *z, ptrdiff_t n, double *f, double *df, void *ctx)
{
    (void)ctx;
    from_activation(NTH_ACT_TANH, z, n, f, df);
}

static void eval_softplus(const double *z, ptrdiff_t n, double *f, double *df, void *ctx)
{
    (void)ctx;
    from_activation(NTH_ACT_SOFTPLUS, z, n, f, df);
}

static void eval_silu(const double *z, ptrdiff_t n, double *f, double *df, void *ctx)
{
    (void)ctx;
    FOR(i) f[i] = -fabs(z[i]);
    nth_vexp(f, f, n);
    FOR(i)
    {
        const double near = 1.0 / (1.0 + f[i]), far = f[i] / (1.0 + f[i]);
        const double p = z[i] > 0.0 ? near : far, rest = z[i] > 0.0 ? far : near;
        f[i] = z[i] * p;
        df[i] = p * (1.0 + z[i] * rest);
    }
}

static void eval_piecewise(const nth_dual *dual, const double *z, ptrdiff_t n, double *f,
                           double *df)
{
    FOR(i)
    {
        df[i] = z[i] > 0.0 ? dual->b : dual->a;
        f[i] = df[i] * z[i];
    }
}

static void eval_monomial(int p, const double *z, ptrdiff_t n, double *f, double *df)
{
    FOR(i)
    {
        double power = 1.0;
        for (int a = 1; a < p; ++a) power *= z[i];
        df[i] = p * power;
        f[i] = power * z[i];
    }
}

void nth_priv_dual_eval(const nth_dual *dual, const double *z, ptrdiff_t n, double *f, double *df)
{
    switch (dual->kind) {
    case NTH_DUAL_PIECEWISE: eval_piecewise(dual, z, n, f, df); break;
    case NTH_DUAL_ERF: from_activation(NTH_ACT_ERF, z, n, f, df); break;
    case NTH_DUAL_GELU: from_activation(NTH_ACT_GELU, z, n, f, df); break;
    case NTH_DUAL_SIN: from_activation(NTH_ACT_SIN, z, n, f, df); break;
    case NTH_DUAL_COS:
        from_activation(NTH_ACT_SIN, z, n, df, f);
        FOR(i) df[i] = -df[i];
        break;
    case NTH_DUAL_MONOMIAL: eval_monomial(dual->power, z, n, f, df); break;
    case NTH_DUAL_FUNCTION: dual->eval(z, n, f, df, dual->ctx); break;
    }
}

bool nth_priv_dual_kink(const nth_dual *dual)
{
    return dual->kind == NTH_DUAL_PIECEWISE ? dual->a != dual->b
                                            : dual->kind == NTH_DUAL_FUNCTION && dual->kink;
}

/* Names. To add an activation: its row here, in nth_dual_kind if it has a closed form. */

#define SLOPES(l, r)                                                                               \
    {                                                                                              \
        .kind = NTH_DUAL_PIECEWISE, .a = (l), .b = (r)                                             \
    }
#define POWER(p)                                                                                   \
    {                                                                                              \
        .kind = NTH_DUAL_MONOMIAL, .power = (p)                                                    \
    }
#define FUNCTION(fn)                                                                               \
    {                                                                                              \
        .kind = NTH_DUAL_FUNCTION, .eval = (fn)                                                    \
    }
static const struct {
    const char *name;
    nth_dual    dual;
} table[] = {
    [NTH_ACT_TANH] = { "tanh", FUNCTION(eval_tanh) },
    [NTH_ACT_ERF] = { "erf", { .kind = NTH_DUAL_ERF } },
    [NTH_ACT_SOFTPLUS] = { "softplus", FUNCTION(eval_softplus) },
    [NTH_ACT_GELU] = { "gelu", { .kind = NTH_DUAL_GELU } },
    [NTH_ACT_SIN] = { "sin", { .kind = NTH_DUAL_SIN } },
    [NTH_ACT_RELU] = { "relu", SLOPES(0.0, 1.0) },
    [NTH_ACT_LINEAR] = { "linear", SLOPES(1.0, 1.0) },
    [NTH_ACT_QUADRATIC] = { "quadratic", POWER(2) },
    { "leaky_relu", SLOPES(0.0, 1.0) },
    { "abs", SLOPES(-1.0, 1.0) },
    { "cos", { .kind = NTH_DUAL_COS } },
    { "cubic", POWER(3) },
    { "silu", FUNCTION(eval_silu) },
};

nth_status nth_dual_of(nth_dual *dual, nth_activation act)
{
    nth_status st = NTH_OK;
    NTH_REQUIRE((unsigned)act < NTH_ACT_COUNT, NTH_E_ARG, "activation %d is not in the list",
                (int)act);
    *dual = table[act].dual;
done:
    return st;
}

nth_status nth_dual_parse(nth_dual *dual, const char *name, double slope)
{
    nth_status st = NTH_OK;
    for (size_t i = 0; i < sizeof table / sizeof table[0]; ++i) {
        if (strcmp(table[i].name, name) != 0) continue;
        *dual = table[i].dual;
        if (strcmp(name, "leaky_relu") != 0) return NTH_OK;
        NTH_REQUIRE(isfinite(slope), NTH_E_ARG, "slope of leaky_relu = %g; must be finite", slope);
        dual->a = slope;
        return NTH_OK;
    }
    NTH_FAIL(NTH_E_ARG,
             "activation \"%s\"; valid: tanh erf softplus gelu sin relu linear quadratic "
             "leaky_relu abs cos cubic silu",
             name);
done:
    return st;
}

bool nth_dual_has_closed_form(const nth_dual *dual) { return dual->kind != NTH_DUAL_FUNCTION; }

nth_status nth_priv_dual_check(const nth_dual *dual)
{
    nth_status st = NTH_OK;
    NTH_REQUIRE((unsigned)dual->kind <= NTH_DUAL_FUNCTION, NTH_E_ARG, "dual of unknown kind %d",
                (int)dual->kind);
    NTH_REQUIRE(dual->kind != NTH_DUAL_PIECEWISE || (isfinite(dual->a) && isfinite(dual->b)),
                NTH_E_ARG, "slopes %g and %g; must be finite", dual->a, dual->b);
    NTH_REQUIRE(dual->kind != NTH_DUAL_MONOMIAL ||
                    (dual->power >= 1 && dual->power <= NTH_DUAL_MAX_POWER),
                NTH_E_ARG, "power %d; valid: 1 to %d", dual->power, (int)NTH_DUAL_MAX_POWER);
    NTH_REQUIRE(dual->kind != NTH_DUAL_FUNCTION || dual->eval != NULL, NTH_E_ARG,
                "a dual of kind FUNCTION needs eval");
done:
    return st;
}

nth_status nth_priv_dual_pair_check(double q1, double q2, double *k)
{
    nth_status   st = NTH_OK;
    const double R = sqrt(q1) * sqrt(q2);
    NTH_REQUIRE(q1 >= 0.0 && q2 >= 0.0 && q1 < NTH_DUAL_MAX_VARIANCE && q2 < NTH_DUAL_MAX_VARIANCE,
                NTH_E_ARG, "variances %g and %g; must be in [0, %g)", q1, q2,
                NTH_DUAL_MAX_VARIANCE);
    NTH_REQUIRE(fabs(*k) <= R * (1.0 + 1e-9), NTH_E_ARG,
                "covariance %g with variances %g and %g: above %g", *k, q1, q2, R);
    if (fabs(*k) > R) *k = copysign(R, *k);
done:
    return st;
}

nth_status nth_dual_pair(nth_dual_value *out, const nth_dual *dual, double q1, double q2, double k,
                         double tol)
{
    nth_status st = NTH_OK;
    if (!nth_dual_has_closed_form(dual)) return nth_dual_quadrature(out, dual, q1, q2, k, tol);
    *out = (nth_dual_value){ 0 };
    NTH_TRY(nth_priv_dual_check(dual));
    NTH_TRY(nth_priv_dual_pair_check(q1, q2, &k));
    nth_priv_dual_row(dual, q1, &q2, &k, 1, &out->S, &out->Sdot);
    NTH_REQUIRE(isfinite(out->S) && isfinite(out->Sdot), NTH_E_NUMERIC,
                "S = %g, Sdot = %g at variances %g and %g", out->S, out->Sdot, q1, q2);
done:
    return st;
}
