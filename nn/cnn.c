/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Convolutional networks in training (E113): sizes, initial parameters, read-out, loss and epochs. The
 * convolutions are base/onednn.c's. A batch that is not full is filled up with zero images whose
 * residuals are zero, so that one plan serves all.
 */
#include "nth/cnn.h"
#include "alloc_priv.h"
#include "fail_priv.h"
#include "linalg_priv.h"
#include "nth/rng.h"
#include "onednn_priv.h"
#include "optimize_priv.h"

#include <float.h>
#include <math.h>
#include <stdint.h>
#include <string.h>

struct nth_cnn {
    nth_cnn_config       cfg;
    nth_optimize_options opt;
    nth_cmat             X, Y;
    ptrdiff_t            P, features, W, batches; /* features: numbers in the last map; W: the read-out in theta */
    long                 steps;
    nth_convs           *convs;
    nth_optimizer       *rule;
    float               *theta, *gradient;  /* (P) */
    float               *images;            /* (batch x channels height width) */
    float               *top, *dtop;        /* (batch x features) the last map, and the loss's gradient there */
    float               *f, *r;             /* (batch x outputs) outputs; dLoss/df */
    ptrdiff_t           *order;             /* (n) of the present epoch */
    long                 ordered;           /* which epoch that is, -1: none */
};

/* ---- Sizes --------------------------------------------------------------------------------------- */

nth_cnn_config nth_cnn_lantk8(ptrdiff_t outputs)
{
    const ptrdiff_t k = outputs > 1 ? 2 : 1;
    return (nth_cnn_config){ .channels = 3, .height = 32, .width = 32, .convs = 7, .strides = { 1, 1, 1, 2, 1, 2, 1 }, .outputs = outputs,
                             .filters = { 16, 64 * k, 64 * k, 128 * k, 128 * k, 256 * k, 256 * k } };
}

/* What convolution l < C takes, or, for l = C, what the read-out takes. */
typedef struct map {
    ptrdiff_t channels, height, width;
} map;

static map map_of(const nth_cnn_config *cfg, int l)
{
    map m = { cfg->channels, cfg->height, cfg->width };
    for (int i = 0; i < l; ++i)
        m = (map){ cfg->filters[i], (m.height - 1) / cfg->strides[i] + 1, (m.width - 1) / cfg->strides[i] + 1 };
    return m;
}

static ptrdiff_t size_of(map m) { return m.channels * m.height * m.width; }

ptrdiff_t nth_cnn_parameters(const nth_cnn_config *cfg)
{
    ptrdiff_t P = cfg->outputs * (size_of(map_of(cfg, cfg->convs)) + 1);
    for (int l = 0; l < cfg->convs; ++l) P += cfg->filters[l] * (9 * map_of(cfg, l).channels + 1);
    return P;
}

double nth_cnn_flops(const nth_cnn_config *cfg)
{
    double sum = 2.0 * (double)cfg->outputs * (double)size_of(map_of(cfg, cfg->convs));
    for (int l = 0; l < cfg->convs; ++l) sum += 18.0 * (double)map_of(cfg, l).channels * (double)size_of(map_of(cfg, l + 1));
    return sum;
}

