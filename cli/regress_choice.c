/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Choice of weight and ridge by held-out samples (regress_choice.h): each fold is a regression of its own
 * with the samples held out as test set.
 */
#include "regress_choice.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

const double cli_ratio[CLI_RATIOS] = { 0, 0.001, 0.003, 0.01, 0.03, 0.1, 0.3, 1, 3, 10, 30, 100 };

static double mean_abs(nth_mat A)
{
    double sum = 0.0;
    for (ptrdiff_t e = 0; e < A.rows * A.cols; ++e) sum += fabs(A.a[e]);
    return sum / ((double)A.rows * (double)A.cols);
}

nth_status cli_weight_unit(cli *c, double *unit, const cli_gram *K, const cli_gram *Z)
{
    *unit = mean_abs(K->K.train) / mean_abs(Z->K.train);
    if (!isfinite(*unit)) return cli_fail(c, NTH_E_NUMERIC, "%s: %s is zero; it has no weight", Z->path, Z->name);
    return NTH_OK;
}

/* ---- Folds -------------------------------------------------------------------------------------- */

/* numbers (n): 0 never held out, else 1 .. *folds. */
static nth_status find_folds(cli *c, double **numbers, ptrdiff_t *folds, const cli_gram *Z, ptrdiff_t n)
{
    nth_status        st = NTH_OK;
    const nth_config *cfg = c->cfg;
    nth_file         *f = NULL;
    int               rank;
    ptrdiff_t         dims[NTH_MAX_RANK];
    if (Z->label_free) return cli_folds(c, folds, numbers, n, true);
    for (int i = 0; i < 2; ++i)
        if (nth_config_given(cfg, i == 0 ? "folds" : "validation"))
            return cli_fail(c, NTH_E_ARG, "--%s: the folds are those that %s was made with", i == 0 ? "folds" : "validation", Z->path);
    CLI_TRY(nth_file_open(&f, Z->path));
    if (!nth_file_has(f, "/fold"))
        CLI_TRY(cli_fail(c, NTH_E_FORMAT, "%s has no /fold: make it with --validation or --folds, so that %s of held-out samples has not seen their labels",
                         Z->path, Z->name));
    CLI_TRY(nth_file_shape(f, "/fold", &rank, dims));
    if (rank != 1 || dims[0] != n)
        CLI_TRY(cli_fail(c, NTH_E_SHAPE, "%s: /fold has %td entries of rank %d, %td are expected", Z->path, dims[0], rank, n));
    CLI_TRY(cli_doubles(c, numbers, (double)n, "folds"));
    CLI_TRY(nth_file_read(f, "/fold", *numbers, n));
    const double *fold = *numbers;
    *folds = 0;
    for (ptrdiff_t i = 0; i < n; ++i) {
        if (!(fold[i] >= 0.0 && fold[i] <= (double)n && fold[i] == floor(fold[i])))
            CLI_TRY(cli_fail(c, NTH_E_FORMAT, "%s: /fold[%td] is %g, a number of a fold is expected", Z->path, i, fold[i]));
        if (fold[i] > (double)*folds) *folds = (ptrdiff_t)fold[i];
    }
    if (*folds == 0) CLI_TRY(cli_fail(c, NTH_E_FORMAT, "%s: /fold holds out no sample", Z->path));
done:
    nth_file_close(&f);
    return st;
}

/* One fold as a problem: kernels and targets of the samples kept and held out. */
typedef struct part {
    ptrdiff_t *kept, *held, n, k;
    cli_gram   K, Z;
    nth_mat    Y, Y_held;
} part;

static void part_free(part *p)
{
    free(p->kept), free(p->held), free(p->Y.a), free(p->Y_held.a);
    cli_gram_free(&p->K);
    cli_gram_free(&p->Z);
    *p = (part){ 0 };
}

static void pick(nth_mat to, nth_cmat from, const ptrdiff_t *rows, const ptrdiff_t *cols)
{
    for (ptrdiff_t i = 0; i < to.rows; ++i)
        for (ptrdiff_t j = 0; j < to.cols; ++j) to.a[i * to.ld + j] = from.a[rows[i] * from.ld + (cols == NULL ? j : cols[j])];
}

static nth_status pick_gram(cli *c, cli_gram *to, nth_cmat from, const part *p)
{
    nth_status st = NTH_OK;
    CLI_TRY(cli_blocks_create(c, &to->K, p->n, p->k, false));
    pick(to->K.train, from, p->kept, p->kept);
    pick(to->K.test, from, p->held, p->kept);
done:
    return st;
}

