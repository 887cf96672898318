/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Local elasticity: stored values (S4), the definition by a double loop, what it does not depend on and
 * what it does, resamples drawn by hand, and kernels it refuses.
 */
#include "nth_test.h"
#include "alloc_priv.h"
#include "nth/elastic.h"
#include "nth/rng.h"
#include "par_priv.h"

#include <float.h>
#include <math.h>
#include <string.h>

enum { N = 300, T = 270, C = 3, DRAWS = 40 };

static double train[N * N], test[T * N], diag[N], diag_test[T], Y[N * C], Y_test[T * C], y[N], y_test[T];

enum { F = 7 };

static double inner(const double *a, const double *b)
{
    double sum = 0.3;
    for (int f = 0; f < F; ++f) sum += a[f] * b[f];
    return sum;
}

/* A Gram matrix of random features with a part of the class, uneven classes; labels in no order. */
static void problem(void)
{
    static double a[(N + T) * F];
    nth_rand_normals(a, (N + T) * F, 3, NTH_STREAM_TEST, 0, 0);
    memset(Y, 0, sizeof Y), memset(Y_test, 0, sizeof Y_test);
    for (ptrdiff_t i = 0; i < N + T; ++i) {
        const ptrdiff_t c = (i * i + i / 7) % 5 % C;
        a[i * F + c] += 2.0;
        (i < N ? Y + i * C : Y_test + (i - N) * C)[c] = 1.0;
        *(i < N ? y + i : y_test + i - N) = c == 0 ? 1.0 : -1.0;
    }
    for (ptrdiff_t i = 0; i < N + T; ++i) {
        for (ptrdiff_t j = 0; j < N; ++j) (i < N ? train + i * N : test + (i - N) * N)[j] = inner(a + i * F, a + j * F);
        *(i < N ? diag + i : diag_test + i - N) = inner(a + i * F, a + i * F);
    }
}

static nth_cmat labels(ptrdiff_t c) { return nth_cmat_of(c == 1 ? y : Y, N, c); }
static nth_cmat labels_test(ptrdiff_t c) { return nth_cmat_of(c == 1 ? y_test : Y_test, T, c); }

static bool same_class(nth_cmat A, ptrdiff_t i, nth_cmat B, ptrdiff_t j) { return memcmp(A.a + i * A.cols, B.a + j * B.cols, (size_t)A.cols * sizeof *A.a) == 0; }

/* The definition; weights NULL: each pair once. rows == NULL: training pairs. */
static double by_loops(double M[2], double pairs[2], const double *K, nth_cmat A, const double *DA, const double *wa, nth_cmat B,
                       const double *DB, const double *wb, bool own, bool self)
{
    M[0] = M[1] = pairs[0] = pairs[1] = 0.0;
    for (ptrdiff_t i = 0; i < A.rows; ++i)
        for (ptrdiff_t j = 0; j < B.rows; ++j) {
            const int two = !same_class(A, i, B, j);
            double    w = wa == NULL ? 1.0 : wa[i] * wb[j];
            if (own && i == j) w = !self ? 0.0 : wa == NULL ? 1.0 : wa[i];
            M[two] += w * K[i * B.rows + j] / sqrt(DA[i] * DB[j]);
            pairs[two] += w;
        }
    M[0] /= pairs[0], M[1] /= pairs[1];
    return M[0] / (M[0] + M[1]);
}

static nth_status on_train(nth_elasticity *e, ptrdiff_t c, bool self, ptrdiff_t draws)
{
    nth_cmat K = nth_cmat_of(train, N, N);
    return nth_elastic_train(e, nth_elastic_matrix, &K, labels(c), diag, &(nth_elastic_options){ self, draws, 5 });
}

static nth_status on_test(nth_elasticity *e, ptrdiff_t c, ptrdiff_t draws)
{
    nth_cmat K = nth_cmat_of(test, T, N);
    return nth_elastic_test(e, nth_elastic_matrix, &K, labels_test(c), labels(c), diag_test, diag, &(nth_elastic_options){ false, draws, 5 });
}

