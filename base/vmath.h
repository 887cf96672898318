/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Elementary functions of arrays, vectorized: out[i] = f(in[i]). The only place that uses glibc's
 * vector math (libmvec, below 4 ulp). Every entry goes through the same vector code wherever it
 * stands in the array, so a value depends on its argument alone; `out` may be `in`.
 * The code path (AVX-512, AVX2, portable) is chosen once per process from what the CPU has.
 */
#ifndef NTH_BASE_VMATH_H
#define NTH_BASE_VMATH_H

#include <stddef.h>

void nth_vexp(double *out, const double *in, ptrdiff_t n);
void nth_vlog(double *out, const double *in, ptrdiff_t n);
void nth_vlog1p(double *out, const double *in, ptrdiff_t n);
void nth_vsin(double *out, const double *in, ptrdiff_t n);
void nth_vcos(double *out, const double *in, ptrdiff_t n);
void nth_vtanh(double *out, const double *in, ptrdiff_t n);
void nth_verf(double *out, const double *in, ptrdiff_t n);
void nth_vexpm1(double *out, const double *in, ptrdiff_t n);
void nth_vatan2(double *out, const double *y, const double *x, ptrdiff_t n);

/* Power series of 32 columns with coefficients c_i B_i, and their derivatives:
 *
 *     P[v] = sum_i x[v]^i c[i] B[i,v],   dP[v] = sum_i i x[v]^{i-1} c[i] B[i,v],   i < terms
 *
 * The columns lie in four blocks of eight, `stride` doubles apart, in each B[i * 8 + lane]. Three
 * vector operations for each term of a block. */
enum { NTH_VPOWER_COLUMNS = 32 };
void nth_vpower_sums(double *P, double *dP, const double *x, const double *c, const double *B,
                     ptrdiff_t stride, ptrdiff_t terms);

const char *nth_vmath_path(void); /* "avx512", "avx2" or "portable" */

#endif
