/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Orthant probabilities and truncated second moments of up to four Gaussian variables (E65-E67).
 *
 * The correlations are first turned into unit vectors, along the nearest pair first, so that small
 * angles keep their digits. Every conditional probability is an angle between two wedge products of
 * these vectors: for i, j fixed at 0 the cosine of k and l is <u_i^u_j^u_k, u_i^u_j^u_l>, the sine
 * |u_i^u_j| |det|. Each product is computed once, so rounding acts like one small change of the
 * vectors even where three of them lie in a plane, and the sums over pairs stay accurate. Four vectors
 * in one plane have no such products: there the orthant is a sector.
 *
 * Sources: Plackett (1954), Tallis (1961), Takahasi and Mori (1974) for the nodes.
 */
#include "orthant_priv.h"
#include "fail_priv.h"
#include "nth/expected.h"

#include <float.h>
#include <math.h>
#include <string.h>

static const double PI = 3.14159265358979323846;

static const struct {
    double x, w;
} node[] = {
#include "tanh_sinh.inc"
};
enum { NODES = sizeof node / sizeof node[0] };

typedef struct wedges {
    double u[4][4];   /* unit vectors, rows */
    double T[4][4];   /* T[i] = wedge of the other three in ascending order */
    double det;       /* |u_1^u_2^u_3^u_4| */
    double flat;      /* squared distance from a plane, relative to that from a line */
    double span;      /* squared distance from a line */
} wedges;

void nth_priv_angles_close(nth_angles *a)
{
    for (int i = 0; i < a->n; ++i)
        for (int j = 0; j < a->n; ++j) a->gap[i][j] = i == j ? 0.0 : sqrt(2.0 * fmax(1.0 - fabs(a->r[i][j]), 0.0));
    a->measured = false;
}

/* Distinct lines; line[i] is the first of the variables on the line of i. */
static int distinct(int *index, int *line, nth_orthant_parts *o, const nth_angles *a)
{
    const double snap = a->measured ? 1e-14 : sqrt(8.0 * DBL_EPSILON);
    int          k = 0;
    for (int i = 0; i < a->n; ++i) {
        line[i] = i;
        for (int j = 0; j < i && line[i] == i; ++j)
            if (line[j] == j && a->gap[i][j] <= snap) line[i] = j;
        if (line[i] == i) index[k++] = i;
    }
    for (int i = 0; i < a->n; ++i)
        for (int j = 0; j < a->n; ++j) o->parallel[i][j] = i != j && line[i] == line[j];
    return k;
}

/* D_ij = 1 - cosine of the lines, all turned to the side of line p; M their Gram matrix with the part
 * along p removed. Distances replace cosines where those would cancel. */
static void gram(double D[4][4], double M[4][4], double *sign, const nth_angles *a, const int *index, int k, int p)
{
    for (int i = 0; i < k; ++i) sign[i] = a->r[index[p]][index[i]] >= 0.0 ? 1.0 : -1.0;
    for (int i = 0; i < k; ++i)
        for (int j = 0; j < k; ++j) {
            const double g = a->gap[index[i]][index[j]], near = 0.5 * g * g;
            D[i][j] = i == j ? 0.0 : sign[i] * sign[j] * a->r[index[i]][index[j]] >= 0.0 ? near : 2.0 - near;
        }
    for (int i = 0; i < k; ++i)
        for (int j = 0; j < k; ++j) M[i][j] = D[i][p] + D[j][p] - D[i][j] - D[i][p] * D[j][p];
}

/* What is left of <s,t> when q is projected out, too; |s|^2 by the distance of s and q if that is small. */
static double schur(double M[4][4], double D[4][4], int p, int c, int q, int s, int t)
{
    if (c > 1 || s != t || M[s][q] < 0.5 * M[q][q]) return M[s][t] - M[s][q] * M[t][q] / M[q][q];
    const double gap = D[s][p] - D[q][p], apart = 2.0 * D[s][q] - gap * gap, f = gap * (2.0 - D[s][p] - D[q][p]);
    return apart - (f - apart) * (f - apart) / (4.0 * M[q][q]);
}

