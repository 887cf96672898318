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

const char *nth_vmath_path(void); /* "avx512", "avx2" or "portable" */

#endif
