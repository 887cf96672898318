/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * JSON: texts we write (exact), settings we read (values as text, places of errors).
 */
#include "nth_test.h"
#include "alloc_priv.h"
#include "json_priv.h"
#include "nth/json.h"
#include "text_priv.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static bool reads(const nth_json *root, int indent, const char *want)
{
    char *text = NULL;
    if (!NTH_CHECK_OK(nth_json_text(&text, root, indent))) return false;
    const bool same = strcmp(text, want) == 0;
    if (!same) printf("    got  %s\n    want %s\n", text, want);
    nth_json_text_free(text);
    return same;
}

static nth_json *sample(void)
{
    nth_json *o = nth_json_object(), *inner = nth_json_object(), *list = nth_json_array();
    nth_json_set_string(o, "name", "a \"b\"\\\n\t\x01 \xc3\xa9");
    nth_json_set_double(o, "x", 0.1);
    nth_json_set_int(o, "n", INT64_MIN);
    nth_json_set_bool(o, "yes", true);
    nth_json_set_doubles(o, "v", (const double[]){ 1.0, (double)NAN, -1e-300 }, 3);
    nth_json_set_bool(inner, "no", false);
    nth_json_append(list, inner);
    nth_json_append_string(list, "w");
    nth_json_append_int(list, 7);
    nth_json_append_double(list, (double)INFINITY);
    nth_json_set(o, "list", list);
    nth_json_set(o, "empty", nth_json_array());
    return o;
}

/* A text that we wrote is read back to the same text; what is not there is NULL, NaN or 0. */
static void trees_are_read(void)
{
    nth_json *o = sample(), *back = NULL;
    char     *text = NULL, *again = NULL;
    double    v[2] = { 0.0 };
    if (!NTH_CHECK_OK(nth_json_text(&text, o, 0)) || !NTH_CHECK_OK(nth_json_parse(&back, "sample", text))) return;
    NTH_CHECK_OK(nth_json_text(&again, back, 0));
    NTH_CHECK(again != NULL && strstr(again, "\"yes\": true, \"v\": [1, null, -1e-300], \"list\": [{\"no\": false}, \"w\", 7, null], \"empty\": []}") != NULL);
    NTH_CHECK(strcmp(nth_json_string(nth_json_get(back, "name")), "a \"b\"\\\n\t\x01 \xc3\xa9") == 0);
    NTH_CHECK(nth_json_number(nth_json_get(back, "x")) == 0.1);
    NTH_CHECK(nth_json_number(nth_json_get(back, "n")) == (double)INT64_MIN);
    NTH_CHECK(nth_json_number(nth_json_get(back, "yes")) == 1.0);
    NTH_CHECK(isnan(nth_json_number(nth_json_get(back, "name"))) && isnan(nth_json_number(nth_json_get(back, "absent"))));
    NTH_CHECK(nth_json_string(nth_json_get(back, "x")) == NULL && nth_json_string(NULL) == NULL);
    NTH_CHECK(nth_json_doubles(nth_json_get(back, "v"), v, 2) == 3 && v[0] == 1.0 && isnan(v[1])); /* no more than there is room */
    NTH_CHECK(nth_json_doubles(nth_json_get(back, "x"), v, 2) == 0 && nth_json_doubles(NULL, v, 2) == 0);
    const nth_json *list = nth_json_get(back, "list");
    NTH_CHECK(nth_json_number(nth_json_get(nth_json_first(list), "no")) == 0.0);
    NTH_CHECK(strcmp(nth_json_string(nth_json_next(nth_json_first(list))), "w") == 0);
    NTH_CHECK(nth_json_first(nth_json_get(back, "empty")) == NULL && nth_json_next(NULL) == NULL && nth_json_first(NULL) == NULL);
    NTH_CHECK(nth_json_get(list, "no") == NULL && nth_json_get(NULL, "no") == NULL);
    nth_json_text_free(text), nth_json_text_free(again);
    nth_json_destroy(&o), nth_json_destroy(&back);
    static const char *const bad[] = { "", "{", "7", "{\"a\": }", "[1,]", "{} x" };
    for (size_t i = 0; i < sizeof bad / sizeof *bad; ++i) {
        NTH_CHECK_STATUS(nth_json_parse(&back, "bad", bad[i]), NTH_E_FORMAT);
        NTH_CHECK(back == NULL);
    }
}

