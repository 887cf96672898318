/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Kernel regression (E87-E92): one factorisation of K + rho I serves coefficients, leave-one-out
 * residuals and cross-validation; and flow predictions under a frozen kernel (E89).
 *
 * With an intercept the kernel is centred, K_c = H K H with H = I - 1 1^T/n, which is singular along
 * the constants. They get an eigenvalue inside of the spectrum, K_c + s 1 1^T/n: centred targets do
 * not see it, and the block M of the bordered inverse is the inverse less 1 1^T/(n (rho + s)).
 *
 * regress_factor.c decides whether a kernel is far enough from singular.
 */
#include "regress_priv.h"
#include "alloc_priv.h"
#include "fail_priv.h"
#include "linalg_priv.h"
#include "ntk_priv.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

static const double ASYMMETRY =
    1e-6; /* of the largest entry: kernels computed in single precision pass */

const char *nth_regress_method_name(nth_regress_method method)
{
    static const char *const name[] = { "cholesky", "ldlt", "eigen", "auto" };
    return (unsigned)method < sizeof name / sizeof *name ? name[method] : NULL;
}

double nth_regress_work_bytes(ptrdiff_t n, nth_regress_method method, bool in_place)
{
    const double size = (double)n, matrices = method == NTH_REGRESS_EIGEN ? 4.0 : 1.0;
    return 8.0 * size * (size * (matrices - (in_place ? 1.0 : 0.0)) + 400.0);
}

nth_regress_info nth_regress_get_info(const nth_regress *r) { return r->info; }

const nth_spectral *nth_regress_spectral(const nth_regress *r) { return r->sp; }

/* ---- Making ------------------------------------------------------------------------------------- */

static nth_status check_kernel(nth_cmat K, const nth_regress_options *opt)
{
    nth_status   st = NTH_OK;
    const double most = nth_max_abs(K);
    NTH_REQUIRE(K.rows == K.cols, NTH_E_SHAPE, "kernel is %td x %td; must be square", K.rows,
                K.cols);
    NTH_REQUIRE(K.rows >= (opt->intercept ? 2 : 1), NTH_E_SHAPE,
                "kernel is %td x %td; at least %d samples are needed", K.rows, K.cols,
                opt->intercept ? 2 : 1);
    NTH_REQUIRE(opt->ridge >= 0.0 && isfinite(opt->ridge), NTH_E_ARG,
                "ridge = %g; must be at least 0", opt->ridge);
    NTH_REQUIRE(nth_regress_method_name(opt->method) != NULL, NTH_E_ARG, "method %d is unknown",
                (int)opt->method);
    NTH_REQUIRE(isfinite(most), NTH_E_NUMERIC, "kernel has an entry that is not finite");
    const bool symmetric = nth_asymmetry(K) <= ASYMMETRY * most;
    for (ptrdiff_t i = 0; i < K.rows && !symmetric; ++i)
        for (ptrdiff_t j = 0; j < i; ++j)
            NTH_REQUIRE(fabs(K.a[i * K.ld + j] - K.a[j * K.ld + i]) <= ASYMMETRY * most,
                        NTH_E_NUMERIC,
                        "kernel is not symmetric: entry (%td,%td) is %.9g, entry (%td,%td) is %.9g",
                        i + 1, j + 1, K.a[i * K.ld + j], j + 1, i + 1, K.a[j * K.ld + i]);
done:
    return st;
}

/* A <- H A H + s 1 1^T/n; s = |H A H|_F / sqrt(n - 1) lies between the smallest and largest absolute
 * eigenvalue. Keeps the means of the rows of A. */
static nth_status centre(nth_regress *r)
{
    nth_status      st = NTH_OK;
    const ptrdiff_t n = r->n;
    double          mean = 0.0;
    NTH_TRY(nth_priv_doubles(&r->mean, n, "means of the kernel"));
    for (ptrdiff_t i = 0; i < n; ++i) {
        double s = 0.0;
        for (ptrdiff_t j = 0; j < n; ++j) s += r->A.a[i * r->A.ld + j];
        r->mean[i] = s / (double)n, mean += r->mean[i] / (double)n;
    }
    for (ptrdiff_t i = 0; i < n; ++i) /* symmetric to the bit: the two means are added first */
        for (ptrdiff_t j = 0; j < n; ++j)
            r->A.a[i * r->A.ld + j] -= (r->mean[i] + r->mean[j]) - mean;
    r->shift = nth_frobenius(nth_const(r->A)) / sqrt((double)n - 1.0);
    for (ptrdiff_t i = 0; i < n; ++i)
        for (ptrdiff_t j = 0; j < n; ++j) r->A.a[i * r->A.ld + j] += r->shift / (double)n;
done:
    return st;
}

