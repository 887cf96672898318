/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Mean drift of the kernel over networks: against a loop over single networks, and on the fixture of
 * the stored predictions P4 and P7.
 */
#include "nth_test.h"
#include "nth/drift.h"
#include "par_priv.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

static const double X[] = { -0.471953, -0.12651, 1.204681, 0.484446, -1.206357, -0.003824, -0.468173, 0.111611, -1.207625 };
static const double Z[] = { 0.195056, 0.1899, 1.271177, 0.255764, 0.412384, -1.206036 }, y[] = { 1, -1, 1 };

static nth_drift_options options(bool doubled, ptrdiff_t m, ptrdiff_t networks)
{
    return (nth_drift_options){ .time = 3.0, .networks = networks, .seed = 17,
                                .flow = { .stepper = NTH_STEPPER_COLLOCATION, .rtol = 1e-8 },
                                .shape = { .activation = NTH_ACT_TANH, .layers = 2, .widths = { 3, doubled ? m / 2 : m, 1 },
                                           .sigma_w = 1.0, .input_scale = NTH_INPUT_ONE, .doubled = doubled } };
}

static nth_status simulate(double *mean, double *se, const nth_drift_options *opt)
{
    return nth_drift_simulate(nth_mat_of(mean, 2, 2), nth_mat_of(se, 2, 2), opt, nth_cmat_of(X, 3, 3), nth_cmat_of(Z, 2, 3), y);
}

/* Mean and standard error of 70 networks (a group and a part of one), one by one. */
static void equals_single_networks(void)
{
    enum { R = 70 };
    const nth_drift_options opt = options(false, 16, R);
    double                  mean[4], se[4], all[R], sum = 0.0, squares = 0.0;
    NTH_CHECK_OK(simulate(mean, se, &opt));
    for (uint32_t r = 0; r < R; ++r) {
        nth_net   *net = NULL;
        nth_flow  *flow = NULL;
        double     K0[4] = { 0 }, KT[4] = { 0 };
        nth_blocks a = { .test_test = nth_mat_of(K0, 2, 2) }, b = { .test_test = nth_mat_of(KT, 2, 2) };
        NTH_CHECK_OK(nth_net_create(&net, &opt.shape, true));
        nth_net_init_gaussian(net, opt.seed, r);
        NTH_CHECK_OK(nth_flow_create(&flow, net, nth_cmat_of(X, 3, 3), nth_cmat_of(Z, 2, 3), y, &opt.flow));
        NTH_CHECK_OK(nth_ntk_flow(&a, flow));
        NTH_CHECK_OK(nth_flow_advance(flow, 3.0));
        NTH_CHECK_OK(nth_ntk_flow(&b, flow));
        all[r] = 16.0 * (KT[1] - K0[1]);
        sum += all[r] / R;
        nth_flow_destroy(&flow);
        nth_net_destroy(&net);
    }
    for (int r = 0; r < R; ++r) squares += (all[r] - sum) * (all[r] - sum);
    NTH_CHECK_CLOSE(mean[1], sum, 1e-12, 0.0);
    NTH_CHECK_CLOSE(se[1], sqrt(squares / (R * (R - 1.0))), 1e-12, 0.0);
}

/* P4, antisymmetric: -1.28434 up to 1/m. */
static void label_part_of_doubled_networks(void)
{
    const nth_drift_options opt = options(true, 512, 400);
    double                  mean[4], se[4];
    NTH_CHECK_OK(simulate(mean, se, &opt));
    printf("    m = 512: %.4f +- %.4f, predicted -1.2843\n", mean[1], se[1]);
    NTH_CHECK(fabs(mean[1] + 1.28434046118) <= 4.0 * se[1] + 0.01 && se[1] < 0.05);
}

static void same_bits_on_any_threads(void)
{
    const nth_drift_options opt = options(false, 16, 20);
    const int               had = nth_priv_threads();
    double                  first[4], again[4], se[4];
    for (int threads = 1; threads <= 7; threads += threads < 3 ? 1 : 4) {
        nth_priv_set_threads(threads);
        NTH_CHECK_OK(simulate(threads == 1 ? first : again, se, &opt));
        if (threads > 1) NTH_CHECK(memcmp(first, again, sizeof first) == 0);
    }
    nth_priv_set_threads(had);
}

static nth_status once(void)
{
    const nth_drift_options opt = options(false, 4, 2);
    double                  mean[4], se[4];
    return simulate(mean, se, &opt);
}

static void every_allocation_fails(void) { nth_test_every_allocation_fails(once); }

static bool stop(ptrdiff_t done, void *ctx)
{
    (void)done, (void)ctx;
    return false;
}

static void refusals(void)
{
    double            mean[4], se[4];
    nth_drift_options opt = options(false, 4, 1);
    NTH_CHECK_STATUS(simulate(mean, se, &opt), NTH_E_ARG);
    opt = options(false, 4, 3), opt.time = INFINITY;
    NTH_CHECK_STATUS(simulate(mean, se, &opt), NTH_E_ARG);
    opt = options(false, 4, 3), opt.shape.layers = 3, opt.shape.widths[3] = 1, opt.shape.widths[2] = 4;
    NTH_CHECK_STATUS(simulate(mean, se, &opt), NTH_E_ARG);
    opt = options(false, 4, 3), opt.go_on = stop;
    NTH_CHECK_STATUS(simulate(mean, se, &opt), NTH_E_INTERRUPTED);
    NTH_CHECK_STATUS(nth_drift_simulate(nth_mat_of(mean, 1, 2), nth_mat_of(se, 2, 2), &opt, nth_cmat_of(X, 3, 3),
                                        nth_cmat_of(Z, 2, 3), y), NTH_E_SHAPE);
}

int main(void)
{
    return nth_test_main("drift", (nth_test_case[]){ { "equals_single_networks", equals_single_networks },
                                                     { "label_part_of_doubled_networks", label_part_of_doubled_networks },
                                                     { "same_bits_on_any_threads", same_bits_on_any_threads },
                                                     { "every_allocation_fails", every_allocation_fails },
                                                     { "refusals", refusals },
                                                     { 0 } });
}
