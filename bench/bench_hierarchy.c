/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Cost of the contracted kernels K3, K4, K5 and of the prediction Khat_t, in units of K2 on the same
 * points. Checks: each kernel on a few points is the central difference of the one below, K2 the
 * slow twin's; the whole block agrees with the few; at a short time the terms of Khat are
 * contractions with the residual. Usage and counts: README.md.
 */
#include "bench.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "nth/rng.h"

enum { PROBE = 5 };

typedef struct hier_job {
    const nth_net *net;
    const double  *X;
    ptrdiff_t      n, d;
    int            order;
    const double  *v[4];
    double        *K;
} hier_job;

static void run_contract(void *ctx)
{
    hier_job  *j = ctx;
    nth_blocks K = { .train = nth_mat_of(j->K, j->n, j->n) };
    BENCH_TRY(nth_hier_contract(&K, j->net, nth_cmat_of(j->X, j->n, j->d), (nth_cmat){ 0 },
                                j->order, j->v));
}

/* out <- the kernel one order below j's on the weights moved by s along j's last direction. */
static void below(double *out, const hier_job *j, double s)
{
    nth_net *moved = bench_ref_moved(j->net, j->X, j->n, j->v[j->order - 3], s);
    if (j->order == 3) {
        double *K = bench_ref_k2(moved, j->X, j->n);
        memcpy(out, K, (size_t)(j->n * j->n) * sizeof *K);
        free(K);
    } else {
        hier_job low = *j;
        low.net = moved, low.K = out, --low.order;
        run_contract(&low);
    }
    nth_net_destroy(&moved);
}

/* Error of the contraction against the fourth-order central difference of the one below. */
static double difference_error(hier_job *j)
{
    const ptrdiff_t e = j->n * j->n;
    const double    s = 0.03;
    double         *d = bench_doubles(4 * e), *want = bench_doubles(e);
    for (int k = 0; k < 4; ++k) below(d + k * e, j, s * (k < 2 ? k - 2 : k - 1));
    for (ptrdiff_t i = 0; i < e; ++i)
        want[i] = (d[i] - 8.0 * d[e + i] + 8.0 * d[2 * e + i] - d[3 * e + i]) / (12.0 * s);
    run_contract(j);
    const double err = bench_error(nth_cmat_of(j->K, j->n, j->n), nth_cmat_of(want, j->n, j->n));
    free(d);
    free(want);
    return err;
}

/* The first rows and columns of K2 against the slow twin. */
static double k2_error(hier_job *j)
{
    double *ref = bench_ref_k2(j->net, j->X, PROBE);
    run_contract(j);
    const nth_cmat part = { .a = j->K, .rows = PROBE, .cols = PROBE, .ld = j->n };
    const double   err = bench_error(part, nth_cmat_of(ref, PROBE, PROBE));
    free(ref);
    bench_require("K2 against the slow twin", err, 1e-12);
    return err;
}

/* A few points by differences, then all points with directions that see only these few. */
static double contract_check(const hier_job *whole, double *sparse)
{
    double   few_K[PROBE * PROBE];
    hier_job few = *whole, all = *whole;
    few.n = PROBE, few.K = few_K;
    const double err = difference_error(&few);
    bench_require("kernel against differences of the one below", err, 1e-5);
    for (int k = 0; k < 4; ++k) {
        for (ptrdiff_t i = 0; i < whole->n; ++i)
            sparse[k * whole->n + i] = i < PROBE ? whole->v[k][i] : 0.0;
        all.v[k] = sparse + k * whole->n;
    }
    run_contract(&all);
    const nth_cmat part = { .a = all.K, .rows = PROBE, .cols = PROBE, .ld = all.n };
    bench_require("kernel on all points against a few",
                  bench_error(part, nth_cmat_of(few_K, PROBE, PROBE)), 1e-10);
    return err;
}

/* Dense products of one component: first layer aside, forward and backward. */
static double dense_flops(const nth_net_config *cfg, double n)
{
    double flops = 0.0;
    for (int l = 2; l < cfg->layers; ++l)
        flops += 4.0 * n * (double)(cfg->widths[l] * cfg->widths[l - 1]);
    return flops;
}

