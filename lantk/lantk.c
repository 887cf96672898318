/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Label-aware kernels, the object: labels and folds, the pass over tiles of pairs, tiles of Z. Sums and features
 * are in kr.c and features.c, the fits in fit.c and sketch.c (lantk_priv.h has the map).
 */
#include "lantk_priv.h"
#include "alloc_priv.h"
#include "distance_priv.h"
#include "fail_priv.h"
#include "linalg_priv.h"
#include "nth/regress.h"
#include "rank_priv.h"

#include <math.h>
#include <string.h>

static const struct {
    const char *name;
    ptrdiff_t   features;
    bool        sketch;
} variants[NTH_LANTK_VARIANTS] = { { "kr-v1", 0, false },  { "kr-v2", 0, false },  { "ls-v1", 10, false },
                                   { "ls-v2", 20, false }, { "fjlt-v1", 10, true }, { "fjlt-v2", 20, true } };

const char *nth_lantk_variant_name(nth_lantk_variant variant)
{
    return (int)variant >= 0 && variant < NTH_LANTK_VARIANTS ? variants[variant].name : NULL;
}

const char *nth_lantk_feature_name(ptrdiff_t feature)
{
    static const char *const names[NTH_LANTK_MAX_FEATURES] = {
        "kernel",         "inner_product", "cosine",         "square_distance", "product_of_norms", "sine",
        "angle",          "gaussian",      "correlation",    "l1_distance",     "pc1_product",      "pc1_distance",
        "pc2_product",    "pc2_distance",  "pc3_product",    "pc3_distance",    "pc4_product",      "pc4_distance",
        "pc5_product",    "pc5_distance"
    };
    return feature >= 0 && feature < NTH_LANTK_MAX_FEATURES ? names[feature] : NULL;
}

/* ---- Labels ------------------------------------------------------------------------------------- */

/* Labels of the kept samples, in the order of keys. */
static nth_status permute(const nth_lantk *z, nth_lantk_model *m)
{
    nth_status  st = NTH_OK;
    nth_ranked *order = NULL;
    ptrdiff_t  *label = NULL;
    NTH_TRY(nth_priv_alloc(&order, m->kept, sizeof *order, "permutation of labels"));
    NTH_TRY(nth_priv_alloc(&label, m->kept, sizeof *label, "permutation of labels"));
    for (ptrdiff_t a = 0; a < m->kept; ++a) {
        order[a].sample = m->list[a];
        label[a] = m->label[m->list[a]];
    }
    nth_priv_rank(order, m->kept, z->opt.permute_seed, NTH_SPLIT_LABELS);
    for (ptrdiff_t a = 0; a < m->kept; ++a) m->label[order[a].sample] = label[a];
done:
    nth_priv_free(order);
    nth_priv_free(label);
    return st;
}

static nth_status model_begin(nth_lantk *z, ptrdiff_t number)
{
    nth_status       st = NTH_OK;
    nth_lantk_model *m = &z->model[number];
    const nth_cmat   Y = z->src.Y;
    bool             differ = false;
    NTH_TRY(nth_priv_alloc(&m->list, z->n, sizeof *m->list, "samples"));
    NTH_TRY(nth_priv_alloc(&m->place, z->n, sizeof *m->place, "samples"));
    NTH_TRY(nth_priv_alloc(&m->label, z->n, sizeof *m->label, "labels"));
    for (ptrdiff_t i = 0; i < z->n; ++i) {
        const bool held = number > 0 && z->src.fold[i] == (double)number;
        m->place[i] = held ? -1 : m->kept;
        if (held) continue;
        m->label[i] = nth_classify(Y, i);
        m->list[m->kept++] = i;
        differ = differ || m->label[i] != m->label[m->list[0]];
    }
    NTH_REQUIRE(m->kept > 0 && differ, NTH_E_RANGE,
                "all %td labels%s are of one class: T = 1 for every pair, there is nothing to learn from", m->kept,
                number > 0 ? " outside a fold" : "");
    if (z->opt.permute) NTH_TRY(permute(z, m));
    m->info = (nth_lantk_info){ .kept = m->kept, .condition = NAN, .r2 = NAN, .excess = NAN };
done:
    return st;
}

/* ---- The object --------------------------------------------------------------------------------- */

