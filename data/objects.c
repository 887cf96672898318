/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * synthetic:two-objects, images with two things to ask for: on the left a patch of animal-like texture,
 * stripes (zebra) or spots (leopard), on the right the outline of a table or of a chair. The two choices are
 * independent and uniform; the key `label` says which of them y is, and nothing else depends on it, so the same
 * images carry two systems of labels.
 *
 *     stripes  A cos(k.p + a),  |k| = 2 pi 4/size, k within 20 degrees of the horizontal;  spots  sqrt 2 A cos(k.p + a) cos(k'.p + b), k' across k
 *     shape    A or -A on its pixels; patch and shape are size/2 high, at independent heights; chairs face either way
 *
 * Phases and signs are random, so both classes of either system have mean 0: no linear function of the
 * pixels tells them apart, second moments do. A = 1 before the standard normal noise times `noise`.
 *
 * Image i of run 0 (training) or 1 (test): choices are uniform numbers 2 i and 2 i + 1 of
 * NTH_STREAM_LABELS, everything else 8 i .. 8 i + 7 of NTH_STREAM_INPUTS; its noise is the normal numbers
 * i d .. of run 2 or 3. So the first images are the same for any n.
 */
#include "data_priv.h"
#include "fail_priv.h"
#include "nth/rng.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { ANIMAL, FURNITURE, DRAWS = 8 };
static const double TWO_PI = 6.283185307179586;

static const char *const systems[] = { "animal", "furniture", NULL };
static const char *const names[2][2] = { { "zebra", "leopard" }, { "table", "chair" } };

/* An integer 0 .. most. */
static ptrdiff_t place(double u, ptrdiff_t most)
{
    const ptrdiff_t at = (ptrdiff_t)(u * (double)(most + 1));
    return at > most ? most : at;
}

static void texture(double *image, ptrdiff_t size, bool spots, const double *u)
{
    const ptrdiff_t half = size / 2, top = place(u[0], half);
    const double    k = TWO_PI * 4.0 / (double)size, angle = (u[1] - 0.5) * TWO_PI / 9.0, a = TWO_PI * u[2], b = TWO_PI * u[3];
    const double    kx = k * cos(angle), ky = k * sin(angle);
    for (ptrdiff_t r = 0; r < half; ++r)
        for (ptrdiff_t c = 0; c < half; ++c) {
            const double x = (double)c, y = (double)r, along = cos(kx * x + ky * y + a);
            image[(top + r) * size + c] = spots ? sqrt(2.0) * along * cos(kx * y - ky * x + b) : along;
        }
}

/* A table is a top on two legs at its ends; a chair has its seat half-way and a back at one end. */
static void shape(double *image, ptrdiff_t size, bool chair, const double *u)
{
    const ptrdiff_t half = size / 2, width = half - 1, top = place(u[0], half), left = half + place(u[1], 1);
    const double    sign = u[2] < 0.5 ? 1.0 : -1.0;
    const bool      turned = u[3] < 0.5;
    const ptrdiff_t bar = chair ? half / 2 : 0;
    for (ptrdiff_t r = 0; r < half; ++r)
        for (ptrdiff_t c = 0; c < width; ++c) {
            const bool back = c == (turned ? width - 1 : 0), leg = c == 0 || c == width - 1;
            if (r == bar || (r > bar ? leg : back)) image[(top + r) * size + left + c] = sign;
        }
}

static void fill(nth_mat x, nth_mat y, ptrdiff_t size, int label, double noise, uint64_t seed, uint32_t run)
{
    for (ptrdiff_t i = 0; i < x.rows; ++i) {
        double *image = x.a + i * x.ld, u[DRAWS];
        bool    second[2];
        for (int s = 0; s < 2; ++s) second[s] = nth_rand_uniform(seed, NTH_STREAM_LABELS, run, 2 * (uint64_t)i + (uint64_t)s) >= 0.5;
        for (int q = 0; q < DRAWS; ++q) u[q] = nth_rand_uniform(seed, NTH_STREAM_INPUTS, run, DRAWS * (uint64_t)i + (uint64_t)q);
        nth_rand_normals(image, x.cols, seed, NTH_STREAM_INPUTS, run + 2, (uint64_t)i * (uint64_t)x.cols);
        double clean[NTH_OBJECTS_SIZE * NTH_OBJECTS_SIZE] = { 0 };
        texture(clean, size, second[ANIMAL], u);
        shape(clean, size, second[FURNITURE], u + 4);
        for (ptrdiff_t p = 0; p < x.cols; ++p) image[p] = clean[p] + noise * image[p];
        nth_priv_data_set_class(y, i, second[label]);
    }
}

nth_status nth_priv_load_objects(nth_data *data, const nth_spec *spec)
{
    nth_status  st = NTH_OK;
    ptrdiff_t   n = 200, test = 100, size = 16;
    uint64_t    seed = 1;
    const char *label = nth_priv_spec_text(spec, "label"), *noise = "0.1";
    double      level;
    if (label == NULL) label = systems[ANIMAL];
    NTH_TRY(nth_priv_spec_count(spec, "n", 1, PTRDIFF_MAX, &n));
    NTH_TRY(nth_priv_spec_count(spec, "test", 0, PTRDIFF_MAX, &test));
    NTH_TRY(nth_priv_spec_count(spec, "size", 8, NTH_OBJECTS_SIZE, &size));
    NTH_REQUIRE(size % 2 == 0, NTH_E_ARG, "synthetic:two-objects: size=%td; must be even", size);
    NTH_TRY(nth_priv_spec_seed(spec, "seed", &seed));
    const int which = strcmp(label, systems[FURNITURE]) == 0 ? FURNITURE : ANIMAL;
    NTH_REQUIRE(strcmp(label, systems[which]) == 0, NTH_E_ARG, "synthetic:two-objects: label=%s; did you mean \"%s\"?", label,
                nth_priv_data_nearest(label, systems));
    NTH_TRY(nth_priv_spec_real(spec, "noise", 0.0, 100.0, &noise, &level));
    NTH_TRY(nth_priv_data_alloc(data, n, test, size * size, 1));
    NTH_TRY(nth_priv_data_labels(data, 2, names[which]));
    NTH_TRY(nth_priv_format(&data->source, "synthetic:two-objects?n=%td&test=%td&seed=%llu&size=%td&label=%s&noise=%s", n, test,
                            (unsigned long long)seed, size, label, noise));
    fill(data->x, data->y, size, which, level, seed, 0);
    fill(data->x_test, data->y_test, size, which, level, seed, 1);
done:
    return st;
}
