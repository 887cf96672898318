/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * The loops of loops_priv.h. Compiled once for each instruction set by ntk/loops_*.c, which define
 * NTH_LOOPS_TABLE and NTH_LOOPS_LABEL.
 */
#include "arc_coefficients.inc"
#include "lanes_priv.h"
#include "loops_priv.h"

#include <float.h>
#include <stdbool.h>

#define NTH_INLINE static inline __attribute__((always_inline))
#define INV_2PI 0.15915494309189533577
enum { STRIDE = NTH_GROUP }; /* doubles from a pixel to the next */

/* th/(2 pi) for cos th = 1 - g, 0 <= g <= 1: sqrt(g) times a polynomial (error 3e-16 relative). Four
 * interleaved chains of products, no branch, and no digits lost at small angles. */
NTH_INLINE vd arc(vd g)
{
    const vd u = vd_fma(vd_of(2.0), g, vd_of(-1.0)), u2 = u * u, u4 = u2 * u2;
    vd       p0 = vd_of(0.0), p1 = p0, p2 = p0, p3 = p0;
#define STEP(c3, c2, c1, c0)                                                                       \
    p3 = vd_fma(p3, u4, vd_of(c3)), p2 = vd_fma(p2, u4, vd_of(c2)), p1 = vd_fma(p1, u4, vd_of(c1)),     \
    p0 = vd_fma(p0, u4, vd_of(c0));
    ARC_ANGLE(STEP)
#undef STEP
    return vd_sqrt(g) * vd_fma(u2, vd_fma(u, p3, p2), vd_fma(u, p1, p0));
}

/* (s - th k)/(2 pi) = R (sin th - th cos th)/(2 pi), th given over 2 pi. */
NTH_INLINE vd sector(vd minus, vd plus, vd th, vd k)
{
    return vd_fma(vd_of(INV_2PI), vd_sqrt(minus * plus), -th * k);
}

static void conv_input(const nth_pair_maps *out, const double *x, const double *z, ptrdiff_t channels,
                       ptrdiff_t plane, const nth_region *g)
{
    const vd scale = vd_of(0.5 / (double)channels);
    for (ptrdiff_t row = g->row0; row < g->row1; ++row)
        for (ptrdiff_t col = g->col0; col < g->col1; ++col)
            for (ptrdiff_t v = 0; v < NTH_GROUP; v += VD) {
                const ptrdiff_t p = row * out->ld + col;
                vd              D = vd_of(0.0), P = D;
                for (ptrdiff_t c = 0; c < channels; ++c) {
                    const vd a = vd_of(x[c * plane + p]), b = vd_load(z + (c * plane + p) * STRIDE + v);
                    const vd down = a - b, up = a + b;
                    D = vd_fma(down, down, D), P = vd_fma(up, up, P);
                }
                vd_store(out->D + p * STRIDE + v, scale * D);
                vd_store(out->T + p * STRIDE + v, scale * P);
            }
}

/* k >= 0, as relu's S and the bias are. */
NTH_INLINE void relu_next(vd c9, vd b2, vd r1, vd r2, vd *D, vd *T)
{
    const vd R = r1 * r2, spread = r1 - r2, e = vd_of(0.5) * spread * spread;
    const vd minus = vd_min(vd_max(vd_fma(c9, *D, -e), vd_of(0.0)), R), k = R - minus;
    const vd th = arc(minus / vd_max(R, vd_of(DBL_MIN)));
    const vd Theta = vd_fma(c9, *T, k);
    (void)b2;
    *D = vd_fma(vd_of(0.5), e + minus, -sector(minus, R + k, th, k));
    *T = (vd_of(0.5) - th) * Theta;
}

/* k may have any sign: beyond a right angle pi - th is taken, and S directly. */
NTH_INLINE void relu_first(vd c9, vd b2, vd r1, vd r2, vd *D, vd *T)
{
    const vd R = r1 * r2, spread = r1 - r2, half = vd_of(0.5), e = half * spread * spread;
    const vd minus = vd_min(vd_max(vd_fma(c9, *D, -e), vd_of(0.0)), R + R);
    const vd plus = vd_min(vd_max(vd_fma(c9, *T, b2 + b2 - e), vd_of(0.0)), R + R);
    const vd k = half * (plus - minus), least = vd_min(minus, plus);
    const vd th = arc(vd_min(least / vd_max(R, vd_of(DBL_MIN)), vd_of(1.0)));
    const vd part = sector(minus, plus, th, vd_max(k, -k));
    const vd Sdot = vd_choose(minus, plus, half - th, th);
    *D = vd_fma(half, vd_choose(minus, plus, e + minus, e + R), -part);
    *T = Sdot * k;
}

