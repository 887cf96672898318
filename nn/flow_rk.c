/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Gradient flow by GSL's Runge-Kutta steppers on the reduced parameters: per copy the movement A of
 * the first layer, then W^l and b^l of the deeper ones. The reference for the collocation stepper,
 * and with fixed steps the one for relu, whose flow has kinks that no step control can resolve.
 */
#include "alloc_priv.h"
#include "fail_priv.h"
#include "flow_priv.h"
#include "linalg_priv.h"
#include "ode_priv.h"

#include <string.h>

typedef struct rk_state {
    nth_flow *flow;
    nth_ode  *ode;
    ptrdiff_t size;
    double   *z;    /* (size) movement of all parameters since the last output time */
    double   *r;    /* (n) */
    nth_mat   H0[2]; /* (rows x m_1) H at the last output time */
    nth_net  *base; /* layers >= 2 at the last output time */
} rk_state;

/* Segment of z for layer l of a copy: offset, and of its bias behind it. */
static ptrdiff_t layer_size(const nth_net_config *cfg, ptrdiff_t n, int l)
{
    return l == 1 ? n * cfg->widths[1] : cfg->widths[l] * (cfg->widths[l - 1] + (cfg->sigma_b > 0.0));
}

static double rk_doubles(const nth_net_config *cfg, ptrdiff_t n, const nth_flow_options *opt)
{
    double size = 0.0;
    for (int l = 1; l <= cfg->layers; ++l) size += (double)layer_size(cfg, n, l);
    return size * (cfg->doubled ? 2.0 : 1.0) * (opt->stepper == NTH_STEPPER_RK8PD ? 22.0 : 15.0);
}

/* Puts base + z into the flow's net and rows. */
static nth_status apply(rk_state *s, const double *z, ptrdiff_t rows)
{
    nth_status            st = NTH_OK;
    nth_flow             *flow = s->flow;
    const nth_net_config *cfg = &flow->net->cfg;
    const ptrdiff_t       n = flow->rows->n;
    for (int c = 0; c < flow->net->copies; ++c)
        for (int l = 1; l <= cfg->layers; ++l) {
            if (l == 1) {
                const nth_mat H = nth_block(flow->rows->H[c], 0, 0, rows, cfg->widths[1]);
                nth_mat_copy(H, nth_cblock(nth_const(s->H0[c]), 0, 0, rows, cfg->widths[1]));
                NTH_TRY(nth_gemm(1.0, NTH_N, nth_const(nth_block(flow->rows->G, 0, 0, rows, n)), NTH_N,
                                 nth_cmat_of(z, n, cfg->widths[1]), 1.0, H));
            } else {
                const ptrdiff_t w = cfg->widths[l] * cfg->widths[l - 1];
                for (ptrdiff_t i = 0; i < w; ++i) flow->net->W[c][l - 1].a[i] = s->base->W[c][l - 1].a[i] + z[i];
                for (ptrdiff_t i = 0; cfg->sigma_b > 0.0 && i < cfg->widths[l]; ++i)
                    flow->net->b[c][l - 1][i] = s->base->b[c][l - 1][i] + z[w + i];
            }
            z += layer_size(cfg, n, l);
        }
done:
    return st;
}

/* dz/dt = -(1/n) sum_i r_i grad f(x_i), layer by layer (E6, E8). */
static nth_status rhs(double t, const double *z, double *dz, void *self)
{
    nth_status            st = NTH_OK;
    rk_state             *s = self;
    nth_flow             *flow = s->flow;
    const nth_net_config *cfg = &flow->net->cfg;
    const ptrdiff_t       n = flow->rows->n;
    (void)t;
    NTH_TRY(apply(s, z, n));
    NTH_TRY(nth_priv_flow_residual(flow, s->r));
    memset(dz, 0, (size_t)s->size * sizeof(double));
    for (int c = 0; c < flow->net->copies; ++c)
        for (int l = 1; l <= cfg->layers; dz += layer_size(cfg, n, l), ++l) {
            const ptrdiff_t p = cfg->widths[l];
            double         *d = l < cfg->layers ? flow->jet->d[c][l - 1] : NULL;
            if (nth_priv_frozen(cfg, l)) continue;
            for (ptrdiff_t i = 0; i < n; ++i) { /* row i of Delta becomes -(r_i / n) Delta_i */
                const double g = -s->r[i] / (double)n;
                if (l == 1) nth_axpy(g, d + i * p, dz + i * p, p);
                if (l == 1) continue;
                if (l == cfg->layers)
                    nth_axpy(g * nth_net_factor(cfg, l) * flow->net->out_scale[c],
                             flow->jet->x[c][l - 2] + i * cfg->widths[l - 1], dz, cfg->widths[l - 1]);
                else
                    for (ptrdiff_t a = 0; a < p; ++a) d[i * p + a] *= g;
                for (ptrdiff_t a = 0; cfg->sigma_b > 0.0 && a < p; ++a)
                    dz[p * cfg->widths[l - 1] + a] += cfg->sigma_b * (d ? d[i * p + a] : g * flow->net->out_scale[c]);
            }
            if (l > 1 && l < cfg->layers)
                NTH_TRY(nth_gemm(nth_net_factor(cfg, l), NTH_T, nth_cmat_of(d, n, p), NTH_N,
                                 nth_cmat_of(flow->jet->x[c][l - 2], n, cfg->widths[l - 1]), 0.0,
                                 nth_mat_of(dz, p, cfg->widths[l - 1])));
        }
done:
    return st;
}

