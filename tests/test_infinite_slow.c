/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Infinite-width kernels against the mean over random networks. Takes minutes.
 *
 * Two weight layers: E K_0 is the analytic kernel at every width, so each width is held to it. Deeper
 * networks have a mean shift of order 1/m (docs/equations.md, E54), convolutional ones, too: their means
 * at three widths are extrapolated by a + b/m, least squares weighted by the standard errors, and a is
 * held to the analytic kernel. What each width says by itself is printed.
 *
 * z is a deviation in standard errors. Each entry of a kernel must have |z| <= 4; a case prints the entry
 * with the largest. Of the 960 entries held directly and the 240 extrapolated, many alike, 0.1 would
 * exceed 4 by chance if means were Gaussian. The seeds are fixed, so a run repeats to the bit.
 */
#include "nth_test.h"
#include "alloc_priv.h"
#include "conv_net_ref.h"
#include "nth/ntk.h"
#include "nth/rng.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- Statistics --------------------------------------------------------------------------------- */

/* Running mean and sum of squared deviations (Welford). */
typedef struct mean {
    double n, mean, squares;
} mean;

static void add(mean *m, double x)
{
    const double d = x - m->mean;
    m->n += 1.0, m->mean += d / m->n, m->squares += d * (x - m->mean);
}

static double error(const mean *m) { return sqrt(m->squares / (m->n - 1.0) / m->n); }

/* a of mean = a + b/m over three widths, and its standard error. */
static double extrapolate(const mean *const at[3], const double width[3], double *se)
{
    double w = 0, wx = 0, wxx = 0, wy = 0, wxy = 0;
    for (int i = 0; i < 3; ++i) {
        const double weight = 1.0 / (error(at[i]) * error(at[i])), x = 1.0 / width[i], y = at[i]->mean;
        w += weight, wx += weight * x, wxx += weight * x * x, wy += weight * y, wxy += weight * x * y;
    }
    const double det = w * wxx - wx * wx;
    *se = sqrt(wxx / det);
    return (wxx * wy - wx * wxy) / det;
}

/* The deviation that is larger in size; a NaN stays. */
static double larger(double z, double other) { return isnan(z) || fabs(z) >= fabs(other) ? z : other; }

/* Prints and checks one case: means[width][entry] of `entries` entries. */
static void judge(const char *name, const mean *means, const double width[3], int entries, const double *want, bool shifted)
{
    double z[4] = { 0 };
    for (int e = 0; e < entries; ++e) {
        const mean *const at[3] = { means + e, means + entries + e, means + 2 * entries + e };
        double            se;
        const double      a = extrapolate(at, width, &se);
        for (int i = 0; i < 3; ++i) z[i] = larger(z[i], (at[i]->mean - want[e]) / error(at[i]));
        z[3] = larger(z[3], (a - want[e]) / se);
    }
    printf("    %-34s %6.2f  %6.2f  %6.2f   %6.2f%s\n", name, z[0], z[1], z[2], z[3],
           shifted && !(fabs(z[0]) <= 4.0 && fabs(z[1]) <= 4.0 && fabs(z[2]) <= 4.0) ? "  (shift of order 1/m seen)" : "");
    for (int i = 0; i < 3 && !shifted; ++i) NTH_CHECK_CLOSE(z[i], 0.0, 0.0, 4.0);
    if (shifted) NTH_CHECK_CLOSE(z[3], 0.0, 0.0, 4.0);
}

/* ---- Fully connected ---------------------------------------------------------------------------- */

enum { N = 4, D = 3, ENTRIES = N * (N + 1) / 2, WIDTHS = 3, CASES = 2 * NTH_ACT_COUNT };

static const double X[N * D] = { 0.9, -0.4, 1.1, -0.3, 1.2, 0.5, 1.0, 0.8, -0.7, -1.1, 0.2, -0.6 };
static const double widths[WIDTHS] = { 64, 256, 1024 };

/* Case c: activation c / 2, with bias if c is odd. */
static void set_case(nth_net_config *cfg, int c)
{
    cfg->activation = (nth_activation)(c / 2);
    cfg->sigma_w = cfg->activation == NTH_ACT_QUADRATIC ? 0.8 : 1.3;
    cfg->sigma_b = c % 2 ? 0.4 : 0.0;
}

static void lower(double *out, const double *K)
{
    for (int i = 0, e = 0; i < N; ++i)
        for (int j = 0; j <= i; ++j, ++e) out[e] = K[i * N + j];
}

/* All cases share the random numbers of a network: they depend on the shape alone. */
static bool sample(mean means[CASES][WIDTHS][ENTRIES], int layers, int w, uint32_t nets)
{
    nth_net_config cfg = { .layers = layers, .widths = { D }, .sigma_w = 1.0, .sigma_b = 1.0 };
    nth_net       *net = NULL;
    bool           ok;
    for (int l = 1; l < layers; ++l) cfg.widths[l] = (ptrdiff_t)widths[w];
    cfg.widths[layers] = 1;
    ok = NTH_CHECK_OK(nth_net_create(&net, &cfg, true));
    for (uint32_t run = 0; ok && run < nets; ++run) {
        nth_net_init_gaussian(net, 701 + (uint64_t)(10 * layers + w), run);
        for (int c = 0; ok && c < CASES; ++c) {
            double     K[N * N], entry[ENTRIES];
            nth_blocks block = { .train = nth_mat_of(K, N, N) };
            set_case(&net->cfg, c);
            ok = NTH_CHECK_OK(nth_ntk_empirical(&block, net, nth_cmat_of(X, N, D), nth_cmat_of(X, 0, D)));
            lower(entry, K);
            for (int e = 0; e < ENTRIES; ++e) add(&means[c][w][e], entry[e]);
        }
    }
    nth_net_destroy(&net);
    return ok;
}

