/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Orthants of four Gaussian variables: stored values (L1-L11), closed cases, random correlations of
 * every rank against slow twins (a path that turns all correlations on at once; in three dimensions
 * the closed form by flipping signs), sums over sign patterns, the sum rule and Price's identity
 * (D26), small angles, vectors close to a plane, refusals.
 */
#include "nth_test.h"
#include "legendre_priv.h"
#include "nth/expected.h"
#include "nth/rng.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

static const double PI = 3.14159265358979323846;

static const double stored[3][6] = { { .3, -.2, .5, .4, .1, -.3 }, { .7, .6, .5, .4, .6, .3 }, { -.25, .15, -.35, -.45, .2, .55 } };
/* L1-L11: P4, m11, m12, m13, m14, m22, m23, m24, m33, m34, m44. */
static const double oracle[3][11] = {
    { 0.09847195078423721, 0.1166694628715991, 0.09897908392175873, 0.06123788455272163, 0.07876691459148246, 0.1496883992938671,
      0.08210115049476663, 0.08322455423646613, 0.08139328048189563, 0.0535764819776154, 0.09614367242641692 },
    { 0.2066543428605400, 0.3313297091522739, 0.2765723444981071, 0.2488495556551178, 0.2418264406106637, 0.3151889441157348,
      0.2226928831620537, 0.2442412626000293, 0.2803466746034179, 0.2041209749041062, 0.2882444452601764 },
    { 0.06063993325494241, 0.04328497985766168, 0.02450945683548062, 0.03089344949440681, 0.03110758874243487, 0.03748646421380352,
      0.02435286213295415, 0.03474826106099736, 0.04865520247015275, 0.04564676065773059, 0.06311668860523631 },
};

static void fill(double *R, const double *six)
{
    for (int i = 0, at = 0; i < 4; ++i) {
        R[5 * i] = 1.0;
        for (int j = i + 1; j < 4; ++j, ++at) R[4 * i + j] = R[4 * j + i] = six[at];
    }
}

static void oracles(void)
{
    double R[16], C[16], worst = 0.0;
    for (int c = 0; c < 3; ++c) {
        nth_orthant o, scaled;
        fill(R, stored[c]);
        NTH_CHECK_OK(nth_orthant_moments(&o, 4, R, NULL));
        worst = nth_worst(worst, fabs(o.P / oracle[c][0] - 1.0));
        for (int k = 0, at = 1; k < 4; ++k)
            for (int l = k; l < 4; ++l, ++at) worst = nth_worst(worst, fabs(o.m[k][l] / oracle[c][at] - 1.0));
        NTH_CHECK(o.error < 1e-13);
        for (int i = 0; i < 16; ++i) C[i] = R[i] * (1 << i / 4) * (1 << i % 4);
        NTH_CHECK_OK(nth_orthant_moments(&scaled, 4, C, NULL));
        NTH_CHECK_CLOSE(scaled.P, o.P, 0.0, 0.0); /* powers of two: the same bits */
        NTH_CHECK_CLOSE(scaled.m[2][3], 32.0 * o.m[2][3], 0.0, 0.0);
    }
    printf("    worst %.2e\n", worst);
    NTH_CHECK_CLOSE(worst, 0.0, 0.0, 1e-13);
}

static double p3(double a, double b, double c) { return 0.125 + (asin(a) + asin(b) + asin(c)) / (4.0 * PI); }

