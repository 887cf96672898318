/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Training in mini-batches: an epoch of Adam on a wide two-layer network, in double precision beside
 * DGEMM and in single precision beside SGEMM; and a step of a convolutional one beside SGEMM. Usage and counts: README.md.
 */
#include "bench.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "nth/cnn.h"
#include "nth/rng.h"

extern void sgemm_(const char *transa, const char *transb, const int *m, const int *n, const int *k,
                   const float *alpha, const float *a, const int *lda, const float *b, const int *ldb,
                   const float *beta, float *c, const int *ldc);

typedef struct gemm_job {
    int    n;
    float *a, *b, *c;
} gemm_job;

static void run_sgemm(void *ctx)
{
    gemm_job   *j = ctx;
    const float one = 1.0f, zero = 0.0f;
    sgemm_("N", "N", &j->n, &j->n, &j->n, &one, j->a, &j->n, j->b, &j->n, &zero, j->c, &j->n);
}

static void run_epoch(void *ctx) { BENCH_TRY(nth_optimize_epoch(ctx, NULL)); }

static float *floats(ptrdiff_t count)
{
    float  *a = (float *)bench_doubles((count + 1) / 2);
    double *x = bench_doubles(count);
    nth_rand_normals(x, count, 1, NTH_STREAM_PROJECTION, 0, 0);
    for (ptrdiff_t i = 0; i < count; ++i) a[i] = (float)x[i];
    free(x);
    return a;
}

static gemm_job gemm_begin(int n)
{
    const ptrdiff_t count = (ptrdiff_t)n * n;
    return (gemm_job){ .n = n, .a = floats(count), .b = floats(count), .c = floats(count) };
}

static void gemm_end(gemm_job *j) { free(j->a), free(j->b), free(j->c); }

/* The gradient's square norm against a central difference of the loss along the gradient. */
static double slope_error(nth_net *net, nth_cmat X, const double *y)
{
    const ptrdiff_t d = net->cfg.widths[0], m = net->cfg.widths[1], P = nth_net_parameters(net);
    double         *g = bench_doubles(P), *rest = bench_doubles(P), loss[2], square = 0.0;
    BENCH_TRY(nth_optimize_gradient(g, NULL, net, X, y, NTH_PRECISION_DOUBLE));
    for (ptrdiff_t p = 0; p < P; ++p) square += g[p] * g[p];
    const double h = 1e-4 / sqrt(square);
    for (int side = 0; side < 2; ++side) {
        for (ptrdiff_t p = 0; p < P; ++p) {
            double *w = p < m * d ? net->W[0][0].a + p : net->W[0][1].a + p - m * d;
            *w += (side == 0 ? 1.0 : -2.0) * h * g[p];
        }
        BENCH_TRY(nth_optimize_gradient(rest, &loss[side], net, X, y, NTH_PRECISION_DOUBLE));
    }
    free(g), free(rest);
    return fabs((loss[0] - loss[1]) / (2.0 * h) / square - 1.0);
}

static nth_optimize *training(const nth_net *net, nth_cmat X, const double *y, ptrdiff_t batch, nth_precision precision)
{
    nth_optimize_options opt = { .rule = nth_optimizer_defaults(NTH_OPTIMIZER_ADAM), .batch = batch, .precision = precision };
    nth_optimize        *o = NULL;
    BENCH_TRY(nth_optimize_create(&o, net, X, y, &opt));
    return o;
}

static void epochs(const bench_opts *o, ptrdiff_t batch)
{
    const ptrdiff_t d = o->quick ? 50 : 3073, m = o->quick ? 64 : 8192, n = 4 * batch;
    nth_net        *net = bench_net(d, m, 2);
    double         *X = bench_points(n, d), *y = bench_doubles(n);
    gemm_job        j = gemm_begin(o->quick ? 256 : 2048);
    char            size[64];
    nth_rand_normals(y, n, 1, NTH_STREAM_LABELS, 0, 0);
    const double   err = slope_error(net, nth_cmat_of(X, 8, d), y);
    bench_require("gradient against a difference of the loss", err, 1e-6);
    nth_optimize *twice[2] = { training(net, nth_cmat_of(X, n, d), y, batch, NTH_PRECISION_DOUBLE),
                               training(net, nth_cmat_of(X, n, d), y, batch, NTH_PRECISION_SINGLE) };
    const double  flops = 4.0 * (double)n * (double)m * (double)d, cube = 2.0 * pow(j.n, 3.0);
    bench_item    it[3] = { { .name = "Adam epoch, double", .run = run_epoch, .ctx = twice[0], .flops = flops, .err = err },
                            { .name = "Adam epoch, single", .run = run_epoch, .ctx = twice[1], .flops = flops },
                            { .name = "SGEMM", .run = run_sgemm, .ctx = &j, .flops = cube } };
    snprintf(size, sizeof size, "n=%td m=%td d=%td batch=%td", n, m, d, batch);
    bench_turns(o, size, it, 3);
    const double bound = o->quick ? 0.0 : batch < 256 ? 0.5 : 0.7;
    bench_claim(o, "Adam, double / DGEMM", size, bench_of_dgemm(&it[0]), 1, bound);
    bench_claim(o, "Adam, single / SGEMM", size, bench_ratio(&it[2], &it[1]) * flops / cube, 1, bound);
    for (int k = 0; k < 2; ++k) nth_optimize_destroy(&twice[k]);
    nth_net_destroy(&net);
    free(X), free(y), gemm_end(&j);
}

