/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * What is in a result file (report.h): its datasets with their figures, its attributes, what kind it is. Arrays are read by
 * parts of at most 8 MB, so that a kernel larger than memory can be shown.
 */
#include "report.h"
#include "contents.h"

#include <inttypes.h>
#include <math.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "nth/build_info.h"

enum { SPARSE = 2000, PART = 1 << 20, MAX_SETS = 2000, MAX_DEPTH = 8, MAX_TEXT = 1 << 26, MAX_VECTOR = 1 << 22, MAX_INTS = 64 };

/* ---- Opening ------------------------------------------------------------------------------------ */

static void note(source *s, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
static void note(source *s, const char *fmt, ...)
{
    const size_t used = strlen(s->note);
    va_list      ap;
    va_start(ap, fmt);
    if (used > 0 && used + 1 < sizeof s->note) strcat(s->note, "\n");
    vsnprintf(s->note + strlen(s->note), sizeof s->note - strlen(s->note), fmt, ap);
    va_end(ap);
}

/* What is damaged, the first few places; the file then counts as a check that does not hold. */
static void source_damage(source *s, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
static void source_damage(source *s, const char *fmt, ...)
{
    char    text[300] = "damaged: ";
    va_list ap;
    if (++s->damages > 3) return;
    va_start(ap, fmt);
    vsnprintf(text + strlen(text), sizeof text - strlen(text), fmt, ap);
    va_end(ap);
    note(s, "%s", text);
}

typedef struct walk {
    source     *s;
    const char *group;
    int         depth;
} walk;

static nth_status visit(const char *name, void *ctx)
{
    walk       *w = ctx;
    source     *s = w->s;
    nth_status  st = NTH_OK;
    char        path[1024];
    const char *group = w->group;
    dataset     d = { .rank = 0 };
    const int   n = snprintf(path, sizeof path, "%s/%s", group, name);
    if (n < 0 || n >= (int)sizeof path || s->sets >= MAX_SETS) return NTH_OK;
    if (nth_file_shape(s->file, path, &d.rank, d.dims) != NTH_OK) {
        if (w->depth >= MAX_DEPTH) return NTH_OK;
        w->group = path, ++w->depth;
        st = nth_file_list(s->file, path, visit, w);
        w->group = group, --w->depth;
        if (st != NTH_E_FORMAT) return st;
        source_damage(s, "%s cannot be read: neither a group nor an array of numbers", path);
        return NTH_OK;
    }
    if (strncmp(path, "/members/", 9) == 0) {
        ++s->members;
        return NTH_OK;
    }
    if (s->sets == s->room) {
        const ptrdiff_t room = 2 * s->room + 32;
        dataset        *more = realloc(s->set, (size_t)room * sizeof *more);
        if (more == NULL) return NTH_E_NOMEM;
        s->set = more, s->room = room;
    }
    d.name = strdup(path);
    if (d.name == NULL) return NTH_E_NOMEM;
    s->set[s->sets++] = d;
    return NTH_OK;
}

dataset *source_find(source *s, const char *name)
{
    for (ptrdiff_t i = 0; i < s->sets; ++i)
        if (strcmp(s->set[i].name, name) == 0) return &s->set[i];
    return NULL;
}

/* A dataset whose path ends so. */
static bool ends(source *s, const char *with)
{
    const size_t length = strlen(with);
    for (ptrdiff_t i = 0; i < s->sets; ++i) {
        const size_t n = strlen(s->set[i].name);
        if (n > length && strcmp(s->set[i].name + n - length, with) == 0) return true;
    }
    return false;
}

static report_kind kind_of(source *s)
{
    static const struct {
        const char *set, *also; /* datasets that must be there */
        report_kind kind;
    } row[] = { { "/kare", "/step", KIND_KARE },        { "/epoch", "/loss", KIND_OPTIMIZER }, { "/t", "/lambda_min", KIND_FLOW }, { "/Khat", "/t", KIND_KHAT },
                { "/alpha", NULL, KIND_REGRESS },      { "/t", "/f_test", KIND_REGRESS_FLOW }, { "/Z", NULL, KIND_LANTK },
                { "/rr/kernel", "/pairs/kernel", KIND_RR }, { "/K_agnostic", NULL, KIND_LABEL },   { "/K", NULL, KIND_KERNEL },    { "/x", NULL, KIND_DATA } };
    if (s->members > 0 || nth_file_has(s->file, "/rates") || nth_file_has_attr(s->file, "/", "sweep_hash")) return KIND_SWEEP;
    for (size_t i = 0; i < sizeof row / sizeof *row; ++i)
        if (source_find(s, row[i].set) != NULL && (row[i].also == NULL || source_find(s, row[i].also) != NULL)) return row[i].kind;
    if (nth_file_has_attr(s->file, "/", "activation") && nth_file_has_attr(s->file, "/", "widths")) return KIND_NET;
    for (ptrdiff_t i = 0; i < s->sets; ++i) {
        const dataset *d = &s->set[i];
        if (strncmp(d->name, "/K", 2) == 0 && d->name[2] >= '2' && d->name[2] <= '6') return d->rank > 2 ? KIND_DENSE : KIND_HIERARCHY;
    }
    if (ends(s, "/measured")) return KIND_DRIFT;
    if (ends(s, "/exponents")) return KIND_EXPONENTS;
    for (ptrdiff_t i = 0; i < s->sets; ++i)
        if (strncmp(s->set[i].name, "/rr/", 4) == 0) return KIND_ELASTICITY;
    return source_find(s, "/rows") != NULL ? KIND_CLAIM : KIND_OTHER;
}

const char *report_kind_name(report_kind k)
{
    static const char *const name[] = { "network", "data", "kernel", "label-aware kernel K^(NTH)", "kernel of the hierarchy", "dense kernel of the hierarchy",
                                        "predicted kernel", "gradient flow", "training in mini-batches", "kernel regression",
                                        "kernel regression along the flow", "label-aware kernel Z", "verification of exponents", "mean drift",
                                        "exponents of the mean drift", "Claim 1.1", "verification of local elasticity", "local elasticity",
                                        "training by KARE", "HDF5 file" };
    return name[k];
}

/* 1.10.0 is newer than 1.9.3; a suffix does not count. */
static bool newer(const char *a, const char *b)
{
    for (int i = 0; i < 3; ++i) {
        char      *end_a, *end_b;
        const long x = strtol(a, &end_a, 10), y = strtol(b, &end_b, 10);
        if (x != y) return x > y;
        a = end_a + (*end_a == '.'), b = end_b + (*end_b == '.');
    }
    return false;
}

static void look_at_origin(source *s)
{
    const char *ours = nth_build_info_get().version;
    char       *status = source_attribute(s, "/", "status"), *version = source_attribute(s, "/", "nth_version");
    if (status != NULL && strcmp(status, "complete") != 0) note(s, "partial: the run that writes it has not come to its end");
    if (version == NULL) note(s, "not written by nth, or without its provenance");
    else if (newer(version, ours)) note(s, "written by nth %s, newer than this one (%s): what is new in it is not shown", version, ours);
    free(status), free(version);
}

/* Whether a file that says it is complete holds what the command it records writes. */
static void look_for_missing(source *s)
{
    static const struct {
        report_kind kind;
        const char *command, *set[6];
    } row[] = { { KIND_NET, "net", { NULL } },
                { KIND_DATA, "data", { "/x", "/y" } },
                { KIND_KERNEL, "kernel", { "/K" } },
                { KIND_LABEL, "kernel", { "/K_agnostic", "/K_label" } },
                { KIND_HIERARCHY, "hierarchy", { NULL } },
                { KIND_DENSE, "hierarchy", { NULL } },
                { KIND_KHAT, "hierarchy", { "/t", "/K0", "/term3", "/term4", "/Khat" } },
                { KIND_FLOW, "train", { "/t", "/f", "/K", "/loss", "/lambda_min" } },
                { KIND_OPTIMIZER, "train", { "/epoch", "/f", "/loss" } },
                { KIND_REGRESS, "regress", { "/alpha" } },
                { KIND_REGRESS_FLOW, "regress", { "/t", "/f", "/f_test" } },
                { KIND_LANTK, "lantk", { "/Z" } },
                { KIND_RR, "elastic", { "/rr/kernel", "/pairs/kernel" } },
                { KIND_KARE, "kare", { "/step", "/kare", "/K", "/fits" } },
                { KIND_SWEEP, "verify", { "/rates" } },
                { KIND_DRIFT, "verify", { NULL } },
                { KIND_EXPONENTS, "verify", { NULL } },
                { KIND_CLAIM, "verify", { "/rows" } },
                { KIND_ELASTICITY, "verify", { "/differences" } } };
    const char *command = nth_json_string(nth_json_get(s->config, "command"));
    char       *status = source_attribute(s, "/", "status");
    bool        known = false, fits = false;
    for (size_t i = 0; command != NULL && status != NULL && strcmp(status, "complete") == 0 && i < sizeof row / sizeof *row; ++i) {
        if (strcmp(row[i].command, command) != 0) continue;
        known = true;
        if (row[i].kind != s->kind) continue;
        fits = true;
        for (size_t k = 0; k < sizeof row[i].set / sizeof *row[i].set && row[i].set[k] != NULL; ++k)
            if (!nth_file_has(s->file, row[i].set[k])) source_damage(s, "%s is missing", row[i].set[k]);
    }
    if (known && !fits) source_damage(s, "what makes it a file of nth %s is missing", command);
    free(status);
}

nth_status source_open(report *r, source *s, const char *path)
{
    nth_status st = NTH_OK;
    walk       w = { .s = s, .group = "" };
    char      *config = NULL;
    s->path = path;
    s->base = strrchr(path, '/') != NULL ? strrchr(path, '/') + 1 : path;
    st = nth_file_probe(path);
    if (st == NTH_OK) st = nth_file_open(&s->file, path);
    if (st == NTH_OK) st = nth_file_list(s->file, "/", visit, &w);
    if (st == NTH_E_NOMEM) return cli_fail(r->c, st, "out of memory");
    if (st != NTH_OK) {
        snprintf(s->problem, sizeof s->problem, "%s", nth_last_error().message);
        nth_file_close(&s->file);
        return NTH_OK;
    }
    s->kind = kind_of(s);
    if (s->kind == KIND_OTHER && !nth_file_has_attr(s->file, "/", "nth_version")) {
        snprintf(s->problem, sizeof s->problem, "%s: no file of nth: neither its provenance nor a dataset that it knows", path);
        nth_file_close(&s->file);
        return NTH_OK;
    }
    look_at_origin(s);
    config = source_attribute(s, "/", "config");
    if (config != NULL) st = nth_json_parse(&s->config, "config", config);
    free(config);
    if (st == NTH_E_NOMEM) return cli_fail(r->c, st, "out of memory");
    if (st != NTH_OK) source_damage(s, "%s", nth_last_error().message);
    look_for_missing(s);
    return NTH_OK;
}

void source_close(source *s)
{
    for (ptrdiff_t i = 0; i < s->sets; ++i) free(s->set[i].name), free(s->set[i].heat);
    free(s->set);
    nth_json_destroy(&s->config);
    nth_file_close(&s->file);
    *s = (source){ .path = NULL };
}

const char *source_shape(char *out, size_t size, const dataset *d)
{
    size_t used = 0;
    out[0] = '\0';
    if (d == NULL) return out;
    if (d->rank == 0) snprintf(out, size, "1");
    for (int i = 0; i < d->rank && used < size; ++i) used += (size_t)snprintf(out + used, size - used, "%s%td", i > 0 ? " x " : "", d->dims[i]);
    return out;
}

nth_status source_vector(report *r, source *s, const char *name, double **v, ptrdiff_t *count)
{
    const dataset *d = source_find(s, name);
    *v = NULL, *count = 0;
    if (d == NULL) return NTH_OK;
    ptrdiff_t n = 1;
    for (int i = 0; i < d->rank; ++i) n *= d->dims[i];
    if (n == 0 || n > MAX_VECTOR) return NTH_OK;
    *v = malloc((size_t)n * sizeof **v);
    if (*v == NULL) return cli_fail(r->c, NTH_E_NOMEM, "out of memory");
    if (nth_file_read_any(s->file, name, *v, n) != NTH_OK) {
        report_warn(r, "%s", nth_last_error().message);
        if (strncmp(name, "/rates/", 7) == 0) source_damage(s, "%s cannot be read", name); /* the others: report_inventory */
        free(*v);
        *v = NULL;
        return NTH_OK;
    }
    *count = n;
    return NTH_OK;
}

/* ---- Attributes --------------------------------------------------------------------------------- */

static char *text_attribute(source *s, const char *object, const char *key)
{
    nth_status st = NTH_E_RANGE;
    char      *text = NULL;
    for (size_t size = 4096; st == NTH_E_RANGE && size <= MAX_TEXT; size *= 8) {
        char *more = realloc(text, size);
        if (more == NULL) break;
        text = more;
        st = nth_file_get_string(s->file, object, key, text, size);
    }
    if (st == NTH_OK) return text;
    free(text);
    return NULL;
}

char *source_attribute(source *s, const char *object, const char *key)
{
    int64_t   ints[MAX_INTS];
    ptrdiff_t count = MAX_INTS;
    double    x;
    char      text[MAX_INTS * 24] = "";
    if (!nth_file_has_attr(s->file, object, key)) return NULL;
    char *found = text_attribute(s, object, key);
    if (found != NULL) return found;
    if (nth_file_get_ints(s->file, object, key, ints, &count) == NTH_OK) {
        for (ptrdiff_t i = 0; i < count; ++i) snprintf(text + strlen(text), sizeof text - strlen(text), "%s%" PRId64, i > 0 ? "," : "", ints[i]);
    } else if (nth_file_get_double(s->file, object, key, &x) == NTH_OK) {
        snprintf(text, sizeof text, "%.17g", x);
    } else {
        return NULL;
    }
    return strdup(text);
}

nth_status report_attributes(report *r, source *s, const char *object, const char *const *keys, const char *caption, const char *slug)
{
    cli_table *t = cli_table_create(caption, "attribute|value");
    for (; *keys != NULL; ++keys) {
        char *value = source_attribute(s, object, *keys);
        if (value == NULL) continue;
        cli_table_put(t, "%s", *keys);
        cli_table_text(t, value);
        free(value);
    }
    return report_table(r, &t, slug);
}

nth_status report_provenance(report *r, source *s)
{
    nth_status st = NTH_OK;
    report_heading(r, 3, "Provenance");
    report_fold(r, "all root attributes");
    st = report_attributes(r, s, "/", cli_all_keys, "", "provenance");
    report_unfold(r);
    return st;
}

/* ---- Reading by parts ---------------------------------------------------------------------------- */

static ptrdiff_t columns(const dataset *d) { return d->rank > 0 ? d->dims[d->rank - 1] : 1; }

static ptrdiff_t rows_of(const dataset *d)
{
    ptrdiff_t n = 1;
    for (int i = 0; i + 1 < d->rank; ++i) n *= d->dims[i];
    return n;
}

typedef struct scan {
    stats     *of;
    double    *sum, squares; /* (64 x 64) sums of cells */
    ptrdiff_t *seen;         /* finite entries in them */
    int        zr, zc;
} scan;

static void take(scan *c, nth_mat A, ptrdiff_t row, ptrdiff_t col, ptrdiff_t rows, ptrdiff_t cols)
{
    stats *of = c->of;
    for (ptrdiff_t i = 0; i < A.rows; ++i)
        for (ptrdiff_t j = 0; j < A.cols; ++j) {
            const double v = A.a[i * A.ld + j];
            ++of->count;
            if (!isfinite(v)) continue;
            const ptrdiff_t cell = (row + i) * c->zr / rows * c->zc + (col + j) * c->zc / cols;
            ++of->finite, ++c->seen[cell];
            of->min = fmin(of->min, v), of->max = fmax(of->max, v);
            of->mean += v, c->squares += v * v, c->sum[cell] += v;
        }
}

nth_status report_scan(report *r, block a, block b, ptrdiff_t rows, stats *of, double **heat, int *heat_rows, int *heat_cols)
{
    nth_status      st = NTH_OK;
    const ptrdiff_t cols = columns(a.set), wide = cols < PART ? cols : PART, high = wide > 0 && PART / wide > 0 ? PART / wide : 1;
    scan            c = { .of = of, .zr = (int)(rows < HEAT_EDGE ? rows : HEAT_EDGE), .zc = (int)(cols < HEAT_EDGE ? cols : HEAT_EDGE) };
    const ptrdiff_t room = high < rows ? high * wide : rows * wide;
    double         *A = malloc((size_t)(room + 1) * sizeof *A), *B = b.set != NULL ? malloc((size_t)(room + 1) * sizeof *B) : NULL;
    c.sum = calloc((size_t)HEAT_EDGE * HEAT_EDGE, sizeof *c.sum), c.seen = calloc((size_t)HEAT_EDGE * HEAT_EDGE, sizeof *c.seen);
    *of = (stats){ .min = INFINITY, .max = -INFINITY };
    if (A == NULL || (b.set != NULL && B == NULL) || c.sum == NULL || c.seen == NULL) CLI_TRY(cli_fail(r->c, NTH_E_NOMEM, "out of memory"));
    for (ptrdiff_t i = 0; i < rows; i += high)
        for (ptrdiff_t j = 0; j < cols; j += wide) {
            const nth_mat M = nth_mat_of(A, rows - i < high ? rows - i : high, cols - j < wide ? cols - j : wide);
            if (cli_interrupted()) CLI_TRY(NTH_E_INTERRUPTED);
            CLI_TRY(nth_file_read_part_any(a.from->file, a.set->name, a.row + i, j, M));
            if (B != NULL) {
                CLI_TRY(nth_file_read_part_any(b.from->file, b.set->name, b.row + i, j, nth_mat_of(B, M.rows, M.cols)));
                for (ptrdiff_t e = 0; e < M.rows * M.cols; ++e) A[e] -= B[e];
            }
            take(&c, M, i, j, rows, cols);
        }
    of->mean /= (double)of->finite, of->frobenius = sqrt(c.squares);
    if (heat != NULL) {
        for (int e = 0; e < c.zr * c.zc; ++e) c.sum[e] = c.seen[e] > 0 ? c.sum[e] / (double)c.seen[e] : (double)NAN;
        *heat = c.sum, *heat_rows = c.zr, *heat_cols = c.zc, c.sum = NULL;
    }
done:
    free(A), free(B), free(c.sum), free(c.seen);
    return st;
}

/* The figures of a whole dataset, once; what cannot be read is told of in d->problem. */
static nth_status read_set(report *r, source *s, dataset *d)
{
    if (d->read || d->problem[0] != '\0') return NTH_OK;
    struct stat file; /* a damaged extent of a chunked array would be read as zeros for days */
    if (stat(s->path, &file) == 0 && 8.0 * (double)columns(d) * (double)rows_of(d) > (double)SPARSE * ((double)file.st_size + 1e6)) {
        snprintf(d->problem, sizeof d->problem, "%s: %s is larger than the file can hold", s->path, d->name);
        return NTH_OK;
    }
    const bool       matrix = d->rank == 2 && d->dims[0] > 1 && d->dims[1] > 1;
    const block       none = { .set = NULL };
    const nth_status st = report_scan(r, (block){ s, d, 0 }, none, columns(d) > 0 ? rows_of(d) : 0, &d->of, matrix ? &d->heat : NULL, &d->heat_rows, &d->heat_cols);
    if (st == NTH_E_NOMEM || st == NTH_E_INTERRUPTED) return st;
    d->read = st == NTH_OK;
    if (st != NTH_OK) snprintf(d->problem, sizeof d->problem, "%s", nth_last_error().message);
    return NTH_OK;
}

static nth_status heat_plot(report *r, const char *title, const char *slug, double **heat, int zr, int zc, ptrdiff_t rows, ptrdiff_t cols)
{
    plot *p = plot_create("column", "row", "%s", title);
    if (p != NULL) p->z = *heat, p->zr = zr, p->zc = zc, p->rows = rows, p->cols = cols;
    else free(*heat);
    *heat = NULL;
    return report_plot(r, &p, slug);
}

nth_status report_heat(report *r, block a, block b, ptrdiff_t rows, const char *slug, const char *fmt, ...)
{
    char       title[200];
    double    *heat = NULL;
    int        zr = 0, zc = 0;
    stats      of;
    va_list    ap;
    nth_status st;
    va_start(ap, fmt);
    vsnprintf(title, sizeof title, fmt, ap);
    va_end(ap);
    st = report_scan(r, a, b, rows, &of, &heat, &zr, &zc);
    if (st == NTH_E_NOMEM || st == NTH_E_INTERRUPTED) return st;
    if (st != NTH_OK) {
        report_warn(r, "%s", nth_last_error().message);
        return NTH_OK;
    }
    return heat_plot(r, title, slug, &heat, zr, zc, rows, columns(a.set));
}

nth_status report_matrices(report *r, source *s, const char *prefix)
{
    nth_status st = NTH_OK;
    report_grid(r);
    for (ptrdiff_t i = 0; i < s->sets; ++i) {
        dataset *d = &s->set[i];
        char     title[200];
        if (d->rank != 2 || d->dims[0] < 2 || d->dims[1] < 2 || strncmp(d->name, prefix, strlen(prefix)) != 0) continue;
        CLI_TRY(read_set(r, s, d));
        double *heat = d->heat;
        d->heat = NULL;
        snprintf(title, sizeof title, "%s", d->name + 1);
        if (heat != NULL) CLI_TRY(heat_plot(r, title, d->name, &heat, d->heat_rows, d->heat_cols, d->dims[0], d->dims[1]));
    }
done:
    report_grid_end(r);
    return st;
}

nth_status report_inventory(report *r, source *s)
{
    nth_status st = NTH_OK;
    cli_table *t = cli_table_create("", "dataset|shape|least|largest|mean|root of sum of squares|not finite");
    report_heading(r, 3, "What is in the file");
    if (s->members > 0) report_say(r, "%td networks under /members.", s->members);
    report_fold(r, "all datasets");
    for (ptrdiff_t i = 0; i < s->sets; ++i) {
        dataset *d = &s->set[i];
        char     shape[128];
        if (strncmp(d->name, "/rates/", 7) != 0) CLI_TRY(read_set(r, s, d)); /* shown as plots; thousands of numbers of several kinds */
        if (d->problem[0] != '\0') report_warn(r, "%s", d->problem), source_damage(s, "%s cannot be read", d->name);
        cli_table_put(t, "%s", d->name);
        cli_table_put(t, "%s", source_shape(shape, sizeof shape, d));
        const bool some = d->read && d->of.finite > 0;
        cli_table_number(t, some ? d->of.min : (double)NAN);
        cli_table_number(t, some ? d->of.max : (double)NAN);
        cli_table_number(t, some ? d->of.mean : (double)NAN);
        cli_table_number(t, some ? d->of.frobenius : (double)NAN);
        if (d->read) cli_table_put(t, "%td", d->of.count - d->of.finite);
        else cli_table_put(t, d->problem[0] != '\0' ? "cannot be read" : "-");
    }
    if (s->sets >= MAX_SETS) report_warn(r, "The first %d datasets only.", MAX_SETS);
    st = report_table(r, &t, "datasets");
done:
    report_unfold(r);
    cli_table_destroy(&t);
    return st;
}
