/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * nth train --optimizer adam|sgd: training in mini-batches (E111, E112). At the epochs asked for
 * outputs, loss and accuracy are recorded, and if asked for the tangent kernel and its local elasticity
 * (train_elasticity.c); at the end the network and, if asked for, its kernel are written (docs/formats.md).
 *
 * On an interruption or a failure what is recorded so far goes into the .partial file. The training of a
 * convolutional network, which takes hours, is kept in OUT.state and goes on from there.
 */
#include "train_optimize.h"
#include "kernel_state.h"
#include "train_cnn.h"
#include "train_elasticity.h"

#include "nth/regress.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { SAVE_SECONDS = 30 };

/* Means over one set of inputs at the recorded epochs; accuracy where targets are +1 and -1. */
typedef struct curve {
    nth_cmat X, Y;
    double  *f;               /* (T, rows); convolutional: (rows, outputs) at the last record */
    double  *loss, *accuracy; /* (T); accuracy NULL: targets are numbers */
} curve;

/* A convolutional network in place of that of --net. */
typedef struct convolutional {
    nth_cnn_config shape;
    nth_cnn       *net; /* NULL: the network is of the other kind */
    cli_state      state;
    ptrdiff_t      began; /* steps of earlier runs */
    nth_status     failed; /* of saving the state */
} convolutional;

typedef struct job {
    cli                 *c;
    cli_problem          p;
    nth_net_config       shape;
    nth_optimize_options opt;
    nth_optimize        *o;
    bool                 is_cnn;
    convolutional        cnn;
    ptrdiff_t            T, done, batches; /* epochs to record; recorded; batches of an epoch */
    double              *epoch;            /* (T) */
    curve                train, test;
    cli_rr               rr;
    double               seconds;          /* in epochs, without records */
    char                 state[64];        /* of the progress line */
    nth_blocks           K;
    nth_file            *file;
    time_t               saved;
} job;

/* ---- Options ------------------------------------------------------------------------------------- */

nth_status cli_train_check(cli *c)
{
    static const char *const flow[] = { "times", "rtol", "stepper", "steps" };
    static const char *const discrete[] = { "epochs", "batch", "learning-rate", "momentum", "beta1", "beta2", "epsilon", "precision",
                                            "record", "kernel", "save-net" };
    static const char *const adam[] = { "beta1", "beta2", "epsilon" };
    const nth_config *cfg = c->cfg;
    if (cli_rr_check(c) != NTH_OK) return NTH_E_ARG;
    if (cli_cnn_asked(cfg)) {
        const nth_status st = cli_cnn_check_options(c);
        if (st != NTH_OK) return st;
    } else if (cfg->net == NULL) {
        return cli_fail(c, NTH_E_ARG, "--net FILE is missing: network file");
    } else if (cfg->image.n > 0) {
        return cli_fail(c, NTH_E_ARG, "--image goes with --preset or --channels; the network file says what its inputs are");
    }
    if (cfg->optimizer == NULL) {
        for (size_t i = 0; i < sizeof discrete / sizeof *discrete; ++i)
            if (nth_config_given(cfg, discrete[i]))
                return cli_fail(c, NTH_E_ARG, "--%s goes with --optimizer; gradient flow has none", discrete[i]);
        if (cfg->times.n == 0)
            return cli_fail(c, NTH_E_ARG, "--times TIME is missing: flow times; or --optimizer adam|sgd: training in batches");
        return NTH_OK;
    }
    for (size_t i = 0; i < sizeof flow / sizeof *flow; ++i)
        if (nth_config_given(cfg, flow[i]))
            return cli_fail(c, NTH_E_ARG, "--%s does not go with --optimizer %s; it belongs to gradient flow", flow[i], cfg->optimizer);
    for (size_t i = 0; i < sizeof adam / sizeof *adam; ++i)
        if (strcmp(cfg->optimizer, "adam") != 0 && nth_config_given(cfg, adam[i]))
            return cli_fail(c, NTH_E_ARG, "--%s goes with --optimizer adam, not with %s", adam[i], cfg->optimizer);
    if (strcmp(cfg->optimizer, "sgd") != 0 && nth_config_given(cfg, "momentum"))
        return cli_fail(c, NTH_E_ARG, "--momentum goes with --optimizer sgd; adam has --beta1");
    return NTH_OK;
}

