/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * The frozen numbers of a truncation. Pairs of inputs are counted once: training pairs (i >= j) row by
 * row, then test-train pairs, then test pairs (i >= j).
 */
#ifndef NTH_NTH_TRUNCATION_PRIV_H
#define NTH_NTH_TRUNCATION_PRIV_H

#include "hier_priv.h"
#include "nth/truncation.h"

enum { NTH_FROZEN = NTH_HIER_MAX_ORDER - 1 }; /* K2 .. K6 */

struct nth_truncation {
    ptrdiff_t n, k, dirs; /* training, test inputs; directions kept */
    int       level;
    ptrdiff_t pairs, driving;      /* all pairs; those with a training input, which move the outputs */
    double   *y;                   /* (n) */
    double   *f0;                  /* (n + k) outputs at t = 0 */
    nth_mat   V;                   /* (dirs x n) orthonormal rows */
    double   *tensor[NTH_FROZEN];  /* [j] (pairs x dirs^j), T_j of E38 */
};

/* The same with directions given: V (dirs x n) orthonormal rows, copied. */
NTH_NODISCARD nth_status nth_priv_truncation_from_rows(nth_truncation **tr, const nth_rows *rows, const double *y,
                                                       int level, nth_cmat V);
/* Rows of V (dirs x n): the leading eigenvectors of int_0^horizon u u^T dt, u the linearised residual. */
NTH_NODISCARD nth_status nth_priv_truncation_directions(nth_mat V, const nth_rows *rows, const double *y,
                                                        double horizon);

/* The part of nth_truncation_bytes that a run takes. */
double nth_priv_truncation_run_bytes(ptrdiff_t n, ptrdiff_t k, int level, ptrdiff_t dirs, nth_truncation_form form);

static inline ptrdiff_t nth_priv_power(ptrdiff_t base, int exponent)
{
    ptrdiff_t p = 1;
    for (int i = 0; i < exponent; ++i) p *= base;
    return p;
}

#endif
