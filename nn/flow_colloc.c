/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Gradient flow by Gauss collocation over a window [t, t + H]: the weights at node q are the weights
 * at t plus rank-(n Q) terms,
 *
 *     W^l_q = W^l - (H/n) c_l sum_p S_qp Delta_p^T diag(r_p) X_p,     S_qp = int_0^{s_q} l_p
 *
 * so all nodes go through a layer in one product with the plain weights and one with a Gram matrix
 * of the nodes, and the parameters are touched once for each window, not once for each stage. The
 * nodes are solved by fixed-point sweeps; the residual path is corrected through the linearised
 * model, r <- r + (I + (H/n) S x K)^{-1} (residual(f) - r), which leaves a contraction factor of
 * order m^{-1/2} however fast the modes of K decay (docs/adr/0008-flow.md). At the end of a window
 * the order is 2Q; the Legendre tail of the integrand says how far the window is resolved.
 */
#include "colloc_priv.h"
#include "alloc_priv.h"
#include "fail_priv.h"
#include "legendre_priv.h"
#include "linalg_priv.h"

#include <float.h>
#include <math.h>
#include <string.h>

static const int NODES_MIN = 4;

/* Largest number of nodes a window may use: Gram matrices of n Q nodes must stay below the cost of
 * the dense products. */
static int nodes_max(const nth_net_config *cfg) { return cfg->layers == 2 ? NTH_COLLOC_NODES : 16; }

static double colloc_doubles(const nth_net_config *cfg, ptrdiff_t n, const nth_flow_options *opt)
{
    const double q = nodes_max(cfg), nq = q * (double)n, copies = cfg->doubled ? 2.0 : 1.0;
    double       sum = 0.0, widest = 0.0;
    (void)opt;
    for (int l = 1; l < cfg->layers; ++l) {
        sum += (double)cfg->widths[l];
        if ((double)cfg->widths[l] > widest) widest = (double)cfg->widths[l];
    }
    return copies * nq * 3.0 * sum + 2.0 * nq * widest + (cfg->layers > 2 ? nq * nq : 0.0) +
           (double)n * (double)n * 3.0 + (double)n * q * q;
}

static void colloc_destroy(void *self)
{
    nth_colloc *s = self;
    for (int c = 0; c < 2; ++c)
        for (int l = 0; l < NTH_MAX_LAYERS; ++l) {
            nth_priv_free(s->x[c][l]);
            nth_priv_free(s->s[c][l]);
            nth_priv_free(s->d[c][l]);
        }
    nth_priv_free(s->left.a);
    nth_priv_free(s->right.a);
    nth_priv_free(s->M.a);
    nth_priv_free(s->K.a);
    nth_priv_free(s->U.a);
    nth_priv_free(s->eig);
    nth_priv_free(s->inverse);
    nth_priv_free(s->r);
    nth_priv_free(s->f);
    nth_priv_free(s->r0);
    nth_priv_free(s->mode);
    nth_priv_free(s);
}

static nth_status colloc_create(nth_flow *flow, void **state)
{
    nth_status            st = NTH_OK;
    nth_colloc           *s = NULL;
    const nth_net_config *cfg = &flow->net->cfg;
    const ptrdiff_t       n = flow->rows->n, Q = nodes_max(cfg), nq = n * Q;
    ptrdiff_t             widest = 1;
    NTH_TRY(nth_priv_alloc(&s, 1, sizeof *s, "collocation"));
    *state = s;
    s->flow = flow, s->n = n, s->q_max = (int)Q;
    for (int l = 1; l < cfg->layers; ++l) {
        const ptrdiff_t p = cfg->widths[l];
        if (p > widest) widest = p;
        for (int c = 0; c < flow->net->copies; ++c) {
            NTH_TRY(nth_priv_doubles(&s->x[c][l - 1], nq * p, "activations at the nodes"));
            NTH_TRY(nth_priv_doubles(&s->s[c][l - 1], nq * p, "slopes at the nodes"));
            NTH_TRY(nth_priv_doubles(&s->d[c][l - 1], nq * p, "backward signals at the nodes"));
        }
    }
    NTH_TRY(nth_priv_mat(&s->left, nq, widest, "work at the nodes"));
    NTH_TRY(nth_priv_mat(&s->right, nq, widest, "work at the nodes"));
    if (cfg->layers > 2) {
        NTH_TRY(nth_priv_mat(&s->M, nq, nq, "Gram matrix of the nodes"));
    }
    NTH_TRY(nth_priv_mat(&s->K, n, n, "training kernel"));
    NTH_TRY(nth_priv_mat(&s->U, n, n, "eigenvectors"));
    NTH_TRY(nth_priv_doubles(&s->eig, n, "eigenvalues"));
    NTH_TRY(nth_priv_doubles(&s->inverse, n * Q * Q, "preconditioner"));
    NTH_TRY(nth_priv_doubles(&s->r, nq, "residuals at the nodes"));
    NTH_TRY(nth_priv_doubles(&s->f, nq, "outputs at the nodes"));
    NTH_TRY(nth_priv_doubles(&s->mode, nq, "residual modes"));
    NTH_TRY(nth_priv_doubles(&s->r0, n, "residual"));
done:
    return st;
}

