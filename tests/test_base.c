/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * base/: memory, products, factorisations, random numbers, vector math, integrator.
 */
#include "nth_test.h"
#include "alloc_priv.h"
#include "linalg_priv.h"
#include "nth/rng.h"
#include "ode_priv.h"
#include "par_priv.h"
#include "rank_priv.h"
#include "vmath.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { M = 37, N = 29, K = 301 };

static double A[M * K], B[K * N], C[M * N];

static void fill(double *x, ptrdiff_t n, uint32_t run) { nth_rand_normals(x, n, 5, NTH_STREAM_TEST, run, 0); }

static void gemm_matches_loops(void)
{
    double worst = 0.0;
    fill(A, M * K, 0), fill(B, K * N, 1);
    NTH_CHECK_OK(nth_gemm(2.0, NTH_N, nth_cmat_of(A, M, K), NTH_N, nth_cmat_of(B, K, N), 0.0, nth_mat_of(C, M, N)));
    for (int i = 0; i < M; ++i)
        for (int j = 0; j < N; ++j) {
            double s = 0.0, bound = 0.0;
            for (int k = 0; k < K; ++k) s += A[i * K + k] * B[k * N + j], bound += fabs(A[i * K + k] * B[k * N + j]);
            worst = nth_worst(worst, fabs(C[i * N + j] - 2.0 * s) / (2.0 * K * 2.2e-16 * bound));
        }
    NTH_CHECK_CLOSE(worst, 0.0, 0.0, 1.0); /* k eps |A||B| */
    NTH_CHECK_STATUS(nth_gemm(1.0, NTH_N, nth_cmat_of(A, M, K), NTH_N, nth_cmat_of(B, N, K), 0.0, nth_mat_of(C, M, N)),
                     NTH_E_SHAPE);
    NTH_CHECK_MESSAGE("37 x 301");
}

/* All four forms, tiled and not, with rows apart; what lies between them is not touched. */
static void single_gemm_matches_loops(void)
{
    enum { R = 260, S = 515, T = 40 };
    static double x[R * T], z[S * T];
    static float  a[2][R * T], b[2][S * T], c[R * (S + 1)];
    fill(x, R * T, 7), fill(z, S * T, 8);
    for (int i = 0; i < R; ++i)
        for (int k = 0; k < T; ++k) a[0][i * T + k] = a[1][k * R + i] = (float)x[i * T + k];
    for (int j = 0; j < S; ++j)
        for (int k = 0; k < T; ++k) b[0][k * S + j] = b[1][j * T + k] = (float)z[j * T + k];
    for (int form = 0; form < 8; ++form) {
        const int       ta = form & 1, tb = form >> 1 & 1;
        const ptrdiff_t r = form < 4 ? R : 9, s = form < 4 ? S : 11;
        double          worst = 0.0;
        for (ptrdiff_t i = 0; i < R * (S + 1); ++i) c[i] = -7.0f;
        const nth_csmat Y = ta ? (nth_csmat){ a[1], T, r, R } : (nth_csmat){ a[0], r, T, T };
        const nth_csmat Z = tb ? (nth_csmat){ b[1], s, T, T } : (nth_csmat){ b[0], T, s, S };
        NTH_CHECK_OK(nth_gemm_single(2.0, ta ? NTH_T : NTH_N, Y, tb ? NTH_T : NTH_N, Z, 0.0, (nth_smat){ c, r, s, s + 1 }));
        for (ptrdiff_t i = 0; i < r; ++i)
            for (ptrdiff_t j = 0; j <= s; ++j) {
                double sum = 0.0, bound = 0.0;
                for (int k = 0; k < T && j < s; ++k) {
                    const double term = (double)a[0][i * T + k] * (double)b[0][k * S + j];
                    sum += term, bound += fabs(term);
                }
                if (j == s) sum = -3.5, bound = 0.0;
                const double err = fabs((double)c[i * (s + 1) + j] - 2.0 * sum);
                worst = nth_worst(worst, bound > 0.0 ? err / (2.0 * T * 1.2e-7 * bound) : err);
            }
        NTH_CHECK_CLOSE(worst, 0.0, 0.0, 1.0);
    }
    NTH_CHECK_STATUS(nth_gemm_single(1.0, NTH_N, (nth_csmat){ a[0], 3, 4, 4 }, NTH_N, (nth_csmat){ b[0], 3, 4, 4 }, 0.0, (nth_smat){ c, 3, 4, 4 }),
                     NTH_E_SHAPE);
}

