/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Where a long sampling stands: running means and sums of squares in OUT.state, so that the same command
 * goes on after an interruption or a kill.
 */
#ifndef NTH_CLI_KERNEL_STATE_H
#define NTH_CLI_KERNEL_STATE_H

#include "problem.h"

typedef struct cli_state {
    cli              *c;
    const cli_problem *p;
    char              path[4096];  /* OUT.state */
    nth_blocks       *mean, *scatter;
    struct timespec   saved;       /* when */
    double            cost;        /* seconds that saving took */
    ptrdiff_t         kept;        /* batches in the file */
} cli_state;

/* Reads OUT.state into the blocks if it is there, made by the same configuration from the same data; *batches says
 * how many they hold. */
NTH_NODISCARD nth_status cli_state_begin(cli_state *s, cli *c, const cli_problem *p, nth_blocks *mean, nth_blocks *scatter,
                                         ptrdiff_t *batches);
/* Saves now and then, or at once; a kill while it saves leaves the older state. */
NTH_NODISCARD nth_status cli_state_keep(cli_state *s, ptrdiff_t batches, bool now);
/* Removes OUT.state: the result is complete. */
void cli_state_end(cli_state *s);

#endif
