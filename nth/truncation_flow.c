/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * The truncated hierarchy as a system of ordinary differential equations in the frozen numbers of truncation.c.
 * Unknowns: the outputs f (N), then
 *
 *     integrals  J_1 (s), J_2 (s^2), .., J_{p-2}:   J_j' = c (x) J_{j-1},  J_0 = 1,   K2 = sum_j T_j J_j
 *     tensors    S_0 (pairs), S_1 (pairs x s), .., S_{p-3}:   S_j' = S_{j+1} c,  S_{p-2} = T_{p-2}
 *
 * with c = -(1/n) V r. J_j(a_1..a_j) is the nested integral over t > s_1 > .. > s_j, a_1 the latest time; the tensors
 * are K2 .. K^(p-1) themselves.
 */
#include "alloc_priv.h"
#include "fail_priv.h"
#include "linalg_priv.h"
#include "ode_priv.h"
#include "truncation_priv.h"

#include <math.h>
#include <string.h>

typedef struct run {
    const nth_truncation *tr;
    int                   level;
    nth_truncation_form   form;
    ptrdiff_t             N;          /* inputs */
    double               *r, *c, *K2; /* (n) residual, (dirs), (pairs) */
    long                  evaluations;
} run;

/* Unknowns behind the outputs: offset of those of order j. */
static ptrdiff_t offset(const run *w, int j)
{
    ptrdiff_t at = w->N;
    for (int q = w->form == NTH_TRUNCATION_TENSORS ? 0 : 1; q < j; ++q)
        at += nth_priv_power(w->tr->dirs, q) * (w->form == NTH_TRUNCATION_TENSORS ? w->tr->pairs : 1);
    return at;
}
static ptrdiff_t unknowns(const run *w)
{
    return offset(w, w->form == NTH_TRUNCATION_TENSORS ? w->level - 2 : w->level - 1);
}

/* K2 on the first `pairs` pairs from the unknowns. */
static nth_status kernel(const run *w, const double *y, ptrdiff_t pairs, double *K2)
{
    nth_status            st = NTH_OK;
    const nth_truncation *tr = w->tr;
    const bool            there = w->form == NTH_TRUNCATION_TENSORS && w->level > 2;
    memcpy(K2, there ? y + w->N : tr->tensor[0], (size_t)pairs * sizeof *K2);
    if (w->form == NTH_TRUNCATION_TENSORS) return NTH_OK;
    for (int j = 1; j <= w->level - 2; ++j)
        NTH_TRY(nth_gemv(1.0, NTH_N, nth_cmat_of(tr->tensor[j], pairs, nth_priv_power(tr->dirs, j)), y + offset(w, j), 1.0, K2));
done:
    return st;
}

/* f' = -(1/n) K2 r on all inputs (E7); K2 packed by pairs. */
static void outputs_rhs(const run *w, const double *K2, double *df)
{
    const ptrdiff_t n = w->tr->n;
    const double    scale = -1.0 / (double)n;
    memset(df, 0, (size_t)w->N * sizeof *df);
    for (ptrdiff_t a = 0; a < n; ++a)
        for (ptrdiff_t b = 0; b <= a; ++b, ++K2) {
            df[a] += scale * *K2 * w->r[b];
            if (b < a) df[b] += scale * *K2 * w->r[a];
        }
    for (ptrdiff_t a = n; a < w->N; ++a)
        for (ptrdiff_t b = 0; b < n; ++b, ++K2) df[a] += scale * *K2 * w->r[b];
}

static nth_status rhs(double t, const double *y, double *dydt, void *self)
{
    nth_status            st = NTH_OK;
    run                  *w = self;
    const nth_truncation *tr = w->tr;
    (void)t;
    ++w->evaluations;
    for (ptrdiff_t i = 0; i < tr->n; ++i) w->r[i] = y[i] - tr->y[i];
    NTH_TRY(nth_gemv(-1.0 / (double)tr->n, NTH_N, nth_const(tr->V), w->r, 0.0, w->c));
    NTH_TRY(kernel(w, y, tr->driving, w->K2));
    outputs_rhs(w, w->K2, dydt);
    if (w->form == NTH_TRUNCATION_TENSORS) {
        for (int j = 0; j <= w->level - 3; ++j) {
            const double *next = j == w->level - 3 ? tr->tensor[j + 1] : y + offset(w, j + 1);
            NTH_TRY(nth_gemv(1.0, NTH_N, nth_cmat_of(next, tr->pairs * nth_priv_power(tr->dirs, j), tr->dirs), w->c, 0.0,
                             dydt + offset(w, j)));
        }
        return NTH_OK;
    }
    for (int j = 1; j <= w->level - 2; ++j) {
        const ptrdiff_t below = nth_priv_power(tr->dirs, j - 1);
        const double   *J = j == 1 ? (const double[]){ 1.0 } : y + offset(w, j - 1);
        double         *to = dydt + offset(w, j);
        for (ptrdiff_t a = 0; a < tr->dirs; ++a)
            for (ptrdiff_t q = 0; q < below; ++q) *to++ = w->c[a] * J[q];
    }
done:
    return st;
}

static void start(const run *w, double *y)
{
    const nth_truncation *tr = w->tr;
    memcpy(y, tr->f0, (size_t)w->N * sizeof *y);
    for (int j = 0; w->form == NTH_TRUNCATION_TENSORS && j <= w->level - 3; ++j)
        memcpy(y + offset(w, j), tr->tensor[j], (size_t)(tr->pairs * nth_priv_power(tr->dirs, j)) * sizeof *y);
}

