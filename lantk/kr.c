/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Z as a scalar function of K (E75, E76). Only differences of K enter, so K is shifted by the mean of its first
 * tile: the sums then hold no large constant whose square would cancel. They are compensated, row by row, and rows
 * are joined in order.
 *
 * kr-v2 has A = K^{-1} T K^{-1} in place of T in the numerator: with T = Y Y^T (two classes) or 2 Y Y^T - 1 1^T,
 * A = sum_c s_c V_c V_c^T for V = K^{-1} [Y, 1], so one factorisation and no inverse.
 */
#include "lantk_priv.h"
#include "alloc_priv.h"
#include "fail_priv.h"
#include "linalg_priv.h"
#include "nth/regress.h"

#include <float.h>
#include <math.h>
#include <string.h>

static double total(const nth_exact *s) { return s->sum + s->rest; }

static void join(nth_exact *s, const nth_exact *part)
{
    nth_exact_add(s, part->sum);
    s->rest += part->rest;
}

/* ---- K^{-1} T K^{-1} ---------------------------------------------------------------------------- */

/* The kernel of the kept samples, both triangles. */
static nth_status kept_kernel(nth_lantk *z, const nth_lantk_model *m, nth_mat A)
{
    nth_status st = NTH_OK;
    for (ptrdiff_t row = 0; row < z->n; row += z->edge)
        for (ptrdiff_t col = 0; col <= row; col += z->edge) {
            const ptrdiff_t r = z->n - row < z->edge ? z->n - row : z->edge, c = z->n - col < z->edge ? z->n - col : z->edge;
            NTH_TRY(nth_priv_lantk_load(z, row, col, r, c));
            for (ptrdiff_t i = 0; i < r; ++i)
                for (ptrdiff_t j = 0; j < c; ++j) {
                    const ptrdiff_t a = m->place[row + i], b = m->place[col + j];
                    if (a >= 0 && b >= 0) A.a[a * A.ld + b] = A.a[b * A.ld + a] = z->K.a[i * z->edge + j];
                }
        }
done:
    return st;
}

static nth_status solve(nth_lantk *z, nth_lantk_model *m)
{
    nth_status                st = NTH_OK;
    const ptrdiff_t           c = m->V.cols;
    const nth_regress_options opt = { .method = NTH_REGRESS_CHOLESKY, .ridge = z->opt.ridge };
    nth_regress              *r = NULL;
    nth_mat                   A = { 0 }, B = { 0 };
    NTH_TRY(nth_priv_mat(&A, m->kept, m->kept, "kernel of the training samples"));
    NTH_TRY(nth_priv_mat(&B, m->kept, c, "targets"));
    NTH_TRY(kept_kernel(z, m, A));
    for (ptrdiff_t a = 0; a < m->kept; ++a) {
        const ptrdiff_t label = m->label[m->list[a]];
        if (c == 1) B.a[a] = label == 0 ? 1.0 : -1.0;
        else B.a[a * c + label] = B.a[a * c + c - 1] = 1.0;
    }
    NTH_TRY(nth_regress_create_in_place(&r, A, &opt));
    NTH_TRY(nth_regress_solve(B, NULL, r, nth_const(B)));
    m->info.condition = nth_regress_get_info(r).cond;
    for (ptrdiff_t a = 0; a < m->kept; ++a) memcpy(m->V.a + m->list[a] * c, B.a + a * c, (size_t)c * sizeof *B.a);
done:
    nth_regress_destroy(&r);
    nth_priv_free(A.a);
    nth_priv_free(B.a);
    return st;
}

nth_status nth_priv_kr_begin(nth_lantk *z)
{
    nth_status st = NTH_OK;
    for (ptrdiff_t f = 0; f < z->models; ++f) {
        nth_lantk_model *m = &z->model[f];
        m->kr.lo = INFINITY, m->kr.hi = -INFINITY;
        if (z->opt.variant != NTH_LANTK_KR_V2) continue;
        NTH_TRY(nth_priv_mat(&m->V, z->n, z->src.Y.cols == 1 ? 1 : z->classes + 1, "coefficients"));
        NTH_TRY(solve(z, m));
    }
    NTH_TRY(nth_priv_doubles(&z->slots, z->edge * z->models * (ptrdiff_t)((sizeof(nth_kr) + sizeof(nth_exact)) / sizeof(double)),
                             "sums of rows"));
done:
    return st;
}

/* ---- Sums over pairs ---------------------------------------------------------------------------- */

typedef struct row_sums {
    nth_kr    kr;
    nth_exact abs_K;
} row_sums;

