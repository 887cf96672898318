/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Training a network's tangent kernel on KARE (E97, E98). Each step: the kernel of the batch, KARE and
 * its derivative S by the kernel, the derivative by the parameters by reverse mode (heads_priv.h), and
 * an update. Parameters at which KARE could be computed are good; the network always ends with good ones.
 */
#include "nth/kare.h"
#include "alloc_priv.h"
#include "fail_priv.h"
#include "heads_priv.h"
#include "linalg_priv.h"
#include "nth/regress.h"

#include <math.h>
#include <string.h>

typedef struct training {
    const nth_kare_options *opt;
    nth_net                *net;
    nth_cmat                X, Y, X_test, Y_test;
    ptrdiff_t               parameters, batch, epoch; /* epoch: that of perm, -1 at first */
    double                 *theta, *good, *grad;      /* (P) */
    nth_optimizer          *rule;
    nth_heads              *heads;
    nth_rows               *all;                      /* training and test inputs */
    nth_mat                 K, K_test, P, F;          /* (n x n), (k x n), (n x c), (k x c) of all samples */
    nth_mat                 S;                        /* (b x b) */
    /* a step */
    nth_rows     *rows;                               /* of the batch; `all` if the batch is everything */
    nth_pullback *pb;
    nth_mat       K_batch, X_batch, Y_batch;          /* empty if the batch is everything */
    ptrdiff_t    *perm;                               /* (n) */
} training;

ptrdiff_t nth_kare_points(const nth_kare_options *opt)
{
    return 1 + opt->steps / opt->every + (opt->steps % opt->every != 0);
}

double nth_kare_work_bytes(const nth_net_config *cfg, ptrdiff_t n, ptrdiff_t k, ptrdiff_t columns,
                           const nth_kare_options *opt)
{
    const double all = (double)n, rows = (double)(n + k), c = (double)columns, b = opt->batch > 0 ? (double)opt->batch : all;
    double       P = 0.0;
    for (int l = 1; l <= cfg->layers; ++l) P += (double)cfg->widths[l] * (double)(cfg->widths[l - 1] + 1);
    const double kernels = all * all + rows * rows + all * (double)k + 3.0 * b * b + 2.0 * all * all;
    const double copies = cfg->doubled ? 2.0 : 1.0;
    const double vectors = opt->rule.kind == NTH_OPTIMIZER_ADAM ? 5.0 : opt->rule.momentum > 0.0 ? 4.0 : 3.0;
    return 8.0 * (vectors * copies * P + kernels + rows * (c + copies * (double)cfg->widths[1]) + 2.0 * b * (c + (double)cfg->widths[0]) +
                  nth_jet_doubles(cfg, 1, n + k, false) + nth_pullback_doubles(cfg, (ptrdiff_t)b) +
                  nth_heads_doubles(cfg, opt->outputs, n, k));
}

/* ---- Checks and memory ---------------------------------------------------------------------------- */

static bool constant_columns(nth_cmat Y)
{
    for (ptrdiff_t i = 1; i < Y.rows; ++i)
        for (ptrdiff_t j = 0; j < Y.cols; ++j)
            if (Y.a[i * Y.ld + j] != Y.a[j]) return false;
    return true;
}

static nth_status check(const training *t)
{
    nth_status              st = NTH_OK;
    const nth_kare_options *o = t->opt;
    const ptrdiff_t         n = t->X.rows, k = t->X_test.rows;
    NTH_REQUIRE(isfinite(o->z) && o->z > 0.0, NTH_E_ARG, "ridge z = %g; must be positive and finite", o->z);
    NTH_REQUIRE(o->steps >= 0 && o->every >= 1, NTH_E_ARG, "%td steps, a point every %td; expected >= 0 and >= 1", o->steps,
                o->every);
    NTH_REQUIRE(o->batch == 0 || (o->batch >= 2 && o->batch <= n), NTH_E_ARG,
                "batches of %td of %td samples; expected 2 to %td, or 0 for all", o->batch, n, n);
    NTH_REQUIRE(t->Y.rows == n && t->Y.cols >= 1, NTH_E_SHAPE, "targets %td x %td for %td inputs", t->Y.rows, t->Y.cols, n);
    NTH_REQUIRE(t->Y_test.rows == k && (k == 0 || t->Y_test.cols == t->Y.cols), NTH_E_SHAPE,
                "test targets %td x %td for %td test inputs and %td columns", t->Y_test.rows, t->Y_test.cols, k, t->Y.cols);
    NTH_REQUIRE(nth_all_finite(t->Y) && nth_all_finite(t->Y_test), NTH_E_NUMERIC, "targets have an entry that is not finite");
    NTH_REQUIRE(!constant_columns(t->Y), NTH_E_RANGE, "the targets of all %td samples are equal: there is nothing to learn", n);
done:
    return st;
}

