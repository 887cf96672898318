/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Jet propagation (jet_priv.h). A pass over components [lo, hi) makes, layer by layer, one dense
 * product of all these components with the plain weights, the low-rank products of the weight jet,
 * and a fused loop for the chain rule. The loops run over fixed blocks shared out among threads:
 * the bits do not depend on how many there are.
 */
#include "jet_priv.h"
#include "alloc_priv.h"
#include "fail_priv.h"
#include "linalg_priv.h"

#include <string.h>

enum {
    BLOCK = 128,        /* entries at a time: 16 components and 7 derivatives fit the first-level cache */
    SHARED_MIN = 500000 /* entries from which sharing a plain loop out is worth a barrier */
};

static ptrdiff_t width(const nth_jet *jet, int l) { return jet->src->net->cfg.widths[l]; }

/* Of df/dx in a plain jet: any hidden layer but the last, whose rows are alike. */
static ptrdiff_t shared_doubles(const nth_net_config *cfg, ptrdiff_t rows)
{
    ptrdiff_t most = cfg->widths[cfg->layers - 1];
    for (int l = 1; l < cfg->layers - 1; ++l)
        if (rows * cfg->widths[l] > most) most = rows * cfg->widths[l];
    return most;
}

double nth_jet_doubles(const nth_net_config *cfg, int comps, ptrdiff_t rows, bool staged)
{
    const bool plain = comps == 1 && !staged;
    double     total = plain ? (double)shared_doubles(cfg, rows) : 0.0;
    for (int l = 1; l < cfg->layers; ++l) {
        const double entries = (double)comps * (double)rows * (double)cfg->widths[l];
        total += entries * (staged ? 5.0 : plain ? 2.0 : 3.0) * (cfg->doubled ? 2.0 : 1.0);
    }
    return total;
}

nth_status nth_jet_create(nth_jet **out, const nth_algebra *alg, const nth_rows *src,
                          ptrdiff_t first, ptrdiff_t rows, bool staged)
{
    nth_status st = NTH_OK;
    nth_jet   *jet = NULL;
    *out = NULL;
    NTH_REQUIRE(first >= 0 && rows >= 1 && first + rows <= src->rows, NTH_E_SHAPE,
                "rows %td to %td of %td", first, first + rows, src->rows);
    NTH_TRY(nth_priv_alloc(&jet, 1, sizeof *jet, "jet"));
    jet->alg = alg, jet->src = src, jet->first = first, jet->rows = rows, jet->staged = staged;
    jet->plain = alg->comps == 1 && !staged;
    if (jet->plain) NTH_TRY(nth_priv_doubles(&jet->b[0][0], shared_doubles(&src->net->cfg, rows), "backward signals"));
    for (int c = 0; c < src->net->copies; ++c)
        for (int l = 0; l < src->net->cfg.layers - 1; ++l) {
            const ptrdiff_t entries = alg->comps * rows * src->net->cfg.widths[l + 1];
            NTH_TRY(nth_priv_doubles(&jet->x[c][l], entries, "activations"));
            NTH_TRY(nth_priv_doubles(&jet->d[c][l], entries, "backward signals"));
            if (jet->plain) jet->s[c][l] = jet->d[c][l];
            else NTH_TRY(nth_priv_doubles(&jet->s[c][l], entries, "activation slopes"));
            if (staged) {
                NTH_TRY(nth_priv_doubles(&jet->h[c][l], entries, "pre-activations"));
                NTH_TRY(nth_priv_doubles(&jet->b[c][l], entries, "backward signals"));
            } else {
                jet->h[c][l] = jet->x[c][l];
                jet->b[c][l] = jet->plain ? jet->b[0][0] : jet->d[c][l];
            }
        }
    *out = jet, jet = NULL;
done:
    nth_jet_destroy(&jet);
    return st;
}

void nth_jet_destroy(nth_jet **jet)
{
    if (*jet == NULL) return;
    if ((*jet)->plain) nth_priv_free((*jet)->b[0][0]);
    for (int c = 0; c < 2; ++c)
        for (int l = 0; l < NTH_MAX_LAYERS; ++l) {
            nth_priv_free((*jet)->x[c][l]);
            if (!(*jet)->plain) nth_priv_free((*jet)->s[c][l]);
            nth_priv_free((*jet)->d[c][l]);
            if (!(*jet)->staged) continue;
            nth_priv_free((*jet)->h[c][l]);
            nth_priv_free((*jet)->b[c][l]);
        }
    nth_priv_free(*jet);
    *jet = NULL;
}

