/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * The fixed nets and inputs (fixtures.h).
 */
#include "fixtures.h"

#include <math.h>

double fx_X[6], fx_Q[4], fx_y[3] = { -1, 1, -1 }, fx_u[3] = { 1, -2, 0.5 }, fx_v[3] = { 0.3, 1, -1 },
                         fx_w[3] = { -0.4, 0.7, 1.2 };

void fixture_points(void)
{
    for (int i = 1; i <= 3; ++i)
        for (int k = 1; k <= 2; ++k) fx_X[(i - 1) * 2 + k - 1] = cos(1.7 * i + 0.6 * k);
    for (int j = 1; j <= 2; ++j)
        for (int k = 1; k <= 2; ++k) fx_Q[(j - 1) * 2 + k - 1] = sin(0.8 * j + 1.1 * k);
}

nth_net *formula_net(const nth_net_config *cfg)
{
    nth_net *net = NULL;
    if (nth_net_create(&net, cfg, true) != NTH_OK) return NULL;
    for (int c = 0; c < net->copies; ++c)
        for (int l = 1; l <= cfg->layers; ++l) {
            const nth_mat W = net->W[c][l - 1];
            for (ptrdiff_t a = 1; a <= W.rows; ++a) {
                for (ptrdiff_t b = 1; b <= W.cols; ++b)
                    W.a[(a - 1) * W.cols + b - 1] = 1.4 * sin(2.0 * (double)a + 3.0 * (double)b + 5.0 * l);
                if (cfg->sigma_b > 0.0) net->b[c][l - 1][a - 1] = 0.9 * cos((double)a + 2.0 * l);
            }
        }
    return net;
}

nth_net *random_net(const nth_net_config *cfg, uint32_t run)
{
    nth_net *net = NULL;
    if (nth_net_create(&net, cfg, true) == NTH_OK) nth_net_init_gaussian(net, 11, run);
    return net;
}

nth_net *fixture_net(fixture f)
{
    static const nth_net_config shapes[] = {
        [F1] = { .activation = NTH_ACT_TANH, .layers = 3, .widths = { 2, 3, 3, 1 }, .sigma_w = 1 },
        [F2] = { .activation = NTH_ACT_ERF, .layers = 3, .widths = { 2, 3, 2, 1 }, .sigma_w = 1.3, .sigma_b = 0.4 },
        [F3] = { .activation = NTH_ACT_TANH, .layers = 2, .widths = { 2, 4, 1 }, .sigma_w = 1, .input_scale = NTH_INPUT_ONE },
        [F4] = { .activation = NTH_ACT_LINEAR, .layers = 2, .widths = { 2, 3, 1 }, .sigma_w = 1, .input_scale = NTH_INPUT_ONE },
        [F5] = { .activation = NTH_ACT_QUADRATIC, .layers = 2, .widths = { 2, 3, 1 }, .sigma_w = 1,
                 .input_scale = NTH_INPUT_ONE, .frozen = 2 },
    };
    nth_net *net = formula_net(&shapes[f]);
    if (net != NULL && f == F5)
        for (int a = 0; a < 3; ++a) net->W[0][1].a[a] = a == 1 ? -1.0 : 1.0;
    return net;
}
