/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Cost of the label-aware part m sum_ij Omega_ij E K4(x,x',x_i,x_j) on n training points, relu (a.e.), by every
 * route: the dense tensor of n^4 numbers, then loops over its last two indices; the exact contraction; sampled
 * neurons to one percent. And at depth three, of two networks: the dense tensor by n^2 contractions against
 * the curve. Checks: all routes give the same numbers. Usage and counts: README.md.
 */
#include "bench.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "nth/average.h"
#include "nth/expected.h"
#include "nth/sampled.h"

enum { DIM = 64, WIDTH = 512, NETWORKS = 2 };

static const double PERCENT = 0.01;

/* One set of points, its weights and results. */
typedef struct label_job {
    ptrdiff_t           n, step;           /* of the tensor's rows (a,b) entry by entry: every step-th */
    double             *X, *y, *W, *alpha; /* (n x d), (n), (n x n), (n) */
    double             *T;                 /* (n^4) */
    double             *K, *se, *base;     /* (n x n) */
    nth_expected_config cfg;
    nth_sampled_options opt;
    nth_sampled_result  reached;
    nth_average_options deep;
} label_job;

static nth_cmat inputs(const label_job *j) { return nth_cmat_of(j->X, j->n, DIM); }

/* Omega and alpha at t = infinity from the infinite-width kernel of `layers` layers, r_0 = -y. */
static void weights(label_job *j, int layers)
{
    nth_spectral        *sp = NULL;
    nth_blocks           base = { .train = nth_mat_of(j->base, j->n, j->n) };
    double              *r0 = bench_doubles(j->n);
    nth_net_config       shape = bench_config(DIM, WIDTH, layers);
    shape.activation = NTH_ACT_RELU, shape.input_scale = NTH_INPUT_ONE;
    BENCH_TRY(nth_ntk_infinite(&base, &shape, inputs(j), (nth_cmat){ 0 }));
    for (ptrdiff_t i = 0; i < j->n; ++i) r0[i] = -j->y[i];
    BENCH_TRY(nth_spectral_create(&sp, nth_const(base.train), r0));
    BENCH_TRY(nth_spectral_alpha(sp, INFINITY, j->alpha));
    BENCH_TRY(nth_spectral_omega(sp, INFINITY, nth_mat_of(j->W, j->n, j->n)));
    nth_spectral_destroy(&sp);
    free(r0);
}

static label_job job(ptrdiff_t n, bool tensor)
{
    label_job j = { .n = n, .step = 1, .X = bench_points(n, DIM), .y = bench_doubles(n), .W = bench_doubles(n * n), .alpha = bench_doubles(n),
                    .T = bench_doubles(tensor ? n * n * n * n : 1), .K = bench_doubles(n * n), .se = bench_doubles(n * n),
                    .base = bench_doubles(n * n), .cfg = { .activation = NTH_ACT_RELU, .almost_everywhere = true } };
    const double scale = 1.0 / sqrt((double)DIM); /* form E3 takes inputs that are scaled */
    for (ptrdiff_t e = 0; e < n * DIM; ++e) j.X[e] *= scale;
    for (ptrdiff_t i = 0; i < n; ++i) j.y[i] = i % 2 ? -1.0 : 1.0;
    j.opt = (nth_sampled_options){ .activation = NTH_ACT_RELU, .sigma_w = 1.0, .input_scale = NTH_INPUT_ONE, .target = PERCENT,
                                   .least = 10240, .seed = 1 };
    return j;
}

static void job_free(label_job *j)
{
    double *const owned[] = { j->X, j->y, j->W, j->alpha, j->T, j->K, j->se, j->base };
    for (size_t i = 0; i < sizeof owned / sizeof *owned; ++i) free(owned[i]);
}

/* K <- sum_cd T_abcd W_cd. */
static void loops(label_job *j)
{
    const ptrdiff_t n = j->n;
#pragma omp parallel for schedule(static)
    for (ptrdiff_t ab = 0; ab < n * n; ab += j->step) {
        double sum = 0.0;
        for (ptrdiff_t cd = 0; cd < n * n; ++cd) sum += j->T[ab * n * n + cd] * j->W[cd];
        j->K[ab] = sum;
    }
}

/* The tensor as the library makes it: one table of orthants for the 24 orders of four points. */
static void run_dense(void *ctx)
{
    label_job *j = ctx;
    BENCH_TRY(nth_expected_tensor(j->T, &j->cfg, inputs(j)));
    loops(j);
}

/* The tensor entry by entry, n^4/step means at four points. */
static void run_entries(void *ctx)
{
    label_job      *j = ctx;
    const ptrdiff_t n = j->n;
    double         *G = bench_doubles(n * n);
    bool            failed = false;
    for (ptrdiff_t e = 0; e < n * n; ++e)
        for (ptrdiff_t a = 0; a < DIM; ++a) G[e] += j->X[e / n * DIM + a] * j->X[e % n * DIM + a];
#pragma omp parallel for schedule(dynamic, 1)
    for (ptrdiff_t ab = 0; ab < n * n; ab += j->step)
        for (ptrdiff_t cd = 0; cd < n * n; ++cd) {
            const ptrdiff_t    p[4] = { ab / n, ab % n, cd / n, cd % n };
            nth_expected_value v;
            double             C[16];
            for (int e = 0; e < 16; ++e) C[e] = G[p[e / 4] * n + p[e % 4]];
            if (nth_expected_four(&v, &j->cfg, C, NULL) != NTH_OK) {
#pragma omp atomic write
                failed = true;
            }
            j->T[ab * n * n + cd] = v.K4;
        }
    bench_require("means at four points", failed ? 1.0 : 0.0, 0.0);
    loops(j);
    free(G);
}

static void run_exact(void *ctx)
{
    label_job *j = ctx;
    nth_blocks K = { .train = nth_mat_of(j->K, j->n, j->n) };
    BENCH_TRY(nth_expected_contract(&K, &j->cfg, NTH_EXPECTED_K4, inputs(j), (nth_cmat){ 0 }, nth_cmat_of(j->W, j->n, j->n)));
}

static void run_sampled(void *ctx)
{
    label_job *j = ctx;
    nth_blocks K = { .train = nth_mat_of(j->K, j->n, j->n) }, se = { .train = nth_mat_of(j->se, j->n, j->n) };
    BENCH_TRY(nth_sampled_k4(&K, &se, &j->reached, inputs(j), (nth_cmat){ 0 }, nth_cmat_of(j->W, j->n, j->n), j->alpha, &j->opt));
    bench_require("sampled neurons: relative standard error", j->reached.relative, PERCENT);
}

/* Largest distance of the sampled result from K, in standard errors. */
static double off_by(const label_job *sampled, const double *K)
{
    double worst = 0.0;
    for (ptrdiff_t e = 0; e < sampled->n * sampled->n; ++e) {
        const double z = fabs(sampled->K[e] - K[e]) / sampled->se[e];
        if (!(z <= worst)) worst = z;
    }
    return worst;
}

static nth_cmat result(const label_job *j) { return nth_cmat_of(j->K, j->n, j->n); }

/* The rows (a,b) that `j` has, against all of K. */
static double rows_error(const label_job *j, const double *K)
{
    const ptrdiff_t rows = (j->n * j->n + j->step - 1) / j->step;
    return bench_error((nth_cmat){ .a = j->K, .rows = rows, .cols = 1, .ld = j->step },
                       (nth_cmat){ .a = K, .rows = rows, .cols = 1, .ld = j->step });
}

static void against_dense(const bench_opts *o, ptrdiff_t n)
{
    const char *const names[] = { n > 20 ? "entry by entry, 1/16" : "entry by entry", "tensor, then loops", "exact contraction", "sampled to 1 %" };
    void (*const run[])(void *) = { run_entries, run_dense, run_exact, run_sampled };
    label_job  j[4];
    bench_item it[4];
    char       size[32], label[64];
    snprintf(size, sizeof size, "n=%td", n);
    for (int q = 0; q < 4; ++q) {
        j[q] = job(n, q < 2);
        if (q == 0 && n > 20) j[q].step = 16;
        weights(&j[q], 2);
        run[q](&j[q]);
        it[q] = (bench_item){ .name = names[q], .run = run[q], .ctx = &j[q] };
    }
    it[0].err = rows_error(&j[0], j[1].K);
    it[1].err = bench_error(result(&j[1]), result(&j[2]));
    it[3].err = off_by(&j[3], j[2].K);
    for (int q = 0; q < 4; ++q) bench_require(names[q], it[q].err, q < 3 ? 1e-9 : 6.0);
    bench_turns(o, size, it, 4);
    for (int q = 0; q < 3; ++q) {
        snprintf(label, sizeof label, "%s / sampled to 1 %%", q == 0 ? "entry by entry" : names[q]);
        bench_claim(o, label, size, (double)j[q].step * bench_ratio(&it[q], &it[3]), 1, n == 40 && q < 2 ? 100.0 : 0.0);
    }
    for (int q = 0; q < 4; ++q) job_free(&j[q]);
}

static void case_dense(const bench_opts *o)
{
    for (ptrdiff_t n = 5; n <= (o->quick ? 5 : 40); n *= 2) against_dense(o, n);
}

/* W = y y^T/2, the weights of short times: the cost of a draw does not depend on them. */
static void short_time_weights(label_job *j)
{
    for (ptrdiff_t e = 0; e < j->n * j->n; ++e) j->W[e] = 0.5 * j->y[e / j->n] * j->y[e % j->n];
    memcpy(j->alpha, j->y, (size_t)j->n * sizeof *j->y);
}

static void run_draws(void *ctx)
{
    label_job *j = ctx;
    nth_blocks K = { .train = nth_mat_of(j->K, j->n, j->n) }, se = { .train = nth_mat_of(j->se, j->n, j->n) };
    BENCH_TRY(nth_sampled_k4(&K, &se, &j->reached, inputs(j), (nth_cmat){ 0 }, nth_cmat_of(j->W, j->n, j->n), j->alpha, &j->opt));
}

/* Time of 10,240 draws by n, and of as many as 1 % needs: the error falls as their root. */
static void case_sampled(const bench_opts *o)
{
    static const ptrdiff_t all[] = { 10, 20, 40, 125, 250, 500, 1000, 2000, 4000 };
    const int              count = o->quick ? 2 : (int)(sizeof all / sizeof *all);
    const ptrdiff_t        from = o->quick ? 10 : 500;
    double                 N = 0.0, x = 0.0, y = 0.0, xx = 0.0, xy = 0.0;
    char                   size[48];
    for (int s = 0; s < count; ++s) {
        label_job  j = job(all[s], false);
        bench_item it = { .name = "10240 draws", .run = run_draws, .ctx = &j };
        bench_opts once = *o;
        if (all[s] > 1000) once.repeats = all[s] > 2000 ? 1 : 2, once.seconds = 0.0;
        short_time_weights(&j);
        j.opt.most = 10240;
        snprintf(size, sizeof size, "n=%td", all[s]);
        bench_turns(&once, size, &it, 1);
        const double needed = 10240.0 * pow(j.reached.relative / PERCENT, 2.0), a = log((double)all[s]), b = log(bench_min(&it));
        bench_claim(o, "draws for 1 %", size, needed, 1, 0.0);
        bench_claim(o, "seconds for 1 %", size, bench_min(&it) * needed / 10240.0, 1, 0.0);
        if (all[s] >= from) N += 1.0, x += a, y += b, xx += a * a, xy += a * b;
        job_free(&j);
    }
    snprintf(size, sizeof size, "n=%td..%td", from, all[count - 1]);
    bench_claim(o, "exponent of the time in n", size, (N * xy - x * y) / (N * xx - x * x), -1, o->quick ? 10.0 : 2.2);
}

/* ---- Depth three -------------------------------------------------------------------------------- */

static void deep_options(label_job *j)
{
    j->deep = (nth_average_options){ .shape = bench_config(DIM, WIDTH, 3), .seed = 1, .networks = NETWORKS };
    j->deep.shape.activation = NTH_ACT_RELU, j->deep.shape.input_scale = NTH_INPUT_ONE;
}

/* The tensors of the networks slice by slice, summed with the weights. */
static void run_slices(void *ctx)
{
    label_job      *j = ctx;
    const ptrdiff_t n = j->n;
    double         *unit = bench_doubles(2 * n), *slice = bench_doubles(n * n);
    memset(j->T, 0, (size_t)(n * n * n * n) * sizeof *j->T);
    for (uint32_t r = 0; r < NETWORKS; ++r) {
        nth_net *net = NULL;
        BENCH_TRY(nth_net_create(&net, &j->deep.shape, true));
        nth_net_init_gaussian(net, j->deep.seed, r);
        for (ptrdiff_t cd = 0; cd < n * n; ++cd) {
            nth_blocks K = { .train = nth_mat_of(slice, n, n) };
            unit[cd / n] = unit[n + cd % n] = 1.0;
            BENCH_TRY(nth_hier_contract(&K, net, inputs(j), (nth_cmat){ 0 }, 4, (const double *const[]){ unit, unit + n }));
            unit[cd / n] = unit[n + cd % n] = 0.0;
            for (ptrdiff_t ab = 0; ab < n * n; ++ab) j->T[ab * n * n + cd] += (double)WIDTH / NETWORKS * slice[ab];
        }
        nth_net_destroy(&net);
    }
    loops(j);
    free(unit);
    free(slice);
}

static void run_curve(void *ctx)
{
    label_job         *j = ctx;
    nth_average_result reached;
    nth_blocks         base = { .train = nth_mat_of(j->base, j->n, j->n) }, K = { .train = nth_mat_of(j->K, j->n, j->n) };
    BENCH_TRY(nth_hier_mean_label(&base, &K, NULL, &reached, &j->deep, inputs(j), (nth_cmat){ 0 }, j->y, INFINITY));
}

static void deep(const bench_opts *o, ptrdiff_t n)
{
    label_job  j[2] = { job(n, true), job(n, false) };
    bench_item it[2] = { { .name = "depth 3, tensor", .run = run_slices, .ctx = &j[0] }, { .name = "depth 3, curve", .run = run_curve, .ctx = &j[1] } };
    bench_opts once = *o;
    char       size[48];
    snprintf(size, sizeof size, "n=%td m=%d, %d networks", n, WIDTH, NETWORKS);
    for (int q = 0; q < 2; ++q) {
        deep_options(&j[q]);
        weights(&j[q], 3);
        it[q].run(&j[q]);
    }
    it[1].err = bench_error(result(&j[1]), result(&j[0]));
    bench_require("curve against the tensor", it[1].err, 1e-9);
    if (n > 10) once.repeats = 1, once.seconds = 0.0;
    bench_turns(&once, size, it, 2);
    bench_claim(o, "depth 3, tensor / curve", size, bench_ratio(&it[0], &it[1]), 1, o->quick ? 0.0 : 1.0);
    job_free(&j[0]);
    job_free(&j[1]);
}

static void case_deep(const bench_opts *o)
{
    for (ptrdiff_t n = 5; n <= (o->quick ? 5 : 20); n *= 2) deep(o, n);
}

int main(int argc, char **argv)
{
    static const bench_case cases[] = { { "dense", case_dense }, { "sampled", case_sampled }, { "deep", case_deep } };
    return bench_main(argc, argv, cases, 3);
}
