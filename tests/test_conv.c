/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Convolutional infinite-width kernels against stored values, against the book (conv_ref.c) on odd
 * shapes, against the mean over finite networks (conv_net_ref.c; longer in test_infinite_slow.c), and
 * at coincident, opposite and empty images.
 */
#include "nth_test.h"
#include "conv_net_ref.h"
#include "conv_ref.h"
#include "linalg_priv.h"
#include "loops_priv.h"
#include "nth/rng.h"
#include "par_priv.h"

#include <float.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static nth_conv_config network(ptrdiff_t channels, ptrdiff_t size, int convs, const int *strides, double w2, double b2)
{
    nth_conv_config cfg = { .channels = channels, .height = size, .width = size, .convs = convs,
                            .sigma_w = sqrt(w2), .sigma_b = sqrt(b2) };
    for (int l = 0; l < convs; ++l) cfg.strides[l] = strides[l];
    return cfg;
}

/* All pairs of the rows of X. */
static void kernel(const nth_conv_config *cfg, const double *X, ptrdiff_t n, double *Theta, double *Sigma)
{
    nth_infinite *K = NULL;
    nth_blocks    T = { .train = nth_mat_of(Theta, n, n) }, S = { .train = nth_mat_of(Sigma, n, n) };
    NTH_CHECK_OK(nth_infinite_create_conv(&K, cfg, nth_cmat_of(X, n, cfg->channels * cfg->height * cfg->width),
                                          (nth_cmat){ 0 }));
    NTH_CHECK_OK(nth_infinite_fill(&T, &S, K, NULL, NULL));
    nth_infinite_destroy(&K);
}

/* J1-J4: images cos(1.7 r + 0.6 c + 0.9 ch) and the same + 2.3. */
static void stored_values(void)
{
    static const struct {
        int    size, convs, strides[7];
        double w2, b2, flat, gap, flat_self, gap_self;
    } row[] = {
        { 4, 3, { 1, 1, 2 }, 1, 0, 0.03160195402670046, 0.04182199745245677, 0.197936416532516, 0.07330071574180014 },
        { 4, 3, { 1, 1, 2 }, 2, 0.1, 1.483137956087452, 1.607072091820673, 4.500933281804206, 2.166954490665781 },
        { 4, 3, { 1, 2, 1 }, 2, 0.1, 1.094569715704436, 0.9516100403947422, 2.899011276546991, 1.339609758858986 },
        { 8, 7, { 1, 1, 1, 2, 1, 2, 1 }, 2, 0, 0.7706003024598516, 0.3529571575313897, 2.403085511991463, 0.7631815836323206 }
    };
    static const double nngp[4][2] = { { 0 }, { 0.7630889753013519, 0.7336230784726976 }, { 0 },
                                       { 0.22292884053672507, 0.10685174761766603 } };
    for (int i = 0; i < 4; ++i)
        for (int pool = 0; pool < 2; ++pool) {
            double          X[2 * 2 * 64], Theta[4], Sigma[4];
            nth_conv_config cfg = network(2, row[i].size, row[i].convs, row[i].strides, row[i].w2, row[i].b2);
            const int       n = row[i].size;
            cfg.pooling = pool ? NTH_POOL_GAP : NTH_POOL_FLATTEN;
            for (int p = 0; p < 4 * n * n; ++p)
                X[p] = cos(1.7 * (p / n % n) + 0.6 * (p % n) + 0.9 * (p / (n * n) % 2) + 2.3 * (p / (2 * n * n)));
            kernel(&cfg, X, 2, Theta, Sigma);
            NTH_CHECK_CLOSE(Theta[1], pool ? row[i].gap : row[i].flat, 1e-12, 0.0);
            NTH_CHECK_CLOSE(Theta[0], pool ? row[i].gap_self : row[i].flat_self, 1e-12, 0.0);
            if (nngp[i][0] > 0.0) NTH_CHECK_CLOSE(Sigma[1], nngp[i][pool], 1e-12, 0.0);
            if (i != 3) continue;
            const double wide = Theta[1]; /* sigma_w = 1: divided by 2^8 */
            cfg.sigma_w = 1.0;
            kernel(&cfg, X, 2, Theta, Sigma);
            NTH_CHECK_CLOSE(256.0 * Theta[1], wide, 1e-13, 0.0);
        }
}

