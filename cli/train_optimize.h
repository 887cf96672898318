/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * nth train --optimizer: training in mini-batches.
 */
#ifndef NTH_CLI_TRAIN_OPTIMIZE_H
#define NTH_CLI_TRAIN_OPTIMIZE_H

#include "cli.h"

/* Options of the flow with --optimizer and options of an optimizer without it are mistakes; NTH_E_ARG. */
NTH_NODISCARD nth_status cli_train_check(cli *c);
/* The whole command. */
NTH_NODISCARD nth_status cli_train_optimize(cli *c);

#endif
