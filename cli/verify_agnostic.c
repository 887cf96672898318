/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Label-agnosticism (verify_agnostic.h; docs/equations.md). Two systems of labels on the same inputs:
 *
 *     signs     x = (u, v) + noise, labels u or v; the kernel x_1 x_1' solves u and knows nothing of v; with
 *               the label-aware Z (E78) of the labels at hand added it solves both
 *     images    synthetic:two-objects, labels by texture or by shape; the tangent kernel of one network
 *               before training (no labels in it) and after training on either system
 *
 * All predictions are ridge regression with a ridge of 0.01 of the kernel's mean diagonal entry.
 */
#include "verify_agnostic.h"
#include "label_kernel.h"
#include "problem.h"
#include "table.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "nth/regress.h"
#include "nth/rng.h"

enum { ROWS = 10, SIGNS = 200, HALF_WIDTH = 16 };
static const double RIDGE = 0.01, ERRORS = 3.0, SIGNIFICANT = 0.05, SIGN_NOISE = 0.05, TIME = 300.0;

static const char *const system_name[] = { "animal", "furniture" };

typedef struct agnostic {
    cli      *c;
    nth_json *rows;
    cli_table *lines;
    char      about[ROWS * 96]; /* what each row is about, a line each */
    double    row[3 * ROWS]; /* error, its standard error, 1 holds, 0 fails, NaN no verdict */
    ptrdiff_t count;
    nth_data *data[2];
    nth_blocks K0, Kt[2];
} agnostic;

typedef enum verdict { FAILS, HOLDS, NONE } verdict;

static void report(agnostic *a, const char *inputs, const char *kernel, const char *labels, nth_score s, const char *expected, verdict v)
{
    static const char *const word[] = { "FAILS", "holds", "-" };
    const double             error = 1.0 - s.value;
    const double             row[3] = { error, s.standard_error, v == NONE ? (double)NAN : (double)v };
    const char *const        text[] = { inputs, kernel, labels };
    for (int i = 0; i < 3; ++i) cli_table_put(a->lines, "%s", text[i]);
    cli_table_put(a->lines, "%.4f +- %.4f", error, s.standard_error);
    cli_table_put(a->lines, "%s", expected);
    cli_table_put(a->lines, "%s", word[v]);
    const size_t used = strlen(a->about);
    snprintf(a->about + used, sizeof a->about - used, "%s%s | %s | %s", a->count > 0 ? "\n" : "", inputs, kernel, labels);
    memcpy(a->row + 3 * a->count++, row, sizeof row);
    if (v == FAILS) ++a->c->failed_checks;
    if (a->rows == NULL) return;
    nth_json *o = nth_json_object();
    nth_json_set_string(o, "inputs", inputs);
    nth_json_set_string(o, "kernel", kernel);
    nth_json_set_string(o, "labels", labels);
    nth_json_set_double(o, "error", error);
    nth_json_set_double(o, "standard_error", s.standard_error);
    nth_json_set_string(o, "expected", expected);
    if (v != NONE) nth_json_set_string(o, "verdict", v == HOLDS ? "holds" : "fails");
    nth_json_append(a->rows, o);
}

/* Predictions F (k) from labels y by ridge regression. */
static nth_status predict(double *F, const nth_blocks *K, const double *y, ptrdiff_t n, ptrdiff_t k, double *alpha, nth_regress_method method)
{
    nth_status          st = NTH_OK;
    nth_regress        *r = NULL;
    nth_regress_options opt = { .method = method };
    for (ptrdiff_t i = 0; i < n; ++i) opt.ridge += RIDGE * K->train.a[i * K->train.ld + i] / (double)n;
    CLI_TRY(nth_regress_create(&r, nth_const(K->train), &opt));
    CLI_TRY(nth_regress_solve(nth_mat_of(alpha, n, 1), NULL, r, nth_cmat_of(y, n, 1)));
    CLI_TRY(nth_regress_predict(nth_mat_of(F, k, 1), nth_const(K->test), nth_cmat_of(alpha, n, 1), NULL));
done:
    nth_regress_destroy(&r);
    return st;
}

/* ---- Signs -------------------------------------------------------------------------------------- */

static double sign(const agnostic *a, ptrdiff_t i, uint64_t which)
{
    return nth_rand_uniform(a->c->cfg->seed, NTH_STREAM_LABELS, 0, 2 * (uint64_t)i + which) < 0.5 ? 1.0 : -1.0;
}

/* x_1 x_1' + lambda Z, Z made from the labels y of the training points by least squares (V1), the weight by E74 with r = 1.
 * It is indefinite. */
static nth_status aware_predict(double *F, nth_blocks *Z, const nth_blocks *K, nth_mat X, const double *y, double *alpha)
{
    nth_status              st = NTH_OK;
    const ptrdiff_t         n = K->train.rows, k = K->test.rows;
    nth_lantk              *z = NULL;
    const nth_lantk_source  src = { .X = nth_cblock(nth_const(X), 0, 0, n, 2), .X_test = nth_cblock(nth_const(X), n, 0, k, 2), .Y = nth_cmat_of(y, n, 1) };
    const nth_lantk_options opt = { .variant = NTH_LANTK_LS_V1 };
    CLI_TRY(cli_label_kernel(&z, Z, K, src, &opt));
    (void)cli_label_blend(Z, K, 1.0, nth_lantk_get_info(z, 0).mean_K);
    CLI_TRY(predict(F, Z, y, n, k, alpha, NTH_REGRESS_LDLT));
done:
    nth_lantk_destroy(&z);
    return st;
}

