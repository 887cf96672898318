/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * KARE: stored values (T1-T3), GCV at ridge n z, kernels with a solution on paper, invariances, the
 * derivatives against differences and identities, the grid against single evaluations.
 */
#include "nth_test.h"
#include "alloc_priv.h"
#include "linalg_priv.h"
#include "nth/kare.h"
#include "nth/regress.h"
#include "nth/rng.h"
#include "par_priv.h"

#include <float.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

enum { MAX = 300, LD = MAX + 3, C = 3 };
static const nth_mat none = { 0 };
static double        store[MAX * LD], targets[MAX * C];

static nth_mat view(ptrdiff_t n) { return (nth_mat){ store, n, n, LD }; }

/* (1/rank) A A^T of a random A (n x rank); the upper triangle and what lies between the rows is NaN. */
static nth_mat make_kernel(ptrdiff_t n, ptrdiff_t rank)
{
    static double A[MAX * (MAX + 5)];
    memset(store, 0xff, sizeof store);
    nth_rand_normals(A, n * rank, 31, NTH_STREAM_TEST, 0, 0);
    nth_rand_normals(targets, n * C, 31, NTH_STREAM_TEST, 1, 0);
    for (ptrdiff_t i = 0; i < n; ++i)
        for (ptrdiff_t j = 0; j <= i; ++j) store[i * LD + j] = nth_dot(A + i * rank, A + j * rank, rank) / (double)rank;
    return view(n);
}

static nth_kare at(nth_mat K, const double *Y, ptrdiff_t c, double z)
{
    nth_kare k = { .kare = NAN };
    NTH_CHECK_OK(nth_kare_evaluate(&k, none, none, none, nth_const(K), nth_cmat_of(Y, K.rows, c), z));
    return k;
}

/* Fixture T: K_ij = exp(-(i-j)^2/4), z = 0.1. */
static void stored_values(void)
{
    static const double y[4] = { 1, -1, 1, 1 };
    double              T[16], S[16], one;
    nth_kare            k = { 0 };
    for (int i = 0; i < 16; ++i) T[i] = exp(-pow(i / 4 - i % 4, 2.0) / 4.0);
    NTH_CHECK_OK(nth_kare_evaluate(&k, none, none, nth_mat_of(S, 4, 4), nth_cmat_of(T, 4, 4), nth_cmat_of(y, 4, 1), 0.1));
    NTH_CHECK_CLOSE(k.kare, 2.05405701788651, 1e-12, 0.0);
    NTH_CHECK_CLOSE(k.slope, -6.298291889880664, 1e-12, 0.0);
    NTH_CHECK_CLOSE(S[0], -0.8306361346191464, 1e-12, 0.0);
    NTH_CHECK_CLOSE(S[1], 1.927861981178775, 1e-12, 0.0);
    NTH_CHECK_CLOSE(S[2], -1.517270809910151, 1e-12, 0.0);
    NTH_CHECK_OK(nth_kare_grid(&one, &k.z, 1, nth_cmat_of(T, 4, 4), nth_cmat_of(y, 4, 1)));
    NTH_CHECK_CLOSE(one, 2.05405701788651, 1e-12, 0.0);
}

/* E96, each column and their mean; odd sizes around the block of 128 of the inverse. */
static void equals_gcv(void)
{
    static const ptrdiff_t sizes[] = { 1, 2, 17, 127, 128, 129, 257, 300 };
    static double          full[MAX * MAX];
    for (size_t s = 0; s < sizeof sizes / sizeof *sizes; ++s) {
        const ptrdiff_t n = sizes[s];
        const double    z = 0.02 + 0.01 * (double)s;
        const nth_mat   K = make_kernel(n, n + 5);
        double          alpha[MAX * C], gcv[C] = { NAN }, mean = 0.0;
        nth_regress    *r = NULL;
        for (ptrdiff_t i = 0; i < n; ++i)
            for (ptrdiff_t j = 0; j < n; ++j) full[i * n + j] = j <= i ? store[i * LD + j] : store[j * LD + i];
        if (!NTH_CHECK_OK(nth_regress_create(&r, nth_cmat_of(full, n, n),
                                             &(nth_regress_options){ NTH_REGRESS_CHOLESKY, (double)n * z, false })))
            continue;
        NTH_CHECK_OK(nth_regress_solve(nth_mat_of(alpha, n, C), NULL, r, nth_cmat_of(targets, n, C)));
        NTH_CHECK_OK(nth_regress_gcv(gcv, r, nth_cmat_of(alpha, n, C)));
        for (int c = 0; c < C; ++c) mean += gcv[c] / C;
        NTH_CHECK_CLOSE(at(K, targets, C, z).kare, mean, 1e-12, 0.0);
        nth_regress_destroy(&r);
    }
}

