/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Mean movement of the tangent kernel over many trained two-layer networks, to be set beside its
 * prediction (nth_label_aware; docs/equations.md, E63).
 */
#ifndef NTH_DRIFT_H
#define NTH_DRIFT_H

#include "nth/flow.h"
#include "nth/ntk.h"

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

#ifdef __cplusplus
}
#endif
#endif
