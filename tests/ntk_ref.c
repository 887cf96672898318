/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Slow twin of networks and kernels (ntk_ref.h): every formula entry by entry.
 */
#include "ntk_ref.h"

#include <math.h>

static const ref_real PI = 3.14159265358979323846264338327950288L;

static ref_real sigma(nth_activation act, ref_real z)
{
    switch (act) {
    case NTH_ACT_TANH: return tanhl(z);
    case NTH_ACT_ERF: return erfl(z);
    case NTH_ACT_SOFTPLUS: return z > 0 ? z + log1pl(expl(-z)) : log1pl(expl(z));
    case NTH_ACT_GELU: return 0.5L * z * erfcl(-z / sqrtl(2.0L));
    case NTH_ACT_SIN: return sinl(z);
    case NTH_ACT_RELU: return z > 0 ? z : 0;
    case NTH_ACT_QUADRATIC: return z * z;
    default: return z;
    }
}

static ref_real slope(nth_activation act, ref_real z)
{
    switch (act) {
    case NTH_ACT_TANH: return 1.0L / (coshl(z) * coshl(z));
    case NTH_ACT_ERF: return 2.0L / sqrtl(PI) * expl(-z * z);
    case NTH_ACT_SOFTPLUS: return 1.0L / (1.0L + expl(-z));
    case NTH_ACT_GELU:
        return 0.5L * erfcl(-z / sqrtl(2.0L)) + z * expl(-0.5L * z * z) / sqrtl(2.0L * PI);
    case NTH_ACT_SIN: return cosl(z);
    case NTH_ACT_RELU: return z > 0 ? 1 : 0;
    case NTH_ACT_QUADRATIC: return 2 * z;
    default: return 1;
    }
}

static ref_real factor(const nth_net_config *cfg, int l) /* c_l, kappa inside for l = 1 (E1) */
{
    if (cfg->parameterization == NTH_PARAMETERIZATION_STANDARD) return 1;
    if (l == 1 && cfg->input_scale == NTH_INPUT_ONE) return cfg->sigma_w;
    return (ref_real)cfg->sigma_w / sqrtl((ref_real)cfg->widths[l - 1]);
}

static ref_real out_scale(const ref_net *r, int copy) /* E4 */
{
    return r->copies == 1 ? 1 : copy == 0 ? 1 / sqrtl(2.0L) : -1 / sqrtl(2.0L);
}

void ref_order(ref_net *r, int order)
{
    static const ref_real smooth[7] = { 0, 0, 0.004L, 0.004L, 0.004L, 0.006L, 0.02L };
    r->step = smooth[order];
    if (r->cfg.activation == NTH_ACT_RELU) r->step = 2e-3L;    /* polynomial until the next kink */
    if (r->cfg.activation == NTH_ACT_LINEAR) r->step = 0.125L; /* polynomial: no truncation */
}

void ref_read(ref_net *r, const nth_net *net)
{
    r->cfg = net->cfg, r->copies = net->copies, r->P = 0;
    ref_order(r, 4);
    for (int c = 0; c < net->copies; ++c)
        for (int l = 1; l <= net->cfg.layers; ++l) {
            const nth_mat W = net->W[c][l - 1];
            const bool    trains = (net->cfg.frozen >> (l - 1) & 1u) == 0;
            r->W[c][l - 1] = r->P;
            for (ptrdiff_t a = 0; a < W.rows * W.cols; ++a)
                r->trains[r->P] = trains, r->theta[r->P++] = W.a[a];
            r->b[c][l - 1] = r->P;
            for (ptrdiff_t a = 0; net->cfg.sigma_b > 0.0 && a < W.rows; ++a)
                r->trains[r->P] = trains, r->theta[r->P++] = net->b[c][l - 1][a];
        }
}

void ref_write(nth_net *net, const ref_net *r, ref_real e, const ref_real *w)
{
    for (int c = 0; c < net->copies; ++c)
        for (int l = 1; l <= net->cfg.layers; ++l) {
            const nth_mat W = net->W[c][l - 1];
            int           p = r->W[c][l - 1];
            for (ptrdiff_t a = 0; a < W.rows * W.cols; ++a, ++p)
                W.a[a] = (double)(r->theta[p] + e * w[p]);
            for (ptrdiff_t a = 0; net->cfg.sigma_b > 0.0 && a < W.rows; ++a, ++p)
                net->b[c][l - 1][a] = (double)(r->theta[p] + e * w[p]);
        }
}

