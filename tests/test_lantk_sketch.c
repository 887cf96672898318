/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Sketched least squares on pairs: the transform by its definition, signs, the excess over the exact fit as the size
 * of the sketch predicts, with an intercept and standardised, and a sketch that does not fit into memory.
 */
#include "nth_test.h"
#include "lantk_case.h"
#include "linalg_priv.h"
#include "nth/rng.h"

#include <float.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

static void hadamard_by_definition(void)
{
    for (ptrdiff_t n = 1; n <= 1 << 14; n *= 2) {
        double *x = malloc((size_t)n * sizeof *x), *y = malloc((size_t)n * sizeof *y), worst = 0.0, norm = 0.0;
        nth_rand_normals(x, n, 2, NTH_STREAM_TEST, 0, 0);
        memcpy(y, x, (size_t)n * sizeof *x);
        for (ptrdiff_t i = 0; i < n; ++i) norm += fabs(x[i]);
        nth_priv_wht(y, n);
        for (ptrdiff_t i = 0; i < n; i += n <= 64 ? 1 : n / 61) { /* H_ij = (-1)^(bits that i and j share) */
            double sum = 0.0;
            for (ptrdiff_t j = 0; j < n; ++j) sum += __builtin_parityl((unsigned long)(i & j)) ? -x[j] : x[j];
            worst = nth_worst(worst, fabs(sum - y[i]));
        }
        nth_priv_wht(y, n);
        for (ptrdiff_t i = 0; i < n; ++i) worst = nth_worst(worst, fabs(y[i] / (double)n - x[i]));
        NTH_CHECK_CLOSE(worst, 0.0, 0.0, (double)n * DBL_EPSILON * norm);
        free(x), free(y);
    }
}

/* What is sampled is H D F and H D T, with the same random signs D for all columns: turned back, each entry is that of its pair. */
static void columns_are_signed_and_transformed(void)
{
    enum { N = 40, PAIRS = N * N, PADDED = 2048 };
    lantk_problem           p;
    nth_lantk        *z = NULL;
    nth_lantk_options opt = lantk_options(NTH_LANTK_FJLT_V1);
    double            worst = 0.0;
    ptrdiff_t         negative = 0;
    lantk_make(&p, N, 0, 9, 2);
    NTH_CHECK_OK(lantk_run(&z, &p, &opt));
    NTH_CHECK(z->padded == PADDED);
    double *T = z->columns + 10 * PADDED, *F = lantk_features(z, &p);
    for (int f = 0; f <= 10; ++f) nth_priv_wht(z->columns + f * PADDED, PADDED);
    for (ptrdiff_t e = 0; e < PADDED; ++e) {
        const double sign = e < PAIRS ? lantk_T_of(&p, e / N, e % N) * T[e] / PADDED : 0.0;
        for (int f = 0; f < 10; ++f)
            worst = nth_worst(worst, fabs(z->columns[f * PADDED + e] / PADDED - (e < PAIRS ? sign * F[e * 10 + f] : 0.0)) / 100.0);
        if (e < PAIRS) worst = nth_worst(worst, fabs(fabs(sign) - 1.0));
        negative += sign < -0.5;
    }
    NTH_CHECK_CLOSE(worst, 0.0, 0.0, 1e-13); /* features of up to 100, 22 additions each */
    NTH_CHECK_CLOSE((double)negative, PAIRS / 2.0, 0.0, 6.0 * 20.0);
    free(F);
    nth_lantk_destroy(&z);
}

/* k Gaussian rows: the excess over the least sum of squares is p/(k - p - 1) in the mean, its variance 2 p/k^2. Rows of
 * Poisson(q) many Gaussian entries have weights w = sum g^2: times E w^2 / (E w)^2 = 1 + 3/q. */
