/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Exact expectations over the initialization of a two-layer network in the papers' form (E3): the mean
 * of the fourth-order kernel, its contraction with weights, and the label-aware kernel which is made
 * of it (docs/equations.md, E59-E72).
 */
#ifndef NTH_EXPECTED_H
#define NTH_EXPECTED_H

#include <stdbool.h>

#include "nth/mat.h"
#include "nth/net.h"
#include "nth/ntk.h"
#include "nth/status.h"

#ifdef __cplusplus
extern "C" {
#endif

/* Probability and truncated second moments of Gaussian variables z of mean zero. */
typedef struct nth_orthant {
    double P;       /* P(z_1 > 0, .., z_n > 0) */
    double m[4][4]; /* E[z_k z_l 1{z_1 > 0, .., z_n > 0}], symmetric, also k = l; 0 beyond n */
    double error;   /* absolute, of P, and of m_kl / sqrt(C_kk C_ll): estimated from the angles */
} nth_orthant;

/**
 * Orthant of one to four Gaussian variables.
 *
 *     P = P(z > 0),   m_kl = E[z_k z_l 1{z > 0}],   z ~ N(0, C)                          [E65-E67]
 *
 * A variable of variance 0 is never > 0: then P = 0 and m = 0. Variables that are multiples of each
 * other count once; with a negative factor P = 0 and m = 0.
 *
 * Shapes     C (n x n) row by row, n <= 4, a covariance up to rounding, any rank. gap (n x n) or NULL:
 *            distances |u_i - u_j| of the standardised vectors (x_i/|x_i| where C_ij = x_i . x_j), or
 *            |u_i + u_j| where C_ij < 0; the diagonal is not read. Without gaps, variables whose
 *            correlation is +-1 to within 4 eps coincide; with gaps, those closer than 1e-14.
 * Ownership  the caller's.
 * Cost       about 10 us (four variables); nothing is allocated.
 * Accuracy   out->error. 2e-14 for any rank where no angle is small. A small angle h costs 8 eps/h without
 *            gaps and nothing with them; four vectors within d of a plane the smaller of eps/d and d^2/h,
 *            1e-11 at worst for angles of order one. Two angles below 3e-8 at once: 1e-8.
 *            test_orthant.c, oracles, ranks, near_pairs, near_planes.
 * Errors     NTH_E_ARG (n, not a covariance, gap out of range).
 */
NTH_API NTH_NODISCARD nth_status nth_orthant_moments(nth_orthant *out, int n, const double *C,
                                                     const double *gap);

#ifdef __cplusplus
}
#endif
#endif
