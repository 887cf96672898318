/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * The tables of `nth verify`. The tables count what does not hold in c->failed_checks.
 */
#ifndef NTH_CLI_VERIFY_TABLE_H
#define NTH_CLI_VERIFY_TABLE_H

#include <stdio.h>

#include "cli.h"
#include "nth/verify.h"

/* A line to standard output (not with --json) and to `also` (unless NULL). */
void verify_put(const cli *c, FILE *also, const char *fmt, ...) __attribute__((format(printf, 3, 4)));
void verify_table_claims(cli *c, FILE *also, const nth_data *data, const nth_family *families, const nth_claim *claims,
                         ptrdiff_t count);
nth_status verify_table_preconditions(cli *c, FILE *also, const nth_sweep *sweep, const nth_family *families, ptrdiff_t count,
                                      double allowed_growth, const double *tuples, ptrdiff_t n_tuples);

#endif
