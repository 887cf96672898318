/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Hoeffding decomposition by random labelings (hoeffding.h). Label i of draw r is addressed by (r, i), so
 * that a second pass over the draws needs no memory for labels.
 */
#include "nth/hoeffding.h"
#include "alloc_priv.h"
#include "fail_priv.h"
#include "hoeffding_priv.h"
#include "nth/rng.h"

#include <math.h>
#include <string.h>

enum { PILOT = 16 };
typedef enum which { DRAW, REDRAW, PILOT_DRAW } which; /* run of the stream of labels */

typedef struct sampling {
    nth_hoeffding_kernel *kernel;
    void                 *ctx;
    const double         *mu; /* (n) or NULL */
    ptrdiff_t             n, count, draws;
    uint64_t              seed;
    double               *y, *other, *chi; /* (n), (n), (rows of kh) */
    double               *base;            /* (count) a kernel that is taken off */
    double               *K, *again, *mixed; /* (draws x count), (count), (count) */
} sampling;

/* A mean and its standard error from values that come one by one. */
typedef struct running {
    double sum, square;
} running;

static void take(running *r, double x) { r->sum += x, r->square += x * x; }

static double mean_of(running r, ptrdiff_t n) { return r.sum / (double)n; }

static double error_of(running r, ptrdiff_t n)
{
    const double mean = mean_of(r, n);
    return sqrt(fmax(r.square / (double)n - mean * mean, 0.0) / (double)(n - 1));
}

static void labels(const sampling *s, double *y, which run, ptrdiff_t draw)
{
    for (ptrdiff_t i = 0; i < s->n; ++i) {
        const double up = 0.5 * (1.0 + (s->mu != NULL ? s->mu[i] : 0.0));
        const double u = nth_rand_uniform(s->seed, NTH_STREAM_LABELS, (uint32_t)run, (uint64_t)(draw * s->n + i));
        y[i] = u < up ? 1.0 : -1.0;
    }
}

/* K - base at labels y. */
static nth_status evaluate(const sampling *s, double *K, const double *y)
{
    nth_status st = NTH_OK;
    NTH_TRY(s->kernel(K, y, s->ctx));
    for (ptrdiff_t k = 0; k < s->count; ++k) {
        NTH_REQUIRE(isfinite(K[k]), NTH_E_NUMERIC, "the kernel of a labeling is not finite (entry %td)", k + 1);
        K[k] -= s->base[k];
    }
done:
    return st;
}

static nth_status pilot(sampling *s)
{
    nth_status st = NTH_OK;
    double    *sum = s->mixed;
    for (ptrdiff_t r = 0; r < PILOT; ++r) {
        labels(s, s->y, PILOT_DRAW, r);
        NTH_TRY(evaluate(s, s->again, s->y));
        for (ptrdiff_t k = 0; k < s->count; ++k) sum[k] += s->again[k] / PILOT;
    }
    memcpy(s->base, sum, (size_t)s->count * sizeof *sum);
done:
    return st;
}

static void all_chi(const sampling *s)
{
    ptrdiff_t at = 1 + s->n;
    s->chi[0] = 1.0;
    for (ptrdiff_t i = 0; i < s->n; ++i) s->chi[1 + i] = nth_priv_chi(s->y[i], s->mu != NULL ? s->mu[i] : 0.0);
    for (ptrdiff_t i = 1; i < s->n; ++i)
        for (ptrdiff_t j = 0; j < i; ++j) s->chi[at++] = s->chi[1 + i] * s->chi[1 + j];
}

/* Sums of K chi_A and of its square. */
static nth_status first_pass(sampling *s, nth_mat kh, nth_mat se)
{
    nth_status st = NTH_OK;
    for (ptrdiff_t A = 0; A < kh.rows; ++A)
        for (ptrdiff_t k = 0; k < s->count; ++k) kh.a[A * kh.ld + k] = se.a[A * se.ld + k] = 0.0;
    for (ptrdiff_t r = 0; r < s->draws; ++r) {
        double *K = s->K + r * s->count;
        labels(s, s->y, DRAW, r);
        NTH_TRY(evaluate(s, K, s->y));
        all_chi(s);
        for (ptrdiff_t A = 0; A < kh.rows; ++A)
            for (ptrdiff_t k = 0; k < s->count; ++k) {
                const double z = K[k] * s->chi[A];
                kh.a[A * kh.ld + k] += z;
                se.a[A * se.ld + k] += z * z;
            }
    }
done:
    return st;
}

/* Sum over entries and sets lo <= A < hi of K_r chi_A(y_r) times the mean of the other draws. */
static double against_others(const sampling *s, nth_mat sum, const double *K, ptrdiff_t lo, ptrdiff_t hi)
{
    double total = 0.0;
    for (ptrdiff_t A = lo; A < hi; ++A)
        for (ptrdiff_t k = 0; k < s->count; ++k) {
            const double z = K[k] * s->chi[A];
            total += z * (sum.a[A * sum.ld + k] - z);
        }
    return total / (double)(s->draws - 1);
}

