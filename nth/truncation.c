/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * The frozen kernels of the truncated hierarchy (E38): K2 .. K^(p) at t = 0 contracted with a few orthonormal
 * directions in each slot beyond the second. With the unit vectors as directions these are the tensors
 * themselves. The system they drive is integrated in truncation_flow.c.
 */
#include "truncation_priv.h"
#include "alloc_priv.h"
#include "fail_priv.h"
#include "linalg_priv.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

static double sum_of_powers(double s, int last)
{
    double sum = 0.0, power = 1.0;
    for (int j = 0; j <= last; ++j, power *= s) sum += power;
    return sum;
}

enum { RK8PD_ARRAYS = 20 }; /* of the size of the unknowns, in GSL's step and evolve together */

double nth_priv_truncation_run_bytes(ptrdiff_t n, ptrdiff_t k, int level, ptrdiff_t dirs, nth_truncation_form form)
{
    const double N = (double)n + (double)k, pairs = 0.5 * N * (N + 1.0), s = (double)dirs;
    const double kernels = level > 2 ? pairs * sum_of_powers(s, level - 3) : 0.0;
    return 8.0 * (pairs + RK8PD_ARRAYS * (N + (form == NTH_TRUNCATION_TENSORS ? kernels : sum_of_powers(s, level - 2))));
}

double nth_truncation_bytes(ptrdiff_t n, ptrdiff_t k, int level, ptrdiff_t directions, nth_truncation_form form)
{
    const double    N = (double)n + (double)k, pairs = 0.5 * N * (N + 1.0);
    const ptrdiff_t dirs = directions > 0 ? directions : n;
    return 8.0 * pairs * (sum_of_powers((double)dirs, level - 2) + 1.0) + nth_priv_truncation_run_bytes(n, k, level, dirs, form);
}

/* From blocks to column `at` of the pairs of one order. */
static void keep_pairs(const nth_truncation *tr, const nth_blocks *K, int j, ptrdiff_t at)
{
    const ptrdiff_t stride = nth_priv_power(tr->dirs, j), n = tr->n, k = tr->k;
    double         *to = tr->tensor[j] + at;
    for (ptrdiff_t a = 0; a < n; ++a)
        for (ptrdiff_t b = 0; b <= a; ++b, to += stride) *to = K->train.a[a * n + b];
    for (ptrdiff_t a = 0; a < k; ++a)
        for (ptrdiff_t b = 0; b < n; ++b, to += stride) *to = K->test.a[a * n + b];
    for (ptrdiff_t a = 0; a < k; ++a)
        for (ptrdiff_t b = 0; b <= a; ++b, to += stride) *to = K->test_test.a[a * k + b];
}

/* Contraction number `at` of order 2 + j: its digits in base dirs are a_1 .. a_j, a_1 first. */
static nth_status contract_one(const nth_truncation *tr, const nth_rows *rows, int j, ptrdiff_t at)
{
    nth_status      st = NTH_OK;
    const ptrdiff_t n = tr->n, k = tr->k;
    const double   *v[NTH_FROZEN] = { NULL };
    nth_blocks      K = { 0 };
    double         *room = NULL;
    ptrdiff_t       rest = at;
    for (int q = j - 1; q >= 0; --q, rest /= tr->dirs) v[q] = tr->V.a + rest % tr->dirs * n;
    NTH_TRY(nth_priv_doubles(&room, n * n + k * n + k * k, "contraction"));
    K.train = nth_mat_of(room, n, n);
    if (k > 0) {
        K.test = nth_mat_of(room + n * n, k, n);
        K.test_test = nth_mat_of(room + n * n + k * n, k, k);
    }
    if (j == 0) NTH_TRY(nth_priv_ntk_rows(&K, tr->f0, rows));
    else NTH_TRY(nth_priv_hier_contract(&K, rows, j + 2, v));
    keep_pairs(tr, &K, j, at);
done:
    nth_priv_free(room);
    return st;
}

/* All contractions of one order, one to a thread: each has the same bits wherever it is made. */
static nth_status contract_all(const nth_truncation *tr, const nth_rows *rows, int j)
{
    nth_status      st = NTH_OK;
    const ptrdiff_t count = nth_priv_power(tr->dirs, j);
    nth_status      failed = NTH_OK;
    char            why[256] = "";
    ptrdiff_t       which = count, bad = count;
#pragma omp parallel for schedule(dynamic, 1) reduction(min : bad) if (count > 1)
    for (ptrdiff_t at = 0; at < count; ++at) {
        const nth_status mine = bad >= count ? contract_one(tr, rows, j, at) : NTH_OK; /* a thread's own starts above */
        if (mine == NTH_OK) continue;
        bad = at;
#pragma omp critical
        if (at < which) {
            which = at, failed = mine;
            snprintf(why, sizeof why, "%s", nth_last_error().message);
        }
    }
    NTH_REQUIRE(failed == NTH_OK, failed, "contractions of K%d: %s", j + 2, why);
done:
    return st;
}

static nth_status check_data(const nth_rows *rows, const double *y, int level, ptrdiff_t dirs)
{
    nth_status           st = NTH_OK;
    const nth_activation act = rows->net->cfg.activation;
    const ptrdiff_t      n = rows->n, k = rows->rows - n;
    NTH_REQUIRE(level >= 2 && level <= NTH_HIER_MAX_ORDER, NTH_E_ARG, "truncation level %d; expected 2 to %d", level,
                NTH_HIER_MAX_ORDER);
    NTH_REQUIRE(level == 2 || nth_activation_is_smooth(act), NTH_E_ARG,
                "%s has no second derivative: the hierarchy can be truncated at level 2 only, not %d",
                nth_activation_name(act), level);
    NTH_REQUIRE(dirs >= 1 && dirs <= n, NTH_E_ARG, "%td directions for %td training inputs", dirs, n);
    for (ptrdiff_t i = 0; i < n; ++i) NTH_REQUIRE(isfinite(y[i]), NTH_E_NUMERIC, "label %td is not finite", i + 1);
    NTH_TRY(nth_priv_mem_check(nth_truncation_bytes(n, k, level, dirs, NTH_TRUNCATION_INTEGRALS),
                               "the truncated hierarchy (fewer inputs or directions need less)"));
done:
    return st;
}

