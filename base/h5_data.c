/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Datasets and attributes of an HDF5 file.
 *
 * Called by: everything that reads or writes a file, through nth/file.h, between opening and
 * closing (h5.c). What a user brings is checked before it is read: existence, kind, rank, size;
 * messages name file and dataset. Strings are written as variable-length UTF-8, which other
 * readers show as text; strings of either kind are read.
 */
#include "nth/file.h"
#include "alloc_priv.h"
#include "fail_priv.h"
#include "h5_priv.h"
#include "linalg_priv.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

/* Datasets above this many bytes are compressed, in chunks of at most 1 MB. */
/* Deflating saves an eighth of a kernel and takes 25 s for each GB: large arrays are left as they are. */
enum { DEFLATE_BYTES = 64 * 1024, PLAIN_BYTES = 64 * 1024 * 1024, CHUNK_DOUBLES = 128 * 1024, DEFLATE_LEVEL = 4 };

/* ---- Datasets ---------------------------------------------------------------------------------- */

/* Every link on the way exists, and the last leads to an object. */
static bool exists(hid_t id, const char *name)
{
    char path[1024];
    if (strcmp(name, "/") == 0) return true;
    const size_t len = strlen(name);
    if (len == 0 || len >= sizeof path) return false;
    memcpy(path, name, len + 1);
    for (char *s = strchr(path + 1, '/'); s != NULL; s = strchr(s + 1, '/')) {
        *s = '\0';
        if (H5Lexists(id, path, H5P_DEFAULT) <= 0) return false;
        *s = '/';
    }
    return H5Lexists(id, path, H5P_DEFAULT) > 0 && H5Oexists_by_name(id, path, H5P_DEFAULT) > 0;
}

bool nth_file_has(nth_file *file, const char *name)
{
    nth_priv_h5_quiet();
    return exists(file->id, name);
}

/* An integer or float whose parts lie within its bytes: HDF5 believes damaged ones, and overruns. */
static bool is_number(hid_t type)
{
    size_t            spos = 0, epos = 0, esize = 0, mpos = 0, msize = 0;
    const H5T_class_t kind = type >= 0 ? H5Tget_class(type) : H5T_NO_CLASS;
    if (kind != H5T_FLOAT && kind != H5T_INTEGER) return false;
    const size_t bits = 8 * H5Tget_size(type), used = H5Tget_precision(type);
    const int    offset = H5Tget_offset(type);
    if (bits == 0 || bits > 128 || used == 0 || used > bits || offset < 0 || (size_t)offset > bits - used) return false;
    if (kind == H5T_INTEGER) return true;
    if (H5Tget_fields(type, &spos, &epos, &esize, &mpos, &msize) < 0) return false;
    return esize > 0 && esize <= 32 && msize > 0 && msize <= 112 && spos < bits && epos <= bits - esize && mpos <= bits &&
           msize <= bits - mpos;
}

typedef struct dataset {
    hid_t     id, space, type;
    int       rank;
    ptrdiff_t dims[NTH_MAX_RANK], count;
} dataset;

static void dataset_close(dataset *d)
{
    if (d->type >= 0) H5Tclose(d->type);
    if (d->space >= 0) H5Sclose(d->space);
    if (d->id >= 0) H5Dclose(d->id);
}

