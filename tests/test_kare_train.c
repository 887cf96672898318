/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Training by KARE: one step by hand, batches as a partition of the samples, the curve against separate
 * functions, a run that diverges or is interrupted, threads, memory.
 */
#include "nth_test.h"
#include "alloc_priv.h"
#include "fixtures.h"
#include "linalg_priv.h"
#include "nth/kare.h"
#include "nth/regress.h"
#include "nth/rng.h"
#include "par_priv.h"

#include <malloc.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { N = 40, K = 15, D = 4, C = 2, POINTS = 64, B = 4, FEW = 12 };
static const nth_mat none = { 0 };
static double        x[(N + K) * D], y[(N + K) * C];

static void make_data(void)
{
    nth_rand_normals(x, (N + K) * D, 51, NTH_STREAM_TEST, 0, 0);
    for (int i = 0; i < N + K; ++i) {
        const double u = x[i * D] - 0.7 * x[i * D + 1];
        y[i * C] = cos(u) / (1.0 + exp(u)), y[i * C + 1] = sin(2.0 * u);
    }
}
static nth_cmat X(ptrdiff_t n) { return nth_cmat_of(x, n, D); }
static nth_cmat Y(ptrdiff_t n) { return nth_cmat_of(y, n, C); }
static nth_cmat X_test(void) { return nth_cmat_of(x + N * D, K, D); }
static nth_cmat Y_test(void) { return nth_cmat_of(y + N * C, K, C); }

static nth_net *make_net(nth_activation act, int layers, bool doubled)
{
    nth_net_config cfg = { .activation = act, .layers = layers, .widths = { D, 11, 13, 9 }, .sigma_w = 1.3, .sigma_b = 0.3, .doubled = doubled };
    cfg.widths[layers] = 1;
    return random_net(&cfg, 3);
}

static nth_kare_options options(ptrdiff_t steps, ptrdiff_t batch)
{
    return (nth_kare_options){ .z = 0.05, .rule = { NTH_OPTIMIZER_SGD, .learning_rate = 5.0 }, .steps = steps, .batch = batch, .every = 1, .seed = 9 };
}

/* Trains on the first n samples without a test set; parameters in theta. */
static nth_status train(double *theta, nth_activation act, ptrdiff_t n, const nth_kare_options *opt, nth_kare_curve *curve)
{
    static nth_kare_point point[POINTS];
    nth_net              *net = make_net(act, 3, false);
    *curve = (nth_kare_curve){ .point = point };
    const nth_status st = nth_kare_train(curve, net, X(n), Y(n), (nth_cmat){ 0 }, (nth_cmat){ 0 }, opt);
    NTH_CHECK_OK(nth_net_get_parameters(theta, net));
    nth_net_destroy(&net);
    return st;
}

enum { P = 11 * (D + 1) + 13 * 12 + 14 };

/* dKARE/dtheta on the samples given, by the public functions. */
static void gradient(double *grad, const nth_net *net, const int *sample, ptrdiff_t n, double z)
{
    double        xs[N * D], ys[N * C], k[N * N], S[N * N];
    nth_blocks    blocks = { .train = nth_mat_of(k, n, n) };
    nth_kare      kare;
    for (ptrdiff_t i = 0; i < n; ++i) {
        memcpy(xs + i * D, x + (sample ? sample[i] : i) * D, D * sizeof(double));
        memcpy(ys + i * C, y + (sample ? sample[i] : i) * C, C * sizeof(double));
    }
    NTH_CHECK_OK(nth_ntk_empirical(&blocks, net, nth_cmat_of(xs, n, D), (nth_cmat){ 0 }));
    NTH_CHECK_OK(nth_kare_evaluate(&kare, none, none, nth_mat_of(S, n, n), nth_const(blocks.train), nth_cmat_of(ys, n, C), z));
    NTH_CHECK_OK(nth_ntk_pullback(grad, none, net, nth_cmat_of(xs, n, D), nth_cmat_of(S, n, n)));
}

static void a_step_is_the_formula(void)
{
    double                 theta[P], start[P], grad[P];
    nth_net               *net = make_net(NTH_ACT_GELU, 3, false);
    nth_kare_curve         curve;
    const nth_kare_options opt = options(2, 0);
    NTH_CHECK(nth_net_parameters(net) == P);
    for (int s = 0; s < 2; ++s) {
        NTH_CHECK_OK(nth_net_get_parameters(start, net));
        gradient(grad, net, NULL, N, opt.z);
        for (int p = 0; p < P; ++p) start[p] -= opt.rule.learning_rate * grad[p];
        NTH_CHECK_OK(nth_net_set_parameters(net, start));
    }
    NTH_CHECK_OK(train(theta, NTH_ACT_GELU, N, &opt, &curve));
    NTH_CHECK(memcmp(theta, start, sizeof theta) == 0);
    NTH_CHECK(curve.points == 3 && curve.steps == 2);
    nth_net_destroy(&net);
}

