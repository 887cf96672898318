/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Networks: shape, storage, initialization (E1-E4). Files are in net_file.c.
 */
#include "nth/net.h"
#include "alloc_priv.h"
#include "fail_priv.h"
#include "net_priv.h"
#include "nth/rng.h"

#include <math.h>
#include <string.h>

double nth_net_factor(const nth_net_config *cfg, int l)
{
    if (cfg->parameterization == NTH_PARAMETERIZATION_STANDARD) return 1.0;
    if (l == 1 && cfg->input_scale == NTH_INPUT_ONE) return cfg->sigma_w;
    return cfg->sigma_w / sqrt((double)cfg->widths[l - 1]);
}

nth_status nth_net_config_check(const nth_net_config *cfg)
{
    nth_status st = NTH_OK;
    NTH_REQUIRE(nth_activation_name(cfg->activation) != NULL, NTH_E_ARG, "activation %d is not in the list",
                (int)cfg->activation);
    NTH_REQUIRE(cfg->layers >= 2 && cfg->layers <= NTH_MAX_LAYERS, NTH_E_ARG,
                "%d weight layers; expected 2 to %d", cfg->layers, NTH_MAX_LAYERS);
    for (int l = 0; l <= cfg->layers; ++l)
        NTH_REQUIRE(cfg->widths[l] >= 1 && cfg->widths[l] <= INT32_MAX, NTH_E_ARG,
                    "width %td of layer %d; expected a positive number", cfg->widths[l], l);
    NTH_REQUIRE(isfinite(cfg->sigma_w) && cfg->sigma_w > 0.0, NTH_E_ARG, "sigma_w = %g; must be > 0",
                cfg->sigma_w);
    NTH_REQUIRE(isfinite(cfg->sigma_b) && cfg->sigma_b >= 0.0, NTH_E_ARG, "sigma_b = %g; must be >= 0",
                cfg->sigma_b);
    NTH_REQUIRE(isfinite(cfg->output_scale) && cfg->output_scale >= 0.0, NTH_E_ARG, "output_scale = %g; must be positive, or 0 for 1",
                cfg->output_scale);
    NTH_REQUIRE(cfg->parameterization == NTH_PARAMETERIZATION_NTK ||
                    (cfg->sigma_w == 1.0 && (cfg->sigma_b == 0.0 || cfg->sigma_b == 1.0)),
                NTH_E_ARG, "sigma_w = %g, sigma_b = %g; standard parameterization has 1, and 1 or 0 for no biases",
                cfg->sigma_w, cfg->sigma_b);
done:
    return st;
}

nth_status nth_priv_one_output(const nth_net_config *cfg)
{
    nth_status st = NTH_OK;
    NTH_REQUIRE(cfg->widths[cfg->layers] == 1, NTH_E_ARG, "the network has %td outputs; one is expected", cfg->widths[cfg->layers]);
done:
    return st;
}

nth_status nth_net_create(nth_net **out, const nth_net_config *cfg, bool store_first)
{
    nth_status st = NTH_OK;
    nth_net   *net = NULL;
    *out = NULL;
    NTH_TRY(nth_net_config_check(cfg));
    NTH_TRY(nth_priv_alloc(&net, 1, sizeof *net, "network"));
    net->cfg = *cfg;
    net->copies = cfg->doubled ? 2 : 1;
    net->first_layer_stored = store_first;
    net->out_scale[0] = (cfg->doubled ? sqrt(0.5) : 1.0) * (cfg->output_scale > 0.0 ? cfg->output_scale : 1.0);
    net->out_scale[1] = -net->out_scale[0];
    for (int c = 0; c < net->copies; ++c)
        for (int l = 1; l <= cfg->layers; ++l) {
            const ptrdiff_t p = cfg->widths[l], q = cfg->widths[l - 1];
            net->W[c][l - 1] = (nth_mat){ .a = NULL, .rows = p, .cols = q, .ld = q };
            if (l > 1 || store_first) NTH_TRY(nth_priv_mat(&net->W[c][l - 1], p, q, "weights"));
            if (cfg->sigma_b > 0.0) NTH_TRY(nth_priv_doubles(&net->b[c][l - 1], p, "biases"));
        }
    *out = net, net = NULL;
done:
    nth_net_destroy(&net);
    return st;
}

void nth_net_destroy(nth_net **net)
{
    if (*net == NULL) return;
    for (int c = 0; c < 2; ++c)
        for (int l = 0; l < NTH_MAX_LAYERS; ++l) {
            nth_priv_free((*net)->W[c][l].a);
            nth_priv_free((*net)->b[c][l]);
        }
    nth_priv_free(*net);
    *net = NULL;
}

/* Address of the first parameter of a layer in its random stream. */
static uint64_t address(int l) { return (uint64_t)l << 48; }

