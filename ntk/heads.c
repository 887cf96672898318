/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Tangent kernels of networks with several outputs, and their derivatives by the parameters (heads_priv.h).
 * The gradients of the outputs share the hidden layers, and each has its own row of the last one:
 *
 *     sum over c of <grad f_c, grad f_c>     K2 of a network with read-out w_c, for each c
 *     <grad sum_c f_c, grad sum_c f_c>       hidden layers: K2 of the read-out sum_c w_c; last layer: C times that of one
 *                                            output, which a read-out sum_c w_c / sqrt C and outputs times sqrt C give
 *
 * Heads are taken one after another with the same memory; a derivative makes the kernel of all but the last again.
 */
#include "heads_priv.h"
#include "alloc_priv.h"
#include "fail_priv.h"
#include "linalg_priv.h"

#include <math.h>
#include <string.h>

/* ---- Heads ----------------------------------------------------------------------------------------- */

static ptrdiff_t outputs(const nth_net_config *cfg) { return cfg->widths[cfg->layers]; }

nth_status nth_heads_create(nth_heads **out, const nth_net *net, nth_outputs kind)
{
    nth_status      st = NTH_OK;
    nth_heads      *h = NULL;
    const ptrdiff_t C = outputs(&net->cfg), q = net->cfg.widths[net->cfg.layers - 1];
    const double    factor = kind == NTH_OUTPUTS_SUM ? sqrt((double)C) : 1.0 / sqrt((double)C);
    *out = NULL;
    NTH_REQUIRE(kind == NTH_OUTPUTS_SUM || kind == NTH_OUTPUTS_TRACE, NTH_E_ARG, "kernel of outputs %d is not in the list", (int)kind);
    NTH_TRY(nth_priv_alloc(&h, 1, sizeof *h, "heads of a network"));
    h->view = *net, h->net = net, h->kind = kind, h->count = kind == NTH_OUTPUTS_SUM ? 1 : C;
    h->view.cfg.widths[net->cfg.layers] = 1;
    h->view.cfg.output_scale = (net->cfg.output_scale > 0.0 ? net->cfg.output_scale : 1.0) * factor;
    for (int c = 0; c < net->copies; ++c) {
        h->view.out_scale[c] *= factor;
        if (kind == NTH_OUTPUTS_SUM) NTH_TRY(nth_priv_doubles(&h->sum[c], q, "sum of read-outs"));
    }
    *out = h, h = NULL;
done:
    nth_heads_destroy(&h);
    return st;
}

void nth_heads_destroy(nth_heads **heads)
{
    if (*heads == NULL) return;
    nth_priv_free((*heads)->sum[0]);
    nth_priv_free((*heads)->sum[1]);
    nth_priv_free(*heads);
    *heads = NULL;
}

double nth_heads_doubles(const nth_net_config *cfg, nth_outputs kind, ptrdiff_t n, ptrdiff_t k)
{
    if (outputs(cfg) == 1) return 0.0;
    double P = 0.0;
    for (int l = 1; l < cfg->layers; ++l) P += (double)cfg->widths[l] * (double)(cfg->widths[l - 1] + 1);
    P += (double)(cfg->widths[cfg->layers - 1] + 1);
    return (cfg->doubled ? 2.0 : 1.0) * P + (kind == NTH_OUTPUTS_TRACE ? (double)n * (double)(n + k) : 0.0);
}

/* Makes heads->view the head at this place, with the parameters as they are now. Kernels do not depend on its last bias. */
static void choose(nth_heads *h, ptrdiff_t at)
{
    const nth_net  *net = h->net;
    const int       L = net->cfg.layers;
    const ptrdiff_t C = outputs(&net->cfg), q = net->cfg.widths[L - 1];
    const double    scale = 1.0 / sqrt((double)C);
    for (int c = 0; c < net->copies; ++c) {
        const nth_mat W = net->W[c][L - 1];
        double       *w = h->sum[c];
        h->view.W[c][L - 1] = nth_mat_of(w != NULL ? w : W.a + at * W.ld, 1, q);
        if (w == NULL) continue;
        memset(w, 0, (size_t)q * sizeof *w);
        for (ptrdiff_t o = 0; o < C; ++o) nth_axpy(scale, W.a + o * W.ld, w, q);
    }
}

