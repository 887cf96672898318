/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * The tool in a temporary folder (tool.h).
 */
#include "tool.h"
#include "nth/file.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

int nth(const char *fmt, ...)
{
    char    line[1024], command[2048];
    va_list ap;
    va_start(ap, fmt);
    vsnprintf(line, sizeof line, fmt, ap);
    va_end(ap);
    snprintf(command, sizeof command, "'%s' %s --quiet >out 2>err", getenv("NTH_TOOL"), line);
    const int status = system(command);
    return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

bool get(double *out, ptrdiff_t count, const char *path, const char *name)
{
    nth_file *f = NULL;
    bool      ok = NTH_CHECK_OK(nth_file_open(&f, path));
    memset(out, 0xff, (size_t)count * sizeof *out); /* NaN */
    ok = ok && NTH_CHECK_OK(nth_file_read_any(f, name, out, count)); /* times may be infinite */
    nth_file_close(&f);
    return ok;
}

int nth_tool_main(const char *name, const nth_test_case *cases)
{
    char folder[] = "nth_tool_XXXXXX", clean[] = "rm -rf '../nth_tool_XXXXXX'";
    if (getenv("NTH_TOOL") == NULL || mkdtemp(folder) == NULL || chdir(folder) != 0) return 1;
    const int status = nth_test_main(name, cases);
    snprintf(clean, sizeof clean, "rm -rf '../%s'", folder);
    return system(clean) == 0 ? status : 1;
}
