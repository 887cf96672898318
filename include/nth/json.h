/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * JSON: results for other programs (--json), configuration files, and texts kept in result files. A value is a small tree; a
 * failed allocation anywhere while building makes the whole tree bad, and nth_json_text says so
 * once at the end, so that building needs no check at each step. Non-finite numbers become null, bytes
 * that are not UTF-8 become U+FFFD; numbers are the shortest decimals that read back the same.
 */
#ifndef NTH_JSON_H
#define NTH_JSON_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "nth/status.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef struct nth_json nth_json;

/** A new, empty object; NULL when out of memory (all calls below accept NULL). */
NTH_API nth_json *nth_json_object(void);
/** A new array. */
NTH_API nth_json *nth_json_array(void);

/* Members of an object, in the order they are set; a key set again is replaced, at the end. */
NTH_API void nth_json_set_string(nth_json *object, const char *key, const char *value);
NTH_API void nth_json_set_double(nth_json *object, const char *key, double value);
NTH_API void nth_json_set_int(nth_json *object, const char *key, int64_t value);
NTH_API void nth_json_set_bool(nth_json *object, const char *key, bool value);
NTH_API void nth_json_set_doubles(nth_json *object, const char *key, const double *v, ptrdiff_t n);
/** Moves child (an object or array) into the object: child must not be used or freed after. */
NTH_API void nth_json_set(nth_json *object, const char *key, nth_json *child);
/** Moves child to the end of an array. */
NTH_API void nth_json_append(nth_json *array, nth_json *child);
NTH_API void nth_json_append_string(nth_json *array, const char *value);
NTH_API void nth_json_append_double(nth_json *array, double value);
NTH_API void nth_json_append_int(nth_json *array, int64_t value);

/** The text of the tree, to be freed by nth_json_text_free; indent = 0 for one line. NTH_E_NOMEM. */
NTH_API NTH_NODISCARD nth_status nth_json_text(char **text, const nth_json *root, int indent);
NTH_API void                     nth_json_text_free(char *text);
NTH_API void                     nth_json_destroy(nth_json **root);

/**
 * Reads a JSON text into a tree; null becomes a number that is NaN.
 *
 * Ownership  *root is the caller's: nth_json_destroy. NULL on failure.
 * Cost       linear in the length; objects with many keys quadratic in their number.
 * Errors     NTH_E_FORMAT: not JSON, or neither object nor array (`name` is what the message calls the text); NTH_E_NOMEM.
 */
NTH_API NTH_NODISCARD nth_status nth_json_parse(nth_json **root, const char *name, const char *text);

/* Looking into a tree; all accept NULL, and what is not there is NULL, NaN or 0. */

/** The member of that key of an object. */
NTH_API const nth_json *nth_json_get(const nth_json *object, const char *key);
/** The first member of an object or array, and the one after a member. */
NTH_API const nth_json *nth_json_first(const nth_json *parent);
NTH_API const nth_json *nth_json_next(const nth_json *member);
/** A number, or true as 1 and false as 0. */
NTH_API double nth_json_number(const nth_json *value);
/** The text of a string, which lives as long as the tree. */
NTH_API const char *nth_json_string(const nth_json *value);
/** Copies at most n numbers of an array; how many it has. */
NTH_API ptrdiff_t nth_json_doubles(const nth_json *array, double *out, ptrdiff_t n);

#ifdef __cplusplus
}
#endif
#endif
