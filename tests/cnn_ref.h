/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Convolutional networks by the book (E113): nested loops in double precision, one image at a time.
 */
#ifndef NTH_CNN_REF_H
#define NTH_CNN_REF_H

#include "nth/cnn.h"

/* f (outputs) at the image x; with r (outputs) also grad += sum_c r_c df_c/dtheta. False: out of memory. */
bool cnn_ref(double *f, double *grad, const nth_cnn_config *cfg, const double *theta, const double *x, const double *r);

#endif
