/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * What the hierarchy is for: predicting how the kernel moves in training, from the initial network
 * alone. Frozen at K_0 the error is of order 1/m; with the terms of K3 and K4,
 *
 *     Khat_t = K_0 - K3[alpha_t] + sum_ij Omega_ij(t) K4(.,.,x_i,x_j)                     (E27)
 *
 * it is of order 1/m^2. The networks are antisymmetric (E4), where the rates show already at small
 * widths; each width gives the median over seeds.
 */
#include "example.h"
#include "nth/data.h"
#include "nth/hier.h"

#include <math.h>

enum { N = 4, D = 3, WIDTHS = 4, SEEDS = 15 };

static double difference(const double *a, const double *b)
{
    double most = 0.0;
    for (int e = 0; e < N * N; ++e)
        if (!(fabs(a[e] - b[e]) <= most)) most = fabs(a[e] - b[e]);
    return most;
}

/* Errors of K_0 and of Khat_t as predictions of the trained network's kernel at time t. */
static void errors(double out[2], const nth_data *data, ptrdiff_t m, uint32_t run, double t)
{
    const nth_net_config   cfg = { .activation = NTH_ACT_TANH, .layers = 2, .widths = { D, m, 1 }, .sigma_w = 1.0,
                                   .input_scale = NTH_INPUT_ONE, .doubled = true };
    const nth_flow_options tight = { .stepper = NTH_STEPPER_COLLOCATION, .rtol = 1e-13 };
    nth_net               *net = NULL;
    nth_flow              *flow = NULL;
    double                 K0[N * N], three[N * N], four[N * N], K[N * N], Khat[N * N];
    nth_blocks             b0 = { .train = nth_mat_of(K0, N, N) }, b3 = { .train = nth_mat_of(three, N, N) };
    nth_blocks             b4 = { .train = nth_mat_of(four, N, N) }, bK = { .train = nth_mat_of(K, N, N) };
    TRY(nth_net_create(&net, &cfg, true));
    nth_net_init_gaussian(net, 1, run);
    TRY(nth_hier_khat(&b0, &b3, &b4, net, nth_const(data->x), nth_const(data->x_test), data->y.a, 1, &t,
                      NTH_KHAT_CURVE));
    for (int e = 0; e < N * N; ++e) Khat[e] = K0[e] + three[e] + four[e];
    TRY(nth_flow_create(&flow, net, nth_const(data->x), nth_const(data->x_test), data->y.a, &tight));
    TRY(nth_flow_advance(flow, t));
    TRY(nth_ntk_flow(&bK, flow));
    out[0] = difference(K, K0), out[1] = difference(K, Khat);
    nth_flow_destroy(&flow);
    nth_net_destroy(&net);
}

static int by_size(const void *a, const void *b)
{
    const double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

int main(void)
{
    nth_data *data = NULL;
    double    frozen[SEEDS], predicted[SEEDS], median[2][WIDTHS], slope[2];
    TRY(nth_data_load(&data, "synthetic:sphere?n=4&d=3&test=0&seed=1", NULL));
    printf("%8s %16s %16s\n", "width", "|K_1 - K_0|", "|K_1 - Khat_1|");
    for (int w = 0; w < WIDTHS; ++w) {
        const ptrdiff_t m = (ptrdiff_t)64 << w;
        for (uint32_t run = 0; run < SEEDS; ++run) {
            double out[2];
            errors(out, data, m, run, 1.0);
            frozen[run] = out[0], predicted[run] = out[1];
        }
        qsort(frozen, SEEDS, sizeof *frozen, by_size);
        qsort(predicted, SEEDS, sizeof *predicted, by_size);
        median[0][w] = frozen[SEEDS / 2], median[1][w] = predicted[SEEDS / 2];
        printf("%8td %16.4e %16.4e\n", m, median[0][w], median[1][w]);
    }
    for (int i = 0; i < 2; ++i) slope[i] = log(median[i][WIDTHS - 1] / median[i][0]) / log(pow(2.0, WIDTHS - 1));
    printf("%8s %16.2f %16.2f\n", "exponent", slope[0], slope[1]);
    claim(fabs(slope[0] + 1.0) < 0.2, "the kernel moves by an amount of order 1/m");
    claim(fabs(slope[1] + 2.0) < 0.3, "the prediction misses it by an amount of order 1/m^2");
    nth_data_destroy(&data);
    return 0;
}