/* `count` initial parameters of layer l of one kind, from number `first` on. */
static void draw(double *out, ptrdiff_t count, const nth_net *net, nth_stream stream, int l, uint64_t first)
{
    const double bound = 1.0 / sqrt((double)net->cfg.widths[l - 1]);
    if (!net->uniform) {
        nth_rand_normals(out, count, net->seed, stream, net->run, address(l) + first);
        return;
    }
#pragma omp parallel for schedule(static)
    for (ptrdiff_t i = 0; i < count; ++i)
        out[i] = bound * (2.0 * nth_rand_uniform(net->seed, stream, net->run, address(l) + first + (uint64_t)i) - 1.0);
}

void nth_priv_net_draw_rows(double *out, const nth_net *net, int l, ptrdiff_t row, ptrdiff_t rows)
{
    const ptrdiff_t q = net->cfg.widths[l - 1];
    draw(out, rows * q, net, NTH_STREAM_WEIGHTS, l, (uint64_t)row * (uint64_t)q);
}

static void initialize(nth_net *net)
{
    for (int l = 1; l <= net->cfg.layers; ++l) {
        const nth_mat  W = net->W[0][l - 1];
        double *const *b = net->b[0];
        if (W.a != NULL) nth_priv_net_draw_rows(W.a, net, l, 0, W.rows);
        if (b[l - 1] != NULL) draw(b[l - 1], W.rows, net, NTH_STREAM_BIASES, l, 0);
        if (net->copies < 2) continue;
        if (W.a != NULL) memcpy(net->W[1][l - 1].a, W.a, (size_t)(W.rows * W.cols) * sizeof(double));
        if (b[l - 1] != NULL) memcpy(net->b[1][l - 1], b[l - 1], (size_t)W.rows * sizeof(double));
    }
}

void nth_net_init_gaussian(nth_net *net, uint64_t seed, uint32_t run)
{
    net->seed = seed, net->run = run, net->uniform = false;
    initialize(net);
}

void nth_net_init_framework(nth_net *net, uint64_t seed, uint32_t run)
{
    net->seed = seed, net->run = run, net->uniform = true;
    initialize(net);
}

ptrdiff_t nth_net_parameters(const nth_net *net)
{
    ptrdiff_t P = 0;
    for (int l = 1; l <= net->cfg.layers; ++l) {
        if (nth_priv_frozen(&net->cfg, l)) continue;
        P += net->cfg.widths[l] * (net->cfg.widths[l - 1] + (net->cfg.sigma_b > 0.0));
    }
    return P * net->copies;
}

/* ---- Parameters as a vector ---------------------------------------------------------------------- */

void nth_priv_net_part(const nth_net_config *cfg, double *theta, int copy, int l, nth_mat *W, double **b)
{
    const bool trains = !nth_priv_frozen(cfg, l);
    ptrdiff_t  at = 0;
    for (int k = 0; k < copy * cfg->layers + l - 1; ++k) {
        const int layer = k % cfg->layers + 1;
        if (!nth_priv_frozen(cfg, layer)) at += cfg->widths[layer] * (cfg->widths[layer - 1] + (cfg->sigma_b > 0.0));
    }
    *W = nth_mat_of(trains ? theta + at : NULL, cfg->widths[l], cfg->widths[l - 1]);
    *b = trains && cfg->sigma_b > 0.0 ? theta + at + W->rows * W->cols : NULL;
}

/* Copies all trainable parameters from or to theta. */
static nth_status exchange(nth_net *net, double *theta, bool get)
{
    nth_status st = NTH_OK;
    NTH_REQUIRE(net->first_layer_stored || nth_priv_frozen(&net->cfg, 1), NTH_E_ARG,
                "the first layer is drawn when needed, it has no parameters to %s", get ? "read" : "set");
    for (int c = 0; c < net->copies; ++c)
        for (int l = 1; l <= net->cfg.layers; ++l) {
            nth_mat       W;
            double       *b;
            const nth_mat own = net->W[c][l - 1];
            nth_priv_net_part(&net->cfg, theta, c, l, &W, &b);
            const size_t  size = (size_t)(own.rows * own.cols) * sizeof(double);
            const size_t  bias = (size_t)own.rows * sizeof(double);
            if (W.a != NULL) memcpy(get ? W.a : own.a, get ? own.a : W.a, size);
            if (b != NULL) memcpy(get ? b : net->b[c][l - 1], get ? net->b[c][l - 1] : b, bias);
        }
done:
    return st;
}

nth_status nth_net_get_parameters(double *theta, const nth_net *net) { return exchange((nth_net *)net, theta, true); }

nth_status nth_net_set_parameters(nth_net *net, const double *theta) { return exchange(net, (double *)theta, false); }
