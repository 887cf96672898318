/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Gradient flow under a frozen kernel, in the eigenbasis of the training kernel: residuals, their
 * time integral alpha_t and the weights Omega(t) of the double time integral (E24-E31).
 */
#include "alloc_priv.h"
#include "fail_priv.h"
#include "linalg_priv.h"
#include "ntk_priv.h"

#include <float.h>
#include <math.h>

double nth_phi(double x) { return fabs(x) < 1e-300 ? 1.0 : -expm1(-x) / x; }

/* The double series of E30, sum over i + j <= 17; converges for a + b < 1/2. */
static double q_series(double a, double b)
{
    double s = 0.0, ai = 1.0; /* (-a)^i / i! */
    for (int i = 0; i <= 17; ++i) {
        double bj = 1.0; /* (-b)^j / (j+1)! */
        for (int j = 0; i + j <= 17; ++j) {
            s += ai * bj / (i + j + 2);
            bj *= -b / (j + 2);
        }
        ai *= -a / (i + 1);
    }
    return s;
}

double nth_q(double a, double b)
{
    if (a + b < 0.5) return q_series(a, b);
    return (nth_phi(a) - exp(-a) * nth_phi(b)) / (a + b);
}

nth_status nth_priv_spectral_take(nth_spectral **out, nth_mat K, bool own)
{
    nth_status    st = NTH_OK;
    nth_spectral *sp = NULL;
    *out = NULL;
    NTH_REQUIRE(K.rows == K.cols && K.rows >= 1, NTH_E_SHAPE, "kernel is %td x %td", K.rows, K.cols);
    NTH_TRY(nth_priv_alloc(&sp, 1, sizeof *sp, "spectral flow"));
    sp->n = K.rows, sp->U = K;
    NTH_TRY(nth_priv_doubles(&sp->d, sp->n, "eigenvalues"));
    NTH_TRY(nth_priv_doubles(&sp->c, sp->n, "projected residual"));
    NTH_TRY(nth_eigh(nth_const(K), sp->d, K));
    sp->owned = own ? K.a : NULL;
    *out = sp, sp = NULL;
done:
    nth_spectral_destroy(&sp);
    return st;
}

nth_status nth_priv_spectral_project(nth_spectral *sp, const double *r0)
{
    return nth_gemv(1.0, NTH_T, nth_const(sp->U), r0, 0.0, sp->c);
}

nth_status nth_spectral_create(nth_spectral **out, nth_cmat K, const double *r0)
{
    nth_status st = NTH_OK;
    nth_mat    U = { 0 };
    *out = NULL;
    NTH_REQUIRE(K.rows == K.cols && K.rows >= 1, NTH_E_SHAPE, "kernel is %td x %td", K.rows, K.cols);
    NTH_TRY(nth_priv_mat(&U, K.rows, K.rows, "eigenvectors"));
    nth_mat_copy(U, K);
    NTH_TRY(nth_priv_spectral_take(out, U, true));
    U.a = NULL;
    NTH_TRY(nth_priv_spectral_project(*out, r0));
done:
    nth_priv_free(U.a);
    if (st != NTH_OK) nth_spectral_destroy(out);
    return st;
}

void nth_spectral_destroy(nth_spectral **sp)
{
    if (*sp == NULL) return;
    nth_priv_free((*sp)->owned);
    nth_priv_free((*sp)->d);
    nth_priv_free((*sp)->c);
    nth_priv_free(*sp);
    *sp = NULL;
}

const double *nth_spectral_values(const nth_spectral *sp) { return sp->d; }

