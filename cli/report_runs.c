/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Sections of training, kernel regression and label-aware kernels (report.h; files as in docs/formats.md).
 */
#include "report.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "nth/lantk.h"

enum { MAX_CURVES = 8 };

/* Curves of a run, those on training and test set in one plot: (T), or of RR (T, 4) with its interval. */
static const struct {
    const char *name, *test, *label;
    bool        log;
} curve[] = { { "/loss", "/loss_test", "loss", true },
              { "/accuracy", "/accuracy_test", "accuracy", false },
              { "/rr/train_train", "/rr/test_train", "RR", false },
              { "/rr/train_train_self", NULL, "RR with self pairs", false },
              { "/rr_other/train_train", "/rr_other/test_train", "RR by the other labels", false },
              { "/rr_other/train_train_self", NULL, "RR with self pairs by the other labels", false },
              { "/kare", "/test_risk", "KARE and test risk", true },
              { "/lambda_min", NULL, "least eigenvalue of K", true } };

static const char *along(const source *s) { return s->kind == KIND_OPTIMIZER ? "/epoch" : s->kind == KIND_KARE ? "/step" : "/t"; }

/* The n values of a curve, NULL where it is missing or of another length; of RR *ends (2 n) are the lower ends of the intervals, then the upper. */
static nth_status curve_values(report *r, source *s, const char *name, ptrdiff_t n, double **y, double **ends)
{
    enum { NUMBERS = 4, LOW = 2 }; /* RR, standard error, low, high */
    nth_status st = NTH_OK;
    double    *v = NULL;
    ptrdiff_t  m;
    *y = *ends = NULL;
    CLI_TRY(source_vector(r, s, name, &v, &m));
    if (v != NULL && m == NUMBERS * n) {
        *ends = malloc((size_t)(2 * n) * sizeof **ends);
        if (*ends == NULL) CLI_TRY(cli_fail(r->c, NTH_E_NOMEM, "out of memory"));
        for (ptrdiff_t i = 0; i < n; ++i) (*ends)[i] = v[NUMBERS * i + LOW], (*ends)[n + i] = v[NUMBERS * i + LOW + 1];
        for (ptrdiff_t i = 0; i < n; ++i) v[i] = v[NUMBERS * i];
        m = n;
    }
    if (v != NULL && m == n) *y = v, v = NULL;
done:
    free(v);
    return st;
}

/* One curve of one file; nothing if it is missing or of another length than its time. */
static nth_status add_curve(report *r, plot *p, source *s, const char *name, unsigned style, int colour, const char *label)
{
    nth_status st = NTH_OK;
    double    *x = NULL, *y = NULL, *bars = NULL;
    ptrdiff_t  n;
    bool       any = false;
    if (name == NULL || source_find(s, name) == NULL) return NTH_OK;
    CLI_TRY(source_vector(r, s, along(s), &x, &n));
    CLI_TRY(curve_values(r, s, name, n, &y, &bars));
    for (ptrdiff_t i = 0; y != NULL && i < n; ++i) any = any || isfinite(y[i]);
    if (x != NULL && y != NULL)
        plot_add(p, style | (bars != NULL ? PLOT_BARS : 0), colour, n, x, y, bars, bars != NULL ? bars + n : NULL, "%s%s", label,
                 any ? "" : " (no finite value)");
done:
    free(x), free(y), free(bars);
    return st;
}

/* On a log axis nothing below or at 0 would be seen. */
static nth_status positive(report *r, source *s, const char *name, bool *yes)
{
    nth_status st = NTH_OK;
    double    *y = NULL;
    ptrdiff_t  n;
    if (name == NULL) return NTH_OK;
    CLI_TRY(source_vector(r, s, name, &y, &n));
    for (ptrdiff_t i = 0; i < n; ++i) *yes = *yes && y[i] > 0.0;
done:
    free(y);
    return st;
}

