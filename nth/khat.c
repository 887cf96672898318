/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * The finite-width prediction Khat_t by its curve form (E36, E37): the second-order Taylor
 * polynomial of K2 along theta_0 - eps G(alpha_t) + eps^2 Gamma_t. Order: plain jet and kernel on
 * the training set; spectral weights; Gamma_t for all times from one-direction jets along a common
 * basis; one second-order jet for each time and block.
 */
#include "hier_priv.h"
#include "alloc_priv.h"
#include "fail_priv.h"
#include "linalg_priv.h"

#include <math.h>
#include <string.h>

/* Second-order factors of one time: Gamma^l = c_l (left^T X^{l-1} + Delta^lT right). */
typedef struct gamma_factors {
    double *left[2][NTH_MAX_LAYERS];  /* [copy][l-1] (n x p_l), l < L */
    double *right[2][NTH_MAX_LAYERS]; /* [copy][l-1] (n x q_l), l > 1 */
} gamma_factors;

typedef struct khat_work {
    const nth_rows         *rows;
    const nth_khat_weights *weights;
    nth_algebra             one, two; /* nilpotent(1), taylor(2) */
    nth_jet                *probe;    /* training rows, plain and one direction */
    gamma_factors          *gamma;    /* (T) */
    nth_directions         *dirs;
} khat_work;

/* ---- Weights of time ---------------------------------------------------------------------------- */

void nth_priv_khat_weights_free(nth_khat_weights *w)
{
    nth_priv_free(w->alpha.a);
    nth_priv_free(w->omega.a);
    nth_priv_free(w->basis.a);
    *w = (nth_khat_weights){ 0 };
}

nth_status nth_priv_khat_weights(nth_khat_weights *w, const nth_spectral *sp, ptrdiff_t T, const double *times)
{
    nth_status      st = NTH_OK;
    const ptrdiff_t n = sp->n;
    *w = (nth_khat_weights){ .n = n, .T = T };
    NTH_TRY(nth_priv_mat(&w->alpha, T, n, "time-integrated residuals"));
    NTH_TRY(nth_priv_mat(&w->omega, T * n, n, "time weights"));
    for (ptrdiff_t t = 0; t < T; ++t) {
        NTH_TRY(nth_spectral_alpha(sp, times[t], w->alpha.a + t * n));
        NTH_TRY(nth_spectral_omega(sp, times[t], nth_block(w->omega, t * n, 0, n, n)));
    }
done:
    return st;
}

/* The row spaces of all Omega(t), each scaled to unit norm, to rounding. */
nth_status nth_priv_khat_basis(nth_khat_weights *w)
{
    nth_status      st = NTH_OK;
    const ptrdiff_t n = w->n, Tn = w->omega.rows, k = n < Tn ? n : Tn;
    nth_mat         A = { 0 }, U = { 0 };
    double         *s = NULL;
    ptrdiff_t       rank = 0;
    NTH_TRY(nth_priv_mat(&A, Tn, n, "stacked weights"));
    NTH_TRY(nth_priv_mat(&U, Tn, k, "stacked weights"));
    NTH_TRY(nth_priv_mat(&w->basis, k, n, "basis of directions"));
    NTH_TRY(nth_priv_doubles(&s, k, "singular values"));
    for (ptrdiff_t t = 0; t < w->T; ++t) {
        const nth_cmat O = nth_const(nth_block(w->omega, t * n, 0, n, n));
        const double   norm = nth_frobenius(O);
        for (ptrdiff_t i = 0; i < n * n && norm > 0.0; ++i) A.a[t * n * n + i] = O.a[i] / norm;
    }
    NTH_TRY(nth_svd(A, U, s, w->basis));
    while (rank < k && s[rank] > 1e-15 * s[0]) ++rank;
    w->basis.rows = rank;
done:
    nth_priv_free(A.a);
    nth_priv_free(U.a);
    nth_priv_free(s);
    return st;
}

/* ---- The curve ---------------------------------------------------------------------------------- */

static void work_free(khat_work *w)
{
    for (ptrdiff_t t = 0; w->gamma != NULL && t < w->weights->T; ++t)
        for (int c = 0; c < 2; ++c)
            for (int l = 0; l < NTH_MAX_LAYERS; ++l) {
                nth_priv_free(w->gamma[t].left[c][l]);
                nth_priv_free(w->gamma[t].right[c][l]);
            }
    nth_priv_free(w->gamma);
    nth_priv_free(w->dirs);
    nth_jet_destroy(&w->probe);
}

/* Plain jet of the training set. */
static nth_status work_create(khat_work *w)
{
    nth_status st = NTH_OK;
    nth_algebra_nilpotent(&w->one, 1);
    nth_algebra_taylor(&w->two, 2);
    NTH_TRY(nth_priv_alloc(&w->dirs, 1, sizeof *w->dirs, "directions"));
    NTH_TRY(nth_jet_create(&w->probe, &w->one, w->rows, 0, w->rows->n, true));
    NTH_TRY(nth_jet_advance(w->probe, NULL, 0, 1));
done:
    return st;
}

