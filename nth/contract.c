/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Contracted higher kernels of every order by one nilpotent jet (E13-E22). The parameter jet is
 * built from the last direction to the first; each stage needs only what the stages before it have
 * computed on the training set.
 */
#include "hier_priv.h"
#include "alloc_priv.h"
#include "fail_priv.h"
#include "linalg_priv.h"

/* Terms of the weight components whose first direction is j: bit k - j is their highest (E20). */
static nth_status add_stage(nth_directions *dirs, const nth_algebra *alg, int j, const double *v)
{
    nth_status st = NTH_OK;
    const int  bit = 1 << (alg->order - j);
    for (int T = 0; T < bit; ++T)
        for (int q = alg->product_start[T]; q < alg->product_start[T + 1]; ++q)
            NTH_TRY(nth_directions_term(dirs, (nth_term){ .comp = bit | T, .left = alg->product[q].a,
                                                          .right = alg->product[q].b, .coef = 1.0, .v = v }));
done:
    return st;
}

static nth_status build_directions(nth_directions *dirs, nth_jet *train, const double *const *v)
{
    nth_status         st = NTH_OK;
    const nth_algebra *alg = train->alg;
    const int          k = alg->order;
    NTH_TRY(nth_jet_advance(train, NULL, 0, 1));
    nth_directions_base(dirs, train);
    for (int j = k; j >= 1; --j) {
        const int bit = 1 << (k - j);
        NTH_TRY(add_stage(dirs, alg, j, v[j - 1]));
        if (j == 1) break; /* the top components are needed where the kernel is, not here */
        NTH_TRY(nth_jet_advance(train, dirs, bit, 2 * bit));
        for (int c = bit; c < 2 * bit; ++c) nth_directions_factor(dirs, train, c, c);
    }
done:
    return st;
}

nth_status nth_priv_hier_contract(nth_blocks *K, const nth_rows *rows, int order, const double *const *v)
{
    nth_status      st = NTH_OK;
    nth_algebra     alg;
    nth_jet        *train = NULL, *test = NULL;
    nth_directions *dirs = NULL;
    const int       k = order - 2;
    const ptrdiff_t others = rows->rows - rows->n;
    NTH_REQUIRE(order >= 2 && order <= NTH_HIER_MAX_ORDER, NTH_E_ARG, "kernel order %d; expected 2 to %d", order,
                NTH_HIER_MAX_ORDER);
    NTH_TRY(nth_priv_blocks_check(K, rows->n, others));
    for (int j = 0; j < k; ++j)
        NTH_REQUIRE(nth_all_finite(nth_cmat_of(v[j], 1, rows->n)), NTH_E_NUMERIC, "direction %d has non-finite entries",
                    j + 1);
    if (k == 0) return nth_priv_ntk_rows(K, NULL, rows);
    nth_algebra_nilpotent(&alg, k);
    NTH_TRY(nth_priv_alloc(&dirs, 1, sizeof *dirs, "directions"));
    NTH_TRY(nth_jet_create(&train, &alg, rows, 0, rows->n, true));
    NTH_TRY(build_directions(dirs, train, v));
    if (K->train.a != NULL || K->test.a != NULL)
        NTH_TRY(nth_jet_advance(train, dirs, alg.comps / 2, alg.comps));
    if (others > 0 && (K->test.a != NULL || K->test_test.a != NULL)) {
        NTH_TRY(nth_jet_create(&test, &alg, rows, rows->n, others, false));
        NTH_TRY(nth_jet_advance(test, dirs, 0, alg.comps));
    }
    NTH_TRY(nth_priv_gram_blocks(K, alg.comps - 1, train, test));
done:
    nth_jet_destroy(&train);
    nth_jet_destroy(&test);
    nth_priv_free(dirs);
    return st;
}

nth_status nth_hier_contract(nth_blocks *K, const nth_net *net, nth_cmat X, nth_cmat X_test, int order,
                             const double *const *v)
{
    nth_status st = NTH_OK;
    nth_rows  *rows = NULL;
    NTH_TRY(nth_rows_create(&rows, net, X, X_test));
    NTH_TRY(nth_priv_hier_contract(K, rows, order, v));
done:
    nth_rows_destroy(&rows);
    return st;
}