nth_status nth_cnn_check(const nth_cnn_config *cfg)
{
    enum { MOST = 1 << 16, PIXELS = 1 << 12 };
    nth_status st = NTH_OK;
    NTH_REQUIRE(cfg->convs >= 1 && cfg->convs <= NTH_MAX_LAYERS, NTH_E_ARG, "%d convolutions; 1 to %d are expected", cfg->convs,
                NTH_MAX_LAYERS);
    NTH_REQUIRE(cfg->channels >= 1 && cfg->channels <= MOST && cfg->height >= 1 && cfg->height <= PIXELS && cfg->width >= 1 &&
                    cfg->width <= PIXELS,
                NTH_E_ARG, "images of %td x %td x %td; 1 to %d channels, 1 to %d rows and columns are expected", cfg->channels, cfg->height,
                cfg->width, MOST, PIXELS);
    NTH_REQUIRE(cfg->outputs >= 1 && cfg->outputs <= MOST, NTH_E_ARG, "%td outputs; 1 to %d are expected", cfg->outputs, MOST);
    for (int l = 0; l < cfg->convs; ++l) {
        NTH_REQUIRE(cfg->filters[l] >= 1 && cfg->filters[l] <= MOST, NTH_E_ARG, "convolution %d has %td channels; 1 to %d are expected", l + 1,
                    cfg->filters[l], MOST);
        NTH_REQUIRE(cfg->strides[l] >= 1 && cfg->strides[l] <= 16, NTH_E_ARG, "convolution %d has stride %d; 1 to 16 are expected", l + 1,
                    cfg->strides[l]);
    }
    NTH_TRY(nth_priv_onednn_check());
done:
    return st;
}

/* The maps, their gradients in two buffers, weights in three layouts more, the rule. */
double nth_cnn_work_bytes(const nth_cnn_config *cfg, ptrdiff_t n, ptrdiff_t batch)
{
    double maps = 0.0, largest = 0.0;
    for (int l = 0; l <= cfg->convs; ++l) {
        const double s = (double)size_of(map_of(cfg, l));
        maps += s, largest = s > largest ? s : largest;
    }
    const double ends = (double)(size_of(map_of(cfg, 0)) + 2 * size_of(map_of(cfg, cfg->convs)) + 2 * cfg->outputs);
    return 4.0 * ((double)(batch < n ? batch : n) * (maps + 2.0 * largest + ends) + 7.0 * (double)nth_cnn_parameters(cfg)) + 8.0 * (double)n;
}

/* ---- Set-up -------------------------------------------------------------------------------------- */

/* Weights, then biases of layer l: uniform within 1/sqrt(fan-in). */
static void draw(nth_cnn *n, ptrdiff_t at, int l, ptrdiff_t out, ptrdiff_t fan_in)
{
    const double   bound = 1.0 / sqrt((double)fan_in);
    const uint64_t layer = (uint64_t)(l + 1) << 48;
    for (ptrdiff_t i = 0; i < out * (fan_in + 1); ++i) {
        const bool      bias = i >= out * fan_in;
        const ptrdiff_t k = bias ? i - out * fan_in : i;
        const double    u = nth_rand_uniform(n->opt.seed, bias ? NTH_STREAM_BIASES : NTH_STREAM_WEIGHTS, n->opt.run, layer + (uint64_t)k);
        n->theta[at + i] = (float)(bound * (2.0 * u - 1.0));
    }
}

static void initialize(nth_cnn *n)
{
    const nth_cnn_config *cfg = &n->cfg;
    ptrdiff_t             at = 0;
    for (int l = 0; l < cfg->convs; ++l) {
        const ptrdiff_t fan_in = 9 * map_of(cfg, l).channels;
        draw(n, at, l, cfg->filters[l], fan_in);
        at += cfg->filters[l] * (fan_in + 1);
    }
    n->W = at;
    draw(n, at, cfg->convs, cfg->outputs, n->features);
}

static nth_status check(const nth_cnn_config *cfg, nth_cmat X, nth_cmat Y, const nth_optimize_options *o)
{
    nth_status st = NTH_OK;
    NTH_TRY(nth_cnn_check(cfg));
    NTH_REQUIRE(X.rows >= 1, NTH_E_SHAPE, "no training inputs");
    NTH_REQUIRE(X.cols == size_of(map_of(cfg, 0)), NTH_E_SHAPE, "inputs have %td columns, images of %td x %td x %td have %td", X.cols,
                cfg->channels, cfg->height, cfg->width, size_of(map_of(cfg, 0)));
    NTH_REQUIRE(Y.rows == X.rows && Y.cols == cfg->outputs, NTH_E_SHAPE, "targets are %td x %td; %td x %td are expected", Y.rows, Y.cols,
                X.rows, cfg->outputs);
    NTH_REQUIRE(nth_all_finite(X), NTH_E_NUMERIC, "inputs have non-finite entries");
    NTH_REQUIRE(nth_all_finite(Y), NTH_E_NUMERIC, "targets have non-finite entries");
    NTH_REQUIRE(o->batch >= 1, NTH_E_ARG, "batch of %td inputs; must be >= 1", o->batch);
    NTH_REQUIRE(o->precision == NTH_PRECISION_SINGLE, NTH_E_ARG, "convolutional networks are trained in single precision");
done:
    return st;
}

