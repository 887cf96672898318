/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Infinite-width kernels of any architecture, cut into tiles (infinite_priv.h). The grid of tiles
 * depends on the sizes alone, so the bits of a kernel do not depend on the number of threads.
 */
#include "alloc_priv.h"
#include "fail_priv.h"
#include "infinite_priv.h"
#include "linalg_priv.h"
#include "ntk_priv.h"

/* ---- The object --------------------------------------------------------------------------------- */

nth_status nth_priv_infinite_create(nth_infinite **K, const nth_architecture *arch, void *self, ptrdiff_t n,
                                    ptrdiff_t k)
{
    nth_status st = NTH_OK;
    NTH_TRY(nth_priv_alloc(K, 1, sizeof **K, "infinite-width kernel"));
    **K = (nth_infinite){ .arch = arch, .self = self, .n = n, .k = k };
done:
    if (st != NTH_OK) arch->destroy(self);
    return st;
}

void nth_infinite_destroy(nth_infinite **K)
{
    if (K == NULL || *K == NULL) return;
    (*K)->arch->destroy((*K)->self);
    nth_priv_free(*K);
    *K = NULL;
}

nth_status nth_priv_points_check(nth_cmat X, nth_cmat X_test, ptrdiff_t d)
{
    nth_status st = NTH_OK;
    NTH_REQUIRE(X.rows >= 1 && X.cols == d && (X_test.rows == 0 || X_test.cols == d), NTH_E_SHAPE,
                "%td training inputs with %td columns, %td test inputs with %td; expected %td columns", X.rows,
                X.cols, X_test.rows, X_test.cols, d);
    NTH_REQUIRE(nth_all_finite(X), NTH_E_NUMERIC, "training inputs have non-finite entries");
    NTH_REQUIRE(nth_all_finite(X_test), NTH_E_NUMERIC, "test inputs have non-finite entries");
done:
    return st;
}

ptrdiff_t nth_infinite_points(const nth_infinite *K) { return K->n + K->k; }
ptrdiff_t nth_infinite_train_points(const nth_infinite *K) { return K->n; }
ptrdiff_t nth_infinite_tile_size(const nth_infinite *K) { return K->edge; }
double    nth_infinite_error(const nth_infinite *K) { return K->error; }
double    nth_infinite_positions(const nth_infinite *K) { return K->positions; }

/* ---- Rectangles --------------------------------------------------------------------------------- */

nth_status nth_infinite_tile(nth_mat Theta, nth_mat Sigma, const nth_infinite *K, ptrdiff_t row, ptrdiff_t col)
{
    nth_status      st = NTH_OK;
    const nth_mat   shape = Theta.a != NULL ? Theta : Sigma;
    const ptrdiff_t N = K->n + K->k;
    NTH_REQUIRE(shape.a != NULL, NTH_E_ARG, "neither Theta nor Sigma is asked for");
    NTH_REQUIRE(Theta.a == NULL || Sigma.a == NULL || (Theta.rows == Sigma.rows && Theta.cols == Sigma.cols),
                NTH_E_SHAPE, "Theta is %td x %td, Sigma %td x %td", Theta.rows, Theta.cols, Sigma.rows, Sigma.cols);
    NTH_REQUIRE(row >= 0 && col >= 0 && row <= N - shape.rows && col <= N - shape.cols, NTH_E_SHAPE,
                "rectangle %td x %td at (%td, %td) of a kernel of %td points", shape.rows, shape.cols, row, col, N);
    if (shape.rows == 0 || shape.cols == 0) goto done;
    const bool     square = row == col && shape.rows == shape.cols;
    const nth_tile t = { .row = row, .col = col, .rows = shape.rows, .cols = shape.cols, .lower = square,
                         .Theta = Theta, .Sigma = Sigma };
    NTH_TRY(K->arch->tile(K->self, &t));
    if (square && Theta.a != NULL) nth_mirror_lower(Theta);
    if (square && Sigma.a != NULL) nth_mirror_lower(Sigma);
    NTH_REQUIRE((Theta.a == NULL || nth_all_finite(nth_const(Theta))) && (Sigma.a == NULL || nth_all_finite(nth_const(Sigma))),
                NTH_E_NUMERIC, "entries that are not finite among points %td to %td and %td to %td: inputs or sigma_w too large",
                row, row + shape.rows - 1, col, col + shape.cols - 1);
done:
    return st;
}

nth_status nth_infinite_diagonal(double *Theta, double *Sigma, const nth_infinite *K)
{
    nth_status st = NTH_OK;
    for (ptrdiff_t i = 0; i < K->n + K->k; ++i)
        NTH_TRY(nth_infinite_tile(Theta != NULL ? nth_mat_of(Theta + i, 1, 1) : (nth_mat){ 0 },
                                  Sigma != NULL ? nth_mat_of(Sigma + i, 1, 1) : (nth_mat){ 0 }, K, i, i));
done:
    return st;
}

