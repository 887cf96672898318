/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Sections of networks, data, kernels and the hierarchy (report.h; files as in docs/formats.md).
 */
#include "report.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { BINS = 48, MAX_CLASSES = 24 };

/* ---- Networks ----------------------------------------------------------------------------------- */

/* Density of the raw parameters of a layer beside the standard normal one. */
static nth_status histogram(report *r, source *s, const char *name)
{
    nth_status st = NTH_OK;
    double    *v = NULL, x[BINS], y[BINS], normal[BINS];
    ptrdiff_t  n, inside = 0;
    plot      *p = NULL;
    CLI_TRY(source_vector(r, s, name, &v, &n));
    if (v == NULL || n < 32) goto done;
    memset(y, 0, sizeof y);
    for (ptrdiff_t i = 0; i < n; ++i) {
        const double at = (v[i] + 4.0) / 8.0 * BINS;
        if (at >= 0.0 && at < BINS) y[(int)at] += 1.0, ++inside;
    }
    for (int b = 0; b < BINS; ++b) {
        x[b] = -4.0 + 8.0 * (b + 0.5) / BINS;
        y[b] *= BINS / (8.0 * (double)n);
        normal[b] = exp(-0.5 * x[b] * x[b]) / sqrt(2.0 * 3.14159265358979323846);
    }
    p = plot_create("parameter", "density", "%s: %td parameters", name + 1, n);
    if (p != NULL) plot_add(p, PLOT_LINE, 0, BINS, x, y, NULL, NULL, "%s (%td of %td within -4 .. 4)", name + 1, inside, n);
    if (p != NULL) plot_add(p, PLOT_DASHED, -1, BINS, x, normal, NULL, NULL, "standard normal");
    CLI_TRY(report_plot(r, &p, name));
done:
    free(v);
    return st;
}

nth_status report_net(report *r, source *s)
{
    static const char *const keys[] = { "activation", "widths", "parameterization", "sigma_w", "sigma_b", "input_scale", "output_scale", "doubled",
                                        "frozen", NULL };
    nth_status               st = NTH_OK;
    const char              *root = nth_file_has_attr(s->file, "/", "widths") ? "/" : "/net";
    CLI_TRY(report_attributes(r, s, root, keys, "Architecture", "architecture"));
    report_grid(r);
    for (ptrdiff_t i = 0; i < s->sets; ++i) {
        const char *last = strrchr(s->set[i].name, '/') + 1;
        if ((last[0] == 'W' || last[0] == 'b') && (root[1] == '\0' || strncmp(s->set[i].name, "/net/", 5) == 0)) CLI_TRY(histogram(r, s, s->set[i].name));
    }
    report_grid_end(r);
done:
    return st;
}

/* ---- Data --------------------------------------------------------------------------------------- */

/* How often each target occurs, as long as there are few. */
static nth_status targets(report *r, source *s, const char *name, cli_table *t)
{
    nth_status     st = NTH_OK;
    const dataset *d = source_find(s, name);
    double        *v = NULL, value[MAX_CLASSES];
    ptrdiff_t      n, often[MAX_CLASSES] = { 0 };
    int            kinds = 0;
    CLI_TRY(source_vector(r, s, name, &v, &n));
    if (v == NULL) goto done;
    const ptrdiff_t cols = d->rank > 1 ? d->dims[1] : 1;
    for (ptrdiff_t i = 0; i < n / cols; ++i) {
        double label = v[i * cols];
        for (ptrdiff_t j = 1; j < cols; ++j)
            if (v[i * cols + j] > v[i * cols + (ptrdiff_t)(j == 1 ? 0 : label)]) label = (double)j;
            else if (j == 1) label = 0.0;
        int k = 0;
        while (k < kinds && value[k] != label) ++k;
        if (k == MAX_CLASSES) goto done; /* numbers, not labels */
        if (k == kinds) value[kinds++] = label;
        ++often[k];
    }
    for (int k = 0; k < kinds; ++k) {
        cli_table_put(t, "%s", name + 1);
        cli_table_number(t, value[k]);
        cli_table_put(t, "%td", often[k]);
    }
done:
    free(v);
    return st;
}

nth_status report_data(report *r, source *s)
{
    static const char *const keys[] = { "source", "preprocessing", "classes", "labels", "checksum", NULL };
    nth_status               st = NTH_OK;
    cli_table               *t = cli_table_create("How often each target occurs (one-hot rows: the number of the class, from 0)", "set|target|samples");
    CLI_TRY(report_attributes(r, s, "/x", keys, "Data set", "data"));
    CLI_TRY(targets(r, s, "/y", t));
    CLI_TRY(targets(r, s, "/y_test", t));
    CLI_TRY(report_table(r, &t, "targets"));
    CLI_TRY(report_matrices(r, s, "/x"));
done:
    cli_table_destroy(&t);
    return st;
}

/* ---- Kernels ------------------------------------------------------------------------------------ */

nth_status report_kernel(report *r, source *s)
{
    static const char *const keys[] = { "form", "draws", "networks", "relative_standard_error", "power_of_width", "dual_error", "data_checksum", "folds",
                                        "permuted_labels", NULL };
    nth_status               st = NTH_OK;
    dataset                 *tiles = source_find(s, "/tiles_done");
    if (tiles != NULL && strstr(s->note, "partial") != NULL) report_warn(r, "Tiles not written yet are zero.");
    CLI_TRY(report_attributes(r, s, "/", keys, "How it was computed", "computation"));
    CLI_TRY(report_matrices(r, s, "/K"));
done:
    return st;
}

