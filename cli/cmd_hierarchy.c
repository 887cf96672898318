/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * nth hierarchy: higher kernels of a network on a data set. Four results, one for each way of
 * asking:
 *
 *     --order r --direction V:/v ...   K^(r)[v_1, ..], contracted in all indices beyond the second (E13)
 *     --order r --dense                the whole tensor, r = 3 or 4, index order as in docs/equations.md
 *     --khat --times ...               the predicted kernel, its terms apart (E27)
 *     --expected --order r ...         the mean of a contraction over networks of an architecture (average.h)
 */
#include "average.h"
#include "commands.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "nth/hier.h"

/* ---- Contractions ------------------------------------------------------------------------------- */

/* Reads FILE:/DATASET of n numbers: (n) or (n,1). */
static nth_status read_direction(cli *c, double **v, const char *text, ptrdiff_t n)
{
    nth_status  st = NTH_OK;
    nth_file   *f = NULL;
    char       *path = NULL, *dataset = NULL;
    int         rank;
    ptrdiff_t   dims[NTH_MAX_RANK];
    const char *cut = NULL;
    for (const char *at = strstr(text, ":/"); at != NULL; at = strstr(at + 1, ":/")) cut = at;
    if (cut == NULL || cut == text || cut[2] == '\0')
        return cli_fail(c, NTH_E_ARG, "--direction: \"%s\" is not of the form FILE:/DATASET", text);
    path = malloc(strlen(text) + 1);
    if (path == NULL) return cli_fail(c, NTH_E_NOMEM, "out of memory");
    strcpy(path, text);
    path[cut - text] = '\0', dataset = path + (cut - text) + 1;
    CLI_TRY(nth_file_open(&f, path));
    CLI_TRY(nth_file_shape(f, dataset, &rank, dims));
    if (!(rank == 1 || (rank == 2 && dims[1] == 1)) || dims[0] != n) {
        st = cli_fail(c, NTH_E_SHAPE, "--direction %s has rank %d and length %td; a vector of length %td is expected"
                      " (one entry for each training input)", text, rank, rank > 0 ? dims[0] : 1, n);
        goto done;
    }
    CLI_TRY(cli_doubles(c, v, (double)n, "direction"));
    CLI_TRY(nth_file_read(f, dataset, *v, n));
done:
    nth_file_close(&f);
    free(path);
    return st;
}

static nth_status read_directions(cli *c, double *v[NTH_HIER_MAX_ORDER], ptrdiff_t n)
{
    nth_status st = NTH_OK;
    for (ptrdiff_t j = 0; j < c->cfg->direction.n; ++j) CLI_TRY(read_direction(c, &v[j], c->cfg->direction.v[j], n));
done:
    return st;
}

static nth_status contract(cli *c, const cli_problem *p, nth_file **f)
{
    nth_status  st = NTH_OK;
    const int   order = (int)c->cfg->order;
    double     *v[NTH_HIER_MAX_ORDER] = { 0 };
    nth_blocks  K = { 0 };
    char        name[8];
    CLI_TRY(read_directions(c, v, p->n));
    CLI_TRY(cli_blocks_create(c, &K, p->n, p->k, true));
    cli_progress_call(c, "contraction");
    CLI_TRY(nth_hier_contract(&K, p->net, p->X, p->X_test, order, (const double *const *)v));
    cli_progress_end(c);
    if (cli_interrupted()) CLI_TRY(NTH_E_INTERRUPTED);
    snprintf(name, sizeof name, "K%d", order);
    CLI_TRY(cli_blocks_write(*f, name, &K));
    CLI_TRY(nth_file_commit(f));
    cli_report_blocks(c, name, &K);
done:
    cli_blocks_free(&K);
    for (int j = 0; j < NTH_HIER_MAX_ORDER; ++j) free(v[j]);
    return st;
}

/* ---- The mean over networks --------------------------------------------------------------------- */

static const double FAR = 6.0; /* standard errors by which a mean of 0 may be off */

