/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * SVG of a plot (report.h), on the page or as a file of its own. Colours come from a style sheet, so that both follow the
 * reader's light or dark setting; the palette is that of Okabe and Ito (2008), which the colour-blind can tell apart, and series
 * differ in their markers, too.
 */
#include "report.h"

#include <math.h>
#include <string.h>

enum { WIDTH = 420, LEFT = 66, RIGHT = 16, TOP = 34, PLOT_HEIGHT = 230, BOTTOM = 48, LINE_HEIGHT = 17, BAR = 92, LETTERS = 62 };

static const char STYLE[] =
    ":root{--bg:#fff;--card:#fbfbfa;--ink:#1b1b1b;--soft:#5c5c5c;--rule:#d9d9d6;--link:#00528a;"
    "--c0:#0072b2;--c1:#c24e00;--c2:#008060;--c3:#b3558c;--c4:#b97a00;--c5:#3d8fc4;--c6:#444}\n"
    "@media (prefers-color-scheme:dark){:root{--bg:#14171a;--card:#1b1f23;--ink:#e8e8e6;--soft:#a8abad;--rule:#383d42;--link:#7cc0ee;"
    "--c0:#56b4e9;--c1:#ff8c42;--c2:#2fc79e;--c3:#e59cc4;--c4:#f0c24b;--c5:#8fb8ff;--c6:#c8c8c8}}\n"
    /* Each colour plainly first: programs that do not know var() take that one. */
    "svg.plot text{fill:#1b1b1b;fill:var(--ink);font:12px system-ui,sans-serif}svg.plot text.t{font-weight:600;font-size:13px}"
    "svg.plot text.k{fill:#5c5c5c;fill:var(--soft);font-size:11px}\n"
    "svg.plot .ax{stroke:#5c5c5c;stroke:var(--soft);fill:none}svg.plot .gr{stroke:#d9d9d6;stroke:var(--rule);fill:none}"
    "svg.plot .w{fill:none;stroke-width:1.8}svg.plot .d{stroke-dasharray:5 4;stroke-width:1.3}\n"
    "svg.plot .b{opacity:.16;stroke:none}svg.plot .img{image-rendering:pixelated}\n"
    "svg.plot .s0{stroke:#0072b2;stroke:var(--c0)}svg.plot .s1{stroke:#c24e00;stroke:var(--c1)}"
    "svg.plot .s2{stroke:#008060;stroke:var(--c2)}svg.plot .s3{stroke:#b3558c;stroke:var(--c3)}"
    "svg.plot .s4{stroke:#b97a00;stroke:var(--c4)}svg.plot .s5{stroke:#3d8fc4;stroke:var(--c5)}"
    "svg.plot .s6{stroke:#444;stroke:var(--c6)}svg.plot .sg{stroke:#5c5c5c;stroke:var(--soft)}\n"
    "svg.plot .f0{fill:#0072b2;fill:var(--c0)}svg.plot .f1{fill:#c24e00;fill:var(--c1)}"
    "svg.plot .f2{fill:#008060;fill:var(--c2)}svg.plot .f3{fill:#b3558c;fill:var(--c3)}"
    "svg.plot .f4{fill:#b97a00;fill:var(--c4)}svg.plot .f5{fill:#3d8fc4;fill:var(--c5)}"
    "svg.plot .f6{fill:#444;fill:var(--c6)}svg.plot .fg{fill:#5c5c5c;fill:var(--soft)}\n";

void report_svg_style(FILE *f) { fputs(STYLE, f); }

/* Class of a stroke or a fill. */
static const char *class_of(const plot_series *s, bool fill)
{
    static const char *const strokes[] = { "sg", "s0", "s1", "s2", "s3", "s4", "s5", "s6" };
    static const char *const fills[] = { "fg", "f0", "f1", "f2", "f3", "f4", "f5", "f6" };
    return (fill ? fills : strokes)[s->colour + 1];
}

typedef struct frame {
    const plot *p;
    plot_axis   x, y;
} frame;

static double px(const frame *f, double v) { return LEFT + (WIDTH - LEFT - RIGHT) * plot_axis_place(&f->x, v); }
static double py(const frame *f, double v) { return TOP + PLOT_HEIGHT * (1.0 - plot_axis_place(&f->y, v)); }

