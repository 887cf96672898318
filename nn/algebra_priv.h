/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * The algebras in which jets live, as tables, so that one propagation code serves them all.
 *
 *     nilpotent(k)  R[eps_1..eps_k]/(eps_j^2): component S is a subset of the directions. Bit b of
 *                   S stands for direction k - b: the last direction is bit 0, and the components
 *                   over directions j+1..k are exactly 0 .. 2^(k-j) - 1 (E16-E18).
 *     taylor(k)     R[eps]/(eps^{k+1}): component c is the coefficient of eps^c (E23, E36).
 *
 *     (a b)_c = sum over products a_i b_j,   (psi(a))_c = sum coef psi^(order)(a_0) prod a_fac   (E17)
 */
#ifndef NTH_NN_ALGEBRA_PRIV_H
#define NTH_NN_ALGEBRA_PRIV_H

enum {
    NTH_MAX_ORDER = 4,      /* directions, or power of eps */
    NTH_MAX_COMPS = 16,     /* 2^4 */
    NTH_MAX_PRODUCTS = 81,  /* 3^4 */
    NTH_MAX_MONOMIALS = 52  /* sum of Bell numbers over the subsets of 4 */
};

typedef struct nth_product {
    signed char a, b;
} nth_product;

typedef struct nth_monomial {
    double      coef;
    signed char order, factors, fac[NTH_MAX_ORDER];
} nth_monomial;

typedef struct nth_algebra {
    int          order, comps;
    int          product_start[NTH_MAX_COMPS + 1]; /* products of component c: [start[c], start[c+1]) */
    nth_product  product[NTH_MAX_PRODUCTS];
    int          monomial_start[NTH_MAX_COMPS + 1];
    nth_monomial monomial[NTH_MAX_MONOMIALS];
} nth_algebra;

void nth_algebra_nilpotent(nth_algebra *alg, int directions); /* 0 .. NTH_MAX_ORDER */
void nth_algebra_taylor(nth_algebra *alg, int order);         /* 0 .. NTH_MAX_ORDER */

#endif
