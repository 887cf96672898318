/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Factorisations through LAPACKE; the only file that sees lapacke.h. Symmetric matrices are passed
 * column-major with the triangle flipped: the same memory, no transposed copy. All keep OpenBLAS to
 * one thread, so that their bits do not depend on the number of threads.
 */
#include "linalg_priv.h"
#include "alloc_priv.h"
#include "fail_priv.h"
#include "par_priv.h"

#include <lapacke.h>
#include <math.h>
#include <string.h>

nth_status nth_eigh(nth_cmat K, double *d, nth_mat U)
{
    nth_status st = NTH_OK;
    nth_mat    V = { 0 };
    int        n;
    NTH_REQUIRE(K.rows == K.cols && U.rows == K.rows && U.cols == K.rows, NTH_E_SHAPE,
                "eigenvectors %td x %td of a %td x %td matrix", U.rows, U.cols, K.rows, K.cols);
    NTH_REQUIRE(nth_all_finite(K), NTH_E_NUMERIC, "matrix to be diagonalised has non-finite entries");
    NTH_TRY(nth_blas_int(K.rows, &n));
    NTH_TRY(nth_priv_mat(&V, K.rows, K.rows, "eigenvectors"));
    nth_mat_copy(V, K);
    const int threads = nth_priv_serial_begin();
    const int info = LAPACKE_dsyevd(LAPACK_COL_MAJOR, 'V', 'U', n, V.a, n > 0 ? n : 1, d);
    nth_priv_serial_end(threads);
    NTH_REQUIRE(info == 0, NTH_E_NUMERIC, "symmetric eigenproblem of size %d did not converge", n);
    for (ptrdiff_t i = 0; i < n; ++i) /* column-major vectors are rows here: transpose */
        for (ptrdiff_t j = 0; j < n; ++j) U.a[i * U.ld + j] = V.a[j * V.ld + i];
done:
    nth_priv_free(V.a);
    return st;
}

nth_status nth_svd(nth_mat A, nth_mat U, double *s, nth_mat Vt)
{
    nth_status      st = NTH_OK;
    int             m, n, lda, ldu, ldv;
    const ptrdiff_t k = A.rows < A.cols ? A.rows : A.cols;
    NTH_REQUIRE(U.rows == A.rows && U.cols == k && Vt.rows == k && Vt.cols == A.cols, NTH_E_SHAPE,
                "SVD of %td x %td into %td x %td and %td x %td", A.rows, A.cols, U.rows, U.cols,
                Vt.rows, Vt.cols);
    NTH_REQUIRE(nth_all_finite(nth_const(A)), NTH_E_NUMERIC, "matrix of an SVD has non-finite entries");
    NTH_TRY(nth_blas_int(A.rows, &m));
    NTH_TRY(nth_blas_int(A.cols, &n));
    NTH_TRY(nth_blas_int(A.ld, &lda));
    NTH_TRY(nth_blas_int(U.ld, &ldu));
    NTH_TRY(nth_blas_int(Vt.ld, &ldv));
    /* Row-major A is column-major A^T: A^T = V S U^T, so the factors exchange their places. */
    const int threads = nth_priv_serial_begin();
    const int info = LAPACKE_dgesdd(LAPACK_COL_MAJOR, 'S', n, m, A.a, lda, s, Vt.a, ldv, U.a, ldu);
    nth_priv_serial_end(threads);
    NTH_REQUIRE(info == 0, NTH_E_NUMERIC, "SVD of a %d x %d matrix did not converge", m, n);
done:
    return st;
}

nth_status nth_solve(nth_mat A, nth_mat B)
{
    nth_status st = NTH_OK;
    int       *pivots = NULL, n, nrhs, lda;
    nth_mat    Bt = { 0 };
    NTH_REQUIRE(A.rows == A.cols && B.rows == A.rows, NTH_E_SHAPE,
                "linear system %td x %td with right-hand side %td x %td", A.rows, A.cols, B.rows,
                B.cols);
    NTH_TRY(nth_blas_int(A.rows, &n));
    NTH_TRY(nth_blas_int(B.cols, &nrhs));
    NTH_TRY(nth_blas_int(A.ld, &lda));
    NTH_TRY(nth_priv_alloc(&pivots, n, sizeof(int), "pivots"));
    NTH_TRY(nth_priv_mat(&Bt, B.cols, B.rows, "right-hand side"));
    for (ptrdiff_t i = 0; i < B.rows; ++i)
        for (ptrdiff_t j = 0; j < B.cols; ++j) Bt.a[j * Bt.ld + i] = B.a[i * B.ld + j];
    const int threads = nth_priv_serial_begin(); /* the bits of dgetrf depend on their number */
    const int info = LAPACKE_dgetrf(LAPACK_COL_MAJOR, n, n, A.a, lda, pivots); /* factors A^T */
    const int solved = info == 0 ? LAPACKE_dgetrs(LAPACK_COL_MAJOR, 'T', n, nrhs, A.a, lda, pivots, Bt.a, n) : 0;
    nth_priv_serial_end(threads);
    NTH_REQUIRE(info == 0, NTH_E_NUMERIC, "linear system of size %d is singular at pivot %d", n, info);
    NTH_REQUIRE(solved == 0, NTH_E_NUMERIC, "solve of size %d failed (%d)", n, solved);
    for (ptrdiff_t i = 0; i < B.rows; ++i)
        for (ptrdiff_t j = 0; j < B.cols; ++j) B.a[i * B.ld + j] = Bt.a[j * Bt.ld + i];
done:
    nth_priv_free(pivots);
    nth_priv_free(Bt.a);
    return st;
}

nth_status nth_chol(nth_mat A, ptrdiff_t *pivot)
{
    enum { STEP = 256 }; /* columns at a time */
    nth_status st = NTH_OK;
    int        n, ld;
    *pivot = 0;
    NTH_REQUIRE(A.rows == A.cols, NTH_E_SHAPE, "matrix %td x %td is not square", A.rows, A.cols);
    NTH_TRY(nth_blas_int(A.rows, &n));
    NTH_TRY(nth_blas_int(A.ld, &ld));
    for (ptrdiff_t k = 0; k < n; k += STEP) {
        const int nb = n - k < STEP ? (int)(n - k) : STEP, threads = nth_priv_serial_begin();
        int       info = LAPACKE_dpotrf_work(LAPACK_COL_MAJOR, 'U', nb, A.a + k * A.ld + k, ld);
        nth_priv_serial_end(threads);
        for (int i = 0; info == 0 && i < nb; ++i) /* after an overflow a NaN passes for a pivot */
            if (!isfinite(A.a[(k + i) * A.ld + k + i])) info = i + 1;
        *pivot = info > 0 ? k + info : 0;
        NTH_REQUIRE(info == 0, NTH_E_NUMERIC, "matrix of size %d is not positive definite: pivot %td fails", n,
                    *pivot);
        nth_chol_step(A, k, nb);
    }
done:
    return st;
}
