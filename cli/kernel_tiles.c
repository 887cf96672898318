/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Kernels larger than memory (kernel_tiles.h). /tiles_done holds the number of tiles in the file and
 * the largest entries so far: tiles come in one order, so the number says where to go on.
 */
#include "kernel_tiles.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

static const double FLUSH_SECONDS = 5.0; /* a killed run loses no more, or one tile */

/* A block of the file and the points it covers. */
typedef struct part {
    const char *name;
    ptrdiff_t   row, col, rows, cols;
    double      largest;
} part;

typedef struct run {
    cli                *c;
    const nth_infinite *K;
    nth_file           *file;
    part                parts[3];
    bool                covariance, resumed;
    double             *tile, *turned; /* (edge x edge) */
    ptrdiff_t           edge, done, skip, total;
    time_t              flushed;
} run;

static ptrdiff_t blocks_of(ptrdiff_t n, ptrdiff_t edge) { return (n + edge - 1) / edge; }

static ptrdiff_t tiles_of(const part *p, ptrdiff_t edge)
{
    const ptrdiff_t r = blocks_of(p->rows, edge), c = blocks_of(p->cols, edge);
    return p->row == p->col ? r * (r + 1) / 2 : r * c;
}

static nth_status disk_check(cli *c, const part *parts, int count)
{
    double bytes = 0.0;
    for (int i = 0; i < count; ++i) bytes += 8.0 * (double)parts[i].rows * (double)parts[i].cols;
    return cli_disk_check(c, bytes);
}

static nth_status keep(run *r, bool now)
{
    nth_status   st = NTH_OK;
    const double state[4] = { (double)r->done, r->parts[0].largest, r->parts[1].largest, r->parts[2].largest };
    if (!now && difftime(time(NULL), r->flushed) < FLUSH_SECONDS) return st;
    CLI_TRY(nth_file_flush(r->file)); /* the tiles first, then their number */
    CLI_TRY(nth_file_write_part(r->file, "/tiles_done", 0, 0, nth_cmat_of(state, 1, 4)));
    CLI_TRY(nth_file_flush(r->file));
    r->flushed = time(NULL);
done:
    return st;
}

static nth_status one_tile(run *r, part *p, ptrdiff_t i, ptrdiff_t j)
{
    nth_status      st = NTH_OK;
    const ptrdiff_t rows = p->rows - i < r->edge ? p->rows - i : r->edge;
    const ptrdiff_t cols = p->cols - j < r->edge ? p->cols - j : r->edge;
    const nth_mat   T = nth_mat_of(r->tile, rows, cols), none = { 0 };
    CLI_TRY(nth_infinite_tile(r->covariance ? none : T, r->covariance ? T : none, r->K, p->row + i, p->col + j));
    CLI_TRY(nth_file_write_part(r->file, p->name, i, j, nth_const(T)));
    p->largest = fmax(p->largest, cli_max_abs(r->tile, rows * cols));
    if (p->row == p->col && i != j) {
        for (ptrdiff_t a = 0; a < rows; ++a)
            for (ptrdiff_t b = 0; b < cols; ++b) r->turned[b * rows + a] = r->tile[a * cols + b];
        CLI_TRY(nth_file_write_part(r->file, p->name, j, i, nth_cmat_of(r->turned, cols, rows)));
    }
done:
    return st;
}

static nth_status interrupt(run *r)
{
    nth_status st = NTH_OK;
    if (r->done == 0) return NTH_E_INTERRUPTED; /* nothing to go on from */
    CLI_TRY(keep(r, true));
    st = cli_fail(r->c, NTH_E_INTERRUPTED, "interrupted; the same command goes on after %td of %td tiles (%s.partial)",
                  r->done, r->total, r->c->cfg->out);
done:
    return st;
}

static nth_status one_part(run *r, part *p)
{
    nth_status st = NTH_OK;
    for (ptrdiff_t i = 0; i < p->rows; i += r->edge)
        for (ptrdiff_t j = 0; j < (p->row == p->col ? i + 1 : p->cols); j += r->edge) {
            if (r->skip > 0) {
                --r->skip;
                continue;
            }
            if (cli_interrupted()) CLI_TRY(interrupt(r));
            CLI_TRY(one_tile(r, p, i, j));
            ++r->done;
            CLI_TRY(keep(r, false));
            cli_progress_update(r->c, r->done);
        }
done:
    return st;
}

