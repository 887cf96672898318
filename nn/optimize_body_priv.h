/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Forward pass, backward pass and update rules on a batch (E2, E8, E111, E112), for the precision REAL:
 * compiled by optimize_double.c and optimize_single.c. Parameters lie in one vector, copy by copy and
 * layer by layer, W^l then b^l. Gradients of weights are formed tile by tile and used at once, by the
 * thread that made them: nothing of the size of the parameters is written for them.
 */
#include "optimize_priv.h"
#include "alloc_priv.h"
#include "fail_priv.h"
#include "linalg_priv.h"
#include "par_priv.h"

#include <math.h>
#include <string.h>

enum { SEGMENT = 512 }; /* entries at a time in loops over a matrix */
enum { SHARED_MIN = 1 << 15 }; /* entries from which a loop is shared by threads */

typedef struct state {
    nth_net_config cfg;
    int            copies, threads;
    double         out_scale[2];
    ptrdiff_t      capacity, rows;                /* room; rows of the last forward pass */
    ptrdiff_t      W[2][NTH_MAX_LAYERS], b[2][NTH_MAX_LAYERS]; /* [copy][l-1] where they start in theta */
    REAL          *theta;
    REAL          *input;                         /* (capacity x d) */
    REAL          *x[2][NTH_MAX_LAYERS];          /* [copy][l-1] (capacity x p_l): sigma(h), the output for l = L */
    REAL          *slope[2][NTH_MAX_LAYERS];      /* the same shape, l < L: sigma'(h) */
    REAL          *d[2][NTH_MAX_LAYERS];          /* Delta^l times dLoss/df */
    REAL          *tiles;                         /* one for each thread */
} state;

static REAL_MAT view(REAL *a, ptrdiff_t rows, ptrdiff_t cols)
{
    return (REAL_MAT){ .a = a, .rows = rows, .cols = cols, .ld = cols };
}

/* The r x c block of a contiguous rows x cols array whose first entry is (i,j). */
static REAL_CMAT block(const REAL *a, ptrdiff_t cols, ptrdiff_t i, ptrdiff_t j, ptrdiff_t r, ptrdiff_t c)
{
    return (REAL_CMAT){ .a = a + i * cols + j, .rows = r, .cols = c, .ld = cols };
}

static ptrdiff_t least(ptrdiff_t a, ptrdiff_t b) { return a < b ? a : b; }

/* What layer l takes as inputs. */
static REAL *below(const state *s, int copy, int l) { return l == 1 ? s->input : s->x[copy][l - 2]; }

/* ---- The update rules ---------------------------------------------------------------------------- */

static void update(const nth_optimizer *rule, void *parameters, const void *gradient, ptrdiff_t first, ptrdiff_t count)
{
    REAL *restrict theta = parameters;
    const REAL *restrict g = gradient;
    REAL *restrict m = (REAL *)rule->m + (rule->m != NULL ? first : 0);
    REAL *restrict v = (REAL *)rule->v + (rule->v != NULL ? first : 0);
    const nth_optimizer_options *o = &rule->opt;
    const REAL rate = (REAL)rule->rate, mu = (REAL)o->momentum;
    const REAL b1 = (REAL)o->beta1, c1 = (REAL)(1.0 - o->beta1), b2 = (REAL)o->beta2, c2 = (REAL)(1.0 - o->beta2);
    const REAL spread = (REAL)rule->spread, epsilon = (REAL)o->epsilon;
    if (o->kind == NTH_OPTIMIZER_ADAM) {
        for (ptrdiff_t i = 0; i < count; ++i) {
            m[i] = b1 * m[i] + c1 * g[i];
            v[i] = b2 * v[i] + c2 * (g[i] * g[i]);
            theta[i] -= rate * m[i] / (REAL_SQRT(v[i]) * spread + epsilon);
        }
    } else if (m != NULL) {
        for (ptrdiff_t i = 0; i < count; ++i) {
            m[i] = mu * m[i] + g[i];
            theta[i] -= rate * m[i];
        }
    } else {
        for (ptrdiff_t i = 0; i < count; ++i) theta[i] -= rate * g[i];
    }
}

