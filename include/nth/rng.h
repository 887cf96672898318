/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Random numbers that are addressed, not consumed: (seed, stream, run, index) names a number, so
 * any thread may draw any part of an array in any order and gets the same bits
 * (Philox4x32-10, Salmon et al. 2011; normals by Box-Muller; docs/adr/0004-random-numbers.md).
 */
#ifndef NTH_RNG_H
#define NTH_RNG_H

#include <stddef.h>
#include <stdint.h>

#include "nth/status.h"

#ifdef __cplusplus
extern "C" {
#endif

/* What the number is for. Append only: results on disk depend on the order. */
typedef enum nth_stream {
    NTH_STREAM_WEIGHTS,
    NTH_STREAM_BIASES,
    NTH_STREAM_INPUTS,
    NTH_STREAM_LABELS,
    NTH_STREAM_TEST,
    NTH_STREAM_PROJECTION,
    NTH_STREAM_SPLIT,
    NTH_STREAM_BOOTSTRAP,
    NTH_STREAM_NEURONS,
    NTH_STREAM_BATCHES
} nth_stream;

/**
 * Fills out[0..n) with the standard normal numbers index, index+1, ... of a stream.
 *
 *     z = sqrt(-2 log u1) cos(2 pi u2) for even indices, sin for odd ones, u1, u2 of block index/2
 *
 * Shapes     out (n). Scaling none. Ownership the caller's.
 * Cost       about 3 ns a number; no workspace. Accuracy 53-bit uniforms, a few ulp.
 * Errors     none.
 */
NTH_API void nth_rand_normals(double *out, ptrdiff_t n, uint64_t seed, nth_stream stream,
                              uint32_t run, uint64_t index);

/** Uniform number in (0,1), never 0 or 1, at the address given. */
NTH_API double nth_rand_uniform(uint64_t seed, nth_stream stream, uint32_t run, uint64_t index);

/** Integer in [0, bound) at the address given, 1 <= bound <= 2^40; bias below bound / 2^52. */
NTH_API uint64_t nth_rand_below(uint64_t bound, uint64_t seed, nth_stream stream, uint32_t run,
                                uint64_t index);

/** A seed of its own for part (a,b) of an experiment with this master seed. */
NTH_API uint64_t nth_seed_derive(uint64_t master, uint32_t a, uint32_t b);

#ifdef __cplusplus
}
#endif
#endif