/* Creates or continues the file; the data must be those it was begun with. */
static nth_status open_file(run *r, const cli_problem *p, int count)
{
    nth_status st = NTH_OK;
    char       sum[24], had[24];
    double     state[4], edge;
    snprintf(sum, sizeof sum, "%016" PRIx64, nth_data_checksum(p->data));
    CLI_TRY(cli_resume(r->c, &r->file, &r->resumed));
    if (r->resumed && nth_file_has(r->file, "/tiles_done")) {
        CLI_TRY(nth_file_get_string(r->file, "/", "data_checksum", had, sizeof had));
        if (strcmp(sum, had) != 0)
            CLI_TRY(cli_fail(r->c, NTH_E_FORMAT, "%s.partial was begun with other data (checksum %s, now %s); remove it or choose another --out",
                             r->c->cfg->out, had, sum));
        CLI_TRY(nth_file_get_double(r->file, "/", "tile_edge", &edge));
        if (edge != (double)r->edge)
            CLI_TRY(cli_fail(r->c, NTH_E_FORMAT, "%s.partial was begun by a build with tiles of %g points, not %td; remove it or choose another --out",
                             r->c->cfg->out, edge, r->edge));
        CLI_TRY(nth_file_read(r->file, "/tiles_done", state, 4));
        if (!(state[0] >= 0.0 && state[0] <= (double)r->total))
            CLI_TRY(cli_fail(r->c, NTH_E_FORMAT, "%s.partial: /tiles_done is %g, 0 to %td are expected", r->c->cfg->out,
                             state[0], r->total));
        r->skip = r->done = (ptrdiff_t)state[0];
        for (int i = 0; i < 3; ++i) r->parts[i].largest = state[1 + i];
        return st;
    }
    CLI_TRY(nth_file_set_string(r->file, "/", "data_checksum", sum));
    CLI_TRY(nth_file_set_double(r->file, "/", "tile_edge", (double)r->edge));
    for (int i = 0; i < count; ++i) CLI_TRY(nth_file_make_matrix(r->file, r->parts[i].name, r->parts[i].rows, r->parts[i].cols));
    CLI_TRY(nth_file_make_matrix(r->file, "/tiles_done", 1, 4));
    CLI_TRY(keep(r, true));
done:
    return st;
}

/* /K_test_diag: what a normaliser needs of the test inputs, also without their block. */
static nth_status write_diagonal(run *r, const cli_problem *p)
{
    nth_status st = NTH_OK;
    double    *D = NULL;
    if (p->k == 0) return NTH_OK;
    CLI_TRY(cli_doubles(r->c, &D, (double)(p->n + p->k), "diagonal"));
    CLI_TRY(nth_infinite_diagonal(r->covariance ? NULL : D, r->covariance ? D : NULL, r->K));
    CLI_TRY(nth_file_write(r->file, "/K_test_diag", D + p->n, 1, &p->k));
done:
    free(D);
    return st;
}

nth_status cli_kernel_tiles(cli *c, const nth_infinite *K, const cli_problem *p, bool covariance, bool corner)
{
    nth_status st = NTH_OK;
    const int  count = p->k == 0 ? 1 : corner ? 3 : 2;
    run        r = { .c = c, .K = K, .covariance = covariance, .edge = nth_infinite_tile_size(K), .flushed = time(NULL),
                     .parts = { { "/K", 0, 0, p->n, p->n, 0.0 },
                                { "/K_test", p->n, 0, p->k, p->n, 0.0 },
                                { "/K_test_test", p->n, p->n, p->k, p->k, 0.0 } } };
    for (int i = 0; i < count; ++i) r.total += tiles_of(&r.parts[i], r.edge);
    CLI_TRY(disk_check(c, r.parts, count));
    CLI_TRY(cli_doubles(c, &r.tile, (double)r.edge * (double)r.edge, "tile"));
    CLI_TRY(cli_doubles(c, &r.turned, (double)r.edge * (double)r.edge, "tile"));
    CLI_TRY(open_file(&r, p, count));
    cli_progress_begin(c, "tiles", r.total);
    c->progress.had = r.done;
    for (int i = 0; i < count; ++i) CLI_TRY(one_part(&r, &r.parts[i]));
    CLI_TRY(keep(&r, true));
    for (int i = 0; i < count; ++i)
        cli_report_shape(c, r.parts[i].name, 2, (ptrdiff_t[]){ r.parts[i].rows, r.parts[i].cols }, r.parts[i].largest);
    CLI_TRY(write_diagonal(&r, p));
    CLI_TRY(nth_file_set_double(r.file, "/", "dual_error", nth_infinite_error(K)));
    CLI_TRY(nth_file_commit(&r.file));
done:
    cli_progress_end(c);
    if (r.done == 0 && !r.resumed) cli_discard(c, &r.file); /* nothing of worth is in it */
    nth_file_close(&r.file);
    free(r.tile);
    free(r.turned);
    return st;
}
