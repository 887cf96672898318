/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * nth report FILE.h5 .. --out DIR: a page of plots and tables from result files (docs/report.md). Only the files are read.
 *
 * A file that cannot be opened, is none of ours, or is damaged, is told of on the page and counts as a failed check; if no file
 * can be shown, nothing is written and the command fails.
 */
#include "commands.h"
#include "report.h"

#include <stdlib.h>
#include <string.h>

static nth_status section(report *r, source *s)
{
    static nth_status (*const of_kind[])(report *, source *) = {
        [KIND_NET] = report_net,           [KIND_DATA] = report_data,           [KIND_KERNEL] = report_kernel,
        [KIND_LABEL] = report_kernel,      [KIND_HIERARCHY] = report_kernel,    [KIND_DENSE] = report_dense,
        [KIND_KHAT] = report_khat,         [KIND_FLOW] = report_flow,           [KIND_OPTIMIZER] = report_optimizer,
        [KIND_REGRESS] = report_regress,   [KIND_REGRESS_FLOW] = report_regress_flow, [KIND_LANTK] = report_lantk,
        [KIND_SWEEP] = report_sweep,       [KIND_DRIFT] = report_drift,         [KIND_EXPONENTS] = report_exponents,
        [KIND_CLAIM] = report_claim,       [KIND_ELASTICITY] = report_elasticity, [KIND_RR] = report_elasticity,
        [KIND_KARE] = report_kare,
        [KIND_OTHER] = report_other,
    };
    nth_status st = NTH_OK;
    char      *command = s->file != NULL ? source_attribute(s, "/", "command_line") : NULL;
    fprintf(r->body, "<section id=\"file-%d\">\n", r->section);
    if (s->file == NULL) {
        report_heading(r, 2, "%d. %s", r->section, s->base);
        report_warn(r, "%s", s->problem);
        goto done;
    }
    report_heading(r, 2, "%d. %s: %s", r->section, s->base, report_kind_name(s->kind));
    if (command != NULL) report_say(r, "%s", command);
    for (char *line = s->note; *line != '\0';) {
        const size_t n = strcspn(line, "\n");
        report_warn(r, "%.*s", (int)n, line);
        line += n + (line[n] != '\0');
    }
    CLI_TRY(of_kind[s->kind](r, s));
    CLI_TRY(report_inventory(r, s));
    CLI_TRY(report_provenance(r, s));
done:
    free(command);
    fputs("</section>\n", r->body);
    return st;
}

/* Links to the sections, what each file is, and what is amiss. */
static char *contents(const source *s, ptrdiff_t count)
{
    char  *text = NULL;
    size_t size;
    FILE  *f = open_memstream(&text, &size);
    if (f == NULL) return NULL;
    fputs("<nav><ul>\n", f);
    for (ptrdiff_t i = 0; i < count; ++i) {
        fprintf(f, "<li><a href=\"#file-%td\">", i + 1);
        report_escape(f, s[i].path);
        fputs("</a>: ", f);
        report_escape(f, s[i].file != NULL ? report_kind_name(s[i].kind) : s[i].problem);
        if (s[i].note[0] != '\0') fputs("; ", f), report_escape(f, s[i].note);
        fputs("</li>\n", f);
    }
    fputs("</ul></nav>\n", f);
    if (fclose(f) == 0) return text;
    free(text);
    return NULL;
}

static nth_status write_page(report *r, const source *s, ptrdiff_t count)
{
    nth_status  st = NTH_OK;
    char        title[256] = "nth report:";
    const char *given = r->c->cfg->title;
    char       *toc = contents(s, count);
    if (toc == NULL) CLI_TRY(cli_fail(r->c, NTH_E_NOMEM, "out of memory"));
    for (ptrdiff_t i = 0; given == NULL && i < count && strlen(title) < 150; ++i)
        snprintf(title + strlen(title), sizeof title - strlen(title), "%s %.80s", i > 0 ? "," : "", s[i].base);
    st = report_page(r, given != NULL ? given : title, toc);
done:
    free(toc);
    return st;
}

