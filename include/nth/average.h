/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Higher kernels averaged over the initialization by drawing networks: any depth and width, a standard
 * error for each entry (docs/equations.md, E13, E70-E72). Two layers have exact means (expected.h) and a
 * faster sampling of neurons (sampled.h); deeper networks have only this.
 */
#ifndef NTH_AVERAGE_H
#define NTH_AVERAGE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "nth/hier.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef struct nth_average_options {
    nth_net_config shape;    /* hidden layers of one width m; a doubled network (E4) counts both copies: m is twice theirs */
    uint64_t       seed;     /* network r is run r of this seed, as nth_net_init_gaussian draws it */
    double         target;   /* relative standard error to stop at: |se| / |mean|, Frobenius, training block; 0: none */
    ptrdiff_t      least;    /* networks before the first look at the error; 0: 32 */
    ptrdiff_t      networks; /* at most; >= 2 */
    bool (*go_on)(ptrdiff_t networks, double relative, void *ctx); /* after each group of networks; false stops; or NULL */
    void *ctx;
} nth_average_options;

typedef struct nth_average_result {
    ptrdiff_t networks;
    double    relative; /* reached; above the target where the networks were not enough */
} nth_average_result;

/**
 * Mean over networks of a contracted kernel, times a power of the width.
 *
 *     mean = (1/R) sum_r m^(r/2-1) K^(r)_0[v_1, .., v_{r-2}](x,x') of network r                [E13]
 *
 * That is K2 itself, m^(1/2) K3, m K4, m^(3/2) K5, m^2 K6: of order one for even r at every width. For odd
 * r the mean is 0 (a change of sign of the read-out changes that of the kernel), so |mean| / |se|, one
 * over result->relative, says only whether the networks are drawn fairly. In doubled networks odd kernels
 * vanish one by one, even ones have the mean of Gaussian networks of half the width. Two layers: the mean of
 * m K4 is that of every width (E70); deeper: up to O(1/m).
 *
 * Shapes     blocks of mean and se as in nth_blocks (those given in mean are computed; se the same, or NULL);
 *            X (n x d), X_test (k x d) or empty; v[0 .. order-3] (n) each.
 * Scaling    raw parameters, no 1/n; relu: almost everywhere (a.e.).
 * Ownership  the caller's.
 * Cost       for each network its first layer, and nth_hier_contract; networks in groups on all threads. Memory:
 *            at most 64 sets of blocks, and nth_hier_contract's for each thread.
 * Accuracy   se; the bits do not depend on the number of threads. test_average.c, equals_single_networks, exact_means.
 * Errors     NTH_E_ARG (order, widths, a target for an odd order), NTH_E_SHAPE, NTH_E_NUMERIC, NTH_E_NOMEM,
 *            NTH_E_INTERRUPTED. A target not reached is no error: see result->relative.
 */
NTH_API NTH_NODISCARD nth_status nth_hier_mean(nth_blocks *mean, nth_blocks *se, nth_average_result *result,
                                               const nth_average_options *opt, nth_cmat X, nth_cmat X_test, int order,
                                               const double *const *v);

/**
 * Label-aware part of K^(NTH) of a network of any depth, eq. (5) of LANTK, for labels y and f_0 = 0.
 *
 *     label = (1/R) sum_r m sum_ij Omega_ij(t) K4_0(x,x',x_i,x_j) of network r
 *     Omega of (E28) with the spectrum of agnostic, the infinite-width kernel (E52-E54), and r_0 = -y    [E71, E72]
 *
 * Two layers: agnostic is E K2_0 at every width. Deeper: up to O(1/m), and so is label. Each network's
 * contraction with Omega is made along a curve of weights (E36), without a tensor.
 *
 * Shapes     blocks of agnostic, label and se as in nth_hier_mean (agnostic->train and label->train are
 *            needed); y (n); t > 0, INFINITY for eq. (5).
 * Scaling    flow time with the 1/n of E6; label times m.
 * Ownership  the caller's.
 * Cost       for each network its first layer, R one-direction jets on the training set, R <= n the rank of Omega,
 *            then about six K2 on all inputs. Memory as nth_hier_mean.
 * Accuracy   se; test_average.c, label_aware_part, depth_three_by_loops.
 * Errors     as nth_hier_mean and nth_infinite_create_fc; NTH_E_NUMERIC at t = INFINITY if agnostic is singular.
 */
NTH_API NTH_NODISCARD nth_status nth_hier_mean_label(nth_blocks *agnostic, nth_blocks *label, nth_blocks *se,
                                                     nth_average_result *result, const nth_average_options *opt,
                                                     nth_cmat X, nth_cmat X_test, const double *y, double t);

#ifdef __cplusplus
}
#endif
#endif
