/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * synthetic:two-objects: the same images under both systems of labels, addressed numbers, independent
 * choices, classes without a mean, and specs that are refused.
 */
#include "nth_test.h"
#include "alloc_priv.h"
#include "nth/data.h"
#include "nth/rng.h"

#include <math.h>
#include <string.h>

static nth_data *load(const char *spec)
{
    nth_data *d = NULL;
    NTH_CHECK_OK(nth_data_load(&d, spec, NULL));
    return d;
}

static void two_systems_of_one_set(void)
{
    nth_data *a = load("synthetic:two-objects?n=300&test=40"), *b = load("synthetic:two-objects?n=300&test=40&label=furniture");
    double    count[2][2] = { { 0 } };
    if (a == NULL || b == NULL) return;
    NTH_CHECK(a->x.rows == 300 && a->x.cols == 256 && a->x_test.rows == 40 && a->y.cols == 1 && a->classes == 2);
    NTH_CHECK(memcmp(a->x.a, b->x.a, sizeof(double) * 300 * 256) == 0 && memcmp(a->x_test.a, b->x_test.a, sizeof(double) * 40 * 256) == 0);
    NTH_CHECK(strcmp(a->labels[0], "zebra") == 0 && strcmp(a->labels[1], "leopard") == 0);
    NTH_CHECK(strcmp(b->labels[0], "table") == 0 && strcmp(b->labels[1], "chair") == 0);
    NTH_CHECK(strcmp(a->source, "synthetic:two-objects?n=300&test=40&seed=1&size=16&label=animal&noise=0.1") == 0);
    for (int i = 0; i < 300; ++i) count[a->y.a[i] < 0.0][b->y.a[i] < 0.0] += 1.0;
    for (int i = 0; i < 2; ++i) /* 300 draws of four: 75 +- 7.5 */
        for (int j = 0; j < 2; ++j) NTH_CHECK_CLOSE(count[i][j], 75.0, 0.0, 6.0 * 7.5);
    nth_data_destroy(&a);
    nth_data_destroy(&b);
}

static void images_are_addressed(void)
{
    nth_data *a = load("synthetic:two-objects?n=20&test=7"), *b = load("synthetic:two-objects?n=9&test=3"), *c = load("synthetic:two-objects?n=9&seed=2");
    if (a == NULL || b == NULL || c == NULL) return;
    NTH_CHECK(memcmp(a->x.a, b->x.a, sizeof(double) * 9 * 256) == 0 && memcmp(a->y.a, b->y.a, sizeof(double) * 9) == 0);
    NTH_CHECK(memcmp(a->x_test.a, b->x_test.a, sizeof(double) * 3 * 256) == 0);
    NTH_CHECK(memcmp(b->x.a, c->x.a, sizeof(double) * 256) != 0 && memcmp(a->x.a, a->x_test.a, sizeof(double) * 256) != 0);
    NTH_CHECK(c->x_test.rows == 100);
    nth_data_destroy(&a);
    nth_data_destroy(&b);
    nth_data_destroy(&c);
}

/* Sum of squares of rows lo .. hi and columns left .. right of an image. */
static double energy(const double *image, int size, int lo, int hi, int left, int right)
{
    double sum = 0.0;
    for (int r = lo; r < hi; ++r)
        for (int c = left; c < right; ++c) sum += pow(image[r * size + c], 2.0);
    return sum;
}

/* Sum of squares of differences between neighbours of the patch at top, along a row (0) or down a column (1). */
static double roughness(const double *image, int size, int top, int down)
{
    const int half = size / 2, step = down ? size : 1;
    double    sum = 0.0;
    for (int r = top; r < top + half - down; ++r)
        for (int c = 0; c < half - 1 + down; ++c) sum += pow(image[r * size + c + step] - image[r * size + c], 2.0);
    return sum;
}

