/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Files in parts: matrices written and read piece by piece, ranges of arrays of any rank.
 */
#include "nth_test.h"
#include "h5_foreign.h"
#include "nth/file.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static char folder[] = "nth_test_parts_XXXXXX";
static char path[64], partial[80], foreign[64];

static const nth_provenance prov = { "nth test --seed 7", "{\"command\": \"test\"}", 18446744073709551615u, 3 };

static void start(void)
{
    (void)remove(path);
    (void)remove(partial);
}

enum { ROWS = 7, COLS = 5 };

/* Parts of any place and shape, from strided memory, in any order, over each other: a copy in memory
 * has the same history. */
static void parts_of_matrices(void)
{
    static const int at[][4] = { { 4, 2, 3, 3 }, { 0, 0, 2, 5 }, { 6, 4, 1, 1 }, { 1, 1, 5, 2 }, { 0, 4, 7, 1 }, { 2, 0, 1, 5 } };
    enum { LD = 9 };
    double    mine[ROWS * COLS] = { 0 }, from[ROWS * LD], all[ROWS * COLS], to[ROWS * LD];
    nth_file *f = NULL;
    start();
    if (!NTH_CHECK_OK(nth_file_create(&f, path, &prov))) return;
    NTH_CHECK_OK(nth_file_make_matrix(f, "/deep/down/K", ROWS, COLS));
    NTH_CHECK_OK(nth_file_read(f, "/deep/down/K", all, ROWS * COLS));
    NTH_CHECK(memcmp(all, mine, sizeof all) == 0); /* zero before it is written */
    for (int t = 0; t < 6; ++t) {
        const int r = at[t][2], c = at[t][3];
        for (int i = 0; i < ROWS * LD; ++i) from[i] = 100.0 * (t + 1) + i;
        NTH_CHECK_OK(nth_file_write_part(f, "/deep/down/K", at[t][0], at[t][1], (nth_cmat){ from, r, c, LD }));
        for (int i = 0; i < r; ++i) memcpy(mine + (at[t][0] + i) * COLS + at[t][1], from + i * LD, (size_t)c * sizeof *mine);
    }
    NTH_CHECK_OK(nth_file_write_part(f, "/deep/down/K", 7, 5, (nth_cmat){ from, 0, 0, 1 })); /* nothing */
    NTH_CHECK_OK(nth_file_read_part(f, "/deep/down/K", 1, 2, (nth_mat){ to, 3, 2, LD })); /* before the commit */
    NTH_CHECK(to[LD + 1] == mine[2 * COLS + 3]);
    NTH_CHECK_OK(nth_file_commit(&f));
    if (!NTH_CHECK_OK(nth_file_open(&f, path))) return;
    NTH_CHECK_OK(nth_file_read(f, "/deep/down/K", all, ROWS * COLS));
    NTH_CHECK(memcmp(all, mine, sizeof all) == 0);
    for (int t = 0; t < 6; ++t) {
        for (int i = 0; i < ROWS * LD; ++i) to[i] = -1.0;
        NTH_CHECK_OK(nth_file_read_part(f, "/deep/down/K", at[t][0], at[t][1], (nth_mat){ to, at[t][2], at[t][3], LD }));
        for (int i = 0; i < ROWS; ++i)
            for (int j = 0; j < LD; ++j) /* nothing beside the part is touched */
                NTH_CHECK(to[i * LD + j] == (i < at[t][2] && j < at[t][3] ? mine[(at[t][0] + i) * COLS + at[t][1] + j] : -1.0));
    }
    nth_file_close(&f);
}

/* A range of the first index, whatever the rank; what is not finite is read as it is. */
static void rows_of_any_rank(void)
{
    double    x[24], to[24];
    nth_file *f = NULL;
    start();
    for (int i = 0; i < 24; ++i) x[i] = i == 13 ? (double)NAN : i;
    if (!NTH_CHECK_OK(nth_file_create(&f, path, &prov))) return;
    NTH_CHECK_OK(nth_file_write(f, "/a", x, 3, (const ptrdiff_t[]){ 4, 3, 2 }));
    NTH_CHECK_OK(nth_file_write(f, "/v", x, 1, (const ptrdiff_t[]){ 24 }));
    NTH_CHECK_OK(nth_file_write(f, "/s", x + 5, 0, NULL));
    NTH_CHECK_OK(nth_file_commit(&f));
    if (!NTH_CHECK_OK(nth_file_open(&f, path))) return;
    for (int first = 0; first < 4; ++first)
        for (int rows = 0; first + rows <= 4; ++rows) {
            for (int i = 0; i < 24; ++i) to[i] = -1.0;
            NTH_CHECK_OK(nth_file_read_rows(f, "/a", first, rows, to));
            NTH_CHECK(memcmp(to, x + (ptrdiff_t)6 * first, (size_t)rows * 6 * sizeof *to) == 0 && (rows == 4 || to[6 * rows] == -1.0));
        }
    NTH_CHECK_OK(nth_file_read_rows(f, "/v", 20, 4, to));
    NTH_CHECK(to[3] == 23.0);
    NTH_CHECK_OK(nth_file_read_rows(f, "/s", 0, 1, to));
    NTH_CHECK(to[0] == 5.0);
    NTH_CHECK_STATUS(nth_file_read_rows(f, "/a", 2, 3, to), NTH_E_SHAPE);
    NTH_CHECK_STATUS(nth_file_read_rows(f, "/s", 0, 2, to), NTH_E_SHAPE);
    NTH_CHECK_STATUS(nth_file_read_rows(f, "/absent", 0, 1, to), NTH_E_FORMAT);
    nth_file_close(&f);
}

