/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Tangent kernels of networks with several outputs (E114, E115): against gradients of each output by plain
 * loops, their derivatives against differences of KARE, one output against the functions for one, a network of
 * one output that the sum is; training of several outputs against plain loops, too.
 */
#include "nth_test.h"
#include "alloc_priv.h"
#include "fixtures.h"
#include "linalg_priv.h"
#include "nth/kare.h"
#include "nth/rng.h"
#include "par_priv.h"
#include "shapes.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { N = 14, K = 5, D = 4, C = 3, WIDE = 9, MAX_P = 2 * (WIDE * (D + 1) + WIDE * (WIDE + 1) + C * (WIDE + 1)) };
static const nth_mat     none = { 0 };
static const nth_outputs kinds[2] = { NTH_OUTPUTS_SUM, NTH_OUTPUTS_TRACE };
static double            x[(N + K) * D], y[(N + K) * C];

static void make_data(void)
{
    nth_rand_normals(x, (N + K) * D, 61, NTH_STREAM_TEST, 0, 0);
    for (int i = 0; i < N + K; ++i) {
        const double u = x[i * D] - 0.7 * x[i * D + 1];
        const int    class = u < -0.5 ? 0 : u < 0.6 ? 1 : 2;
        for (int c = 0; c < C; ++c) y[i * C + c] = c == class ? 1.0 : 0.0;
    }
}
static nth_cmat X(void) { return nth_cmat_of(x, N, D); }
static nth_cmat Y(void) { return nth_cmat_of(y, N, C); }
static nth_cmat none_c(void) { return (nth_cmat){ 0 }; }
static nth_cmat X_test(void) { return nth_cmat_of(x + N * D, K, D); }

/* Number 0..: depth 2 and 3, with and without biases, doubled, standard parameterization, a frozen layer. */
enum { NETS = 8 };
static nth_net *make_net(int number, ptrdiff_t outputs, char name[64])
{
    nth_net_config cfg = { .activation = number % 2 ? NTH_ACT_GELU : NTH_ACT_TANH, .layers = 2 + number % 2, .widths = { D, WIDE, 7 },
                           .sigma_w = 1.3, .sigma_b = number >= 2 ? 0.4 : 0.0, .doubled = number == 4 || number == 5 };
    cfg.widths[cfg.layers] = outputs;
    if (number == 6) cfg.parameterization = NTH_PARAMETERIZATION_STANDARD, cfg.sigma_w = cfg.sigma_b = 1.0, cfg.output_scale = 0.6;
    if (number == 7) cfg.frozen = 2u;
    nth_net *net = random_net(&cfg, (uint32_t)number);
    snprintf(name, 64, "net %d: L=%d sigma_b=%g%s", number, cfg.layers, cfg.sigma_b, cfg.doubled ? " doubled" : "");
    if (cfg.doubled) nth_rand_normals(net->W[1][0].a, WIDE * D, 62, NTH_STREAM_TEST, 0, 0); /* the copies differ */
    return net;
}

/* ---- Twins ------------------------------------------------------------------------------------------ */

/* df_c(x)/dtheta in the order of nth_net_get_parameters; returns f_c(x). E1, E2, E8 in loops. */
static double gradient_of(double *g, const nth_net *net, const double *in, int c)
{
    const nth_net_config *cfg = &net->cfg;
    const int             L = cfg->layers;
    double                f = 0.0;
    ptrdiff_t             at = 0;
    for (int copy = 0; copy < net->copies; ++copy) {
        double a[4][WIDE], slope[4][WIDE], delta[4][WIDE] = { { 0 } };
        memcpy(a[0], in, D * sizeof(double));
        for (int l = 1; l <= L; ++l)
            for (ptrdiff_t r = 0; r < cfg->widths[l]; ++r) {
                double h = net->b[copy][l - 1] != NULL ? cfg->sigma_b * net->b[copy][l - 1][r] : 0.0, out[2];
                for (ptrdiff_t q = 0; q < cfg->widths[l - 1]; ++q)
                    h += nth_net_factor(cfg, l) * net->W[copy][l - 1].a[r * cfg->widths[l - 1] + q] * a[l - 1][q];
                nth_activation_eval(cfg->activation, 1, &h, 1, out, 1);
                a[l][r] = l < L ? out[0] : h, slope[l][r] = out[1];
            }
        f += net->out_scale[copy] * a[L][c];
        delta[L][c] = net->out_scale[copy];
        for (int l = L - 1; l >= 1; --l)
            for (ptrdiff_t q = 0; q < cfg->widths[l]; ++q)
                for (ptrdiff_t r = 0; r < cfg->widths[l + 1]; ++r)
                    delta[l][q] += slope[l][q] * nth_net_factor(cfg, l + 1) * net->W[copy][l].a[r * cfg->widths[l] + q] * delta[l + 1][r];
        for (int l = 1; l <= L; ++l) {
            if (cfg->frozen >> (l - 1) & 1u) continue;
            for (ptrdiff_t r = 0; r < cfg->widths[l]; ++r)
                for (ptrdiff_t q = 0; q < cfg->widths[l - 1]; ++q) g[at++] = nth_net_factor(cfg, l) * delta[l][r] * a[l - 1][q];
            for (ptrdiff_t r = 0; cfg->sigma_b > 0.0 && r < cfg->widths[l]; ++r) g[at++] = cfg->sigma_b * delta[l][r];
        }
    }
    NTH_CHECK(at == nth_net_parameters(net));
    return f;
}

