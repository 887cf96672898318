/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * nth verify elasticity (docs/verify.md): RR of kernels before and after training, without and with label information, on
 * train-train pairs without self pairs and on test-train pairs. Judged are differences of ratios on the same resamples:
 *
 *     training raises RR                    K_t - K_0 of a network
 *     a label-aware kernel lies above       K + lambda Z and K^(NTH), less the NTK
 *     and that because of the labels        less the same kernel made from permuted labels; test-train pairs
 *
 * What a kernel with permuted labels gains is printed, and is no label information.
 */
#include "verify_elasticity.h"
#include "table.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char *const set_key[RR_PAIRS] = { "train_train", "test_train" }, *const set_name[RR_PAIRS] = { "train-train", "test-train" };

static const struct {
    const char *key, *name;
} kernel[RR_KERNELS] = { { "network_initial", "K_0 of a network" },
                         { "network_trained", "K_t of the trained network" },
                         { "network_permuted", "the same, trained on permuted labels" },
                         { "ntk", "NTK, infinite width" },
                         { "hr", "K + lambda Z, ls-v1" },
                         { "hr_permuted", "the same, permuted labels" },
                         { "kr", "K + lambda Z, kr-v1" },
                         { "kr_permuted", "the same, permuted labels" },
                         { "squares", "K + lambda K o K, no labels" },
                         { "nth", "K^(NTH)" },
                         { "nth_permuted", "the same, permuted labels" } };

/* Differences of RR. Claims are judged, those on labels on test-train pairs only: of a train-train pair a kernel has seen the
 * labels, and also noise can be remembered. Shares are divided by the gap that training opens, K_t - NTK. */
typedef enum part { CLAIM, LABELS, REPORT, SHARE } part;

static const struct {
    const char *key, *name;
    rr_kernel   a, b;
    part        role;
} difference[] = { { "training", "training raises RR: K_t - K_0", RR_TRAINED, RR_INIT, CLAIM },
                   { "training_labels", "K_t - K_t trained on permuted labels", RR_TRAINED, RR_TRAINED_PERMUTED, REPORT },
                   { "hr_ntk", "K + lambda Z (ls-v1) - NTK", RR_HR, RR_NTK, CLAIM },
                   { "hr_labels", "K + lambda Z (ls-v1) - permuted: by the labels", RR_HR, RR_HR_PERMUTED, LABELS },
                   { "hr_control", "control: permuted (ls-v1) - NTK", RR_HR_PERMUTED, RR_NTK, REPORT },
                   { "hr_squares", "control: K + lambda Z (ls-v1) - (K + lambda K o K)", RR_HR, RR_SQUARES, REPORT },
                   { "kr_ntk", "K + lambda Z (kr-v1) - NTK", RR_KR, RR_NTK, REPORT },
                   { "kr_labels", "K + lambda Z (kr-v1) - permuted: by the labels", RR_KR, RR_KR_PERMUTED, REPORT },
                   { "kr_control", "control: permuted (kr-v1) - NTK", RR_KR_PERMUTED, RR_NTK, REPORT },
                   { "kr_squares", "control: K + lambda Z (kr-v1) - (K + lambda K o K)", RR_KR, RR_SQUARES, REPORT },
                   { "nth_ntk", "K^(NTH) - NTK", RR_NTH, RR_NTK, CLAIM },
                   { "nth_labels", "K^(NTH) - permuted: by the labels", RR_NTH, RR_NTH_PERMUTED, LABELS },
                   { "nth_control", "control: permuted (NTH) - NTK", RR_NTH_PERMUTED, RR_NTK, REPORT },
                   { "gap", "gap: K_t - NTK", RR_TRAINED, RR_NTK, REPORT },
                   { "hr_share", "share of the gap: K + lambda Z (ls-v1)", RR_HR, RR_NTK, SHARE },
                   { "hr_share_labels", "share of the gap by the labels: K + lambda Z (ls-v1)", RR_HR, RR_HR_PERMUTED, SHARE },
                   { "nth_share", "share of the gap: K^(NTH)", RR_NTH, RR_NTK, SHARE },
                   { "nth_share_labels", "share of the gap by the labels: K^(NTH)", RR_NTH, RR_NTH_PERMUTED, SHARE } };

typedef struct line {
    double               value;
    nth_elastic_interval i;
} line;

static void put_value(cli_table *t, double value)
{
    if (isnan(value)) cli_table_put(t, "none");
    else cli_table_put(t, "%.4f", value);
}

