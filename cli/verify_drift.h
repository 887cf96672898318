/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * nth verify mean-drift: m E[K_T - K_0] of many trained networks against its prediction (E63).
 */
#ifndef NTH_CLI_VERIFY_DRIFT_H
#define NTH_CLI_VERIFY_DRIFT_H

#include "problem.h"

NTH_NODISCARD nth_status cli_verify_drift(cli *c);

#endif
