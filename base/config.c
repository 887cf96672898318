/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * The values of a command's options: defaults, command line, JSON files, checks.
 *
 * Called by: the command-line tool; docs in nth/config.h. All values arrive as text, whether typed
 * or from a file, and go through assign(): cut into pieces, each piece parsed and checked against
 * its row of config_keys.def, then put into the field. Texts for people are made in config_text.c.
 */
#include "nth/config.h"
#include "alloc_priv.h"
#include "config_priv.h"
#include "fail_priv.h"
#include "json_priv.h"
#include "text_priv.h"

#include <errno.h>
#include <float.h>
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- The table ---------------------------------------------------------------------------------- */

#define IN(command) (1u << NTH_COMMAND_##command)
#define IN_ALL ((1u << NTH_COMMAND_COUNT) - 1u)
#define UNRECORDED (1u << 31) /* has no bearing on the result */
#define USES_DATA (IN(data) | IN(kernel) | IN(hierarchy) | IN(train) | IN(regress) | IN(lantk) | IN(elastic) | IN(kare) | IN(verify))
#define ACTIVATIONS "tanh|erf|softplus|gelu|sin|relu|linear|quadratic"
#define NTH_POSITIVE DBL_TRUE_MIN

const nth_key nth_priv_keys[NTH_KEY_COUNT] = {
#define NTH_COMMAND(command, positional, summary)
#define NTH_KEY(field, option, type, init, least, most, words, unit, needed, used, meaning)             \
    { option, NTH_KEY_##type, init, least, most, words, unit, needed, used, meaning, offsetof(nth_config, field) },
#include "nth/config_keys.def"
#undef NTH_COMMAND
#undef NTH_KEY
};

static const struct {
    const char *name, *positional, *summary;
} commands[NTH_COMMAND_COUNT] = {
#define NTH_COMMAND(command, positional, summary) { #command, positional, summary },
#define NTH_KEY(field, option, type, init, least, most, words, unit, needed, used, meaning)
#include "nth/config_keys.def"
#undef NTH_COMMAND
#undef NTH_KEY
};

/* What lies behind one field. */
typedef struct slot {
    char     *text;  /* the pieces, each ended by NUL */
    size_t    bytes; /* of text */
    void     *array; /* (count) the parsed pieces, 8 bytes each */
    ptrdiff_t count;
    bool      given;
    bool      recorded; /* read from a record: suggestions leave it alone */
} slot;

struct nth_config_store {
    slot slots[NTH_KEY_COUNT];
};

typedef union value {
    int64_t     i;
    uint64_t    u;
    double      x;
    const char *s;
} value;

bool nth_priv_key_recorded(const nth_key *k) { return (k->used & UNRECORDED) == 0; }

const char *nth_priv_command_positional(nth_command c) { return commands[c].positional; }

const char *nth_command_name(nth_command c)
{
    return (unsigned)c < NTH_COMMAND_COUNT ? commands[c].name : NULL;
}

const char *nth_command_summary(nth_command c)
{
    return (unsigned)c < NTH_COMMAND_COUNT ? commands[c].summary : NULL;
}

nth_status nth_command_parse(nth_command *command, const char *name)
{
    nth_status  st = NTH_OK;
    nth_nearest near = { .word = name };
    for (int c = 0; c < NTH_COMMAND_COUNT; ++c) {
        if (strcmp(commands[c].name, name) == 0) {
            *command = (nth_command)c;
            return NTH_OK;
        }
        nth_priv_nearest_offer(&near, commands[c].name);
    }
    NTH_REQUIRE(near.best[0] == '\0', NTH_E_ARG, "unknown command \"%s\"; did you mean \"%s\"?", name, near.best);
    NTH_FAIL(NTH_E_ARG, "unknown command \"%s\"; nth --help lists the commands", name);
done:
    return st;
}

static const nth_key *find_key(nth_command c, const char *option)
{
    for (const nth_key *k = nth_priv_keys; k < nth_priv_keys + NTH_KEY_COUNT; ++k)
        if (nth_priv_key_used(k, c) && strcmp(k->option, option) == 0) return k;
    return NULL;
}

static slot *slot_of(const nth_config *cfg, const nth_key *k) { return &cfg->store->slots[k - nth_priv_keys]; }

bool nth_priv_config_has(const nth_config *cfg, const nth_key *k) { return slot_of(cfg, k)->text != NULL; }

bool nth_priv_config_gave(const nth_config *cfg, const nth_key *k) { return slot_of(cfg, k)->given; }

bool nth_config_given(const nth_config *cfg, const char *option)
{
    const nth_key *k = find_key(cfg->command, option);
    return k != NULL && slot_of(cfg, k)->given;
}

/* ---- One value ---------------------------------------------------------------------------------- */

static nth_status check_range(const nth_key *k, const char *text, double x)
{
    nth_status st = NTH_OK;
    if (x >= k->least && x <= k->most) return NTH_OK; /* a NaN goes on */
    NTH_REQUIRE(k->least != NTH_POSITIVE, NTH_E_ARG, "%s is not above 0 and at most %g", text, k->most);
    NTH_REQUIRE(isfinite(k->most), NTH_E_ARG, "%s is not at least %g", text, k->least);
    NTH_FAIL(NTH_E_ARG, "%s is not in the range %.10g to %.10g", text, k->least, k->most);
done:
    return st;
}

/* One of the words "a|b|c": *out points into the list of the table's row, or at text itself. */
static nth_status parse_word(const nth_key *k, const char *text, value *out)
{
    nth_status  st = NTH_OK;
    char        word[64];
    nth_text    all = { 0 };
    nth_nearest near = { .word = text };
    if (strcmp(k->words, "yes|no") == 0) /* files may say true and false */
        text = strcmp(text, "true") == 0 ? "yes" : strcmp(text, "false") == 0 ? "no" : text;
    for (const char *w = k->words, *end; w != NULL; w = *end == '|' ? end + 1 : NULL) {
        end = w + strcspn(w, "|");
        snprintf(word, sizeof word, "%.*s", (int)(end - w), w);
        if (strcmp(word, text) == 0) {
            out->s = text;
            nth_priv_free(all.s);
            return NTH_OK;
        }
        nth_priv_nearest_offer(&near, word);
        nth_text_put(&all, "%s%s", all.length > 0 ? ", " : "", word);
    }
    NTH_REQUIRE(!all.failed, NTH_E_NOMEM, "out of memory");
    NTH_REQUIRE(near.best[0] == '\0', NTH_E_ARG, "\"%s\" is none of %s; did you mean \"%s\"?", text, all.s, near.best);
    NTH_FAIL(NTH_E_ARG, "\"%s\" is none of %s", text, all.s);
done:
    nth_priv_free(all.s);
    return st;
}

static nth_status parse_int(const nth_key *k, const char *text, value *out)
{
    nth_status st = NTH_OK;
    char      *end = NULL;
    errno = 0;
    out->i = strtoll(text, &end, 10);
    NTH_REQUIRE(end != text && *end == '\0', NTH_E_ARG, "\"%s\" is not a whole number", text);
    NTH_TRY(check_range(k, text, errno == ERANGE ? (double)NAN : (double)out->i));
done:
    return st;
}

static nth_status parse_uint(const char *text, value *out)
{
    nth_status st = NTH_OK;
    char      *end = NULL;
    errno = 0;
    out->u = strtoull(text, &end, 10);
    NTH_REQUIRE(end != text && *end == '\0' && strchr(text, '-') == NULL, NTH_E_ARG,
                "\"%s\" is not a whole number of 0 or more", text);
    NTH_REQUIRE(errno != ERANGE, NTH_E_ARG, "%s is not below 2^64", text);
done:
    return st;
}

static nth_status parse_real(const nth_key *k, const char *text, value *out)
{
    nth_status st = NTH_OK;
    char      *end = NULL;
    out->x = strtod(text, &end);
    NTH_REQUIRE(end != text && *end == '\0', NTH_E_ARG, "\"%s\" is not a number", text);
    NTH_TRY(check_range(k, text, out->x));
done:
    return st;
}

static nth_status parse_flag(const char *text, value *out)
{
    nth_status st = NTH_OK;
    const bool yes = strcmp(text, "true") == 0 || strcmp(text, "yes") == 0;
    NTH_REQUIRE(yes || strcmp(text, "false") == 0 || strcmp(text, "no") == 0, NTH_E_ARG,
                "\"%s\" is neither true nor false", text);
    out->i = yes;
done:
    return st;
}

static nth_status parse_piece(const nth_key *k, const char *text, value *out)
{
    nth_status st = NTH_OK;
    NTH_REQUIRE(text[0] != '\0', NTH_E_ARG, "a value is missing");
    switch (k->type) {
    case NTH_KEY_INT:
    case NTH_KEY_INTS: return parse_int(k, text, out);
    case NTH_KEY_UINT: return parse_uint(text, out);
    case NTH_KEY_REAL:
    case NTH_KEY_REALS: return parse_real(k, text, out);
    case NTH_KEY_FLAG: return parse_flag(text, out);
    case NTH_KEY_WORD:
    case NTH_KEY_WORDS: return parse_word(k, text, out);
    case NTH_KEY_TEXT:
    case NTH_KEY_TEXTS: out->s = text; break;
    }
done:
    return st;
}

/* ---- From text to a field ----------------------------------------------------------------------- */

/* Numbers and words in lists are separated by commas; file names may contain them. */
static bool is_list(nth_key_type t) { return t == NTH_KEY_INTS || t == NTH_KEY_REALS || t == NTH_KEY_WORDS; }

static void put_field(nth_config *cfg, const nth_key *k, const slot *s)
{
    void        *field = (char *)cfg + k->offset;
    const value *v = s->array;
    switch (k->type) {
    case NTH_KEY_INT: *(int64_t *)field = v->i; break;
    case NTH_KEY_UINT: *(uint64_t *)field = v->u; break;
    case NTH_KEY_REAL: *(double *)field = v->x; break;
    case NTH_KEY_FLAG: *(bool *)field = v->i != 0; break;
    case NTH_KEY_WORD:
    case NTH_KEY_TEXT: *(const char **)field = v->s; break;
    case NTH_KEY_INTS: *(nth_ints *)field = (nth_ints){ s->array, s->count }; break;
    case NTH_KEY_REALS: *(nth_reals *)field = (nth_reals){ s->array, s->count }; break;
    case NTH_KEY_WORDS:
    case NTH_KEY_TEXTS: *(nth_words *)field = (nth_words){ s->array, s->count }; break;
    }
}

static void slot_fini(slot *s)
{
    nth_priv_free(s->text);
    nth_priv_free(s->array);
}

/* The values as pieces, each with its NUL, after the old ones if `append`. */
static nth_status cut(slot *s, const slot *old, bool list, const char *const *values, ptrdiff_t count)
{
    nth_text t = { 0 };
    if (old != NULL) nth_text_bytes(&t, old->text, old->bytes), s->count = old->count;
    for (ptrdiff_t i = 0; i < count; ++i)
        for (const char *v = values[i], *end; v != NULL; v = *end == ',' && list ? end + 1 : NULL) {
            end = v + (list ? strcspn(v, ",") : strlen(v));
            nth_text_bytes(&t, v, (size_t)(end - v));
            nth_text_bytes(&t, "", 1);
            ++s->count;
        }
    s->bytes = t.length;
    return nth_text_take(&s->text, &t);
}

/* Replaces the value of an option (or, `append`, adds to it) after checking; on failure it stays. */
static nth_status assign(nth_config *cfg, const nth_key *k, const char *const *values, ptrdiff_t count,
                         bool append, bool given)
{
    nth_status  st = NTH_OK;
    slot       *old = slot_of(cfg, k), s = { .given = given };
    const bool  list = is_list(k->type);
    const char *piece;
    NTH_TRY(cut(&s, append && old->text != NULL ? old : NULL, list, values, count));
    NTH_REQUIRE(s.count > 0, NTH_E_ARG, "a value is missing");
    NTH_REQUIRE(s.count == 1 || list || k->type == NTH_KEY_TEXTS, NTH_E_ARG, "one value is expected, %td are given",
                s.count);
    NTH_TRY(nth_priv_alloc(&s.array, s.count, sizeof(value), "option"));
    piece = s.text;
    for (ptrdiff_t i = 0; i < s.count; ++i, piece += strlen(piece) + 1)
        NTH_TRY(parse_piece(k, piece, (value *)s.array + i));
    slot_fini(old);
    *old = s;
    put_field(cfg, k, old);
    return NTH_OK;
done:
    slot_fini(&s);
    return st;
}

nth_status nth_config_create(nth_config **cfg, nth_command command)
{
    nth_status  st = NTH_OK;
    nth_config *c = NULL;
    *cfg = NULL;
    NTH_REQUIRE((unsigned)command < NTH_COMMAND_COUNT, NTH_E_ARG, "command number %d", (int)command);
    NTH_TRY(nth_priv_alloc(&c, 1, sizeof *c, "configuration"));
    c->command = command;
    NTH_TRY(nth_priv_alloc(&c->store, 1, sizeof *c->store, "configuration"));
    for (const nth_key *k = nth_priv_keys; k < nth_priv_keys + NTH_KEY_COUNT; ++k)
        if (k->init != NULL) NTH_TRY(assign(c, k, &k->init, 1, false, false));
    *cfg = c;
    return NTH_OK;
done:
    nth_config_destroy(&c);
    return st;
}

void nth_config_destroy(nth_config **cfg)
{
    if (cfg == NULL || *cfg == NULL) return;
    nth_config_store *store = (*cfg)->store;
    for (int i = 0; store != NULL && i < NTH_KEY_COUNT; ++i) slot_fini(&store->slots[i]);
    nth_priv_free(store);
    nth_priv_free(*cfg);
    *cfg = NULL;
}

/* ---- Options by name ---------------------------------------------------------------------------- */

/* "did you mean", or which command has it. `dashes` is "--" or "" (files). */
static nth_status unknown(nth_command c, const char *kind, const char *dashes, const char *option)
{
    nth_status  st = NTH_OK;
    nth_nearest near = { .word = option };
    for (const nth_key *k = nth_priv_keys; k < nth_priv_keys + NTH_KEY_COUNT; ++k) {
        if (nth_priv_key_used(k, c)) nth_priv_nearest_offer(&near, k->option);
        if (strcmp(k->option, option) != 0) continue;
        for (int other = 0; other < NTH_COMMAND_COUNT; ++other)
            NTH_REQUIRE(!nth_priv_key_used(k, (nth_command)other), NTH_E_ARG,
                        "%s %s%s%s is not one of nth %s (but of nth %s)", kind, *dashes ? dashes : "\"", option,
                        *dashes ? "" : "\"", commands[c].name, commands[other].name);
    }
    const char *q = *dashes ? "" : "\"";
    NTH_REQUIRE(near.best[0] == '\0', NTH_E_ARG, "unknown %s %s%s%s%s; did you mean %s%s%s%s?", kind, dashes, q, option,
                q, dashes, q, near.best, q);
    NTH_FAIL(NTH_E_ARG, "unknown %s %s%s%s%s; nth %s --help lists the options", kind, dashes, q, option, q,
             commands[c].name);
done:
    return st;
}

static nth_status set_option(nth_config *cfg, const char *option, const char *text, bool given)
{
    nth_status     st = NTH_OK;
    const nth_key *k = find_key(cfg->command, option);
    if (k == NULL) return unknown(cfg->command, "option", "--", option);
    NTH_TRY(assign(cfg, k, &text, 1, false, given));
done:
    if (st != NTH_OK) nth_priv_error_prefix("--%s", option);
    return st;
}

nth_status nth_config_set(nth_config *cfg, const char *option, const char *text)
{
    return set_option(cfg, option, text, true);
}

nth_status nth_config_suggest(nth_config *cfg, const char *option, const char *text)
{
    const nth_key *k = find_key(cfg->command, option);
    if (k != NULL && (slot_of(cfg, k)->given || slot_of(cfg, k)->recorded)) return NTH_OK;
    return set_option(cfg, option, text, false);
}

/* ---- Files -------------------------------------------------------------------------------------- */

/* A file of options, or the record of a run: that has all values and names those which were given. */
typedef struct file_context {
    nth_config *cfg;
    const char *name;
    bool        is_record;
    bool        set[NTH_KEY_COUNT], listed[NTH_KEY_COUNT]; /* by this file; in its list "given" */
} file_context;

static nth_status take_given(file_context *file, const nth_setting *s)
{
    nth_status st = NTH_OK;
    NTH_REQUIRE(s->array, NTH_E_ARG, "\"given\": an array of keys is expected");
    file->is_record = true;
    for (ptrdiff_t i = 0; i < s->count; ++i) {
        const nth_key *k = find_key(file->cfg->command, s->values[i]);
        if (k == NULL) return unknown(file->cfg->command, "key", "", s->values[i]);
        file->listed[k - nth_priv_keys] = true;
    }
done:
    return st;
}

static nth_status take_setting(const nth_setting *s, file_context *file)
{
    nth_status     st = NTH_OK;
    nth_config    *cfg = file->cfg;
    const nth_key *k = find_key(cfg->command, s->key);
    if (k == NULL && strcmp(s->key, "command") == 0) {
        NTH_REQUIRE(s->string && strcmp(s->values[0], commands[cfg->command].name) == 0, NTH_E_ARG,
                    "this is for nth %s, not for nth %s", s->count > 0 ? s->values[0] : "", commands[cfg->command].name);
        return NTH_OK;
    }
    if (k == NULL && strcmp(s->key, "given") == 0) return take_given(file, s);
    if (k == NULL) return unknown(cfg->command, "key", "", s->key);
    NTH_REQUIRE(strcmp(s->key, "config") != 0 && strcmp(s->key, "help") != 0, NTH_E_ARG,
                "\"%s\" belongs on the command line", s->key);
    st = s->array && !is_list(k->type) && k->type != NTH_KEY_TEXTS
             ? nth_raise(NTH_E_ARG, __FILE__, __LINE__, __func__, "one value is expected, not an array")
             : assign(cfg, k, s->values, s->count, false, true);
    if (st != NTH_OK) nth_priv_error_prefix("\"%s\"", s->key);
    file->set[k - nth_priv_keys] = true;
done:
    return st;
}

static nth_status take_from_file(const nth_setting *s, void *ctx)
{
    file_context    *file = ctx;
    const nth_status st = take_setting(s, file);
    if (st != NTH_OK && s->line > 0) nth_priv_error_prefix("%s:%d:%d", file->name, s->line, s->column);
    else if (st != NTH_OK) nth_priv_error_prefix("%s", file->name);
    return st;
}

/* *same: the value is the default of the table. */
static nth_status is_default(const nth_key *k, const slot *s, bool *same)
{
    nth_status  st = NTH_OK;
    slot        init = { 0 };
    value       v = { 0 };
    const char *piece;
    *same = false;
    if (k->init == NULL) return st;
    NTH_TRY(cut(&init, NULL, is_list(k->type), &k->init, 1));
    *same = init.count == s->count;
    piece = init.text;
    for (ptrdiff_t i = 0; *same && i < s->count; ++i, piece += strlen(piece) + 1) {
        const value *have = (const value *)s->array + i;
        const bool   text = k->type >= NTH_KEY_WORD && k->type != NTH_KEY_INTS && k->type != NTH_KEY_REALS;
        NTH_TRY(parse_piece(k, piece, &v));
        *same = text ? strcmp(v.s, have->s) == 0 : memcmp(&v, have, sizeof v) == 0;
    }
done:
    slot_fini(&init);
    return st;
}

/* In a record a value counts as given if it was, or if it is no default: set since, or resolved. */
static nth_status settle_record(file_context *file)
{
    nth_status st = NTH_OK;
    bool       same;
    for (const nth_key *k = nth_priv_keys; file->is_record && k < nth_priv_keys + NTH_KEY_COUNT; ++k) {
        slot *s = slot_of(file->cfg, k);
        if (!file->set[k - nth_priv_keys]) continue;
        NTH_TRY(is_default(k, s, &same));
        s->given = file->listed[k - nth_priv_keys] || !same;
        s->recorded = true;
    }
done:
    return st;
}

nth_status nth_config_file(nth_config *cfg, const char *path)
{
    file_context     file = { .cfg = cfg, .name = path };
    const nth_status st = nth_priv_settings_read(path, take_from_file, &file);
    return st == NTH_OK ? settle_record(&file) : st;
}

nth_status nth_config_text(nth_config *cfg, const char *name, const char *text, size_t length)
{
    file_context     file = { .cfg = cfg, .name = name };
    const nth_status st = nth_priv_settings_parse(name, text, length, take_from_file, &file);
    return st == NTH_OK ? settle_record(&file) : st;
}

/* ---- The command line --------------------------------------------------------------------------- */

typedef struct line {
    int                argc, at;
    const char *const *argv;
    const nth_key     *key;   /* of the option just read */
    const char        *value; /* its text */
    bool               plain; /* after "--": no more options */
} line;

/* Reads the option or positional argument at `at`; what it is goes into key and value. */
static nth_status read_argument(line *l, nth_command c)
{
    nth_status  st = NTH_OK;
    const char *word = l->argv[l->at++], *equals = NULL;
    char        name[64];
    l->key = NULL, l->value = word;
    if (!l->plain && strcmp(word, "--") == 0) {
        l->plain = true;
        return NTH_OK;
    }
    if (strcmp(word, "-h") == 0) word = "--help";
    if (l->plain || word[0] != '-' || word[1] == '\0') {
        const char *positional = commands[c].positional;
        NTH_REQUIRE(positional != NULL, NTH_E_ARG, "unexpected argument \"%s\"; options begin with --", word);
        l->key = find_key(c, positional);
        return NTH_OK;
    }
    if (word[1] != '-') NTH_FAIL(NTH_E_ARG, "unknown option %s; options begin with --", word);
    equals = strchr(word, '=');
    const size_t length = equals != NULL ? (size_t)(equals - word) - 2 : strlen(word) - 2;
    snprintf(name, sizeof name, "%.*s", (int)(length < sizeof name ? length : sizeof name - 1), word + 2);
    l->key = find_key(c, name);
    if (l->key == NULL) return unknown(c, "option", "--", name);
    l->value = equals != NULL ? equals + 1 : "true";
    if (equals != NULL || l->key->type == NTH_KEY_FLAG) return NTH_OK;
    NTH_REQUIRE(l->at < l->argc && strncmp(l->argv[l->at], "--", 2) != 0, NTH_E_ARG, "--%s: a value is missing",
                l->key->option);
    l->value = l->argv[l->at++];
done:
    return st;
}

static nth_status check_needed(const nth_config *cfg)
{
    nth_status  st = NTH_OK;
    const char *positional = commands[cfg->command].positional;
    for (const nth_key *k = nth_priv_keys; k < nth_priv_keys + NTH_KEY_COUNT; ++k) {
        if ((k->needed >> cfg->command & 1u) == 0 || nth_priv_config_has(cfg, k)) continue;
        NTH_REQUIRE(positional == NULL || strcmp(positional, k->option) != 0, NTH_E_ARG, "%s is missing: %s", k->unit,
                    k->meaning);
        NTH_FAIL(NTH_E_ARG, "--%s %s is missing: %s", k->option, k->unit, k->meaning);
    }
done:
    return st;
}

nth_status nth_config_arguments(nth_config *cfg, int argc, const char *const *argv)
{
    nth_status st = NTH_OK;
    line       l = { .argc = argc, .argv = argv };
    bool       seen[NTH_KEY_COUNT] = { false };
    while (l.at < argc) { /* the file comes first, wherever it is named */
        NTH_TRY(read_argument(&l, cfg->command));
        if (l.key != NULL && strcmp(l.key->option, "config") == 0) NTH_TRY(nth_config_file(cfg, l.value));
    }
    l = (line){ .argc = argc, .argv = argv };
    while (l.at < argc) {
        NTH_TRY(read_argument(&l, cfg->command));
        if (l.key == NULL) continue;
        bool      *before = &seen[l.key - nth_priv_keys];
        const bool repeatable = l.key->type == NTH_KEY_TEXTS;
        NTH_REQUIRE(!*before || repeatable, NTH_E_ARG, "--%s is given twice", l.key->option);
        st = assign(cfg, l.key, &l.value, 1, *before, true);
        if (st != NTH_OK) nth_priv_error_prefix("--%s", l.key->option);
        if (st != NTH_OK) goto done;
        *before = true;
    }
    if (!cfg->help) NTH_TRY(check_needed(cfg));
done:
    return st;
}
