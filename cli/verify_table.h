/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * The tables of `nth verify`. The tables count what does not hold in c->failed_checks.
 */
#ifndef NTH_CLI_VERIFY_TABLE_H
#define NTH_CLI_VERIFY_TABLE_H

#include "table.h"
#include "nth/verify.h"

/* Claims, with local slopes of the theorem under its row. NULL if memory is short. */
cli_table *verify_table_claims(cli *c, const nth_data *data, const nth_family *families, const nth_claim *claims, ptrdiff_t count);
/* What the theorem presupposes, and the constant. */
NTH_NODISCARD nth_status verify_table_preconditions(cli_table **table, cli *c, const nth_sweep *sweep, const nth_family *families,
                                                    ptrdiff_t count, double allowed_growth);

#endif
