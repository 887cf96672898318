/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * The label-aware kernel K^(NTH) and the rest of the mean drift of a two-layer network's kernel
 * (E61-E63, E71, E72). Order: E K2_0 and the mean covariance by the infinite-width kernels, which are
 * exact at every width for two layers; the weights of time from the spectrum of E K2_0; one pass over
 * the mean kernels for all parts.
 */
#include "expected_priv.h"
#include "alloc_priv.h"
#include "fail_priv.h"
#include "linalg_priv.h"
#include "nth/infinite.h"
#include "ntk_priv.h"

#include <float.h>
#include <math.h>
#include <string.h>

static nth_status kernels(nth_blocks *K2, nth_mat Kb, nth_mat Sigma, const nth_expected_config *cfg, nth_cmat X,
                          nth_cmat X_test)
{
    nth_status    st = NTH_OK;
    nth_infinite *K = NULL;
    nth_fc_config fc = { .layers = 2, .sigma_w = 1.0, .input_scale = NTH_INPUT_ONE };
    NTH_TRY(nth_dual_of(&fc.activation, cfg->activation));
    NTH_TRY(nth_infinite_create_fc(&K, &fc, X, X_test));
    NTH_TRY(nth_infinite_fill(K2, NULL, K, NULL, NULL));
    NTH_TRY(nth_infinite_tile(Kb, Sigma, K, 0, 0));
done:
    nth_infinite_destroy(&K);
    return st;
}

/* Weights over the training points, all n x n. */
typedef struct label_weights {
    nth_mat LA, C1, C2;
} label_weights;

/* Q(t) of E28 in the eigenbasis, and psi; as nth_spectral_omega, an eigenvalue that is rounding is 0. */
static double rate(const nth_spectral *sp, ptrdiff_t i)
{
    return fabs(sp->d[i]) <= (double)sp->n * DBL_EPSILON * sp->d[sp->n - 1] ? 0.0 : sp->d[i];
}

static double time_weight(const nth_spectral *sp, double t, ptrdiff_t i, ptrdiff_t j)
{
    const double s = t / (double)sp->n;
    return isinf(t) ? 1.0 / (sp->d[i] * (sp->d[i] + sp->d[j])) : s * s * nth_q(s * rate(sp, i), s * rate(sp, j));
}

static double psi(const nth_spectral *sp, double t, ptrdiff_t i)
{
    const double s = t / (double)sp->n;
    return isinf(t) ? 1.0 / sp->d[i] : s * nth_phi(s * rate(sp, i));
}

/* C1: -U psi U^T;  C2: U (Q o U^T Sigma U) U^T, since sum B_ij Sigma_ij = sum K4_ij of that. */
static nth_status drift_weights(label_weights *w, const nth_spectral *sp, nth_cmat Sigma, double t)
{
    nth_status      st = NTH_OK;
    const ptrdiff_t n = sp->n;
    nth_mat         A = { 0 }, B = { 0 };
    const nth_cmat  U = nth_const(sp->U);
    NTH_TRY(nth_priv_mat(&A, n, n, "time weights"));
    NTH_TRY(nth_priv_mat(&B, n, n, "time weights"));
    for (ptrdiff_t i = 0; i < n; ++i)
        for (ptrdiff_t k = 0; k < n; ++k) A.a[i * n + k] = -psi(sp, t, k) * U.a[i * U.ld + k];
    NTH_TRY(nth_gemm(1.0, NTH_N, nth_const(A), NTH_T, U, 0.0, w->C1));
    NTH_TRY(nth_gemm(1.0, NTH_N, Sigma, NTH_N, U, 0.0, A));
    NTH_TRY(nth_gemm(1.0, NTH_T, U, NTH_N, nth_const(A), 0.0, B));
    for (ptrdiff_t i = 0; i < n; ++i)
        for (ptrdiff_t j = 0; j < n; ++j) B.a[i * n + j] *= time_weight(sp, t, i, j);
    NTH_TRY(nth_gemm(1.0, NTH_N, U, NTH_N, nth_const(B), 0.0, A));
    NTH_TRY(nth_gemm(1.0, NTH_N, nth_const(A), NTH_T, U, 0.0, w->C2));
done:
    nth_priv_free(A.a);
    nth_priv_free(B.a);
    return st;
}

