/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Inside the label-aware kernels: the object, its models, and what its files ask of each other.
 *
 *     lantk.c       create, steps, tiles          kr.c      sums over pairs, E75 and E76
 *     features.c    features of pairs, E77        fit.c     least squares from moments, E79
 *     components.c  principal components          sketch.c  the same least squares, sketched
 */
#ifndef NTH_LANTK_LANTK_PRIV_H
#define NTH_LANTK_LANTK_PRIV_H

#include "nth/lantk.h"

enum {
    NTH_PAIR_FEATURES = 10,
    NTH_FROM_PRODUCTS = 1, /* features from here on are functions of <x,x'>, */
    NTH_TO_PRODUCTS = 8,   /* up to this one */
    NTH_DISTANCE = 9,      /* |x-x'|_1 */
    NTH_COMPONENTS = 5,
    NTH_TILE_EDGE = 1024,
    NTH_STRIP_ROWS = 4, /* of a tile, one task of a thread */
    NTH_STRIP = NTH_STRIP_ROWS * NTH_TILE_EDGE,
    NTH_MOMENTS = NTH_LANTK_MAX_FEATURES + 2 /* features, T, 1 */
};

/* A sum and what rounding took from it (Neumaier). */
typedef struct nth_exact {
    double sum, rest;
} nth_exact;

static inline void nth_exact_add(nth_exact *s, double x)
{
    const double t = s->sum + x, part = t - s->sum;
    s->rest += (s->sum - (t - part)) + (x - part);
    s->sum = t;
}

/* T0, T1, T2, S1, S2 of E75 for u = K - centre; extremes of K. */
enum { NTH_T0, NTH_T1, NTH_T2, NTH_S1, NTH_S2, NTH_KR_SUMS };
typedef struct nth_kr {
    nth_exact s[NTH_KR_SUMS];
    double    lo, hi;
} nth_kr;

/* Z made from the kept samples. */
typedef struct nth_lantk_model {
    ptrdiff_t      kept;
    ptrdiff_t     *list;      /* (kept) their numbers, ascending */
    ptrdiff_t     *place;     /* (n) place in the list, -1: held out */
    ptrdiff_t     *label;     /* (n) class of each kept sample, permuted if asked for */
    nth_exact      sum_abs_K; /* over ordered pairs */
    nth_kr         kr;
    nth_mat        V;      /* kr-v2 (n x c): K^{-1} [Y, 1], 0 where held out */
    double         s2;     /* mean |x - x'|^2 over ordered pairs */
    double        *scores; /* v2 ((n+k) x 5) */
    double         shift[NTH_LANTK_MAX_FEATURES], scale[NTH_LANTK_MAX_FEATURES];
    double         moments[NTH_MOMENTS * NTH_MOMENTS]; /* of (F - shift)/scale, T, 1: sums over pairs */
    nth_lantk_info info;
} nth_lantk_model;

struct nth_lantk {
    nth_lantk_options opt;
    nth_lantk_source  src;
    ptrdiff_t         n, k, d, p, models, classes;
    ptrdiff_t         edge, side, tiles, next; /* tile edge, tiles along a side, in the triangle; next step */
    bool              regression;              /* ls and fjlt */
    double            centre;                  /* kr: u = K - centre */
    double           *square, *norm, *mean, *spread; /* (n+k) |x|^2, |x|, mean coordinate, |x - mean| */
    nth_lantk_model  *model;                         /* (models) */
    nth_mat           K, G, L;                       /* (edge x edge) base kernel, <x,x'>, |x-x'|_1 */
    double           *slots;                         /* results of the strips of a step */
    double           *columns;                       /* fjlt (held x padded): columns group * held, .. of features, T, 1 */
    double           *sampled;                       /* fjlt (p + 1 or 2) x rows: the sketch, column by column */
    ptrdiff_t         padded, held, groups, group;
};

/* One point with training points col, col+1, ..: rows of the three blocks. */
typedef struct nth_pair_row {
    ptrdiff_t     point, col;
    const double *K, *G, *L;
} nth_pair_row;

