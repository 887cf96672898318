/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Means of higher kernels over networks: against loops over single networks and single pairs of points,
 * against exact means of two layers, and at depth three against themselves at another width.
 */
#include "nth_test.h"
#include "nth/average.h"
#include "nth/expected.h"
#include "nth/rng.h"
#include "nth/sampled.h"
#include "par_priv.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

enum { n = 3, k = 2, N = n + k, ALL = n * n + k * n + k * k };

/* The inputs of rows P1-P7. */
static const double X[] = { -0.471953, -0.12651, 1.204681, 0.484446, -1.206357, -0.003824, -0.468173, 0.111611, -1.207625 };
static const double Z[] = { 0.195056, 0.1899, 1.271177, 0.255764, 0.412384, -1.206036 };
static const double y[] = { 1, -1, 1 }, u[] = { 1.0, -0.4, 0.3 }, v[] = { -0.2, 0.9, 0.5 };
static const double *const uv[] = { u, v, u, v };

static nth_average_options options(nth_activation act, int layers, ptrdiff_t m, ptrdiff_t networks)
{
    nth_average_options opt = { .shape = { .activation = act, .layers = layers, .widths = { 3 }, .sigma_w = 1.0,
                                           .input_scale = NTH_INPUT_ONE },
                                .seed = 17, .networks = networks };
    for (int l = 1; l < layers; ++l) opt.shape.widths[l] = m;
    opt.shape.widths[layers] = 1;
    return opt;
}

/* Train, test and test-test block behind one another. */
static nth_blocks blocks(double a[ALL])
{
    return (nth_blocks){ nth_mat_of(a, n, n), nth_mat_of(a + n * n, k, n), nth_mat_of(a + n * n + k * n, k, k) };
}

static nth_status average(double mean[ALL], double se[ALL], nth_average_result *res, const nth_average_options *opt, int order)
{
    nth_blocks a = blocks(mean), b = blocks(se);
    return nth_hier_mean(&a, &b, res, opt, nth_cmat_of(X, n, 3), nth_cmat_of(Z, k, 3), order, uv);
}

static nth_status label_average(double K[ALL], double mean[ALL], double se[ALL], nth_average_result *res,
                                const nth_average_options *opt, double t)
{
    nth_blocks a = blocks(K), b = blocks(mean), c = blocks(se);
    return nth_hier_mean_label(&a, &b, &c, res, opt, nth_cmat_of(X, n, 3), nth_cmat_of(Z, k, 3), y, t);
}

static double worst_of(const double *a, const double *b, double *scale)
{
    double worst = 0.0;
    *scale = 0.0;
    for (int e = 0; e < ALL; ++e) worst = nth_worst(worst, fabs(a[e] - b[e])), *scale = fmax(*scale, fabs(b[e]));
    return worst;
}

/* Mean and standard error of 70 networks (a group and a part of one), one by one; every order, two and three
 * layers, doubled ones, biases. */
static void equals_single_networks(void)
{
    enum { R = 70 };
    for (int q = 0; q < 6; ++q) {
        const int           order = q < 5 ? 2 + q : 4;
        nth_average_options opt = options(NTH_ACT_TANH, q % 2 ? 2 : 3, 7, R);
        double              mean[ALL], se[ALL], sum[ALL] = { 0 }, squares[ALL] = { 0 }, all[R][ALL], scale;
        nth_average_result  res;
        opt.shape.doubled = q == 5, opt.shape.sigma_b = q == 2 ? 0.3 : 0.0;
        NTH_CHECK_OK(average(mean, se, &res, &opt, order));
        for (uint32_t r = 0; r < R; ++r) {
            nth_net   *net = NULL;
            nth_blocks K = blocks(all[r]);
            NTH_CHECK_OK(nth_net_create(&net, &opt.shape, true));
            nth_net_init_gaussian(net, opt.seed, r);
            NTH_CHECK_OK(nth_hier_contract(&K, net, nth_cmat_of(X, n, 3), nth_cmat_of(Z, k, 3), order, uv));
            nth_net_destroy(&net);
            for (int e = 0; e < ALL; ++e) {
                all[r][e] *= pow(opt.shape.doubled ? 14.0 : 7.0, 0.5 * order - 1.0);
                sum[e] += all[r][e] / R;
            }
        }
        for (int r = 0; r < R; ++r)
            for (int e = 0; e < ALL; ++e) squares[e] += (all[r][e] - sum[e]) * (all[r][e] - sum[e]) / (R * (R - 1.0));
        for (int e = 0; e < ALL; ++e) squares[e] = sqrt(squares[e]);
        double worst = worst_of(mean, sum, &scale);
        NTH_CHECK(res.networks == R && worst <= 1e-12 * scale);
        printf("    order %d: mean %.1e of %.3g,", order, worst, scale);
        worst = worst_of(se, squares, &scale);
        NTH_CHECK(worst <= 1e-12 * scale);
        printf(" standard error %.1e of %.3g\n", worst, scale);
        double se2 = 0.0, size = 0.0;
        for (int e = 0; e < n * n; ++e) se2 += se[e] * se[e], size += mean[e] * mean[e];
        NTH_CHECK_CLOSE(res.relative, sqrt(se2 / size), 1e-12, 0.0);
    }
}