/* Shapes that no map, group or stride divides; more images than a group. */
static void matches_the_book(void)
{
    static const struct {
        ptrdiff_t C, H, W;
        int       convs, strides[5];
        double    b;
    } row[] = { { 1, 5, 7, 3, { 1, 2, 1 }, 0.3 }, { 2, 7, 4, 4, { 2, 1, 3, 1 }, 0.0 }, { 3, 6, 6, 2, { 2, 2 }, 0.5 },
                { 1, 1, 9, 3, { 1, 1, 2 }, 0.2 }, { 2, 9, 5, 5, { 1, 1, 2, 1, 2 }, 0.0 }, { 1, 11, 3, 3, { 4, 1, 1 }, 0.1 }, { 2, 1, 1, 2, { 1, 16 }, 0.1 },
                { 1, 9, 12, 3, { 1, 7, 16 }, 0.3 } };
    enum { n = 11, MOST = 3 * 100 };
    for (size_t i = 0; i < sizeof row / sizeof *row; ++i)
        for (int pool = 0; pool < 2; ++pool) {
            nth_conv_config cfg = { .channels = row[i].C, .height = row[i].H, .width = row[i].W, .convs = row[i].convs,
                                    .sigma_w = 1.3, .sigma_b = row[i].b, .pooling = pool ? NTH_POOL_GAP : NTH_POOL_FLATTEN };
            const ptrdiff_t d = row[i].C * row[i].H * row[i].W;
            double          X[n * MOST], Theta[n * n], Sigma[n * n], worst = 0.0, scale = 0.0;
            memcpy(cfg.strides, row[i].strides, sizeof row[i].strides);
            nth_rand_normals(X, n * d, 71 + i, NTH_STREAM_TEST, 0, 0);
            kernel(&cfg, X, n, Theta, Sigma);
            for (int a = 0; a < n * n; ++a) {
                double T, S;
                conv_ref(&cfg, X + a / n * d, X + a % n * d, &T, &S);
                if (a / n == a % n) scale = fmax(scale, T);
                /* the twin takes its angles from 1 - cos^2: 1e-8 where images coincide */
                const double slack = a / n == a % n ? 1e-7 : 1.0;
                worst = nth_worst(worst, slack * fabs(Theta[a] - T));
                worst = nth_worst(worst, slack * fabs(Sigma[a] - S));
                NTH_CHECK(Theta[a] == Theta[a % n * n + a / n] && Sigma[a] == Sigma[a % n * n + a / n]);
            }
            NTH_CHECK_CLOSE(worst, 0.0, 0.0, 2e-14 * scale);
        }
}

/* The finite networks' gradient is that of their output, every kind of parameter. */
static void finite_networks_derive(void)
{
    static const int strides[] = { 1, 2, 1 };
    for (int pool = 0; pool < 2; ++pool) {
        nth_conv_config cfg = network(2, 5, 3, strides, 1.5, 0.2);
        double          x[50], theta[512], grad[512], worst = 0.0, most = 0.0;
        cfg.pooling = pool ? NTH_POOL_GAP : NTH_POOL_FLATTEN;
        const ptrdiff_t P = conv_net_parameters(&cfg, 3);
        if (!NTH_CHECK(P == 57 + 84 + 84 + (pool ? 3 : 27) + 1 && P <= 512)) return;
        for (int p = 0; p < 50; ++p) x[p] = cos(3.0 * p);
        nth_rand_normals(theta, P, 61, NTH_STREAM_TEST, 0, 0);
        (void)conv_net_ref(grad, &cfg, 3, theta, x);
        for (ptrdiff_t p = 0; p < P; ++p) {
            const double h = 1e-6, keep = theta[p];
            theta[p] = keep + h;
            const double up = conv_net_ref(NULL, &cfg, 3, theta, x);
            theta[p] = keep - h;
            worst = nth_worst(worst, fabs((up - conv_net_ref(NULL, &cfg, 3, theta, x)) / (2.0 * h) - grad[p]));
            most = fmax(most, fabs(grad[p]));
            theta[p] = keep;
        }
        NTH_CHECK_CLOSE(worst, 0.0, 0.0, 1e-9 * most); /* eps / h, and h^2 */
    }
}

