/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Reading JSON; the only file that sees jansson.h.
 *
 * Called by: config.c, for --config FILE; the tool, for texts kept in result files (nth_json_parse). In
 * settings the value of each member is turned into the text one
 * would type on the command line, so that both ways in share one set of checks. Jansson tells the
 * place of a syntax error but forgets where a key stood; a scan of the (by then well-formed) text
 * finds it again for the message about an unknown key.
 */
#include "nth/json.h"
#include "alloc_priv.h"
#include "build_info_priv.h"
#include "fail_priv.h"
#include "json_priv.h"
#include "text_priv.h"

#include <errno.h>
#include <jansson.h>
#include <math.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

enum { MAX_FILE = 1 << 20 }; /* a configuration is not a data set */

const char *nth_priv_jansson_version(void) { return JANSSON_VERSION; }

typedef struct place {
    int line, column;
} place;

/* Where the key of the top-level object stands in well-formed text; {0,0} if it is spelled with
 * escapes. */
static place find_key(const char *text, size_t length, const char *key)
{
    const size_t len = strlen(key);
    place        at = { 1, 0 };
    int          depth = 0;
    bool         before_colon = false;
    for (size_t i = 0; i < length; ++i) {
        const char c = text[i];
        ++at.column;
        if (c == '\n') ++at.line, at.column = 0;
        if (c == '{' || c == '[') ++depth, before_colon = depth == 1;
        if (c == '}' || c == ']') --depth;
        if (c == ',' && depth == 1) before_colon = true;
        if (c == ':' && depth == 1) before_colon = false;
        if (c != '"') continue;
        if (before_colon && length - i > len + 1 && memcmp(text + i + 1, key, len) == 0 &&
            text[i + 1 + len] == '"')
            return at;
        for (++i, ++at.column; i < length && text[i] != '"'; ++i, ++at.column)
            if (text[i] == '\\') ++i, ++at.column;
    }
    return (place){ 0, 0 };
}

/* The value as text, or NTH_E_FORMAT without a message. */
static nth_status text_of(char **out, const json_t *v)
{
    nth_text t = { 0 };
    switch (json_typeof(v)) {
    case JSON_STRING:
        if (strlen(json_string_value(v)) != json_string_length(v)) return NTH_E_FORMAT;
        nth_text_put(&t, "%s", json_string_value(v));
        break;
    case JSON_INTEGER: nth_text_put(&t, "%" JSON_INTEGER_FORMAT, json_integer_value(v)); break;
    case JSON_REAL: nth_text_double(&t, json_real_value(v)); break;
    case JSON_TRUE: nth_text_put(&t, "true"); break;
    case JSON_FALSE: nth_text_put(&t, "false"); break;
    default: return NTH_E_FORMAT;
    }
    return nth_text_take(out, &t);
}

static nth_status visit_member(const char *name, nth_setting *s, const json_t *value,
                               nth_setting_visit *visit, void *ctx)
{
    nth_status st = NTH_OK;
    char     **values = NULL;
    s->array = json_is_array(value);
    s->string = json_is_string(value);
    s->count = s->array ? (ptrdiff_t)json_array_size(value) : 1;
    NTH_TRY(nth_priv_alloc(&values, s->count, sizeof *values, "configuration"));
    for (ptrdiff_t i = 0; i < s->count; ++i) {
        st = text_of(&values[i], s->array ? json_array_get(value, (size_t)i) : value);
        NTH_REQUIRE(st != NTH_E_FORMAT, NTH_E_FORMAT,
                    "%s:%d:%d: \"%s\" must be a string, a number, true, false, or an array of these", name,
                    s->line, s->column, s->key);
        if (st != NTH_OK) goto done;
    }
    s->values = (const char *const *)values;
    NTH_TRY(visit(s, ctx));
done:
    for (ptrdiff_t i = 0; values != NULL && i < s->count; ++i) nth_priv_free(values[i]);
    nth_priv_free(values);
    return st;
}

