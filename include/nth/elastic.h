/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Local elasticity: how much larger a kernel is between inputs of one class than between inputs of
 * different classes.
 *
 *     Kn(x,x') = K(x,x') / sqrt( D(x) D(x') )                                                 [E85]
 *     RR(K) = M1/(M1 + M2),   M1, M2 = mean of Kn over pairs of one class, of two classes     [E86]
 *
 * D is the kernel's own diagonal; another one can be given by name, as published numbers mix two. The
 * kernel is handed over in groups of rows, so that it need not be in memory.
 */
#ifndef NTH_ELASTIC_H
#define NTH_ELASTIC_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "nth/mat.h"
#include "nth/status.h"

#ifdef __cplusplus
extern "C" {
#endif

/* Fills A with the rows row .. row + A.rows of the kernel, all columns. Called with rising `row`. */
typedef nth_status nth_elastic_rows(nth_mat A, ptrdiff_t row, void *ctx);

typedef struct nth_elastic_options {
    bool      self_pairs; /* training pairs: also each input with itself, as published numbers have it */
    ptrdiff_t bootstrap;  /* resamples for the interval; 0 for none */
    uint64_t  seed;
    double   *ratios;     /* (bootstrap) out: the ratio of each resample, NaN where it has none; or NULL */
} nth_elastic_options;

/* Where resamples of a number lie. */
typedef struct nth_elastic_interval {
    double    standard_error, low, high; /* 95 % interval: quantiles; NaN with less than 2 resamples or if one is undefined */
    ptrdiff_t undefined;                 /* resamples that are NaN */
} nth_elastic_interval;

typedef struct nth_elasticity {
    double    intra, inter;             /* M1, M2 */
    double    ratio;                    /* RR; 1/2: no elasticity */
    double    standard_error;           /* of the ratio over resamples; NaN where there is no interval */
    double    low, high;                /* 95 % interval of the ratio: quantiles of the resamples */
    double    intra_pairs, inter_pairs; /* ordered pairs */
    ptrdiff_t undefined;                /* resamples without a ratio: if there is one, no interval */
} nth_elasticity;

/**
 * Local elasticity on ordered pairs of training inputs.
 *
 *     M1 = sum_c e_c^T Kn e_c / #,  without the diagonal unless opt->self_pairs             [E85, E86]
 *
 * Resampling draws inputs with replacement within each class, the same for rows and columns: with
 * weights w (how often an input was drawn) a pair counts w_i w_j, a self pair w_i; two copies of one input are
 * no pair. Kernel and normaliser stay: the interval is that of the choice of inputs, for a fixed kernel.
 * Resample b draws the same inputs for every kernel on labels Y with this seed: opt->ratios of two kernels may be
 * subtracted one by one, and nth_elastic_summary has the interval of the difference.
 *
 * Shapes     rows gives K (n x n); Y (n x c) labels, +-1 or one-hot; D (n), the normaliser's diagonal.
 * Scaling    none: RR(s K) = RR(K) for s > 0. RR(K + s) differs from RR(K).
 * Ownership  the caller's; ctx is handed to rows.
 * Cost       each row once; 2 n^2 (B + 1) flops and n (B + 513) doubles for B resamples.
 * Accuracy   n eps of the mean of |Kn|; the same bits for any number of threads; test_elastic.c.
 * Errors     NTH_E_SHAPE; NTH_E_RANGE (not labels, or one class; no pair of one class); NTH_E_NUMERIC (a diagonal entry
 *            that is not positive, naming it; an entry not finite; M1 + M2 <= 0); NTH_E_ARG; NTH_E_NOMEM; what rows returns.
 */
NTH_API NTH_NODISCARD nth_status nth_elastic_train(nth_elasticity *out, nth_elastic_rows *rows, void *ctx,
                                                   nth_cmat Y, const double *D, const nth_elastic_options *opt);

/**
 * Local elasticity on all pairs of a test and a training input.
 *
 *     M1, M2 = means of K(x,x_i)/sqrt(D(x) D(x_i)) over pairs of one class, of two         [E85, E86]
 *
 * Resampling draws test and training inputs independently, each with replacement within its classes.
 *
 * Shapes     rows gives K (k x n), rows are test inputs; Y_test (k x c), Y (n x c); D_test (k), D (n).
 * Scaling    as nth_elastic_train.
 * Ownership  the caller's.
 * Cost       each row once; 2 k n (B + 1) flops, (n + k) (B + 1) + 512 n doubles.
 * Accuracy   as nth_elastic_train.
 * Errors     as nth_elastic_train; one class is enough in the test set.
 */
NTH_API NTH_NODISCARD nth_status nth_elastic_test(nth_elasticity *out, nth_elastic_rows *rows, void *ctx, nth_cmat Y_test,
                                                  nth_cmat Y, const double *D_test, const double *D,
                                                  const nth_elastic_options *opt);

/**
 * Interval of a number from its resamples, such as the difference of two ratios.
 *
 *     se^2 = sum_b (v_b - mean v)^2/(n-1);   low, high: quantiles 0.025 and 0.975, linear between order statistics
 *
 * Shapes     v (n).
 * Scaling    none.
 * Ownership  the caller's; v is not changed.
 * Cost       n log n, n doubles.
 * Accuracy   n eps; test_elastic.c, differences_are_paired.
 * Errors     NTH_E_NOMEM.
 */
NTH_API NTH_NODISCARD nth_status nth_elastic_summary(nth_elastic_interval *out, const double *v, ptrdiff_t n);

/**
 * Rows of a matrix in memory: an nth_elastic_rows whose ctx is an nth_cmat.
 *
 * Shapes     A (r x n), the matrix with n columns. Scaling none. Ownership the caller's. Cost r n.
 * Accuracy   exact.
 * Errors     NTH_E_SHAPE.
 */
NTH_API NTH_NODISCARD nth_status nth_elastic_matrix(nth_mat A, ptrdiff_t row, void *ctx);

#ifdef __cplusplus
}
#endif
#endif
