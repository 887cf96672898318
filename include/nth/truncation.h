/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * The truncated neural tangent hierarchy: outputs and kernels K2 .. K^(p-1) evolve, K^(p) stays what it was at
 * t = 0 (docs/equations.md, E38). Level 2 is the linearised network; level 4 is what Khat_t approximates.
 *
 * A truncation is created once from a network: it contracts the network's kernels at t = 0 and keeps the
 * numbers. Any level up to the one it was made for is then an ordinary differential equation in these numbers.
 */
#ifndef NTH_TRUNCATION_H
#define NTH_TRUNCATION_H

#include "nth/hier.h"

#ifdef __cplusplus
extern "C" {
#endif

/* Two systems with the same solution. */
typedef enum nth_truncation_form {
    NTH_TRUNCATION_INTEGRALS, /* unknowns: nested time integrals of the residual; the kernels enter as constants */
    NTH_TRUNCATION_TENSORS    /* unknowns: the kernels K2 .. K^(p-1) themselves, E10 as it stands */
} nth_truncation_form;

/* What a run took and left out. */
typedef struct nth_truncation_stats {
    long   steps, evaluations; /* of the integrator; of its right-hand side */
    double left_out;           /* largest |r - P r|_2 / |r_0|_2 at the times asked for, P onto the directions kept */
} nth_truncation_stats;

typedef struct nth_truncation nth_truncation;

/**
 * Bytes that creating a truncation and running it take at most.
 *
 *     8 [ N (N+1)/2 (1 + s + .. + s^(p-2)) + unknowns of the integrator ],  N = n + k, s directions
 *
 * Cost       pure function: n training and k other inputs, level p, directions s (0: all n).
 */
NTH_API double nth_truncation_bytes(ptrdiff_t n, ptrdiff_t k, int level, ptrdiff_t directions,
                                    nth_truncation_form form);

/**
 * Contracts the kernels K2 .. K^(level) of a network at t = 0 with s orthonormal directions v_a in each slot
 * beyond the second.
 *
 *     T_j(x,x'; a_1..a_j) = K^(2+j)_0[v_{a_1}, .., v_{a_j}](x,x'),   j = 0 .. level - 2                  [E38]
 *
 * With directions = 0 or n the directions are unit vectors and nothing is left out. Fewer directions span the
 * path of the linearised residual up to `horizon` best in the mean square: the leading eigenvectors of
 * int_0^horizon u_t u_t^T dt. Then the kernels feel the residual's part in that span; the residual itself is kept whole.
 *
 * Shapes     X (n x d), X_test (k x d) or empty, y (n); level 2 .. 6; 0 <= directions <= n.
 * Scaling    kernels of the raw parameters; time with the 1/n of E6.
 * Ownership  *tr belongs to the caller: nth_truncation_destroy. Nothing of the arguments is kept.
 * Cost       s^j contractions of K^(2+j) for each j, 3^j times the products of K2 each; nth_truncation_bytes.
 * Accuracy   that of nth_hier_contract.
 * Errors     NTH_E_ARG (level, directions, horizon; relu above level 2: it lacks the derivatives), NTH_E_NOMEM (more
 *            memory than there is, with the figure), NTH_E_SHAPE, NTH_E_NUMERIC.
 */
NTH_API NTH_NODISCARD nth_status nth_truncation_create(nth_truncation **tr, const nth_net *net, nth_cmat X,
                                                       nth_cmat X_test, const double *y, int level,
                                                       ptrdiff_t directions, double horizon);
NTH_API void                     nth_truncation_destroy(nth_truncation **tr);

/**
 * Integrates the hierarchy truncated at a level.
 *
 *     df(x)/dt = -(1/n) sum_i K2(x,x_i) r_i,    dK^(r)/dt = -(1/n) sum_i K^(r+1)(.., x_i) r_i  for r < p,
 *     K^(p) = K^(p)_0                                                                              [E7, E10, E38]
 *     the same as  K2_t = sum_{j=0}^{p-2} sum_a T_j(.; a) J_j(a; t),   dJ_j(a_1..a_j)/dt = -(1/n) <v_{a_1}, r_t> J_{j-1}(a_2..a_j)
 *
 * Shapes     times (T) finite, not negative, ascending; f (T x (n + k)) training inputs first, or NULL;
 *            K (T) blocks, or NULL. 2 <= level <= level of create.
 * Ownership  the caller's; *tr is not changed, so several threads may run it at once. stats may be NULL.
 * Cost       each evaluation N (N+1)/2 s^(p-2) products (integrals: without pairs of test inputs).
 * Accuracy   Prince-Dormand 8(9) at relative tolerance rtol (0: 1e-12); the forms agree to it. test_truncation.c.
 * Errors     NTH_E_ARG, NTH_E_SHAPE, NTH_E_NOMEM, NTH_E_STEPSIZE, NTH_E_NUMERIC (the truncated system can diverge in
 *            finite time where the flow does not).
 */
NTH_API NTH_NODISCARD nth_status nth_truncation_run(const nth_truncation *tr, int level, nth_truncation_form form,
                                                    double rtol, ptrdiff_t T, const double *times, double *f,
                                                    nth_blocks *K, nth_truncation_stats *stats);

#ifdef __cplusplus
}
#endif
#endif
