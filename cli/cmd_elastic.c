/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * nth elastic: local elasticity (E85, E86) of the kernel of a file, or of the sum of two, on pairs of
 * training inputs and on pairs of a test and a training input. Kernels are read by rows: they need not fit
 * into memory. With --out the ratios are written to a file, too (docs/formats.md).
 */
#include "commands.h"
#include "gram.h"
#include "train_elasticity.h"
#include "table.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "nth/elastic.h"

typedef struct job {
    cli        *c;
    cli_problem p;
    cli_gram    K, Z, other; /* --gram, --add, --normaliser */
    double      weight;      /* of Z; 0 without it */
    double     *D, *D_test;  /* (n), (k) the normaliser's diagonal */
    double     *more;        /* (max(n, k)) a diagonal that is added */
    char        lacks[2048]; /* why there are no test-train pairs; empty: there are */
    const char *suffix;      /* of the block being read */
    ptrdiff_t   base;        /* rows read before this block, for progress */
    cli_table  *table;
    nth_file   *file;        /* --out, or NULL */
} job;

/* ---- Kernels ------------------------------------------------------------------------------------ */

static nth_status read_rows(nth_mat A, ptrdiff_t row, void *ctx)
{
    nth_status st = NTH_OK;
    job       *j = ctx;
    double    *rows = NULL;
    char       name[sizeof j->K.name + 8];
    if (cli_interrupted()) return NTH_E_INTERRUPTED;
    snprintf(name, sizeof name, "%s%s", j->K.name, j->suffix);
    CLI_TRY(nth_file_read_part(j->K.file, name, row, 0, A));
    if (j->Z.file != NULL) {
        snprintf(name, sizeof name, "%s%s", j->Z.name, j->suffix);
        CLI_TRY(cli_doubles(j->c, &rows, (double)A.rows * (double)A.cols, "rows of the kernel"));
        CLI_TRY(nth_file_read_part(j->Z.file, name, row, 0, nth_mat_of(rows, A.rows, A.cols)));
        for (ptrdiff_t i = 0; i < A.rows; ++i)
            for (ptrdiff_t q = 0; q < A.cols; ++q) A.a[i * A.ld + q] += j->weight * rows[i * A.cols + q];
    }
    cli_progress_update(j->c, j->base + row + A.rows);
done:
    free(rows);
    return st;
}

/* D_test of one kernel, added with its weight; a file without it is told of in j->lacks. */
static nth_status add_test_diagonal(job *j, const cli_gram *g, double weight)
{
    nth_status st = NTH_OK;
    bool       there;
    CLI_TRY(cli_gram_test_diagonal(j->c, g, j->more, &there));
    for (ptrdiff_t i = 0; there && i < j->p.k; ++i) j->D_test[i] += weight * j->more[i];
    if (!there && j->lacks[0] == '\0')
        snprintf(j->lacks, sizeof j->lacks,
                 "%s has neither %s_test_diag (%td) nor %s_test_test (%td,%td), the kernel of each test input with itself; nth kernel writes them",
                 g->path, g->name, j->p.k, g->name, j->p.k, j->p.k);
done:
    return st;
}

static nth_status diagonals(job *j)
{
    nth_status        st = NTH_OK;
    const nth_config *cfg = j->c->cfg;
    const ptrdiff_t   n = j->p.n, k = j->p.k;
    const bool        other_train = cfg->normaliser != NULL && strcmp(cfg->normaliser_of, "test") != 0;
    const bool        other_test = cfg->normaliser != NULL && strcmp(cfg->normaliser_of, "train") != 0;
    CLI_TRY(cli_doubles(j->c, &j->D, (double)n, "diagonal"));
    CLI_TRY(cli_doubles(j->c, &j->D_test, (double)k, "diagonal"));
    CLI_TRY(cli_doubles(j->c, &j->more, (double)(n > k ? n : k), "diagonal"));
    CLI_TRY(cli_gram_diagonal(j->c, other_train ? &j->other : &j->K, j->D));
    if (!other_train && cfg->add != NULL) {
        CLI_TRY(cli_gram_diagonal(j->c, &j->Z, j->more));
        for (ptrdiff_t i = 0; i < n; ++i) j->D[i] += j->weight * j->more[i];
    }
    if (k == 0) goto done;
    CLI_TRY(add_test_diagonal(j, other_test ? &j->other : &j->K, 1.0));
    if (!other_test && cfg->add != NULL) CLI_TRY(add_test_diagonal(j, &j->Z, j->weight));
done:
    return st;
}

