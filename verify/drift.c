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

/* m (K_T - K_0) of one network, training and test block; NULL: not wanted. */
static nth_status one_network(double *train, double *test, const nth_drift_options *opt, ptrdiff_t number, nth_cmat X,
                              nth_cmat X_test, const double *y)
{
    nth_status      st = NTH_OK;
    nth_net        *net = NULL;
    nth_flow       *flow = NULL;
    double         *first = NULL;
    const ptrdiff_t n = X.rows, k = X_test.rows;
    const double    m = (double)opt->shape.widths[1] * (opt->shape.doubled ? 2.0 : 1.0);
    nth_blocks      before = { 0 }, after = { 0 };
    NTH_TRY(nth_priv_doubles(&first, n * n + k * k, "kernel of one network"));
    if (train != NULL) before.train = nth_mat_of(first, n, n), after.train = nth_mat_of(train, n, n);
    if (test != NULL) before.test_test = nth_mat_of(first + n * n, k, k), after.test_test = nth_mat_of(test, k, k);
    NTH_TRY(nth_net_create(&net, &opt->shape, true));
    nth_net_init_gaussian(net, opt->seed, (uint32_t)number);
    NTH_TRY(nth_flow_create(&flow, net, X, X_test, y, &opt->flow));
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

/* Networks [from, from + count), one to a thread. */
static nth_status group_of(double *train, double *test, const nth_drift_options *opt, ptrdiff_t from, ptrdiff_t count, nth_cmat X,
                           nth_cmat X_test, const double *y)
{
    nth_status      st = NTH_OK;
    const ptrdiff_t n = X.rows, k = X_test.rows;
    nth_status      failed = NTH_OK;
    char            why[256] = "";
    ptrdiff_t       which = count; /* the first that failed, whatever the number of threads */
#pragma omp parallel for schedule(dynamic, 1)
    for (ptrdiff_t r = 0; r < count; ++r) {
        const nth_status mine = one_network(train != NULL ? train + r * n * n : NULL, test != NULL ? test + r * k * k : NULL, opt,
                                            from + r, X, X_test, y);
        if (mine == NTH_OK) continue;
#pragma omp critical
        if (r < which) {
            which = r, failed = mine;
            snprintf(why, sizeof why, "network %td: %s", from + r, nth_last_error().message);
        }
    }
    NTH_REQUIRE(failed == NTH_OK, failed, "%s", why);
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
        NTH_TRY(group_of(train != NULL ? train + from * n * n : NULL, test != NULL ? test + from * k * k : NULL, opt, from,
                         opt->networks - from < GROUP ? opt->networks - from : GROUP, X, X_test, y));
done:
    return st;
}

nth_status nth_drift_simulate(nth_mat mean, nth_mat se, const nth_drift_options *opt, nth_cmat X, nth_cmat X_test,
                              const double *y)
{
    nth_status      st = NTH_OK;
    const ptrdiff_t k = X_test.rows;
    double         *group = NULL;
    nth_tally       t = { 0 };
    nth_blocks      means = { .test_test = mean }, errors = { .test_test = se };
    NTH_TRY(check(opt, X, X_test, 2));
    NTH_REQUIRE(mean.rows == k && mean.cols == k && se.rows == k && se.cols == k, NTH_E_SHAPE, "mean %td x %td, se %td x %td; %td test inputs",
                mean.rows, mean.cols, se.rows, se.cols, k);
    NTH_TRY(nth_priv_doubles(&group, GROUP * k * k, "kernels of a group of networks"));
    nth_priv_tally_on(&t, &means, &errors, 0);
    for (ptrdiff_t from = 0; from < opt->networks; from += GROUP) {
        const ptrdiff_t count = opt->networks - from < GROUP ? opt->networks - from : GROUP;
        NTH_TRY(group_of(NULL, group, opt, from, count, X, X_test, y));
        for (ptrdiff_t r = 0; r < count; ++r) nth_priv_tally_add(&t, &(nth_blocks){ .test_test = nth_mat_of(group + r * k * k, k, k) });
    }
    nth_priv_tally_hand_out(&t, &means, &errors);
done:
    nth_priv_free(group);
    return st;
}
