/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * The tool as C tests of its numbers call it: in a temporary folder, its path in the environment variable NTH_TOOL.
 */
#ifndef NTH_TESTS_CLI_TOOL_H
#define NTH_TESTS_CLI_TOOL_H

#include <stdbool.h>
#include <stddef.h>

#include "nth_test.h"

/* Runs the cases in a folder of their own, removed at the end; what main returns. */
int nth_tool_main(const char *name, const nth_test_case *cases);
/* Runs "nth ..." quietly; its exit status. Standard output and error go to the files out and err. */
int nth(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
/* The whole dataset: exactly `count` numbers; NaN where it cannot be read. */
bool get(double *out, ptrdiff_t count, const char *path, const char *name);

#endif
