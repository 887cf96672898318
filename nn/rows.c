/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Inputs reduced to their Gram matrix and first pre-activations (rows_priv.h). A first layer that
 * is not stored is drawn in blocks and never held as a whole.
 */
#include "rows_priv.h"
#include "alloc_priv.h"
#include "fail_priv.h"
#include "linalg_priv.h"

enum { DRAW_BYTES = 1 << 23 }; /* of W^1 at a time */

/* The block of H which rows [lo, lo + w.rows) of W^1 give. */
static nth_status first_block(nth_rows *r, int copy, nth_cmat X, ptrdiff_t row0, nth_cmat w, ptrdiff_t lo)
{
    return nth_gemm(nth_net_factor(&r->net->cfg, 1), NTH_N, X, NTH_T, w, 0.0,
                    nth_block(r->H[copy], row0, lo, X.rows, w.rows));
}

static nth_status first_drawn(nth_rows *r, nth_cmat X, nth_cmat X_test)
{
    nth_status            st = NTH_OK;
    nth_mat               w = { 0 };
    const nth_net_config *cfg = &r->net->cfg;
    const ptrdiff_t       m = cfg->widths[1], d = cfg->widths[0];
    ptrdiff_t             block = DRAW_BYTES / (8 * d);
    block = block < 1 ? 1 : block > m ? m : block;
    NTH_TRY(nth_priv_mat(&w, block, d, "block of first-layer weights"));
    for (ptrdiff_t lo = 0; lo < m; lo += block) {
        const ptrdiff_t take = m - lo < block ? m - lo : block;
        const nth_cmat  part = nth_cblock(nth_const(w), 0, 0, take, d);
        nth_priv_net_draw_rows(w.a, r->net, 1, lo, take);
        NTH_TRY(first_block(r, 0, X, 0, part, lo));
        if (X_test.rows > 0) NTH_TRY(first_block(r, 0, X_test, r->n, part, lo));
    }
    if (r->net->copies == 2) nth_mat_copy(r->H[1], nth_const(r->H[0]));
done:
    nth_priv_free(w.a);
    return st;
}

static nth_status first_stored(nth_rows *r, nth_cmat X, nth_cmat X_test)
{
    nth_status st = NTH_OK;
    for (int c = 0; c < r->net->copies; ++c) {
        const nth_cmat W = nth_const(r->net->W[c][0]);
        NTH_TRY(first_block(r, c, X, 0, W, 0));
        if (X_test.rows > 0) NTH_TRY(first_block(r, c, X_test, r->n, W, 0));
    }
done:
    return st;
}

static nth_status gram(nth_rows *r, nth_cmat X, nth_cmat X_test)
{
    nth_status      st = NTH_OK;
    const double    c1 = nth_net_factor(&r->net->cfg, 1), sb = r->net->cfg.sigma_b;
    const ptrdiff_t n = r->n, k = X_test.rows;
    NTH_TRY(nth_gram(c1 * c1, X, 0.0, nth_block(r->G, 0, 0, n, n)));
    if (k > 0) {
        NTH_TRY(nth_gram(c1 * c1, X_test, 0.0, nth_block(r->G, n, n, k, k)));
        NTH_TRY(nth_gemm(c1 * c1, NTH_N, X_test, NTH_T, X, 0.0, nth_block(r->G, n, 0, k, n)));
        for (ptrdiff_t i = 0; i < k; ++i)
            for (ptrdiff_t j = 0; j < n; ++j) r->G.a[j * r->G.ld + n + i] = r->G.a[(n + i) * r->G.ld + j];
    }
    for (ptrdiff_t i = 0; i < r->rows * r->rows; ++i) r->G.a[i] += sb * sb;
done:
    return st;
}

static nth_status shell(nth_rows **out, const nth_net *net, ptrdiff_t n, ptrdiff_t rows)
{
    nth_status st = NTH_OK;
    nth_rows  *r = NULL;
    NTH_TRY(nth_priv_alloc(&r, 1, sizeof *r, "inputs"));
    r->net = net, r->n = n, r->rows = rows;
    NTH_TRY(nth_priv_mat(&r->G, rows, rows, "Gram matrix of the inputs"));
    for (int c = 0; c < net->copies; ++c) {
        NTH_TRY(nth_priv_mat(&r->H[c], rows, net->cfg.widths[1], "first pre-activations"));
        NTH_TRY(nth_priv_doubles(&r->top[c], n, "output factors"));
        for (ptrdiff_t i = 0; i < n; ++i) r->top[c][i] = net->out_scale[c];
    }
    *out = r, r = NULL;
done:
    nth_rows_destroy(&r);
    return st;
}

nth_status nth_rows_refresh(nth_rows *r, nth_cmat X, nth_cmat X_test)
{
    nth_status            st = NTH_OK;
    const nth_net        *net = r->net;
    const nth_net_config *cfg = &net->cfg;
    NTH_TRY(net->first_layer_stored ? first_stored(r, X, X_test) : first_drawn(r, X, X_test));
    for (int c = 0; c < net->copies && cfg->sigma_b > 0.0; ++c)
        for (ptrdiff_t i = 0; i < r->rows; ++i)
            nth_axpy(cfg->sigma_b, net->b[c][0], r->H[c].a + i * r->H[c].ld, cfg->widths[1]);
done:
    return st;
}

nth_status nth_rows_create(nth_rows **out, const nth_net *net, nth_cmat X, nth_cmat X_test)
{
    nth_status            st = NTH_OK;
    nth_rows             *r = NULL;
    const nth_net_config *cfg = &net->cfg;
    *out = NULL;
    NTH_TRY(nth_priv_one_output(cfg));
    NTH_REQUIRE(X.rows >= 1, NTH_E_SHAPE, "no training inputs");
    NTH_REQUIRE(X.cols == cfg->widths[0], NTH_E_SHAPE, "inputs have %td columns, the network expects %td",
                X.cols, cfg->widths[0]);
    NTH_REQUIRE(X_test.rows == 0 || X_test.cols == X.cols, NTH_E_SHAPE,
                "test inputs have %td columns, training inputs %td", X_test.cols, X.cols);
    NTH_REQUIRE(nth_all_finite(X) && nth_all_finite(X_test), NTH_E_NUMERIC, "inputs have non-finite entries");
    NTH_TRY(shell(&r, net, X.rows, X.rows + X_test.rows));
    NTH_TRY(gram(r, X, X_test));
    NTH_TRY(nth_rows_refresh(r, X, X_test));
    *out = r, r = NULL;
done:
    nth_rows_destroy(&r);
    return st;
}

nth_status nth_rows_clone(nth_rows **out, const nth_rows *rows, const nth_net *net)
{
    nth_status st = shell(out, net, rows->n, rows->rows);
    if (st != NTH_OK) return st;
    nth_mat_copy((*out)->G, nth_const(rows->G));
    for (int c = 0; c < net->copies; ++c) nth_mat_copy((*out)->H[c], nth_const(rows->H[c]));
    return st;
}

void nth_rows_destroy(nth_rows **rows)
{
    if (*rows == NULL) return;
    nth_priv_free((*rows)->G.a);
    for (int c = 0; c < 2; ++c) {
        nth_priv_free((*rows)->H[c].a);
        nth_priv_free((*rows)->top[c]);
    }
    nth_priv_free(*rows);
    *rows = NULL;
}
