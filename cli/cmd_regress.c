/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * nth regress: regression with the kernel of a file (E87-E92). Two ways of asking:
 *
 *     --ridge r,.. [--add Z --weight w|hand|loo|folds] [--against K2]   ridge regression; leave-one-out or
 *                                                             held-out samples choose, or the published rule
 *     --times t,..                                            gradient flow under the frozen kernel (E89), f_0 = 0
 *
 * What is printed of the test set is never used to choose.
 */
#include "commands.h"
#include "regress_choice.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef struct job {
    cli_problem p;
    nth_task    task;
    cli_gram    K, Z, other;
    cli_fits    fits, others; /* of --gram, of --against */
    cli_choice  choice;       /* of --weight folds */
    nth_score   other_score;  /* of outputs in place of a kernel */
    nth_mcnemar versus;
    bool        optimistic; /* leave-one-out with a kernel that may know the labels left out */
} job;

static const char *task_name(nth_task t)
{
    return t == NTH_TASK_REGRESSION ? "regression"
           : t == NTH_TASK_BINARY   ? "binary"
                                    : "multi-class";
}

/* ---- Options ------------------------------------------------------------------------------------ */

static bool weight_is(const nth_config *cfg, const char *word) { return cfg->weight != NULL && strcmp(cfg->weight, word) == 0; }

static nth_status check_options(cli *c)
{
    static const char *const of_ridge[] = { "ridge", "method", "against" };
    const nth_config        *cfg = c->cfg;
    for (ptrdiff_t i = 0; i < cfg->ridge.n; ++i)
        if (!isfinite(cfg->ridge.v[i]))
            return cli_fail(c, NTH_E_ARG, "--ridge: %g is not finite", cfg->ridge.v[i]);
    if (cli_check_weight(c, true) != NTH_OK) return NTH_E_ARG;
    const bool chosen = weight_is(cfg, "hand") || weight_is(cfg, "loo") || weight_is(cfg, "folds");
    if (nth_config_given(cfg, "label-ratio") && !weight_is(cfg, "hand"))
        return cli_fail(c, NTH_E_ARG, "--label-ratio goes with --weight hand only");
    for (int i = 0; i < 2; ++i)
        if (nth_config_given(cfg, i == 0 ? "folds" : "validation") && !weight_is(cfg, "folds"))
            return cli_fail(c, NTH_E_ARG, "--%s goes with --weight folds only", i == 0 ? "folds" : "validation");
    if (cfg->ridge.n > 1 && cfg->regress_method != NULL &&
        strcmp(cfg->regress_method, "eigen") != 0)
        return cli_fail(c, NTH_E_ARG,
                        "--method %s takes one --ridge, %td are given; eigen takes any number",
                        cfg->regress_method, cfg->ridge.n);
    if (cfg->times.n == 0) return NTH_OK;
    for (size_t i = 0; i < sizeof of_ridge / sizeof *of_ridge; ++i)
        if (nth_config_given(cfg, of_ridge[i]))
            return cli_fail(c, NTH_E_ARG, "--%s does not go with --times", of_ridge[i]);
    if (strcmp(cfg->intercept, "yes") == 0)
        return cli_fail(c, NTH_E_ARG, "--intercept yes does not go with --times");
    if (chosen) return cli_fail(c, NTH_E_ARG, "--weight %s does not go with --times; give a number", cfg->weight);
    return NTH_OK;
}

/* Labels under a wrong code would be fitted as numbers without a word: one column of at most two
 * values, or several columns of 0, 1 and -1 only. */
static bool looks_like_labels(nth_mat y)
{
    double    seen[2] = { 0 };
    int       values = 0;
    ptrdiff_t size = y.rows * y.cols;
    for (ptrdiff_t e = 0; e < size; ++e) {
        const double v = y.a[e];
        if (y.cols > 1 && v != 0.0 && fabs(v) != 1.0) return false;
        if (y.cols > 1 || (values > 0 && v == seen[0]) || (values > 1 && v == seen[1])) continue;
        if (values == 2) return false;
        seen[values++] = v;
    }
    return true;
}

