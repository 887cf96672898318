/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Inside data/: the parsed spec, and what the readers of the formats share.
 *
 * A source is a row of the table in data.c: scheme, legal keys, function. The function gets the
 * parsed spec and fills x, y, x_test, y_test, classes, labels and source of an empty nth_data;
 * data.c preprocesses, checks and sums. Readers take an open stream and a name for messages, so
 * that tests and fuzz targets can feed them bytes from memory.
 */
#ifndef NTH_DATA_DATA_PRIV_H
#define NTH_DATA_DATA_PRIV_H

#include <stdint.h>
#include <stdio.h>

#include "nth/data.h"

enum { NTH_SPEC_MAX_KEYS = 12, NTH_MAX_CLASSES = 1000 };

typedef struct nth_spec {
    char       *text;   /* owned copy, cut into pieces by NULs */
    const char *scheme; /* "cifar10"; "" for an HDF5 file */
    const char *path;   /* between ':' and '?' */
    int         count;
    struct {
        const char *key, *value;
    } pair[NTH_SPEC_MAX_KEYS];
} nth_spec;

typedef struct nth_source {
    const char *scheme;
    const char *keys[NTH_SPEC_MAX_KEYS]; /* NULL after the last */
    bool        images;                  /* has pixels */
    nth_status (*load)(nth_data *data, const nth_spec *spec, const nth_data_options *opt);
} nth_source;

/* spec.c */
NTH_NODISCARD nth_status nth_priv_spec_parse(nth_spec *spec, const char *text,
                                             const nth_source *sources, const nth_source **source);
void                     nth_priv_spec_fini(nth_spec *spec);
const char              *nth_priv_spec_text(const nth_spec *spec, const char *key); /* NULL: not given */
/* Integer lo..hi in decimal; *out is left alone where the key is not given. */
NTH_NODISCARD nth_status nth_priv_spec_count(const nth_spec *spec, const char *key, ptrdiff_t lo,
                                             ptrdiff_t hi, ptrdiff_t *out);
NTH_NODISCARD nth_status nth_priv_spec_seed(const nth_spec *spec, const char *key, uint64_t *out);
bool                     nth_priv_parse_u64(const char *text, uint64_t *out);
/* The name of the list (NULL-terminated) with the smallest edit distance; NULL for an empty list. */
const char *nth_priv_data_nearest(const char *word, const char *const *names);
/* printf into a block of its own. */
NTH_NODISCARD nth_status nth_priv_format(char **out, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));

/* data.c: owned arrays and texts of a data set, zero-filled. */
NTH_NODISCARD nth_status nth_priv_data_alloc(nth_data *data, ptrdiff_t n, ptrdiff_t k, ptrdiff_t d,
                                             ptrdiff_t c);
NTH_NODISCARD nth_status nth_priv_data_labels(nth_data *data, ptrdiff_t classes,
                                              const char *const *labels);
/* Row i of y (or y_test) for class number `cls`: +-1 for two classes, one-hot for more. */
void nth_priv_data_set_class(nth_mat y, ptrdiff_t i, ptrdiff_t cls);

/* options.c: the options in force, as recorded. */
NTH_NODISCARD nth_status nth_priv_options_text(char **out, const nth_data_options *opt, bool images);

/* preprocess.c */
NTH_NODISCARD nth_status nth_priv_preprocess(nth_data *data, const nth_data_options *opt, bool images);

/* One loader for each source. */
nth_status nth_priv_load_sphere(nth_data *data, const nth_spec *spec, const nth_data_options *opt);

#endif
