/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * What the gradient flow is: stored trajectories (B6-B10, C3, C6), models whose flow closes in a few
 * unknowns and is integrated here once more (C2, C5), the hierarchy and the loss along a trajectory
 * (D8, D9), interpolation (D29), and the network a flow hands back. How it steps: test_flow_steps.c.
 */
#include "nth_test.h"
#include "fixtures.h"
#include "flow_case.h"
#include "nth/hier.h"
#include "nth/rng.h"
#include "flow_priv.h"
#include "ntk_priv.h"
#include "ntk_ref.h"
#include "ode_priv.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const nth_flow_options tight = { .stepper = NTH_STEPPER_COLLOCATION, .rtol = 1e-13 };

/* f (5) and the query kernel K (2 x 2) of a fixture at time t. */
static void run_fixture(fixture f, const nth_flow_options *opt, double t, double *out, double *K)
{
    nth_net   *net = fixture_net(f);
    nth_flow  *flow = NULL;
    nth_blocks blocks = { .test_test = nth_mat_of(K, 2, 2) };
    if (!NTH_CHECK(net != NULL)) return;
    fixture_points();
    if (NTH_CHECK_OK(nth_flow_create(&flow, net, nth_cmat_of(fx_X, 3, 2), nth_cmat_of(fx_Q, 2, 2), fx_y, opt)) &&
        NTH_CHECK_OK(nth_flow_advance(flow, t))) {
        NTH_CHECK_OK(nth_flow_outputs(flow, out));
        NTH_CHECK_OK(nth_priv_ntk_rows(&blocks, NULL, nth_priv_flow_rows(flow)));
    }
    nth_flow_destroy(&flow);
    nth_net_destroy(&net);
}

static void flow_oracles(void)
{
    double                 f[5], K[4];
    const nth_flow_options all[] = { tight, { .stepper = NTH_STEPPER_RK8PD, .rtol = 1e-13 },
                                     { .stepper = NTH_STEPPER_RKCK, .rtol = 1e-13 } };
    for (int s = 0; s < 3; ++s) {
        run_fixture(F1, &all[s], 0.5, f, K);
        NTH_CHECK_CLOSE(K[1], 0.5495229575401, 1e-11, 0);
        NTH_CHECK_CLOSE(f[3], 0.370272655812, 1e-10, 0);
        run_fixture(F1, &all[s], 2.0, f, K);
        NTH_CHECK_CLOSE(K[1], 0.490406592630, 1e-11, 0);
        NTH_CHECK_CLOSE(f[3], 0.033077570396, 1e-10, 0);
        NTH_CHECK_CLOSE(f[0], 0.244381998281, 1e-10, 0);
        run_fixture(F3, &all[s], 0.5, f, K);
        NTH_CHECK_CLOSE(K[1], 0.5417009154355, 1e-11, 0);
        NTH_CHECK_CLOSE(f[3], 0.551503908812, 1e-10, 0);
        run_fixture(F3, &all[s], 2.0, f, K);
        NTH_CHECK_CLOSE(K[1], 0.516059806898, 1e-11, 0);
        NTH_CHECK_CLOSE(f[3], 0.171743466368, 1e-10, 0);
        NTH_CHECK_CLOSE(f[0], 0.254355402208, 1e-10, 0);
        run_fixture(F4, &all[s], 2.0, f, K);
        NTH_CHECK_CLOSE(K[1], 1.0090892620968, 1e-11, 0);
        NTH_CHECK_CLOSE(f[3], 0.0192750008006, 1e-11, 0);
        run_fixture(F5, &all[s], 2.0, f, K);
        NTH_CHECK_CLOSE(K[1], 1.0974716318565, 1e-11, 0);
        NTH_CHECK_CLOSE(f[3], 1.4132654383649, 1e-11, 0);
    }
}

/* ---- Models that close ------------------------------------------------------------------------- */

/* The unknowns of C2 and C5 beside their data: beta or Q first, then Mw, then q. */
enum { D = 3, N = 4, Q = 2, MAX_UNKNOWNS = 2 * D * D + 1 };
typedef struct closed {
    const double *X, *y; /* (N x D), (N) */
    double        m;     /* all neurons */
} closed;