/* ---- Set-up -------------------------------------------------------------------------------------- */

static void destroy(void **out)
{
    state *s = *out;
    if (s == NULL) return;
    nth_priv_free(s->theta);
    nth_priv_free(s->input);
    nth_priv_free(s->tiles);
    for (int c = 0; c < 2; ++c)
        for (int l = 0; l < NTH_MAX_LAYERS; ++l) {
            nth_priv_free(s->x[c][l]);
            nth_priv_free(s->slope[c][l]);
            nth_priv_free(s->d[c][l]);
        }
    nth_priv_free(s);
    *out = NULL;
}

static nth_status reals(REAL **out, ptrdiff_t count, const char *what)
{
    return nth_priv_alloc(out, count, sizeof(REAL), what);
}

/* Copies parameters from net to theta, or back. */
static void exchange(const state *s, const nth_net *net, bool to_net)
{
    for (int c = 0; c < s->copies; ++c)
        for (int l = 0; l < s->cfg.layers; ++l) {
            const nth_mat   W = net->W[c][l];
            double         *part[2] = { W.a, net->b[c][l] };
            const ptrdiff_t count[2] = { W.rows * W.cols, part[1] != NULL ? W.rows : 0 };
            REAL           *theta[2] = { s->theta + s->W[c][l], s->theta + s->b[c][l] };
            for (int k = 0; k < 2; ++k)
#pragma omp parallel for schedule(static) if (count[k] > SHARED_MIN)
                for (ptrdiff_t i = 0; i < count[k]; ++i) {
                    if (to_net) part[k][i] = (double)theta[k][i];
                    else theta[k][i] = (REAL)part[k][i];
                }
        }
}

static nth_status create(void **out, const nth_net *net, ptrdiff_t batch)
{
    nth_status            st = NTH_OK;
    void                 *made = NULL;
    state                *s;
    const nth_net_config *cfg = &net->cfg;
    ptrdiff_t             at = 0;
    NTH_TRY(nth_priv_alloc(&made, 1, sizeof *s, "training"));
    s = made;
    s->cfg = *cfg, s->copies = net->copies, s->capacity = batch, s->threads = nth_priv_threads();
    memcpy(s->out_scale, net->out_scale, sizeof s->out_scale);
    for (int c = 0; c < s->copies; ++c)
        for (int l = 1; l <= cfg->layers; ++l) {
            const ptrdiff_t p = cfg->widths[l], q = cfg->widths[l - 1];
            s->W[c][l - 1] = at, at += p * q;
            s->b[c][l - 1] = at, at += cfg->sigma_b > 0.0 ? p : 0;
            NTH_TRY(reals(&s->x[c][l - 1], batch * p, "activations"));
            NTH_TRY(reals(&s->d[c][l - 1], batch * p, "backward signals"));
            if (l < cfg->layers) NTH_TRY(reals(&s->slope[c][l - 1], batch * p, "derivatives of activations"));
        }
    NTH_TRY(reals(&s->theta, at, "parameters"));
    NTH_TRY(reals(&s->input, batch * cfg->widths[0], "inputs of a batch"));
    NTH_TRY(reals(&s->tiles, s->threads * NTH_OPTIMIZE_TILE_ROWS * NTH_OPTIMIZE_TILE_COLS, "tiles of a gradient"));
    exchange(s, net, false);
    *out = made, made = NULL;
done:
    destroy(&made);
    return st;
}

static void store(nth_net *net, const void *from) { exchange(from, net, true); }

/* ---- Forward ------------------------------------------------------------------------------------- */

static void gather(state *s, nth_cmat X, const ptrdiff_t *order)
{
    const ptrdiff_t d = X.cols;
#pragma omp parallel for schedule(static) if (s->rows * d > SHARED_MIN)
    for (ptrdiff_t i = 0; i < s->rows; ++i) {
        const double *x = X.a + (order != NULL ? order[i] : i) * X.ld;
        for (ptrdiff_t k = 0; k < d; ++k) s->input[i * d + k] = (REAL)x[k];
    }
}