static void texts_are_exact(void)
{
    nth_json *o = sample();
    NTH_CHECK(reads(o, 0,
                    "{\"name\": \"a \\\"b\\\"\\\\\\n\\t\\u0001 \xc3\xa9\", \"x\": 0.1, \"n\": -9223372036854775808, "
                    "\"yes\": true, \"v\": [1, null, -1e-300], \"list\": [{\"no\": false}, \"w\", 7, null], "
                    "\"empty\": []}"));
    nth_json_set_int(o, "x", 3); /* replaced, at the end */
    nth_json_set_int(o, "empty", 4);
    nth_json_set_int(o, "name", 5);
    nth_json_set_int(o, "list", 6);
    NTH_CHECK(reads(o, 2,
                    "{\n  \"n\": -9223372036854775808,\n  \"yes\": true,\n  \"v\": [1, null, -1e-300],\n  \"x\": 3,\n"
                    "  \"empty\": 4,\n  \"name\": 5,\n  \"list\": 6\n}"));
    nth_json_destroy(&o);
    NTH_CHECK(o == NULL);
    nth_json_destroy(&o);
    nth_json_destroy(NULL);
}

/* File names need not be UTF-8; what a reader of JSON gets must be. */
static void bad_bytes_are_replaced(void)
{
    static const char *const bad[] = { "\xff", "\x80", "\xc0\xaf", "\xe0\x80\x80", "\xed\xa0\x80", "\xf4\x90\x80\x80",
                                       "\xc3" };
    static const int         count[] = { 1, 1, 2, 3, 3, 4, 1 };
    for (size_t i = 0; i < sizeof bad / sizeof *bad; ++i) {
        char      want[64] = "[\"";
        nth_json *a = nth_json_array();
        nth_json_append_string(a, bad[i]);
        for (int k = 0; k < count[i]; ++k) strcat(want, "\\ufffd");
        NTH_CHECK(reads(a, 0, strcat(want, "\"]")));
        nth_json_destroy(&a);
    }
    nth_json *good = nth_json_array();
    nth_json_append_string(good, "\xe2\x82\xac\xf0\x9f\x98\x80\xed\x9f\xbf");
    NTH_CHECK(reads(good, 0, "[\"\xe2\x82\xac\xf0\x9f\x98\x80\xed\x9f\xbf\"]"));
    nth_json_destroy(&good);
}

static void numbers_read_back(void)
{
    static const double x[] = { 0.1, 1.0 / 3.0, 1e-10, 5e-324, 1.7976931348623157e308, -0.0, 9007199254740993.0, 1e22 };
    for (size_t i = 0; i < sizeof x / sizeof *x; ++i) {
        nth_text t = { 0 };
        char    *s = NULL;
        nth_text_double(&t, x[i]);
        NTH_CHECK_OK(nth_text_take(&s, &t));
        const double back = strtod(s, NULL);
        NTH_CHECK(memcmp(&back, &x[i], sizeof back) == 0);
        nth_priv_free(s);
    }
}

static void null_trees_are_harmless(void)
{
    char *text = NULL;
    nth_json_set_double(NULL, "x", 1.0);
    nth_json_set(NULL, "x", nth_json_object());
    nth_json_append(NULL, nth_json_array());
    NTH_CHECK_STATUS(nth_json_text(&text, NULL, 0), NTH_E_NOMEM);
    nth_json *o = nth_json_object();
    nth_json_set(o, "lost", NULL); /* the child could not be made */
    NTH_CHECK_STATUS(nth_json_text(&text, o, 0), NTH_E_NOMEM);
    NTH_CHECK(text == NULL);
    nth_json_destroy(&o);
}

/* ---- Reading ------------------------------------------------------------------------------------- */

static char seen[1024];

static nth_status note(const nth_setting *s, void *ctx)
{
    char *at = seen + strlen(seen);
    (void)ctx;
    at += sprintf(at, "%d:%d %s%s", s->line, s->column, s->key, s->array ? "[" : s->string ? "\"" : "=");
    for (ptrdiff_t i = 0; i < s->count; ++i) at += sprintf(at, "%s%s", i > 0 ? "," : "", s->values[i]);
    strcpy(at, ";");
    return strcmp(s->key, "stop") == 0 ? NTH_E_INTERRUPTED : NTH_OK;
}

static nth_status parse(const char *text)
{
    seen[0] = '\0';
    return nth_priv_settings_parse("run.json", text, strlen(text), note, NULL);
}

