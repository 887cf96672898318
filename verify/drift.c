/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Mean drift of the kernel by simulation (drift.h): each network is drawn, trained and let go.
 */
#include "nth/drift.h"
#include "alloc_priv.h"
#include "fail_priv.h"
#include "tally_priv.h"

#include <math.h>

typedef struct drift {
    const nth_drift_options *opt;
    nth_cmat                 X, X_test;
    const double            *y;
} drift;

/* m (K_T - K_0) of one network. */
static nth_status one_network(nth_blocks *out, ptrdiff_t number, void *ctx)
{
    nth_status               st = NTH_OK;
    const drift             *job = ctx;
    const nth_drift_options *opt = job->opt;
    nth_net                 *net = NULL;
    nth_flow                *flow = NULL;
    const ptrdiff_t          k = job->X_test.rows;
    const double             m = (double)opt->shape.widths[1] * (opt->shape.doubled ? 2.0 : 1.0);
    nth_blocks               before = { 0 };
    NTH_TRY(nth_priv_mat(&before.test_test, k, k, "kernel of one network"));
    NTH_TRY(nth_net_create(&net, &opt->shape, true));
    nth_net_init_gaussian(net, opt->seed, (uint32_t)number);
    NTH_TRY(nth_flow_create(&flow, net, job->X, job->X_test, job->y, &opt->flow));
    NTH_TRY(nth_ntk_flow(&before, flow));
    NTH_TRY(nth_flow_advance(flow, opt->time));
    NTH_TRY(nth_ntk_flow(out, flow));
    for (ptrdiff_t e = 0; e < k * k; ++e) out->test_test.a[e] = m * (out->test_test.a[e] - before.test_test.a[e]);
done:
    nth_flow_destroy(&flow);
    nth_net_destroy(&net);
    nth_priv_free(before.test_test.a);
    return st;
}

static bool go_on(ptrdiff_t networks, double relative, void *ctx)
{
    const nth_drift_options *opt = ctx;
    (void)relative;
    return opt->go_on == NULL || opt->go_on(networks, opt->ctx);
}

static nth_status check(nth_mat mean, nth_mat se, const nth_drift_options *opt, nth_cmat X, nth_cmat X_test)
{
    nth_status      st = NTH_OK;
    const ptrdiff_t k = X_test.rows;
    NTH_TRY(nth_net_config_check(&opt->shape));
    NTH_REQUIRE(opt->shape.layers == 2, NTH_E_ARG, "%d layers; the prediction is for two", opt->shape.layers);
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
    nth_status              st = NTH_OK;
    drift                   job = { .opt = opt, .X = X, .X_test = X_test, .y = y };
    nth_drift_options       calls = *opt;
    nth_tally               t = { 0 };
    nth_blocks              means = { .test_test = mean }, errors = { .test_test = se };
    const nth_over_networks over = { .one = one_network, .ctx = &job, .most = opt->networks, .go_on = go_on, .go_ctx = &calls };
    NTH_TRY(check(mean, se, opt, X, X_test));
    NTH_TRY(nth_priv_tally_create(&t, &means, "mean over networks"));
    NTH_TRY(nth_priv_over_networks(&t, &over));
    nth_priv_tally_hand_out(&t, &means, &errors);
done:
    nth_priv_tally_free(&t);
    return st;
}