/* Cuts off what a band has outside the frame. */
static double py_within(const frame *f, double v)
{
    if (f->y.log && !(v > 0.0)) return TOP + PLOT_HEIGHT;
    return fmin(fmax(py(f, v), TOP), TOP + PLOT_HEIGHT);
}

/* Powers of ten, if the axis goes beyond what is short. */
static void tick_label(FILE *f, const plot_axis *a, double v)
{
    const double value = a->log ? pow(10.0, v) : v, whole = round(v);
    if (a->log && fabs(v - whole) < 1e-9 && (a->high > 5.0 || a->low < -3.5))
        fprintf(f, "10<tspan dy=\"-5\" font-size=\"9\">%.0f</tspan>", whole);
    else fprintf(f, "%.4g", fabs(value) < 1e-9 * (fabs(a->low) + fabs(a->high)) && !a->log ? 0.0 : value);
}

static void axes(FILE *out, const frame *f)
{
    const double bottom = TOP + PLOT_HEIGHT, right = WIDTH - RIGHT;
    for (int i = 0; i < f->x.count; ++i) {
        const double x = LEFT + (right - LEFT) * (f->x.tick[i] - f->x.low) / (f->x.high - f->x.low);
        fprintf(out, "<path class=\"gr\" d=\"M%.1f %dV%.1f\"/><text class=\"k\" x=\"%.1f\" y=\"%.1f\" text-anchor=\"middle\">", x, TOP, bottom, x,
                bottom + 16);
        tick_label(out, &f->x, f->x.tick[i]);
        fputs("</text>\n", out);
    }
    for (int i = 0; i < f->y.count; ++i) {
        const double y = TOP + PLOT_HEIGHT * (1.0 - (f->y.tick[i] - f->y.low) / (f->y.high - f->y.low));
        fprintf(out, "<path class=\"gr\" d=\"M%d %.1fH%.1f\"/><text class=\"k\" x=\"%d\" y=\"%.1f\" text-anchor=\"end\">", LEFT, y, right, LEFT - 6,
                y + 4);
        tick_label(out, &f->y, f->y.tick[i]);
        fputs("</text>\n", out);
    }
    fprintf(out, "<path class=\"ax\" d=\"M%d %dV%.1fH%.1f\"/>\n<text x=\"%.1f\" y=\"%.1f\" text-anchor=\"middle\">", LEFT, TOP, bottom, right,
            0.5 * (LEFT + right), bottom + 36);
    report_escape(out, f->p->x_label);
    fprintf(out, "</text>\n<text transform=\"translate(14 %.1f) rotate(-90)\" text-anchor=\"middle\">", TOP + 0.5 * PLOT_HEIGHT);
    report_escape(out, f->p->y_label);
    fputs("</text>\n", out);
}

/* A different shape for each colour. */
static void marker(FILE *out, const plot_series *s, double x, double y)
{
    const double u = s->colour < 0 ? 1.0 : 1.5 - 0.13 * s->colour; /* equal curves: the first is seen around the second */
    switch (s->colour < 0 ? 0 : s->colour % 4) {
    case 0: fprintf(out, "M%.1f %.1fa%.1f %.1f 0 1 0 %.1f 0a%.1f %.1f 0 1 0 %.1f 0Z", x - 3.2 * u, y, 3.2 * u, 3.2 * u, 6.4 * u, 3.2 * u, 3.2 * u, -6.4 * u); break;
    case 1: fprintf(out, "M%.1f %.1fh%.1fv%.1fh%.1fZ", x - 3 * u, y - 3 * u, 6 * u, 6 * u, -6 * u); break;
    case 2: fprintf(out, "M%.1f %.1fl%.1f %.1fh%.1fZ", x, y - 4.4 * u, 4 * u, 7 * u, -8 * u); break;
    default: fprintf(out, "M%.1f %.1fl%.1f %.1fl%.1f %.1fl%.1f %.1fZ", x, y - 4 * u, 4 * u, 4 * u, -4 * u, 4 * u, -4 * u, -4 * u); break;
    }
}

