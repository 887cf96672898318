/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Gradient flow under a frozen kernel: phi and q against high-precision values (D14), residual,
 * alpha and Omega against power series in t that know no spectrum, the sum rule D10, the limit of
 * infinite time (E31), singular kernels, refusals.
 */
#include "nth_test.h"
#include "linalg_priv.h"
#include "nth/ntk.h"
#include "nth/rng.h"

#include <float.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

static const struct {
    double a, b, q;
} table[] = {
#include "golden/q.inc"
};

static void q_is_stable(void)
{
    double worst = 0.0, sum = 0.0;
    for (size_t i = 0; i < sizeof table / sizeof table[0]; ++i) {
        const double a = table[i].a, b = table[i].b;
        worst = nth_worst(worst, fabs(nth_q(a, b) / table[i].q - 1.0));
        sum = nth_worst(sum, fabs((nth_q(a, b) + nth_q(b, a)) / (nth_phi(a) * nth_phi(b)) - 1.0));
    }
    printf("    q: worst %.2e; q(a,b) + q(b,a) = phi phi: worst %.2e\n", worst, sum);
    NTH_CHECK_CLOSE(worst, 0.0, 0.0, 1e-14);
    NTH_CHECK_CLOSE(sum, 0.0, 0.0, 1e-14);
    NTH_CHECK(nth_q(0.0, 0.0) == 0.5);
    NTH_CHECK_CLOSE(nth_q(1e-300, 1e-300), 0.5, 1e-15, 0.0);
}

/* (1 - e^-x)/x by its series in long double, and its plain form where that is exact. */
static void phi_is_stable(void)
{
    static const double x[] = { 0.0,   1e-320, -1e-310, 1e-300, 1e-30, -1e-18, 1e-12,
                                -1e-7, 1e-3,   0.03,    0.5,    -0.7,  1.0,    -3.0,
                                7.0,   36.0,   750.0,   1e4,    1e200 };
    double              worst = 0.0;
    for (size_t i = 0; i < sizeof x / sizeof x[0]; ++i) {
        long double want = 0.0L, term = 1.0L;
        if (fabs(x[i]) > 2.0)
            want = -expm1l(-(long double)x[i]) / x[i];
        else
            for (int k = 0; k < 40; ++k) want += term, term *= -(long double)x[i] / (k + 2);
        worst = nth_worst(worst, (double)fabsl(nth_phi(x[i]) / want - 1.0L) / DBL_EPSILON);
    }
    NTH_CHECK_CLOSE(worst, 0.0, 0.0, 2.0);
}

enum { N = 5, TERMS = 70 };
static double K[N * N], r0[N];

/* A positive definite kernel of given size, eigenvalues spread over two decades. */
static void make_kernel(double size)
{
    double A[N * N];
    nth_rand_normals(A, N * N, 41, NTH_STREAM_TEST, 0, 0);
    nth_rand_normals(r0, N, 41, NTH_STREAM_TEST, 1, 0);
    for (int i = 0; i < N; ++i)
        for (int j = 0; j < N; ++j) {
            K[i * N + j] = 0.0;
            for (int k = 0; k < N; ++k)
                K[i * N + j] += size * A[i * N + k] * A[j * N + k] / (1 << k);
        }
    for (int i = 0; i < N; ++i) K[i * N + i] += 0.05 * size;
}

/* u, alpha, Omega by u_s = sum_k s^k a_k, a_{k+1} = -K a_k / (n (k+1)), integrated term by term. */
static void by_series(double t, double *u, double *alpha, double *omega)
{
    static long double a[TERMS][N];
    for (int i = 0; i < N; ++i) a[0][i] = r0[i];
    for (int k = 0; k + 1 < TERMS; ++k)
        for (int i = 0; i < N; ++i) {
            a[k + 1][i] = 0.0L;
            for (int j = 0; j < N; ++j)
                a[k + 1][i] -= K[i * N + j] * a[k][j] * t / (N * (k + 1.0L)); /* t^k inside */
        }
    for (int i = 0; i < N; ++i) {
        long double s = 0.0L, z = 0.0L;
        for (int k = TERMS - 1; k >= 0; --k) s += a[k][i], z += a[k][i] / (k + 1);
        u[i] = (double)s, alpha[i] = (double)(z * t / N);
        for (int j = 0; j < N; ++j) {
            long double w = 0.0L; /* int_0^t ds u_s,i int_0^s dv u_v,j */
            for (int p = TERMS - 1; p >= 0; --p)
                for (int q = TERMS - 1; q >= 0; --q)
                    w += a[p][i] * a[q][j] / ((q + 1.0L) * (p + q + 2.0L));
            omega[i * N + j] = (double)(w * t * t / (N * N));
        }
    }
}

static double max_abs(const double *x, int n)
{
    double m = 0.0;
    for (int i = 0; i < n; ++i) m = fmax(m, fabs(x[i]));
    return m;
}

static double max_difference(const double *x, const double *y, int n)
{
    double m = 0.0;
    for (int i = 0; i < n; ++i) m = nth_worst(m, fabs(x[i] - y[i]));
    return m / fmax(max_abs(y, n), 1e-300);
}

