/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Sections of nth verify mean-drift, its exponents, claim-1.1 and elasticity (report.h; files as in docs/formats.md).
 */
#include "report.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { MAX_PATH = 256 };

/* ---- Mean drift --------------------------------------------------------------------------------- */

static const char *const FORMS[][2] = { { "", "" }, { "_ae", ", almost everywhere" }, { "_delta", ", with delta terms" } };

/* One group: measured means of m (K_T - K_0) beside predictions. */
static nth_status drift_group(report *r, source *s, const char *group, cli_table *t)
{
    nth_status  st = NTH_OK;
    double     *v[2 + 6] = { NULL };
    ptrdiff_t   n = 0, k, have[2 + 6] = { 0 };
    char        name[MAX_PATH];
    const char *part[8] = { "measured", "standard_error" };
    plot       *p = plot_create("predicted, complete", "measured", "%s: mean of m (K_T - K_0)", group + 1);
    double     *bar = NULL;
    for (int f = 0; f < 3; ++f) part[2 + 2 * f] = "label_part", part[3 + 2 * f] = "complete";
    for (int q = 0; q < 8; ++q) {
        snprintf(name, sizeof name, "%s/%s%s", group, part[q], q < 2 ? "" : FORMS[q / 2 - 1][0]);
        CLI_TRY(source_vector(r, s, name, &v[q], &have[q]));
    }
    n = have[0], k = (ptrdiff_t)lround(sqrt((double)n));
    if (v[0] == NULL || v[1] == NULL || have[1] != n || k * k != n) goto done;
    bar = malloc((size_t)(2 * n + 1) * sizeof *bar);
    if (bar == NULL || p == NULL) CLI_TRY(cli_fail(r->c, NTH_E_NOMEM, "out of memory"));
    for (ptrdiff_t e = 0; e < n; ++e) bar[e] = v[0][e] - 3.0 * v[1][e], bar[n + e] = v[0][e] + 3.0 * v[1][e];
    bool any = false;
    for (int f = 0; f < 3; ++f) {
        const double *label = have[2 + 2 * f] == n ? v[2 + 2 * f] : NULL, *whole = have[3 + 2 * f] == n ? v[3 + 2 * f] : NULL;
        if (whole == NULL && (any || f < 2)) continue; /* the limit of relu has no prediction of its own in the file */
        any = any || whole != NULL;
        for (ptrdiff_t i = 0; i < k; ++i)
            for (ptrdiff_t j = 0; j <= i; ++j) {
                const ptrdiff_t e = i * k + j;
                cli_table_put(t, "%s%s", group + 1, whole != NULL ? FORMS[f][1] : "");
                cli_table_put(t, "(%td,%td)", i + 1, j + 1);
                cli_table_number(t, label != NULL ? label[e] : (double)NAN);
                cli_table_number(t, whole != NULL ? whole[e] : (double)NAN);
                cli_table_number(t, v[0][e]);
                cli_table_number(t, v[1][e]);
                cli_table_number(t, whole != NULL ? (v[0][e] - whole[e]) / v[1][e] : (double)NAN);
            }
        if (whole != NULL) plot_add(p, PLOT_POINTS | PLOT_BARS, f, n, whole, v[0], bar, bar + n, "pairs of test inputs, 3 standard errors%s", FORMS[f][1]);
        if (label != NULL) plot_add(p, PLOT_POINTS, 3 + f, n, label, v[0], NULL, NULL, "label-aware part alone%s", FORMS[f][1]);
    }
    if (!any) goto done;
    double low = INFINITY, high = -INFINITY;
    for (ptrdiff_t e = 0; e < n; ++e) low = fmin(low, v[0][e]), high = fmax(high, v[0][e]);
    plot_add(p, PLOT_DASHED, -1, 2, (const double[]){ low, high }, (const double[]){ low, high }, NULL, NULL, "measured = predicted");
    CLI_TRY(report_plot(r, &p, group));
done:
    for (int q = 0; q < 8; ++q) free(v[q]);
    free(bar);
    plot_destroy(&p);
    return st;
}