static nth_status find_task(cli *c, job *j)
{
    nth_status      st = NTH_OK;
    const nth_data *d = j->p.data;
    const nth_task  labels = d->y.cols == 1 ? NTH_TASK_BINARY : NTH_TASK_MULTICLASS;
    const bool      automatic = strcmp(c->cfg->task, "auto") == 0;
    const bool      numbers = strcmp(c->cfg->task, "regress") == 0 ||
                         (automatic && d->classes == 0 && !looks_like_labels(d->y));
    j->task = numbers ? NTH_TASK_REGRESSION : labels;
    CLI_TRY(nth_targets_check(nth_const(d->y), j->task, true));
    if (j->task != NTH_TASK_REGRESSION) cli_tell_absent_classes(c, d, c->cfg->data);
    if (d->y_test.rows > 0) {
        st = nth_targets_check(nth_const(d->y_test), j->task, false);
        if (st != NTH_OK)
            (void)cli_fail(c, st, "%s: test set: %s", c->cfg->data, nth_last_error().message);
    }
done:
    if (st != NTH_OK && c->message[0] == '\0')
        (void)cli_fail(c, st, "%s: %s%s", c->cfg->data, nth_last_error().message,
                       automatic ? " (--task regress fits them as numbers)" : "");
    return st;
}

static nth_status check_problem(cli *c, job *j)
{
    nth_status   st = NTH_OK;
    const double n = (double)j->p.n, k = (double)j->p.k, kernels = c->cfg->add != NULL ? 2.0 : 1.0;
    const bool   eigen =
        c->cfg->times.n > 0 || c->cfg->ridge.n > 1 ||
        (c->cfg->regress_method != NULL && strcmp(c->cfg->regress_method, "eigen") == 0);
    const bool folds = weight_is(c->cfg, "folds");
    CLI_TRY(find_task(c, j));
    if (c->cfg->against != NULL && j->task == NTH_TASK_REGRESSION)
        return cli_fail(c, NTH_E_ARG,
                        "--against compares classifications; the targets are numbers");
    if (c->cfg->against != NULL && j->p.k == 0)
        return cli_fail(c, NTH_E_ARG, "--against needs test inputs, %s has none", c->cfg->data);
    if (c->cfg->times.n > 0 && j->p.k == 0)
        return cli_fail(c, NTH_E_ARG, "--times needs test inputs, %s has none", c->cfg->data);
    CLI_TRY(cli_memory_check(
        c, 8.0 * (n * n * (kernels + (kernels > 1.0 || c->cfg->ridge.n > 1) + (folds ? 3.0 : 0.0) + (eigen ? 3.0 : 0.0) + (c->cfg->times.n > 0 ? 1.0 : 0.0)) + kernels * n * k),
        "kernels and their factorisation"));
done:
    return st;
}

/* ---- What is said ------------------------------------------------------------------------------- */

static void say_score(cli *c, nth_json *o, nth_task task, const nth_score *s, const nth_score *mse)
{
    if (s->count == 0) return;
    if (task == NTH_TASK_REGRESSION) {
        cli_say(c, "test mean square error %.6g +- %.2g (%td test inputs)\n", s->value,
                s->standard_error, s->count);
    } else {
        cli_say(c, "test accuracy %.4f +- %.4f (%td of %td right), mean square error %.6g\n",
                s->value, s->standard_error, s->right, s->count, mse->value);
        nth_json_set_double(o, "accuracy", s->value);
    }
    nth_json_set_double(o, "mse", mse->value);
    nth_json_set_double(o, "standard_error", s->standard_error);
}

static nth_json *fit_json(const cli_fit *f, nth_task task, bool added)
{
    nth_json *o = nth_json_object();
    if (added) nth_json_set_double(o, "weight", f->weight);
    nth_json_set_double(o, "ridge", f->ridge);
    nth_json_set_string(o, "method", nth_regress_method_name(f->method));
    if (f->refused[0] != '\0') {
        nth_json_set_string(o, "refused", f->refused);
        return o;
    }
    nth_json_set_double(o, "loo_mse", f->loo_mse);
    if (task != NTH_TASK_REGRESSION) nth_json_set_double(o, "loo_error", f->loo_error);
    nth_json_set_double(o, "gcv", f->gcv);
    nth_json_set_double(o, "smallest_eigenvalue", f->info.smallest);
    nth_json_set_double(o, "largest_eigenvalue", f->info.largest);
    nth_json_set_double(o, "condition", f->info.cond);
    nth_json_set_int(o, "negative_eigenvalues", f->info.negative);
    nth_json_set_bool(o, "exact", f->info.exact);
    if (f->test.count == 0) return o;
    if (task != NTH_TASK_REGRESSION) nth_json_set_double(o, "accuracy", f->test.value);
    nth_json_set_double(o, "mse", f->test_mse.value);
    nth_json_set_double(o, "standard_error", f->test.standard_error);
    return o;
}

