/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Memory: aligned blocks that can be made to fail, and the arena from which workspaces are cut.
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

/* Refuses work that needs more than the memory now available, before it starts. */
NTH_NODISCARD nth_status nth_priv_mem_check(double bytes, const char *what);

/* For tests: the k-th allocation from now fails (negative: none does); blocks not yet freed. */
extern long nth_test_alloc_countdown;
extern long nth_test_live_blocks;

/* Arena: ask for work_bytes once, carve 64-byte aligned pieces, release back to a mark. */
typedef struct nth_arena {
    unsigned char *base;
    size_t         size, used;
} nth_arena;

NTH_NODISCARD nth_status nth_arena_init(nth_arena *arena, size_t bytes);
void                     nth_arena_fini(nth_arena *arena);
double                  *nth_arena_take(nth_arena *arena, ptrdiff_t doubles); /* NULL: too small */
static inline size_t     nth_arena_mark(const nth_arena *arena) { return arena->used; }
static inline void       nth_arena_release(nth_arena *arena, size_t mark) { arena->used = mark; }
/* Bytes which `doubles` take in an arena. */
static inline size_t nth_arena_bytes(ptrdiff_t doubles)
{
    return ((size_t)doubles * sizeof(double) + NTH_ALIGN - 1) / NTH_ALIGN * NTH_ALIGN;
}

#endif
