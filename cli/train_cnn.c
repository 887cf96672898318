/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Convolutional networks in nth train (E113). The loop, the records and their file are train_optimize.c's.
 */
#include "train_cnn.h"
#include "kernel_state.h"
#include "train_elasticity.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

bool cli_cnn_asked(const nth_config *cfg) { return cfg->architecture != NULL || cfg->conv_channels.n > 0 || cfg->strides.n > 0; }

nth_status cli_cnn_check_options(cli *c)
{
    const nth_config    *cfg = c->cfg;
    const char          *by = cfg->architecture != NULL ? "preset" : cfg->conv_channels.n > 0 ? "channels" : "strides";
    const nth_cnn_config known = nth_cnn_lantk8(1);
    if (cfg->net != NULL) return cli_fail(c, NTH_E_ARG, "--net does not go with --%s: a convolutional network is drawn here", by);
    if (cfg->optimizer == NULL)
        return cli_fail(c, NTH_E_ARG, "--%s goes with --optimizer adam|sgd: convolutional networks are trained in batches", by);
    if (cfg->precision != NULL && strcmp(cfg->precision, "single") != 0)
        return cli_fail(c, NTH_E_ARG, "--precision double does not go with --%s: convolutional networks are trained in single precision", by);
    if (cfg->final_kernel != NULL && strcmp(cfg->final_kernel, "no") != 0)
        return cli_fail(c, NTH_E_ARG, "--kernel %s does not go with --%s: only networks of --net have one", cfg->final_kernel, by);
    if (cli_rr_asked(cfg))
        return cli_fail(c, NTH_E_ARG, "--elasticity yes does not go with --%s: only networks of --net have a tangent kernel here", by);
    const ptrdiff_t preset = cfg->architecture != NULL ? known.convs : 0;
    const ptrdiff_t channels = cfg->conv_channels.n > 0 ? cfg->conv_channels.n : preset, strides = cfg->strides.n > 0 ? cfg->strides.n : preset;
    if (channels == 0) return cli_fail(c, NTH_E_ARG, "--channels N,.. is missing: channels after each convolution");
    if (strides == 0) return cli_fail(c, NTH_E_ARG, "--strides N,.. is missing: strides of the convolutions");
    if (channels != strides)
        return cli_fail(c, NTH_E_ARG, "--channels are %td and --strides %td; one of each is expected for each convolution", channels, strides);
    if (channels > NTH_MAX_LAYERS)
        return cli_fail(c, NTH_E_ARG, "--channels: %td given; 1 to %d are expected", channels, NTH_MAX_LAYERS);
    return nth_cnn_check(&known);
}

nth_status cli_cnn_shape(cli *c, nth_cnn_config *shape, const cli_problem *p)
{
    nth_status        st = NTH_OK;
    const nth_config *cfg = c->cfg;
    ptrdiff_t         image[3];
    CLI_TRY(cli_image_shape(c, image, p->X.cols));
    *shape = nth_cnn_lantk8(p->data->y.cols);
    shape->channels = image[0], shape->height = image[1], shape->width = image[2];
    if (cfg->conv_channels.n > 0) shape->convs = (int)cfg->conv_channels.n;
    for (ptrdiff_t l = 0; l < cfg->conv_channels.n; ++l) shape->filters[l] = (ptrdiff_t)cfg->conv_channels.v[l];
    for (ptrdiff_t l = 0; l < cfg->strides.n; ++l) shape->strides[l] = (int)cfg->strides.v[l];
    CLI_TRY(nth_cnn_check(shape));
done:
    return st;
}

/* The state is held once more in double while it is saved. */
nth_status cli_cnn_memory(cli *c, const nth_cnn_config *shape, ptrdiff_t n, ptrdiff_t batch)
{
    const double bytes = nth_cnn_work_bytes(shape, n, batch) + 24.0 * (double)nth_cnn_parameters(shape);
    if (!c->cfg->quiet)
        fprintf(stderr, "nth train: %td parameters, at most %.3g MB of memory for training\n", nth_cnn_parameters(shape), 1e-6 * bytes);
    return cli_memory_check(c, bytes, "training");
}

nth_status cli_cnn_write(cli *c, nth_file *file, const nth_cnn_config *shape, const nth_cnn *cnn)
{
    nth_status      st = NTH_OK;
    const ptrdiff_t P = nth_cnn_parameters(shape);
    double         *state = NULL;
    int64_t         channels[NTH_MAX_LAYERS], strides[NTH_MAX_LAYERS];
    const int64_t   image[3] = { shape->channels, shape->height, shape->width }, outputs = shape->outputs;
    for (int l = 0; l < shape->convs; ++l) channels[l] = shape->filters[l], strides[l] = shape->strides[l];
    CLI_TRY(cli_doubles(c, &state, 3.0 * (double)P, "parameters"));
    nth_cnn_get_state(cnn, state);
    CLI_TRY(nth_file_write(file, "/cnn/parameters", state, 1, &P));
    CLI_TRY(nth_file_set_ints(file, "/cnn", "image", image, 3));
    CLI_TRY(nth_file_set_ints(file, "/cnn", "channels", channels, shape->convs));
    CLI_TRY(nth_file_set_ints(file, "/cnn", "strides", strides, shape->convs));
    CLI_TRY(nth_file_set_ints(file, "/cnn", "outputs", &outputs, 1));
done:
    free(state);
    return st;
}

nth_status cli_cnn_keep(cli *c, nth_file *file, const nth_cnn_config *shape, nth_cnn *cnn, long steps, bool write)
{
    nth_status      st = NTH_OK;
    const ptrdiff_t P = nth_cnn_parameters(shape);
    double         *state = NULL;
    CLI_TRY(cli_doubles(c, &state, 3.0 * (double)P, "state of the training"));
    if (write) nth_cnn_get_state(cnn, state);
    CLI_TRY(cli_state_matrix(file, "/state", nth_mat_of(state, 3, P), write));
    if (!write) CLI_TRY(nth_cnn_set_state(cnn, state, steps));
done:
    free(state);
    return st;
}