/* K3 and K5 average to 0, whatever the width: the one thing to say of them is whether they do. */
static void report_odd(cli *c, int order, const cli_average *a)
{
    const double off = 1.0 / a->reached.relative;
    if (a->opt.shape.doubled) {
        cli_say(c, "K%d of an antisymmetric network is 0: entries are rounding\n", order);
        return;
    }
    cli_say(c, "the mean of K%d is 0: measured %.2f standard errors (Frobenius)\n", order, off);
    nth_json_set_double(c->json, "standard_errors_from_zero", off);
    if (!(off <= FAR)) ++c->failed_checks;
}

static nth_status expected(cli *c, const cli_problem *p, nth_file **f)
{
    nth_status     st = NTH_OK;
    const int      order = (int)c->cfg->order;
    double        *v[NTH_HIER_MAX_ORDER] = { 0 };
    nth_blocks     mean = { 0 }, se = { 0 };
    nth_activation act;
    cli_average    a;
    char           name[8], name_se[8];
    CLI_TRY(nth_activation_parse(&act, c->cfg->activation));
    CLI_TRY(read_directions(c, v, p->n));
    CLI_TRY(cli_blocks_create(c, &mean, p->n, p->k, true));
    CLI_TRY(cli_blocks_create(c, &se, p->n, p->k, true));
    CLI_TRY(cli_average_begin(&a, c, act, p, strcmp(c->cfg->mean_init, "antisymmetric") == 0));
    if (order % 2 == 1) a.opt.target = 0.0; /* check_options sees to a fixed number */
    CLI_TRY(nth_hier_mean(&mean, &se, &a.reached, &a.opt, p->X, p->X_test, order, (const double *const *)v));
    CLI_TRY(cli_average_report(&a, *f));
    if (order % 2 == 1) report_odd(c, order, &a);
    CLI_TRY(nth_file_set_double(*f, "/", "power_of_width", 0.5 * order - 1.0));
    snprintf(name, sizeof name, "K%d", order);
    snprintf(name_se, sizeof name_se, "K%d_se", order);
    CLI_TRY(cli_blocks_write(*f, name, &mean));
    CLI_TRY(cli_blocks_write(*f, name_se, &se));
    CLI_TRY(nth_file_commit(f));
    cli_report_blocks(c, name, &mean);
    cli_report_blocks(c, name_se, &se);
done:
    cli_progress_end(c);
    cli_blocks_free(&mean);
    cli_blocks_free(&se);
    for (int j = 0; j < NTH_HIER_MAX_ORDER; ++j) free(v[j]);
    return st;
}

/* ---- The whole tensor --------------------------------------------------------------------------- */

/* Tensors (rows, cols, n) or (rows, cols, n, n) of the three blocks. */
typedef struct tensors {
    double   *a[3];
    ptrdiff_t rows[3], cols[3];
    ptrdiff_t slices; /* n or n^2 */
} tensors;

/* Slice s of the tensors is the contraction with the unit vectors that s numbers. */
static void put_slice(tensors *t, const nth_blocks *K, ptrdiff_t s)
{
    const nth_mat block[] = { K->train, K->test, K->test_test };
    for (int b = 0; b < 3; ++b)
        for (ptrdiff_t e = 0; block[b].a != NULL && e < block[b].rows * block[b].cols; ++e)
            t->a[b][e * t->slices + s] = block[b].a[e];
}