/* C2: beta' = -(Mw + q I) g, q' = -(2/m) beta.g, Mw' = -(1/m)(g beta^T + beta g^T), g = X^T r / n. */
static nth_status linear_rhs(double t, const double *z, double *dz, void *self)
{
    const closed *c = self;
    const double *beta = z, *Mw = z + D, q = z[D + D * D];
    double        g[D] = { 0 };
    (void)t;
    for (int i = 0; i < N; ++i) {
        double r = -c->y[i];
        for (int a = 0; a < D; ++a) r += beta[a] * c->X[i * D + a];
        for (int a = 0; a < D; ++a) g[a] += r * c->X[i * D + a] / N;
    }
    dz[D + D * D] = 0.0;
    for (int a = 0; a < D; ++a) {
        dz[a] = -q * g[a];
        dz[D + D * D] -= 2.0 / c->m * beta[a] * g[a];
        for (int b = 0; b < D; ++b) {
            dz[a] -= Mw[a * D + b] * g[b];
            dz[D + a * D + b] = -(g[a] * beta[b] + beta[a] * g[b]) / c->m;
        }
    }
    return NTH_OK;
}

/* C5: Q' = -2 (g Mw + Mw g), Mw' = -(2/m)(g Q + Q g), g = sum_j r_j x_j x_j^T / n. */
static nth_status quadratic_rhs(double t, const double *z, double *dz, void *self)
{
    const closed *c = self;
    const double *S = z, *Mw = z + D * D;
    double        g[D * D] = { 0 };
    (void)t;
    for (int i = 0; i < N; ++i) {
        const double *x = c->X + i * D;
        double        r = -c->y[i];
        for (int e = 0; e < D * D; ++e) r += x[e / D] * S[e] * x[e % D];
        for (int e = 0; e < D * D; ++e) g[e] += r * x[e / D] * x[e % D] / N;
    }
    memset(dz, 0, 2 * D * D * sizeof *dz);
    for (int a = 0; a < D; ++a)
        for (int b = 0; b < D; ++b)
            for (int k = 0; k < D; ++k) {
                dz[a * D + b] -= 2.0 * (g[a * D + k] * Mw[k * D + b] + Mw[a * D + k] * g[k * D + b]);
                dz[D * D + a * D + b] -= 2.0 / c->m * (g[a * D + k] * S[k * D + b] + S[a * D + k] * g[k * D + b]);
            }
    return NTH_OK;
}

/* sum_r a_r^p w_r w_r^T over the neurons of both copies, the second read out negatively. */
static void moments(double *M, double *q, double *beta, const nth_net *net, int power)
{
    memset(M, 0, D * D * sizeof *M);
    memset(beta, 0, D * sizeof *beta);
    *q = 0.0;
    for (int c = 0; c < net->copies; ++c)
        for (ptrdiff_t r = 0; r < net->cfg.widths[1]; ++r) {
            const double a = net->W[c][1].a[r] * (c == 0 ? 1.0 : -1.0), *w = net->W[c][0].a + r * D;
            for (int e = 0; e < D * D; ++e) M[e] += (power == 1 ? a : 1.0) * w[e / D] * w[e % D];
            for (int e = 0; e < D; ++e) beta[e] += a * w[e];
            *q += a * a;
        }
}

