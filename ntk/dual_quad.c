/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Dual activations of one pair by quadrature (E51), for any activation.
 *
 * Smooth sigma: the trapezoid rule over the plane, exponentially accurate in 1/h. Each refinement
 * also shifts the grid, so that a sigma which oscillates in step with one grid (sin at a resonant
 * variance) is not taken for a constant twice. With a kink at 0: polar coordinates. In the sectors
 * between the rays z1 = 0 and z2 = 0 the signs of both are fixed and sigma is smooth.
 */
#include "dual_priv.h"
#include "fail_priv.h"
#include "legendre_priv.h"
#include "linalg_priv.h"
#include "vmath.h"

#include <math.h>

enum { BLOCK = NTH_DUAL_BLOCK, REACH_MAX = 38, POINTS = 20, PANELS_MAX = 64 };

static const double INV_SQRT_TURN = 0.39894228040143267794, INV_TURN = 0.15915494309189533577;

typedef struct sums {
    double S, Sdot, size, size_dot; /* the integrals, and those of the absolute values */
} sums;

typedef struct plane {
    const nth_dual *dual;
    double          r1, along, across; /* z1 = r1 u, z2 = along u + across v */
    double          U;                 /* nothing is left outside this radius */
} plane;

static void add(sums *t, double w, const sums *s)
{
    t->S += w * s->S, t->Sdot += w * s->Sdot;
    t->size += w * s->size, t->size_dot += w * s->size_dot;
}

nth_status nth_priv_dual_reach(const nth_dual *dual, double q, double level, double *U)
{
    enum { STEPS = 4 * REACH_MAX };
    nth_status st = NTH_OK;
    double     z[BLOCK], f[BLOCK], df[BLOCK], g[STEPS + 1], dg[STEPS + 1], most = 0.0, dmost = 0.0;
    int        last = 4 * 9;
    for (int i = 0; i <= STEPS; ++i) g[i] = dg[i] = 0.0;
    for (int side = -1; side <= 1; side += 2) {
        for (int i = 0; i <= STEPS; ++i) z[i] = side * 0.25 * i * sqrt(q);
        nth_priv_dual_eval(dual, z, STEPS + 1, f, df);
        for (int i = 0; i <= STEPS; ++i) {
            const double w = exp(-0.015625 * i * i);
            g[i] = fmax(g[i], fabs(f[i]) * w), dg[i] = fmax(dg[i], fabs(df[i]) * w);
            most = fmax(most, g[i]), dmost = fmax(dmost, dg[i]);
        }
    }
    for (int i = last; i <= STEPS; ++i)
        if (!(g[i] <= level * most && dg[i] <= level * dmost && g[i] + dg[i] < INFINITY))
            last = i + 1;
    NTH_REQUIRE(last <= STEPS, NTH_E_NUMERIC,
                "sigma at variance %g grows too fast to be integrated, or is not finite", q);
    *U = 0.25 * last;
done:
    return st;
}

/* Nodes of a grid of step h over [-U, U] from number `first` on: at most a block of them. */
static ptrdiff_t grid(double U, double h, double shift, ptrdiff_t first, double *u, double *w)
{
    const ptrdiff_t all = (ptrdiff_t)ceil(2.0 * U / h), left = all - first;
    const ptrdiff_t n = left < BLOCK ? left : BLOCK;
    for (ptrdiff_t i = 0; i < n; ++i) {
        u[i] = -U + ((double)(first + i) + shift) * h;
        w[i] = -0.5 * u[i] * u[i];
    }
    if (n <= 0) return 0;
    nth_vexp(w, w, n);
    for (ptrdiff_t i = 0; i < n; ++i) w[i] *= h * INV_SQRT_TURN;
    return n;
}

static void products(const double *w, const double *f, const double *df, const double *g,
                     const double *dg, ptrdiff_t n, sums *t)
{
    for (ptrdiff_t i = 0; i < n; ++i) {
        const double s = w[i] * f[i] * g[i], d = w[i] * df[i] * dg[i];
        t->S += s, t->Sdot += d;
        t->size += fabs(s), t->size_dot += fabs(d);
    }
}

