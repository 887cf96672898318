/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * The vector math loops for one instruction set (flags in CMakeLists.txt); see vmath_priv.h.
 */
#define NTH_VMATH_TABLE nth_vmath_avx2
#define NTH_VMATH_LABEL "avx2"
#include "vmath_priv.h"
