/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * data/: specs, the synthetic sphere, preprocessing, checksum, HDF5 data files.
 */
#include "nth_test.h"
#include "data_fixture.h"
#include "nth/data.h"
#include "nth/rng.h"

#include <locale.h>
#include <math.h>
#include <string.h>

#define EPS 2.220446049250313e-16

static nth_status load(const char *spec, const nth_data_options *opt)
{
    nth_data        *data = NULL;
    const nth_status st = nth_data_load(&data, spec, opt);
    NTH_CHECK((st == NTH_OK) == (data != NULL));
    nth_data_destroy(&data);
    return st;
}

static void sphere_is_addressed(void)
{
    nth_data *a = NULL, *b = NULL, *c = NULL;
    NTH_CHECK_OK(nth_data_load(&a, NTH_DATA_DEFAULT_SPEC, NULL));
    NTH_CHECK_OK(nth_data_load(&b, "synthetic:sphere?n=20&test=9", NULL));
    NTH_CHECK_OK(nth_data_load(&c, "synthetic:sphere?seed=2", NULL));
    if (a == NULL || b == NULL || c == NULL) return;
    NTH_CHECK(a->x.rows == 8 && a->x.cols == 6 && a->x_test.rows == 4 && a->y.cols == 1 && b->x.rows == 20);
    NTH_CHECK(memcmp(a->x.a, b->x.a, 8 * 6 * sizeof(double)) == 0);
    NTH_CHECK(memcmp(a->x_test.a, b->x_test.a, 4 * 6 * sizeof(double)) == 0);
    NTH_CHECK(memcmp(a->x.a, a->x_test.a, 4 * 6 * sizeof(double)) != 0);
    NTH_CHECK(memcmp(a->x.a, c->x.a, 8 * 6 * sizeof(double)) != 0);
    for (ptrdiff_t i = 0; i < a->x.rows; ++i) {
        double sum = 0.0, g[6], norm = 0.0;
        nth_rand_normals(g, 6, 1, NTH_STREAM_INPUTS, 0, (uint64_t)(6 * i));
        for (ptrdiff_t j = 0; j < 6; ++j) sum += a->x.a[6 * i + j] * a->x.a[6 * i + j], norm += g[j] * g[j];
        NTH_CHECK_CLOSE(sum, 1.0, 0.0, 6 * EPS); /* d eps */
        NTH_CHECK_CLOSE(fabs(a->x.a[6 * i + 1]) * sqrt(norm), fabs(g[1]), 6 * EPS, 0.0);
        NTH_CHECK_CLOSE(a->x.a[6 * i] * sqrt(norm), a->y.a[i] * fabs(g[0]), 6 * EPS, 0.0); /* the label's half */
        NTH_CHECK_CLOSE(a->y.a[i], i % 2 ? -1.0 : 1.0, 0.0, 0.0);
    }
    NTH_CHECK(a->classes == 2 && strcmp(a->labels[0], "+1") == 0 && strcmp(a->labels[1], "-1") == 0);
    NTH_CHECK(strcmp(a->source, NTH_DATA_DEFAULT_SPEC) == 0 && strcmp(a->preprocessing, "none") == 0);
    NTH_CHECK(a->checksum == nth_data_checksum(a) && a->checksum != b->checksum && a->checksum != c->checksum);
    nth_data_destroy(&a), nth_data_destroy(&b), nth_data_destroy(&c);
    nth_data_destroy(NULL), nth_data_destroy(&a);
}

/* FNV-1a of the bytes of shapes and values, least significant first, written out byte by byte. */
static void checksum_is_fnv1a(void)
{
    nth_data data = { .x = { (double[]){ 1.5, -2.0 }, 1, 2, 2 }, .y = { (double[]){ 1.0 }, 1, 1, 1 } };
    const uint64_t words[] = { 1, 2, 0x3ff8000000000000u, 0xc000000000000000u, 1, 1, 0x3ff0000000000000u, 0, 0, 0, 0 };
    uint64_t       want = 14695981039346656037u;
    for (size_t w = 0; w < sizeof words / sizeof words[0]; ++w)
        for (int b = 0; b < 8; ++b) want = (want ^ ((words[w] >> (8 * b)) & 255u)) * 1099511628211u;
    NTH_CHECK(nth_data_checksum(&data) == want);
    data.x.a[1] = -2.0000000000000004;
    NTH_CHECK(nth_data_checksum(&data) != want);
}

