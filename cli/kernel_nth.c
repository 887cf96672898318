/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * K^(NTH) of a two-layer network on a data set with one column of targets (kernel_nth.h).
 */
#include "kernel_nth.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "nth/expected.h"
#include "nth/sampled.h"

/* What the three results of a run need: the blocks that --test-test asks for. */
typedef struct parts {
    nth_blocks agnostic, label, se;
} parts;

static nth_status check(cli *c, nth_activation *act)
{
    nth_status        st = NTH_OK;
    const nth_config *cfg = c->cfg;
    if (cfg->depth != 2)
        return cli_fail(c, NTH_E_ARG, "--depth %lld: K^(NTH) is computed for two-layer networks; deeper ones: average nth hierarchy over networks",
                        (long long)cfg->depth);
    if (nth_activation_parse(act, cfg->kernel_activation) != NTH_OK)
        return cli_fail(c, NTH_E_ARG, "--activation %s: K^(NTH) takes tanh erf softplus gelu sin relu linear quadratic",
                        cfg->kernel_activation);
    if (strcmp(cfg->mode, "exact") == 0 && *act != NTH_ACT_RELU && *act != NTH_ACT_ERF)
        return cli_fail(c, NTH_E_ARG, "--mode exact has relu and erf; %s goes with --mode sampled", cfg->kernel_activation);
    if (strcmp(cfg->mode, "exact") == 0 && cfg->sigma_w != 1.0)
        return cli_fail(c, NTH_E_ARG, "--mode exact takes --sigma-w 1; other scales go with --mode sampled");
    for (int i = 0; i < 2 && strcmp(cfg->mode, "exact") == 0; ++i)
        if (nth_config_given(cfg, i == 0 ? "rse" : "draws"))
            return cli_fail(c, NTH_E_ARG, "--%s goes with --mode sampled; exact values have no such error", i == 0 ? "rse" : "draws");
    return st;
}

static bool keep_going(ptrdiff_t draws, double relative, void *ctx)
{
    cli         *c = ctx;
    const double needed = (double)draws * pow(relative / c->cfg->rse, 2.0);
    c->progress.total = (ptrdiff_t)fmin(fmax(needed, (double)draws), (double)c->cfg->draws);
    cli_progress_update(c, draws);
    return !cli_interrupted();
}

static double flow_time(const cli *c) { return nth_config_given(c->cfg, "time") ? c->cfg->kernel_time : INFINITY; }

static nth_status sampled(cli *c, const cli_problem *p, nth_activation act, parts *b, nth_file *f)
{
    nth_status                st = NTH_OK;
    const nth_config         *cfg = c->cfg;
    nth_sampled_result        res;
    const nth_sampled_options opt = { .activation = act, .sigma_w = cfg->sigma_w, .target = cfg->rse,
                                      .input_scale = strcmp(cfg->input_scale, "one") == 0 ? NTH_INPUT_ONE : NTH_INPUT_FAN_IN,
                                      .most = (ptrdiff_t)cfg->draws, .least = 10240, .seed = cfg->seed,
                                      .progress = keep_going, .ctx = c };
    cli_progress_begin(c, "draws", (ptrdiff_t)cfg->draws);
    CLI_TRY(nth_sampled_label(&b->agnostic, &b->label, &b->se, &res, p->X, p->X_test, p->data->y.a, flow_time(c), &opt));
    CLI_TRY(nth_file_set_double(f, "/", "draws", (double)res.draws));
    CLI_TRY(nth_file_set_double(f, "/", "relative_standard_error", res.relative));
    CLI_TRY(cli_blocks_write(f, "K_label_se", &b->se));
    cli_say(c, "%td draws in %td batches, relative standard error %.3g (asked %.3g)\n", res.draws, res.batches, res.relative, cfg->rse);
    nth_json_set_int(c->json, "draws", res.draws);
    nth_json_set_double(c->json, "relative_standard_error", res.relative);
    if (!(res.relative <= cfg->rse)) ++c->failed_checks;
done:
    cli_progress_end(c);
    return st;
}

