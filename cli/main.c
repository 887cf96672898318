/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * nth: the command-line tool. Standard output carries results only; progress and the one line that
 * tells of a failure go to standard error. Exit status: 0 done and all checks hold, 1 a check does
 * not hold, 2 usage or configuration, 3 run time.
 *
 * To add a command: a row in include/nth/config_keys.def for it and its options, a row below, a
 * declaration in commands.h, and cmd_<name>.c.
 */
#include "commands.h"
#include "inputs.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "nth/build_info.h"

static const struct {
    nth_command command;
    cli_run    *run;
} commands[] = {
    { NTH_COMMAND_net, cmd_net },
    { NTH_COMMAND_data, cmd_data },
    { NTH_COMMAND_kernel, cmd_kernel },
    { NTH_COMMAND_hierarchy, cmd_hierarchy },
    { NTH_COMMAND_train, cmd_train },
    { NTH_COMMAND_regress, cmd_regress },
    { NTH_COMMAND_lantk, cmd_lantk },
    { NTH_COMMAND_elastic, cmd_elastic },
    { NTH_COMMAND_kare, cmd_kare },
    { NTH_COMMAND_verify, cmd_verify },
    { NTH_COMMAND_rerun, cmd_rerun },
    { NTH_COMMAND_report, cmd_report },
    { NTH_COMMAND_info, cmd_info },
};

enum { COMMANDS = sizeof commands / sizeof *commands };

cli_run *cli_command(nth_command command)
{
    for (int i = 0; i < COMMANDS; ++i)
        if (commands[i].command == command) return commands[i].run;
    return NULL;
}

enum { EXIT_CHECK = 1, EXIT_USAGE = 2, EXIT_RUN = 3 };

static void print_overview(FILE *out)
{
    fputs("usage: nth COMMAND [options]\n\n", out);
    for (int i = 0; i < COMMANDS; ++i)
        fprintf(out, "  %-10s %s\n", nth_command_name(commands[i].command),
                nth_command_summary(commands[i].command));
    fputs("\nnth COMMAND --help tells the options of a command; nth --version the version.\n"
          "Exit status: 0 done and all checks hold, 1 a check does not hold, 2 usage, 3 run time.\n",
          out);
}

/* Appends the word, quoted if a shell would not take it as it is. Returns the new end. */
static char *put_word(char *at, const char *word)
{
    static const char plain[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-./,:=+@%";
    if (word[0] != '\0' && strspn(word, plain) == strlen(word)) return stpcpy(at, word);
    *at++ = '\'';
    for (; *word != '\0'; ++word) {
        if (*word == '\'') at = stpcpy(at, "'\\'");
        *at++ = *word;
    }
    return stpcpy(at, "'");
}

static char *join(int argc, char **argv)
{
    size_t size = 8;
    for (int i = 1; i < argc; ++i) size += 4 * strlen(argv[i]) + 3;
    char *line = malloc(size), *at = line;
    if (line == NULL) return NULL;
    at = stpcpy(at, "nth");
    for (int i = 1; i < argc; ++i) *at++ = ' ', at = put_word(at, argv[i]);
    return line;
}

/* One line: "nth train: net.h5: has no dataset /W1". */
static void print_failure(const cli *c, nth_status st, const char *name)
{
    const char *text = c->message[0] != '\0' ? c->message : nth_last_error().message;
    fprintf(stderr, "nth%s%s: %s\n", name[0] != '\0' ? " " : "", name, text[0] != '\0' ? text : nth_status_text(st));
}

static int print_help(cli *c, const char *name)
{
    char            *text = NULL;
    const nth_status st = nth_config_help(&text, c->cfg->command);
    if (st == NTH_OK) fputs(text, stdout);
    else print_failure(c, st, name);
    nth_json_text_free(text);
    return st == NTH_OK ? EXIT_SUCCESS : EXIT_RUN;
}

static nth_status print_json(const cli *c)
{
    char            *text = NULL;
    const nth_status st = nth_json_text(&text, c->json, 2);
    if (st == NTH_OK) printf("%s\n", text);
    nth_json_text_free(text);
    return st;
}

/* Runs the command with its configuration read; the exit status. */
static int run(cli *c, cli_run *command, const char *name)
{
    nth_status st = NTH_OK;
    if (c->cfg->help) return print_help(c, name);
    nth_threads_set((int)c->cfg->threads);
    if (c->cfg->json) {
        c->json = nth_json_object();
        if (c->json == NULL) st = cli_fail(c, NTH_E_NOMEM, "out of memory");
    }
    cli_catch_interrupts();
    if (st == NTH_OK) st = cli_inputs_probe(c, c->cfg);
    if (st == NTH_OK) st = command(c);
    cli_progress_end(c);
    if (st == NTH_E_INTERRUPTED && c->message[0] == '\0') (void)cli_fail(c, st, "interrupted");
    if (st == NTH_OK && c->cfg->json) st = print_json(c);
    if (st != NTH_OK) print_failure(c, st, name);
    if (st != NTH_OK) return st == NTH_E_ARG ? EXIT_USAGE : EXIT_RUN;
    return c->failed_checks > 0 ? EXIT_CHECK : EXIT_SUCCESS;
}

static int dispatch(int argc, char **argv)
{
    cli         c = { 0 };
    nth_command command;
    cli_run    *command_run = NULL;
    int         status = EXIT_USAGE;
    const char *name = "";
    nth_status  st = nth_command_parse(&command, argv[1]);
    if (st == NTH_OK) {
        name = nth_command_name(command);
        command_run = cli_command(command);
        if (command_run == NULL) st = cli_fail(&c, NTH_E_ARG, "is not part of this version");
    }
    c.command_line = join(argc, argv);
    if (st == NTH_OK && c.command_line == NULL) st = cli_fail(&c, NTH_E_NOMEM, "out of memory");
    if (st == NTH_OK) st = nth_config_create(&c.cfg, command);
    if (st == NTH_OK) st = nth_config_arguments(c.cfg, argc - 2, (const char *const *)argv + 2);
    if (st == NTH_OK) {
        status = run(&c, command_run, name);
    } else {
        print_failure(&c, st, name);
        status = st == NTH_E_NOMEM || st == NTH_E_IO ? EXIT_RUN : EXIT_USAGE;
    }
    nth_json_destroy(&c.json);
    nth_json_text_free(c.config_json);
    nth_config_destroy(&c.cfg);
    free(c.command_line);
    return status;
}

int main(int argc, char **argv)
{
    int status = EXIT_SUCCESS;
    if (argc < 2) {
        print_overview(stderr);
        return EXIT_USAGE;
    }
    if (strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "-h") == 0) {
        print_overview(stdout);
    } else if (strcmp(argv[1], "--version") == 0) {
        const nth_build_info b = nth_build_info_get();
        printf("nth %s (revision %s%s)\n", b.version, b.git_revision, b.git_dirty ? ", changed" : "");
    } else {
        status = dispatch(argc, argv);
    }
    if (fflush(stdout) != 0 || ferror(stdout)) {
        fprintf(stderr, "nth: standard output: cannot be written\n");
        if (status == EXIT_SUCCESS) status = EXIT_RUN;
    }
    return status;
}
