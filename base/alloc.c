/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * The only place that allocates. Blocks are 64-byte aligned and zero-filled; a countdown makes the
 * k-th allocation fail, so that tests walk every error path, and live blocks are counted, so that
 * they see a leak. Both counters are atomic: allocations happen inside parallel regions, too.
 *
 * A block of several megabytes asks for huge pages: of the time of a kernel, a tenth (depth 2: a
 * third) would otherwise go into page faults.
 */
#define _DEFAULT_SOURCE /* madvise */
#include "alloc_priv.h"
#include "fail_priv.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#ifdef __linux__
#include <sys/mman.h>
#endif

enum { HUGE_PAGE = 1 << 21, HUGE_MIN = 1 << 22 };

long nth_test_alloc_countdown = -1;
long nth_test_live_blocks = 0;

static bool denied_by_test(void)
{
    if (__atomic_load_n(&nth_test_alloc_countdown, __ATOMIC_RELAXED) < 0) return false;
    return __atomic_fetch_sub(&nth_test_alloc_countdown, 1, __ATOMIC_RELAXED) == 0;
}

/* Advice only: where the system gives no huge pages, nothing changes. */
static void *aligned_block(size_t bytes)
{
#if defined(__linux__) && defined(MADV_HUGEPAGE)
    if (bytes >= HUGE_MIN) {
        const size_t whole = bytes / HUGE_PAGE * HUGE_PAGE;
        /* C17 asks for a multiple of the alignment; the end is not touched, so it takes no memory. */
        void *block = aligned_alloc(HUGE_PAGE, bytes % HUGE_PAGE == 0 ? bytes : whole + HUGE_PAGE);
        if (block != NULL) (void)madvise(block, whole, MADV_HUGEPAGE);
        return block;
    }
#endif
    return aligned_alloc(NTH_ALIGN, bytes);
}

nth_status nth_priv_alloc(void *out, ptrdiff_t count, size_t size, const char *what)
{
    nth_status st = NTH_OK;
    void      *block = NULL;
    size_t     bytes = 0;
    NTH_REQUIRE(count >= 0, NTH_E_ARG, "%s: %td elements", what, count);
    NTH_REQUIRE(!__builtin_mul_overflow((size_t)count, size, &bytes) && bytes <= PTRDIFF_MAX - 2 * NTH_ALIGN,
                NTH_E_NOMEM, "%s: %td elements of %zu bytes do not fit the address space", what, count, size);
    bytes = (bytes + NTH_ALIGN - 1) / NTH_ALIGN * NTH_ALIGN;
    if (bytes == 0) bytes = NTH_ALIGN;
    if (!denied_by_test()) block = aligned_block(bytes);
    NTH_REQUIRE(block != NULL, NTH_E_NOMEM, "%s: cannot get %.1f MB", what, (double)bytes * 1e-6);
    memset(block, 0, bytes);
    __atomic_fetch_add(&nth_test_live_blocks, 1, __ATOMIC_RELAXED);
done:
    memcpy(out, &block, sizeof block);
    return st;
}

void nth_priv_free(void *block)
{
    if (block == NULL) return;
    __atomic_fetch_sub(&nth_test_live_blocks, 1, __ATOMIC_RELAXED);
    free(block);
}

nth_status nth_priv_doubles(double **out, ptrdiff_t count, const char *what)
{
    return nth_priv_alloc(out, count, sizeof(double), what);
}

nth_status nth_priv_mat(nth_mat *out, ptrdiff_t rows, ptrdiff_t cols, const char *what)
{
    nth_status st = NTH_OK;
    ptrdiff_t  count = 0;
    *out = (nth_mat){ 0 };
    NTH_REQUIRE(rows >= 0 && cols >= 0 && !__builtin_mul_overflow(rows, cols, &count), NTH_E_NOMEM,
                "%s: a %td x %td matrix does not fit the address space", what, rows, cols);
    NTH_TRY(nth_priv_doubles(&out->a, count, what));
    *out = nth_mat_of(out->a, rows, cols);
done:
    return st;
}

nth_status nth_priv_strdup(char **out, const char *s)
{
    const size_t len = strlen(s) + 1;
    nth_status   st = nth_priv_alloc(out, (ptrdiff_t)len, 1, "text");
    if (st == NTH_OK) memcpy(*out, s, len);
    return st;
}

double nth_priv_mem_available(void)
{
    double kib = -1.0;
    char   line[128];
    FILE  *f = fopen("/proc/meminfo", "r");
    if (f == NULL) return -1.0;
    while (fgets(line, sizeof line, f) != NULL)
        if (sscanf(line, "MemAvailable: %lf", &kib) == 1) break;
    fclose(f);
    return kib < 0.0 ? -1.0 : kib * 1024.0;
}

nth_status nth_priv_mem_check(double bytes, const char *what)
{
    nth_status   st = NTH_OK;
    const double have = nth_priv_mem_available();
    NTH_REQUIRE(have < 0.0 || bytes <= have, NTH_E_NOMEM,
                "%s needs %.2f GB of memory, %.2f GB are available", what, bytes * 1e-9,
                have * 1e-9);
done:
    return st;
}