static void sketch_error_is_as_its_size_predicts(void)
{
    enum { SEEDS = 160 };
    lantk_problem p;
    lantk_make(&p, 60, 0, 9, 2);
    for (ptrdiff_t k = 250; k <= 1000; k *= 4) {
        double mean = 0.0;
        for (int s = 0; s < SEEDS; ++s) {
            nth_lantk        *z = NULL;
            nth_lantk_options opt = lantk_options(NTH_LANTK_FJLT_V1);
            opt.epsilon = sqrt(log(11.0) / ((double)k + 0.5)), opt.seed = (uint64_t)s;
            NTH_CHECK_OK(lantk_run(&z, &p, &opt));
            const nth_lantk_info info = nth_lantk_get_info(z, 0);
            NTH_CHECK(info.rows == k && info.excess > 0.0), mean += info.excess / SEEDS;
            nth_lantk_destroy(&z);
        }
        const double entries = pow(log(11.0), 2.0) * 4096.0 / 3600.0, more = 1.0 + 3.0 / entries;
        const double want = more * 10.0 / (double)(k - 11), se = more * sqrt(2.0 * 10.0 / SEEDS) / (double)k;
        NTH_CHECK_CLOSE(mean, want, 0.05, 4.0 * se);
    }
    NTH_CHECK((ptrdiff_t)floor(log(11.0) / 1e-4) == 23978 && (ptrdiff_t)floor(log(21.0) / 1e-4) == 30445); /* as published */
}

/* A sketch as large as the data is near the exact solution; its figures describe what it does. */
static void sketch_against_exact(void)
{
    lantk_problem           p;
    nth_lantk        *z = NULL;
    nth_lantk_options opt = lantk_options(NTH_LANTK_FJLT_V2);
    double            Z[40 * 40], first[40 * 40], sst = 0.0, mean = 0.0;
    lantk_make(&p, 40, 0, 9, 2);
    for (ptrdiff_t e = 0; e < 1600; ++e) mean += lantk_T_of(&p, e / 40, e % 40) / 1600.0;
    for (ptrdiff_t e = 0; e < 1600; ++e) sst += pow(lantk_T_of(&p, e / 40, e % 40) - mean, 2.0);
    for (int way = 0; way < 4; ++way) {
        double sse = 0.0, sum = 0.0, worst = 0.0;
        opt.intercept = way % 2 == 0, opt.standardize = way / 2 == 1;
        NTH_CHECK_OK(lantk_run(&z, &p, &opt));
        NTH_CHECK_OK(lantk_whole(Z, z, &p, 0));
        for (ptrdiff_t e = 0; e < 1600; ++e) sse += pow(Z[e] - lantk_T_of(&p, e / 40, e % 40), 2.0), sum += Z[e];
        NTH_CHECK_CLOSE(nth_lantk_get_info(z, 0).r2, 1.0 - sse / sst, 0.0, 1e-10);
        NTH_CHECK(nth_lantk_get_info(z, 0).excess > 0.0 && nth_lantk_get_info(z, 0).excess < 0.2); /* p/k = 20/1217 in the mean */
        if (way == 3) NTH_CHECK_CLOSE(sum / 1600.0, 0.0, 0.0, 1e-12); /* of features of mean 0, without an intercept */
        if (way == 0) memcpy(first, Z, sizeof Z);
        for (ptrdiff_t e = 0; e < 1600 && way == 2; ++e) worst = nth_worst(worst, fabs(Z[e] - first[e]));
        NTH_CHECK_CLOSE(worst, 0.0, 0.0, 1e-9); /* with an intercept centring changes nothing, in the sketch, too */
        nth_lantk_destroy(&z);
    }
    for (ptrdiff_t i = 0; i < 40; ++i) { /* unit norm: a feature without deviation is dropped, not blown up */
        const double s = 1.0 / sqrt(nth_dot(lantk_inputs + i * 9, lantk_inputs + i * 9, 9));
        for (ptrdiff_t q = 0; q < 9; ++q) lantk_inputs[i * 9 + q] *= s;
    }
    opt.intercept = false, opt.standardize = true;
    NTH_CHECK_OK(lantk_run(&z, &p, &opt));
    NTH_CHECK(fabs(nth_lantk_get_info(z, 0).w[4]) < 1e-9 && nth_lantk_get_info(z, 0).excess < 0.2);
    nth_lantk_destroy(&z);
}