static nth_status check(const nth_lantk_source *s, const nth_lantk_options *o)
{
    nth_status      st = NTH_OK;
    const ptrdiff_t n = s->X.rows;
    NTH_REQUIRE((int)o->variant >= 0 && o->variant < NTH_LANTK_VARIANTS, NTH_E_ARG, "variant %d", (int)o->variant);
    NTH_REQUIRE(s->read != NULL, NTH_E_ARG, "no base kernel");
    NTH_REQUIRE(n >= 2 && s->X.cols >= 1, NTH_E_SHAPE, "%td training input%s of dimension %td; pairs are made of two or more", n, n == 1 ? "" : "s", s->X.cols);
    NTH_REQUIRE(s->Y.rows == n, NTH_E_SHAPE, "%td labels of %td training inputs", s->Y.rows, n);
    NTH_REQUIRE(s->X_test.rows == 0 || s->X_test.cols == s->X.cols, NTH_E_SHAPE, "test inputs have dimension %td, not %td",
                s->X_test.cols, s->X.cols);
    NTH_REQUIRE(isfinite(o->ridge) && o->ridge >= 0.0, NTH_E_ARG, "ridge = %g; must be finite and >= 0", o->ridge);
    NTH_REQUIRE(!variants[o->variant].sketch || (o->epsilon > 0.0 && o->epsilon <= 1.0), NTH_E_ARG,
                "epsilon = %g; must lie in (0, 1]", o->epsilon);
    NTH_REQUIRE(s->folds == 0 || (s->folds > 0 && s->fold != NULL), NTH_E_ARG, "%td folds", s->folds);
    NTH_TRY(nth_targets_check(s->Y, s->Y.cols == 1 ? NTH_TASK_BINARY : NTH_TASK_MULTICLASS, false));
done:
    return st;
}

static ptrdiff_t least(ptrdiff_t a, ptrdiff_t b) { return a < b ? a : b; }

nth_status nth_lantk_create(nth_lantk **out, const nth_lantk_source *src, const nth_lantk_options *opt)
{
    nth_status st = NTH_OK;
    nth_lantk *z = NULL;
    *out = NULL;
    NTH_TRY(check(src, opt));
    NTH_TRY(nth_priv_alloc(&z, 1, sizeof *z, "label-aware kernel"));
    z->opt = *opt, z->src = *src;
    if (variants[opt->variant].sketch) z->opt.ridge = 0.0;
    z->n = src->X.rows, z->k = src->X_test.rows, z->d = src->X.cols;
    z->p = variants[opt->variant].features, z->regression = z->p > 0;
    z->models = src->folds + 1, z->classes = src->Y.cols == 1 ? 2 : src->Y.cols;
    z->edge = least(NTH_TILE_EDGE, z->n > z->k ? z->n : z->k);
    z->side = (z->n + z->edge - 1) / z->edge, z->tiles = z->side * (z->side + 1) / 2;
    NTH_TRY(nth_priv_alloc(&z->model, z->models, sizeof *z->model, "models"));
    for (ptrdiff_t f = 0; f < z->models; ++f) NTH_TRY(model_begin(z, f));
    NTH_TRY(nth_priv_mat(&z->K, z->edge, z->edge, "tile"));
    if (variants[opt->variant].sketch) NTH_TRY(nth_priv_sketch_begin(z));
    if (z->regression) NTH_TRY(nth_priv_features_begin(z));
    else NTH_TRY(nth_priv_kr_begin(z));
    *out = z, z = NULL;
done:
    nth_lantk_destroy(&z);
    return st;
}

void nth_lantk_destroy(nth_lantk **out)
{
    nth_lantk *z = *out;
    *out = NULL;
    if (z == NULL) return;
    for (ptrdiff_t f = 0; f < z->models && z->model != NULL; ++f) {
        nth_lantk_model *m = &z->model[f];
        nth_priv_free(m->list), nth_priv_free(m->place), nth_priv_free(m->label);
        nth_priv_free(m->V.a), nth_priv_free(m->scores);
    }
    nth_priv_free(z->model);
    nth_priv_free(z->square), nth_priv_free(z->norm), nth_priv_free(z->mean), nth_priv_free(z->spread);
    nth_priv_free(z->K.a), nth_priv_free(z->G.a), nth_priv_free(z->L.a);
    nth_priv_free(z->slots), nth_priv_free(z->columns), nth_priv_free(z->sampled);
    nth_priv_free(z);
}

ptrdiff_t nth_lantk_tile_size(const nth_lantk *z) { return z->edge; }

/* The sketch of each model has its own passes: one group of its columns is held. */
static ptrdiff_t passes(const nth_lantk *z) { return z->columns != NULL ? z->models * z->groups : 1; }

ptrdiff_t nth_lantk_steps(const nth_lantk *z) { return z->tiles * passes(z); }

nth_lantk_info nth_lantk_get_info(const nth_lantk *z, ptrdiff_t model) { return z->model[model].info; }

/* ---- Steps -------------------------------------------------------------------------------------- */

