/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Label-aware kernels K^(HR): stored values (S1-S3), sums against double loops, features against long double,
 * streamed least squares against dense least squares on all pairs, sketches, folds, permuted labels.
 */
#include "nth_test.h"
#include "alloc_priv.h"
#include "distance_priv.h"
#include "lantk_priv.h"
#include "lantk_ref.h"
#include "linalg_priv.h"
#include "nth/rng.h"
#include "par_priv.h"

#include <float.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MAX = 1100, D_MAX = 40, CLASSES = 3 };
static double inputs[MAX * D_MAX], kernel[MAX * MAX], targets[MAX * CLASSES], fold[MAX];

/* n training and k test inputs of dimension d with a Gaussian kernel; labels follow the first coordinates. */
typedef struct problem {
    ptrdiff_t        n, k, d;
    nth_lantk_source src;
} problem;

static nth_status read_kernel(nth_mat tile, ptrdiff_t row, ptrdiff_t col, void *ctx)
{
    const problem *p = ctx;
    for (ptrdiff_t i = 0; i < tile.rows; ++i)
        memcpy(tile.a + i * tile.ld, kernel + (row + i) * p->n + col, (size_t)tile.cols * sizeof(double));
    return NTH_OK;
}

static void make(problem *p, ptrdiff_t n, ptrdiff_t k, ptrdiff_t d, ptrdiff_t classes)
{
    const ptrdiff_t c = classes == 2 ? 1 : classes;
    *p = (problem){ .n = n, .k = k, .d = d };
    nth_rand_normals(inputs, (n + k) * d, 3, NTH_STREAM_TEST, 0, 0);
    for (ptrdiff_t i = 0; i < n + k; ++i) inputs[i * d] += 1.0 + (double)(i % classes);
    for (ptrdiff_t i = 0; i < n + k; ++i)
        for (ptrdiff_t j = 0; j < n; ++j) {
            double s = 0.0;
            for (ptrdiff_t q = 0; q < d; ++q) s += (inputs[i * d + q] - inputs[j * d + q]) * (inputs[i * d + q] - inputs[j * d + q]);
            kernel[i * n + j] = exp(-s / (2.0 * (double)d)) + (i == j ? 0.1 : 0.0);
        }
    for (ptrdiff_t i = 0; i < n; ++i)
        for (ptrdiff_t q = 0; q < c; ++q)
            targets[i * c + q] = c == 1 ? (i % 2 == 0 ? 1.0 : -1.0) : i % classes == q ? 1.0 : 0.0;
    p->src = (nth_lantk_source){ .X = nth_cmat_of(inputs, n, d), .X_test = nth_cmat_of(inputs + n * d, k, d),
                                 .Y = nth_cmat_of(targets, n, c), .read = read_kernel, .ctx = p };
}

static nth_lantk_options options(nth_lantk_variant v) { return (nth_lantk_options){ .variant = v, .epsilon = 0.05, .seed = 5 }; }

static nth_status run(nth_lantk **z, problem *p, const nth_lantk_options *opt)
{
    p->src.ctx = p;
    nth_status st = nth_lantk_create(z, &p->src, opt);
    for (ptrdiff_t s = 0; st == NTH_OK && s < nth_lantk_steps(*z); ++s) st = nth_lantk_gather(*z, s);
    return st;
}

/* Z (n+k x n) of one model, tile by tile. */
static nth_status whole(double *Z, nth_lantk *z, const problem *p, ptrdiff_t model)
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

static double T_of(const problem *p, ptrdiff_t i, ptrdiff_t j)
{
    return memcmp(p->src.Y.a + i * p->src.Y.cols, p->src.Y.a + j * p->src.Y.cols, (size_t)p->src.Y.cols * sizeof(double)) == 0 ? 1.0 : -1.0;
}

/* ---- Kernel regression -------------------------------------------------------------------------- */

