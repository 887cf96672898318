/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Sections of nth verify theorem-2.1 and truncation (report.h): verdicts, exponents, sizes against width and time, what the
 * theorem presupposes. All is taken from the root attribute `verdict`, JSON as nth verify --json prints it.
 */
#include "report.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { MOST = 64 };

static const char *word(const nth_json *o, const char *key)
{
    const char *s = nth_json_string(nth_json_get(o, key));
    return s != NULL ? s : "-";
}

static double number(const nth_json *o, const char *key) { return nth_json_number(nth_json_get(o, key)); }

/* ---- Power laws ---------------------------------------------------------------------------------- */

void report_power(plot *p, int colour, ptrdiff_t n, const double *x, const double *y, const double *upper, const bool *used,
                  const double rate[3], double predicted, const char *name)
{
    double    mx = 0.0, my = 0.0, left = INFINITY, right = -INFINITY, end[2], fit[2], low[2], high[2], theory[2];
    ptrdiff_t points = 0;
    char      interval[64] = "", theirs[48] = "";
    if (p == NULL) return;
    for (ptrdiff_t i = 0; i < n; ++i) {
        if (!used[i] || !plot_drawable(p, x[i], y[i])) continue;
        mx += log(x[i]), my += log(y[i]), ++points;
        left = fmin(left, x[i]), right = fmax(right, x[i]);
    }
    mx /= (double)points, my /= (double)points;
    if (isfinite(rate[1])) snprintf(interval, sizeof interval, " [%.2f, %.2f]", rate[1], rate[2]);
    if (isfinite(predicted)) snprintf(theirs, sizeof theirs, ", predicted %g", predicted);
    if (points > 1 && isfinite(rate[0])) {
        for (int e = 0; e < 2; ++e) {
            end[e] = e == 0 ? left : right;
            const double d = log(end[e]) - mx, a = exp(my + rate[1] * d), b = exp(my + rate[2] * d);
            fit[e] = exp(my + rate[0] * d), theory[e] = exp(my + predicted * d);
            low[e] = fmin(a, b), high[e] = fmax(a, b);
        }
        const double middle = exp(mx), at = exp(my); /* the lines meet at the mean of the logs */
        const double bx[3] = { end[0], middle, end[1] }, by[3] = { fit[0], at, fit[1] }, bl[3] = { low[0], at, low[1] }, bh[3] = { high[0], at, high[1] };
        plot_add(p, PLOT_LINE | PLOT_UNNAMED | (isfinite(rate[1]) ? PLOT_BAND : 0), colour, 3, bx, by, bl, bh, "fit");
        if (isfinite(predicted)) plot_add(p, PLOT_DASHED | PLOT_UNNAMED, colour, 2, end, theory, NULL, NULL, "predicted");
    }
    if (isfinite(rate[0])) plot_add(p, PLOT_POINTS | (upper != NULL ? PLOT_BARS : 0), colour, n, x, y, upper != NULL ? y : NULL, upper, "%s: %.2f%s%s", name, rate[0], interval, theirs);
    else plot_add(p, PLOT_POINTS, colour, n, x, y, NULL, NULL, "%s", name);
}

/* ---- Claims ------------------------------------------------------------------------------------- */

/* The claim without what its family says already. */
static const char *short_name(const char *name)
{
    const char *colon = strstr(name, ": ");
    return colon != NULL ? colon + 2 : name;
}

static void add_claim(plot *p, int colour, const nth_json *claim, const nth_json *rate, const nth_json *family)
{
    double          x[MOST], y[MOST], upper[MOST], gone[MOST];
    bool            used[MOST];
    const bool      in_time = strcmp(word(claim, "variable"), "t") == 0;
    const ptrdiff_t n = nth_json_doubles(nth_json_get(family, in_time ? "times" : "widths"), x, MOST);
    const ptrdiff_t m = nth_json_doubles(nth_json_get(rate, "median"), y, MOST), dropped = nth_json_doubles(nth_json_get(rate, "dropped"), gone, MOST);
    const double    fit[3] = { number(rate, "slope"), number(rate, "low"), number(rate, "high") };
    if (n != m || n > MOST || nth_json_doubles(nth_json_get(rate, "upper_90"), upper, MOST) != n) return;
    /* a file without the list: the line is drawn only if it goes through all points */
    const bool all = nth_json_get(rate, "dropped") != NULL || number(rate, "points") >= (double)n;
    for (ptrdiff_t i = 0; i < n; ++i) used[i] = all;
    for (ptrdiff_t k = 0; k < dropped && k < MOST; ++k)
        if (gone[k] >= 0.0 && gone[k] < (double)n) used[(ptrdiff_t)gone[k]] = false;
    report_power(p, colour, n, x, y, upper, used, fit, number(claim, "predicted"), short_name(word(claim, "claim")));
}