static nth_status fill(cli *c, tensors *t, const cli_problem *p)
{
    nth_status st = NTH_OK;
    const int  order = (int)c->cfg->order;
    double    *unit = NULL;
    nth_blocks K = { 0 };
    CLI_TRY(cli_doubles(c, &unit, 2.0 * (double)p->n, "direction"));
    CLI_TRY(cli_blocks_create(c, &K, p->n, p->k, true));
    cli_progress_begin(c, "slices", t->slices);
    for (ptrdiff_t s = 0; s < t->slices; ++s) { /* (u, v): s = i n + j, third and fourth index */
        double *const   u = unit, *const v = unit + p->n;
        const ptrdiff_t i = order == 3 ? s : s / p->n, j = s % p->n;
        u[i] = 1.0, v[j] = 1.0;
        CLI_TRY(nth_hier_contract(&K, p->net, p->X, p->X_test, order, (const double *const[]){ u, v }));
        u[i] = 0.0, v[j] = 0.0;
        put_slice(t, &K, s);
        cli_progress_update(c, s + 1);
        if (cli_interrupted()) CLI_TRY(NTH_E_INTERRUPTED);
    }
done:
    cli_progress_end(c);
    cli_blocks_free(&K);
    free(unit);
    return st;
}

static nth_status dense(cli *c, const cli_problem *p, nth_file **f)
{
    nth_status   st = NTH_OK;
    const int    order = (int)c->cfg->order;
    const double n = (double)p->n, k = (double)p->k, slices = order == 3 ? n : n * n;
    char         path[32];
    tensors      t = { .rows = { p->n, p->k, p->k }, .cols = { p->n, p->n, p->k } };
    snprintf(path, sizeof path, "/K%d for %td inputs", order, p->n);
    CLI_TRY(cli_memory_check(c, 8.0 * slices * (n * n + k * n + k * k), path));
    t.slices = (ptrdiff_t)slices;
    for (int b = 0; b < (p->k > 0 ? 3 : 1); ++b)
        CLI_TRY(cli_doubles(c, &t.a[b], slices * (double)t.rows[b] * (double)t.cols[b], path));
    CLI_TRY(fill(c, &t, p));
    for (int b = 0; b < (p->k > 0 ? 3 : 1); ++b) {
        snprintf(path, sizeof path, "/K%d%s", order, cli_block_suffix[b]);
        CLI_TRY(nth_file_write(*f, path, t.a[b], order, (const ptrdiff_t[]){ t.rows[b], t.cols[b], p->n, p->n }));
    }
    CLI_TRY(nth_file_commit(f));
    for (int b = 0; b < (p->k > 0 ? 3 : 1); ++b) {
        snprintf(path, sizeof path, "/K%d%s", order, cli_block_suffix[b]);
        cli_report_dataset(c, path, t.a[b], order, (const ptrdiff_t[]){ t.rows[b], t.cols[b], p->n, p->n });
    }
done:
    for (int b = 0; b < 3; ++b) free(t.a[b]);
    return st;
}

/* ---- The prediction ----------------------------------------------------------------------------- */

/* Terms of all times behind one another, so that they are written as they lie. */
typedef struct prediction {
    ptrdiff_t   T, n, k;
    double     *train[3], *test[3]; /* term3, term4, Khat: (T, n, n) and (T, k, n) */
    nth_blocks *view[2];            /* (T) of term3 and term4 */
    nth_blocks  K0;
} prediction;

static const char *const part[] = { "term3", "term4", "Khat" };

static nth_status prediction_create(cli *c, prediction *P, ptrdiff_t T, ptrdiff_t n, ptrdiff_t k)
{
    nth_status   st = NTH_OK;
    const double train = (double)T * (double)n * (double)n, test = (double)T * (double)k * (double)n;
    *P = (prediction){ .T = T, .n = n, .k = k };
    CLI_TRY(cli_memory_check(c, 24.0 * (train + test), "kernels at all times"));
    for (int i = 0; i < 3; ++i) {
        CLI_TRY(cli_doubles(c, &P->train[i], train, part[i]));
        CLI_TRY(cli_doubles(c, &P->test[i], test, part[i]));
    }
    CLI_TRY(cli_blocks_create(c, &P->K0, n, k, false));
    for (int i = 0; i < 2; ++i) {
        P->view[i] = calloc((size_t)T, sizeof *P->view[i]);
        if (P->view[i] == NULL) CLI_TRY(cli_fail(c, NTH_E_NOMEM, "out of memory"));
        for (ptrdiff_t t = 0; t < T; ++t) {
            P->view[i][t].train = nth_mat_of(P->train[i] + t * n * n, n, n);
            if (k > 0) P->view[i][t].test = nth_mat_of(P->test[i] + t * k * n, k, n);
        }
    }
done:
    return st;
}

