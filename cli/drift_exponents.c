/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * nth verify mean-drift --exponents: how mean and scatter of K_T - K_0 fall with the width, relu beside a smooth control.
 */
#include "verify_drift.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define INPUTS "synthetic:sphere?n=4&d=4&test=3&seed=1"

enum { FULL_WIDTH = 4096 }; /* up to here the full number of networks; beyond, fewer like m^-1/2 */

typedef struct exponents {
    drift_run        r;
    nth_drift_width *width; /* (widths); holds the kernels of one family */
    double         **train, **test;
    ptrdiff_t        widths;
    double           m[NTH_FAMILY_MAX_WIDTHS], networks[NTH_FAMILY_MAX_WIDTHS], t; /* widths and networks as they are reported */
} exponents;

static ptrdiff_t networks_at(ptrdiff_t m, ptrdiff_t most)
{
    const ptrdiff_t R = m <= FULL_WIDTH ? most : (ptrdiff_t)((double)most * sqrt((double)FULL_WIDTH / (double)m));
    return R < 2 ? 2 : R;
}

static nth_status prepare(exponents *x, const int64_t *m, ptrdiff_t most)
{
    nth_status   st = NTH_OK;
    cli         *c = x->r.c;
    const double n = (double)x->r.p.n, k = (double)x->r.p.k;
    if (x->widths < 2 || x->widths > NTH_FAMILY_MAX_WIDTHS)
        return cli_fail(c, NTH_E_ARG, "--widths: --exponents takes 2 to %d widths, here are %td", NTH_FAMILY_MAX_WIDTHS, x->widths);
    if (x->r.p.k < 2) return cli_fail(c, NTH_E_ARG, "--exponents looks at pairs of different test inputs, %s has %td", c->cfg->data, x->r.p.k);
    x->width = calloc((size_t)x->widths, sizeof *x->width);
    x->train = calloc((size_t)x->widths, sizeof *x->train);
    x->test = calloc((size_t)x->widths, sizeof *x->test);
    if (x->width == NULL || x->train == NULL || x->test == NULL) return cli_fail(c, NTH_E_NOMEM, "out of memory");
    for (ptrdiff_t w = 0; w < x->widths; ++w) {
        const ptrdiff_t width = (ptrdiff_t)m[w] / 2 * 2, R = networks_at(width, most);
        if (w > 0 && width <= x->width[w - 1].m) return cli_fail(c, NTH_E_ARG, "--widths: %td after %td; --exponents takes them ascending", width, x->width[w - 1].m);
        CLI_TRY(cli_doubles(c, &x->train[w], (double)R * n * n, "kernels of networks"));
        CLI_TRY(cli_doubles(c, &x->test[w], (double)R * k * k, "kernels of networks"));
        x->width[w] = (nth_drift_width){ .m = width, .networks = R, .train = x->train[w], .test = x->test[w] };
        x->m[w] = (double)width, x->networks[w] = (double)R;
    }
done:
    return st;
}

/* Mean over the training diagonal of one network, times m. */
static double diagonal(const double *K, ptrdiff_t n)
{
    double s = 0.0;
    for (ptrdiff_t i = 0; i < n; ++i) s += K[i * n + i] / (double)n;
    return s;
}

/* Twice the steps at the smallest width, all its networks: the mean that flickers most is the training diagonal's. */
static nth_status integrator(exponents *x, nth_drift_options *opt, nth_activation act)
{
    nth_status      st = NTH_OK;
    const ptrdiff_t n = x->r.p.n, R = x->width[0].networks, steps = opt->flow.fixed_steps;
    double         *K = NULL, mean = 0.0, squares = 0.0, change = 0.0;
    CLI_TRY(cli_doubles(x->r.c, &K, (double)(R * n * n), "kernels of networks"));
    opt->flow.fixed_steps = 2 * steps, opt->go_on = NULL;
    CLI_TRY(nth_drift_networks(K, NULL, opt, x->r.p.X, x->r.p.X_test, x->r.p.data->y.a));
    for (ptrdiff_t r = 0; r < R; ++r) mean += diagonal(x->train[0] + r * n * n, n) / (double)R;
    for (ptrdiff_t r = 0; r < R; ++r) {
        const double one = diagonal(x->train[0] + r * n * n, n);
        squares += (one - mean) * (one - mean);
        change += (diagonal(K + r * n * n, n) - one) / (double)R;
    }
    drift_integrator_row(&x->r, act, opt->shape.doubled, x->width[0].m, R, steps, fabs(change) / sqrt(squares / ((double)R * (double)(R - 1))));
done:
    free(K);
    return st;
}