static void fully_connected(int layers, uint32_t nets)
{
    static mean means[CASES][WIDTHS][ENTRIES];
    memset(means, 0, sizeof means);
    for (int w = 0; w < WIDTHS; ++w)
        if (!sample(means, layers, w, nets)) return;
    printf("    largest z of 10 entries, %5d nets  m = 64     256    1024   1/m -> 0\n", (int)nets);
    for (int c = 0; c < CASES; ++c) {
        nth_net_config cfg = { .layers = layers, .widths = { D, 1 } };
        double         K[N * N], want[ENTRIES];
        nth_blocks     block = { .train = nth_mat_of(K, N, N) };
        char           name[64];
        for (int l = 1; l <= layers; ++l) cfg.widths[l] = 1;
        set_case(&cfg, c);
        if (!NTH_CHECK_OK(nth_ntk_infinite(&block, &cfg, nth_cmat_of(X, N, D), (nth_cmat){ 0 }))) return;
        lower(want, K);
        snprintf(name, sizeof name, "%s, L = %d%s", nth_activation_name(cfg.activation), layers, c % 2 ? ", bias" : "");
        judge(name, &means[c][0][0], widths, ENTRIES, want, layers > 2);
    }
}

static void two_layers(void) { fully_connected(2, 10000); }
static void four_layers(void) { fully_connected(4, 2000); }

/* ---- Convolutional ------------------------------------------------------------------------------ */

enum { SIZE = 4, CHANNELS = 2, PIXELS = SIZE * SIZE };

/* The images and the network of rows J of the stored values. */
static void images(double x[2][CHANNELS * PIXELS])
{
    for (int i = 0; i < 2; ++i)
        for (int p = 0; p < CHANNELS * PIXELS; ++p)
            x[i][p] = cos(1.7 * (p / SIZE % SIZE) + 0.6 * (p % SIZE) + 0.9 * (p / PIXELS) + 2.3 * i);
}

static double dot(const double *a, const double *b, ptrdiff_t n)
{
    double sum = 0.0;
    for (ptrdiff_t i = 0; i < n; ++i) sum += a[i] * b[i];
    return sum;
}

/* Theta of (A,A), (B,A), (B,B) averaged over networks of m channels. */
static bool sample_conv(mean *means, const nth_conv_config *cfg, ptrdiff_t m, uint32_t nets)
{
    const ptrdiff_t P = conv_net_parameters(cfg, m);
    double          x[2][CHANNELS * PIXELS], *theta = NULL;
    bool            ok = NTH_CHECK_OK(nth_priv_doubles(&theta, 3 * P, "parameters and two gradients"));
    images(x);
    for (uint32_t run = 0; ok && run < nets; ++run) {
        double *a = theta + P, *b = theta + 2 * P;
        nth_rand_normals(theta, P, 801 + (uint64_t)m, NTH_STREAM_TEST, run, 0);
        (void)conv_net_ref(a, cfg, m, theta, x[0]);
        (void)conv_net_ref(b, cfg, m, theta, x[1]);
        add(&means[0], dot(a, a, P)), add(&means[1], dot(a, b, P)), add(&means[2], dot(b, b, P));
    }
    nth_priv_free(theta);
    return ok;
}

static void convolutional(void)
{
    static const struct {
        const char *name;
        int         strides[3];
        nth_pooling pooling;
    } row[] = { { "cntk, strides 1 1 2, flatten", { 1, 1, 2 }, NTH_POOL_FLATTEN },
                { "cntk, strides 1 1 2, gap", { 1, 1, 2 }, NTH_POOL_GAP },
                { "cntk, strides 1 2 1, flatten", { 1, 2, 1 }, NTH_POOL_FLATTEN },
                { "cntk, strides 1 2 1, gap", { 1, 2, 1 }, NTH_POOL_GAP } };
    static const double    channels[3] = { 12, 24, 48 };
    static const uint32_t  nets[3] = { 3000, 2000, 1200 };
    double                 x[2][CHANNELS * PIXELS];
    images(x);
    printf("    %-34s m = 12      24      48   1/m -> 0\n", "largest z of 3 entries");
    for (size_t i = 0; i < sizeof row / sizeof *row; ++i) {
        nth_conv_config cfg = { .channels = CHANNELS, .height = SIZE, .width = SIZE, .convs = 3, .sigma_w = sqrt(2.0),
                                .sigma_b = sqrt(0.1), .pooling = row[i].pooling };
        nth_infinite   *K = NULL;
        mean            means[3][3] = { { { 0 } } };
        double          T[4], want[3];
        nth_blocks      block = { .train = nth_mat_of(T, 2, 2) };
        memcpy(cfg.strides, row[i].strides, sizeof row[i].strides);
        for (int w = 0; w < 3; ++w)
            if (!sample_conv(means[w], &cfg, (ptrdiff_t)channels[w], nets[w])) return;
        if (!NTH_CHECK_OK(nth_infinite_create_conv(&K, &cfg, nth_cmat_of(x[0], 2, CHANNELS * PIXELS), (nth_cmat){ 0 }))) return;
        NTH_CHECK_OK(nth_infinite_fill(&block, NULL, K, NULL, NULL));
        nth_infinite_destroy(&K);
        want[0] = T[0], want[1] = T[2], want[2] = T[3];
        judge(row[i].name, &means[0][0], channels, 3, want, true);
    }
}

int main(void)
{
    return nth_test_main("infinite_slow", (nth_test_case[]){ { "two_layers", two_layers },
                                                             { "four_layers", four_layers },
                                                             { "convolutional", convolutional },
                                                             { 0 } });
}
