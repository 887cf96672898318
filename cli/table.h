/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * The one table writer: rows of text cells, printed as Markdown and written as Markdown, CSV or LaTeX.
 */
#ifndef NTH_CLI_TABLE_H
#define NTH_CLI_TABLE_H

#include <stdio.h>

#include "cli.h"

typedef struct cli_table cli_table;

/* A table with a caption and column heads, "left|right|...": `heads` separated by '|'. NULL if memory is short;
 * every call below accepts NULL, and cli_table_end tells. */
cli_table *cli_table_create(const char *caption, const char *heads);
void       cli_table_destroy(cli_table **t);

/* The next cell; a row is full after as many cells as there are heads. "+-" becomes a plus-minus sign in LaTeX. */
void cli_table_put(cli_table *t, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/* A text of any length as it is. */
void cli_table_text(cli_table *t, const char *text);
/* The same for a number: five digits for the reader, all of them in CSV. NaN is "-". */
void cli_table_number(cli_table *t, double value);

/* Rows below the heads. */
ptrdiff_t cli_table_rows(const cli_table *t);

/* NTH_E_NOMEM if a table is missing or a cell was lost. */
NTH_NODISCARD nth_status cli_table_check(cli *c, const cli_table *t);

/* Markdown to standard output, unless --json. */
void cli_table_say(const cli *c, const cli_table *t);

/* Before the work: --table, if it is given, must end in .md, .csv or .tex (NTH_E_ARG) and be a file one can write. */
NTH_NODISCARD nth_status cli_table_begin(cli *c);
/* After it: tables one after the other to --table, if it is given, in the format of its name. NTH_E_NOMEM if a table
 * is missing or a cell was lost. */
NTH_NODISCARD nth_status cli_table_end(cli *c, const cli_table *const *tables, int count);
/* One table to an open file, in the format of the name. */
void cli_table_print(FILE *f, const cli_table *t, const char *name);
/* The same as HTML, text through `escape`. Verdicts have the classes good and bad, texts of more than 60 letters long. */
void cli_table_html(FILE *f, const cli_table *t, void (*escape)(FILE *f, const char *text));

#endif