/* out <- U w, w (n) given by its entries in the eigenbasis. */
static void from_eigenbasis(const nth_spectral *sp, double *out, double (*entry)(const nth_spectral *, ptrdiff_t, double),
                            double t)
{
    enum { CHUNK = 256 }; /* U is read along its rows; sums go over k in order */
    for (ptrdiff_t i = 0; i < sp->n; ++i) out[i] = 0.0;
    for (ptrdiff_t lo = 0; lo < sp->n; lo += CHUNK) {
        const ptrdiff_t count = sp->n - lo < CHUNK ? sp->n - lo : CHUNK;
        double          w[CHUNK];
        for (ptrdiff_t k = 0; k < count; ++k) w[k] = entry(sp, lo + k, t);
        for (ptrdiff_t i = 0; i < sp->n; ++i) {
            const double *u = sp->U.a + i * sp->U.ld + lo;
            for (ptrdiff_t k = 0; k < count; ++k) out[i] += u[k] * w[k];
        }
    }
}

/* At finite times an eigenvalue that is rounding counts as zero: a negative one would grow with t. */
static double rate_of(const nth_spectral *sp, ptrdiff_t k)
{
    return fabs(sp->d[k]) <= (double)sp->n * DBL_EPSILON * sp->d[sp->n - 1] ? 0.0 : sp->d[k];
}

static double residual_entry(const nth_spectral *sp, ptrdiff_t k, double t)
{
    return exp(-t * rate_of(sp, k) / (double)sp->n) * sp->c[k];
}

static double alpha_entry(const nth_spectral *sp, ptrdiff_t k, double t)
{
    const double s = t / (double)sp->n;
    return isinf(t) ? sp->c[k] / sp->d[k] : s * nth_phi(s * rate_of(sp, k)) * sp->c[k];
}

void nth_spectral_residual(const nth_spectral *sp, double t, double *u)
{
    from_eigenbasis(sp, u, residual_entry, t);
}

/* At t = infinity every eigenvalue divides: rounding noise must not pass for one. */
static nth_status check_time(const nth_spectral *sp, double t)
{
    nth_status   st = NTH_OK;
    const double floor = (double)sp->n * DBL_EPSILON * sp->d[sp->n - 1];
    NTH_REQUIRE(t >= 0.0, NTH_E_ARG, "time %g is negative", t);
    NTH_REQUIRE(!isinf(t) || sp->d[0] > floor, NTH_E_NUMERIC,
                "t = inf needs a positive definite kernel: smallest eigenvalue %.3e, rounding %.3e; "
                "use a finite time",
                sp->d[0], floor);
done:
    return st;
}

nth_status nth_spectral_alpha(const nth_spectral *sp, double t, double *alpha)
{
    nth_status st = check_time(sp, t);
    if (st == NTH_OK) from_eigenbasis(sp, alpha, alpha_entry, t);
    return st;
}

nth_status nth_spectral_omega(const nth_spectral *sp, double t, nth_mat Omega)
{
    nth_status      st = NTH_OK;
    nth_mat         Q = { 0 }, T = { 0 };
    const ptrdiff_t n = sp->n;
    const double    s = t / (double)n;
    NTH_REQUIRE(Omega.rows == n && Omega.cols == n, NTH_E_SHAPE, "weights %td x %td for %td points", Omega.rows,
                Omega.cols, n);
    NTH_TRY(check_time(sp, t));
    NTH_TRY(nth_priv_mat(&Q, n, n, "time weights"));
    NTH_TRY(nth_priv_mat(&T, n, n, "time weights"));
    for (ptrdiff_t i = 0; i < n; ++i)
        for (ptrdiff_t j = 0; j < n; ++j) {
            const double di = sp->d[i], dj = sp->d[j];
            const double q = isinf(t) ? 1.0 / (di * (di + dj)) : s * s * nth_q(s * rate_of(sp, i), s * rate_of(sp, j));
            Q.a[i * n + j] = sp->c[i] * sp->c[j] * q;
        }
    NTH_TRY(nth_gemm(1.0, NTH_N, nth_const(sp->U), NTH_N, nth_const(Q), 0.0, T));
    NTH_TRY(nth_gemm(1.0, NTH_N, nth_const(T), NTH_T, nth_const(sp->U), 0.0, Omega));
done:
    nth_priv_free(Q.a);
    nth_priv_free(T.a);
    return st;
}
