/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Samples in the order of their keys: every choice of samples and every order of labels is made here.
 */
#ifndef NTH_BASE_RANK_PRIV_H
#define NTH_BASE_RANK_PRIV_H

#include <stddef.h>
#include <stdint.h>

/* Runs of NTH_STREAM_SPLIT. Append only: samples on record depend on the numbers. */
enum { NTH_SPLIT_TRAIN, NTH_SPLIT_TEST, NTH_SPLIT_FOLDS, NTH_SPLIT_LABELS };

typedef struct nth_ranked {
    double    key;
    ptrdiff_t sample;
} nth_ranked;

/* Sorts order[0..n), whose samples are set, by the keys uniform(seed, NTH_STREAM_SPLIT, run, sample); equal keys by sample. */
void nth_priv_rank(nth_ranked *order, ptrdiff_t n, uint64_t seed, uint32_t run);

#endif