/* Opens a numeric dataset and checks all that can be checked without reading it. */
static nth_status dataset_open(dataset *d, nth_file *file, const char *name)
{
    nth_status  st = NTH_OK;
    const char *path = nth_priv_h5_name(file);
    hsize_t     dims[H5S_MAX_RANK];
    *d = (dataset){ .id = -1, .space = -1, .type = -1, .count = 1 };
    nth_priv_h5_quiet();
    NTH_REQUIRE(exists(file->id, name), NTH_E_FORMAT, "%s: has no dataset %s", path, name);
    d->id = H5Dopen2(file->id, name, H5P_DEFAULT);
    NTH_REQUIRE(d->id >= 0, NTH_E_FORMAT, "%s: %s is not a dataset", path, name);
    d->type = H5Dget_type(d->id);
    d->space = H5Dget_space(d->id);
    NTH_REQUIRE(is_number(d->type), NTH_E_FORMAT, "%s: %s does not hold numbers", path, name);
    NTH_REQUIRE(d->space >= 0 && H5Sget_simple_extent_type(d->space) != H5S_NULL, NTH_E_FORMAT,
                "%s: %s is empty", path, name);
    d->rank = H5Sget_simple_extent_ndims(d->space);
    NTH_REQUIRE(d->rank >= 0 && d->rank <= NTH_MAX_RANK, NTH_E_FORMAT,
                "%s: %s has %d dimensions, at most %d are expected", path, name, d->rank, NTH_MAX_RANK);
    NTH_REQUIRE(H5Sget_simple_extent_dims(d->space, dims, NULL) == d->rank, NTH_E_FORMAT,
                "%s: %s is damaged", path, name);
    for (int i = 0; i < d->rank; ++i) {
        d->dims[i] = (ptrdiff_t)dims[i];
        NTH_REQUIRE(dims[i] <= PTRDIFF_MAX / sizeof(double) &&
                        !__builtin_mul_overflow(d->count, d->dims[i], &d->count) &&
                        d->count <= PTRDIFF_MAX / (ptrdiff_t)sizeof(double),
                    NTH_E_FORMAT, "%s: %s is larger than any memory", path, name);
    }
done:
    if (st != NTH_OK) dataset_close(d), d->id = d->space = d->type = -1;
    return st;
}

/* The extents are those the stored bytes were made for: HDF5 believes damaged ones, and overruns. */
static bool is_stored(const dataset *d)
{
    const hid_t        plist = H5Dget_create_plist(d->id);
    const H5D_layout_t layout = plist >= 0 ? H5Pget_layout(plist) : H5D_LAYOUT_ERROR;
    const hsize_t      stored = H5Dget_storage_size(d->id);
    if (plist >= 0) H5Pclose(plist);
    if (layout != H5D_COMPACT && layout != H5D_CONTIGUOUS) return layout != H5D_LAYOUT_ERROR;
    return stored == 0 || stored / H5Tget_size(d->type) >= (hsize_t)d->count;
}

nth_status nth_file_shape(nth_file *file, const char *name, int *rank, ptrdiff_t dims[NTH_MAX_RANK])
{
    dataset          d;
    const nth_status st = dataset_open(&d, file, name);
    if (st != NTH_OK) return st;
    *rank = d.rank;
    for (int i = 0; i < NTH_MAX_RANK; ++i) dims[i] = i < d.rank ? d.dims[i] : 1;
    dataset_close(&d);
    return NTH_OK;
}

/* "(3,1)": where entry k of an array of this shape stands. */
static void place_of(char *out, size_t size, const dataset *d, ptrdiff_t k)
{
    ptrdiff_t index[NTH_MAX_RANK] = { 0 };
    size_t    used = 0;
    for (int i = d->rank - 1; i >= 0; --i) index[i] = k % d->dims[i], k /= d->dims[i];
    for (int i = 0; i < d->rank && used < size; ++i)
        used += (size_t)snprintf(out + used, size - used, "%s%td", i == 0 ? "(" : ",", index[i]);
    if (used < size) snprintf(out + used, size - used, d->rank == 0 ? "()" : ")");
}

static nth_status read_all(nth_file *file, const char *name, double *out, ptrdiff_t count, bool finite)
{
    nth_status st = NTH_OK;
    dataset    d;
    char       place[128];
    NTH_TRY(dataset_open(&d, file, name));
    NTH_REQUIRE(d.count == count, NTH_E_FORMAT, "%s: %s has %td entries, %td are expected", nth_priv_h5_name(file),
                name, d.count, count);
    if (count == 0) goto done;
    NTH_REQUIRE(is_stored(&d) && H5Dread(d.id, H5T_NATIVE_DOUBLE, H5S_ALL, H5S_ALL, H5P_DEFAULT, out) >= 0, NTH_E_FORMAT,
                "%s: %s cannot be read: damaged or truncated%s", nth_priv_h5_name(file), name, nth_priv_h5_cause());
    for (ptrdiff_t k = 0; finite && k < count; ++k)
        if (!isfinite(out[k])) {
            place_of(place, sizeof place, &d, k);
            NTH_FAIL(NTH_E_NUMERIC, "%s: %s: entry %s is %g, finite numbers are expected", nth_priv_h5_name(file), name,
                     place, out[k]);
        }
done:
    dataset_close(&d);
    return st;
}