/* r->A holds the kernel; if it is ours, r owns it also on failure. */
static nth_status factor(nth_regress *r, const nth_regress_options *opt)
{
    nth_status st = NTH_OK;
    nth_mirror_lower(r->A);
    if (opt->intercept) NTH_TRY(centre(r));
    r->info.ridge = opt->ridge;
    NTH_TRY(nth_priv_doubles(&r->M, r->n, "diagonal of the inverse"));
    if (r->method == NTH_REGRESS_EIGEN) {
        NTH_TRY(nth_priv_spectral_take(&r->sp, r->A, false));
        NTH_TRY(nth_priv_regress_judge(r, opt->ridge));
        goto done;
    }
    for (ptrdiff_t i = 0; i < r->n; ++i) r->A.a[i * r->A.ld + i] += opt->ridge;
    NTH_TRY(nth_priv_regress_factor(r));
done:
    return st;
}

/* place.a = NULL: in memory of our own. */
static nth_status create(nth_regress **out, nth_cmat K, nth_mat place,
                         const nth_regress_options *opt)
{
    nth_status   st = NTH_OK;
    nth_regress *r = NULL;
    char         what[64];
    *out = NULL;
    NTH_TRY(check_kernel(K, opt));
    snprintf(what, sizeof what, "kernel regression with %td samples (%s)", K.rows,
             nth_regress_method_name(opt->method));
    NTH_TRY(nth_priv_mem_check(nth_regress_work_bytes(K.rows, opt->method, place.a != NULL), what));
    NTH_TRY(nth_priv_alloc(&r, 1, sizeof *r, "kernel regression"));
    r->n = K.rows, r->method = opt->method, r->intercept = opt->intercept, r->A = place;
    if (place.a == NULL) {
        NTH_TRY(nth_priv_mat(&r->A, K.rows, K.rows, "factor"));
        r->owned = r->A.a;
        nth_mat_copy(r->A, K);
    }
    NTH_TRY(factor(r, opt));
    *out = r, r = NULL;
done:
    nth_regress_destroy(&r);
    return st;
}

nth_status nth_regress_create(nth_regress **r, nth_cmat K, const nth_regress_options *opt)
{
    return create(r, K, (nth_mat){ 0 }, opt);
}

nth_status nth_regress_create_in_place(nth_regress **r, nth_mat K, const nth_regress_options *opt)
{
    return create(r, nth_const(K), K, opt);
}

void nth_regress_destroy(nth_regress **r)
{
    if (*r == NULL) return;
    nth_spectral_destroy(&(*r)->sp);
    nth_priv_free((*r)->owned);
    nth_pivots_free(&(*r)->pivots);
    nth_priv_free((*r)->mean);
    nth_priv_free((*r)->M);
    nth_priv_free(*r);
    *r = NULL;
}

nth_status nth_regress_set_ridge(nth_regress *r, double ridge)
{
    nth_status st = NTH_OK;
    NTH_REQUIRE(r->method == NTH_REGRESS_EIGEN, NTH_E_ARG,
                "method %s takes one ridge; eigen takes any number",
                nth_regress_method_name(r->method));
    NTH_TRY(nth_priv_regress_judge(r, ridge));
done:
    return st;
}

/* ---- Solving and predicting --------------------------------------------------------------------- */

/* B <- U diag(1/(d + rho)) U^T B. */
static nth_status solve_eigen(const nth_regress *r, nth_mat B)
{
    nth_status     st = NTH_OK;
    nth_mat        C = { 0 };
    const nth_cmat U = nth_const(r->sp->U);
    NTH_TRY(nth_priv_mat(&C, B.rows, B.cols, "projected targets"));
    NTH_TRY(nth_gemm(1.0, NTH_T, U, NTH_N, nth_const(B), 0.0, C));
    for (ptrdiff_t k = 0; k < C.rows; ++k)
        for (ptrdiff_t j = 0; j < C.cols; ++j) C.a[k * C.ld + j] /= r->sp->d[k] + r->info.ridge;
    NTH_TRY(nth_gemm(1.0, NTH_N, U, NTH_N, nth_const(C), 0.0, B));
done:
    nth_priv_free(C.a);
    return st;
}

