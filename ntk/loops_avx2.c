/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * The loops of loops_body_priv.h for one instruction set (flags in CMakeLists.txt).
 */
#define NTH_LOOPS_TABLE nth_loops_avx2
#define NTH_LOOPS_LABEL "avx2"
#include "loops_body_priv.h"
