/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Chooses the loops of this CPU.
 */
#include "loops_priv.h"

const nth_loops *nth_test_loops = NULL;

const nth_loops *nth_priv_loops(void)
{
    if (nth_test_loops != NULL) return nth_test_loops;
#if defined(__x86_64__) && defined(__GNUC__)
    if (__builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512dq")) return &nth_loops_avx512;
    if (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma")) return &nth_loops_avx2;
#endif
    return &nth_loops_portable;
}
