/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * The mean drift of the kernel (verify_drift.h): for each activation, initialization and width the simulated mean on
 * pairs of test inputs, the label-aware part alone, and the complete prediction with the terms of f_0; for relu both
 * forms of these, almost everywhere and with delta terms. With antisymmetric initialization f_0 = 0 and the two
 * predictions of a form are one.
 */
#include "verify_drift.h"

#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "nth/expected.h"

#define FEW_INPUTS "synthetic:sphere?n=3&d=3&test=2&seed=1"

enum { RELU_STEPS = 20, FORMS = 2, INTEGRATOR_NETWORKS = 1024 };

/* Beside 3 standard errors a share of the largest entry of the prediction is allowed for the next order: 5/m. relu's next order
 * is m^-1/2: that share of the largest entry of any part of it. */
static const double NEXT_ORDER = 5.0, ERRORS = 3.0;

/* A prediction (k x k), its parts, and the entry by which the next order is measured. */
typedef struct forecast {
    const char *name;
    double     *label, *whole, *part[2]; /* part: C1, C2 */
    double      scale;
    ptrdiff_t   off; /* rows it does not fit */
} forecast;

/* What is measured now: one activation and initialization. */
typedef struct family {
    nth_activation act;
    bool           antisymmetric, relu;
    int            forms; /* 2 for relu: almost everywhere, with delta terms */
} family;

typedef struct drift {
    drift_run r;
    double   *scaled; /* inputs as in form E3 */
    forecast  form[FORMS];
    double   *mean, *se;   /* (widths x k x k) measured */
    double   *limit[2];    /* (k x k) extrapolated mean and its standard error */
    nth_json *verdicts;
    double    t;
    ptrdiff_t networks, widths;
    const int64_t *width;
} drift;

bool drift_go_on(ptrdiff_t networks, void *ctx)
{
    drift_run *r = ctx;
    cli_progress_update(r->c, r->done + networks);
    return !cli_interrupted();
}

nth_drift_options drift_options(drift_run *r, nth_activation act, bool antisymmetric, ptrdiff_t m, ptrdiff_t networks, double t)
{
    const nth_config *cfg = r->c->cfg;
    const bool        smooth = nth_activation_is_smooth(act);
    nth_drift_options opt = { .time = t, .networks = networks, .seed = cfg->seed + (uint64_t)m, .go_on = drift_go_on, .ctx = r,
                              .flow = { .stepper = smooth ? NTH_STEPPER_COLLOCATION : NTH_STEPPER_RKCK, .rtol = 1e-8,
                                        .fixed_steps = smooth ? 0 : RELU_STEPS },
                              .shape = { .activation = act, .layers = 2, .sigma_w = 1.0, .doubled = antisymmetric } };
    opt.shape.widths[0] = r->p.X.cols, opt.shape.widths[1] = antisymmetric ? m / 2 : m, opt.shape.widths[2] = 1;
    opt.shape.input_scale = cli_input_scale(cfg);
    return opt;
}

void drift_note(drift_run *r, const char *fmt, ...)
{
    va_list      ap;
    const size_t room = sizeof r->notes - r->notes_used;
    va_start(ap, fmt);
    const int length = vsnprintf(r->notes + r->notes_used, room, fmt, ap);
    va_end(ap);
    r->notes_used += length < 0 ? 0 : (size_t)length < room ? (size_t)length : room - 1;
}

