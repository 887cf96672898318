/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Dual activations of whole kernels by Hermite series (docs/adr/0009): what is expensive is done
 * once for each point, and a pair costs two short power series in rho.
 *
 *     sigma'(sqrt(q) u) = sum_j b_j h_j(u),   v_j = b_j / sqrt(j+1),   P(x) = sum_j x^j v_j(q1) v_j(q2)
 *     Sdot = (x P)'(rho),   S = a_0(q1) a_0(q2) + k P(rho)
 *
 * since a_{j+1} = sqrt(q/(j+1)) b_j: S is the integral of Sdot over k (Price), and both take one
 * table of coefficients, also where q is 0. Even and odd degrees are kept apart. For odd sigma the odd
 * ones vanish, for even sigma and for z/2 + even (gelu, silu, softplus) nearly all even ones.
 */
#include "dual_priv.h"
#include "alloc_priv.h"
#include "fail_priv.h"
#include "linalg_priv.h"
#include "vmath.h"

#include <float.h>
#include <math.h>
#include <string.h>

enum {
    LANES = 8,
    COLUMNS = NTH_VPOWER_COLUMNS,
    SPARE = COLUMNS / LANES - 1, /* blocks behind the last: a row may start in any */
    TERMS_MIN = 32,
    TERMS_MAX = 4096,
    ROWS = 256, /* points projected at a time */
    CHECKS = 8, /* points on which step and number of terms are tried */
    NODES_MAX = 1 << 14,
    BASIS_MAX = 1 << 23 /* doubles */
};
static const double ROUNDING = 64.0 * DBL_EPSILON; /* of sums over nodes and degrees, relative */
static const double TURN = 6.28318530717958647693;

struct nth_series {
    ptrdiff_t n, terms[2];    /* even and odd degrees */
    double   *v[2];           /* [block][term][lane] v_j of eight points */
    double   *a0;             /* (n, padded) E sigma(sqrt(q) u) */
    double   *root, *inverse; /* (n, padded) sqrt(q); 1/sqrt(q), 0 for q = 0 */
};

/* The trapezoid rule on u >= 0 (the two sides are folded) and the Hermite functions at its nodes. */
typedef struct basis {
    ptrdiff_t nodes, terms[2];
    double   *u, *w; /* (nodes) w_m^2 h = weight of node m; w_m = e^{-u^2/4} (2 pi)^{-1/4} */
    double    h;
    nth_mat   psi[2]; /* (nodes x terms) h_j(u) w(u) / sqrt(j+1), j even or odd */
    nth_mat   F[2];   /* (ROWS x nodes) sigma' folded, times w h */
} basis;

typedef struct moments {
    double a0, S, Sdot;      /* E sigma, E sigma^2, E sigma'^2 */
    double rough, rough_dot; /* the last two from every second node */
} moments;

static void basis_free(basis *b)
{
    nth_priv_free(b->u);
    for (int g = 0; g < 2; ++g) nth_priv_free(b->psi[g].a), nth_priv_free(b->F[g].a);
    *b = (basis){ 0 };
}

/* h_{j+1} = (u h_j - sqrt(j) h_{j-1}) / sqrt(j+1), carried with the factor w: nothing overflows. */
static void hermite(basis *b)
{
    const ptrdiff_t most = b->terms[0] > b->terms[1] ? b->terms[0] : b->terms[1];
    for (ptrdiff_t m = 0; m < b->nodes; ++m) {
        double last = 0.0, here = b->w[m];
        for (ptrdiff_t j = 0; j < 2 * most; ++j) {
            const double s = sqrt((double)j + 1.0),
                         next = (b->u[m] * here - sqrt((double)j) * last) / s;
            const nth_mat psi = b->psi[j % 2];
            if (j / 2 < psi.cols) psi.a[m * psi.ld + j / 2] = here / s;
            last = here, here = next;
        }
    }
}

