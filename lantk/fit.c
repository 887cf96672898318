/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Least squares from moments (E79). Means are taken out of the moments and features scaled to variance 1, so
 * that what is inverted is their correlation matrix C = Q diag(l) Q^T. The constant is then orthogonal to them:
 *
 *     |F w - T|^2/n^2 = |y - y_T|^2 + (g.y - mean T)^2 + const,   y = diag(l)^{1/2} Q^T (s o w),
 *     g = diag(l)^{-1/2} Q^T (mean F / s)
 *
 * With an intercept the second term vanishes and y = y_T; without one y = y_T + g (mean T - g.y_T)/(1 + |g|^2),
 * the plain least squares on features that are not centred; standardised ones have no mean: y = y_T and the constant
 * -g.y_T, which takes it out. Directions with l below CUT are dropped; if one of them has a mean, it is a constant in
 * disguise and serves as the intercept.
 */
#include "lantk_priv.h"
#include "fail_priv.h"
#include "linalg_priv.h"

#include <math.h>

static const double CUT = 1e-11;     /* of the largest eigenvalue of C; rounding leaves 1e-15 */
static const double FLAT = 1e-12;    /* a feature whose deviation is that share of its size is constant */
static const double DISGUISE = 1e-2; /* mean of a dropped direction that makes it a constant */

typedef struct moments {
    ptrdiff_t p;
    double    mean[NTH_LANTK_MAX_FEATURES], unit[NTH_LANTK_MAX_FEATURES]; /* mean F / s, and s */
    double    C[NTH_LANTK_MAX_FEATURES * NTH_LANTK_MAX_FEATURES], c[NTH_LANTK_MAX_FEATURES]; /* with T */
    double    mean_T, var_T;
} moments;

static void centre(moments *o, const nth_lantk_model *m, ptrdiff_t p)
{
    const ptrdiff_t q = p + 2;
    const double    pairs = (double)m->kept * (double)m->kept, *M = m->moments;
    double          deviation[NTH_LANTK_MAX_FEATURES];
    o->p = p, o->mean_T = M[p * q + p + 1] / pairs;
    o->var_T = 1.0 - o->mean_T * o->mean_T; /* T^2 = 1 */
    for (ptrdiff_t f = 0; f < p; ++f) {
        const double mean = M[f * q + p + 1] / pairs, var = M[f * q + f] / pairs - mean * mean;
        const double size = fabs(m->shift[f] + m->scale[f] * mean);
        deviation[f] = sqrt(fmax(var, 0.0));
        o->unit[f] = m->scale[f] * deviation[f];
        if (!(o->unit[f] > FLAT * size)) o->unit[f] = size > 0.0 ? size : 1.0, deviation[f] = INFINITY;
        o->mean[f] = (m->shift[f] + m->scale[f] * mean) / o->unit[f];
    }
    for (ptrdiff_t f = 0; f < p; ++f) {
        const double mean = M[f * q + p + 1] / pairs;
        o->c[f] = (M[f * q + p] / pairs - mean * o->mean_T) / deviation[f];
        for (ptrdiff_t g = 0; g < p; ++g)
            o->C[f * p + g] = (M[f * q + g] / pairs - mean * M[g * q + p + 1] / pairs) / deviation[f] / deviation[g];
    }
}

bool nth_priv_fit_mean(double *mean, const nth_lantk_model *m, ptrdiff_t p, ptrdiff_t f)
{
    moments o;
    centre(&o, m, p);
    *mean = o.mean[f] * o.unit[f];
    return o.C[f * p + f] > 0.0;
}

/* Mean square residual for v = s o w. */
static double residual(const moments *o, const double *v, double constant)
{
    double square = o->var_T, offset = constant - o->mean_T;
    for (ptrdiff_t f = 0; f < o->p; ++f) {
        double Cv = 0.0;
        for (ptrdiff_t g = 0; g < o->p; ++g) Cv += o->C[f * o->p + g] * v[g];
        square += v[f] * (Cv - 2.0 * o->c[f]);
        offset += v[f] * o->mean[f];
    }
    return square + offset * offset;
}

double nth_priv_fit_residual(const nth_lantk_model *m, ptrdiff_t p, const double *w, double constant)
{
    moments o;
    double  v[NTH_LANTK_MAX_FEATURES];
    centre(&o, m, p);
    for (ptrdiff_t f = 0; f < p; ++f) v[f] = w[f] * o.unit[f];
    return residual(&o, v, constant);
}

/* Column a of Q times x. */
static double along(const double *Q, ptrdiff_t a, ptrdiff_t p, const double *x)
{
    double sum = 0.0;
    for (ptrdiff_t f = 0; f < p; ++f) sum += Q[f * p + a] * x[f];
    return sum;
}

nth_status nth_priv_fit(nth_lantk_model *m, ptrdiff_t p, const nth_lantk_options *opt)
{
    nth_status      st = NTH_OK;
    const bool      raw = !opt->intercept && !opt->standardize;
    const double    ridge = opt->ridge;
    nth_lantk_info *info = &m->info;
    moments         o;
    double          Q[NTH_LANTK_MAX_FEATURES * NTH_LANTK_MAX_FEATURES], l[NTH_LANTK_MAX_FEATURES];
    double          y[NTH_LANTK_MAX_FEATURES], g[NTH_LANTK_MAX_FEATURES], v[NTH_LANTK_MAX_FEATURES] = { 0 };
    double          gg = 0.0, gy = 0.0, disguise = 0.0, offset;
    ptrdiff_t       dropped = 0;
    centre(&o, m, p);
    NTH_TRY(nth_eigh(nth_cmat_of(o.C, p, p), l, nth_mat_of(Q, p, p)));
    NTH_REQUIRE(l[p - 1] > 0.0, NTH_E_NUMERIC, "all features are the same for all pairs");
    while (!(l[dropped] > CUT * l[p - 1])) {
        disguise += along(Q, dropped, p, o.mean) * along(Q, dropped, p, o.mean);
        ++dropped;
    }
    info->dropped = dropped;
    info->condition = (l[p - 1] + ridge) / (l[dropped] + ridge);
    for (ptrdiff_t a = dropped; a < p; ++a) {
        const double root = sqrt(l[a] + ridge);
        y[a] = along(Q, a, p, o.c) / root, g[a] = along(Q, a, p, o.mean) / root;
        gy += g[a] * y[a], gg += g[a] * g[a];
    }
    offset = o.mean_T - gy;
    const bool disguised = raw && disguise > DISGUISE * DISGUISE;
    for (ptrdiff_t a = 0; a < p; ++a) {
        double size = 0.0;
        if (a < dropped) size = disguised ? along(Q, a, p, o.mean) * offset / disguise : 0.0;
        else size = (y[a] + (raw && !disguised ? g[a] * offset / (1.0 + gg) : 0.0)) / sqrt(l[a] + ridge);
        for (ptrdiff_t f = 0; f < p; ++f) v[f] += Q[f * p + a] * size;
    }
    info->constant = raw ? 0.0 : opt->intercept ? offset : -gy;
    info->features = p;
    info->r2 = 1.0 - residual(&o, v, info->constant) / o.var_T;
    for (ptrdiff_t f = 0; f < p; ++f) info->w[f] = v[f] / o.unit[f];
done:
    return st;
}
