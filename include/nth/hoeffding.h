/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Hoeffding decomposition of a kernel that depends on labels: which share of it comes from single
 * labels, from pairs of labels, and from more.
 *
 * The labels y_1 .. y_n are independent, P(y_i = 1) = (1 + mu_i)/2; chi_i = (y_i - mu_i)/sqrt(1 - mu_i^2),
 * chi_A = prod_{i in A} chi_i for a set A of labels. mu = 0, all labelings alike, is the standard choice.
 * Labels that are a function of the inputs, or balanced exactly, are no such law: then the decomposition
 * is one relative to the law chosen. A set A is a number whose bit i says whether label i is in it.
 */
#ifndef NTH_HOEFFDING_H
#define NTH_HOEFFDING_H

#include <stddef.h>
#include <stdint.h>

#include "nth/mat.h"
#include "nth/status.h"

#ifdef __cplusplus
extern "C" {
#endif

enum { NTH_HOEFFDING_LABELS = 14 }; /* most labels of an exact decomposition: 2^14 kernels */

/* Fills K (count), one or more entries of the kernel, for labels y (n). */
typedef nth_status nth_hoeffding_kernel(double *K, const double *y, void *ctx);

/**
 * All coefficients of a kernel, from its values on all labelings.
 *
 *     kh_A = E[ K chi_A ],   proj_A K = kh_A chi_A = sum_{B subset A} (-1)^{|A|-|B|} E[ K | y_B ]      [E82]
 *
 * Shapes     kh (2^n x count), row A; 1 <= n <= 14; mu (n), |mu_i| < 1, or NULL for 0.
 * Scaling    none.
 * Ownership  the caller's.
 * Cost       2^n kernels, then n 2^n count flops (a Walsh-Hadamard transform); count doubles.
 * Accuracy   n eps max |K| / prod sqrt(1 - mu_i^2); test_hoeffding.c, is_the_definition.
 * Errors     NTH_E_ARG (n, mu); NTH_E_SHAPE; NTH_E_NUMERIC (a kernel is not finite); NTH_E_NOMEM; what kernel returns.
 */
NTH_API NTH_NODISCARD nth_status nth_hoeffding_exact(nth_mat kh, nth_hoeffding_kernel *kernel, void *ctx, ptrdiff_t n, const double *mu);

/** chi_A at labels y (n); mu (n) or NULL for 0. */
NTH_API double nth_hoeffding_chi(ptrdiff_t A, const double *y, ptrdiff_t n, const double *mu);

/**
 * Sums of squares by level.
 *
 *     level_r = sum_{|A|=r} kh_A^2;   Var K = sum_{r >= 1} level_r, V_r = level_r / Var K         [E83]
 *
 * Shapes     level (n + 1), summed over the columns of kh (2^n x count).
 * Ownership  the caller's. Cost 2^n count. Accuracy 2^n eps; test_hoeffding.c, parseval.
 * Errors     NTH_E_SHAPE: kh has not 2^n rows.
 */
NTH_API NTH_NODISCARD nth_status nth_hoeffding_levels(double *level, nth_cmat kh, ptrdiff_t n);

/**
 * Coefficients of a quadratic kernel, in closed form.
 *
 *     K = k0 + a^T y + y^T B y, Bs = B + B^T:  kh_0 = k0 + a.mu + mu^T B mu + sum_i B_ii (1 - mu_i^2)
 *     kh_i = sqrt(1-mu_i^2) (a_i + sum_{j != i} Bs_ij mu_j),  kh_ij = sqrt((1-mu_i^2)(1-mu_j^2)) Bs_ij      [E84]
 *
 * Shapes     mean: one number, kh_0; first (n); second (n x n) symmetric, its diagonal 0; a, mu (n), each NULL for 0;
 *            B (n x n), any.
 * Ownership  the caller's; second is not B. Cost n^2.
 * Accuracy   n eps of the sums of absolute terms; test_hoeffding.c, quadratic_in_closed_form.
 * Errors     NTH_E_SHAPE; NTH_E_ARG (mu).
 */
NTH_API NTH_NODISCARD nth_status nth_hoeffding_quadratic(double *mean, double *first, nth_mat second, double k0, const double *a,
                                                         nth_cmat B, const double *mu);

/* What sampled labelings say of a kernel; each with its standard error. Sums over the entries of a kernel. */
typedef struct nth_hoeffding_effects {
    double variance, variance_se; /* Var K */
    double first, first_se;       /* sum_i kh_i^2, so that V_1 = first/variance; from all pairs of draws */
    double second, second_se;     /* sum_{i<j} kh_ij^2, likewise; 1 - V_1 - V_2 is what is beyond the second level */
    double frozen, frozen_se;     /* sum_i kh_i^2 once more, by pick-freeze; NaN without `total` */
} nth_hoeffding_effects;

/**
 * Effects of labels from random labelings, for any number of labels.
 *
 *     kh_A = mean K chi_A for |A| <= 2;   sum_{|A|=r} kh_A^2 = mean over r != s of K(y_r) . K(y_s) sum_A chi_A(y_r) chi_A(y_s)
 *     pick-freeze, y' drawn anew, y^i = y' but for y_i:   kh_i^2 = E[ K(y) . (K(y^i) - K(y')) ]
 *     total_i = sum over all A with i of kh_A^2 = E |K(y') - K(y^i)|^2 / 2                    [E82, E83]
 *
 * Shapes     kh, se (1 + n + n (n-1)/2 x count): row 0 kh_0, then kh_i, then kh_ij (i > j) at nth_hoeffding_pair;
 *            total, total_se (n), or both NULL: without them one kernel for each draw, with them n + 2.
 * Scaling    mu (n) or NULL for 0. The mean kernel of 16 further labelings is taken off first: it is in kh_0 alone.
 * Ownership  the caller's.
 * Cost       kernels as said; 4 flops for each draw and entry of kh; (draws + n + 4) count doubles.
 * Accuracy   the standard errors; the same bits as long as kernel gives the same; test_hoeffding.c, sampled_within_errors.
 * Errors     NTH_E_ARG (fewer than 4 draws, mu); NTH_E_SHAPE; NTH_E_NUMERIC; NTH_E_NOMEM; what kernel returns.
 */
NTH_API NTH_NODISCARD nth_status nth_hoeffding_sampled(nth_mat kh, nth_mat se, double *total, double *total_se,
                                                       nth_hoeffding_effects *effects, nth_hoeffding_kernel *kernel, void *ctx,
                                                       ptrdiff_t n, const double *mu, ptrdiff_t draws, uint64_t seed);

/** Row of kh_ij in the results of sampling, i > j. */
NTH_API ptrdiff_t nth_hoeffding_pair(ptrdiff_t n, ptrdiff_t i, ptrdiff_t j);

#ifdef __cplusplus
}
#endif
#endif
