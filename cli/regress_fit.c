/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Fits over weights and ridges (regress_fit.h).
 */
#include "regress_fit.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

nth_status cli_matrix(cli *c, nth_mat *m, ptrdiff_t rows, ptrdiff_t cols, const char *what)
{
    double          *a = NULL;
    const nth_status st = cli_doubles(c, &a, (double)rows * (double)cols, what);
    *m = nth_mat_of(a, rows, cols);
    return st;
}

nth_status cli_addend(cli *c, cli_gram *Z, const cli_gram *K, ptrdiff_t n, ptrdiff_t k)
{
    nth_status st = NTH_OK;
    const bool constant = strcmp(c->cfg->add, "constant") == 0;
    if (!constant && strcmp(c->cfg->add, "squares") != 0) return cli_gram_read(c, Z, "add", c->cfg->add, NULL, n, k);
    CLI_TRY(cli_blocks_create(c, &Z->K, n, k, false));
    Z->label_free = true;
    snprintf(Z->path, sizeof Z->path, "%s", constant ? "constant kernel" : "squares of the kernel");
    const nth_mat to[2] = { Z->K.train, Z->K.test }, from[2] = { K->K.train, K->K.test };
    for (int b = 0; b < 2; ++b)
        for (ptrdiff_t e = 0; e < to[b].rows * to[b].cols; ++e) to[b].a[e] = constant ? 1.0 : from[b].a[e] * from[b].a[e];
done:
    return st;
}

/* ---- Fits --------------------------------------------------------------------------------------- */

nth_status cli_score(nth_score *score, nth_task task, nth_cmat F, nth_cmat Y)
{
    return task == NTH_TASK_REGRESSION ? nth_score_mse(score, F, Y)
                                       : nth_score_accuracy(score, F, Y);
}

/* What one fit leaves; it becomes the model of cli_fits if it is the best so far. */
typedef struct model {
    nth_mat alpha, loo, f_test;
    double *offset;
} model;

static nth_status model_create(cli *c, model *m, ptrdiff_t n, ptrdiff_t k, ptrdiff_t cols)
{
    nth_status st = NTH_OK;
    CLI_TRY(cli_matrix(c, &m->alpha, n, cols, "coefficients"));
    CLI_TRY(cli_matrix(c, &m->loo, n, cols, "residuals"));
    CLI_TRY(cli_matrix(c, &m->f_test, k, cols, "predictions"));
    CLI_TRY(cli_doubles(c, &m->offset, (double)cols, "offsets"));
done:
    return st;
}

static void model_free(model *m)
{
    free(m->alpha.a), free(m->loo.a), free(m->f_test.a), free(m->offset);
}

/* Predictions by K_test + weight Z_test. */
static nth_status predict(cli *c, model *m, const cli_gram *K, const cli_gram *Z, double weight)
{
    nth_status st = NTH_OK;
    nth_mat    more = { 0 };
    CLI_TRY(nth_regress_predict(m->f_test, nth_const(K->K.test), nth_const(m->alpha), m->offset));
    if (Z == NULL) goto done;
    CLI_TRY(cli_matrix(c, &more, m->f_test.rows, m->f_test.cols, "predictions"));
    CLI_TRY(nth_regress_predict(more, nth_const(Z->K.test), nth_const(m->alpha), NULL));
    cli_add(m->f_test, more, weight);
done:
    free(more.a);
    return st;
}

/* Leave-one-out predictions are y - e. */
static nth_status score_loo(cli *c, cli_fit *fit, const cli_fits *s, const model *m)
{
    nth_status st = NTH_OK;
    nth_mat    left_out = { 0 };
    nth_score  score;
    CLI_TRY(cli_matrix(c, &left_out, s->Y.rows, s->Y.cols, "predictions"));
    for (ptrdiff_t e = 0; e < s->Y.rows * s->Y.cols; ++e) left_out.a[e] = s->Y.a[e] - m->loo.a[e];
    CLI_TRY(nth_score_mse(&score, nth_const(left_out), s->Y));
    fit->loo_mse = score.value;
    if (s->task == NTH_TASK_REGRESSION) goto done;
    CLI_TRY(nth_score_accuracy(&score, nth_const(left_out), s->Y));
    fit->loo_error = (double)(score.count - score.right) / (double)score.count;
done:
    free(left_out.a);
    return st;
}

