/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Mean kernels of two-layer networks: relu a.e. (M1-M10), erf (O1-O6), relu with its delta terms by Price's
 * identity and as the limit of softplus, quadrature; contraction against the dense tensor; the
 * label-aware kernel (N1-N5), its two forms, the mean drift (P1-P7); threads, allocations, refusals.
 */
#include "nth_test.h"
#include "expected_priv.h"
#include "linalg_priv.h"
#include "nth/hier.h"
#include "nth/rng.h"
#include "par_priv.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

static const nth_expected_config relu_ae = { .activation = NTH_ACT_RELU, .almost_everywhere = true };
static const nth_expected_config relu = { .activation = NTH_ACT_RELU };
static const nth_expected_config erf_act = { .activation = NTH_ACT_ERF };

static const double R[3][6] = { { .3, -.2, .5, .4, .1, -.3 }, { .7, .6, .5, .4, .6, .3 }, { -.25, .15, -.35, -.45, .2, .55 } };

/* Rows with these inner products: the Cholesky factor. */
static void vectors(double *X, const double *six)
{
    double G[16];
    memset(X, 0, 16 * sizeof(double));
    for (int i = 0, at = 0; i < 4; ++i) {
        G[5 * i] = 1.0;
        for (int j = i + 1; j < 4; ++j, ++at) G[4 * i + j] = G[4 * j + i] = six[at];
    }
    for (int i = 0; i < 4; ++i)
        for (int j = 0; j <= i; ++j) {
            double s = G[4 * i + j];
            for (int c = 0; c < j; ++c) s -= X[4 * i + c] * X[4 * j + c];
            X[4 * i + j] = i == j ? sqrt(s) : s / X[5 * j];
        }
}

/* Gram matrix of four rows of X in this order. */
static void gram(double *C, const double *X, int d, const int *order)
{
    for (int i = 0; i < 4; ++i)
        for (int j = 0; j < 4; ++j) {
            C[4 * i + j] = 0.0;
            for (int c = 0; c < d; ++c) C[4 * i + j] += X[order[i] * d + c] * X[order[j] * d + c];
        }
}

static nth_expected_value four(const nth_expected_config *cfg, const double *X, int d, int a, int b, int c, int e)
{
    double             C[16];
    nth_expected_value v;
    gram(C, X, d, (const int[]){ a, b, c, e });
    NTH_CHECK_OK(nth_expected_four(&v, cfg, C, NULL));
    return v;
}

static void relu_ae_oracles(void)
{
    static const struct {
        int    o[4], rows;
        double want[3];
    } row[] = { { { 0, 1, 2, 3 }, 3, { 0.047007744175869, 0.731565954673361, -0.03691555026361884 } },
                { { 0, 1, 3, 2 }, 3, { 0.07932025288922472, 0.7489467958431755, -0.03047418633632535 } },
                { { 2, 3, 0, 1 }, 3, { -0.03498178595296515, 0.626355861843238, 0.01834314577183687 } },
                { { 0, 1, 2, 2 }, 2, { 0.17904787212193, 1.276032542923462 } },
                { { 0, 1, 3, 3 }, 2, { 0.3838956775055856, 1.405727418045499 } },
                { { 0, 0, 2, 3 }, 2, { -0.01214404923558511, 1.039551456368329 } },
                { { 2, 2, 2, 3 }, 2, { 0.1236805780833822, 1.323680578083382 } },
                { { 2, 2, 2, 2 }, 2, { 4.0, 4.0 } } };
    static const double S[3] = { 0.047007744175869, 0.5290446986700317, -0.03160955610381138 },
                        T[3] = { 0.0, 0.2025212560033292, -0.00530599415980746 };
    for (int c = 0; c < 3; ++c) {
        double X[16];
        vectors(X, R[c]);
        for (size_t i = 0; i < sizeof row / sizeof row[0]; ++i) {
            if (c >= row[i].rows) continue;
            const int *o = row[i].o;
            NTH_CHECK_CLOSE(four(&relu_ae, X, 4, o[0], o[1], o[2], o[3]).K4, row[i].want[c], 1e-12, 1e-14);
        }
        const nth_expected_value v = four(&relu_ae, X, 4, 0, 1, 2, 3);
        NTH_CHECK_CLOSE(v.A, S[c], 1e-12, 0.0);
        NTH_CHECK_CLOSE(v.C, T[c], 1e-12, 1e-15);
        NTH_CHECK_CLOSE(v.K3f0, S[c], 1e-12, 0.0);
        NTH_CHECK(v.B == 0.0 && v.D == 0.0 && v.error < 1e-12);
        for (int k = 0; k < 4; ++k) X[k] = 0.0;
        NTH_CHECK(four(&relu_ae, X, 4, 0, 1, 2, 3).K4 == 0.0 && four(&relu_ae, X, 4, 1, 2, 0, 3).K4 == 0.0);
    }
}

