/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Speed of the empirical tangent kernel K2 against the DGEMM rate of the same minute, with one
 * thread against several, of its derivative by the parameters (E98) in multiples of K2, and of the activations against the vector math they stand on.
 * Usage and counts: README.md.
 */
#include "bench.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "nth/rng.h"

enum { PROBE = 6 }; /* points whose kernel the slow twin computes */

typedef struct k2_job {
    nth_net  *net;
    double   *X, *K;
    ptrdiff_t n, d;
} k2_job;

static void run_k2(void *ctx)
{
    k2_job    *j = ctx;
    nth_blocks K = { .train = nth_mat_of(j->K, j->n, j->n) };
    BENCH_TRY(nth_ntk_empirical(&K, j->net, nth_cmat_of(j->X, j->n, j->d), (nth_cmat){ 0 }));
}

static k2_job k2_open(ptrdiff_t n, ptrdiff_t d, ptrdiff_t m, int layers)
{
    return (k2_job){ .net = bench_net(d, m, layers),
                     .X = bench_points(n, d),
                     .K = bench_doubles(n * n),
                     .n = n,
                     .d = d };
}

static void k2_close(k2_job *j)
{
    nth_net_destroy(&j->net);
    free(j->X);
    free(j->K);
}

/* First layer, two dense products for each hidden-to-hidden one, one half of each Gram matrix. */
static double k2_flops(const k2_job *j)
{
    const nth_net_config *cfg = &j->net->cfg;
    const double          n = (double)j->n;
    double                flops = 2.0 * n * (double)(j->d * cfg->widths[1]) + n * n * (double)j->d;
    for (int l = 1; l < cfg->layers; ++l) {
        flops += 2.0 * n * n * (double)cfg->widths[l]; /* <Delta, Delta> and <x, x> of this width */
        if (l > 1) flops += 4.0 * n * (double)(cfg->widths[l] * cfg->widths[l - 1]);
    }
    return flops;
}

/* Weights once for each pass; h, x, sigma', Delta written and read; kernels. */
static double k2_bytes(const k2_job *j)
{
    const nth_net_config *cfg = &j->net->cfg;
    double                doubles = 4.0 * (double)(j->n * j->n) * (double)cfg->layers;
    for (int l = 1; l < cfg->layers; ++l) {
        doubles += 10.0 * (double)(j->n * cfg->widths[l]);
        doubles += (l > 1 ? 2.0 : 1.0) * (double)(cfg->widths[l] * cfg->widths[l - 1]);
    }
    return 8.0 * doubles;
}

/* The first rows and columns against the twin, and the whole kernel against its transpose. */
static double k2_check(k2_job *j)
{
    const ptrdiff_t probe = j->n < PROBE ? j->n : PROBE;
    double         *ref = bench_ref_k2(j->net, j->X, probe);
    run_k2(j);
    const nth_cmat part = { .a = j->K, .rows = probe, .cols = probe, .ld = j->n };
    const double   err = bench_error(part, nth_cmat_of(ref, probe, probe));
    for (ptrdiff_t i = 0; i < j->n; ++i)
        for (ptrdiff_t k = 0; k < i; ++k)
            if (!(j->K[i * j->n + k] == j->K[k * j->n + i]))
                bench_require("K2 symmetric", 1.0, 0.0);
    free(ref);
    bench_require("K2 against the slow twin", err, 1e-12);
    return err;
}

static void k2_case(const bench_opts *o, ptrdiff_t n, ptrdiff_t m, int layers, double bound)
{
    char       size[64];
    k2_job     j = k2_open(n, 64, m, layers);
    bench_item it = { .name = "K2", .run = run_k2, .ctx = &j };
    snprintf(size, sizeof size, "n=%td m=%td L=%d d=64", n, m, layers);
    it.err = k2_check(&j), it.flops = k2_flops(&j), it.bytes = k2_bytes(&j);
    bench_turns(o, size, &it, 1);
    bench_claim(o, "K2 rate / DGEMM rate", size, bench_of_dgemm(&it), 1, bound);
    k2_close(&j);
}

