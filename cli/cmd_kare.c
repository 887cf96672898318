/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * nth kare: the kernel alignment risk estimator (E93-E98). Two ways of asking:
 *
 *     --gram K.h5 [--evaluate]           KARE of a kernel and labels at --lambda
 *     --net N.h5, or --widths ..         train the network by KARE, then ridge regression with its kernel
 *
 * Beside the trained kernel's regressions stand those of the kernel before training, of infinite width and, with
 * --flow-time, of the network trained by gradient flow on the square loss. KARE is
 * optimistic after training on the same labels: the curve has the test risk beside it.
 */
#include "commands.h"
#include "nth/kare.h"
#include "regress_fit.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef struct fit {
    double    alpha, z, kare; /* z = alpha tr(K)/n^2 */
    nth_score mse, accuracy;  /* count 0: none, or the kernel was refused */
} fit;

/* The regressions with one kernel. */
typedef struct family {
    nth_blocks  K;
    fit        *fit;  /* one for each alpha; NULL: not made */
} family;

enum { TRAINED, INITIAL, INFINITE, AFTER, FAMILIES };
static const char *const kernel_name[FAMILIES] = { "trained kernel", "kernel before training", "kernel of infinite width",
                                                   "kernel after gradient flow" };
static const char *const fits_path[FAMILIES] = { "/fits", "/fits_initial", "/fits_infinite", "/fits_after" };
static const char *const fits_key[FAMILIES] = { "trained", "initial", "infinite_width", "after_flow" };

enum { RELU_STEPS = 400 };
static const double FLOW_RTOL = 1e-6; /* of a comparison */

typedef struct job {
    cli_problem      p;
    nth_kare_options opt;
    nth_kare_curve   curve;
    nth_task         task;
    family           family[FAMILIES];
    nth_score        network; /* test error of the network after gradient flow; count 0: none */
} job;

/* ---- Options -------------------------------------------------------------------------------------- */

static nth_status check_options(cli *c)
{
    static const char *const of_training[] = { "net", "widths", "steps", "learning-rate", "batch", "every", "alpha", "flow-time", "out" };
    static const char *const of_drawing[] = { "widths", "activation", "init", "sigma-w", "sigma-b", "input-scale" };
    const nth_config        *cfg = c->cfg;
    if (cfg->evaluate && cfg->gram == NULL) return cli_fail(c, NTH_E_ARG, "--evaluate needs --gram FILE");
    for (size_t i = 0; cfg->gram != NULL && i < sizeof of_training / sizeof *of_training; ++i)
        if (nth_config_given(cfg, of_training[i]))
            return cli_fail(c, NTH_E_ARG, "--%s does not go with --gram; that kernel is evaluated as it is", of_training[i]);
    if (cfg->gram != NULL) return NTH_OK;
    if (cfg->net == NULL && cfg->layer_widths.n == 0)
        return cli_fail(c, NTH_E_ARG, "--net FILE or --widths WIDTH,.. is missing: the network to train (--gram FILE evaluates a kernel)");
    for (size_t i = 0; cfg->net != NULL && i < sizeof of_drawing / sizeof *of_drawing; ++i)
        if (nth_config_given(cfg, of_drawing[i]))
            return cli_fail(c, NTH_E_ARG, "--%s does not go with --net; the network file says it", of_drawing[i]);
    for (ptrdiff_t i = 1; i < cfg->alpha.n; ++i)
        if (!(cfg->alpha.v[i] > cfg->alpha.v[i - 1]))
            return cli_fail(c, NTH_E_ARG, "--alpha: %.17g does not come after %.17g; ascending ridges are expected",
                            cfg->alpha.v[i], cfg->alpha.v[i - 1]);
    return NTH_OK;
}

/* Labels that classify get an accuracy, too. */
static nth_task find_task(const nth_data *d)
{
    const nth_task labels = d->y.cols == 1 ? NTH_TASK_BINARY : NTH_TASK_MULTICLASS;
    const bool     classes = nth_targets_check(nth_const(d->y), labels, true) == NTH_OK &&
                         (d->y_test.rows == 0 || nth_targets_check(nth_const(d->y_test), labels, false) == NTH_OK);
    return classes ? labels : NTH_TASK_REGRESSION;
}

/* ---- A kernel file -------------------------------------------------------------------------------- */

