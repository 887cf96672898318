/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * What build_info.c asks of the wrappers of third parties.
 */
#ifndef NTH_BASE_BUILD_INFO_PRIV_H
#define NTH_BASE_BUILD_INFO_PRIV_H

#include "nth/build_info.h"

const char *nth_priv_hdf5_version(void);    /* h5.c */
const char *nth_priv_jansson_version(void); /* json.c */

#endif
