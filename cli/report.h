/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * nth report, from the command down: what its files share.
 *
 *     cmd_report.c       files in, folder out
 *     report_folder.c    the folder, and what in it is ours
 *     report_html.c      the page: text that is escaped, tables, figures
 *     report_plot.c      a plot as data; ticks; its three writers called in turn
 *     report_svg.c       SVG; report_png.c the picture of a heat map and the colour maps; report_gnuplot.c scripts and data
 *     report_read.c      what is in a result file, read by parts
 *     report_kernels.c   sections of networks, data, kernels, hierarchies; report_runs.c of training, regression, lantk;
 *     report_verify.c    of sweeps; report_drift.c of mean drifts, Claim 1.1 and local elasticity; report_compare.c several files of one kind
 */
#ifndef NTH_CLI_REPORT_H
#define NTH_CLI_REPORT_H

#include <stdio.h>

#include "cli.h"
#include "table.h"

/* ---- The folder (report_folder.c) ----------------------------------------------------------------- */

typedef struct report {
    cli       *c;
    const char *dir;
    FILE      *manifest;     /* DIR/files.txt: names of what a report wrote, so that the next one may replace it */
    char     **name;         /* (names) written so far */
    ptrdiff_t  names, room;
    FILE      *body;         /* of the page, in memory */
    char      *body_text;
    size_t     body_size;
    int        section;      /* number of the file being shown; 0: all together */
    int        plots, tables;
    enum { GNUPLOT_OFF, GNUPLOT_RUNS, GNUPLOT_ABSENT, GNUPLOT_FAILED } gnuplot;
} report;

NTH_NODISCARD nth_status report_folder_open(report *r);
void                     report_folder_close(report *r);
/* A new file NAME of the folder; what an earlier report did not write is never replaced. */
NTH_NODISCARD nth_status report_create(report *r, FILE **f, const char *name);
NTH_NODISCARD nth_status report_close_file(report *r, FILE **f, const char *name);
/* The name is noted as ours before another program makes the file. */
NTH_NODISCARD nth_status report_note_name(report *r, const char *name);
/* "2-K_test" for section 2: letters, digits, - and _ of `text`; made unique. */
void report_slug(const report *r, char *out, size_t size, const char *text);

/* ---- The page (report_html.c) --------------------------------------------------------------------- */