/* Rounding must not make |<s,t>| more than |s| |t|, or squares negative. */
static void bound(double M[4][4], nth_orthant_parts *o, int s, int t)
{
    const double most = s == t ? INFINITY : sqrt(M[s][s] * M[t][t]), least = s == t ? 0.0 : -most;
    o->defect = fmax(o->defect, fmax(M[s][t] - most, least - M[s][t]));
    M[s][t] = M[t][s] = fmax(least, fmin(most, M[s][t]));
}

/* Unit vectors of the k lines, triangular from one of the nearest pair on: Cholesky with pivots. */
static void place(wedges *w, nth_orthant_parts *o, const nth_angles *a, const int *index, int k)
{
    double D[4][4], M[4][4], sign[4], best = INFINITY;
    int    order[4] = { 0, 1, 2, 3 }, p = 0;
    for (int i = 0; i < k; ++i)
        for (int j = 0; j < i; ++j)
            if (a->gap[index[i]][index[j]] < best) best = a->gap[index[i]][index[j]], p = j;
    order[0] = p, order[p] = 0;
    gram(D, M, sign, a, index, k, p);
    for (int i = 0; i < k; ++i) w->u[index[i]][0] = 1.0 - D[i][p];
    for (int c = 1; c < k; ++c) { /* the line farthest from those so far comes next */
        int far = c;
        for (int i = c + 1; i < k; ++i)
            if (M[order[i]][order[i]] > M[order[far]][order[far]]) far = i;
        const int q = order[far];
        order[far] = order[c], order[c] = q;
        if (c == 1) w->span = M[q][q];
        for (int i = c; i < k; ++i) {
            if (c == 2) w->flat += fmax(M[order[i]][order[i]], 0.0) / w->span;
            for (int j = c; j <= i; ++j) bound(M, o, order[i], order[i - j + c]); /* the diagonal first */
        }
        if (!(M[q][q] > 0.0)) break;
        w->u[index[q]][c] = sqrt(M[q][q]);
        for (int i = c + 1; i < k; ++i) w->u[index[order[i]]][c] = M[order[i]][q] / sqrt(M[q][q]);
        for (int i = c + 1; i < k; ++i)
            for (int j = c + 1; j <= i; ++j) {
                const int s = order[i], t = order[j];
                M[s][t] = M[t][s] = schur(M, D, p, c, q, s, t);
            }
    }
    for (int i = 0; i < k; ++i)
        for (int c = 0; c < 4; ++c) w->u[index[i]][c] *= sign[i];
}

/* Four components of the wedge of three vectors in four dimensions. */
static void wedge3(double *T, const double *a, const double *b, const double *c)
{
    for (int i = 0; i < 4; ++i) {
        const int x = i == 0, y = i <= 1 ? 2 : 1, z = i <= 2 ? 3 : 2;
        T[i] = (i % 2 == 0 ? 1.0 : -1.0) * (a[x] * (b[y] * c[z] - b[z] * c[y]) - a[y] * (b[x] * c[z] - b[z] * c[x])
                                            + a[z] * (b[x] * c[y] - b[y] * c[x]));
    }
}

static double dot4(const double *a, const double *b) { return a[0] * b[0] + a[1] * b[1] + a[2] * b[2] + a[3] * b[3]; }

/* <a^b, a^c>. */
static double wedge2_product(const double *a, const double *b, const double *c)
{
    double s = 0.0;
    for (int i = 0; i < 4; ++i)
        for (int j = 0; j < i; ++j) s += (a[i] * b[j] - a[j] * b[i]) * (a[i] * c[j] - a[j] * c[i]);
    return s;
}

