/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * The commands net, kernel, hierarchy, train and regress end to end: the built tool writes files, and their
 * numbers must satisfy identities between the commands (E9, E13, E27, E6) and equal what the library
 * gives. The tool's path is in the environment variable NTH_TOOL; files go to a temporary folder.
 */
#include "tool.h"
#include "fixtures.h"
#include "nth/hier.h"
#include "nth/infinite.h"
#include "nth/optimize.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { N = 3, Q = 2, NN = N * N, QN = Q * N, MAX = 4096 };

/* ---- Tools -------------------------------------------------------------------------------------- */

static nth_net *get_net(const char *path)
{
    nth_file *f = NULL;
    nth_net  *net = NULL;
    if (NTH_CHECK_OK(nth_file_open(&f, path))) NTH_CHECK_OK(nth_net_read(&net, f));
    nth_file_close(&f);
    return net;
}

static bool same(const double *a, const double *b, ptrdiff_t n)
{
    return memcmp(a, b, (size_t)n * sizeof *a) == 0;
}

static double largest(const double *a, ptrdiff_t n)
{
    double most = 0.0;
    for (ptrdiff_t i = 0; i < n; ++i) most = nth_worst(most, fabs(a[i]));
    return most;
}

static double distance(const double *a, const double *b, ptrdiff_t n)
{
    double most = 0.0;
    for (ptrdiff_t i = 0; i < n; ++i) most = nth_worst(most, fabs(a[i] - b[i]));
    return most;
}

/* net.h5 (fixture F2: erf, three layers, biases), data.h5 and V.h5 with u, v, w. */
static nth_net *write_fixture(void)
{
    const nth_provenance prov = { .command_line = "test", .config = "{}", .seed = 1, .threads = 1 };
    const ptrdiff_t      nd[2] = { N, 2 }, qd[2] = { Q, 2 };
    nth_file            *f = NULL;
    nth_net             *net = fixture_net(F2);
    fixture_points();
    if (!NTH_CHECK(net != NULL)) return NULL;
    NTH_CHECK_OK(nth_file_create(&f, "net.h5", &prov));
    NTH_CHECK_OK(nth_net_write(net, f, ""));
    NTH_CHECK_OK(nth_file_commit(&f));
    NTH_CHECK_OK(nth_file_create(&f, "data.h5", &prov));
    NTH_CHECK_OK(nth_file_write(f, "/x", fx_X, 2, nd));
    NTH_CHECK_OK(nth_file_write(f, "/y", fx_y, 1, nd));
    NTH_CHECK_OK(nth_file_write(f, "/x_test", fx_Q, 2, qd));
    NTH_CHECK_OK(nth_file_write(f, "/y_test", (double[]){ 1, -1 }, 1, qd));
    NTH_CHECK_OK(nth_file_commit(&f));
    NTH_CHECK_OK(nth_file_create(&f, "V.h5", &prov));
    NTH_CHECK_OK(nth_file_write(f, "/u", fx_u, 1, nd));
    NTH_CHECK_OK(nth_file_write(f, "/v", fx_v, 1, nd));
    NTH_CHECK_OK(nth_file_write(f, "/group/w", fx_w, 2, (const ptrdiff_t[]){ N, 1 }));
    NTH_CHECK_OK(nth_file_commit(&f));
    return net;
}

/* ---- nth net ------------------------------------------------------------------------------------ */

/* The same parameters as the library draws, to the bit. */
static void net_is_the_librarys(void)
{
    nth_net_config cfg = { .activation = NTH_ACT_SIN, .layers = 3, .widths = { 5, 7, 4, 1 }, .sigma_w = 1.5,
                           .sigma_b = 0.25, .input_scale = NTH_INPUT_ONE };
    for (int doubled = 0; doubled < 2; ++doubled) {
        nth_net *want = NULL, *got = NULL;
        cfg.doubled = doubled == 1;
        NTH_CHECK(nth("net --widths 5,7,4,1 --activation sin --sigma-w 1.5 --sigma-b 0.25 --input-scale one "
                      "--seed 42 --init %s --out a.h5", doubled ? "antisymmetric" : "gaussian") == 0);
        got = get_net("a.h5");
        NTH_CHECK_OK(nth_net_create(&want, &cfg, true));
        if (!NTH_CHECK(got != NULL && want != NULL)) return;
        nth_net_init_gaussian(want, 42, 0);
        NTH_CHECK(got->cfg.activation == cfg.activation && got->cfg.layers == 3 && got->cfg.doubled == cfg.doubled);
        NTH_CHECK(got->cfg.sigma_w == 1.5 && got->cfg.sigma_b == 0.25 && got->cfg.input_scale == NTH_INPUT_ONE);
        NTH_CHECK(got->copies == want->copies);
        for (int c = 0; c < want->copies; ++c)
            for (int l = 0; l < 3; ++l) {
                NTH_CHECK(same(got->W[c][l].a, want->W[c][l].a, cfg.widths[l] * cfg.widths[l + 1]));
                NTH_CHECK(same(got->b[c][l], want->b[c][l], cfg.widths[l + 1]));
            }
        nth_net_destroy(&want);
        nth_net_destroy(&got);
    }
}

/* ---- nth kernel --------------------------------------------------------------------------------- */

