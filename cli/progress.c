/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * The progress line on standard error: done of total, elapsed, estimate of what remains. On a
 * terminal one line is rewritten ten times a second; elsewhere a plain line every five seconds.
 */
#include "cli.h"

#include <stdio.h>
#include <unistd.h>

static double since(const struct timespec *then)
{
    struct timespec now;
    (void)clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)(now.tv_sec - then->tv_sec) + 1e-9 * (double)(now.tv_nsec - then->tv_nsec);
}

/* "4.2 s", "3 min 20 s", "2 h 05 min". */
static const char *span(char *out, size_t size, double s)
{
    const long t = (long)s;
    if (s < 60.0) snprintf(out, size, "%.1f s", s);
    else if (t < 3600) snprintf(out, size, "%ld min %02ld s", t / 60, t % 60);
    else snprintf(out, size, "%ld h %02ld min", t / 3600, t / 60 % 60);
    return out;
}

static void show(cli *c)
{
    cli_progress *p = &c->progress;
    char          elapsed[32], left[32];
    const double  t = since(&p->start);
    (void)clock_gettime(CLOCK_MONOTONIC, &p->shown);
    fprintf(stderr, "%snth %s: %td of %td %s, %s", p->terminal ? "\r\033[K" : "", nth_command_name(c->cfg->command),
            p->done, p->total, p->what, span(elapsed, sizeof elapsed, t));
    if (p->done > p->had && p->done < p->total)
        fprintf(stderr, ", about %s left",
                span(left, sizeof left, t * (double)(p->total - p->done) / (double)(p->done - p->had)));
    if (!p->terminal) fputc('\n', stderr);
    fflush(stderr);
    p->open = p->terminal;
}

void cli_progress_begin(cli *c, const char *what, ptrdiff_t total)
{
    cli_progress *p = &c->progress;
    *p = (cli_progress){ .what = what, .total = total, .on = !c->cfg->quiet };
    p->terminal = isatty(STDERR_FILENO) == 1;
    (void)clock_gettime(CLOCK_MONOTONIC, &p->start);
    p->shown = p->start;
}

void cli_progress_update(cli *c, ptrdiff_t done)
{
    cli_progress *p = &c->progress;
    p->done = done;
    if (p->on && since(&p->shown) >= (p->terminal ? 0.1 : 5.0)) show(c);
}

void cli_progress_end(cli *c)
{
    cli_progress *p = &c->progress;
    if (p->open) fputs("\r\033[K", stderr);
    p->on = p->open = false;
}