static void draw(FILE *out, const frame *f, const plot_series *s)
{
    const plot *p = f->p;
    bool        open = false;
    if ((s->style & PLOT_BAND) != 0 && s->low != NULL && s->high != NULL && s->n > 1) {
        fprintf(out, "<path class=\"b %s\" d=\"", class_of(s, true));
        for (ptrdiff_t k = 0; k < s->n; ++k) fprintf(out, "%c%.1f %.1f", k == 0 ? 'M' : 'L', px(f, s->x[k]), py_within(f, s->high[k]));
        for (ptrdiff_t k = s->n - 1; k >= 0; --k) fprintf(out, "L%.1f %.1f", px(f, s->x[k]), py_within(f, s->low[k]));
        fputs("Z\"/>\n", out);
    }
    if ((s->style & (PLOT_LINE | PLOT_DASHED)) != 0) {
        fprintf(out, "<path class=\"w %s%s\" d=\"", class_of(s, false), (s->style & PLOT_DASHED) != 0 ? " d" : "");
        for (ptrdiff_t k = 0; k < s->n; ++k) {
            const bool there = plot_drawable(p, s->x[k], s->y[k]);
            if (there) fprintf(out, "%c%.1f %.1f", open ? 'L' : 'M', px(f, s->x[k]), py(f, s->y[k]));
            open = there;
        }
        fputs("\"/>\n", out);
    }
    if ((s->style & PLOT_BARS) != 0 && s->low != NULL && s->high != NULL) {
        fprintf(out, "<path class=\"w %s\" d=\"", class_of(s, false));
        for (ptrdiff_t k = 0; k < s->n; ++k) {
            if (!plot_drawable(p, s->x[k], s->y[k]) || !isfinite(s->low[k]) || !isfinite(s->high[k])) continue;
            const double x = px(f, s->x[k]), low = py_within(f, s->low[k]), high = py_within(f, s->high[k]);
            fprintf(out, "M%.1f %.1fV%.1fM%.1f %.1fh6M%.1f %.1fh6", x, low, high, x - 3, low, x - 3, high);
        }
        fputs("\"/>\n", out);
    }
    if ((s->style & PLOT_POINTS) == 0) return;
    fprintf(out, "<path class=\"%s\" d=\"", class_of(s, true));
    for (ptrdiff_t k = 0; k < s->n; ++k)
        if (plot_drawable(p, s->x[k], s->y[k])) marker(out, s, px(f, s->x[k]), py(f, s->y[k]));
    fputs("\"/>\n", out);
}

static int legend_lines(const plot *p)
{
    int n = 0;
    for (int i = 0; i < p->count; ++i) n += (p->series[i].style & PLOT_UNNAMED) == 0 && p->series[i].label[0] != '\0';
    return n;
}

static void legend(FILE *out, const plot *p)
{
    double y = TOP + PLOT_HEIGHT + BOTTOM + 12;
    for (int i = 0; i < p->count; ++i) {
        const plot_series *s = &p->series[i];
        if ((s->style & PLOT_UNNAMED) != 0 || s->label[0] == '\0') continue;
        if ((s->style & (PLOT_LINE | PLOT_DASHED)) != 0)
            fprintf(out, "<path class=\"w %s%s\" d=\"M14 %.1fh26\"/>", class_of(s, false), (s->style & PLOT_DASHED) != 0 ? " d" : "", y - 4);
        if ((s->style & PLOT_POINTS) != 0) {
            fprintf(out, "<path class=\"%s\" d=\"", class_of(s, true));
            marker(out, s, 27, y - 4);
            fputs("\"/>", out);
        }
        fprintf(out, "<text class=\"k\" x=\"48\" y=\"%.1f\"%s>", y, strlen(s->label) > LETTERS ? " textLength=\"362\" lengthAdjust=\"spacingAndGlyphs\"" : "");
        report_escape(out, s->label);
        fputs("</text>\n", out);
        y += LINE_HEIGHT;
    }
}

static void title(FILE *out, const plot *p)
{
    fprintf(out, "<text class=\"t\" x=\"14\" y=\"20\"%s>", strlen(p->title) > 58 ? " textLength=\"396\" lengthAdjust=\"spacingAndGlyphs\"" : "");
    report_escape(out, p->title);
    fputs("</text>\n", out);
}

enum { HEAT_ROOM = WIDTH - LEFT - BAR, LEAST_BAR = 90 };

