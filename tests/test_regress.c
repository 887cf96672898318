/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Kernel regression: stored values (S5, T1, T4), three methods against each other and against LU of
 * the plain and the bordered system, leave-one-out against leaving out, singular and indefinite
 * kernels, the ends of the spectrum. Gradient flow is in test_regress_flow.c.
 */
#include "nth_test.h"
#include "alloc_priv.h"
#include "linalg_priv.h"
#include "nth/regress.h"
#include "nth/rng.h"
#include "par_priv.h"

#include <float.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { METHODS = 3, BIG = 700, MAX = BIG, LD = MAX + 3, C = 3 };
static const nth_regress_method methods[METHODS] = { NTH_REGRESS_CHOLESKY, NTH_REGRESS_LDLT,
                                                     NTH_REGRESS_EIGEN };

static double store[MAX * LD], targets[MAX * C];

static nth_mat view(ptrdiff_t n) { return (nth_mat){ store, n, n, LD }; }

/* (1/n) A A^T of a random A (n x rank) with columns that decay, less `less` on the diagonal; targets too. */
static nth_mat make_kernel(ptrdiff_t n, ptrdiff_t rank, double decay, double less)
{
    static double A[MAX * MAX];
    double        scale = 1.0 / (double)n;
    memset(store, 0xff, sizeof store); /* what lies between the rows is NaN */
    nth_rand_normals(A, n * rank, 7, NTH_STREAM_TEST, 0, 0);
    nth_rand_normals(targets, n * C, 7, NTH_STREAM_TEST, 1, 0);
    for (ptrdiff_t i = 0; i < n; ++i)
        for (ptrdiff_t j = 0; j < n; ++j) store[i * LD + j] = i == j ? -less : 0.0;
    for (ptrdiff_t k = 0; k < rank; ++k, scale *= decay)
        for (ptrdiff_t i = 0; i < n; ++i)
            for (ptrdiff_t j = 0; j < n; ++j)
                store[i * LD + j] += scale * A[i * rank + k] * A[j * rank + k];
    return view(n);
}

static nth_regress *make(nth_cmat K, nth_regress_method method, double ridge, bool intercept)
{
    nth_regress *r = NULL;
    NTH_CHECK_OK(nth_regress_create(&r, K, &(nth_regress_options){ method, ridge, intercept }));
    return r;
}

static double distance(const double *a, const double *b, ptrdiff_t n)
{
    double worst = 0.0;
    for (ptrdiff_t i = 0; i < n; ++i) worst = nth_worst(worst, fabs(a[i] - b[i]));
    return worst;
}

/* ---- Stored values ------------------------------------------------------------------------------ */

/* Fixture S: two-layer relu kernel of four unit vectors; fixture T: exp(-(i-j)^2/4). */
static void stored_values(void)
{
    static const double S[16] = {
        1.0, 0.6364310457393136, 0.5502236132929963, 0.4711655571887813, 0.6364310457393136,
        1.0, 0.3982638669627817, 0.5502236132929963, 0.5502236132929963, 0.3982638669627817,
        1.0, 0.3309201445208456, 0.4711655571887813, 0.5502236132929963, 0.3309201445208456,
        1.0
    };
    static const double yS[4] = { 1, -1, 1, -1 }, yT[4] = { 1, -1, 1, 1 };
    static const double S5[4] = { 1.217475321469813, -1.18046941406966, 0.6967942412725766,
                                  -0.8575936094115558 };
    double              T[16];
    for (int i = 0; i < 16; ++i) T[i] = exp(-pow(i / 4 - i % 4, 2.0) / 4.0);
    for (int m = 0; m < METHODS; ++m) {
        double       alpha[4], e[4], gcv = 0.0, square = 0.0;
        nth_regress *r = make(nth_cmat_of(S, 4, 4), methods[m], 0.05, false);
        NTH_CHECK_OK(nth_regress_solve(nth_mat_of(alpha, 4, 1), NULL, r, nth_cmat_of(yS, 4, 1)));
        NTH_CHECK_OK(nth_regress_loo(nth_mat_of(e, 4, 1), r, nth_cmat_of(alpha, 4, 1)));
        for (int i = 0; i < 4; ++i) NTH_CHECK_CLOSE(e[i], S5[i], 1e-12, 0.0);
        nth_regress_destroy(&r);
        r = make(nth_cmat_of(T, 4, 4), methods[m], 0.4, false);
        NTH_CHECK_OK(nth_regress_solve(nth_mat_of(alpha, 4, 1), NULL, r, nth_cmat_of(yT, 4, 1)));
        NTH_CHECK_OK(nth_regress_gcv(&gcv, r, nth_cmat_of(alpha, 4, 1)));
        NTH_CHECK_CLOSE(gcv, 2.05405701788651, 1e-12, 0.0); /* T1 */
        NTH_CHECK_OK(nth_regress_loo(nth_mat_of(e, 4, 1), r, nth_cmat_of(alpha, 4, 1)));
        for (int i = 0; i < 4; ++i) square += e[i] * e[i] / 4.0;
        NTH_CHECK_CLOSE(square, 1.899946236654008, 1e-12, 0.0); /* T4 */
        nth_regress_destroy(&r);
        nth_regress_destroy(&r);
    }
}

