/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Optimizers (E111, E112): update rules and gradients against slow twins, a run of mini-batches against
 * nested loops, whole runs against numpy, the limit of small steps against the gradient flow, the same
 * bits on any number of threads, single against double precision, failures.
 */
#include "nth_test.h"
#include "fixtures.h"
#include "shapes.h"

#include "nth/build_info.h"
#include "nth/optimize.h"
#include "nth/rng.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static nth_optimizer_options rule_of(nth_optimizer_kind kind, double rate, double momentum)
{
    nth_optimizer_options o = nth_optimizer_defaults(kind);
    o.learning_rate = rate, o.momentum = momentum;
    return o;
}

/* ---- Update rules -------------------------------------------------------------------------------- */

typedef struct twin {
    ref_real m, v;
} twin;

/* One parameter, as the papers write it. */
static ref_real twin_step(twin *t, const nth_optimizer_options *o, ref_real theta, ref_real g, int s)
{
    if (o->kind == NTH_OPTIMIZER_SGD) {
        t->m = o->momentum * t->m + g;
        return theta - o->learning_rate * t->m;
    }
    t->m = o->beta1 * t->m + (1.0L - o->beta1) * g;
    t->v = o->beta2 * t->v + (1.0L - o->beta2) * g * g;
    const ref_real m = t->m / (1.0L - powl(o->beta1, s)), v = t->v / (1.0L - powl(o->beta2, s));
    return theta - o->learning_rate * m / (sqrtl(v) + o->epsilon);
}

enum { LONG = 20011, STEPS = 7 };

static void rules_match_twin(void)
{
    static double         theta[LONG], g[LONG];
    static ref_real       want[LONG];
    static twin           memory[LONG];
    nth_optimizer_options rules[4] = { rule_of(NTH_OPTIMIZER_SGD, 0.3, 0.0), rule_of(NTH_OPTIMIZER_SGD, 0.3, 0.9),
                                       rule_of(NTH_OPTIMIZER_ADAM, 0.01, 0.0), rule_of(NTH_OPTIMIZER_ADAM, 0.02, 0.0) };
    rules[3].beta1 = 0.5, rules[3].beta2 = 0.8, rules[3].epsilon = 0.1;
    for (int k = 0; k < 4; ++k) {
        nth_optimizer *opt = NULL;
        double         most = 0.0;
        if (!NTH_CHECK_OK(nth_optimizer_create(&opt, &rules[k], LONG))) return;
        memset(memory, 0, sizeof memory);
        nth_rand_normals(theta, LONG, 1, NTH_STREAM_TEST, (uint32_t)k, 0);
        for (int i = 0; i < LONG; ++i) want[i] = theta[i];
        for (int s = 1; s <= STEPS; ++s) {
            nth_rand_normals(g, LONG, 2, NTH_STREAM_TEST, (uint32_t)k, (uint64_t)(s * LONG));
            nth_optimizer_step(opt, theta, g);
            for (int i = 0; i < LONG; ++i) want[i] = twin_step(&memory[i], &rules[k], want[i], g[i], s);
        }
        for (int i = 0; i < LONG; ++i) most = nth_worst(most, (double)fabsl(theta[i] - want[i]));
        NTH_CHECK_CLOSE(most, 0.0, 0.0, 1e-14); /* 7 steps, terms up to 6 */
        nth_optimizer_destroy(&opt);
    }
}

