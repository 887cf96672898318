/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * K^(NTH) of a fully connected network on a data set with one column of targets (kernel_nth.h): two layers
 * by exact sums or sampled neurons, any depth by the mean over networks.
 */
#include "kernel_nth.h"
#include "average.h"
#include "kernel_state.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "nth/expected.h"
#include "nth/sampled.h"

enum { LEAST = 10240 }; /* draws */

/* What the three results of a run need: the blocks that --test-test asks for. */
typedef struct parts {
    nth_blocks agnostic, label, se;
} parts;

typedef enum mode { EXACT = 1, SAMPLED = 2, NETWORKS = 4 } mode;

static mode mode_of(const cli *c)
{
    return strcmp(c->cfg->mode, "exact") == 0 ? EXACT : strcmp(c->cfg->mode, "networks") == 0 ? NETWORKS : SAMPLED;
}

static const struct {
    const char *option;
    unsigned    modes;
    const char *with;
} belongs[] = {
    { "rse", SAMPLED | NETWORKS, "sampled and networks; exact values have no such error" },
    { "draws", SAMPLED, "sampled" },
    { "networks", NETWORKS, "networks" },
    { "width", NETWORKS, "networks; two layers have the same K^(NTH) at every width" },
    { "sigma-b", NETWORKS, "networks; the other two have no biases" },
};

static nth_status check(cli *c, nth_activation *act)
{
    const nth_config *cfg = c->cfg;
    const mode        how = mode_of(c);
    if (cfg->depth != 2 && how != NETWORKS)
        return cli_fail(c, NTH_E_ARG, "--depth %lld: --mode %s is for two layers; deeper networks go with --mode networks",
                        (long long)cfg->depth, cfg->mode);
    if (nth_activation_parse(act, cfg->kernel_activation) != NTH_OK)
        return cli_fail(c, NTH_E_ARG, "--activation %s: K^(NTH) takes tanh erf softplus gelu sin relu linear quadratic",
                        cfg->kernel_activation);
    if (how == EXACT && *act != NTH_ACT_RELU && *act != NTH_ACT_ERF)
        return cli_fail(c, NTH_E_ARG, "--mode exact has relu and erf; %s goes with --mode sampled", cfg->kernel_activation);
    if (how == EXACT && cfg->sigma_w != 1.0)
        return cli_fail(c, NTH_E_ARG, "--mode exact takes --sigma-w 1; other scales go with --mode sampled");
    for (size_t i = 0; i < sizeof belongs / sizeof *belongs; ++i)
        if (!(belongs[i].modes & (unsigned)how) && nth_config_given(cfg, belongs[i].option))
            return cli_fail(c, NTH_E_ARG, "--%s goes with --mode %s", belongs[i].option, belongs[i].with);
    return NTH_OK;
}

typedef struct watch {
    cli       *c;
    cli_state *state;
    ptrdiff_t  start;  /* batches of earlier runs */
    nth_status failed; /* of saving the state */
} watch;

static bool keep_going(const nth_sampled_result *so_far, void *ctx)
{
    watch       *w = ctx;
    cli         *c = w->c;
    const double draws = (double)so_far->draws, needed = fmax(draws * pow(so_far->relative / c->cfg->rse, 2.0), (double)LEAST);
    c->progress.had = w->start * (so_far->draws / so_far->batches);
    c->progress.total = (ptrdiff_t)fmin(fmax(needed, draws), (double)c->cfg->draws);
    cli_progress_update(c, so_far->draws);
    if (w->state != NULL) w->failed = cli_state_keep(w->state, so_far->batches, cli_interrupted());
    return w->failed == NTH_OK && !cli_interrupted();
}

static double flow_time(const cli *c) { return nth_config_given(c->cfg, "time") ? c->cfg->kernel_time : INFINITY; }

static nth_sampled_options sampling(cli *c, nth_activation act)
{
    const nth_config *cfg = c->cfg;
    return (nth_sampled_options){ .activation = act, .sigma_w = cfg->sigma_w, .target = cfg->rse,
                                  .input_scale = cli_input_scale(cfg),
                                  .most = (ptrdiff_t)cfg->draws, .least = LEAST, .seed = cfg->seed, .progress = keep_going };
}

