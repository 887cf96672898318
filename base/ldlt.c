/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * P^T A P = L^T D L of a symmetric, possibly indefinite matrix: Bunch and Kaufman 1977, partial pivoting, by
 * panels; and what is computed from it. LAPACK's dsytrf has other bits with other numbers of BLAS threads; here
 * the update behind each panel, where the flops are, is cut into tiles as products are (blas.c), and all threads
 * take part. LAPACK's own format, in which exchanges are left undone, would have to be converted for each solve.
 *
 * Rows are eliminated from the last to the first. Within a panel, columns are brought up to date one by one as
 * they are needed:
 *
 *     w_i = A_i - sum_p W_pi L_p        over the rows p done in this panel, L_p the factor's row, W_p = (D L)_p
 */
#include "alloc_priv.h"
#include "fail_priv.h"
#include "linalg_priv.h"

#include <math.h>
#include <string.h>

enum { PANEL = 128, SWEEP = 512 }; /* rows of a panel; rows that a solve takes together */
static const double ALPHA = 0.6403882032022076; /* (1 + sqrt 17)/8: bounds the growth of entries */

typedef struct panel {
    nth_mat    A;
    nth_pivots D;
    double    *W;             /* (PANEL x n) */
    ptrdiff_t  end;           /* rows from here on belong to earlier panels */
    int        exchanges;     /* made in this panel */
    ptrdiff_t  pair[PANEL][2];
} panel;

/* ---- Factorisation ------------------------------------------------------------------------------ */

static double *row(const panel *p, ptrdiff_t i) { return p->A.a + i * p->A.ld; }
static double *scaled(const panel *p, ptrdiff_t i) { return p->W + (i - p->end + PANEL) * p->A.rows; } /* W_i */

/* y (k + 1) <- column i of the matrix that is left when the rows after k are eliminated. */
static void column(const panel *p, double *y, ptrdiff_t i, ptrdiff_t k)
{
    memcpy(y, row(p, i), (size_t)(i + 1) * sizeof *y);
    for (ptrdiff_t j = i + 1; j <= k; ++j) y[j] = row(p, j)[i];
    nth_priv_subtract_rows(y, nth_cblock(nth_const(p->A), k + 1, 0, p->end - k - 1, k + 1), scaled(p, k + 1) + i, p->A.rows);
}

/* Largest |x_i|, i < n, i != skip, at the first *at where it is reached; a NaN counts as larger than all. */
static double largest(const double *x, ptrdiff_t n, ptrdiff_t skip, ptrdiff_t *at)
{
    double most = 0.0;
    *at = 0;
    for (ptrdiff_t i = 0; i < n; ++i) {
        const double size = fabs(x[i]);
        if (i == skip || islessequal(size, most) || isnan(most)) continue;
        most = size, *at = i;
    }
    return most;
}

/* Order of the pivot block that ends at row k, 0 if there is none; *other is the row that comes to its first place.
 * W_k, and W_{k-1} for a block of 2, become the block's columns. */
static int choose(const panel *p, ptrdiff_t k, ptrdiff_t *other)
{
    double   *w = scaled(p, k);
    ptrdiff_t i, j;
    column(p, w, k, k);
    const double here = fabs(w[k]), most = largest(w, k, -1, &i);
    if (!isfinite(here) || !isfinite(most) || fmax(here, most) == 0.0) return 0;
    *other = k;
    if (here >= ALPHA * most) return 1;
    double *v = scaled(p, k - 1);
    column(p, v, i, k);
    const double beside = largest(v, k + 1, i, &j);
    if (!isfinite(beside) || !isfinite(v[i])) return 0;
    if (here >= ALPHA * most * (most / beside)) return 1;
    *other = i;
    if (fabs(v[i]) < ALPHA * beside) return 2;
    memcpy(w, v, (size_t)(k + 1) * sizeof *w);
    return 1;
}

static void swap(double *x, ptrdiff_t i, ptrdiff_t j)
{
    const double old = x[i];
    x[i] = x[j], x[j] = old;
}

/* Rows and columns `to` and i <= to exchange their places; those after k are done. What belongs into row `to`, W has. */
static void exchange(panel *p, ptrdiff_t i, ptrdiff_t to, ptrdiff_t k)
{
    const double   *from = row(p, to);
    const ptrdiff_t old = p->D.row[i];
    if (i == to) return;
    p->D.row[i] = p->D.row[to], p->D.row[to] = old;
    p->pair[p->exchanges][0] = i, p->pair[p->exchanges++][1] = to;
    row(p, i)[i] = from[to];
    for (ptrdiff_t j = i + 1; j < to; ++j) row(p, j)[i] = from[j];
    memcpy(row(p, i), from, (size_t)i * sizeof *from);
    for (ptrdiff_t q = k + 1; q < p->end; ++q) swap(row(p, q), i, to);
    for (ptrdiff_t q = to; q < p->end; ++q) swap(scaled(p, q), i, to);
}

