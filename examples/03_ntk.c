/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * The kernel of a random network and its limit at infinite width: the distance goes like m^{-1/2}
 * (E40), and the limit has a closed form for some activations (E52-E54), here erf.
 */
#include "example.h"
#include "nth/data.h"
#include "nth/ntk.h"

#include <math.h>

enum { N = 6, D = 4, WIDTHS = 5, SEEDS = 30 };

/* Root mean square over the entries of K of a net drawn for this run, minus the limit. */
static double distance(const nth_data *data, const double *limit, ptrdiff_t m, uint32_t run)
{
    const nth_net_config cfg = { .activation = NTH_ACT_ERF, .layers = 3, .widths = { D, m, m, 1 }, .sigma_w = 1.5,
                                 .sigma_b = 0.1 };
    nth_net             *net = NULL;
    double               K[N * N], sum = 0.0;
    nth_blocks           blocks = { .train = nth_mat_of(K, N, N) };
    TRY(nth_net_create(&net, &cfg, true));
    nth_net_init_gaussian(net, 1, run);
    TRY(nth_ntk_empirical(&blocks, net, nth_const(data->x), nth_const(data->x_test)));
    for (int e = 0; e < N * N; ++e) sum += (K[e] - limit[e]) * (K[e] - limit[e]);
    nth_net_destroy(&net);
    return sqrt(sum / (N * N));
}

int main(void)
{
    /* Of the widths only the input dimension counts in the limit. */
    const nth_net_config cfg = { .activation = NTH_ACT_ERF, .layers = 3, .widths = { D, 1, 1, 1 }, .sigma_w = 1.5,
                                 .sigma_b = 0.1 };
    nth_data            *data = NULL;
    double               limit[N * N], mean[WIDTHS] = { 0 };
    nth_blocks           blocks = { .train = nth_mat_of(limit, N, N) };
    TRY(nth_data_load(&data, "synthetic:sphere?n=6&d=4&test=0&seed=1", NULL));
    TRY(nth_ntk_infinite(&blocks, &cfg, nth_const(data->x), nth_const(data->x_test)));
    printf("the limit: K(x,x) = %.6f for every x of norm 1, K(x1,x2) = %.6f\n\n", limit[0], limit[1]);

    printf("%8s   distance of a random network's kernel, mean over %d seeds\n", "width", SEEDS);
    for (int w = 0; w < WIDTHS; ++w) {
        const ptrdiff_t m = (ptrdiff_t)32 << w;
        for (uint32_t run = 0; run < SEEDS; ++run) mean[w] += distance(data, limit, m, run) / SEEDS;
        printf("%8td   %.6f\n", m, mean[w]);
    }
    const double slope = log(mean[WIDTHS - 1] / mean[0]) / log(pow(2.0, WIDTHS - 1));
    printf("exponent of the width: %.2f\n", slope);
    claim(fabs(slope + 0.5) < 0.15, "the kernel of a random network tends to its limit like m^{-1/2}");
    nth_data_destroy(&data);
    return 0;
}
