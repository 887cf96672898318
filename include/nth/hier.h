/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * The neural tangent hierarchy: contracted higher kernels and the finite-width prediction of the
 * evolving kernel (docs/equations.md, E9-E37).
 */
#ifndef NTH_HIER_H
#define NTH_HIER_H

#include "nth/ntk.h"

#ifdef __cplusplus
extern "C" {
#endif

enum { NTH_HIER_MAX_ORDER = 6 };

/**
 * A higher kernel contracted with one vector for each slot beyond the second.
 *
 *     K^(2+k)[v_1..v_k](x,x') = sum_{i_1..i_k} K^(2+k)(x,x',x_{i_1},..,x_{i_k}) v_{1,i_1} .. v_{k,i_k}   [E13]
 *
 * v_1 fills the third slot, v_k the last (the last derivative taken). order = 2 + k; order 2 is the
 * empirical kernel itself. Directions stay rank-n factors and no tensor is formed.
 *
 * Shapes     blocks of K as in nth_blocks; X (n x d), X_test (j x d) or empty; v[0..k-1] (n) each.
 * Scaling    that of K2; no 1/n.
 * Ownership  the caller's.
 * Cost       at most 3^k times the products of K2, 2^k of its dense ones; 5 2^k (n + j) sum_l p_l doubles.
 * Accuracy   1e-12 relative on the fixtures; test_oracles.c, kernel_oracles.
 * Errors     NTH_E_ARG (order outside 2..6), NTH_E_SHAPE, NTH_E_NUMERIC, NTH_E_NOMEM.
 */
NTH_API NTH_NODISCARD nth_status nth_hier_contract(nth_blocks *K, const nth_net *net, nth_cmat X,
                                                   nth_cmat X_test, int order,
                                                   const double *const *v);

/* How the K4 term of the prediction is evaluated; all are exact (docs/equations.md, 3.4). */
typedef enum nth_khat_route {
    NTH_KHAT_CURVE,     /* one second-order jet along a curve of weights (E36); the default */
    NTH_KHAT_SVD,       /* sum of K4[a_k, b_k] over the singular vectors of Omega */
    NTH_KHAT_QUADRATURE /* Gauss-Legendre in time (E35); finite times only */
} nth_khat_route;

/**
 * Finite-width prediction of the kernel at given times, from this initialization alone.
 *
 *     Khat_t = K2_0 - K3_0[alpha_t] + sum_ij Omega_ij(t) K4_0(.,.,x_i,x_j)                 [E27]
 *
 * Shapes     X (n x d), X_test (k x d) or empty, y (n), times (T, each >= 0, INFINITY allowed);
 *            K0 one set of blocks, term3 and term4 one set for each time (the sign of E27 inside:
 *            Khat = K0 + term3 + term4).
 * Scaling    flow time with the 1/n of E6.
 * Ownership  the caller's.
 * Cost       curve: R one-direction jets on the training set, R = rank of the weights of all times
 *            (at most n), then about 6 K2 for each time on each block.
 * Accuracy   the routes agree to 1e-11; test_khat.c, routes_agree.
 * Errors     NTH_E_SHAPE, NTH_E_ARG, NTH_E_NUMERIC (t = INFINITY and K0 not positive definite), NTH_E_NOMEM.
 */
NTH_API NTH_NODISCARD nth_status nth_hier_khat(nth_blocks *K0, nth_blocks *term3, nth_blocks *term4,
                                               const nth_net *net, nth_cmat X, nth_cmat X_test,
                                               const double *y, ptrdiff_t T, const double *times,
                                               nth_khat_route route);

#ifdef __cplusplus
}
#endif
#endif
