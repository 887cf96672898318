/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Dual activations: what an activation turns into when the width goes to infinity.
 *
 *     S(q1,q2,k) = E[sigma(z1) sigma(z2)],   Sdot(q1,q2,k) = E[sigma'(z1) sigma'(z2)]     [E44]
 *     (z1, z2) Gaussian, mean zero, variances q1 and q2, covariance k
 *
 * Most activations have closed forms (E45-E50). The others, and functions of the user, are
 * integrated: one pair of inputs by quadrature to a tolerance (E51). The infinite-width kernels
 * treat many pairs at once.
 */
#ifndef NTH_DUAL_H
#define NTH_DUAL_H

#include <stdbool.h>
#include <stddef.h>

#include "nth/net.h"

#ifdef __cplusplus
extern "C" {
#endif

enum { NTH_DUAL_MAX_POWER = 16 };

typedef enum nth_dual_kind {
    NTH_DUAL_PIECEWISE, /* a min(z,0) + b max(z,0): relu, leaky relu, abs, linear */
    NTH_DUAL_ERF,
    NTH_DUAL_GELU,
    NTH_DUAL_SIN,
    NTH_DUAL_COS,
    NTH_DUAL_MONOMIAL, /* z^power, power = 1..NTH_DUAL_MAX_POWER */
    NTH_DUAL_FUNCTION  /* any function, by its values and those of its derivative */
} nth_dual_kind;

/* sigma and sigma' of a user's activation: f[i] and df[i] at z[i], i < n; no array overlaps. */
typedef void nth_dual_fn(const double *z, ptrdiff_t n, double *f, double *df, void *ctx);

typedef struct nth_dual {
    nth_dual_kind kind;
    double        a, b;  /* PIECEWISE: slopes left and right of 0 */
    int           power; /* MONOMIAL */
    nth_dual_fn  *eval;  /* FUNCTION */
    void         *ctx;   /* handed to eval */
    bool kink; /* FUNCTION: sigma or sigma' is not smooth at z = 0 (and smooth elsewhere) */
} nth_dual;

typedef struct nth_dual_value {
    double S, Sdot;
    double error; /* estimated absolute error of the worse of the two; 0 for closed forms */
} nth_dual_value;

/**
 * The dual of a built-in activation. All have one; tanh and softplus become NTH_DUAL_FUNCTION.
 *
 * Errors     NTH_E_ARG (not an activation).
 */
NTH_API NTH_NODISCARD nth_status nth_dual_of(nth_dual *dual, nth_activation act);

/**
 * The dual with this name: those of nth_activation_parse, and leaky_relu (with `slope` left of 0;
 * the others ignore it), abs, cos, cubic, silu = z/(1 + e^-z).
 *
 * Errors     NTH_E_ARG, naming the valid ones, or the slope if it is not finite.
 */
NTH_API NTH_NODISCARD nth_status nth_dual_parse(nth_dual *dual, const char *name, double slope);

/** True if S and Sdot have closed forms here (all kinds but NTH_DUAL_FUNCTION). */
NTH_API bool nth_dual_has_closed_form(const nth_dual *dual);

/**
 * S and Sdot of one pair: the closed form where there is one, else nth_dual_quadrature.
 *
 *     S = E[sigma(z1) sigma(z2)],   Sdot = E[sigma'(z1) sigma'(z2)]                  [E44-E50]
 *
 * relu's Sdot has no limit where a variance is 0; it is given the value of coincident inputs, 1/2.
 *
 * Shapes     q1, q2 >= 0; k^2 <= q1 q2, up to rounding (1e-9 relative), which is clipped.
 * Scaling    variances and covariance of the pre-activations; sigma_w and sigma_b are the caller's.
 * Ownership  nothing is kept.
 * Cost       closed forms below 1 us; no allocation.
 * Accuracy   a few ulp of sqrt(S(q1,q1,q1) S(q2,q2,q2)), also for coincident, opposite and zero
 *            inputs; test_dual.c, oracles, closed_forms_at_the_ends.
 * Errors     NTH_E_ARG (no covariance, power or eval out of range); NTH_E_NUMERIC (value not
 *            finite, or as nth_dual_quadrature).
 */
NTH_API NTH_NODISCARD nth_status nth_dual_pair(nth_dual_value *out, const nth_dual *dual, double q1,
                                               double q2, double k, double tol);

/**
 * S and Sdot of one pair by quadrature, for any kind: the independent check of the closed forms.
 *
 *     S ~= sum_ab w_a w_b sigma(z1) sigma(z2) on a grid over (u, v),
 *     z1 = sqrt(q1) u,   z2 = (k/sqrt q1) u + sqrt(q2 - k^2/q1) v                        [E51]
 *
 * Smooth sigma: trapezoid rule, its step halved until two results agree to tol. With a kink at 0:
 * polar coordinates cut at the rays z1 = 0 and z2 = 0, Gauss-Legendre panels, doubled until they
 * agree. k^2 = q1 q2 is a single integral.
 *
 * Shapes     as nth_dual_pair; tol > 0, absolute where E|sigma(z1) sigma(z2)| (for Sdot, of sigma')
 *            is below 1 and relative to it above: sums cannot be rounded better than their terms.
 * Ownership  nothing is kept. FUNCTION: eval is called on the calling thread, 256 points at a time.
 * Cost       10^4 to 10^7 evaluations of sigma, more for large variances; no allocation.
 * Accuracy   out->error, the difference of the last two results; tests: quadrature_matches_closed,
 *            error_is_honest.
 * Errors     NTH_E_ARG; NTH_E_NUMERIC (tolerance not reached, naming it, the error and q1, q2, k,
 *            which are also left in out; sigma not finite).
 */
NTH_API NTH_NODISCARD nth_status nth_dual_quadrature(nth_dual_value *out, const nth_dual *dual,
                                                     double q1, double q2, double k, double tol);

#ifdef __cplusplus
}
#endif
#endif
