/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Dense linear algebra on views: the border to BLAS (blas.c) and LAPACK (lapack.c).
 *
 * Products are cut into tiles whose size depends on the shapes alone, and threads share out the
 * tiles; BLAS itself runs on one thread inside each, so a result has the same bits for any number
 * of threads. Cholesky and LDL^T are cut into tiles likewise; the eigenproblem, the SVD, LU and
 * triangular solves take one thread.
 */
#ifndef NTH_BASE_LINALG_PRIV_H
#define NTH_BASE_LINALG_PRIV_H

#include <stdbool.h>

#include "nth/mat.h"

typedef enum nth_op { NTH_N, NTH_T } nth_op; /* as stored, or transposed */

/* The only place where sizes shrink to the BLAS integer. */
NTH_NODISCARD nth_status nth_blas_int(ptrdiff_t n, int *out);

/* C <- alpha op(A) op(B) + beta C. 2 m n k flops. */
NTH_NODISCARD nth_status nth_gemm(double alpha, nth_op opa, nth_cmat A, nth_op opb, nth_cmat B,
                                  double beta, nth_mat C);
/* Views of single precision, for training; as nth_mat and nth_cmat. */
typedef struct nth_smat {
    float    *a;
    ptrdiff_t rows, cols, ld;
} nth_smat;
typedef struct nth_csmat {
    const float *a;
    ptrdiff_t    rows, cols, ld;
} nth_csmat;
NTH_NODISCARD nth_status nth_gemm_single(double alpha, nth_op opa, nth_csmat A, nth_op opb, nth_csmat B,
                                         double beta, nth_smat C);
/* C <- alpha A B^T + beta C where the result is known to be symmetric: the lower tiles are computed
 * and mirrored, half the work. B may differ from A (a sum of two such products can be symmetric
 * where each is not: then use nth_gemm). */
NTH_NODISCARD nth_status nth_gram(double alpha, nth_cmat A, double beta, nth_mat C);
/* y <- alpha A x + beta y. */
NTH_NODISCARD nth_status nth_gemv(double alpha, nth_op op, nth_cmat A, const double *x, double beta,
                                  double *y);

/* y <- A x for symmetric A, lower triangle read. */
NTH_NODISCARD nth_status nth_symv(nth_cmat A, const double *x, double *y);
/* Copies one triangle of a square matrix to the other: the lower to the upper one, or the other way round. */
void nth_mirror_lower(nth_mat A);
void nth_mirror_upper(nth_mat A);
double nth_asymmetry(nth_cmat A); /* max |A_ij - A_ji|, of finite entries */

double nth_dot(const double *x, const double *y, ptrdiff_t n); /* fixed chunks, summed in order */
void   nth_axpy(double alpha, const double *x, double *y, ptrdiff_t n);
void   nth_mat_copy(nth_mat dst, nth_cmat src); /* same shape */
double nth_max_abs(nth_cmat A);                 /* a NaN sticks */
static inline double nth_keep_max(double most, double x) /* the larger; a NaN sticks, fmax would drop it */
{
    return most != most || x <= most ? most : x;
}
double nth_frobenius(nth_cmat A);
bool   nth_all_finite(nth_cmat A);

/* Eigenvalues ascending in d (n), eigenvectors in the columns of U (n x n), of the symmetric K,
 * lower triangle read. K may be U. */
NTH_NODISCARD nth_status nth_eigh(nth_cmat K, double *d, nth_mat U);
/* Thin SVD A = U diag(s) V^T: A (m x n) is destroyed; U (m x k), s (k), Vt (k x n), k = min(m,n). */
NTH_NODISCARD nth_status nth_svd(nth_mat A, nth_mat U, double *s, nth_mat Vt);
/* Solves A X = B for general square A by LU with partial pivoting; A is destroyed, B becomes X. */
NTH_NODISCARD nth_status nth_solve(nth_mat A, nth_mat B);