static nth_status open_files(job *j)
{
    nth_status        st = NTH_OK;
    const nth_config *cfg = j->c->cfg;
    const ptrdiff_t   n = j->p.n, k = j->p.k;
    CLI_TRY(cli_gram_open(j->c, &j->K, "gram", cfg->gram, "/K", n, k));
    if (cfg->add != NULL) CLI_TRY(cli_gram_open(j->c, &j->Z, "add", cfg->add, NULL, n, k));
    if (cfg->add != NULL) j->weight = strtod(cfg->weight, NULL);
    if (cfg->normaliser != NULL) CLI_TRY(cli_gram_open(j->c, &j->other, "normaliser", cfg->normaliser, "/K", n, k));
done:
    return st;
}

/* ---- What is said ------------------------------------------------------------------------------- */

static void say_pairs(job *j, const char *key, const char *what, const nth_elasticity *e)
{
    nth_json *o = nth_json_object();
    cli_table_put(j->table, "%s", what);
    cli_table_put(j->table, "%.0f", e->intra_pairs);
    cli_table_put(j->table, "%.0f", e->inter_pairs);
    cli_table_put(j->table, "%.6g", e->intra);
    cli_table_put(j->table, "%.6g", e->inter);
    if (!isnan(e->standard_error)) {
        cli_table_put(j->table, "%.6f +- %.2g", e->ratio, e->standard_error);
        cli_table_put(j->table, "[%.6f, %.6f]", e->low, e->high);
    } else {
        cli_table_put(j->table, "%.6f", e->ratio);
        if (e->undefined > 0) cli_table_put(j->table, "%td resamples without a ratio", e->undefined);
        else cli_table_put(j->table, "-");
    }
    nth_json_set_double(o, "rr", e->ratio);
    nth_json_set_double(o, "m1", e->intra);
    nth_json_set_double(o, "m2", e->inter);
    nth_json_set_double(o, "intra_pairs", e->intra_pairs);
    nth_json_set_double(o, "inter_pairs", e->inter_pairs);
    if (!isnan(e->standard_error)) {
        nth_json_set_double(o, "standard_error", e->standard_error);
        nth_json_set_double(o, "low", e->low);
        nth_json_set_double(o, "high", e->high);
    }
    nth_json_set_int(o, "undefined_resamples", e->undefined);
    nth_json_set(j->c->json, key, o);
}

/* /rr/kernel and /pairs/kernel, a row for each set of pairs there is. */
static nth_status write_file(cli *c, job *j, const nth_elasticity *e, ptrdiff_t sets)
{
    nth_status st = NTH_OK;
    double     rr[2 * RR_NUMBERS], pairs[2 * 4];
    if (j->file == NULL) return NTH_OK;
    for (ptrdiff_t i = 0; i < sets; ++i) {
        cli_rr_numbers(rr + i * RR_NUMBERS, &e[i]);
        memcpy(pairs + i * 4, (double[]){ e[i].intra, e[i].inter, e[i].intra_pairs, e[i].inter_pairs }, 4 * sizeof *pairs);
    }
    CLI_TRY(nth_file_write(j->file, "/rr/kernel", rr, 2, (const ptrdiff_t[]){ sets, RR_NUMBERS }));
    CLI_TRY(nth_file_write(j->file, "/pairs/kernel", pairs, 2, (const ptrdiff_t[]){ sets, 4 }));
    CLI_TRY(nth_file_commit(&j->file));
    cli_say(c, "\nwritten to %s\n", c->cfg->out);
    nth_json_set_string(c->json, "out", c->cfg->out);
done:
    return st;
}

static void say_lacking(job *j)
{
    nth_json *o = nth_json_object();
    cli_say(j->c, "\ntest-train pairs: not computed: %s\n", j->lacks);
    nth_json_set_string(o, "refused", j->lacks);
    nth_json_set(j->c->json, "test_train", o);
}