/* The four unit vectors of docs' fixture S under the two-layer relu kernel; 40-digit values. */
static void stored_values(void)
{
    const double   K[16] = { 1, 0.6364310457393136, 0.5502236132929963, 0.4711655571887813, 0.6364310457393136, 1, 0.3982638669627817, 0.5502236132929963,
                             0.5502236132929963, 0.3982638669627817, 1, 0.3309201445208456, 0.4711655571887813, 0.5502236132929963, 0.3309201445208456, 1 };
    const double   label[4] = { 1, -1, 1, -1 }, ones[4] = { 1, 1, 1, 1 };
    nth_cmat       G = nth_cmat_of(K, 4, 4), Yc = nth_cmat_of(label, 4, 1);
    nth_elasticity e;
    NTH_CHECK_OK(nth_elastic_train(&e, nth_elastic_matrix, &G, Yc, ones, &(nth_elastic_options){ .self_pairs = true }));
    NTH_CHECK_CLOSE(e.ratio, 0.627973293199176, 1e-12, 0.0);
    NTH_CHECK(e.intra_pairs == 8.0 && e.inter_pairs == 8.0);
    NTH_CHECK_OK(nth_elastic_train(&e, nth_elastic_matrix, &G, Yc, ones, &(nth_elastic_options){ 0 }));
    NTH_CHECK_CLOSE(e.ratio, 0.5450895419598688, 1e-12, 0.0);
    NTH_CHECK(e.intra_pairs == 4.0 && e.inter_pairs == 8.0);
    NTH_CHECK(isnan(e.low) && isnan(e.high) && isnan(e.standard_error));
}

static void is_the_double_loop(void)
{
    const double bound = 2.0 * N * DBL_EPSILON;
    double       M[2], pairs[2];
    problem();
    for (ptrdiff_t c = 1; c <= C; c += C - 1) {
        nth_elasticity e;
        for (int self = 0; self < 2; ++self) {
            const double want = by_loops(M, pairs, train, labels(c), diag, NULL, labels(c), diag, NULL, true, self);
            NTH_CHECK_OK(on_train(&e, c, self, 0));
            NTH_CHECK_CLOSE(e.ratio, want, bound, 0.0);
            NTH_CHECK_CLOSE(e.intra, M[0], 0.0, bound);
            NTH_CHECK_CLOSE(e.inter, M[1], 0.0, bound);
            NTH_CHECK(e.intra_pairs == pairs[0] && e.inter_pairs == pairs[1]);
        }
        const double want = by_loops(M, pairs, test, labels_test(c), diag_test, NULL, labels(c), diag, NULL, false, false);
        NTH_CHECK_OK(on_test(&e, c, 0));
        NTH_CHECK_CLOSE(e.ratio, want, bound, 0.0);
        NTH_CHECK(e.intra_pairs == pairs[0] && e.inter_pairs == pairs[1] && pairs[0] + pairs[1] == (double)T * N);
    }
}

static void scale_and_constant(void)
{
    nth_elasticity e, scaled;
    nth_cmat       K = nth_cmat_of(train, N, N);
    problem();
    NTH_CHECK_OK(on_train(&e, C, false, 0));
    for (ptrdiff_t i = 0; i < N * N; ++i) train[i] *= 37.5;
    for (ptrdiff_t i = 0; i < N; ++i) diag[i] *= 37.5;
    NTH_CHECK_OK(on_train(&scaled, C, false, 0));
    NTH_CHECK_CLOSE(scaled.ratio, e.ratio, 1e-14, 0.0);
    /* A constant moves it towards 1/2, and there is no elasticity in a constant alone. */
    for (ptrdiff_t i = 0; i < N * N; ++i) train[i] += 1e4;
    for (ptrdiff_t i = 0; i < N; ++i) diag[i] += 1e4;
    NTH_CHECK_OK(on_train(&scaled, C, false, 0));
    NTH_CHECK(scaled.ratio > 0.5 && scaled.ratio < 0.5 + 0.2 * (e.ratio - 0.5));
    for (ptrdiff_t i = 0; i < N * N; ++i) train[i] = 1.0;
    for (ptrdiff_t i = 0; i < N; ++i) diag[i] = 1.0;
    for (int self = 0; self < 2; ++self) {
        NTH_CHECK_OK(on_train(&scaled, C, self, 0));
        NTH_CHECK_CLOSE(scaled.ratio, 0.5, 1e-14, 0.0);
    }
    /* The normaliser of another kernel. */
    problem();
    for (ptrdiff_t i = 0; i < N; ++i) diag[i] *= 1.0 + (double)(i % 3);
    double M[2], pairs[2];
    NTH_CHECK_OK(nth_elastic_train(&e, nth_elastic_matrix, &K, labels(C), diag, &(nth_elastic_options){ .self_pairs = true }));
    NTH_CHECK_CLOSE(e.ratio, by_loops(M, pairs, train, labels(C), diag, NULL, labels(C), diag, NULL, true, true), 2.0 * N * DBL_EPSILON, 0.0);
}

