/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * What h5.c and h5_data.c share; no other file includes this, nor hdf5.h.
 */
#ifndef NTH_BASE_H5_PRIV_H
#define NTH_BASE_H5_PRIV_H

#include <hdf5.h>
#include <time.h>

#include "nth/file.h"

struct nth_file {
    hid_t           id;      /* HDF5 file, < 0 when closed */
    char           *path;    /* final name */
    char           *partial; /* name under construction; NULL when opened to read */
    struct timespec opened;  /* monotonic */
    double          earlier; /* seconds spent before a resumption */
};

/* HDF5's own printing goes off on this thread. Nor does HDF5 clean up at exit, if we are the first
 * to use it: a file whose closing failed (full disk) would be closed again there, and crash. */
static inline void nth_priv_h5_quiet(void)
{
    (void)H5dont_atexit();
    (void)H5Eset_auto2(H5E_DEFAULT, NULL, NULL);
}

/* The name to use in messages. */
static inline const char *nth_priv_h5_name(const nth_file *f)
{
    return f->partial != NULL ? f->partial : f->path;
}

/* ": No space left on device", or "" where HDF5 does not know. */
const char *nth_priv_h5_cause(void);

/* The root attribute `seed`, unsigned. */
NTH_NODISCARD nth_status nth_priv_h5_set_seed(nth_file *file, uint64_t seed);

#endif
