/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Speed of the infinite-width kernels: the relu tangent kernel against the DSYRK of its inputs and the
 * vector math of its pairs, lantk-cnn8 against the vector math of its positions, two threads against
 * one. Usage and counts: README.md.
 */
#include "bench.h"
#include "bench_floor.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "nth/infinite.h"
#include "nth/rng.h"

/* The BLAS by its Fortran name, as in bench.c. */
extern void dsyrk_(const char *uplo, const char *trans, const int *n, const int *k, const double *alpha, const double *a,
                   const int *lda, const double *beta, double *c, const int *ldc);

enum { PROBE = 6 };

typedef struct job {
    nth_infinite *K;
    double       *X, *out;
    ptrdiff_t     n, d;
    double        positions; /* pairs times dual activations of each */
} job;

static void run_kernel(void *ctx)
{
    job       *j = ctx;
    nth_blocks B = { .train = nth_mat_of(j->out, j->n, j->n) };
    BENCH_TRY(nth_infinite_fill(&B, NULL, j->K, NULL, NULL));
}

static void run_syrk(void *ctx)
{
    job         *j = ctx;
    const int    n = (int)j->n, d = (int)j->d;
    const double one = 1.0, zero = 0.0;
    dsyrk_("U", "T", &n, &d, &one, j->X, &d, &zero, j->out, &n);
}

static volatile double sink;

/* The floor on as many threads as the kernel has. */
static void run_floor(void *ctx)
{
    const job *j = ctx;
    const int  threads = nth_threads_get();
    double     sum = 0.0;
#pragma omp parallel for num_threads(threads) reduction(+ : sum)
    for (int t = 0; t < threads; ++t) sum += bench_floor(j->positions / threads);
    sink = sum;
}

/* E45, E52-E54 by the book for one pair. */
static double relu_twin(const double *x, const double *z, ptrdiff_t d, int layers)
{
    const double pi = acos(-1.0);
    double       q1 = 0.0, q2 = 0.0, k = 0.0;
    for (ptrdiff_t e = 0; e < d; ++e) q1 += x[e] * x[e] / (double)d, q2 += z[e] * z[e] / (double)d, k += x[e] * z[e] / (double)d;
    double Theta = k;
    for (int l = 1; l < layers; ++l) {
        const double s = sqrt(fmax(q1 * q2 - k * k, 0.0)), th = atan2(s, k), Sdot = (pi - th) / (2.0 * pi);
        k = (s + (pi - th) * k) / (2.0 * pi), q1 *= 0.5, q2 *= 0.5;
        Theta = k + Sdot * Theta;
    }
    return Theta;
}

static void case_relu(const bench_opts *o)
{
    const ptrdiff_t n = o->quick ? 300 : 10000, d = o->quick ? 48 : 3072;
    enum { L = 3 };
    job           j = { .X = bench_points(n, d), .out = bench_doubles(n * n), .n = n, .d = d };
    char          size[64];
    nth_fc_config cfg = { .layers = L, .sigma_w = 1.0 };
    BENCH_TRY(nth_dual_of(&cfg.activation, NTH_ACT_RELU));
    BENCH_TRY(nth_infinite_create_fc(&j.K, &cfg, nth_cmat_of(j.X, n, d), (nth_cmat){ 0 }));
    j.positions = 0.5 * (double)n * (double)n * (L - 1);
    run_kernel(&j);
    double err = 0.0;
    for (ptrdiff_t a = 0; a < PROBE; ++a)
        for (ptrdiff_t b = 0; b < a; ++b) {
            const ptrdiff_t i = a * (n - 1) / (PROBE - 1), k = b * (n - 1) / (PROBE - 1);
            const double    gap = fabs(j.out[i * n + k] - relu_twin(j.X + i * d, j.X + k * d, d, L));
            if (!(gap <= err)) err = gap;
        }
    bench_require("relu NTK against the twin", err, 1e-13);
    bench_item it[3] = { { .name = "relu NTK", .run = run_kernel, .ctx = &j, .err = err, .flops = (double)n * (double)n * (double)d },
                         { .name = "DSYRK of the inputs", .run = run_syrk, .ctx = &j, .flops = (double)n * (double)n * (double)d },
                         { .name = "acos and sqrt of the pairs", .run = run_floor, .ctx = &j } };
    snprintf(size, sizeof size, "n=%td d=%td L=%d", n, d, L);
    bench_turns(o, size, it, 3);
    bench_claim(o, "relu NTK / (DSYRK + vector math)", size, 1.0 / (bench_ratio(&it[1], &it[0]) + bench_ratio(&it[2], &it[0])),
                -1, o->quick ? 1e9 : 1.5);
    nth_infinite_destroy(&j.K);
    free(j.X), free(j.out);
}

