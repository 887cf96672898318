/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Doubles in the lanes of one vector register: `vd` with the usual operators, and the few operations
 * a compiler does not take from them (written out lane by lane they cost twice the time here). A file
 * that includes this is built for one instruction set.
 */
#ifndef NTH_NTK_LANES_PRIV_H
#define NTH_NTK_LANES_PRIV_H

#if defined(__AVX512F__) || defined(__AVX2__) || defined(__SSE2__)
#include <immintrin.h>
#endif

#if defined(__AVX512F__)
enum { VD = 8 };
typedef __m512d vd;
static inline vd vd_of(double x) { return _mm512_set1_pd(x); }
static inline vd vd_sqrt(vd x) { return _mm512_sqrt_pd(x); }
static inline vd vd_abs(vd x) { return _mm512_abs_pd(x); }
static inline vd vd_max(vd x, vd y) { return _mm512_max_pd(x, y); }
static inline vd vd_min(vd x, vd y) { return _mm512_min_pd(x, y); }
static inline vd vd_fma(vd x, vd y, vd z) { return _mm512_fmadd_pd(x, y, z); }
static inline vd vd_load(const double *p) { return _mm512_loadu_pd(p); }
static inline void vd_store(double *p, vd x) { _mm512_storeu_pd(p, x); }
/* x <= y ? yes : no */
static inline vd vd_choose(vd x, vd y, vd yes, vd no)
{
    return _mm512_mask_blend_pd(_mm512_cmp_pd_mask(x, y, _CMP_LE_OQ), no, yes);
}
#elif defined(__AVX2__) && defined(__FMA__)
enum { VD = 4 };
typedef __m256d vd;
static inline vd vd_of(double x) { return _mm256_set1_pd(x); }
static inline vd vd_sqrt(vd x) { return _mm256_sqrt_pd(x); }
static inline vd vd_abs(vd x) { return _mm256_andnot_pd(_mm256_set1_pd(-0.0), x); }
static inline vd vd_max(vd x, vd y) { return _mm256_max_pd(x, y); }
static inline vd vd_min(vd x, vd y) { return _mm256_min_pd(x, y); }
static inline vd vd_fma(vd x, vd y, vd z) { return _mm256_fmadd_pd(x, y, z); }
static inline vd vd_load(const double *p) { return _mm256_loadu_pd(p); }
static inline void vd_store(double *p, vd x) { _mm256_storeu_pd(p, x); }
static inline vd vd_choose(vd x, vd y, vd yes, vd no)
{
    return _mm256_blendv_pd(no, yes, _mm256_cmp_pd(x, y, _CMP_LE_OQ));
}
#elif defined(__SSE2__)
enum { VD = 2 };
typedef __m128d vd;
static inline vd vd_of(double x) { return _mm_set1_pd(x); }
static inline vd vd_sqrt(vd x) { return _mm_sqrt_pd(x); }
static inline vd vd_abs(vd x) { return _mm_andnot_pd(_mm_set1_pd(-0.0), x); }
static inline vd vd_max(vd x, vd y) { return _mm_max_pd(x, y); }
static inline vd vd_min(vd x, vd y) { return _mm_min_pd(x, y); }
static inline vd vd_fma(vd x, vd y, vd z) { return x * y + z; }
static inline vd vd_load(const double *p) { return _mm_loadu_pd(p); }
static inline void vd_store(double *p, vd x) { _mm_storeu_pd(p, x); }
static inline vd vd_choose(vd x, vd y, vd yes, vd no)
{
    const vd mask = _mm_cmple_pd(x, y);
    return _mm_or_pd(_mm_and_pd(mask, yes), _mm_andnot_pd(mask, no));
}
#else
#include <math.h>
enum { VD = 1 };
typedef double vd;
static inline vd vd_of(double x) { return x; }
static inline vd vd_sqrt(vd x) { return sqrt(x); }
static inline vd vd_abs(vd x) { return x < 0.0 ? -x : x; }
static inline vd vd_max(vd x, vd y) { return x > y ? x : y; }
static inline vd vd_min(vd x, vd y) { return x < y ? x : y; }
static inline vd vd_fma(vd x, vd y, vd z) { return x * y + z; }
static inline vd vd_load(const double *p) { return *p; }
static inline void vd_store(double *p, vd x) { *p = x; }
static inline vd vd_choose(vd x, vd y, vd yes, vd no) { return x <= y ? yes : no; }
#endif

#endif