/* Sums of three rows of a map at one column. */
NTH_INLINE vd column(const double *p, ptrdiff_t row_stride)
{
    return vd_load(p) + vd_load(p + row_stride) + vd_load(p + 2 * row_stride);
}

/* After the last convolution: k and Theta themselves. */
NTH_INLINE void no_relu(vd c9, vd b2, vd r1, vd r2, vd *D, vd *T)
{
    const vd spread = r1 - r2, e = vd_of(0.5) * spread * spread;
    (void)b2;
    *D = vd_fma(r1, r2, e - c9 * *D);
    *T = vd_fma(c9, *T, *D);
}

typedef void relu_fn(vd c9, vd b2, vd r1, vd r2, vd *D, vd *T);

/* One output row, lanes from v: column sums roll through registers, then the activation. */
NTH_INLINE void conv_row(const nth_conv_step *s, ptrdiff_t row, ptrdiff_t v, ptrdiff_t stride, relu_fn *relu)
{
    const ptrdiff_t down = s->in.ld * STRIDE, first = s->region.col0;
    const ptrdiff_t at = (stride * row - s->before[0]) * s->in.ld + stride * first - s->before[1];
    const double   *d = s->in.D + at * STRIDE + v, *t = s->in.T + at * STRIDE + v;
    const double   *r1 = s->r1 + row * s->out.ld, *r2 = s->r2 + row * s->out.ld * STRIDE + v;
    double         *D_out = s->out.D + row * s->out.ld * STRIDE + v, *T_out = s->out.T + (D_out - s->out.D);
    const vd        c9 = vd_of(s->c9), b2 = vd_of(s->b2);
    vd              d0 = column(d, down), d1 = column(d + STRIDE, down);
    vd              t0 = column(t, down), t1 = column(t + STRIDE, down);
    for (ptrdiff_t col = first; col < s->region.col1; ++col) {
        const vd d2 = column(d + 2 * STRIDE, down), t2 = column(t + 2 * STRIDE, down);
        vd       D = d0 + d1 + d2, T = t0 + t1 + t2;
        relu(c9, b2, vd_of(r1[col]), vd_load(r2 + col * STRIDE), &D, &T);
        vd_store(D_out + col * STRIDE, D);
        vd_store(T_out + col * STRIDE, T);
        d += stride * STRIDE, t += stride * STRIDE;
        d0 = stride == 1 ? d1 : stride == 2 ? d2 : column(d, down);
        t0 = stride == 1 ? t1 : stride == 2 ? t2 : column(t, down);
        if (col + 1 == s->region.col1) break; /* nothing to read there */
        d1 = stride == 1 ? d2 : column(d + STRIDE, down);
        t1 = stride == 1 ? t2 : column(t + STRIDE, down);
    }
}

/* The compiler sees the usual strides as constants. */
NTH_INLINE void conv(const nth_conv_step *s, relu_fn *relu)
{
    for (ptrdiff_t row = s->region.row0; row < s->region.row1; ++row)
        for (ptrdiff_t v = 0; v < NTH_GROUP; v += VD) {
            if (s->stride == 1) conv_row(s, row, v, 1, relu);
            else if (s->stride == 2) conv_row(s, row, v, 2, relu);
            else conv_row(s, row, v, s->stride, relu);
        }
}
static void conv_first(const nth_conv_step *s) { conv(s, relu_first); }
static void conv_next(const nth_conv_step *s) { conv(s, relu_next); }

static void conv_last(const nth_conv_step *s, double *sums)
{
    conv(s, no_relu);
    for (ptrdiff_t row = s->region.row0; row < s->region.row1; ++row)
        for (ptrdiff_t col = s->region.col0; col < s->region.col1; ++col)
            for (ptrdiff_t v = 0; v < NTH_GROUP; ++v) {
                const ptrdiff_t p = (row * s->out.ld + col) * STRIDE + v;
                sums[v] += s->out.D[p];
                sums[NTH_GROUP + v] += s->out.T[p];
            }
}