/* T_ij, or A_ij of kr-v2. */
static double target(const nth_lantk_model *m, ptrdiff_t i, ptrdiff_t j)
{
    const ptrdiff_t c = m->V.cols;
    if (m->V.a == NULL) return nth_lantk_T(m, i, j);
    const double *v = m->V.a + i * c, *w = m->V.a + j * c;
    if (c == 1) return v[0] * w[0];
    double sum = 0.0;
    for (ptrdiff_t q = 0; q + 1 < c; ++q) sum += v[q] * w[q];
    return 2.0 * sum - v[c - 1] * w[c - 1];
}

/* Pairs of point i with columns col .. end-1, j = i among them only as the last; those off the diagonal count twice. */
static void one_row(const nth_lantk *z, const nth_lantk_model *m, ptrdiff_t i, ptrdiff_t col, ptrdiff_t end,
                    const double *K, row_sums *s)
{
    *s = (row_sums){ .kr = { .lo = INFINITY, .hi = -INFINITY } };
    if (m->place[i] < 0) return;
    for (ptrdiff_t j = col; j < end; ++j) {
        if (m->place[j] < 0) continue;
        const double k = K[j - col], u = k - z->centre, weight = i == j ? 1.0 : 2.0;
        const double T = weight * target(m, i, j);
        nth_exact_add(&s->kr.s[NTH_T0], T);
        nth_exact_add(&s->kr.s[NTH_T1], u * T);
        nth_exact_add(&s->kr.s[NTH_T2], u * u * T);
        nth_exact_add(&s->kr.s[NTH_S1], weight * u);
        nth_exact_add(&s->kr.s[NTH_S2], weight * u * u);
        nth_exact_add(&s->abs_K, weight * fabs(k));
        s->kr.lo = k < s->kr.lo ? k : s->kr.lo;
        s->kr.hi = k > s->kr.hi ? k : s->kr.hi;
    }
}

nth_status nth_priv_kr_gather(nth_lantk *z, ptrdiff_t row, ptrdiff_t col, ptrdiff_t r, ptrdiff_t c)
{
    row_sums *slot = (row_sums *)z->slots;
    if (row == 0 && col == 0) {
        nth_exact sum = { 0 };
        for (ptrdiff_t i = 0; i < r; ++i)
            for (ptrdiff_t j = 0; j < c; ++j) nth_exact_add(&sum, z->K.a[i * z->edge + j]);
        z->centre = total(&sum) / ((double)r * (double)c);
    }
#pragma omp parallel for schedule(dynamic, 4)
    for (ptrdiff_t s = 0; s < r * z->models; ++s) {
        const ptrdiff_t i = row + s / z->models, end = i + 1 < col + c ? i + 1 : col + c;
        one_row(z, &z->model[s % z->models], i, col, end, z->K.a + (i - row) * z->edge, &slot[s]);
    }
    for (ptrdiff_t s = 0; s < r * z->models; ++s) {
        nth_lantk_model *m = &z->model[s % z->models];
        for (int e = 0; e < NTH_KR_SUMS; ++e) join(&m->kr.s[e], &slot[s].kr.s[e]);
        join(&m->sum_abs_K, &slot[s].abs_K);
        m->kr.lo = fmin(m->kr.lo, slot[s].kr.lo), m->kr.hi = fmax(m->kr.hi, slot[s].kr.hi);
    }
    return NTH_OK;
}

nth_status nth_priv_kr_finish(nth_lantk *z)
{
    nth_status st = NTH_OK;
    for (ptrdiff_t f = 0; f < z->models; ++f) {
        nth_lantk_model *m = &z->model[f];
        m->info.range = m->kr.hi - m->kr.lo;
        NTH_REQUIRE(m->info.range > 0.0, NTH_E_NUMERIC,
                    "the base kernel is the constant %g on the training inputs: R_K = 0, all weights vanish", m->kr.lo);
        for (int e = 0; e < NTH_KR_SUMS; ++e) m->kr.s[e] = (nth_exact){ total(&m->kr.s[e]), 0.0 };
    }
done:
    return st;
}

bool nth_priv_kr_value(double *value, const nth_lantk *z, const nth_lantk_model *m, double K)
{
    const nth_exact *s = m->kr.s;
    const double     R = m->info.range, u = K - z->centre, pairs = (double)m->kept * (double)m->kept;
    const double     edge = (R - u) * (R + u); /* R^2 - u^2 */
    const double     below = pairs * edge + 2.0 * u * s[NTH_S1].sum - s[NTH_S2].sum;
    const double     size = pairs * (R * R + u * u) + fabs(2.0 * u * s[NTH_S1].sum) + s[NTH_S2].sum;
    *value = (edge * s[NTH_T0].sum + 2.0 * u * s[NTH_T1].sum - s[NTH_T2].sum) / below;
    return fabs(below) > 64.0 * DBL_EPSILON * size;
}
