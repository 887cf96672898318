/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Gauss-Legendre nodes and what collocation in time needs of them, on the unit interval [0, 1].
 */
#ifndef NTH_BASE_LEGENDRE_PRIV_H
#define NTH_BASE_LEGENDRE_PRIV_H

#include "nth/mat.h"

enum { NTH_LEGENDRE_MAX = 256 };

/* Nodes x (q) ascending in (0,1) and weights w (q) with sum 1; 1 <= q <= NTH_LEGENDRE_MAX. */
void nth_legendre_nodes(int q, double *x, double *w);

/* S (q x q): S_ij = int_0^{x_i} l_j(s) ds for the Lagrange polynomials l_j of the nodes. */
void nth_legendre_integrals(int q, const double *x, const double *w, nth_mat S);

/* Row k of C (q x q) maps values at the nodes to the coefficient of the Legendre polynomial
 * P_k(2s - 1) of their interpolant. */
void nth_legendre_coefficients(int q, const double *x, const double *w, nth_mat C);

#endif