static void matches_power_series(void)
{
    static const double size[] = { 1e-9, 1e-3, 0.3, 3.0 };
    double              worst = 0.0, sums = 0.0;
    for (int s = 0; s < 4; ++s) {
        nth_spectral *sp = NULL;
        make_kernel(size[s]);
        NTH_CHECK_OK(nth_spectral_create(&sp, nth_cmat_of(K, N, N), r0));
        for (double t = 0.0; t < 2.5; t += 0.7) {
            double u[N], alpha[N], omega[N * N], u1[N], alpha1[N], omega1[N * N], sum[N * N],
                product[N * N];
            by_series(t, u1, alpha1, omega1);
            nth_spectral_residual(sp, t, u);
            NTH_CHECK_OK(nth_spectral_alpha(sp, t, alpha));
            NTH_CHECK_OK(nth_spectral_omega(sp, t, nth_mat_of(omega, N, N)));
            worst = nth_worst(worst, max_difference(u, u1, N));
            worst = nth_worst(worst, max_difference(alpha, alpha1, N));
            worst = nth_worst(worst, max_difference(omega, omega1, N * N));
            for (int i = 0; i < N; ++i)
                for (int j = 0; j < N; ++j) {
                    sum[i * N + j] = omega[i * N + j] + omega[j * N + i];
                    product[i * N + j] = alpha[i] * alpha[j];
                }
            sums = nth_worst(sums, max_difference(sum, product, N * N)); /* D10, E33 */
        }
        nth_spectral_destroy(&sp);
    }
    printf("    worst %.2e, sum rule %.2e\n", worst, sums);
    NTH_CHECK_CLOSE(worst, 0.0, 0.0, 1e-13);
    NTH_CHECK_CLOSE(sums, 0.0, 0.0, 1e-13);
}

/* K alpha_t = r_0 - u_t and the semigroup of residuals, at any time. */
static void identities_in_time(void)
{
    static const double times[] = { 1e-8, 0.1, 3.0, 80.0, 1e4, INFINITY };
    nth_spectral       *sp = NULL, *later = NULL;
    make_kernel(1.0);
    NTH_CHECK_OK(nth_spectral_create(&sp, nth_cmat_of(K, N, N), r0));
    for (int i = 0; i + 1 < N; ++i)
        NTH_CHECK(nth_spectral_values(sp)[i] <= nth_spectral_values(sp)[i + 1]);
    for (int k = 0; k < 6; ++k) {
        double u[N] = { 0 }, alpha[N], worst = 0.0;
        if (isfinite(times[k])) nth_spectral_residual(sp, times[k], u);
        NTH_CHECK_OK(nth_spectral_alpha(sp, times[k], alpha));
        for (int i = 0; i < N; ++i) {
            double s = u[i] - r0[i];
            for (int j = 0; j < N; ++j) s += K[i * N + j] * alpha[j];
            worst = nth_worst(worst, fabs(s));
        }
        NTH_CHECK_CLOSE(worst, 0.0, 0.0, 1e-13);
    }
    double u1[N], u2[N];
    nth_spectral_residual(sp, 0.8, u1);
    NTH_CHECK_OK(nth_spectral_create(&later, nth_cmat_of(K, N, N), u1));
    nth_spectral_residual(later, 1.9, u1);
    nth_spectral_residual(sp, 2.7, u2);
    NTH_CHECK_CLOSE(max_difference(u1, u2, N), 0.0, 0.0, 1e-13);
    nth_spectral_destroy(&later);
    nth_spectral_destroy(&sp);
    nth_spectral_destroy(&sp);
}

/* E31: at t = infinity K (K Omega + Omega K) = r_0 r_0^T; large times tend to it. */
static void infinite_time(void)
{
    nth_spectral *sp = NULL;
    double omega[N * N], late[N * N], alpha[N], late_alpha[N], KO[N * N], lhs[N * N], rr[N * N];
    make_kernel(1.0);
    NTH_CHECK_OK(nth_spectral_create(&sp, nth_cmat_of(K, N, N), r0));
    NTH_CHECK_OK(nth_spectral_omega(sp, INFINITY, nth_mat_of(omega, N, N)));
    NTH_CHECK_OK(nth_spectral_alpha(sp, INFINITY, alpha));
    for (int i = 0; i < N; ++i)
        for (int j = 0; j < N; ++j) {
            double s = 0.0;
            for (int k = 0; k < N; ++k)
                s += K[i * N + k] * omega[k * N + j] + omega[i * N + k] * K[k * N + j];
            KO[i * N + j] = s, rr[i * N + j] = r0[i] * r0[j];
        }
    for (int i = 0; i < N; ++i)
        for (int j = 0; j < N; ++j) {
            lhs[i * N + j] = 0.0;
            for (int k = 0; k < N; ++k) lhs[i * N + j] += K[i * N + k] * KO[k * N + j];
        }
    NTH_CHECK_CLOSE(max_difference(lhs, rr, N * N), 0.0, 0.0,
                    1e-12); /* eps times the condition number squared */
    /* t d_min / n > 60: e^-60 is below eps */
    const double t = 60.0 * N / nth_spectral_values(sp)[0];
    NTH_CHECK_OK(nth_spectral_omega(sp, t, nth_mat_of(late, N, N)));
    NTH_CHECK_OK(nth_spectral_alpha(sp, t, late_alpha));
    NTH_CHECK_CLOSE(max_difference(late, omega, N * N), 0.0, 0.0, 1e-14);
    NTH_CHECK_CLOSE(max_difference(late_alpha, alpha, N), 0.0, 0.0, 1e-14);
    nth_spectral_destroy(&sp);
}

