/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * base/ldlt.c: factors of indefinite matrices, and what is computed from them.
 */
#include "nth_test.h"
#include "linalg_priv.h"
#include "nth/rng.h"
#include "par_priv.h"

#include <float.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { MOST = 1100, LD = MOST + 3, RHS = 3, KINDS = 3 };

static double     a[MOST * LD], copy[MOST * LD], factor[MOST * LD];
static nth_pivots pivots, again; /* of MOST */

static void fill(double *x, ptrdiff_t n, uint32_t run) { nth_rand_normals(x, n, 5, NTH_STREAM_TEST, run, 0); }

/* Kind 0 has a zero diagonal, so that elimination begins with 2 x 2 blocks, kind 1 mixes both sizes, kind 2 has a dominant
 * diagonal and 1 x 1 blocks alone. The upper triangle is that of another matrix. */
static nth_mat indefinite(ptrdiff_t n, int kind)
{
    fill(a, n * LD, 100 * (uint32_t)kind + (uint32_t)n);
    for (ptrdiff_t i = 0; i < n; ++i) {
        double *x = &a[i * LD + i];
        if (n > 1) *x = kind == 0 ? 0.0 : kind == 1 ? 3.0 * *x : (40.0 + (double)n) * (i % 3 == 0 ? -1.0 : 1.0) + *x;
    }
    if (kind == 0 && n % 2 == 1) a[(n - 1) * LD + n - 1] = 1.0;
    return (nth_mat){ a, n, n, LD };
}

static double lower(const double *m, ptrdiff_t i, ptrdiff_t j) { return i >= j ? m[i * LD + j] : m[j * LD + i]; }

/* Backward error of a solve: |A x - b| <= c n eps |A| |x| by rows. Sizes on both sides of a panel and of a tile. */
static void solves(void)
{
    static const ptrdiff_t sizes[] = { 1, 2, 3, 40, 126, 127, 128, 129, 130, 254, 255, 256, 257, 511, 513, 640, MOST };
    static double          b[RHS * MOST], x[RHS * MOST];
    double                 worst = 0.0;
    for (size_t s = 0; s < sizeof sizes / sizeof *sizes; ++s)
        for (int kind = 0; kind < KINDS; ++kind) {
            const ptrdiff_t n = sizes[s];
            const nth_mat   F = indefinite(n, kind);
            ptrdiff_t       pivot, outside = 0, in_blocks = 0;
            memcpy(copy, a, sizeof a);
            fill(b, RHS * n, 7), memcpy(x, b, sizeof b);
            NTH_CHECK_OK(nth_ldlt(F, &pivots, &pivot));
            NTH_CHECK(pivot == 0);
            for (ptrdiff_t i = 0; i < n; ++i) in_blocks += pivots.order[i] == 2;
            if (n > 3) NTH_CHECK(kind == 2 ? in_blocks == 0 : in_blocks > 0 && (kind == 0 || in_blocks < n));
            for (ptrdiff_t i = 0; i < n; ++i)
                for (ptrdiff_t j = i + 1; j < LD; ++j) outside += a[i * LD + j] != copy[i * LD + j];
            NTH_CHECK(outside == 0);
            NTH_CHECK_OK(nth_ldlt_solve(nth_const(F), &pivots, nth_mat_of(x, n, RHS)));
            for (int c = 0; c < RHS; ++c)
                for (ptrdiff_t i = 0; i < n; ++i) {
                    double left = -b[i * RHS + c], size = fabs(left);
                    for (ptrdiff_t j = 0; j < n; ++j) {
                        left += lower(copy, i, j) * x[j * RHS + c];
                        size += fabs(lower(copy, i, j) * x[j * RHS + c]);
                    }
                    worst = nth_worst(worst, fabs(left) / (10.0 * (double)n * DBL_EPSILON * size));
                }
        }
    NTH_CHECK_CLOSE(worst, 0.0, 0.0, 1.0);
}

/* Sylvester: D has as many negative eigenvalues as the matrix. */
static void counts_negative_eigenvalues(void)
{
    enum { N = 200 };
    static double V[N * N], d[N];
    for (int kind = 0; kind < KINDS; ++kind) {
        const nth_mat F = indefinite(N, kind);
        ptrdiff_t     pivot, negative = 0;
        NTH_CHECK_OK(nth_eigh(nth_const(F), d, nth_mat_of(V, N, N)));
        for (int i = 0; i < N; ++i) negative += d[i] < 0.0;
        NTH_CHECK(negative > 0 && negative < N);
        NTH_CHECK_OK(nth_ldlt(F, &pivots, &pivot));
        NTH_CHECK(nth_ldlt_negatives(&pivots, N) == negative);
    }
}

