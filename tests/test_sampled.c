/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Sampled expectations of K^(4) against stored values, and, network by network, against the
 * contractions of the hierarchy.
 */
#include "nth_test.h"
#include "nth/hier.h"
#include "nth/rng.h"
#include "nth/sampled.h"
#include "par_priv.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

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
            for (int k = 0; k < j; ++k) s -= x[i * 4 + k] * x[j * 4 + k];
            x[i * 4 + j] = i == j ? sqrt(s) : s / x[j * 4 + j];
        }
}

/* M E K4(1,2,3,4): the weight matrix that picks one pair has no symmetric part of rank one, but that
 * of (3,4) plus (4,3) with alpha = x3 + x4 less (3,3) and (4,4) does. */
static void relu_almost_everywhere(void)
{
    static const double want[2][2] = { { 0.047007744175869, 0.07932025288922472 }, { 0.731565954673361, 0.7489467958431755 } };
    for (int which = 0; which < 2; ++which) {
        double x[16], T[16], E[16], sum = 0.0, error = 0.0;
        vectors(x, which);
        static const double alpha[3][2] = { { 1, 1 }, { 1, 0 }, { 0, 1 } };
        for (int a = 0; a < 3; ++a) {
            double             W[16] = { 0 }, al[4] = { 0, 0, alpha[a][0], alpha[a][1] };
            nth_blocks         mean = { .train = nth_mat_of(T, 4, 4) }, se = { .train = nth_mat_of(E, 4, 4) };
            nth_sampled_result res;
            const nth_sampled_options opt = { .activation = NTH_ACT_RELU, .sigma_w = 1.0, .input_scale = NTH_INPUT_ONE,
                                              .target = 0.0, .least = 400000, .most = 400000, .seed = 7 };
            for (int i = 0; i < 4; ++i)
                for (int j = 0; j < 4; ++j) W[i * 4 + j] = 0.5 * al[i] * al[j];
            NTH_CHECK_OK(nth_sampled_k4(&mean, &se, &res, nth_cmat_of(x, 4, 4), (nth_cmat){ 0 }, nth_cmat_of(W, 4, 4), al, &opt));
            NTH_CHECK(res.draws >= 400000 && res.batches == (res.draws / 512));
            NTH_CHECK(T[1] == T[4] || fabs(T[1] - T[4]) <= 1e-14);
            sum += (a == 0 ? 2.0 : -2.0) * T[1];
            error += 2.0 * E[1];
        }
        const double exact = want[which][0] + want[which][1];
        printf("    K4(1,2,3,4) + K4(1,2,4,3) = %.6f +- %.6f, exact %.6f\n", sum, error, exact);
        NTH_CHECK(fabs(sum - exact) <= 4.0 * error && error < 0.05);
    }
}

/* m sum_ij W_ij K4_0(x,x',i,j) of the network whose neurons are the draws and whose read-out weights are
 * signs: the same number, by jets. Rows of the result: all N x N pairs, training points first. */