static void kernel_is_second_order(void)
{
    nth_net   *net = write_fixture();
    double     a[NN], b[NN], want[NN + QN + Q * Q];
    nth_blocks K = { nth_mat_of(want, N, N), nth_mat_of(want + NN, Q, N), nth_mat_of(want + NN + QN, Q, Q) };
    if (net == NULL) return;
    NTH_CHECK_OK(nth_ntk_empirical(&K, net, nth_cmat_of(fx_X, N, 2), nth_cmat_of(fx_Q, Q, 2)));
    NTH_CHECK(nth("kernel --kind empirical --net net.h5 --data data.h5 --out K.h5") == 0);
    NTH_CHECK(nth("hierarchy --order 2 --net net.h5 --data data.h5 --out H.h5") == 0);
    NTH_CHECK(get(a, NN, "K.h5", "/K") && get(b, NN, "H.h5", "/K2") && same(a, want, NN) && same(b, want, NN));
    NTH_CHECK(get(a, QN, "K.h5", "/K_test") && get(b, QN, "H.h5", "/K2_test"));
    NTH_CHECK(same(a, want + NN, QN) && same(b, want + NN, QN));
    NTH_CHECK(get(a, Q * Q, "K.h5", "/K_test_test") && get(b, Q * Q, "H.h5", "/K2_test_test"));
    NTH_CHECK(same(a, want + NN + QN, Q * Q) && same(b, want + NN + QN, Q * Q));
    nth_net_destroy(&net);
}

static void infinite_kernel_is_the_librarys(void)
{
    const nth_net_config cfg = { .activation = NTH_ACT_RELU, .layers = 4, .widths = { 2, 1, 1, 1, 1 }, .sigma_w = 1.4,
                                 .sigma_b = 0.3 };
    double               a[NN], want[NN + QN];
    nth_blocks           K = { .train = nth_mat_of(want, N, N), .test = nth_mat_of(want + NN, Q, N) };
    nth_net             *net = write_fixture();
    NTH_CHECK_OK(nth_ntk_infinite(&K, &cfg, nth_cmat_of(fx_X, N, 2), nth_cmat_of(fx_Q, Q, 2)));
    NTH_CHECK(nth("kernel --kind ntk --activation relu --depth 4 --sigma-w 1.4 --sigma-b 0.3 --data data.h5 "
                  "--out K.h5") == 0);
    NTH_CHECK(get(a, NN, "K.h5", "/K") && same(a, want, NN));
    NTH_CHECK(get(a, QN, "K.h5", "/K_test") && same(a, want + NN, QN));
    nth_net_destroy(&net);
}

/* cntk and cnngp with strides, both poolings, and nngp: all blocks to the bit. */
static void infinite_kernels_of_all_kinds(void)
{
    enum { n = 5, k = 3, d = 2 * 6 * 6, ALL = n * n + k * n + k * k };
    double X[(n + k) * d];
    NTH_CHECK(nth("data 'synthetic:sphere?n=5&d=72&test=3&seed=4' --out images.h5") == 0);
    if (!NTH_CHECK(get(X, n * d, "images.h5", "/x") && get(X + n * d, k * d, "images.h5", "/x_test"))) return;
    for (int gap = 0; gap < 3; ++gap) {
        const nth_conv_config conv = { .channels = 2, .height = 6, .width = 6, .convs = 3, .strides = { 1, 2, 1 }, .sigma_w = 1.4,
                                       .sigma_b = 0.2, .pooling = gap ? NTH_POOL_GAP : NTH_POOL_FLATTEN };
        nth_fc_config full = { .layers = 3, .sigma_w = 1.4, .sigma_b = 0.2, .input_scale = NTH_INPUT_ONE };
        nth_infinite *K = NULL;
        double        T[ALL], S[ALL], got[ALL];
        nth_blocks    Theta = { nth_mat_of(T, n, n), nth_mat_of(T + n * n, k, n), nth_mat_of(T + n * n + k * n, k, k) };
        nth_blocks    Sigma = { nth_mat_of(S, n, n), nth_mat_of(S + n * n, k, n), nth_mat_of(S + n * n + k * n, k, k) };
        const nth_cmat x = nth_cmat_of(X, n, d), z = nth_cmat_of(X + n * d, k, d);
        NTH_CHECK_OK(nth_dual_parse(&full.activation, "leaky_relu", 0.3));
        NTH_CHECK_OK(gap == 2 ? nth_infinite_create_fc(&K, &full, x, z) : nth_infinite_create_conv(&K, &conv, x, z));
        if (K == NULL) return;
        NTH_CHECK_OK(nth_infinite_fill(&Theta, &Sigma, K, NULL, NULL));
        nth_infinite_destroy(&K);
        for (int nngp = 0; nngp < 2; ++nngp) {
            const char *options = gap == 2 ? "--activation leaky_relu --slope 0.3 --depth 3 --input-scale one"
                                  : gap    ? "--image 2,6,6 --strides 1,2,1 --pooling gap"
                                           : "--image 2,6,6 --strides 1,2,1";
            const char *kind[2][2] = { { "cntk", "cnngp" }, { "ntk", "nngp" } };
            NTH_CHECK(nth("kernel --kind %s --data images.h5 %s --sigma-w 1.4 --sigma-b 0.2 --out K.h5", kind[gap == 2][nngp],
                          options) == 0);
            NTH_CHECK(get(got, n * n, "K.h5", "/K") && get(got + n * n, k * n, "K.h5", "/K_test"));
            NTH_CHECK(get(got + n * n + k * n, k * k, "K.h5", "/K_test_test") && same(got, nngp ? S : T, ALL));
        }
    }
}