/* ---- Kernels --------------------------------------------------------------------------------------- */

static void add(nth_mat A, nth_mat B)
{
    for (ptrdiff_t i = 0; i < A.rows; ++i) nth_axpy(1.0, B.a + i * B.ld, A.a + i * A.ld, A.cols);
}

/* A block of the same shape, or none. */
static nth_status like(nth_mat *B, nth_mat A)
{
    return A.a == NULL ? NTH_OK : nth_priv_mat(B, A.rows, A.cols, "kernel of an output");
}

nth_status nth_heads_blocks(nth_blocks *K, nth_heads *h, const nth_rows *rows)
{
    nth_status st = NTH_OK;
    nth_blocks part = { 0 };
    choose(h, 0);
    NTH_TRY(nth_priv_ntk_rows(K, NULL, rows));
    if (h->count == 1) goto done;
    NTH_TRY(like(&part.train, K->train));
    NTH_TRY(like(&part.test, K->test));
    NTH_TRY(like(&part.test_test, K->test_test));
    for (ptrdiff_t o = 1; o < h->count; ++o) {
        choose(h, o);
        NTH_TRY(nth_priv_ntk_rows(&part, NULL, rows));
        if (K->train.a != NULL) add(K->train, part.train);
        if (K->test.a != NULL) add(K->test, part.test);
        if (K->test_test.a != NULL) add(K->test_test, part.test_test);
    }
done:
    nth_priv_free(part.train.a);
    nth_priv_free(part.test.a);
    nth_priv_free(part.test_test.a);
    return st;
}

nth_status nth_heads_kernel(nth_mat K, nth_heads *h, nth_pullback *pb)
{
    nth_status st = NTH_OK;
    nth_mat    part = { 0 };
    choose(h, 0);
    NTH_TRY(nth_pullback_kernel(pb, K));
    if (h->count == 1) goto done;
    NTH_TRY(nth_priv_mat(&part, pb->n, pb->n, "kernel of an output"));
    for (ptrdiff_t o = 1; o < h->count; ++o) {
        choose(h, o);
        NTH_TRY(nth_pullback_kernel(pb, part));
        add(K, part);
    }
done:
    nth_priv_free(part.a);
    return st;
}

/* ---- The derivative -------------------------------------------------------------------------------- */

/* Adds the derivative by a head's parameters to that by the network's; by the last biases it is 0. */
static void collect(double *grad, double *head, const nth_heads *h, ptrdiff_t at)
{
    const nth_net_config *cfg = &h->net->cfg;
    const int             L = cfg->layers;
    const double          scale = 1.0 / sqrt((double)outputs(cfg));
    for (int c = 0; c < h->net->copies; ++c)
        for (int l = 1; l <= L; ++l) {
            nth_mat W, V;
            double *b, *v;
            nth_priv_net_part(cfg, grad, c, l, &W, &b);
            nth_priv_net_part(&h->view.cfg, head, c, l, &V, &v);
            if (W.a == NULL) continue;
            if (l < L) nth_axpy(1.0, V.a, W.a, W.rows * W.cols);
            if (l < L && b != NULL) nth_axpy(1.0, v, b, W.rows);
            for (ptrdiff_t o = 0; l == L && o < W.rows; ++o) {
                const double share = h->kind == NTH_OUTPUTS_SUM ? scale : o == at ? 1.0 : 0.0;
                if (share != 0.0) nth_axpy(share, V.a, W.a + o * W.ld, W.cols);
            }
        }
}