/* Symmetric factorisations in place. The lower triangle of A is read and becomes the factor; what is
 * strictly above the diagonal stays as it is. On failure (NTH_E_NUMERIC) *pivot is the order of the
 * leading block that fails, from 1; otherwise 0. n^3/3 flops. */

/* A = L L^T. */
NTH_NODISCARD nth_status nth_chol(nth_mat A, ptrdiff_t *pivot);
/* One step of it, where the diagonal block of order nb at k is factored: the panel below it, and
 * the lower triangle of what comes after. */
void nth_chol_step(nth_mat A, ptrdiff_t k, ptrdiff_t nb);
/* B <- A^{-1} B, B (n x c). */
NTH_NODISCARD nth_status nth_chol_solve(nth_cmat L, nth_mat B);
/* diag[i] = (A^{-1})_ii, n^3/3 flops. */
NTH_NODISCARD nth_status nth_chol_inverse_diagonal(nth_cmat L, double *diag);
/* M <- A^{-1}, symmetric to the bit. 2 n^3/3 flops, n^2 doubles. */
NTH_NODISCARD nth_status nth_chol_inverse(nth_cmat L, nth_mat M);

/* D and P of P^T A P = L^T D L, (n) each. Row i of the factor is row row[i] of A; D has a block of order[i] there; D^{-1} has
 * inverse[i] on its diagonal, and beside[i] between i - 1 and i where those are one block, else 0. */
typedef struct nth_pivots {
    ptrdiff_t *row;
    int       *order;
    double    *inverse, *beside;
} nth_pivots;
NTH_NODISCARD nth_status nth_pivots_create(nth_pivots *D, ptrdiff_t n);
void                     nth_pivots_free(nth_pivots *D);
/* P^T A P = L^T D L by Bunch and Kaufman, L unit lower triangular: its strict lower triangle is left in A. 128 n doubles. */
NTH_NODISCARD nth_status nth_ldlt(nth_mat A, const nth_pivots *D, ptrdiff_t *pivot);
/* B <- A^{-1} B, B (n x c): column by column, 2 n^2 flops each at the speed of memory. */
NTH_NODISCARD nth_status nth_ldlt_solve(nth_cmat L, const nth_pivots *D, nth_mat B);
/* diag[i] = (A^{-1})_ii, n^3/3 flops. */
NTH_NODISCARD nth_status nth_ldlt_inverse_diagonal(nth_cmat L, const nth_pivots *D, double *diag);
/* Number of negative eigenvalues of A (Sylvester: that of D). */
ptrdiff_t nth_ldlt_negatives(const nth_pivots *D, ptrdiff_t n);
/* What these are made of. y (k) <- y - sum_p c[p stride] A_p over the rows of A (p x k). */
void nth_priv_subtract_rows(double *y, nth_cmat A, const double *c, ptrdiff_t stride);
/* y (p) <- y - A x for A (p x k). */
void nth_priv_subtract_columns(double *y, nth_cmat A, const double *x);
/* C <- C - A^T B for C (n x n), A and B (k x n), in the lower triangle alone. */
void nth_priv_subtract_product(nth_mat C, nth_cmat A, nth_cmat B);

/* Each row x (m) of X becomes x L^{-1} with the unit lower triangle of L (m x m). One thread's work. */
void nth_priv_unit_lower_solve(nth_cmat L, nth_mat X);

/* Something for all unit vectors of R^n, which come in blocks of r from `first` on and are shared out among the threads;
 * X (n x r) is the thread's to work in. */
typedef void nth_priv_unit_vectors(const void *ctx, ptrdiff_t first, ptrdiff_t r, double *X);
NTH_NODISCARD nth_status nth_priv_by_unit_vectors(ptrdiff_t n, nth_priv_unit_vectors *solve, const void *ctx);

const char *nth_priv_blas_name(void); /* vendor, core and threads, for provenance */

#endif