static void contractions(const bench_opts *o, ptrdiff_t n, ptrdiff_t m, int layers)
{
    const ptrdiff_t d = 64;
    nth_net        *net = bench_net(d, m, layers);
    double         *X = bench_points(n, d), *K = bench_doubles(n * n), *v = bench_doubles(8 * n);
    hier_job        j[4];
    bench_item      it[4];
    static const char *const names[4] = { "K2", "K3[u]", "K4[u,v]", "K5[u,v,w]" };
    const double             bound[4] = { 0.0, 5.0, 10.0, 30.0 };
    char                     size[64], label[64];
    nth_rand_normals(v, 4 * n, 1, NTH_STREAM_LABELS, 0, 0);
    snprintf(size, sizeof size, "n=%td m=%td L=%d d=%td", n, m, layers, d);
    for (int k = 0; k < 4; ++k) {
        j[k] = (hier_job){ .net = net, .X = X, .n = n, .d = d, .order = 2 + k, .K = K };
        for (int i = 0; i < 4; ++i) j[k].v[i] = v + i * n;
        it[k] = (bench_item){ .name = names[k], .run = run_contract, .ctx = &j[k] };
        it[k].flops = (double)(1 << k) * dense_flops(&net->cfg, (double)n);
        it[k].bytes = 8.0 * (2.0 * (double)(m * m) * (layers - 2) +
                             10.0 * (1 << k) * (double)(n * m) * (layers - 1));
        it[k].err = k > 0 ? contract_check(&j[k], v + 4 * n) : k2_error(&j[0]);
    }
    bench_turns(o, size, it, 4);
    for (int k = 1; k < 4; ++k) {
        snprintf(label, sizeof label, "%s / K2", names[k]);
        bench_claim(o, label, size, bench_ratio(&it[k], &it[0]), -1, o->quick ? 1e9 : bound[k]);
    }
    nth_net_destroy(&net);
    free(X);
    free(K);
    free(v);
}

static void case_contract(const bench_opts *o)
{
    const ptrdiff_t n = o->quick ? 24 : 256, m = o->quick ? 96 : 4096;
    contractions(o, n, m, 3);
    if (!o->quick) contractions(o, n, 1024, 3);
}

typedef struct khat_job {
    const nth_net *net;
    const double  *X, *y; /* n training points, then the query */
    ptrdiff_t      n, k, d;
    bool           square; /* test x test instead of test x train */
    double         t;
    double        *K, *K3, *K4;
} khat_job;

static nth_blocks block_of(const khat_job *j, double *K)
{
    nth_blocks b = { 0 };
    if (j->square)
        b.test_test = nth_mat_of(K, j->k, j->k);
    else
        b.test = nth_mat_of(K, j->k, j->n);
    return b;
}

static nth_cmat query_of(const khat_job *j) { return nth_cmat_of(j->X + j->n * j->d, j->k, j->d); }

static void run_query_k2(void *ctx)
{
    khat_job  *j = ctx;
    nth_blocks K = block_of(j, j->K);
    BENCH_TRY(nth_ntk_empirical(&K, j->net, nth_cmat_of(j->X, j->n, j->d), query_of(j)));
}

static void run_khat(void *ctx)
{
    khat_job  *j = ctx;
    nth_blocks K = block_of(j, j->K), K3 = block_of(j, j->K3), K4 = block_of(j, j->K4);
    BENCH_TRY(nth_hier_khat(&K, &K3, &K4, j->net, nth_cmat_of(j->X, j->n, j->d), query_of(j), j->y,
                            1, &j->t, NTH_KHAT_CURVE));
}

/* f_0 on the training points. */
static double *outputs(const khat_job *j)
{
    const nth_flow_options opt = { .stepper = NTH_STEPPER_RKCK, .rtol = 1e-3 };
    nth_flow              *flow = NULL;
    double                *f = bench_doubles(j->n);
    BENCH_TRY(
        nth_flow_create(&flow, j->net, nth_cmat_of(j->X, j->n, j->d), (nth_cmat){ 0 }, j->y, &opt));
    BENCH_TRY(nth_flow_outputs(flow, f));
    nth_flow_destroy(&flow);
    return f;
}

/* At a short time alpha = (t/n) r_0 and Omega = (t/n)^2 r_0 r_0^T / 2 up to O(t lambda / n). */
static double khat_check(khat_job *j)
{
    const ptrdiff_t entries = j->k * (j->square ? j->k : j->n);
    const double    a = j->t / (double)j->n;
    double         *r0 = outputs(j), *want = bench_doubles(entries), err = 0.0;
    const double   *v[2] = { r0, r0 };
    for (ptrdiff_t i = 0; i < j->n; ++i) r0[i] -= j->y[i];
    run_khat(j);
    for (int order = 3; order <= 4; ++order) {
        nth_blocks    B = block_of(j, want);
        const double *got = order == 3 ? j->K3 : j->K4;
        BENCH_TRY(
            nth_hier_contract(&B, j->net, nth_cmat_of(j->X, j->n, j->d), query_of(j), order, v));
        for (ptrdiff_t i = 0; i < entries; ++i) want[i] *= order == 3 ? -a : 0.5 * a * a;
        const double e = bench_error(nth_cmat_of(got, 1, entries), nth_cmat_of(want, 1, entries));
        if (!(e <= err)) err = e;
    }
    bench_require("Khat at a short time against contractions", err, 1e-6);
    free(r0);
    free(want);
    return err;
}

