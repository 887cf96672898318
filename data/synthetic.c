/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * The data sets that need no file; synthetic:two-objects is in objects.c.
 *
 * synthetic:sphere, the default: inputs uniform on the unit sphere of R^d (normalized Gaussian vectors),
 * labels +1, -1, +1, ... so that the classes are balanced. Input i is reflected so that its first
 * coordinate has the sign of its label: the classes are two halves of the sphere, a target that a network
 * can learn.
 *
 * synthetic:cosine, a regression (Schwab, Kelly, Malamud, Xu 2025): x, w ~ N(0, I_d), u = gamma w.x,
 * y = cos(u)/(1 + e^u) + noise N(0,1). Number j of w is normal number j of run 0 of NTH_STREAM_LABELS; the
 * noise of input i is number i of run 1, of test inputs of run 2.
 *
 * In both number j of input i is normal number i d + j of NTH_STREAM_INPUTS, run 0 for training and 1 for
 * test inputs; so the first rows are the same for any n.
 */
#include "data_priv.h"
#include "alloc_priv.h"
#include "fail_priv.h"
#include "nth/rng.h"

#include <math.h>
#include <string.h>

static void fill_sphere(nth_mat x, nth_mat y, uint64_t seed, uint32_t run)
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
    fill_sphere(data->x, data->y, seed, 0);
    fill_sphere(data->x_test, data->y_test, seed, 1);
done:
    return st;
}

static void fill_cosine(nth_mat x, nth_mat y, const double *w, double noise, uint64_t seed, uint32_t run)
{
    if (x.rows == 0) return;
    nth_rand_normals(x.a, x.rows * x.cols, seed, NTH_STREAM_INPUTS, run, 0);
    nth_rand_normals(y.a, y.rows, seed, NTH_STREAM_LABELS, run + 1, 0);
    for (ptrdiff_t i = 0; i < x.rows; ++i) {
        double u = 0.0;
        for (ptrdiff_t j = 0; j < x.cols; ++j) u += w[j] * x.a[i * x.ld + j];
        y.a[i] = cos(u) / (1.0 + exp(u)) + noise * y.a[i];
    }
}

static nth_status load_cosine(nth_data *data, const nth_spec *spec)
{
    nth_status  st = NTH_OK;
    ptrdiff_t   n = 800, d = 10, test = 200;
    uint64_t    seed = 1;
    const char *gamma_text = "1", *noise_text = "0";
    double      gamma, noise, *w = NULL;
    NTH_TRY(nth_priv_spec_count(spec, "n", 1, PTRDIFF_MAX, &n));
    NTH_TRY(nth_priv_spec_count(spec, "d", 1, PTRDIFF_MAX, &d));
    NTH_TRY(nth_priv_spec_count(spec, "test", 0, PTRDIFF_MAX, &test));
    NTH_TRY(nth_priv_spec_seed(spec, "seed", &seed));
    NTH_TRY(nth_priv_spec_real(spec, "gamma", 0.0, 100.0, &gamma_text, &gamma));
    NTH_TRY(nth_priv_spec_real(spec, "noise", 0.0, 100.0, &noise_text, &noise));
    NTH_TRY(nth_priv_data_alloc(data, n, test, d, 1));
    NTH_TRY(nth_priv_doubles(&w, d, "direction of the target"));
    NTH_TRY(nth_priv_format(&data->source, "synthetic:cosine?n=%td&test=%td&gamma=%s&noise=%s&d=%td&seed=%llu", n, test, gamma_text,
                            noise_text, d, (unsigned long long)seed));
    nth_rand_normals(w, d, seed, NTH_STREAM_LABELS, 0, 0);
    for (ptrdiff_t j = 0; j < d; ++j) w[j] *= gamma;
    fill_cosine(data->x, data->y, w, noise, seed, 0);
    fill_cosine(data->x_test, data->y_test, w, noise, seed, 1);
done:
    nth_priv_free(w);
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
    static const char *const names[] = { "sphere", "two-objects", "cosine", NULL };
    static const struct {
        nth_status (*load)(nth_data *, const nth_spec *);
        const char *refused[5];
    } kinds[] = { { load_sphere, { "size", "label", "noise", "gamma" } },
                  { nth_priv_load_objects, { "d", "gamma" } },
                  { load_cosine, { "size", "label" } } };
    nth_status st = NTH_OK;
    int        kind = 0;
    (void)opt;
    while (names[kind] != NULL && strcmp(spec->path, names[kind]) != 0) ++kind;
    NTH_REQUIRE(names[kind] != NULL, NTH_E_ARG, "synthetic:%s: no such synthetic set; did you mean \"%s\"?", spec->path,
                nth_priv_data_nearest(spec->path, names));
    NTH_TRY(refuse_keys(spec, kinds[kind].refused));
    NTH_TRY(kinds[kind].load(data, spec));
done:
    return st;
}
