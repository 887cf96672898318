/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Infinite-width kernels of fully connected networks (E52-E54), one tile at a time: a product of inputs
 * gives the covariances of the first layer, then each row of the tile goes through the layers.
 *
 * Activations that are straight on both sides of 0 (relu, leaky relu, abs, linear) have a corner at
 * angle 0, so R - k and R + k are carried from layer to layer in place of k (loops_priv.h); at the
 * first layer, where R - k or R + k nearly cancels, it is taken from the part of z orthogonal to x.
 * Other closed forms need k alone; activations without one are Hermite series (dual_priv.h).
 */
#include "alloc_priv.h"
#include "dual_priv.h"
#include "fail_priv.h"
#include "infinite_priv.h"
#include "linalg_priv.h"
#include "loops_priv.h"

#include <math.h>

enum { EDGE = 1024, CHUNK = 256 }; /* pairs of a row that go through all layers at a time */
static const double LEAST_VARIANCE = 1e-140;
static const double NEARLY_PARALLEL = 0.995; /* cosine; beyond, R - k would cost two digits or more */

typedef struct fc {
    nth_fc_config cfg;
    nth_cmat      X, X_test;
    double        c1;                       /* first-layer factor, E1 */
    double       *q[NTH_MAX_LAYERS];        /* (N, padded) variances at layer l + 1; their roots if straight */
    nth_series   *series[NTH_MAX_LAYERS];   /* without a closed form */
    bool          straight;
} fc;

static void fc_destroy(void *self)
{
    fc *a = self;
    for (int l = 0; l < NTH_MAX_LAYERS; ++l) {
        nth_priv_free(a->q[l]);
        nth_series_destroy(&a->series[l]);
    }
    nth_priv_free(a);
}

/* ---- First layer -------------------------------------------------------------------------------- */

/* Rows [first, first + count) of the points, cut where training points end: at most two parts. */
static nth_cmat points(const fc *a, ptrdiff_t first, ptrdiff_t count, ptrdiff_t *taken)
{
    const ptrdiff_t n = a->X.rows;
    const bool      train = first < n;
    *taken = train && first + count > n ? n - first : count;
    return nth_cblock(train ? a->X : a->X_test, train ? first : first - n, 0, *taken, a->X.cols);
}

static nth_status products(const fc *a, const nth_tile *t, nth_mat G)
{
    nth_status   st = NTH_OK;
    const double c2 = a->c1 * a->c1;
    ptrdiff_t    r, c;
    const nth_cmat all = points(a, t->row, t->rows, &r);
    if (t->lower && r == t->rows) {
        NTH_TRY(nth_gram(c2, all, 0.0, G));
        return st;
    }
    for (ptrdiff_t i = 0; i < t->rows; i += r) {
        const nth_cmat A = points(a, t->row + i, t->rows - i, &r);
        for (ptrdiff_t j = 0; j < t->cols; j += c) {
            const nth_cmat B = points(a, t->col + j, t->cols - j, &c);
            NTH_TRY(nth_gemm(c2, NTH_N, A, NTH_T, B, 0.0, nth_block(G, i, j, r, c)));
        }
    }
done:
    return st;
}

/* q1 q2 - k^2 of two nearly parallel inputs, from the part of z orthogonal to x. */
static double orthogonal(const fc *a, ptrdiff_t i, ptrdiff_t j, double q1, double k)
{
    const double *x = nth_priv_point(a->X, a->X_test, i), *z = nth_priv_point(a->X, a->X_test, j);
    const double  t = k / q1, b = a->cfg.sigma_b * (1.0 - t);
    double        rest = 0.0;
    for (ptrdiff_t e = 0; e < a->X.cols; ++e) {
        const double y = a->c1 * (z[e] - t * x[e]);
        rest += y * y;
    }
    return q1 * (rest + b * b);
}

static void corner(const fc *a, ptrdiff_t i, ptrdiff_t j, double k, double *minus, double *plus)
{
    const double r1 = a->q[0][i], R = r1 * a->q[0][j];
    *minus = fmax(R - k, 0.0), *plus = fmax(R + k, 0.0);
    if (i == j) *minus = 0.0, *plus = 2.0 * R;
    else if (R > 0.0 && fabs(k) > NEARLY_PARALLEL * R) {
        const double s2 = orthogonal(a, i, j, r1 * r1, k);
        if (k > 0.0) *minus = s2 / *plus;
        else *plus = s2 / *minus;
    }
}

/* ---- The layers --------------------------------------------------------------------------------- */

