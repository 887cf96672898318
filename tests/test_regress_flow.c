/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Gradient flow under a frozen kernel (E89): predictions on training and test inputs against the
 * integrated equations, infinite time against ridgeless regression, refusals.
 */
#include "nth_test.h"
#include "nth/regress.h"
#include "nth/rng.h"

#include <float.h>
#include <math.h>

enum { FN = 5, FK = 2, C = 3 };
static double flow_K[FN * FN], flow_test[FK * FN], flow_f0[FN * C], flow_f0_test[FK * C];
static double targets[FN * C];

/* A positive definite kernel of training and test inputs, targets and initial outputs. */
static void make_flow(void)
{
    enum { ALL = FN + FK };
    double A[ALL * ALL];
    nth_rand_normals(A, ALL * ALL, 7, NTH_STREAM_TEST, 0, 0);
    nth_rand_normals(targets, FN * C, 7, NTH_STREAM_TEST, 1, 0);
    nth_rand_normals(flow_f0, FN * C, 7, NTH_STREAM_TEST, 2, 0);
    nth_rand_normals(flow_f0_test, FK * C, 7, NTH_STREAM_TEST, 3, 0);
    for (int i = 0; i < ALL; ++i)
        for (int j = 0; j < FN; ++j) {
            double *entry = i < FN ? &flow_K[i * FN + j] : &flow_test[(i - FN) * FN + j];
            *entry = 0.0;
            for (int k = 0; k < ALL; ++k) *entry += 0.5 * A[i * ALL + k] * A[j * ALL + k];
        }
}

/* df = -(1/n) [K; k] (f - y) for all outputs of one column, training ones first. */
static void velocity(long double *df, const long double *f, int column)
{
    for (int i = 0; i < FN + FK; ++i) {
        const double *k = i < FN ? flow_K + i * FN : flow_test + (i - FN) * FN;
        df[i] = 0.0L;
        for (int j = 0; j < FN; ++j) df[i] -= k[j] * (f[j] - targets[j * C + column]) / FN;
    }
}

/* Classical Runge-Kutta in long double; h^4 is far below the bound. */
static void integrate(long double *f, int column, double t)
{
    enum { STEPS = 2000, ALL = FN + FK };
    const long double h = (long double)t / STEPS;
    for (int s = 0; s < STEPS; ++s) {
        static const long double node[4] = { 0.0L, 0.5L, 0.5L, 1.0L },
                                 weight[4] = { 1.0L, 2.0L, 2.0L, 1.0L };
        long double k[4][ALL], sum[ALL] = { 0 };
        for (int stage = 0; stage < 4; ++stage) {
            long double x[ALL];
            for (int i = 0; i < ALL; ++i)
                x[i] = f[i] + (stage > 0 ? node[stage] * h * k[stage - 1][i] : 0.0L);
            velocity(k[stage], x, column);
            for (int i = 0; i < ALL; ++i) sum[i] += weight[stage] * k[stage][i];
        }
        for (int i = 0; i < ALL; ++i) f[i] += h / 6.0L * sum[i];
    }
}

static void flow_is_the_exponential(void)
{
    static const double times[] = { 0.0, 0.3, 2.0, 9.0 };
    double              f[FN * C], g[FK * C];
    nth_spectral       *sp = NULL;
    make_flow();
    const nth_cmat Y = nth_cmat_of(targets, FN, C), none = { 0 };
    NTH_CHECK_OK(nth_spectral_create(&sp, nth_cmat_of(flow_K, FN, FN), targets));
    for (int k = 0; k < 8; ++k) {
        const bool     zero = k < 4; /* f_0 = 0 */
        const nth_cmat F0 = zero ? none : nth_cmat_of(flow_f0, FN, C),
                       G0 = zero ? none : nth_cmat_of(flow_f0_test, FK, C);
        double worst = 0.0;
        NTH_CHECK_OK(nth_regress_flow(nth_mat_of(f, FN, C), sp, nth_cmat_of(flow_K, FN, FN), Y, F0,
                                      F0, times[k % 4]));
        NTH_CHECK_OK(nth_regress_flow(nth_mat_of(g, FK, C), sp, nth_cmat_of(flow_test, FK, FN), Y,
                                      F0, G0, times[k % 4]));
        for (int j = 0; j < C; ++j) {
            long double x[FN + FK] = { 0 };
            for (int i = 0; i < FN + FK && !zero; ++i)
                x[i] = i < FN ? flow_f0[i * C + j] : flow_f0_test[(i - FN) * C + j];
            integrate(x, j, times[k % 4]);
            for (int i = 0; i < FN; ++i)
                worst = nth_worst(worst, (double)fabsl(x[i] - f[i * C + j]));
            for (int i = 0; i < FK; ++i)
                worst = nth_worst(worst, (double)fabsl(x[FN + i] - g[i * C + j]));
        }
        NTH_CHECK_CLOSE(worst, 0.0, 0.0, 1e-12);
    }
    nth_spectral_destroy(&sp);
}