/* Calls for each group with a dataset of that name. */
static nth_status each_group(report *r, source *s, const char *with, cli_table *t, nth_status (*group)(report *r, source *s, const char *group, cli_table *t))
{
    nth_status   st = NTH_OK;
    const size_t length = strlen(with);
    report_grid(r);
    for (ptrdiff_t i = 0; st == NTH_OK && i < s->sets; ++i) {
        char         name[MAX_PATH];
        const size_t n = strlen(s->set[i].name);
        if (n <= length || n >= sizeof name || strcmp(s->set[i].name + n - length, with) != 0) continue;
        snprintf(name, sizeof name, "%.*s", (int)(n - length), s->set[i].name);
        st = group(r, s, name, t);
    }
    report_grid_end(r);
    return st;
}

nth_status report_drift(report *r, source *s)
{
    nth_status st = NTH_OK;
    cli_table *t = cli_table_create("Pairs of test inputs; the last column is the distance in standard errors",
                                    "network|pair|label part|complete|measured|standard error|off by");
    CLI_TRY(each_group(r, s, "/measured", t, drift_group));
    CLI_TRY(report_table(r, &t, "mean-drift"));
done:
    cli_table_destroy(&t);
    return st;
}

/* ---- Exponents of the mean drift ------------------------------------------------------------------ */

static nth_status exponent_group(report *r, source *s, const char *group, cli_table *t)
{
    static const char *const part[] = { "widths", "values", "exponents", "networks" }, *const what[] = { "mean, training diagonal", "standard deviation, pairs of test inputs" };
    nth_status               st = NTH_OK;
    double                  *v[4] = { NULL };
    ptrdiff_t                n[4];
    char                     name[MAX_PATH];
    bool                    *used = NULL;
    plot                    *p = plot_create("width m", "K_T - K_0", "%s", group + 1);
    for (int q = 0; q < 4; ++q) {
        snprintf(name, sizeof name, "%s/%s", group, part[q]);
        CLI_TRY(source_vector(r, s, name, &v[q], &n[q]));
    }
    used = malloc((size_t)(n[0] + 1) * sizeof *used);
    if (p == NULL || used == NULL) CLI_TRY(cli_fail(r->c, NTH_E_NOMEM, "out of memory"));
    if (v[0] == NULL || v[1] == NULL || v[2] == NULL || n[1] != 2 * n[0] || n[2] != 6) goto done;
    p->log_x = p->log_y = true;
    for (ptrdiff_t i = 0; i < n[0]; ++i) used[i] = true;
    for (int q = 0; q < 2; ++q) {
        cli_table_put(t, "%s", group + 1);
        cli_table_put(t, "%s", what[q]);
        for (int k = 0; k < 3; ++k) cli_table_number(t, v[2][3 * q + k]);
        report_power(p, q, n[0], v[0], v[1] + q * n[0], NULL, used, v[2] + 3 * q, NAN, what[q]);
    }
    CLI_TRY(report_plot(r, &p, group));
done:
    for (int q = 0; q < 4; ++q) free(v[q]);
    free(used);
    plot_destroy(&p);
    return st;
}

nth_status report_exponents(report *r, source *s)
{
    nth_status st = NTH_OK;
    cli_table *t = cli_table_create("Exponents of K_T - K_0 in the width, with 95 % intervals", "network|quantity|exponent|low|high");
    CLI_TRY(each_group(r, s, "/exponents", t, exponent_group));
    CLI_TRY(report_table(r, &t, "drift-exponents"));
done:
    cli_table_destroy(&t);
    return st;
}

/* ---- Claim 1.1 ------------------------------------------------------------------------------------ */

