/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Convolutional networks in nth train: options, architecture, and how the trained network is written.
 */
#ifndef NTH_CLI_TRAIN_CNN_H
#define NTH_CLI_TRAIN_CNN_H

#include "problem.h"
#include "nth/cnn.h"

/* The options ask for a convolutional network. */
bool cli_cnn_asked(const nth_config *cfg);
/* What does not go with it, and whether this build can; NTH_E_ARG. */
NTH_NODISCARD nth_status cli_cnn_check_options(cli *c);
/* The architecture, for these data. */
NTH_NODISCARD nth_status cli_cnn_shape(cli *c, nth_cnn_config *shape, const cli_problem *p);
/* NTH_E_NOMEM, saying both figures; tells what is needed. */
NTH_NODISCARD nth_status cli_cnn_memory(cli *c, const nth_cnn_config *shape, ptrdiff_t n, ptrdiff_t batch);
/* Writes /cnn: parameters and, as attributes, the architecture. */
NTH_NODISCARD nth_status cli_cnn_write(cli *c, nth_file *file, const nth_cnn_config *shape, const nth_cnn *cnn);
/* Parameters and moments to or from a file of state; `steps` those that it holds when read. */
NTH_NODISCARD nth_status cli_cnn_keep(cli *c, nth_file *file, const nth_cnn_config *shape, nth_cnn *cnn, long steps, bool write);

#endif