/* ---- Against LU --------------------------------------------------------------------------------- */

/* alpha and offset of the system [K + rho I, 1; 1^T, 0] (with an intercept) or K + rho I, by LU, without
 * the samples `out` (none if negative); the prediction for that sample in f (C). */
static void by_lu(double *alpha, double *offset, double *f, nth_cmat K, double ridge,
                  bool intercept, ptrdiff_t out)
{
    const ptrdiff_t n = K.rows - (out >= 0), size = n + intercept;
    double         *A = calloc((size_t)(size * size), sizeof *A),
           *B = calloc((size_t)(size * C), sizeof *B);
    for (ptrdiff_t i = 0; i < n; ++i) {
        const ptrdiff_t p = i + (out >= 0 && i >= out);
        for (ptrdiff_t j = 0; j < n; ++j)
            A[i * size + j] = K.a[p * K.ld + j + (out >= 0 && j >= out)] + (i == j ? ridge : 0.0);
        for (ptrdiff_t j = 0; j < C; ++j) B[i * C + j] = targets[p * C + j];
        if (intercept) A[i * size + n] = A[n * size + i] = 1.0;
    }
    NTH_CHECK_OK(nth_solve(nth_mat_of(A, size, size), nth_mat_of(B, size, C)));
    if (alpha != NULL) memcpy(alpha, B, (size_t)(n * C) * sizeof *B);
    for (ptrdiff_t j = 0; j < C; ++j) {
        if (offset != NULL) offset[j] = intercept ? B[n * C + j] : 0.0;
        if (f == NULL) continue;
        f[j] = intercept ? B[n * C + j] : 0.0;
        for (ptrdiff_t i = 0; i < n; ++i) f[j] += K.a[out * K.ld + i + (i >= out)] * B[i * C + j];
    }
    free(A), free(B);
}

/* Bound c n eps cond of a solve, relative to the solution. */
static double solve_bound(const nth_regress *r, ptrdiff_t n, double size)
{
    return 8.0 * (double)n * DBL_EPSILON * nth_regress_get_info(r).cond * size;
}

/* One block of unit vectors, and several. */
static void methods_agree(void)
{
    static const ptrdiff_t size[] = { 1, 2, 41, 317, BIG };
    static double          alpha[MAX * C], want[MAX * C];
    for (int s = 0; s < 5; ++s) {
        const ptrdiff_t n = size[s];
        const nth_cmat  K = nth_const(make_kernel(n, n, 1.0, 0.0)), Y = nth_cmat_of(targets, n, C);
        double          gcv[METHODS][C], e[2][MAX * C];
        by_lu(want, NULL, NULL, K, 0.2, false, -1);
        for (int m = 0; m < METHODS; ++m) {
            nth_regress *r = make(K, methods[m], 0.2, false);
            NTH_CHECK_OK(nth_regress_solve(nth_mat_of(alpha, n, C), NULL, r, Y));
            const double bound = solve_bound(r, n, nth_max_abs(nth_cmat_of(want, n, C)));
            NTH_CHECK_CLOSE(distance(alpha, want, n * C), 0.0, 0.0, bound);
            NTH_CHECK_OK(nth_regress_loo(nth_mat_of(e[m > 0], n, C), r, nth_cmat_of(alpha, n, C)));
            NTH_CHECK_OK(nth_regress_gcv(gcv[m], r, nth_cmat_of(alpha, n, C)));
            if (m > 0) NTH_CHECK_CLOSE(distance(e[0], e[1], n * C), 0.0, 0.0, 1e-11);
            for (int j = 0; j < C; ++j) NTH_CHECK_CLOSE(gcv[m][j], gcv[0][j], 1e-12, 0.0);
            nth_regress_destroy(&r);
        }
    }
}

