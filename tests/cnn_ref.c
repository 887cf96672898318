/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Forward and backward pass, one image at a time. Maps are [channel][row][column]; tap (a, b) of a filter
 * reads row s r + a - 1, column s q + b - 1.
 */
#include "cnn_ref.h"

#include <stdlib.h>

typedef struct layer {
    ptrdiff_t in, out, h, w, to_h, to_w, s, W;
    double   *x, *dx; /* input of the layer, and the gradient there */
} layer;

/* y <- b + W * x; with dy: dW, db and dx instead. */
static void convolve(const layer *l, const double *theta, double *y, const double *dy, double *grad)
{
    const ptrdiff_t b = l->W + l->out * l->in * 9;
    for (ptrdiff_t to = 0; to < l->out; ++to)
        for (ptrdiff_t r = 0; r < l->to_h; ++r)
            for (ptrdiff_t q = 0; q < l->to_w; ++q) {
                const ptrdiff_t p = (to * l->to_h + r) * l->to_w + q;
                if (dy == NULL) y[p] = theta[b + to];
                else grad[b + to] += dy[p];
                for (ptrdiff_t from = 0; from < l->in; ++from)
                    for (ptrdiff_t tap = 0; tap < 9; ++tap) {
                        const ptrdiff_t row = l->s * r + tap / 3 - 1, col = l->s * q + tap % 3 - 1;
                        const ptrdiff_t i = (from * l->h + row) * l->w + col, at = l->W + (to * l->in + from) * 9 + tap;
                        if (row < 0 || col < 0 || row >= l->h || col >= l->w) continue;
                        if (dy == NULL) y[p] += theta[at] * l->x[i];
                        else grad[at] += dy[p] * l->x[i], l->dx[i] += dy[p] * theta[at];
                    }
            }
}

bool cnn_ref(double *f, double *grad, const nth_cnn_config *cfg, const double *theta, const double *x, const double *r)
{
    layer     l[NTH_MAX_LAYERS + 1] = { { .h = cfg->height, .w = cfg->width } };
    ptrdiff_t at = 0, in = cfg->channels;
    bool      ok = true;
    for (int i = 0; i <= cfg->convs; ++i) {
        l[i].in = in, l[i].W = at;
        l[i].x = calloc((size_t)(in * l[i].h * l[i].w), sizeof(double)), l[i].dx = calloc((size_t)(in * l[i].h * l[i].w), sizeof(double));
        ok = ok && l[i].x != NULL && l[i].dx != NULL;
        if (i == cfg->convs) break;
        l[i].out = in = cfg->filters[i], l[i].s = cfg->strides[i];
        l[i].to_h = l[i + 1].h = (l[i].h + 2 - 3) / l[i].s + 1, l[i].to_w = l[i + 1].w = (l[i].w + 2 - 3) / l[i].s + 1;
        at += in * (l[i].in * 9 + 1);
    }
    const layer    *last = &l[cfg->convs];
    const ptrdiff_t D = last->in * last->h * last->w;
    for (ptrdiff_t i = 0; ok && i < cfg->channels * cfg->height * cfg->width; ++i) l[0].x[i] = x[i];
    for (int i = 0; ok && i < cfg->convs; ++i) {
        convolve(&l[i], theta, l[i + 1].x, NULL, NULL);
        for (ptrdiff_t p = 0; i + 1 < cfg->convs && p < l[i].out * l[i].to_h * l[i].to_w; ++p)
            if (l[i + 1].x[p] < 0.0) l[i + 1].x[p] = 0.0;
    }
    for (ptrdiff_t c = 0; ok && c < cfg->outputs; ++c) {
        f[c] = theta[at + cfg->outputs * D + c];
        for (ptrdiff_t p = 0; p < D; ++p) f[c] += theta[at + c * D + p] * last->x[p];
        if (r == NULL) continue;
        grad[at + cfg->outputs * D + c] += r[c];
        for (ptrdiff_t p = 0; p < D; ++p) grad[at + c * D + p] += r[c] * last->x[p], last->dx[p] += r[c] * theta[at + c * D + p];
    }
    for (int i = cfg->convs - 1; ok && r != NULL && i >= 0; --i) {
        convolve(&l[i], theta, NULL, l[i + 1].dx, grad);
        for (ptrdiff_t p = 0; i > 0 && p < l[i].in * l[i].h * l[i].w; ++p)
            if (l[i].x[p] <= 0.0) l[i].dx[p] = 0.0;
    }
    for (int i = 0; i <= cfg->convs; ++i) free(l[i].x), free(l[i].dx);
    return ok;
}