static void stored_values(void)
{
    static const double S[16] = { 1.0, 0.6364310457393136, 0.5502236132929963, 0.4711655571887813, 0.6364310457393136, 1.0,
                                  0.3982638669627817, 0.5502236132929963, 0.5502236132929963, 0.3982638669627817, 1.0,
                                  0.3309201445208456, 0.4711655571887813, 0.5502236132929963, 0.3309201445208456, 1.0 };
    static const double want[2][3] = { { -0.03259630183375645, 0.4178747989895268, -0.1034096327834825 },
                                       { -0.2105448951008771, 0.9660660197174863, -0.4081205277387579 } };
    problem    p;
    nth_lantk *z = NULL;
    double     Z[16], sum = 0.0;
    make(&p, 4, 0, 3, 2);
    memcpy(kernel, S, sizeof S);
    for (int v = 0; v < 2; ++v) {
        const nth_lantk_options opt = options(v == 0 ? NTH_LANTK_KR_V1 : NTH_LANTK_KR_V2);
        NTH_CHECK_OK(run(&z, &p, &opt));
        NTH_CHECK_OK(whole(Z, z, &p, 0));
        NTH_CHECK_CLOSE(Z[1], want[v][0], 1e-12, 0.0);
        NTH_CHECK_CLOSE(Z[0], want[v][1], 1e-12, 0.0);
        NTH_CHECK_CLOSE(Z[2], want[v][2], 1e-12, 0.0);
        for (int e = 0; e < 16 && v == 0; ++e) sum += fabs(Z[e]) / 16.0;
        if (v == 0) NTH_CHECK_CLOSE(0.1 * nth_lantk_get_info(z, 0).mean_K / sum, 0.265327586543258, 1e-12, 0.0); /* S3 */
        nth_lantk_destroy(&z);
    }
}

/* All pairs of a small problem, some of a large one; K may be a small change on a large constant. */
static void against_double_loop(problem *p, nth_lantk_variant v, ptrdiff_t every, double bound)
{
    const ptrdiff_t n = p->n;
    double         *A = malloc((size_t)(n * n) * sizeof *A), *Z = malloc((size_t)((n + p->k) * n) * sizeof *Z), worst = 0.0;
    nth_lantk      *z = NULL;
    nth_lantk_options opt = options(v);
    for (ptrdiff_t e = 0; e < n * n; ++e) A[e] = T_of(p, e / n, e % n);
    if (v == NTH_LANTK_KR_V2) {
        double *T = malloc((size_t)(n * n) * sizeof *T);
        memcpy(T, A, (size_t)(n * n) * sizeof *T);
        ref_two_sided_inverse(A, kernel, T, n);
        free(T);
    }
    NTH_CHECK_OK(run(&z, p, &opt));
    NTH_CHECK_OK(whole(Z, z, p, 0));
    for (ptrdiff_t e = 0; e < (n + p->k) * n; e += every) {
        const double want = ref_kernel_regression(kernel, A, n, kernel[e]);
        worst = nth_worst(worst, fabs(Z[e] - want) / fmax(fabs(want), 0.01));
    }
    if (!NTH_CHECK_CLOSE(worst, 0.0, 0.0, bound)) printf("  %s, n = %td\n", nth_lantk_variant_name(v), n);
    nth_lantk_destroy(&z);
    free(A), free(Z);
}

static void five_sums_are_the_double_loop(void)
{
    problem p;
    for (ptrdiff_t classes = 2; classes <= CLASSES; ++classes) {
        make(&p, 37, 5, 4, classes);
        against_double_loop(&p, NTH_LANTK_KR_V1, 1, 1e-12);
        against_double_loop(&p, NTH_LANTK_KR_V2, 1, 1e-11); /* condition of K about 1e2 */
    }
    make(&p, 37, 5, 4, 2); /* K = 1e4 + small: as stored, but for what storing rounds */
    for (ptrdiff_t e = 0; e < 42 * 37; ++e) kernel[e] = 1e4 + 1e-2 * kernel[e];
    against_double_loop(&p, NTH_LANTK_KR_V1, 1, 1e-12);
    make(&p, 1030, 3, 3, 2); /* more than one tile */
    against_double_loop(&p, NTH_LANTK_KR_V1, 10007, 1e-12);
}

/* ---- Features ----------------------------------------------------------------------------------- */

