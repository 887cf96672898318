/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Dual activations of many pairs at once, for the kernels in this folder: closed forms along a row
 * (dual.c), and Hermite series (dual_series.c) where there is none.
 */
#ifndef NTH_NTK_DUAL_PRIV_H
#define NTH_NTK_DUAL_PRIV_H

#include "nth/dual.h"

enum {
    NTH_DUAL_BLOCK = 256
}; /* pairs or points at a time: temporaries stay in the first-level cache */

/* NTH_E_ARG unless the dual can be evaluated: power and slopes in range, eval given. */
NTH_NODISCARD nth_status nth_priv_dual_check(const nth_dual *dual);

/* NTH_E_ARG unless variances are in [0, NTH_DUAL_MAX_VARIANCE) and k^2 <= q1 q2 up to 1e-9, by which k is
 * then clipped. */
#define NTH_DUAL_MAX_VARIANCE 1e140
NTH_NODISCARD nth_status nth_priv_dual_pair_check(double q1, double q2, double *k);

/* sigma and sigma' at n points, any kind; n <= NTH_DUAL_BLOCK. */
void nth_priv_dual_eval(const nth_dual *dual, const double *z, ptrdiff_t n, double *f, double *df);

/* True where sigma or sigma' is not smooth at 0. */
bool nth_priv_dual_kink(const nth_dual *dual);

/* q1 q2 - k^2 >= 0, correct to a few ulp of itself. */
double nth_priv_dual_det(double q1, double q2, double k);

/* The angle th of the two inputs, and pi - th, each correct to a few ulp of itself. A zero input
 * counts as coincident, th = 0. */
double nth_priv_dual_angle(double q1, double q2, double k, double *opposite);

/* The smallest U such that sigma(sqrt(q) u) and sigma'(sqrt(q) u), times e^{-u^2/4}, are below
 * `level` of their maxima for |u| >= U; at least 9. NTH_E_NUMERIC if they grow too fast for that at U = 38. */
NTH_NODISCARD nth_status nth_priv_dual_reach(const nth_dual *dual, double q, double level,
                                             double *U);

/* S and Sdot (E45-E50) of the pairs (q1, q2[j], k[j]), j < n. Closed forms only. q below
 * NTH_DUAL_MAX_VARIANCE;
 * k^2 may exceed q1 q2 by rounding. S and Sdot may not overlap the inputs. */
void nth_priv_dual_row(const nth_dual *dual, double q1, const double *q2, const double *k,
                       ptrdiff_t n, double *S, double *Sdot);

/* S(q,q,q). Closed forms only. */
double nth_priv_dual_variance(const nth_dual *dual, double q);

/* Hermite coefficients of sigma(sqrt(q_i) u) for the points i of one layer:
 *
 *     S = sum_j rho^j a_j(q1) a_j(q2),   Sdot = sum_j rho^j b_j(q1) b_j(q2),   rho = k/sqrt(q1 q2)
 *     a_j(q) = E[sigma(sqrt(q) u) h_j(u)],   b_j of sigma',   a_{j+1} = sqrt(q/(j+1)) b_j     [E51]
 */
typedef struct nth_series nth_series;

/**
 * Coefficients of n points, enough of them for any pair of points.
 *
 * Shapes     q (n) >= 0; error one number; variance (n), receives S(q_i,q_i,q_i), or NULL.
 * Scaling    tol > 0 is absolute where S(q,q,q) (for Sdot, E sigma'^2) is below 1, relative above.
 * Ownership  *s belongs to the caller: nth_series_destroy. q is not kept; the functions of dual are
 *            called here only, on the calling thread.
 * Cost       2 n J nodes flops as GEMM; n J doubles, half of that for odd, even and z/2 + even sigma.
 * Accuracy   |error| bounds what is left out of S and Sdot of any pair (Cauchy-Schwarz), plus the
 *            error of the coefficients; test_dual.c, series_matches_quadrature.
 * Errors     NTH_E_ARG; NTH_E_NUMERIC (tolerance not reached with 4096 coefficients, coefficients
 *            that do not settle, or a kink: largest variance, tolerance and reached error are
 *            named; *error is set); NTH_E_NOMEM.
 */
NTH_NODISCARD nth_status nth_series_create(nth_series **s, const nth_dual *dual, const double *q,
                                           ptrdiff_t n, double tol, double *error,
                                           double *variance);
void                     nth_series_destroy(nth_series **s);

/* S and Sdot of the pairs (i, j0), ..., (i, j0 + n - 1) with covariances k (n). About 3 J/8 vector
 * instructions of 8 lanes for each pair. May be called from several threads. */
void nth_series_row(const nth_series *s, ptrdiff_t i, ptrdiff_t j0, ptrdiff_t n, const double *k,
                    double *S, double *Sdot);

/* Number of coefficients kept for each point, zero ones not counted. */
ptrdiff_t nth_series_terms(const nth_series *s);

#endif