/* Interrupted after some tiles, however many, and continued: the same bits as in one go. */
static void interrupted_kernel_continues(void)
{
    enum { n = 600, d = 36 };
    static double whole[n * n], pieces[n * n];
    const char   *how = "kernel --kind cntk --data i.h5 --image 1,6,6 --strides 1,1,1 --pooling gap --threads 1";
    char          line[512];
    int           stops = 0;
    NTH_CHECK(nth("data 'synthetic:sphere?n=600&d=36&test=0&seed=4' --out i.h5") == 0);
    NTH_CHECK(nth("%s --out whole.h5", how) == 0);
    snprintf(line, sizeof line, "timeout --foreground -s INT 0.3 '%s' %s --quiet --out pieces.h5 >out 2>err", getenv("NTH_TOOL"), how);
    for (int go = 0; go < 100 && access("pieces.h5", F_OK) != 0; ++go) {
        const int status = system(line);
        stops += status != 0;
    }
    NTH_CHECK(stops > 0);
    NTH_CHECK(get(whole, n * n, "whole.h5", "/K") && get(pieces, n * n, "pieces.h5", "/K") && same(whole, pieces, n * n));
    NTH_CHECK(largest(whole, n * n) > 0.0);
}

/* ---- nth hierarchy ------------------------------------------------------------------------------ */

/* out (rows x N) = sum_ij T(.,.,i,j) u_i v_j, or sum_i T(.,.,i) u_i without v. */
static void sum_slots(double *out, const double *T, ptrdiff_t entries, const double *u, const double *v)
{
    for (ptrdiff_t e = 0; e < entries; ++e) {
        out[e] = 0.0;
        for (int i = 0; i < N && v == NULL; ++i) out[e] += T[e * N + i] * u[i];
        for (int i = 0; i < N && v != NULL; ++i)
            for (int j = 0; j < N; ++j) out[e] += T[(e * N + i) * N + j] * u[i] * v[j];
    }
}

/* Contractions are linear in each slot: the dense tensor gives them, first direction = third index. */
static void contractions_are_of_the_tensor(void)
{
    static const struct {
        const char *name, *block;
        ptrdiff_t   entries;
    } part[] = { { "train", "", NN }, { "test", "_test", QN }, { "query", "_test_test", Q * Q } };
    nth_net *net = write_fixture();
    double   T[MAX], got[NN], want[NN], swapped[NN];
    char     name[32];
    NTH_CHECK(nth("hierarchy --order 3 --dense --net net.h5 --data data.h5 --out D3.h5") == 0);
    NTH_CHECK(nth("hierarchy --order 4 --dense --net net.h5 --data data.h5 --out D4.h5") == 0);
    NTH_CHECK(nth("hierarchy --order 3 --direction V.h5:/group/w --net net.h5 --data data.h5 --out C3.h5") == 0);
    NTH_CHECK(nth("hierarchy --order 4 --direction V.h5:/u --direction V.h5:/v --net net.h5 --data data.h5 "
                  "--out C4.h5") == 0);
    for (int b = 0; b < 3; ++b) {
        const ptrdiff_t n = part[b].entries;
        snprintf(name, sizeof name, "/K3%s", part[b].block);
        if (!NTH_CHECK(get(T, n * N, "D3.h5", name) && get(got, n, "C3.h5", name))) continue;
        sum_slots(want, T, n, fx_w, NULL);
        NTH_CHECK_CLOSE(distance(got, want, n), 0, 0, 1e-13 * largest(T, n * N)); /* N terms, |w| < 2 */
        snprintf(name, sizeof name, "/K4%s", part[b].block);
        if (!NTH_CHECK(get(T, n * NN, "D4.h5", name) && get(got, n, "C4.h5", name))) continue;
        sum_slots(want, T, n, fx_u, fx_v);
        sum_slots(swapped, T, n, fx_v, fx_u);
        NTH_CHECK_CLOSE(distance(got, want, n), 0, 0, 1e-13 * largest(T, n * NN));
        NTH_CHECK(distance(want, swapped, n) > 1e-3 * largest(want, n)); /* the order of slots is seen */
    }
    nth_net_destroy(&net);
}

static void higher_orders_are_the_librarys(void)
{
    const double *const v[4] = { fx_u, fx_v, fx_w, fx_u };
    nth_net            *net = write_fixture();
    double              got[NN], want[NN];
    nth_blocks          K = { .train = nth_mat_of(want, N, N) };
    for (int order = 3; order <= 6 && net != NULL; ++order) {
        char line[256] = "", name[8];
        for (int j = 0; j < order - 2; ++j)
            strcat(strcat(line, " --direction V.h5:"), (const char *const[]){ "/u", "/v", "/group/w", "/u" }[j]);
        NTH_CHECK(nth("hierarchy --net net.h5 --data data.h5 --order %d%s --out H.h5", order, line) == 0);
        NTH_CHECK_OK(nth_hier_contract(&K, net, nth_cmat_of(fx_X, N, 2), nth_cmat_of(fx_Q, Q, 2), order, v));
        snprintf(name, sizeof name, "/K%d", order);
        NTH_CHECK(get(got, NN, "H.h5", name) && same(got, want, NN));
    }
    nth_net_destroy(&net);
}

