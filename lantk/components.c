/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Scores of all points along the first five principal components of the kept training inputs, by subspace
 * iteration with Ritz values: a block of 32 converges at the ratio of the 33rd eigenvalue to the fifth, and costs
 * four products with the inputs a round, where a full eigenproblem would cost d^3.
 */
#include "lantk_priv.h"
#include "alloc_priv.h"
#include "fail_priv.h"
#include "linalg_priv.h"
#include "nth/rng.h"

#include <math.h>
#include <string.h>

enum { BLOCK = 32, ROUNDS = 3000 };
static const double GOOD = 1e-13, ENOUGH = 1e-8; /* residuals over the largest eigenvalue: stop at; refuse above */
static const double NONE = 1e-13;                /* an eigenvalue below that share of the largest is zero */

typedef struct work {
    nth_mat V, CV, W, copy; /* (d x b), C V (d x b), X V (n x b), (d x b) */
    nth_mat H, Vt;          /* (b x b) */
    double *shift, *lambda; /* (b) */
} work;

/* W = (x - average)^T V of points row, .. */
static nth_status project(nth_mat W, nth_cmat X, nth_cmat V, const double *average, double *shift)
{
    nth_status st = NTH_OK;
    NTH_TRY(nth_gemv(1.0, NTH_T, V, average, 0.0, shift));
    NTH_TRY(nth_gemm(1.0, NTH_N, X, NTH_N, V, 0.0, W));
    for (ptrdiff_t i = 0; i < W.rows; ++i)
        for (ptrdiff_t c = 0; c < W.cols; ++c) W.a[i * W.ld + c] -= shift[c];
done:
    return st;
}

/* CV = sum over kept samples of (x - average)(x - average)^T V. */
static nth_status apply(work *w, const nth_lantk *z, const nth_lantk_model *m, const double *average)
{
    nth_status      st = NTH_OK;
    const ptrdiff_t b = w->V.cols;
    NTH_TRY(project(w->W, z->src.X, nth_const(w->V), average, w->shift));
    memset(w->shift, 0, (size_t)b * sizeof *w->shift);
    for (ptrdiff_t i = 0; i < z->n; ++i) {
        double *row = w->W.a + i * b;
        if (m->place[i] < 0) memset(row, 0, (size_t)b * sizeof *row);
        else nth_axpy(1.0, row, w->shift, b);
    }
    NTH_TRY(nth_gemm(1.0, NTH_T, z->src.X, NTH_N, nth_const(w->W), 0.0, w->CV));
    for (ptrdiff_t c = 0; c < z->d; ++c) nth_axpy(-average[c], w->shift, w->CV.a + c * b, b);
done:
    return st;
}

/* V and CV turn to the Ritz vectors, the largest value first; *residual of the first five. */
static nth_status ritz(work *w, double *residual)
{
    nth_status      st = NTH_OK;
    const ptrdiff_t b = w->V.cols, d = w->V.rows;
    NTH_TRY(nth_gemm(1.0, NTH_T, nth_const(w->V), NTH_N, nth_const(w->CV), 0.0, w->H));
    NTH_TRY(nth_eigh(nth_const(w->H), w->lambda, w->H)); /* ascending */
    for (nth_mat *A = &w->V;; A = &w->CV) {
        nth_mat_copy(w->copy, nth_const(*A));
        NTH_TRY(nth_gemm(1.0, NTH_N, nth_const(w->copy), NTH_N, nth_const(w->H), 0.0, *A));
        if (A == &w->CV) break;
    }
    *residual = 0.0;
    for (ptrdiff_t t = b - 1; t >= 0 && t >= b - NTH_COMPONENTS; --t) {
        double sum = 0.0;
        for (ptrdiff_t c = 0; c < d; ++c) {
            const double e = w->CV.a[c * b + t] - w->lambda[t] * w->V.a[c * b + t];
            sum += e * e;
        }
        *residual = nth_keep_max(*residual, sqrt(sum) / w->lambda[b - 1]);
    }
done:
    return st;
}

static nth_status work_create(work *w, ptrdiff_t n, ptrdiff_t d, ptrdiff_t b)
{
    nth_status st = NTH_OK;
    NTH_TRY(nth_priv_mat(&w->V, d, b, "components"));
    NTH_TRY(nth_priv_mat(&w->CV, d, b, "components"));
    NTH_TRY(nth_priv_mat(&w->copy, d, b, "components"));
    NTH_TRY(nth_priv_mat(&w->W, n, b, "components"));
    NTH_TRY(nth_priv_mat(&w->H, b, b, "components"));
    NTH_TRY(nth_priv_mat(&w->Vt, b, b, "components"));
    NTH_TRY(nth_priv_doubles(&w->shift, b, "components"));
    NTH_TRY(nth_priv_doubles(&w->lambda, b, "components"));
done:
    return st;
}

static void work_free(work *w)
{
    const nth_mat all[] = { w->V, w->CV, w->copy, w->W, w->H, w->Vt };
    for (size_t i = 0; i < sizeof all / sizeof *all; ++i) nth_priv_free(all[i].a);
    nth_priv_free(w->shift), nth_priv_free(w->lambda);
}

nth_status nth_priv_components(nth_lantk *z, nth_lantk_model *m, const double *average)
{
    nth_status      st = NTH_OK;
    const ptrdiff_t d = z->d, b = d < BLOCK ? d : BLOCK, count = b < NTH_COMPONENTS ? b : NTH_COMPONENTS;
    work            w = { 0 };
    double          residual = INFINITY;
    nth_mat         test = { 0 };
    NTH_TRY(work_create(&w, z->n, d, b));
    nth_rand_normals(w.CV.a, d * b, 0, NTH_STREAM_SKETCH, 0, 0); /* any start will do */
    for (int round = 0; round < ROUNDS && !(residual <= GOOD); ++round) {
        NTH_TRY(nth_svd(w.CV, w.V, w.lambda, w.Vt));
        NTH_TRY(apply(&w, z, m, average));
        NTH_TRY(ritz(&w, &residual));
    }
    NTH_REQUIRE(residual <= ENOUGH, NTH_E_NUMERIC, "principal components: residual %.2g after %d rounds", residual, ROUNDS);
    NTH_TRY(project(w.W, z->src.X, nth_const(w.V), average, w.shift));
    NTH_TRY(nth_priv_mat(&test, z->k, b, "scores"));
    if (z->k > 0) NTH_TRY(project(test, z->src.X_test, nth_const(w.V), average, w.shift));
    for (ptrdiff_t i = 0; i < z->n + z->k; ++i)
        for (ptrdiff_t t = 0; t < count; ++t) {
            const double *row = i < z->n ? w.W.a + i * b : test.a + (i - z->n) * b;
            const bool    real = w.lambda[b - 1 - t] > NONE * w.lambda[b - 1];
            m->scores[i * NTH_COMPONENTS + t] = real ? row[b - 1 - t] : 0.0;
        }
done:
    nth_priv_free(test.a);
    work_free(&w);
    return st;
}
