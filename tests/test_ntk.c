/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Infinite-width tangent kernels that have a closed form, against stored values (docs/equations.md:
 * dual activations, the circle, published anchors), models solved on paper, and the inputs at which
 * careless formulas lose digits: equal, opposite, nearly parallel, zero, huge.
 */
#include "nth_test.h"
#include "fixtures.h"
#include "linalg_priv.h"
#include "nth/ntk.h"
#include "nth/rng.h"
#include "par_priv.h"

#include <float.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

static const double PI = 3.14159265358979323846;

static nth_net_config infinite(nth_activation act, int layers, ptrdiff_t d, double w2, double b2)
{
    nth_net_config cfg = { .activation = act,
                           .layers = layers,
                           .sigma_w = sqrt(w2),
                           .sigma_b = sqrt(b2),
                           .input_scale = NTH_INPUT_ONE };
    cfg.widths[0] = d;
    for (int l = 1; l <= layers; ++l) cfg.widths[l] = 1;
    return cfg;
}

/* Theta^L of one pair, as the entry test x train; the train block must hold the mirror image. */
static double pair(const nth_net_config *cfg, const double *x, const double *z)
{
    const ptrdiff_t d = cfg->widths[0];
    double          T[4], one, both[2 * 8];
    nth_blocks      K = { .test = nth_mat_of(&one, 1, 1) }, B = { .train = nth_mat_of(T, 2, 2) };
    NTH_CHECK_OK(nth_ntk_infinite(&K, cfg, nth_cmat_of(x, 1, d), nth_cmat_of(z, 1, d)));
    memcpy(both, x, (size_t)d * sizeof(double));
    memcpy(both + d, z, (size_t)d * sizeof(double));
    NTH_CHECK_OK(nth_ntk_infinite(&B, cfg, nth_cmat_of(both, 2, d), (nth_cmat){ 0 }));
    NTH_CHECK(T[1] == T[2]);
    NTH_CHECK_CLOSE(T[1], one, 0.0, 4e-15 * sqrt(T[0] * T[3]));
    return one;
}

/* Two layers, weights 1, no bias: Theta = S + k Sdot of the rows G1, G4-G8. */
static void dual_activations(void)
{
    static const struct {
        nth_activation act;
        double         S, Sdot;
    } row[] = { { NTH_ACT_RELU, 0.222902162180695, 0.3055321131309485 },
                { NTH_ACT_ERF, 0.1389324068593618, 0.4706028772443743 },
                { NTH_ACT_GELU, 0.1488012685987417, 0.3099761125906324 },
                { NTH_ACT_SIN, 0.1238087120909122, 0.4250029240031143 },
                { NTH_ACT_QUADRATIC, 0.95, 1.2 },
                { NTH_ACT_LINEAR, 0.3, 1.0 } };
    const double q1 = 1.1, q2 = 0.7, k = 0.3, x[2] = { sqrt(q1), 0.0 },
                 z[2] = { k / sqrt(q1), sqrt(q2 - k * k / q1) };
    for (int a = 0; a < 6; ++a) {
        const nth_net_config cfg = infinite(row[a].act, 2, 2, 1.0, 0.0);
        NTH_CHECK_CLOSE(pair(&cfg, x, z), row[a].S + k * row[a].Sdot, 1e-14, 0.0);
    }
}

