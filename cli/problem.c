/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Networks, data, blocks of kernels and memory for the commands (problem.h).
 */
#define _DEFAULT_SOURCE /* statvfs's types */
#include "problem.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

/* ---- Network and data --------------------------------------------------------------------------- */

static nth_status load_net(cli *c, nth_net **net, const char *path)
{
    nth_status st = NTH_OK;
    nth_file  *f = NULL;
    CLI_TRY(nth_file_open(&f, path));
    CLI_TRY(nth_net_read(net, f));
done:
    if (st != NTH_OK && strstr(nth_last_error().message, path) == NULL)
        (void)cli_fail(c, st, "%s: %s", path, nth_last_error().message);
    nth_file_close(&f);
    return st;
}

nth_status cli_problem_load(cli *c, cli_problem *p, bool net, bool targets)
{
    nth_status st = NTH_OK;
    *p = (cli_problem){ 0 };
    if (net) CLI_TRY(load_net(c, &p->net, c->cfg->net));
    CLI_TRY(cli_load_data(c, &p->data, c->cfg->data));
    p->n = p->data->x.rows, p->k = p->data->x_test.rows;
    p->X = nth_const(p->data->x), p->X_test = nth_const(p->data->x_test);
    if (net && p->X.cols != p->net->cfg.widths[0])
        st = cli_fail(c, NTH_E_SHAPE, "%s expects inputs of dimension %td, %s has dimension %td", c->cfg->net,
                      p->net->cfg.widths[0], c->cfg->data, p->X.cols);
    else if (targets && p->data->y.cols != 1)
        st = cli_fail(c, NTH_E_SHAPE, "%s has %td columns of targets; the network has one output, so one is expected",
                      c->cfg->data, p->data->y.cols);
done:
    if (st != NTH_OK) cli_problem_free(p);
    return st;
}

void cli_problem_free(cli_problem *p)
{
    nth_net_destroy(&p->net);
    nth_data_destroy(&p->data);
}

nth_status cli_image_shape(cli *c, ptrdiff_t shape[3], ptrdiff_t d)
{
    static const ptrdiff_t known[][3] = { { 3, 32, 32 }, { 1, 28, 28 } };
    const nth_ints        *given = &c->cfg->image;
    shape[0] = 0;
    for (size_t i = 0; i < sizeof known / sizeof *known; ++i)
        if (known[i][0] * known[i][1] * known[i][2] == d) memcpy(shape, known[i], sizeof known[i]);
    if (given->n > 0 && given->n != 3)
        return cli_fail(c, NTH_E_ARG, "--image: %td given; 3 are expected: channels, height and width", given->n);
    for (int i = 0; i < 3 && given->n == 3; ++i) shape[i] = (ptrdiff_t)given->v[i];
    if (shape[0] == 0)
        return cli_fail(c, NTH_E_ARG, "--image C,H,W is missing: channels, height and width of inputs of dimension %td", d);
    if (shape[0] * shape[1] * shape[2] != d)
        return cli_fail(c, NTH_E_ARG, "--image: %td x %td x %td are %td numbers, the inputs have %td", shape[0], shape[1], shape[2],
                        shape[0] * shape[1] * shape[2], d);
    return NTH_OK;
}

nth_status cli_one_output(cli *c, const cli_problem *p)
{
    const ptrdiff_t outputs = p->net->cfg.widths[p->net->cfg.layers];
    return outputs == 1 ? NTH_OK : cli_fail(c, NTH_E_SHAPE, "%s has %td outputs; one is expected", c->cfg->net, outputs);
}

nth_status cli_outputs(cli *c, nth_outputs *kind, const nth_net *net)
{
    if (nth_config_given(c->cfg, "outputs") && net->cfg.widths[net->cfg.layers] == 1)
        return cli_fail(c, NTH_E_ARG, "--outputs goes with a network of several outputs; %s has one", c->cfg->net != NULL ? c->cfg->net : "--widths");
    *kind = strcmp(c->cfg->outputs, "trace") == 0 ? NTH_OUTPUTS_TRACE : NTH_OUTPUTS_SUM;
    return NTH_OK;
}

/* ---- Memory ------------------------------------------------------------------------------------- */