/* x and s from h, components [lo, hi): the chain rule of E17 for sigma and sigma'. */
static void compose_block(const nth_jet *jet, int copy, int l, int lo, int hi, ptrdiff_t stride,
                          ptrdiff_t at, ptrdiff_t len)
{
    const nth_algebra *alg = jet->alg;
    double             h[NTH_MAX_COMPS][BLOCK], psi[NTH_MAX_DERIVATIVE + 1][BLOCK], t[BLOCK];
    for (int c = 0; c < hi; ++c)
        memcpy(h[c], jet->h[copy][l - 1] + c * stride + at, (size_t)len * sizeof(double));
    nth_activation_eval(jet->src->net->cfg.activation, alg->order + 1, h[0], len, psi[0], BLOCK);
    for (int c = lo; c < hi; ++c) {
        double *x = jet->x[copy][l - 1] + c * stride + at, *s = jet->s[copy][l - 1] + c * stride + at;
        memset(x, 0, (size_t)len * sizeof(double));
        memset(s, 0, (size_t)len * sizeof(double));
        for (int q = alg->monomial_start[c]; q < alg->monomial_start[c + 1]; ++q) {
            const nth_monomial *m = &alg->monomial[q];
            const double       *px = psi[m->order], *ps = psi[m->order + 1];
            for (ptrdiff_t i = 0; i < len; ++i) t[i] = m->coef;
            for (int f = 0; f < m->factors; ++f)
                for (ptrdiff_t i = 0; i < len; ++i) t[i] *= h[m->fac[f]][i];
            for (ptrdiff_t i = 0; i < len; ++i) x[i] += px[i] * t[i];
            for (ptrdiff_t i = 0; i < len; ++i) s[i] += ps[i] * t[i];
        }
    }
}

/* d = b * s in the algebra, components [lo, hi). */
static void product_block(const nth_jet *jet, int copy, int l, int lo, int hi, ptrdiff_t stride,
                          ptrdiff_t at, ptrdiff_t len)
{
    const nth_algebra *alg = jet->alg;
    double             b[NTH_MAX_COMPS][BLOCK], t[BLOCK];
    const double      *s = jet->s[copy][l - 1] + at;
    for (int c = 0; c < hi; ++c)
        memcpy(b[c], jet->b[copy][l - 1] + c * stride + at, (size_t)len * sizeof(double));
    for (int c = lo; c < hi; ++c) {
        memset(t, 0, (size_t)len * sizeof(double));
        for (int q = alg->product_start[c]; q < alg->product_start[c + 1]; ++q) {
            const double *bb = b[alg->product[q].a], *ss = s + alg->product[q].b * stride;
            for (ptrdiff_t i = 0; i < len; ++i) t[i] += bb[i] * ss[i];
        }
        memcpy(jet->d[copy][l - 1] + c * stride + at, t, (size_t)len * sizeof(double));
    }
}

typedef void block_fn(const nth_jet *, int copy, int l, int lo, int hi, ptrdiff_t stride, ptrdiff_t at,
                      ptrdiff_t len);

static void for_blocks(block_fn *f, const nth_jet *jet, int copy, int l, int lo, int hi)
{
    const ptrdiff_t stride = jet->rows * width(jet, l), blocks = (stride + BLOCK - 1) / BLOCK;
#pragma omp parallel for schedule(static) if (blocks > 16)
    for (ptrdiff_t k = 0; k < blocks; ++k) {
        const ptrdiff_t at = k * BLOCK;
        f(jet, copy, l, lo, hi, stride, at, stride - at < BLOCK ? stride - at : BLOCK);
    }
}

/* The (rows x p) view of components [lo, hi) of an array, stacked. */
static nth_mat stack(double *array, const nth_jet *jet, int l, int lo, int hi)
{
    const ptrdiff_t p = width(jet, l);
    return nth_mat_of(array + lo * jet->rows * p, (hi - lo) * jet->rows, p);
}

/* M <- M + coef * E diag(v), entry by entry. */
static void add_scaled_columns(nth_mat M, nth_cmat E, double coef, const double *v)
{
#pragma omp parallel for schedule(static) if (M.rows * M.cols > SHARED_MIN)
    for (ptrdiff_t i = 0; i < M.rows; ++i)
        for (ptrdiff_t j = 0; j < M.cols; ++j)
            M.a[i * M.ld + j] += coef * (v ? v[j] : 1.0) * E.a[i * E.ld + j];
}