/* Covariances k of point i with points j0 .. j0 + n; k and Theta receive those of the last layer. */
static void straight_chunk(const fc *a, ptrdiff_t i, ptrdiff_t j0, ptrdiff_t n, double *k, double *Theta)
{
    _Alignas(64) double minus[CHUNK], plus[CHUNK];
    const nth_dual     *act = &a->cfg.activation;
    const ptrdiff_t     padded = (n + NTH_GROUP - 1) / NTH_GROUP * NTH_GROUP;
    nth_arc_layer       layer = { .w2 = a->cfg.sigma_w * a->cfg.sigma_w, .b2 = a->cfg.sigma_b * a->cfg.sigma_b,
                                  .c0 = 0.5 * (act->a * act->a + act->b * act->b),
                                  .c1 = (act->a - act->b) * (act->a - act->b),
                                  .h = 0.5 * (act->a + act->b) * (act->a + act->b), .ab = act->a * act->b };
    for (ptrdiff_t j = 0; j < n; ++j) {
        corner(a, i, j0 + j, k[j], &minus[j], &plus[j]);
        Theta[j] = k[j];
    }
    for (ptrdiff_t j = n; j < padded; ++j) minus[j] = plus[j] = Theta[j] = 0.0;
    for (int l = 0; l < a->cfg.layers - 1; ++l) {
        layer.r1 = a->q[l][i], layer.r2 = a->q[l] + j0;
        nth_priv_loops()->arc_layer(&layer, minus, plus, Theta, k, padded);
    }
}

static void smooth_chunk(const fc *a, ptrdiff_t i, ptrdiff_t j0, ptrdiff_t n, double *k, double *Theta)
{
    double       S[CHUNK], Sdot[CHUNK];
    const double w2 = a->cfg.sigma_w * a->cfg.sigma_w, b2 = a->cfg.sigma_b * a->cfg.sigma_b;
    for (ptrdiff_t j = 0; j < n; ++j) Theta[j] = k[j];
    for (int l = 0; l < a->cfg.layers - 1; ++l) {
        if (a->series[l] != NULL) nth_series_row(a->series[l], i, j0, n, k, S, Sdot);
        else nth_priv_dual_row(&a->cfg.activation, a->q[l][i], a->q[l] + j0, k, n, S, Sdot);
        for (ptrdiff_t j = 0; j < n; ++j) {
            k[j] = w2 * S[j] + b2;
            Theta[j] = k[j] + w2 * Sdot[j] * Theta[j];
        }
    }
}

static nth_status fc_tile(const void *self, const nth_tile *t)
{
    nth_status    st = NTH_OK;
    const fc     *a = self;
    const nth_mat G = t->Theta.a != NULL ? t->Theta : t->Sigma;
    const double  b2 = a->cfg.sigma_b * a->cfg.sigma_b;
    NTH_TRY(products(a, t, G));
#pragma omp parallel for schedule(dynamic, 16)
    for (ptrdiff_t i = 0; i < t->rows; ++i)
        for (ptrdiff_t j0 = 0; j0 < (t->lower ? i + 1 : t->cols); j0 += CHUNK) {
            _Alignas(64) double k[CHUNK], Theta[CHUNK];
            const ptrdiff_t     left = (t->lower ? i + 1 : t->cols) - j0, n = left < CHUNK ? left : CHUNK;
            for (ptrdiff_t j = 0; j < n; ++j) {
                const bool same = t->row + i == t->col + j0 + j;
                const double r = a->q[0][t->row + i];
                k[j] = same ? (a->straight ? r * r : r) : G.a[i * G.ld + j0 + j] + b2;
            }
            (a->straight ? straight_chunk : smooth_chunk)(a, t->row + i, t->col + j0, n, k, Theta);
            for (ptrdiff_t j = 0; j < n; ++j) {
                if (t->Theta.a != NULL) t->Theta.a[i * t->Theta.ld + j0 + j] = Theta[j];
                if (t->Sigma.a != NULL) t->Sigma.a[i * t->Sigma.ld + j0 + j] = k[j];
            }
        }
done:
    return st;
}

/* ---- Variances of the points -------------------------------------------------------------------- */

static nth_status config_check(const nth_fc_config *cfg)
{
    nth_status st = NTH_OK;
    NTH_REQUIRE(cfg->layers >= 1 && cfg->layers <= NTH_MAX_LAYERS, NTH_E_ARG, "%d weight layers; expected 1..%d",
                cfg->layers, NTH_MAX_LAYERS);
    NTH_REQUIRE(isfinite(cfg->sigma_w) && cfg->sigma_w > 0.0 && isfinite(cfg->sigma_b) && cfg->sigma_b >= 0.0,
                NTH_E_ARG, "sigma_w = %g, sigma_b = %g; expected > 0 and >= 0", cfg->sigma_w, cfg->sigma_b);
    NTH_REQUIRE(cfg->input_scale == NTH_INPUT_FAN_IN || cfg->input_scale == NTH_INPUT_ONE, NTH_E_ARG,
                "input scale %d", (int)cfg->input_scale);
    NTH_REQUIRE(isfinite(cfg->tolerance) && cfg->tolerance >= 0.0, NTH_E_ARG, "tolerance %g; expected >= 0",
                cfg->tolerance);
    NTH_TRY(nth_priv_dual_check(&cfg->activation));
done:
    return st;
}