static void report(exponents *x, const nth_claim *claim, const char *act, bool antisymmetric)
{
    const nth_rate *r = &claim->rate[0];
    const bool      judged = strcmp(claim->kind, "report") != 0;
    const char     *verdict = !judged ? "reported" : claim->verdict == NTH_HOLDS ? "holds" : claim->verdict == NTH_FAILS ? "FAILS" : "UNDECIDED";
    char            local[400] = "";
    size_t          used = 0;
    for (ptrdiff_t w = 0; w + 1 < x->widths && used < sizeof local - 40; ++w)
        used += (size_t)snprintf(local + used, sizeof local - used, "%s%.2f", w > 0 ? " " : "", r->local[w]);
    cli_table_put(x->r.table, "%s", claim->name);
    cli_table_put(x->r.table, "%s %s", act, antisymmetric ? "antisymmetric" : "Gaussian");
    cli_table_put(x->r.table, "%g", claim->predicted);
    cli_table_put(x->r.table, "%.3f [%.3f, %.3f]", r->slope, r->low, r->high);
    cli_table_put(x->r.table, "%s", local);
    for (ptrdiff_t w = 0; w < x->widths; ++w) cli_table_put(x->r.table, "%.3g", r->median[w]);
    cli_table_put(x->r.table, "%s", verdict);
    if (judged && claim->verdict != NTH_HOLDS) ++x->r.c->failed_checks;
    if (x->r.rows == NULL) return;
    nth_json *row = nth_json_object();
    nth_json_set_string(row, "quantity", claim->name);
    nth_json_set_string(row, "activation", act);
    nth_json_set_string(row, "init", antisymmetric ? "antisymmetric" : "gaussian");
    nth_json_set_doubles(row, "widths", x->m, x->widths);
    nth_json_set_doubles(row, "networks", x->networks, x->widths);
    nth_json_set_double(row, "predicted", claim->predicted);
    nth_json_set_double(row, "exponent", r->slope);
    nth_json_set_double(row, "low", r->low);
    nth_json_set_double(row, "high", r->high);
    nth_json_set_doubles(row, "local", r->local, x->widths - 1);
    nth_json_set_doubles(row, "values", r->median, x->widths);
    nth_json_set_string(row, "verdict", verdict);
    nth_json_append(x->r.rows, row);
}

/* /ACTIVATION_INIT/widths, networks (w), values (2,w), exponents (2,3): exponent, low, high. */
static nth_status save(exponents *x, const nth_claim *claim, const char *act, bool antisymmetric)
{
    nth_status st = NTH_OK;
    double     values[NTH_DRIFT_PARTS * NTH_FAMILY_MAX_WIDTHS], rate[NTH_DRIFT_PARTS * 3];
    char       path[96];
    for (int p = 0; p < NTH_DRIFT_PARTS; ++p) {
        memcpy(values + p * x->widths, claim[p].rate[0].median, (size_t)x->widths * sizeof(double));
        rate[3 * p] = claim[p].rate[0].slope, rate[3 * p + 1] = claim[p].rate[0].low, rate[3 * p + 2] = claim[p].rate[0].high;
    }
    const struct {
        const char   *name;
        const double *a;
        int           rank;
        ptrdiff_t     dims[2];
    } set[] = { { "widths", x->m, 1, { x->widths } }, { "networks", x->networks, 1, { x->widths } },
                { "values", values, 2, { NTH_DRIFT_PARTS, x->widths } }, { "exponents", rate, 2, { NTH_DRIFT_PARTS, 3 } } };
    for (size_t s = 0; x->r.file != NULL && s < sizeof set / sizeof *set; ++s) {
        snprintf(path, sizeof path, "/%s_%s/%s", act, antisymmetric ? "antisymmetric" : "gaussian", set[s].name);
        CLI_TRY(nth_file_write(x->r.file, path, set[s].a, set[s].rank, set[s].dims));
    }
done:
    return st;
}

static nth_status family(exponents *x, nth_activation act, bool antisymmetric)
{
    nth_status        st = NTH_OK;
    const nth_config *cfg = x->r.c->cfg;
    nth_claim         claim[NTH_DRIFT_PARTS];
    nth_drift_options opt = { 0 };
    for (ptrdiff_t w = 0; w < x->widths; ++w) {
        opt = drift_options(&x->r, act, antisymmetric, x->width[w].m, x->width[w].networks, x->t);
        CLI_TRY(nth_drift_networks(x->train[w], x->test[w], &opt, x->r.p.X, x->r.p.X_test, x->r.p.data->y.a));
        x->r.done += x->width[w].networks;
    }
    CLI_TRY(nth_drift_claims(claim, &opt.shape, x->width, x->widths, x->r.p.n, x->r.p.k, (ptrdiff_t)cfg->bootstrap, cfg->seed));
    for (int p = 0; p < NTH_DRIFT_PARTS; ++p) report(x, &claim[p], nth_activation_name(act), antisymmetric);
    CLI_TRY(save(x, claim, nth_activation_name(act), antisymmetric));
    opt = drift_options(&x->r, act, antisymmetric, x->width[0].m, x->width[0].networks, x->t);
    if (opt.flow.fixed_steps > 0) CLI_TRY(integrator(x, &opt, act));
done:
    return st;
}