static void rule_refusals(void)
{
    nth_optimizer *opt = NULL;
    const struct {
        nth_optimizer_options o;
        const char           *message;
    } bad[] = { { rule_of(NTH_OPTIMIZER_COUNT, 1, 0), "optimizer 2 is not in the list" },
                { rule_of(NTH_OPTIMIZER_SGD, 0, 0), "learning rate 0; must be > 0" },
                { rule_of(NTH_OPTIMIZER_SGD, NAN, 0), "learning rate" },
                { rule_of(NTH_OPTIMIZER_SGD, 1, 1), "momentum 1; expected 0 <= momentum < 1" },
                { rule_of(NTH_OPTIMIZER_ADAM, 1, 0.5), "momentum 0.5 belongs to sgd" },
                { { NTH_OPTIMIZER_ADAM, 1, 0, 1, 0.9, 0 }, "beta1 = 1, beta2 = 0.9" },
                { { NTH_OPTIMIZER_ADAM, 1, 0, 0.9, -0.1, 0 }, "beta1 = 0.9, beta2 = -0.1" },
                { { NTH_OPTIMIZER_ADAM, 1, 0, 0.9, 0.9, -1 }, "epsilon = -1; must be >= 0" } };
    for (size_t k = 0; k < sizeof bad / sizeof *bad; ++k) {
        NTH_CHECK_STATUS(nth_optimizer_create(&opt, &bad[k].o, 3), NTH_E_ARG);
        NTH_CHECK_MESSAGE(bad[k].message);
        NTH_CHECK(opt == NULL);
    }
    NTH_CHECK(strcmp(nth_optimizer_name(NTH_OPTIMIZER_ADAM), "adam") == 0 && nth_optimizer_name(NTH_OPTIMIZER_COUNT) == NULL);
}

/* ---- Gradients ----------------------------------------------------------------------------------- */

static const double labels[REF_MAX_ROWS] = { 1, -1, 0.5, 2, -0.3, 1, -1, 1 };

/* The gradient of the loss of rows order[0..count), from exact gradients of single outputs; returns the loss. */
static ref_real ref_loss_gradient(ref_real *G, const ref_net *r, const ref_real *theta, const double *X, const double *y,
                                  const ptrdiff_t *order, ptrdiff_t count)
{
    ref_real g[REF_MAX_P], loss = 0;
    for (int p = 0; p < r->P; ++p) G[p] = 0;
    for (ptrdiff_t i = 0; i < count; ++i) {
        const ptrdiff_t row = order != NULL ? order[i] : i;
        const ref_real  e = ref_output(r, theta, X + row * r->cfg.widths[0]) - y[row];
        ref_gradient(g, r, theta, X + row * r->cfg.widths[0]);
        for (int p = 0; p < r->P; ++p) G[p] += e * g[p] / (ref_real)count;
        loss += e * e / (ref_real)(2 * count);
    }
    return loss;
}

static void gradients_match_twin(void)
{
    worst           err[2] = { 0 }, losses[2] = { 0 };
    static double   g[REF_MAX_P];
    static ref_real G[REF_MAX_P];
    for (int a = 0; a < shape_count(); ++a) {
        shape s;
        if (!shape_open(&s, a)) return;
        if (a % 7 == 3) s.net->cfg.frozen = 2, ref_read(&s.ref, s.net);
        const ref_real want = ref_loss_gradient(G, &s.ref, s.ref.theta, s.X, labels, NULL, s.n);
        double         most = 0.0, loss;
        for (int p = 0; p < s.ref.P; ++p) most = nth_worst(most, fabs((double)G[p]));
        for (int k = 0; k < 2; ++k) {
            NTH_CHECK_OK(nth_optimize_gradient(g, &loss, s.net, shape_train(&s), labels, (nth_precision)k));
            for (int p = 0; p < s.ref.P; ++p) worst_see(&err[k], fabs(g[p] - (double)G[p]) / most, s.name);
            worst_see(&losses[k], fabs(loss - (double)want) / (double)want, s.name);
        }
        shape_close(&s);
    }
    worst_check(&err[0], "gradient, double", 1e-13);
    worst_check(&losses[0], "loss, double", 1e-13);
    worst_check(&err[1], "gradient, single", 1e-4);
    worst_check(&losses[1], "loss, single", 1e-4);
}