static const double Xa[12] = { 0.5, -0.3, 0.8, 0.9, 0.4, -0.2, -0.6, 0.7, 0.3, 0.2, 1.1, 0.5 };
static const double Xb[20] = { 0.10145669,  -0.28053625, -0.22167316, -1.31022889, 0.96582433,  0.61402384,  -0.17464022,
                               0.41526819,  0.15091348,  -0.29721252, 0.52461775,  -0.16666213, -0.17646542, -0.42511056,
                               0.24415612,  -0.05323526, 0.29263263,  -0.32585004, 0.06806297,  -0.4788445 };

static void erf_oracles(void)
{
    static const double a[6] = { 0.004290532364266749, 0.02244077134226506, -0.00808456616127198, 0.03845450982621642,
                                 0.05710124737147626, 0.02673130370653181 },
                        b[6] = { -0.06085816352639295, -0.07968955015275715, -0.06774699811867017, -0.09131619542173659,
                                 -0.2996109072195569, -0.1405477136791501 };
    nth_expected_config  signs = erf_act;
    signs.readout = NTH_READOUT_SIGNS;
    for (int c = 0; c < 2; ++c) {
        const double            *want = c == 0 ? a : b, *X = c == 0 ? Xa : Xb;
        const int                d = c == 0 ? 3 : 5;
        const nth_expected_value v = four(&erf_act, X, d, 0, 1, 2, 3), s = four(&signs, X, d, 0, 1, 2, 3);
        const double             got[6] = { v.A, v.B, v.C, v.D, v.K4, v.K3f0 };
        for (int i = 0; i < 6; ++i) NTH_CHECK_CLOSE(got[i], want[i], 1e-13, 0.0);
        NTH_CHECK_CLOSE(s.D, want[3] / 3.0, 1e-13, 0.0);
        NTH_CHECK_CLOSE(s.K4, v.K4 - 2.0 / 3.0 * v.D, 1e-13, 0.0);
    }
}

/* The quadrature of erf against its closed form, and whether the error stated is honest. */
static void quadrature_matches_erf(void)
{
    nth_four  p = { .measured = false };
    nth_means closed, sum;
    double    C[16];
    for (int rank = 1; rank <= 3; ++rank) {
        double X[12];
        memcpy(X, Xa, sizeof X);
        for (int i = 0; i < 4; ++i)
            for (int c = rank; c < 3; ++c) X[3 * i + c] = 0.0;
        gram(C, X, 3, (const int[]){ 0, 1, 2, 3 });
        for (int i = 0; i < 16; ++i) p.x[i / 4][i % 4] = C[i];
        NTH_CHECK_OK(nth_priv_means(&closed, &erf_act, &p));
        for (int e = 0; e < 2; ++e) {
            nth_expected_config cfg = erf_act;
            double              worst = 0.0;
            cfg.tolerance = e == 0 ? 1e-3 : 1e-12;
            NTH_CHECK_OK(nth_priv_means_quadrature(&sum, &cfg, &p));
            worst = nth_worst(worst, fabs(sum.one - closed.one));
            for (int i = 0; i < 4; ++i) {
                worst = nth_worst(worst, fabs(sum.three[i] - closed.three[i]));
                for (int j = 0; j < 4; ++j) {
                    worst = nth_worst(worst, fabs(sum.pair[i][j] - closed.pair[i][j]));
                    worst = nth_worst(worst, fabs(sum.two[i][j] - closed.two[i][j]));
                    worst = nth_worst(worst, fabs(sum.both[i][j] - closed.both[i][j]));
                }
            }
            printf("    rank %d: error %.1e, stated %.1e\n", rank, worst, sum.error);
            NTH_CHECK(worst <= 10.0 * sum.error && sum.error <= cfg.tolerance);
        }
    }
}

static void quadrature_error_is_honest(void)
{
    static const double tol[] = { 3e-2, 1e-3, 1e-5, 1e-8 };
    double              C[16];
    nth_four            p = { .measured = false };
    for (int size = 1; size <= 4; size *= 2) {
        gram(C, Xa, 3, (const int[]){ 0, 1, 2, 3 });
        for (int i = 0; i < 4; ++i) /* two dimensions: the third coordinate left out */
            for (int j = 0; j < 4; ++j) p.x[i][j] = size * size * (C[4 * i + j] - Xa[3 * i + 2] * Xa[3 * j + 2]);
        nth_expected_config cfg = { .activation = NTH_ACT_TANH, .tolerance = 1e-13 };
        nth_means           fine, M;
        NTH_CHECK_OK(nth_priv_means_quadrature(&fine, &cfg, &p));
        for (int e = 0; e < 4; ++e) {
            double worst = 0.0, most = 0.0;
            cfg.tolerance = tol[e];
            NTH_CHECK_OK(nth_priv_means_quadrature(&M, &cfg, &p));
            for (int i = 0; i < 4; ++i) {
                worst = nth_worst(worst, fabs(M.three[i] - fine.three[i])), most = nth_worst(most, fabs(fine.three[i]));
                for (int j = 0; j < 4; ++j) {
                    worst = nth_worst(worst, fabs(M.two[i][j] - fine.two[i][j])), most = nth_worst(most, fabs(fine.two[i][j]));
                    worst = nth_worst(worst, fabs(M.both[i][j] - fine.both[i][j])), most = nth_worst(most, fabs(fine.both[i][j]));
                }
            }
            printf("    size %d: error %.1e, stated %.1e, asked %.0e\n", size, worst / most, M.error, tol[e]);
            NTH_CHECK(worst <= 3.0 * most * M.error && M.error <= tol[e]);
        }
    }
}

