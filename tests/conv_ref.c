/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * The slow twin of ntk/conv.c: T[p][p'] for all pairs of pixels of three pairs of images, covariances
 * themselves, angles by atan2.
 */
#include "conv_ref.h"

#include <math.h>
#include <stdlib.h>

typedef struct tensor {
    int     h, w;
    double *a; /* [p][p'], p = row w + col */
} tensor;

static double entry(const tensor *t, int r, int c, int r2, int c2)
{
    if (r < 0 || c < 0 || r2 < 0 || c2 < 0 || r >= t->h || c >= t->w || r2 >= t->h || c2 >= t->w) return 0.0;
    return t->a[(r * t->w + c) * t->h * t->w + r2 * t->w + c2];
}

static tensor make(int h, int w) { return (tensor){ h, w, calloc((size_t)(h * w * h * w), sizeof(double)) }; }

static int before(int size, int out, int s)
{
    const int total = (out - 1) * s + 3 - size;
    return total > 0 ? total / 2 : 0;
}

/* scale A[T] + shift, E56 */
static tensor box(const tensor *t, int s, double scale, double shift)
{
    tensor    o = make((t->h + s - 1) / s, (t->w + s - 1) / s);
    const int up = before(t->h, o.h, s), left = before(t->w, o.w, s), n = o.h * o.w;
    for (int p = 0; p < n; ++p)
        for (int q = 0; q < n; ++q) {
            double sum = 0.0;
            for (int a = 0; a < 3; ++a)
                for (int b = 0; b < 3; ++b)
                    sum += entry(t, s * (p / o.w) + a - up, s * (p % o.w) + b - left, s * (q / o.w) + a - up,
                                 s * (q % o.w) + b - left);
            o.a[p * n + q] = scale * sum / 9.0 + shift;
        }
    return o;
}

static tensor products(const nth_conv_config *cfg, const double *x, const double *z)
{
    tensor    t = make((int)cfg->height, (int)cfg->width);
    const int n = t.h * t.w;
    for (int p = 0; p < n; ++p)
        for (int q = 0; q < n; ++q)
            for (int c = 0; c < cfg->channels; ++c) t.a[p * n + q] += x[c * n + p] * z[c * n + q] / (double)cfg->channels;
    return t;
}

/* E45 for one pair of pixels. */
static void relu(double q1, double q2, double k, double *S, double *Sdot)
{
    const double pi = acos(-1.0), s = sqrt(fmax(q1 * q2 - k * k, 0.0)), th = atan2(s, k);
    *S = (s + (pi - th) * k) / (2.0 * pi);
    *Sdot = (pi - th) / (2.0 * pi);
}

static void replace(tensor *t, tensor by)
{
    free(t->a);
    *t = by;
}

void conv_ref(const nth_conv_config *cfg, const double *x, const double *z, double *Theta, double *Sigma)
{
    const double w2 = cfg->sigma_w * cfg->sigma_w, b2 = cfg->sigma_b * cfg->sigma_b;
    /* of (x,x), (z,z), (x,z) */
    tensor S[3] = { products(cfg, x, x), products(cfg, z, z), products(cfg, x, z) }, T = make(1, 1);
    for (int l = 0; l < cfg->convs; ++l) {
        for (int i = 0; i < 3; ++i) replace(&S[i], box(&S[i], cfg->strides[l], w2, b2));
        const int n = S[2].h * S[2].w;
        if (l == 0) replace(&T, box(&S[2], 1, 0.0, 0.0));
        else replace(&T, box(&T, cfg->strides[l], w2, 0.0));
        for (int p = 0; p < n * n; ++p) T.a[p] += S[2].a[p];
        if (l + 1 == cfg->convs) break;
        tensor next = make(S[2].h, S[2].w);
        for (int p = 0; p < n; ++p)
            for (int q = 0; q < n; ++q) {
                double Sdot;
                relu(S[0].a[p * n + p], S[1].a[q * n + q], S[2].a[p * n + q], &next.a[p * n + q], &Sdot);
                T.a[p * n + q] *= Sdot;
            }
        for (int i = 0; i < 2; ++i) /* only the diagonals count */
            for (int p = 0; p < n * n; ++p) S[i].a[p] *= p / n == p % n ? 0.5 : 0.0;
        replace(&S[2], next);
    }
    const int  n = S[2].h * S[2].w;
    const bool pooled = cfg->pooling == NTH_POOL_GAP;
    double     k = 0.0, t = 0.0;
    for (int p = 0; p < n; ++p)
        for (int q = 0; q < n; ++q)
            if (pooled || p == q) k += S[2].a[p * n + q], t += T.a[p * n + q];
    k /= pooled ? (double)n * n : n, t /= pooled ? (double)n * n : n;
    *Sigma = w2 * k + b2;
    *Theta = *Sigma + w2 * t;
    for (int i = 0; i < 3; ++i) free(S[i].a);
    free(T.a);
}
