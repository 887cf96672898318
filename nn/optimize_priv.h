/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Training in either precision: the arithmetic of optimize_body_priv.h, compiled once for each by
 * optimize_double.c and optimize_single.c, behind a table. What is in double and once for all - loss,
 * order, options - is in optimize.c.
 */
#ifndef NTH_NN_OPTIMIZE_PRIV_H
#define NTH_NN_OPTIMIZE_PRIV_H

#include "net_priv.h"
#include "nth/optimize.h"

typedef struct nth_optimize_ops nth_optimize_ops;

struct nth_optimizer {
    nth_optimizer_options   opt;
    const nth_optimize_ops *ops;
    ptrdiff_t               P;
    long                    steps;
    double                  rate, spread; /* of the present step: eta / (1 - b1^s), 1 / sqrt(1 - b2^s) */
    void                   *m, *v;        /* (P) velocity or first moment; second moment; NULL: none */
};

struct nth_optimize_ops {
    size_t real; /* bytes of a number */
    /* Entries [first, first + count) of the rule's present step; theta and g begin there. */
    void (*update)(const nth_optimizer *rule, void *theta, const void *g, ptrdiff_t first, ptrdiff_t count);
    /* The parameters of a network, and room for passes over `batch` rows. */
    nth_status (*create)(void **state, const nth_net *net, ptrdiff_t batch);
    void (*destroy)(void **state);
    void (*store)(nth_net *net, const void *state);
    /* f (count x C) <- outputs at the rows of X that `order` names, NULL: the first ones. */
    nth_status (*forward)(void *state, double *f, nth_cmat X, const ptrdiff_t *order, ptrdiff_t count);
    /* After forward, given r = dLoss/df: steps by the rule, or with g writes the gradient there. */
    nth_status (*backward)(void *state, const double *r, const nth_optimizer *rule, double *g);
};

extern const nth_optimize_ops nth_priv_optimize_double, nth_priv_optimize_single;

enum { NTH_OPTIMIZE_TILE_ROWS = 256, NTH_OPTIMIZE_TILE_COLS = 512 }; /* of a gradient: one tile stays in the cache */

/* All parameters, trainable or not. */
ptrdiff_t nth_priv_optimize_parameters(const nth_net_config *cfg);

NTH_NODISCARD nth_status nth_priv_optimizer_create(nth_optimizer **out, const nth_optimizer_options *options,
                                                   ptrdiff_t P, const nth_optimize_ops *ops);
/* Begins the next step: ops->update may then be called on each entry once, on any thread. */
void nth_priv_optimizer_begin(nth_optimizer *rule);
/* A whole step, in the precision of the rule. */
void nth_priv_optimizer_step(nth_optimizer *rule, void *theta, const void *gradient);

#endif
