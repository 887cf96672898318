/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * What the tangent kernel is, by its definition. The network is written out (E2):
 *
 *     f(x) = m^{-1/2} sum_r W2_r tanh(d^{-1/2} sum_k W1_rk x_k)
 *
 * its gradient is taken by differences, one parameter after another, and the kernel is the product
 * of gradients, K(x,x') = sum_p df(x)/dtheta_p df(x')/dtheta_p (E9). The library gives the same
 * numbers without ever forming a gradient (E15).
 */
#include "example.h"
#include "nth/ntk.h"

#include <math.h>

enum { D = 3, M = 5, N = 4, P = M * D + M };

static double forward(const nth_net *net, const double *x)
{
    double f = 0.0;
    for (int r = 0; r < M; ++r) {
        double h = 0.0;
        for (int k = 0; k < D; ++k) h += net->W[0][0].a[r * D + k] * x[k] / sqrt(D);
        f += net->W[0][1].a[r] * tanh(h) / sqrt(M);
    }
    return f;
}

int main(void)
{
    const nth_net_config cfg = { .activation = NTH_ACT_TANH, .layers = 2, .widths = { D, M, 1 }, .sigma_w = 1.0 };
    const double         X[N * D] = { 1, 0, 0, 0, 1, 0, 0.6, 0, -0.8, -0.5, 0.5, 0.7 }, e = 1e-5;
    double               gradient[N][P], K[N * N], worst = 0.0, largest = 0.0;
    nth_blocks           blocks = { .train = nth_mat_of(K, N, N) };
    nth_net             *net = NULL;
    TRY(nth_net_create(&net, &cfg, true));
    nth_net_init_gaussian(net, 7, 0);

    for (int p = 0; p < P; ++p) { /* W1 first, then W2 */
        double *theta = p < M * D ? &net->W[0][0].a[p] : &net->W[0][1].a[p - M * D], theta_0 = *theta;
        for (int i = 0; i < N; ++i) {
            *theta = theta_0 + e;
            gradient[i][p] = forward(net, X + i * D);
            *theta = theta_0 - e;
            gradient[i][p] = (gradient[i][p] - forward(net, X + i * D)) / (2.0 * e);
            *theta = theta_0;
        }
    }
    TRY(nth_ntk_empirical(&blocks, net, nth_cmat_of(X, N, D), nth_cmat_of(NULL, 0, D)));

    printf("  i  j    product of gradients    nth_ntk_empirical\n");
    for (int i = 0; i < N; ++i)
        for (int j = 0; j <= i; ++j) {
            double product = 0.0;
            for (int p = 0; p < P; ++p) product += gradient[i][p] * gradient[j][p];
            printf("%3d%3d%24.12f%21.12f\n", i, j, product, K[i * N + j]);
            if (!(fabs(product - K[i * N + j]) <= worst)) worst = fabs(product - K[i * N + j]);
            if (fabs(product) > largest) largest = fabs(product);
        }
    /* Differences: e^2 from the next term, 1e-16/e from rounding, over P products. */
    printf("largest difference %.2g\n", worst);
    claim(worst <= 1e-9 * largest, "the kernel is the product of gradients");
    nth_net_destroy(&net);
    return 0;
}