nth_status nth_file_read(nth_file *file, const char *name, double *out, ptrdiff_t count)
{
    return read_all(file, name, out, count, true);
}

nth_status nth_file_read_any(nth_file *file, const char *name, double *out, ptrdiff_t count)
{
    return read_all(file, name, out, count, false);
}

/* Arrays above 64 kB are stored in chunks of at most 1 MB, bytes shuffled and deflated; those above 64 MB plain. */
static hid_t storage_plist(int rank, const hsize_t *dims, ptrdiff_t count)
{
    hsize_t     chunk[NTH_MAX_RANK], entries = (hsize_t)count;
    const hid_t plist = H5Pcreate(H5P_DATASET_CREATE);
    const hsize_t bytes = entries * sizeof(double);
    if (plist < 0 || rank == 0 || bytes <= DEFLATE_BYTES || bytes > PLAIN_BYTES) return plist;
    memcpy(chunk, dims, (size_t)rank * sizeof *chunk);
    for (int i = 0; i < rank; ++i)
        while (entries > CHUNK_DOUBLES && chunk[i] > 1) {
            entries /= chunk[i];
            chunk[i] = (chunk[i] + 1) / 2;
            entries *= chunk[i];
        }
    (void)H5Pset_chunk(plist, rank, chunk);
    if (H5Zfilter_avail(H5Z_FILTER_DEFLATE) > 0) {
        (void)H5Pset_shuffle(plist);
        (void)H5Pset_deflate(plist, DEFLATE_LEVEL);
    }
    return plist;
}

nth_status nth_file_write(nth_file *file, const char *name, const double *data, int rank,
                          const ptrdiff_t *dims)
{
    nth_status st = NTH_OK;
    hid_t      space = -1, links = -1, storage = -1, id = -1;
    hsize_t    h[NTH_MAX_RANK] = { 0 };
    ptrdiff_t  count = 1;
    nth_priv_h5_quiet();
    NTH_REQUIRE(file->partial != NULL, NTH_E_ARG, "%s: opened to read only", file->path);
    NTH_REQUIRE(rank >= 0 && rank <= NTH_MAX_RANK, NTH_E_ARG, "%s: %d dimensions", name, rank);
    for (int i = 0; i < rank; ++i) {
        NTH_REQUIRE(dims[i] >= 0 && !__builtin_mul_overflow(count, dims[i], &count), NTH_E_ARG,
                    "%s: extent %td", name, dims[i]);
        h[i] = (hsize_t)dims[i];
    }
    if (exists(file->id, name))
        NTH_REQUIRE(H5Ldelete(file->id, name, H5P_DEFAULT) >= 0, NTH_E_IO, "%s: %s cannot be replaced%s",
                    file->partial, name, nth_priv_h5_cause());
    space = rank == 0 ? H5Screate(H5S_SCALAR) : H5Screate_simple(rank, h, NULL);
    links = H5Pcreate(H5P_LINK_CREATE);
    if (links >= 0) (void)H5Pset_create_intermediate_group(links, 1);
    storage = storage_plist(rank, h, count);
    id = H5Dcreate2(file->id, name, H5T_IEEE_F64LE, space, links, storage, H5P_DEFAULT);
    NTH_REQUIRE(id >= 0, NTH_E_IO, "%s: %s cannot be made%s", file->partial, name, nth_priv_h5_cause());
    NTH_REQUIRE(count == 0 || H5Dwrite(id, H5T_NATIVE_DOUBLE, H5S_ALL, H5S_ALL, H5P_DEFAULT, data) >= 0,
                NTH_E_IO, "%s: %s cannot be written%s", file->partial, name, nth_priv_h5_cause());
done:
    if (id >= 0 && H5Dclose(id) < 0 && st == NTH_OK)
        st = nth_raise(NTH_E_IO, __FILE__, __LINE__, __func__, "%s: %s cannot be written%s", file->partial, name,
                       nth_priv_h5_cause());
    if (storage >= 0) H5Pclose(storage);
    if (links >= 0) H5Pclose(links);
    if (space >= 0) H5Sclose(space);
    return st;
}

/* ---- Matrices in parts -------------------------------------------------------------------------- */