/* K = 0: |y|^2/n. K = k n I: the same. Ones: one eigenvalue, labels along it. Large z: |y|^2/n. */
static void solved_on_paper(void)
{
    const ptrdiff_t n = 40;
    double          square = 0.0;
    nth_mat         K = make_kernel(n, n);
    for (ptrdiff_t i = 0; i < n; ++i) square += targets[i] * targets[i] / (double)n;
    NTH_CHECK_CLOSE(at(K, targets, 1, 1e100).kare, square, 1e-14, 0.0);
    const double k1 = at(K, targets, 1, 1e6).kare, k2 = at(K, targets, 1, 2e6).kare; /* 1/z approach */
    NTH_CHECK_CLOSE((k1 - square) / (k2 - square), 2.0, 1e-4, 0.0);
    for (int diagonal = 0; diagonal < 2; ++diagonal) {
        for (ptrdiff_t i = 0; i < n; ++i)
            for (ptrdiff_t j = 0; j < n; ++j) store[i * LD + j] = diagonal && i == j ? 7.0 : 0.0;
        const nth_kare k = at(K, targets, 1, 0.3);
        NTH_CHECK_CLOSE(k.kare, square, 1e-14, 0.0);
        NTH_CHECK_CLOSE(k.slope, 0.0, 0.0, 1e-13 * square);
    }
    double y[40]; /* constant labels: KARE = y^2/(1 + z)^2 / D^2 with eigenvalue n of K, n - 1 times 0 */
    for (ptrdiff_t i = 0; i < n * LD; ++i) store[i] = 1.0;
    for (ptrdiff_t i = 0; i < n; ++i) y[i] = -2.0;
    for (double z = 1e-3; z < 20.0; z *= 10.0) {
        const double D = ((double)(n - 1) / z + 1.0 / (1.0 + z)) / (double)n;
        NTH_CHECK_CLOSE(at(K, y, 1, z).kare, 4.0 / ((1.0 + z) * (1.0 + z) * D * D), 1e-11, 0.0);
    }
    for (ptrdiff_t i = 0; i < n; ++i) y[i] = 0.0;
    NTH_CHECK(at(K, y, 1, 0.1).kare == 0.0);
}

/* KARE(sK, sz) = KARE(K, z) = KARE of permuted samples; labels enter squared; columns are averaged. */
static void invariances(void)
{
    const ptrdiff_t n = 37;
    const nth_mat   K = make_kernel(n, 60);
    const double    want = at(K, targets, C, 0.05).kare;
    double          y[MAX * C], column[MAX], mean = 0.0, copy[37 * 37];
    for (int c = 0; c < C; ++c) {
        for (ptrdiff_t i = 0; i < n; ++i) column[i] = targets[i * C + c];
        mean += at(K, column, 1, 0.05).kare / C;
    }
    NTH_CHECK_CLOSE(mean, want, 1e-13, 0.0);
    for (ptrdiff_t i = 0; i < n * C; ++i) y[i] = -3.0 * targets[i];
    NTH_CHECK_CLOSE(at(K, y, C, 0.05).kare, 9.0 * want, 1e-13, 0.0);
    for (ptrdiff_t i = 0; i < n; ++i)
        for (ptrdiff_t j = 0; j < n; ++j) {
            const ptrdiff_t a = (i * 5 + 3) % n, b = (j * 5 + 3) % n;
            copy[i * n + j] = store[(a > b ? a : b) * LD + (a > b ? b : a)];
            for (int c = 0; c < C; ++c) y[i * C + c] = targets[a * C + c];
        }
    NTH_CHECK_CLOSE(at(nth_mat_of(copy, n, n), y, C, 0.05).kare, want, 1e-12, 0.0);
    for (double s = 1e-6; s < 1e7; s *= 1e12) {
        for (ptrdiff_t i = 0; i < n * n; ++i) copy[i] *= s;
        NTH_CHECK_CLOSE(at(nth_mat_of(copy, n, n), y, C, 0.05 * s).kare, want, 1e-12, 0.0);
        for (ptrdiff_t i = 0; i < n * n; ++i) copy[i] /= s;
    }
}

