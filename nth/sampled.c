/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Sampled contraction of E K^(4) (sampled.h). With s = sigma(w.x) and so on, for one draw w:
 *
 *     p = x.X^T(alpha s'),  S = alpha.s,  N = |X^T(alpha s')|^2/2 + S^2/2
 *     a = x.X^T(s' W s),    b = x.X^T(s' W^T s),    h = x.X^T(s'' ((W o XX^T) s'))
 *
 *     T1 = sym[ (a s' + p^2/2 s'' + h s') s ] + (p s')(p s')
 *     T2 = 2 N s' s' + sym[ ((3 a + 2 b) s'' + kappa (h s'' + p^2/2 s''')) s' ] + kappa (p s'')(p s'')
 *     m K4 contracted = T1 + (x.x') T2,     kappa = E a^4
 *
 * where sym[u v] = u v' + u' v over the two inputs: E59 with slots 3 and 4 summed. Every line is a
 * product of matrices with the draws inside. Half the sum over i,j of anything symmetric is that of
 * alpha alpha^T (E33); a, b and h see all of W.
 */
#include "alloc_priv.h"
#include "fail_priv.h"
#include "linalg_priv.h"
#include "ntk_priv.h"
#include "nth/rng.h"
#include "nth/sampled.h"
#include "tally_priv.h"

#include <math.h>
#include <string.h>

enum { DRAWS = 512, LEAST_BATCHES = 20 }; /* draws of a batch at least; batches a standard error needs */
enum { SMOOTH_ROWS = 4 };                 /* sigma .. sigma''' */

/* One array (N x DRAWS) for each quantity, training rows first. */
typedef struct sampler {
    const nth_sampled_options *opt;
    nth_cmat                   W;
    const double              *alpha;
    ptrdiff_t                  n, k, N, d;
    double                     kappa, c1;   /* E a^4; first-layer factor */
    bool                       smooth;      /* sigma'' counts */
    nth_mat                    X;           /* (N x d), scaled by c1 */
    nth_mat                    WG;          /* (n x n) W o X X^T, smooth only */
    nth_mat                    w;           /* (DRAWS x d) */
    nth_mat                    s[SMOOTH_ROWS];
    nth_mat                    p, a, b, h, left, right;
    nth_mat                    G;           /* (N x n) x.x' with the training inputs */
    nth_mat                    corner;      /* (k x k) x.x' of the test inputs, if asked for */
    bool                       by_gram;     /* products with G are less work than those with X */
    nth_mat                    V, g;        /* (n x DRAWS), (d x DRAWS) */
    double                    *weight;      /* (DRAWS) 2 N */
    nth_blocks                 batch, other; /* T1, T2 of a batch; square ones as halves (add) */
} sampler;

static void sampler_free(sampler *r)
{
    nth_mat *owned[] = { &r->X, &r->WG, &r->w, &r->p, &r->a, &r->b, &r->h, &r->left, &r->right, &r->V, &r->g, &r->G,
                         &r->batch.train, &r->batch.test, &r->batch.test_test, &r->other.train, &r->other.test,
                         &r->other.test_test, &r->corner };
    for (size_t i = 0; i < sizeof owned / sizeof *owned; ++i) nth_priv_free(owned[i]->a);
    for (int i = 0; i < SMOOTH_ROWS; ++i) nth_priv_free(r->s[i].a);
    nth_priv_free(r->weight);
}

/* ---- One batch of draws ------------------------------------------------------------------------- */

/* sigma and its derivatives of all pre-activations. Draw j + DRAWS/2 is minus draw j. */
static nth_status draw(sampler *r, uint64_t first)
{
    nth_status      st = NTH_OK;
    const ptrdiff_t half = DRAWS / 2, total = r->N * DRAWS;
    nth_rand_normals(r->w.a, half * r->d, r->opt->seed, NTH_STREAM_NEURONS, 0, first * (uint64_t)r->d);
    for (ptrdiff_t e = 0; e < half * r->d; ++e) r->w.a[half * r->d + e] = -r->w.a[e];
    NTH_TRY(nth_gemm(1.0, NTH_N, nth_const(r->X), NTH_T, nth_const(r->w), 0.0, r->p));
    const ptrdiff_t block = 4096;
#pragma omp parallel for schedule(static)
    for (ptrdiff_t lo = 0; lo < total; lo += block) {
        double          values[SMOOTH_ROWS][4096];
        const ptrdiff_t n = total - lo < block ? total - lo : block;
        nth_activation_eval(r->opt->activation, r->smooth ? 3 : 1, r->p.a + lo, n, values[0], block);
        for (int q = 0; q < (r->smooth ? SMOOTH_ROWS : 2); ++q) memcpy(r->s[q].a + lo, values[q], (size_t)n * sizeof(double));
    }
done:
    return st;
}

/* out (N x DRAWS) <- x . X^T v for the training vectors v (n x DRAWS), by the Gram matrix where that is less work. */
static nth_status push(sampler *r, nth_mat out, nth_cmat v)
{
    nth_status st = NTH_OK;
    if (r->by_gram) return nth_gemm(1.0, NTH_N, nth_const(r->G), NTH_N, v, 0.0, out);
    NTH_TRY(nth_gemm(1.0, NTH_T, nth_cblock(nth_const(r->X), 0, 0, r->n, r->d), NTH_N, v, 0.0, r->g));
    NTH_TRY(nth_gemm(1.0, NTH_N, nth_const(r->X), NTH_N, nth_const(r->g), 0.0, out));
done:
    return st;
}

static void times(nth_mat out, nth_cmat by)
{
#pragma omp parallel for schedule(static)
    for (ptrdiff_t i = 0; i < out.rows; ++i)
        for (ptrdiff_t j = 0; j < out.cols; ++j) out.a[i * out.ld + j] *= by.a[i * by.ld + j];
}

static nth_cmat train_rows(const sampler *r, nth_mat A) { return nth_cblock(nth_const(A), 0, 0, r->n, DRAWS); }

/* p, a, b, h and the weights 2 N. */
static nth_status directions(sampler *r)
{
    nth_status st = NTH_OK;
    for (ptrdiff_t i = 0; i < r->n; ++i)
        for (ptrdiff_t j = 0; j < DRAWS; ++j) r->V.a[i * DRAWS + j] = r->alpha[i] * r->s[1].a[i * DRAWS + j];
    NTH_TRY(push(r, r->p, nth_const(r->V)));
    for (ptrdiff_t j = 0; j < DRAWS; ++j) {
        double S = 0.0, square = 0.0; /* |X^T(alpha s')|^2 = sum_i (alpha s')_i p_i */
        for (ptrdiff_t i = 0; i < r->n; ++i) {
            S += r->alpha[i] * r->s[0].a[i * DRAWS + j];
            square += r->V.a[i * DRAWS + j] * r->p.a[i * DRAWS + j];
        }
        r->weight[j] = S * S + square;
    }
    NTH_TRY(nth_gemm(1.0, NTH_N, r->W, NTH_N, train_rows(r, r->s[0]), 0.0, r->V));
    times(r->V, train_rows(r, r->s[1]));
    NTH_TRY(push(r, r->a, nth_const(r->V)));
    if (!r->smooth) return st;
    NTH_TRY(nth_gemm(1.0, NTH_T, r->W, NTH_N, train_rows(r, r->s[0]), 0.0, r->V));
    times(r->V, train_rows(r, r->s[1]));
    NTH_TRY(push(r, r->b, nth_const(r->V)));
    NTH_TRY(nth_gemm(1.0, NTH_N, nth_const(r->WG), NTH_N, train_rows(r, r->s[1]), 0.0, r->V));
    times(r->V, train_rows(r, r->s[2]));
    NTH_TRY(push(r, r->h, nth_const(r->V)));
done:
    return st;
}

/* K <- beta K + sym[A B] / DRAWS. Square blocks get half of it, A B^T or A A^T/2: finish() adds the
 * transpose of their sum. */
static nth_status add(const sampler *r, nth_blocks *K, nth_mat A, nth_mat B, double beta)
{
    nth_status     st = NTH_OK;
    const bool     same = A.a == B.a;
    const double   scale = 1.0 / DRAWS, half = same ? 0.5 * scale : scale;
    const nth_cmat a1 = nth_cblock(nth_const(A), 0, 0, r->n, DRAWS), b1 = nth_cblock(nth_const(B), 0, 0, r->n, DRAWS);
    const nth_cmat a2 = nth_cblock(nth_const(A), r->n, 0, r->k, DRAWS), b2 = nth_cblock(nth_const(B), r->n, 0, r->k, DRAWS);
    if (K->train.a != NULL) NTH_TRY(nth_gemm(half, NTH_N, a1, NTH_T, b1, beta, K->train));
    if (K->test_test.a != NULL) NTH_TRY(nth_gemm(half, NTH_N, a2, NTH_T, b2, beta, K->test_test));
    if (K->test.a == NULL) goto done;
    NTH_TRY(nth_gemm(scale, NTH_N, a2, NTH_T, b1, beta, K->test));
    if (!same) NTH_TRY(nth_gemm(scale, NTH_N, b2, NTH_T, a1, 1.0, K->test));
done:
    return st;
}

#define EACH(expression_left, expression_right)                                                    \
    do {                                                                                           \
        _Pragma("omp parallel for schedule(static)") for (ptrdiff_t i = 0; i < r->N; ++i)          \
            for (ptrdiff_t j = 0; j < DRAWS; ++j) {                                                \
                const ptrdiff_t e = i * DRAWS + j;                                                 \
                r->left.a[e] = (expression_left);                                                  \
                r->right.a[e] = (expression_right);                                                \
            }                                                                                      \
    } while (0)

/* T1 into batch, T2 into other. */
static nth_status contractions(sampler *r)
{
    nth_status    st = NTH_OK;
    const double *s = r->s[0].a, *s1 = r->s[1].a, *s2 = r->s[2].a, *s3 = r->s[3].a, *p = r->p.a, *a = r->a.a, *b = r->b.a,
                 *h = r->h.a, kappa = r->kappa, root = sqrt(kappa);
    if (r->smooth) EACH((a[e] + h[e]) * s1[e] + 0.5 * p[e] * p[e] * s2[e], s[e]);
    else EACH(a[e] * s1[e], s[e]);
    NTH_TRY(add(r, &r->batch, r->left, r->right, 0.0));
    EACH(p[e] * s1[e], 0.0);
    NTH_TRY(add(r, &r->batch, r->left, r->left, 1.0));
    if (!r->smooth) {
        EACH(0.5 * r->weight[j] * s1[e], s1[e]);
        return add(r, &r->other, r->left, r->right, 0.0);
    }
    EACH((3.0 * a[e] + 2.0 * b[e]) * s2[e] + kappa * (h[e] * s2[e] + 0.5 * p[e] * p[e] * s3[e]) + 0.5 * r->weight[j] * s1[e],
         s1[e]);
    NTH_TRY(add(r, &r->other, r->left, r->right, 0.0));
    EACH(root * p[e] * s2[e], 0.0);
    NTH_TRY(add(r, &r->other, r->left, r->left, 1.0));
done:
    return st;
}
#undef EACH

/* A <- w4 (A + A^T + X o (B + B^T)) of square matrices, tile by tile since half of it is read across rows. */
static void finish_square(nth_mat A, const double *b, const double *x, double w4)
{
    const ptrdiff_t n = A.rows, edge = 64;
#pragma omp parallel for schedule(dynamic, 1)
    for (ptrdiff_t row = 0; row < n; row += edge)
        for (ptrdiff_t col = 0; col <= row; col += edge)
            for (ptrdiff_t i = row; i < n && i < row + edge; ++i)
                for (ptrdiff_t j = col; j <= i && j < col + edge; ++j) {
                    const ptrdiff_t e = i * n + j, turned = j * n + i;
                    A.a[e] = A.a[turned] = w4 * (A.a[e] + A.a[turned] + x[e] * (b[e] + b[turned]));
                }
}

/* batch <- sigma_w^4 (T1 + (x.x') T2), x scaled. */
static void finish(sampler *r)
{
    const double   w4 = pow(r->opt->sigma_w, 4.0);
    const nth_mat *T1[] = { &r->batch.train, &r->batch.test, &r->batch.test_test };
    const nth_mat *T2[] = { &r->other.train, &r->other.test, &r->other.test_test };
    const double  *xx[] = { r->G.a, r->G.a + r->n * r->n, r->corner.a };
    for (int q = 0; q < 3; q += 2)
        if (T1[q]->a != NULL) finish_square(*T1[q], T2[q]->a, xx[q], w4);
    for (ptrdiff_t e = 0; T1[1]->a != NULL && e < T1[1]->rows * T1[1]->cols; ++e)
        T1[1]->a[e] = w4 * (T1[1]->a[e] + xx[1][e] * T2[1]->a[e]);
}

/* ---- Batches ------------------------------------------------------------------------------------ */

static nth_status sampler_create(sampler *r, nth_cmat X, nth_cmat X_test, const nth_blocks *shape)
{
    nth_status      st = NTH_OK;
    const ptrdiff_t n = r->n, k = r->k, N = r->N, d = r->d;
    nth_mat *const  draws[] = { &r->p, &r->a, &r->left, &r->right, &r->s[0], &r->s[1], &r->b, &r->h, &r->s[2], &r->s[3] };
    NTH_TRY(nth_priv_mat(&r->X, N, d, "inputs"));
    for (ptrdiff_t i = 0; i < N; ++i)
        for (ptrdiff_t e = 0; e < d; ++e) r->X.a[i * d + e] = r->c1 * (i < n ? X.a[i * X.ld + e] : X_test.a[(i - n) * X_test.ld + e]);
    NTH_TRY(nth_priv_mat(&r->w, DRAWS, d, "weights of neurons"));
    for (int q = 0; q < (r->smooth ? 10 : 6); ++q) NTH_TRY(nth_priv_mat(draws[q], N, DRAWS, "draws of neurons"));
    NTH_TRY(nth_priv_mat(&r->V, n, DRAWS, "draws of neurons"));
    NTH_TRY(nth_priv_doubles(&r->weight, DRAWS, "draws of neurons"));
    NTH_TRY(nth_priv_mat(&r->G, N, n, "Gram matrix"));
    NTH_TRY(nth_gemm(1.0, NTH_N, nth_const(r->X), NTH_T, nth_cblock(nth_const(r->X), 0, 0, n, d), 0.0, r->G));
    r->by_gram = (double)N * (double)n < (double)(N + n) * (double)d;
    if (!r->by_gram) NTH_TRY(nth_priv_mat(&r->g, d, DRAWS, "draws of neurons"));
    if (r->smooth) {
        NTH_TRY(nth_priv_mat(&r->WG, n, n, "weights times Gram matrix"));
        for (ptrdiff_t i = 0; i < n; ++i)
            for (ptrdiff_t j = 0; j < n; ++j) r->WG.a[i * n + j] = r->W.a[i * r->W.ld + j] * r->G.a[i * n + j];
    }
    const bool      wanted[] = { shape->train.a != NULL, shape->test.a != NULL, shape->test_test.a != NULL };
    nth_blocks *const sets[] = { &r->batch, &r->other };
    for (int q = 0; q < 6; ++q) {
        nth_blocks *set = sets[q / 3];
        nth_mat    *to = q % 3 == 0 ? &set->train : q % 3 == 1 ? &set->test : &set->test_test;
        if (wanted[q % 3]) NTH_TRY(nth_priv_mat(to, q % 3 == 0 ? n : k, q % 3 == 2 ? k : n, "batch of an expected kernel"));
    }
    if (wanted[2]) {
        NTH_TRY(nth_priv_mat(&r->corner, k, k, "Gram matrix"));
        NTH_TRY(nth_gram(1.0, nth_cblock(nth_const(r->X), n, 0, k, d), 0.0, r->corner));
    }
done:
    return st;
}

static nth_status one_batch(sampler *r, ptrdiff_t batch)
{
    nth_status st = NTH_OK;
    NTH_TRY(draw(r, (uint64_t)batch * (DRAWS / 2)));
    NTH_TRY(directions(r));
    NTH_TRY(contractions(r));
    finish(r);
done:
    return st;
}

static nth_status check(const nth_sampled_options *opt, nth_cmat X, nth_cmat X_test, nth_cmat W, const double *alpha)
{
    nth_status st = NTH_OK;
    NTH_REQUIRE(nth_activation_name(opt->activation) != NULL, NTH_E_ARG, "activation %d", (int)opt->activation);
    NTH_REQUIRE(opt->readout == NTH_READOUT_GAUSSIAN || opt->readout == NTH_READOUT_SIGNS, NTH_E_ARG, "readout %d",
                (int)opt->readout);
    NTH_REQUIRE(isfinite(opt->sigma_w) && opt->sigma_w > 0.0 && opt->target >= 0.0 && opt->least >= 0 && opt->most >= 0 && opt->start >= 0,
                NTH_E_ARG, "sigma_w = %g, target = %g, %td to %td draws", opt->sigma_w, opt->target, opt->least, opt->most);
    NTH_REQUIRE(X.rows >= 1 && X.cols >= 1 && (X_test.rows == 0 || X_test.cols == X.cols) && W.rows == X.rows && W.cols == X.rows,
                NTH_E_SHAPE, "inputs %td x %td and %td x %td, weights %td x %td", X.rows, X.cols, X_test.rows, X_test.cols,
                W.rows, W.cols);
    NTH_REQUIRE(nth_all_finite(X) && nth_all_finite(X_test) && nth_all_finite(W) && nth_all_finite(nth_cmat_of(alpha, 1, X.rows)),
                NTH_E_NUMERIC, "inputs or weights are not finite");
done:
    return st;
}

nth_status nth_sampled_k4(nth_blocks *mean, nth_blocks *se, nth_sampled_result *result, nth_cmat X, nth_cmat X_test,
                          nth_cmat W, const double *alpha, const nth_sampled_options *opt)
{
    nth_status      st = NTH_OK;
    sampler         r = { .opt = opt, .W = W, .alpha = alpha, .n = X.rows, .k = X_test.rows, .N = X.rows + X_test.rows,
                          .d = X.cols, .kappa = opt->readout == NTH_READOUT_SIGNS ? 1.0 : 3.0 };
    const ptrdiff_t least = opt->least > 0 ? opt->least : 40000, most = opt->most > 0 ? opt->most : 100000000;
    nth_tally       t = { 0 };
    NTH_TRY(check(opt, X, X_test, W, alpha));
    NTH_TRY(nth_priv_blocks_check(mean, r.n, r.k));
    NTH_REQUIRE(se != NULL, NTH_E_ARG, "standard errors have no blocks");
    NTH_TRY(nth_priv_tally_check(mean, se, r.n, r.k));
    r.smooth = nth_activation_is_smooth(opt->activation);
    r.c1 = opt->input_scale == NTH_INPUT_ONE ? 1.0 : 1.0 / sqrt((double)X.cols);
    r.c1 *= opt->sigma_w;
    NTH_TRY(sampler_create(&r, X, X_test, mean));
    nth_priv_tally_on(&t, mean, se, opt->start);
    *result = (nth_sampled_result){ .draws = t.count * DRAWS, .batches = t.count, .relative = nth_priv_tally_relative(&t) };
    while (t.count < LEAST_BATCHES || result->draws < least || (result->relative > opt->target && result->draws < most)) {
        NTH_TRY(one_batch(&r, t.count));
        nth_priv_tally_add(&t, &r.batch);
        *result = (nth_sampled_result){ .draws = t.count * DRAWS, .batches = t.count, .relative = nth_priv_tally_relative(&t) };
        NTH_REQUIRE(opt->progress == NULL || opt->progress(result, opt->ctx), NTH_E_INTERRUPTED, "interrupted after %td draws",
                    result->draws);
    }
    nth_priv_tally_hand_out(&t, mean, se);
done:
    sampler_free(&r);
    return st;
}
