/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Kernel regression, the factorisation: is K + rho I far enough from singular, and what ridge would
 * make it so?
 *
 * EIGEN knows all eigenvalues. Cholesky and LDL^T get the ends of the spectrum from two short Lanczos
 * runs, on the matrix before it is factored and on its inverse after: 64 products against n^3/3
 * flops. Ritz values lie inside the spectrum, so the condition number is a lower bound. When Cholesky
 * fails, AUTO goes on with LDL^T. CHOLESKY itself is then tried again with more ridge until it goes
 * through: that factor tells the smallest eigenvalue, and hence the ridge to recommend.
 */
#include "regress_priv.h"
#include "alloc_priv.h"
#include "fail_priv.h"
#include "linalg_priv.h"
#include "ntk_priv.h"

#include <float.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

enum { LANCZOS_STEPS = 32 };
static const double GOOD_COND = 1e12; /* what a recommended ridge brings about */

/* ---- Ends of a spectrum ------------------------------------------------------------------------- */

/* A fixed vector without structure, of norm 1: fractional parts of i^2 times the golden ratio. */
static void start_vector(double *v, ptrdiff_t n)
{
    for (ptrdiff_t i = 0; i < n; ++i) {
        const double x = (double)(i + 1) * (double)(i + 1) * 0.61803398874989484820;
        v[i] = x - floor(x) - 0.5;
    }
    const double norm = sqrt(nth_dot(v, v, n));
    for (ptrdiff_t i = 0; i < n; ++i) v[i] /= norm;
}

/* w loses its parts along the rows 0..j of V, twice for orthogonality; returns its part along row j. */
static double orthogonalise(nth_cmat V, ptrdiff_t j, double *w)
{
    double along = 0.0;
    for (int pass = 0; pass < 2; ++pass)
        for (ptrdiff_t i = 0; i <= j; ++i) {
            const double h = nth_dot(V.a + i * V.ld, w, V.cols);
            nth_axpy(-h, V.a + i * V.ld, w, V.cols);
            if (i == j) along += h;
        }
    return along;
}

nth_status nth_priv_lanczos(nth_priv_operator *apply, const void *ctx, ptrdiff_t n, double *lo,
                            double *hi)
{
    nth_status st = NTH_OK;
    ptrdiff_t  m = n < LANCZOS_STEPS ? n : LANCZOS_STEPS;
    double     t[LANCZOS_STEPS * LANCZOS_STEPS] = { 0 }, theta[LANCZOS_STEPS], size = 0.0;
    nth_mat    V = { 0 }, T;
    NTH_TRY(nth_priv_mat(&V, m + 1, n, "Lanczos vectors"));
    start_vector(V.a, n);
    for (ptrdiff_t j = 0; j < m; ++j) {
        double *w = V.a + (j + 1) * V.ld;
        NTH_TRY(apply(ctx, V.a + j * V.ld, w));
        t[j * LANCZOS_STEPS + j] = orthogonalise(nth_const(V), j, w);
        const double b = sqrt(nth_dot(w, w, n));
        size = fmax(size, fabs(t[j * LANCZOS_STEPS + j]) + b);
        if (j + 1 == m ||
            b <= 8.0 * DBL_EPSILON * size) { /* the rest of the space is not reached */
            m = j + 1;
            break;
        }
        t[j * LANCZOS_STEPS + j + 1] = t[(j + 1) * LANCZOS_STEPS + j] = b;
        for (ptrdiff_t i = 0; i < n; ++i) w[i] /= b;
    }
    T = (nth_mat){ t, m, m, LANCZOS_STEPS };
    NTH_TRY(nth_eigh(nth_const(T), theta, T));
    *lo = theta[0], *hi = theta[m - 1];
done:
    nth_priv_free(V.a);
    return st;
}

static nth_status apply_matrix(const void *ctx, const double *x, double *y)
{
    return nth_symv(nth_const(((const nth_regress *)ctx)->A), x, y);
}

static nth_status apply_inverse(const void *ctx, const double *x, double *y)
{
    const nth_regress *r = ctx;
    memcpy(y, x, (size_t)r->n * sizeof *y);
    return nth_priv_regress_solve_one(r, y);
}

