/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * How the gradient flow steps: the steppers against each other, the tolerance they promise, output
 * times, stiffness, relu, threads, memory, divergence, allocations that fail. What they integrate:
 * test_flow.c.
 */
#include "nth_test.h"
#include "alloc_priv.h"
#include "flow_case.h"
#include "flow_priv.h"
#include "nth/build_info.h"
#include "nth/rng.h"
#include "ode_priv.h"

#include <malloc.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static bool smooth(int act) { return nth_activation_is_smooth((nth_activation)act); }

/* ---- Accuracy ---------------------------------------------------------------------------------- */

static void steppers_agree(void)
{
    static const nth_flow_options how[] = { { .stepper = NTH_STEPPER_COLLOCATION, .rtol = 1e-13 },
                                            { .stepper = NTH_STEPPER_RK8PD, .rtol = 1e-13 },
                                            { .stepper = NTH_STEPPER_RKCK, .rtol = 1e-13 } };
    static const double times[] = { 0.2, 1.0 };
    double              worst[3] = { 0 };
    for (int act = 0; act < NTH_ACT_COUNT; ++act)
        for (int kind = 0; kind < CASE_KINDS && smooth(act); ++kind) {
            static flow_path p[3];
            flow_case        c;
            if (!flow_case_open(&c, (nth_activation)act, kind, 3, 40)) continue;
            for (int s = 0; s < 3; ++s) {
                if (!flow_case_run(&c, &how[s], 2, times, &p[s])) continue;
                for (int t = 0; s > 0 && t < 2; ++t) {
                    const double e = flow_path_distance(&p[s], t, &p[0], t);
                    worst[s] = nth_worst(worst[s], e);
                    if (!islessequal(e, 1e-11)) printf("    %s, %s: %.1e\n", c.name, nth_stepper_name(how[s].stepper), e);
                }
            }
            flow_case_close(&c);
        }
    printf("    worst distance from collocation: rk8pd %.1e, rkck %.1e\n", worst[1], worst[2]);
    NTH_CHECK_CLOSE(worst[1], 0.0, 0.0, 1e-11);
    NTH_CHECK_CLOSE(worst[2], 0.0, 0.0, 1e-11);
}

/* The promise of flow.h: rtol bounds the errors of kernel and outputs at the output times. */
static void tolerance_is_kept(void)
{
    static const double      rtol[] = { 1e-6, 1e-8, 1e-10, 1e-12 }, times[] = { 0.3, 1.0, 5.0 };
    static const nth_stepper stepper[] = { NTH_STEPPER_COLLOCATION, NTH_STEPPER_RK8PD, NTH_STEPPER_RKCK };
    double                   worst[3][4] = { { 0 } };
    for (int act = 0; act < NTH_ACT_COUNT; ++act)
        for (int kind = 0; kind < CASE_KINDS && smooth(act); ++kind) {
            static flow_path       exact, p;
            const nth_flow_options tight = { .stepper = NTH_STEPPER_COLLOCATION, .rtol = 1e-14 };
            flow_case              c;
            if (!flow_case_open(&c, (nth_activation)act, kind, 3, 24)) continue;
            const bool known = flow_case_run(&c, &tight, 3, times, &exact);
            for (int i = 0; known && i < 12; ++i) {
                const nth_flow_options opt = { .stepper = stepper[i / 4], .rtol = rtol[i % 4] };
                if (kind % 3 > 2 - i / 4) continue; /* Runge-Kutta steppers are slow on deep nets */
                if (!flow_case_run(&c, &opt, 3, times, &p)) continue;
                for (int t = 0; t < 3; ++t) {
                    const double e = flow_path_distance(&p, t, &exact, t) / opt.rtol;
                    worst[i / 4][i % 4] = nth_worst(worst[i / 4][i % 4], e);
                    if (!islessequal(e, 10.0))
                        printf("    %s, %s, rtol %g, t = %g: %.1f rtol\n", c.name, nth_stepper_name(opt.stepper), opt.rtol,
                               times[t], e);
                }
            }
            flow_case_close(&c);
        }
    for (int i = 0; i < 12; ++i) {
        printf("    %-11s rtol %g: error %.2g rtol\n", nth_stepper_name(stepper[i / 4]), rtol[i % 4], worst[i / 4][i % 4]);
        NTH_CHECK_CLOSE(worst[i / 4][i % 4], 0.0, 0.0, 10.0);
    }
}