static double twin_entry(const nth_net *net, nth_outputs kind, ptrdiff_t outputs, const double *a, const double *b)
{
    static double ga[MAX_P], gb[MAX_P], sa[MAX_P], sb[MAX_P];
    const ptrdiff_t P = nth_net_parameters(net);
    double          trace = 0.0, sum = 0.0;
    memset(sa, 0, sizeof sa), memset(sb, 0, sizeof sb);
    for (int c = 0; c < outputs; ++c) {
        (void)gradient_of(ga, net, a, c), (void)gradient_of(gb, net, b, c);
        for (ptrdiff_t p = 0; p < P; ++p) trace += ga[p] * gb[p] / (double)outputs, sa[p] += ga[p], sb[p] += gb[p];
    }
    for (ptrdiff_t p = 0; p < P; ++p) sum += sa[p] * sb[p];
    return kind == NTH_OUTPUTS_SUM ? sum : trace;
}

/* ---- Kernels ---------------------------------------------------------------------------------------- */

static void kernels_are_loops_over_outputs(void)
{
    worst far = { 0 };
    for (int number = 0; number < 2 * NETS; ++number) {
        char              name[64];
        const nth_outputs kind = kinds[number / NETS];
        double            k[N * N], kt[K * N], ktt[K * K];
        nth_net          *net = make_net(number % NETS, C, name);
        nth_blocks        B = { nth_mat_of(k, N, N), nth_mat_of(kt, K, N), nth_mat_of(ktt, K, K) };
        NTH_CHECK_OK(nth_ntk_outputs(&B, net, kind, X(), X_test()));
        for (int i = 0; i < N + K; ++i)
            for (int j = 0; j <= i; ++j) {
                const double want = twin_entry(net, kind, C, x + i * D, x + j * D);
                const double got = i < N ? k[i * N + j] : j < N ? kt[(i - N) * N + j] : ktt[(i - N) * K + j - N];
                worst_see(&far, fabs(got - want) / k[0], name);
            }
        for (int i = 0; i < N * N; ++i) NTH_CHECK(k[i] == k[i % N * N + i / N]);
        nth_net_destroy(&net);
    }
    worst_check(&far, "kernels against loops over outputs", 1e-13);
}

/* KARE of a kernel of the network at these parameters. */
static double kare_at(nth_net *net, const double *theta, nth_outputs kind, double z)
{
    double     k[N * N];
    nth_kare   kare = { .kare = NAN };
    nth_blocks B = { .train = nth_mat_of(k, N, N) };
    NTH_CHECK_OK(nth_net_set_parameters(net, theta));
    NTH_CHECK_OK(nth_ntk_outputs(&B, net, kind, X(), (nth_cmat){ 0 }));
    NTH_CHECK_OK(nth_kare_evaluate(&kare, none, none, none, nth_const(B.train), Y(), z));
    return kare.kare;
}

static void kare_gradient(double *grad, const nth_net *net, nth_outputs kind, double z)
{
    double     k[N * N], S[N * N];
    nth_kare   kare;
    nth_blocks B = { .train = nth_mat_of(k, N, N) };
    NTH_CHECK_OK(nth_ntk_outputs(&B, net, kind, X(), (nth_cmat){ 0 }));
    NTH_CHECK_OK(nth_kare_evaluate(&kare, none, none, nth_mat_of(S, N, N), nth_const(B.train), Y(), z));
    NTH_CHECK_OK(nth_ntk_outputs_pullback(grad, none, net, kind, X(), nth_cmat_of(S, N, N)));
}

