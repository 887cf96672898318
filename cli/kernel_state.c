/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * The state of a long run on disk (kernel_state.h): a result file of its own, renamed when it is whole.
 */
#include "kernel_state.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* A state is saved no oftener, and so that saving takes no more than a twentieth of the time. */
static const double SECONDS_BETWEEN = 60.0, TIMES_ITS_COST = 20.0;

static double since(struct timespec then)
{
    struct timespec now;
    (void)clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)(now.tv_sec - then.tv_sec) + 1e-9 * (double)(now.tv_nsec - then.tv_nsec);
}

nth_status cli_state_matrix(nth_file *file, const char *path, nth_mat A, bool write)
{
    nth_status st = NTH_OK;
    if (write) CLI_TRY(nth_file_make_matrix(file, path, A.rows, A.cols));
    CLI_TRY(write ? nth_file_write_part(file, path, 0, 0, nth_const(A)) : nth_file_read_part(file, path, 0, 0, A));
done:
    return st;
}

/* The same command on the same data, or the state is not for this run. */
static nth_status check_origin(cli_state *s, nth_file *f, const char *sum)
{
    nth_status     st = NTH_OK;
    nth_provenance prov;
    char           had[24], *config = NULL;
    CLI_TRY(cli_provenance(s->c, &prov));
    const size_t size = strlen(prov.config) + 2;
    config = malloc(size);
    if (config == NULL) CLI_TRY(cli_fail(s->c, NTH_E_NOMEM, "out of memory"));
    if (nth_file_get_string(f, "/", "config", config, size) != NTH_OK || strcmp(config, prov.config) != 0)
        CLI_TRY(cli_fail(s->c, NTH_E_FORMAT, "%s was begun with other options; remove it or choose another --out", s->path));
    CLI_TRY(nth_file_get_string(f, "/", "data_checksum", had, sizeof had));
    if (strcmp(sum, had) != 0)
        CLI_TRY(cli_fail(s->c, NTH_E_FORMAT, "%s was begun with other data (checksum %s, now %s); remove it or choose another --out",
                         s->path, had, sum));
done:
    free(config);
    return st;
}

nth_status cli_state_begin(cli_state *s, cli *c, const cli_problem *p, cli_state_content *content, void *ctx, ptrdiff_t *batches)
{
    nth_status st = NTH_OK;
    nth_file  *f = NULL;
    char       sum[24];
    double     count;
    *s = (cli_state){ .c = c, .p = p, .content = content, .ctx = ctx };
    *batches = 0;
    (void)clock_gettime(CLOCK_MONOTONIC, &s->saved);
    if (snprintf(s->path, sizeof s->path, "%s.state", c->cfg->out) >= (int)sizeof s->path)
        return cli_fail(c, NTH_E_ARG, "--out is too long");
    if (access(s->path, F_OK) != 0) return NTH_OK;
    snprintf(sum, sizeof sum, "%016" PRIx64, nth_data_checksum(p->data));
    CLI_TRY(nth_file_open(&f, s->path));
    CLI_TRY(check_origin(s, f, sum));
    CLI_TRY(nth_file_get_double(f, "/", "batches", &count));
    if (!(count >= 1.0 && count <= 1e12 && count == floor(count)))
        CLI_TRY(cli_fail(c, NTH_E_FORMAT, "%s: batches is %g, a count is expected", s->path, count));
    CLI_TRY(content(ctx, f, false));
    *batches = s->kept = (ptrdiff_t)count;
done:
    nth_file_close(&f);
    return st;
}

nth_status cli_state_keep(cli_state *s, ptrdiff_t batches, bool now)
{
    nth_status     st = NTH_OK;
    nth_file      *f = NULL;
    nth_provenance prov;
    char           sum[24];
    const double   passed = since(s->saved);
    if (batches == s->kept || (!now && (passed < SECONDS_BETWEEN || passed < TIMES_ITS_COST * s->cost))) return NTH_OK;
    (void)clock_gettime(CLOCK_MONOTONIC, &s->saved);
    snprintf(sum, sizeof sum, "%016" PRIx64, nth_data_checksum(s->p->data));
    CLI_TRY(cli_provenance(s->c, &prov));
    CLI_TRY(nth_file_create(&f, s->path, &prov));
    CLI_TRY(nth_file_set_string(f, "/", "data_checksum", sum));
    CLI_TRY(nth_file_set_double(f, "/", "batches", (double)batches));
    CLI_TRY(s->content(s->ctx, f, true));
    CLI_TRY(nth_file_commit(&f));
    s->kept = batches;
    s->cost = since(s->saved);
    (void)clock_gettime(CLOCK_MONOTONIC, &s->saved);
done:
    nth_file_close(&f);
    return st;
}

void cli_state_end(cli_state *s)
{
    if (s->kept > 0) (void)remove(s->path);
}