/* The v integral at one u: the part of a block of nodes inside the circle. */
static void chord(const plane *p, double u, const double *v, const double *w, ptrdiff_t n, sums *t)
{
    double       z[BLOCK], f[BLOCK], df[BLOCK];
    const double room = p->U * p->U - u * u;
    ptrdiff_t    lo = 0, hi = n;
    while (lo < hi && v[lo] * v[lo] > room) ++lo;
    while (hi > lo && v[hi - 1] * v[hi - 1] > room) --hi;
    if (lo >= hi) return;
    for (ptrdiff_t i = lo; i < hi; ++i) z[i - lo] = p->along * u + p->across * v[i];
    nth_priv_dual_eval(p->dual, z, hi - lo, f, df);
    for (ptrdiff_t i = lo; i < hi; ++i) {
        const double s = w[i] * f[i - lo], d = w[i] * df[i - lo];
        t->S += s, t->Sdot += d;
        t->size += fabs(s), t->size_dot += fabs(d);
    }
}

static sums trapezoid(const plane *p, double h, double shift)
{
    double u[BLOCK], v[BLOCK], wu[BLOCK], wv[BLOCK], z[BLOCK], f[BLOCK], df[BLOCK], g[BLOCK],
        dg[BLOCK];
    sums      total = { 0 };
    ptrdiff_t nu, nv;
    for (ptrdiff_t a = 0; (nu = grid(p->U, h, shift, a, u, wu)) > 0; a += nu) {
        for (ptrdiff_t i = 0; i < nu; ++i) z[i] = p->r1 * u[i];
        nth_priv_dual_eval(p->dual, z, nu, f, df);
        if (p->across == 0.0) {
            for (ptrdiff_t i = 0; i < nu; ++i) z[i] = p->along * u[i];
            nth_priv_dual_eval(p->dual, z, nu, g, dg);
            products(wu, f, df, g, dg, nu, &total);
            continue;
        }
        for (ptrdiff_t b = 0; (nv = grid(p->U, h, shift, b, v, wv)) > 0; b += nv)
            for (ptrdiff_t i = 0; i < nu; ++i) {
                sums t = { 0 };
                chord(p, u[i], v, wv, nv, &t);
                total.S += wu[i] * f[i] * t.S, total.Sdot += wu[i] * df[i] * t.Sdot;
                total.size += wu[i] * fabs(f[i]) * t.size;
                total.size_dot += wu[i] * fabs(df[i]) * t.size_dot;
            }
    }
    return total;
}

typedef struct polar {
    const nth_dual *dual;
    double          r1, r2, theta, opposite, U;
    double          x[POINTS], w[POINTS]; /* Gauss-Legendre on [0, 1] */
} polar;

/* Both half lines along (e1, e2): int over r of density(r) sigma(r1 e1 r) sigma(r2 e2 r). */
static void ray(const polar *p, double e1, double e2, const double *r, const double *w, ptrdiff_t n,
                sums *t)
{
    double z[BLOCK], f[BLOCK], df[BLOCK], g[BLOCK], dg[BLOCK];
    for (ptrdiff_t lo = 0; lo < n; lo += BLOCK) {
        const ptrdiff_t len = n - lo < BLOCK ? n - lo : BLOCK;
        for (int side = -1; side <= 1; side += 2) {
            for (ptrdiff_t i = 0; i < len; ++i) z[i] = side * p->r1 * (e1 * r[lo + i]);
            nth_priv_dual_eval(p->dual, z, len, f, df);
            for (ptrdiff_t i = 0; i < len; ++i) z[i] = side * p->r2 * (e2 * r[lo + i]);
            nth_priv_dual_eval(p->dual, z, len, g, dg);
            products(w + lo, f, df, g, dg, len, t);
        }
    }
}

/* The sector of this width between the rays z1 = 0 and z2 = 0, and its mirror image. */
static void sector(const polar *p, double width, int sign, int panels, const double *r,
                   const double *w, sums *total)
{
    for (int a = 0; a < panels; ++a)
        for (int i = 0; i < POINTS; ++i) {
            const double part = (a + p->x[i]) / panels,
                         rest = (panels - 1 - a + (1.0 - p->x[i])) / panels;
            sums t = { 0 };
            ray(p, sin(part * width), sign * sin(rest * width), r, w, (ptrdiff_t)panels * POINTS,
                &t);
            add(total, p->w[i] / panels * width, &t);
        }
}

