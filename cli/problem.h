/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * What the commands on networks and kernels share: a network and data that fit each other, blocks
 * of kernels, and memory that is asked for before it is taken.
 */
#ifndef NTH_CLI_PROBLEM_H
#define NTH_CLI_PROBLEM_H

#include "cli.h"
#include "nth/ntk.h"

/* A network and a data set with the network's input dimension. */
typedef struct cli_problem {
    nth_net  *net;
    nth_data *data;
    nth_cmat  X, X_test; /* (n x d), (k x d); views of data */
    ptrdiff_t n, k;
} cli_problem;

/* Reads --data, and --net unless `net` is false; `targets`: one column of targets is needed. */
NTH_NODISCARD nth_status cli_problem_load(cli *c, cli_problem *p, bool net, bool targets);
void                     cli_problem_free(cli_problem *p);
/* Refuses a network with several outputs, naming its file. */
NTH_NODISCARD nth_status cli_one_output(cli *c, const cli_problem *p);
/* What --outputs says of this network, which must have several of them if it is given. */
NTH_NODISCARD nth_status cli_outputs(cli *c, nth_outputs *kind, const nth_net *net);

/* A random network of the options --widths, --activation, --init, ..., with all layers stored (cmd_net.c). */
NTH_NODISCARD nth_status cli_draw_net(cli *c, nth_net **net);
/* Channels, height and width of inputs of dimension d: --image, or those of the data sets that have this dimension. */
NTH_NODISCARD nth_status cli_image_shape(cli *c, ptrdiff_t shape[3], ptrdiff_t d);

/* NTH_E_NOMEM, saying both figures, if the machine has not that much memory. */
NTH_NODISCARD nth_status cli_memory_check(cli *c, double bytes, const char *what);
/* Zeroed doubles, after that check; `count` may exceed every integer type. */
NTH_NODISCARD nth_status cli_doubles(cli *c, double **out, double count, const char *what);

/* NTH_E_IO if the disk of --out has not that much room: asked before hours of work, not after. */
NTH_NODISCARD nth_status cli_disk_check(cli *c, double bytes);

/* What --input-scale says. */
nth_input_scale cli_input_scale(const nth_config *cfg);
/* Training, then test inputs as form E3 takes them: divided by sqrt(d) unless --input-scale is one. */
NTH_NODISCARD nth_status cli_scaled_inputs(cli *c, double **out, const cli_problem *p);

/* Folds that --folds or --validation ask for, and number (n): the fold that holds a sample out, else 0 (nth_data_folds). With
 * neither one fold if there must be folds, else *folds = 0 and no numbers. */
NTH_NODISCARD nth_status cli_folds(cli *c, ptrdiff_t *folds, double **number, ptrdiff_t n, bool must);

/* Blocks for n training and k test inputs; with `all` also the test-test block. */
NTH_NODISCARD nth_status cli_blocks_create(cli *c, nth_blocks *b, ptrdiff_t n, ptrdiff_t k, bool all);
void                     cli_blocks_free(nth_blocks *b);
/* What the names of the training, test and test-test block end in. */
extern const char *const cli_block_suffix[];
/* Writes the blocks there are as /NAME, /NAME_test, /NAME_test_test. */
NTH_NODISCARD nth_status cli_blocks_write(nth_file *file, const char *name, const nth_blocks *b);
/* D (A.rows), the diagonal of A. */
void cli_diagonal(double *D, nth_mat A);
/* Writes the diagonal of the test-test block, if there is one, as /NAME_test_diag. */
NTH_NODISCARD nth_status cli_diagonal_write(cli *c, nth_file *file, const char *name, const nth_blocks *b);
/* A line (and JSON object) on a dataset: shape, largest entry. */
void cli_report_dataset(cli *c, const char *path, const double *a, int rank, const ptrdiff_t *dims);
/* The same where the largest entry is known. */
void cli_report_shape(cli *c, const char *path, int rank, const ptrdiff_t *dims, double largest);
/* The same on each block. */
void cli_report_blocks(cli *c, const char *name, const nth_blocks *b);

/* Closes a result file; one that is not complete is removed (used while it holds nothing of worth). */
void cli_discard(cli *c, nth_file **file);

/* Largest |a_i|; a NaN sticks. */
double cli_max_abs(const double *a, ptrdiff_t n);

#endif
