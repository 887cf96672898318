/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Hoeffding decomposition: the definition, Parseval and orthogonality on all labelings, the closed form of
 * quadratic kernels, sampling against the exact values; K^(NTH) and pair regression end at the second
 * level, a trained network's kernel does not.
 */
#include "nth_test.h"
#include "alloc_priv.h"
#include "nth/expected.h"
#include "nth/flow.h"
#include "nth/hoeffding.h"
#include "nth/rng.h"

#include <float.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { N = 7, ALL = 1 << N, COUNT = 3, SMALL = 5 };

static const double some_mu[N] = { 0.3, -0.5, 0.0, 0.8, -0.1, 0.6, -0.9 };

/* Entries with every level: exp(a.y) + y^T B y, each with numbers of its own. */
static nth_status mixed(double *K, const double *y, void *ctx)
{
    const ptrdiff_t n = *(const ptrdiff_t *)ctx;
    for (int k = 0; k < COUNT; ++k) {
        double a = 0.0, b = 2.0;
        for (ptrdiff_t i = 0; i < n; ++i) {
            a += 0.3 * sin(1.0 + (double)(i * i + k)) * y[i];
            for (ptrdiff_t j = 0; j < n; ++j) b += 0.1 * cos((double)(i + 2 * j + k)) * y[i] * y[j];
        }
        K[k] = exp(a) + b;
    }
    return NTH_OK;
}

static double chance(ptrdiff_t labeling, ptrdiff_t n, const double *mu)
{
    double p = 1.0;
    for (ptrdiff_t i = 0; i < n; ++i) p *= 0.5 * (1.0 + (labeling >> i & 1 ? 1.0 : -1.0) * (mu != NULL ? mu[i] : 0.0));
    return p;
}

static void labeling_of(double *y, ptrdiff_t labeling, ptrdiff_t n)
{
    for (ptrdiff_t i = 0; i < n; ++i) y[i] = labeling >> i & 1 ? 1.0 : -1.0;
}

/* sum_{B subset A} (-1)^{|A|-|B|} E[K | y_B] at a labeling: E82 as it stands. */
static double projection(ptrdiff_t A, ptrdiff_t at, ptrdiff_t n, const double *mu, int k)
{
    double sum = 0.0;
    for (ptrdiff_t B = A;; B = (B - 1) & A) {
        double mean = 0.0, weight = 0.0;
        for (ptrdiff_t l = 0; l < (ptrdiff_t)1 << n; ++l) {
            double y[N], K[COUNT];
            if ((l & B) != (at & B)) continue;
            labeling_of(y, l, n);
            (void)mixed(K, y, &n);
            mean += chance(l, n, mu) * K[k], weight += chance(l, n, mu);
        }
        sum += (__builtin_popcountl((unsigned long)(A ^ B)) % 2 == 0 ? 1.0 : -1.0) * mean / weight;
        if (B == 0) return sum;
    }
}

static void is_the_definition(void)
{
    static double kh[ALL * COUNT];
    ptrdiff_t     n = SMALL;
    for (int law = 0; law < 2; ++law) {
        const double *mu = law == 0 ? NULL : some_mu;
        double        worst = 0.0, y[N];
        NTH_CHECK_OK(nth_hoeffding_exact(nth_mat_of(kh, (ptrdiff_t)1 << n, COUNT), mixed, &n, n, mu));
        for (ptrdiff_t A = 0; A < (ptrdiff_t)1 << n; ++A)
            for (ptrdiff_t l = 0; l < (ptrdiff_t)1 << n; l += 5) {
                labeling_of(y, l, n);
                worst = nth_worst(worst, fabs(kh[A * COUNT + 1] * nth_hoeffding_chi(A, y, n, mu) - projection(A, l, n, mu, 1)));
            }
        NTH_CHECK_CLOSE(worst, 0.0, 0.0, 1e-12);
    }
}

