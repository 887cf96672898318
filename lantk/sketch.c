/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * The least squares of E78 as the paper does it: all n^2 ordered pairs, padded to a power of two, get random
 * signs, a Walsh-Hadamard transform that spreads every row over all, and k sparse Gaussian combinations of the
 * result; then least squares on k rows. There for comparison: fit.c solves the same problem exactly in little
 * memory. Overall factors cancel and are left out.
 *
 * Columns do not meet before the rows are sampled: half of the memory that is free holds as many as it may, and the
 * pairs are gone through once for each such group. The bits do not depend on their number.
 */
#include "lantk_priv.h"
#include "alloc_priv.h"
#include "fail_priv.h"
#include "linalg_priv.h"
#include "nth/rng.h"

#include <math.h>

enum { WHT_CACHE = 1 << 12, SIGNS = 32, RUN_OF_SIGNS = 0, RUN_OF_GAPS = 1, RUN_OF_VALUES = 2 };
static const double CUT = 1e-12; /* of the largest singular value */

ptrdiff_t nth_test_sketch_columns = 0;

ptrdiff_t nth_priv_sketch_width(const nth_lantk *z) { return z->p + (z->opt.intercept ? 2 : 1); }

/* How many columns of `bytes` are held at a time. */
static ptrdiff_t columns_held(ptrdiff_t columns, double bytes)
{
    const double available = nth_priv_mem_available();
    const double most = available < 0.0 ? (double)columns : fmax(floor(0.5 * available / bytes), 1.0);
    ptrdiff_t    held = most < (double)columns ? (ptrdiff_t)most : columns;
    if (nth_test_sketch_columns > 0 && nth_test_sketch_columns < held) held = nth_test_sketch_columns;
    const ptrdiff_t groups = (columns + held - 1) / held;
    return (columns + groups - 1) / groups;
}

nth_status nth_priv_sketch_begin(nth_lantk *z)
{
    nth_status      st = NTH_OK;
    const double    pairs = (double)z->n * (double)z->n;
    const ptrdiff_t columns = nth_priv_sketch_width(z);
    double          padded = 1.0;
    ptrdiff_t       rows;
    while (padded < pairs) padded *= 2.0;
    z->held = columns_held(columns, 8.0 * padded), z->groups = (columns + z->held - 1) / z->held;
    st = nth_priv_mem_check(8.0 * padded * (double)z->held, "the sketch");
    if (st == NTH_OK) st = nth_priv_doubles(&z->columns, (ptrdiff_t)padded * z->held, "the sketch");
    if (st == NTH_E_NOMEM) {
        nth_priv_error_prefix("%s: columns of %.0f rows: ls-v%d solves the same least squares exactly without them",
                              nth_lantk_variant_name(z->opt.variant), padded, z->p > NTH_PAIR_FEATURES ? 2 : 1);
        goto done;
    }
    z->padded = (ptrdiff_t)padded;
    const double wanted = floor(log((double)(z->p + 1)) / (z->opt.epsilon * z->opt.epsilon));
    NTH_TRY(nth_priv_mem_check(24.0 * wanted * (double)columns, "the sampled sketch")); /* with the copies of least_squares */
    rows = (ptrdiff_t)wanted;
    NTH_REQUIRE(rows >= columns, NTH_E_ARG, "epsilon = %g gives a sketch of %td rows for %td columns", z->opt.epsilon, rows, columns);
    NTH_TRY(nth_priv_doubles(&z->sampled, rows * columns, "the sketch"));
    for (ptrdiff_t f = 0; f < z->models; ++f) z->model[f].info.rows = rows;
done:
    return st;
}

/* ---- Walsh-Hadamard transform ------------------------------------------------------------------- */

/* Two stages in one pass. */
static void radix4(double *x, ptrdiff_t n)
{
    const ptrdiff_t h = n / 4;
    for (ptrdiff_t i = 0; i < h; ++i) {
        const double a = x[i], b = x[i + h], c = x[i + 2 * h], d = x[i + 3 * h];
        const double s = a + b, t = a - b, u = c + d, v = c - d;
        x[i] = s + u, x[i + h] = t + v, x[i + 2 * h] = s - u, x[i + 3 * h] = t - v;
    }
}

/* Quarter by quarter, so that the parts soon lie in the cache; the last stages loop over them there. */
void nth_priv_wht(double *x, ptrdiff_t n)
{
    if (n <= WHT_CACHE) {
        ptrdiff_t size = n;
        for (; size >= 4; size /= 4)
            for (ptrdiff_t i = 0; i < n; i += size) radix4(x + i, size);
        for (ptrdiff_t i = 0; size == 2 && i < n; i += 2) {
            const double a = x[i], b = x[i + 1];
            x[i] = a + b, x[i + 1] = a - b;
        }
        return;
    }
    radix4(x, n);
    for (ptrdiff_t q = 0; q < 4; ++q) nth_priv_wht(x + q * (n / 4), n / 4);
}

static void signs_and_transform(const nth_lantk *z, double *column, ptrdiff_t pairs)
{
    for (ptrdiff_t i = 0; i < pairs; i += SIGNS) {
        uint64_t bits = nth_rand_below((uint64_t)1 << SIGNS, z->opt.seed, NTH_STREAM_SKETCH, RUN_OF_SIGNS, (uint64_t)(i / SIGNS));
        for (ptrdiff_t j = i; j < i + SIGNS && j < pairs; ++j, bits >>= 1)
            if ((bits & 1) != 0) column[j] = -column[j];
    }
    nth_priv_wht(column, z->padded);
}

/* ---- Sampling and solution ---------------------------------------------------------------------- */

