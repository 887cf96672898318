/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Chooses the vector math path of this CPU and calls it.
 */
#include "vmath.h"
#include "vmath_priv.h"

static const nth_vmath_table *best(void)
{
#if defined(__x86_64__) && defined(__GNUC__)
    if (__builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512dq")) return &nth_vmath_avx512;
    if (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma")) return &nth_vmath_avx2;
#endif
    return &nth_vmath_base;
}

void nth_vexp(double *out, const double *in, ptrdiff_t n) { best()->exp(out, in, n); }
void nth_vlog(double *out, const double *in, ptrdiff_t n) { best()->log(out, in, n); }
void nth_vlog1p(double *out, const double *in, ptrdiff_t n) { best()->log1p(out, in, n); }
void nth_vsin(double *out, const double *in, ptrdiff_t n) { best()->sin(out, in, n); }
void nth_vcos(double *out, const double *in, ptrdiff_t n) { best()->cos(out, in, n); }
void nth_vtanh(double *out, const double *in, ptrdiff_t n) { best()->tanh(out, in, n); }
void nth_verf(double *out, const double *in, ptrdiff_t n) { best()->erf(out, in, n); }
void nth_vexpm1(double *out, const double *in, ptrdiff_t n) { best()->expm1(out, in, n); }

void nth_vatan2(double *out, const double *y, const double *x, ptrdiff_t n)
{
    best()->atan2(out, y, x, n);
}

void nth_vpower_sums(double *P, double *dP, const double *x, const double *c, const double *B,
                     ptrdiff_t stride, ptrdiff_t terms)
{
    best()->power_sums(P, dP, x, c, B, stride, terms);
}

const char *nth_vmath_path(void) { return best()->name; }
