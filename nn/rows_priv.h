/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * A network on fixed inputs, seen through their Gram matrix. Training moves the first layer only
 * in the span of the training inputs, so after one product with W^1 nothing depends on d any more:
 *
 *     G = c_1^2 X X^T + sigma_b^2,   H = c_1 X W^1T + sigma_b b^1T     (rows x rows, rows x m_1)
 *     W^1 <- W^1 + c_1 D^T X  (and its bias)   means   H <- H + G D,   D (n x m_1)
 *
 * Rows are the training inputs followed by the others; deeper layers are read from `net`.
 */
#ifndef NTH_NN_ROWS_PRIV_H
#define NTH_NN_ROWS_PRIV_H

#include "net_priv.h"

typedef struct nth_rows {
    const nth_net *net;
    ptrdiff_t      n, rows; /* training rows; all rows */
    nth_mat        G;       /* (rows x rows) layer-1 Gram matrix, symmetric */
    nth_mat        H[2];    /* (rows x m_1) of each copy: first pre-activations */
    double        *top[2];  /* (n) of each copy: Delta^L, the constant out_scale */
} nth_rows;

/* X (n x d) training inputs, X_test (k x d) others, k = 0 if there are none. The inputs are not
 * kept. 2 (n + k) d (n + k + m_1) flops. */
NTH_NODISCARD nth_status nth_rows_create(nth_rows **out, const nth_net *net, nth_cmat X,
                                         nth_cmat X_test);
/* H anew after the network's parameters have changed; the same inputs as in create. */
NTH_NODISCARD nth_status nth_rows_refresh(nth_rows *rows, nth_cmat X, nth_cmat X_test);
/* The same inputs on another network of the same first layer shape, with its own H. */
NTH_NODISCARD nth_status nth_rows_clone(nth_rows **out, const nth_rows *rows, const nth_net *net);
void                     nth_rows_destroy(nth_rows **rows);

#endif