typedef struct pass {
    ref_real h[REF_MAX_LAYERS + 1][REF_MAX_WIDTH], x[REF_MAX_LAYERS + 1][REF_MAX_WIDTH];
} pass;

/* h^l and x^l of one copy at one point (E2). */
static void forward(pass *p, const ref_net *r, const ref_real *theta, int copy, const double *x)
{
    const nth_net_config *cfg = &r->cfg;
    for (ptrdiff_t b = 0; b < cfg->widths[0]; ++b) p->x[0][b] = x[b];
    for (int l = 1; l <= cfg->layers; ++l)
        for (ptrdiff_t a = 0; a < cfg->widths[l]; ++a) {
            const ptrdiff_t q = cfg->widths[l - 1];
            ref_real        s = 0;
            for (ptrdiff_t b = 0; b < q; ++b)
                s += theta[r->W[copy][l - 1] + a * q + b] * p->x[l - 1][b];
            s *= factor(cfg, l);
            if (cfg->sigma_b > 0.0) s += cfg->sigma_b * theta[r->b[copy][l - 1] + a];
            p->h[l][a] = s;
            p->x[l][a] = sigma(cfg->activation, s);
        }
}

ref_real ref_output(const ref_net *r, const ref_real *theta, const double *x)
{
    ref_real f = 0;
    for (int c = 0; c < r->copies; ++c) {
        pass p;
        forward(&p, r, theta, c, x);
        f += out_scale(r, c) * p.h[r->cfg.layers][0];
    }
    return f;
}

ref_real ref_margin(const ref_net *r, ref_points pts)
{
    ref_real least = 1e30L;
    for (int i = 0; i < pts.rows; ++i)
        for (int c = 0; c < r->copies; ++c) {
            pass p;
            forward(&p, r, r->theta, c, pts.X + i * r->cfg.widths[0]);
            for (int l = 1; l < r->cfg.layers; ++l)
                for (ptrdiff_t a = 0; a < r->cfg.widths[l]; ++a)
                    if (fabsl(p.h[l][a]) < least) least = fabsl(p.h[l][a]);
        }
    return least;
}

void ref_gradient(ref_real *g, const ref_net *r, const ref_real *theta, const double *x)
{
    const nth_net_config *cfg = &r->cfg;
    for (int c = 0; c < r->copies; ++c) {
        pass     p;
        ref_real delta[REF_MAX_WIDTH] = { out_scale(r, c) }, below[REF_MAX_WIDTH];
        forward(&p, r, theta, c, x);
        for (int l = cfg->layers; l >= 1; --l) {
            const ptrdiff_t q = cfg->widths[l - 1];
            for (ptrdiff_t b = 0; b < q; ++b) below[b] = 0;
            for (ptrdiff_t a = 0; a < cfg->widths[l]; ++a) {
                if (cfg->sigma_b > 0.0) g[r->b[c][l - 1] + a] = cfg->sigma_b * delta[a];
                for (ptrdiff_t b = 0; b < q; ++b) {
                    const ptrdiff_t at = r->W[c][l - 1] + a * q + b;
                    g[at] = factor(cfg, l) * delta[a] * p.x[l - 1][b];
                    below[b] += factor(cfg, l) * delta[a] * theta[at];
                }
            }
            for (ptrdiff_t b = 0; b < q && l > 1; ++b)
                delta[b] = below[b] * slope(cfg->activation, p.h[l - 1][b]);
        }
    }
    for (int k = 0; k < r->P; ++k)
        if (!r->trains[k]) g[k] = 0;
}

void ref_direction(ref_real *G, const ref_net *r, const ref_real *theta, ref_points pts,
                   const double *v)
{
    ref_real g[REF_MAX_P];
    for (int k = 0; k < r->P; ++k) G[k] = 0;
    for (int i = 0; i < pts.n; ++i) {
        ref_gradient(g, r, theta, pts.X + i * r->cfg.widths[0]);
        for (int k = 0; k < r->P; ++k) G[k] += v[i] * g[k];
    }
}