static bool interrupted(void *ctx)
{
    const job *j = ctx;
    return j->cnn.failed != NTH_OK || cli_interrupted();
}

/* Batches that were trained on. */
static ptrdiff_t steps(const job *j) { return j->is_cnn ? nth_cnn_steps(j->cnn.net) : nth_optimize_epochs(j->o) * j->batches; }

static void progress(ptrdiff_t batch, double loss, void *ctx)
{
    job            *j = ctx;
    const ptrdiff_t done = steps(j) + (j->is_cnn ? 0 : batch);
    snprintf(j->state, sizeof j->state, "batches, epoch %td, loss %.4g", (done - 1) / j->batches + 1, loss);
    cli_progress_update(j->c, done);
    if (j->is_cnn) j->cnn.failed = cli_state_keep(&j->cnn.state, done, false);
}

/* What was left open, so that the file records what was done. */
static nth_status suggest(cli *c)
{
    static const struct {
        const char *option, *value, *rule;
    } open[] = { { "epochs", "10", NULL },     { "batch", "128", NULL },    { "learning-rate", "1e-3", NULL }, { "precision", "double", NULL },
                 { "kernel", "no", NULL },     { "save-net", "yes", NULL }, { "momentum", "0", "sgd" },        { "beta1", "0.9", "adam" },
                 { "beta2", "0.999", "adam" }, { "epsilon", "1e-8", "adam" } };
    nth_status st = NTH_OK;
    for (size_t i = 0; i < sizeof open / sizeof *open; ++i)
        if (open[i].rule == NULL || strcmp(open[i].rule, c->cfg->optimizer) == 0)
            CLI_TRY(nth_config_suggest(c->cfg, open[i].option, open[i].value));
    if (!cli_cnn_asked(c->cfg)) return NTH_OK;
    CLI_TRY(nth_config_suggest(c->cfg, "precision", "single"));
    CLI_TRY(nth_config_suggest(c->cfg, "learning-rate", "3e-4"));
done:
    return st;
}

static nth_status resolve(cli *c, job *j)
{
    nth_status        st = NTH_OK;
    const nth_config *cfg = c->cfg;
    CLI_TRY(suggest(c));
    const nth_optimizer_kind kind = strcmp(cfg->optimizer, "adam") == 0 ? NTH_OPTIMIZER_ADAM : NTH_OPTIMIZER_SGD;
    j->opt = (nth_optimize_options){
        .rule = { .kind = kind, .learning_rate = cfg->learning_rate, .momentum = cfg->momentum, .beta1 = cfg->beta1, .beta2 = cfg->beta2,
                  .epsilon = cfg->epsilon },
        .batch = (ptrdiff_t)cfg->batch, .seed = cfg->seed, .interrupted = interrupted, .progress = progress, .ctx = j,
        .precision = strcmp(cfg->precision, "single") == 0 ? NTH_PRECISION_SINGLE : NTH_PRECISION_DOUBLE
    };
    for (ptrdiff_t i = 0; i < cfg->record.n; ++i) {
        if (cfg->record.v[i] > cfg->epochs)
            return cli_fail(c, NTH_E_ARG, "--record: epoch %lld; training ends after --epochs %lld", (long long)cfg->record.v[i],
                            (long long)cfg->epochs);
        if (i > 0 && cfg->record.v[i] <= cfg->record.v[i - 1])
            return cli_fail(c, NTH_E_ARG, "--record: %lld does not come after %lld; ascending epochs are expected",
                            (long long)cfg->record.v[i], (long long)cfg->record.v[i - 1]);
    }
    j->T = cfg->record.n > 0 ? cfg->record.n : (ptrdiff_t)cfg->epochs + 1;
done:
    return st;
}

