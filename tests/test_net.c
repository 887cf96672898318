/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Activations against high-precision tables, in every position of the vector loops; networks: the
 * addresses of their random numbers, a first layer drawn or stored, doubling, refusals.
 */
#include "nth_test.h"
#include "fixtures.h"
#include "nth/rng.h"
#include "rows_priv.h"

#include <float.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { ORDERS = NTH_MAX_DERIVATIVE + 1 };

static const struct {
    nth_activation act;
    double         z, value[ORDERS];
} table[] = {
#include "golden/activations.inc"
};
enum { ROWS = sizeof table / sizeof table[0], LONG = 600 };

/* The definition of relu and linear, which need no table. */
static double piecewise(nth_activation act, int r, double z)
{
    const double on = act == NTH_ACT_LINEAR || z > 0.0 ? 1.0 : 0.0;
    return r == 0 ? on * z : r == 1 ? on : 0.0;
}

/* Largest |sigma^(r)| of the bounded functions: the scale of their errors. */
static double most(nth_activation act, int r)
{
    double m = r == 0 ? 0.0 : 1e-30;
    for (int i = 0; i < ROWS; ++i)
        if (table[i].act == act && r > 0) m = fmax(m, fabs(table[i].value[r]));
    return m;
}

/* All orders at once and each alone; every length up to 40 and around the block size, so that each
 * point is seen in the vector part and in the tail. */
static void activation_derivatives(void)
{
    static double z[LONG], out[ORDERS * LONG];
    double        worst[NTH_ACT_COUNT] = { 0 };
    bool          outside = true; /* what lies there was left alone */
    const int     longer[] = { 64, 127, 255, 256, 257, 263, 511, 512, 513, 599 };
    for (int act = 0; act < NTH_ACT_COUNT; ++act) {
        int at[LONG], count = 0;
        for (int i = 0; i < ROWS; ++i) {
            const bool plain = act == NTH_ACT_RELU || act == NTH_ACT_LINEAR;
            if (table[i].act == (plain ? NTH_ACT_TANH : (nth_activation)act)) at[count++] = i;
        }
        for (int k = 0; k < 50; ++k) {
            const int n = k < 40 ? k + 1 : longer[k - 40], order = k % ORDERS, shift = k;
            for (int i = 0; i < n; ++i) z[i] = table[at[(i + shift) % count]].z;
            for (int i = 0; i < ORDERS * LONG; ++i) out[i] = -77.0;
            nth_activation_eval((nth_activation)act, order, z, n, out, LONG);
            for (int r = 0; r < ORDERS; ++r)
                for (int i = 0; i < LONG; ++i) {
                    const int    row = at[(i + shift) % count];
                    const double got = out[r * LONG + i];
                    if (r > order || i >= n) {
                        outside = outside && got == -77.0;
                        continue;
                    }
                    const bool   plain = act == NTH_ACT_RELU || act == NTH_ACT_LINEAR;
                    const double want =
                        plain ? piecewise((nth_activation)act, r, z[i]) : table[row].value[r];
                    double scale = fmax(most((nth_activation)act, r), fabs(want));
                    if (act == NTH_ACT_GELU && r == 0)
                        scale = fabs(z[i]); /* z Phi(z), Phi to eps */
                    worst[act] =
                        nth_worst(worst[act], scale > 0.0 ? fabs(got - want) / scale / DBL_EPSILON
                                                          : fabs(got - want));
                }
        }
        printf("    %s: worst error %.2f eps of max |sigma^(r)|\n",
               nth_activation_name((nth_activation)act), worst[act]);
        NTH_CHECK_CLOSE(worst[act], 0.0, 0.0,
                        act == NTH_ACT_SOFTPLUS ? 16.0 : 4.0); /* 1 - 7.5 + 7.5 at z = 0 */
    }
    NTH_CHECK(outside);
}