nth_status nth_heads_gradient(double *grad, nth_heads *h, nth_pullback *pb, nth_cmat S, nth_cmat X)
{
    nth_status      st = NTH_OK;
    double         *head = NULL;
    nth_mat         scratch = { 0 };
    const ptrdiff_t P = nth_net_parameters(h->net);
    if (outputs(&h->net->cfg) == 1) return nth_pullback_gradient(grad, pb, S, X);
    NTH_TRY(nth_priv_doubles(&head, nth_net_parameters(&h->view), "derivative of an output"));
    if (h->count > 1) NTH_TRY(nth_priv_mat(&scratch, pb->n, pb->n, "kernel of an output"));
    memset(grad, 0, (size_t)P * sizeof *grad);
    for (ptrdiff_t o = h->count - 1; o >= 0; --o) { /* pb is that of the last one */
        choose(h, o);
        if (o < h->count - 1) NTH_TRY(nth_pullback_kernel(pb, scratch));
        NTH_TRY(nth_pullback_gradient(head, pb, S, X));
        collect(grad, head, h, o);
    }
done:
    nth_priv_free(head);
    nth_priv_free(scratch.a);
    return st;
}

/* ---- For callers ----------------------------------------------------------------------------------- */

nth_status nth_ntk_outputs(nth_blocks *K, const nth_net *net, nth_outputs kind, nth_cmat X, nth_cmat X_test)
{
    nth_status st = NTH_OK;
    nth_heads *h = NULL;
    nth_rows  *rows = NULL;
    NTH_TRY(nth_priv_mem_check(nth_ntk_work_bytes(&net->cfg, X.rows, X_test.rows) +
                                   8.0 * nth_heads_doubles(&net->cfg, kind, X.rows, X_test.rows),
                               "the empirical tangent kernel"));
    NTH_TRY(nth_heads_create(&h, net, kind));
    NTH_TRY(nth_rows_create(&rows, &h->view, X, X_test));
    NTH_TRY(nth_heads_blocks(K, h, rows));
done:
    nth_rows_destroy(&rows);
    nth_heads_destroy(&h);
    return st;
}

/* Rounding apart: the formulas take S_ij for S_ji. */
static nth_status check_symmetric(nth_cmat S)
{
    nth_status   st = NTH_OK;
    const double most = nth_max_abs(S);
    NTH_REQUIRE(isfinite(most), NTH_E_NUMERIC, "weights of kernel entries are not finite");
    for (ptrdiff_t i = 0; i < S.rows; ++i)
        for (ptrdiff_t j = 0; j < i; ++j)
            NTH_REQUIRE(fabs(S.a[i * S.ld + j] - S.a[j * S.ld + i]) <= 1e-12 * most, NTH_E_ARG,
                        "weights of kernel entries are not symmetric: (%td,%td) is %g, its mirror image %g", i + 1, j + 1,
                        S.a[i * S.ld + j], S.a[j * S.ld + i]);
done:
    return st;
}

nth_status nth_ntk_outputs_pullback(double *grad, nth_mat K, const nth_net *net, nth_outputs kind, nth_cmat X, nth_cmat S)
{
    nth_status    st = NTH_OK;
    nth_heads    *h = NULL;
    nth_rows     *rows = NULL;
    nth_pullback *pb = NULL;
    nth_mat       own = { 0 };
    NTH_REQUIRE(S.rows == X.rows && S.cols == X.rows, NTH_E_SHAPE, "weights of kernel entries %td x %td for %td inputs",
                S.rows, S.cols, X.rows);
    NTH_TRY(check_symmetric(S));
    NTH_TRY(nth_heads_create(&h, net, kind));
    NTH_TRY(nth_rows_create(&rows, &h->view, X, (nth_cmat){ 0 }));
    NTH_TRY(nth_pullback_create(&pb, rows));
    if (K.a == NULL) NTH_TRY(nth_priv_mat(&own, X.rows, X.rows, "kernel"));
    NTH_TRY(nth_heads_kernel(K.a == NULL ? own : K, h, pb));
    NTH_TRY(nth_heads_gradient(grad, h, pb, S, X));
done:
    nth_pullback_destroy(&pb);
    nth_rows_destroy(&rows);
    nth_heads_destroy(&h);
    nth_priv_free(own.a);
    return st;
}

nth_status nth_ntk_pullback(double *grad, nth_mat K, const nth_net *net, nth_cmat X, nth_cmat S)
{
    const nth_status st = nth_priv_one_output(&net->cfg);
    return st != NTH_OK ? st : nth_ntk_outputs_pullback(grad, K, net, NTH_OUTPUTS_SUM, X, S);
}
