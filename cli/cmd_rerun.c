/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * nth rerun FILE: runs again what the file records, into a temporary file beside it (or --out), and
 * compares the two. The recorded configuration counts as resolved, not as typed: defaults recorded
 * with it are no options given (nth_config_given).
 */
#include "commands.h"
#include "compare.h"
#include "contents.h"
#include "inputs.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "nth/build_info.h"

typedef struct job {
    cli       *c;
    cli        again; /* the command run again: quiet on standard output */
    cli_run   *run;
    nth_file  *recorded, *now;
    nth_json  *changed, *rows;
    cli_value *value;
    char       folder[4096], out[4096];
} job;

/* The text of a root attribute, or "". */
static const char *text_of(job *j, const char *key)
{
    cli_value_read(j->value, j->recorded, "/", key);
    return j->value->kind == CLI_VALUE_TEXT ? j->value->text : "";
}

static int64_t int_of(job *j, const char *key, int64_t otherwise)
{
    cli_value_read(j->value, j->recorded, "/", key);
    return j->value->kind == CLI_VALUE_INTS && j->value->count == 1 ? j->value->ints[0] : otherwise;
}

/* ---- What is recorded ---------------------------------------------------------------------------- */

static nth_status find_command(job *j, nth_command *command)
{
    char        name[32] = "";
    const char *path = j->c->cfg->file, *config = text_of(j, "config");
    if (config[0] == '\0') return cli_fail(j->c, NTH_E_FORMAT, "%s: records no configuration; it is no result of nth", path);
    if (sscanf(config, "{\"command\": \"%31[a-z]\"", name) != 1)
        return cli_fail(j->c, NTH_E_FORMAT, "%s: its configuration names no command", path);
    if (nth_command_parse(command, name) != NTH_OK || (j->run = cli_command(*command)) == NULL || j->run == cmd_rerun)
        return cli_fail(j->c, NTH_E_FORMAT, "%s: made by nth %s, which this version does not have", path, name);
    return NTH_OK;
}

static nth_status read_record(job *j)
{
    nth_status  st = NTH_OK;
    cli        *c = j->c;
    nth_command command;
    const char *path = c->cfg->file;
    char        version[64];
    CLI_TRY(nth_file_open(&j->recorded, path));
    if (strcmp(text_of(j, "status"), "partial") == 0)
        return cli_fail(c, NTH_E_FORMAT, "%s: partial, left by an interrupted run; run its command again first", path);
    CLI_TRY(find_command(j, &command));
    snprintf(version, sizeof version, "%.63s", text_of(j, "nth_version"));
    CLI_TRY(nth_config_create(&j->again.cfg, command));
    const char *config = text_of(j, "config");
    if (nth_config_text(j->again.cfg, "config", config, strlen(config)) != NTH_OK) {
        const char *ours = nth_build_info_get().version;
        if (strcmp(version, ours) == 0) return cli_fail(c, NTH_E_FORMAT, "%s: the configuration recorded is damaged: %s", path, nth_last_error().message);
        return cli_fail(c, NTH_E_FORMAT, "%s: recorded by nth %s, this is %s: %s", path, version, ours, nth_last_error().message);
    }
    const char *slash = strrchr(path, '/');
    snprintf(j->folder, sizeof j->folder, "%.*s", slash != NULL ? (int)(slash - path) : 0, path);
    if (slash == path) strcpy(j->folder, "/");
    CLI_TRY(cli_inputs_locate(c, j->again.cfg, j->folder));
    CLI_TRY(cli_inputs_probe(c, j->again.cfg));
    CLI_TRY(cli_inputs_check(c, j->again.cfg, text_of(j, "inputs")));
    cli_value_read(j->value, j->recorded, "/", "data_checksum");
    if (j->value->kind == CLI_VALUE_TEXT) snprintf(j->again.data_expected, sizeof j->again.data_expected, "%.16s", j->value->text);
    else if (j->value->kind == CLI_VALUE_INTS)
        snprintf(j->again.data_expected, sizeof j->again.data_expected, "%016" PRIx64, (uint64_t)j->value->ints[0]);
done:
    return st;
}

/* ---- Then and now -------------------------------------------------------------------------------- */

/* Said to standard error before the run, unless --quiet, and with the results after it. */
static void say_change(job *j, bool before, const char *key, const char *then, const char *now)
{
    static const char line[] = "%s: recorded %s, now %s\n";
    if (strcmp(then, now) == 0) return;
    if (then[0] == '\0') then = "nothing";
    if (before && !j->c->cfg->quiet) fprintf(stderr, line, key, then, now);
    if (before) return;
    nth_json *o = nth_json_object();
    cli_say(j->c, line, key, then, now);
    nth_json_set_string(o, "recorded", then);
    nth_json_set_string(o, "now", now);
    nth_json_set(j->changed, key, o);
}