/* Adds the biases to products; below the last layer, h becomes sigma(h) beside sigma'(h). */
static void activate(state *s, int copy, int l)
{
    const ptrdiff_t p = s->cfg.widths[l], segments = (p + SEGMENT - 1) / SEGMENT;
    const double    sb = s->cfg.sigma_b;
    const REAL     *bias = s->theta + s->b[copy][l - 1];
#pragma omp parallel for schedule(static) if (s->rows * p > SHARED_MIN)
    for (ptrdiff_t q = 0; q < s->rows * segments; ++q) {
        const ptrdiff_t first = q % segments * SEGMENT, count = least(SEGMENT, p - first), at = q / segments * p + first;
        REAL           *x = s->x[copy][l - 1] + at;
        double          h[SEGMENT], out[2 * SEGMENT];
        for (ptrdiff_t k = 0; k < count; ++k) h[k] = (double)x[k] + (sb > 0.0 ? sb * (double)bias[first + k] : 0.0);
        if (l == s->cfg.layers) {
            for (ptrdiff_t k = 0; k < count; ++k) x[k] = (REAL)h[k];
            continue;
        }
        nth_activation_eval(s->cfg.activation, 1, h, count, out, SEGMENT);
        for (ptrdiff_t k = 0; k < count; ++k) x[k] = (REAL)out[k];
        for (ptrdiff_t k = 0; k < count; ++k) s->slope[copy][l - 1][at + k] = (REAL)out[SEGMENT + k];
    }
}

static nth_status forward(void *training, double *f, nth_cmat X, const ptrdiff_t *order, ptrdiff_t count)
{
    nth_status st = NTH_OK;
    state     *s = training;
    const int  L = s->cfg.layers;
    s->rows = count;
    gather(s, X, order);
    for (int c = 0; c < s->copies; ++c)
        for (int l = 1; l <= L; ++l) {
            const ptrdiff_t p = s->cfg.widths[l], q = s->cfg.widths[l - 1];
            NTH_TRY(REAL_GEMM(nth_net_factor(&s->cfg, l), NTH_N, block(below(s, c, l), q, 0, 0, count, q), NTH_T,
                              block(s->theta + s->W[c][l - 1], q, 0, 0, p, q), 0.0, view(s->x[c][l - 1], count, p)));
            activate(s, c, l);
        }
    for (ptrdiff_t i = 0; i < count * s->cfg.widths[L]; ++i) {
        f[i] = 0.0;
        for (int c = 0; c < s->copies; ++c) f[i] += s->out_scale[c] * (double)s->x[c][L - 1][i];
    }
done:
    return st;
}

/* ---- Backward ------------------------------------------------------------------------------------ */

static nth_status deltas(state *s, int copy, const double *r)
{
    nth_status      st = NTH_OK;
    const ptrdiff_t n = s->rows;
    for (ptrdiff_t i = 0; i < n * s->cfg.widths[s->cfg.layers]; ++i) s->d[copy][s->cfg.layers - 1][i] = (REAL)(s->out_scale[copy] * r[i]);
    for (int l = s->cfg.layers - 1; l >= 1; --l) {
        const ptrdiff_t p = s->cfg.widths[l], above = s->cfg.widths[l + 1];
        REAL           *d = s->d[copy][l - 1];
        const REAL     *slope = s->slope[copy][l - 1];
        NTH_TRY(REAL_GEMM(nth_net_factor(&s->cfg, l + 1), NTH_N, block(s->d[copy][l], above, 0, 0, n, above), NTH_N,
                          block(s->theta + s->W[copy][l], p, 0, 0, above, p), 0.0, view(d, n, p)));
#pragma omp parallel for schedule(static) if (n * p > SHARED_MIN)
        for (ptrdiff_t i = 0; i < n * p; ++i) d[i] *= slope[i];
    }
done:
    return st;
}