/* Each parameter: central differences of order 4 of KARE. */
static void gradients_are_differences(void)
{
    static const double weight[4] = { 1.0, -8.0, 8.0, -1.0 }, offset[4] = { -2.0, -1.0, 1.0, 2.0 };
    worst               far = { 0 };
    for (int number = 0; number < 2 * NETS; ++number) {
        static double     theta[MAX_P], moved[MAX_P], grad[MAX_P];
        char              name[64];
        const nth_outputs kind = kinds[number / NETS];
        nth_net          *net = make_net(number % NETS, C, name);
        const ptrdiff_t   P = nth_net_parameters(net);
        double            largest = 0.0;
        const double      h = 2e-3;
        kare_gradient(grad, net, kind, 0.05);
        NTH_CHECK_OK(nth_net_get_parameters(theta, net));
        for (ptrdiff_t p = 0; p < P; ++p) largest = fmax(largest, fabs(grad[p]));
        for (ptrdiff_t p = 0; p < P; ++p) {
            double slope = 0.0;
            for (int s = 0; s < 4; ++s) {
                memcpy(moved, theta, (size_t)P * sizeof *moved);
                moved[p] += offset[s] * h;
                slope += weight[s] * kare_at(net, moved, kind, 0.05) / (12.0 * h);
            }
            worst_see(&far, fabs(slope - grad[p]) / largest, name);
        }
        NTH_CHECK(largest > 1e-6);
        nth_net_destroy(&net);
    }
    worst_check(&far, "differences of KARE", 1e-7);
}

/* The functions for one output, and nothing else, where there is one. */
static void one_output_has_the_same_bits(void)
{
    for (int number = 0; number < 2 * NETS; ++number) {
        static double     grad[2][MAX_P];
        char              name[64];
        double            k[2][N * N], kt[2][K * N], S[N * N];
        const nth_outputs kind = kinds[number / NETS];
        nth_net          *net = make_net(number % NETS, 1, name);
        nth_blocks        A = { nth_mat_of(k[0], N, N), nth_mat_of(kt[0], K, N), none }, B = { nth_mat_of(k[1], N, N), nth_mat_of(kt[1], K, N), none };
        for (int i = 0; i < N * N; ++i) S[i] = cos((double)(i / N) * (double)(i % N));
        NTH_CHECK_OK(nth_ntk_empirical(&A, net, X(), X_test()));
        NTH_CHECK_OK(nth_ntk_outputs(&B, net, kind, X(), X_test()));
        NTH_CHECK(memcmp(k[0], k[1], sizeof k[0]) == 0 && memcmp(kt[0], kt[1], sizeof kt[0]) == 0);
        NTH_CHECK_OK(nth_ntk_pullback(grad[0], none, net, X(), nth_cmat_of(S, N, N)));
        NTH_CHECK_OK(nth_ntk_outputs_pullback(grad[1], none, net, kind, X(), nth_cmat_of(S, N, N)));
        NTH_CHECK(memcmp(grad[0], grad[1], (size_t)nth_net_parameters(net) * sizeof(double)) == 0);
        nth_net_destroy(&net);
    }
}

/* The kernel that the derivative passes by, and all of it on any number of threads. */
static void same_bits(void)
{
    const int threads[3] = { 1, 3, 7 }, before = nth_priv_threads();
    for (int number = 0; number < 2 * NETS; ++number) {
        static double grad[3][MAX_P], k[2][N * N], S[N * N];
        char          name[64];
        nth_net      *net = make_net(number % NETS, C, name);
        nth_blocks    B = { .train = nth_mat_of(k[0], N, N) };
        for (int i = 0; i < N * N; ++i) S[i] = sin((double)(i / N + i % N));
        NTH_CHECK_OK(nth_ntk_outputs(&B, net, kinds[number / NETS], X(), (nth_cmat){ 0 }));
        for (int t = 0; t < 3; ++t) {
            nth_priv_set_threads(threads[t]);
            NTH_CHECK_OK(nth_ntk_outputs_pullback(grad[t], nth_mat_of(k[1], N, N), net, kinds[number / NETS], X(), nth_cmat_of(S, N, N)));
            NTH_CHECK(memcmp(grad[t], grad[0], (size_t)nth_net_parameters(net) * sizeof(double)) == 0);
            NTH_CHECK(memcmp(k[0], k[1], sizeof k[0]) == 0);
        }
        nth_priv_set_threads(before);
        nth_net_destroy(&net);
    }
}

/* ---- Training --------------------------------------------------------------------------------------- */

