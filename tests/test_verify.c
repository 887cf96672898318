/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Exponents, intervals and verdicts: numbers of known power are put into a sweep by hand, and what
 * comes out must be that power, that verdict, and nothing where there is a NaN. Networks are run in
 * test_sweep.c.
 */
#include "nth_test.h"
#include "alloc_priv.h"
#include "nth/rng.h"
#include "sweep_case.h"

#include <float.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const nth_verdict_options strict = { .band = 0.1, .widest = 0.15, .growth = 2.0 };

/* ---- Exponents --------------------------------------------------------------------------------- */

static void slope_of_exact_powers(void)
{
    static const double powers[] = { -0.5, -1.0, -2.0, -3.25, 1.5 };
    for (int p = 0; p < 5; ++p)
        for (int q = 0; q < NTH_Q_COUNT; ++q) {
            nth_family f = sweep_family(6, 64, 3);
            nth_rate   r;
            nth_sweep *s = sweep_by_hand(&f, 1, 50);
            if (s == NULL) return;
            sweep_put(s, 0, (nth_quantity)q, 7.0, powers[p], 0.0, 0);
            for (int at = 0; at < NTH_PAIRS_COUNT * NTH_NORM_COUNT * 2; ++at) {
                NTH_CHECK_OK(nth_sweep_rate(s, 0, (nth_quantity)q, (nth_pairs)(at / 2 % 3), (nth_norm)(at / 6), at % 2, &r));
                /* logarithms of numbers up to m^p rounded, over log 32 */
                NTH_CHECK_CLOSE(r.slope, powers[p], 0.0, 1e-14);
                NTH_CHECK_CLOSE(r.low, powers[p], 0.0, 1e-14);
                NTH_CHECK_CLOSE(r.high, powers[p], 0.0, 1e-14);
                NTH_CHECK(r.points == 6);
                for (int w = 0; w < 6; ++w) {
                    NTH_CHECK_CLOSE(r.median[w], 7.0 * pow((double)(64 << w), powers[p]), 1e-15, 0.0);
                    NTH_CHECK(r.upper[w] == r.median[w]);
                    if (w < 5) NTH_CHECK_CLOSE(r.local[w], powers[p], 0.0, 1e-13);
                }
            }
            nth_sweep_destroy(&s);
        }
}

static void slope_in_time(void)
{
    nth_family f = sweep_family(1, 16, 5);
    nth_rate   r;
    f.small_time = true, f.n_times = 4;
    memcpy(f.times, (double[]){ 0.02, 0.04, 0.08, 0.16 }, 4 * sizeof(double));
    nth_sweep *s = sweep_by_hand(&f, 1, 40);
    if (s == NULL) return;
    sweep_put(s, 0, NTH_Q_ERROR, 1.0, 4.0, 1.0, 3); /* every seed is a power of its own size */
    for (ptrdiff_t time = 0; time < 4; ++time) {
        NTH_CHECK_OK(nth_sweep_rate(s, 0, NTH_Q_ERROR, NTH_PAIRS_TRAIN, NTH_NORM_SUP, time, &r));
        NTH_CHECK_CLOSE(r.slope, 4.0, 0.0, 1e-13);
        NTH_CHECK_CLOSE(r.high - r.low, 0.0, 0.0, 1e-13); /* seeds are resampled together */
        NTH_CHECK(r.points == 4);
    }
    nth_sweep_destroy(&s);
}

