/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Small sweeps for tests: a data set of a few fixed inputs, families with defaults, and members
 * whose numbers are put there by hand.
 */
#ifndef NTH_TEST_SWEEP_CASE_H
#define NTH_TEST_SWEEP_CASE_H

#include "sweep_priv.h"

/* 4 training and 2 test inputs in three dimensions, labels +-1; nothing to free. */
const nth_data *sweep_data(void);

/* The inputs on which rates were measured elsewhere (docs/equations.md, 4.5): 4 training inputs in three
 * dimensions, labels 1, -1, 1, -1, two queries. The error is the largest entry of the query block. */
const nth_data *rates_data(void);

/* Widths least, 2 least, 4 least, ...; times 0.5 and 1; erf, two layers, input scale one. */
nth_family sweep_family(ptrdiff_t n_widths, ptrdiff_t least, ptrdiff_t seeds);

/* A sweep whose members are marked done and hold zeros, with max |K_0| = 1. NULL: reported. */
nth_sweep *sweep_by_hand(const nth_family *families, ptrdiff_t count, ptrdiff_t bootstrap);
double    *sweep_member(nth_sweep *s, ptrdiff_t family, ptrdiff_t width, ptrdiff_t seed);

/* Puts a quantity of one family at scale * (width or time)^power times exp(noise * normal), in all
 * pairs, norms and times; numbered by run. */
void sweep_put(nth_sweep *s, ptrdiff_t family, nth_quantity q, double scale, double power, double noise, uint32_t run);

#endif
