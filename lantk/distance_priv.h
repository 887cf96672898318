/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * |x - x'|_1 of many pairs, the one feature that is not a matrix product. Built once for each instruction set
 * (docs/adr/0007); distance.c takes the best one. Each pair is summed over the coordinates in order, in blocks of
 * NTH_L1_DEPTH: the same bits on any of them.
 */
#ifndef NTH_LANTK_DISTANCE_PRIV_H
#define NTH_LANTK_DISTANCE_PRIV_H

#include "nth/mat.h"

enum { NTH_L1_ROWS = 4, NTH_L1_COLS = 16, NTH_L1_DEPTH = 256 };

/* D (r x c) += sum over `depth` coordinates of |x_ic - z_jc|. x: r <= NTH_L1_ROWS rows, ldx apart; z: packed,
 * coordinate c of the 16 columns at z[16 c ..]; D: 16 columns, ldd apart. r = NTH_L1_ROWS rows always: pad. */
typedef void nth_l1_block(double *D, ptrdiff_t ldd, const double *x, ptrdiff_t ldx, const double *z, ptrdiff_t depth);

typedef struct nth_l1_loops {
    const char   *name;
    nth_l1_block *block;
} nth_l1_loops;

extern const nth_l1_loops nth_l1_portable, nth_l1_avx2, nth_l1_avx512;
extern const nth_l1_loops *nth_test_l1_loops; /* set by tests: these instead */

/* D_ij = |x_i - z_j|_1. D (r x c), X (r x d), Z (c x d). */
NTH_NODISCARD nth_status nth_priv_l1(nth_mat D, nth_cmat X, nth_cmat Z);

#endif
