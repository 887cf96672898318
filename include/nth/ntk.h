/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Tangent kernels: the empirical kernel of a network, the closed-form gradient flow under a frozen
 * kernel, and the infinite-width kernels that have a closed form.
 */
#ifndef NTH_NTK_H
#define NTH_NTK_H

#include "nth/flow.h"
#include "nth/net.h"

#ifdef __cplusplus
extern "C" {
#endif

/* The blocks of a kernel on training inputs (n) and test inputs (k). A block whose `a` is NULL is
 * not computed. */
typedef struct nth_blocks {
    nth_mat train;     /* (n x n) */
    nth_mat test;      /* (k x n), rows are test inputs */
    nth_mat test_test; /* (k x k) */
} nth_blocks;

/**
 * Empirical tangent kernel of a network.
 *
 *     K2(x,x') = sum_l <Delta^l(x), Delta^l(x')> (c_l^2 <x^{l-1}, x'^{l-1}> + sigma_b^2)   [E15]
 *
 * Shapes     X (n x d), X_test (k x d) or empty; blocks as in nth_blocks, square ones symmetric to the bit.
 * Scaling    raw N(0,1) parameters; the 1/n belongs to the flow (E6).
 * Ownership  the caller's.
 * Cost       4 N sum_l p_l q_l + N^2 sum_l (p_l + q_l) flops for N = n + k; 2 N sum_l p_l + N max_l p_l
 *            + N p_1 + N^2 + 2 max(n,k)^2 doubles at most (nth_ntk_work_bytes).
 * Accuracy   entrywise about (m + d) eps of the sum of absolute values; test_jet.c, k2_is_jacobian_product.
 * Errors     NTH_E_SHAPE, NTH_E_ARG (several outputs), NTH_E_NUMERIC (inputs not finite), NTH_E_NOMEM, for what
 *            nth_ntk_work_bytes counts before it starts.
 */
NTH_API NTH_NODISCARD nth_status nth_ntk_empirical(nth_blocks *K, const nth_net *net, nth_cmat X,
                                                   nth_cmat X_test);

/** Bytes that nth_ntk_empirical takes for n training and k test inputs, beside the network and K. */
NTH_API double nth_ntk_work_bytes(const nth_net_config *cfg, ptrdiff_t n, ptrdiff_t k);

/**
 * Empirical tangent kernel of a flow's network at its present time, on the flow's inputs.
 *
 *     K2_t(x,x') of (E15) with the weights theta_t
 *
 * Shapes     blocks as in nth_blocks for the n and k inputs of nth_flow_create.
 * Ownership  the caller's. Cost and Accuracy as nth_ntk_empirical, without the products with d.
 * Errors     NTH_E_SHAPE, NTH_E_NOMEM.
 */
NTH_API NTH_NODISCARD nth_status nth_ntk_flow(nth_blocks *K, const nth_flow *flow);

/**
 * The empirical tangent kernel, and the derivative by the parameters of a weighted sum of its entries.
 *
 *     grad = d/dtheta sum_ij S_ij K2(x_i,x_j; theta) = 2 sum_i H_i G(S_i.)                          [E98]
 *
 * relu is differentiated almost everywhere (relu'' = 0).
 *
 * Shapes     grad (P) in the order of nth_net_get_parameters; K (n x n) or empty; X (n x d); S (n x n) symmetric.
 * Scaling    derivative by the raw parameters; S fixed.
 * Ownership  the caller's. The first layer may be one that is not stored.
 * Cost       three times the flops of nth_ntk_empirical, half of which are products n x n by n x m;
 *            2 copies (L - 1) n^2 + 5 n sum_l p_l doubles, nothing of the size n x P.
 * Accuracy   about (n + m) eps of the sum of absolute values; test_pullback.c, is_the_definition,
 *            is_the_third_kernel. Same bits for any number of threads.
 * Errors     NTH_E_SHAPE; NTH_E_ARG (S is not symmetric, beyond 1e-12 of its largest entry; several outputs); NTH_E_NUMERIC
 *            (S or X not finite); NTH_E_NOMEM.
 */
NTH_API NTH_NODISCARD nth_status nth_ntk_pullback(double *grad, nth_mat K, const nth_net *net,
                                                  nth_cmat X, nth_cmat S);

/* One n x n kernel of a network with C outputs. With one output both are its K2, to the bit. */
typedef enum nth_outputs {
    NTH_OUTPUTS_SUM,  /* of the sum of the outputs */
    NTH_OUTPUTS_TRACE /* the mean over the outputs: trace of the C x C block, divided by C */
} nth_outputs;

/**
 * Empirical tangent kernel of a network with several outputs.
 *
 *     sum      K(x,x') = <grad sum_c f_c(x), grad sum_c f_c(x')>                               [E114]
 *     trace    K(x,x') = (1/C) sum_c <grad f_c(x), grad f_c(x')>                               [E115]
 *
 * Shapes     as nth_ntk_empirical, whatever C is.
 * Scaling    as nth_ntk_empirical. At infinite width (NTK parameterization) `sum` is C times the kernel of one output,
 *            `trace` is that kernel.
 * Ownership  the caller's.
 * Cost       that of nth_ntk_empirical, for `trace` C times with a second set of blocks.
 * Accuracy   as nth_ntk_empirical; test_heads.c, kernels_are_loops_over_outputs. Same bits for any number of threads.
 * Errors     NTH_E_ARG (not in the list); as nth_ntk_empirical.
 */
NTH_API NTH_NODISCARD nth_status nth_ntk_outputs(nth_blocks *K, const nth_net *net, nth_outputs outputs,
                                                 nth_cmat X, nth_cmat X_test);

/**
 * That kernel, and the derivative by the parameters of a weighted sum of its entries.
 *
 *     grad = d/dtheta sum_ij S_ij K(x_i,x_j; theta)                                            [E98]
 *
 * Shapes     as nth_ntk_pullback; grad has all C rows of the last layer.
 * Scaling    derivative by the raw parameters; S fixed.
 * Ownership  the caller's.
 * Cost       that of nth_ntk_pullback; for `trace` 4 C - 1 in place of 3 K2, with n^2 + P doubles more.
 * Accuracy   as nth_ntk_pullback; test_heads.c, gradients_are_differences. Same bits for any number of threads.
 * Errors     NTH_E_ARG (not in the list); as nth_ntk_pullback.
 */
NTH_API NTH_NODISCARD nth_status nth_ntk_outputs_pullback(double *grad, nth_mat K, const nth_net *net,
                                                          nth_outputs outputs, nth_cmat X, nth_cmat S);

/**
 * phi(x) = (1 - e^{-x})/x, phi(0) = 1.                                                     [E26]
 *
 * Accuracy   2 ulp.
 */
NTH_API double nth_phi(double x);

/**
 * Time weight of the double integral, stable for all a, b >= 0 and small negative ones.
 *
 *     q(a,b) = (phi(a) - phi(a+b)) / b, evaluated by (E30)
 *
 * Accuracy   relative 1e-15 over [1e-12, 1e4]^2; test_spectral.c, q_is_stable.
 */
NTH_API double nth_q(double a, double b);

/* Gradient flow under the frozen kernel K of the training set, in its eigenbasis. */
typedef struct nth_spectral nth_spectral;

/**
 * Diagonalises K = U diag(d) U^T and projects the initial residual, c = U^T r_0.
 *
 * Shapes     K (n x n) symmetric, r0 (n). Scaling: flow time t with the 1/n of E6.
 * Ownership  *sp belongs to the caller: nth_spectral_destroy. K and r0 are not kept.
 * Cost       about 9 n^3 flops, 2 n^2 doubles.
 * Accuracy   eigenvalues to a few n eps max d; test_spectral.c.
 * Errors     NTH_E_SHAPE, NTH_E_NUMERIC, NTH_E_NOMEM.
 */
NTH_API NTH_NODISCARD nth_status nth_spectral_create(nth_spectral **sp, nth_cmat K,
                                                     const double *r0);
NTH_API void                     nth_spectral_destroy(nth_spectral **sp);

/** Eigenvalues of K, ascending: d (n). */
NTH_API const double *nth_spectral_values(const nth_spectral *sp);

/** Linearised residual u_t = e^{-tK/n} r_0 into u (n).                                     [E24] */
NTH_API void nth_spectral_residual(const nth_spectral *sp, double t, double *u);

/**
 * alpha_t = (1/n) int_0^t u_s ds = U diag((t/n) phi(t d_i/n)) c;  t = INFINITY: U diag(1/d_i) c.  [E26]
 *
 * Shapes     alpha (n). Ownership the caller's. Cost 2 n^2 flops.
 * Accuracy   a few ulp of each spectral term; test_spectral.c.
 * Errors     NTH_E_NUMERIC at t = INFINITY if an eigenvalue is not above n eps max d.
 */
NTH_API NTH_NODISCARD nth_status nth_spectral_alpha(const nth_spectral *sp, double t, double *alpha);

/**
 * Weights of the K4 term.
 *
 *     Omega(t) = U ((c c^T) o Q(t)) U^T,  Q_ij = (t/n)^2 q(t d_i/n, t d_j/n)              [E28]
 *     t = INFINITY: Q_ij = 1 / (d_i (d_i + d_j))                                          [E31]
 *
 * Shapes     Omega (n x n), not symmetric: Omega + Omega^T = alpha alpha^T (E33).
 * Ownership  the caller's. Cost 4 n^3 flops. Accuracy test_spectral.c, matches_power_series.
 * Errors     NTH_E_SHAPE; NTH_E_NUMERIC as nth_spectral_alpha; NTH_E_NOMEM.
 */
NTH_API NTH_NODISCARD nth_status nth_spectral_omega(const nth_spectral *sp, double t, nth_mat Omega);

/**
 * Infinite-width tangent kernel from the covariances of the first layer.
 *
 *     Sigma^{l+1} = sigma_w^2 S(Sigma^l) + sigma_b^2,  Theta^{l+1} = Sigma^{l+1} + sigma_w^2 Sdot(Sigma^l) Theta^l
 *                                                                                     [E52-E54]
 *
 * Shapes     K blocks as in nth_blocks; X (n x d), X_test (k x d) or empty.
 * Scaling    raw parameters; cfg->widths[0] = d sets the input scale, the hidden widths are not used.
 * Ownership  the caller's. Cost as nth_infinite_fill, which offers more (infinite.h).
 * Accuracy   a few ulp of the largest term; 1e-12 without a closed form. test_ntk.c, circle_table.
 * Errors     NTH_E_ARG, NTH_E_SHAPE, NTH_E_NUMERIC, NTH_E_NOMEM as nth_infinite_create_fc.
 */
NTH_API NTH_NODISCARD nth_status nth_ntk_infinite(nth_blocks *K, const nth_net_config *cfg,
                                                  nth_cmat X, nth_cmat X_test);

#ifdef __cplusplus
}
#endif
#endif