static void by_jets(double *out, const nth_sampled_options *opt, const double *X, ptrdiff_t n, ptrdiff_t k, ptrdiff_t d,
                    const double *W, ptrdiff_t draws)
{
    nth_net_config cfg = { .activation = opt->activation, .layers = 2, .widths = { d, draws, 1 }, .sigma_w = opt->sigma_w,
                           .input_scale = opt->input_scale };
    nth_net       *net = NULL;
    double         T[36], S[36], U[36], u[6] = { 0 }, v[6] = { 0 };
    const double  *both[2] = { u, v };
    NTH_CHECK_OK(nth_net_create(&net, &cfg, true));
    for (ptrdiff_t b = 0; b < draws / 512; ++b) {
        double *w = net->W[0][0].a + b * 512 * d;
        nth_rand_normals(w, 256 * d, opt->seed, NTH_STREAM_NEURONS, 0, (uint64_t)(b * 256 * d));
        for (ptrdiff_t e = 0; e < 256 * d; ++e) w[256 * d + e] = -w[e];
    }
    for (ptrdiff_t r = 0; r < draws; ++r) net->W[0][1].a[r] = r % 3 ? 1.0 : -1.0;
    memset(out, 0, (size_t)((n + k) * (n + k)) * sizeof *out);
    for (ptrdiff_t i = 0; i < n; ++i)
        for (ptrdiff_t j = 0; j < n; ++j) {
            nth_blocks K = { nth_mat_of(T, n, n), nth_mat_of(S, k, n), nth_mat_of(U, k, k) };
            memset(u, 0, sizeof u), memset(v, 0, sizeof v);
            u[i] = 1.0, v[j] = 1.0;
            NTH_CHECK_OK(nth_hier_contract(&K, net, nth_cmat_of(X, n, d), nth_cmat_of(X + n * d, k, d), 4, both));
            for (ptrdiff_t a = 0; a < n + k; ++a)
                for (ptrdiff_t b = 0; b < n + k; ++b) {
                    const double one = a < n && b < n ? T[a * n + b] : a >= n && b < n ? S[(a - n) * n + b]
                                       : a < n ? S[(b - n) * n + a] : U[(a - n) * k + b - n];
                    out[a * (n + k) + b] += (double)draws * W[i * n + j] * one;
                }
        }
    nth_net_destroy(&net);
}

/* Symmetric and antisymmetric weights, all blocks, every activation, both routes of the products. */
static void equals_the_jets(void)
{
    enum { n = 3, k = 2, N = n + k, DRAWS = 20 * 512 };
    for (int act = 0; act < NTH_ACT_COUNT; ++act)
        for (int d = 2; d <= 7; d += 5) {
            double                    X[N * 7], W[n * n], alpha[n] = { 1.0, -0.6, 0.4 }, want[N * N], T[n * n], S[k * n], U[k * k];
            const nth_sampled_options opt = { .activation = (nth_activation)act, .readout = NTH_READOUT_SIGNS, .sigma_w = 1.2,
                                              .input_scale = d == 2 ? NTH_INPUT_ONE : NTH_INPUT_FAN_IN, .target = 1e9,
                                              .least = 1, .seed = 3 };
            double                    E[n * n], F[k * n], H[k * k], worst = 0.0, scale = 0.0;
            nth_blocks                mean = { nth_mat_of(T, n, n), nth_mat_of(S, k, n), nth_mat_of(U, k, k) };
            nth_blocks                se = { nth_mat_of(E, n, n), nth_mat_of(F, k, n), nth_mat_of(H, k, k) };
            nth_sampled_result        res;
            nth_rand_normals(X, N * d, 5, NTH_STREAM_TEST, 0, 0);
            for (int i = 0; i < n; ++i)
                for (int j = 0; j < n; ++j) W[i * n + j] = 0.5 * alpha[i] * alpha[j] + (i < j ? 0.7 : i > j ? -0.7 : 0.0) * (1 + i + j);
            NTH_CHECK_OK(nth_sampled_k4(&mean, &se, &res, nth_cmat_of(X, n, d), nth_cmat_of(X + n * d, k, d), nth_cmat_of(W, n, n),
                                        alpha, &opt));
            NTH_CHECK(res.draws == DRAWS && res.batches == 20);
            by_jets(want, &opt, X, n, k, d, W, DRAWS);
            for (int a = 0; a < N; ++a)
                for (int b = 0; b < N; ++b) {
                    const double got = a < n && b < n ? T[a * n + b] : a >= n && b < n ? S[(a - n) * n + b]
                                       : a < n ? S[(b - n) * n + a] : U[(a - n) * k + b - n];
                    worst = nth_worst(worst, fabs(got - want[a * N + b]));
                    scale = fmax(scale, fabs(want[a * N + b]));
                }
            printf("    %s, d = %d: %.1e of %.3g\n", nth_activation_name((nth_activation)act), d, worst, scale);
            NTH_CHECK_CLOSE(worst, 0.0, 0.0, 1e-11 * scale + 1e-13);
        }
}

