/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * The readers of base/ promise: success or a status with a message, nothing leaked, and what is
 * accepted is well formed. A broken promise aborts.
 */
#include "fuzz_base.h"
#include "alloc_priv.h"
#include "nth/config.h"
#include "nth/file.h"
#include "nth/json.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

long         nth_fuzz_base_accepted;
volatile int nth_fuzz_base_broken;

static void promise(int holds, const char *what)
{
    if (holds) return;
    nth_fuzz_base_broken = 1;
    fprintf(stderr, "broken promise: %s (last message: %s)\n", what, nth_last_error().message);
    abort();
}

/* A refusal says why. */
static void check_status(nth_status st)
{
    promise(st == NTH_OK || nth_last_error().message[0] != '\0', "a failure has a message");
}

/* What was read can be recorded, and the record reads back as the same configuration. */
static void check_record(const nth_config *cfg)
{
    nth_config *again = NULL;
    char       *text = NULL, *text2 = NULL;
    promise(nth_config_json(&text, cfg) == NTH_OK, "an accepted configuration has a record");
    promise(nth_config_create(&again, cfg->command) == NTH_OK, "defaults");
    promise(nth_config_text(again, "record", text, strlen(text)) == NTH_OK, "the record is accepted");
    promise(nth_config_json(&text2, again) == NTH_OK && strcmp(text, text2) == 0, "the record reads back");
    nth_json_text_free(text);
    nth_json_text_free(text2);
    nth_config_destroy(&again);
}

int nth_fuzz_config(const uint8_t *bytes, size_t size)
{
    const long  before = nth_test_live_blocks;
    nth_config *cfg = NULL;
    if (size == 0) return 0;
    promise(nth_config_create(&cfg, (nth_command)(bytes[0] % NTH_COMMAND_COUNT)) == NTH_OK, "defaults");
    const nth_status st = nth_config_text(cfg, "run.json", (const char *)bytes + 1, size - 1);
    check_status(st);
    if (st == NTH_OK) ++nth_fuzz_base_accepted, check_record(cfg);
    nth_config_destroy(&cfg);
    promise(nth_test_live_blocks == before, "nothing leaks");
    return 0;
}

int nth_fuzz_line(const uint8_t *bytes, size_t size)
{
    enum { MAX_WORDS = 32, MAX_BYTES = 4096 };
    static char text[MAX_BYTES + 1];
    const char *argv[MAX_WORDS];
    int         argc = 0;
    const long  before = nth_test_live_blocks;
    nth_config *cfg = NULL;
    if (size == 0 || size > MAX_BYTES) return 0;
    memcpy(text, bytes, size);
    text[size] = '\0';
    for (char *w = strtok(text + 1, "\n"); w != NULL && argc < MAX_WORDS; w = strtok(NULL, "\n"))
        if (strncmp(w, "--config", 8) != 0) argv[argc++] = w; /* opens no files */
    promise(nth_config_create(&cfg, (nth_command)(bytes[0] % NTH_COMMAND_COUNT)) == NTH_OK, "defaults");
    const nth_status st = nth_config_arguments(cfg, argc, argv);
    check_status(st);
    if (st == NTH_OK) ++nth_fuzz_base_accepted;
    nth_config_destroy(&cfg);
    promise(nth_test_live_blocks == before, "nothing leaks");
    return 0;
}

/* ---- HDF5 ---------------------------------------------------------------------------------------- */

typedef struct walk {
    nth_file   *file;
    const char *object;
    int         depth, visits;
} walk;

enum { MAX_ENTRIES = 1 << 16, MAX_VISITS = 200, MAX_PATH = 512 };

/* Attributes are asked for by name. (HDF5 1.10 itself crashes on listing those of damaged objects.) */
static void read_attributes(const walk *w)
{
    static const char *const keys[] = { "status", "seed", "widths", "config", "variable", "fixed", "padded" };
    char                     text[256];
    int64_t                  ints[16];
    double                   x;
    for (size_t i = 0; i < sizeof keys / sizeof *keys; ++i) {
        ptrdiff_t count = 16;
        if (!nth_file_has_attr(w->file, w->object, keys[i])) continue;
        check_status(nth_file_get_string(w->file, w->object, keys[i], text, sizeof text));
        check_status(nth_file_get_ints(w->file, w->object, keys[i], ints, &count));
        check_status(nth_file_get_double(w->file, w->object, keys[i], &x));
    }
}

static void read_dataset(nth_file *file, const char *path)
{
    ptrdiff_t dims[NTH_MAX_RANK], count = 1;
    int       rank = -1;
    double   *x = NULL;
    if (nth_file_shape(file, path, &rank, dims) != NTH_OK) return;
    promise(rank >= 0 && rank <= NTH_MAX_RANK, "the rank is within bounds");
    for (int i = 0; i < NTH_MAX_RANK; ++i) {
        promise(dims[i] >= 0, "extents are counts");
        if (dims[i] > MAX_ENTRIES) return;
        count *= dims[i];
        if (count > MAX_ENTRIES) return;
    }
    x = malloc(sizeof *x * (size_t)(count + 1));
    if (x == NULL) abort();
    const nth_status st = nth_file_read(file, path, x, count);
    check_status(st);
    for (ptrdiff_t i = 0; st == NTH_OK && i < count; ++i) promise(x[i] - x[i] == 0.0, "accepted numbers are finite");
    free(x);
}

static nth_status visit(const char *name, void *ctx)
{
    walk       *w = ctx;
    char        path[MAX_PATH];
    const char *group = w->object;
    const int   n = snprintf(path, sizeof path, "%s/%s", strcmp(group, "/") == 0 ? "" : group, name);
    if (n >= (int)sizeof path || w->depth > 4 || ++w->visits > MAX_VISITS) return NTH_E_INTERRUPTED;
    read_dataset(w->file, path);
    w->object = path, ++w->depth;
    read_attributes(w);
    (void)!nth_file_list(w->file, path, visit, w);
    w->object = group, --w->depth;
    return NTH_OK;
}

int nth_fuzz_hdf5(const uint8_t *bytes, size_t size)
{
    static char path[64];
    const long  before = nth_test_live_blocks;
    nth_file   *file = NULL;
    if (path[0] == '\0') snprintf(path, sizeof path, "nth_fuzz_%ld.h5", (long)getpid());
    FILE *f = fopen(path, "wb");
    if (f == NULL || fwrite(bytes, 1, size, f) != size || fclose(f) != 0) abort();
    const nth_status st = nth_file_open(&file, path);
    check_status(st);
    if (st == NTH_OK) {
        walk w = { .file = file, .object = "/" };
        ++nth_fuzz_base_accepted;
        read_attributes(&w);
        (void)!nth_file_list(file, "/", visit, &w);
        nth_file_close(&file);
    }
    (void)remove(path);
    promise(nth_test_live_blocks == before, "nothing leaks");
    return 0;
}
