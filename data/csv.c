/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * csv: tables with a header line. Every column but the target is a feature and must be a number,
 * unless it is ignored or tells the fold of a split. Fields are separated by commas (by semicolons
 * or tabs where the header has no comma) and may stand in double quotes, a quote inside doubled.
 *
 *   task = auto      the target of the first row decides: a number is a regression, else classes
 *   train, test      rows in the order of uniform(seed, NTH_STREAM_SPLIT, 0, row): training rows
 *                    from its beginning, test rows from its end; the one not given takes the rest
 *   neither          all rows train, in the order of the file
 */
#include "alloc_priv.h"
#include "data_priv.h"
#include "fail_priv.h"
#include "rank_priv.h"

#include <stdlib.h>
#include <string.h>

enum { MAX_COLUMNS = 100000 };

typedef enum role { FEATURE, TARGET, SPLIT, IGNORED } role;

typedef struct reader {
    nth_lines              lines;
    const nth_csv_columns *want;
    char                   delimiter;
    ptrdiff_t              columns;
    role                  *roles;  /* (columns) */
    char                 **header; /* (columns) owned */
    char                 **field;  /* (columns) into the line, unquoted */
    char                 **start;  /* (columns) where the field began, for messages */
    bool                   classify;
} reader;

/* Cuts the line into fields; *count may exceed the room, then the rest is only counted. */
static nth_status cut(reader *r, ptrdiff_t room, ptrdiff_t *count)
{
    nth_status st = NTH_OK;
    char      *in = r->lines.text;
    *count = 0;
    for (bool last = false; !last;) {
        while (*in == ' ') ++in;
        char *start = in, *out = in, *field = in;
        if (*in == '"') {
            for (++in; *in != '\0' && (*in != '"' || in[1] == '"'); ++in) {
                if (*in == '"') ++in;
                *out++ = *in;
            }
            NTH_REQUIRE(*in == '"', NTH_E_FORMAT, "%s:%ld:%td: no closing quote", r->lines.name,
                        r->lines.number, start - r->lines.text + 1);
            for (++in; *in == ' ';) ++in;
            NTH_REQUIRE(*in == r->delimiter || *in == '\0', NTH_E_FORMAT, "%s:%ld:%td: text after the closing quote",
                        r->lines.name, r->lines.number, in - r->lines.text + 1);
        } else {
            while (*in != r->delimiter && *in != '\0') ++in;
            for (out = in; out > start && out[-1] == ' ';) --out;
        }
        last = *in == '\0';
        *out = '\0';
        ++in;
        if (*count < room) r->field[*count] = field, r->start[*count] = start;
        ++*count;
    }
done:
    return st;
}

static bool looks_numeric(const char *text)
{
    char *end = NULL;
    strtod(text, &end);
    return end != text && *end == '\0';
}

/* Place of a column, or a failure that names the nearest, or a header line that is none. */
static nth_status find_column(const reader *r, const char *name, const char *key, ptrdiff_t *place)
{
    nth_status st = NTH_OK;
    nth_shown  shown;
    *place = -1;
    for (ptrdiff_t c = 0; c < r->columns; ++c) {
        if (strcmp(r->header[c], name) != 0) continue;
        NTH_REQUIRE(*place < 0, NTH_E_FORMAT, "%s:1: two columns are named \"%s\"", r->lines.name, name);
        *place = c;
    }
    for (ptrdiff_t c = 0; *place < 0 && c < r->columns; ++c)
        NTH_REQUIRE(!looks_numeric(r->header[c]), NTH_E_FORMAT,
                    "%s:1: %s=%s: no such column; the first line must name the columns, \"%s\" is a number", r->lines.name, key, name,
                    nth_priv_shown(&shown, r->header[c]));
    NTH_REQUIRE(*place >= 0, NTH_E_ARG, "%s:1: %s=%s: no such column; did you mean \"%s\"?", r->lines.name,
                key, name,
                nth_priv_shown(&shown, nth_priv_data_nearest(name, (const char *const *)r->header)));
done:
    return st;
}