static void distances_are_exact_sums(void)
{
    static const nth_l1_loops *const all[] = { &nth_l1_portable, &nth_l1_avx2, &nth_l1_avx512 };
    static const ptrdiff_t           shapes[][3] = { { 1, 1, 1 }, { 3, 15, 7 }, { 4, 16, 256 }, { 67, 33, 257 }, { 9, 50, 700 } };
    for (size_t s = 0; s < sizeof shapes / sizeof *shapes; ++s) {
        const ptrdiff_t r = shapes[s][0], c = shapes[s][1], d = shapes[s][2];
        double          X[70 * 700], D[3][70 * 60], worst = 0.0;
        const double   *W = X + 3 * d; /* overlapping sets: some distances are 0 */
        nth_rand_normals(X, 70 * d < 70 * 700 ? 70 * d : 70 * 700, 1, NTH_STREAM_TEST, 0, 0);
        for (int v = 0; v < 3; ++v) {
            nth_test_l1_loops = all[v];
#if defined(__x86_64__) && defined(__GNUC__)
            if ((v == 1 && !__builtin_cpu_supports("avx2")) || (v == 2 && !__builtin_cpu_supports("avx512dq"))) nth_test_l1_loops = all[0];
#endif
            NTH_CHECK_OK(nth_priv_l1((nth_mat){ D[v], r, c, 60 }, nth_cmat_of(X, r, d), nth_cmat_of(W, c, d)));
        }
        nth_test_l1_loops = NULL;
        for (ptrdiff_t i = 0; i < r; ++i)
            for (ptrdiff_t j = 0; j < c; ++j) {
                long double sum = 0.0L;
                for (ptrdiff_t q = 0; q < d; ++q) sum += fabsl((long double)X[i * d + q] - W[j * d + q]);
                worst = nth_worst(worst, fabs(D[0][i * 60 + j] - (double)sum) / fmax((double)sum, DBL_MIN));
                NTH_CHECK(D[0][i * 60 + j] == D[1][i * 60 + j] && D[0][i * 60 + j] == D[2][i * 60 + j]);
            }
        NTH_CHECK_CLOSE(worst, 0.0, 0.0, (double)d * DBL_EPSILON);
    }
}

/* F (count x p) of all ordered training pairs, from the library; model 0. */
static double *all_features(nth_lantk *z, const problem *p)
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

static void features_match_twin(void)
{
    problem           p;
    nth_lantk        *z = NULL;
    nth_lantk_options opt = options(NTH_LANTK_LS_V2);
    double            s2 = 0.0, worst = 0.0, F[10], C[12 * 12] = { 0 }, mean[12] = { 0 }, l[12], score = 0.0;
    make(&p, 50, 0, 12, 2);
    NTH_CHECK_OK(run(&z, &p, &opt));
    for (ptrdiff_t e = 0; e < 2500; ++e)
        for (ptrdiff_t q = 0; q < 12; ++q) s2 += pow(inputs[e / 50 * 12 + q] - inputs[e % 50 * 12 + q], 2.0) / 2500.0;
    double *got = all_features(z, &p);
    for (ptrdiff_t e = 0; e < 2500; ++e) {
        ref_features(F, kernel[e], inputs + e / 50 * 12, inputs + e % 50 * 12, 12, s2);
        for (int f = 0; f < 10; ++f)
            if (e / 50 != e % 50 || (f != 5 && f != 6)) /* the twin's sine of 0 is the root of rounding */
                worst = nth_worst(worst, fabs(got[e * 20 + f] - F[f]) / fmax(fabs(F[f]), 1.0));
        if (e / 50 == e % 50) NTH_CHECK(got[e * 20 + 5] == 0.0 && got[e * 20 + 6] == 0.0 && got[e * 20 + 9] == 0.0);
    }
    NTH_CHECK_CLOSE(worst, 0.0, 0.0, 1e-13);
    /* Scores along the eigenvectors of the covariance, up to sign. */
    for (ptrdiff_t i = 0; i < 50; ++i) nth_axpy(0.02, inputs + i * 12, mean, 12);
    for (ptrdiff_t i = 0; i < 50; ++i)
        for (ptrdiff_t e = 0; e < 144; ++e) C[e] += (inputs[i * 12 + e / 12] - mean[e / 12]) * (inputs[i * 12 + e % 12] - mean[e % 12]);
    NTH_CHECK_OK(nth_eigh(nth_cmat_of(C, 12, 12), l, nth_mat_of(C, 12, 12)));
    worst = 0.0;
    for (ptrdiff_t e = 0; e < 2500; ++e)
        for (ptrdiff_t t = 0; t < 5; ++t) {
            double u = 0.0, v = 0.0;
            for (ptrdiff_t q = 0; q < 12; ++q) {
                u += (inputs[e / 50 * 12 + q] - mean[q]) * C[q * 12 + 11 - t];
                v += (inputs[e % 50 * 12 + q] - mean[q]) * C[q * 12 + 11 - t];
            }
            worst = nth_worst(worst, fabs(got[e * 20 + 10 + 2 * t] - u * v));
            worst = nth_worst(worst, fabs(got[e * 20 + 11 + 2 * t] - fabs(u - v)));
            score = fmax(score, fabs(u));
        }
    NTH_CHECK_CLOSE(worst, 0.0, 0.0, 1e-10 * score * score); /* eigenvectors: residual 1e-13 over their gaps */
    free(got);
    nth_lantk_destroy(&z);
}

