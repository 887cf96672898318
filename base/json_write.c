/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Building JSON texts: a small tree of our own, so that numbers come out as the shortest decimal
 * that reads back the same, members keep their order, and every allocation is one of ours. At the end:
 * looking into a tree. Called by: the command-line tool (--json), config.c (the resolved configuration).
 * Reading JSON is in json.c.
 */
#include "nth/json.h"
#include "alloc_priv.h"
#include "fail_priv.h"
#include "text_priv.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

typedef enum kind { OBJECT, ARRAY, STRING, DOUBLE, INTEGER, BOOLEAN } kind;

struct nth_json {
    kind      kind;
    bool      bad; /* a member was lost for want of memory */
    char     *key; /* of an object's member, else NULL */
    nth_json *first, *last, *next;
    char     *text;
    double    real;
    int64_t   integer;
};

static nth_json *make(kind k)
{
    nth_json *j = NULL;
    if (nth_priv_alloc(&j, 1, sizeof *j, "JSON value") != NTH_OK) return NULL;
    j->kind = k;
    return j;
}

nth_json *nth_json_object(void) { return make(OBJECT); }
nth_json *nth_json_array(void) { return make(ARRAY); }

static void unlink_key(nth_json *object, const char *key)
{
    nth_json *before = NULL;
    for (nth_json *c = object->first; c != NULL; before = c, c = c->next) {
        if (strcmp(c->key, key) != 0) continue;
        if (before != NULL) before->next = c->next;
        else object->first = c->next;
        if (object->last == c) object->last = before;
        nth_json_destroy(&c);
        return;
    }
}

/* child becomes the last member; without one, or without memory for its key, the tree is bad. */
static void attach(nth_json *parent, const char *key, nth_json *child)
{
    if (parent != NULL && (child == NULL || child->bad)) parent->bad = true;
    if (parent == NULL || child == NULL) {
        nth_json_destroy(&child);
        return;
    }
    if (key != NULL) {
        unlink_key(parent, key);
        if (nth_priv_strdup(&child->key, key) != NTH_OK) {
            parent->bad = true;
            nth_json_destroy(&child);
            return;
        }
    }
    if (parent->last != NULL) parent->last->next = child;
    else parent->first = child;
    parent->last = child;
}

static nth_json *string_of(const char *value)
{
    nth_json *j = make(STRING);
    if (j != NULL && nth_priv_strdup(&j->text, value != NULL ? value : "") != NTH_OK) nth_json_destroy(&j);
    return j;
}

static nth_json *double_of(double value)
{
    nth_json *j = make(DOUBLE);
    if (j != NULL) j->real = value;
    return j;
}

static nth_json *int_of(kind k, int64_t value)
{
    nth_json *j = make(k);
    if (j != NULL) j->integer = value;
    return j;
}

void nth_json_set(nth_json *object, const char *key, nth_json *child) { attach(object, key, child); }
void nth_json_append(nth_json *array, nth_json *child) { attach(array, NULL, child); }

void nth_json_set_string(nth_json *object, const char *key, const char *value)
{
    attach(object, key, string_of(value));
}

void nth_json_set_double(nth_json *object, const char *key, double value)
{
    attach(object, key, double_of(value));
}

void nth_json_set_int(nth_json *object, const char *key, int64_t value)
{
    attach(object, key, int_of(INTEGER, value));
}

void nth_json_set_bool(nth_json *object, const char *key, bool value)
{
    attach(object, key, int_of(BOOLEAN, value));
}

void nth_json_set_doubles(nth_json *object, const char *key, const double *v, ptrdiff_t n)
{
    nth_json *array = nth_json_array();
    for (ptrdiff_t i = 0; i < n; ++i) nth_json_append_double(array, v[i]);
    attach(object, key, array);
}

void nth_json_append_string(nth_json *array, const char *value) { attach(array, NULL, string_of(value)); }
void nth_json_append_double(nth_json *array, double value) { attach(array, NULL, double_of(value)); }
void nth_json_append_int(nth_json *array, int64_t value) { attach(array, NULL, int_of(INTEGER, value)); }

/* Length of the well-formed UTF-8 sequence at s, 0 if it is not one (RFC 3629, table in section 4). */
static size_t utf8_length(const unsigned char *s)
{
    const unsigned char a = s[0];
    const size_t        n = a < 0x80 ? 1 : a >= 0xc2 && a < 0xe0 ? 2 : a >= 0xe0 && a < 0xf0 ? 3
                                                                   : a >= 0xf0 && a < 0xf5   ? 4
                                                                                             : 0;
    for (size_t i = 1; i < n; ++i)
        if ((s[i] & 0xc0) != 0x80) return 0;
    if ((a == 0xe0 && s[1] < 0xa0) || (a == 0xed && s[1] > 0x9f)) return 0;
    if ((a == 0xf0 && s[1] < 0x90) || (a == 0xf4 && s[1] > 0x8f)) return 0;
    return n;
}