static bool yes(const char *word) { return strcmp(word, "yes") == 0; }
static bool each_kernel(const cli *c) { return strcmp(c->cfg->final_kernel, "each") == 0; }
/* Kernels are made at records, beside the training. */
static bool kernels_on_the_way(const job *j) { return j->rr.on || each_kernel(j->c); }

/* ---- Set-up -------------------------------------------------------------------------------------- */

/* For the records of T epochs of one set of inputs: numbers. */
static double curve_size(const job *j, ptrdiff_t rows)
{
    return (double)rows * (j->is_cnn ? (double)j->cnn.shape.outputs : (double)j->T) + 2.0 * (double)j->T;
}

/* Training beside the network it is copied from; then the trained network beside its kernel, or all of them where records have kernels. */
static nth_status say_memory(cli *c, const job *j)
{
    const double n = (double)j->p.n, k = (double)j->p.k, net = 8.0 * (double)nth_net_parameters(j->p.net);
    const double training = net + nth_optimize_work_bytes(&j->shape, j->p.n, &j->opt);
    const double record = 8.0 * (double)j->T * (n + k + 5.0) + (j->rr.on ? cli_rr_bytes(j->p.n, j->p.k, j->rr.opt.bootstrap) : 0.0);
    const double kernel = yes(c->cfg->final_kernel) || kernels_on_the_way(j) ? net + 8.0 * (n * (n + k) + k * k) + nth_ntk_work_bytes(&j->shape, j->p.n, j->p.k) : 0.0;
    const double most = (kernels_on_the_way(j) ? training + kernel : training > kernel ? training : kernel) + record;
    if (!c->cfg->quiet)
        fprintf(stderr, "nth train: at most %.3g MB of memory for training, %.3g MB for the kernel and %.3g MB for what is recorded\n",
                1e-6 * training, 1e-6 * kernel, 1e-6 * record);
    return cli_memory_check(c, most, kernel > training ? "tangent kernel of the trained network" : "training");
}

static nth_status curve_open(cli *c, curve *v, const job *j, nth_cmat X, nth_mat Y)
{
    nth_status     st = NTH_OK;
    const nth_task task = Y.cols == 1 ? NTH_TASK_BINARY : NTH_TASK_MULTICLASS;
    v->X = X, v->Y = nth_const(Y);
    CLI_TRY(cli_doubles(c, &v->f, curve_size(j, X.rows), "outputs"));
    CLI_TRY(cli_doubles(c, &v->loss, (double)j->T, "losses"));
    if (X.rows > 0 && nth_targets_check(v->Y, task, false) == NTH_OK)
        CLI_TRY(cli_doubles(c, &v->accuracy, (double)j->T, "accuracies"));
done:
    return st;
}

static void curve_close(curve *v) { free(v->f), free(v->loss), free(v->accuracy); }

/* One curve in a file of state; the numbers of records are those of `done`. */
static nth_status curve_keep(nth_file *file, const curve *v, const job *j, const char *suffix, bool write)
{
    nth_status    st = NTH_OK;
    char          name[32];
    double *const part[3] = { v->f, v->loss, v->accuracy };
    for (int i = 0; i < 3 && v->X.rows > 0; ++i) {
        snprintf(name, sizeof name, "/%s%s", (const char *const[]){ "f", "loss", "accuracy" }[i], suffix);
        if (part[i] == NULL) continue;
        CLI_TRY(cli_state_matrix(file, name, i == 0 ? nth_mat_of(part[i], v->X.rows, v->Y.cols) : nth_mat_of(part[i], 1, j->T), write));
    }
done:
    return st;
}

