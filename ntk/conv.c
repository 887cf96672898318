/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Convolutional infinite-width kernels (E55-E58): relu, 3x3 SAME convolutions with strides, flatten or
 * global average pooling, dense read-out.
 *
 * Flatten needs pairs of equal pixels only: one pass of the maps through the layers. Pooling needs all
 * pairs of pixels; a box moves both pixels alike, so the pairs of one displacement p' - p are a pass
 * of their own against the displaced image, and strides leave only the displacements that are a
 * multiple of their product: (2h-1)(2w-1) passes for an h x w output, over the part where both
 * images have pixels.
 *
 * A tile holds its columns' images in groups of eight (loops_priv.h) and passes its rows' by in chunks;
 * threads share out the groups, and each pair is computed by itself, so bits depend on neither.
 */
#include "alloc_priv.h"
#include "fail_priv.h"
#include "infinite_priv.h"
#include "loops_priv.h"

#include <math.h>

enum { MAPS = NTH_MAX_LAYERS + 1, EDGE = 512, EDGE_POOLED = 64 }; /* a tile takes a second or so */
enum { CHUNK = 32 };
static const double RANGE = 1e100;    /* of squared pixels and of units: their products are formed */
static const double NOTHING = 1e-200; /* of an image in range: a variance that counts as none */

/* A map with its rim of one pixel; layer 0 is the image. */
typedef struct shape {
    ptrdiff_t h, w, ld, size;    /* ld = w + 2, size = (h + 2) ld */
    ptrdiff_t variances;         /* where this layer's variances begin, layers >= 1 */
    ptrdiff_t stride, before[2]; /* of the convolution that leads here; rows, columns */
    ptrdiff_t zoom;              /* strides that follow: a displacement of the output, here */
    ptrdiff_t at;                /* where pixel (0,0) lies in the workspace's maps */
    double    unit, half_b2;     /* covariances are kept divided by unit; sigma_b^2/2 in it */
} shape;

typedef struct conv {
    nth_conv_config cfg;
    nth_cmat        X, X_test;
    shape           layer[MAPS];
    ptrdiff_t       variances; /* doubles for each image, all layers */
    ptrdiff_t       pixels;    /* of the workspace's maps */
} conv;

/* ---- Geometry ----------------------------------------------------------------------------------- */

static ptrdiff_t padding_before(ptrdiff_t size, ptrdiff_t out, ptrdiff_t stride)
{
    const ptrdiff_t total = (out - 1) * stride + 3 - size;
    return total > 0 ? total / 2 : 0;
}

static void set_shape(shape *s, ptrdiff_t h, ptrdiff_t w)
{
    s->h = h, s->w = w, s->ld = w + 2, s->size = (h + 2) * (w + 2);
}

/* Pixel (0,0) of a map. */
static ptrdiff_t origin(const shape *s) { return s->ld + 1; }