/* Mean tangent kernel of 1500 networks of 8 channels on the images of J2: 5 standard errors. */
static void mean_of_finite_networks(void)
{
    static const int strides[] = { 1, 1, 2 };
    enum { m = 8, NETS = 1500, d = 32, MOST = 2048 };
    static double theta[MOST], grad[2][MOST];
    double        X[2 * d], Theta[4], Sigma[4];
    for (int p = 0; p < 2 * d; ++p) X[p] = cos(1.7 * (p / 4 % 4) + 0.6 * (p % 4) + 0.9 * (p / 16 % 2) + 2.3 * (p / d));
    for (int pool = 0; pool < 2; ++pool) {
        nth_conv_config cfg = network(2, 4, 3, strides, 2.0, 0.1);
        double          sum[4] = { 0 }, square[4] = { 0 };
        cfg.pooling = pool ? NTH_POOL_GAP : NTH_POOL_FLATTEN;
        const ptrdiff_t P = conv_net_parameters(&cfg, m);
        if (!NTH_CHECK(P <= MOST)) return;
        for (uint32_t run = 0; run < NETS; ++run) {
            nth_rand_normals(theta, P, 62, NTH_STREAM_TEST, run, 0);
            for (int i = 0; i < 2; ++i) (void)conv_net_ref(grad[i], &cfg, m, theta, X + i * d);
            for (int e = 0; e < 4; ++e) {
                double k = 0.0;
                for (ptrdiff_t p = 0; p < P; ++p) k += grad[e / 2][p] * grad[e % 2][p];
                sum[e] += k, square[e] += k * k;
            }
        }
        kernel(&cfg, X, 2, Theta, Sigma);
        for (int e = 0; e < 4; ++e) {
            const double mean = sum[e] / NETS, se = sqrt((square[e] / NETS - mean * mean) / NETS);
            if (e != 2) printf("    %s: %.4f +- %.4f, at infinite width %.4f\n", pool ? "gap" : "flatten", mean, se, Theta[e]);
            NTH_CHECK_CLOSE(mean, Theta[e], 0.0, 5.0 * se);
            NTH_CHECK(se < 0.05 * Theta[e]); /* or the comparison says little */
        }
    }
}

/* Coincident, opposite, zero, 1e-9 apart; positive semidefinite; the diagonal in closed form. */
static void degenerate_images(void)
{
    static const int strides[] = { 1, 1, 2, 1 };
    enum { n = 8, d = 2 * 36 };
    for (int kind = 0; kind < 4; ++kind) {
        double          X[n * d], Theta[n * n], Sigma[n * n], values[n], U[n * n], trace = 0.0;
        nth_conv_config cfg = network(2, 6, 4, strides, 2.0, kind & 1 ? 0.2 : 0.0);
        cfg.pooling = kind & 2 ? NTH_POOL_GAP : NTH_POOL_FLATTEN;
        nth_rand_normals(X, n * d, 81, NTH_STREAM_TEST, 0, 0);
        for (int p = 0; p < d; ++p) {
            X[3 * d + p] = X[p], X[4 * d + p] = -X[d + p], X[5 * d + p] = 0.0;
            X[6 * d + p] = X[2 * d + p] * (1.0 + 1e-9), X[7 * d + p] = X[p] + 1e-9 * cos(p);
        }
        kernel(&cfg, X, n, Theta, Sigma);
        for (int i = 0; i < n; ++i) trace += Theta[i * n + i];
        for (int j = 0; j < n; ++j) NTH_CHECK_CLOSE(Theta[3 * n + j], Theta[j], 0.0, 2e-15 * trace);
        NTH_CHECK_CLOSE(Theta[2 * n + 6], Theta[2 * n + 2], 3e-9, 0.0); /* first order in the step */
        NTH_CHECK_CLOSE(Theta[7], Theta[0], 1e-8, 0.0);
        NTH_CHECK(kind & 1 ? Theta[5 * n + 5] > 0.0 : Theta[5 * n + 5] == 0.0);
        for (int i = 0; i < n * n; ++i) NTH_CHECK(isfinite(Theta[i]) && isfinite(Sigma[i]));
        NTH_CHECK_OK(nth_eigh(nth_cmat_of(Theta, n, n), values, nth_mat_of(U, n, n)));
        NTH_CHECK(-values[0] <= n * DBL_EPSILON * trace);
        NTH_CHECK_OK(nth_eigh(nth_cmat_of(Sigma, n, n), values, nth_mat_of(U, n, n)));
        NTH_CHECK(-values[0] <= n * DBL_EPSILON * trace);
    }
}