/* Products of two variances and of their roots must stay within double precision. */
static nth_status variance_check(double q, ptrdiff_t point, int layer)
{
    nth_status st = NTH_OK;
    NTH_REQUIRE(q == 0.0 || (q >= LEAST_VARIANCE && q < NTH_DUAL_MAX_VARIANCE), NTH_E_NUMERIC,
                "input %td has variance %g at layer %d; 0 or %g to %g is within range: scale the inputs or sigma_w", point,
                q, layer, LEAST_VARIANCE, NTH_DUAL_MAX_VARIANCE);
done:
    return st;
}

/* Variances of layer l + 2 from those of layer l + 1, making the series on the way. */
static nth_status next_variances(fc *a, int l, ptrdiff_t N, double *error)
{
    nth_status    st = NTH_OK;
    const double  w2 = a->cfg.sigma_w * a->cfg.sigma_w, b2 = a->cfg.sigma_b * a->cfg.sigma_b;
    const double *q = a->q[l];
    double       *S = a->q[l + 1], here = 0.0;
    const double  tol = a->cfg.tolerance > 0.0 ? a->cfg.tolerance : 1e-12;
    if (nth_dual_has_closed_form(&a->cfg.activation))
        for (ptrdiff_t i = 0; i < N; ++i) S[i] = nth_priv_dual_variance(&a->cfg.activation, q[i]);
    else NTH_TRY(nth_series_create(&a->series[l], &a->cfg.activation, q, N, tol, &here, S));
    *error = fmax(*error, here);
    for (ptrdiff_t i = 0; i < N; ++i) S[i] = w2 * S[i] + b2;
    for (ptrdiff_t i = 0; i < N; ++i)
        NTH_TRY(variance_check(S[i], i, l + 2));
done:
    return st;
}

static nth_status variances(fc *a, double *error)
{
    nth_status      st = NTH_OK;
    const ptrdiff_t N = a->X.rows + a->X_test.rows;
    const double    c2 = a->c1 * a->c1, b2 = a->cfg.sigma_b * a->cfg.sigma_b;
    for (int l = 0; l < a->cfg.layers; ++l)
        NTH_TRY(nth_priv_doubles(&a->q[l], N + NTH_GROUP, "variances of the points"));
    for (ptrdiff_t i = 0; i < N; ++i) {
        const double *x = nth_priv_point(a->X, a->X_test, i);
        a->q[0][i] = c2 * nth_dot(x, x, a->X.cols) + b2;
        NTH_TRY(variance_check(a->q[0][i], i, 1));
    }
    for (int l = 0; l + 1 < a->cfg.layers; ++l) NTH_TRY(next_variances(a, l, N, error));
    for (int l = 0; a->straight && l < a->cfg.layers; ++l)
        for (ptrdiff_t i = 0; i < N; ++i) a->q[l][i] = sqrt(a->q[l][i]);
done:
    return st;
}

nth_status nth_infinite_create_fc(nth_infinite **K, const nth_fc_config *cfg, nth_cmat X, nth_cmat X_test)
{
    static const nth_architecture arch = { .tile = fc_tile, .destroy = fc_destroy };
    nth_status                    st = NTH_OK;
    fc                           *a = NULL;
    double                        error = 0.0;
    *K = NULL;
    NTH_TRY(config_check(cfg));
    NTH_REQUIRE(X.cols >= 1, NTH_E_SHAPE, "inputs have 0 columns; at least 1 is expected");
    NTH_TRY(nth_priv_points_check(X, X_test, X.cols));
    NTH_TRY(nth_priv_alloc(&a, 1, sizeof *a, "fully connected kernel"));
    a->cfg = *cfg, a->X = X, a->X_test = X_test;
    a->straight = cfg->activation.kind == NTH_DUAL_PIECEWISE;
    a->c1 = cfg->input_scale == NTH_INPUT_ONE ? cfg->sigma_w : cfg->sigma_w / sqrt((double)X.cols);
    NTH_TRY(variances(a, &error));
    fc *given = a;
    a = NULL;
    NTH_TRY(nth_priv_infinite_create(K, &arch, given, X.rows, X_test.rows));
    (*K)->edge = EDGE, (*K)->error = error;
done:
    if (a != NULL) fc_destroy(a);
    return st;
}
