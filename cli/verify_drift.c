/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * The mean drift of the kernel (verify_drift.h): for each activation, initialization and width the
 * simulated mean on pairs of test inputs, the label-aware part alone, and the complete prediction with the
 * terms of f_0. With antisymmetric initialization the two predictions are one.
 */
#include "verify_drift.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "nth/drift.h"
#include "nth/expected.h"

#define FEW_INPUTS "synthetic:sphere?n=3&d=3&test=2&seed=1"

/* The prediction holds up to 1/m: that share of its largest entry, over m, is allowed beside 3 standard errors. */
static const double NEXT_ORDER = 5.0, ERRORS = 3.0;

typedef struct drift {
    cli           *c;
    cli_problem    p;
    double        *scaled;              /* inputs as in form E3 */
    double        *label, *whole;       /* (k x k) predictions */
    double        *part[2];             /* C1, C2 */
    double        *mean, *se;           /* (k x k) measured */
    nth_json      *rows;
    nth_file      *file;                /* NULL without --out */
    ptrdiff_t      done;
} drift;

static bool go_on(ptrdiff_t networks, void *ctx)
{
    drift *d = ctx;
    cli_progress_update(d->c, d->done + networks);
    return !cli_interrupted();
}

static nth_status predict(drift *d, nth_activation act, bool antisymmetric, double t)
{
    nth_status                st = NTH_OK;
    const ptrdiff_t           k = d->p.k, dim = d->p.X.cols;
    const nth_expected_config cfg = { .activation = act, .almost_everywhere = act == NTH_ACT_RELU, .antisymmetric = antisymmetric };
    double                   *K2 = NULL;
    CLI_TRY(cli_doubles(d->c, &K2, (double)(k * k), "expected kernel"));
    nth_label_kernel K = { .K2.test_test = nth_mat_of(K2, k, k), .LA.test_test = nth_mat_of(d->label, k, k),
                           .C1.test_test = nth_mat_of(d->part[0], k, k), .C2.test_test = nth_mat_of(d->part[1], k, k) };
    CLI_TRY(nth_label_aware(&K, &cfg, nth_cmat_of(d->scaled, d->p.n, dim), nth_cmat_of(d->scaled + d->p.n * dim, k, dim),
                            d->p.data->y.a, t, NTH_LABEL_EXACT));
    for (ptrdiff_t e = 0; e < k * k; ++e) d->whole[e] = d->label[e] + d->part[0][e] + d->part[1][e];
done:
    free(K2);
    return st;
}

/* One line for each pair; a pair off its prediction is a check that does not hold. */
static void report(drift *d, const char *act, bool antisymmetric, ptrdiff_t m, double t)
{
    const ptrdiff_t k = d->p.k;
    double          largest = 0.0;
    for (ptrdiff_t e = 0; e < k * k; ++e) largest = fmax(largest, fabs(d->whole[e]));
    for (ptrdiff_t i = 0; i < k; ++i)
        for (ptrdiff_t j = 0; j <= i; ++j) {
            const double got = d->mean[i * k + j], se = d->se[i * k + j], want = d->whole[i * k + j], la = d->label[i * k + j];
            const bool   holds = fabs(got - want) <= ERRORS * se + NEXT_ORDER / (double)m * largest; /* false for NaN */
            cli_say(d->c, "| %s %s | %td | %g | (%td,%td) | %.5f | %.5f | %.4f +- %.4f | %.1f | %.1f | %s |\n", act,
                    antisymmetric ? "antisymmetric" : "Gaussian", m, t, i + 1, j + 1, la, want, got, se, (got - la) / se,
                    (got - want) / se, holds ? "holds" : "FAILS");
            if (d->rows == NULL) {
                if (!holds) ++d->c->failed_checks;
                continue;
            }
            nth_json *row = nth_json_object();
            nth_json_set_string(row, "activation", act);
            nth_json_set_string(row, "init", antisymmetric ? "antisymmetric" : "gaussian");
            nth_json_set_int(row, "width", m);
            nth_json_set_double(row, "time", t);
            nth_json_set_int(row, "i", i);
            nth_json_set_int(row, "j", j);
            nth_json_set_double(row, "label_part", la);
            nth_json_set_double(row, "complete", want);
            nth_json_set_double(row, "measured", got);
            nth_json_set_double(row, "standard_error", se);
            nth_json_set_string(row, "verdict", holds ? "holds" : "fails");
            nth_json_append(d->rows, row);
            if (!holds) ++d->c->failed_checks;
        }
}