/* Z of a fold: the kernel itself if it knows no labels, else the one of the file made without those held out. */
static nth_status pick_added(cli *c, part *p, const cli_gram *Z, ptrdiff_t number, ptrdiff_t n)
{
    nth_status st = NTH_OK;
    cli_gram   of_fold = { 0 };
    char       text[sizeof Z->path + sizeof Z->name + 32];
    memcpy(p->Z.path, Z->path, sizeof Z->path);
    memcpy(p->Z.name, Z->name, sizeof Z->name);
    if (Z->label_free) return pick_gram(c, &p->Z, nth_const(Z->K.train), p);
    snprintf(text, sizeof text, "%s:/fold_%td%s", Z->path, number, Z->name);
    CLI_TRY(cli_gram_read(c, &of_fold, "add", text, NULL, n, 0));
    CLI_TRY(pick_gram(c, &p->Z, nth_const(of_fold.K.train), p));
done:
    cli_gram_free(&of_fold);
    return st;
}

static nth_status part_create(cli *c, part *p, ptrdiff_t number, const double *fold, const cli_gram *K, const cli_gram *Z, nth_mat y)
{
    nth_status      st = NTH_OK;
    const ptrdiff_t n = y.rows;
    *p = (part){ .kept = malloc((size_t)n * sizeof *p->kept), .held = malloc((size_t)n * sizeof *p->held) };
    if (p->kept == NULL || p->held == NULL) CLI_TRY(cli_fail(c, NTH_E_NOMEM, "out of memory"));
    for (ptrdiff_t i = 0; i < n; ++i)
        if (fold[i] == (double)number) p->held[p->k++] = i;
        else p->kept[p->n++] = i;
    if (p->k == 0 || p->n < 2)
        CLI_TRY(cli_fail(c, NTH_E_FORMAT, "%s: fold %td holds out %td of %td samples", Z->path, number, p->k, n));
    memcpy(p->K.path, K->path, sizeof K->path);
    memcpy(p->K.name, K->name, sizeof K->name);
    CLI_TRY(pick_gram(c, &p->K, nth_const(K->K.train), p));
    CLI_TRY(pick_added(c, p, Z, number, n));
    CLI_TRY(cli_matrix(c, &p->Y, p->n, y.cols, "targets"));
    CLI_TRY(cli_matrix(c, &p->Y_held, p->k, y.cols, "targets"));
    pick(p->Y, nth_const(y), p->kept, NULL);
    pick(p->Y_held, nth_const(y), p->held, NULL);
done:
    if (st != NTH_OK) part_free(p);
    return st;
}

/* ---- The choice --------------------------------------------------------------------------------- */

/* Adds the errors of one fold to the rows, each sample alike. */
static nth_status one_fold(cli *c, cli_choice *choice, part *p, nth_task task)
{
    nth_status st = NTH_OK;
    double     weight[CLI_RATIOS], unit;
    cli_fits   fits = { .task = task, .test_only = true, .Y = nth_const(p->Y), .Y_test = nth_const(p->Y_held) };
    CLI_TRY(cli_weight_unit(c, &unit, &p->K, &p->Z));
    for (int r = 0; r < CLI_RATIOS; ++r) weight[r] = cli_ratio[r] * unit;
    CLI_TRY(cli_fits_make(c, &fits, &p->K, &p->Z, weight, CLI_RATIOS, c->cfg->ridge));
    for (ptrdiff_t i = 0; i < choice->count; ++i) {
        const cli_fit  *fit = &fits.fit[i];
        cli_choice_row *row = &choice->row[i];
        const double    share = (double)p->k / (double)choice->held;
        row->mse += fit->refused[0] != '\0' ? (double)INFINITY : share * fit->test_mse.value;
        row->error += fit->refused[0] != '\0' ? (double)NAN : share * (1.0 - fit->test.value);
    }
done:
    cli_fits_free(&fits);
    return st;
}

/* The least error of those not refused; the first one on a tie. */
static void choose(cli_choice *choice)
{
    choice->chosen = 0;
    for (ptrdiff_t i = 1; i < choice->count; ++i) {
        const cli_choice_row *best = &choice->row[choice->chosen], *row = &choice->row[i];
        if (!row->refused && (best->refused || row->mse < best->mse)) choice->chosen = i;
    }
}

