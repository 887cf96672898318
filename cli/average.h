/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * What nth hierarchy --expected and nth kernel --kind nth --mode networks share: which networks are
 * averaged, when to stop, and the report.
 */
#ifndef NTH_CLI_AVERAGE_H
#define NTH_CLI_AVERAGE_H

#include "problem.h"
#include "nth/average.h"

typedef struct cli_average {
    cli                *c;
    nth_average_options opt;
    nth_average_result  reached;
} cli_average;

/* Networks of --depth, --width, --networks, --rse and so on; begins the progress line. `a` must stay where it is. */
NTH_NODISCARD nth_status cli_average_begin(cli_average *a, cli *c, nth_activation act, const cli_problem *p, bool doubled);
/* Says and records what was reached; a target missed counts as a check that does not hold. */
NTH_NODISCARD nth_status cli_average_report(cli_average *a, nth_file *f);

#endif