static nth_status set_up(training *t)
{
    nth_status      st = NTH_OK;
    const ptrdiff_t n = t->X.rows, k = t->X_test.rows, c = t->Y.cols;
    const bool      whole = t->opt->batch == 0 || t->opt->batch == n;
    NTH_TRY(check(t));
    t->parameters = nth_net_parameters(t->net), t->batch = whole ? n : t->opt->batch, t->epoch = -1;
    NTH_TRY(nth_heads_create(&t->heads, t->net, t->opt->outputs));
    NTH_TRY(nth_rows_create(&t->all, &t->heads->view, t->X, t->X_test));
    NTH_TRY(nth_optimizer_create(&t->rule, &t->opt->rule, t->parameters));
    NTH_TRY(nth_priv_doubles(&t->theta, t->parameters, "parameters"));
    NTH_TRY(nth_priv_doubles(&t->good, t->parameters, "parameters"));
    NTH_TRY(nth_priv_doubles(&t->grad, t->parameters, "derivative"));
    NTH_TRY(nth_priv_mat(&t->K, n, n, "kernel"));
    NTH_TRY(nth_priv_mat(&t->K_test, k, n, "kernel of test inputs"));
    NTH_TRY(nth_priv_mat(&t->P, n, c, "solutions"));
    NTH_TRY(nth_priv_mat(&t->F, k, c, "predictions"));
    NTH_TRY(nth_priv_mat(&t->S, t->batch, t->batch, "derivative by the kernel"));
    NTH_TRY(nth_net_get_parameters(t->theta, t->net));
    memcpy(t->good, t->theta, (size_t)t->parameters * sizeof(double));
    if (whole) {
        NTH_TRY(nth_pullback_create(&t->pb, t->all));
        goto done;
    }
    NTH_TRY(nth_priv_mat(&t->K_batch, t->batch, t->batch, "kernel of a batch"));
    NTH_TRY(nth_priv_mat(&t->X_batch, t->batch, t->X.cols, "inputs of a batch"));
    NTH_TRY(nth_priv_mat(&t->Y_batch, t->batch, c, "targets of a batch"));
    NTH_TRY(nth_priv_alloc(&t->perm, n, sizeof *t->perm, "permutation"));
done:
    return st;
}

static void tear_down(training *t)
{
    nth_optimizer_destroy(&t->rule);
    nth_pullback_destroy(&t->pb);
    nth_rows_destroy(&t->rows);
    nth_rows_destroy(&t->all);
    nth_heads_destroy(&t->heads);
    double *const own[] = { t->theta, t->good, t->grad, t->K.a, t->K_test.a, t->P.a, t->F.a, t->S.a, t->K_batch.a, t->X_batch.a, t->Y_batch.a };
    for (size_t i = 0; i < sizeof own / sizeof *own; ++i) nth_priv_free(own[i]);
    nth_priv_free(t->perm);
}

/* ---- A step ---------------------------------------------------------------------------------------- */

/* The batch of a step: samples of the epoch's permutation. */
static void draw_batch(training *t, ptrdiff_t step)
{
    const ptrdiff_t n = t->X.rows, parts = n / t->batch, epoch = step / parts, first = step % parts * t->batch;
    if (epoch != t->epoch) nth_optimize_order(t->perm, n, t->opt->seed, (uint32_t)epoch, 0);
    t->epoch = epoch;
    for (ptrdiff_t i = 0; i < t->batch; ++i) {
        const ptrdiff_t from = t->perm[first + i];
        nth_mat_copy(nth_block(t->X_batch, i, 0, 1, t->X.cols), nth_cblock(t->X, from, 0, 1, t->X.cols));
        nth_mat_copy(nth_block(t->Y_batch, i, 0, 1, t->Y.cols), nth_cblock(t->Y, from, 0, 1, t->Y.cols));
    }
}

/* The derivative of the batch's KARE in t->grad. */
static nth_status batch_gradient(training *t, ptrdiff_t step)
{
    nth_status    st = NTH_OK;
    nth_kare      k;
    const nth_mat none = { 0 };
    draw_batch(t, step);
    NTH_TRY(nth_rows_create(&t->rows, &t->heads->view, nth_const(t->X_batch), (nth_cmat){ 0 }));
    NTH_TRY(nth_pullback_create(&t->pb, t->rows));
    NTH_TRY(nth_heads_kernel(t->K_batch, t->heads, t->pb));
    NTH_TRY(nth_kare_evaluate(&k, none, none, t->S, nth_const(t->K_batch), nth_const(t->Y_batch), t->opt->z));
    NTH_TRY(nth_heads_gradient(t->grad, t->heads, t->pb, nth_const(t->S), nth_const(t->X_batch)));
done:
    nth_pullback_destroy(&t->pb);
    nth_rows_destroy(&t->rows);
    return st;
}

