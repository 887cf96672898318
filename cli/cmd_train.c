/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * nth train: gradient flow of a network (E6), recorded at given times: outputs, loss, kernel and, if
 * asked for, its local elasticity (train_elasticity.c), and the network at the end (docs/formats.md).
 * Training in mini-batches is in train_optimize.c.
 *
 * Smooth activations are integrated to --rtol. With a fixed number of steps - always so for relu,
 * whose flow has kinks - there is no error control: the flow is run beside itself with twice the
 * steps, and the difference of the kernels is reported as the accuracy.
 *
 * What is recorded is kept in memory and written at the end; every half minute and on an
 * interruption or a failure what is complete so far goes into the .partial file.
 */
#include "commands.h"
#include "problem.h"
#include "train_elasticity.h"
#include "train_optimize.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { STEPS_BY_DEFAULT = 400, SAVE_SECONDS = 30 };

typedef struct training {
    cli_problem      p;
    nth_flow_options opt;
    nth_flow        *flow, *twice;      /* twice: the same with twice the fixed steps, or NULL */
    ptrdiff_t        T, done;           /* output times; how many are recorded */
    double          *f, *f_test;        /* (T, n), (T, k) */
    double          *K, *K_test;        /* (T, n, n), (T, k, n) */
    double          *loss, *accuracy;   /* (T) */
    double          *smallest, *worst;  /* (T) least eigenvalue of K, largest |f - y| */
    double          *K_test_diag;       /* (T, k) */
    double          *outputs, *zero;    /* (n + k), (n) */
    double          *test_test;         /* (k, k) kernel of test inputs with each other */
    cli_rr           rr;
    double          *K_twice;           /* (n, n) */
    nth_file        *file;
    time_t           saved;
} training;

/* ---- Options ------------------------------------------------------------------------------------ */

static nth_status check_times(cli *c)
{
    const nth_reals t = c->cfg->times;
    for (ptrdiff_t i = 0; i < t.n; ++i) {
        if (!isfinite(t.v[i]))
            return cli_fail(c, NTH_E_ARG, "--times: %g is not finite; a flow ends at a finite time", t.v[i]);
        if (i > 0 && t.v[i] <= t.v[i - 1])
            return cli_fail(c, NTH_E_ARG, "--times: %g does not come after %g; ascending times are expected",
                            t.v[i], t.v[i - 1]);
    }
    return NTH_OK;
}

static bool interrupted(void *ctx)
{
    (void)ctx;
    return cli_interrupted();
}

/* Fills in stepper and steps where they were left open, so that the file records what was done. */
static nth_status resolve_options(cli *c, training *tr)
{
    nth_status        st = NTH_OK;
    const nth_config *cfg = c->cfg;
    const bool        smooth = nth_activation_is_smooth(tr->p.net->cfg.activation);
    const bool        steps = nth_config_given(cfg, "steps");
    char              number[16];
    CLI_TRY(nth_config_suggest(c->cfg, "stepper", smooth && !steps ? "collocation" : "rkck"));
    tr->opt.rtol = cfg->rtol;
    tr->opt.interrupted = interrupted;
    while (strcmp(nth_stepper_name(tr->opt.stepper), cfg->train_stepper) != 0) ++tr->opt.stepper;
    if (steps && tr->opt.stepper != NTH_STEPPER_RKCK)
        return cli_fail(c, NTH_E_ARG, "--steps goes with --stepper rkck only; %s controls its error",
                        cfg->train_stepper);
    if (tr->opt.stepper == NTH_STEPPER_RKCK && !smooth && !steps) {
        snprintf(number, sizeof number, "%d", STEPS_BY_DEFAULT);
        CLI_TRY(nth_config_suggest(c->cfg, "steps", number));
    }
    if (tr->opt.stepper == NTH_STEPPER_RKCK && (steps || !smooth)) tr->opt.fixed_steps = (ptrdiff_t)cfg->steps;
done:
    return st;
}

/* ---- Set-up ------------------------------------------------------------------------------------- */