/* H1-H9: unit inputs at an angle. The two ends must be exact to 1e-15. */
static void circle_table(void)
{
    static const double relu[6][3] = { { 4, 6, 8 },
                                       { 3.205061232131919, 4.488464774523515, 5.629895073944721 },
                                       { 1.884662228755125, 2.702959122246966, 3.475689358430618 },
                                       { 0.6366197723675813, 1.371417272565885, 2.120776213605166 },
                                       { -0.1153377712448746, 0.6877244925454537,
                                         1.484498645122359 },
                                       { 0, 0.6366197723675813, 1.371417272565885 } };
    static const double erf_[6][2] = {
        { 1.033969089131282, 1.098606213471451 },    { 0.8419847101091603, 0.8744676807230297 },
        { 0.441425974978062, 0.4429799590318693 },   { 0, 0 },
        { -0.441425974978062, -0.4429799590318693 }, { -1.033969089131282, -1.098606213471451 }
    };
    static const double gelu[3] = { 6.016871639426224, 2.757743754880714, 0.4095400797801265 };
    static const double sine[3] = { 2.444755564178828, 0.781968118459935, -1.727069171515688 };
    static const double co[6] = { 1, 0.86602540378443864676, 0.5, 0, -0.5, -1 };
    static const double si[6] = { 0, 0.5, 0.86602540378443864676, 1, 0.86602540378443864676, 0 };
    const double        x[2] = { 1, 0 };
    for (int a = 0; a < 6; ++a) {
        const double z[2] = { co[a], si[a] }, end = a == 0 || a == 5 ? 1e-15 : 1e-14;
        for (int L = 2; L <= 4; ++L) {
            const nth_net_config cfg = infinite(NTH_ACT_RELU, L, 2, 2.0, 0.0);
            NTH_CHECK_CLOSE(pair(&cfg, x, z), relu[a][L - 2], end, end);
        }
        for (int L = 2; L <= 3; ++L) {
            const nth_net_config cfg = infinite(NTH_ACT_ERF, L, 2, 1.0, 0.0);
            NTH_CHECK_CLOSE(pair(&cfg, x, z), erf_[a][L - 2], end, end);
        }
        if (a == 0 || a == 2 || a == 5) {
            const nth_net_config g = infinite(NTH_ACT_GELU, 3, 2, 2.0, 0.1),
                                 s = infinite(NTH_ACT_SIN, 3, 2, 1.5, 0.05);
            NTH_CHECK_CLOSE(pair(&g, x, z), gelu[a == 0 ? 0 : a == 2 ? 1 : 2], 1e-14, 0.0);
            NTH_CHECK_CLOSE(pair(&s, x, z), sine[a == 0 ? 0 : a == 2 ? 1 : 2], 1e-14, 0.0);
        }
    }
}

/* H10, and the published anchors I1, I2, I4, I5 (their convention is ours over sigma_w^2). */
static void stored_values(void)
{
    nth_net_config cfg = infinite(NTH_ACT_ERF, 3, 2, 2.25, 0.04);
    fixture_points();
    cfg.input_scale = NTH_INPUT_FAN_IN;
    NTH_CHECK_CLOSE(pair(&cfg, fx_Q, fx_Q + 2), 1.397343490396887, 1e-14, 0.0);
    static const double r1[2] = { -0.9895229339599609, -0.5992491841316223 },
                        r2[2] = { -0.17877478897571564, 2.253682851791382 };
    cfg = infinite(NTH_ACT_RELU, 4, 2, 2.0, 0.0);
    cfg.input_scale = NTH_INPUT_FAN_IN;
    NTH_CHECK_CLOSE(pair(&cfg, r1, r1) / 2.0, 2.676510443030288, 1e-14, 0.0);
    NTH_CHECK_CLOSE(pair(&cfg, r1, r2) / 2.0, 0.9988650318426098, 1e-14, 0.0);
    static const double g1[4] = { 0.6540248765053858, -1.3592788739383235, -0.3791179316445409,
                                  0.34191025226280697 };
    static const double g2[4] = { -0.6786403121150224, -0.12161213502515096, 0.21716372787141658,
                                  -1.4709063616118982 };
    cfg = infinite(NTH_ACT_GELU, 4, 4, 1.98305826, 0.0);
    cfg.input_scale = NTH_INPUT_FAN_IN;
    NTH_CHECK_CLOSE(pair(&cfg, g1, g1) / 1.98305826, 1.749267712049525, 1e-13, 0.0);
    NTH_CHECK_CLOSE(pair(&cfg, g1, g2) / 1.98305826, 0.1768562984374126, 1e-13, 0.0);
}

