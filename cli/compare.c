/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Comparing result files (compare.h).
 */
#include "compare.h"
#include "contents.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef struct comparison {
    cli            *c;
    cli_comparison *r;
    nth_json       *rows;
    nth_file       *recorded, *now;
    double          tolerance;
    cli_value      *a, *b;
} comparison;

typedef struct distance {
    bool   same;               /* all bits */
    double absolute, largest;  /* difference; entry of the recorded dataset */
} distance;

static void row(comparison *p, const char *what, const char *shape, const char *verdict, const distance *d)
{
    nth_json    *o = nth_json_object();
    const double relative = d == NULL || d->absolute == 0.0 ? 0.0 : d->absolute / d->largest;
    cli_say(p->c, "%-28s %-16s", what, shape);
    nth_json_set_string(o, "name", what);
    nth_json_set_string(o, "verdict", verdict);
    if (d != NULL && !d->same) {
        cli_say(p->c, " %-12.3g %-12.3g", d->absolute, relative);
        nth_json_set_double(o, "absolute", d->absolute);
        nth_json_set_double(o, "relative", relative);
        p->r->absolute = fmax(p->r->absolute, d->absolute);
        p->r->relative = fmax(p->r->relative, relative);
    } else cli_say(p->c, " %-12s %-12s", d != NULL ? "0" : "", d != NULL ? "0" : "");
    cli_say(p->c, " %s\n", verdict);
    nth_json_append(p->rows, o);
}

/* ---- Datasets ------------------------------------------------------------------------------------ */

static void measure(distance *d, const double *a, const double *b, ptrdiff_t n)
{
    d->same = d->same && memcmp(a, b, (size_t)n * sizeof *a) == 0;
    for (ptrdiff_t i = 0; i < n; ++i) {
        if (isfinite(a[i])) d->largest = fmax(d->largest, fabs(a[i]));
        if (a[i] == b[i] || (isnan(a[i]) && isnan(b[i]))) continue;
        const double by = fabs(a[i] - b[i]);
        d->absolute = isnan(by) ? INFINITY : fmax(d->absolute, by);
    }
}

static nth_status compare_values(comparison *p, distance *d, const char *path, int rank, const ptrdiff_t *dims)
{
    nth_status st = NTH_OK;
    ptrdiff_t  across = 1;
    for (int i = 1; i < rank; ++i) across *= dims[i];
    const ptrdiff_t total = rank > 0 ? dims[0] : 1, rows = cli_rows_at_once(rank, dims), size = rows * across;
    double         *a = malloc((size_t)(2 * size + 1) * sizeof *a);
    *d = (distance){ .same = true };
    if (a == NULL) return cli_fail(p->c, NTH_E_NOMEM, "%s: out of memory", path);
    for (ptrdiff_t i = 0; i < total && across > 0; i += rows) {
        const ptrdiff_t here = total - i < rows ? total - i : rows;
        if (cli_interrupted()) CLI_TRY(NTH_E_INTERRUPTED);
        CLI_TRY(nth_file_read_rows(p->recorded, path, i, here, a));
        CLI_TRY(nth_file_read_rows(p->now, path, i, here, a + size));
        measure(d, a, a + size, here * across);
    }
done:
    free(a);
    return st;
}

static void put_shape(char *out, size_t size, int rank, const ptrdiff_t *dims)
{
    int used = snprintf(out, size, "(");
    for (int i = 0; i < rank; ++i) used += snprintf(out + used, size - (size_t)used, "%s%td", i > 0 ? "," : "", dims[i]);
    snprintf(out + used, size - (size_t)used, ")");
}

static nth_status compare_dataset(comparison *p, const char *path, int rank, const ptrdiff_t *dims)
{
    nth_status      st = NTH_OK;
    int             other;
    ptrdiff_t       there[NTH_MAX_RANK];
    char            shape[128], verdict[192];
    distance        d;
    cli_comparison *r = p->r;
    put_shape(shape, sizeof shape, rank, dims);
    ++r->datasets;
    if (nth_file_shape(p->now, path, &other, there) != NTH_OK) {
        ++r->different;
        row(p, path, shape, "missing now", NULL);
        return NTH_OK;
    }
    if (other != rank || (rank > 0 && memcmp(dims, there, (size_t)rank * sizeof *dims) != 0)) {
        ++r->different;
        put_shape(verdict, sizeof verdict, other, there);
        memmove(verdict + 4, verdict, strlen(verdict) + 1), memcpy(verdict, "now ", 4);
        row(p, path, shape, verdict, NULL);
        return NTH_OK;
    }
    CLI_TRY(compare_values(p, &d, path, rank, dims));
    const bool near = p->tolerance > 0.0 && d.absolute <= p->tolerance * d.largest;
    if (!d.same && near) ++r->near;
    if (!d.same && !near) ++r->different;
    row(p, path, shape, d.same ? "identical" : near ? "within tolerance" : "different", &d);
done:
    return st;
}