static nth_status plan(conv *c)
{
    nth_status             st = NTH_OK;
    const nth_conv_config *cfg = &c->cfg;
    NTH_REQUIRE(cfg->channels >= 1 && cfg->height >= 1 && cfg->width >= 1 && cfg->height <= 1 << 14
                    && cfg->width <= 1 << 14 && cfg->channels <= 1 << 20,
                NTH_E_ARG, "images of %td channels, %td x %td pixels", cfg->channels, cfg->height, cfg->width);
    NTH_REQUIRE(cfg->convs >= 2 && cfg->convs <= NTH_MAX_LAYERS, NTH_E_ARG,
                "%d convolutions; expected 2..%d", cfg->convs, NTH_MAX_LAYERS);
    NTH_REQUIRE(isfinite(cfg->sigma_w) && cfg->sigma_w > 0.0 && isfinite(cfg->sigma_b) && cfg->sigma_b >= 0.0,
                NTH_E_ARG, "sigma_w = %g, sigma_b = %g; expected > 0 and >= 0", cfg->sigma_w, cfg->sigma_b);
    NTH_REQUIRE(cfg->pooling == NTH_POOL_FLATTEN || cfg->pooling == NTH_POOL_GAP, NTH_E_ARG, "pooling %d",
                (int)cfg->pooling);
    set_shape(&c->layer[0], cfg->height, cfg->width);
    for (int l = 1; l <= cfg->convs; ++l) {
        shape          *s = &c->layer[l];
        const shape    *in = s - 1;
        const ptrdiff_t stride = cfg->strides[l - 1];
        NTH_REQUIRE(stride >= 1 && stride <= 16, NTH_E_ARG, "stride %td of convolution %d; expected 1..16", stride, l);
        set_shape(s, (in->h + stride - 1) / stride, (in->w + stride - 1) / stride);
        s->stride = stride;
        s->before[0] = padding_before(in->h, s->h, stride), s->before[1] = padding_before(in->w, s->w, stride);
        s->variances = c->variances;
        c->variances += s->size;
        /* Sigma is sigma_w^2/9 times a box sum of S, and D twice a covariance: that factor is the unit. */
        s->unit = cfg->sigma_w * cfg->sigma_w / 18.0 * (l == 1 ? 1.0 / (double)cfg->channels : in->unit);
        s->half_b2 = 0.5 * cfg->sigma_b * cfg->sigma_b / s->unit;
        NTH_REQUIRE(s->unit >= 1.0 / RANGE && s->unit <= RANGE && s->half_b2 <= RANGE, NTH_E_ARG,
                    "sigma_w = %g and sigma_b = %g leave the range of double precision at convolution %d", cfg->sigma_w,
                    cfg->sigma_b, l);
    }
    c->layer[cfg->convs].zoom = 1;
    for (int l = cfg->convs; l > 0; --l) c->layer[l - 1].zoom = c->layer[l].zoom * c->layer[l].stride;
    /* All layers share one memory: an output pixel falls on input that was read before, if the map moves
     * up by the rows padded in front. */
    c->layer[0].at = origin(&c->layer[0]);
    for (int l = 1; l <= cfg->convs; ++l) c->layer[0].at += c->layer[l].before[0] * c->layer[l - 1].ld;
    for (int l = 1; l <= cfg->convs; ++l) c->layer[l].at = c->layer[l - 1].at - c->layer[l].before[0] * c->layer[l - 1].ld;
    c->pixels = c->layer[0].at + c->layer[0].size;
done:
    return st;
}

/* The brightest pixel of each image is 0 or within range. */
static nth_status range_check(const conv *c)
{
    nth_status      st = NTH_OK;
    const ptrdiff_t N = c->X.rows + c->X_test.rows;
    for (ptrdiff_t i = 0; i < N; ++i) {
        const double *x = nth_priv_point(c->X, c->X_test, i);
        double        most = 0.0;
        for (ptrdiff_t p = 0; p < c->X.cols; ++p) most = fmax(most, fabs(x[p]));
        NTH_REQUIRE(most == 0.0 || (most * most >= 1.0 / RANGE && most * most <= RANGE), NTH_E_NUMERIC,
                    "image %td has a largest pixel of %g; 0 or %g to %g is within range: scale the images", i, most,
                    1.0 / sqrt(RANGE), sqrt(RANGE));
    }
done:
    return st;
}

/* ---- Single images ------------------------------------------------------------------------------ */

/* sqrt(Sigma_pp(x,x)/2) of one layer from a map of what its boxes add up. */
static void variances(const shape *s, const shape *in, const double *terms, double *rho)
{
    const ptrdiff_t stride = s->stride, ld = in->ld;
    for (ptrdiff_t row = 0; row < s->h; ++row) {
        const double *at = terms + origin(in) + (stride * row - s->before[0]) * ld - s->before[1];
        double       *out = rho + origin(s) + row * s->ld;
        for (ptrdiff_t col = 0; col < s->w; ++col) {
            const double *p = at + stride * col;
            out[col] = p[0] + p[1] + p[2] + p[ld] + p[ld + 1] + p[ld + 2] + p[2 * ld] + p[2 * ld + 1] + p[2 * ld + 2];
        }
        for (ptrdiff_t col = 0; col < s->w; ++col) out[col] = out[col] + s->half_b2 >= NOTHING ? sqrt(out[col] + s->half_b2) : 0.0;
    }
}

/* The image's planes with a rim of zeros, and rho = sqrt(Sigma_pp(x,x)/2) of all layers, in their
 * units, with such a rim. `terms`, as large as one plane: workspace. */
