/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Convolutional kernels by the book (E55-E58): tensors over all pairs of pixels, nested loops.
 */
#ifndef NTH_CONV_REF_H
#define NTH_CONV_REF_H

#include "nth/infinite.h"

/* Theta and Sigma of two images, rows of C H W values. */
void conv_ref(const nth_conv_config *cfg, const double *x, const double *z, double *Theta, double *Sigma);

#endif