/* t = infinity: ridgeless regression of y - f_0. */
static void infinite_time_is_ridgeless(void)
{
    double         g[FK * C], want[FK * C], alpha[FN * C], rest[FN * C], worst = 0.0;
    nth_spectral  *sp = NULL;
    nth_regress   *r = NULL;
    const nth_cmat k = nth_cmat_of(flow_test, FK, FN), train = nth_cmat_of(flow_K, FN, FN);
    make_flow();
    for (int i = 0; i < FN * C; ++i) rest[i] = targets[i] - flow_f0[i];
    NTH_CHECK_OK(nth_spectral_create(&sp, train, targets));
    NTH_CHECK_OK(nth_regress_flow(nth_mat_of(g, FK, C), sp, k, nth_cmat_of(targets, FN, C),
                                  nth_cmat_of(flow_f0, FN, C), nth_cmat_of(flow_f0_test, FK, C),
                                  INFINITY));
    NTH_CHECK_OK(
        nth_regress_create(&r, train, &(nth_regress_options){ NTH_REGRESS_CHOLESKY, 0.0, false }));
    NTH_CHECK_OK(nth_regress_solve(nth_mat_of(alpha, FN, C), NULL, r, nth_cmat_of(rest, FN, C)));
    NTH_CHECK_OK(nth_regress_predict(nth_mat_of(want, FK, C), k, nth_cmat_of(alpha, FN, C), NULL));
    for (int i = 0; i < FK * C; ++i)
        worst = nth_worst(worst, fabs(g[i] - want[i] - flow_f0_test[i]));
    NTH_CHECK_CLOSE(worst, 0.0, 0.0,
                    100.0 * FN * DBL_EPSILON * nth_regress_get_info(r).cond); /* c n eps cond */
    nth_regress_destroy(&r);
    nth_spectral_destroy(&sp);
}

static void flow_refusals(void)
{
    double         g[FK * C];
    nth_spectral  *sp = NULL;
    const nth_cmat none = { 0 };
    make_flow();
    const nth_cmat Y = nth_cmat_of(targets, FN, C), k = nth_cmat_of(flow_test, FK, FN);
    NTH_CHECK_OK(nth_spectral_create(&sp, nth_cmat_of(flow_K, FN, FN), targets));
    NTH_CHECK_STATUS(nth_regress_flow(nth_mat_of(g, FK, C), sp, k, Y, none, none, -1.0), NTH_E_ARG);
    NTH_CHECK_STATUS(nth_regress_flow(nth_mat_of(g, FK, C), sp, k, Y, none, none, NAN), NTH_E_ARG);
    NTH_CHECK_STATUS(nth_regress_flow(nth_mat_of(g, FK, 1), sp, k, Y, none, none, 1.0),
                     NTH_E_SHAPE);
    NTH_CHECK_STATUS(nth_regress_flow(nth_mat_of(g, FK, C), sp, k, Y, Y, none, 1.0), NTH_E_SHAPE);
    NTH_CHECK_STATUS(nth_regress_flow(nth_mat_of(g, FK, C), sp, k, nth_cmat_of(targets, FN - 1, C),
                                      none, none, 1.0),
                     NTH_E_SHAPE);
    nth_spectral_destroy(&sp);
}

int main(void)
{
    return nth_test_main(
        "regress_flow",
        (nth_test_case[]){ { "flow_is_the_exponential", flow_is_the_exponential },
                           { "infinite_time_is_ridgeless", infinite_time_is_ridgeless },
                           { "flow_refusals", flow_refusals },
                           { 0 } });
}