static void wedge_all(wedges *w, const nth_orthant_parts *o)
{
    for (int i = 0; i < 4; ++i) {
        const int x = i == 0, y = i <= 1 ? 2 : 1, z = i <= 2 ? 3 : 2;
        memset(w->T[i], 0, sizeof w->T[i]);
        if (!o->parallel[x][y] && !o->parallel[x][z] && !o->parallel[y][z]) wedge3(w->T[i], w->u[x], w->u[y], w->u[z]);
    }
    w->det = fabs(dot4(w->T[3], w->u[3]));
    for (int i = 0; i < 4; ++i)
        for (int j = 0; j < i; ++j)
            if (o->parallel[i][j]) w->det = 0.0;
}

/* <u_q^u_r^u_s, u_q^u_r^u_t> for {q,r,s,t} = {1,2,3,4}: the conditional cosine but for its norm. */
static double conditional(const wedges *w, int q, int r, int s, int t)
{
    const int swaps = (q > s) + (r > s) + (q > t) + (r > t);
    return (swaps % 2 == 0 ? 1.0 : -1.0) * dot4(w->T[s], w->T[t]);
}

/* The last integral of E66 for the pair (j, f): f is moved from a direction of its own to its place. */
static double path(const wedges *w, const nth_orthant_parts *o, const nth_angles *a, int j, int f, int k, int l)
{
    const double c = a->r[f][j], s = o->sine[f][j], v = atan2(c, s);
    if (fabs(c) < 1e-18) return 0.0;
    const double start = wedge2_product(w->u[j], w->u[k], w->u[l]), end = conditional(w, j, f, k, l);
    const double base = dot4(w->T[f], w->T[f]), full = w->det * w->det;
    double       sum = 0.0;
    for (int i = 0; i < 2 * NODES - 1; ++i) {
        const int    at = i < NODES ? i : i - NODES + 1;
        const double q = v * (i < NODES ? node[at].x : 1.0 - node[at].x); /* angle still to go */
        const double sq = sin(q), cq = cos(q), cosine = s * cq + c * sq, sine = c * cq - s * sq;
        const double left = sq * (c * cosine + s * sine) / (c * c), done = 1.0 - left; /* 1 - t^2, t^2 */
        sum += node[at].w * atan2(left * start + done * end, cosine * sqrt(fmax(left, 0.0) * base + done * full));
    }
    return v * sum;
}

static double probability(const wedges *w, const nth_orthant_parts *o, const nth_angles *a)
{
    double sum = 0.0, worst = INFINITY;
    int    f = 0; /* the variable the path moves: the one least correlated with the others */
    for (int i = 0; i < a->n; ++i) {
        double most = 0.0;
        for (int j = 0; j < a->n; ++j) {
            if (j < i) sum += atan2(a->r[i][j], o->sine[i][j]);
            if (j != i) most = fmax(most, fabs(a->r[i][j]));
        }
        if (most < worst) worst = most, f = i;
    }
    if (a->n == 1) return 0.5;
    if (a->n == 2) return 0.25 + sum / (2.0 * PI);
    if (a->n == 3) return 0.125 + sum / (4.0 * PI);
    sum = 0.0625 + sum / (8.0 * PI);
    for (int j = 0; j < 4; ++j) {
        const int k = j == 0 || f == 0 ? (j == 1 || f == 1 ? 2 : 1) : 0, l = 6 - j - f - k;
        if (j != f) sum += path(w, o, a, j, f, k, l) / (4.0 * PI * PI);
    }
    return sum;
}

