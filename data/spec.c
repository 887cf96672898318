/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Specs: "scheme:path?key=value&key=value" cut into pieces and checked against the table of
 * sources; anything unknown is answered with the nearest valid name.
 * Called by: nth_data_load (parse, fini), the loaders (text, count, seed).
 */
#include "data_priv.h"
#include "alloc_priv.h"
#include "fail_priv.h"

#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

enum { WORD_MAX_LENGTH = 64 };

/* Levenshtein distance, one row at a time; both words are cut at 64 letters. */
static size_t edit_distance(const char *a, const char *b)
{
    size_t row[WORD_MAX_LENGTH + 1], na = strnlen(a, WORD_MAX_LENGTH), nb = strnlen(b, WORD_MAX_LENGTH);
    for (size_t j = 0; j <= nb; ++j) row[j] = j;
    for (size_t i = 1; i <= na; ++i) {
        size_t diagonal = row[0];
        row[0] = i;
        for (size_t j = 1; j <= nb; ++j) {
            size_t best = diagonal + (a[i - 1] != b[j - 1]);
            if (row[j] + 1 < best) best = row[j] + 1;
            if (row[j - 1] + 1 < best) best = row[j - 1] + 1;
            diagonal = row[j];
            row[j] = best;
        }
    }
    return row[nb];
}

const char *nth_priv_data_nearest(const char *word, const char *const *names)
{
    const char *nearest = NULL;
    size_t      least = SIZE_MAX;
    for (; *names != NULL; ++names) {
        const size_t distance = edit_distance(word, *names);
        if (distance < least) least = distance, nearest = *names;
    }
    return nearest;
}

nth_status nth_priv_format(char **out, const char *fmt, ...)
{
    nth_status st = NTH_OK;
    va_list    ap;
    *out = NULL;
    va_start(ap, fmt);
    const int length = vsnprintf(NULL, 0, fmt, ap);
    va_end(ap);
    NTH_REQUIRE(length >= 0, NTH_E_ARG, "text cannot be formatted");
    NTH_TRY(nth_priv_alloc(out, (ptrdiff_t)length + 1, 1, "text"));
    va_start(ap, fmt);
    vsnprintf(*out, (size_t)length + 1, fmt, ap);
    va_end(ap);
done:
    return st;
}

bool nth_priv_parse_u64(const char *text, uint64_t *out)
{
    uint64_t value = 0;
    if (*text == '\0') return false;
    for (; *text != '\0'; ++text) {
        if (*text < '0' || *text > '9') return false;
        if (__builtin_mul_overflow(value, (uint64_t)10, &value)) return false;
        if (__builtin_add_overflow(value, (uint64_t)(*text - '0'), &value)) return false;
    }
    *out = value;
    return true;
}

const char *nth_priv_spec_text(const nth_spec *spec, const char *key)
{
    for (int i = 0; i < spec->count; ++i)
        if (strcmp(spec->pair[i].key, key) == 0) return spec->pair[i].value;
    return NULL;
}

nth_status nth_priv_spec_count(const nth_spec *spec, const char *key, ptrdiff_t lo, ptrdiff_t hi,
                               ptrdiff_t *out)
{
    nth_status  st = NTH_OK;
    const char *text = nth_priv_spec_text(spec, key);
    uint64_t    value = 0;
    if (text == NULL) return NTH_OK;
    const bool ok = nth_priv_parse_u64(text, &value) && value >= (uint64_t)lo && value <= (uint64_t)hi;
    if (hi < PTRDIFF_MAX)
        NTH_REQUIRE(ok, NTH_E_ARG, "%s:%s: %s=%s; must be an integer from %td to %td", spec->scheme,
                    spec->path, key, text, lo, hi);
    NTH_REQUIRE(ok, NTH_E_ARG, "%s:%s: %s=%s; must be an integer, %td or more", spec->scheme, spec->path,
                key, text, lo);
    *out = (ptrdiff_t)value;
done:
    return st;
}

nth_status nth_priv_spec_real(const nth_spec *spec, const char *key, double lo, double hi, const char **text, double *out)
{
    nth_status  st = NTH_OK;
    const char *given = nth_priv_spec_text(spec, key);
    char       *end;
    if (given != NULL) *text = given;
    const double value = strtod(*text, &end);
    NTH_REQUIRE(end != *text && *end == '\0' && value >= lo && value <= hi, NTH_E_ARG,
                "%s:%s: %s=%s; must be a number from %g to %g", spec->scheme, spec->path, key, *text, lo, hi);
    *out = value;
done:
    return st;
}