/* sum_ij Omega_ij K4(x,x',i,j) pair by pair, Omega formed here; depth three. */
static void depth_three_by_loops(void)
{
    enum { R = 3 };
    for (int q = 0; q < 3; ++q) {
        const double        t = q == 0 ? INFINITY : 2.0;
        nth_average_options opt = options(q == 2 ? NTH_ACT_RELU : NTH_ACT_TANH, 3, 9, R);
        double              K[ALL], mean[ALL], se[ALL], want[ALL] = { 0 }, Kb[ALL], Omega[n * n], r0[n], scale;
        nth_blocks          base = blocks(Kb);
        nth_spectral       *sp = NULL;
        nth_average_result  res;
        opt.shape.sigma_b = q == 1 ? 0.4 : 0.0;
        NTH_CHECK_OK(label_average(K, mean, se, &res, &opt, t));
        NTH_CHECK_OK(nth_ntk_infinite(&base, &opt.shape, nth_cmat_of(X, n, 3), nth_cmat_of(Z, k, 3)));
        for (int i = 0; i < n; ++i) r0[i] = -y[i];
        NTH_CHECK_OK(nth_spectral_create(&sp, nth_const(base.train), r0));
        NTH_CHECK_OK(nth_spectral_omega(sp, t, nth_mat_of(Omega, n, n)));
        nth_spectral_destroy(&sp);
        for (uint32_t r = 0; r < R; ++r) {
            nth_net *net = NULL;
            NTH_CHECK_OK(nth_net_create(&net, &opt.shape, true));
            nth_net_init_gaussian(net, opt.seed, r);
            for (int i = 0; i < n; ++i)
                for (int j = 0; j < n; ++j) {
                    double        a[n] = { 0 }, b[n] = { 0 }, one[ALL];
                    nth_blocks    K4 = blocks(one);
                    const double *const ab[] = { a, b };
                    a[i] = b[j] = 1.0;
                    NTH_CHECK_OK(nth_hier_contract(&K4, net, nth_cmat_of(X, n, 3), nth_cmat_of(Z, k, 3), 4, ab));
                    for (int e = 0; e < ALL; ++e) want[e] += 9.0 * Omega[i * n + j] * one[e] / R;
                }
            nth_net_destroy(&net);
        }
        NTH_CHECK(memcmp(K, Kb, sizeof K) == 0);
        const double worst = worst_of(mean, want, &scale);
        printf("    t = %g: %.1e of %.3g\n", t, worst, scale);
        NTH_CHECK(worst <= 1e-11 * scale);
    }
}

/* P1, P2: E K2(4,5), m E K4(4,5,1,2) and (4,5,2,1), two layers of any width. */
static void exact_means(void)
{
    static const double  want[] = { -0.8453604015595, 0.640471677332, 0.573497490606 };
    static const double  e1[] = { 1, 0, 0 }, e2[] = { 0, 1, 0 };
    const double *const  v12[] = { e1, e2 }, *const v21[] = { e2, e1 };
    nth_average_options  opt = options(NTH_ACT_TANH, 2, 64, 1500);
    nth_average_result   res;
    for (int q = 0; q < 3; ++q) {
        double     mean[k * k], se[k * k];
        nth_blocks a = { .test_test = nth_mat_of(mean, k, k) }, b = { .test_test = nth_mat_of(se, k, k) };
        NTH_CHECK_OK(nth_hier_mean(&a, &b, &res, &opt, nth_cmat_of(X, n, 3), nth_cmat_of(Z, k, 3), q == 0 ? 2 : 4, q == 1 ? v12 : v21));
        printf("    %.5f +- %.5f, exact %.5f\n", mean[1], se[1], want[q]);
        NTH_CHECK(fabs(mean[1] - want[q]) <= 4.0 * se[1] && se[1] <= 0.02 * fabs(want[q]));
    }
}

