/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * An infinite-width kernel written to the result file tile by tile: memory for a tile only, progress,
 * Ctrl-C and resumption between tiles.
 */
#ifndef NTH_CLI_KERNEL_TILES_H
#define NTH_CLI_KERNEL_TILES_H

#include "cli.h"
#include "problem.h"

#include "nth/infinite.h"

/* Writes /K (and /K_test, /K_test_test unless `corner` is false) of Theta, or of Sigma, to --out. */
NTH_NODISCARD nth_status cli_kernel_tiles(cli *c, const nth_infinite *K, const cli_problem *p, bool covariance,
                                          bool corner);

#endif