/* Loads K of a block of pairs, and G and L for a regression on features that depend on them. */
static nth_status load(nth_lantk *z, ptrdiff_t row, ptrdiff_t col, ptrdiff_t r, ptrdiff_t c, bool products, bool distances)
{
    nth_status    st = NTH_OK;
    const nth_mat K = nth_block(z->K, 0, 0, r, c);
    NTH_TRY(z->src.read(K, row, col, z->src.ctx));
    NTH_REQUIRE(nth_all_finite(nth_const(K)), NTH_E_NUMERIC,
                "the base kernel is not finite within rows %td to %td, columns %td to %td", row + 1, row + r, col + 1, col + c);
    if (z->G.a == NULL) goto done;
    const nth_cmat X = nth_lantk_points(z, row, r), W = nth_lantk_points(z, col, c);
    if (products) NTH_TRY(nth_gemm(1.0, NTH_N, X, NTH_T, W, 0.0, nth_block(z->G, 0, 0, r, c)));
    if (distances) NTH_TRY(nth_priv_l1(nth_block(z->L, 0, 0, r, c), X, W));
done:
    return st;
}

nth_status nth_priv_lantk_load(nth_lantk *z, ptrdiff_t row, ptrdiff_t col, ptrdiff_t r, ptrdiff_t c)
{
    return load(z, row, col, r, c, true, true);
}

static nth_status finish(nth_lantk *z, nth_lantk_model *m)
{
    nth_status st = NTH_OK;
    m->info.mean_K = (m->sum_abs_K.sum + m->sum_abs_K.rest) / ((double)m->kept * (double)m->kept);
    if (!z->regression) goto done;
    NTH_TRY(nth_priv_fit(m, z->p, &z->opt));
    if (z->columns != NULL) NTH_TRY(nth_priv_sketch_fit(z, m));
done:
    return st;
}

nth_status nth_lantk_gather(nth_lantk *z, ptrdiff_t step)
{
    nth_status      st = NTH_OK;
    const bool      sketch = z->columns != NULL;
    const ptrdiff_t pass = step / z->tiles, model = sketch ? pass / z->groups : -1;
    ptrdiff_t       row = 0, col = step % z->tiles;
    NTH_REQUIRE(step == z->next && step < nth_lantk_steps(z), NTH_E_ARG, "step %td; %td of %td is next", step, z->next,
                nth_lantk_steps(z));
    while (col > row) col -= ++row; /* tiles of the lower triangle, row by row */
    row *= z->edge, col *= z->edge;
    const ptrdiff_t r = least(z->edge, z->n - row), c = least(z->edge, z->n - col);
    if (sketch) z->group = pass % z->groups;
    /* The first group's pass makes moments of all features; what later ones do not store may be stale. */
    const bool all = z->group == 0;
    NTH_TRY(load(z, row, col, r, c, all || nth_priv_group_holds(z, NTH_FROM_PRODUCTS, NTH_TO_PRODUCTS),
                 all || nth_priv_group_holds(z, NTH_DISTANCE, NTH_DISTANCE)));
    if (z->regression) NTH_TRY(nth_priv_features_gather(z, row, col, r, c, model));
    else NTH_TRY(nth_priv_kr_gather(z, row, col, r, c));
    ++z->next;
    if (z->next % z->tiles != 0) goto done;
    if (!z->regression) NTH_TRY(nth_priv_kr_finish(z));
    if (sketch) nth_priv_sketch_columns(z, &z->model[model]);
    if (sketch && z->group + 1 < z->groups) goto done;
    for (ptrdiff_t f = 0; f < z->models; ++f)
        if (!sketch || f == model) NTH_TRY(finish(z, &z->model[f]));
done:
    return st;
}

/* ---- Tiles of Z --------------------------------------------------------------------------------- */

/* Columns of a row, from place `bad` on whose weights cancel; -1: none do. */
static ptrdiff_t kr_row(double *Z, const nth_lantk *z, const nth_lantk_model *m, const double *K, ptrdiff_t c)
{
    ptrdiff_t bad = -1;
    for (ptrdiff_t j = 0; j < c; ++j)
        if (!nth_priv_kr_value(&Z[j], z, m, K[j]) && bad < 0) bad = j;
    return bad;
}

static void regression_row(double *Z, const nth_lantk *z, const nth_lantk_model *m, const nth_pair_row *r, ptrdiff_t c,
                           double *F)
{
    nth_priv_features(F, NTH_TILE_EDGE, z, m, r, NULL, c);
    for (ptrdiff_t j = 0; j < c; ++j) Z[j] = m->info.constant;
    for (ptrdiff_t f = 0; f < z->p; ++f) nth_axpy(m->info.w[f], F + f * NTH_TILE_EDGE, Z, c);
}