/* N1-N5: test vector 1, training vectors 2, 3, 4 with y = (1, -1, 1); t = infinity and t = 2. */
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
        double             x[16], K[9], S[3], U, L[9], LS[3], LU, E[9], ES[3], EU, worst = 0.0;
        nth_blocks         agnostic = { .train = nth_mat_of(K, 3, 3), .test = nth_mat_of(S, 1, 3), .test_test = nth_mat_of(&U, 1, 1) };
        nth_blocks         label = { nth_mat_of(L, 3, 3), nth_mat_of(LS, 1, 3), nth_mat_of(&LU, 1, 1) };
        nth_blocks         se = { nth_mat_of(E, 3, 3), nth_mat_of(ES, 1, 3), nth_mat_of(&EU, 1, 1) };
        const double       y[3] = { 1, -1, 1 };
        nth_sampled_result res;
        const nth_sampled_options opt = { .activation = NTH_ACT_RELU, .sigma_w = 1.0, .input_scale = NTH_INPUT_ONE,
                                          .target = 0.006, .most = 4000000, .seed = 11 };
        vectors(x, row[q].which);
        NTH_CHECK_OK(nth_sampled_label(&agnostic, &label, &se, &res, nth_cmat_of(x + 4, 3, 4), nth_cmat_of(x, 1, 4), y, row[q].t, &opt));
        const double got[5] = { LU, LS[0], LS[1], L[1], L[2] }, error[5] = { EU, ES[0], ES[1], E[1], E[2] };
        for (int e = 0; e < 5; ++e) worst = nth_worst(worst, fabs(got[e] - row[q].want[e]) / error[e]);
        printf("    R%d, t = %g: %td draws, relative error %.4f, at most %.2f standard errors off\n", row[q].which + 1, row[q].t,
               res.draws, res.relative, worst);
        NTH_CHECK(worst <= 4.0 && res.relative <= 0.006);
    }
}

/* All entries of all blocks against the exact mode, relu and erf, twelve training and three other inputs. */
static void entry_by_entry(void)
{
    enum { n = 12, k = 3, d = 5 };
    static double X[(n + k) * d], y[n], K[2][n * n + k * n + k * k], L[2][n * n + k * n + k * k], E[n * n + k * n + k * k];
    nth_rand_normals(X, (n + k) * d, 12, NTH_STREAM_TEST, 0, 0);
    for (int i = 0; i < n; ++i) y[i] = i % 3 == 0 ? 1.0 : -1.0;
    for (int a = 0; a < 2; ++a) {
        const nth_activation act = a == 0 ? NTH_ACT_RELU : NTH_ACT_ERF;
        nth_blocks           b[5];
        double *const        at[5] = { K[0], K[1], L[0], L[1], E };
        for (int q = 0; q < 5; ++q)
            b[q] = (nth_blocks){ nth_mat_of(at[q], n, n), nth_mat_of(at[q] + n * n, k, n), nth_mat_of(at[q] + n * n + k * n, k, k) };
        const nth_expected_config cfg = { .activation = act, .almost_everywhere = a == 0 };
        nth_label_kernel          exact = { .K2 = b[0], .LA = b[2] };
        nth_sampled_result        res;
        const nth_sampled_options opt = { .activation = act, .sigma_w = 1.0, .input_scale = NTH_INPUT_ONE, .target = a == 0 ? 0.01 : 0.1, .seed = 2 };
        const nth_cmat            train = nth_cmat_of(X, n, d), test = nth_cmat_of(X + n * d, k, d);
        double                    worst = 0.0, square = 0.0;
        NTH_CHECK_OK(nth_label_aware(&exact, &cfg, train, test, y, 2.0, NTH_LABEL_EXACT));
        NTH_CHECK_OK(nth_sampled_label(&b[1], &b[3], &b[4], &res, train, test, y, 2.0, &opt));
        for (int e = 0; e < n * n + k * n + k * k; ++e) {
            const double z = (L[1][e] - L[0][e]) / E[e];
            worst = nth_worst(worst, fabs(z)), square += z * z;
            NTH_CHECK_CLOSE(K[1][e], K[0][e], 1e-12, 1e-13);
        }
        printf("    %s: %td draws, at most %.2f standard errors off, root mean square %.2f\n", nth_activation_name(act), res.draws,
               worst, sqrt(square / (n * n + k * n + k * k)));
        NTH_CHECK(worst <= 4.0);
    }
}