/* The four unit vectors of R1 and R2: rows of the Cholesky factor. */
static void vectors(double x[16], int which)
{
    static const double r[2][6] = { { .3, -.2, .5, .4, .1, -.3 }, { .7, .6, .5, .4, .6, .3 } };
    double              G[16] = { 0 };
    for (int i = 0, e = 0; i < 4; ++i)
        for (int j = i; j < 4; ++j) G[i * 4 + j] = G[j * 4 + i] = i == j ? 1.0 : r[which][e++];
    memset(x, 0, 16 * sizeof *x);
    for (int i = 0; i < 4; ++i)
        for (int j = 0; j <= i; ++j) {
            double s = G[i * 4 + j];
            for (int l = 0; l < j; ++l) s -= x[i * 4 + l] * x[j * 4 + l];
            x[i * 4 + j] = i == j ? sqrt(s) : s / x[j * 4 + j];
        }
}

/* N1-N5: test vector 1, training vectors 2, 3, 4; t = infinity and t = 2; relu. */
static void label_aware_part(void)
{
    static const struct {
        int    which;
        double t, want[5]; /* (1,1) (1,2) (1,3) (2,3) (2,4) */
    } row[] = { { 1, INFINITY, { 3.28878909413006, 2.180096139464839, 1.417014256456223, 0.2934419950740144, 2.667254641535079 } },
                { 0, INFINITY, { 2.788384185836993, 1.287886013193666, -0.5476128778013018, 0.2030002450569728, 1.007701737552283 } },
                { 1, 2.0, { 0.5553669592518226, 0.4168765663850536, 0.1978852139652993, 0.07150912561878666, 0.5435483066616285 } },
                { 0, 2.0, { 0.5328256971291866, 0.217583043017889, -0.08641712455301629, 0.03770678310461296, 0.1988708241677483 } } };
    for (size_t q = 0; q < 4; ++q) {
        double              x[16], K[9], S[3], U, L[9], LS[3], LU, E[9], ES[3], EU, worst = 0.0;
        nth_blocks          agnostic = { nth_mat_of(K, 3, 3), nth_mat_of(S, 1, 3), nth_mat_of(&U, 1, 1) };
        nth_blocks          label = { nth_mat_of(L, 3, 3), nth_mat_of(LS, 1, 3), nth_mat_of(&LU, 1, 1) };
        nth_blocks          se = { nth_mat_of(E, 3, 3), nth_mat_of(ES, 1, 3), nth_mat_of(&EU, 1, 1) };
        nth_average_result  res;
        nth_average_options opt = options(NTH_ACT_RELU, 2, 256, 4000);
        opt.shape.widths[0] = 4, opt.target = 0.01;
        vectors(x, row[q].which);
        NTH_CHECK_OK(nth_hier_mean_label(&agnostic, &label, &se, &res, &opt, nth_cmat_of(x + 4, 3, 4), nth_cmat_of(x, 1, 4), y, row[q].t));
        const double got[5] = { LU, LS[0], LS[1], L[1], L[2] }, error[5] = { EU, ES[0], ES[1], E[1], E[2] };
        for (int e = 0; e < 5; ++e) worst = nth_worst(worst, fabs(got[e] - row[q].want[e]) / error[e]);
        printf("    R%d, t = %g: %td networks, relative error %.4f, at most %.2f standard errors off\n", row[q].which + 1, row[q].t,
               res.networks, res.relative, worst);
        NTH_CHECK(worst <= 4.0 && res.relative <= 0.01 && res.networks < 4000);
    }
}

