/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Opening files, reading text line by line, and numbers in text. The line reader takes any bytes:
 * a NUL or an endless line is an error with its place, as a damaged file deserves.
 */
#include "alloc_priv.h"
#include "data_priv.h"
#include "fail_priv.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

enum { LINE_MAX_BYTES = 1 << 24, FIRST_CAPACITY = 1024 };

nth_status nth_priv_open(FILE **f, const char *path)
{
    nth_status  st = NTH_OK;
    struct stat info;
    *f = NULL;
    NTH_REQUIRE(stat(path, &info) == 0, NTH_E_IO, "cannot open %s: %s", path, strerror(errno));
    NTH_REQUIRE(!S_ISDIR(info.st_mode), NTH_E_IO, "cannot open %s: it is a folder", path);
    *f = fopen(path, "rb");
    NTH_REQUIRE(*f != NULL, NTH_E_IO, "cannot open %s: %s", path, strerror(errno));
done:
    return st;
}

nth_status nth_priv_data_dir(char **dir, const nth_spec *spec, const char *sub)
{
    nth_status  st = NTH_OK;
    const char *root = getenv("NTH_DATA_DIR");
    *dir = NULL;
    if (spec->path[0] != '\0') return nth_priv_strdup(dir, spec->path);
    NTH_REQUIRE(root != NULL && root[0] != '\0', NTH_E_ARG,
                "%s: no folder named and NTH_DATA_DIR is not set; write %s:DIR?...", spec->scheme,
                spec->scheme);
    NTH_TRY(nth_priv_format(dir, "%s/%s", root, sub));
done:
    return st;
}

const char *nth_priv_shown(nth_shown *out, const char *text)
{
    size_t i = 0;
    for (; text[i] != '\0' && i + 1 < sizeof out->text; ++i)
        out->text[i] = (unsigned char)text[i] < 0x20 || text[i] == 0x7f ? '?' : text[i];
    out->text[i] = '\0';
    return out->text;
}

static nth_status grow(nth_lines *lines)
{
    nth_status      st = NTH_OK;
    char           *wider = NULL;
    const ptrdiff_t capacity = lines->capacity > 0 ? 2 * lines->capacity : FIRST_CAPACITY;
    NTH_REQUIRE(capacity <= LINE_MAX_BYTES, NTH_E_FORMAT, "%s:%ld: line longer than %d bytes", lines->name,
                lines->number, LINE_MAX_BYTES / 2);
    NTH_TRY(nth_priv_alloc(&wider, capacity, 1, "a line of text"));
    if (lines->length > 0) memcpy(wider, lines->text, (size_t)lines->length);
    nth_priv_free(lines->text);
    lines->text = wider;
    lines->capacity = capacity;
done:
    return st;
}

nth_status nth_priv_lines_next(nth_lines *lines, bool *more)
{
    nth_status st = NTH_OK;
    int        byte;
    lines->length = 0;
    ++lines->number;
    while ((byte = getc_unlocked(lines->f)) != EOF && byte != '\n') {
        NTH_REQUIRE(byte != '\0', NTH_E_FORMAT, "%s:%ld:%td: a zero byte; not a text file", lines->name,
                    lines->number, lines->length + 1);
        if (lines->length + 1 >= lines->capacity) NTH_TRY(grow(lines));
        lines->text[lines->length++] = (char)byte;
    }
    NTH_REQUIRE(byte != EOF || !ferror(lines->f), NTH_E_IO, "cannot read %s: %s", lines->name, strerror(errno));
    if (lines->capacity == 0) NTH_TRY(grow(lines));
    *more = byte != EOF || lines->length > 0;
    if (lines->length > 0 && lines->text[lines->length - 1] == '\r') --lines->length;
    lines->text[lines->length] = '\0';
    if (lines->number == 1 && strncmp(lines->text, "\xef\xbb\xbf", 3) == 0) { /* byte order mark */
        lines->length -= 3;
        memmove(lines->text, lines->text + 3, (size_t)lines->length + 1);
    }
done:
    return st;
}

void nth_priv_lines_fini(nth_lines *lines)
{
    nth_priv_free(lines->text);
    lines->text = NULL;
    lines->length = lines->capacity = 0;
}

nth_status nth_priv_number(double *out, const char *text, const nth_lines *lines, const char *start,
                           const char *field)
{
    nth_status   st = NTH_OK;
    char        *end = NULL;
    nth_shown    a, b;
    const long   column = (long)(start - lines->text) + 1;
    const double value = strtod(text, &end);
    while (*end == ' ') ++end;
    /* strtod knows hexadecimal, too; a data file that has it is broken */
    const bool number = end != text && *end == '\0' && strpbrk(text, "xX") == NULL;
    NTH_REQUIRE(number, NTH_E_FORMAT, "%s:%ld:%ld: \"%s\" is not a number (%s)", lines->name,
                lines->number, column, nth_priv_shown(&a, text), nth_priv_shown(&b, field));
    NTH_REQUIRE(isfinite(value), NTH_E_NUMERIC, "%s:%ld:%ld: \"%s\" is not finite (%s)", lines->name,
                lines->number, column, nth_priv_shown(&a, text), nth_priv_shown(&b, field));
    *out = value;
done:
    return st;
}