static void put_interval(cli_table *t, const nth_elastic_interval *i)
{
    if (i->undefined > 0) cli_table_put(t, "none: %td resamples undefined", i->undefined);
    else if (isnan(i->low)) cli_table_put(t, "-");
    else cli_table_put(t, "[%.4f, %.4f]", i->low, i->high);
}

static nth_json *line_json(const line *l)
{
    nth_json *o = nth_json_object();
    if (!isnan(l->value)) nth_json_set_double(o, "value", l->value);
    if (!isnan(l->i.low)) {
        nth_json_set_double(o, "standard_error", l->i.standard_error);
        nth_json_set_double(o, "low", l->i.low);
        nth_json_set_double(o, "high", l->i.high);
    }
    nth_json_set_int(o, "undefined_resamples", l->i.undefined);
    return o;
}

static void line_numbers(double *to, const line *l)
{
    to[0] = l->value, to[1] = l->i.standard_error, to[2] = l->i.low, to[3] = l->i.high;
}

/* ---- Ratios ------------------------------------------------------------------------------------- */

/* /rr/KERNEL (2,4): train-train and test-train; ratio, standard error, interval. */
static nth_status report_ratios(elasticity *e, cli_table *t, nth_json *list, nth_file *f)
{
    nth_status      st = NTH_OK;
    const ptrdiff_t draws = (ptrdiff_t)e->c->cfg->bootstrap;
    for (int q = 0; q < RR_KERNELS; ++q) {
        const rr_ratios *r = &e->rr[q];
        nth_json        *o = list != NULL ? nth_json_object() : NULL;
        double           rows[RR_PAIRS * 4];
        char             path[64];
        cli_table_put(t, "%s", kernel[q].name);
        cli_table_put(t, "%td", r->copies);
        nth_json_set_string(o, "kernel", kernel[q].key);
        nth_json_set_int(o, "copies", r->copies);
        nth_json_append(list, o);
        for (int s = 0; s < RR_PAIRS; ++s) {
            line l = { .value = r->mean[s] };
            CLI_TRY(nth_elastic_summary(&l.i, r->sample[s], draws));
            put_value(t, l.value);
            put_interval(t, &l.i);
            if (o != NULL) nth_json_set(o, set_key[s], line_json(&l));
            line_numbers(rows + 4 * s, &l);
        }
        snprintf(path, sizeof path, "/rr/%s", kernel[q].key);
        if (f != NULL) CLI_TRY(nth_file_write(f, path, rows, 2, (const ptrdiff_t[]){ RR_PAIRS, 4 }));
    }
done:
    return st;
}

/* ---- Differences -------------------------------------------------------------------------------- */

/* A share of a gap that is not positive says nothing. */
static double combine(double a, double b, double gap, part role)
{
    if (role != SHARE) return a - b;
    return gap > 0.0 ? (a - b) / gap : (double)NAN;
}

/* The interval lies above 0, below, or neither can be said. */
static const char *judge(elasticity *e, const line *l, bool judged, double *verdict)
{
    *verdict = (double)NAN;
    if (!judged) return "reported";
    if (!(l->i.low > 0.0)) ++e->c->failed_checks;
    if (l->i.low > 0.0) *verdict = 1.0;
    else if (l->i.high < 0.0) *verdict = 0.0;
    return *verdict == 1.0 ? "holds" : *verdict == 0.0 ? "FAILS" : "UNDECIDED";
}

/* /differences/NAME (2,5): value, standard error, interval, 1 holds, 0 fails, NaN undecided or no claim. */
static nth_status report_differences(elasticity *e, cli_table *t, nth_json *list, nth_file *f)
{
    nth_status      st = NTH_OK;
    const ptrdiff_t draws = (ptrdiff_t)e->c->cfg->bootstrap;
    for (size_t q = 0; q < sizeof difference / sizeof *difference; ++q) {
        const part       role = difference[q].role;
        const rr_ratios *a = &e->rr[difference[q].a], *b = &e->rr[difference[q].b], *top = &e->rr[RR_TRAINED], *ntk = &e->rr[RR_NTK];
        double           rows[RR_PAIRS * 5];
        char             path[64];
        for (int s = 0; s < RR_PAIRS; ++s) {
            line l = { .value = combine(a->mean[s], b->mean[s], top->mean[s] - ntk->mean[s], role) };
            for (ptrdiff_t i = 0; i < draws; ++i) e->draw[i] = combine(a->sample[s][i], b->sample[s][i], top->sample[s][i] - ntk->sample[s][i], role);
            CLI_TRY(nth_elastic_summary(&l.i, e->draw, draws));
            if (role == SHARE && l.i.undefined > 0) l.value = (double)NAN; /* there may be no gap */
            const char *word = judge(e, &l, role == CLAIM || (role == LABELS && s == 1), &rows[5 * s + 4]);
            line_numbers(rows + 5 * s, &l);
            cli_table_put(t, "%s", difference[q].name);
            cli_table_put(t, "%s", set_name[s]);
            put_value(t, l.value);
            put_interval(t, &l.i);
            cli_table_put(t, "%s", word);
            if (list == NULL) continue;
            nth_json *o = line_json(&l);
            nth_json_set_string(o, "difference", difference[q].key);
            nth_json_set_string(o, "pairs", set_key[s]);
            nth_json_set_string(o, "verdict", word);
            nth_json_append(list, o);
        }
        snprintf(path, sizeof path, "/differences/%s", difference[q].key);
        if (f != NULL) CLI_TRY(nth_file_write(f, path, rows, 2, (const ptrdiff_t[]){ RR_PAIRS, 5 }));
    }
done:
    return st;
}