nth_status nth_priv_spec_seed(const nth_spec *spec, const char *key, uint64_t *out)
{
    nth_status  st = NTH_OK;
    const char *text = nth_priv_spec_text(spec, key);
    if (text == NULL) return NTH_OK;
    NTH_REQUIRE(nth_priv_parse_u64(text, out), NTH_E_ARG,
                "%s:%s: %s=%s; must be an integer from 0 to 2^64 - 1", spec->scheme, spec->path, key, text);
done:
    return st;
}

/* Finds the row of the table; a text without a known scheme is the name of an HDF5 file. */
static nth_status find_source(nth_spec *spec, const nth_source *sources, const nth_source **source)
{
    nth_status  st = NTH_OK;
    const char *names[16];
    size_t      n = 0;
    char       *colon = strchr(spec->text, ':');
    /* A drive, folder or extension before the colon: a file whose name has a colon. */
    const bool file = colon == NULL || strcspn(spec->text, "/\\.") < (size_t)(colon - spec->text);
    for (const nth_source *s = sources; s->load != NULL && n < 15; ++s)
        if (s->scheme[0] != '\0') names[n++] = s->scheme;
    names[n] = NULL;
    for (size_t i = 0; i < n; ++i)
        NTH_REQUIRE(strcmp(spec->text, names[i]) != 0, NTH_E_ARG,
                    "data \"%s\" needs a colon and what comes after; write \"%s:...\"", spec->text, names[i]);
    const char *const table = file ? strstr(spec->text, ".csv") : NULL;
    NTH_REQUIRE(table == NULL || (table[4] != '\0' && table[4] != '?'), NTH_E_ARG, "data \"%s\": a table; write \"csv:%.*s?target=NAME\"",
                spec->text, (int)(table + 4 - spec->text), spec->text);
    if (!file) *colon = '\0';
    for (*source = sources; (*source)->load != NULL; ++*source)
        if (strcmp((*source)->scheme, file ? "" : spec->text) == 0) break;
    NTH_REQUIRE((*source)->load != NULL, NTH_E_ARG,
                "unknown kind of data \"%s:\"; did you mean \"%s:\"?", spec->text,
                nth_priv_data_nearest(spec->text, names));
    spec->scheme = (*source)->scheme;
    spec->path = file ? spec->text : colon + 1;
done:
    return st;
}

static nth_status add_pair(nth_spec *spec, char *text, const nth_source *source)
{
    nth_status st = NTH_OK;
    char      *equals = strchr(text, '=');
    if (equals != NULL) *equals = '\0';
    int i = 0;
    while (source->keys[i] != NULL && strcmp(source->keys[i], text) != 0) ++i;
    NTH_REQUIRE(source->keys[i] != NULL, NTH_E_ARG, "%s: unknown key \"%s\"; did you mean \"%s\"?",
                source->scheme, text, nth_priv_data_nearest(text, source->keys));
    NTH_REQUIRE(equals != NULL && equals[1] != '\0', NTH_E_ARG, "%s: key \"%s\" has no value; write %s=...",
                source->scheme, text, text);
    NTH_REQUIRE(nth_priv_spec_text(spec, text) == NULL, NTH_E_ARG, "%s: key \"%s\" given twice",
                source->scheme, text);
    spec->pair[spec->count].key = text; /* each key once, so there is room */
    spec->pair[spec->count++].value = equals + 1;
done:
    return st;
}

nth_status nth_priv_spec_parse(nth_spec *spec, const char *text, const nth_source *sources,
                               const nth_source **source)
{
    nth_status st = NTH_OK;
    char      *next = NULL;
    *spec = (nth_spec){ 0 };
    NTH_REQUIRE(text != NULL && text[0] != '\0', NTH_E_ARG, "no data set named; for example \"%s\"",
                NTH_DATA_DEFAULT_SPEC);
    NTH_TRY(nth_priv_strdup(&spec->text, text));
    NTH_TRY(find_source(spec, sources, source));
    if ((*source)->keys[0] == NULL) goto done; /* an HDF5 file: the whole text is its name */
    next = strchr(spec->path, '?');
    while (next != NULL) {
        char *pair = next + 1;
        *next = '\0';
        next = strchr(pair, '&');
        if (next != NULL) *next = '\0';
        NTH_TRY(add_pair(spec, pair, *source));
    }
done:
    return st;
}

void nth_priv_spec_fini(nth_spec *spec)
{
    nth_priv_free(spec->text);
    *spec = (nth_spec){ 0 };
}