/* m_kl by E67; each unordered pair {q,r} once, its two terms joined before they cancel. */
static void moments(nth_orthant_parts *o, const wedges *w, const nth_angles *a)
{
    for (int k = 0; k < a->n; ++k)
        for (int l = 0; l <= k; ++l) o->m[k][l] = a->r[k][l] * o->P;
    for (int q = 0; q < a->n; ++q)
        for (int r = 0; r < q; ++r) {
            const double sign = a->r[q][r] < 0.0 ? -1.0 : 1.0, D = 0.5 * a->gap[q][r] * a->gap[q][r];
            double       d[4], along[4];
            if (o->parallel[q][r]) continue; /* the term vanishes with the angle */
            for (int c = 0; c < 4; ++c) d[c] = w->u[q][c] - sign * w->u[r][c];
            for (int k = 0; k < a->n; ++k) along[k] = dot4(w->u[k], d);
            for (int k = 0; k < a->n; ++k)
                for (int l = 0; l <= k; ++l) {
                    const double both = a->r[k][q] * a->r[l][q] + a->r[k][r] * a->r[l][r];
                    o->m[k][l] += (D * both - along[k] * along[l]) * sign * o->rest[q][r] / (2.0 * PI * o->sine[q][r]);
                }
        }
    for (int k = 0; k < a->n; ++k)
        for (int l = 0; l < k; ++l) o->m[l][k] = o->m[k][l];
}

/* Four vectors in a plane: the orthant is a sector around the directions that all of them see. */
static void sector(nth_orthant_parts *o, const wedges *w)
{
    double phi[4], low = -0.5 * PI, high = 0.5 * PI;
    for (int i = 0; i < 4; ++i) {
        phi[i] = atan2(w->u[i][1], w->u[i][0]) - (i > 0 ? phi[0] : 0.0);
        if (i == 0) continue;
        if (phi[i] > PI) phi[i] -= 2.0 * PI;
        if (phi[i] <= -PI) phi[i] += 2.0 * PI;
        low = fmax(low, phi[i] - 0.5 * PI), high = fmin(high, phi[i] + 0.5 * PI);
    }
    phi[0] = 0.0;
    const double width = fmax(high - low, 0.0);
    o->P = width / (2.0 * PI);
    for (int k = 0; k < 4; ++k)
        for (int l = 0; l < 4; ++l)
            o->m[k][l] = (width * cos(phi[k] - phi[l]) + sin(width) * cos(low + high - phi[k] - phi[l])) / (2.0 * PI);
}

/* Absolute errors: of the sums; of small angles that were known by their cosines; next to a plane.
 * Moving vectors by d out of their plane changes the result by d^2 over the smallest angle. */
static void judge(nth_orthant_parts *o, const wedges *w, const nth_angles *a, int lines)
{
    double smallest = 1.0, second = 1.0;
    for (int i = 0; i < a->n; ++i)
        for (int j = 0; j < i; ++j) {
            const double s = o->parallel[i][j] ? 1.0 : o->sine[i][j];
            second = fmin(second, fmax(smallest, s)), smallest = fmin(smallest, s);
        }
    o->planar = a->n == 4 && w->flat <= fmax(1e-11 * smallest, 4e-15);
    o->error = second < 0.3 ? 5e-13 : 5e-14; /* the nodes do their worst where the path ends near a vector */
    o->error += a->measured ? 0.2 * DBL_EPSILON / second : 8.0 * DBL_EPSILON / smallest;
    if (lines > 2 && !a->measured) o->error += 32.0 * DBL_EPSILON / sqrt(w->span);
    if (a->n == 4 && lines > 2) o->error += o->planar ? 2.0 * w->flat / smallest : 2.0 * DBL_EPSILON / sqrt(w->flat);
}

