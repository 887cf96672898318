/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * The empirical tangent kernel together with what the derivative of sum_ij S_ij K2_ij by the parameters
 * needs (E98): first the kernel, then S, then the derivative.
 */
#ifndef NTH_NTK_PULLBACK_PRIV_H
#define NTH_NTK_PULLBACK_PRIV_H

#include "ntk_priv.h"

typedef struct nth_pullback {
    nth_algebra     plain;
    const nth_rows *rows;
    ptrdiff_t       n;                       /* training rows */
    nth_jet        *jet;                     /* of these; used up by the derivative */
    double         *dg[2][NTH_MAX_LAYERS];   /* [copy][l-1] (n x n) Delta^l Delta^lT, l < L, l trains */
    double         *xg[2][NTH_MAX_LAYERS];   /* [copy][l-1] (n x n) c_l^2 X^{l-1} X^{l-1,T} + sigma_b^2, l > 1, l trains */
    double         *E;                       /* (n x n) */
    double         *T;                       /* (n x widest hidden layer) */
} nth_pullback;

/* Room for these rows, which stay the caller's. */
NTH_NODISCARD nth_status nth_pullback_create(nth_pullback **pb, const nth_rows *rows);
void                     nth_pullback_destroy(nth_pullback **pb);
/* Doubles that it takes. */
double nth_pullback_doubles(const nth_net_config *cfg, ptrdiff_t n);

/* K (n x n) <- K2 of the training rows as the network and rows->H are now; the same bits as nth_ntk_empirical. */
NTH_NODISCARD nth_status nth_pullback_kernel(nth_pullback *pb, nth_mat K);
/* grad (P) <- derivative of sum_ij S_ij K2_ij, once after each nth_pullback_kernel; X (n x d) as in the rows. */
NTH_NODISCARD nth_status nth_pullback_gradient(double *grad, nth_pullback *pb, nth_cmat S, nth_cmat X);

#endif