static void same_bits_on_any_threads(void)
{
    enum { n = 5, d = 3 };
    double                    X[n * d], W[n * n], alpha[n], first[n * n], again[n * n], E[n * n];
    const nth_sampled_options opt = { .activation = NTH_ACT_TANH, .sigma_w = 1.0, .target = 1e9, .least = 1, .seed = 4 };
    const int                 had = nth_priv_threads();
    nth_rand_normals(X, n * d, 6, NTH_STREAM_TEST, 0, 0);
    for (int i = 0; i < n; ++i) alpha[i] = cos(i);
    for (int i = 0; i < n * n; ++i) W[i] = 0.5 * alpha[i / n] * alpha[i % n];
    for (int threads = 1; threads <= 7; threads += threads < 3 ? 1 : 4) {
        nth_blocks         mean = { .train = nth_mat_of(threads == 1 ? first : again, n, n) }, se = { .train = nth_mat_of(E, n, n) };
        nth_sampled_result res;
        nth_priv_set_threads(threads);
        NTH_CHECK_OK(nth_sampled_k4(&mean, &se, &res, nth_cmat_of(X, n, d), (nth_cmat){ 0 }, nth_cmat_of(W, n, n), alpha, &opt));
        if (threads > 1) NTH_CHECK(memcmp(first, again, sizeof first) == 0);
    }
    nth_priv_set_threads(had);
}

static bool at_most(const nth_sampled_result *so_far, void *ctx) { return so_far->batches < *(const ptrdiff_t *)ctx; }

/* Interrupted after 7 and after 20 batches and begun again there: the bits of one run. */
static void goes_on_where_it_stopped(void)
{
    enum { n = 4, k = 2, d = 3 };
    double              X[(n + k) * d], W[n * n], alpha[n], whole[2][n * n + k * n], parts[2][n * n + k * n];
    nth_sampled_options opt = { .activation = NTH_ACT_TANH, .sigma_w = 1.0, .target = 1e9, .least = 30 * 512, .seed = 8 };
    const nth_cmat      train = nth_cmat_of(X, n, d), test = nth_cmat_of(X + n * d, k, d);
    nth_rand_normals(X, (n + k) * d, 9, NTH_STREAM_TEST, 0, 0);
    for (int i = 0; i < n; ++i) alpha[i] = sin(i + 1.0);
    for (int i = 0; i < n * n; ++i) W[i] = 0.5 * alpha[i / n] * alpha[i % n];
    for (int run = 0; run < 2; ++run) {
        double(*to)[n * n + k * n] = run == 0 ? whole : parts;
        nth_blocks         mean = { nth_mat_of(to[0], n, n), nth_mat_of(to[0] + n * n, k, n), { 0 } };
        nth_blocks         se = { nth_mat_of(to[1], n, n), nth_mat_of(to[1] + n * n, k, n), { 0 } };
        nth_sampled_result res;
        ptrdiff_t          stop[] = { 7, 20 };
        for (int part = 0; run == 1 && part < 2; ++part) {
            opt.progress = at_most, opt.ctx = &stop[part];
            NTH_CHECK_STATUS(nth_sampled_k4(&mean, &se, &res, train, test, nth_cmat_of(W, n, n), alpha, &opt), NTH_E_INTERRUPTED);
            NTH_CHECK(res.batches == stop[part]);
            opt.start = res.batches;
        }
        opt.progress = NULL;
        NTH_CHECK_OK(nth_sampled_k4(&mean, &se, &res, train, test, nth_cmat_of(W, n, n), alpha, &opt));
        NTH_CHECK(res.batches == 30);
    }
    NTH_CHECK(memcmp(whole, parts, sizeof whole) == 0);
    nth_blocks         mean = { .train = nth_mat_of(whole[0], n, n) }, se = { .test = nth_mat_of(whole[1], k, n) };
    nth_sampled_result res;
    NTH_CHECK_STATUS(nth_sampled_k4(&mean, &se, &res, train, test, nth_cmat_of(W, n, n), alpha, &opt), NTH_E_SHAPE);
    NTH_CHECK_STATUS(nth_sampled_k4(&mean, NULL, &res, train, test, nth_cmat_of(W, n, n), alpha, &opt), NTH_E_ARG);
}