static nth_status fit_one(cli *c, cli_fit *fit, const cli_fits *s, model *m, nth_regress *r,
                          const cli_gram *K, const cli_gram *Z)
{
    nth_status st = NTH_OK;
    double    *gcv = NULL;
    fit->info = nth_regress_get_info(r);
    CLI_TRY(cli_doubles(c, &gcv, (double)s->Y.cols, "cross-validation"));
    CLI_TRY(nth_regress_solve(m->alpha, m->offset, r, s->Y));
    if (!s->test_only) {
        CLI_TRY(nth_regress_loo(m->loo, r, nth_const(m->alpha)));
        CLI_TRY(score_loo(c, fit, s, m));
        CLI_TRY(nth_regress_gcv(gcv, r, nth_const(m->alpha)));
        fit->gcv = 0.0;
        for (ptrdiff_t j = 0; j < s->Y.cols; ++j) fit->gcv += gcv[j] / (double)s->Y.cols;
    }
    if (s->Y_test.rows == 0) goto done;
    CLI_TRY(predict(c, m, K, Z, fit->weight));
    CLI_TRY(cli_score(&fit->test, s->task, nth_const(m->f_test), s->Y_test));
    CLI_TRY(nth_score_mse(&fit->test_mse, nth_const(m->f_test), s->Y_test));
done:
    free(gcv);
    return st;
}

/* A kernel that is refused is a result where there are others. */
static nth_status note(cli_fit *fit, nth_status st)
{
    if (st != NTH_E_NUMERIC) return st;
    snprintf(fit->refused, sizeof fit->refused, "%s", nth_last_error().message);
    return NTH_OK;
}

static void take_if_best(cli_fits *s, ptrdiff_t which, model *m)
{
    if (s->fit[which].refused[0] != '\0') return;
    if (s->chosen >= 0 && !(s->fit[which].loo_mse < s->fit[s->chosen].loo_mse)) return;
    const model old = { s->alpha, s->loo, s->f_test, s->offset };
    s->alpha = m->alpha, s->loo = m->loo, s->f_test = m->f_test, s->offset = m->offset;
    *m = old;
    s->chosen = which;
}

/* work <- K + weight Z, or K itself if there is but one matrix. */
static void fill(nth_mat work, const cli_gram *K, const cli_gram *Z, double weight)
{
    if (work.a != K->K.train.a)
        memcpy(work.a, K->K.train.a, (size_t)(work.rows * work.cols) * sizeof *work.a);
    if (Z != NULL) cli_add(work, Z->K.train, weight);
}

static nth_status factor(nth_regress **r, nth_mat work, const nth_regress_options *opt, const cli_gram *K,
                         const cli_gram *Z, double weight)
{
    fill(work, K, Z, weight);
    return nth_regress_create_in_place(r, work, opt);
}

/* Is K + weight Z known to be indefinite? If K + a Z is definite and K + b Z is not, b > a, then v^T Z v < 0 for some v, and
 * nothing beyond b is: Cholesky would fail. */
static bool beyond_definite(const cli_fits *s, ptrdiff_t first, double weight)
{
    const cli_fit *definite = NULL;
    for (const cli_fit *f = s->fit; f < s->fit + first; ++f) {
        if (f->refused[0] != '\0') continue;
        if (f->method == NTH_REGRESS_CHOLESKY) definite = f;
        else if (definite != NULL && f->info.negative > 0 && definite->weight < f->weight && f->weight < weight) return true;
    }
    return false;
}

