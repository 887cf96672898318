/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * The reader of networks promises: a valid network of finite numbers, or a status of what is wrong
 * with the file with a message, and nothing leaked. A broken promise aborts.
 */
#include "fuzz_net.h"
#include "alloc_priv.h"
#include "nth/net.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

long         nth_fuzz_net_accepted;
volatile int nth_fuzz_net_broken;

static void promise(int holds, const char *what)
{
    if (holds) return;
    nth_fuzz_net_broken = 1;
    fprintf(stderr, "broken promise: %s (last message: %s)\n", what, nth_last_error().message);
    abort();
}

static void check_net(const nth_net *net)
{
    const nth_net_config *cfg = &net->cfg;
    promise(nth_net_config_check(cfg) == NTH_OK, "an accepted network has a valid shape");
    for (int c = 0; c < net->copies; ++c)
        for (int l = 0; l < cfg->layers; ++l) {
            const nth_mat W = net->W[c][l];
            promise(W.rows == cfg->widths[l + 1] && W.cols == cfg->widths[l], "weights have the shape of the widths");
            for (ptrdiff_t i = 0; i < W.rows * W.cols; ++i) promise(isfinite(W.a[i]), "weights are finite");
            promise((net->b[c][l] != NULL) == (cfg->sigma_b > 0.0), "biases as sigma_b says");
            for (ptrdiff_t i = 0; net->b[c][l] != NULL && i < W.rows; ++i) promise(isfinite(net->b[c][l][i]), "biases are finite");
        }
}

int nth_fuzz_net(const uint8_t *bytes, size_t size)
{
    static char path[64];
    const long  before = nth_test_live_blocks;
    nth_file   *file = NULL;
    nth_net    *net = NULL;
    if (path[0] == '\0') snprintf(path, sizeof path, "nth_fuzz_net_%ld.h5", (long)getpid());
    FILE *f = fopen(path, "wb");
    if (f == NULL || fwrite(bytes, 1, size, f) != size || fclose(f) != 0) abort();
    nth_status st = nth_file_open(&file, path);
    if (st == NTH_OK) st = nth_net_read(&net, file);
    promise(st == NTH_OK || nth_last_error().message[0] != '\0', "a failure has a message");
    promise(st == NTH_OK || st == NTH_E_FORMAT || st == NTH_E_NUMERIC || st == NTH_E_IO, "a failure tells of the file");
    if (st == NTH_OK) ++nth_fuzz_net_accepted, check_net(net);
    nth_net_destroy(&net);
    nth_file_close(&file);
    (void)remove(path);
    promise(nth_test_live_blocks == before, "nothing leaks");
    return 0;
}