static void say_fits(cli *c, const job *j, const cli_fits *s, bool added)
{
    const bool classes = j->task != NTH_TASK_REGRESSION;
    nth_json  *rows = nth_json_array();
    if (added) cli_say(c, "%12s ", "weight");
    cli_say(c, "%12s %12s ", "ridge", "loo mse");
    if (classes) cli_say(c, "%10s ", "loo error");
    cli_say(c, "%12s %14s %12s", "gcv", "smallest eig.", "condition");
    cli_say(c, j->p.k == 0 ? "\n" : classes ? "     accuracy\n" : "     test mse\n");
    for (ptrdiff_t i = 0; i < s->count; ++i) {
        const cli_fit *f = &s->fit[i];
        nth_json_append(rows, fit_json(f, j->task, added));
        if (added) cli_say(c, "%12.6g ", f->weight);
        if (f->refused[0] != '\0') {
            cli_say(c, "%12.6g %s\n", f->ridge, f->refused);
            continue;
        }
        cli_say(c, "%12.6g %12.6g ", f->ridge, f->loo_mse);
        if (classes) cli_say(c, "%10.4f ", f->loo_error);
        cli_say(c, "%12.6g %14.6g %12.4g", f->gcv, f->info.smallest, f->info.cond);
        if (j->p.k > 0) cli_say(c, " %12.6g", f->test.value);
        cli_say(c, "%s\n", i == s->chosen && s->count > 1 ? " *" : "");
    }
    nth_json_set(c->json, "fits", rows);
}

static void say_chosen(cli *c, const job *j)
{
    const cli_fits *s = &j->fits;
    const cli_fit  *f = &s->fit[s->chosen];
    const bool      added = c->cfg->add != NULL;
    nth_json       *o = c->json;
    if (added) nth_json_set_double(o, "weight", f->weight);
    nth_json_set_double(o, "ridge", f->ridge);
    nth_json_set_string(o, "method", nth_regress_method_name(f->method));
    nth_json_set_string(o, "chosen_by",
                        j->choice.row != NULL ? "held-out mean square error"
                        : s->count > 1        ? "leave-one-out mean square error"
                        : weight_is(c->cfg, "hand") ? "published rule"
                                              : "option");
    nth_json_set_double(o, "loo_mse", f->loo_mse);
    if (j->task != NTH_TASK_REGRESSION) nth_json_set_double(o, "loo_error", f->loo_error);
    nth_json_set_bool(o, "loo_optimistic", j->optimistic);
    nth_json_set_double(o, "gcv", f->gcv);
    nth_json_set_double(o, "smallest_eigenvalue", f->info.smallest);
    nth_json_set_double(o, "condition", f->info.cond);
    if (s->count > 1) cli_say(c, "* least leave-one-out mean square error of %td\n", s->count);
    if (weight_is(c->cfg, "hand")) {
        cli_say(c, "weight by the published rule: %.6g mean |K| / mean |Z| (E74), no sample held out\n", c->cfg->label_ratio);
        nth_json_set_double(o, "ratio", c->cfg->label_ratio);
    }
    if (j->optimistic && j->choice.row == NULL)
        cli_say(c, "leave-one-out is optimistic if the kernel added was made from the labels: a "
                   "label left out is still in it\n");
    if (f->info.negative > 0)
        cli_say(c, "the kernel with its ridge is indefinite: %td negative eigenvalues\n",
                f->info.negative);
    cli_say(c, "method %s%s\n", nth_regress_method_name(f->method),
            f->info.exact ? "" : ", eigenvalue and condition estimated");
    say_score(c, o, j->task, &f->test, &f->test_mse);
}

static void say_versus(cli *c, const job *j)
{
    const nth_mcnemar *m = &j->versus;
    const bool         kernel = j->others.fit != NULL;
    const nth_score   *s = kernel ? &j->others.fit[j->others.chosen].test : &j->other_score;
    nth_json          *o = nth_json_object();
    cli_say(c, "against %s%s: accuracy %.4f +- %.4f", j->other.path, j->other.name, s->value, s->standard_error);
    if (kernel) cli_say(c, ", ridge %.6g", j->others.fit[j->others.chosen].ridge);
    cli_say(c,
            "\n"
            "only the first right %td, only the second %td; difference %+.4f +- %.4f, McNemar p = "
            "%.3g (exact, two-sided)\n",
            m->b, m->c, m->difference, m->standard_error, m->p);
    nth_json_set_string(o, kernel ? "gram" : "outputs", c->cfg->against);
    if (kernel) nth_json_set_double(o, "ridge", j->others.fit[j->others.chosen].ridge);
    nth_json_set_double(o, "accuracy", s->value);
    nth_json_set_double(o, "standard_error", s->standard_error);
    nth_json_set_int(o, "b", m->b);
    nth_json_set_int(o, "c", m->c);
    nth_json_set_double(o, "p", m->p);
    nth_json_set_double(o, "difference", m->difference);
    nth_json_set_double(o, "difference_standard_error", m->standard_error);
    nth_json_set(c->json, "against", o);
}