nth_status cli_memory_check(cli *c, double bytes, const char *what)
{
    const double have = (double)sysconf(_SC_PHYS_PAGES) * (double)sysconf(_SC_PAGESIZE);
    if (have <= 0.0 || bytes <= have) return NTH_OK;
    return cli_fail(c, NTH_E_NOMEM, "%s: %.4g GB of memory needed, the machine has %.4g GB", what, 1e-9 * bytes,
                    1e-9 * have);
}

nth_status cli_doubles(cli *c, double **out, double count, const char *what)
{
    const nth_status st = cli_memory_check(c, count * sizeof(double), what);
    if (st != NTH_OK) return st;
    *out = calloc(count < 1.0 ? 1 : (size_t)count, sizeof(double));
    return *out != NULL ? NTH_OK : cli_fail(c, NTH_E_NOMEM, "%s: out of memory at %.4g GB", what, 8e-9 * count);
}

/* What an interrupted run has taken counts as free: it is gone on with, or replaced. */
nth_status cli_disk_check(cli *c, double bytes)
{
    struct statvfs disk;
    struct stat    there;
    char           folder[4096], partial[4096];
    const char    *slash = strrchr(c->cfg->out, '/');
    if (slash == NULL) snprintf(folder, sizeof folder, ".");
    else snprintf(folder, sizeof folder, "%.*s", (int)(slash - c->cfg->out + 1), c->cfg->out);
    if (statvfs(folder, &disk) != 0) return NTH_OK; /* opening the file will say more */
    double have = (double)disk.f_bavail * (double)disk.f_frsize;
    snprintf(partial, sizeof partial, "%s.partial", c->cfg->out);
    if (stat(partial, &there) == 0) have += 512.0 * (double)there.st_blocks;
    if (bytes <= have) return NTH_OK;
    return cli_fail(c, NTH_E_IO, "%s needs %.4g GB on the disk, %.4g GB are free there", c->cfg->out, 1e-9 * bytes,
                    1e-9 * have);
}

nth_status cli_folds(cli *c, ptrdiff_t *folds, double **number, ptrdiff_t n, bool must)
{
    nth_status        st = NTH_OK;
    const nth_config *cfg = c->cfg;
    const bool        many = nth_config_given(cfg, "folds"), one = nth_config_given(cfg, "validation");
    *folds = 0;
    if (many && one) return cli_fail(c, NTH_E_ARG, "--folds and --validation exclude each other");
    if (!many && !one && !must) return NTH_OK;
    *folds = many ? (ptrdiff_t)cfg->folds : 1;
    if (*folds > n) return cli_fail(c, NTH_E_ARG, "--folds: %td folds, %s has %td training inputs", *folds, cfg->data, n);
    if (n < 2) return cli_fail(c, NTH_E_ARG, "--validation: %s has %td training input; none would be left", cfg->data, n);
    CLI_TRY(cli_doubles(c, number, (double)n, "folds"));
    CLI_TRY(nth_data_folds(*number, n, *folds, cfg->validation, cfg->seed));
done:
    return st;
}

nth_input_scale cli_input_scale(const nth_config *cfg)
{
    return strcmp(cfg->input_scale, "one") == 0 ? NTH_INPUT_ONE : NTH_INPUT_FAN_IN;
}

nth_status cli_scaled_inputs(cli *c, double **out, const cli_problem *p)
{
    const ptrdiff_t  d = p->X.cols;
    const double     scale = cli_input_scale(c->cfg) == NTH_INPUT_ONE ? 1.0 : 1.0 / sqrt((double)d);
    const nth_status st = cli_doubles(c, out, (double)(p->n + p->k) * (double)d, "scaled inputs");
    for (ptrdiff_t e = 0; st == NTH_OK && e < (p->n + p->k) * d; ++e) {
        const ptrdiff_t i = e / d;
        (*out)[e] = scale * (i < p->n ? p->X.a[i * p->X.ld + e % d] : p->X_test.a[(i - p->n) * p->X_test.ld + e % d]);
    }
    return st;
}

void cli_discard(cli *c, nth_file **file)
{
    char path[4096];
    if (*file == NULL) return;
    nth_file_close(file);
    if (snprintf(path, sizeof path, "%s.partial", c->cfg->out) < (int)sizeof path) (void)remove(path);
}

/* ---- Blocks ------------------------------------------------------------------------------------- */

