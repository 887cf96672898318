/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Data sets: inputs and targets as matrices, from files or made from a seed.
 *
 * A data set is named by a text, its spec:
 *
 *     FILE.h5                                                      datasets x, y, x_test, y_test
 *     cifar10:DIR?classes=4,5&train=1000&test=400&seed=1           binary version, data_batch_1.bin ...
 *     mnist:DIR?classes=0,1&train=1000&test=400&seed=1             idx files, uncompressed
 *     csv:FILE?target=NAME&train=100&test=50&seed=1                header, numeric columns
 *         &task=auto|classify|regress &ignore=NAME,NAME &split=NAME&fold=K
 *     uci:DIR/NAME?fold=K                                          a set of the 121-UCI collection
 *     synthetic:sphere?n=8&d=6&test=4&seed=1                       the embedded default, no file
 *     synthetic:two-objects?n=200&test=100&seed=1&size=16          images of size x size pixels with two systems of
 *         &label=animal|furniture &noise=0.1                       labels: texture and shape (data/objects.c)
 *     synthetic:cosine?n=800&test=200&gamma=1&noise=0&d=10&seed=1  regression: x, w ~ N(0, I_d), u = gamma w.x,
 *                                                                  y = cos(u)/(1 + e^u) + noise N(0,1)
 *
 * An empty DIR means $NTH_DATA_DIR/cifar10 or .../mnist, and a NAME alone $NTH_DATA_DIR/fd121/NAME.
 * Two classes give y = +1 for the first and -1 for the second; more give one-hot rows. Classes of
 * images are taken in the order listed, those of tables in ascending order (by value where all are
 * numbers). Samples are nested: a larger `train` (or `test`, `n`) begins with the smaller one's rows.
 *
 * Preprocessing comes in one order: pixel range, centring, projection, unit norm, bias coordinate.
 */
#ifndef NTH_DATA_H
#define NTH_DATA_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "nth/file.h"
#include "nth/mat.h"
#include "nth/status.h"

