/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Label-aware kernels K^(HR) = K + lambda Z: Z(x,x',S) is a regression of T = (do two labels agree?) on
 * what a pair of inputs looks like, fitted on all pairs of training inputs.
 *
 *     T_ij = +1 if the labels of i and j agree, else -1                                         [E73]
 *
 *     kr-v1, kr-v2     Nadaraya-Watson on the scalar K_ij                                 [E75, E76]
 *     ls-v1, ls-v2     least squares on 10 or 20 features of a pair, exact           [E77, E78, E79]
 *     fjlt-v1, fjlt-v2 the same least squares sketched as the paper does it, for comparison
 *
 * Points are the training inputs 0 .. n-1, then the test inputs n .. n+k-1. The base kernel is asked for in
 * blocks, so that neither it nor Z need fit into memory. Order of use: create; gather for step = 0, 1, ..
 * below nth_lantk_steps; then tile and diagonal, as often as one likes.
 *
 * Models: 0 is made from all labels; model f = 1 .. folds from the training samples outside fold f only, for
 * choices that must not see the labels held out.
 */
#ifndef NTH_LANTK_H
#define NTH_LANTK_H

#include <stdbool.h>
#include <stdint.h>

#include "nth/mat.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef enum nth_lantk_variant {
    NTH_LANTK_KR_V1,
    NTH_LANTK_KR_V2,
    NTH_LANTK_LS_V1,
    NTH_LANTK_LS_V2,
    NTH_LANTK_FJLT_V1,
    NTH_LANTK_FJLT_V2,
    NTH_LANTK_VARIANTS
} nth_lantk_variant;

enum { NTH_LANTK_MAX_FEATURES = 20 };

/* All zero but for the variant and epsilon: what the paper does. */
typedef struct nth_lantk_options {
    nth_lantk_variant variant;
    bool              intercept;    /* ls, fjlt: a constant besides the features; the paper has none */
    bool              standardize;  /* ls, fjlt: features of mean 0 and variance 1 over the training pairs; the paper takes them raw */
    double            ridge;        /* ls: added to the correlation matrix of the features; kr-v2: to K */
    double            epsilon;      /* fjlt: k = floor(ln(columns)/epsilon^2) rows of the sketch; 0.01 */
    uint64_t          seed;         /* fjlt: of signs and sampling */
    bool              permute;      /* control: labels permuted among the samples a model is made from */
    uint64_t          permute_seed; /* key of that permutation */
} nth_lantk_options;

/* Fills tile (r x c) with the base kernel of points row .. row+r-1 and training points col .. col+c-1. A tile
 * lies within the training or within the test points. */
typedef nth_status nth_lantk_read(nth_mat tile, ptrdiff_t row, ptrdiff_t col, void *ctx);

/* What Z is made from. */
typedef struct nth_lantk_source {
    nth_cmat        X, X_test; /* (n x d), (k x d) or empty */
    nth_cmat        Y;         /* (n x c): one column of +1 and -1, or one-hot rows */
    nth_lantk_read *read;      /* the base kernel */
    void           *ctx;
    const double   *fold;  /* (n) 0 .. folds as of nth_data_folds; NULL without folds */
    ptrdiff_t       folds; /* number of models besides model 0 */
} nth_lantk_source;

/* What was found out about a model, once all steps are done. */
typedef struct nth_lantk_info {
    ptrdiff_t kept;                                /* training samples it is made from */
    double    mean_K;                              /* mean |K| over all ordered pairs of those (E74) */
    ptrdiff_t features;                            /* p; 0 for kr */
    double    w[NTH_LANTK_MAX_FEATURES], constant; /* Z = F w + constant */
    double    condition;    /* of the correlation matrix of the features (with the ridge): largest over smallest
                               eigenvalue that was kept; kr-v2: of K, estimated; else NaN */
    ptrdiff_t dropped;      /* directions of features without variance of their own */
    double    r2;           /* ls, fjlt: 1 - sum (Z - T)^2 / sum (T - mean T)^2; else NaN */
    double    excess;       /* fjlt: sum (Z - T)^2 over that of exact least squares, minus 1; else NaN */
    double    range;        /* R_K of kr */
    ptrdiff_t rows;         /* fjlt: rows of the sketch */
} nth_lantk_info;

typedef struct nth_lantk nth_lantk;

/** Name of a variant as options spell it ("ls-v1"); NULL outside the list. */
NTH_API const char *nth_lantk_variant_name(nth_lantk_variant variant);

/** Name of feature 0 .. 19 of E77 ("cosine"); NULL outside the list. */
NTH_API const char *nth_lantk_feature_name(ptrdiff_t feature);

/**
 * Prepares the models: labels, norms and means of inputs, five principal components (v2), K^{-1} T K^{-1}
 * (kr-v2, from one factorisation for each model).
 *
 * Shapes     as in nth_lantk_source; n >= 2.
 * Scaling    inputs as they are.
 * Ownership  *z is the caller's: nth_lantk_destroy; the arrays of src must outlive it. On failure *z is NULL.
 * Cost       n d; principal components some hundred n d a model; kr-v2 n^3/3 flops and n^2 doubles a model;
 *            fjlt columns of N doubles, N >= n^2 a power of two, as many of the p + 1 (intercept: p + 2) as half of the free
 *            memory holds, at least one; otherwise O(n) and some tiles.
 * Accuracy   test_lantk.c.
 * Errors     NTH_E_SHAPE; NTH_E_ARG; NTH_E_RANGE (not labels; all labels alike, of a model: T is constant);
 *            NTH_E_NUMERIC (inputs not finite; an input is zero, or all its coordinates are alike: names the row;
 *            K singular, kr-v2); NTH_E_NOMEM (fjlt: says what to take in its place); what read returns.
 */
