/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Random networks and their flows (flow_case.h). Everything is addressed: case `kind` of an
 * activation is the same network whatever ran before it.
 */
#include "flow_case.h"
#include "nth/rng.h"
#include "nth_test.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

static ptrdiff_t pick(int least, int most, uint32_t run, uint64_t index)
{
    return least + (ptrdiff_t)nth_rand_below((uint64_t)(most - least + 1), 21, NTH_STREAM_TEST, run, index);
}

/* The second copy is another network, as in the midst of training. */
static void draw(nth_net *net, uint32_t run)
{
    nth_net_init_gaussian(net, 22, run);
    for (int l = 1; l <= net->cfg.layers && net->copies == 2; ++l) {
        const nth_mat W = net->W[1][l - 1];
        nth_rand_normals(W.a, W.rows * W.cols, 23, NTH_STREAM_TEST, run, 100000 * (uint64_t)l);
        if (net->b[1][l - 1] != NULL)
            nth_rand_normals(net->b[1][l - 1], W.rows, 24, NTH_STREAM_TEST, run, 1000 * (uint64_t)l);
    }
}

bool flow_case_open(flow_case *c, nth_activation act, int kind, int least, int most)
{
    const uint32_t run = (uint32_t)(100 * (int)act + kind + 10000 * most);
    nth_net_config cfg = { .activation = act, .layers = 2 + kind % 3,
                           .sigma_w = act == NTH_ACT_QUADRATIC ? 0.7 : 1.1 }; /* a polynomial of degree 8 */
    memset(c, 0, sizeof *c);
    c->n = pick(3, 6, run, 0), c->k = pick(1, 3, run, 1), c->d = pick(2, 4, run, 2);
    cfg.sigma_b = kind / 3 % 2 ? 0.3 : 0.0;
    cfg.doubled = kind / 6 % 2;
    cfg.input_scale = (kind + (int)act) % 2 ? NTH_INPUT_ONE : NTH_INPUT_FAN_IN;
    cfg.widths[0] = c->d;
    for (int l = 1; l < cfg.layers; ++l) cfg.widths[l] = pick(least, most, run, 2 + (uint64_t)l);
    cfg.widths[cfg.layers] = 1;
    nth_rand_normals(c->X, (c->n + c->k) * c->d, 25, NTH_STREAM_TEST, run, 0);
    for (ptrdiff_t i = 0; i < (c->n + c->k) * c->d; ++i) c->X[i] *= 0.6;
    for (ptrdiff_t i = 0; i < c->n; ++i) c->y[i] = i % 2 ? -1.0 : 1.0;
    snprintf(c->name, sizeof c->name, "%s L=%d m=%td sigma_b=%g scale=%d copies=%d", nth_activation_name(act), cfg.layers,
             cfg.widths[1], cfg.sigma_b, (int)cfg.input_scale, cfg.doubled ? 2 : 1);
    if (!NTH_CHECK_OK(nth_net_create(&c->net, &cfg, true))) return false;
    draw(c->net, run);
    return true;
}

void flow_case_close(flow_case *c) { nth_net_destroy(&c->net); }

nth_cmat flow_case_train(const flow_case *c) { return nth_cmat_of(c->X, c->n, c->d); }
nth_cmat flow_case_test(const flow_case *c) { return nth_cmat_of(c->X + c->n * c->d, c->k, c->d); }

bool flow_case_kernel(const flow_case *c, const nth_flow *flow, double *K)
{
    nth_blocks b = { .train = nth_mat_of(K, c->n, c->n) };
    if (c->k > 0) {
        b.test = nth_mat_of(K + c->n * c->n, c->k, c->n);
        b.test_test = nth_mat_of(K + c->n * c->n + c->k * c->n, c->k, c->k);
    }
    return NTH_CHECK_OK(nth_ntk_flow(&b, flow));
}

bool flow_case_run(const flow_case *c, const nth_flow_options *opt, ptrdiff_t times, const double *t, flow_path *out)
{
    nth_flow *flow = NULL;
    bool      ok = NTH_CHECK_OK(nth_flow_create(&flow, c->net, flow_case_train(c), flow_case_test(c), c->y, opt));
    memset(out, 0xff, sizeof *out); /* NaN */
    out->times = times, out->rows = c->n + c->k;
    out->entries = c->n * c->n + c->k * c->n + c->k * c->k;
    for (ptrdiff_t i = 0; ok && i < times; ++i) {
        ok = NTH_CHECK_OK(nth_flow_advance(flow, t[i])) && NTH_CHECK_OK(nth_flow_outputs(flow, out->f[i])) &&
             flow_case_kernel(c, flow, out->K[i]) && NTH_CHECK(nth_flow_time(flow) == t[i]);
    }
    if (ok) out->stats = nth_flow_get_stats(flow);
    else printf("    ... in %s, %s\n", c->name, nth_stepper_name(opt->stepper));
    nth_flow_destroy(&flow);
    return ok;
}

static double distance(const double *a, const double *b, ptrdiff_t n)
{
    double err = 0.0, most = 0.0;
    for (ptrdiff_t i = 0; i < n; ++i) {
        err = nth_worst(err, fabs(a[i] - b[i]));
        most = nth_worst(most, fabs(b[i]));
    }
    return err == 0.0 ? 0.0 : err / most; /* a net that does not train has no kernel */
}

double flow_path_distance(const flow_path *a, ptrdiff_t ta, const flow_path *b, ptrdiff_t tb)
{
    return nth_worst(distance(a->K[ta], b->K[tb], b->entries), distance(a->f[ta], b->f[tb], b->rows));
}