/* Adam and SGD with momentum: the memory goes from step to step, and the step is the public one. */
static void rules_are_the_optimizer_s(void)
{
    nth_optimizer_options rule[2] = { nth_optimizer_defaults(NTH_OPTIMIZER_ADAM), nth_optimizer_defaults(NTH_OPTIMIZER_SGD) };
    rule[0].learning_rate = 0.03, rule[1].learning_rate = 2.0, rule[1].momentum = 0.8;
    for (int r = 0; r < 2; ++r) {
        double           theta[P], want[P], grad[P];
        nth_net         *net = make_net(NTH_ACT_GELU, 3, false);
        nth_optimizer   *o = NULL;
        nth_kare_curve   curve;
        nth_kare_options opt = options(4, 0);
        opt.rule = rule[r];
        NTH_CHECK_OK(nth_optimizer_create(&o, &rule[r], P));
        for (int s = 0; s < 4; ++s) {
            NTH_CHECK_OK(nth_net_get_parameters(want, net));
            gradient(grad, net, NULL, N, opt.z);
            nth_optimizer_step(o, want, grad);
            NTH_CHECK_OK(nth_net_set_parameters(net, want));
        }
        NTH_CHECK_OK(train(theta, NTH_ACT_GELU, N, &opt, &curve));
        NTH_CHECK(memcmp(theta, want, sizeof theta) == 0);
        NTH_CHECK(curve.point[4].kare < curve.point[0].kare);
        opt.rule.learning_rate = 1e200, opt.steps = 50; /* the parameters before the step that failed */
        NTH_CHECK_STATUS(train(theta, NTH_ACT_GELU, N, &opt, &curve), NTH_E_NUMERIC);
        opt.steps = curve.steps;
        NTH_CHECK_OK(train(want, NTH_ACT_GELU, N, &opt, &curve));
        NTH_CHECK(memcmp(theta, want, sizeof theta) == 0);
        nth_optimizer_destroy(&o);
        nth_net_destroy(&net);
    }
}

/* The gradient of each step of an epoch is that of one set of B samples among all; the sets are a partition. */
static void batches_are_a_partition(void)
{
    double         before[P], after[P], grad[P];
    unsigned       seen[2] = { 0 }, first[2] = { 0 };
    nth_kare_curve curve;
    for (int step = 0; step < 2 * FEW / B; ++step) {
        nth_net         *net = make_net(NTH_ACT_TANH, 3, false);
        nth_kare_options opt = options(step, B);
        int              matches = 0;
        NTH_CHECK_OK(train(before, NTH_ACT_TANH, FEW, &opt, &curve));
        opt.steps = step + 1;
        NTH_CHECK_OK(train(after, NTH_ACT_TANH, FEW, &opt, &curve));
        NTH_CHECK_OK(nth_net_set_parameters(net, before));
        for (unsigned set = 0; set < 1u << FEW; ++set) {
            int    sample[FEW], n = 0;
            double far = 0.0;
            for (int i = 0; i < FEW; ++i)
                if (set >> i & 1u) sample[n++] = i;
            if (n != B) continue;
            gradient(grad, net, sample, B, opt.z);
            for (int p = 0; p < P; ++p) far = nth_worst(far, fabs(before[p] - opt.rule.learning_rate * grad[p] - after[p]));
            if (!(far < 1e-10)) continue;
            const int epoch = step / (FEW / B);
            ++matches;
            NTH_CHECK((seen[epoch] & set) == 0);
            seen[epoch] |= set;
            if (step % (FEW / B) == 0) first[epoch] = set;
        }
        NTH_CHECK(matches == 1);
        nth_net_destroy(&net);
    }
    NTH_CHECK(seen[0] == (1u << FEW) - 1 && seen[1] == seen[0]);
    NTH_CHECK(first[0] != first[1]); /* drawn anew */
    nth_kare_options opt = options(3, B);
    NTH_CHECK_OK(train(before, NTH_ACT_TANH, FEW, &opt, &curve));
    opt.seed = 10;
    NTH_CHECK_OK(train(after, NTH_ACT_TANH, FEW, &opt, &curve));
    NTH_CHECK(memcmp(before, after, sizeof before) != 0);
}

