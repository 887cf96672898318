/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * The progress line on standard error: done of total, elapsed, rate, estimate of what remains. On a
 * terminal one line is rewritten ten times a second; elsewhere a plain line every five seconds. A thread
 * beside the work shows the line also while no count moves: work that is one call of the library has none.
 */
#include "cli.h"

#include <stdio.h>
#include <threads.h>
#include <unistd.h>

/* Of the thread; one at a time. The lock also guards cli.progress while it runs. */
static struct {
    thrd_t thread;
    mtx_t  lock;
    cnd_t  wake;
    bool   runs, ends;
} beside;

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
    fprintf(stderr, "%snth %s: ", p->terminal ? "\r\033[K" : "", nth_command_name(c->cfg->command));
    if (p->total > 0) fprintf(stderr, "%td of %td ", p->done, p->total);
    fprintf(stderr, "%s, %s", p->what, span(elapsed, sizeof elapsed, t));
    if (p->done > p->had && p->done < p->total)
        fprintf(stderr, ", %.3g a second, about %s left", (double)(p->done - p->had) / t,
                span(left, sizeof left, t * (double)(p->total - p->done) / (double)(p->done - p->had)));
    if (!p->terminal) fputc('\n', stderr);
    fflush(stderr);
    p->open = p->terminal;
}

static double every(const cli_progress *p) { return p->terminal ? 0.1 : 5.0; }

static int tell(void *ctx)
{
    cli            *c = ctx;
    cli_progress   *p = &c->progress;
    struct timespec until;
    (void)mtx_lock(&beside.lock);
    while (!beside.ends) {
        (void)timespec_get(&until, TIME_UTC);
        const double wake = (double)until.tv_nsec * 1e-9 + every(p);
        until.tv_sec += (time_t)wake;
        until.tv_nsec = (long)((wake - (double)(time_t)wake) * 1e9);
        (void)cnd_timedwait(&beside.wake, &beside.lock, &until);
        if (!beside.ends && since(&p->start) >= (p->terminal ? 1.0 : 5.0) && since(&p->shown) >= every(p)) show(c);
    }
    (void)mtx_unlock(&beside.lock);
    return 0;
}

static void stop_telling(void)
{
    if (!beside.runs) return;
    (void)mtx_lock(&beside.lock);
    beside.ends = true;
    (void)cnd_signal(&beside.wake);
    (void)mtx_unlock(&beside.lock);
    (void)thrd_join(beside.thread, NULL);
    cnd_destroy(&beside.wake);
    mtx_destroy(&beside.lock);
    beside.runs = false;
}

void cli_progress_begin(cli *c, const char *what, ptrdiff_t total)
{
    cli_progress *p = &c->progress;
    cli_progress_end(c);
    *p = (cli_progress){ .what = what, .total = total, .on = !c->cfg->quiet };
    p->terminal = isatty(STDERR_FILENO) == 1;
    (void)clock_gettime(CLOCK_MONOTONIC, &p->start);
    p->shown = p->start;
    if (!p->on || mtx_init(&beside.lock, mtx_plain) != thrd_success) return;
    (void)cnd_init(&beside.wake);
    beside.ends = false;
    beside.runs = thrd_create(&beside.thread, tell, c) == thrd_success;
}

void cli_progress_update(cli *c, ptrdiff_t done)
{
    cli_progress *p = &c->progress;
    if (beside.runs) (void)mtx_lock(&beside.lock);
    p->done = done;
    if (p->on && since(&p->shown) >= every(p)) show(c);
    if (beside.runs) (void)mtx_unlock(&beside.lock);
}

void cli_progress_call(cli *c, const char *what) { cli_progress_begin(c, what, 0); }

void cli_progress_end(cli *c)
{
    cli_progress *p = &c->progress;
    stop_telling();
    if (p->open) fputs("\r\033[K", stderr);
    p->on = p->open = false;
}
