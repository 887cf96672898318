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

/* NTH_E_ARG for a network of several outputs, where a formula is that of one. */
NTH_NODISCARD nth_status nth_priv_one_output(const nth_net_config *cfg);

/* Where W^l (p_l x q_l) and b^l (p_l) of a copy lie in the vector of nth_net_get_parameters; NULL if they
 * are not there. */
void nth_priv_net_part(const nth_net_config *cfg, double *theta, int copy, int l, nth_mat *W, double **b);

#endif
