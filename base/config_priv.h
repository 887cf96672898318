/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * The rows of config_keys.def as data, shared by config.c (values) and config_text.c (texts).
 */
#ifndef NTH_BASE_CONFIG_PRIV_H
#define NTH_BASE_CONFIG_PRIV_H

#include <stdbool.h>
#include <stddef.h>

#include "nth/config.h"

typedef enum nth_key_type {
    NTH_KEY_INT,
    NTH_KEY_UINT,
    NTH_KEY_REAL,
    NTH_KEY_FLAG,
    NTH_KEY_WORD,
    NTH_KEY_TEXT,
    NTH_KEY_INTS,
    NTH_KEY_REALS,
    NTH_KEY_WORDS,
    NTH_KEY_TEXTS
} nth_key_type;

typedef struct nth_key {
    const char  *option;
    nth_key_type type;
    const char  *init; /* NULL: no default */
    double       least, most;
    const char  *words; /* "a|b|c" or NULL */
    const char  *unit;
    unsigned     needed, used; /* bit of each command */
    const char  *meaning;
    size_t       offset; /* of the field in nth_config */
} nth_key;

enum {
    NTH_KEY_COUNT = 0
#define NTH_COMMAND(command, positional, summary)
#define NTH_KEY(field, option, type, init, least, most, words, unit, needed, used, meaning) +1
#include "nth/config_keys.def"
#undef NTH_COMMAND
#undef NTH_KEY
};

extern const nth_key nth_priv_keys[NTH_KEY_COUNT];

/* Used by the command at all; recorded as bearing on its results. */
static inline bool nth_priv_key_used(const nth_key *k, nth_command c) { return (k->used >> c & 1u) != 0; }
bool               nth_priv_key_recorded(const nth_key *k);
const char        *nth_priv_command_positional(nth_command c); /* option name or NULL */
/* True if the key has a value (its default, or one that was set). */
bool nth_priv_config_has(const nth_config *cfg, const nth_key *k);
/* True if that value counts as given. */
bool nth_priv_config_gave(const nth_config *cfg, const nth_key *k);

#endif
