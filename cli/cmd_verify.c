/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * nth verify: the check asked for. theorem-2.1 and truncation: measured exponents against the theory's, with controls. The sweep is
 * the library's; here it is set up from the options, kept in the result file member by member, and
 * reported. Tables are in verify_table.c.
 */
#include "commands.h"
#include "verify_agnostic.h"
#include "verify_drift.h"
#include "verify_elasticity.h"
#include "verify_table.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "nth/build_info.h"

enum { TUPLES = 9 };         /* 2 p* + 1 for p* = 4, the level of Theorem 2.1 */
/* n^p numbers of a tensor and n^(p-2) contractions: four inputs are enough for the exponents. */
static const char   FEW_INPUTS[] = "synthetic:sphere?n=4&d=6&test=2&seed=1";
static const double FLUSH_SECONDS = 2.0; /* a killed run loses no more, or one network that takes longer */

typedef struct verify_run {
    cli       *c;
    nth_data  *data;
    nth_sweep *sweep;
    nth_file  *file;  /* NULL without --out */
    cli_table *table[2]; /* claims, preconditions */
    ptrdiff_t  done, ran; /* members there; of this run */
    time_t     started, flushed;
    bool       slow; /* networks take long enough to write each one to the disk at once */
} verify_run;

static bool interrupted(void *ctx)
{
    (void)ctx;
    return cli_interrupted();
}

/* A finished member goes to the file at once, to the disk every few seconds. */
static nth_status finished(ptrdiff_t family, ptrdiff_t width, ptrdiff_t seed, void *ctx)
{
    nth_status  st = NTH_OK;
    verify_run *run = ctx;
    (void)family, (void)width, (void)seed;
    cli_progress_update(run->c, ++run->done);
    run->slow = difftime(time(NULL), run->started) > 0.5 * (double)++run->ran;
    if (run->file == NULL) return NTH_OK;
    CLI_TRY(nth_sweep_write_members(run->sweep, run->file));
    if (difftime(time(NULL), run->flushed) >= FLUSH_SECONDS || run->slow) {
        CLI_TRY(nth_file_flush(run->file));
        run->flushed = time(NULL);
    }
done:
    return st;
}

static nth_status families(cli *c, nth_family *list, ptrdiff_t *count, nth_verdict_options *verdict)
{
    nth_status        st = NTH_OK;
    const nth_config *cfg = c->cfg;
    nth_activation    acts[NTH_ACT_COUNT];
    nth_preset_choice choice = { .check = cfg->check,
                                 .preset = cfg->preset,
                                 .activations = acts,
                                 .depths = cfg->depths.v,
                                 .n_depths = cfg->depths.n,
                                 .widths = cfg->sweep_widths.v,
                                 .n_widths = cfg->sweep_widths.n,
                                 .times = cfg->times.v,
                                 .n_times = cfg->times.n,
                                 .seeds = nth_config_given(cfg, "seeds") ? (ptrdiff_t)cfg->seeds : 0,
                                 .gaussian = cfg->inits == NULL || strcmp(cfg->inits, "antisymmetric") != 0,
                                 .antisymmetric = cfg->inits == NULL || strcmp(cfg->inits, "gaussian") != 0,
                                 .sigma_w = cfg->sigma_w,
                                 .sigma_b = cfg->sigma_b,
                                 .rtol = cfg->verify_rtol,
                                 .input_scale = cli_input_scale(cfg) };
    for (int k = 0; nth_stepper_name((nth_stepper)k) != NULL; ++k)
        if (strcmp(cfg->stepper, nth_stepper_name((nth_stepper)k)) == 0) choice.stepper = (nth_stepper)k;
    for (ptrdiff_t i = 0; i < cfg->activations.n && i < NTH_ACT_COUNT; ++i) {
        CLI_TRY(nth_activation_parse(&acts[i], cfg->activations.v[i]));
        choice.n_activations = i + 1;
    }
    CLI_TRY(nth_verify_preset(&choice, list, count, verdict));
done:
    return st;
}

