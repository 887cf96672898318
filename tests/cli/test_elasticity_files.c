/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Local elasticity of trained networks in files: the kernel and diagonal that nth train writes, RR of it by nth elastic and
 * RR along training, against gradients of the slow twin and double loops, and against runs stopped on the way.
 */
#include "tool.h"
#include "../ntk_ref.h"
#include "nth/data.h"
#include "nth/file.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

enum { N = 5, Q = 3, D = 6, ROWS = N + Q, T = 3, NUMBERS = 4 };

/* K of all rows by gradients of the network in the file. */
static bool by_gradients(double K[ROWS * ROWS], const char *path, const nth_data *d)
{
    static ref_net  r;
    static ref_real g[ROWS][REF_MAX_P];
    nth_file       *f = NULL;
    nth_net        *net = NULL;
    if (NTH_CHECK_OK(nth_file_open(&f, path))) NTH_CHECK_OK(nth_net_read(&net, f));
    nth_file_close(&f);
    if (!NTH_CHECK(net != NULL)) return false;
    ref_read(&r, net);
    nth_net_destroy(&net);
    for (int i = 0; i < ROWS; ++i) ref_gradient(g[i], &r, r.theta, i < N ? d->x.a + i * D : d->x_test.a + (i - N) * D);
    for (int i = 0; i < ROWS; ++i)
        for (int j = 0; j < ROWS; ++j) {
            ref_real sum = 0.0L;
            for (int p = 0; p < r.P; ++p) sum += g[i][p] * g[j][p];
            K[i * ROWS + j] = (double)sum;
        }
    return true;
}

/* RR over rows first .. end against the training inputs, by the definition. */
static double by_loops(const double *K, const nth_data *d, int first, int end, bool self)
{
    double sum[2] = { 0.0 }, pairs[2] = { 0.0 };
    for (int i = first; i < end; ++i)
        for (int j = 0; j < N; ++j) {
            const int two = (i < N ? d->y.a[i] : d->y_test.a[i - N]) != d->y.a[j];
            if (i == j && !self) continue;
            sum[two] += K[i * ROWS + j] / sqrt(K[i * ROWS + i] * K[j * ROWS + j]);
            pairs[two] += 1.0;
        }
    return sum[0] / pairs[0] / (sum[0] / pairs[0] + sum[1] / pairs[1]);
}

static nth_data *problem(void)
{
    nth_data         *d = NULL;
    nth_data_options  opt = { 0 };
    NTH_CHECK_OK(nth_data_load(&d, "synthetic:sphere?n=5&d=6&test=3&seed=2", &opt));
    NTH_CHECK(nth("data 'synthetic:sphere?n=5&d=6&test=3&seed=2' --out s.h5") == 0);
    NTH_CHECK(nth("net --widths 6,16,1 --activation tanh --parameterization standard --seed 4 --out n.h5") == 0);
    return d;
}

