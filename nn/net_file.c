/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Networks in HDF5 files (docs/formats.md): attributes for the shape, one dataset for each layer;
 * the two copies of a doubled net under first/ and second/. A network lies at the root of its file,
 * or under /net in a training result.
 */
#include "nth/net.h"
#include "fail_priv.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

enum { NAME_MAX_LEN = 256 };

static const char *const copy_group[2][2] = { { "", "" }, { "/first", "/second" } };

static void dataset_name(char *out, const char *group, const nth_net_config *cfg, int copy, char kind, int l)
{
    snprintf(out, NAME_MAX_LEN, "%s%s/%c%d", group, copy_group[cfg->doubled][copy], kind, l);
}

nth_status nth_net_write(const nth_net *net, nth_file *file, const char *group)
{
    nth_status            st = NTH_OK;
    const nth_net_config *cfg = &net->cfg;
    int64_t               widths[NTH_MAX_LAYERS + 1];
    char                  name[NAME_MAX_LEN];
    const char           *root = group[0] == '\0' ? "/" : group;
    NTH_REQUIRE(net->first_layer_stored, NTH_E_ARG, "the first layer of the network is not stored");
    NTH_REQUIRE(strlen(group) < NAME_MAX_LEN / 2, NTH_E_RANGE, "group name of %zu characters", strlen(group));
    for (int c = 0; c < net->copies; ++c)
        for (int l = 1; l <= cfg->layers; ++l) {
            const ptrdiff_t dims[2] = { cfg->widths[l], cfg->widths[l - 1] };
            dataset_name(name, group, cfg, c, 'W', l);
            NTH_TRY(nth_file_write(file, name, net->W[c][l - 1].a, 2, dims));
            dataset_name(name, group, cfg, c, 'b', l);
            if (net->b[c][l - 1] != NULL) NTH_TRY(nth_file_write(file, name, net->b[c][l - 1], 1, dims));
        }
    for (int l = 0; l <= cfg->layers; ++l) widths[l] = cfg->widths[l];
    NTH_TRY(nth_file_set_string(file, root, "activation", nth_activation_name(cfg->activation)));
    NTH_TRY(nth_file_set_ints(file, root, "widths", widths, cfg->layers + 1));
    NTH_TRY(nth_file_set_string(file, root, "parameterization",
                                cfg->parameterization == NTH_PARAMETERIZATION_STANDARD ? "standard" : "ntk"));
    NTH_TRY(nth_file_set_double(file, root, "sigma_w", cfg->sigma_w));
    NTH_TRY(nth_file_set_double(file, root, "sigma_b", cfg->sigma_b));
    NTH_TRY(nth_file_set_string(file, root, "input_scale", cfg->input_scale == NTH_INPUT_ONE ? "one" : "fan_in"));
    if (cfg->output_scale > 0.0) NTH_TRY(nth_file_set_double(file, root, "output_scale", cfg->output_scale));
    if (cfg->doubled) NTH_TRY(nth_file_set_ints(file, root, "doubled", (int64_t[]){ 1 }, 1));
    if (cfg->frozen != 0) NTH_TRY(nth_file_set_ints(file, root, "frozen", (int64_t[]){ cfg->frozen }, 1));
done:
    return st;
}

static nth_status read_scale(nth_file *file, const char *at, const char *key, double fallback, double *out)
{
    *out = fallback;
    return nth_file_has_attr(file, at, key) ? nth_file_get_double(file, at, key, out) : NTH_OK;
}

