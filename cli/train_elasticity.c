/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * RR along training (train_elasticity.h). A second data set with the same inputs gives a second system of labels: the kernel
 * is made once, the ratios are taken by both.
 */
#include "train_elasticity.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "nth/regress.h"

static const char *const group[RR_LABELS] = { "rr", "rr_other" };
static const char *const set_name[RR_SETS] = { "train_train", "train_train_self", "test_train" };
static const char *const head[RR_LABELS][RR_SETS] = { { "RR", NULL, "test RR" }, { "other RR", NULL, "other test RR" } };

enum { RESAMPLES_BY_DEFAULT = 1000, TEST_TRAIN = RR_SETS - 1 };

void cli_rr_numbers(double to[RR_NUMBERS], const nth_elasticity *e)
{
    to[0] = e->ratio, to[1] = e->standard_error, to[2] = e->low, to[3] = e->high;
}

double cli_rr_bytes(ptrdiff_t n, ptrdiff_t k, ptrdiff_t resamples)
{
    const double rows = 512.0, draws = (double)resamples + 1.0; /* rows of the kernel in two forms */
    return 8.0 * ((double)(n + k) * draws + rows * (1.5 * (double)n + draws));
}

bool cli_rr_asked(const nth_config *cfg) { return cfg->elasticity != NULL && strcmp(cfg->elasticity, "yes") == 0; }

nth_status cli_rr_check(cli *c)
{
    static const char *const parts[] = { "elasticity-data", "bootstrap" };
    if (cli_rr_asked(c->cfg)) return NTH_OK;
    for (size_t i = 0; i < sizeof parts / sizeof *parts; ++i)
        if (nth_config_given(c->cfg, parts[i])) return cli_fail(c, NTH_E_ARG, "--%s goes with --elasticity yes only", parts[i]);
    return NTH_OK;
}

/* ---- Set-up -------------------------------------------------------------------------------------- */

static bool same(nth_cmat A, nth_mat B)
{
    if (A.rows != B.rows || (A.rows > 0 && A.cols != B.cols)) return false;
    for (ptrdiff_t i = 0; i < A.rows; ++i)
        if (memcmp(A.a + i * A.ld, B.a + i * B.ld, (size_t)A.cols * sizeof *A.a) != 0) return false;
    return true;
}

static nth_status second_labels(cli_rr *r, const cli_problem *p)
{
    nth_status        st = NTH_OK;
    const nth_config *cfg = r->c->cfg;
    CLI_TRY(cli_read_data(r->c, &r->other, cfg->elasticity_data));
    const nth_data *d = r->other;
    if (!same(p->X, d->x) || !same(p->X_test, d->x_test))
        return cli_fail(r->c, NTH_E_SHAPE, "--elasticity-data %s: its %td training and %td test inputs are not the %td and %td of %s; the same inputs with other labels are expected",
                        cfg->elasticity_data, d->x.rows, d->x_test.rows, p->n, p->k, cfg->data);
    r->Y[1] = nth_const(d->y), r->Y_test[1] = nth_const(d->y_test);
    r->systems = 2;
done:
    return st;
}

static nth_status check_labels(cli_rr *r, int by)
{
    const nth_task    task = r->Y[by].cols == 1 ? NTH_TASK_BINARY : NTH_TASK_MULTICLASS;
    nth_status        st = nth_targets_check(r->Y[by], task, true);
    if (st == NTH_OK && r->k > 0) st = nth_targets_check(r->Y_test[by], task, false);
    if (st == NTH_OK) return st;
    return cli_fail(r->c, st, "--elasticity yes needs labels: %s: %s", by == 0 ? r->c->cfg->data : r->c->cfg->elasticity_data,
                    nth_last_error().message);
}

nth_status cli_rr_open(cli_rr *r, cli *c, const cli_problem *p, ptrdiff_t T)
{
    nth_status st = NTH_OK;
    char       number[16];
    *r = (cli_rr){ .c = c, .on = cli_rr_asked(c->cfg), .n = p->n, .k = p->k, .T = T, .systems = 1 };
    if (!r->on) return NTH_OK;
    snprintf(number, sizeof number, "%d", RESAMPLES_BY_DEFAULT);
    CLI_TRY(nth_config_suggest(c->cfg, "bootstrap", number));
    r->opt = (nth_elastic_options){ .bootstrap = (ptrdiff_t)c->cfg->train_bootstrap, .seed = c->cfg->seed };
    r->Y[0] = nth_const(p->data->y), r->Y_test[0] = nth_const(p->data->y_test);
    if (c->cfg->elasticity_data != NULL) CLI_TRY(second_labels(r, p));
    for (int by = 0; by < r->systems; ++by) CLI_TRY(check_labels(r, by));
    CLI_TRY(cli_doubles(c, &r->D, (double)p->n, "diagonal"));
    CLI_TRY(cli_doubles(c, &r->D_test, (double)p->k, "diagonal"));
    for (int by = 0; by < r->systems; ++by)
        for (int set = 0; set < RR_SETS; ++set)
            if (set != TEST_TRAIN || p->k > 0) CLI_TRY(cli_doubles(c, &r->value[by][set], (double)T * RR_NUMBERS, "ratios"));
done:
    return st;
}