/* ---- Least squares ------------------------------------------------------------------------------ */

static void against_dense(problem *p, const nth_lantk_options *opt, const char *what)
{
    const ptrdiff_t n = p->n, rows = n * n;
    nth_lantk      *z = NULL;
    NTH_CHECK_OK(run(&z, p, opt));
    const ptrdiff_t q = z->p + (opt->intercept ? 1 : 0);
    double *F = all_features(z, p), *A = malloc((size_t)(rows * q) * sizeof *A), *T = malloc((size_t)rows * sizeof *T);
    double *fitted = malloc((size_t)rows * sizeof *T), *Z = malloc((size_t)(rows + p->k * n) * sizeof *Z);
    double  worst = 0.0, sse = 0.0, sst = 0.0, mean = 0.0;
    for (ptrdiff_t e = 0; e < rows; ++e) {
        T[e] = T_of(p, e / n, e % n), mean += T[e] / (double)rows;
        for (ptrdiff_t f = 0; f < q; ++f) A[e * q + f] = f < z->p ? F[e * z->p + f] : 1.0;
    }
    ref_least_squares(fitted, A, T, rows, q);
    NTH_CHECK_OK(whole(Z, z, p, 0));
    for (ptrdiff_t e = 0; e < rows; ++e) {
        worst = nth_worst(worst, fabs(Z[e] - fitted[e]));
        sse += (fitted[e] - T[e]) * (fitted[e] - T[e]), sst += (T[e] - mean) * (T[e] - mean);
    }
    const nth_lantk_info info = nth_lantk_get_info(z, 0);
    if (!NTH_CHECK_CLOSE(worst, 0.0, 0.0, 1e-10) || !NTH_CHECK_CLOSE(info.r2, 1.0 - sse / sst, 0.0, 1e-12))
        printf("  %s: condition %.2g, %td dropped\n", what, info.condition, info.dropped);
    free(F), free(A), free(T), free(fitted), free(Z);
    nth_lantk_destroy(&z);
}

static void streaming_is_dense_least_squares(void)
{
    problem p;
    for (int v = 0; v < 8; ++v) {
        nth_lantk_options opt = options(v % 2 == 0 ? NTH_LANTK_LS_V1 : NTH_LANTK_LS_V2);
        opt.intercept = v / 2 % 2 == 1;
        make(&p, 61, 4, 9, v < 4 ? 2 : 3);
        against_dense(&p, &opt, "general inputs");
        for (ptrdiff_t i = 0; i < 65; ++i) { /* unit norm: a constant among the features, and doubles of others */
            const double s = 1.0 / sqrt(nth_dot(inputs + i * 9, inputs + i * 9, 9));
            for (ptrdiff_t q = 0; q < 9; ++q) inputs[i * 9 + q] *= s;
        }
        against_dense(&p, &opt, "unit norm");
    }
    make(&p, 61, 4, 9, 2); /* K far from 0 beside its spread */
    for (ptrdiff_t e = 0; e < 65 * 61; ++e) kernel[e] += 1e3;
    nth_lantk_options opt = options(NTH_LANTK_LS_V1);
    against_dense(&p, &opt, "offset kernel");
    make(&p, 61, 4, 2, 2); /* two dimensions: correlations are +-1, three of five components are missing */
    opt = options(NTH_LANTK_LS_V2);
    against_dense(&p, &opt, "two dimensions");
}

