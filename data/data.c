/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Data sets: the table of sources, loading, freeing, the checksum. A load is: parse the spec, let
 * the source fill the arrays, preprocess, refuse anything not finite, sum.
 */
#include "nth/data.h"
#include "alloc_priv.h"
#include "data_priv.h"
#include "fail_priv.h"

#include <locale.h>
#include <math.h>
#include <string.h>

/* To add a source: a row here, its keys, a function nth_priv_load_<name>, a test. */
static const nth_source sources[] = {
    { .scheme = "", .load = nth_priv_load_h5 }, /* the name of a file, no keys */
    { .scheme = "cifar10",
      .keys = { "classes", "train", "test", "seed" },
      .images = true,
      .load = nth_priv_load_images },
    { .scheme = "mnist",
      .keys = { "classes", "train", "test", "seed" },
      .images = true,
      .load = nth_priv_load_images },
    { .scheme = "csv",
      .keys = { "target", "task", "ignore", "split", "fold", "train", "test", "seed" },
      .load = nth_priv_load_csv },
    { .scheme = "uci", .keys = { "fold" }, .load = nth_priv_load_uci },
    { .scheme = "synthetic",
      .keys = { "n", "d", "test", "seed", "size", "label", "noise", "gamma" },
      .load = nth_priv_load_synthetic },
    { .load = NULL },
};

nth_status nth_priv_data_alloc(nth_data *data, ptrdiff_t n, ptrdiff_t k, ptrdiff_t d, ptrdiff_t c)
{
    nth_status st = NTH_OK;
    NTH_TRY(nth_priv_mem_check(8.0 * ((double)n + (double)k) * ((double)d + (double)c), "the data set"));
    NTH_TRY(nth_priv_mat(&data->x, n, d, "training inputs"));
    NTH_TRY(nth_priv_mat(&data->y, n, c, "training targets"));
    NTH_TRY(nth_priv_mat(&data->x_test, k, d, "test inputs"));
    NTH_TRY(nth_priv_mat(&data->y_test, k, c, "test targets"));
done:
    return st;
}

nth_status nth_priv_data_labels(nth_data *data, ptrdiff_t classes, const char *const *labels)
{
    nth_status st = NTH_OK;
    NTH_TRY(nth_priv_alloc(&data->labels, classes, sizeof *data->labels, "class labels"));
    data->classes = classes; /* from here destroy frees the labels made so far */
    for (ptrdiff_t i = 0; i < classes; ++i) NTH_TRY(nth_priv_strdup(&data->labels[i], labels[i]));
done:
    return st;
}

void nth_priv_data_set_class(nth_mat y, ptrdiff_t i, ptrdiff_t cls)
{
    if (y.cols == 1) y.a[i * y.ld] = cls == 0 ? 1.0 : -1.0;
    else y.a[i * y.ld + cls] = 1.0;
}

void nth_data_destroy(nth_data **data)
{
    if (data == NULL || *data == NULL) return;
    nth_data *d = *data;
    nth_priv_free(d->x.a);
    nth_priv_free(d->y.a);
    nth_priv_free(d->x_test.a);
    nth_priv_free(d->y_test.a);
    for (ptrdiff_t i = 0; d->labels != NULL && i < d->classes; ++i) nth_priv_free(d->labels[i]);
    nth_priv_free(d->labels);
    nth_priv_free(d->source);
    nth_priv_free(d->preprocessing);
    nth_priv_free(d);
    *data = NULL;
}

static uint64_t fnv1a(uint64_t hash, uint64_t word)
{
    for (int b = 0; b < 64; b += 8) hash = (hash ^ ((word >> b) & 0xff)) * 0x100000001b3u;
    return hash;
}

static uint64_t sum_matrix(uint64_t hash, nth_mat m)
{
    hash = fnv1a(fnv1a(hash, (uint64_t)m.rows), (uint64_t)m.cols);
    for (ptrdiff_t i = 0; i < m.rows; ++i)
        for (ptrdiff_t j = 0; j < m.cols; ++j) {
            uint64_t bits;
            memcpy(&bits, &m.a[i * m.ld + j], sizeof bits);
            hash = fnv1a(hash, bits);
        }
    return hash;
}

uint64_t nth_data_checksum(const nth_data *data)
{
    uint64_t hash = 0xcbf29ce484222325u;
    hash = sum_matrix(sum_matrix(hash, data->x), data->y);
    return sum_matrix(sum_matrix(hash, data->x_test), data->y_test);
}

static nth_status require_finite(nth_mat m, const char *name, const char *source)
{
    nth_status st = NTH_OK;
    for (ptrdiff_t i = 0; i < m.rows; ++i)
        for (ptrdiff_t j = 0; j < m.cols; ++j)
            NTH_REQUIRE(isfinite(m.a[i * m.ld + j]), NTH_E_NUMERIC,
                        "%s: entry (%td,%td) of %s, counted from 0, is not finite", source, i, j, name);
done:
    return st;
}

nth_status nth_data_load(nth_data **data, const char *spec, const nth_data_options *opt)
{
    const nth_data_options defaults = { 0 };
    nth_status             st = NTH_OK;
    nth_spec               parsed = { 0 };
    const nth_source      *source = NULL;
    nth_data              *d = NULL;
    locale_t               plain = (locale_t)0, before = (locale_t)0;
    NTH_REQUIRE(data != NULL, NTH_E_ARG, "nowhere to put the data set");
    *data = NULL;
    if (opt == NULL) opt = &defaults;
    NTH_TRY(nth_priv_spec_parse(&parsed, spec, sources, &source));
    NTH_TRY(nth_priv_alloc(&d, 1, sizeof *d, "data set"));
    plain = newlocale(LC_ALL_MASK, "C", (locale_t)0); /* numbers in files have a point, not a comma */
    NTH_REQUIRE(plain != (locale_t)0, NTH_E_NOMEM, "no memory for a locale");
    before = uselocale(plain);
    NTH_TRY(source->load(d, &parsed, opt));
    NTH_TRY(nth_priv_preprocess(d, opt, source->images));
    NTH_TRY(require_finite(d->x, "x", d->source));
    NTH_TRY(require_finite(d->y, "y", d->source));
    NTH_TRY(require_finite(d->x_test, "x_test", d->source));
    NTH_TRY(require_finite(d->y_test, "y_test", d->source));
    d->checksum = nth_data_checksum(d);
    *data = d;
    d = NULL;
done:
    if (before != (locale_t)0) uselocale(before);
    if (plain != (locale_t)0) freelocale(plain);
    nth_priv_spec_fini(&parsed);
    nth_data_destroy(&d);
    return st;
}