/* Row r of c columns: each coordinate with probability `density`, times a Gaussian; the gaps between them are geometric. */
static void sample_row(const nth_lantk *z, ptrdiff_t c, ptrdiff_t r, double density, double *out, ptrdiff_t stride)
{
    const double    rate = log1p(-density);
    uint64_t        index = (uint64_t)r << 20; /* room for a million entries a row */
    double          at = -1.0, value;
    for (ptrdiff_t f = 0; f < c; ++f) out[f * stride] = 0.0;
    for (;; ++index) {
        at += 1.0 + floor(log(nth_rand_uniform(z->opt.seed, NTH_STREAM_SKETCH, RUN_OF_GAPS, index)) / rate);
        if (!(at < (double)z->padded)) return;
        nth_rand_normals(&value, 1, z->opt.seed, NTH_STREAM_SKETCH, RUN_OF_VALUES, index);
        for (ptrdiff_t f = 0; f < c; ++f) out[f * stride] += value * z->columns[f * z->padded + (ptrdiff_t)at];
    }
}

/* x = argmin |A x - b|; A (k x c) is destroyed. Columns of norm 1, singular values below CUT left out. */
static nth_status least_squares(nth_mat A, const double *b, double *x)
{
    nth_status st = NTH_OK;
    nth_mat    U = { 0 };
    double     size[NTH_MOMENTS], s[NTH_MOMENTS], V[NTH_MOMENTS * NTH_MOMENTS], y[NTH_MOMENTS];
    NTH_TRY(nth_priv_mat(&U, A.rows, A.cols, "sketched least squares"));
    for (ptrdiff_t f = 0; f < A.cols; ++f) {
        double sum = 0.0;
        for (ptrdiff_t i = 0; i < A.rows; ++i) sum += A.a[i * A.ld + f] * A.a[i * A.ld + f];
        size[f] = sum > 0.0 ? sqrt(sum) : 1.0, x[f] = 0.0;
        for (ptrdiff_t i = 0; i < A.rows; ++i) A.a[i * A.ld + f] /= size[f];
    }
    NTH_TRY(nth_svd(A, U, s, nth_mat_of(V, A.cols, A.cols)));
    NTH_TRY(nth_gemv(1.0, NTH_T, nth_const(U), b, 0.0, y));
    for (ptrdiff_t a = 0; a < A.cols; ++a)
        for (ptrdiff_t f = 0; f < A.cols && s[a] > CUT * s[0]; ++f) x[f] += V[a * A.cols + f] * y[a] / s[a];
    for (ptrdiff_t f = 0; f < A.cols; ++f) x[f] /= size[f];
done:
    nth_priv_free(U.a);
    return st;
}

/* Standardised; the scale is least_squares's. What is left of a constant column is rounding: it becomes 0. */
static void take_off_mean(double *column, ptrdiff_t pairs, double *mean, const nth_lantk_model *m, ptrdiff_t p, ptrdiff_t f)
{
    const bool varies = nth_priv_fit_mean(mean, m, p, f);
    for (ptrdiff_t i = 0; i < pairs; ++i) column[i] = varies ? column[i] - *mean : 0.0;
}

void nth_priv_sketch_columns(nth_lantk *z, const nth_lantk_model *m)
{
    const ptrdiff_t p = z->p, k = m->info.rows, first = z->group * z->held, pairs = m->kept * m->kept;
    const ptrdiff_t left = nth_priv_sketch_width(z) - first, c = left < z->held ? left : z->held;
    const double    columns = log((double)(p + 1)), density = fmin(columns * columns / (double)pairs, 0.5);
    double         *rows = z->sampled + first * k, mean;
    for (ptrdiff_t f = 0; f < c; ++f) {
        double *column = z->columns + f * z->padded;
        if (z->opt.standardize && first + f < p) take_off_mean(column, pairs, &mean, m, p, first + f);
        for (ptrdiff_t i = pairs; i < z->padded; ++i) column[i] = 0.0; /* of a larger model or an earlier group, transformed */
    }
#pragma omp parallel for schedule(dynamic, 1)
    for (ptrdiff_t f = 0; f < c; ++f) signs_and_transform(z, z->columns + f * z->padded, pairs);
#pragma omp parallel for schedule(static)
    for (ptrdiff_t r = 0; r < k; ++r) sample_row(z, c, r, density, rows + r, k);
}

nth_status nth_priv_sketch_fit(nth_lantk *z, nth_lantk_model *m)
{
    nth_status      st = NTH_OK;
    const ptrdiff_t p = z->p, k = m->info.rows, unknowns = nth_priv_sketch_width(z) - 1;
    const double    best = nth_priv_fit_residual(m, p, m->info.w, m->info.constant);
    double          x[NTH_MOMENTS];
    nth_mat         A = { 0 };
    NTH_TRY(nth_priv_mat(&A, k, unknowns, "sketch"));
    for (ptrdiff_t r = 0; r < k; ++r) /* columns: features, T, 1 */
        for (ptrdiff_t f = 0; f < unknowns; ++f) A.a[r * unknowns + f] = z->sampled[(f < p ? f : p + 1) * k + r];
    NTH_TRY(least_squares(A, z->sampled + p * k, x));
    m->info.constant = z->opt.intercept ? x[p] : 0.0;
    for (ptrdiff_t f = 0; f < p; ++f) {
        double mean = 0.0;
        if (z->opt.standardize) (void)nth_priv_fit_mean(&mean, m, p, f);
        m->info.w[f] = x[f], m->info.constant -= x[f] * mean;
    }
    const double mine = nth_priv_fit_residual(m, p, m->info.w, m->info.constant);
    m->info.excess = mine / best - 1.0;
    m->info.r2 = 1.0 - mine / best * (1.0 - m->info.r2);
done:
    nth_priv_free(A.a);
    return st;
}