/* /ACTIVATION_INIT_WIDTH/measured, standard_error, label_part, complete (k,k). */
static nth_status save(drift *d, const char *act, bool antisymmetric, ptrdiff_t m)
{
    nth_status st = NTH_OK;
    const struct {
        const char   *name;
        const double *a;
    } part[] = { { "measured", d->mean }, { "standard_error", d->se }, { "label_part", d->label }, { "complete", d->whole } };
    const ptrdiff_t dims[2] = { d->p.k, d->p.k };
    char            path[96];
    for (int q = 0; q < 4 && d->file != NULL; ++q) {
        snprintf(path, sizeof path, "/%s_%s_%td/%s", act, antisymmetric ? "antisymmetric" : "gaussian", m, part[q].name);
        CLI_TRY(nth_file_write(d->file, path, part[q].a, 2, dims));
    }
done:
    return st;
}

static nth_status family(drift *d, nth_activation act, bool antisymmetric, double t, const int64_t *widths, ptrdiff_t count,
                         ptrdiff_t networks)
{
    nth_status        st = NTH_OK;
    const nth_config *cfg = d->c->cfg;
    const ptrdiff_t   k = d->p.k;
    CLI_TRY(predict(d, act, antisymmetric, t));
    for (ptrdiff_t w = 0; w < count; ++w) {
        const ptrdiff_t   m = (ptrdiff_t)widths[w] / 2 * 2;
        nth_drift_options opt = { .time = t, .networks = networks, .seed = cfg->seed + (uint64_t)m, .go_on = go_on, .ctx = d,
                                  .flow = { .stepper = act == NTH_ACT_RELU ? NTH_STEPPER_RKCK : NTH_STEPPER_COLLOCATION, .rtol = 1e-8,
                                            .fixed_steps = act == NTH_ACT_RELU ? 400 : 0 },
                                  .shape = { .activation = act, .layers = 2, .sigma_w = 1.0, .doubled = antisymmetric } };
        opt.shape.widths[0] = d->p.X.cols, opt.shape.widths[1] = antisymmetric ? m / 2 : m, opt.shape.widths[2] = 1;
        opt.shape.input_scale = strcmp(cfg->input_scale, "one") == 0 ? NTH_INPUT_ONE : NTH_INPUT_FAN_IN;
        CLI_TRY(nth_drift_simulate(nth_mat_of(d->mean, k, k), nth_mat_of(d->se, k, k), &opt, d->p.X, d->p.X_test, d->p.data->y.a));
        d->done += networks;
        report(d, nth_activation_name(act), antisymmetric, m, t);
        CLI_TRY(save(d, nth_activation_name(act), antisymmetric, m));
    }
done:
    return st;
}