static void closed_cases(void)
{
    static const double none[6] = { 0 }, half[6] = { .5, .5, .5, .5, .5, .5 }, pair[6] = { .2, 1, .7, .2, -.1, .7 },
                        two[6] = { 1, .3, .3, .3, .3, 1 }, opposite[6] = { .2, -1, .7, -.2, -.1, -.7 };
    double              R[16];
    nth_orthant         o, p;
    fill(R, none);
    NTH_CHECK_OK(nth_orthant_moments(&o, 4, R, NULL));
    NTH_CHECK_CLOSE(o.P, 0.0625, 1e-15, 0.0);
    NTH_CHECK_CLOSE(o.m[0][0], 0.0625, 1e-14, 0.0);
    NTH_CHECK_CLOSE(o.m[1][2], 0.125 / PI, 1e-14, 0.0);
    fill(R, half);
    NTH_CHECK_OK(nth_orthant_moments(&o, 4, R, NULL));
    NTH_CHECK_CLOSE(o.P, 0.2, 1e-14, 0.0);
    fill(R, pair); /* 1 and 3 coincide */
    const double R3[9] = { 1, .2, .7, .2, 1, -.1, .7, -.1, 1 };
    NTH_CHECK_OK(nth_orthant_moments(&o, 4, R, NULL));
    NTH_CHECK_OK(nth_orthant_moments(&p, 3, R3, NULL));
    NTH_CHECK_CLOSE(p.P, p3(.2, .7, -.1), 1e-15, 0.0);
    NTH_CHECK_CLOSE(o.P, p.P, 1e-14, 0.0);
    for (int k = 0; k < 4; ++k)
        for (int l = 0; l < 4; ++l) NTH_CHECK_CLOSE(o.m[k][l], p.m[k % 2 + k / 3][l % 2 + l / 3], 1e-14, 0.0);
    fill(R, two);
    NTH_CHECK_OK(nth_orthant_moments(&o, 4, R, NULL));
    const double th = acos(.3);
    NTH_CHECK_CLOSE(o.P, (PI - th) / (2.0 * PI), 1e-14, 0.0);
    NTH_CHECK_CLOSE(o.m[0][1], (PI - th + sin(th) * cos(th)) / (2.0 * PI), 1e-14, 0.0);
    NTH_CHECK_CLOSE(o.m[1][2], (sin(th) + (PI - th) * cos(th)) / (2.0 * PI), 1e-14, 0.0);
    fill(R, opposite);
    NTH_CHECK_OK(nth_orthant_moments(&o, 4, R, NULL));
    NTH_CHECK(o.P == 0.0 && o.m[0][0] == 0.0 && o.m[1][3] == 0.0);
    const double same[16] = { 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1 }, zero[4] = { 0, 0, 0, 2 };
    NTH_CHECK_OK(nth_orthant_moments(&o, 4, same, NULL));
    NTH_CHECK_CLOSE(o.P, 0.5, 1e-15, 0.0);
    NTH_CHECK_CLOSE(o.m[0][3], 0.5, 1e-15, 0.0);
    NTH_CHECK_OK(nth_orthant_moments(&o, 1, (const double[]){ 3.0 }, NULL));
    NTH_CHECK(o.P == 0.5 && fabs(o.m[0][0] - 1.5) < 1e-15);
    NTH_CHECK_OK(nth_orthant_moments(&o, 2, zero, NULL));
    NTH_CHECK(o.P == 0.0 && o.m[1][1] == 0.0);
}

/* Four random unit vectors in d dimensions and their correlations. */
static void draw(double U[4][8], double *R, int d, unsigned run)
{
    memset(U, 0, 4 * sizeof *U);
    for (int i = 0; i < 4; ++i) {
        double s = 0.0;
        nth_rand_normals(U[i], d, 7, NTH_STREAM_TEST, run, (uint64_t)(8 * i));
        for (int c = 0; c < d; ++c) s += U[i][c] * U[i][c];
        for (int c = 0; c < d; ++c) U[i][c] /= sqrt(s);
    }
    for (int i = 0; i < 4; ++i)
        for (int j = 0; j < 4; ++j) {
            R[4 * i + j] = i == j;
            for (int c = 0; c < d && i != j; ++c) R[4 * i + j] += U[i][c] * U[j][c];
        }
}

/* Plackett's derivative along (1-t) I + t R: all six correlations grow together; Gauss-Legendre. */
static double by_path(const double *R)
{
    double x[60], w[60], P = 0.0625;
    nth_legendre_nodes(60, x, w);
    for (int k = 0; k < 60; ++k)
        for (int i = 0; i < 4; ++i)
            for (int j = 0; j < i; ++j) {
                const double t = 1.0 - pow(1.0 - x[k], 3.0), dt = 3.0 * w[k] * (1.0 - x[k]) * (1.0 - x[k]);
                const double c = t * R[4 * i + j], D = 1.0 - c * c;
                int          o[2], at = 0;
                double       S[2][2];
                for (int s = 0; s < 4; ++s)
                    if (s != i && s != j) o[at++] = s;
                for (int a = 0; a < 2; ++a)
                    for (int b = 0; b < 2; ++b) {
                        const double ai = t * R[4 * o[a] + i], aj = t * R[4 * o[a] + j], bi = t * R[4 * o[b] + i],
                                     bj = t * R[4 * o[b] + j];
                        S[a][b] = (a == b ? 1.0 : t * R[4 * o[a] + o[b]]) - (ai * bi + aj * bj - c * (ai * bj + aj * bi)) / D;
                    }
                const double rho = S[0][1] / sqrt(S[0][0] * S[1][1]);
                P += dt * R[4 * i + j] * (0.25 + asin(fmax(-1.0, fmin(1.0, rho))) / (2.0 * PI)) / (2.0 * PI * sqrt(D));
            }
    return P;
}