/* Linear nets of any depth: Theta^L = L w^2L x.x' / d; with bias by the two-term recursion. */
static void linear_depths(void)
{
    static const double x[3] = { 0.3, -1.2, 0.7 }, z[3] = { 1.1, 0.4, -0.2 };
    const double        dot = x[0] * z[0] + x[1] * z[1] + x[2] * z[2];
    for (int L = 2; L <= 32; L += 5)
        for (int bias = 0; bias < 2; ++bias) {
            nth_net_config cfg = infinite(NTH_ACT_LINEAR, L, 3, 1.3, bias ? 0.2 : 0.0);
            double         Sigma = 1.3 * dot / 3.0 + (bias ? 0.2 : 0.0), Theta = Sigma;
            cfg.input_scale = NTH_INPUT_FAN_IN;
            for (int l = 1; l < L; ++l)
                Sigma = 1.3 * Sigma + (bias ? 0.2 : 0.0), Theta = Sigma + 1.3 * Theta;
            NTH_CHECK_CLOSE(pair(&cfg, x, z), Theta, 1e-14, 1e-14);
            if (!bias) NTH_CHECK_CLOSE(pair(&cfg, x, z), L * pow(1.3, L) * dot / 3.0, 1e-14, 0.0);
        }
}

/* Two-layer relu, E3 form: E K2 = |x||x'| (sin th + 2 (pi - th) cos th) / (2 pi), any norms. */
static void relu_two_layers(void)
{
    const nth_net_config cfg = infinite(NTH_ACT_RELU, 2, 2, 1.0, 0.0);
    for (int a = 1; a < 40; ++a)
        for (int e = -6; e <= 6; e += 3) {
            const double th = PI * a / 40.0, size = pow(10.0, e);
            const double x[2] = { 3.0, 0.0 }, z[2] = { size * cos(th), size * sin(th) };
            const double want = 3.0 * size / (2.0 * PI) * (sin(th) + 2.0 * (PI - th) * cos(th));
            NTH_CHECK_CLOSE(pair(&cfg, x, z), want, 0.0, 1e-14 * 3.0 * size);
        }
}

/* Angles next to 0 and pi, where q1 q2 - k^2 has no digits left. */
static void nearly_parallel(void)
{
    static const struct {
        double th, value[6];
    } row[] = {
#include "golden/dual.inc"
    };
    static const double directions[3][4] = { { 1, 0, 0, 1 },
                                             { 0.6, 0.8, -0.8, 0.6 },
                                             { -0.28, 0.96, -0.96, -0.28 } };
    double              worst = 0.0;
    for (size_t a = 0; a < sizeof row / sizeof row[0]; ++a)
        for (int v = 0; v < 6; ++v)
            for (int k = 0; k < 9; ++k) {
                const int            L = 2 + v % 3, sign = v < 3 ? 1 : -1;
                const nth_net_config cfg = infinite(NTH_ACT_RELU, L, 2, 2.0, 0.0);
                const double        *u = directions[k % 3], size = k / 3 == 0   ? 1.0
                                                                   : k / 3 == 1 ? 3.0
                                                                                : 0.07;
                const double         c = cos(row[a].th), s = sin(row[a].th);
                const double x[2] = { u[0], u[1] }, z[2] = { size * sign * (c * u[0] + s * u[2]),
                                                             size * sign * (c * u[1] + s * u[3]) };
                worst =
                    nth_worst(worst, fabs(pair(&cfg, x, z) / size - row[a].value[v]) / (2.0 * L));
            }
    printf("    nearly parallel: worst %.2e of the diagonal\n", worst);
    NTH_CHECK_CLOSE(worst, 0.0, 0.0, 4e-15); /* the inputs themselves are rounded: 1e-16 in angle */
}

/* relu with bias: any norms and angles, and pairs that are parallel, opposite or next to each other. */
static void relu_with_bias(void)
{
    static const struct {
        double x[2], z[2], value[4];
    } row[] = {
#include "golden/relu_pairs.inc"
    };
    double worst = 0.0;
    for (size_t a = 0; a < sizeof row / sizeof row[0]; ++a)
        for (int L = 2; L <= 5; ++L) {
            const nth_net_config cfg = infinite(NTH_ACT_RELU, L, 2, 1.7, 0.3);
            const double         scale =
                sqrt(pair(&cfg, row[a].x, row[a].x) * pair(&cfg, row[a].z, row[a].z));
            const double e = fabs(pair(&cfg, row[a].x, row[a].z) - row[a].value[L - 2]) / scale;
            worst = nth_worst(worst, e);
        }
    printf("    relu with bias: worst %.2e of the diagonal\n", worst);
    NTH_CHECK_CLOSE(worst, 0.0, 0.0, 4e-15);
}

