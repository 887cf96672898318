/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Label-aware kernels K^(HR): stored values (S1-S3), sums against double loops, features against long double,
 * streamed least squares against dense least squares on all pairs, folds, permuted labels. Sketches are in
 * test_lantk_sketch.c.
 */
#include "nth_test.h"
#include "alloc_priv.h"
#include "distance_priv.h"
#include "lantk_case.h"
#include "lantk_ref.h"
#include "linalg_priv.h"
#include "nth/regress.h"
#include "nth/rng.h"
#include "par_priv.h"

#include <float.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- Kernel regression -------------------------------------------------------------------------- */

static void stored_values(void)
{
    static const double S[16] = { 1.0, 0.6364310457393136, 0.5502236132929963, 0.4711655571887813, 0.6364310457393136, 1.0,
                                  0.3982638669627817, 0.5502236132929963, 0.5502236132929963, 0.3982638669627817, 1.0,
                                  0.3309201445208456, 0.4711655571887813, 0.5502236132929963, 0.3309201445208456, 1.0 };
    static const double want[2][3] = { { -0.03259630183375645, 0.4178747989895268, -0.1034096327834825 },
                                       { -0.2105448951008771, 0.9660660197174863, -0.4081205277387579 } };
    lantk_problem    p;
    nth_lantk *z = NULL;
    double     Z[16], sum = 0.0;
    lantk_make(&p, 4, 0, 3, 2);
    memcpy(lantk_kernel, S, sizeof S);
    for (int v = 0; v < 2; ++v) {
        const nth_lantk_options opt = lantk_options(v == 0 ? NTH_LANTK_KR_V1 : NTH_LANTK_KR_V2);
        NTH_CHECK_OK(lantk_run(&z, &p, &opt));
        NTH_CHECK_OK(lantk_whole(Z, z, &p, 0));
        NTH_CHECK_CLOSE(Z[1], want[v][0], 1e-12, 0.0);
        NTH_CHECK_CLOSE(Z[0], want[v][1], 1e-12, 0.0);
        NTH_CHECK_CLOSE(Z[2], want[v][2], 1e-12, 0.0);
        for (int e = 0; e < 16 && v == 0; ++e) sum += fabs(Z[e]) / 16.0;
        if (v == 0) NTH_CHECK_CLOSE(0.1 * nth_lantk_get_info(z, 0).mean_K / sum, 0.265327586543258, 1e-12, 0.0); /* S3 */
        nth_lantk_destroy(&z);
    }
}

/* All pairs of a small problem, some of a large one; K may be a small change on a large constant. */
static void against_double_loop(lantk_problem *p, nth_lantk_variant v, double ridge, ptrdiff_t every, double bound)
{
    const ptrdiff_t n = p->n;
    double         *A = malloc((size_t)(n * n) * sizeof *A), *Z = malloc((size_t)((n + p->k) * n) * sizeof *Z), worst = 0.0;
    nth_lantk      *z = NULL;
    nth_lantk_options opt = lantk_options(v);
    opt.ridge = ridge;
    for (ptrdiff_t e = 0; e < n * n; ++e) A[e] = lantk_T_of(p, e / n, e % n);
    if (v == NTH_LANTK_KR_V2) {
        double *T = malloc((size_t)(n * n) * sizeof *T), *K = malloc((size_t)(n * n) * sizeof *K);
        memcpy(T, A, (size_t)(n * n) * sizeof *T);
        for (ptrdiff_t e = 0; e < n * n; ++e) K[e] = lantk_kernel[e] + (e % (n + 1) == 0 ? ridge : 0.0);
        ref_two_sided_inverse(A, K, T, n);
        free(T), free(K);
    }
    NTH_CHECK_OK(lantk_run(&z, p, &opt));
    NTH_CHECK_OK(lantk_whole(Z, z, p, 0));
    for (ptrdiff_t e = 0; e < (n + p->k) * n; e += every) {
        const double want = ref_kernel_regression(lantk_kernel, A, n, lantk_kernel[e]);
        worst = nth_worst(worst, fabs(Z[e] - want) / fmax(fabs(want), 0.01));
    }
    if (!NTH_CHECK_CLOSE(worst, 0.0, 0.0, bound)) printf("  %s, n = %td\n", nth_lantk_variant_name(v), n);
    nth_lantk_destroy(&z);
    free(A), free(Z);
}

