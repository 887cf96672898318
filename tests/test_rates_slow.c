/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Statistics over thousands of networks: rates and sizes on inputs whose exponents were measured by
 * an independent program (Q1-Q7), exponents in small times (D15), the mean drift of a kernel against
 * its expectation over the initialization (P4, P7-P9), and exact moments (C7, C8). Takes minutes.
 *
 * Everything is seeded, so a run repeats to the bit; comparisons are with the scatter they have.
 */
#include "nth_test.h"
#include "alloc_priv.h"
#include "nth/hier.h"
#include "nth/rng.h"
#include "sweep_case.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- Rates ------------------------------------------------------------------------------------- */

enum { ROWS = 5 };
static const struct {
    const char  *name;
    nth_quantity q;
} row[ROWS] = { { "Q1 K_t - E K_0", NTH_Q_LIMIT_T },
                { "Q2 K_t - K_0", NTH_Q_MOVE },
                { "Q3 K3 only", NTH_Q_NO_K4 },
                { "Q4 K3 dropped", NTH_Q_NO_K3 },
                { "Q5 K_t - Khat_t", NTH_Q_ERROR } };

/* tanh has no closed form of E K_0 here: its value on the queries, by trapezoidal sums in two
 * dimensions, is put into the sweep by hand. E K2 = S + x.x' Sdot for E3. */
static double dual(const double *x, const double *z, bool slope)
{
    const double h = 0.1, range = 9.0;
    double       xx = 0.0, xz = 0.0, zz = 0.0, sum = 0.0;
    for (int k = 0; k < 3; ++k) xx += x[k] * x[k], xz += x[k] * z[k], zz += z[k] * z[k];
    const double a = sqrt(xx), b = xz / a, c = sqrt(fmax(zz - b * b, 0.0));
    for (double u = -range; u < range + 0.5 * h; u += h)
        for (double v = -range; v < range + 0.5 * h; v += h) {
            const double s = tanh(a * u), t = tanh(b * u + c * v);
            sum += (slope ? (1.0 - s * s) * (1.0 - t * t) : s * t) * exp(-0.5 * (u * u + v * v));
        }
    return sum * h * h / (2.0 * acos(-1.0));
}

static double limit_entry(const double *x, const double *z)
{
    return dual(x, z, false) + (x[0] * z[0] + x[1] * z[1] + x[2] * z[2]) * dual(x, z, true);
}

static bool give_limit(nth_sweep *s, nth_mat *K)
{
    nth_blocks     *b = &s->limit[0];
    const nth_data *d = s->data;
    const nth_mat   from[3] = { d->x, d->x_test, d->x_test }, to[3] = { d->x, d->x, d->x_test };
    for (int p = 0; p < 3; ++p) {
        if (!NTH_CHECK_OK(nth_priv_mat(&K[p], from[p].rows, to[p].rows, "limit"))) return false;
        for (ptrdiff_t i = 0; i < K[p].rows; ++i)
            for (ptrdiff_t j = 0; j < K[p].cols; ++j) K[p].a[i * K[p].ld + j] = limit_entry(from[p].a + 3 * i, to[p].a + 3 * j);
    }
    *b = (nth_blocks){ K[0], K[1], K[2] }; /* owned by the sweep from here on */
    s->has_limit[0] = true;
    return true;
}

typedef struct published {
    double slope, low, high;
} published;

typedef struct experiment {
    const char *name;
    bool        doubled;
    ptrdiff_t   least, widths, seeds, published_seeds;
    published   rate[ROWS];
    ptrdiff_t   at[2];        /* widths 256 and 1024 in the list */
    double      error[2];     /* Q6 at these */
    double      move;         /* Q7 at 1024 */
} experiment;

