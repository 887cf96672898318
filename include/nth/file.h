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

/** Opens PATH read-only. NTH_E_IO: cannot be opened; NTH_E_FORMAT: not an HDF5 file. */
NTH_API NTH_NODISCARD nth_status nth_file_open(nth_file **file, const char *path);

/** Creates PATH.partial (replacing one left over) with the provenance attributes. NTH_E_IO. */
NTH_API NTH_NODISCARD nth_status nth_file_create(nth_file **file, const char *path,
                                                 const nth_provenance *prov);

/**
 * Opens PATH.partial for appending if it exists and its root attribute `config` equals
 * prov->config; otherwise creates it. *resumed tells which.
 * Errors NTH_E_IO; NTH_E_FORMAT (a partial file of another configuration or a damaged one: the
 * message names it and says to remove it or choose another --out).
 */
NTH_API NTH_NODISCARD nth_status nth_file_resume(nth_file **file, const char *path,
                                                 const nth_provenance *prov, bool *resumed);

/** Forces what was written so far to the disk, so that a kill cannot lose it. NTH_E_IO. */
NTH_API NTH_NODISCARD nth_status nth_file_flush(nth_file *file);

/** Marks a created file complete, closes it and gives it its final name; *file becomes NULL. NTH_E_IO. */
NTH_API NTH_NODISCARD nth_status nth_file_commit(nth_file **file);

/** Closes; a created, not committed file stays behind as PATH.partial. Accepts NULL. */
NTH_API void nth_file_close(nth_file **file);

/** True if the dataset or group exists ("/x", "/members/tanh_2_1"). */
NTH_API bool nth_file_has(nth_file *file, const char *name);

/** Rank and extents of a numeric dataset. NTH_E_FORMAT: missing, not numeric, rank > NTH_MAX_RANK;
 *  the message names file and dataset. */
NTH_API NTH_NODISCARD nth_status nth_file_shape(nth_file *file, const char *name, int *rank,
                                                ptrdiff_t dims[NTH_MAX_RANK]);

/** Reads the whole dataset, converted to float64, into out (count entries, count must agree).
 *  NTH_E_FORMAT: missing, wrong type or size; NTH_E_NUMERIC: NaN or infinity inside (says where). */
NTH_API NTH_NODISCARD nth_status nth_file_read(nth_file *file, const char *name, double *out,
                                               ptrdiff_t count);

/** As nth_file_read, but non-finite entries are allowed (recorded results may hold NaN). */
NTH_API NTH_NODISCARD nth_status nth_file_read_any(nth_file *file, const char *name, double *out,
                                                   ptrdiff_t count);

/** Writes a dataset of the given shape, making groups on the way; an existing one is replaced. */
NTH_API NTH_NODISCARD nth_status nth_file_write(nth_file *file, const char *name, const double *data,
                                                int rank, const ptrdiff_t *dims);

/** Names of the links directly under a group, in creation or name order: calls visit(name, ctx)
 *  for each until it returns a status other than NTH_OK, which is handed on. */
NTH_API NTH_NODISCARD nth_status nth_file_list(nth_file *file, const char *group,
                                               nth_status (*visit)(const char *name, void *ctx),
                                               void *ctx);

/* Attributes of an object ("/" for the root, or any group or dataset). Reading a missing one, or
 * one of another type, is NTH_E_FORMAT. Setting replaces an old value and makes the group if there
 * is no such object; one integer becomes a scalar. */
NTH_API bool nth_file_has_attr(nth_file *file, const char *object, const char *key);
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
NTH_API NTH_NODISCARD nth_status nth_file_get_double(nth_file *file, const char *object,
                                                     const char *key, double *out);
/** *count: capacity in, number of values out; a scalar counts as one value. */
NTH_API NTH_NODISCARD nth_status nth_file_get_ints(nth_file *file, const char *object,
                                                   const char *key, int64_t *out, ptrdiff_t *count);

#ifdef __cplusplus
}
#endif
#endif