static bool same(nth_pivots x, nth_pivots y)
{
    return memcmp(x.row, y.row, MOST * sizeof *x.row) == 0 && memcmp(x.order, y.order, MOST * sizeof *x.order) == 0 &&
           memcmp(x.inverse, y.inverse, MOST * sizeof *x.inverse) == 0 && memcmp(x.beside, y.beside, MOST * sizeof *x.beside) == 0;
}

static void same_bits_on_any_threads(void)
{
    const int had = nth_priv_threads();
    for (int kind = 0; kind < KINDS; ++kind)
        for (int threads = 1; threads <= 7; threads += 2) {
            ptrdiff_t pivot;
            nth_priv_set_threads(threads);
            NTH_CHECK_OK(nth_ldlt(indefinite(MOST, kind), threads == 1 ? &pivots : &again, &pivot));
            if (threads == 1) memcpy(factor, a, sizeof a);
            else NTH_CHECK(memcmp(factor, a, sizeof a) == 0 && same(pivots, again));
        }
    nth_priv_set_threads(had);
}

/* Sweeps over a factor's rows, small ones and one that the threads share: against loops, and of the same bits. */
static void sweeps_match_loops(void)
{
    static const ptrdiff_t shapes[][2] = { { 1, 1 }, { 17, 33 }, { 127, 2049 }, { 520, 8200 } };
    const int              had = nth_priv_threads();
    for (size_t s = 0; s < sizeof shapes / sizeof *shapes; ++s) {
        const ptrdiff_t rows = shapes[s][0], cols = shapes[s][1], ld = cols + 2;
        double *const   A = malloc((size_t)(rows * ld) * sizeof *A), *const y = malloc((size_t)(6 * cols) * sizeof *y);
        double *const   x = malloc((size_t)(2 * rows + cols) * sizeof *x);
        double          worst = 0.0;
        if (!NTH_CHECK(A != NULL && y != NULL && x != NULL)) return;
        fill(A, rows * ld, 1), fill(x, 2 * rows + cols, 2);
        for (int threads = 1; threads <= 5; threads += 2) {
            double *const mine = y + (threads - 1) * cols; /* (cols), then (rows) as rows <= cols */
            fill(mine, 2 * cols, 3);
            nth_priv_set_threads(threads);
            nth_priv_subtract_rows(mine, (nth_cmat){ A, rows, cols, ld }, x, 2);
            nth_priv_subtract_columns(mine + cols, (nth_cmat){ A, rows, cols, ld }, x);
            NTH_CHECK(memcmp(mine, y, (size_t)(2 * cols) * sizeof *y) == 0);
        }
        fill(y + 2 * cols, 2 * cols, 3);
        for (ptrdiff_t j = 0; j < cols; ++j) {
            double sum = y[2 * cols + j], size = fabs(sum);
            for (ptrdiff_t i = 0; i < rows; ++i) sum -= x[2 * i] * A[i * ld + j], size += fabs(x[2 * i] * A[i * ld + j]);
            worst = nth_worst(worst, fabs(y[j] - sum) / ((double)rows * DBL_EPSILON * size));
        }
        for (ptrdiff_t i = 0; i < rows; ++i) {
            double sum = y[3 * cols + i], size = fabs(sum);
            for (ptrdiff_t j = 0; j < cols; ++j) sum -= A[i * ld + j] * x[j], size += fabs(A[i * ld + j] * x[j]);
            worst = nth_worst(worst, fabs(y[cols + i] - sum) / ((double)cols * DBL_EPSILON * size));
        }
        NTH_CHECK_CLOSE(worst, 0.0, 0.0, 1.0);
        free(A), free(x), free(y);
    }
    nth_priv_set_threads(had);
}

