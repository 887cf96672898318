/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Inside kernel regression: the object, and how its matrix is judged.
 */
#ifndef NTH_NTK_REGRESS_PRIV_H
#define NTH_NTK_REGRESS_PRIV_H

#include "linalg_priv.h"
#include "nth/regress.h"

struct nth_regress {
    ptrdiff_t          n;
    nth_regress_method method;
    bool               intercept;
    nth_regress_info   info;
    nth_mat
        A; /* CHOLESKY, LDLT (n x n): factor of K + rho I below, the matrix above the diagonal */
    double       *owned;  /* A.a, or NULL if that is the caller's */
    nth_pivots    pivots; /* LDLT */
    nth_spectral *sp;     /* EIGEN */
    double       *mean;   /* intercept (n): means of the rows of K */
    double        shift;  /* intercept: eigenvalue given to the constant vector */
    double       *M;      /* (n) diagonal of the inverse, E91 */
    bool          have_M;
};

/* y <- (K + rho I) x, or its inverse. */
typedef nth_status nth_priv_operator(const void *ctx, const double *x, double *y);

/* Extreme Ritz values of a symmetric operator on R^n: *lo from above, *hi from below. About 32
 * applications; exact to rounding for n <= 32 unless eigenvalues coincide. */
NTH_NODISCARD nth_status nth_priv_lanczos(nth_priv_operator *apply, const void *ctx, ptrdiff_t n,
                                          double *lo, double *hi);

/* Factors A = K + rho I, both triangles of which hold the matrix, by r->method, which AUTO leaves; fills in
 * info, or refuses with the figures and a ridge. */
NTH_NODISCARD nth_status nth_priv_regress_factor(nth_regress *r);
/* EIGEN: judges K + rho I from all eigenvalues and takes rho over. */
NTH_NODISCARD nth_status nth_priv_regress_judge(nth_regress *r, double ridge);

/* x <- (K + rho I)^{-1} x for one vector. */
NTH_NODISCARD nth_status nth_priv_regress_solve_one(const nth_regress *r, double *x);

#endif