static void unpack(const nth_truncation *tr, const double *K2, nth_blocks *K)
{
    for (ptrdiff_t a = 0; a < tr->n; ++a)
        for (ptrdiff_t b = 0; b <= a; ++b, ++K2)
            if (K->train.a != NULL) K->train.a[a * K->train.ld + b] = K->train.a[b * K->train.ld + a] = *K2;
    for (ptrdiff_t a = 0; a < tr->k; ++a)
        for (ptrdiff_t b = 0; b < tr->n; ++b, ++K2)
            if (K->test.a != NULL) K->test.a[a * K->test.ld + b] = *K2;
    for (ptrdiff_t a = 0; a < tr->k; ++a)
        for (ptrdiff_t b = 0; b <= a; ++b, ++K2)
            if (K->test_test.a != NULL) K->test_test.a[a * K->test_test.ld + b] = K->test_test.a[b * K->test_test.ld + a] = *K2;
}

/* |r - V^T V r| / |r_0|; the residual is in w->r, w->c is overwritten. */
static nth_status left_out(const run *w, const double *y, double *share)
{
    nth_status            st = NTH_OK;
    const nth_truncation *tr = w->tr;
    double                start2 = 0.0;
    for (ptrdiff_t i = 0; i < tr->n; ++i) {
        w->r[i] = y[i] - tr->y[i];
        start2 += (tr->f0[i] - tr->y[i]) * (tr->f0[i] - tr->y[i]);
    }
    *share = 0.0;
    if (!(start2 > 0.0)) return NTH_OK;
    NTH_TRY(nth_gemv(1.0, NTH_N, nth_const(tr->V), w->r, 0.0, w->c));
    NTH_TRY(nth_gemv(-1.0, NTH_T, nth_const(tr->V), w->c, 1.0, w->r));
    *share = sqrt(nth_dot(w->r, w->r, tr->n) / start2);
done:
    return st;
}

static nth_status check_run(const nth_truncation *tr, int level, nth_truncation_form form, double rtol, ptrdiff_t T,
                            const double *times, const nth_blocks *K)
{
    nth_status st = NTH_OK;
    NTH_REQUIRE(level >= 2 && level <= tr->level, NTH_E_ARG, "truncation level %d; expected 2 to %d", level, tr->level);
    NTH_REQUIRE(form == NTH_TRUNCATION_INTEGRALS || form == NTH_TRUNCATION_TENSORS, NTH_E_ARG, "form %d", (int)form);
    NTH_REQUIRE(rtol == 0.0 || (rtol >= 1e-14 && rtol <= 1e-1), NTH_E_ARG, "tolerance %g; expected 1e-14 to 0.1", rtol);
    NTH_REQUIRE(T >= 1, NTH_E_ARG, "no times asked for");
    for (ptrdiff_t t = 0; t < T; ++t) {
        NTH_REQUIRE(isfinite(times[t]) && times[t] >= (t > 0 ? times[t - 1] : 0.0), NTH_E_ARG,
                    "time %g; times must be finite, not negative and ascending", times[t]);
        if (K != NULL) NTH_TRY(nth_priv_blocks_check(&K[t], tr->n, tr->k));
    }
    NTH_TRY(nth_priv_mem_check(nth_priv_truncation_run_bytes(tr->n, tr->k, level, tr->dirs, form), "the truncated hierarchy"));
done:
    return st;
}

nth_status nth_truncation_run(const nth_truncation *tr, int level, nth_truncation_form form, double rtol, ptrdiff_t T,
                              const double *times, double *f, nth_blocks *K, nth_truncation_stats *stats)
{
    nth_status st = NTH_OK;
    run        w = { .tr = tr, .level = level, .form = form, .N = tr->n + tr->k };
    nth_ode   *ode = NULL;
    double    *y = NULL, t = 0.0, share = 0.0, worst = 0.0;
    long       steps = 0;
    const double          tol = rtol > 0.0 ? rtol : 1e-12;
    const nth_ode_options opt = { .method = NTH_ODE_RK8PD, .rtol = tol, .atol = 1e-2 * tol };
    NTH_TRY(check_run(tr, level, form, rtol, T, times, K));
    NTH_TRY(nth_priv_doubles(&w.r, tr->n, "residual"));
    NTH_TRY(nth_priv_doubles(&w.c, tr->dirs, "residual"));
    NTH_TRY(nth_priv_doubles(&w.K2, tr->pairs, "kernel"));
    NTH_TRY(nth_priv_doubles(&y, unknowns(&w), "unknowns"));
    NTH_TRY(nth_ode_create(&ode, unknowns(&w), &opt, rhs, &w));
    start(&w, y);
    for (ptrdiff_t i = 0; i < T; ++i) {
        st = nth_ode_advance(ode, &t, times[i], y, &steps);
        if (st != NTH_OK) nth_priv_error_prefix("truncation at level %d", level);
        NTH_TRY(st);
        if (f != NULL) memcpy(f + i * w.N, y, (size_t)w.N * sizeof *f);
        if (K != NULL) {
            NTH_TRY(kernel(&w, y, tr->pairs, w.K2));
            unpack(tr, w.K2, &K[i]);
        }
        NTH_TRY(left_out(&w, y, &share));
        worst = nth_keep_max(worst, share);
    }
    if (stats != NULL) *stats = (nth_truncation_stats){ .steps = steps, .evaluations = w.evaluations, .left_out = worst };
done:
    nth_ode_destroy(&ode);
    nth_priv_free(w.r);
    nth_priv_free(w.c);
    nth_priv_free(w.K2);
    nth_priv_free(y);
    return st;
}
