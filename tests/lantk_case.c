/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Problems for label-aware kernels (lantk_case.h).
 */
#include "lantk_case.h"
#include "nth/rng.h"
#include "nth_test.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

double lantk_inputs[LANTK_MAX * LANTK_MAX_D], lantk_kernel[LANTK_MAX * LANTK_MAX], lantk_targets[LANTK_MAX * LANTK_CLASSES], lantk_fold[LANTK_MAX];

nth_status lantk_read(nth_mat tile, ptrdiff_t row, ptrdiff_t col, void *ctx)
{
    const lantk_problem *p = ctx;
    for (ptrdiff_t i = 0; i < tile.rows; ++i)
        memcpy(tile.a + i * tile.ld, lantk_kernel + (row + i) * p->n + col, (size_t)tile.cols * sizeof(double));
    return NTH_OK;
}

void lantk_make(lantk_problem *p, ptrdiff_t n, ptrdiff_t k, ptrdiff_t d, ptrdiff_t classes)
{
    const ptrdiff_t c = classes == 2 ? 1 : classes;
    *p = (lantk_problem){ .n = n, .k = k, .d = d };
    nth_rand_normals(lantk_inputs, (n + k) * d, 3, NTH_STREAM_TEST, 0, 0);
    for (ptrdiff_t i = 0; i < n + k; ++i) lantk_inputs[i * d] += 1.0 + (double)(i % classes);
    for (ptrdiff_t i = 0; i < n + k; ++i)
        for (ptrdiff_t j = 0; j < n; ++j) {
            double s = 0.0;
            for (ptrdiff_t q = 0; q < d; ++q) s += (lantk_inputs[i * d + q] - lantk_inputs[j * d + q]) * (lantk_inputs[i * d + q] - lantk_inputs[j * d + q]);
            lantk_kernel[i * n + j] = exp(-s / (2.0 * (double)d)) + (i == j ? 0.1 : 0.0);
        }
    for (ptrdiff_t i = 0; i < n; ++i)
        for (ptrdiff_t q = 0; q < c; ++q)
            lantk_targets[i * c + q] = c == 1 ? (i % 2 == 0 ? 1.0 : -1.0) : i % classes == q ? 1.0 : 0.0;
    p->src = (nth_lantk_source){ .X = nth_cmat_of(lantk_inputs, n, d), .X_test = nth_cmat_of(lantk_inputs + n * d, k, d),
                                 .Y = nth_cmat_of(lantk_targets, n, c), .read = lantk_read, .ctx = p };
}

nth_lantk_options lantk_options(nth_lantk_variant v) { return (nth_lantk_options){ .variant = v, .epsilon = 0.05, .seed = 5 }; }

nth_status lantk_run(nth_lantk **z, lantk_problem *p, const nth_lantk_options *opt)
{
    p->src.ctx = p;
    nth_status st = nth_lantk_create(z, &p->src, opt);
    for (ptrdiff_t s = 0; st == NTH_OK && s < nth_lantk_steps(*z); ++s) st = nth_lantk_gather(*z, s);
    return st;
}

nth_status lantk_whole(double *Z, nth_lantk *z, const lantk_problem *p, ptrdiff_t model)
{
    nth_status      st = NTH_OK;
    const ptrdiff_t e = nth_lantk_tile_size(z);
    nth_mat         view[8] = { { 0 } };
    for (ptrdiff_t i = 0; i < p->n + p->k; i += e) {
        const ptrdiff_t end = i < p->n ? p->n : p->n + p->k, r = end - i < e ? end - i : e;
        for (ptrdiff_t j = 0; j < p->n && st == NTH_OK; j += e) {
            view[model] = (nth_mat){ Z + i * p->n + j, r, p->n - j < e ? p->n - j : e, p->n };
            st = nth_lantk_tile(view, z, i, j);
        }
        i += r - e; /* the next tile begins where this one ends */
    }
    return st;
}

double lantk_T_of(const lantk_problem *p, ptrdiff_t i, ptrdiff_t j)
{
    return memcmp(p->src.Y.a + i * p->src.Y.cols, p->src.Y.a + j * p->src.Y.cols, (size_t)p->src.Y.cols * sizeof(double)) == 0 ? 1.0 : -1.0;
}

double *lantk_features(nth_lantk *z, const lantk_problem *p)
{
    const ptrdiff_t n = p->n;
    double         *F = malloc((size_t)(n * n * z->p) * sizeof *F), *row = malloc((size_t)(n * z->p) * sizeof *row);
    NTH_CHECK(n <= z->edge);
    NTH_CHECK_OK(nth_priv_lantk_load(z, 0, 0, n, n));
    for (ptrdiff_t i = 0; i < n; ++i) {
        const nth_pair_row r = { i, 0, z->K.a + i * z->edge, z->G.a + i * z->edge, z->L.a + i * z->edge };
        nth_priv_features(row, n, z, &z->model[0], &r, NULL, n);
        for (ptrdiff_t j = 0; j < n; ++j)
            for (ptrdiff_t f = 0; f < z->p; ++f) F[(i * n + j) * z->p + f] = row[f * n + j];
    }
    free(row);
    return F;
}