static nth_status evaluate(cli *c)
{
    nth_status    st = NTH_OK;
    cli_problem   p = { 0 };
    cli_gram      g = { 0 };
    nth_kare      k;
    const nth_mat none = { 0 };
    CLI_TRY(cli_problem_load(c, &p, false, false));
    CLI_TRY(cli_memory_check(c, 32.0 * (double)p.n * (double)p.n, "kernel and its inverse"));
    CLI_TRY(cli_gram_read(c, &g, "gram", c->cfg->gram, "/K", p.n, 0));
    st = nth_kare_evaluate(&k, none, none, none, nth_const(g.K.train), nth_const(p.data->y), c->cfg->lambda);
    if (st != NTH_OK) (void)cli_fail(c, st, "%s%s: %s", g.path, g.name, nth_last_error().message);
    if (st != NTH_OK) goto done;
    cli_say(c, "KARE %.12g at lambda %g, slope %.6g; kernel %s%s, %td samples, %td column%s of targets\n", k.kare, k.z,
            k.slope, g.path, g.name, p.n, p.data->y.cols, p.data->y.cols > 1 ? "s" : "");
    nth_json_set_double(c->json, "kare", k.kare);
    nth_json_set_double(c->json, "lambda", k.z);
    nth_json_set_double(c->json, "slope", k.slope);
    nth_json_set_double(c->json, "inverse_trace", k.D);
    nth_json_set_double(c->json, "signal", k.N);
    nth_json_set_int(c->json, "n", p.n);
    nth_json_set_int(c->json, "columns", p.data->y.cols);
done:
    cli_gram_free(&g);
    cli_problem_free(&p);
    return st;
}

/* ---- Regressions with a kernel --------------------------------------------------------------------- */

static nth_status score(const job *j, const nth_regress *r, nth_mat alpha, nth_mat F, nth_mat K_test, fit *f)
{
    nth_status      st = NTH_OK;
    const nth_data *d = j->p.data;
    CLI_TRY(nth_regress_solve(alpha, NULL, r, nth_const(d->y)));
    CLI_TRY(nth_regress_predict(F, nth_const(K_test), nth_const(alpha), NULL));
    CLI_TRY(nth_score_mse(&f->mse, nth_const(F), nth_const(d->y_test)));
    if (j->task != NTH_TASK_REGRESSION) CLI_TRY(nth_score_accuracy(&f->accuracy, nth_const(F), nth_const(d->y_test)));
done:
    return st;
}

/* All ridges of one kernel from its eigenvalues; a kernel too close to singular for a ridge is left out there. */
static nth_status make_fits(cli *c, job *j, family *a)
{
    nth_status        st = NTH_OK;
    const nth_reals   grid = c->cfg->alpha;
    const ptrdiff_t   n = j->p.n, k = j->p.k, cols = j->p.data->y.cols;
    nth_regress      *r = NULL;
    nth_mat           alpha = { 0 }, F = { 0 };
    double            trace = 0.0, *z = NULL;
    CLI_TRY(cli_matrix(c, &alpha, n, cols, "coefficients"));
    CLI_TRY(cli_matrix(c, &F, k, cols, "predictions"));
    CLI_TRY(cli_doubles(c, &z, 2.0 * (double)grid.n, "ridges"));
    for (ptrdiff_t i = 0; i < n; ++i) trace += a->K.train.a[i * a->K.train.ld + i];
    for (ptrdiff_t i = 0; i < grid.n; ++i) z[i] = grid.v[i] * trace / ((double)n * (double)n);
    CLI_TRY(nth_kare_grid(z + grid.n, z, grid.n, nth_const(a->K.train), nth_const(j->p.data->y)));
    a->fit = calloc((size_t)grid.n, sizeof *a->fit);
    if (a->fit == NULL) CLI_TRY(cli_fail(c, NTH_E_NOMEM, "out of memory"));
    for (ptrdiff_t i = grid.n - 1; i >= 0; --i) { /* the largest ridge can be had if any can */
        const double ridge = (double)n * z[i];
        a->fit[i] = (fit){ .alpha = grid.v[i], .z = z[i], .kare = z[grid.n + i] };
        if (k == 0) continue;
        st = r != NULL ? nth_regress_set_ridge(r, ridge)
                       : nth_regress_create(&r, nth_const(a->K.train), &(nth_regress_options){ NTH_REGRESS_EIGEN, ridge, false });
        if (st == NTH_E_NUMERIC && r != NULL) continue;
        if (st == NTH_OK) st = score(j, r, alpha, F, a->K.test, &a->fit[i]);
        if (st != NTH_OK) goto done;
    }
    st = NTH_OK;
done:
    nth_regress_destroy(&r);
    free(alpha.a), free(F.a), free(z);
    return st;
}

