/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Means over samples and over networks (tally_priv.h).
 */
#include "tally_priv.h"
#include "alloc_priv.h"
#include "fail_priv.h"
#include "linalg_priv.h"
#include "ntk_priv.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

enum { GROUP = 64, GROUP_ENTRIES = 1 << 21 }; /* networks at a time; and numbers in their kernels */

static nth_mat *block(nth_blocks *b, int q) { return q == 0 ? &b->train : q == 1 ? &b->test : &b->test_test; }
static nth_mat  view(const nth_blocks *b, int q) { return q == 0 ? b->train : q == 1 ? b->test : b->test_test; }

static nth_status like(nth_blocks *out, const nth_blocks *shape, const char *what)
{
    nth_status st = NTH_OK;
    for (int q = 0; q < 3; ++q)
        if (view(shape, q).a != NULL) NTH_TRY(nth_priv_mat(block(out, q), view(shape, q).rows, view(shape, q).cols, what));
done:
    return st;
}

static void blocks_free(nth_blocks *b)
{
    for (int q = 0; q < 3; ++q) nth_priv_free(block(b, q)->a);
    *b = (nth_blocks){ 0 };
}

nth_status nth_priv_tally_create(nth_tally *t, const nth_blocks *shape, const char *what)
{
    nth_status st = NTH_OK;
    *t = (nth_tally){ 0 };
    NTH_TRY(like(&t->mean, shape, what));
    NTH_TRY(like(&t->scatter, shape, what));
done:
    return st;
}

nth_status nth_priv_tally_check(const nth_blocks *mean, const nth_blocks *scatter, ptrdiff_t n, ptrdiff_t k)
{
    nth_status st = NTH_OK;
    NTH_REQUIRE(scatter != NULL, NTH_E_ARG, "blocks of se are missing: they decide when to stop");
    NTH_TRY(nth_priv_blocks_check(scatter, n, k));
    NTH_REQUIRE(mean->train.a != NULL, NTH_E_ARG, "the training block decides when to stop; it must be given");
    for (int q = 0; q < 3; ++q)
        NTH_REQUIRE((view(mean, q).a != NULL) == (view(scatter, q).a != NULL), NTH_E_SHAPE, "the blocks of se must be those of mean");
done:
    return st;
}

void nth_priv_tally_on(nth_tally *t, const nth_blocks *mean, const nth_blocks *scatter, ptrdiff_t count)
{
    *t = (nth_tally){ .mean = *mean, .scatter = *scatter, .count = count };
    for (int q = 0; q < 6 && count == 0; ++q) {
        const nth_mat A = view(q < 3 ? mean : scatter, q % 3);
        for (ptrdiff_t i = 0; i < A.rows; ++i) memset(A.a + i * A.ld, 0, (size_t)A.cols * sizeof *A.a);
    }
}

void nth_priv_tally_free(nth_tally *t)
{
    blocks_free(&t->mean);
    blocks_free(&t->scatter);
}

void nth_priv_tally_add(nth_tally *t, const nth_blocks *one)
{
    const double share = 1.0 / (double)++t->count;
    for (int q = 0; q < 3; ++q) {
        const nth_mat in = view(one, q), mean = view(&t->mean, q), scatter = view(&t->scatter, q);
        if (mean.a == NULL) continue;
#pragma omp parallel for schedule(static) if (in.rows * in.cols > 10000)
        for (ptrdiff_t i = 0; i < in.rows; ++i)
            for (ptrdiff_t j = 0; j < in.cols; ++j) {
                double      *m = &mean.a[i * mean.ld + j];
                const double x = in.a[i * in.ld + j], off = x - *m;
                *m += share * off;
                scatter.a[i * scatter.ld + j] += off * (x - *m);
            }
    }
}

/* Square of the standard error of an entry with this scatter. */
static double variance(const nth_tally *t, double scatter) { return scatter / ((double)t->count * (double)(t->count - 1)); }

double nth_priv_tally_relative(const nth_tally *t)
{
    const nth_mat s = t->scatter.train;
    const double  size = s.a == NULL ? 0.0 : nth_frobenius(nth_const(t->mean.train));
    double        sum = 0.0;
    for (ptrdiff_t i = 0; i < s.rows; ++i)
        for (ptrdiff_t j = 0; j < s.cols; ++j) sum += s.a[i * s.ld + j];
    return t->count < 2 || size == 0.0 ? INFINITY : sqrt(variance(t, sum)) / size;
}

