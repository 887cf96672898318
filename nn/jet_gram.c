/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * The tangent kernel of two jets, component by component (E15, E22): per layer the Gram jets of
 * the backward signals and of the inputs, multiplied entry by entry in the algebra. The (N x P)
 * Jacobian is never formed.
 */
#include "alloc_priv.h"
#include "fail_priv.h"
#include "jet_priv.h"
#include "linalg_priv.h"

#include <string.h>

enum {
    SQUARE = 32,         /* rows and columns at a time */
    SHARED_MIN = 500000 /* entries from which sharing a plain loop out is worth a barrier */
};

typedef struct gram_work {
    const nth_jet *A, *B;
    ptrdiff_t      N, M;
    int            need;                /* components [0, need) */
    double        *dg[NTH_MAX_COMPS];   /* (N x M) Gram components of Delta^l */
    double        *xg[NTH_MAX_COMPS];   /* (N x M) of x^{l-1} */
    double        *tmp;                 /* (N x M), square case */
} gram_work;

/* out <- beta out + tmp + tmp^T, in squares so that the transposed reads stay in the cache. */
static void add_symmetric(const gram_work *w, double beta, double *out)
{
    const ptrdiff_t N = w->N, squares = (N + SQUARE - 1) / SQUARE;
#pragma omp parallel for schedule(static) if (N * N > SHARED_MIN)
    for (ptrdiff_t q = 0; q < squares * squares; ++q) {
        const ptrdiff_t r0 = q / squares * SQUARE, s0 = q % squares * SQUARE;
        const ptrdiff_t r1 = N - r0 < SQUARE ? N : r0 + SQUARE, s1 = N - s0 < SQUARE ? N : s0 + SQUARE;
        for (ptrdiff_t r = r0; r < r1; ++r)
            for (ptrdiff_t s = s0; s < s1; ++s)
                out[r * N + s] = (beta > 0.0 ? out[r * N + s] : 0.0) + (w->tmp[r * N + s] + w->tmp[s * N + r]);
    }
}

/* G <- scale * sum over products (i,j) -> c of a_i b_j^T. In the square case the products (i,j) and
 * (j,i) are transposes of each other: one is made. */
static nth_status gram_component(gram_work *w, double *const a, double *const b, ptrdiff_t p, int c,
                                 double scale, double *out)
{
    nth_status         st = NTH_OK;
    const nth_algebra *alg = w->A->alg;
    const bool         square = w->A == w->B;
    const nth_mat      G = nth_mat_of(out, w->N, w->M);
    double             beta = 0.0;
    for (int q = alg->product_start[c]; q < alg->product_start[c + 1]; ++q) {
        const int      i = alg->product[q].a, j = alg->product[q].b;
        const nth_cmat ai = nth_cmat_of(a + i * w->N * p, w->N, p), bj = nth_cmat_of(b + j * w->M * p, w->M, p);
        if (square && i < j) continue;
        if (square && i > j) {
            NTH_TRY(nth_gemm(scale, NTH_N, ai, NTH_T, bj, 0.0, nth_mat_of(w->tmp, w->N, w->M)));
            add_symmetric(w, beta, out);
        } else if (square) {
            NTH_TRY(nth_gram(scale, ai, beta, G));
        } else {
            NTH_TRY(nth_gemm(scale, NTH_N, ai, NTH_T, bj, beta, G));
        }
        beta = 1.0;
    }
done:
    return st;
}

static void fill(double *G, ptrdiff_t count, double value)
{
    for (ptrdiff_t i = 0; i < count; ++i) G[i] = value;
}

/* Gram components of Delta^l; Delta^L is the constant out_scale. */
static nth_status delta_gram(gram_work *w, int copy, int l)
{
    nth_status     st = NTH_OK;
    const nth_net *net = w->A->src->net;
    for (int c = 0; c < w->need; ++c) {
        if (l == net->cfg.layers) {
            fill(w->dg[c], w->N * w->M, c == 0 ? net->out_scale[copy] * net->out_scale[copy] : 0.0);
            continue;
        }
        NTH_TRY(gram_component(w, w->A->d[copy][l - 1], w->B->d[copy][l - 1], net->cfg.widths[l], c, 1.0, w->dg[c]));
    }
done:
    return st;
}

