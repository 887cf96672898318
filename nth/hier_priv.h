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

/* What E27 takes from the path of the residual alone: weights of the K3 and K4 terms at T times. */
typedef struct nth_khat_weights {
    ptrdiff_t n, T;
    nth_mat   alpha; /* (T x n) */
    nth_mat   omega; /* (T n x n) */
    nth_mat   basis; /* (R x n) orthonormal rows that span those of all Omega; R = 0 before nth_priv_khat_basis */
} nth_khat_weights;

NTH_NODISCARD nth_status nth_priv_khat_weights(nth_khat_weights *w, const nth_spectral *sp, ptrdiff_t T, const double *times);
NTH_NODISCARD nth_status nth_priv_khat_basis(nth_khat_weights *w); /* needed for K4 terms */
void                     nth_priv_khat_weights_free(nth_khat_weights *w);
/* E27 with these weights by the curve (E36); any of K0, term3, term4 (one for each time) and f0 may be NULL. */
NTH_NODISCARD nth_status nth_priv_khat_terms(nth_blocks *K0, nth_blocks *term3, nth_blocks *term4, double *f0,
                                             const nth_rows *rows, const nth_khat_weights *w);
/* E K2_0 at infinite width, and the weights of K^(NTH) at time t: its spectrum with r_0 = -y (E71, E72). */
NTH_NODISCARD nth_status nth_priv_label_weights(nth_blocks *agnostic, nth_khat_weights *w, const nth_net_config *shape,
                                                nth_cmat X, nth_cmat X_test, const double *y, double t);

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
