/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Kernels, and outputs to compare with, from files (gram.h).
 */
#include "gram.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { EDGE = 256 }; /* of the blocks a diagonal is read in */

/* ---- Opening ------------------------------------------------------------------------------------ */

static nth_status locate(cli *c, cli_gram *g, const char *option, const char *text, const char *usual)
{
    const char *cut = NULL;
    for (const char *at = strstr(text, ":/"); at != NULL; at = strstr(at + 1, ":/")) cut = at;
    if (cut == NULL && usual == NULL)
        return cli_fail(c, NTH_E_ARG, "--%s: \"%s\" is not of the form FILE:/DATASET", option, text);
    const size_t length = cut != NULL ? (size_t)(cut - text) : strlen(text);
    const char  *name = cut != NULL ? cut + 1 : usual;
    if (length == 0 || name[1] == '\0' || length >= sizeof g->path || strlen(name) >= sizeof g->name)
        return cli_fail(c, NTH_E_ARG, "--%s: \"%s\" is not of the form FILE:/DATASET", option, text);
    memcpy(g->path, text, length);
    g->path[length] = '\0';
    strcpy(g->name, name);
    return NTH_OK;
}

static nth_status check_block(cli *c, const cli_gram *g, const char *suffix, ptrdiff_t rows, ptrdiff_t cols)
{
    nth_status st = NTH_OK;
    int        rank;
    ptrdiff_t  dims[NTH_MAX_RANK];
    char       name[sizeof g->name + 16];
    snprintf(name, sizeof name, "%s%s", g->name, suffix);
    CLI_TRY(nth_file_shape(g->file, name, &rank, dims));
    if (rank != (cols > 0 ? 2 : 1) || dims[0] != rows || (cols > 0 && dims[1] != cols)) {
        char want[64];
        if (cols > 0) snprintf(want, sizeof want, "%td x %td", rows, cols);
        else snprintf(want, sizeof want, "a vector of %td", rows);
        return cli_fail(c, NTH_E_SHAPE, "%s: %s is %td x %td (rank %d); %s is expected: %s has %td training and %td test inputs", g->path,
                        name, dims[0], dims[1], rank, want, c->cfg->data, g->n, g->k);
    }
done:
    return st;
}

void cli_tell_other_data(const cli *c, nth_file *file, const char *path)
{
    char had[sizeof c->data_checksum];
    if (c->cfg->quiet || c->data_checksum[0] == '\0' || !nth_file_has_attr(file, "/", "data_checksum")) return;
    if (nth_file_get_string(file, "/", "data_checksum", had, sizeof had) != NTH_OK || strcmp(had, c->data_checksum) == 0) return;
    fprintf(stderr, "nth %s: %s was made from other inputs or labels (checksum %s) than those of %s (%s)\n",
            nth_command_name(c->cfg->command), path, had, c->cfg->data, c->data_checksum);
}

nth_status cli_gram_open(cli *c, cli_gram *g, const char *option, const char *text, const char *usual, ptrdiff_t n, ptrdiff_t k)
{
    nth_status st = NTH_OK;
    g->n = n, g->k = k;
    CLI_TRY(locate(c, g, option, text, usual));
    CLI_TRY(nth_file_open(&g->file, g->path));
    CLI_TRY(check_block(c, g, "", n, n));
    if (k > 0) CLI_TRY(check_block(c, g, "_test", k, n));
    if (strncmp(g->name, "/fold_", 6) != 0) cli_tell_other_data(c, g->file, g->path); /* a fold belongs to a kernel that was told of */
done:
    return st;
}

nth_status cli_gram_read(cli *c, cli_gram *g, const char *option, const char *text, const char *usual, ptrdiff_t n, ptrdiff_t k)
{
    nth_status st = NTH_OK;
    char       test[sizeof g->name + 8];
    CLI_TRY(cli_gram_open(c, g, option, text, usual, n, k));
    CLI_TRY(cli_blocks_create(c, &g->K, n, k, false));
    CLI_TRY(nth_file_read(g->file, g->name, g->K.train.a, n * n));
    snprintf(test, sizeof test, "%s_test", g->name);
    if (k > 0) CLI_TRY(nth_file_read(g->file, test, g->K.test.a, k * n));
done:
    nth_file_close(&g->file);
    return st;
}

void cli_gram_free(cli_gram *g)
{
    nth_file_close(&g->file);
    cli_blocks_free(&g->K);
}

/* ---- Outputs ------------------------------------------------------------------------------------ */

bool cli_names_outputs(const char *text)
{
    static const char ending[] = "/f_test";
    const size_t      length = strlen(text), last = sizeof ending - 1;
    return length > last && strcmp(text + length - last, ending) == 0 && strstr(text, ":/") != NULL;
}