static nth_status predict(drift *d, const family *f)
{
    nth_status      st = NTH_OK;
    cli            *c = d->r.c;
    const ptrdiff_t k = d->r.p.k, n = d->r.p.n, dim = d->r.p.X.cols;
    double         *K2 = NULL;
    CLI_TRY(cli_doubles(c, &K2, (double)(k * k), "expected kernel"));
    for (int form = 0; form < f->forms; ++form) {
        forecast                 *w = &d->form[form];
        const nth_expected_config cfg = { .activation = f->act, .almost_everywhere = f->relu && form == 0, .antisymmetric = f->antisymmetric };
        nth_label_kernel          K = { .K2.test_test = nth_mat_of(K2, k, k), .LA.test_test = nth_mat_of(w->label, k, k),
                                        .C1.test_test = nth_mat_of(w->part[0], k, k), .C2.test_test = nth_mat_of(w->part[1], k, k) };
        w->name = !f->relu ? "" : form == 0 ? "almost everywhere" : "with delta terms";
        w->scale = 0.0, w->off = 0;
        st = nth_label_aware(&K, &cfg, nth_cmat_of(d->scaled, n, dim), nth_cmat_of(d->scaled + n * dim, k, dim), d->r.p.data->y.a, d->t,
                             NTH_LABEL_EXACT);
        if (st == NTH_E_NUMERIC && form == 1) {
            char why[512];
            snprintf(why, sizeof why, "%s", nth_last_error().message);
            (void)cli_fail(c, st, "%s: no prediction for relu with delta terms on these test inputs (points 1 and 2; training inputs are "
                           "3 and 4): %s", c->cfg->data, why);
        }
        CLI_TRY(st);
        for (ptrdiff_t e = 0; e < k * k; ++e) {
            w->whole[e] = w->label[e] + w->part[0][e] + w->part[1][e];
            w->scale = fmax(w->scale, f->relu ? fmax(fabs(w->label[e]), fmax(fabs(w->part[0][e]), fabs(w->part[1][e]))) : fabs(w->whole[e]));
        }
    }
done:
    free(K2);
    return st;
}

static const char *init_name(const family *f, const char *gaussian) { return f->antisymmetric ? "antisymmetric" : gaussian; }

static void add_row(drift *d, const family *f, const forecast *w, ptrdiff_t m, ptrdiff_t i, ptrdiff_t j, double got, double se,
                    const char *verdict)
{
    const ptrdiff_t e = i * d->r.p.k + j;
    char            width[24] = "infinity";
    if (m > 0) snprintf(width, sizeof width, "%td", m);
    cli_table_put(d->r.table, "%s %s", nth_activation_name(f->act), init_name(f, "Gaussian"));
    cli_table_put(d->r.table, "%s", width);
    cli_table_put(d->r.table, "%g", d->t);
    cli_table_put(d->r.table, "(%td,%td)", i + 1, j + 1);
    cli_table_put(d->r.table, "%s", w->name);
    cli_table_put(d->r.table, "%.5f", w->label[e]);
    cli_table_put(d->r.table, "%.5f", w->whole[e]);
    cli_table_put(d->r.table, "%.4f +- %.4f", got, se);
    cli_table_put(d->r.table, "%.1f", (got - w->label[e]) / se);
    cli_table_put(d->r.table, "%.1f", (got - w->whole[e]) / se);
    cli_table_put(d->r.table, "%s", verdict);
    if (d->r.rows == NULL) return;
    nth_json *row = nth_json_object();
    nth_json_set_string(row, "activation", nth_activation_name(f->act));
    nth_json_set_string(row, "init", init_name(f, "gaussian"));
    if (f->relu) nth_json_set_string(row, "form", w->name);
    if (m > 0) nth_json_set_int(row, "width", m); /* none: extrapolated */
    nth_json_set_double(row, "time", d->t);
    nth_json_set_int(row, "i", i);
    nth_json_set_int(row, "j", j);
    nth_json_set_double(row, "label_part", w->label[e]);
    nth_json_set_double(row, "complete", w->whole[e]);
    nth_json_set_double(row, "measured", got);
    nth_json_set_double(row, "standard_error", se);
    nth_json_set_string(row, "verdict", verdict);
    nth_json_append(d->r.rows, row);
}