nth_status nth_file_make_matrix(nth_file *file, const char *name, ptrdiff_t rows, ptrdiff_t cols)
{
    nth_status    st = NTH_OK;
    hid_t         space = -1, storage = -1, links = -1, id = -1;
    int           rank;
    ptrdiff_t     dims[NTH_MAX_RANK];
    const hsize_t h[2] = { (hsize_t)rows, (hsize_t)cols };
    nth_priv_h5_quiet();
    NTH_REQUIRE(file->partial != NULL, NTH_E_ARG, "%s: opened to read only", file->path);
    NTH_REQUIRE(rows >= 1 && cols >= 1, NTH_E_ARG, "%s: %td x %td", name, rows, cols);
    if (exists(file->id, name)) {
        NTH_TRY(nth_file_shape(file, name, &rank, dims));
        NTH_REQUIRE(rank == 2 && dims[0] == rows && dims[1] == cols, NTH_E_FORMAT,
                    "%s: %s is there with another shape than %td x %td", file->partial, name, rows, cols);
        return st;
    }
    space = H5Screate_simple(2, h, NULL);
    storage = H5Pcreate(H5P_DATASET_CREATE);
    (void)H5Pset_alloc_time(storage, H5D_ALLOC_TIME_EARLY);
    /* New space at the end of a file is zero without being written; that of replaced datasets is not. */
    (void)H5Pset_fill_time(storage, H5Fget_freespace(file->id) > 0 ? H5D_FILL_TIME_ALLOC : H5D_FILL_TIME_NEVER);
    links = H5Pcreate(H5P_LINK_CREATE);
    (void)H5Pset_create_intermediate_group(links, 1);
    id = H5Dcreate2(file->id, name, H5T_IEEE_F64LE, space, links, storage, H5P_DEFAULT);
    NTH_REQUIRE(id >= 0, NTH_E_IO, "%s: %s cannot be made%s", file->partial, name, nth_priv_h5_cause());
done:
    if (id >= 0) H5Dclose(id);
    if (links >= 0) H5Pclose(links);
    if (storage >= 0) H5Pclose(storage);
    if (space >= 0) H5Sclose(space);
    return st;
}

/* The part of a matrix on disk that A is to fill or to come from, and A's own layout in memory. */
static nth_status select_part(dataset *d, hid_t *memory, nth_file *file, const char *name, ptrdiff_t row,
                              ptrdiff_t col, nth_cmat A)
{
    nth_status    st = NTH_OK;
    const hsize_t start[2] = { (hsize_t)row, (hsize_t)col }, count[2] = { (hsize_t)A.rows, (hsize_t)A.cols };
    const hsize_t zero[2] = { 0, 0 }, layout[2] = { (hsize_t)A.rows, (hsize_t)A.ld };
    NTH_REQUIRE(d->rank == 2, NTH_E_FORMAT, "%s: %s is not a matrix: its rank is %d", nth_priv_h5_name(file), name, d->rank);
    NTH_REQUIRE(row >= 0 && col >= 0 && row <= d->dims[0] - A.rows && col <= d->dims[1] - A.cols, NTH_E_SHAPE,
                "%s: %s: part %td x %td at (%td,%td) of a matrix %td x %td", nth_priv_h5_name(file), name, A.rows, A.cols,
                row, col, d->dims[0], d->dims[1]);
    *memory = H5Screate_simple(2, layout, NULL);
    NTH_REQUIRE(*memory >= 0 && H5Sselect_hyperslab(*memory, H5S_SELECT_SET, zero, NULL, count, NULL) >= 0 &&
                    H5Sselect_hyperslab(d->space, H5S_SELECT_SET, start, NULL, count, NULL) >= 0,
                NTH_E_IO, "%s: %s: part cannot be selected%s", nth_priv_h5_name(file), name, nth_priv_h5_cause());
done:
    return st;
}

nth_status nth_file_write_part(nth_file *file, const char *name, ptrdiff_t row, ptrdiff_t col, nth_cmat A)
{
    nth_status st = NTH_OK;
    dataset    d = { .id = -1, .space = -1, .type = -1 };
    hid_t      memory = -1;
    NTH_REQUIRE(file->partial != NULL, NTH_E_ARG, "%s: opened to read only", file->path);
    NTH_TRY(dataset_open(&d, file, name));
    if (A.rows == 0 || A.cols == 0) goto done;
    NTH_TRY(select_part(&d, &memory, file, name, row, col, A));
    NTH_REQUIRE(H5Dwrite(d.id, H5T_NATIVE_DOUBLE, memory, d.space, H5P_DEFAULT, A.a) >= 0, NTH_E_IO,
                "%s: %s cannot be written%s", file->partial, name, nth_priv_h5_cause());
done:
    if (memory >= 0) H5Sclose(memory);
    dataset_close(&d);
    return st;
}