static void settings_become_text(void)
{
    NTH_CHECK_OK(parse("{ \"a\": 1e-10, \"b\":true,\n  \"c\": \"x\\ny\", \"d\": [1, 2.5, \"inf\", false],\n"
                       "\t\"e\": -9223372036854775808, \"f\": []}"));
    NTH_CHECK(strcmp(seen, "1:3 a=1e-10;1:15 b=true;2:3 c\"x\ny;2:16 d[1,2.5,inf,false;3:2 e=-9223372036854775808;"
                           "3:29 f[;") == 0);
    NTH_CHECK_OK(parse("{}"));
    NTH_CHECK(seen[0] == '\0');
    NTH_CHECK_OK(parse("{\"x\": \"\\\"y\\\": {,\", \"y\": 2}")); /* a key inside a string is none */
    NTH_CHECK(strcmp(seen, "1:2 x\"\"y\": {,;1:20 y=2;") == 0);
    NTH_CHECK_STATUS(parse("{\"stop\": 1, \"z\": 2}"), NTH_E_INTERRUPTED);
    NTH_CHECK(strcmp(seen, "1:2 stop=1;") == 0);
}

static void bad_json_is_placed(void)
{
    static const struct {
        const char *text, *message;
    } cases[] = {
        { "", "run.json:1:0: " },
        { "{\n \"a\" 1}", "run.json:2:" },
        { "{\"a\": 1, \"a\": 2}", "duplicate object key" },
        { "[1]", "run.json: an object { .. } is expected" },
        { "{\"a\": null}", "run.json:1:2: \"a\" must be" },
        { "{\n\"a\": {\"b\": 1}}", "run.json:2:1: \"a\" must be" },
        { "{\"a\": [[1]]}", "\"a\" must be" },
        { "{\"a\": \"x\\u0000y\"}", "run.json:1:" },
        { "{\"a\": 99999999999999999999}", "too big integer" },
        { "{\"a\": 1e999}", "real number overflow" },
        { "{} x", "end of file expected" },
        { "{\"a\": \"\xff\"}", "run.json:1:" },
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; ++i) {
        NTH_CHECK_STATUS(parse(cases[i].text), NTH_E_FORMAT);
        NTH_CHECK_MESSAGE(cases[i].message);
    }
}

static void files_are_checked(void)
{
    NTH_CHECK_STATUS(nth_priv_settings_read("/nonexistent/run.json", note, NULL), NTH_E_IO);
    NTH_CHECK_MESSAGE("No such file");
    NTH_CHECK_STATUS(nth_priv_settings_read(".", note, NULL), NTH_E_IO);
    NTH_CHECK_MESSAGE("directory");
}

static void distances_count_letters(void)
{
    NTH_CHECK(nth_priv_edit_distance("", "") == 0);
    NTH_CHECK(nth_priv_edit_distance("", "abc") == 3);
    NTH_CHECK(nth_priv_edit_distance("kitten", "sitting") == 3);
    NTH_CHECK(nth_priv_edit_distance("sigam-w", "sigma-w") == 1); /* neighbours swapped */
    NTH_CHECK(nth_priv_edit_distance("ab", "ba") == 1);
    nth_nearest n = { .word = "ordr" };
    nth_priv_nearest_offer(&n, "threads");
    NTH_CHECK(n.best[0] == '\0');
    nth_priv_nearest_offer(&n, "order");
    nth_priv_nearest_offer(&n, "odder");
    NTH_CHECK(strcmp(n.best, "order") == 0);
}

static nth_status build(void)
{
    char      *text = NULL;
    nth_json  *o = sample();
    nth_status st = nth_json_text(&text, o, 1);
    nth_json_text_free(text);
    nth_json_destroy(&o);
    return st;
}

static nth_status read(void) { return parse("{\"a\": [1, 2.5, \"x\"], \"b\": false}"); }

static nth_status read_tree(void)
{
    nth_json        *o = NULL;
    const nth_status st = nth_json_parse(&o, "text", "{\"a\": [1, {\"b\": null}, \"c\"], \"d\": true}");
    NTH_CHECK((st == NTH_OK) == (o != NULL));
    nth_json_destroy(&o);
    return st;
}

static void survives_lack_of_memory(void)
{
    nth_test_every_allocation_fails(read_tree);
    nth_test_every_allocation_fails(build);
    nth_test_every_allocation_fails(read);
}

int main(void)
{
    return nth_test_main("json", (nth_test_case[]){ { "texts_are_exact", texts_are_exact },
                                                    { "trees_are_read", trees_are_read },
                                                    { "bad_bytes_are_replaced", bad_bytes_are_replaced },
                                                    { "numbers_read_back", numbers_read_back },
                                                    { "null_trees_are_harmless", null_trees_are_harmless },
                                                    { "settings_become_text", settings_become_text },
                                                    { "bad_json_is_placed", bad_json_is_placed },
                                                    { "files_are_checked", files_are_checked },
                                                    { "distances_count_letters", distances_count_letters },
                                                    { "survives_lack_of_memory", survives_lack_of_memory },
                                                    { 0 } });
}
