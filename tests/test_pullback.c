/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * The derivative of sum_ij S_ij K2_ij by the parameters (E98): against its definition by Hessians in long
 * double, against K3 by jets, against differences of KARE at sizes where products are tiled; frozen
 * layers, views with gaps, threads, memory.
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

enum { GAP = 3, LD = REF_MAX_ROWS + GAP };
static const nth_mat none = { 0 };

/* Random symmetric weights (n x n), NaN between the rows. */
static nth_mat weights(double *S, ptrdiff_t n, ptrdiff_t ld, uint32_t run)
{
    memset(S, 0xff, (size_t)(n * ld) * sizeof *S);
    for (ptrdiff_t i = 0; i < n; ++i) {
        nth_rand_normals(S + i * ld, i + 1, 41, NTH_STREAM_TEST, run, (uint64_t)(1000 * i));
        for (ptrdiff_t j = 0; j < i; ++j) S[j * ld + i] = S[i * ld + j];
    }
    return (nth_mat){ S, n, n, ld };
}

/* 2 sum_i H_i G(S_i.) of the twin, without the parameters that do not train. */
static int definition(double *want, const shape *s, nth_mat S)
{
    ref_real sum[REF_MAX_P] = { 0 }, G[REF_MAX_P], h[REF_MAX_P];
    int      P = 0;
    for (int i = 0; i < s->n; ++i) {
        ref_direction(G, &s->ref, s->ref.theta, s->pts, S.a + i * S.ld);
        ref_hessian_vector(h, &s->ref, s->X + 3 * i, G);
        for (int p = 0; p < s->ref.P; ++p) sum[p] += 2 * h[p];
    }
    for (int p = 0; p < s->ref.P; ++p)
        if (s->ref.trains[p]) want[P++] = (double)sum[p];
    return P;
}

static double error_of(const double *got, const double *want, int P)
{
    double far = 0.0, largest = 1e-3; /* a read-out alone has derivative 0 */
    for (int p = 0; p < P; ++p) far = nth_worst(far, fabs(got[p] - want[p])), largest = fmax(largest, fabs(want[p]));
    return far / largest;
}

static void is_the_definition(void)
{
    worst far = { 0 };
    for (int number = 0; number < shape_count(); ++number) {
        static double want[REF_MAX_P], grad[REF_MAX_P];
        double        S[REF_MAX_ROWS * LD];
        shape         s;
        if (!shape_open(&s, number)) return;
        const nth_mat Sv = weights(S, s.n, LD, (uint32_t)number);
        const int     P = definition(want, &s, Sv);
        NTH_CHECK(P == nth_net_parameters(s.net));
        NTH_CHECK_OK(nth_ntk_pullback(grad, none, s.net, shape_train(&s), nth_const(Sv)));
        worst_see(&far, error_of(grad, want, P), s.name);
        shape_close(&s);
    }
    worst_check(&far, "2 sum_i H_i G(S_i.)", 1e-12);
}

/* Every set of frozen layers of nets of four layers, single and doubled. */
static void frozen_layers(void)
{
    worst     far = { 0 };
    const int number = 24 * NTH_ACT_ERF + 16 + 4; /* erf, L = 4, biases; the next one is doubled */
    for (unsigned frozen = 0; frozen < 32; ++frozen) {
        static double want[REF_MAX_P], grad[REF_MAX_P];
        double        S[REF_MAX_ROWS * LD];
        shape         s;
        if (!shape_open(&s, number + (int)(frozen & 1u))) return;
        NTH_CHECK(s.net->cfg.layers == 4 && s.net->cfg.sigma_b > 0.0);
        s.net->cfg.frozen = frozen >> 1;
        ref_read(&s.ref, s.net);
        const nth_mat Sv = weights(S, s.n, LD, frozen);
        const int     P = definition(want, &s, Sv);
        NTH_CHECK(P == nth_net_parameters(s.net));
        NTH_CHECK_OK(nth_ntk_pullback(grad, none, s.net, shape_train(&s), nth_const(Sv)));
        worst_see(&far, P > 0 ? error_of(grad, want, P) : 0.0, s.name);
        shape_close(&s);
    }
    worst_check(&far, "frozen layers", 1e-12);
}