/* Entries of the gradient from `first` on: a step, or into g. */
static void use(state *s, const REAL *part, ptrdiff_t first, ptrdiff_t count, const nth_optimizer *rule, double *g)
{
    if (g == NULL) update(rule, s->theta + first, part, first, count);
    else
        for (ptrdiff_t k = 0; k < count; ++k) g[first + k] = (double)part[k];
}

static nth_status weights(state *s, int copy, int l, const nth_optimizer *rule, double *g)
{
    nth_status      st = NTH_OK;
    const ptrdiff_t p = s->cfg.widths[l], q = s->cfg.widths[l - 1], n = s->rows;
    const ptrdiff_t down = (p + NTH_OPTIMIZE_TILE_ROWS - 1) / NTH_OPTIMIZE_TILE_ROWS;
    const ptrdiff_t across = (q + NTH_OPTIMIZE_TILE_COLS - 1) / NTH_OPTIMIZE_TILE_COLS;
    int             failures = 0;
#pragma omp parallel for schedule(dynamic, 1) num_threads(s->threads) if (down * across > 1) reduction(+ : failures)
    for (ptrdiff_t t = 0; t < down * across; ++t) {
        const ptrdiff_t i = t / across * NTH_OPTIMIZE_TILE_ROWS, j = t % across * NTH_OPTIMIZE_TILE_COLS;
        const ptrdiff_t r = least(NTH_OPTIMIZE_TILE_ROWS, p - i), c = least(NTH_OPTIMIZE_TILE_COLS, q - j);
        REAL *tile = s->tiles + (ptrdiff_t)nth_priv_thread() * NTH_OPTIMIZE_TILE_ROWS * NTH_OPTIMIZE_TILE_COLS;
        failures += REAL_GEMM(nth_net_factor(&s->cfg, l), NTH_T, block(s->d[copy][l - 1], p, 0, i, n, r), NTH_N,
                              block(below(s, copy, l), q, 0, j, n, c), 0.0, view(tile, r, c)) != NTH_OK;
        for (ptrdiff_t k = 0; k < r; ++k) use(s, tile + k * c, s->W[copy][l - 1] + (i + k) * q + j, c, rule, g);
    }
    NTH_REQUIRE(failures == 0, NTH_E_RANGE, "gradient of layer %d: a dimension exceeds the BLAS integer", l);
done:
    return st;
}

static void biases(state *s, int copy, int l, const nth_optimizer *rule, double *g)
{
    const ptrdiff_t p = s->cfg.widths[l];
#pragma omp parallel for schedule(static) if (s->rows * p > SHARED_MIN)
    for (ptrdiff_t q = 0; q < (p + SEGMENT - 1) / SEGMENT; ++q) {
        const ptrdiff_t first = q * SEGMENT, count = least(SEGMENT, p - first);
        double          sum[SEGMENT] = { 0 };
        REAL            part[SEGMENT];
        for (ptrdiff_t i = 0; i < s->rows; ++i)
            for (ptrdiff_t k = 0; k < count; ++k) sum[k] += (double)s->d[copy][l - 1][i * p + first + k];
        for (ptrdiff_t k = 0; k < count; ++k) part[k] = (REAL)(s->cfg.sigma_b * sum[k]);
        use(s, part, s->b[copy][l - 1] + first, count, rule, g);
    }
}

/* The signals of all layers first: they need the weights before the step. */
static nth_status backward(void *training, const double *r, const nth_optimizer *rule, double *g)
{
    nth_status st = NTH_OK;
    state     *s = training;
    for (int c = 0; c < s->copies; ++c) NTH_TRY(deltas(s, c, r));
    for (int c = 0; c < s->copies; ++c)
        for (int l = 1; l <= s->cfg.layers; ++l) {
            if (nth_priv_frozen(&s->cfg, l)) continue;
            NTH_TRY(weights(s, c, l, rule, g));
            if (s->cfg.sigma_b > 0.0) biases(s, c, l, rule, g);
        }
done:
    return st;
}

const nth_optimize_ops NTH_OPTIMIZE_TABLE = { .real = sizeof(REAL), .update = update, .create = create, .destroy = destroy,
                                              .store = store, .forward = forward, .backward = backward };