/* Rate `which` of all claims on a family in one plot. */
static nth_status family_plot(report *r, const nth_json *verdict, const nth_json *family, ptrdiff_t which, double t)
{
    const char *label = word(family, "family");
    plot       *p = NULL;
    int         colour = 0;
    char        title[200];
    for (const nth_json *c = nth_json_first(nth_json_get(verdict, "claims")); c != NULL; c = nth_json_next(c)) {
        if (strcmp(word(c, "family"), label) != 0) continue;
        const nth_json *rate = nth_json_first(nth_json_get(c, "rates"));
        for (ptrdiff_t k = 0; k < which && rate != NULL; ++k) rate = nth_json_next(rate);
        if (rate == NULL) continue;
        const bool in_time = strcmp(word(c, "variable"), "t") == 0;
        if (in_time) snprintf(title, sizeof title, "%s", label);
        else snprintf(title, sizeof title, "%s, t = %g", label, t);
        if (p == NULL) p = plot_create(in_time ? "time t" : "width m", "median over networks", "%s", title);
        if (p == NULL) return cli_fail(r->c, NTH_E_NOMEM, "out of memory");
        p->log_x = p->log_y = true;
        add_claim(p, colour++, c, rate, family);
    }
    return p != NULL ? report_plot(r, &p, title) : NTH_OK;
}

static nth_status plots(report *r, const nth_json *verdict)
{
    nth_status st = NTH_OK;
    report_heading(r, 3, "Sizes and exponents");
    report_say(r, "Points: medians over networks, with a bar up to the 90 %% quantile. Lines: fits; shaded: slopes within the 95 %% interval; dashed: the "
               "predicted slope through the same centre. Points below the rounding floor are not fitted.");
    for (int in_time = 0; in_time < 2; ++in_time) {
        report_grid(r);
        for (const nth_json *f = nth_json_first(nth_json_get(verdict, "families")); st == NTH_OK && f != NULL; f = nth_json_next(f)) {
            double          t[MOST];
            const bool      small = strstr(word(f, "family"), "small t") != NULL;
            const ptrdiff_t T = nth_json_doubles(nth_json_get(f, "times"), t, MOST);
            if (small != (in_time == 1)) continue;
            for (ptrdiff_t k = 0; st == NTH_OK && k < (small ? 1 : T) && k < MOST; ++k) st = family_plot(r, verdict, f, k, t[k]);
        }
        report_grid_end(r);
    }
    return st;
}

static nth_status verdict_table(report *r, const nth_json *verdict)
{
    nth_status st = NTH_OK;
    long       count[4] = { 0 };
    cli_table *t = cli_table_create("Verdicts; the exponent is that of the last time", "network|claim|kind|in|predicted|exponent|low|high|verdict");
    for (const nth_json *c = nth_json_first(nth_json_get(verdict, "claims")); c != NULL; c = nth_json_next(c)) {
        const nth_json *rate = nth_json_first(nth_json_get(c, "rates"));
        const char     *v = word(c, "verdict");
        while (nth_json_next(rate) != NULL) rate = nth_json_next(rate);
        ++count[strcmp(v, "holds") == 0 ? 0 : strcmp(v, "fails") == 0 ? 1 : strcmp(v, "undecided") == 0 ? 2 : 3];
        cli_table_put(t, "%s", word(c, "family"));
        cli_table_put(t, "%s", word(c, "claim"));
        cli_table_put(t, "%s", word(c, "kind"));
        cli_table_put(t, "%s", word(c, "variable"));
        cli_table_number(t, number(c, "predicted"));
        cli_table_number(t, number(rate, "slope"));
        cli_table_number(t, number(rate, "low"));
        cli_table_number(t, number(rate, "high"));
        cli_table_put(t, "%s", v);
    }
    report_say(r, "%ld claims hold, %ld fail, %ld are undecided; %ld exponents are reported without a verdict.", count[0], count[1], count[2], count[3]);
    CLI_TRY(report_table(r, &t, "verdicts"));
done:
    cli_table_destroy(&t);
    return st;
}