static nth_status basis_create(basis *b, double U, double h, ptrdiff_t even, ptrdiff_t odd,
                               ptrdiff_t rows)
{
    nth_status st = NTH_OK;
    *b = (basis){ .nodes = (ptrdiff_t)ceil(U / h) + 1, .terms = { even, odd }, .h = h };
    NTH_TRY(nth_priv_doubles(&b->u, 2 * b->nodes, "nodes of dual activations"));
    b->w = b->u + b->nodes;
    for (int g = 0; g < 2; ++g) {
        NTH_TRY(nth_priv_mat(&b->psi[g], b->nodes, b->terms[g], "Hermite functions"));
        NTH_TRY(nth_priv_mat(&b->F[g], rows, b->nodes, "activations at the nodes"));
    }
    for (ptrdiff_t m = 0; m < b->nodes; ++m) {
        b->u[m] = (double)m * h;
        b->w[m] = exp(-0.25 * b->u[m] * b->u[m]) / sqrt(sqrt(TURN));
    }
    hermite(b);
done:
    if (st != NTH_OK) basis_free(b);
    return st;
}

/* sigma' of one point at all nodes into row i of F, and the moments. */
static moments fold(const basis *b, const nth_dual *dual, double q, ptrdiff_t i)
{
    double  z[NTH_DUAL_BLOCK], f[2][NTH_DUAL_BLOCK], df[2][NTH_DUAL_BLOCK];
    double *even = b->F[0].a + i * b->F[0].ld, *odd = b->F[1].a + i * b->F[1].ld;
    moments sum = { 0 };
    for (ptrdiff_t lo = 0; lo < b->nodes; lo += NTH_DUAL_BLOCK) {
        const ptrdiff_t n = b->nodes - lo < NTH_DUAL_BLOCK ? b->nodes - lo : NTH_DUAL_BLOCK;
        for (int side = 0; side < 2; ++side) {
            const double r = side == 0 ? sqrt(q) : -sqrt(q);
            for (ptrdiff_t m = 0; m < n; ++m) z[m] = r * b->u[lo + m];
            nth_priv_dual_eval(dual, z, n, f[side], df[side]);
        }
        for (ptrdiff_t m = 0; m < n; ++m) {
            const double w = b->w[lo + m], wh = w * (lo + m == 0 ? 0.5 * b->h : b->h), whw = wh * w;
            even[lo + m] = wh * (df[0][m] + df[1][m]);
            odd[lo + m] = wh * (df[0][m] - df[1][m]);
            sum.a0 += whw * (f[0][m] + f[1][m]);
            sum.S += whw * (f[0][m] * f[0][m] + f[1][m] * f[1][m]);
            sum.Sdot += whw * (df[0][m] * df[0][m] + df[1][m] * df[1][m]);
            if (m % 2 != 0) continue;
            sum.rough += 2.0 * whw * (f[0][m] * f[0][m] + f[1][m] * f[1][m]);
            sum.rough_dot += 2.0 * whw * (df[0][m] * df[0][m] + df[1][m] * df[1][m]);
        }
    }
    return sum;
}

/* v_j of n <= ROWS points into V[0] (n x even terms) and V[1] (n x odd terms). */
static nth_status project(const basis *b, const nth_dual *dual, const double *q, ptrdiff_t n,
                          nth_mat V[2], moments *mom)
{
    nth_status st = NTH_OK;
    for (ptrdiff_t i = 0; i < n; ++i) mom[i] = fold(b, dual, q[i], i);
    for (int g = 0; g < 2; ++g)
        if (b->terms[g] > 0)
            NTH_TRY(nth_gemm(1.0, NTH_N, nth_const(nth_block(b->F[g], 0, 0, n, b->nodes)), NTH_N,
                             nth_const(b->psi[g]), 0.0, nth_block(V[g], 0, 0, n, b->terms[g])));
done:
    return st;
}

/* What the sums miss of Sdot and S at rho = 1, and what halving the step changes, as multiples of
 * max(1, value): row i of V. */
typedef struct missing {
    double relative, absolute;
} missing;