static double angle_asin(const double *a, const double *b) /* asin of the cosine, by the chord */
{
    double s = 0.0, d = 0.0, e = 0.0;
    for (int c = 0; c < 8; ++c) s += a[c] * b[c], d += (a[c] - b[c]) * (a[c] - b[c]), e += (a[c] + b[c]) * (a[c] + b[c]);
    return s > 0.0 ? PI / 2.0 - 2.0 * asin(fmin(1.0, sqrt(d) / 2.0)) : 2.0 * asin(fmin(1.0, sqrt(e) / 2.0)) - PI / 2.0;
}

static double det3(const double *a, const double *b, const double *c)
{
    return a[0] * (b[1] * c[2] - b[2] * c[1]) - a[1] * (b[0] * c[2] - b[2] * c[0]) + a[2] * (b[0] * c[1] - b[1] * c[0]);
}

/* Three dimensions, sum_i lambda_i u_i = 0: the signs of lambda are impossible; every flip of one sign
 * turns P into P3 - P. */
static double by_flips(double U[4][8])
{
    double V[4][8], P = 0.0;
    int    flip[4];
    for (int i = 0; i < 4; ++i) {
        const int    a = i == 0, b = i <= 1 ? 2 : 1, c = i <= 2 ? 3 : 2;
        const double lambda = (i % 2 == 0 ? 1.0 : -1.0) * det3(U[a], U[b], U[c]);
        flip[i] = lambda < 0.0;
        for (int k = 0; k < 8; ++k) V[i][k] = (flip[i] ? -1.0 : 1.0) * U[i][k];
    }
    for (int i = 0; i < 4; ++i) {
        const int a = i == 0, b = i <= 1 ? 2 : 1, c = i <= 2 ? 3 : 2;
        if (!flip[i]) continue;
        P = 0.125 + (angle_asin(V[a], V[b]) + angle_asin(V[a], V[c]) + angle_asin(V[b], V[c])) / (4.0 * PI) - P;
        for (int k = 0; k < 8; ++k) V[i][k] = U[i][k];
    }
    return P;
}

static double by_angles(double U[4][8])
{
    double low = -PI / 2.0, high = PI / 2.0;
    for (int i = 1; i < 4; ++i) {
        const double a = remainder(atan2(U[i][1], U[i][0]) - atan2(U[0][1], U[0][0]), 2.0 * PI);
        low = fmax(low, a - PI / 2.0), high = fmin(high, a + PI / 2.0);
    }
    return fmax(0.0, high - low) / (2.0 * PI);
}

/* Sums over the sixteen sign patterns, and the same numbers under a permutation. */
static double patterns(const double *R, double *shuffled)
{
    static const int order[4] = { 2, 0, 3, 1 };
    double           total = 0.0, sums[4][4] = { { 0 } }, worst = 0.0;
    for (int s = 0; s < 16; ++s) {
        double      F[16], G[16];
        nth_orthant o, p;
        for (int i = 0; i < 4; ++i)
            for (int j = 0; j < 4; ++j) F[4 * i + j] = ((s >> i ^ s >> j) & 1 ? -1.0 : 1.0) * R[4 * i + j];
        for (int i = 0; i < 4; ++i)
            for (int j = 0; j < 4; ++j) G[4 * i + j] = F[4 * order[i] + order[j]];
        NTH_CHECK_OK(nth_orthant_moments(&o, 4, F, NULL));
        NTH_CHECK_OK(nth_orthant_moments(&p, 4, G, NULL));
        total += o.P;
        *shuffled = nth_worst(*shuffled, fabs(p.P - o.P));
        for (int i = 0; i < 4; ++i)
            for (int j = 0; j < 4; ++j) {
                sums[i][j] += ((s >> i ^ s >> j) & 1 ? -1.0 : 1.0) * o.m[i][j];
                *shuffled = nth_worst(*shuffled, fabs(p.m[i][j] - o.m[order[i]][order[j]]));
            }
    }
    worst = nth_worst(worst, fabs(total - 1.0));
    for (int i = 0; i < 16; ++i) worst = nth_worst(worst, fabs(sums[i / 4][i % 4] - R[i]));
    return worst;
}

