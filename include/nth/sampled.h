/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Expectations of K^(4) over the initialization of two-layer networks, by sampling neurons: any
 * activation, thousands of inputs, with a standard error for each entry (docs/equations.md, E59-E72).
 *
 * A draw is one neuron's weights w; the read-out weight is integrated exactly (E a^2 = 1, E a^4 = 3 or
 * 1). Draws come in pairs w, -w, and in batches from whose scatter the standard errors are taken.
 */
#ifndef NTH_SAMPLED_H
#define NTH_SAMPLED_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "nth/expected.h"
#include "nth/ntk.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef struct nth_sampled_result {
    ptrdiff_t draws, batches;
    double    relative; /* |se| / |mean| reached; above the target where `most` was not enough */
} nth_sampled_result;

/* Called after each batch, when `mean` holds the mean of the batches so far and `se` the sums of their
 * squared deviations from it: what a later call needs to go on (start). False stops with NTH_E_INTERRUPTED. */
typedef bool nth_sampled_progress(const nth_sampled_result *so_far, void *ctx);

typedef struct nth_sampled_options {
    nth_activation  activation;  /* relu: almost everywhere, sigma'' = 0 (a.e.) */
    nth_readout     readout;
    double          sigma_w;     /* weight scale (E1), bias-free */
    nth_input_scale input_scale;
    double          target;      /* relative standard error to stop at: |se| / |mean|, Frobenius, training block */
    ptrdiff_t       least, most; /* draws; the first look at the error comes after `least`; 0: 40,000 and 10^8 */
    ptrdiff_t       start;       /* batches that mean and se hold already, as `progress` saw them; 0: none */
    uint64_t        seed;
    nth_sampled_progress *progress; /* or NULL */
    void           *ctx;
} nth_sampled_options;

/**
 * E K^(4) of a two-layer network contracted with a weight matrix whose symmetric part has rank one.
 *
 *     mean = m sum_ij W_ij E K4(x,x',x_i,x_j),   W + W^T = alpha alpha^T                        [E59, E60, E33]
 *
 * The symmetric part needs one direction, alpha; the antisymmetric part enters only where K4 is not
 * symmetric in its last two slots, and there as a product with W itself: no singular vectors, no tensor.
 *
 * Shapes     blocks of mean and se as in nth_blocks (the same in both, train needed; those given are computed); X (n x d), X_test (k x d) or empty; W (n x n); alpha (n).
 * Scaling    times the width m; raw parameters, no 1/n. relu: a.e.
 * Ownership  the caller's.
 * Cost       for each draw 2 N d flops for the neuron, one product with W (relu; three otherwise) of 2 n^2, two
 *            (four) with X^T and X or the Gram matrix, three (five) of 2 N n; memory two further sets of
 *            blocks, the Gram matrix (N x n) and 6 (10) N doubles for each of 512 draws at a time, N = n + k.
 * Accuracy   se, from the scatter of batches; within 4 se of exact values, test_sampled.c. The bits do
 *            not depend on the number of threads.
 * Errors     NTH_E_SHAPE, NTH_E_ARG, NTH_E_NUMERIC, NTH_E_NOMEM, NTH_E_INTERRUPTED. A target not reached is
 *            no error: see result->relative.
 */
NTH_API NTH_NODISCARD nth_status nth_sampled_k4(nth_blocks *mean, nth_blocks *se, nth_sampled_result *result,
                                                nth_cmat X, nth_cmat X_test, nth_cmat W, const double *alpha,
                                                const nth_sampled_options *opt);

/**
 * Label-aware part of K^(NTH), eq. (5) of LANTK, for labels y and f_0 = 0.
 *
 *     label = m sum_ij Omega_ij(t) E K4(x,x',x_i,x_j),   Omega of (E28) with the spectrum of E K2_0 and r_0 = -y
 *     K^(NTH) = agnostic + label / m,   agnostic = E K2_0 (E52-E54);   t = INFINITY: eq. (5)    [E71, E72]
 *
 * Shapes     blocks of agnostic, label and se as in nth_sampled_k4 (agnostic->train and label->train are
 *            needed); y (n); t > 0.
 * Scaling    flow time with the 1/n of E6; label times m.
 * Ownership  the caller's.
 * Cost       9 n^3 flops for the spectrum, then nth_sampled_k4.
 * Accuracy   se; within 4 se of stored exact values, test_sampled.c. relu: a.e.
 * Errors     as nth_sampled_k4 and nth_infinite_create_fc; NTH_E_NUMERIC at t = INFINITY if E K2_0 is singular.
 */
NTH_API NTH_NODISCARD nth_status nth_sampled_label(nth_blocks *agnostic, nth_blocks *label, nth_blocks *se,
                                                   nth_sampled_result *result, nth_cmat X, nth_cmat X_test,
                                                   const double *y, double t, const nth_sampled_options *opt);

#ifdef __cplusplus
}
#endif
#endif