/* Khat = K0 + term3 + term4, with term3 = -K3[alpha_t] of the spectrum of K0 (E26, E27). */
static void prediction_is_the_sum_of_its_terms(void)
{
    enum { T = 4 };
    static const double times[T] = { 2, 0.5, 1, INFINITY };
    nth_net            *net = write_fixture();
    nth_spectral       *sp = NULL;
    double              t[T], K0[NN], K0_test[QN], r0[N], alpha[N], K3[NN], one[T * NN], part[3][T * NN];
    const double *const v[1] = { alpha };
    nth_blocks          block = { .train = nth_mat_of(K3, N, N) };
    NTH_CHECK(nth("hierarchy --khat --times 2,0.5,1,inf --net net.h5 --data data.h5 --out P.h5") == 0);
    NTH_CHECK(nth("hierarchy --khat --times 2,0.5,1,inf --route svd --net net.h5 --data data.h5 --out S.h5") == 0);
    NTH_CHECK(nth("kernel --net net.h5 --data data.h5 --out K.h5") == 0);
    NTH_CHECK(nth("train --times 0 --net net.h5 --data data.h5 --out R.h5") == 0);
    NTH_CHECK(get(t, T, "P.h5", "/t") && same(t, times, T));
    if (!NTH_CHECK(net != NULL && get(K0, NN, "P.h5", "/K0") && get(r0, N, "R.h5", "/f"))) return;
    NTH_CHECK(get(one, NN, "K.h5", "/K"));
    NTH_CHECK_CLOSE(distance(one, K0, NN), 0, 0, 1e-14 * largest(K0, NN));
    for (int i = 0; i < N; ++i) r0[i] -= fx_y[i];
    NTH_CHECK_OK(nth_spectral_create(&sp, nth_cmat_of(K0, N, N), r0));
    NTH_CHECK(get(part[0], T * NN, "P.h5", "/term3") && get(part[1], T * NN, "P.h5", "/term4"));
    NTH_CHECK(get(part[2], T * NN, "P.h5", "/Khat") && get(one, T * NN, "S.h5", "/Khat"));
    /* 1e-11: the accuracy nth_hier_khat promises between routes. */
    NTH_CHECK_CLOSE(distance(one, part[2], T * NN), 0, 0, 1e-11 * largest(part[2], T * NN));
    for (int k = 0; k < T && sp != NULL; ++k) {
        NTH_CHECK_OK(nth_spectral_alpha(sp, times[k], alpha));
        NTH_CHECK_OK(nth_hier_contract(&block, net, nth_cmat_of(fx_X, N, 2), nth_cmat_of(fx_Q, 0, 2), 3, v));
        for (int e = 0; e < NN; ++e) {
            NTH_CHECK(part[2][k * NN + e] == K0[e] + part[0][k * NN + e] + part[1][k * NN + e]);
            NTH_CHECK_CLOSE(part[0][k * NN + e], -K3[e], 0, 1e-11 * largest(K3, NN));
        }
    }
    NTH_CHECK(get(K0_test, QN, "P.h5", "/K0_test") && get(part[0], T * QN, "P.h5", "/term3_test"));
    NTH_CHECK(get(part[1], T * QN, "P.h5", "/term4_test") && get(part[2], T * QN, "P.h5", "/Khat_test"));
    for (int e = 0; e < T * QN; ++e) NTH_CHECK(part[2][e] == K0_test[e % QN] + part[0][e] + part[1][e]);
    nth_spectral_destroy(&sp);
    nth_net_destroy(&net);
}

/* ---- nth train ---------------------------------------------------------------------------------- */

/* Outputs at time 2, all inputs, as the library gives them by way of the same times. */
static void outputs_by_library(double *f, const nth_net *net)
{
    const nth_flow_options opt = { .stepper = NTH_STEPPER_COLLOCATION, .rtol = 1e-10 };
    nth_flow              *flow = NULL;
    NTH_CHECK_OK(nth_flow_create(&flow, net, nth_cmat_of(fx_X, N, 2), nth_cmat_of(fx_Q, Q, 2), fx_y, &opt));
    for (int k = 0; k < 3 && flow != NULL; ++k) NTH_CHECK_OK(nth_flow_advance(flow, 0.5 * (1 << k)));
    if (flow != NULL) NTH_CHECK_OK(nth_flow_outputs(flow, f));
    nth_flow_destroy(&flow);
}