/* The query part is what 1 -> k query points add. The time is so short that Omega has rank 1 or 2
 * and the training-set part, R jets, is small: the query part does not know R. */
static void khat_query(const bench_opts *o, ptrdiff_t n, ptrdiff_t m, bool square)
{
    const ptrdiff_t d = 64, k = n;
    nth_net        *net = bench_net(d, m, 3);
    double  *X = bench_points(n + k, d), *y = bench_doubles(n), *K = bench_doubles(3 * n * k);
    khat_job j[2] = { { .net = net,
                        .X = X,
                        .y = y,
                        .n = n,
                        .k = 1,
                        .d = d,
                        .square = square,
                        .t = 1e-10 * (double)n,
                        .K = K,
                        .K3 = K + n * k,
                        .K4 = K + 2 * n * k } };
    char     size[64];
    nth_rand_normals(y, n, 1, NTH_STREAM_LABELS, 0, 0);
    snprintf(size, sizeof size, "%s n=k=%td m=%td L=3", square ? "test^2" : "test", n, m);
    j[1] = j[0], j[1].k = k;
    const double err = khat_check(&j[1]);
    bench_item   it[4] = {
          { .name = "K2, 1 query point", .run = run_query_k2, .ctx = &j[0] },
          { .name = "K2, query block", .run = run_query_k2, .ctx = &j[1] },
          { .name = "Khat, 1 query point", .run = run_khat, .ctx = &j[0], .err = err },
          { .name = "Khat, query block", .run = run_khat, .ctx = &j[1], .err = err }
    };
    bench_turns(o, size, it, 4);
    bench_claim(o, "query part of Khat / query part of K2", size,
                bench_growth(&it[3], &it[2], &it[1], &it[0]), -1, o->quick ? 1e9 : 8.0);
    bench_claim(o, "query part of Khat / K2 on all these points", size,
                bench_growth(&it[3], &it[2], &it[1], &it[0]) *
                    (bench_median(&it[1]) - bench_median(&it[0])) / bench_median(&it[1]),
                -1, o->quick ? 1e9 : 8.0);
    nth_net_destroy(&net);
    free(X);
    free(y);
    free(K);
}

/* The training-set part at a time in the bulk of the spectrum: R jets, R <= n the rank of Omega. */
static void khat_train(const bench_opts *o, ptrdiff_t n, ptrdiff_t m)
{
    const ptrdiff_t d = 64;
    nth_net        *net = bench_net(d, m, 3);
    double         *X = bench_points(n + 1, d), *y = bench_doubles(n), *K = bench_doubles(3 * n);
    khat_job        j = { .net = net,
                          .X = X,
                          .y = y,
                          .n = n,
                          .k = 1,
                          .d = d,
                          .t = (double)n,
                          .K = K,
                          .K3 = K + n,
                          .K4 = K + 2 * n };
    bench_item      it[2] = { { .name = "K2, training part", .run = run_query_k2, .ctx = &j },
                              { .name = "Khat, training part", .run = run_khat, .ctx = &j } };
    char            size[64];
    nth_rand_normals(y, n, 1, NTH_STREAM_LABELS, 0, 0);
    snprintf(size, sizeof size, "n=%td m=%td L=3 t=n", n, m);
    bench_turns(o, size, it, 2);
    bench_claim(o, "training part of Khat / (n K2)", size, bench_ratio(&it[1], &it[0]) / (double)n,
                -1, o->quick ? 1e9 : 1.5);
    nth_net_destroy(&net);
    free(X);
    free(y);
    free(K);
}

static void case_khat(const bench_opts *o)
{
    const ptrdiff_t n = o->quick ? 24 : 256, m = o->quick ? 96 : 4096;
    khat_query(o, n, m, false);
    khat_query(o, n, m, true);
}

static void case_training(const bench_opts *o)
{
    khat_train(o, o->quick ? 24 : 256, o->quick ? 96 : 1024);
}

int main(int argc, char **argv)
{
    static const bench_case cases[] = { { "contract", case_contract },
                                        { "khat", case_khat },
                                        { "training", case_training } };
    return bench_main(argc, argv, cases, 3);
}
