/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * A network of C outputs as networks of one output with the same hidden layers, the heads: either kernel of
 * nth_outputs is the sum of their tangent kernels (E114, E115).
 *
 *     SUM      one head, read-out sum_c w_c / sqrt C, outputs times sqrt C
 *     TRACE    head c has the read-out w_c, outputs divided by sqrt C
 */
#ifndef NTH_NTK_HEADS_PRIV_H
#define NTH_NTK_HEADS_PRIV_H

#include "pullback_priv.h"

typedef struct nth_heads {
    nth_net        view; /* the head of the last select; rows and pullbacks are made of it */
    const nth_net *net;
    nth_outputs    kind;
    ptrdiff_t      count;
    double        *sum[2]; /* (q_L) of each copy: read-out of SUM */
} nth_heads;

/* The net stays the caller's, whose parameters may change. */
NTH_NODISCARD nth_status nth_heads_create(nth_heads **heads, const nth_net *net, nth_outputs kind);
void                     nth_heads_destroy(nth_heads **heads);
/* Doubles that it takes with n training and k test inputs, kernels included. */
double nth_heads_doubles(const nth_net_config *cfg, nth_outputs kind, ptrdiff_t n, ptrdiff_t k);

/* The kernel of rows made of heads->view, as the network is now; train (n x n) of a pullback on such rows. */
NTH_NODISCARD nth_status nth_heads_blocks(nth_blocks *K, nth_heads *heads, const nth_rows *rows);
NTH_NODISCARD nth_status nth_heads_kernel(nth_mat K, nth_heads *heads, nth_pullback *pb);
/* grad (P) <- derivative of sum_ij S_ij K_ij, once after each nth_heads_kernel on pb. */
NTH_NODISCARD nth_status nth_heads_gradient(double *grad, nth_heads *heads, nth_pullback *pb, nth_cmat S, nth_cmat X);

#endif