enum { N = 9, D = 3 };

/* Equal, opposite, multiple and zero inputs among others; all activations, depths, bias. */
static void degenerate_inputs(void)
{
    double X[N * D], T[N * N], S[N * N], Q[N * N], U[N * N], d[N];
    nth_rand_normals(X, N * D, 51, NTH_STREAM_TEST, 0, 0);
    for (int k = 0; k < D; ++k) {
        X[5 * D + k] = X[k], X[6 * D + k] = -X[D + k], X[7 * D + k] = 0.0,
                  X[8 * D + k] = 3.0 * X[2 * D + k];
    }
    for (int act = 0; act < NTH_ACT_COUNT; ++act)
        for (int L = 2; L <= 5; ++L)
            for (int kind = 0; kind < 4; ++kind) {
                nth_net_config cfg = infinite((nth_activation)act, L, D, 1.7, kind & 1 ? 0.3 : 0.0);
                nth_blocks     K = { .train = nth_mat_of(T, N, N),
                                     .test = nth_mat_of(S, N, N),
                                     .test_test = nth_mat_of(Q, N, N) };
                double         trace = 0.0, worst = 0.0;
                const bool     series = act == NTH_ACT_TANH || act == NTH_ACT_SOFTPLUS;
                if (kind & 2) cfg.input_scale = NTH_INPUT_FAN_IN;
                NTH_CHECK_OK(
                    nth_ntk_infinite(&K, &cfg, nth_cmat_of(X, N, D), nth_cmat_of(X, N, D)));
                for (int i = 0; i < N; ++i) trace += T[i * N + i];
                for (int i = 0; i < N; ++i)
                    for (int j = 0; j < N; ++j) {
                        NTH_CHECK(T[i * N + j] == T[j * N + i] && Q[i * N + j] == Q[j * N + i]);
                        /* A series has its coefficients from a product of all points at once, whose
                         * last bit may depend on the row, as the BLAS goes. */
                        NTH_CHECK_CLOSE(Q[i * N + j], T[i * N + j], series ? 1e-15 : 0.0, 0.0);
                        worst = nth_worst(worst, fabs(T[i * N + j] - S[i * N + j]) / trace);
                    }
                NTH_CHECK_CLOSE(worst, 0.0, 0.0, 1e-15);
                K = (nth_blocks){ .test = nth_mat_of(S, 4, N), .test_test = nth_mat_of(Q, 4, 4) };
                NTH_CHECK_OK(nth_ntk_infinite(&K, &cfg, nth_cmat_of(X, N, D),
                                              nth_cmat_of(X, 4, D))); /* part of X */
                for (int i = 0; i < 4 * N; ++i) NTH_CHECK_CLOSE(S[i], T[i], 0.0, 1e-15 * trace);
                for (int i = 0; i < 16; ++i) NTH_CHECK_CLOSE(Q[i], T[i / 4 * N + i % 4], 0.0, 1e-15 * trace);
                for (int j = 0; j < N; ++j)
                    NTH_CHECK(T[j] == T[5 * N + j] || fabs(T[j] - T[5 * N + j]) <= 1e-15 * trace);
                NTH_CHECK_OK(nth_eigh(nth_cmat_of(T, N, N), d, nth_mat_of(U, N, N)));
                NTH_CHECK(-d[0] <= N * DBL_EPSILON * trace);
            }
}

