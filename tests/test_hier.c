/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Contracted kernels without stored numbers: symmetries (D2, D5, permutations), doubled nets (D6),
 * scaling (D7), models solved on paper (C1, C4), bits on any number of threads, refusals.
 */
#include "nth_test.h"
#include "fixtures.h"
#include "linalg_priv.h"
#include "nth/rng.h"
#include "par_priv.h"
#include "shapes.h"

#include <float.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

static bool contract(block_room *room, const shape *s, int order, const double *const *v)
{
    room_open(room, s->n, s->k);
    return NTH_CHECK_OK(
        nth_hier_contract(&room->K, s->net, shape_train(s), shape_test(s), order, v));
}

/* D2 to the bit, K2 positive semidefinite, and the test blocks where the tests are training points. */
static void symmetric_and_consistent(void)
{
    worst psd = { 0 }, same = { 0 };
    for (int a = 0; a < shape_count(); ++a) {
        shape      s;
        block_room room, own;
        if (!shape_open(&s, a)) return;
        const double *const v[4] = { s.v[0], s.v[1], s.v[2], s.v[3] };
        double              d[REF_MAX_ROWS], U[64], trace = 0.0;
        for (int order = 2; order <= 6; ++order) {
            contract(&room, &s, order, v);
            room_open(&own, s.n, s.n);
            NTH_CHECK_OK(
                nth_hier_contract(&own.K, s.net, shape_train(&s), shape_train(&s), order, v));
            const double scale = room_max(&own) > 0.0 ? room_max(&own) : 1.0;
            for (int i = 0; i < s.n; ++i)
                for (int j = 0; j < s.n; ++j) {
                    const int at = i * (s.n + 3) + j, mirror = j * (s.n + 3) + i;
                    NTH_CHECK(room.train[at] == room.train[mirror] &&
                              own.query[at] == own.query[mirror]);
                    worst_see(&same, fabs(own.train[at] - own.test[at]) / scale, s.name);
                    worst_see(&same, fabs(own.train[at] - own.query[at]) / scale, s.name);
                }
            for (int i = 0; i < s.k; ++i)
                for (int j = 0; j < s.k; ++j)
                    NTH_CHECK(room.query[i * (s.k + 3) + j] == room.query[j * (s.k + 3) + i]);
            if (order > 2) continue;
            NTH_CHECK_OK(nth_eigh(nth_const(room.K.train), d, nth_mat_of(U, s.n, s.n)));
            for (int i = 0; i < s.n; ++i) trace += room.train[i * (s.n + 3) + i];
            worst_see(&psd, -d[0] / (s.n * DBL_EPSILON * trace), s.name);
        }
        shape_close(&s);
    }
    worst_check(&same, "train, test and query blocks of the same points", 1e-13);
    worst_check(&psd, "-lambda_min / (n eps trace)", 1.0);
}

