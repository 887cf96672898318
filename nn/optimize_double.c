/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Training in double precision.
 */
#define REAL double
#define REAL_SQRT sqrt
#define REAL_MAT nth_mat
#define REAL_CMAT nth_cmat
#define REAL_GEMM nth_gemm
#define NTH_OPTIMIZE_TABLE nth_priv_optimize_double
#include "optimize_body_priv.h"
