/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * The outcome of a sweep for other programs: JSON, and the datasets under /rates.
 */
#include "sweep_priv.h"
#include "alloc_priv.h"
#include "fail_priv.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

static const char *verdict_name(nth_verdict v)
{
    return v == NTH_HOLDS ? "holds" : v == NTH_FAILS ? "fails" : "undecided";
}

static nth_json *rate_json(const nth_family *f, const nth_rate *r)
{
    nth_json       *o = nth_json_object(), *dropped = nth_json_array();
    const ptrdiff_t all = f->small_time ? f->n_times : f->n_widths;
    for (ptrdiff_t p = 0; p < all; ++p)
        if (r->dropped[p]) nth_json_append_int(dropped, p); /* which points the line does not go through */
    nth_json_set_double(o, "slope", r->slope);
    nth_json_set_double(o, "low", r->low);
    nth_json_set_double(o, "high", r->high);
    nth_json_set_int(o, "points", r->points);
    nth_json_set(o, "dropped", dropped);
    nth_json_set_doubles(o, "local_slopes", r->local, r->points > 1 ? r->points - 1 : 0);
    nth_json_set_doubles(o, "median", r->median, all);
    nth_json_set_doubles(o, "upper_90", r->upper, all);
    return o;
}

static nth_json *claim_json(const nth_sweep *s, const nth_claim *c)
{
    const nth_family *f = &s->family[c->family];
    nth_json         *o = nth_json_object(), *rates = nth_json_array();
    char              label[96];
    nth_family_label(f, label, sizeof label);
    nth_json_set_string(o, "claim", c->name);
    nth_json_set_string(o, "kind", c->kind);
    nth_json_set_string(o, "family", label);
    nth_json_set_string(o, "variable", c->variable);
    nth_json_set_double(o, "predicted", c->predicted);
    nth_json_set_double(o, "band", c->band);
    nth_json_set_double(o, "widest", c->widest);
    for (ptrdiff_t i = 0; i < c->rates; ++i) {
        nth_json *r = rate_json(f, &c->rate[i]);
        if (!f->small_time) nth_json_set_double(r, "t", f->times[i]);
        nth_json_append(rates, r);
    }
    nth_json_set(o, "rates", rates);
    nth_json_set_string(o, "verdict", strcmp(c->kind, "report") == 0 ? "reported" : verdict_name(c->verdict));
    return o;
}

static nth_json *family_json(const nth_sweep *s, ptrdiff_t f)
{
    const nth_family *fam = &s->family[f];
    nth_json         *o = nth_json_object();
    nth_preconditions pre;
    char              label[96];
    double            widths[NTH_FAMILY_MAX_WIDTHS];
    nth_family_label(fam, label, sizeof label);
    for (ptrdiff_t w = 0; w < fam->n_widths; ++w) widths[w] = (double)fam->widths[w];
    nth_json_set_string(o, "family", label);
    nth_json_set_doubles(o, "widths", widths, fam->n_widths);
    nth_json_set_doubles(o, "times", fam->times, fam->n_times);
    nth_json_set_int(o, "seeds", fam->seeds);
    if (nth_sweep_preconditions(s, f, &pre) != NTH_OK) return o;
    nth_json_set_double(o, "lambda_min", pre.lambda_min);
    nth_json_set_double(o, "lambda_max", pre.lambda_max);
    nth_json_set_double(o, "time_window", pre.window);
    nth_json_set_double(o, "max_initial_output", pre.output_max);
    nth_json_set_double(o, "bound_constant", pre.constant);
    nth_json_set_double(o, "bound_constant_growth", pre.constant_growth);
    nth_json_set_bool(o, "smooth", pre.smooth);
    nth_json_set_bool(o, "zero_biases", pre.unbiased);
    return o;
}

nth_json *nth_sweep_json(const nth_sweep *s, const nth_claim *claims, ptrdiff_t count)
{
    nth_json *o = nth_json_object(), *list = nth_json_array(), *families = nth_json_array();
    for (ptrdiff_t i = 0; i < count; ++i) nth_json_append(list, claim_json(s, &claims[i]));
    for (ptrdiff_t f = 0; f < s->n_families; ++f) nth_json_append(families, family_json(s, f));
    nth_json_set(o, "claims", list);
    nth_json_set(o, "families", families);
    return o;
}

/* One quantity of a family: (times x pairs x norms x widths) medians and upper quantiles, and
 * (times x pairs x norms x 3) slope, low, high; intervals for the pairs that claims are judged by. */