static nth_status assign_roles(reader *r, nth_table *t)
{
    nth_status st = NTH_OK;
    ptrdiff_t  c = 0;
    char      *list = NULL;
    NTH_TRY(find_column(r, r->want->target, "target", &c));
    r->roles[c] = TARGET;
    if (r->want->split != NULL) {
        NTH_TRY(find_column(r, r->want->split, "split", &c));
        NTH_REQUIRE(r->roles[c] == FEATURE, NTH_E_ARG, "%s: split=%s is the target", r->lines.name, r->want->split);
        r->roles[c] = SPLIT;
    }
    if (r->want->ignore != NULL) NTH_TRY(nth_priv_strdup(&list, r->want->ignore));
    for (char *name = list, *next = NULL; name != NULL; name = next) {
        next = strchr(name, ',');
        if (next != NULL) *next++ = '\0';
        NTH_TRY(find_column(r, name, "ignore", &c));
        NTH_REQUIRE(r->roles[c] != TARGET && r->roles[c] != SPLIT, NTH_E_ARG,
                    "%s: ignore=%s, but that column is the target or the split", r->lines.name, name);
        r->roles[c] = IGNORED;
    }
    t->d = 0;
    for (c = 0; c < r->columns; ++c) t->d += r->roles[c] == FEATURE;
    NTH_REQUIRE(t->d > 0, NTH_E_FORMAT, "%s: no column left for the inputs", r->lines.name);
done:
    nth_priv_free(list);
    return st;
}

static nth_status read_header(reader *r, nth_table *t)
{
    nth_status st = NTH_OK;
    bool       more = false;
    NTH_TRY(nth_priv_lines_next(&r->lines, &more));
    NTH_REQUIRE(more && r->lines.length > 0, NTH_E_FORMAT, "%s:1: no header line", r->lines.name);
    r->delimiter = ',';
    if (strchr(r->lines.text, ',') == NULL) r->delimiter = strchr(r->lines.text, ';') != NULL ? ';' : '\t';
    ptrdiff_t most = 1;
    for (const char *p = r->lines.text; *p != '\0'; ++p) most += *p == r->delimiter;
    NTH_REQUIRE(most <= MAX_COLUMNS, NTH_E_FORMAT, "%s:1: more than %d columns", r->lines.name, MAX_COLUMNS);
    NTH_TRY(nth_priv_alloc(&r->field, most, sizeof *r->field, "fields"));
    NTH_TRY(nth_priv_alloc(&r->start, most, sizeof *r->start, "fields"));
    NTH_TRY(nth_priv_alloc(&r->roles, most, sizeof *r->roles, "columns"));
    NTH_TRY(nth_priv_alloc(&r->header, most + 1, sizeof *r->header, "columns")); /* ends with a NULL */
    ptrdiff_t count = 0;
    NTH_TRY(cut(r, most, &count));
    for (; r->columns < count; ++r->columns)
        NTH_TRY(nth_priv_strdup(&r->header[r->columns], r->field[r->columns]));
    NTH_TRY(assign_roles(r, t));
done:
    return st;
}

/* A feature that is a word: missing values and names of rows are what tables hold besides numbers. */
static nth_status refuse_word(const reader *r, ptrdiff_t c)
{
    static const char *const missing[] = { "", "?", "NA", "N/A", "null" };
    nth_status               st = NTH_OK;
    nth_shown                shown, column;
    bool                     gap = false;
    for (size_t i = 0; i < sizeof missing / sizeof *missing; ++i) gap = gap || strcmp(r->field[c], missing[i]) == 0;
    (void)nth_priv_shown(&shown, r->field[c]);
    (void)nth_priv_shown(&column, r->header[c]);
    NTH_FAIL(NTH_E_FORMAT, "%s:%ld:%td: \"%s\" is not a number (%s); %signore=%s leaves the column out", r->lines.name, r->lines.number,
             r->start[c] - r->lines.text + 1, shown.text, column.text, gap ? "fill in what is missing or take the row out; " : "", column.text);
done:
    return st;
}

static nth_status read_row(reader *r, nth_table *t)
{
    nth_status st = NTH_OK;
    ptrdiff_t  count = 0, j = 0;
    nth_shown  shown;
    NTH_TRY(cut(r, r->columns, &count));
    NTH_REQUIRE(count == r->columns, NTH_E_FORMAT, "%s:%ld: %td fields; the header has %td",
                r->lines.name, r->lines.number, count, r->columns);
    NTH_TRY(nth_priv_table_reserve(t));
    for (ptrdiff_t c = 0; c < count; ++c) {
        if (r->roles[c] == FEATURE && !looks_numeric(r->field[c])) NTH_TRY(refuse_word(r, c));
        if (r->roles[c] == FEATURE)
            NTH_TRY(nth_priv_number(&t->x[t->rows * t->d + j++], r->field[c], &r->lines, r->start[c],
                                    r->header[c]));
        if (r->roles[c] == SPLIT) t->is_test[t->rows] = strcmp(r->field[c], r->want->fold) == 0;
        if (r->roles[c] != TARGET) continue;
        if (t->rows == 0) {
            r->classify = strcmp(r->want->task, "classify") == 0;
            if (strcmp(r->want->task, "auto") == 0) r->classify = !looks_numeric(r->field[c]);
        }
        if (r->classify) {
            NTH_REQUIRE(r->field[c][0] != '\0', NTH_E_FORMAT, "%s:%ld:%td: no class (%s)", r->lines.name,
                        r->lines.number, r->start[c] - r->lines.text + 1, nth_priv_shown(&shown, r->header[c]));
            st = nth_priv_table_class(t, r->field[c], &t->target[t->rows]);
            if (st != NTH_OK) nth_priv_error_prefix("%s:%ld", r->lines.name, r->lines.number);
            if (st != NTH_OK) goto done;
        } else
            NTH_TRY(nth_priv_number(&t->target[t->rows], r->field[c], &r->lines, r->start[c], r->header[c]));
    }
    ++t->rows;
done:
    return st;
}