/* Nothing but outputs: central differences of the loss of order 4. */
static void gradient_is_slope(void)
{
    const int     number = 2 * 24 + 8 + 4 + 1; /* softplus, three layers, biases, two copies */
    const double  h = 1e-3;
    static double g[REF_MAX_P];
    shape         s;
    double        most = 0.0;
    ref_real      loss[5], dummy[REF_MAX_P];
    if (!shape_open(&s, number)) return;
    NTH_CHECK_OK(nth_optimize_gradient(g, NULL, s.net, shape_train(&s), labels, NTH_PRECISION_DOUBLE));
    for (int p = 0; p < s.ref.P; p += 3) {
        const ref_real old = s.ref.theta[p];
        for (int k = -2; k <= 2; ++k) {
            s.ref.theta[p] = old + k * h;
            loss[k + 2] = ref_loss_gradient(dummy, &s.ref, s.ref.theta, s.X, labels, NULL, s.n);
        }
        s.ref.theta[p] = old;
        const ref_real slope = (8 * (loss[3] - loss[1]) - (loss[4] - loss[0])) / (12 * h);
        most = nth_worst(most, fabs((double)(slope - g[p])));
    }
    NTH_CHECK_CLOSE(most, 0.0, 0.0, 1e-9); /* h^4/30 times a fifth derivative of order 100 */
    shape_close(&s);
}

/* ---- Runs ---------------------------------------------------------------------------------------- */

static void order_is_a_permutation(void)
{
    enum { N = 101 };
    ptrdiff_t order[4][N];
    for (int e = 0; e < 3; ++e) nth_optimize_order(order[e], N, 5, 2, e);
    nth_optimize_order(order[3], N, 5, 3, 0);
    for (int e = 0; e < 4; ++e) {
        int seen[N] = { 0 }, fixed = 0, as_first = 0;
        for (int i = 0; i < N; ++i) ++seen[order[e][i]], fixed += order[e][i] == i, as_first += order[e][i] == order[0][i];
        for (int i = 0; i < N; ++i) NTH_CHECK(seen[i] == 1);
        NTH_CHECK(fixed < 10 && (e == 0 || as_first < 10)); /* Poisson of mean 1 */
    }
    nth_optimize_order(order[1], 1, 5, 2, 0);
    NTH_CHECK(order[1][0] == 0);
    int often[27] = { 0 }; /* each of the six orders of three alike: 100 +- 9.1 of 600 epochs */
    for (int e = 0; e < 600; ++e) {
        nth_optimize_order(order[0], 3, 5, 2, e);
        ++often[9 * order[0][0] + 3 * order[0][1] + order[0][2]];
    }
    for (int q = 0; q < 27; ++q)
        if (q / 9 != q / 3 % 3 && q / 9 != q % 3 && q / 3 % 3 != q % 3) NTH_CHECK_CLOSE(often[q], 100.0, 0.0, 6.0 * 9.13);
}

/* Three epochs in batches of 3, 3 and 1 inputs by nested loops. */
static void batches_match_twin(void)
{
    enum { N = 7, D = 3 };
    double X[N * D];
    nth_rand_normals(X, N * D, 4, NTH_STREAM_TEST, 0, 0);
    for (int k = 0; k < 4; ++k) {
        const nth_optimizer_kind   kind = k % 2 ? NTH_OPTIMIZER_ADAM : NTH_OPTIMIZER_SGD;
        const nth_optimize_options opt = { .rule = rule_of(kind, 0.02, kind == NTH_OPTIMIZER_SGD ? 0.7 : 0.0), .batch = 3, .seed = 6 };
        const nth_net_config       cfg = { .activation = NTH_ACT_TANH, .layers = 3, .widths = { D, 5, 4, 1 }, .sigma_w = 1.1,
                                           .sigma_b = 0.5, .doubled = k / 2 };
        nth_net        *net = random_net(&cfg, 3), *end = NULL;
        nth_optimize   *o = NULL;
        static ref_net  r, got;
        static twin     memory[REF_MAX_P];
        static ref_real G[REF_MAX_P];
        double          most = 0.0, loss;
        int             s = 0;
        if (!NTH_CHECK(net != NULL) || !NTH_CHECK_OK(nth_optimize_create(&o, net, nth_cmat_of(X, N, D), labels, &opt))) return;
        ref_read(&r, net);
        memset(memory, 0, sizeof memory);
        for (int e = 0; e < 3; ++e) {
            ptrdiff_t order[N];
            ref_real  want = 0;
            nth_optimize_order(order, N, 6, 0, e);
            for (ptrdiff_t lo = 0; lo < N; lo += 3) {
                const ptrdiff_t count = N - lo < 3 ? N - lo : 3;
                want += (ref_real)count / N * ref_loss_gradient(G, &r, r.theta, X, labels, order + lo, count);
                ++s;
                for (int p = 0; p < r.P; ++p) r.theta[p] = twin_step(&memory[p], &opt.rule, r.theta[p], G[p], s);
            }
            NTH_CHECK_OK(nth_optimize_epoch(o, &loss));
            NTH_CHECK_CLOSE(loss, (double)want, 1e-12, 0.0);
        }
        NTH_CHECK(nth_optimize_epochs(o) == 3);
        NTH_CHECK_OK(nth_optimize_net(o, &end));
        ref_read(&got, end);
        for (int p = 0; p < r.P; ++p) most = nth_worst(most, (double)fabsl(got.theta[p] - r.theta[p]));
        NTH_CHECK_CLOSE(most, 0.0, 0.0, 1e-12); /* Adam divides small gradients by their size: noise 1e-16 / 1e-3 */
        nth_optimize_destroy(&o);
        nth_net_destroy(&net);
        nth_net_destroy(&end);
    }
}