/* All that a convolutional training goes on from. */
static nth_status keep(void *ctx, nth_file *file, bool write)
{
    nth_status st = NTH_OK;
    job       *j = ctx;
    double     count[2] = { (double)j->done, (double)steps(j) };
    CLI_TRY(cli_state_matrix(file, "/records_steps", nth_mat_of(count, 1, 2), write));
    if (!(count[0] >= 0.0 && count[0] <= (double)j->T && count[1] >= 0.0 && count[1] <= (double)j->batches * (double)j->c->cfg->epochs))
        CLI_TRY(cli_fail(j->c, NTH_E_FORMAT, "%s: %g records after %g steps do not fit this run; remove it", j->cnn.state.path, count[0], count[1]));
    CLI_TRY(cli_cnn_keep(j->c, file, &j->cnn.shape, j->cnn.net, (long)count[1], write));
    CLI_TRY(cli_state_matrix(file, "/epoch", nth_mat_of(j->epoch, 1, j->T), write));
    CLI_TRY(curve_keep(file, &j->train, j, "", write));
    CLI_TRY(curve_keep(file, &j->test, j, "_test", write));
    j->done = (ptrdiff_t)count[0];
done:
    return st;
}

static nth_status set_up(cli *c, job *j)
{
    nth_status st = NTH_OK;
    CLI_TRY(j->is_cnn ? cli_cnn_memory(c, &j->cnn.shape, j->p.n, j->opt.batch) : say_memory(c, j));
    if (each_kernel(c)) CLI_TRY(cli_disk_check(c, 8.0 * (double)j->T * (double)j->p.n * (double)(j->p.n + j->p.k)));
    CLI_TRY(cli_doubles(c, &j->epoch, (double)j->T, "epochs"));
    CLI_TRY(curve_open(c, &j->train, j, j->p.X, j->p.data->y));
    CLI_TRY(curve_open(c, &j->test, j, j->p.X_test, j->p.data->y_test));
    if (j->is_cnn) {
        CLI_TRY(nth_cnn_create(&j->cnn.net, &j->cnn.shape, j->p.X, nth_const(j->p.data->y), &j->opt));
        CLI_TRY(cli_state_begin(&j->cnn.state, c, &j->p, keep, j, &j->cnn.began));
        return NTH_OK;
    }
    CLI_TRY(nth_optimize_create(&j->o, j->p.net, j->p.X, j->p.data->y.a, &j->opt));
    nth_net_destroy(&j->p.net); /* a wide one is large */
done:
    return st;
}

static void tear_down(job *j)
{
    nth_file_close(&j->file);
    nth_optimize_destroy(&j->o);
    nth_cnn_destroy(&j->cnn.net);
    curve_close(&j->train);
    curve_close(&j->test);
    cli_rr_close(&j->rr);
    cli_blocks_free(&j->K);
    free(j->epoch);
    cli_problem_free(&j->p);
}

/* ---- The file ------------------------------------------------------------------------------------ */

static nth_status curve_save(nth_file *file, const curve *v, const char *suffix, const job *j)
{
    nth_status   st = NTH_OK;
    char         name[32];
    const double *part[3] = { v->f, v->loss, v->accuracy };
    ptrdiff_t    dims[2] = { j->done, v->X.rows };
    if (j->is_cnn) dims[0] = v->X.rows, dims[1] = v->Y.cols;
    for (int i = 0; i < 3 && v->X.rows > 0; ++i) {
        snprintf(name, sizeof name, "/%s%s", (const char *const[]){ "f", "loss", "accuracy" }[i], suffix);
        if (part[i] != NULL) CLI_TRY(nth_file_write(file, name, part[i], i == 0 ? 2 : 1, i == 0 ? dims : &j->done));
    }
done:
    return st;
}