/* Samples permuted with their vectors; neurons of every hidden layer reversed. */
static void permutations(void)
{
    worst samples = { 0 }, neurons = { 0 };
    for (int a = 0; a < shape_count(); a += 3) {
        shape      s, p;
        block_room one, two;
        if (!shape_open(&s, a) || !shape_open(&p, a)) return;
        const double *const v[2] = { s.v[0], s.v[1] }, *const w[2] = { p.v[0], p.v[1] };
        contract(&one, &s, 4, v);
        for (int i = 0; i < s.n; ++i) {
            const int to = (i + 2) % s.n;
            memcpy(p.X + 3 * to, s.X + 3 * i, 3 * sizeof(double));
            p.v[0][to] = s.v[0][i], p.v[1][to] = s.v[1][i];
        }
        contract(&two, &p, 4, w);
        const double scale = room_max(&one) > 0.0 ? room_max(&one) : 1.0;
        for (int i = 0; i < s.n; ++i)
            for (int j = 0; j < s.n; ++j) {
                const int at = i * (s.n + 3) + j, to = (i + 2) % s.n * (s.n + 3) + (j + 2) % s.n;
                worst_see(&samples, fabs(one.train[at] - two.train[to]) / scale, s.name);
            }
        for (int c = 0; c < s.net->copies; ++c)
            for (int l = 1; l <= s.net->cfg.layers; ++l) {
                const nth_mat W = s.net->W[c][l - 1];
                for (ptrdiff_t i = 0; i < W.rows; ++i) {
                    const ptrdiff_t r = W.rows - 1 - i;
                    for (ptrdiff_t j = 0; j < W.cols; ++j)
                        W.a[i * W.cols + j] =
                            p.net->W[c][l - 1].a[r * W.cols + (l > 1 ? W.cols - 1 - j : j)];
                    if (s.net->b[c][l - 1] != NULL) s.net->b[c][l - 1][i] = p.net->b[c][l - 1][r];
                }
            }
        contract(&two, &s, 4, v);
        for (int q = 0; q < s.n * (s.n + 3); ++q)
            worst_see(&neurons, fabs(one.train[q] - two.train[q]) / scale, s.name);
        shape_close(&s);
        shape_close(&p);
    }
    worst_check(&samples, "samples permuted", 1e-13);
    worst_check(&neurons, "neurons permuted", 1e-13);
}

static bool equal_bits(const block_room *a, const block_room *b, double factor)
{
    const nth_mat A[3] = { a->K.train, a->K.test, a->K.test_test },
                  B[3] = { b->K.train, b->K.test, b->K.test_test };
    for (int k = 0; k < 3; ++k)
        for (ptrdiff_t i = 0; i < A[k].rows; ++i)
            for (ptrdiff_t j = 0; j < A[k].cols; ++j)
                if (!(A[k].a[i * A[k].ld + j] == factor * B[k].a[i * B[k].ld + j])) return false;
    return true;
}

/* D5: read-out -> -read-out gives (-1)^r K^(r), exactly. */
static void readout_sign_flip(void)
{
    for (int a = 0; a < shape_count(); ++a) {
        shape      s;
        block_room before[7], after;
        if (!shape_open(&s, a)) return;
        const double *const v[4] = { s.v[0], s.v[1], s.v[2], s.v[3] };
        for (int r = 2; r <= 6; ++r) contract(&before[r], &s, r, v);
        for (int c = 0; c < s.net->copies; ++c) {
            const nth_mat W = s.net->W[c][s.net->cfg.layers - 1];
            for (ptrdiff_t j = 0; j < W.cols; ++j) W.a[j] = -W.a[j];
            if (s.net->b[c][s.net->cfg.layers - 1] != NULL)
                s.net->b[c][s.net->cfg.layers - 1][0] *= -1.0;
        }
        for (int r = 2; r <= 6; ++r) {
            contract(&after, &s, r, v);
            NTH_CHECK(equal_bits(&after, &before[r], r % 2 ? -1.0 : 1.0));
        }
        shape_close(&s);
    }
}