enum { VALUES = 9 };
static const double golden[4][VALUES] = {
#include "golden/training.inc"
};

static void runs_match_numpy(void)
{
    enum { N = 5, D = 3 };
    static const double y[N] = { 1, -1, -1, 1, -1 };
    double              X[N * D];
    for (int i = 1; i <= N; ++i)
        for (int k = 1; k <= D; ++k) X[(i - 1) * D + k - 1] = cos(1.7 * i + 0.6 * k);
    for (int k = 0; k < 8; ++k) {
        const bool           ntk = k / 2 % 2, adam = k % 2 == 0;
        const double        *want = golden[k % 4], tol = k < 4 ? 1e-12 : 1e-5; /* float: 40 steps of 6e-8 */
        const nth_net_config cfg[2] = {
            { .activation = NTH_ACT_RELU, .layers = 2, .widths = { D, 6, 1 }, .sigma_w = 1.0, .sigma_b = 1.0,
              .parameterization = NTH_PARAMETERIZATION_STANDARD },
            { .activation = NTH_ACT_TANH, .layers = 3, .widths = { D, 5, 4, 1 }, .sigma_w = 1.0, .sigma_b = 1.0 }
        };
        const nth_optimize_options opt = { .rule = adam ? rule_of(NTH_OPTIMIZER_ADAM, 0.01, 0.0) : rule_of(NTH_OPTIMIZER_SGD, 0.02, 0.5),
                                           .batch = 8, .precision = k < 4 ? NTH_PRECISION_DOUBLE : NTH_PRECISION_SINGLE };
        nth_net      *net = formula_net(&cfg[ntk]), *end = NULL;
        nth_optimize *o = NULL;
        double        f[N], loss = 0.0;
        if (!NTH_CHECK(net != NULL) || !NTH_CHECK_OK(nth_optimize_create(&o, net, nth_cmat_of(X, N, D), y, &opt))) return;
        for (int s = 0; s < 40; ++s) NTH_CHECK_OK(nth_optimize_epoch(o, NULL));
        NTH_CHECK_OK(nth_optimize_outputs(o, nth_cmat_of(X, N, D), f));
        NTH_CHECK_OK(nth_optimize_net(o, &end));
        for (int i = 0; i < N; ++i) loss += 0.5 * (f[i] - y[i]) * (f[i] - y[i]) / N;
        NTH_CHECK_CLOSE(loss, want[0], tol, tol);
        for (int i = 0; i < N; ++i) NTH_CHECK_CLOSE(f[i], want[1 + i], tol, tol);
        double sums[3] = { 0 };
        for (ptrdiff_t i = 0; i < end->W[0][0].rows * D; ++i) sums[0] += end->W[0][0].a[i];
        for (ptrdiff_t i = 0; i < end->W[0][1].rows * end->W[0][1].cols; ++i) sums[1] += end->W[0][1].a[i];
        for (ptrdiff_t i = 0; i < end->W[0][0].rows; ++i) sums[2] += end->b[0][0][i];
        for (int i = 0; i < 3; ++i) NTH_CHECK_CLOSE(sums[i], want[6 + i], tol, tol);
        nth_optimize_destroy(&o);
        nth_net_destroy(&net);
        nth_net_destroy(&end);
    }
}