/* Rectangles anywhere, single entries and the diagonal are parts of the whole, to the bit. */
static void tiles_are_parts(void)
{
    static const int strides[] = { 1, 2, 1 };
    enum { n = 13, k = 6, N = n + k, d = 5 * 5 };
    double                X[N * d], whole[N * N], other[N * N], tile[7 * 5], diagonal[N], one;
    const nth_conv_config cfg = network(1, 5, 3, strides, 1.5, 0.1);
    nth_infinite         *K = NULL;
    nth_rand_normals(X, N * d, 91, NTH_STREAM_TEST, 0, 0);
    kernel(&cfg, X, N, whole, other);
    NTH_CHECK_OK(nth_infinite_create_conv(&K, &cfg, nth_cmat_of(X, n, d), nth_cmat_of(X + n * d, k, d)));
    NTH_CHECK(nth_infinite_points(K) == N && nth_infinite_train_points(K) == n);
    NTH_CHECK(nth_infinite_positions(K) == 25 + 9 + 9);
    NTH_CHECK_OK(nth_infinite_tile(nth_mat_of(tile, 7, 5), (nth_mat){ 0 }, K, 10, 2));
    for (int i = 0; i < 35; ++i) NTH_CHECK_CLOSE(tile[i], whole[(10 + i / 5) * N + 2 + i % 5], 1e-15, 0.0);
    NTH_CHECK_OK(nth_infinite_tile((nth_mat){ 0 }, nth_mat_of(&one, 1, 1), K, 17, 4));
    NTH_CHECK_CLOSE(one, other[17 * N + 4], 1e-15, 0.0);
    NTH_CHECK_OK(nth_infinite_diagonal(diagonal, NULL, K));
    for (int i = 0; i < N; ++i) NTH_CHECK(diagonal[i] == whole[i * N + i]);
    NTH_CHECK_STATUS(nth_infinite_tile(nth_mat_of(tile, 7, 5), (nth_mat){ 0 }, K, 14, 2), NTH_E_SHAPE);
    NTH_CHECK_STATUS(nth_infinite_tile((nth_mat){ 0 }, (nth_mat){ 0 }, K, 0, 0), NTH_E_ARG);
    nth_infinite_destroy(&K);
    nth_infinite_destroy(&K);
}

static void same_bits_on_any_threads(void)
{
    static const int strides[] = { 1, 2, 1 };
    enum { n = 37, d = 3 * 36 };
    static double X[n * d], first[2 * n * n], again[2 * n * n];
    const int     had = nth_priv_threads();
    nth_rand_normals(X, n * d, 95, NTH_STREAM_TEST, 0, 0);
    for (int threads = 1; threads <= 7; threads += threads < 3 ? 1 : 4) {
        const nth_conv_config cfg = network(3, 6, 3, strides, 1.5, 0.1);
        double               *to = threads == 1 ? first : again;
        nth_priv_set_threads(threads);
        kernel(&cfg, X, n, to, to + n * n);
        if (threads > 1) NTH_CHECK(memcmp(first, again, sizeof first) == 0);
    }
    nth_priv_set_threads(had);
}

