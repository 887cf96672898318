/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Optimizers and the training loop: options, order of the inputs, loss (E5), epochs. The arithmetic
 * on parameters is in optimize_body_priv.h.
 */
#include "nth/optimize.h"
#include "alloc_priv.h"
#include "fail_priv.h"
#include "linalg_priv.h"
#include "nth/rng.h"
#include "optimize_priv.h"
#include "par_priv.h"

#include <math.h>
#include <string.h>

/* ---- Update rules -------------------------------------------------------------------------------- */

const char *nth_optimizer_name(nth_optimizer_kind kind)
{
    static const char *const name[NTH_OPTIMIZER_COUNT] = { "sgd", "adam" };
    return (unsigned)kind < NTH_OPTIMIZER_COUNT ? name[kind] : NULL;
}

nth_optimizer_options nth_optimizer_defaults(nth_optimizer_kind kind)
{
    return (nth_optimizer_options){ .kind = kind, .learning_rate = 1e-3, .beta1 = 0.9, .beta2 = 0.999, .epsilon = 1e-8 };
}

static nth_status check_rule(const nth_optimizer_options *o)
{
    nth_status st = NTH_OK;
    NTH_REQUIRE(nth_optimizer_name(o->kind) != NULL, NTH_E_ARG, "optimizer %d is not in the list", (int)o->kind);
    NTH_REQUIRE(isfinite(o->learning_rate) && o->learning_rate > 0.0, NTH_E_ARG, "learning rate %g; must be > 0",
                o->learning_rate);
    NTH_REQUIRE(o->momentum >= 0.0 && o->momentum < 1.0, NTH_E_ARG, "momentum %g; expected 0 <= momentum < 1", o->momentum);
    NTH_REQUIRE(o->kind == NTH_OPTIMIZER_SGD || o->momentum == 0.0, NTH_E_ARG, "momentum %g belongs to sgd; adam has beta1",
                o->momentum);
    NTH_REQUIRE(o->kind == NTH_OPTIMIZER_SGD || (o->beta1 >= 0.0 && o->beta1 < 1.0 && o->beta2 >= 0.0 && o->beta2 < 1.0),
                NTH_E_ARG, "beta1 = %g, beta2 = %g; expected 0 <= beta < 1", o->beta1, o->beta2);
    NTH_REQUIRE(o->kind == NTH_OPTIMIZER_SGD || (isfinite(o->epsilon) && o->epsilon >= 0.0), NTH_E_ARG,
                "epsilon = %g; must be >= 0", o->epsilon);
done:
    return st;
}

/* Vectors that a rule keeps. */
static int memory(const nth_optimizer_options *o)
{
    return o->kind == NTH_OPTIMIZER_ADAM ? 2 : o->momentum > 0.0 ? 1 : 0;
}

nth_status nth_priv_optimizer_create(nth_optimizer **out, const nth_optimizer_options *options, ptrdiff_t P,
                                     const nth_optimize_ops *ops)
{
    nth_status     st = NTH_OK;
    nth_optimizer *o = NULL;
    *out = NULL;
    NTH_TRY(check_rule(options));
    NTH_REQUIRE(P >= 0, NTH_E_ARG, "%td parameters", P);
    NTH_TRY(nth_priv_alloc(&o, 1, sizeof *o, "optimizer"));
    o->opt = *options, o->ops = ops, o->P = P;
    if (memory(options) > 0) NTH_TRY(nth_priv_alloc(&o->m, P, ops->real, "first moments"));
    if (memory(options) > 1) NTH_TRY(nth_priv_alloc(&o->v, P, ops->real, "second moments"));
    *out = o, o = NULL;
done:
    nth_optimizer_destroy(&o);
    return st;
}

nth_status nth_optimizer_create(nth_optimizer **opt, const nth_optimizer_options *options, ptrdiff_t P)
{
    return nth_priv_optimizer_create(opt, options, P, &nth_priv_optimize_double);
}

void nth_optimizer_destroy(nth_optimizer **opt)
{
    if (*opt == NULL) return;
    nth_priv_free((*opt)->m);
    nth_priv_free((*opt)->v);
    nth_priv_free(*opt);
    *opt = NULL;
}

void nth_priv_optimizer_begin(nth_optimizer *rule)
{
    const nth_optimizer_options *o = &rule->opt;
    const double                 s = (double)++rule->steps;
    rule->rate = o->learning_rate;
    if (o->kind != NTH_OPTIMIZER_ADAM) return;
    rule->rate /= 1.0 - pow(o->beta1, s);
    rule->spread = 1.0 / sqrt(1.0 - pow(o->beta2, s));
}

void nth_priv_optimizer_step(nth_optimizer *opt, void *theta, const void *gradient)
{
    enum { CHUNK = 4096 };
    const ptrdiff_t size = (ptrdiff_t)opt->ops->real;
    nth_priv_optimizer_begin(opt);
#pragma omp parallel for schedule(static) if (opt->P > 4 * CHUNK)
    for (ptrdiff_t first = 0; first < opt->P; first += CHUNK)
        opt->ops->update(opt, (char *)theta + first * size, (const char *)gradient + first * size, first,
                         opt->P - first < CHUNK ? opt->P - first : CHUNK);
}