static void parseval(void)
{
    static double kh[ALL * COUNT], chi[ALL * ALL];
    ptrdiff_t     n = N;
    for (int law = 0; law < 2; ++law) {
        const double *mu = law == 0 ? NULL : some_mu;
        double        level[N + 1], y[N], mean[COUNT] = { 0 }, square = 0.0, variance = 0.0, worst = 0.0, sum_worst = 0.0;
        NTH_CHECK_OK(nth_hoeffding_exact(nth_mat_of(kh, ALL, COUNT), mixed, &n, n, mu));
        for (ptrdiff_t l = 0; l < ALL; ++l) {
            double K[COUNT], back[COUNT] = { 0 };
            labeling_of(y, l, n);
            (void)mixed(K, y, &n);
            for (ptrdiff_t A = 0; A < ALL; ++A) {
                chi[l * ALL + A] = nth_hoeffding_chi(A, y, n, mu);
                for (int k = 0; k < COUNT; ++k) back[k] += kh[A * COUNT + k] * chi[l * ALL + A];
            }
            for (int k = 0; k < COUNT; ++k) {
                sum_worst = nth_worst(sum_worst, fabs(back[k] - K[k]));
                mean[k] += chance(l, n, mu) * K[k], square += chance(l, n, mu) * K[k] * K[k];
            }
        }
        NTH_CHECK_CLOSE(sum_worst, 0.0, 0.0, 1e-12 * 20.0); /* the components sum to the kernel, |K| up to 20 */
        variance = square;
        for (int k = 0; k < COUNT; ++k) variance -= mean[k] * mean[k];
        NTH_CHECK_OK(nth_hoeffding_levels(level, nth_cmat_of(kh, ALL, COUNT), n));
        for (int r = 1; r <= N; ++r) variance -= level[r];
        NTH_CHECK_CLOSE(variance, 0.0, 0.0, 1e-12 * square);
        NTH_CHECK(level[3] > 1e-3 && level[5] > 1e-8);
        for (ptrdiff_t A = 0; A < ALL; ++A) /* E[chi_A chi_B] = 1{A = B}: components are orthogonal */
            for (ptrdiff_t B = 0; B <= A; ++B) {
                double e = A == B ? -1.0 : 0.0;
                for (ptrdiff_t l = 0; l < ALL; ++l) e += chance(l, n, mu) * chi[l * ALL + A] * chi[l * ALL + B];
                worst = nth_worst(worst, fabs(e));
            }
        NTH_CHECK_CLOSE(worst, 0.0, 0.0, 1e-12);
    }
}

typedef struct quadratic {
    ptrdiff_t     n;
    double        k0;
    const double *a, *B;
} quadratic;

static nth_status quadratic_kernel(double *K, const double *y, void *ctx)
{
    const quadratic *q = ctx;
    *K = q->k0;
    for (ptrdiff_t i = 0; i < q->n; ++i) {
        *K += q->a[i] * y[i];
        for (ptrdiff_t j = 0; j < q->n; ++j) *K += y[i] * q->B[i * q->n + j] * y[j];
    }
    return NTH_OK;
}

static void quadratic_in_closed_form(void)
{
    static double kh[ALL];
    double        a[N], B[N * N], first[N], second[N * N], mean, worst = 0.0;
    nth_rand_normals(a, N, 5, NTH_STREAM_TEST, 0, 0);
    nth_rand_normals(B, N * N, 5, NTH_STREAM_TEST, 1, 0);
    quadratic q = { N, 1.5, a, B };
    for (int law = 0; law < 2; ++law) {
        const double *mu = law == 0 ? NULL : some_mu;
        NTH_CHECK_OK(nth_hoeffding_exact(nth_mat_of(kh, ALL, 1), quadratic_kernel, &q, N, mu));
        NTH_CHECK_OK(nth_hoeffding_quadratic(&mean, first, nth_mat_of(second, N, N), q.k0, a, nth_cmat_of(B, N, N), mu));
        for (ptrdiff_t A = 0; A < ALL; ++A) {
            const int size = __builtin_popcountl((unsigned long)A), low = __builtin_ctzl((unsigned long)A | ALL);
            const int high = 63 - __builtin_clzl((unsigned long)A | 1);
            const double want = size == 0 ? mean : size == 1 ? first[low] : size == 2 ? second[low * N + high] : 0.0;
            worst = nth_worst(worst, fabs(kh[A] - want));
        }
        NTH_CHECK_CLOSE(worst, 0.0, 0.0, 1e-12);
        NTH_CHECK(second[0] == 0.0 && second[1] == second[N]);
    }
    /* E84 has |A| <= 2 alone; without a, every first coefficient is that of mu. */
    NTH_CHECK_OK(nth_hoeffding_quadratic(&mean, first, nth_mat_of(second, N, N), 0.0, NULL, nth_cmat_of(B, N, N), NULL));
    for (int i = 0; i < N; ++i) NTH_CHECK(first[i] == 0.0);
}