/* The two levels are means over pairs of draws; such a mean has twice the standard error of its terms by draws. */
static void second_pass(sampling *s, nth_mat sum, nth_hoeffding_effects *e)
{
    running variance = { 0 }, first = { 0 }, second = { 0 };
    for (ptrdiff_t r = 0; r < s->draws; ++r) {
        const double *K = s->K + r * s->count;
        double        off = 0.0;
        labels(s, s->y, DRAW, r);
        all_chi(s);
        for (ptrdiff_t k = 0; k < s->count; ++k) off += pow(K[k] - sum.a[k] / (double)s->draws, 2.0);
        take(&variance, off);
        take(&first, against_others(s, sum, K, 1, 1 + s->n));
        take(&second, against_others(s, sum, K, 1 + s->n, sum.rows));
    }
    e->variance = variance.sum / (double)(s->draws - 1), e->variance_se = error_of(variance, s->draws);
    e->first = mean_of(first, s->draws), e->first_se = 2.0 * error_of(first, s->draws);
    e->second = mean_of(second, s->draws), e->second_se = 2.0 * error_of(second, s->draws);
}

static nth_status pick_freeze(sampling *s, double *total, double *total_se, nth_hoeffding_effects *e)
{
    nth_status st = NTH_OK;
    running    frozen = { 0 };
    for (ptrdiff_t i = 0; i < s->n; ++i) total[i] = total_se[i] = 0.0;
    for (ptrdiff_t r = 0; r < s->draws; ++r) {
        const double *K = s->K + r * s->count;
        double        all = 0.0;
        labels(s, s->y, DRAW, r);
        labels(s, s->other, REDRAW, r);
        NTH_TRY(evaluate(s, s->again, s->other));
        for (ptrdiff_t i = 0; i < s->n; ++i) {
            const double had = s->other[i];
            double       change = 0.0;
            if (had != s->y[i]) { /* otherwise y^i is y' */
                s->other[i] = s->y[i];
                NTH_TRY(evaluate(s, s->mixed, s->other));
                s->other[i] = had;
                for (ptrdiff_t k = 0; k < s->count; ++k) {
                    const double d = s->mixed[k] - s->again[k];
                    all += K[k] * d;
                    change += 0.5 * d * d;
                }
            }
            total[i] += change, total_se[i] += change * change;
        }
        take(&frozen, all);
    }
    for (ptrdiff_t i = 0; i < s->n; ++i) {
        const running t = { total[i], total_se[i] };
        total[i] = mean_of(t, s->draws), total_se[i] = error_of(t, s->draws);
    }
    e->frozen = mean_of(frozen, s->draws), e->frozen_se = error_of(frozen, s->draws);
done:
    return st;
}

ptrdiff_t nth_hoeffding_pair(ptrdiff_t n, ptrdiff_t i, ptrdiff_t j) { return 1 + n + i * (i - 1) / 2 + j; }

nth_status nth_hoeffding_sampled(nth_mat kh, nth_mat se, double *total, double *total_se, nth_hoeffding_effects *effects,
                                 nth_hoeffding_kernel *kernel, void *ctx, ptrdiff_t n, const double *mu, ptrdiff_t draws, uint64_t seed)
{
    nth_status st = NTH_OK;
    sampling   s = { .kernel = kernel, .ctx = ctx, .mu = mu, .n = n, .count = kh.cols, .draws = draws, .seed = seed };
    NTH_TRY(nth_priv_hoeffding_check(n, mu));
    NTH_REQUIRE(draws >= 4, NTH_E_ARG, "%td draws; 4 or more are expected", draws);
    NTH_REQUIRE(kh.rows == 1 + n + n * (n - 1) / 2 && kh.cols >= 1 && se.rows == kh.rows && se.cols == kh.cols, NTH_E_SHAPE,
                "coefficients are %td x %td, their errors %td x %td; %td labels have %td rows", kh.rows, kh.cols, se.rows, se.cols, n,
                1 + n + n * (n - 1) / 2);
    NTH_REQUIRE((total == NULL) == (total_se == NULL), NTH_E_ARG, "total effects come with their errors");
    NTH_TRY(nth_priv_doubles(&s.y, n, "labels"));
    NTH_TRY(nth_priv_doubles(&s.other, n, "labels"));
    NTH_TRY(nth_priv_doubles(&s.chi, kh.rows, "products of labels"));
    NTH_TRY(nth_priv_doubles(&s.base, s.count, "kernel"));
    NTH_TRY(nth_priv_doubles(&s.again, s.count, "kernel"));
    NTH_TRY(nth_priv_doubles(&s.mixed, s.count, "kernel"));
    NTH_TRY(nth_priv_doubles(&s.K, draws * s.count, "kernels"));
    *effects = (nth_hoeffding_effects){ .frozen = NAN, .frozen_se = NAN };
    NTH_TRY(pilot(&s));
    NTH_TRY(first_pass(&s, kh, se));
    second_pass(&s, kh, effects);
    if (total != NULL) NTH_TRY(pick_freeze(&s, total, total_se, effects));
    for (ptrdiff_t A = 0; A < kh.rows; ++A)
        for (ptrdiff_t k = 0; k < s.count; ++k) {
            const running z = { kh.a[A * kh.ld + k], se.a[A * se.ld + k] };
            kh.a[A * kh.ld + k] = mean_of(z, draws) + (A == 0 ? s.base[k] : 0.0);
            se.a[A * se.ld + k] = error_of(z, draws);
        }
done:
    nth_priv_free(s.y);
    nth_priv_free(s.other);
    nth_priv_free(s.chi);
    nth_priv_free(s.base);
    nth_priv_free(s.again);
    nth_priv_free(s.mixed);
    nth_priv_free(s.K);
    return st;
}