static nth_status say_memory(cli *c, const training *tr)
{
    const double T = (double)tr->T, n = (double)tr->p.n, k = (double)tr->p.k;
    const double flow = nth_flow_work_bytes(&tr->p.net->cfg, tr->p.n, tr->p.k, &tr->opt);
    const double runs = tr->opt.fixed_steps > 0 ? 2.0 : 1.0, record = 8.0 * ((T + 1.0) * (n + 1.0) * (n + k + 4.0) + (T + k) * k) +
                                                             (tr->rr.on ? cli_rr_bytes(tr->p.n, tr->p.k, tr->rr.opt.bootstrap) : 0.0);
    if (!c->cfg->quiet)
        fprintf(stderr, "nth train: at most %.3g MB of memory for the flow and %.3g MB for what is recorded\n",
                1e-6 * runs * flow, 1e-6 * record);
    return cli_memory_check(c, runs * flow + record, "training");
}

static nth_status set_up(cli *c, training *tr)
{
    nth_status         st = NTH_OK;
    const cli_problem *p = &tr->p;
    const double       T = (double)tr->T, n = (double)p->n, k = (double)p->k;
    nth_flow_options   twice = tr->opt;
    CLI_TRY(say_memory(c, tr));
    CLI_TRY(cli_doubles(c, &tr->f, T * n, "outputs"));
    CLI_TRY(cli_doubles(c, &tr->f_test, T * k, "outputs"));
    CLI_TRY(cli_doubles(c, &tr->K, T * n * n, "kernels"));
    CLI_TRY(cli_doubles(c, &tr->K_test, T * k * n, "kernels"));
    CLI_TRY(cli_doubles(c, &tr->K_test_diag, T * k, "diagonals"));
    CLI_TRY(cli_doubles(c, &tr->test_test, k * k, "kernel of test inputs"));
    CLI_TRY(cli_doubles(c, &tr->loss, T, "losses"));
    CLI_TRY(cli_doubles(c, &tr->accuracy, T, "accuracies"));
    CLI_TRY(cli_doubles(c, &tr->smallest, T, "eigenvalues"));
    CLI_TRY(cli_doubles(c, &tr->worst, T, "residuals"));
    CLI_TRY(cli_doubles(c, &tr->outputs, n + k, "outputs"));
    CLI_TRY(cli_doubles(c, &tr->zero, n, "residuals"));
    CLI_TRY(nth_flow_create(&tr->flow, p->net, p->X, p->X_test, p->data->y.a, &tr->opt));
    if (tr->opt.fixed_steps > 0) {
        twice.fixed_steps *= 2;
        CLI_TRY(cli_doubles(c, &tr->K_twice, n * n, "kernel"));
        CLI_TRY(nth_flow_create(&tr->twice, p->net, p->X, p->X_test, p->data->y.a, &twice));
    }
done:
    return st;
}

static void tear_down(training *tr)
{
    nth_file_close(&tr->file);
    nth_flow_destroy(&tr->flow);
    nth_flow_destroy(&tr->twice);
    free(tr->f), free(tr->f_test), free(tr->K), free(tr->K_test), free(tr->loss), free(tr->accuracy);
    free(tr->K_test_diag), free(tr->test_test);
    free(tr->smallest), free(tr->worst), free(tr->outputs), free(tr->zero), free(tr->K_twice);
    cli_rr_close(&tr->rr);
    cli_problem_free(&tr->p);
}

/* ---- The file ----------------------------------------------------------------------------------- */