/* Gradient descent on the whole set is Euler's method for E6: at t = 1 the distance from the flow halves with the step. */
static void small_steps_follow_the_flow(void)
{
    enum { N = 3, D = 2 };
    double                 want[N], f[N], err[3];
    nth_net               *net = fixture_net(F1);
    nth_flow              *flow = NULL;
    const nth_flow_options fopt = { .stepper = NTH_STEPPER_COLLOCATION, .rtol = 1e-12 };
    fixture_points();
    const nth_cmat X = nth_cmat_of(fx_X, N, D);
    if (!NTH_CHECK(net != NULL) || !NTH_CHECK_OK(nth_flow_create(&flow, net, X, (nth_cmat){ 0 }, fx_y, &fopt))) return;
    NTH_CHECK_OK(nth_flow_advance(flow, 1.0));
    NTH_CHECK_OK(nth_flow_outputs(flow, want));
    for (int k = 0; k < 3; ++k) {
        const int                  steps = 50 << k;
        const nth_optimize_options opt = { .rule = rule_of(NTH_OPTIMIZER_SGD, 1.0 / steps, 0.0), .batch = N };
        nth_optimize              *o = NULL;
        NTH_CHECK_OK(nth_optimize_create(&o, net, X, fx_y, &opt));
        for (int s = 0; s < steps; ++s) NTH_CHECK_OK(nth_optimize_epoch(o, NULL));
        NTH_CHECK_OK(nth_optimize_outputs(o, X, f));
        err[k] = 0.0;
        for (int i = 0; i < N; ++i) err[k] = nth_worst(err[k], fabs(f[i] - want[i]));
        nth_optimize_destroy(&o);
    }
    NTH_CHECK_CLOSE(log2(err[0] / err[1]), 1.0, 0.0, 0.05);
    NTH_CHECK_CLOSE(log2(err[1] / err[2]), 1.0, 0.0, 0.03);
    nth_flow_destroy(&flow);
    nth_net_destroy(&net);
}

/* ---- A network of several tiles: threads, precisions, frozen layers ------------------------------- */

enum { WIDE_N = 70, WIDE_D = 530, WIDE_M = 600 };
static double wide_X[WIDE_N * WIDE_D], wide_y[WIDE_N];

static nth_net *wide_net(unsigned frozen)
{
    const nth_net_config cfg = { .activation = NTH_ACT_RELU, .layers = 3, .widths = { WIDE_D, WIDE_M, 270, 1 }, .sigma_w = 1.0,
                                 .sigma_b = 1.0, .frozen = frozen, .parameterization = NTH_PARAMETERIZATION_STANDARD };
    nth_net *net = NULL;
    nth_rand_normals(wide_X, WIDE_N * WIDE_D, 8, NTH_STREAM_INPUTS, 0, 0);
    for (int i = 0; i < WIDE_N; ++i) wide_y[i] = i % 2 ? 1.0 : -1.0;
    if (NTH_CHECK_OK(nth_net_create(&net, &cfg, true))) nth_net_init_framework(net, 1, 0);
    return net;
}