/* Opens or continues the result file and takes up the members it holds. */
static nth_status open_file(verify_run *run)
{
    nth_status st = NTH_OK;
    bool       resumed = false;
    char       source[512];
    if (run->c->cfg->out == NULL) return NTH_OK;
    CLI_TRY(cli_resume(run->c, &run->file, &resumed));
    const int64_t hash = (int64_t)nth_sweep_hash(run->sweep);
    if (resumed) {
        int64_t   there = 0;
        ptrdiff_t one = 1;
        if (nth_file_has_attr(run->file, "/", "sweep_hash"))
            CLI_TRY(nth_file_get_ints(run->file, "/", "sweep_hash", &there, &one));
        if (there != hash) {
            st = cli_fail(run->c, NTH_E_FORMAT, "%s.partial: holds networks of other data or another preset; remove it or "
                          "choose another --out", run->c->cfg->out);
            goto done;
        }
        CLI_TRY(nth_sweep_read_members(run->sweep, run->file));
    }
    CLI_TRY(nth_file_set_ints(run->file, "/", "sweep_hash", &hash, 1));
    snprintf(source, sizeof source, "%s", run->data->source);
    CLI_TRY(nth_file_set_string(run->file, "/", "data", source));
    CLI_TRY(nth_file_set_ints(run->file, "/", "data_checksum", (const int64_t[]){ (int64_t)run->data->checksum }, 1));
    CLI_TRY(nth_file_flush(run->file));
done:
    return st;
}

static nth_status sweep(verify_run *run)
{
    nth_status st = NTH_OK;
    cli       *c = run->c;
    run->done = nth_sweep_done(run->sweep);
    run->started = time(NULL);
    if (!c->cfg->quiet)
        fprintf(stderr, "nth verify: %td networks (%td already there), at most %.0f MB for each of %d threads\n",
                nth_sweep_members(run->sweep), run->done, nth_sweep_member_bytes(run->sweep) * 1e-6, nth_threads_get());
    cli_progress_begin(c, "networks", nth_sweep_members(run->sweep));
    st = nth_sweep_run(run->sweep);
    cli_progress_end(c);
    if (run->file != NULL) {
        nth_status kept = nth_sweep_write_members(run->sweep, run->file);
        if (kept == NTH_OK) kept = nth_file_flush(run->file);
        if (st == NTH_OK) return kept;
        if (kept == NTH_OK) {
            char why[512];
            snprintf(why, sizeof why, "%s", st == NTH_E_INTERRUPTED ? "interrupted" : nth_last_error().message);
            (void)cli_fail(c, st, "%s; %td of %td networks are kept in %s.partial; the same command continues",
                           why, nth_sweep_done(run->sweep), nth_sweep_members(run->sweep), c->cfg->out);
        }
    }
    return st;
}