/* The last point against kernel, estimate and regression as separate functions; KARE falls. */
static void curve_is_true(void)
{
    for (int number = 0; number < 4; ++number) {
        nth_net         *net = make_net(number % 2 ? NTH_ACT_RELU : NTH_ACT_GELU, 2 + number / 2, number == 3);
        nth_kare_options opt = options(25, number == 1 ? 16 : 0);
        nth_kare_point   point[POINTS];
        nth_kare_curve   curve = { .point = point };
        double           k[N * N], k_test[K * N], alpha[N * C], F[K * C];
        nth_blocks       blocks = { .train = nth_mat_of(k, N, N), .test = nth_mat_of(k_test, K, N) };
        nth_kare         kare = { 0 };
        nth_regress     *r = NULL;
        nth_score        risk = { 0 };
        opt.every = 10, opt.rule.learning_rate = 0.5;
        NTH_CHECK(nth_kare_points(&opt) == 4);
        NTH_CHECK_OK(nth_kare_train(&curve, net, X(N), Y(N), X_test(), Y_test(), &opt));
        NTH_CHECK(curve.points == 4 && curve.steps == 25);
        for (int p = 0; p < 4; ++p) NTH_CHECK(point[p].step == (p < 3 ? 10 * p : 25));
        NTH_CHECK(point[3].kare < point[0].kare);
        NTH_CHECK_OK(nth_ntk_empirical(&blocks, net, X(N), X_test()));
        NTH_CHECK_OK(nth_kare_evaluate(&kare, none, none, none, nth_const(blocks.train), Y(N), opt.z));
        NTH_CHECK_CLOSE(point[3].kare, kare.kare, 1e-14, 0.0);
        NTH_CHECK_OK(nth_regress_create(&r, nth_const(blocks.train), &(nth_regress_options){ NTH_REGRESS_CHOLESKY, N * opt.z, false }));
        NTH_CHECK_OK(nth_regress_solve(nth_mat_of(alpha, N, C), NULL, r, Y(N)));
        NTH_CHECK_OK(nth_regress_predict(nth_mat_of(F, K, C), nth_const(blocks.test), nth_cmat_of(alpha, N, C), NULL));
        NTH_CHECK_OK(nth_score_mse(&risk, nth_cmat_of(F, K, C), Y_test()));
        NTH_CHECK_CLOSE(point[3].test_risk, risk.value, 1e-11, 0.0);
        nth_regress_destroy(&r);
        nth_net_destroy(&net);
    }
}

static bool spoil_at_3(void *ctx, ptrdiff_t step)
{
    nth_net *net = ctx;
    if (step == 3) net->W[0][1].a[7] = NAN;
    return false;
}

/* Far too large a step overflows the kernel, or a parameter is spoilt on the way: the good ones come back. */
static void diverging_run_is_rolled_back(void)
{
    for (ptrdiff_t batch = 0; batch <= 8; batch += 8) {
        double           theta[P], want[P];
        nth_net         *net = make_net(NTH_ACT_QUADRATIC, 3, false);
        nth_kare_point   point[POINTS];
        nth_kare_curve   curve = { .point = point };
        nth_kare_options opt = options(50, batch);
        NTH_CHECK_OK(nth_net_get_parameters(want, net));
        opt.rule.learning_rate = 1e80;
        NTH_CHECK_STATUS(nth_kare_train(&curve, net, X(N), Y(N), (nth_cmat){ 0 }, (nth_cmat){ 0 }, &opt), NTH_E_NUMERIC);
        NTH_CHECK_MESSAGE("after 1 steps: row 1 of the kernel is not finite");
        NTH_CHECK(curve.steps == 0 && curve.points == 1 && isfinite(point[0].kare));
        NTH_CHECK_OK(nth_net_get_parameters(theta, net));
        NTH_CHECK(memcmp(theta, want, sizeof theta) == 0);
        opt.rule.learning_rate = 1e308;
        NTH_CHECK_STATUS(nth_kare_train(&curve, net, X(N), Y(N), (nth_cmat){ 0 }, (nth_cmat){ 0 }, &opt), NTH_E_NUMERIC);
        NTH_CHECK_MESSAGE("after 1 steps: ");
        opt = options(50, batch);
        opt.rule.learning_rate = 0.1, opt.interrupted = spoil_at_3, opt.ctx = net;
        NTH_CHECK_STATUS(nth_kare_train(&curve, net, X(N), Y(N), (nth_cmat){ 0 }, (nth_cmat){ 0 }, &opt), NTH_E_NUMERIC);
        NTH_CHECK_MESSAGE("after 3 steps: row 1 of the kernel is not finite");
        NTH_CHECK(curve.steps == 2 && curve.points == 3 && point[2].step == 2);
        NTH_CHECK_OK(nth_net_get_parameters(theta, net));
        opt.steps = 2, opt.interrupted = NULL;
        NTH_CHECK_OK(train(want, NTH_ACT_QUADRATIC, N, &opt, &curve));
        NTH_CHECK(memcmp(theta, want, sizeof theta) == 0);
        nth_net_destroy(&net);
    }
}

