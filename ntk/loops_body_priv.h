/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * The loops of loops_priv.h. Compiled once for each instruction set by ntk/loops_*.c, which define
 * NTH_LOOPS_TABLE and NTH_LOOPS_LABEL.
 */
#include "arc_coefficients.inc"
#include "lanes_priv.h"
#include "loops_priv.h"

#include <float.h>

#define NTH_INLINE static inline __attribute__((always_inline))
#define INV_PI 0.31830988618379067154
enum { STRIDE = NTH_GROUP }; /* doubles from a pixel to the next */

/* th/pi for cos th = 1 - g, given G = 2 g in [0, 2]: sqrt(G) times a polynomial of positive terms but
 * for the last few (error 1.4e-16). Four interleaved chains of products, no branch, and no digits
 * lost at small angles. */
NTH_INLINE vd arc(vd G)
{
    const vd G2 = G * G, G4 = G2 * G2;
#define TOP(c1, c0) vd p1 = vd_of(c1), p0 = vd_of(c0);
#define SECOND(c3, c2, c1, c0)                                                                     \
    vd p3 = vd_of(c3), p2 = vd_of(c2);                                                             \
    p1 = vd_fma(p1, G4, vd_of(c1)), p0 = vd_fma(p0, G4, vd_of(c0));
#define NEXT(c3, c2, c1, c0)                                                                       \
    p3 = vd_fma(p3, G4, vd_of(c3)), p2 = vd_fma(p2, G4, vd_of(c2)), p1 = vd_fma(p1, G4, vd_of(c1)),     \
    p0 = vd_fma(p0, G4, vd_of(c0));
    ARC_TOP(TOP)
    ARC_SECOND(SECOND)
    ARC_NEXT(NEXT)
#undef TOP
#undef SECOND
#undef NEXT
    return vd_sqrt(G) * vd_fma(G2, vd_fma(G, p3, p2), vd_fma(G, p1, p0));
}

NTH_INLINE void input_row(const nth_pair_maps *out, const double *x, const double *z, ptrdiff_t channels, ptrdiff_t plane,
                         ptrdiff_t first, ptrdiff_t last, ptrdiff_t v)
{
    for (ptrdiff_t p = first; p < last; ++p) {
        vd D = vd_of(0.0), P = D;
        for (ptrdiff_t c = 0; c < channels; ++c) {
            const vd a = vd_of(x[c * plane + p]), b = vd_load(z + (c * plane + p) * STRIDE + v);
            const vd down = a - b, up = a + b;
            D = vd_fma(down, down, D), P = vd_fma(up, up, P);
        }
        vd_store(out->D + p * STRIDE + v, D);
        vd_store(out->T + p * STRIDE + v, P);
    }
}

/* The compiler sees the usual numbers of channels as constants. */
static void conv_input(const nth_pair_maps *out, const double *x, const double *z, ptrdiff_t channels,
                       ptrdiff_t plane, const nth_region *g)
{
    for (ptrdiff_t row = g->row0; row < g->row1; ++row)
        for (ptrdiff_t v = 0; v < NTH_GROUP; v += VD) {
            const ptrdiff_t first = row * out->ld + g->col0, last = row * out->ld + g->col1;
            if (channels == 3) input_row(out, x, z, 3, plane, first, last, v);
            else if (channels == 1) input_row(out, x, z, 1, plane, first, last, v);
            else input_row(out, x, z, channels, plane, first, last, v);
        }
}

/* What a pixel's activation needs: rho = sqrt(q/2) and 1/rho of the image and of the group. Then
 * R = 2 rho rho', e = (rho - rho')^2, 2/R = 1/rho 1/rho'. two_b2: of the first layer. */
typedef struct pixel {
    vd two_b2, rho1, inv1, rho2, inv2;
} pixel;

/* k >= 0, as relu's S and the bias are. */
NTH_INLINE void relu_next(const pixel *p, vd *D, vd *T)
{
    const vd R = (p->rho1 + p->rho1) * p->rho2, spread = p->rho1 - p->rho2;
    const vd minus = vd_min(vd_max(vd_fma(-spread, spread, *D), vd_of(0.0)), R), k = R - minus;
    const vd th = arc(minus * (p->inv1 * p->inv2)), sine = vd_sqrt(minus * (R + k));
    *D = vd_fma(th, k, vd_fma(vd_of(-INV_PI), sine, *D)); /* D is e + minus */
    *T = (vd_of(1.0) - th) * (*T + k);
}

/* k may have any sign: beyond a right angle pi - th is taken, and S directly. */
NTH_INLINE void relu_first(const pixel *p, vd *D, vd *T)
{
    const vd R = (p->rho1 + p->rho1) * p->rho2, spread = p->rho1 - p->rho2, e = spread * spread;
    const vd minus = vd_max(*D - e, vd_of(0.0)), k = R - minus;
    const vd plus = vd_max(*T + (p->two_b2 - e), vd_of(0.0)), least = vd_min(minus, plus);
    const vd th = arc(vd_min(least, R) * (p->inv1 * p->inv2));
    const vd sine = vd_sqrt(minus * plus);
    *D = vd_fma(th, vd_abs(k), vd_fma(vd_of(-INV_PI), sine, e + vd_min(minus, R)));
    *T = vd_choose(minus, plus, vd_of(1.0) - th, th) * k;
}