/* D6: two equal copies: f = 0, K3 = K5 = 0, K2 = K2_F, K4 = K4_F / 2, K6 = K6_F / 4. */
static void doubled_nets(void)
{
    static const double factor[7] = { 0, 0, 1, 0, 0.5, 0, 0.25 };
    worst               even = { 0 }, odd = { 0 };
    for (int a = 1; a < shape_count(); a += 2) {
        shape      s, single;
        block_room both, one, none;
        if (!shape_open(&s, a) || !shape_open(&single, a - 1)) return;
        const double *const v[4] = { s.v[0], s.v[1], s.v[2], s.v[3] };
        nth_net_init_gaussian(s.net, 3, (uint32_t)a);
        nth_net_init_gaussian(single.net, 3, (uint32_t)a);
        memcpy(single.X, s.X, sizeof s.X);
        single.n = s.n, single.k = s.k;
        ref_read(&s.ref, s.net);
        for (int i = 0; i < s.n + s.k; ++i)
            NTH_CHECK(ref_output(&s.ref, s.ref.theta, s.X + 3 * i) == 0.0L);
        for (int r = 2; r <= 6; ++r) {
            contract(&both, &s, r, v);
            contract(&one, &single, r, v);
            none = one; /* what K^(r) of each copy is before the two cancel */
            const double scale = room_max(&none) > 0.0 ? room_max(&none) : 1.0;
            for (int i = 0; i < s.n; ++i)
                for (int j = 0; j < s.n; ++j) {
                    const int    at = i * (s.n + 3) + j;
                    const double e = fabs(both.train[at] - factor[r] * one.train[at]) / scale;
                    worst_see(r % 2 ? &odd : &even, e, s.name);
                }
        }
        shape_close(&s);
        shape_close(&single);
    }
    worst_check(&even, "K2, K4, K6 of equal copies", 1e-14);
    worst_check(&odd, "K3, K5 of equal copies", 1e-14);
}

/* D7: relu and linear without bias: K^(r)(2 theta) = 2^(rL - 2(r-1)) K^(r)(theta); powers of two are exact. */
static void homogeneity(void)
{
    for (int a = 0; a < shape_count(); ++a) {
        const nth_activation act = (nth_activation)(a / 24);
        shape                s;
        block_room           before[7], after;
        if ((act != NTH_ACT_RELU && act != NTH_ACT_LINEAR) || a / 4 % 2) continue;
        if (!shape_open(&s, a)) return;
        const double *const v[4] = { s.v[0], s.v[1], s.v[2], s.v[3] };
        for (int r = 2; r <= 6; ++r) contract(&before[r], &s, r, v);
        for (int c = 0; c < s.net->copies; ++c)
            for (int l = 1; l <= s.net->cfg.layers; ++l) {
                const nth_mat W = s.net->W[c][l - 1];
                for (ptrdiff_t q = 0; q < W.rows * W.cols; ++q) W.a[q] *= 2.0;
            }
        for (int r = 2; r <= 6; ++r) {
            contract(&after, &s, r, v);
            NTH_CHECK(
                equal_bits(&after, &before[r], ldexp(1.0, r * s.net->cfg.layers - 2 * (r - 1))));
        }
        shape_close(&s);
    }
}

enum { N = 4, M = 7, D = 3 };
static double XX[N * D], GR[N][N]; /* inputs and their inner products */

static void paper_points(void)
{
    nth_rand_normals(XX, N * D, 21, NTH_STREAM_TEST, 0, 0);
    for (int i = 0; i < N; ++i)
        for (int j = 0; j < N; ++j) {
            GR[i][j] = 0.0;
            for (int k = 0; k < D; ++k) GR[i][j] += XX[i * D + k] * XX[j * D + k];
        }
}

/* K(1,2) of all pairs with unit vectors e_a, e_b in the last slots (b < 0: one slot, a < 0: none). */
static bool entries(double *K, const nth_net *net, int a, int b)
{
    double              ea[N] = { 0 }, eb[N] = { 0 };
    const double *const v[2] = { ea, eb };
    nth_blocks          B = { .train = nth_mat_of(K, N, N) };
    if (a >= 0) ea[a] = 1.0;
    if (b >= 0) eb[b] = 1.0;
    return NTH_CHECK_OK(nth_hier_contract(&B, net, nth_cmat_of(XX, N, D), (nth_cmat){ 0 },
                                          2 + (a >= 0) + (b >= 0), v));
}