static nth_status floats(float **out, ptrdiff_t count, const char *what) { return nth_priv_alloc(out, count, sizeof(float), what); }

nth_status nth_cnn_create(nth_cnn **out, const nth_cnn_config *cfg, nth_cmat X, nth_cmat Y, const nth_optimize_options *options)
{
    nth_status st = NTH_OK;
    nth_cnn   *n = NULL;
    *out = NULL;
    NTH_TRY(check(cfg, X, Y, options));
    NTH_TRY(nth_priv_alloc(&n, 1, sizeof *n, "convolutional network"));
    n->cfg = *cfg, n->opt = *options, n->X = X, n->Y = Y, n->ordered = -1;
    if (n->opt.batch > X.rows) n->opt.batch = X.rows;
    const ptrdiff_t B = n->opt.batch;
    n->batches = (X.rows + B - 1) / B, n->P = nth_cnn_parameters(cfg), n->features = size_of(map_of(cfg, cfg->convs));
    NTH_TRY(nth_priv_optimizer_create(&n->rule, &options->rule, n->P, &nth_priv_optimize_single));
    NTH_TRY(floats(&n->theta, n->P, "parameters"));
    NTH_TRY(floats(&n->gradient, n->P, "gradient"));
    NTH_TRY(floats(&n->images, B * X.cols, "images of a batch"));
    NTH_TRY(floats(&n->top, B * n->features, "last map"));
    NTH_TRY(floats(&n->dtop, B * n->features, "gradient in the last map"));
    NTH_TRY(floats(&n->f, B * cfg->outputs, "outputs"));
    NTH_TRY(floats(&n->r, B * cfg->outputs, "residuals"));
    NTH_TRY(nth_priv_alloc(&n->order, X.rows, sizeof *n->order, "order of inputs"));
    NTH_TRY(nth_priv_convs_create(&n->convs, &(nth_convs_shape){ .batch = B, .channels = cfg->channels, .height = cfg->height,
                                                                 .width = cfg->width, .convs = cfg->convs, .filters = n->cfg.filters,
                                                                 .strides = n->cfg.strides }));
    initialize(n);
    *out = n, n = NULL;
done:
    nth_cnn_destroy(&n);
    return st;
}

void nth_cnn_destroy(nth_cnn **cnn)
{
    nth_cnn *n = *cnn;
    if (n == NULL) return;
    nth_priv_convs_destroy(&n->convs);
    nth_optimizer_destroy(&n->rule);
    nth_priv_free(n->theta), nth_priv_free(n->gradient), nth_priv_free(n->images), nth_priv_free(n->top), nth_priv_free(n->dtop);
    nth_priv_free(n->f), nth_priv_free(n->r), nth_priv_free(n->order);
    nth_priv_free(n);
    *cnn = NULL;
}

/* ---- Passes over a batch ------------------------------------------------------------------------- */

static nth_smat view(float *a, ptrdiff_t rows, ptrdiff_t cols) { return (nth_smat){ .a = a, .rows = rows, .cols = cols, .ld = cols }; }

static nth_csmat cview(const float *a, ptrdiff_t rows, ptrdiff_t cols) { return (nth_csmat){ .a = a, .rows = rows, .cols = cols, .ld = cols }; }