static nth_status open_problem(drift *d)
{
    static const char *const others[] = { "depth", "table", "bootstrap", "stepper", "rtol" };
    nth_status               st = NTH_OK;
    for (size_t i = 0; i < sizeof others / sizeof *others; ++i)
        if (nth_config_given(d->c->cfg, others[i]))
            return cli_fail(d->c, NTH_E_ARG, "--%s does not go with mean-drift", others[i]);
    if (d->c->cfg->times.n > 1) return cli_fail(d->c, NTH_E_ARG, "--times: mean-drift takes one time, here are %td", d->c->cfg->times.n);
    CLI_TRY(nth_config_suggest(d->c->cfg, "data", FEW_INPUTS));
    CLI_TRY(cli_problem_load(d->c, &d->p, false, true));
    const ptrdiff_t k = d->p.k;
    if (k == 0) CLI_TRY(cli_fail(d->c, NTH_E_ARG, "mean-drift looks at pairs of test inputs, %s has none", d->c->cfg->data));
    if (d->c->cfg->sigma_w != 1.0 || d->c->cfg->sigma_b != 0.0)
        CLI_TRY(cli_fail(d->c, NTH_E_ARG, "mean-drift is predicted for --sigma-w 1 --sigma-b 0"));
    CLI_TRY(cli_scaled_inputs(d->c, &d->scaled, &d->p));
    double **const blocks[] = { &d->label, &d->whole, &d->part[0], &d->part[1], &d->mean, &d->se };
    for (int b = 0; b < 6; ++b) CLI_TRY(cli_doubles(d->c, blocks[b], (double)(k * k), "kernels of test inputs"));
done:
    return st;
}

nth_status cli_verify_drift(cli *c)
{
    static const int64_t     usual[] = { 128, 512 };
    static const char *const tanh_alone[] = { "tanh" };
    nth_status               st = NTH_OK;
    drift                    d = { .c = c, .rows = c->json != NULL ? nth_json_array() : NULL };
    const nth_config        *cfg = c->cfg;
    const int64_t           *widths = cfg->sweep_widths.n > 0 ? cfg->sweep_widths.v : usual;
    const ptrdiff_t          n_widths = cfg->sweep_widths.n > 0 ? cfg->sweep_widths.n : 2;
    const char *const       *acts = cfg->activations.n > 0 ? (const char *const *)cfg->activations.v : tanh_alone;
    const ptrdiff_t          n_acts = cfg->activations.n > 0 ? cfg->activations.n : 1;
    const ptrdiff_t          networks = nth_config_given(cfg, "seeds") ? (ptrdiff_t)cfg->seeds : strcmp(cfg->preset, "quick") == 0 ? 2000 : 12000;
    const double             t = cfg->times.n > 0 ? cfg->times.v[0] : 3.0;
    const bool               kinds[2] = { cfg->inits == NULL || strcmp(cfg->inits, "antisymmetric") != 0,
                                          cfg->inits == NULL || strcmp(cfg->inits, "gaussian") != 0 };
    nth_json_set(c->json, "rows", d.rows); /* the object holds it from here on; NULL stays NULL */
    CLI_TRY(open_problem(&d));
    if (cfg->out != NULL) CLI_TRY(cli_create(c, &d.file));
    cli_say(c, "# nth verify mean-drift: %s, T = %g, %td networks for each width\n\n", cfg->data, t, networks);
    cli_say(c, "m E[K_T - K_0] on pairs of test inputs: the label-aware part, the complete prediction, the mean over networks, and\n"
               "how many standard errors it is off each.\n\n");
    cli_say(c, "| network | m | T | pair | label part | complete | measured | off label | off complete | verdict |\n|---|---|---|---|---|---|---|---|---|---|\n");
    cli_progress_begin(c, "networks", networks * n_widths * n_acts * (kinds[0] + kinds[1]));
    for (ptrdiff_t a = 0; a < n_acts; ++a)
        for (int kind = 0; kind < 2; ++kind) {
            nth_activation act;
            CLI_TRY(nth_activation_parse(&act, acts[a]));
            if (kinds[kind]) CLI_TRY(family(&d, act, kind == 1, t, widths, n_widths, networks));
        }
    if (d.file != NULL) CLI_TRY(nth_file_commit(&d.file));
done:
    cli_progress_end(c);
    cli_discard(c, &d.file);
    free(d.scaled), free(d.label), free(d.whole), free(d.part[0]), free(d.part[1]), free(d.mean), free(d.se);
    cli_problem_free(&d.p);
    return st;
}
