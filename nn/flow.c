/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Gradient flow: the state, its set-up, and what can be asked of it. Time stepping is in
 * flow_colloc.c and flow_rk.c.
 */
#include "flow_priv.h"
#include "alloc_priv.h"
#include "fail_priv.h"
#include "linalg_priv.h"

#include <math.h>
#include <string.h>

static double square_value(const double *f, const double *y, ptrdiff_t n)
{
    double s = 0.0;
    for (ptrdiff_t i = 0; i < n; ++i) s += (f[i] - y[i]) * (f[i] - y[i]);
    return s / (2.0 * (double)n);
}

static void square_residual(double *r, const double *f, const double *y, ptrdiff_t n)
{
    for (ptrdiff_t i = 0; i < n; ++i) r[i] = f[i] - y[i];
}

const nth_loss nth_loss_square = { "square", square_value, square_residual };

static const nth_stepper_ops *const steppers[] = {
    [NTH_STEPPER_COLLOCATION] = &nth_priv_stepper_collocation,
    [NTH_STEPPER_RK8PD] = &nth_priv_stepper_rk,
    [NTH_STEPPER_RKCK] = &nth_priv_stepper_rk,
};
static const char *const stepper_names[] = { "collocation", "rk8pd", "rkck" };

const char *nth_stepper_name(nth_stepper s)
{
    return (unsigned)s <= NTH_STEPPER_RKCK ? stepper_names[s] : NULL;
}

double nth_flow_work_bytes(const nth_net_config *cfg, ptrdiff_t n, ptrdiff_t k, const nth_flow_options *opt)
{
    const double copies = cfg->doubled ? 2.0 : 1.0, rows = (double)(n + k), m1 = (double)cfg->widths[1];
    double       doubles = rows * rows + copies * m1 * (2.0 * rows + (double)n);
    for (int l = 2; l <= cfg->layers; ++l) doubles += copies * (double)cfg->widths[l] * ((double)cfg->widths[l - 1] + 1.0);
    doubles += nth_jet_doubles(cfg, 1, n, false) + steppers[opt->stepper]->doubles(cfg, n, opt);
    return 8.0 * doubles;
}

/* Layers from 2 on, biases and seeds of `from`; its first layer is represented by H. */
static nth_status clone_net(nth_net **out, const nth_net *from)
{
    nth_status st = NTH_OK;
    nth_net   *net = NULL;
    NTH_TRY(nth_net_create(&net, &from->cfg, false));
    net->seed = from->seed, net->run = from->run, net->uniform = from->uniform;
    for (int c = 0; c < from->copies; ++c)
        for (int l = 0; l < from->cfg.layers; ++l) {
            if (l > 0) nth_mat_copy(net->W[c][l], nth_const(from->W[c][l]));
            if (from->b[c][l] != NULL)
                memcpy(net->b[c][l], from->b[c][l], (size_t)from->cfg.widths[l + 1] * sizeof(double));
        }
    *out = net;
done:
    return st;
}

static nth_status check_options(const nth_net *net, const nth_flow_options *opt)
{
    nth_status st = NTH_OK;
    NTH_REQUIRE(nth_stepper_name(opt->stepper) != NULL, NTH_E_ARG, "stepper %d is not in the list", (int)opt->stepper);
    NTH_REQUIRE(opt->rtol >= 1e-14 && opt->rtol <= 0.1, NTH_E_ARG, "rtol = %g; expected 1e-14 to 0.1", opt->rtol);
    NTH_REQUIRE(opt->fixed_steps >= 0, NTH_E_ARG, "%td fixed steps", opt->fixed_steps);
    NTH_REQUIRE(opt->stepper != NTH_STEPPER_COLLOCATION || nth_activation_is_smooth(net->cfg.activation), NTH_E_ARG,
                "stepper collocation needs a smooth activation, found %s; use rkck with fixed steps",
                nth_activation_name(net->cfg.activation));
done:
    return st;
}

nth_status nth_flow_create(nth_flow **out, const nth_net *net, nth_cmat X, nth_cmat X_test, const double *y,
                           const nth_flow_options *opt)
{
    nth_status st = NTH_OK;
    nth_flow  *flow = NULL;
    nth_rows  *rows = NULL;
    *out = NULL;
    NTH_TRY(check_options(net, opt));
    for (ptrdiff_t i = 0; i < X.rows; ++i)
        NTH_REQUIRE(isfinite(y[i]), NTH_E_NUMERIC, "label %td is not finite", i + 1);
    NTH_TRY(nth_priv_mem_check(nth_flow_work_bytes(&net->cfg, X.rows, X_test.rows, opt), "the flow"));
    NTH_TRY(nth_rows_create(&rows, net, X, X_test));
    NTH_TRY(nth_priv_flow_from_rows(&flow, &rows, net, y, opt));
    *out = flow;
done:
    nth_rows_destroy(&rows);
    return st;
}

nth_status nth_priv_flow_from_rows(nth_flow **out, nth_rows **rows, const nth_net *net, const double *y,
                                   const nth_flow_options *opt)
{
    nth_status      st = NTH_OK;
    nth_flow       *flow = NULL;
    const ptrdiff_t n = (*rows)->n;
    *out = NULL;
    NTH_TRY(check_options(net, opt));
    NTH_TRY(nth_priv_alloc(&flow, 1, sizeof *flow, "flow"));
    flow->opt = *opt, flow->initial = net, flow->ops = steppers[opt->stepper];
    flow->loss = opt->loss != NULL ? opt->loss : &nth_loss_square;
    NTH_TRY(clone_net(&flow->net, net));
    NTH_TRY(nth_priv_doubles(&flow->y, n, "labels"));
    memcpy(flow->y, y, (size_t)n * sizeof(double));
    for (int c = 0; c < net->copies; ++c)
        NTH_TRY(nth_priv_mat(&flow->A[c], n, net->cfg.widths[1], "first-layer movement"));
    flow->rows = *rows, *rows = NULL;
    flow->rows->net = flow->net;
    nth_algebra_nilpotent(&flow->plain, 0);
    NTH_TRY(nth_jet_create(&flow->jet, &flow->plain, flow->rows, 0, n, false));
    NTH_TRY(flow->ops->create(flow, &flow->state));
    *out = flow, flow = NULL;
done:
    nth_flow_destroy(&flow);
    return st;
}