/* Gram components of c_l x^{l-1} and the constant input sigma_b. */
static nth_status input_gram(gram_work *w, int copy, int l)
{
    nth_status            st = NTH_OK;
    const nth_net_config *cfg = &w->A->src->net->cfg;
    const double          c = nth_net_factor(cfg, l);
    for (int k = 0; k < w->need; ++k) {
        if (l == 1) {
            if (k > 0) fill(w->xg[k], w->N * w->M, 0.0);
            else
                nth_mat_copy(nth_mat_of(w->xg[0], w->N, w->M),
                             nth_cblock(nth_const(w->A->src->G), w->A->first, w->B->first, w->N, w->M));
            continue;
        }
        NTH_TRY(gram_component(w, w->A->x[copy][l - 2], w->B->x[copy][l - 2], cfg->widths[l - 1], k, c * c, w->xg[k]));
        for (ptrdiff_t i = 0; k == 0 && cfg->sigma_b > 0.0 && i < w->N * w->M; ++i)
            w->xg[0][i] += cfg->sigma_b * cfg->sigma_b;
    }
done:
    return st;
}

static void accumulate(const gram_work *w, nth_mat K, int comp)
{
    const nth_algebra *alg = w->A->alg;
    for (int q = alg->product_start[comp]; q < alg->product_start[comp + 1]; ++q) {
        const double *dg = w->dg[alg->product[q].a], *xg = w->xg[alg->product[q].b];
#pragma omp parallel for schedule(static) if (w->N * w->M > SHARED_MIN)
        for (ptrdiff_t i = 0; i < w->N; ++i)
            for (ptrdiff_t j = 0; j < w->M; ++j) K.a[i * K.ld + j] += dg[i * w->M + j] * xg[i * w->M + j];
    }
}

nth_status nth_jet_gram(nth_mat *K, const nth_jet *A, const nth_jet *B)
{
    nth_status            st = NTH_OK;
    const nth_net_config *cfg = &A->src->net->cfg;
    gram_work             w = { .A = A, .B = B, .N = A->rows, .M = B->rows };
    for (int c = 0; c < A->alg->comps; ++c) {
        if (K[c].a == NULL) continue;
        NTH_REQUIRE(K[c].rows == w.N && K[c].cols == w.M, NTH_E_SHAPE, "kernel %td x %td for %td x %td points",
                    K[c].rows, K[c].cols, w.N, w.M);
        w.need = c + 1;
        for (ptrdiff_t i = 0; i < w.N; ++i) memset(K[c].a + i * K[c].ld, 0, (size_t)w.M * sizeof(double));
    }
    for (int c = 0; c < w.need; ++c) {
        NTH_TRY(nth_priv_doubles(&w.dg[c], w.N * w.M, "Gram matrix"));
        NTH_TRY(nth_priv_doubles(&w.xg[c], w.N * w.M, "Gram matrix"));
    }
    NTH_TRY(nth_priv_doubles(&w.tmp, A == B && w.need > 1 ? w.N * w.M : 0, "Gram matrix"));
    for (int copy = 0; copy < A->src->net->copies; ++copy)
        for (int l = 1; l <= cfg->layers; ++l) {
            if (nth_priv_frozen(cfg, l)) continue;
            NTH_TRY(delta_gram(&w, copy, l));
            NTH_TRY(input_gram(&w, copy, l));
            for (int c = 0; c < w.need; ++c)
                if (K[c].a != NULL) accumulate(&w, K[c], c);
        }
done:
    for (int c = 0; c < NTH_MAX_COMPS; ++c) {
        nth_priv_free(w.dg[c]);
        nth_priv_free(w.xg[c]);
    }
    nth_priv_free(w.tmp);
    return st;
}