static void say_problem(job *j)
{
    const nth_config *cfg = j->c->cfg;
    char              sum[512] = "", normaliser[1400] = "its own diagonal", caption[6144];
    const ptrdiff_t   classes = j->p.data->y.cols == 1 ? 2 : j->p.data->y.cols;
    if (cfg->add != NULL) snprintf(sum, sizeof sum, " + %.9g %s", j->weight, cfg->add);
    if (cfg->normaliser != NULL)
        snprintf(normaliser, sizeof normaliser, "the diagonal of %s%s%s", j->other.path, j->other.name,
                 strcmp(cfg->normaliser_of, "both") == 0    ? ""
                 : strcmp(cfg->normaliser_of, "test") == 0 ? " for test inputs, its own for training inputs"
                                                           : " for training inputs, its own for test inputs");
    snprintf(caption, sizeof caption, "%td classes, %td training and %td test inputs, kernel %s%s%s, normalised by %s", classes, j->p.n, j->p.k,
             j->K.path, j->K.name, sum, normaliser);
    j->table = cli_table_create(caption, "ordered pairs|one class|two classes|M1|M2|RR|95 % interval");
    nth_json_set_int(j->c->json, "classes", classes);
    nth_json_set_int(j->c->json, "n", j->p.n);
    nth_json_set_int(j->c->json, "k", j->p.k);
    nth_json_set_bool(j->c->json, "self_pairs", strcmp(cfg->self_pairs, "yes") == 0);
    if (cfg->add != NULL) nth_json_set_double(j->c->json, "weight", j->weight);
    if (cfg->normaliser != NULL) nth_json_set_string(j->c->json, "normaliser", cfg->normaliser);
    if (cfg->normaliser != NULL) nth_json_set_string(j->c->json, "normaliser_of", cfg->normaliser_of);
}

/* ---- The command -------------------------------------------------------------------------------- */

static nth_status check_options(cli *c)
{
    const nth_config *cfg = c->cfg;
    if (cli_check_weight(c, false) != NTH_OK) return NTH_E_ARG;
    if (cfg->normaliser == NULL && nth_config_given(cfg, "normaliser-of"))
        return cli_fail(c, NTH_E_ARG, "--normaliser-of goes with --normaliser only");
    return NTH_OK;
}

/* The library knows kernels and labels by number, not by file. */
static nth_status with_file(cli *c, const job *j, nth_status st)
{
    if (st == NTH_E_NUMERIC && strstr(nth_last_error().message, j->K.path) == NULL)
        return cli_fail(c, st, "%s: %s%s: %s", j->K.path, j->K.name, j->suffix, nth_last_error().message);
    if (st == NTH_E_RANGE || st == NTH_E_SHAPE) return cli_fail(c, st, "%s: %s", c->cfg->data, nth_last_error().message);
    return st;
}

static nth_status measure(cli *c, job *j)
{
    nth_status                st = NTH_OK;
    const nth_data           *d = j->p.data;
    const nth_cmat            Y = nth_const(d->y), Y_test = nth_const(d->y_test);
    nth_elasticity            e[2]; /* train-train, test-train */
    const bool                tests = j->lacks[0] == '\0' && j->p.k > 0;
    const nth_elastic_options opt = { .self_pairs = strcmp(c->cfg->self_pairs, "yes") == 0,
                                      .bootstrap = (ptrdiff_t)c->cfg->bootstrap,
                                      .seed = c->cfg->seed };
    CLI_TRY(cli_memory_check(c, cli_rr_bytes(j->p.n, j->p.k, opt.bootstrap), "weights of resamples and rows of the kernel"));
    cli_progress_begin(c, "rows", j->p.n + (tests ? j->p.k : 0));
    j->suffix = "";
    CLI_TRY(with_file(c, j, nth_elastic_train(&e[0], read_rows, j, Y, j->D, &opt)));
    j->suffix = "_test", j->base = j->p.n;
    if (tests) CLI_TRY(with_file(c, j, nth_elastic_test(&e[1], read_rows, j, Y_test, Y, j->D_test, j->D, &opt)));
    cli_progress_end(c);
    say_problem(j);
    say_pairs(j, "train_train", opt.self_pairs ? "train-train with self pairs" : "train-train", &e[0]);
    if (tests) say_pairs(j, "test_train", "test-train", &e[1]);
    cli_table_say(c, j->table);
    if (j->lacks[0] != '\0') say_lacking(j);
    CLI_TRY(cli_table_end(c, (const cli_table *const[]){ j->table }, 1));
    CLI_TRY(write_file(c, j, e, tests ? 2 : 1));
done:
    return st;
}

nth_status cmd_elastic(cli *c)
{
    nth_status st = NTH_OK;
    job        j = { .c = c, .suffix = "" };
    CLI_TRY(check_options(c));
    CLI_TRY(cli_table_begin(c));
    CLI_TRY(cli_problem_load(c, &j.p, false, false));
    cli_tell_absent_classes(c, j.p.data, c->cfg->data);
    CLI_TRY(open_files(&j));
    CLI_TRY(diagonals(&j));
    if (c->cfg->out != NULL) CLI_TRY(cli_create(c, &j.file));
    CLI_TRY(measure(c, &j));
done:
    cli_discard(c, &j.file);
    cli_gram_free(&j.K);
    cli_gram_free(&j.Z);
    cli_gram_free(&j.other);
    free(j.D), free(j.D_test), free(j.more);
    cli_table_destroy(&j.table);
    cli_problem_free(&j.p);
    return st;
}
