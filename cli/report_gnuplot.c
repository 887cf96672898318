/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * The same plots for gnuplot (report.h): NAME.dat, NAME.gp, and where gnuplot is found NAME.pdf and NAME.png.
 * Text is put between single quotes, where gnuplot substitutes nothing.
 */
#include "report.h"

#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

static const char *const colour[] = { "#5c5c5c", "#0072b2", "#c24e00", "#008060", "#b3558c", "#b97a00", "#3d8fc4", "#444444" };

static void quoted(FILE *f, const char *text)
{
    fputc('\'', f);
    for (; *text != '\0'; ++text) {
        if (*text == '\'') fputc('\'', f);
        fputc((unsigned char)*text < ' ' ? ' ' : *text, f);
    }
    fputc('\'', f);
}

/* x y low high; blocks are apart by two empty lines, points that cannot be drawn by one. A heat map is its matrix. */
void report_gnuplot_data(FILE *f, const plot *p)
{
    for (int i = 0; i < p->zr; ++i)
        for (int j = 0; j < p->zc; ++j)
            fprintf(f, "%.10g%c", isfinite(p->z[i * p->zc + j]) ? p->z[i * p->zc + j] : (double)NAN, j + 1 < p->zc ? ' ' : '\n');
    for (int i = 0; i < p->count; ++i) {
        const plot_series *s = &p->series[i];
        fputs("# ", f);
        for (const char *c = s->label; *c != '\0'; ++c) fputc((unsigned char)*c < ' ' ? ' ' : *c, f);
        fputc('\n', f);
        bool any = false;
        for (ptrdiff_t k = 0; k < s->n; ++k) {
            if (!plot_drawable(p, s->x[k], s->y[k])) {
                if (any) fputc('\n', f);
                any = false;
                continue;
            }
            fprintf(f, "%.10g %.10g %.10g %.10g\n", s->x[k], s->y[k], s->low != NULL ? s->low[k] : s->y[k], s->high != NULL ? s->high[k] : s->y[k]);
            any = true;
        }
        fputs(i + 1 < p->count ? "\n\n" : "", f);
    }
}

static bool drawn(const plot *p, const plot_series *s)
{
    for (ptrdiff_t k = 0; k < s->n; ++k)
        if (plot_drawable(p, s->x[k], s->y[k])) return true;
    return false;
}

static void curves(FILE *f, const plot *p, const char *name)
{
    int         number = 0;
    const char *before = "plot ";
    for (int i = 0; i < p->count; ++i) {
        static const struct {
            unsigned    style;
            const char *with;
        } part[] = { { PLOT_BAND, "using 1:3:4 with filledcurves fs transparent solid 0.15 noborder" },
                     { PLOT_LINE, "using 1:2 with lines lw 2" },
                     { PLOT_DASHED, "using 1:2 with lines dt 2 lw 1.5" },
                     { PLOT_BARS, "using 1:2:3:4 with yerrorbars ps 0" },
                     { PLOT_POINTS, "using 1:2 with points ps 0.8" } };
        const plot_series *s = &p->series[i];
        bool               named = (s->style & PLOT_UNNAMED) != 0 || s->label[0] == '\0';
        if (!drawn(p, s)) continue; /* gnuplot does not count an empty block */
        for (size_t k = 0; k < sizeof part / sizeof *part; ++k) {
            if ((s->style & part[k].style) == 0) continue;
            fprintf(f, "%s'%s.dat' index %d %s lc rgb '%s'", before, name, number, part[k].with, colour[s->colour + 1]);
            if (part[k].style == PLOT_POINTS) fprintf(f, " pt %d", (const int[]){ 7, 5, 9, 13 }[s->colour < 0 ? 0 : s->colour % 4]);
            if (named) fputs(" notitle", f);
            else fputs(" title ", f), quoted(f, s->label), named = true;
            before = ", \\\n     ";
        }
        ++number;
    }
    fputc('\n', f);
}

void report_gnuplot_script(FILE *f, const plot *p, const char *name)
{
    fprintf(f, "# gnuplot %s.gp makes %s.pdf and %s.png\nset title ", name, name, name);
    quoted(f, p->title);
    fputs(" noenhanced\nset xlabel ", f);
    quoted(f, p->x_label);
    fputs(" noenhanced\nset ylabel ", f);
    quoted(f, p->y_label);
    fputs(" noenhanced\n", f);
    if (p->z != NULL) {
        const heat_scale s = heat_scale_of(p);
        fputs("unset key\nset yrange [] reverse\nset size ratio -1\nset tics nomirror\nset palette defined (", f);
        for (int k = 0; k <= 8; ++k) {
            unsigned char rgb[3];
            heat_colour(&s, k * 254 / 8, rgb);
            fprintf(f, "%s%d '#%02x%02x%02x'", k > 0 ? ", " : "", k, rgb[0], rgb[1], rgb[2]);
        }
        fputs(")\n", f);
        if (s.high > s.low) fprintf(f, "set cbrange [%.10g:%.10g]\n", s.low, s.high);
        fputs("set autoscale fix\n", f);
    } else {
        if (p->log_x) fputs("set logscale x\n", f);
        if (p->log_y) fputs("set logscale y\nset format y '%.0e'\n", f);
        fputs("set key below noenhanced left maxcols 1\nset grid\n", f);
    }
    for (int k = 0; k < 2; ++k) {
        fputs(k == 0 ? "set terminal pdfcairo size 4.5in,4.2in\n" : "set terminal pngcairo size 900,840 fontscale 1.2\n", f);
        fprintf(f, "set output '%s.%s'\n", name, k == 0 ? "pdf" : "png");
        if (p->z != NULL) fprintf(f, "plot '%s.dat' matrix with image\n", name);
        else curves(f, p, name);
    }
    fputs("set output\n", f);
}

static bool made(const char *dir, const char *name, const char *ending)
{
    char path[4096];
    snprintf(path, sizeof path, "%s/%s.%s", dir, name, ending);
    return access(path, R_OK) == 0;
}

bool report_gnuplot_run(report *r, const char *name)
{
    char script[160];
    int  status = 0;
    snprintf(script, sizeof script, "%s.gp", name);
    (void)fflush(NULL); /* the child must not write what is still to be written */
    const pid_t child = fork();
    if (child == 0) {
        const int null = open("/dev/null", O_RDWR);
        if (null < 0 || chdir(r->dir) != 0) _exit(126);
        (void)dup2(null, 0), (void)dup2(null, 1), (void)dup2(null, 2);
        execlp("gnuplot", "gnuplot", script, (char *)NULL);
        _exit(errno == ENOENT ? 127 : 126);
    }
    while (child > 0 && waitpid(child, &status, 0) < 0 && errno == EINTR) continue;
    const int code = child > 0 && WIFEXITED(status) ? WEXITSTATUS(status) : 126;
    if (code == 127) r->gnuplot = GNUPLOT_ABSENT;
    else if (code != 0) r->gnuplot = GNUPLOT_FAILED;
    return code == 0 && made(r->dir, name, "pdf") && made(r->dir, name, "png");
}