/* One line for each pair and form; `share` of the scale is allowed for the next order. m = 0: the extrapolated mean. */
static void report(drift *d, const family *f, ptrdiff_t m, double share, const double *mean, const double *se)
{
    const ptrdiff_t k = d->r.p.k;
    for (ptrdiff_t i = 0; i < k; ++i)
        for (ptrdiff_t j = 0; j <= i; ++j) {
            const ptrdiff_t e = i * k + j;
            bool            fits[FORMS] = { false };
            for (int w = 0; w < f->forms; ++w) /* false for NaN */
                fits[w] = fabs(mean[e] - d->form[w].whole[e]) <= ERRORS * se[e] + share * d->form[w].scale;
            for (int w = 0; w < f->forms; ++w) {
                const char *text = fits[w] ? "holds" : "FAILS";
                if (f->relu) text = !fits[w] ? "rejected" : fits[1 - w] ? "undecided" : "supported";
                add_row(d, f, &d->form[w], m, i, j, mean[e], se[e], text);
                d->form[w].off += !fits[w];
                if (!f->relu && !fits[w]) ++d->r.c->failed_checks;
            }
        }
}

/* Least squares of the means in m^-1/2, weighted by their errors: the value at m = infinity. */
static void extrapolate(drift *d)
{
    const ptrdiff_t size = d->r.p.k * d->r.p.k;
    for (ptrdiff_t e = 0; e < size; ++e) {
        double s = 0.0, sx = 0.0, sxx = 0.0, sy = 0.0, sxy = 0.0;
        for (ptrdiff_t w = 0; w < d->widths; ++w) {
            const double x = 1.0 / sqrt((double)(d->width[w] / 2 * 2)), y = d->mean[w * size + e], v = 1.0 / (d->se[w * size + e] * d->se[w * size + e]);
            s += v, sx += v * x, sxx += v * x * x, sy += v * y, sxy += v * x * y;
        }
        const double det = s * sxx - sx * sx;
        d->limit[0][e] = (sxx * sy - sx * sxy) / det;
        d->limit[1][e] = sqrt(sxx / det);
    }
}

/* Which form the rows leave: its own rows all fit, and some row of the other does not. */
static void conclude(drift *d, const family *f)
{
    const char *state[FORMS];
    for (int w = 0; w < FORMS; ++w)
        state[w] = d->form[w].off > 0 ? "rejected" : d->form[1 - w].off > 0 ? "supported" : "undecided";
    drift_note(&d->r, "relu %s: the prediction almost everywhere is %s, the one with delta terms %s\n", init_name(f, "Gaussian"), state[0],
               state[1]);
    if (strcmp(state[1], "supported") != 0) ++d->r.c->failed_checks;
    if (d->verdicts == NULL) return;
    nth_json *o = nth_json_object();
    nth_json_set_string(o, "activation", "relu");
    nth_json_set_string(o, "init", init_name(f, "gaussian"));
    nth_json_set_string(o, "almost_everywhere", state[0]);
    nth_json_set_string(o, "with_delta_terms", state[1]);
    nth_json_append(d->verdicts, o);
}

/* /ACTIVATION_INIT_WIDTH/measured, standard_error (k,k); the predictions unless at the limit. */
static nth_status save(drift *d, const family *f, ptrdiff_t m, const double *mean, const double *se)
{
    nth_status      st = NTH_OK;
    const ptrdiff_t dims[2] = { d->r.p.k, d->r.p.k };
    const struct {
        const char   *name;
        const double *a;
    } part[] = { { "measured", mean },
                 { "standard_error", se },
                 { f->relu ? "label_part_ae" : "label_part", d->form[0].label },
                 { f->relu ? "complete_ae" : "complete", d->form[0].whole },
                 { "label_part_delta", d->form[1].label },
                 { "complete_delta", d->form[1].whole } };
    char      path[128], width[24] = "limit";
    const int parts = m == 0 ? 2 : 2 + 2 * f->forms;
    if (m > 0) snprintf(width, sizeof width, "%td", m);
    for (int q = 0; q < parts && d->r.file != NULL; ++q) {
        snprintf(path, sizeof path, "/%s_%s_%s/%s", nth_activation_name(f->act), init_name(f, "gaussian"), width, part[q].name);
        CLI_TRY(nth_file_write(d->r.file, path, part[q].a, 2, dims));
    }
done:
    return st;
}

