/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * The fixed-point sweep of the collocation stepper: forward and backward through the layers with
 * the weights which the present paths (r, Delta, X) integrate to, and the end of a window.
 */
#include "colloc_priv.h"
#include "alloc_priv.h"
#include "fail_priv.h"
#include "linalg_priv.h"

#include <math.h>
#include <string.h>

enum { BLOCK = 256 };

static ptrdiff_t width(const nth_colloc *s, int l) { return s->flow->net->cfg.widths[l]; }

static nth_cmat nodes(const nth_colloc *s, const double *a, int l)
{
    return nth_cmat_of(a, s->n * s->q, width(s, l));
}

/* left <- diag(r) Delta^l, row by row. */
static nth_cmat driven(nth_colloc *s, int copy, int l)
{
    const ptrdiff_t p = width(s, l), rows = s->n * s->q;
    const double   *d = s->d[copy][l - 1];
#pragma omp parallel for schedule(static) if (rows * p > 100000)
    for (ptrdiff_t i = 0; i < rows; ++i)
        for (ptrdiff_t a = 0; a < p; ++a) s->left.a[i * p + a] = s->r[i] * d[i * p + a];
    return nth_cmat_of(s->left.a, rows, p);
}

/* Integrals to the nodes: out_q = -(H/n) sum_p S_qp in_p, each a block of `size` numbers. */
static nth_status integrate(const nth_colloc *s, const double *in, double *out, ptrdiff_t size)
{
    return nth_gemm(-s->H / (double)s->n, NTH_N, nth_cmat_of(s->S, s->q, s->q), NTH_N, nth_cmat_of(in, s->q, size), 0.0,
                    nth_mat_of(out, s->q, size));
}

/* h^1 into x[0]: the base, and the Gram matrix times the movement. */
static nth_status first_layer(nth_colloc *s, int copy)
{
    nth_status      st = NTH_OK;
    const nth_rows *rows = s->flow->rows;
    const ptrdiff_t n = s->n, m = width(s, 1);
    const nth_cmat  G = nth_cblock(nth_const(rows->G), 0, 0, n, n);
    const bool      moves = !nth_priv_frozen(&s->flow->net->cfg, 1);
    if (moves) NTH_TRY(integrate(s, driven(s, copy, 1).a, s->right.a, n * m));
    for (int q = 0; q < s->q; ++q) {
        const nth_mat h = nth_mat_of(s->x[copy][0] + q * n * m, n, m);
        nth_mat_copy(h, nth_cblock(nth_const(rows->H[copy]), 0, 0, n, m));
        if (moves) NTH_TRY(nth_gemm(1.0, NTH_N, G, NTH_N, nth_cmat_of(s->right.a + q * n * m, n, m), 1.0, h));
    }
done:
    return st;
}

/* M <- weight o (c^2 A A^T + bias), weight_(q,i),(p,j) = -(H/n) S_qp r_pj. */
static nth_status weighted_gram(nth_colloc *s, nth_cmat A, double c, double bias)
{
    nth_status      st = NTH_OK;
    const ptrdiff_t n = s->n, nq = n * s->q;
    const nth_mat   M = nth_mat_of(s->M.a, nq, nq);
    NTH_TRY(nth_gram(c * c, A, 0.0, M));
    for (ptrdiff_t a = 0; a < nq; ++a)
        for (ptrdiff_t b = 0; b < nq; ++b)
            M.a[a * nq + b] = (M.a[a * nq + b] + bias) * (-s->H / (double)n * s->S[a / n * s->q + b / n] * s->r[b]);
done:
    return st;
}

/* h^l into x[l-1], 1 < l < L. */
static nth_status hidden_layer(nth_colloc *s, int copy, int l)
{
    nth_status            st = NTH_OK;
    const nth_net        *net = s->flow->net;
    const nth_net_config *cfg = &net->cfg;
    const double          c = nth_net_factor(cfg, l);
    const nth_cmat        X = nodes(s, s->x[copy][l - 2], l - 1);
    const nth_mat         h = nth_mat_of(s->x[copy][l - 1], s->n * s->q, width(s, l));
    NTH_TRY(nth_gemm(c, NTH_N, X, NTH_T, nth_const(net->W[copy][l - 1]), 0.0, h));
    for (ptrdiff_t i = 0; cfg->sigma_b > 0.0 && i < h.rows; ++i)
        nth_axpy(cfg->sigma_b, net->b[copy][l - 1], h.a + i * h.cols, h.cols);
    if (nth_priv_frozen(cfg, l)) goto done;
    NTH_TRY(weighted_gram(s, X, c, cfg->sigma_b * cfg->sigma_b));
    NTH_TRY(nth_gemm(1.0, NTH_N, nth_cmat_of(s->M.a, h.rows, h.rows), NTH_N, nodes(s, s->d[copy][l - 1], l), 1.0, h));
done:
    return st;
}