static void say_setting(job *j, bool before)
{
    const nth_build_info b = nth_build_info_get();
    char                 then[64], now[64];
    const struct {
        const char *key, *now;
    } texts[] = { { "nth_version", b.version }, { "git_revision", b.git_revision }, { "compiler", b.compiler },
                  { "compiler_flags", b.compiler_flags }, { "build_type", b.build_type }, { "blas", b.blas },
                  { "gsl", b.gsl }, { "hdf5", b.hdf5 }, { "vector_math", b.vector_math }, { "cpu", b.cpu } };
    if (!before) cli_say(j->c, "%s: nth %s, made %s\n", j->c->cfg->file, nth_command_name(j->again.cfg->command), text_of(j, "created"));
    for (size_t i = 0; i < sizeof texts / sizeof *texts; ++i) say_change(j, before, texts[i].key, text_of(j, texts[i].key), texts[i].now);
    say_change(j, before, "git_dirty", int_of(j, "git_dirty", 0) != 0 ? "yes" : "no", b.git_dirty ? "yes" : "no");
    snprintf(then, sizeof then, "%" PRId64, int_of(j, "threads", 0));
    snprintf(now, sizeof now, "%d", nth_threads_get());
    say_change(j, before, "threads", then, now);
    if (before) return;
    nth_json_set(j->c->json, "changed", j->changed);
    j->changed = NULL;
}

/* ---- Running ------------------------------------------------------------------------------------- */

static nth_status run_again(job *j)
{
    nth_status st = NTH_OK;
    cli       *c = j->c, *a = &j->again;
    char       partial[sizeof j->out + 16];
    const int  n = c->cfg->out != NULL ? snprintf(j->out, sizeof j->out, "%s", c->cfg->out)
                                       : snprintf(j->out, sizeof j->out, "%s.rerun-%ld", c->cfg->file, (long)getpid());
    if (n < 0 || n >= (int)sizeof j->out) return cli_fail(c, NTH_E_ARG, "the name of the file is too long");
    CLI_TRY(nth_config_set(a->cfg, "out", j->out));
    a->cfg->json = true; /* without an object: silent */
    a->cfg->quiet = c->cfg->quiet;
    a->command_line = c->command_line;
    st = j->run(a);
    cli_progress_end(a);
    nth_json_text_free(a->config_json);
    a->config_json = NULL;
    if (st != NTH_OK && st != NTH_E_INTERRUPTED)
        st = cli_fail(c, st == NTH_E_ARG ? NTH_E_FORMAT : st, "%s cannot be made again: %s", c->cfg->file,
                      a->message[0] != '\0' ? a->message : nth_last_error().message);
    if (st != NTH_OK && c->cfg->out == NULL) {
        snprintf(partial, sizeof partial, "%s.partial", j->out);
        (void)remove(partial);
    }
done:
    return st;
}

static void conclude(job *j, const cli_comparison *r)
{
    cli        *c = j->c;
    const char *verdict = r->different > 0 ? "different" : r->near > 0 ? "within tolerance" : "identical";
    cli_say(c, "%s: %td dataset%s and %td attribute%s compared", verdict, r->datasets, r->datasets == 1 ? "" : "s", r->attributes,
            r->attributes == 1 ? "" : "s");
    if (r->different > 0) cli_say(c, ", %td differ", r->different);
    if (r->near > 0) cli_say(c, ", %td differ by no more than --tolerance %g", r->near, c->cfg->rerun_tolerance);
    cli_say(c, "\n");
    if (c->cfg->out != NULL) cli_say(c, "written to %s\n", c->cfg->out);
    nth_json_set_string(c->json, "file", c->cfg->file);
    nth_json_set_string(c->json, "command", nth_command_name(j->again.cfg->command));
    nth_json_set_string(c->json, "verdict", verdict);
    nth_json_set_int(c->json, "datasets_compared", r->datasets);
    nth_json_set_int(c->json, "attributes_compared", r->attributes);
    nth_json_set_double(c->json, "absolute", r->absolute);
    nth_json_set_double(c->json, "relative", r->relative);
    nth_json_set(c->json, "rows", j->rows);
    j->rows = NULL;
    c->failed_checks += r->different;
}

nth_status cmd_rerun(cli *c)
{
    nth_status     st = NTH_OK;
    cli_comparison r;
    job           *j = calloc(1, sizeof *j);
    if (j == NULL || (j->value = malloc(sizeof *j->value)) == NULL) {
        free(j);
        return cli_fail(c, NTH_E_NOMEM, "out of memory");
    }
    j->c = c;
    if (c->json != NULL) j->changed = nth_json_object(), j->rows = nth_json_array();
    CLI_TRY(read_record(j));
    if (!nth_config_given(c->cfg, "threads")) nth_threads_set((int)int_of(j, "threads", 0));
    say_setting(j, true);
    CLI_TRY(run_again(j));
    say_setting(j, false);
    CLI_TRY(nth_file_open(&j->now, j->out));
    cli_progress_call(c, "comparing");
    CLI_TRY(cli_compare(c, &r, j->rows, j->recorded, j->now, c->cfg->rerun_tolerance));
    cli_progress_end(c);
    conclude(j, &r);
done:
    nth_file_close(&j->now);
    nth_file_close(&j->recorded);
    if (c->cfg->out == NULL && j->out[0] != '\0') (void)remove(j->out);
    nth_config_destroy(&j->again.cfg);
    nth_json_destroy(&j->changed);
    nth_json_destroy(&j->rows);
    free(j->value);
    free(j);
    return st;
}
