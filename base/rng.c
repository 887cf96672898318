/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Counter-based random numbers; the only file that sees Random123. The counter of a Philox block
 * is (index low, index high, run, stream), its key the seed; a block gives two 64-bit uniforms and
 * from them a pair of normals, so index 2b is the cosine of block b and 2b + 1 its sine.
 */
#include "nth/rng.h"
#include "vmath.h"

#include <Random123/philox.h>

enum { BLOCKS = 256 }; /* normals are made in batches of 2 * BLOCKS, in the first-level cache */

static philox4x32_ctr_t block_of(uint64_t seed, uint32_t stream, uint32_t run, uint64_t index)
{
    const philox4x32_key_t key = { { (uint32_t)seed, (uint32_t)(seed >> 32) } };
    const philox4x32_ctr_t ctr = { { (uint32_t)index, (uint32_t)(index >> 32), run, stream } };
    return philox4x32(ctr, key);
}

static uint64_t join(uint32_t hi, uint32_t lo) { return ((uint64_t)hi << 32) | lo; }

/* 52 bits and a half: never 0, never 1. */
static double u01(uint32_t hi, uint32_t lo) { return ((double)(join(hi, lo) >> 12) + 0.5) * 0x1p-52; }

void nth_rand_normals(double *out, ptrdiff_t n, uint64_t seed, nth_stream stream, uint32_t run,
                      uint64_t index)
{
    double radius[BLOCKS], angle[BLOCKS], even[BLOCKS], odd[BLOCKS];
    while (n > 0) {
        const ptrdiff_t skip = (ptrdiff_t)(index & 1);
        const uint64_t  first = index >> 1;
        ptrdiff_t       take = 2 * BLOCKS - skip < n ? 2 * BLOCKS - skip : n;
        const ptrdiff_t blocks = (skip + take + 1) / 2;
        for (ptrdiff_t b = 0; b < blocks; ++b) {
            const philox4x32_ctr_t r = block_of(seed, (uint32_t)stream, run, first + (uint64_t)b);
            radius[b] = u01(r.v[0], r.v[1]);
            angle[b] = 6.283185307179586476925 * u01(r.v[2], r.v[3]);
        }
        nth_vlog(radius, radius, blocks);
        for (ptrdiff_t b = 0; b < blocks; ++b) radius[b] = __builtin_sqrt(-2.0 * radius[b]);
        nth_vcos(even, angle, blocks);
        nth_vsin(odd, angle, blocks);
        for (ptrdiff_t i = 0; i < take; ++i) {
            const ptrdiff_t b = (skip + i) >> 1;
            out[i] = radius[b] * (((skip + i) & 1) ? odd[b] : even[b]);
        }
        out += take, n -= take, index += (uint64_t)take;
    }
}

double nth_rand_uniform(uint64_t seed, nth_stream stream, uint32_t run, uint64_t index)
{
    const philox4x32_ctr_t r = block_of(seed, (uint32_t)stream, run, index);
    return u01(r.v[0], r.v[1]);
}

uint64_t nth_rand_below(uint64_t bound, uint64_t seed, nth_stream stream, uint32_t run,
                        uint64_t index)
{
    const philox4x32_ctr_t r = block_of(seed, (uint32_t)stream, run, index);
    return (uint64_t)(u01(r.v[0], r.v[1]) * (double)bound);
}

uint64_t nth_seed_derive(uint64_t master, uint32_t a, uint32_t b)
{
    const philox4x32_ctr_t r = block_of(master, UINT32_MAX, a, b); /* a stream of its own */
    return join(r.v[0], r.v[1]);
}