/* Sums of three rows of a map at one column. */
NTH_INLINE vd column(const double *p, ptrdiff_t row_stride)
{
    return vd_load(p) + vd_load(p + row_stride) + vd_load(p + 2 * row_stride);
}

/* After the last convolution: k and Theta themselves. */
NTH_INLINE void no_relu(const pixel *p, vd *D, vd *T)
{
    const vd spread = p->rho1 - p->rho2;
    *D = vd_fma(p->rho1 + p->rho1, p->rho2, vd_fma(spread, spread, -*D));
    *T += *D;
}

typedef void relu_fn(const pixel *p, vd *D, vd *T);

/* One output row, lanes from v: column sums roll through registers, then the activation. The output
 * may lie on the input where that was read before (conv.c). */
NTH_INLINE void conv_row(const nth_conv_step *s, ptrdiff_t row, ptrdiff_t v, ptrdiff_t stride, relu_fn *relu)
{
    const ptrdiff_t down = s->in.ld * STRIDE, first = s->region.col0;
    const ptrdiff_t at = (stride * row - s->before[0]) * s->in.ld + stride * first - s->before[1];
    const double   *d = s->in.D + at * STRIDE + v, *t = s->in.T + at * STRIDE + v;
    const double   *image = s->roots.image + 2 * row * s->out.ld;
    const double   *group = s->roots.group + 2 * row * s->out.ld * STRIDE + v;
    double         *D_out = s->out.D + row * s->out.ld * STRIDE + v, *T_out = s->out.T + (D_out - s->out.D);
    pixel           p = { .two_b2 = vd_of(s->two_b2) };
    vd              d0 = column(d, down), d1 = column(d + STRIDE, down);
    vd              t0 = column(t, down), t1 = column(t + STRIDE, down);
    for (ptrdiff_t col = first; col < s->region.col1; ++col) {
        const vd d2 = column(d + 2 * STRIDE, down), t2 = column(t + 2 * STRIDE, down);
        vd       D = d0 + d1 + d2, T = t0 + t1 + t2;
        p.rho1 = vd_of(image[2 * col]), p.inv1 = vd_of(image[2 * col + 1]);
        p.rho2 = vd_load(group + 2 * col * STRIDE), p.inv2 = vd_load(group + (2 * col + 1) * STRIDE);
        relu(&p, &D, &T);
        vd_store(D_out + col * STRIDE, D);
        vd_store(T_out + col * STRIDE, T);
        d += stride * STRIDE, t += stride * STRIDE;
        if (col + 1 == s->region.col1) break; /* nothing to read there */
        d0 = stride == 1 ? d1 : stride == 2 ? d2 : column(d, down);
        t0 = stride == 1 ? t1 : stride == 2 ? t2 : column(t, down);
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

NTH_INLINE void rim_pixel(const nth_conv_step *s, ptrdiff_t p)
{
    for (ptrdiff_t v = 0; v < NTH_GROUP; v += VD) {
        const vd spread = vd_of(s->roots.image[2 * p]) - vd_load(s->roots.group + 2 * p * STRIDE + v);
        vd_store(s->out.D + p * STRIDE + v, spread * spread);
        vd_store(s->out.T + p * STRIDE + v, vd_of(0.0));
    }
}

static void conv_rim(const nth_conv_step *s)
{
    const nth_region *g = &s->region;
    const ptrdiff_t   ld = s->out.ld;
    for (ptrdiff_t col = g->col0 - 1; col <= g->col1; ++col)
        rim_pixel(s, (g->row0 - 1) * ld + col), rim_pixel(s, g->row1 * ld + col);
    for (ptrdiff_t row = g->row0; row < g->row1; ++row)
        rim_pixel(s, row * ld + g->col0 - 1), rim_pixel(s, row * ld + g->col1);
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
    const vd w2 = vd_of(l->w2), b2 = vd_of(l->b2), c0 = vd_of(l->c0), h1 = vd_of(0.5 * l->c1), ab = vd_of(l->ab);
    const vd far_minus = vd_of(l->h), r1 = vd_of(l->r1);
    const vd half = vd_of(0.5), zero = vd_of(0.0), one = vd_of(1.0), tiny = vd_of(DBL_MIN);
    const vd w2c0 = w2 * c0, b2w2c0 = b2 * w2c0, q1 = vd_fma(w2c0 * r1, r1, b2);
    for (ptrdiff_t j = 0; j < n; j += VD) {
        const vd r2 = vd_load(l->r2 + j), R = r1 * r2, spread = r1 - r2;
        const vd m = vd_load(minus + j), p = vd_load(plus + j), least = vd_min(m, p), kj = half * (p - m);
        const vd th = arc(vd_min((least + least) / vd_max(R, tiny), one + one));
        const vd part = h1 * vd_fma(vd_of(INV_PI), vd_sqrt(m * p), -th * vd_abs(kj));
        const vd Sdot = vd_choose(m, p, vd_fma(-h1, th, c0), vd_fma(h1, th, ab));
        const vd below = vd_choose(m, p, c0 * m, vd_fma(far_minus, R, -ab * p)) - part;
        const vd above = vd_choose(m, p, c0 * p, vd_fma(h1, R, ab * p)) + part;
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
