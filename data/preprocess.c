/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Preprocessing in its one order: (pixel range, done by the image reader,) centring, projection,
 * unit norm, bias coordinate. Whatever is estimated (the mean) comes from the training rows alone;
 * test rows go through the same map.
 */
#include "alloc_priv.h"
#include "data_priv.h"
#include "fail_priv.h"
#include "linalg_priv.h"
#include "nth/rng.h"

#include <math.h>
#include <string.h>

static void subtract(nth_mat x, const double *mean)
{
    for (ptrdiff_t i = 0; i < x.rows; ++i)
        for (ptrdiff_t j = 0; j < x.cols; ++j) x.a[i * x.ld + j] -= mean[j];
}

static nth_status centre(nth_mat x, nth_mat x_test)
{
    nth_status st = NTH_OK;
    double    *mean = NULL;
    NTH_TRY(nth_priv_doubles(&mean, x.cols, "mean of the inputs"));
    for (ptrdiff_t i = 0; i < x.rows; ++i)
        for (ptrdiff_t j = 0; j < x.cols; ++j) mean[j] += x.a[i * x.ld + j];
    for (ptrdiff_t j = 0; j < x.cols; ++j) mean[j] /= (double)x.rows;
    subtract(x, mean);
    subtract(x_test, mean);
done:
    nth_priv_free(mean);
    return st;
}

/* *x <- *x G; the old block is freed. */
static nth_status multiply(nth_mat *x, nth_cmat G)
{
    nth_status st = NTH_OK;
    nth_mat    z = { 0 };
    NTH_TRY(nth_priv_mat(&z, x->rows, G.cols, "projected inputs"));
    if (x->rows > 0) NTH_TRY(nth_gemm(1.0, NTH_N, nth_const(*x), NTH_N, G, 0.0, z));
    nth_priv_free(x->a);
    *x = z;
    z.a = NULL;
done:
    nth_priv_free(z.a);
    return st;
}

/* Entry (j,q) of the map is normal number j D + q over sqrt(D): norms are kept in the mean. */
static nth_status project(nth_data *data, ptrdiff_t dims, uint64_t seed)
{
    nth_status      st = NTH_OK;
    const ptrdiff_t d = data->x.cols;
    nth_mat         G = { 0 };
    NTH_TRY(nth_priv_mem_check(8.0 * (double)dims * ((double)d + (double)data->x.rows), "the projection"));
    NTH_TRY(nth_priv_mat(&G, d, dims, "projection"));
    nth_rand_normals(G.a, d * dims, seed, NTH_STREAM_PROJECTION, 0, 0);
    for (ptrdiff_t p = 0; p < d * dims; ++p) G.a[p] /= sqrt((double)dims);
    NTH_TRY(multiply(&data->x, nth_const(G)));
    NTH_TRY(multiply(&data->x_test, nth_const(G)));
done:
    nth_priv_free(G.a);
    return st;
}

static nth_status unit_rows(nth_mat x, const char *name)
{
    nth_status st = NTH_OK;
    for (ptrdiff_t i = 0; i < x.rows; ++i) {
        double *row = x.a + i * x.ld, largest = 0.0, sum = 0.0;
        for (ptrdiff_t j = 0; j < x.cols; ++j) largest = fabs(row[j]) > largest ? fabs(row[j]) : largest;
        NTH_REQUIRE(largest > 0.0, NTH_E_NUMERIC,
                    "row %td of %s, counted from 0, is zero and cannot be given unit norm", i, name);
        for (ptrdiff_t j = 0; j < x.cols; ++j) row[j] /= largest, sum += row[j] * row[j];
        for (ptrdiff_t j = 0; j < x.cols; ++j) row[j] /= sqrt(sum);
    }
done:
    return st;
}

static nth_status append_one(nth_mat *x)
{
    nth_status      st = NTH_OK;
    const ptrdiff_t d = x->cols;
    nth_mat         z = { 0 };
    NTH_TRY(nth_priv_mat(&z, x->rows, d + 1, "inputs with bias coordinate"));
    for (ptrdiff_t i = 0; i < x->rows; ++i) {
        memcpy(z.a + i * z.ld, x->a + i * x->ld, (size_t)d * sizeof(double));
        z.a[i * z.ld + d] = 1.0;
    }
    nth_priv_free(x->a);
    *x = z;
done:
    return st;
}

nth_status nth_priv_preprocess(nth_data *data, const nth_data_options *opt, bool images)
{
    nth_status st = NTH_OK;
    NTH_REQUIRE(images || opt->pixels == NTH_PIXELS_DEFAULT, NTH_E_ARG,
                "%s: a pixel range is for image sets (cifar10, mnist) only", data->source);
    NTH_REQUIRE(opt->project >= 0, NTH_E_ARG, "projection to %td dimensions", opt->project);
    NTH_TRY(nth_priv_options_text(&data->preprocessing, opt, images));
    if (opt->centre) NTH_TRY(centre(data->x, data->x_test));
    if (opt->project > 0) NTH_TRY(project(data, opt->project, opt->project_seed));
    if (opt->unit_norm) {
        NTH_TRY(unit_rows(data->x, "x"));
        NTH_TRY(unit_rows(data->x_test, "x_test"));
    }
    if (opt->bias) {
        NTH_TRY(append_one(&data->x));
        NTH_TRY(append_one(&data->x_test));
    }
done:
    return st;
}