/* Predictions do not change when a constant is added to the kernel, for that is what centring removes. */
static void intercept_is_a_bordered_system(void)
{
    enum { N = 23 };
    double want[N * C], alpha[N * C], offset[C], got[C], f[N * C], g[N * C];
    for (int which = 0; which < 3; ++which) { /* with and without ridge; indefinite */
        const nth_cmat K = nth_const(make_kernel(N, N, 1.0, which == 2 ? 0.05 : 0.0));
        const double   ridge = which == 0 ? 0.3 : 0.0;
        by_lu(want, offset, NULL, K, ridge, true, -1);
        for (int m = which == 2; m < METHODS; ++m) {
            nth_regress *r = make(K, methods[m], ridge, true);
            NTH_CHECK_OK(
                nth_regress_solve(nth_mat_of(alpha, N, C), got, r, nth_cmat_of(targets, N, C)));
            const double bound = solve_bound(r, N, nth_max_abs(nth_cmat_of(want, N, C)));
            NTH_CHECK_CLOSE(distance(alpha, want, N * C), 0.0, 0.0, bound);
            NTH_CHECK_CLOSE(distance(got, offset, C), 0.0, 0.0, bound);
            NTH_CHECK_OK(
                nth_regress_predict(nth_mat_of(f, N, C), K, nth_cmat_of(alpha, N, C), got));
            for (int i = 0; i < N * C; ++i)
                NTH_CHECK_CLOSE(f[i], targets[i] - ridge * alpha[i], 0.0,
                                bound); /* f = y - rho alpha */
            nth_regress_destroy(&r);
            for (int i = 0; i < N; ++i)
                for (int j = 0; j < N; ++j) store[i * LD + j] += 2.5;
            r = make(K, methods[m], ridge, true);
            NTH_CHECK_OK(
                nth_regress_solve(nth_mat_of(alpha, N, C), got, r, nth_cmat_of(targets, N, C)));
            NTH_CHECK_OK(
                nth_regress_predict(nth_mat_of(g, N, C), K, nth_cmat_of(alpha, N, C), got));
            NTH_CHECK_CLOSE(distance(f, g, N * C), 0.0, 0.0, 10.0 * bound);
            nth_regress_destroy(&r);
            for (int i = 0; i < N; ++i)
                for (int j = 0; j < N; ++j) store[i * LD + j] -= 2.5;
        }
    }
}

static void loo_is_leaving_out(void)
{
    enum { N = 19 };
    double e[N * C], alpha[N * C], offset[C], f[C];
    for (int which = 0; which < 8; ++which) { /* ridge, intercept, indefinite */
        const nth_cmat K = nth_const(make_kernel(N, N, 1.0, which >= 4 ? 0.1 : 0.0));
        const double   ridge = which & 1 ? 0.3 : 0.0;
        for (int m = which >= 4; m < METHODS; ++m) {
            double       worst = 0.0;
            nth_regress *r = make(K, methods[m], ridge, which & 2);
            NTH_CHECK_OK(
                nth_regress_solve(nth_mat_of(alpha, N, C), offset, r, nth_cmat_of(targets, N, C)));
            NTH_CHECK_OK(nth_regress_loo(nth_mat_of(e, N, C), r, nth_cmat_of(alpha, N, C)));
            for (int i = 0; i < N; ++i) {
                by_lu(NULL, NULL, f, K, ridge, which & 2, i);
                for (int j = 0; j < C; ++j)
                    worst = nth_worst(worst, fabs(targets[i * C + j] - f[j] - e[i * C + j]));
            }
            NTH_CHECK_CLOSE(worst, 0.0, 0.0,
                            solve_bound(r, N, 10.0 * nth_max_abs(nth_cmat_of(e, N, C))));
            nth_regress_destroy(&r);
        }
    }
}