/* Each build of the loops that this CPU can run gives the stored and the twin's values. */
static void builds_agree(void)
{
    const nth_loops *build[3] = { &nth_loops_portable, NULL, NULL };
#if defined(__x86_64__) && defined(__GNUC__)
    if (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma")) build[1] = &nth_loops_avx2;
    if (__builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512dq")) build[2] = &nth_loops_avx512;
#endif
    for (int b = 0; b < 3; ++b) {
        nth_test_loops = build[b];
        if (build[b] == NULL) continue;
        printf("    %s\n", build[b]->name);
        stored_values();
        matches_the_book();
        degenerate_images();
    }
    nth_test_loops = NULL;
}

/* The kernel of scaled images is the scaled kernel; images out of range are refused. */
static void scales(void)
{
    static const int      strides[] = { 1, 2 };
    const nth_conv_config cfg = network(2, 3, 2, strides, 2.0, 0.0);
    double                X[2 * 18], Y[2 * 18], T[4], S[4], ratio = 0.0;
    nth_infinite         *K = NULL;
    nth_rand_normals(X, 36, 97, NTH_STREAM_TEST, 0, 0);
    for (int e = -45; e <= 45; e += 15) {
        for (int p = 0; p < 36; ++p) Y[p] = X[p] * pow(10.0, e);
        kernel(&cfg, Y, 2, T, S);
        if (e == -45) ratio = T[1] / T[0];
        NTH_CHECK_CLOSE(T[1] / T[0], ratio, 1e-13, 0.0);
    }
    for (int sign = -1; sign <= 1; sign += 2) {
        for (int p = 0; p < 36; ++p) Y[p] = X[p] * pow(10.0, 90 * sign);
        NTH_CHECK_STATUS(nth_infinite_create_conv(&K, &cfg, nth_cmat_of(Y, 2, 18), (nth_cmat){ 0 }), NTH_E_NUMERIC);
        NTH_CHECK_MESSAGE("within range");
    }
    for (int p = 0; p < 18; ++p) Y[p] = X[p], Y[18 + p] = p % 2 ? 1e-120 * X[p] : X[p]; /* some pixels all but dark */
    kernel(&cfg, Y, 2, T, S);
    NTH_CHECK(isfinite(T[0]) && isfinite(T[1]) && T[3] > 0.0);
}

static nth_status build_once(void)
{
    static const int      strides[] = { 1, 2 };
    const nth_conv_config cfg = network(1, 4, 2, strides, 1.5, 0.1);
    double                X[3 * 16], T[9];
    nth_infinite         *K = NULL;
    nth_blocks            B = { .train = nth_mat_of(T, 3, 3) };
    for (int p = 0; p < 48; ++p) X[p] = cos(p);
    nth_status st = nth_infinite_create_conv(&K, &cfg, nth_cmat_of(X, 3, 16), (nth_cmat){ 0 });
    if (st == NTH_OK) st = nth_infinite_fill(&B, NULL, K, NULL, NULL);
    nth_infinite_destroy(&K);
    return st;
}

static void every_allocation_fails(void) { nth_test_every_allocation_fails(build_once); }

static bool stop_at_once(double done, void *ctx)
{
    *(double *)ctx = done;
    return false;
}

static void refusals(void)
{
    static const int strides[] = { 1, 2 };
    double           X[32] = { 0 }, T[4], done = 0.0;
    nth_infinite    *K = NULL;
    nth_blocks       B = { .train = nth_mat_of(T, 2, 2) };
    nth_conv_config  cfg = network(1, 4, 2, strides, 1.0, 0.0);
    const nth_cmat   x = nth_cmat_of(X, 2, 16);
    NTH_CHECK_STATUS(nth_infinite_create_conv(&K, &cfg, nth_cmat_of(X, 2, 15), (nth_cmat){ 0 }), NTH_E_SHAPE);
    NTH_CHECK(K == NULL);
    cfg.convs = 1;
    NTH_CHECK_STATUS(nth_infinite_create_conv(&K, &cfg, x, (nth_cmat){ 0 }), NTH_E_ARG);
    cfg.convs = 2, cfg.strides[1] = 0;
    NTH_CHECK_STATUS(nth_infinite_create_conv(&K, &cfg, x, (nth_cmat){ 0 }), NTH_E_ARG);
    cfg.strides[1] = 2, cfg.sigma_w = NAN;
    NTH_CHECK_STATUS(nth_infinite_create_conv(&K, &cfg, x, (nth_cmat){ 0 }), NTH_E_ARG);
    cfg.sigma_w = 1.0, X[3] = NAN;
    NTH_CHECK_STATUS(nth_infinite_create_conv(&K, &cfg, x, (nth_cmat){ 0 }), NTH_E_NUMERIC);
    X[3] = 0.0;
    NTH_CHECK_OK(nth_infinite_create_conv(&K, &cfg, x, (nth_cmat){ 0 }));
    NTH_CHECK_STATUS(nth_infinite_fill(&B, NULL, K, stop_at_once, &done), NTH_E_INTERRUPTED);
    NTH_CHECK(done == 1.0);
    nth_infinite_destroy(&K);
}

int main(void)
{
    return nth_test_main("conv", (nth_test_case[]){ { "stored_values", stored_values },
                                                    { "matches_the_book", matches_the_book },
                                                    { "finite_networks_derive", finite_networks_derive },
                                                    { "mean_of_finite_networks", mean_of_finite_networks },
                                                    { "degenerate_images", degenerate_images },
                                                    { "tiles_are_parts", tiles_are_parts },
                                                    { "same_bits_on_any_threads", same_bits_on_any_threads },
                                                    { "builds_agree", builds_agree },
                                                    { "scales", scales },
                                                    { "every_allocation_fails", every_allocation_fails },
                                                    { "refusals", refusals },
                                                    { 0 } });
}