nth_status nth_priv_truncation_from_rows(nth_truncation **out, const nth_rows *rows, const double *y, int level, nth_cmat V)
{
    nth_status      st = NTH_OK;
    nth_truncation *tr = NULL;
    const ptrdiff_t n = rows->n, k = rows->rows - n;
    *out = NULL;
    NTH_TRY(check_data(rows, y, level, V.rows));
    NTH_TRY(nth_priv_alloc(&tr, 1, sizeof *tr, "truncated hierarchy"));
    tr->n = n, tr->k = k, tr->dirs = V.rows, tr->level = level;
    tr->driving = n * (n + 1) / 2 + k * n;
    tr->pairs = tr->driving + k * (k + 1) / 2;
    NTH_TRY(nth_priv_doubles(&tr->y, n, "labels"));
    NTH_TRY(nth_priv_doubles(&tr->f0, n + k, "outputs"));
    NTH_TRY(nth_priv_mat(&tr->V, V.rows, n, "directions"));
    memcpy(tr->y, y, (size_t)n * sizeof *y);
    nth_mat_copy(tr->V, V);
    for (int j = 0; j <= level - 2; ++j) {
        NTH_TRY(nth_priv_doubles(&tr->tensor[j], tr->pairs * nth_priv_power(tr->dirs, j), "frozen kernels"));
        NTH_TRY(contract_all(tr, rows, j));
    }
    *out = tr, tr = NULL;
done:
    nth_truncation_destroy(&tr);
    return st;
}

void nth_truncation_destroy(nth_truncation **tr)
{
    if (*tr == NULL) return;
    nth_priv_free((*tr)->y);
    nth_priv_free((*tr)->f0);
    nth_priv_free((*tr)->V.a);
    for (int j = 0; j < NTH_FROZEN; ++j) nth_priv_free((*tr)->tensor[j]);
    nth_priv_free(*tr);
    *tr = NULL;
}

/* In the eigenbasis of K the matrix is c_i c_j int_0^T e^{-t (d_i + d_j)/n} dt. */
nth_status nth_priv_truncation_directions(nth_mat V, const nth_rows *rows, const double *y, double horizon)
{
    nth_status      st = NTH_OK;
    const ptrdiff_t n = rows->n;
    nth_spectral   *sp = NULL;
    nth_mat         K = { 0 }, M = { 0 };
    double         *r0 = NULL, *d = NULL;
    NTH_TRY(nth_priv_mat(&K, n, n, "training kernel"));
    NTH_TRY(nth_priv_mat(&M, n, n, "residual path"));
    NTH_TRY(nth_priv_doubles(&r0, rows->rows, "residual"));
    NTH_TRY(nth_priv_doubles(&d, n, "eigenvalues"));
    NTH_TRY(nth_priv_ntk_rows(&(nth_blocks){ .train = K }, r0, rows));
    nth_axpy(-1.0, y, r0, n);
    NTH_TRY(nth_spectral_create(&sp, nth_const(K), r0));
    for (ptrdiff_t i = 0; i < n; ++i)
        for (ptrdiff_t j = 0; j < n; ++j)
            M.a[i * n + j] = sp->c[i] * sp->c[j] * nth_phi((sp->d[i] + sp->d[j]) * horizon / (double)n);
    NTH_TRY(nth_eigh(nth_const(M), d, M));
    NTH_TRY(nth_gemm(1.0, NTH_N, nth_const(sp->U), NTH_N, nth_const(M), 0.0, K)); /* ascending columns */
    for (ptrdiff_t a = 0; a < V.rows; ++a)
        for (ptrdiff_t i = 0; i < n; ++i) V.a[a * V.ld + i] = K.a[i * n + n - 1 - a];
done:
    nth_spectral_destroy(&sp);
    nth_priv_free(K.a);
    nth_priv_free(M.a);
    nth_priv_free(r0);
    nth_priv_free(d);
    return st;
}

nth_status nth_truncation_create(nth_truncation **tr, const nth_net *net, nth_cmat X, nth_cmat X_test, const double *y,
                                 int level, ptrdiff_t directions, double horizon)
{
    nth_status      st = NTH_OK;
    nth_rows       *rows = NULL;
    nth_mat         V = { 0 };
    const ptrdiff_t n = X.rows, s = directions == 0 ? n : directions;
    *tr = NULL;
    NTH_TRY(nth_rows_create(&rows, net, X, X_test));
    NTH_TRY(check_data(rows, y, level, s)); /* before anything is made with a count that may be nonsense */
    NTH_REQUIRE(s == n || (isfinite(horizon) && horizon > 0.0), NTH_E_ARG, "horizon %g; expected a positive time", horizon);
    NTH_TRY(nth_priv_mat(&V, s, n, "directions"));
    if (s == n)
        for (ptrdiff_t i = 0; i < n; ++i) V.a[i * n + i] = 1.0;
    else NTH_TRY(nth_priv_truncation_directions(V, rows, y, horizon));
    NTH_TRY(nth_priv_truncation_from_rows(tr, rows, y, level, nth_const(V)));
done:
    nth_rows_destroy(&rows);
    nth_priv_free(V.a);
    return st;
}
