/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * The files a command reads besides its data: networks, kernels, directions. Their checksums are
 * recorded with a result, and nth rerun finds them again and compares. All are probed before they are opened.
 */
#ifndef NTH_CLI_INPUTS_H
#define NTH_CLI_INPUTS_H

#include "cli.h"

/* Sets the options that name files which are not in the current folder but in `folder` ("" is the
 * current one) to where they are. NTH_E_IO: neither here nor there, naming option, file and folder. */
NTH_NODISCARD nth_status cli_inputs_locate(cli *c, nth_config *cfg, const char *folder);

/* One line of JSON, {"net": "16 digits", ..}; freed by nth_json_text_free. */
NTH_NODISCARD nth_status cli_inputs_json(cli *c, char **text, const nth_config *cfg);

/* NTH_E_FORMAT if a file has another checksum than the one recorded, naming it and both. */
NTH_NODISCARD nth_status cli_inputs_check(cli *c, const nth_config *cfg, const char *recorded);

/* NTH_E_FORMAT if the HDF5 library crashes on one of the files, an interrupted run's at --out among them. Before threads start. */
NTH_NODISCARD nth_status cli_inputs_probe(cli *c, const nth_config *cfg);

#endif