nth_status cli_blocks_create(cli *c, nth_blocks *b, ptrdiff_t n, ptrdiff_t k, bool all)
{
    nth_status st = NTH_OK;
    double    *a;
    *b = (nth_blocks){ 0 };
    CLI_TRY(cli_doubles(c, &a, (double)n * (double)n, "kernel"));
    b->train = nth_mat_of(a, n, n);
    if (k == 0) goto done;
    CLI_TRY(cli_doubles(c, &a, (double)k * (double)n, "kernel of test inputs"));
    b->test = nth_mat_of(a, k, n);
    if (!all) goto done;
    CLI_TRY(cli_doubles(c, &a, (double)k * (double)k, "kernel of test inputs"));
    b->test_test = nth_mat_of(a, k, k);
done:
    return st;
}

void cli_blocks_free(nth_blocks *b)
{
    free(b->train.a);
    free(b->test.a);
    free(b->test_test.a);
    *b = (nth_blocks){ 0 };
}

const char *const cli_block_suffix[] = { "", "_test", "_test_test" };

nth_status cli_blocks_write(nth_file *file, const char *name, const nth_blocks *b)
{
    const nth_mat block[] = { b->train, b->test, b->test_test };
    nth_status    st = NTH_OK;
    for (int i = 0; i < 3; ++i) {
        char            path[64];
        const ptrdiff_t dims[2] = { block[i].rows, block[i].cols };
        snprintf(path, sizeof path, "/%s%s", name, cli_block_suffix[i]);
        if (block[i].a != NULL) CLI_TRY(nth_file_write(file, path, block[i].a, 2, dims));
    }
done:
    return st;
}

void cli_diagonal(double *D, nth_mat A)
{
    for (ptrdiff_t i = 0; i < A.rows; ++i) D[i] = A.a[i * A.ld + i];
}

nth_status cli_diagonal_write(cli *c, nth_file *file, const char *name, const nth_blocks *b)
{
    nth_status      st = NTH_OK;
    const ptrdiff_t k = b->test_test.rows;
    double         *D = NULL;
    char            path[64];
    if (b->test_test.a == NULL) return NTH_OK;
    CLI_TRY(cli_doubles(c, &D, (double)k, "diagonal"));
    cli_diagonal(D, b->test_test);
    snprintf(path, sizeof path, "/%s_test_diag", name);
    CLI_TRY(nth_file_write(file, path, D, 1, &k));
done:
    free(D);
    return st;
}

double cli_max_abs(const double *a, ptrdiff_t n)
{
    double most = 0.0;
    for (ptrdiff_t i = 0; i < n; ++i)
        if (!(fabs(a[i]) <= most)) most = isnan(most) ? most : fabs(a[i]);
    return most;
}

void cli_report_shape(cli *c, const char *path, int rank, const ptrdiff_t *dims, double largest)
{
    nth_json *o = nth_json_object(), *shape = nth_json_array();
    char      text[128];
    int       length = 0;
    for (int i = 0; i < rank; ++i) {
        length += snprintf(text + length, sizeof text - (size_t)length, "%s%td", i > 0 ? "," : "", dims[i]);
        nth_json_append_int(shape, dims[i]);
    }
    cli_say(c, "%-16s (%s)  largest entry %.6g\n", path, text, largest);
    nth_json_set(o, "shape", shape);
    nth_json_set_double(o, "largest", largest);
    nth_json_set(c->json, path, o);
}

void cli_report_dataset(cli *c, const char *path, const double *a, int rank, const ptrdiff_t *dims)
{
    ptrdiff_t count = 1;
    for (int i = 0; i < rank; ++i) count *= dims[i];
    cli_report_shape(c, path, rank, dims, cli_max_abs(a, count));
}

void cli_report_blocks(cli *c, const char *name, const nth_blocks *b)
{
    const nth_mat block[] = { b->train, b->test, b->test_test };
    for (int i = 0; i < 3; ++i) {
        char            path[64];
        const ptrdiff_t dims[2] = { block[i].rows, block[i].cols };
        snprintf(path, sizeof path, "/%s%s", name, cli_block_suffix[i]);
        if (block[i].a != NULL) cli_report_dataset(c, path, block[i].a, 2, dims);
    }
}