/* Outputs at `count` rows of X: those that `order` names, or the first ones. */
static nth_status forward(nth_cnn *n, nth_cmat X, const ptrdiff_t *order, ptrdiff_t count)
{
    nth_status      st = NTH_OK;
    const ptrdiff_t B = n->opt.batch, C = n->cfg.outputs, d = X.cols;
    const float    *b = n->theta + n->W + C * n->features;
#pragma omp parallel for schedule(static)
    for (ptrdiff_t i = 0; i < B; ++i) {
        const double *x = i < count ? X.a + (order != NULL ? order[i] : i) * X.ld : NULL;
        for (ptrdiff_t k = 0; k < d; ++k) n->images[i * d + k] = x != NULL ? (float)x[k] : 0.0f;
    }
    NTH_TRY(nth_priv_convs_forward(n->convs, n->top, n->theta, n->images));
    for (ptrdiff_t i = 0; i < B; ++i) memcpy(n->f + i * C, b, (size_t)C * sizeof *b);
    NTH_TRY(nth_gemm_single(1.0, NTH_N, cview(n->top, B, n->features), NTH_T, cview(n->theta + n->W, C, n->features), 1.0, view(n->f, B, C)));
done:
    return st;
}

/* Residuals of the batch just passed, dLoss/df = (f - y) / weight; returns sum |f - y|^2 / 2 weight. */
static double residuals(nth_cnn *n, const ptrdiff_t *order, ptrdiff_t count, ptrdiff_t weight)
{
    const ptrdiff_t C = n->cfg.outputs;
    double          loss = 0.0;
    memset(n->r, 0, (size_t)(n->opt.batch * C) * sizeof *n->r);
    for (ptrdiff_t i = 0; i < count; ++i)
        for (ptrdiff_t c = 0; c < C; ++c) {
            const double e = (double)n->f[i * C + c] - n->Y.a[order[i] * n->Y.ld + c];
            loss += 0.5 * e * e / (double)weight;
            n->r[i * C + c] = (float)(e / (double)weight);
        }
    return loss;
}

static nth_status backward(nth_cnn *n)
{
    nth_status      st = NTH_OK;
    const ptrdiff_t B = n->opt.batch, C = n->cfg.outputs, D = n->features;
    float          *g = n->gradient + n->W;
    NTH_TRY(nth_gemm_single(1.0, NTH_N, cview(n->r, B, C), NTH_N, cview(n->theta + n->W, C, D), 0.0, view(n->dtop, B, D)));
    NTH_TRY(nth_gemm_single(1.0, NTH_T, cview(n->r, B, C), NTH_N, cview(n->top, B, D), 0.0, view(g, C, D)));
    for (ptrdiff_t c = 0; c < C; ++c) {
        double sum = 0.0;
        for (ptrdiff_t i = 0; i < B; ++i) sum += (double)n->r[i * C + c];
        g[C * D + c] = (float)sum;
    }
    NTH_TRY(nth_priv_convs_backward(n->convs, n->gradient, n->dtop));
done:
    return st;
}

static ptrdiff_t count_of(const nth_cnn *n, ptrdiff_t first)
{
    return n->X.rows - first < n->opt.batch ? n->X.rows - first : n->opt.batch;
}

/* ---- Training ------------------------------------------------------------------------------------ */

nth_status nth_cnn_epoch(nth_cnn *n)
{
    nth_status st = NTH_OK;
    const long epoch = n->steps / (long)n->batches;
    if (n->ordered != epoch) nth_optimize_order(n->order, n->X.rows, n->opt.seed, n->opt.run, epoch);
    n->ordered = epoch;
    do {
        const ptrdiff_t  batch = (ptrdiff_t)(n->steps % (long)n->batches), first = batch * n->opt.batch, count = count_of(n, first);
        const ptrdiff_t *order = n->order + first;
        NTH_REQUIRE(n->opt.interrupted == NULL || !n->opt.interrupted(n->opt.ctx), NTH_E_INTERRUPTED, "interrupted");
        NTH_TRY(forward(n, n->X, order, count));
        const double loss = residuals(n, order, count, count);
        NTH_REQUIRE(isfinite(loss), NTH_E_NUMERIC, "epoch %ld, batch %td: the loss is not finite; epoch %ld was the last good one", epoch + 1,
                    batch + 1, epoch);
        NTH_TRY(backward(n));
        nth_priv_optimizer_step(n->rule, n->theta, n->gradient);
        ++n->steps;
        if (n->opt.progress != NULL) n->opt.progress(batch + 1, loss, n->opt.ctx);
    } while (n->steps % (long)n->batches != 0);
done:
    return st;
}