/* Many output times are as good as one. */
static void output_times_do_not_matter(void)
{
    static const double times[] = { 0.01, 0.1, 0.17, 0.4, 0.5, 0.9, 1.0, 1.3, 1.9, 2.0 }, last[] = { 2.0 };
    double              worst = 0.0;
    for (int kind = 0; kind < CASE_KINDS; ++kind)
        for (int s = 0; s <= NTH_STEPPER_RKCK; ++s) {
            const nth_flow_options opt = { .stepper = (nth_stepper)s, .rtol = 1e-12 };
            static flow_path       many, few;
            flow_case              c;
            if (!flow_case_open(&c, NTH_ACT_ERF, kind, 3, 20)) continue;
            if (flow_case_run(&c, &opt, 10, times, &many) && flow_case_run(&c, &opt, 1, last, &few))
                worst = nth_worst(worst, flow_path_distance(&many, 9, &few, 0));
            flow_case_close(&c);
        }
    printf("    worst difference %.1e\n", worst);
    NTH_CHECK_CLOSE(worst, 0.0, 0.0, 1e-11);
}

/* Inputs ten times as large: modes hundreds of times faster than the last output time. */
static void stiff_flows(void)
{
    static const double times[] = { 0.5, 50.0 };
    for (int kind = 0; kind < 6; ++kind) { /* single nets */
        static const nth_flow_options how[] = { { .stepper = NTH_STEPPER_COLLOCATION, .rtol = 1e-11 },
                                                { .stepper = NTH_STEPPER_RK8PD, .rtol = 1e-12 } };
        static flow_path p[2];
        flow_case        c;
        double           trace = 0.0;
        if (!flow_case_open(&c, NTH_ACT_TANH, kind, 20, 30)) continue;
        for (ptrdiff_t i = 0; i < (c.n + c.k) * c.d; ++i) c.X[i] *= 10.0;
        if (flow_case_run(&c, &how[0], 2, times, &p[0]) && flow_case_run(&c, &how[1], 2, times, &p[1])) {
            for (ptrdiff_t i = 0; i < c.n; ++i) trace += p[0].K[0][i * c.n + i];
            const double e0 = flow_path_distance(&p[0], 0, &p[1], 0), e1 = flow_path_distance(&p[0], 1, &p[1], 1);
            printf("    %s: trace(K) t/n = %.0f, windows %ld (rk8pd %ld steps), distance %.1e %.1e\n", c.name,
                   trace * 50.0 / (double)c.n, p[0].stats.windows, p[1].stats.windows, e0, e1);
            NTH_CHECK(trace * 50.0 / (double)c.n > 50.0);
            NTH_CHECK_CLOSE(nth_worst(e0, e1), 0.0, 0.0, 1e-10); /* ten times the tolerance */
            for (ptrdiff_t i = 0; i < c.n; ++i) NTH_CHECK_CLOSE(p[0].f[1][i], c.y[i], 0.0, 0.5); /* it did move */
        }
        flow_case_close(&c);
    }
}

/* Largest difference of outputs; the kernel itself jumps where a neuron passes its kink. */
static double output_distance(const flow_path *a, const flow_path *b)
{
    double err = 0.0;
    for (ptrdiff_t i = 0; i < b->rows; ++i) err = nth_worst(err, fabs(a->f[0][i] - b->f[0][i]));
    return err;
}