nth_status nth_priv_regress_solve_one(const nth_regress *r, double *x)
{
    const nth_mat column = nth_mat_of(x, r->n, 1);
    return r->method == NTH_REGRESS_LDLT ? nth_ldlt_solve(nth_const(r->A), &r->pivots, column)
                                         : nth_chol_solve(nth_const(r->A), column);
}

/* ---- Refusing ----------------------------------------------------------------------------------- */

static double worst_cond(ptrdiff_t n) { return 1.0 / ((double)n * DBL_EPSILON); }

/* Refuses with the figures in info and a ridge that helps, rounded up to one digit; `found` says what
 * went wrong. */
static nth_status refuse(const nth_regress *r, const char *found)
{
    nth_status   st = NTH_OK;
    const double cond = fmin(GOOD_COND, 0.1 * worst_cond(r->n));
    const double ridge = (r->info.largest - cond * r->info.smallest) / (cond - 1.0);
    const char  *about = r->info.exact ? "" : "about ";
    NTH_REQUIRE(ridge > 0.0, NTH_E_NUMERIC,
                "kernel with ridge %g is numerically singular: %s; its eigenvalues go from %s%.3e "
                "to %s%.3e",
                r->info.ridge, found, about, r->info.smallest, about, r->info.largest);
    const double unit = pow(10.0, floor(log10(ridge))), digit = ceil(ridge / unit);
    NTH_FAIL(NTH_E_NUMERIC,
             "kernel with ridge %g is numerically singular: %s; its eigenvalues go from %s%.3e to "
             "%s%.3e; "
             "a ridge of %.0e brings the condition number below %.0e%s",
             r->info.ridge, found, about, r->info.smallest, about, r->info.largest, digit * unit,
             cond,
             r->method == NTH_REGRESS_CHOLESKY &&
                     r->info.smallest < -(double)r->n * DBL_EPSILON * r->info.largest
                 ? "; it is indefinite, which the methods ldlt and eigen accept"
                 : "");
done:
    return st;
}

static nth_status check_cond(const nth_regress *r)
{
    char text[96];
    if (r->info.cond <= worst_cond(r->n)) return NTH_OK; /* a NaN goes on */
    snprintf(text, sizeof text, "condition number %.2e, above 1/(n eps) = %.2e", r->info.cond,
             worst_cond(r->n));
    return refuse(r, text);
}

nth_status nth_priv_regress_judge(nth_regress *r, double ridge)
{
    nth_status             st = NTH_OK;
    const nth_regress_info old = r->info;
    const double          *d = r->sp->d;
    double                 least = INFINITY, most = 0.0, smallest = INFINITY, largest = -INFINITY;
    ptrdiff_t constant = -1; /* with an intercept: the eigenvalue that stands for the constants */
    NTH_REQUIRE(ridge >= 0.0 && isfinite(ridge), NTH_E_ARG, "ridge = %g; must be at least 0",
                ridge);
    for (ptrdiff_t k = 0; r->intercept && k < r->n; ++k)
        if (constant < 0 || fabs(d[k] - r->shift) < fabs(d[constant] - r->shift)) constant = k;
    r->info = (nth_regress_info){ .ridge = ridge, .exact = true, .method = r->method };
    for (ptrdiff_t k = 0; k < r->n; ++k) {
        if (k == constant) continue;
        smallest = fmin(smallest, d[k]), largest = fmax(largest, d[k]);
        least = fmin(least, fabs(d[k] + ridge)), most = fmax(most, fabs(d[k] + ridge));
        r->info.negative += d[k] + ridge < 0.0;
    }
    r->info.smallest = smallest, r->info.largest = largest;
    r->info.cond = least > 0.0 ? most / least : INFINITY;
    st = check_cond(r);
    if (st == NTH_OK) r->have_M = false;
done:
    if (st != NTH_OK) r->info = old;
    return st;
}

/* ---- Cholesky and LDL^T ------------------------------------------------------------------------- */

/* Puts the matrix back below the diagonal, from what is above it, with `more` on the diagonal. */
static void restore(nth_regress *r, const double *diag, double more)
{
    nth_mirror_upper(r->A);
    for (ptrdiff_t i = 0; i < r->n; ++i) r->A.a[i * r->A.ld + i] = diag[i] + more;
}

/* Ends of the spectrum of K + rho I, of which lo and hi are Ritz values of the matrix itself and a
 * factor is at hand; *least is the smallest absolute eigenvalue. */