nth_status nth_file_read_part(nth_file *file, const char *name, ptrdiff_t row, ptrdiff_t col, nth_mat A)
{
    nth_status st = NTH_OK;
    dataset    d = { .id = -1, .space = -1, .type = -1 };
    hid_t      memory = -1;
    NTH_TRY(dataset_open(&d, file, name));
    if (A.rows == 0 || A.cols == 0) goto done;
    NTH_TRY(select_part(&d, &memory, file, name, row, col, nth_const(A)));
    NTH_REQUIRE(is_stored(&d) && H5Dread(d.id, H5T_NATIVE_DOUBLE, memory, d.space, H5P_DEFAULT, A.a) >= 0, NTH_E_FORMAT,
                "%s: %s cannot be read: damaged or truncated%s", nth_priv_h5_name(file), name, nth_priv_h5_cause());
    for (ptrdiff_t i = 0; i < A.rows; ++i)
        for (ptrdiff_t j = 0; j < A.cols; ++j)
            NTH_REQUIRE(isfinite(A.a[i * A.ld + j]), NTH_E_NUMERIC, "%s: %s: entry (%td,%td) is %g, finite numbers are expected",
                        nth_priv_h5_name(file), name, row + i, col + j, A.a[i * A.ld + j]);
done:
    if (memory >= 0) H5Sclose(memory);
    dataset_close(&d);
    return st;
}

/* Rows [row, row + A.rows) with the same leading indices `lead` of an array of rank 1 or more. */
static nth_status read_run(const dataset *d, nth_file *file, const char *name, ptrdiff_t lead, ptrdiff_t row, ptrdiff_t col, nth_mat A)
{
    nth_status    st = NTH_OK;
    hsize_t       start[NTH_MAX_RANK] = { 0 }, count[NTH_MAX_RANK];
    const hsize_t zero[2] = { 0, 0 }, layout[2] = { (hsize_t)A.rows, (hsize_t)A.ld }, size[2] = { (hsize_t)A.rows, (hsize_t)A.cols };
    const hid_t   memory = H5Screate_simple(2, layout, NULL);
    for (int i = d->rank - 3; i >= 0; --i) start[i] = (hsize_t)(lead % d->dims[i]), lead /= d->dims[i];
    for (int i = 0; i < d->rank; ++i) count[i] = 1;
    if (d->rank > 1) start[d->rank - 2] = (hsize_t)row, count[d->rank - 2] = (hsize_t)A.rows;
    start[d->rank - 1] = (hsize_t)col, count[d->rank - 1] = (hsize_t)A.cols;
    NTH_REQUIRE(memory >= 0 && H5Sselect_hyperslab(memory, H5S_SELECT_SET, zero, NULL, size, NULL) >= 0 &&
                    H5Sselect_hyperslab(d->space, H5S_SELECT_SET, start, NULL, count, NULL) >= 0 &&
                    H5Dread(d->id, H5T_NATIVE_DOUBLE, memory, d->space, H5P_DEFAULT, A.a) >= 0,
                NTH_E_FORMAT, "%s: %s cannot be read: damaged or truncated%s", nth_priv_h5_name(file), name, nth_priv_h5_cause());
done:
    if (memory >= 0) H5Sclose(memory);
    return st;
}