/* More than one tile: the fit must not notice. */
static void tiles_do_not_matter(void)
{
    problem           p;
    nth_lantk        *z = NULL;
    nth_lantk_options opt = options(NTH_LANTK_LS_V1);
    make(&p, 1030, 2, 3, 2);
    NTH_CHECK_OK(run(&z, &p, &opt));
    NTH_CHECK(nth_lantk_steps(z) == 3);
    double *Z = malloc((size_t)(1032 * 1030) * sizeof *Z), normal[10] = { 0 }, size[10] = { 0 }, F[10], sum_K = 0.0;
    NTH_CHECK_OK(whole(Z, z, &p, 0));
    for (ptrdiff_t e = 0; e < 1030 * 1030; ++e) { /* residuals are orthogonal to all features */
        const ptrdiff_t i = e / 1030, j = e % 1030;
        const double    r = Z[e] - T_of(&p, i, j);
        ref_features(F, kernel[e], inputs + i * 3, inputs + j * 3, 3, z->model[0].s2);
        for (int f = 0; f < 10; ++f) normal[f] += F[f] * r, size[f] += fabs(F[f] * r);
        sum_K += fabs(kernel[e]);
    }
    for (int f = 0; f < 10; ++f) NTH_CHECK_CLOSE(normal[f] / size[f], 0.0, 0.0, 1e-9);
    NTH_CHECK_CLOSE(nth_lantk_get_info(z, 0).mean_K, sum_K / (1030.0 * 1030.0), 1e-12, 0.0);
    NTH_CHECK_CLOSE(Z[1029 * 1030 + 1], Z[1030 + 1029], 0.0, 1e-11);
    free(Z);
    nth_lantk_destroy(&z);
}

/* ---- Sketch ------------------------------------------------------------------------------------- */

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

/* k Gaussian rows: the excess over the least sum of squares is p/(k - p - 1) in the mean, its variance 2 p/k^2. Rows of
 * Poisson(q) many Gaussian entries have weights w = sum g^2: times E w^2 / (E w)^2 = 1 + 3/q. */
static void sketch_error_is_as_its_size_predicts(void)
{
    enum { SEEDS = 40 };
    problem p;
    make(&p, 90, 0, 9, 2);
    for (ptrdiff_t k = 250; k <= 1000; k *= 4) {
        double mean = 0.0;
        for (int s = 0; s < SEEDS; ++s) {
            nth_lantk        *z = NULL;
            nth_lantk_options opt = options(NTH_LANTK_FJLT_V1);
            opt.epsilon = sqrt(log(11.0) / ((double)k + 0.5)), opt.seed = (uint64_t)s;
            NTH_CHECK_OK(run(&z, &p, &opt));
            const nth_lantk_info info = nth_lantk_get_info(z, 0);
            NTH_CHECK(info.rows == k && info.excess > 0.0), mean += info.excess / SEEDS;
            nth_lantk_destroy(&z);
        }
        const double entries = pow(log(11.0), 2.0) * 8192.0 / 8100.0, more = 1.0 + 3.0 / entries;
        const double want = more * 10.0 / (double)(k - 11), se = more * sqrt(2.0 * 10.0 / SEEDS) / (double)k;
        NTH_CHECK_CLOSE(mean, want, 0.05, 4.0 * se);
    }
    NTH_CHECK((ptrdiff_t)floor(log(11.0) / 1e-4) == 23978 && (ptrdiff_t)floor(log(21.0) / 1e-4) == 30445); /* as published */
}

/* A sketch as large as the data is near the exact solution; its figures describe what it does. */
static void sketch_against_exact(void)
{
    problem           p;
    nth_lantk        *z = NULL;
    nth_lantk_options opt = options(NTH_LANTK_FJLT_V2);
    double            Z[40 * 40], sse = 0.0, sst = 0.0, mean = 0.0;
    make(&p, 40, 0, 9, 2);
    opt.intercept = true;
    NTH_CHECK_OK(run(&z, &p, &opt));
    NTH_CHECK_OK(whole(Z, z, &p, 0));
    for (ptrdiff_t e = 0; e < 1600; ++e) mean += T_of(&p, e / 40, e % 40) / 1600.0;
    for (ptrdiff_t e = 0; e < 1600; ++e) {
        const double T = T_of(&p, e / 40, e % 40);
        sse += (Z[e] - T) * (Z[e] - T), sst += (T - mean) * (T - mean);
    }
    NTH_CHECK_CLOSE(nth_lantk_get_info(z, 0).r2, 1.0 - sse / sst, 0.0, 1e-10);
    nth_lantk_destroy(&z);
}