/* ---- Singular and indefinite kernels ------------------------------------------------------------ */

/* The ridge that the last message recommends. */
static double recommended(void)
{
    const char *at = strstr(nth_last_error().message, "a ridge of ");
    return NTH_CHECK(at != NULL) ? strtod(at + strlen("a ridge of "), NULL) : (double)NAN;
}

static void singular_is_refused(void)
{
    static const ptrdiff_t size[] = { 5, 60, 300 };
    for (int s = 0; s < 3; ++s)
        for (int m = 0; m < METHODS; ++m)
            for (int intercept = 0; intercept < 2; ++intercept) {
                const ptrdiff_t     n = size[s];
                const nth_cmat      K = nth_const(make_kernel(n, n - 2, 1.0, 0.0)); /* rank n - 2 */
                nth_regress_options opt = { methods[m], 0.0, intercept };
                nth_regress        *r = NULL;
                NTH_CHECK_STATUS(nth_regress_create(&r, K, &opt), NTH_E_NUMERIC);
                NTH_CHECK(r == NULL);
                NTH_CHECK_MESSAGE("kernel with ridge 0 is numerically singular: ");
                NTH_CHECK(strstr(nth_last_error().message, "pivot ") != NULL ||
                          strstr(nth_last_error().message, "condition number ") != NULL);
                NTH_CHECK_MESSAGE("its eigenvalues go from ");
                opt.ridge = recommended();
                NTH_CHECK_OK(nth_regress_create(&r, K, &opt));
                if (r == NULL) continue;
                NTH_CHECK(nth_regress_get_info(r).cond <= 1e12);
                NTH_CHECK(nth_regress_get_info(r).cond >=
                          0.3e12); /* and it asks for little more than needed */
                nth_regress_destroy(&r);
            }
    /* A ridge that hits an eigenvalue: a pivot is exactly zero. */
    static const double hit[4] = { -0.5, 0.0, 0.0, 1.0 };
    for (int m = 1; m < METHODS; ++m) {
        nth_regress *none = NULL;
        NTH_CHECK_STATUS(nth_regress_create(&none, nth_cmat_of(hit, 2, 2),
                                            &(nth_regress_options){ methods[m], 0.5, false }),
                         NTH_E_NUMERIC);
        NTH_CHECK_MESSAGE(methods[m] == NTH_REGRESS_LDLT
                              ? "from about -5.000e-01 to about 1.000e+00"
                              : "from -5.000e-01 to 1.000e+00");
        NTH_CHECK_CLOSE(recommended(), 0.6, 1e-15, 0.0);
    }
    double       zero[4] = { 0 };
    nth_regress *r = NULL;
    for (int m = 0; m < METHODS; ++m)
        NTH_CHECK_STATUS(nth_regress_create(&r, nth_cmat_of(zero, 2, 2),
                                            &(nth_regress_options){ methods[m], 0.0, false }),
                         NTH_E_NUMERIC);
    NTH_CHECK_OK(nth_regress_create(&r, nth_cmat_of(zero, 2, 2),
                                    &(nth_regress_options){ NTH_REGRESS_CHOLESKY, 0.5, false }));
    nth_regress_destroy(&r);
}

