/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Threads: OpenMP, or serial stand-ins. Loops themselves carry `#pragma omp`, which a build
 * without OpenMP ignores.
 */
#ifndef NTH_BASE_PAR_PRIV_H
#define NTH_BASE_PAR_PRIV_H

#ifdef _OPENMP
#include <omp.h>
static inline int  nth_priv_threads(void) { return omp_get_max_threads(); }
static inline int  nth_priv_thread(void) { return omp_get_thread_num(); } /* within a parallel region */
static inline void nth_priv_set_threads(int n) { omp_set_num_threads(n); }
/* Between these, OpenBLAS takes one thread on the calling thread: its OpenMP build asks for the
 * maximum each time. Costs nothing, where entering a parallel region would wake the other threads. */
static inline int nth_priv_serial_begin(void)
{
    const int threads = omp_get_max_threads();
    omp_set_num_threads(1);
    return threads;
}
static inline void nth_priv_serial_end(int threads) { omp_set_num_threads(threads); }
#else
static inline int  nth_priv_serial_begin(void) { return 1; }
static inline void nth_priv_serial_end(int threads) { (void)threads; }
static inline int  nth_priv_threads(void) { return 1; }
static inline int  nth_priv_thread(void) { return 0; }
static inline void nth_priv_set_threads(int n) { (void)n; }
#endif

#endif
