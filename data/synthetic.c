/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * The data sets that need no file: synthetic:two-objects is in objects.c; synthetic:sphere, the default: inputs uniform on the unit sphere of R^d
 * (normalized Gaussian vectors), labels +1, -1, +1, ... so that the classes are balanced. Input i is
 * reflected so that its first coordinate has the sign of its label: the classes are two halves of
 * the sphere, a target that a network can learn. Number j of input i is normal number i d + j of NTH_STREAM_INPUTS, run
 * 0 for training and 1 for test inputs; so the first rows are the same for any n.
 */
#include "data_priv.h"
#include "fail_priv.h"
#include "nth/rng.h"

#include <math.h>
#include <string.h>

static const char *const kinds[] = { "sphere", "two-objects", NULL };

static void fill(nth_mat x, nth_mat y, uint64_t seed, uint32_t run)
{
    for (ptrdiff_t i = 0; i < x.rows; ++i) {
        double *row = x.a + i * x.ld, sum = 0.0;
        nth_rand_normals(row, x.cols, seed, NTH_STREAM_INPUTS, run, (uint64_t)(i * x.cols));
        for (ptrdiff_t j = 0; j < x.cols; ++j) sum += row[j] * row[j];
        const double scale = (row[0] < 0.0) == (i % 2 == 1) ? sqrt(sum) : -sqrt(sum);
        for (ptrdiff_t j = 0; j < x.cols; ++j) row[j] /= scale;
        nth_priv_data_set_class(y, i, i % 2);
    }
}

static nth_status load_sphere(nth_data *data, const nth_spec *spec)
{
    nth_status st = NTH_OK;
    ptrdiff_t  n = 8, d = 6, test = 4;
    uint64_t   seed = 1;
    NTH_TRY(nth_priv_spec_count(spec, "n", 1, PTRDIFF_MAX, &n));
    NTH_TRY(nth_priv_spec_count(spec, "d", 1, PTRDIFF_MAX, &d));
    NTH_TRY(nth_priv_spec_count(spec, "test", 0, PTRDIFF_MAX, &test));
    NTH_TRY(nth_priv_spec_seed(spec, "seed", &seed));
    NTH_TRY(nth_priv_data_alloc(data, n, test, d, 1));
    NTH_TRY(nth_priv_data_labels(data, 2, (const char *const[]){ "+1", "-1" }));
    NTH_TRY(nth_priv_format(&data->source, "synthetic:sphere?n=%td&d=%td&test=%td&seed=%llu", n, d, test,
                            (unsigned long long)seed));
    fill(data->x, data->y, seed, 0);
    fill(data->x_test, data->y_test, seed, 1);
done:
    return st;
}

/* The kinds share one list of keys; each has some that the others do not know. */
static nth_status refuse_keys(const nth_spec *spec, const char *const *keys)
{
    nth_status st = NTH_OK;
    for (; *keys != NULL; ++keys)
        NTH_REQUIRE(nth_priv_spec_text(spec, *keys) == NULL, NTH_E_ARG, "synthetic:%s has no key \"%s\"", spec->path, *keys);
done:
    return st;
}

nth_status nth_priv_load_synthetic(nth_data *data, const nth_spec *spec, const nth_data_options *opt)
{
    static const char *const of_sphere[] = { "d", NULL }, *const of_objects[] = { "size", "label", "noise", NULL };
    nth_status               st = NTH_OK;
    const bool               sphere = strcmp(spec->path, kinds[0]) == 0;
    (void)opt;
    NTH_REQUIRE(sphere || strcmp(spec->path, kinds[1]) == 0, NTH_E_ARG, "synthetic:%s: no such synthetic set; did you mean \"%s\"?",
                spec->path, nth_priv_data_nearest(spec->path, kinds));
    NTH_TRY(refuse_keys(spec, sphere ? of_objects : of_sphere));
    NTH_TRY(sphere ? load_sphere(data, spec) : nth_priv_load_objects(data, spec));
done:
    return st;
}
