/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Activations and their derivatives up to order 6, as loops over arrays with one vector-math call
 * for each transcendental. To add one: its name in the table, its function, an enumerator in
 * include/nth/net.h; the tests loop over the table.
 */
#include "nth/net.h"
#include "fail_priv.h"
#include "vmath.h"

#include <math.h>
#include <string.h>

enum { BLOCK = 256 }; /* points at a time: the temporaries stay in the first-level cache */

/* out row r receives sigma^(r); rows above `order` must not be written. n <= BLOCK. */
typedef void eval_fn(int order, const double *z, ptrdiff_t n, double *out, ptrdiff_t ld);

#define FOR(i) for (ptrdiff_t i = 0; i < n; ++i)
#define D(r) (out + (r) * ld)

/* With T = tanh z, S = 1 - T^2: derivatives are polynomials in T times S. */
static void eval_tanh(int order, const double *z, ptrdiff_t n, double *out, ptrdiff_t ld)
{
    double *T = D(0);
    nth_vtanh(T, z, n);
    if (order >= 1) FOR(i) D(1)[i] = 1.0 - T[i] * T[i];
    const double *S = D(1);
    if (order >= 2) FOR(i) D(2)[i] = -2.0 * T[i] * S[i];
    if (order >= 3) FOR(i) D(3)[i] = S[i] * (6.0 * T[i] * T[i] - 2.0);
    if (order >= 4) FOR(i) D(4)[i] = S[i] * T[i] * (16.0 - 24.0 * T[i] * T[i]);
    if (order >= 5) FOR(i) {
            const double q = T[i] * T[i];
            D(5)[i] = S[i] * (16.0 + q * (120.0 * q - 120.0));
        }
    if (order >= 6) FOR(i) {
            const double q = T[i] * T[i];
            D(6)[i] = S[i] * T[i] * (-272.0 + q * (960.0 - 720.0 * q));
        }
}

/* sigma^(r+1) = (-1)^r H_r(z) (2/sqrt pi) e^{-z^2}, H_r the physicists' Hermite polynomials. */
static void eval_erf(int order, const double *z, ptrdiff_t n, double *out, ptrdiff_t ld)
{
    nth_verf(D(0), z, n);
    if (order < 1) return;
    double *g = D(1);
    FOR(i) g[i] = -z[i] * z[i];
    nth_vexp(g, g, n);
    FOR(i) g[i] *= 1.1283791670955125739;
    if (order >= 2) FOR(i) D(2)[i] = -2.0 * z[i] * g[i];
    if (order >= 3) FOR(i) D(3)[i] = (4.0 * z[i] * z[i] - 2.0) * g[i];
    if (order >= 4) FOR(i) D(4)[i] = z[i] * (12.0 - 8.0 * z[i] * z[i]) * g[i];
    if (order >= 5) FOR(i) {
            const double q = z[i] * z[i];
            D(5)[i] = (12.0 + q * (16.0 * q - 48.0)) * g[i];
        }
    if (order >= 6) FOR(i) {
            const double q = z[i] * z[i];
            D(6)[i] = -z[i] * (120.0 + q * (32.0 * q - 160.0)) * g[i];
        }
}

/* With p = 1/(1+e^-z), c = p(1-p), e = 1 - 2p: polynomials in c and e. */
static void eval_softplus(int order, const double *z, ptrdiff_t n, double *out, ptrdiff_t ld)
{
    double ez[BLOCK], p[BLOCK], c[BLOCK], e[BLOCK];
    if (n <= 0) return;
    FOR(i) ez[i] = -fabs(z[i]);
    nth_vexp(ez, ez, n);
    nth_vlog1p(D(0), ez, n);
    FOR(i) D(0)[i] += z[i] > 0.0 ? z[i] : 0.0;
    if (order < 1) return;
    FOR(i)
    {
        const double far = ez[i] / (1.0 + ez[i]), near = 1.0 / (1.0 + ez[i]);
        p[i] = z[i] > 0.0 ? near : far;
        c[i] = near * far;
        e[i] = z[i] > 0.0 ? far - near : near - far;
        D(1)[i] = p[i];
    }
    if (order >= 2) FOR(i) D(2)[i] = c[i];
    if (order >= 3) FOR(i) D(3)[i] = c[i] * e[i];
    if (order >= 4) FOR(i) D(4)[i] = c[i] * (1.0 - 6.0 * c[i]);
    if (order >= 5) FOR(i) D(5)[i] = c[i] * e[i] * (1.0 - 12.0 * c[i]);
    if (order >= 6) FOR(i) D(6)[i] = c[i] * (1.0 + c[i] * (120.0 * c[i] - 30.0));
}

