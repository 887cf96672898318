/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * The one table writer: rows of text cells, printed as Markdown and written as Markdown, CSV or LaTeX.
 */
#ifndef NTH_CLI_TABLE_H
#define NTH_CLI_TABLE_H

#include "cli.h"

typedef struct cli_table cli_table;

/* A table with a caption and column heads, "left|right|...": `heads` separated by '|'. NULL if memory is short;
 * every call below accepts NULL, and cli_table_end tells. */
cli_table *cli_table_create(const char *caption, const char *heads);
void       cli_table_destroy(cli_table **t);

/* The next cell; a row is full after as many cells as there are heads. "+-" becomes a plus-minus sign in LaTeX. */
void cli_table_put(cli_table *t, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/* Markdown to standard output, unless --json. */
void cli_table_say(const cli *c, const cli_table *t);

/* Before the work: --table, if it is given, must end in .md, .csv or .tex (NTH_E_ARG) and be a file one can write. */
NTH_NODISCARD nth_status cli_table_begin(cli *c);
/* After it: tables one after the other to --table, if it is given, in the format of its name. NTH_E_NOMEM if a table
 * is missing or a cell was lost. */
NTH_NODISCARD nth_status cli_table_end(cli *c, const cli_table *const *tables, int count);

#endif
