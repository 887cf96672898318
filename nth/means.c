/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Means over one neuron at four points: erf in closed form (E68), any smooth activation by the
 * trapezoid rule in as many dimensions as the points span (at most three).
 */
#include "expected_priv.h"
#include "fail_priv.h"
#include "linalg_priv.h"

#include <float.h>
#include <math.h>
#include <string.h>

static const double PI = 3.14159265358979323846;

/* C^J = (I + 2 C E_J)^{-1} C, one index of J at a time; returns det(I + 2 C E_J)^{-1/2}. */
static double tilt(double out[4][4], const nth_four *p, unsigned J)
{
    double det = 1.0;
    memcpy(out, p->x, sizeof p->x);
    for (int j = 0; j < 4; ++j) {
        if (!(J >> j & 1)) continue;
        const double d = 1.0 + 2.0 * out[j][j];
        double       row[4];
        memcpy(row, out[j], sizeof row);
        det *= d;
        for (int a = 0; a < 4; ++a)
            for (int b = 0; b < 4; ++b) out[a][b] -= 2.0 * row[a] * row[b] / d;
    }
    return 1.0 / sqrt(det);
}

void nth_priv_means_erf(nth_means *M, const nth_four *p)
{
    const double c2 = 4.0 / PI, c4 = c2 * c2; /* powers of sigma'(0) */
    double       C[4][4], w = tilt(C, p, 15);
    M->one = c4 * w, M->error = 4.0 * DBL_EPSILON;
    for (int i = 0; i < 4; ++i) {
        M->three[i] = c4 * w * (4.0 * C[i][i] - 2.0);
        for (int j = 0; j < 4; ++j)
            if (i != j) M->both[i][j] = 4.0 * c4 * w * C[i][j];
    }
    for (int j = 0; j < 4; ++j) { /* j carries no e^{-z^2} */
        w = tilt(C, p, 15u & ~(1u << j));
        for (int i = 0; i < 4; ++i)
            if (i != j) M->two[i][j] = -2.0 * c4 * w * C[i][j] / sqrt(1.0 + 2.0 * C[j][j]);
    }
    for (int i = 0; i < 4; ++i)
        for (int j = 0; j < i; ++j) {
            const int k = j > 0 ? 0 : i > 1 ? 1 : 2, l = 6 - i - j - k;
            w = tilt(C, p, 1u << i | 1u << j);
            const double D = (1.0 + 2.0 * C[k][k]) * (1.0 + 2.0 * C[l][l]) - 4.0 * C[k][l] * C[k][l];
            M->pair[i][j] = M->pair[j][i] = c2 * w * (2.0 / PI) * atan2(2.0 * C[k][l], sqrt(D));
        }
}

enum { BLOCK = 256 };
static const double REACH = 8.7; /* e^{-u^2/2} is below eps beyond */

typedef struct grid {
    nth_activation act;
    int            rank;
    double         V[4][3];                /* z_i = V_i . u */
    double         s[4][4][BLOCK];         /* [point][derivative] */
    double         z[4][BLOCK], w[BLOCK];
    ptrdiff_t      fill;
} grid;

/* V by Cholesky with pivots. */
static nth_status factor(grid *g, const nth_four *p)
{
    nth_status st = NTH_OK;
    double     S[4][4], size = 0.0;
    memcpy(S, p->x, sizeof S);
    for (int i = 0; i < 4; ++i) size = fmax(size, S[i][i]);
    for (g->rank = 0; g->rank < 4; ++g->rank) {
        int q = 0;
        for (int i = 1; i < 4; ++i)
            if (S[i][i] > S[q][q]) q = i;
        if (!(S[q][q] > 1e-13 * size)) break;
        NTH_REQUIRE(g->rank < 3, NTH_E_ARG,
                    "the mean of %s at four points that span four dimensions is not integrated; average "
                    "nth_hier_contract over random networks instead (E70)",
                    nth_activation_name(g->act));
        const double root = sqrt(S[q][q]);
        double       row[4];
        for (int i = 0; i < 4; ++i) row[i] = S[i][q] / root, g->V[i][g->rank] = row[i];
        for (int i = 0; i < 4; ++i)
            for (int j = 0; j < 4; ++j) S[i][j] -= row[i] * row[j];
        for (int i = 0; i < 4; ++i) S[i][q] = S[q][i] = 0.0;
    }
done:
    return st;
}