static void say_problem(cli *c, const job *j)
{
    const cli_problem *p = &j->p;
    cli_say(c, "%s%s: %td training and %td test inputs, kernel %s%s\n", task_name(j->task),
            j->task == NTH_TASK_REGRESSION ? "" : " classification", p->n, p->k, j->K.path,
            j->K.name);
    nth_json_set_string(c->json, "task", task_name(j->task));
    nth_json_set_int(c->json, "n", p->n);
    nth_json_set_int(c->json, "k", p->k);
    nth_json_set_int(c->json, "columns", p->data->y.cols);
    nth_json_set_bool(c->json, "intercept", strcmp(c->cfg->intercept, "yes") == 0);
}

/* ---- Ridge regression --------------------------------------------------------------------------- */

/* The rank of y in the file: vectors stay vectors. */
static nth_status write_matrix(nth_file *f, const char *name, nth_mat m)
{
    return nth_file_write(f, name, m.a, m.cols > 1 ? 2 : 1, (const ptrdiff_t[]){ m.rows, m.cols });
}

static nth_status write_fits(cli *c, const cli_fits *s, nth_file **f)
{
    nth_status st = NTH_OK;
    nth_mat    table = { 0 };
    CLI_TRY(write_matrix(*f, "/alpha", s->alpha));
    CLI_TRY(write_matrix(*f, "/loo", s->loo));
    CLI_TRY(nth_file_write(*f, "/offset", s->offset, 1, &s->Y.cols));
    if (s->Y_test.rows > 0) CLI_TRY(write_matrix(*f, "/f_test", s->f_test));
    CLI_TRY(cli_matrix(c, &table, s->count, 7, "fits"));
    for (ptrdiff_t i = 0; i < s->count; ++i) {
        const cli_fit *fit = &s->fit[i];
        const double   row[7] = { fit->weight,
                                  fit->ridge,
                                  fit->loo_mse,
                                  fit->gcv,
                                  fit->info.smallest,
                                  fit->info.cond,
                                fit->test.count > 0 ? fit->test.value : (double)NAN };
        memcpy(table.a + 7 * i, row, sizeof row);
    }
    CLI_TRY(nth_file_write(*f, "/fits", table.a, 2, (const ptrdiff_t[]){ s->count, 7 }));
    CLI_TRY(nth_file_set_ints(*f, "/fits", "chosen", (const int64_t[]){ s->chosen }, 1));
    CLI_TRY(nth_file_commit(f));
done:
    free(table.a);
    return st;
}

/* The one weight given or of the published rule, or the grid of E74; with folds the ratio and the ridge of the row chosen. */
static nth_status find_weights(cli *c, job *j, double *weights, ptrdiff_t *count, nth_reals *ridge)
{
    double     unit = 1.0;
    const bool hand = weight_is(c->cfg, "hand"), loo = weight_is(c->cfg, "loo"), folds = weight_is(c->cfg, "folds");
    *count = 1, weights[0] = 0.0, *ridge = c->cfg->ridge;
    if (c->cfg->add == NULL) return NTH_OK;
    if ((hand || loo || folds) && cli_weight_unit(c, &unit, &j->K, &j->Z) != NTH_OK) return NTH_E_NUMERIC;
    if (hand) {
        weights[0] = c->cfg->label_ratio * unit;
    } else if (loo) {
        *count = CLI_RATIOS;
        for (int i = 0; i < CLI_RATIOS; ++i) weights[i] = cli_ratio[i] * unit;
    } else if (folds) {
        const cli_choice_row *best = &j->choice.row[j->choice.chosen];
        weights[0] = best->ratio * unit;
        *ridge = (nth_reals){ .v = (double *)&best->ridge, .n = 1 };
    } else weights[0] = strtod(c->cfg->weight, NULL);
    return NTH_OK;
}

