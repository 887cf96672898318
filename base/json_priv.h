/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Reading a JSON file that holds one object of plain settings, member by member (json.c).
 */
#ifndef NTH_BASE_JSON_PRIV_H
#define NTH_BASE_JSON_PRIV_H

#include <stdbool.h>
#include <stddef.h>

#include "nth/status.h"

/* One member; values are handed over as the text one would type on the command line. */
typedef struct nth_setting {
    const char        *key;
    int                line, column;  /* of the key in the file; 0 where unknown */
    const char *const *values;        /* (count) numbers in full precision, true and false as words */
    ptrdiff_t          count;         /* entries of an array, 1 for a single value */
    bool               array, string; /* it was an array; it was a single string */
} nth_setting;

typedef nth_status nth_setting_visit(const nth_setting *s, void *ctx);

/* Calls visit for each member of the object in the text, in order, until it fails. `name` is the
 * file's name in messages. NTH_E_FORMAT: not JSON (with line and column), a duplicate key, a value
 * that is null, an object, or an array of other than strings, numbers and booleans. */
NTH_NODISCARD nth_status nth_priv_settings_parse(const char *name, const char *text, size_t length,
                                                 nth_setting_visit *visit, void *ctx);
/* The same for a file. NTH_E_IO. */
NTH_NODISCARD nth_status nth_priv_settings_read(const char *path, nth_setting_visit *visit, void *ctx);

#endif
