/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * The page of a report (report.h): one file, no scripts, nothing fetched. Its body is put together in memory, so
 * that the head can count what follows.
 */
#include "report.h"

#include <errno.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

/* Length of the well-formed UTF-8 sequence at s that XML allows, else 0. */
static size_t utf8(const unsigned char *s)
{
    const size_t n = s[0] < 0x80 ? 1 : s[0] >= 0xc2 && s[0] < 0xe0 ? 2 : s[0] >= 0xe0 && s[0] < 0xf0 ? 3 : s[0] >= 0xf0 && s[0] < 0xf5 ? 4 : 0;
    if (n == 1 && (s[0] < 0x20 || s[0] == 0x7f)) return 0;
    for (size_t i = 1; i < n; ++i)
        if ((s[i] & 0xc0) != 0x80) return 0;
    if ((s[0] == 0xe0 && s[1] < 0xa0) || (s[0] == 0xed && s[1] > 0x9f)) return 0;
    if ((s[0] == 0xf0 && s[1] < 0x90) || (s[0] == 0xf4 && s[1] > 0x8f)) return 0;
    if (s[0] == 0xef && s[1] == 0xbf && s[2] >= 0xbe) return 0;
    return n;
}

void report_escape(FILE *f, const char *text)
{
    for (const unsigned char *s = (const unsigned char *)text; *s != '\0';) {
        const size_t n = utf8(s);
        if (*s == '&') fputs("&amp;", f);
        else if (*s == '<') fputs("&lt;", f);
        else if (*s == '>') fputs("&gt;", f);
        else if (*s == '"') fputs("&quot;", f);
        else if (*s == '\'') fputs("&#39;", f);
        else if (*s == '\n' || *s == '\t') fputc(*s, f);
        else if (n == 0) fputs("\xef\xbf\xbd", f);
        else fwrite(s, 1, n, f);
        s += n > 0 ? n : 1;
    }
}

static void put(report *r, const char *open, const char *close, const char *fmt, va_list ap)
{
    char text[4096];
    vsnprintf(text, sizeof text, fmt, ap);
    fputs(open, r->body);
    report_escape(r->body, text);
    fputs(close, r->body);
}

void report_say(report *r, const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    put(r, "<p>", "</p>\n", fmt, ap);
    va_end(ap);
}

void report_warn(report *r, const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    put(r, "<p class=\"warn\">", "</p>\n", fmt, ap);
    va_end(ap);
}

void report_heading(report *r, int level, const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    put(r, level == 2 ? "<h2>" : "<h3>", level == 2 ? "</h2>\n" : "</h3>\n", fmt, ap);
    va_end(ap);
}

void report_fold(report *r, const char *heading)
{
    fputs("<details><summary>", r->body);
    report_escape(r->body, heading);
    fputs("</summary>\n", r->body);
}

void report_unfold(report *r) { fputs("</details>\n", r->body); }
void report_grid(report *r) { fputs("<div class=\"grid\">\n", r->body); }
void report_grid_end(report *r) { fputs("</div>\n", r->body); }

nth_status report_table(report *r, cli_table **t, const char *slug)
{
    static const char *const ending[] = { "md", "csv", "tex" };
    nth_status               st = NTH_OK;
    char                     name[128], file[160];
    FILE                    *f = NULL;
    CLI_TRY(cli_table_check(r->c, *t));
    if (cli_table_rows(*t) == 0) goto done;
    report_slug(r, name, sizeof name, slug);
    for (int i = 0; i < 3; ++i) {
        snprintf(file, sizeof file, "%s.%s", name, ending[i]);
        CLI_TRY(report_create(r, &f, file));
        cli_table_print(f, *t, file);
        CLI_TRY(report_close_file(r, &f, file));
    }
    fputs("<div class=\"table\">", r->body);
    cli_table_html(r->body, *t, report_escape);
    fputs("</div>\n<p class=\"files\">", r->body);
    for (int i = 0; i < 3; ++i) fprintf(r->body, "<a href=\"%s.%s\">%s</a> ", name, ending[i], ending[i]);
    fputs("</p>\n", r->body);
    ++r->tables;
done:
    if (f != NULL) fclose(f);
    cli_table_destroy(t);
    return st;
}

static const char PAGE_STYLE[] =
    ":root{color-scheme:light dark}\n"
    "body{margin:0;background:var(--bg);color:var(--ink);font:16px/1.5 system-ui,sans-serif}\n"
    "main{max-width:1200px;margin:0 auto;padding:16px}\n"
    "h1{font-size:1.7rem;margin:.4em 0}h2{font-size:1.3rem;margin:2em 0 .3em;padding-top:.6em;border-top:2px solid var(--rule);overflow-wrap:anywhere}\n"
    "h3{font-size:1.05rem;margin:1.6em 0 .4em;overflow-wrap:anywhere}p{margin:.5em 0;overflow-wrap:anywhere;max-width:75ch}\n"
    "a{color:var(--link)}nav ul{padding-left:1.2em;margin:.3em 0}nav li{overflow-wrap:anywhere}\n"
    ".warn{border-left:4px solid var(--c1);padding:.3em .8em;background:var(--card)}\n"
    ".grid{display:grid;grid-template-columns:repeat(auto-fill,minmax(min(100%,360px),1fr));gap:16px;margin:12px 0}\n"
    "figure{margin:0;padding:8px;background:var(--card);border:1px solid var(--rule);border-radius:6px;min-width:0}\n"
    "figure svg{display:block;width:100%;height:auto;max-width:560px;margin:0 auto}\n"
    "figcaption,.files{font-size:.85rem;color:var(--soft);margin:.2em 0 0}\n"
    ".table{overflow-x:auto;margin:12px 0 2px}table{border-collapse:collapse;font-size:.9rem;font-variant-numeric:tabular-nums}\n"
    "caption{text-align:left;color:var(--soft);padding:2px 0 6px}th,td{padding:4px 10px;border-bottom:1px solid var(--rule);text-align:right;"
    "white-space:nowrap}\n"
    ".word,.good,.bad{text-align:left}thead th{border-bottom:2px solid var(--soft)}\n"
    "td.long{white-space:normal;overflow-wrap:anywhere;min-width:16em;text-align:left;font-family:ui-monospace,monospace;font-size:.85em}\n"
    "td.bad{color:var(--c1);font-weight:600}td.good{color:var(--c2)}\n"
    "details{margin:10px 0}summary{cursor:pointer;color:var(--link)}\n";

nth_status report_page(report *r, const char *title, const char *toc)
{
    nth_status st = NTH_OK;
    FILE      *f = NULL;
    if (fflush(r->body) != 0 || ferror(r->body)) return cli_fail(r->c, NTH_E_NOMEM, "out of memory for the page");
    CLI_TRY(report_create(r, &f, "index.html"));
    fputs("<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\" />\n"
          "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\" />\n<meta name=\"generator\" content=\"nth report\" />\n<title>", f);
    report_escape(f, title);
    fputs("</title>\n<style>\n", f);
    report_svg_style(f);
    fputs(PAGE_STYLE, f);
    fputs("</style>\n</head>\n<body>\n<main>\n<h1>", f);
    report_escape(f, title);
    fputs("</h1>\n", f);
    fputs(toc, f);
    fwrite(r->body_text, 1, r->body_size, f);
    fputs("</main>\n</body>\n</html>\n", f);
    CLI_TRY(report_close_file(r, &f, "index.html"));
done:
    if (f != NULL) fclose(f);
    return st;
}