/* relu: fixed steps; more come closer. Kinks in time leave first order in the worst case. */
static void relu_by_fixed_steps(void)
{
    static const double times[] = { 1.0 };
    double              ratio = 0.0;
    int                 count = 0;
    for (int kind = 0; kind < CASE_KINDS; ++kind) {
        static flow_path p[4];
        flow_case        c;
        nth_flow        *flow = NULL;
        if (!flow_case_open(&c, NTH_ACT_RELU, kind, 10, 30)) continue;
        bool ok = true;
        for (int i = 0; i < 4; ++i) {
            const nth_flow_options opt = { .stepper = NTH_STEPPER_RKCK, .rtol = 1e-6,
                                           .fixed_steps = i == 3 ? 3200 : 25 << (2 * i) };
            ok = flow_case_run(&c, &opt, 1, times, &p[i]) && ok;
            if (ok) NTH_CHECK(p[i].stats.windows == opt.fixed_steps);
        }
        for (int i = 0; ok && i < 2; ++i) {
            const double coarse = output_distance(&p[i], &p[3]), fine = output_distance(&p[i + 1], &p[3]);
            ratio += log2(coarse / fine) / 2.0, ++count;
        }
        if (ok) NTH_CHECK_CLOSE(output_distance(&p[2], &p[3]), 0.0, 0.0, 1.0 / 400); /* a step, at speeds of order 1 */
        const nth_flow_options colloc = { .stepper = NTH_STEPPER_COLLOCATION, .rtol = 1e-6 };
        NTH_CHECK_STATUS(nth_flow_create(&flow, c.net, flow_case_train(&c), flow_case_test(&c), c.y, &colloc), NTH_E_ARG);
        NTH_CHECK_MESSAGE("collocation needs a smooth activation, found relu; use rkck with fixed steps");
        NTH_CHECK(flow == NULL);
        flow_case_close(&c);
    }
    printf("    mean order %.2f\n", ratio / count);
    NTH_CHECK(ratio / count > 0.8);
}

/* ---- Threads ----------------------------------------------------------------------------------- */

static flow_path *run_threads(const flow_case *c, nth_stepper s, int threads)
{
    static const double    times[] = { 0.3, 1.0 };
    const nth_flow_options opt = { .stepper = s, .rtol = 1e-9 };
    static flow_path       p;
    nth_threads_set(threads);
    const bool ok = flow_case_run(c, &opt, 2, times, &p);
    nth_threads_set(1);
    return ok ? &p : NULL;
}

static void same_bits_on_any_threads(void)
{
    static flow_path one;
    for (int kind = 0; kind < CASE_KINDS; ++kind)
        for (int large = 0; large < 2; ++large)
            for (int s = 0; s <= NTH_STEPPER_RK8PD; ++s) {
                flow_case c;
                if (large && (kind % 3 != 1 || s > 0)) continue; /* three layers of 300: products in tiles */
                if (!flow_case_open(&c, NTH_ACT_TANH, kind, large ? 300 : 3, large ? 300 : 30)) continue;
                const flow_path *p = run_threads(&c, (nth_stepper)s, 1);
                if (p != NULL) one = *p;
                for (int threads = 2; p != NULL && threads <= 3; ++threads) {
                    p = run_threads(&c, (nth_stepper)s, threads);
                    if (!NTH_CHECK(p != NULL && memcmp(p, &one, sizeof one) == 0)) printf("    ... in %s\n", c.name);
                }
                flow_case_close(&c);
            }
}

/* ---- Failure ----------------------------------------------------------------------------------- */

static void mistakes_are_named(void)
{
    flow_case c;
    nth_flow *flow = NULL;
    if (!flow_case_open(&c, NTH_ACT_TANH, 0, 3, 5)) return;
    const nth_cmat   X = flow_case_train(&c), T = flow_case_test(&c);
    nth_flow_options opt = { .stepper = (nth_stepper)3, .rtol = 1e-6 };
    NTH_CHECK(nth_stepper_name((nth_stepper)3) == NULL);
    NTH_CHECK_STATUS(nth_flow_create(&flow, c.net, X, T, c.y, &opt), NTH_E_ARG);
    NTH_CHECK_MESSAGE("stepper 3");
    opt.stepper = NTH_STEPPER_RKCK;
    for (int k = 0; k < 4; ++k) {
        opt.rtol = (const double[]){ 1e-15, 0.2, NAN, -1.0 }[k];
        NTH_CHECK_STATUS(nth_flow_create(&flow, c.net, X, T, c.y, &opt), NTH_E_ARG);
        NTH_CHECK_MESSAGE("expected 1e-14 to 0.1");
    }
    opt.rtol = 1e-6, opt.fixed_steps = -1;
    NTH_CHECK_STATUS(nth_flow_create(&flow, c.net, X, T, c.y, &opt), NTH_E_ARG);
    opt.fixed_steps = 0;
    NTH_CHECK_STATUS(nth_flow_create(&flow, c.net, nth_cmat_of(c.X, c.n, c.d - 1), T, c.y, &opt), NTH_E_SHAPE);
    NTH_CHECK_STATUS(nth_flow_create(&flow, c.net, nth_cmat_of(c.X, 0, c.d), T, c.y, &opt), NTH_E_SHAPE);
    for (int k = 0; k < 2; ++k) {
        const double keep = c.y[1];
        c.y[1] = k ? INFINITY : NAN;
        NTH_CHECK_STATUS(nth_flow_create(&flow, c.net, X, T, c.y, &opt), NTH_E_NUMERIC);
        NTH_CHECK_MESSAGE("label 2 is not finite");
        c.y[1] = keep;
    }
    NTH_CHECK(flow == NULL);
    if (NTH_CHECK_OK(nth_flow_create(&flow, c.net, X, T, c.y, &opt))) {
        NTH_CHECK_OK(nth_flow_advance(flow, 0.5));
        NTH_CHECK_OK(nth_flow_advance(flow, 0.5)); /* nothing to do */
        NTH_CHECK_STATUS(nth_flow_advance(flow, 0.4), NTH_E_ARG);
        NTH_CHECK_MESSAGE("not before 0.5");
        NTH_CHECK_STATUS(nth_flow_advance(flow, INFINITY), NTH_E_ARG);
        NTH_CHECK_STATUS(nth_flow_advance(flow, NAN), NTH_E_ARG);
        NTH_CHECK(nth_flow_time(flow) == 0.5);
    }
    nth_flow_destroy(&flow);
    nth_flow_destroy(&flow);
    flow_case_close(&c);
}

