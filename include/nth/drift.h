/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Movement of the tangent kernel of many trained two-layer networks: its mean, to be set beside its
 * prediction (nth_label_aware; docs/equations.md, E63), and the exponents of mean and scatter in the width.
 */
#ifndef NTH_DRIFT_H
#define NTH_DRIFT_H

#include "nth/flow.h"
#include "nth/ntk.h"
#include "nth/verify.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef struct nth_drift_options {
    nth_net_config   shape;    /* two layers; a doubled network has widths of one copy (E4) */
    double           time;     /* T */
    ptrdiff_t        networks; /* >= 2 */
    uint64_t         seed;
    nth_flow_options flow;
    bool (*go_on)(ptrdiff_t done, void *ctx); /* after each group of networks; or NULL */
    void *ctx;
} nth_drift_options;

/**
 * Mean of m (K_T - K_0) over networks drawn and trained alike, on pairs of test inputs.
 *
 *     mean = (1/R) sum_r m (K2_T - K2_0) of network r,   m all neurons of a network                [E63]
 *
 * Shapes     mean, se (k x k); X (n x d), X_test (k x d), y (n).
 * Scaling    flow time with the 1/n of E6; times the width.
 * Ownership  the caller's.
 * Cost       one flow for each network, on all threads; 128 k^2 doubles.
 * Accuracy   se, the standard error over networks; the bits do not depend on the number of threads.
 * Errors     NTH_E_ARG, NTH_E_SHAPE; whatever a flow returns; NTH_E_INTERRUPTED.
 */
NTH_API NTH_NODISCARD nth_status nth_drift_simulate(nth_mat mean, nth_mat se, const nth_drift_options *opt,
                                                    nth_cmat X, nth_cmat X_test, const double *y);

/**
 * m (K_T - K_0) of each of these networks, the same ones as in nth_drift_simulate.
 *
 *     train[r][i][j], test[r][a][b] = m (K2_T - K2_0)(x_i, x_j), (x_a, x_b) of network r
 *
 * Shapes     train (networks x n x n) or NULL, test (networks x k x k) or NULL, one after the other.
 * Scaling, Ownership, Cost, Errors  as nth_drift_simulate; one network is enough here.
 * Accuracy   as nth_flow_advance; the same bits on any number of threads.
 */
NTH_API NTH_NODISCARD nth_status nth_drift_networks(double *train, double *test, const nth_drift_options *opt, nth_cmat X,
                                                    nth_cmat X_test, const double *y);

/* Two numbers of K_T - K_0 over networks. */
typedef enum nth_drift_part {
    NTH_DRIFT_TRAIN_MEAN,  /* modulus of the mean over the training diagonal */
    NTH_DRIFT_TEST_SPREAD, /* standard deviation over networks, root mean square over pairs of different test inputs */
    NTH_DRIFT_PARTS
} nth_drift_part;

/* The networks of one width, as nth_drift_networks gives them. */
typedef struct nth_drift_width {
    ptrdiff_t     m, networks;
    const double *train, *test;
} nth_drift_width;

/**
 * Exponents of K_T - K_0 in the width, and whether they are the predicted ones.
 *
 *     train mean   relu -1/2, smooth -1;   test spread   relu -3/4, smooth -1 (antisymmetric -3/2)
 *                                                       [docs/equations.md, 4.3, 4.4]
 *
 * Shapes     widths of w, at most NTH_FAMILY_MAX_WIDTHS; n training, k >= 2 test inputs.
 * Scaling    of K_T - K_0 itself: what w holds is divided by m.
 * Ownership  claims (NTH_DRIFT_PARTS) are the caller's; rate[0].median is the number at each width.
 * Cost       draws resamples of all networks.
 * Accuracy   test_drift.c, exponents_of_powers.
 * Errors     NTH_E_ARG, NTH_E_NOMEM.
 */
NTH_API NTH_NODISCARD nth_status nth_drift_claims(nth_claim *claims, const nth_net_config *shape, const nth_drift_width *w,
                                                  ptrdiff_t widths, ptrdiff_t n, ptrdiff_t k, ptrdiff_t draws, uint64_t seed);

#ifdef __cplusplus
}
#endif
#endif