/* ---- Convolutional ------------------------------------------------------------------------------- */

static void run_cnn_epoch(void *ctx) { BENCH_TRY(nth_cnn_epoch(ctx)); }

/* As slope_error; in single precision, along a longer way. */
static double cnn_slope_error(nth_cnn *net, ptrdiff_t P)
{
    double *g = bench_doubles(P), *rest = bench_doubles(P), *at = bench_doubles(3 * P), *moved = bench_doubles(3 * P), loss[2], square = 0.0;
    BENCH_TRY(nth_cnn_gradient(net, g, NULL));
    nth_cnn_get_state(net, at);
    for (ptrdiff_t p = 0; p < P; ++p) square += g[p] * g[p];
    const double h = 2e-3 / sqrt(square);
    for (int side = 0; side < 2; ++side) {
        memcpy(moved, at, (size_t)(3 * P) * sizeof *at);
        for (ptrdiff_t p = 0; p < P; ++p) moved[p] += (side == 0 ? h : -h) * g[p];
        BENCH_TRY(nth_cnn_set_state(net, moved, 0));
        BENCH_TRY(nth_cnn_gradient(net, rest, &loss[side]));
    }
    BENCH_TRY(nth_cnn_set_state(net, at, 0));
    free(g), free(rest), free(at), free(moved);
    return fabs((loss[0] - loss[1]) / (2.0 * h) / square - 1.0);
}

static void case_cnn(const bench_opts *o)
{
    const ptrdiff_t      batch = o->quick ? 4 : 128;
    nth_cnn_config       cfg = nth_cnn_lantk8(1);
    nth_cnn             *net = NULL;
    nth_optimize_options opt = { .rule = nth_optimizer_defaults(NTH_OPTIMIZER_ADAM), .batch = batch, .precision = NTH_PRECISION_SINGLE };
    char                 size[64];
    if (o->quick) cfg.height = cfg.width = 8;
    if (nth_cnn_check(&cfg) != NTH_OK) {
        printf("cnn: left out: %s\n", nth_last_error().message);
        return;
    }
    const ptrdiff_t d = cfg.channels * cfg.height * cfg.width;
    double         *X = bench_doubles(batch * d), *y = bench_doubles(batch);
    gemm_job        j = gemm_begin(o->quick ? 256 : 2048);
    nth_rand_normals(X, batch * d, 1, NTH_STREAM_INPUTS, 0, 0);
    nth_rand_normals(y, batch, 1, NTH_STREAM_LABELS, 0, 0);
    BENCH_TRY(nth_cnn_create(&net, &cfg, nth_cmat_of(X, batch, d), nth_cmat_of(y, batch, 1), &opt));
    const double err = cnn_slope_error(net, nth_cnn_parameters(&cfg));
    bench_require("gradient against a difference of the loss", err, 0.02);
    const double flops = 3.0 * nth_cnn_flops(&cfg) * (double)batch, cube = 2.0 * pow(j.n, 3.0);
    bench_item   it[2] = { { .name = "Adam step, cnn", .run = run_cnn_epoch, .ctx = net, .flops = flops, .err = err },
                           { .name = "SGEMM", .run = run_sgemm, .ctx = &j, .flops = cube } };
    snprintf(size, sizeof size, "3x%tdx%td P=%td batch=%td", cfg.height, cfg.width, nth_cnn_parameters(&cfg), batch);
    bench_turns(o, size, it, 2);
    bench_claim(o, "Adam, cnn / SGEMM", size, bench_ratio(&it[1], &it[0]) * flops / cube, 1, o->quick ? 0.0 : 0.5);
    nth_cnn_destroy(&net);
    free(X), free(y), gemm_end(&j);
}

static void case_small(const bench_opts *o) { epochs(o, o->quick ? 16 : 128); }
static void case_large(const bench_opts *o) { epochs(o, o->quick ? 16 : 512); }

int main(int argc, char **argv)
{
    const bench_case cases[] = { { "batch128", case_small }, { "batch512", case_large }, { "cnn", case_cnn } };
    return bench_main(argc, argv, cases, 3);
}
