/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Held-out samples end to end: the label-aware kernel of each fold is that of the samples kept alone, and the curve of
 * nth regress --weight folds is made of regressions on them, fold by fold. The tool's path is in NTH_TOOL.
 */
#include "tool.h"
#include "nth/data.h"
#include "nth/expected.h"
#include "nth/file.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { N = 10, D = 3, NN = N * N, FOLDS = 3, RATIOS = 12, RIDGES = 2 };
#define SET "'synthetic:sphere?n=10&d=3&test=0&seed=2'"

/* Samples kept, then those held out; how many are kept. */
static int part_of(int *order, const double *fold, int number)
{
    int row = 0, kept = 0;
    for (int held = 0; held < 2; ++held) {
        for (int i = 0; i < N; ++i)
            if ((fold[i] == number) == (held == 1)) order[row++] = i;
        if (held == 0) kept = row;
    }
    return kept;
}

/* The library on the samples kept, without the labels held out; 0 for two samples held out. */
static void kernels_of_the_samples_kept(void)
{
    double    fold[N], Z[NN], x[N * D], y[N], train[NN], test[NN];
    nth_data *data = NULL;
    NTH_CHECK(nth("kernel --kind nth --activation erf --mode exact --time 2 --folds 3 --seed 5 --data " SET " --out F.h5") == 0);
    if (!NTH_CHECK_OK(nth_data_load(&data, "synthetic:sphere?n=10&d=3&test=0&seed=2", NULL)) || !get(fold, N, "F.h5", "/fold")) return;
    for (int number = 1; number <= FOLDS; ++number) {
        const nth_expected_config cfg = { .activation = NTH_ACT_ERF };
        int                       order[N];
        const int                 n = part_of(order, fold, number);
        nth_label_kernel          K = { .LA = { .train = nth_mat_of(train, n, n), .test = nth_mat_of(test, N - n, n) } };
        char                      name[32];
        NTH_CHECK(n == N - N / FOLDS - (number <= N % FOLDS)); /* folds of 4, 3 and 3: their samples count alike, not the folds */
        for (int i = 0; i < N; ++i) {
            for (int e = 0; e < D; ++e) x[i * D + e] = data->x.a[order[i] * data->x.ld + e] / sqrt(D);
            y[i] = data->y.a[order[i]];
        }
        for (int i = n; i < N; ++i) y[i] = NAN; /* not looked at */
        NTH_CHECK_OK(nth_label_aware(&K, &cfg, nth_cmat_of(x, n, D), nth_cmat_of(x + n * D, N - n, D), y, 2.0, NTH_LABEL_EXACT));
        snprintf(name, sizeof name, "/fold_%d/K_label", number);
        NTH_CHECK(get(Z, NN, "F.h5", name));
        for (int a = 0; a < N; ++a)
            for (int b = 0; b < N; ++b) {
                const double want = a < n && b < n ? train[a * n + b] : a >= n && b < n ? test[(a - n) * n + b]
                                    : a < n ? test[(b - n) * n + a] : 0.0;
                NTH_CHECK_CLOSE(Z[order[a] * N + order[b]], want, 1e-12, 1e-14);
            }
    }
    nth_data_destroy(&data);
}

/* A x = b by elimination with pivots; A and b are used up. */
static void solve(double *A, double *b, int n)
{
    for (int c = 0; c < n; ++c) {
        int p = c;
        for (int i = c + 1; i < n; ++i)
            if (fabs(A[i * n + c]) > fabs(A[p * n + c])) p = i;
        for (int j = 0; j < n; ++j) {
            const double t = A[c * n + j];
            A[c * n + j] = A[p * n + j], A[p * n + j] = t;
        }
        const double t = b[c];
        b[c] = b[p], b[p] = t;
        for (int i = 0; i < n; ++i) {
            if (i == c) continue;
            const double f = A[i * n + c] / A[c * n + c];
            for (int j = c; j < n; ++j) A[i * n + j] -= f * A[c * n + j];
            b[i] -= f * b[c];
        }
    }
    for (int i = 0; i < n; ++i) b[i] /= A[i * n + i];
}

static double mean_abs(const double *A, const int *order, int n)
{
    double sum = 0.0;
    for (int i = 0; i < n; ++i)
        for (int j = 0; j < n; ++j) sum += fabs(A[order[i] * N + order[j]]) / (n * n);
    return sum;
}