static bool stop(void *ctx)
{
    (void)ctx;
    return cli_interrupted();
}

/* The network of the job trained by gradient flow (E6): its test error and its kernel. */
static nth_status flow_kernel(cli *c, job *j, nth_blocks *K)
{
    nth_status       st = NTH_OK;
    const nth_data  *d = j->p.data;
    const ptrdiff_t  n = j->p.n, k = j->p.k;
    const bool       smooth = nth_activation_is_smooth(j->p.net->cfg.activation);
    nth_flow_options opt = { .stepper = smooth ? NTH_STEPPER_COLLOCATION : NTH_STEPPER_RKCK, .rtol = FLOW_RTOL,
                             .fixed_steps = smooth ? 0 : RELU_STEPS, .interrupted = stop };
    nth_flow        *flow = NULL;
    double          *f = NULL;
    CLI_TRY(cli_memory_check(c, nth_flow_work_bytes(&j->p.net->cfg, n, k, &opt), "gradient flow"));
    CLI_TRY(cli_doubles(c, &f, (double)(n + k), "outputs"));
    CLI_TRY(nth_flow_create(&flow, j->p.net, j->p.X, j->p.X_test, d->y.a, &opt));
    CLI_TRY(nth_flow_advance(flow, c->cfg->flow_time));
    CLI_TRY(nth_flow_outputs(flow, f));
    if (k > 0) CLI_TRY(nth_score_mse(&j->network, nth_cmat_of(f + n, k, 1), nth_const(d->y_test)));
    CLI_TRY(nth_ntk_flow(K, flow));
done:
    nth_flow_destroy(&flow);
    free(f);
    return st;
}

/* One kernel, at this stage of the run, and its regressions. */
static nth_status make_family(cli *c, job *j, int which)
{
    nth_status st = NTH_OK;
    family    *a = &j->family[which];
    CLI_TRY(cli_blocks_create(c, &a->K, j->p.n, j->p.k, false));
    CLI_TRY(which == INFINITE ? nth_ntk_infinite(&a->K, &j->p.net->cfg, j->p.X, j->p.X_test)
            : which == AFTER  ? flow_kernel(c, j, &a->K)
                              : nth_ntk_empirical(&a->K, j->p.net, j->p.X, j->p.X_test));
    CLI_TRY(make_fits(c, j, a));
done:
    if (which != TRAINED) cli_blocks_free(&a->K);
    return st;
}

/* ---- Training -------------------------------------------------------------------------------------- */

static bool watch(void *ctx, ptrdiff_t step)
{
    cli_progress_update(ctx, step);
    return cli_interrupted();
}

static nth_status prepare(cli *c, job *j)
{
    nth_status        st = NTH_OK;
    const nth_config *cfg = c->cfg;
    char              number[24];
    CLI_TRY(cli_problem_load(c, &j->p, cfg->net != NULL, false));
    if (cfg->net == NULL) CLI_TRY(cli_draw_net(c, &j->p.net));
    if (j->p.X.cols != j->p.net->cfg.widths[0])
        return cli_fail(c, NTH_E_ARG, "--widths: the first is %td, %s has inputs of dimension %td", j->p.net->cfg.widths[0],
                        cfg->data, j->p.X.cols);
    if (nth_config_given(cfg, "flow-time") && j->p.data->y.cols != 1)
        return cli_fail(c, NTH_E_ARG, "--flow-time needs one column of targets for the network's output, %s has %td", cfg->data,
                        j->p.data->y.cols);
    snprintf(number, sizeof number, "%lld", (long long)(cfg->kare_steps + 9) / 10 + (cfg->kare_steps == 0));
    CLI_TRY(nth_config_suggest(c->cfg, "every", number));
    j->task = find_task(j->p.data);
    j->opt = (nth_kare_options){ .z = cfg->lambda, .learning_rate = cfg->kare_learning_rate, .steps = (ptrdiff_t)cfg->kare_steps,
                                 .batch = (ptrdiff_t)cfg->kare_batch, .every = (ptrdiff_t)cfg->every, .seed = cfg->seed,
                                 .interrupted = watch, .ctx = c };
    if (j->opt.batch == 1 || j->opt.batch > j->p.n)
        return cli_fail(c, NTH_E_ARG, "--batch: %td; 2 to %td samples are expected, or 0 for all", j->opt.batch, j->p.n);
    const double n = (double)j->p.n, k = (double)j->p.k;
    CLI_TRY(cli_memory_check(c, nth_kare_work_bytes(&j->p.net->cfg, j->p.n, j->p.k, j->p.data->y.cols, &j->opt) +
                                    8.0 * n * (6.0 * n + 2.0 * k), "training"));
    j->curve.point = calloc((size_t)nth_kare_points(&j->opt), sizeof *j->curve.point);
    if (j->curve.point == NULL) st = cli_fail(c, NTH_E_NOMEM, "out of memory");
done:
    return st;
}