/* c_l^2 <x^{l-1}_A(row), right(train)> + sigma_b^2, the Gram block of layer l's inputs (rows x n). */
static nth_status input_gram(const nth_jet *jet, const nth_directions *dirs, int copy, int l, int comp,
                             int right, nth_mat E)
{
    nth_status            st = NTH_OK;
    const nth_net_config *cfg = &jet->src->net->cfg;
    const double          c = nth_net_factor(cfg, l);
    if (l == 1) {
        nth_mat_copy(E, nth_cblock(nth_const(jet->src->G), jet->first, 0, jet->rows, dirs->n));
        return st;
    }
    NTH_TRY(nth_gemm(c * c, NTH_N, nth_const(stack(jet->x[copy][l - 2], jet, l - 1, comp, comp + 1)), NTH_T,
                     nth_cmat_of(dirs->right[copy][l - 1][right], dirs->n, cfg->widths[l - 1]), 0.0, E));
    if (comp == 0 && right == 0 && cfg->sigma_b > 0.0)
        for (ptrdiff_t i = 0; i < E.rows * E.cols; ++i) E.a[i] += cfg->sigma_b * cfg->sigma_b;
done:
    return st;
}

/* h_S += sum over (A, T) -> S, T >= 1, of the low-rank part of layer l (E21, first line). */
static nth_status forward_low_rank(nth_jet *jet, const nth_directions *dirs, int copy, int l, int S,
                                   nth_mat M, nth_mat E)
{
    nth_status         st = NTH_OK;
    const nth_algebra *alg = jet->alg;
    for (int left = 0; left < NTH_MAX_FACTORS; ++left) {
        bool any = false;
        if (dirs->left[copy][l - 1][left] == NULL) continue;
        memset(M.a, 0, (size_t)(M.rows * M.cols) * sizeof(double));
        for (int q = alg->product_start[S]; q < alg->product_start[S + 1]; ++q) {
            const int A = alg->product[q].a, T = alg->product[q].b;
            if (T == 0 || (l == 1 && A != 0)) continue;
            for (int k = 0; k < dirs->terms; ++k) {
                const nth_term *t = &dirs->term[k];
                if (t->comp != T || t->left != left || (l == 1 && t->right != 0)) continue;
                NTH_TRY(input_gram(jet, dirs, copy, l, A, t->right, E));
                add_scaled_columns(M, nth_const(E), t->coef, t->v);
                any = true;
            }
        }
        if (any)
            NTH_TRY(nth_gemm(1.0, NTH_N, nth_const(M), NTH_N,
                             nth_cmat_of(dirs->left[copy][l - 1][left], dirs->n, width(jet, l)), 1.0,
                             stack(jet->h[copy][l - 1], jet, l, S, S + 1)));
    }
done:
    return st;
}

/* Component 0 of the first layer is a copy, the others start from zero. */
static void first_layer(nth_mat h, const nth_jet *jet, int copy, int lo)
{
    const nth_mat   H = jet->src->H[copy];
    const ptrdiff_t plain = lo == 0 ? jet->rows : 0;
#pragma omp parallel for schedule(static) if (h.rows * h.cols > SHARED_MIN)
    for (ptrdiff_t i = 0; i < h.rows; ++i) {
        if (i < plain) memcpy(h.a + i * h.ld, H.a + (jet->first + i) * H.ld, (size_t)h.cols * sizeof(double));
        else memset(h.a + i * h.ld, 0, (size_t)h.cols * sizeof(double));
    }
}

static nth_status forward_layer(nth_jet *jet, const nth_directions *dirs, int copy, int l, int lo, int hi,
                                nth_mat M, nth_mat E)
{
    nth_status            st = NTH_OK;
    const nth_net        *net = jet->src->net;
    const nth_net_config *cfg = &net->cfg;
    const nth_mat         h = stack(jet->h[copy][l - 1], jet, l, lo, hi);
    const double         *b = net->b[copy][l - 1];
    if (l == 1) {
        first_layer(h, jet, copy, lo);
    } else {
        NTH_TRY(nth_gemm(nth_net_factor(cfg, l), NTH_N, nth_const(stack(jet->x[copy][l - 2], jet, l - 1, lo, hi)),
                         NTH_T, nth_const(net->W[copy][l - 1]), 0.0, h));
        for (ptrdiff_t i = 0; lo == 0 && b != NULL && i < jet->rows; ++i)
            nth_axpy(cfg->sigma_b, b, h.a + i * h.ld, h.cols);
    }
    for (int S = lo > 0 ? lo : 1; S < hi && !nth_priv_frozen(cfg, l); ++S)
        NTH_TRY(forward_low_rank(jet, dirs, copy, l, S, M, E));
    for_blocks(compose_block, jet, copy, l, lo, hi);
done:
    return st;
}

