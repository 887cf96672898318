/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * The tables of `nth verify`. Both count what does not hold in c->failed_checks.
 */
#ifndef NTH_CLI_VERIFY_TABLE_H
#define NTH_CLI_VERIFY_TABLE_H

#include "cli.h"
#include "nth/verify.h"

void verify_table_claims(cli *c, const nth_data *data, const nth_family *families, const nth_claim *claims,
                         ptrdiff_t count);
nth_status verify_table_preconditions(cli *c, const nth_sweep *sweep, const nth_family *families, ptrdiff_t count,
                                      double allowed_growth, const double *tuples, ptrdiff_t n_tuples);

#endif