nth_status nth_regress_solve(nth_mat alpha, double *offset, const nth_regress *r, nth_cmat Y)
{
    nth_status st = NTH_OK;
    NTH_REQUIRE(Y.rows == r->n && alpha.rows == r->n && alpha.cols == Y.cols, NTH_E_SHAPE,
                "targets %td x %td and coefficients %td x %td for %td samples", Y.rows, Y.cols,
                alpha.rows, alpha.cols, r->n);
    NTH_REQUIRE(!r->intercept || offset != NULL, NTH_E_ARG,
                "an intercept needs an array for the offsets");
    NTH_REQUIRE(nth_all_finite(Y), NTH_E_NUMERIC, "targets have an entry that is not finite");
    if (alpha.a != Y.a) nth_mat_copy(alpha, Y);
    for (ptrdiff_t j = 0; j < Y.cols && offset != NULL; ++j) {
        double mean = 0.0;
        for (ptrdiff_t i = 0; i < r->n && r->intercept; ++i)
            mean += alpha.a[i * alpha.ld + j] / (double)r->n;
        for (ptrdiff_t i = 0; i < r->n; ++i) alpha.a[i * alpha.ld + j] -= mean;
        offset[j] = mean;
    }
    NTH_TRY(r->method == NTH_REGRESS_EIGEN  ? solve_eigen(r, alpha)
            : r->method == NTH_REGRESS_LDLT ? nth_ldlt_solve(nth_const(r->A), &r->pivots, alpha)
                                            : nth_chol_solve(nth_const(r->A), alpha));
    for (ptrdiff_t i = 0; i < r->n && r->intercept; ++i)
        for (ptrdiff_t j = 0; j < Y.cols; ++j) offset[j] -= r->mean[i] * alpha.a[i * alpha.ld + j];
done:
    return st;
}

static nth_status check_finite(nth_cmat F, const char *what)
{
    nth_status st = NTH_OK;
    for (ptrdiff_t i = 0; i < F.rows; ++i)
        NTH_REQUIRE(nth_all_finite(nth_cblock(F, i, 0, 1, F.cols)), NTH_E_NUMERIC,
                    "%s %td is not finite", what, i + 1);
done:
    return st;
}

nth_status nth_regress_predict(nth_mat F, nth_cmat K_test, nth_cmat alpha, const double *offset)
{
    nth_status st = NTH_OK;
    NTH_TRY(nth_gemm(1.0, NTH_N, K_test, NTH_N, alpha, 0.0, F));
    for (ptrdiff_t i = 0; i < F.rows && offset != NULL; ++i)
        for (ptrdiff_t j = 0; j < F.cols; ++j) F.a[i * F.ld + j] += offset[j];
    NTH_TRY(check_finite(nth_const(F), "prediction"));
done:
    return st;
}

/* ---- Leaving out -------------------------------------------------------------------------------- */

/* The diagonal of M, once for each ridge. */
static nth_status find_M(nth_regress *r)
{
    nth_status   st = NTH_OK;
    const double rho = r->info.ridge,
                 constant = r->intercept ? 1.0 / ((double)r->n * (rho + r->shift)) : 0.0;
    if (r->have_M) return NTH_OK;
    if (r->method == NTH_REGRESS_CHOLESKY)
        NTH_TRY(nth_chol_inverse_diagonal(nth_const(r->A), r->M));
    if (r->method == NTH_REGRESS_LDLT) NTH_TRY(nth_ldlt_inverse_diagonal(nth_const(r->A), &r->pivots, r->M));
    for (ptrdiff_t i = 0; i < r->n && r->method == NTH_REGRESS_EIGEN; ++i) {
        const double *u = r->sp->U.a + i * r->sp->U.ld;
        r->M[i] = 0.0;
        for (ptrdiff_t k = 0; k < r->n; ++k) r->M[i] += u[k] * u[k] / (r->sp->d[k] + rho);
    }
    for (ptrdiff_t i = 0; i < r->n; ++i) r->M[i] -= constant;
    r->have_M = true;
done:
    return st;
}