static void bad_specs_name_the_nearest(void)
{
    static const struct {
        const char *spec, *says;
    } bad[] = {
        { "", "synthetic:sphere" },
        { "cifer10:x", "did you mean \"cifar10:\"" },
        { "cifar10", "write \"cifar10:...\"" },
        { "synthetic:spere", "did you mean \"sphere\"" },
        { "synthetic:sphere?tset=3", "unknown key \"tset\"; did you mean \"test\"" },
        { "synthetic:sphere?n=3&n=4", "\"n\" given twice" },
        { "synthetic:sphere?n", "has no value" },
        { "synthetic:sphere?n=", "has no value" },
        { "synthetic:sphere?n=0", "n=0; must be an integer, 1 or more" },
        { "synthetic:sphere?n=-1", "n=-1; must be an integer, 1 or more" },
        { "synthetic:sphere?n=3.5", "n=3.5" },
        { "synthetic:sphere?n=99999999999999999999", "n=99999999999999999999" },
        { "synthetic:sphere?d=0", "d=0" },
        { "synthetic:sphere?seed=x", "2^64 - 1" },
        { "synthetic:sphere?&", "unknown key \"\"" },
        { "mnist:x?classes=1", "at least two" },
        { "mnist:x?classes=1,1", "class 1 is listed twice" },
        { "mnist:x?classes=1,10", "numbers from 0 to 9" },
        { "mnist:x?classes=1,", "numbers from 0 to 9" },
        { "cifar10:x?train=0", "train=0" },
        { "csv:", "no file named" },
        { "csv:x.csv", "no target" },
        { "csv:x.csv?target=y&task=clasify", "did you mean \"classify\"" },
        { "csv:x.csv?target=y&split=f", "go together" },
        { "csv:x.csv?target=y&split=f&fold=1&train=3", "not both" },
        { "uci:", "no set named" },
        { "uci:x/iris?fold=5", "fold=5; must be an integer from 1 to 4" },
    };
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; ++i) {
        NTH_CHECK_STATUS(load(bad[i].spec, NULL), NTH_E_ARG);
        NTH_CHECK_MESSAGE(bad[i].says);
    }
    NTH_CHECK_STATUS(load(NULL, NULL), NTH_E_ARG);
    NTH_CHECK_STATUS(nth_data_load(NULL, NTH_DATA_DEFAULT_SPEC, NULL), NTH_E_ARG);
    NTH_CHECK_STATUS(load("synthetic:sphere?n=9000000000000", NULL), NTH_E_NOMEM);
    NTH_CHECK_STATUS(load("./no:such.h5", NULL), NTH_E_IO); /* a colon in a file name */
}

static void options_are_read_and_recorded(void)
{
    nth_data_options opt = { 0 };
    nth_data        *data = NULL;
    NTH_CHECK_OK(nth_data_options_parse(&opt, "centre=yes,project=3,project-seed=7,unit-norm=yes,bias=yes"));
    NTH_CHECK(opt.centre && opt.project == 3 && opt.project_seed == 7 && opt.unit_norm && opt.bias);
    NTH_CHECK_OK(nth_data_load(&data, "synthetic:sphere", &opt));
    if (data == NULL) return;
    NTH_CHECK(strcmp(data->preprocessing, "centre=yes,project=3,project-seed=7,unit-norm=yes,bias=yes") == 0);
    NTH_CHECK(data->x.cols == 4 && data->x_test.cols == 4);
    nth_data_destroy(&data);
    NTH_CHECK_OK(nth_data_options_parse(&opt, "none"));
    NTH_CHECK_OK(nth_data_options_parse(&opt, "centre=no,bias=no,pixels=raw"));
    NTH_CHECK(!opt.centre && !opt.bias && opt.unit_norm && opt.pixels == NTH_PIXELS_RAW);
    static const struct {
        const char *text, *says;
    } bad[] = { { "center=yes", "did you mean \"centre\"" }, { "bias", "write bias=..." },
                { "bias=1", "must be yes or no" },           { "pixels=sined", "did you mean \"signed\"" },
                { "project=-1", "project=-1" },              { "project-seed=", "project-seed=" },
                { "bias=yes,", "has no value" } };
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; ++i) {
        NTH_CHECK_STATUS(nth_data_options_parse(&opt, bad[i].text), NTH_E_ARG);
        NTH_CHECK_MESSAGE(bad[i].says);
    }
    NTH_CHECK_STATUS(load("synthetic:sphere", &(nth_data_options){ .pixels = NTH_PIXELS_UNIT }), NTH_E_ARG);
    NTH_CHECK_MESSAGE("image sets");
    NTH_CHECK_STATUS(load("synthetic:sphere", &(nth_data_options){ .project = -1 }), NTH_E_ARG);
}

