/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Mean, standard error and stopping of a sequence of kernels, and such sequences over networks in
 * parallel. Kernels are added in order, so the bits do not depend on the number of threads.
 */
#ifndef NTH_NTH_TALLY_PRIV_H
#define NTH_NTH_TALLY_PRIV_H

#include <stdbool.h>

#include "nth/ntk.h"

/* Running mean, and sum of squares about it. */
typedef struct nth_tally {
    nth_blocks mean, scatter;
    ptrdiff_t  count;
} nth_tally;

/* A tally of kernels with the blocks of `shape`; others are left out. */
NTH_NODISCARD nth_status nth_priv_tally_create(nth_tally *t, const nth_blocks *shape, const char *what);
/* The same in blocks of the caller (not freed): begun anew, or as they were left after `count` kernels. */
void nth_priv_tally_on(nth_tally *t, const nth_blocks *mean, const nth_blocks *scatter, ptrdiff_t count);
/* NTH_E_SHAPE, NTH_E_ARG unless both have the same blocks, the training block among them. */
NTH_NODISCARD nth_status nth_priv_tally_check(const nth_blocks *mean, const nth_blocks *scatter, ptrdiff_t n, ptrdiff_t k);
void                     nth_priv_tally_free(nth_tally *t);
void                     nth_priv_tally_add(nth_tally *t, const nth_blocks *one);
/* |se| / |mean|, Frobenius, training block; infinity where that says nothing. */
double nth_priv_tally_relative(const nth_tally *t);
/* Mean and standard errors into the blocks given there (those of the tally themselves, too); se may be NULL. */
void nth_priv_tally_hand_out(const nth_tally *t, nth_blocks *mean, nth_blocks *se);

/* Calls one(ctx, r, first + r) for r in [0, count), a network to a thread (a single one has all threads). Of several that fail
 * the first is told of, whatever the number of threads. */
NTH_NODISCARD nth_status nth_priv_each_network(nth_status (*one)(void *ctx, ptrdiff_t slot, ptrdiff_t number), void *ctx, ptrdiff_t first,
                                               ptrdiff_t count);

/* Which networks are averaged. */
typedef struct nth_over_networks {
    nth_status (*one)(nth_blocks *out, ptrdiff_t number, void *ctx); /* kernel of network `number`; called by several threads */
    void     *ctx;
    double    target;      /* stop at this relative error once there are `least`; 0: never */
    ptrdiff_t least, most;
    bool (*go_on)(ptrdiff_t networks, double relative, void *ctx); /* after each group; or NULL */
    void *go_ctx;
} nth_over_networks;

/* Adds networks 0, 1, .. to an empty tally, a group of them in parallel at a time. */
NTH_NODISCARD nth_status nth_priv_over_networks(nth_tally *t, const nth_over_networks *run);

#endif