/* Each derivative is the slope of the one below, also between the points of the table. */
static void derivatives_are_slopes(void)
{
    static const double c[4] = { 4.0 / 5, -1.0 / 5, 4.0 / 105, -1.0 / 280 };
    const double        h = 0.01;
    for (int act = 0; act < NTH_ACT_COUNT; ++act) {
        double worst = 0.0;
        for (int k = -60; k <= 60; ++k) {
            double z[9], out[ORDERS * 9];
            if (act == NTH_ACT_RELU && abs(k) < 2) continue;
            for (int s = 0; s < 9; ++s) z[s] = 0.0731 * k + h * (s - 4);
            nth_activation_eval((nth_activation)act, NTH_MAX_DERIVATIVE, z, 9, out, 9);
            for (int r = 0; r < NTH_MAX_DERIVATIVE; ++r) {
                double slope = 0.0;
                for (int s = 1; s <= 4; ++s)
                    slope += c[s - 1] * (out[r * 9 + 4 + s] - out[r * 9 + 4 - s]) / h;
                worst = nth_worst(worst, fabs(slope - out[(r + 1) * 9 + 4]));
            }
        }
        /* h^8/630 |sigma^(14)|, 2e9 for tanh; rounding 4 eps |sigma^(5)| / h is less */
        NTH_CHECK_CLOSE(worst, 0.0, 0.0, 1e-10);
    }
}

static void special_points(void)
{
    static const double zeros[] = { 0.0, -0.0 };
    double              out[ORDERS];
    for (int k = 0; k < 2; ++k) {
        nth_activation_eval(NTH_ACT_RELU, NTH_MAX_DERIVATIVE, &zeros[k], 1, out, 1);
        for (int r = 0; r < ORDERS; ++r) NTH_CHECK(out[r] == 0.0); /* relu'(0) = 0 by convention */
    }
    for (int act = 0; act < NTH_ACT_COUNT; ++act)
        for (int sign = -1; sign <= 1; sign += 2) { /* far out: finite, and a NaN stays one */
            const double far = sign * 1e5, bad = NAN;
            nth_activation_eval((nth_activation)act, NTH_MAX_DERIVATIVE, &far, 1, out, 1);
            for (int r = 0; r < ORDERS; ++r) NTH_CHECK(isfinite(out[r]));
            if (act != NTH_ACT_SIN && act != NTH_ACT_QUADRATIC)
                for (int r = 2; r < ORDERS; ++r) NTH_CHECK(out[r] == 0.0);
            nth_activation_eval((nth_activation)act, 0, &bad, 1, out, 1);
            NTH_CHECK(isnan(out[0]));
        }
    nth_activation_eval(NTH_ACT_TANH, 3, NULL, 0, NULL, 0);
}

static void names(void)
{
    static const char *const want[] = { "tanh", "erf",  "softplus", "gelu",
                                        "sin",  "relu", "linear",   "quadratic" };
    nth_activation           act = NTH_ACT_SIN;
    for (int a = 0; a < NTH_ACT_COUNT; ++a) {
        NTH_CHECK(strcmp(nth_activation_name((nth_activation)a), want[a]) == 0);
        NTH_CHECK_OK(nth_activation_parse(&act, want[a]));
        NTH_CHECK((int)act == a);
        NTH_CHECK(nth_activation_is_smooth((nth_activation)a) == (a != NTH_ACT_RELU));
    }
    NTH_CHECK(nth_activation_name(NTH_ACT_COUNT) == NULL);
    NTH_CHECK(!nth_activation_is_smooth(NTH_ACT_COUNT));
    NTH_CHECK_STATUS(nth_activation_parse(&act, "Tanh"), NTH_E_ARG);
    for (int a = 0; a < NTH_ACT_COUNT; ++a) NTH_CHECK_MESSAGE(want[a]);
    NTH_CHECK_MESSAGE("\"Tanh\"");
}

static const nth_net_config good = {
    .activation = NTH_ACT_ERF, .layers = 3, .widths = { 3, 5, 4, 1 }, .sigma_w = 1.5, .sigma_b = 0.5
};

static void refuse(nth_net_config cfg, const char *message)
{
    nth_net *net = NULL;
    NTH_CHECK_STATUS(nth_net_config_check(&cfg), NTH_E_ARG);
    NTH_CHECK_STATUS(nth_net_create(&net, &cfg, true), NTH_E_ARG);
    NTH_CHECK_MESSAGE(message);
    NTH_CHECK(net == NULL);
}

