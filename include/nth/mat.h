/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Matrix views: how arrays enter and leave every function of nth.
 *
 * A view is row-major and does not own its memory: entry (i,j) is a[i*ld + j]. Views are passed by
 * value. A sub-block, or one row of a larger array, is just another view.
 */
#ifndef NTH_MAT_H
#define NTH_MAT_H

#include <stddef.h>

#include "nth/status.h"

#ifdef __cplusplus
extern "C" {
#endif

/* Row-major view; entry (i,j) is a[i*ld + j]. Does not own a. */
typedef struct nth_mat {
    double   *a;
    ptrdiff_t rows, cols, ld;
} nth_mat;

/* The same, read only. */
typedef struct nth_cmat {
    const double *a;
    ptrdiff_t     rows, cols, ld;
} nth_cmat;

/** View of a contiguous rows x cols array. */
static inline nth_mat nth_mat_of(double *a, ptrdiff_t rows, ptrdiff_t cols)
{
    nth_mat m;
    m.a = a, m.rows = rows, m.cols = cols, m.ld = cols;
    return m;
}

/** Read-only view of a contiguous rows x cols array. */
static inline nth_cmat nth_cmat_of(const double *a, ptrdiff_t rows, ptrdiff_t cols)
{
    nth_cmat m;
    m.a = a, m.rows = rows, m.cols = cols, m.ld = cols;
    return m;
}

/** The same view, read only. */
static inline nth_cmat nth_const(nth_mat m)
{
    nth_cmat c;
    c.a = m.a, c.rows = m.rows, c.cols = m.cols, c.ld = m.ld;
    return c;
}

/** The r x c block of m whose first entry is (i,j). */
static inline nth_mat nth_block(nth_mat m, ptrdiff_t i, ptrdiff_t j, ptrdiff_t r, ptrdiff_t c)
{
    nth_mat b;
    b.a = m.a + i * m.ld + j, b.rows = r, b.cols = c, b.ld = m.ld;
    return b;
}

/** The r x c block of a read-only view whose first entry is (i,j). */
static inline nth_cmat nth_cblock(nth_cmat m, ptrdiff_t i, ptrdiff_t j, ptrdiff_t r, ptrdiff_t c)
{
    nth_cmat b;
    b.a = m.a + i * m.ld + j, b.rows = r, b.cols = c, b.ld = m.ld;
    return b;
}

#ifdef __cplusplus
}
#endif
#endif