static void case_k2(const bench_opts *o)
{
    const ptrdiff_t n = o->quick ? 48 : 1024, m = o->quick ? 128 : 4096;
    k2_case(o, n, m, 3, o->quick ? 0.0 : 0.6);
    k2_case(o, n, m, 2, o->quick ? 0.0 : 0.4);
    if (!o->quick) k2_case(o, 256, 4096, 3, 0.5);
}

static void case_threads(const bench_opts *o)
{
    const ptrdiff_t n = o->quick ? 48 : 1024, m = o->quick ? 128 : 4096;
    k2_job          j = k2_open(n, 64, m, 3);
    bench_item      it[2] = { { .name = "K2", .run = run_k2, .ctx = &j, .threads = 1 },
                              { .name = "K2", .run = run_k2, .ctx = &j, .threads = 2 } };
    char            size[64];
    snprintf(size, sizeof size, "n=%td m=%td L=3 d=64", n, m);
    it[0].err = it[1].err = k2_check(&j);
    it[0].flops = it[1].flops = k2_flops(&j), it[0].bytes = it[1].bytes = k2_bytes(&j);
    bench_turns(o, size, it, 2);
    bench_claim(o, "K2 speed, 2 threads / 1", size, bench_ratio(&it[0], &it[1]), 1,
                o->quick ? 0.0 : 1.7);
    bench_claim(o, "K2 / DGEMM, 2 threads over 1", size,
                bench_of_dgemm(&it[1]) / bench_of_dgemm(&it[0]), 1, o->quick ? 0.0 : 0.85);
    k2_close(&j);
}

typedef struct pull_job {
    k2_job  *of;
    double  *S, *grad;
} pull_job;

static void run_pullback(void *ctx)
{
    pull_job    *j = ctx;
    const k2_job *k = j->of;
    BENCH_TRY(nth_ntk_pullback(j->grad, (nth_mat){ 0 }, k->net, nth_cmat_of(k->X, k->n, k->d), nth_cmat_of(j->S, k->n, k->n)));
}

/* sum_ij S_ij K2_ij at theta + e grad/|grad|. */
static double weighted_sum(pull_job *j, const double *theta, double e, ptrdiff_t P)
{
    double *moved = bench_doubles(P), norm = 0.0, sum = 0.0;
    for (ptrdiff_t p = 0; p < P; ++p) norm += j->grad[p] * j->grad[p];
    for (ptrdiff_t p = 0; p < P; ++p) moved[p] = theta[p] + e * j->grad[p] / sqrt(norm);
    BENCH_TRY(nth_net_set_parameters(j->of->net, moved));
    run_k2(j->of);
    for (ptrdiff_t i = 0; i < j->of->n * j->of->n; ++i) sum += j->S[i] * j->of->K[i];
    BENCH_TRY(nth_net_set_parameters(j->of->net, theta));
    free(moved);
    return sum;
}

/* |grad| against a difference of order 4 along the gradient. */
static double pull_check(pull_job *j)
{
    const ptrdiff_t P = nth_net_parameters(j->of->net);
    double         *theta = bench_doubles(P), norm = 0.0;
    const double    h = 0.03;
    run_pullback(j);
    BENCH_TRY(nth_net_get_parameters(theta, j->of->net));
    for (ptrdiff_t p = 0; p < P; ++p) norm += j->grad[p] * j->grad[p];
    const double near = weighted_sum(j, theta, h, P) - weighted_sum(j, theta, -h, P);
    const double far = weighted_sum(j, theta, 2.0 * h, P) - weighted_sum(j, theta, -2.0 * h, P);
    const double err = fabs((8.0 * near - far) / (12.0 * h * sqrt(norm)) - 1.0);
    free(theta);
    bench_require("derivative against a difference", err, 1e-5);
    return err;
}

