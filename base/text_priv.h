/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * A growing text. Failures are remembered, so that building needs no check at each step: look at
 * `failed` once, at the end.
 */
#ifndef NTH_BASE_TEXT_PRIV_H
#define NTH_BASE_TEXT_PRIV_H

#include <stdbool.h>
#include <stddef.h>

#include "nth/status.h"

typedef struct nth_text {
    char  *s; /* NUL-terminated once something was put; by nth_priv_alloc */
    size_t length, room;
    bool   failed; /* an allocation failed: s is what fitted */
} nth_text;

void nth_text_bytes(nth_text *t, const char *s, size_t n);
void nth_text_put(nth_text *t, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
/* The shortest decimal that reads back as the same double; "inf", "-inf", "nan". */
void nth_text_double(nth_text *t, double v);
/* Hands the text over (freed by nth_priv_free) or reports the failure, freeing it. */
NTH_NODISCARD nth_status nth_text_take(char **out, nth_text *t);

/* Letters to insert, delete, replace or swap with a neighbour to turn a into b (optimal string
 * alignment); words are cut at 63 letters. */
int nth_priv_edit_distance(const char *a, const char *b);
/* The nearest of the names offered one by one: start with {word}, offer each; `best` stays empty if
 * none is near enough to be worth showing (more than a third of the letters differ). */
typedef struct nth_nearest {
    const char *word;
    char        best[64];
    int         distance;
} nth_nearest;
void nth_priv_nearest_offer(nth_nearest *n, const char *name);

#endif
