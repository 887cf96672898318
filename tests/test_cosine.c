/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * synthetic:cosine: its definition number by number, nested rows, the mean square that the definition
 * has, and specs that are refused.
 */
#include "nth_test.h"
#include "alloc_priv.h"
#include "nth/data.h"
#include "nth/rng.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

static nth_data *load(const char *spec)
{
    nth_data *d = NULL;
    NTH_CHECK_OK(nth_data_load(&d, spec, NULL));
    return d;
}

static double normal(nth_stream stream, uint32_t run, uint64_t index)
{
    double z;
    nth_rand_normals(&z, 1, 7, stream, run, index);
    return z;
}

static void drawn_as_described(void)
{
    enum { N = 30, K = 11, D = 5 };
    nth_data *d = load("synthetic:cosine?n=30&test=11&d=5&gamma=1.25&noise=0.1&seed=7");
    if (d == NULL) return;
    NTH_CHECK(d->x.rows == N && d->x.cols == D && d->x_test.rows == K && d->y.cols == 1 && d->classes == 0);
    NTH_CHECK(strcmp(d->source, "synthetic:cosine?n=30&test=11&gamma=1.25&noise=0.1&d=5&seed=7") == 0);
    for (uint32_t run = 0; run < 2; ++run)
        for (int i = 0; i < (run == 0 ? N : K); ++i) {
            const double *row = (run == 0 ? d->x : d->x_test).a + i * D, *y = (run == 0 ? d->y : d->y_test).a;
            double        u = 0.0;
            for (int j = 0; j < D; ++j) {
                NTH_CHECK(row[j] == normal(NTH_STREAM_INPUTS, run, (uint64_t)(i * D + j)));
                u += 1.25 * normal(NTH_STREAM_LABELS, 0, (uint64_t)j) * row[j];
            }
            NTH_CHECK_CLOSE(y[i], cos(u) / (1.0 + exp(u)) + 0.1 * normal(NTH_STREAM_LABELS, run + 1, (uint64_t)i), 1e-13, 1e-14);
        }
    nth_data_destroy(&d);
}

static void rows_are_nested(void)
{
    nth_data *a = load("synthetic:cosine?noise=0.5"), *b = load("synthetic:cosine?n=9&test=3&noise=0.5"), *c = load("synthetic:cosine?n=9&seed=2"),
             *e = load("synthetic:cosine?n=9&test=0");
    if (a == NULL || b == NULL || c == NULL || e == NULL) return;
    NTH_CHECK(a->x.rows == 800 && a->x.cols == 10 && a->x_test.rows == 200 && e->x_test.rows == 0);
    NTH_CHECK(memcmp(a->x.a, b->x.a, sizeof(double) * 90) == 0 && memcmp(a->y.a, b->y.a, sizeof(double) * 9) == 0);
    NTH_CHECK(memcmp(a->x_test.a, b->x_test.a, sizeof(double) * 30) == 0 && memcmp(a->y_test.a, b->y_test.a, sizeof(double) * 3) == 0);
    NTH_CHECK(memcmp(b->x.a, c->x.a, sizeof(double) * 10) != 0 && memcmp(a->x.a, a->x_test.a, sizeof(double) * 10) != 0);
    nth_data_destroy(&a);
    nth_data_destroy(&b);
    nth_data_destroy(&c);
    nth_data_destroy(&e);
}

/* E y^2 over w and x, s = 0: 0.190, 0.200, 0.207 to half a unit of the last digit. */
static void mean_square(void)
{
    static const struct {
        const char *gamma;
        double      square;
    } want[] = { { "1", 0.190 }, { "1.25", 0.200 }, { "1.5", 0.207 } };
    enum { SETS = 400, N = 500 };
    for (int g = 0; g < 3; ++g) {
        double sum = 0.0, squares = 0.0;
        for (int seed = 1; seed <= SETS; ++seed) {
            char   spec[96];
            double mean = 0.0;
            snprintf(spec, sizeof spec, "synthetic:cosine?n=%d&test=0&gamma=%s&seed=%d", N, want[g].gamma, seed);
            nth_data *d = load(spec);
            if (d == NULL) return;
            for (int i = 0; i < N; ++i) mean += d->y.a[i] * d->y.a[i] / N;
            sum += mean, squares += mean * mean;
            nth_data_destroy(&d);
        }
        const double mean = sum / SETS, error = sqrt((squares / SETS - mean * mean) / SETS);
        NTH_CHECK_CLOSE(mean, want[g].square, 0.0, 6.0 * error + 0.0005);
        NTH_CHECK(error < 0.001); /* the three differ by ten such errors */
    }
}

static void refusals(void)
{
    static const struct {
        const char *spec, *says;
    } bad[] = {
        { "synthetic:cosin", "did you mean \"cosine\"" },
        { "synthetic:cosine?size=8", "synthetic:cosine has no key \"size\"" },
        { "synthetic:cosine?label=animal", "synthetic:cosine has no key \"label\"" },
        { "synthetic:sphere?gamma=1", "synthetic:sphere has no key \"gamma\"" },
        { "synthetic:two-objects?gamma=1", "synthetic:two-objects has no key \"gamma\"" },
        { "synthetic:cosine?gamma=-1", "gamma=-1; must be a number from 0 to 100" },
        { "synthetic:cosine?gamma=1.5x", "gamma=1.5x" },
        { "synthetic:cosine?noise=nan", "noise=nan; must be a number from 0 to 100" },
        { "synthetic:cosine?n=0", "n=0; must be an integer, 1 or more" },
        { "synthetic:cosine?d=0", "d=0; must be an integer, 1 or more" },
        { "synthetic:cosine?seed=-1", "seed=-1" },
    };
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; ++i) {
        nth_data *d = NULL;
        NTH_CHECK_STATUS(nth_data_load(&d, bad[i].spec, NULL), NTH_E_ARG);
        NTH_CHECK_MESSAGE(bad[i].says);
        NTH_CHECK(d == NULL);
    }
}

static nth_status build(void)
{
    nth_data        *d = NULL;
    const nth_status st = nth_data_load(&d, "synthetic:cosine?n=3&test=1&noise=0.1", NULL);
    nth_data_destroy(&d);
    return st;
}

static void survives_oom(void) { nth_test_every_allocation_fails(build); }

int main(void)
{
    return nth_test_main("cosine", (nth_test_case[]){ { "drawn_as_described", drawn_as_described },
                                                      { "rows_are_nested", rows_are_nested },
                                                      { "mean_square", mean_square },
                                                      { "refusals", refusals },
                                                      { "survives_oom", survives_oom },
                                                      { 0 } });
}