/* The panel's exchanges in the rows of earlier ones. */
static void exchange_earlier(const panel *p)
{
#pragma omp parallel for schedule(static)
    for (ptrdiff_t q = p->end; q < p->A.rows; ++q)
        for (int e = 0; e < p->exchanges; ++e) swap(row(p, q), p->pair[e][0], p->pair[e][1]);
}

/* The factor's row k from W_k. */
static void eliminate_one(const panel *p, ptrdiff_t k)
{
    const double *w = scaled(p, k);
    double       *u = row(p, k);
    for (ptrdiff_t j = 0; j < k; ++j) u[j] = w[j] / w[k];
    p->D.inverse[k] = 1.0 / w[k], p->D.beside[k] = 0.0, p->D.order[k] = 1;
}

/* Rows k - 1 and k from W_{k-1}, W_k: multiplied by the inverse of the block, scaled as the pivoting makes it safe. */
static void eliminate_two(const panel *p, ptrdiff_t k)
{
    const double *v = scaled(p, k - 1), *w = scaled(p, k), b = w[k - 1];
    const double  last = w[k] / b, first = v[k - 1] / b, scale = 1.0 / (last * first - 1.0) / b;
    double       *t = row(p, k - 1), *u = row(p, k);
    for (ptrdiff_t j = 0; j < k - 1; ++j) {
        t[j] = scale * (last * v[j] - w[j]);
        u[j] = scale * (first * w[j] - v[j]);
    }
    u[k - 1] = 0.0;
    p->D.inverse[k - 1] = scale * last, p->D.inverse[k] = scale * first, p->D.beside[k] = -scale, p->D.beside[k - 1] = 0.0;
    p->D.order[k - 1] = p->D.order[k] = 2;
}

/* One panel, from row end - 1 down to *left, the number of rows that remain; false: no pivot at row *left - 1. */
static bool eliminate(panel *p, ptrdiff_t *left)
{
    ptrdiff_t k = p->end - 1;
    p->exchanges = 0;
    while (k >= 0 && p->end - k < PANEL) {
        ptrdiff_t other;
        const int order = choose(p, k, &other);
        *left = k + 1;
        if (order == 0) return false;
        exchange(p, other, k - order + 1, k);
        if (order == 1) eliminate_one(p, k);
        else eliminate_two(p, k);
        k -= order;
    }
    *left = k + 1;
    nth_priv_subtract_product(nth_block(p->A, 0, 0, *left, *left), nth_cblock(nth_const(p->A), *left, 0, p->end - *left, *left),
                              (nth_cmat){ scaled(p, *left), p->end - *left, *left, p->A.rows });
    exchange_earlier(p);
    return true;
}

nth_status nth_pivots_create(nth_pivots *D, ptrdiff_t n)
{
    nth_status st = NTH_OK;
    *D = (nth_pivots){ 0 };
    NTH_TRY(nth_priv_alloc(&D->row, n, sizeof *D->row, "pivots"));
    NTH_TRY(nth_priv_alloc(&D->order, n, sizeof *D->order, "pivots"));
    NTH_TRY(nth_priv_doubles(&D->inverse, n, "pivots"));
    NTH_TRY(nth_priv_doubles(&D->beside, n, "pivots"));
done:
    if (st != NTH_OK) nth_pivots_free(D);
    return st;
}

void nth_pivots_free(nth_pivots *D)
{
    nth_priv_free(D->row), nth_priv_free(D->order), nth_priv_free(D->inverse), nth_priv_free(D->beside);
    *D = (nth_pivots){ 0 };
}

nth_status nth_ldlt(nth_mat A, const nth_pivots *D, ptrdiff_t *pivot)
{
    nth_status st = NTH_OK;
    int        n, ld;
    panel     *p = NULL;
    *pivot = 0;
    NTH_REQUIRE(A.rows == A.cols, NTH_E_SHAPE, "matrix %td x %td is not square", A.rows, A.cols);
    NTH_TRY(nth_blas_int(A.rows, &n));
    NTH_TRY(nth_blas_int(A.ld, &ld));
    NTH_TRY(nth_priv_alloc(&p, 1, sizeof *p, "factorisation"));
    *p = (panel){ .A = A, .D = *D, .end = A.rows };
    NTH_TRY(nth_priv_doubles(&p->W, PANEL * A.rows, "factorisation"));
    for (ptrdiff_t i = 0; i < A.rows; ++i) D->row[i] = i;
    while (p->end > 0) {
        ptrdiff_t left;
        if (!eliminate(p, &left)) *pivot = left;
        NTH_REQUIRE(*pivot == 0, NTH_E_NUMERIC, "matrix of size %d is singular: pivot %td is zero, or not finite", n, *pivot);
        p->end = left;
    }
done:
    if (p != NULL) nth_priv_free(p->W);
    nth_priv_free(p);
    return st;
}

/* ---- What is computed from it ------------------------------------------------------------------- */

