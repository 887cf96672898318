/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Orthants of up to four Gaussian variables: what expectations over neurons need of them beside the
 * probability and the moments.
 */
#ifndef NTH_NTH_ORTHANT_PRIV_H
#define NTH_NTH_ORTHANT_PRIV_H

#include <stdbool.h>

/* Up to four directions by their geometry. */
typedef struct nth_angles {
    int    n;
    double r[4][4];   /* cosines of the angles between them, 1 on the diagonal */
    double gap[4][4]; /* chord |u_i - u_j| of the unit vectors, or |u_i + u_j| where r < 0 */
    bool   measured;  /* the gaps are known better than sqrt(2 (1 - |r|)) tells */
} nth_angles;

typedef struct nth_orthant_parts {
    double P, m[4][4];     /* of variables with variance one */
    double sine[4][4];     /* of the angles */
    double rest[4][4];     /* n = 2, 3, 4: probability of the other variables > 0 given z_q = z_r = 0 */
    bool   parallel[4][4]; /* or opposite: one line */
    bool   planar;         /* four variables, all in one plane */
    double defect;         /* how far the cosines are from a correlation matrix; rounding if small */
    double error;
} nth_orthant_parts;

/* Gaps from cosines. */
void nth_priv_angles_close(nth_angles *a);
/* Everything above; no failure. A variable of no variance has no angle: leave it to the caller. */
void nth_priv_orthant(nth_orthant_parts *out, const nth_angles *a);

#endif