static missing tail(const nth_mat V[2], const ptrdiff_t terms[2], ptrdiff_t i, double q,
                    const moments *m)
{
    double  S = m->a0 * m->a0, Sdot = 0.0;
    missing t;
    for (int g = 0; g < 2; ++g)
        for (ptrdiff_t a = terms[g] - 1; a >= 0; --a) {
            const double v = V[g].a[i * V[g].ld + a], vv = v * v;
            S += q * vv, Sdot += (double)(2 * a + g + 1) * vv;
        }
    S = nth_keep_max(fabs(m->S - S), fabs(m->S - m->rough));
    Sdot = nth_keep_max(fabs(m->Sdot - Sdot), fabs(m->Sdot - m->rough_dot));
    t.relative = nth_keep_max(S / fmax(1.0, m->S), Sdot / fmax(1.0, m->Sdot));
    t.absolute = nth_keep_max(S, Sdot);
    return t;
}

typedef struct trial {
    const nth_dual *dual;
    ptrdiff_t       n, terms; /* points tried; degrees 0 .. terms - 1 */
    double          q[CHECKS], U, tol;
    double          h, change;      /* step, and what the last halving changed */
    nth_mat         V[2], finer[2]; /* coefficients of the points for h and h/2 */
    moments         mom[CHECKS];
} trial;

/* |V(h) - V(h/2)| |V(h/2)| over all degrees and the change of the moments, relative to max(1, E sigma'^2). */
static double change(const trial *t)
{
    double worst = 0.0;
    for (ptrdiff_t i = 0; i < t->n; ++i) {
        double d = 0.0, scale = fmax(1.0, t->mom[i].Sdot), S = fmax(1.0, t->mom[i].S);
        for (int g = 0; g < 2; ++g)
            for (ptrdiff_t a = 0; a < t->terms / 2; ++a) {
                const double e =
                    t->V[g].a[i * t->V[g].ld + a] - t->finer[g].a[i * t->finer[g].ld + a];
                d += (double)(2 * a + g + 1) * e * e;
            }
        worst = nth_keep_max(worst, sqrt(d * t->mom[i].Sdot) / scale);
        worst = nth_keep_max(worst, fabs(t->mom[i].rough_dot - t->mom[i].Sdot) / scale);
        worst = nth_keep_max(worst, fabs(t->mom[i].rough - t->mom[i].S) / S);
    }
    return worst;
}

/* A step at which halving changes nothing that matters. Aliasing: psi_J has frequencies up to
 * sqrt(J), sigma' e^{-u^2/4} those which the series itself must resolve. The first step is at most
 * 1/2 in z: what is as wide as that is not missed by all nodes. */
static nth_status find_step(trial *t, bool *found)
{
    nth_status st = NTH_OK;
    basis      b = { 0 };
    *found = false;
    t->h = fmin(2.0 * TURN / (3.0 * sqrt((double)t->terms) + 20.0), 0.5 / sqrt(t->q[0]));
    t->h = fmax(t->h, 4.0 * t->U / NODES_MAX);
    for (int level = 0;; ++level) {
        const double nodes = t->U / t->h + 1.0;
        if (nodes > NODES_MAX || nodes * (double)t->terms > BASIS_MAX) {
            *found = level > 1 && t->change <= 0.5 * t->tol; /* rounding alone, with many terms */
            t->h *= 2.0;
            break;
        }
        NTH_TRY(basis_create(&b, t->U, t->h, t->terms / 2, t->terms / 2, t->n));
        for (int g = 0; g < 2; ++g) {
            const nth_mat last = t->V[g];
            t->V[g] = t->finer[g], t->finer[g] = last;
        }
        NTH_TRY(project(&b, t->dual, t->q, t->n, t->finer, t->mom));
        basis_free(&b);
        if (level > 0) t->change = change(t);
        if (level > 0 && t->change <= fmax(0.1 * t->tol, ROUNDING)) {
            *found = true;
            break;
        }
        t->h *= 0.5;
    }
done:
    basis_free(&b);
    return st;
}

