/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Kernels and regressions of nth kare (kare_family.h).
 *
 * A ridge is chosen by KARE or by leave-one-out, from the training set alone; the least error of the curve
 * is shown beside it and is optimistic, since the test set has chosen it. Where the kernel has seen the
 * labels both choices are optimistic about their own error, but remain free of the test set.
 */
#include "kare_family.h"
#include "nth/kare.h"
#include "nth/optimize.h"
#include "regress_fit.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const struct {
    const char *name, *path, *key;
} kind[CLI_KARE_FAMILIES] = { { "trained kernel", "/fits", "trained" },
                              { "kernel before training", "/fits_initial", "initial" },
                              { "kernel of infinite width", "/fits_infinite", "infinite_width" },
                              { "kernel after gradient flow", "/fits_after", "after_flow" },
                              { "kernel after training the network", "/fits_network", "after_network" } };

enum { RELU_STEPS = 400 };
static const double FLOW_RTOL = 1e-6; /* of a comparison */

/* ---- Regressions ----------------------------------------------------------------------------------- */

typedef struct fitting {
    const nth_data *d;
    nth_task        task;
    nth_mat         alpha, E, F; /* (n x c), (n x c), (k x c) */
} fitting;

static nth_status score(const fitting *w, nth_regress *r, nth_mat K_test, cli_kare_fit *f)
{
    nth_status   st = NTH_OK;
    const double entries = (double)w->E.rows * (double)w->E.cols;
    double       sum = 0.0;
    CLI_TRY(nth_regress_solve(w->alpha, NULL, r, nth_const(w->d->y)));
    CLI_TRY(nth_regress_loo(w->E, r, nth_const(w->alpha)));
    for (ptrdiff_t i = 0; i < w->E.rows * w->E.cols; ++i) sum += w->E.a[i] * w->E.a[i] / entries;
    f->loo = sum;
    if (K_test.a == NULL) goto done;
    CLI_TRY(nth_regress_predict(w->F, nth_const(K_test), nth_const(w->alpha), NULL));
    CLI_TRY(nth_score_mse(&f->mse, nth_const(w->F), nth_const(w->d->y_test)));
    if (w->task != NTH_TASK_REGRESSION) CLI_TRY(nth_score_accuracy(&f->accuracy, nth_const(w->F), nth_const(w->d->y_test)));
done:
    return st;
}

/* All ridges of one kernel from its eigenvalues; those at which it is too close to singular have no KARE and no errors. */
static nth_status make_fits(cli *c, cli_kare_family *a, const nth_data *d, nth_task task)
{
    nth_status      st = NTH_OK;
    const nth_reals grid = c->cfg->alpha;
    const ptrdiff_t n = d->x.rows, cols = d->y.cols;
    nth_regress    *r = NULL;
    fitting         w = { .d = d, .task = task };
    double          trace = 0.0, *z = NULL;
    ptrdiff_t       made = 0; /* fits, of the largest ridges */
    CLI_TRY(cli_matrix(c, &w.alpha, n, cols, "coefficients"));
    CLI_TRY(cli_matrix(c, &w.E, n, cols, "residuals"));
    CLI_TRY(cli_matrix(c, &w.F, d->x_test.rows, cols, "predictions"));
    CLI_TRY(cli_doubles(c, &z, 2.0 * (double)grid.n, "ridges"));
    for (ptrdiff_t i = 0; i < n; ++i) trace += a->K.train.a[i * a->K.train.ld + i];
    for (ptrdiff_t i = 0; i < grid.n; ++i) z[i] = grid.v[i] * trace / ((double)n * (double)n);
    a->fit = calloc((size_t)grid.n, sizeof *a->fit);
    if (a->fit == NULL) CLI_TRY(cli_fail(c, NTH_E_NOMEM, "out of memory"));
    for (ptrdiff_t i = 0; i < grid.n; ++i) a->fit[i] = (cli_kare_fit){ .alpha = grid.v[i], .z = z[i], .kare = NAN, .loo = NAN };
    for (ptrdiff_t i = grid.n - 1; i >= 0; --i, ++made) { /* the largest ridge can be had if any can */
        const double ridge = (double)n * z[i];
        st = r != NULL ? nth_regress_set_ridge(r, ridge)
                       : nth_regress_create(&r, nth_const(a->K.train), &(nth_regress_options){ NTH_REGRESS_EIGEN, ridge, false });
        if (r != NULL && (st == NTH_E_NUMERIC || nth_regress_get_info(r).negative > 0)) break; /* smaller ones are singular, too */
        if (st == NTH_OK) st = score(&w, r, a->K.test, &a->fit[i]);
        if (st != NTH_OK) goto done;
    }
    CLI_TRY(nth_kare_spectral(z + grid.n, z + grid.n - made, made, nth_regress_spectral(r), nth_const(d->y)));
    for (ptrdiff_t i = 0; i < made; ++i) a->fit[grid.n - made + i].kare = z[grid.n + i];
done:
    nth_regress_destroy(&r);
    free(w.alpha.a), free(w.E.a), free(w.F.a), free(z);
    return st;
}