/* b_S += the low-rank part of layer l + 1 (E21, second line). */
static nth_status backward_low_rank(nth_jet *jet, const nth_directions *dirs, int copy, int l, int S,
                                    nth_mat M, nth_mat E)
{
    nth_status         st = NTH_OK;
    const nth_algebra *alg = jet->alg;
    const double       c = nth_net_factor(&jet->src->net->cfg, l + 1);
    for (int right = 0; right < NTH_MAX_FACTORS; ++right) {
        bool any = false;
        if (dirs->right[copy][l][right] == NULL) continue;
        memset(M.a, 0, (size_t)(M.rows * M.cols) * sizeof(double));
        for (int q = alg->product_start[S]; q < alg->product_start[S + 1]; ++q) {
            const int A = alg->product[q].a, T = alg->product[q].b;
            if (T == 0) continue;
            for (int k = 0; k < dirs->terms; ++k) {
                const nth_term *t = &dirs->term[k];
                const double   *left = dirs->left[copy][l][t->left];
                if (t->comp != T || t->right != right || left == NULL) continue;
                NTH_TRY(nth_gemm(c * c, NTH_N, nth_const(stack(jet->d[copy][l], jet, l + 1, A, A + 1)), NTH_T,
                                 nth_cmat_of(left, dirs->n, width(jet, l + 1)), 0.0, E));
                add_scaled_columns(M, nth_const(E), t->coef, t->v);
                any = true;
            }
        }
        if (any)
            NTH_TRY(nth_gemm(1.0, NTH_N, nth_const(M), NTH_N,
                             nth_cmat_of(dirs->right[copy][l][right], dirs->n, width(jet, l)), 1.0,
                             stack(jet->b[copy][l - 1], jet, l, S, S + 1)));
    }
done:
    return st;
}

/* d = b * s for a b whose rows are alike, plain; with the zero as product_block adds it. */
static void product_alike(const nth_jet *jet, int copy, int l)
{
    const ptrdiff_t p = width(jet, l);
    const double   *b = jet->b[copy][l - 1], *s = jet->s[copy][l - 1];
    double         *d = jet->d[copy][l - 1];
#pragma omp parallel for schedule(static) if (jet->rows * p > SHARED_MIN)
    for (ptrdiff_t i = 0; i < jet->rows; ++i)
        for (ptrdiff_t j = 0; j < p; ++j) d[i * p + j] = 0.0 + b[j] * s[i * p + j];
}

/* b of the last hidden layer: Delta^L is the constant out_scale, so all rows are alike. */
static nth_status backward_top(nth_jet *jet, const nth_directions *dirs, int copy, int lo, int hi)
{
    nth_status            st = NTH_OK;
    const nth_net        *net = jet->src->net;
    const nth_net_config *cfg = &net->cfg;
    const int             L = cfg->layers;
    const ptrdiff_t       p = width(jet, L - 1);
    const double          scale = net->out_scale[copy], c = nth_net_factor(cfg, L);
    for (int S = lo; S < hi; ++S) {
        const nth_mat b = stack(jet->b[copy][L - 2], jet, L - 1, S, S + 1);
        memset(b.a, 0, (size_t)p * sizeof(double));
        if (S == 0) nth_axpy(c * scale, net->W[copy][L - 1].a, b.a, p);
        for (int k = 0; dirs != NULL && k < dirs->terms && !nth_priv_frozen(cfg, L); ++k) {
            const nth_term *t = &dirs->term[k];
            const double   *right = dirs->right[copy][L - 1][t->right];
            if (t->comp != S || t->left != 0 || right == NULL) continue;
            for (ptrdiff_t i = 0; i < dirs->n; ++i)
                nth_axpy(c * c * scale * scale * t->coef * (t->v ? t->v[i] : 1.0), right + i * p, b.a, p);
        }
        if (jet->plain) break;
#pragma omp parallel for schedule(static) if (jet->rows * p > SHARED_MIN)
        for (ptrdiff_t i = 1; i < jet->rows; ++i) memcpy(b.a + i * p, b.a, (size_t)p * sizeof(double));
    }
    if (jet->plain) product_alike(jet, copy, L - 1);
    else for_blocks(product_block, jet, copy, L - 1, lo, hi);
    return st;
}