/* dE/dC_ij E[F] = E[F_ij], dE/dC_ii = E[F_ii]/2: each mean with delta functions is the derivative of one without. */
static void price(void)
{
    double worst = 0.0;
    for (unsigned run = 0; run < 20; ++run) {
        double    X[24], C[16];
        nth_four  p = { .measured = false };
        nth_means M, up, down;
        nth_rand_normals(X, 24, 11, NTH_STREAM_TEST, run, 0);
        gram(C, X, 6, (const int[]){ 0, 1, 2, 3 });
        for (int i = 0; i < 16; ++i) p.x[i / 4][i % 4] = C[i];
        NTH_CHECK_OK(nth_priv_means(&M, &relu, &p));
        for (int i = 0; i < 4; ++i)
            for (int j = 0; j < 4; ++j) {
                const double h = 1e-5;
                nth_four     q = p;
                q.x[i][j] += h, q.x[j][i] = q.x[i][j];
                NTH_CHECK_OK(nth_priv_means(&up, &relu, &q));
                q.x[i][j] -= 2.0 * h, q.x[j][i] = q.x[i][j];
                NTH_CHECK_OK(nth_priv_means(&down, &relu, &q));
                const double d = (up.one - down.one) / (2.0 * h);
                if (i == j) {
                    worst = nth_worst(worst, fabs(d - 0.5 * M.three[i]));
                    continue;
                }
                worst = nth_worst(worst, fabs(d - M.both[i][j]));
                for (int k = 0; k < 4; ++k) /* s_i' s_j s_k s_l' -> s_i'' s_j' s_k s_l' */
                    if (k != i && k != j) {
                        const int l = 6 - i - j - k;
                        worst = nth_worst(worst, fabs((up.pair[i][l] - down.pair[i][l]) / (2.0 * h) - M.two[i][k]));
                    }
            }
    }
    printf("    worst %.2e\n", worst);
    NTH_CHECK_CLOSE(worst, 0.0, 0.0, 1e-8);
}

/* softplus(b z)/b at inputs x is softplus at inputs b x, divided by b^4 in K4. */
static double sharpened(const double *X, double b)
{
    const nth_expected_config cfg = { .activation = NTH_ACT_SOFTPLUS, .tolerance = 1e-4 };
    double                    Y[12];
    for (int i = 0; i < 12; ++i) Y[i] = b * X[i];
    return four(&cfg, Y, 3, 0, 1, 2, 3).K4 / (b * b * b * b);
}

static void relu_is_the_limit_of_softplus(void)
{
    static const struct {
        const char *name;
        int         to, from; /* row `to` = factor * row `from`; -1: none */
        double      factor;
    } row[] = { { "no two on a line", -1, 0, 0 }, { "3 and 4", 3, 2, 1.0 }, { "3 and 4, opposite", 3, 2, -0.7 },
                { "1 and 2", 1, 0, 1.3 },         { "1 and 3", 2, 0, 1.0 }, { "2 and 3, opposite", 2, 1, -0.8 } };
    for (size_t c = 0; c < sizeof row / sizeof row[0]; ++c) {
        double X[12];
        memcpy(X, Xa, sizeof X);
        for (int k = 0; k < 3 && row[c].to >= 0; ++k) X[3 * row[c].to + k] = row[c].factor * X[3 * row[c].from + k];
        const double exact = four(&relu, X, 3, 0, 1, 2, 3).K4, ae = four(&relu_ae, X, 3, 0, 1, 2, 3).K4;
        const double s3 = sharpened(X, 3.0), s6 = sharpened(X, 6.0), s12 = sharpened(X, 12.0);
        const double limit = (8.0 * s12 - 6.0 * s6 + s3) / 3.0; /* the terms in 1/b and 1/b^2 removed */
        printf("    %s: %.6f, softplus %.6f %.6f %.6f -> %.6f, a.e. %.6f\n", row[c].name, exact, s3, s6, s12, limit, ae);
        NTH_CHECK_CLOSE(limit, exact, 0.0, 5e-3);
    }
}