static void eigen_and_svd_reconstruct(void)
{
    double S[N * N], U[N * N], d[N], worst = 0.0, sv[N], Us[M * N], Vt[N * N], X[M * N];
    fill(A, N * K, 2);
    NTH_CHECK_OK(nth_gram(1.0, nth_cmat_of(A, N, K), 0.0, nth_mat_of(S, N, N)));
    NTH_CHECK_OK(nth_eigh(nth_cmat_of(S, N, N), d, nth_mat_of(U, N, N)));
    for (int i = 0; i < N; ++i)
        for (int j = 0; j < N; ++j) {
            double s = 0.0;
            for (int k = 0; k < N; ++k) s += U[i * N + k] * d[k] * U[j * N + k];
            worst = nth_worst(worst, fabs(s - S[i * N + j]));
        }
    NTH_CHECK_CLOSE(worst, 0.0, 0.0, N * 2.2e-16 * d[N - 1]);
    fill(X, M * N, 3);
    memcpy(C, X, sizeof X);
    NTH_CHECK_OK(nth_svd(nth_mat_of(X, M, N), nth_mat_of(Us, M, N), sv, nth_mat_of(Vt, N, N)));
    worst = 0.0;
    for (int i = 0; i < M; ++i)
        for (int j = 0; j < N; ++j) {
            double s = 0.0;
            for (int k = 0; k < N; ++k) s += Us[i * N + k] * sv[k] * Vt[k * N + j];
            worst = nth_worst(worst, fabs(s - C[i * N + j]));
        }
    NTH_CHECK_CLOSE(worst, 0.0, 0.0, M * 2.2e-16 * sv[0]);
}

static void solve_reproduces_rhs(void)
{
    double S[9] = { 2, 1, 0, 1, 3, 1, 5, 0, 4 }, b[6] = { 1, 2, 3, 4, 5, 6 }, T[9];
    memcpy(T, S, sizeof S);
    NTH_CHECK_OK(nth_solve(nth_mat_of(T, 3, 3), nth_mat_of(b, 3, 2)));
    for (int i = 0; i < 3; ++i)
        for (int j = 0; j < 2; ++j)
            NTH_CHECK_CLOSE(S[3 * i] * b[j] + S[3 * i + 1] * b[2 + j] + S[3 * i + 2] * b[4 + j], 2 * i + j + 1, 1e-14, 0);
}

/* Philox4x32-10, counter and key 0: 6627e8d5 e169c58d bc57ac4c 9b00dbd8 (Random123 kat_vectors). */
static void random_numbers_are_addressed(void)
{
    double a[1001], b[1001], sum = 0.0, sq = 0.0;
    NTH_CHECK_CLOSE(nth_rand_uniform(0, NTH_STREAM_WEIGHTS, 0, 0), (double)0x6627e8d5e169cull / 0x1p52, 1e-12, 0);
    nth_rand_normals(a, 1001, 7, NTH_STREAM_WEIGHTS, 3, 0);
    for (int i = 0; i < 1001; ++i) nth_rand_normals(b + i, 1, 7, NTH_STREAM_WEIGHTS, 3, (uint64_t)i);
    NTH_CHECK(memcmp(a, b, sizeof a) == 0);
    for (int i = 0; i < 1001; ++i) sum += a[i], sq += a[i] * a[i];
    NTH_CHECK_CLOSE(sum / 1001, 0.0, 0.0, 6.0 / sqrt(1001.0));
    NTH_CHECK_CLOSE(sq / 1001, 1.0, 0.0, 6.0 * sqrt(2.0 / 1001.0));
    NTH_CHECK(nth_seed_derive(1, 2, 3) != nth_seed_derive(1, 3, 2));
}