nth_status report_curves(report *r, source *const *s, ptrdiff_t count)
{
    nth_status st = NTH_OK;
    plot      *p = NULL;
    char       label[160];
    report_grid(r);
    for (size_t k = 0; k < sizeof curve / sizeof *curve; ++k) {
        bool        any = false, log = curve[k].log;
        const char *what = curve[k].label;
        for (ptrdiff_t i = 0; i < count; ++i) {
            any = any || source_find(s[i], curve[k].name) != NULL;
            CLI_TRY(positive(r, s[i], curve[k].name, &log));
            CLI_TRY(positive(r, s[i], curve[k].test, &log));
        }
        if (!any) continue;
        if (s[0]->kind == KIND_FLOW && strcmp(what, "accuracy") == 0) what = "change of K with twice the steps";
        p = plot_create(along(s[0]) + 1, what, "%s along training", what);
        if (p == NULL) CLI_TRY(cli_fail(r->c, NTH_E_NOMEM, "out of memory"));
        p->log_y = log;
        for (ptrdiff_t i = 0; i < count; ++i) {
            snprintf(label, sizeof label, "%s%straining set", count > 1 ? s[i]->base : "", count > 1 ? ", " : "");
            CLI_TRY(add_curve(r, p, s[i], curve[k].name, PLOT_LINE | PLOT_POINTS, (int)i * (count > 1), label));
            snprintf(label, sizeof label, "%s%stest set", count > 1 ? s[i]->base : "", count > 1 ? ", " : "");
            CLI_TRY(add_curve(r, p, s[i], curve[k].test, PLOT_DASHED | PLOT_POINTS, count > 1 ? (int)i : 1, label));
        }
        CLI_TRY(report_plot(r, &p, curve[k].name));
    }
done:
    plot_destroy(&p);
    report_grid_end(r);
    return st;
}

/* A row for each time: what the curves show, as numbers. */
static nth_status curve_table(report *r, source *s, const char *time)
{
    nth_status  st = NTH_OK;
    double     *v[1 + 2 * sizeof curve / sizeof *curve] = { NULL }, *ends = NULL;
    char        heads[600];
    int         columns = 0;
    ptrdiff_t   n;
    cli_table  *t = NULL;
    CLI_TRY(source_vector(r, s, time, &v[columns++], &n));
    snprintf(heads, sizeof heads, "%s", time + 1);
    for (size_t k = 0; k < 2 * sizeof curve / sizeof *curve; ++k) {
        const char *name = k % 2 == 0 ? curve[k / 2].name : curve[k / 2].test;
        if (name == NULL || source_find(s, name) == NULL) continue;
        CLI_TRY(curve_values(r, s, name, n, &v[columns], &ends));
        free(ends), ends = NULL;
        if (v[columns] == NULL) continue;
        ++columns;
        snprintf(heads + strlen(heads), sizeof heads - strlen(heads), "|%s", name + 1);
    }
    t = cli_table_create("", heads);
    for (ptrdiff_t i = 0; i < n; ++i)
        for (int k = 0; k < columns; ++k) cli_table_number(t, v[k][i]);
    report_fold(r, "as numbers");
    st = report_table(r, &t, "curves");
    report_unfold(r);
done:
    for (size_t k = 0; k < sizeof v / sizeof *v; ++k) free(v[k]);
    cli_table_destroy(&t);
    return st;
}

/* The first outputs of f (T, n) against time. */
static nth_status outputs(report *r, source *s, const char *name, const char *time)
{
    nth_status     st = NTH_OK;
    const dataset *d = source_find(s, name);
    double        *x = NULL, *f = NULL, *y = NULL;
    ptrdiff_t      T, m;
    plot          *p = NULL;
    if (d == NULL || d->rank < 2) return NTH_OK;
    CLI_TRY(source_vector(r, s, time, &x, &T));
    CLI_TRY(source_vector(r, s, name, &f, &m));
    y = malloc((size_t)(T + 1) * sizeof *y);
    if (y == NULL) CLI_TRY(cli_fail(r->c, NTH_E_NOMEM, "out of memory"));
    if (x == NULL || f == NULL || T == 0 || d->dims[0] != T) goto done;
    const ptrdiff_t each = m / T;
    p = plot_create(time + 1, "output", "%s: %td of %td outputs", name + 1, each < MAX_CURVES ? each : (ptrdiff_t)MAX_CURVES, each);
    for (ptrdiff_t i = 0; p != NULL && i < each && i < MAX_CURVES; ++i) {
        for (ptrdiff_t k = 0; k < T; ++k) y[k] = f[k * each + i];
        plot_add(p, PLOT_LINE | PLOT_UNNAMED, (int)i, T, x, y, NULL, NULL, "output %td", i + 1);
    }
    CLI_TRY(report_plot(r, &p, name));
done:
    free(x), free(f), free(y);
    return st;
}