static bool advance_fails(const flow_case *c, nth_flow *flow, double t)
{
    static flow_path before, after;
    before.rows = c->n + c->k, before.entries = c->n * c->n + c->k * c->n + c->k * c->k;
    const double now = nth_flow_time(flow);
    bool ok = NTH_CHECK_OK(nth_flow_outputs(flow, before.f[0])) && flow_case_kernel(c, flow, before.K[0]);
    const nth_status st = nth_flow_advance(flow, t);
    ok = NTH_CHECK(st == NTH_E_NUMERIC || st == NTH_E_STEPSIZE) && ok;
    ok = NTH_CHECK(nth_last_error().code == st && nth_last_error().message[0] != '\0') && ok;
    const double then = nth_flow_time(flow);
    ok = NTH_CHECK(then >= now && then < t) && ok;
    ok = NTH_CHECK_OK(nth_flow_outputs(flow, after.f[0])) && flow_case_kernel(c, flow, after.K[0]) && ok;
    for (ptrdiff_t i = 0; i < before.rows; ++i) ok = NTH_CHECK(isfinite(after.f[0][i])) && ok;
    if (then == now) ok = NTH_CHECK(islessequal(flow_path_distance(&after, 0, &before, 0), 1e-15)) && ok;
    return ok;
}

/* Labels that no step survives: the failure is told and the flow stays where it was, and goes on
 * from there if it can. Frozen first layers, too: then nothing of the first unknown shows it. */
static void divergence_is_an_error(void)
{
    for (int s = 0; s <= NTH_STEPPER_RKCK; ++s)
        for (int frozen = 0; frozen < 2; ++frozen)
            for (int fixed = 0; fixed <= (s == NTH_STEPPER_RKCK); ++fixed) {
                const nth_flow_options opt = { .stepper = (nth_stepper)s, .rtol = 1e-8, .fixed_steps = fixed ? 7 : 0 };
                flow_case              c;
                nth_flow              *flow = NULL;
                if (!flow_case_open(&c, NTH_ACT_QUADRATIC, 2, 5, 8)) continue; /* four layers */
                c.net->cfg.frozen = (unsigned)frozen;
                for (ptrdiff_t i = 0; i < c.n; ++i) c.y[i] *= 1e200;
                if (NTH_CHECK_OK(nth_flow_create(&flow, c.net, flow_case_train(&c), flow_case_test(&c), c.y, &opt)) &&
                    !advance_fails(&c, flow, 1.0))
                    printf("    ... with %s, frozen %d, fixed %d: %s\n", nth_stepper_name(opt.stepper), frozen, fixed,
                           nth_last_error().message);
                nth_flow_destroy(&flow);
                flow_case_close(&c);
            }
}