static void draw(double *w, nth_cmat A, ptrdiff_t b, uint32_t run)
{
    ptrdiff_t at = 0, members[N];
    memset(w, 0, (size_t)A.rows * sizeof *w);
    for (ptrdiff_t c = 0; c < (A.cols == 1 ? 2 : A.cols); ++c) {
        ptrdiff_t size = 0;
        for (ptrdiff_t i = 0; i < A.rows; ++i)
            if (A.cols == 1 ? A.a[i] == (c == 0 ? 1.0 : -1.0) : A.a[i * A.cols + c] == 1.0) members[size++] = i;
        for (ptrdiff_t i = 0; i < size; ++i, ++at)
            w[members[nth_rand_below((uint64_t)size, 5, NTH_STREAM_BOOTSTRAP, run, (uint64_t)(b * A.rows + at))]] += 1.0;
    }
}

static int below(const double *v, double x)
{
    int n = 0;
    for (int b = 0; b < DRAWS; ++b) n += v[b] < x;
    return n;
}

static void resamples_are_those_by_hand(void)
{
    static double w[N], v[T];
    problem();
    for (int set = 0; set < 3; ++set) {
        double         got[DRAWS], M[2], pairs[2], mean = 0.0, square = 0.0;
        nth_elasticity e;
        for (ptrdiff_t b = 0; b < DRAWS; ++b) {
            draw(w, labels(C), b, 0);
            draw(v, labels_test(C), b, 1);
            got[b] = set < 2 ? by_loops(M, pairs, train, labels(C), diag, w, labels(C), diag, w, true, set == 1)
                             : by_loops(M, pairs, test, labels_test(C), diag_test, v, labels(C), diag, w, false, false);
            mean += got[b] / DRAWS;
        }
        for (ptrdiff_t b = 0; b < DRAWS; ++b) square += pow(got[b] - mean, 2.0);
        NTH_CHECK_OK(set < 2 ? on_train(&e, C, set == 1, DRAWS) : on_test(&e, C, DRAWS));
        NTH_CHECK_CLOSE(e.standard_error, sqrt(square / (DRAWS - 1)), 1e-11, 0.0);
        nth_elasticity plain;
        NTH_CHECK_OK(set < 2 ? on_train(&plain, C, set == 1, 0) : on_test(&plain, C, 0));
        NTH_CHECK(plain.ratio == e.ratio && plain.intra == e.intra);
        NTH_CHECK(e.low < e.ratio && e.ratio < e.high && e.undefined == 0);
        NTH_CHECK(below(got, e.low) == 1 && below(got, e.high) == DRAWS - 1); /* 0.025 and 0.975 of 39 steps */
        NTH_CHECK_CLOSE(e.high - e.low, 4.0 * e.standard_error, 0.5, 0.0);
    }
}

/* The interval covers: the ratio of samples of 60 moves as the standard error of one sample says. */
static void standard_error_is_that_of_samples(void)
{
    enum { S = 60, R = 5, REPEAT = 200 };
    double mean = 0.0, square = 0.0, se = 0.0;
    for (uint32_t r = 0; r < REPEAT; ++r) {
        double a[S * F], K[S * S], D[S], label[S];
        nth_rand_normals(a, S * F, 11, NTH_STREAM_TEST, r, 0);
        for (ptrdiff_t i = 0; i < S; ++i) label[i] = i % 2 == 0 ? 1.0 : -1.0, a[i * F] += 1.5 * label[i], a[i * F + 1] += 1.0;
        for (ptrdiff_t i = 0; i < S; ++i)
            for (ptrdiff_t j = 0; j < S; ++j) {
                K[i * S + j] = inner(a + i * F, a + j * F);
                if (i == j) D[i] = K[i * S + j];
            }
        nth_cmat       G = nth_cmat_of(K, S, S);
        nth_elasticity e;
        NTH_CHECK_OK(nth_elastic_train(&e, nth_elastic_matrix, &G, nth_cmat_of(label, S, 1), D, &(nth_elastic_options){ .bootstrap = r % R == 0 ? 100 : 0, .seed = r }));
        mean += e.ratio / REPEAT, square += e.ratio * e.ratio / REPEAT;
        if (r % R == 0) se += e.standard_error / (REPEAT / R);
    }
    NTH_CHECK_CLOSE(se, sqrt(square - mean * mean), 0.2, 0.0); /* 6 standard errors of either: 6/sqrt(2 200) = 0.3, and of 40 means */
}

