/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Convolutional networks of finite width in training: the baseline which kernels of infinite width are
 * compared with.
 *
 *     h^l = b^l + W^l * y^{l-1},  l = 1 .. C,   y^0 = image, y^l = relu(h^l) for l < C               [E113]
 *     f = b + W flat(h^C)
 *
 * 3x3 convolutions with padding one on each side, also with a stride s_l (row r is centred at row s_l r
 * below); flat takes channel by channel, row by row. No relu after the last convolution. Parameters in
 * standard parameterization, uniform within 1/sqrt(fan-in), biases too. All of it is in single precision.
 *
 * Needs oneDNN (nth_build_info): without it nth_cnn_create fails and names the package.
 */
#ifndef NTH_CNN_H
#define NTH_CNN_H

#include "nth/optimize.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef struct nth_cnn_config {
    ptrdiff_t channels, height, width; /* of an image */
    int       convs;                   /* C, 1 to NTH_MAX_LAYERS */
    ptrdiff_t filters[NTH_MAX_LAYERS]; /* channels after each convolution */
    int       strides[NTH_MAX_LAYERS];
    ptrdiff_t outputs;
} nth_cnn_config;

/** Seven convolutions of 16, 64, 64, 128, 128, 256, 256 channels and strides 1,1,1,2,1,2,1 on 3 x 32 x 32; with
 * more than one output 16, 128, 128, 256, 256, 512, 512. */
NTH_API nth_cnn_config nth_cnn_lantk8(ptrdiff_t outputs);

/** Number of parameters of a configuration that nth_cnn_check accepts. */
NTH_API ptrdiff_t nth_cnn_parameters(const nth_cnn_config *cfg);

/** Multiplications and additions in products of one image's forward pass; a training step takes three times that,
 * less the first layer's way back. */
NTH_API double nth_cnn_flops(const nth_cnn_config *cfg);

/** NTH_E_ARG if a size of the configuration is out of range, or if this build has no oneDNN. */
NTH_API NTH_NODISCARD nth_status nth_cnn_check(const nth_cnn_config *cfg);

/** Bytes that training takes with batches of so many; the inputs excluded. */
NTH_API double nth_cnn_work_bytes(const nth_cnn_config *cfg, ptrdiff_t n, ptrdiff_t batch);

/* A convolutional network in training. */
typedef struct nth_cnn nth_cnn;

/**
 * A network with its initial parameters, ready to be trained on X and Y.
 *
 *     theta_p = (2 u - 1) / sqrt(fan-in), u uniform: streams WEIGHTS and BIASES of (seed, run), layer by layer
 *
 * Shapes     X (n x channels height width), channel by channel and row by row; Y (n x outputs).
 * Scaling    inputs and targets as given; the loss is (1/2n) sum_i |f(x_i) - y_i|^2, as E5.
 * Ownership  *cnn belongs to the caller: nth_cnn_destroy. X and Y must outlive it; options are copied.
 * Cost       nth_cnn_work_bytes; some ms to plan the products.
 * Accuracy   single precision: gradients within 1e-4 of their largest entry; test_cnn.c, matches_twin. The
 *            same bits each time on as many threads as there were at creation; with another number about 1e-6
 *            of each product differs.
 * Errors     NTH_E_ARG (an option or size out of range; precision is not single; no oneDNN), NTH_E_SHAPE,
 *            NTH_E_NUMERIC (not finite; oneDNN refuses), NTH_E_NOMEM.
 */
NTH_API NTH_NODISCARD nth_status nth_cnn_create(nth_cnn **cnn, const nth_cnn_config *cfg, nth_cmat X, nth_cmat Y,
                                                const nth_optimize_options *options);
NTH_API void                     nth_cnn_destroy(nth_cnn **cnn);

/**
 * To the end of the present epoch: each input once, in batches, in the order of nth_optimize_order. After an
 * interruption the next call goes on with the next batch, and ends with the bits of a run that was not interrupted.
 *
 * Shapes     none. Scaling as nth_cnn_create. Ownership the caller's.
 * Cost       3 n nth_cnn_flops.
 * Accuracy   as nth_cnn_create.
 * Errors     NTH_E_NUMERIC (the loss is not finite: the message names epoch and batch), NTH_E_INTERRUPTED (between
 *            two batches).
 */
NTH_API NTH_NODISCARD nth_status nth_cnn_epoch(nth_cnn *cnn);

/** Steps that were taken; an epoch has ceil(n / batch). */
NTH_API long nth_cnn_steps(const nth_cnn *cnn);

/**
 * Outputs at the present parameters.
 *
 * Shapes     F (k x outputs), X (k x channels height width).
 * Scaling    none. Ownership the caller's.
 * Cost       k nth_cnn_flops, k rounded up to whole batches.
 * Accuracy   1e-5 of the largest; test_cnn.c, matches_twin.
 * Errors     NTH_E_SHAPE, NTH_E_NUMERIC.
 */
NTH_API NTH_NODISCARD nth_status nth_cnn_outputs(nth_cnn *cnn, nth_mat F, nth_cmat X);

/**
 * Gradient of the loss on all training inputs at the present parameters.
 *
 *     g = (1/n) sum_i sum_c (f_c(x_i) - y_ic) grad f_c(x_i)
 *
 * Shapes     g (P): W^l (out x in x 3 x 3), b^l, layer by layer, then W (outputs x channel height width), b; loss (1)
 *            or NULL.
 * Scaling    as nth_cnn_create. Ownership the caller's.
 * Cost       3 n nth_cnn_flops.
 * Accuracy   as nth_cnn_create.
 * Errors     NTH_E_NUMERIC.
 */
NTH_API NTH_NODISCARD nth_status nth_cnn_gradient(nth_cnn *cnn, double *g, double *loss);

/**
 * All that a training depends on, to be kept: parameters and what the rule remembers; and back.
 *
 * Shapes     state (3 x P): parameters, first moments (or velocity), second moments; what a rule has not is 0.
 * Scaling    none. Ownership the caller's.
 * Cost       3 P numbers, each a float in a double: nothing is lost.
 * Accuracy   exact: what goes on from a state has the bits of what was not stopped.
 * Errors     none; set: NTH_E_ARG (steps < 0), NTH_E_NUMERIC (an entry is not a finite float).
 */
NTH_API void                     nth_cnn_get_state(const nth_cnn *cnn, double *state);
NTH_API NTH_NODISCARD nth_status nth_cnn_set_state(nth_cnn *cnn, const double *state, long steps);

#ifdef __cplusplus
}
#endif
#endif