/* The first `done` recorded epochs. */
static nth_status save(job *j)
{
    nth_status st = NTH_OK;
    CLI_TRY(nth_file_write(j->file, "/epoch", j->epoch, 1, &j->done));
    CLI_TRY(curve_save(j->file, &j->train, "", j));
    CLI_TRY(curve_save(j->file, &j->test, "_test", j));
    CLI_TRY(cli_rr_write(&j->rr, j->file, j->done));
    CLI_TRY(nth_file_flush(j->file));
    j->saved = time(NULL);
done:
    return st;
}

/* All blocks of the kernel, in j->K. */
static nth_status kernel_of(cli *c, job *j, const nth_net *net)
{
    nth_status st = NTH_OK;
    if (j->K.train.a == NULL) CLI_TRY(cli_blocks_create(c, &j->K, j->p.n, j->p.k, true));
    CLI_TRY(nth_ntk_empirical(&j->K, net, j->p.X, j->p.X_test));
    if (cli_interrupted()) st = NTH_E_INTERRUPTED;
done:
    return st;
}

/* Of test inputs with each other only the diagonal is written. */
static nth_blocks blocks_written(const job *j)
{
    return (nth_blocks){ .train = j->K.train, .test = j->K.test };
}

static nth_status kernel_write(cli *c, job *j, const char *name)
{
    nth_status       st = NTH_OK;
    const nth_blocks K = blocks_written(j);
    CLI_TRY(cli_blocks_write(j->file, name, &K));
    CLI_TRY(cli_diagonal_write(c, j->file, name, &j->K));
done:
    return st;
}

/* Everything, the trained network, its kernel, and the final name. */
static nth_status finish(cli *c, job *j)
{
    nth_status st = NTH_OK;
    nth_net   *net = NULL;
    CLI_TRY(save(j));
    if (j->is_cnn) {
        if (yes(c->cfg->save_net)) CLI_TRY(cli_cnn_write(c, j->file, &j->cnn.shape, j->cnn.net));
        CLI_TRY(nth_file_commit(&j->file));
        cli_state_end(&j->cnn.state);
        return NTH_OK;
    }
    if (yes(c->cfg->final_kernel) || yes(c->cfg->save_net)) CLI_TRY(nth_optimize_net(j->o, &net));
    nth_optimize_destroy(&j->o); /* its memory is as large again */
    if (yes(c->cfg->save_net)) CLI_TRY(nth_net_write(net, j->file, "/net"));
    if (yes(c->cfg->final_kernel)) {
        CLI_TRY(nth_file_flush(j->file));
        CLI_TRY(kernel_of(c, j, net));
        CLI_TRY(kernel_write(c, j, "K"));
    }
    CLI_TRY(nth_file_commit(&j->file));
done:
    nth_net_destroy(&net);
    return st;
}

/* ---- The run ------------------------------------------------------------------------------------- */

static nth_status curve_record(job *j, curve *v, ptrdiff_t at)
{
    nth_status      st = NTH_OK;
    const ptrdiff_t n = v->X.rows, cols = v->Y.cols;
    double         *f = v->f + (j->is_cnn ? 0 : at * n);
    nth_score       score;
    if (n == 0) return NTH_OK;
    CLI_TRY(j->is_cnn ? nth_cnn_outputs(j->cnn.net, nth_mat_of(f, n, cols), v->X) : nth_optimize_outputs(j->o, v->X, f));
    v->loss[at] = nth_loss_square.value(f, v->Y.a, n * cols) * (double)cols;
    if (!isfinite(v->loss[at]))
        return cli_fail(j->c, NTH_E_NUMERIC, "epoch %g: the loss is not finite", j->epoch[at]);
    if (v->accuracy == NULL) return NTH_OK;
    CLI_TRY(nth_score_accuracy(&score, nth_cmat_of(f, n, cols), v->Y));
    v->accuracy[at] = score.value;
done:
    return st;
}