static void ranks(void)
{
    static const int d[4] = { 2, 3, 4, 8 };
    for (int c = 0; c < 4; ++c) {
        double twin = 0.0, sums = 0.0, shuffled = 0.0;
        for (unsigned run = 0; run < 200; ++run) {
            double      U[4][8], R[16];
            nth_orthant o;
            draw(U, R, d[c], 1000 * (unsigned)c + run);
            NTH_CHECK_OK(nth_orthant_moments(&o, 4, R, NULL));
            const double P = d[c] == 2 ? by_angles(U) : d[c] == 3 ? by_flips(U) : by_path(R);
            const double scale = d[c] == 4 ? 1e-9 : 1e-13; /* the path is not smooth at its end if R nearly is singular */
            twin = nth_worst(twin, fabs(o.P - P) / scale);
            sums = nth_worst(sums, patterns(R, &shuffled));
        }
        printf("    d = %d: twin %.2e of its tolerance, sign patterns %.2e, permuted %.2e\n", d[c], twin, sums, shuffled);
        NTH_CHECK_CLOSE(twin, 0.0, 0.0, 1.0);
        NTH_CHECK_CLOSE(sums, 0.0, 0.0, 2e-12);
        NTH_CHECK_CLOSE(shuffled, 0.0, 0.0, 2e-12);
    }
}

/* sum_kl (R^-1)_kl m_kl = 4 P;  d m_34 / d r_34 = P (Price). */
static void sum_rule_and_price(void)
{
    double worst = 0.0, price = 0.0;
    for (unsigned run = 0; run < 50; ++run) {
        double      U[4][8], R[16], A[4][8] = { { 0 } }, sum = 0.0;
        nth_orthant o, up, down;
        draw(U, R, 8, run);
        NTH_CHECK_OK(nth_orthant_moments(&o, 4, R, NULL));
        for (int i = 0; i < 4; ++i)
            for (int j = 0; j < 4; ++j) A[i][j] = R[4 * i + j], A[i][4 + j] = i == j;
        for (int p = 0; p < 4; ++p) /* Gauss-Jordan; R is positive definite */
            for (int i = 0; i < 4; ++i) {
                const double f = A[i][p] / A[p][p];
                for (int c = 0; c < 8 && i != p; ++c) A[i][c] -= f * A[p][c];
            }
        for (int i = 0; i < 4; ++i)
            for (int j = 0; j < 4; ++j) sum += A[i][4 + j] / A[i][i] * o.m[i][j];
        worst = nth_worst(worst, fabs(sum - 4.0 * o.P));
        const double h = 1e-5;
        R[11] += h, R[14] += h;
        NTH_CHECK_OK(nth_orthant_moments(&up, 4, R, NULL));
        R[11] -= 2.0 * h, R[14] -= 2.0 * h;
        NTH_CHECK_OK(nth_orthant_moments(&down, 4, R, NULL));
        price = nth_worst(price, fabs((up.m[2][3] - down.m[2][3]) / (2.0 * h) - o.P));
    }
    printf("    sum rule %.2e, Price %.2e\n", worst, price);
    NTH_CHECK_CLOSE(worst, 0.0, 0.0, 1e-12);
    NTH_CHECK_CLOSE(price, 0.0, 0.0, 1e-8);
}

static void gaps_of(double *gap, double U[4][8])
{
    for (int i = 0; i < 4; ++i)
        for (int j = 0; j < 4; ++j) {
            double near = 0.0, far = 0.0;
            for (int c = 0; c < 8; ++c)
                near += (U[i][c] - U[j][c]) * (U[i][c] - U[j][c]), far += (U[i][c] + U[j][c]) * (U[i][c] + U[j][c]);
            gap[4 * i + j] = sqrt(fmin(near, far));
        }
}