/* Central difference of order 4 along entry (i,j) and its mirror image; the lower triangle is what counts. */
static double difference(nth_mat K, double z, ptrdiff_t i, ptrdiff_t j, double dz, double h)
{
    static const double weight[4] = { 1.0, -8.0, 8.0, -1.0 }, offset[4] = { -2.0, -1.0, 1.0, 2.0 };
    double              sum = 0.0, *entry = &K.a[i < 0 ? 0 : i * K.ld + j];
    const double        keep = *entry;
    for (int s = 0; s < 4; ++s) {
        if (i >= 0) *entry = keep + offset[s] * h;
        sum += weight[s] * at(K, targets, C, z + dz * offset[s] * h).kare / (12.0 * h);
        if (i >= 0) *entry = keep;
    }
    return sum;
}

static void slopes_are_differences(void)
{
    const ptrdiff_t n = 23;
    const nth_mat   K = make_kernel(n, 30);
    const double    z = 0.07;
    double          S[23 * 26], P[23 * C], Q[23 * C], trace = 0.0, worst = 0.0, largest = 0.0, along = 0.0;
    nth_kare        k = { 0 };
    memset(S, 0xff, sizeof S);
    const nth_mat Sv = { S, n, n, 26 };
    NTH_CHECK_OK(nth_kare_evaluate(&k, nth_mat_of(P, n, C), nth_mat_of(Q, n, C), Sv, nth_const(K), nth_cmat_of(targets, n, C), z));
    for (ptrdiff_t i = 0; i < n; ++i) {
        trace += S[i * 26 + i];
        NTH_CHECK(isnan(S[i * 26 + n])); /* between the rows nothing is written */
        for (ptrdiff_t j = 0; j <= i; ++j) {
            const double want = difference(K, z, i, j, 0.0, 1e-3) / (i == j ? 1.0 : 2.0);
            NTH_CHECK(S[i * 26 + j] == S[j * 26 + i]);
            worst = nth_worst(worst, fabs(S[i * 26 + j] - want)), largest = nth_worst(largest, fabs(want));
            along += (i == j ? 1.0 : 2.0) * S[i * 26 + j] * K.a[i * K.ld + j];
        }
    }
    printf("    dKARE/dK: worst %.2e of %.2e\n", worst, largest);
    NTH_CHECK_CLOSE(worst, 0.0, 0.0, 1e-7 * largest);
    NTH_CHECK_CLOSE(k.slope, difference(K, z, -1, 0, 1.0, 1e-4), 1e-7, 0.0);
    NTH_CHECK_CLOSE((double)n * trace, k.slope, 1e-12, 0.0);
    NTH_CHECK_CLOSE(along, -z * k.slope, 1e-11, 0.0); /* scale invariance, differentiated */
    for (ptrdiff_t i = 0; i < n; ++i) /* (K/n + z) P = Y, (K/n + z) Q = P */
        for (int c = 0; c < C; ++c) {
            double ap = z * P[i * C + c], aq = z * Q[i * C + c];
            for (ptrdiff_t j = 0; j < n; ++j) {
                const double a = K.a[(i > j ? i : j) * K.ld + (i > j ? j : i)] / (double)n;
                ap += a * P[j * C + c], aq += a * Q[j * C + c];
            }
            NTH_CHECK_CLOSE(ap, targets[i * C + c], 0.0, 1e-12);
            NTH_CHECK_CLOSE(aq, P[i * C + c], 0.0, 1e-11);
        }
}

