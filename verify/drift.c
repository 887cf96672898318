/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Mean drift of the kernel by simulation (drift.h): groups of networks in parallel, summed in order.
 */
#include "nth/drift.h"
#include "alloc_priv.h"
#include "fail_priv.h"

#include <math.h>

enum { GROUP = 64 };

/* m (K_T - K_0) of one network into out (k x k). */
static nth_status one_network(double *out, const nth_drift_options *opt, ptrdiff_t number, nth_cmat X, nth_cmat X_test,
                              const double *y)
{
    nth_status      st = NTH_OK;
    nth_net        *net = NULL;
    nth_flow       *flow = NULL;
    double         *first = NULL;
    const ptrdiff_t k = X_test.rows;
    const double    m = (double)opt->shape.widths[1] * (opt->shape.doubled ? 2.0 : 1.0);
    nth_blocks      before = { 0 }, after = { .test_test = nth_mat_of(out, k, k) };
    NTH_TRY(nth_priv_doubles(&first, k * k, "kernel of one network"));
    before.test_test = nth_mat_of(first, k, k);
    NTH_TRY(nth_net_create(&net, &opt->shape, true));
    nth_net_init_gaussian(net, opt->seed, (uint32_t)number);
    NTH_TRY(nth_flow_create(&flow, net, X, X_test, y, &opt->flow));
    NTH_TRY(nth_ntk_flow(&before, flow));
    NTH_TRY(nth_flow_advance(flow, opt->time));
    NTH_TRY(nth_ntk_flow(&after, flow));
    for (ptrdiff_t e = 0; e < k * k; ++e) out[e] = m * (out[e] - first[e]);
done:
    nth_flow_destroy(&flow);
    nth_net_destroy(&net);
    nth_priv_free(first);
    return st;
}

static nth_status check(nth_mat mean, nth_mat se, const nth_drift_options *opt, nth_cmat X, nth_cmat X_test)
{
    nth_status      st = NTH_OK;
    const ptrdiff_t k = X_test.rows;
    NTH_TRY(nth_net_config_check(&opt->shape));
    NTH_REQUIRE(opt->shape.layers == 2, NTH_E_ARG, "%d layers; the prediction is for two", opt->shape.layers);
    NTH_REQUIRE(opt->networks >= 2 && opt->networks <= UINT32_MAX, NTH_E_ARG, "%td networks; at least 2 are needed", opt->networks);
    NTH_REQUIRE(isfinite(opt->time) && opt->time > 0.0, NTH_E_ARG, "time %g; must be positive and finite", opt->time);
    NTH_REQUIRE(k >= 1 && X.cols == X_test.cols && mean.rows == k && mean.cols == k && se.rows == k && se.cols == k, NTH_E_SHAPE,
                "inputs %td x %td and %td x %td, mean %td x %td, se %td x %td", X.rows, X.cols, k, X_test.cols, mean.rows,
                mean.cols, se.rows, se.cols);
done:
    return st;
}

nth_status nth_drift_simulate(nth_mat mean, nth_mat se, const nth_drift_options *opt, nth_cmat X, nth_cmat X_test,
                              const double *y)
{
    nth_status      st = NTH_OK;
    const ptrdiff_t k = X_test.rows;
    double         *group = NULL;
    ptrdiff_t       done_networks = 0;
    NTH_TRY(check(mean, se, opt, X, X_test));
    NTH_TRY(nth_priv_doubles(&group, GROUP * k * k, "kernels of a group of networks"));
    for (ptrdiff_t i = 0; i < k; ++i)
        for (ptrdiff_t j = 0; j < k; ++j) mean.a[i * mean.ld + j] = se.a[i * se.ld + j] = 0.0;
    while (done_networks < opt->networks) {
        const ptrdiff_t count = opt->networks - done_networks < GROUP ? opt->networks - done_networks : GROUP;
        int             failed = NTH_OK;
#pragma omp parallel for schedule(dynamic, 1)
        for (ptrdiff_t r = 0; r < count; ++r) {
            const nth_status mine = one_network(group + r * k * k, opt, done_networks + r, X, X_test, y);
            if (mine != NTH_OK) {
#pragma omp atomic write
                failed = (int)mine;
            }
        }
        NTH_REQUIRE(failed == NTH_OK, (nth_status)failed, "a network among %td to %td failed", done_networks,
                    done_networks + count - 1);
        for (ptrdiff_t r = 0; r < count; ++r) /* running mean; se holds the sum of squares about it */
            for (ptrdiff_t e = 0; e < k * k; ++e) {
                double      *m = &mean.a[e / k * mean.ld + e % k], *s = &se.a[e / k * se.ld + e % k];
                const double off = group[r * k * k + e] - *m;
                *m += off / (double)(done_networks + r + 1);
                *s += off * (group[r * k * k + e] - *m);
            }
        done_networks += count;
        NTH_REQUIRE(opt->go_on == NULL || opt->go_on(done_networks, opt->ctx), NTH_E_INTERRUPTED, "interrupted after %td of %td networks",
                    done_networks, opt->networks);
    }
    const double R = (double)opt->networks;
    for (ptrdiff_t i = 0; i < k; ++i)
        for (ptrdiff_t j = 0; j < k; ++j) se.a[i * se.ld + j] = sqrt(se.a[i * se.ld + j] / (R * (R - 1.0)));
done:
    nth_priv_free(group);
    return st;
}
