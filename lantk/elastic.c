/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Local elasticity (elastic.h). Inputs are put in the order of their classes, so that the pairs of one
 * class are a block of a group of rows; sums over pairs are products with weights, one column for each
 * resample. Column 0 has all weights 1: that is the value itself.
 */
#include "nth/elastic.h"
#include "alloc_priv.h"
#include "fail_priv.h"
#include "linalg_priv.h"
#include "nth/regress.h"
#include "nth/rng.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { GROUP = 256 }; /* rows in memory at a time */

/* The inputs of one side of the pairs. */
typedef struct side {
    ptrdiff_t  n, classes;
    ptrdiff_t *class, *place; /* (n) of each input; its place in the order of classes */
    ptrdiff_t *start;         /* (classes + 1) first place of each class */
    double    *scale;         /* (n) 1/sqrt(D) */
    nth_mat    w;             /* (n x draws) weights by place */
} side;

static void side_free(side *s)
{
    nth_priv_free(s->class);
    nth_priv_free(s->place);
    nth_priv_free(s->start);
    nth_priv_free(s->scale);
    nth_priv_free(s->w.a);
}

/* Weights: ones, then how often each input of a class comes in as many draws as the class has inputs. */
static void draw(side *s, uint64_t seed, uint32_t run)
{
    for (ptrdiff_t i = 0; i < s->n; ++i) s->w.a[i * s->w.ld] = 1.0;
    for (ptrdiff_t c = 0; c < s->classes; ++c) {
        const ptrdiff_t first = s->start[c], size = s->start[c + 1] - first;
        for (ptrdiff_t b = 1; b < s->w.cols; ++b)
            for (ptrdiff_t i = first; i < first + size; ++i) {
                const uint64_t index = (uint64_t)(b - 1) * (uint64_t)s->n + (uint64_t)i;
                s->w.a[(first + (ptrdiff_t)nth_rand_below((uint64_t)size, seed, NTH_STREAM_BOOTSTRAP, run, index)) * s->w.ld + b] += 1.0;
            }
    }
}

static nth_status side_create(side *s, nth_cmat Y, const double *D, const char *what, const nth_elastic_options *opt, uint32_t run)
{
    nth_status st = NTH_OK;
    s->n = Y.rows, s->classes = Y.cols == 1 ? 2 : Y.cols;
    NTH_TRY(nth_priv_alloc(&s->class, s->n, sizeof *s->class, "classes"));
    NTH_TRY(nth_priv_alloc(&s->place, s->n, sizeof *s->place, "classes"));
    NTH_TRY(nth_priv_alloc(&s->start, s->classes + 1, sizeof *s->start, "classes"));
    NTH_TRY(nth_priv_doubles(&s->scale, s->n, "normaliser"));
    NTH_TRY(nth_priv_mat(&s->w, s->n, opt->bootstrap + 1, "weights of resamples"));
    for (ptrdiff_t i = 0; i < s->n; ++i) {
        NTH_REQUIRE(isfinite(D[i]) && D[i] > 0.0, NTH_E_NUMERIC,
                    "diagonal entry %td of the %s inputs is %.6g; the normaliser needs positive ones", i + 1, what, D[i]);
        s->scale[i] = 1.0 / sqrt(D[i]);
        s->class[i] = nth_classify(Y, i);
        ++s->start[s->class[i] + 1];
    }
    for (ptrdiff_t c = 0; c < s->classes; ++c) s->start[c + 1] += s->start[c];
    for (ptrdiff_t c = 0, at = 0; c < s->classes; ++c)
        for (ptrdiff_t i = 0; i < s->n; ++i)
            if (s->class[i] == c) s->place[i] = at++;
    draw(s, opt->seed, run);
done:
    return st;
}

/* Sums over the pairs, one entry for each draw. */
typedef struct sums {
    double *intra, *inter, *self; /* (draws) */
} sums;

typedef struct group {
    nth_mat    raw, Kn;      /* (rows x n) as they come; normalised, in the order of classes both ways */
    nth_mat    intra, inter; /* (rows x draws) */
    ptrdiff_t *order;        /* (rows) the input of each row of Kn */
} group;