static void grid_is_evaluation(void)
{
    const ptrdiff_t n = 61;
    const nth_mat   K = make_kernel(n, 200);
    double          z[12], kare[12], again[12];
    nth_regress    *r = NULL;
    for (int i = 0; i < 12; ++i) z[i] = pow(10.0, i - 5);
    NTH_CHECK_OK(nth_kare_grid(kare, z, 12, nth_const(K), nth_cmat_of(targets, n, C)));
    for (int i = 0; i < 12; ++i) NTH_CHECK_CLOSE(kare[i], at(K, targets, C, z[i]).kare, 1e-11, 0.0);
    nth_mirror_lower(K); /* the regression compares both halves */
    NTH_CHECK_OK(nth_regress_create(&r, nth_const(K), &(nth_regress_options){ NTH_REGRESS_EIGEN, 0.1, false }));
    NTH_CHECK_OK(nth_kare_spectral(again, z, 12, nth_regress_spectral(r), nth_cmat_of(targets, n, C)));
    NTH_CHECK(memcmp(again, kare, sizeof kare) == 0);
    NTH_CHECK_STATUS(nth_kare_spectral(again, z, 12, nth_regress_spectral(r), nth_cmat_of(targets, n - 1, C)), NTH_E_SHAPE);
    NTH_CHECK_STATUS(nth_kare_spectral(again, &(double){ -1.0 }, 1, nth_regress_spectral(r), nth_cmat_of(targets, n, C)), NTH_E_ARG);
    nth_regress_destroy(&r);
    NTH_CHECK_OK(nth_regress_create(&r, nth_const(K), &(nth_regress_options){ NTH_REGRESS_CHOLESKY, 0.1, false }));
    NTH_CHECK_STATUS(nth_kare_spectral(again, z, 12, nth_regress_spectral(r), nth_cmat_of(targets, n, C)), NTH_E_ARG);
    nth_regress_destroy(&r);
    z[0] = 1e250;
    NTH_CHECK_OK(nth_kare_grid(z, z, 12, nth_const(K), nth_cmat_of(targets, n, C))); /* in place */
    for (int i = 1; i < 12; ++i) NTH_CHECK(z[i] == kare[i]);
    NTH_CHECK_CLOSE(z[0], at(K, targets, C, 1e100).kare, 1e-13, 0.0);
    K.a[4 * K.ld + 4] = -0.5 * (double)n; /* an eigenvalue of K/n between -1 and -z/n: what counts is that K/n + z I is positive */
    z[0] = 2.0;
    NTH_CHECK_OK(nth_kare_grid(kare, z, 1, nth_const(K), nth_cmat_of(targets, n, C)));
    NTH_CHECK_CLOSE(kare[0], at(K, targets, C, 2.0).kare, 1e-11, 0.0);
}

