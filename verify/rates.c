/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Exponents: least squares of the log of a summary over seeds against the log of the width (or of
 * time), with a bootstrap interval over seeds and the local slopes beside it (docs/equations.md,
 * 4.5). Resampled indices come from a counter-based stream: the interval is the same in every run.
 */
#include "sweep_priv.h"
#include "alloc_priv.h"
#include "fail_priv.h"
#include "nth/rng.h"

#include <math.h>
#include <string.h>

const double nth_priv_floor = 2e-14; /* times max |K_0|: a hundred times the rounding of E_t (docs/verify.md) */

/* The k-th smallest of v (n), k from 0; v is reordered. An entry that is not finite makes the result NaN. */
static double kth(double *v, ptrdiff_t n, ptrdiff_t k)
{
    ptrdiff_t lo = 0, hi = n - 1;
    for (ptrdiff_t i = 0; i < n; ++i)
        if (!isfinite(v[i])) return NAN;
    while (lo < hi) {
        const double pivot = v[lo + (hi - lo) / 2];
        ptrdiff_t    i = lo, j = hi;
        while (i <= j) {
            while (v[i] < pivot) ++i;
            while (v[j] > pivot) --j;
            if (i <= j) {
                const double t = v[i];
                v[i++] = v[j], v[j--] = t;
            }
        }
        if (k <= j) hi = j;
        else if (k >= i) lo = i;
        else break;
    }
    return v[k];
}

static double quantile(double *v, ptrdiff_t n, double p)
{
    const double    at = p * (double)(n - 1);
    const ptrdiff_t k = (ptrdiff_t)at;
    const double    low = kth(v, n, k);
    return k + 1 < n && at > (double)k ? low + (at - (double)k) * (kth(v, n, k + 1) - low) : low;
}

/* v (seeds x entries), entries of one network together; reordered. */
static double summarise(double *v, ptrdiff_t seeds, ptrdiff_t entries, nth_summary kind)
{
    const ptrdiff_t n = seeds * entries;
    double          s = 0.0;
    if (kind == NTH_SUMMARY_MEDIAN) {
        for (ptrdiff_t i = 0; i < n; ++i) v[i] = fabs(v[i]);
        return quantile(v, n, 0.5);
    }
    for (ptrdiff_t e = 0; kind == NTH_SUMMARY_SPREAD && e < entries; ++e) { /* about each entry's own mean */
        double mean = 0.0;
        for (ptrdiff_t i = 0; i < seeds; ++i) mean += v[i * entries + e] / (double)seeds;
        for (ptrdiff_t i = 0; i < seeds; ++i) v[i * entries + e] -= mean;
    }
    for (ptrdiff_t i = 0; i < n; ++i) s += kind == NTH_SUMMARY_MEAN ? v[i] : v[i] * v[i];
    if (kind == NTH_SUMMARY_SPREAD) return sqrt(s / (double)((seeds - 1) * entries));
    return kind == NTH_SUMMARY_MEAN ? fabs(s / (double)n) : sqrt(s / (double)n);
}

static double slope(const double *x, const double *y, ptrdiff_t n)
{
    double mx = 0.0, my = 0.0, sxy = 0.0, sxx = 0.0;
    for (ptrdiff_t i = 0; i < n; ++i) mx += x[i] / (double)n, my += y[i] / (double)n;
    for (ptrdiff_t i = 0; i < n; ++i) sxy += (x[i] - mx) * (y[i] - my), sxx += (x[i] - mx) * (x[i] - mx);
    return sxy / sxx;
}

static uint64_t next_word(uint64_t *state) /* splitmix64 */
{
    uint64_t z = (*state += 0x9e3779b97f4a7c15u);
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
    return z ^ (z >> 31);
}

static double resampled_slope(const nth_fit *f, nth_summary kind, double *work, uint64_t seed, uint32_t draw)
{
    double y[NTH_FAMILY_MAX_WIDTHS];
    for (ptrdiff_t p = 0; p < f->points; ++p) {
        const ptrdiff_t seeds = f->seeds[p], row = f->entries;
        uint64_t        state = nth_seed_derive(seed, draw, f->paired ? 0 : (uint32_t)p);
        for (ptrdiff_t k = 0; k < seeds; ++k) {
            const uint64_t pick = (next_word(&state) >> 32) * (uint64_t)seeds >> 32;
            for (ptrdiff_t e = 0; e < row; ++e) work[k * row + e] = f->v[p][(ptrdiff_t)pick * row + e];
        }
        y[p] = log(summarise(work, seeds, row, kind));
    }
    return slope(f->x, y, f->points);
}

