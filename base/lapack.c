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

nth_status nth_ldlt_solve(nth_mat F, const int *pivots, nth_mat B)
{
    nth_status st = NTH_OK;
    int        n, c, ldf, ldb, info;
    double    *work = NULL;
    NTH_REQUIRE(F.rows == F.cols && B.cols == F.rows, NTH_E_SHAPE, "factor %td x %td, right-hand sides %td x %td",
                F.rows, F.cols, B.rows, B.cols);
    NTH_TRY(nth_blas_int(F.rows, &n));
    NTH_TRY(nth_blas_int(B.rows, &c));
    NTH_TRY(nth_blas_int(F.ld, &ldf));
    NTH_TRY(nth_blas_int(B.ld, &ldb));
    NTH_TRY(nth_priv_doubles(&work, n, "right-hand side"));
    const int threads = nth_priv_serial_begin();
    if (c == 1) /* rank-1 steps: right for one vector, slow for many */
        info = LAPACKE_dsytrs_work(LAPACK_COL_MAJOR, 'U', n, c, F.a, ldf, pivots, B.a, ldb);
    else
        info = LAPACKE_dsytrs2_work(LAPACK_COL_MAJOR, 'U', n, c, F.a, ldf, pivots, B.a, ldb, work);
    nth_priv_serial_end(threads);
    NTH_REQUIRE(info == 0, NTH_E_NUMERIC, "solve of size %d failed (%d)", n, info);
done:
    nth_priv_free(work);
    return st;
}

/* A factor P L^T D L P^T with the exchanges carried out in L (dsyconv), and the inverse of D. */
typedef struct ldlt_diagonal {
    nth_cmat   L;
    double    *inverse, *beside; /* (n): diagonal of D^{-1}; its entry between i - 1 and i, 0 outside of 2 x 2 blocks */
    ptrdiff_t *item;             /* (n): e_item[i]^T P = e_i^T */
    double    *diag;
} ldlt_diagonal;

/* (A^{-1})_jj = x D^{-1} x^T with the row x = e_j^T P L^{-1}; x ends at the place of its unit, so the last block is the longest. */
static void ldlt_columns(const void *ctx, ptrdiff_t skip, ptrdiff_t r, double *X)
{
    const ldlt_diagonal *d = ctx;
    const ptrdiff_t      m = d->L.rows - skip, first = m - r;
    memset(X, 0, (size_t)(m * r) * sizeof *X);
    for (ptrdiff_t j = 0; j < r; ++j) X[j * m + first + j] = 1.0;
    nth_priv_unit_lower_solve(nth_cblock(d->L, 0, 0, m, m), nth_mat_of(X, r, m));
    for (ptrdiff_t j = 0; j < r; ++j) {
        const double *x = X + j * m;
        double        sum = x[0] * x[0] * d->inverse[0];
        for (ptrdiff_t i = 1; i < m; ++i) sum += x[i] * (x[i] * d->inverse[i] + 2.0 * x[i - 1] * d->beside[i]);
        d->diag[d->item[first + j]] = sum;
    }
}

/* From the diagonal of a converted factor and its superdiagonal: D^{-1}, scaled as the pivoting makes it safe. */
static void invert_blocks(ldlt_diagonal *d, const double *super, const int *pivots)
{
    for (ptrdiff_t i = d->L.rows - 1; i >= 0; --i) {
        const double c = d->L.a[i * d->L.ld + i], b = super[i];
        d->beside[i] = 0.0;
        if (pivots[i] > 0) {
            d->inverse[i] = 1.0 / c;
            continue;
        }
        const double first = d->L.a[(i - 1) * (d->L.ld + 1)] / b, second = c / b, scale = 1.0 / (b * (first * second - 1.0));
        d->inverse[i] = scale * first, d->inverse[i - 1] = scale * second, d->beside[i] = -scale;
        d->beside[--i] = 0.0;
    }
}

static void swap_items(ptrdiff_t *item, ptrdiff_t i, ptrdiff_t j)
{
    const ptrdiff_t old = item[i];
    item[i] = item[j], item[j] = old;
}

/* The exchanges in the order in which they were made; pivots count from 1, -p twice for the first of a 2 x 2 block. */
static void order_items(ptrdiff_t *item, const int *pivots, ptrdiff_t n)
{
    for (ptrdiff_t i = 0; i < n; ++i) item[i] = i;
    for (ptrdiff_t i = n - 1; i >= 0; --i) {
        if (pivots[i] > 0) swap_items(item, i, pivots[i] - 1);
        else --i, swap_items(item, i, -pivots[i] - 1);
    }
}

nth_status nth_ldlt_inverse_diagonal(nth_mat F, const int *pivots, double *diag)
{
    nth_status    st = NTH_OK;
    ldlt_diagonal d = { .L = nth_const(F), .diag = diag };
    double       *super = NULL;
    int           n = 0, ld = 0, info = 0;
    NTH_REQUIRE(F.rows == F.cols, NTH_E_SHAPE, "factor %td x %td is not square", F.rows, F.cols);
    NTH_TRY(nth_blas_int(F.rows, &n));
    NTH_TRY(nth_blas_int(F.ld, &ld));
    NTH_TRY(nth_priv_doubles(&super, n, "blocks of a factor"));
    NTH_TRY(nth_priv_doubles(&d.inverse, n, "blocks of a factor"));
    NTH_TRY(nth_priv_doubles(&d.beside, n, "blocks of a factor"));
    NTH_TRY(nth_priv_alloc(&d.item, n, sizeof *d.item, "exchanges of a factor"));
    info = LAPACKE_dsyconv_work(LAPACK_COL_MAJOR, 'U', 'C', n, F.a, ld, pivots, super);
    NTH_REQUIRE(info == 0, NTH_E_NUMERIC, "factor of size %d cannot be converted (%d)", n, info);
    invert_blocks(&d, super, pivots);
    order_items(d.item, pivots, n);
    st = nth_priv_by_unit_vectors(n, ldlt_columns, &d);
    info = LAPACKE_dsyconv_work(LAPACK_COL_MAJOR, 'U', 'R', n, F.a, ld, pivots, super);
    if (st == NTH_OK) NTH_REQUIRE(info == 0, NTH_E_NUMERIC, "factor of size %d cannot be converted back (%d)", n, info);
done:
    nth_priv_free(super);
    nth_priv_free(d.inverse);
    nth_priv_free(d.beside);
    nth_priv_free(d.item);
    return st;
}

/* A 2 x 2 block has one eigenvalue of each sign. */
ptrdiff_t nth_ldlt_negatives(nth_cmat F, const int *pivots)
{
    ptrdiff_t negative = 0, in_blocks = 0;
    for (ptrdiff_t i = 0; i < F.rows; ++i)
        if (pivots[i] < 0) ++in_blocks;
        else negative += F.a[i * F.ld + i] < 0.0;
    return negative + in_blocks / 2;
}
