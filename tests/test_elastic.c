/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Local elasticity: stored values (S4), the definition by a double loop, what it does not depend on and
 * what it does, resamples drawn by hand, differences of two kernels, the diagonal of label-aware ones, and
 * kernels it refuses.
 */
#include "nth_test.h"
#include "alloc_priv.h"
#include "nth/elastic.h"
#include "nth/lantk.h"
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
    return nth_elastic_train(e, nth_elastic_matrix, &K, labels(c), diag, &(nth_elastic_options){ .self_pairs = self, .bootstrap = draws, .seed = 5 });
}

static nth_status on_test(nth_elasticity *e, ptrdiff_t c, ptrdiff_t draws)
{
    nth_cmat K = nth_cmat_of(test, T, N);
    return nth_elastic_test(e, nth_elastic_matrix, &K, labels_test(c), labels(c), diag_test, diag, &(nth_elastic_options){ .bootstrap = draws, .seed = 5 });
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
    for (int set = 0; set < 4; ++set) { /* 3: self pairs under the normaliser of another kernel, where they are not all 1 */
        for (ptrdiff_t i = 0; i < N && set == 3; ++i) diag[i] *= 1.0 + (double)(i % 4);
        double         got[DRAWS], M[2], pairs[2], mean = 0.0, square = 0.0;
        nth_elasticity e;
        for (ptrdiff_t b = 0; b < DRAWS; ++b) {
            draw(w, labels(C), b, 0);
            draw(v, labels_test(C), b, 1);
            got[b] = set != 2 ? by_loops(M, pairs, train, labels(C), diag, w, labels(C), diag, w, true, set != 0)
                             : by_loops(M, pairs, test, labels_test(C), diag_test, v, labels(C), diag, w, false, false);
            mean += got[b] / DRAWS;
        }
        for (ptrdiff_t b = 0; b < DRAWS; ++b) square += pow(got[b] - mean, 2.0);
        NTH_CHECK_OK(set != 2 ? on_train(&e, C, set != 0, DRAWS) : on_test(&e, C, DRAWS));
        NTH_CHECK_CLOSE(e.standard_error, sqrt(square / (DRAWS - 1)), 1e-11, 0.0);
        nth_elasticity plain;
        NTH_CHECK_OK(set != 2 ? on_train(&plain, C, set != 0, 0) : on_test(&plain, C, 0));
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

/* Ratios handed out are those of the same draws for every kernel, so differences are paired. */
static void differences_are_paired(void)
{
    static double        square[N * N], square_diag[N], w[N];
    double               first[DRAWS], second[DRAWS], mean = 0.0, spread = 0.0, M[2], pairs[2];
    nth_elasticity       e[2];
    nth_elastic_interval i;
    nth_cmat             K = nth_cmat_of(train, N, N), K2 = nth_cmat_of(square, N, N);
    nth_elastic_options  opt = { .bootstrap = DRAWS, .seed = 5, .ratios = first };
    problem();
    for (ptrdiff_t a = 0; a < N * N; ++a) square[a] = train[a] * train[a];
    for (ptrdiff_t a = 0; a < N; ++a) square_diag[a] = diag[a] * diag[a];
    NTH_CHECK_OK(nth_elastic_train(&e[0], nth_elastic_matrix, &K, labels(C), diag, &opt));
    opt.ratios = second;
    NTH_CHECK_OK(nth_elastic_train(&e[1], nth_elastic_matrix, &K2, labels(C), square_diag, &opt));
    for (ptrdiff_t b = 0; b < DRAWS; ++b) {
        draw(w, labels(C), b, 0);
        NTH_CHECK_CLOSE(first[b], by_loops(M, pairs, train, labels(C), diag, w, labels(C), diag, w, true, false), 2.0 * N * DBL_EPSILON, 0.0);
        NTH_CHECK_CLOSE(second[b], by_loops(M, pairs, square, labels(C), square_diag, w, labels(C), square_diag, w, true, false), 2.0 * N * DBL_EPSILON, 0.0);
        second[b] -= first[b];
        mean += second[b] / DRAWS;
    }
    for (ptrdiff_t b = 0; b < DRAWS; ++b) spread += pow(second[b] - mean, 2.0) / (DRAWS - 1);
    NTH_CHECK_OK(nth_elastic_summary(&i, first, DRAWS));
    NTH_CHECK(i.low == e[0].low && i.high == e[0].high && i.standard_error == e[0].standard_error && i.undefined == 0);
    NTH_CHECK_OK(nth_elastic_summary(&i, second, DRAWS));
    NTH_CHECK_CLOSE(i.standard_error, sqrt(spread), 1e-12, 0.0);
    NTH_CHECK(below(second, i.low) == 1 && below(second, i.high) == DRAWS - 1);
    NTH_CHECK(i.low < e[1].ratio - e[0].ratio && e[1].ratio - e[0].ratio < i.high);
    second[3] = (double)NAN;
    NTH_CHECK_OK(nth_elastic_summary(&i, second, DRAWS));
    NTH_CHECK(i.undefined == 1 && isnan(i.low) && isnan(i.high) && isnan(i.standard_error));
    NTH_CHECK_OK(nth_elastic_summary(&i, first, 1));
    NTH_CHECK(i.undefined == 0 && isnan(i.low));
    /* Test inputs: the same draws of training inputs, and test inputs of their own. */
    nth_cmat G = nth_cmat_of(test, T, N);
    opt.ratios = first;
    NTH_CHECK_OK(nth_elastic_test(&e[0], nth_elastic_matrix, &G, labels_test(C), labels(C), diag_test, diag, &opt));
    for (ptrdiff_t b = 0; b < DRAWS; ++b) {
        static double v[T];
        draw(w, labels(C), b, 0), draw(v, labels_test(C), b, 1);
        NTH_CHECK_CLOSE(first[b], by_loops(M, pairs, test, labels_test(C), diag_test, v, labels(C), diag, w, false, false), 2.0 * N * DBL_EPSILON, 0.0);
    }
}

/* ---- The diagonal of Z, by which K + lambda Z is normalised ------------------------------------- */

enum { POINTS = 20, DIM = 7 };
static double base[2 * POINTS * POINTS], point[2 * POINTS * DIM], own[2 * POINTS], Z[2 * POINTS * POINTS];

static nth_status read_base(nth_mat tile, ptrdiff_t row, ptrdiff_t col, void *ctx)
{
    const nth_cmat *K = ctx;
    for (ptrdiff_t i = 0; i < tile.rows; ++i)
        memcpy(tile.a + i * tile.ld, K->a + (row + i) * K->ld + col, (size_t)tile.cols * sizeof *tile.a);
    return NTH_OK;
}

/* Test inputs are the training inputs once more. */
static nth_status make_Z(nth_lantk **z, nth_lantk_variant v)
{
    nth_status              st = NTH_OK;
    static double           label[POINTS];
    static nth_cmat         K;
    const nth_lantk_options opt = { .variant = v, .epsilon = 0.1, .seed = 5 };
    nth_rand_normals(point, POINTS * DIM, 4, NTH_STREAM_TEST, 0, 0);
    memcpy(point + POINTS * DIM, point, POINTS * DIM * sizeof *point);
    for (ptrdiff_t i = 0; i < 2 * POINTS; ++i) {
        for (ptrdiff_t j = 0; j < POINTS; ++j) base[i * POINTS + j] = exp(-fabs((double)(i % POINTS - j)) / 3.0) * (1.0 + 0.1 * (double)(i % POINTS + j));
        own[i] = base[i * POINTS + i % POINTS];
        label[i % POINTS] = point[i * DIM] > 0.0 ? 1.0 : -1.0;
    }
    K = nth_cmat_of(base, 2 * POINTS, POINTS);
    const nth_lantk_source src = { .X = nth_cmat_of(point, POINTS, DIM), .X_test = nth_cmat_of(point + POINTS * DIM, POINTS, DIM),
                                   .Y = nth_cmat_of(label, POINTS, 1), .read = read_base, .ctx = &K };
    st = nth_lantk_create(z, &src, &opt);
    for (ptrdiff_t s = 0; st == NTH_OK && s < nth_lantk_steps(*z); ++s) st = nth_lantk_gather(*z, s);
    return st;
}

static void diagonal_is_that_of_tiles(void)
{
    for (int v = 0; v < NTH_LANTK_VARIANTS; ++v) {
        nth_lantk *z = NULL;
        double     D[POINTS], D_test[POINTS];
        nth_mat    tile = nth_mat_of(Z, POINTS, POINTS);
        NTH_CHECK_OK(make_Z(&z, (nth_lantk_variant)v));
        NTH_CHECK_OK(nth_lantk_tile(&tile, z, 0, 0));
        NTH_CHECK_OK(nth_lantk_diagonal(D, z, 0, POINTS, own));
        NTH_CHECK_OK(nth_lantk_diagonal(D_test, z, POINTS, POINTS, own + POINTS));
        for (ptrdiff_t i = 0; i < POINTS; ++i) {
            NTH_CHECK_CLOSE(D[i], Z[i * POINTS + i], 1e-14, 1e-14);
            NTH_CHECK_CLOSE(D_test[i], D[i], 1e-12, 1e-12); /* scores of components: one product for all points */
        }
        NTH_CHECK_OK(nth_lantk_diagonal(D_test, z, POINTS + 3, 2, own + 3));
        NTH_CHECK_CLOSE(D_test[1], D[4], 1e-12, 1e-12);
        NTH_CHECK_STATUS(nth_lantk_diagonal(D, z, POINTS - 1, 2, own), NTH_E_SHAPE);
        NTH_CHECK_STATUS(nth_lantk_diagonal(D, z, POINTS, POINTS + 1, own), NTH_E_SHAPE);
        own[POINTS + 2] = (double)NAN;
        NTH_CHECK_STATUS(nth_lantk_diagonal(D, z, POINTS, POINTS, own + POINTS), NTH_E_NUMERIC);
        NTH_CHECK_MESSAGE("the base kernel of test input 3 with itself is not finite");
        nth_lantk_destroy(&z);
    }
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
    NTH_CHECK_OK(nth_elastic_train(&e, nth_elastic_matrix, &K, nth_cmat_of(four, 4, 1), diag, &(nth_elastic_options){ .bootstrap = 200, .seed = 1 }));
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
    nth_elasticity       e;
    nth_elastic_interval i;
    nth_lantk           *z = NULL;
    double               D[POINTS];
    nth_status           st = on_train(&e, C, false, 2);
    if (st == NTH_OK) st = on_test(&e, C, 2);
    if (st == NTH_OK) st = nth_elastic_summary(&i, diag, N);
    if (st == NTH_OK) st = make_Z(&z, NTH_LANTK_LS_V1);
    if (st == NTH_OK) st = nth_lantk_diagonal(D, z, POINTS, POINTS, own + POINTS);
    nth_lantk_destroy(&z);
    return st;
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
                                                       { "differences_are_paired", differences_are_paired },
                                                       { "diagonal_is_that_of_tiles", diagonal_is_that_of_tiles },
                                                       { "refusals", refusals },
                                                       { "same_bits_on_any_threads", same_bits_on_any_threads },
                                                       { "survives_oom", survives_oom },
                                                       { 0 } });
}
