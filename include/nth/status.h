/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Status codes and the error record: how every fallible function of nth reports.
 *
 * A function that can fail returns nth_status. Where a failure starts, the details (what was
 * expected, what was found, the place) go into a record of the calling thread; the functions that
 * hand the status on leave that record alone. The library never prints, exits or aborts.
 */
#ifndef NTH_STATUS_H
#define NTH_STATUS_H

#ifdef __cplusplus
extern "C" {
#endif

#if defined(__GNUC__)
#define NTH_API __attribute__((visibility("default")))
#define NTH_NODISCARD __attribute__((warn_unused_result))
#else
#define NTH_API
#define NTH_NODISCARD
#endif

#define NTH_STATUS_LIST(X)                                                                         \
    X(NTH_OK, "success")                                                                           \
    X(NTH_E_ARG, "invalid argument")                                                               \
    X(NTH_E_SHAPE, "array shapes do not agree")                                                    \
    X(NTH_E_NOMEM, "out of memory")                                                                \
    X(NTH_E_RANGE, "value does not fit the type required")                                         \
    X(NTH_E_NUMERIC, "non-finite value or failed factorisation")                                   \
    X(NTH_E_STEPSIZE, "step size fell below the representable minimum")                            \
    X(NTH_E_IO, "file cannot be read or written")                                                  \
    X(NTH_E_FORMAT, "file content is not what was expected")                                       \
    X(NTH_E_INTERRUPTED, "interrupted")

/* One list, three expansions: the codes, their names, their texts (base/status.c). */
typedef enum nth_status {
#define X(code, text) code,
    NTH_STATUS_LIST(X)
#undef X
        NTH_STATUS_COUNT
} nth_status;

/* The last failure of the calling thread. Strings live until the next failure on that thread. */
typedef struct nth_error {
    nth_status  code;
    const char *message; /* what was expected and what was found */
    const char *func;    /* function in which the failure started */
    const char *file;    /* its source file, without folders */
    int         line;
} nth_error;

/** Name of a status code ("NTH_E_SHAPE"); "NTH_E_?" for a value outside the list. */
NTH_API const char *nth_status_name(nth_status code);

/** One-line text of a status code ("array shapes do not agree"). */
NTH_API const char *nth_status_text(nth_status code);

/** The last failure of the calling thread; code NTH_OK and empty strings if there was none. */
NTH_API nth_error nth_last_error(void);

#ifdef __cplusplus
}
#endif
#endif