static double heat_side(const plot *p, ptrdiff_t n)
{
    return fmax(HEAT_ROOM * (double)n / fmax((double)p->rows, (double)p->cols), 24.0);
}

static void heat(FILE *out, const plot *p)
{
    const heat_scale s = heat_scale_of(p);
    const double     w = heat_side(p, p->cols), h = heat_side(p, p->rows), room = fmax(h, LEAST_BAR), bar = WIDTH - BAR + 14;
    fprintf(out, "<image class=\"img\" x=\"%d\" y=\"%d\" width=\"%.1f\" height=\"%.1f\" preserveAspectRatio=\"none\" href=\"", LEFT, TOP, w, h);
    report_png_uri(out, p, false);
    fprintf(out, "\"/>\n<rect class=\"ax\" x=\"%d\" y=\"%d\" width=\"%.1f\" height=\"%.1f\"/>\n", LEFT, TOP, w, h);
    fprintf(out, "<image x=\"%.1f\" y=\"%d\" width=\"14\" height=\"%.1f\" preserveAspectRatio=\"none\" href=\"", bar, TOP, room);
    report_png_uri(out, p, true);
    fprintf(out, "\"/>\n<rect class=\"ax\" x=\"%.1f\" y=\"%d\" width=\"14\" height=\"%.1f\"/>\n", bar, TOP, room);
    for (int i = 0; i < 3; ++i)
        fprintf(out, "<text class=\"k\" x=\"%.1f\" y=\"%.1f\">%.4g</text>\n", bar + 18, TOP + room * i / 2.0 + (i == 0 ? 9 : i == 1 ? 4 : 0),
                i == 0 ? s.high : i == 1 ? 0.5 * (s.high + s.low) : s.low);
    fprintf(out, "<text class=\"k\" x=\"%d\" y=\"%d\" text-anchor=\"end\">1</text><text class=\"k\" x=\"%d\" y=\"%.1f\" text-anchor=\"end\">%td</text>\n"
            "<text class=\"k\" x=\"%d\" y=\"%.1f\">1</text><text class=\"k\" x=\"%.1f\" y=\"%.1f\" text-anchor=\"end\">%td</text>\n",
            LEFT - 6, TOP + 10, LEFT - 6, TOP + h, p->rows, LEFT, TOP + h + 15, LEFT + w, TOP + h + 15, p->cols);
    fprintf(out, "<text class=\"k\" x=\"%.1f\" y=\"%.1f\" text-anchor=\"middle\">", LEFT + 0.5 * w, TOP + h + 15);
    report_escape(out, w > 100 ? p->x_label : "");
    fprintf(out, "</text>\n<text class=\"k\" transform=\"translate(%d %.1f) rotate(-90)\" text-anchor=\"middle\">", LEFT - 10, TOP + 0.5 * h);
    report_escape(out, h > 100 ? p->y_label : "");
    fputs("</text>\n", out);
}

void report_svg(FILE *f, const plot *p, bool standalone)
{
    const int height = p->z != NULL ? TOP + (int)fmax(heat_side(p, p->rows) + 14.0, LEAST_BAR) + 14
                                    : TOP + PLOT_HEIGHT + BOTTOM + LINE_HEIGHT * legend_lines(p) + (legend_lines(p) > 0 ? 6 : 0);
    fprintf(f, "<svg class=\"plot\" viewBox=\"0 0 %d %d\" role=\"img\"", WIDTH, height);
    if (standalone) fprintf(f, " xmlns=\"http://www.w3.org/2000/svg\" width=\"%d\" height=\"%d\"", WIDTH, height);
    fputs(">\n<title>", f);
    report_escape(f, p->title);
    fputs("</title>\n", f);
    if (standalone) fprintf(f, "<style>\n%s</style>\n<rect width=\"%d\" height=\"%d\" fill=\"#fff\" style=\"fill:var(--bg)\"/>\n", STYLE, WIDTH, height);
    title(f, p);
    if (p->z != NULL) {
        heat(f, p);
    } else {
        const frame fr = { p, plot_axis_of(p, true), plot_axis_of(p, false) };
        axes(f, &fr);
        for (int i = 0; i < p->count; ++i) draw(f, &fr, &p->series[i]);
        legend(f, p);
    }
    fputs("</svg>\n", f);
}