/* The derivative, with the kernel in it, takes three times the flops of the kernel. */
static void case_pullback(const bench_opts *o)
{
    static const ptrdiff_t widths[] = { 64, 512 };
    for (int w = 0; w < (o->quick ? 1 : 2); ++w)
        for (int layers = 2; layers <= 4; ++layers) {
            const ptrdiff_t n = o->quick ? 48 : 1000, m = widths[w];
            k2_job          k = k2_open(n, 10, m, layers);
            pull_job        j = { .of = &k, .S = bench_doubles(n * n), .grad = bench_doubles(nth_net_parameters(k.net)) };
            bench_item      it[2] = { { .name = "K2", .run = run_k2, .ctx = &k }, { .name = "K2 and derivative", .run = run_pullback, .ctx = &j } };
            char            size[64];
            for (ptrdiff_t i = 0; i < n; ++i)
                for (ptrdiff_t l = 0; l < n; ++l) j.S[i * n + l] = cos((double)(i + l)) / (double)n;
            snprintf(size, sizeof size, "n=%td m=%td L=%d d=10", n, m, layers);
            it[0].err = k2_check(&k), it[1].err = pull_check(&j);
            it[0].flops = k2_flops(&k), it[1].flops = 3.0 * it[0].flops, it[0].bytes = it[1].bytes = k2_bytes(&k);
            bench_turns(o, size, it, 2);
            bench_claim(o, "K2 and derivative / K2", size, bench_ratio(&it[1], &it[0]), -1, o->quick ? 1e9 : 4.0);
            free(j.S);
            free(j.grad);
            k2_close(&k);
        }
}

enum { POINTS = 4096, LAPS = 64 }; /* 32 KiB in, up to 128 KiB out: within the second-level cache */

typedef struct act_job {
    nth_activation act;
    int            order, laps;
    double        *z, *out;
} act_job;

static void run_act(void *ctx)
{
    const act_job *j = ctx;
    for (int k = 0; k < j->laps; ++k)
        nth_activation_eval(j->act, j->order, j->z, POINTS, j->out, POINTS);
}

static double act_check(act_job *j)
{
    double err = 0.0;
    run_act(j);
    for (ptrdiff_t i = 0; i < POINTS; ++i) {
        const double want = j->act == NTH_ACT_TANH  ? tanh(j->z[i])
                            : j->act == NTH_ACT_ERF ? erf(j->z[i])
                                                    : sin(j->z[i]);
        const double gap = fabs(j->out[i] - want);
        if (!(gap <= err)) err = gap;
    }
    bench_require("activation", err, 1e-14);
    return err;
}

/* Order 0 is one vector-math call: the floor. Derivatives should add little to it. */
static void case_activation(const bench_opts *o)
{
    static const nth_activation acts[] = { NTH_ACT_TANH, NTH_ACT_ERF, NTH_ACT_SIN };
    double                     *z = bench_doubles(POINTS), *out = bench_doubles(4 * POINTS);
    nth_rand_normals(z, POINTS, 1, NTH_STREAM_INPUTS, 0, 0);
    for (int a = 0; a < 3; ++a) {
        bench_item it[3];
        act_job    j[3];
        char       size[64];
        for (int k = 0; k < 3; ++k) {
            j[k] = (act_job){ .act = acts[a],
                              .order = k == 2 ? 3 : k,
                              .laps = LAPS,
                              .z = z,
                              .out = out };
            it[k] = (bench_item){ .name = k == 0   ? "sigma"
                                          : k == 1 ? "sigma, sigma'"
                                                   : "sigma .. sigma'''",
                                  .run = run_act,
                                  .ctx = &j[k],
                                  .err = act_check(&j[k]),
                                  .bytes = 8.0 * LAPS * POINTS * (2.0 + j[k].order) };
        }
        snprintf(size, sizeof size, "%s, %d points", nth_activation_name(acts[a]), POINTS * LAPS);
        bench_turns(o, size, it, 3);
        for (int k = 0; k < 3; ++k)
            printf("  %-50s %-26s %8.3g\n", it[k].name, "ns per point",
                   bench_min(&it[k]) * 1e9 / (LAPS * POINTS));
        bench_claim(o, "sigma and sigma' / sigma", size, bench_ratio(&it[1], &it[0]), -1,
                    o->quick                  ? 1e9
                    : acts[a] == NTH_ACT_TANH ? 1.3
                                              : 2.5);
    }
    free(z);
    free(out);
}

int main(int argc, char **argv)
{
    static const bench_case cases[] = { { "k2", case_k2 },
                                        { "threads", case_threads },
                                        { "pullback", case_pullback },
                                        { "activation", case_activation } };
    return bench_main(argc, argv, cases, 4);
}