/* Degrees beyond those needed are dropped: as few of each parity as leave out a tenth of tol. */
static void trim(const trial *t, ptrdiff_t terms[2])
{
    for (int g = 0; g < 2; ++g) {
        terms[g] = 0;
        for (ptrdiff_t i = 0; i < t->n; ++i) {
            const double scale = fmax(1.0, t->mom[i].Sdot), S = fmax(1.0, t->mom[i].S);
            ptrdiff_t    a = t->terms / 2;
            double       left = 0.0;
            for (; a > terms[g]; --a) {
                const double v = t->finer[g].a[i * t->finer[g].ld + a - 1];
                left += v * v * fmax((double)(2 * a - 1 + g) / scale, t->q[i] / S);
                if (!(left <= 0.1 * t->tol)) break;
            }
            if (a > terms[g]) terms[g] = a;
        }
    }
}

static nth_status tables_create(nth_series *s, ptrdiff_t n, const ptrdiff_t terms[2])
{
    nth_status      st = NTH_OK;
    const ptrdiff_t blocks = (n + LANES - 1) / LANES + SPARE;
    double         *points;
    NTH_TRY(nth_priv_doubles(&points, 3 * blocks * LANES, "means of activations"));
    s->a0 = points, s->root = points + blocks * LANES, s->inverse = points + 2 * blocks * LANES;
    s->n = n;
    for (int g = 0; g < 2; ++g) {
        s->terms[g] = terms[g];
        NTH_TRY(nth_priv_doubles(&s->v[g], blocks * LANES * terms[g], "Hermite coefficients"));
    }
done:
    return st;
}

static void tables_free(nth_series *s)
{
    nth_priv_free(s->a0);
    for (int g = 0; g < 2; ++g) nth_priv_free(s->v[g]);
    *s = (nth_series){ 0 };
}

/* Coefficients of all points, a block of them at a time; the worst tail. */
static nth_status fill(nth_series *s, const trial *t, const double *q, double *variance,
                       missing *worst)
{
    nth_status st = NTH_OK;
    basis      b = { 0 };
    nth_mat    V[2] = { { 0 }, { 0 } };
    moments    mom[ROWS];
    *worst = (missing){ 0 };
    NTH_TRY(basis_create(&b, t->U, t->h, s->terms[0], s->terms[1], s->n < ROWS ? s->n : ROWS));
    for (int g = 0; g < 2; ++g)
        NTH_TRY(
            nth_priv_mat(&V[g], s->n < ROWS ? s->n : ROWS, s->terms[g], "Hermite coefficients"));
    for (ptrdiff_t lo = 0; lo < s->n; lo += ROWS) {
        const ptrdiff_t n = s->n - lo < ROWS ? s->n - lo : ROWS;
        NTH_TRY(project(&b, t->dual, q + lo, n, V, mom));
        for (ptrdiff_t i = 0; i < n; ++i) {
            const ptrdiff_t p = lo + i;
            const missing   left = tail(V, s->terms, i, q[p], &mom[i]);
            worst->relative = nth_keep_max(worst->relative, left.relative);
            worst->absolute = nth_keep_max(worst->absolute, left.absolute);
            for (int g = 0; g < 2; ++g)
                for (ptrdiff_t a = 0; a < s->terms[g]; ++a)
                    s->v[g][(p / LANES * s->terms[g] + a) * LANES + p % LANES] =
                        V[g].a[i * V[g].ld + a];
            s->a0[p] = mom[i].a0;
            s->root[p] = sqrt(q[p]);
            s->inverse[p] = q[p] > 0.0 ? 1.0 / s->root[p] : 0.0;
            if (variance != NULL) variance[p] = mom[i].S;
        }
    }
done:
    for (int g = 0; g < 2; ++g) nth_priv_free(V[g].a);
    basis_free(&b);
    return st;
}

/* The largest and the smallest variance and others evenly spaced: what is tried on them holds for
 * the rest in all but odd cases, and is checked in the end. */
