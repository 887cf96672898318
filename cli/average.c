/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Averages over networks for the commands (average.h). Without --rse exactly --networks of them are drawn;
 * with it, or where neither is given, as many as the error asks for.
 */
#include "average.h"

#include <math.h>
#include <string.h>

enum { MOST = 10000 }; /* networks where their number is left open */

static bool keep_going(ptrdiff_t networks, double relative, void *ctx)
{
    const cli_average *a = ctx;
    if (a->opt.target > 0.0 && isfinite(relative)) {
        const double needed = (double)networks * pow(relative / a->opt.target, 2.0);
        a->c->progress.total = (ptrdiff_t)fmin(fmax(needed, (double)networks), (double)a->opt.networks);
    }
    cli_progress_update(a->c, networks);
    return !cli_interrupted();
}

nth_status cli_average_begin(cli_average *a, cli *c, nth_activation act, const cli_problem *p, bool doubled)
{
    nth_status        st = NTH_OK;
    const nth_config *cfg = c->cfg;
    const bool        fixed = nth_config_given(cfg, "networks") && !nth_config_given(cfg, "rse");
    const int         L = (int)cfg->depth;
    const double      m = (double)cfg->hidden_width, N = (double)(p->n + p->k);
    if (!nth_config_given(cfg, "width")) return cli_fail(c, NTH_E_ARG, "--width M is missing: the width of every hidden layer");
    *a = (cli_average){ .c = c };
    a->opt = (nth_average_options){ .seed = cfg->seed, .target = fixed ? 0.0 : cfg->rse,
                                    .networks = nth_config_given(cfg, "networks") ? (ptrdiff_t)cfg->networks : MOST,
                                    .go_on = keep_going, .ctx = a };
    a->opt.shape = (nth_net_config){ .activation = act, .layers = L, .widths = { p->X.cols }, .sigma_w = cfg->sigma_w,
                                     .sigma_b = cfg->sigma_b, .doubled = doubled,
                                     .input_scale = cli_input_scale(cfg) };
    for (int l = 1; l < L; ++l) a->opt.shape.widths[l] = (ptrdiff_t)cfg->hidden_width;
    a->opt.shape.widths[L] = 1;
    CLI_TRY(cli_memory_check(c, 8.0 * (doubled ? 2.0 : 1.0) * (20.0 * N * m * (L - 1) + m * m * (L - 2)) + 32.0 * N * N,
                             "one network and its kernel"));
    cli_progress_begin(c, "networks", a->opt.networks);
done:
    return st;
}

nth_status cli_average_report(cli_average *a, nth_file *f)
{
    nth_status st = NTH_OK;
    cli       *c = a->c;
    cli_progress_end(c);
    CLI_TRY(nth_file_set_double(f, "/", "networks", (double)a->reached.networks));
    CLI_TRY(nth_file_set_double(f, "/", "relative_standard_error", a->reached.relative));
    cli_say(c, "%td networks of width %td%s, relative standard error %.3g", a->reached.networks, a->opt.shape.widths[1],
            a->opt.shape.doubled ? " (two copies)" : "", a->reached.relative);
    if (a->opt.target > 0.0) cli_say(c, " (asked %.3g)", a->opt.target);
    cli_say(c, "\n");
    nth_json_set_int(c->json, "networks", a->reached.networks);
    nth_json_set_double(c->json, "relative_standard_error", a->reached.relative);
    if (a->opt.target > 0.0 && !(a->reached.relative <= a->opt.target)) ++c->failed_checks;
done:
    return st;
}
