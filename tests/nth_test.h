/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * What every test program uses: checks that a NaN cannot pass and that show their numbers, and the
 * runner. A test program is a list of cases:
 *
 *     int main(void) { return nth_test_main("mat", (nth_test_case[]){ { "name", fn }, { 0 } }); }
 *
 * The last line a program prints is "mat: N passed, N failed, N skipped"; its exit status is 0 only
 * if something ran and nothing failed. NTH_TEST_CASE=name runs one case.
 */
#ifndef NTH_TEST_H
#define NTH_TEST_H

#include <stdbool.h>
#include <stddef.h>

#include "nth/status.h"

typedef struct nth_test_case {
    const char *name;
    void (*run)(void);
} nth_test_case;

int nth_test_main(const char *program, const nth_test_case *cases);

/* Marks the running case as skipped, saying why. The case should return at once. */
void nth_test_skip(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

/* |got - want| <= atol + rtol |want|, false for NaN; on failure prints got, want, error, bound. */
bool nth_test_close(const char *file, int line, const char *what, double got, double want,
                    double rtol, double atol);
bool nth_test_true(const char *file, int line, const char *what, bool cond);
/* Running maximum of errors in which a NaN sticks (fmax would drop it). */
double nth_worst(double worst, double err);
/* Bytes that malloc has given out. */
double nth_test_heap(void);

#define NTH_CHECK_CLOSE(got, want, rtol, atol)                                                     \
    nth_test_close(__FILE__, __LINE__, #got, (got), (want), (rtol), (atol))
#define NTH_CHECK(cond) nth_test_true(__FILE__, __LINE__, #cond, (cond))
/* The call succeeds; otherwise prints the recorded message. */
#define NTH_CHECK_OK(call) nth_test_status(__FILE__, __LINE__, #call, (call), NTH_OK)
/* The call fails with exactly this status. */
#define NTH_CHECK_STATUS(call, want) nth_test_status(__FILE__, __LINE__, #call, (call), (want))
bool nth_test_status(const char *file, int line, const char *what, nth_status got, nth_status want);
/* The last recorded message contains the text. */
#define NTH_CHECK_MESSAGE(text) nth_test_message(__FILE__, __LINE__, (text))
bool nth_test_message(const char *file, int line, const char *text);

/* Runs build() with the 1st, 2nd, ... allocation failing until it succeeds; it must return only
 * NTH_OK or NTH_E_NOMEM and leave no block behind. */
void nth_test_every_allocation_fails(nth_status (*build)(void));

#endif