/* A fold whose labels' part is known less well than --rse asks for is a check that does not hold. */
static void judge_fold(cli *c, double relative, double target)
{
    if (target == 0.0 || relative <= target) return;
    ++c->failed_checks;
    cli_say(c, "a fold: relative standard error %.3g (asked %.3g)\n", relative, target);
}

/* Running means and sums of squares: what a sampling keeps. */
static nth_status each_block(void *ctx, nth_file *f, bool write)
{
    const parts *b = ctx;
    nth_status   st = NTH_OK;
    for (int set = 0; set < 2; ++set) {
        const nth_blocks *of = set == 0 ? &b->label : &b->se;
        const nth_mat     block[] = { of->train, of->test, of->test_test };
        for (int i = 0; i < 3; ++i) {
            char path[32];
            snprintf(path, sizeof path, "/%s%s", set == 0 ? "mean" : "scatter", cli_block_suffix[i]);
            if (block[i].a != NULL) CLI_TRY(cli_state_matrix(f, path, block[i], write));
        }
    }
done:
    return st;
}

/* With a file: its figures go there, and it can be interrupted. Without: a fold. */
static nth_status sampled(cli *c, const cli_problem *p, const double *y, nth_activation act, parts *b, nth_file *f, cli_state *state)
{
    nth_status          st = NTH_OK;
    nth_sampled_result  res;
    watch               w = { .c = c, .state = state };
    nth_sampled_options opt = sampling(c, act);
    if (f != NULL) CLI_TRY(cli_state_begin(state, c, p, each_block, b, &w.start));
    opt.start = w.start, opt.ctx = &w;
    cli_progress_begin(c, "draws", (ptrdiff_t)c->cfg->draws);
    st = nth_sampled_label(&b->agnostic, &b->label, &b->se, &res, p->X, p->X_test, y, flow_time(c), &opt);
    if (w.failed != NTH_OK) st = w.failed;
    else if (st == NTH_E_INTERRUPTED && f != NULL)
        st = cli_fail(c, st, "interrupted; the same command goes on after %td draws (%s)", res.draws, state->path);
    CLI_TRY(st);
    if (f == NULL) {
        judge_fold(c, res.relative, c->cfg->rse);
        goto done;
    }
    if (!(res.relative <= c->cfg->rse)) ++c->failed_checks;
    CLI_TRY(nth_file_set_double(f, "/", "draws", (double)res.draws));
    CLI_TRY(nth_file_set_double(f, "/", "relative_standard_error", res.relative));
    CLI_TRY(cli_blocks_write(f, "K_label_se", &b->se));
    cli_say(c, "%td draws in %td batches, relative standard error %.3g (asked %.3g)\n", res.draws, res.batches, res.relative, c->cfg->rse);
    nth_json_set_int(c->json, "draws", res.draws);
    nth_json_set_double(c->json, "relative_standard_error", res.relative);
done:
    cli_progress_end(c);
    return st;
}

static nth_status over_networks(cli *c, const cli_problem *p, const double *y, nth_activation act, parts *b, nth_file *f)
{
    nth_status  st = NTH_OK;
    cli_average a;
    CLI_TRY(cli_average_begin(&a, c, act, p, false));
    CLI_TRY(nth_hier_mean_label(&b->agnostic, &b->label, &b->se, &a.reached, &a.opt, p->X, p->X_test, y, flow_time(c)));
    if (f == NULL) {
        judge_fold(c, a.reached.relative, a.opt.target);
        goto done;
    }
    CLI_TRY(cli_average_report(&a, f));
    CLI_TRY(cli_blocks_write(f, "K_label_se", &b->se));
done:
    cli_progress_end(c);
    return st;
}