/* The fit on all samples, by folds the best one that is not at a pole. */
static nth_status fit_all(cli *c, job *j, const cli_fits *empty, const cli_gram *Z)
{
    nth_status st = NTH_OK;
    double     weights[CLI_RATIOS];
    ptrdiff_t  count;
    nth_reals  ridge;
    const bool folds = weight_is(c->cfg, "folds");
    if (folds) CLI_TRY(cli_choose(c, &j->choice, &j->K, &j->Z, j->task, j->p.data->y));
    for (bool again = true; again;) {
        cli_fits_free(&j->fits);
        j->fits = *empty;
        CLI_TRY(find_weights(c, j, weights, &count, &ridge));
        st = cli_fits_make(c, &j->fits, &j->K, Z, weights, count, ridge);
        again = false;
        if (folds && st == NTH_E_NUMERIC) again = cli_choice_refuse(&j->choice, (double)INFINITY);
        else if (folds && st == NTH_OK && cli_choice_at_pole(&j->choice, &j->fits.fit[0]))
            again = cli_choice_refuse(&j->choice, j->fits.fit[0].loo_mse);
    }
done:
    return st;
}

/* With the model of --against on the same test inputs. */
static nth_status compare(cli *c, job *j)
{
    nth_status     st = NTH_OK;
    const char    *against = c->cfg->against;
    const nth_cmat Y = j->fits.Y_test;
    if (cli_names_outputs(against)) {
        CLI_TRY(cli_matrix(c, &j->others.f_test, Y.rows, Y.cols, "outputs"));
        CLI_TRY(cli_outputs_read(c, &j->other, "against", against, j->others.f_test));
        CLI_TRY(nth_score_accuracy(&j->other_score, nth_const(j->others.f_test), Y));
    } else {
        CLI_TRY(cli_gram_read(c, &j->other, "against", against, "/K", j->p.n, j->p.k));
        CLI_TRY(cli_fits_make(c, &j->others, &j->other, NULL, NULL, 0, c->cfg->ridge));
    }
    CLI_TRY(nth_mcnemar_compare(&j->versus, nth_const(j->fits.f_test), nth_const(j->others.f_test), Y));
done:
    return st;
}

static nth_status regress(cli *c, job *j, nth_file **f)
{
    nth_status      st = NTH_OK;
    const nth_data *d = j->p.data;
    const cli_fits  empty = { .task = j->task,
                              .Y = nth_const(d->y),
                              .Y_test = nth_const(d->y_test) };
    const cli_gram *Z = c->cfg->add != NULL ? &j->Z : NULL;
    j->others = empty, j->optimistic = Z != NULL && !Z->label_free;
    CLI_TRY(fit_all(c, j, &empty, Z));
    cli_gram_free(&j->K);
    cli_gram_free(&j->Z);
    if (c->cfg->against != NULL) CLI_TRY(compare(c, j));
    if (*f != NULL && j->choice.row != NULL) CLI_TRY(cli_choice_write(c, &j->choice, *f));
    if (*f != NULL) CLI_TRY(write_fits(c, &j->fits, f));
    say_problem(c, j);
    if (j->choice.row != NULL) cli_choice_report(c, &j->choice, j->task);
    say_fits(c, j, &j->fits, Z != NULL);
    say_chosen(c, j);
    if (c->cfg->against != NULL) say_versus(c, j);
done:
    return st;
}

/* ---- Gradient flow ------------------------------------------------------------------------------ */

static nth_status say_time(cli *c, const job *j, nth_json *rows, double t, nth_mat f,
                           nth_mat f_test)
{
    nth_status      st = NTH_OK;
    const nth_data *d = j->p.data;
    nth_score       test, test_mse, train;
    CLI_TRY(cli_score(&test, j->task, nth_const(f_test), nth_const(d->y_test)));
    CLI_TRY(nth_score_mse(&test_mse, nth_const(f_test), nth_const(d->y_test)));
    CLI_TRY(nth_score_mse(&train, nth_const(f), nth_const(d->y)));
    nth_json *o = nth_json_object();
    if (isinf(t))
        nth_json_set_string(o, "t", "inf");
    else
        nth_json_set_double(o, "t", t);
    nth_json_set_double(o, "train_mse", train.value);
    if (j->task != NTH_TASK_REGRESSION) nth_json_set_double(o, "accuracy", test.value);
    nth_json_set_double(o, "mse", test_mse.value);
    nth_json_set_double(o, "standard_error", test.standard_error);
    nth_json_append(rows, o);
    cli_say(c, "%12.6g %14.6g %14.6g %14.6g %10.3g\n", t, train.value, test_mse.value, test.value,
            test.standard_error);
done:
    return st;
}