/* A kernel with two equal rows: finite times work, infinity is refused. */
static void singular_kernel(void)
{
    nth_spectral *sp = NULL;
    double        alpha[N], omega[N * N], u[N];
    make_kernel(1.0);
    for (int j = 0; j < N; ++j) K[4 * N + j] = K[3 * N + j];
    for (int i = 0; i < N; ++i) K[i * N + 4] = K[i * N + 3];
    NTH_CHECK_OK(nth_spectral_create(&sp, nth_cmat_of(K, N, N), r0));
    NTH_CHECK(fabs(nth_spectral_values(sp)[0]) < 1e-14 && nth_spectral_values(sp)[1] > 1e-3);
    NTH_CHECK_OK(nth_spectral_alpha(sp, 100.0, alpha));
    NTH_CHECK_OK(nth_spectral_omega(sp, 100.0, nth_mat_of(omega, N, N)));
    nth_spectral_residual(sp, 100.0, u);
    NTH_CHECK(nth_all_finite(nth_cmat_of(omega, N, N)) && nth_all_finite(nth_cmat_of(alpha, 1, N)));
    NTH_CHECK_CLOSE(u[3] - u[4], r0[3] - r0[4], 1e-13, 0.0); /* this part never decays */
    NTH_CHECK_CLOSE(alpha[3] - alpha[4], 100.0 / N * (r0[3] - r0[4]), 1e-12, 0.0);
    NTH_CHECK_STATUS(nth_spectral_alpha(sp, INFINITY, alpha), NTH_E_NUMERIC);
    NTH_CHECK_MESSAGE("positive definite");
    NTH_CHECK_STATUS(nth_spectral_omega(sp, INFINITY, nth_mat_of(omega, N, N)), NTH_E_NUMERIC);
    nth_spectral_destroy(&sp);
}

static void refusals(void)
{
    nth_spectral *sp = NULL;
    double        x[N * N], bad[N * N];
    make_kernel(1.0);
    NTH_CHECK_STATUS(nth_spectral_create(&sp, nth_cmat_of(K, N, N - 1), r0), NTH_E_SHAPE);
    NTH_CHECK_STATUS(nth_spectral_create(&sp, (nth_cmat){ 0 }, r0), NTH_E_SHAPE);
    memcpy(bad, K, sizeof bad);
    bad[7] = NAN;
    NTH_CHECK_STATUS(nth_spectral_create(&sp, nth_cmat_of(bad, N, N), r0), NTH_E_NUMERIC);
    NTH_CHECK(sp == NULL);
    NTH_CHECK_OK(nth_spectral_create(&sp, nth_cmat_of(K, N, N), r0));
    NTH_CHECK_STATUS(nth_spectral_alpha(sp, -1.0, x), NTH_E_ARG);
    NTH_CHECK_STATUS(nth_spectral_alpha(sp, NAN, x), NTH_E_ARG);
    NTH_CHECK_STATUS(nth_spectral_omega(sp, -1.0, nth_mat_of(x, N, N)), NTH_E_ARG);
    NTH_CHECK_STATUS(nth_spectral_omega(sp, 1.0, nth_mat_of(x, N, N - 1)), NTH_E_SHAPE);
    NTH_CHECK_STATUS(nth_spectral_omega(sp, 1.0, nth_mat_of(x, N - 1, N)), NTH_E_SHAPE);
    nth_spectral_destroy(&sp);
}

static nth_status build(void)
{
    nth_spectral *sp = NULL;
    double        omega[N * N];
    nth_status    st = nth_spectral_create(&sp, nth_cmat_of(K, N, N), r0);
    if (st == NTH_OK) st = nth_spectral_omega(sp, 1.0, nth_mat_of(omega, N, N));
    nth_spectral_destroy(&sp);
    return st;
}

static void survives_failing_allocations(void)
{
    make_kernel(1.0);
    nth_test_every_allocation_fails(build);
}

int main(void)
{
    return nth_test_main(
        "spectral",
        (nth_test_case[]){ { "q_is_stable", q_is_stable },
                           { "phi_is_stable", phi_is_stable },
                           { "matches_power_series", matches_power_series },
                           { "identities_in_time", identities_in_time },
                           { "infinite_time", infinite_time },
                           { "singular_kernel", singular_kernel },
                           { "refusals", refusals },
                           { "survives_failing_allocations", survives_failing_allocations },
                           { 0 } });
}
