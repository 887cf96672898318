/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * The kernel alignment risk estimator and its derivatives (E93-E97): one Cholesky factorisation and
 * the inverse, whose square the derivative by the kernel contains; a grid of ridges by the eigenbasis.
 * Training by it is in kare_train.c.
 */
#include "nth/kare.h"
#include "alloc_priv.h"
#include "fail_priv.h"
#include "linalg_priv.h"
#include "ntk_priv.h"

#include <math.h>

static nth_status check_targets(ptrdiff_t rows, ptrdiff_t cols, nth_cmat Y, const double *z, ptrdiff_t count)
{
    nth_status st = NTH_OK;
    NTH_REQUIRE(rows == cols && rows >= 1 && Y.rows == rows && Y.cols >= 1, NTH_E_SHAPE, "kernel %td x %td, targets %td x %td", rows, cols,
                Y.rows, Y.cols);
    for (ptrdiff_t i = 0; i < count; ++i)
        NTH_REQUIRE(isfinite(z[i]) && z[i] > 0.0, NTH_E_ARG, "ridge z = %g; must be positive and finite", z[i]);
    NTH_REQUIRE(nth_all_finite(Y), NTH_E_NUMERIC, "targets have an entry that is not finite");
done:
    return st;
}

static nth_status check(nth_cmat K, nth_cmat Y, const double *z, ptrdiff_t count)
{
    nth_status st = NTH_OK;
    NTH_TRY(check_targets(K.rows, K.cols, Y, z, count));
    for (ptrdiff_t i = 0; i < K.rows; ++i)
        NTH_REQUIRE(nth_all_finite(nth_cblock(K, i, 0, 1, i + 1)), NTH_E_NUMERIC, "row %td of the kernel is not finite",
                    i + 1);
done:
    return st;
}

/* M <- (K/n + z I)^{-1} by way of its factor in L. */
static nth_status invert(nth_mat M, nth_mat L, nth_cmat K, double z)
{
    nth_status   st = NTH_OK;
    const double n = (double)K.rows;
    ptrdiff_t    pivot = 0;
    for (ptrdiff_t i = 0; i < K.rows; ++i) {
        for (ptrdiff_t j = 0; j <= i; ++j) L.a[i * L.ld + j] = K.a[i * K.ld + j] / n;
        L.a[i * L.ld + i] += z;
    }
    st = nth_chol(L, &pivot);
    NTH_REQUIRE(st == NTH_OK || pivot == 0, NTH_E_NUMERIC,
                "K/n + z I with z = %g is not positive definite: pivot %td of %td fails; a larger z is needed", z, pivot,
                K.rows);
    if (st == NTH_OK) st = nth_chol_inverse(nth_const(L), M);
done:
    return st;
}

static double sum_of_products(nth_mat A, nth_mat B)
{
    double s = 0.0;
    for (ptrdiff_t i = 0; i < A.rows; ++i) s += nth_dot(A.a + i * A.ld, B.a + i * B.ld, A.cols);
    return s;
}

/* E97: the part with M^2 as a product, the part of low rank entry by entry. */
static nth_status slope_by_kernel(nth_mat S, nth_mat M, nth_mat P, nth_mat Q, const nth_kare *k)
{
    nth_status   st = NTH_OK;
    const double n = (double)M.rows, D2 = k->D * k->D, low = 1.0 / (n * n * (double)P.cols * D2);
    NTH_TRY(nth_gram(2.0 * k->N / (n * n * D2 * k->D), nth_const(M), 0.0, S));
#pragma omp parallel for schedule(static)
    for (ptrdiff_t i = 0; i < S.rows; ++i)
        for (ptrdiff_t j = 0; j <= i; ++j) {
            const double *pi = P.a + i * P.ld, *qi = Q.a + i * Q.ld, *pj = P.a + j * P.ld, *qj = Q.a + j * Q.ld;
            double        s = 0.0;
            for (ptrdiff_t c = 0; c < P.cols; ++c) s += pi[c] * qj[c] + qi[c] * pj[c];
            S.a[i * S.ld + j] -= low * s;
        }
    nth_mirror_lower(S);
done:
    return st;
}