static nth_status weights(label_weights *w, nth_cmat Kb, nth_cmat Sigma, const double *y, double t, nth_label_rule rule)
{
    nth_status      st = NTH_OK;
    nth_spectral   *sp = NULL;
    double         *r0 = NULL;
    const ptrdiff_t n = Kb.rows;
    NTH_TRY(nth_priv_doubles(&r0, n, "labels"));
    for (ptrdiff_t i = 0; i < n; ++i) {
        NTH_REQUIRE(isfinite(y[i]), NTH_E_NUMERIC, "label %td is not finite", i + 1);
        r0[i] = -y[i]; /* f_0 has mean 0 */
    }
    NTH_TRY(nth_spectral_create(&sp, Kb, r0));
    if (rule == NTH_LABEL_EXACT) NTH_TRY(nth_spectral_omega(sp, t, w->LA));
    if (rule == NTH_LABEL_HALF) {
        NTH_TRY(nth_spectral_alpha(sp, t, r0));
        for (ptrdiff_t i = 0; i < n; ++i)
            for (ptrdiff_t j = 0; j < n; ++j) w->LA.a[i * n + j] = 0.5 * r0[i] * r0[j];
    }
    NTH_TRY(drift_weights(w, sp, Sigma, t));
done:
    nth_spectral_destroy(&sp);
    nth_priv_free(r0);
    return st;
}

static void clear(nth_blocks *K)
{
    nth_mat *const b[3] = { &K->train, &K->test, &K->test_test };
    for (int c = 0; c < 3; ++c)
        for (ptrdiff_t i = 0; b[c]->a != NULL && i < b[c]->rows; ++i)
            memset(b[c]->a + i * b[c]->ld, 0, (size_t)b[c]->cols * sizeof(double));
}

nth_status nth_label_aware(nth_label_kernel *K, const nth_expected_config *cfg, nth_cmat X, nth_cmat X_test,
                           const double *y, double t, nth_label_rule rule)
{
    nth_status      st = NTH_OK;
    nth_geometry    g = { 0 };
    nth_mat         Kb = { 0 }, Sigma = { 0 };
    label_weights   w = { 0 };
    nth_blocks     *part[4] = { &K->K2, &K->LA, &K->C1, &K->C2 };
    const ptrdiff_t n = X.rows;
    NTH_TRY(nth_priv_expected_check(cfg));
    NTH_REQUIRE(t >= 0.0, NTH_E_ARG, "time %g is negative or not a number", t);
    NTH_REQUIRE(rule == NTH_LABEL_EXACT || rule == NTH_LABEL_HALF, NTH_E_ARG, "no such rule");
    NTH_TRY(nth_priv_geometry(&g, X, X_test));
    for (int c = 0; c < 4; ++c) {
        NTH_TRY(nth_priv_blocks_check(part[c], n, g.points - n));
        clear(part[c]);
    }
    NTH_TRY(nth_priv_mat(&Kb, n, n, "mean kernel"));
    NTH_TRY(nth_priv_mat(&Sigma, n, n, "mean covariance"));
    NTH_TRY(nth_priv_mat(&w.LA, n, n, "time weights"));
    NTH_TRY(nth_priv_mat(&w.C1, n, n, "time weights"));
    NTH_TRY(nth_priv_mat(&w.C2, n, n, "time weights"));
    NTH_TRY(kernels(&K->K2, Kb, Sigma, cfg, X, X_test));
    NTH_TRY(weights(&w, nth_const(Kb), nth_const(Sigma), y, t, rule));
    const nth_weighted jobs[3] = { { .W = nth_const(w.LA), .out = &K->LA },
                                   { .third = true, .W = nth_const(w.C1), .out = &K->C1 },
                                   { .W = nth_const(w.C2), .out = &K->C2 } };
    NTH_TRY(nth_priv_expected_contract(jobs, cfg->antisymmetric ? 1 : 3, cfg, &g)); /* f_0 = 0: C1 = C2 = 0 */
done:
    nth_priv_geometry_fini(&g);
    nth_priv_free(Kb.a);
    nth_priv_free(Sigma.a);
    nth_priv_free(w.LA.a);
    nth_priv_free(w.C1.a);
    nth_priv_free(w.C2.a);
    return st;
}