/* RR of the present kernel, and the kernel itself, as far as they are asked for. */
static nth_status kernel_record(job *j, ptrdiff_t at)
{
    nth_status st = NTH_OK;
    nth_net   *net = NULL;
    char       when[32], name[32];
    if (!kernels_on_the_way(j)) return NTH_OK;
    snprintf(when, sizeof when, "epoch %.0f", j->epoch[at]);
    snprintf(name, sizeof name, "epoch_%.0f/K", j->epoch[at]);
    CLI_TRY(nth_optimize_net(j->o, &net));
    CLI_TRY(kernel_of(j->c, j, net));
    CLI_TRY(cli_rr_record(&j->rr, at, &j->K, when));
    if (each_kernel(j->c)) CLI_TRY(kernel_write(j->c, j, name));
done:
    nth_net_destroy(&net);
    return st;
}

static nth_status record(job *j, long epoch)
{
    nth_status st = NTH_OK;
    j->epoch[j->done] = (double)epoch;
    CLI_TRY(curve_record(j, &j->train, j->done));
    CLI_TRY(curve_record(j, &j->test, j->done));
    CLI_TRY(kernel_record(j, j->done));
    ++j->done;
    if (difftime(time(NULL), j->saved) >= SAVE_SECONDS) CLI_TRY(save(j));
done:
    return st;
}