/* Two lines, 1 and 2 on one, 3 and 4 on the other: K4(x,x,x_i,x_i). */
static void relu_on_two_lines(void)
{
    static const double scale[3][2] = { { 1.0, 1.0 }, { 0.6, 1.5 }, { 1.2, -0.8 } };
    for (int e = 0; e < 3; ++e) {
        double X[12] = { 0.9, 0.3, 0, 0, 0, 0, -0.4, 0.8, 0, 0, 0, 0 };
        for (int k = 0; k < 2; ++k) X[3 + k] = scale[e][0] * X[k], X[9 + k] = scale[e][1] * X[6 + k];
        const double s6 = sharpened(X, 6.0), s12 = sharpened(X, 12.0), s24 = sharpened(X, 24.0);
        const double exact = four(&relu, X, 3, 0, 1, 2, 3).K4, limit = (8.0 * s24 - 6.0 * s12 + s6) / 3.0;
        printf("    %.8f, softplus %.8f %.8f %.8f -> %.8f\n", exact, s6, s12, s24, limit);
        NTH_CHECK_CLOSE(limit, exact, 0.0, 2e-3);
    }
}

enum { N = 4, K = 2, D = 5 };
static double train[N * D], test[K * D], W[N * N];

static void draw(void)
{
    nth_rand_normals(train, N * D, 5, NTH_STREAM_TEST, 1, 0);
    nth_rand_normals(test, K * D, 5, NTH_STREAM_TEST, 2, 0);
    nth_rand_normals(W, N * N, 5, NTH_STREAM_TEST, 3, 0);
}

typedef struct result {
    double train[N * N], test[K * N], test_test[K * K];
} result;

static nth_blocks blocks_of(result *r)
{
    return (nth_blocks){ .train = nth_mat_of(r->train, N, N), .test = nth_mat_of(r->test, K, N),
                         .test_test = nth_mat_of(r->test_test, K, K) };
}

/* Every entry by its own four points, which knows no symmetry and no gaps. */
static void contraction_matches_four(void)
{
    draw();
    double all[(N + K) * D], worst = 0.0;
    memcpy(all, train, sizeof train);
    memcpy(all + N * D, test, sizeof test);
    const nth_expected_config *cfg[2] = { &relu_ae, &erf_act };
    for (int c = 0; c < 2; ++c)
        for (int third = 0; third < 2; ++third) {
            result     r;
            nth_blocks B = blocks_of(&r);
            NTH_CHECK_OK(nth_expected_contract(&B, cfg[c], third ? NTH_EXPECTED_K3_F0 : NTH_EXPECTED_K4,
                                               nth_cmat_of(train, N, D), nth_cmat_of(test, K, D), nth_cmat_of(W, N, N)));
            for (int x = 0; x < N + K; ++x)
                for (int z = 0; z <= x; ++z) {
                    double want = 0.0;
                    for (int i = 0; i < N; ++i)
                        for (int j = 0; j < N; ++j) {
                            const nth_expected_value v = four(cfg[c], all, D, x, z, i, j);
                            want += W[i * N + j] * (third ? v.K3f0 : v.K4);
                        }
                    const double got = x < N ? r.train[x * N + z] : z < N ? r.test[(x - N) * N + z] : r.test_test[(x - N) * K + z - N];
                    worst = nth_worst(worst, fabs(got - want) / (1.0 + fabs(want)));
                    if (x < N) NTH_CHECK(r.train[z * N + x] == r.train[x * N + z]);
                }
        }
    printf("    worst %.2e\n", worst);
    NTH_CHECK_CLOSE(worst, 0.0, 0.0, 1e-11);
}

static void contraction_matches_tensor(void)
{
    static double T[N * N * N * N];
    result        r;
    nth_blocks    B = { .train = nth_mat_of(r.train, N, N) };
    double        worst = 0.0;
    draw();
    NTH_CHECK_OK(nth_expected_tensor(T, &relu_ae, nth_cmat_of(train, N, D)));
    NTH_CHECK_OK(nth_expected_contract(&B, &relu_ae, NTH_EXPECTED_K4, nth_cmat_of(train, N, D), (nth_cmat){ 0 }, nth_cmat_of(W, N, N)));
    for (int x = 0; x < N * N; ++x) {
        double want = 0.0;
        for (int ij = 0; ij < N * N; ++ij) want += W[ij] * T[x * N * N + ij];
        worst = nth_worst(worst, fabs(r.train[x] - want));
        for (int ij = 0; ij < N * N; ++ij) {
            const double v = four(&relu_ae, train, D, x / N, x % N, ij / N, ij % N).K4;
            NTH_CHECK_CLOSE(T[x * N * N + ij], v, 1e-9, 1e-11);
        }
    }
    NTH_CHECK_CLOSE(worst, 0.0, 0.0, 1e-12);
}

