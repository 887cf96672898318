/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * nth kernel: the empirical tangent kernel of a network (E15), or an infinite-width kernel of an
 * architecture (E52-E58), on a data set: /K, /K_test, /K_test_test; or K^(NTH) (kernel_nth.c).
 */
#include "commands.h"
#include "kernel_nth.h"
#include "kernel_tiles.h"

#include <stdio.h>
#include <string.h>

typedef enum kind { EMPIRICAL, NTK, NNGP, CNTK, CNNGP, NTH, KINDS } kind;

static const char *const kind_name[KINDS] = { "empirical", "ntk", "nngp", "cntk", "cnngp", "nth" };

static kind kind_of(const nth_config *cfg)
{
    int k = 0;
    while (strcmp(cfg->kind, kind_name[k]) != 0) ++k; /* one of the words: the parser saw to it */
    return (kind)k;
}

/* ---- Options that belong to other kinds are mistakes, not decoration ---------------------------- */

enum { FULL = 1 << NTK | 1 << NNGP, CONV = 1 << CNTK | 1 << CNNGP, LABEL = 1 << NTH, INFINITE = FULL | CONV };

static const struct {
    const char *option;
    unsigned    kinds;
    const char *not_of_net; /* why not with a network, in place of the reason below */
} belongs[] = {
    { "net", 1 << EMPIRICAL, NULL },
    { "outputs", 1 << EMPIRICAL, NULL },
    { "activation", FULL | LABEL, NULL },
    { "slope", FULL, NULL },
    { "depth", FULL | LABEL, NULL },
    { "tolerance", FULL, "empirical kernels are exact" },
    { "input-scale", FULL | LABEL, NULL },
    { "sigma-w", INFINITE | LABEL, NULL },
    { "sigma-b", INFINITE | LABEL, NULL },
    { "mode", LABEL, NULL },
    { "rse", LABEL, NULL },
    { "draws", LABEL, NULL },
    { "width", LABEL, NULL },
    { "networks", LABEL, NULL },
    { "time", LABEL, NULL },
    { "folds", LABEL, NULL },
    { "validation", LABEL, NULL },
    { "permute-labels", LABEL, NULL },
    { "test-test", INFINITE | LABEL, "empirical kernels always have all blocks" },
    { "preset", CONV, NULL },
    { "strides", CONV, NULL },
    { "pooling", CONV, NULL },
    { "image", CONV, NULL },
};

static const char *why_not(kind k, unsigned kinds, const char *not_of_net)
{
    if (kinds == LABEL) return "it belongs to --kind nth";
    if (k == EMPIRICAL && kinds == CONV) return "convolutional kernels are --kind cntk and cnngp";
    if (k == EMPIRICAL) return not_of_net != NULL ? not_of_net : "the network file says it";
    if (kinds == 1u << EMPIRICAL) return "it is the kernel of an architecture";
    if (k == NTH) return "K^(NTH) is that of a fully connected network";
    return 1u << k & CONV ? "convolutional kernels are of relu and take --preset or --strides"
                          : "convolutional kernels are --kind cntk and cnngp";
}

static nth_status check_options(cli *c, kind k)
{
    const nth_config *cfg = c->cfg;
    for (size_t i = 0; i < sizeof belongs / sizeof *belongs; ++i)
        if (!(belongs[i].kinds & 1u << k) && nth_config_given(cfg, belongs[i].option))
            return cli_fail(c, NTH_E_ARG, "--%s does not go with --kind %s; %s", belongs[i].option, cfg->kind,
                            why_not(k, belongs[i].kinds, belongs[i].not_of_net));
    if (k == EMPIRICAL && cfg->net == NULL) return cli_fail(c, NTH_E_ARG, "--net FILE is missing: network file");
    if (nth_config_given(cfg, "slope") && strcmp(cfg->kernel_activation, "leaky_relu") != 0)
        return cli_fail(c, NTH_E_ARG, "--slope goes with --activation leaky_relu, not with %s", cfg->kernel_activation);
    if (1u << k & CONV && cfg->architecture == NULL && cfg->strides.n == 0)
        return cli_fail(c, NTH_E_ARG, "--preset or --strides is missing: the convolutions of the architecture");
    if (cfg->strides.n == 1 || cfg->strides.n > NTH_MAX_LAYERS)
        return cli_fail(c, NTH_E_ARG, "--strides: %td given; 2 to %d are expected, one for each convolution", cfg->strides.n,
                        NTH_MAX_LAYERS);
    return NTH_OK;
}

/* ---- Architectures ------------------------------------------------------------------------------ */

