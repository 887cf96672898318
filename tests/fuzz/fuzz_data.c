/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * What a reader promises for any bytes: it ends, it frees what it took, a failure has one line of
 * message without control characters, and a success gives rows that are what they should be.
 */
#include "fuzz_data.h"
#include "alloc_priv.h"
#include "data_priv.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

long nth_fuzz_accepted;

static void promise(bool kept)
{
    if (!kept) abort();
}

static void check_failure(nth_status st)
{
    const nth_error error = nth_last_error();
    promise(st == error.code && error.message[0] != '\0');
    for (const char *c = error.message; *c != '\0'; ++c) promise((unsigned char)*c >= 0x20 && *c != 0x7f);
}

/* A stream on a block of memory; NULL for an empty one. */
static FILE *stream_of(const uint8_t *bytes, size_t size)
{
    return size > 0 ? fmemopen((void *)(uintptr_t)bytes, size, "rb") : NULL;
}

static nth_status no_load(nth_data *data, const nth_spec *spec, const nth_data_options *opt)
{
    (void)data, (void)spec, (void)opt;
    return NTH_OK;
}

int nth_fuzz_spec(const uint8_t *bytes, size_t size)
{
    static const nth_source sources[] = { { .scheme = "", .load = no_load },
                                          { .scheme = "csv", .keys = { "target", "seed", "n" }, .load = no_load },
                                          { .load = NULL } };
    nth_data_options        opt = { 0 };
    nth_spec                spec = { 0 };
    const nth_source       *source = NULL;
    char                    text[512];
    ptrdiff_t               n = 7;
    const size_t            used = size < sizeof text ? size : sizeof text - 1;
    memcpy(text, bytes, used);
    text[used] = '\0';
    char *second = strchr(text, '\n');
    if (second != NULL) *second++ = '\0';
    if (nth_priv_spec_parse(&spec, text, sources, &source) == NTH_OK) {
        promise(source->load == no_load && spec.count <= 3);
        ++nth_fuzz_accepted;
        if (nth_priv_spec_count(&spec, "n", 2, 9, &n) == NTH_OK) promise(n >= 2 && n <= 9);
    }
    nth_priv_spec_fini(&spec);
    if (second != NULL && nth_data_options_parse(&opt, second) == NTH_OK)
        promise(opt.project >= 0 && opt.pixels <= NTH_PIXELS_RAW);
    return 0;
}

static void check_images(nth_images *set)
{
    uint8_t *pixels = NULL;
    ++nth_fuzz_accepted;
    if (nth_priv_alloc(&pixels, set->pixels, 1, "an image") != NTH_OK) return;
    for (ptrdiff_t i = 0; i < set->count && i < 50; ++i) {
        promise(set->labels[i] < NTH_IMAGE_CLASSES);
        promise(nth_priv_images_read(set, i, pixels) == NTH_OK);
    }
    promise(nth_priv_images_read(set, set->count, pixels) == NTH_E_ARG);
    nth_priv_free(pixels);
}

int nth_fuzz_cifar(const uint8_t *bytes, size_t size)
{
    nth_images set = { 0 };
    FILE      *f = stream_of(bytes, size);
    if (f == NULL) return 0;
    const nth_status st = nth_priv_cifar_attach(&set, f, "batch");
    if (st == NTH_OK) check_images(&set);
    else check_failure(st);
    nth_priv_images_fini(&set);
    return 0;
}

int nth_fuzz_idx(const uint8_t *bytes, size_t size)
{
    nth_images set = { 0 };
    if (size < 1 || bytes[0] >= size - 1) return 0;
    FILE *images = stream_of(bytes + 1, bytes[0]), *labels = stream_of(bytes + 1 + bytes[0], size - 1 - bytes[0]);
    if (images != NULL && labels != NULL) {
        const nth_status st = nth_priv_idx_attach(&set, images, "images", labels, "labels");
        if (st == NTH_OK) check_images(&set);
        else check_failure(st);
        images = NULL; /* the set's own */
    }
    if (images != NULL) fclose(images);
    if (labels != NULL) fclose(labels);
    nth_priv_images_fini(&set);
    return 0;
}

static void check_table(const nth_table *t)
{
    ++nth_fuzz_accepted;
    promise(t->rows >= 1 && t->d >= 1 && t->classes != 1 && t->classes <= NTH_MAX_CLASSES);
    for (ptrdiff_t i = 0; i < t->rows * t->d; ++i) promise(isfinite(t->x[i]));
    for (ptrdiff_t i = 0; i < t->rows; ++i) {
        promise(isfinite(t->target[i]));
        if (t->classes == 0) continue;
        promise(t->target[i] >= 0 && t->target[i] < (double)t->classes && t->target[i] == floor(t->target[i]));
    }
}

int nth_fuzz_csv(const uint8_t *bytes, size_t size)
{
    static const char *const tasks[] = { "auto", "classify", "regress" };
    nth_table                t = { 0 };
    if (size < 1) return 0;
    const nth_csv_columns columns = { .target = "y",
                                      .task = tasks[bytes[0] % 3],
                                      .ignore = bytes[0] & 4 ? "i" : NULL,
                                      .split = bytes[0] & 8 ? "s" : NULL,
                                      .fold = bytes[0] & 8 ? "1" : NULL };
    FILE                 *f = stream_of(bytes + 1, size - 1);
    if (f == NULL) return 0;
    const nth_status st = nth_priv_csv_read(&t, f, "table", &columns);
    if (st == NTH_OK) check_table(&t);
    else check_failure(st);
    fclose(f);
    nth_priv_table_fini(&t);
    return 0;
}

/* Cuts one part off the front. */
static FILE *next_part(const uint8_t **bytes, size_t *size)
{
    const uint8_t *end = *size > 0 ? memchr(*bytes, 0xff, *size) : NULL;
    const size_t   length = end != NULL ? (size_t)(end - *bytes) : *size;
    FILE          *f = stream_of(*bytes, length);
    *bytes += end != NULL ? length + 1 : length;
    *size -= end != NULL ? length + 1 : length;
    return f;
}

int nth_fuzz_uci(const uint8_t *bytes, size_t size)
{
    nth_uci_info info = { 0 };
    nth_table    t = { 0 };
    ptrdiff_t   *rows[2] = { NULL, NULL }, n[2] = { 0, 0 };
    FILE        *f[3] = { next_part(&bytes, &size), next_part(&bytes, &size), next_part(&bytes, &size) };
    if (f[0] != NULL && f[1] != NULL && f[2] != NULL) {
        nth_status st = nth_priv_uci_info(&info, f[0], "info");
        if (st == NTH_OK) st = nth_priv_uci_table(&t, f[1], "table", &info);
        if (st == NTH_OK) check_table(&t);
        if (st == NTH_OK) st = nth_priv_uci_split(rows, n, f[2], "split", 0, t.rows);
        if (st == NTH_OK) {
            promise(n[0] >= 1 && n[1] >= 1 && n[0] + n[1] <= t.rows);
            for (int s = 0; s < 2; ++s)
                for (ptrdiff_t i = 0; i < n[s]; ++i) promise(rows[s][i] >= 0 && rows[s][i] < t.rows);
        } else
            check_failure(st);
    }
    for (int i = 0; i < 3; ++i)
        if (f[i] != NULL) fclose(f[i]);
    nth_priv_free(rows[0]);
    nth_priv_free(rows[1]);
    nth_priv_table_fini(&t);
    return 0;
}
