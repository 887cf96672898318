/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * The loop of distance_body_priv.h for one instruction set (flags in CMakeLists.txt).
 */
#define NTH_L1_TABLE nth_l1_portable
#define NTH_L1_LABEL "portable"
#include "distance_body_priv.h"