/* N1-N5: train on vectors 2,3,4 with y = (1,-1,1). */
static void label_aware_oracles(void)
{
    static const int    pair[5][2] = { { 0, 0 }, { 0, 1 }, { 0, 2 }, { 1, 2 }, { 1, 3 } };
    static const double want[2][5][3] = {
        { { 2.788384185836993, 2.774648005959995, 0.5328256971291866 },
          { 1.287886013193666, 1.251822961086949, 0.217583043017889 },
          { -0.5476128778013018, -0.5415260143334412, -0.08641712455301629 },
          { 0.2030002450569728, 0.2054651249810578, 0.03770678310461296 },
          { 1.007701737552283, 0.9798453599715202, 0.1988708241677483 } },
        { { 3.28878909413006, 3.286463794132103, 0.5553669592518226 },
          { 2.180096139464839, 2.155512546765308, 0.4168765663850536 },
          { 1.417014256456223, 1.452116695684744, 0.1978852139652993 },
          { 0.2934419950740144, 0.3060847207092451, 0.07150912561878666 },
          { 2.667254641535079, 2.622297835493351, 0.5435483066616285 } } };
    const double y[3] = { 1.0, -1.0, 1.0 };
    double       worst = 0.0;
    for (int c = 0; c < 2; ++c) {
        double X[16];
        vectors(X, R[c]);
        for (int e = 0; e < 3; ++e) {
            double           a[9], b[3], d[1];
            nth_label_kernel L = { .LA = { nth_mat_of(a, 3, 3), nth_mat_of(b, 1, 3), nth_mat_of(d, 1, 1) } };
            NTH_CHECK_OK(nth_label_aware(&L, &relu_ae, nth_cmat_of(X + 4, 3, 4), nth_cmat_of(X, 1, 4), y,
                                         e == 2 ? 2.0 : INFINITY, e == 1 ? NTH_LABEL_HALF : NTH_LABEL_EXACT));
            for (int k = 0; k < 5; ++k) {
                const int    i = pair[k][0], j = pair[k][1];
                const double got = j == 0 ? d[0] : i == 0 ? b[j - 1] : a[3 * (i - 1) + j - 1];
                worst = nth_worst(worst, fabs(got / want[c][k][e] - 1.0));
            }
        }
        NTH_CHECK(fabs(want[c][0][0] / want[c][0][1] - 1.0) > 1e-4); /* the half rule is another number */
    }
    printf("    worst %.2e\n", worst);
    NTH_CHECK_CLOSE(worst, 0.0, 0.0, 1e-11);
}

/* E71 from the dense tensor, with its subtracted term, against nth_label_aware (E72). */
static void two_forms_agree(void)
{
    static double T[N * N * N * N];
    double        Kb[N * N], U[N * N], d[N], ab[N], cy[N], LA[N * N], worst = 0.0;
    const double  y[N] = { 1.0, -1.0, 1.0, 1.0 };
    draw();
    nth_label_kernel L = { .K2 = { .train = nth_mat_of(Kb, N, N) }, .LA = { .train = nth_mat_of(LA, N, N) } };
    NTH_CHECK_OK(nth_label_aware(&L, &relu_ae, nth_cmat_of(train, N, D), (nth_cmat){ 0 }, y, INFINITY, NTH_LABEL_EXACT));
    NTH_CHECK_OK(nth_expected_tensor(T, &relu_ae, nth_cmat_of(train, N, D)));
    NTH_CHECK_OK(nth_eigh(nth_cmat_of(Kb, N, N), d, nth_mat_of(U, N, N)));
    for (int p = 0; p < N; ++p) {
        cy[p] = 0.0;
        for (int i = 0; i < N; ++i) cy[p] += U[i * N + p] * y[i];
    }
    for (int i = 0; i < N; ++i) {
        ab[i] = 0.0;
        for (int p = 0; p < N; ++p) ab[i] += U[i * N + p] * cy[p] / d[p];
    }
    for (int x = 0; x < N * N; ++x) {
        const double *k4 = T + x * N * N;
        double        first = 0.0, second = 0.0;
        for (int i = 0; i < N; ++i)
            for (int j = 0; j < N; ++j) first += ab[i] * k4[i * N + j] * ab[j];
        for (int p = 0; p < N; ++p)
            for (int q = 0; q < N; ++q) {
                double rotated = 0.0;
                for (int i = 0; i < N; ++i)
                    for (int j = 0; j < N; ++j) rotated += U[i * N + p] * k4[i * N + j] * U[j * N + q];
                second += cy[p] * cy[q] * rotated / d[q] / (d[p] + d[q]);
            }
        worst = nth_worst(worst, fabs(LA[x] - (first - second)) / fabs(first));
    }
    printf("    worst %.2e\n", worst);
    NTH_CHECK_CLOSE(worst, 0.0, 0.0, 1e-11);
}