static bool stop_at_4(void *ctx, ptrdiff_t step)
{
    ++*(int *)ctx;
    return step == 4;
}

static void interruption_keeps_the_last_good_step(void)
{
    double           theta[P], want[P];
    int              asked = 0;
    nth_kare_curve   curve;
    nth_kare_options opt = options(20, 0);
    opt.interrupted = stop_at_4, opt.ctx = &asked;
    NTH_CHECK_STATUS(train(theta, NTH_ACT_TANH, N, &opt, &curve), NTH_E_INTERRUPTED);
    NTH_CHECK(asked == 5 && curve.steps == 3 && curve.points == 4);
    opt.steps = 3, opt.interrupted = NULL;
    NTH_CHECK_OK(train(want, NTH_ACT_TANH, N, &opt, &curve));
    NTH_CHECK(memcmp(theta, want, sizeof theta) == 0);
}

static void bad_input(void)
{
    static const struct {
        double    z, rate;
        ptrdiff_t steps, batch, every;
    } wrong[] = { { 0.0, 1, 1, 0, 1 }, { NAN, 1, 1, 0, 1 }, { 1, 0.0, 1, 0, 1 },   { 1, INFINITY, 1, 0, 1 },
                  { 1, 1, -1, 0, 1 },  { 1, 1, 1, 1, 1 },   { 1, 1, 1, N + 1, 1 }, { 1, 1, 1, 0, 0 } };
    nth_net       *net = make_net(NTH_ACT_TANH, 2, false);
    nth_kare_point point[POINTS];
    nth_kare_curve curve = { .point = point };
    const nth_cmat no = { 0 };
    double         keep[N * C], bent;
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; ++i) {
        const nth_kare_options opt = { .z = wrong[i].z, .rule = { NTH_OPTIMIZER_SGD, .learning_rate = wrong[i].rate }, .steps = wrong[i].steps, .batch = wrong[i].batch, .every = wrong[i].every };
        NTH_CHECK_STATUS(nth_kare_train(&curve, net, X(N), Y(N), no, no, &opt), NTH_E_ARG);
    }
    const nth_kare_options opt = options(1, 0);
    NTH_CHECK_STATUS(nth_kare_train(&curve, net, X(N), Y(N - 1), no, no, &opt), NTH_E_SHAPE);
    NTH_CHECK_STATUS(nth_kare_train(&curve, net, X(N), Y(N), X_test(), no, &opt), NTH_E_SHAPE);
    NTH_CHECK_STATUS(nth_kare_train(&curve, net, X(N), Y(N), X_test(), nth_cmat_of(y, K, 1), &opt), NTH_E_SHAPE);
    memcpy(keep, y, sizeof keep);
    for (int i = 0; i < N * C; ++i) y[i] = i % C ? -1.0 : 3.0;
    NTH_CHECK_STATUS(nth_kare_train(&curve, net, X(N), Y(N), no, no, &opt), NTH_E_RANGE);
    NTH_CHECK_MESSAGE("nothing to learn");
    y[C * (N - 1) + 1] = -0.5; /* one column with something to learn is enough */
    NTH_CHECK_OK(nth_kare_train(&curve, net, X(N), Y(N), no, no, &(nth_kare_options){ .z = 0.1, .rule = opt.rule, .every = 1 }));
    memcpy(y, keep, sizeof keep);
    y[3] = NAN;
    NTH_CHECK_STATUS(nth_kare_train(&curve, net, X(N), Y(N), no, no, &opt), NTH_E_NUMERIC);
    memcpy(y, keep, sizeof keep);
    bent = x[5], x[5] = INFINITY;
    NTH_CHECK_STATUS(nth_kare_train(&curve, net, X(N), Y(N), no, no, &opt), NTH_E_NUMERIC);
    x[5] = bent;
    NTH_CHECK(curve.points == 0 && curve.steps == 0);
    nth_net_destroy(&net);
}