static nth_status exact(cli *c, const cli_problem *p, nth_activation act, parts *b)
{
    nth_status                st = NTH_OK;
    const nth_expected_config cfg = { .activation = act, .almost_everywhere = act == NTH_ACT_RELU };
    nth_label_kernel          K = { .K2 = b->agnostic, .LA = b->label };
    double                   *scaled = NULL;
    CLI_TRY(cli_scaled_inputs(c, &scaled, p));
    CLI_TRY(nth_label_aware(&K, &cfg, nth_cmat_of(scaled, p->n, p->X.cols), nth_cmat_of(scaled + p->n * p->X.cols, p->k, p->X.cols),
                            p->data->y.a, flow_time(c), NTH_LABEL_EXACT));
done:
    free(scaled);
    return st;
}

/* The paper's section 2.3: means over pairs of equal labels, with and without each point's pair with
 * itself, and of unequal labels. */
static void report_classes(cli *c, const cli_problem *p, nth_cmat label)
{
    double sum[2] = { 0 }, count[2] = { 0 }, self = 0.0;
    for (ptrdiff_t i = 0; i < p->n; ++i)
        if (fabs(p->data->y.a[i]) != 1.0) return;
    for (ptrdiff_t i = 0; i < p->n; ++i)
        for (ptrdiff_t j = 0; j < p->n; ++j) {
            const int equal = p->data->y.a[i] == p->data->y.a[j];
            if (i == j) self += label.a[i * label.ld + i];
            else sum[equal] += label.a[i * label.ld + j], count[equal] += 1.0;
        }
    if (count[0] == 0.0 || count[1] == 0.0) return;
    const double with_self = (sum[1] + self) / (count[1] + (double)p->n);
    cli_say(c, "mean of /K_label over pairs of equal labels %.6g (with self pairs %.6g), of unequal labels %.6g\n", sum[1] / count[1],
            with_self, sum[0] / count[0]);
    nth_json_set_double(c->json, "label_mean_equal_with_self", with_self);
    nth_json_set_double(c->json, "label_mean_equal", sum[1] / count[1]);
    nth_json_set_double(c->json, "label_mean_unequal", sum[0] / count[0]);
}

nth_status cli_kernel_nth(cli *c, const cli_problem *p)
{
    nth_status     st = NTH_OK;
    parts          b = { 0 };
    nth_file      *f = NULL;
    nth_activation act;
    const bool     corner = strcmp(c->cfg->test_test, "yes") == 0, is_exact = strcmp(c->cfg->mode, "exact") == 0;
    const double   N = (double)(p->n + p->k), n = (double)p->n, k = (double)p->k;
    CLI_TRY(check(c, &act));
    if (is_exact && p->n > 150)
        CLI_TRY(cli_fail(c, NTH_E_ARG, "--mode exact holds about 150 training inputs, here are %td; take --mode sampled", p->n));
    CLI_TRY(cli_memory_check(c, 8.0 * (8.0 * (N * n + (corner ? k * k : 0.0)) + 5.0 * n * n + N * (2.0 * (double)p->X.cols + 10.0 * 512.0)), "K^(NTH)"));
    CLI_TRY(cli_blocks_create(c, &b.agnostic, p->n, p->k, corner));
    CLI_TRY(cli_blocks_create(c, &b.label, p->n, p->k, corner));
    if (!is_exact) CLI_TRY(cli_blocks_create(c, &b.se, p->n, p->k, corner));
    CLI_TRY(cli_create(c, &f));
    CLI_TRY(is_exact ? exact(c, p, act, &b) : sampled(c, p, act, &b, f));
    CLI_TRY(cli_blocks_write(f, "K_agnostic", &b.agnostic));
    CLI_TRY(cli_blocks_write(f, "K_label", &b.label));
    CLI_TRY(cli_diagonal_write(c, f, "K_agnostic", &b.agnostic));
    CLI_TRY(cli_diagonal_write(c, f, "K_label", &b.label));
    CLI_TRY(nth_file_set_string(f, "/", "form", act == NTH_ACT_RELU ? "almost everywhere" : "complete"));
    CLI_TRY(nth_file_commit(&f));
    if (act == NTH_ACT_RELU) cli_say(c, "relu: the almost-everywhere form (a.e.), sigma'' = 0\n");
    cli_report_blocks(c, "K_agnostic", &b.agnostic);
    cli_report_blocks(c, "K_label", &b.label);
    if (!is_exact) cli_report_blocks(c, "K_label_se", &b.se);
    report_classes(c, p, nth_const(b.label.train));
done:
    cli_discard(c, &f);
    cli_blocks_free(&b.agnostic);
    cli_blocks_free(&b.label);
    cli_blocks_free(&b.se);
    return st;
}