/* P1-P7. */
static void mean_drift(void)
{
    static const double X[15] = { -0.471953, -0.12651, 1.204681, 0.484446, -1.206357, -0.003824, -0.468173, 0.111611,
                                  -1.207625, 0.195056, 0.1899, 1.271177, 0.255764, 0.412384, -1.206036 };
    const double        y[3] = { 1.0, -1.0, 1.0 };
    nth_expected_config cfg = { .activation = NTH_ACT_TANH };
    double              K2[4], LA[4], C1[4], C2[4];
    nth_label_kernel    L = { { .test_test = nth_mat_of(K2, 2, 2) }, { .test_test = nth_mat_of(LA, 2, 2) },
                              { .test_test = nth_mat_of(C1, 2, 2) }, { .test_test = nth_mat_of(C2, 2, 2) } };
    NTH_CHECK_CLOSE(four(&cfg, X, 3, 3, 4, 0, 1).K4, 0.640471677332, 1e-10, 0.0);
    NTH_CHECK_CLOSE(four(&cfg, X, 3, 3, 4, 1, 0).K4, 0.573497490606, 1e-10, 0.0);
    NTH_CHECK_OK(nth_label_aware(&L, &cfg, nth_cmat_of(X, 3, 3), nth_cmat_of(X + 9, 2, 3), y, 3.0, NTH_LABEL_EXACT));
    NTH_CHECK_CLOSE(K2[1], -0.8453604015595, 1e-11, 0.0);
    NTH_CHECK_CLOSE(LA[1], -1.28434046118, 1e-9, 0.0);
    NTH_CHECK_CLOSE(C1[1], 0.14762417139, 1e-9, 0.0);
    NTH_CHECK_CLOSE(C2[1], 0.10849597223, 1e-9, 0.0);
    NTH_CHECK_CLOSE(LA[1] + C1[1] + C2[1], -1.02822031756, 1e-9, 0.0);
    cfg.activation = NTH_ACT_ERF, cfg.antisymmetric = true; /* doubled: f_0 = 0 */
    NTH_CHECK_OK(nth_label_aware(&L, &cfg, nth_cmat_of(X, 3, 3), nth_cmat_of(X + 9, 2, 3), y, 3.0, NTH_LABEL_EXACT));
    NTH_CHECK(C1[1] == 0.0 && C2[1] == 0.0 && LA[1] != 0.0);
}

/* relu with delta terms: pairs of test inputs have a mean, pairs with a training input do not; both forms where they exist
 * differ, and the a.e. one has all blocks. Twin: sums over quadruples one by one. */
static void relu_blocks_with_delta_terms(void)
{
    static const double X[20] = { -0.471953, -0.12651, 1.204681, 0.3, 0.484446, -1.206357, -0.003824, -0.7, -0.468173, 0.111611,
                                  -1.207625, 0.2, 0.195056, 0.1899, 1.271177, 0.5, 0.255764, 0.412384, -1.206036, -0.4 };
    const double        y[3] = { 1.0, -1.0, 1.0 }, weight[9] = { 1.0, -0.5, 0.3, 0.8, -0.4, 1.0, 0.6, 0.2, 0.1 };
    double              b[3][9], want = 0.0;
    nth_label_kernel    L = { .LA.test_test = nth_mat_of(b[0], 2, 2) };
    nth_blocks          B = { .test_test = nth_mat_of(b[1], 2, 2) };
    const nth_cmat      train_x = nth_cmat_of(X, 3, 4), test_x = nth_cmat_of(X + 12, 2, 4);
    NTH_CHECK_OK(nth_expected_contract(&B, &relu, NTH_EXPECTED_K4, train_x, test_x, nth_cmat_of(weight, 3, 3)));
    for (int i = 0; i < 3; ++i)
        for (int j = 0; j < 3; ++j) want += weight[3 * i + j] * four(&relu, X, 4, 3, 4, i, j).K4;
    NTH_CHECK_CLOSE(b[1][1], want, 1e-12, 0.0);
    NTH_CHECK_OK(nth_label_aware(&L, &relu_ae, train_x, test_x, y, 3.0, NTH_LABEL_EXACT));
    const double ae = b[0][1];
    NTH_CHECK_OK(nth_label_aware(&L, &relu, train_x, test_x, y, 3.0, NTH_LABEL_EXACT));
    NTH_CHECK(fabs(b[0][1] - ae) > 1e-3 && isfinite(b[0][1]));
    for (int which = 0; which < 2; ++which) {
        const nth_mat    block = nth_mat_of(b[2], which == 0 ? 3 : 2, 3);
        nth_label_kernel with = { .LA = { .train = which == 0 ? block : (nth_mat){ 0 }, .test = which == 1 ? block : (nth_mat){ 0 } } };
        NTH_CHECK_STATUS(nth_label_aware(&with, &relu, train_x, test_x, y, 3.0, NTH_LABEL_EXACT), NTH_E_NUMERIC);
        NTH_CHECK_MESSAGE("infinite on pairs with a training input");
        NTH_CHECK_STATUS(nth_expected_contract(&with.LA, &relu, NTH_EXPECTED_K3_F0, train_x, test_x, nth_cmat_of(weight, 3, 3)), NTH_E_NUMERIC);
        NTH_CHECK_OK(nth_label_aware(&with, &relu_ae, train_x, test_x, y, 3.0, NTH_LABEL_EXACT));
    }
}

