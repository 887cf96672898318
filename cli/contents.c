/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * The objects of a file, their attributes and checksum (contents.h).
 */
#include "contents.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define RUN_KEYS                                                                                                               \
    "status", "nth_version", "git_revision", "git_dirty", "command_line", "config", "inputs", "seed", "threads", "created", "start", \
        "duration", "peak_memory", "resumed", "compiler", "compiler_flags", "build_type", "blas", "gsl", "hdf5", "onednn",       \
        "vector_math", "cpu"
#define RESULT_KEYS                                                                                                            \
    "activation", "widths", "parameterization", "output_scale", "sigma_w", "sigma_b", "input_scale", "doubled", "frozen", "image", \
        "channels", "strides", "outputs", "source", "preprocessing", "classes", "labels", "checksum", "data", "data_checksum",   \
        "elasticity_data_checksum",                                                                                           \
        "dual_error", "form", "draws", "batches", "networks", "power_of_width", "relative_standard_error", "sweep_hash",         \
        "tile_edge", "chosen", "variant", "folds", "permuted_labels", "samples", "mean_abs_K", "mean_abs_Z", "range_K",          \
        "condition", "constant", "r2", "dropped", "sketch_rows", "excess", "verdict"
const char *const cli_run_keys[] = { RUN_KEYS, NULL };
const char *const cli_result_keys[] = { RESULT_KEYS, NULL };
const char *const cli_all_keys[] = { RUN_KEYS, RESULT_KEYS, NULL };


enum { MAX_PATH = 512, MAX_DEPTH = 16, NETWORK_KEYS = 9, AT_ONCE = 1 << 20 };

void cli_value_read(cli_value *v, nth_file *f, const char *object, const char *key)
{
    v->kind = CLI_VALUE_NONE;
    v->count = CLI_MAX_INTS;
    if (!nth_file_has_attr(f, object, key)) return;
    if (nth_file_get_string(f, object, key, v->text, sizeof v->text) == NTH_OK) v->kind = CLI_VALUE_TEXT;
    else if (nth_file_get_ints(f, object, key, v->ints, &v->count) == NTH_OK) v->kind = CLI_VALUE_INTS;
    else if (nth_file_get_double(f, object, key, &v->x) == NTH_OK) v->kind = CLI_VALUE_REAL;
}

/* ---- Objects ------------------------------------------------------------------------------------- */

typedef struct walk {
    nth_file         *file;
    cli_object_visit *visit;
    void             *ctx;
    const char       *group; /* whose members are listed */
    int               depth;
    bool              failed; /* a visit did, not a listing */
} walk;

static nth_status visit_object(walk *w, const char *path, int rank, const ptrdiff_t *dims)
{
    const nth_status st = w->visit(path, rank, dims, w->ctx);
    w->failed = w->failed || st != NTH_OK;
    return st;
}

static nth_status enter(const char *name, void *ctx)
{
    walk       *w = ctx;
    nth_status  st;
    char        path[MAX_PATH];
    int         rank;
    ptrdiff_t   dims[NTH_MAX_RANK];
    const char *group = w->group;
    const int   n = snprintf(path, sizeof path, "%s/%s", group, name);
    if (n < 0 || n >= (int)sizeof path || w->depth >= MAX_DEPTH) return NTH_OK;
    if (nth_file_shape(w->file, path, &rank, dims) == NTH_OK) return visit_object(w, path, rank, dims);
    st = visit_object(w, path, -1, NULL);
    if (st != NTH_OK) return st;
    w->group = path;
    ++w->depth;
    st = nth_file_list(w->file, path, enter, w);
    --w->depth;
    w->group = group;
    return st == NTH_E_FORMAT && !w->failed ? NTH_OK : st; /* a damaged or foreign object is passed over */
}

nth_status cli_objects(nth_file *f, cli_object_visit *visit, void *ctx)
{
    walk w = { .file = f, .visit = visit, .ctx = ctx, .group = "" };
    return nth_file_list(f, "/", enter, &w);
}

ptrdiff_t cli_rows_at_once(int rank, const ptrdiff_t *dims)
{
    ptrdiff_t row = 1;
    for (int i = 1; i < rank; ++i) row *= dims[i];
    if (rank == 0 || dims[0] < 1) return 1;
    const ptrdiff_t rows = row > 0 ? AT_ONCE / row : dims[0];
    return rows < 1 ? 1 : rows < dims[0] ? rows : dims[0];
}

/* ---- Checksum ------------------------------------------------------------------------------------ */

typedef struct sum {
    nth_file  *file;
    uint64_t   hash;
    cli_value *value;
} sum;

static void add(sum *s, const void *bytes, size_t n)
{
    const unsigned char *b = bytes;
    for (size_t i = 0; i < n; ++i) s->hash = (s->hash ^ b[i]) * UINT64_C(0x100000001b3);
}

static void add_network(sum *s, const char *object)
{
    cli_value *v = s->value;
    for (int i = 0; i < NETWORK_KEYS; ++i) {
        cli_value_read(v, s->file, object, cli_result_keys[i]);
        if (v->kind == CLI_VALUE_TEXT) add(s, v->text, strlen(v->text) + 1);
        if (v->kind == CLI_VALUE_INTS) add(s, v->ints, (size_t)v->count * sizeof *v->ints);
        if (v->kind == CLI_VALUE_REAL) add(s, &v->x, sizeof v->x);
    }
}

static nth_status add_object(const char *path, int rank, const ptrdiff_t *dims, void *ctx)
{
    sum       *s = ctx;
    nth_status st = NTH_OK;
    ptrdiff_t  row = 1;
    add(s, path, strlen(path) + 1);
    if (rank < 0) {
        add_network(s, path);
        return NTH_OK;
    }
    add(s, dims, (size_t)rank * sizeof *dims);
    for (int i = 1; i < rank; ++i) row *= dims[i];
    const ptrdiff_t total = rank > 0 ? dims[0] : 1, rows = cli_rows_at_once(rank, dims);
    double         *part = malloc((size_t)(rows * row > 0 ? rows * row : 1) * sizeof *part);
    if (part == NULL) return NTH_E_NOMEM;
    for (ptrdiff_t i = 0; st == NTH_OK && i < total && row > 0; i += rows) {
        const ptrdiff_t here = total - i < rows ? total - i : rows;
        st = nth_file_read_rows(s->file, path, i, here, part);
        if (st == NTH_OK) add(s, part, (size_t)(here * row) * sizeof *part);
    }
    free(part);
    return st;
}

nth_status cli_checksum(char out[17], nth_file *f)
{
    sum s = { .file = f, .hash = UINT64_C(0xcbf29ce484222325), .value = malloc(sizeof *s.value) };
    if (s.value == NULL) return NTH_E_NOMEM;
    add_network(&s, "/");
    const nth_status st = cli_objects(f, add_object, &s);
    snprintf(out, 17, "%016" PRIx64, s.hash);
    free(s.value);
    return st;
}
