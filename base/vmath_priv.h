/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * The loops of vmath.h, compiled once for each instruction set: a file defines NTH_VMATH_NAME(f)
 * and NTH_VMATH_TABLE and includes this. Without libmvec the loops call the scalar functions.
 */
#include <stddef.h>
#include <string.h>

typedef void nth_vfun(double *out, const double *in, ptrdiff_t n);
typedef void nth_vfun2(double *out, const double *y, const double *x, ptrdiff_t n);
typedef void nth_vpower(double *P, double *dP, const double *x, const double *c, const double *B,
                        ptrdiff_t stride, ptrdiff_t terms);
typedef struct nth_vmath_table {
    const char *name;
    nth_vfun   *exp, *log, *log1p, *sin, *cos, *tanh, *erf, *expm1;
    nth_vfun2  *atan2;
    nth_vpower *power_sums;
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
NTH_SIMD extern double expm1(double);
NTH_SIMD extern double atan2(double, double);

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
NTH_LOOP(expm1)

static void loop_atan2(double *out, const double *y, const double *x, ptrdiff_t n)
{
    const ptrdiff_t whole = n - n % LANES;
    _Pragma("omp simd simdlen(8)") for (ptrdiff_t i = 0; i < whole; ++i) out[i] = atan2(y[i], x[i]);
    if (whole == n) return;
    double py[LANES], px[LANES];
    for (ptrdiff_t i = 0; i < LANES; ++i) {
        py[i] = whole + i < n ? y[whole + i] : 1.0;
        px[i] = whole + i < n ? x[whole + i] : 1.0;
    }
    _Pragma("omp simd simdlen(8)") for (ptrdiff_t i = 0; i < LANES; ++i) py[i] = atan2(py[i], px[i]);
    memcpy(out + whole, py, (size_t)(n - whole) * sizeof(double));
}

#if defined(__AVX512F__)
enum { WIDTH = 8 };
#elif defined(__AVX2__)
enum { WIDTH = 4 };
#else
enum { WIDTH = 2 };
#endif
typedef double nth_lanes __attribute__((vector_size(WIDTH * sizeof(double)), aligned(8), may_alias));

/* Four registers of columns side by side hide the latency of the recurrences. Multiply and add are
 * fused where the CPU can (flags in CMakeLists.txt). */
static void loop_power_sums(double *P, double *dP, const double *x, const double *c, const double *B,
                            ptrdiff_t stride, ptrdiff_t terms)
{
#define NTH_AT(r) ((r) / LANES * stride + (r) % LANES)
    for (ptrdiff_t v = 0; v < 4 * LANES; v += 4 * WIDTH) {
        const double    *B0 = B + NTH_AT(v), *B1 = B + NTH_AT(v + WIDTH),
                     *B2 = B + NTH_AT(v + 2 * WIDTH), *B3 = B + NTH_AT(v + 3 * WIDTH);
        const nth_lanes *X = (const nth_lanes *)(x + v);
        nth_lanes       *p = (nth_lanes *)(P + v), *d = (nth_lanes *)(dP + v);
        const nth_lanes  zero = { 0 }, x0 = X[0], x1 = X[1], x2 = X[2], x3 = X[3];
        nth_lanes        p0 = zero, p1 = zero, p2 = zero, p3 = zero;
        nth_lanes        d0 = zero, d1 = zero, d2 = zero, d3 = zero;
        for (ptrdiff_t i = terms - 1; i >= 0; --i) {
            d0 = d0 * x0 + p0, p0 = p0 * x0 + c[i] * *(const nth_lanes *)(B0 + i * LANES);
            d1 = d1 * x1 + p1, p1 = p1 * x1 + c[i] * *(const nth_lanes *)(B1 + i * LANES);
            d2 = d2 * x2 + p2, p2 = p2 * x2 + c[i] * *(const nth_lanes *)(B2 + i * LANES);
            d3 = d3 * x3 + p3, p3 = p3 * x3 + c[i] * *(const nth_lanes *)(B3 + i * LANES);
        }
        p[0] = p0, p[1] = p1, p[2] = p2, p[3] = p3;
        d[0] = d0, d[1] = d1, d[2] = d2, d[3] = d3;
    }
#undef NTH_AT
}

const nth_vmath_table NTH_VMATH_TABLE = { NTH_VMATH_LABEL, loop_exp,   loop_log,   loop_log1p,
                                          loop_sin,        loop_cos,   loop_tanh,  loop_erf,
                                          loop_expm1,      loop_atan2, loop_power_sums };
#endif