/* K and f at time t of the closed system, in the order of flow_path. */
static void closed_solution(const flow_case *c, bool linear, double t, double *f, double *K)
{
    const double          m = (double)(c->net->copies * c->net->cfg.widths[1]);
    closed                system = { .X = c->X, .y = c->y, .m = m };
    const nth_ode_options opt = { .method = NTH_ODE_RK8PD, .rtol = 1e-13, .atol = 1e-15 };
    const int             size = linear ? D + D * D + 1 : 2 * D * D;
    double                z[MAX_UNKNOWNS], S[D * D], M[D * D], beta[D], q, now = 0.0;
    const double         *Mw = linear ? z + D : z + D * D;
    long                  steps = 0;
    nth_ode              *ode = NULL;
    ptrdiff_t             at = 0;
    moments(S, &q, beta, c->net, 1), moments(M, &q, beta, c->net, 0);
    for (int e = 0; e < D * D; ++e) M[e] /= m, S[e] /= sqrt(m);
    for (int e = 0; e < D; ++e) beta[e] /= sqrt(m);
    memcpy(z, linear ? beta : S, (linear ? D : D * D) * sizeof *z);
    memcpy(z + (linear ? D : D * D), M, sizeof M);
    if (linear) z[D + D * D] = q / m;
    NTH_CHECK_OK(nth_ode_create(&ode, size, &opt, linear ? linear_rhs : quadratic_rhs, &system));
    NTH_CHECK_OK(nth_ode_advance(ode, &now, t, z, &steps));
    nth_ode_destroy(&ode);
    for (int i = 0; i < N + Q; ++i) {
        f[i] = 0.0;
        for (int e = 0; e < D * D; ++e)
            f[i] += linear ? (e < D ? z[e] * c->X[i * D + e] : 0.0) : c->X[i * D + e / D] * z[e] * c->X[i * D + e % D];
    }
    for (int block = 0; block < 3; ++block)
        for (int i = block == 0 ? 0 : N; i < (block == 0 ? N : N + Q); ++i)
            for (int j = block == 2 ? N : 0; j < (block == 2 ? N + Q : N); ++j) {
                const double *x = c->X + i * D, *v = c->X + j * D;
                double        dot = 0.0, form = 0.0;
                for (int e = 0; e < D; ++e) dot += x[e] * v[e];
                for (int e = 0; e < D * D; ++e) form += x[e / D] * Mw[e] * v[e % D];
                K[at++] = linear ? form + z[D + D * D] * dot : 4.0 * dot * form;
            }
}

static void closed_flow(bool linear)
{
    static const double          times[] = { 0.3, 1.0, 4.0 };
    static const nth_flow_options how[] = { { .stepper = NTH_STEPPER_COLLOCATION, .rtol = 1e-13 },
                                            { .stepper = NTH_STEPPER_RK8PD, .rtol = 1e-13 } };
    double                       worst[2] = { 0, 0 };
    for (int run = 0; run < 24; ++run) {
        flow_case      c = { .n = N, .k = Q, .d = D };
        nth_net_config cfg = { .activation = linear ? NTH_ACT_LINEAR : NTH_ACT_QUADRATIC, .layers = 2,
                               .widths = { D, 5 + (run * 7) % 36, 1 }, .sigma_w = 1, .input_scale = NTH_INPUT_ONE,
                               .frozen = linear ? 0 : 2, .doubled = run % 3 == 2 };
        static flow_path got, want;
        nth_rand_normals(c.X, (N + Q) * D, 31, NTH_STREAM_TEST, (uint32_t)run, 0);
        nth_rand_normals(c.y, N, 31, NTH_STREAM_LABELS, (uint32_t)run, 0);
        for (int i = 0; i < (N + Q) * D; ++i) c.X[i] *= 0.6;
        snprintf(c.name, sizeof c.name, "closed model, run %d", run);
        c.net = random_net(&cfg, (uint32_t)run);
        if (!NTH_CHECK(c.net != NULL)) return;
        for (int copy = 0; copy < c.net->copies && !linear; ++copy)
            for (ptrdiff_t r = 0; r < cfg.widths[1]; ++r) c.net->W[copy][1].a[r] = (r + copy * (r / 2)) % 2 ? -1.0 : 1.0;
        want.rows = N + Q, want.entries = N * N + Q * N + Q * Q;
        for (int s = 0; s < 2; ++s) {
            if (!flow_case_run(&c, &how[s], 3, times, &got)) continue;
            for (int t = 0; t < 3; ++t) {
                closed_solution(&c, linear, times[t], want.f[t], want.K[t]);
                worst[s] = nth_worst(worst[s], flow_path_distance(&got, t, &want, t));
            }
        }
        flow_case_close(&c);
    }
    printf("    worst error: collocation %.1e, rk8pd %.1e\n", worst[0], worst[1]);
    NTH_CHECK_CLOSE(worst[0], 0.0, 0.0, 1e-11);
    NTH_CHECK_CLOSE(worst[1], 0.0, 0.0, 1e-11);
}