nth_status nth_file_read_part_any(nth_file *file, const char *name, ptrdiff_t row, ptrdiff_t col, nth_mat A)
{
    nth_status st = NTH_OK;
    dataset    d = { .id = -1, .space = -1, .type = -1 };
    NTH_TRY(dataset_open(&d, file, name));
    const ptrdiff_t cols = d.rank > 0 ? d.dims[d.rank - 1] : 1, block = d.rank > 1 ? d.dims[d.rank - 2] : 1;
    const ptrdiff_t rows = cols > 0 ? d.count / cols : 0;
    NTH_REQUIRE(row >= 0 && col >= 0 && row <= rows - A.rows && col <= cols - A.cols, NTH_E_SHAPE,
                "%s: %s: part %td x %td at (%td,%td) of %td x %td", nth_priv_h5_name(file), name, A.rows, A.cols, row, col, rows, cols);
    if (A.rows == 0 || A.cols == 0) goto done;
    NTH_REQUIRE(is_stored(&d), NTH_E_FORMAT, "%s: %s cannot be read: damaged or truncated", nth_priv_h5_name(file), name);
    if (d.rank == 0) {
        NTH_REQUIRE(H5Dread(d.id, H5T_NATIVE_DOUBLE, H5S_ALL, H5S_ALL, H5P_DEFAULT, A.a) >= 0, NTH_E_FORMAT,
                    "%s: %s cannot be read: damaged or truncated%s", nth_priv_h5_name(file), name, nth_priv_h5_cause());
        goto done;
    }
    for (ptrdiff_t at = 0; at < A.rows;) {
        const ptrdiff_t lead = (row + at) / block, i = (row + at) % block;
        const ptrdiff_t run = A.rows - at < block - i ? A.rows - at : block - i;
        NTH_TRY(read_run(&d, file, name, lead, i, col, nth_block(A, at, 0, run, A.cols)));
        at += run;
    }
done:
    dataset_close(&d);
    return st;
}

nth_status nth_file_read_rows(nth_file *file, const char *name, ptrdiff_t first, ptrdiff_t rows, double *out)
{
    nth_status st = NTH_OK;
    ptrdiff_t  dims[NTH_MAX_RANK], inner = 1;
    int        rank;
    NTH_TRY(nth_file_shape(file, name, &rank, dims));
    NTH_REQUIRE(first >= 0 && rows >= 0 && first <= dims[0] - rows, NTH_E_SHAPE, "%s: %s: %td rows from %td on of %td",
                nth_priv_h5_name(file), name, rows, first, dims[0]);
    for (int i = 1; i + 1 < rank; ++i) inner *= dims[i];
    if (rank < 2) NTH_TRY(nth_file_read_part_any(file, name, 0, first, nth_mat_of(out, 1, rows)));
    else NTH_TRY(nth_file_read_part_any(file, name, first * inner, 0, nth_mat_of(out, rows * inner, dims[rank - 1])));
done:
    return st;
}

nth_status nth_file_list(nth_file *file, const char *group,
                         nth_status (*visit)(const char *name, void *ctx), void *ctx)
{
    nth_status st = NTH_OK;
    H5G_info_t info;
    char       name[256];
    nth_priv_h5_quiet();
    NTH_REQUIRE(exists(file->id, group), NTH_E_FORMAT, "%s: has no group %s", nth_priv_h5_name(file), group);
    NTH_REQUIRE(H5Gget_info_by_name(file->id, group, &info, H5P_DEFAULT) >= 0, NTH_E_FORMAT,
                strcmp(group, "/") == 0 ? "%s: damaged HDF5 file: no list of contents in %s" : "%s: %s is not a group", nth_priv_h5_name(file), group);
    for (hsize_t i = 0; i < info.nlinks; ++i) {
        const ssize_t len = H5Lget_name_by_idx(file->id, group, H5_INDEX_NAME, H5_ITER_INC, i, name,
                                               sizeof name, H5P_DEFAULT);
        NTH_REQUIRE(len >= 0, NTH_E_FORMAT, "%s: %s is damaged", nth_priv_h5_name(file), group);
        NTH_REQUIRE((size_t)len < sizeof name, NTH_E_FORMAT, "%s: %s: a name of %td characters",
                    nth_priv_h5_name(file), group, (ptrdiff_t)len);
        NTH_TRY(visit(name, ctx));
    }
done:
    return st;
}

/* ---- Attributes -------------------------------------------------------------------------------- */

bool nth_file_has_attr(nth_file *file, const char *object, const char *key)
{
    nth_priv_h5_quiet();
    return exists(file->id, object) && H5Aexists_by_name(file->id, object, key, H5P_DEFAULT) > 0;
}