/* |g|^2 = r^T K r / n^2 with the kernel of other code (E7, E15): every entry counts, in all tiles and segments. */
static void gradient_norm_is_the_kernels(void)
{
    static double K[WIDE_N * WIDE_N], f[WIDE_N];
    const nth_optimize_options opt = { .rule = rule_of(NTH_OPTIMIZER_SGD, 1.0, 0.0), .batch = 13 };
    nth_net                   *net = wide_net(0);
    nth_optimize              *o = NULL;
    nth_blocks                 blocks = { .train = nth_mat_of(K, WIDE_N, WIDE_N) };
    double                     want = 0.0, *g;
    if (net == NULL) return;
    const ptrdiff_t P = nth_net_parameters(net);
    const nth_cmat  X = nth_cmat_of(wide_X, WIDE_N, WIDE_D);
    NTH_CHECK_OK(nth_ntk_empirical(&blocks, net, X, (nth_cmat){ 0 }));
    if (NTH_CHECK_OK(nth_optimize_create(&o, net, X, wide_y, &opt))) NTH_CHECK_OK(nth_optimize_outputs(o, X, f));
    for (int i = 0; i < WIDE_N; ++i)
        for (int j = 0; j < WIDE_N; ++j) want += (f[i] - wide_y[i]) * K[i * WIDE_N + j] * (f[j] - wide_y[j]) / (WIDE_N * WIDE_N);
    g = calloc((size_t)P, sizeof *g);
    for (int k = 0; k < 2 && NTH_CHECK(g != NULL); ++k) {
        double square = 0.0;
        NTH_CHECK_OK(nth_optimize_gradient(g, NULL, net, X, wide_y, (nth_precision)k));
        for (ptrdiff_t p = 0; p < P; ++p) square += g[p] * g[p];
        NTH_CHECK_CLOSE(square, want, k == 0 ? 1e-12 : 1e-4, 0.0);
    }
    free(g);
    nth_optimize_destroy(&o);
    nth_net_destroy(&net);
}

static bool wide_run(nth_net **end, double *f, const nth_net *net, nth_precision precision, nth_optimizer_kind kind)
{
    const nth_optimize_options opt = { .rule = rule_of(kind, kind == NTH_OPTIMIZER_ADAM ? 1e-3 : 1e-2, 0.0), .batch = 32, .precision = precision };
    nth_optimize *o = NULL;
    bool          ok = NTH_CHECK_OK(nth_optimize_create(&o, net, nth_cmat_of(wide_X, WIDE_N, WIDE_D), wide_y, &opt));
    for (int e = 0; ok && e < 2; ++e) ok = NTH_CHECK_OK(nth_optimize_epoch(o, NULL));
    ok = ok && NTH_CHECK_OK(nth_optimize_outputs(o, nth_cmat_of(wide_X, WIDE_N, WIDE_D), f)) && NTH_CHECK_OK(nth_optimize_net(o, end));
    nth_optimize_destroy(&o);
    return ok;
}

static void threads_change_nothing(void)
{
    nth_net  *net = wide_net(0);
    const int before = nth_threads_get();
    for (int k = 0; k < 2 && net != NULL; ++k) {
        nth_net *end[3] = { NULL };
        double   f[3][WIDE_N];
        for (int t = 0; t < 3; ++t) {
            nth_threads_set((int[]){ 1, 3, 7 }[t]);
            if (!wide_run(&end[t], f[t], net, (nth_precision)k, NTH_OPTIMIZER_ADAM)) return;
            NTH_CHECK(memcmp(f[t], f[0], sizeof f[0]) == 0);
            NTH_CHECK(memcmp(end[t]->W[0][0].a, end[0]->W[0][0].a, sizeof(double) * WIDE_M * WIDE_D) == 0);
            NTH_CHECK(memcmp(end[t]->b[0][1], end[0]->b[0][1], sizeof(double) * 270) == 0);
        }
        for (int t = 0; t < 3; ++t) nth_net_destroy(&end[t]);
    }
    nth_threads_set(before);
    nth_net_destroy(&net);
}

static void single_follows_double(void)
{
    nth_net *net = wide_net(0), *end = NULL;
    double   f[2][WIDE_N], most = 0.0, moved = 0.0;
    for (int k = 0; k < 2 && net != NULL; ++k) {
        if (!wide_run(&end, f[k], net, (nth_precision)k, NTH_OPTIMIZER_SGD)) return;
        nth_net_destroy(&end);
    }
    for (int i = 0; i < WIDE_N; ++i) most = nth_worst(most, fabs(f[1][i] - f[0][i])), moved = nth_worst(moved, fabs(f[0][i]));
    NTH_CHECK_CLOSE(most, 0.0, 0.0, 1e-4 * moved);
    NTH_CHECK(most > 0.0 && moved > 0.1); /* two precisions indeed, and trained */
    nth_net_destroy(&net);
}

