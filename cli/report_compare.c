/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Several files in one report (report.h): curves of runs in one plot, verdicts, fits and kernels side by side, and the
 * difference E_t = K_t - Khat_t of a trained kernel and a predicted one.
 */
#include "report.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { MAX_FILES = 64 };

/* Files of a kind that can be shown, at most MAX_FILES. */
static ptrdiff_t of_kind(source *s, ptrdiff_t count, report_kind k, source **out)
{
    ptrdiff_t n = 0;
    for (ptrdiff_t i = 0; i < count && n < MAX_FILES; ++i)
        if (s[i].file != NULL && s[i].kind == k) out[n++] = &s[i];
    return n;
}

static const char *setting(const source *s, const char *key)
{
    const char *v = nth_json_string(nth_json_get(s->config, key));
    return v != NULL ? v : "?";
}

/* ---- E_t ---------------------------------------------------------------------------------------- */

static nth_status error_at(report *r, block K, block hat, double t, cli_table *table, source *flow, source *khat)
{
    nth_status      st = NTH_OK;
    const ptrdiff_t rows = K.set->dims[1];
    dataset        *K0 = source_find(khat, strcmp(K.set->name, "/K_test") == 0 ? "/K0_test" : "/K0");
    stats           e, moved = { .frobenius = NAN };
    CLI_TRY(report_scan(r, K, hat, rows, &e, NULL, NULL, NULL));
    if (K0 != NULL && K0->rank == 2 && K0->dims[0] == rows && K0->dims[1] == K.set->dims[2])
        CLI_TRY(report_scan(r, K, (block){ khat, K0, 0 }, rows, &moved, NULL, NULL, NULL));
    cli_table_put(table, "%s - %s", flow->base, khat->base);
    cli_table_put(table, "%s", strcmp(K.set->name, "/K_test") == 0 ? "test-train" : "train");
    cli_table_number(table, t);
    cli_table_number(table, fmax(e.max, -e.min));
    cli_table_number(table, e.frobenius);
    cli_table_number(table, moved.frobenius);
    CLI_TRY(report_heat(r, K, hat, rows, "E", "E_t = K_t - Khat_t, %s, t = %g", K.set->name + 1, t));
done:
    return st;
}

/* At the times that both files have. */
static nth_status prediction_error(report *r, source *flow, source *khat, cli_table *table)
{
    nth_status st = NTH_OK;
    double    *t = NULL, *u = NULL;
    ptrdiff_t  T, U, done = 0;
    CLI_TRY(source_vector(r, flow, "/t", &t, &T));
    CLI_TRY(source_vector(r, khat, "/t", &u, &U));
    for (int test = 0; test < 2; ++test) {
        dataset *K = source_find(flow, test ? "/K_test" : "/K"), *hat = source_find(khat, test ? "/Khat_test" : "/Khat");
        if (K == NULL || hat == NULL || K->rank != 3 || hat->rank != 3 || K->dims[0] != T || hat->dims[0] != U || K->dims[1] != hat->dims[1] ||
            K->dims[2] != hat->dims[2])
            continue;
        for (ptrdiff_t i = 0; i < T; ++i)
            for (ptrdiff_t j = 0; j < U; ++j) {
                if (!(t[i] == u[j]) || done > 8) continue;
                CLI_TRY(error_at(r, (block){ flow, K, i * K->dims[1] }, (block){ khat, hat, j * hat->dims[1] }, t[i], table, flow, khat));
                ++done;
            }
    }
    if (done > 0 && (strcmp(setting(flow, "net"), setting(khat, "net")) != 0 || strcmp(setting(flow, "data"), setting(khat, "data")) != 0))
        report_warn(r, "%s is of network %s and data %s, %s of network %s and data %s.", flow->base, setting(flow, "net"), setting(flow, "data"),
                    khat->base, setting(khat, "net"), setting(khat, "data"));
done:
    free(t), free(u);
    return st;
}

static nth_status predictions(report *r, source *s, ptrdiff_t count)
{
    nth_status st = NTH_OK;
    source    *flow[MAX_FILES], *khat[MAX_FILES];
    const ptrdiff_t F = of_kind(s, count, KIND_FLOW, flow), H = of_kind(s, count, KIND_KHAT, khat);
    cli_table *t = NULL;
    if (F == 0 || H == 0) return NTH_OK;
    t = cli_table_create("E_t = K_t - Khat_t of trained and predicted kernels", "files|pairs|t|largest entry|Frobenius norm|that of K_t - K_0");
    report_heading(r, 3, "Trained and predicted kernels");
    report_grid(r);
    for (ptrdiff_t i = 0; st == NTH_OK && i < F; ++i)
        for (ptrdiff_t j = 0; st == NTH_OK && j < H; ++j) st = prediction_error(r, flow[i], khat[j], t);
    report_grid_end(r);
    if (st == NTH_OK && cli_table_rows(t) == 0) report_say(r, "No two of the files have a time and the numbers of inputs in common.");
    if (st == NTH_OK) st = report_table(r, &t, "prediction-error");
    cli_table_destroy(&t);
    return st;
}

/* ---- Files of one kind ---------------------------------------------------------------------------- */

