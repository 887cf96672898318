/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * What the exact and the sampled decomposition share.
 */
#ifndef NTH_LANTK_HOEFFDING_PRIV_H
#define NTH_LANTK_HOEFFDING_PRIV_H

#include <math.h>
#include <stddef.h>

#include "nth/status.h"

/* chi_i of E82. */
static inline double nth_priv_chi(double y, double mu) { return (y - mu) / sqrt((1.0 - mu) * (1.0 + mu)); }

/* n >= 1 and every mean (NULL: 0) between -1 and 1. */
NTH_NODISCARD nth_status nth_priv_hoeffding_check(ptrdiff_t n, const double *mu);

#endif