static void sampled_within_errors(void)
{
    enum { DRAWS = 4000, ROWS = 1 + N + N * (N - 1) / 2 };
    static double kh[ALL * COUNT], got[ROWS * COUNT], se[ROWS * COUNT];
    ptrdiff_t     n = N, beyond = 0;
    for (int law = 0; law < 2; ++law) {
        const double         *mu = law == 0 ? NULL : some_mu;
        double                level[N + 1], total[N], total_se[N], variance = 0.0;
        nth_hoeffding_effects e;
        NTH_CHECK_OK(nth_hoeffding_exact(nth_mat_of(kh, ALL, COUNT), mixed, &n, n, mu));
        NTH_CHECK_OK(nth_hoeffding_levels(level, nth_cmat_of(kh, ALL, COUNT), n));
        NTH_CHECK_OK(nth_hoeffding_sampled(nth_mat_of(got, ROWS, COUNT), nth_mat_of(se, ROWS, COUNT), total, total_se, &e, mixed, &n, n, mu, DRAWS, 3));
        for (int r = 1; r <= N; ++r) variance += level[r];
        NTH_CHECK_CLOSE(e.variance, variance, 0.0, 6.0 * e.variance_se);
        NTH_CHECK_CLOSE(e.first, level[1], 0.0, 6.0 * e.first_se);
        NTH_CHECK_CLOSE(e.second, level[2], 0.0, 6.0 * e.second_se);
        NTH_CHECK_CLOSE(e.frozen, level[1], 0.0, 6.0 * e.frozen_se);
        NTH_CHECK(e.first_se < 0.1 * level[1] && e.second_se < 0.2 * level[2] && e.frozen_se < 0.3 * level[1] && e.variance_se < 0.2 * variance);
        for (int i = 0; i < N; ++i) {
            double want = 0.0;
            for (ptrdiff_t A = 0; A < ALL; ++A)
                for (int k = 0; k < COUNT && A >> i & 1; ++k) want += kh[A * COUNT + k] * kh[A * COUNT + k];
            NTH_CHECK_CLOSE(total[i], want, 0.0, 6.0 * total_se[i]);
            NTH_CHECK(total_se[i] < 0.5 * want);
        }
        for (int i = 0; i < N; ++i)
            for (int j = -2; j < i; ++j)
                for (int k = 0; k < COUNT; ++k) { /* kh_0, kh_i, kh_ij */
                    const ptrdiff_t row = j == -2 ? 0 : j == -1 ? 1 + i : nth_hoeffding_pair(N, i, j);
                    const ptrdiff_t A = j == -2 ? 0 : (ptrdiff_t)1 << i | (j < 0 ? 0 : (ptrdiff_t)1 << j);
                    NTH_CHECK_CLOSE(got[row * COUNT + k], kh[A * COUNT + k], 0.0, 6.0 * se[row * COUNT + k]);
                    beyond += fabs(got[row * COUNT + k] - kh[A * COUNT + k]) > se[row * COUNT + k];
                }
    }
    NTH_CHECK(beyond > 20 && beyond < 120); /* 2 x 105, a third of them beyond one standard error */
}

/* Over many seeds results scatter as their standard errors say: 6 relative errors of 80 seeds are 0.47. */
static void errors_are_those_of_seeds(void)
{
    enum { SEEDS = 80, DRAWS = 400, ROWS = 1 + SMALL + SMALL * (SMALL - 1) / 2 };
    static double kh[ROWS * COUNT], se[ROWS * COUNT];
    double        sum[4] = { 0 }, square[4] = { 0 }, error[4] = { 0 }, total[SMALL], total_se[SMALL];
    ptrdiff_t     n = SMALL;
    for (uint64_t seed = 0; seed < SEEDS; ++seed) {
        nth_hoeffding_effects e;
        NTH_CHECK_OK(nth_hoeffding_sampled(nth_mat_of(kh, ROWS, COUNT), nth_mat_of(se, ROWS, COUNT), total, total_se, &e, mixed, &n, n, NULL, DRAWS, seed));
        const double got[4] = { e.variance, e.first, e.second, e.frozen }, says[4] = { e.variance_se, e.first_se, e.second_se, e.frozen_se };
        for (int q = 0; q < 4; ++q) sum[q] += got[q] / SEEDS, square[q] += got[q] * got[q] / SEEDS, error[q] += says[q] / SEEDS;
    }
    for (int q = 0; q < 4; ++q) NTH_CHECK_CLOSE(error[q] / sqrt(square[q] - sum[q] * sum[q]), 1.0, 0.0, 0.47);
}