static nth_status signs(agnostic *a, ptrdiff_t k)
{
    static const char *const expected[] = { "0", "1/2 within 3 standard errors", "0", "0" };
    nth_status               st = NTH_OK;
    const ptrdiff_t          n = SIGNS;
    nth_blocks               K = { 0 }, Z = { 0 };
    double                  *x = NULL, *y = NULL, *F = NULL;
    CLI_TRY(cli_blocks_create(a->c, &K, n, k, false));
    CLI_TRY(cli_blocks_create(a->c, &Z, n, k, false));
    CLI_TRY(cli_doubles(a->c, &x, 2.0 * (double)(n + k), "inputs"));
    CLI_TRY(cli_doubles(a->c, &y, (double)(n + k), "labels"));
    CLI_TRY(cli_doubles(a->c, &F, (double)(n + k), "predictions"));
    nth_rand_normals(x, 2 * (n + k), a->c->cfg->seed, NTH_STREAM_INPUTS, 0, 0);
    for (ptrdiff_t e = 0; e < 2 * (n + k); ++e) x[e] = sign(a, e / 2, (uint64_t)e % 2) + SIGN_NOISE * x[e];
    for (ptrdiff_t i = 0; i < n + k; ++i)
        for (ptrdiff_t j = 0; j < n; ++j) (i < n ? K.train.a + i * n : K.test.a + (i - n) * n)[j] = x[2 * i] * x[2 * j];
    for (int q = 0; q < 4; ++q) {
        const int s = q % 2;
        nth_score score;
        for (ptrdiff_t i = 0; i < n + k; ++i) y[i] = sign(a, i, (uint64_t)s);
        if (q < 2) CLI_TRY(predict(F, &K, y, n, k, F + k, NTH_REGRESS_CHOLESKY));
        else CLI_TRY(aware_predict(F, &Z, &K, nth_mat_of(x, n + k, 2), y, F + k));
        CLI_TRY(nth_score_accuracy(&score, nth_cmat_of(F, k, 1), nth_cmat_of(y + n, k, 1)));
        const bool holds = q == 1 ? fabs(score.value - 0.5) <= ERRORS * sqrt(0.25 / (double)k) : score.right == k;
        report(a, "signs", q < 2 ? "x_1 x_1'" : "x_1 x_1' + lambda Z of them", s == 0 ? "u" : "v", score, expected[q], holds ? HOLDS : FAILS);
    }
done:
    cli_blocks_free(&K);
    cli_blocks_free(&Z);
    free(x), free(y), free(F);
    return st;
}

/* ---- Images ------------------------------------------------------------------------------------- */

static bool interrupted(void *ctx)
{
    (void)ctx;
    return cli_interrupted();
}

/* Kt of the network trained on the labels of one system. */
static nth_status train(agnostic *a, int s, const nth_net *net)
{
    nth_status             st = NTH_OK;
    const nth_data        *d = a->data[s];
    nth_flow              *flow = NULL;
    const nth_flow_options opt = { .stepper = NTH_STEPPER_COLLOCATION, .rtol = 1e-5, .interrupted = interrupted };
    CLI_TRY(nth_flow_create(&flow, net, nth_const(d->x), nth_const(d->x_test), d->y.a, &opt));
    CLI_TRY(nth_flow_advance(flow, TIME));
    CLI_TRY(nth_ntk_flow(&a->Kt[s], flow));
    cli_progress_update(a->c, s + 1);
done:
    nth_flow_destroy(&flow);
    return st;
}

static nth_status networks(agnostic *a, ptrdiff_t n, ptrdiff_t k)
{
    nth_status           st = NTH_OK;
    nth_net             *net = NULL;
    const ptrdiff_t      d = a->data[0]->x.cols;
    const nth_net_config cfg = { .activation = NTH_ACT_QUADRATIC, .layers = 2, .widths = { d, HALF_WIDTH, 1 }, .sigma_w = 1.0, .doubled = true };
    CLI_TRY(cli_blocks_create(a->c, &a->K0, n, k, false));
    for (int s = 0; s < 2; ++s) CLI_TRY(cli_blocks_create(a->c, &a->Kt[s], n, k, false));
    CLI_TRY(nth_net_create(&net, &cfg, true));
    nth_net_init_gaussian(net, a->c->cfg->seed, 0);
    CLI_TRY(nth_ntk_empirical(&a->K0, net, nth_const(a->data[0]->x), nth_const(a->data[0]->x_test)));
    cli_progress_begin(a->c, "networks", 2);
    for (int s = 0; s < 2; ++s) CLI_TRY(train(a, s, net));
done:
    cli_progress_end(a->c);
    nth_net_destroy(&net);
    return st;
}