/* ---- Attributes ---------------------------------------------------------------------------------- */

/* A data set may lie elsewhere now: its checksum counts, not its name. */
static bool is_name(const char *key) { return strcmp(key, "source") == 0 || strcmp(key, "data") == 0; }

static bool is_near(const cli_value *a, const cli_value *b, double tolerance)
{
    if (a->kind != b->kind) return false;
    if (a->kind == CLI_VALUE_TEXT) return strcmp(a->text, b->text) == 0;
    if (a->kind == CLI_VALUE_REAL) return memcmp(&a->x, &b->x, sizeof a->x) == 0 || fabs(a->x - b->x) <= tolerance * fabs(a->x);
    return a->count == b->count && memcmp(a->ints, b->ints, (size_t)a->count * sizeof *a->ints) == 0;
}

static void compare_attributes(comparison *p, const char *object)
{
    char name[1024];
    for (int i = 0; cli_result_keys[i] != NULL; ++i) {
        const char *key = cli_result_keys[i];
        if (is_name(key) || (!nth_file_has_attr(p->recorded, object, key) && !nth_file_has_attr(p->now, object, key))) continue;
        cli_value_read(p->a, p->recorded, object, key);
        cli_value_read(p->b, p->now, object, key);
        ++p->r->attributes;
        if (is_near(p->a, p->b, p->tolerance)) continue;
        /* Text made from numbers (verdict) differs where these do, within the tolerance too. */
        const bool prose = strcmp(key, "verdict") == 0 && p->tolerance > 0.0 && p->b->kind == CLI_VALUE_TEXT;
        if (prose) ++p->r->near;
        else ++p->r->different;
        snprintf(name, sizeof name, "%s@%s", object, key);
        row(p, name, "", p->b->kind == CLI_VALUE_NONE ? "missing now" : p->a->kind == CLI_VALUE_NONE ? "new" : "different", NULL);
    }
}

/* ---- Files --------------------------------------------------------------------------------------- */

static nth_status compare_object(const char *path, int rank, const ptrdiff_t *dims, void *ctx)
{
    comparison *p = ctx;
    if (nth_file_has(p->now, path)) compare_attributes(p, path);
    return rank >= 0 ? compare_dataset(p, path, rank, dims) : NTH_OK;
}

static nth_status find_new(const char *path, int rank, const ptrdiff_t *dims, void *ctx)
{
    comparison *p = ctx;
    char        shape[128];
    if (rank < 0 || nth_file_has(p->recorded, path)) return NTH_OK;
    put_shape(shape, sizeof shape, rank, dims);
    ++p->r->datasets, ++p->r->different;
    row(p, path, shape, "new", NULL);
    return NTH_OK;
}

nth_status cli_compare(cli *c, cli_comparison *r, nth_json *rows, nth_file *recorded, nth_file *now, double tolerance)
{
    nth_status st = NTH_OK;
    comparison p = { .c = c, .r = r, .rows = rows, .recorded = recorded, .now = now, .tolerance = tolerance,
                     .a = malloc(sizeof *p.a), .b = malloc(sizeof *p.b) };
    *r = (cli_comparison){ 0 };
    if (p.a == NULL || p.b == NULL) CLI_TRY(cli_fail(c, NTH_E_NOMEM, "out of memory"));
    cli_say(c, "%-28s %-16s %-12s %-12s\n", "dataset", "shape", "difference", "relative");
    compare_attributes(&p, "/");
    CLI_TRY(cli_objects(recorded, compare_object, &p));
    CLI_TRY(cli_objects(now, find_new, &p));
done:
    free(p.a), free(p.b);
    return st;
}
