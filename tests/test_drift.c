/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Mean drift of the kernel over networks: against a loop over single networks, and on the fixture of
 * the stored predictions P4 and P7; exponents of known powers.
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

/* The same networks one by one; training blocks against a flow of their own. */
static void networks_are_those_of_the_mean(void)
{
    enum { R = 70 };
    const nth_drift_options opt = options(false, 16, R);
    static double           train[R * 9], test[R * 4];
    double                  mean[4], se[4], sum = 0.0;
    nth_net                *net = NULL;
    nth_flow               *flow = NULL;
    double                  K0[9] = { 0 }, KT[9] = { 0 };
    nth_blocks              a = { .train = nth_mat_of(K0, 3, 3) }, b = { .train = nth_mat_of(KT, 3, 3) };
    NTH_CHECK_OK(nth_drift_networks(train, test, &opt, nth_cmat_of(X, 3, 3), nth_cmat_of(Z, 2, 3), y));
    NTH_CHECK_OK(simulate(mean, se, &opt));
    for (int r = 0; r < R; ++r) sum += test[4 * r + 2] / R;
    NTH_CHECK_CLOSE(sum, mean[2], 1e-12, 0.0);
    NTH_CHECK_OK(nth_net_create(&net, &opt.shape, true));
    nth_net_init_gaussian(net, opt.seed, 66);
    NTH_CHECK_OK(nth_flow_create(&flow, net, nth_cmat_of(X, 3, 3), nth_cmat_of(Z, 2, 3), y, &opt.flow));
    NTH_CHECK_OK(nth_ntk_flow(&a, flow));
    NTH_CHECK_OK(nth_flow_advance(flow, 3.0));
    NTH_CHECK_OK(nth_ntk_flow(&b, flow));
    for (int e = 0; e < 9; ++e) NTH_CHECK_CLOSE(train[66 * 9 + e], 16.0 * (KT[e] - K0[e]), 1e-12, 1e-14);
    nth_flow_destroy(&flow);
    nth_net_destroy(&net);
}

enum { POWERS = 4, NETS = 40, TRAINING = 2, TESTS = 3 };
static double powers_train[POWERS][NETS * TRAINING * TRAINING], powers_test[POWERS][NETS * TESTS * TESTS];

/* Kernels whose diagonal has mean -m^mean, and whose test pairs scatter like m^spread about a mean of their own; a test input with
 * itself scatters at every width alike. */
static void make_powers(nth_drift_width *w, double mean, double spread)
{
    for (int p = 0; p < POWERS; ++p) {
        const double m = (double)(64 << 2 * p);
        w[p] = (nth_drift_width){ .m = 64 << 2 * p, .networks = NETS, .train = powers_train[p], .test = powers_test[p] };
        for (int r = 0; r < NETS; ++r) {
            const double sign = r % 2 == 0 ? 1.0 : -1.0, size = 1.0 + 0.02 * (r / 2);
            for (int e = 0; e < TRAINING * TRAINING; ++e)
                powers_train[p][r * TRAINING * TRAINING + e] = e % (TRAINING + 1) == 0 ? m * -pow(m, mean) * (1.0 + 0.1 * sign * size) : 7.0 * m;
            for (int e = 0; e < TESTS * TESTS; ++e)
                powers_test[p][r * TESTS * TESTS + e] = e % (TESTS + 1) == 0 ? 5.0 * m * sign * size : m * ((e + 1) / sqrt(m) + pow(m, spread) * sign * size);
        }
    }
}

