/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * The derivative of V = sum_ij S_ij K2(x_i,x_j) by the parameters: reverse mode through E15 and E8, whose
 * variables are the activations X^l and the backward signals Delta^l (E98).
 *
 *     K2 = sum_l D^l o G^l,   D^l = Delta^l Delta^lT,   G^l = c_l^2 X^{l-1} X^{l-1,T} + sigma_b^2
 *
 * With a bar for the derivative of V by a quantity, first along the backward pass, l = 1 .. L-1
 * (B^l = c_{l+1} Delta^{l+1} W^{l+1}, Delta^l = B^l o sigma'(H^l)):
 *
 *     bar Delta^l = 2 (S o G^l) Delta^l + c_l bar B^{l-1} W^lT
 *     bar B^l = bar Delta^l o sigma'(H^l),   bar W^l = c_l Delta^lT bar B^{l-1}
 *
 * then along the forward pass, l = L-1 .. 1:
 *
 *     bar X^l = 2 c_{l+1}^2 (S o D^{l+1}) X^l + c_{l+1} bar H^{l+1} W^{l+1}
 *     bar H^l = bar X^l o sigma'(H^l) + bar Delta^l o B^l o sigma''(H^l)
 *     bar W^l += c_l bar H^lT X^{l-1},   bar b^l = sigma_b sum of the rows of bar H^l
 *
 * Products: 12 n p q for each weight matrix and 3 n^2 (p + q) for the Gram matrices, with the kernel itself,
 * which alone takes 4 n p q and n^2 (p + q): three times the kernel. All arrays are n x p or n x n.
 */
#include "pullback_priv.h"
#include "alloc_priv.h"
#include "fail_priv.h"
#include "linalg_priv.h"

#include <string.h>

enum {
    BLOCK = 256,
    SHARED_MIN = 500000 /* entries from which sharing a plain loop out is worth a barrier */
};

/* ---- Memory -------------------------------------------------------------------------------------- */

static ptrdiff_t widest(const nth_net_config *cfg)
{
    ptrdiff_t most = 0;
    for (int l = 1; l < cfg->layers; ++l)
        if (cfg->widths[l] > most) most = cfg->widths[l];
    return most;
}

double nth_pullback_doubles(const nth_net_config *cfg, ptrdiff_t n)
{
    const double grams = 2.0 * (double)(cfg->layers - 1) * (cfg->doubled ? 2.0 : 1.0);
    return nth_jet_doubles(cfg, 1, n, true) + (double)n * ((grams + 1.0) * (double)n + (double)widest(cfg));
}

nth_status nth_pullback_create(nth_pullback **out, const nth_rows *rows)
{
    nth_status            st = NTH_OK;
    nth_pullback         *pb = NULL;
    const nth_net_config *cfg = &rows->net->cfg;
    const ptrdiff_t       n = rows->n;
    *out = NULL;
    NTH_TRY(nth_priv_alloc(&pb, 1, sizeof *pb, "derivative of a kernel"));
    pb->rows = rows, pb->n = n;
    nth_algebra_nilpotent(&pb->plain, 0);
    NTH_TRY(nth_jet_create(&pb->jet, &pb->plain, rows, 0, n, true));
    NTH_TRY(nth_priv_doubles(&pb->E, n * n, "weighted Gram matrix"));
    NTH_TRY(nth_priv_doubles(&pb->T, n * widest(cfg), "derivative by a layer"));
    for (int c = 0; c < rows->net->copies; ++c)
        for (int l = 1; l <= cfg->layers; ++l) {
            if (nth_priv_frozen(cfg, l)) continue;
            if (l < cfg->layers) NTH_TRY(nth_priv_doubles(&pb->dg[c][l - 1], n * n, "Gram matrix"));
            if (l > 1) NTH_TRY(nth_priv_doubles(&pb->xg[c][l - 1], n * n, "Gram matrix"));
        }
    *out = pb, pb = NULL;
done:
    nth_pullback_destroy(&pb);
    return st;
}

void nth_pullback_destroy(nth_pullback **pb)
{
    if (*pb == NULL) return;
    nth_jet_destroy(&(*pb)->jet);
    for (int c = 0; c < 2; ++c)
        for (int l = 0; l < NTH_MAX_LAYERS; ++l) {
            nth_priv_free((*pb)->dg[c][l]);
            nth_priv_free((*pb)->xg[c][l]);
        }
    nth_priv_free((*pb)->E);
    nth_priv_free((*pb)->T);
    nth_priv_free(*pb);
    *pb = NULL;
}

/* ---- The kernel ---------------------------------------------------------------------------------- */

/* The (n x p_l) view of an array of layer l. */
static nth_mat layer(const nth_pullback *pb, double *array, int l)
{
    return nth_mat_of(array, pb->n, pb->rows->net->cfg.widths[l]);
}

/* G^l of the training rows. */
static nth_cmat input_gram(const nth_pullback *pb, int copy, int l)
{
    const nth_cmat G = nth_const(pb->rows->G);
    return l == 1 ? nth_cblock(G, 0, 0, pb->n, pb->n) : nth_cmat_of(pb->xg[copy][l - 1], pb->n, pb->n);
}

/* K += (Delta^l Delta^lT) o G^l, both Gram matrices being kept. */
static nth_status add_layer(nth_pullback *pb, int copy, int l, nth_mat K)
{
    nth_status            st = NTH_OK;
    const nth_net        *net = pb->rows->net;
    const nth_net_config *cfg = &net->cfg;
    const ptrdiff_t       n = pb->n;
    const double          c = nth_net_factor(cfg, l), top = net->out_scale[copy] * net->out_scale[copy];
    double               *dg = pb->dg[copy][l - 1], *xg = pb->xg[copy][l - 1];
    if (dg != NULL) NTH_TRY(nth_gram(1.0, nth_const(layer(pb, pb->jet->d[copy][l - 1], l)), 0.0, nth_mat_of(dg, n, n)));
    if (xg != NULL)
        NTH_TRY(nth_gram(c * c, nth_const(layer(pb, pb->jet->x[copy][l - 2], l - 1)), 0.0, nth_mat_of(xg, n, n)));
    for (ptrdiff_t i = 0; xg != NULL && cfg->sigma_b > 0.0 && i < n * n; ++i) xg[i] += cfg->sigma_b * cfg->sigma_b;
    const nth_cmat G = input_gram(pb, copy, l);
#pragma omp parallel for schedule(static) if (n * n > SHARED_MIN)
    for (ptrdiff_t i = 0; i < n; ++i)
        for (ptrdiff_t j = 0; j < n; ++j) K.a[i * K.ld + j] += (dg != NULL ? dg[i * n + j] : top) * G.a[i * G.ld + j];
done:
    return st;
}

nth_status nth_pullback_kernel(nth_pullback *pb, nth_mat K)
{
    nth_status            st = NTH_OK;
    const nth_net_config *cfg = &pb->rows->net->cfg;
    NTH_REQUIRE(K.rows == pb->n && K.cols == pb->n, NTH_E_SHAPE, "kernel %td x %td for %td inputs", K.rows, K.cols, pb->n);
    NTH_TRY(nth_jet_advance(pb->jet, NULL, 0, 1));
    for (ptrdiff_t i = 0; i < pb->n; ++i) memset(K.a + i * K.ld, 0, (size_t)pb->n * sizeof(double));
    for (int c = 0; c < pb->rows->net->copies; ++c)
        for (int l = 1; l <= cfg->layers; ++l)
            if (!nth_priv_frozen(cfg, l)) NTH_TRY(add_layer(pb, c, l, K));
done:
    return st;
}

/* ---- The derivative ------------------------------------------------------------------------------ */

/* T <- scale (S o G) A. */
static nth_status weighted(nth_pullback *pb, double scale, nth_cmat S, nth_cmat G, nth_mat A)
{
    const ptrdiff_t n = pb->n;
#pragma omp parallel for schedule(static) if (n * n > SHARED_MIN)
    for (ptrdiff_t i = 0; i < n; ++i)
        for (ptrdiff_t j = 0; j < n; ++j) pb->E[i * n + j] = S.a[i * S.ld + j] * G.a[i * G.ld + j];
    return nth_gemm(scale, NTH_N, nth_cmat_of(pb->E, n, n), NTH_N, nth_const(A), 0.0, nth_mat_of(pb->T, n, A.cols));
}

/* From bar Delta^l in T: bar B^l in place of B^l, and its part of bar H^l in place of Delta^l. */
static void through_slope(nth_pullback *pb, int copy, int l)
{
    const nth_jet       *jet = pb->jet;
    const nth_activation act = pb->rows->net->cfg.activation;
    const double        *h = jet->h[copy][l - 1], *s = jet->s[copy][l - 1], *T = pb->T;
    double              *b = jet->b[copy][l - 1], *d = jet->d[copy][l - 1];
    const ptrdiff_t      size = pb->n * pb->rows->net->cfg.widths[l], blocks = (size + BLOCK - 1) / BLOCK;
#pragma omp parallel for schedule(static) if (blocks > 16)
    for (ptrdiff_t k = 0; k < blocks; ++k) {
        double          psi[3][BLOCK];
        const ptrdiff_t at = k * BLOCK, len = size - at < BLOCK ? size - at : BLOCK;
        nth_activation_eval(act, 2, h + at, len, psi[0], BLOCK);
        for (ptrdiff_t i = at; i < at + len; ++i) {
            d[i] = T[i] * b[i] * psi[2][i - at];
            b[i] = T[i] * s[i];
        }
    }
}

/* bar H^l in place of its part: += bar X^l (in T) o sigma'. */
static void through_activation(nth_pullback *pb, int copy, int l)
{
    const double   *s = pb->jet->s[copy][l - 1], *T = pb->T;
    double         *d = pb->jet->d[copy][l - 1];
    const ptrdiff_t size = pb->n * pb->rows->net->cfg.widths[l];
#pragma omp parallel for schedule(static) if (size > SHARED_MIN)
    for (ptrdiff_t i = 0; i < size; ++i) d[i] += T[i] * s[i];
}

/* out (cols) <- scale times the sum of the rows. */
static void sum_rows(double *out, double scale, nth_mat A)
{
    memset(out, 0, (size_t)A.cols * sizeof(double));
    for (ptrdiff_t i = 0; i < A.rows; ++i) nth_axpy(scale, A.a + i * A.ld, out, A.cols);
}

/* Along the backward pass. */
static nth_status up(double *grad, nth_pullback *pb, int copy, nth_cmat S)
{
    nth_status            st = NTH_OK;
    const nth_net        *net = pb->rows->net;
    const nth_net_config *cfg = &net->cfg;
    const int             L = cfg->layers;
    nth_mat               W;
    double               *bias;
    for (int l = 1; l < L; ++l) {
        const nth_mat d = layer(pb, pb->jet->d[copy][l - 1], l), T = layer(pb, pb->T, l);
        const double  c = nth_net_factor(cfg, l), beta = nth_priv_frozen(cfg, l) ? 0.0 : 1.0;
        nth_priv_net_part(cfg, grad, copy, l, &W, &bias);
        if (beta > 0.0) NTH_TRY(weighted(pb, 2.0, S, input_gram(pb, copy, l), d));
        else if (l == 1) memset(T.a, 0, (size_t)(T.rows * T.cols) * sizeof(double));
        if (l > 1) {
            const nth_cmat below = nth_const(layer(pb, pb->jet->b[copy][l - 2], l - 1));
            NTH_TRY(nth_gemm(c, NTH_N, below, NTH_T, nth_const(net->W[copy][l - 1]), beta, T));
            if (W.a != NULL) NTH_TRY(nth_gemm(c, NTH_T, nth_const(d), NTH_N, below, 0.0, W));
        }
        through_slope(pb, copy, l);
    }
    nth_priv_net_part(cfg, grad, copy, L, &W, &bias); /* Delta^L is the constant out_scale */
    if (W.a != NULL)
        sum_rows(W.a, nth_net_factor(cfg, L) * net->out_scale[copy], layer(pb, pb->jet->b[copy][L - 2], L - 1));
    if (bias != NULL) bias[0] = 0.0;
done:
    return st;
}

/* Along the forward pass. */
static nth_status down(double *grad, nth_pullback *pb, int copy, nth_cmat S, nth_cmat X)
{
    nth_status            st = NTH_OK;
    const nth_net        *net = pb->rows->net;
    const nth_net_config *cfg = &net->cfg;
    for (int l = cfg->layers - 1; l >= 1; --l) {
        const bool    last = l + 1 == cfg->layers, direct = !nth_priv_frozen(cfg, l + 1);
        const nth_mat x = layer(pb, pb->jet->x[copy][l - 1], l), T = layer(pb, pb->T, l), H = layer(pb, pb->jet->d[copy][l - 1], l);
        const double  c = nth_net_factor(cfg, l + 1), top = net->out_scale[copy] * net->out_scale[copy];
        nth_mat       W;
        double       *bias;
        if (direct && last) NTH_TRY(nth_gemm(2.0 * c * c * top, NTH_N, S, NTH_N, nth_const(x), 0.0, T));
        if (direct && !last) NTH_TRY(weighted(pb, 2.0 * c * c, S, nth_cmat_of(pb->dg[copy][l], pb->n, pb->n), x));
        if (!direct && last) memset(T.a, 0, (size_t)(T.rows * T.cols) * sizeof(double));
        if (!last) /* bar H^{l+1} lies where Delta^{l+1} was */
            NTH_TRY(nth_gemm(c, NTH_N, nth_const(layer(pb, pb->jet->d[copy][l], l + 1)), NTH_N, nth_const(net->W[copy][l]),
                             direct ? 1.0 : 0.0, T));
        through_activation(pb, copy, l);
        nth_priv_net_part(cfg, grad, copy, l, &W, &bias);
        if (W.a != NULL && l > 1)
            NTH_TRY(nth_gemm(nth_net_factor(cfg, l), NTH_T, nth_const(H), NTH_N,
                             nth_const(layer(pb, pb->jet->x[copy][l - 2], l - 1)), 1.0, W));
        if (W.a != NULL && l == 1) NTH_TRY(nth_gemm(nth_net_factor(cfg, 1), NTH_T, nth_const(H), NTH_N, X, 0.0, W));
        if (bias != NULL) sum_rows(bias, cfg->sigma_b, H);
    }
done:
    return st;
}

nth_status nth_pullback_gradient(double *grad, nth_pullback *pb, nth_cmat S, nth_cmat X)
{
    nth_status st = NTH_OK;
    NTH_REQUIRE(S.rows == pb->n && S.cols == pb->n && X.rows == pb->n, NTH_E_SHAPE,
                "weights of kernel entries %td x %td, inputs %td x %td for %td inputs", S.rows, S.cols, X.rows, X.cols,
                pb->n);
    for (int c = 0; c < pb->rows->net->copies; ++c) {
        NTH_TRY(up(grad, pb, c, S));
        NTH_TRY(down(grad, pb, c, S, X));
    }
done:
    return st;
}