void cli_rr_close(cli_rr *r)
{
    for (int by = 0; by < RR_LABELS; ++by)
        for (int set = 0; set < RR_SETS; ++set) free(r->value[by][set]);
    free(r->D), free(r->D_test);
    nth_data_destroy(&r->other);
}

/* ---- Records ------------------------------------------------------------------------------------- */

/* A ratio that does not exist (an input without a gradient) is told of at the end; it does not stop the training. */
static nth_status ratio(cli_rr *r, double *to, int by, int set, const nth_blocks *K, const char *when)
{
    nth_status          st;
    nth_elasticity      out;
    nth_elastic_options opt = r->opt;
    nth_cmat            A = nth_const(set == TEST_TRAIN ? K->test : K->train);
    opt.self_pairs = set == 1;
    if (set == TEST_TRAIN) st = nth_elastic_test(&out, nth_elastic_matrix, &A, r->Y_test[by], r->Y[by], r->D_test, r->D, &opt);
    else st = nth_elastic_train(&out, nth_elastic_matrix, &A, r->Y[by], r->D, &opt);
    if (st == NTH_E_NUMERIC) {
        out = (nth_elasticity){ .ratio = NAN, .standard_error = NAN, .low = NAN, .high = NAN };
        if (r->refused++ == 0) snprintf(r->why, sizeof r->why, "%s, %s: %s", when, set_name[set], nth_last_error().message);
        st = NTH_OK;
    }
    if (st == NTH_OK) cli_rr_numbers(to, &out);
    return st;
}

nth_status cli_rr_record(cli_rr *r, ptrdiff_t at, const nth_blocks *K, const char *when)
{
    nth_status st = NTH_OK;
    if (!r->on) return NTH_OK;
    cli_diagonal(r->D, K->train);
    cli_diagonal(r->D_test, K->test_test);
    for (int by = 0; by < r->systems; ++by)
        for (int set = 0; set < RR_SETS; ++set)
            if (r->value[by][set] != NULL) CLI_TRY(ratio(r, r->value[by][set] + at * RR_NUMBERS, by, set, K, when));
done:
    return st;
}

/* ---- The file, and what is said ------------------------------------------------------------------ */

nth_status cli_rr_write(const cli_rr *r, nth_file *file, ptrdiff_t done)
{
    nth_status st = NTH_OK;
    char       path[48];
    for (int by = 0; r->on && by < RR_LABELS; ++by)
        for (int set = 0; set < RR_SETS; ++set) {
            snprintf(path, sizeof path, "/%s/%s", group[by], set_name[set]);
            if (r->value[by][set] != NULL) CLI_TRY(nth_file_write(file, path, r->value[by][set], 2, (const ptrdiff_t[]){ done, RR_NUMBERS }));
        }
done:
    return st;
}

nth_status cli_rr_provenance(const cli_rr *r, nth_file *file)
{
    char sum[17];
    if (r->other == NULL) return NTH_OK;
    snprintf(sum, sizeof sum, "%016" PRIx64, nth_data_checksum(r->other));
    return nth_file_set_string(file, "/", "elasticity_data_checksum", sum);
}

void cli_rr_heads(const cli_rr *r)
{
    for (int by = 0; by < RR_LABELS; ++by)
        for (int set = 0; set < RR_SETS; ++set)
            if (r->value[by][set] != NULL && head[by][set] != NULL) cli_say(r->c, " %14s", head[by][set]);
}

void cli_rr_say(const cli_rr *r, ptrdiff_t at, nth_json *row)
{
    static const char *const key[RR_NUMBERS] = { "rr", "standard_error", "low", "high" };
    for (int by = 0; by < r->systems && r->on; ++by) {
        nth_json *of = nth_json_object();
        for (int set = 0; set < RR_SETS; ++set) {
            const double *v = r->value[by][set] != NULL ? r->value[by][set] + at * RR_NUMBERS : NULL;
            nth_json     *o = v != NULL ? nth_json_object() : NULL;
            for (int i = 0; v != NULL && i < RR_NUMBERS; ++i)
                if (!isnan(v[i])) nth_json_set_double(o, key[i], v[i]);
            if (v != NULL && head[by][set] != NULL) cli_say(r->c, " %14.6g", v[0]);
            if (v != NULL) nth_json_set(of, set_name[set], o);
        }
        nth_json_set(row, group[by], of);
    }
}

void cli_rr_say_refused(const cli_rr *r)
{
    if (r->refused == 0) return;
    cli_say(r->c, "%td ratios RR do not exist; the first one is that of %s\n", r->refused, r->why);
    nth_json_set_int(r->c->json, "undefined_ratios", r->refused);
}
