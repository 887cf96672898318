/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * HDF5 files: reading what users bring, writing results with their provenance.
 *
 * A result is written under a temporary name beside its final one ("OUT.partial") with the root
 * attribute status = "partial", and renamed by nth_file_commit when complete, so a reader never
 * sees half a result. A sweep may close a partial file after each member and open it again.
 * All arrays are float64, row-major (docs/formats.md). A file is used by one thread at a time.
 */
#ifndef NTH_FILE_H
#define NTH_FILE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "nth/mat.h"
#include "nth/status.h"

#ifdef __cplusplus
extern "C" {
#endif

enum { NTH_MAX_RANK = 5 };

typedef struct nth_file nth_file;

/* What every result file says of its making; the rest (version, compiler, BLAS ...) is filled in. */
typedef struct nth_provenance {
    const char *command_line; /* as typed */
    const char *config;       /* resolved configuration, JSON */
    uint64_t    seed;
    int         threads;
} nth_provenance;

/**
 * Opens an HDF5 file to read.
 *
 * Ownership  *file is the caller's: nth_file_close. On failure *file is NULL.
 * Errors     NTH_E_IO: cannot be opened (the system's reason); NTH_E_FORMAT: not an HDF5 file, damaged
 *            or truncated; NTH_E_NOMEM.
 */
NTH_API NTH_NODISCARD nth_status nth_file_open(nth_file **file, const char *path);

/**
 * Whether the HDF5 library survives a file: it trusts the lengths it finds there, and crashes or hangs on some damaged files. A
 * child process opens the file, visits every object, and reads all attributes and the first MB. Call it before nth_file_open on
 * what comes from elsewhere, and before threads are started: the process forks. A file that cannot be opened is left to nth_file_open.
 *
 * Ownership  nothing stays open.
 * Cost       a fork, the walk and about 1 MB read, 3 ms for a small file; it ends after 2 s, or after 5 s of processor time where HDF5 hangs.
 * Errors     NTH_E_FORMAT: damaged, the library crashes or hangs; NTH_E_ARG: no name. No room for a process is no error.
 */
NTH_API NTH_NODISCARD nth_status nth_file_probe(const char *path);

/**
 * Creates PATH.partial, replacing one left over, with the provenance attributes.
 *
 * Ownership  as nth_file_open; the strings of prov are copied into the file.
 * Errors     NTH_E_IO: cannot be written, or another program is writing it; NTH_E_NOMEM.
 */
NTH_API NTH_NODISCARD nth_status nth_file_create(nth_file **file, const char *path,
                                                 const nth_provenance *prov);

/**
 * Continues PATH.partial if it exists and its root attribute `config` equals prov->config; otherwise
 * creates it. *resumed tells which.
 *
 * Ownership  as nth_file_create.
 * Accuracy   what was there at the last flush is there again, also after a kill; the attributes
 *            `duration` (seconds, all sessions) and `resumed` (how often) go on counting.
 * Errors     NTH_E_IO; NTH_E_FORMAT: a partial file of another configuration or version, or a damaged
 *            one (the message says to remove it or choose another --out); NTH_E_NOMEM.
 */
NTH_API NTH_NODISCARD nth_status nth_file_resume(nth_file **file, const char *path,
                                                 const nth_provenance *prov, bool *resumed);

/**
 * Forces what was written so far to the disk; between flushes the structure on the disk stays as it
 * is, so that a kill loses only what came after the last one.
 *
 * Errors     NTH_E_IO: the disk is full, for example; NTH_E_ARG: opened to read.
 */
NTH_API NTH_NODISCARD nth_status nth_file_flush(nth_file *file);

/**
 * Marks a created file complete, closes it and gives it its final name. *file becomes NULL, also on
 * failure; then PATH.partial stays behind.
 *
 * Errors     NTH_E_IO; NTH_E_ARG: opened to read.
 */
NTH_API NTH_NODISCARD nth_status nth_file_commit(nth_file **file);

/** Closes; a created, not committed file stays behind as PATH.partial. Accepts NULL, twice over. */
NTH_API void nth_file_close(nth_file **file);

/** True if the dataset or group exists ("/x", "/members/tanh_2_1"). */
NTH_API bool nth_file_has(nth_file *file, const char *name);

/**
 * Rank and extents of a numeric dataset; extents beyond the rank are 1, so a scalar has one entry.
 *
 * Shapes     dims (NTH_MAX_RANK).
 * Errors     NTH_E_FORMAT: missing, not numeric, rank above NTH_MAX_RANK, larger than any memory; the
 *            message names file and dataset.
 */
NTH_API NTH_NODISCARD nth_status nth_file_shape(nth_file *file, const char *name, int *rank,
                                                ptrdiff_t dims[NTH_MAX_RANK]);

/**
 * Reads a whole dataset of integers or floats of any size and byte order, as double.
 *
 * Shapes     out (count), row-major; count must be the number of entries.
 * Errors     NTH_E_FORMAT: missing, wrong type or size, damaged; NTH_E_NUMERIC: NaN or infinity, naming
 *            the first such entry.
 */
NTH_API NTH_NODISCARD nth_status nth_file_read(nth_file *file, const char *name, double *out,
                                               ptrdiff_t count);

/** As nth_file_read, but non-finite entries are allowed (recorded results may hold NaN). */
NTH_API NTH_NODISCARD nth_status nth_file_read_any(nth_file *file, const char *name, double *out,
                                                   ptrdiff_t count);

/**
 * Writes a dataset, making groups on the way; an existing one is replaced. Between 64 kB and
 * 64 MB the bytes are shuffled and deflated.
 *
 * Shapes     data (dims[0] x .. x dims[rank-1]), row-major; rank 0 is a scalar, extents may be 0.
 * Errors     NTH_E_IO; NTH_E_ARG: opened to read, rank or extents out of range.
 */
NTH_API NTH_NODISCARD nth_status nth_file_write(nth_file *file, const char *name, const double *data,
                                                int rank, const ptrdiff_t *dims);

/**
 * Makes room for a matrix that is written part by part, making groups on the way; one of the same shape
 * that is there already (a resumed file) is kept. Stored contiguously and not compressed, so that any part can be written
 * in any order, and a reader can map it.
 *
 * Shapes     (rows x cols), what is never written reads as zero.
 * Errors     NTH_E_IO; NTH_E_FORMAT: one of another shape is there; NTH_E_ARG: opened to read.
 */
NTH_API NTH_NODISCARD nth_status nth_file_make_matrix(nth_file *file, const char *name, ptrdiff_t rows,
                                                      ptrdiff_t cols);

/**
 * Writes a part of a matrix made by nth_file_make_matrix, its corner at (row, col).
 *
 * Shapes     A (r x c) within the matrix.
 * Errors     NTH_E_IO: the disk is full, for example; NTH_E_SHAPE: outside; NTH_E_FORMAT: no such matrix;
 *            NTH_E_ARG: opened to read.
 */
NTH_API NTH_NODISCARD nth_status nth_file_write_part(nth_file *file, const char *name, ptrdiff_t row,
                                                     ptrdiff_t col, nth_cmat A);

/** Reads a part of any matrix of numbers; errors as nth_file_read, NTH_E_SHAPE outside. */
NTH_API NTH_NODISCARD nth_status nth_file_read_part(nth_file *file, const char *name, ptrdiff_t row,
                                                    ptrdiff_t col, nth_mat A);

/**
 * Reads a range of the first index of a dataset of any rank; a scalar is one row. Non-finite entries are
 * allowed.
 *
 * Shapes     out (rows x what the other indices span), row-major.
 * Errors     NTH_E_SHAPE: outside; NTH_E_FORMAT: missing, no numbers, damaged.
 */
NTH_API NTH_NODISCARD nth_status nth_file_read_rows(nth_file *file, const char *name, ptrdiff_t first, ptrdiff_t rows,
                                                    double *out);

/**
 * Reads a part of an array of any rank, seen as a matrix with as many columns as its last extent; the rows run over all other
 * indices, the last one fastest. A vector is one row, a scalar 1 x 1. Non-finite entries are allowed.
 *
 * Shapes     A (r x c) within (dims[0] .. dims[rank-2] x dims[rank-1]).
 * Cost       the part; one access to the file for each run of rows with the same leading indices.
 * Errors     NTH_E_FORMAT: missing, not numbers, damaged; NTH_E_SHAPE outside.
 */
NTH_API NTH_NODISCARD nth_status nth_file_read_part_any(nth_file *file, const char *name, ptrdiff_t row, ptrdiff_t col, nth_mat A);

/**
 * Calls visit(name, ctx) for each link directly under a group, in name order, until it returns a
 * status other than NTH_OK, which is handed on.
 *
 * Errors     NTH_E_FORMAT: no such group; whatever visit returns.
 */
NTH_API NTH_NODISCARD nth_status nth_file_list(nth_file *file, const char *group,
                                               nth_status (*visit)(const char *name, void *ctx),
                                               void *ctx);

/* Attributes of an object ("/" for the root, or any group or dataset). Reading a missing one, or
 * one of another type, is NTH_E_FORMAT. Setting replaces an old value and makes the group if there
 * is no such object; one integer becomes a scalar. */

/** True if the object exists and has the attribute. */
NTH_API bool nth_file_has_attr(nth_file *file, const char *object, const char *key);

/** Sets a text. NTH_E_IO; NTH_E_ARG: opened to read. So the two below. */
NTH_API NTH_NODISCARD nth_status nth_file_set_string(nth_file *file, const char *object,
                                                     const char *key, const char *value);
NTH_API NTH_NODISCARD nth_status nth_file_set_double(nth_file *file, const char *object,
                                                     const char *key, double value);
NTH_API NTH_NODISCARD nth_status nth_file_set_ints(nth_file *file, const char *object,
                                                   const char *key, const int64_t *values,
                                                   ptrdiff_t count);

/** Copies at most size - 1 bytes and a NUL; a longer string is NTH_E_RANGE. */
NTH_API NTH_NODISCARD nth_status nth_file_get_string(nth_file *file, const char *object,
                                                     const char *key, char *out, size_t size);

/** One number, integer or float. */
NTH_API NTH_NODISCARD nth_status nth_file_get_double(nth_file *file, const char *object,
                                                     const char *key, double *out);

/** *count: capacity in, number of values out; a scalar counts as one value. */
NTH_API NTH_NODISCARD nth_status nth_file_get_ints(nth_file *file, const char *object,
                                                   const char *key, int64_t *out, ptrdiff_t *count);

#ifdef __cplusplus
}
#endif
#endif
