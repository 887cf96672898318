/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Failing, and handing a failure on. A function that uses these has `nth_status st` and a label
 * `done:` through which it leaves, freeing what it holds.
 */
#ifndef NTH_BASE_FAIL_PRIV_H
#define NTH_BASE_FAIL_PRIV_H

#include "nth/status.h"

/* Records the failure for nth_last_error() and returns `code`. */
nth_status nth_raise(nth_status code, const char *file, int line, const char *func, const char *fmt,
                     ...) __attribute__((format(printf, 5, 6)));

/* Puts "prefix: " before the recorded message: a caller adds the file or option concerned. */
void nth_priv_error_prefix(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

/* A failure starts here: record it, then leave through `done`. */
#define NTH_FAIL(code, ...)                                                                        \
    do {                                                                                           \
        st = nth_raise((code), __FILE__, __LINE__, __func__, __VA_ARGS__);                         \
        goto done;                                                                                 \
    } while (0)
/* An API precondition. Always compiled in. */
#define NTH_REQUIRE(cond, code, ...)                                                               \
    do {                                                                                           \
        if (!(cond)) NTH_FAIL((code), __VA_ARGS__);                                                \
    } while (0)
/* A callee failed: hand its status on, keep its message. */
#define NTH_TRY(call)                                                                              \
    do {                                                                                           \
        st = (call);                                                                               \
        if (st != NTH_OK) goto done;                                                               \
    } while (0)

#endif
