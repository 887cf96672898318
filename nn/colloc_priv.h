/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * State of the collocation stepper (flow_colloc.c) and its sweep over the layers (colloc_sweep.c).
 * Node arrays hold q blocks of n rows: row (p, i) is training input i at node p.
 */
#ifndef NTH_NN_COLLOC_PRIV_H
#define NTH_NN_COLLOC_PRIV_H

#include "flow_priv.h"

enum { NTH_COLLOC_NODES = 20, NTH_COLLOC_SWEEPS = 60 };

typedef struct nth_colloc {
    nth_flow *flow;
    ptrdiff_t n;
    int       q, q_max;
    double    H, stretch;                                 /* window length; longest one that the last allows */
    double    node[NTH_COLLOC_NODES], w[NTH_COLLOC_NODES]; /* on [0, 1] */
    double    S[NTH_COLLOC_NODES * NTH_COLLOC_NODES];      /* (q x q) integrals */
    double    C[NTH_COLLOC_NODES * NTH_COLLOC_NODES];      /* (q x q) to Legendre coefficients */
    double   *x[2][NTH_MAX_LAYERS], *s[2][NTH_MAX_LAYERS], *d[2][NTH_MAX_LAYERS]; /* (q n x p_l) */
    nth_mat   left, right;                                /* (q n x widest) */
    nth_mat   M;                                          /* (q n x q n), deeper nets */
    nth_mat   K, U;                                       /* (n x n) kernel at the start, eigenvectors */
    double   *eig, *inverse;                              /* (n); (n x q x q) preconditioner */
    double   *r, *f, *mode;                               /* (q x n) */
    double   *r0;                                         /* (n) residual at the start */
    double    scale;                                      /* of outputs: max |r_0|, |y| */
    double    mismatch;                                   /* max |residual(f) - r| of the last sweep */
} nth_colloc;

/* One pass through all layers at all nodes with the present paths; s->f receives the residuals of
 * the outputs, *change the largest relative change of a backward signal. */
NTH_NODISCARD nth_status nth_colloc_sweep(nth_colloc *s, double *change);
NTH_NODISCARD nth_status nth_colloc_correct(nth_colloc *s);
/* Adds the window's movement to the parameters. */
NTH_NODISCARD nth_status nth_colloc_finish(nth_colloc *s);

#endif