nth_status nth_priv_settings_parse(const char *name, const char *text, size_t length,
                                   nth_setting_visit *visit, void *ctx)
{
    nth_status   st = NTH_OK;
    json_error_t e;
    const char  *key;
    json_t      *value, *root = json_loadb(text, length, JSON_REJECT_DUPLICATES, &e);
    NTH_REQUIRE(root != NULL || json_error_code(&e) != json_error_out_of_memory, NTH_E_NOMEM,
                "%s: out of memory", name);
    NTH_REQUIRE(root != NULL, NTH_E_FORMAT, "%s:%d:%d: %s", name, e.line, e.column, e.text);
    NTH_REQUIRE(json_is_object(root), NTH_E_FORMAT, "%s: an object { .. } is expected", name);
    json_object_foreach(root, key, value) {
        const place at = find_key(text, length, key);
        nth_setting s = { .key = key, .line = at.line, .column = at.column };
        NTH_TRY(visit_member(name, &s, value, visit, ctx));
    }
done:
    json_decref(root);
    return st;
}

nth_status nth_priv_settings_read(const char *path, nth_setting_visit *visit, void *ctx)
{
    nth_status  st = NTH_OK;
    char       *text = NULL;
    struct stat s;
    FILE       *f = fopen(path, "rb");
    NTH_REQUIRE(f != NULL, NTH_E_IO, "%s: cannot be opened: %s", path, strerror(errno));
    NTH_REQUIRE(fstat(fileno(f), &s) == 0 && !S_ISDIR(s.st_mode), NTH_E_IO, "%s: is a directory", path);
    NTH_TRY(nth_priv_alloc(&text, MAX_FILE + 1, 1, "configuration"));
    const size_t length = fread(text, 1, MAX_FILE + 1, f);
    NTH_REQUIRE(!ferror(f), NTH_E_IO, "%s: cannot be read: %s", path, strerror(errno));
    NTH_REQUIRE(length <= MAX_FILE, NTH_E_FORMAT, "%s: longer than 1 MB: not a configuration", path);
    NTH_TRY(nth_priv_settings_parse(path, text, length, visit, ctx));
done:
    nth_priv_free(text);
    if (f != NULL) fclose(f);
    return st;
}

/* ---- Trees --------------------------------------------------------------------------------------- */

static nth_json *tree_of(const json_t *v);

/* One member of `to`, appended where there is no key. */
static void put_member(nth_json *to, const char *key, const json_t *v)
{
    const json_type type = json_typeof(v);
    if (type == JSON_OBJECT || type == JSON_ARRAY) {
        if (key != NULL) nth_json_set(to, key, tree_of(v));
        else nth_json_append(to, tree_of(v));
    } else if (type == JSON_STRING) {
        if (key != NULL) nth_json_set_string(to, key, json_string_value(v));
        else nth_json_append_string(to, json_string_value(v));
    } else if (type == JSON_REAL || type == JSON_NULL) {
        const double x = type == JSON_REAL ? json_real_value(v) : (double)NAN;
        if (key != NULL) nth_json_set_double(to, key, x);
        else nth_json_append_double(to, x);
    } else if (type == JSON_INTEGER) {
        if (key != NULL) nth_json_set_int(to, key, json_integer_value(v));
        else nth_json_append_int(to, json_integer_value(v));
    } else if (key != NULL) {
        nth_json_set_bool(to, key, json_is_true(v));
    } else {
        nth_json_append_int(to, json_is_true(v));
    }
}

static nth_json *tree_of(const json_t *v)
{
    const bool  object = json_is_object(v);
    nth_json   *to = object ? nth_json_object() : nth_json_array();
    const char *key;
    json_t     *value;
    if (object) {
        json_object_foreach((json_t *)v, key, value) put_member(to, key, value);
    } else {
        for (size_t i = 0; i < json_array_size(v); ++i) put_member(to, NULL, json_array_get(v, i));
    }
    return to;
}

nth_status nth_json_parse(nth_json **root, const char *name, const char *text)
{
    nth_status   st = NTH_OK;
    json_error_t e;
    char        *whole = NULL;
    json_t      *v = json_loads(text, 0, &e);
    *root = NULL;
    NTH_REQUIRE(v != NULL || json_error_code(&e) != json_error_out_of_memory, NTH_E_NOMEM, "%s: out of memory", name);
    NTH_REQUIRE(v != NULL, NTH_E_FORMAT, "%s:%d:%d: %s", name, e.line, e.column, e.text);
    *root = tree_of(v);
    NTH_TRY(nth_json_text(&whole, *root, 0)); /* tells of a member that was lost */
done:
    nth_json_text_free(whole);
    if (st != NTH_OK) nth_json_destroy(root);
    json_decref(v);
    return st;
}
