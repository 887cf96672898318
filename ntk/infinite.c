/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Infinite-width tangent kernels of fully connected nets whose dual activations have a closed form
 * (E52-E54; the duals are in dual.c). relu's sine of the angle is carried from layer to layer and
 * never taken as 1 - cos^2 where that cancels: its Sdot has a corner at angle 0.
 */
#include "dual_priv.h"
#include "fail_priv.h"
#include "linalg_priv.h"
#include "ntk_priv.h"

#include <math.h>

static const double PI = 3.14159265358979323846;

bool nth_ntk_has_closed_form(nth_activation act)
{
    nth_dual dual;
    return (unsigned)act < NTH_ACT_COUNT && nth_dual_of(&dual, act) == NTH_OK &&
           nth_dual_has_closed_form(&dual);
}

/* Theta^L of one pair from its layer-1 covariances. */
static double theta(const nth_net_config *cfg, const nth_dual *dual, double q1, double q2, double k)
{
    const double w2 = cfg->sigma_w * cfg->sigma_w, b2 = cfg->sigma_b * cfg->sigma_b;
    double       Theta = k;
    for (int l = 1; l < cfg->layers; ++l) {
        double S, Sdot;
        nth_priv_dual_row(dual, q1, &q2, &k, 1, &S, &Sdot);
        k = w2 * S + b2;
        q1 = w2 * nth_priv_dual_variance(dual, q1) + b2;
        q2 = w2 * nth_priv_dual_variance(dual, q2) + b2;
        Theta = k + w2 * Sdot * Theta;
    }
    return Theta;
}

/* The same for relu (E45), with s = sqrt(q1 q2 - k^2) carried from layer to layer:
 * gap = sqrt(S(q1,q1) S(q2,q2)) - S(q1,q2), and the new q1 q2 - k^2 is a sum of its positive parts. */
static double theta_relu(const nth_net_config *cfg, double q1, double q2, double k, double s)
{
    const double w2 = cfg->sigma_w * cfg->sigma_w, b2 = cfg->sigma_b * cfg->sigma_b;
    double       Theta = k;
    for (int l = 1; l < cfg->layers; ++l) {
        const double R = sqrt(q1) * sqrt(q2), th = atan2(s, k), spread = sqrt(q1) - sqrt(q2);
        const double S = w2 * (s + (PI - th) * k) / (2.0 * PI), Sdot = (PI - th) / (2.0 * PI);
        const double below = k > 0.0 ? s * (s / (R + k)) : R - k;
        const double gap = w2 * fmax(PI * below - (s - th * k), 0.0) / (2.0 * PI);
        s = sqrt(gap * (0.5 * w2 * R + S) + b2 * (0.5 * w2 * spread * spread + 2.0 * gap));
        k = S + b2, q1 = 0.5 * w2 * q1 + b2, q2 = 0.5 * w2 * q2 + b2;
        Theta = k + w2 * Sdot * Theta;
    }
    return Theta;
}

/* sqrt(q1 q2 - k^2) of two inputs; next to 0 and pi from the part of z orthogonal to x. */
static double sine(double q1, double q2, double k, double c, double b, nth_cmat A, ptrdiff_t i,
                   nth_cmat B, ptrdiff_t j)
{
    const double *x = A.a + i * A.ld, *z = B.a + j * B.ld;
    const double  R = sqrt(q1) * sqrt(q2);
    if (x == z || R == 0.0) return 0.0;
    if (fabs(k) < 0.995 * R) return sqrt(R - k) * sqrt(R + k);
    const double t = k / q1;
    double       rest = (b - t * b) * (b - t * b);
    for (ptrdiff_t e = 0; e < A.cols; ++e) rest += c * (z[e] - t * x[e]) * (c * (z[e] - t * x[e]));
    return sqrt(q1) * sqrt(rest);
}

static nth_status block(nth_mat K, const nth_net_config *cfg, nth_cmat A, nth_cmat B)
{
    nth_status   st = NTH_OK;
    const double c = nth_net_factor(cfg, 1), c2 = c * c, b = cfg->sigma_b, b2 = b * b;
    const bool   relu = cfg->activation == NTH_ACT_RELU;
    nth_dual     dual;
    const bool   square = A.a == B.a && A.rows == B.rows && A.ld == B.ld;
    if (K.a == NULL) return st;
    NTH_TRY(nth_dual_of(&dual, cfg->activation));
    NTH_TRY(square ? nth_gram(c2, A, 0.0, K) : nth_gemm(c2, NTH_N, A, NTH_T, B, 0.0, K));
#pragma omp parallel for schedule(dynamic, 8)
    for (ptrdiff_t i = 0; i < A.rows; ++i)
        for (ptrdiff_t j = 0; j < (square ? i + 1 : B.rows); ++j) {
            const double *x = A.a + i * A.ld, *z = B.a + j * B.ld;
            const double q1 = c2 * nth_dot(x, x, A.cols) + b2, q2 = c2 * nth_dot(z, z, B.cols) + b2;
            const double k = square && i == j ? q1 : K.a[i * K.ld + j] + b2;
            K.a[i * K.ld + j] = relu ? theta_relu(cfg, q1, q2, k, sine(q1, q2, k, c, b, A, i, B, j))
                                     : theta(cfg, &dual, q1, q2, k);
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
                "activation %s has no closed-form infinite-width kernel; those which have: erf "
                "gelu sin relu "
                "linear quadratic",
                nth_activation_name(cfg->activation));
    NTH_REQUIRE(X.cols == cfg->widths[0] && (X_test.rows == 0 || X_test.cols == X.cols),
                NTH_E_SHAPE, "inputs have %td and %td columns, expected %td", X.cols, X_test.cols,
                cfg->widths[0]);
    NTH_TRY(nth_priv_blocks_check(K, X.rows, X_test.rows));
    NTH_TRY(block(K->train, cfg, X, X));
    NTH_TRY(block(K->test, cfg, X_test, X));
    NTH_TRY(block(K->test_test, cfg, X_test, X_test));
done:
    return st;
}
