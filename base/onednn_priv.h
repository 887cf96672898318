/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Chains of 3x3 convolutions in single precision through oneDNN, an optional library: without it every
 * call here fails and says which package brings it.
 *
 *     y^0 = images,   h^l = b^l + W^l * y^{l-1},   y^l = relu(h^l) for all but the last l, y^l = h^l there
 *
 * Padding is one row and one column of zeros on each side, also with a stride: row r of the result is
 * centred at row stride r of the input.
 */
#ifndef NTH_BASE_ONEDNN_PRIV_H
#define NTH_BASE_ONEDNN_PRIV_H

#include "nth/mat.h"

/* Version of oneDNN, "not built in" without it. */
const char *nth_priv_onednn_version(void);
/* NTH_E_ARG without it; the message names the package. */
NTH_NODISCARD nth_status nth_priv_onednn_check(void);

typedef struct nth_convs_shape {
    ptrdiff_t        batch, channels, height, width; /* of the images */
    int              convs;
    const ptrdiff_t *filters; /* (convs) channels after each */
    const int       *strides; /* (convs) */
} nth_convs_shape;

typedef struct nth_convs nth_convs;

/* Everything is planned and allocated here, for the number of threads there is now: later calls take
 * as many, and give the same bits each time. Another number of threads gives other roundings. */
NTH_NODISCARD nth_status nth_priv_convs_create(nth_convs **convs, const nth_convs_shape *shape);
void                     nth_priv_convs_destroy(nth_convs **convs);

/* out (batch x filters x h x w) from images (batch x channels x height x width); theta: W^l (out x in x 3 x 3),
 * then b^l (out), l = 1 .. convs. */
NTH_NODISCARD nth_status nth_priv_convs_forward(nth_convs *convs, float *out, const float *theta, const float *images);
/* After forward with the same theta: gradient, in the order of theta, given that in out. */
NTH_NODISCARD nth_status nth_priv_convs_backward(nth_convs *convs, float *gradient, const float *out_gradient);

#endif
