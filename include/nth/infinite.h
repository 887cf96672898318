/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Infinite-width kernels: the tangent kernel Theta and the covariance Sigma (NNGP) of fully connected
 * and convolutional networks (docs/equations.md, E52-E58).
 *
 * A kernel object holds what belongs to single points; any rectangle of the matrix over all points,
 * training points first, can then be computed by itself. nth_infinite_fill computes whole blocks in
 * memory; kernels larger than memory are made tile by tile (nth kernel does, into HDF5).
 */
#ifndef NTH_INFINITE_H
#define NTH_INFINITE_H

#include <stdbool.h>
#include <stddef.h>

#include "nth/dual.h"
#include "nth/mat.h"
#include "nth/net.h"
#include "nth/ntk.h"
#include "nth/status.h"

#ifdef __cplusplus
extern "C" {
#endif

/* A fully connected architecture, E1-E2. */
typedef struct nth_fc_config {
    nth_dual        activation;
    int             layers;           /* L >= 1, weight layers */
    double          sigma_w, sigma_b;
    nth_input_scale input_scale;
    double          tolerance;        /* of dual activations without a closed form; 0: 1e-12 */
} nth_fc_config;

/**
 * The architecture of a network; its widths but the first do not count, nor does doubling (E4).
 *
 * Errors     NTH_E_ARG: not a network's configuration.
 */
NTH_API NTH_NODISCARD nth_status nth_fc_config_of(nth_fc_config *cfg, const nth_net_config *net);

typedef enum nth_pooling { NTH_POOL_FLATTEN, NTH_POOL_GAP } nth_pooling;

/* A convolutional architecture, E55: 3x3 SAME convolutions with relu before all but the first, then
 * flatten or global average pooling, then a dense layer to one output. */
typedef struct nth_conv_config {
    ptrdiff_t   channels, height, width; /* of the images; a row of X holds channel planes, row by row */
    int         convs;                   /* >= 2 */
    int         strides[NTH_MAX_LAYERS];
    double      sigma_w, sigma_b;
    nth_pooling pooling;
} nth_conv_config;

/** The 8-layer network of the LANTK experiments on 3 x 32 x 32 images: strides 1 1 1 2 1 2 1, flatten,
 *  sigma_w = 1, sigma_b = 0. */
NTH_API nth_conv_config nth_conv_lantk_cnn8(void);

typedef struct nth_infinite nth_infinite;

/**
 * Kernel of a fully connected architecture on n training and k test points.
 *
 *     Sigma^1 = sigma_w^2 kappa^2 x.x'/d + sigma_b^2,   Sigma^{l+1} = sigma_w^2 S(Sigma^l) + sigma_b^2
 *     Theta^1 = Sigma^1,                    Theta^{l+1} = Sigma^{l+1} + sigma_w^2 Sdot(Sigma^l) Theta^l   [E52-E54]
 *
 * Shapes     X (n x d), n >= 1; X_test (k x d) or empty.
 * Scaling    raw N(0,1) parameters; input scale as cfg says.
 * Ownership  *K is the caller's: nth_infinite_destroy. X, X_test and the activation's ctx must live as
 *            long as it does.
 * Cost       L (n + k) doubles; without a closed form also the coefficients of a series for each point.
 * Accuracy   see nth_infinite_tile.
 * Errors     NTH_E_ARG, NTH_E_SHAPE; NTH_E_NUMERIC (inputs not finite; tolerance not reached), NTH_E_NOMEM.
 */
NTH_API NTH_NODISCARD nth_status nth_infinite_create_fc(nth_infinite **K, const nth_fc_config *cfg,
                                                        nth_cmat X, nth_cmat X_test);

/**
 * Kernel of a convolutional architecture; what belongs to single images is computed tile by tile.
 *
 *     Sigma^l = sigma_w^2 A_l[S^{l-1}] + sigma_b^2,  Theta^l = Sigma^l + sigma_w^2 A_l[Sdot^{l-1} o Theta^{l-1}]
 *     flatten: Theta = sigma_w^2 mean_p (Sigma^L_pp + Theta^L_pp) + sigma_b^2;  GAP: mean over p, p'   [E56-E58]
 *
 * Shapes     X (n x C H W), channel planes one after the other; X_test likewise or empty.
 * Scaling, Ownership  as nth_infinite_create_fc. Cost checks: one look at all pixels.
 * Accuracy   see nth_infinite_tile.
 * Errors     NTH_E_ARG (no convolution left to pool, strides), NTH_E_SHAPE, NTH_E_NUMERIC, NTH_E_NOMEM.
 */
NTH_API NTH_NODISCARD nth_status nth_infinite_create_conv(nth_infinite **K, const nth_conv_config *cfg,
                                                          nth_cmat X, nth_cmat X_test);

/** Frees a kernel and sets the pointer to NULL; accepts NULL and a pointer to NULL. */
NTH_API void nth_infinite_destroy(nth_infinite **K);

/** Number of points, training and test; then how many of them are training points. */
NTH_API ptrdiff_t nth_infinite_points(const nth_infinite *K);
NTH_API ptrdiff_t nth_infinite_train_points(const nth_infinite *K);

/** Edge of the tiles that suit this kernel: large enough for the full rate, small in memory. */
NTH_API ptrdiff_t nth_infinite_tile_size(const nth_infinite *K);

/** Bound of the absolute error of a dual activation: 0 where all have a closed form. */
NTH_API double nth_infinite_error(const nth_infinite *K);

/** Pixels visited for a pair of points in all layers; 0 for fully connected kernels. */
NTH_API double nth_infinite_positions(const nth_infinite *K);

/**
 * A rectangle of the kernel: points row .. row + rows against points col .. col + cols.
 *
 * Shapes     Theta, Sigma (rows x cols), at least one; one whose `a` is NULL is not returned. With
 *            row = col and a square rectangle half the work is done and the result symmetric to the bit.
 * Ownership  the caller's.
 * Cost       fully connected: 2 rows cols d flops, then L - 1 dual activations for each pair.
 *            Convolutional: nth_infinite_positions for each pair, about 1 ns each with AVX-512.
 *            Workspace: none (FC); 90 kB for each column of a tile (lantk-cnn8).
 * Accuracy   FC: a few ulp of the largest term, coincident, parallel and opposite inputs included.
 *            Convolutional: likewise for coincident patches; of patches that are multiples of each
 *            other by a factor other than 1 the angle is known to 1e-8 only. test_infinite.c, test_conv.c
 *            Variances from 1e-140 to 1e140 (squared pixels 1e-100 to 1e100), or 0; others are refused.
 * Errors     NTH_E_ARG (nothing is asked for), NTH_E_SHAPE, NTH_E_NUMERIC (an entry overflows), NTH_E_NOMEM.
 */
NTH_API NTH_NODISCARD nth_status nth_infinite_tile(nth_mat Theta, nth_mat Sigma, const nth_infinite *K,
                                                   ptrdiff_t row, ptrdiff_t col);

/**
 * The diagonal: Theta(x,x) and Sigma(x,x) of all points.
 *
 * Shapes     Theta, Sigma (n + k), either may be NULL. Cost one pair for each point. Ownership and Errors
 * as nth_infinite_tile; Accuracy the same bits as there.
 */
NTH_API NTH_NODISCARD nth_status nth_infinite_diagonal(double *Theta, double *Sigma, const nth_infinite *K);

/* Called after each tile with the share of the work done; false stops with NTH_E_INTERRUPTED. */
typedef bool nth_infinite_progress(double done, void *ctx);

/**
 * Whole blocks in memory, tile by tile.
 *
 * Shapes     blocks as in nth_blocks; square ones symmetric to the bit. Either may be NULL.
 * Ownership  the caller's; progress may be NULL.
 * Cost       as nth_infinite_tile, half of it for square blocks; no more memory than a tile's.
 * Accuracy   the bits do not depend on the number of threads.
 * Errors     as nth_infinite_tile; NTH_E_INTERRUPTED.
 */
NTH_API NTH_NODISCARD nth_status nth_infinite_fill(nth_blocks *Theta, nth_blocks *Sigma, const nth_infinite *K,
                                                   nth_infinite_progress *progress, void *ctx);

#ifdef __cplusplus
}
#endif
#endif
