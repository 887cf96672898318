/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Standard parameterization (E110): factors, initialization, kernels of the hierarchy against the slow
 * twin, the kernel as rescaled layer parts of a network in NTK parameterization, the flow, the file.
 */
#include "nth_test.h"
#include "shapes.h"

#include "nth/rng.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

enum { N = 4, D = 3 };
static double X[N * D], y[N] = { 1, -1, 1, -1 };

static void inputs(void) { nth_rand_normals(X, N * D, 5, NTH_STREAM_INPUTS, 0, 0); }

static nth_net_config shape_of(nth_activation act, int layers, double sigma_b, bool doubled)
{
    nth_net_config cfg = { .activation = act, .layers = layers, .widths = { D, 7, 5, 6, 1 }, .sigma_w = 1.0, .sigma_b = sigma_b,
                           .doubled = doubled, .parameterization = NTH_PARAMETERIZATION_STANDARD };
    cfg.widths[layers] = 1;
    return cfg;
}

static void factors_and_refusals(void)
{
    nth_net_config cfg = shape_of(NTH_ACT_TANH, 3, 1.0, false);
    nth_net       *net = NULL;
    for (int l = 1; l <= 3; ++l) NTH_CHECK(nth_net_factor(&cfg, l) == 1.0);
    cfg.input_scale = NTH_INPUT_ONE; /* has no meaning here */
    NTH_CHECK(nth_net_factor(&cfg, 1) == 1.0);
    cfg.sigma_w = 1.5;
    NTH_CHECK_STATUS(nth_net_create(&net, &cfg, true), NTH_E_ARG);
    NTH_CHECK_MESSAGE("sigma_w = 1.5, sigma_b = 1; standard parameterization has 1, and 1 or 0 for no biases");
    cfg.sigma_w = 1.0, cfg.sigma_b = 0.5;
    NTH_CHECK_STATUS(nth_net_create(&net, &cfg, true), NTH_E_ARG);
    double         K[N * N];
    nth_blocks     blocks = { .train = nth_mat_of(K, N, N) };
    cfg = shape_of(NTH_ACT_TANH, 3, 1.0, false);
    inputs();
    NTH_CHECK_STATUS(nth_ntk_infinite(&blocks, &cfg, nth_cmat_of(X, N, D), (nth_cmat){ 0 }), NTH_E_ARG);
    NTH_CHECK_MESSAGE("this network has the standard one");
}

/* Uniform within 1/sqrt(fan-in): bounds, mean, variance 1/(3 fan-in), addresses. */
static void initialization(void)
{
    const nth_net_config cfg = { .activation = NTH_ACT_RELU, .layers = 3, .widths = { 50, 200, 100, 1 }, .sigma_w = 1.0,
                                 .sigma_b = 1.0, .parameterization = NTH_PARAMETERIZATION_STANDARD };
    nth_net             *net = NULL, *drawn = NULL;
    if (!NTH_CHECK_OK(nth_net_create(&net, &cfg, true))) return;
    nth_net_init_framework(net, 3, 1);
    for (int l = 1; l <= 2; ++l) {
        const nth_mat W = net->W[0][l - 1];
        const double  q = (double)W.cols, count = (double)(W.rows * W.cols);
        double        mean = 0.0, square = 0.0, most = 0.0;
        for (ptrdiff_t i = 0; i < W.rows * W.cols; ++i) {
            mean += W.a[i] / count, square += W.a[i] * W.a[i] / count;
            most = nth_worst(most, fabs(W.a[i]));
        }
        /* six standard errors; the square of a uniform number on (-1,1) has variance 4/45 */
        NTH_CHECK_CLOSE(mean, 0.0, 0.0, 6.0 / sqrt(3.0 * q * count));
        NTH_CHECK_CLOSE(3.0 * q * square, 1.0, 0.0, 6.0 * 3.0 * sqrt(4.0 / 45.0 / count));
        NTH_CHECK(most < 1.0 / sqrt(q) && most > 0.99 / sqrt(q));
    }
    NTH_CHECK_CLOSE(net->W[0][1].a[3], (2.0 * nth_rand_uniform(3, NTH_STREAM_WEIGHTS, 1, ((uint64_t)2 << 48) + 3) - 1.0) / sqrt(200.0), 4e-16, 0.0);
    NTH_CHECK_CLOSE(net->b[0][0][4], (2.0 * nth_rand_uniform(3, NTH_STREAM_BIASES, 1, ((uint64_t)1 << 48) + 4) - 1.0) / sqrt(50.0), 4e-16, 0.0);
    /* A first layer that is drawn when it is needed is the same one. */
    static double x[50], A[1], B[1];
    nth_rand_normals(x, 50, 1, NTH_STREAM_INPUTS, 0, 0);
    nth_blocks a = { .train = nth_mat_of(A, 1, 1) }, b = { .train = nth_mat_of(B, 1, 1) };
    if (NTH_CHECK_OK(nth_net_create(&drawn, &cfg, false))) {
        nth_net_init_framework(drawn, 3, 1);
        NTH_CHECK_OK(nth_ntk_empirical(&a, net, nth_cmat_of(x, 1, 50), (nth_cmat){ 0 }));
        NTH_CHECK_OK(nth_ntk_empirical(&b, drawn, nth_cmat_of(x, 1, 50), (nth_cmat){ 0 }));
        NTH_CHECK_CLOSE(A[0], B[0], 1e-13, 0.0);
    }
    nth_net_destroy(&net);
    nth_net_destroy(&drawn);
}