nth_status nth_priv_csv_read(nth_table *t, FILE *f, const char *name, const nth_csv_columns *columns)
{
    nth_status st = NTH_OK;
    nth_shown  shown;
    reader     r = { .lines = { .f = f, .name = name }, .want = columns };
    NTH_TRY(read_header(&r, t));
    for (bool more = true;;) {
        NTH_TRY(nth_priv_lines_next(&r.lines, &more));
        if (!more) break;
        if (r.lines.text[strspn(r.lines.text, " \t")] == '\0') continue; /* a blank line */
        NTH_TRY(read_row(&r, t));
    }
    NTH_REQUIRE(t->rows > 0, NTH_E_FORMAT, "%s: a header and no rows", name);
    if (r.classify) {
        NTH_REQUIRE(t->classes >= 2, NTH_E_FORMAT, "%s: one class only in column \"%s\": \"%s\"", name,
                    columns->target, nth_priv_shown(&shown, t->labels[0]));
        NTH_TRY(nth_priv_table_sort_classes(t));
    }
done:
    for (ptrdiff_t c = 0; c < r.columns; ++c) nth_priv_free(r.header[c]);
    nth_priv_free(r.header);
    nth_priv_free(r.roles);
    nth_priv_free(r.field);
    nth_priv_free(r.start);
    nth_priv_lines_fini(&r.lines);
    return st;
}

/* rows[0..n) to train on; test rows from the end of `rows` backwards become rows[n..n+k). */
static nth_status draw_rows(ptrdiff_t *rows, const nth_table *t, ptrdiff_t n, ptrdiff_t k, uint64_t seed)
{
    nth_status  st = NTH_OK;
    nth_ranked *order = NULL;
    NTH_TRY(nth_priv_alloc(&order, t->rows, sizeof *order, "order of rows"));
    for (ptrdiff_t i = 0; i < t->rows; ++i) order[i].sample = i;
    nth_priv_rank(order, t->rows, seed, NTH_SPLIT_TRAIN);
    for (ptrdiff_t i = 0; i < n; ++i) rows[i] = order[i].sample;
    for (ptrdiff_t i = 0; i < k; ++i) rows[n + i] = order[t->rows - 1 - i].sample;
done:
    nth_priv_free(order);
    return st;
}

/* Fills rows (training rows first) and tells how many of each. */
static nth_status split_rows(ptrdiff_t *rows, ptrdiff_t *n, ptrdiff_t *k, const nth_table *t,
                             const nth_spec *spec, uint64_t seed)
{
    nth_status st = NTH_OK;
    ptrdiff_t  train = -1, test = -1;
    NTH_TRY(nth_priv_spec_count(spec, "train", 1, PTRDIFF_MAX, &train));
    NTH_TRY(nth_priv_spec_count(spec, "test", 0, PTRDIFF_MAX, &test));
    *n = *k = 0;
    if (train < 0 && test < 0) {
        for (ptrdiff_t i = 0; i < t->rows; ++i)
            if (!t->is_test[i]) rows[(*n)++] = i;
        for (ptrdiff_t i = 0; i < t->rows; ++i)
            if (t->is_test[i]) rows[*n + (*k)++] = i;
        NTH_REQUIRE(nth_priv_spec_text(spec, "split") == NULL || (*n > 0 && *k > 0), NTH_E_ARG,
                    "%s: split=%s&fold=%s gives %td training and %td test rows", spec->path,
                    nth_priv_spec_text(spec, "split"), nth_priv_spec_text(spec, "fold"), *n, *k);
        goto done;
    }
    NTH_REQUIRE(train <= t->rows && test <= t->rows - (train < 0 ? 1 : train), NTH_E_ARG,
                "%s: train=%td and test=%td asked for; there are %td rows", spec->path,
                train < 0 ? 1 : train, test < 0 ? 0 : test, t->rows);
    *n = train < 0 ? t->rows - test : train;
    *k = test < 0 ? t->rows - train : test;
    NTH_TRY(draw_rows(rows, t, *n, *k, seed));
done:
    return st;
}