static void prepare(const conv *c, const double *x, double *planes, double *rho, double *terms)
{
    const nth_conv_config *cfg = &c->cfg;
    const shape           *in = &c->layer[0];
    for (ptrdiff_t p = 0; p < in->size; ++p) terms[p] = 0.0;
    for (ptrdiff_t ch = 0; ch < cfg->channels; ++ch)
        for (ptrdiff_t row = 0; row < in->h; ++row)
            for (ptrdiff_t col = 0; col < in->w; ++col) {
                const ptrdiff_t p = origin(in) + row * in->ld + col;
                const double    value = x[(ch * in->h + row) * in->w + col];
                planes[ch * in->size + p] = value;
                terms[p] += value * value;
            }
    for (int l = 1; l <= cfg->convs; ++l) {
        double *out = rho + c->layer[l].variances;
        variances(&c->layer[l], &c->layer[l - 1], terms, out);
        for (ptrdiff_t p = 0; p < c->layer[l].size; ++p) terms[p] = out[p] * out[p]; /* S(q,q,q) = q/2 */
    }
}

/* The images of a range, each by itself (group = 1) or eight side by side; missing ones are zero. For
 * each image or group `planes`, and `roots`: rho and 1/rho of each pixel (loops_priv.h). */
typedef struct images {
    double   *planes, *roots;
    ptrdiff_t planes_size, roots_size;
} images;

/* One image or group; `work` holds one plane, the planes and the roots of an image. */
static void prepare_group(const conv *c, const images *im, ptrdiff_t first, ptrdiff_t count, ptrdiff_t group, ptrdiff_t g,
                          double *work)
{
    const ptrdiff_t planes = c->cfg.channels * c->layer[0].size;
    double         *to = im->planes + g * im->planes_size, *roots = im->roots + g * im->roots_size;
    double         *terms = work, *rho = terms + c->layer[0].size, *own = group == 1 ? to : rho + c->variances;
    for (ptrdiff_t v = 0; v < group && g * group + v < count; ++v) {
        prepare(c, nth_priv_point(c->X, c->X_test, first + g * group + v), own, rho, terms);
        for (ptrdiff_t p = 0; p < planes && group > 1; ++p) to[p * group + v] = own[p];
        for (ptrdiff_t p = 0; p < c->variances; ++p) {
            roots[2 * p * group + v] = rho[p];
            roots[(2 * p + 1) * group + v] = rho[p] > 0.0 ? 1.0 / rho[p] : 0.0;
        }
    }
}

static nth_status images_create(images *im, const conv *c, ptrdiff_t count, ptrdiff_t group)
{
    nth_status      st = NTH_OK;
    const ptrdiff_t groups = (count + group - 1) / group;
    *im = (images){ .planes_size = c->cfg.channels * c->layer[0].size * group, .roots_size = 2 * c->variances * group };
    NTH_TRY(nth_priv_doubles(&im->planes, groups * im->planes_size, "images of a tile"));
    NTH_TRY(nth_priv_doubles(&im->roots, groups * im->roots_size, "variances of the images of a tile"));
done:
    return st;
}

static void images_free(images *im)
{
    nth_priv_free(im->planes);
    nth_priv_free(im->roots);
}

/* ---- One image against a group ------------------------------------------------------------------ */

/* The two maps of the layer at hand; a workspace for prepare_group. */
typedef struct maps {
    double *D, *T, *work;
} maps;

static nth_pair_maps maps_of(const maps *m, const shape *s)
{
    return (nth_pair_maps){ m->D + s->at * NTH_GROUP, m->T + s->at * NTH_GROUP, s->ld };
}

/* Where both images have pixels, for a displacement of the second. */
static nth_region overlap(const shape *s, ptrdiff_t down, ptrdiff_t right)
{
    return (nth_region){ down < 0 ? -down : 0, s->h - (down > 0 ? down : 0),
                         right < 0 ? -right : 0, s->w - (right > 0 ? right : 0) };
}

