/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Data files in HDF5: /x, /y and, if there are test rows, /x_test, /y_test. Files written by nth
 * carry source, preprocessing, classes and labels as attributes of /x; in others the classes are
 * seen from y: one column of +-1 is two classes, rows with a single 1 are one-hot.
 */
#include "alloc_priv.h"
#include "data_priv.h"
#include "fail_priv.h"

#include <stdlib.h>
#include <string.h>

enum { ATTRIBUTE_MAX = 32768 };

/* Extents as a matrix; a vector of n counts as n x 1 where the rank may be 1. */
static nth_status matrix_shape(nth_file *file, const char *path, const char *name, int least_rank,
                               ptrdiff_t *rows, ptrdiff_t *cols)
{
    nth_status st = NTH_OK;
    int        rank = 0;
    ptrdiff_t  dims[NTH_MAX_RANK] = { 0 };
    NTH_TRY(nth_file_shape(file, name, &rank, dims));
    NTH_REQUIRE(rank >= least_rank && rank <= 2, NTH_E_FORMAT, "%s: %s has %d dimensions; expected %s",
                path, name, rank, least_rank == 1 ? "1 or 2" : "2");
    *rows = dims[0];
    *cols = rank == 2 ? dims[1] : 1;
    NTH_REQUIRE(*rows >= 1 && *cols >= 1, NTH_E_FORMAT, "%s: %s is empty (%td x %td)", path, name, *rows, *cols);
done:
    return st;
}

static nth_status same_size(const char *path, const char *a, const char *b, const char *what, ptrdiff_t na,
                            ptrdiff_t nb)
{
    nth_status st = NTH_OK;
    NTH_REQUIRE(na == nb, NTH_E_FORMAT, "%s: %s has %td %s, %s has %td", path, a, na, what, b, nb);
done:
    return st;
}

static nth_status read_arrays(nth_data *data, nth_file *file, const char *path)
{
    nth_status st = NTH_OK;
    ptrdiff_t  n = 0, d = 0, ny = 0, c = 0, k = 0, dt = 0, ky = 0, ct = 0;
    const bool test = nth_file_has(file, "/x_test"), targets = nth_file_has(file, "/y_test");
    NTH_TRY(matrix_shape(file, path, "/x", 2, &n, &d));
    NTH_TRY(matrix_shape(file, path, "/y", 1, &ny, &c));
    NTH_TRY(same_size(path, "/x", "/y", "rows", n, ny));
    NTH_REQUIRE(test == targets, NTH_E_FORMAT, "%s: %s without %s", path, test ? "/x_test" : "/y_test",
                test ? "/y_test" : "/x_test");
    if (test) {
        NTH_TRY(matrix_shape(file, path, "/x_test", 2, &k, &dt));
        NTH_TRY(matrix_shape(file, path, "/y_test", 1, &ky, &ct));
        NTH_TRY(same_size(path, "/x_test", "/y_test", "rows", k, ky));
        NTH_TRY(same_size(path, "/x", "/x_test", "columns", d, dt));
        NTH_TRY(same_size(path, "/y", "/y_test", "columns", c, ct));
    }
    NTH_TRY(nth_priv_data_alloc(data, n, k, d, c));
    NTH_TRY(nth_file_read(file, "/x", data->x.a, n * d));
    NTH_TRY(nth_file_read(file, "/y", data->y.a, n * c));
    if (test) {
        NTH_TRY(nth_file_read(file, "/x_test", data->x_test.a, k * d));
        NTH_TRY(nth_file_read(file, "/y_test", data->y_test.a, k * c));
    }
done:
    return st;
}

/* Two classes where all of y is +-1, c where each row has a single 1 among zeros, else none. */
static ptrdiff_t classes_seen(nth_mat y)
{
    for (ptrdiff_t i = 0; i < y.rows; ++i) {
        ptrdiff_t ones = 0, zeros = 0;
        for (ptrdiff_t j = 0; j < y.cols; ++j) {
            const double v = y.a[i * y.ld + j];
            ones += v == 1.0 || (y.cols == 1 && v == -1.0);
            zeros += v == 0.0;
        }
        if (ones != 1 || zeros != y.cols - 1) return 0;
    }
    return y.cols == 1 ? 2 : y.cols;
}

static nth_status number_labels(nth_data *data, ptrdiff_t classes)
{
    nth_status st = NTH_OK;
    NTH_TRY(nth_priv_alloc(&data->labels, classes, sizeof *data->labels, "class labels"));
    data->classes = classes;
    for (ptrdiff_t c = 0; c < classes; ++c)
        NTH_TRY(data->y.cols == 1 ? nth_priv_strdup(&data->labels[c], c == 0 ? "+1" : "-1")
                                  : nth_priv_format(&data->labels[c], "%td", c));
done:
    return st;
}

