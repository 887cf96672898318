/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Two result files against each other: every dataset, read in parts, and the attributes of results.
 */
#ifndef NTH_CLI_COMPARE_H
#define NTH_CLI_COMPARE_H

#include "cli.h"

typedef struct cli_comparison {
    ptrdiff_t datasets, attributes;   /* looked at */
    ptrdiff_t near, different;        /* of both: not the same, but within the tolerance; beyond it */
    double    absolute, relative;     /* largest over the datasets */
} cli_comparison;

/*
 * Prints a line (and with --json adds an object to `rows`) for each dataset and for each attribute that
 * is not the same. Differences are relative to the largest entry of the recorded dataset; with tolerance
 * 0 the bits count. A dataset, attribute or shape that only one file has is a difference.
 */
NTH_NODISCARD nth_status cli_compare(cli *c, cli_comparison *r, nth_json *rows, nth_file *recorded, nth_file *now,
                                     double tolerance);

#endif
