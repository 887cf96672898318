/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Samples in the order of their keys (rank_priv.h).
 */
#include "rank_priv.h"
#include "nth/rng.h"

#include <stdlib.h>

static int by_key(const void *a, const void *b)
{
    const nth_ranked *p = a, *q = b;
    if (p->key != q->key) return p->key < q->key ? -1 : 1;
    return p->sample < q->sample ? -1 : p->sample > q->sample;
}

void nth_priv_rank(nth_ranked *order, ptrdiff_t n, uint64_t seed, uint32_t run)
{
    for (ptrdiff_t i = 0; i < n; ++i)
        order[i].key = nth_rand_uniform(seed, NTH_STREAM_SPLIT, run, (uint64_t)order[i].sample);
    if (n > 1) qsort(order, (size_t)n, sizeof *order, by_key);
}