static void prediction_free(prediction *P)
{
    for (int i = 0; i < 3; ++i) free(P->train[i]), free(P->test[i]);
    for (int i = 0; i < 2; ++i) free(P->view[i]);
    cli_blocks_free(&P->K0);
}

/* Khat = K0 + term3 + term4 (the signs of E27 are in the terms). */
static void sum_terms(double *const *term, const nth_mat K0, ptrdiff_t T)
{
    const ptrdiff_t size = K0.rows * K0.cols;
    for (ptrdiff_t t = 0; t < T; ++t)
        for (ptrdiff_t e = 0; e < size; ++e)
            term[2][t * size + e] = K0.a[e] + term[0][t * size + e] + term[1][t * size + e];
}

static nth_status prediction_write(const cli *c, const prediction *P, nth_file *f)
{
    nth_status st = NTH_OK;
    char       path[32];
    CLI_TRY(nth_file_write(f, "/t", c->cfg->times.v, 1, &P->T));
    CLI_TRY(cli_blocks_write(f, "K0", &P->K0));
    for (int i = 0; i < 3; ++i) {
        snprintf(path, sizeof path, "/%s", part[i]);
        CLI_TRY(nth_file_write(f, path, P->train[i], 3, (const ptrdiff_t[]){ P->T, P->n, P->n }));
        snprintf(path, sizeof path, "/%s_test", part[i]);
        if (P->k > 0) CLI_TRY(nth_file_write(f, path, P->test[i], 3, (const ptrdiff_t[]){ P->T, P->k, P->n }));
    }
done:
    return st;
}

static void prediction_report(cli *c, const prediction *P)
{
    nth_json       *rows = nth_json_array();
    const ptrdiff_t size = P->n * P->n;
    const double    most0 = cli_max_abs(P->K0.train.a, size);
    cli_say(c, "largest entry of K0 %.6g\n%12s %16s %16s %16s\n", most0, "t", "largest term3", "largest term4",
            "largest Khat");
    nth_json_set_double(c->json, "K0", most0);
    for (ptrdiff_t t = 0; t < P->T; ++t) {
        nth_json *o = nth_json_object();
        double    most[3];
        for (int i = 0; i < 3; ++i) most[i] = cli_max_abs(P->train[i] + t * size, size);
        cli_say(c, "%12.6g %16.6g %16.6g %16.6g\n", c->cfg->times.v[t], most[0], most[1], most[2]);
        if (isinf(c->cfg->times.v[t])) nth_json_set_string(o, "t", "inf");
        else nth_json_set_double(o, "t", c->cfg->times.v[t]);
        for (int i = 0; i < 3; ++i) nth_json_set_double(o, part[i], most[i]);
        nth_json_append(rows, o);
    }
    nth_json_set(c->json, "times", rows);
}

static nth_status khat(cli *c, const cli_problem *p, nth_file **f)
{
    nth_status           st = NTH_OK;
    prediction           P;
    const nth_khat_route route = strcmp(c->cfg->route, "svd") == 0          ? NTH_KHAT_SVD
                                 : strcmp(c->cfg->route, "quadrature") == 0 ? NTH_KHAT_QUADRATURE
                                                                            : NTH_KHAT_CURVE;
    CLI_TRY(prediction_create(c, &P, c->cfg->times.n, p->n, p->k));
    cli_progress_call(c, "predicted kernel");
    CLI_TRY(nth_hier_khat(&P.K0, P.view[0], P.view[1], p->net, p->X, p->X_test, p->data->y.a, P.T, c->cfg->times.v,
                          route));
    cli_progress_end(c);
    if (cli_interrupted()) CLI_TRY(NTH_E_INTERRUPTED);
    sum_terms(P.train, P.K0.train, P.T);
    if (P.k > 0) sum_terms(P.test, P.K0.test, P.T);
    CLI_TRY(prediction_write(c, &P, *f));
    CLI_TRY(nth_file_commit(f));
    prediction_report(c, &P);
done:
    prediction_free(&P);
    return st;
}

