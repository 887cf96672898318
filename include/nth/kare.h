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
#include "nth/optimize.h"

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

/**
 * The same from an eigendecomposition of K that is there (nth_spectral_create, nth_regress_spectral) [E95].
 *
 * Shapes, scaling, ownership, accuracy and errors as nth_kare_grid, and NTH_E_ARG (sp is NULL); the same bits
 * (test_kare.c, grid_is_evaluation).
 * Cost       2 n^2 c flops and 2 n for each ridge; n c doubles.
 */
NTH_API NTH_NODISCARD nth_status nth_kare_spectral(double *kare, const double *z, ptrdiff_t count, const nth_spectral *sp, nth_cmat Y);

/* ---- Training -------------------------------------------------------------------------------------- */

typedef struct nth_kare_options {
    nth_outputs outputs; /* which kernel of a network with several outputs; of one output both are the same */
    double    z;     /* ridge of the objective, > 0, the same in all steps and batches */
    nth_optimizer_options rule; /* of a step, from the derivative of KARE */
    ptrdiff_t steps; /* >= 0 */
    ptrdiff_t batch; /* samples of a step; 0 for all of them. KARE of few samples is another objective */
    ptrdiff_t every; /* steps between points of the curve, >= 1 */
    uint64_t  seed;  /* of the batches */
    bool (*interrupted)(void *ctx, ptrdiff_t step); /* asked before each step; NULL: never */
    void *ctx;
} nth_kare_options;

/* The network after so many steps: the estimate on all training samples, and what it estimates. */
typedef struct nth_kare_point {
    ptrdiff_t step;
    double    kare;
    double    test_risk; /* mean square error on the test set of ridge regression with ridge n z; NaN without one */
} nth_kare_point;

typedef struct nth_kare_curve {
    nth_kare_point *point;  /* room for nth_kare_points(opt), the caller's */
    ptrdiff_t       points; /* filled in */
    ptrdiff_t       steps;  /* steps behind the parameters that the network has now */
} nth_kare_curve;

/** Points of the curve of a complete run: steps 0, every, 2 every, .. and the last. */
NTH_API ptrdiff_t nth_kare_points(const nth_kare_options *opt);

/** Bytes that training takes beside the network, for n training inputs and k test inputs. */
NTH_API double nth_kare_work_bytes(const nth_net_config *cfg, ptrdiff_t n, ptrdiff_t k, ptrdiff_t columns,
                                   const nth_kare_options *opt);

/**
 * Trains a network so that its tangent kernel has a small KARE.
 *
 *     theta <- rule(theta, dKARE(K(theta), Y; z)/dtheta),   K = K2, or (E114), (E115)     [E97, E98; E111, E112]
 *
 * A batch has samples perm(b part), .. of a permutation drawn anew for each epoch; n mod b samples are left out
 * of it.
 *
 * A step is kept if KARE there is finite, else the parameters before it are put back and the run ends; the
 * rule's memory of earlier derivatives ends with the run.
 *
 * Shapes     X (n x d), Y (n x c), any number of columns; X_test (k x d), Y_test (k x c), or both empty. The
 *            network's outputs do not enter, nor need they be c: the predictor is kernel regression with its tangent kernel.
 * Scaling    z is added to K/n with n the size of the batch; derivative by raw parameters.
 * Ownership  the caller's; net is changed, also on failure, and has the parameters after curve->steps steps.
 * Cost       a step: three K2 of the batch (by trace 4 C - 1) and 2 b^3 flops; a point: one K2 of n and k inputs (C).
 *            Adam keeps 2 P doubles.
 * Accuracy   that of nth_ntk_pullback; test_kare_train.c, a_step_is_the_formula, rules_are_the_optimizer_s. Same bits for any number of threads.
 * Errors     NTH_E_SHAPE; NTH_E_ARG (an option; the first layer is not stored); NTH_E_RANGE (all targets of each column
 *            are equal); NTH_E_NUMERIC (K/n + z I not positive definite, or not finite: diverged; the message has
 *            the step; or X, Y not finite); NTH_E_INTERRUPTED; NTH_E_NOMEM.
 */
NTH_API NTH_NODISCARD nth_status nth_kare_train(nth_kare_curve *curve, nth_net *net, nth_cmat X, nth_cmat Y,
                                                nth_cmat X_test, nth_cmat Y_test, const nth_kare_options *opt);

#ifdef __cplusplus
}
#endif
#endif