void nth_priv_orthant(nth_orthant_parts *o, const nth_angles *a)
{
    int    index[4], line[4];
    wedges w;
    memset(o, 0, sizeof *o);
    memset(&w, 0, sizeof w);
    const int k = distinct(index, line, o, a);
    place(&w, o, a, index, k);
    bool opposite = false;
    for (int i = 0; i < a->n; ++i) {
        const double side = a->r[i][line[i]] < 0.0 ? -1.0 : 1.0;
        for (int c = 0; c < 4 && line[i] != i; ++c) w.u[i][c] = side * w.u[line[i]][c];
        for (int j = 0; j < a->n; ++j) {
            const double D = 0.5 * a->gap[i][j] * a->gap[i][j];
            if (i != j && !o->parallel[i][j]) o->sine[i][j] = sqrt(D * (2.0 - D));
            opposite = opposite || (o->parallel[i][j] && a->r[i][j] < 0.0);
            o->rest[i][j] = a->n == 2 ? 1.0 : a->n == 3 ? 0.5 : 0.25;
        }
    }
    judge(o, &w, a, k);
    if (a->n == 4 && !o->planar) {
        wedge_all(&w, o);
        for (int q = 0; q < 4; ++q)
            for (int r = 0; r < q; ++r) {
                const int s = r > 0 ? 0 : q > 1 ? 1 : 2, t = 6 - q - r - s;
                o->rest[q][r] += atan2(conditional(&w, r, q, s, t), o->sine[q][r] * w.det) / (2.0 * PI);
                o->rest[r][q] = o->rest[q][r];
            }
    }
    if (opposite) return; /* P and the moments are zero */
    if (o->planar) {
        sector(o, &w);
        return;
    }
    o->P = probability(&w, o, a);
    moments(o, &w, a);
}

nth_status nth_orthant_moments(nth_orthant *out, int n, const double *C, const double *gap)
{
    nth_status        st = NTH_OK;
    nth_angles        a = { .n = n, .measured = gap != NULL };
    nth_orthant_parts parts;
    double            sd[4];
    memset(out, 0, sizeof *out);
    NTH_REQUIRE(n >= 1 && n <= 4, NTH_E_ARG, "orthant of %d variables; 1 to 4", n);
    for (int i = 0; i < n; ++i) {
        const double v = C[i * n + i];
        NTH_REQUIRE(v >= 0.0 && isfinite(v), NTH_E_ARG, "variance %d is %g", i + 1, v);
        sd[i] = sqrt(v);
    }
    for (int i = 0; i < n; ++i)
        for (int j = 0; j < n; ++j) {
            const double c = C[i * n + j], r = i == j ? 1.0 : c / (sd[i] * sd[j]);
            NTH_REQUIRE(fabs(c - C[j * n + i]) <= 1e-12 * sd[i] * sd[j] && fabs(c) <= (1.0 + 1e-9) * sd[i] * sd[j],
                        NTH_E_ARG, "not a covariance: entries (%d,%d) %g and %g, standard deviations %g and %g", i + 1,
                        j + 1, c, C[j * n + i], sd[i], sd[j]);
            NTH_REQUIRE(gap == NULL || i == j || (gap[i * n + j] >= 0.0 && gap[i * n + j] < 1.415), NTH_E_ARG,
                        "gap (%d,%d) is %g; 0 to sqrt 2", i + 1, j + 1, gap[i * n + j]);
            if (sd[i] > 0.0 && sd[j] > 0.0) a.r[i][j] = fmax(-1.0, fmin(1.0, r));
        }
    for (int i = 0; i < n; ++i)
        if (sd[i] == 0.0) goto done; /* z_i = 0 is not > 0 */
    if (gap == NULL) nth_priv_angles_close(&a);
    for (int i = 0; i < n && gap != NULL; ++i)
        for (int j = 0; j < n; ++j) a.gap[i][j] = i == j ? 0.0 : gap[i * n + j];
    nth_priv_orthant(&parts, &a);
    NTH_REQUIRE(parts.defect <= 1e-9, NTH_E_ARG, "not a covariance: a conditional variance of the correlations is %g",
                -parts.defect);
    out->P = parts.P, out->error = parts.error;
    for (int k = 0; k < n; ++k)
        for (int l = 0; l < n; ++l) out->m[k][l] = sd[k] * sd[l] * parts.m[k][l];
done:
    return st;
}