/* A resumed file keeps the matrix and what is in it; another shape is an error, not a replacement. */
static void resumed_matrices_are_kept(void)
{
    double     x[2] = { 1.5, -2.5 }, all[ROWS * COLS];
    nth_file  *f = NULL;
    bool       resumed;
    start();
    NTH_CHECK_OK(nth_file_create(&f, path, &prov));
    NTH_CHECK_OK(nth_file_make_matrix(f, "/K", ROWS, COLS));
    NTH_CHECK_OK(nth_file_write_part(f, "/K", 3, 1, nth_cmat_of(x, 2, 1)));
    nth_file_close(&f);
    NTH_CHECK_OK(nth_file_resume(&f, path, &prov, &resumed));
    NTH_CHECK(resumed);
    NTH_CHECK_OK(nth_file_make_matrix(f, "/K", ROWS, COLS));
    NTH_CHECK_STATUS(nth_file_make_matrix(f, "/K", COLS, ROWS), NTH_E_FORMAT);
    NTH_CHECK_MESSAGE("/K is there with another shape than 5 x 7");
    NTH_CHECK_OK(nth_file_write(f, "/vector", x, 1, (ptrdiff_t[]){ 2 }));
    NTH_CHECK_STATUS(nth_file_make_matrix(f, "/vector", 2, 1), NTH_E_FORMAT);
    NTH_CHECK_OK(nth_file_commit(&f));
    NTH_CHECK_OK(nth_file_open(&f, path));
    NTH_CHECK_OK(nth_file_read(f, "/K", all, ROWS * COLS));
    for (int i = 0; i < ROWS * COLS; ++i) NTH_CHECK(all[i] == (i == 3 * COLS + 1 ? 1.5 : i == 4 * COLS + 1 ? -2.5 : 0.0));
    nth_file_close(&f);
}

/* Space that a replaced dataset has left is not taken over with what was in it. */
static void new_matrices_are_zero(void)
{
    enum { N = 64 };
    static double x[N * N];
    nth_file     *f = NULL;
    start();
    for (int i = 0; i < N * N; ++i) x[i] = 7.0;
    NTH_CHECK_OK(nth_file_create(&f, path, &prov));
    NTH_CHECK_OK(nth_file_write(f, "/x", x, 2, (ptrdiff_t[]){ N, N }));
    NTH_CHECK_OK(nth_file_flush(f));
    NTH_CHECK_OK(nth_file_write(f, "/x", x, 1, (ptrdiff_t[]){ 1 }));
    NTH_CHECK_OK(nth_file_make_matrix(f, "/K", N, N));
    NTH_CHECK_OK(nth_file_read(f, "/K", x, N * N));
    double most = 0.0;
    for (int i = 0; i < N * N; ++i) most = nth_worst(most, fabs(x[i]));
    NTH_CHECK_CLOSE(most, 0.0, 0.0, 0.0);
    nth_file_close(&f);
}

