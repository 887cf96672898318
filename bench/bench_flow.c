/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Gradient flow: what one evaluation costs and on what it depends, and collocation against the
 * Runge-Kutta pair 8(9) at equal accuracy. Usage and counts: README.md.
 */
#include "bench.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "nth/rng.h"

typedef struct flow_job {
    const nth_net   *net;
    const double    *X, *y;
    ptrdiff_t        n, d;
    nth_flow_options opt;
    double           t;
    double          *f;      /* (n) outputs at t */
    double           inside; /* seconds of nth_flow_advance alone */
    nth_flow_stats   stats;
} flow_job;

static void run_flow(void *ctx)
{
    flow_job *j = ctx;
    nth_flow *flow = NULL;
    BENCH_TRY(nth_flow_create(&flow, j->net, nth_cmat_of(j->X, j->n, j->d), (nth_cmat){ 0 }, j->y,
                              &j->opt));
    const double start = bench_now();
    BENCH_TRY(nth_flow_advance(flow, j->t));
    j->inside = bench_now() - start;
    BENCH_TRY(nth_flow_outputs(flow, j->f));
    j->stats = nth_flow_get_stats(flow);
    nth_flow_destroy(&flow);
}

static double *labels(ptrdiff_t n)
{
    double *y = bench_doubles(n);
    nth_rand_normals(y, n, 1, NTH_STREAM_LABELS, 0, 0);
    return y;
}

typedef struct eval_job {
    ptrdiff_t n, m, d;
    int       layers;
    double    seconds; /* for one evaluation of the right-hand side, the least seen */
} eval_job;

/* One flow of fixed steps; the first product with the inputs is not in the time. */
static void evaluate_once(const bench_opts *o, eval_job *e)
{
    nth_net *net = bench_net(e->d, e->m, e->layers);
    double  *X = bench_points(e->n, e->d), *y = labels(e->n), *f = bench_doubles(e->n);
    flow_job j = {
        .net = net,
        .X = X,
        .y = y,
        .n = e->n,
        .d = e->d,
        .t = 1.0,
        .f = f,
        .opt = { .stepper = NTH_STEPPER_RKCK, .rtol = 1e-3, .fixed_steps = o->quick ? 2 : 5 }
    };
    run_flow(&j);
    e->seconds = fmin(e->seconds, j.inside / (double)j.stats.evaluations);
    nth_net_destroy(&net);
    free(X);
    free(y);
    free(f);
}

static void evaluation_line(const bench_opts *o, const eval_job *e)
{
    char         size[64];
    const double nm = (double)e->n * (double)e->m;
    /* two layers: G times the signals; deeper: three dense products (forward, backward, gradient) */
    const double flops = 2.0 * nm * (double)e->n + 6.0 * nm * (double)e->m * (e->layers - 2);
    snprintf(size, sizeof size, "n=%td m=%td L=%d d=%td", e->n, e->m, e->layers, e->d);
    printf("%-22s %-30s %3d %10.4g %30.1f GFLOP/s of the %s products\n", "flow, one evaluation",
           size, nth_threads_get(), e->seconds, flops / e->seconds * 1e-9,
           e->layers == 2 ? "2 n^2 m" : "dense");
    if (o->csv != NULL)
        fprintf(o->csv, "time,flow evaluation,\"%s\",%d,%.6g,,,%.4g,,,,%.6g,,,,,\n", size,
                nth_threads_get(), e->seconds, flops / e->seconds * 1e-9, flops);
}

/* The sizes take turns, so that a neighbour's load meets all of them. */
static void case_evaluation(const bench_opts *o)
{
    const ptrdiff_t n = o->quick ? 32 : 256, m = o->quick ? 256 : 4096;
    const double    loose = o->quick ? 1e9 : 1.0;
    eval_job        e[] = { { n, m, 6, 2, INFINITY },
                            { n, m, 3072, 2, INFINITY },
                            { n, 2 * m, 6, 2, INFINITY },
                            { 2 * n, m, 6, 2, INFINITY },
                            { n / 2, m / 4, 64, 3, INFINITY } };
    for (int turn = 0; turn < (o->quick ? 1 : 8); ++turn)
        for (int k = 0; k < 5; ++k) evaluate_once(o, &e[k]);
    for (int k = 0; k < 5; ++k) evaluation_line(o, &e[k]);
    bench_claim(o, "cost at d = 3072 / d = 6", "two layers", e[1].seconds / e[0].seconds, -1,
                1.2 * loose);
    bench_claim(o, "exponent of the cost in m", "two layers", log2(e[2].seconds / e[0].seconds), -1,
                1.3 * loose);
    bench_claim(o, "exponent of the cost in n", "two layers", log2(e[3].seconds / e[0].seconds), -1,
                2.2 * loose);
}