/* One system of labels: before training, after training on these labels, after training on the others. */
static nth_status one_system(agnostic *a, int s, ptrdiff_t n, ptrdiff_t k)
{
    static const char *const kernel[] = { "K_0 of a network", "K_t, trained on them", "K_t, trained on the other labels" };
    nth_status               st = NTH_OK;
    const nth_data          *d = a->data[s];
    const nth_blocks        *K[3] = { &a->K0, &a->Kt[s], &a->Kt[1 - s] };
    double                  *F = NULL;
    const nth_cmat           y = nth_const(d->y_test);
    CLI_TRY(cli_doubles(a->c, &F, 3.0 * (double)k + (double)n, "predictions"));
    for (int q = 0; q < 3; ++q) {
        nth_score   score;
        nth_mcnemar m;
        char        expected[96] = "-";
        verdict     v = NONE;
        CLI_TRY(predict(F + q * k, K[q], d->y.a, n, k, F + 3 * k, NTH_REGRESS_CHOLESKY));
        CLI_TRY(nth_score_accuracy(&score, nth_cmat_of(F + q * k, k, 1), y));
        CLI_TRY(nth_mcnemar_compare(&m, nth_cmat_of(F + q * k, k, 1), nth_cmat_of(F, k, 1), y));
        if (q == 1) {
            v = m.difference > 0.0 && m.p < SIGNIFICANT ? HOLDS : FAILS;
            snprintf(expected, sizeof expected, "less than K_0: by %.4f +- %.4f, McNemar p = %.2g", m.difference, m.standard_error, m.p);
        } else if (q == 2) {
            snprintf(expected, sizeof expected, "no claim; less than K_0 by %+.4f +- %.4f", m.difference, m.standard_error);
        }
        report(a, "images", kernel[q], system_name[s], score, expected, v);
    }
done:
    free(F);
    return st;
}

static nth_status images(agnostic *a, ptrdiff_t n, ptrdiff_t k)
{
    nth_status st = NTH_OK;
    char       spec[160];
    for (int s = 0; s < 2; ++s) {
        snprintf(spec, sizeof spec, "synthetic:two-objects?n=%td&test=%td&seed=%llu&label=%s", n, k, (unsigned long long)a->c->cfg->seed,
                 system_name[s]);
        CLI_TRY(nth_data_load(&a->data[s], spec, NULL));
    }
    CLI_TRY(networks(a, n, k));
    for (int s = 0; s < 2; ++s) CLI_TRY(one_system(a, s, n, k));
done:
    return st;
}

/* ---- The check ---------------------------------------------------------------------------------- */

static nth_status check_options(cli *c)
{
    static const char *const others[] = { "data",  "widths", "seeds", "activation", "depth",   "init",    "bootstrap",
                                          "times", "rtol",   "stepper", "sigma-w",  "sigma-b", "input-scale", "pixels", "centre",
                                          "project", "project-seed", "unit-norm", "bias", "label-ratio" };
    for (size_t i = 0; i < sizeof others / sizeof *others; ++i)
        if (nth_config_given(c->cfg, others[i])) return cli_fail(c, NTH_E_ARG, "--%s does not go with claim-1.1", others[i]);
    return NTH_OK;
}

nth_status cli_verify_agnostic(cli *c)
{
    nth_status      st = NTH_OK;
    agnostic        a = { .c = c };
    nth_file       *f = NULL;
    const ptrdiff_t more = strcmp(c->cfg->preset, "full") == 0 ? 4 : strcmp(c->cfg->preset, "standard") == 0 ? 2 : 1;
    const ptrdiff_t n = 200 * more, k = 1000 * more;
    char            caption[128];
    CLI_TRY(check_options(c));
    CLI_TRY(cli_table_begin(c));
    if (c->json != NULL) a.rows = nth_json_array();
    nth_json_set(c->json, "rows", a.rows); /* the object holds it from here on */
    if (c->cfg->out != NULL) CLI_TRY(cli_create(c, &f));
    snprintf(caption, sizeof caption, "nth verify claim-1.1: two systems of labels, %td training and %td test images", n, k);
    a.lines = cli_table_create(caption, "inputs|kernel|labels|test error|expected|verdict");
    CLI_TRY(signs(&a, 4 * k));
    CLI_TRY(images(&a, n, k));
    if (f != NULL) {
        CLI_TRY(nth_file_write(f, "/rows", a.row, 2, (const ptrdiff_t[]){ a.count, 3 }));
        CLI_TRY(nth_file_set_string(f, "/rows", "lines", a.about));
        CLI_TRY(nth_file_commit(&f));
    }
    cli_table_say(c, a.lines);
    CLI_TRY(cli_table_end(c, (const cli_table *const[]){ a.lines }, 1));
    cli_say(c, c->failed_checks == 0 ? "\nAll checks hold.\n" : "\n%ld checks do not hold.\n", c->failed_checks);
done:
    cli_discard(c, &f);
    cli_table_destroy(&a.lines);
    cli_blocks_free(&a.K0);
    for (int s = 0; s < 2; ++s) cli_blocks_free(&a.Kt[s]), nth_data_destroy(&a.data[s]);
    return st;
}