static nth_kare_options options(nth_outputs kind, ptrdiff_t steps, ptrdiff_t batch)
{
    return (nth_kare_options){ .z = 0.05, .outputs = kind, .rule = { NTH_OPTIMIZER_SGD, .learning_rate = 2.0 }, .steps = steps, .batch = batch, .every = 1, .seed = 9 };
}

/* Steps by the separate functions; the last point's test risk by the solution P/n. */
static void steps_are_the_formula(void)
{
    for (int number = 0; number < 2 * NETS; ++number) {
        static double          theta[MAX_P], want[MAX_P], grad[MAX_P];
        char                   name[64];
        const nth_kare_options opt = options(kinds[number / NETS], 3, 0);
        nth_net               *net = make_net(number % NETS, C, name), *twin = make_net(number % NETS, C, name);
        const ptrdiff_t        P = nth_net_parameters(net);
        nth_kare_point         point[4];
        nth_kare_curve         curve = { .point = point };
        double                 k[N * N], kt[K * N], solution[N * C], risk = 0.0;
        nth_blocks             B = { nth_mat_of(k, N, N), nth_mat_of(kt, K, N), none };
        nth_kare               kare;
        for (int s = 0; s < 3; ++s) {
            kare_gradient(grad, twin, opt.outputs, opt.z);
            NTH_CHECK_OK(nth_net_get_parameters(want, twin));
            for (ptrdiff_t p = 0; p < P; ++p) want[p] -= opt.rule.learning_rate * grad[p];
            NTH_CHECK_OK(nth_net_set_parameters(twin, want));
        }
        NTH_CHECK_OK(nth_kare_train(&curve, net, X(), Y(), X_test(), nth_cmat_of(y + N * C, K, C), &opt));
        NTH_CHECK_OK(nth_net_get_parameters(theta, net));
        for (ptrdiff_t p = 0; p < P; ++p) NTH_CHECK_CLOSE(theta[p], want[p], 0.0, 1e-12);
        NTH_CHECK(point[3].kare < point[0].kare);
        NTH_CHECK_OK(nth_ntk_outputs(&B, net, opt.outputs, X(), X_test()));
        NTH_CHECK_OK(nth_kare_evaluate(&kare, nth_mat_of(solution, N, C), none, none, nth_const(B.train), Y(), opt.z));
        for (int i = 0; i < K; ++i)
            for (int c = 0; c < C; ++c) {
                double f = 0.0;
                for (int j = 0; j < N; ++j) f += kt[i * N + j] * solution[j * C + c] / N;
                risk += pow(f - y[(N + i) * C + c], 2.0) / (K * C);
            }
        NTH_CHECK_CLOSE(point[3].kare, kare.kare, 1e-14, 0.0);
        NTH_CHECK_CLOSE(point[3].test_risk, risk, 1e-12, 0.0);
        nth_net_destroy(&net);
        nth_net_destroy(&twin);
    }
}

/* Gradient descent on the kernel of the sum is that of one output, read-out sum_c w_c / sqrt C, times sqrt C, or at ridge z/C (E96);
 * in batches, too. */
static void the_sum_is_a_network_of_one_output(void)
{
    for (int run = 0; run < 4; ++run) {
        char                   name[64];
        const nth_kare_options opt = options(NTH_OUTPUTS_SUM, 6, run < 2 ? 0 : 5);
        nth_kare_options       same = opt;
        nth_net               *net = make_net(3, C, name), *one = NULL;
        nth_net_config         cfg = net->cfg;
        nth_kare_point         point[2][8];
        nth_kare_curve         curve[2] = { { .point = point[0] }, { .point = point[1] } };
        const ptrdiff_t        q = cfg.widths[cfg.layers - 1];
        cfg.widths[cfg.layers] = 1, cfg.output_scale = run % 2 == 0 ? sqrt(C) : 1.0;
        if (run % 2 == 1) same.z = opt.z / C;
        if (!NTH_CHECK_OK(nth_net_create(&one, &cfg, true))) return;
        for (int l = 0; l < cfg.layers - 1; ++l) {
            nth_mat_copy(one->W[0][l], nth_const(net->W[0][l]));
            memcpy(one->b[0][l], net->b[0][l], (size_t)net->W[0][l].rows * sizeof(double));
        }
        for (int c = 0; c < C; ++c) {
            for (ptrdiff_t r = 0; r < q; ++r) one->W[0][cfg.layers - 1].a[r] += net->W[0][cfg.layers - 1].a[c * q + r] / sqrt(C);
            one->b[0][cfg.layers - 1][0] += net->b[0][cfg.layers - 1][c] / sqrt(C);
        }
        NTH_CHECK_OK(nth_kare_train(&curve[0], net, X(), Y(), none_c(), none_c(), &opt));
        NTH_CHECK_OK(nth_kare_train(&curve[1], one, X(), Y(), none_c(), none_c(), &same));
        for (int s = 0; s <= 6; ++s) NTH_CHECK_CLOSE(point[0][s].kare, point[1][s].kare, 1e-12, 0.0);
        NTH_CHECK(fabs(point[0][6].kare / point[0][0].kare - 1.0) > 1e-3);
        nth_net_destroy(&net);
        nth_net_destroy(&one);
    }
}