static void put_string(nth_text *t, const char *value)
{
    nth_text_put(t, "\"");
    for (const unsigned char *s = (const unsigned char *)value; *s != '\0';) {
        const size_t n = utf8_length(s);
        if (*s == '"' || *s == '\\') nth_text_put(t, "\\%c", *s);
        else if (*s == '\n') nth_text_put(t, "\\n");
        else if (*s == '\t') nth_text_put(t, "\\t");
        else if (*s < 0x20) nth_text_put(t, "\\u%04x", *s);
        else if (n == 0) nth_text_put(t, "\\ufffd"); /* a file name need not be UTF-8 */
        else nth_text_bytes(t, (const char *)s, n);
        s += n > 0 ? n : 1;
    }
    nth_text_put(t, "\"");
}

static void put_break(nth_text *t, int indent, int depth)
{
    if (indent > 0) nth_text_put(t, "\n%*s", indent * depth, "");
}

static void put_value(nth_text *t, const nth_json *j, int indent, int depth);

/* Arrays of plain numbers or words stay on one line. */
static void put_members(nth_text *t, const nth_json *j, int indent, int depth)
{
    const bool object = j->kind == OBJECT;
    bool       flat = indent == 0 || !object;
    for (const nth_json *c = j->first; c != NULL; c = c->next)
        if (c->kind == OBJECT || c->kind == ARRAY) flat = indent == 0;
    nth_text_put(t, object ? "{" : "[");
    for (const nth_json *c = j->first; c != NULL; c = c->next) {
        if (c != j->first) nth_text_put(t, flat ? ", " : ",");
        if (!flat) put_break(t, indent, depth + 1);
        if (object) put_string(t, c->key), nth_text_put(t, ": ");
        put_value(t, c, indent, depth + 1);
    }
    if (!flat && j->first != NULL) put_break(t, indent, depth);
    nth_text_put(t, object ? "}" : "]");
}

static void put_value(nth_text *t, const nth_json *j, int indent, int depth)
{
    switch (j->kind) {
    case OBJECT:
    case ARRAY: put_members(t, j, indent, depth); break;
    case STRING: put_string(t, j->text); break;
    case DOUBLE:
        if (isfinite(j->real)) nth_text_double(t, j->real);
        else nth_text_put(t, "null");
        break;
    case INTEGER: nth_text_put(t, "%" PRId64, j->integer); break;
    case BOOLEAN: nth_text_put(t, j->integer ? "true" : "false"); break;
    }
}

nth_status nth_json_text(char **text, const nth_json *root, int indent)
{
    nth_status st = NTH_OK;
    nth_text   t = { 0 };
    *text = NULL;
    NTH_REQUIRE(root != NULL && !root->bad, NTH_E_NOMEM, "JSON: out of memory");
    put_value(&t, root, indent, 0);
    NTH_TRY(nth_text_take(text, &t));
done:
    return st;
}

void nth_json_text_free(char *text) { nth_priv_free(text); }

void nth_json_destroy(nth_json **root)
{
    if (root == NULL || *root == NULL) return;
    nth_json *j = *root;
    *root = NULL;
    for (nth_json *c = j->first, *next; c != NULL; c = next) {
        next = c->next;
        nth_json_destroy(&c);
    }
    nth_priv_free(j->key);
    nth_priv_free(j->text);
    nth_priv_free(j);
}

/* ---- Looking into a tree ------------------------------------------------------------------------- */

const nth_json *nth_json_get(const nth_json *object, const char *key)
{
    if (object == NULL || object->kind != OBJECT) return NULL;
    for (const nth_json *c = object->first; c != NULL; c = c->next)
        if (strcmp(c->key, key) == 0) return c;
    return NULL;
}

const nth_json *nth_json_first(const nth_json *parent) { return parent != NULL ? parent->first : NULL; }
const nth_json *nth_json_next(const nth_json *member) { return member != NULL ? member->next : NULL; }

double nth_json_number(const nth_json *value)
{
    if (value == NULL || (value->kind != DOUBLE && value->kind != INTEGER && value->kind != BOOLEAN)) return NAN;
    return value->kind == DOUBLE ? value->real : (double)value->integer;
}

const char *nth_json_string(const nth_json *value)
{
    return value != NULL && value->kind == STRING ? value->text : NULL;
}

ptrdiff_t nth_json_doubles(const nth_json *array, double *out, ptrdiff_t n)
{
    ptrdiff_t count = 0;
    if (array == NULL || array->kind != ARRAY) return 0;
    for (const nth_json *c = array->first; c != NULL; c = c->next, ++count)
        if (count < n) out[count] = nth_json_number(c);
    return count;
}