/* Claims, preconditions and the constant: the table, the JSON object, the datasets. */
static nth_status report(verify_run *run, const nth_family *list, ptrdiff_t count, const nth_verdict_options *verdict)
{
    nth_status st = NTH_OK;
    cli       *c = run->c;
    nth_claim *claims = NULL;
    ptrdiff_t  n_claims = 0;
    double     tuples[TUPLES];
    char      *text = NULL;
    nth_json  *json = NULL;
    CLI_TRY(nth_sweep_claims(run->sweep, verdict, &claims, &n_claims));
    CLI_TRY(nth_verify_input_tuples((nth_cmat){ run->data->x.a, run->data->x.rows, run->data->x.cols, run->data->x.ld },
                                    TUPLES, c->cfg->seed, tuples));
    cli_say(c, "# nth verify %s (%s): %s, %td training and %td test inputs of dimension %td\n\n", c->cfg->check, c->cfg->preset,
            run->data->source, run->data->x.rows, run->data->x_test.rows, run->data->x.cols);
    run->table[0] = verify_table_claims(c, run->data, list, claims, n_claims);
    CLI_TRY(verify_table_preconditions(&run->table[1], c, run->sweep, list, count, verdict->growth));
    cli_table_say(c, run->table[0]);
    cli_say(c, "\n");
    cli_table_say(c, run->table[1]);
    cli_say(c, "\nSmallest singular value of r training inputs, r = 1, 2, ..:");
    for (int r = 0; r < TUPLES; ++r) cli_say(c, " %.2g", tuples[r]);
    cli_say(c, "\n(0: r inputs in fewer than r dimensions are dependent; the theorem's input condition fails there.)\n");
    CLI_TRY(cli_table_end(c, (const cli_table *const[]){ run->table[0], run->table[1] }, 2));
    json = nth_sweep_json(run->sweep, claims, n_claims);
    nth_json_set_doubles(json, "input_tuples", tuples, TUPLES);
    nth_json_set_int(json, "failed_checks", c->failed_checks);
    if (run->file != NULL) {
        CLI_TRY(nth_json_text(&text, json, 0));
        CLI_TRY(nth_file_set_string(run->file, "/", "verdict", text));
        CLI_TRY(nth_sweep_write_rates(run->sweep, run->file));
    }
    nth_json_set(c->json, "result", json), json = NULL;
    bool theorem = false;
    for (ptrdiff_t i = 0; i < n_claims; ++i) theorem = theorem || strcmp(claims[i].kind, "theorem") == 0;
    if (!theorem) cli_say(c, "\nNo network here meets the theorem's hypotheses: these are controls only.\n");
    if (c->failed_checks == 0) cli_say(c, "\nAll checks hold.\n");
    else cli_say(c, "\n%ld checks do not hold.\n", c->failed_checks);
done:
    nth_json_text_free(text);
    nth_json_destroy(&json);
    nth_claims_free(&claims);
    return st;
}

nth_status cmd_verify(cli *c)
{
    nth_status          st = NTH_OK;
    verify_run          run = { .c = c };
    if (strcmp(c->cfg->check, "mean-drift") == 0) return cli_verify_drift(c);
    if (c->cfg->exponents) return cli_fail(c, NTH_E_ARG, "--exponents goes with mean-drift, not with %s", c->cfg->check);
    if (strcmp(c->cfg->check, "claim-1.1") == 0) return cli_verify_agnostic(c);
    if (strcmp(c->cfg->check, "elasticity") == 0) return cli_verify_elasticity(c);
    if (nth_config_given(c->cfg, "label-ratio")) return cli_fail(c, NTH_E_ARG, "--label-ratio goes with elasticity, not with %s", c->cfg->check);
    nth_family         *list = calloc(NTH_SWEEP_MAX_FAMILIES, sizeof *list);
    ptrdiff_t           count = 0;
    nth_verdict_options verdict;
    nth_sweep_options   opt = { .seed = c->cfg->seed, .bootstrap = (ptrdiff_t)c->cfg->bootstrap,
                                .interrupted = interrupted, .finished = finished, .ctx = &run };
    if (list == NULL) return cli_fail(c, NTH_E_NOMEM, "out of memory");
    if (strcmp(c->cfg->check, "truncation") == 0) CLI_TRY(nth_config_suggest(c->cfg, "data", FEW_INPUTS));
    CLI_TRY(families(c, list, &count, &verdict));
    CLI_TRY(cli_load_data(c, &run.data, c->cfg->data));
    CLI_TRY(nth_sweep_create(&run.sweep, run.data, list, count, &opt));
    CLI_TRY(cli_table_begin(c));
    CLI_TRY(open_file(&run));
    CLI_TRY(sweep(&run));
    CLI_TRY(report(&run, list, count, &verdict));
    if (run.file != NULL) {
        CLI_TRY(nth_file_commit(&run.file));
        cli_say(c, "Written to %s.\n", c->cfg->out);
    }
done:
    for (int i = 0; i < 2; ++i) cli_table_destroy(&run.table[i]);
    nth_file_close(&run.file);
    nth_sweep_destroy(&run.sweep);
    nth_data_destroy(&run.data);
    free(list);
    return st;
}