/* z Phi(z); from order 2 on polynomials times the normal density. */
static void eval_gelu(int order, const double *z, ptrdiff_t n, double *out, ptrdiff_t ld)
{
    double t[BLOCK], cdf[BLOCK], pdf[BLOCK];
    if (n <= 0) return;
    FOR(i) t[i] = z[i] * 0.70710678118654752440;
    nth_verf(cdf, t, n);
    FOR(i) cdf[i] = 0.5 + 0.5 * cdf[i];
    FOR(i) D(0)[i] = z[i] * cdf[i];
    if (order < 1) return;
    FOR(i) t[i] = -0.5 * z[i] * z[i];
    nth_vexp(pdf, t, n);
    FOR(i) pdf[i] *= 0.39894228040143267794;
    FOR(i) D(1)[i] = cdf[i] + z[i] * pdf[i];
    if (order >= 2) FOR(i) D(2)[i] = pdf[i] * (2.0 - z[i] * z[i]);
    if (order >= 3) FOR(i) D(3)[i] = pdf[i] * z[i] * (z[i] * z[i] - 4.0);
    if (order >= 4) FOR(i) {
            const double q = z[i] * z[i];
            D(4)[i] = pdf[i] * (-4.0 + q * (7.0 - q));
        }
    if (order >= 5) FOR(i) {
            const double q = z[i] * z[i];
            D(5)[i] = pdf[i] * z[i] * (18.0 + q * (q - 11.0));
        }
    if (order >= 6) FOR(i) {
            const double q = z[i] * z[i];
            D(6)[i] = pdf[i] * (18.0 + q * (-51.0 + q * (16.0 - q)));
        }
}

static void eval_sin(int order, const double *z, ptrdiff_t n, double *out, ptrdiff_t ld)
{
    nth_vsin(D(0), z, n);
    if (order >= 1) nth_vcos(D(1), z, n);
    for (int r = 2; r <= order; ++r) FOR(i) D(r)[i] = -D(r - 2)[i];
}

static void eval_relu(int order, const double *z, ptrdiff_t n, double *out, ptrdiff_t ld)
{
    FOR(i) D(0)[i] = z[i] > 0.0 ? z[i] : z[i] != z[i] ? z[i] : 0.0; /* a NaN passes through */
    if (order >= 1) FOR(i) D(1)[i] = z[i] > 0.0 ? 1.0 : 0.0;
    for (int r = 2; r <= order; ++r) FOR(i) D(r)[i] = 0.0;
}

static void eval_linear(int order, const double *z, ptrdiff_t n, double *out, ptrdiff_t ld)
{
    FOR(i) D(0)[i] = z[i];
    if (order >= 1) FOR(i) D(1)[i] = 1.0;
    for (int r = 2; r <= order; ++r) FOR(i) D(r)[i] = 0.0;
}

static void eval_quadratic(int order, const double *z, ptrdiff_t n, double *out, ptrdiff_t ld)
{
    FOR(i) D(0)[i] = z[i] * z[i];
    if (order >= 1) FOR(i) D(1)[i] = 2.0 * z[i];
    for (int r = 2; r <= order; ++r) FOR(i) D(r)[i] = r == 2 ? 2.0 : 0.0;
}

#undef FOR
#undef D

static const struct {
    const char *name;
    eval_fn    *eval;
    bool        smooth;
} table[NTH_ACT_COUNT] = {
    [NTH_ACT_TANH] = { "tanh", eval_tanh, true },
    [NTH_ACT_ERF] = { "erf", eval_erf, true },
    [NTH_ACT_SOFTPLUS] = { "softplus", eval_softplus, true },
    [NTH_ACT_GELU] = { "gelu", eval_gelu, true },
    [NTH_ACT_SIN] = { "sin", eval_sin, true },
    [NTH_ACT_RELU] = { "relu", eval_relu, false },
    [NTH_ACT_LINEAR] = { "linear", eval_linear, true },
    [NTH_ACT_QUADRATIC] = { "quadratic", eval_quadratic, true },
};

const char *nth_activation_name(nth_activation act)
{
    return (unsigned)act < NTH_ACT_COUNT ? table[act].name : NULL;
}

bool nth_activation_is_smooth(nth_activation act)
{
    return (unsigned)act < NTH_ACT_COUNT && table[act].smooth;
}

nth_status nth_activation_parse(nth_activation *act, const char *name)
{
    nth_status st = NTH_OK;
    for (int a = 0; a < NTH_ACT_COUNT; ++a)
        if (strcmp(table[a].name, name) == 0) {
            *act = (nth_activation)a;
            return NTH_OK;
        }
    NTH_FAIL(NTH_E_ARG, "activation \"%s\"; valid: tanh erf softplus gelu sin relu linear quadratic", name);
done:
    return st;
}

void nth_activation_eval(nth_activation act, int order, const double *z, ptrdiff_t n, double *out,
                         ptrdiff_t stride)
{
    for (ptrdiff_t lo = 0; lo < n; lo += BLOCK) {
        const ptrdiff_t len = n - lo < BLOCK ? n - lo : BLOCK;
        table[act].eval(order, z + lo, len, out + lo, stride);
    }
}
