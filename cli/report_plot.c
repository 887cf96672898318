/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * A plot as data (report.h): series that are copied in, axes with ticks, and the files made of it.
 */
#include "report.h"

#include <errno.h>
#include <math.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

/* Beyond this much text a plot is linked, not shown: the page stays below 5 MB. */
enum { PAGE_BYTES = 4000000 };

plot *plot_create(const char *x_label, const char *y_label, const char *fmt, ...)
{
    va_list ap;
    plot   *p = calloc(1, sizeof *p);
    if (p == NULL) return NULL;
    va_start(ap, fmt);
    vsnprintf(p->title, sizeof p->title, fmt, ap);
    va_end(ap);
    snprintf(p->x_label, sizeof p->x_label, "%s", x_label);
    snprintf(p->y_label, sizeof p->y_label, "%s", y_label);
    return p;
}

void plot_destroy(plot **p)
{
    if (p == NULL || *p == NULL) return;
    for (int i = 0; i < (*p)->count; ++i) {
        plot_series *s = &(*p)->series[i];
        free(s->x), free(s->y), free(s->low), free(s->high);
    }
    free((*p)->z), free(*p);
    *p = NULL;
}

static double *copy(plot *p, const double *v, ptrdiff_t n)
{
    double *to = v != NULL && n > 0 ? malloc((size_t)n * sizeof *to) : NULL;
    if (to != NULL) memcpy(to, v, (size_t)n * sizeof *to);
    else if (v != NULL && n > 0) p->lost = true;
    return to;
}

void plot_add(plot *p, unsigned style, int colour, ptrdiff_t n, const double *x, const double *y, const double *low,
              const double *high, const char *fmt, ...)
{
    va_list ap;
    if (p == NULL || p->count == PLOT_SERIES) return;
    plot_series *s = &p->series[p->count++];
    va_start(ap, fmt);
    vsnprintf(s->label, sizeof s->label, fmt, ap);
    va_end(ap);
    s->style = style, s->colour = colour < 0 ? -1 : colour % PLOT_COLOURS, s->n = n;
    s->x = copy(p, x, n), s->y = copy(p, y, n), s->low = copy(p, low, n), s->high = copy(p, high, n);
}

bool plot_drawable(const plot *p, double x, double y)
{
    return isfinite(x) && isfinite(y) && (!p->log_x || x > 0.0) && (!p->log_y || y > 0.0);
}

/* ---- Axes --------------------------------------------------------------------------------------- */

static void widen(double v, bool log, double *low, double *high)
{
    if (!isfinite(v) || (log && !(v > 0.0))) return;
    if (log) v = log10(v);
    *low = fmin(*low, v), *high = fmax(*high, v);
}

static void add_tick(plot_axis *a, double v)
{
    if (a->count < 16 && v >= a->low - 1e-9 * (a->high - a->low) && v <= a->high + 1e-9 * (a->high - a->low)) a->tick[a->count++] = v;
}

static void linear_ticks(plot_axis *a)
{
    const double raw = (a->high - a->low) / 5.0, unit = pow(10.0, floor(log10(raw))), by = raw / unit;
    const double step = unit * (by < 1.5 ? 1.0 : by < 3.5 ? 2.0 : by < 7.5 ? 5.0 : 10.0);
    for (double k = ceil(a->low / step - 1e-9); k * step <= a->high + 1e-9 * step && a->count < 16; k += 1.0) add_tick(a, k * step);
}

/* Decades; 1, 2, 5 where there are few of them, every second, third, .. where there are many. */
static void log_ticks(plot_axis *a)
{
    const int first = (int)floor(a->low), last = (int)ceil(a->high), step = (last - first) / 7 + 1;
    for (int d = first; d <= last; d += step) {
        add_tick(a, d);
        if (a->high - a->low < 2.6) add_tick(a, d + log10(2.0)), add_tick(a, d + log10(5.0));
    }
    if (a->count > 2 || a->high - a->low > 1.5) return;
    plot_axis plain = { .low = pow(10.0, a->low), .high = pow(10.0, a->high) }; /* less than a decade: as without logs */
    linear_ticks(&plain);
    a->count = 0;
    for (int i = 0; i < plain.count; ++i)
        if (plain.tick[i] > 0.0) add_tick(a, log10(plain.tick[i]));
}