nth_status nth_kare_evaluate(nth_kare *kare, nth_mat P, nth_mat Q, nth_mat S, nth_cmat K, nth_cmat Y, double z)
{
    nth_status      st = NTH_OK;
    const ptrdiff_t n = K.rows, c = Y.cols;
    const nth_mat   asked[2] = { P, Q };
    nth_mat         L = { 0 }, M = { 0 }, pq[2] = { { 0 } };
    nth_kare        k = { .z = z };
    NTH_TRY(check(K, Y, &z, 1));
    for (int i = 0; i < 2; ++i)
        NTH_REQUIRE(asked[i].a == NULL || (asked[i].rows == n && asked[i].cols == c), NTH_E_SHAPE,
                    "P or Q is %td x %td; expected %td x %td", asked[i].rows, asked[i].cols, n, c);
    NTH_REQUIRE(S.a == NULL || (S.rows == n && S.cols == n), NTH_E_SHAPE, "derivative %td x %td; expected %td x %td",
                S.rows, S.cols, n, n);
    NTH_TRY(nth_priv_mat(&L, n, n, "factor of the kernel"));
    NTH_TRY(nth_priv_mat(&M, n, n, "inverse of the kernel"));
    for (int i = 0; i < 2; ++i) NTH_TRY(nth_priv_mat(&pq[i], n, c, "solutions"));
    NTH_TRY(invert(M, L, K, z));
    nth_mat_copy(pq[0], Y);
    NTH_TRY(nth_chol_solve(nth_const(L), pq[0]));
    nth_mat_copy(pq[1], nth_const(pq[0]));
    NTH_TRY(nth_chol_solve(nth_const(L), pq[1]));
    for (ptrdiff_t i = 0; i < n; ++i) k.D += M.a[i * M.ld + i] / (double)n;
    k.N = sum_of_products(pq[0], pq[0]) / (double)(n * c);
    k.kare = k.N / (k.D * k.D);
    k.slope = 2.0 / (double)n * (k.N * sum_of_products(M, M) / k.D - sum_of_products(pq[0], pq[1]) / (double)c) / (k.D * k.D);
    NTH_REQUIRE(isfinite(k.kare) && isfinite(k.slope), NTH_E_NUMERIC, "KARE is not finite: N = %g, D = %g at z = %g", k.N,
                k.D, z);
    if (S.a != NULL) NTH_TRY(slope_by_kernel(S, M, pq[0], pq[1], &k));
    for (int i = 0; i < 2; ++i)
        if (asked[i].a != NULL) nth_mat_copy(asked[i], nth_const(pq[i]));
    *kare = k;
done:
    nth_priv_free(L.a);
    nth_priv_free(M.a);
    nth_priv_free(pq[0].a);
    nth_priv_free(pq[1].a);
    return st;
}

/* Both sums in units of 1/z: large ridges do not underflow. */
static nth_status one_ridge(double *kare, double z, const double *d, nth_mat C)
{
    nth_status   st = NTH_OK;
    const double n = (double)C.rows;
    double       signal = 0.0, trace = 0.0;
    NTH_REQUIRE(d[0] / n + z > 0.0, NTH_E_NUMERIC, "smallest eigenvalue of K/n is %g, z = %g; a larger z is needed",
                d[0] / n, z);
    for (ptrdiff_t i = 0; i < C.rows; ++i) {
        const double w = z / (d[i] / n + z);
        for (ptrdiff_t c = 0; c < C.cols; ++c) signal += w * w * C.a[i * C.ld + c] * C.a[i * C.ld + c];
        trace += w;
    }
    *kare = n / (double)C.cols * signal / (trace * trace);
    NTH_REQUIRE(isfinite(*kare), NTH_E_NUMERIC, "KARE is not finite at z = %g", z);
done:
    return st;
}

nth_status nth_kare_spectral(double *kare, const double *z, ptrdiff_t count, const nth_spectral *sp, nth_cmat Y)
{
    nth_status st = NTH_OK;
    nth_mat    C = { 0 };
    NTH_REQUIRE(sp != NULL, NTH_E_ARG, "no eigendecomposition of the kernel");
    NTH_TRY(check_targets(sp->n, sp->n, Y, z, count));
    NTH_TRY(nth_priv_mat(&C, Y.rows, Y.cols, "projected targets"));
    NTH_TRY(nth_gemm(1.0, NTH_T, nth_const(sp->U), NTH_N, Y, 0.0, C));
    for (ptrdiff_t i = 0; i < count; ++i) NTH_TRY(one_ridge(&kare[i], z[i], sp->d, C));
done:
    nth_priv_free(C.a);
    return st;
}

nth_status nth_kare_grid(double *kare, const double *z, ptrdiff_t count, nth_cmat K, nth_cmat Y)
{
    nth_status    st = NTH_OK;
    nth_mat       U = { 0 };
    nth_spectral *sp = NULL;
    NTH_TRY(check(K, Y, z, count));
    NTH_TRY(nth_priv_mat(&U, K.rows, K.rows, "eigenvectors"));
    for (ptrdiff_t i = 0; i < K.rows; ++i)
        nth_mat_copy(nth_block(U, i, 0, 1, i + 1), nth_cblock(K, i, 0, 1, i + 1));
    nth_mirror_lower(U);
    NTH_TRY(nth_priv_spectral_take(&sp, U, false));
    NTH_TRY(nth_kare_spectral(kare, z, count, sp, Y));
done:
    nth_spectral_destroy(&sp);
    nth_priv_free(U.a);
    return st;
}
