/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * nth verify claim-1.1: what a kernel that knows no labels cannot do, and one that knows them does.
 */
#ifndef NTH_CLI_VERIFY_AGNOSTIC_H
#define NTH_CLI_VERIFY_AGNOSTIC_H

#include "cli.h"

NTH_NODISCARD nth_status cli_verify_agnostic(cli *c);

#endif
