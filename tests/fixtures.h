/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * The fixed nets and inputs of the oracle tables: exact decimals and elementary functions, no
 * random numbers, so that any other program can form them (docs/equations.md, fixtures F1-F5).
 */
#ifndef NTH_TEST_FIXTURES_H
#define NTH_TEST_FIXTURES_H

#include "nth/net.h"

typedef enum fixture { F1, F2, F3, F4, F5 } fixture;

extern double fx_X[6], fx_Q[4], fx_y[3], fx_u[3], fx_v[3], fx_w[3]; /* X (3 x 2), Q (2 x 2) */
void          fixture_points(void);                               /* fills them */
nth_net      *fixture_net(fixture f);                             /* NULL only without memory */

/* A net of any shape with the fixtures' weight formula. */
nth_net *formula_net(const nth_net_config *cfg);
/* A Gaussian net. */
nth_net *random_net(const nth_net_config *cfg, uint32_t run);

#endif