static void rk_destroy(void *self)
{
    rk_state *s = self;
    nth_ode_destroy(&s->ode);
    nth_priv_free(s->z);
    nth_priv_free(s->r);
    for (int c = 0; c < 2; ++c) nth_priv_free(s->H0[c].a);
    nth_net_destroy(&s->base);
    nth_priv_free(s);
}

static nth_status rk_create(nth_flow *flow, void **state)
{
    nth_status            st = NTH_OK;
    rk_state             *s = NULL;
    const nth_net_config *cfg = &flow->net->cfg;
    /* Movements of A are of order 1/sqrt(m): the absolute tolerance lies well below them. */
    const nth_ode_options opt = { .method = flow->opt.stepper == NTH_STEPPER_RK8PD ? NTH_ODE_RK8PD : NTH_ODE_RKCK,
                                  .rtol = flow->opt.rtol, .atol = 1e-2 * flow->opt.rtol, .fixed_steps = flow->opt.fixed_steps };
    NTH_TRY(nth_priv_alloc(&s, 1, sizeof *s, "integrator"));
    *state = s;
    s->flow = flow;
    for (int l = 1; l <= cfg->layers; ++l) s->size += layer_size(cfg, flow->rows->n, l) * flow->net->copies;
    NTH_TRY(nth_priv_doubles(&s->z, s->size, "parameters"));
    NTH_TRY(nth_priv_doubles(&s->r, flow->rows->n, "residual"));
    NTH_TRY(nth_net_create(&s->base, cfg, false));
    for (int c = 0; c < flow->net->copies; ++c)
        NTH_TRY(nth_priv_mat(&s->H0[c], flow->rows->rows, cfg->widths[1], "first pre-activations"));
    NTH_TRY(nth_ode_create(&s->ode, s->size, &opt, rhs, s));
done:
    return st;
}

static nth_status rk_advance(nth_flow *flow, void *self, double t)
{
    nth_status            st = NTH_OK;
    rk_state             *s = self;
    const nth_net_config *cfg = &flow->net->cfg;
    double                now = flow->t;
    const double         *z = s->z;
    memset(s->z, 0, (size_t)s->size * sizeof(double));
    for (int c = 0; c < flow->net->copies; ++c) {
        nth_mat_copy(s->H0[c], nth_const(flow->rows->H[c]));
        for (int l = 1; l < cfg->layers; ++l) {
            nth_mat_copy(s->base->W[c][l], nth_const(flow->net->W[c][l]));
            if (cfg->sigma_b > 0.0) memcpy(s->base->b[c][l], flow->net->b[c][l], (size_t)cfg->widths[l + 1] * sizeof(double));
        }
    }
    NTH_TRY(nth_ode_advance(s->ode, &now, t, s->z, &flow->stats.windows));
    for (int c = 0; c < flow->net->copies; ++c) {
        nth_axpy(1.0, z, flow->A[c].a, flow->rows->n * cfg->widths[1]);
        for (int l = 1; l <= cfg->layers; ++l) z += layer_size(cfg, flow->rows->n, l);
    }
    flow->t = t;
    NTH_TRY(apply(s, s->z, flow->rows->rows));
done:
    if (st != NTH_OK) { /* back to the last good time */
        memset(s->z, 0, (size_t)s->size * sizeof(double));
        const nth_status again = apply(s, s->z, flow->rows->rows);
        if (again != NTH_OK) st = again;
    }
    return st;
}

const nth_stepper_ops nth_priv_stepper_rk = { "Runge-Kutta", rk_create, rk_advance, rk_destroy, rk_doubles };