/* Contracted K4 of random networks of any width M, times M, has the mean computed here (E70). */
static void networks_agree(void)
{
    enum { RUNS = 40, WIDTH = 4000 };
    const nth_expected_config *cfg[2] = { &erf_act, &relu_ae };
    draw();
    for (int i = 0; i < N * D; ++i) train[i] *= 0.6;
    for (int c = 0; c < 2; ++c) {
        const nth_net_config net_cfg = { .activation = cfg[c]->activation, .layers = 2, .widths = { D, WIDTH, 1 },
                                         .sigma_w = 1.0, .input_scale = NTH_INPUT_ONE };
        const double         u[N] = { 1.0, -0.5, 0.3, 0.8 }, v[N] = { -0.4, 1.0, 0.6, 0.2 };
        double               mean[N * N] = { 0 }, square[N * N] = { 0 }, k[N * N], uv[N * N], want[N * N], worst = 0.0;
        nth_blocks           B = { .train = nth_mat_of(k, N, N) }, E = { .train = nth_mat_of(want, N, N) };
        nth_net             *net = NULL;
        NTH_CHECK_OK(nth_net_create(&net, &net_cfg, true));
        for (uint32_t run = 0; run < RUNS; ++run) {
            nth_net_init_gaussian(net, 17, run);
            NTH_CHECK_OK(nth_hier_contract(&B, net, nth_cmat_of(train, N, D), (nth_cmat){ 0 }, 4, (const double *const[]){ u, v }));
            for (int i = 0; i < N * N; ++i) mean[i] += WIDTH * k[i] / RUNS, square[i] += WIDTH * k[i] * WIDTH * k[i] / RUNS;
        }
        nth_net_destroy(&net);
        for (int i = 0; i < N * N; ++i) uv[i] = u[i / N] * v[i % N];
        NTH_CHECK_OK(nth_expected_contract(&E, cfg[c], NTH_EXPECTED_K4, nth_cmat_of(train, N, D), (nth_cmat){ 0 }, nth_cmat_of(uv, N, N)));
        double error = 0.0, size = 0.0;
        for (int i = 0; i < N * N; ++i) {
            const double se = sqrt((square[i] - mean[i] * mean[i]) / (RUNS - 1));
            worst = nth_worst(worst, fabs(mean[i] - want[i]) / se);
            error = nth_worst(error, se), size = nth_worst(size, fabs(want[i]));
        }
        printf("    %s: worst %.2f standard errors of at most %.1e of the largest\n", nth_activation_name(cfg[c]->activation), worst, error / size);
        NTH_CHECK(worst <= 5.0 && error < 0.1 * size);
    }
}

static void same_bits_on_any_threads(void)
{
    static const int threads[] = { 1, 2, 3, 7 };
    const int        had = nth_priv_threads();
    const double     y[N] = { 1.0, -1.0, 1.0, 1.0 };
    result           first[2], r[2];
    draw();
    for (int e = 0; e < 4; ++e) {
        nth_label_kernel L = { .LA = blocks_of(&r[0]), .C1 = blocks_of(&r[1]) };
        nth_priv_set_threads(threads[e]);
        NTH_CHECK_OK(nth_label_aware(&L, &relu_ae, nth_cmat_of(train, N, D), nth_cmat_of(test, K, D), y, 2.0, NTH_LABEL_EXACT));
        if (e == 0) memcpy(first, r, sizeof r);
        NTH_CHECK(memcmp(first, r, sizeof r) == 0);
    }
    nth_priv_set_threads(had);
}