/* All ridges for one weight. Without --method a sum may be indefinite. */
static nth_status fit_weight(cli *c, cli_fits *s, model *m, nth_mat work, const cli_gram *K,
                             const cli_gram *Z, ptrdiff_t first, double weight, nth_reals ridge)
{
    nth_status          st = NTH_OK;
    nth_regress        *r = NULL;
    nth_regress_options opt = { .intercept = strcmp(c->cfg->intercept, "yes") == 0 };
    for (ptrdiff_t i = 0; i < ridge.n; ++i) opt.ridge = fmax(opt.ridge, ridge.v[i]);
    opt.method = ridge.n > 1 ? NTH_REGRESS_EIGEN : Z == NULL ? NTH_REGRESS_CHOLESKY
                 : beyond_definite(s, first, weight) ? NTH_REGRESS_LDLT : NTH_REGRESS_AUTO;
    if (c->cfg->regress_method != NULL)
        for (opt.method = 0;
             strcmp(nth_regress_method_name(opt.method), c->cfg->regress_method) != 0;)
            ++opt.method;
    nth_status made = factor(&r, work, &opt, K, Z, weight);
    /* One factorisation serves all ridges; if the largest is refused, another may do. */
    for (ptrdiff_t i = 0; made == NTH_E_NUMERIC && ridge.n > 1 && i < ridge.n; ++i) {
        opt.ridge = ridge.v[i];
        made = factor(&r, work, &opt, K, Z, weight);
    }
    for (ptrdiff_t i = 0; i < ridge.n; ++i) {
        cli_fit *fit = &s->fit[first + i];
        *fit = (cli_fit){ .weight = weight,
                          .ridge = ridge.v[i],
                          .method = r != NULL ? nth_regress_get_info(r).method : opt.method,
                          .loo_mse = NAN,
                          .loo_error = NAN,
                          .gcv = NAN,
                          .info = { .smallest = NAN, .largest = NAN, .cond = NAN } };
        nth_status found = made;
        if (found == NTH_OK && ridge.n > 1) found = nth_regress_set_ridge(r, ridge.v[i]);
        if (found == NTH_OK) found = fit_one(c, fit, s, m, r, K, Z);
        CLI_TRY(note(fit, found));
        take_if_best(s, first + i, m);
    }
    st = NTH_OK;
done:
    nth_regress_destroy(&r);
    return st;
}

nth_status cli_fits_make(cli *c, cli_fits *s, cli_gram *K, const cli_gram *Z, const double *weights,
                         ptrdiff_t count, nth_reals ridge)
{
    static const double none[1] = { 0.0 };
    nth_status          st = NTH_OK;
    const ptrdiff_t     n = s->Y.rows, ridges = ridge.n;
    nth_mat             work = K->K.train, own = { 0 };
    model               m = { 0 }, first = { 0 };
    if (Z == NULL) weights = none, count = 1;
    s->count = count * ridges, s->chosen = -1;
    s->fit = calloc((size_t)s->count, sizeof *s->fit);
    if (s->fit == NULL) return cli_fail(c, NTH_E_NOMEM, "out of memory");
    if (Z != NULL || ridges > 1) { /* K is needed again */
        CLI_TRY(cli_matrix(c, &own, n, n, "sum of kernels"));
        work = own;
    }
    CLI_TRY(model_create(c, &m, n, s->Y_test.rows, s->Y.cols));
    CLI_TRY(model_create(c, &first, n, s->Y_test.rows, s->Y.cols));
    s->alpha = first.alpha, s->loo = first.loo, s->f_test = first.f_test, s->offset = first.offset;
    first = (model){ 0 };
    if (count > 1) cli_progress_begin(c, "weights", count);
    else cli_progress_call(c, "factorisation and predictions");
    for (ptrdiff_t w = 0; w < count; ++w) {
        if (cli_interrupted()) CLI_TRY(NTH_E_INTERRUPTED);
        CLI_TRY(fit_weight(c, s, &m, work, K, Z, w * ridges, weights[w], ridge));
        if (count > 1) cli_progress_update(c, w + 1);
    }
    if (s->chosen < 0)
        CLI_TRY(cli_fail(c, NTH_E_NUMERIC, "%s: %s", K->path, s->fit[s->count - 1].refused));
done:
    cli_progress_end(c);
    model_free(&m);
    model_free(&first);
    free(own.a);
    return st;
}

void cli_fits_free(cli_fits *s)
{
    free(s->fit), free(s->alpha.a), free(s->loo.a), free(s->f_test.a), free(s->offset);
    *s = (cli_fits){ 0 };
}