enum { LEVELS = 4 };
static const double level_rtol[LEVELS] = { 1e-4, 1e-6, 1e-8, 1e-10 };

static double output_error(const flow_job *j, const double *exact)
{
    return bench_error(nth_cmat_of(j->f, 1, j->n), nth_cmat_of(exact, 1, j->n));
}

/* Both steppers at falling tolerances against a run at 1e-13; for each accuracy the quicker one. */
static void accuracy(const bench_opts *o, ptrdiff_t n, ptrdiff_t m, ptrdiff_t d, int layers,
                     double t)
{
    static const nth_stepper steppers[2] = { NTH_STEPPER_COLLOCATION, NTH_STEPPER_RK8PD };
    nth_net                 *net = bench_net(d, m, layers);
    double                  *X = bench_points(n, d), *y = labels(n), *f = bench_doubles(n),
           *exact = bench_doubles(n);
    double     err[2][LEVELS];
    bench_item it[2 * LEVELS];
    flow_job   j[2 * LEVELS], ref = { .net = net,
                                      .X = X,
                                      .y = y,
                                      .n = n,
                                      .d = d,
                                      .t = t,
                                      .f = exact,
                                      .opt = { .stepper = NTH_STEPPER_COLLOCATION, .rtol = 1e-13 } };
    char       size[64], names[2 * LEVELS][32], label[64];
    run_flow(&ref);
    for (int k = 0; k < 2 * LEVELS; ++k) {
        const int s = k / LEVELS;
        j[k] = ref, j[k].f = f;
        j[k].opt.stepper = steppers[s], j[k].opt.rtol = level_rtol[k % LEVELS];
        run_flow(&j[k]);
        err[s][k % LEVELS] = output_error(&j[k], exact);
        bench_require("flow against a run at 1e-13", err[s][k % LEVELS],
                      1e3 * level_rtol[k % LEVELS]);
        snprintf(names[k], sizeof names[k], "%s %.0e", nth_stepper_name(steppers[s]),
                 level_rtol[k % LEVELS]);
        it[k] = (bench_item){ .name = names[k],
                              .run = run_flow,
                              .ctx = &j[k],
                              .err = err[s][k % LEVELS] };
    }
    snprintf(size, sizeof size, "n=%td m=%td L=%d t=%g", n, m, layers, t);
    bench_turns(o, size, it, 2 * LEVELS);
    for (int a = 0; a < LEVELS; ++a) { /* the cheapest rk8pd that is at least as accurate */
        int best = -1;
        for (int b = 0; b < LEVELS; ++b)
            if (err[1][b] <= err[0][a] &&
                (best < 0 || bench_median(&it[LEVELS + b]) < bench_median(&it[LEVELS + best])))
                best = b;
        if (best < 0) continue;
        snprintf(label, sizeof label, "rk8pd / collocation at error %.0e", err[0][a]);
        bench_claim(o, label, size, bench_ratio(&it[LEVELS + best], &it[a]), 1,
                    o->quick ? 0.0 : 1.0);
    }
    for (int k = 0; k < 2 * LEVELS; ++k)
        printf("  %s: %ld steps, %ld evaluations\n", names[k], j[k].stats.windows,
               j[k].stats.evaluations);
    nth_net_destroy(&net);
    free(X);
    free(y);
    free(f);
    free(exact);
}

static void case_accuracy(const bench_opts *o)
{
    if (o->quick) {
        accuracy(o, 12, 64, 4, 2, 5.0);
        return;
    }
    accuracy(o, 64, 2048, 16, 2, 100.0);
    accuracy(o, 64, 1024, 16, 3, 100.0);
}

int main(int argc, char **argv)
{
    static const bench_case cases[] = { { "evaluation", case_evaluation },
                                        { "accuracy", case_accuracy } };
    return bench_main(argc, argv, cases, 2);
}