/* A point of the curve; with K and P of all samples at hand unless the batches are smaller. */
static nth_status record(training *t, nth_kare_point *point, ptrdiff_t step, nth_kare *k)
{
    nth_status    st = NTH_OK;
    const nth_mat none = { 0 };
    nth_score     risk = { .value = NAN };
    nth_blocks    B = { .train = t->X_batch.a != NULL ? t->K : none, .test = t->X_test.rows > 0 ? t->K_test : none };
    if (B.train.a != NULL) NTH_TRY(nth_rows_refresh(t->all, t->X, t->X_test));
    if (B.train.a != NULL || B.test.a != NULL) NTH_TRY(nth_heads_blocks(&B, t->heads, t->all));
    if (B.train.a != NULL) NTH_TRY(nth_kare_evaluate(k, t->P, none, none, nth_const(t->K), t->Y, t->opt->z));
    if (B.test.a != NULL) { /* ridge n z: alpha = P/n */
        NTH_TRY(nth_gemm(1.0 / (double)t->X.rows, NTH_N, nth_const(t->K_test), NTH_N, nth_const(t->P), 0.0, t->F));
        NTH_TRY(nth_score_mse(&risk, nth_const(t->F), t->Y_test));
    }
    *point = (nth_kare_point){ .step = step, .kare = k->kare, .test_risk = risk.value };
done:
    return st;
}

/* What is known at the present parameters: a point if one is due, and the derivative unless this is the last. */
static nth_status look(training *t, nth_kare_curve *curve, ptrdiff_t step)
{
    nth_status     st = NTH_OK;
    const bool     last = step == t->opt->steps, whole = t->X_batch.a == NULL;
    const nth_mat  none = { 0 };
    nth_kare_point point;
    nth_kare       k;
    if (whole) {
        NTH_TRY(nth_rows_refresh(t->all, t->X, t->X_test));
        NTH_TRY(nth_heads_kernel(t->K, t->heads, t->pb));
        NTH_TRY(nth_kare_evaluate(&k, t->P, none, last ? none : t->S, nth_const(t->K), t->Y, t->opt->z));
    }
    if (last || step % t->opt->every == 0) {
        NTH_TRY(record(t, &point, step, &k));
        curve->point[curve->points++] = point;
    }
    if (!last && whole) NTH_TRY(nth_heads_gradient(t->grad, t->heads, t->pb, nth_const(t->S), t->X));
    if (!last && !whole) NTH_TRY(batch_gradient(t, step));
done:
    return st;
}

static nth_status run(training *t, nth_kare_curve *curve)
{
    nth_status st = NTH_OK;
    for (ptrdiff_t step = 0; step <= t->opt->steps; ++step) {
        if (t->opt->interrupted != NULL && t->opt->interrupted(t->opt->ctx, step)) return NTH_E_INTERRUPTED;
        st = look(t, curve, step);
        if (st != NTH_OK) {
            nth_priv_error_prefix("after %td steps", step);
            goto done;
        }
        memcpy(t->good, t->theta, (size_t)t->parameters * sizeof(double));
        curve->steps = step;
        if (step == t->opt->steps) break;
        nth_optimizer_step(t->rule, t->theta, t->grad);
        NTH_REQUIRE(nth_all_finite(nth_cmat_of(t->theta, 1, t->parameters)), NTH_E_NUMERIC,
                    "after %td steps: a parameter is not finite; the learning rate %g is too large", step + 1,
                    t->opt->rule.learning_rate);
        NTH_TRY(nth_net_set_parameters(t->net, t->theta));
    }
done:
    return st;
}

nth_status nth_kare_train(nth_kare_curve *curve, nth_net *net, nth_cmat X, nth_cmat Y, nth_cmat X_test, nth_cmat Y_test,
                          const nth_kare_options *opt)
{
    training   t = { .opt = opt, .net = net, .X = X, .Y = Y, .X_test = X_test, .Y_test = Y_test };
    nth_status st = set_up(&t);
    curve->points = curve->steps = 0;
    if (st == NTH_OK) {
        st = run(&t, curve);
        if (st != NTH_OK) (void)!nth_net_set_parameters(net, t.good); /* cannot fail: it did not in set_up */
        while (curve->points > 0 && curve->point[curve->points - 1].step > curve->steps) --curve->points;
    }
    tear_down(&t);
    return st;
}