/* Labels recorded in the file, one on each line of the attribute. */
static nth_status read_labels(nth_data *data, nth_file *file, const char *path, char *text)
{
    nth_status  st = NTH_OK;
    const char *labels[NTH_MAX_CLASSES];
    ptrdiff_t   n = 0;
    NTH_TRY(nth_file_get_string(file, "/x", "labels", text, ATTRIBUTE_MAX));
    for (char *next = text; next != NULL && n < NTH_MAX_CLASSES; ++n) {
        labels[n] = next;
        next = strchr(next, '\n');
        if (next != NULL) *next++ = '\0';
    }
    NTH_REQUIRE(data->y.cols == (n == 2 ? 1 : n), NTH_E_FORMAT,
                "%s: %td labels in the attribute of /x, %td columns in /y", path, n, data->y.cols);
    NTH_TRY(nth_priv_data_labels(data, n, labels));
done:
    return st;
}

/* Where the file came from, if it says so. */
static nth_status read_history(nth_data *data, nth_file *file, const char *path, char *text)
{
    nth_status st = NTH_OK;
    char      *origin = NULL;
    if (!nth_file_has_attr(file, "/x", "source") || !nth_file_has_attr(file, "/x", "preprocessing"))
        return nth_priv_strdup(&data->source, path);
    NTH_TRY(nth_file_get_string(file, "/x", "source", text, ATTRIBUTE_MAX));
    NTH_TRY(nth_priv_strdup(&origin, text));
    NTH_TRY(nth_file_get_string(file, "/x", "preprocessing", text, ATTRIBUTE_MAX));
    NTH_TRY(nth_priv_format(&data->source, "%s (from %s, preprocessing %s)", path, origin, text));
done:
    nth_priv_free(origin);
    return st;
}

nth_status nth_priv_load_h5(nth_data *data, const nth_spec *spec, const nth_data_options *opt)
{
    nth_status st = NTH_OK;
    nth_file  *file = NULL;
    char      *text = NULL;
    (void)opt;
    NTH_TRY(nth_file_open(&file, spec->path));
    NTH_TRY(read_arrays(data, file, spec->path));
    NTH_TRY(nth_priv_alloc(&text, ATTRIBUTE_MAX, 1, "attribute"));
    NTH_TRY(read_history(data, file, spec->path, text));
    const ptrdiff_t classes = classes_seen(data->y);
    if (classes >= 2 && nth_file_has_attr(file, "/x", "labels"))
        NTH_TRY(read_labels(data, file, spec->path, text));
    else if (classes >= 2)
        NTH_TRY(number_labels(data, classes));
done:
    nth_priv_free(text);
    nth_file_close(&file);
    return st;
}

static nth_status write_matrix(nth_file *file, const char *name, nth_mat m, bool vector)
{
    return nth_file_write(file, name, m.a, vector ? 1 : 2, (ptrdiff_t[]){ m.rows, m.cols });
}

/* One label a line; left out where it would not fit an attribute. */
static nth_status write_labels(const nth_data *data, nth_file *file)
{
    nth_status st = NTH_OK;
    char      *text = NULL, *at = NULL;
    size_t     length = 1;
    for (ptrdiff_t c = 0; c < data->classes; ++c) length += strlen(data->labels[c]) + 1;
    if (data->classes == 0 || length > ATTRIBUTE_MAX) return NTH_OK;
    NTH_TRY(nth_priv_alloc(&text, (ptrdiff_t)length, 1, "labels"));
    at = text;
    for (ptrdiff_t c = 0; c < data->classes; ++c)
        at += snprintf(at, length - (size_t)(at - text), "%s%s", c > 0 ? "\n" : "", data->labels[c]);
    NTH_TRY(nth_file_set_string(file, "/x", "labels", text));
done:
    nth_priv_free(text);
    return st;
}

nth_status nth_data_write(const nth_data *data, nth_file *file)
{
    nth_status st = NTH_OK;
    char       sum[17];
    NTH_REQUIRE(data != NULL && file != NULL, NTH_E_ARG, "no data set or no file");
    NTH_TRY(write_matrix(file, "/x", data->x, false));
    NTH_TRY(write_matrix(file, "/y", data->y, data->y.cols == 1));
    if (data->x_test.rows > 0) {
        NTH_TRY(write_matrix(file, "/x_test", data->x_test, false));
        NTH_TRY(write_matrix(file, "/y_test", data->y_test, data->y_test.cols == 1));
    }
    snprintf(sum, sizeof sum, "%016llx", (unsigned long long)nth_data_checksum(data));
    NTH_TRY(nth_file_set_string(file, "/x", "source", data->source));
    NTH_TRY(nth_file_set_string(file, "/x", "preprocessing", data->preprocessing));
    NTH_TRY(nth_file_set_ints(file, "/x", "classes", (const int64_t[]){ data->classes }, 1));
    NTH_TRY(nth_file_set_string(file, "/x", "checksum", sum));
    NTH_TRY(write_labels(data, file));
done:
    return st;
}
