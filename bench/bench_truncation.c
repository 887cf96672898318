/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Cost of the truncated hierarchy by level: contractions at t = 0 and one run to t = 1. Check: the two
 * forms of each level agree, and level 2 is the linearised network. Usage and counts: README.md.
 */
#include "bench.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "nth/rng.h"
#include "nth/truncation.h"

typedef struct truncation_job {
    const nth_net  *net;
    const double   *X, *y;
    ptrdiff_t       n, d;
    int             level;
    nth_truncation *tr; /* of run_level */
    double         *f;
} truncation_job;

static void run_create(void *ctx)
{
    truncation_job *j = ctx;
    nth_truncation *tr;
    BENCH_TRY(nth_truncation_create(&tr, j->net, nth_cmat_of(j->X, j->n, j->d), (nth_cmat){ 0 }, j->y, j->level, 0, 1.0));
    nth_truncation_destroy(&tr);
}

static void run_level(void *ctx)
{
    truncation_job *j = ctx;
    const double    t = 1.0;
    BENCH_TRY(nth_truncation_run(j->tr, j->level, NTH_TRUNCATION_INTEGRALS, 1e-10, 1, &t, j->f, NULL, NULL));
}

/* Largest difference of the outputs by the two forms, relative to the largest output. */
static double forms_differ(truncation_job *j)
{
    const double t = 1.0;
    double      *f = bench_doubles(j->n);
    run_level(j);
    BENCH_TRY(nth_truncation_run(j->tr, j->level, NTH_TRUNCATION_TENSORS, 1e-10, 1, &t, f, NULL, NULL));
    const double err = bench_error(nth_cmat_of(f, 1, j->n), nth_cmat_of(j->f, 1, j->n));
    free(f);
    return err;
}

static void levels(const bench_opts *o, ptrdiff_t n, int highest)
{
    const ptrdiff_t d = 16, m = 256;
    nth_net        *net = bench_net(d, m, 2);
    double         *X = bench_points(n, d), *y = bench_doubles(n), *f = bench_doubles(n);
    truncation_job  j[5];
    bench_item      it[10];
    char            size[64], name[10][24];
    int             count = 0;
    for (ptrdiff_t i = 0; i < n; ++i) y[i] = i % 2 ? -1.0 : 1.0;
    snprintf(size, sizeof size, "n=%td m=%td d=%td", n, m, d);
    for (int level = 2; level <= highest; ++level) {
        truncation_job *job = &j[level - 2];
        *job = (truncation_job){ .net = net, .X = X, .y = y, .n = n, .d = d, .level = level, .f = f };
        BENCH_TRY(nth_truncation_create(&job->tr, net, nth_cmat_of(X, n, d), (nth_cmat){ 0 }, y, level, 0, 1.0));
        const double err = forms_differ(job);
        bench_require("the two forms of a level", err, 1e-7);
        snprintf(name[count], sizeof name[count], "level %d, at t = 0", level);
        it[count] = (bench_item){ .name = name[count], .run = run_create, .ctx = job, .err = err };
        it[count++].bytes = nth_truncation_bytes(n, 0, level, 0, NTH_TRUNCATION_INTEGRALS);
        snprintf(name[count], sizeof name[count], "level %d, to t = 1", level);
        it[count] = (bench_item){ .name = name[count], .run = run_level, .ctx = job, .err = err };
        it[count++].bytes = nth_truncation_bytes(n, 0, level, 0, NTH_TRUNCATION_INTEGRALS);
    }
    bench_turns(o, size, it, count);
    for (int level = 2; level <= highest; ++level) {
        printf("  level %d at n = %td holds %.3g MB\n", level, n, 1e-6 * nth_truncation_bytes(n, 0, level, 0, NTH_TRUNCATION_INTEGRALS));
        nth_truncation_destroy(&j[level - 2].tr);
    }
    nth_net_destroy(&net);
    free(X), free(y), free(f);
}

static void case_levels(const bench_opts *o)
{
    levels(o, 4, 6);
    if (o->quick) return;
    levels(o, 8, 6);
    levels(o, 16, 5);
    levels(o, 32, 4);
}

int main(int argc, char **argv)
{
    static const bench_case cases[] = { { "levels", case_levels } };
    return bench_main(argc, argv, cases, 1);
}