/* Two layers: the exact mean of erf, and sampled neurons for tanh. */
static void agrees_with_other_routes(void)
{
    const nth_activation act[] = { NTH_ACT_ERF, NTH_ACT_TANH };
    for (int q = 0; q < 2; ++q) {
        double              K[ALL], mean[ALL], se[ALL], K2[ALL], want[ALL], error[ALL] = { 0 }, worst = 0.0;
        nth_blocks          a = blocks(K2), b = blocks(want), c = blocks(error);
        nth_average_options opt = options(act[q], 2, 64, 2500);
        nth_average_result  res;
        opt.target = 0.1;
        NTH_CHECK_OK(label_average(K, mean, se, &res, &opt, INFINITY));
        if (q == 0) {
            const nth_expected_config cfg = { .activation = NTH_ACT_ERF };
            nth_label_kernel          exact = { .K2 = a, .LA = b };
            NTH_CHECK_OK(nth_label_aware(&exact, &cfg, nth_cmat_of(X, n, 3), nth_cmat_of(Z, k, 3), y, INFINITY, NTH_LABEL_EXACT));
        } else {
            const nth_sampled_options o = { .activation = act[q], .sigma_w = 1.0, .input_scale = NTH_INPUT_ONE, .target = 0.03, .seed = 5 };
            nth_sampled_result        r;
            NTH_CHECK_OK(nth_sampled_label(&a, &b, &c, &r, nth_cmat_of(X, n, 3), nth_cmat_of(Z, k, 3), y, INFINITY, &o));
        }
        for (int e = 0; e < ALL; ++e) {
            worst = nth_worst(worst, fabs(mean[e] - want[e]) / hypot(se[e], error[e]));
            NTH_CHECK_CLOSE(K[e], K2[e], 1e-11, 1e-13);
        }
        printf("    %s: %td networks, relative error %.4f, at most %.2f standard errors off\n", nth_activation_name(act[q]), res.networks,
               res.relative, worst);
        NTH_CHECK(worst <= 4.0 && res.relative <= 0.1);
    }
}

/* Depth three: the mean of m K4 moves by O(1/m); K4 itself would move by a factor of four. */
static void widths_agree(void)
{
    double             mean[2][ALL], se[2][ALL], K[ALL], worst = 0.0, scale;
    nth_average_result res;
    for (int q = 0; q < 2; ++q) {
        const nth_average_options opt = options(NTH_ACT_TANH, 3, q == 0 ? 128 : 512, q == 0 ? 600 : 150);
        NTH_CHECK_OK(label_average(K, mean[q], se[q], &res, &opt, 2.0));
        printf("    m = %d: %.5f +- %.5f, relative error %.4f\n", q == 0 ? 128 : 512, mean[q][1], se[q][1], res.relative);
        NTH_CHECK(res.relative < 0.08);
    }
    (void)worst_of(mean[0], mean[1], &scale);
    for (int e = 0; e < ALL; ++e)
        worst = nth_worst(worst, fabs(mean[0][e] - mean[1][e]) / (4.0 * hypot(se[0][e], se[1][e]) + 4.0 * scale / 128.0));
    printf("    difference at most %.2f of 4 standard errors + 4/m\n", worst);
    NTH_CHECK(worst <= 1.0);
}

/* The mean of K3 is 0 within its error; where doubled it is 0 network by network, and even kernels are those of one copy. */
static void odd_and_doubled(void)
{
    nth_average_options opt = options(NTH_ACT_TANH, 3, 32, 500);
    nth_average_result  res;
    double              mean[ALL], se[ALL], other[ALL], scale;
    NTH_CHECK_OK(average(mean, se, &res, &opt, 3));
    printf("    |mean K3| is %.2f standard errors\n", 1.0 / res.relative);
    NTH_CHECK(1.0 / res.relative <= 5.0 && isfinite(res.relative));
    opt.shape.doubled = true, opt.networks = 20;
    NTH_CHECK_OK(average(mean, se, &res, &opt, 3));
    for (int e = 0; e < ALL; ++e) NTH_CHECK_CLOSE(mean[e], 0.0, 0.0, 1e-13);
    NTH_CHECK_OK(average(mean, se, &res, &opt, 4));
    opt.shape.doubled = false;
    NTH_CHECK_OK(average(other, se, &res, &opt, 4));
    NTH_CHECK(worst_of(mean, other, &scale) <= 1e-12 * scale);
}

static void same_bits_on_any_threads(void)
{
    const nth_average_options opt = options(NTH_ACT_TANH, 3, 16, 70);
    const int                 had = nth_priv_threads();
    double                    first[2][ALL], again[2][ALL], K[ALL], se[ALL];
    nth_average_result        res;
    for (int threads = 1; threads <= 7; threads += threads < 3 ? 2 : 4) {
        double (*to)[ALL] = threads == 1 ? first : again;
        nth_priv_set_threads(threads);
        NTH_CHECK_OK(average(to[0], se, &res, &opt, 4));
        NTH_CHECK_OK(label_average(K, to[1], se, &res, &opt, INFINITY));
        if (threads > 1) NTH_CHECK(memcmp(first, again, sizeof first) == 0);
    }
    nth_priv_set_threads(had);
}