static void frozen_layers_stay(void)
{
    nth_net *net = wide_net(5), *end = NULL;
    double   f[WIDE_N];
    if (net != NULL && wide_run(&end, f, net, NTH_PRECISION_DOUBLE, NTH_OPTIMIZER_ADAM)) {
        NTH_CHECK(end->cfg.frozen == 5);
        NTH_CHECK(memcmp(end->W[0][0].a, net->W[0][0].a, sizeof(double) * WIDE_M * WIDE_D) == 0);
        NTH_CHECK(memcmp(end->W[0][1].a, net->W[0][1].a, sizeof(double) * 270 * WIDE_M) != 0);
        NTH_CHECK(memcmp(end->W[0][2].a, net->W[0][2].a, sizeof(double) * 270) == 0);
        NTH_CHECK(memcmp(end->b[0][0], net->b[0][0], sizeof(double) * WIDE_M) == 0);
    }
    nth_net_destroy(&end);
    nth_net_destroy(&net);
}

/* ---- Failures ------------------------------------------------------------------------------------ */

typedef struct watch {
    int    polls, batches;
    double loss;
} watch;

static bool third_time(void *ctx) { return ++((watch *)ctx)->polls > 2; }
static void heard(ptrdiff_t batch, double loss, void *ctx)
{
    watch *w = ctx;
    w->batches = (int)batch, w->loss = loss;
}

static void diverges_or_stops(void)
{
    nth_net             *net = fixture_net(F4);
    nth_optimize        *o = NULL;
    watch                w = { 0 };
    nth_optimize_options opt = { .rule = rule_of(NTH_OPTIMIZER_SGD, 1e3, 0.0), .batch = 1, .progress = heard, .ctx = &w };
    nth_status           st = NTH_OK;
    fixture_points();
    const nth_cmat X = nth_cmat_of(fx_X, 3, 2);
    if (!NTH_CHECK(net != NULL) || !NTH_CHECK_OK(nth_optimize_create(&o, net, X, fx_y, &opt))) return;
    for (int e = 0; e < 100 && st == NTH_OK; ++e) st = nth_optimize_epoch(o, NULL);
    NTH_CHECK_STATUS(st, NTH_E_NUMERIC);
    NTH_CHECK_MESSAGE("the loss is not finite; epoch ");
    NTH_CHECK(isfinite(w.loss));
    nth_optimize_destroy(&o);
    opt.interrupted = third_time, opt.rule.learning_rate = 1e-3;
    NTH_CHECK_OK(nth_optimize_create(&o, net, X, fx_y, &opt));
    NTH_CHECK_STATUS(nth_optimize_epoch(o, NULL), NTH_E_INTERRUPTED);
    NTH_CHECK(w.polls == 3 && w.batches == 2 && nth_optimize_epochs(o) == 0);
    nth_optimize_destroy(&o);
    nth_net_destroy(&net);
}

static void refuses(void)
{
    const nth_optimize_options good = { .rule = rule_of(NTH_OPTIMIZER_SGD, 0.1, 0.0), .batch = 2 };
    nth_net                   *net = fixture_net(F1), *drawn = NULL;
    nth_optimize              *o = NULL;
    double                     bad[3] = { 1, NAN, 1 }, f[3];
    fixture_points();
    const nth_cmat       X = nth_cmat_of(fx_X, 3, 2);
    nth_optimize_options opt = good;
    if (!NTH_CHECK(net != NULL)) return;
    NTH_CHECK_STATUS(nth_optimize_create(&o, net, nth_cmat_of(fx_X, 2, 3), fx_y, &good), NTH_E_SHAPE);
    NTH_CHECK_MESSAGE("inputs have 3 columns, the network expects 2");
    NTH_CHECK_STATUS(nth_optimize_create(&o, net, nth_cmat_of(fx_X, 0, 2), fx_y, &good), NTH_E_SHAPE);
    NTH_CHECK_STATUS(nth_optimize_create(&o, net, X, bad, &good), NTH_E_NUMERIC);
    NTH_CHECK_MESSAGE("targets have non-finite entries");
    opt.batch = 0;
    NTH_CHECK_STATUS(nth_optimize_create(&o, net, X, fx_y, &opt), NTH_E_ARG);
    NTH_CHECK_MESSAGE("batch of 0 inputs");
    opt = good, opt.precision = (nth_precision)2;
    NTH_CHECK_STATUS(nth_optimize_create(&o, net, X, fx_y, &opt), NTH_E_ARG);
    opt = good, opt.rule.learning_rate = -1.0;
    NTH_CHECK_STATUS(nth_optimize_create(&o, net, X, fx_y, &opt), NTH_E_ARG);
    NTH_CHECK(o == NULL);
    NTH_CHECK_OK(nth_net_create(&drawn, &net->cfg, false));
    NTH_CHECK_STATUS(nth_optimize_create(&o, drawn, X, fx_y, &good), NTH_E_ARG);
    NTH_CHECK_MESSAGE("first layer of the network is not stored");
    NTH_CHECK_OK(nth_optimize_create(&o, net, X, fx_y, &good));
    NTH_CHECK_STATUS(nth_optimize_outputs(o, nth_cmat_of(fx_X, 2, 3), f), NTH_E_SHAPE);
    nth_optimize_destroy(&o);
    nth_net_destroy(&drawn);
    nth_net_destroy(&net);
}

