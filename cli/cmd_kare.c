/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * nth kare: the kernel alignment risk estimator (E93-E98). Two ways of asking:
 *
 *     --gram K.h5 [--evaluate]           KARE of a kernel and labels at --lambda
 *     --net N.h5, or --widths ..         train the network by KARE, then ridge regression with its kernel
 *
 * Beside the trained kernel's regressions stand those of the kernel before training, of infinite width and, with
 * --flow-time or --net-steps, of the same network trained on the square loss (kare_family.c). KARE is
 * optimistic after training on the same labels: the curve has the test risk beside it.
 */
#include "commands.h"
#include "gram.h"
#include "kare_family.h"
#include "nth/kare.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef struct job {
    cli_problem      p;
    nth_kare_options opt;
    nth_kare_curve   curve;
    nth_task         task;
    ptrdiff_t        outputs; /* of the network */
    cli_kare_family  family[CLI_KARE_FAMILIES];
    nth_score        mean; /* test error of the mean target; count 0: none */
} job;

/* ---- Options -------------------------------------------------------------------------------------- */

static nth_status refuse(cli *c, const char *const *option, size_t count, const char *other, const char *why)
{
    for (size_t i = 0; i < count; ++i)
        if (nth_config_given(c->cfg, option[i])) return cli_fail(c, NTH_E_ARG, "--%s does not go with --%s; %s", option[i], other, why);
    return NTH_OK;
}