/* K at the first and last time, and what lies between. */
static nth_status moving_kernel(report *r, source *s, const char *name)
{
    nth_status st = NTH_OK;
    dataset   *K = source_find(s, name);
    double    *t = NULL;
    ptrdiff_t  T;
    const block none = { .set = NULL };
    CLI_TRY(source_vector(r, s, "/t", &t, &T));
    if (K == NULL || t == NULL || K->rank != 3 || K->dims[0] != T) goto done;
    const ptrdiff_t n = K->dims[1];
    CLI_TRY(report_heat(r, (block){ s, K, 0 }, none, n, name, "%s, t = %g", name + 1, t[0]));
    if (T < 2) goto done;
    CLI_TRY(report_heat(r, (block){ s, K, (T - 1) * n }, none, n, name, "%s, t = %g", name + 1, t[T - 1]));
    CLI_TRY(report_heat(r, (block){ s, K, (T - 1) * n }, (block){ s, K, 0 }, n, name, "%s: t = %g minus t = %g", name + 1, t[T - 1], t[0]));
done:
    free(t);
    return st;
}

nth_status report_flow(report *r, source *s)
{
    nth_status st = NTH_OK;
    CLI_TRY(report_curves(r, (source *const[]){ s }, 1));
    CLI_TRY(curve_table(r, s, "/t"));
    report_grid(r);
    st = outputs(r, s, "/f", "/t");
    if (st == NTH_OK) st = outputs(r, s, "/f_test", "/t");
    if (st == NTH_OK) st = moving_kernel(r, s, "/K");
    if (st == NTH_OK) st = moving_kernel(r, s, "/K_test");
    report_grid_end(r);
done:
    return st;
}

nth_status report_optimizer(report *r, source *s)
{
    nth_status st = NTH_OK;
    CLI_TRY(report_curves(r, (source *const[]){ s }, 1));
    CLI_TRY(curve_table(r, s, "/epoch"));
    report_grid(r);
    st = outputs(r, s, "/f", "/epoch");
    report_grid_end(r);
    CLI_TRY(st);
    CLI_TRY(report_matrices(r, s, "/K"));
    CLI_TRY(report_matrices(r, s, "/epoch_"));
done:
    return st;
}

/* ---- Kernel regression -------------------------------------------------------------------------- */

/* Rows of a matrix with the heads given; the row in the attribute `chosen` is marked. */
static nth_status rows_table(report *r, source *s, const char *name, const char *heads, const char *caption)
{
    nth_status     st = NTH_OK;
    const dataset *d = source_find(s, name);
    double        *v = NULL;
    ptrdiff_t      n;
    cli_table     *t = cli_table_create(caption, heads);
    char          *chosen = d != NULL ? source_attribute(s, name, "chosen") : NULL;
    if (d == NULL || d->rank != 2) goto done;
    CLI_TRY(source_vector(r, s, name, &v, &n));
    for (ptrdiff_t i = 0; v != NULL && i < d->dims[0]; ++i) {
        cli_table_put(t, "%td", i + 1);
        for (ptrdiff_t j = 0; j < d->dims[1]; ++j) cli_table_number(t, v[i * d->dims[1] + j]);
        cli_table_put(t, "%s", chosen != NULL && strtol(chosen, NULL, 10) == i ? "chosen" : "");
    }
    CLI_TRY(report_table(r, &t, name));
done:
    free(v), free(chosen);
    cli_table_destroy(&t);
    return st;
}

nth_status report_kare(report *r, source *s)
{
    static const char *const of[][2] = { { "/fits", "trained kernel" },
                                         { "/fits_initial", "kernel before training" },
                                         { "/fits_infinite", "kernel of infinite width" },
                                         { "/fits_after", "kernel after gradient flow" },
                                         { "/fits_network", "kernel after training the network" } };
    nth_status st = NTH_OK;
    CLI_TRY(report_curves(r, (source *const[]){ s }, 1));
    for (size_t i = 0; i < sizeof of / sizeof *of; ++i)
        if (source_find(s, of[i][0]) != NULL)
            CLI_TRY(rows_table(r, s, of[i][0], "fit|alpha|ridge z|KARE|test mse|test accuracy|leave-one-out mse|", of[i][1]));
    CLI_TRY(report_matrices(r, s, "/K"));
done:
    return st;
}