/* <grad, G(v)> = sum_ij S_ij K3[v]_ij, K3 by jets; G(v) = derivative of sum_i v_i f(x_i), by the twin. */
static void is_the_third_kernel(void)
{
    worst far = { 0 };
    for (int number = 0; number < shape_count(); number += 5) {
        static double   grad[REF_MAX_P];
        static ref_real G[REF_MAX_P];
        double          S[REF_MAX_ROWS * LD], K3[REF_MAX_ROWS * REF_MAX_ROWS], got = 0.0, want = 0.0, scale = 0.0;
        const double   *v[1];
        shape           s;
        if (!shape_open(&s, number)) return;
        const nth_mat Sv = weights(S, s.n, LD, (uint32_t)number);
        nth_blocks    B = { .train = nth_mat_of(K3, s.n, s.n) };
        v[0] = s.v[0];
        NTH_CHECK_OK(nth_ntk_pullback(grad, none, s.net, shape_train(&s), nth_const(Sv)));
        NTH_CHECK_OK(nth_hier_contract(&B, s.net, shape_train(&s), (nth_cmat){ 0 }, 3, v));
        ref_direction(G, &s.ref, s.ref.theta, s.pts, s.v[0]);
        for (int p = 0; p < s.ref.P; ++p) got += grad[p] * (double)G[p], scale += fabs(grad[p] * (double)G[p]);
        for (int i = 0; i < s.n; ++i)
            for (int j = 0; j < s.n; ++j) want += S[i * LD + j] * K3[i * s.n + j];
        worst_see(&far, fabs(got - want) / fmax(scale, 1e-300), s.name);
        shape_close(&s);
    }
    worst_check(&far, "<grad, G(v)> against K3[v]", 1e-13);
}

/* ---- At larger sizes ----------------------------------------------------------------------------- */

enum { N = 150, D = 9, WIDE = 70 };
static double inputs[N * (D + 2)], labels[N * 2];

static nth_cmat big_inputs(void)
{
    memset(inputs, 0xff, sizeof inputs);
    for (ptrdiff_t i = 0; i < N; ++i) nth_rand_normals(inputs + i * (D + 2), D, 42, NTH_STREAM_TEST, 0, (uint64_t)(1000 * i));
    for (ptrdiff_t i = 0; i < N; ++i) labels[2 * i] = sin(2.0 * inputs[i * (D + 2)]), labels[2 * i + 1] = inputs[i * (D + 2) + 1] > 0.0 ? 1.0 : -1.0;
    return (nth_cmat){ inputs, N, D, D + 2 };
}

static nth_net_config big_config(nth_activation act, int layers, double sigma_b, bool doubled)
{
    nth_net_config cfg = { .activation = act, .layers = layers, .widths = { D, WIDE, 45, WIDE, 31 }, .sigma_w = 1.2,
                           .sigma_b = sigma_b, .doubled = doubled };
    cfg.widths[layers] = 1;
    return cfg;
}

static double kare_of(const nth_net *net, nth_mat K, double z)
{
    nth_kare   k = { .kare = NAN };
    nth_blocks B = { .train = K };
    NTH_CHECK_OK(nth_ntk_empirical(&B, net, big_inputs(), (nth_cmat){ 0 }));
    NTH_CHECK_OK(nth_kare_evaluate(&k, none, none, none, nth_const(K), nth_cmat_of(labels, N, 2), z));
    return k.kare;
}

/* Central difference of order 4 of KARE along w; theta is put back. */
static double difference(nth_net *net, const double *theta, const double *w, ptrdiff_t P, nth_mat K, double z, double h)
{
    static const double weight[4] = { 1.0, -8.0, 8.0, -1.0 }, offset[4] = { -2.0, -1.0, 1.0, 2.0 };
    double             *moved = malloc((size_t)P * sizeof *moved), sum = 0.0;
    for (int s = 0; s < 4 && moved != NULL; ++s) {
        for (ptrdiff_t p = 0; p < P; ++p) moved[p] = theta[p] + offset[s] * h * w[p];
        NTH_CHECK_OK(nth_net_set_parameters(net, moved));
        sum += weight[s] * kare_of(net, K, z) / (12.0 * h);
    }
    free(moved);
    NTH_CHECK_OK(nth_net_set_parameters(net, theta));
    return sum;
}