/* Pairs of pixels (p, p + displacement) through all layers; adds to sums. */
static void pass(const conv *c, const maps *m, const images *rows, ptrdiff_t i, const images *cols, ptrdiff_t g,
                 ptrdiff_t down, ptrdiff_t right, double *sums)
{
    const nth_loops *f = nth_priv_loops();
    const shape     *in = &c->layer[0];
    nth_region       whole = overlap(in, down * in->zoom, right * in->zoom);
    nth_pair_maps    at = maps_of(m, in);
    whole.row0 -= 1, whole.row1 += 1, whole.col0 -= 1, whole.col1 += 1; /* the rim */
    const ptrdiff_t shift = origin(in) + in->zoom * (down * in->ld + right);
    const double *roots = rows->roots + i * rows->roots_size, *group_roots = cols->roots + g * cols->roots_size;
    f->conv_input(&at, rows->planes + i * rows->planes_size + origin(in),
                  cols->planes + g * cols->planes_size + shift * NTH_GROUP, c->cfg.channels, in->size, &whole);
    for (int l = 1; l <= c->cfg.convs; ++l) {
        const shape  *s = &c->layer[l];
        nth_conv_step step = { .stride = s->stride, .before = { s->before[0], s->before[1] },
                               .two_b2 = 4.0 * s->half_b2, .in = at, .out = maps_of(m, s) };
        const ptrdiff_t here = s->variances + origin(s), there = here + s->zoom * (down * s->ld + right);
        step.roots = (nth_roots){ roots + 2 * here, group_roots + 2 * there * NTH_GROUP };
        step.region = overlap(s, down * s->zoom, right * s->zoom);
        if (l == c->cfg.convs) f->conv_last(&step, sums);
        else if (l == 1) f->conv_first(&step);
        else f->conv_next(&step);
        if (l < c->cfg.convs) f->conv_rim(&step);
        at = step.out;
    }
}

static void pairs(const conv *c, const maps *m, const images *rows, ptrdiff_t i, const images *cols, ptrdiff_t g,
                  double *Sigma, double *Theta)
{
    const shape   *last = &c->layer[c->cfg.convs];
    const double   w2 = c->cfg.sigma_w * c->cfg.sigma_w, b2 = c->cfg.sigma_b * c->cfg.sigma_b;
    const bool     pooled = c->cfg.pooling == NTH_POOL_GAP;
    const double   pixels = (double)(last->h * last->w), mean = w2 * last->unit / (pooled ? pixels * pixels : pixels);
    const ptrdiff_t h = pooled ? last->h - 1 : 0, w = pooled ? last->w - 1 : 0;
    double         sums[2 * NTH_GROUP] = { 0 };
    for (ptrdiff_t down = -h; down <= h; ++down)
        for (ptrdiff_t right = -w; right <= w; ++right)
            pass(c, m, rows, i, cols, g, down, right, sums);
    for (ptrdiff_t v = 0; v < NTH_GROUP; ++v) {
        Sigma[v] = mean * sums[v] + b2;
        Theta[v] = Sigma[v] + mean * sums[NTH_GROUP + v];
    }
}

/* ---- Tiles -------------------------------------------------------------------------------------- */

/* A thread's own memory: the maps, and what it takes to prepare an image. */
static nth_status maps_create(maps *m, const conv *c)
{
    nth_status      st = NTH_OK;
    const ptrdiff_t size = 2 * c->pixels * NTH_GROUP, image = (c->cfg.channels + 1) * c->layer[0].size + c->variances;
    NTH_TRY(nth_priv_doubles(&m->D, size + image, "maps of a convolutional kernel"));
    m->T = m->D + size / 2, m->work = m->D + size;
done:
    return st;
}

/* A group of columns against the rows [first, end) of the tile, which stand in `rows` from 0 on. */
static void group_pairs(const conv *c, const nth_tile *t, const maps *m, const images *rows, const images *cols,
                        ptrdiff_t first, ptrdiff_t end, ptrdiff_t g)
{
    const ptrdiff_t j0 = g * NTH_GROUP, count = t->cols - j0 < NTH_GROUP ? t->cols - j0 : NTH_GROUP;
    for (ptrdiff_t i = t->lower && j0 > first ? j0 : first; i < end; ++i) {
        double Sigma[NTH_GROUP], Theta[NTH_GROUP];
        pairs(c, m, rows, i - first, cols, g, Sigma, Theta);
        for (ptrdiff_t v = 0; v < count; ++v) {
            if (t->Theta.a != NULL) t->Theta.a[i * t->Theta.ld + j0 + v] = Theta[v];
            if (t->Sigma.a != NULL) t->Sigma.a[i * t->Sigma.ld + j0 + v] = Sigma[v];
        }
    }
}