static int ascending(const void *a, const void *b)
{
    const double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

/* Standard error of the log of the median of `count` of the seeds: half the distance of the order
 * statistics one standard deviation of the median's rank away from it. */
static double log_median_error(const nth_sweep *s, ptrdiff_t w, nth_quantity q, double count)
{
    const ptrdiff_t seeds = s->family[0].seeds;
    double         *v = calloc((size_t)seeds, sizeof *v), out = NAN;
    const double    rank = 0.5 / sqrt(count) * (double)seeds, middle = 0.5 * (double)(seeds - 1);
    if (!NTH_CHECK(v != NULL)) return NAN;
    for (ptrdiff_t k = 0; k < seeds; ++k) v[k] = nth_member_values(s, 0, w, k)[nth_norm_index(0, q, NTH_PAIRS_TEST, NTH_NORM_SUP)];
    qsort(v, (size_t)seeds, sizeof *v, ascending);
    out = 0.5 * log(v[(ptrdiff_t)(middle + rank)] / v[(ptrdiff_t)(middle - rank)]);
    free(v);
    return out;
}

/* Medians agree to 15 %, or to 3 standard errors of the two where the smaller sample scatters more. */
static void compare_median(const nth_sweep *s, const experiment *e, ptrdiff_t w, nth_quantity q, double got, double want)
{
    const double se = hypot(log_median_error(s, w, q, (double)e->published_seeds), log_median_error(s, w, q, (double)e->seeds));
    printf("      median at m = %td: %.3g, published %.3g (%+.0f %%, %+.1f s.e.)\n", s->family[0].widths[w], got, want,
           100.0 * (got / want - 1.0), log(got / want) / se);
    NTH_CHECK_CLOSE(log(got), log(want), 0.0, fmax(log(1.15), 3.0 * se));
}

static void compare(const nth_sweep *s, const experiment *e)
{
    nth_rate r;
    printf("    %s, %td seeds (published: %td)\n", e->name, e->seeds, e->published_seeds);
    for (int q = 0; q < ROWS; ++q) {
        const published *p = &e->rate[q];
        NTH_CHECK_OK(nth_sweep_rate(s, 0, row[q].q, NTH_PAIRS_TEST, NTH_NORM_SUP, 0, &r));
        printf("      %-16s %.3f [%.3f, %.3f]   published %.3f [%.3f, %.3f]\n", row[q].name, r.slope, r.low, r.high, p->slope, p->low, p->high);
        NTH_CHECK(r.low <= p->high && r.high >= p->low); /* the intervals overlap */
        if (row[q].q == NTH_Q_MOVE) compare_median(s, e, e->at[1], NTH_Q_MOVE, r.median[e->at[1]], e->move);
        for (int k = 0; k < 2 && row[q].q == NTH_Q_ERROR; ++k)
            compare_median(s, e, e->at[k], NTH_Q_ERROR, r.median[e->at[k]], e->error[k]);
    }
}

static void run(const experiment *e)
{
    const nth_sweep_options opt = { .seed = 1, .bootstrap = 2000 };
    nth_family              f = sweep_family(e->widths, e->least, e->seeds);
    nth_sweep              *s = NULL;
    nth_mat                 K[3] = { { 0 } };
    f.shape.activation = NTH_ACT_TANH, f.shape.doubled = e->doubled, f.n_times = 1, f.times[0] = 1.0, f.flow.rtol = 1e-13;
    if (NTH_CHECK_OK(nth_sweep_create(&s, rates_data(), &f, 1, &opt)) && give_limit(s, K) && NTH_CHECK_OK(nth_sweep_run(s)))
        compare(s, e);
    nth_sweep_destroy(&s);
}

static void rates_gaussian(void)
{
    run(&(experiment){ "Gaussian, m = 64..1024", false, 64, 5, 1000, 200,
                       { { -0.509, -0.540, -0.448 }, { -0.978, -1.049, -0.933 }, { -1.031, -1.098, -0.938 }, { -1.011, -1.066, -0.952 },
                         { -1.788, -1.901, -1.654 } },
                       { 2, 4 }, { 2.44e-6, 1.92e-7 }, 4.9e-4 });
}

static void rates_gaussian_wide(void)
{
    run(&(experiment){ "Gaussian, m = 256..16384", false, 256, 7, 300, 150,
                       { { -0.509, -0.553, -0.467 }, { -1.046, -1.084, -0.987 }, { -1.012, -1.096, -0.968 }, { -1.037, -1.103, -0.984 },
                         { -1.995, -2.082, -1.873 } },
                       { 0, 2 }, { 2.44e-6, 2.04e-7 }, 5.2e-4 });
}

/* m counts the neurons of both copies: with m for each copy the medians would be half as large. */
static void rates_antisymmetric(void)
{
    run(&(experiment){ "antisymmetric, m = 64..1024", true, 64, 5, 400, 200,
                       { { -0.472, -0.519, -0.439 }, { -1.004, -1.016, -0.989 }, { -1.004, -1.016, -0.989 }, { -2.111, -2.164, -2.023 },
                         { -2.111, -2.164, -2.023 } },
                       { 2, 4 }, { 6.56e-8, 3.62e-9 }, 1.42e-4 });
}

/* D15: E_t starts with t^3, antisymmetric t^4; K_t - K_0 with t and t^2. Slopes at times of order
 * 0.01 to 0.1, where the next power adds a few hundredths. */
static void powers_of_small_times(void)
{
    for (int doubled = 0; doubled < 2; ++doubled) {
        const nth_sweep_options opt = { .seed = 1, .bootstrap = 200 };
        nth_family              f = sweep_family(1, 16, 64);
        nth_sweep              *s = NULL;
        nth_rate                e, m;
        f.shape.activation = NTH_ACT_TANH, f.shape.doubled = doubled, f.small_time = true, f.n_times = 4, f.flow.rtol = 1e-14;
        memcpy(f.times, doubled ? (double[]){ 0.02, 0.04, 0.06, 0.08 } : (double[]){ 0.01, 0.02, 0.03, 0.04 }, 4 * sizeof(double));
        if (!NTH_CHECK_OK(nth_sweep_create(&s, rates_data(), &f, 1, &opt))) return;
        NTH_CHECK_OK(nth_sweep_run(s));
        NTH_CHECK_OK(nth_sweep_rate(s, 0, NTH_Q_ERROR, NTH_PAIRS_TEST, NTH_NORM_SUP, 0, &e));
        NTH_CHECK_OK(nth_sweep_rate(s, 0, NTH_Q_MOVE, NTH_PAIRS_TEST, NTH_NORM_SUP, 0, &m));
        printf("    %s: E_t ~ t^%.3f [%.3f, %.3f], K_t - K_0 ~ t^%.3f [%.3f, %.3f]\n", doubled ? "antisymmetric" : "Gaussian", e.slope, e.low,
               e.high, m.slope, m.low, m.high);
        NTH_CHECK_CLOSE(e.slope, doubled ? 4.0 : 3.0, 0.0, 0.1);
        NTH_CHECK_CLOSE(m.slope, doubled ? 2.0 : 1.0, 0.0, 0.1);
        nth_sweep_destroy(&s);
    }
}

/* ---- Means over the initialization ------------------------------------------------------------- */

typedef struct mean {
    double n, sum, square;
} mean;
static void   add(mean *m, double x) { m->n += 1.0, m->sum += x, m->square += x * x; }
static double value(const mean *m) { return m->sum / m->n; }
static double error(const mean *m) { return sqrt(fmax(m->square / m->n - value(m) * value(m), 0.0) / m->n); }

/* |mean - want| within `times` standard errors, `known` that of the other side. */
static void within(const char *what, const mean *m, double want, double known, double times)
{
    const double se = hypot(error(m), known);
    printf("    %-34s %.5g +- %.2g, expected %.5g: %+.1f s.e.\n", what, value(m), error(m), want, (value(m) - want) / se);
    NTH_CHECK_CLOSE(value(m), want, 0.0, times * se);
}

/* m (K_T - K_0) of the test pair of the mean-drift fixture, two-layer tanh nets, T = 3. */
static void drift(bool doubled, ptrdiff_t m, int nets, double simulated, double simulated_error, double predicted)
{
    static const double    X[] = { -0.471953, -0.12651, 1.204681, 0.484446, -1.206357, -0.003824, -0.468173, 0.111611, -1.207625 };
    static const double    Z[] = { 0.195056, 0.1899, 1.271177, 0.255764, 0.412384, -1.206036 }, y[] = { 1, -1, 1 };
    const nth_flow_options opt = { .stepper = NTH_STEPPER_COLLOCATION, .rtol = 1e-8 };
    const nth_net_config   cfg = { .activation = NTH_ACT_TANH, .layers = 2, .widths = { 3, doubled ? m / 2 : m, 1 }, .sigma_w = 1,
                                   .input_scale = NTH_INPUT_ONE, .doubled = doubled };
    mean                   moved = { 0 };
    char                   what[64];
    for (int run_number = 0; run_number < nets; ++run_number) {
        nth_net   *net = NULL;
        nth_flow  *flow = NULL;
        double     K0[4], KT[4];
        nth_blocks a = { .test_test = nth_mat_of(K0, 2, 2) }, b = { .test_test = nth_mat_of(KT, 2, 2) };
        bool ok = NTH_CHECK_OK(nth_net_create(&net, &cfg, false));
        if (ok) nth_net_init_gaussian(net, 91 + (uint64_t)m, (uint32_t)run_number);
        ok = ok && NTH_CHECK_OK(nth_flow_create(&flow, net, nth_cmat_of(X, 3, 3), nth_cmat_of(Z, 2, 3), y, &opt)) &&
             NTH_CHECK_OK(nth_ntk_flow(&a, flow)) && NTH_CHECK_OK(nth_flow_advance(flow, 3.0)) && NTH_CHECK_OK(nth_ntk_flow(&b, flow));
        if (ok) add(&moved, (double)m * (KT[1] - K0[1]));
        nth_flow_destroy(&flow);
        nth_net_destroy(&net);
        if (!ok) return;
    }
    snprintf(what, sizeof what, "m E(K_T - K_0), %s, m = %td", doubled ? "antisymmetric" : "Gaussian", m);
    within(what, &moved, simulated, simulated_error, 4.0); /* the other program's simulation */
    /* The expectation at m = infinity: a correction of order 1/m is left, at most 10 / m of it here. */
    NTH_CHECK_CLOSE(value(&moved), predicted, 0.0, 4.0 * error(&moved) + 10.0 / (double)m * fabs(predicted));
}

static void mean_drift(void)
{
    drift(false, 128, 12000, -1.013, 0.034, -1.02822031756);
    drift(false, 512, 6000, -0.986, 0.041, -1.02822031756);
    drift(true, 128, 6000, -1.2547, 0.0081, -1.28434046118);
    drift(true, 512, 3000, -1.2790, 0.0050, -1.28434046118);
}

static double dot(const double *x, const double *z) { return x[0] * z[0] + x[1] * z[1] + x[2] * z[2]; }

/* C7: linear E K2 = 2 x12, m E K4 = 2 x13 x24 + 2 x14 x23 + 4 x12 x34; quadratic with read-out +-1
 * m E K4 = 32 x12 x34 (x13 x24 + x14 x23). */
static void moments_of_exact_models(void)
{
    static const double X[] = { 0.8, -0.3, 0.4, 0.5, 0.6, -0.2, -0.4, 0.7, 0.5, 0.9, 0.2, 0.3 };
    const double       *x[4] = { X, X + 3, X + 6, X + 9 };
    const double        x12 = dot(x[0], x[1]), x34 = dot(x[2], x[3]), x13 = dot(x[0], x[2]), x24 = dot(x[1], x[3]), x14 = dot(x[0], x[3]),
                 x23 = dot(x[1], x[2]);
    static const double   third[4] = { 0, 0, 1, 0 }, fourth[4] = { 0, 0, 0, 1 };
    const double *const   v[2] = { third, fourth };
    const nth_cmat        none = nth_cmat_of(X, 0, 3);
    for (int quadratic = 0; quadratic < 2; ++quadratic) {
        const ptrdiff_t      m = 12;
        const nth_net_config cfg = { .activation = quadratic ? NTH_ACT_QUADRATIC : NTH_ACT_LINEAR, .layers = 2, .widths = { 3, m, 1 },
                                     .sigma_w = 1, .input_scale = NTH_INPUT_ONE, .frozen = quadratic ? 2u : 0u };
        mean                 two = { 0 }, four = { 0 };
        for (uint32_t k = 0; k < 8000; ++k) {
            nth_net   *net = NULL;
            double     K2[16], K4[16];
            nth_blocks b2 = { .train = nth_mat_of(K2, 4, 4) }, b4 = { .train = nth_mat_of(K4, 4, 4) };
            if (!NTH_CHECK_OK(nth_net_create(&net, &cfg, true))) return;
            nth_net_init_gaussian(net, 92, k);
            for (ptrdiff_t r = 0; quadratic && r < m; ++r) net->W[0][1].a[r] = r % 2 ? -1.0 : 1.0;
            if (NTH_CHECK_OK(nth_ntk_empirical(&b2, net, nth_cmat_of(X, 4, 3), none)) &&
                NTH_CHECK_OK(nth_hier_contract(&b4, net, nth_cmat_of(X, 4, 3), none, 4, v)))
                add(&two, K2[1]), add(&four, (double)m * K4[1]);
            nth_net_destroy(&net);
        }
        within(quadratic ? "quadratic: E K2" : "linear: E K2", &two, quadratic ? 4.0 * x12 * x12 : 2.0 * x12, 0.0, 4.0);
        within(quadratic ? "quadratic: m E K4" : "linear: m E K4", &four,
               quadratic ? 32.0 * x12 * x34 * (x13 * x24 + x14 * x23) : 2.0 * x13 * x24 + 2.0 * x14 * x23 + 4.0 * x12 * x34, 0.0, 4.0);
    }
}

/* C8: deep linear nets of H hidden layers: E K2 = (H + 1) x12 at every width, E f^4 = 3 |x|^4 (1 + 2/m)^H. */
static void moments_of_deep_linear_nets(void)
{
    static const double X[] = { 0.8, -0.3, 0.4, 0.5, 0.6, -0.2 };
    for (int H = 1; H <= 4; ++H)
        for (ptrdiff_t m = 4; m <= 16; m *= 4) {
            nth_net_config cfg = { .activation = NTH_ACT_LINEAR, .layers = H + 1, .widths = { 3 }, .sigma_w = 1, .input_scale = NTH_INPUT_ONE };
            mean           two = { 0 }, four = { 0 };
            char           what[64];
            for (int l = 1; l <= H; ++l) cfg.widths[l] = m;
            cfg.widths[H + 1] = 1;
            for (uint32_t k = 0; k < 20000; ++k) {
                const nth_flow_options opt = { .stepper = NTH_STEPPER_RKCK, .rtol = 1e-6 };
                nth_net               *net = NULL;
                nth_flow              *flow = NULL;
                double                 K[4], f[2], y[2] = { 0, 0 };
                nth_blocks             b = { .train = nth_mat_of(K, 2, 2) };
                if (!NTH_CHECK_OK(nth_net_create(&net, &cfg, false))) return;
                nth_net_init_gaussian(net, 93 + (uint64_t)(10 * H + m), k);
                if (NTH_CHECK_OK(nth_flow_create(&flow, net, nth_cmat_of(X, 2, 3), nth_cmat_of(X, 0, 3), y, &opt)) &&
                    NTH_CHECK_OK(nth_ntk_flow(&b, flow)) && NTH_CHECK_OK(nth_flow_outputs(flow, f)))
                    add(&two, K[1]), add(&four, f[0] * f[0] * f[0] * f[0]);
                nth_flow_destroy(&flow);
                nth_net_destroy(&net);
            }
            snprintf(what, sizeof what, "H = %d, m = %td: E K2", H, m);
            within(what, &two, (H + 1) * dot(X, X + 3), 0.0, 4.0);
            snprintf(what, sizeof what, "H = %d, m = %td: E f^4", H, m);
            within(what, &four, 3.0 * pow(dot(X, X), 2) * pow(1.0 + 2.0 / (double)m, H), 0.0, 4.0);
        }
}

int main(void)
{
    return nth_test_main("rates_slow", (nth_test_case[]){ { "rates_gaussian", rates_gaussian },
                                                          { "rates_antisymmetric", rates_antisymmetric },
                                                          { "rates_gaussian_wide", rates_gaussian_wide },
                                                          { "powers_of_small_times", powers_of_small_times },
                                                          { "mean_drift", mean_drift },
                                                          { "moments_of_exact_models", moments_of_exact_models },
                                                          { "moments_of_deep_linear_nets", moments_of_deep_linear_nets },
                                                          { 0 } });
}
