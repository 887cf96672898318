/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Gradient flow of a network: the ground truth against which predictions are held.
 *
 *     dtheta/dt = -(1/n) sum_i r_i grad f(x_i),   r_i = dl/df(f(x_i), y_i)             [E6]
 *
 * A flow is created, advanced to one time after another, and asked for outputs, loss, kernel
 * (nth_ntk_flow in ntk.h) and the trained network. Creating allocates; advancing does not, but for
 * small work arrays.
 */
#ifndef NTH_FLOW_H
#define NTH_FLOW_H

#include "nth/net.h"

#ifdef __cplusplus
extern "C" {
#endif

/* How time is integrated. */
typedef enum nth_stepper {
    NTH_STEPPER_COLLOCATION, /* Gauss collocation over whole windows, solved by a fixed-point sweep
                                preconditioned with the tangent kernel; smooth activations */
    NTH_STEPPER_RK8PD,       /* Prince-Dormand 8(9), adaptive (GSL) */
    NTH_STEPPER_RKCK         /* Cash-Karp 4(5) (GSL); the one for relu, at fixed steps */
} nth_stepper;

/* A loss (1/n) sum_i l(f_i, y_i). The kernels and the flow see it through its residual alone. */
typedef struct nth_loss {
    const char *name;
    double (*value)(const double *f, const double *y, ptrdiff_t n);            /* (1/n) sum l */
    void (*residual)(double *r, const double *f, const double *y, ptrdiff_t n); /* dl/df */
} nth_loss;

/** Least squares, l = (f - y)^2 / 2.                                                       [E5] */
NTH_API extern const nth_loss nth_loss_square;

typedef struct nth_flow_options {
    nth_stepper stepper;
    double      rtol;        /* of kernel and outputs at the output times, 1e-14 .. 1e-1 */
    ptrdiff_t   fixed_steps; /* RKCK: > 0 takes that many equal steps to each output time */
    const nth_loss *loss;    /* NULL: least squares */
    bool (*interrupted)(void *ctx); /* polled while time advances: true stops with NTH_E_INTERRUPTED; may be NULL */
    void *ctx;
} nth_flow_options;

/* What the integration took. */
typedef struct nth_flow_stats {
    long windows;     /* steps accepted */
    long rejected;    /* steps or windows done again */
    long evaluations; /* forward-backward passes over the training set */
} nth_flow_stats;

typedef struct nth_flow nth_flow;

/** Name of a stepper as options spell it ("collocation"); NULL outside the list. */
NTH_API const char *nth_stepper_name(nth_stepper s);

/**
 * Bytes that a flow takes at most, before it is started.
 *
 * Cost       pure function of the configuration: n training and k other inputs.
 */
NTH_API double nth_flow_work_bytes(const nth_net_config *cfg, ptrdiff_t n, ptrdiff_t k,
                                   const nth_flow_options *opt);

/**
 * A flow at t = 0.
 *
 * Shapes     X (n x d), X_test (k x d) or empty, y (n).
 * Scaling    time carries the 1/n of E6.
 * Ownership  *flow belongs to the caller: nth_flow_destroy. Nothing of the arguments is kept but
 *            the first layer of net, which must outlive the flow if nth_flow_net is to be called.
 * Cost       2 (n + k) d m_1 flops once; nothing later depends on d. nth_flow_work_bytes.
 * Accuracy   rtol holds for smooth activations; test_flow_steps.c, tolerance_is_kept. relu makes the flow
 *            only piecewise smooth: its accuracy is what a run with twice the steps says.
 * Errors     NTH_E_ARG (collocation with relu, rtol out of range), NTH_E_SHAPE, NTH_E_NUMERIC, NTH_E_NOMEM.
 */
NTH_API NTH_NODISCARD nth_status nth_flow_create(nth_flow **flow, const nth_net *net, nth_cmat X,
                                                 nth_cmat X_test, const double *y,
                                                 const nth_flow_options *opt);
NTH_API void                     nth_flow_destroy(nth_flow **flow);

/**
 * Integrates to time t, not before the present one.
 *
 * Cost       two layers: O(m n^2) for each evaluation; deeper: dense products with all nodes of a window at once.
 * Errors     NTH_E_ARG (t < now), NTH_E_STEPSIZE, NTH_E_NUMERIC (diverged; the flow stays at its last good time),
 *            NTH_E_INTERRUPTED.
 */
NTH_API NTH_NODISCARD nth_status nth_flow_advance(nth_flow *flow, double t);

/** Present time. */
NTH_API double nth_flow_time(const nth_flow *flow);

/** Outputs at the present time: f (n + k), training inputs first. */
NTH_API NTH_NODISCARD nth_status nth_flow_outputs(const nth_flow *flow, double *f);

/** Loss at the present time (E5). */
NTH_API NTH_NODISCARD nth_status nth_flow_loss(const nth_flow *flow, double *loss);

/** What was done so far. */
NTH_API nth_flow_stats nth_flow_get_stats(const nth_flow *flow);

/**
 * The network at the present time, with its first layer W^1_0 + c_1 A_t^T X.
 *
 * Shapes     X (n x d) the training inputs of the flow.
 * Ownership  *net belongs to the caller: nth_net_destroy.
 * Cost       2 n d m_1 flops. Accuracy rounding of one product.
 * Errors     NTH_E_ARG (the initial first layer was not stored), NTH_E_SHAPE, NTH_E_NOMEM.
 */
NTH_API NTH_NODISCARD nth_status nth_flow_net(const nth_flow *flow, nth_cmat X, nth_net **net);

#ifdef __cplusplus
}
#endif
#endif