/* The first `done` times of everything recorded. */
static nth_status save(cli *c, training *tr)
{
    nth_status      st = NTH_OK;
    const ptrdiff_t n = tr->p.n, k = tr->p.k, T = tr->done;
    CLI_TRY(nth_file_write(tr->file, "/t", c->cfg->times.v, 1, &T));
    CLI_TRY(nth_file_write(tr->file, "/loss", tr->loss, 1, &T));
    CLI_TRY(nth_file_write(tr->file, "/lambda_min", tr->smallest, 1, &T));
    CLI_TRY(nth_file_write(tr->file, "/f", tr->f, 2, (const ptrdiff_t[]){ T, n }));
    CLI_TRY(nth_file_write(tr->file, "/K", tr->K, 3, (const ptrdiff_t[]){ T, n, n }));
    if (tr->twice != NULL) CLI_TRY(nth_file_write(tr->file, "/accuracy", tr->accuracy, 1, &T));
    if (k > 0) CLI_TRY(nth_file_write(tr->file, "/f_test", tr->f_test, 2, (const ptrdiff_t[]){ T, k }));
    if (k > 0) CLI_TRY(nth_file_write(tr->file, "/K_test", tr->K_test, 3, (const ptrdiff_t[]){ T, k, n }));
    if (k > 0) CLI_TRY(nth_file_write(tr->file, "/K_test_diag", tr->K_test_diag, 2, (const ptrdiff_t[]){ T, k }));
    CLI_TRY(cli_rr_write(&tr->rr, tr->file, T));
    CLI_TRY(nth_file_flush(tr->file));
    tr->saved = time(NULL);
done:
    return st;
}

/* Everything, the trained network, and the final name. */
static nth_status finish(cli *c, training *tr)
{
    nth_status st = NTH_OK;
    nth_net   *net = NULL;
    CLI_TRY(save(c, tr));
    CLI_TRY(nth_flow_net(tr->flow, tr->p.X, &net));
    CLI_TRY(nth_net_write(net, tr->file, "/net"));
    CLI_TRY(nth_file_commit(&tr->file));
done:
    nth_net_destroy(&net);
    return st;
}

/* ---- The run ------------------------------------------------------------------------------------ */

static double largest_difference(const double *a, const double *b, ptrdiff_t n)
{
    double most = 0.0;
    for (ptrdiff_t i = 0; i < n; ++i)
        if (!(fabs(a[i] - b[i]) <= most)) most = isnan(most) ? most : fabs(a[i] - b[i]);
    return most;
}

/* Advances to output time number `at` and records it. */
static nth_status record(cli *c, training *tr, ptrdiff_t at)
{
    nth_status      st = NTH_OK;
    const ptrdiff_t n = tr->p.n, k = tr->p.k;
    const double   *y = tr->p.data->y.a, time = c->cfg->times.v[at];
    double         *K = tr->K + at * n * n;
    nth_blocks      blocks = { .train = nth_mat_of(K, n, n) };
    nth_blocks      blocks_twice = { .train = nth_mat_of(tr->K_twice, n, n) };
    nth_spectral   *spectrum = NULL;
    char            when[32];
    snprintf(when, sizeof when, "t = %g", time);
    if (k > 0) blocks.test = nth_mat_of(tr->K_test + at * k * n, k, n), blocks.test_test = nth_mat_of(tr->test_test, k, k);
    CLI_TRY(nth_flow_advance(tr->flow, time));
    CLI_TRY(nth_flow_outputs(tr->flow, tr->outputs));
    memcpy(tr->f + at * n, tr->outputs, (size_t)n * sizeof(double));
    memcpy(tr->f_test + at * k, tr->outputs + n, (size_t)k * sizeof(double));
    tr->loss[at] = nth_loss_square.value(tr->outputs, y, n);
    tr->worst[at] = largest_difference(tr->outputs, y, n);
    CLI_TRY(nth_ntk_flow(&blocks, tr->flow));
    cli_diagonal(tr->K_test_diag + at * k, blocks.test_test);
    CLI_TRY(cli_rr_record(&tr->rr, at, &blocks, when));
    CLI_TRY(nth_spectral_create(&spectrum, nth_const(blocks.train), tr->zero));
    tr->smallest[at] = nth_spectral_values(spectrum)[0];
    if (tr->twice != NULL) {
        CLI_TRY(nth_flow_advance(tr->twice, time));
        CLI_TRY(nth_ntk_flow(&blocks_twice, tr->twice));
        tr->accuracy[at] = largest_difference(K, tr->K_twice, n * n);
    }
    tr->done = at + 1;
done:
    nth_spectral_destroy(&spectrum);
    return st;
}

