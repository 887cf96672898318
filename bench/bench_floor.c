/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * The vector math that an infinite-width relu kernel cannot do without, one arc cosine and one square
 * root for each pair: glibc's vector functions on arrays that stay in the first-level cache. Built for
 * the machine at hand (CMakeLists.txt).
 */
#include "bench_floor.h"

#include <stddef.h>

#pragma omp declare simd notinbranch
extern double acos(double);
#pragma omp declare simd notinbranch
extern double sqrt(double);

double bench_floor(double count)
{
    enum { N = 1024 };
    static double in[N], angle[N], sine[N];
    double        sum = 0.0;
    for (ptrdiff_t i = 0; i < N; ++i) in[i] = (double)(2 * i - N) / (N + 1.0);
    for (double done = 0.0; done < count; done += N) {
#pragma omp simd
        for (ptrdiff_t i = 0; i < N; ++i) {
            angle[i] = acos(in[i]);
            sine[i] = sqrt(1.0 - in[i] * in[i]);
        }
        sum += angle[7] + sine[9];
        in[0] = -in[0]; /* the next lap is not this one's */
    }
    return sum;
}