/* Without noise: what is drawn where, by the definition. */
static void drawn_as_described(void)
{
    enum { N = 400, S = 16, H = 8 };
    nth_data *a = load("synthetic:two-objects?n=400&noise=0"), *b = load("synthetic:two-objects?n=400&noise=0&label=furniture");
    double    mean[2][2][S * S] = { { { 0 } } }, size[2][2] = { { 0 } }, texture[2] = { 0 };
    double    across = 0.0, down = 0.0, together = 0.0;
    int       heights[2][H + 1] = { { 0 } };
    if (a == NULL || b == NULL) return;
    for (int i = 0; i < N; ++i) {
        int tops[2] = { 0 };
        const double *image = a->x.a + i * S * S;
        const bool    chair = b->y.a[i] < 0.0, spots = a->y.a[i] < 0.0;
        /* Outlines are one value and its negative alone: a table has 7 + 2 x 7 pixels, a chair 7 + 2 x 3 + 4. */
        NTH_CHECK(energy(image, S, 0, S, H, S) == (chair ? 17.0 : 21.0));
        texture[spots] += energy(image, S, 0, S, 0, H) / (H * H);
        for (int side = 0; side < 2; ++side) {
            int top = 0;
            while (top <= H && energy(image, S, top, top + 1, side * H, side * H + H) == 0.0) ++top;
            NTH_CHECK(top <= H);
            if (top <= H) ++heights[side][top];
            tops[side] = top;
        }
        together += (tops[0] - H / 2) * (tops[1] - H / 2);
        const double rough[2] = { roughness(image, S, tops[0], 0), roughness(image, S, tops[0], 1) };
        if (spots) across += rough[0], down += rough[1];
        else NTH_CHECK(rough[1] < 0.4 * rough[0]); /* waves within 20 degrees: tan^2 = 0.13 of a whole number of waves */
        for (int system = 0; system < 2; ++system) {
            const int c = system == 0 ? spots : chair;
            size[system][c] += 1.0;
            for (int p = 0; p < S * S; ++p) mean[system][c][p] += image[p];
        }
    }
    for (int c = 0; c < 2; ++c) NTH_CHECK_CLOSE(texture[c] / size[0][c], 0.5, 0.0, 0.03);
    for (int side = 0; side < 2; ++side)
        for (int t = 0; t <= H; ++t) NTH_CHECK_CLOSE(heights[side][t], N / 9.0, 0.0, 6.0 * sqrt(N / 9.0));
    NTH_CHECK_CLOSE(together / N, 0.0, 0.0, 6.0 * (20.0 / 3.0) / sqrt(N)); /* heights are independent, each of variance 80/12 */
    NTH_CHECK_CLOSE(across, down, 0.1, 0.0);                               /* the waves of spots cross at right angles */
    for (int system = 0; system < 2; ++system) /* no class has a mean: pixels are at most sqrt 2 */
        for (int c = 0; c < 2; ++c)
            for (int p = 0; p < S * S; ++p) NTH_CHECK_CLOSE(mean[system][c][p] / size[system][c], 0.0, 0.0, 6.0 / sqrt(size[system][c]));
    nth_data_destroy(&a);
    nth_data_destroy(&b);
}

/* The normal numbers of runs 2 and 3, image by image: none of them are among those that draw the objects. */
static void noise_is_added(void)
{
    static double e[50 * 256];
    nth_data     *a = load("synthetic:two-objects?n=50&test=20&noise=0"), *b = load("synthetic:two-objects?n=50&test=20&noise=0.5");
    double        worst = 0.0;
    if (a == NULL || b == NULL) return;
    for (int set = 0; set < 2; ++set) {
        const double *without = set == 0 ? a->x.a : a->x_test.a, *with = set == 0 ? b->x.a : b->x_test.a;
        nth_rand_normals(e, 50 * 256, 1, NTH_STREAM_INPUTS, 2 + (uint32_t)set, 0);
        for (int p = 0; p < (set == 0 ? 50 : 20) * 256; ++p) worst = nth_worst(worst, fabs(with[p] - without[p] - 0.5 * e[p]));
    }
    NTH_CHECK_CLOSE(worst, 0.0, 0.0, 1e-15);
    nth_data_destroy(&a);
    nth_data_destroy(&b);
}

static void refusals(void)
{
    static const struct {
        const char *spec, *says;
    } bad[] = {
        { "synthetic:two-object", "did you mean \"two-objects\"" },
        { "synthetic:two-objects?d=3", "synthetic:two-objects has no key \"d\"" },
        { "synthetic:sphere?size=8", "synthetic:sphere has no key \"size\"" },
        { "synthetic:sphere?label=animal", "synthetic:sphere has no key \"label\"" },
        { "synthetic:two-objects?label=furnitur", "label=furnitur; did you mean \"furniture\"" },
        { "synthetic:two-objects?size=9", "size=9; must be even" },
        { "synthetic:two-objects?size=6", "size=6; must be an integer from 8 to 64" },
        { "synthetic:two-objects?size=66", "size=66" },
        { "synthetic:two-objects?noise=-1", "noise=-1; must be a number from 0 to 100" },
        { "synthetic:two-objects?noise=nan", "noise=nan" },
        { "synthetic:two-objects?noise=0.1x", "noise=0.1x" },
        { "synthetic:two-objects?n=0", "n=0" },
    };
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; ++i) {
        nth_data *d = NULL;
        NTH_CHECK_STATUS(nth_data_load(&d, bad[i].spec, NULL), NTH_E_ARG);
        NTH_CHECK_MESSAGE(bad[i].says);
        NTH_CHECK(d == NULL);
    }
}

static nth_status build(void)
{
    nth_data        *d = NULL;
    const nth_status st = nth_data_load(&d, "synthetic:two-objects?n=3&test=1&size=8", NULL);
    nth_data_destroy(&d);
    return st;
}

static void survives_oom(void) { nth_test_every_allocation_fails(build); }

int main(void)
{
    return nth_test_main("objects", (nth_test_case[]){ { "two_systems_of_one_set", two_systems_of_one_set },
                                                       { "images_are_addressed", images_are_addressed },
                                                       { "drawn_as_described", drawn_as_described },
                                                       { "noise_is_added", noise_is_added },
                                                       { "refusals", refusals },
                                                       { "survives_oom", survives_oom },
                                                       { 0 } });
}