static void heading(exponents *x)
{
    char   caption[2048], heads[32 * NTH_FAMILY_MAX_WIDTHS + 128];
    size_t used = (size_t)snprintf(caption, sizeof caption, "K_T - K_0 against the width m, %s, T = %g: modulus of the mean over networks on the training "
                                   "diagonal; standard deviation over networks, root mean square over pairs of different test inputs. Exponents by "
                                   "least squares of logs with 95 %% bootstrap intervals over networks. Networks:", x->r.c->cfg->data, x->t);
    size_t put = (size_t)snprintf(heads, sizeof heads, "quantity|network|predicted|exponent|local slopes");
    for (ptrdiff_t w = 0; w < x->widths && used < sizeof caption; ++w) {
        used += (size_t)snprintf(caption + used, sizeof caption - used, "%s %td at m = %td", w > 0 ? "," : "", x->width[w].networks, x->width[w].m);
        put += (size_t)snprintf(heads + put, sizeof heads - put, "|m = %td", x->width[w].m);
    }
    snprintf(heads + put, sizeof heads - put, "|verdict");
    cli_say(x->r.c, "# nth verify mean-drift --exponents (%s): %s, T = %g\n\n", x->r.c->cfg->preset, x->r.c->cfg->data, x->t);
    x->r.table = cli_table_create(caption, heads);
}

nth_status cli_drift_exponents(cli *c)
{
    static const int64_t     usual[] = { 256, 1024, 4096, 16384, 65536 };
    static const char *const both[] = { "relu", "tanh" }, *const others[] = { "depth", "stepper", "rtol" };
    nth_status               st = NTH_OK;
    const nth_config        *cfg = c->cfg;
    const bool               quick = strcmp(cfg->preset, "quick") == 0, given = cfg->sweep_widths.n > 0;
    const ptrdiff_t          most = nth_config_given(cfg, "seeds") ? (ptrdiff_t)cfg->seeds : quick ? 100 : strcmp(cfg->preset, "standard") == 0 ? 400 : 800;
    const char *const       *acts = cfg->activations.n > 0 ? (const char *const *)cfg->activations.v : both;
    const ptrdiff_t          n_acts = cfg->activations.n > 0 ? cfg->activations.n : 2;
    const bool               kinds[2] = { cfg->inits != NULL && strcmp(cfg->inits, "antisymmetric") != 0,
                                          cfg->inits == NULL || strcmp(cfg->inits, "gaussian") != 0 };
    exponents                x = { .r = { .c = c, .rows = c->json != NULL ? nth_json_array() : NULL, .checks = c->json != NULL ? nth_json_array() : NULL },
                                   .widths = given ? cfg->sweep_widths.n : quick ? 4 : 5,
                                   .t = cfg->times.n > 0 ? cfg->times.v[0] : 3.0 };
    ptrdiff_t                all = 0;
    nth_json_set(c->json, "rows", x.r.rows); /* the object holds them from here on; NULL stays NULL */
    nth_json_set(c->json, "integrator", x.r.checks);
    CLI_TRY(drift_open(&x.r, INPUTS, others, sizeof others / sizeof *others));
    CLI_TRY(prepare(&x, given ? cfg->sweep_widths.v : usual, most));
    heading(&x);
    for (ptrdiff_t w = 0; w < x.widths; ++w) all += x.width[w].networks;
    cli_progress_begin(c, "networks", all * n_acts * (kinds[0] + kinds[1]));
    for (ptrdiff_t a = 0; a < n_acts; ++a)
        for (int kind = 0; kind < 2; ++kind) {
            nth_activation act;
            CLI_TRY(nth_activation_parse(&act, acts[a]));
            if (kinds[kind]) CLI_TRY(family(&x, act, kind == 1));
        }
    CLI_TRY(drift_finish(&x.r));
done:
    drift_close(&x.r);
    for (ptrdiff_t w = 0; w < x.widths && x.train != NULL && x.test != NULL; ++w) free(x.train[w]), free(x.test[w]);
    free(x.width), free(x.train), free(x.test);
    return st;
}