#ifdef __cplusplus
extern "C" {
#endif

/* The embedded data set: what a command uses when none is named. */
#define NTH_DATA_DEFAULT_SPEC "synthetic:sphere?n=8&d=6&test=4&seed=1"

typedef enum nth_pixels {
    NTH_PIXELS_DEFAULT, /* signed for images; nothing to do for other sets */
    NTH_PIXELS_SIGNED,  /* p / 127.5 - 1, in [-1, 1] */
    NTH_PIXELS_UNIT,    /* p / 255, in [0, 1] */
    NTH_PIXELS_RAW      /* p, in [0, 255] */
} nth_pixels;

/* Preprocessing, in the order applied. All zero is the default: images to [-1,1], nothing else. */
typedef struct nth_data_options {
    nth_pixels pixels;       /* range of pixels; anything but the default needs an image set */
    bool       centre;       /* subtract the mean row of x from x and x_test */
    ptrdiff_t  project;      /* D > 0: multiply by a d x D matrix of N(0,1)/sqrt(D); 0: do not */
    uint64_t   project_seed; /* seed of that matrix (stream NTH_STREAM_PROJECTION) */
    bool       unit_norm;    /* scale each row to Euclidean norm 1 */
    bool       bias;         /* append a coordinate equal to 1 to each row */
} nth_data_options;

/* A data set; all arrays are contiguous and owned. Without test data k = 0 and x_test.a is empty. */
typedef struct nth_data {
    nth_mat   x;             /* (n x d) training inputs, one row each */
    nth_mat   y;             /* (n x c) targets: c = 1 for +-1 labels and regression, else one-hot */
    nth_mat   x_test;        /* (k x d) */
    nth_mat   y_test;        /* (k x c) */
    ptrdiff_t classes;       /* number of classes; 0 for regression */
    char    **labels;        /* (classes) names, in the order of the columns; +1 first for two */
    char     *source;        /* the spec with every key resolved */
    char     *preprocessing; /* what was applied, "pixels=signed,centre=yes,..."; "none" */
    uint64_t  checksum;      /* nth_data_checksum of the arrays */
} nth_data;

/**
 * Loads the data set a spec names, and preprocesses it.
 *
 *     x <- bias(unit(project(x - mean(x)))), with the same mean and map for x_test
 *
 * Shapes     as the fields of nth_data say; n >= 1, d >= 1.
 * Scaling    pixels to [-1,1] unless opt says otherwise; targets are never scaled.
 * Ownership  *data is the caller's, freed by nth_data_destroy; opt may be NULL (defaults) and is not
 *            kept. On failure *data is NULL.
 * Cost       memory for the rows asked for, one pass over the files, and 2 n d D flops for a projection.
 * Accuracy   bits depend on spec and files alone, not on threads; test_data.c, sphere_is_addressed.
 * Errors     NTH_E_ARG (unknown scheme, key or value, with the nearest valid name; more rows asked for
 *            than there are); NTH_E_IO (no such file); NTH_E_FORMAT (the file is not what it should be:
 *            the message names file, line or dataset); NTH_E_NUMERIC (NaN or infinity; a zero row under
 *            unit norm); NTH_E_NOMEM.
 */
NTH_API NTH_NODISCARD nth_status nth_data_load(nth_data **data, const char *spec,
                                               const nth_data_options *opt);

/** Frees a data set and sets the pointer to NULL. Accepts NULL and a pointer to NULL. */
NTH_API void nth_data_destroy(nth_data **data);

/**
 * Writes a data set: /x, /y and, if there are test rows, /x_test, /y_test, with source,
 * preprocessing, classes, labels and checksum as attributes of /x.
 *
 * Shapes     /x (n, d), /y (n) for one column or (n, c), /x_test (k, d), /y_test like /y.
 * Scaling    none. Ownership  the caller keeps both. Cost  one pass over the arrays.
 * Accuracy   exact; loading the file gives the same bits (test_data.c, written_file_loads_the_same).
 * Errors     NTH_E_IO.
 */
NTH_API NTH_NODISCARD nth_status nth_data_write(const nth_data *data, nth_file *file);

/**
 * 64-bit checksum of the arrays: FNV-1a of shapes and values, byte by byte, least significant first.
 *
 * Shapes     any. Scaling  none. Ownership  reads only.
 * Cost       about a nanosecond a byte. Accuracy  same value on any machine with IEEE doubles.
 * Errors     none.
 */
NTH_API uint64_t nth_data_checksum(const nth_data *data);

/**
 * Which training samples are held out in which fold, for choices that must not see their labels.
 *
 *     ranks by the key uniform(seed, NTH_STREAM_SPLIT, 2, i);  one fold: the first round(share n) ranks;
 *     F > 1 folds: rank r lies in fold 1 + r mod F, all samples once
 *
 * Shapes     fold (n): 0 for never held out, else 1 .. folds; n >= 2, folds >= 1.
 * Scaling    share in (0, 1), of one fold alone: at least one sample is held out and one kept.
 * Ownership  the caller's.
 * Cost       n log n, 16 n bytes.
 * Accuracy   the same on any machine; test_data.c, folds_partition.
 * Errors     NTH_E_ARG (n, more folds than samples, share); NTH_E_NOMEM.
 */
NTH_API NTH_NODISCARD nth_status nth_data_folds(double *fold, ptrdiff_t n, ptrdiff_t folds, double share,
                                                uint64_t seed);

/**
 * Targets in another order, for the control of permuted labels.
 *
 *     row i of out is the row of y whose key uniform(seed, NTH_STREAM_SPLIT, 3, .) has rank i
 *
 * Shapes     out, y (n x c).
 * Scaling    none.
 * Ownership  the caller's; out is not y.
 * Cost       n log n, 16 n bytes.
 * Accuracy   the same on any machine; test_data.c, folds_partition.
 * Errors     NTH_E_SHAPE; NTH_E_NOMEM.
 */
NTH_API NTH_NODISCARD nth_status nth_data_permute(nth_mat out, nth_cmat y, uint64_t seed);

/**
 * Sets one preprocessing option from text, as a command line gives it.
 *
 *     pixels = signed | unit | raw     centre, unit-norm, bias = yes | no
 *     project = D >= 1, or 0 for none  project-seed = S
 *
 * Shapes     none. Scaling  none. Ownership  the strings are not kept. Cost  none. Accuracy  exact.
 * Errors     NTH_E_ARG, naming the nearest valid key or the legal values.
 */
NTH_API NTH_NODISCARD nth_status nth_data_options_set(nth_data_options *opt, const char *key,
                                                      const char *value);

/**
 * Sets options from "key=value,key=value", the form recorded in nth_data.preprocessing; "none" and
 * "" leave opt as it is.
 *
 * Shapes, Scaling, Ownership, Cost, Accuracy, Errors as nth_data_options_set.
 */
NTH_API NTH_NODISCARD nth_status nth_data_options_parse(nth_data_options *opt, const char *text);

#ifdef __cplusplus
}
#endif
#endif
