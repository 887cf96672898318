/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Claims and verdicts. The table below is the theory (docs/equations.md, 4.3): which exponent each
 * quantity must have under which initialization. Controls are judged like theorems: a harness that
 * reports -2 for them is broken. Bands are explained in docs/verify.md.
 */
#include "sweep_priv.h"
#include "alloc_priv.h"
#include "fail_priv.h"
#include "linalg_priv.h"

#include <math.h>
#include <string.h>

enum { GAUSSIAN = 1, DOUBLED = 2, SMOOTH = 4, KINKED = 8, LIMIT = 16, SMALL_T = 32, ALWAYS = GAUSSIAN | DOUBLED | SMOOTH };

/* `when`: initializations and activations it is about; LIMIT: needs the infinite-width kernel. */
typedef struct theory {
    const char  *name, *kind;
    nth_quantity q;
    int          drift; /* >= 0: nth_drift instead of a norm */
    nth_summary  summary;
    double       power[2]; /* Gaussian, antisymmetric */
    double       band;     /* 0: the one asked for */
    unsigned     when;
    int          level; /* of the truncation; 0 for Theorem 2.1 and its controls */
    int          pairs; /* nth_pairs; TEST_TRAIN means TRAIN without test inputs */
} theory;

#define LEVEL(p, q, pairs, what, kind, gaussian, doubled, band, when)                                                          \
    { "level " #p ": " what, kind, (nth_quantity)(q + p - 2), -1, NTH_SUMMARY_MEDIAN, { gaussian, doubled }, band, ALWAYS | (when), p, pairs }
#define KERNEL(p, kind, gaussian, doubled) \
    LEVEL(p, NTH_Q_KERNEL_2, NTH_PAIRS_TEST_TRAIN, "K_t - K_t^(" #p ")", kind, gaussian, doubled, 0, 0)
#define TRAINED(p, kind, gaussian, doubled) \
    LEVEL(p, NTH_Q_OUTPUT_2, NTH_PAIRS_TRAIN, "f_t - f_t^(" #p "), training", kind, gaussian, doubled, 0, 0)
#define TESTED(p, kind, gaussian, doubled) \
    LEVEL(p, NTH_Q_OUTPUT_2, NTH_PAIRS_TEST, "f_t - f_t^(" #p "), test", kind, gaussian, doubled, 0, 0)
#define SMALL_KERNEL(p, gaussian, doubled, band)                                                                                     \
    LEVEL(p, NTH_Q_KERNEL_2, NTH_PAIRS_TEST_TRAIN, "small t, K_t - K_t^(" #p ")", "prediction", gaussian, doubled, band, SMALL_T)
#define SMALL_OUTPUT(p, gaussian, doubled, band)                                                                                     \
    LEVEL(p, NTH_Q_OUTPUT_2, NTH_PAIRS_TRAIN, "small t, f_t - f_t^(" #p "), training", "prediction", gaussian, doubled, band, SMALL_T)

static const theory table[] = {
    { "Theorem 2.1: K_t - Khat_t", "theorem", NTH_Q_ERROR, -1, NTH_SUMMARY_MEDIAN, { -2, -2 }, 0, ALWAYS, 0, NTH_PAIRS_TEST_TRAIN },
    { "K_t - K_0", "control", NTH_Q_MOVE, -1, NTH_SUMMARY_MEDIAN, { -1, -1 }, 0, ALWAYS, 0, NTH_PAIRS_TEST_TRAIN },
    { "K3 dropped", "control", NTH_Q_NO_K3, -1, NTH_SUMMARY_MEDIAN, { -1, -2 }, 0, ALWAYS, 0, NTH_PAIRS_TEST_TRAIN },
    { "K4 dropped", "control", NTH_Q_NO_K4, -1, NTH_SUMMARY_MEDIAN, { -1, -1 }, 0, ALWAYS, 0, NTH_PAIRS_TEST_TRAIN },
    { "K_t - E_init K_0", "control", NTH_Q_LIMIT_T, -1, NTH_SUMMARY_MEDIAN, { -0.5, -0.5 }, 0, ALWAYS | KINKED | LIMIT, 0, NTH_PAIRS_TEST_TRAIN },
    { "K_0 - E_init K_0", "control", NTH_Q_LIMIT_0, -1, NTH_SUMMARY_MEDIAN, { -0.5, -0.5 }, 0, ALWAYS | KINKED | LIMIT, 0, NTH_PAIRS_TEST_TRAIN },
    { "relu: rms of K_t - K_0, generic pairs", "control", NTH_Q_MOVE, NTH_DRIFT_PAIRS, NTH_SUMMARY_RMS, { -0.75, -0.75 }, 0.15, GAUSSIAN | DOUBLED | KINKED, 0, NTH_PAIRS_TEST_TRAIN },
    { "relu: mean of K_t - K_0, train diagonal", "control", NTH_Q_MOVE, NTH_DRIFT_DIAGONAL, NTH_SUMMARY_MEAN, { -0.5, -0.5 }, 0.15, GAUSSIAN | DOUBLED | KINKED, 0, NTH_PAIRS_TEST_TRAIN },
    { "relu: K_t - Khat_t, formal K3 and K4", "report", NTH_Q_ERROR, -1, NTH_SUMMARY_MEDIAN, { NAN, NAN }, 0, GAUSSIAN | DOUBLED | KINKED, 0, NTH_PAIRS_TEST_TRAIN },
    { "small t: K_t - Khat_t", "theorem", NTH_Q_ERROR, -1, NTH_SUMMARY_MEDIAN, { 3, 4 }, 0.1, ALWAYS | SMALL_T, 0, NTH_PAIRS_TEST_TRAIN },
    { "small t: K_t - K_0", "control", NTH_Q_MOVE, -1, NTH_SUMMARY_MEDIAN, { 1, 2 }, 0.1, ALWAYS | SMALL_T, 0, NTH_PAIRS_TEST_TRAIN },
    TRAINED(4, "theorem", -2, -2), TRAINED(6, "theorem", -3, -3),
    TESTED(4, "prediction", -2, -2), TESTED(6, "prediction", -3, -3),
    KERNEL(4, "prediction", -2, -2), KERNEL(6, "prediction", -3, -3),
    TRAINED(2, "control", -1, -1), TESTED(2, "control", -1, -1), KERNEL(2, "control", -1, -1), KERNEL(3, "control", -1, -1),
    { "K_t - E_init K_0", "control", NTH_Q_LEVELS_LIMIT_T, -1, NTH_SUMMARY_MEDIAN, { -0.5, -0.5 }, 0, ALWAYS | LIMIT, 2, NTH_PAIRS_TEST_TRAIN },
    { "K_0 - E_init K_0", "control", NTH_Q_LEVELS_LIMIT_0, -1, NTH_SUMMARY_MEDIAN, { -0.5, -0.5 }, 0, ALWAYS | LIMIT, 2, NTH_PAIRS_TEST_TRAIN },
    TRAINED(3, "report", -1, -1), TRAINED(5, "report", -2, -2), KERNEL(5, "report", -2, -2),
    SMALL_KERNEL(2, 1, 2, 0.1), SMALL_KERNEL(3, 2, 2, 0.1), SMALL_KERNEL(4, 3, 4, 0.1), SMALL_KERNEL(5, 4, 4, 0.1),
    SMALL_KERNEL(6, 5, 6, 0.3), /* seen above rounding at later times only, where the next power is felt */
    SMALL_OUTPUT(2, 2, 3, 0.1), SMALL_OUTPUT(3, 3, 3, 0.1), SMALL_OUTPUT(4, 4, 5, 0.1), SMALL_OUTPUT(5, 5, 5, 0.1),
    SMALL_OUTPUT(6, 6, 7, 0.3),
};
#undef LEVEL
#undef KERNEL
#undef TRAINED
#undef TESTED
#undef SMALL_KERNEL
#undef SMALL_OUTPUT

static bool applies(const theory *t, const nth_sweep *s, ptrdiff_t f)
{
    const nth_family *fam = &s->family[f];
    const bool        smooth = nth_activation_is_smooth(fam->shape.activation);
    if (((t->when & SMALL_T) != 0) != fam->small_time) return false;
    if ((t->level > 0) != (fam->level > 0) || t->level > fam->level || (fam->small_time && t->level != fam->level)) return false;
    if ((t->when & LIMIT) && !s->has_limit[f]) return false;
    if (t->drift == NTH_DRIFT_PAIRS && s->data->x_test.rows < 2) return false;
    if (t->pairs == NTH_PAIRS_TEST && s->data->x_test.rows < 1) return false;
    return (t->when & (fam->shape.doubled ? DOUBLED : GAUSSIAN)) && (t->when & (smooth ? SMOOTH : KINKED));
}

/* Fewer seeds or resamples give intervals that are narrow by chance; two points always fit a line. */
enum { LEAST_SEEDS = 8, LEAST_DRAWS = 100, LEAST_POINTS = 3 };

nth_verdict nth_priv_judge(const nth_claim *c, ptrdiff_t seeds, ptrdiff_t draws)
{
    nth_verdict v = seeds < LEAST_SEEDS || draws < LEAST_DRAWS || !isfinite(c->predicted) ? NTH_UNDECIDED : NTH_HOLDS;
    for (ptrdiff_t t = 0; t < c->rates; ++t) {
        const nth_rate *r = &c->rate[t];
        if (!isfinite(r->low) || !isfinite(r->high) || r->points < LEAST_POINTS) {
            if (v == NTH_HOLDS) v = NTH_UNDECIDED;
        } else if (r->low > c->predicted + c->band || r->high < c->predicted - c->band) {
            v = NTH_FAILS;
        } else if (!islessequal(r->high - r->low, 2.0 * c->widest) && v == NTH_HOLDS) {
            v = NTH_UNDECIDED;
        }
    }
    return v;
}

static nth_status measure(const nth_sweep *s, ptrdiff_t f, const theory *t, const nth_verdict_options *opt, nth_claim *c)
{
    nth_status        st = NTH_OK;
    const nth_family *fam = &s->family[f];
    const nth_pairs   pairs = s->data->x_test.rows > 0 ? (nth_pairs)t->pairs : NTH_PAIRS_TRAIN;
    *c = (nth_claim){ .family = f, .name = t->name, .kind = t->kind, .variable = fam->small_time ? "t" : "m",
                      .predicted = t->power[fam->shape.doubled], .band = t->band > 0.0 ? t->band : opt->band,
                      .widest = opt->widest, .rates = fam->small_time ? 1 : fam->n_times };
    for (ptrdiff_t i = 0; i < c->rates; ++i) {
        ptrdiff_t index[NTH_FAMILY_MAX_TIMES];
        for (ptrdiff_t k = 0; k < fam->n_times; ++k) {
            const ptrdiff_t time = fam->small_time ? k : i;
            index[k] = t->drift >= 0 ? nth_drift_index(fam, time, (nth_drift)t->drift)
                                     : nth_norm_index(time, t->q, pairs, NTH_NORM_SUP);
        }
        NTH_TRY(nth_priv_rate(s, f, index, t->summary, &c->rate[i]));
    }
    c->verdict = nth_priv_judge(c, fam->seeds, s->opt.bootstrap);
done:
    return st;
}

nth_status nth_sweep_claims(const nth_sweep *s, const nth_verdict_options *opt, nth_claim **claims, ptrdiff_t *count)
{
    nth_status      st = NTH_OK;
    const ptrdiff_t rows = (ptrdiff_t)(sizeof table / sizeof *table);
    nth_claim      *list = NULL;
    ptrdiff_t       used = 0;
    *claims = NULL, *count = 0;
    NTH_TRY(nth_priv_alloc(&list, rows * s->n_families, sizeof *list, "claims"));
    for (ptrdiff_t f = 0; f < s->n_families; ++f)
        for (ptrdiff_t r = 0; r < rows; ++r)
            if (applies(&table[r], s, f)) NTH_TRY(measure(s, f, &table[r], opt, &list[used++]));
    *claims = list, *count = used, list = NULL;
done:
    nth_priv_free(list);
    return st;
}

void nth_claims_free(nth_claim **claims)
{
    nth_priv_free(*claims);
    *claims = NULL;
}

/* The bracket of E39 over m^2, logs dropped. */
static double bound(double m, double t, double n_over_lambda)
{
    const double t2 = t * t;
    return (t2 * fmax(t2, 1.0) * (1.0 + t2 / m) * fmin(t, n_over_lambda) + t2 * t * fmax(1.0, t)) / (m * m);
}

/* Right-hand side of E42 at level p, logs dropped. */
static double level_bound(double m, double t, int p, double n, double n_over_lambda)
{
    return (1.0 + t) * pow(t, p - 1) * sqrt(n) * pow(m, -0.5 * p) * fmin(t, n_over_lambda);
}

/* Largest median of the theorem's difference over its bound, for all times and the widths [lo, hi). */
static nth_status largest_constant(const nth_sweep *s, ptrdiff_t f, double n_over_lambda, ptrdiff_t lo, ptrdiff_t hi, double *out)
{
    nth_status         st = NTH_OK;
    const nth_family  *fam = &s->family[f];
    const bool         levels = fam->level > 0;
    const nth_pairs    pairs = s->data->x_test.rows > 0 && !levels ? NTH_PAIRS_TEST_TRAIN : NTH_PAIRS_TRAIN;
    const nth_quantity q = levels ? nth_main_output(fam) : NTH_Q_ERROR;
    *out = 0.0;
    for (ptrdiff_t t = 0; t < fam->n_times; ++t) {
        nth_rate  rate;
        nth_sweep quick = *s; /* medians only */
        ptrdiff_t index[NTH_FAMILY_MAX_TIMES];
        quick.opt.bootstrap = 0;
        for (ptrdiff_t k = 0; k < fam->n_times; ++k)
            index[k] = nth_norm_index(fam->small_time ? k : t, q, pairs, levels ? NTH_NORM_FROBENIUS : NTH_NORM_SUP);
        NTH_TRY(nth_priv_rate(&quick, f, index, NTH_SUMMARY_MEDIAN, &rate));
        for (ptrdiff_t w = lo; w < hi; ++w) {
            const double m = (double)fam->widths[w], e = rate.median[fam->small_time ? t : w], time = fam->times[t];
            const double most = levels ? level_bound(m, time, fam->level / 2 * 2, (double)s->data->x.rows, n_over_lambda)
                                       : bound(m, time, n_over_lambda);
            if (!rate.dropped[fam->small_time ? t : w]) *out = nth_keep_max(*out, e / most);
        }
    }
done:
    return st;
}

nth_status nth_sweep_preconditions(const nth_sweep *s, ptrdiff_t family, nth_preconditions *pre)
{
    nth_status st = NTH_OK;
    NTH_REQUIRE(family >= 0 && family < s->n_families, NTH_E_ARG, "family %td: no such family", family);
    const nth_family *fam = &s->family[family];
    const double      n = (double)s->data->x.rows, m = (double)fam->widths[0];
    double            small, large;
    *pre = (nth_preconditions){ .lambda_min = INFINITY,
                                .smooth = nth_activation_is_smooth(fam->shape.activation),
                                .unbiased = !(fam->shape.sigma_b > 0.0) };
    for (ptrdiff_t w = 0; w < fam->n_widths; ++w)
        for (ptrdiff_t k = 0; k < fam->seeds; ++k) {
            const double *v = nth_member_values(s, family, w, k);
            pre->lambda_min = -nth_keep_max(-pre->lambda_min, -v[nth_extra_index(fam, NTH_X_LAMBDA_MIN)]);
            pre->lambda_max = nth_keep_max(pre->lambda_max, v[nth_extra_index(fam, NTH_X_LAMBDA_MAX)]);
            pre->output_max = nth_keep_max(pre->output_max, v[nth_extra_index(fam, NTH_X_OUTPUT_MAX)]);
        }
    const double lambda = fmax(pre->lambda_min, 1e-300);
    pre->window = fmin(sqrt(lambda * m / n), cbrt(m));
    const ptrdiff_t half = fam->n_widths / 2;
    NTH_TRY(largest_constant(s, family, n / lambda, 0, half > 0 ? half : fam->n_widths, &small));
    NTH_TRY(largest_constant(s, family, n / lambda, half, fam->n_widths, &large));
    pre->constant = nth_keep_max(small, large);
    pre->constant_growth = large / small;
done:
    return st;
}