static void bad_input(void)
{
    const double   wrong[] = { 0.0, -0.1, NAN, INFINITY };
    nth_mat        K = make_kernel(5, 2);
    const nth_cmat Y = nth_cmat_of(targets, 5, C);
    nth_kare       k = { .kare = 42.0 };
    double         out;
    for (int i = 0; i < 4; ++i) {
        NTH_CHECK_STATUS(nth_kare_evaluate(&k, none, none, none, nth_const(K), Y, wrong[i]), NTH_E_ARG);
        NTH_CHECK_STATUS(nth_kare_grid(&out, &wrong[i], 1, nth_const(K), Y), NTH_E_ARG);
    }
    NTH_CHECK_STATUS(nth_kare_evaluate(&k, none, none, none, nth_const(K), nth_cmat_of(targets, 4, C), 0.1), NTH_E_SHAPE);
    NTH_CHECK_STATUS(nth_kare_evaluate(&k, nth_mat_of(&out, 1, 1), none, none, nth_const(K), Y, 0.1), NTH_E_SHAPE);
    NTH_CHECK_STATUS(nth_kare_evaluate(&k, none, none, nth_mat_of(&out, 1, 1), nth_const(K), Y, 0.1), NTH_E_SHAPE);
    NTH_CHECK_STATUS(nth_kare_evaluate(&k, none, none, none, nth_cmat_of(store, 0, 0), nth_cmat_of(targets, 0, 1), 0.1), NTH_E_SHAPE);
    K.a[3 * LD + 3] = -9.0;
    NTH_CHECK_STATUS(nth_kare_evaluate(&k, none, none, none, nth_const(K), Y, 0.1), NTH_E_NUMERIC);
    NTH_CHECK_MESSAGE("pivot 4 of 5");
    out = 0.1;
    NTH_CHECK_STATUS(nth_kare_grid(&out, &out, 1, nth_const(K), Y), NTH_E_NUMERIC);
    NTH_CHECK_MESSAGE("smallest eigenvalue of K/n is -");
    K.a[3 * LD + 1] = NAN;
    NTH_CHECK_STATUS(nth_kare_evaluate(&k, none, none, none, nth_const(K), Y, 0.1), NTH_E_NUMERIC);
    NTH_CHECK_MESSAGE("row 4 of the kernel");
    targets[1] = INFINITY;
    NTH_CHECK_STATUS(nth_kare_evaluate(&k, none, none, none, nth_const(K), Y, 0.1), NTH_E_NUMERIC);
    NTH_CHECK_MESSAGE("targets");
    NTH_CHECK(k.kare == 42.0); /* a failure leaves the result alone */
}

static void same_bits_for_any_threads(void)
{
    static double   S[3][MAX * MAX];
    const int       threads[3] = { 1, 3, 7 }, before = nth_priv_threads();
    const ptrdiff_t sizes[2] = { 100, MAX };
    for (int s = 0; s < 2; ++s) {
        const ptrdiff_t n = sizes[s];
        const nth_mat   K = make_kernel(n, n);
        nth_kare        k[3] = { { 0 } };
        for (int t = 0; t < 3; ++t) {
            nth_priv_set_threads(threads[t]);
            NTH_CHECK_OK(nth_kare_evaluate(&k[t], none, none, nth_mat_of(S[t], n, n), nth_const(K), nth_cmat_of(targets, n, C), 0.01));
            NTH_CHECK(memcmp(&k[t], &k[0], sizeof k[0]) == 0);
            NTH_CHECK(memcmp(S[t], S[0], (size_t)(n * n) * sizeof(double)) == 0);
        }
        nth_priv_set_threads(before);
    }
}

static nth_status build(void)
{
    nth_status st;
    nth_kare   k;
    double     S[25], kare[2] = { 0.1, 0.2 };
    st = nth_kare_evaluate(&k, none, none, nth_mat_of(S, 5, 5), nth_const(view(5)), nth_cmat_of(targets, 5, C), 0.1);
    return st == NTH_OK ? nth_kare_grid(kare, kare, 2, nth_const(view(5)), nth_cmat_of(targets, 5, C)) : st;
}

static void survives_oom(void)
{
    (void)make_kernel(5, 8);
    nth_test_every_allocation_fails(build);
}

int main(void)
{
    return nth_test_main("kare", (nth_test_case[]){ { "stored_values", stored_values },
                                                    { "equals_gcv", equals_gcv },
                                                    { "solved_on_paper", solved_on_paper },
                                                    { "invariances", invariances },
                                                    { "slopes_are_differences", slopes_are_differences },
                                                    { "grid_is_evaluation", grid_is_evaluation },
                                                    { "bad_input", bad_input },
                                                    { "same_bits_for_any_threads", same_bits_for_any_threads },
                                                    { "survives_oom", survives_oom },
                                                    { 0 } });
}