/* ---- The check ---------------------------------------------------------------------------------- */

static nth_status check_options(cli *c)
{
    static const char *const others[] = { "depth", "init", "stepper", "rtol", "sigma-b" };
    const nth_config        *cfg = c->cfg;
    for (size_t i = 0; i < sizeof others / sizeof *others; ++i)
        if (nth_config_given(cfg, others[i])) return cli_fail(c, NTH_E_ARG, "--%s does not go with elasticity", others[i]);
    const struct {
        const char *option;
        ptrdiff_t   n;
    } one[] = { { "widths", cfg->sweep_widths.n }, { "activation", cfg->activations.n }, { "times", cfg->times.n } };
    for (size_t i = 0; i < 3; ++i)
        if (one[i].n > 1) return cli_fail(c, NTH_E_ARG, "--%s: elasticity takes one, here are %td", one[i].option, one[i].n);
    if (cfg->times.n > 0 && !(isfinite(cfg->times.v[0]) && cfg->times.v[0] > 0.0))
        return cli_fail(c, NTH_E_ARG, "--times: %g; elasticity takes a positive, finite time", cfg->times.v[0]);
    return cli_table_begin(c);
}

static nth_status load(elasticity *e)
{
    nth_status        st = NTH_OK;
    cli              *c = e->c;
    const nth_config *cfg = c->cfg;
    const int         size = strcmp(cfg->preset, "full") == 0 ? 2 : strcmp(cfg->preset, "standard") == 0 ? 1 : 0;
    nth_activation    act = NTH_ACT_QUADRATIC;
    char              spec[128];
    snprintf(spec, sizeof spec, "synthetic:two-objects?n=%d&test=%d&seed=%llu", 100 << size, 100 << size, (unsigned long long)cfg->seed);
    CLI_TRY(nth_config_suggest(c->cfg, "data", spec));
    CLI_TRY(cli_problem_load(c, &e->p, false, true));
    if (e->p.k == 0) CLI_TRY(cli_fail(c, NTH_E_ARG, "elasticity looks at pairs of test and training inputs, %s has no test inputs", cfg->data));
    for (ptrdiff_t i = 0; i < e->p.n; ++i)
        if (fabs(e->p.data->y.a[i]) != 1.0)
            CLI_TRY(cli_fail(c, NTH_E_RANGE, "%s: label %td is %g; two classes are labelled +1 and -1", cfg->data, i + 1, e->p.data->y.a[i]));
    if (cfg->activations.n > 0) CLI_TRY(nth_activation_parse(&act, cfg->activations.v[0]));
    e->width = (cfg->sweep_widths.n > 0 ? (ptrdiff_t)cfg->sweep_widths.v[0] : 64);
    if (e->width % 2 != 0) CLI_TRY(cli_fail(c, NTH_E_ARG, "--widths: %td; an antisymmetric net has two copies of half the width, so it must be even", e->width));
    e->shape = (nth_net_config){ .activation = act, .layers = 2, .widths = { e->p.X.cols, e->width / 2, 1 }, .sigma_w = cfg->sigma_w, .doubled = true,
                                 .input_scale = cli_input_scale(cfg) };
    e->networks = nth_config_given(cfg, "seeds") ? (ptrdiff_t)cfg->seeds : 8 << size;
    e->permutations = 40, e->nth_permutations = 20, e->draws = 20480 << (2 * size);
    e->t = cfg->times.n > 0 ? cfg->times.v[0] : 300.0, e->ratio = cfg->label_ratio;
done:
    return st;
}