nth_status report_claim(report *r, source *s)
{
    nth_status     st = NTH_OK;
    const dataset *d = source_find(s, "/rows");
    double        *v = NULL;
    ptrdiff_t      n;
    char          *lines = source_attribute(s, "/rows", "lines"), *at = lines;
    cli_table     *t = cli_table_create("Test errors of two systems of labels on the same inputs", "inputs, kernel, labels|test error|standard error|verdict");
    if (d == NULL || d->rank != 2 || d->dims[1] != 3) goto done;
    CLI_TRY(source_vector(r, s, "/rows", &v, &n));
    for (ptrdiff_t i = 0; v != NULL && i < d->dims[0]; ++i) {
        const int length = at != NULL ? (int)strcspn(at, "\n") : 0;
        if (length > 0) cli_table_put(t, "%.*s", length, at);
        else cli_table_put(t, "row %td", i + 1);
        if (at != NULL) at += length + (at[length] == '\n');
        cli_table_number(t, v[3 * i]);
        cli_table_number(t, v[3 * i + 1]);
        cli_table_put(t, "%s", isnan(v[3 * i + 2]) ? "-" : v[3 * i + 2] == 1.0 ? "holds" : "fails");
    }
    CLI_TRY(report_table(r, &t, "claim"));
done:
    free(v), free(lines);
    cli_table_destroy(&t);
    return st;
}

/* ---- Local elasticity ----------------------------------------------------------------------------- */

static const char *const pairs[] = { "train-train", "test-train" };

/* A line for each dataset under `group` and set of pairs; with a verdict in the fifth column. */
static nth_status ratio_table(report *r, source *s, const char *group, const char *caption, const char *slug, bool verdict)
{
    nth_status   st = NTH_OK;
    const size_t length = strlen(group);
    double      *v = NULL;
    ptrdiff_t    n;
    cli_table *t = cli_table_create(caption, verdict ? "difference|pairs|RR|standard error|low|high|verdict" : "kernel|pairs|RR|standard error|low|high");
    for (ptrdiff_t i = 0; i < s->sets; ++i) {
        const dataset *d = &s->set[i];
        if (strncmp(d->name, group, length) != 0 || d->rank != 2 || d->dims[1] != (verdict ? 5 : 4)) continue;
        CLI_TRY(source_vector(r, s, d->name, &v, &n));
        for (ptrdiff_t row = 0; v != NULL && row < d->dims[0] && row < 2; ++row) {
            const double *x = v + row * d->dims[1];
            cli_table_put(t, "%s", d->name + length);
            cli_table_put(t, "%s", pairs[row]);
            for (int j = 0; j < 4; ++j) cli_table_number(t, x[j]);
            if (verdict) cli_table_put(t, "%s", isnan(x[4]) ? "-" : x[4] == 1.0 ? "holds" : "fails");
        }
        free(v), v = NULL;
    }
    CLI_TRY(report_table(r, &t, slug));
done:
    free(v);
    cli_table_destroy(&t);
    return st;
}

/* What RR of nth elastic is made from. */
static nth_status means_table(report *r, source *s)
{
    nth_status     st = NTH_OK;
    const dataset *d = source_find(s, "/pairs/kernel");
    double        *v = NULL;
    ptrdiff_t      n;
    cli_table     *t = cli_table_create("Means of the normalised kernel over ordered pairs", "pairs|M1, one class|M2, two classes|pairs of one class|of two");
    if (d == NULL || d->rank != 2 || d->dims[1] != 4) goto done;
    CLI_TRY(source_vector(r, s, d->name, &v, &n));
    for (ptrdiff_t row = 0; v != NULL && row < d->dims[0] && row < 2; ++row) {
        cli_table_put(t, "%s", pairs[row]);
        for (int j = 0; j < 4; ++j) cli_table_number(t, v[4 * row + j]);
    }
    CLI_TRY(report_table(r, &t, "means"));
done:
    free(v);
    cli_table_destroy(&t);
    return st;
}

nth_status report_elasticity(report *r, source *s)
{
    nth_status st = NTH_OK;
    CLI_TRY(ratio_table(r, s, "/rr/", "Local elasticity RR of each kernel, 95 % intervals", "elasticity", false));
    CLI_TRY(means_table(r, s));
    CLI_TRY(ratio_table(r, s, "/differences/", "Paired differences and shares, 95 % intervals; no verdict: reported only", "differences", true));
done:
    return st;
}
