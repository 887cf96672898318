/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Local elasticity (E85, E86) of the tangent kernel along training: nth train --elasticity yes, of either kind of training.
 */
#ifndef NTH_CLI_TRAIN_ELASTICITY_H
#define NTH_CLI_TRAIN_ELASTICITY_H

#include "problem.h"
#include "nth/elastic.h"

enum { RR_LABELS = 2, RR_SETS = 3, RR_NUMBERS = 4 };

/* Ratio, standard error and 95 % interval: a row of what files hold of RR. */
void cli_rr_numbers(double to[RR_NUMBERS], const nth_elasticity *e);

/* Memory of one RR with that many resamples. */
double cli_rr_bytes(ptrdiff_t n, ptrdiff_t k, ptrdiff_t resamples);

typedef struct cli_rr {
    cli                *c;
    bool                on; /* --elasticity yes */
    ptrdiff_t           n, k, T;
    int                 systems;                     /* of labels: those of --data, and of --elasticity-data */
    nth_data           *other;                       /* --elasticity-data, or NULL */
    nth_cmat            Y[RR_LABELS], Y_test[RR_LABELS];
    nth_elastic_options opt;
    double             *D, *D_test;                  /* (n), (k) diagonal of the kernel */
    double             *value[RR_LABELS][RR_SETS];   /* (T, 4); NULL: no such pairs. NaN: there is no ratio */
    ptrdiff_t           refused;                     /* ratios that do not exist */
    char                why[640];                    /* the first of them */
} cli_rr;

/* --elasticity yes. */
bool cli_rr_asked(const nth_config *cfg);
/* What does not go together; NTH_E_ARG. */
NTH_NODISCARD nth_status cli_rr_check(cli *c);
/* Before the result file is created, as it settles options: reads --elasticity-data, checks labels, makes room for T records.
 * Does nothing unless --elasticity is yes. */
NTH_NODISCARD nth_status cli_rr_open(cli_rr *r, cli *c, const cli_problem *p, ptrdiff_t T);
void                     cli_rr_close(cli_rr *r);
/* Record number `at` from a kernel with all its blocks; `when` names it ("epoch 3") where there is no ratio. */
NTH_NODISCARD nth_status cli_rr_record(cli_rr *r, ptrdiff_t at, const nth_blocks *K, const char *when);
/* The first `done` records. */
NTH_NODISCARD nth_status cli_rr_write(const cli_rr *r, nth_file *file, ptrdiff_t done);
/* Checksum of --elasticity-data, once. */
NTH_NODISCARD nth_status cli_rr_provenance(const cli_rr *r, nth_file *file);

/* Columns of the table and objects of its rows; after the table, what does not exist. */
void cli_rr_heads(const cli_rr *r);
void cli_rr_say(const cli_rr *r, ptrdiff_t at, nth_json *row);
void cli_rr_say_refused(const cli_rr *r);

#endif
