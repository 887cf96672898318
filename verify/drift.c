/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Movement of the kernel by simulation (drift.h): groups of networks in parallel, summed in order.
 */
#include "nth/drift.h"
#include "alloc_priv.h"
#include "fail_priv.h"
#include "net_priv.h"
#include "tally_priv.h"

#include <math.h>
#include <stdio.h>

enum { GROUP = 64 };

/* What a group of networks is run on, and where their movements go. */
typedef struct group {
    double                  *train, *test; /* (count x n x n), (count x k x k); NULL: not wanted */
    const nth_drift_options *opt;
    nth_cmat                 X, X_test;
    const double            *y;
} group;

/* m (K_T - K_0) of one network. */
static nth_status one_network(void *ctx, ptrdiff_t slot, ptrdiff_t number)
{
    nth_status               st = NTH_OK;
    const group             *g = ctx;
    const nth_drift_options *opt = g->opt;
    nth_net                 *net = NULL;
    nth_flow                *flow = NULL;
    double                  *first = NULL;
    const ptrdiff_t          n = g->X.rows, k = g->X_test.rows;
    double *const            train = g->train != NULL ? g->train + slot * n * n : NULL, *const test = g->test != NULL ? g->test + slot * k * k : NULL;
    const double    m = (double)opt->shape.widths[1] * (opt->shape.doubled ? 2.0 : 1.0);
    nth_blocks      before = { 0 }, after = { 0 };
    NTH_TRY(nth_priv_doubles(&first, n * n + k * k, "kernel of one network"));
    if (train != NULL) before.train = nth_mat_of(first, n, n), after.train = nth_mat_of(train, n, n);
    if (test != NULL) before.test_test = nth_mat_of(first + n * n, k, k), after.test_test = nth_mat_of(test, k, k);
    NTH_TRY(nth_net_create(&net, &opt->shape, true));
    nth_net_init_gaussian(net, opt->seed, (uint32_t)number);
    NTH_TRY(nth_flow_create(&flow, net, g->X, g->X_test, g->y, &opt->flow));
    NTH_TRY(nth_ntk_flow(&before, flow));
    NTH_TRY(nth_flow_advance(flow, opt->time));
    NTH_TRY(nth_ntk_flow(&after, flow));
    for (ptrdiff_t e = 0; train != NULL && e < n * n; ++e) train[e] = m * (train[e] - first[e]);
    for (ptrdiff_t e = 0; test != NULL && e < k * k; ++e) test[e] = m * (test[e] - first[n * n + e]);
done:
    nth_flow_destroy(&flow);
    nth_net_destroy(&net);
    nth_priv_free(first);
    return st;
}

/* Networks [from, from + count). */
static nth_status run_group(group *g, ptrdiff_t from, ptrdiff_t count)
{
    nth_status               st = NTH_OK;
    const nth_drift_options *opt = g->opt;
    NTH_TRY(nth_priv_each_network(one_network, g, from, count));
    NTH_REQUIRE(opt->go_on == NULL || opt->go_on(from + count, opt->ctx), NTH_E_INTERRUPTED, "interrupted after %td of %td networks",
                from + count, opt->networks);
done:
    return st;
}

static nth_status check(const nth_drift_options *opt, nth_cmat X, nth_cmat X_test, ptrdiff_t least)
{
    nth_status st = NTH_OK;
    NTH_TRY(nth_net_config_check(&opt->shape));
    NTH_TRY(nth_priv_one_output(&opt->shape));
    NTH_REQUIRE(opt->shape.layers == 2, NTH_E_ARG, "%d layers; the prediction is for two", opt->shape.layers);
    NTH_REQUIRE(opt->networks >= least && opt->networks <= UINT32_MAX, NTH_E_ARG, "%td networks; at least %td are needed", opt->networks,
                least);
    NTH_REQUIRE(isfinite(opt->time) && opt->time > 0.0, NTH_E_ARG, "time %g; must be positive and finite", opt->time);
    NTH_REQUIRE(X_test.rows >= 1 && X.cols == X_test.cols, NTH_E_SHAPE, "inputs %td x %td and %td x %td", X.rows, X.cols, X_test.rows,
                X_test.cols);
done:
    return st;
}

nth_status nth_drift_networks(double *train, double *test, const nth_drift_options *opt, nth_cmat X, nth_cmat X_test,
                              const double *y)
{
    nth_status      st = NTH_OK;
    const ptrdiff_t n = X.rows, k = X_test.rows;
    NTH_TRY(check(opt, X, X_test, 1));
    for (ptrdiff_t from = 0; from < opt->networks; from += GROUP)
        NTH_TRY(run_group(&(group){ train != NULL ? train + from * n * n : NULL, test != NULL ? test + from * k * k : NULL, opt, X, X_test, y },
                          from, opt->networks - from < GROUP ? opt->networks - from : GROUP));
done:
    return st;
}

nth_status nth_drift_simulate(nth_mat mean, nth_mat se, const nth_drift_options *opt, nth_cmat X, nth_cmat X_test,
                              const double *y)
{
    nth_status      st = NTH_OK;
    const ptrdiff_t k = X_test.rows;
    double         *moved = NULL;
    nth_tally       t = { 0 };
    nth_blocks      means = { .test_test = mean }, errors = { .test_test = se };
    NTH_TRY(check(opt, X, X_test, 2));
    NTH_REQUIRE(mean.rows == k && mean.cols == k && se.rows == k && se.cols == k, NTH_E_SHAPE, "mean %td x %td, se %td x %td; %td test inputs",
                mean.rows, mean.cols, se.rows, se.cols, k);
    NTH_TRY(nth_priv_doubles(&moved, GROUP * k * k, "kernels of a group of networks"));
    nth_priv_tally_on(&t, &means, &errors, 0);
    for (ptrdiff_t from = 0; from < opt->networks; from += GROUP) {
        const ptrdiff_t count = opt->networks - from < GROUP ? opt->networks - from : GROUP;
        NTH_TRY(run_group(&(group){ NULL, moved, opt, X, X_test, y }, from, count));
        for (ptrdiff_t r = 0; r < count; ++r) nth_priv_tally_add(&t, &(nth_blocks){ .test_test = nth_mat_of(moved + r * k * k, k, k) });
    }
    nth_priv_tally_hand_out(&t, &means, &errors);
done:
    nth_priv_free(moved);
    return st;
}