static nth_status backward_layer(nth_jet *jet, const nth_directions *dirs, int copy, int l, int lo, int hi,
                                 nth_mat M, nth_mat E)
{
    nth_status            st = NTH_OK;
    const nth_net        *net = jet->src->net;
    const nth_net_config *cfg = &net->cfg;
    NTH_TRY(nth_gemm(nth_net_factor(cfg, l + 1), NTH_N, nth_const(stack(jet->d[copy][l], jet, l + 1, lo, hi)),
                     NTH_N, nth_const(net->W[copy][l]), 0.0, stack(jet->b[copy][l - 1], jet, l, lo, hi)));
    for (int S = lo > 0 ? lo : 1; S < hi && !nth_priv_frozen(cfg, l + 1); ++S)
        NTH_TRY(backward_low_rank(jet, dirs, copy, l, S, M, E));
    for_blocks(product_block, jet, copy, l, lo, hi);
done:
    return st;
}

nth_status nth_jet_advance(nth_jet *jet, const nth_directions *dirs, int lo, int hi)
{
    nth_status st = NTH_OK;
    nth_mat    M = { 0 }, E = { 0 };
    const int  L = jet->src->net->cfg.layers;
    NTH_REQUIRE(0 <= lo && lo < hi && hi <= jet->alg->comps && (dirs != NULL || hi == 1) &&
                    (jet->staged || (lo == 0 && hi == jet->alg->comps)),
                NTH_E_ARG, "jet components %d to %d of %d", lo, hi, jet->alg->comps);
    if (hi > 1) {
        NTH_TRY(nth_priv_mat(&M, jet->rows, dirs->n, "direction products"));
        NTH_TRY(nth_priv_mat(&E, jet->rows, dirs->n, "direction products"));
    }
    for (int c = 0; c < jet->src->net->copies; ++c) {
        for (int l = 1; l < L; ++l) NTH_TRY(forward_layer(jet, dirs, c, l, lo, hi, M, E));
        NTH_TRY(backward_top(jet, dirs, c, lo, hi));
        for (int l = L - 2; l >= 1; --l) NTH_TRY(backward_layer(jet, dirs, c, l, lo, hi, M, E));
    }
done:
    nth_priv_free(M.a);
    nth_priv_free(E.a);
    return st;
}

void nth_directions_factor(nth_directions *dirs, const nth_jet *train, int comp, int index)
{
    const nth_net_config *cfg = &train->src->net->cfg;
    dirs->n = train->rows;
    for (int c = 0; c < train->src->net->copies; ++c)
        for (int l = 1; l < cfg->layers; ++l) {
            const ptrdiff_t at = comp * train->rows * cfg->widths[l];
            dirs->left[c][l - 1][index] = train->d[c][l - 1] + at;
            dirs->right[c][l][index] = train->x[c][l - 1] + at;
        }
}

void nth_directions_base(nth_directions *dirs, const nth_jet *train)
{
    nth_directions_factor(dirs, train, 0, 0);
    for (int c = 0; c < train->src->net->copies; ++c)
        dirs->left[c][train->src->net->cfg.layers - 1][0] = train->src->top[c];
}

nth_status nth_directions_term(nth_directions *dirs, nth_term term)
{
    nth_status st = NTH_OK;
    NTH_REQUIRE(dirs->terms < NTH_MAX_TERMS && term.left < NTH_MAX_FACTORS && term.right < NTH_MAX_FACTORS,
                NTH_E_RANGE, "more than %d terms of a weight jet", NTH_MAX_TERMS);
    dirs->term[dirs->terms++] = term;
done:
    return st;
}

nth_status nth_jet_outputs(const nth_jet *jet, double *f)
{
    nth_status            st = NTH_OK;
    const nth_net        *net = jet->src->net;
    const nth_net_config *cfg = &net->cfg;
    const int             L = cfg->layers;
    for (ptrdiff_t i = 0; i < jet->rows; ++i) f[i] = 0.0;
    for (int c = 0; c < net->copies; ++c) {
        NTH_TRY(nth_gemv(net->out_scale[c] * nth_net_factor(cfg, L), NTH_N,
                         nth_const(stack(jet->x[c][L - 2], jet, L - 1, 0, 1)), net->W[c][L - 1].a, 1.0, f));
        for (ptrdiff_t i = 0; cfg->sigma_b > 0.0 && i < jet->rows; ++i)
            f[i] += net->out_scale[c] * cfg->sigma_b * net->b[c][L - 1][0];
    }
done:
    return st;
}