static void indefinite_kernel(void)
{
    enum { N = 37 };
    const nth_cmat K = nth_const(make_kernel(N, N, 1.0, 0.2));
    static double  alpha[2][N * C], want[N * C];
    double         d[N], U[N * N];
    nth_regress   *r = NULL;
    ptrdiff_t      negative = 0;
    NTH_CHECK_OK(nth_eigh(K, d, nth_mat_of(U, N, N)));
    for (int i = 0; i < N; ++i) negative += d[i] < 0.0;
    NTH_CHECK(negative > 3 && negative < N - 3);
    NTH_CHECK_STATUS(
        nth_regress_create(&r, K, &(nth_regress_options){ NTH_REGRESS_CHOLESKY, 0.0, false }),
        NTH_E_NUMERIC);
    NTH_CHECK_MESSAGE("not positive definite at pivot ");
    NTH_CHECK_MESSAGE("which the methods ldlt and eigen accept");
    NTH_CHECK_CLOSE(recommended(), -d[0], 0.3, 0.0); /* rounded up to one digit */
    NTH_CHECK(recommended() >= -d[0]);
    by_lu(want, NULL, NULL, K, 0.0, false, -1);
    for (int m = 1; m < METHODS; ++m) {
        r = make(K, methods[m], 0.0, false);
        const nth_regress_info info = nth_regress_get_info(r);
        NTH_CHECK(info.negative == negative);
        NTH_CHECK_CLOSE(info.smallest, d[0], 0.05, 0.0);
        NTH_CHECK_CLOSE(info.largest, d[N - 1], 0.05, 0.0);
        NTH_CHECK_OK(
            nth_regress_solve(nth_mat_of(alpha[m - 1], N, C), NULL, r, nth_cmat_of(targets, N, C)));
        NTH_CHECK_CLOSE(distance(alpha[m - 1], want, N * C), 0.0, 0.0,
                        solve_bound(r, N, nth_max_abs(nth_cmat_of(want, N, C))));
        nth_regress_destroy(&r);
    }
}

/* AUTO is Cholesky where that goes through and LDL^T where it does not, to the bit. */
static void auto_takes_the_one_that_fits(void)
{
    enum { N = 300 };
    for (int which = 0; which < 2; ++which)
        for (int intercept = 0; intercept < 2; ++intercept) {
            const nth_cmat K = nth_const(make_kernel(N, N, 1.0, which == 0 ? 0.0 : 0.2)), Y = nth_cmat_of(targets, N, C);
            static double  alpha[2][N * C], e[2][N * C];
            double         offset[2][C];
            nth_regress   *r[2] = { make(K, methods[which], 0.01, intercept), make(K, NTH_REGRESS_AUTO, 0.01, intercept) };
            for (int m = 0; m < 2; ++m) {
                NTH_CHECK(nth_regress_get_info(r[m]).method == methods[which]);
                NTH_CHECK_OK(nth_regress_solve(nth_mat_of(alpha[m], N, C), offset[m], r[m], Y));
                NTH_CHECK_OK(nth_regress_loo(nth_mat_of(e[m], N, C), r[m], nth_cmat_of(alpha[m], N, C)));
            }
            const nth_regress_info info[2] = { nth_regress_get_info(r[0]), nth_regress_get_info(r[1]) };
            NTH_CHECK((info[1].negative > 0) == (which == 1) && info[1].negative == info[0].negative);
            NTH_CHECK(info[1].cond == info[0].cond && info[1].smallest == info[0].smallest);
            NTH_CHECK(memcmp(alpha[0], alpha[1], sizeof alpha[0]) == 0 && memcmp(e[0], e[1], sizeof e[0]) == 0);
            for (int m = 0; m < 2; ++m) nth_regress_destroy(&r[m]);
        }
}

/* Lanczos against all eigenvalues; decay 0.9 spans fourteen decades, where the smallest is rounding. */
static void ends_of_the_spectrum(void)
{
    static const double decay[] = { 1.0, 0.97, 0.9 };
    for (int s = 0; s < 3; ++s)
        for (int intercept = 0; intercept < 2; ++intercept) {
            const nth_cmat   K = nth_const(make_kernel(300, 300, decay[s], 0.0));
            nth_regress     *r = make(K, NTH_REGRESS_EIGEN, 1e-9, intercept);
            nth_regress_info exact = nth_regress_get_info(r);
            NTH_CHECK(exact.exact && exact.negative == 0 && exact.ridge == 1e-9);
            nth_regress_destroy(&r);
            for (int m = 0; m < 2; ++m) {
                r = make(K, methods[m], 1e-9, intercept);
                const nth_regress_info info = nth_regress_get_info(r);
                NTH_CHECK(!info.exact && info.negative == 0);
                NTH_CHECK_CLOSE(info.largest, exact.largest, 0.02, 0.0);
                NTH_CHECK_CLOSE(info.cond, exact.cond, 0.05, 0.0);
                NTH_CHECK_CLOSE(info.smallest, exact.smallest, 0.05, 1e-10);
                NTH_CHECK(info.cond <= exact.cond * (1.0 + 1e-4));
                nth_regress_destroy(&r);
            }
        }
}