/* The diagonal, K and both ratios; the same bits as nth kernel on the trained network. */
static void check_trained(const nth_data *d, const char *path, const char *last)
{
    double K[ROWS * ROWS], diag[T * Q], again[Q], rr[2 * NUMBERS], pairs[2 * 4];
    const int at = strcmp(last, "flow") == 0 ? 1 : 0; /* a flow of two times */
    if (!by_gradients(K, path, d) || !get(diag, (at + 1) * Q, path, "/K_test_diag")) return;
    for (int i = 0; i < Q; ++i) NTH_CHECK_CLOSE(diag[at * Q + i], K[(N + i) * ROWS + N + i], 1e-13, 0.0);
    NTH_CHECK(nth("kernel --net %s --data s.h5 --out K.h5", path) == 0);
    if (get(again, Q, "K.h5", "/K_test_diag"))
        for (int i = 0; i < Q; ++i) NTH_CHECK_CLOSE(diag[at * Q + i], again[i], at > 0 ? 1e-13 : 0.0, 0.0);
    if (at > 0) return; /* K of a flow has three indices */
    for (int self = 0; self < 2; ++self) {
        NTH_CHECK(nth("elastic --gram %s --data s.h5 --self-pairs %s --bootstrap 0 --out E.h5", path, self ? "yes" : "no") == 0);
        if (!get(rr, 2 * NUMBERS, "E.h5", "/rr/kernel") || !get(pairs, 8, "E.h5", "/pairs/kernel")) return;
        NTH_CHECK_CLOSE(rr[0], by_loops(K, d, 0, N, self), 1e-13, 0.0);
        NTH_CHECK_CLOSE(rr[NUMBERS], by_loops(K, d, N, ROWS, false), 1e-13, 0.0);
        NTH_CHECK(isnan(rr[1]) && isnan(rr[2]) && isnan(rr[3]));
        for (int i = 0; i < 2; ++i) NTH_CHECK_CLOSE(pairs[4 * i] / (pairs[4 * i] + pairs[4 * i + 1]), rr[NUMBERS * i], 1e-15, 0.0);
        NTH_CHECK(pairs[2] + pairs[3] == (self ? N * N : N * (N - 1)) && pairs[6] + pairs[7] == Q * N);
    }
}

static void trained_kernels_have_the_test_diagonal(void)
{
    nth_data *d = problem();
    if (d == NULL) return;
    for (int sgd = 0; sgd < 2; ++sgd) {
        NTH_CHECK(nth("train --net n.h5 --data s.h5 --optimizer %s --learning-rate 0.05 --batch 2 --epochs 4 --kernel yes --out R.h5", sgd ? "sgd" : "adam") == 0);
        check_trained(d, "R.h5", sgd ? "sgd" : "adam");
    }
    NTH_CHECK(nth("train --net n.h5 --data s.h5 --times 0.5,2 --out F.h5") == 0);
    check_trained(d, "F.h5", "flow");
    nth_data_destroy(&d);
}

static const char *const set_name[3] = { "train_train", "train_train_self", "test_train" };

/* Record `at` of FILE:/GROUP against nth elastic on the kernel file, intervals included. */
static void check_record(const char *file, int at, const char *group, const char *gram, const char *data)
{
    double all[T * NUMBERS], rr[2 * NUMBERS];
    for (int set = 0; set < 3; ++set) {
        char path[64];
        snprintf(path, sizeof path, "/%s/%s", group, set_name[set]);
        NTH_CHECK(nth("elastic --gram %s --data '%s' --self-pairs %s --bootstrap 50 --seed 3 --out E.h5", gram, data, set == 1 ? "yes" : "no") == 0);
        if (!get(all, T * NUMBERS, file, path) || !get(rr, 2 * NUMBERS, "E.h5", "/rr/kernel")) return;
        for (int i = 0; i < NUMBERS; ++i)
            NTH_CHECK_CLOSE(all[at * NUMBERS + i], rr[(set == 2 ? NUMBERS : 0) + i], 1e-12, 0.0);
    }
}

/* The kernel of a record is that of the other file. */
static void check_kernels(const char *file, int epoch, const char *gram)
{
    enum { n = 30, k = 20 };
    static const struct {
        const char *name;
        int         count;
    } part[] = { { "K", n * n }, { "K_test", k * n }, { "K_test_diag", k } };
    static double a[n * n], b[n * n];
    for (int i = 0; i < 3; ++i) {
        char there[64], here[64];
        snprintf(there, sizeof there, "/epoch_%d/%s", epoch, part[i].name);
        snprintf(here, sizeof here, "/%s", part[i].name);
        if (get(a, part[i].count, file, there) && get(b, part[i].count, gram, here))
            NTH_CHECK(memcmp(a, b, (size_t)part[i].count * sizeof *a) == 0);
    }
}

#define ANIMAL "synthetic:two-objects?n=30&test=20&seed=3&size=8&label=animal"
#define FURNITURE "synthetic:two-objects?n=30&test=20&seed=3&size=8&label=furniture"