static nth_status gamma_alloc(khat_work *w)
{
    nth_status            st = NTH_OK;
    const nth_net_config *cfg = &w->rows->net->cfg;
    NTH_TRY(nth_priv_alloc(&w->gamma, w->weights->T, sizeof *w->gamma, "second-order drift"));
    for (ptrdiff_t t = 0; t < w->weights->T; ++t)
        for (int c = 0; c < w->rows->net->copies; ++c)
            for (int l = 1; l < cfg->layers; ++l) {
                NTH_TRY(nth_priv_doubles(&w->gamma[t].left[c][l - 1], w->rows->n * cfg->widths[l], "second-order drift"));
                NTH_TRY(nth_priv_doubles(&w->gamma[t].right[c][l], w->rows->n * cfg->widths[l], "second-order drift"));
            }
done:
    return st;
}

/* out_i += weight_i in_i, row by row. */
static void add_rows(double *out, const double *in, const double *weight, ptrdiff_t n, ptrdiff_t p)
{
#pragma omp parallel for schedule(static) if (n * p > 100000)
    for (ptrdiff_t i = 0; i < n; ++i) nth_axpy(weight[i], in + i * p, out + i * p, p);
}

/* Gamma_t = sum_k grad_{G(b_k)} G(a_k(t)) with a_k(t) = Omega(t) b_k, b_k the basis (E37). */
static nth_status second_order_drift(khat_work *w)
{
    nth_status            st = NTH_OK;
    const nth_net_config *cfg = &w->rows->net->cfg;
    const ptrdiff_t       n = w->rows->n;
    double               *a = NULL;
    NTH_TRY(gamma_alloc(w));
    NTH_TRY(nth_priv_doubles(&a, n, "direction"));
    for (ptrdiff_t k = 0; k < w->weights->basis.rows; ++k) {
        const double *b = w->weights->basis.a + k * n;
        memset(w->dirs, 0, sizeof *w->dirs);
        nth_directions_base(w->dirs, w->probe);
        NTH_TRY(nth_directions_term(w->dirs, (nth_term){ .comp = 1, .coef = 1.0, .v = b }));
        NTH_TRY(nth_jet_advance(w->probe, w->dirs, 1, 2));
        for (ptrdiff_t t = 0; t < w->weights->T; ++t) {
            NTH_TRY(nth_gemv(1.0, NTH_N, nth_const(nth_block(w->weights->omega, t * n, 0, n, n)), b, 0.0, a));
            for (int c = 0; c < w->rows->net->copies; ++c)
                for (int l = 1; l < cfg->layers; ++l) {
                    const ptrdiff_t p = cfg->widths[l];
                    add_rows(w->gamma[t].left[c][l - 1], w->probe->d[c][l - 1] + n * p, a, n, p);
                    add_rows(w->gamma[t].right[c][l], w->probe->x[c][l - 1] + n * p, a, n, p);
                }
        }
    }
done:
    nth_priv_free(a);
    return st;
}

/* The weights along the curve at time number t. */
static nth_status curve(khat_work *w, ptrdiff_t t)
{
    nth_status st = NTH_OK;
    memset(w->dirs, 0, sizeof *w->dirs);
    nth_directions_base(w->dirs, w->probe);
    for (int c = 0; c < w->rows->net->copies; ++c)
        for (int l = 0; l < w->rows->net->cfg.layers; ++l) {
            w->dirs->left[c][l][1] = w->gamma[t].left[c][l];
            w->dirs->right[c][l][1] = w->gamma[t].right[c][l];
        }
    NTH_TRY(nth_directions_term(w->dirs, (nth_term){ .comp = 1, .coef = -1.0, .v = w->weights->alpha.a + t * w->rows->n }));
    NTH_TRY(nth_directions_term(w->dirs, (nth_term){ .comp = 2, .coef = 1.0, .left = 1 }));
    NTH_TRY(nth_directions_term(w->dirs, (nth_term){ .comp = 2, .coef = 1.0, .right = 1 }));
done:
    return st;
}

/* Block by block: the plain kernel once, then the first- and second-order coefficients by time. */
static nth_status evaluate(khat_work *w, nth_blocks *K0, nth_blocks *term3, nth_blocks *term4, double *f0)
{
    nth_status      st = NTH_OK;
    nth_jet        *train = NULL, *test = NULL;
    const ptrdiff_t n = w->rows->n, k = w->rows->rows - n;
    NTH_TRY(nth_jet_create(&train, &w->two, w->rows, 0, n, true));
    NTH_TRY(nth_jet_advance(train, NULL, 0, 1));
    if (k > 0) {
        NTH_TRY(nth_jet_create(&test, &w->two, w->rows, n, k, true));
        NTH_TRY(nth_jet_advance(test, NULL, 0, 1));
    }
    if (K0 != NULL) NTH_TRY(nth_priv_gram_blocks(K0, 0, train, test));
    if (f0 != NULL) NTH_TRY(nth_jet_outputs(train, f0));
    if (f0 != NULL && k > 0) NTH_TRY(nth_jet_outputs(test, f0 + n));
    for (ptrdiff_t t = 0; t < w->weights->T; ++t) {
        NTH_TRY(curve(w, t));
        NTH_TRY(nth_jet_advance(train, w->dirs, 1, 3));
        if (k > 0) NTH_TRY(nth_jet_advance(test, w->dirs, 1, 3));
        nth_blocks *const terms[NTH_MAX_COMPS] = { NULL, term3 ? &term3[t] : NULL, term4 ? &term4[t] : NULL };
        NTH_TRY(nth_priv_gram_components(terms, train, test));
    }
done:
    nth_jet_destroy(&train);
    nth_jet_destroy(&test);
    return st;
}

