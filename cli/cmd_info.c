/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * nth info: what was compiled in; nth info FILE.h5: what an HDF5 file says of itself and holds.
 */
#include "commands.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "nth/build_info.h"

static void say(cli *c, const char *key, const char *value)
{
    cli_say(c, "%-15s %s\n", key, value);
    nth_json_set_string(c->json, key, value);
}

static void describe_build(cli *c)
{
    const nth_build_info b = nth_build_info_get();
    say(c, "version", b.version);
    say(c, "git_revision", b.git_revision);
    cli_say(c, "%-15s %s\n", "git_dirty", b.git_dirty ? "yes" : "no");
    nth_json_set_bool(c->json, "git_dirty", b.git_dirty);
    say(c, "compiler", b.compiler);
    say(c, "compiler_flags", b.compiler_flags);
    say(c, "build_type", b.build_type);
    say(c, "blas", b.blas);
    say(c, "gsl", b.gsl);
    say(c, "hdf5", b.hdf5);
    say(c, "jansson", b.jansson);
    say(c, "vector_math", b.vector_math);
    say(c, "cpu", b.cpu);
    cli_say(c, "%-15s %s\n", "openmp", b.openmp ? "yes" : "no");
    nth_json_set_bool(c->json, "openmp", b.openmp);
    cli_say(c, "%-15s %d\n", "threads", nth_threads_get());
    nth_json_set_int(c->json, "threads", nth_threads_get());
}

/* ---- A file -------------------------------------------------------------------------------------- */

const char *const cli_attributes[] = { "status", "nth_version", "git_revision", "git_dirty", "command_line", "config",
                                       "seed", "threads", "created", "start", "duration", "peak_memory", "resumed", "compiler",
                                       "compiler_flags", "build_type", "blas", "gsl", "hdf5", "vector_math", "cpu", "activation",
                                       "widths", "parameterization", "sigma_w", "sigma_b", "input_scale", "output_scale", "doubled",
                                       "source", "preprocessing", "classes", "labels", "checksum",
                                       "frozen", "data", "data_checksum", "dual_error", "form", "draws", "batches", "networks",
                                       "power_of_width", "relative_standard_error", "sweep_hash", "tile_edge", "folds",
                                       "permuted_labels", NULL };

enum { MAX_TEXT = 1 << 16, MAX_INTS = 64, MAX_NAME = 1024, MAX_DEPTH = 16 };

typedef struct walk {
    cli        *c;
    nth_file   *file;
    const char *group;      /* whose members are listed */
    nth_json   *attributes; /* "key" of the root, "/object@key" of others */
    nth_json   *datasets;   /* "/name": shape */
    int         depth;
    char        text[MAX_TEXT];
} walk;

static void show_attribute(walk *w, const char *object, const char *key)
{
    char      name[MAX_NAME];
    int64_t   ints[MAX_INTS];
    ptrdiff_t count = MAX_INTS;
    double    x;
    snprintf(name, sizeof name, "%s%s%s", object, *object ? "@" : "", key);
    if (*object == '\0') object = "/";
    cli_say(w->c, "%s%s = ", strcmp(object, "/") == 0 ? "@" : "", name);
    if (nth_file_get_string(w->file, object, key, w->text, sizeof w->text) == NTH_OK) {
        cli_say(w->c, "%s\n", w->text);
        nth_json_set_string(w->attributes, name, w->text);
    } else if (nth_file_get_ints(w->file, object, key, ints, &count) == NTH_OK) {
        nth_json *list = count > 1 ? nth_json_array() : NULL;
        for (ptrdiff_t i = 0; i < count; ++i) {
            cli_say(w->c, "%s%" PRId64, i > 0 ? "," : "", ints[i]);
            nth_json_append_int(list, ints[i]);
        }
        cli_say(w->c, "\n");
        if (count > 1) nth_json_set(w->attributes, name, list);
        else nth_json_set_int(w->attributes, name, ints[0]);
    } else if (nth_file_get_double(w->file, object, key, &x) == NTH_OK) {
        cli_say(w->c, "%.17g\n", x);
        nth_json_set_double(w->attributes, name, x);
    } else {
        cli_say(w->c, "(cannot be read)\n");
    }
}

/* "" is the root. */
static void show_attributes(walk *w, const char *object)
{
    for (const char *const *key = cli_attributes; *key != NULL; ++key)
        if (nth_file_has_attr(w->file, *object ? object : "/", *key)) show_attribute(w, object, *key);
}

static void show_dataset(walk *w, const char *path, int rank, const ptrdiff_t *dims)
{
    nth_json *shape = w->datasets != NULL ? nth_json_array() : NULL;
    cli_say(w->c, "%s (", path);
    for (int i = 0; i < rank; ++i) {
        cli_say(w->c, "%s%td", i > 0 ? "," : "", dims[i]);
        nth_json_append_int(shape, dims[i]);
    }
    cli_say(w->c, ")\n");
    if (w->datasets != NULL) nth_json_set(w->datasets, path, shape);
}

/* A member of w->group: a dataset is shown, a group is entered, others are passed over. */
static nth_status show_member(const char *name, void *ctx)
{
    walk       *w = ctx;
    nth_status  st = NTH_OK;
    char        path[MAX_NAME / 2];
    int         rank;
    ptrdiff_t   dims[NTH_MAX_RANK];
    const char *group = w->group;
    const int   n = snprintf(path, sizeof path, "%s/%s", group, name);
    if (n < 0 || n >= (int)sizeof path || w->depth >= MAX_DEPTH) return NTH_OK;
    const bool dataset = nth_file_shape(w->file, path, &rank, dims) == NTH_OK;
    if (dataset) show_dataset(w, path, rank, dims);
    show_attributes(w, path);
    if (dataset) return NTH_OK;
    w->group = path;
    ++w->depth;
    st = nth_file_list(w->file, path, show_member, w);
    --w->depth;
    w->group = group;
    return st == NTH_E_FORMAT ? NTH_OK : st;
}

static nth_status describe_file(cli *c, const char *path)
{
    nth_status st = NTH_OK;
    nth_file  *f = NULL;
    walk      *w = calloc(1, sizeof *w);
    if (w == NULL) return cli_fail(c, NTH_E_NOMEM, "out of memory");
    CLI_TRY(nth_file_open(&f, path));
    w->c = c, w->file = f, w->group = "";
    if (c->json != NULL) w->attributes = nth_json_object(), w->datasets = nth_json_object();
    show_attributes(w, "");
    CLI_TRY(nth_file_list(f, "/", show_member, w));
    nth_json_set_string(c->json, "file", path);
    nth_json_set(c->json, "attributes", w->attributes);
    nth_json_set(c->json, "datasets", w->datasets);
    w->attributes = w->datasets = NULL;
done:
    nth_json_destroy(&w->attributes);
    nth_json_destroy(&w->datasets);
    nth_file_close(&f);
    free(w);
    return st;
}

nth_status cmd_info(cli *c)
{
    char *text = NULL;
    if (c->cfg->file != NULL) return describe_file(c, c->cfg->file);
    if (!c->cfg->options_md) {
        describe_build(c);
        return NTH_OK;
    }
    const nth_status st = nth_config_markdown(&text);
    if (st == NTH_OK) cli_say(c, "%s", text);
    nth_json_text_free(text);
    return st;
}