/* Curve and network as they are; the kernel and its regressions if they were made. */
static nth_status save(cli *c, job *j, nth_file *f)
{
    nth_status      st = NTH_OK;
    const ptrdiff_t points = j->curve.points, fits = c->cfg->alpha.n;
    double         *column = NULL;
    CLI_TRY(cli_doubles(c, &column, 3.0 * (double)points + 5.0 * (double)fits, "curve"));
    for (ptrdiff_t i = 0; i < points; ++i) {
        column[i] = (double)j->curve.point[i].step;
        column[points + i] = j->curve.point[i].kare;
        column[2 * points + i] = j->curve.point[i].test_risk;
    }
    CLI_TRY(nth_file_write(f, "/step", column, 1, &points));
    CLI_TRY(nth_file_write(f, "/kare", column + points, 1, &points));
    if (j->p.k > 0) CLI_TRY(nth_file_write(f, "/test_risk", column + 2 * points, 1, &points));
    CLI_TRY(nth_net_write(j->p.net, f, "/net"));
    for (int a = 0; a < FAMILIES; ++a) {
        if (j->family[a].fit == NULL) continue;
        for (ptrdiff_t i = 0; i < fits; ++i) {
            const fit   *x = &j->family[a].fit[i];
            const double row[5] = { x->alpha, x->z, x->kare, x->mse.count > 0 ? x->mse.value : (double)NAN,
                                    x->accuracy.count > 0 ? x->accuracy.value : (double)NAN };
            memcpy(column + 3 * points + 5 * i, row, sizeof row);
        }
        CLI_TRY(nth_file_write(f, fits_path[a], column + 3 * points, 2, (const ptrdiff_t[]){ fits, 5 }));
    }
    if (j->family[TRAINED].K.train.a != NULL) CLI_TRY(cli_blocks_write(f, "K", &j->family[TRAINED].K));
    CLI_TRY(nth_file_flush(f));
done:
    free(column);
    return st;
}

/* ---- What is said ---------------------------------------------------------------------------------- */

static void report_curve(cli *c, const job *j)
{
    nth_json *rows = nth_json_array();
    cli_say(c, "%10s %14s", "step", "KARE");
    cli_say(c, j->p.k > 0 ? " %14s %14s\n" : "\n", "test risk", "gap");
    for (ptrdiff_t i = 0; i < j->curve.points; ++i) {
        const nth_kare_point *p = &j->curve.point[i];
        nth_json             *o = nth_json_object();
        cli_say(c, "%10td %14.6g", p->step, p->kare);
        if (j->p.k > 0) cli_say(c, " %14.6g %14.6g", p->test_risk, p->kare - p->test_risk);
        cli_say(c, "\n");
        nth_json_set_int(o, "step", p->step);
        nth_json_set_double(o, "kare", p->kare);
        if (j->p.k > 0) nth_json_set_double(o, "test_risk", p->test_risk);
        nth_json_append(rows, o);
    }
    const nth_kare_point *last = &j->curve.point[j->curve.points - 1];
    nth_json_set(c->json, "curve", rows);
    nth_json_set_double(c->json, "kare", last->kare);
    nth_json_set_int(c->json, "steps", j->curve.steps);
    if (j->p.k == 0) return;
    nth_json_set_double(c->json, "test_risk", last->test_risk);
    nth_json_set_double(c->json, "gap", last->kare - last->test_risk);
    cli_say(c, "KARE after training on the same labels is optimistic: gap = KARE - test risk, both at ridge lambda\n");
}

