/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * A growing text: JSON, help and generated documentation are built with it.
 */
#include "text_priv.h"
#include "alloc_priv.h"
#include "fail_priv.h"

#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static bool reserve(nth_text *t, size_t more)
{
    char        *bigger = NULL;
    const size_t need = t->length + more + 1;
    if (t->failed) return false;
    if (need <= t->room) return true;
    const size_t room = need < 2 * t->room ? 2 * t->room : need + 256;
    if (nth_priv_alloc(&bigger, (ptrdiff_t)room, 1, "text") != NTH_OK) {
        t->failed = true;
        return false;
    }
    if (t->length > 0) memcpy(bigger, t->s, t->length);
    nth_priv_free(t->s);
    t->s = bigger, t->room = room;
    return true;
}

void nth_text_bytes(nth_text *t, const char *s, size_t n)
{
    if (!reserve(t, n)) return;
    if (n > 0) memcpy(t->s + t->length, s, n);
    t->length += n;
    t->s[t->length] = '\0';
}

void nth_text_put(nth_text *t, const char *fmt, ...)
{
    va_list ap, again;
    va_start(ap, fmt);
    va_copy(again, ap);
    const int n = vsnprintf(NULL, 0, fmt, ap);
    if (n >= 0 && reserve(t, (size_t)n)) {
        vsnprintf(t->s + t->length, (size_t)n + 1, fmt, again);
        t->length += (size_t)n;
    }
    va_end(again);
    va_end(ap);
}

void nth_text_double(nth_text *t, double v)
{
    char s[40];
    if (!isfinite(v)) {
        nth_text_put(t, "%s", isnan(v) ? "nan" : v > 0.0 ? "inf" : "-inf");
        return;
    }
    for (int digits = 15; digits <= 17; ++digits) {
        snprintf(s, sizeof s, "%.*g", digits, v);
        if (strtod(s, NULL) == v) break; /* read before the comma of some locales is replaced */
    }
    char *comma = strchr(s, ',');
    if (comma != NULL) *comma = '.';
    nth_text_bytes(t, s, strlen(s));
}

nth_status nth_text_take(char **out, nth_text *t)
{
    nth_status st = NTH_OK;
    *out = NULL;
    nth_text_bytes(t, "", 0); /* an empty text, too, is a text */
    NTH_REQUIRE(!t->failed, NTH_E_NOMEM, "text: out of memory after %zu characters", t->length);
    *out = t->s;
    t->s = NULL;
done:
    nth_priv_free(t->s);
    *t = (nth_text){ 0 };
    return st;
}

enum { LETTERS = 63 };

int nth_priv_edit_distance(const char *a, const char *b)
{
    int          rows[3][LETTERS + 1];
    const size_t la = strlen(a) < LETTERS ? strlen(a) : LETTERS;
    const size_t lb = strlen(b) < LETTERS ? strlen(b) : LETTERS;
    for (size_t i = 0; i <= la; ++i) {
        int *row = rows[i % 3], *above = rows[(i + 2) % 3], *above2 = rows[(i + 1) % 3];
        row[0] = (int)i;
        for (size_t j = 1; j <= lb; ++j) {
            if (i == 0) {
                row[j] = (int)j;
                continue;
            }
            int best = above[j - 1] + (a[i - 1] != b[j - 1]);
            if (above[j] + 1 < best) best = above[j] + 1;
            if (row[j - 1] + 1 < best) best = row[j - 1] + 1;
            if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1] && above2[j - 2] + 1 < best)
                best = above2[j - 2] + 1;
            row[j] = best;
        }
    }
    return rows[la % 3][lb];
}

void nth_priv_nearest_offer(nth_nearest *n, const char *name)
{
    const int    d = nth_priv_edit_distance(n->word, name);
    const size_t len = strlen(name) > strlen(n->word) ? strlen(name) : strlen(n->word);
    const bool   prefix = strlen(n->word) >= 2 && strncmp(name, n->word, strlen(n->word)) == 0;
    if (!prefix && 3 * (size_t)d > len + 2) return;
    if (n->best[0] != '\0' && d >= n->distance) return;
    snprintf(n->best, sizeof n->best, "%s", name);
    n->distance = d;
}
