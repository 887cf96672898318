/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Slow twins of the label-aware kernels (lantk_ref.h).
 */
#include "lantk_ref.h"

#include <math.h>
#include <stdlib.h>

double ref_kernel_regression(const double *K, const double *A, ptrdiff_t n, double k)
{
    long double lo = K[0], hi = K[0], above = 0.0L, below = 0.0L;
    for (ptrdiff_t e = 0; e < n * n; ++e) lo = fminl(lo, K[e]), hi = fmaxl(hi, K[e]);
    for (ptrdiff_t e = 0; e < n * n; ++e) {
        const long double u = (long double)k - K[e], om = (hi - lo) * (hi - lo) - u * u;
        above += om * A[e], below += om;
    }
    return (double)(above / below);
}

/* B <- K^{-1} B, elimination with pivots. */
static void solve(long double *B, const double *K, ptrdiff_t n)
{
    long double *A = calloc((size_t)(n * n), sizeof *A);
    for (ptrdiff_t e = 0; e < n * n; ++e) A[e] = K[e];
    for (ptrdiff_t s = 0; s < n; ++s) {
        ptrdiff_t p = s;
        for (ptrdiff_t i = s; i < n; ++i)
            if (fabsl(A[i * n + s]) > fabsl(A[p * n + s])) p = i;
        for (ptrdiff_t j = 0; j < n; ++j) {
            long double t = A[s * n + j];
            A[s * n + j] = A[p * n + j], A[p * n + j] = t;
            t = B[s * n + j], B[s * n + j] = B[p * n + j], B[p * n + j] = t;
        }
        for (ptrdiff_t i = 0; i < n; ++i) {
            const long double f = i == s ? 0.0L : A[i * n + s] / A[s * n + s];
            for (ptrdiff_t j = 0; j < n && i != s; ++j) A[i * n + j] -= f * A[s * n + j], B[i * n + j] -= f * B[s * n + j];
        }
    }
    for (ptrdiff_t e = 0; e < n * n; ++e) B[e] /= A[e / n * n + e / n];
    free(A);
}

void ref_two_sided_inverse(double *out, const double *K, const double *T, ptrdiff_t n)
{
    long double *B = calloc((size_t)(n * n), sizeof *B), *C = calloc((size_t)(n * n), sizeof *C);
    for (ptrdiff_t e = 0; e < n * n; ++e) B[e] = T[e];
    solve(B, K, n);
    for (ptrdiff_t e = 0; e < n * n; ++e) C[e % n * n + e / n] = B[e];
    solve(C, K, n);
    for (ptrdiff_t e = 0; e < n * n; ++e) out[e] = (double)C[e];
    free(B), free(C);
}

void ref_features(double *F, double k, const double *x, const double *z, ptrdiff_t d, double s2)
{
    long double g = 0, xx = 0, zz = 0, square = 0, one = 0, mx = 0, mz = 0, cxz = 0, cxx = 0, czz = 0;
    for (ptrdiff_t c = 0; c < d; ++c) {
        const long double a = x[c], b = z[c];
        g += a * b, xx += a * a, zz += b * b, square += (a - b) * (a - b), one += fabsl(a - b);
        mx += a / (long double)d, mz += b / (long double)d;
    }
    for (ptrdiff_t c = 0; c < d; ++c)
        cxz += (x[c] - mx) * (z[c] - mz), cxx += (x[c] - mx) * (x[c] - mx), czz += (z[c] - mz) * (z[c] - mz);
    const long double cosine = fminl(fmaxl(g / sqrtl(xx * zz), -1.0L), 1.0L);
    F[0] = k, F[1] = (double)g, F[2] = (double)cosine, F[3] = (double)square, F[4] = (double)sqrtl(xx * zz);
    F[5] = (double)sqrtl(1.0L - cosine * cosine), F[6] = (double)acosl(cosine), F[7] = (double)expl(-square / s2);
    F[8] = (double)(cxz / sqrtl(cxx * czz)), F[9] = (double)one;
}

void ref_least_squares(double *fitted, const double *A, const double *b, ptrdiff_t rows, ptrdiff_t cols)
{
    /* Orthonormal columns by Gram and Schmidt, twice, then the projection of b. */
    long double *Q = calloc((size_t)(rows * cols), sizeof *Q), *r = calloc((size_t)rows, sizeof *r);
    for (ptrdiff_t f = 0; f < cols; ++f) {
        long double *q = Q + f * rows, first = 0.0L, norm = 0.0L, with_b = 0.0L;
        for (ptrdiff_t i = 0; i < rows; ++i) q[i] = A[i * cols + f], first += q[i] * q[i];
        for (int pass = 0; pass < 2; ++pass)
            for (ptrdiff_t g = 0; g < f; ++g) {
                long double dot = 0.0L;
                for (ptrdiff_t i = 0; i < rows; ++i) dot += Q[g * rows + i] * q[i];
                for (ptrdiff_t i = 0; i < rows; ++i) q[i] -= dot * Q[g * rows + i];
            }
        for (ptrdiff_t i = 0; i < rows; ++i) norm += q[i] * q[i];
        const long double scale = norm > 1e-24L * first ? 1.0L / sqrtl(norm) : 0.0L; /* a multiple of the others */
        for (ptrdiff_t i = 0; i < rows; ++i) q[i] *= scale, with_b += q[i] * b[i];
        for (ptrdiff_t i = 0; i < rows; ++i) r[i] += with_b * q[i];
    }
    for (ptrdiff_t i = 0; i < rows; ++i) fitted[i] = (double)r[i];
    free(Q), free(r);
}