static void report_fits(cli *c, const job *j, const family *a, nth_json *all)
{
    const bool classes = j->task != NTH_TASK_REGRESSION;
    nth_json  *rows = nth_json_array();
    if (a->fit == NULL) return;
    cli_say(c, "\nridge regression with the %s\n%10s %14s %14s", kernel_name[a - j->family], "alpha", "z", "KARE");
    if (j->p.k > 0) cli_say(c, " %14s%s", "test mse", classes ? "   accuracy" : "");
    cli_say(c, "\n");
    for (ptrdiff_t i = 0; i < c->cfg->alpha.n; ++i) {
        const fit *x = &a->fit[i];
        nth_json  *o = nth_json_object();
        cli_say(c, "%10.4g %14.6g %14.6g", x->alpha, x->z, x->kare);
        nth_json_set_double(o, "alpha", x->alpha);
        nth_json_set_double(o, "z", x->z);
        nth_json_set_double(o, "kare", x->kare);
        if (x->mse.count > 0) {
            cli_say(c, " %14.6g", x->mse.value);
            nth_json_set_double(o, "mse", x->mse.value);
            nth_json_set_double(o, "standard_error", x->mse.standard_error);
        } else if (j->p.k > 0) {
            cli_say(c, " %14s", "singular");
        }
        if (x->accuracy.count > 0) cli_say(c, " %10.4f", x->accuracy.value);
        if (x->accuracy.count > 0) nth_json_set_double(o, "accuracy", x->accuracy.value);
        cli_say(c, "\n");
        nth_json_append(rows, o);
    }
    nth_json_set(all, fits_key[a - j->family], rows);
    if (a != &j->family[AFTER] || j->network.count == 0) return;
    cli_say(c, "the network itself after gradient flow to time %g: test mse %.6g +- %.2g\n", c->cfg->flow_time,
            j->network.value, j->network.standard_error);
    nth_json_set_double(c->json, "flow_mse", j->network.value);
}

/* Keeps the message of the failure while the last good step is saved. */
static void salvage(cli *c, job *j, nth_file *f, nth_status st)
{
    char why[sizeof c->message];
    snprintf(why, sizeof why, "%s", c->message[0] != '\0'        ? c->message
                                    : st == NTH_E_INTERRUPTED ? "interrupted"
                                                              : nth_last_error().message);
    if (j->curve.points == 0) {
        (void)cli_fail(c, st, "%s", why);
        return;
    }
    const nth_kare_point *last = &j->curve.point[j->curve.points - 1];
    const bool            kept = f != NULL && save(c, j, f) == NTH_OK;
    (void)cli_fail(c, st, "%s (last good step %td; KARE %.6g at step %td%s%s%s)", why, j->curve.steps, last->kare, last->step,
                   kept ? "; network and curve are in " : "", kept ? c->cfg->out : "", kept ? ".partial" : "");
}

static nth_status train(cli *c, job *j, nth_file *f)
{
    nth_status      st = NTH_OK;
    const nth_data *d = j->p.data;
    CLI_TRY(make_family(c, j, INITIAL));
    CLI_TRY(make_family(c, j, INFINITE));
    if (nth_config_given(c->cfg, "flow-time")) CLI_TRY(make_family(c, j, AFTER));
    cli_progress_begin(c, "steps", j->opt.steps);
    st = nth_kare_train(&j->curve, j->p.net, j->p.X, nth_const(d->y), j->p.X_test, nth_const(d->y_test), &j->opt);
    cli_progress_end(c);
    if (st == NTH_OK) st = make_family(c, j, TRAINED);
    if (st != NTH_OK) salvage(c, j, f, st);
done:
    return st;
}

nth_status cmd_kare(cli *c)
{
    nth_status st = NTH_OK;
    nth_file  *f = NULL;
    nth_json  *fits = NULL;
    job        j = { 0 };
    CLI_TRY(check_options(c));
    if (c->cfg->gram != NULL) return evaluate(c);
    CLI_TRY(prepare(c, &j));
    if (c->cfg->out != NULL) CLI_TRY(cli_create(c, &f));
    CLI_TRY(train(c, &j, f));
    if (f != NULL) CLI_TRY(save(c, &j, f));
    if (f != NULL) CLI_TRY(nth_file_commit(&f));
    report_curve(c, &j);
    fits = nth_json_object();
    for (int a = 0; a < FAMILIES; ++a) report_fits(c, &j, &j.family[a], fits);
    nth_json_set_double(c->json, "lambda", j.opt.z);
    nth_json_set(c->json, "fits", fits);
    if (c->cfg->out != NULL) cli_say(c, "written to %s\n", c->cfg->out);
    if (c->cfg->out != NULL) nth_json_set_string(c->json, "out", c->cfg->out);
done:
    if (j.curve.points > 0) nth_file_close(&f); /* the last good step stays in OUT.partial */
    cli_discard(c, &f);
    for (int a = 0; a < FAMILIES; ++a) cli_blocks_free(&j.family[a].K), free(j.family[a].fit);
    free(j.curve.point);
    cli_problem_free(&j.p);
    return st;
}