/* Makes the group if there is no such object. */
static nth_status ensure_object(nth_file *file, const char *object)
{
    nth_status st = NTH_OK;
    hid_t      links = -1, id = -1;
    nth_priv_h5_quiet();
    NTH_REQUIRE(file->partial != NULL, NTH_E_ARG, "%s: opened to read only", file->path);
    if (exists(file->id, object)) return NTH_OK;
    links = H5Pcreate(H5P_LINK_CREATE);
    if (links >= 0) (void)H5Pset_create_intermediate_group(links, 1);
    id = H5Gcreate2(file->id, object, links, H5P_DEFAULT, H5P_DEFAULT);
    NTH_REQUIRE(id >= 0, NTH_E_IO, "%s: %s cannot be made%s", file->partial, object, nth_priv_h5_cause());
done:
    if (id >= 0) H5Gclose(id);
    if (links >= 0) H5Pclose(links);
    return st;
}

/* One value is a scalar, more are a one-dimensional array; an old value is replaced. */
static nth_status set_attr(nth_file *file, const char *object, const char *key, hid_t type, hsize_t count,
                           const void *values)
{
    nth_status st = NTH_OK;
    hid_t      space = -1, id = -1;
    NTH_TRY(ensure_object(file, object));
    if (H5Aexists_by_name(file->id, object, key, H5P_DEFAULT) > 0)
        (void)H5Adelete_by_name(file->id, object, key, H5P_DEFAULT);
    space = count == 1 ? H5Screate(H5S_SCALAR) : H5Screate_simple(1, &count, NULL);
    id = H5Acreate_by_name(file->id, object, key, type, space, H5P_DEFAULT, H5P_DEFAULT, H5P_DEFAULT);
    NTH_REQUIRE(id >= 0 && H5Awrite(id, type, values) >= 0, NTH_E_IO,
                "%s: attribute %s of %s cannot be written%s", file->partial, key, object, nth_priv_h5_cause());
done:
    if (id >= 0) H5Aclose(id);
    if (space >= 0) H5Sclose(space);
    return st;
}

nth_status nth_file_set_string(nth_file *file, const char *object, const char *key, const char *value)
{
    nth_priv_h5_quiet();
    const hid_t type = H5Tcopy(H5T_C_S1);
    (void)H5Tset_size(type, H5T_VARIABLE);
    (void)H5Tset_cset(type, H5T_CSET_UTF8);
    const nth_status st = set_attr(file, object, key, type, 1, &value);
    if (type >= 0) H5Tclose(type);
    return st;
}

nth_status nth_file_set_double(nth_file *file, const char *object, const char *key, double value)
{
    return set_attr(file, object, key, H5T_NATIVE_DOUBLE, 1, &value);
}

nth_status nth_file_set_ints(nth_file *file, const char *object, const char *key, const int64_t *values,
                             ptrdiff_t count)
{
    nth_status st = NTH_OK;
    NTH_REQUIRE(count > 0, NTH_E_ARG, "attribute %s: %td values", key, count);
    NTH_TRY(set_attr(file, object, key, H5T_NATIVE_INT64, (hsize_t)count, values));
done:
    return st;
}

nth_status nth_priv_h5_set_seed(nth_file *file, uint64_t seed)
{
    return set_attr(file, "/", "seed", H5T_NATIVE_UINT64, 1, &seed);
}

typedef struct attribute {
    hid_t       id, type, space;
    H5T_class_t kind;
    ptrdiff_t   count;
} attribute;

static void attr_close(attribute *a)
{
    if (a->space >= 0) H5Sclose(a->space);
    if (a->type >= 0) H5Tclose(a->type);
    if (a->id >= 0) H5Aclose(a->id);
}

static nth_status attr_open(attribute *a, nth_file *file, const char *object, const char *key)
{
    nth_status  st = NTH_OK;
    const char *path = nth_priv_h5_name(file);
    *a = (attribute){ .id = -1, .type = -1, .space = -1, .kind = H5T_NO_CLASS };
    NTH_REQUIRE(nth_file_has_attr(file, object, key), NTH_E_FORMAT, "%s: %s has no attribute %s", path,
                object, key);
    a->id = H5Aopen_by_name(file->id, object, key, H5P_DEFAULT, H5P_DEFAULT);
    a->type = a->id >= 0 ? H5Aget_type(a->id) : -1;
    a->space = a->id >= 0 ? H5Aget_space(a->id) : -1;
    NTH_REQUIRE(a->type >= 0 && a->space >= 0, NTH_E_FORMAT, "%s: attribute %s of %s is damaged", path,
                key, object);
    a->kind = H5Tget_class(a->type);
    const hssize_t count = H5Sget_simple_extent_npoints(a->space);
    a->count = count < 0 ? 0 : (ptrdiff_t)count;
done:
    return st;
}