/* Few draws, many seeds: the means are the exact ones, to which a draw paired with itself would add a 39th of E |K|^2 for each set. */
static void sums_are_unbiased(void)
{
    enum { SEEDS = 1000, DRAWS = 40, ROWS = 1 + SMALL + SMALL * (SMALL - 1) / 2 };
    static double kh[ROWS * COUNT], se[ROWS * COUNT], exact[(1 << SMALL) * COUNT];
    double        sum[3] = { 0 }, square[3] = { 0 }, level[SMALL + 1], variance = 0.0;
    ptrdiff_t     n = SMALL;
    for (uint64_t seed = 0; seed < SEEDS; ++seed) {
        nth_hoeffding_effects e;
        NTH_CHECK_OK(nth_hoeffding_sampled(nth_mat_of(kh, ROWS, COUNT), nth_mat_of(se, ROWS, COUNT), NULL, NULL, &e, mixed, &n, n, NULL, DRAWS, seed));
        const double got[3] = { e.variance, e.first, e.second };
        for (int q = 0; q < 3; ++q) sum[q] += got[q] / SEEDS, square[q] += got[q] * got[q] / SEEDS;
    }
    NTH_CHECK_OK(nth_hoeffding_exact(nth_mat_of(exact, 1 << SMALL, COUNT), mixed, &n, n, NULL));
    NTH_CHECK_OK(nth_hoeffding_levels(level, nth_cmat_of(exact, 1 << SMALL, COUNT), n));
    for (int r = 1; r <= SMALL; ++r) variance += level[r];
    const double want[3] = { variance, level[1], level[2] };
    for (int q = 0; q < 3; ++q) NTH_CHECK_CLOSE(sum[q], want[q], 0.0, 5.0 * sqrt((square[q] - sum[q] * sum[q]) / SEEDS));
}

/* ---- Kernels of the theory ---------------------------------------------------------------------- */

enum { FEW = 4, POINTS = 2 };

static double X[FEW * 3], X_test[POINTS * 3];

static void inputs(void)
{
    nth_rand_normals(X, FEW * 3, 9, NTH_STREAM_TEST, 0, 0);
    nth_rand_normals(X_test, POINTS * 3, 9, NTH_STREAM_TEST, 1, 0);
}

/* Share of what is beyond the second level. */
static double beyond_second(nth_hoeffding_kernel *kernel, void *ctx, ptrdiff_t count, double *variance)
{
    static double kh[ALL * 4];
    double        level[FEW + 1], beyond = 0.0, all = 0.0;
    NTH_CHECK_OK(nth_hoeffding_exact(nth_mat_of(kh, 1 << FEW, count), kernel, ctx, FEW, NULL));
    NTH_CHECK_OK(nth_hoeffding_levels(level, nth_cmat_of(kh, 1 << FEW, count), FEW));
    for (int r = 1; r <= FEW; ++r) all += level[r], beyond += r > 2 ? level[r] : 0.0;
    *variance = all;
    return beyond / all;
}

static nth_status label_aware(double *K, const double *y, void *ctx)
{
    const nth_expected_config cfg = { .activation = NTH_ACT_ERF };
    double                    K2[POINTS * FEW], LA[POINTS * FEW];
    nth_label_kernel          L = { .K2.test = nth_mat_of(K2, POINTS, FEW), .LA.test = nth_mat_of(LA, POINTS, FEW) };
    const nth_status st = nth_label_aware(&L, &cfg, nth_cmat_of(X, FEW, 3), nth_cmat_of(X_test, POINTS, 3), y, *(const double *)ctx, NTH_LABEL_EXACT);
    for (int k = 0; k < 3 && st == NTH_OK; ++k) K[k] = K2[3 * k] + LA[3 * k] / 10.0;
    return st;
}

static void label_aware_ends_at_second(void)
{
    double time[2] = { 2.0, INFINITY }, variance;
    inputs();
    for (int t = 0; t < 2; ++t) {
        NTH_CHECK_CLOSE(beyond_second(label_aware, &time[t], 3, &variance), 0.0, 0.0, 1e-20);
        NTH_CHECK(variance > 1e-6);
    }
}