static nth_status fully_connected(cli *c, nth_infinite **K, const cli_problem *p)
{
    nth_status        st = NTH_OK;
    const nth_config *cfg = c->cfg;
    nth_fc_config     fc = { .layers = (int)cfg->depth, .sigma_w = cfg->sigma_w, .sigma_b = cfg->sigma_b,
                             .tolerance = cfg->tolerance };
    fc.input_scale = cli_input_scale(cfg);
    CLI_TRY(nth_dual_parse(&fc.activation, cfg->kernel_activation, cfg->slope));
    if (nth_config_given(cfg, "tolerance") && nth_dual_has_closed_form(&fc.activation))
        CLI_TRY(cli_fail(c, NTH_E_ARG, "--tolerance goes with tanh, softplus and silu; %s has a closed form", cfg->kernel_activation));
    st = nth_infinite_create_fc(K, &fc, p->X, p->X_test);
    if (st == NTH_E_NUMERIC && !nth_dual_has_closed_form(&fc.activation))
        st = cli_fail(c, st, "--activation %s: %s; a larger --tolerance or smaller inputs may do", cfg->kernel_activation,
                      nth_last_error().message);
done:
    return st;
}

static nth_status convolutional(cli *c, nth_infinite **K, const cli_problem *p)
{
    nth_status        st = NTH_OK;
    const nth_config *cfg = c->cfg;
    nth_conv_config   conv = nth_conv_lantk_cnn8();
    ptrdiff_t         image[3];
    CLI_TRY(cli_image_shape(c, image, p->X.cols));
    conv.channels = image[0], conv.height = image[1], conv.width = image[2];
    if (cfg->strides.n > 0) conv.convs = (int)cfg->strides.n;
    for (ptrdiff_t l = 0; l < cfg->strides.n; ++l) conv.strides[l] = (int)cfg->strides.v[l];
    if (cfg->architecture == NULL || nth_config_given(cfg, "pooling"))
        conv.pooling = strcmp(cfg->pooling, "gap") == 0 ? NTH_POOL_GAP : NTH_POOL_FLATTEN;
    conv.sigma_w = cfg->sigma_w, conv.sigma_b = cfg->sigma_b;
    CLI_TRY(nth_infinite_create_conv(K, &conv, p->X, p->X_test));
done:
    return st;
}

static nth_status infinite(cli *c, kind k, const cli_problem *p)
{
    nth_status    st = NTH_OK;
    nth_infinite *K = NULL;
    CLI_TRY(1u << k & CONV ? convolutional(c, &K, p) : fully_connected(c, &K, p));
    CLI_TRY(cli_kernel_tiles(c, K, p, k == NNGP || k == CNNGP, strcmp(c->cfg->test_test, "yes") == 0));
done:
    nth_infinite_destroy(&K);
    return st;
}

/* ---- The command -------------------------------------------------------------------------------- */

static nth_status empirical(cli *c, const cli_problem *p)
{
    nth_status  st = NTH_OK;
    nth_blocks  K = { 0 };
    nth_file   *f = NULL;
    nth_outputs outputs;
    CLI_TRY(cli_outputs(c, &outputs, p->net));
    CLI_TRY(cli_blocks_create(c, &K, p->n, p->k, true));
    CLI_TRY(cli_create(c, &f));
    cli_progress_call(c, "kernel of the network");
    CLI_TRY(nth_ntk_outputs(&K, p->net, outputs, p->X, p->X_test));
    cli_progress_end(c);
    if (cli_interrupted()) CLI_TRY(NTH_E_INTERRUPTED);
    CLI_TRY(cli_blocks_write(f, "K", &K));
    CLI_TRY(cli_diagonal_write(c, f, "K", &K));
    CLI_TRY(nth_file_commit(&f));
    cli_report_blocks(c, "K", &K);
done:
    cli_discard(c, &f);
    cli_blocks_free(&K);
    return st;
}

nth_status cmd_kernel(cli *c)
{
    nth_status  st = NTH_OK;
    const kind  k = kind_of(c->cfg);
    cli_problem p = { 0 };
    CLI_TRY(check_options(c, k));
    CLI_TRY(cli_problem_load(c, &p, k == EMPIRICAL, k == NTH));
    CLI_TRY(k == EMPIRICAL ? empirical(c, &p) : k == NTH ? cli_kernel_nth(c, &p) : infinite(c, k, &p));
    nth_json_set_string(c->json, "kind", c->cfg->kind);
    cli_say(c, "written to %s\n", c->cfg->out);
    nth_json_set_string(c->json, "out", c->cfg->out);
done:
    cli_problem_free(&p);
    return st;
}