/* ||A - B|| of all pairs of kernels with the same shape. */
static nth_status kernels(report *r, source *const *s, ptrdiff_t n, const char *name)
{
    nth_status st = NTH_OK;
    stats      d, b;
    const block none = { .set = NULL };
    cli_table *t = cli_table_create("Kernels of the same shape", "first|second|dataset|Frobenius norm of the difference|of the second|relative|largest difference");
    for (ptrdiff_t i = 0; i < n; ++i)
        for (ptrdiff_t j = 0; j < i; ++j) {
            dataset *A = source_find(s[i], name), *B = source_find(s[j], name);
            if (A == NULL || B == NULL || A->rank != 2 || B->rank != 2 || A->dims[0] != B->dims[0] || A->dims[1] != B->dims[1]) continue;
            st = report_scan(r, (block){ s[i], A, 0 }, (block){ s[j], B, 0 }, A->dims[0], &d, NULL, NULL, NULL);
            if (st == NTH_OK) st = report_scan(r, (block){ s[j], B, 0 }, none, B->dims[0], &b, NULL, NULL, NULL);
            if (st == NTH_E_NOMEM || st == NTH_E_INTERRUPTED) goto done;
            if (st != NTH_OK) continue;
            cli_table_put(t, "%s", s[i]->base);
            cli_table_put(t, "%s", s[j]->base);
            cli_table_put(t, "%s", name + 1);
            cli_table_number(t, d.frobenius);
            cli_table_number(t, b.frobenius);
            cli_table_number(t, d.frobenius / b.frobenius);
            cli_table_number(t, fmax(d.max, -d.min));
        }
    st = report_table(r, &t, "kernels");
done:
    cli_table_destroy(&t);
    return st;
}

/* The chosen fit of each file. */
static nth_status fits(report *r, source *const *s, ptrdiff_t n)
{
    nth_status st = NTH_OK;
    double    *v = NULL;
    ptrdiff_t  count;
    cli_table *t = cli_table_create("The fit chosen in each file", "file|kernel|weight|ridge|leave-one-out mse|GCV|smallest eigenvalue|condition|test accuracy or mse");
    for (ptrdiff_t i = 0; i < n; ++i) {
        char           *chosen = source_attribute(s[i], "/fits", "chosen");
        const ptrdiff_t row = chosen != NULL ? (ptrdiff_t)strtol(chosen, NULL, 10) : 0;
        free(chosen);
        CLI_TRY(source_vector(r, s[i], "/fits", &v, &count));
        if (v != NULL && row >= 0 && 7 * (row + 1) <= count) {
            cli_table_put(t, "%s", s[i]->base);
            cli_table_put(t, "%s", setting(s[i], "gram"));
            for (int j = 0; j < 7; ++j) cli_table_number(t, v[7 * row + j]);
        }
        free(v);
        v = NULL;
    }
    st = report_table(r, &t, "fits");
done:
    cli_table_destroy(&t);
    return st;
}

/* The exponents of a sweep at its last time beside those of others: one row for each claim of a file. */
static nth_status sweeps(report *r, source *const *s, ptrdiff_t n)
{
    nth_status st = NTH_OK;
    cli_table *t = cli_table_create("Exponents at the last time, file by file", "network|claim|file|predicted|exponent|low|high|verdict");
    for (ptrdiff_t i = 0; i < n; ++i) {
        nth_json *v = NULL;
        char     *text = source_attribute(s[i], "/", "verdict");
        if (text != NULL && nth_json_parse(&v, "verdict", text) == NTH_E_NOMEM) st = cli_fail(r->c, NTH_E_NOMEM, "out of memory");
        free(text);
        if (st != NTH_OK) goto done;
        for (const nth_json *c = nth_json_first(nth_json_get(v, "claims")); c != NULL; c = nth_json_next(c)) {
            const nth_json *rate = nth_json_first(nth_json_get(c, "rates"));
            while (nth_json_next(rate) != NULL) rate = nth_json_next(rate);
            const char *const head[] = { "family", "claim" };
            for (int k = 0; k < 2; ++k) {
                const char *w = nth_json_string(nth_json_get(c, head[k]));
                cli_table_put(t, "%s", w != NULL ? w : "-");
            }
            cli_table_put(t, "%s", s[i]->base);
            cli_table_number(t, nth_json_number(nth_json_get(c, "predicted")));
            cli_table_number(t, nth_json_number(nth_json_get(rate, "slope")));
            cli_table_number(t, nth_json_number(nth_json_get(rate, "low")));
            cli_table_number(t, nth_json_number(nth_json_get(rate, "high")));
            const char *w = nth_json_string(nth_json_get(c, "verdict"));
            cli_table_put(t, "%s", w != NULL ? w : "-");
        }
        nth_json_destroy(&v);
    }
    st = report_table(r, &t, "exponents");
done:
    cli_table_destroy(&t);
    return st;
}

nth_status report_compare(report *r, source *s, ptrdiff_t count)
{
    nth_status st = NTH_OK;
    source    *of[MAX_FILES];
    ptrdiff_t  n;
    r->section = 0;
    report_heading(r, 2, "All files");
    (void)fflush(r->body);
    const size_t before = r->body_size;
    CLI_TRY(predictions(r, s, count));
    n = of_kind(s, count, KIND_FLOW, of);
    if (n > 1) CLI_TRY(report_curves(r, of, n));
    n = of_kind(s, count, KIND_OPTIMIZER, of);
    if (n > 1) CLI_TRY(report_curves(r, of, n));
    n = of_kind(s, count, KIND_REGRESS, of);
    if (n > 1) CLI_TRY(fits(r, of, n));
    n = of_kind(s, count, KIND_SWEEP, of);
    if (n > 1) CLI_TRY(sweeps(r, of, n));
    for (int k = 0; k < 4; ++k) {
        static const report_kind kind[] = { KIND_KERNEL, KIND_LABEL, KIND_LANTK, KIND_KHAT };
        static const char *const name[] = { "/K", "/K_label", "/Z", "/K0" };
        n = of_kind(s, count, kind[k], of);
        if (n > 1) CLI_TRY(kernels(r, of, n, name[k]));
    }
    (void)fflush(r->body);
    if (r->body_size == before) report_say(r, "No two of them have anything that would be shown side by side.");
done:
    return st;
}
