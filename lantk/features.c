/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Features of pairs (E77) and their moments. All but |x - x'|_1 come from the products <x,x'>, so a tile of
 * pairs costs one matrix product, one tile of distances and some vectorised functions of single numbers.
 *
 * A strip of four rows is one task: its features lie in the second-level cache as p rows, get T and 1 as two
 * more, and one product gives all their moments. Features are shifted and scaled by figures from a few pairs of
 * the first tile, so that variances do not drown in squares of means. Strips are summed in order.
 */
#include "lantk_priv.h"
#include "alloc_priv.h"
#include "distance_priv.h"
#include "fail_priv.h"
#include "linalg_priv.h"
#include "vmath.h"

#include <math.h>
#include <string.h>

/* ---- Points ------------------------------------------------------------------------------------- */

static nth_status one_point(nth_lantk *z, ptrdiff_t i)
{
    nth_status    st = NTH_OK;
    const double *x = nth_lantk_points(z, i, 1).a;
    const char   *set = i < z->n ? "training" : "test";
    const ptrdiff_t number = (i < z->n ? i : i - z->n) + 1;
    double        sum = 0.0, spread = 0.0;
    for (ptrdiff_t c = 0; c < z->d; ++c) sum += x[c];
    z->mean[i] = sum / (double)z->d;
    for (ptrdiff_t c = 0; c < z->d; ++c) spread += (x[c] - z->mean[i]) * (x[c] - z->mean[i]);
    z->square[i] = nth_dot(x, x, z->d);
    z->norm[i] = sqrt(z->square[i]), z->spread[i] = sqrt(spread);
    NTH_REQUIRE(isfinite(z->square[i]), NTH_E_NUMERIC, "%s input %td is not finite", set, number);
    NTH_REQUIRE(z->norm[i] > 0.0, NTH_E_NUMERIC, "%s input %td is zero: it has no cosine with others", set, number);
    NTH_REQUIRE(z->spread[i] > 1e-12 * z->norm[i], NTH_E_NUMERIC,
                "all coordinates of %s input %td are alike: it has no correlation with others", set, number);
done:
    return st;
}

static nth_status one_model(nth_lantk *z, nth_lantk_model *m, double *average)
{
    nth_status st = NTH_OK;
    double     sum = 0.0;
    memset(average, 0, (size_t)z->d * sizeof *average);
    for (ptrdiff_t a = 0; a < m->kept; ++a)
        nth_axpy(1.0 / (double)m->kept, z->src.X.a + m->list[a] * z->src.X.ld, average, z->d);
    for (ptrdiff_t a = 0; a < m->kept; ++a) {
        const double *x = z->src.X.a + m->list[a] * z->src.X.ld;
        double        part = 0.0;
        for (ptrdiff_t c = 0; c < z->d; ++c) part += (x[c] - average[c]) * (x[c] - average[c]);
        sum += part;
    }
    m->s2 = 2.0 * sum / (double)m->kept;
    NTH_REQUIRE(m->s2 > 0.0, NTH_E_NUMERIC, "all %td training inputs are the same", m->kept);
    if (z->p > NTH_PAIR_FEATURES) {
        NTH_TRY(nth_priv_doubles(&m->scores, (z->n + z->k) * NTH_COMPONENTS, "scores"));
        NTH_TRY(nth_priv_components(z, m, average));
    }
done:
    return st;
}

nth_status nth_priv_features_begin(nth_lantk *z)
{
    nth_status      st = NTH_OK;
    const ptrdiff_t points = z->n + z->k;
    double         *average = NULL;
    NTH_TRY(nth_priv_doubles(&z->square, points, "norms"));
    NTH_TRY(nth_priv_doubles(&z->norm, points, "norms"));
    NTH_TRY(nth_priv_doubles(&z->mean, points, "norms"));
    NTH_TRY(nth_priv_doubles(&z->spread, points, "norms"));
    NTH_TRY(nth_priv_doubles(&average, z->d, "mean input"));
    NTH_TRY(nth_priv_mat(&z->G, z->edge, z->edge, "tile"));
    NTH_TRY(nth_priv_mat(&z->L, z->edge, z->edge, "tile"));
    for (ptrdiff_t i = 0; i < points; ++i) NTH_TRY(one_point(z, i));
    for (ptrdiff_t f = 0; f < z->models; ++f) NTH_TRY(one_model(z, &z->model[f], average));
    NTH_TRY(nth_priv_doubles(&z->slots, (z->edge / NTH_STRIP_ROWS + 2) * z->models * (NTH_MOMENTS * NTH_MOMENTS + 1),
                             "moments of strips"));
done:
    nth_priv_free(average);
    return st;
}