/* ---- The command -------------------------------------------------------------------------------- */

/* Options of an architecture and its average belong to --expected, a network file to all else. */
static nth_status check_expected(cli *c)
{
    static const char *const own[] = { "activation", "depth", "width", "init", "networks", "rse", "sigma-w", "sigma-b", "input-scale" };
    const nth_config        *cfg = c->cfg;
    for (size_t i = 0; !cfg->expected && i < sizeof own / sizeof *own; ++i)
        if (nth_config_given(cfg, own[i])) return cli_fail(c, NTH_E_ARG, "--%s goes with --expected only", own[i]);
    if (!cfg->expected) return cfg->net != NULL ? NTH_OK : cli_fail(c, NTH_E_ARG, "--net FILE is missing: network file");
    if (cfg->net != NULL) return cli_fail(c, NTH_E_ARG, "--net does not go with --expected; it is a mean over networks");
    if (cfg->khat || cfg->dense) return cli_fail(c, NTH_E_ARG, "--%s does not go with --expected", cfg->khat ? "khat" : "dense");
    if (cfg->order % 2 == 1 && (nth_config_given(cfg, "rse") || !nth_config_given(cfg, "networks")))
        return cli_fail(c, NTH_E_ARG, "--order %d --expected takes --networks and no --rse: its mean is 0", (int)cfg->order);
    return NTH_OK;
}

static nth_status check_options(cli *c)
{
    const nth_config *cfg = c->cfg;
    const int         order = (int)cfg->order;
    const char       *mode = cfg->khat ? "--khat" : "--dense";
    if (cfg->khat && cfg->dense) return cli_fail(c, NTH_E_ARG, "--khat does not go with --dense");
    if (cfg->khat && nth_config_given(cfg, "order"))
        return cli_fail(c, NTH_E_ARG, "--order does not go with --khat; its terms are of order 2, 3 and 4");
    if (cfg->khat && cfg->times.n == 0) return cli_fail(c, NTH_E_ARG, "--khat needs --times");
    if (!cfg->khat && cfg->times.n > 0) return cli_fail(c, NTH_E_ARG, "--times goes with --khat only");
    if (!cfg->khat && nth_config_given(cfg, "route")) return cli_fail(c, NTH_E_ARG, "--route goes with --khat only");
    if ((cfg->khat || cfg->dense) && cfg->direction.n > 0)
        return cli_fail(c, NTH_E_ARG, "--direction does not go with %s", mode);
    if (cfg->dense && order != 3 && order != 4)
        return cli_fail(c, NTH_E_ARG, "--dense is for --order 3 and 4, found %d", order);
    if (!cfg->khat && !cfg->dense && cfg->direction.n != order - 2)
        return cli_fail(c, NTH_E_ARG, "--order %d needs %d --direction, found %td", order, order - 2, cfg->direction.n);
    return NTH_OK;
}

nth_status cmd_hierarchy(cli *c)
{
    nth_status  st = NTH_OK;
    cli_problem p = { 0 };
    nth_file   *f = NULL;
    CLI_TRY(check_options(c));
    CLI_TRY(check_expected(c));
    CLI_TRY(cli_problem_load(c, &p, !c->cfg->expected, c->cfg->khat));
    if (p.net != NULL) CLI_TRY(cli_one_output(c, &p));
    CLI_TRY(cli_create(c, &f));
    CLI_TRY(c->cfg->khat ? khat(c, &p, &f) : c->cfg->dense ? dense(c, &p, &f) : c->cfg->expected ? expected(c, &p, &f) : contract(c, &p, &f));
    cli_say(c, "written to %s\n", c->cfg->out);
    nth_json_set_string(c->json, "out", c->cfg->out);
done:
    cli_discard(c, &f);
    cli_problem_free(&p);
    return st;
}
