/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Where a long run stands, in OUT.state, so that the same command goes on after an interruption or a
 * kill: a count (of batches, of steps) and what the command keeps beside it.
 */
#ifndef NTH_CLI_KERNEL_STATE_H
#define NTH_CLI_KERNEL_STATE_H

#include "problem.h"

/* Writes what is kept into a file, or reads it from there. */
typedef nth_status cli_state_content(void *ctx, nth_file *file, bool write);

typedef struct cli_state {
    cli               *c;
    const cli_problem *p;
    char               path[4096]; /* OUT.state */
    cli_state_content *content;
    void              *ctx;
    struct timespec    saved;      /* when */
    double             cost;       /* seconds that saving took */
    ptrdiff_t          kept;       /* batches in the file */
} cli_state;

/* Reads OUT.state if it is there, made by the same configuration from the same data; *batches says how many it holds,
 * 0 without it. */
NTH_NODISCARD nth_status cli_state_begin(cli_state *s, cli *c, const cli_problem *p, cli_state_content *content, void *ctx,
                                         ptrdiff_t *batches);
/* One matrix of the content. */
NTH_NODISCARD nth_status cli_state_matrix(nth_file *file, const char *path, nth_mat A, bool write);
/* Saves now and then, or at once; a kill while it saves leaves the older state. */
NTH_NODISCARD nth_status cli_state_keep(cli_state *s, ptrdiff_t batches, bool now);
/* Removes OUT.state: the result is complete. */
void cli_state_end(cli_state *s);

#endif
