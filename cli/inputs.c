/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Where the inputs of a command are, and what they hold (inputs.h).
 */
#include "inputs.h"
#include "contents.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { MAX_PATH = 4096 };

/* One value of an option: the file, what stands before it ("csv:") and after it (":/K", "?target=y"). */
typedef struct input {
    const char *option;
    char        label[64]; /* the option, numbered if it may be repeated */
    const char *value;
    char        before[8], path[MAX_PATH];
    const char *after;
} input;

typedef nth_status input_visit(cli *c, const input *in, void *ctx);

static bool is_data(const char *option)
{
    return strcmp(option, "data") == 0 || strcmp(option, "spec") == 0 || strcmp(option, "elasticity-data") == 0;
}

/* False if the value names no file: a data set that is made or found elsewhere, a kernel by name. */
static bool split(input *in)
{
    static const char *const elsewhere[] = { "cifar10:", "mnist:", "uci:", "synthetic:" };
    const bool   data = is_data(in->option);
    const char  *from = in->value;
    for (size_t i = 0; data && i < sizeof elsewhere / sizeof *elsewhere; ++i)
        if (strncmp(from, elsewhere[i], strlen(elsewhere[i])) == 0) return false;
    if (strcmp(in->option, "add") == 0 && (strcmp(from, "constant") == 0 || strcmp(from, "squares") == 0)) return false;
    in->before[0] = '\0';
    if (data && strncmp(from, "csv:", 4) == 0) from += 4, strcpy(in->before, "csv:");
    in->after = from + strlen(from);
    if (in->before[0] != '\0') in->after = from + strcspn(from, "?");
    else if (!data)
        for (const char *at = strstr(from, ":/"); at != NULL; at = strstr(at + 1, ":/")) in->after = at;
    return snprintf(in->path, sizeof in->path, "%.*s", (int)(in->after - from), from) < (int)sizeof in->path;
}

static nth_status each(cli *c, const nth_config *cfg, bool data, input_visit *visit, void *ctx)
{
    nth_status st = NTH_OK;
    input      in;
    const struct {
        const char *option, *value;
    } one[] = { { "net", cfg->net },   { "gram", cfg->gram },             { "add", cfg->add }, { "against", cfg->against },
                { "base", cfg->base }, { "normaliser", cfg->normaliser }, { "spec", cfg->spec },
                { "elasticity-data", cfg->elasticity_data },
                { "data", nth_config_given(cfg, "data") ? cfg->data : NULL } };
    for (size_t i = 0; i < sizeof one / sizeof *one; ++i) {
        in.option = one[i].option, in.value = one[i].value;
        snprintf(in.label, sizeof in.label, "%s", in.option);
        if (in.value != NULL && (data || !is_data(in.option)) && split(&in)) CLI_TRY(visit(c, &in, ctx));
    }
    for (ptrdiff_t i = 0; i < cfg->direction.n; ++i) {
        in.option = "direction", in.value = cfg->direction.v[i];
        snprintf(in.label, sizeof in.label, "direction %td", i + 1);
        if (split(&in)) CLI_TRY(visit(c, &in, ctx));
    }
done:
    return st;
}

/* ---- Finding ------------------------------------------------------------------------------------- */

typedef struct search {
    const char *folder;
    nth_json   *found;      /* options to set, "option": value */
    nth_json   *directions; /* all of them */
    bool        moved;      /* one of the directions is elsewhere */
} search;

static nth_status locate(cli *c, const input *in, void *ctx)
{
    search     *s = ctx;
    char        there[2 * MAX_PATH], value[3 * MAX_PATH];
    const bool  direction = strcmp(in->option, "direction") == 0, here = access(in->path, R_OK) == 0;
    const char *folder = s->folder[0] != '\0' ? s->folder : ".";
    snprintf(value, sizeof value, "%s", in->value);
    if (!here) {
        snprintf(there, sizeof there, "%s/%s", folder, in->path);
        if (in->path[0] == '/' || access(there, R_OK) != 0)
            return cli_fail(c, NTH_E_IO, in->path[0] == '/' ? "--%s %s: there is no such file" : "--%s %s: there is no such file here or in %s",
                            in->option, in->path, folder);
        snprintf(value, sizeof value, "%s%s%s", in->before, there, in->after);
        if (!direction) nth_json_set_string(s->found, in->option, value);
    }
    if (direction) nth_json_append_string(s->directions, value), s->moved = s->moved || !here;
    return NTH_OK;
}