static void linear_model_closes(void) { closed_flow(true); }
static void quadratic_model_closes(void) { closed_flow(false); }

/* ---- Along a trajectory ------------------------------------------------------------------------ */

enum { POINTS = 5, MIDDLE = 2 }; /* times t - h, t - h/2, t, t + h/2, t + h */
static const double TIME = 0.25;

/* h resolves the fastest mode, trace(K) >= lambda_max: what is left of a derivative
 * is measured by the test, a sixteenth for each halving of the factor here. */
static double step_of(const flow_case *c, const double *K)
{
    double trace = 0.0;
    for (ptrdiff_t i = 0; i < c->n; ++i) trace += K[i * c->n + i];
    return fmin(0.02, 0.005 * (double)c->n / trace);
}

/* Derivative in the middle: central differences of two steps, extrapolated. */
static double slope(const double *v, ptrdiff_t stride, double h)
{
    const double full = (v[4 * stride] - v[0]) / (2.0 * h), half = (v[3 * stride] - v[stride]) / h;
    return (4.0 * half - full) / 3.0;
}

typedef struct record {
    double   K[POINTS][64], K3[POINTS][64]; /* all blocks; K3_t[w] likewise */
    double   f[CASE_MAX_ROWS], loss[POINTS], h;
    nth_net *net; /* at the middle */
} record;

static bool contract(const flow_case *c, const nth_net *net, int order, const double *const *v, double *K)
{
    nth_blocks b = { nth_mat_of(K, c->n, c->n), nth_mat_of(K + c->n * c->n, c->k, c->n),
                     nth_mat_of(K + c->n * (c->n + c->k), c->k, c->k) };
    return NTH_CHECK_OK(nth_hier_contract(&b, net, flow_case_train(c), flow_case_test(c), order, v));
}

static bool follow(const flow_case *c, const double *w, record *rec)
{
    const nth_flow_options opt = { .stepper = NTH_STEPPER_COLLOCATION, .rtol = 1e-14 };
    const double *const    v[1] = { w };
    nth_flow              *flow = NULL;
    bool ok = NTH_CHECK_OK(nth_flow_create(&flow, c->net, flow_case_train(c), flow_case_test(c), c->y, &opt));
    rec->net = NULL;
    ok = ok && flow_case_kernel(c, flow, rec->K[0]);
    rec->h = step_of(c, rec->K[0]);
    for (int t = 0; ok && t < POINTS; ++t) {
        nth_net *net = NULL;
        ok = NTH_CHECK_OK(nth_flow_advance(flow, TIME + 0.5 * (t - MIDDLE) * rec->h)) && flow_case_kernel(c, flow, rec->K[t]) &&
             NTH_CHECK_OK(nth_flow_loss(flow, &rec->loss[t])) && NTH_CHECK_OK(nth_flow_net(flow, flow_case_train(c), &net)) &&
             contract(c, net, 3, v, rec->K3[t]);
        if (ok && t == MIDDLE) ok = NTH_CHECK_OK(nth_flow_outputs(flow, rec->f)), rec->net = net, net = NULL;
        nth_net_destroy(&net);
    }
    nth_flow_destroy(&flow);
    if (!ok) printf("    ... in %s\n", c->name);
    return ok;
}

/* max |slope_e - want_e| / max |want|. */
static double slope_error(double (*v)[64], double h, const double *want, ptrdiff_t entries)
{
    double err = 0.0, most = 0.0;
    for (ptrdiff_t e = 0; e < entries; ++e) {
        err = nth_worst(err, fabs(slope(&v[0][e], 64, h) - want[e]));
        most = nth_worst(most, fabs(want[e]));
    }
    return err / most;
}

/* |G(r)|^2 by the slow twin. */
static double gradient_square(const flow_case *c, const nth_net *net, const double *r)
{
    static ref_net  ref;
    static ref_real G[REF_MAX_P];
    ref_real        sum = 0.0L;
    ref_read(&ref, net);
    ref_direction(G, &ref, ref.theta, (ref_points){ .X = c->X, .n = (int)c->n, .rows = (int)(c->n + c->k) }, r);
    for (int p = 0; p < ref.P; ++p) sum += G[p] * G[p];
    return (double)sum;
}