/* A first step so long that it overflows is no divergence: it is halved until it fits. Nothing of it
 * shows in the first unknown. y' = -y^9 from 10: y = (8 t + 1e-8)^(-1/8). */
static nth_status steep(double t, const double *y, double *dy, void *none)
{
    (void)t, (void)none;
    dy[0] = 0.0, dy[1] = -pow(y[1], 9.0);
    return NTH_OK;
}

static void overflow_halves_the_step(void)
{
    for (int method = NTH_ODE_RK8PD; method <= NTH_ODE_RKCK; ++method) {
        const nth_ode_options opt = { .method = (nth_ode_method)method, .rtol = 1e-10 };
        double                y[2] = { 1.0, 10.0 }, t = 0.0;
        long                  steps = 0;
        nth_ode              *ode = NULL;
        NTH_CHECK_OK(nth_ode_create(&ode, 2, &opt, steep, NULL));
        if (ode != NULL) NTH_CHECK_OK(nth_ode_advance(ode, &t, 100.0, y, &steps));
        NTH_CHECK_CLOSE(y[1], pow(800.0, -0.125), 1e-8, 0.0);
        y[1] = 1e200, t = 0.0; /* the derivative itself overflows: an error, and no end state */
        if (ode != NULL) NTH_CHECK_STATUS(nth_ode_advance(ode, &t, 1.0, y, &steps), NTH_E_NUMERIC);
        y[1] = 10.0, t = 0.0; /* the same integrator goes on from a sound state */
        if (ode != NULL) NTH_CHECK_OK(nth_ode_advance(ode, &t, 100.0, y, &steps));
        NTH_CHECK_CLOSE(y[1], pow(800.0, -0.125), 1e-8, 0.0);
        nth_ode_destroy(&ode);
    }
}

/* ---- Memory ------------------------------------------------------------------------------------ */

static flow_case        sweep_case;
static nth_flow_options sweep_options;

static nth_status build(void)
{
    nth_flow  *flow = NULL;
    nth_status st = nth_flow_create(&flow, sweep_case.net, flow_case_train(&sweep_case), flow_case_test(&sweep_case),
                                    sweep_case.y, &sweep_options);
    double     f[CASE_MAX_ROWS], loss;
    nth_net   *net = NULL;
    if (st == NTH_OK) st = nth_flow_advance(flow, 0.2);
    if (st != NTH_OK && flow != NULL) NTH_CHECK(nth_flow_time(flow) == 0.0);
    if (st == NTH_OK) st = nth_flow_outputs(flow, f);
    if (st == NTH_OK) st = nth_flow_loss(flow, &loss);
    if (st == NTH_OK) st = nth_flow_net(flow, flow_case_train(&sweep_case), &net);
    nth_net_destroy(&net);
    nth_flow_destroy(&flow);
    return st;
}

static void survives_failing_allocations(void)
{
    for (int s = 0; s <= NTH_STEPPER_RKCK; ++s)
        for (int kind = 4; kind < CASE_KINDS; kind += 6) { /* three layers with bias, one net and two copies */
            sweep_options = (nth_flow_options){ .stepper = (nth_stepper)s, .rtol = 1e-6 };
            if (!flow_case_open(&sweep_case, NTH_ACT_TANH, kind, 3, 6)) continue;
            nth_test_every_allocation_fails(build);
            flow_case_close(&sweep_case);
        }
}

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
static void work_bytes_is_a_bound(void) { nth_test_skip("sanitizers allocate for themselves"); }
#else
/* What malloc gave out for a flow that was run, against the promise made before. */
static double used(const nth_net_config *cfg, ptrdiff_t n, ptrdiff_t k, nth_stepper s, double *promised)
{
    const nth_flow_options opt = { .stepper = s, .rtol = 1e-6 };
    nth_net               *net = NULL;
    nth_flow              *flow = NULL;
    double                *X = calloc((size_t)((n + k) * cfg->widths[0]), sizeof *X), *y = calloc((size_t)n, sizeof *y);
    if (!NTH_CHECK(X != NULL && y != NULL) || !NTH_CHECK_OK(nth_net_create(&net, cfg, true))) return NAN;
    nth_net_init_gaussian(net, 1, 1);
    nth_rand_normals(X, (n + k) * cfg->widths[0], 51, NTH_STREAM_TEST, 0, 0);
    *promised = nth_flow_work_bytes(cfg, n, k, &opt);
    const double before = nth_test_heap();
    NTH_CHECK_OK(nth_flow_create(&flow, net, nth_cmat_of(X, n, cfg->widths[0]),
                                 nth_cmat_of(X + n * cfg->widths[0], k, cfg->widths[0]), y, &opt));
    if (flow != NULL) NTH_CHECK_OK(nth_flow_advance(flow, 0.01));
    const double bytes = nth_test_heap() - before;
    nth_flow_destroy(&flow);
    nth_net_destroy(&net);
    free(X);
    free(y);
    return bytes;
}