void nth_flow_destroy(nth_flow **flow)
{
    nth_flow *f = *flow;
    if (f == NULL) return;
    if (f->state != NULL) f->ops->destroy(f->state);
    nth_jet_destroy(&f->jet);
    nth_rows_destroy(&f->rows);
    nth_net_destroy(&f->net);
    for (int c = 0; c < 2; ++c) nth_priv_free(f->A[c].a);
    nth_priv_free(f->y);
    nth_priv_free(f);
    *flow = NULL;
}

nth_status nth_flow_advance(nth_flow *flow, double t)
{
    nth_status st = NTH_OK;
    NTH_REQUIRE(t >= flow->t && isfinite(t), NTH_E_ARG, "time %g; expected a finite one not before %g", t, flow->t);
    if (t > flow->t) NTH_TRY(flow->ops->advance(flow, flow->state, t));
done:
    return st;
}

double nth_flow_time(const nth_flow *flow) { return flow->t; }

nth_flow_stats nth_flow_get_stats(const nth_flow *flow) { return flow->stats; }

const nth_rows *nth_priv_flow_rows(const nth_flow *flow) { return flow->rows; }

nth_status nth_priv_flow_residual(nth_flow *flow, double *r)
{
    nth_status st = NTH_OK;
    NTH_REQUIRE(flow->opt.interrupted == NULL || !flow->opt.interrupted(flow->opt.ctx), NTH_E_INTERRUPTED,
                "interrupted at t = %g", flow->t);
    NTH_TRY(nth_jet_advance(flow->jet, NULL, 0, 1));
    NTH_TRY(nth_jet_outputs(flow->jet, r));
    flow->loss->residual(r, r, flow->y, flow->rows->n);
    ++flow->stats.evaluations;
done:
    return st;
}

nth_status nth_priv_flow_move_first(nth_flow *flow, int copy, nth_cmat dA)
{
    nth_status      st = NTH_OK;
    const nth_rows *r = flow->rows;
    for (ptrdiff_t i = 0; i < dA.rows; ++i)
        nth_axpy(1.0, dA.a + i * dA.ld, flow->A[copy].a + i * flow->A[copy].ld, dA.cols);
    NTH_TRY(nth_gemm(1.0, NTH_N, nth_const(nth_block(r->G, 0, 0, r->rows, r->n)), NTH_N, dA, 1.0, r->H[copy]));
done:
    return st;
}

nth_status nth_flow_outputs(const nth_flow *flow, double *f)
{
    nth_status  st = NTH_OK;
    nth_jet    *jet = NULL;
    nth_algebra plain;
    nth_algebra_nilpotent(&plain, 0);
    NTH_TRY(nth_jet_create(&jet, &plain, flow->rows, 0, flow->rows->rows, false));
    NTH_TRY(nth_jet_advance(jet, NULL, 0, 1));
    NTH_TRY(nth_jet_outputs(jet, f));
done:
    nth_jet_destroy(&jet);
    return st;
}

nth_status nth_flow_loss(const nth_flow *flow, double *loss)
{
    nth_status st = NTH_OK;
    double    *f = NULL;
    NTH_TRY(nth_priv_doubles(&f, flow->rows->rows, "outputs"));
    NTH_TRY(nth_flow_outputs(flow, f));
    *loss = flow->loss->value(f, flow->y, flow->rows->n);
done:
    nth_priv_free(f);
    return st;
}

nth_status nth_flow_net(const nth_flow *flow, nth_cmat X, nth_net **out)
{
    nth_status            st = NTH_OK;
    nth_net              *net = NULL;
    const nth_net_config *cfg = &flow->net->cfg;
    *out = NULL;
    NTH_REQUIRE(flow->initial->first_layer_stored, NTH_E_ARG, "the first layer of the initial network is not stored");
    NTH_REQUIRE(X.rows == flow->rows->n && X.cols == cfg->widths[0], NTH_E_SHAPE, "inputs %td x %td, expected %td x %td",
                X.rows, X.cols, flow->rows->n, cfg->widths[0]);
    NTH_TRY(nth_net_create(&net, cfg, true));
    for (int c = 0; c < net->copies; ++c)
        for (int l = 0; l < cfg->layers; ++l) {
            nth_mat_copy(net->W[c][l], nth_const(l == 0 ? flow->initial->W[c][0] : flow->net->W[c][l]));
            if (net->b[c][l] != NULL)
                memcpy(net->b[c][l], flow->net->b[c][l], (size_t)cfg->widths[l + 1] * sizeof(double));
        }
    for (int c = 0; c < net->copies; ++c) {
        NTH_TRY(nth_gemm(nth_net_factor(cfg, 1), NTH_T, nth_const(flow->A[c]), NTH_N, X, 1.0, net->W[c][0]));
        for (ptrdiff_t i = 0; net->b[c][0] != NULL && i < X.rows; ++i)
            nth_axpy(cfg->sigma_b, flow->A[c].a + i * flow->A[c].ld, net->b[c][0], cfg->widths[1]);
    }
    *out = net, net = NULL;
done:
    nth_net_destroy(&net);
    return st;
}