static nth_status exact(cli *c, const cli_problem *p, const double *y, nth_activation act, parts *b)
{
    nth_status                st = NTH_OK;
    const nth_expected_config cfg = { .activation = act, .almost_everywhere = act == NTH_ACT_RELU };
    nth_label_kernel          K = { .K2 = b->agnostic, .LA = b->label };
    double                   *scaled = NULL;
    CLI_TRY(cli_scaled_inputs(c, &scaled, p));
    CLI_TRY(nth_label_aware(&K, &cfg, nth_cmat_of(scaled, p->n, p->X.cols), nth_cmat_of(scaled + p->n * p->X.cols, p->k, p->X.cols),
                            y, flow_time(c), NTH_LABEL_EXACT));
done:
    free(scaled);
    return st;
}

/* ---- Folds -------------------------------------------------------------------------------------- */

typedef struct fold {
    cli_problem p; /* X: samples kept, X_test: samples held out; no data of its own */
    ptrdiff_t  *order; /* those kept, then those held out */
    double     *x, *y;
    parts       b;
} fold;

static void fold_free(fold *f)
{
    free(f->order), free(f->x), free(f->y);
    cli_blocks_free(&f->b.agnostic);
    cli_blocks_free(&f->b.label);
    cli_blocks_free(&f->b.se);
}

static nth_status fold_create(cli *c, fold *f, const cli_problem *p, const double *y, const double *number, double which, bool se)
{
    nth_status      st = NTH_OK;
    const ptrdiff_t n = p->n, d = p->X.cols;
    ptrdiff_t       row = 0;
    *f = (fold){ .order = malloc((size_t)n * sizeof *f->order) };
    if (f->order == NULL) CLI_TRY(cli_fail(c, NTH_E_NOMEM, "out of memory"));
    CLI_TRY(cli_doubles(c, &f->x, (double)n * (double)d, "inputs of a fold"));
    CLI_TRY(cli_doubles(c, &f->y, (double)n, "targets of a fold"));
    for (int held = 0; held < 2; ++held) {
        for (ptrdiff_t i = 0; i < n; ++i)
            if ((number[i] == which) == (held == 1)) {
                memcpy(f->x + row * d, p->X.a + i * p->X.ld, (size_t)d * sizeof *f->x);
                f->y[row] = y[i], f->order[row++] = i;
            }
        if (held == 0) f->p.n = row;
    }
    f->p.k = n - f->p.n;
    f->p.X = nth_cmat_of(f->x, f->p.n, d), f->p.X_test = nth_cmat_of(f->x + f->p.n * d, f->p.k, d);
    CLI_TRY(cli_blocks_create(c, &f->b.agnostic, f->p.n, f->p.k, false));
    CLI_TRY(cli_blocks_create(c, &f->b.label, f->p.n, f->p.k, false));
    if (se) CLI_TRY(cli_blocks_create(c, &f->b.se, f->p.n, f->p.k, false));
done:
    return st;
}

/* /fold_N/K_label (n,n): what is known without the labels held out; pairs of two held-out samples stay 0. */
static nth_status fold_write(cli *c, const fold *f, ptrdiff_t number, nth_file *file)
{
    nth_status      st = NTH_OK;
    const ptrdiff_t n = f->p.n + f->p.k;
    double         *Z = NULL;
    char            path[48];
    CLI_TRY(cli_doubles(c, &Z, (double)n * (double)n, "kernel of a fold"));
    for (ptrdiff_t i = 0; i < n; ++i)
        for (ptrdiff_t j = 0; j < f->p.n; ++j) {
            const double    v = i < f->p.n ? f->b.label.train.a[i * f->p.n + j] : f->b.label.test.a[(i - f->p.n) * f->p.n + j];
            const ptrdiff_t a = f->order[i], b = f->order[j];
            Z[a * n + b] = Z[b * n + a] = v;
        }
    snprintf(path, sizeof path, "/fold_%td/K_label", number);
    CLI_TRY(nth_file_write(file, path, Z, 2, (const ptrdiff_t[]){ n, n }));
done:
    free(Z);
    return st;
}