/* ---- A grid of ridges, memory, threads ----------------------------------------------------------- */

static void one_decomposition_for_all_ridges(void)
{
    enum { N = 29 };
    static const double ridges[] = { 1e-6, 0.01, 3.0, 0.0 };
    const nth_cmat      K = nth_const(make_kernel(N, N, 1.0, 0.0)), Y = nth_cmat_of(targets, N, C);
    nth_regress        *grid = make(K, NTH_REGRESS_EIGEN, 1.0, true);
    for (int k = 0; k < 4; ++k) {
        double       a[2][N * C], offset[2][C], gcv[2][C], e[2][N * C];
        nth_regress *r[2] = { grid, make(K, NTH_REGRESS_CHOLESKY, ridges[k], true) };
        NTH_CHECK_OK(nth_regress_set_ridge(grid, ridges[k]));
        for (int m = 0; m < 2; ++m) {
            NTH_CHECK(nth_regress_get_info(r[m]).ridge == ridges[k]);
            NTH_CHECK_OK(nth_regress_solve(nth_mat_of(a[m], N, C), offset[m], r[m], Y));
            NTH_CHECK_OK(nth_regress_gcv(gcv[m], r[m], nth_cmat_of(a[m], N, C)));
            NTH_CHECK_OK(nth_regress_loo(nth_mat_of(e[m], N, C), r[m], nth_cmat_of(a[m], N, C)));
        }
        const double bound = solve_bound(grid, N, nth_max_abs(nth_cmat_of(a[0], N, C)));
        NTH_CHECK_CLOSE(distance(a[0], a[1], N * C), 0.0, 0.0, bound);
        NTH_CHECK_CLOSE(distance(offset[0], offset[1], C), 0.0, 0.0, bound);
        NTH_CHECK_CLOSE(distance(e[0], e[1], N * C), 0.0, 0.0, bound);
        for (int j = 0; j < C; ++j) NTH_CHECK_CLOSE(gcv[0][j], gcv[1][j], bound, 0.0);
        nth_regress_destroy(&r[1]);
    }
    nth_regress_destroy(&grid);
}

static void in_place_is_the_same(void)
{
    enum { N = 31 };
    double alpha[2][N * C], e[2][N * C];
    for (int m = 0; m < METHODS; ++m) {
        const nth_mat             K = make_kernel(N, N, 1.0, 0.0);
        const nth_regress_options opt = { methods[m], 0.01, false };
        const long                before = nth_test_live_blocks;
        nth_regress              *r[2] = { make(nth_const(K), methods[m], 0.01, false), NULL };
        NTH_CHECK_OK(nth_regress_create_in_place(&r[1], K, &opt));
        for (int k = 0; k < 2; ++k) {
            NTH_CHECK_OK(nth_regress_solve(nth_mat_of(alpha[k], N, C), NULL, r[k],
                                           nth_cmat_of(targets, N, C)));
            NTH_CHECK_OK(
                nth_regress_loo(nth_mat_of(e[k], N, C), r[k], nth_cmat_of(alpha[k], N, C)));
            nth_regress_destroy(&r[k]);
        }
        NTH_CHECK(memcmp(alpha[0], alpha[1], sizeof alpha[0]) == 0 &&
                  memcmp(e[0], e[1], sizeof e[0]) == 0);
        NTH_CHECK(nth_test_live_blocks == before);
    }
    NTH_CHECK(nth_regress_work_bytes(20000, NTH_REGRESS_CHOLESKY, true) < 0.1e9);
    NTH_CHECK(nth_regress_work_bytes(20000, NTH_REGRESS_CHOLESKY, false) < 3.3e9);
    NTH_CHECK_STATUS(/* refused before it starts, with the figure */
                     nth_priv_mem_check(
                         nth_regress_work_bytes(3000000, NTH_REGRESS_CHOLESKY, false), "x"),
                     NTH_E_NOMEM);
    NTH_CHECK_MESSAGE("GB of memory");
}

