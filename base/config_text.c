/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * What is said of the options: the help of each command, docs/options.md, and the resolved
 * configuration recorded in result files. All from the rows of config_keys.def.
 * Called by: the command-line tool, through nth/config.h.
 */
#include "nth/config.h"
#include "alloc_priv.h"
#include "config_priv.h"
#include "fail_priv.h"
#include "nth/json.h"
#include "text_priv.h"

#include <float.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

/* ---- The record --------------------------------------------------------------------------------- */

/* Infinite times and seeds above 2^63 have no JSON number: they are recorded as text. */
static void append_real(nth_json *array, double x)
{
    if (isfinite(x)) nth_json_append_double(array, x);
    else nth_json_append_string(array, x > 0.0 ? "inf" : "-inf");
}

static void record_uint(nth_json *o, const char *key, uint64_t u)
{
    char text[24];
    if (u <= INT64_MAX) {
        nth_json_set_int(o, key, (int64_t)u);
        return;
    }
    snprintf(text, sizeof text, "%llu", (unsigned long long)u);
    nth_json_set_string(o, key, text);
}

static void record_list(nth_json *o, const nth_key *k, const void *field)
{
    nth_json *array = nth_json_array();
    if (k->type == NTH_KEY_INTS) {
        const nth_ints *l = field;
        for (ptrdiff_t i = 0; i < l->n; ++i) nth_json_append_int(array, l->v[i]);
    } else if (k->type == NTH_KEY_REALS) {
        const nth_reals *l = field;
        for (ptrdiff_t i = 0; i < l->n; ++i) append_real(array, l->v[i]);
    } else {
        const nth_words *l = field;
        for (ptrdiff_t i = 0; i < l->n; ++i) nth_json_append_string(array, l->v[i]);
    }
    nth_json_set(o, k->option, array);
}

static void record(nth_json *o, const nth_config *cfg, const nth_key *k)
{
    const void *field = (const char *)cfg + k->offset;
    switch (k->type) {
    case NTH_KEY_INT: nth_json_set_int(o, k->option, *(const int64_t *)field); break;
    case NTH_KEY_UINT: record_uint(o, k->option, *(const uint64_t *)field); break;
    case NTH_KEY_REAL: nth_json_set_double(o, k->option, *(const double *)field); break;
    case NTH_KEY_FLAG: nth_json_set_bool(o, k->option, *(const bool *)field); break;
    case NTH_KEY_WORD:
    case NTH_KEY_TEXT: nth_json_set_string(o, k->option, *(const char *const *)field); break;
    case NTH_KEY_INTS:
    case NTH_KEY_REALS:
    case NTH_KEY_WORDS:
    case NTH_KEY_TEXTS: record_list(o, k, field); break;
    }
}

nth_status nth_config_json(char **text, const nth_config *cfg)
{
    nth_json *o = nth_json_object(), *given = nth_json_array();
    nth_json_set_string(o, "command", nth_command_name(cfg->command));
    for (const nth_key *k = nth_priv_keys; k < nth_priv_keys + NTH_KEY_COUNT; ++k) {
        if (!nth_priv_key_used(k, cfg->command) || !nth_priv_key_recorded(k) || !nth_priv_config_has(cfg, k)) continue;
        record(o, cfg, k);
        if (nth_priv_config_gave(cfg, k)) nth_json_append_string(given, k->option);
    }
    nth_json_set(o, "given", given);
    const nth_status st = nth_json_text(text, o, 0);
    nth_json_destroy(&o);
    return st;
}

/* ---- Help --------------------------------------------------------------------------------------- */

static bool needed(const nth_key *k, nth_command c) { return (k->needed >> c & 1u) != 0; }

static bool is_positional(const nth_key *k, nth_command c)
{
    const char *positional = nth_priv_command_positional(c);
    return positional != NULL && strcmp(positional, k->option) == 0;
}

/* "WIDTH,.." for a list, "FILE" for one value, "" for a flag. */
static void put_placeholder(nth_text *t, const nth_key *k)
{
    const bool list = k->type == NTH_KEY_INTS || k->type == NTH_KEY_REALS || k->type == NTH_KEY_WORDS;
    if (k->type != NTH_KEY_FLAG) nth_text_put(t, " %s%s", k->unit, list ? ",.." : "");
}

/* "2 to 6", "above 0, at most 1000", "a, b or c"; nothing where all values are legal. */
static void put_legal(nth_text *t, const nth_key *k, const char *before)
{
    if (k->words != NULL) {
        nth_text_put(t, "%s", before);
        for (const char *w = k->words, *end; w != NULL; w = *end == '|' ? end + 1 : NULL) {
            end = w + strcspn(w, "|");
            const bool last = *end != '|', first = w == k->words;
            nth_text_put(t, "%s%.*s", first ? "" : last ? " or " : ", ", (int)(end - w), w);
        }
        return;
    }
    if (k->type == NTH_KEY_FLAG || k->type == NTH_KEY_TEXT || k->type == NTH_KEY_TEXTS || k->type == NTH_KEY_UINT)
        return;
    nth_text_put(t, "%s", before);
    if (k->least == DBL_TRUE_MIN) nth_text_put(t, "above 0, at most %g", k->most);
    else if (!isfinite(k->most)) nth_text_put(t, "at least %g", k->least);
    else nth_text_put(t, "%.10g to %.10g", k->least, k->most);
}

