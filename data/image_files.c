/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * The two image formats. Opening a set checks the sizes and reads the labels; pixels are read image
 * by image, so that only the images asked for take memory.
 *
 *   CIFAR-10, binary version   records of 1 label byte and 3072 pixel bytes (R, G, B planes of
 *                              32 x 32, row-major); data_batch_1..5.bin and test_batch.bin
 *   idx (MNIST)                big-endian header: magic 0x803, count, rows, columns, then one byte
 *                              a pixel; labels: magic 0x801, count, then one byte each
 */
#include "alloc_priv.h"
#include "data_priv.h"
#include "fail_priv.h"

#include <errno.h>
#include <string.h>

enum { CIFAR_PIXELS = 3072, CIFAR_RECORD = CIFAR_PIXELS + 1, IDX_IMAGES = 0x803, IDX_LABELS = 0x801 };

static nth_status size_of(ptrdiff_t *size, FILE *f, const char *name)
{
    nth_status st = NTH_OK;
    NTH_REQUIRE(fseeko(f, 0, SEEK_END) == 0, NTH_E_IO, "cannot seek in %s: %s", name, strerror(errno));
    *size = (ptrdiff_t)ftello(f);
    NTH_REQUIRE(*size >= 0 && fseeko(f, 0, SEEK_SET) == 0, NTH_E_IO, "cannot seek in %s: %s", name,
                strerror(errno));
done:
    return st;
}

/* Room for `more` labels behind those there are. */
static nth_status extend_labels(nth_images *set, ptrdiff_t more)
{
    nth_status st = NTH_OK;
    uint8_t   *labels = NULL;
    NTH_TRY(nth_priv_alloc(&labels, set->count + more, 1, "labels of images"));
    if (set->count > 0) memcpy(labels, set->labels, (size_t)set->count);
    nth_priv_free(set->labels);
    set->labels = labels;
done:
    return st;
}

static nth_status check_label(uint8_t label, ptrdiff_t record, const char *name)
{
    nth_status st = NTH_OK;
    NTH_REQUIRE(label < NTH_IMAGE_CLASSES, NTH_E_FORMAT,
                "%s: label %d of record %td, counted from 0; expected 0 to 9", name, label, record);
done:
    return st;
}

/* The stream becomes part of the set first, so that it is closed whatever comes after. */
static nth_status add_part(nth_images *set, FILE *f, const char *name)
{
    nth_status st = NTH_OK;
    if (set->files == NTH_IMAGE_FILES) fclose(f);
    NTH_REQUIRE(set->files < NTH_IMAGE_FILES, NTH_E_ARG, "%s: more than %d files", name, NTH_IMAGE_FILES);
    set->part[set->files++].f = f;
    NTH_TRY(nth_priv_strdup(&set->part[set->files - 1].name, name));
done:
    return st;
}

nth_status nth_priv_cifar_attach(nth_images *set, FILE *f, const char *name)
{
    nth_status st = NTH_OK;
    ptrdiff_t  size = 0;
    uint8_t    record[CIFAR_RECORD];
    NTH_TRY(add_part(set, f, name));
    NTH_TRY(size_of(&size, f, name));
    NTH_REQUIRE(size % CIFAR_RECORD == 0 && size > 0, NTH_E_FORMAT,
                "%s: %td bytes; expected a multiple of %d, one label and %d pixels a record (truncated?)",
                name, size, CIFAR_RECORD, CIFAR_PIXELS);
    const ptrdiff_t count = size / CIFAR_RECORD;
    NTH_TRY(extend_labels(set, count));
    for (ptrdiff_t i = 0; i < count; ++i) {
        NTH_REQUIRE(fread(record, CIFAR_RECORD, 1, f) == 1, NTH_E_IO, "cannot read record %td of %s", i, name);
        NTH_TRY(check_label(record[0], i, name));
        set->labels[set->count + i] = record[0];
    }
    set->part[set->files - 1].count = count;
    set->part[set->files - 1].header = 1;
    set->part[set->files - 1].stride = CIFAR_RECORD;
    set->pixels = CIFAR_PIXELS;
    set->count += count;
done:
    return st;
}

static uint32_t big_endian(const uint8_t *b)
{
    return (uint32_t)b[0] << 24 | (uint32_t)b[1] << 16 | (uint32_t)b[2] << 8 | b[3];
}

/* Reads the header of `dims` sizes and holds it against the size of the file. */
static nth_status idx_header(uint32_t *sizes, int dims, uint32_t magic, FILE *f, const char *name)
{
    nth_status st = NTH_OK;
    uint8_t    bytes[16];
    ptrdiff_t  size = 0, expected = 1;
    const int  header = 4 + 4 * dims;
    NTH_TRY(size_of(&size, f, name));
    NTH_REQUIRE(fread(bytes, (size_t)header, 1, f) == 1, NTH_E_FORMAT,
                "%s: %td bytes, shorter than the idx header of %d", name, size, header);
    NTH_REQUIRE(bytes[0] != 0x1f || bytes[1] != 0x8b, NTH_E_FORMAT,
                "%s: compressed with gzip; unpack it first", name);
    NTH_REQUIRE(big_endian(bytes) == magic, NTH_E_FORMAT, "%s: idx magic 0x%08x; expected 0x%08x", name,
                (unsigned)big_endian(bytes), (unsigned)magic);
    bool fits = true;
    for (int i = 0; i < dims; ++i) {
        sizes[i] = big_endian(bytes + 4 + 4 * i);
        fits = fits && !__builtin_mul_overflow(expected, (ptrdiff_t)sizes[i], &expected);
    }
    NTH_REQUIRE(fits && expected == size - header, NTH_E_FORMAT,
                "%s: header says %u%s, the file has %td bytes after it (truncated?)", name,
                (unsigned)sizes[0], dims == 3 ? " images" : " labels", size - header);
done:
    return st;
}