/* The whole chain on the default set, by loops: centre, project, unit norm, bias. */
static void preprocessing_matches_loops(void)
{
    enum { N = 8, K = 4, D = 6, Q = 5 };
    const nth_data_options opt = { .centre = true, .project = Q, .project_seed = 3, .unit_norm = true, .bias = true };
    nth_data              *raw = NULL, *got = NULL;
    double                 mean[D] = { 0 }, G[D * Q], worst = 0.0, ones = 0.0;
    NTH_CHECK_OK(nth_data_load(&raw, NTH_DATA_DEFAULT_SPEC, NULL));
    NTH_CHECK_OK(nth_data_load(&got, NTH_DATA_DEFAULT_SPEC, &opt));
    if (raw == NULL || got == NULL) return;
    nth_rand_normals(G, D * Q, 3, NTH_STREAM_PROJECTION, 0, 0);
    for (int i = 0; i < N; ++i)
        for (int j = 0; j < D; ++j) mean[j] += raw->x.a[D * i + j] / N;
    for (int i = 0; i < N + K; ++i) { /* training rows, then test rows */
        const double *x = i < N ? raw->x.a + D * i : raw->x_test.a + D * (i - N);
        const double *z = i < N ? got->x.a + (Q + 1) * i : got->x_test.a + (Q + 1) * (i - N);
        double        want[Q] = { 0 }, sum = 0.0;
        for (int q = 0; q < Q; ++q)
            for (int j = 0; j < D; ++j) want[q] += (x[j] - mean[j]) * G[j * Q + q] / sqrt(Q);
        for (int q = 0; q < Q; ++q) sum += want[q] * want[q];
        for (int q = 0; q < Q; ++q) worst = nth_worst(worst, fabs(z[q] - want[q] / sqrt(sum)));
        ones = nth_worst(ones, fabs(z[Q] - 1.0));
    }
    NTH_CHECK_CLOSE(worst, 0.0, 0.0, 200 * EPS); /* sums of 6, entries of G below 4, norms above 0.2 */
    NTH_CHECK_CLOSE(ones, 0.0, 0.0, 0.0);
    NTH_CHECK(memcmp(raw->y.a, got->y.a, N * sizeof(double)) == 0);
    nth_data_destroy(&raw), nth_data_destroy(&got);
}

/* Each step alone: recorded by itself, and a projection keeps the scale 1/sqrt(D). */
static void single_steps(void)
{
    static const char *const steps[] = { "centre=yes", "project=4,project-seed=9", "unit-norm=yes", "bias=yes" };
    nth_data                *raw = NULL, *got = NULL;
    NTH_CHECK_OK(nth_data_load(&raw, NTH_DATA_DEFAULT_SPEC, NULL));
    for (int k = 0; raw != NULL && k < 4; ++k) {
        nth_data_options opt = { 0 };
        NTH_CHECK_OK(nth_data_options_parse(&opt, steps[k]));
        NTH_CHECK_OK(nth_data_load(&got, NTH_DATA_DEFAULT_SPEC, &opt));
        if (got == NULL) continue;
        NTH_CHECK(strcmp(got->preprocessing, steps[k]) == 0);
        if (k == 1) {
            double G[24], want = 0.0;
            nth_rand_normals(G, 24, 9, NTH_STREAM_PROJECTION, 0, 0);
            for (int j = 0; j < 6; ++j) want += raw->x.a[j] * G[4 * j] / 2.0; /* sqrt(4) */
            NTH_CHECK_CLOSE(got->x.a[0], want, 0.0, 6 * EPS * 4.0);           /* |x| = 1, |G| < 4 */
        }
        nth_data_destroy(&got);
    }
    nth_data_destroy(&raw);
}