/* ---- Features of a row of pairs ----------------------------------------------------------------- */

void nth_priv_features(double *F, ptrdiff_t ld, const nth_lantk *z, const nth_lantk_model *m, const nth_pair_row *r,
                       const ptrdiff_t *list, ptrdiff_t count)
{
    const ptrdiff_t i = r->point;
    const double    d = (double)z->d;
    double *K = F, *G = F + ld, *cosine = F + 2 * ld, *square = F + 3 * ld, *norms = F + 4 * ld, *sine = F + 5 * ld,
           *angle = F + 6 * ld, *bell = F + 7 * ld, *correlation = F + 8 * ld, *L = F + 9 * ld;
    for (ptrdiff_t a = 0; a < count; ++a) {
        const ptrdiff_t j = list != NULL ? list[a] : r->col + a, q = j - r->col;
        const double    product = z->norm[i] * z->norm[j];
        const bool      same = i == j;
        const double    g = same ? z->square[i] : r->G[q];
        const double    c = same ? 1.0 : fmin(fmax(g / product, -1.0), 1.0);
        const double    rho = (g - d * z->mean[i] * z->mean[j]) / (z->spread[i] * z->spread[j]);
        K[a] = r->K[q], G[a] = g, cosine[a] = c, norms[a] = product;
        square[a] = same ? 0.0 : fmax(z->square[i] + z->square[j] - 2.0 * g, 0.0);
        sine[a] = sqrt((1.0 - c) * (1.0 + c));
        bell[a] = -square[a] / m->s2;
        correlation[a] = same ? 1.0 : fmin(fmax(rho, -1.0), 1.0);
        L[a] = r->L[q];
    }
    nth_vatan2(angle, sine, cosine, count);
    nth_vexp(bell, bell, count);
    for (ptrdiff_t t = 0; t < (z->p - NTH_PAIR_FEATURES) / 2; ++t) {
        double      *product = F + (NTH_PAIR_FEATURES + 2 * t) * ld, *distance = product + ld;
        const double u = m->scores[i * NTH_COMPONENTS + t];
        for (ptrdiff_t a = 0; a < count; ++a) {
            const double v = m->scores[(list != NULL ? list[a] : r->col + a) * NTH_COMPONENTS + t];
            product[a] = u * v, distance[a] = fabs(u - v);
        }
    }
}

/* ---- Moments ------------------------------------------------------------------------------------ */

/* A tile of training pairs: i from row, j from col, j <= i. */
typedef struct tile {
    nth_lantk *z;
    ptrdiff_t  row, col, r, c;
} tile;

static nth_pair_row row_of(const tile *t, ptrdiff_t i)
{
    const ptrdiff_t at = (i - t->row) * t->z->edge;
    return (nth_pair_row){ i, t->col, t->z->K.a + at, t->z->G.a + at, t->z->L.a + at };
}

/* Number of kept samples below i. */
static ptrdiff_t below(const nth_lantk_model *m, ptrdiff_t i)
{
    ptrdiff_t lo = 0, hi = m->kept;
    while (lo < hi) {
        const ptrdiff_t middle = lo + (hi - lo) / 2;
        if (m->list[middle] < i) lo = middle + 1;
        else hi = middle;
    }
    return lo;
}

/* The kept columns from t->col to min(t->col + t->c, end). */
static const ptrdiff_t *kept_columns(const tile *t, const nth_lantk_model *m, ptrdiff_t end, ptrdiff_t *count)
{
    const ptrdiff_t first = below(m, t->col), last = below(m, end < t->col + t->c ? end : t->col + t->c);
    *count = last > first ? last - first : 0;
    return m->list + first;
}