nth_status cli_outputs_read(cli *c, cli_gram *g, const char *option, const char *text, nth_mat F)
{
    nth_status st = NTH_OK;
    int        rank;
    ptrdiff_t  dims[NTH_MAX_RANK] = { 0 }, times = 1;
    double    *all = NULL;
    g->k = F.rows;
    CLI_TRY(locate(c, g, option, text, NULL));
    CLI_TRY(nth_file_open(&g->file, g->path));
    cli_tell_other_data(c, g->file, g->path);
    CLI_TRY(nth_file_shape(g->file, g->name, &rank, dims));
    const bool one = F.cols == 1, column = one && rank == 1 && dims[0] == F.rows, matrix = rank == 2 && dims[0] == F.rows && dims[1] == F.cols;
    const bool vectors = one && rank == 2 && !matrix && dims[1] == F.rows, matrices = rank == 3 && dims[1] == F.rows && dims[2] == F.cols;
    if (!column && !matrix && !((vectors || matrices) && dims[0] > 0))
        CLI_TRY(cli_fail(c, NTH_E_SHAPE, "%s: %s has rank %d and begins with %td x %td; %td x %td are expected, outputs on the test inputs of %s, or these at several times",
                         g->path, g->name, rank, dims[0], rank > 1 ? dims[1] : 1, F.rows, F.cols, c->cfg->data));
    if (vectors || matrices) times = dims[0];
    const ptrdiff_t size = F.rows * F.cols;
    CLI_TRY(cli_doubles(c, &all, (double)times * (double)size, "outputs"));
    CLI_TRY(nth_file_read(g->file, g->name, all, times * size));
    memcpy(F.a, all + (times - 1) * size, (size_t)size * sizeof *all);
    for (ptrdiff_t e = 0; e < size; ++e)
        if (!isfinite(F.a[e])) CLI_TRY(cli_fail(c, NTH_E_NUMERIC, "%s: %s has an output that is not finite", g->path, g->name));
done:
    nth_file_close(&g->file);
    free(all);
    return st;
}

/* ---- Diagonals ---------------------------------------------------------------------------------- */

static nth_status diagonal_of(cli *c, const cli_gram *g, const char *name, double *D, ptrdiff_t n)
{
    nth_status st = NTH_OK;
    double    *block = NULL;
    CLI_TRY(cli_doubles(c, &block, EDGE * EDGE, "diagonal"));
    for (ptrdiff_t i = 0; i < n; i += EDGE) {
        const ptrdiff_t edge = n - i < EDGE ? n - i : EDGE;
        CLI_TRY(nth_file_read_part(g->file, name, i, i, nth_mat_of(block, edge, edge)));
        for (ptrdiff_t a = 0; a < edge; ++a) D[i + a] = block[a * edge + a];
    }
done:
    free(block);
    return st;
}

nth_status cli_gram_diagonal(cli *c, const cli_gram *g, double *D) { return diagonal_of(c, g, g->name, D, g->n); }

nth_status cli_gram_test_diagonal(cli *c, const cli_gram *g, double *D, bool *there)
{
    nth_status st = NTH_OK;
    char       diag[sizeof g->name + 16], block[sizeof g->name + 16];
    snprintf(diag, sizeof diag, "%s_test_diag", g->name);
    snprintf(block, sizeof block, "%s_test_test", g->name);
    *there = true;
    if (nth_file_has(g->file, diag)) {
        CLI_TRY(check_block(c, g, "_test_diag", g->k, 0));
        CLI_TRY(nth_file_read(g->file, diag, D, g->k));
    } else if (nth_file_has(g->file, block)) {
        CLI_TRY(check_block(c, g, "_test_test", g->k, g->k));
        CLI_TRY(diagonal_of(c, g, block, D, g->k));
    } else {
        *there = false;
    }
done:
    return st;
}

/* ---- A second kernel ---------------------------------------------------------------------------- */

nth_status cli_check_weight(cli *c, bool loo)
{
    const nth_config *cfg = c->cfg;
    char             *end;
    const char       *what = loo ? "a number, hand, loo or folds" : "a number", *neither = loo ? "neither a number nor hand, loo or folds" : "not a number";
    if (cfg->weight != NULL && cfg->add == NULL) return cli_fail(c, NTH_E_ARG, "--weight goes with --add only");
    if (cfg->add != NULL && cfg->weight == NULL) return cli_fail(c, NTH_E_ARG, "--add needs --weight W, %s", what);
    if (cfg->weight == NULL) return NTH_OK;
    if (loo && (strcmp(cfg->weight, "hand") == 0 || strcmp(cfg->weight, "loo") == 0 || strcmp(cfg->weight, "folds") == 0)) return NTH_OK;
    if (!isfinite(strtod(cfg->weight, &end)) || end == cfg->weight || *end != '\0')
        return cli_fail(c, NTH_E_ARG, "--weight: \"%s\" is %s", cfg->weight, neither);
    return NTH_OK;
}

void cli_add(nth_mat K, nth_mat Z, double weight)
{
    for (ptrdiff_t e = 0; e < K.rows * K.cols; ++e) K.a[e] += weight * Z.a[e];
}

void cli_add_kernel(cli_gram *K, const cli_gram *Z, double weight)
{
    cli_add(K->K.train, Z->K.train, weight);
    if (K->K.test.a != NULL) cli_add(K->K.test, Z->K.test, weight);
}