static void zero_and_huge_rows(void)
{
    nth_data              *data = NULL;
    const nth_data_options unit = { .unit_norm = true }, centred = { .centre = true };
    nth_fixture_text("zero.csv", "a,b,y\n1,2,1\n0,0,2\n");
    NTH_CHECK_STATUS(load(nth_fixture_spec("csv:", "zero.csv", "?target=y"), &unit), NTH_E_NUMERIC);
    NTH_CHECK_MESSAGE("row 1 of x,");
    nth_fixture_text("huge.csv", "a,b,y\n3e200,4e200,1\n3e-200,4e-200,2\n");
    NTH_CHECK_OK(nth_data_load(&data, nth_fixture_spec("csv:", "huge.csv", "?target=y"), &unit));
    for (int i = 0; data != NULL && i < 2; ++i) NTH_CHECK_CLOSE(data->x.a[2 * i], 0.6, 4 * EPS, 0.0);
    nth_data_destroy(&data);
    nth_fixture_text("over.csv", "a,y\n1.7e308,1\n1.7e308,2\n");
    NTH_CHECK_STATUS(load(nth_fixture_spec("csv:", "over.csv", "?target=y"), &centred), NTH_E_NUMERIC);
    NTH_CHECK_MESSAGE("entry (0,0) of x,");
}

static void numbers_have_a_point_in_any_locale(void)
{
    nth_data *data = NULL;
    if (setlocale(LC_NUMERIC, "de_DE.UTF-8") == NULL && setlocale(LC_NUMERIC, "fr_FR.UTF-8") == NULL) {
        nth_test_skip("no locale with a decimal comma is installed");
        return;
    }
    nth_fixture_text("point.csv", "a,y\n1.5,2.5\n");
    NTH_CHECK_OK(nth_data_load(&data, nth_fixture_spec("csv:", "point.csv", "?target=y"), NULL));
    if (data != NULL) NTH_CHECK_CLOSE(data->x.a[0] + data->y.a[0], 4.0, 0.0, 0.0);
    NTH_CHECK(localeconv()->decimal_point[0] == ',');
    setlocale(LC_NUMERIC, "C");
    nth_data_destroy(&data);
}

static const nth_provenance prov = { "test", "{}", 1, 1 };

static nth_status write_set(const nth_data *data, const char *path)
{
    nth_file  *file = NULL;
    nth_status st = nth_file_create(&file, path, &prov);
    if (st == NTH_OK) st = nth_data_write(data, file);
    if (st == NTH_OK) st = nth_file_commit(&file);
    nth_file_close(&file);
    return st;
}

static void round_trip(const char *spec, const nth_data_options *opt)
{
    nth_data   *a = NULL, *b = NULL;
    const char *path = nth_fixture_path("round.h5");
    NTH_CHECK_OK(nth_data_load(&a, spec, opt));
    if (a == NULL) return;
    NTH_CHECK_OK(write_set(a, path));
    NTH_CHECK_OK(nth_data_load(&b, path, NULL));
    if (b != NULL) {
        NTH_CHECK(b->checksum == a->checksum && b->classes == a->classes && b->x_test.rows == a->x_test.rows);
        for (ptrdiff_t c = 0; c < a->classes && c < b->classes; ++c) NTH_CHECK(strcmp(a->labels[c], b->labels[c]) == 0);
        NTH_CHECK(strstr(b->source, a->source) != NULL && strstr(b->source, a->preprocessing) != NULL);
    }
    nth_data_destroy(&a), nth_data_destroy(&b);
}

static void written_file_loads_the_same(void)
{
    const nth_data_options bias = { .bias = true };
    nth_fixture_text("three.csv", "a,b,kind\n1,2,x y\n3,4,\"z,w\"\n5,6,v\n");
    nth_fixture_text("plain.csv", "a,b,y\n1,2,0.5\n3,4,2\n5,6,1\n");
    round_trip(NTH_DATA_DEFAULT_SPEC, NULL);
    round_trip("synthetic:sphere?test=0", &bias);
    round_trip(nth_fixture_spec("csv:", "three.csv", "?target=kind"), NULL);
    round_trip(nth_fixture_spec("csv:", "plain.csv", "?target=y"), NULL);
}

typedef struct array {
    const char *name;
    int         rank;
    ptrdiff_t   dims[3];
} array;

/* A file with these arrays, filled with ones, at most 64 entries each. */
static const char *file_of(const array *arrays)
{
    double      ones[64];
    nth_file   *file = NULL;
    const char *path = nth_fixture_path("made.h5");
    for (int i = 0; i < 64; ++i) ones[i] = 1.0;
    NTH_CHECK_OK(nth_file_create(&file, path, &prov));
    for (; arrays->name != NULL; ++arrays)
        NTH_CHECK_OK(nth_file_write(file, arrays->name, ones, arrays->rank, arrays->dims));
    NTH_CHECK_OK(nth_file_commit(&file));
    return path;
}