static nth_status run(cli *c, training *tr)
{
    nth_status st = NTH_OK;
    cli_progress_begin(c, "output times", tr->T);
    for (ptrdiff_t at = 0; at < tr->T; ++at) {
        if (cli_interrupted()) CLI_TRY(NTH_E_INTERRUPTED);
        CLI_TRY(record(c, tr, at));
        cli_progress_update(c, at + 1);
        if (difftime(time(NULL), tr->saved) >= SAVE_SECONDS && at + 1 < tr->T) CLI_TRY(save(c, tr));
    }
done:
    cli_progress_end(c);
    return st;
}

static void report(cli *c, const training *tr)
{
    const nth_flow_stats stats = nth_flow_get_stats(tr->flow);
    nth_json            *rows = nth_json_array();
    cli_say(c, "%12s %14s %14s %14s%s", "t", "loss", "max |f - y|", "lambda_min(K)",
            tr->twice != NULL ? "  accuracy of K" : "");
    cli_rr_heads(&tr->rr);
    cli_say(c, "\n");
    for (ptrdiff_t i = 0; i < tr->done; ++i) {
        nth_json *o = nth_json_object();
        cli_say(c, "%12.6g %14.6g %14.6g %14.6g", c->cfg->times.v[i], tr->loss[i], tr->worst[i], tr->smallest[i]);
        if (tr->twice != NULL) cli_say(c, " %14.3g", tr->accuracy[i]);
        nth_json_set_double(o, "t", c->cfg->times.v[i]);
        nth_json_set_double(o, "loss", tr->loss[i]);
        nth_json_set_double(o, "residual", tr->worst[i]);
        nth_json_set_double(o, "lambda_min", tr->smallest[i]);
        if (tr->twice != NULL) nth_json_set_double(o, "accuracy", tr->accuracy[i]);
        cli_rr_say(&tr->rr, i, o);
        cli_say(c, "\n");
        nth_json_append(rows, o);
    }
    cli_rr_say_refused(&tr->rr);
    cli_say(c, "stepper %s, %ld steps, %ld rejected, %ld passes over the training set\nwritten to %s\n",
            c->cfg->train_stepper, stats.windows, stats.rejected, stats.evaluations, c->cfg->out);
    nth_json_set_string(c->json, "stepper", c->cfg->train_stepper);
    nth_json_set(c->json, "times", rows);
    nth_json_set_int(c->json, "steps", stats.windows);
    nth_json_set_int(c->json, "rejected", stats.rejected);
    nth_json_set_int(c->json, "evaluations", stats.evaluations);
    nth_json_set_string(c->json, "out", c->cfg->out);
}

/* Keeps the message of the first failure while what is complete is saved. */
static void salvage(cli *c, training *tr, nth_status st)
{
    char why[sizeof c->message];
    snprintf(why, sizeof why, "%s", c->message[0] != '\0'        ? c->message
                                    : st == NTH_E_INTERRUPTED ? "interrupted"
                                                              : nth_last_error().message);
    if (tr->done == 0) cli_discard(c, &tr->file);
    if (tr->done == 0 || save(c, tr) != NTH_OK) (void)cli_fail(c, st, "%s", why);
    else
        (void)cli_fail(c, st, "%s (the first %td of %td output times are in %s.partial)", why, tr->done, tr->T,
                       c->cfg->out);
}

nth_status cmd_train(cli *c)
{
    nth_status st = NTH_OK;
    training   tr = { .T = c->cfg->times.n, .saved = time(NULL) };
    CLI_TRY(cli_train_check(c));
    if (c->cfg->optimizer != NULL) return cli_train_optimize(c);
    CLI_TRY(check_times(c));
    CLI_TRY(cli_problem_load(c, &tr.p, true, true));
    CLI_TRY(cli_one_output(c, &tr.p));
    CLI_TRY(resolve_options(c, &tr));
    CLI_TRY(cli_rr_open(&tr.rr, c, &tr.p, tr.T));
    CLI_TRY(cli_create(c, &tr.file));
    CLI_TRY(cli_rr_provenance(&tr.rr, tr.file));
    st = set_up(c, &tr);
    if (st == NTH_OK) st = run(c, &tr);
    if (st == NTH_OK) st = finish(c, &tr);
    else salvage(c, &tr, st);
    if (st == NTH_OK) report(c, &tr);
done:
    tear_down(&tr);
    return st;
}