/* Loss and outputs agree, the loss falls, K is the kernel of the networks at both ends. */
static void training_agrees_with_itself(void)
{
    enum { T = 4 };
    nth_net *net = write_fixture();
    double   t[T], f[T * N], loss[T], K[T * NN], K_test[T * QN], one[NN], f_test[T * Q], want[N + Q];
    if (net == NULL) return;
    outputs_by_library(want, net);
    NTH_CHECK(nth("train --net net.h5 --data data.h5 --times 0,0.5,1,2 --out R.h5") == 0);
    NTH_CHECK(get(t, T, "R.h5", "/t") && t[0] == 0 && t[1] == 0.5 && t[2] == 1 && t[3] == 2);
    NTH_CHECK(get(f, T * N, "R.h5", "/f") && get(loss, T, "R.h5", "/loss"));
    NTH_CHECK(get(f_test, T * Q, "R.h5", "/f_test") && same(f + 3 * N, want, N) && same(f_test + 3 * Q, want + N, Q));
    for (int k = 0; k < T; ++k) {
        NTH_CHECK_CLOSE(loss[k], nth_loss_square.value(f + k * N, fx_y, N), 1e-15, 0);
        NTH_CHECK(k == 0 || loss[k] < loss[k - 1]);
    }
    NTH_CHECK(get(K, T * NN, "R.h5", "/K") && get(K_test, T * QN, "R.h5", "/K_test"));
    NTH_CHECK(nth("kernel --net net.h5 --data data.h5 --out K0.h5") == 0);
    NTH_CHECK(nth("kernel --net R.h5 --data data.h5 --out K2.h5") == 0); /* the trained network, from /net */
    NTH_CHECK(get(one, NN, "K0.h5", "/K"));
    NTH_CHECK_CLOSE(distance(one, K, NN), 0, 0, 1e-14 * largest(one, NN));
    /* One product more (the first layer is put together again): a few times as much rounding. */
    NTH_CHECK(get(one, NN, "K2.h5", "/K"));
    NTH_CHECK_CLOSE(distance(one, K + 3 * NN, NN), 0, 0, 1e-13 * largest(one, NN));
    NTH_CHECK(get(one, QN, "K2.h5", "/K_test"));
    NTH_CHECK_CLOSE(distance(one, K_test + 3 * QN, QN), 0, 0, 1e-13 * largest(one, QN));
    NTH_CHECK(distance(K + 3 * NN, K, NN) > 1e-3 * largest(K, NN)); /* it did move */
    nth_net_destroy(&net);
}

/* A flow continued from its result: time 2 is time 1 after time 1. */
static void training_continues(void)
{
    nth_net *net = write_fixture();
    double   whole[2 * N], rest[N], test[2 * Q], test_rest[Q];
    NTH_CHECK(nth("train --net net.h5 --data data.h5 --times 1,2 --rtol 1e-12 --out R.h5") == 0);
    NTH_CHECK(nth("train --net net.h5 --data data.h5 --times 1 --rtol 1e-12 --out R1.h5") == 0);
    NTH_CHECK(nth("train --net R1.h5 --data data.h5 --times 1 --rtol 1e-12 --out R2.h5") == 0);
    NTH_CHECK(get(whole, 2 * N, "R.h5", "/f") && get(rest, N, "R2.h5", "/f"));
    NTH_CHECK_CLOSE(distance(whole + N, rest, N), 0, 0, 1e-11); /* two runs at rtol 1e-12, outputs of order 1 */
    NTH_CHECK(get(test, 2 * Q, "R.h5", "/f_test") && get(test_rest, Q, "R2.h5", "/f_test"));
    NTH_CHECK_CLOSE(distance(test + Q, test_rest, Q), 0, 0, 1e-11);
    nth_net_destroy(&net);
}

/* The prediction is closer to the trained kernel than the initial kernel is, by two orders of t. */
/* Records, network and kernel of training in batches are of the same parameters; K is written with or without /net. */
static void batches_agree_with_themselves(void)
{
    double   f[2 * N], f_test[2 * Q], want[N + Q], loss[2], K[NN], K_test[QN], again[NN];
    nth_net *net = write_fixture(), *end = NULL;
    NTH_CHECK(nth("train --net net.h5 --data data.h5 --optimizer sgd --momentum 0.5 --learning-rate 0.1 --epochs 20 --batch 2 --record 0,20 "
                  "--kernel yes --out B.h5") == 0);
    NTH_CHECK(nth("kernel --net B.h5 --data data.h5 --out BK.h5") == 0);
    if (net == NULL || !get(f, 2 * N, "B.h5", "/f") || !get(f_test, 2 * Q, "B.h5", "/f_test") || !get(loss, 2, "B.h5", "/loss")) return;
    end = get_net("B.h5");
    for (int e = 0; e < 2 && end != NULL; ++e) {
        double sum = 0.0;
        nth_flow *flow = NULL; /* at its start: the outputs of the network itself */
        const nth_flow_options opt = { .stepper = NTH_STEPPER_COLLOCATION, .rtol = 1e-10 };
        NTH_CHECK_OK(nth_flow_create(&flow, e == 0 ? net : end, nth_cmat_of(fx_X, N, 2), nth_cmat_of(fx_Q, Q, 2), fx_y, &opt));
        if (flow != NULL) NTH_CHECK_OK(nth_flow_outputs(flow, want));
        nth_flow_destroy(&flow);
        NTH_CHECK_CLOSE(distance(f + e * N, want, N), 0.0, 0.0, 1e-14);
        NTH_CHECK_CLOSE(distance(f_test + e * Q, want + N, Q), 0.0, 0.0, 1e-14);
        for (int i = 0; i < N; ++i) sum += 0.5 * (want[i] - fx_y[i]) * (want[i] - fx_y[i]) / N;
        NTH_CHECK_CLOSE(loss[e], sum, 1e-11, 0.0); /* residuals of 0.01 from outputs of 1 */
    }
    NTH_CHECK(loss[1] < 0.5 * loss[0]);
    if (get(K, NN, "B.h5", "/K") && get(again, NN, "BK.h5", "/K")) NTH_CHECK(same(K, again, NN));
    if (get(K_test, QN, "B.h5", "/K_test") && get(again, QN, "BK.h5", "/K_test")) NTH_CHECK(same(K_test, again, QN));
    NTH_CHECK(nth("train --net net.h5 --data data.h5 --optimizer sgd --momentum 0.5 --learning-rate 0.1 --epochs 20 --batch 2 --record 5 "
                  "--kernel yes --save-net no --threads 3 --out B2.h5") == 0);
    if (get(again, NN, "B2.h5", "/K")) NTH_CHECK(same(K, again, NN));
    nth_net_destroy(&net);
    nth_net_destroy(&end);
}

