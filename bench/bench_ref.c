/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * The slow twin of the benchmarks: forward and backward passes of one point after another in plain
 * loops, for tanh networks without bias (E1, E8, E15 of docs/equations.md).
 */
#include "bench.h"

#include <math.h>
#include <string.h>

typedef struct passes {
    ptrdiff_t n;
    double   *x[NTH_MAX_LAYERS + 1]; /* [l] (n x m_l): inputs, then activations */
    double   *d[NTH_MAX_LAYERS + 1]; /* [l] (n x m_l): df/dh^l */
} passes;

static void pass_one(const nth_net *net, passes *p, ptrdiff_t i)
{
    const nth_net_config *cfg = &net->cfg;
    const int             L = cfg->layers;
    for (int l = 1; l <= L; ++l) {
        const ptrdiff_t rows = cfg->widths[l], cols = cfg->widths[l - 1];
        for (ptrdiff_t r = 0; r < rows; ++r) {
            double s = 0.0;
            for (ptrdiff_t q = 0; q < cols; ++q)
                s += net->W[0][l - 1].a[r * cols + q] * p->x[l - 1][i * cols + q];
            p->x[l][i * rows + r] = tanh(nth_net_factor(cfg, l) * s);
        }
    }
    p->d[L][i] = 1.0;
    for (int l = L - 1; l >= 1; --l) {
        const ptrdiff_t rows = cfg->widths[l + 1], cols = cfg->widths[l];
        double         *d = p->d[l] + i * cols;
        const double   *x = p->x[l] + i * cols, c = nth_net_factor(cfg, l + 1);
        for (ptrdiff_t r = 0; r < rows; ++r)
            for (ptrdiff_t q = 0; q < cols; ++q)
                d[q] += c * p->d[l + 1][i * rows + r] * net->W[0][l].a[r * cols + q];
        for (ptrdiff_t q = 0; q < cols; ++q) d[q] *= 1.0 - x[q] * x[q];
    }
}

static passes passes_open(const nth_net *net, const double *X, ptrdiff_t n)
{
    passes p = { .n = n };
    for (int l = 0; l <= net->cfg.layers; ++l) {
        p.x[l] = bench_doubles(n * net->cfg.widths[l]);
        p.d[l] = bench_doubles(n * net->cfg.widths[l]);
    }
    memcpy(p.x[0], X, (size_t)(n * net->cfg.widths[0]) * sizeof(double));
    for (ptrdiff_t i = 0; i < n; ++i) pass_one(net, &p, i);
    return p;
}

static void passes_close(passes *p)
{
    for (int l = 0; l <= NTH_MAX_LAYERS; ++l) {
        free(p->x[l]);
        free(p->d[l]);
    }
}

static double inner(const double *a, const double *b, ptrdiff_t n)
{
    double s = 0.0;
    for (ptrdiff_t i = 0; i < n; ++i) s += a[i] * b[i];
    return s;
}

double *bench_ref_k2(const nth_net *net, const double *X, ptrdiff_t n)
{
    double *K = bench_doubles(n * n);
    passes  p = passes_open(net, X, n);
    for (ptrdiff_t i = 0; i < n; ++i)
        for (ptrdiff_t j = 0; j < n; ++j)
            for (int l = 1; l <= net->cfg.layers; ++l) {
                const ptrdiff_t rows = net->cfg.widths[l], cols = net->cfg.widths[l - 1];
                const double    c = nth_net_factor(&net->cfg, l);
                K[i * n + j] += inner(p.d[l] + i * rows, p.d[l] + j * rows, rows) * c * c *
                                inner(p.x[l - 1] + i * cols, p.x[l - 1] + j * cols, cols);
            }
    passes_close(&p);
    return K;
}

nth_net *bench_ref_moved(const nth_net *net, const double *X, ptrdiff_t n, const double *v,
                         double s)
{
    nth_net *out = NULL;
    passes   p = passes_open(net, X, n);
    BENCH_TRY(nth_net_create(&out, &net->cfg, true));
    for (int l = 1; l <= net->cfg.layers; ++l) {
        const ptrdiff_t rows = net->cfg.widths[l], cols = net->cfg.widths[l - 1];
        const double    c = s * nth_net_factor(&net->cfg, l);
        double         *W = out->W[0][l - 1].a;
        memcpy(W, net->W[0][l - 1].a, (size_t)(rows * cols) * sizeof(double));
        for (ptrdiff_t r = 0; r < rows; ++r)
            for (ptrdiff_t i = 0; i < n; ++i) {
                const double g = c * v[i] * p.d[l][i * rows + r], *x = p.x[l - 1] + i * cols;
                for (ptrdiff_t q = 0; q < cols; ++q) W[r * cols + q] += g * x[q];
            }
    }
    passes_close(&p);
    return out;
}
