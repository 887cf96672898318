/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * What the commands share: messages, provenance, data, interruption (cli.h).
 */
#include "cli.h"
#include "inputs.h"

#include <inttypes.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "nth/build_info.h"

nth_status cli_fail(cli *c, nth_status code, const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    vsnprintf(c->message, sizeof c->message, fmt, ap);
    va_end(ap);
    return code;
}

void cli_say(const cli *c, const char *fmt, ...)
{
    va_list ap;
    if (c->cfg->json) return;
    va_start(ap, fmt);
    vprintf(fmt, ap);
    va_end(ap);
}

nth_status cli_provenance(cli *c, nth_provenance *prov)
{
    nth_json_text_free(c->config_json);
    c->config_json = NULL;
    const nth_status st = nth_config_json(&c->config_json, c->cfg);
    *prov = (nth_provenance){ .command_line = c->command_line,
                              .config = c->config_json,
                              .seed = c->cfg->seed,
                              .threads = nth_threads_get() };
    return st;
}

/* Checksums of what the result is made from. */
static nth_status record_inputs(cli *c, nth_file *file)
{
    nth_status st = NTH_OK;
    char      *text = NULL;
    if (c->data_checksum[0] != '\0') CLI_TRY(nth_file_set_string(file, "/", "data_checksum", c->data_checksum));
    CLI_TRY(cli_inputs_json(c, &text, c->cfg));
    if (strcmp(text, "{}") != 0) CLI_TRY(nth_file_set_string(file, "/", "inputs", text));
done:
    nth_json_text_free(text);
    return st;
}

nth_status cli_create(cli *c, nth_file **file)
{
    nth_status     st = NTH_OK;
    nth_provenance prov;
    CLI_TRY(cli_provenance(c, &prov));
    CLI_TRY(nth_file_create(file, c->cfg->out, &prov));
    cli_progress_call(c, "checksums of the input files");
    CLI_TRY(record_inputs(c, *file));
done:
    cli_progress_end(c);
    return st;
}

nth_status cli_resume(cli *c, nth_file **file, bool *resumed)
{
    nth_status     st = NTH_OK;
    nth_provenance prov;
    CLI_TRY(cli_provenance(c, &prov));
    CLI_TRY(nth_file_resume(file, c->cfg->out, &prov, resumed));
    if (*resumed) goto done;
    cli_progress_call(c, "checksums of the input files");
    CLI_TRY(record_inputs(c, *file));
done:
    cli_progress_end(c);
    return st;
}

nth_status cli_read_data(cli *c, nth_data **data, const char *spec)
{
    nth_status        st = NTH_OK;
    nth_data_options  opt = { 0 };
    const nth_config *cfg = c->cfg;
    char              number[24];
    const struct {
        const char *key, *value;
    } words[] = { { "pixels", cfg->pixels },
                  { "centre", cfg->centre },
                  { "unit-norm", cfg->unit_norm },
                  { "bias", cfg->bias } };
    for (size_t i = 0; i < sizeof words / sizeof *words; ++i)
        if (words[i].value != NULL) CLI_TRY(nth_data_options_set(&opt, words[i].key, words[i].value));
    if (nth_config_given(cfg, "project")) {
        snprintf(number, sizeof number, "%lld", (long long)cfg->project);
        CLI_TRY(nth_data_options_set(&opt, "project", number));
    }
    opt.project_seed = nth_config_given(cfg, "project-seed") ? cfg->project_seed : cfg->seed;
    cli_progress_call(c, "reading the data");
    st = nth_data_load(data, spec, &opt);
    cli_progress_end(c);
done:
    return st;
}

nth_status cli_load_data(cli *c, nth_data **data, const char *spec)
{
    nth_status st = NTH_OK;
    CLI_TRY(cli_read_data(c, data, spec));
    snprintf(c->data_checksum, sizeof c->data_checksum, "%016" PRIx64, nth_data_checksum(*data));
    if (c->data_expected[0] == '\0' || strcmp(c->data_checksum, c->data_expected) == 0) return st;
    st = cli_fail(c, NTH_E_FORMAT, "%s: other data than those recorded: checksum %s, not %s", spec, c->data_checksum, c->data_expected);
    nth_data_destroy(data);
done:
    return st;
}

void cli_tell_absent_classes(const cli *c, const nth_data *d, const char *spec)
{
    char      names[256] = "";
    size_t    used = 0;
    ptrdiff_t absent = 0;
    for (ptrdiff_t k = 0; k < d->classes; ++k) {
        bool there = false;
        for (ptrdiff_t i = 0; i < d->y.rows && !there; ++i)
            there = d->y.cols == 1 ? d->y.a[i * d->y.ld] == (k == 0 ? 1.0 : -1.0) : d->y.a[i * d->y.ld + k] == 1.0;
        if (there) continue;
        if (absent++ > 0 && used < sizeof names) used += (size_t)snprintf(names + used, sizeof names - used, ", ");
        if (used < sizeof names) used += (size_t)snprintf(names + used, sizeof names - used, "%s", d->labels[k]);
    }
    if (absent == 0 || d->classes - absent < 2) return; /* one class alone is refused by all that needs two */
    if (used >= sizeof names) memcpy(names + sizeof names - 4, "...", 4);
    fprintf(stderr, "nth %s: %s: %td of %td classes %s no training input: %s\n", nth_command_name(c->cfg->command), spec, absent, d->classes,
            absent == 1 ? "has" : "have", names);
}

static volatile sig_atomic_t interrupted;

static void on_signal(int signal_number)
{
    (void)signal_number;
    interrupted = 1;
}

void cli_catch_interrupts(void)
{
    /* The second one kills; reads and writes under way are not disturbed by the first. */
    struct sigaction act = { .sa_handler = on_signal, .sa_flags = (int)SA_RESETHAND | SA_RESTART };
    (void)sigemptyset(&act.sa_mask);
    (void)sigaction(SIGINT, &act, NULL);
    (void)sigaction(SIGTERM, &act, NULL);
    (void)signal(SIGXFSZ, SIG_IGN); /* a file-size limit becomes an error message */
}

bool cli_interrupted(void) { return interrupted != 0; }
