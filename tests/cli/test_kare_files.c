/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * nth kare end to end: the rows of its file are KARE, leave-one-out and errors of the kernel and the targets beside them, and the
 * error of the network after gradient flow is that of the outputs of nth train. The tool's path is in NTH_TOOL.
 */
#include "tool.h"
#include "nth/data.h"
#include "nth/kare.h"
#include "nth/regress.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

enum { N = 12, K = 7, RIDGES = 3, COLUMNS = 6 };
#define SET "synthetic:sphere?n=12&d=3&test=7&seed=1"
static const double  alpha[RIDGES] = { 0.1, 2.0, 30.0 };
static const nth_mat none = { 0 };

/* alpha, z, KARE, test mse, test accuracy, leave-one-out mse of labels +-1. */
static void row_of(double row[COLUMNS], double a, const double *k, const double *k_test, const nth_data *data)
{
    double       coefficients[N], E[N], trace = 0.0, loo = 0.0, mse = 0.0, right = 0.0;
    nth_kare     kare = { .kare = NAN };
    nth_regress *r = NULL;
    for (int i = 0; i < N; ++i) trace += k[i * N + i];
    const double z = a * trace / (N * N);
    NTH_CHECK_OK(nth_kare_evaluate(&kare, none, none, none, nth_cmat_of(k, N, N), nth_const(data->y), z));
    if (!NTH_CHECK_OK(nth_regress_create(&r, nth_cmat_of(k, N, N), &(nth_regress_options){ NTH_REGRESS_CHOLESKY, N * z, false }))) return;
    NTH_CHECK_OK(nth_regress_solve(nth_mat_of(coefficients, N, 1), NULL, r, nth_const(data->y)));
    NTH_CHECK_OK(nth_regress_loo(nth_mat_of(E, N, 1), r, nth_cmat_of(coefficients, N, 1)));
    for (int i = 0; i < N; ++i) loo += E[i] * E[i] / N;
    for (int i = 0; i < K; ++i) {
        double f = 0.0;
        for (int j = 0; j < N; ++j) f += k_test[i * N + j] * coefficients[j];
        mse += pow(f - data->y_test.a[i], 2.0) / K, right += f * data->y_test.a[i] > 0.0 ? 1.0 / K : 0.0;
    }
    nth_regress_destroy(&r);
    memcpy(row, (double[]){ a, z, kare.kare, mse, right, loo }, COLUMNS * sizeof *row);
}

static void check_fits(const char *name, const double *k, const double *k_test, const nth_data *data)
{
    double fits[RIDGES * COLUMNS], want[COLUMNS] = { 0 };
    NTH_CHECK(get(fits, RIDGES * COLUMNS, "R.h5", name));
    for (int i = 0; i < RIDGES; ++i) {
        row_of(want, alpha[i], k, k_test, data);
        for (int c = 0; c < COLUMNS; ++c) NTH_CHECK_CLOSE(fits[i * COLUMNS + c], want[c], 1e-10, 0.0);
    }
}

static void rows_are_of_the_kernel_beside_them(void)
{
    double    k[N * N], k_test[K * N];
    nth_data *data = NULL;
    if (!NTH_CHECK_OK(nth_data_load(&data, SET, NULL))) return;
    NTH_CHECK(nth("net --widths 3,8,1 --sigma-b 0.3 --seed 2 --out net.h5") == 0);
    NTH_CHECK(nth("kernel --net net.h5 --data '" SET "' --out K.h5") == 0);
    NTH_CHECK(nth("kare --net net.h5 --data '" SET "' --steps 3 --learning-rate 1 --alpha 0.1,2,30 --out R.h5") == 0);
    NTH_CHECK(get(k, N * N, "R.h5", "/K") && get(k_test, K * N, "R.h5", "/K_test"));
    check_fits("/fits", k, k_test, data);
    NTH_CHECK(get(k, N * N, "K.h5", "/K") && get(k_test, K * N, "K.h5", "/K_test"));
    check_fits("/fits_initial", k, k_test, data);
    NTH_CHECK(nth("kernel --kind ntk --activation tanh --depth 2 --sigma-b 0.3 --data '" SET "' --out K.h5") == 0);
    NTH_CHECK(get(k, N * N, "K.h5", "/K") && get(k_test, K * N, "K.h5", "/K_test"));
    check_fits("/fits_infinite", k, k_test, data);
    nth_data_destroy(&data);
}

/* A number of the outermost JSON object in `out`. */
static double said(const char *key)
{
    char   line[4096];
    double value = NAN;
    FILE  *f = fopen("out", "r");
    while (f != NULL && fgets(line, sizeof line, f) != NULL) {
        char *at = strstr(line, key);
        if (at == line + 3) (void)sscanf(at + strlen(key), "\": %lf", &value);
    }
    if (f != NULL) fclose(f);
    return value;
}

static void network_after_the_flow(void)
{
    double    f[N], f_test[K], fit = 0.0, mse = 0.0, right = 0.0;
    nth_data *data = NULL;
    if (!NTH_CHECK_OK(nth_data_load(&data, SET, NULL))) return;
    NTH_CHECK(nth("net --widths 3,8,1 --sigma-b 0.3 --seed 2 --out net.h5") == 0);
    NTH_CHECK(nth("train --net net.h5 --data '" SET "' --times 20 --out T.h5") == 0);
    NTH_CHECK(get(f, N, "T.h5", "/f") && get(f_test, K, "T.h5", "/f_test"));
    for (int i = 0; i < N; ++i) fit += pow(f[i] - data->y.a[i], 2.0) / N;
    for (int i = 0; i < K; ++i) mse += pow(f_test[i] - data->y_test.a[i], 2.0) / K, right += f_test[i] * data->y_test.a[i] > 0.0 ? 1.0 / K : 0.0;
    NTH_CHECK(nth("kare --net net.h5 --data '" SET "' --steps 0 --alpha 1 --flow-time 20 --json") == 0);
    NTH_CHECK_CLOSE(said("flow_training_mse"), fit, 1e-4, 0.0);
    NTH_CHECK_CLOSE(said("flow_mse"), mse, 1e-4, 0.0);
    NTH_CHECK_CLOSE(said("flow_accuracy"), right, 1e-12, 0.0);
    nth_data_destroy(&data);
}

int main(void) { return nth_tool_main("kare_files", (nth_test_case[]){ { "rows_are_of_the_kernel_beside_them", rows_are_of_the_kernel_beside_them },
                                                                      { "network_after_the_flow", network_after_the_flow },
                                                                      { 0 } }); }