static nth_status terms(khat_work *w, nth_blocks *K0, nth_blocks *term3, nth_blocks *term4, double *f0)
{
    nth_status st = NTH_OK;
    NTH_TRY(second_order_drift(w));
    NTH_TRY(evaluate(w, K0, term3, term4, f0));
done:
    return st;
}

nth_status nth_priv_khat_terms(nth_blocks *K0, nth_blocks *term3, nth_blocks *term4, double *f0, const nth_rows *rows,
                               const nth_khat_weights *weights)
{
    nth_status st = NTH_OK;
    khat_work  w = { .rows = rows, .weights = weights };
    NTH_TRY(work_create(&w));
    NTH_TRY(terms(&w, K0, term3, term4, f0));
done:
    work_free(&w);
    return st;
}

/* ---- The prediction of one network -------------------------------------------------------------- */

/* Spectrum of the network's own training kernel with r_0 = f_0 - y. */
static nth_status own_spectrum(nth_spectral **sp, const nth_jet *probe, const double *y)
{
    nth_status      st = NTH_OK;
    nth_mat         K[NTH_MAX_COMPS] = { 0 };
    double         *r0 = NULL;
    const ptrdiff_t n = probe->rows;
    NTH_TRY(nth_priv_mat(&K[0], n, n, "training kernel"));
    NTH_TRY(nth_priv_doubles(&r0, n, "residual"));
    NTH_TRY(nth_jet_gram(K, probe, probe));
    NTH_TRY(nth_jet_outputs(probe, r0));
    nth_axpy(-1.0, y, r0, n);
    NTH_TRY(nth_spectral_create(sp, nth_const(K[0]), r0));
done:
    nth_priv_free(K[0].a);
    nth_priv_free(r0);
    return st;
}

nth_status nth_priv_khat(nth_blocks *K0, nth_blocks *term3, nth_blocks *term4, double *f0, const nth_rows *rows,
                         const nth_khat_request *req)
{
    nth_status       st = NTH_OK;
    nth_khat_weights weights = { 0 };
    khat_work        w = { .rows = rows, .weights = &weights };
    nth_spectral    *sp = NULL;
    const bool       by_curve = req->route == NTH_KHAT_CURVE;
    NTH_REQUIRE(req->T >= 1, NTH_E_ARG, "no times asked for");
    for (ptrdiff_t t = 0; t < req->T; ++t)
        NTH_REQUIRE(req->times[t] >= 0.0, NTH_E_ARG, "time %g is negative or not a number", req->times[t]);
    for (ptrdiff_t i = 0; i < rows->n; ++i)
        NTH_REQUIRE(isfinite(req->y[i]), NTH_E_NUMERIC, "label %td is not finite", i + 1);
    if (K0 != NULL) NTH_TRY(nth_priv_blocks_check(K0, rows->n, rows->rows - rows->n));
    NTH_TRY(work_create(&w));
    NTH_TRY(own_spectrum(&sp, w.probe, req->y));
    NTH_TRY(nth_priv_khat_weights(&weights, sp, req->T, req->times));
    if (by_curve) NTH_TRY(nth_priv_khat_basis(&weights));
    NTH_TRY(terms(&w, K0, term3, by_curve ? term4 : NULL, f0));
    for (ptrdiff_t t = 0; t < req->T && !by_curve; ++t)
        NTH_TRY(nth_priv_khat_contractions(&term4[t], rows, sp, req->times[t], req->route));
done:
    work_free(&w);
    nth_priv_khat_weights_free(&weights);
    nth_spectral_destroy(&sp);
    return st;
}

nth_status nth_hier_khat(nth_blocks *K0, nth_blocks *term3, nth_blocks *term4, const nth_net *net, nth_cmat X,
                         nth_cmat X_test, const double *y, ptrdiff_t T, const double *times, nth_khat_route route)
{
    nth_status             st = NTH_OK;
    nth_rows              *rows = NULL;
    const nth_khat_request req = { .y = y, .T = T, .times = times, .route = route };
    NTH_TRY(nth_rows_create(&rows, net, X, X_test));
    NTH_TRY(nth_priv_khat(K0, term3, term4, NULL, rows, &req));
done:
    nth_rows_destroy(&rows);
    return st;
}