/* Pair regression on the scalar feature K_ij (E75) by its double loop; lambda frozen, or by E74. */
static nth_status pair_regression(double *out, const double *y, void *ctx)
{
    const bool frozen = *(const bool *)ctx;
    double     K[(FEW + POINTS) * FEW], Z[(FEW + POINTS) * FEW], low = INFINITY, high = -INFINITY, mean_K = 0.0, mean_Z = 0.0;
    for (int p = 0; p < FEW + POINTS; ++p)
        for (int q = 0; q < FEW; ++q) {
            const double *x = p < FEW ? X + 3 * p : X_test + 3 * (p - FEW);
            double        d = 0.0;
            for (int c = 0; c < 3; ++c) d += pow(x[c] - X[3 * q + c], 2.0);
            K[p * FEW + q] = exp(-0.3 * d);
            if (p < FEW) low = fmin(low, K[p * FEW + q]), high = fmax(high, K[p * FEW + q]);
        }
    for (int p = 0; p < (FEW + POINTS) * FEW; ++p) {
        double top = 0.0, bottom = 0.0;
        for (int i = 0; i < FEW; ++i)
            for (int j = 0; j < FEW; ++j) {
                const double weight = pow(high - low, 2.0) - pow(K[p] - K[i * FEW + j], 2.0);
                top += weight * y[i] * y[j], bottom += weight;
            }
        Z[p] = top / bottom;
        if (p < FEW * FEW) mean_K += fabs(K[p]), mean_Z += fabs(Z[p]);
    }
    const double lambda = frozen ? 0.3 : 0.3 * mean_K / mean_Z;
    for (int k = 0; k < 3; ++k) out[k] = K[FEW * FEW + 3 * k] + lambda * Z[FEW * FEW + 3 * k];
    return NTH_OK;
}

static void pair_regression_ends_at_second(void)
{
    bool   frozen = true;
    double variance;
    inputs();
    NTH_CHECK_CLOSE(beyond_second(pair_regression, &frozen, 3, &variance), 0.0, 0.0, 1e-24);
    NTH_CHECK(variance > 1e-4);
    frozen = false; /* E74 puts the labels into lambda */
    NTH_CHECK(beyond_second(pair_regression, &frozen, 3, &variance) > 1e-3);
}

static nth_status trained_kernel(double *K, const double *y, void *ctx)
{
    nth_flow  *flow = NULL;
    double     cross[POINTS * FEW];
    nth_blocks b = { .test = nth_mat_of(cross, POINTS, FEW) };
    nth_status st = nth_flow_create(&flow, ctx, nth_cmat_of(X, FEW, 3), nth_cmat_of(X_test, POINTS, 3), y,
                                    &(nth_flow_options){ .stepper = NTH_STEPPER_COLLOCATION, .rtol = 1e-11 });
    if (st == NTH_OK) st = nth_flow_advance(flow, 1.0);
    if (st == NTH_OK) st = nth_ntk_flow(&b, flow);
    for (int k = 0; k < 3 && st == NTH_OK; ++k) K[k] = cross[3 * k];
    nth_flow_destroy(&flow);
    return st;
}

/* Geometric mean over networks of the share beyond the second level: what a trained network has and no
 * prediction of second level can have. E_t is m^-2 beside a movement of m^-1: the share falls as m^-2. At later
 * times and for larger inputs a smaller power is seen at these widths. */
static double trained_share(ptrdiff_t m, bool doubled)
{
    enum { SEEDS = 6 };
    double log_share = 0.0, variance;
    for (uint32_t s = 0; s < SEEDS; ++s) {
        const nth_net_config cfg = { .activation = NTH_ACT_TANH, .layers = 2, .widths = { 3, m, 1 }, .sigma_w = 1.0, .doubled = doubled };
        nth_net             *net = NULL;
        NTH_CHECK_OK(nth_net_create(&net, &cfg, true));
        nth_net_init_gaussian(net, 1, s);
        log_share += log(beyond_second(trained_kernel, net, 3, &variance)) / SEEDS;
        nth_net_destroy(&net);
    }
    return exp(log_share);
}

static void trained_goes_beyond_second(void)
{
    inputs();
    for (int doubled = 0; doubled < 2; ++doubled) {
        const double narrow = trained_share(32, doubled), wide = trained_share(128, doubled), order = log(narrow / wide) / log(4.0);
        NTH_CHECK(narrow > 1e-7 && wide > 1e-9);
        NTH_CHECK_CLOSE(order, 2.0, 0.0, 0.5);
    }
}

/* ---- Refusals ----------------------------------------------------------------------------------- */

static nth_status not_finite(double *K, const double *y, void *ctx)
{
    (void)ctx;
    K[0] = y[0] > 0.0 ? (double)NAN : 0.0;
    return NTH_OK;
}