plot_axis plot_axis_of(const plot *p, bool of_x)
{
    plot_axis a = { .log = of_x ? p->log_x : p->log_y, .low = INFINITY, .high = -INFINITY };
    for (int i = 0; i < p->count; ++i) {
        const plot_series *s = &p->series[i];
        for (ptrdiff_t k = 0; k < s->n; ++k) {
            if (!plot_drawable(p, s->x[k], s->y[k])) continue;
            widen(of_x ? s->x[k] : s->y[k], a.log, &a.low, &a.high);
            if (of_x || (s->style & PLOT_BAND) != 0) continue; /* a band is cut off rather than the data squeezed */
            if (s->low != NULL) widen(s->low[k], a.log, &a.low, &a.high);
            if (s->high != NULL) widen(s->high[k], a.log, &a.low, &a.high);
        }
    }
    if (!(a.low <= a.high)) a.low = 0.0, a.high = 1.0;
    const double span = a.high - a.low, size = fmax(fabs(a.low), fabs(a.high));
    const double margin = span > 1e-12 * size ? 0.06 * span : a.log ? 0.3 : size > 0.0 ? 0.1 * size : 1.0;
    a.low -= margin, a.high += margin;
    if (a.log) log_ticks(&a);
    else linear_ticks(&a);
    return a;
}

double plot_axis_place(const plot_axis *a, double v) { return ((a->log ? log10(v) : v) - a->low) / (a->high - a->low); }

/* ---- Files -------------------------------------------------------------------------------------- */

static bool anything(const plot *p)
{
    if (p->z != NULL) return true;
    for (int i = 0; i < p->count; ++i)
        for (ptrdiff_t k = 0; k < p->series[i].n; ++k)
            if (plot_drawable(p, p->series[i].x[k], p->series[i].y[k])) return true;
    return false;
}

static nth_status write_files(report *r, const plot *p, const char *name)
{
    nth_status st = NTH_OK;
    char       file[160];
    FILE      *f = NULL;
    for (int part = 0; part < 3; ++part) {
        snprintf(file, sizeof file, "%s.%s", name, part == 0 ? "svg" : part == 1 ? "dat" : "gp");
        CLI_TRY(report_create(r, &f, file));
        if (part == 0) report_svg(f, p, true);
        else if (part == 1) report_gnuplot_data(f, p);
        else report_gnuplot_script(f, p, name);
        CLI_TRY(report_close_file(r, &f, file));
    }
    for (int part = 0; part < 2; ++part) { /* gnuplot makes them, today or when the user runs it */
        snprintf(file, sizeof file, "%s.%s", name, part == 0 ? "pdf" : "png");
        CLI_TRY(report_note_name(r, file));
    }
done:
    if (f != NULL) fclose(f);
    return st;
}

nth_status report_plot(report *r, plot **plot_in, const char *slug)
{
    nth_status st = NTH_OK;
    plot      *p = *plot_in;
    char       name[128];
    if (p == NULL || p->lost) CLI_TRY(cli_fail(r->c, NTH_E_NOMEM, "out of memory for a plot"));
    if (cli_interrupted()) CLI_TRY(NTH_E_INTERRUPTED);
    if (!anything(p)) {
        report_say(r, "%s: no number that could be drawn.", p->title);
        goto done;
    }
    report_slug(r, name, sizeof name, slug);
    CLI_TRY(write_files(r, p, name));
    const bool made = r->gnuplot != GNUPLOT_OFF && r->gnuplot != GNUPLOT_ABSENT && report_gnuplot_run(r, name);
    fputs("<figure>", r->body);
    (void)fflush(r->body);
    if (r->body_size < PAGE_BYTES) report_svg(r->body, p, false);
    fputs("<figcaption>", r->body);
    if (p->rows > p->zr || p->cols > p->zc) fprintf(r->body, "%td x %td, means of %d x %d cells. ", p->rows, p->cols, p->zr, p->zc);
    for (int part = 0; part < (made ? 4 : 2); ++part) {
        static const char *const ending[] = { "svg", "gp", "pdf", "png" };
        fprintf(r->body, "<a href=\"%s.%s\">%s</a> ", name, ending[part], part == 1 ? "gnuplot" : ending[part]);
    }
    fputs("</figcaption></figure>\n", r->body);
    ++r->plots;
done:
    plot_destroy(plot_in);
    return st;
}