/* ---- Kernels --------------------------------------------------------------------------------------- */

static bool stop(void *ctx)
{
    (void)ctx;
    return cli_interrupted();
}

/* Test error of a network's outputs f (k x c). */
static nth_status score_network(cli_kare_family *a, const cli_problem *p, const double *f, nth_task task)
{
    nth_status     st = NTH_OK;
    const nth_cmat Y = nth_const(p->data->y_test), F = nth_cmat_of(f, p->k, Y.cols);
    if (p->k == 0) return NTH_OK;
    CLI_TRY(nth_score_mse(&a->mse, F, Y));
    if (task != NTH_TASK_REGRESSION) CLI_TRY(nth_score_accuracy(&a->accuracy, F, Y));
done:
    return st;
}

static nth_status mean_square(double *mse, const double *f, const cli_problem *p)
{
    nth_score        s = { 0 };
    const nth_status st = nth_score_mse(&s, nth_cmat_of(f, p->n, p->data->y.cols), nth_const(p->data->y));
    *mse = s.value;
    return st;
}

/* The network trained by gradient flow (E6): its errors and its kernel. */
static nth_status after_flow(cli *c, cli_kare_family *a, const cli_problem *p, nth_task task)
{
    nth_status       st = NTH_OK;
    const bool       smooth = nth_activation_is_smooth(p->net->cfg.activation);
    nth_flow_options opt = { .stepper = smooth ? NTH_STEPPER_COLLOCATION : NTH_STEPPER_RKCK, .rtol = FLOW_RTOL,
                             .fixed_steps = smooth ? 0 : RELU_STEPS, .interrupted = stop };
    nth_flow        *flow = NULL;
    double          *f = NULL;
    CLI_TRY(cli_memory_check(c, nth_flow_work_bytes(&p->net->cfg, p->n, p->k, &opt), "gradient flow"));
    CLI_TRY(cli_doubles(c, &f, (double)(p->n + p->k), "outputs"));
    CLI_TRY(nth_flow_create(&flow, p->net, p->X, p->X_test, p->data->y.a, &opt));
    CLI_TRY(nth_flow_advance(flow, c->cfg->flow_time));
    CLI_TRY(nth_flow_outputs(flow, f));
    CLI_TRY(mean_square(&a->loss, f, p));
    CLI_TRY(score_network(a, p, f + p->n, task));
    CLI_TRY(nth_ntk_flow(&a->K, flow));
done:
    nth_flow_destroy(&flow);
    free(f);
    return st;
}

/* The network trained on the mean square error by full steps (E111): the learning rate makes up for the 1/2 there, and for the sum
 * over columns. */