nth_status nth_regress_loo(nth_mat E, nth_regress *r, nth_cmat alpha)
{
    nth_status st = NTH_OK;
    NTH_REQUIRE(alpha.rows == r->n && E.rows == r->n && E.cols == alpha.cols, NTH_E_SHAPE,
                "residuals %td x %td and coefficients %td x %td for %td samples", E.rows, E.cols,
                alpha.rows, alpha.cols, r->n);
    NTH_TRY(find_M(r));
    for (ptrdiff_t i = 0; i < r->n; ++i)
        for (ptrdiff_t j = 0; j < alpha.cols; ++j)
            E.a[i * E.ld + j] = alpha.a[i * alpha.ld + j] / r->M[i];
    NTH_TRY(check_finite(nth_const(E), "leave-one-out residual"));
done:
    return st;
}

nth_status nth_regress_gcv(double *gcv, nth_regress *r, nth_cmat alpha)
{
    nth_status st = NTH_OK;
    double     trace = 0.0;
    NTH_REQUIRE(alpha.rows == r->n, NTH_E_SHAPE, "coefficients %td x %td for %td samples",
                alpha.rows, alpha.cols, r->n);
    NTH_TRY(find_M(r));
    for (ptrdiff_t i = 0; i < r->n; ++i) trace += r->M[i] / (double)r->n;
    for (ptrdiff_t j = 0; j < alpha.cols; ++j) {
        gcv[j] = 0.0;
        for (ptrdiff_t i = 0; i < r->n; ++i)
            gcv[j] += alpha.a[i * alpha.ld + j] * alpha.a[i * alpha.ld + j] / (double)r->n;
        gcv[j] /= trace * trace;
        NTH_REQUIRE(isfinite(gcv[j]), NTH_E_NUMERIC,
                    "cross-validation is not finite: the inverse kernel has trace %g",
                    trace * (double)r->n);
    }
done:
    return st;
}

/* ---- Flow --------------------------------------------------------------------------------------- */

nth_status nth_regress_flow(nth_mat F, nth_spectral *sp, nth_cmat K_eval, nth_cmat Y, nth_cmat F0,
                            nth_cmat F0_eval, double t)
{
    nth_status      st = NTH_OK;
    const ptrdiff_t n = sp->n, c = Y.cols, k = K_eval.rows;
    double         *v = NULL; /* residual, then coefficients of one column */
    nth_mat         alpha = { 0 };
    NTH_REQUIRE(Y.rows == n && K_eval.cols == n && F.rows == k && F.cols == c, NTH_E_SHAPE,
                "targets %td x %td, kernel %td x %td, predictions %td x %td for %td samples",
                Y.rows, c, k, K_eval.cols, F.rows, F.cols, n);
    NTH_REQUIRE(
        (F0.a == NULL && F0_eval.a == NULL) || (F0.a != NULL && F0.rows == n && F0.cols == c &&
                                                F0_eval.rows == k && F0_eval.cols == c),
        NTH_E_SHAPE,
        "initial outputs %td x %td and %td x %td; expected %td x %td and %td x %td, or both empty",
        F0.rows, F0.cols, F0_eval.rows, F0_eval.cols, n, c, k, c);
    NTH_TRY(nth_priv_doubles(&v, n, "residual"));
    NTH_TRY(nth_priv_mat(&alpha, n, c, "coefficients"));
    for (ptrdiff_t j = 0; j < c; ++j) {
        for (ptrdiff_t i = 0; i < n; ++i)
            v[i] = (F0.a == NULL ? 0.0 : F0.a[i * F0.ld + j]) - Y.a[i * Y.ld + j];
        NTH_TRY(nth_priv_spectral_project(sp, v));
        NTH_TRY(nth_spectral_alpha(sp, t, v));
        for (ptrdiff_t i = 0; i < n; ++i) alpha.a[i * c + j] = -v[i];
    }
    NTH_TRY(nth_regress_predict(F, K_eval, nth_const(alpha), NULL));
    for (ptrdiff_t i = 0; i < k && F0_eval.a != NULL; ++i)
        for (ptrdiff_t j = 0; j < c; ++j) F.a[i * F.ld + j] += F0_eval.a[i * F0_eval.ld + j];
    NTH_TRY(check_finite(nth_const(F), "prediction"));
done:
    nth_priv_free(v);
    nth_priv_free(alpha.a);
    return st;
}