nth_status nth_lantk_tile(const nth_mat *Z, nth_lantk *z, ptrdiff_t row, ptrdiff_t col)
{
    nth_status st = NTH_OK;
    ptrdiff_t *bad = NULL, r = 0, c = 0;
    int        failures = 0;
    NTH_REQUIRE(z->next == nth_lantk_steps(z), NTH_E_ARG, "%td of %td steps are left to do", nth_lantk_steps(z) - z->next,
                nth_lantk_steps(z));
    for (ptrdiff_t f = 0; f < z->models; ++f) {
        if (Z[f].a == NULL) continue;
        NTH_REQUIRE(r == 0 || (Z[f].rows == r && Z[f].cols == c), NTH_E_SHAPE, "tiles %td x %td and %td x %td", r, c,
                    Z[f].rows, Z[f].cols);
        r = Z[f].rows, c = Z[f].cols;
    }
    NTH_REQUIRE(row >= 0 && col >= 0 && r >= 1 && c >= 1 && r <= z->edge && c <= z->edge && col + c <= z->n &&
                    row + r <= (row < z->n ? z->n : z->n + z->k),
                NTH_E_SHAPE, "tile %td x %td at (%td, %td): %td training and %td test inputs, edge %td", r, c, row, col, z->n,
                z->k, z->edge);
    NTH_TRY(nth_priv_alloc(&bad, r, sizeof *bad, "rows"));
    NTH_TRY(nth_priv_lantk_load(z, row, col, r, c));
#pragma omp parallel reduction(+ : failures)
    {
        double          *F = NULL;
        const nth_status mine = nth_priv_doubles(&F, z->p * NTH_TILE_EDGE, "features");
        failures += mine != NTH_OK;
#pragma omp for schedule(dynamic, 4)
        for (ptrdiff_t i = 0; i < r; ++i) {
            const ptrdiff_t    at = i * z->edge;
            const nth_pair_row pairs = { row + i, col, z->K.a + at, z->regression ? z->G.a + at : NULL,
                                         z->regression ? z->L.a + at : NULL };
            bad[i] = -1;
            for (ptrdiff_t f = 0; f < z->models && mine == NTH_OK; ++f) {
                if (Z[f].a == NULL) continue;
                double *out = Z[f].a + i * Z[f].ld;
                if (z->regression) {
                    regression_row(out, z, &z->model[f], &pairs, c, F);
                } else {
                    const ptrdiff_t found = kr_row(out, z, &z->model[f], pairs.K, c);
                    if (bad[i] < 0) bad[i] = found;
                }
            }
        }
        nth_priv_free(F);
    }
    NTH_REQUIRE(failures == 0, NTH_E_NOMEM, "features of a row: cannot get %.1f kB for each thread",
                8e-3 * (double)z->p * NTH_TILE_EDGE);
    for (ptrdiff_t i = 0; i < r; ++i)
        NTH_REQUIRE(bad[i] < 0, NTH_E_NUMERIC, "%s input %td and training input %td: the weights of the regression cancel (K = %g)",
                    row < z->n ? "training" : "test", (row < z->n ? row : row - z->n) + i + 1, col + bad[i] + 1,
                    z->K.a[i * z->edge + bad[i]]);
done:
    nth_priv_free(bad);
    return st;
}

nth_status nth_lantk_diagonal(double *Z, const nth_lantk *z, ptrdiff_t row, ptrdiff_t count, const double *K)
{
    nth_status             st = NTH_OK;
    const nth_lantk_model *m = &z->model[0];
    const char            *set = row < z->n ? "training" : "test";
    double                *F = NULL;
    NTH_REQUIRE(z->next == nth_lantk_steps(z), NTH_E_ARG, "%td of %td steps are left to do", nth_lantk_steps(z) - z->next,
                nth_lantk_steps(z));
    NTH_REQUIRE(row >= 0 && count >= 0 && row + count <= (row < z->n ? z->n : z->n + z->k), NTH_E_SHAPE,
                "points %td to %td: %td training and %td test inputs", row + 1, row + count, z->n, z->k);
    NTH_TRY(nth_priv_doubles(&F, z->p * NTH_TILE_EDGE, "features"));
    for (ptrdiff_t i = 0; i < count; ++i) {
        const double       none = 0.0; /* <x,x> is known, |x - x|_1 is zero */
        const nth_pair_row pair = { row + i, row + i, K + i, &none, &none };
        const ptrdiff_t    number = (row < z->n ? row : row - z->n) + i + 1;
        NTH_REQUIRE(isfinite(K[i]), NTH_E_NUMERIC, "the base kernel of %s input %td with itself is not finite", set, number);
        if (z->regression) regression_row(Z + i, z, m, &pair, 1, F);
        else NTH_REQUIRE(nth_priv_kr_value(&Z[i], z, m, K[i]), NTH_E_NUMERIC,
                         "%s input %td with itself: the weights of the regression cancel (K = %g)", set, number, K[i]);
    }
done:
    nth_priv_free(F);
    return st;
}