/* What was made, and of which file. */
static void say(const report *r, const source *s, ptrdiff_t count)
{
    static const char *const gnuplot[] = { "not asked for", "made PDF and PNG of each plot", "not found: its scripts are there, PDF and PNG are not",
                                           "failed: its scripts are there" };
    cli                     *c = r->c;
    nth_json                *files = nth_json_array();
    for (ptrdiff_t i = 0; i < count; ++i) {
        nth_json *o = nth_json_object();
        cli_say(c, "%s: %s\n", s[i].path, s[i].file != NULL ? report_kind_name(s[i].kind) : s[i].problem);
        nth_json_set_string(o, "file", s[i].path);
        if (s[i].file != NULL) nth_json_set_string(o, "kind", report_kind_name(s[i].kind));
        else nth_json_set_string(o, "problem", s[i].problem);
        for (const char *line = s[i].note; *line != '\0';) {
            const size_t n = strcspn(line, "\n");
            cli_say(c, "  %.*s\n", (int)n, line);
            line += n + (line[n] != '\0');
        }
        if (s[i].note[0] != '\0') nth_json_set_string(o, "note", s[i].note);
        nth_json_append(files, o);
    }
    cli_say(c, "gnuplot: %s\nwritten to %s: index.html, %d plots, %d tables\n", gnuplot[r->gnuplot], r->dir, r->plots, r->tables);
    if (c->json == NULL) {
        nth_json_destroy(&files);
        return;
    }
    nth_json_set(c->json, "files", files);
    nth_json_set_string(c->json, "out", r->dir);
    nth_json_set_int(c->json, "plots", r->plots);
    nth_json_set_int(c->json, "tables", r->tables);
    nth_json_set_string(c->json, "gnuplot", gnuplot[r->gnuplot]);
}

static nth_status open_all(report *r, source *s, ptrdiff_t count)
{
    nth_status st = NTH_OK;
    ptrdiff_t  shown = 0;
    for (ptrdiff_t i = 0; i < count; ++i) {
        CLI_TRY(source_open(r, &s[i], r->c->cfg->files.v[i]));
        shown += s[i].file != NULL;
    }
    if (shown == 0) st = cli_fail(r->c, NTH_E_FORMAT, "%s%s", s[0].problem, count > 1 ? "; nor can any other file be shown" : "");
    r->c->failed_checks += (long)(count - shown);
done:
    return st;
}

nth_status cmd_report(cli *c)
{
    nth_status      st = NTH_OK;
    const ptrdiff_t count = c->cfg->files.n;
    source         *s = calloc((size_t)(count > 0 ? count : 1), sizeof *s);
    report          r = { .c = c, .dir = c->cfg->folder, .gnuplot = strcmp(c->cfg->gnuplot, "no") == 0 ? GNUPLOT_OFF : GNUPLOT_RUNS };
    if (s == NULL) return cli_fail(c, NTH_E_NOMEM, "out of memory");
    CLI_TRY(open_all(&r, s, count));
    r.body = open_memstream(&r.body_text, &r.body_size);
    if (r.body == NULL) CLI_TRY(cli_fail(c, NTH_E_NOMEM, "out of memory"));
    CLI_TRY(report_folder_open(&r));
    cli_progress_begin(c, "files", count);
    if (count > 1) CLI_TRY(report_compare(&r, s, count));
    for (ptrdiff_t i = 0; i < count; ++i) {
        r.section = (int)i + 1;
        CLI_TRY(section(&r, &s[i]));
        c->failed_checks += s[i].damages > 0;
        cli_progress_update(c, i + 1);
    }
    CLI_TRY(write_page(&r, s, count));
    cli_progress_end(c);
    say(&r, s, count);
done:
    cli_progress_end(c);
    report_folder_close(&r);
    for (ptrdiff_t i = 0; i < count; ++i) source_close(&s[i]);
    free(s);
    return st;
}