/* ---- Whole blocks ------------------------------------------------------------------------------- */

/* Rows and columns of points that a block covers, and its two kernels. */
typedef struct part {
    ptrdiff_t row, col, rows, cols;
    nth_mat   Theta, Sigma;
} part;

typedef struct fill {
    const nth_infinite    *K;
    nth_infinite_progress *progress;
    void                  *ctx;
    double                 done, total; /* pairs */
} fill;

static nth_mat view(nth_mat A, ptrdiff_t i, ptrdiff_t j, ptrdiff_t r, ptrdiff_t c)
{
    return A.a != NULL ? nth_block(A, i, j, r, c) : A;
}

static nth_status fill_part(fill *f, const part *p)
{
    nth_status      st = NTH_OK;
    const ptrdiff_t edge = f->K->edge;
    const bool      square = p->row == p->col;
    if (p->Theta.a == NULL && p->Sigma.a == NULL) return st;
    for (ptrdiff_t i = 0; i < p->rows; i += edge)
        for (ptrdiff_t j = 0; j < (square ? i + 1 : p->cols); j += edge) {
            const ptrdiff_t r = p->rows - i < edge ? p->rows - i : edge, c = p->cols - j < edge ? p->cols - j : edge;
            NTH_TRY(nth_infinite_tile(view(p->Theta, i, j, r, c), view(p->Sigma, i, j, r, c), f->K, p->row + i,
                                      p->col + j));
            f->done += (double)r * (double)c * (square && i != j ? 2.0 : 1.0);
            NTH_REQUIRE(f->progress == NULL || f->progress(f->done / f->total, f->ctx), NTH_E_INTERRUPTED,
                        "interrupted after %.0f %% of the kernel", 100.0 * f->done / f->total);
        }
    if (square && p->Theta.a != NULL) nth_mirror_lower(p->Theta);
    if (square && p->Sigma.a != NULL) nth_mirror_lower(p->Sigma);
done:
    return st;
}

nth_status nth_infinite_fill(nth_blocks *Theta, nth_blocks *Sigma, const nth_infinite *K,
                             nth_infinite_progress *progress, void *ctx)
{
    nth_status       st = NTH_OK;
    const ptrdiff_t  n = K->n, k = K->k;
    const nth_blocks none = { 0 }, T = Theta != NULL ? *Theta : none, S = Sigma != NULL ? *Sigma : none;
    const part       parts[] = { { 0, 0, n, n, T.train, S.train },
                                 { n, 0, k, n, T.test, S.test },
                                 { n, n, k, k, T.test_test, S.test_test } };
    fill             f = { .K = K, .progress = progress, .ctx = ctx };
    NTH_TRY(nth_priv_blocks_check(&T, n, k));
    NTH_TRY(nth_priv_blocks_check(&S, n, k));
    for (int i = 0; i < 3; ++i)
        if (parts[i].Theta.a != NULL || parts[i].Sigma.a != NULL) f.total += (double)parts[i].rows * (double)parts[i].cols;
    for (int i = 0; i < 3; ++i) NTH_TRY(fill_part(&f, &parts[i]));
done:
    return st;
}

/* ---- The architecture of a network -------------------------------------------------------------- */

nth_status nth_fc_config_of(nth_fc_config *cfg, const nth_net_config *net)
{
    nth_status st = NTH_OK;
    NTH_TRY(nth_net_config_check(net));
    NTH_REQUIRE(net->parameterization == NTH_PARAMETERIZATION_NTK, NTH_E_ARG,
                "the limit of infinite width is that of NTK parameterization; this network has the standard one");
    *cfg = (nth_fc_config){ .layers = net->layers, .sigma_w = net->sigma_w, .sigma_b = net->sigma_b,
                            .input_scale = net->input_scale };
    NTH_TRY(nth_dual_of(&cfg->activation, net->activation));
done:
    return st;
}

nth_status nth_ntk_infinite(nth_blocks *K, const nth_net_config *cfg, nth_cmat X, nth_cmat X_test)
{
    nth_status    st = NTH_OK;
    nth_infinite *kernel = NULL;
    nth_fc_config fc = { 0 };
    NTH_TRY(nth_fc_config_of(&fc, cfg));
    NTH_REQUIRE(X.cols == cfg->widths[0] && (X_test.rows == 0 || X_test.cols == X.cols), NTH_E_SHAPE,
                "inputs have %td and %td columns, expected %td", X.cols, X_test.cols, cfg->widths[0]);
    NTH_TRY(nth_priv_blocks_check(K, X.rows, X_test.rows));
    NTH_TRY(nth_infinite_create_fc(&kernel, &fc, X, X_test));
    NTH_TRY(nth_infinite_fill(K, NULL, kernel, NULL, NULL));
done:
    nth_infinite_destroy(&kernel);
    return st;
}