static nth_status choose(trial *t, const nth_dual *dual, const double *q, ptrdiff_t n, double tol)
{
    nth_status st = NTH_OK;
    double     U, most = q[0], least = q[0];
    for (ptrdiff_t i = 0; i < n; ++i) {
        NTH_REQUIRE(q[i] >= 0.0 && q[i] < NTH_DUAL_MAX_VARIANCE, NTH_E_ARG,
                    "variance %td is %g; must be in [0, %g)", i, q[i], NTH_DUAL_MAX_VARIANCE);
        most = fmax(most, q[i]), least = fmin(least, q[i]);
    }
    *t = (trial){ .dual = dual, .n = n < CHECKS ? n : CHECKS, .tol = tol };
    for (ptrdiff_t i = 0; i < t->n; ++i) t->q[i] = q[i * n / t->n];
    t->q[0] = most;
    if (t->n > 1) t->q[1] = least;
    for (ptrdiff_t i = 0; i < t->n; ++i) {
        NTH_TRY(nth_priv_dual_reach(dual, t->q[i], 1e-18, &U));
        t->U = fmax(t->U, U);
    }
done:
    return st;
}

static nth_status trial_terms(trial *t, ptrdiff_t terms, bool *found)
{
    nth_status st = NTH_OK;
    t->terms = terms;
    for (int g = 0; g < 2; ++g) {
        nth_priv_free(t->V[g].a), nth_priv_free(t->finer[g].a);
        t->V[g] = t->finer[g] = (nth_mat){ 0 };
        NTH_TRY(nth_priv_mat(&t->V[g], t->n, terms / 2, "Hermite coefficients"));
        NTH_TRY(nth_priv_mat(&t->finer[g], t->n, terms / 2, "Hermite coefficients"));
    }
    NTH_TRY(find_step(t, found));
done:
    return st;
}

/* Terms are doubled on the points of the trial, then all points are done with what these need. */
static nth_status build(nth_series *s, trial *t, const double *q, ptrdiff_t n, double *error,
                        double *variance)
{
    nth_status    st = NTH_OK;
    const double  enough = fmax(t->tol, ROUNDING);
    const missing none = { 0 };
    bool          settled;
    ptrdiff_t     need[2];
    for (ptrdiff_t terms = TERMS_MIN; terms <= TERMS_MAX; terms *= 2) {
        missing worst = none;
        NTH_TRY(trial_terms(t, terms, &settled));
        NTH_REQUIRE(
            settled, NTH_E_NUMERIC,
            "Hermite coefficients do not settle under refinement (is sigma smooth?): largest "
            "variance %g, tolerance %g asked, error %g reached",
            t->q[0], t->tol,
            *error = terms > TERMS_MIN ? nth_keep_max(*error, t->change) : t->change);
        for (ptrdiff_t i = 0; i < t->n; ++i) {
            const missing left =
                tail(t->finer, (ptrdiff_t[2]){ terms / 2, terms / 2 }, i, t->q[i], &t->mom[i]);
            worst.relative = nth_keep_max(worst.relative, left.relative);
            worst.absolute = nth_keep_max(worst.absolute, left.absolute);
        }
        *error = worst.absolute + t->change;
        if (!(worst.relative <= 0.5 * enough)) continue;
        for (int all = 0; all < 2; ++all) { /* all: other points need more than those tried */
            trim(t, need);
            if (all) need[0] = need[1] = terms / 2;
            tables_free(s);
            NTH_TRY(tables_create(s, n, need));
            NTH_TRY(fill(s, t, q, variance, &worst));
            *error = worst.absolute + t->change;
            if (worst.relative <= enough) return NTH_OK;
        }
    }
    NTH_FAIL(
        NTH_E_NUMERIC,
        "Hermite series with %d terms: largest variance %g, tolerance %g asked, error %g reached",
        (int)TERMS_MAX, t->q[0], t->tol, *error);
done:
    return st;
}