/* K2, K3[v], K4[u,v] against differences of exact gradients, smooth activations of all depths. */
static void kernels_match_twin(void)
{
    static const double bound[5] = { 0, 0, 1e-13, 1e-12, 1e-11 };
    worst               err[5] = { 0 }, blur = { 0 }; /* blur: what rounding leaves of the twin */
    const double        u[N] = { 1, -2, 0.5, 0.7 }, v[N] = { 0.3, 1, -1, 0.2 };
    const double *const dirs[2] = { u, v };
    inputs();
    for (int number = 0; number < 24; ++number) {
        const nth_activation act = (nth_activation[]){ NTH_ACT_TANH, NTH_ACT_GELU }[number / 12];
        const nth_net_config cfg = shape_of(act, 2 + number % 3, number / 3 % 2, number / 6 % 2);
        nth_net             *net = NULL;
        ref_net              ref;
        double               K[N * N];
        ref_real             R[N * N];
        nth_blocks           blocks = { .train = nth_mat_of(K, N, N) };
        const ref_points     pts = { .X = X, .n = N, .rows = N };
        if (!NTH_CHECK_OK(nth_net_create(&net, &cfg, true))) return;
        nth_net_init_framework(net, 7, (uint32_t)number);
        ref_read(&ref, net);
        for (int order = 2; order <= 4; ++order) {
            double most = 0.0;
            if (order == 2) NTH_CHECK_OK(nth_ntk_empirical(&blocks, net, nth_cmat_of(X, N, D), (nth_cmat){ 0 }));
            else NTH_CHECK_OK(nth_hier_contract(&blocks, net, nth_cmat_of(X, N, D), (nth_cmat){ 0 }, order, dirs));
            ref_order(&ref, order);
            ref_contract(R, &ref, ref.theta, pts, order - 2, dirs);
            for (int i = 0; i < N * N; ++i) most = nth_worst(most, fabs((double)R[i]));
            const double noise = ref_noise(&ref, pts, order - 2, dirs);
            if (most > 1e-12) worst_see(&blur, noise / most, "standard");
            for (int i = 0; i < N * N && most > 1e-12; ++i)
                worst_see(&err[order], (fabs(K[i] - (double)R[i]) - noise) / most, "standard");
        }
        nth_net_destroy(&net);
    }
    worst_check(&blur, "rounding of the twin", 1e-11);
    for (int order = 2; order <= 4; ++order) {
        char what[32];
        snprintf(what, sizeof what, "K%d", order);
        worst_check(&err[order], what, bound[order]);
    }
}