/* x = sigma(h), s = sigma'(h); h is in x. */
static void activate(nth_colloc *s, int copy, int l)
{
    const ptrdiff_t      size = s->n * s->q * width(s, l), blocks = (size + BLOCK - 1) / BLOCK;
    const nth_activation act = s->flow->net->cfg.activation;
#pragma omp parallel for schedule(static) if (blocks > 64)
    for (ptrdiff_t k = 0; k < blocks; ++k) {
        const ptrdiff_t at = k * BLOCK, len = size - at < BLOCK ? size - at : BLOCK;
        double          psi[2][BLOCK];
        nth_activation_eval(act, 1, s->x[copy][l - 1] + at, len, psi[0], BLOCK);
        memcpy(s->x[copy][l - 1] + at, psi[0], (size_t)len * sizeof(double));
        memcpy(s->s[copy][l - 1] + at, psi[1], (size_t)len * sizeof(double));
    }
}

/* Read-out weights at the nodes into right (q x m); outputs added to f. */
static nth_status read_out(nth_colloc *s, int copy)
{
    nth_status            st = NTH_OK;
    const nth_net        *net = s->flow->net;
    const nth_net_config *cfg = &net->cfg;
    const int             L = cfg->layers;
    const ptrdiff_t       n = s->n, m = width(s, L - 1);
    const double          c = nth_net_factor(cfg, L), scale = net->out_scale[copy], sb = cfg->sigma_b;
    double                bias[NTH_COLLOC_NODES] = { 0 }, push[NTH_COLLOC_NODES];
    const bool            moves = !nth_priv_frozen(cfg, L);
    if (moves) {
        for (int q = 0; q < s->q; ++q) {
            NTH_TRY(nth_gemm(c * scale, NTH_N, nth_cmat_of(s->r + q * n, 1, n), NTH_N,
                             nth_cmat_of(s->x[copy][L - 2] + q * n * m, n, m), 0.0, nth_mat_of(s->left.a + q * m, 1, m)));
            push[q] = 0.0;
            for (ptrdiff_t i = 0; i < n; ++i) push[q] += scale * sb * s->r[q * n + i];
        }
        NTH_TRY(integrate(s, s->left.a, s->right.a, m));
        NTH_TRY(integrate(s, push, bias, 1));
    } else {
        memset(s->right.a, 0, (size_t)(s->q * m) * sizeof(double));
    }
    for (int q = 0; q < s->q; ++q) {
        nth_axpy(1.0, net->W[copy][L - 1].a, s->right.a + q * m, m);
        NTH_TRY(nth_gemv(c * scale, NTH_N, nth_cmat_of(s->x[copy][L - 2] + q * n * m, n, m), s->right.a + q * m, 1.0,
                         s->f + q * n));
        for (ptrdiff_t i = 0; sb > 0.0 && i < n; ++i) s->f[q * n + i] += scale * sb * (bias[q] + net->b[copy][L - 1][0]);
    }
done:
    return st;
}

/* d <- b o s where b is in s->left (or, at the top, one row for each node in s->right); returns the
 * largest change and the largest entry. */
static void backward_product(nth_colloc *s, int copy, int l, bool top, double *change, double *largest)
{
    const ptrdiff_t p = width(s, l), rows = s->n * s->q;
    const double    c = nth_net_factor(&s->flow->net->cfg, l + 1) * s->flow->net->out_scale[copy];
    double          worst = 0.0, most = 0.0;
    bool            nan = false;
#pragma omp parallel for schedule(static) reduction(max : worst, most) reduction(|| : nan) if (rows * p > 100000)
    for (ptrdiff_t i = 0; i < rows; ++i) {
        const double *b = top ? s->right.a + i / s->n * p : s->left.a + i * p;
        double       *d = s->d[copy][l - 1] + i * p;
        const double *slope = s->s[copy][l - 1] + i * p;
        double        w = 0.0, mx = 0.0;
        for (ptrdiff_t a = 0; a < p; ++a) {
            const double v = (top ? c * b[a] : b[a]) * slope[a], e = fabs(v - d[a]);
            w = e > w ? e : w;
            mx = fabs(v) > mx ? fabs(v) : mx;
            d[a] = v;
        }
        nan = nan || !isfinite(nth_dot(d, slope, p));
        worst = w > worst ? w : worst;
        most = mx > most ? mx : most;
    }
    *change = nan ? NAN : worst;
    *largest = most;
}