static nth_status check_keys(const nth_spec *spec, nth_csv_columns *c)
{
    static const char *const tasks[] = { "auto", "classify", "regress", NULL };
    nth_status               st = NTH_OK;
    int                      i = 0;
    const char              *task = nth_priv_spec_text(spec, "task");
    *c = (nth_csv_columns){ .target = nth_priv_spec_text(spec, "target"),
                            .task = task != NULL ? task : "auto",
                            .ignore = nth_priv_spec_text(spec, "ignore"),
                            .split = nth_priv_spec_text(spec, "split"),
                            .fold = nth_priv_spec_text(spec, "fold") };
    NTH_REQUIRE(spec->path[0] != '\0', NTH_E_ARG, "csv: no file named; write csv:FILE?target=NAME");
    NTH_REQUIRE(c->target != NULL, NTH_E_ARG, "csv:%s: no target; write csv:%s?target=NAME", spec->path,
                spec->path);
    while (tasks[i] != NULL && strcmp(tasks[i], c->task) != 0) ++i;
    NTH_REQUIRE(tasks[i] != NULL, NTH_E_ARG, "csv:%s: task=%s; did you mean \"%s\"?", spec->path, c->task,
                nth_priv_data_nearest(c->task, tasks));
    NTH_REQUIRE((c->split == NULL) == (c->fold == NULL), NTH_E_ARG,
                "csv:%s: split and fold go together; write split=NAME&fold=K", spec->path);
    NTH_REQUIRE(c->split == NULL || (nth_priv_spec_text(spec, "train") == NULL &&
                                     nth_priv_spec_text(spec, "test") == NULL),
                NTH_E_ARG, "csv:%s: give split and fold, or train and test, not both", spec->path);
done:
    return st;
}

/* The spec again, in a fixed order, with what was left open filled in. */
static nth_status describe(nth_data *data, const nth_spec *spec, const nth_csv_columns *c, bool drawn,
                           uint64_t seed)
{
    nth_status st = NTH_OK;
    char      *rows = NULL, *ignore = NULL;
    NTH_TRY(drawn ? nth_priv_format(&rows, "&train=%td&test=%td&seed=%llu", data->x.rows, data->x_test.rows,
                                    (unsigned long long)seed)
            : c->split != NULL ? nth_priv_format(&rows, "&split=%s&fold=%s", c->split, c->fold)
                               : nth_priv_strdup(&rows, ""));
    NTH_TRY(c->ignore != NULL ? nth_priv_format(&ignore, "&ignore=%s", c->ignore)
                              : nth_priv_strdup(&ignore, ""));
    NTH_TRY(nth_priv_format(&data->source, "csv:%s?target=%s&task=%s%s%s", spec->path, c->target,
                            data->classes > 0 ? "classify" : "regress", ignore, rows));
done:
    nth_priv_free(rows);
    nth_priv_free(ignore);
    return st;
}

nth_status nth_priv_load_csv(nth_data *data, const nth_spec *spec, const nth_data_options *opt)
{
    nth_status      st = NTH_OK;
    nth_csv_columns columns = { 0 };
    nth_table       t = { 0 };
    ptrdiff_t      *rows = NULL, n = 0, k = 0;
    uint64_t        seed = 1;
    FILE           *f = NULL;
    (void)opt;
    NTH_TRY(check_keys(spec, &columns));
    NTH_TRY(nth_priv_spec_seed(spec, "seed", &seed));
    NTH_TRY(nth_priv_open(&f, spec->path));
    NTH_TRY(nth_priv_csv_read(&t, f, spec->path, &columns));
    NTH_TRY(nth_priv_alloc(&rows, t.rows, sizeof *rows, "chosen rows"));
    NTH_TRY(split_rows(rows, &n, &k, &t, spec, seed));
    NTH_TRY(nth_priv_table_to_data(data, &t, rows, n, rows + n, k));
    const bool drawn = nth_priv_spec_text(spec, "train") != NULL || nth_priv_spec_text(spec, "test") != NULL;
    NTH_TRY(describe(data, spec, &columns, drawn, seed));
done:
    if (f != NULL) fclose(f);
    nth_priv_free(rows);
    nth_priv_table_fini(&t);
    return st;
}