static nth_status after_steps(cli *c, cli_kare_family *a, const cli_problem *p, nth_outputs outputs, nth_task task)
{
    nth_status           st = NTH_OK;
    const ptrdiff_t      steps = (ptrdiff_t)c->cfg->net_steps, cols = p->data->y.cols;
    nth_optimize_options opt = { .rule = nth_optimizer_defaults(NTH_OPTIMIZER_SGD), .batch = p->n, .interrupted = stop };
    nth_optimize        *o = NULL;
    nth_net             *net = NULL;
    double              *f = NULL;
    opt.rule.learning_rate = 2.0 * c->cfg->net_learning_rate / (double)cols;
    CLI_TRY(cli_memory_check(c, nth_optimize_work_bytes(&p->net->cfg, p->n, &opt), "training of the network"));
    CLI_TRY(cli_doubles(c, &f, (double)(p->n + p->k) * (double)cols, "outputs"));
    CLI_TRY(nth_optimize_create(&o, p->net, p->X, p->data->y.a, &opt));
    cli_progress_begin(c, "steps of the network", steps);
    for (ptrdiff_t s = 0; s < steps && st == NTH_OK; ++s) {
        cli_progress_update(c, s);
        st = nth_optimize_epoch(o, NULL);
    }
    cli_progress_end(c);
    if (st == NTH_E_NUMERIC)
        CLI_TRY(cli_fail(c, st, "training the network by --net-learning-rate %g: %s", c->cfg->net_learning_rate, nth_last_error().message));
    if (st != NTH_OK) goto done;
    CLI_TRY(nth_optimize_outputs(o, p->X, f));
    CLI_TRY(mean_square(&a->loss, f, p));
    if (p->k > 0) CLI_TRY(nth_optimize_outputs(o, p->X_test, f + p->n * cols));
    CLI_TRY(score_network(a, p, f + p->n * cols, task));
    CLI_TRY(nth_optimize_net(o, &net));
    nth_optimize_destroy(&o);
    CLI_TRY(nth_ntk_outputs(&a->K, net, outputs, p->X, p->X_test));
done:
    nth_net_destroy(&net);
    nth_optimize_destroy(&o);
    free(f);
    return st;
}

static bool is_standard(const cli_problem *p) { return p->net->cfg.parameterization == NTH_PARAMETERIZATION_STANDARD; }

/* Of standard parameterization there is no limit: that of NTK parameterization with the variances which the first layer has (E110). */
static nth_status infinite_width(nth_blocks *K, const cli_problem *p, nth_outputs outputs)
{
    nth_net_config cfg = p->net->cfg;
    const double   times = outputs == NTH_OUTPUTS_SUM ? (double)cfg.widths[cfg.layers] : 1.0; /* (E114), (E115) */
    if (is_standard(p)) {
        cfg.parameterization = NTH_PARAMETERIZATION_NTK, cfg.input_scale = NTH_INPUT_FAN_IN, cfg.output_scale = 0.0;
        cfg.sigma_w = sqrt(1.0 / 3.0);
        cfg.sigma_b = cfg.sigma_b > 0.0 ? sqrt(1.0 / (3.0 * (double)cfg.widths[0])) : 0.0;
    }
    const nth_status st = nth_ntk_infinite(K, &cfg, p->X, p->X_test);
    for (ptrdiff_t i = 0; st == NTH_OK && i < p->n * p->n; ++i) K->train.a[i] *= times;
    for (ptrdiff_t i = 0; st == NTH_OK && i < p->k * p->n; ++i) K->test.a[i] *= times;
    return st;
}

nth_status cli_kare_family_make(cli *c, cli_kare_family *a, int which, const cli_problem *p, nth_outputs outputs,
                                nth_task task)
{
    nth_status st = NTH_OK;
    CLI_TRY(cli_blocks_create(c, &a->K, p->n, p->k, false));
    CLI_TRY(which == CLI_KARE_INFINITE  ? infinite_width(&a->K, p, outputs)
            : which == CLI_KARE_FLOW    ? after_flow(c, a, p, task)
            : which == CLI_KARE_NETWORK ? after_steps(c, a, p, outputs, task)
                                        : nth_ntk_outputs(&a->K, p->net, outputs, p->X, p->X_test));
    st = make_fits(c, a, p->data, task);
    if (st == NTH_E_NUMERIC) (void)cli_fail(c, st, "regressions with the %s: %s", kind[which].name, nth_last_error().message);
    if (st != NTH_OK) goto done;
    a->counterpart = which == CLI_KARE_INFINITE && is_standard(p);
done:
    if (which != CLI_KARE_TRAINED) cli_blocks_free(&a->K);
    return st;
}

