/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * The loops of vmath.h, compiled once for each instruction set: a file defines NTH_VMATH_NAME(f)
 * and NTH_VMATH_TABLE and includes this. Without libmvec the loops call the scalar functions.
 */
#include <stddef.h>
#include <string.h>

typedef void nth_vfun(double *out, const double *in, ptrdiff_t n);
typedef struct nth_vmath_table {
    const char *name;
    nth_vfun   *exp, *log, *log1p, *sin, *cos, *tanh, *erf;
} nth_vmath_table;

extern const nth_vmath_table nth_vmath_base, nth_vmath_avx2, nth_vmath_avx512;

#ifdef NTH_VMATH_TABLE
/* Declared here rather than by <math.h>, so that the vector variants are known without -ffast-math. */
#if defined(__x86_64__) && defined(__GLIBC__)
#define NTH_SIMD _Pragma("omp declare simd notinbranch")
#else
#define NTH_SIMD
#endif
NTH_SIMD extern double exp(double);
NTH_SIMD extern double log(double);
NTH_SIMD extern double log1p(double);
NTH_SIMD extern double sin(double);
NTH_SIMD extern double cos(double);
NTH_SIMD extern double tanh(double);
NTH_SIMD extern double erf(double);

enum { LANES = 8 };
/* The tail is padded to whole vectors, so that it takes the same path as the rest. */
#define NTH_LOOP(f)                                                                                \
    static void loop_##f(double *out, const double *in, ptrdiff_t n)                               \
    {                                                                                              \
        const ptrdiff_t whole = n - n % LANES;                                                     \
        _Pragma("omp simd simdlen(8)") for (ptrdiff_t i = 0; i < whole; ++i) out[i] = f(in[i]);    \
        if (whole == n) return;                                                                    \
        double pad[LANES];                                                                         \
        for (ptrdiff_t i = 0; i < LANES; ++i) pad[i] = whole + i < n ? in[whole + i] : 1.0;        \
        _Pragma("omp simd simdlen(8)") for (ptrdiff_t i = 0; i < LANES; ++i) pad[i] = f(pad[i]);   \
        memcpy(out + whole, pad, (size_t)(n - whole) * sizeof(double));                            \
    }
NTH_LOOP(exp)
NTH_LOOP(log)
NTH_LOOP(log1p)
NTH_LOOP(sin)
NTH_LOOP(cos)
NTH_LOOP(tanh)
NTH_LOOP(erf)

const nth_vmath_table NTH_VMATH_TABLE = { NTH_VMATH_LABEL, loop_exp, loop_log,  loop_log1p,
                                          loop_sin,        loop_cos, loop_tanh, loop_erf };
#endif