nth_status nth_priv_idx_attach(nth_images *set, FILE *images, const char *images_name, FILE *labels,
                               const char *labels_name)
{
    nth_status st = NTH_OK;
    uint32_t   sizes[3] = { 0 }, count = 0;
    NTH_TRY(add_part(set, images, images_name));
    NTH_REQUIRE(set->files == 1, NTH_E_ARG, "%s: a second idx file in one set", images_name);
    NTH_TRY(idx_header(sizes, 3, IDX_IMAGES, images, images_name));
    NTH_TRY(idx_header(&count, 1, IDX_LABELS, labels, labels_name));
    NTH_REQUIRE(sizes[1] > 0 && sizes[2] > 0, NTH_E_FORMAT, "%s: images of %u x %u pixels", images_name,
                (unsigned)sizes[1], (unsigned)sizes[2]);
    NTH_REQUIRE(count == sizes[0], NTH_E_FORMAT, "%s has %u labels, %s has %u images", labels_name,
                (unsigned)count, images_name, (unsigned)sizes[0]);
    NTH_TRY(extend_labels(set, (ptrdiff_t)count));
    NTH_REQUIRE(count == 0 || fread(set->labels, count, 1, labels) == 1, NTH_E_IO, "cannot read %s", labels_name);
    for (ptrdiff_t i = 0; i < (ptrdiff_t)count; ++i) NTH_TRY(check_label(set->labels[i], i, labels_name));
    set->count = set->part[0].count = (ptrdiff_t)count;
    set->pixels = set->part[0].stride = (ptrdiff_t)sizes[1] * (ptrdiff_t)sizes[2];
    set->part[0].header = 16;
done:
    return st;
}

static nth_status open_cifar(nth_images *set, const char *dir, bool test)
{
    nth_status st = NTH_OK;
    char      *path = NULL;
    FILE      *f = NULL;
    for (int i = 1; i <= (test ? 1 : NTH_IMAGE_FILES); ++i) {
        nth_priv_free(path);
        NTH_TRY(test ? nth_priv_format(&path, "%s/test_batch.bin", dir)
                     : nth_priv_format(&path, "%s/data_batch_%d.bin", dir, i));
        NTH_TRY(nth_priv_open(&f, path));
        NTH_TRY(nth_priv_cifar_attach(set, f, path));
    }
done:
    nth_priv_free(path);
    return st;
}

static nth_status open_idx(nth_images *set, const char *dir, bool test)
{
    nth_status  st = NTH_OK;
    const char *part = test ? "t10k" : "train";
    char       *images_name = NULL, *labels_name = NULL;
    FILE       *images = NULL, *labels = NULL;
    NTH_TRY(nth_priv_format(&images_name, "%s/%s-images-idx3-ubyte", dir, part));
    NTH_TRY(nth_priv_format(&labels_name, "%s/%s-labels-idx1-ubyte", dir, part));
    NTH_TRY(nth_priv_open(&labels, labels_name));
    NTH_TRY(nth_priv_open(&images, images_name));
    NTH_TRY(nth_priv_idx_attach(set, images, images_name, labels, labels_name));
done:
    if (labels != NULL) fclose(labels);
    nth_priv_free(images_name);
    nth_priv_free(labels_name);
    return st;
}

nth_status nth_priv_images_open(nth_images *set, const char *scheme, const char *dir, bool test)
{
    return strcmp(scheme, "mnist") == 0 ? open_idx(set, dir, test) : open_cifar(set, dir, test);
}

nth_status nth_priv_images_read(nth_images *set, ptrdiff_t index, uint8_t *pixels)
{
    nth_status st = NTH_OK;
    int        p = 0;
    ptrdiff_t  i = index;
    while (p < set->files && i >= set->part[p].count) i -= set->part[p++].count;
    NTH_REQUIRE(index >= 0 && p < set->files, NTH_E_ARG, "image %td of %td", index, set->count);
    const ptrdiff_t offset = set->part[p].header + i * set->part[p].stride;
    NTH_REQUIRE(fseeko(set->part[p].f, (off_t)offset, SEEK_SET) == 0 &&
                    fread(pixels, (size_t)set->pixels, 1, set->part[p].f) == 1,
                NTH_E_IO, "cannot read image %td of %s", i, set->part[p].name);
done:
    return st;
}

void nth_priv_images_fini(nth_images *set)
{
    for (int p = 0; p < set->files; ++p) {
        fclose(set->part[p].f);
        nth_priv_free(set->part[p].name);
    }
    nth_priv_free(set->labels);
    *set = (nth_images){ 0 };
}
