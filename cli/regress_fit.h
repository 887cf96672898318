/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * The work behind nth regress: fits over a grid of weights and ridges of which
 * leave-one-out chooses one.
 */
#ifndef NTH_CLI_REGRESS_FIT_H
#define NTH_CLI_REGRESS_FIT_H

#include "gram.h"
#include "nth/regress.h"

/* The kernel of --add: a file's, or made from K: `constant` (all ones), `squares` (K o K). */
NTH_NODISCARD nth_status cli_addend(cli *c, cli_gram *Z, const cli_gram *K, ptrdiff_t n, ptrdiff_t k);

/* One fit; what could not be had is NaN. */
typedef struct cli_fit {
    double             weight, ridge;
    nth_regress_method method;
    nth_regress_info   info;
    double             loo_mse, loo_error, gcv; /* means over columns; share of wrong classes */
    nth_score          test, test_mse;          /* of the task; count 0 without test inputs */
    char               refused[512];            /* why there is no fit; empty: there is one */
} cli_fit;

/* The fits of one kernel, and the model of the chosen one. */
typedef struct cli_fits {
    nth_task  task;
    bool      test_only;          /* no leave-one-out, no cross-validation: half the work */
    nth_cmat  Y, Y_test;          /* views of the data */
    ptrdiff_t count, chosen;      /* fits; the one with the least loo_mse */
    cli_fit  *fit;                /* (count), weights outside, ridges inside */
    nth_mat   alpha, loo, f_test; /* (n x c), (n x c), (k x c) of the chosen one */
    double   *offset;             /* (c) */
} cli_fits;

/* Fits K + weight Z for all weights and ridges; K's memory is used up. Z may be NULL (weights too). */
NTH_NODISCARD nth_status cli_fits_make(cli *c, cli_fits *s, cli_gram *K, const cli_gram *Z,
                                       const double *weights, ptrdiff_t count, nth_reals ridge);
void                     cli_fits_free(cli_fits *s);

/* The score of the task: accuracy, or mean square error. */
NTH_NODISCARD nth_status cli_score(nth_score *score, nth_task task, nth_cmat F, nth_cmat Y);
/* A contiguous matrix; freed by free(m->a). */
NTH_NODISCARD nth_status cli_matrix(cli *c, nth_mat *m, ptrdiff_t rows, ptrdiff_t cols,
                                    const char *what);

#endif