void nth_optimizer_step(nth_optimizer *opt, double *theta, const double *gradient) { nth_priv_optimizer_step(opt, theta, gradient); }

/* ---- A network in training ----------------------------------------------------------------------- */

struct nth_optimize {
    nth_optimize_options    opt;
    nth_net_config          cfg;
    const nth_optimize_ops *ops;
    void                   *state;
    nth_optimizer          *rule;
    nth_cmat                X;
    double                 *y, *f, *r; /* (n x C); (batch x C) outputs and dLoss/df */
    ptrdiff_t              *order;     /* (n) */
    long                    epochs;
};

ptrdiff_t nth_priv_optimize_parameters(const nth_net_config *cfg)
{
    nth_net all = { .cfg = *cfg, .copies = cfg->doubled ? 2 : 1 };
    all.cfg.frozen = 0;
    return nth_net_parameters(&all);
}

static const nth_optimize_ops *ops_of(nth_precision precision)
{
    return precision == NTH_PRECISION_SINGLE ? &nth_priv_optimize_single : &nth_priv_optimize_double;
}

double nth_optimize_work_bytes(const nth_net_config *cfg, ptrdiff_t n, const nth_optimize_options *o)
{
    const double batch = (double)(o->batch < n ? o->batch : n), copies = cfg->doubled ? 2.0 : 1.0;
    double       P = 0.0, row = (double)cfg->widths[0]; /* widths up to 1e9: products in floating point */
    for (int l = 1; l <= cfg->layers; ++l) {
        P += copies * (double)cfg->widths[l] * (double)(cfg->widths[l - 1] + 1);
        row += copies * 3.0 * (double)cfg->widths[l];
    }
    const double tiles = (double)nth_priv_threads() * NTH_OPTIMIZE_TILE_ROWS * NTH_OPTIMIZE_TILE_COLS;
    return (double)ops_of(o->precision)->real * (P * (1.0 + memory(&o->rule)) + batch * row + tiles) +
           8.0 * (2.0 * batch + (double)n) * (double)cfg->widths[cfg->layers] + 8.0 * (double)n;
}

static nth_status check(const nth_net *net, nth_cmat X, const double *y, const nth_optimize_options *o)
{
    nth_status st = NTH_OK;
    NTH_REQUIRE(net->first_layer_stored, NTH_E_ARG, "the first layer of the network is not stored");
    NTH_REQUIRE(X.rows >= 1, NTH_E_SHAPE, "no training inputs");
    NTH_REQUIRE(X.cols == net->cfg.widths[0], NTH_E_SHAPE, "inputs have %td columns, the network expects %td", X.cols,
                net->cfg.widths[0]);
    NTH_REQUIRE(nth_all_finite(X), NTH_E_NUMERIC, "inputs have non-finite entries");
    NTH_REQUIRE(nth_all_finite(nth_cmat_of(y, X.rows, net->cfg.widths[net->cfg.layers])), NTH_E_NUMERIC, "targets have non-finite entries");
    NTH_REQUIRE(o->batch >= 1, NTH_E_ARG, "batch of %td inputs; must be >= 1", o->batch);
    NTH_REQUIRE(o->precision == NTH_PRECISION_DOUBLE || o->precision == NTH_PRECISION_SINGLE, NTH_E_ARG,
                "precision %d is not in the list", (int)o->precision);
done:
    return st;
}

nth_status nth_optimize_create(nth_optimize **out, const nth_net *net, nth_cmat X, const double *y,
                               const nth_optimize_options *options)
{
    nth_status    st = NTH_OK;
    nth_optimize *o = NULL;
    const ptrdiff_t C = net->cfg.widths[net->cfg.layers];
    *out = NULL;
    NTH_TRY(check(net, X, y, options));
    NTH_TRY(nth_priv_alloc(&o, 1, sizeof *o, "training"));
    o->opt = *options, o->cfg = net->cfg, o->ops = ops_of(options->precision), o->X = X;
    if (o->opt.batch > X.rows) o->opt.batch = X.rows;
    NTH_TRY(nth_priv_optimizer_create(&o->rule, &options->rule, nth_priv_optimize_parameters(&net->cfg), o->ops));
    NTH_TRY(o->ops->create(&o->state, net, o->opt.batch));
    NTH_TRY(nth_priv_alloc(&o->order, X.rows, sizeof *o->order, "order of inputs"));
    NTH_TRY(nth_priv_doubles(&o->y, X.rows * C, "targets"));
    NTH_TRY(nth_priv_doubles(&o->f, o->opt.batch * C, "outputs"));
    NTH_TRY(nth_priv_doubles(&o->r, o->opt.batch * C, "residuals"));
    memcpy(o->y, y, (size_t)(X.rows * C) * sizeof *y);
    *out = o, o = NULL;
done:
    nth_optimize_destroy(&o);
    return st;
}