/* D8: dK_t/dt = -K3_t[r]/n and dK3_t[w]/dt = -K4_t[w, r]/n.  D9: dLoss/dt = -|G(r)|^2/n^2 = -r.K r/n^2. */
static void derivatives_are_the_hierarchy(void)
{
    static const double w[CASE_MAX_ROWS] = { 0.7, -1.1, 0.4, 0.9, -0.3, 0.5 };
    double              worst[4] = { 0 };
    for (int act = 0; act < NTH_ACT_COUNT; ++act)
        for (int kind = 0; kind < CASE_KINDS && nth_activation_is_smooth((nth_activation)act); ++kind) {
            static record rec;
            flow_case     c;
            double        r[CASE_MAX_ROWS] = { 0 }, want[64], rKr = 0.0;
            if (!flow_case_open(&c, (nth_activation)act, kind, 3, 6)) continue;
            const ptrdiff_t     entries = c.n * c.n + c.k * c.n + c.k * c.k;
            const double        n = (double)c.n;
            const double *const three[1] = { r }, *const four[2] = { w, r };
            if (follow(&c, w, &rec)) {
                for (ptrdiff_t i = 0; i < c.n; ++i) r[i] = rec.f[i] - c.y[i];
                if (contract(&c, rec.net, 3, three, want)) {
                    for (ptrdiff_t e = 0; e < entries; ++e) want[e] /= -n;
                    worst[0] = nth_worst(worst[0], slope_error(rec.K, rec.h, want, entries));
                }
                if (contract(&c, rec.net, 4, four, want)) {
                    for (ptrdiff_t e = 0; e < entries; ++e) want[e] /= -n;
                    worst[1] = nth_worst(worst[1], slope_error(rec.K3, rec.h, want, entries));
                }
                for (ptrdiff_t i = 0; i < c.n * c.n; ++i) rKr += r[i / c.n] * rec.K[MIDDLE][i] * r[i % c.n];
                const double square = gradient_square(&c, rec.net, r);
                worst[2] = nth_worst(worst[2], fabs(rKr / square - 1.0));
                worst[3] = nth_worst(worst[3], fabs(-slope(rec.loss, 1, rec.h) * n * n / square - 1.0));
            }
            nth_net_destroy(&rec.net);
            flow_case_close(&c);
        }
    printf("    worst error: dK/dt %.1e, dK3/dt %.1e, r.K r = |G|^2 %.1e, dLoss/dt %.1e\n", worst[0], worst[1], worst[2],
           worst[3]);
    NTH_CHECK_CLOSE(worst[0], 0.0, 0.0, 1e-7);
    NTH_CHECK_CLOSE(worst[1], 0.0, 0.0, 1e-7);
    NTH_CHECK_CLOSE(worst[2], 0.0, 0.0, 1e-12); /* a few hundred products, rounded */
    NTH_CHECK_CLOSE(worst[3], 0.0, 0.0, 1e-7);
}

/* ---- Loss, limit, network ---------------------------------------------------------------------- */

/* D9: it falls at every one of many output times, whatever takes the steps. */
static void loss_never_rises(void)
{
    for (int act = 0; act < NTH_ACT_COUNT; ++act)
        for (int kind = 0; kind < CASE_KINDS; ++kind) {
            const bool             smooth = nth_activation_is_smooth((nth_activation)act);
            const nth_flow_options opt = { .stepper = smooth ? NTH_STEPPER_COLLOCATION : NTH_STEPPER_RKCK, .rtol = 1e-10,
                                           .fixed_steps = smooth ? 0 : 40 };
            flow_case c;
            nth_flow *flow = NULL;
            double    loss, before = INFINITY;
            if (!flow_case_open(&c, (nth_activation)act, kind, 3, 40)) continue;
            NTH_CHECK_OK(nth_flow_create(&flow, c.net, flow_case_train(&c), flow_case_test(&c), c.y, &opt));
            for (int t = 0; t <= 20 && flow != NULL; ++t) {
                if (!NTH_CHECK_OK(nth_flow_advance(flow, 0.1 * t)) || !NTH_CHECK_OK(nth_flow_loss(flow, &loss))) break;
                if (!NTH_CHECK(loss < before || loss < 1e-20)) printf("    ... in %s at t = %g\n", c.name, 0.1 * t);
                before = loss;
            }
            nth_flow_destroy(&flow);
            flow_case_close(&c);
        }
}