/* C1: linear two-layer net: K3 and K4 by inner products, outputs and K2, at any theta. */
static void linear_two_layer(void)
{
    const nth_net_config cfg = { .activation = NTH_ACT_LINEAR,
                                 .layers = 2,
                                 .widths = { D, M, 1 },
                                 .sigma_w = 1,
                                 .input_scale = NTH_INPUT_ONE };
    nth_net             *net = formula_net(&cfg);
    double               K2[N * N], K3[N * N], K4[N * N], f[N] = { 0 }, worst3 = 0.0, worst4 = 0.0;
    if (!NTH_CHECK(net != NULL)) return;
    paper_points();
    for (int i = 0; i < N; ++i)
        for (int r = 0; r < M; ++r)
            for (int k = 0; k < D; ++k)
                f[i] += net->W[0][1].a[r] * net->W[0][0].a[r * D + k] * XX[i * D + k] / sqrt(M);
    entries(K2, net, -1, -1);
    for (int a = 0; a < N; ++a) {
        entries(K3, net, a, -1);
        for (int i = 0; i < N; ++i)
            for (int j = 0; j < N; ++j) {
                const double want = (GR[i][a] * f[j] + GR[j][a] * f[i] + 2.0 * GR[i][j] * f[a]) / M;
                worst3 = nth_worst(worst3, fabs(K3[i * N + j] - want));
            }
        for (int b = 0; b < N; ++b) {
            entries(K4, net, a, b);
            for (int i = 0; i < N; ++i)
                for (int j = 0; j < N; ++j) {
                    const double want = (GR[i][a] * K2[j * N + b] + GR[j][a] * K2[i * N + b] +
                                         2.0 * GR[i][j] * K2[a * N + b]) /
                                        M;
                    worst4 = nth_worst(worst4, fabs(K4[i * N + j] - want));
                }
        }
    }
    NTH_CHECK_CLOSE(worst3, 0.0, 0.0, 1e-13);
    NTH_CHECK_CLOSE(worst4, 0.0, 0.0, 1e-13);
    nth_net_destroy(&net);
}

/* x_i' A x_j */
static double form(const double *A, int i, int j)
{
    double s = 0.0;
    for (int k = 0; k < D; ++k)
        for (int l = 0; l < D; ++l) s += XX[i * D + k] * A[k * D + l] * XX[j * D + l];
    return s;
}

/* C4: sigma(z) = z^2, read-out frozen at +-1: kernels by Mw and Q. */
static void quadratic_frozen_readout(void)
{
    const nth_net_config cfg = { .activation = NTH_ACT_QUADRATIC,
                                 .layers = 2,
                                 .widths = { D, M, 1 },
                                 .sigma_w = 1,
                                 .input_scale = NTH_INPUT_ONE,
                                 .frozen = 2 };
    nth_net             *net = formula_net(&cfg);
    double               Mw[D * D] = { 0 }, Q[D * D] = { 0 }, K[N * N], err = 0.0, most = 0.0;
    if (!NTH_CHECK(net != NULL)) return;
    paper_points();
    for (int r = 0; r < M; ++r) {
        const double a = r % 3 == 1 ? -1.0 : 1.0, *w = net->W[0][0].a + r * D;
        net->W[0][1].a[r] = a;
        for (int k = 0; k < D; ++k)
            for (int l = 0; l < D; ++l)
                Mw[k * D + l] += w[k] * w[l] / M, Q[k * D + l] += a * w[k] * w[l] / sqrt(M);
    }
    for (int c = -1; c < N; ++c)
        for (int b = -1; b < N; ++b) {
            if (c < 0 && b >= 0) continue;
            entries(K, net, c, b);
            for (int i = 0; i < N; ++i)
                for (int j = 0; j < N; ++j) {
                    const double k2 = 4.0 * GR[i][j] * form(Mw, i, j);
                    const double k3 =
                        c < 0 ? 0.0
                              : 8.0 / M * GR[i][j] *
                                    (GR[i][c] * form(Q, c, j) + GR[j][c] * form(Q, i, c));
                    const double k4 = c < 0 || b < 0 ? 0.0
                                                     : 16.0 / M * GR[i][j] *
                                                           (GR[i][c] * (GR[c][b] * form(Mw, b, j) +
                                                                        form(Mw, c, b) * GR[b][j]) +
                                                            GR[j][c] * (GR[i][b] * form(Mw, b, c) +
                                                                        form(Mw, i, b) * GR[b][c]));
                    const double want = b >= 0 ? k4 : c >= 0 ? k3 : k2;
                    err = nth_worst(err, fabs(K[i * N + j] - want));
                    most = nth_worst(most, fabs(want));
                }
        }
    NTH_CHECK_CLOSE(err / most, 0.0, 0.0, 1e-13);
    nth_net_destroy(&net);
}