static nth_status flow(cli *c, job *j, nth_file **file)
{
    nth_status      st = NTH_OK;
    const nth_reals t = c->cfg->times;
    const nth_data *d = j->p.data;
    const ptrdiff_t n = j->p.n, k = j->p.k, cols = d->y.cols;
    const nth_cmat  Y = nth_const(d->y), none = { 0 };
    nth_spectral   *sp = NULL;
    nth_mat         f = { 0 }, f_test = { 0 };
    nth_json       *rows = NULL;
    CLI_TRY(cli_matrix(c, &f, t.n * n, cols, "outputs"));
    CLI_TRY(cli_matrix(c, &f_test, t.n * k, cols, "outputs"));
    if (c->cfg->add != NULL) cli_add_kernel(&j->K, &j->Z, strtod(c->cfg->weight, NULL));
    cli_progress_call(c, "spectrum of the kernel");
    CLI_TRY(nth_spectral_create(&sp, nth_const(j->K.K.train),
                                f.a)); /* each column brings its own residual */
    cli_progress_end(c);
    cli_progress_begin(c, "times", t.n);
    for (ptrdiff_t i = 0; i < t.n; ++i) {
        if (cli_interrupted()) CLI_TRY(NTH_E_INTERRUPTED);
        CLI_TRY(nth_regress_flow(nth_block(f, i * n, 0, n, cols), sp, nth_const(j->K.K.train), Y,
                                 none, none, t.v[i]));
        CLI_TRY(nth_regress_flow(nth_block(f_test, i * k, 0, k, cols), sp, nth_const(j->K.K.test),
                                 Y, none, none, t.v[i]));
        cli_progress_update(c, i + 1);
    }
    cli_progress_end(c);
    if (*file != NULL) {
        const int rank = cols > 1 ? 3 : 2;
        CLI_TRY(nth_file_write(*file, "/t", t.v, 1, &t.n));
        CLI_TRY(nth_file_write(*file, "/f", f.a, rank, (const ptrdiff_t[]){ t.n, n, cols }));
        CLI_TRY(
            nth_file_write(*file, "/f_test", f_test.a, rank, (const ptrdiff_t[]){ t.n, k, cols }));
        CLI_TRY(nth_file_commit(file));
    }
    say_problem(c, j);
    cli_say(c, "%12s %14s %14s %14s %10s\n", "t", "training mse", "test mse",
            j->task == NTH_TASK_REGRESSION ? "test mse" : "test accuracy", "+-");
    rows = nth_json_array();
    for (ptrdiff_t i = 0; i < t.n; ++i)
        CLI_TRY(say_time(c, j, rows, t.v[i], nth_block(f, i * n, 0, n, cols),
                         nth_block(f_test, i * k, 0, k, cols)));
    nth_json_set_double(c->json, "smallest_eigenvalue", nth_spectral_values(sp)[0]);
    nth_json_set(c->json, "times", rows);
    rows = NULL;
done:
    nth_json_destroy(&rows);
    nth_spectral_destroy(&sp);
    free(f.a), free(f_test.a);
    return st;
}

/* ---- The command -------------------------------------------------------------------------------- */

nth_status cmd_regress(cli *c)
{
    nth_status st = NTH_OK;
    nth_file  *f = NULL;
    job        j = { 0 };
    CLI_TRY(check_options(c));
    CLI_TRY(cli_problem_load(c, &j.p, false, false));
    CLI_TRY(check_problem(c, &j));
    CLI_TRY(cli_gram_read(c, &j.K, "gram", c->cfg->gram, "/K", j.p.n, j.p.k));
    if (c->cfg->add != NULL)
        CLI_TRY(cli_addend(c, &j.Z, &j.K, j.p.n, j.p.k));
    if (c->cfg->out != NULL) CLI_TRY(cli_create(c, &f));
    CLI_TRY(c->cfg->times.n > 0 ? flow(c, &j, &f) : regress(c, &j, &f));
    if (c->cfg->out == NULL) goto done;
    cli_say(c, "written to %s\n", c->cfg->out);
    nth_json_set_string(c->json, "out", c->cfg->out);
done:
    cli_discard(c, &f);
    cli_gram_free(&j.K);
    cli_gram_free(&j.Z);
    cli_gram_free(&j.other);
    cli_fits_free(&j.fits);
    cli_fits_free(&j.others);
    cli_choice_free(&j.choice);
    cli_problem_free(&j.p);
    return st;
}