static nth_status allocate(elasticity *e)
{
    nth_status   st = NTH_OK;
    const double draws = (double)e->c->cfg->bootstrap;
    CLI_TRY(cli_doubles(e->c, &e->D, (double)e->p.n, "diagonal"));
    CLI_TRY(cli_doubles(e->c, &e->D_test, (double)e->p.k, "diagonal"));
    CLI_TRY(cli_doubles(e->c, &e->own_test, (double)e->p.k, "diagonal"));
    CLI_TRY(cli_doubles(e->c, &e->draw, draws, "resamples"));
    for (int q = 0; q < RR_KERNELS; ++q) {
        e->rr[q].copies = q < RR_NTK ? e->networks : q == RR_NTH_PERMUTED ? e->nth_permutations : q == RR_HR_PERMUTED || q == RR_KR_PERMUTED ? e->permutations : 1;
        for (int s = 0; s < RR_PAIRS; ++s) CLI_TRY(cli_doubles(e->c, &e->rr[q].sample[s], draws, "resamples"));
    }
done:
    return st;
}

static nth_status report(elasticity *e, nth_file *f)
{
    nth_status st = NTH_OK;
    cli       *c = e->c;
    nth_json  *kernels = c->json != NULL ? nth_json_array() : NULL, *differences = c->json != NULL ? nth_json_array() : NULL;
    char       caption[1024];
    snprintf(caption, sizeof caption, "RR, %s: two-layer %s networks of width %td (antisymmetric, flow to t = %g), the NTK, label-aware kernels; "
             "label ratio %g. Intervals of 95 %%: inputs, network and permutation drawn anew", e->p.data->source, nth_activation_name(e->shape.activation), e->width, e->t, e->ratio);
    cli_table *t[2] = { cli_table_create(caption, "kernel|copies|train-train|train-train, 95 % interval|test-train|test-train, 95 % interval"),
                        cli_table_create("Differences on the same resamples", "difference|pairs|value|95 % interval|verdict") };
    nth_json_set(c->json, "kernels", kernels); /* the object holds them from here on; NULL stays NULL */
    nth_json_set(c->json, "differences", differences);
    nth_json_set_double(c->json, "relative_standard_error_of_label_part", e->sampling);
    CLI_TRY(report_ratios(e, t[0], kernels, f));
    CLI_TRY(report_differences(e, t[1], differences, f));
    cli_say(c, "# nth verify elasticity (%s): %s, %td training and %td test inputs\n\n", c->cfg->preset, e->p.data->source, e->p.n, e->p.k);
    cli_table_say(c, t[0]);
    cli_say(c, "\n");
    cli_table_say(c, t[1]);
    cli_say(c, "\nK^(NTH) is sampled: relative standard error of its label part %.2g.\n", e->sampling);
    if (e->refused > 0) cli_say(c, "%td ratios do not exist; the first one is that of %s.\n", e->refused, e->why);
    nth_json_set_int(c->json, "undefined_ratios", e->refused);
    cli_say(c, "A kernel that lies above the NTK as much with permuted labels has not gained by the labels; on train-train pairs it has seen the\n"
               "labels of the pairs themselves, so that claim is judged on test-train pairs.\n");
    cli_say(c, c->failed_checks == 0 ? "\nAll checks hold.\n" : "\n%ld checks do not hold.\n", c->failed_checks);
    CLI_TRY(cli_table_end(c, (const cli_table *const[]){ t[0], t[1] }, 2));
done:
    for (int i = 0; i < 2; ++i) cli_table_destroy(&t[i]);
    return st;
}

nth_status cli_verify_elasticity(cli *c)
{
    nth_status st = NTH_OK;
    elasticity e = { .c = c };
    nth_file  *f = NULL;
    CLI_TRY(check_options(c));
    CLI_TRY(load(&e));
    CLI_TRY(allocate(&e));
    if (c->cfg->out != NULL) CLI_TRY(cli_create(c, &f));
    cli_progress_begin(c, "kernels", 1 + 3 * e.networks + 2 * (1 + e.permutations) + 2 + e.nth_permutations);
    st = rr_measure_all(&e);
    cli_progress_end(c);
    CLI_TRY(st);
    CLI_TRY(report(&e, f));
    if (f != NULL) CLI_TRY(nth_file_commit(&f));
done:
    cli_discard(c, &f);
    for (int q = 0; q < RR_KERNELS; ++q)
        for (int s = 0; s < RR_PAIRS; ++s) free(e.rr[q].sample[s]);
    cli_blocks_free(&e.ntk);
    free(e.D), free(e.D_test), free(e.own_test), free(e.draw);
    cli_problem_free(&e.p);
    return st;
}
