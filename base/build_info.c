/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * What was compiled in. The revision comes from nth_revision.h, which cmake/GitRevision.cmake
 * writes at each build; compiler and flags come from the build system as definitions.
 * Called by: h5.c (provenance), the command-line tool (nth info).
 */
#include "nth/build_info.h"
#include "build_info_priv.h"
#include "linalg_priv.h"
#include "nth_revision.h"
#include "onednn_priv.h"
#include "par_priv.h"
#include "vmath.h"

#include <stdio.h>
#include <string.h>

/* "model name : ..." of the first processor. */
static void find_cpu(char *out, size_t size)
{
    char  line[256];
    FILE *f = fopen("/proc/cpuinfo", "r");
    snprintf(out, size, "unknown");
    if (f == NULL) return;
    while (fgets(line, sizeof line, f) != NULL) {
        const char *value = strchr(line, ':');
        if (value == NULL || strncmp(line, "model name", 10) != 0) continue;
        value += 1 + strspn(value + 1, " \t");
        snprintf(out, size, "%.*s", (int)strcspn(value, "\n"), value);
        break;
    }
    fclose(f);
}

nth_build_info nth_build_info_get(void)
{
    static _Thread_local char cpu[128];
    if (cpu[0] == '\0') find_cpu(cpu, sizeof cpu);
    return (nth_build_info){
        .version = NTH_VERSION,
        .git_revision = NTH_GIT_REVISION,
        .git_dirty = NTH_GIT_DIRTY,
        .compiler = NTH_COMPILER,
        .compiler_flags = NTH_COMPILER_FLAGS,
        .build_type = NTH_BUILD_TYPE,
        .blas = nth_priv_blas_name(),
        .gsl = NTH_GSL_VERSION,
        .hdf5 = nth_priv_hdf5_version(),
        .jansson = nth_priv_jansson_version(),
        .onednn = nth_priv_onednn_version(),
        .vector_math = nth_vmath_path(),
        .cpu = cpu,
#ifdef _OPENMP
        .openmp = true,
#endif
    };
}

void nth_threads_set(int n)
{
    if (n > 0) nth_priv_set_threads(n);
}

int nth_threads_get(void) { return nth_priv_threads(); }