static void same_bits_for_any_threads(void)
{
    const int threads[3] = { 1, 3, 7 }, before = nth_priv_threads();
    for (ptrdiff_t batch = 0; batch <= 16; batch += 16) {
        double                 theta[3][P];
        nth_kare_curve         curve;
        const nth_kare_options opt = options(6, batch);
        for (int t = 0; t < 3; ++t) {
            nth_priv_set_threads(threads[t]);
            NTH_CHECK_OK(train(theta[t], NTH_ACT_GELU, N, &opt, &curve));
            NTH_CHECK(memcmp(theta[t], theta[0], sizeof theta[0]) == 0);
        }
        nth_priv_set_threads(before);
    }
}

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
static void work_bytes_is_a_bound(void) { nth_test_skip("sanitizers allocate for themselves"); }
#else
static bool see_heap(void *ctx, ptrdiff_t step)
{
    (void)step;
    *(double *)ctx = nth_worst(*(double *)ctx, nth_test_heap());
    return false;
}

/* What malloc gave out between steps, where a pullback is at hand unless batches are smaller; not more than promised, not far less. */
static void work_bytes_is_a_bound(void)
{
    double least = INFINITY, most = 0.0;
    NTH_CHECK(mallopt(M_MMAP_THRESHOLD, 1 << 30) == 1); /* no whole pages for each block */
    for (int number = 0; number < 32; ++number) {
        nth_net_config   cfg = { .activation = NTH_ACT_TANH, .layers = 3, .widths = { D, 60, 50, number & 2 ? 3 : 1 }, .sigma_w = 1.0, .sigma_b = 0.1, .doubled = number & 4 };
        nth_kare_options opt = options(1, number & 8 ? 16 : 0);
        nth_kare_point   point[POINTS];
        nth_kare_curve   curve = { .point = point };
        nth_net         *net = random_net(&cfg, 3);
        double           seen = 0.0;
        if (number & 1) opt.rule = nth_optimizer_defaults(NTH_OPTIMIZER_ADAM);
        opt.outputs = number & 16 ? NTH_OUTPUTS_TRACE : NTH_OUTPUTS_SUM, opt.interrupted = see_heap, opt.ctx = &seen;
        const double promised = nth_kare_work_bytes(&cfg, N, K, C, &opt), before = nth_test_heap();
        NTH_CHECK_OK(nth_kare_train(&curve, net, X(N), Y(N), X_test(), Y_test(), &opt));
        NTH_CHECK(seen - before <= promised + 16384.0); /* structures, headers and alignment of some 60 blocks */
        least = fmin(least, (seen - before) / promised), most = nth_worst(most, (seen - before) / promised);
        nth_net_destroy(&net);
    }
    printf("    used / promised from %.2f to %.2f\n", least, most);
    NTH_CHECK(least > 0.25); /* what a step takes and gives back is not seen */
}
#endif

static ptrdiff_t oom_batch;
static nth_status build(void)
{
    nth_kare_options       opt = options(2, oom_batch);
    nth_kare_point         point[POINTS];
    nth_kare_curve         curve = { .point = point };
    nth_net               *net = NULL;
    nth_net_config         cfg = { .activation = NTH_ACT_TANH, .layers = 3, .widths = { D, 3, 2, 1 }, .sigma_w = 1.0, .sigma_b = 0.1 };
    nth_status             st = nth_net_create(&net, &cfg, true);
    if (oom_batch == 0) opt.rule = nth_optimizer_defaults(NTH_OPTIMIZER_ADAM);
    if (st == NTH_OK) nth_net_init_gaussian(net, 1, 0);
    if (st == NTH_OK) st = nth_kare_train(&curve, net, X(10), Y(10), X_test(), Y_test(), &opt);
    nth_net_destroy(&net);
    return st;
}

static void survives_oom(void)
{
    for (oom_batch = 0; oom_batch <= 5; oom_batch += 5) nth_test_every_allocation_fails(build);
}

int main(void)
{
    make_data();
    return nth_test_main("kare_train", (nth_test_case[]){ { "a_step_is_the_formula", a_step_is_the_formula },
                                                          { "rules_are_the_optimizer_s", rules_are_the_optimizer_s },
                                                          { "batches_are_a_partition", batches_are_a_partition },
                                                          { "curve_is_true", curve_is_true },
                                                          { "diverging_run_is_rolled_back", diverging_run_is_rolled_back },
                                                          { "interruption_keeps_the_last_good_step", interruption_keeps_the_last_good_step },
                                                          { "bad_input", bad_input },
                                                          { "same_bits_for_any_threads", same_bits_for_any_threads },
                                                          { "work_bytes_is_a_bound", work_bytes_is_a_bound },
                                                          { "survives_oom", survives_oom },
                                                          { 0 } });
}