/* Same bits for 1, 2, 3, 7 threads, on a net whose products are cut into several tiles. */
static void same_bits_on_any_threads(void)
{
    enum { n = 260, k = 9, d = 9, m = 520, SIZE = n * n + k * n + k * k };
    const nth_net_config cfg = { .activation = NTH_ACT_GELU,
                                 .layers = 3,
                                 .widths = { d, m, m, 1 },
                                 .sigma_w = 1.3,
                                 .sigma_b = 0.2 };
    static const int     threads[4] = { 1, 2, 3, 7 };
    static double        X[(n + k) * d], u[n], v[n], first[3][SIZE], again[SIZE];
    const int            had = nth_priv_threads();
    nth_net             *net = random_net(&cfg, 5);
    if (!NTH_CHECK(net != NULL)) return;
    nth_rand_normals(X, (n + k) * d, 31, NTH_STREAM_TEST, 0, 0);
    nth_rand_normals(u, n, 31, NTH_STREAM_TEST, 1, 0);
    nth_rand_normals(v, n, 31, NTH_STREAM_TEST, 2, 0);
    for (int t = 0; t < 4; ++t) {
        nth_priv_set_threads(threads[t]);
        for (int order = 2; order <= 4; order += 2) {
            double             *to = t == 0 ? first[order - 2] : again;
            const double *const w[2] = { u, v };
            nth_blocks          K = { .train = nth_mat_of(to, n, n),
                                      .test = nth_mat_of(to + n * n, k, n),
                                      .test_test = nth_mat_of(to + n * n + k * n, k, k) };
            NTH_CHECK_OK(nth_hier_contract(&K, net, nth_cmat_of(X, n, d),
                                           nth_cmat_of(X + n * d, k, d), order, w));
            if (t > 0) NTH_CHECK(memcmp(first[order - 2], again, sizeof again) == 0);
        }
    }
    nth_priv_set_threads(had);
    nth_net_destroy(&net);
}

