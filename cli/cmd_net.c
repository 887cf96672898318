/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * nth net: a network with random parameters as a network file (docs/formats.md; E1, E2, E4, E110).
 */
#include "commands.h"
#include "problem.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

static bool is_standard(const nth_config *cfg) { return strcmp(cfg->parameterization, "standard") == 0; }

/* Standard parameterization has no scales to choose, and one initialization. */
static nth_status check_parameterization(cli *c)
{
    nth_status         st = NTH_OK;
    static const char *scale[] = { "sigma-w", "input-scale" };
    const nth_config  *cfg = c->cfg;
    if (!is_standard(cfg)) {
        if (nth_config_given(cfg, "output-scale"))
            return cli_fail(c, NTH_E_ARG, "--output-scale goes with --parameterization standard; the last layer of ntk has its factor");
        if (strcmp(cfg->init, "framework") == 0)
            return cli_fail(c, NTH_E_ARG, "--init framework goes with --parameterization standard");
        return NTH_OK;
    }
    for (int i = 0; i < 2; ++i)
        if (nth_config_given(cfg, scale[i]))
            return cli_fail(c, NTH_E_ARG, "--%s does not go with --parameterization standard; its layers have no factors", scale[i]);
    if (nth_config_given(cfg, "init") && strcmp(cfg->init, "framework") != 0)
        return cli_fail(c, NTH_E_ARG, "--init %s does not go with --parameterization standard; framework is expected", cfg->init);
    CLI_TRY(nth_config_suggest(c->cfg, "init", "framework"));
    CLI_TRY(nth_config_suggest(c->cfg, "sigma-b", "1"));
    if (cfg->sigma_b != 0.0 && cfg->sigma_b != 1.0)
        return cli_fail(c, NTH_E_ARG, "--sigma-b: %g; standard parameterization has 1, or 0 for no biases", cfg->sigma_b);
done:
    return st;
}

static nth_status shape(cli *c, nth_net_config *net)
{
    const nth_config *cfg = c->cfg;
    const ptrdiff_t   count = cfg->layer_widths.n;
    if (count < 3 || count > NTH_MAX_LAYERS + 1)
        return cli_fail(c, NTH_E_ARG, "--widths: %td given; 3 to %d are expected (inputs, hidden widths, outputs)", count,
                        NTH_MAX_LAYERS + 1);
    *net = (nth_net_config){ .layers = (int)count - 1,
                             .sigma_w = cfg->sigma_w,
                             .sigma_b = cfg->sigma_b,
                             .input_scale = cli_input_scale(cfg),
                             .doubled = strcmp(cfg->init, "antisymmetric") == 0,
                             .parameterization =
                                 is_standard(cfg) ? NTH_PARAMETERIZATION_STANDARD : NTH_PARAMETERIZATION_NTK };
    for (ptrdiff_t l = 0; l < count; ++l) net->widths[l] = (ptrdiff_t)cfg->layer_widths.v[l];
    if (strcmp(cfg->output_scale, "width") == 0) net->output_scale = 1.0 / sqrt((double)net->widths[count - 2]);
    return nth_activation_parse(&net->activation, cfg->activation);
}

/* What nth_net_create will take; widths are up to 1e9, so the product is formed in floating point. */
static double parameters(const nth_net_config *net)
{
    double P = 0.0;
    for (int l = 1; l <= net->layers; ++l) P += (double)net->widths[l] * (double)(net->widths[l - 1] + 1);
    return net->doubled ? 2.0 * P : P;
}

nth_status cli_draw_net(cli *c, nth_net **net)
{
    nth_status     st = NTH_OK;
    nth_net_config cfg;
    CLI_TRY(check_parameterization(c));
    CLI_TRY(shape(c, &cfg));
    CLI_TRY(cli_memory_check(c, 8.0 * parameters(&cfg), "network"));
    CLI_TRY(nth_net_create(net, &cfg, true));
    if (is_standard(c->cfg)) nth_net_init_framework(*net, c->cfg->seed, 0);
    else nth_net_init_gaussian(*net, c->cfg->seed, 0);
done:
    return st;
}

static void report(cli *c, const nth_net *net)
{
    const nth_net_config *s = &net->cfg;
    nth_json             *widths = nth_json_array();
    cli_say(c, "%s network ", nth_activation_name(s->activation));
    for (int l = 0; l <= s->layers; ++l) {
        cli_say(c, "%s%td", l > 0 ? "-" : "", s->widths[l]);
        nth_json_append_int(widths, s->widths[l]);
    }
    cli_say(c, "%s%s, %td parameters, seed %" PRIu64 ", written to %s\n", s->doubled ? ", two copies" : "",
            is_standard(c->cfg) ? ", standard parameterization" : "",
            nth_net_parameters(net), c->cfg->seed, c->cfg->out);
    nth_json_set_string(c->json, "activation", nth_activation_name(s->activation));
    nth_json_set(c->json, "widths", widths);
    nth_json_set_string(c->json, "parameterization", c->cfg->parameterization);
    nth_json_set_bool(c->json, "doubled", s->doubled);
    nth_json_set_int(c->json, "parameters", nth_net_parameters(net));
    nth_json_set_string(c->json, "out", c->cfg->out);
}

nth_status cmd_net(cli *c)
{
    nth_status st = NTH_OK;
    nth_net   *net = NULL;
    nth_file  *f = NULL;
    CLI_TRY(cli_draw_net(c, &net));
    CLI_TRY(cli_create(c, &f));
    CLI_TRY(nth_net_write(net, f, ""));
    CLI_TRY(nth_file_commit(&f));
    report(c, net);
done:
    cli_discard(c, &f);
    nth_net_destroy(&net);
    return st;
}
