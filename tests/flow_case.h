/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Flows to be tested: random networks of every kind with their data, run to a list of times, and the
 * distance of two such runs in the norm the integrator promises (relative to max |K| and max |f|).
 */
#ifndef NTH_TEST_FLOW_CASE_H
#define NTH_TEST_FLOW_CASE_H

#include "nth/flow.h"
#include "nth/ntk.h"

enum { CASE_MAX_ROWS = 12, CASE_MAX_DIM = 6, CASE_MAX_TIMES = 12, CASE_KINDS = 3 * 2 * 2 };

typedef struct flow_case {
    nth_net  *net;
    ptrdiff_t n, k, d;                          /* training inputs, others, dimension */
    double    X[CASE_MAX_ROWS * CASE_MAX_DIM];  /* (n + k) x d, training inputs first */
    double    y[CASE_MAX_ROWS];                 /* (n) */
    char      name[96];
} flow_case;

/* What a run gives at each time. */
typedef struct flow_path {
    ptrdiff_t      times, rows, entries;                        /* entries of all kernel blocks */
    double         f[CASE_MAX_TIMES][CASE_MAX_ROWS];
    double         K[CASE_MAX_TIMES][CASE_MAX_ROWS * CASE_MAX_ROWS]; /* train, test, test_test */
    nth_flow_stats stats;
} flow_path;

/* Kind 0 .. CASE_KINDS - 1 of this activation: depths 2, 3, 4, bias or not, doubled (with copies that
 * differ) or not; hidden widths from `least` to `most`, both input scales by turns. */
bool flow_case_open(flow_case *c, nth_activation act, int kind, int least, int most);
void flow_case_close(flow_case *c);

nth_cmat flow_case_train(const flow_case *c);
nth_cmat flow_case_test(const flow_case *c);

/* Runs it to each of the times; false, reported, if a call fails. */
bool flow_case_run(const flow_case *c, const nth_flow_options *opt, ptrdiff_t times, const double *t, flow_path *out);
/* Kernel blocks of a flow into K, as in flow_path. */
bool flow_case_kernel(const flow_case *c, const nth_flow *flow, double *K);

/* Largest difference at one time, kernel over max |K| and outputs over max |f|; NaN sticks. */
double flow_path_distance(const flow_path *a, ptrdiff_t ta, const flow_path *b, ptrdiff_t tb);

#endif
