/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Discrete optimizers: stochastic gradient descent and Adam as update rules on a vector of parameters,
 * and the training of networks of any depth in mini-batches.
 *
 *     Loss_B(theta) = (1/2|B|) sum_{i in B} |f(x_i) - y_i|^2          [E5, on a batch B; C outputs: the sum over them]
 *     SGD    u <- mu u + g,   theta <- theta - eta u                                           [E111]
 *     Adam   m <- b1 m + (1 - b1) g,   v <- b2 v + (1 - b2) g^2,
 *            theta <- theta - eta (m / (1 - b1^s)) / (sqrt(v / (1 - b2^s)) + eps)              [E112]
 *
 * with g the gradient of the batch's loss and s = 1, 2, .. the number of the step. The factor 1/2 is that
 * of the gradient flow, so that SGD on the whole set is the explicit Euler method for E6; frameworks'
 * "mean squared error" has no 1/2, which for SGD is twice the learning rate and for Adam hardly matters.
 */
#ifndef NTH_OPTIMIZE_H
#define NTH_OPTIMIZE_H

#include "nth/net.h"

#ifdef __cplusplus
extern "C" {
#endif

/* ---- Update rules ------------------------------------------------------------------------------- */

typedef enum nth_optimizer_kind { NTH_OPTIMIZER_SGD, NTH_OPTIMIZER_ADAM, NTH_OPTIMIZER_COUNT } nth_optimizer_kind;

typedef struct nth_optimizer_options {
    nth_optimizer_kind kind;
    double             learning_rate;         /* eta > 0 */
    double             momentum;              /* SGD: mu in [0, 1) */
    double             beta1, beta2, epsilon; /* Adam: in [0, 1), in [0, 1), >= 0 */
} nth_optimizer_options;

/* An update rule with its memory of earlier gradients. */
typedef struct nth_optimizer nth_optimizer;

/** Name of a rule as options spell it ("adam"); NULL outside the list. */
NTH_API const char *nth_optimizer_name(nth_optimizer_kind kind);

/** Learning rate 1e-3; SGD without momentum; Adam with 0.9, 0.999, 1e-8. */
NTH_API nth_optimizer_options nth_optimizer_defaults(nth_optimizer_kind kind);

/**
 * A rule for vectors of P parameters, before its first step.
 *
 * Ownership  *opt belongs to the caller: nth_optimizer_destroy. The options are copied.
 * Cost       16 P bytes for Adam, 8 P for SGD with momentum, nothing without.
 * Errors     NTH_E_ARG (an option out of range), NTH_E_NOMEM.
 */
NTH_API NTH_NODISCARD nth_status nth_optimizer_create(nth_optimizer **opt, const nth_optimizer_options *options,
                                                      ptrdiff_t P);
NTH_API void                     nth_optimizer_destroy(nth_optimizer **opt);

/**
 * One step of the rule.
 *
 *     theta <- theta - eta u,   u of (E111) or (E112)
 *
 * Shapes     theta (P) in and out, gradient (P).
 * Scaling    the gradient as given: a factor 1/n belongs to the loss.
 * Ownership  the caller's; they must not overlap.
 * Cost       5 passes over P doubles for Adam. Accuracy each entry a few ulp of its terms; test_optimize.c, rules_match_twin.
 * Errors     none; what is not finite stays so.
 */
NTH_API void nth_optimizer_step(nth_optimizer *opt, double *theta, const double *gradient);

/* ---- Training of networks ----------------------------------------------------------------------- */

typedef enum nth_precision { NTH_PRECISION_DOUBLE, NTH_PRECISION_SINGLE } nth_precision;

typedef struct nth_optimize_options {
    nth_optimizer_options rule;
    ptrdiff_t             batch;     /* >= 1; the last batch of an epoch may be smaller, its loss is a mean over itself */
    nth_precision         precision; /* of parameters, rule and products */
    uint64_t              seed;      /* of the order of the inputs, with */
    uint32_t              run;
    bool (*interrupted)(void *ctx);  /* polled before each batch: true stops with NTH_E_INTERRUPTED; may be NULL */
    void (*progress)(ptrdiff_t batch, double loss, void *ctx); /* after each batch of an epoch, from 1; may be NULL */
    void *ctx;
} nth_optimize_options;

/* A network in training. */
typedef struct nth_optimize nth_optimize;

/** Bytes that training takes, a pure function of the configuration; the inputs and the given network excluded. */
NTH_API double nth_optimize_work_bytes(const nth_net_config *cfg, ptrdiff_t n, const nth_optimize_options *options);

/**
 * A copy of a network, ready to be trained. Doubled networks and frozen layers are served.
 *
 * Shapes     X (n x d), y (n x C), row by row, for C outputs.
 * Scaling    inputs as the network takes them (E1); the loss has the 1/2n of E5.
 * Ownership  *opt belongs to the caller: nth_optimize_destroy. X must outlive it; nothing else is kept.
 * Cost       nth_optimize_work_bytes.
 * Accuracy   of the precision asked for; test_optimize.c, gradients_match_twin, single_follows_double.
 * Errors     NTH_E_ARG (an option out of range, first layer not stored), NTH_E_SHAPE, NTH_E_NUMERIC (inputs or
 *            targets not finite), NTH_E_NOMEM.
 */
NTH_API NTH_NODISCARD nth_status nth_optimize_create(nth_optimize **opt, const nth_net *net, nth_cmat X,
                                                     const double *y, const nth_optimize_options *options);
NTH_API void                     nth_optimize_destroy(nth_optimize **opt);

/**
 * One epoch: every input once, in batches, in the order which nth_optimize_order gives.
 *
 *     *loss = (1/2n) sum_i (f(x_i) - y_i)^2, each term at the parameters before its batch's step
 *
 * Shapes     loss (1), or NULL.
 * Ownership  the caller's.
 * Cost       about 2 n (3 P - m_1 d) flops in products of matrices. The same bits on any number of threads.
 * Accuracy   as nth_optimize_create.
 * Errors     NTH_E_NUMERIC (the loss is not finite: the message names epoch and batch; no good state is kept),
 *            NTH_E_INTERRUPTED (in the midst of the epoch).
 */
NTH_API NTH_NODISCARD nth_status nth_optimize_epoch(nth_optimize *opt, double *loss);

/** Epochs that are complete. */
NTH_API long nth_optimize_epochs(const nth_optimize *opt);

/**
 * The order of n inputs in an epoch, 0 for the first: a random permutation by Fisher and Yates with keyed
 * numbers, the same for every network and batch size.
 *
 *     for i = n-1 .. 1: swap entries i and j, j uniform in 0 .. i, number epoch 2^40 + i of run `run` of the seed
 *
 * Shapes     order (n). Cost 10 ns for each input. Errors none.
 */
NTH_API void nth_optimize_order(ptrdiff_t *order, ptrdiff_t n, uint64_t seed, uint32_t run, long epoch);

/**
 * Outputs at the present parameters.
 *
 * Shapes     f (k x C), X (k x d).
 * Ownership  the caller's.
 * Cost       2 k P flops. Accuracy as nth_optimize_create.
 * Errors     NTH_E_SHAPE.
 */
NTH_API NTH_NODISCARD nth_status nth_optimize_outputs(nth_optimize *opt, nth_cmat X, double *f);

/** The network at the present parameters; *net is the caller's: nth_net_destroy. NTH_E_NOMEM. */
NTH_API NTH_NODISCARD nth_status nth_optimize_net(const nth_optimize *opt, nth_net **net);

/**
 * Gradient of the loss (E5) on all inputs, by backpropagation (E8).
 *
 *     g = (1/n) sum_i sum_c (f_c(x_i) - y_ic) grad f_c(x_i)
 *
 * Shapes     g: all parameters, frozen ones zero, copy by copy, layer by layer, W^l (p_l x q_l) then b^l (p_l);
 *            X (n x d), y (n x C); loss (1), or NULL.
 * Scaling    as nth_optimize_create.
 * Ownership  the caller's.
 * Cost       2 n (3 P - m_1 d) flops; a second copy of the parameters.
 * Accuracy   1e-13 of the largest entry in double, 1e-5 in single precision; test_optimize.c, gradients_match_twin.
 * Errors     as nth_optimize_create.
 */
NTH_API NTH_NODISCARD nth_status nth_optimize_gradient(double *g, double *loss, const nth_net *net, nth_cmat X,
                                                       const double *y, nth_precision precision);

#ifdef __cplusplus
}
#endif
#endif