static void refusals(void)
{
    double              X[4] = { 1.0, 0.5, -0.3, 0.8 }, alpha[2] = { 1.0, -1.0 }, W[4] = { 0.5, -0.5, -0.5, 0.5 }, T[4], E[4];
    nth_blocks          mean = { .train = nth_mat_of(T, 2, 2) }, se = { .train = nth_mat_of(E, 2, 2) };
    nth_sampled_result  res;
    nth_sampled_options opt = { .activation = NTH_ACT_ERF, .sigma_w = 1.0, .target = 1e9, .least = 1 };
    double *const       finite[] = { &X[3], &W[1], &alpha[1] };
    for (int q = 0; q < 3; ++q) {
        const double had = *finite[q];
        *finite[q] = NAN;
        NTH_CHECK_STATUS(nth_sampled_k4(&mean, &se, &res, nth_cmat_of(X, 2, 2), (nth_cmat){ 0 }, nth_cmat_of(W, 2, 2), alpha, &opt),
                         NTH_E_NUMERIC);
        *finite[q] = had;
    }
    NTH_CHECK_STATUS(nth_sampled_k4(&mean, &se, &res, nth_cmat_of(X, 2, 2), (nth_cmat){ 0 }, nth_cmat_of(W, 1, 2), alpha, &opt), NTH_E_SHAPE);
    NTH_CHECK_STATUS(nth_sampled_k4(&mean, NULL, &res, nth_cmat_of(X, 2, 2), (nth_cmat){ 0 }, nth_cmat_of(W, 2, 2), alpha, &opt), NTH_E_ARG);
    opt.sigma_w = -1.0;
    NTH_CHECK_STATUS(nth_sampled_k4(&mean, &se, &res, nth_cmat_of(X, 2, 2), (nth_cmat){ 0 }, nth_cmat_of(W, 2, 2), alpha, &opt), NTH_E_ARG);
    opt.sigma_w = 1.0, opt.target = NAN;
    NTH_CHECK_STATUS(nth_sampled_k4(&mean, &se, &res, nth_cmat_of(X, 2, 2), (nth_cmat){ 0 }, nth_cmat_of(W, 2, 2), alpha, &opt), NTH_E_ARG);
    NTH_CHECK_STATUS(nth_sampled_label(&mean, &mean, &se, &res, nth_cmat_of(X, 2, 2), (nth_cmat){ 0 }, alpha, 0.0, &opt), NTH_E_ARG);
}

static nth_status sample_once(void)
{
    const double              X[4] = { 1.0, 0.5, -0.3, 0.8 }, alpha[2] = { 1.0, -1.0 }, W[4] = { 0.5, -0.5, -0.5, 0.5 };
    double                    T[4], E[4];
    nth_blocks                mean = { .train = nth_mat_of(T, 2, 2) }, se = { .train = nth_mat_of(E, 2, 2) };
    nth_sampled_result        res;
    const nth_sampled_options opt = { .activation = NTH_ACT_ERF, .sigma_w = 1.0, .target = 1e9, .least = 1 };
    return nth_sampled_k4(&mean, &se, &res, nth_cmat_of(X, 2, 2), (nth_cmat){ 0 }, nth_cmat_of(W, 2, 2), alpha, &opt);
}

static void every_allocation_fails(void) { nth_test_every_allocation_fails(sample_once); }

int main(void)
{
    return nth_test_main("sampled", (nth_test_case[]){ { "relu_almost_everywhere", relu_almost_everywhere },
                                                       { "equals_the_jets", equals_the_jets },
                                                       { "goes_on_where_it_stopped", goes_on_where_it_stopped },
                                                       { "entry_by_entry", entry_by_entry },
                                                       { "label_aware_part", label_aware_part },
                                                       { "same_bits_on_any_threads", same_bits_on_any_threads },
                                                       { "refusals", refusals },
                                                       { "every_allocation_fails", every_allocation_fails },
                                                       { 0 } });
}