/* relu's fixed steps: how far twice as many move the mean of the same networks, in standard errors of the full mean. */
static nth_status integrator(drift *d, const family *f, ptrdiff_t m, const double *se)
{
    nth_status        st = NTH_OK;
    const ptrdiff_t   size = d->r.p.k * d->r.p.k, R = d->networks < INTEGRATOR_NETWORKS ? d->networks : INTEGRATOR_NETWORKS;
    nth_drift_options opt = drift_options(&d->r, f->act, f->antisymmetric, m, R, d->t);
    double           *K[2] = { NULL, NULL }, worst = 0.0;
    opt.go_on = NULL;
    for (int twice = 0; twice < 2; ++twice) {
        CLI_TRY(cli_doubles(d->r.c, &K[twice], (double)(R * size), "kernels of networks"));
        opt.flow.fixed_steps = RELU_STEPS << twice;
        CLI_TRY(nth_drift_networks(NULL, K[twice], &opt, d->r.p.X, d->r.p.X_test, d->r.p.data->y.a));
    }
    for (ptrdiff_t e = 0; e < size; ++e) {
        double change = 0.0;
        for (ptrdiff_t r = 0; r < R; ++r) change += (K[1][r * size + e] - K[0][r * size + e]) / (double)R;
        worst = isnan(change) ? change : fmax(worst, fabs(change) / se[e]);
    }
    drift_integrator_row(&d->r, f->act, f->antisymmetric, m, R, RELU_STEPS, worst);
done:
    free(K[0]), free(K[1]);
    return st;
}

void drift_integrator_row(drift_run *r, nth_activation act, bool antisymmetric, ptrdiff_t m, ptrdiff_t networks, ptrdiff_t steps,
                          double worst)
{
    const bool holds = worst < 1.0; /* false for NaN */
    if (!holds) ++r->c->failed_checks;
    drift_note(r, "integrator, %s %s, m = %td: twice the %td steps move the mean of %td networks by %.2g standard errors: %s\n",
               nth_activation_name(act), antisymmetric ? "antisymmetric" : "Gaussian", m, steps, networks, worst, holds ? "holds" : "FAILS");
    if (r->checks == NULL) return;
    nth_json *o = nth_json_object();
    nth_json_set_string(o, "activation", nth_activation_name(act));
    nth_json_set_string(o, "init", antisymmetric ? "antisymmetric" : "gaussian");
    nth_json_set_int(o, "width", m);
    nth_json_set_double(o, "moved_by_standard_errors", worst);
    nth_json_set_string(o, "verdict", holds ? "holds" : "fails");
    nth_json_append(r->checks, o);
}

static nth_status run_family(drift *d, const family *f)
{
    nth_status      st = NTH_OK;
    const ptrdiff_t k = d->r.p.k, size = k * k;
    CLI_TRY(predict(d, f));
    for (ptrdiff_t w = 0; w < d->widths; ++w) {
        const ptrdiff_t         m = (ptrdiff_t)d->width[w] / 2 * 2;
        double                 *mean = d->mean + w * size, *se = d->se + w * size;
        const nth_drift_options opt = drift_options(&d->r, f->act, f->antisymmetric, m, d->networks, d->t);
        CLI_TRY(nth_drift_simulate(nth_mat_of(mean, k, k), nth_mat_of(se, k, k), &opt, d->r.p.X, d->r.p.X_test, d->r.p.data->y.a));
        d->r.done += d->networks;
        report(d, f, m, f->relu ? 1.0 / sqrt((double)m) : NEXT_ORDER / (double)m, mean, se);
        CLI_TRY(save(d, f, m, mean, se));
        if (f->relu && w == 0) CLI_TRY(integrator(d, f, m, se));
    }
    if (!f->relu) return NTH_OK;
    if (d->widths >= 3) {
        extrapolate(d);
        double least = INFINITY;
        for (ptrdiff_t w = 0; w < d->widths; ++w) least = fmin(least, (double)d->width[w]);
        report(d, f, 0, NEXT_ORDER / least, d->limit[0], d->limit[1]);
        CLI_TRY(save(d, f, 0, d->limit[0], d->limit[1]));
    }
    conclude(d, f);
done:
    return st;
}