/* fjlt: pairs (i, list[a]) and the mirrored ones, T, and 1 with an intercept. */
static void store_columns(const tile *t, const nth_lantk_model *m, const double *F, ptrdiff_t i, const ptrdiff_t *list,
                          ptrdiff_t count)
{
    nth_lantk      *z = t->z;
    const ptrdiff_t first = z->group * z->held, columns = nth_priv_sketch_width(z);
    for (ptrdiff_t f = first; f < first + z->held && f < columns; ++f) /* rows of F: features, T, 1 */
        for (ptrdiff_t a = 0; a < count; ++a) {
            const ptrdiff_t s = m->place[i], q = m->place[list[a]];
            double         *column = z->columns + (f - first) * z->padded;
            column[s * m->kept + q] = column[q * m->kept + s] = F[f * NTH_STRIP + a];
        }
}

/* Features, T and 1 of the pairs of a row, behind the `at` pairs that P holds. Returns the new number. */
static ptrdiff_t append(const tile *t, const nth_lantk_model *m, double *P, ptrdiff_t at, ptrdiff_t i,
                        const ptrdiff_t *list, ptrdiff_t count, double *sum_abs)
{
    const ptrdiff_t    p = t->z->p;
    const nth_pair_row r = row_of(t, i);
    double            *F = P + at;
    if (count == 0) return at;
    nth_priv_features(F, NTH_STRIP, t->z, m, &r, list, count);
    for (ptrdiff_t a = 0; a < count; ++a) {
        F[p * NTH_STRIP + a] = nth_lantk_T(m, i, list[a]);
        F[(p + 1) * NTH_STRIP + a] = 1.0;
        *sum_abs += fabs(F[a]);
    }
    if (t->z->columns != NULL) store_columns(t, m, F, i, list, count);
    if (t->z->group > 0) return at; /* moments are there */
    for (ptrdiff_t f = 0; f < p; ++f)
        for (ptrdiff_t a = 0; a < count; ++a) F[f * NTH_STRIP + a] = (F[f * NTH_STRIP + a] - m->shift[f]) / m->scale[f];
    return at + count;
}

/* Pairs below the diagonal of four rows; strip -1: those on it. slot: moments, then the sum of |K|. */
static nth_status strip(const tile *t, const nth_lantk_model *m, ptrdiff_t number, double *P, double *slot)
{
    const ptrdiff_t q = t->z->p + 2, first = number < 0 ? t->row : t->row + number * NTH_STRIP_ROWS;
    ptrdiff_t       last = number < 0 ? t->row + t->r : first + NTH_STRIP_ROWS, count = 0, pairs = 0;
    double          sum_abs = 0.0;
    if (last > t->row + t->r) last = t->row + t->r;
    for (ptrdiff_t i = first; i < last; ++i) {
        if (m->place[i] < 0) continue;
        if (number < 0) {
            pairs = append(t, m, P, pairs, i, m->list + m->place[i], 1, &sum_abs);
        } else {
            const ptrdiff_t *list = kept_columns(t, m, i, &count);
            pairs = append(t, m, P, pairs, i, list, count, &sum_abs);
        }
    }
    const nth_cmat all = { P, q, pairs, NTH_STRIP };
    memset(slot, 0, (size_t)(q * q) * sizeof *slot);
    slot[NTH_MOMENTS * NTH_MOMENTS] = sum_abs;
    return pairs == 0 ? NTH_OK : nth_gemm(1.0, NTH_N, all, NTH_T, all, 0.0, nth_mat_of(slot, q, q));
}

