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
/* Decimal number in [lo, hi]; *text is the default, and is replaced where the key is given. */
NTH_NODISCARD nth_status nth_priv_spec_real(const nth_spec *spec, const char *key, double lo, double hi, const char **text,
                                            double *out);
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

/* files.c: opening, and text line by line. */
/* Opens for reading; a folder, or a missing file, is NTH_E_IO with the path and the reason. */
NTH_NODISCARD nth_status nth_priv_open(FILE **f, const char *path);
/* The folder a spec names, or $NTH_DATA_DIR/sub where its path is empty. */
NTH_NODISCARD nth_status nth_priv_data_dir(char **dir, const nth_spec *spec, const char *sub);

/* What a message shows of bytes from a file: at most 40 of them, control characters as '?'. */
typedef struct nth_shown {
    char text[41];
} nth_shown;
const char *nth_priv_shown(nth_shown *out, const char *text); /* out->text */

typedef struct nth_lines {
    FILE       *f;    /* not owned */
    const char *name; /* for messages */
    char       *text; /* the line without its end, NUL-terminated; may be changed by the caller */
    ptrdiff_t   length, capacity;
    long        number; /* of the line, from 1 */
} nth_lines;

/* *more = false at the end of the stream. NTH_E_IO; NTH_E_FORMAT: a NUL byte, or a line over 16 MB. */
NTH_NODISCARD nth_status nth_priv_lines_next(nth_lines *lines, bool *more);
void                     nth_priv_lines_fini(nth_lines *lines);
/* A decimal number, whole text; NTH_E_FORMAT or NTH_E_NUMERIC naming file, line, column and field. */
NTH_NODISCARD nth_status nth_priv_number(double *out, const char *text, const nth_lines *lines,
                                         const char *start, const char *field);

/* image_files.c: images of one byte a pixel, read one by one; labels are read at once. */
enum { NTH_IMAGE_FILES = 5, NTH_IMAGE_CLASSES = 10 };
typedef struct nth_images {
    ptrdiff_t count, pixels;
    uint8_t  *labels; /* (count) each below NTH_IMAGE_CLASSES */
    int       files;
    struct {
        FILE     *f;    /* owned */
        char     *name; /* owned */
        ptrdiff_t count, header, stride; /* image i starts at header + i * stride */
    } part[NTH_IMAGE_FILES];
} nth_images;

/* Append the images of an open CIFAR-10 batch, or of a pair of idx files. The streams that hold
 * pixels become the set's own, also on failure; the label stream stays the caller's. */
NTH_NODISCARD nth_status nth_priv_cifar_attach(nth_images *set, FILE *f, const char *name);
NTH_NODISCARD nth_status nth_priv_idx_attach(nth_images *set, FILE *images, const char *images_name,
                                             FILE *labels, const char *labels_name);
NTH_NODISCARD nth_status nth_priv_images_open(nth_images *set, const char *scheme, const char *dir,
                                              bool test);
NTH_NODISCARD nth_status nth_priv_images_read(nth_images *set, ptrdiff_t index, uint8_t *pixels);
void                     nth_priv_images_fini(nth_images *set);

/* table.c: rows of features with one target, and the split into training and test rows. */
typedef struct nth_table {
    ptrdiff_t rows, d, capacity;
    double   *x;       /* (rows x d) */
    double   *target;  /* (rows) value, or number of the class */
    uint8_t  *is_test; /* (rows) */
    ptrdiff_t classes; /* 0 for regression */
    char    **labels;  /* (classes) room for NTH_MAX_CLASSES; NULL for regression */
} nth_table;

NTH_NODISCARD nth_status nth_priv_table_reserve(nth_table *t); /* room for one more row */
/* Number of the class of this name, a new one if need be; NTH_E_RANGE beyond NTH_MAX_CLASSES. */
NTH_NODISCARD nth_status nth_priv_table_class(nth_table *t, const char *label, double *number);
/* Classes in ascending order: by value where all are numbers, else by bytes. */
NTH_NODISCARD nth_status nth_priv_table_sort_classes(nth_table *t);
NTH_NODISCARD nth_status nth_priv_table_to_data(nth_data *data, const nth_table *t,
                                                const ptrdiff_t *train, ptrdiff_t n,
                                                const ptrdiff_t *test, ptrdiff_t k);
void                     nth_priv_table_fini(nth_table *t);

/* csv.c */
typedef struct nth_csv_columns {
    const char *target; /* name of the column */
    const char *task;   /* "auto", "classify" or "regress" */
    const char *ignore; /* names, comma between; NULL for none */
    const char *split;  /* NULL for none */
    const char *fold;   /* rows whose field in that column equals this are test rows */
} nth_csv_columns;
NTH_NODISCARD nth_status nth_priv_csv_read(nth_table *t, FILE *f, const char *name,
                                           const nth_csv_columns *columns);

/* uci.c */
typedef struct nth_uci_info {
    ptrdiff_t inputs, classes, rows;
} nth_uci_info;
NTH_NODISCARD nth_status nth_priv_uci_info(nth_uci_info *info, FILE *f, const char *name);
NTH_NODISCARD nth_status nth_priv_uci_table(nth_table *t, FILE *f, const char *name,
                                            const nth_uci_info *info);
/* Lines 2 pair and 2 pair + 1 of a file of row numbers: rows[0][0..n[0]) to train on, rows[1] to
 * test on. Both blocks are the caller's. */
NTH_NODISCARD nth_status nth_priv_uci_split(ptrdiff_t *rows[2], ptrdiff_t n[2], FILE *f,
                                            const char *name, int pair, ptrdiff_t count);

/* One loader for each source. */
nth_status nth_priv_load_h5(nth_data *data, const nth_spec *spec, const nth_data_options *opt);
nth_status nth_priv_load_images(nth_data *data, const nth_spec *spec, const nth_data_options *opt);
nth_status nth_priv_load_csv(nth_data *data, const nth_spec *spec, const nth_data_options *opt);
nth_status nth_priv_load_uci(nth_data *data, const nth_spec *spec, const nth_data_options *opt);
nth_status nth_priv_load_synthetic(nth_data *data, const nth_spec *spec, const nth_data_options *opt);

/* objects.c: synthetic:two-objects, images of at most this edge. */
enum { NTH_OBJECTS_SIZE = 64 };
NTH_NODISCARD nth_status nth_priv_load_objects(nth_data *data, const nth_spec *spec);

#endif
