/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Kernels from files: in memory, or one group of rows after the other; and a second kernel that is added.
 */
#ifndef NTH_CLI_GRAM_H
#define NTH_CLI_GRAM_H

#include "problem.h"

/* A kernel of a file: dataset NAME (n x n) and, for k > 0, NAME_test (k x n). */
typedef struct cli_gram {
    nth_blocks K; /* train and test, by cli_gram_read */
    nth_file  *file; /* by cli_gram_open */
    bool       label_free; /* made from another kernel, not read */
    ptrdiff_t  n, k;
    char       path[1024], name[256];
} cli_gram;

/* Says it if the file was made from other data than those of --data, unless --quiet is given. A kernel of other labels may be
 * meant, one of other inputs of the same number hardly: nothing is refused. */
void cli_tell_other_data(const cli *c, nth_file *file, const char *path);
/* Opens FILE:/NAME, or FILE with the dataset `usual` if that is not NULL, and checks the shapes. */
NTH_NODISCARD nth_status cli_gram_open(cli *c, cli_gram *g, const char *option, const char *text, const char *usual, ptrdiff_t n,
                                       ptrdiff_t k);
/* Opens, reads all of it and closes. */
NTH_NODISCARD nth_status cli_gram_read(cli *c, cli_gram *g, const char *option, const char *text, const char *usual, ptrdiff_t n,
                                       ptrdiff_t k);
/* FILE:/f_test, or in a group, is not a kernel but a model's outputs on the test inputs. */
bool cli_names_outputs(const char *text);
/* These, at the last time if there are several, in F (k x c), contiguous; the file is closed again. */
NTH_NODISCARD nth_status cli_outputs_read(cli *c, cli_gram *g, const char *option, const char *text, nth_mat F);
/* The diagonal of the training block of an open kernel, D (n). */
NTH_NODISCARD nth_status cli_gram_diagonal(cli *c, const cli_gram *g, double *D);
/* The diagonal of the test inputs, D (k), from NAME_test_diag or NAME_test_test; *there is false if the file has neither. */
NTH_NODISCARD nth_status cli_gram_test_diagonal(cli *c, const cli_gram *g, double *D, bool *there);
/* Closes and frees; what was never opened, too. */
void cli_gram_free(cli_gram *g);

/* --add needs --weight and the other way round; the weight is a number, or with `loo` the words loo and folds, too. */
NTH_NODISCARD nth_status cli_check_weight(cli *c, bool loo);
/* K <- K + weight Z, contiguous and of one shape; then train and test. */
void cli_add(nth_mat K, nth_mat Z, double weight);
void cli_add_kernel(cli_gram *K, const cli_gram *Z, double weight);

#endif
