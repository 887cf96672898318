/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Gradient flow, and its kernel regime. Along dtheta/dt = -grad Loss (E6) the loss falls at a rate
 * which the kernel knows,
 *
 *     dLoss/dt = -(1/n^2) r^T K_t r,    r = f_t - y,
 *
 * and the wider the network, the closer f_t is to the linearised model y + e^{-tK_0/n} (f_0 - y)
 * (E24), whose kernel never moves: the distance goes like 1/m (E42 with p = 2).
 */
#include "example.h"
#include "nth/data.h"
#include "nth/ntk.h"

#include <math.h>

enum { N = 6, D = 4, WIDTHS = 5, SEEDS = 20 };

static const nth_flow_options tight = { .stepper = NTH_STEPPER_COLLOCATION, .rtol = 1e-12 };

static nth_flow *start(const nth_data *data, ptrdiff_t m, uint32_t run, nth_net **net)
{
    const nth_net_config cfg = { .activation = NTH_ACT_TANH, .layers = 2, .widths = { D, m, 1 }, .sigma_w = 1.0 };
    nth_flow            *flow = NULL;
    TRY(nth_net_create(net, &cfg, true));
    nth_net_init_gaussian(*net, 1, run);
    TRY(nth_flow_create(&flow, *net, nth_const(data->x), nth_const(data->x_test), data->y.a, &tight));
    return flow;
}

static void loss_falls(const nth_data *data)
{
    nth_net   *net = NULL;
    nth_flow  *flow = start(data, 64, 0, &net);
    double     K[N * N], f[N], before, now, after, rate = 0.0;
    nth_blocks blocks = { .train = nth_mat_of(K, N, N) };
    TRY(nth_flow_advance(flow, 0.99));
    TRY(nth_flow_loss(flow, &before));
    TRY(nth_flow_advance(flow, 1.0));
    TRY(nth_flow_loss(flow, &now));
    TRY(nth_flow_outputs(flow, f));
    TRY(nth_ntk_flow(&blocks, flow));
    TRY(nth_flow_advance(flow, 1.01));
    TRY(nth_flow_loss(flow, &after));
    for (int i = 0; i < N; ++i)
        for (int j = 0; j < N; ++j) rate -= K[i * N + j] * (f[i] - data->y.a[i]) * (f[j] - data->y.a[j]) / (N * N);
    printf("at t = 1 the loss is %.6f; it changes by %.8f per unit of time, the kernel says %.8f\n", now,
           (after - before) / 0.02, rate);
    claim(after < now && now < before, "the loss falls");
    claim(fabs((after - before) / 0.02 - rate) <= 1e-3 * fabs(rate), "dLoss/dt = -r^T K_t r / n^2");
    nth_flow_destroy(&flow);
    nth_net_destroy(&net);
}

/* Largest |f_t - linearised f_t| at t = 5 over the training points. */
static double distance(const nth_data *data, ptrdiff_t m, uint32_t run)
{
    nth_net      *net = NULL;
    nth_flow     *flow = start(data, m, run, &net);
    nth_spectral *linear = NULL;
    double        K[N * N], f[N], u[N], most = 0.0;
    nth_blocks    blocks = { .train = nth_mat_of(K, N, N) };
    TRY(nth_flow_outputs(flow, f));
    TRY(nth_ntk_flow(&blocks, flow));
    for (int i = 0; i < N; ++i) f[i] -= data->y.a[i];
    TRY(nth_spectral_create(&linear, nth_const(blocks.train), f));
    nth_spectral_residual(linear, 5.0, u);
    TRY(nth_flow_advance(flow, 5.0));
    TRY(nth_flow_outputs(flow, f));
    for (int i = 0; i < N; ++i)
        if (!(fabs(f[i] - data->y.a[i] - u[i]) <= most)) most = fabs(f[i] - data->y.a[i] - u[i]);
    nth_spectral_destroy(&linear);
    nth_flow_destroy(&flow);
    nth_net_destroy(&net);
    return most;
}

int main(void)
{
    nth_data *data = NULL;
    double    mean[WIDTHS] = { 0 };
    TRY(nth_data_load(&data, "synthetic:sphere?n=6&d=4&test=0&seed=1", NULL));
    loss_falls(data);
    printf("\n%8s   mean distance from the linearised model at t = 5\n", "width");
    for (int w = 0; w < WIDTHS; ++w) {
        const ptrdiff_t m = (ptrdiff_t)32 << w;
        for (uint32_t run = 0; run < SEEDS; ++run) mean[w] += distance(data, m, run) / SEEDS;
        printf("%8td   %.6f\n", m, mean[w]);
    }
    const double slope = log(mean[WIDTHS - 1] / mean[0]) / log(pow(2.0, WIDTHS - 1));
    printf("exponent of the width: %.2f\n", slope);
    claim(fabs(slope + 1.0) < 0.25, "the wider the network, the closer to its linearised model: like 1/m");
    nth_data_destroy(&data);
    return 0;
}