static void config_errors(void)
{
    static const double bad_w[] = { 0.0, -1.0, NAN, INFINITY }, bad_b[] = { -0.1, NAN, INFINITY };
    nth_net_config      cfg = good;
    NTH_CHECK_OK(nth_net_config_check(&cfg));
    cfg.activation = NTH_ACT_COUNT;
    refuse(cfg, "activation 8 is not in the list");
    cfg = good, cfg.layers = 1;
    refuse(cfg, "1 weight layers; expected 2 to 32");
    cfg = good, cfg.layers = 33;
    refuse(cfg, "33 weight layers; expected 2 to 32");
    for (int l = 0; l < 3; ++l) {
        cfg = good, cfg.widths[l] = l - 1;
        if (l < 2) refuse(cfg, l == 0 ? "width -1 of layer 0" : "width 0 of layer 1");
        cfg.widths[l] = (ptrdiff_t)INT32_MAX + 1;
        refuse(cfg, "expected a positive number");
    }
    cfg = good, cfg.widths[3] = 2; /* several outputs are a network; what is for one says so */
    NTH_CHECK_OK(nth_net_config_check(&cfg));
    for (int k = 0; k < 4; ++k) cfg = good, cfg.sigma_w = bad_w[k], refuse(cfg, "sigma_w = ");
    for (int k = 0; k < 3; ++k) cfg = good, cfg.sigma_b = bad_b[k], refuse(cfg, "sigma_b = ");
    cfg = good, cfg.layers = NTH_MAX_LAYERS;
    for (int l = 0; l <= NTH_MAX_LAYERS; ++l) cfg.widths[l] = l < NTH_MAX_LAYERS ? 2 : 1;
    NTH_CHECK_OK(nth_net_config_check(&cfg));
}

static void layer_factors(void)
{
    nth_net_config cfg = good;
    NTH_CHECK_CLOSE(nth_net_factor(&cfg, 1), 1.5 / sqrt(3.0), 2e-16, 0.0);
    NTH_CHECK_CLOSE(nth_net_factor(&cfg, 2), 1.5 / sqrt(5.0), 2e-16, 0.0);
    NTH_CHECK_CLOSE(nth_net_factor(&cfg, 3), 0.75, 2e-16, 0.0);
    cfg.input_scale = NTH_INPUT_ONE;
    NTH_CHECK(nth_net_factor(&cfg, 1) == 1.5);
    NTH_CHECK_CLOSE(nth_net_factor(&cfg, 3), 0.75, 2e-16, 0.0);
}

static void parameter_count(void)
{
    nth_net_config cfg = good;
    for (int k = 0; k < 16; ++k) {
        nth_net  *net = NULL;
        ptrdiff_t want = 0;
        cfg.sigma_b = k & 1 ? 0.5 : 0.0, cfg.doubled = (k & 2) != 0, cfg.frozen = k & 4 ? 2u : 0u;
        for (int l = 1; l <= 3; ++l)
            if (!(cfg.frozen && l == 2)) want += cfg.widths[l] * (cfg.widths[l - 1] + (k & 1));
        NTH_CHECK_OK(nth_net_create(&net, &cfg, (k & 8) != 0));
        NTH_CHECK(nth_net_parameters(net) == want * (cfg.doubled ? 2 : 1));
        nth_net_destroy(&net);
        NTH_CHECK(net == NULL);
    }
    nth_net *none = NULL;
    nth_net_destroy(&none);
}