/* A file of ours of a kind that this version does not know. */
nth_status report_other(report *r, source *s) { return report_matrices(r, s, "/"); }

nth_status report_dense(report *r, source *s)
{
    nth_status st = NTH_OK;
    report_say(r, "Of each tensor the first slice is shown: all indices but the last two are 1.");
    report_grid(r);
    for (ptrdiff_t i = 0; i < s->sets; ++i) {
        dataset *d = &s->set[i];
        if (d->rank < 3 || d->name[1] != 'K') continue;
        CLI_TRY(report_heat(r, (block){ s, d, 0 }, (block){ .set = NULL }, d->dims[d->rank - 2], d->name, "%s(%s:,:)", d->name + 1,
                            d->rank == 3 ? "1," : d->rank == 4 ? "1,1," : "1,1,1,"));
    }
done:
    report_grid_end(r);
    return st;
}

/* Frobenius norms of the terms over time, relative to K0. */
static nth_status terms(report *r, source *s, const double *t, ptrdiff_t T)
{
    static const char *const name[] = { "/term3", "/term4", "/Khat" };
    nth_status               st = NTH_OK;
    const block               none = { .set = NULL };
    const dataset           *K0 = source_find(s, "/K0");
    double                  *y = malloc((size_t)(T + 1) * sizeof *y);
    plot                    *p = plot_create("t", "Frobenius norm over that of K_0", "Terms of the prediction");
    cli_table               *table = cli_table_create("Frobenius norms on the training set", "t|K_0|term 3|term 4|Khat");
    stats                    of, base;
    if (y == NULL) CLI_TRY(cli_fail(r->c, NTH_E_NOMEM, "out of memory"));
    if (K0 == NULL) goto done;
    CLI_TRY(report_scan(r, (block){ s, source_find(s, "/K0"), 0 }, none, K0->dims[0], &base, NULL, NULL, NULL));
    for (int q = 0; q < 2; ++q) {
        dataset *d = source_find(s, name[q]);
        if (d == NULL || d->rank != 3 || d->dims[0] != T) continue;
        for (ptrdiff_t i = 0; i < T; ++i) {
            CLI_TRY(report_scan(r, (block){ s, d, i * d->dims[1] }, none, d->dims[1], &of, NULL, NULL, NULL));
            y[i] = of.frobenius / base.frobenius;
        }
        if (p != NULL) plot_add(p, PLOT_LINE | PLOT_POINTS, q, T, t, y, NULL, NULL, q == 0 ? "third-order term" : "fourth-order term");
    }
    for (ptrdiff_t i = 0; i < T; ++i) {
        cli_table_number(table, t[i]);
        cli_table_number(table, base.frobenius);
        for (int q = 0; q < 3; ++q) {
            dataset *d = source_find(s, name[q]);
            of.frobenius = NAN;
            if (d != NULL && d->rank == 3 && d->dims[0] == T)
                CLI_TRY(report_scan(r, (block){ s, d, i * d->dims[1] }, none, d->dims[1], &of, NULL, NULL, NULL));
            cli_table_number(table, of.frobenius);
        }
    }
    CLI_TRY(report_table(r, &table, "terms"));
    report_grid(r);
    st = report_plot(r, &p, "term-norms");
    report_grid_end(r);
done:
    free(y);
    plot_destroy(&p);
    cli_table_destroy(&table);
    return st;
}

/* At most four times are shown: first, last and two between. */
static bool shown(ptrdiff_t i, ptrdiff_t T) { return T <= 4 || i == 0 || i == T - 1 || i == T / 3 || i == 2 * T / 3; }

nth_status report_khat(report *r, source *s)
{
    nth_status st = NTH_OK;
    double    *t = NULL;
    ptrdiff_t  T;
    CLI_TRY(source_vector(r, s, "/t", &t, &T));
    if (t == NULL) goto done;
    CLI_TRY(terms(r, s, t, T));
    for (int test = 0; test < 2; ++test) {
        dataset *K0 = source_find(s, test ? "/K0_test" : "/K0"), *hat = source_find(s, test ? "/Khat_test" : "/Khat");
        if (K0 == NULL || hat == NULL || hat->rank != 3 || hat->dims[0] != T || K0->dims[0] != hat->dims[1] || K0->dims[1] != hat->dims[2]) continue;
        report_heading(r, 3, test ? "Test inputs with training inputs" : "Training inputs");
        report_grid(r);
        st = report_heat(r, (block){ s, K0, 0 }, (block){ .set = NULL }, K0->dims[0], K0->name, "%s", test ? "K_0, test" : "K_0");
        for (ptrdiff_t i = 0; st == NTH_OK && i < T; ++i)
            if (shown(i, T)) st = report_heat(r, (block){ s, hat, i * hat->dims[1] }, (block){ s, K0, 0 }, hat->dims[1], hat->name, "Khat_t - K_0, t = %g", t[i]);
        report_grid_end(r);
        if (st != NTH_OK) goto done;
    }
done:
    free(t);
    return st;
}