void nth_priv_tally_hand_out(const nth_tally *t, nth_blocks *mean, nth_blocks *se)
{
    nth_blocks none = { 0 };
    for (int q = 0; q < 3; ++q) {
        const nth_mat to = *block(mean, q), errors = *block(se != NULL ? se : &none, q), scatter = view(&t->scatter, q);
        if (scatter.a == NULL) continue;
        if (to.a != NULL && to.a != view(&t->mean, q).a) nth_mat_copy(to, nth_const(view(&t->mean, q)));
        for (ptrdiff_t i = 0; errors.a != NULL && i < errors.rows; ++i)
            for (ptrdiff_t j = 0; j < errors.cols; ++j)
                errors.a[i * errors.ld + j] = sqrt(variance(t, scatter.a[i * scatter.ld + j]));
    }
}

/* ---- Networks ----------------------------------------------------------------------------------- */

static ptrdiff_t group_size(const nth_blocks *shape)
{
    ptrdiff_t entries = 1;
    for (int q = 0; q < 3; ++q) entries += view(shape, q).rows * view(shape, q).cols;
    return entries > GROUP_ENTRIES ? 1 : GROUP_ENTRIES / entries < GROUP ? GROUP_ENTRIES / entries : GROUP;
}

nth_status nth_priv_each_network(nth_status (*one)(void *ctx, ptrdiff_t slot, ptrdiff_t number), void *ctx, ptrdiff_t first,
                                 ptrdiff_t count)
{
    nth_status st = NTH_OK, failed = NTH_OK;
    char       why[256] = "";
    ptrdiff_t  which = count;
#pragma omp parallel for schedule(dynamic, 1) if (count > 1)
    for (ptrdiff_t r = 0; r < count; ++r) {
        const nth_status mine = one(ctx, r, first + r);
        if (mine == NTH_OK) continue;
#pragma omp critical
        if (r < which) {
            which = r, failed = mine;
            snprintf(why, sizeof why, "network %td: %s", first + r, nth_last_error().message);
        }
    }
    NTH_REQUIRE(failed == NTH_OK, failed, "%s", why);
done:
    return st;
}

typedef struct group {
    const nth_over_networks *run;
    nth_blocks              *kernel;
} group;

static nth_status kernel_of(void *ctx, ptrdiff_t slot, ptrdiff_t number)
{
    const group *g = ctx;
    return g->run->one(&g->kernel[slot], number, g->run->ctx);
}

nth_status nth_priv_over_networks(nth_tally *t, const nth_over_networks *run)
{
    nth_status      st = NTH_OK;
    const ptrdiff_t size = group_size(&t->mean);
    nth_blocks     *kernel = NULL;
    double          relative = INFINITY;
    NTH_REQUIRE(run->most >= 2 && run->most <= UINT32_MAX && run->least >= 0, NTH_E_ARG, "%td to %td networks; 2 to 2^32 are expected",
                run->least, run->most);
    NTH_TRY(nth_priv_alloc(&kernel, size, sizeof *kernel, "kernels of a group of networks"));
    for (ptrdiff_t r = 0; r < size; ++r) NTH_TRY(like(&kernel[r], &t->mean, "kernels of a group of networks"));
    while (t->count < run->most && (t->count < run->least || !(run->target > 0.0 && relative <= run->target))) {
        const ptrdiff_t count = run->most - t->count < size ? run->most - t->count : size;
        NTH_TRY(nth_priv_each_network(kernel_of, &(group){ run, kernel }, t->count, count));
        for (ptrdiff_t r = 0; r < count; ++r) nth_priv_tally_add(t, &kernel[r]);
        relative = nth_priv_tally_relative(t);
        NTH_REQUIRE(run->go_on == NULL || run->go_on(t->count, relative, run->go_ctx), NTH_E_INTERRUPTED,
                    "interrupted after %td networks (at most %td)", t->count, run->most);
    }
done:
    for (ptrdiff_t r = 0; kernel != NULL && r < size; ++r) blocks_free(&kernel[r]);
    nth_priv_free(kernel);
    return st;
}
