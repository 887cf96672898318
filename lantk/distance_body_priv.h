/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * The loop of distance_priv.h for the instruction set of the file that includes this: 4 rows by 16 columns of
 * sums stay in registers.
 */
#include "distance_priv.h"
#include "lanes_priv.h"

enum { VECTORS = NTH_L1_COLS / VD };

static void block(double *D, ptrdiff_t ldd, const double *x, ptrdiff_t ldx, const double *z, ptrdiff_t depth)
{
    for (int first = 0; first < VECTORS; first += 2) { /* 8 sums at a time fit into 16 registers */
        vd s[NTH_L1_ROWS][2];
        for (int i = 0; i < NTH_L1_ROWS; ++i) s[i][0] = s[i][1] = vd_of(0.0);
        for (ptrdiff_t c = 0; c < depth; ++c) {
            const vd z0 = vd_load(z + NTH_L1_COLS * c + first * VD), z1 = vd_load(z + NTH_L1_COLS * c + (first + 1) * VD);
            for (int i = 0; i < NTH_L1_ROWS; ++i) {
                const vd a = vd_of(x[i * ldx + c]);
                s[i][0] += vd_abs(a - z0);
                s[i][1] += vd_abs(a - z1);
            }
        }
        for (int i = 0; i < NTH_L1_ROWS; ++i)
            for (int v = 0; v < 2; ++v) {
                double *at = D + i * ldd + (first + v) * VD;
                vd_store(at, vd_load(at) + s[i][v]);
            }
    }
}

const nth_l1_loops NTH_L1_TABLE = { NTH_L1_LABEL, block };