static void work_bytes_is_a_bound(void)
{
    static const ptrdiff_t shape[][4] = { { 2, 1000, 6, 4 }, { 3, 300, 10, 0 }, { 4, 100, 30, 3 },
                                            { 2, 64, 3, 200 }, { 3, 8, 30, 2 } };
    double                 worst = 0.0, least = INFINITY;
    NTH_CHECK(mallopt(M_MMAP_THRESHOLD, 1 << 30) == 1); /* no whole pages for each block */
    for (int i = 0; i < 5; ++i)
        for (int s = 0; s <= NTH_STEPPER_RKCK; ++s)
            for (int doubled = 0; doubled < 2; ++doubled) {
                nth_net_config cfg = { .activation = NTH_ACT_TANH, .layers = (int)shape[i][0], .widths = { 3 }, .sigma_w = 1,
                                       .sigma_b = i % 2 ? 0.1 : 0.0, .doubled = doubled };
                double         promised = NAN;
                for (int l = 1; l < cfg.layers; ++l) cfg.widths[l] = shape[i][1];
                cfg.widths[cfg.layers] = 1;
                const double got = used(&cfg, shape[i][2], shape[i][3], (nth_stepper)s, &promised);
                /* the structures (networks have long ones), and alignment and header of each of some 60 blocks */
                if (!NTH_CHECK(got <= promised + 32768.0))
                    printf("    L=%d m=%td n=%td k=%td copies=%d %s: %.0f bytes promised, %.0f used\n", cfg.layers,
                           shape[i][1], shape[i][2], shape[i][3], 1 + doubled, nth_stepper_name((nth_stepper)s), promised, got);
                worst = nth_worst(worst, got / promised), least = fmin(least, got / promised);
            }
    printf("    used / promised from %.2f to %.2f\n", least, worst);
    NTH_CHECK(least > 0.3); /* an upper bound, but no fantasy */
}
#endif

/* Twice the training inputs, at most twice what comes on top of the weights: n m, not m^2. */
static void work_grows_like_n_m(void)
{
    for (int s = 0; s <= NTH_STEPPER_RKCK; ++s) {
        const nth_flow_options opt = { .stepper = (nth_stepper)s, .rtol = 1e-6 };
        const nth_net_config   cfg = { .activation = NTH_ACT_TANH, .layers = 2, .widths = { 3072, 65536, 1 }, .sigma_w = 1 };
        const double           one = nth_flow_work_bytes(&cfg, 8, 0, &opt), two = nth_flow_work_bytes(&cfg, 16, 0, &opt);
        NTH_CHECK(two < 2.0 * one && two > 1.8 * one);
        NTH_CHECK(one < 8.0 * 65536 * 8 * 120); /* nothing of the size of the first layer */
    }
}

int main(void)
{
    return nth_test_main("flow_steps", (nth_test_case[]){ { "steppers_agree", steppers_agree },
                                                          { "tolerance_is_kept", tolerance_is_kept },
                                                          { "output_times_do_not_matter", output_times_do_not_matter },
                                                          { "stiff_flows", stiff_flows },
                                                          { "relu_by_fixed_steps", relu_by_fixed_steps },
                                                          { "same_bits_on_any_threads", same_bits_on_any_threads },
                                                          { "mistakes_are_named", mistakes_are_named },
                                                          { "divergence_is_an_error", divergence_is_an_error },
                                                          { "overflow_halves_the_step", overflow_halves_the_step },
                                                          { "survives_failing_allocations", survives_failing_allocations },
                                                          { "work_bytes_is_a_bound", work_bytes_is_a_bound },
                                                          { "work_grows_like_n_m", work_grows_like_n_m },
                                                          { 0 } });
}