static nth_status build(void)
{
    nth_status     st;
    nth_net       *net = NULL, *end = NULL;
    nth_optimize  *o = NULL;
    const nth_net_config       cfg = { .activation = NTH_ACT_TANH, .layers = 2, .widths = { 2, 4, 1 }, .sigma_w = 1, .sigma_b = 1, .doubled = true };
    const nth_optimize_options opt = { .rule = rule_of(NTH_OPTIMIZER_ADAM, 0.1, 0.0), .batch = 2, .precision = NTH_PRECISION_SINGLE };
    if ((st = nth_net_create(&net, &cfg, true)) != NTH_OK) goto done;
    if ((st = nth_optimize_create(&o, net, nth_cmat_of(fx_X, 3, 2), fx_y, &opt)) != NTH_OK) goto done;
    if ((st = nth_optimize_epoch(o, NULL)) != NTH_OK) goto done;
    st = nth_optimize_net(o, &end);
done:
    nth_optimize_destroy(&o);
    nth_net_destroy(&net);
    nth_net_destroy(&end);
    return st;
}

static void survives_oom(void)
{
    fixture_points();
    nth_test_every_allocation_fails(build);
}

static void bytes_are_told(void)
{
    const nth_net_config cfg = { .activation = NTH_ACT_RELU, .layers = 2, .widths = { 3073, 40960, 1 }, .sigma_w = 1 };
    const nth_optimize_options opt = { .rule = rule_of(NTH_OPTIMIZER_ADAM, 1e-3, 0.0), .batch = 128, .precision = NTH_PRECISION_SINGLE };
    /* three vectors of 126 M floats, three arrays of 128 x 40960, tiles */
    NTH_CHECK_CLOSE(nth_optimize_work_bytes(&cfg, 10000, &opt), 12.0 * 3074 * 40960 + 12.0 * 128 * 40960, 0.01, 0.0);
}

int main(void)
{
    return nth_test_main("optimize", (nth_test_case[]){ { "rules_match_twin", rules_match_twin },
                                                        { "rule_refusals", rule_refusals },
                                                        { "gradients_match_twin", gradients_match_twin },
                                                        { "gradient_is_slope", gradient_is_slope },
                                                        { "order_is_a_permutation", order_is_a_permutation },
                                                        { "batches_match_twin", batches_match_twin },
                                                        { "runs_match_numpy", runs_match_numpy },
                                                        { "small_steps_follow_the_flow", small_steps_follow_the_flow },
                                                        { "gradient_norm_is_the_kernels", gradient_norm_is_the_kernels },
                                                        { "threads_change_nothing", threads_change_nothing },
                                                        { "single_follows_double", single_follows_double },
                                                        { "frozen_layers_stay", frozen_layers_stay },
                                                        { "diverges_or_stops", diverges_or_stops },
                                                        { "refuses", refuses },
                                                        { "survives_oom", survives_oom },
                                                        { "bytes_are_told", bytes_are_told },
                                                        { 0 } });
}
