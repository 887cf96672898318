/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * What an architecture offers to infinite.c, which cuts matrices into tiles (fc.c, conv.c).
 */
#ifndef NTH_NTK_INFINITE_PRIV_H
#define NTH_NTK_INFINITE_PRIV_H

#include "nth/infinite.h"

/* A rectangle of pairs. */
typedef struct nth_tile {
    ptrdiff_t row, col, rows, cols;
    bool      lower;        /* row = col and square: pairs with col <= row are enough */
    nth_mat   Theta, Sigma; /* (rows x cols), or without memory: not asked for */
} nth_tile;

typedef struct nth_architecture {
    nth_status (*tile)(const void *self, const nth_tile *t);
    void (*destroy)(void *self);
} nth_architecture;

struct nth_infinite {
    const nth_architecture *arch;
    void                   *self;
    ptrdiff_t               n, k, edge; /* points; tile */
    double                  error, positions;
};

/* The object around an architecture's own data, which it takes over, on failure, too. */
NTH_NODISCARD nth_status nth_priv_infinite_create(nth_infinite **K, const nth_architecture *arch, void *self,
                                                  ptrdiff_t n, ptrdiff_t k);
/* Row i of the points, training points first. */
static inline const double *nth_priv_point(nth_cmat X, nth_cmat X_test, ptrdiff_t i)
{
    return i < X.rows ? X.a + i * X.ld : X_test.a + (i - X.rows) * X_test.ld;
}
NTH_NODISCARD nth_status nth_priv_points_check(nth_cmat X, nth_cmat X_test, ptrdiff_t d);

#endif