static void wrong_data_files(void)
{
    static const struct {
        array       arrays[5];
        const char *says;
    } bad[] = {
        { { { "/y", 1, { 4 } } }, "/x" },
        { { { "/x", 2, { 4, 2 } } }, "/y" },
        { { { "/x", 1, { 4 } }, { "/y", 1, { 4 } } }, "/x has 1 dimensions; expected 2" },
        { { { "/x", 2, { 4, 2 } }, { "/y", 3, { 4, 1, 1 } } }, "/y has 3 dimensions; expected 1 or 2" },
        { { { "/x", 2, { 4, 2 } }, { "/y", 1, { 5 } } }, "/x has 4 rows, /y has 5" },
        { { { "/x", 2, { 4, 2 } }, { "/y", 1, { 4 } }, { "/x_test", 2, { 3, 2 } } }, "/x_test without /y_test" },
        { { { "/x", 2, { 4, 2 } }, { "/y", 1, { 4 } }, { "/y_test", 1, { 3 } } }, "/y_test without /x_test" },
        { { { "/x", 2, { 4, 2 } }, { "/y", 1, { 4 } }, { "/x_test", 2, { 3, 5 } }, { "/y_test", 1, { 3 } } },
          "/x has 2 columns, /x_test has 5" },
        { { { "/x", 2, { 4, 2 } }, { "/y", 1, { 4 } }, { "/x_test", 2, { 3, 2 } }, { "/y_test", 1, { 2 } } },
          "/x_test has 3 rows, /y_test has 2" },
        { { { "/x", 2, { 4, 2 } }, { "/y", 1, { 4 } }, { "/x_test", 2, { 3, 2 } }, { "/y_test", 2, { 3, 2 } } },
          "/y has 1 columns, /y_test has 2" },
    };
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; ++i) {
        NTH_CHECK_STATUS(load(file_of(bad[i].arrays), NULL), NTH_E_FORMAT);
        NTH_CHECK_MESSAGE(bad[i].says);
        NTH_CHECK_MESSAGE("made.h5");
    }
    nth_file *file = NULL;
    NTH_CHECK_OK(nth_file_create(&file, nth_fixture_path("nan.h5"), &prov));
    NTH_CHECK_OK(nth_file_write(file, "/x", (const double[]){ 1.0, NAN }, 2, (const ptrdiff_t[]){ 2, 1 }));
    NTH_CHECK_OK(nth_file_write(file, "/y", (const double[]){ 1.0, 2.0 }, 1, (const ptrdiff_t[]){ 2 }));
    NTH_CHECK_OK(nth_file_commit(&file));
    NTH_CHECK_STATUS(load(nth_fixture_path("nan.h5"), NULL), NTH_E_NUMERIC);
    NTH_CHECK_MESSAGE("/x");
    NTH_CHECK_STATUS(load(nth_fixture_path("none.h5"), NULL), NTH_E_IO);
    nth_fixture_text("text.h5", "not HDF5\n");
    NTH_CHECK_STATUS(load(nth_fixture_path("text.h5"), NULL), NTH_E_FORMAT);
}

/* Files of others carry no labels: classes are seen from y. */
static void classes_of_foreign_files(void)
{
    nth_data *data = NULL;
    NTH_CHECK_OK(nth_data_load(&data, file_of((const array[]){ { "/x", 2, { 4, 2 } }, { "/y", 1, { 4 } }, { 0 } }), NULL));
    if (data != NULL) NTH_CHECK(data->classes == 2 && strcmp(data->labels[1], "-1") == 0 && data->y.cols == 1);
    nth_data_destroy(&data);
    NTH_CHECK_OK(nth_data_load(&data, file_of((const array[]){ { "/x", 2, { 4, 2 } }, { "/y", 2, { 4, 3 } }, { 0 } }), NULL));
    if (data != NULL) NTH_CHECK(data->classes == 0 && data->labels == NULL && data->y.cols == 3);
    nth_data_destroy(&data);
}

static nth_status build_everything(void)
{
    const nth_data_options opt = { .centre = true, .project = 3, .unit_norm = true, .bias = true };
    nth_data              *data = NULL;
    const nth_status       st = nth_data_load(&data, NTH_DATA_DEFAULT_SPEC, &opt);
    nth_data_destroy(&data);
    return st;
}

static nth_status parse_options(void)
{
    nth_data_options opt = { 0 };
    return nth_data_options_parse(&opt, "centre=yes,bias=yes");
}

static const char *h5_path;