static void add_block(nth_means *M, grid *g)
{
    for (int i = 0; i < 4; ++i) nth_activation_eval(g->act, 3, g->z[i], g->fill, g->s[i][0], BLOCK);
    for (int i = 0; i < 4; ++i)
        for (int j = 0; j < 4; ++j) {
            if (i == j) continue;
            const int     k = i == 0 || j == 0 ? (i == 1 || j == 1 ? 2 : 1) : 0, l = 6 - i - j - k;
            const double *k1 = g->s[k][1], *l1 = g->s[l][1], *w = g->w;
            double        two = 0.0, both = 0.0, pair = 0.0, one = 0.0, three = 0.0;
            for (ptrdiff_t t = 0; t < g->fill; ++t) {
                const double kl = w[t] * k1[t] * l1[t];
                two += kl * g->s[i][2][t] * g->s[j][0][t];
                if (j < i) both += kl * g->s[i][2][t] * g->s[j][2][t], pair += kl * g->s[i][0][t] * g->s[j][0][t];
                if (j == (i + 1) % 4) three += kl * g->s[i][3][t] * g->s[j][1][t], one += kl * g->s[i][1][t] * g->s[j][1][t];
            }
            M->two[i][j] += two, M->three[i] += three;
            M->both[i][j] += both, M->pair[k][l] += pair;
            if (i == 0) M->one += one;
        }
    g->fill = 0;
}

/* The trapezoid rule with step h, shifted by a fraction of it: a grid cannot repeat the last one's luck. */
static void trapezoid(nth_means *M, grid *g, double h, double shift)
{
    const int reach = (int)(REACH / h) + 1, r[3] = { g->rank > 0 ? reach : 0, g->rank > 1 ? reach : 0, g->rank > 2 ? reach : 0 };
    memset(M, 0, sizeof *M);
    g->fill = 0;
    for (int a = -r[0]; a <= r[0]; ++a)
        for (int b = -r[1]; b <= r[1]; ++b)
            for (int c = -r[2]; c <= r[2]; ++c) {
                const double u[3] = { r[0] > 0 ? h * (a + shift) : 0.0, r[1] > 0 ? h * (b + shift) : 0.0,
                                      r[2] > 0 ? h * (c + shift) : 0.0 };
                const double norm = u[0] * u[0] + u[1] * u[1] + u[2] * u[2];
                if (norm > REACH * REACH) continue;
                g->w[g->fill] = exp(-0.5 * norm) * pow(h / sqrt(2.0 * PI), g->rank);
                for (int i = 0; i < 4; ++i) g->z[i][g->fill] = g->V[i][0] * u[0] + g->V[i][1] * u[1] + g->V[i][2] * u[2];
                if (++g->fill == BLOCK) add_block(M, g);
            }
    add_block(M, g);
    for (int i = 0; i < 4; ++i)
        for (int j = 0; j < i; ++j) {
            M->both[j][i] = M->both[i][j];
            M->pair[i][j] += M->pair[j][i], M->pair[j][i] = M->pair[i][j];
        }
}

/* Largest difference of the entries, relative to the largest entry; a NaN sticks. */
static double difference(const nth_means *a, const nth_means *b)
{
    double most = fabs(a->one - b->one), size = fabs(a->one);
    for (int i = 0; i < 4; ++i)
        for (int j = 0; j < 4; ++j) {
            const double x[4] = { a->pair[i][j], a->two[i][j], a->both[i][j], a->three[i] };
            const double y[4] = { b->pair[i][j], b->two[i][j], b->both[i][j], b->three[i] };
            for (int k = 0; k < 4; ++k) most = nth_keep_max(most, fabs(x[k] - y[k])), size = nth_keep_max(size, fabs(x[k]));
        }
    return size > 0.0 || size != size ? most / size : most;
}

nth_status nth_priv_means_quadrature(nth_means *M, const nth_expected_config *cfg, const nth_four *p)
{
    nth_status   st = NTH_OK;
    grid         g = { .act = cfg->activation };
    nth_means    last;
    const double tol = cfg->tolerance > 0.0 ? cfg->tolerance : 1e-10;
    double       h = 0.4;
    memset(M, 0, sizeof *M);
    NTH_TRY(factor(&g, p));
    if (g.rank == 0) goto done; /* every x_ij is 0, and so is the kernel */
    trapezoid(&last, &g, h, 0.0);
    for (int level = 1; level <= (g.rank < 3 ? 6 : 3); ++level) { /* to h = 1/160 or 1/20 */
        h *= 0.5;
        trapezoid(M, &g, h, 0.3);
        const double change = difference(M, &last);
        /* the error falls as e^{-c/h}: half the step squares it; half of that is trusted */
        M->error = fmax(change * sqrt(change), 8.0 * DBL_EPSILON);
        if (M->error <= tol) goto done;
        last = *M;
    }
    NTH_FAIL(NTH_E_NUMERIC, "quadrature of a mean of %s: error %.1e at step %.3g, tolerance %.1e",
             nth_activation_name(cfg->activation), M->error, h, tol);
done:
    return st;
}