static bool layer_part(double *K, nth_net *net, int l)
{
    nth_blocks blocks = { .train = nth_mat_of(K, N, N) };
    net->cfg.frozen = (1u << net->cfg.layers) - 1u - (1u << (l - 1));
    const bool fine = NTH_CHECK_OK(nth_ntk_empirical(&blocks, net, nth_cmat_of(X, N, D), (nth_cmat){ 0 }));
    net->cfg.frozen = 0;
    return fine;
}

/* The same function with weights c_l W: K_standard = sum_l K_NTK,l / c_l^2, layer by layer. */
static void layers_rescale(void)
{
    const nth_net_config std_cfg = shape_of(NTH_ACT_ERF, 4, 0.0, false);
    nth_net_config       cfg = std_cfg;
    nth_net             *a = NULL, *b = NULL;
    double               part[N * N], sum[N * N] = { 0 }, K[N * N];
    nth_blocks           blocks = { .train = nth_mat_of(K, N, N) };
    inputs();
    cfg.parameterization = NTH_PARAMETERIZATION_NTK, cfg.sigma_w = 1.3;
    if (!NTH_CHECK_OK(nth_net_create(&a, &cfg, true)) || !NTH_CHECK_OK(nth_net_create(&b, &std_cfg, true))) goto done;
    nth_net_init_gaussian(a, 2, 0);
    for (int l = 1; l <= 4; ++l) {
        const double c = nth_net_factor(&cfg, l);
        for (ptrdiff_t i = 0; i < a->W[0][l - 1].rows * a->W[0][l - 1].cols; ++i) b->W[0][l - 1].a[i] = c * a->W[0][l - 1].a[i];
        if (!layer_part(part, a, l)) goto done;
        for (int i = 0; i < N * N; ++i) sum[i] += part[i] / (c * c);
    }
    NTH_CHECK_OK(nth_ntk_empirical(&blocks, b, nth_cmat_of(X, N, D), (nth_cmat){ 0 }));
    for (int i = 0; i < N * N; ++i) NTH_CHECK_CLOSE(K[i], sum[i], 1e-13, 1e-13 * sum[0]);
done:
    nth_net_destroy(&a);
    nth_net_destroy(&b);
}

/* dLoss/dt = -r^T K r / n^2 at t = 0, by a difference of order 2 (E6, E7). */
static void flow_runs(void)
{
    const nth_net_config   cfg = shape_of(NTH_ACT_TANH, 3, 1.0, false);
    const nth_flow_options opt = { .stepper = NTH_STEPPER_COLLOCATION, .rtol = 1e-12 };
    nth_net               *net = NULL, *end = NULL;
    nth_flow              *flow = NULL;
    double                 K[N * N], f[N], loss[3], h = 1e-3, slope = 0.0;
    nth_blocks             blocks = { .train = nth_mat_of(K, N, N) };
    inputs();
    if (!NTH_CHECK_OK(nth_net_create(&net, &cfg, true))) return;
    nth_net_init_framework(net, 9, 0);
    if (!NTH_CHECK_OK(nth_flow_create(&flow, net, nth_cmat_of(X, N, D), (nth_cmat){ 0 }, y, &opt))) goto done;
    for (int k = 0; k < 3; ++k) {
        NTH_CHECK_OK(nth_flow_advance(flow, h * k));
        NTH_CHECK_OK(nth_flow_loss(flow, &loss[k]));
        if (k > 0) continue;
        NTH_CHECK_OK(nth_ntk_flow(&blocks, flow));
        NTH_CHECK_OK(nth_flow_outputs(flow, f));
    }
    for (int i = 0; i < N; ++i)
        for (int j = 0; j < N; ++j) slope -= (f[i] - y[i]) * K[i * N + j] * (f[j] - y[j]) / (N * N);
    /* remainder h^2 Loss'''/3 with rates of order max K < 10 */
    NTH_CHECK_CLOSE((-3.0 * loss[0] + 4.0 * loss[1] - loss[2]) / (2.0 * h), slope, 1e-4, 0.0);
    NTH_CHECK_OK(nth_flow_net(flow, nth_cmat_of(X, N, D), &end));
    NTH_CHECK(end->cfg.parameterization == NTH_PARAMETERIZATION_STANDARD);
done:
    nth_flow_destroy(&flow);
    nth_net_destroy(&net);
    nth_net_destroy(&end);
}