nth_status cli_choose(cli *c, cli_choice *choice, const cli_gram *K, const cli_gram *Z, nth_task task, nth_mat y)
{
    nth_status      st = NTH_OK;
    const nth_reals ridge = c->cfg->ridge;
    double         *fold = NULL;
    part            p = { 0 };
    *choice = (cli_choice){ .count = CLI_RATIOS * ridge.n };
    CLI_TRY(find_folds(c, &fold, &choice->folds, Z, y.rows));
    choice->row = calloc((size_t)choice->count, sizeof *choice->row);
    if (choice->row == NULL) CLI_TRY(cli_fail(c, NTH_E_NOMEM, "out of memory"));
    for (ptrdiff_t i = 0; i < y.rows; ++i) choice->held += fold[i] > 0.0;
    for (ptrdiff_t f = 1; f <= choice->folds; ++f) {
        CLI_TRY(part_create(c, &p, f, fold, K, Z, y));
        CLI_TRY(one_fold(c, choice, &p, task));
        part_free(&p);
    }
    for (ptrdiff_t i = 0; i < choice->count; ++i) {
        choice->row[i].ratio = cli_ratio[i / ridge.n];
        choice->row[i].ridge = ridge.v[i % ridge.n];
        if (task == NTH_TASK_REGRESSION) choice->row[i].error = NAN;
    }
    choose(choice);
    if (!isfinite(choice->row[choice->chosen].mse))
        CLI_TRY(cli_fail(c, NTH_E_NUMERIC, "no weight of %s:%s gives a kernel that can be solved on every fold; a larger --ridge helps",
                         Z->path, Z->name));
done:
    part_free(&p);
    free(fold);
    return st;
}

bool cli_choice_at_pole(const cli_choice *choice, const cli_fit *fit)
{
    static const double POLE = 2.0;
    return fit->info.negative > 0 && !(fit->loo_mse <= POLE * choice->row[choice->chosen].mse);
}

bool cli_choice_refuse(cli_choice *choice, double loo)
{
    const ptrdiff_t old = choice->chosen;
    choice->row[old].refused = true, choice->row[old].loo = loo;
    choose(choice);
    if (!choice->row[choice->chosen].refused && isfinite(choice->row[choice->chosen].mse)) return true;
    choice->row[old].refused = false, choice->chosen = old;
    return false;
}

void cli_choice_free(cli_choice *choice)
{
    free(choice->row);
    *choice = (cli_choice){ 0 };
}

void cli_choice_report(cli *c, const cli_choice *choice, nth_task task)
{
    const bool classes = task != NTH_TASK_REGRESSION;
    nth_json  *rows = nth_json_array();
    if (choice->folds == 1) cli_say(c, "choice on %td held-out training samples\n", choice->held);
    else cli_say(c, "choice on %td folds, %td held-out training samples in all\n", choice->folds, choice->held);
    cli_say(c, "%12s %12s %14s%s\n", "ratio", "ridge", "held-out mse", classes ? " held-out error" : "");
    for (ptrdiff_t i = 0; i < choice->count; ++i) {
        const cli_choice_row *r = &choice->row[i];
        nth_json             *o = nth_json_object();
        cli_say(c, "%12.6g %12.6g %14.6g", r->ratio, r->ridge, r->mse);
        if (classes) cli_say(c, " %14.4f", r->error);
        if (r->refused) cli_say(c, " refused: leave-one-out mse %.3g on all samples\n", r->loo);
        else cli_say(c, "%s\n", i == choice->chosen ? " *" : "");
        nth_json_set_double(o, "ratio", r->ratio);
        nth_json_set_double(o, "ridge", r->ridge);
        nth_json_set_double(o, "mse", r->mse);
        if (classes) nth_json_set_double(o, "error", r->error);
        if (r->refused) nth_json_set_double(o, "refused_loo_mse", r->loo);
        nth_json_append(rows, o);
    }
    nth_json_set(c->json, "choice", rows);
    nth_json_set_double(c->json, "ratio", choice->row[choice->chosen].ratio);
    nth_json_set_int(c->json, "held_out", choice->held);
}

nth_status cli_choice_write(cli *c, const cli_choice *choice, nth_file *f)
{
    nth_status      st = NTH_OK;
    const ptrdiff_t count = choice->count;
    double         *table = NULL, *loo = NULL;
    bool            any = false;
    CLI_TRY(cli_doubles(c, &table, 4.0 * (double)count, "choice"));
    CLI_TRY(cli_doubles(c, &loo, (double)count, "choice"));
    for (ptrdiff_t i = 0; i < count; ++i) {
        const cli_choice_row *r = &choice->row[i];
        memcpy(table + 4 * i, (double[]){ r->ratio, r->ridge, r->mse, r->error }, 4 * sizeof(double));
        loo[i] = r->refused ? r->loo : (double)NAN;
        any = any || r->refused;
    }
    CLI_TRY(nth_file_write(f, "/choice", table, 2, (const ptrdiff_t[]){ count, 4 }));
    CLI_TRY(nth_file_set_ints(f, "/choice", "chosen", (const int64_t[]){ choice->chosen }, 1));
    CLI_TRY(nth_file_set_ints(f, "/choice", "folds", (const int64_t[]){ choice->folds }, 1));
    if (any) CLI_TRY(nth_file_write(f, "/choice_refused", loo, 1, &count));
done:
    free(table), free(loo);
    return st;
}