NTH_API NTH_NODISCARD nth_status nth_lantk_create(nth_lantk **z, const nth_lantk_source *src,
                                                  const nth_lantk_options *opt);

/** Frees an object and sets the pointer to NULL. Accepts a pointer to NULL. */
NTH_API void nth_lantk_destroy(nth_lantk **z);

/** Edge of the tiles of one step, and the largest that nth_lantk_tile takes. */
NTH_API ptrdiff_t nth_lantk_tile_size(const nth_lantk *z);

/** Number of steps of nth_lantk_gather; fjlt: the more, the fewer columns there is memory for. */
NTH_API ptrdiff_t nth_lantk_steps(const nth_lantk *z);

/**
 * One step of the pass over the pairs of training points; the last one finishes the models.
 *
 *     kr   T0, T1, T2, S1, S2 of K minus a constant, R_K                                [E75, E76]
 *     ls   first and second moments of features and T; w = argmin sum_ij (F_ij . w - T_ij)^2      [E78, E79]
 *     fjlt the same sum sketched: signs, Walsh-Hadamard transform, k sparse Gaussian rows
 *
 * Pairs i < j count twice, i = j once. Without an intercept the features are not centred: the fit of centred,
 * standardised features gets the constant that w implies by a rank-one correction. With opt->standardize they are
 * (F - mean F)/s, and Z = F w + constant has mean 0 on the training pairs, or mean T with an intercept; that is another fit
 * only without an intercept.
 * Shapes     step = 0, 1, .. in this order.
 * Scaling    none.
 * Ownership  as create.
 * Cost       a tile of edge e: 2 e^2 d + 3 e^2 d + 2 e^2 (p + 2)^2 flops for ls and each model. fjlt: for each model, the
 *            pairs once for each group of columns that are held together.
 * Accuracy   same bits for any number of threads and of groups; test_lantk.c, five_sums_are_the_double_loop,
 *            streaming_is_dense_least_squares; test_lantk_sketch.c, sketch_error_is_as_its_size_predicts,
 *            groups_of_columns_change_no_bit.
 * Errors     NTH_E_ARG (order of steps); NTH_E_NUMERIC (K not finite; K constant on the training
 *            inputs, kr; all features constant); NTH_E_NOMEM; what read returns.
 */
NTH_API NTH_NODISCARD nth_status nth_lantk_gather(nth_lantk *z, ptrdiff_t step);

/**
 * Z of a block of pairs, of several models at once.
 *
 *     Z(p,q) = [ (R_K^2 - K_pq^2) T0 + 2 K_pq T1 - T2 ] / [ n^2 (R_K^2 - K_pq^2) + 2 K_pq S1 - S2 ]     [E75]
 *     Z(p,q) = F_pq . w + constant                                                                     [E78]
 *
 * Shapes     Z: array of folds + 1 views (r x c), model by model; those whose `a` is NULL are left out. Points
 *            row .. row+r-1, all training or all test, and training points col .. col+c-1.
 * Scaling    none. Ownership the caller's.
 * Cost       (5 d + 30) r c flops for ls and fjlt, the features once a model; a few r c for kr.
 * Accuracy   as gather; symmetric to the bit if the blocks (i,j), i >= j, are mirrored.
 * Errors     NTH_E_SHAPE; NTH_E_ARG (steps are left to do); NTH_E_NUMERIC (the weights of a pair cancel, kr:
 *            names the pair); NTH_E_NOMEM; what read returns.
 */
NTH_API NTH_NODISCARD nth_status nth_lantk_tile(const nth_mat *Z, nth_lantk *z, ptrdiff_t row, ptrdiff_t col);

/**
 * Z of points with themselves, of model 0: what a normaliser of test inputs needs.
 *
 *     Z(p,p) of (E75) or (E78) at K_pp                                                          [E75, E78, E85]
 *
 * Shapes     Z, K (count): the base kernel of the points row .. row + count - 1 with themselves, all training or
 *            all test points.
 * Scaling    none. Ownership the caller's.
 * Cost       count (p + 1) numbers.
 * Accuracy   as nth_lantk_tile; test_lantk.c, diagonal_is_that_of_tiles.
 * Errors     NTH_E_SHAPE; NTH_E_ARG (steps are left to do); NTH_E_NUMERIC (K not finite; the weights cancel, kr:
 *            names the input); NTH_E_NOMEM.
 */
NTH_API NTH_NODISCARD nth_status nth_lantk_diagonal(double *Z, const nth_lantk *z, ptrdiff_t row, ptrdiff_t count, const double *K);

/** What is known about model 0 .. folds; meaningful after the last step. */
NTH_API nth_lantk_info nth_lantk_get_info(const nth_lantk *z, ptrdiff_t model);

#ifdef __cplusplus
}
#endif
#endif
