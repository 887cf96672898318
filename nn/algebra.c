/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Tables of the nilpotent and the truncated Taylor algebra: products and the chain rule, the latter
 * by set partitions (Faa di Bruno's formula; for Taylor coefficients by integer partitions).
 */
#include "algebra_priv.h"

static void add_monomial(nth_algebra *alg, int *count, double coef, int factors, const int *fac)
{
    nth_monomial *m = &alg->monomial[(*count)++];
    m->coef = coef;
    m->order = m->factors = (signed char)factors;
    for (int i = 0; i < factors && i < NTH_MAX_ORDER; ++i) m->fac[i] = (signed char)fac[i];
}

/* All ways to write the set `rest` as a union of blocks: the block of the lowest bit first. */
static void set_partitions(nth_algebra *alg, int *count, int rest, int blocks, int *block)
{
    if (rest == 0) {
        add_monomial(alg, count, 1.0, blocks, block);
        return;
    }
    if (blocks == NTH_MAX_ORDER) return; /* cannot happen: a block takes at least one direction */
    const int low = rest & -rest, others = rest ^ low;
    for (int sub = others;; sub = (sub - 1) & others) {
        block[blocks] = low | sub;
        set_partitions(alg, count, others ^ sub, blocks + 1, block);
        if (sub == 0) break;
    }
}

void nth_algebra_nilpotent(nth_algebra *alg, int directions)
{
    int products = 0, monomials = 0, block[NTH_MAX_ORDER];
    alg->order = directions;
    alg->comps = 1 << directions;
    for (int c = 0; c < alg->comps; ++c) {
        alg->product_start[c] = products;
        for (int a = c;; a = (a - 1) & c) {
            alg->product[products++] = (nth_product){ .a = (signed char)a, .b = (signed char)(c ^ a) };
            if (a == 0) break;
        }
        alg->monomial_start[c] = monomials;
        set_partitions(alg, &monomials, c, 0, block);
    }
    alg->product_start[alg->comps] = products;
    alg->monomial_start[alg->comps] = monomials;
}

/* All non-increasing sequences of powers with sum `rest`; equal powers share a factorial. */
static void integer_partitions(nth_algebra *alg, int *count, int rest, int most, int parts, int *part)
{
    if (rest == 0) {
        double coef = 1.0;
        for (int i = 0, run = 0; i < parts; ++i) {
            run = i > 0 && part[i] == part[i - 1] ? run + 1 : 1;
            coef /= run;
        }
        add_monomial(alg, count, coef, parts, part);
        return;
    }
    if (parts == NTH_MAX_ORDER) return; /* cannot happen: a part is at least 1 */
    for (int p = rest < most ? rest : most; p >= 1; --p) {
        part[parts] = p;
        integer_partitions(alg, count, rest - p, p, parts + 1, part);
    }
}

void nth_algebra_taylor(nth_algebra *alg, int order)
{
    int products = 0, monomials = 0, part[NTH_MAX_ORDER];
    alg->order = order;
    alg->comps = order + 1;
    for (int c = 0; c < alg->comps; ++c) {
        alg->product_start[c] = products;
        for (int a = c; a >= 0; --a)
            alg->product[products++] = (nth_product){ .a = (signed char)a, .b = (signed char)(c - a) };
        alg->monomial_start[c] = monomials;
        integer_partitions(alg, &monomials, c, c, 0, part);
    }
    alg->product_start[alg->comps] = products;
    alg->monomial_start[alg->comps] = monomials;
}