static void refusals(void)
{
    nth_elasticity e;
    nth_cmat       K = nth_cmat_of(train, N, N);
    problem();
    diag[4] = 0.0;
    NTH_CHECK_STATUS(on_train(&e, C, false, 0), NTH_E_NUMERIC);
    NTH_CHECK_MESSAGE("diagonal entry 5 of the training inputs is 0");
    problem();
    diag_test[2] = -1.0;
    NTH_CHECK_STATUS(on_test(&e, C, 0), NTH_E_NUMERIC);
    NTH_CHECK_MESSAGE("diagonal entry 3 of the test inputs is -1");
    diag_test[2] = (double)NAN;
    NTH_CHECK_STATUS(on_test(&e, C, 0), NTH_E_NUMERIC);
    problem();
    train[3 * N + 280] = (double)NAN;
    NTH_CHECK_STATUS(on_train(&e, C, false, 0), NTH_E_NUMERIC);
    NTH_CHECK_MESSAGE("kernel entry (4,281) is not finite");
    problem();
    for (ptrdiff_t i = 0; i < N * N; ++i) train[i] = -1.0;
    NTH_CHECK_STATUS(on_train(&e, C, false, 0), NTH_E_NUMERIC);
    NTH_CHECK_MESSAGE("their sum is not positive");
    problem();
    NTH_CHECK_STATUS(on_train(&e, C, false, -1), NTH_E_ARG);
    for (ptrdiff_t i = 0; i < N; ++i) y[i] = 1.0;
    NTH_CHECK_STATUS(on_train(&e, 1, false, 0), NTH_E_RANGE);
    NTH_CHECK_MESSAGE("one class only");
    y[0] = 0.5;
    NTH_CHECK_STATUS(on_train(&e, 1, false, 0), NTH_E_RANGE);
    const double two[2] = { 1.0, -1.0 };
    K = nth_cmat_of(train, 2, 2);
    NTH_CHECK_STATUS(nth_elastic_train(&e, nth_elastic_matrix, &K, nth_cmat_of(two, 2, 1), diag, &(nth_elastic_options){ 0 }), NTH_E_RANGE);
    NTH_CHECK_MESSAGE("0 pairs of one class and 2 of two");
    /* A resample of two of each class may have no pair of one class: then there is no interval. */
    problem();
    const double four[4] = { 1.0, -1.0, 1.0, -1.0 };
    for (ptrdiff_t i = 0; i < 16; ++i) train[i] = i % 5 == 0 ? 1.0 : 0.5;
    for (ptrdiff_t i = 0; i < 4; ++i) diag[i] = 1.0;
    K = nth_cmat_of(train, 4, 4);
    NTH_CHECK_OK(nth_elastic_train(&e, nth_elastic_matrix, &K, nth_cmat_of(four, 4, 1), diag, &(nth_elastic_options){ false, 200, 1 }));
    NTH_CHECK(e.undefined > 20 && e.undefined < 80 && isnan(e.low) && isnan(e.standard_error)); /* 1/4 of 200, 6 sd = 37 */
    NTH_CHECK_STATUS(nth_elastic_test(&e, nth_elastic_matrix, &K, labels_test(1), labels(C), diag_test, diag, &(nth_elastic_options){ 0 }), NTH_E_SHAPE);
}

static void same_bits_on_any_threads(void)
{
    static const int counts[] = { 1, 3, 7 };
    nth_elasticity   first[2], e;
    const int        had = nth_priv_threads();
    problem();
    for (int k = 0; k < 3; ++k)
        for (int set = 0; set < 2; ++set) {
            nth_priv_set_threads(counts[k]);
            NTH_CHECK_OK(set == 0 ? on_train(&e, C, true, 50) : on_test(&e, C, 50));
            if (k == 0) first[set] = e;
            NTH_CHECK(e.ratio == first[set].ratio && e.low == first[set].low && e.high == first[set].high && e.intra == first[set].intra);
        }
    nth_priv_set_threads(had);
}

static nth_status build(void)
{
    nth_elasticity   e;
    const nth_status st = on_train(&e, C, false, 2);
    return st == NTH_OK ? on_test(&e, C, 2) : st;
}

static void survives_oom(void)
{
    problem();
    nth_test_every_allocation_fails(build);
}

int main(void)
{
    return nth_test_main("elastic", (nth_test_case[]){ { "stored_values", stored_values },
                                                       { "is_the_double_loop", is_the_double_loop },
                                                       { "scale_and_constant", scale_and_constant },
                                                       { "resamples_are_those_by_hand", resamples_are_those_by_hand },
                                                       { "standard_error_is_that_of_samples", standard_error_is_that_of_samples },
                                                       { "refusals", refusals },
                                                       { "same_bits_on_any_threads", same_bits_on_any_threads },
                                                       { "survives_oom", survives_oom },
                                                       { 0 } });
}