/* Gradient of the square loss of several outputs by loops; an epoch in one batch is a step of it; outputs. */
static void the_network_itself(void)
{
    worst far = { 0 };
    for (int number = 0; number < NETS - 1; ++number) {
        static double        want[MAX_P], got[MAX_P], g[MAX_P], theta[MAX_P], after[MAX_P];
        char                 name[64];
        nth_net             *net = make_net(number, C, name), *trained = NULL;
        const ptrdiff_t      P = nth_net_parameters(net);
        nth_optimize        *o = NULL;
        nth_optimize_options opt = { .rule = nth_optimizer_defaults(NTH_OPTIMIZER_SGD), .batch = N };
        double               loss, sum = 0.0, f[(N + K) * C], outputs[(N + K) * C];
        opt.rule.learning_rate = 0.3;
        memset(want, 0, sizeof want);
        for (int i = 0; i < N; ++i)
            for (int c = 0; c < C; ++c) {
                const double r = gradient_of(g, net, x + i * D, c) - y[i * C + c];
                sum += r * r / (2.0 * N);
                for (ptrdiff_t p = 0; p < P; ++p) want[p] += r * g[p] / N;
            }
        NTH_CHECK_OK(nth_optimize_gradient(got, &loss, net, X(), y, NTH_PRECISION_DOUBLE));
        NTH_CHECK_CLOSE(loss, sum, 1e-13, 0.0);
        for (ptrdiff_t p = 0; p < P; ++p) worst_see(&far, fabs(got[p] - want[p]), name);
        NTH_CHECK_OK(nth_net_get_parameters(theta, net));
        if (!NTH_CHECK_OK(nth_optimize_create(&o, net, X(), y, &opt))) return;
        NTH_CHECK_OK(nth_optimize_epoch(o, &loss));
        NTH_CHECK_CLOSE(loss, sum, 1e-13, 0.0);
        NTH_CHECK_OK(nth_optimize_net(o, &trained));
        NTH_CHECK_OK(nth_net_get_parameters(after, trained));
        for (ptrdiff_t p = 0; p < P; ++p) worst_see(&far, fabs(after[p] - theta[p] + 0.3 * want[p]), name);
        NTH_CHECK_OK(nth_optimize_outputs(o, nth_cmat_of(x, N + K, D), outputs)); /* more rows than the batch */
        for (int i = 0; i < N + K; ++i)
            for (int c = 0; c < C; ++c) f[i * C + c] = gradient_of(g, trained, x + i * D, c);
        for (int i = 0; i < (N + K) * C; ++i) worst_see(&far, fabs(outputs[i] - f[i]), name);
        nth_optimize_destroy(&o);
        nth_net_destroy(&net);
        nth_net_destroy(&trained);
    }
    worst_check(&far, "training of the network", 1e-13);
}

/* ---- Bad input, memory ------------------------------------------------------------------------------ */