/* D29: wide nets reach their labels; what is left is e^{-lambda_min t/n} of the start, then rounding. */
static void flow_interpolates(void)
{
    static const double times[] = { 1.0, 1e3, 1e5 };
    double              worst = 0.0;
    for (int kind = 0; kind < CASE_KINDS; ++kind) {
        const nth_flow_options opt = { .stepper = NTH_STEPPER_COLLOCATION, .rtol = 1e-12 };
        static flow_path       p;
        flow_case              c;
        if (!flow_case_open(&c, NTH_ACT_TANH, kind, 60, 80)) continue;
        c.n = 3, c.k = 1;
        if (flow_case_run(&c, &opt, 3, times, &p))
            for (ptrdiff_t i = 0; i < c.n; ++i) worst = nth_worst(worst, fabs(p.f[2][i] - c.y[i]));
        flow_case_close(&c);
    }
    printf("    worst residual %.1e\n", worst);
    NTH_CHECK_CLOSE(worst, 0.0, 0.0, 1e-11); /* labels of order 1, ten times the tolerance */
}

/* The network handed back has the flow's kernel and outputs, also where layers are frozen. */
static void network_of_a_flow(void)
{
    double worst = 0.0;
    for (int act = 0; act < NTH_ACT_COUNT; ++act)
        for (int kind = 0; kind < CASE_KINDS; ++kind) {
            const bool             fixed = kind % 2 == 0 || !nth_activation_is_smooth((nth_activation)act);
            const nth_flow_options opt = { .stepper = fixed ? NTH_STEPPER_RKCK : NTH_STEPPER_RK8PD, .rtol = 1e-8,
                                           .fixed_steps = fixed ? 20 : 0 };
            static flow_path a, b;
            flow_case        c;
            nth_flow        *flow = NULL;
            nth_net         *net = NULL;
            if (!flow_case_open(&c, (nth_activation)act, kind, 3, 12)) continue;
            c.net->cfg.frozen = (unsigned)(kind / 2 + act) % 4; /* none, the first, the second, both */
            NTH_CHECK_OK(nth_flow_create(&flow, c.net, flow_case_train(&c), flow_case_test(&c), c.y, &opt));
            b.rows = c.n + c.k, b.entries = c.n * c.n + c.k * c.n + c.k * c.k;
            if (NTH_CHECK_OK(nth_flow_advance(flow, 0.5)) && NTH_CHECK_OK(nth_flow_outputs(flow, b.f[0])) &&
                flow_case_kernel(&c, flow, b.K[0]) && NTH_CHECK_OK(nth_flow_net(flow, flow_case_train(&c), &net))) {
                const nth_flow_options still = { .stepper = NTH_STEPPER_RKCK, .rtol = 1e-8 };
                nth_net               *first = c.net;
                c.net = net;
                if (flow_case_run(&c, &still, 1, (const double[]){ 0.0 }, &a))
                    worst = nth_worst(worst, flow_path_distance(&a, 0, &b, 0));
                c.net = first;
            }
            nth_net_destroy(&net);
            nth_flow_destroy(&flow);
            flow_case_close(&c);
        }
    printf("    worst difference %.1e\n", worst);
    NTH_CHECK_CLOSE(worst, 0.0, 0.0, 1e-12); /* the first layer is put together again: a product more */
}

/* Entry j of the i-th of a family of orthonormal vectors of length WIDE. */
enum { WIDE = 3072, ROWS = 6 };
static double basis(int i, int j) { return sqrt(2.0 / WIDE) * sin(2.0 * acos(-1.0) * (i + 1) * (j + 0.5) / WIDE); }

