/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Gradient flow: stored trajectories (B6-B10), models with an exact flow (C2, C3, C5, C6), the two
 * kinds of steppers against each other, tolerance, conservation, threads, failure.
 */
#include "nth_test.h"
#include "fixtures.h"
#include "nth/flow.h"
#include "nth/ntk.h"
#include "alloc_priv.h"
#include "par_priv.h"
#include "flow_priv.h"
#include "ntk_priv.h"
#include "ode_priv.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

static const nth_flow_options tight = { .stepper = NTH_STEPPER_COLLOCATION, .rtol = 1e-13 };

/* f (5) and the query kernel K (2 x 2) of a fixture at time t. */
static void run_fixture(fixture f, const nth_flow_options *opt, double t, double *out, double *K)
{
    nth_net   *net = fixture_net(f);
    nth_flow  *flow = NULL;
    nth_blocks blocks = { .test_test = nth_mat_of(K, 2, 2) };
    if (!NTH_CHECK(net != NULL)) return;
    fixture_points();
    if (NTH_CHECK_OK(nth_flow_create(&flow, net, nth_cmat_of(fx_X, 3, 2), nth_cmat_of(fx_Q, 2, 2), fx_y, opt)) &&
        NTH_CHECK_OK(nth_flow_advance(flow, t))) {
        NTH_CHECK_OK(nth_flow_outputs(flow, out));
        NTH_CHECK_OK(nth_priv_ntk_rows(&blocks, NULL, nth_priv_flow_rows(flow)));
    }
    nth_flow_destroy(&flow);
    nth_net_destroy(&net);
}

static void flow_oracles(void)
{
    double                 f[5], K[4];
    const nth_flow_options all[] = { tight, { .stepper = NTH_STEPPER_RK8PD, .rtol = 1e-13 },
                                     { .stepper = NTH_STEPPER_RKCK, .rtol = 1e-13 } };
    for (int s = 0; s < 3; ++s) {
        run_fixture(F1, &all[s], 0.5, f, K);
        NTH_CHECK_CLOSE(K[1], 0.5495229575401, 1e-11, 0);
        NTH_CHECK_CLOSE(f[3], 0.370272655812, 1e-10, 0);
        run_fixture(F1, &all[s], 2.0, f, K);
        NTH_CHECK_CLOSE(K[1], 0.490406592630, 1e-11, 0);
        NTH_CHECK_CLOSE(f[3], 0.033077570396, 1e-10, 0);
        NTH_CHECK_CLOSE(f[0], 0.244381998281, 1e-10, 0);
        run_fixture(F3, &all[s], 0.5, f, K);
        NTH_CHECK_CLOSE(K[1], 0.5417009154355, 1e-11, 0);
        NTH_CHECK_CLOSE(f[3], 0.551503908812, 1e-10, 0);
        run_fixture(F3, &all[s], 2.0, f, K);
        NTH_CHECK_CLOSE(K[1], 0.516059806898, 1e-11, 0);
        NTH_CHECK_CLOSE(f[3], 0.171743466368, 1e-10, 0);
        NTH_CHECK_CLOSE(f[0], 0.254355402208, 1e-10, 0);
        run_fixture(F4, &all[s], 2.0, f, K);
        NTH_CHECK_CLOSE(K[1], 1.0090892620968, 1e-11, 0);
        NTH_CHECK_CLOSE(f[3], 0.0192750008006, 1e-11, 0);
        run_fixture(F5, &all[s], 2.0, f, K);
        NTH_CHECK_CLOSE(K[1], 1.0974716318565, 1e-11, 0);
        NTH_CHECK_CLOSE(f[3], 1.4132654383649, 1e-11, 0);
    }
}

int main(void)
{
    return nth_test_main("flow", (nth_test_case[]){ { "flow_oracles", flow_oracles }, { 0 } });
}