static inline nth_cmat nth_lantk_points(const nth_lantk *z, ptrdiff_t row, ptrdiff_t r)
{
    return row < z->n ? nth_cblock(z->src.X, row, 0, r, z->d) : nth_cblock(z->src.X_test, row - z->n, 0, r, z->d);
}
static inline double nth_lantk_T(const nth_lantk_model *m, ptrdiff_t i, ptrdiff_t j)
{
    return m->label[i] == m->label[j] ? 1.0 : -1.0;
}

/* Loads K, and G and L for a regression, of a block of pairs. */
NTH_NODISCARD nth_status nth_priv_lantk_load(nth_lantk *z, ptrdiff_t row, ptrdiff_t col, ptrdiff_t r, ptrdiff_t c);

/* features.c */
NTH_NODISCARD nth_status nth_priv_features_begin(nth_lantk *z);
/* F (p x count), rows ld apart, of the point with training points list[0..count), or col, col+1, .. without a list. */
void nth_priv_features(double *F, ptrdiff_t ld, const nth_lantk *z, const nth_lantk_model *m, const nth_pair_row *r,
                       const ptrdiff_t *list, ptrdiff_t count);
/* Moments of the pairs of the loaded tile; fjlt: of model `only`, which also stores the columns of the group, and after
 * the first group does nothing else (-1: all models). */
NTH_NODISCARD nth_status nth_priv_features_gather(nth_lantk *z, ptrdiff_t row, ptrdiff_t col, ptrdiff_t r, ptrdiff_t c,
                                                  ptrdiff_t only);

/* components.c: scores of all points. */
NTH_NODISCARD nth_status nth_priv_components(nth_lantk *z, nth_lantk_model *m, const double *average);

/* kr.c */
NTH_NODISCARD nth_status nth_priv_kr_begin(nth_lantk *z);
NTH_NODISCARD nth_status nth_priv_kr_gather(nth_lantk *z, ptrdiff_t row, ptrdiff_t col, ptrdiff_t r, ptrdiff_t c);
NTH_NODISCARD nth_status nth_priv_kr_finish(nth_lantk *z);
/* False if the weights cancel. */
bool nth_priv_kr_value(double *value, const nth_lantk *z, const nth_lantk_model *m, double K);

/* fit.c: w, constant, condition, r2. */
NTH_NODISCARD nth_status nth_priv_fit(nth_lantk_model *m, ptrdiff_t p, const nth_lantk_options *opt);
/* Mean of feature f over pairs; false if it is the same for all of them. */
bool nth_priv_fit_mean(double *mean, const nth_lantk_model *m, ptrdiff_t p, ptrdiff_t f);
/* Mean of (F w + constant - T)^2 over pairs. */
double nth_priv_fit_residual(const nth_lantk_model *m, ptrdiff_t p, const double *w, double constant);

/* sketch.c */
extern ptrdiff_t nth_test_sketch_columns; /* set by tests: held at a time */
NTH_NODISCARD nth_status nth_priv_sketch_begin(nth_lantk *z);
/* Features, T, and 1 with an intercept. */
ptrdiff_t nth_priv_sketch_width(const nth_lantk *z);
/* Is one of the features first .. last a column of the group? */
static inline bool nth_priv_group_holds(const nth_lantk *z, ptrdiff_t first, ptrdiff_t last)
{
    return first < (z->group + 1) * z->held && last >= z->group * z->held;
}
/* Rows of the sketch of the group's columns, which all pairs have stored. */
void nth_priv_sketch_columns(nth_lantk *z, const nth_lantk_model *m);
/* The least squares on these, when all groups are done. */
NTH_NODISCARD nth_status nth_priv_sketch_fit(nth_lantk *z, nth_lantk_model *m);
/* In place, natural order, not scaled: H H = n. n is a power of two. */
void nth_priv_wht(double *x, ptrdiff_t n);

#endif