static nth_status find_ends(const nth_regress *r, double *lo, double *hi, double *least)
{
    nth_status st = NTH_OK;
    double     down, up; /* of the inverse */
    NTH_TRY(nth_priv_lanczos(apply_inverse, r, r->n, &down, &up));
    const double size = fmax(fabs(down), fabs(up)), rounding = 1e-12 * size;
    *least = 1.0 / size;
    if (up > rounding) *lo = fmin(*lo, 1.0 / up);
    if (down < -rounding) *lo = fmin(*lo, 1.0 / down);
    *hi = fmax(*hi, *lo);
done:
    return st;
}

/* Cholesky failed: the smallest eigenvalue from the first larger ridge with which it goes through. */
static nth_status explain_failure(nth_regress *r, const double *diag, double lo, double hi,
                                  ptrdiff_t pivot)
{
    nth_status   st = NTH_OK;
    const double size = fmax(fabs(lo), fabs(hi));
    double       more = 1e-12 * size + fmax(0.0, -1.01 * lo), low = lo, high = hi, least;
    char         text[96];
    snprintf(text, sizeof text, "not positive definite at pivot %td of %td", pivot, r->n);
    for (int tries = 0; size > 0.0 && isfinite(size) && tries < 16; ++tries, more *= 10.0) {
        ptrdiff_t p;
        restore(r, diag, more);
        if (nth_chol(r->A, &p) != NTH_OK) continue;
        low = lo + more, high = hi + more;
        NTH_TRY(find_ends(r, &low, &high, &least));
        low -= more, high -= more;
        break;
    }
    r->info.smallest = low - r->info.ridge, r->info.largest = high - r->info.ridge;
    st = refuse(r, text);
done:
    return st;
}

/* AUTO becomes the method that went through; what is above the diagonal is still the matrix then. */
static nth_status factor(nth_regress *r, const double *diag, ptrdiff_t *pivot)
{
    nth_status st = NTH_OK;
    if (r->method != NTH_REGRESS_LDLT) {
        st = nth_chol(r->A, pivot);
        if (r->method == NTH_REGRESS_CHOLESKY || *pivot == 0) {
            r->method = NTH_REGRESS_CHOLESKY;
            return st;
        }
        restore(r, diag, 0.0);
    }
    r->method = NTH_REGRESS_LDLT, *pivot = 0; /* the caller takes a pivot for one of this method */
    NTH_TRY(nth_pivots_create(&r->pivots, r->n));
    NTH_TRY(nth_ldlt(r->A, &r->pivots, pivot));
done:
    return st;
}

nth_status nth_priv_regress_factor(nth_regress *r)
{
    nth_status   st = NTH_OK;
    const double ridge = r->info.ridge;
    double      *diag = NULL, lo, hi, least;
    ptrdiff_t    pivot = 0;
    char         text[96];
    NTH_TRY(nth_priv_doubles(&diag, r->n, "diagonal"));
    for (ptrdiff_t i = 0; i < r->n; ++i) diag[i] = r->A.a[i * r->A.ld + i];
    NTH_TRY(nth_priv_lanczos(apply_matrix, r, r->n, &lo, &hi));
    st = factor(r, diag, &pivot);
    r->info.method = r->method;
    if (pivot > 0 && r->method == NTH_REGRESS_CHOLESKY)
        NTH_TRY(explain_failure(r, diag, lo, hi, pivot));
    if (pivot > 0) {
        r->info.smallest = fmin(lo, 0.0) - ridge, r->info.largest = hi - ridge;
        snprintf(text, sizeof text, "pivot %td of %td is zero", pivot, r->n);
        NTH_TRY(refuse(r, text));
    }
    NTH_TRY(st);
    const double ends = fmax(fabs(lo), fabs(hi));
    NTH_TRY(find_ends(r, &lo, &hi, &least));
    r->info.smallest = lo - ridge, r->info.largest = hi - ridge;
    r->info.cond = fmax(ends, fmax(fabs(lo), fabs(hi))) / least;
    if (r->method == NTH_REGRESS_LDLT)
        r->info.negative = nth_ldlt_negatives(&r->pivots, r->n);
    NTH_TRY(check_cond(r));
done:
    nth_priv_free(diag);
    return st;
}