/* b of layer l into s->left, l < L - 1. */
static nth_status backward_layer(nth_colloc *s, int copy, int l)
{
    nth_status            st = NTH_OK;
    const nth_net_config *cfg = &s->flow->net->cfg;
    const double          c = nth_net_factor(cfg, l + 1);
    const nth_cmat        D = nodes(s, s->d[copy][l], l + 1);
    const nth_mat         b = nth_mat_of(s->left.a, s->n * s->q, width(s, l));
    NTH_TRY(nth_gemm(c, NTH_N, D, NTH_N, nth_const(s->flow->net->W[copy][l]), 0.0, b));
    if (nth_priv_frozen(cfg, l + 1)) goto done;
    NTH_TRY(weighted_gram(s, D, c, 0.0));
    NTH_TRY(nth_gemm(1.0, NTH_N, nth_cmat_of(s->M.a, b.rows, b.rows), NTH_N, nodes(s, s->x[copy][l - 1], l), 1.0, b));
done:
    return st;
}

nth_status nth_colloc_sweep(nth_colloc *s, double *change)
{
    nth_status            st = NTH_OK;
    const nth_net_config *cfg = &s->flow->net->cfg;
    const int             L = cfg->layers;
    *change = 0.0;
    memset(s->f, 0, (size_t)(s->n * s->q) * sizeof(double));
    for (int c = 0; c < s->flow->net->copies; ++c) {
        for (int l = 1; l < L; ++l) {
            NTH_TRY(l == 1 ? first_layer(s, c) : hidden_layer(s, c, l));
            activate(s, c, l);
        }
        NTH_TRY(read_out(s, c));
        for (int l = L - 1; l >= 1; --l) {
            double moved, largest;
            if (l < L - 1) NTH_TRY(backward_layer(s, c, l));
            backward_product(s, c, l, l == L - 1, &moved, &largest);
            const double relative = largest > 0.0 ? moved / largest : moved;
            *change = nth_keep_max(*change, relative);
        }
    }
    for (int q = 0; q < s->q; ++q)
        s->flow->loss->residual(s->f + q * s->n, s->f + q * s->n, s->flow->y, s->n);
done:
    return st;
}

/* Rows of diag(w_p r) Delta^l of all nodes into left. */
static nth_cmat end_weighted(nth_colloc *s, int copy, int l)
{
    const ptrdiff_t p = width(s, l), rows = s->n * s->q;
    const double    h = -s->H / (double)s->n;
    for (ptrdiff_t i = 0; i < rows; ++i)
        for (ptrdiff_t a = 0; a < p; ++a)
            s->left.a[i * p + a] = h * s->w[i / s->n] * s->r[i] * s->d[copy][l - 1][i * p + a];
    return nth_cmat_of(s->left.a, rows, p);
}

nth_status nth_colloc_finish(nth_colloc *s)
{
    nth_status            st = NTH_OK;
    const nth_net        *net = s->flow->net;
    const nth_net_config *cfg = &net->cfg;
    const int             L = cfg->layers;
    const ptrdiff_t       n = s->n;
    for (int c = 0; c < net->copies; ++c) {
        for (int l = L; l >= 1; --l) {
            const ptrdiff_t p = width(s, l), q = width(s, l - 1);
            if (nth_priv_frozen(cfg, l)) continue;
            if (l == L) { /* the read-out vector and its bias */
                const double h = -s->H / (double)n * net->out_scale[c];
                for (ptrdiff_t i = 0; i < n * s->q; ++i) {
                    const double g = h * s->w[i / n] * s->r[i];
                    nth_axpy(g * nth_net_factor(cfg, L), s->x[c][L - 2] + i * q, net->W[c][L - 1].a, q);
                    if (cfg->sigma_b > 0.0) net->b[c][L - 1][0] += g * cfg->sigma_b;
                }
                continue;
            }
            const nth_cmat E = end_weighted(s, c, l);
            if (l > 1) {
                NTH_TRY(nth_gemm(nth_net_factor(cfg, l), NTH_T, E, NTH_N, nodes(s, s->x[c][l - 2], l - 1), 1.0,
                                 net->W[c][l - 1]));
                for (ptrdiff_t i = 0; cfg->sigma_b > 0.0 && i < E.rows; ++i)
                    nth_axpy(cfg->sigma_b, E.a + i * p, net->b[c][l - 1], p);
            } else {
                memset(s->right.a, 0, (size_t)(n * p) * sizeof(double));
                for (ptrdiff_t i = 0; i < E.rows; ++i) nth_axpy(1.0, E.a + i * p, s->right.a + i % n * p, p);
                NTH_TRY(nth_priv_flow_move_first(s->flow, c, nth_cmat_of(s->right.a, n, p)));
            }
        }
    }
done:
    return st;
}