/* Attributes of the object `at` into a configuration; everything is checked before anything is allocated. */
static nth_status read_config(nth_file *file, const char *at, nth_net_config *cfg)
{
    nth_status st = NTH_OK;
    char       text[64];
    int64_t    widths[NTH_MAX_LAYERS + 1], flag = 0;
    ptrdiff_t  count = NTH_MAX_LAYERS + 1, one = 1;
    *cfg = (nth_net_config){ 0 };
    NTH_TRY(nth_file_get_string(file, at, "activation", text, sizeof text));
    NTH_TRY(nth_activation_parse(&cfg->activation, text));
    NTH_TRY(nth_file_get_ints(file, at, "widths", widths, &count));
    NTH_REQUIRE(count >= 3, NTH_E_FORMAT, "attribute widths has %td entries; at least 3 are expected", count);
    cfg->layers = (int)count - 1;
    for (ptrdiff_t l = 0; l < count; ++l) cfg->widths[l] = (ptrdiff_t)widths[l];
    if (nth_file_has_attr(file, at, "parameterization")) {
        NTH_TRY(nth_file_get_string(file, at, "parameterization", text, sizeof text));
        NTH_REQUIRE(strcmp(text, "ntk") == 0 || strcmp(text, "standard") == 0, NTH_E_FORMAT,
                    "parameterization \"%s\"; expected ntk or standard", text);
        if (text[0] == 's') cfg->parameterization = NTH_PARAMETERIZATION_STANDARD;
    }
    NTH_TRY(read_scale(file, at, "sigma_w", 1.0, &cfg->sigma_w));
    NTH_TRY(read_scale(file, at, "sigma_b", 0.0, &cfg->sigma_b));
    NTH_TRY(read_scale(file, at, "output_scale", 0.0, &cfg->output_scale));
    if (nth_file_has_attr(file, at, "input_scale")) {
        NTH_TRY(nth_file_get_string(file, at, "input_scale", text, sizeof text));
        NTH_REQUIRE(strcmp(text, "one") == 0 || strcmp(text, "fan_in") == 0, NTH_E_FORMAT,
                    "input_scale \"%s\"; expected fan_in or one", text);
        cfg->input_scale = strcmp(text, "one") == 0 ? NTH_INPUT_ONE : NTH_INPUT_FAN_IN;
    }
    if (nth_file_has_attr(file, at, "doubled")) NTH_TRY(nth_file_get_ints(file, at, "doubled", &flag, &one));
    NTH_REQUIRE(flag == 0 || flag == 1, NTH_E_FORMAT, "attribute doubled is %lld; expected 0 or 1", (long long)flag);
    cfg->doubled = flag == 1;
    flag = 0, one = 1;
    if (nth_file_has_attr(file, at, "frozen")) NTH_TRY(nth_file_get_ints(file, at, "frozen", &flag, &one));
    NTH_REQUIRE(flag >= 0 && flag < ((int64_t)1 << cfg->layers), NTH_E_FORMAT, "attribute frozen is %lld for %d layers",
                (long long)flag, cfg->layers);
    cfg->frozen = (unsigned)flag;
    NTH_TRY(nth_net_config_check(cfg));
done:
    return st == NTH_E_ARG || st == NTH_E_RANGE ? NTH_E_FORMAT : st; /* a bad value in a file is a bad file */
}

static nth_status check_shape(nth_file *file, const char *name, int want_rank, ptrdiff_t rows, ptrdiff_t cols)
{
    nth_status st = NTH_OK;
    int        rank;
    ptrdiff_t  dims[NTH_MAX_RANK] = { 0 };
    NTH_TRY(nth_file_shape(file, name, &rank, dims));
    NTH_REQUIRE(rank == want_rank && dims[0] == rows && (rank < 2 || dims[1] == cols), NTH_E_FORMAT,
                "dataset %s has rank %d and shape %td x %td; the widths ask for rank %d and %td x %td", name, rank, dims[0],
                rank < 2 ? 1 : dims[1], want_rank, rows, want_rank < 2 ? 1 : cols);
done:
    return st;
}

/* Every dataset has its shape, before the network is allocated: a damaged `widths` cannot ask for
 * more memory than the file holds. */
static nth_status check_shapes(nth_file *file, const char *group, const nth_net_config *cfg)
{
    nth_status st = NTH_OK;
    char       name[NAME_MAX_LEN];
    for (int c = 0; c < (cfg->doubled ? 2 : 1); ++c)
        for (int l = 1; l <= cfg->layers; ++l) {
            dataset_name(name, group, cfg, c, 'W', l);
            NTH_TRY(check_shape(file, name, 2, cfg->widths[l], cfg->widths[l - 1]));
            dataset_name(name, group, cfg, c, 'b', l);
            if (cfg->sigma_b > 0.0) NTH_TRY(check_shape(file, name, 1, cfg->widths[l], 1));
        }
done:
    return st;
}

nth_status nth_net_read(nth_net **out, nth_file *file)
{
    nth_status     st = NTH_OK;
    nth_net       *net = NULL;
    nth_net_config cfg;
    char           name[NAME_MAX_LEN];
    const bool     trained = !nth_file_has_attr(file, "/", "activation") && nth_file_has_attr(file, "/net", "activation");
    const char    *group = trained ? "/net" : "";
    *out = NULL;
    NTH_TRY(read_config(file, trained ? "/net" : "/", &cfg));
    NTH_TRY(check_shapes(file, group, &cfg));
    NTH_TRY(nth_net_create(&net, &cfg, true));
    for (int c = 0; c < net->copies; ++c)
        for (int l = 1; l <= cfg.layers; ++l) {
            const nth_mat W = net->W[c][l - 1];
            dataset_name(name, group, &cfg, c, 'W', l);
            NTH_TRY(nth_file_read(file, name, W.a, W.rows * W.cols));
            dataset_name(name, group, &cfg, c, 'b', l);
            if (net->b[c][l - 1] != NULL) NTH_TRY(nth_file_read(file, name, net->b[c][l - 1], W.rows));
        }
    *out = net, net = NULL;
done:
    nth_net_destroy(&net);
    return st;
}