/* x <- D^{-1} x. */
static void divide(const nth_pivots *D, double *x, ptrdiff_t n)
{
    for (ptrdiff_t i = 0; i < n; ++i) {
        if (D->order[i] == 1) {
            x[i] *= D->inverse[i];
            continue;
        }
        const double a = x[i], b = x[i + 1], beside = D->beside[i + 1];
        x[i] = D->inverse[i] * a + beside * b;
        ++i, x[i] = D->inverse[i] * b + beside * a;
    }
}

/* x <- L^{-T} x, from the last block of rows to the first. */
static void solve_transposed(nth_cmat L, double *x)
{
    for (ptrdiff_t end = L.rows, at; end > 0; end = at) {
        at = end > SWEEP ? end - SWEEP : 0;
        for (ptrdiff_t k = end - 1; k > at; --k) nth_axpy(-x[k], L.a + k * L.ld + at, x + at, k - at);
        nth_priv_subtract_rows(x, nth_cblock(L, at, 0, end - at, at), x + at, 1);
    }
}

/* x <- L^{-1} x. */
static void solve_plain(nth_cmat L, double *x)
{
    for (ptrdiff_t at = 0, end; at < L.rows; at = end) {
        end = L.rows - at > SWEEP ? at + SWEEP : L.rows;
        nth_priv_subtract_columns(x + at, nth_cblock(L, at, 0, end - at, at), x);
        for (ptrdiff_t k = at + 1; k < end; ++k) x[k] -= nth_dot(L.a + k * L.ld + at, x + at, k - at);
    }
}

nth_status nth_ldlt_solve(nth_cmat L, const nth_pivots *D, nth_mat B)
{
    nth_status st = NTH_OK;
    int        n, ld;
    double    *x = NULL;
    NTH_REQUIRE(L.rows == L.cols && B.rows == L.rows, NTH_E_SHAPE, "factor %td x %td, right-hand side %td x %td", L.rows, L.cols,
                B.rows, B.cols);
    NTH_TRY(nth_blas_int(L.rows, &n));
    NTH_TRY(nth_blas_int(L.ld, &ld));
    NTH_TRY(nth_priv_doubles(&x, L.rows, "right-hand side"));
    for (ptrdiff_t c = 0; c < B.cols; ++c) {
        for (ptrdiff_t i = 0; i < n; ++i) x[i] = B.a[D->row[i] * B.ld + c];
        solve_transposed(L, x);
        divide(D, x, n);
        solve_plain(L, x);
        for (ptrdiff_t i = 0; i < n; ++i) B.a[D->row[i] * B.ld + c] = x[i];
    }
done:
    nth_priv_free(x);
    return st;
}

typedef struct diagonal {
    nth_cmat          L;
    const nth_pivots *D;
    double           *diag;
} diagonal;

/* (A^{-1})_jj = x D^{-1} x^T with the row x = e_j^T P L^{-1}; x ends at the place of its unit, so the last block is the longest. */
static void columns(const void *ctx, ptrdiff_t skip, ptrdiff_t r, double *X)
{
    const diagonal   *d = ctx;
    const nth_pivots *D = d->D;
    const ptrdiff_t   m = d->L.rows - skip, first = m - r;
    memset(X, 0, (size_t)(m * r) * sizeof *X);
    for (ptrdiff_t j = 0; j < r; ++j) X[j * m + first + j] = 1.0;
    nth_priv_unit_lower_solve(nth_cblock(d->L, 0, 0, m, m), nth_mat_of(X, r, m));
    for (ptrdiff_t j = 0; j < r; ++j) {
        const double *x = X + j * m;
        double        sum = x[0] * x[0] * D->inverse[0];
        for (ptrdiff_t i = 1; i < m; ++i) sum += x[i] * (x[i] * D->inverse[i] + 2.0 * x[i - 1] * D->beside[i]);
        d->diag[D->row[first + j]] = sum;
    }
}

nth_status nth_ldlt_inverse_diagonal(nth_cmat L, const nth_pivots *D, double *diag)
{
    nth_status st = NTH_OK;
    int        n, ld;
    NTH_REQUIRE(L.rows == L.cols, NTH_E_SHAPE, "factor %td x %td is not square", L.rows, L.cols);
    NTH_TRY(nth_blas_int(L.rows, &n));
    NTH_TRY(nth_blas_int(L.ld, &ld));
    NTH_TRY(nth_priv_by_unit_vectors(n, columns, &(diagonal){ L, D, diag }));
done:
    return st;
}

/* A 2 x 2 block has one eigenvalue of each sign. */
ptrdiff_t nth_ldlt_negatives(const nth_pivots *D, ptrdiff_t n)
{
    ptrdiff_t negative = 0, in_blocks = 0;
    for (ptrdiff_t i = 0; i < n; ++i)
        if (D->order[i] == 2) ++in_blocks;
        else negative += D->inverse[i] < 0.0;
    return negative + in_blocks / 2;
}