/* A pair, a triple, two pairs, an opposite pair at a small distance, in three dimensions. */
static void near_pairs(void)
{
    static const double theta[] = { 1e-1, 1e-2, 1e-4, 1e-6, 1e-8, 1e-11, 1e-13 };
    static const double bound[] = { 1e-13, 5e-9, 5e-9, 1e-13, 5e-10 }; /* two and three count as in a plane below 3e-8 */
    static const char  *name[] = { "pair", "triple", "two pairs", "opposite", "all four" };
    for (int kind = 0; kind < 5; ++kind) {
        double worst = 0.0, plain = 0.0, stated = 0.0;
        for (int e = 0; e < 7; ++e)
            for (unsigned run = 0; run < 20; ++run) {
                double      U[4][8], W[4][8], R[16], gap[16];
                nth_orthant o, p;
                draw(U, R, 3, run), draw(W, R, 3, 500 + run);
                for (int i = 1; i < 4; ++i) {
                    const int at = kind == 2 && i == 3 ? 2 : 0;
                    if (i > 1 && (kind == 0 || kind == 3)) continue;
                    if ((kind == 1 && i == 3) || (kind == 2 && i == 2)) continue;
                    double s = 0.0;
                    for (int c = 0; c < 3; ++c) U[i][c] = (kind == 3 ? -1.0 : 1.0) * U[at][c] + theta[e] * W[i][c];
                    for (int c = 0; c < 3; ++c) s += U[i][c] * U[i][c];
                    for (int c = 0; c < 3; ++c) U[i][c] /= sqrt(s);
                }
                for (int i = 0; i < 16; ++i) {
                    R[i] = i % 5 == 0;
                    for (int c = 0; c < 3 && i % 5 != 0; ++c) R[i] += U[i / 4][c] * U[i % 4][c];
                    R[i] = fmin(1.0, fmax(-1.0, R[i]));
                }
                gaps_of(gap, U);
                NTH_CHECK_OK(nth_orthant_moments(&o, 4, R, gap));
                NTH_CHECK_OK(nth_orthant_moments(&p, 4, R, NULL));
                const double want = by_flips(U);
                worst = nth_worst(worst, fabs(o.P - want));
                plain = nth_worst(plain, fabs(p.P - want));
                stated = nth_worst(stated, fabs(o.P - want) / o.error);
                if (theta[e] >= 1e-6) stated = nth_worst(stated, fabs(p.P - want) / p.error); /* below, pairs may count as one */
                const double three[9] = { 1, R[2], R[3], R[2], 1, R[11], R[3], R[11], 1 };
                NTH_CHECK_OK(nth_orthant_moments(&p, 3, three, NULL));
                for (int i = 0; i < 16 && kind == 0; ++i) { /* moments move as the angle does */
                    const int k = i / 4 - (i / 4 > 0), l = i % 4 - (i % 4 > 0);
                    NTH_CHECK_CLOSE(o.m[i / 4][i % 4], p.m[k][l], 0.0, 4.0 * theta[e] + 1e-13);
                }
                for (int i = 0; i < 16; ++i) NTH_CHECK(isfinite(o.m[i / 4][i % 4]) && isfinite(p.m[i / 4][i % 4]));
            }
        printf("    %s: with gaps %.2e, without %.2e, %.2f of the error stated\n", name[kind], worst, plain, stated);
        NTH_CHECK_CLOSE(worst, 0.0, 0.0, bound[kind]);
        NTH_CHECK_CLOSE(plain, 0.0, 0.0, 1e-8);
        NTH_CHECK_CLOSE(stated, 0.0, 0.0, 1.0);
    }
}

/* Vectors within delta of a plane: P against the flips, moments against those in the plane. */
static void near_planes(void)
{
    static const double delta[] = { 1e-2, 1e-3, 1e-4, 1e-5, 1e-6, 1e-7, 1e-9 };
    double              worst = 0.0;
    for (int e = 0; e < 7; ++e) {
        double err = 0.0, moved = 0.0;
        for (unsigned run = 0; run < 50; ++run) {
            double      U[4][8], R[16], plane[16], gap[16], closest = 1.0, rest[4][8];
            nth_orthant o, p;
            draw(U, plane, 2, run), draw(rest, R, 3, 900 + run);
            for (int i = 0; i < 16; ++i)
                if (i / 4 != i % 4) closest = fmin(closest, 1.0 - fabs(plane[i]));
            if (closest < 1e-2) continue;
            for (int i = 0; i < 4; ++i) {
                U[i][2] = delta[e] * rest[i][2];
                const double s = hypot(1.0, U[i][2]);
                for (int c = 0; c < 3; ++c) U[i][c] /= s;
            }
            for (int i = 0; i < 16; ++i) {
                R[i] = i % 5 == 0;
                for (int c = 0; c < 3 && i % 5 != 0; ++c) R[i] += U[i / 4][c] * U[i % 4][c];
            }
            gaps_of(gap, U);
            NTH_CHECK_OK(nth_orthant_moments(&o, 4, R, gap));
            NTH_CHECK_OK(nth_orthant_moments(&p, 4, plane, NULL));
            err = nth_worst(err, fabs(o.P - by_flips(U)));
            for (int i = 0; i < 16; ++i) moved = nth_worst(moved, fabs(o.m[i / 4][i % 4] - p.m[i / 4][i % 4]));
        }
        printf("    delta %.0e: P %.2e, moments moved by %.2e\n", delta[e], err, moved);
        worst = nth_worst(worst, err);
        NTH_CHECK_CLOSE(moved, 0.0, 0.0, 100.0 * delta[e] * delta[e] + 1e-10);
    }
    NTH_CHECK_CLOSE(worst, 0.0, 0.0, 1e-10);
}