static sums panels_of(const polar *p, int panels)
{
    double     r[POINTS * PANELS_MAX], w[POINTS * PANELS_MAX];
    const bool line = p->theta == 0.0 || p->opposite == 0.0;
    sums       total = { 0 };
    for (int a = 0; a < panels; ++a)
        for (int i = 0; i < POINTS; ++i) {
            const double s = p->U * (a + p->x[i]) / panels;
            r[a * POINTS + i] = s;
            w[a * POINTS + i] =
                p->U / panels * p->w[i] * exp(-0.5 * s * s) * (line ? INV_SQRT_TURN : s * INV_TURN);
        }
    if (line) {
        ray(p, 1.0, p->theta == 0.0 ? 1.0 : -1.0, r, w, (ptrdiff_t)panels * POINTS, &total);
    } else {
        sector(p, p->opposite, 1, panels, r, w, &total);
        sector(p, p->theta, -1, panels, r, w, &total);
    }
    return total;
}

/* Takes over the newer result; true if it differs from the last one by no more than tol. */
static bool settled(nth_dual_value *out, const sums *t, double tol)
{
    const double dS = fabs(t->S - out->S), ddot = fabs(t->Sdot - out->Sdot);
    *out = (nth_dual_value){ .S = t->S, .Sdot = t->Sdot, .error = nth_keep_max(dS, ddot) };
    return dS <= tol * fmax(1.0, t->size) && ddot <= tol * fmax(1.0, t->size_dot);
}

static bool smooth(nth_dual_value *out, const plane *p, double tol)
{
    const double finest = p->across == 0.0 ? 1.0 / 16384 : 1.0 / 256;
    double       h = fmax(fmin(0.25, 0.5 / p->r1), 8.0 * finest); /* at most 1/2 in z */
    sums         t = trapezoid(p, h, 0.5);
    (void)settled(out, &t, tol);
    for (int level = 1; h >= 2.0 * finest; ++level) {
        const double turn = 0.5 + 0.38196601125010515 * level * level; /* no pattern over levels */
        h *= 0.5;
        t = trapezoid(p, h, turn - floor(turn));
        if (settled(out, &t, tol)) return true;
        if (!isfinite(out->error)) return false;
    }
    return false;
}

static bool kinked(nth_dual_value *out, polar *p, double tol)
{
    sums t = panels_of(p, 1);
    (void)settled(out, &t, tol);
    for (int panels = 2; panels <= PANELS_MAX; panels *= 2) {
        t = panels_of(p, panels);
        if (settled(out, &t, tol)) return true;
        if (!isfinite(out->error)) return false;
    }
    return false;
}

nth_status nth_dual_quadrature(nth_dual_value *out, const nth_dual *dual, double q1, double q2,
                               double k, double tol)
{
    nth_status st = NTH_OK;
    bool       ok;
    double     U1, U2;
    *out = (nth_dual_value){ 0 };
    NTH_TRY(nth_priv_dual_check(dual));
    NTH_TRY(nth_priv_dual_pair_check(q1, q2, &k));
    NTH_REQUIRE(tol > 0.0, NTH_E_ARG, "tolerance %g; must be positive", tol);
    if (q1 < q2) {
        const double q = q1;
        q1 = q2, q2 = q;
    }
    NTH_TRY(nth_priv_dual_reach(dual, q1, 1e-9, &U1));
    NTH_TRY(nth_priv_dual_reach(dual, q2, 1e-9, &U2));
    if (nth_priv_dual_kink(dual)) {
        /* Where a variance is 0, the two sides of the kink still count: a tiny one stands for it. */
        polar p = { .dual = dual, .r1 = fmax(sqrt(q1), 1e-300), .r2 = fmax(sqrt(q2), 1e-300) };
        p.U = fmax(U1, U2);
        p.theta = nth_priv_dual_angle(q1, q2, k, &p.opposite);
        nth_legendre_nodes(POINTS, p.x, p.w);
        ok = kinked(out, &p, tol);
    } else {
        plane p = { .dual = dual, .r1 = sqrt(q1), .U = fmax(U1, U2) };
        if (q1 > 0.0) {
            p.along = k / p.r1;
            p.across = sqrt(nth_priv_dual_det(q1, q2, k)) / p.r1;
        }
        ok = smooth(out, &p, tol);
    }
    NTH_REQUIRE(ok, NTH_E_NUMERIC,
                "dual at variances %g and %g, covariance %g: tolerance %g asked, error %g reached",
                q1, q2, k, tol, out->error);
done:
    return st;
}