static double reference(int f, double x)
{
    switch (f) {
    case 0: return exp(x);
    case 1: return log(fabs(x) + 0.1);
    case 2: return log1p(fabs(x));
    case 3: return sin(x);
    case 4: return cos(x);
    case 5: return tanh(x);
    default: return erf(x);
    }
}

/* libmvec promises 4 ulp; the position in the array must not matter. */
static void vector_math_is_accurate(void)
{
    static void (*const vf[])(double *, const double *, ptrdiff_t) = { nth_vexp, nth_vlog,  nth_vlog1p, nth_vsin,
                                                                       nth_vcos, nth_vtanh, nth_verf };
    double x[1003], y[1003], one;
    for (int f = 0; f < 7; ++f) {
        double worst = 0.0;
        for (int i = 0; i < 1003; ++i) {
            x[i] = -6.0 + 12.0 * i / 1002.0;
            if (f == 1) x[i] = fabs(x[i]) + 0.1;
            if (f == 2) x[i] = fabs(x[i]);
        }
        vf[f](y, x, 1003);
        for (int i = 0; i < 1003; ++i) {
            const double want = f == 1 ? log(x[i]) : reference(f, x[i]);
            worst = nth_worst(worst, fabs(y[i] - want) / (fabs(want) + 1e-300) / 2.2e-16);
        }
        /* near a zero of sin or cos the absolute error is what libmvec bounds */
        NTH_CHECK_CLOSE(worst, 0.0, 0.0, f == 3 || f == 4 ? 64.0 : 6.0);
        vf[f](&one, x + 1001, 1);
        NTH_CHECK(memcmp(&one, y + 1001, sizeof one) == 0);
    }
}

static nth_status decay(double t, const double *y, double *dydt, void *ctx)
{
    (void)t, (void)ctx;
    dydt[0] = -y[0];
    return NTH_OK;
}

static void integrator_reaches_its_tolerance(void)
{
    nth_ode_options opt = { .method = NTH_ODE_RK8PD, .rtol = 1e-12, .atol = 1e-14 };
    nth_ode        *ode = NULL;
    double          t = 0.0, y = 1.0, err[2];
    long            steps = 0;
    NTH_CHECK_OK(nth_ode_create(&ode, 1, &opt, decay, NULL));
    NTH_CHECK_OK(nth_ode_advance(ode, &t, 3.0, &y, &steps));
    NTH_CHECK_CLOSE(y, exp(-3.0), 1e-11, 0.0);
    nth_ode_destroy(&ode);
    for (int k = 0; k < 2; ++k) { /* fixed steps: Cash-Karp propagates order 5 */
        opt = (nth_ode_options){ .method = NTH_ODE_RKCK, .fixed_steps = 10 << k };
        t = 0.0, y = 1.0;
        NTH_CHECK_OK(nth_ode_create(&ode, 1, &opt, decay, NULL));
        NTH_CHECK_OK(nth_ode_advance(ode, &t, 3.0, &y, &steps));
        err[k] = fabs(y - exp(-3.0));
        nth_ode_destroy(&ode);
    }
    NTH_CHECK_CLOSE(log2(err[0] / err[1]), 5.0, 0.0, 0.6);
}