/* Leave-one-out error and generalised cross-validation against the ridge, for one weight. */
static nth_status ridge_plot(report *r, source *s)
{
    nth_status     st = NTH_OK;
    const dataset *d = source_find(s, "/fits");
    double        *v = NULL, *x = NULL;
    ptrdiff_t      n;
    plot          *p = plot_create("ridge", "mean square error", "Leave-one-out error against the ridge");
    if (d == NULL || d->rank != 2 || d->dims[1] != 7 || d->dims[0] < 2) goto done;
    CLI_TRY(source_vector(r, s, "/fits", &v, &n));
    x = calloc((size_t)d->dims[0] * 3, sizeof *x);
    if (x == NULL || p == NULL || v == NULL) CLI_TRY(cli_fail(r->c, NTH_E_NOMEM, "out of memory"));
    const ptrdiff_t F = d->dims[0];
    bool            weights = false;
    for (ptrdiff_t i = 0; i < F; ++i) weights = weights || v[7 * i] != v[0];
    for (ptrdiff_t i = 0; i < F; ++i) x[i] = v[7 * i + (weights ? 0 : 1)], x[F + i] = v[7 * i + 2], x[2 * F + i] = v[7 * i + 3];
    for (ptrdiff_t i = 0; i < F; ++i)
        if (!weights && x[i] == 0.0) snprintf(p->x_label, sizeof p->x_label, "ridge (0 is not drawn)");
    if (weights) snprintf(p->x_label, sizeof p->x_label, "weight"), snprintf(p->title, sizeof p->title, "Leave-one-out error against the weight");
    p->log_x = p->log_y = true;
    plot_add(p, PLOT_LINE | PLOT_POINTS, 0, F, x, x + F, NULL, NULL, "leave-one-out");
    plot_add(p, PLOT_DASHED | PLOT_POINTS, 1, F, x, x + 2 * F, NULL, NULL, "generalised cross-validation");
    report_grid(r);
    st = report_plot(r, &p, "ridge");
    report_grid_end(r);
done:
    free(v), free(x);
    plot_destroy(&p);
    return st;
}

nth_status report_regress(report *r, source *s)
{
    nth_status st = NTH_OK;
    CLI_TRY(rows_table(r, s, "/fits", "fit|weight|ridge|leave-one-out mse|GCV|smallest eigenvalue|condition|test accuracy or mse|", "Fits"));
    CLI_TRY(ridge_plot(r, s));
    CLI_TRY(rows_table(r, s, "/choice", "candidate|ratio|ridge|held-out mse|held-out error|", "Choice on held-out samples"));
done:
    return st;
}

nth_status report_regress_flow(report *r, source *s)
{
    nth_status st = NTH_OK;
    report_grid(r);
    CLI_TRY(outputs(r, s, "/f", "/t"));
    CLI_TRY(outputs(r, s, "/f_test", "/t"));
done:
    report_grid_end(r);
    return st;
}

/* ---- Label-aware kernels ------------------------------------------------------------------------- */

nth_status report_lantk(report *r, source *s)
{
    static const char *const keys[] = { "variant", "folds", "permuted_labels", "data_checksum", NULL };
    static const char *const of_Z[] = { "samples", "mean_abs_K", "mean_abs_Z", "range_K", "condition", "r2", "dropped", "sketch_rows", "excess", "constant" };
    nth_status               st = NTH_OK;
    char                     heads[512] = "quantity", key[96];
    cli_table               *t = NULL;
    ptrdiff_t                which[16];
    int                      count = 0;
    CLI_TRY(report_attributes(r, s, "/", keys, "", "variant"));
    for (ptrdiff_t i = 0; i < s->sets && count < 16; ++i)
        if (nth_file_has_attr(s->file, s->set[i].name, "mean_abs_Z")) which[count++] = i, snprintf(heads + strlen(heads), sizeof heads - strlen(heads), "|%.24s", s->set[i].name);
    t = cli_table_create("The model of each Z", heads);
    for (ptrdiff_t k = 0;; ++k) {
        const ptrdiff_t plain = sizeof of_Z / sizeof *of_Z;
        if (k >= plain && nth_lantk_feature_name(k - plain) == NULL) break;
        if (k < plain) snprintf(key, sizeof key, "%s", of_Z[k]);
        else snprintf(key, sizeof key, "w_%s", nth_lantk_feature_name(k - plain));
        bool any = false;
        for (int i = 0; i < count; ++i) any = any || nth_file_has_attr(s->file, s->set[which[i]].name, key);
        if (!any) continue;
        cli_table_put(t, "%s", key);
        for (int i = 0; i < count; ++i) {
            double x = NAN;
            if (nth_file_has_attr(s->file, s->set[which[i]].name, key) && nth_file_get_double(s->file, s->set[which[i]].name, key, &x) != NTH_OK) x = NAN;
            cli_table_number(t, x);
        }
    }
    CLI_TRY(report_table(r, &t, "models"));
    CLI_TRY(report_matrices(r, s, "/"));
done:
    cli_table_destroy(&t);
    return st;
}
