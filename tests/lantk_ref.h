/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Slow twins of the label-aware kernels: plain loops in long double.
 */
#ifndef NTH_TESTS_LANTK_REF_H
#define NTH_TESTS_LANTK_REF_H

#include "nth/mat.h"

/* sum_ij om(k, K_ij) A_ij / sum_ij om(k, K_ij), om = R^2 - (k - K_ij)^2, over all ordered pairs. K, A (n x n). */
double ref_kernel_regression(const double *K, const double *A, ptrdiff_t n, double k);
/* A = K^{-1} T K^{-1} by elimination. T, A (n x n). */
void ref_two_sided_inverse(double *A, const double *K, const double *T, ptrdiff_t n);
/* The ten features of x, z (d) with kernel k. */
void ref_features(double *F, double k, const double *x, const double *z, ptrdiff_t d, double s2);
/* Least squares by orthonormal columns: fitted (rows) values of b (rows) on the columns of A (rows x cols);
 * columns that depend on those before them are left out. */
void ref_least_squares(double *fitted, const double *A, const double *b, ptrdiff_t rows, ptrdiff_t cols);

#endif