/* Parameter (l, a, b) is normal number (l << 48) + a q_l + b of its run; copies alike. */
static void gaussian_numbers(void)
{
    nth_net_config cfg = good;
    nth_net       *net = NULL;
    cfg.doubled = true;
    NTH_CHECK_OK(nth_net_create(&net, &cfg, true));
    NTH_CHECK(net->W[0][1].a[3] == 0.0 && net->b[1][0][4] == 0.0); /* zeros before */
    nth_net_init_gaussian(net, 77, 9);
    NTH_CHECK(net->seed == 77 && net->run == 9);
    for (int c = 0; c < 2; ++c)
        for (int l = 1; l <= 3; ++l) {
            const nth_mat W = net->W[c][l - 1];
            NTH_CHECK(W.rows == cfg.widths[l] && W.cols == cfg.widths[l - 1] && W.ld == W.cols);
            for (ptrdiff_t a = 0; a < W.rows; ++a) {
                double number;
                for (ptrdiff_t b = 0; b < W.cols; ++b) {
                    nth_rand_normals(&number, 1, 77, NTH_STREAM_WEIGHTS, 9,
                                     ((uint64_t)l << 48) + (uint64_t)(a * W.cols + b));
                    NTH_CHECK(W.a[a * W.ld + b] == number);
                }
                nth_rand_normals(&number, 1, 77, NTH_STREAM_BIASES, 9,
                                 ((uint64_t)l << 48) + (uint64_t)a);
                NTH_CHECK(net->b[c][l - 1][a] == number);
            }
        }
    nth_net_destroy(&net);
}

/* A first layer drawn in blocks gives the pre-activations of the stored one; 5 MB in two blocks. */
static void drawn_first_layer(void)
{
    enum { n = 3, k = 2, d = 2100, m = 611 };
    nth_net_config cfg = { .activation = NTH_ACT_TANH,
                           .layers = 2,
                           .widths = { d, m, 1 },
                           .sigma_w = 1.1 };
    double        *X = malloc(sizeof(double) * (n + k) * d);
    if (!NTH_CHECK(X != NULL)) return;
    nth_rand_normals(X, (n + k) * d, 4, NTH_STREAM_TEST, 0, 0);
    for (int kind = 0; kind < 8; ++kind) {
        nth_net  *stored = NULL, *drawn = NULL;
        nth_rows *a = NULL, *b = NULL;
        double    worst = 0.0;
        cfg.sigma_b = kind & 1 ? 0.3 : 0.0, cfg.doubled = (kind & 2) != 0;
        cfg.input_scale = kind & 4 ? NTH_INPUT_ONE : NTH_INPUT_FAN_IN;
        const nth_cmat T = nth_cmat_of(X + n * d, kind % 3 ? k : 0, d);
        NTH_CHECK_OK(nth_net_create(&stored, &cfg, true));
        NTH_CHECK_OK(nth_net_create(&drawn, &cfg, false));
        nth_net_init_gaussian(stored, 5, 6);
        nth_net_init_gaussian(drawn, 5, 6);
        NTH_CHECK(drawn->W[0][0].a == NULL && !drawn->first_layer_stored &&
                  stored->first_layer_stored);
        NTH_CHECK_OK(nth_rows_create(&a, stored, nth_cmat_of(X, n, d), T));
        NTH_CHECK_OK(nth_rows_create(&b, drawn, nth_cmat_of(X, n, d), T));
        for (int c = 0; c < stored->copies; ++c)
            for (ptrdiff_t i = 0; i < a->rows; ++i)
                for (int r = 0; r < m; ++r) {
                    double sum = 0.0, size = 0.0;
                    for (int j = 0; j < d; ++j) {
                        const double t = stored->W[c][0].a[r * d + j] * X[i * d + j];
                        sum += t, size += fabs(t);
                    }
                    const double c1 = cfg.sigma_w / (kind & 4 ? 1.0 : sqrt(d));
                    const double bias = kind & 1 ? 0.3 * stored->b[c][0][r] : 0.0,
                                 bound = d * DBL_EPSILON * c1 * size;
                    worst = nth_worst(worst, fabs(a->H[c].a[i * m + r] - c1 * sum - bias) / bound);
                    worst =
                        nth_worst(worst, fabs(a->H[c].a[i * m + r] - b->H[c].a[i * m + r]) / bound);
                }
        NTH_CHECK_CLOSE(worst, 0.0, 0.0, 1.0);
        nth_rows_destroy(&a);
        nth_rows_destroy(&b);
        nth_net_destroy(&stored);
        nth_net_destroy(&drawn);
    }
    free(X);
}