/* 700 rows: several columns at a time, and several tiles. */
static void same_bits_on_any_threads(void)
{
    enum { N = BIG };
    static double    alpha[3][N * C], e[3][N * C];
    const int        threads = nth_priv_threads(), count[3] = { 1, 3, 7 };
    nth_regress_info info[3];
    for (int m = 0; m < METHODS; ++m)
        for (int k = 0; k < 3; ++k) {
            double offset[C];
            nth_priv_set_threads(count[k]);
            nth_regress *r = make(nth_const(make_kernel(N, 40, 1.0, -1.0)), methods[m], 0.1, true);
            NTH_CHECK_OK(nth_regress_solve(nth_mat_of(alpha[k], N, C), offset, r,
                                           nth_cmat_of(targets, N, C)));
            NTH_CHECK_OK(nth_regress_loo(nth_mat_of(e[k], N, C), r, nth_cmat_of(alpha[k], N, C)));
            info[k] = nth_regress_get_info(r);
            nth_regress_destroy(&r);
            NTH_CHECK(memcmp(alpha[k], alpha[0], sizeof alpha[0]) == 0);
            NTH_CHECK(memcmp(e[k], e[0], sizeof e[0]) == 0);
            if (k > 0)
                NTH_CHECK(info[k].smallest == info[0].smallest && info[k].cond == info[0].cond);
        }
    nth_priv_set_threads(threads);
}

/* ---- Refusals ----------------------------------------------------------------------------------- */

static void refusals(void)
{
    enum { N = 6 };
    const nth_mat       K = make_kernel(N, N, 1.0, 0.0);
    double              a[N * C], x[C];
    nth_regress        *r = NULL;
    nth_regress_options opt = { NTH_REGRESS_CHOLESKY, -1.0, false };
    NTH_CHECK_STATUS(nth_regress_create(&r, nth_const(K), &opt), NTH_E_ARG);
    opt.ridge = NAN;
    NTH_CHECK_STATUS(nth_regress_create(&r, nth_const(K), &opt), NTH_E_ARG);
    opt.ridge = 0.1, opt.method = (nth_regress_method)7;
    NTH_CHECK_STATUS(nth_regress_create(&r, nth_const(K), &opt), NTH_E_ARG);
    opt.method = NTH_REGRESS_CHOLESKY;
    NTH_CHECK_STATUS(nth_regress_create(&r, nth_cblock(nth_const(K), 0, 0, N, N - 1), &opt),
                     NTH_E_SHAPE);
    NTH_CHECK_STATUS(nth_regress_create(&r, (nth_cmat){ 0 }, &opt), NTH_E_SHAPE);
    opt.intercept = true;
    NTH_CHECK_STATUS(nth_regress_create(&r, nth_cblock(nth_const(K), 0, 0, 1, 1), &opt),
                     NTH_E_SHAPE);
    const double old = K.a[2 * LD + 4];
    K.a[2 * LD + 4] = 3.0;
    NTH_CHECK_STATUS(nth_regress_create(&r, nth_const(K), &opt), NTH_E_NUMERIC);
    NTH_CHECK_MESSAGE("not symmetric: entry (5,3)");
    K.a[2 * LD + 4] = NAN;
    NTH_CHECK_STATUS(nth_regress_create(&r, nth_const(K), &opt), NTH_E_NUMERIC);
    NTH_CHECK(r == NULL);
    K.a[2 * LD + 4] = old;
    r = make(nth_const(K), NTH_REGRESS_CHOLESKY, 0.1, true);
    NTH_CHECK_STATUS(nth_regress_solve(nth_mat_of(a, N, C), NULL, r, nth_cmat_of(targets, N, C)),
                     NTH_E_ARG);
    NTH_CHECK_STATUS(
        nth_regress_solve(nth_mat_of(a, N - 1, C), x, r, nth_cmat_of(targets, N - 1, C)),
        NTH_E_SHAPE);
    NTH_CHECK_STATUS(nth_regress_solve(nth_mat_of(a, N, 1), x, r, nth_cmat_of(targets, N, C)),
                     NTH_E_SHAPE);
    NTH_CHECK_STATUS(nth_regress_loo(nth_mat_of(a, N, 1), r, nth_cmat_of(targets, N, C)),
                     NTH_E_SHAPE);
    NTH_CHECK_STATUS(nth_regress_gcv(x, r, nth_cmat_of(targets, N - 1, C)), NTH_E_SHAPE);
    NTH_CHECK_STATUS(nth_regress_set_ridge(r, 1.0), NTH_E_ARG);
    targets[4] = NAN;
    NTH_CHECK_STATUS(nth_regress_solve(nth_mat_of(a, N, C), x, r, nth_cmat_of(targets, N, C)),
                     NTH_E_NUMERIC);
    NTH_CHECK_STATUS(
        nth_regress_predict(nth_mat_of(a, N, C), nth_const(K), nth_cmat_of(targets, N, C), NULL),
        NTH_E_NUMERIC);
    NTH_CHECK_MESSAGE("prediction 1 is not finite");
    NTH_CHECK_STATUS(nth_regress_predict(nth_mat_of(a, N, C), nth_const(K),
                                         nth_cmat_of(targets, N - 1, C), NULL),
                     NTH_E_SHAPE);
    nth_regress_destroy(&r);
    r = make(nth_const(K), NTH_REGRESS_EIGEN, 0.1, false);
    NTH_CHECK_STATUS(nth_regress_set_ridge(r, NAN), NTH_E_ARG);
    NTH_CHECK(nth_regress_get_info(r).ridge == 0.1);
    nth_regress_destroy(&r);
    NTH_CHECK(strcmp(nth_regress_method_name(NTH_REGRESS_LDLT), "ldlt") == 0);
    NTH_CHECK(nth_regress_method_name((nth_regress_method)-1) == NULL);
}