enum { COLUMN = 26, WIDTH = 96 };

/* Appends the words of `s`, broken into lines that begin at COLUMN; the first starts where t ends. */
static void put_wrapped(nth_text *t, size_t used, const char *s)
{
    while (*s != '\0') {
        const size_t n = strcspn(s, " ");
        if (used + n + 1 > WIDTH) {
            nth_text_put(t, "\n%*s", COLUMN, "");
            used = COLUMN;
        } else if (used > COLUMN) {
            nth_text_put(t, " ");
            ++used;
        }
        nth_text_bytes(t, s, n);
        used += n;
        s += n + strspn(s + n, " ");
    }
    nth_text_put(t, "\n");
}

static void put_option(nth_text *t, const nth_key *k, nth_command c)
{
    nth_text left = { 0 }, right = { 0 };
    if (is_positional(k, c)) {
        nth_text_put(&left, "  %s", k->unit);
    } else {
        nth_text_put(&left, "  --%s", k->option);
        put_placeholder(&left, k);
    }
    nth_text_put(&right, "%s", k->meaning);
    put_legal(&right, k, "; ");
    if (k->type == NTH_KEY_TEXTS) nth_text_put(&right, "; may be repeated");
    if (needed(k, c)) nth_text_put(&right, "; needed");
    if (k->init != NULL) nth_text_put(&right, " [%s]", k->init);
    t->failed = t->failed || left.failed || right.failed;
    if (!t->failed) {
        nth_text_put(t, "%s", left.s);
        if (left.length + 2 > COLUMN) nth_text_put(t, "\n%*s", COLUMN, "");
        else nth_text_put(t, "%*s", (int)(COLUMN - left.length), "");
        put_wrapped(t, COLUMN, right.s);
    }
    nth_priv_free(left.s);
    nth_priv_free(right.s);
}

static void put_usage(nth_text *t, nth_command c)
{
    nth_text_put(t, "nth %s", nth_command_name(c));
    for (const nth_key *k = nth_priv_keys; k < nth_priv_keys + NTH_KEY_COUNT; ++k) {
        if (!nth_priv_key_used(k, c)) continue;
        if (is_positional(k, c)) nth_text_put(t, needed(k, c) ? " %s%s" : " [%s%s]", k->unit, k->type == NTH_KEY_TEXTS ? " .." : "");
        else if (needed(k, c)) {
            nth_text_put(t, " --%s", k->option);
            put_placeholder(t, k);
        }
    }
    nth_text_put(t, " [options]");
}

nth_status nth_config_help(char **text, nth_command command)
{
    nth_text t = { 0 };
    nth_text_put(&t, "usage: ");
    put_usage(&t, command);
    nth_text_put(&t, "\n\n%s.\n\n", nth_command_summary(command));
    for (const nth_key *k = nth_priv_keys; k < nth_priv_keys + NTH_KEY_COUNT; ++k)
        if (nth_priv_key_used(k, command)) put_option(&t, k, command);
    return nth_text_take(text, &t);
}

/* ---- docs/options.md ---------------------------------------------------------------------------- */

static void put_row(nth_text *t, const nth_key *k, nth_command c)
{
    if (is_positional(k, c)) {
        nth_text_put(t, "| `%s` (or `--%s`) |", k->unit, k->option);
    } else {
        nth_text_put(t, "| `--%s", k->option);
        put_placeholder(t, k);
        nth_text_put(t, "` |");
    }
    nth_text_put(t, " %s%s |", k->meaning, k->type == NTH_KEY_TEXTS ? "; may be repeated" : "");
    put_legal(t, k, " ");
    nth_text_put(t, " |");
    if (needed(k, c)) nth_text_put(t, " needed");
    else if (k->init != NULL) nth_text_put(t, " `%s`", k->init);
    nth_text_put(t, " |\n");
}

nth_status nth_config_markdown(char **text)
{
    nth_text t = { 0 };
    nth_text_put(&t, "# Commands and options\n\n"
                     "Generated from `include/nth/config_keys.def` by `nth info --options-md`; do not edit.\n\n"
                     "An option is written `--key value` or `--key=value`. The same keys, without dashes, may stand in a\n"
                     "JSON file given by `--config FILE`; lists are arrays there. What the command line says wins.\n");
    for (int c = 0; c < NTH_COMMAND_COUNT; ++c) {
        const nth_command command = (nth_command)c;
        nth_text_put(&t, "\n## nth %s\n\n%s.\n\n    ", nth_command_name(command), nth_command_summary(command));
        put_usage(&t, command);
        nth_text_put(&t, "\n\n| option | meaning | legal | default |\n|---|---|---|---|\n");
        for (const nth_key *k = nth_priv_keys; k < nth_priv_keys + NTH_KEY_COUNT; ++k)
            if (nth_priv_key_used(k, command)) put_row(&t, k, command);
    }
    return nth_text_take(text, &t);
}
