/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Problems for label-aware kernels: Gaussian inputs and kernel, labels that follow the first coordinates; a model
 * made from them, and all of its Z.
 */
#ifndef NTH_TEST_LANTK_CASE_H
#define NTH_TEST_LANTK_CASE_H

#include "lantk_priv.h"

enum { LANTK_MAX = 1100, LANTK_MAX_D = 40, LANTK_CLASSES = 3 };

/* n training and k test inputs of dimension d: views of the arrays below, which a test may change before it runs the model. */
typedef struct lantk_problem {
    ptrdiff_t        n, k, d;
    nth_lantk_source src;
} lantk_problem;

extern double lantk_inputs[], lantk_kernel[], lantk_targets[], lantk_fold[]; /* (n+k x d), (n+k x n), (n x 1 or classes), (n) */

void              lantk_make(lantk_problem *p, ptrdiff_t n, ptrdiff_t k, ptrdiff_t d, ptrdiff_t classes);
nth_lantk_options lantk_options(nth_lantk_variant v);
/* Creates a model and gathers all steps; *z is the caller's. */
nth_status lantk_run(nth_lantk **z, lantk_problem *p, const nth_lantk_options *opt);
/* Z (n+k x n) of one model, tile by tile. */
nth_status lantk_whole(double *Z, nth_lantk *z, const lantk_problem *p, ptrdiff_t model);
/* +1 if the targets of i and j are the same, else -1. */
double lantk_T_of(const lantk_problem *p, ptrdiff_t i, ptrdiff_t j);
/* F (n^2 x p) of all ordered training pairs, from the library, model 0; the caller frees it. */
double *lantk_features(nth_lantk *z, const lantk_problem *p);
/* The base kernel as nth_lantk_source has it; ctx is the problem. */
nth_status lantk_read(nth_mat tile, ptrdiff_t row, ptrdiff_t col, void *ctx);

#endif