static void cnn8_open(job *j, ptrdiff_t n)
{
    const nth_conv_config cfg = nth_conv_lantk_cnn8();
    *j = (job){ .X = bench_doubles(n * 3072), .out = bench_doubles(n * n), .n = n, .d = 3072 };
    nth_rand_normals(j->X, n * 3072, 5, NTH_STREAM_INPUTS, 0, 0);
    BENCH_TRY(nth_infinite_create_conv(&j->K, &cfg, nth_cmat_of(j->X, n, 3072), (nth_cmat){ 0 }));
    /* what is computed: below the diagonal, in groups of 8 along it */
    double pairs = 0.0;
    const ptrdiff_t edge = nth_infinite_tile_size(j->K);
    for (ptrdiff_t i = 0; i < n; ++i) pairs += (double)(i % edge / 8 * 8 + 8) + (double)(i / edge * edge);
    j->positions = pairs * nth_infinite_positions(j->K);
}

static void cnn8_close(job *j)
{
    nth_infinite_destroy(&j->K);
    free(j->X), free(j->out);
}

/* Pairs of images computed alone are those of the tile; the tests compare with stored values. */
static double cnn8_check(job *j)
{
    double err = 0.0;
    run_kernel(j);
    for (ptrdiff_t a = 0; a < PROBE; ++a) {
        const ptrdiff_t i = a * (j->n - 1) / (PROBE - 1), k = j->n / 2;
        double          one;
        BENCH_TRY(nth_infinite_tile(nth_mat_of(&one, 1, 1), (nth_mat){ 0 }, j->K, i, k));
        const double gap = fabs(one - j->out[i * j->n + k]) / j->out[k * j->n + k];
        if (!(gap <= err)) err = gap;
    }
    bench_require("lantk-cnn8: a pair alone against the tile", err, 1e-14);
    return err;
}

static void case_cnn8(const bench_opts *o)
{
    char size[64];
    job  j;
    cnn8_open(&j, o->quick ? 9 : 512);
    const double err = cnn8_check(&j);
    bench_item   it[3] = { { .name = "lantk-cnn8", .run = run_kernel, .ctx = &j, .err = err, .threads = 1 },
                           { .name = "acos and sqrt of the positions", .run = run_floor, .ctx = &j, .threads = 1 },
                           { .name = "lantk-cnn8", .run = run_kernel, .ctx = &j, .err = err, .threads = 2 } };
    snprintf(size, sizeof size, "n=%td, %.3g positions", j.n, j.positions);
    bench_turns(o, size, it, 3);
    bench_claim(o, "lantk-cnn8, million positions / s / core", size, 1e-6 * j.positions / bench_median(&it[0]), 1,
                o->quick ? 0.0 : 400.0);
    bench_claim(o, "lantk-cnn8 / vector math", size, bench_ratio(&it[0], &it[1]), -1, o->quick ? 1e9 : 1.5);
    bench_claim(o, "lantk-cnn8 speed, 2 threads / 1", size, bench_ratio(&it[0], &it[2]), 1, o->quick ? 0.0 : 1.8);
    cnn8_close(&j);
}

int main(int argc, char **argv)
{
    static const bench_case cases[] = { { "relu", case_relu }, { "cnn8", case_cnn8 } };
    return bench_main(argc, argv, cases, 2);
}
