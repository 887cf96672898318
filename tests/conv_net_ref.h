/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Finite convolutional networks by the book (E55, read-out of E58), nested loops: what the kernels of
 * ntk/conv.c are the limit of.
 */
#ifndef NTH_CONV_NET_REF_H
#define NTH_CONV_NET_REF_H

#include "nth/infinite.h"

/* Number of parameters of a network with m channels after each convolution. */
ptrdiff_t conv_net_parameters(const nth_conv_config *cfg, ptrdiff_t m);

/* Output of one image x (C H W) and, unless grad is NULL, its gradient in the raw parameters. theta and
 * grad: convolutions in order (weights [to][from][3][3], biases [to]), then the dense layer (weights
 * [channel][pixel], or [channel] with pooling; one bias). */
double conv_net_ref(double *grad, const nth_conv_config *cfg, ptrdiff_t m, const double *theta, const double *x);

#endif