/* Median and 90 % quantile of what is there, against sorting. */
static int ascending(const void *a, const void *b)
{
    const double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

static void quantiles(void)
{
    for (ptrdiff_t seeds = 1; seeds <= 24; ++seeds) {
        nth_family f = sweep_family(2, 64, seeds);
        nth_rate   r;
        double     v[24];
        nth_sweep *s = sweep_by_hand(&f, 1, 0);
        if (s == NULL) return;
        sweep_put(s, 0, NTH_Q_MOVE, 1.0, -1.0, 0.8, (uint32_t)seeds);
        for (ptrdiff_t k = 0; k < seeds; k += 3) /* signs do not count, equal values do no harm */
            sweep_member(s, 0, 0, k)[nth_norm_index(1, NTH_Q_MOVE, NTH_PAIRS_TEST, NTH_NORM_SUP)] *= k % 2 ? -1.0 : 0.0;
        for (ptrdiff_t k = 0; k < seeds; ++k)
            v[k] = fabs(sweep_member(s, 0, 0, k)[nth_norm_index(1, NTH_Q_MOVE, NTH_PAIRS_TEST, NTH_NORM_SUP)]);
        qsort(v, (size_t)seeds, sizeof *v, ascending);
        (void)!nth_sweep_rate(s, 0, NTH_Q_MOVE, NTH_PAIRS_TEST, NTH_NORM_SUP, 1, &r);
        const ptrdiff_t half = (seeds - 1) / 2, at = (ptrdiff_t)floor(0.9 * (double)(seeds - 1) + 1e-12);
        const double    part = 0.9 * (double)(seeds - 1) - (double)at;
        NTH_CHECK_CLOSE(r.median[0], 0.5 * (v[half] + v[seeds / 2]), 1e-15, 0.0);
        NTH_CHECK_CLOSE(r.upper[0], v[at] + part * (at + 1 < seeds ? v[at + 1] - v[at] : 0.0), 1e-14, 1e-300);
        nth_sweep_destroy(&s);
    }
}

/* Scatter of known size around a known power: the intervals are as wide as the slopes scatter, hold
 * the power about 19 times in 20, and are the same in each run. */
static void intervals_hold_the_power(void)
{
    enum { RUNS = 120, SEEDS = 40 };
    nth_family f = sweep_family(5, 64, SEEDS);
    double     mean = 0.0, square = 0.0, below = 0.0, above = 0.0;
    int        held = 0;
    for (uint32_t run = 0; run < RUNS; ++run) {
        nth_rate   r, again;
        nth_sweep *s = sweep_by_hand(&f, 1, 300);
        if (s == NULL) return;
        sweep_put(s, 0, NTH_Q_ERROR, 3.0, -2.0, 0.6, run);
        NTH_CHECK_OK(nth_sweep_rate(s, 0, NTH_Q_ERROR, NTH_PAIRS_TRAIN, NTH_NORM_SUP, 0, &r));
        NTH_CHECK_OK(nth_sweep_rate(s, 0, NTH_Q_ERROR, NTH_PAIRS_TRAIN, NTH_NORM_SUP, 0, &again));
        NTH_CHECK(memcmp(&r, &again, sizeof r) == 0);
        NTH_CHECK(r.low <= r.slope && r.slope <= r.high);
        mean += r.slope / RUNS, square += r.slope * r.slope / RUNS, below += (r.slope - r.low) / RUNS, above += (r.high - r.slope) / RUNS;
        held += r.low <= -2.0 && -2.0 <= r.high;
        s->opt.seed = 6;
        NTH_CHECK_OK(nth_sweep_rate(s, 0, NTH_Q_ERROR, NTH_PAIRS_TRAIN, NTH_NORM_SUP, 0, &again));
        NTH_CHECK(again.slope == r.slope && again.low != r.low); /* other resamples */
        nth_sweep_destroy(&s);
    }
    const double scatter = sqrt(square - mean * mean);
    printf("    held %d of %d; from %.4f below to %.4f above, 1.96 times the scatter of slopes %.4f\n", held, RUNS, below, above,
           1.96 * scatter);
    /* Theory: se of a median 1.2533 * 0.6 / sqrt(40), over log 2 sqrt(10): 0.054. */
    NTH_CHECK_CLOSE(scatter, 1.2533 * 0.6 / sqrt(SEEDS) / (log(2.0) * sqrt(10.0)), 0.25, 0.0);
    NTH_CHECK_CLOSE(mean, -2.0, 0.0, 4.0 * scatter / sqrt(RUNS));
    NTH_CHECK(held >= 104); /* 114 expected, s.d. 2.4: 4 below */
    NTH_CHECK_CLOSE(below, 1.96 * scatter, 0.25, 0.0);
    NTH_CHECK_CLOSE(above, 1.96 * scatter, 0.25, 0.0);
}

static void values_below_rounding_are_left_out(void)
{
    nth_family f = sweep_family(6, 64, 3);
    nth_rate   r;
    nth_sweep *s = sweep_by_hand(&f, 1, 20);
    if (s == NULL) return;
    for (ptrdiff_t above = 6; above >= 0; --above) { /* the widest ones sink below 1e-14 max |K_0| */
        sweep_put(s, 0, NTH_Q_ERROR, 1e-6, -2.0, 0.0, 0);
        for (ptrdiff_t w = above; w < 6; ++w)
            for (ptrdiff_t k = 0; k < 3; ++k)
                sweep_member(s, 0, w, k)[nth_norm_index(0, NTH_Q_ERROR, NTH_PAIRS_TRAIN, NTH_NORM_SUP)] = 9.9e-15 * (w % 2 ? -1.0 : 1.0);
        const nth_status st = nth_sweep_rate(s, 0, NTH_Q_ERROR, NTH_PAIRS_TRAIN, NTH_NORM_SUP, 0, &r);
        NTH_CHECK(st == (above >= 2 ? NTH_OK : NTH_E_NUMERIC) && r.points == above);
        if (above >= 2) NTH_CHECK_CLOSE(r.slope, -2.0, 0.0, 1e-13);
        else NTH_CHECK_MESSAGE("points above the rounding floor");
    }
    for (ptrdiff_t k = 0; k < 3; ++k) /* the floor moves with the kernel */
        for (ptrdiff_t w = 0; w < 6; ++w) sweep_member(s, 0, w, k)[nth_extra_index(&f, NTH_X_KERNEL_MAX)] = 0.25;
    NTH_CHECK_OK(nth_sweep_rate(s, 0, NTH_Q_ERROR, NTH_PAIRS_TRAIN, NTH_NORM_SUP, 0, &r));
    NTH_CHECK(r.points == 6);
    NTH_CHECK_STATUS(nth_sweep_rate(s, 1, NTH_Q_ERROR, NTH_PAIRS_TRAIN, NTH_NORM_SUP, 0, &r), NTH_E_ARG);
    NTH_CHECK_STATUS(nth_sweep_rate(s, 0, NTH_Q_ERROR, NTH_PAIRS_TRAIN, NTH_NORM_SUP, 2, &r), NTH_E_ARG);
    nth_sweep_destroy(&s);
}

/* ---- Claims ------------------------------------------------------------------------------------ */

static const nth_claim *find(const nth_claim *list, ptrdiff_t count, ptrdiff_t family, const char *name)
{
    for (ptrdiff_t i = 0; i < count; ++i)
        if (list[i].family == family && strcmp(list[i].name, name) == 0) return &list[i];
    return NULL;
}

static nth_verdict verdict_of(nth_sweep *s, const char *name)
{
    nth_claim  *list = NULL;
    ptrdiff_t   count = 0;
    nth_verdict v = (nth_verdict)-1;
    if (NTH_CHECK_OK(nth_sweep_claims(s, &strict, &list, &count))) {
        const nth_claim *c = find(list, count, 0, name);
        if (NTH_CHECK(c != NULL)) v = c->verdict;
    }
    nth_claims_free(&list);
    NTH_CHECK(list == NULL);
    return v;
}

static const char THEOREM[] = "Theorem 2.1: K_t - Khat_t";

static void verdicts(void)
{
    static const struct {
        double      power, noise;
        nth_verdict want;
    } row[] = { { -2.0, 0.0, NTH_HOLDS },      { -1.91, 0.0, NTH_HOLDS }, { -2.09, 0.0, NTH_HOLDS }, { -1.89, 0.0, NTH_FAILS },
                { -2.11, 0.0, NTH_FAILS },     { -1.0, 0.0, NTH_FAILS },  { -1.5, 0.2, NTH_FAILS },  { -2.0, 0.2, NTH_HOLDS },
                { -2.0, 2.5, NTH_UNDECIDED }, { 0.0, 0.5, NTH_FAILS } };
    nth_family f = sweep_family(6, 64, 24);
    nth_sweep *s = sweep_by_hand(&f, 1, 200);
    if (s == NULL) return;
    for (size_t i = 0; i < sizeof row / sizeof *row; ++i) {
        sweep_put(s, 0, NTH_Q_ERROR, 1.0, row[i].power, row[i].noise, 1);
        if (!NTH_CHECK(verdict_of(s, THEOREM) == row[i].want)) printf("    ... power %g, noise %g\n", row[i].power, row[i].noise);
    }
    nth_sweep_destroy(&s);
}

/* One time that fails makes the claim fail; one without an interval leaves it undecided. */
static void every_time_counts(void)
{
    static const nth_verdict want[] = { NTH_HOLDS, NTH_FAILS, NTH_UNDECIDED };
    nth_family               f = sweep_family(5, 64, 8);
    nth_sweep               *s = sweep_by_hand(&f, 1, 100);
    if (s == NULL) return;
    for (ptrdiff_t t = 0; t < 2; ++t)
        for (int what = 0; what < 3; ++what) {
            sweep_put(s, 0, NTH_Q_ERROR, 1.0, -2.0, 0.0, 0);
            for (ptrdiff_t w = 0; w < 5; ++w)
                for (ptrdiff_t k = 0; k < 8; ++k) {
                    double *v = &sweep_member(s, 0, w, k)[nth_norm_index(t, NTH_Q_ERROR, NTH_PAIRS_TEST_TRAIN, NTH_NORM_SUP)];
                    if (what == 1) *v = sqrt(*v);
                    if (what == 2 && w > 0) *v = 0.0;
                }
            NTH_CHECK(verdict_of(s, THEOREM) == want[what]);
        }
    nth_sweep_destroy(&s);
}

/* An exact power, measured with too few seeds, resamples or widths to tell: undecided. */
static void little_evidence_is_undecided(void)
{
    static const struct {
        ptrdiff_t   widths, seeds, draws;
        nth_verdict want;
    } row[] = { { 3, 8, 100, NTH_HOLDS }, { 2, 8, 100, NTH_UNDECIDED }, { 3, 7, 100, NTH_UNDECIDED }, { 3, 8, 99, NTH_UNDECIDED },
                { 1, 8, 100, NTH_UNDECIDED }, { 3, 8, 0, NTH_UNDECIDED } };
    for (size_t i = 0; i < sizeof row / sizeof *row; ++i) {
        nth_family f = sweep_family(row[i].widths, 64, row[i].seeds);
        nth_sweep *s = sweep_by_hand(&f, 1, row[i].draws);
        if (s == NULL) return;
        sweep_put(s, 0, NTH_Q_ERROR, 1.0, -2.0, 0.0, 1);
        if (!NTH_CHECK(verdict_of(s, THEOREM) == row[i].want)) printf("    ... row %zu\n", i);
        nth_sweep_destroy(&s);
    }
}

/* A single number that is not finite, anywhere: never "holds". */
static void nan_never_holds(void)
{
    static const double bad[] = { NAN, INFINITY, -INFINITY };
    nth_family          f = sweep_family(5, 64, 9);
    nth_sweep          *s = sweep_by_hand(&f, 1, 100);
    nth_rate            r;
    if (s == NULL) return;
    sweep_put(s, 0, NTH_Q_ERROR, 1.0, -2.0, 0.0, 0);
    NTH_CHECK(verdict_of(s, THEOREM) == NTH_HOLDS); /* without it */
    for (int what = 0; what < 3; ++what)
        for (ptrdiff_t w = 0; w < 5; ++w)
            for (ptrdiff_t k = 0; k < 9; k += 4) {
                sweep_put(s, 0, NTH_Q_ERROR, 1.0, -2.0, 0.0, 0);
                sweep_member(s, 0, w, k)[nth_norm_index(1, NTH_Q_ERROR, NTH_PAIRS_TEST_TRAIN, NTH_NORM_SUP)] = bad[what];
                NTH_CHECK(verdict_of(s, THEOREM) == NTH_UNDECIDED);
                NTH_CHECK_STATUS(nth_sweep_rate(s, 0, NTH_Q_ERROR, NTH_PAIRS_TEST_TRAIN, NTH_NORM_SUP, 1, &r), NTH_E_NUMERIC);
                NTH_CHECK_MESSAGE("not finite");
                NTH_CHECK(isnan(r.slope) && isnan(r.low) && isnan(r.high));
            }
    nth_sweep_destroy(&s);
}

static bool claimed(nth_activation act, int layers, bool doubled, bool small_time, const char *name, double *predicted)
{
    nth_family       f = sweep_family(3, 64, 2);
    nth_claim       *list = NULL;
    ptrdiff_t        count = 0;
    const nth_claim *c;
    f.shape.activation = act, f.shape.layers = layers, f.shape.doubled = doubled, f.small_time = small_time;
    if (act == NTH_ACT_RELU) f.flow = (nth_flow_options){ .stepper = NTH_STEPPER_RKCK, .rtol = 1e-6, .fixed_steps = 4 };
    nth_sweep *s = sweep_by_hand(&f, 1, 10);
    if (s == NULL) return false;
    NTH_CHECK_OK(nth_sweep_claims(s, &strict, &list, &count));
    c = find(list, count, 0, name);
    *predicted = c != NULL ? c->predicted : NAN;
    const bool yes = c != NULL;
    nth_claims_free(&list);
    nth_sweep_destroy(&s);
    return yes;
}

/* The table of predicted exponents (docs/equations.md, 4.3), and the controls that go with each family. */
static void claims_are_the_theory(void)
{
    static const struct {
        const char *name;
        double      gaussian, doubled;
        bool        smooth, small;
    } row[] = { { THEOREM, -2, -2, true, false }, { "K_t - K_0", -1, -1, true, false }, { "K3 dropped", -1, -2, true, false },
                { "K4 dropped", -1, -1, true, false }, { "small t: K_t - Khat_t", 3, 4, true, true },
                { "small t: K_t - K_0", 1, 2, true, true }, { "relu: rms of K_t - K_0, generic pairs", -0.75, -0.75, false, false },
                { "relu: mean of K_t - K_0, train diagonal", -0.5, -0.5, false, false } };
    double p;
    for (size_t i = 0; i < sizeof row / sizeof *row; ++i)
        for (int kind = 0; kind < 8; ++kind) {
            const bool relu = kind & 1, doubled = kind & 2, small = kind & 4;
            const bool want = row[i].smooth != relu && row[i].small == small;
            NTH_CHECK(claimed(relu ? NTH_ACT_RELU : NTH_ACT_SOFTPLUS, 2, doubled, small, row[i].name, &p) == want);
            if (want) NTH_CHECK(p == (doubled ? row[i].doubled : row[i].gaussian));
        }
    for (int act = 0; act < NTH_ACT_COUNT; ++act) { /* every activation has E_init K_0 */
        NTH_CHECK(claimed((nth_activation)act, 2, false, false, "K_t - E_init K_0", &p) && p == -0.5);
        NTH_CHECK(claimed((nth_activation)act, 2, true, false, "K_0 - E_init K_0", &p) && p == -0.5);
        NTH_CHECK(!claimed((nth_activation)act, 2, false, true, "K_0 - E_init K_0", &p));
    }
}

/* The constant of the bound E39, recomputed from medians put there by hand. */
static void preconditions(void)
{
    nth_family        f = sweep_family(4, 64, 3);
    nth_preconditions pre;
    nth_sweep        *s = sweep_by_hand(&f, 1, 0);
    double            worst[2] = { 0, 0 };
    if (s == NULL) return;
    for (ptrdiff_t w = 0; w < 4; ++w)
        for (ptrdiff_t k = 0; k < 3; ++k) {
            double *v = sweep_member(s, 0, w, k);
            v[nth_extra_index(&f, NTH_X_LAMBDA_MIN)] = 0.2 + 0.1 * (double)((w + k) % 4);
            v[nth_extra_index(&f, NTH_X_LAMBDA_MAX)] = 3.0 + (double)(w * k);
            v[nth_extra_index(&f, NTH_X_OUTPUT_MAX)] = 1.0 / (double)(1 + w + k);
            for (ptrdiff_t t = 0; t < 2; ++t)
                v[nth_norm_index(t, NTH_Q_ERROR, NTH_PAIRS_TEST_TRAIN, NTH_NORM_SUP)] = (w == 3 ? 5.0 : 2.0) * pow((double)f.widths[w], -2);
        }
    NTH_CHECK_OK(nth_sweep_preconditions(s, 0, &pre));
    for (int w = 0; w < 4; ++w)
        for (int i = 0; i < 2; ++i) {
            const double m = (double)f.widths[w], t = f.times[i], n = 4.0;
            const double bound = (t * t * fmax(t * t, 1.0) * (1.0 + t * t / m) * fmin(t, n / 0.2) + t * t * t * fmax(1.0, t)) / (m * m);
            worst[w / 2] = fmax(worst[w / 2], (w == 3 ? 5.0 : 2.0) / (m * m) / bound);
        }
    NTH_CHECK(pre.lambda_min == 0.2 && pre.lambda_max == 9.0 && pre.output_max == 1.0 && pre.smooth && pre.unbiased);
    NTH_CHECK_CLOSE(pre.constant, worst[1], 1e-14, 0.0);
    NTH_CHECK_CLOSE(pre.constant_growth, worst[1] / worst[0], 1e-14, 0.0);
    NTH_CHECK_CLOSE(pre.window, fmin(sqrt(0.2 * 64.0 / 4.0), 4.0), 1e-14, 0.0);
    sweep_member(s, 0, 1, 1)[nth_norm_index(1, NTH_Q_ERROR, NTH_PAIRS_TEST_TRAIN, NTH_NORM_SUP)] = NAN;
    NTH_CHECK_OK(nth_sweep_preconditions(s, 0, &pre));
    NTH_CHECK(!(pre.constant_growth <= 4.0)); /* no bound is claimed of a NaN */
    NTH_CHECK_STATUS(nth_sweep_preconditions(s, 1, &pre), NTH_E_ARG);
    nth_sweep_destroy(&s);
}

/* ---- Inputs ------------------------------------------------------------------------------------ */

/* Smallest singular value of r <= 3 rows: least eigenvalue of their Gram matrix by Jacobi rotations. */
static double least_singular(const double *const *x, int r, int d)
{
    long double A[3][3], least = INFINITY;
    for (int i = 0; i < r; ++i)
        for (int j = 0; j < r; ++j) {
            A[i][j] = 0.0L;
            for (int k = 0; k < d; ++k) A[i][j] += (long double)x[i][k] * x[j][k];
        }
    for (int sweep = 0; sweep < 60; ++sweep)
        for (int p = 0; p < r; ++p)
            for (int q = p + 1; q < r; ++q) {
                const long double a = 0.5L * atan2l(2.0L * A[p][q], A[q][q] - A[p][p]), c = cosl(a), sn = sinl(a);
                for (int k = 0; k < r; ++k) {
                    const long double u = A[k][p], v = A[k][q];
                    A[k][p] = c * u - sn * v, A[k][q] = sn * u + c * v;
                }
                for (int k = 0; k < r; ++k) {
                    const long double u = A[p][k], v = A[q][k];
                    A[p][k] = c * u - sn * v, A[q][k] = sn * u + c * v;
                }
            }
    for (int i = 0; i < r; ++i) least = fminl(least, A[i][i]);
    return (double)sqrtl(fmaxl(least, 0.0L));
}

static void tuples_by_brute_force(void)
{
    enum { n = 5, d = 3, ld = 7 };
    double X[n * ld], out[5], want[3] = { INFINITY, INFINITY, INFINITY };
    nth_rand_normals(X, n * ld, 71, NTH_STREAM_TEST, 0, 0);
    for (int mask = 1; mask < 1 << n; ++mask) {
        const double *pick[n];
        int           r = 0;
        for (int i = 0; i < n; ++i)
            if (mask >> i & 1) pick[r++] = X + i * ld;
        if (r <= 3) want[r - 1] = fmin(want[r - 1], least_singular(pick, r, d));
    }
    NTH_CHECK_OK(nth_verify_input_tuples((nth_cmat){ X, n, d, ld }, 5, 1, out));
    for (int r = 0; r < 3; ++r) NTH_CHECK_CLOSE(out[r], want[r], 0.0, 1e-14); /* a few eps of the largest */
    NTH_CHECK(out[3] == 0.0 && out[4] == 0.0); /* dependent by dimension */
    for (int k = 0; k < d; ++k) X[ld + k] = -2.0 * X[k]; /* two inputs on one line */
    NTH_CHECK_OK(nth_verify_input_tuples((nth_cmat){ X, n, d, ld }, 2, 1, out));
    NTH_CHECK_CLOSE(out[1], 0.0, 0.0, 1e-14);
    NTH_CHECK_STATUS(nth_verify_input_tuples((nth_cmat){ X, n, d, ld }, 0, 1, out), NTH_E_ARG);
    NTH_CHECK_STATUS(nth_verify_input_tuples((nth_cmat){ X, 0, d, ld }, 1, 1, out), NTH_E_ARG);
}

/* More tuples than are tried: a sample, the same for the same seed, never below the true minimum. */
static void many_tuples_are_sampled(void)
{
    enum { n = 90, d = 4 };
    static double X[n * d];
    double        a[3], b[3], c[3], least = INFINITY;
    nth_rand_normals(X, n * d, 72, NTH_STREAM_TEST, 0, 0);
    for (int i = 0; i < n; ++i)
        for (int j = 0; j < i; ++j)
            for (int k = 0; k < j; ++k)
                least = fmin(least, least_singular((const double *const[]){ X + i * d, X + j * d, X + k * d }, 3, d));
    NTH_CHECK_OK(nth_verify_input_tuples(nth_cmat_of(X, n, d), 3, 1, a)); /* 117,480 triples, 100,000 of them tried */
    NTH_CHECK_OK(nth_verify_input_tuples(nth_cmat_of(X, n, d), 3, 1, b));
    NTH_CHECK_OK(nth_verify_input_tuples(nth_cmat_of(X, n, d), 3, 2, c));
    NTH_CHECK(memcmp(a, b, sizeof a) == 0 && a[1] == c[1] && a[0] == c[0]);
    NTH_CHECK(a[2] >= least * (1.0 - 1e-12) && a[2] < 3.0 * least && c[2] >= least * (1.0 - 1e-12));
}

int main(void)
{
    return nth_test_main("verify", (nth_test_case[]){ { "slope_of_exact_powers", slope_of_exact_powers },
                                                      { "slope_in_time", slope_in_time },
                                                      { "quantiles", quantiles },
                                                      { "intervals_hold_the_power", intervals_hold_the_power },
                                                      { "values_below_rounding_are_left_out", values_below_rounding_are_left_out },
                                                      { "verdicts", verdicts },
                                                      { "every_time_counts", every_time_counts },
                                                      { "little_evidence_is_undecided", little_evidence_is_undecided },
                                                      { "nan_never_holds", nan_never_holds },
                                                      { "claims_are_the_theory", claims_are_the_theory },
                                                      { "preconditions", preconditions },
                                                      { "tuples_by_brute_force", tuples_by_brute_force },
                                                      { "many_tuples_are_sampled", many_tuples_are_sampled },
                                                      { 0 } });
}