static nth_status failing(double *K, const double *y, void *ctx)
{
    (void)K, (void)y, (void)ctx;
    return NTH_E_IO;
}

static void refusals(void)
{
    static double         kh[ALL * COUNT], se[ALL * COUNT];
    const double          bad[2] = { 0.0, 1.0 };
    double                level[16], total[2];
    nth_hoeffding_effects e;
    ptrdiff_t             n = 2;
    const nth_mat         four = nth_mat_of(kh, 4, 1), four_se = nth_mat_of(se, 4, 1);
    NTH_CHECK_STATUS(nth_hoeffding_exact(nth_mat_of(kh, 1, 1), mixed, &n, 0, NULL), NTH_E_ARG);
    NTH_CHECK_STATUS(nth_hoeffding_exact(nth_mat_of(kh, 1 << 15, 1), mixed, &n, 15, NULL), NTH_E_ARG);
    NTH_CHECK_MESSAGE("14 at most");
    NTH_CHECK_STATUS(nth_hoeffding_exact(nth_mat_of(kh, 5, 1), mixed, &n, 2, NULL), NTH_E_SHAPE);
    NTH_CHECK_STATUS(nth_hoeffding_exact(four, mixed, &n, 2, bad), NTH_E_ARG);
    NTH_CHECK_MESSAGE("mean 2 of the labels is 1");
    NTH_CHECK_STATUS(nth_hoeffding_exact(four, not_finite, NULL, 2, NULL), NTH_E_NUMERIC);
    NTH_CHECK_STATUS(nth_hoeffding_exact(four, failing, NULL, 2, NULL), NTH_E_IO);
    NTH_CHECK_STATUS(nth_hoeffding_levels(level, nth_cmat_of(kh, 5, 1), 2), NTH_E_SHAPE);
    NTH_CHECK_STATUS(nth_hoeffding_quadratic(total, level, nth_mat_of(kh, 2, 2), 0.0, NULL, nth_cmat_of(se, 2, 3), NULL), NTH_E_SHAPE);
    NTH_CHECK_STATUS(nth_hoeffding_quadratic(total, level, nth_mat_of(kh, 2, 2), 0.0, NULL, nth_cmat_of(se, 2, 2), bad), NTH_E_ARG);
    NTH_CHECK_STATUS(nth_hoeffding_sampled(four, four_se, NULL, NULL, &e, mixed, &n, 2, NULL, 3, 1), NTH_E_ARG);
    NTH_CHECK_STATUS(nth_hoeffding_sampled(four, nth_mat_of(se, 3, 1), NULL, NULL, &e, mixed, &n, 2, NULL, 8, 1), NTH_E_SHAPE);
    NTH_CHECK_STATUS(nth_hoeffding_sampled(four, four_se, total, NULL, &e, mixed, &n, 2, NULL, 8, 1), NTH_E_ARG);
    NTH_CHECK_STATUS(nth_hoeffding_sampled(four, four_se, NULL, NULL, &e, not_finite, NULL, 2, NULL, 8, 1), NTH_E_NUMERIC);
    NTH_CHECK_STATUS(nth_hoeffding_sampled(four, four_se, NULL, NULL, &e, failing, NULL, 2, NULL, 8, 1), NTH_E_IO);
}

static nth_status build(void)
{
    static double         kh[4 * COUNT], se[4 * COUNT];
    double                total[2], total_se[2];
    nth_hoeffding_effects e;
    ptrdiff_t             n = 2;
    return nth_hoeffding_sampled(nth_mat_of(kh, 4, COUNT), nth_mat_of(se, 4, COUNT), total, total_se, &e, mixed, &n, 2, NULL, 8, 1);
}

static void survives_oom(void) { nth_test_every_allocation_fails(build); }

int main(void)
{
    return nth_test_main("hoeffding", (nth_test_case[]){ { "is_the_definition", is_the_definition },
                                                         { "parseval", parseval },
                                                         { "quadratic_in_closed_form", quadratic_in_closed_form },
                                                         { "sampled_within_errors", sampled_within_errors },
                                                         { "errors_are_those_of_seeds", errors_are_those_of_seeds },
                                                         { "sums_are_unbiased", sums_are_unbiased },
                                                         { "label_aware_ends_at_second", label_aware_ends_at_second },
                                                         { "pair_regression_ends_at_second", pair_regression_ends_at_second },
                                                         { "trained_goes_beyond_second", trained_goes_beyond_second },
                                                         { "refusals", refusals },
                                                         { "survives_oom", survives_oom },
                                                         { 0 } });
}