static nth_status once(void)
{
    const nth_average_options opt = options(NTH_ACT_TANH, 3, 4, 2);
    double                    K[ALL], mean[ALL], se[ALL];
    nth_average_result        res;
    const nth_status          st = average(mean, se, &res, &opt, 4);
    return st != NTH_OK ? st : label_average(K, mean, se, &res, &opt, 2.0);
}

static void every_allocation_fails(void) { nth_test_every_allocation_fails(once); }

static bool stop(ptrdiff_t networks, double relative, void *ctx)
{
    *(double *)ctx = relative;
    return networks < 100;
}

static void stopping(void)
{
    double              mean[ALL], se[ALL], seen = 0.0;
    nth_average_result  res;
    nth_average_options opt = options(NTH_ACT_TANH, 3, 8, 300);
    opt.target = 1.5;
    NTH_CHECK_OK(average(mean, se, &res, &opt, 4));
    NTH_CHECK(res.networks == 64 && res.relative <= 1.5);
    opt.least = 65;
    NTH_CHECK_OK(average(mean, se, &res, &opt, 4));
    NTH_CHECK(res.networks == 128);
    opt.target = 1e-6;
    NTH_CHECK_OK(average(mean, se, &res, &opt, 4));
    NTH_CHECK(res.networks == 300 && res.relative > 1e-6);
    opt.go_on = stop, opt.ctx = &seen;
    NTH_CHECK_STATUS(average(mean, se, &res, &opt, 4), NTH_E_INTERRUPTED);
    NTH_CHECK(seen > 0.0 && seen < 1.5);
    NTH_CHECK_MESSAGE("interrupted after 128 networks (at most 300)");
}

static void refusals(void)
{
    double              mean[ALL], se[ALL], K[ALL];
    nth_average_result  res;
    nth_average_options opt = options(NTH_ACT_TANH, 3, 4, 1);
    NTH_CHECK_STATUS(average(mean, se, &res, &opt, 4), NTH_E_ARG);
    opt = options(NTH_ACT_TANH, 3, 4, 3), opt.shape.widths[2] = 5;
    NTH_CHECK_STATUS(average(mean, se, &res, &opt, 4), NTH_E_ARG);
    NTH_CHECK_MESSAGE("hidden widths 4 and 5");
    opt = options(NTH_ACT_TANH, 3, 4, 3), opt.target = 0.1;
    NTH_CHECK_STATUS(average(mean, se, &res, &opt, 3), NTH_E_ARG);
    NTH_CHECK_MESSAGE("the mean of K3 is 0");
    opt.target = NAN;
    NTH_CHECK_STATUS(average(mean, se, &res, &opt, 4), NTH_E_ARG);
    opt = options(NTH_ACT_TANH, 3, 4, 3);
    NTH_CHECK_STATUS(average(mean, se, &res, &opt, 7), NTH_E_ARG);
    NTH_CHECK_STATUS(label_average(K, mean, se, &res, &opt, 0.0), NTH_E_ARG);
    nth_blocks a = blocks(mean);
    NTH_CHECK_STATUS(nth_hier_mean(&a, NULL, &res, &opt, nth_cmat_of(X, n, 3), nth_cmat_of(Z, k, 3), 4, NULL), NTH_E_ARG);
    NTH_CHECK_STATUS(nth_hier_mean(&a, NULL, &res, &opt, nth_cmat_of(X, n, 3), nth_cmat_of(Z, 1, 3), 4, uv), NTH_E_SHAPE);
    const double wrong[n] = { 1.0, NAN, 0.0 }, *const bad[] = { wrong, v };
    NTH_CHECK_STATUS(nth_hier_mean(&a, NULL, &res, &opt, nth_cmat_of(X, n, 3), nth_cmat_of(Z, k, 3), 4, bad), NTH_E_NUMERIC);
    NTH_CHECK_MESSAGE("direction 1 has non-finite entries");
}

int main(void)
{
    return nth_test_main("average", (nth_test_case[]){ { "equals_single_networks", equals_single_networks },
                                                       { "depth_three_by_loops", depth_three_by_loops },
                                                       { "exact_means", exact_means },
                                                       { "label_aware_part", label_aware_part },
                                                       { "agrees_with_other_routes", agrees_with_other_routes },
                                                       { "widths_agree", widths_agree },
                                                       { "odd_and_doubled", odd_and_doubled },
                                                       { "same_bits_on_any_threads", same_bits_on_any_threads },
                                                       { "every_allocation_fails", every_allocation_fails },
                                                       { "stopping", stopping },
                                                       { "refusals", refusals },
                                                       { 0 } });
}