/* Orders the rows of the group by class; self pairs are set aside. */
static nth_status normalise(group *g, double *self, const side *r, const side *c, ptrdiff_t row, ptrdiff_t rows)
{
    nth_status st = NTH_OK;
    ptrdiff_t  at = 0;
    for (ptrdiff_t k = 0; k < r->classes; ++k)
        for (ptrdiff_t i = row; i < row + rows; ++i)
            if (r->class[i] == k) g->order[at++] = i;
    for (at = 0; at < rows; ++at) {
        const ptrdiff_t i = g->order[at];
        const double   *from = g->raw.a + (i - row) * g->raw.ld;
        double         *to = g->Kn.a + at * g->Kn.ld;
        for (ptrdiff_t j = 0; j < c->n; ++j) {
            NTH_REQUIRE(isfinite(from[j]), NTH_E_NUMERIC, "kernel entry (%td,%td) is not finite", i + 1, j + 1);
            to[c->place[j]] = from[j] * r->scale[i] * c->scale[j];
        }
        if (self == NULL) continue;
        double *own = to + c->place[i];
        for (ptrdiff_t b = 0; b < c->w.cols; ++b) self[b] += *own * c->w.a[c->place[i] * c->w.ld + b];
        *own = 0.0;
    }
done:
    return st;
}

/* to <- Kn w over the columns lo .. hi, added to what is there if `more`. */
static nth_status product(nth_mat to, nth_mat Kn, nth_mat w, ptrdiff_t lo, ptrdiff_t hi, bool more)
{
    const nth_cmat A = nth_const(nth_block(Kn, 0, lo, Kn.rows, hi - lo)), B = nth_const(nth_block(w, lo, 0, hi - lo, w.cols));
    if (hi > lo) return nth_gemm(1.0, NTH_N, A, NTH_N, B, more ? 1.0 : 0.0, to);
    for (ptrdiff_t e = 0; e < to.rows && !more; ++e) memset(to.a + e * to.ld, 0, (size_t)to.cols * sizeof *to.a);
    return NTH_OK;
}

/* Column 0 once more: a product's rounding depends on the number of columns, the value must not. */
static void value(group *g, const side *r, const side *c, ptrdiff_t rows)
{
    for (ptrdiff_t at = 0; at < rows; ++at) {
        const ptrdiff_t k = r->class[g->order[at]];
        const double   *row = g->Kn.a + at * g->Kn.ld;
        double          one = 0.0, two = 0.0;
        for (ptrdiff_t j = c->start[k]; j < c->start[k + 1]; ++j) one += row[j];
        for (ptrdiff_t j = 0; j < c->start[k]; ++j) two += row[j];
        for (ptrdiff_t j = c->start[k + 1]; j < c->n; ++j) two += row[j];
        g->intra.a[at * g->intra.ld] = one;
        g->inter.a[at * g->inter.ld] = two;
    }
}

static nth_status one_group(sums *s, group *g, const side *r, const side *c, ptrdiff_t rows)
{
    nth_status      st = NTH_OK;
    const ptrdiff_t draws = c->w.cols;
    for (ptrdiff_t at = 0, end; at < rows; at = end) {
        const ptrdiff_t k = r->class[g->order[at]];
        for (end = at; end < rows && r->class[g->order[end]] == k;) ++end;
        const nth_mat Kn = nth_block(g->Kn, at, 0, end - at, c->n);
        const nth_mat intra = nth_block(g->intra, at, 0, end - at, draws), inter = nth_block(g->inter, at, 0, end - at, draws);
        NTH_TRY(product(intra, Kn, c->w, c->start[k], c->start[k + 1], false));
        NTH_TRY(product(inter, Kn, c->w, 0, c->start[k], false));
        NTH_TRY(product(inter, Kn, c->w, c->start[k + 1], c->n, true));
    }
    value(g, r, c, rows);
    for (ptrdiff_t at = 0; at < rows; ++at) {
        const double *w = r->w.a + r->place[g->order[at]] * r->w.ld;
        for (ptrdiff_t b = 0; b < draws; ++b) {
            s->intra[b] += w[b] * g->intra.a[at * g->intra.ld + b];
            s->inter[b] += w[b] * g->inter.a[at * g->inter.ld + b];
        }
    }
done:
    return st;
}