/* Shift and scale from the first rows of the first tile. */
static nth_status sample(const tile *t, nth_lantk_model *m)
{
    enum { ROWS = 64 };
    nth_status      st = NTH_OK;
    const ptrdiff_t p = t->z->p;
    double         *P = NULL, sum[NTH_LANTK_MAX_FEATURES] = { 0 }, square[NTH_LANTK_MAX_FEATURES] = { 0 };
    ptrdiff_t       count, pairs = 0;
    for (ptrdiff_t f = 0; f < p; ++f) m->shift[f] = 0.0, m->scale[f] = 1.0;
    NTH_TRY(nth_priv_doubles(&P, (NTH_MOMENTS)*NTH_STRIP, "features"));
    for (int pass = 0; pass < 2; ++pass) { /* mean, then spread about it */
        const double scale = 1.0 / (double)(pairs > 0 ? pairs : 1);
        for (ptrdiff_t f = 0; f < p && pass == 1; ++f) m->shift[f] = sum[f] * scale;
        pairs = 0;
        for (ptrdiff_t a = 0; a < m->kept && a < ROWS && m->list[a] < t->r; ++a) {
            const nth_pair_row r = row_of(t, m->list[a]);
            const ptrdiff_t   *list = kept_columns(t, m, m->list[a] + 1, &count);
            nth_priv_features(P, NTH_STRIP, t->z, m, &r, list, count);
            for (ptrdiff_t f = 0; f < p; ++f)
                for (ptrdiff_t b = 0; b < count; ++b) {
                    const double x = P[f * NTH_STRIP + b] - m->shift[f];
                    if (pass == 0) sum[f] += x;
                    else square[f] += x * x;
                }
            pairs += count;
        }
    }
    for (ptrdiff_t f = 0; f < p; ++f) {
        const double spread = pairs > 0 ? sqrt(square[f] / (double)pairs) : 0.0, size = fabs(m->shift[f]);
        m->scale[f] = spread > 1e-12 * size ? spread : size > 0.0 ? size : 1.0;
    }
done:
    nth_priv_free(P);
    return st;
}

static void add_slot(const nth_lantk *z, nth_lantk_model *m, const double *slot, double weight, double *total)
{
    const ptrdiff_t q = z->p + 2;
    for (ptrdiff_t e = 0; e < q * q; ++e) total[e] += weight * slot[e];
    nth_exact_add(&m->sum_abs_K, weight * slot[NTH_MOMENTS * NTH_MOMENTS]);
}

nth_status nth_priv_features_gather(nth_lantk *z, ptrdiff_t row, ptrdiff_t col, ptrdiff_t r, ptrdiff_t c, ptrdiff_t only)
{
    enum { SLOT = NTH_MOMENTS * NTH_MOMENTS + 1 };
    nth_status      st = NTH_OK;
    const tile      t = { z, row, col, r, c };
    const ptrdiff_t strips = (r + NTH_STRIP_ROWS - 1) / NTH_STRIP_ROWS, q = z->p + 2;
    const ptrdiff_t first = only < 0 ? 0 : only, models = only < 0 ? z->models : 1;
    const ptrdiff_t diagonal = row == col ? 1 : 0, tasks = (strips + diagonal) * models;
    int             failures = 0;
    for (ptrdiff_t f = first; f < first + models && row == 0 && col == 0 && z->group == 0; ++f) NTH_TRY(sample(&t, &z->model[f]));
#pragma omp parallel reduction(+ : failures)
    {
        double          *P;
        const nth_status mine = nth_priv_doubles(&P, NTH_MOMENTS * NTH_STRIP, "features");
        failures += mine != NTH_OK;
#pragma omp for schedule(dynamic, 1)
        for (ptrdiff_t s = 0; s < tasks; ++s) {
            const ptrdiff_t number = s / models == strips ? -1 : s / models;
            if (mine == NTH_OK) failures += strip(&t, &z->model[first + s % models], number, P, z->slots + s * SLOT) != NTH_OK;
        }
        nth_priv_free(P);
    }
    NTH_REQUIRE(failures == 0, NTH_E_NOMEM, "features of a strip: cannot get %.1f MB for each thread",
                8e-6 * NTH_MOMENTS * NTH_STRIP);
    for (ptrdiff_t f = 0; f < models && z->group == 0; ++f) {
        double total[NTH_MOMENTS * NTH_MOMENTS] = { 0 };
        for (ptrdiff_t s = 0; s < strips + diagonal; ++s)
            add_slot(z, &z->model[first + f], z->slots + (s * models + f) * SLOT, s < strips ? 2.0 : 1.0, total);
        for (ptrdiff_t e = 0; e < q * q; ++e) z->model[first + f].moments[e] += total[e];
    }
done:
    return st;
}