static void prediction_predicts(void)
{
    enum { n = 5, T = 2 };
    double K[T * n * n], Khat[T * n * n], K0[n * n], error[T], move[T];
    NTH_CHECK(nth("data 'synthetic:sphere?n=5&d=4&test=2&seed=3' --out s.h5") == 0);
    NTH_CHECK(nth("net --widths 4,48,48,1 --seed 7 --out n.h5") == 0);
    NTH_CHECK(nth("train --net n.h5 --data s.h5 --times 0.25,0.5 --rtol 1e-13 --out R.h5") == 0);
    NTH_CHECK(nth("hierarchy --khat --net n.h5 --data s.h5 --times 0.25,0.5 --out P.h5") == 0);
    if (!NTH_CHECK(get(K, T * n * n, "R.h5", "/K") && get(Khat, T * n * n, "P.h5", "/Khat"))) return;
    NTH_CHECK(get(K0, n * n, "P.h5", "/K0"));
    for (int k = 0; k < T; ++k) {
        error[k] = distance(K + k * n * n, Khat + k * n * n, n * n);
        move[k] = distance(K + k * n * n, K0, n * n);
        NTH_CHECK(error[k] < 0.01 * move[k]);
    }
    NTH_CHECK_CLOSE(log2(error[1] / error[0]), 3.0, 0, 0.4); /* slope 3, 2.8 at t = 0.2 .. 0.4 (equations.md, 4.3) */
    NTH_CHECK_CLOSE(log2(move[1] / move[0]), 1.0, 0, 0.2);
}

/* relu: fixed steps, and the accuracy is the difference to a run with twice the steps. */
static void relu_reports_its_accuracy(void)
{
    double once[64], twice[64], accuracy[2];
    NTH_CHECK(nth("data 'synthetic:sphere?n=4&d=3&test=1&seed=2' --out s.h5") == 0);
    NTH_CHECK(nth("net --widths 3,16,1 --activation relu --seed 5 --out n.h5") == 0);
    NTH_CHECK(nth("train --net n.h5 --data s.h5 --times 1,3 --steps 20 --out a.h5") == 0);
    NTH_CHECK(nth("train --net n.h5 --data s.h5 --times 1,3 --steps 40 --out b.h5") == 0);
    NTH_CHECK(get(once, 32, "a.h5", "/K") && get(twice, 32, "b.h5", "/K") && get(accuracy, 2, "a.h5", "/accuracy"));
    for (int k = 0; k < 2; ++k) NTH_CHECK(accuracy[k] == distance(once + k * 16, twice + k * 16, 16));
    NTH_CHECK(nth("train --net n.h5 --data s.h5 --times 1,3 --out c.h5") == 0);
    NTH_CHECK(nth("train --net n.h5 --data s.h5 --times 1,3 --steps 400 --stepper rkck --out d.h5") == 0);
    NTH_CHECK(get(once, 32, "c.h5", "/K") && get(twice, 32, "d.h5", "/K") && same(once, twice, 32)); /* the default */
}

/* Every stepper integrates the same flow. */
static void steppers_agree(void)
{
    nth_net *net = write_fixture();
    double   want[NN], got[NN];
    NTH_CHECK(nth("train --net net.h5 --data data.h5 --times 1 --rtol 1e-12 --out a.h5") == 0);
    NTH_CHECK(get(want, NN, "a.h5", "/K"));
    for (int i = 0; i < 3; ++i) {
        static const char *const how[] = { "--stepper rk8pd --rtol 1e-12", "--stepper rkck --rtol 1e-12",
                                           "--steps 400" };
        NTH_CHECK(nth("train --net net.h5 --data data.h5 --times 1 %s --out b.h5", how[i]) == 0);
        NTH_CHECK(get(got, NN, "b.h5", "/K"));
        NTH_CHECK_CLOSE(distance(got, want, NN), 0, 0, 1e-10 * largest(want, NN));
    }
    nth_net_destroy(&net);
}

/* ---- nth regress -------------------------------------------------------------------------------- */