/* Along the gradient itself, and along a random direction. */
static void kare_differences(void)
{
    static double K[N * N], S[N * N];
    worst         far = { 0 };
    const double  z = 0.1;
    for (int number = 0; number < 14; ++number) {
        static const nth_activation smooth[] = { NTH_ACT_TANH, NTH_ACT_GELU, NTH_ACT_ERF, NTH_ACT_SOFTPLUS, NTH_ACT_SIN, NTH_ACT_QUADRATIC, NTH_ACT_LINEAR };
        const nth_net_config cfg = big_config(smooth[number % 7], 2 + number % 4, number / 7 ? 0.4 : 0.0, number % 5 == 4);
        nth_net             *net = random_net(&cfg, (uint32_t)number);
        const ptrdiff_t      P = nth_net_parameters(net);
        double              *theta = calloc((size_t)(3 * P), sizeof *theta), *grad = theta + P, *w = grad + P, along = 0.0, square = 0.0;
        const nth_mat        Kv = nth_mat_of(K, N, N), Sv = nth_mat_of(S, N, N);
        char                 name[64];
        nth_kare             k;
        if (!NTH_CHECK(theta != NULL)) return;
        snprintf(name, sizeof name, "%s L=%d sigma_b=%g", nth_activation_name(cfg.activation), cfg.layers, cfg.sigma_b);
        (void)kare_of(net, Kv, z);
        NTH_CHECK_OK(nth_kare_evaluate(&k, none, none, Sv, nth_const(Kv), nth_cmat_of(labels, N, 2), z));
        NTH_CHECK_OK(nth_ntk_pullback(grad, none, net, big_inputs(), nth_const(Sv)));
        NTH_CHECK_OK(nth_net_get_parameters(theta, net));
        for (ptrdiff_t p = 0; p < P; ++p) square += grad[p] * grad[p];
        for (ptrdiff_t p = 0; p < P; ++p) w[p] = grad[p] / sqrt(square);
        worst_see(&far, fabs(difference(net, theta, w, P, Kv, z, 1e-2) / sqrt(square) - 1.0), name);
        nth_rand_normals(w, P, 43, NTH_STREAM_TEST, (uint32_t)number, 0);
        for (ptrdiff_t p = 0; p < P; ++p) along += grad[p] * w[p];
        worst_see(&far, fabs(difference(net, theta, w, P, Kv, z, 1e-3) - along) / sqrt(square), name);
        free(theta);
        nth_net_destroy(&net);
    }
    worst_check(&far, "differences of KARE", 1e-7);
}

/* The kernel on the way has the bits of nth_ntk_empirical; the gradient those of any number of threads. */
static void same_bits(void)
{
    static double S[N * (N + GAP)], K[N * (N + GAP)], want[N * N];
    const int     threads[3] = { 1, 3, 7 }, before = nth_priv_threads();
    for (int number = 0; number < 4; ++number) {
        const nth_net_config cfg = big_config(NTH_ACT_GELU, 2 + number, 0.3 * (number % 2), number == 3);
        nth_net             *net = random_net(&cfg, 0);
        const size_t         size = (size_t)nth_net_parameters(net) * sizeof(double);
        double              *grad[2] = { malloc(size), malloc(size) };
        const nth_mat        Sv = weights(S, N, N + GAP, 0), Kv = { K, N, N, N + GAP };
        nth_blocks           B = { .train = nth_mat_of(want, N, N) };
        NTH_CHECK_OK(nth_ntk_empirical(&B, net, big_inputs(), (nth_cmat){ 0 }));
        for (int t = 0; t < 3; ++t) {
            memset(K, 0xff, sizeof K);
            nth_priv_set_threads(threads[t]);
            NTH_CHECK_OK(nth_ntk_pullback(grad[t > 0], Kv, net, big_inputs(), nth_const(Sv)));
            NTH_CHECK(memcmp(grad[0], grad[t > 0], size) == 0);
            bool same = true;
            for (ptrdiff_t i = 0; i < N; ++i)
                same = same && memcmp(K + i * (N + GAP), want + i * N, N * sizeof(double)) == 0 && isnan(K[i * (N + GAP) + N]);
            NTH_CHECK(same);
        }
        nth_priv_set_threads(before);
        free(grad[0]), free(grad[1]);
        nth_net_destroy(&net);
    }
}

/* ---- Parameters as a vector, bad input, memory ---------------------------------------------------- */

static void parameters_there_and_back(void)
{
    nth_net_config cfg = big_config(NTH_ACT_TANH, 4, 0.2, true);
    cfg.frozen = 2u;
    nth_net        *net = random_net(&cfg, 0), *other = random_net(&cfg, 1);
    const ptrdiff_t P = nth_net_parameters(net), first = WIDE * (D + 1);
    double         *theta = calloc((size_t)(2 * P), sizeof *theta);
    NTH_CHECK_OK(nth_net_get_parameters(theta, net));
    NTH_CHECK(theta[D + 1] == net->W[0][0].a[D + 1] && theta[WIDE * D + 3] == net->b[0][0][3]);
    NTH_CHECK(theta[first] == net->W[0][2].a[0]); /* layer 2 is frozen */
    NTH_CHECK(theta[P - 1] == net->b[1][3][0] && theta[P / 2] == net->W[1][0].a[0]);
    const double kept = other->W[0][1].a[5];
    NTH_CHECK_OK(nth_net_set_parameters(other, theta));
    NTH_CHECK_OK(nth_net_get_parameters(theta + P, other));
    NTH_CHECK(memcmp(theta, theta + P, (size_t)P * sizeof *theta) == 0);
    NTH_CHECK(other->W[0][1].a[5] == kept);
    free(theta);
    nth_net_destroy(&net);
    nth_net_destroy(&other);
}

