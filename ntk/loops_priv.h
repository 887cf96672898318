/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * The inner loops of the infinite-width relu kernels, built once for each instruction set
 * (docs/adr/0007); loops.c takes the best one.
 *
 * A pair of Gaussians is carried as its mean square difference D = E[(z1 - z2)^2], not as its
 * covariance k = (q1 + q2 - D)/2: biases cancel in D, the average of k over a box of pixels is an
 * average of D, and coincident inputs lose no digits. With R = sqrt(q1 q2), e = (sqrt q1 - sqrt q2)^2/2:
 *
 *     R - k = D/2 - e,    1 - cos th = (R - k)/R,    relu: D' = (q1 + q2)/2 - 2 S(q1,q2,k)    [E45]
 *
 * Each layer of a convolutional kernel is computed in units of its own, so that D and T of a layer are
 * plain sums over a box of the layer before (conv.c).
 *
 * Convolutions work on one image against a group of NTH_GROUP others, whose values for a pixel lie
 * side by side, so that each pixel is whole vectors and neighbours need no shuffling.
 */
#ifndef NTH_NTK_LOOPS_PRIV_H
#define NTH_NTK_LOOPS_PRIV_H

#include <stddef.h>

enum { NTH_GROUP = 8 };

/* Pixels rows [row0, row1) x columns [col0, col1). */
typedef struct nth_region {
    ptrdiff_t row0, row1, col0, col1;
} nth_region;

/* Two maps of a group of pairs. Pointers are to pixel (0,0) of the first image; there is a rim of
 * one pixel around (conv_rim), and rows are ld pixels apart. */
typedef struct nth_pair_maps {
    double   *D, *T; /* T: see the loops */
    ptrdiff_t ld;
} nth_pair_maps;

/* Of each pixel rho = sqrt(q/2) and 1/rho (0 where q = 0) one after the other, of a group eight and eight.
 * Pointers are to the pixel that belongs to (0,0) of the maps. */
typedef struct nth_roots {
    const double *image, *group;
} nth_roots;

/* Step from one layer's maps to the next's: a 3x3 convolution (E56), then the activation. */
typedef struct nth_conv_step {
    ptrdiff_t     stride;          /* output pixel p reads input pixels stride p - before + (0..2), */
    ptrdiff_t     before[2];       /* in rows and in columns */
    double        two_b2;          /* of the first convolution: 2 sigma_b^2 in the units of the layer */
    nth_pair_maps in, out;
    nth_roots     roots;           /* of the output's pixels */
    nth_region    region;          /* of the output, where both images have pixels */
} nth_conv_step;

/* Fully connected layer of sigma = a min(z,0) + b max(z,0) (E46) for the pairs of one point with n
 * others: c0 = (a^2+b^2)/2, c1 = (a-b)^2, h = (a+b)^2/2. */
typedef struct nth_arc_layer {
    double        w2, b2, c0, c1, h, ab;
    double        r1;              /* sqrt q of the one point at this layer */
    const double *r2;              /* (n) of the others */
} nth_arc_layer;

typedef struct nth_loops {
    const char *name;
    /* D = |x - x'|^2, T = |x + x'|^2 at each pixel of the region. Planes of the channels are `plane`
     * pixels apart; x is one image, z the group. */
    void (*conv_input)(const nth_pair_maps *out, const double *x, const double *z, ptrdiff_t channels,
                       ptrdiff_t plane, const nth_region *region);
    /* First convolution: T in = E[(z1 + z2)^2], T out = 2 Sdot Theta with Theta = Sigma = k. */
    void (*conv_first)(const nth_conv_step *s);
    /* Later ones: T in and out are 2 Sdot Theta. */
    void (*conv_next)(const nth_conv_step *s);
    /* The last, no activation: adds k and Theta of the region's pixels to sums (2 x NTH_GROUP). */
    void (*conv_last)(const nth_conv_step *s, double *sums);
    /* What boxes read around the region: D = (q1 + q2)/2 with q = 0 outside an image, T = 0. */
    void (*conv_rim)(const nth_conv_step *s);
    /* minus = R - k, plus = R + k and Theta (n) become those of the next layer; *k is its covariance.
     * n is a multiple of NTH_GROUP, arrays are aligned. Rows minus, plus, Theta, k of `pairs`. */
    void (*arc_layer)(const nth_arc_layer *l, double *minus, double *plus, double *Theta, double *k, ptrdiff_t n);
} nth_loops;

extern const nth_loops nth_loops_portable, nth_loops_avx2, nth_loops_avx512;
const nth_loops       *nth_priv_loops(void); /* the best of this CPU */
extern const nth_loops *nth_test_loops;        /* set by tests: these instead */

#endif