/* G = c_1^2 X X^T + sigma_b^2 on all rows, and a clone that follows another net. */
static void rows_of_inputs(void)
{
    nth_net_config cfg = { .activation = NTH_ACT_TANH,
                           .layers = 2,
                           .widths = { 2, 3, 1 },
                           .sigma_w = 1.1,
                           .sigma_b = 0.3,
                           .doubled = true };
    nth_net       *net = formula_net(&cfg), *other = formula_net(&cfg);
    nth_rows      *rows = NULL, *clone = NULL;
    double         X[10];
    if (!NTH_CHECK(net != NULL && other != NULL)) return;
    fixture_points();
    memcpy(X, fx_X, sizeof fx_X), memcpy(X + 6, fx_Q, sizeof fx_Q);
    NTH_CHECK_OK(nth_rows_create(&rows, net, nth_cmat_of(fx_X, 3, 2), nth_cmat_of(fx_Q, 2, 2)));
    NTH_CHECK(rows->n == 3 && rows->rows == 5);
    for (int i = 0; i < 5; ++i)
        for (int j = 0; j < 5; ++j) {
            const double want =
                1.21 / 2.0 * (X[2 * i] * X[2 * j] + X[2 * i + 1] * X[2 * j + 1]) + 0.09;
            NTH_CHECK_CLOSE(rows->G.a[i * 5 + j], want, 0.0, 1e-15);
            NTH_CHECK(rows->G.a[i * 5 + j] == rows->G.a[j * 5 + i]);
        }
    for (int i = 0; i < 3; ++i)
        NTH_CHECK(rows->top[0][i] == sqrt(0.5) && rows->top[1][i] == -sqrt(0.5));
    NTH_CHECK_OK(nth_rows_clone(&clone, rows, other));
    NTH_CHECK(clone->net == other && clone->n == 3 && clone->rows == 5 &&
              clone->H[1].a != rows->H[1].a);
    NTH_CHECK(memcmp(clone->G.a, rows->G.a, 25 * sizeof(double)) == 0);
    for (int c = 0; c < 2; ++c)
        NTH_CHECK(memcmp(clone->H[c].a, rows->H[c].a, 15 * sizeof(double)) == 0);
    nth_rows_destroy(&clone);
    nth_rows_destroy(&rows);
    nth_net_destroy(&net);
    nth_net_destroy(&other);
}

static nth_status build_net(void)
{
    nth_net_config cfg = good;
    nth_net       *net = NULL;
    cfg.doubled = true;
    const nth_status st = nth_net_create(&net, &cfg, true);
    nth_net_destroy(&net);
    return st;
}

static nth_net   *sweep_net;
static nth_status build_rows(void)
{
    nth_rows  *rows = NULL, *clone = NULL;
    nth_status st =
        nth_rows_create(&rows, sweep_net, nth_cmat_of(fx_X, 2, 3), nth_cmat_of(fx_X + 3, 1, 3));
    if (st == NTH_OK) st = nth_rows_clone(&clone, rows, sweep_net);
    nth_rows_destroy(&clone);
    nth_rows_destroy(&rows);
    return st;
}

static void survives_failing_allocations(void)
{
    nth_net_config cfg = good;
    cfg.doubled = true;
    fixture_points();
    nth_test_every_allocation_fails(build_net);
    for (int stored = 0; stored < 2; ++stored) {
        NTH_CHECK_OK(nth_net_create(&sweep_net, &cfg, stored));
        nth_net_init_gaussian(sweep_net, 1, 1);
        nth_test_every_allocation_fails(build_rows);
        nth_net_destroy(&sweep_net);
    }
}

int main(void)
{
    return nth_test_main(
        "net", (nth_test_case[]){ { "activation_derivatives", activation_derivatives },
                                  { "derivatives_are_slopes", derivatives_are_slopes },
                                  { "special_points", special_points },
                                  { "names", names },
                                  { "config_errors", config_errors },
                                  { "layer_factors", layer_factors },
                                  { "parameter_count", parameter_count },
                                  { "gaussian_numbers", gaussian_numbers },
                                  { "drawn_first_layer", drawn_first_layer },
                                  { "rows_of_inputs", rows_of_inputs },
                                  { "survives_failing_allocations", survives_failing_allocations },
                                  { 0 } });
}