/* Nodes that should resolve decay rates z = H lambda_max / n: the tail (z/4)^q / q!, squared by the
 * order 2q at the window's end, below the tolerance. */
static int nodes_for(const nth_colloc *s, double z)
{
    int    q = NODES_MIN;
    double tail = pow(0.25 * z, q - 1) / tgamma(q);
    while (q < s->q_max && tail * tail > 0.01 * s->flow->opt.rtol) ++q, tail *= 0.25 * z / (q - 1);
    return q < s->q_max ? q + 1 : q;
}

static nth_status set_nodes(nth_colloc *s, int q)
{
    nth_status st = NTH_OK;
    nth_legendre_nodes(q, s->node, s->w);
    nth_legendre_integrals(q, s->node, s->w, nth_mat_of(s->S, q, q));
    nth_legendre_coefficients(q, s->node, s->w, nth_mat_of(s->C, q, q));
    s->q = q;
    for (ptrdiff_t k = 0; k < s->n; ++k) { /* (I + (H d_k / n) S)^{-1} for every mode */
        double  A[NTH_COLLOC_NODES * NTH_COLLOC_NODES];
        nth_mat inv = nth_mat_of(s->inverse + k * q * q, q, q);
        for (int i = 0; i < q * q; ++i) {
            A[i] = s->H / (double)s->n * s->eig[k] * s->S[i] + (i % (q + 1) == 0);
            inv.a[i] = i % (q + 1) == 0;
        }
        NTH_TRY(nth_solve(nth_mat_of(A, q, q), inv));
    }
done:
    return st;
}

/* Kernel, its spectrum and residual at the window's start. */
static nth_status start_window(nth_colloc *s)
{
    nth_status st = NTH_OK;
    nth_mat    K[NTH_MAX_COMPS] = { 0 };
    K[0] = s->K;
    NTH_TRY(nth_priv_flow_residual(s->flow, s->r0));
    NTH_TRY(nth_jet_gram(K, s->flow->jet, s->flow->jet));
    NTH_TRY(nth_eigh(nth_const(s->K), s->eig, s->U));
    /* Where residual and labels vanish, what is left is rounding of outputs of size sqrt(K). */
    s->scale = 1e-2 * sqrt(fmax(s->eig[s->n - 1], 0.0) / (double)s->n);
    for (ptrdiff_t i = 0; i < s->n; ++i) s->scale = fmax(s->scale, fmax(fabs(s->r0[i]), fabs(s->flow->y[i])));
done:
    return st;
}

/* All nodes start from the state at t with the linearised residual, r_q = (I + ..)^{-1} r_0. */
static nth_status first_guess(nth_colloc *s)
{
    nth_status            st = NTH_OK;
    const nth_net_config *cfg = &s->flow->net->cfg;
    for (int c = 0; c < s->flow->net->copies; ++c)
        for (int l = 1; l < cfg->layers; ++l) {
            const size_t size = (size_t)(s->n * cfg->widths[l]);
            for (int q = 0; q < s->q; ++q)
                memcpy(s->d[c][l - 1] + (size_t)q * size, s->flow->jet->d[c][l - 1], size * sizeof(double));
        }
    memset(s->r, 0, (size_t)(s->n * s->q) * sizeof(double));
    for (int q = 0; q < s->q; ++q) memcpy(s->f + q * s->n, s->r0, (size_t)s->n * sizeof(double));
    NTH_TRY(nth_colloc_correct(s));
done:
    return st;
}

/* r <- r + P^{-1} (g - r), g the residuals of the outputs (in s->f); s->mismatch = max |g - r|. */
nth_status nth_colloc_correct(nth_colloc *s)
{
    nth_status      st = NTH_OK;
    const ptrdiff_t n = s->n, q = s->q;
    s->mismatch = 0.0;
    for (ptrdiff_t i = 0; i < n * q; ++i) {
        s->f[i] -= s->r[i];
        s->mismatch = nth_keep_max(s->mismatch, fabs(s->f[i]));
    }
    NTH_TRY(nth_gemm(1.0, NTH_N, nth_cmat_of(s->f, q, n), NTH_N, nth_const(s->U), 0.0, nth_mat_of(s->mode, q, n)));
    for (ptrdiff_t k = 0; k < n; ++k) {
        double        out[NTH_COLLOC_NODES];
        const double *inv = s->inverse + k * q * q;
        for (ptrdiff_t i = 0; i < q; ++i) {
            out[i] = 0.0;
            for (ptrdiff_t j = 0; j < q; ++j) out[i] += inv[i * q + j] * s->mode[j * n + k];
        }
        for (ptrdiff_t i = 0; i < q; ++i) s->mode[i * n + k] = out[i];
    }
    NTH_TRY(nth_gemm(1.0, NTH_N, nth_cmat_of(s->mode, q, n), NTH_T, nth_const(s->U), 1.0, nth_mat_of(s->r, q, n)));
done:
    return st;
}

/* Size of the last Legendre coefficients of a path (q nodes, `size` entries each) relative to the
 * path's norm, or to `floor` where the path is smaller. */