/* Row by row: ratio, ridge, squared error and wrong classes over all samples held out, each fold with its own Z and weight. */
static void curve_is_of_held_out_samples(void)
{
    static const double ratio[RATIOS] = { 0, 0.001, 0.003, 0.01, 0.03, 0.1, 0.3, 1, 3, 10, 30, 100 }, ridge[RIDGES] = { 0.5, 0.02 };
    double              K[NN], Z[NN], fold[N], y[N], row[RATIOS * RIDGES * 4], want[RATIOS * RIDGES][2] = { { 0 } }, fits[7];
    int                 best = 0, all[N];
    nth_data           *data = NULL;
    NTH_CHECK(nth("kernel --kind ntk --activation erf --data " SET " --out K.h5") == 0);
    NTH_CHECK(nth("kernel --kind nth --activation erf --mode exact --time 2 --folds 3 --seed 5 --data " SET " --out F.h5") == 0);
    NTH_CHECK(nth("regress --gram K.h5 --add F.h5:/K_label --weight folds --ridge 0.5,0.02 --data " SET " --out R.h5") == 0);
    if (!get(K, NN, "K.h5", "/K") || !get(fold, N, "F.h5", "/fold") || !get(row, RATIOS * RIDGES * 4, "R.h5", "/choice")) return;
    NTH_CHECK_OK(nth_data_load(&data, "synthetic:sphere?n=10&d=3&test=0&seed=2", NULL));
    for (int i = 0; i < N; ++i) y[i] = data->y.a[i], all[i] = i;
    nth_data_destroy(&data);
    for (int number = 1; number <= FOLDS; ++number) {
        int       order[N];
        const int n = part_of(order, fold, number);
        char      name[32];
        snprintf(name, sizeof name, "/fold_%d/K_label", number);
        NTH_CHECK(get(Z, NN, "F.h5", name));
        const double scale = mean_abs(K, order, n) / mean_abs(Z, order, n);
        for (int r = 0; r < RATIOS * RIDGES; ++r) {
            const double w = ratio[r / RIDGES] * scale;
            double       A[NN], alpha[N];
            for (int i = 0; i < n; ++i) {
                for (int j = 0; j < n; ++j)
                    A[i * n + j] = K[order[i] * N + order[j]] + w * Z[order[i] * N + order[j]] + (i == j ? ridge[r % RIDGES] : 0.0);
                alpha[i] = y[order[i]];
            }
            solve(A, alpha, n);
            for (int i = n; i < N; ++i) {
                double f = 0.0;
                for (int j = 0; j < n; ++j) f += (K[order[i] * N + order[j]] + w * Z[order[i] * N + order[j]]) * alpha[j];
                want[r][0] += (f - y[order[i]]) * (f - y[order[i]]) / N;
                want[r][1] += (f * y[order[i]] <= 0.0) / (double)N;
            }
        }
    }
    for (int r = 0; r < RATIOS * RIDGES; ++r) {
        NTH_CHECK(row[4 * r] == ratio[r / RIDGES] && row[4 * r + 1] == ridge[r % RIDGES]);
        NTH_CHECK_CLOSE(row[4 * r + 2], want[r][0], 1e-9, 0.0);
        NTH_CHECK_CLOSE(row[4 * r + 3], want[r][1], 0.0, 1e-12);
        if (want[r][0] < want[best][0]) best = r;
    }
    NTH_CHECK(get(Z, NN, "F.h5", "/K_label") && get(fits, 7, "R.h5", "/fits"));
    NTH_CHECK_CLOSE(fits[0], ratio[best / RIDGES] * mean_abs(K, all, N) / mean_abs(Z, all, N), 1e-12, 0.0);
    NTH_CHECK(fits[1] == ridge[best % RIDGES]);
}

/* Folds that hold out nothing are no ground for a choice. */
static void folds_without_samples(void)
{
    const nth_provenance prov = { .command_line = "test", .config = "{}", .seed = 1, .threads = 1 };
    const ptrdiff_t      square[2] = { N, N }, n = N;
    const double         none[N] = { 0.0 };
    double               K[NN];
    nth_file            *f = NULL;
    char                 line[256] = "";
    NTH_CHECK(nth("kernel --kind ntk --activation erf --data " SET " --out K.h5") == 0 && get(K, NN, "K.h5", "/K"));
    NTH_CHECK_OK(nth_file_create(&f, "E.h5", &prov));
    NTH_CHECK_OK(nth_file_write(f, "/Z", K, 2, square));
    NTH_CHECK_OK(nth_file_write(f, "/fold", none, 1, &n));
    NTH_CHECK_OK(nth_file_commit(&f));
    NTH_CHECK(nth("regress --gram K.h5 --add E.h5:/Z --weight folds --ridge 0.5 --data " SET) == 3);
    FILE *err = fopen("err", "r");
    NTH_CHECK(err != NULL && fgets(line, sizeof line, err) != NULL && strcmp(line, "nth regress: E.h5: /fold holds out no sample\n") == 0);
    if (err != NULL) fclose(err);
}

