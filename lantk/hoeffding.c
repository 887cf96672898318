/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Hoeffding decomposition on all labelings, and of quadratic kernels (hoeffding.h).
 */
#include "nth/hoeffding.h"
#include "alloc_priv.h"
#include "fail_priv.h"
#include "hoeffding_priv.h"

#include <math.h>

nth_status nth_priv_hoeffding_check(ptrdiff_t n, const double *mu)
{
    nth_status st = NTH_OK;
    NTH_REQUIRE(n >= 1, NTH_E_ARG, "%td labels; at least one is expected", n);
    for (ptrdiff_t i = 0; i < n && mu != NULL; ++i)
        NTH_REQUIRE(fabs(mu[i]) < 1.0, NTH_E_ARG, "mean %td of the labels is %g; it must lie between -1 and 1", i + 1, mu[i]);
done:
    return st;
}

double nth_hoeffding_chi(ptrdiff_t A, const double *y, ptrdiff_t n, const double *mu)
{
    double product = 1.0;
    for (ptrdiff_t i = 0; i < n; ++i)
        if (A >> i & 1) product *= nth_priv_chi(y[i], mu != NULL ? mu[i] : 0.0);
    return product;
}

/* Values at y_i = -1 (row without bit i) and +1 (with it) become the mean over y_i and E[K chi_i]. */
static void transform(nth_mat kh, ptrdiff_t i, double mu)
{
    const double    up = 0.5 * (1.0 + mu), down = 0.5 * (1.0 - mu), half = 0.5 * sqrt((1.0 - mu) * (1.0 + mu));
    const ptrdiff_t bit = (ptrdiff_t)1 << i;
    for (ptrdiff_t A = 0; A < kh.rows; ++A) {
        if (A & bit) continue;
        double *minus = kh.a + A * kh.ld, *plus = minus + bit * kh.ld;
        for (ptrdiff_t k = 0; k < kh.cols; ++k) {
            const double m = minus[k], p = plus[k];
            minus[k] = up * p + down * m;
            plus[k] = half * (p - m);
        }
    }
}

nth_status nth_hoeffding_exact(nth_mat kh, nth_hoeffding_kernel *kernel, void *ctx, ptrdiff_t n, const double *mu)
{
    nth_status st = NTH_OK;
    double     y[NTH_HOEFFDING_LABELS];
    NTH_TRY(nth_priv_hoeffding_check(n, mu));
    NTH_REQUIRE(n <= NTH_HOEFFDING_LABELS, NTH_E_ARG, "%td labels; all labelings are visited for %d at most, take samples", n,
                NTH_HOEFFDING_LABELS);
    NTH_REQUIRE(kh.rows == (ptrdiff_t)1 << n && kh.cols >= 1, NTH_E_SHAPE, "coefficients are %td x %td; %td labels have %td rows",
                kh.rows, kh.cols, n, (ptrdiff_t)1 << n);
    for (ptrdiff_t A = 0; A < kh.rows; ++A) {
        double *K = kh.a + A * kh.ld;
        for (ptrdiff_t i = 0; i < n; ++i) y[i] = A >> i & 1 ? 1.0 : -1.0;
        NTH_TRY(kernel(K, y, ctx));
        for (ptrdiff_t k = 0; k < kh.cols; ++k) NTH_REQUIRE(isfinite(K[k]), NTH_E_NUMERIC, "the kernel of labeling %td is not finite", A);
    }
    for (ptrdiff_t i = 0; i < n; ++i) transform(kh, i, mu != NULL ? mu[i] : 0.0);
done:
    return st;
}

nth_status nth_hoeffding_levels(double *level, nth_cmat kh, ptrdiff_t n)
{
    nth_status st = NTH_OK;
    NTH_REQUIRE(n >= 1 && n <= NTH_HOEFFDING_LABELS && kh.rows == (ptrdiff_t)1 << n, NTH_E_SHAPE,
                "%td rows of coefficients are not those of %td labels", kh.rows, n);
    for (ptrdiff_t r = 0; r <= n; ++r) level[r] = 0.0;
    for (ptrdiff_t A = 0; A < kh.rows; ++A) {
        int size = 0;
        for (ptrdiff_t i = 0; i < n; ++i) size += (int)(A >> i & 1);
        for (ptrdiff_t k = 0; k < kh.cols; ++k) level[size] += kh.a[A * kh.ld + k] * kh.a[A * kh.ld + k];
    }
done:
    return st;
}

nth_status nth_hoeffding_quadratic(double *mean, double *first, nth_mat second, double k0, const double *a, nth_cmat B, const double *mu)
{
    nth_status      st = NTH_OK;
    const ptrdiff_t n = B.rows;
    NTH_REQUIRE(B.cols == n && second.rows == n && second.cols == n, NTH_E_SHAPE, "B is %td x %td, the coefficients of pairs %td x %td",
                B.rows, B.cols, second.rows, second.cols);
    NTH_TRY(nth_priv_hoeffding_check(n, mu));
    *mean = k0;
    for (ptrdiff_t i = 0; i < n; ++i) {
        const double m = mu != NULL ? mu[i] : 0.0, s = sqrt((1.0 - m) * (1.0 + m));
        double       slope = a != NULL ? a[i] : 0.0;
        *mean += slope * m + B.a[i * B.ld + i]; /* y_i^2 = 1: mu_i^2 B_ii + (1 - mu_i^2) B_ii */
        for (ptrdiff_t j = 0; j < n; ++j) {
            const double mj = mu != NULL ? mu[j] : 0.0, both = B.a[i * B.ld + j] + B.a[j * B.ld + i];
            second.a[i * second.ld + j] = i == j ? 0.0 : s * sqrt((1.0 - mj) * (1.0 + mj)) * both;
            if (i != j) slope += both * mj, *mean += 0.5 * both * m * mj;
        }
        first[i] = s * slope;
    }
done:
    return st;
}
