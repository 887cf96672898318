/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * nth kernel: the empirical tangent kernel of a network (E15), or the infinite-width kernel of an
 * architecture (E52-E54), on a data set: /K, /K_test, /K_test_test.
 */
#include "commands.h"
#include "problem.h"

#include <stdio.h>
#include <string.h>

/* Options that belong to the other kinds are mistakes, not decoration. */
static nth_status check_options(cli *c, bool empirical)
{
    static const char *const of_architecture[] = { "activation", "depth", "sigma-w", "sigma-b", "input-scale" };
    if (!empirical && c->cfg->net != NULL)
        return cli_fail(c, NTH_E_ARG, "--net does not go with --kind %s; give --activation and --depth", c->cfg->kind);
    if (empirical && c->cfg->net == NULL) return cli_fail(c, NTH_E_ARG, "--net FILE is missing: network file");
    for (size_t i = 0; empirical && i < sizeof of_architecture / sizeof *of_architecture; ++i)
        if (nth_config_given(c->cfg, of_architecture[i]))
            return cli_fail(c, NTH_E_ARG, "--%s does not go with --kind empirical; the network file says it",
                            of_architecture[i]);
    return NTH_OK;
}

static nth_status infinite(cli *c, nth_blocks *K, const cli_problem *p)
{
    nth_status        st = NTH_OK;
    const nth_config *cfg = c->cfg;
    nth_net_config    net = { .layers = (int)cfg->depth, .sigma_w = cfg->sigma_w, .sigma_b = cfg->sigma_b };
    net.input_scale = strcmp(cfg->input_scale, "one") == 0 ? NTH_INPUT_ONE : NTH_INPUT_FAN_IN;
    for (int l = 0; l <= net.layers; ++l) net.widths[l] = l == 0 ? p->X.cols : 1;
    CLI_TRY(nth_activation_parse(&net.activation, cfg->activation));
    CLI_TRY(nth_ntk_infinite(K, &net, p->X, p->X_test));
done:
    return st;
}

nth_status cmd_kernel(cli *c)
{
    nth_status  st = NTH_OK;
    const bool  empirical = strcmp(c->cfg->kind, "empirical") == 0;
    cli_problem p = { 0 };
    nth_blocks  K = { 0 };
    nth_file   *f = NULL;
    CLI_TRY(check_options(c, empirical));
    CLI_TRY(cli_problem_load(c, &p, empirical, false));
    CLI_TRY(cli_blocks_create(c, &K, p.n, p.k, true));
    CLI_TRY(cli_create(c, &f));
    CLI_TRY(empirical ? nth_ntk_empirical(&K, p.net, p.X, p.X_test) : infinite(c, &K, &p));
    if (cli_interrupted()) CLI_TRY(NTH_E_INTERRUPTED);
    CLI_TRY(cli_blocks_write(f, "K", &K));
    CLI_TRY(nth_file_commit(&f));
    nth_json_set_string(c->json, "kind", c->cfg->kind);
    cli_report_blocks(c, "K", &K);
    cli_say(c, "written to %s\n", c->cfg->out);
    nth_json_set_string(c->json, "out", c->cfg->out);
done:
    cli_discard(c, &f);
    cli_blocks_free(&K);
    cli_problem_free(&p);
    return st;
}