/* Fixture S, two test inputs, and a second kernel Z in another file; x is not looked at. */
static void write_regression(double *K, double *K_test, double *Z, double *Z_test)
{
    static const double  S[16] = { 1.0,                0.6364310457393136, 0.5502236132929963, 0.4711655571887813,
                                   0.6364310457393136, 1.0,                0.3982638669627817, 0.5502236132929963,
                                   0.5502236132929963, 0.3982638669627817, 1.0,                0.3309201445208456,
                                   0.4711655571887813, 0.5502236132929963, 0.3309201445208456, 1.0 };
    const nth_provenance prov = { .command_line = "test", .config = "{}", .seed = 1, .threads = 1 };
    const ptrdiff_t      square[2] = { 4, 4 }, oblong[2] = { 2, 4 }, four = 4, two = 2;
    nth_file            *f = NULL;
    for (int i = 0; i < 16; ++i) K[i] = S[i], Z[i] = cos(1.0 + i / 4 + i % 4);
    for (int i = 0; i < 8; ++i) K_test[i] = sin(0.5 + i), Z_test[i] = cos(2.0 * i);
    NTH_CHECK_OK(nth_file_create(&f, "S.h5", &prov));
    NTH_CHECK_OK(nth_file_write(f, "/x", K, 2, square));
    NTH_CHECK_OK(nth_file_write(f, "/x_test", K_test, 2, oblong));
    NTH_CHECK_OK(nth_file_write(f, "/y", (double[]){ 1, -1, 1, -1 }, 1, &four));
    NTH_CHECK_OK(nth_file_write(f, "/y_test", (double[]){ 1, -1 }, 1, &two));
    NTH_CHECK_OK(nth_file_write(f, "/K", K, 2, square));
    NTH_CHECK_OK(nth_file_write(f, "/K_test", K_test, 2, oblong));
    NTH_CHECK_OK(nth_file_commit(&f));
    NTH_CHECK_OK(nth_file_create(&f, "Z.h5", &prov));
    NTH_CHECK_OK(nth_file_write(f, "/group/Z", Z, 2, square));
    NTH_CHECK_OK(nth_file_write(f, "/group/Z_test", Z_test, 2, oblong));
    NTH_CHECK_OK(nth_file_commit(&f));
}

/* S5, and (K + rho I) alpha = y, f = K_test alpha. */
static void regression_oracles(void)
{
    static const double S5[4] = { 1.217475321469813, -1.18046941406966, 0.6967942412725766, -0.8575936094115558 };
    double              K[16], K_test[8], Z[16], Z_test[8], alpha[4], loo[4], f[2];
    write_regression(K, K_test, Z, Z_test);
    NTH_CHECK(nth("regress --gram S.h5 --data S.h5 --ridge 0.05 --out R.h5") == 0);
    NTH_CHECK(get(loo, 4, "R.h5", "/loo") && get(alpha, 4, "R.h5", "/alpha") && get(f, 2, "R.h5", "/f_test"));
    for (int i = 0; i < 4; ++i) NTH_CHECK_CLOSE(loo[i], S5[i], 1e-12, 0);
    for (int i = 0; i < 4; ++i) {
        double sum = 0.05 * alpha[i];
        for (int k = 0; k < 4; ++k) sum += K[i * 4 + k] * alpha[k];
        NTH_CHECK_CLOSE(sum, i % 2 == 0 ? 1.0 : -1.0, 1e-14, 0);
    }
    for (int i = 0; i < 2; ++i) {
        double sum = -f[i];
        for (int k = 0; k < 4; ++k) sum += K_test[i * 4 + k] * alpha[k];
        NTH_CHECK_CLOSE(sum, 0, 0, 1e-14);
    }
}

/* The sum with another kernel, indefinite, on training and test inputs; with an intercept, too. */
static void regression_adds_kernels(void)
{
    double K[16], K_test[8], Z[16], Z_test[8], alpha[4], f[2], offset;
    write_regression(K, K_test, Z, Z_test);
    for (int intercept = 0; intercept < 2; ++intercept) {
        NTH_CHECK(nth("regress --gram S.h5 --data S.h5 --add Z.h5:/group/Z --weight -3 --ridge 0.1 --intercept %s --out R.h5",
                      intercept ? "yes" : "no") == 0);
        NTH_CHECK(get(alpha, 4, "R.h5", "/alpha") && get(f, 2, "R.h5", "/f_test") && get(&offset, 1, "R.h5", "/offset"));
        NTH_CHECK((offset != 0.0) == (intercept == 1));
        for (int i = 0; i < 6; ++i) { /* f = y - rho alpha on the training set */
            double sum = offset;
            for (int k = 0; k < 4; ++k)
                sum += (i < 4 ? K[i * 4 + k] - 3.0 * Z[i * 4 + k] : K_test[i * 4 - 16 + k] - 3.0 * Z_test[i * 4 - 16 + k]) * alpha[k];
            NTH_CHECK_CLOSE(sum, i >= 4 ? f[i - 4] : (i % 2 == 0 ? 1.0 : -1.0) - 0.1 * alpha[i], 0, 1e-12);
        }
    }
}

