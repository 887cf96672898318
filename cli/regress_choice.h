/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Weight and ridge chosen on held-out training samples whose labels the added kernel has not seen
 * (docs/equations.md, E74 and "Choosing lambda").
 */
#ifndef NTH_CLI_REGRESS_CHOICE_H
#define NTH_CLI_REGRESS_CHOICE_H

#include "regress_fit.h"

/* Ratios of the grid: weight = ratio * mean |K| / mean |Z| over training pairs (E74). */
enum { CLI_RATIOS = 12 };
extern const double cli_ratio[CLI_RATIOS];

/* Means over all samples held out. */
typedef struct cli_choice_row {
    double ratio, ridge, mse, error; /* share of wrong classes; NaN for numbers; mse infinite where a fold has no fit */
    bool   refused; /* by cli_choice_refuse */
    double loo; /* if refused: leave-one-out mean square error on all samples; infinite without a fit */
} cli_choice_row;

typedef struct cli_choice {
    cli_choice_row *row; /* (count), ratios outside, ridges inside */
    ptrdiff_t       count, chosen, folds, held; /* the least mse; samples held out */
} cli_choice;

/* mean |K| / mean |Z|: the weight of ratio 1. */
NTH_NODISCARD nth_status cli_weight_unit(cli *c, double *unit, const cli_gram *K, const cli_gram *Z);

/* Folds of Z's file (/fold, /fold_1/NAME ..), or for a kernel free of labels those of --folds, --validation and --seed. */
NTH_NODISCARD nth_status cli_choose(cli *c, cli_choice *choice, const cli_gram *K, const cli_gram *Z, nth_task task, nth_mat y);
/* Is the fit of the chosen row on all samples worth nothing? An indefinite kernel has poles: near one, predictions are noise,
 * wherever the folds lie. Told by a leave-one-out error, an optimistic one, of twice the error of the samples held out. */
bool cli_choice_at_pole(const cli_choice *choice, const cli_fit *fit);
/* Refuses the chosen row and chooses the best of the others; false if there is none. */
bool cli_choice_refuse(cli_choice *choice, double loo);
void                     cli_choice_free(cli_choice *choice);
/* The curve as a table and in the JSON object. */
void cli_choice_report(cli *c, const cli_choice *choice, nth_task task);
/* /choice (count,4): ratio, ridge, mse, error; /choice_refused (count), if any is: the leave-one-out error of those refused, else NaN. */
NTH_NODISCARD nth_status cli_choice_write(cli *c, const cli_choice *choice, nth_file *f);

#endif
