/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Tables in four formats (table.h). Cells are kept as text, numbers in full beside it; the first line is the heads.
 */
#include "table.h"

#include <errno.h>
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef struct cell {
    char *text, *exact; /* exact: of a number; NULL if it is the text */
} cell;

struct cli_table {
    char     *caption;
    cell     *cell; /* heads first */
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

static void append(cli_table *t, const char *text, size_t length, const char *exact)
{
    if (t->count == t->room) {
        const ptrdiff_t room = 2 * t->room + 64;
        cell           *more = realloc(t->cell, (size_t)room * sizeof *more);
        if (more == NULL) {
            t->lost = true;
            return;
        }
        t->cell = more, t->room = room;
    }
    const cell c = { copy(text, length), exact != NULL ? copy(exact, strlen(exact)) : NULL };
    if (c.text == NULL || (exact != NULL && c.exact == NULL)) t->lost = true;
    t->cell[t->count++] = c;
}

cli_table *cli_table_create(const char *caption, const char *heads)
{
    cli_table *t = calloc(1, sizeof *t);
    if (t == NULL) return NULL;
    t->caption = copy(caption, strlen(caption));
    t->lost = t->caption == NULL;
    for (const char *at = heads;; ++at) {
        const size_t length = strcspn(at, "|");
        append(t, at, length, NULL);
        ++t->columns;
        at += length;
        if (*at == '\0') return t;
    }
}

void cli_table_destroy(cli_table **t)
{
    if (t == NULL || *t == NULL) return;
    for (ptrdiff_t i = 0; i < (*t)->count; ++i) free((*t)->cell[i].text), free((*t)->cell[i].exact);
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
    append(t, text, strlen(text), NULL);
}

void cli_table_text(cli_table *t, const char *text)
{
    if (t != NULL) append(t, text, strlen(text), NULL);
}

void cli_table_number(cli_table *t, double value)
{
    char text[32], exact[32];
    if (t == NULL) return;
    if (isnan(value)) {
        append(t, "-", 1, NULL);
        return;
    }
    snprintf(text, sizeof text, "%.5g", value);
    for (int digits = 15; digits <= 17; ++digits) {
        snprintf(exact, sizeof exact, "%.*g", digits, value);
        if (strtod(exact, NULL) == value) break;
    }
    append(t, text, strlen(text), exact);
}

ptrdiff_t cli_table_rows(const cli_table *t) { return t != NULL ? t->count / t->columns - 1 : 0; }

nth_status cli_table_check(cli *c, const cli_table *t)
{
    return t == NULL || t->lost ? cli_fail(c, NTH_E_NOMEM, "out of memory for a table") : NTH_OK;
}

/* ---- Formats ------------------------------------------------------------------------------------ */

typedef void cell_writer(FILE *f, const char *text);

static void markdown_cell(FILE *f, const char *text)
{
    for (; *text != '\0'; ++text) {
        if (*text == '<') { /* no HTML through the back door */
            fputs("&lt;", f);
            continue;
        }
        if (*text == '|') fputc('\\', f);
        fputc((unsigned char)*text < ' ' ? ' ' : *text, f);
    }
}

static void csv_cell(FILE *f, const char *text)
{
    if (strpbrk(text, ",\"\n\r") == NULL) {
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
        else fputc((unsigned char)*text < ' ' ? ' ' : *text, f);
    }
}

static void row(FILE *f, const cli_table *t, ptrdiff_t first, cell_writer *put, bool exact, const char *open, const char *between,
                const char *close)
{
    fputs(open, f);
    for (int j = 0; j < t->columns && first + j < t->count; ++j) {
        if (j > 0) fputs(between, f);
        const struct cell *c = &t->cell[first + j];
        put(f, exact && c->exact != NULL ? c->exact : c->text);
    }
    fputs(close, f);
}

static void markdown(FILE *f, const cli_table *t)
{
    if (t->caption[0] != '\0') fprintf(f, "%s\n\n", t->caption);
    row(f, t, 0, markdown_cell, false, "| ", " | ", " |\n|");
    for (int j = 0; j < t->columns; ++j) fputs("---|", f);
    fputc('\n', f);
    for (ptrdiff_t i = t->columns; i < t->count; i += t->columns) row(f, t, i, markdown_cell, false, "| ", " | ", " |\n");
}

static void csv(FILE *f, const cli_table *t)
{
    for (ptrdiff_t i = 0; i < t->count; i += t->columns) row(f, t, i, csv_cell, true, "", ",", "\n");
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
    row(f, t, 0, latex_cell, false, "", " & ", " \\\\\n\\midrule\n");
    for (ptrdiff_t i = t->columns; i < t->count; i += t->columns) row(f, t, i, latex_cell, false, "", " & ", " \\\\\n");
    fputs("\\bottomrule\n\\end{tabular}\n\\end{table}\n", f);
}

static bool is_bad(const char *text)
{
    return strncmp(text, "FAILS", 5) == 0 || strncmp(text, "fails", 5) == 0 || strncmp(text, "rejected", 8) == 0;
}

/* Numbers stand to the right, words to the left, heads above what they head. */
static const char *class_of(const cli_table *t, ptrdiff_t i)
{
    const ptrdiff_t below = i < t->columns && i + t->columns < t->count ? i + t->columns : i;
    const char     *text = t->cell[below].text;
    if (is_bad(text) && below == i) return " class=\"bad\"";
    if ((strcmp(text, "holds") == 0 || strcmp(text, "supported") == 0) && below == i) return " class=\"good\"";
    if (strlen(text) > 60 && below == i) return " class=\"long\"";
    const bool number = text[strspn(text, "-+.0123456789e")] == '\0' || strcmp(text, "inf") == 0 || strcmp(text, "-inf") == 0;
    return number ? "" : " class=\"word\"";
}

static void html_row(FILE *f, const cli_table *t, ptrdiff_t first, const char *tag, void (*escape)(FILE *f, const char *text))
{
    fputs("<tr>", f);
    for (int j = 0; j < t->columns && first + j < t->count; ++j) {
        fprintf(f, "<%s%s>", tag, class_of(t, first + j));
        escape(f, t->cell[first + j].text);
        fprintf(f, "</%s>", tag);
    }
    fputs("</tr>\n", f);
}

void cli_table_html(FILE *f, const cli_table *t, void (*escape)(FILE *f, const char *text))
{
    fputs("<table>", f);
    if (t->caption[0] != '\0') {
        fputs("<caption>", f);
        escape(f, t->caption);
        fputs("</caption>", f);
    }
    fputs("<thead>", f);
    html_row(f, t, 0, "th", escape);
    fputs("</thead><tbody>\n", f);
    for (ptrdiff_t i = t->columns; i < t->count; i += t->columns) html_row(f, t, i, "td", escape);
    fputs("</tbody></table>", f);
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

void cli_table_print(FILE *f, const cli_table *t, const char *name)
{
    const int which = format_of(name);
    if (which >= 0) format[which].write(f, t);
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
