/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Configuration: the options of every command, from the command line and from JSON files.
 *
 * One table (config_keys.def) makes the fields below, their defaults and checks, the help texts and
 * the record in result files. Order of use: create (defaults), arguments (which reads --config FILE
 * first, then the options, then checks that what is needed is there), read the fields, destroy.
 */
#ifndef NTH_CONFIG_H
#define NTH_CONFIG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "nth/status.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef enum nth_command {
#define NTH_COMMAND(command, positional, summary) NTH_COMMAND_##command,
#define NTH_KEY(field, option, type, init, least, most, words, unit, needed, used, meaning)
#include "nth/config_keys.def"
#undef NTH_COMMAND
#undef NTH_KEY
    NTH_COMMAND_COUNT
} nth_command;

/* Lists of values; v is NULL when n = 0. */
typedef struct nth_ints {
    const int64_t *v; /* (n) */
    ptrdiff_t      n;
} nth_ints;
typedef struct nth_reals {
    const double *v; /* (n) */
    ptrdiff_t     n;
} nth_reals;
typedef struct nth_words {
    const char *const *v; /* (n) */
    ptrdiff_t          n;
} nth_words;

/* C types of the option types. */
typedef int64_t     nth_type_INT;
typedef uint64_t    nth_type_UINT;
typedef double      nth_type_REAL;
typedef bool        nth_type_FLAG;
typedef const char *nth_type_WORD; /* NULL: no value */
typedef const char *nth_type_TEXT; /* NULL: no value */
typedef nth_ints    nth_type_INTS;
typedef nth_reals   nth_type_REALS;
typedef nth_words   nth_type_WORDS;
typedef nth_words   nth_type_TEXTS;

typedef struct nth_config_store nth_config_store;

/* The values of one command; fields of options it does not have keep their defaults. What the
 * pointers lead to belongs to the configuration. */
typedef struct nth_config {
    nth_command command;
#define NTH_COMMAND(name, positional, summary)
#define NTH_KEY(field, option, type, init, least, most, words, unit, needed, used, meaning)             \
    nth_type_##type field;
#include "nth/config_keys.def"
#undef NTH_COMMAND
#undef NTH_KEY
    nth_config_store *store; /* memory behind the fields, and where each value came from */
} nth_config;

/** Name of a command ("train"); NULL outside the list. */
NTH_API const char *nth_command_name(nth_command command);

/** What a command does, in one line; NULL outside the list. */
NTH_API const char *nth_command_summary(nth_command command);

/**
 * The command with this name.
 *
 * Errors     NTH_E_ARG, naming the nearest one.
 */
NTH_API NTH_NODISCARD nth_status nth_command_parse(nth_command *command, const char *name);

/**
 * The defaults of a command.
 *
 * Ownership  *cfg is the caller's: nth_config_destroy. On failure *cfg is NULL.
 * Errors     NTH_E_NOMEM.
 */
NTH_API NTH_NODISCARD nth_status nth_config_create(nth_config **cfg, nth_command command);

/** Frees a configuration and sets the pointer to NULL. Accepts NULL and a pointer to NULL. */
NTH_API void nth_config_destroy(nth_config **cfg);

/**
 * Reads a command line after the command's name: --key value, --key=value, flags, the positional
 * argument; --config FILE first. Unless --help is among them, checks that what is needed is there.
 *
 * Ownership  the strings are copied.
 * Errors     NTH_E_ARG: unknown option (naming the nearest), bad or missing value; NTH_E_FORMAT: the
 *            file is no JSON object of options (with line and column); NTH_E_IO, NTH_E_NOMEM.
 */
NTH_API NTH_NODISCARD nth_status nth_config_arguments(nth_config *cfg, int argc, const char *const *argv);

/**
 * Reads a JSON file of options. Keys are option names without dashes; lists are arrays or text as on
 * the command line; `command`, if there, must be this command; for `given` see nth_config_given. A
 * value set before is replaced.
 *
 * Errors     as nth_config_arguments.
 */
NTH_API NTH_NODISCARD nth_status nth_config_file(nth_config *cfg, const char *path);

/** The same for a text in memory; name stands for the file in messages. */
NTH_API NTH_NODISCARD nth_status nth_config_text(nth_config *cfg, const char *name, const char *text,
                                                 size_t length);

/** Sets an option from text, as the command line would. NTH_E_ARG. */
NTH_API NTH_NODISCARD nth_status nth_config_set(nth_config *cfg, const char *option, const char *value);

/** The same unless the user gave the option or a record has it: for presets. It still does not count as given. */
NTH_API NTH_NODISCARD nth_status nth_config_suggest(nth_config *cfg, const char *option,
                                                    const char *value);

/**
 * True if the option came from the command line, a file or nth_config_set. Of a file with an array
 * `given` (the record of a run: nth_config_json), which has all values, those count that the array
 * names and those that differ from the default.
 */
NTH_API bool nth_config_given(const nth_config *cfg, const char *option);

/**
 * The resolved configuration as one line of JSON: the command and every value that bears on the
 * result, in the order of the table, then `given`: the options that were given. Reading it back with
 * nth_config_text gives the same values, and the same answers of nth_config_given for defaults.
 *
 * Ownership  *text is the caller's: nth_json_text_free.
 * Accuracy   numbers are the shortest decimals that read back the same.
 * Errors     NTH_E_NOMEM.
 */
NTH_API NTH_NODISCARD nth_status nth_config_json(char **text, const nth_config *cfg);

/** Usage of a command with all its options; freed by nth_json_text_free. NTH_E_NOMEM. */
NTH_API NTH_NODISCARD nth_status nth_config_help(char **text, nth_command command);

/**
 * What completes commands, options and their words in a shell, "bash" or "zsh"; freed by
 * nth_json_text_free.
 *
 * Errors     NTH_E_ARG: another shell; NTH_E_NOMEM.
 */
NTH_API NTH_NODISCARD nth_status nth_config_completion(char **text, const char *shell);

/** The text of docs/options.md; freed by nth_json_text_free. NTH_E_NOMEM. */
NTH_API NTH_NODISCARD nth_status nth_config_markdown(char **text);

#ifdef __cplusplus
}
#endif
#endif