static void refusals(void)
{
    shape      s;
    block_room room;
    if (!shape_open(&s, 12)) return;
    const double *const v[4] = { s.v[0], s.v[1], s.v[2], s.v[3] };
    const nth_cmat      X = shape_train(&s), Z = shape_test(&s), narrow = nth_cmat_of(s.X, s.n, 2);
    room_open(&room, s.n, s.k);
    for (int order = -1; order <= 9; ++order) {
        if (order >= 2 && order <= 6) continue;
        NTH_CHECK_STATUS(nth_hier_contract(&room.K, s.net, X, Z, order, v), NTH_E_ARG);
        NTH_CHECK_MESSAGE("expected 2 to 6");
    }
    for (int order = 2; order <= 4; ++order) {
        nth_blocks K = room.K;
        NTH_CHECK_STATUS(nth_hier_contract(&K, s.net, narrow, Z, order, v), NTH_E_SHAPE);
        NTH_CHECK_MESSAGE("2 columns, the network expects 3");
        NTH_CHECK_STATUS(nth_hier_contract(&K, s.net, X, nth_cmat_of(s.X, s.k, 2), order, v),
                         NTH_E_SHAPE);
        NTH_CHECK_STATUS(nth_hier_contract(&K, s.net, (nth_cmat){ 0 }, Z, order, v), NTH_E_SHAPE);
        NTH_CHECK_MESSAGE("no training inputs");
        K.train.cols -= 1;
        NTH_CHECK_STATUS(nth_hier_contract(&K, s.net, X, Z, order, v), NTH_E_SHAPE);
        NTH_CHECK_MESSAGE("train block is");
        K = room.K, K.test.rows += 1;
        NTH_CHECK_STATUS(nth_hier_contract(&K, s.net, X, Z, order, v), NTH_E_SHAPE);
        NTH_CHECK_MESSAGE("test block is");
        K = room.K, K.test_test.rows -= 1;
        NTH_CHECK_STATUS(nth_hier_contract(&K, s.net, X, Z, order, v), NTH_E_SHAPE);
        NTH_CHECK_MESSAGE("test-test block is");
        for (int bad = 0; bad < 2; ++bad)
            for (int at = 0; at < 2; ++at) {
                double      *x = s.X + (at ? 3 * (s.n + s.k) - 1 : 0);
                const double kept = *x;
                *x = bad ? INFINITY : NAN;
                NTH_CHECK_STATUS(nth_hier_contract(&room.K, s.net, X, Z, order, v), NTH_E_NUMERIC);
                NTH_CHECK_STATUS(nth_ntk_empirical(&room.K, s.net, X, Z), NTH_E_NUMERIC);
                NTH_CHECK_MESSAGE("non-finite");
                *x = kept;
            }
    }
    shape_close(&s);
}

/* Blocks left out are not needed for those that are wanted. */
static void single_blocks(void)
{
    for (int order = 2; order <= 6; ++order) {
        shape      s;
        block_room all, some;
        if (!shape_open(&s, 13)) return;
        const double *const v[4] = { s.v[0], s.v[1], s.v[2], s.v[3] };
        contract(&all, &s, order, v);
        room_open(&some, s.n, s.k);
        for (int b = 0; b < 3; ++b) {
            nth_blocks K = { 0 };
            if (b == 0) K.train = some.K.train;
            if (b == 1) K.test = some.K.test;
            if (b == 2) K.test_test = some.K.test_test;
            NTH_CHECK_OK(nth_hier_contract(&K, s.net, shape_train(&s), shape_test(&s), order, v));
        }
        NTH_CHECK(equal_bits(&all, &some, 1.0) && room_gaps_untouched(&some));
        shape_close(&s);
    }
}

static shape      sweep;
static int        sweep_order;
static nth_status sweep_contract(void)
{
    const double *const v[4] = { sweep.v[0], sweep.v[1], sweep.v[2], sweep.v[3] };
    block_room          room;
    room_open(&room, sweep.n, sweep.k);
    return nth_hier_contract(&room.K, sweep.net, shape_train(&sweep), shape_test(&sweep),
                             sweep_order, v);
}

static void survives_failing_allocations(void)
{
    if (!shape_open(&sweep, 13)) return; /* doubled, with bias, depth 3 */
    for (sweep_order = 2; sweep_order <= 5; ++sweep_order)
        nth_test_every_allocation_fails(sweep_contract);
    shape_close(&sweep);
}

int main(void)
{
    return nth_test_main(
        "hier", (nth_test_case[]){ { "symmetric_and_consistent", symmetric_and_consistent },
                                   { "permutations", permutations },
                                   { "readout_sign_flip", readout_sign_flip },
                                   { "doubled_nets", doubled_nets },
                                   { "homogeneity", homogeneity },
                                   { "linear_two_layer", linear_two_layer },
                                   { "quadratic_frozen_readout", quadratic_frozen_readout },
                                   { "same_bits_on_any_threads", same_bits_on_any_threads },
                                   { "refusals", refusals },
                                   { "single_blocks", single_blocks },
                                   { "survives_failing_allocations", survives_failing_allocations },
                                   { 0 } });
}