static nth_regress_method method_under_test;

static nth_status build(void)
{
    enum { N = 9 };
    double              a[N * C], x[C];
    nth_regress        *r = NULL;
    nth_spectral       *sp = NULL;
    nth_regress_options opt = { method_under_test, 0.1, true };
    const nth_cmat      K = nth_const(view(N)), Y = nth_cmat_of(targets, N, C), none = { 0 };
    nth_status          st = nth_regress_create(&r, K, &opt);
    if (st == NTH_OK) st = nth_regress_solve(nth_mat_of(a, N, C), x, r, Y);
    if (st == NTH_OK) st = nth_regress_gcv(x, r, nth_cmat_of(a, N, C));
    if (st == NTH_OK) st = nth_spectral_create(&sp, K, targets);
    if (st == NTH_OK) st = nth_regress_flow(nth_mat_of(a, N, C), sp, K, Y, none, none, 1.0);
    nth_spectral_destroy(&sp);
    nth_regress_destroy(&r);
    return st;
}

/* Explaining why a kernel is refused takes memory, too. */
static nth_status refuse(void)
{
    nth_regress     *r = NULL;
    const nth_status st = nth_regress_create(
        &r, nth_const(view(9)), &(nth_regress_options){ NTH_REGRESS_CHOLESKY, 0.0, false });
    return st == NTH_E_NUMERIC ? NTH_OK : st;
}

static void survives_failing_allocations(void)
{
    (void)make_kernel(9, 9, 1.0, 0.0);
    for (int m = 0; m < METHODS; ++m) {
        method_under_test = methods[m];
        nth_test_every_allocation_fails(build);
    }
    (void)make_kernel(9, 9, 1.0, 0.5); /* indefinite: from Cholesky to LDL^T */
    method_under_test = NTH_REGRESS_AUTO;
    nth_test_every_allocation_fails(build);
    (void)make_kernel(9, 6, 1.0, 0.0);
    nth_test_every_allocation_fails(refuse);
}

int main(void)
{
    return nth_test_main(
        "regress",
        (nth_test_case[]){ { "stored_values", stored_values },
                           { "methods_agree", methods_agree },
                           { "intercept_is_a_bordered_system", intercept_is_a_bordered_system },
                           { "loo_is_leaving_out", loo_is_leaving_out },
                           { "singular_is_refused", singular_is_refused },
                           { "indefinite_kernel", indefinite_kernel },
                           { "auto_takes_the_one_that_fits", auto_takes_the_one_that_fits },
                           { "ends_of_the_spectrum", ends_of_the_spectrum },
                           { "one_decomposition_for_all_ridges", one_decomposition_for_all_ridges },
                           { "in_place_is_the_same", in_place_is_the_same },
                           { "same_bits_on_any_threads", same_bits_on_any_threads },
                           { "refusals", refusals },
                           { "survives_failing_allocations", survives_failing_allocations },
                           { 0 } });
}