nth_status cli_inputs_locate(cli *c, nth_config *cfg, const char *folder)
{
    nth_status st = NTH_OK;
    char      *text = NULL;
    search     s = { .folder = folder, .found = nth_json_object(), .directions = nth_json_array() };
    CLI_TRY(each(c, cfg, true, locate, &s));
    if (s.moved) nth_json_set(s.found, "direction", s.directions), s.directions = NULL;
    CLI_TRY(nth_json_text(&text, s.found, 0));
    if (strcmp(text, "{}") != 0) CLI_TRY(nth_config_text(cfg, "input files", text, strlen(text)));
done:
    nth_json_text_free(text);
    nth_json_destroy(&s.found);
    nth_json_destroy(&s.directions);
    return st;
}

/* ---- Checksums ----------------------------------------------------------------------------------- */

static nth_status checksum_of(cli *c, char out[17], const input *in)
{
    nth_file  *f = NULL;
    nth_status st = nth_file_open(&f, in->path);
    if (st == NTH_OK) st = cli_checksum(out, f);
    if (st == NTH_E_NOMEM) (void)cli_fail(c, st, "out of memory");
    nth_file_close(&f);
    return st;
}

static nth_status record(cli *c, const input *in, void *ctx)
{
    char             digits[17];
    const nth_status st = checksum_of(c, digits, in);
    if (st == NTH_OK) nth_json_set_string(ctx, in->label, digits);
    return st;
}

nth_status cli_inputs_json(cli *c, char **text, const nth_config *cfg)
{
    nth_json  *o = nth_json_object();
    nth_status st = each(c, cfg, false, record, o);
    *text = NULL;
    if (st == NTH_OK) st = nth_json_text(text, o, 0);
    nth_json_destroy(&o);
    return st;
}

static nth_status check(cli *c, const input *in, void *ctx)
{
    char        digits[17], key[80];
    const char *recorded = *(const char *const *)ctx;
    const int   n = snprintf(key, sizeof key, "\"%s\": \"", in->label);
    const char *at = strstr(recorded, key);
    if (at == NULL) return NTH_OK;
    const nth_status st = checksum_of(c, digits, in);
    if (st != NTH_OK || strncmp(at + n, digits, 16) == 0) return st;
    return cli_fail(c, NTH_E_FORMAT, "--%s %s: another file than the one recorded: checksum %s, not %.16s", in->option, in->path, digits,
                    at + n);
}

nth_status cli_inputs_check(cli *c, const nth_config *cfg, const char *recorded)
{
    return each(c, cfg, false, check, &recorded);
}

/* ---- Damaged files ------------------------------------------------------------------------------- */

static nth_status probe(cli *c, const input *in, void *ctx)
{
    (void)c, (void)ctx;
    return in->before[0] == '\0' && access(in->path, R_OK) == 0 ? nth_file_probe(in->path) : NTH_OK;
}

nth_status cli_inputs_probe(cli *c, const nth_config *cfg)
{
    static const char *const endings[] = { ".partial", ".state" };
    nth_status               st = NTH_OK;
    char                     path[MAX_PATH];
    if (cfg->file != NULL) CLI_TRY(nth_file_probe(cfg->file));
    CLI_TRY(each(c, cfg, true, probe, NULL));
    for (size_t i = 0; cfg->out != NULL && i < sizeof endings / sizeof *endings; ++i)
        if (snprintf(path, sizeof path, "%s%s", cfg->out, endings[i]) < (int)sizeof path && access(path, R_OK) == 0)
            CLI_TRY(nth_file_probe(path));
done:
    return st;
}