static nth_status build_from_h5(void)
{
    nth_data        *data = NULL;
    const nth_status st = nth_data_load(&data, h5_path, NULL);
    nth_data_destroy(&data);
    return st;
}

static nth_status make_folds(void)
{
    double           fold[9], other[9];
    const nth_status st = nth_data_folds(fold, 9, 3, 0.2, 1);
    return st != NTH_OK ? st : nth_data_permute(nth_mat_of(other, 9, 1), nth_cmat_of(fold, 9, 1), 1);
}

static void every_allocation_fails_once(void)
{
    nth_data *data = NULL;
    nth_test_every_allocation_fails(make_folds);
    nth_test_every_allocation_fails(build_everything);
    nth_test_every_allocation_fails(parse_options);
    NTH_CHECK_OK(nth_data_load(&data, NTH_DATA_DEFAULT_SPEC, NULL));
    if (data == NULL) return;
    h5_path = nth_fixture_path("sweep.h5");
    NTH_CHECK_OK(write_set(data, h5_path));
    nth_data_destroy(&data);
    nth_test_every_allocation_fails(build_from_h5);
}

/* Each fold against its rank by counting smaller keys. */
static void folds_partition(void)
{
    enum { N = 37 };
    double one[N], five[N], other[N];
    int    held = 0, moved = 0;
    NTH_CHECK_OK(nth_data_folds(one, N, 1, 0.2, 3));
    NTH_CHECK_OK(nth_data_folds(five, N, 5, 0.2, 3));
    NTH_CHECK_OK(nth_data_folds(other, N, 5, 0.2, 4));
    for (ptrdiff_t i = 0; i < N; ++i) {
        int rank = 0;
        for (ptrdiff_t j = 0; j < N; ++j)
            rank += nth_rand_uniform(3, NTH_STREAM_SPLIT, 2, (uint64_t)j) < nth_rand_uniform(3, NTH_STREAM_SPLIT, 2, (uint64_t)i);
        NTH_CHECK(one[i] == (rank < 7 ? 1.0 : 0.0)); /* round(7.4) */
        NTH_CHECK(five[i] == 1.0 + rank % 5);
        held += one[i] == 1.0, moved += five[i] != other[i];
    }
    NTH_CHECK(held == 7 && moved > 0);
    NTH_CHECK_OK(nth_data_folds(one, 2, 1, 0.999, 3));
    NTH_CHECK(one[0] + one[1] == 1.0);
    for (ptrdiff_t i = 0; i < N; ++i) five[i] = (double)i;
    NTH_CHECK_OK(nth_data_permute(nth_mat_of(other, N, 1), nth_cmat_of(five, N, 1), 3));
    for (ptrdiff_t i = 1; i < N; ++i)
        NTH_CHECK(nth_rand_uniform(3, NTH_STREAM_SPLIT, 3, (uint64_t)other[i - 1]) < nth_rand_uniform(3, NTH_STREAM_SPLIT, 3, (uint64_t)other[i]));
    NTH_CHECK_STATUS(nth_data_permute(nth_mat_of(other, N - 1, 1), nth_cmat_of(five, N, 1), 3), NTH_E_SHAPE);
    NTH_CHECK_STATUS(nth_data_folds(one, 4, 5, 0.2, 1), NTH_E_ARG);
    NTH_CHECK_STATUS(nth_data_folds(one, 1, 1, 0.2, 1), NTH_E_ARG);
    NTH_CHECK_STATUS(nth_data_folds(one, 4, 1, NAN, 1), NTH_E_ARG);
}

int main(void)
{
    nth_fixture_begin();
    const int failed = nth_test_main("data", (nth_test_case[]){
        { "sphere_is_addressed", sphere_is_addressed },
        { "checksum_is_fnv1a", checksum_is_fnv1a },
        { "bad_specs_name_the_nearest", bad_specs_name_the_nearest },
        { "options_are_read_and_recorded", options_are_read_and_recorded },
        { "preprocessing_matches_loops", preprocessing_matches_loops },
        { "single_steps", single_steps },
        { "zero_and_huge_rows", zero_and_huge_rows },
        { "numbers_have_a_point_in_any_locale", numbers_have_a_point_in_any_locale },
        { "written_file_loads_the_same", written_file_loads_the_same },
        { "wrong_data_files", wrong_data_files },
        { "classes_of_foreign_files", classes_of_foreign_files },
        { "every_allocation_fails_once", every_allocation_fails_once },
        { "folds_partition", folds_partition },
        { 0 },
    });
    nth_fixture_end();
    return failed;
}