/* Each sample against its rank by counting smaller keys; a gap in the samples does not move the others' keys. */
static void samples_rank_by_their_keys(void)
{
    enum { COUNT = 41 };
    nth_ranked all[COUNT], some[COUNT];
    ptrdiff_t  at = 0;
    for (ptrdiff_t i = 0; i < COUNT; ++i) all[i].sample = COUNT - 1 - i;
    nth_priv_rank(all, COUNT, 9, NTH_SPLIT_LABELS);
    for (ptrdiff_t i = 0; i < COUNT; ++i) {
        const double key = nth_rand_uniform(9, NTH_STREAM_SPLIT, 3, (uint64_t)all[i].sample);
        ptrdiff_t    smaller = 0;
        for (ptrdiff_t j = 0; j < COUNT; ++j) smaller += nth_rand_uniform(9, NTH_STREAM_SPLIT, 3, (uint64_t)j) < key;
        NTH_CHECK(all[i].key == key && smaller == i);
    }
    for (ptrdiff_t i = 0; i < COUNT; i += 2) some[at++].sample = i;
    nth_priv_rank(some, at, 9, NTH_SPLIT_LABELS);
    at = 0;
    for (ptrdiff_t i = 0; i < COUNT; ++i)
        if (all[i].sample % 2 == 0) NTH_CHECK(some[at++].sample == all[i].sample);
    nth_priv_rank(some, 0, 9, NTH_SPLIT_TRAIN); /* none: nothing to do */
    NTH_CHECK(NTH_SPLIT_TRAIN == 0 && NTH_SPLIT_TEST == 1 && NTH_SPLIT_FOLDS == 2); /* numbers on record */
}

static nth_status build(void)
{
    nth_status st;
    nth_mat    m = { 0 }, u = { 0 };
    double    *d = NULL;
    if ((st = nth_priv_mat(&m, 5, 5, "m")) != NTH_OK) goto done;
    if ((st = nth_priv_mat(&u, 5, 5, "u")) != NTH_OK) goto done;
    if ((st = nth_priv_doubles(&d, 5, "d")) != NTH_OK) goto done;
    st = nth_eigh(nth_const(m), d, u);
done:
    nth_priv_free(m.a), nth_priv_free(u.a), nth_priv_free(d);
    return st;
}
static void survives_no_memory(void)
{
    nth_mat m;
    nth_test_every_allocation_fails(build);
    NTH_CHECK_STATUS(nth_priv_mat(&m, PTRDIFF_MAX / 2, 8, "far too large"), NTH_E_NOMEM);
    NTH_CHECK_MESSAGE("far too large");
    NTH_CHECK_STATUS(nth_priv_mem_check(1e18, "the sweep"), NTH_E_NOMEM);
}

/* Linear systems of all sizes up to 40, as collocation has them, and a large one. */
static void solve_has_the_same_bits_on_any_threads(void)
{
    enum { MOST = 300 };
    static double left[MOST * MOST], first[MOST], again[MOST];
    const int     had = nth_priv_threads();
    for (ptrdiff_t n = 1; n <= MOST; n += n < 40 ? 1 : MOST - 40)
        for (int threads = 1; threads <= 7; threads += 2) {
            double *b = threads == 1 ? first : again;
            nth_rand_normals(left, n * n, 1, NTH_STREAM_TEST, 0, 0);
            nth_rand_normals(b, n, 1, NTH_STREAM_TEST, 1, 0);
            nth_priv_set_threads(threads);
            NTH_CHECK_OK(nth_solve(nth_mat_of(left, n, n), nth_mat_of(b, n, 1)));
            if (threads > 1) NTH_CHECK(memcmp(first, again, (size_t)n * sizeof *first) == 0);
        }
    nth_priv_set_threads(had);
}

int main(void)
{
    return nth_test_main("base", (nth_test_case[]){ { "gemm_matches_loops", gemm_matches_loops },
                                                    { "single_gemm_matches_loops", single_gemm_matches_loops },
                                                    { "eigen_and_svd_reconstruct", eigen_and_svd_reconstruct },
                                                    { "solve_reproduces_rhs", solve_reproduces_rhs },
                                                    { "random_numbers_are_addressed", random_numbers_are_addressed },
                                                    { "samples_rank_by_their_keys", samples_rank_by_their_keys },
                                                    { "vector_math_is_accurate", vector_math_is_accurate },
                                                    { "integrator_reaches_its_tolerance", integrator_reaches_its_tolerance },
                                                    { "solve_has_the_same_bits_on_any_threads", solve_has_the_same_bits_on_any_threads },
                                                    { "survives_no_memory", survives_no_memory },
                                                    { 0 } });
}
