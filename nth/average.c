/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Means of contracted kernels over networks (average.h): each network is drawn, contracted and let go;
 * the tally keeps mean and scatter.
 */
#include "nth/average.h"
#include "fail_priv.h"
#include "hier_priv.h"
#include "tally_priv.h"

#include <math.h>

/* What the networks of one mean share. */
typedef struct average {
    const nth_average_options *opt;
    nth_cmat                   X, X_test;
    int                        order;
    const double *const       *v;       /* directions, or NULL: the K4 term with these weights */
    nth_khat_weights           weights;
    double                     scale;   /* m^(order/2 - 1) */
} average;

static void scale_rows(nth_mat A, double by)
{
    for (ptrdiff_t i = 0; A.a != NULL && i < A.rows; ++i)
        for (ptrdiff_t j = 0; j < A.cols; ++j) A.a[i * A.ld + j] *= by;
}

static nth_status one_network(nth_blocks *out, ptrdiff_t number, void *ctx)
{
    nth_status     st = NTH_OK;
    const average *a = ctx;
    nth_net       *net = NULL;
    nth_rows      *rows = NULL;
    NTH_TRY(nth_net_create(&net, &a->opt->shape, false));
    nth_net_init_gaussian(net, a->opt->seed, (uint32_t)number);
    NTH_TRY(nth_rows_create(&rows, net, a->X, a->X_test));
    if (a->v != NULL || a->order == 2) NTH_TRY(nth_priv_hier_contract(out, rows, a->order, a->v));
    else NTH_TRY(nth_priv_khat_terms(NULL, NULL, out, NULL, rows, &a->weights));
    scale_rows(out->train, a->scale);
    scale_rows(out->test, a->scale);
    scale_rows(out->test_test, a->scale);
done:
    nth_rows_destroy(&rows);
    nth_net_destroy(&net);
    return st;
}

static nth_status check(const nth_average_options *opt, const nth_blocks *mean, const nth_blocks *se, nth_cmat X, nth_cmat X_test)
{
    nth_status            st = NTH_OK;
    const nth_net_config *shape = &opt->shape;
    NTH_TRY(nth_net_config_check(shape));
    NTH_TRY(nth_priv_one_output(shape));
    for (int l = 2; l < shape->layers; ++l)
        NTH_REQUIRE(shape->widths[l] == shape->widths[1], NTH_E_ARG, "hidden widths %td and %td; one width is expected, kernels are times its power",
                    shape->widths[1], shape->widths[l]);
    NTH_REQUIRE(opt->target >= 0.0 && isfinite(opt->target) && opt->least >= 0, NTH_E_ARG, "target %g, at least %td networks", opt->target,
                opt->least);
    NTH_TRY(nth_priv_blocks_check(mean, X.rows, X_test.rows));
    if (se != NULL) NTH_TRY(nth_priv_blocks_check(se, X.rows, X_test.rows));
    NTH_REQUIRE(mean->train.a != NULL || opt->target == 0.0, NTH_E_ARG, "the training block decides when to stop; it must be given");
done:
    return st;
}

static nth_status run(nth_blocks *mean, nth_blocks *se, nth_average_result *result, average *a)
{
    nth_status                 st = NTH_OK;
    const nth_average_options *opt = a->opt;
    nth_tally                  t = { 0 };
    const nth_over_networks    over = { .one = one_network, .ctx = a, .target = opt->target, .least = opt->least > 0 ? opt->least : 32,
                                        .most = opt->networks, .go_on = opt->go_on, .go_ctx = opt->ctx };
    a->scale = pow((double)opt->shape.widths[1] * (opt->shape.doubled ? 2.0 : 1.0), 0.5 * a->order - 1.0);
    NTH_TRY(nth_priv_tally_create(&t, mean, "mean over networks"));
    NTH_TRY(nth_priv_over_networks(&t, &over));
    nth_priv_tally_hand_out(&t, mean, se);
    *result = (nth_average_result){ .networks = t.count, .relative = nth_priv_tally_relative(&t) };
done:
    nth_priv_tally_free(&t);
    return st;
}

nth_status nth_hier_mean(nth_blocks *mean, nth_blocks *se, nth_average_result *result, const nth_average_options *opt, nth_cmat X,
                         nth_cmat X_test, int order, const double *const *v)
{
    nth_status st = NTH_OK;
    average    a = { .opt = opt, .X = X, .X_test = X_test, .order = order, .v = v };
    NTH_REQUIRE(order >= 2 && order <= NTH_HIER_MAX_ORDER, NTH_E_ARG, "kernel order %d; expected 2 to %d", order, NTH_HIER_MAX_ORDER);
    NTH_REQUIRE(order == 2 || v != NULL, NTH_E_ARG, "no directions for order %d", order);
    NTH_REQUIRE(order % 2 == 0 || opt->target == 0.0, NTH_E_ARG, "the mean of K%d is 0; its relative error has no target", order);
    NTH_TRY(check(opt, mean, se, X, X_test));
    NTH_TRY(run(mean, se, result, &a));
done:
    return st;
}

nth_status nth_hier_mean_label(nth_blocks *agnostic, nth_blocks *label, nth_blocks *se, nth_average_result *result,
                               const nth_average_options *opt, nth_cmat X, nth_cmat X_test, const double *y, double t)
{
    nth_status st = NTH_OK;
    average    a = { .opt = opt, .X = X, .X_test = X_test, .order = 4 };
    NTH_TRY(check(opt, label, se, X, X_test));
    NTH_TRY(nth_priv_label_weights(agnostic, &a.weights, &opt->shape, X, X_test, y, t));
    NTH_TRY(nth_priv_khat_basis(&a.weights));
    NTH_TRY(run(label, se, result, &a));
done:
    nth_priv_khat_weights_free(&a.weights);
    return st;
}