static nth_status check_options(cli *c)
{
    static const char *const of_training[] = { "net", "steps", "learning-rate", "batch", "every", "alpha", "flow-time", "optimizer", "net-steps", "outputs", "out" };
    static const char *const of_drawing[] = { "widths", "activation", "init", "sigma-w", "sigma-b", "input-scale",
                                              "parameterization", "output-scale" };
    const nth_config        *cfg = c->cfg;
    nth_status               st = NTH_OK;
    if (cfg->evaluate && cfg->gram == NULL) return cli_fail(c, NTH_E_ARG, "--evaluate needs --gram FILE");
    if (cfg->gram != NULL) {
        static const char as_it_is[] = "that kernel is evaluated as it is";
        CLI_TRY(refuse(c, of_training, sizeof of_training / sizeof *of_training, "gram", as_it_is));
        CLI_TRY(refuse(c, of_drawing, sizeof of_drawing / sizeof *of_drawing, "gram", as_it_is));
    }
    if (nth_config_given(cfg, "net-learning-rate") && !nth_config_given(cfg, "net-steps"))
        return cli_fail(c, NTH_E_ARG, "--net-learning-rate goes with --net-steps N, the training of the network itself");
    if (cfg->gram != NULL) return NTH_OK;
    if (cfg->net == NULL && cfg->layer_widths.n == 0)
        return cli_fail(c, NTH_E_ARG, "--net FILE or --widths WIDTH,.. is missing: the network to train (--gram FILE evaluates a kernel)");
    if (cfg->net != NULL) CLI_TRY(refuse(c, of_drawing, sizeof of_drawing / sizeof *of_drawing, "net", "the network file says it"));
    for (ptrdiff_t i = 1; i < cfg->alpha.n; ++i)
        if (!(cfg->alpha.v[i] > cfg->alpha.v[i - 1]))
            return cli_fail(c, NTH_E_ARG, "--alpha: %g does not come after %g; ascending ridges are expected",
                            cfg->alpha.v[i], cfg->alpha.v[i - 1]);
done:
    return st;
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
    cli_progress_call(c, "inverse of the kernel");
    st = nth_kare_evaluate(&k, none, none, none, nth_const(g.K.train), nth_const(p.data->y), c->cfg->lambda);
    cli_progress_end(c);
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

/* ---- Training -------------------------------------------------------------------------------------- */

static bool watch(void *ctx, ptrdiff_t step)
{
    cli_progress_update(ctx, step);
    return cli_interrupted();
}

/* The network's outputs against the targets, where it is trained on them itself. */
static nth_status check_outputs(cli *c, job *j)
{
    const nth_config *cfg = c->cfg;
    const ptrdiff_t   columns = j->p.data->y.cols;
    j->outputs = j->p.net->cfg.widths[j->p.net->cfg.layers];
    if (nth_config_given(cfg, "flow-time") && columns != 1)
        return cli_fail(c, NTH_E_ARG, "--flow-time needs one column of targets for the network's output, %s has %td", cfg->data, columns);
    if (nth_config_given(cfg, "flow-time") && j->outputs != 1)
        return cli_fail(c, NTH_E_ARG, "--flow-time needs a network of one output, this one has %td", j->outputs);
    if (nth_config_given(cfg, "net-steps") && columns != j->outputs)
        return cli_fail(c, NTH_E_ARG, "--net-steps needs an output for each column of targets: the network has %td, %s has %td", j->outputs,
                        cfg->data, columns);
    return cli_outputs(c, &j->opt.outputs, j->p.net);
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
    CLI_TRY(check_outputs(c, j));
    snprintf(number, sizeof number, "%lld", (long long)(cfg->kare_steps + 9) / 10 + (cfg->kare_steps == 0));
    CLI_TRY(nth_config_suggest(c->cfg, "every", number));
    j->task = find_task(j->p.data);
    const nth_optimizer_kind rule = strcmp(cfg->kare_optimizer, "adam") == 0 ? NTH_OPTIMIZER_ADAM : NTH_OPTIMIZER_SGD;
    CLI_TRY(nth_config_suggest(c->cfg, "learning-rate", rule == NTH_OPTIMIZER_ADAM ? "1e-2" : "100"));
    j->opt = (nth_kare_options){ .outputs = j->opt.outputs, .z = cfg->lambda, .rule = nth_optimizer_defaults(rule), .steps = (ptrdiff_t)cfg->kare_steps,
                                 .batch = (ptrdiff_t)cfg->kare_batch, .every = (ptrdiff_t)cfg->every, .seed = cfg->seed,
                                 .interrupted = watch, .ctx = c };
    j->opt.rule.learning_rate = cfg->kare_learning_rate;
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
    const ptrdiff_t points = j->curve.points;
    double         *column = NULL;
    CLI_TRY(cli_doubles(c, &column, 3.0 * (double)points, "curve"));
    for (ptrdiff_t i = 0; i < points; ++i) {
        column[i] = (double)j->curve.point[i].step;
        column[points + i] = j->curve.point[i].kare;
        column[2 * points + i] = j->curve.point[i].test_risk;
    }
    CLI_TRY(nth_file_write(f, "/step", column, 1, &points));
    CLI_TRY(nth_file_write(f, "/kare", column + points, 1, &points));
    if (j->p.k > 0) CLI_TRY(nth_file_write(f, "/test_risk", column + 2 * points, 1, &points));
    CLI_TRY(nth_net_write(j->p.net, f, "/net"));
    for (int a = 0; a < CLI_KARE_FAMILIES; ++a) CLI_TRY(cli_kare_family_write(c, &j->family[a], a, f));
    if (j->family[CLI_KARE_TRAINED].K.train.a != NULL) CLI_TRY(cli_blocks_write(f, "K", &j->family[CLI_KARE_TRAINED].K));
    CLI_TRY(nth_file_flush(f));
done:
    free(column);
    return st;
}

/* ---- What is said ---------------------------------------------------------------------------------- */

static void report_curve(cli *c, const job *j)
{
    nth_json *rows = nth_json_array();
    if (j->outputs > 1) {
        cli_say(c, "kernel of %td outputs: %s\n", j->outputs, j->opt.outputs == NTH_OUTPUTS_SUM ? "of their sum" : "mean of the kernels of each");
        nth_json_set_string(c->json, "outputs", c->cfg->outputs);
    }
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

static void report_fits(cli *c, const job *j)
{
    nth_json *fits = nth_json_object(), *chosen = nth_json_object();
    for (int a = 0; a < CLI_KARE_FAMILIES; ++a) cli_kare_family_report(c, &j->family[a], a, j->p.k > 0, fits, chosen);
    nth_json_set(c->json, "fits", fits);
    nth_json_set(c->json, "chosen", chosen);
    if (j->mean.count == 0) return;
    cli_say(c, "\nthe mean training target: test mse %.6g +- %.2g\n", j->mean.value, j->mean.standard_error);
    nth_json_set_double(c->json, "mean_mse", j->mean.value);
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

static nth_status make_family(cli *c, job *j, int which)
{
    return cli_kare_family_make(c, &j->family[which], which, &j->p, j->opt.outputs, j->task);
}

static nth_status train(cli *c, job *j, nth_file *f)
{
    nth_status      st = NTH_OK;
    const nth_data *d = j->p.data;
    if (j->p.k > 0) CLI_TRY(cli_kare_mean_predictor(c, &j->mean, &j->p));
    CLI_TRY(make_family(c, j, CLI_KARE_INITIAL));
    CLI_TRY(make_family(c, j, CLI_KARE_INFINITE));
    if (nth_config_given(c->cfg, "flow-time")) CLI_TRY(make_family(c, j, CLI_KARE_FLOW));
    if (nth_config_given(c->cfg, "net-steps")) CLI_TRY(make_family(c, j, CLI_KARE_NETWORK));
    cli_progress_begin(c, "steps", j->opt.steps);
    st = nth_kare_train(&j->curve, j->p.net, j->p.X, nth_const(d->y), j->p.X_test, nth_const(d->y_test), &j->opt);
    cli_progress_end(c);
    if (st == NTH_OK) st = make_family(c, j, CLI_KARE_TRAINED);
    if (st != NTH_OK) salvage(c, j, f, st);
done:
    return st;
}

nth_status cmd_kare(cli *c)
{
    nth_status st = NTH_OK;
    nth_file  *f = NULL;
    job        j = { 0 };
    CLI_TRY(check_options(c));
    if (c->cfg->gram != NULL) return evaluate(c);
    CLI_TRY(prepare(c, &j));
    if (c->cfg->out != NULL) CLI_TRY(cli_create(c, &f));
    CLI_TRY(train(c, &j, f));
    if (f != NULL) CLI_TRY(save(c, &j, f));
    if (f != NULL) CLI_TRY(nth_file_commit(&f));
    report_curve(c, &j);
    nth_json_set_double(c->json, "lambda", j.opt.z);
    report_fits(c, &j);
    if (c->cfg->out != NULL) cli_say(c, "written to %s\n", c->cfg->out);
    if (c->cfg->out != NULL) nth_json_set_string(c->json, "out", c->cfg->out);
done:
    if (j.curve.points > 0) nth_file_close(&f); /* the last good step stays in OUT.partial */
    cli_discard(c, &f);
    for (int a = 0; a < CLI_KARE_FAMILIES; ++a) cli_kare_family_free(&j.family[a]);
    free(j.curve.point);
    cli_problem_free(&j.p);
    return st;
}