static void exponents_of_powers(void)
{
    static nth_claim     c[NTH_DRIFT_PARTS];
    nth_drift_width      w[POWERS];
    const nth_net_config relu = { .activation = NTH_ACT_RELU, .layers = 2, .doubled = true };
    nth_net_config       smooth = { .activation = NTH_ACT_ERF, .layers = 2, .doubled = true };
    make_powers(w, -0.5, -0.75);
    NTH_CHECK_OK(nth_drift_claims(c, &relu, w, POWERS, TRAINING, TESTS, 400, 1));
    NTH_CHECK_CLOSE(c[NTH_DRIFT_TRAIN_MEAN].rate[0].slope, -0.5, 1e-12, 0.0);
    NTH_CHECK_CLOSE(c[NTH_DRIFT_TEST_SPREAD].rate[0].slope, -0.75, 1e-12, 0.0);
    NTH_CHECK_CLOSE(c[NTH_DRIFT_TRAIN_MEAN].rate[0].median[0], 0.125, 1e-12, 0.0);
    double squares = 0.0;
    for (int r = 0; r < NETS; ++r) squares += (1.0 + 0.02 * (r / 2)) * (1.0 + 0.02 * (r / 2)) / (NETS - 1);
    NTH_CHECK_CLOSE(c[NTH_DRIFT_TEST_SPREAD].rate[0].median[0], pow(64.0, -0.75) * sqrt(squares), 1e-12, 0.0);
    for (int p = 0; p < NTH_DRIFT_PARTS; ++p) {
        const nth_rate *r = &c[p].rate[0];
        NTH_CHECK(r->low < r->slope && r->slope < r->high && r->high - r->low < 0.1);
        NTH_CHECK(c[p].verdict == NTH_HOLDS && strcmp(c[p].kind, "prediction") == 0);
    }
    NTH_CHECK_OK(nth_drift_claims(c, &smooth, w, POWERS, TRAINING, TESTS, 400, 1));
    NTH_CHECK(c[0].verdict == NTH_FAILS && c[1].verdict == NTH_FAILS && c[0].predicted == -1.0 && c[1].predicted == -1.5);
    make_powers(w, -1.0, -1.0);
    smooth.doubled = false;
    NTH_CHECK_OK(nth_drift_claims(c, &smooth, w, POWERS, TRAINING, TESTS, 400, 1));
    NTH_CHECK(c[1].verdict == NTH_HOLDS && strcmp(c[0].kind, "report") == 0);
    NTH_CHECK_OK(nth_drift_claims(c, &smooth, w, POWERS, TRAINING, TESTS, 0, 1));
    NTH_CHECK(c[1].verdict == NTH_UNDECIDED);
    NTH_CHECK_STATUS(nth_drift_claims(c, &relu, w, 1, TRAINING, TESTS, 400, 1), NTH_E_ARG);
    NTH_CHECK_STATUS(nth_drift_claims(c, &relu, w, POWERS, TRAINING, 1, 400, 1), NTH_E_ARG);
    w[1].m = w[0].m;
    NTH_CHECK_STATUS(nth_drift_claims(c, &relu, w, POWERS, TRAINING, TESTS, 400, 1), NTH_E_ARG);
}

/* Fixed steps and kinks: twice the steps move m (K_T - K_0) of a test pair by far less than networks differ. */
static void steps_of_relu(void)
{
    enum { R = 12 };
    nth_drift_options opt = options(true, 256, R);
    double            test[2][R * 4], mean = 0.0, change = 0.0, squares = 0.0;
    opt.shape.activation = NTH_ACT_RELU, opt.flow.stepper = NTH_STEPPER_RKCK;
    for (int twice = 0; twice < 2; ++twice) {
        opt.flow.fixed_steps = 20 << twice;
        NTH_CHECK_OK(nth_drift_networks(NULL, test[twice], &opt, nth_cmat_of(X, 3, 3), nth_cmat_of(Z, 2, 3), y));
    }
    for (int r = 0; r < R; ++r) mean += test[0][4 * r + 1] / R, change += (test[1][4 * r + 1] - test[0][4 * r + 1]) / R;
    for (int r = 0; r < R; ++r) squares += (test[0][4 * r + 1] - mean) * (test[0][4 * r + 1] - mean);
    printf("    mean moved by %.1e, standard error of %d networks %.2f\n", change, R, sqrt(squares / (R * (R - 1.0))));
    NTH_CHECK(change != 0.0 && fabs(change) < 0.02 * sqrt(squares / (R * (R - 1.0))));
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
    const nth_net_config    relu = { .activation = NTH_ACT_RELU, .layers = 2 };
    static nth_claim        c[NTH_DRIFT_PARTS];
    double                  mean[4], se[4];
    nth_drift_width         w[POWERS];
    const nth_status        st = simulate(mean, se, &opt);
    make_powers(w, -0.5, -0.75);
    return st != NTH_OK ? st : nth_drift_claims(c, &relu, w, POWERS, TRAINING, TESTS, 10, 1);
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
                                                     { "networks_are_those_of_the_mean", networks_are_those_of_the_mean },
                                                     { "exponents_of_powers", exponents_of_powers },
                                                     { "steps_of_relu", steps_of_relu },
                                                     { "label_part_of_doubled_networks", label_part_of_doubled_networks },
                                                     { "same_bits_on_any_threads", same_bits_on_any_threads },
                                                     { "every_allocation_fails", every_allocation_fails },
                                                     { "refusals", refusals },
                                                     { 0 } });
}
