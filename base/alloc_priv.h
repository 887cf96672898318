/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Memory: aligned blocks that can be made to fail.
 */
#ifndef NTH_BASE_ALLOC_PRIV_H
#define NTH_BASE_ALLOC_PRIV_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "nth/mat.h"

enum { NTH_ALIGN = 64 }; /* one cache line, one AVX-512 register */

/* Zero-filled block of count * size bytes, 64-byte aligned. On failure *out is NULL and the record
 * names `what` and the bytes asked for. count = 0 gives a valid, empty block. */
NTH_NODISCARD nth_status nth_priv_alloc(void *out, ptrdiff_t count, size_t size, const char *what);
void                     nth_priv_free(void *block); /* NULL is harmless */

/* count doubles. */
NTH_NODISCARD nth_status nth_priv_doubles(double **out, ptrdiff_t count, const char *what);
/* A contiguous rows x cols matrix of zeros; freed by nth_priv_free(m.a). */
NTH_NODISCARD nth_status nth_priv_mat(nth_mat *out, ptrdiff_t rows, ptrdiff_t cols,
                                      const char *what);
/* Copy of a NUL-terminated string. */
NTH_NODISCARD nth_status nth_priv_strdup(char **out, const char *s);

/* Bytes that the operating system says can be had without swapping; negative where it does not say. */
double nth_priv_mem_available(void);
/* Refuses work that needs more than the memory now available, before it starts. */
NTH_NODISCARD nth_status nth_priv_mem_check(double bytes, const char *what);

/* For tests: the k-th allocation from now fails (negative: none does); blocks not yet freed. */
extern long nth_test_alloc_countdown;
extern long nth_test_live_blocks;

#endif
