/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * nth verify mean-drift: m E[K_T - K_0] of many trained networks against its prediction (E63), and with --exponents the
 * exponents of its mean and scatter in the width.
 */
#ifndef NTH_CLI_VERIFY_DRIFT_H
#define NTH_CLI_VERIFY_DRIFT_H

#include "problem.h"
#include "table.h"

#include "nth/drift.h"

/* What both runs hold. */
typedef struct drift_run {
    cli        *c;
    cli_problem p;
    nth_json   *rows, *checks; /* NULL without --json */
    nth_file   *file;          /* NULL without --out */
    cli_table  *table;
    ptrdiff_t   done;          /* networks */
    char        notes[4096];   /* lines below the table */
    size_t      notes_used;
} drift_run;

NTH_NODISCARD nth_status cli_verify_drift(cli *c);
NTH_NODISCARD nth_status cli_drift_exponents(cli *c);

/* Data and result file, after the options that do not go with it; and all of it freed, the file removed unless committed. */
NTH_NODISCARD nth_status drift_open(drift_run *r, const char *data, const char *const *others, size_t n_others);
void                     drift_close(drift_run *r);

/* The networks of one width, with progress; relu with fixed steps. */
nth_drift_options drift_options(drift_run *r, nth_activation act, bool antisymmetric, ptrdiff_t m, ptrdiff_t networks, double t);
bool              drift_go_on(ptrdiff_t networks, void *ctx);

/* Table and the lines below it to standard output, the table to --table, the file to its name. */
NTH_NODISCARD nth_status drift_finish(drift_run *r);

/* A line below the table. */
void drift_note(drift_run *r, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/* A note and JSON object on what twice the steps do to a mean, in its standard errors; one or more is a check that fails. */
void drift_integrator_row(drift_run *r, nth_activation act, bool antisymmetric, ptrdiff_t m, ptrdiff_t networks, ptrdiff_t steps,
                          double worst);

#endif