nth_status drift_open(drift_run *r, const char *data, const char *const *others, size_t n_others)
{
    nth_status st = NTH_OK;
    cli       *c = r->c;
    for (size_t i = 0; i < n_others; ++i)
        if (nth_config_given(c->cfg, others[i])) return cli_fail(c, NTH_E_ARG, "--%s does not go with mean-drift", others[i]);
    const nth_config *cfg = c->cfg;
    if (nth_config_given(cfg, "label-ratio")) return cli_fail(c, NTH_E_ARG, "--label-ratio does not go with mean-drift");
    CLI_TRY(cli_table_begin(c));
    if (cfg->times.n > 1) return cli_fail(c, NTH_E_ARG, "--times: mean-drift takes one time, here are %td", cfg->times.n);
    if (cfg->times.n == 1 && !(cfg->times.v[0] > 0.0 && isfinite(cfg->times.v[0])))
        return cli_fail(c, NTH_E_ARG, "--times: %g; mean-drift takes a positive, finite time", cfg->times.v[0]);
    if (nth_config_given(cfg, "seeds") && cfg->seeds < 2)
        return cli_fail(c, NTH_E_ARG, "--seeds: %lld; mean-drift needs at least 2 networks for each width", (long long)cfg->seeds);
    for (ptrdiff_t w = 0; w < cfg->sweep_widths.n; ++w)
        if (cfg->sweep_widths.v[w] < 2)
            return cli_fail(c, NTH_E_ARG, "--widths: %lld; mean-drift takes even widths from 2 on", (long long)cfg->sweep_widths.v[w]);
    CLI_TRY(nth_config_suggest(c->cfg, "data", data));
    CLI_TRY(cli_problem_load(c, &r->p, false, true));
    if (r->p.k == 0) CLI_TRY(cli_fail(c, NTH_E_ARG, "mean-drift looks at pairs of test inputs, %s has none", c->cfg->data));
    if (c->cfg->sigma_w != 1.0 || c->cfg->sigma_b != 0.0)
        CLI_TRY(cli_fail(c, NTH_E_ARG, "mean-drift is predicted for --sigma-w 1 --sigma-b 0"));
    if (c->cfg->out != NULL) CLI_TRY(cli_create(c, &r->file));
done:
    return st;
}

static nth_status allocate(drift *d)
{
    nth_status   st = NTH_OK;
    const double size = (double)(d->r.p.k * d->r.p.k);
    CLI_TRY(cli_scaled_inputs(d->r.c, &d->scaled, &d->r.p));
    for (int w = 0; w < FORMS; ++w) {
        double **const blocks[] = { &d->form[w].label, &d->form[w].whole, &d->form[w].part[0], &d->form[w].part[1], &d->limit[w] };
        for (int b = 0; b < 5; ++b) CLI_TRY(cli_doubles(d->r.c, blocks[b], size, "kernels of test inputs"));
    }
    CLI_TRY(cli_doubles(d->r.c, &d->mean, size * (double)d->widths, "kernels of test inputs"));
    CLI_TRY(cli_doubles(d->r.c, &d->se, size * (double)d->widths, "kernels of test inputs"));
done:
    return st;
}

static void heading(drift *d, bool relu)
{
    char caption[1024];
    cli_say(d->r.c, "# nth verify mean-drift: %s, T = %g, %td networks for each width\n\n", d->r.c->cfg->data, d->t, d->networks);
    if (relu)
        cli_say(d->r.c, "relu: two forms of the prediction. A row of one fits within 3 standard errors plus m^-1/2 of the largest entry of the form's parts\n"
                        "(its next order); it is supported if it fits and the other does not, rejected if it does not fit, undecided if both fit. From three\n"
                        "widths on the mean is extrapolated to m = infinity by least squares in m^-1/2, where 5/m of the smallest width is allowed in place\n"
                        "of m^-1/2. Over all rows a form is rejected if one of its rows is, supported if all fit and some row of the other does not.\n\n");
    snprintf(caption, sizeof caption, "m E[K_T - K_0] on pairs of test inputs, %s, %td networks for each width: the label-aware part, the complete prediction, "
             "the mean over networks, and how many standard errors it is off each", d->r.c->cfg->data, d->networks);
    d->r.table = cli_table_create(caption, "network|m|T|pair|form|label part|complete|measured|off label|off complete|verdict");
}

