/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * The test runner on top of CUnit's registry: one suite per program, our own summary line.
 */
#include "nth_test.h"
#include "alloc_priv.h"

#include <CUnit/CUnit.h>
#include <CUnit/TestRun.h>
#include <malloc.h>
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static bool skipped;
static int  skips;

void nth_test_skip(const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    printf("    skipped: ");
    vprintf(fmt, ap);
    printf("\n");
    va_end(ap);
    skipped = true;
}

bool nth_test_true(const char *file, int line, const char *what, bool cond)
{
    CU_assertImplementation(cond ? CU_TRUE : CU_FALSE, (unsigned)line, what, file, "", CU_FALSE);
    if (!cond) printf("    %s:%d: does not hold: %s\n", file, line, what);
    return cond;
}

bool nth_test_close(const char *file, int line, const char *what, double got, double want,
                    double rtol, double atol)
{
    const double err = fabs(got - want), bound = atol + rtol * fabs(want);
    const bool   ok = islessequal(err, bound);
    CU_assertImplementation(ok ? CU_TRUE : CU_FALSE, (unsigned)line, what, file, "", CU_FALSE);
    if (!ok)
        printf("    %s:%d: %s\n      got %.17g, want %.17g, |err| %.3e, bound %.3e\n", file, line, what,
               got, want, err, bound);
    return ok;
}

double nth_test_heap(void)
{
    const struct mallinfo2 now = mallinfo2();
    return (double)(now.uordblks + now.hblkhd);
}

double nth_worst(double worst, double err)
{
    return (isnan(worst) || islessequal(err, worst)) ? worst : err;
}

bool nth_test_status(const char *file, int line, const char *what, nth_status got, nth_status want)
{
    CU_assertImplementation(got == want ? CU_TRUE : CU_FALSE, (unsigned)line, what, file, "", CU_FALSE);
    if (got != want)
        printf("    %s:%d: %s\n      gave %s, expected %s; last message: %s\n", file, line, what,
               nth_status_name(got), nth_status_name(want), nth_last_error().message);
    return got == want;
}

bool nth_test_message(const char *file, int line, const char *text)
{
    const bool ok = strstr(nth_last_error().message, text) != NULL;
    CU_assertImplementation(ok ? CU_TRUE : CU_FALSE, (unsigned)line, text, file, "", CU_FALSE);
    if (!ok)
        printf("    %s:%d: message lacks \"%s\": %s\n", file, line, text, nth_last_error().message);
    return ok;
}

void nth_test_every_allocation_fails(nth_status (*build)(void))
{
    nth_status st = NTH_E_NOMEM;
    const long before = nth_test_live_blocks;
    long       k = 0;
    for (; st != NTH_OK && k < 5000; ++k) {
        nth_test_alloc_countdown = k;
        st = build();
        nth_test_alloc_countdown = -1;
        if (!NTH_CHECK(st == NTH_OK || st == NTH_E_NOMEM)) break;
        if (!NTH_CHECK(nth_test_live_blocks == before)) break;
    }
    NTH_CHECK(st == NTH_OK);
    NTH_CHECK(k > 1); /* at least one allocation was seen to fail */
}

int nth_test_main(const char *program, const nth_test_case *cases)
{
    const char *only = getenv("NTH_TEST_CASE");
    int         passed = 0, failed = 0;
    setvbuf(stdout, NULL, _IOLBF, 0);
    if (CU_initialize_registry() != CUE_SUCCESS) return 1;
    CU_pSuite suite = CU_add_suite(program, NULL, NULL);
    if (suite == NULL) return 1;
    for (const nth_test_case *c = cases; c->name != NULL; ++c) {
        if (only != NULL && strcmp(only, c->name) != 0) continue;
        CU_pTest test = CU_add_test(suite, c->name, c->run);
        if (test == NULL) return 1;
        printf("  %s\n", c->name);
        skipped = false;
        CU_run_test(suite, test);
        const unsigned bad = CU_get_number_of_failures(), all = CU_get_number_of_asserts();
        if (skipped) ++skips;
        else if (bad > 0 || all == 0) ++failed, printf("  %s FAILED (%u of %u checks)\n", c->name, bad, all);
        else ++passed;
    }
    CU_cleanup_registry();
    printf("%s: %d passed, %d failed, %d skipped\n", program, passed, failed, skips);
    return failed > 0 || passed + skips == 0;
}