static nth_status add_up(sums *s, nth_elastic_rows *rows, void *ctx, const side *r, const side *c)
{
    nth_status      st = NTH_OK;
    group           g = { 0 };
    const ptrdiff_t most = r->n < GROUP ? r->n : GROUP;
    NTH_TRY(nth_priv_mat(&g.raw, most, c->n, "rows of the kernel"));
    NTH_TRY(nth_priv_mat(&g.Kn, most, c->n, "rows of the kernel"));
    NTH_TRY(nth_priv_mat(&g.intra, most, c->w.cols, "sums"));
    NTH_TRY(nth_priv_mat(&g.inter, most, c->w.cols, "sums"));
    NTH_TRY(nth_priv_alloc(&g.order, most, sizeof *g.order, "order of rows"));
    for (ptrdiff_t row = 0; row < r->n; row += GROUP) {
        const ptrdiff_t count = r->n - row < GROUP ? r->n - row : GROUP;
        NTH_TRY(rows(nth_block(g.raw, 0, 0, count, c->n), row, ctx));
        NTH_TRY(normalise(&g, r == c ? s->self : NULL, r, c, row, count));
        NTH_TRY(one_group(s, &g, r, c, count));
    }
done:
    nth_priv_free(g.raw.a);
    nth_priv_free(g.Kn.a);
    nth_priv_free(g.intra.a);
    nth_priv_free(g.inter.a);
    nth_priv_free(g.order);
    return st;
}

/* Pairs of one class and of two in draw b. Each class keeps its size; two copies of one input are no pair. */
static void count_pairs(double pairs[2], const side *r, const side *c, ptrdiff_t b, bool self)
{
    pairs[0] = 0.0;
    for (ptrdiff_t k = 0; k < r->classes; ++k)
        pairs[0] += (double)(r->start[k + 1] - r->start[k]) * (double)(c->start[k + 1] - c->start[k]);
    pairs[1] = (double)r->n * (double)c->n - pairs[0];
    if (r != c) return;
    for (ptrdiff_t i = 0; i < c->n; ++i) pairs[0] -= pow(c->w.a[i * c->w.ld + b], 2.0);
    if (self) pairs[0] += (double)c->n;
}