static void parts_outside_are_refused(void)
{
    double     x[6] = { 1, 2, 3, 4, 5, 6 }, y[6];
    nth_file  *f = NULL;
    const struct {
        ptrdiff_t row, col, rows, cols;
    } bad[] = { { 6, 0, 2, 1 }, { 0, 4, 1, 2 }, { -1, 0, 1, 1 }, { 0, -1, 1, 1 }, { 7, 0, 1, 1 }, { PTRDIFF_MAX, 0, 1, 1 } };
    start();
    NTH_CHECK_OK(nth_file_create(&f, path, &prov));
    NTH_CHECK_STATUS(nth_file_make_matrix(f, "/K", 0, 3), NTH_E_ARG);
    NTH_CHECK_STATUS(nth_file_make_matrix(f, "/K", 3, -1), NTH_E_ARG);
    NTH_CHECK(!nth_file_has(f, "/K"));
    NTH_CHECK_OK(nth_file_make_matrix(f, "/K", ROWS, COLS));
    NTH_CHECK_OK(nth_file_write(f, "/vector", x, 1, (ptrdiff_t[]){ 6 }));
    for (size_t i = 0; i < sizeof bad / sizeof *bad; ++i) {
        NTH_CHECK_STATUS(nth_file_write_part(f, "/K", bad[i].row, bad[i].col, nth_cmat_of(x, bad[i].rows, bad[i].cols)), NTH_E_SHAPE);
        NTH_CHECK_STATUS(nth_file_read_part(f, "/K", bad[i].row, bad[i].col, nth_mat_of(y, bad[i].rows, bad[i].cols)), NTH_E_SHAPE);
        if (i == 0) NTH_CHECK_MESSAGE("/K: part 2 x 1 at (6,0) of a matrix 7 x 5");
    }
    NTH_CHECK_STATUS(nth_file_write_part(f, "/vector", 0, 0, nth_cmat_of(x, 1, 1)), NTH_E_FORMAT);
    NTH_CHECK_MESSAGE("/vector is not a matrix: its rank is 1");
    NTH_CHECK_STATUS(nth_file_write_part(f, "/absent", 0, 0, nth_cmat_of(x, 1, 1)), NTH_E_FORMAT);
    NTH_CHECK_MESSAGE("has no dataset /absent");
    NTH_CHECK_STATUS(nth_file_read_part(f, "/absent", 0, 0, nth_mat_of(y, 1, 1)), NTH_E_FORMAT);
    x[1] = (double)NAN;
    NTH_CHECK_OK(nth_file_write_part(f, "/K", 2, 2, nth_cmat_of(x, 1, 2)));
    NTH_CHECK_STATUS(nth_file_read_part(f, "/K", 2, 1, nth_mat_of(y, 1, 3)), NTH_E_NUMERIC);
    NTH_CHECK_MESSAGE("/K: entry (2,3) is nan");
    NTH_CHECK_OK(nth_file_commit(&f));
    NTH_CHECK_OK(nth_file_open(&f, path));
    NTH_CHECK_STATUS(nth_file_make_matrix(f, "/L", 2, 2), NTH_E_ARG);
    NTH_CHECK_STATUS(nth_file_write_part(f, "/K", 0, 0, nth_cmat_of(y, 1, 1)), NTH_E_ARG);
    NTH_CHECK_MESSAGE("opened to read only");
    nth_file_close(&f);
    if (!NTH_CHECK_OK(nth_file_open(&f, foreign))) return;
    NTH_CHECK_OK(nth_file_read_part(f, "/ints", 1, 0, nth_mat_of(y, 2, 2)));
    NTH_CHECK(y[0] == 3.0 && y[1] == -4.0 && y[3] == -6.0); /* converted */
    NTH_CHECK_STATUS(nth_file_read_part(f, "/group", 0, 0, nth_mat_of(y, 1, 1)), NTH_E_FORMAT);
    NTH_CHECK_STATUS(nth_file_read_part(f, "/complex", 0, 0, nth_mat_of(y, 1, 1)), NTH_E_FORMAT);
    nth_file_close(&f);
}

/* Parts of arrays of any rank are those of the whole, also across leading indices. */
static void parts_of_any_rank(void)
{
    static const ptrdiff_t dims[] = { 2, 3, 2, 4 };
    double                 x[48], y[48];
    nth_file              *f = NULL;
    start();
    for (int i = 0; i < 48; ++i) x[i] = i == 29 ? (double)INFINITY : 0.5 * i;
    NTH_CHECK_OK(nth_file_create(&f, path, &prov));
    for (int rank = 0; rank <= 4; ++rank) {
        const ptrdiff_t *d = dims + 4 - rank, rows = rank < 2 ? 1 : rank == 2 ? 2 : rank == 3 ? 6 : 12, cols = rank > 0 ? 4 : 1;
        NTH_CHECK_OK(nth_file_write(f, "/x", x, rank, d));
        for (ptrdiff_t at = 0; at < rows; ++at)
            for (ptrdiff_t r = 0; r <= rows - at; ++r)
                for (ptrdiff_t col = 0; col < cols; ++col) {
                    bool same = true;
                    NTH_CHECK_OK(nth_file_read_part_any(f, "/x", at, col, nth_mat_of(y, r, cols - col)));
                    for (ptrdiff_t e = 0; e < r * (cols - col); ++e)
                        same = same && y[e] == x[(at + e / (cols - col)) * cols + col + e % (cols - col)];
                    NTH_CHECK(same);
                }
        NTH_CHECK_STATUS(nth_file_read_part_any(f, "/x", 1, 0, nth_mat_of(y, rows, 1)), NTH_E_SHAPE);
        NTH_CHECK_STATUS(nth_file_read_part_any(f, "/x", 0, cols, nth_mat_of(y, 1, 1)), NTH_E_SHAPE);
    }
    nth_file_close(&f);
}

int main(void)
{
    if (mkdtemp(folder) == NULL) return 1;
    snprintf(path, sizeof path, "%s/out.h5", folder);
    snprintf(partial, sizeof partial, "%s.partial", path);
    snprintf(foreign, sizeof foreign, "%s/foreign.h5", folder);
    if (nth_test_foreign_file(foreign) != 0) return 1;
    const int status = nth_test_main("file_parts", (nth_test_case[]){
        { "parts_of_matrices", parts_of_matrices },
        { "rows_of_any_rank", rows_of_any_rank },
        { "resumed_matrices_are_kept", resumed_matrices_are_kept },
        { "new_matrices_are_zero", new_matrices_are_zero },
        { "parts_outside_are_refused", parts_outside_are_refused },
        { "parts_of_any_rank", parts_of_any_rank },
        { 0 },
    });
    (void)remove(foreign);
    start();
    (void)rmdir(folder);
    return status;
}
