/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * The empirical tangent kernel K2 (E15): the plain component of a jet, and its Gram matrix.
 */
#include "ntk_priv.h"
#include "alloc_priv.h"
#include "fail_priv.h"
#include "flow_priv.h"

static nth_status block_shape(nth_mat K, ptrdiff_t rows, ptrdiff_t cols, const char *what)
{
    nth_status st = NTH_OK;
    NTH_REQUIRE(K.a == NULL || (K.rows == rows && K.cols == cols), NTH_E_SHAPE,
                "%s block is %td x %td, expected %td x %td", what, K.rows, K.cols, rows, cols);
done:
    return st;
}

nth_status nth_priv_blocks_check(const nth_blocks *K, ptrdiff_t n, ptrdiff_t k)
{
    nth_status st = NTH_OK;
    NTH_TRY(block_shape(K->train, n, n, "train"));
    NTH_TRY(block_shape(K->test, k, n, "test"));
    NTH_TRY(block_shape(K->test_test, k, k, "test-test"));
done:
    return st;
}

typedef enum block_kind { TRAIN, TEST, TEST_TEST } block_kind;

/* One block of all components that are asked for. */
static nth_status gram_kind(nth_blocks *const *K, block_kind kind, const nth_jet *A, const nth_jet *B)
{
    nth_status st = NTH_OK;
    nth_mat    out[NTH_MAX_COMPS] = { 0 };
    bool       any = false;
    for (int c = 0; c < A->alg->comps; ++c) {
        if (K[c] == NULL) continue;
        out[c] = kind == TRAIN ? K[c]->train : kind == TEST ? K[c]->test : K[c]->test_test;
        any = any || out[c].a != NULL;
    }
    if (any) NTH_TRY(nth_jet_gram(out, A, B));
done:
    return st;
}

nth_status nth_priv_gram_components(nth_blocks *const *K, const nth_jet *train, const nth_jet *test)
{
    nth_status st = NTH_OK;
    NTH_TRY(gram_kind(K, TRAIN, train, train));
    if (test == NULL) goto done;
    NTH_TRY(gram_kind(K, TEST, test, train));
    NTH_TRY(gram_kind(K, TEST_TEST, test, test));
done:
    return st;
}

nth_status nth_priv_gram_blocks(nth_blocks *K, int comp, const nth_jet *train, const nth_jet *test)
{
    nth_blocks *all[NTH_MAX_COMPS] = { 0 };
    all[comp] = K;
    return nth_priv_gram_components(all, train, test);
}

nth_status nth_priv_ntk_rows(nth_blocks *K, double *f, const nth_rows *rows)
{
    nth_status      st = NTH_OK;
    nth_algebra     plain;
    nth_jet        *train = NULL, *test = NULL;
    const ptrdiff_t k = rows->rows - rows->n;
    nth_algebra_nilpotent(&plain, 0);
    NTH_TRY(nth_priv_blocks_check(K, rows->n, k));
    NTH_TRY(nth_jet_create(&train, &plain, rows, 0, rows->n, false));
    NTH_TRY(nth_jet_advance(train, NULL, 0, 1));
    if (k > 0) {
        NTH_TRY(nth_jet_create(&test, &plain, rows, rows->n, k, false));
        NTH_TRY(nth_jet_advance(test, NULL, 0, 1));
    }
    NTH_TRY(nth_priv_gram_blocks(K, 0, train, test));
    if (f != NULL) NTH_TRY(nth_jet_outputs(train, f));
    if (f != NULL && k > 0) NTH_TRY(nth_jet_outputs(test, f + rows->n));
done:
    nth_jet_destroy(&train);
    nth_jet_destroy(&test);
    return st;
}

double nth_ntk_work_bytes(const nth_net_config *cfg, ptrdiff_t n, ptrdiff_t k)
{
    const double rows = (double)(n + k), first = (cfg->doubled ? 2.0 : 1.0) * (double)cfg->widths[1];
    const double jets = nth_jet_doubles(cfg, 1, n, false) + (k > 0 ? nth_jet_doubles(cfg, 1, k, false) : 0.0);
    const double longer = (double)(n > k ? n : k);
    return 8.0 * (rows * (rows + first) + jets + 2.0 * longer * longer); /* Gram of the inputs, H; Gram matrices of a block */
}

nth_status nth_ntk_empirical(nth_blocks *K, const nth_net *net, nth_cmat X, nth_cmat X_test)
{
    nth_status st = NTH_OK;
    nth_rows  *rows = NULL;
    NTH_TRY(nth_priv_mem_check(nth_ntk_work_bytes(&net->cfg, X.rows, X_test.rows), "the empirical tangent kernel"));
    NTH_TRY(nth_rows_create(&rows, net, X, X_test));
    NTH_TRY(nth_priv_ntk_rows(K, NULL, rows));
done:
    nth_rows_destroy(&rows);
    return st;
}

nth_status nth_ntk_flow(nth_blocks *K, const nth_flow *flow)
{
    return nth_priv_ntk_rows(K, NULL, nth_priv_flow_rows(flow));
}
