/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Training in single precision. Activations and sums over a batch are formed in double and rounded.
 */
#define REAL float
#define REAL_SQRT sqrtf
#define REAL_MAT nth_smat
#define REAL_CMAT nth_csmat
#define REAL_GEMM nth_gemm_single
#define NTH_OPTIMIZE_TABLE nth_priv_optimize_single
#include "optimize_body_priv.h"