void cli_kare_family_free(cli_kare_family *a)
{
    cli_blocks_free(&a->K);
    free(a->fit);
}

nth_status cli_kare_mean_predictor(cli *c, nth_score *mse, const cli_problem *p)
{
    nth_status    st = NTH_OK;
    const nth_mat Y = p->data->y;
    nth_mat       F = { 0 };
    CLI_TRY(cli_matrix(c, &F, p->k, Y.cols, "predictions"));
    for (ptrdiff_t j = 0; j < Y.cols; ++j) {
        double mean = 0.0;
        for (ptrdiff_t i = 0; i < p->n; ++i) mean += Y.a[i * Y.ld + j] / (double)p->n;
        for (ptrdiff_t i = 0; i < p->k; ++i) F.a[i * F.ld + j] = mean;
    }
    st = nth_score_mse(mse, nth_const(F), nth_const(p->data->y_test));
done:
    free(F.a);
    return st;
}

/* ---- What is said ---------------------------------------------------------------------------------- */

static double kare_of(const cli_kare_fit *x) { return x->kare; }
static double loo_of(const cli_kare_fit *x) { return x->loo; }
static double mse_of(const cli_kare_fit *x) { return x->mse.count > 0 ? x->mse.value : (double)NAN; }

static const struct {
    const char *key, *text;
    double (*value)(const cli_kare_fit *);
} criterion[] = { { "kare", "by KARE", kare_of },
                  { "loo", "by leave-one-out", loo_of },
                  { "least", "least of the curve (optimistic, the test set chose it)", mse_of } };

/* The fit with the least value, of equal ones that with the largest ridge; NULL if there is none. */
static const cli_kare_fit *choose(const cli_kare_fit *fit, ptrdiff_t count, double (*value)(const cli_kare_fit *))
{
    const cli_kare_fit *best = NULL;
    for (ptrdiff_t i = count - 1; i >= 0; --i)
        if (!isnan(value(&fit[i])) && (best == NULL || value(&fit[i]) < value(best))) best = &fit[i];
    return best;
}

static void put_fit(nth_json *o, const cli_kare_fit *x)
{
    nth_json_set_double(o, "alpha", x->alpha);
    nth_json_set_double(o, "z", x->z);
    if (!isnan(x->kare)) nth_json_set_double(o, "kare", x->kare);
    if (!isnan(x->loo)) nth_json_set_double(o, "loo", x->loo);
    if (x->mse.count > 0) nth_json_set_double(o, "mse", x->mse.value);
    if (x->mse.count > 0) nth_json_set_double(o, "standard_error", x->mse.standard_error);
    if (x->accuracy.count > 0) nth_json_set_double(o, "accuracy", x->accuracy.value);
}

static void report_choices(cli *c, const cli_kare_family *a, int which, bool test, nth_json *chosen)
{
    nth_json *all = nth_json_object();
    for (size_t i = 0; i < sizeof criterion / sizeof *criterion; ++i) {
        const cli_kare_fit *x = choose(a->fit, c->cfg->alpha.n, criterion[i].value);
        nth_json           *o;
        if (x == NULL) continue;
        o = nth_json_object();
        put_fit(o, x);
        nth_json_set(all, criterion[i].key, o);
        cli_say(c, "%s: alpha %.4g", criterion[i].text, x->alpha);
        if (test) cli_say(c, ", test mse %.6g", x->mse.value);
        if (x->accuracy.count > 0) cli_say(c, ", accuracy %.4f", x->accuracy.value);
        cli_say(c, "\n");
    }
    nth_json_set(chosen, kind[which].key, all);
}