/* Where the ratio that held-out samples prefer makes the whole kernel nearly singular, the next one is taken. Z of the fold is
 * y y^T: the more of it the better, ratio 100. Z of all is y y^T - c w w^T with c such that this ratio gives I + lambda Z an
 * eigenvalue of -1e-9 or so near w. */
static void a_pole_is_refused(void)
{
    const nth_provenance prov = { .command_line = "test", .config = "{}", .seed = 1, .threads = 1 };
    const ptrdiff_t      square[2] = { N, N }, n = N, count = RATIOS;
    double               K[NN] = { 0.0 }, Z[NN], y[N], w[N], fold[N] = { 0.0 }, refused[RATIOS], curve[4 * RATIOS], chosen[7], norm = 0.0, inner = 0.0, c = 0.0, l = 0.0;
    nth_data            *data = NULL;
    nth_file            *f = NULL;
    if (!NTH_CHECK_OK(nth_data_load(&data, "synthetic:sphere?n=10&d=3&test=0&seed=2", NULL))) return;
    for (int i = 0; i < N; ++i) y[i] = data->y.a[i] < 0.0 ? -1.0 : 1.0, w[i] = cos(3.0 * i), K[i * N + i] = 1.0;
    fold[2] = fold[7] = 1.0;
    for (int i = 0; i < N; ++i) norm += w[i] * w[i], inner += w[i] * y[i];
    /* det (I + l (y y^T - c w w^T)) = (1 + l y.y)(1 - l c w.w) + l^2 c (w.y)^2 = 0, l = 100 mean |I| / mean |Z| */
    for (int pass = 0; pass < 200; ++pass) {
        double mean = 0.0;
        for (int i = 0; i < N; ++i)
            for (int j = 0; j < N; ++j) Z[i * N + j] = y[i] * y[j] - c * w[i] * w[j], mean += fabs(Z[i * N + j]) / NN;
        l = 100.0 / N / mean;
        c = (1.0 + 1e-9) * (1.0 + l * N) / (l * norm * (1.0 + l * N) - l * l * inner * inner);
    }
    NTH_CHECK_OK(nth_file_create(&f, "I.h5", &prov));
    NTH_CHECK_OK(nth_file_write(f, "/K", K, 2, square));
    NTH_CHECK_OK(nth_file_commit(&f));
    NTH_CHECK_OK(nth_file_create(&f, "P.h5", &prov));
    NTH_CHECK_OK(nth_file_write(f, "/Z", Z, 2, square));
    NTH_CHECK_OK(nth_file_write(f, "/fold", fold, 1, &n));
    for (int i = 0; i < N; ++i)
        for (int j = 0; j < N; ++j) Z[i * N + j] = y[i] * y[j];
    NTH_CHECK_OK(nth_file_write(f, "/fold_1/Z", Z, 2, square));
    NTH_CHECK_OK(nth_file_commit(&f));
    NTH_CHECK(nth("regress --gram I.h5 --add P.h5:/Z --weight folds --out R.h5 --data " SET) == 0);
    NTH_CHECK(get(refused, count, "R.h5", "/choice_refused") && get(chosen, 7, "R.h5", "/fits"));
    for (int i = 0; i < RATIOS; ++i) NTH_CHECK(isnan(refused[i]) == (i < RATIOS - 1));
    NTH_CHECK(get(curve, 4 * count, "R.h5", "/choice") && refused[RATIOS - 1] > 2.0 * curve[4 * RATIOS - 2]);
    NTH_CHECK_CLOSE(chosen[0], 0.3 * l, 1e-9, 0.0);
    nth_data_destroy(&data);
}

int main(void) { return nth_tool_main("folds", (nth_test_case[]){ { "kernels_of_the_samples_kept", kernels_of_the_samples_kept },
                                                                 { "curve_is_of_held_out_samples", curve_is_of_held_out_samples },
                                                                 { "folds_without_samples", folds_without_samples },
                                                                 { "a_pole_is_refused", a_pole_is_refused },
                                                                 { 0 } }); }