/* ---- Folds and controls ------------------------------------------------------------------------- */

/* Model 1 is the model of the data without fold 1, to rounding; labels and inputs of fold 1 do not reach it. */
static void folds_leave_labels_out(void)
{
    enum { N = 30, KEPT = 20, D = 7 };
    for (int v = 0; v < NTH_LANTK_VARIANTS; ++v)
        for (int permuted = 0; permuted < 2; ++permuted) {
            problem           p, small;
            nth_lantk        *z = NULL;
            nth_lantk_options opt = options((nth_lantk_variant)v);
            double            Z[N * N], again[N * N], X[KEPT * D], Y[KEPT], K[KEPT * KEPT], part[KEPT * KEPT], worst = 0.0;
            opt.permute = permuted == 1, opt.permute_seed = 9;
            make(&p, N, 0, D, 2);
            for (ptrdiff_t i = 0; i < N; ++i) fold[i] = i >= KEPT ? 1.0 : i % 2 == 0 ? 2.0 : 0.0;
            p.src.fold = fold, p.src.folds = 2;
            fold[0] = fold[2] = 0.0; /* fold 2 must leave both classes */
            NTH_CHECK_OK(run(&z, &p, &opt));
            NTH_CHECK(nth_lantk_get_info(z, 1).kept == KEPT && nth_lantk_get_info(z, 0).kept == N);
            NTH_CHECK_OK(whole(Z, z, &p, 1));
            nth_lantk_destroy(&z);
            for (ptrdiff_t i = KEPT; i < N; ++i) targets[i] = -targets[i];
            NTH_CHECK_OK(run(&z, &p, &opt));
            NTH_CHECK_OK(whole(again, z, &p, 1));
            NTH_CHECK(memcmp(Z, again, sizeof Z) == 0);
            nth_lantk_destroy(&z);

            memcpy(X, inputs, sizeof X), memcpy(Y, targets, sizeof Y);
            for (ptrdiff_t i = 0; i < KEPT; ++i) memcpy(K + i * KEPT, kernel + i * N, KEPT * sizeof(double));
            memcpy(kernel, K, sizeof K);
            small = (problem){ .n = KEPT, .d = D };
            small.src = (nth_lantk_source){ .X = nth_cmat_of(X, KEPT, D), .Y = nth_cmat_of(Y, KEPT, 1), .read = read_kernel };
            NTH_CHECK_OK(run(&z, &small, &opt));
            NTH_CHECK_OK(whole(part, z, &small, 0));
            for (ptrdiff_t e = 0; e < KEPT * KEPT; ++e) worst = nth_worst(worst, fabs(part[e] - Z[e / KEPT * N + e % KEPT]));
            const bool sketched = v >= NTH_LANTK_FJLT_V1; /* padded to another power of two: another sketch */
            if (!sketched && !NTH_CHECK_CLOSE(worst, 0.0, 0.0, 1e-9)) printf("  %s\n", nth_lantk_variant_name((nth_lantk_variant)v));
            nth_lantk_destroy(&z);
        }
}

static void permutation_keeps_the_classes(void)
{
    problem           p;
    nth_lantk        *z = NULL;
    nth_lantk_options opt = options(NTH_LANTK_LS_V1);
    ptrdiff_t         count[CLASSES] = { 0 }, moved = 0;
    double            r2;
    make(&p, 60, 0, 2, 3);
    NTH_CHECK_OK(run(&z, &p, &opt));
    r2 = nth_lantk_get_info(z, 0).r2;
    nth_lantk_destroy(&z);
    opt.permute = true, opt.permute_seed = 4;
    NTH_CHECK_OK(run(&z, &p, &opt));
    for (ptrdiff_t i = 0; i < 60; ++i) {
        ++count[z->model[0].label[i]];
        moved += z->model[0].label[i] != i % 3;
    }
    NTH_CHECK(count[0] == 20 && count[1] == 20 && count[2] == 20 && moved > 20);
    NTH_CHECK(nth_lantk_get_info(z, 0).r2 < 0.5 * r2);
    nth_lantk_destroy(&z);
}