/* 10^12 pairs: a column of 2^40 rows has 8.8 TB. So have the rows at a small epsilon. */
static void large_sketch_is_refused(void)
{
    enum { N = 1000000 };
    double   *X = malloc(2 * N * sizeof *X), *Y = malloc(N * sizeof *Y);
    lantk_problem   p = { .n = N, .d = 2 };
    nth_lantk *z = NULL;
    nth_lantk_options opt = lantk_options(NTH_LANTK_FJLT_V1);
    nth_rand_normals(X, 2 * N, 1, NTH_STREAM_TEST, 0, 0);
    for (ptrdiff_t i = 0; i < N; ++i) Y[i] = i % 2 == 0 ? 1.0 : -1.0;
    p.src = (nth_lantk_source){ .X = nth_cmat_of(X, N, 2), .Y = nth_cmat_of(Y, N, 1), .read = lantk_read, .ctx = &p };
    NTH_CHECK_STATUS(nth_lantk_create(&z, &p.src, &opt), NTH_E_NOMEM);
    NTH_CHECK_MESSAGE("fjlt-v1: columns of 1099511627776 rows: ls-v1 solves the same least squares exactly without them");
    NTH_CHECK(z == NULL);
    p.src.X.rows = p.src.Y.rows = 40, opt.epsilon = 1e-10;
    NTH_CHECK_STATUS(nth_lantk_create(&z, &p.src, &opt), NTH_E_NOMEM);
    NTH_CHECK_MESSAGE("the sampled sketch needs");
    free(X), free(Y);
}

/* The columns come one, three, six or all at a time: the same bits, two models with different numbers of pairs. */
static void groups_of_columns_change_no_bit(void)
{
    enum { N = 60 };
    static const ptrdiff_t held[] = { 0, 1, 3, 6 };
    static double          Z[4][2][N * N], fold[N];
    nth_lantk_info         info[4][2];
    for (int i = 0; i < N; ++i) fold[i] = i % 5 == 1;
    for (int way = 0; way < 4; ++way) {
        lantk_problem     p;
        nth_lantk_options opt = lantk_options(way % 2 == 0 ? NTH_LANTK_FJLT_V1 : NTH_LANTK_FJLT_V2);
        lantk_make(&p, N, 0, 9, 2);
        p.src.fold = fold, p.src.folds = 1;
        opt.intercept = way % 2 == 1, opt.standardize = way / 2 == 1;
        for (int h = 0; h < 4; ++h) {
            nth_lantk *z = NULL;
            nth_test_sketch_columns = held[h];
            NTH_CHECK_OK(lantk_run(&z, &p, &opt));
            NTH_CHECK(h == 0 ? z->groups == 1 : z->groups > 1 && z->held <= held[h]);
            for (int m = 0; m < 2; ++m) {
                NTH_CHECK_OK(lantk_whole(Z[h][m], z, &p, m));
                info[h][m] = nth_lantk_get_info(z, m);
                NTH_CHECK(memcmp(Z[h][m], Z[0][m], sizeof Z[0][m]) == 0 && memcmp(info[h][m].w, info[0][m].w, sizeof info[0][m].w) == 0);
                NTH_CHECK(info[h][m].excess == info[0][m].excess && info[h][m].r2 == info[0][m].r2 && info[h][m].mean_K == info[0][m].mean_K);
            }
            nth_lantk_destroy(&z);
        }
        NTH_CHECK(memcmp(Z[0][0], Z[0][1], sizeof Z[0][0]) != 0);
    }
    nth_test_sketch_columns = 0;
}

/* Three tiles of pairs: what a pass leaves out because no column of its group needs it is not missed. */
static void groups_of_columns_over_tiles(void)
{
    enum { N = 1030 };
    static const ptrdiff_t held[] = { 0, 1, 4 };
    nth_lantk_info         info[3];
    lantk_problem          p;
    nth_lantk_options      opt = lantk_options(NTH_LANTK_FJLT_V2);
    lantk_make(&p, N, 0, 6, 2);
    for (int h = 0; h < 3; ++h) {
        nth_lantk *z = NULL;
        nth_test_sketch_columns = held[h];
        NTH_CHECK_OK(lantk_run(&z, &p, &opt));
        info[h] = nth_lantk_get_info(z, 0);
        NTH_CHECK(z->tiles == 3 && (h == 0 || z->held <= held[h]));
        NTH_CHECK(memcmp(info[h].w, info[0].w, sizeof info[0].w) == 0 && info[h].r2 == info[0].r2);
        nth_lantk_destroy(&z);
    }
    nth_test_sketch_columns = 0;
}

int main(void)
{
#define CASE(name) { #name, name }
    return nth_test_main("lantk_sketch", (nth_test_case[]){
        CASE(hadamard_by_definition), CASE(columns_are_signed_and_transformed), CASE(sketch_error_is_as_its_size_predicts),
        CASE(sketch_against_exact), CASE(large_sketch_is_refused),
        CASE(groups_of_columns_change_no_bit), CASE(groups_of_columns_over_tiles), { 0 } });
}
