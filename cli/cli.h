/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * What the commands share. A command is a function `nth_status cmd_x(cli *c)` that reads c->cfg,
 * works, and reports: failures by its status, checks that do not hold by c->failed_checks, results
 * by cli_say (text) and c->json (--json). main.c turns that into standard output and exit status.
 */
#ifndef NTH_CLI_H
#define NTH_CLI_H

#include <stdbool.h>
#include <stddef.h>
#include <time.h>

#include "nth/config.h"
#include "nth/data.h"
#include "nth/file.h"
#include "nth/json.h"
#include "nth/status.h"

/* One line on standard error that tells how far a long job is. */
typedef struct cli_progress {
    const char     *what; /* "members" */
    ptrdiff_t       done, total;
    ptrdiff_t       had; /* of these, done by an earlier run that this one continues */
    struct timespec start, shown;
    bool            on, terminal, open; /* not quiet; rewritten line; a line is unfinished */
} cli_progress;

typedef struct cli {
    nth_config  *cfg;
    nth_json    *json;          /* the result object with --json; NULL without (all calls accept it) */
    char        *command_line;  /* as typed, quoted where a shell would need it */
    char        *config_json;   /* made by cli_provenance */
    long         failed_checks; /* > 0: exit status 1 */
    char         message[1024]; /* of cli_fail; empty: the library's message counts */
    char         data_checksum[17]; /* of the data loaded last; empty: none yet */
    char         data_expected[17]; /* that of a run made again; empty: any */
    cli_progress progress;
} cli;

/* A callee failed: leave through `done`, freeing what is held. */
#define CLI_TRY(call)                                                                              \
    do {                                                                                           \
        st = (call);                                                                               \
        if (st != NTH_OK) goto done;                                                               \
    } while (0)

/* Records a failure of the command itself and returns the code (NTH_E_ARG: exit status 2). */
nth_status cli_fail(cli *c, nth_status code, const char *fmt, ...) __attribute__((format(printf, 3, 4)));

/* Prints a result to standard output, unless --json replaces it. */
void cli_say(const cli *c, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/* What result files record of this run; the configuration is taken as it is now (presets applied). */
NTH_NODISCARD nth_status cli_provenance(cli *c, nth_provenance *prov);
/* Creates the result file --out, with the checksums of data and input files, or continues an interrupted one. */
NTH_NODISCARD nth_status cli_create(cli *c, nth_file **file);
NTH_NODISCARD nth_status cli_resume(cli *c, nth_file **file, bool *resumed);

/* Loads `spec` with the preprocessing options of the command line; its checksum is the data_checksum of the result. */
NTH_NODISCARD nth_status cli_load_data(cli *c, nth_data **data, const char *spec);
/* The same for a data set beside that one, without the checksum. */
NTH_NODISCARD nth_status cli_read_data(cli *c, nth_data **data, const char *spec);
/* Tells on standard error of classes without a training input, if at least two have one: nothing can be learnt of them. */
void cli_tell_absent_classes(const cli *c, const nth_data *data, const char *spec);

/* Progress: begin, update as often as one likes, end (also on failure). */
void cli_progress_begin(cli *c, const char *what, ptrdiff_t total);
void cli_progress_update(cli *c, ptrdiff_t done);
/* Begins what is one call of the library, without a count; ends what was under way. */
void cli_progress_call(cli *c, const char *what);
void cli_progress_end(cli *c);

/* True after Ctrl-C or SIGTERM: close what is open and return NTH_E_INTERRUPTED. A second one kills. */
bool cli_interrupted(void);
void cli_catch_interrupts(void);

#endif