/* A first layer that is drawn when needed has a gradient, too. */
static void first_layer_not_stored(void)
{
    static double        S[N * N];
    const nth_net_config cfg = big_config(NTH_ACT_TANH, 3, 0.2, false);
    nth_net             *net = random_net(&cfg, 5), *drawn = NULL;
    const size_t         size = (size_t)nth_net_parameters(net) * sizeof(double);
    double              *grad[2] = { malloc(size), malloc(size) };
    const nth_mat        Sv = weights(S, N, N, 0);
    NTH_CHECK_OK(nth_net_create(&drawn, &cfg, false));
    nth_net_init_gaussian(drawn, net->seed, net->run);
    NTH_CHECK_OK(nth_ntk_pullback(grad[0], none, net, big_inputs(), nth_const(Sv)));
    NTH_CHECK_OK(nth_ntk_pullback(grad[1], none, drawn, big_inputs(), nth_const(Sv)));
    NTH_CHECK_CLOSE(error_of(grad[1], grad[0], (int)(size / sizeof(double))), 0.0, 0.0, 1e-13);
    NTH_CHECK_STATUS(nth_net_get_parameters(grad[0], drawn), NTH_E_ARG);
    free(grad[0]), free(grad[1]);
    nth_net_destroy(&net);
    nth_net_destroy(&drawn);
}

static void bad_input(void)
{
    double S[REF_MAX_ROWS * LD], grad[REF_MAX_P];
    shape  s;
    if (!shape_open(&s, 0)) return;
    nth_mat Sv = weights(S, s.n, LD, 0);
    NTH_CHECK_STATUS(nth_ntk_pullback(grad, none, s.net, shape_train(&s), nth_cblock(nth_const(Sv), 0, 0, s.n, s.n - 1)), NTH_E_SHAPE);
    NTH_CHECK_STATUS(nth_ntk_pullback(grad, nth_mat_of(grad, 1, 1), s.net, shape_train(&s), nth_const(Sv)), NTH_E_SHAPE);
    S[1] += 0.5;
    NTH_CHECK_STATUS(nth_ntk_pullback(grad, none, s.net, shape_train(&s), nth_const(Sv)), NTH_E_ARG);
    NTH_CHECK_MESSAGE("not symmetric: (2,1)");
    S[1] = NAN;
    NTH_CHECK_STATUS(nth_ntk_pullback(grad, none, s.net, shape_train(&s), nth_const(Sv)), NTH_E_NUMERIC);
    Sv = weights(S, s.n, LD, 0);
    s.X[1] = INFINITY;
    NTH_CHECK_STATUS(nth_ntk_pullback(grad, none, s.net, shape_train(&s), nth_const(Sv)), NTH_E_NUMERIC);
    shape_close(&s);
}

static shape small;
static nth_status build(void)
{
    double        S[REF_MAX_ROWS * LD], grad[REF_MAX_P];
    const nth_mat Sv = weights(S, small.n, LD, 0);
    return nth_ntk_pullback(grad, none, small.net, shape_train(&small), nth_const(Sv));
}

static void survives_oom(void)
{
    if (!shape_open(&small, 21)) return; /* tanh, four layers, biases, doubled */
    NTH_CHECK(small.net->cfg.doubled && small.net->cfg.layers == 4);
    nth_test_every_allocation_fails(build);
    shape_close(&small);
}

int main(void)
{
    return nth_test_main("pullback", (nth_test_case[]){ { "is_the_definition", is_the_definition },
                                                        { "frozen_layers", frozen_layers },
                                                        { "is_the_third_kernel", is_the_third_kernel },
                                                        { "kare_differences", kare_differences },
                                                        { "same_bits", same_bits },
                                                        { "parameters_there_and_back", parameters_there_and_back },
                                                        { "first_layer_not_stored", first_layer_not_stored },
                                                        { "bad_input", bad_input },
                                                        { "survives_oom", survives_oom },
                                                        { 0 } });
}
