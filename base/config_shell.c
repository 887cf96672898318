/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Completion of commands, options and words in shells, made from the rows of config_keys.def.
 * Called by: nth info --completion, through nth/config.h.
 */
#include "nth/config.h"
#include "config_priv.h"
#include "fail_priv.h"
#include "text_priv.h"

#include <string.h>

/* "a|b" as "a b". */
static void put_words(nth_text *t, const char *words)
{
    for (const char *w = words; w != NULL && *w != '\0';) {
        const size_t n = strcspn(w, "|");
        nth_text_put(t, "%s%.*s", w == words ? "" : " ", (int)n, w);
        w = w[n] == '|' ? w + n + 1 : w + n;
    }
}

static bool is_positional(const nth_key *k, nth_command c)
{
    const char *positional = nth_priv_command_positional(c);
    return positional != NULL && strcmp(positional, k->option) == 0;
}

/* The lines of a `case "COMMAND:PREVIOUS WORD" in` that set `list`; no match leaves `kind` alone. */
static void put_values(nth_text *t, nth_command c)
{
    for (const nth_key *k = nth_priv_keys; k < nth_priv_keys + NTH_KEY_COUNT; ++k) {
        if (!nth_priv_key_used(k, c) || k->type == NTH_KEY_FLAG) continue;
        nth_text_put(t, "    %s:--%s) ", nth_command_name(c), k->option);
        if (k->words != NULL) {
            nth_text_put(t, "kind=words list='");
            put_words(t, k->words);
            nth_text_put(t, "' ;;\n");
        } else nth_text_put(t, "kind=%s ;;\n", k->type == NTH_KEY_TEXT || k->type == NTH_KEY_TEXTS ? "files" : "none");
    }
}

/* What may stand where no value of an option is expected. */
static void put_options(nth_text *t, nth_command c)
{
    nth_text_put(t, "    %s) list='", nth_command_name(c));
    for (const nth_key *k = nth_priv_keys; k < nth_priv_keys + NTH_KEY_COUNT; ++k)
        if (nth_priv_key_used(k, c) && !is_positional(k, c)) nth_text_put(t, "--%s ", k->option);
    for (const nth_key *k = nth_priv_keys; k < nth_priv_keys + NTH_KEY_COUNT; ++k) {
        if (!nth_priv_key_used(k, c) || !is_positional(k, c)) continue;
        if (k->words != NULL) put_words(t, k->words);
    }
    nth_text_put(t, "'");
    for (const nth_key *k = nth_priv_keys; k < nth_priv_keys + NTH_KEY_COUNT; ++k)
        if (nth_priv_key_used(k, c) && is_positional(k, c) && k->words == NULL) nth_text_put(t, " kind=both");
    nth_text_put(t, " ;;\n");
}

static void put_tables(nth_text *t, const char *command, const char *previous)
{
    nth_text_put(t, "    case %s in\n", command);
    for (int c = 0; c < NTH_COMMAND_COUNT; ++c) put_options(t, (nth_command)c);
    nth_text_put(t, "    esac\n    case %s:%s in\n", command, previous);
    for (int c = 0; c < NTH_COMMAND_COUNT; ++c) put_values(t, (nth_command)c);
    nth_text_put(t, "    esac\n");
}

static void put_commands(nth_text *t)
{
    for (int c = 0; c < NTH_COMMAND_COUNT; ++c) nth_text_put(t, "%s ", nth_command_name((nth_command)c));
    nth_text_put(t, "--help --version");
}

static void put_bash(nth_text *t)
{
    nth_text_put(t, "# bash completion of nth; made by `nth info --completion bash`\n\n_nth() {\n"
                    "    local cur=${COMP_WORDS[COMP_CWORD]} prev=${COMP_WORDS[COMP_CWORD-1]} kind=words list=\n"
                    "    COMPREPLY=()\n    if [ \"$COMP_CWORD\" = 1 ]; then\n        mapfile -t COMPREPLY < <(compgen -W '");
    put_commands(t);
    nth_text_put(t, "' -- \"$cur\")\n        return\n    fi\n");
    put_tables(t, "\"${COMP_WORDS[1]}\"", "$prev");
    nth_text_put(t, "    case $kind in\n    words | both) mapfile -t COMPREPLY < <(compgen -W \"$list\" -- \"$cur\") ;;\n    esac\n"
                    "    case $kind in\n    files | both) mapfile -t -O ${#COMPREPLY[@]} COMPREPLY < <(compgen -f -- \"$cur\") ;;\n    esac\n"
                    "}\ncomplete -o filenames -F _nth nth\n");
}

static void put_zsh(nth_text *t)
{
    nth_text_put(t, "#compdef nth\n# zsh completion of nth; made by `nth info --completion zsh`\n\n_nth() {\n"
                    "    local kind=words list= prev=$words[CURRENT-1] command=$words[2]\n"
                    "    if (( CURRENT == 2 )); then\n        compadd -- ");
    put_commands(t);
    nth_text_put(t, "\n        return\n    fi\n");
    put_tables(t, "$command", "$prev");
    nth_text_put(t, "    case $kind in\n    words | both) compadd -- ${=list} ;;\n    esac\n"
                    "    case $kind in\n    files | both) _files ;;\n    esac\n}\n_nth \"$@\"\n");
}

nth_status nth_config_completion(char **text, const char *shell)
{
    nth_status st = NTH_OK;
    nth_text   t = { 0 };
    *text = NULL;
    NTH_REQUIRE(strcmp(shell, "bash") == 0 || strcmp(shell, "zsh") == 0, NTH_E_ARG, "\"%s\" is neither bash nor zsh", shell);
    if (strcmp(shell, "bash") == 0) put_bash(&t);
    else put_zsh(&t);
    NTH_TRY(nth_text_take(text, &t));
done:
    return st;
}