/* RR at an epoch is that of a run which ends there, by both systems of labels. */
static void records_are_those_of_shorter_runs(void)
{
    static const int epoch[T] = { 0, 3, 8 };
    double           all[T * NUMBERS];
    NTH_CHECK(nth("net --widths 64,48,1 --activation relu --parameterization standard --seed 4 --out n.h5") == 0);
    for (int sgd = 0; sgd < 2; ++sgd) {
        const char *how = sgd ? "sgd --momentum 0.5 --learning-rate 0.05" : "adam --learning-rate 0.01";
        NTH_CHECK(nth("train --net n.h5 --data '" ANIMAL "' --optimizer %s --seed 3 --batch 7 --epochs 8 --record 0,3,8 --elasticity yes --bootstrap 50 "
                      "--elasticity-data '" FURNITURE "' --kernel each --out R.h5", how) == 0);
        for (int at = 0; at < T; ++at) {
            if (at == 0) NTH_CHECK(nth("kernel --net n.h5 --data '" ANIMAL "' --out K.h5") == 0);
            else NTH_CHECK(nth("train --net n.h5 --data '" ANIMAL "' --optimizer %s --seed 3 --batch 7 --epochs %d --kernel yes --out K.h5", how, epoch[at]) == 0);
            check_kernels("R.h5", epoch[at], "K.h5");
            check_record("R.h5", at, "rr", "K.h5", ANIMAL);
            check_record("R.h5", at, "rr_other", "K.h5", FURNITURE);
        }
        if (get(all, T * NUMBERS, "R.h5", "/rr/train_train")) NTH_CHECK(all[2 * NUMBERS] > all[0] + 0.01); /* training moves it */
    }
}

/* The same of gradient flow. */
static void flow_records_are_those_of_shorter_runs(void)
{
    static const double time[T] = { 0.0, 2.0, 20.0 };
    NTH_CHECK(nth("net --widths 64,24,1 --activation softplus --sigma-b 1 --seed 4 --out n.h5") == 0);
    NTH_CHECK(nth("train --net n.h5 --data '" ANIMAL "' --seed 3 --times 0,2,20 --elasticity yes --bootstrap 50 --elasticity-data '" FURNITURE "' --out R.h5") == 0);
    for (int at = 0; at < T; ++at) {
        NTH_CHECK(nth("train --net n.h5 --data '" ANIMAL "' --times %.17g --out S.h5", time[at]) == 0);
        NTH_CHECK(nth("kernel --net S.h5 --data '" ANIMAL "' --out K.h5") == 0);
        double all[T * NUMBERS], rr[2 * NUMBERS];
        NTH_CHECK(nth("elastic --gram K.h5 --data '" FURNITURE "' --bootstrap 50 --seed 3 --out E.h5") == 0);
        if (!get(rr, 2 * NUMBERS, "E.h5", "/rr/kernel")) return;
        if (get(all, T * NUMBERS, "R.h5", "/rr_other/test_train")) /* --rtol 1e-10 over another path of steps */
            for (int i = 0; i < NUMBERS; ++i) NTH_CHECK_CLOSE(all[at * NUMBERS + i], rr[NUMBERS + i], 1e-8, 0.0);
        if (get(all, T * NUMBERS, "R.h5", "/rr_other/train_train"))
            for (int i = 0; i < NUMBERS; ++i) NTH_CHECK_CLOSE(all[at * NUMBERS + i], rr[i], 1e-8, 0.0);
    }
}

static const nth_test_case cases[] = {
    { "trained_kernels_have_the_test_diagonal", trained_kernels_have_the_test_diagonal },
    { "records_are_those_of_shorter_runs", records_are_those_of_shorter_runs },
    { "flow_records_are_those_of_shorter_runs", flow_records_are_those_of_shorter_runs },
    { 0 },
};

int main(void) { return nth_tool_main("elasticity_files", cases); }
