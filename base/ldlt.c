/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * A = P L D L^T P^T of a symmetric, possibly indefinite matrix: Bunch and Kaufman 1977, partial pivoting, by
 * panels. LAPACK's dsytrf does the same, but its bits depend on the number of BLAS threads; here the update
 * behind each panel, where the flops are, is cut into tiles as products are (blas.c), and all threads take part.
 *
 * Rows are eliminated from the last to the first, and the factor is stored as dsytrf stores it (column-major,
 * 'U'): lapack.c solves with it. Within a panel, columns are brought up to date one by one as they are needed:
 *
 *     w_i = A_i - sum_p W_pi U_p        over the rows p done in this panel, U_p the factor's row, W_p = (D U)_p
 */
#include "alloc_priv.h"
#include "fail_priv.h"
#include "linalg_priv.h"

#include <math.h>
#include <string.h>

enum { PANEL = 128 };
static const double ALPHA = 0.6403882032022076; /* (1 + sqrt 17)/8: bounds the growth of entries */

typedef struct panel {
    nth_mat   A;
    double   *W;   /* (PANEL x n) */
    ptrdiff_t end; /* rows from here on belong to earlier panels */
    int      *pivots;
} panel;

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
static void exchange(const panel *p, ptrdiff_t i, ptrdiff_t to, ptrdiff_t k)
{
    const double *from = row(p, to);
    if (i == to) return;
    row(p, i)[i] = from[to];
    for (ptrdiff_t j = i + 1; j < to; ++j) row(p, j)[i] = from[j];
    memcpy(row(p, i), from, (size_t)i * sizeof *from);
    for (ptrdiff_t q = k + 1; q < p->end; ++q) swap(row(p, q), i, to);
    for (ptrdiff_t q = to; q < p->end; ++q) swap(scaled(p, q), i, to);
}

/* The factor's row k from W_k. */
static void eliminate_one(const panel *p, ptrdiff_t k)
{
    const double *w = scaled(p, k);
    double       *u = row(p, k);
    for (ptrdiff_t j = 0; j < k; ++j) u[j] = w[j] / w[k];
    u[k] = w[k];
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
    t[k - 1] = v[k - 1], u[k - 1] = b, u[k] = w[k];
}

/* Exchanges that were carried out in the panel's own rows are taken back: each row keeps those made up to it alone. */
static void restore_order(const panel *p, ptrdiff_t first)
{
    for (ptrdiff_t i = first; i < p->end;) {
        const ptrdiff_t to = i, from = (p->pivots[i] > 0 ? p->pivots[i] : -p->pivots[i]) - 1;
        i += p->pivots[i] > 0 ? 1 : 2;
        for (ptrdiff_t q = i; q < p->end && from != to; ++q) swap(row(p, q), from, to);
    }
}

/* One panel, from row end - 1 down to *left, the number of rows that remain; false: no pivot at row *left - 1. */
static bool eliminate(const panel *p, ptrdiff_t *left)
{
    ptrdiff_t k = p->end - 1;
    while (k >= 0 && p->end - k < PANEL) {
        ptrdiff_t other;
        const int order = choose(p, k, &other);
        *left = k + 1;
        if (order == 0) return false;
        exchange(p, other, k - order + 1, k);
        if (order == 1) eliminate_one(p, k);
        else eliminate_two(p, k);
        for (int i = 0; i < order; ++i) p->pivots[k - i] = order == 1 ? (int)other + 1 : -(int)other - 1;
        k -= order;
    }
    *left = k + 1;
    nth_priv_subtract_product(nth_block(p->A, 0, 0, *left, *left), nth_cblock(nth_const(p->A), *left, 0, p->end - *left, *left),
                              (nth_cmat){ scaled(p, *left), p->end - *left, *left, p->A.rows });
    restore_order(p, *left);
    return true;
}

nth_status nth_ldlt(nth_mat A, int *pivots, ptrdiff_t *pivot)
{
    nth_status st = NTH_OK;
    int        n, ld;
    panel      p = { .A = A, .pivots = pivots, .end = A.rows };
    *pivot = 0;
    NTH_REQUIRE(A.rows == A.cols, NTH_E_SHAPE, "matrix %td x %td is not square", A.rows, A.cols);
    NTH_TRY(nth_blas_int(A.rows, &n));
    NTH_TRY(nth_blas_int(A.ld, &ld));
    NTH_TRY(nth_priv_doubles(&p.W, PANEL * A.rows, "factorisation"));
    while (p.end > 0) {
        ptrdiff_t left;
        if (!eliminate(&p, &left)) *pivot = left;
        NTH_REQUIRE(*pivot == 0, NTH_E_NUMERIC, "matrix of size %d is singular: pivot %td is zero, or not finite", n, *pivot);
        p.end = left;
    }
done:
    nth_priv_free(p.W);
    return st;
}