/* f is s times, K2 s^2 times, K3[u] s^3 times that of the net without. */
static void output_scales(void)
{
    const double        u[N] = { 1, -2, 0.5, 0.7 }, *const dirs[1] = { u };
    double              K[2][N * N], K3[2][N * N];
    inputs();
    for (int scaled = 0; scaled < 2; ++scaled) {
        nth_net_config cfg = shape_of(NTH_ACT_TANH, 3, 1.0, true);
        nth_net       *net = NULL;
        nth_blocks     two = { .train = nth_mat_of(K[scaled], N, N) }, three = { .train = nth_mat_of(K3[scaled], N, N) };
        cfg.output_scale = scaled ? 0.5 : 0.0;
        if (!NTH_CHECK_OK(nth_net_create(&net, &cfg, true))) return;
        nth_net_init_framework(net, 3, 0);
        net->W[1][1].a[0] += 0.25; /* doubled nets have K3 = 0 at the start */
        NTH_CHECK_OK(nth_ntk_empirical(&two, net, nth_cmat_of(X, N, D), (nth_cmat){ 0 }));
        NTH_CHECK_OK(nth_hier_contract(&three, net, nth_cmat_of(X, N, D), (nth_cmat){ 0 }, 3, dirs));
        nth_net_destroy(&net);
    }
    for (int i = 0; i < N * N; ++i) {
        NTH_CHECK_CLOSE(K[1][i], 0.25 * K[0][i], 1e-14, 0.0);
        NTH_CHECK_CLOSE(K3[1][i], 0.125 * K3[0][i], 1e-12, 1e-14);
    }
    NTH_CHECK(fabs(K3[0][1]) > 1e-4);
    nth_net       *net = NULL;
    nth_net_config bad = shape_of(NTH_ACT_TANH, 3, 1.0, true);
    bad.output_scale = -1.0;
    NTH_CHECK_STATUS(nth_net_create(&net, &bad, true), NTH_E_ARG);
}

static void file_keeps_it(void)
{
    nth_net_config       cfg = shape_of(NTH_ACT_TANH, 2, 1.0, true);
    nth_net             *net = NULL, *back = NULL;
    nth_file            *f = NULL;
    const char           path[] = "nth_test_standard.h5";
    cfg.output_scale = 0.25;
    if (!NTH_CHECK_OK(nth_net_create(&net, &cfg, true))) return;
    nth_net_init_framework(net, 1, 0);
    if (NTH_CHECK_OK(nth_file_create(&f, path, &(nth_provenance){ .command_line = "test", .config = "{}" })) &&
        NTH_CHECK_OK(nth_net_write(net, f, "")) && NTH_CHECK_OK(nth_file_commit(&f)) && NTH_CHECK_OK(nth_file_open(&f, path)) &&
        NTH_CHECK_OK(nth_net_read(&back, f))) {
        NTH_CHECK(back->cfg.parameterization == NTH_PARAMETERIZATION_STANDARD && back->cfg.sigma_b == 1.0);
        NTH_CHECK(back->out_scale[1] == net->out_scale[1] && net->out_scale[1] == -0.25 * sqrt(0.5));
        NTH_CHECK(memcmp(back->b[1][0], net->b[1][0], 7 * sizeof(double)) == 0);
    }
    nth_file_close(&f);
    (void)remove(path);
    nth_net_destroy(&net);
    nth_net_destroy(&back);
}

int main(void)
{
    return nth_test_main("standard", (nth_test_case[]){ { "factors_and_refusals", factors_and_refusals },
                                                        { "initialization", initialization },
                                                        { "kernels_match_twin", kernels_match_twin },
                                                        { "layers_rescale", layers_rescale },
                                                        { "flow_runs", flow_runs },
                                                        { "output_scales", output_scales },
                                                        { "file_keeps_it", file_keeps_it },
                                                        { 0 } });
}