/* Three of four vectors in a plane, exactly and nearly: no jump. */
static void three_in_a_plane(void)
{
    double worst = 0.0;
    for (unsigned run = 0; run < 100; ++run) {
        double      U[4][8], R[16], sums, shuffled = 0.0;
        draw(U, R, 4, 300 + run);
        double s = 0.0;
        for (int c = 0; c < 4; ++c) U[2][c] = 2.0 * U[0][c] + U[1][c], s += U[2][c] * U[2][c];
        for (int c = 0; c < 4; ++c) U[2][c] /= sqrt(s);
        for (int i = 0; i < 16; ++i) {
            R[i] = i % 5 == 0;
            for (int c = 0; c < 4 && i % 5 != 0; ++c) R[i] += U[i / 4][c] * U[i % 4][c];
        }
        sums = patterns(R, &shuffled);
        worst = nth_worst(nth_worst(worst, sums), shuffled);
        nth_orthant o, p;
        const double R3[9] = { 1, R[1], R[3], R[1], 1, R[7], R[3], R[7], 1 };
        NTH_CHECK_OK(nth_orthant_moments(&o, 4, R, NULL));
        NTH_CHECK_OK(nth_orthant_moments(&p, 3, R3, NULL)); /* the third is positive where 1 and 2 are */
        worst = nth_worst(worst, fabs(o.P - p.P));
        worst = nth_worst(worst, fabs(o.m[0][3] - p.m[0][2]));
        worst = nth_worst(worst, fabs(o.m[2][3] * sqrt(s) - 2.0 * p.m[0][2] - p.m[1][2]));
    }
    printf("    worst %.2e\n", worst);
    NTH_CHECK_CLOSE(worst, 0.0, 0.0, 1e-11);
}

static void refusals(void)
{
    nth_orthant  o;
    double       R[16], gap[16] = { 0 };
    const double bad[4] = { 1, 1.5, 1.5, 1 }, negative[1] = { -1 }, lopsided[4] = { 1, .5, .4, 1 };
    fill(R, stored[0]);
    NTH_CHECK_STATUS(nth_orthant_moments(&o, 0, R, NULL), NTH_E_ARG);
    NTH_CHECK_STATUS(nth_orthant_moments(&o, 5, R, NULL), NTH_E_ARG);
    NTH_CHECK_STATUS(nth_orthant_moments(&o, 2, bad, NULL), NTH_E_ARG);
    NTH_CHECK_STATUS(nth_orthant_moments(&o, 1, negative, NULL), NTH_E_ARG);
    NTH_CHECK_STATUS(nth_orthant_moments(&o, 2, lopsided, NULL), NTH_E_ARG);
    gap[1] = 3.0;
    NTH_CHECK_STATUS(nth_orthant_moments(&o, 4, R, gap), NTH_E_ARG);
    R[1] = R[4] = NAN;
    NTH_CHECK_STATUS(nth_orthant_moments(&o, 4, R, NULL), NTH_E_ARG);
    static const double indefinite[6] = { .9, .9, 0, -.9, 0, 0 };
    fill(R, indefinite);
    NTH_CHECK_STATUS(nth_orthant_moments(&o, 4, R, NULL), NTH_E_ARG);
    NTH_CHECK_MESSAGE("not a covariance");
}

int main(void)
{
    return nth_test_main("orthant", (nth_test_case[]){ { "oracles", oracles },
                                                       { "closed_cases", closed_cases },
                                                       { "ranks", ranks },
                                                       { "sum_rule_and_price", sum_rule_and_price },
                                                       { "near_pairs", near_pairs },
                                                       { "near_planes", near_planes },
                                                       { "three_in_a_plane", three_in_a_plane },
                                                       { "refusals", refusals },
                                                       { 0 } });
}
