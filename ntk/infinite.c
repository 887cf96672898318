/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Infinite-width tangent kernels of fully connected nets whose dual activations have a closed form
 * (E45-E54). Angles are taken by atan2, so coincident, opposite and zero inputs need no special
 * case and lose no digits.
 */
#include "fail_priv.h"
#include "linalg_priv.h"
#include "ntk_priv.h"

#include <math.h>

static const double PI = 3.14159265358979323846;

/* S and Sdot of E44 for variances q1, q2 and covariance k. */
typedef void dual_fn(double q1, double q2, double k, double *S, double *Sdot);

static double root(double q1, double q2, double k) { return sqrt(fmax(q1 * q2 - k * k, 0.0)); }

static void dual_relu(double q1, double q2, double k, double *S, double *Sdot) /* E45 */
{
    const double s = root(q1, q2, k), th = atan2(s, k);
    *S = (s + (PI - th) * k) / (2.0 * PI);
    *Sdot = (PI - th) / (2.0 * PI);
}

static void dual_erf(double q1, double q2, double k, double *S, double *Sdot) /* E47 */
{
    const double r = sqrt((1.0 + 2.0 * q1) * (1.0 + 2.0 * q2) - 4.0 * k * k);
    *S = 2.0 / PI * atan2(2.0 * k, r);
    *Sdot = 4.0 / PI / r;
}

static void dual_gelu(double q1, double q2, double k, double *S, double *Sdot) /* E48 */
{
    const double e = (1.0 + q1) * (1.0 + q2), D = e - k * k, r = sqrt(D), th = atan2(k, r);
    *S = ((k * k + q1 * q2 * D) / (e * r) + k * th) / (2.0 * PI) + 0.25 * k;
    *Sdot = (1.0 / D + (1.0 - q1 * q2) / e + 1.0) * k / (2.0 * PI * r) + 0.25 + th / (2.0 * PI);
}

static void dual_sin(double q1, double q2, double k, double *S, double *Sdot) /* E49, cannot overflow */
{
    const double mean = 0.5 * (q1 + q2), up = exp(k - mean), down = exp(-k - mean);
    *S = 0.5 * (up - down);
    *Sdot = 0.5 * (up + down);
}

static void dual_linear(double q1, double q2, double k, double *S, double *Sdot) /* E50 */
{
    (void)q1, (void)q2;
    *S = k;
    *Sdot = 1.0;
}

static void dual_quadratic(double q1, double q2, double k, double *S, double *Sdot) /* E50 */
{
    *S = q1 * q2 + 2.0 * k * k;
    *Sdot = 4.0 * k;
}

static dual_fn *const duals[NTH_ACT_COUNT] = {
    [NTH_ACT_ERF] = dual_erf, [NTH_ACT_GELU] = dual_gelu,     [NTH_ACT_SIN] = dual_sin,
    [NTH_ACT_RELU] = dual_relu, [NTH_ACT_LINEAR] = dual_linear, [NTH_ACT_QUADRATIC] = dual_quadratic,
};

bool nth_ntk_has_closed_form(nth_activation act) { return (unsigned)act < NTH_ACT_COUNT && duals[act] != NULL; }

/* Theta^L of one pair from its layer-1 covariances. */
static double theta(const nth_net_config *cfg, double q1, double q2, double k)
{
    const double w2 = cfg->sigma_w * cfg->sigma_w, b2 = cfg->sigma_b * cfg->sigma_b;
    dual_fn     *dual = duals[cfg->activation];
    double       Theta = k;
    for (int l = 1; l < cfg->layers; ++l) {
        double S, Sdot, S1, S2, unused;
        dual(q1, q2, k, &S, &Sdot);
        dual(q1, q1, q1, &S1, &unused);
        dual(q2, q2, q2, &S2, &unused);
        k = w2 * S + b2, q1 = w2 * S1 + b2, q2 = w2 * S2 + b2;
        Theta = k + w2 * Sdot * Theta;
    }
    return Theta;
}

static nth_status block(nth_mat K, const nth_net_config *cfg, nth_cmat A, nth_cmat B)
{
    nth_status   st = NTH_OK;
    const double c = nth_net_factor(cfg, 1), c2 = c * c, b2 = cfg->sigma_b * cfg->sigma_b;
    const bool   square = A.a == B.a;
    if (K.a == NULL) return st;
    NTH_TRY(square ? nth_gram(c2, A, 0.0, K) : nth_gemm(c2, NTH_N, A, NTH_T, B, 0.0, K));
#pragma omp parallel for schedule(dynamic, 8)
    for (ptrdiff_t i = 0; i < A.rows; ++i)
        for (ptrdiff_t j = 0; j < (square ? i + 1 : B.rows); ++j) {
            const double *x = A.a + i * A.ld, *z = B.a + j * B.ld;
            const double  q1 = c2 * nth_dot(x, x, A.cols) + b2, q2 = c2 * nth_dot(z, z, B.cols) + b2;
            const double  k = square && i == j ? q1 : K.a[i * K.ld + j] + b2;
            K.a[i * K.ld + j] = theta(cfg, q1, q2, k);
            if (square) K.a[j * K.ld + i] = K.a[i * K.ld + j];
        }
done:
    return st;
}

nth_status nth_ntk_infinite(nth_blocks *K, const nth_net_config *cfg, nth_cmat X, nth_cmat X_test)
{
    nth_status st = NTH_OK;
    NTH_TRY(nth_net_config_check(cfg));
    NTH_REQUIRE(nth_ntk_has_closed_form(cfg->activation), NTH_E_ARG,
                "activation %s has no closed-form infinite-width kernel; those which have: erf gelu sin relu "
                "linear quadratic",
                nth_activation_name(cfg->activation));
    NTH_REQUIRE(X.cols == cfg->widths[0] && (X_test.rows == 0 || X_test.cols == X.cols), NTH_E_SHAPE,
                "inputs have %td and %td columns, expected %td", X.cols, X_test.cols, cfg->widths[0]);
    NTH_TRY(nth_priv_blocks_check(K, X.rows, X_test.rows));
    NTH_TRY(block(K->train, cfg, X, X));
    NTH_TRY(block(K->test, cfg, X_test, X));
    NTH_TRY(block(K->test_test, cfg, X_test, X_test));
done:
    return st;
}