static void same_bits_on_any_threads(void)
{
    enum { N = 80, K = 3 };
    static double Z[2][(N + K) * N];
    const int     before = nth_priv_threads();
    for (int v = 0; v < NTH_LANTK_VARIANTS; ++v) {
        const int threads[] = { 1, 3, 7 };
        for (int t = 0; t < 3; ++t) {
            problem           p;
            nth_lantk        *z = NULL;
            nth_lantk_options opt = options((nth_lantk_variant)v);
            make(&p, N, K, 40, 2);
            nth_priv_set_threads(threads[t]);
            NTH_CHECK_OK(run(&z, &p, &opt));
            NTH_CHECK_OK(whole(Z[t > 0], z, &p, 0));
            NTH_CHECK(t == 0 || memcmp(Z[0], Z[1], sizeof Z[0]) == 0);
            nth_lantk_destroy(&z);
        }
    }
    nth_priv_set_threads(before);
}

/* ---- Failures ----------------------------------------------------------------------------------- */

static void refusals(void)
{
    problem           p;
    nth_lantk        *z = NULL;
    nth_lantk_options ls = options(NTH_LANTK_LS_V1), kr = options(NTH_LANTK_KR_V1), bad = ls;
    nth_mat           none = { 0 };
    make(&p, 8, 2, 3, 2);
    for (int i = 0; i < 8; ++i) targets[i] = 1.0;
    NTH_CHECK_STATUS(run(&z, &p, &ls), NTH_E_RANGE);
    NTH_CHECK_MESSAGE("all 8 labels are of one class: T = 1 for every pair");
    make(&p, 8, 2, 3, 2);
    targets[3] = 0.5;
    NTH_CHECK_STATUS(run(&z, &p, &ls), NTH_E_RANGE);
    make(&p, 8, 2, 3, 2);
    for (int i = 0; i < 8; ++i) fold[i] = i % 2 == 0 ? 1.0 : 0.0;
    p.src.fold = fold, p.src.folds = 1;
    NTH_CHECK_STATUS(run(&z, &p, &kr), NTH_E_RANGE);
    NTH_CHECK_MESSAGE("all 4 labels outside a fold are of one class");
    make(&p, 8, 2, 3, 2);
    memset(inputs + 9 * 3, 0, 3 * sizeof(double));
    NTH_CHECK_STATUS(run(&z, &p, &ls), NTH_E_NUMERIC);
    NTH_CHECK_MESSAGE("test input 2 is zero");
    NTH_CHECK_OK(run(&z, &p, &kr));
    NTH_CHECK_STATUS(nth_lantk_gather(z, 0), NTH_E_ARG);
    NTH_CHECK_STATUS(nth_lantk_tile(&none, z, 0, 0), NTH_E_SHAPE);
    nth_lantk_destroy(&z);
    make(&p, 8, 2, 3, 2);
    for (int c = 0; c < 3; ++c) inputs[4 * 3 + c] = 0.7;
    NTH_CHECK_STATUS(run(&z, &p, &ls), NTH_E_NUMERIC);
    NTH_CHECK_MESSAGE("all coordinates of training input 5 are alike");
    inputs[4 * 3] = (double)NAN;
    NTH_CHECK_STATUS(run(&z, &p, &ls), NTH_E_NUMERIC);
    NTH_CHECK_MESSAGE("training input 5 is not finite");
    make(&p, 8, 2, 3, 2);
    kernel[10] = (double)NAN;
    NTH_CHECK_STATUS(run(&z, &p, &kr), NTH_E_NUMERIC);
    NTH_CHECK_MESSAGE("the base kernel is not finite within rows 1 to 8");
    nth_lantk_destroy(&z);
    for (int e = 0; e < 64; ++e) kernel[e] = 2.5;
    NTH_CHECK_STATUS(run(&z, &p, &kr), NTH_E_NUMERIC);
    NTH_CHECK_MESSAGE("the base kernel is the constant 2.5");
    nth_lantk_destroy(&z);
    kr.variant = NTH_LANTK_KR_V2;
    NTH_CHECK_STATUS(run(&z, &p, &kr), NTH_E_NUMERIC);
    NTH_CHECK_MESSAGE("singular");
    bad.ridge = -1.0;
    NTH_CHECK_STATUS(run(&z, &p, &bad), NTH_E_ARG);
    bad = options(NTH_LANTK_FJLT_V1), bad.epsilon = 0.0;
    NTH_CHECK_STATUS(run(&z, &p, &bad), NTH_E_ARG);
    bad.epsilon = 0.9;
    NTH_CHECK_STATUS(run(&z, &p, &bad), NTH_E_ARG);
    NTH_CHECK_MESSAGE("gives a sketch of 2 rows for 11 columns");
    bad = options(NTH_LANTK_VARIANTS);
    NTH_CHECK_STATUS(run(&z, &p, &bad), NTH_E_ARG);
    NTH_CHECK(z == NULL);
    nth_lantk_destroy(&z);
}