static void conv_rim(const nth_conv_step *s)
{
    const nth_region *g = &s->region;
    for (ptrdiff_t row = g->row0 - 1; row <= g->row1; ++row) {
        const bool      edge = row < g->row0 || row == g->row1;
        const ptrdiff_t step = edge ? 1 : g->col1 - g->col0 + 1;
        for (ptrdiff_t col = g->col0 - 1; col <= g->col1; col += step)
            for (ptrdiff_t v = 0; v < NTH_GROUP; ++v) {
                const ptrdiff_t p = row * s->out.ld + col;
                const double    spread = s->r1[p] - s->r2[p * STRIDE + v];
                s->out.D[p * STRIDE + v] = 0.25 * spread * spread;
                s->out.T[p * STRIDE + v] = 0.0;
            }
    }
}

/* With t the angle or, beyond a right angle, pi minus it, and part = c1 R (sin t - t cos t)/(2 pi):
 *
 *     c0 R - S = c0 minus - part,   or beyond   (a+b)^2/2 R - ab plus - part
 *     c0 R + S = c0 plus + part,    or beyond   c1/2 R + ab plus + part
 *
 * so neither is a difference of numbers that nearly agree, for any slopes. Next layer: R' = sqrt(q1' q2')
 * with q' = w2 c0 q + b2, of which the part R' - (w2 c0 R + b2) is the bias's:
 * b2 w2 c0 (r1 - r2)^2 / (R' + w2 c0 R + b2). */
static void arc_layer(const nth_arc_layer *l, double *minus, double *plus, double *Theta, double *k, ptrdiff_t n)
{
    const vd w2 = vd_of(l->w2), b2 = vd_of(l->b2), c0 = vd_of(l->c0), c1 = vd_of(l->c1), ab = vd_of(l->ab);
    const vd far_minus = vd_of(l->h), far_plus = vd_of(0.5 * l->c1), r1 = vd_of(l->r1);
    const vd half = vd_of(0.5), zero = vd_of(0.0), one = vd_of(1.0), tiny = vd_of(DBL_MIN);
    const vd w2c0 = w2 * c0, b2w2c0 = b2 * w2c0, q1 = vd_fma(w2c0 * r1, r1, b2);
    for (ptrdiff_t j = 0; j < n; j += VD) {
        const vd r2 = vd_load(l->r2 + j), R = r1 * r2, spread = r1 - r2;
        const vd m = vd_load(minus + j), p = vd_load(plus + j), least = vd_min(m, p), kj = half * (p - m);
        const vd th = arc(vd_min(least / vd_max(R, tiny), one)), part = c1 * sector(m, p, th, vd_max(kj, -kj));
        const vd Sdot = vd_choose(m, p, vd_fma(-c1, th, c0), vd_fma(c1, th, ab));
        const vd below = vd_choose(m, p, c0 * m, vd_fma(far_minus, R, -ab * p)) - part;
        const vd above = vd_choose(m, p, c0 * p, vd_fma(far_plus, R, ab * p)) + part;
        const vd R_next = vd_sqrt(q1 * vd_fma(w2c0 * r2, r2, b2));
        const vd extra = b2w2c0 * spread * spread / vd_max(R_next + vd_fma(w2c0, R, b2), tiny);
        const vd m_next = vd_fma(w2, vd_max(below, zero), extra), p_next = vd_fma(w2, vd_max(above, zero), extra + b2 + b2);
        const vd k_next = vd_choose(m_next, p_next, R_next - m_next, p_next - R_next);
        vd_store(minus + j, m_next);
        vd_store(plus + j, p_next);
        vd_store(k + j, k_next);
        vd_store(Theta + j, vd_fma(w2 * Sdot, vd_load(Theta + j), k_next));
    }
}

const nth_loops NTH_LOOPS_TABLE = { .name = NTH_LOOPS_LABEL,
                                    .conv_input = conv_input,
                                    .conv_first = conv_first,
                                    .conv_next = conv_next,
                                    .conv_last = conv_last,
                                    .conv_rim = conv_rim,
                                    .arc_layer = arc_layer };