/* A row of zeros leaves the order of the block that ends there; so does what is not finite. */
static void refuses_what_is_singular(void)
{
    static const ptrdiff_t sizes[] = { 1, 9, 300 }, at[] = { 0, 5, 100 };
    static const double    entry[] = { 0.0, NAN, INFINITY };
    for (size_t s = 0; s < sizeof sizes / sizeof *sizes; ++s)
        for (size_t e = 0; e < sizeof entry / sizeof *entry; ++e) {
            const ptrdiff_t n = sizes[s];
            const nth_mat   F = indefinite(n, 2);
            ptrdiff_t       pivot;
            for (ptrdiff_t j = 0; j < n && e == 0; ++j) a[at[s] * LD + j] = a[j * LD + at[s]] = 0.0;
            a[at[s] * LD + at[s]] = entry[e];
            NTH_CHECK_STATUS(nth_ldlt(F, &pivots, &pivot), NTH_E_NUMERIC);
            NTH_CHECK(pivot == at[s] + 1);
            NTH_CHECK_MESSAGE("is zero, or not finite");
        }
    NTH_CHECK_STATUS(nth_ldlt((nth_mat){ a, 3, 4, 4 }, &pivots, &(ptrdiff_t){ 0 }), NTH_E_SHAPE);
}

/* One entry anywhere that is not finite is found, with any pivots. */
static void refuses_what_is_not_finite(void)
{
    enum { N = 9 };
    for (int kind = 0; kind < KINDS; ++kind)
        for (int e = 0; e < 2; ++e)
            for (ptrdiff_t i = 0; i < N; ++i)
                for (ptrdiff_t j = 0; j <= i; ++j) {
                    const nth_mat F = indefinite(N, kind);
                    ptrdiff_t     pivot;
                    a[i * LD + j] = e == 0 ? NAN : -INFINITY;
                    NTH_CHECK_STATUS(nth_ldlt(F, &pivots, &pivot), NTH_E_NUMERIC);
                    NTH_CHECK(pivot >= 1 && pivot <= N);
                }
}

/* Against solves of all unit vectors. */
static void diagonal_of_the_inverse(void)
{
    enum { N = 300 };
    static const ptrdiff_t sizes[] = { 1, 2, 3, 17, 127, 128, 129, N };
    static double          unit[N * N], diag[N];
    for (size_t s = 0; s < sizeof sizes / sizeof *sizes; ++s)
        for (int kind = 0; kind < KINDS; ++kind) {
            const ptrdiff_t n = sizes[s];
            const nth_mat   F = indefinite(n, kind);
            ptrdiff_t       pivot;
            NTH_CHECK_OK(nth_ldlt(F, &pivots, &pivot));
            NTH_CHECK_OK(nth_ldlt_inverse_diagonal(nth_const(F), &pivots, diag));
            memset(unit, 0, sizeof unit);
            for (ptrdiff_t i = 0; i < n; ++i) unit[i * n + i] = 1.0;
            NTH_CHECK_OK(nth_ldlt_solve(nth_const(F), &pivots, nth_mat_of(unit, n, n)));
            const double size = nth_max_abs(nth_cmat_of(unit, n, n));
            for (ptrdiff_t i = 0; i < n; ++i) NTH_CHECK_CLOSE(diag[i], unit[i * n + i], 1e-11, 1e-11 * size);
        }
}

static nth_status build(void)
{
    nth_pivots D;
    ptrdiff_t  pivot;
    nth_status st = nth_pivots_create(&D, 40);
    if (st == NTH_OK) st = nth_ldlt(indefinite(40, 1), &D, &pivot);
    nth_pivots_free(&D);
    return st;
}

static void survives_no_memory(void) { nth_test_every_allocation_fails(build); }

int main(void)
{
    if (nth_pivots_create(&pivots, MOST) != NTH_OK || nth_pivots_create(&again, MOST) != NTH_OK) return 1;
    const int st = nth_test_main("ldlt", (nth_test_case[]){ { "solves", solves },
                                                    { "counts_negative_eigenvalues", counts_negative_eigenvalues },
                                                    { "same_bits_on_any_threads", same_bits_on_any_threads },
                                                    { "sweeps_match_loops", sweeps_match_loops },
                                                    { "refuses_what_is_singular", refuses_what_is_singular },
                                                    { "refuses_what_is_not_finite", refuses_what_is_not_finite },
                                                    { "diagonal_of_the_inverse", diagonal_of_the_inverse },
                                                    { "survives_no_memory", survives_no_memory },
                                                    { 0 } });
    nth_pivots_free(&pivots);
    nth_pivots_free(&again);
    return st;
}