static void refusals(void)
{
    double              C[16], X[20], r[N * N];
    nth_expected_value  v;
    nth_expected_config cfg = erf_act;
    nth_blocks          B = { .train = nth_mat_of(r, N, N) };
    gram(C, Xb, 5, (const int[]){ 0, 1, 2, 3 });
    cfg.almost_everywhere = true;
    NTH_CHECK_STATUS(nth_expected_four(&v, &cfg, C, NULL), NTH_E_ARG);
    NTH_CHECK_MESSAGE("a.e.");
    cfg = (nth_expected_config){ .activation = NTH_ACT_TANH };
    NTH_CHECK_STATUS(nth_expected_four(&v, &cfg, C, NULL), NTH_E_ARG);
    NTH_CHECK_MESSAGE("random networks");
    cfg.tolerance = -1.0;
    NTH_CHECK_STATUS(nth_expected_four(&v, &cfg, C, NULL), NTH_E_ARG);
    memcpy(X, Xb, sizeof X);
    for (int k = 0; k < 5; ++k) X[15 + k] = -2.0 * X[5 + k]; /* 4 against 2 */
    gram(C, X, 5, (const int[]){ 0, 1, 2, 3 });
    NTH_CHECK_STATUS(nth_expected_four(&v, &relu, C, NULL), NTH_E_NUMERIC);
    NTH_CHECK_MESSAGE("points 2 and 4");
    NTH_CHECK_OK(nth_expected_four(&v, &relu_ae, C, NULL));
    gram(C, Xb, 5, (const int[]){ 0, 0, 0, 3 });
    NTH_CHECK_STATUS(nth_expected_four(&v, &relu, C, NULL), NTH_E_NUMERIC);
    NTH_CHECK_MESSAGE("1, 2 and 3");
    static const double plane[8] = { 0.9, 0.3, 1.8, 0.6, -0.4, 0.8, 0.6, 0.7 }; /* 1 and 2 on a line */
    gram(C, plane, 2, (const int[]){ 0, 1, 2, 3 });
    NTH_CHECK_STATUS(nth_expected_four(&v, &relu, C, NULL), NTH_E_NUMERIC);
    NTH_CHECK_MESSAGE("one plane");
    C[1] = NAN;
    NTH_CHECK_STATUS(nth_expected_four(&v, &relu_ae, C, NULL), NTH_E_ARG);
    draw();
    NTH_CHECK_STATUS(nth_expected_contract(&B, &relu, NTH_EXPECTED_K4, nth_cmat_of(train, N, D), (nth_cmat){ 0 }, nth_cmat_of(W, N, N)), NTH_E_NUMERIC);
    NTH_CHECK_MESSAGE("a.e.");
    NTH_CHECK_STATUS(nth_expected_contract(&B, &relu_ae, NTH_EXPECTED_K4, nth_cmat_of(train, N, D), (nth_cmat){ 0 }, nth_cmat_of(W, N, N - 1)), NTH_E_SHAPE);
    NTH_CHECK_STATUS(nth_expected_contract(&B, &relu_ae, NTH_EXPECTED_K4, nth_cmat_of(train, N - 1, D), (nth_cmat){ 0 }, nth_cmat_of(W, N - 1, N - 1)), NTH_E_SHAPE);
    const double     y[N] = { 1.0, 1.0, NAN, 1.0 };
    nth_label_kernel L = { .LA = B };
    NTH_CHECK_STATUS(nth_label_aware(&L, &relu_ae, nth_cmat_of(train, N, D), (nth_cmat){ 0 }, y, 1.0, NTH_LABEL_EXACT), NTH_E_NUMERIC);
    NTH_CHECK_STATUS(nth_label_aware(&L, &relu_ae, nth_cmat_of(train, N, D), (nth_cmat){ 0 }, train, NAN, NTH_LABEL_EXACT), NTH_E_ARG);
    memcpy(train + D, train, D * sizeof(double)); /* two equal points: no limit at infinity */
    NTH_CHECK_STATUS(nth_label_aware(&L, &relu_ae, nth_cmat_of(train, N, D), (nth_cmat){ 0 }, test, INFINITY, NTH_LABEL_EXACT), NTH_E_NUMERIC);
}

static nth_status build(void)
{
    result           r[2];
    const double     y[N] = { 1.0, -1.0, 1.0, 1.0 };
    nth_label_kernel L = { .LA = blocks_of(&r[0]), .C2 = blocks_of(&r[1]) };
    nth_blocks       B = blocks_of(&r[0]);
    double           T[16];
    nth_status       st = nth_label_aware(&L, &erf_act, nth_cmat_of(train, N, D), nth_cmat_of(test, K, D), y, 1.0, NTH_LABEL_HALF);
    if (st == NTH_OK)
        st = nth_expected_contract(&B, &relu_ae, NTH_EXPECTED_K4, nth_cmat_of(train, N, D), nth_cmat_of(test, K, D), nth_cmat_of(W, N, N));
    if (st == NTH_OK) st = nth_expected_tensor(T, &relu_ae, nth_cmat_of(train, 2, D));
    return st;
}

static void survives_failing_allocations(void)
{
    draw();
    nth_test_every_allocation_fails(build);
}

int main(void)
{
    return nth_test_main("expected",
                         (nth_test_case[]){ { "relu_ae_oracles", relu_ae_oracles },
                                            { "erf_oracles", erf_oracles },
                                            { "quadrature_matches_erf", quadrature_matches_erf },
                                            { "quadrature_error_is_honest", quadrature_error_is_honest },
                                            { "price", price },
                                            { "relu_is_the_limit_of_softplus", relu_is_the_limit_of_softplus },
                                            { "relu_on_two_lines", relu_on_two_lines },
                                            { "contraction_matches_four", contraction_matches_four },
                                            { "contraction_matches_tensor", contraction_matches_tensor },
                                            { "label_aware_oracles", label_aware_oracles },
                                            { "two_forms_agree", two_forms_agree },
                                            { "mean_drift", mean_drift },
                                            { "relu_blocks_with_delta_terms", relu_blocks_with_delta_terms },
                                            { "networks_agree", networks_agree },
                                            { "same_bits_on_any_threads", same_bits_on_any_threads },
                                            { "refusals", refusals },
                                            { "survives_failing_allocations", survives_failing_allocations },
                                            { 0 } });
}
