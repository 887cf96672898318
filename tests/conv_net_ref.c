/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Forward and backward pass of a convolutional network, one image at a time. Maps are [channel][pixel];
 * a filter's tap (a, b) reads row s r + a - before, where the padding before is half of what SAME needs.
 */
#include "conv_net_ref.h"

#include <math.h>
#include <stdlib.h>

/* One convolution: sizes, and where its parameters and maps are. */
typedef struct layer {
    ptrdiff_t      in, out, h, w, to_h, to_w, stride, up, left;
    ptrdiff_t      W, b;      /* in theta */
    double         c;         /* sigma_w / sqrt(9 in) */
    double        *x, *h_out; /* (in x h w) input, (out x to_h to_w) output before the activation */
} layer;

typedef struct network {
    layer     l[NTH_MAX_LAYERS];
    ptrdiff_t pixels, W, b; /* of the last map; the dense layer in theta */
    double    c;            /* its factor */
    bool      pooled;
} network;

static ptrdiff_t before(ptrdiff_t size, ptrdiff_t out, ptrdiff_t s)
{
    const ptrdiff_t total = (out - 1) * s + 3 - size;
    return total > 0 ? total / 2 : 0;
}

static ptrdiff_t lay_out(network *n, const nth_conv_config *cfg, ptrdiff_t m)
{
    ptrdiff_t next = 0, h = cfg->height, w = cfg->width;
    for (int i = 0; i < cfg->convs; ++i) {
        layer *l = &n->l[i];
        *l = (layer){ .in = i == 0 ? cfg->channels : m, .out = m, .h = h, .w = w, .stride = cfg->strides[i] };
        l->to_h = (h + l->stride - 1) / l->stride, l->to_w = (w + l->stride - 1) / l->stride;
        l->up = before(h, l->to_h, l->stride), l->left = before(w, l->to_w, l->stride);
        l->c = cfg->sigma_w / sqrt(9.0 * (double)l->in);
        l->W = next, l->b = l->W + m * l->in * 9, next = l->b + m;
        h = l->to_h, w = l->to_w;
    }
    n->pooled = cfg->pooling == NTH_POOL_GAP;
    n->pixels = h * w;
    n->W = next, n->b = n->W + (n->pooled ? m : m * n->pixels);
    n->c = cfg->sigma_w / sqrt((double)(n->pooled ? m : m * n->pixels));
    return n->b + 1;
}

ptrdiff_t conv_net_parameters(const nth_conv_config *cfg, ptrdiff_t m)
{
    network n;
    return lay_out(&n, cfg, m);
}

/* For each pair of channels and tap, the pixels it joins: h_out += c W x, or the two adjoints. */
static void convolve(const layer *l, const double *W, const double *delta, double *dW, double *dx)
{
    for (ptrdiff_t to = 0; to < l->out; ++to)
        for (ptrdiff_t from = 0; from < l->in; ++from)
            for (ptrdiff_t tap = 0; tap < 9; ++tap) {
                const ptrdiff_t at = (to * l->in + from) * 9 + tap;
                for (ptrdiff_t r = 0; r < l->to_h; ++r)
                    for (ptrdiff_t q = 0; q < l->to_w; ++q) {
                        const ptrdiff_t row = l->stride * r + tap / 3 - l->up, col = l->stride * q + tap % 3 - l->left;
                        const ptrdiff_t p = (to * l->to_h + r) * l->to_w + q, i = (from * l->h + row) * l->w + col;
                        if (row < 0 || col < 0 || row >= l->h || col >= l->w) continue;
                        if (delta == NULL) {
                            l->h_out[p] += l->c * W[at] * l->x[i];
                        } else {
                            dW[at] += l->c * delta[p] * l->x[i];
                            dx[i] += l->c * W[at] * delta[p];
                        }
                    }
            }
}

static void forward(const layer *l, double sigma_b, const double *theta)
{
    const ptrdiff_t pixels = l->to_h * l->to_w;
    for (ptrdiff_t p = 0; p < l->out * pixels; ++p) l->h_out[p] = sigma_b * theta[l->b + p / pixels];
    convolve(l, theta + l->W, NULL, NULL, NULL);
}

/* delta = df/dh of this layer; df/dx into dx. */
static void backward(const layer *l, double sigma_b, const double *theta, const double *delta, double *grad, double *dx)
{
    const ptrdiff_t pixels = l->to_h * l->to_w;
    for (ptrdiff_t i = 0; i < l->in * l->h * l->w; ++i) dx[i] = 0.0;
    for (ptrdiff_t p = 0; p < l->out * pixels; ++p) grad[l->b + p / pixels] += sigma_b * delta[p];
    convolve(l, theta + l->W, delta, grad + l->W, dx);
}

/* The read-out; delta receives df/dh of the last map. */
static double dense(const network *n, ptrdiff_t m, double sigma_b, const double *theta, const double *h, double *delta,
                    double *grad)
{
    const double share = n->pooled ? 1.0 / (double)n->pixels : 1.0;
    double       f = sigma_b * theta[n->b];
    for (ptrdiff_t p = 0; p < m * n->pixels; ++p) {
        const ptrdiff_t w = n->pooled ? p / n->pixels : p;
        f += n->c * share * theta[n->W + w] * h[p];
        if (grad != NULL) grad[n->W + w] += n->c * share * h[p], delta[p] = n->c * share * theta[n->W + w];
    }
    if (grad != NULL) grad[n->b] = sigma_b;
    return f;
}

static double run(network *n, const nth_conv_config *cfg, ptrdiff_t m, const double *theta, double *delta, double *dx,
                  double *grad)
{
    const int last = cfg->convs - 1;
    for (int i = 0; i <= last; ++i) {
        const layer *l = &n->l[i];
        forward(l, cfg->sigma_b, theta);
        for (ptrdiff_t p = 0; i < last && p < m * l->to_h * l->to_w; ++p) n->l[i + 1].x[p] = fmax(l->h_out[p], 0.0);
    }
    const double f = dense(n, m, cfg->sigma_b, theta, n->l[last].h_out, delta, grad);
    for (int i = last; grad != NULL && i >= 0; --i) {
        backward(&n->l[i], cfg->sigma_b, theta, delta, grad, dx);
        for (ptrdiff_t p = 0; i > 0 && p < m * n->l[i].h * n->l[i].w; ++p)
            delta[p] = n->l[i - 1].h_out[p] > 0.0 ? dx[p] : 0.0;
    }
    return f;
}

double conv_net_ref(double *grad, const nth_conv_config *cfg, ptrdiff_t m, const double *theta, const double *x)
{
    network         n;
    const ptrdiff_t P = lay_out(&n, cfg, m), most = (cfg->channels + m) * cfg->height * cfg->width;
    double         *maps = calloc((size_t)(most * (2 * cfg->convs + 2)), sizeof(double)), *next = maps;
    double          f = NAN;
    if (maps == NULL) return f;
    for (int i = 0; i < cfg->convs; ++i) n.l[i].x = next, n.l[i].h_out = next + most, next += 2 * most;
    for (ptrdiff_t i = 0; i < cfg->channels * cfg->height * cfg->width; ++i) n.l[0].x[i] = x[i];
    for (ptrdiff_t p = 0; grad != NULL && p < P; ++p) grad[p] = 0.0;
    f = run(&n, cfg, m, theta, next, next + most, grad);
    free(maps);
    return f;
}
