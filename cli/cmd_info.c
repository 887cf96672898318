/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * nth info: what was compiled in; nth info FILE.h5: what an HDF5 file says of itself and holds.
 */
#include "commands.h"
#include "contents.h"

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
    say(c, "onednn", b.onednn);
    say(c, "vector_math", b.vector_math);
    say(c, "cpu", b.cpu);
    cli_say(c, "%-15s %s\n", "openmp", b.openmp ? "yes" : "no");
    nth_json_set_bool(c->json, "openmp", b.openmp);
    cli_say(c, "%-15s %d\n", "threads", nth_threads_get());
    nth_json_set_int(c->json, "threads", nth_threads_get());
}

/* ---- A file -------------------------------------------------------------------------------------- */

typedef struct listing {
    cli       *c;
    nth_file  *file;
    nth_json  *attributes; /* "key" of the root, "/object@key" of others */
    nth_json  *datasets;   /* "/name": shape */
    cli_value  value;
} listing;

static void show_attribute(listing *w, const char *object, const char *key)
{
    char       name[1024];
    cli_value *v = &w->value;
    const bool root = strcmp(object, "/") == 0;
    if (!nth_file_has_attr(w->file, object, key)) return;
    snprintf(name, sizeof name, "%s%s%s", root ? "" : object, root ? "" : "@", key);
    cli_say(w->c, "%s%s = ", root ? "@" : "", name);
    cli_value_read(v, w->file, object, key);
    if (v->kind == CLI_VALUE_TEXT) {
        cli_say(w->c, "%s\n", v->text);
        nth_json_set_string(w->attributes, name, v->text);
    } else if (v->kind == CLI_VALUE_INTS) {
        nth_json *list = v->count > 1 ? nth_json_array() : NULL;
        for (ptrdiff_t i = 0; i < v->count; ++i) {
            cli_say(w->c, "%s%" PRId64, i > 0 ? "," : "", v->ints[i]);
            nth_json_append_int(list, v->ints[i]);
        }
        cli_say(w->c, "\n");
        if (v->count > 1) nth_json_set(w->attributes, name, list);
        else nth_json_set_int(w->attributes, name, v->ints[0]);
    } else if (v->kind == CLI_VALUE_REAL) {
        cli_say(w->c, "%.17g\n", v->x);
        nth_json_set_double(w->attributes, name, v->x);
    } else {
        cli_say(w->c, "(cannot be read)\n");
    }
}

static void show_attributes(listing *w, const char *object)
{
    for (int i = 0; cli_run_keys[i] != NULL; ++i) show_attribute(w, object, cli_run_keys[i]);
    for (int i = 0; cli_result_keys[i] != NULL; ++i) show_attribute(w, object, cli_result_keys[i]);
}

static void show_dataset(listing *w, const char *path, int rank, const ptrdiff_t *dims)
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

static nth_status show_object(const char *path, int rank, const ptrdiff_t *dims, void *ctx)
{
    listing *w = ctx;
    if (rank >= 0) show_dataset(w, path, rank, dims);
    show_attributes(w, path);
    return NTH_OK;
}

static nth_status describe_file(cli *c, const char *path)
{
    nth_status st = NTH_OK;
    nth_file  *f = NULL;
    listing   *w = calloc(1, sizeof *w);
    if (w == NULL) return cli_fail(c, NTH_E_NOMEM, "out of memory");
    CLI_TRY(nth_file_open(&f, path));
    w->c = c, w->file = f;
    if (c->json != NULL) w->attributes = nth_json_object(), w->datasets = nth_json_object();
    show_attributes(w, "/");
    CLI_TRY(cli_objects(f, show_object, w));
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
    if (!c->cfg->options_md && c->cfg->completion == NULL) {
        describe_build(c);
        return NTH_OK;
    }
    const nth_status st = c->cfg->options_md ? nth_config_markdown(&text) : nth_config_completion(&text, c->cfg->completion);
    if (st == NTH_OK) cli_say(c, "%s", text);
    nth_json_text_free(text);
    return st;
}