static double now(void)
{
    struct timespec t;
    (void)clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

static nth_status run(cli *c, job *j)
{
    nth_status     st = NTH_OK;
    const nth_ints at = c->cfg->record;
    const long     epochs = (long)c->cfg->epochs;
    snprintf(j->state, sizeof j->state, "batches");
    cli_progress_begin(c, j->state, j->batches * (ptrdiff_t)epochs);
    c->progress.had = j->cnn.began;
    for (long e = (long)(j->cnn.began / j->batches); e <= epochs; ++e) {
        if (cli_interrupted()) CLI_TRY(NTH_E_INTERRUPTED);
        const bool next = at.n > 0 ? j->done < at.n && at.v[j->done] == e : j->done == e;
        if (next) CLI_TRY(record(j, e));
        const double start = now();
        if (e < epochs) st = j->is_cnn ? nth_cnn_epoch(j->cnn.net) : nth_optimize_epoch(j->o, NULL);
        j->seconds += now() - start;
        CLI_TRY(j->cnn.failed != NTH_OK ? j->cnn.failed : st);
    }
done:
    cli_progress_end(c);
    return st;
}

/* ---- What is said -------------------------------------------------------------------------------- */

/* Forward, backward and gradient products; nothing goes back through the first layer (E8). */
static double flops_of_epoch(const job *j)
{
    double sum = 0.0;
    if (j->is_cnn) return 3.0 * nth_cnn_flops(&j->cnn.shape) * (double)j->p.n;
    for (int l = 1; l <= j->shape.layers; ++l)
        sum += (l == 1 ? 4.0 : 6.0) * (double)j->shape.widths[l] * (double)j->shape.widths[l - 1];
    return sum * (double)j->p.n * (j->shape.doubled ? 2.0 : 1.0);
}

static void say_value(cli *c, nth_json *o, const char *key, const double *v, ptrdiff_t i)
{
    if (v == NULL) return;
    cli_say(c, " %14.6g", v[i]);
    nth_json_set_double(o, key, v[i]);
}

static void report(cli *c, const job *j)
{
    nth_json    *rows = nth_json_array();
    const bool   test = j->p.k > 0;
    const ptrdiff_t now_done = (ptrdiff_t)c->cfg->epochs * j->batches - j->cnn.began; /* batches of this run */
    const double    each = now_done > 0 ? j->seconds / (double)now_done * (double)j->batches : NAN, rate = 1e-9 * flops_of_epoch(j) / each;
    cli_say(c, "%8s %14s%s%s%s", "epoch", "loss", j->train.accuracy != NULL ? "       accuracy" : "", test ? "      test loss" : "",
            j->test.accuracy != NULL ? "  test accuracy" : "");
    cli_rr_heads(&j->rr);
    cli_say(c, "\n");
    for (ptrdiff_t i = 0; i < j->done; ++i) {
        nth_json *o = nth_json_object();
        cli_say(c, "%8g", j->epoch[i]);
        nth_json_set_double(o, "epoch", j->epoch[i]);
        say_value(c, o, "loss", j->train.loss, i);
        say_value(c, o, "accuracy", j->train.accuracy, i);
        if (test) say_value(c, o, "loss_test", j->test.loss, i);
        say_value(c, o, "accuracy_test", j->test.accuracy, i);
        cli_rr_say(&j->rr, i, o);
        cli_say(c, "\n");
        nth_json_append(rows, o);
    }
    cli_rr_say_refused(&j->rr);
    const nth_blocks K = blocks_written(j);
    if (yes(c->cfg->final_kernel)) cli_report_blocks(c, "K", &K);
    cli_say(c, "%s, %s precision, %.4g s for each epoch of %td batches, %.3g GFLOP/s\nwritten to %s\n", c->cfg->optimizer,
            c->cfg->precision, each, j->batches, rate, c->cfg->out);
    nth_json_set_string(c->json, "optimizer", c->cfg->optimizer);
    nth_json_set(c->json, "epochs", rows);
    nth_json_set_double(c->json, "seconds_per_epoch", each);
    nth_json_set_double(c->json, "gflops", rate);
    nth_json_set_string(c->json, "out", c->cfg->out);
}

/* Keeps the message of the first failure while what is complete is saved. */
static void salvage(cli *c, job *j, nth_status st)
{
    char why[sizeof c->message];
    snprintf(why, sizeof why, "%s", st == NTH_E_INTERRUPTED     ? "interrupted"
                                    : c->message[0] != '\0' ? c->message
                                                            : nth_last_error().message);
    if (j->is_cnn && st == NTH_E_INTERRUPTED && cli_state_keep(&j->cnn.state, steps(j), true) == NTH_OK && j->cnn.state.kept > 0) {
        cli_discard(c, &j->file);
        (void)cli_fail(c, st, "interrupted; the same command goes on after %td of %td batches (%s)", steps(j),
                       (ptrdiff_t)c->cfg->epochs * j->batches, j->cnn.state.path);
        return;
    }
    if (j->done == 0) cli_discard(c, &j->file);
    if (j->done == 0 || j->file == NULL || save(j) != NTH_OK) (void)cli_fail(c, st, "%s", why);
    else
        (void)cli_fail(c, st, "%s (what was recorded up to epoch %g is in %s.partial)", why, j->epoch[j->done - 1], c->cfg->out);
}

nth_status cli_train_optimize(cli *c)
{
    nth_status st = NTH_OK;
    job        j = { .c = c, .saved = time(NULL) };
    j.is_cnn = cli_cnn_asked(c->cfg);
    CLI_TRY(resolve(c, &j));
    CLI_TRY(cli_problem_load(c, &j.p, !j.is_cnn, !j.is_cnn));
    if (!j.is_cnn) CLI_TRY(cli_one_output(c, &j.p));
    if (j.is_cnn) CLI_TRY(cli_cnn_shape(c, &j.cnn.shape, &j.p));
    else j.shape = j.p.net->cfg;
    if (j.opt.batch > j.p.n) j.opt.batch = j.p.n;
    j.batches = (j.p.n + j.opt.batch - 1) / j.opt.batch;
    CLI_TRY(cli_rr_open(&j.rr, c, &j.p, j.T));
    CLI_TRY(cli_create(c, &j.file));
    CLI_TRY(cli_rr_provenance(&j.rr, j.file));
    st = set_up(c, &j);
    if (st == NTH_OK) st = run(c, &j);
    if (st == NTH_OK) st = finish(c, &j);
    if (st != NTH_OK) salvage(c, &j, st);
    else report(c, &j);
done:
    tear_down(&j);
    return st;
}