nth_status nth_series_create(nth_series **out, const nth_dual *dual, const double *q, ptrdiff_t n,
                             double tol, double *error, double *variance)
{
    nth_status  st = NTH_OK;
    nth_series *s = NULL;
    trial       t = { 0 };
    *out = NULL;
    *error = INFINITY;
    NTH_TRY(nth_priv_dual_check(dual));
    NTH_REQUIRE(n >= 1, NTH_E_SHAPE, "%td points; at least one is needed", n);
    NTH_REQUIRE(tol > 0.0, NTH_E_ARG, "tolerance %g; must be positive", tol);
    NTH_TRY(choose(&t, dual, q, n, tol));
    NTH_REQUIRE(!nth_priv_dual_kink(dual), NTH_E_NUMERIC,
                "sigma has a kink at 0, its Hermite series decays too slowly: largest variance %g, "
                "tolerance %g asked, error %g reached",
                t.q[0], tol, *error);
    NTH_TRY(nth_priv_alloc(&s, 1, sizeof *s, "Hermite series"));
    NTH_TRY(build(s, &t, q, n, error, variance));
    *out = s, s = NULL;
done:
    for (int g = 0; g < 2; ++g) nth_priv_free(t.V[g].a), nth_priv_free(t.finer[g].a);
    nth_series_destroy(&s);
    return st;
}

void nth_series_destroy(nth_series **s)
{
    if (*s == NULL) return;
    tables_free(*s);
    nth_priv_free(*s);
    *s = NULL;
}

ptrdiff_t nth_series_terms(const nth_series *s) { return s->terms[0] + s->terms[1]; }

/* NTH_VPOWER_COLUMNS pairs (i, j) with j from `base`, a multiple of 8; x their correlations. */
static void columns(const nth_series *s, double c[2][TERMS_MAX / 2], ptrdiff_t base,
                    const double *x, double *P, double *Sdot)
{
    double y[COLUMNS], G[COLUMNS], dG[COLUMNS];
    for (int v = 0; v < COLUMNS; ++v) y[v] = x[v] * x[v], P[v] = Sdot[v] = 0.0;
    for (int g = 0; g < 2; ++g) {
        const ptrdiff_t terms = s->terms[g];
        if (terms == 0) continue;
        nth_vpower_sums(G, dG, y, c[g], s->v[g] + base * terms, LANES * terms, terms);
        for (int v = 0; v < COLUMNS; ++v) {
            const double up = g == 0 ? 1.0 : x[v];
            P[v] += up * G[v];
            Sdot[v] += up * ((g + 1) * G[v] + 2.0 * y[v] * dG[v]);
        }
    }
}

void nth_series_row(const nth_series *s, ptrdiff_t i, ptrdiff_t j0, ptrdiff_t n, const double *k,
                    double *S, double *Sdot)
{
    double          c[2][TERMS_MAX / 2], x[COLUMNS], kc[COLUMNS];
    double          P[COLUMNS], D[COLUMNS];
    const ptrdiff_t end = j0 + n;
    for (int g = 0; g < 2; ++g)
        for (ptrdiff_t a = 0; a < s->terms[g]; ++a)
            c[g][a] = s->v[g][(i / LANES * s->terms[g] + a) * LANES + i % LANES];
    for (ptrdiff_t base = j0 - j0 % LANES; base < end; base += COLUMNS) {
        const ptrdiff_t lo = base < j0 ? j0 : base,
                        hi = end < base + COLUMNS ? end : base + COLUMNS;
        const size_t  bytes = (size_t)(hi - lo) * sizeof(double);
        const double *inverse = s->inverse + base, *root = s->root + base, *a0 = s->a0 + base;
        memset(kc, 0, sizeof kc);
        memcpy(kc + (lo - base), k + (lo - j0), bytes);
        for (int v = 0; v < COLUMNS; ++v) x[v] = kc[v] * s->inverse[i] * inverse[v];
        for (int v = 0; v < COLUMNS; ++v) {
            const double r = x[v] > 1.0 ? 1.0 : x[v], clipped = r < -1.0 ? -1.0 : r;
            kc[v] = clipped == x[v] ? kc[v] : clipped * s->root[i] * root[v];
            x[v] = clipped;
        }
        columns(s, c, base, x, P, D);
        for (int v = 0; v < COLUMNS; ++v) P[v] = s->a0[i] * a0[v] + kc[v] * P[v];
        memcpy(S + (lo - j0), P + (lo - base), bytes);
        memcpy(Sdot + (lo - j0), D + (lo - base), bytes);
    }
}