/* Variable-length and fixed-length strings alike; *text by nth_priv_alloc. */
static nth_status read_string(char **text, const attribute *a)
{
    nth_status st = NTH_OK;
    char      *vl = NULL;
    hid_t      type = -1;
    if (H5Tis_variable_str(a->type) > 0) {
        type = H5Tcopy(H5T_C_S1);
        (void)H5Tset_size(type, H5T_VARIABLE);
        (void)H5Tset_cset(type, H5Tget_cset(a->type));
        NTH_REQUIRE(H5Aread(a->id, type, &vl) >= 0, NTH_E_FORMAT, "damaged");
        NTH_TRY(nth_priv_strdup(text, vl != NULL ? vl : ""));
    } else {
        const size_t size = H5Tget_size(a->type);
        NTH_REQUIRE(size > 0 && size < (1u << 24), NTH_E_FORMAT, "damaged");
        NTH_TRY(nth_priv_alloc(text, (ptrdiff_t)size + 1, 1, "attribute"));
        NTH_REQUIRE(H5Aread(a->id, a->type, *text) >= 0, NTH_E_FORMAT, "damaged");
        if (H5Tget_strpad(a->type) == H5T_STR_SPACEPAD)
            for (size_t n = size; n > 0 && (*text)[n - 1] == ' '; --n) (*text)[n - 1] = '\0';
    }
done:
    if (vl != NULL) H5free_memory(vl);
    if (type >= 0) H5Tclose(type);
    return st;
}

nth_status nth_file_get_string(nth_file *file, const char *object, const char *key, char *out, size_t size)
{
    nth_status  st = NTH_OK;
    attribute   a;
    char       *text = NULL;
    const char *path = nth_priv_h5_name(file);
    NTH_TRY(attr_open(&a, file, object, key));
    NTH_REQUIRE(a.kind == H5T_STRING && a.count == 1, NTH_E_FORMAT,
                "%s: attribute %s of %s: one string is expected", path, key, object);
    st = read_string(&text, &a);
    NTH_REQUIRE(st != NTH_E_FORMAT, st, "%s: attribute %s of %s is damaged", path, key, object);
    if (st != NTH_OK) goto done;
    NTH_REQUIRE(strlen(text) < size, NTH_E_RANGE,
                "%s: attribute %s of %s has %zu characters, at most %zu are expected", path, key, object,
                strlen(text), size - 1);
    memcpy(out, text, strlen(text) + 1);
done:
    nth_priv_free(text);
    attr_close(&a);
    return st;
}

nth_status nth_file_get_double(nth_file *file, const char *object, const char *key, double *out)
{
    nth_status st = NTH_OK;
    attribute  a;
    NTH_TRY(attr_open(&a, file, object, key));
    NTH_REQUIRE(is_number(a.type) && a.count == 1, NTH_E_FORMAT,
                "%s: attribute %s of %s: one number is expected", nth_priv_h5_name(file), key, object);
    NTH_REQUIRE(H5Aread(a.id, H5T_NATIVE_DOUBLE, out) >= 0, NTH_E_FORMAT,
                "%s: attribute %s of %s is damaged", nth_priv_h5_name(file), key, object);
done:
    attr_close(&a);
    return st;
}

nth_status nth_file_get_ints(nth_file *file, const char *object, const char *key, int64_t *out,
                             ptrdiff_t *count)
{
    nth_status st = NTH_OK;
    attribute  a;
    NTH_TRY(attr_open(&a, file, object, key));
    NTH_REQUIRE(a.kind == H5T_INTEGER && is_number(a.type) && a.count > 0, NTH_E_FORMAT,
                "%s: attribute %s of %s: whole numbers are expected", nth_priv_h5_name(file), key, object);
    NTH_REQUIRE(a.count <= *count, NTH_E_FORMAT, "%s: attribute %s of %s: %td values, at most %td are expected",
                nth_priv_h5_name(file), key, object, a.count, *count);
    NTH_REQUIRE(H5Aread(a.id, H5T_NATIVE_INT64, out) >= 0, NTH_E_FORMAT,
                "%s: attribute %s of %s is damaged", nth_priv_h5_name(file), key, object);
    *count = a.count;
done:
    attr_close(&a);
    return st;
}
