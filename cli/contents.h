/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * What is in an HDF5 file: its objects one by one, and attributes known by name.
 */
#ifndef NTH_CLI_CONTENTS_H
#define NTH_CLI_CONTENTS_H

#include "nth/file.h"

/* Attributes that tell of a run (root), and those that tell of a result; and all of them; each list ends with NULL. They are
 * asked for by name: listing those of a damaged object crashes HDF5 1.10. */
extern const char *const cli_run_keys[];
extern const char *const cli_result_keys[];
extern const char *const cli_all_keys[];

enum { CLI_MAX_TEXT = 1 << 18, CLI_MAX_INTS = 64 };

typedef struct cli_value {
    enum { CLI_VALUE_NONE, CLI_VALUE_TEXT, CLI_VALUE_INTS, CLI_VALUE_REAL } kind; /* NONE: missing, or cannot be read */
    int64_t   ints[CLI_MAX_INTS];
    ptrdiff_t count; /* of ints */
    double    x;
    char      text[CLI_MAX_TEXT];
} cli_value;

/* An attribute of an object ("/" for the root). */
void cli_value_read(cli_value *v, nth_file *f, const char *object, const char *key);

/* A dataset of this shape, or (rank -1) a group. */
typedef nth_status cli_object_visit(const char *path, int rank, const ptrdiff_t *dims, void *ctx);

/* Calls visit for every dataset and group below the root, in the order of names, a group before its
 * members; other objects come as groups without members. NTH_E_FORMAT: no root; whatever visit returns. */
NTH_NODISCARD nth_status cli_objects(nth_file *f, cli_object_visit *visit, void *ctx);

/* Rows of a dataset that are at most 8 MB together; at least one. */
ptrdiff_t cli_rows_at_once(int rank, const ptrdiff_t *dims);

/* 16 hexadecimal digits and NUL: FNV-1a of the names, shapes and values of all datasets, and of the
 * attributes that make up a network. NTH_E_FORMAT, NTH_E_NOMEM. */
NTH_NODISCARD nth_status cli_checksum(char out[17], nth_file *f);

#endif
