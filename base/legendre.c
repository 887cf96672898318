/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Gauss-Legendre quadrature and collocation on [0, 1] by the three-term recursion.
 */
#include "legendre_priv.h"

#include <math.h>

/* P_0(t) .. P_n(t) into P (n + 1). */
static void polynomials(int n, double t, double *P)
{
    P[0] = 1.0;
    if (n >= 1) P[1] = t;
    for (int k = 1; k < n; ++k) P[k + 1] = ((2 * k + 1) * t * P[k] - k * P[k - 1]) / (k + 1);
}

void nth_legendre_nodes(int q, double *x, double *w)
{
    double P[NTH_LEGENDRE_MAX + 1];
    for (int i = 0; i < q; ++i) {
        double t = -cos(3.14159265358979323846 * (i + 0.75) / (q + 0.5)), slope = 1.0;
        for (int it = 0; it < 100; ++it) {
            polynomials(q, t, P);
            slope = q * (t * P[q] - P[q - 1]) / (t * t - 1.0);
            const double step = P[q] / slope;
            t -= step;
            if (fabs(step) < 1e-16) break;
        }
        polynomials(q, t, P);
        slope = q * (t * P[q] - P[q - 1]) / (t * t - 1.0);
        x[i] = 0.5 + 0.5 * t;
        w[i] = 1.0 / ((1.0 - t * t) * slope * slope);
    }
}

void nth_legendre_integrals(int q, const double *x, const double *w, nth_mat S)
{
    double at_i[NTH_LEGENDRE_MAX + 2], at_j[NTH_LEGENDRE_MAX + 1];
    for (int i = 0; i < q; ++i) {
        polynomials(q, 2.0 * x[i] - 1.0, at_i);
        for (int j = 0; j < q; ++j) {
            polynomials(q, 2.0 * x[j] - 1.0, at_j);
            double s = w[j] * x[i]; /* k = 0 */
            for (int k = 1; k < q; ++k) s += w[j] * at_j[k] * 0.5 * (at_i[k + 1] - at_i[k - 1]);
            S.a[i * S.ld + j] = s;
        }
    }
}

void nth_legendre_coefficients(int q, const double *x, const double *w, nth_mat C)
{
    double P[NTH_LEGENDRE_MAX + 1];
    for (int j = 0; j < q; ++j) {
        polynomials(q, 2.0 * x[j] - 1.0, P);
        for (int k = 0; k < q; ++k) C.a[k * C.ld + j] = (2 * k + 1) * w[j] * P[k];
    }
}