void nth_optimize_destroy(nth_optimize **opt)
{
    nth_optimize *o = *opt;
    if (o == NULL) return;
    nth_optimizer_destroy(&o->rule);
    if (o->ops != NULL) o->ops->destroy(&o->state);
    nth_priv_free(o->order), nth_priv_free(o->y), nth_priv_free(o->f), nth_priv_free(o->r);
    nth_priv_free(o);
    *opt = NULL;
}

void nth_optimize_order(ptrdiff_t *order, ptrdiff_t n, uint64_t seed, uint32_t run, long epoch)
{
    for (ptrdiff_t i = 0; i < n; ++i) order[i] = i;
    for (ptrdiff_t i = n - 1; i > 0; --i) {
        const uint64_t  address = ((uint64_t)epoch << 40) + (uint64_t)i;
        const ptrdiff_t j = (ptrdiff_t)nth_rand_below((uint64_t)i + 1, seed, NTH_STREAM_BATCHES, run, address);
        const ptrdiff_t moved = order[i];
        order[i] = order[j], order[j] = moved;
    }
}

/* Outputs and residuals of a batch, dLoss/df = (f - y) / count; returns the batch's loss (E5). */
static nth_status residuals(nth_optimize *o, const ptrdiff_t *order, ptrdiff_t count, double *loss)
{
    nth_status      st = NTH_OK;
    const ptrdiff_t C = o->cfg.widths[o->cfg.layers];
    NTH_TRY(o->ops->forward(o->state, o->f, o->X, order, count));
    *loss = 0.0;
    for (ptrdiff_t i = 0; i < count * C; ++i) {
        const double e = o->f[i] - o->y[(order != NULL ? order[i / C] : i / C) * C + i % C];
        *loss += 0.5 * e * e / (double)count;
        o->r[i] = e / (double)count;
    }
done:
    return st;
}

nth_status nth_optimize_epoch(nth_optimize *o, double *loss)
{
    nth_status      st = NTH_OK;
    const ptrdiff_t n = o->X.rows;
    double          sum = 0.0, part;
    nth_optimize_order(o->order, n, o->opt.seed, o->opt.run, o->epochs);
    for (ptrdiff_t lo = 0, batch = 1; lo < n; lo += o->opt.batch, ++batch) {
        const ptrdiff_t count = n - lo < o->opt.batch ? n - lo : o->opt.batch;
        NTH_REQUIRE(o->opt.interrupted == NULL || !o->opt.interrupted(o->opt.ctx), NTH_E_INTERRUPTED, "interrupted");
        NTH_TRY(residuals(o, o->order + lo, count, &part));
        NTH_REQUIRE(isfinite(part), NTH_E_NUMERIC, "epoch %ld, batch %td: the loss is not finite; epoch %ld was the last good one",
                    o->epochs + 1, batch, o->epochs);
        nth_priv_optimizer_begin(o->rule);
        NTH_TRY(o->ops->backward(o->state, o->r, o->rule, NULL));
        sum += part * (double)count;
        if (o->opt.progress != NULL) o->opt.progress(batch, part, o->opt.ctx);
    }
    ++o->epochs;
    if (loss != NULL) *loss = sum / (double)n;
done:
    return st;
}

long nth_optimize_epochs(const nth_optimize *opt) { return opt->epochs; }

nth_status nth_optimize_outputs(nth_optimize *o, nth_cmat X, double *f)
{
    nth_status st = NTH_OK;
    NTH_REQUIRE(X.rows == 0 || X.cols == o->cfg.widths[0], NTH_E_SHAPE, "inputs have %td columns, the network expects %td",
                X.cols, o->cfg.widths[0]);
    for (ptrdiff_t lo = 0; lo < X.rows; lo += o->opt.batch) {
        const ptrdiff_t count = X.rows - lo < o->opt.batch ? X.rows - lo : o->opt.batch;
        NTH_TRY(o->ops->forward(o->state, f + lo * o->cfg.widths[o->cfg.layers], nth_cblock(X, lo, 0, count, X.cols), NULL, count));
    }
done:
    return st;
}

nth_status nth_optimize_net(const nth_optimize *o, nth_net **out)
{
    nth_net *net = NULL;
    *out = NULL;
    const nth_status st = nth_net_create(&net, &o->cfg, true);
    if (st != NTH_OK) return st;
    o->ops->store(net, o->state);
    *out = net;
    return NTH_OK;
}

nth_status nth_optimize_gradient(double *g, double *loss, const nth_net *net, nth_cmat X, const double *y, nth_precision precision)
{
    nth_status                 st = NTH_OK;
    nth_optimize              *o = NULL;
    double                     value;
    const nth_optimize_options opt = { .rule = nth_optimizer_defaults(NTH_OPTIMIZER_SGD), .batch = X.rows, .precision = precision };
    NTH_TRY(nth_optimize_create(&o, net, X, y, &opt));
    memset(g, 0, (size_t)nth_priv_optimize_parameters(&net->cfg) * sizeof *g);
    NTH_TRY(residuals(o, NULL, X.rows, &value));
    NTH_TRY(o->ops->backward(o->state, o->r, NULL, g));
    if (loss != NULL) *loss = value;
done:
    nth_optimize_destroy(&o);
    return st;
}
