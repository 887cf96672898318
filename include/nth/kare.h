/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * KARE, the kernel alignment risk estimator (Jacot et al. 2020): an estimate of the risk of kernel ridge
 * regression from the training kernel and labels alone; and networks trained by it, so that their
 * tangent kernel predicts well (Schwab, Kelly, Malamud, Xu 2025).
 *
 * The estimate assumes a kernel that does not know the labels. After training on the same labels it is
 * optimistic: nth_kare_train records the true test risk beside it.
 */
#ifndef NTH_KARE_H
#define NTH_KARE_H

#include <stdbool.h>
#include <stdint.h>

#include "nth/ntk.h"

#ifdef __cplusplus
extern "C" {
#endif

/* ---- The estimate -------------------------------------------------------------------------------- */

/* The estimate at one ridge, with M = (K/n + z I)^{-1} and P = M Y. */
typedef struct nth_kare {
    double z;     /* ridge; that of nth_regress_create is n z */
    double kare;  /* KARE(z) = N/D^2 */
    double N, D;  /* |P|^2/(n c), tr(M)/n */
    double slope; /* dKARE/dz */
} nth_kare;

/**
 * KARE at one ridge, and its derivatives.
 *
 *     M = (K/n + z I)^{-1},  P = M Y,  Q = M P,  N = |P|^2/(n c),  D = tr(M)/n,  KARE = N/D^2   [E93-E95]
 *     S = dKARE/dK = (1/n^2) ( 2 N M^2/D^3 - (P Q^T + Q P^T)/(c D^2) ),   dKARE/dz = n tr S     [E97]
 *
 * Shapes     K (n x n) symmetric, lower triangle used; Y (n x c); P, Q (n x c), S (n x n), symmetric to
 *            the bit: computed where their `a` is not NULL.
 * Scaling    z is added to K/n; equals GCV with ridge n z (E96), a mean square error.
 * Ownership  the caller's; P, Q and S are none of the others.
 * Cost       n^3 flops, with S 2 n^3; 2 n^2 + 2 n c doubles.
 * Accuracy   relative c n eps cond(K/n + z I); test_kare.c, stored_values, slopes_are_differences. Same bits
 *            for any number of threads.
 * Errors     NTH_E_SHAPE; NTH_E_ARG (z is not positive and finite); NTH_E_NUMERIC (K or Y not finite,
 *            K/n + z I not positive definite, or KARE not finite); NTH_E_NOMEM.
 */
NTH_API NTH_NODISCARD nth_status nth_kare_evaluate(nth_kare *kare, nth_mat P, nth_mat Q, nth_mat S,
                                                   nth_cmat K, nth_cmat Y, double z);

/**
 * KARE at many ridges, from one eigendecomposition.
 *
 *     KARE(z) = (n/c) sum_i |c_i|^2/(k_i + z)^2 / ( sum_i 1/(k_i + z) )^2,   k_i = d_i/n, c_i = row i of U^T Y  [E95]
 *
 * Shapes     kare, z (count); K (n x n) symmetric, lower triangle used; Y (n x c).
 * Scaling    as nth_kare_evaluate.
 * Ownership  the caller's; kare may be z.
 * Cost       about 9 n^3 + 2 n^2 c flops and 2 n for each ridge; 4 n^2 + n c doubles.
 * Accuracy   as nth_kare_evaluate; test_kare.c, grid_is_evaluation.
 * Errors     NTH_E_SHAPE; NTH_E_ARG (a ridge is not positive and finite); NTH_E_NUMERIC (not finite, or an
 *            eigenvalue of K/n is at or below -z; the message has both); NTH_E_NOMEM.
 */
NTH_API NTH_NODISCARD nth_status nth_kare_grid(double *kare, const double *z, ptrdiff_t count,
                                               nth_cmat K, nth_cmat Y);

#ifdef __cplusplus
}
#endif
#endif
