/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * The commands, one file each (cmd_<name>.c), listed in the table of main.c.
 */
#ifndef NTH_CLI_COMMANDS_H
#define NTH_CLI_COMMANDS_H

#include "cli.h"

typedef nth_status cli_run(cli *c);

/* The function of a command; NULL if it is not part of this version. */
cli_run *cli_command(nth_command command);

nth_status cmd_data(cli *c);
nth_status cmd_elastic(cli *c);
nth_status cmd_hierarchy(cli *c);
nth_status cmd_info(cli *c);
nth_status cmd_kare(cli *c);
nth_status cmd_kernel(cli *c);
nth_status cmd_lantk(cli *c);
nth_status cmd_net(cli *c);
nth_status cmd_regress(cli *c);
nth_status cmd_rerun(cli *c);
nth_status cmd_report(cli *c);
nth_status cmd_train(cli *c);
nth_status cmd_verify(cli *c);

#endif