static int ascending(const void *a, const void *b)
{
    const double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

/* Quantile q of sorted values, linear between neighbours. */
static double quantile(const double *v, ptrdiff_t n, double q)
{
    const double    at = q * (double)(n - 1);
    const ptrdiff_t i = (ptrdiff_t)at;
    return i + 1 < n ? v[i] + (at - (double)i) * (v[i + 1] - v[i]) : v[i];
}

/* Sorts v. */
static nth_elastic_interval summary(double *v, ptrdiff_t n)
{
    nth_elastic_interval out = { .standard_error = NAN, .low = NAN, .high = NAN };
    double               mean = 0.0, square = 0.0;
    for (ptrdiff_t b = 0; b < n; ++b) out.undefined += isnan(v[b]);
    if (n < 2 || out.undefined > 0) return out;
    for (ptrdiff_t b = 0; b < n; ++b) mean += v[b] / (double)n;
    for (ptrdiff_t b = 0; b < n; ++b) square += pow(v[b] - mean, 2.0);
    qsort(v, (size_t)n, sizeof *v, ascending);
    out.standard_error = sqrt(square / (double)(n - 1));
    out.low = quantile(v, n, 0.025), out.high = quantile(v, n, 0.975);
    return out;
}

nth_status nth_elastic_summary(nth_elastic_interval *out, const double *v, ptrdiff_t n)
{
    nth_status st = NTH_OK;
    double    *sorted = NULL;
    *out = (nth_elastic_interval){ .standard_error = NAN, .low = NAN, .high = NAN };
    NTH_TRY(nth_priv_doubles(&sorted, n, "resamples"));
    if (n > 0) memcpy(sorted, v, (size_t)n * sizeof *v);
    *out = summary(sorted, n);
done:
    nth_priv_free(sorted);
    return st;
}

/* Ratios of the resamples in place of s->intra. */
static void interval(nth_elasticity *out, sums *s, const side *r, const side *c, const nth_elastic_options *opt, bool self)
{
    for (ptrdiff_t b = 1; b <= opt->bootstrap; ++b) {
        double pairs[2];
        count_pairs(pairs, r, c, b, self);
        const double m1 = s->intra[b] / pairs[0], m2 = s->inter[b] / pairs[1];
        s->intra[b] = pairs[0] > 0.0 && m1 + m2 > 0.0 ? m1 / (m1 + m2) : (double)NAN;
        if (opt->ratios != NULL) opt->ratios[b - 1] = s->intra[b];
    }
    const nth_elastic_interval i = summary(s->intra + 1, opt->bootstrap);
    out->standard_error = i.standard_error, out->low = i.low, out->high = i.high, out->undefined = i.undefined;
}

static nth_status ratio(nth_elasticity *out, nth_elastic_rows *rows, void *ctx, const side *r, const side *c,
                        const nth_elastic_options *opt)
{
    nth_status      st = NTH_OK;
    const ptrdiff_t draws = c->w.cols;
    const bool      self = r == c && opt->self_pairs;
    sums            s = { 0 };
    double          pairs[2];
    *out = (nth_elasticity){ .standard_error = NAN, .low = NAN, .high = NAN };
    NTH_TRY(nth_priv_doubles(&s.intra, draws, "sums"));
    NTH_TRY(nth_priv_doubles(&s.inter, draws, "sums"));
    NTH_TRY(nth_priv_doubles(&s.self, draws, "sums"));
    count_pairs(pairs, r, c, 0, self);
    NTH_REQUIRE(pairs[0] > 0.0 && pairs[1] > 0.0, NTH_E_RANGE, "%.0f pairs of one class and %.0f of two; both are needed", pairs[0],
                pairs[1]);
    NTH_TRY(add_up(&s, rows, ctx, r, c));
    for (ptrdiff_t b = 0; b < draws && self; ++b) s.intra[b] += s.self[b];
    out->intra = s.intra[0] / pairs[0], out->inter = s.inter[0] / pairs[1];
    out->intra_pairs = pairs[0], out->inter_pairs = pairs[1];
    NTH_REQUIRE(out->intra + out->inter > 0.0, NTH_E_NUMERIC,
                "M1 = %.6g and M2 = %.6g: their sum is not positive, so that M1/(M1 + M2) says nothing", out->intra, out->inter);
    out->ratio = out->intra / (out->intra + out->inter);
    interval(out, &s, r, c, opt, self);
done:
    nth_priv_free(s.intra);
    nth_priv_free(s.inter);
    nth_priv_free(s.self);
    return st;
}

static nth_status check_labels(nth_cmat Y, bool all_classes)
{
    return nth_targets_check(Y, Y.cols == 1 ? NTH_TASK_BINARY : NTH_TASK_MULTICLASS, all_classes);
}

nth_status nth_elastic_train(nth_elasticity *out, nth_elastic_rows *rows, void *ctx, nth_cmat Y, const double *D,
                             const nth_elastic_options *opt)
{
    nth_status st = NTH_OK;
    side       s = { 0 };
    NTH_REQUIRE(opt->bootstrap >= 0, NTH_E_ARG, "%td resamples; 0 or more are expected", opt->bootstrap);
    NTH_TRY(check_labels(Y, true));
    NTH_TRY(side_create(&s, Y, D, "training", opt, 0));
    NTH_TRY(ratio(out, rows, ctx, &s, &s, opt));
done:
    side_free(&s);
    return st;
}

nth_status nth_elastic_test(nth_elasticity *out, nth_elastic_rows *rows, void *ctx, nth_cmat Y_test, nth_cmat Y, const double *D_test,
                            const double *D, const nth_elastic_options *opt)
{
    nth_status st = NTH_OK;
    side       r = { 0 }, c = { 0 };
    NTH_REQUIRE(opt->bootstrap >= 0, NTH_E_ARG, "%td resamples; 0 or more are expected", opt->bootstrap);
    NTH_REQUIRE(Y.cols == Y_test.cols, NTH_E_SHAPE, "%td columns of training labels, %td of test labels", Y.cols, Y_test.cols);
    NTH_TRY(check_labels(Y, true));
    NTH_TRY(check_labels(Y_test, false));
    NTH_TRY(side_create(&r, Y_test, D_test, "test", opt, 1));
    NTH_TRY(side_create(&c, Y, D, "training", opt, 0));
    NTH_TRY(ratio(out, rows, ctx, &r, &c, opt));
done:
    side_free(&r);
    side_free(&c);
    return st;
}

nth_status nth_elastic_matrix(nth_mat A, ptrdiff_t row, void *ctx)
{
    nth_status      st = NTH_OK;
    const nth_cmat *K = ctx;
    NTH_REQUIRE(A.cols == K->cols && row >= 0 && row + A.rows <= K->rows, NTH_E_SHAPE,
                "rows %td to %td with %td columns of a %td x %td kernel", row + 1, row + A.rows, A.cols, K->rows, K->cols);
    nth_mat_copy(A, nth_cblock(*K, row, 0, A.rows, A.cols));
done:
    return st;
}