/* 10^10 pairs: 2^34 rows of 11 columns are 1.5 TB. */
static void large_sketch_is_refused(void)
{
    enum { N = 100000 };
    double   *X = malloc(2 * N * sizeof *X), *Y = malloc(N * sizeof *Y);
    problem   p = { .n = N, .d = 2 };
    nth_lantk *z = NULL;
    nth_lantk_options opt = options(NTH_LANTK_FJLT_V1);
    nth_rand_normals(X, 2 * N, 1, NTH_STREAM_TEST, 0, 0);
    for (ptrdiff_t i = 0; i < N; ++i) Y[i] = i % 2 == 0 ? 1.0 : -1.0;
    p.src = (nth_lantk_source){ .X = nth_cmat_of(X, N, 2), .Y = nth_cmat_of(Y, N, 1), .read = read_kernel, .ctx = &p };
    NTH_CHECK_STATUS(nth_lantk_create(&z, &p.src, &opt), NTH_E_NOMEM);
    NTH_CHECK_MESSAGE("fjlt-v1: 17179869184 rows of 11 columns: ls-v1 solves the same least squares exactly without them");
    NTH_CHECK(z == NULL);
    free(X), free(Y);
}

/* Two classes whose K cancels the weights of a test pair: K_ij = +-1 off and on the diagonal, k far away. */
static void cancelling_weights_are_named(void)
{
    problem           p;
    nth_lantk        *z = NULL;
    nth_lantk_options opt = options(NTH_LANTK_KR_V1);
    double            Z[3 * 2];
    make(&p, 2, 1, 3, 2);
    kernel[0] = kernel[3] = 1.0, kernel[1] = kernel[2] = -1.0, kernel[4] = 0.0, kernel[5] = sqrt(3.0);
    NTH_CHECK_OK(run(&z, &p, &opt)); /* R = 2: sum of weights 4 (4 - k^2) - 4 = 0 at k = sqrt 3 */
    NTH_CHECK_STATUS(whole(Z, z, &p, 0), NTH_E_NUMERIC);
    NTH_CHECK_MESSAGE("test input 1 and training input 2: the weights of the regression cancel");
    nth_lantk_destroy(&z);
}

static nth_lantk_variant variant_under_test;

static nth_status build(void)
{
    problem           p;
    nth_lantk        *z = NULL;
    nth_lantk_options opt = options(variant_under_test);
    double            Z[14 * 12];
    make(&p, 12, 2, 6, 3);
    opt.permute = true, opt.epsilon = 0.2;
    for (int i = 0; i < 12; ++i) fold[i] = i < 5 ? 1.0 : 0.0;
    p.src.fold = fold, p.src.folds = 1;
    nth_status st = run(&z, &p, &opt);
    if (st == NTH_OK) st = whole(Z, z, &p, 0);
    nth_lantk_destroy(&z);
    return st;
}

static void survives_failing_allocations(void)
{
    for (int v = 0; v < NTH_LANTK_VARIANTS; ++v) {
        variant_under_test = (nth_lantk_variant)v;
        nth_test_every_allocation_fails(build);
    }
}

int main(void)
{
#define CASE(name) { #name, name }
    return nth_test_main("lantk", (nth_test_case[]){
        CASE(stored_values), CASE(five_sums_are_the_double_loop), CASE(distances_are_exact_sums),
        CASE(features_match_twin), CASE(streaming_is_dense_least_squares), CASE(tiles_do_not_matter),
        CASE(hadamard_by_definition), CASE(sketch_error_is_as_its_size_predicts), CASE(sketch_against_exact),
        CASE(folds_leave_labels_out), CASE(permutation_keeps_the_classes), CASE(same_bits_on_any_threads),
        CASE(refusals), CASE(large_sketch_is_refused), CASE(cancelling_weights_are_named),
        CASE(survives_failing_allocations), { 0 } });
}