nth_status nth_priv_fit_rate(nth_rate *rate, const nth_fit *f, nth_summary kind, ptrdiff_t draws, uint64_t seed)
{
    nth_status st = NTH_OK;
    ptrdiff_t  most = 1;
    double    *slopes = NULL, *work = NULL, y[NTH_FAMILY_MAX_WIDTHS];
    rate->points = f->points;
    rate->slope = rate->low = rate->high = NAN;
    if (f->points < 2) goto done;
    for (ptrdiff_t p = 0; p < f->points; ++p) most = f->seeds[p] > most ? f->seeds[p] : most;
    NTH_TRY(nth_priv_doubles(&work, most * f->entries, "values of a fit"));
    NTH_TRY(nth_priv_doubles(&slopes, draws, "bootstrap slopes"));
    for (ptrdiff_t p = 0; p < f->points; ++p) {
        y[p] = log(nth_priv_summary(f->v[p], f->seeds[p], f->entries, kind, work));
        if (p > 0) rate->local[p - 1] = (y[p] - y[p - 1]) / (f->x[p] - f->x[p - 1]);
    }
    rate->slope = slope(f->x, y, f->points);
    for (ptrdiff_t b = 0; b < draws; ++b) slopes[b] = resampled_slope(f, kind, work, seed, (uint32_t)b);
    if (draws > 0) {
        rate->low = quantile(slopes, draws, 0.025);
        rate->high = quantile(slopes, draws, 0.975);
    }
done:
    nth_priv_free(slopes);
    nth_priv_free(work);
    return st;
}

double nth_priv_summary(const double *v, ptrdiff_t seeds, ptrdiff_t entries, nth_summary kind, double *work)
{
    memcpy(work, v, (size_t)(seeds * entries) * sizeof(double));
    return summarise(work, seeds, entries, kind);
}

/* Values (points x seeds) and abscissae of the points above the floor; medians and upper quantiles of all. */
static void collect(const nth_sweep *s, ptrdiff_t family, const ptrdiff_t *index, nth_summary kind, nth_fit *f, nth_rate *rate,
                    double *values, double *work)
{
    const nth_family *fam = &s->family[family];
    const ptrdiff_t   all = fam->small_time ? fam->n_times : fam->n_widths;
    for (ptrdiff_t p = 0; p < all; ++p) {
        const ptrdiff_t w = fam->small_time ? 0 : p;
        double         *v = values + f->points * fam->seeds, scale;
        for (ptrdiff_t k = 0; k < fam->seeds; ++k)
            work[k] = nth_member_values(s, family, w, k)[nth_extra_index(fam, NTH_X_KERNEL_MAX)];
        scale = summarise(work, fam->seeds, 1, NTH_SUMMARY_MEDIAN);
        for (ptrdiff_t k = 0; k < fam->seeds; ++k)
            v[k] = nth_member_values(s, family, w, k)[index[fam->small_time ? p : 0]];
        rate->median[p] = nth_priv_summary(v, fam->seeds, 1, kind, work);
        for (ptrdiff_t k = 0; k < fam->seeds; ++k) work[k] = fabs(v[k]);
        rate->upper[p] = quantile(work, fam->seeds, 0.9);
        rate->dropped[p] = islessequal(rate->median[p], nth_priv_floor * scale); /* a NaN stays, and leaves no interval */
        if (rate->dropped[p]) continue;
        f->x[f->points] = log(fam->small_time ? fam->times[p] : (double)fam->widths[p]);
        f->v[f->points] = v, f->seeds[f->points] = fam->seeds;
        ++f->points;
    }
}

nth_status nth_priv_rate(const nth_sweep *s, ptrdiff_t family, const ptrdiff_t *index, nth_summary kind, nth_rate *rate)
{
    nth_status        st = NTH_OK;
    const nth_family *fam = &s->family[family];
    const ptrdiff_t   all = fam->small_time ? fam->n_times : fam->n_widths;
    nth_fit           f = { .entries = 1, .paired = fam->small_time };
    double           *values = NULL, *work = NULL;
    memset(rate, 0, sizeof *rate);
    NTH_TRY(nth_priv_doubles(&values, (all + 1) * fam->seeds, "values of a fit"));
    NTH_TRY(nth_priv_doubles(&work, fam->seeds, "values of a fit"));
    collect(s, family, index, kind, &f, rate, values, work);
    NTH_TRY(nth_priv_fit_rate(rate, &f, kind, s->opt.bootstrap, s->opt.seed));
done:
    nth_priv_free(values);
    nth_priv_free(work);
    return st;
}

nth_status nth_sweep_rate(const nth_sweep *s, ptrdiff_t family, nth_quantity q, nth_pairs pairs, nth_norm norm, ptrdiff_t time,
                          nth_rate *rate)
{
    nth_status st = NTH_OK;
    ptrdiff_t  index[NTH_FAMILY_MAX_TIMES];
    NTH_REQUIRE(family >= 0 && family < s->n_families && time >= 0 && time < s->family[family].n_times, NTH_E_ARG,
                "family %td, time %td: no such rate", family, time);
    NTH_REQUIRE((q >= NTH_Q_COUNT) == (s->family[family].level > 0) && q < NTH_Q_END, NTH_E_ARG, "family %td has no quantity %d",
                family, (int)q);
    for (ptrdiff_t t = 0; t < s->family[family].n_times; ++t)
        index[t] = nth_norm_index(s->family[family].small_time ? t : time, q, pairs, norm);
    NTH_TRY(nth_priv_rate(s, family, index, NTH_SUMMARY_MEDIAN, rate));
    NTH_REQUIRE(rate->points >= 2, NTH_E_NUMERIC, "%s: %td points above the rounding floor; 2 are needed",
                nth_quantity_name(q), rate->points);
    NTH_REQUIRE(isfinite(rate->slope), NTH_E_NUMERIC, "%s: a network's value is not finite", nth_quantity_name(q));
done:
    return st;
}