/* Central difference of order 8: f' = sum_s c_s (f(s h) - f(-s h)) / h. */
static const ref_real stencil[4] = { 4.0L / 5, -1.0L / 5, 4.0L / 105, -1.0L / 280 };

static ref_real norm(const ref_net *r, const ref_real *w)
{
    ref_real s = 0;
    for (int k = 0; k < r->P; ++k) s += w[k] * w[k];
    return sqrtl(s);
}

/* h such that h w has the length of the step; 0 if w vanishes. */
static ref_real step_along(const ref_net *r, const ref_real *w)
{
    const ref_real s = norm(r, w);
    return s > 0 ? r->step / s : 0;
}

static void move(ref_real *to, const ref_net *r, const ref_real *theta, ref_real e,
                 const ref_real *w)
{
    for (int k = 0; k < r->P; ++k) to[k] = theta[k] + e * w[k];
}

void ref_hessian_vector(ref_real *out, const ref_net *r, const double *x, const ref_real *w)
{
    const ref_real h = step_along(r, w);
    ref_real       moved[REF_MAX_P], g[REF_MAX_P];
    for (int k = 0; k < r->P; ++k) out[k] = 0;
    for (int s = -4; s <= 4 && h > 0; ++s) {
        if (s == 0) continue;
        move(moved, r, r->theta, h * s, w);
        ref_gradient(g, r, moved, x);
        const ref_real c = (s > 0 ? stencil[s - 1] : -stencil[-s - 1]) / h;
        for (int k = 0; k < r->P; ++k) out[k] += c * g[k];
    }
}

static void kernel(ref_real *K, const ref_net *r, const ref_real *theta, ref_points pts)
{
    ref_real g[REF_MAX_ROWS][REF_MAX_P];
    for (int i = 0; i < pts.rows; ++i) ref_gradient(g[i], r, theta, pts.X + i * r->cfg.widths[0]);
    for (int i = 0; i < pts.rows; ++i)
        for (int j = 0; j < pts.rows; ++j) {
            ref_real s = 0;
            for (int k = 0; k < r->P; ++k) s += g[i][k] * g[j][k];
            K[i * pts.rows + j] = s;
        }
}

/* D_w of the k-fold contraction; w fixed along the difference, as the integral curve is to first order. */
static void derivative(ref_real *D, const ref_net *r, const ref_real *theta, ref_points pts, int k,
                       const double *const *v, const ref_real *w)
{
    const ref_real h = step_along(r, w);
    ref_real       moved[REF_MAX_P], K[REF_MAX_ROWS * REF_MAX_ROWS];
    for (int i = 0; i < pts.rows * pts.rows; ++i) D[i] = 0;
    for (int s = -4; s <= 4 && h > 0; ++s) {
        if (s == 0) continue;
        move(moved, r, theta, h * s, w);
        ref_contract(K, r, moved, pts, k, v);
        const ref_real c = (s > 0 ? stencil[s - 1] : -stencil[-s - 1]) / h;
        for (int i = 0; i < pts.rows * pts.rows; ++i) D[i] += c * K[i];
    }
}

void ref_contract(ref_real *K, const ref_net *r, const ref_real *theta, ref_points pts, int k,
                  const double *const *v)
{
    ref_real G[REF_MAX_P];
    if (k == 0) {
        kernel(K, r, theta, pts);
        return;
    }
    ref_direction(G, r, theta, pts, v[k - 1]);
    derivative(K, r, theta, pts, k - 1, v, G);
}

double ref_noise(const ref_net *r, ref_points pts, int k, const double *const *v)
{
    ref_real K[REF_MAX_ROWS * REF_MAX_ROWS], G[REF_MAX_P], noise = 0;
    kernel(K, r, r->theta, pts);
    for (int i = 0; i < pts.rows * pts.rows; ++i) noise = fabsl(K[i]) > noise ? fabsl(K[i]) : noise;
    for (int j = 0; j < k; ++j) {
        ref_direction(G, r, r->theta, pts, v[j]);
        noise *= norm(r, G) / r->step;
    }
    return (double)ldexpl(noise, -60);
}

void ref_kernel_derivative(ref_real *D, const ref_net *r, ref_points pts, const ref_real *w)
{
    derivative(D, r, r->theta, pts, 0, NULL, w);
}
