/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Exponents in the width of the mean and the scatter of K_T - K_0 (drift.h), with the fits and intervals of rates.c.
 */
#include "nth/drift.h"
#include "alloc_priv.h"
#include "fail_priv.h"
#include "sweep_priv.h"

#include <math.h>

/* relu: kinks are crossed by a share m^-1/2 of the neurons, each worth 1/m (docs/equations.md, 4.4). Smooth: K3 with f_0
 * scatters like 1/m, and without it K4, like m^-3/2 (E43). Bands: predictions that compete differ by 1/4 or more. */
static const struct {
    const char *name;
    double      smooth[2], kinked; /* Gaussian, antisymmetric; either */
} theory[NTH_DRIFT_PARTS] = { { "mean of K_T - K_0, training diagonal", { -1.0, -1.0 }, -0.5 },
                              { "standard deviation of K_T - K_0, test pairs", { -1.0, -1.5 }, -0.75 } };
static const double BAND = 0.15, WIDEST = 0.15;

static double *entries_of(double *to, nth_drift_part part, const nth_drift_width *w, ptrdiff_t n, ptrdiff_t k)
{
    const double m = (double)w->m;
    for (ptrdiff_t r = 0; r < w->networks; ++r) {
        double diagonal = 0.0;
        for (ptrdiff_t i = 0; i < n; ++i) diagonal += w->train[r * n * n + i * n + i] / (m * (double)n);
        if (part == NTH_DRIFT_TRAIN_MEAN) *to++ = diagonal;
        for (ptrdiff_t i = 0; i < k && part == NTH_DRIFT_TEST_SPREAD; ++i)
            for (ptrdiff_t j = 0; j < i; ++j) *to++ = w->test[r * k * k + i * k + j] / m;
    }
    return to;
}

static nth_status claim_of(nth_claim *c, nth_drift_part part, const nth_net_config *shape, const nth_drift_width *w, ptrdiff_t widths,
                           ptrdiff_t n, ptrdiff_t k, ptrdiff_t draws, uint64_t seed)
{
    nth_status        st = NTH_OK;
    const bool        smooth = nth_activation_is_smooth(shape->activation);
    const bool        noisy = smooth && !shape->doubled && part == NTH_DRIFT_TRAIN_MEAN; /* mean and scatter are both of order 1/m */
    const nth_summary kind = part == NTH_DRIFT_TRAIN_MEAN ? NTH_SUMMARY_MEAN : NTH_SUMMARY_SPREAD;
    nth_fit           f = { .points = widths, .entries = part == NTH_DRIFT_TRAIN_MEAN ? 1 : k * (k - 1) / 2 };
    double           *values = NULL, *work = NULL;
    ptrdiff_t         all = 0, most = 0, least = w[0].networks;
    for (ptrdiff_t p = 0; p < widths; ++p) {
        all += w[p].networks;
        most = w[p].networks > most ? w[p].networks : most;
        least = w[p].networks < least ? w[p].networks : least;
    }
    NTH_TRY(nth_priv_doubles(&values, all * f.entries, "values of a fit"));
    NTH_TRY(nth_priv_doubles(&work, most * f.entries, "values of a fit"));
    *c = (nth_claim){ .name = theory[part].name, .kind = noisy ? "report" : "prediction", .variable = "m", .band = BAND, .widest = WIDEST, .rates = 1,
                      .predicted = smooth ? theory[part].smooth[shape->doubled] : theory[part].kinked };
    double *next = values;
    for (ptrdiff_t p = 0; p < widths; ++p) {
        f.x[p] = log((double)w[p].m), f.seeds[p] = w[p].networks, f.v[p] = next;
        next = entries_of(next, part, &w[p], n, k);
        c->rate[0].median[p] = nth_priv_summary(f.v[p], f.seeds[p], f.entries, kind, work);
    }
    NTH_TRY(nth_priv_fit_rate(&c->rate[0], &f, kind, draws, seed));
    c->verdict = nth_priv_judge(c, least, draws);
done:
    nth_priv_free(values);
    nth_priv_free(work);
    return st;
}

nth_status nth_drift_claims(nth_claim *claims, const nth_net_config *shape, const nth_drift_width *w, ptrdiff_t widths, ptrdiff_t n,
                            ptrdiff_t k, ptrdiff_t draws, uint64_t seed)
{
    nth_status st = NTH_OK;
    NTH_REQUIRE(widths >= 2 && widths <= NTH_FAMILY_MAX_WIDTHS, NTH_E_ARG, "%td widths; 2 to %d make an exponent", widths,
                NTH_FAMILY_MAX_WIDTHS);
    NTH_REQUIRE(n >= 1 && k >= 2 && draws >= 0, NTH_E_ARG, "%td training and %td test inputs, %td resamples; a pair of test inputs is needed",
                n, k, draws);
    for (ptrdiff_t p = 0; p < widths; ++p)
        NTH_REQUIRE(w[p].m >= 1 && w[p].networks >= 2 && (p == 0 || w[p].m > w[p - 1].m), NTH_E_ARG,
                    "width %td with %td networks; widths ascend, at least 2 networks each", w[p].m, w[p].networks);
    for (int part = 0; part < NTH_DRIFT_PARTS; ++part)
        NTH_TRY(claim_of(&claims[part], (nth_drift_part)part, shape, w, widths, n, k, draws, seed));
done:
    return st;
}
