/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * What the folders on the right may know of a network beside net.h.
 */
#ifndef NTH_NN_NET_PRIV_H
#define NTH_NN_NET_PRIV_H

#include "nth/net.h"

/* Rows [row, row + rows) of layer l as the net's initialization draws them, into out (rows x q_l). */
void nth_priv_net_draw_rows(double *out, const nth_net *net, int l, ptrdiff_t row, ptrdiff_t rows);

static inline bool nth_priv_frozen(const nth_net_config *cfg, int l)
{
    return (cfg->frozen >> (l - 1)) & 1u;
}

#endif
