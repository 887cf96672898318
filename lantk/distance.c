/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * |x - x'|_1 in blocks: 16 columns are packed coordinate by coordinate, 256 coordinates of them lie in the
 * first-level cache while the rows pass by.
 */
#include "distance_priv.h"
#include "alloc_priv.h"
#include "fail_priv.h"

#include <string.h>

enum { ROWS = 64 }; /* of one task: their 256 coordinates lie in the second-level cache */

const nth_l1_loops *nth_test_l1_loops = NULL;

static const nth_l1_loops *loops(void)
{
    if (nth_test_l1_loops != NULL) return nth_test_l1_loops;
#if defined(__x86_64__) && defined(__GNUC__)
    if (__builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512dq")) return &nth_l1_avx512;
    if (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma")) return &nth_l1_avx2;
#endif
    return &nth_l1_portable;
}

static ptrdiff_t least(ptrdiff_t a, ptrdiff_t b) { return a < b ? a : b; }

/* Columns j .. j+15 of all coordinates; columns beyond the end are zero. */
static void pack(double *out, nth_cmat Z, ptrdiff_t j)
{
    const ptrdiff_t cols = least(NTH_L1_COLS, Z.rows - j);
    if (cols < NTH_L1_COLS) memset(out, 0, (size_t)(NTH_L1_COLS * Z.cols) * sizeof *out);
    for (ptrdiff_t v = 0; v < cols; ++v)
        for (ptrdiff_t c = 0; c < Z.cols; ++c) out[NTH_L1_COLS * c + v] = Z.a[(j + v) * Z.ld + c];
}

/* Four rows against 16 columns; at the edges of D in a block of its own. */
static void corner(const nth_l1_loops *l, nth_mat D, nth_cmat X, ptrdiff_t i, ptrdiff_t j, const double *z,
                   ptrdiff_t c, ptrdiff_t depth)
{
    const ptrdiff_t rows = least(NTH_L1_ROWS, D.rows - i), cols = least(NTH_L1_COLS, D.cols - j);
    double          x[NTH_L1_ROWS * NTH_L1_DEPTH] = { 0 }, d[NTH_L1_ROWS * NTH_L1_COLS] = { 0 };
    for (ptrdiff_t a = 0; a < rows; ++a)
        memcpy(x + a * NTH_L1_DEPTH, X.a + (i + a) * X.ld + c, (size_t)depth * sizeof *x);
    l->block(d, NTH_L1_COLS, x, NTH_L1_DEPTH, z, depth);
    for (ptrdiff_t a = 0; a < rows; ++a)
        for (ptrdiff_t b = 0; b < cols; ++b) D.a[(i + a) * D.ld + j + b] += d[a * NTH_L1_COLS + b];
}

static void task(const nth_l1_loops *l, nth_mat D, nth_cmat X, ptrdiff_t first, const double *packed)
{
    const ptrdiff_t last = least(first + ROWS, D.rows), d = X.cols;
    for (ptrdiff_t i = first; i < last; ++i) memset(D.a + i * D.ld, 0, (size_t)D.cols * sizeof *D.a);
    for (ptrdiff_t c = 0; c < d; c += NTH_L1_DEPTH) {
        const ptrdiff_t depth = least(NTH_L1_DEPTH, d - c);
        for (ptrdiff_t j = 0; j < D.cols; j += NTH_L1_COLS) {
            const double *z = packed + j * d + NTH_L1_COLS * c;
            for (ptrdiff_t i = first; i < last; i += NTH_L1_ROWS)
                if (last - i >= NTH_L1_ROWS && D.cols - j >= NTH_L1_COLS)
                    l->block(D.a + i * D.ld + j, D.ld, X.a + i * X.ld + c, X.ld, z, depth);
                else
                    corner(l, D, X, i, j, z, c, depth);
        }
    }
}

nth_status nth_priv_l1(nth_mat D, nth_cmat X, nth_cmat Z)
{
    nth_status          st = NTH_OK;
    const nth_l1_loops *l = loops();
    const ptrdiff_t     groups = (Z.rows + NTH_L1_COLS - 1) / NTH_L1_COLS, tasks = (D.rows + ROWS - 1) / ROWS;
    double             *packed = NULL;
    NTH_REQUIRE(D.rows == X.rows && D.cols == Z.rows && X.cols == Z.cols, NTH_E_SHAPE,
                "distances %td x %td of inputs %td x %td and %td x %td", D.rows, D.cols, X.rows, X.cols, Z.rows, Z.cols);
    NTH_TRY(nth_priv_doubles(&packed, groups * NTH_L1_COLS * Z.cols, "packed inputs"));
#pragma omp parallel for schedule(static)
    for (ptrdiff_t g = 0; g < groups; ++g) pack(packed + g * NTH_L1_COLS * Z.cols, Z, g * NTH_L1_COLS);
#pragma omp parallel for schedule(dynamic, 1)
    for (ptrdiff_t t = 0; t < tasks; ++t) task(l, D, X, t * ROWS, packed);
done:
    nth_priv_free(packed);
    return st;
}
