/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Exact expectations over the initialization of a two-layer network in the papers' form (E3): the mean
 * of the fourth-order kernel, its contraction with weights, and the label-aware kernel which is made
 * of it (docs/equations.md, E59-E72).
 */
#ifndef NTH_EXPECTED_H
#define NTH_EXPECTED_H

#include <stdbool.h>

#include "nth/mat.h"
#include "nth/net.h"
#include "nth/ntk.h"
#include "nth/status.h"

#ifdef __cplusplus
extern "C" {
#endif

/* Probability and truncated second moments of Gaussian variables z of mean zero. */
typedef struct nth_orthant {
    double P;       /* P(z_1 > 0, .., z_n > 0) */
    double m[4][4]; /* E[z_k z_l 1{z_1 > 0, .., z_n > 0}], symmetric, also k = l; 0 beyond n */
    double error;   /* absolute, of P, and of m_kl / sqrt(C_kk C_ll): estimated from the angles */
} nth_orthant;

/**
 * Orthant of one to four Gaussian variables.
 *
 *     P = P(z > 0),   m_kl = E[z_k z_l 1{z > 0}],   z ~ N(0, C)                          [E65-E67]
 *
 * A variable of variance 0 is never > 0: then P = 0 and m = 0. Variables that are multiples of each
 * other count once; with a negative factor P = 0 and m = 0.
 *
 * Shapes     C (n x n) row by row, n <= 4, a covariance up to rounding, any rank. gap (n x n) or NULL:
 *            distances |u_i - u_j| of the standardised vectors (x_i/|x_i| where C_ij = x_i . x_j), or
 *            |u_i + u_j| where C_ij < 0; the diagonal is not read. Without gaps, variables whose
 *            correlation is +-1 to within 4 eps coincide; with gaps, those closer than 1e-14.
 * Ownership  the caller's.
 * Cost       8 us (four variables); nothing is allocated.
 * Accuracy   out->error. 5e-14 for any rank where no angle is small. A small angle h costs 8 eps/h without
 *            gaps and nothing with them; two small angles h at once 5e-13 + 0.2 eps/h with gaps, and h below 3e-8;
 *            four vectors within d of a plane the smaller of eps/d and d^2/h, 1e-11 at worst for angles of
 *            order one.
 *            test_orthant.c, oracles, ranks, near_pairs, near_planes.
 * Errors     NTH_E_ARG (n, not a covariance, gap out of range).
 */
NTH_API NTH_NODISCARD nth_status nth_orthant_moments(nth_orthant *out, int n, const double *C,
                                                     const double *gap);

/* Read-out weights at initialization. */
typedef enum nth_readout {
    NTH_READOUT_GAUSSIAN, /* a ~ N(0,1): E a^4 = 3 */
    NTH_READOUT_SIGNS     /* a = +1 or -1: E a^4 = 1 */
} nth_readout;

/* Which mean: of form E3, f = m^{-1/2} sum_r a_r sigma(w_r . x), w ~ N(0, I). */
typedef struct nth_expected_config {
    nth_activation activation;
    bool           almost_everywhere; /* relu only: sigma'' = 0, the a.e. form; else its delta terms count */
    nth_readout    readout;
    bool           antisymmetric;     /* doubled network (E4): means with f_0 are 0; m is its whole width */
    double         tolerance;         /* of quadrature, relative to the largest mean; 0: 1e-10 */
} nth_expected_config;

/* m times a mean at four points, and the four parts of the sum E60. */
typedef struct nth_expected_value {
    double K4;         /* m E K4(1,2,3,4) = A + B + C + D */
    double K3f0;       /* m E[K3(1,2,3) f_0(4)] = A + B */
    double A, B, C, D; /* E[s4 A], 3 E[s4 B], E[C], E[a^4] E[D] */
    double error;      /* estimated absolute error of each */
} nth_expected_value;

/**
 * Mean fourth-order kernel of a two-layer network at four points.
 *
 *     m E K4(1,2,3,4) = E_w[ s4 A + 3 s4 B + C + (E a^4) D ],   m E[K3(1,2,3) f_0(4)] = E_w[ s4 A + 3 s4 B ]
 *                                                                                     [E60, E61]
 *     relu, a.e. form:  A = x13 m24 + x23 m14 + 2 x12 m34,  C = (x13 x24 + x23 x14 + 2 x12 x34) P4   [E64]
 *
 * relu with almost_everywhere = false: the limit of smooth activations that sharpen to relu, with every
 * delta function of B, C, D. It is infinite where point 1 or 2 is a multiple of point 4, and depends on
 * the smooth activations where points 1, 2, 3 are multiples of each other or all four lie in a plane
 * (unless 1 is a multiple of 2 and 3 of 4). The a.e. form is finite everywhere. erf is in closed form (E68). Other smooth activations are
 * integrated by the trapezoid rule in at most three dimensions; the mean over sampled networks (E70,
 * nth_hier_contract over seeds) has no such limit.
 *
 * Shapes     C (4 x 4) row by row: the inner products x_i . x_j; gap as for nth_orthant_moments, or
 *            NULL (relu only; not read otherwise).
 * Scaling    m times the mean, whatever the width. Doubled networks: K3f0 is 0.
 * Ownership  the caller's.
 * Cost       relu 8 us, erf 1 us, nothing allocated; quadrature 0.1 to 5 s in three dimensions.
 * Accuracy   out->error. relu a.e. and erf 1e-13, quadrature cfg->tolerance. test_expected.c, relu_ae_oracles,
 *            erf_oracles, relu_is_the_limit_of_softplus, quadrature_matches_erf.
 * Errors     NTH_E_ARG (no Gram matrix; almost_everywhere without relu; quadrature in four dimensions);
 *            NTH_E_NUMERIC (relu's mean is infinite or not defined, naming the points; tolerance not reached).
 */
NTH_API NTH_NODISCARD nth_status nth_expected_four(nth_expected_value *out, const nth_expected_config *cfg,
                                                   const double *C, const double *gap);

/**
 * Mean fourth-order kernel of all quadruples of a few points.
 *
 *     T[((a N + b) N + c) N + d] = m E K4(x_a, x_b, x_c, x_d)                          [E60]
 *
 * Shapes     T (N^4), X (N x d).
 * Ownership  the caller's.
 * Cost       N^4/24 orthants; the same bits on any number of threads.
 * Accuracy   as nth_expected_four.
 * Errors     as nth_expected_four; NTH_E_SHAPE, NTH_E_NOMEM.
 */
NTH_API NTH_NODISCARD nth_status nth_expected_tensor(double *T, const nth_expected_config *cfg, nth_cmat X);

/* Which mean is contracted. */
typedef enum nth_expected_order { NTH_EXPECTED_K4, NTH_EXPECTED_K3_F0 } nth_expected_order;

/**
 * Mean kernels contracted with a matrix of weights over the training points.
 *
 *     K(x,x') = m sum_ij W_ij E K4(x,x',x_i,x_j),   or   m sum_ij W_ij E[K3(x,x',x_i) f_0(x_j)]    [E60, E61]
 *
 * Shapes     blocks of K as in nth_blocks; W (n x n), any; X (n x d), X_test (k x d) or empty.
 * Scaling    m times the mean.
 * Ownership  the caller's.
 * Cost       orthants are symmetric: n^4/24 of them for the training block, k n^3/6, k^2 n^2/4 for the
 *            others, 8 us each: three minutes of one core at n = 150. n^3 doubles. Same bits on any number of threads.
 * Accuracy   as nth_expected_four, times sum |W|; test_expected.c, contraction_matches_tensor.
 * Errors     as nth_expected_four; NTH_E_NUMERIC (relu with delta terms: a block with training inputs is infinite, only test_test is
 *            there); NTH_E_SHAPE, NTH_E_NOMEM.
 */
NTH_API NTH_NODISCARD nth_status nth_expected_contract(nth_blocks *K, const nth_expected_config *cfg,
                                                       nth_expected_order order, nth_cmat X, nth_cmat X_test,
                                                       nth_cmat W);

/* The weights of time in the label-aware kernel. */
typedef enum nth_label_rule {
    NTH_LABEL_EXACT, /* Omega(t) of E28 */
    NTH_LABEL_HALF   /* alpha alpha^T / 2, without its antisymmetric part (E34): an approximation */
} nth_label_rule;

/* Parts of the mean kernel at time t, each m times its mean. Blocks whose `a` is NULL are not computed. */
typedef struct nth_label_kernel {
    nth_blocks K2; /* E K2_0: not times m */
    nth_blocks LA; /* m y^T B y, the label-aware part */
    nth_blocks C1; /* m C1, the part of f_0 with K3; 0 for doubled networks */
    nth_blocks C2; /* m C2, the part of f_0 with K4; 0 for doubled networks */
} nth_label_kernel;

/**
 * Label-aware kernel of a two-layer network, and the rest of the mean drift of its kernel.
 *
 *     K^(NTH) = E K2_0 + LA,     LA = sum_ij Omega_ij(t) E K4_0(x,x',x_i,x_j),  Omega from E K2_0 and y     [E71, E72]
 *     E K_t   = E K2_0 + LA + C1 + C2 + O(m^-2)                                         [E63]
 *     C1 = - sum_ij (U psi U^T)_ij E[K3(x,x',x_i) f_0(x_j)],   C2 = sum_ij B_ij E[f_0(x_i) f_0(x_j)]   [E61, E62]
 *
 * Three kernels must not be taken for each other: K^(NTH) (K2 + LA/m), the mean at time t (all four
 * parts), and the kernel of one network (nth_hier_khat). relu in the a.e. form makes every part but K2
 * a.e., too: kinks that are crossed in training are missing.
 *
 * Shapes     X (n x d), X_test (k x d) or empty, y (n), t >= 0 or INFINITY.
 * Scaling    flow time with the 1/n of E6; K2 as it is, the other parts times m.
 * Ownership  the caller's.
 * Cost       as nth_expected_contract, once for all parts; plus 10 n^3.
 * Accuracy   1e-11 on the oracles; test_expected.c, label_aware_oracles, two_forms_agree, mean_drift.
 * Errors     as nth_expected_contract; NTH_E_NUMERIC (t = INFINITY and E K2_0 singular); NTH_E_ARG (t).
 */
NTH_API NTH_NODISCARD nth_status nth_label_aware(nth_label_kernel *K, const nth_expected_config *cfg, nth_cmat X,
                                                 nth_cmat X_test, const double *y, double t, nth_label_rule rule);

#ifdef __cplusplus
}
#endif
#endif