/* number (n): the fold of each sample. */
static nth_status folds(cli *c, const cli_problem *p, const double *y, nth_activation act, const double *number, ptrdiff_t count, nth_file *file)
{
    nth_status st = NTH_OK;
    const mode how = mode_of(c);
    fold       f = { 0 };
    for (ptrdiff_t i = 1; i <= count; ++i) {
        CLI_TRY(fold_create(c, &f, p, y, number, (double)i, how != EXACT));
        CLI_TRY(how == EXACT     ? exact(c, &f.p, f.y, act, &f.b)
                : how == SAMPLED ? sampled(c, &f.p, f.y, act, &f.b, NULL, NULL)
                                 : over_networks(c, &f.p, f.y, act, &f.b, NULL));
        CLI_TRY(fold_write(c, &f, i, file));
        fold_free(&f);
        f = (fold){ 0 };
    }
    CLI_TRY(nth_file_write(file, "/fold", number, 1, &p->n));
    CLI_TRY(nth_file_set_ints(file, "/", "folds", (const int64_t[]){ count }, 1));
    cli_say(c, "/fold_1/K_label%s made without the labels held out (/fold)\n", count > 1 ? " and so on:" : "");
done:
    fold_free(&f);
    return st;
}

/* A zero input has a zero row of the kernel: no inverse, and so no limit t = inf. */
static nth_status check_inputs(cli *c, const cli_problem *p)
{
    for (ptrdiff_t i = 0; i < p->n && isinf(flow_time(c)); ++i)
        if (cli_max_abs(p->X.a + i * p->X.ld, p->X.cols) == 0.0)
            return cli_fail(c, NTH_E_NUMERIC, "%s: training input %td has norm zero, so its kernel has no inverse and t = inf no value; leave it out or give --time T",
                            c->cfg->data, i);
    return NTH_OK;
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
    cli_state      state = { 0 };
    double        *y = NULL, *number = NULL;
    ptrdiff_t      fold_count = 0;
    nth_activation act;
    const mode     how = mode_of(c);
    const bool     corner = strcmp(c->cfg->test_test, "yes") == 0, is_exact = how == EXACT;
    const double   N = (double)(p->n + p->k), n = (double)p->n, k = (double)p->k;
    CLI_TRY(check(c, &act));
    CLI_TRY(check_inputs(c, p));
    if (is_exact && p->n > 150)
        CLI_TRY(cli_fail(c, NTH_E_ARG, "--mode exact holds about 150 training inputs, here are %td; take --mode sampled", p->n));
    CLI_TRY(cli_memory_check(c, 8.0 * (6.0 * (N * n + (corner ? k * k : 0.0)) + 5.0 * n * n + N * (2.0 * (double)p->X.cols + 10.0 * 512.0)), "K^(NTH)"));
    CLI_TRY(cli_blocks_create(c, &b.agnostic, p->n, p->k, corner));
    CLI_TRY(cli_blocks_create(c, &b.label, p->n, p->k, corner));
    if (!is_exact) CLI_TRY(cli_blocks_create(c, &b.se, p->n, p->k, corner));
    CLI_TRY(cli_folds(c, &fold_count, &number, p->n, false)); /* a mistake is found before hours of work */
    CLI_TRY(cli_create(c, &f));
    CLI_TRY(cli_doubles(c, &y, n, "targets"));
    memcpy(y, p->data->y.a, (size_t)p->n * sizeof *y);
    if (nth_config_given(c->cfg, "permute-labels"))
        CLI_TRY(nth_data_permute(nth_mat_of(y, p->n, 1), nth_const(p->data->y), c->cfg->permute_labels));
    CLI_TRY(is_exact ? exact(c, p, y, act, &b) : how == SAMPLED ? sampled(c, p, y, act, &b, f, &state) : over_networks(c, p, y, act, &b, f));
    CLI_TRY(cli_blocks_write(f, "K_agnostic", &b.agnostic));
    CLI_TRY(cli_blocks_write(f, "K_label", &b.label));
    CLI_TRY(cli_diagonal_write(c, f, "K_agnostic", &b.agnostic));
    CLI_TRY(cli_diagonal_write(c, f, "K_label", &b.label));
    CLI_TRY(nth_file_set_string(f, "/", "form", act == NTH_ACT_RELU ? "almost everywhere" : "complete"));
    if (fold_count > 0) CLI_TRY(folds(c, p, y, act, number, fold_count, f));
    CLI_TRY(nth_file_commit(&f));
    cli_state_end(&state);
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
    free(y), free(number);
    return st;
}