/* Rows come in chunks that stay in the last-level cache while the groups of columns pass by. */
static nth_status conv_tile(const void *self, const nth_tile *t)
{
    nth_status      st = NTH_OK;
    const conv     *c = self;
    images          rows = { 0 }, cols = { 0 };
    const ptrdiff_t groups = (t->cols + NTH_GROUP - 1) / NTH_GROUP;
    int             failed = NTH_OK;
    NTH_TRY(images_create(&rows, c, t->rows < CHUNK ? t->rows : CHUNK, 1));
    NTH_TRY(images_create(&cols, c, t->cols, NTH_GROUP));
#pragma omp parallel
    {
        maps             m = { 0 };
        const nth_status mine = maps_create(&m, c);
        if (mine != NTH_OK) {
#pragma omp atomic write
            failed = (int)mine;
        }
#pragma omp for schedule(static)
        for (ptrdiff_t g = 0; g < groups; ++g)
            if (mine == NTH_OK) prepare_group(c, &cols, t->col, t->cols, NTH_GROUP, g, m.work);
        for (ptrdiff_t first = 0; first < t->rows; first += CHUNK) {
            const ptrdiff_t end = t->rows < first + CHUNK ? t->rows : first + CHUNK;
#pragma omp for schedule(static)
            for (ptrdiff_t i = first; i < end; ++i)
                if (mine == NTH_OK) prepare_group(c, &rows, t->row + first, end - first, 1, i - first, m.work);
#pragma omp for schedule(dynamic, 1)
            for (ptrdiff_t g = 0; g < groups; ++g)
                if (mine == NTH_OK) group_pairs(c, t, &m, &rows, &cols, first, end, g);
        }
        nth_priv_free(m.D);
    }
    NTH_REQUIRE(failed == NTH_OK, (nth_status)failed, "out of memory for the maps of a convolutional kernel");
done:
    images_free(&rows);
    images_free(&cols);
    return st;
}

static void conv_destroy(void *self) { nth_priv_free(self); }

nth_conv_config nth_conv_lantk_cnn8(void)
{
    return (nth_conv_config){ .channels = 3, .height = 32, .width = 32, .convs = 7,
                              .strides = { 1, 1, 1, 2, 1, 2, 1 }, .sigma_w = 1.0, .pooling = NTH_POOL_FLATTEN };
}

nth_status nth_infinite_create_conv(nth_infinite **K, const nth_conv_config *cfg, nth_cmat X, nth_cmat X_test)
{
    static const nth_architecture arch = { .tile = conv_tile, .destroy = conv_destroy };
    nth_status                    st = NTH_OK;
    conv                         *c = NULL;
    *K = NULL;
    NTH_TRY(nth_priv_alloc(&c, 1, sizeof *c, "convolutional kernel"));
    c->cfg = *cfg, c->X = X, c->X_test = X_test;
    NTH_TRY(plan(c));
    NTH_TRY(nth_priv_points_check(X, X_test, cfg->channels * cfg->height * cfg->width));
    NTH_TRY(range_check(c));
    const ptrdiff_t edge = cfg->pooling == NTH_POOL_GAP ? EDGE_POOLED : EDGE;
    const double    tile = 8.0 * (double)((cfg->channels * c->layer[0].size + 2 * c->variances) * (edge + CHUNK));
    NTH_TRY(nth_priv_mem_check(tile, "a tile of this convolutional kernel"));
    double positions = 0.0;
    for (int l = 1; l <= cfg->convs; ++l) {
        const shape    *s = &c->layer[l], *last = &c->layer[cfg->convs];
        const bool      pooled = cfg->pooling == NTH_POOL_GAP;
        const ptrdiff_t h = pooled ? last->h - 1 : 0, w = pooled ? last->w - 1 : 0;
        for (ptrdiff_t down = -h; down <= h; ++down)
            for (ptrdiff_t right = -w; right <= w; ++right) {
                const nth_region g = overlap(s, down * s->zoom, right * s->zoom);
                positions += (double)((g.row1 - g.row0) * (g.col1 - g.col0));
            }
    }
    conv *given = c;
    c = NULL;
    NTH_TRY(nth_priv_infinite_create(K, &arch, given, X.rows, X_test.rows));
    (*K)->edge = edge;
    (*K)->positions = positions;
done:
    nth_priv_free(c);
    return st;
}