/* Text from anywhere: markup characters, control characters and bad UTF-8 are replaced. Fit for HTML and XML. */
void report_escape(FILE *f, const char *text);
/* A paragraph, a heading of level 2 or 3; the text is escaped. */
void report_say(report *r, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
void report_warn(report *r, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
void report_heading(report *r, int level, const char *fmt, ...) __attribute__((format(printf, 3, 4)));
/* Folded text: heading, then whatever is put until the close. */
void report_fold(report *r, const char *heading);
void report_unfold(report *r);
/* Figures in a row where there is room. */
void report_grid(report *r);
void report_grid_end(report *r);
/* Takes the table: on the page, and as NAME.md, .csv and .tex. A table without rows is dropped. */
NTH_NODISCARD nth_status report_table(report *r, cli_table **t, const char *slug);
NTH_NODISCARD nth_status report_page(report *r, const char *title, const char *toc);

/* ---- Plots (report_plot.c) ------------------------------------------------------------------------ */

enum { PLOT_SERIES = 48, HEAT_EDGE = 64, PLOT_COLOURS = 7 };
enum { PLOT_LINE = 1, PLOT_DASHED = 2, PLOT_POINTS = 4, PLOT_BARS = 8, PLOT_BAND = 16, PLOT_UNNAMED = 32 };

typedef struct plot_series {
    char      label[160];
    unsigned  style;  /* PLOT_.. */
    int       colour; /* 0 .. PLOT_COLOURS - 1; -1: grey */
    ptrdiff_t n;
    double   *x, *y, *low, *high; /* (n) each; low and high for bars and bands */
} plot_series;

typedef struct plot {
    char        title[200], x_label[120], y_label[120];
    bool        log_x, log_y;
    int         count;
    plot_series series[PLOT_SERIES];
    bool        lost; /* memory was short */
    /* a heat map in place of series */
    double   *z;              /* (zr x zc) means of cells */
    int       zr, zc;
    ptrdiff_t rows, cols;     /* of the matrix */
} plot;

plot *plot_create(const char *x_label, const char *y_label, const char *fmt, ...) __attribute__((format(printf, 3, 4)));
void  plot_destroy(plot **p);
/* Adds a series; the arrays are copied, low and high may be NULL. Beyond PLOT_SERIES series nothing is added. */
void plot_add(plot *p, unsigned style, int colour, ptrdiff_t n, const double *x, const double *y, const double *low,
              const double *high, const char *fmt, ...) __attribute__((format(printf, 9, 10)));
/* Writes NAME.svg, NAME.dat and NAME.gp, makes PDF and PNG, shows it on the page; takes the plot, which may be NULL
 * (memory). Without a point to draw, nothing is written and the page says so. */
NTH_NODISCARD nth_status report_plot(report *r, plot **p, const char *slug);

/* What can be drawn: finite, and above 0 on a log axis. */
bool plot_drawable(const plot *p, double x, double y);

typedef struct plot_axis {
    bool   log;
    double low, high; /* logs to base 10 where log */
    int    count;
    double tick[16];  /* in the same units */
} plot_axis;
plot_axis plot_axis_of(const plot *p, bool of_x);
double    plot_axis_place(const plot_axis *a, double v); /* 0 .. 1 */

/* Inline: without a style of its own, for the page that has it. */
void report_svg(FILE *f, const plot *p, bool standalone);
void report_svg_style(FILE *f);
/* Signed matrices have a diverging map about 0, others one from least to largest. */
typedef struct heat_scale {
    bool   diverging;
    double low, high;
} heat_scale;
heat_scale heat_scale_of(const plot *p);
int        heat_index(const heat_scale *s, double v); /* 0 .. 254, 255 for NaN */
void       heat_colour(const heat_scale *s, int index, unsigned char rgb[3]);
/* data:image/png;base64,.. of the map, or of its scale (top: largest) */
void report_png_uri(FILE *f, const plot *p, bool scale);
void report_gnuplot_data(FILE *f, const plot *p);
void report_gnuplot_script(FILE *f, const plot *p, const char *name);
/* True where NAME.pdf and NAME.png were made. */
bool report_gnuplot_run(report *r, const char *name);

/* ---- Result files (report_read.c) ----------------------------------------------------------------- */

typedef enum report_kind {
    KIND_NET, KIND_DATA, KIND_KERNEL, KIND_LABEL, KIND_HIERARCHY, KIND_DENSE, KIND_KHAT, KIND_FLOW, KIND_OPTIMIZER, KIND_REGRESS,
    KIND_REGRESS_FLOW, KIND_LANTK, KIND_SWEEP, KIND_DRIFT, KIND_EXPONENTS, KIND_CLAIM, KIND_ELASTICITY, KIND_RR, KIND_KARE, KIND_OTHER
} report_kind;

typedef struct stats {
    ptrdiff_t count, finite;
    double    min, max, mean, frobenius; /* of the finite entries */
} stats;

typedef struct dataset {
    char     *name;
    int       rank;
    ptrdiff_t dims[NTH_MAX_RANK];
    bool      read;     /* the figures are there */
    stats     of;
    double   *heat;     /* (heat_rows x heat_cols) of a matrix, else NULL */
    int       heat_rows, heat_cols;
    char      problem[256]; /* why it could not be read */
} dataset;

typedef struct source {
    const char *path, *base; /* base: the file's own name */
    nth_file   *file;        /* NULL: it cannot be shown */
    report_kind kind;
    char        problem[1024]; /* why */
    char        note[1024];    /* partial, newer, damaged, ...; lines */
    int         damages;       /* places that are damaged, the first three of them in note */
    dataset    *set;
    ptrdiff_t   sets, room, members; /* members: networks of a sweep, not listed */
    nth_json   *config;
} source;

const char              *report_kind_name(report_kind k);
NTH_NODISCARD nth_status source_open(report *r, source *s, const char *path);
void                     source_close(source *s);
dataset                 *source_find(source *s, const char *name);
/* "8 x 4"; "" if it is not there */
const char *source_shape(char *out, size_t size, const dataset *d);
/* All entries of a dataset of moderate size; *count 0 and *v NULL where it is missing or too large. */
NTH_NODISCARD nth_status source_vector(report *r, source *s, const char *name, double **v, ptrdiff_t *count);
/* The text of an attribute of any kind, to be freed; NULL if it is not there. */
char *source_attribute(source *s, const char *object, const char *key);

/* Rows [row, row + rows) of the matrix that a dataset is, and if b.set is given its difference with b. */
typedef struct block {
    source    *from;
    dataset   *set;
    ptrdiff_t  row;
} block;
/* Reads by parts: figures, and if heat is given the means of at most 64 x 64 cells, to be freed. */
NTH_NODISCARD nth_status report_scan(report *r, block a, block b, ptrdiff_t rows, stats *of, double **heat, int *heat_rows, int *heat_cols);
/* A heat map of the same. */
NTH_NODISCARD nth_status report_heat(report *r, block a, block b, ptrdiff_t rows, const char *slug, const char *fmt, ...)
    __attribute__((format(printf, 6, 7)));
/* The heat maps of all matrices, of those whose name begins with `prefix`. */
NTH_NODISCARD nth_status report_matrices(report *r, source *s, const char *prefix);
/* Name, shape and figures of all datasets. */
NTH_NODISCARD nth_status report_inventory(report *r, source *s);
NTH_NODISCARD nth_status report_provenance(report *r, source *s);
/* A table of the attributes of an object that are there. */
NTH_NODISCARD nth_status report_attributes(report *r, source *s, const char *object, const char *const *keys, const char *caption,
                                           const char *slug);

/* ---- Sections -------------------------------------------------------------------------------------- */

nth_status report_net(report *r, source *s);
nth_status report_data(report *r, source *s);
nth_status report_kernel(report *r, source *s);
nth_status report_other(report *r, source *s);
nth_status report_dense(report *r, source *s);
nth_status report_khat(report *r, source *s);
nth_status report_flow(report *r, source *s);
nth_status report_optimizer(report *r, source *s);
nth_status report_regress(report *r, source *s);
nth_status report_regress_flow(report *r, source *s);
nth_status report_lantk(report *r, source *s);
nth_status report_sweep(report *r, source *s);
nth_status report_drift(report *r, source *s);
nth_status report_exponents(report *r, source *s);
nth_status report_claim(report *r, source *s);
nth_status report_elasticity(report *r, source *s);
nth_status report_kare(report *r, source *s);
nth_status report_compare(report *r, source *s, ptrdiff_t count);

/* The curves known by name (/loss, /accuracy, ...) of one or several files against /t or /epoch, one plot each. */
nth_status report_curves(report *r, source *const *s, ptrdiff_t count);
/* Points, line, interval and predicted slope of a measured power law. */
void report_power(plot *p, int colour, ptrdiff_t n, const double *x, const double *y, const double *upper, const bool *used,
                  const double rate[3], double predicted, const char *name);

#endif