static nth_status write_quantity(const nth_sweep *s, ptrdiff_t f, nth_quantity q, const char *group, nth_file *file)
{
    nth_status        st = NTH_OK;
    const nth_family *fam = &s->family[f];
    const ptrdiff_t   times = fam->small_time ? 1 : fam->n_times, points = fam->small_time ? fam->n_times : fam->n_widths;
    const ptrdiff_t   cells = times * NTH_PAIRS_COUNT * NTH_NORM_COUNT;
    const nth_pairs   headline = s->data->x_test.rows > 0 ? NTH_PAIRS_TEST_TRAIN : NTH_PAIRS_TRAIN;
    nth_sweep         plain = *s; /* slopes without intervals: those of the other blocks would cost minutes */
    double           *median = NULL, *upper = NULL, *slopes = NULL;
    char              name[192];
    plain.opt.bootstrap = 0;
    int worst = NTH_OK;
    NTH_TRY(nth_priv_doubles(&median, cells * points, "medians"));
    NTH_TRY(nth_priv_doubles(&upper, cells * points, "quantiles"));
    NTH_TRY(nth_priv_doubles(&slopes, cells * 3, "slopes"));
#pragma omp parallel for schedule(dynamic, 1) reduction(max : worst)
    for (ptrdiff_t c = 0; c < cells; ++c) {
        nth_rate        rate;
        ptrdiff_t       index[NTH_FAMILY_MAX_TIMES];
        const ptrdiff_t t = c / (NTH_PAIRS_COUNT * NTH_NORM_COUNT), pn = c % (NTH_PAIRS_COUNT * NTH_NORM_COUNT);
        for (ptrdiff_t k = 0; k < fam->n_times; ++k)
            index[k] = nth_norm_index(fam->small_time ? k : t, q, (nth_pairs)(pn / NTH_NORM_COUNT), (nth_norm)(pn % NTH_NORM_COUNT));
        const nth_sweep *how = pn / NTH_NORM_COUNT == (ptrdiff_t)headline ? s : &plain;
        const nth_status one = nth_priv_rate(how, f, index, NTH_SUMMARY_MEDIAN, &rate);
        worst = (int)one > worst ? (int)one : worst;
        memcpy(median + c * points, rate.median, (size_t)points * sizeof(double));
        memcpy(upper + c * points, rate.upper, (size_t)points * sizeof(double));
        slopes[3 * c] = rate.slope, slopes[3 * c + 1] = rate.low, slopes[3 * c + 2] = rate.high;
    }
    NTH_REQUIRE(worst == NTH_OK, (nth_status)worst, "rates of %s: %s", nth_quantity_name(q), nth_status_text((nth_status)worst));
    const ptrdiff_t dims[4] = { times, NTH_PAIRS_COUNT, NTH_NORM_COUNT, points };
    const ptrdiff_t slope_dims[4] = { times, NTH_PAIRS_COUNT, NTH_NORM_COUNT, 3 };
    snprintf(name, sizeof name, "%s/%s/median", group, nth_quantity_name(q));
    NTH_TRY(nth_file_write(file, name, median, 4, dims));
    snprintf(name, sizeof name, "%s/%s/upper_90", group, nth_quantity_name(q));
    NTH_TRY(nth_file_write(file, name, upper, 4, dims));
    snprintf(name, sizeof name, "%s/%s/slope", group, nth_quantity_name(q));
    NTH_TRY(nth_file_write(file, name, slopes, 4, slope_dims));
done:
    nth_priv_free(median);
    nth_priv_free(upper);
    nth_priv_free(slopes);
    return st;
}

nth_status nth_sweep_write_rates(const nth_sweep *s, nth_file *file)
{
    nth_status st = NTH_OK;
    char       path[96], group[128], name[160];
    for (ptrdiff_t f = 0; f < s->n_families; ++f) {
        const nth_family *fam = &s->family[f];
        double            widths[NTH_FAMILY_MAX_WIDTHS];
        for (ptrdiff_t w = 0; w < fam->n_widths; ++w) widths[w] = (double)fam->widths[w];
        nth_priv_family_path(fam, path, sizeof path);
        snprintf(group, sizeof group, "/rates/%s", path);
        snprintf(name, sizeof name, "%s/widths", group);
        NTH_TRY(nth_file_write(file, name, widths, 1, &fam->n_widths));
        snprintf(name, sizeof name, "%s/times", group);
        NTH_TRY(nth_file_write(file, name, fam->times, 1, &fam->n_times));
        for (int q = (int)nth_first_quantity(fam->level > 0); q < (int)nth_end_quantity(fam->level > 0); ++q)
            NTH_TRY(write_quantity(s, f, (nth_quantity)q, group, file));
    }
done:
    return st;
}