/* Inputs of any size: finite, and bounded by the diagonal. */
static void huge_and_tiny_inputs(void)
{
    for (int act = 0; act < NTH_ACT_COUNT; ++act)
        for (int e = -150; e <= 40; e += 10) {
            const double s = pow(10.0, e), X[6] = { s, 0.0, 0.6 * s, 0.8 * s, -s, 1e-3 * s };
            const nth_net_config cfg = infinite((nth_activation)act, 3, 2, 1.5, 0.1);
            double               T[9];
            nth_blocks           K = { .train = nth_mat_of(T, 3, 3) };
            if (act == NTH_ACT_QUADRATIC && e > 10) continue; /* q^4 within double */
            if ((act == NTH_ACT_TANH || act == NTH_ACT_SOFTPLUS) && e > 0) continue; /* a series reaches q = 100 */
            NTH_CHECK_OK(nth_ntk_infinite(&K, &cfg, nth_cmat_of(X, 3, 2), (nth_cmat){ 0 }));
            for (int i = 0; i < 3; ++i)
                for (int j = 0; j < 3; ++j)
                    NTH_CHECK(fabs(T[i * 3 + j]) <=
                              sqrt(T[i * 4]) * sqrt(T[j * 4]) * (1.0 + 1e-14));
        }
}

/* Blocks of the empirical kernel are those of any other net here: bits for any number of threads. */
static void same_bits_on_any_threads(void)
{
    enum { n = 120, k = 31, d = 11 };
    static double        X[(n + k) * d], first[n * n + k * n], again[n * n + k * n];
    const nth_net_config cfg = infinite(NTH_ACT_RELU, 4, d, 2.0, 0.1);
    const int            had = nth_priv_threads();
    nth_rand_normals(X, (n + k) * d, 61, NTH_STREAM_TEST, 0, 0);
    for (int threads = 1; threads <= 7; threads += threads < 3 ? 1 : 4) {
        double    *to = threads == 1 ? first : again;
        nth_blocks K = { .train = nth_mat_of(to, n, n), .test = nth_mat_of(to + n * n, k, n) };
        nth_priv_set_threads(threads);
        NTH_CHECK_OK(
            nth_ntk_infinite(&K, &cfg, nth_cmat_of(X, n, d), nth_cmat_of(X + n * d, k, d)));
        if (threads > 1) NTH_CHECK(memcmp(first, again, sizeof first) == 0);
    }
    nth_priv_set_threads(had);
}

static void refusals(void)
{
    double                      X[6] = { 0 }, T[4], S[2];
    nth_blocks                  K = { .train = nth_mat_of(T, 2, 2) };
    nth_net_config cfg = infinite(NTH_ACT_ERF, 2, 2, 1, 0);
    NTH_CHECK_STATUS(nth_ntk_infinite(&K, &cfg, nth_cmat_of(X, 2, 3), (nth_cmat){ 0 }),
                     NTH_E_SHAPE);
    NTH_CHECK_STATUS(nth_ntk_infinite(&K, &cfg, nth_cmat_of(X, 3, 2), (nth_cmat){ 0 }),
                     NTH_E_SHAPE);
    NTH_CHECK_STATUS(nth_ntk_infinite(&K, &cfg, nth_cmat_of(X, 2, 2), nth_cmat_of(X, 1, 3)),
                     NTH_E_SHAPE);
    K.test = nth_mat_of(S, 2, 1);
    NTH_CHECK_STATUS(nth_ntk_infinite(&K, &cfg, nth_cmat_of(X, 2, 2), nth_cmat_of(X, 1, 2)),
                     NTH_E_SHAPE);
    cfg.sigma_w = 0.0;
    NTH_CHECK_STATUS(nth_ntk_infinite(&K, &cfg, nth_cmat_of(X, 2, 2), (nth_cmat){ 0 }), NTH_E_ARG);
}

int main(void)
{
    return nth_test_main(
        "ntk", (nth_test_case[]){ { "dual_activations", dual_activations },
                                  { "circle_table", circle_table },
                                  { "stored_values", stored_values },
                                  { "linear_depths", linear_depths },
                                  { "relu_two_layers", relu_two_layers },
                                  { "nearly_parallel", nearly_parallel },
                                  { "relu_with_bias", relu_with_bias },
                                  { "degenerate_inputs", degenerate_inputs },
                                  { "huge_and_tiny_inputs", huge_and_tiny_inputs },
                                  { "same_bits_on_any_threads", same_bits_on_any_threads },
                                  { "refusals", refusals },
                                  { 0 } });
}
