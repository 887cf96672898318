/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Tables in three formats (table.h). Cells are kept as text; the first line is the heads.
 */
#include "table.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct cli_table {
    char     *caption, **cell; /* heads first */
    ptrdiff_t count, room;
    int       columns;
    bool      lost;
};

static char *copy(const char *text, size_t length)
{
    char *s = malloc(length + 1);
    if (s != NULL) memcpy(s, text, length), s[length] = '\0';
    return s;
}

static void append(cli_table *t, const char *text, size_t length)
{
    if (t->count == t->room) {
        const ptrdiff_t room = 2 * t->room + 64;
        char          **more = realloc(t->cell, (size_t)room * sizeof *more);
        if (more == NULL) {
            t->lost = true;
            return;
        }
        t->cell = more, t->room = room;
    }
    t->cell[t->count] = copy(text, length);
    if (t->cell[t->count] == NULL) t->lost = true;
    else ++t->count;
}

cli_table *cli_table_create(const char *caption, const char *heads)
{
    cli_table *t = calloc(1, sizeof *t);
    if (t == NULL) return NULL;
    t->caption = copy(caption, strlen(caption));
    t->lost = t->caption == NULL;
    for (const char *at = heads;; ++at) {
        const size_t length = strcspn(at, "|");
        append(t, at, length);
        ++t->columns;
        at += length;
        if (*at == '\0') return t;
    }
}

void cli_table_destroy(cli_table **t)
{
    if (t == NULL || *t == NULL) return;
    for (ptrdiff_t i = 0; i < (*t)->count; ++i) free((*t)->cell[i]);
    free((*t)->cell), free((*t)->caption), free(*t);
    *t = NULL;
}

void cli_table_put(cli_table *t, const char *fmt, ...)
{
    char    text[2048];
    va_list ap;
    if (t == NULL) return;
    va_start(ap, fmt);
    vsnprintf(text, sizeof text, fmt, ap);
    va_end(ap);
    append(t, text, strlen(text));
}

/* ---- Formats ------------------------------------------------------------------------------------ */

typedef void cell_writer(FILE *f, const char *text);

static void markdown_cell(FILE *f, const char *text)
{
    for (; *text != '\0'; ++text) {
        if (*text == '|') fputc('\\', f);
        fputc(*text, f);
    }
}

static void csv_cell(FILE *f, const char *text)
{
    if (strpbrk(text, ",\"\n") == NULL) {
        fputs(text, f);
        return;
    }
    fputc('"', f);
    for (; *text != '\0'; ++text) {
        if (*text == '"') fputc('"', f);
        fputc(*text, f);
    }
    fputc('"', f);
}

static void latex_cell(FILE *f, const char *text)
{
    for (; *text != '\0'; ++text) {
        if (text[0] == '+' && text[1] == '-') fputs("$\\pm$", f), ++text;
        else if (*text == '\\') fputs("\\textbackslash{}", f);
        else if (*text == '^') fputs("\\textasciicircum{}", f);
        else if (*text == '~') fputs("\\textasciitilde{}", f);
        else if (*text == '<' || *text == '>' || *text == '|') fprintf(f, "$%c$", *text);
        else if (strchr("&%$#_{}", *text) != NULL) fprintf(f, "\\%c", *text);
        else fputc(*text, f);
    }
}

static void row(FILE *f, const cli_table *t, ptrdiff_t first, cell_writer *cell, const char *open, const char *between,
                const char *close)
{
    fputs(open, f);
    for (int j = 0; j < t->columns && first + j < t->count; ++j) {
        if (j > 0) fputs(between, f);
        cell(f, t->cell[first + j]);
    }
    fputs(close, f);
}

static void markdown(FILE *f, const cli_table *t)
{
    if (t->caption[0] != '\0') fprintf(f, "%s\n\n", t->caption);
    row(f, t, 0, markdown_cell, "| ", " | ", " |\n|");
    for (int j = 0; j < t->columns; ++j) fputs("---|", f);
    fputc('\n', f);
    for (ptrdiff_t i = t->columns; i < t->count; i += t->columns) row(f, t, i, markdown_cell, "| ", " | ", " |\n");
}

static void csv(FILE *f, const cli_table *t)
{
    for (ptrdiff_t i = 0; i < t->count; i += t->columns) row(f, t, i, csv_cell, "", ",", "\n");
}

static void latex(FILE *f, const cli_table *t)
{
    fputs("\\begin{table}\n\\centering\n", f);
    if (t->caption[0] != '\0') {
        fputs("\\caption{", f);
        latex_cell(f, t->caption);
        fputs("}\n", f);
    }
    fputs("\\begin{tabular}{l", f);
    for (int j = 1; j < t->columns; ++j) fputc('r', f);
    fputs("}\n\\toprule\n", f);
    row(f, t, 0, latex_cell, "", " & ", " \\\\\n\\midrule\n");
    for (ptrdiff_t i = t->columns; i < t->count; i += t->columns) row(f, t, i, latex_cell, "", " & ", " \\\\\n");
    fputs("\\bottomrule\n\\end{tabular}\n\\end{table}\n", f);
}

static const struct {
    const char *suffix;
    void (*write)(FILE *f, const cli_table *t);
} format[] = { { ".md", markdown }, { ".csv", csv }, { ".tex", latex } };

static int format_of(const char *path)
{
    const size_t length = strlen(path);
    for (int i = 0; i < 3; ++i) {
        const size_t s = strlen(format[i].suffix);
        if (length > s && strcmp(path + length - s, format[i].suffix) == 0) return i;
    }
    return -1;
}

void cli_table_say(const cli *c, const cli_table *t)
{
    if (!c->cfg->json && t != NULL) markdown(stdout, t);
}

static nth_status open_table(cli *c, FILE **f, const char *mode)
{
    *f = fopen(c->cfg->table, mode);
    return *f != NULL ? NTH_OK : cli_fail(c, NTH_E_IO, "--table %s: %s", c->cfg->table, strerror(errno));
}

static nth_status close_table(cli *c, FILE *f)
{
    const bool bad = ferror(f) != 0;
    return fclose(f) == 0 && !bad ? NTH_OK : cli_fail(c, NTH_E_IO, "--table %s: cannot be written", c->cfg->table);
}

/* What is there stays until there is something better. */
nth_status cli_table_begin(cli *c)
{
    FILE *f;
    if (c->cfg->table == NULL) return NTH_OK;
    if (format_of(c->cfg->table) < 0)
        return cli_fail(c, NTH_E_ARG, "--table %s: a name that ends in .md, .csv or .tex is expected", c->cfg->table);
    const nth_status st = open_table(c, &f, "a");
    return st == NTH_OK ? close_table(c, f) : st;
}

nth_status cli_table_end(cli *c, const cli_table *const *tables, int count)
{
    FILE      *f;
    nth_status st;
    for (int i = 0; i < count; ++i)
        if (tables[i] == NULL || tables[i]->lost) return cli_fail(c, NTH_E_NOMEM, "out of memory for a table");
    if (c->cfg->table == NULL) return NTH_OK;
    st = open_table(c, &f, "w");
    if (st != NTH_OK) return st;
    for (int i = 0; i < count; ++i) {
        if (i > 0) fputc('\n', f);
        format[format_of(c->cfg->table)].write(f, tables[i]);
    }
    return close_table(c, f);
}
