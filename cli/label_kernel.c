/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Label-aware kernels that fit into memory (label_kernel.h).
 */
#include "label_kernel.h"

#include <math.h>
#include <string.h>

static nth_status read_blocks(nth_mat tile, ptrdiff_t row, ptrdiff_t col, void *ctx)
{
    const nth_blocks *K = ctx;
    const ptrdiff_t   n = K->train.rows;
    for (ptrdiff_t i = 0; i < tile.rows; ++i) {
        const nth_mat   A = row + i < n ? K->train : K->test;
        const ptrdiff_t at = row + i < n ? row + i : row + i - n;
        memcpy(tile.a + i * tile.ld, A.a + at * A.ld + col, (size_t)tile.cols * sizeof *tile.a);
    }
    return NTH_OK;
}

/* Z of rows first .. first + A.rows - 1 of the points, tile by tile. */
static nth_status fill(nth_lantk *z, nth_mat A, ptrdiff_t first)
{
    nth_status      st = NTH_OK;
    const ptrdiff_t edge = nth_lantk_tile_size(z);
    for (ptrdiff_t row = 0; row < A.rows; row += edge)
        for (ptrdiff_t col = 0; col < A.cols; col += edge) {
            const nth_mat tile = nth_block(A, row, col, A.rows - row < edge ? A.rows - row : edge, A.cols - col < edge ? A.cols - col : edge);
            CLI_TRY(nth_lantk_tile(&tile, z, first + row, col));
        }
done:
    return st;
}

nth_status cli_label_kernel(nth_lantk **z, nth_blocks *Z, const nth_blocks *K, nth_lantk_source src, const nth_lantk_options *opt)
{
    nth_status st = NTH_OK;
    nth_blocks base = *K;
    src.read = read_blocks, src.ctx = &base; /* not read after the blocks are filled */
    CLI_TRY(nth_lantk_create(z, &src, opt));
    for (ptrdiff_t s = 0; s < nth_lantk_steps(*z); ++s) CLI_TRY(nth_lantk_gather(*z, s));
    CLI_TRY(fill(*z, Z->train, 0));
    CLI_TRY(fill(*z, Z->test, Z->train.rows));
done:
    return st;
}

static void blend(nth_mat Z, nth_mat K, double lambda)
{
    for (ptrdiff_t e = 0; e < Z.rows * Z.cols; ++e) Z.a[e] = K.a[e] + lambda * Z.a[e];
}

double cli_label_blend(nth_blocks *Z, const nth_blocks *K, double ratio, double mean_K)
{
    const ptrdiff_t n = Z->train.rows;
    double          mean = 0.0;
    for (ptrdiff_t e = 0; e < n * n; ++e) mean += fabs(Z->train.a[e]) / ((double)n * (double)n);
    const double lambda = ratio * mean_K / mean;
    blend(Z->train, K->train, lambda);
    blend(Z->test, K->test, lambda);
    return lambda;
}