static nth_status exponent_table(report *r, const nth_json *verdict)
{
    nth_status st = NTH_OK;
    cli_table *t = cli_table_create("", "network|claim|kind|in|t|predicted|band|exponent|low|high|points|verdict");
    for (const nth_json *c = nth_json_first(nth_json_get(verdict, "claims")); c != NULL; c = nth_json_next(c))
        for (const nth_json *rate = nth_json_first(nth_json_get(c, "rates")); rate != NULL; rate = nth_json_next(rate)) {
            cli_table_put(t, "%s", word(c, "family"));
            cli_table_put(t, "%s", word(c, "claim"));
            cli_table_put(t, "%s", word(c, "kind"));
            cli_table_put(t, "%s", word(c, "variable"));
            cli_table_number(t, number(rate, "t"));
            cli_table_number(t, number(c, "predicted"));
            cli_table_number(t, number(c, "band"));
            cli_table_number(t, number(rate, "slope"));
            cli_table_number(t, number(rate, "low"));
            cli_table_number(t, number(rate, "high"));
            cli_table_number(t, number(rate, "points"));
            cli_table_put(t, "%s", word(c, "verdict"));
        }
    report_fold(r, "exponents at all times");
    CLI_TRY(report_table(r, &t, "exponents"));
done:
    report_unfold(r);
    cli_table_destroy(&t);
    return st;
}

static nth_status preconditions(report *r, const nth_json *verdict)
{
    static const char *const key[] = { "seeds", "lambda_min", "lambda_max", "max_initial_output", "time_window", "bound_constant", "bound_constant_growth" };
    nth_status               st = NTH_OK;
    double                   v[MOST];
    char                     text[512] = "";
    cli_table               *t = cli_table_create("What the theorem presupposes, as found (logarithms dropped in window and constant)",
                                                  "network|smooth|zero biases|networks|least eigenvalue|largest eigenvalue|max f_0|window|constant|its growth");
    report_heading(r, 3, "Preconditions");
    for (const nth_json *f = nth_json_first(nth_json_get(verdict, "families")); f != NULL; f = nth_json_next(f)) {
        cli_table_put(t, "%s", word(f, "family"));
        cli_table_put(t, number(f, "smooth") == 1.0 ? "yes" : "no: outside the theorem");
        cli_table_put(t, number(f, "zero_biases") == 1.0 ? "yes" : "no");
        for (size_t k = 0; k < sizeof key / sizeof *key; ++k) cli_table_number(t, number(f, key[k]));
    }
    CLI_TRY(report_table(r, &t, "preconditions"));
    const ptrdiff_t n = nth_json_doubles(nth_json_get(verdict, "input_tuples"), v, MOST);
    for (ptrdiff_t i = 0; i < n && i < MOST; ++i) snprintf(text + strlen(text), sizeof text - strlen(text), " %.2g", v[i]);
    if (n > 0) report_say(r, "Smallest singular value of r training inputs, r = 1, 2, ..:%s (0: dependent)", text);
done:
    cli_table_destroy(&t);
    return st;
}

/* *verdict stays NULL where the file has none that can be read. */
static nth_status read_verdict(report *r, source *s, nth_json **verdict)
{
    nth_status st = NTH_OK;
    char      *text = source_attribute(s, "/", "verdict");
    if (text != NULL) st = nth_json_parse(verdict, "verdict", text);
    free(text);
    if (st == NTH_E_NOMEM) return cli_fail(r->c, st, "out of memory");
    if (st != NTH_OK) report_warn(r, "%s: %s", s->path, nth_last_error().message);
    return NTH_OK;
}

nth_status report_sweep(report *r, source *s)
{
    nth_status st = NTH_OK;
    nth_json  *verdict = NULL;
    char      *data = source_attribute(s, "/", "data");
    if (data != NULL) report_say(r, "Data: %s", data);
    CLI_TRY(read_verdict(r, s, &verdict));
    if (verdict == NULL) {
        report_warn(r, "No verdicts in the file: %td networks are finished; the same command continues the sweep.", s->members);
        goto done;
    }
    CLI_TRY(verdict_table(r, verdict));
    CLI_TRY(exponent_table(r, verdict));
    CLI_TRY(plots(r, verdict));
    CLI_TRY(preconditions(r, verdict));
done:
    free(data);
    nth_json_destroy(&verdict);
    return st;
}
