/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * The kernels which nth kare compares, and the ridge regressions with each: a curve over ridges, and the
 * ridge that the training set chooses.
 */
#ifndef NTH_CLI_KARE_FAMILY_H
#define NTH_CLI_KARE_FAMILY_H

#include "nth/regress.h"
#include "problem.h"

typedef struct cli_kare_fit {
    double    alpha, z, kare, loo; /* z = alpha tr(K)/n^2; loo: leave-one-out mse, NaN where the kernel is singular */
    nth_score mse, accuracy;       /* on the test set; count 0: none */
} cli_kare_fit;

/* A kernel and its regressions; where a network was trained for it, that network, too. */
typedef struct cli_kare_family {
    nth_blocks    K;
    cli_kare_fit *fit;      /* one for each --alpha; NULL: not made */
    bool          counterpart;   /* the kernel is that of NTK parameterization, the network is not */
    double        loss;          /* mean square error on the training set of the network trained */
    nth_score     mse, accuracy; /* its test error; count 0: none */
} cli_kare_family;

/* What a kernel is that of. */
enum { CLI_KARE_TRAINED, CLI_KARE_INITIAL, CLI_KARE_INFINITE, CLI_KARE_FLOW, CLI_KARE_NETWORK, CLI_KARE_FAMILIES };

/* The kernel `which` of the network as it is, and its regressions; all but CLI_KARE_TRAINED forget the kernel. */
NTH_NODISCARD nth_status cli_kare_family_make(cli *c, cli_kare_family *a, int which, const cli_problem *p, nth_outputs outputs,
                                              nth_task task);
void                     cli_kare_family_free(cli_kare_family *a);
/* Test error of the mean training target. */
NTH_NODISCARD nth_status cli_kare_mean_predictor(cli *c, nth_score *mse, const cli_problem *p);
/* A table; its rows in `fits`, the ridges chosen in `chosen`. Nothing where there are no fits. */
void cli_kare_family_report(cli *c, const cli_kare_family *a, int which, bool test, nth_json *fits, nth_json *chosen);
/* /fits.. (F,6): alpha, z, KARE, test mse, test accuracy, leave-one-out mse. */
NTH_NODISCARD nth_status cli_kare_family_write(cli *c, const cli_kare_family *a, int which, nth_file *f);

#endif
