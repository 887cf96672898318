/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * What the examples share: leaving when a call fails, and saying whether a claim holds.
 */
#ifndef NTH_EXAMPLE_H
#define NTH_EXAMPLE_H

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>

#include "nth/status.h"

/* A failed call ends the program with the library's message. */
#define TRY(call)                                                                                  \
    do {                                                                                           \
        if ((call) != NTH_OK) {                                                                    \
            fprintf(stderr, "%s: %s\n", #call, nth_last_error().message);                          \
            exit(EXIT_FAILURE);                                                                    \
        }                                                                                          \
    } while (0)

/* Prints the claim and its verdict; a claim that does not hold ends the program. */
static inline void claim(bool holds, const char *what)
{
    printf("%-8s %s\n", holds ? "holds:" : "FAILS:", what);
    if (!holds) exit(EXIT_FAILURE);
}

#endif
