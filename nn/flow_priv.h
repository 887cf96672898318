/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * The state of a flow, and what a stepper is. A stepper moves net, rows->H and A from one time to
 * another; discrete optimizers can join the table in flow.c as further rows.
 *
 *     W^1_t = W^1_0 + c_1 A_t^T X   (A: n x m_1; the bias likewise),   H_t = H_0 + G A_t
 */
#ifndef NTH_NN_FLOW_PRIV_H
#define NTH_NN_FLOW_PRIV_H

#include "jet_priv.h"
#include "nth/flow.h"

typedef struct nth_stepper_ops {
    const char *name;
    nth_status (*create)(nth_flow *flow, void **state);
    nth_status (*advance)(nth_flow *flow, void *state, double t);
    void (*destroy)(void *state);
    double (*doubles)(const nth_net_config *cfg, ptrdiff_t n, const nth_flow_options *opt);
} nth_stepper_ops;

extern const nth_stepper_ops nth_priv_stepper_collocation, nth_priv_stepper_rk;

struct nth_flow {
    nth_flow_options       opt;
    const nth_loss        *loss;
    const nth_net         *initial; /* for its first layer, in nth_flow_net */
    nth_net               *net;     /* own layers l >= 2 at the present time; W^1 not stored */
    nth_rows              *rows;    /* own H at the present time */
    nth_mat                A[2];    /* (n x m_1) of each copy */
    double                *y;       /* (n) */
    double                 t;
    nth_algebra            plain;
    nth_jet               *jet;     /* training rows, one component: scratch of the steppers */
    nth_flow_stats         stats;
    const nth_stepper_ops *ops;
    void                  *state;
};

/* A flow on inputs that are already reduced; takes *rows over and sets it to NULL. */
NTH_NODISCARD nth_status nth_priv_flow_from_rows(nth_flow **out, nth_rows **rows, const nth_net *net,
                                                 const double *y, const nth_flow_options *opt);
/* Plain jet of the training rows and residual r (n) at the present time. */
NTH_NODISCARD nth_status nth_priv_flow_residual(nth_flow *flow, double *r);
/* A += dA of one copy and H += G dA on all rows. */
NTH_NODISCARD nth_status nth_priv_flow_move_first(nth_flow *flow, int copy, nth_cmat dA);
/* The rows of a running flow, for kernels. */
const nth_rows *nth_priv_flow_rows(const nth_flow *flow);

#endif