/* The net on ROWS coordinates whose first layer is W B^T, all else alike. */
static nth_net *in_coordinates(const nth_net *wide)
{
    nth_net_config cfg = wide->cfg;
    cfg.widths[0] = ROWS;
    nth_net *net = random_net(&cfg, 0);
    if (net == NULL) return NULL;
    for (ptrdiff_t a = 0; a < cfg.widths[1]; ++a)
        for (int i = 0; i < ROWS; ++i) {
            net->W[0][0].a[a * ROWS + i] = 0.0;
            for (int j = 0; j < WIDE; ++j) net->W[0][0].a[a * ROWS + i] += wide->W[0][0].a[a * WIDE + j] * basis(i, j);
        }
    for (int l = 0; l < cfg.layers; ++l) {
        const size_t size = (size_t)cfg.widths[l + 1] * sizeof(double);
        if (l > 0) memcpy(net->W[0][l].a, wide->W[0][l].a, size * (size_t)cfg.widths[l]);
        memcpy(net->b[0][l], wide->b[0][l], size);
    }
    return net;
}

/* n inputs of d = 3072 in the span of a few orthonormal rows B are as many coordinates, and the first
 * layer enters through W B^T alone. */
static void wide_inputs_are_few_coordinates(void)
{
    static const double    times[] = { 1.0, 3.0 };
    const nth_flow_options opt = { .stepper = NTH_STEPPER_COLLOCATION, .rtol = 1e-13 };
    const nth_net_config   cfg = { .activation = NTH_ACT_GELU, .layers = 3, .widths = { WIDE, 30, 9, 1 }, .sigma_w = 1.2,
                                   .sigma_b = 0.2, .input_scale = NTH_INPUT_ONE };
    static flow_path       got, want;
    flow_case              c = { .n = 4, .k = ROWS - 4, .d = ROWS, .y = { 1, -1, 1, -1 }, .name = "few coordinates" };
    double                *X = calloc(ROWS * WIDE, sizeof *X);
    nth_net               *net = random_net(&cfg, 3);
    nth_flow              *flow = NULL;
    c.net = net != NULL ? in_coordinates(net) : NULL;
    if (!NTH_CHECK(X != NULL && c.net != NULL)) return;
    nth_rand_normals(c.X, ROWS * ROWS, 41, NTH_STREAM_TEST, 0, 0);
    for (int e = 0; e < ROWS * ROWS; ++e) c.X[e] *= 0.4;
    for (int i = 0; i < ROWS; ++i)
        for (int j = 0; j < WIDE; ++j)
            for (int e = 0; e < ROWS; ++e) X[i * WIDE + j] += c.X[i * ROWS + e] * basis(e, j);
    NTH_CHECK_OK(nth_flow_create(&flow, net, nth_cmat_of(X, c.n, WIDE), nth_cmat_of(X + c.n * WIDE, c.k, WIDE), c.y, &opt));
    for (int t = 0; t < 2 && flow_case_run(&c, &opt, 2, times, &want) && flow != NULL; ++t) {
        if (!NTH_CHECK_OK(nth_flow_advance(flow, times[t])) || !NTH_CHECK_OK(nth_flow_outputs(flow, got.f[t])) ||
            !flow_case_kernel(&c, flow, got.K[t]))
            break;
        const double err = flow_path_distance(&got, t, &want, t);
        printf("    t = %g: %.1e\n", times[t], err);
        NTH_CHECK_CLOSE(err, 0.0, 0.0, 1e-12); /* two runs at 1e-13, products of length d */
    }
    nth_flow_destroy(&flow);
    nth_net_destroy(&net);
    nth_net_destroy(&c.net);
    free(X);
}

int main(void)
{
    return nth_test_main("flow", (nth_test_case[]){ { "flow_oracles", flow_oracles },
                                                    { "linear_model_closes", linear_model_closes },
                                                    { "quadratic_model_closes", quadratic_model_closes },
                                                    { "derivatives_are_the_hierarchy", derivatives_are_the_hierarchy },
                                                    { "loss_never_rises", loss_never_rises },
                                                    { "flow_interpolates", flow_interpolates },
                                                    { "network_of_a_flow", network_of_a_flow },
                                                    { "wide_inputs_are_few_coordinates", wide_inputs_are_few_coordinates },
                                                    { 0 } });
}