static double legendre_tail(const nth_colloc *s, const double *path, ptrdiff_t size, double floor)
{
    double worst = 0.0, scale = floor * floor;
    for (int k = s->q - 2; k < s->q; ++k) {
        double sum = 0.0;
        for (ptrdiff_t i = 0; i < size; ++i) {
            double a = 0.0;
            for (int q = 0; q < s->q; ++q) a += s->C[k * s->q + q] * path[q * size + i];
            sum += a * a;
        }
        worst = nth_keep_max(worst, sum);
    }
    for (int q = 0; q < s->q; ++q) {
        const double sq = nth_dot(path + q * size, path + q * size, size);
        scale = nth_keep_max(scale, sq);
    }
    return scale > 0.0 ? sqrt(worst / scale) : worst;
}

/* How far the window is resolved: the tail of the residuals and of what moves the first layer. */
static double window_tail(nth_colloc *s)
{
    double tail = legendre_tail(s, s->r, s->n, s->scale * sqrt((double)s->n));
    for (int c = 0; c < s->flow->net->copies; ++c)
        for (int l = 0; l < s->flow->net->cfg.layers - 1; ++l) {
            const double other = legendre_tail(s, s->d[c][l], s->n * s->flow->net->cfg.widths[l + 1], 0.0);
            tail = nth_keep_max(tail, other);
        }
    return tail;
}

/* Error at the window's end: that of the path, times that of the modes by which it is carried there.
 * In a window of moderate decay rates z the two are alike, and the order doubles; in a stretched one
 * the fast modes are not resolved, and nothing is gained at the end. */
static double window_error(nth_colloc *s, double z)
{
    const double tail = window_tail(s), mode = fmin(pow(0.25 * z, s->q) / tgamma(s->q + 1), 1.0);
    return tail * fmax(tail, mode);
}

/* Sweeps until nothing changes by more than the tolerance asks; *converged = false if they do not get there. */
static nth_status solve_window(nth_colloc *s, bool *converged)
{
    nth_status   st = NTH_OK;
    const double goal = fmax(1e-3 * s->flow->opt.rtol, 4.0 * DBL_EPSILON);
    double       before = INFINITY, change;
    *converged = false;
    NTH_TRY(first_guess(s));
    for (int sweep = 0; sweep < NTH_COLLOC_SWEEPS; ++sweep) {
        NTH_TRY(nth_colloc_sweep(s, &change));
        s->flow->stats.evaluations += s->q;
        NTH_TRY(nth_colloc_correct(s));
        change = nth_keep_max(change, s->scale > 0.0 ? s->mismatch / s->scale : s->mismatch);
        if (!isfinite(change) || !isfinite(s->mismatch)) goto done;
        if (change <= goal || (change < 1e-13 && change > 0.5 * before)) { /* there, or at rounding */
            *converged = true;
            break;
        }
        if (sweep > 4 && change > 2.0 * before) break;
        before = change;
    }
done:
    return st;
}

static nth_status colloc_advance(nth_flow *flow, void *self, double t)
{
    nth_status  st = NTH_OK;
    nth_colloc *s = self;
    double      limit = INFINITY; /* window lengths that failed shrink it */
    while (flow->t < t) {
        int  extra = 0;
        bool done_window = false;
        NTH_TRY(start_window(s));
        const double rate = fmax(s->eig[s->n - 1], 0.0) / (double)s->n;
        const double longest = rate > 0.0 ? fmax(6.0 / rate, s->stretch) : INFINITY;
        s->H = fmin(fmin(t - flow->t, longest), limit);
        if (s->H < t - flow->t && s->H > 0.5 * (t - flow->t)) s->H = 0.5 * (t - flow->t);
        while (!done_window) {
            bool      converged;
            const int q = nodes_for(s, s->H * rate) + extra;
            NTH_REQUIRE(s->H > 1e-12 * fmax(t, 1.0) || s->H >= t - flow->t, NTH_E_STEPSIZE,
                        "window %.1e at t = %g is too small to reach t = %g: the flow may diverge", s->H, flow->t, t);
            NTH_TRY(set_nodes(s, q < s->q_max ? q : s->q_max));
            NTH_TRY(solve_window(s, &converged));
            const double error = converged ? window_error(s, s->H * rate) : INFINITY;
            done_window = error <= flow->opt.rtol;
            if (done_window) { /* modes that have decayed do not limit the next window */
                s->stretch = error <= 1e-2 * flow->opt.rtol ? 3.0 * s->H : s->H;
                break;
            }
            ++flow->stats.rejected;
            if (converged && s->q < s->q_max) {
                extra += 3;
            } else {
                s->H *= 0.5, limit = s->H, extra = 0;
            }
        }
        NTH_TRY(nth_colloc_finish(s));
        flow->t = s->H >= t - flow->t ? t : flow->t + s->H;
        if (limit < INFINITY) limit *= 2.0;
        ++flow->stats.windows;
    }
done:
    return st;
}

const nth_stepper_ops nth_priv_stepper_collocation = { "collocation", colloc_create, colloc_advance, colloc_destroy,
                                                       colloc_doubles };