static void report_network(cli *c, const cli_kare_family *a, int which)
{
    const char *prefix = which == CLI_KARE_FLOW ? "flow" : "network";
    char        key[32];
    if (which == CLI_KARE_FLOW) cli_say(c, "the network itself after gradient flow to time %g: ", c->cfg->flow_time);
    else cli_say(c, "the network itself after %lld steps: ", (long long)c->cfg->net_steps);
    if (a->mse.count > 0) cli_say(c, "test mse %.6g +- %.2g", a->mse.value, a->mse.standard_error);
    if (a->accuracy.count > 0) cli_say(c, ", accuracy %.4f", a->accuracy.value);
    cli_say(c, "%straining mse %.4g\n", a->mse.count > 0 ? "; " : "", a->loss);
    snprintf(key, sizeof key, "%s_training_mse", prefix);
    nth_json_set_double(c->json, key, a->loss);
    snprintf(key, sizeof key, "%s_mse", prefix);
    if (a->mse.count > 0) nth_json_set_double(c->json, key, a->mse.value);
    snprintf(key, sizeof key, "%s_accuracy", prefix);
    if (a->accuracy.count > 0) nth_json_set_double(c->json, key, a->accuracy.value);
}

void cli_kare_family_report(cli *c, const cli_kare_family *a, int which, bool test, nth_json *fits, nth_json *chosen)
{
    nth_json *rows;
    if (a->fit == NULL) return;
    rows = nth_json_array();
    cli_say(c, "\nridge regression with the %s%s\n%10s %14s %14s %14s", kind[which].name,
            a->counterpart ? " of the network in NTK parameterization (sigma_w^2 = 1/3, sigma_b^2 = 1/(3 d))" : "", "alpha", "z", "KARE",
            "leave-one-out");
    if (test) cli_say(c, " %14s%s", "test mse", a->fit[c->cfg->alpha.n - 1].accuracy.count > 0 ? "   accuracy" : "");
    cli_say(c, "\n");
    for (ptrdiff_t i = 0; i < c->cfg->alpha.n; ++i) {
        const cli_kare_fit *x = &a->fit[i];
        nth_json           *o = nth_json_object();
        cli_say(c, "%10.4g %14.6g", x->alpha, x->z);
        if (isnan(x->loo)) cli_say(c, " %14s", "singular");
        else cli_say(c, " %14.6g %14.6g", x->kare, x->loo);
        if (x->mse.count > 0) cli_say(c, " %14.6g", x->mse.value);
        if (x->accuracy.count > 0) cli_say(c, " %10.4f", x->accuracy.value);
        cli_say(c, "\n");
        put_fit(o, x);
        nth_json_append(rows, o);
    }
    nth_json_set(fits, kind[which].key, rows);
    report_choices(c, a, which, test, chosen);
    if (which == CLI_KARE_FLOW || which == CLI_KARE_NETWORK) report_network(c, a, which);
}

nth_status cli_kare_family_write(cli *c, const cli_kare_family *a, int which, nth_file *f)
{
    nth_status      st = NTH_OK;
    const ptrdiff_t shape[2] = { c->cfg->alpha.n, 6 };
    double         *row = NULL;
    if (a->fit == NULL) return NTH_OK;
    CLI_TRY(cli_doubles(c, &row, 6.0 * (double)shape[0], "fits"));
    for (ptrdiff_t i = 0; i < shape[0]; ++i) {
        const cli_kare_fit *x = &a->fit[i];
        const double        v[6] = { x->alpha, x->z, x->kare, mse_of(x), x->accuracy.count > 0 ? x->accuracy.value : (double)NAN, x->loo };
        memcpy(row + 6 * i, v, sizeof v);
    }
    CLI_TRY(nth_file_write(f, kind[which].path, row, 2, shape));
done:
    free(row);
    return st;
}
