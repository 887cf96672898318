/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * The hierarchy on inputs that are already reduced to rows (nn/rows_priv.h).
 */
#ifndef NTH_NTH_HIER_PRIV_H
#define NTH_NTH_HIER_PRIV_H

#include "nth/hier.h"
#include "ntk_priv.h"

/* Which residual drives the prediction, and where. */
typedef struct nth_khat_request {
    const double  *y;     /* (n) labels */
    ptrdiff_t      T;
    const double  *times; /* (T) */
    nth_khat_route route;
} nth_khat_request;

NTH_NODISCARD nth_status nth_priv_hier_contract(nth_blocks *K, const nth_rows *rows, int order,
                                                const double *const *v);
/* f0 (rows) receives the outputs at t = 0 unless NULL. */
NTH_NODISCARD nth_status nth_priv_khat(nth_blocks *K0, nth_blocks *term3, nth_blocks *term4, double *f0,
                                       const nth_rows *rows, const nth_khat_request *req);

/* The K4 term of one time by a sum of contractions K4[a_k, b_k] (khat_check.c). */
NTH_NODISCARD nth_status nth_priv_khat_contractions(nth_blocks *term4, const nth_rows *rows,
                                                    const nth_spectral *sp, double t,
                                                    nth_khat_route route);

#endif
