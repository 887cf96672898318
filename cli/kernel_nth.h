/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * nth kernel --kind nth: the label-aware kernel K^(NTH) (E71, E72).
 */
#ifndef NTH_CLI_KERNEL_NTH_H
#define NTH_CLI_KERNEL_NTH_H

#include "problem.h"

/* Writes /K_agnostic and /K_label (m times the label-aware part), except in exact mode /K_label_se, to --out; a
 * sampling that ends above --rse counts as a check that does not hold. */
NTH_NODISCARD nth_status cli_kernel_nth(cli *c, const cli_problem *p);

#endif
