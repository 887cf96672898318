/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Label-aware kernels that fit into memory (nth/lantk.h): Z of all pairs, and K + lambda Z with the weight of E74.
 */
#ifndef NTH_CLI_LABEL_KERNEL_H
#define NTH_CLI_LABEL_KERNEL_H

#include "cli.h"
#include "nth/lantk.h"
#include "nth/ntk.h"

/* Z of training pairs (n x n) and of test and training points (k x n) from a base kernel whose blocks are K. What is known
 * about the model, and Z of points with themselves, is asked of *z, which the caller destroys. src: read and ctx are left out. */
NTH_NODISCARD nth_status cli_label_kernel(nth_lantk **z, nth_blocks *Z, const nth_blocks *K, nth_lantk_source src,
                                          const nth_lantk_options *opt);

/* Z <- K + lambda Z, lambda = ratio mean |K| / mean |Z| over the n^2 training pairs (E74); returns lambda. */
double cli_label_blend(nth_blocks *Z, const nth_blocks *K, double ratio, double mean_K);

#endif
