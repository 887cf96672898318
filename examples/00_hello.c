/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * The first program: load a data set, draw a network, compute its tangent kernel.
 */
#include "example.h"
#include "nth/build_info.h"
#include "nth/data.h"
#include "nth/ntk.h"

#include <math.h>

int main(void)
{
    const nth_net_config cfg = { .activation = NTH_ACT_TANH, .layers = 3, .widths = { 6, 128, 128, 1 }, .sigma_w = 1 };
    nth_data            *data = NULL;
    nth_net             *net = NULL;
    static double        a[8 * 8];
    nth_blocks           K = { .train = nth_mat_of(a, 8, 8) }; /* blocks left empty are not computed */
    bool                 symmetric = true, positive = true;

    printf("nth %s\n", nth_build_info_get().version);
    TRY(nth_data_load(&data, "synthetic:sphere?n=8&d=6&test=0&seed=1", NULL));
    TRY(nth_net_create(&net, &cfg, true));
    nth_net_init_gaussian(net, 1, 0); /* seed 1, run 0: the same parameters on every machine */
    printf("a tanh network 6-128-128-1 with %td parameters; its kernel on %td points of a sphere:\n",
           nth_net_parameters(net), data->x.rows);
    TRY(nth_ntk_empirical(&K, net, nth_const(data->x), nth_const(data->x_test)));

    for (int i = 0; i < 8; ++i) {
        for (int j = 0; j < 8; ++j) printf("%8.4f", a[i * 8 + j]);
        printf("\n");
    }
    for (int i = 0; i < 8; ++i)
        for (int j = 0; j < 8; ++j) {
            symmetric = symmetric && a[i * 8 + j] == a[j * 8 + i];
            positive = positive && fabs(a[i * 8 + j]) <= sqrt(a[i * 8 + i] * a[j * 8 + j]) * (1.0 + 1e-14);
        }
    claim(symmetric, "K(x,x') = K(x',x), to the bit");
    claim(positive, "|K(x,x')|^2 <= K(x,x) K(x',x'), as a product of gradients obeys");
    nth_net_destroy(&net);
    nth_data_destroy(&data);
    return 0;
}
