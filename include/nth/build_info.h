/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * What was compiled into this library, what it runs on, and on how many threads.
 */
#ifndef NTH_BUILD_INFO_H
#define NTH_BUILD_INFO_H

#include <stdbool.h>

#include "nth/status.h"

#ifdef __cplusplus
extern "C" {
#endif

/* All strings live as long as the program (blas: until the next call on this thread). */
typedef struct nth_build_info {
    const char *version;        /* "0.1.0" */
    const char *git_revision;   /* 40 hexadecimal digits, "unknown" outside a checkout */
    bool        git_dirty;      /* tracked files differed from that revision */
    const char *compiler;       /* name and version */
    const char *compiler_flags; /* as given to the modules, without paths */
    const char *build_type;     /* "Release", ... */
    const char *blas;           /* vendor, kernels chosen for this CPU, threads */
    const char *gsl;            /* version */
    const char *hdf5;           /* version */
    const char *jansson;        /* version */
    const char *onednn;         /* version, "not built in" without */
    const char *vector_math;    /* "avx512", "avx2" or "portable": chosen for this CPU */
    const char *cpu;            /* model name, "unknown" where the system does not say */
    bool        openmp;         /* built with threads */
} nth_build_info;

/**
 * Describes this build of the library and the machine it runs on.
 *
 * Ownership  the strings belong to the library.
 * Errors     none.
 */
NTH_API nth_build_info nth_build_info_get(void);

/**
 * Sets the number of threads for all later calls; n <= 0 leaves it as it is.
 *
 * Accuracy   results have the same bits for any number (except where a docstring says otherwise).
 * Errors     none; without OpenMP the call does nothing.
 */
NTH_API void nth_threads_set(int n);

/** The number of threads calls will use. */
NTH_API int nth_threads_get(void);

#ifdef __cplusplus
}
#endif
#endif