static void five_sums_are_the_double_loop(void)
{
    lantk_problem p;
    for (ptrdiff_t classes = 2; classes <= LANTK_CLASSES; ++classes) {
        lantk_make(&p, 37, 5, 4, classes);
        against_double_loop(&p, NTH_LANTK_KR_V1, 0.0, 1, 1e-12);
        against_double_loop(&p, NTH_LANTK_KR_V2, 0.0, 1, 1e-11); /* condition of K about 1e2 */
        against_double_loop(&p, NTH_LANTK_KR_V2, 0.7, 1, 1e-11); /* the ridge is in K^{-1}, not in K_pq */
    }
    lantk_make(&p, 37, 5, 4, 2); /* K = 1e4 + small: as stored, but for what storing rounds */
    for (ptrdiff_t e = 0; e < 42 * 37; ++e) lantk_kernel[e] = 1e4 + 1e-2 * lantk_kernel[e];
    against_double_loop(&p, NTH_LANTK_KR_V1, 0.0, 1, 1e-12);
    lantk_make(&p, 1030, 3, 3, 2); /* more than one tile */
    against_double_loop(&p, NTH_LANTK_KR_V1, 0.0, 40009, 1e-12);
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

static void features_match_twin(void)
{
    lantk_problem           p;
    nth_lantk        *z = NULL;
    nth_lantk_options opt = lantk_options(NTH_LANTK_LS_V2);
    double            s2 = 0.0, worst = 0.0, F[10], C[12 * 12] = { 0 }, mean[12] = { 0 }, l[12], score = 0.0;
    lantk_make(&p, 50, 0, 12, 2);
    NTH_CHECK_OK(lantk_run(&z, &p, &opt));
    for (ptrdiff_t e = 0; e < 2500; ++e)
        for (ptrdiff_t q = 0; q < 12; ++q) s2 += pow(lantk_inputs[e / 50 * 12 + q] - lantk_inputs[e % 50 * 12 + q], 2.0) / 2500.0;
    double *got = lantk_features(z, &p);
    for (ptrdiff_t e = 0; e < 2500; ++e) {
        ref_features(F, lantk_kernel[e], lantk_inputs + e / 50 * 12, lantk_inputs + e % 50 * 12, 12, s2);
        for (int f = 0; f < 10; ++f)
            if (e / 50 != e % 50 || (f != 5 && f != 6)) /* the twin's sine of 0 is the root of rounding */
                worst = nth_worst(worst, fabs(got[e * 20 + f] - F[f]) / fmax(fabs(F[f]), 1.0));
        if (e / 50 == e % 50) NTH_CHECK(got[e * 20 + 5] == 0.0 && got[e * 20 + 6] == 0.0 && got[e * 20 + 9] == 0.0);
    }
    NTH_CHECK_CLOSE(worst, 0.0, 0.0, 1e-13);
    /* Scores along the eigenvectors of the covariance, up to sign. */
    for (ptrdiff_t i = 0; i < 50; ++i) nth_axpy(0.02, lantk_inputs + i * 12, mean, 12);
    for (ptrdiff_t i = 0; i < 50; ++i)
        for (ptrdiff_t e = 0; e < 144; ++e) C[e] += (lantk_inputs[i * 12 + e / 12] - mean[e / 12]) * (lantk_inputs[i * 12 + e % 12] - mean[e % 12]);
    NTH_CHECK_OK(nth_eigh(nth_cmat_of(C, 12, 12), l, nth_mat_of(C, 12, 12)));
    worst = 0.0;
    for (ptrdiff_t e = 0; e < 2500; ++e)
        for (ptrdiff_t t = 0; t < 5; ++t) {
            double u = 0.0, v = 0.0;
            for (ptrdiff_t q = 0; q < 12; ++q) {
                u += (lantk_inputs[e / 50 * 12 + q] - mean[q]) * C[q * 12 + 11 - t];
                v += (lantk_inputs[e % 50 * 12 + q] - mean[q]) * C[q * 12 + 11 - t];
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

/* A feature column to mean 0 and deviation 1 if asked for; a constant one then to 0. Returns its deviation. */
static double standardize(double *A, ptrdiff_t rows, ptrdiff_t q, ptrdiff_t f, bool wanted)
{
    double mean = 0.0, square = 0.0;
    for (ptrdiff_t e = 0; e < rows; ++e) mean += A[e * q + f] / (double)rows;
    for (ptrdiff_t e = 0; e < rows; ++e) square += (A[e * q + f] - mean) * (A[e * q + f] - mean) / (double)rows;
    const double s = sqrt(square) > 1e-12 * fabs(mean) ? sqrt(square) : 0.0;
    for (ptrdiff_t e = 0; e < rows && wanted; ++e) A[e * q + f] = s > 0.0 ? (A[e * q + f] - mean) / s : 0.0;
    return wanted ? 1.0 : s;
}

/* A ridge is p rows more: sqrt(n^2 ridge) times each deviation, with target 0. */
static void against_dense(lantk_problem *p, const nth_lantk_options *opt, const char *what)
{
    const ptrdiff_t n = p->n, pairs = n * n;
    nth_lantk      *z = NULL;
    NTH_CHECK_OK(lantk_run(&z, p, opt));
    const ptrdiff_t q = z->p + (opt->intercept ? 1 : 0), rows = pairs + (opt->ridge > 0.0 ? z->p : 0);
    double *F = lantk_features(z, p), *A = calloc((size_t)(rows * q), sizeof *A), *T = calloc((size_t)rows, sizeof *T);
    double *fitted = malloc((size_t)rows * sizeof *T), *Z = malloc((size_t)(pairs + p->k * n) * sizeof *Z);
    double  worst = 0.0, sse = 0.0, sst = 0.0, mean = 0.0;
    for (ptrdiff_t e = 0; e < pairs; ++e) {
        T[e] = lantk_T_of(p, e / n, e % n), mean += T[e] / (double)pairs;
        for (ptrdiff_t f = 0; f < q; ++f) A[e * q + f] = f < z->p ? F[e * z->p + f] : 1.0;
    }
    for (ptrdiff_t f = 0; f < z->p; ++f) {
        const double s = standardize(A, pairs, q, f, opt->standardize);
        if (opt->ridge > 0.0) A[(pairs + f) * q + f] = sqrt((double)pairs * opt->ridge) * s;
    }
    ref_least_squares(fitted, A, T, rows, q);
    NTH_CHECK_OK(lantk_whole(Z, z, p, 0));
    for (ptrdiff_t e = 0; e < pairs; ++e) {
        worst = nth_worst(worst, fabs(Z[e] - fitted[e]));
        sse += (fitted[e] - T[e]) * (fitted[e] - T[e]), sst += (T[e] - mean) * (T[e] - mean);
    }
    const nth_lantk_info info = nth_lantk_get_info(z, 0);
    if (!NTH_CHECK_CLOSE(worst, 0.0, 0.0, 1e-10) || !NTH_CHECK_CLOSE(info.r2, 1.0 - sse / sst, 0.0, 1e-12))
        printf("  %s: condition %.2g, %td dropped\n", what, info.condition, info.dropped);
    if (opt->ridge > 0.0) NTH_CHECK(info.condition <= ((double)z->p + opt->ridge) / opt->ridge); /* eigenvalues of C lie in 0 .. p */
    free(F), free(A), free(T), free(fitted), free(Z);
    nth_lantk_destroy(&z);
}

static void streaming_is_dense_least_squares(void)
{
    lantk_problem p;
    for (int v = 0; v < 24; ++v) {
        nth_lantk_options opt = lantk_options(v % 2 == 0 ? NTH_LANTK_LS_V1 : NTH_LANTK_LS_V2);
        opt.intercept = v / 2 % 2 == 1, opt.standardize = v / 8 == 1, opt.ridge = v / 8 == 2 ? 0.3 : 0.0;
        lantk_make(&p, 41, 4, 9, v / 4 % 2 == 0 ? 2 : 3);
        against_dense(&p, &opt, "general inputs");
        for (ptrdiff_t i = 0; i < 45; ++i) { /* unit norm: a constant among the features, and doubles of others */
            const double s = 1.0 / sqrt(nth_dot(lantk_inputs + i * 9, lantk_inputs + i * 9, 9));
            for (ptrdiff_t q = 0; q < 9; ++q) lantk_inputs[i * 9 + q] *= s;
        }
        if (opt.ridge == 0.0) against_dense(&p, &opt, "unit norm");
    }
    lantk_make(&p, 61, 4, 9, 2); /* K far from 0 beside its spread */
    for (ptrdiff_t e = 0; e < 65 * 61; ++e) lantk_kernel[e] += 1e3;
    nth_lantk_options opt = lantk_options(NTH_LANTK_LS_V1);
    against_dense(&p, &opt, "offset kernel");
    opt.standardize = true, opt.ridge = 0.3;
    against_dense(&p, &opt, "offset kernel, standardised, with a ridge");
    lantk_make(&p, 61, 4, 2, 2); /* two dimensions: correlations are +-1, three of five components are missing */
    opt = lantk_options(NTH_LANTK_LS_V2);
    against_dense(&p, &opt, "two dimensions");
    nth_lantk *z = NULL;
    lantk_make(&p, 61, 4, 9, 2); /* two of nine dimensions in use: scores that are rounding must not become features */
    for (ptrdiff_t e = 0; e < 65 * 9; ++e) lantk_inputs[e] = e % 9 < 2 ? lantk_inputs[e] : 0.0;
    NTH_CHECK_OK(lantk_run(&z, &p, &opt));
    const nth_lantk_info info = nth_lantk_get_info(z, 0);
    for (int f = 14; f < 20; ++f) NTH_CHECK(info.w[f] == 0.0);
    NTH_CHECK(info.w[10] != 0.0 && info.w[13] != 0.0 && info.dropped >= 6);
    nth_lantk_destroy(&z);
}

/* More than one tile: the fit must not notice. */
static void tiles_do_not_matter(void)
{
    lantk_problem           p;
    nth_lantk        *z = NULL;
    nth_lantk_options opt = lantk_options(NTH_LANTK_LS_V1);
    lantk_make(&p, 1030, 2, 3, 2);
    NTH_CHECK_OK(lantk_run(&z, &p, &opt));
    NTH_CHECK(nth_lantk_steps(z) == 3);
    double *Z = malloc((size_t)(1032 * 1030) * sizeof *Z), normal[10] = { 0 }, size[10] = { 0 }, F[10], sum_K = 0.0;
    NTH_CHECK_OK(lantk_whole(Z, z, &p, 0));
    for (ptrdiff_t e = 0; e < 1030 * 1030; ++e) { /* residuals are orthogonal to all features */
        const ptrdiff_t i = e / 1030, j = e % 1030;
        const double    r = Z[e] - lantk_T_of(&p, i, j);
        ref_features(F, lantk_kernel[e], lantk_inputs + i * 3, lantk_inputs + j * 3, 3, z->model[0].s2);
        for (int f = 0; f < 10; ++f) normal[f] += F[f] * r, size[f] += fabs(F[f] * r);
        sum_K += fabs(lantk_kernel[e]);
    }
    for (int f = 0; f < 10; ++f) NTH_CHECK_CLOSE(normal[f] / size[f], 0.0, 0.0, 1e-9);
    NTH_CHECK_CLOSE(nth_lantk_get_info(z, 0).mean_K, sum_K / (1030.0 * 1030.0), 1e-12, 0.0);
    NTH_CHECK_CLOSE(Z[1029 * 1030 + 1], Z[1030 + 1029], 0.0, 1e-11);
    free(Z);
    nth_lantk_destroy(&z);
}

/* ---- Folds and controls ------------------------------------------------------------------------- */

/* Model 1 is the model of the data without fold 1, to rounding; labels of fold 1 do not reach it. Samples held out lie between
 * the others: first, in the middle and last. */
static void folds_leave_labels_out(void)
{
    enum { N = 30, KEPT = 20, D = 7 };
    for (int v = 0; v < NTH_LANTK_VARIANTS; ++v)
        for (int permuted = 0; permuted < 2; ++permuted) {
            lantk_problem           p, small;
            nth_lantk        *z = NULL;
            nth_lantk_options opt = lantk_options((nth_lantk_variant)v);
            double            Z[N * N], again[N * N], X[KEPT * D], Y[KEPT], K[KEPT * KEPT], part[KEPT * KEPT], worst = 0.0;
            ptrdiff_t         kept[KEPT], count = 0;
            opt.permute = permuted == 1, opt.permute_seed = 9;
            lantk_make(&p, N, 0, D, 2);
            for (ptrdiff_t i = 0; i < N; ++i) {
                lantk_fold[i] = i % 3 == 0 || i == N - 1 ? 1.0 : i % 2 == 0 ? 2.0 : 0.0;
                if (i == 15) lantk_fold[i] = 0.0; /* twenty are kept */
                if (lantk_fold[i] != 1.0) kept[count++] = i;
            }
            lantk_fold[2] = lantk_fold[4] = 0.0; /* fold 2 must leave both classes */
            NTH_CHECK(count == KEPT);
            p.src.fold = lantk_fold, p.src.folds = 2;
            NTH_CHECK_OK(lantk_run(&z, &p, &opt));
            NTH_CHECK(nth_lantk_get_info(z, 1).kept == KEPT && nth_lantk_get_info(z, 0).kept == N);
            NTH_CHECK_OK(lantk_whole(Z, z, &p, 1));
            const double mean_K = nth_lantk_get_info(z, 1).mean_K;
            nth_lantk_destroy(&z);
            for (ptrdiff_t i = 0; i < N; ++i)
                if (lantk_fold[i] == 1.0) lantk_targets[i] = -lantk_targets[i];
            NTH_CHECK_OK(lantk_run(&z, &p, &opt));
            NTH_CHECK_OK(lantk_whole(again, z, &p, 1));
            NTH_CHECK(memcmp(Z, again, sizeof Z) == 0);
            nth_lantk_destroy(&z);

            for (ptrdiff_t a = 0; a < KEPT; ++a) {
                memcpy(X + a * D, lantk_inputs + kept[a] * D, D * sizeof *X), Y[a] = lantk_targets[kept[a]];
                for (ptrdiff_t b = 0; b < KEPT; ++b) K[a * KEPT + b] = lantk_kernel[kept[a] * N + kept[b]];
            }
            memcpy(lantk_kernel, K, sizeof K);
            small = (lantk_problem){ .n = KEPT, .d = D };
            small.src = (nth_lantk_source){ .X = nth_cmat_of(X, KEPT, D), .Y = nth_cmat_of(Y, KEPT, 1), .read = lantk_read };
            if (permuted == 1) { /* keys belong to numbers of samples: give the small problem the labels of the model */
                lantk_make(&p, N, 0, D, 2);
                p.src.fold = lantk_fold, p.src.folds = 2;
                NTH_CHECK_OK(lantk_run(&z, &p, &opt));
                for (ptrdiff_t a = 0; a < KEPT; ++a) Y[a] = z->model[1].label[kept[a]] == 0 ? 1.0 : -1.0;
                nth_lantk_destroy(&z);
                memcpy(lantk_kernel, K, sizeof K), opt.permute = false;
            }
            NTH_CHECK_OK(lantk_run(&z, &small, &opt));
            NTH_CHECK_OK(lantk_whole(part, z, &small, 0));
            for (ptrdiff_t e = 0; e < KEPT * KEPT; ++e) worst = nth_worst(worst, fabs(part[e] - Z[kept[e / KEPT] * N + kept[e % KEPT]]));
            NTH_CHECK_CLOSE(nth_lantk_get_info(z, 0).mean_K, mean_K, 1e-13, 0.0);
            const bool sketched = v >= NTH_LANTK_FJLT_V1; /* padded to another power of two: another sketch */
            if (!sketched && !NTH_CHECK_CLOSE(worst, 0.0, 0.0, 1e-9)) printf("  %s\n", nth_lantk_variant_name((nth_lantk_variant)v));
            nth_lantk_destroy(&z);
        }
}

/* E81: a Z that knows the labels, and predicts yh at test points, gives f = (f_K + lambda s yh)/(1 + lambda s), s = y^T (K + rho I)^{-1} y.
 * Such a Z is what least squares make of a base kernel y_i y_j. */
static void perfect_Z_is_a_blend(void)
{
    enum { N = 30, K = 6, D = 5 };
    static double           G[(N + K) * N], Z[(N + K) * N], sum[(N + K) * N];
    const nth_lantk_options opt = lantk_options(NTH_LANTK_LS_V1);
    lantk_problem           p;
    nth_lantk              *z = NULL;
    double                  y[N], yh[K], alpha[N], f[K], blend[K], worst = 0.0;
    lantk_make(&p, N, K, D, 2);
    memcpy(G, lantk_kernel, sizeof G), memcpy(y, lantk_targets, sizeof y);
    for (ptrdiff_t q = 0; q < K; ++q) yh[q] = sin(1.0 + (double)(q * q));
    for (ptrdiff_t e = 0; e < (N + K) * N; ++e) lantk_kernel[e] = (e / N < N ? y[e / N] : yh[e / N - N]) * y[e % N];
    NTH_CHECK_OK(lantk_run(&z, &p, &opt));
    NTH_CHECK_OK(lantk_whole(Z, z, &p, 0));
    NTH_CHECK_CLOSE(nth_lantk_get_info(z, 0).r2, 1.0, 1e-12, 0.0);
    for (ptrdiff_t e = 0; e < (N + K) * N; ++e) worst = nth_worst(worst, fabs(Z[e] - lantk_kernel[e]));
    NTH_CHECK_CLOSE(worst, 0.0, 0.0, 1e-11);
    nth_lantk_destroy(&z);
    for (int way = 0; way < 4; ++way) { /* the product itself, or the fit; without and with a ridge */
        const double *use = way % 2 == 0 ? lantk_kernel : Z, lambda = 0.7, ridge = way < 2 ? 0.0 : 0.2;
        nth_regress  *r = NULL;
        double        s = 0.0;
        for (ptrdiff_t e = 0; e < (N + K) * N; ++e) sum[e] = G[e] + lambda * use[e];
        for (int added = 0; added < 2; ++added) {
            const double *kernel = added == 0 ? G : sum;
            NTH_CHECK_OK(nth_regress_create(&r, nth_cmat_of(kernel, N, N), &(nth_regress_options){ .ridge = ridge }));
            NTH_CHECK_OK(nth_regress_solve(nth_mat_of(alpha, N, 1), NULL, r, nth_cmat_of(y, N, 1)));
            NTH_CHECK_OK(nth_regress_predict(nth_mat_of(added == 0 ? f : blend, K, 1), nth_cmat_of(kernel + N * N, K, N), nth_cmat_of(alpha, N, 1), NULL));
            for (ptrdiff_t i = 0; i < N && added == 0; ++i) s += y[i] * alpha[i];
            nth_regress_destroy(&r);
        }
        for (ptrdiff_t q = 0; q < K; ++q)
            NTH_CHECK_CLOSE(blend[q], (f[q] + lambda * s * yh[q]) / (1.0 + lambda * s), 0.0, way % 2 == 0 ? 1e-12 : 1e-10);
    }
}

static void permutation_keeps_the_classes(void)
{
    lantk_problem           p;
    nth_lantk        *z = NULL;
    nth_lantk_options opt = lantk_options(NTH_LANTK_LS_V1);
    ptrdiff_t         count[LANTK_CLASSES] = { 0 }, moved = 0;
    double            r2;
    lantk_make(&p, 60, 0, 2, 3);
    NTH_CHECK_OK(lantk_run(&z, &p, &opt));
    r2 = nth_lantk_get_info(z, 0).r2;
    nth_lantk_destroy(&z);
    opt.permute = true, opt.permute_seed = 4;
    NTH_CHECK_OK(lantk_run(&z, &p, &opt));
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
            lantk_problem           p;
            nth_lantk        *z = NULL;
            nth_lantk_options opt = lantk_options((nth_lantk_variant)v);
            lantk_make(&p, N, K, 40, 2);
            nth_priv_set_threads(threads[t]);
            NTH_CHECK_OK(lantk_run(&z, &p, &opt));
            NTH_CHECK_OK(lantk_whole(Z[t > 0], z, &p, 0));
            NTH_CHECK(t == 0 || memcmp(Z[0], Z[1], sizeof Z[0]) == 0);
            nth_lantk_destroy(&z);
        }
    }
    nth_priv_set_threads(before);
}

/* ---- Failures ----------------------------------------------------------------------------------- */

static void refusals(void)
{
    lantk_problem           p;
    nth_lantk        *z = NULL;
    nth_lantk_options ls = lantk_options(NTH_LANTK_LS_V1), kr = lantk_options(NTH_LANTK_KR_V1), bad = ls;
    nth_mat           none = { 0 };
    lantk_make(&p, 8, 2, 3, 2);
    for (int i = 0; i < 8; ++i) lantk_targets[i] = 1.0;
    NTH_CHECK_STATUS(lantk_run(&z, &p, &ls), NTH_E_RANGE);
    NTH_CHECK_MESSAGE("all 8 labels are of one class: T = 1 for every pair");
    lantk_make(&p, 8, 2, 3, 2);
    lantk_targets[3] = 0.5;
    NTH_CHECK_STATUS(lantk_run(&z, &p, &ls), NTH_E_RANGE);
    lantk_make(&p, 8, 2, 3, 2);
    for (int i = 0; i < 8; ++i) lantk_fold[i] = i % 2 == 0 ? 1.0 : 0.0;
    p.src.fold = lantk_fold, p.src.folds = 1;
    NTH_CHECK_STATUS(lantk_run(&z, &p, &kr), NTH_E_RANGE);
    NTH_CHECK_MESSAGE("all 4 labels outside a fold are of one class");
    lantk_make(&p, 8, 2, 3, 2);
    memset(lantk_inputs + 9 * 3, 0, 3 * sizeof(double));
    NTH_CHECK_STATUS(lantk_run(&z, &p, &ls), NTH_E_NUMERIC);
    NTH_CHECK_MESSAGE("test input 2 is zero");
    NTH_CHECK_OK(lantk_run(&z, &p, &kr));
    NTH_CHECK_STATUS(nth_lantk_gather(z, 0), NTH_E_ARG);
    NTH_CHECK_STATUS(nth_lantk_tile(&none, z, 0, 0), NTH_E_SHAPE);
    nth_lantk_destroy(&z);
    lantk_make(&p, 8, 2, 3, 2);
    for (int c = 0; c < 3; ++c) lantk_inputs[4 * 3 + c] = 0.7;
    NTH_CHECK_STATUS(lantk_run(&z, &p, &ls), NTH_E_NUMERIC);
    NTH_CHECK_MESSAGE("all coordinates of training input 5 are alike");
    lantk_inputs[4 * 3] = (double)NAN;
    NTH_CHECK_STATUS(lantk_run(&z, &p, &ls), NTH_E_NUMERIC);
    NTH_CHECK_MESSAGE("training input 5 is not finite");
    lantk_make(&p, 8, 2, 3, 2);
    lantk_kernel[10] = (double)NAN;
    NTH_CHECK_STATUS(lantk_run(&z, &p, &kr), NTH_E_NUMERIC);
    NTH_CHECK_MESSAGE("the base kernel is not finite within rows 1 to 8");
    nth_lantk_destroy(&z);
    for (int e = 0; e < 64; ++e) lantk_kernel[e] = 2.5;
    NTH_CHECK_STATUS(lantk_run(&z, &p, &kr), NTH_E_NUMERIC);
    NTH_CHECK_MESSAGE("the base kernel is the constant 2.5");
    nth_lantk_destroy(&z);
    kr.variant = NTH_LANTK_KR_V2;
    NTH_CHECK_STATUS(lantk_run(&z, &p, &kr), NTH_E_NUMERIC);
    NTH_CHECK_MESSAGE("singular");
    bad.ridge = -1.0;
    NTH_CHECK_STATUS(lantk_run(&z, &p, &bad), NTH_E_ARG);
    bad = lantk_options(NTH_LANTK_FJLT_V1), bad.epsilon = 0.0;
    NTH_CHECK_STATUS(lantk_run(&z, &p, &bad), NTH_E_ARG);
    bad.epsilon = 0.9;
    NTH_CHECK_STATUS(lantk_run(&z, &p, &bad), NTH_E_ARG);
    NTH_CHECK_MESSAGE("gives a sketch of 2 rows for 11 columns");
    bad = lantk_options(NTH_LANTK_VARIANTS);
    NTH_CHECK_STATUS(lantk_run(&z, &p, &bad), NTH_E_ARG);
    NTH_CHECK(z == NULL);
    nth_lantk_destroy(&z);
}

/* Two classes whose K cancels the weights of a test pair: K_ij = +-1 off and on the diagonal, k far away. */
static void cancelling_weights_are_named(void)
{
    lantk_problem           p;
    nth_lantk        *z = NULL;
    nth_lantk_options opt = lantk_options(NTH_LANTK_KR_V1);
    double            Z[3 * 2];
    lantk_make(&p, 2, 1, 3, 2);
    lantk_kernel[0] = lantk_kernel[3] = 1.0, lantk_kernel[1] = lantk_kernel[2] = -1.0, lantk_kernel[4] = 0.0, lantk_kernel[5] = sqrt(3.0);
    NTH_CHECK_OK(lantk_run(&z, &p, &opt)); /* R = 2: sum of weights 4 (4 - k^2) - 4 = 0 at k = sqrt 3 */
    NTH_CHECK_STATUS(lantk_whole(Z, z, &p, 0), NTH_E_NUMERIC);
    NTH_CHECK_MESSAGE("test input 1 and training input 2: the weights of the regression cancel");
    nth_lantk_destroy(&z);
}

static nth_lantk_variant variant_under_test;

static nth_status build(void)
{
    lantk_problem           p;
    nth_lantk        *z = NULL;
    nth_lantk_options opt = lantk_options(variant_under_test);
    double            Z[14 * 12];
    lantk_make(&p, 12, 2, 6, 3);
    opt.permute = true, opt.epsilon = 0.2;
    for (int i = 0; i < 12; ++i) lantk_fold[i] = i < 5 ? 1.0 : 0.0;
    p.src.fold = lantk_fold, p.src.folds = 1;
    nth_status st = lantk_run(&z, &p, &opt);
    if (st == NTH_OK) st = lantk_whole(Z, z, &p, 0);
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
        CASE(folds_leave_labels_out), CASE(perfect_Z_is_a_blend), CASE(permutation_keeps_the_classes), CASE(same_bits_on_any_threads),
        CASE(refusals), CASE(cancelling_weights_are_named),
        CASE(survives_failing_allocations), { 0 } });
}