/* The row chosen has the least leave-one-out error, and is what a run with its ridge alone gives. */
static void regression_chooses(void)
{
    double K[16], K_test[8], Z[16], Z_test[8], fits[3 * 7], alone[7], loo[4], one[4];
    write_regression(K, K_test, Z, Z_test);
    NTH_CHECK(nth("regress --gram S.h5 --data S.h5 --ridge 0.01,5,0.3 --out R.h5") == 0);
    NTH_CHECK(get(fits, 21, "R.h5", "/fits") && get(loo, 4, "R.h5", "/loo"));
    nth_file *f = NULL;
    int64_t   chosen[1] = { -1 };
    ptrdiff_t count = 1;
    NTH_CHECK_OK(nth_file_open(&f, "R.h5"));
    NTH_CHECK_OK(nth_file_get_ints(f, "/fits", "chosen", chosen, &count));
    nth_file_close(&f);
    if (!NTH_CHECK(chosen[0] >= 0 && chosen[0] < 3)) return;
    for (int i = 0; i < 3; ++i) NTH_CHECK(fits[chosen[0] * 7 + 2] <= fits[i * 7 + 2]);
    NTH_CHECK(nth("regress --gram S.h5 --data S.h5 --method eigen --ridge %.17g --out a.h5", fits[chosen[0] * 7 + 1]) == 0);
    NTH_CHECK(get(alone, 7, "a.h5", "/fits") && get(one, 4, "a.h5", "/loo"));
    NTH_CHECK(same(alone, fits + chosen[0] * 7, 7) && same(one, loo, 4));
}

/* ---- nth kare ----------------------------------------------------------------------------------- */

/* A number of the JSON that the last command wrote. */
static double said(const char *key)
{
    char   line[512];
    double value = NAN;
    FILE  *f = fopen("out", "r");
    while (f != NULL && fgets(line, sizeof line, f) != NULL)
        if (strstr(line, key) != NULL) value = strtod(strchr(line, ':') + 1, NULL);
    if (f != NULL) (void)fclose(f);
    return value;
}

/* One step on the mean square error over inputs and columns: 2/C times the loss E5 of C outputs. */
static void network_of_classes_steps(void)
{
    enum { C = 3 };
    const nth_provenance prov = { .command_line = "test", .config = "{}", .seed = 1, .threads = 1 };
    const double         y[N * C] = { 1, 0, 0, 0, 0, 1, 0, 1, 0 }, rate = 0.4;
    const nth_cmat       X = nth_cmat_of(fx_X, N, 2);
    double               theta[64], g[64], loss;
    nth_file            *f = NULL;
    fixture_points();
    NTH_CHECK_OK(nth_file_create(&f, "classes.h5", &prov));
    NTH_CHECK_OK(nth_file_write(f, "/x", fx_X, 2, (const ptrdiff_t[]){ N, 2 }));
    NTH_CHECK_OK(nth_file_write(f, "/y", y, 2, (const ptrdiff_t[]){ N, C }));
    NTH_CHECK_OK(nth_file_commit(&f));
    NTH_CHECK(nth("net --widths 2,7,3 --sigma-b 0.5 --out classes_net.h5") == 0);
    NTH_CHECK(nth("kare --net classes_net.h5 --data classes.h5 --steps 0 --net-steps 1 --net-learning-rate %g --json", rate) == 0);
    nth_net *net = get_net("classes_net.h5");
    if (!NTH_CHECK(net != NULL) || !NTH_CHECK(nth_net_parameters(net) <= 64)) return;
    NTH_CHECK_OK(nth_optimize_gradient(g, &loss, net, X, y, NTH_PRECISION_DOUBLE));
    NTH_CHECK_OK(nth_net_get_parameters(theta, net));
    for (ptrdiff_t p = 0; p < nth_net_parameters(net); ++p) theta[p] -= rate * 2.0 / C * g[p];
    NTH_CHECK_OK(nth_net_set_parameters(net, theta));
    NTH_CHECK_OK(nth_optimize_gradient(g, &loss, net, X, y, NTH_PRECISION_DOUBLE));
    NTH_CHECK_CLOSE(said("\"network_training_mse\""), 2.0 / C * loss, 1e-12, 0.0);
    nth_net_destroy(&net);
}

/* ---- Main --------------------------------------------------------------------------------------- */

static const nth_test_case cases[] = {
    { "net_is_the_librarys", net_is_the_librarys },
    { "kernel_is_second_order", kernel_is_second_order },
    { "infinite_kernel_is_the_librarys", infinite_kernel_is_the_librarys },
    { "infinite_kernels_of_all_kinds", infinite_kernels_of_all_kinds },
    { "interrupted_kernel_continues", interrupted_kernel_continues },
    { "contractions_are_of_the_tensor", contractions_are_of_the_tensor },
    { "higher_orders_are_the_librarys", higher_orders_are_the_librarys },
    { "prediction_is_the_sum_of_its_terms", prediction_is_the_sum_of_its_terms },
    { "training_agrees_with_itself", training_agrees_with_itself },
    { "training_continues", training_continues },
    { "batches_agree_with_themselves", batches_agree_with_themselves },
    { "prediction_predicts", prediction_predicts },
    { "relu_reports_its_accuracy", relu_reports_its_accuracy },
    { "steppers_agree", steppers_agree },
    { "regression_oracles", regression_oracles },
    { "regression_adds_kernels", regression_adds_kernels },
    { "regression_chooses", regression_chooses },
    { "network_of_classes_steps", network_of_classes_steps },
    { 0 },
};

int main(void) { return nth_tool_main("commands", cases); }