static void bad_input(void)
{
    char        name[64];
    double      k[N * N], grad[MAX_P], f[N];
    nth_net    *net = make_net(2, C, name);
    nth_blocks  B = { .train = nth_mat_of(k, N, N) };
    nth_flow   *flow = NULL;
    const nth_flow_options flowing = { .stepper = NTH_STEPPER_COLLOCATION, .rtol = 1e-8 };
    nth_kare_point   point[4];
    nth_kare_curve   curve = { .point = point };
    nth_kare_options opt = options((nth_outputs)2, 2, 0);
    memset(k, 0, sizeof k), memset(f, 0, sizeof f);
    NTH_CHECK_STATUS(nth_ntk_outputs(&B, net, (nth_outputs)2, X(), none_c()), NTH_E_ARG);
    NTH_CHECK_MESSAGE("kernel of outputs 2 is not in the list");
    NTH_CHECK_STATUS(nth_ntk_outputs_pullback(grad, none, net, (nth_outputs)-1, X(), nth_cmat_of(k, N, N)), NTH_E_ARG);
    NTH_CHECK_STATUS(nth_kare_train(&curve, net, X(), Y(), none_c(), none_c(), &opt), NTH_E_ARG);
    NTH_CHECK_STATUS(nth_ntk_empirical(&B, net, X(), none_c()), NTH_E_ARG);
    NTH_CHECK_MESSAGE("the network has 3 outputs; one is expected");
    NTH_CHECK_STATUS(nth_ntk_pullback(grad, none, net, X(), nth_cmat_of(k, N, N)), NTH_E_ARG);
    NTH_CHECK_STATUS(nth_flow_create(&flow, net, X(), none_c(), f, &flowing), NTH_E_ARG);
    NTH_CHECK_MESSAGE("the network has 3 outputs; one is expected");
    nth_net_destroy(&net);
}

/* 200,000 inputs of a million neurons: three arrays of 1.6 TB, told before the first is asked for. */
static void too_wide_is_refused(void)
{
    enum { MANY = 200000 };
    const nth_net_config cfg = { .activation = NTH_ACT_RELU, .layers = 2, .widths = { 1, 1000000, 1 }, .sigma_w = 1.0 };
    nth_net             *net = NULL;
    nth_blocks           none_asked = { 0 };
    double              *inputs = calloc(MANY, sizeof *inputs);
    if (!NTH_CHECK(inputs != NULL) || !NTH_CHECK_OK(nth_net_create(&net, &cfg, true))) return;
    NTH_CHECK_CLOSE(nth_ntk_work_bytes(&cfg, MANY, 0), 8.0 * (MANY * (3e6 + 3.0 * MANY) + 1e6), 1e-12, 0.0);
    const long live = nth_test_live_blocks;
    NTH_CHECK_STATUS(nth_ntk_empirical(&none_asked, net, nth_cmat_of(inputs, MANY, 1), none_c()), NTH_E_NOMEM);
    NTH_CHECK_MESSAGE("the empirical tangent kernel needs 5760.01 GB of memory");
    NTH_CHECK_STATUS(nth_ntk_outputs(&none_asked, net, NTH_OUTPUTS_TRACE, nth_cmat_of(inputs, MANY, 1), none_c()), NTH_E_NOMEM);
    NTH_CHECK(nth_test_live_blocks == live);
    nth_net_destroy(&net);
    free(inputs);
}

static nth_outputs oom_kind;
static nth_net    *oom_net;
static nth_status build(void)
{
    double                 grad[MAX_P], k[N * N], kt[K * N], S[N * N] = { 0 };
    nth_blocks             B = { nth_mat_of(k, N, N), nth_mat_of(kt, K, N), none };
    const nth_kare_options opt = options(oom_kind, 1, 5);
    nth_kare_point         point[4];
    nth_kare_curve         curve = { .point = point };
    nth_status             st = nth_ntk_outputs(&B, oom_net, oom_kind, X(), X_test());
    if (st == NTH_OK) st = nth_ntk_outputs_pullback(grad, none, oom_net, oom_kind, X(), nth_cmat_of(S, N, N));
    if (st == NTH_OK) st = nth_kare_train(&curve, oom_net, X(), Y(), X_test(), nth_cmat_of(y + N * C, K, C), &opt);
    return st;
}

static void survives_oom(void)
{
    char name[64];
    for (int k = 0; k < 2; ++k) {
        oom_kind = kinds[k], oom_net = make_net(5, C, name); /* three layers, biases, doubled */
        nth_test_every_allocation_fails(build);
        nth_net_destroy(&oom_net);
    }
}

int main(void)
{
    make_data();
    return nth_test_main("heads", (nth_test_case[]){ { "kernels_are_loops_over_outputs", kernels_are_loops_over_outputs },
                                                     { "gradients_are_differences", gradients_are_differences },
                                                     { "one_output_has_the_same_bits", one_output_has_the_same_bits },
                                                     { "same_bits", same_bits },
                                                     { "steps_are_the_formula", steps_are_the_formula },
                                                     { "the_sum_is_a_network_of_one_output", the_sum_is_a_network_of_one_output },
                                                     { "the_network_itself", the_network_itself },
                                                     { "bad_input", bad_input },
                                                     { "too_wide_is_refused", too_wide_is_refused },
                                                     { "survives_oom", survives_oom },
                                                     { 0 } });
}