long nth_cnn_steps(const nth_cnn *cnn) { return cnn->steps; }

nth_status nth_cnn_outputs(nth_cnn *n, nth_mat F, nth_cmat X)
{
    nth_status      st = NTH_OK;
    const ptrdiff_t C = n->cfg.outputs, B = n->opt.batch;
    NTH_REQUIRE(F.rows == X.rows && F.cols == C, NTH_E_SHAPE, "outputs are %td x %td; %td x %td are expected", F.rows, F.cols, X.rows, C);
    NTH_REQUIRE(X.rows == 0 || X.cols == n->X.cols, NTH_E_SHAPE, "inputs have %td columns, the network expects %td", X.cols, n->X.cols);
    for (ptrdiff_t first = 0; first < X.rows; first += B) {
        const ptrdiff_t count = X.rows - first < B ? X.rows - first : B;
        NTH_TRY(forward(n, nth_cblock(X, first, 0, count, X.cols), NULL, count));
        for (ptrdiff_t i = 0; i < count; ++i)
            for (ptrdiff_t c = 0; c < C; ++c) F.a[(first + i) * F.ld + c] = (double)n->f[i * C + c];
    }
done:
    return st;
}

nth_status nth_cnn_gradient(nth_cnn *n, double *g, double *loss)
{
    nth_status st = NTH_OK;
    double     sum = 0.0;
    for (ptrdiff_t i = 0; i < n->X.rows; ++i) n->order[i] = i;
    n->ordered = -1;
    memset(g, 0, (size_t)n->P * sizeof *g);
    for (ptrdiff_t first = 0; first < n->X.rows; first += n->opt.batch) {
        NTH_TRY(forward(n, n->X, n->order + first, count_of(n, first)));
        sum += residuals(n, n->order + first, count_of(n, first), n->X.rows);
        NTH_TRY(backward(n));
        for (ptrdiff_t p = 0; p < n->P; ++p) g[p] += (double)n->gradient[p];
    }
    NTH_REQUIRE(isfinite(sum), NTH_E_NUMERIC, "the loss is not finite");
    if (loss != NULL) *loss = sum;
done:
    return st;
}

/* ---- What is kept -------------------------------------------------------------------------------- */

void nth_cnn_get_state(const nth_cnn *n, double *state)
{
    const float *part[3] = { n->theta, n->rule->m, n->rule->v };
    for (int k = 0; k < 3; ++k)
        for (ptrdiff_t p = 0; p < n->P; ++p) state[k * n->P + p] = part[k] != NULL ? (double)part[k][p] : 0.0;
}

nth_status nth_cnn_set_state(nth_cnn *n, const double *state, long steps)
{
    nth_status st = NTH_OK;
    float     *part[3] = { n->theta, n->rule->m, n->rule->v };
    NTH_REQUIRE(steps >= 0, NTH_E_ARG, "%ld steps; must be >= 0", steps);
    for (ptrdiff_t p = 0; p < 3 * n->P; ++p)
        NTH_REQUIRE(fabs(state[p]) <= (double)FLT_MAX, NTH_E_NUMERIC, "state: entry %td is %g, a finite float is expected", p, state[p]);
    for (int k = 0; k < 3; ++k)
        for (ptrdiff_t p = 0; p < n->P && part[k] != NULL; ++p) part[k][p] = (float)state[k * n->P + p];
    n->steps = n->rule->steps = steps;
done:
    return st;
}