nth_status cli_verify_drift(cli *c)
{
    static const int64_t     usual[] = { 128, 512 };
    static const char *const tanh_alone[] = { "tanh" }, *const others[] = { "depth", "bootstrap", "stepper", "rtol" };
    nth_status               st = NTH_OK;
    const nth_config        *cfg = c->cfg;
    if (cfg->exponents) return cli_drift_exponents(c);
    drift              d = { .r = { .c = c, .rows = c->json != NULL ? nth_json_array() : NULL, .checks = c->json != NULL ? nth_json_array() : NULL },
                             .verdicts = c->json != NULL ? nth_json_array() : NULL,
                             .t = cfg->times.n > 0 ? cfg->times.v[0] : 3.0,
                             .width = cfg->sweep_widths.n > 0 ? cfg->sweep_widths.v : usual,
                             .widths = cfg->sweep_widths.n > 0 ? cfg->sweep_widths.n : 2,
                             .networks = nth_config_given(cfg, "seeds") ? (ptrdiff_t)cfg->seeds
                                         : strcmp(cfg->preset, "quick") == 0 ? 2000 : strcmp(cfg->preset, "standard") == 0 ? 12000 : 40000 };
    const char *const *acts = cfg->activations.n > 0 ? (const char *const *)cfg->activations.v : tanh_alone;
    const ptrdiff_t    n_acts = cfg->activations.n > 0 ? cfg->activations.n : 1;
    const bool         kinds[2] = { cfg->inits == NULL || strcmp(cfg->inits, "antisymmetric") != 0,
                                    cfg->inits == NULL || strcmp(cfg->inits, "gaussian") != 0 };
    bool               relu = false;
    nth_json_set(c->json, "rows", d.r.rows); /* the object holds them from here on; NULL stays NULL */
    nth_json_set(c->json, "verdicts", d.verdicts);
    nth_json_set(c->json, "integrator", d.r.checks);
    CLI_TRY(drift_open(&d.r, FEW_INPUTS, others, sizeof others / sizeof *others));
    CLI_TRY(allocate(&d));
    for (ptrdiff_t a = 0; a < n_acts; ++a) relu = relu || strcmp(acts[a], "relu") == 0;
    if (relu) CLI_TRY(predict(&d, &(family){ .act = NTH_ACT_RELU, .relu = true, .forms = FORMS })); /* refused before the first line */
    heading(&d, relu);
    cli_progress_begin(c, "networks", d.networks * d.widths * n_acts * (kinds[0] + kinds[1]));
    for (ptrdiff_t a = 0; a < n_acts; ++a)
        for (int kind = 0; kind < 2; ++kind) {
            family f = { .antisymmetric = kind == 1, .relu = strcmp(acts[a], "relu") == 0 };
            f.forms = f.relu ? FORMS : 1;
            CLI_TRY(nth_activation_parse(&f.act, acts[a]));
            if (kinds[kind]) CLI_TRY(run_family(&d, &f));
        }
    CLI_TRY(drift_finish(&d.r));
done:
    drift_close(&d.r);
    free(d.scaled), free(d.mean), free(d.se);
    for (int w = 0; w < FORMS; ++w)
        free(d.form[w].label), free(d.form[w].whole), free(d.form[w].part[0]), free(d.form[w].part[1]), free(d.limit[w]);
    return st;
}

nth_status drift_finish(drift_run *r)
{
    nth_status st = NTH_OK;
    cli_progress_end(r->c);
    cli_table_say(r->c, r->table);
    if (r->notes_used > 0) cli_say(r->c, "\n%s", r->notes);
    CLI_TRY(cli_table_end(r->c, (const cli_table *const[]){ r->table }, 1));
    if (r->file != NULL) CLI_TRY(nth_file_commit(&r->file));
done:
    return st;
}

void drift_close(drift_run *r)
{
    cli_progress_end(r->c);
    cli_table_destroy(&r->table);
    cli_discard(r->c, &r->file);
    cli_problem_free(&r->p);
}
