/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * The error record of each thread, and the texts of the status codes.
 * Called by: everything, through NTH_FAIL (fail_priv.h); read by users through nth_last_error().
 */
#include "nth/status.h"
#include "fail_priv.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

enum { MESSAGE_MAX = 1024 };

static _Thread_local struct {
    nth_status  code;
    const char *file, *func;
    int         line;
    char        message[MESSAGE_MAX];
} last;

static const char *const names[] = {
#define X(code, text) #code,
    NTH_STATUS_LIST(X)
#undef X
};
static const char *const texts[] = {
#define X(code, text) text,
    NTH_STATUS_LIST(X)
#undef X
};

const char *nth_status_name(nth_status code)
{
    return (unsigned)code < NTH_STATUS_COUNT ? names[code] : "NTH_E_?";
}

const char *nth_status_text(nth_status code)
{
    return (unsigned)code < NTH_STATUS_COUNT ? texts[code] : "unknown status";
}

nth_error nth_last_error(void)
{
    return (nth_error){ .code = last.code,
                        .message = last.message,
                        .func = last.func ? last.func : "",
                        .file = last.file ? last.file : "",
                        .line = last.line };
}

nth_status nth_raise(nth_status code, const char *file, int line, const char *func, const char *fmt,
                     ...)
{
    const char *slash = strrchr(file, '/');
    va_list     ap;
    char        text[MESSAGE_MAX]; /* the arguments may point into last.message */
    va_start(ap, fmt);
    vsnprintf(text, sizeof text, fmt, ap);
    va_end(ap);
    memcpy(last.message, text, sizeof text);
    last.code = code;
    last.file = slash ? slash + 1 : file;
    last.line = line;
    last.func = func;
    return code;
}

void nth_priv_error_prefix(const char *fmt, ...)
{
    char    text[MESSAGE_MAX];
    va_list ap;
    va_start(ap, fmt);
    int used = vsnprintf(text, sizeof text, fmt, ap);
    va_end(ap);
    if (used < 0 || used >= MESSAGE_MAX - 3) return;
    snprintf(text + used, sizeof text - (size_t)used, ": %.*s", MESSAGE_MAX - used - 3, last.message);
    memcpy(last.message, text, sizeof text);
}
