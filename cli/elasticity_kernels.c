/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * The kernels of nth verify elasticity and their ratios (verify_elasticity.h). Copies of a kind are networks, or permutations
 * of the labels. Resample b draws inputs (nth_elastic), one of the networks and one of the permutations; K_0 and K_t
 * belong to the same network. All kernels see the same draws, so that differences of their ratios are paired.
 */
#include "verify_elasticity.h"
#include "label_kernel.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "nth/rng.h"
#include "nth/sampled.h"

enum { RUN_OF_NETWORKS = 2, RUN_OF_PERMUTATIONS = 3, RELU_STEPS = 400 }; /* runs 0 and 1 of the stream draw inputs */
static const double FLOW_RTOL = 1e-6, SAMPLING = 0.01;

static bool interrupted(void *ctx)
{
    (void)ctx;
    return cli_interrupted();
}

/* ---- Ratios ------------------------------------------------------------------------------------- */

/* A kernel without a ratio (a diagonal entry that is not positive: K + lambda Z need not be definite) is told of, the first one
 * with its reason; it does not stop the others. */
static void refuse(elasticity *e, const char *name)
{
    if (e->refused++ == 0) snprintf(e->why, sizeof e->why, "%s: %s", name, nth_last_error().message);
}

/* Ratios of copy number `copy` of a kind; K (train, test) with the diagonal D_test of its test inputs. */
static nth_status measure(elasticity *e, rr_kernel kind, const char *name, ptrdiff_t copy, const nth_blocks *K, const double *D_test)
{
    nth_status                st = NTH_OK;
    const nth_data           *d = e->p.data;
    rr_ratios                *r = &e->rr[kind];
    const nth_elastic_options opt = { .bootstrap = (ptrdiff_t)e->c->cfg->bootstrap, .seed = e->c->cfg->seed, .ratios = e->draw };
    const uint32_t            run = kind < RR_NTK ? RUN_OF_NETWORKS : RUN_OF_PERMUTATIONS;
    cli_diagonal(e->D, K->train);
    for (int set = 0; set < RR_PAIRS; ++set) {
        nth_elasticity out;
        nth_cmat       A = nth_const(set == 0 ? K->train : K->test);
        if (set == 0) st = nth_elastic_train(&out, nth_elastic_matrix, &A, nth_const(d->y), e->D, &opt);
        else st = nth_elastic_test(&out, nth_elastic_matrix, &A, nth_const(d->y_test), nth_const(d->y), D_test, e->D, &opt);
        const bool none = st == NTH_E_NUMERIC;
        if (none) refuse(e, name), st = NTH_OK;
        CLI_TRY(st);
        r->mean[set] += none ? (double)NAN : out.ratio / (double)r->copies;
        for (ptrdiff_t b = 0; b < opt.bootstrap; ++b)
            if ((ptrdiff_t)nth_rand_below((uint64_t)r->copies, opt.seed, NTH_STREAM_BOOTSTRAP, run, (uint64_t)b) == copy)
                r->sample[set][b] = none ? (double)NAN : e->draw[b];
    }
    cli_progress_update(e->c, ++e->done);
    if (cli_interrupted()) st = NTH_E_INTERRUPTED;
done:
    return st;
}

/* ---- Networks ----------------------------------------------------------------------------------- */

static nth_status train(elasticity *e, rr_kernel kind, const char *name, ptrdiff_t s, const nth_net *net, const double *y, nth_blocks *K)
{
    nth_status             st = NTH_OK;
    const bool             smooth = nth_activation_is_smooth(e->shape.activation);
    nth_flow              *flow = NULL;
    const nth_flow_options opt = { .stepper = smooth ? NTH_STEPPER_COLLOCATION : NTH_STEPPER_RKCK, .rtol = FLOW_RTOL,
                                   .fixed_steps = smooth ? 0 : RELU_STEPS, .interrupted = interrupted };
    CLI_TRY(nth_flow_create(&flow, net, e->p.X, e->p.X_test, y, &opt));
    CLI_TRY(nth_flow_advance(flow, e->t));
    CLI_TRY(nth_ntk_flow(K, flow));
    cli_diagonal(e->D_test, K->test_test);
    CLI_TRY(measure(e, kind, name, s, K, e->D_test));
done:
    nth_flow_destroy(&flow);
    return st;
}

static nth_status networks(elasticity *e)
{
    nth_status   st = NTH_OK;
    const double *y = e->p.data->y.a;
    double       *permuted = NULL;
    nth_net      *net = NULL;
    nth_blocks    K = { 0 };
    CLI_TRY(cli_blocks_create(e->c, &K, e->p.n, e->p.k, true));
    CLI_TRY(cli_doubles(e->c, &permuted, (double)e->p.n, "labels"));
    CLI_TRY(nth_net_create(&net, &e->shape, true));
    for (ptrdiff_t s = 0; s < e->networks; ++s) {
        nth_net_init_gaussian(net, e->c->cfg->seed, (uint32_t)s);
        CLI_TRY(nth_ntk_empirical(&K, net, e->p.X, e->p.X_test));
        cli_diagonal(e->D_test, K.test_test);
        CLI_TRY(measure(e, RR_INIT, "K_0 of a network", s, &K, e->D_test));
        CLI_TRY(nth_data_permute(nth_mat_of(permuted, e->p.n, 1), nth_const(e->p.data->y), e->c->cfg->seed + (uint64_t)s + 1));
        CLI_TRY(train(e, RR_TRAINED, "K_t of a trained network", s, net, y, &K));
        CLI_TRY(train(e, RR_TRAINED_PERMUTED, "K_t of a network trained on permuted labels", s, net, permuted, &K));
    }
done:
    nth_net_destroy(&net);
    cli_blocks_free(&K);
    free(permuted);
    return st;
}

/* ---- K + lambda Z (E73, E74) -------------------------------------------------------------------- */

/* Turns Z into K + lambda Z, and its values for test inputs with themselves. */
static void blend(const elasticity *e, nth_blocks *Z, double *Z_test, double mean_K)
{
    const double lambda = cli_label_blend(Z, &e->ntk, e->ratio, mean_K);
    for (ptrdiff_t i = 0; i < e->p.k; ++i) Z_test[i] = e->own_test[i] + lambda * Z_test[i];
}

/* One kernel: permutation 0 leaves the labels as they are. */
static nth_status one_blend(elasticity *e, rr_kernel kind, const char *name, nth_lantk_variant variant, ptrdiff_t permutation, nth_blocks *Z)
{
    nth_status              st = NTH_OK;
    nth_lantk              *z = NULL;
    const nth_lantk_source  src = { .X = e->p.X, .X_test = e->p.X_test, .Y = nth_const(e->p.data->y) };
    const nth_lantk_options opt = { .variant = variant, .permute = permutation > 0, .permute_seed = e->c->cfg->seed + (uint64_t)permutation };
    CLI_TRY(cli_label_kernel(&z, Z, &e->ntk, src, &opt));
    CLI_TRY(nth_lantk_diagonal(e->D_test, z, e->p.n, e->p.k, e->own_test));
    blend(e, Z, e->D_test, nth_lantk_get_info(z, 0).mean_K);
    CLI_TRY(measure(e, kind, name, permutation > 0 ? permutation - 1 : 0, Z, e->D_test));
done:
    nth_lantk_destroy(&z);
    return st;
}

static nth_status blends(elasticity *e, rr_kernel kind, const char *name, nth_lantk_variant variant)
{
    nth_status st = NTH_OK;
    nth_blocks Z = { 0 };
    CLI_TRY(cli_blocks_create(e->c, &Z, e->p.n, e->p.k, false));
    for (ptrdiff_t q = 0; q <= e->permutations; ++q) CLI_TRY(one_blend(e, q == 0 ? kind : kind + 1, name, variant, q, &Z));
done:
    cli_blocks_free(&Z);
    return st;
}

/* A function of K that knows no labels, with the same rule for lambda. */
static nth_status squares(elasticity *e)
{
    nth_status      st = NTH_OK;
    const ptrdiff_t n = e->p.n, k = e->p.k;
    nth_blocks      Z = { 0 };
    double          mean_K = 0.0;
    CLI_TRY(cli_blocks_create(e->c, &Z, n, k, false));
    for (ptrdiff_t i = 0; i < n * n; ++i) {
        Z.train.a[i] = e->ntk.train.a[i] * e->ntk.train.a[i];
        mean_K += fabs(e->ntk.train.a[i]) / ((double)n * (double)n);
    }
    for (ptrdiff_t i = 0; i < k * n; ++i) Z.test.a[i] = e->ntk.test.a[i] * e->ntk.test.a[i];
    for (ptrdiff_t i = 0; i < k; ++i) e->D_test[i] = e->own_test[i] * e->own_test[i];
    blend(e, &Z, e->D_test, mean_K);
    CLI_TRY(measure(e, RR_SQUARES, "K + lambda K o K", 0, &Z, e->D_test));
done:
    cli_blocks_free(&Z);
    return st;
}

/* ---- K^(NTH) ------------------------------------------------------------------------------------ */

static bool keep_sampling(const nth_sampled_result *so_far, void *ctx)
{
    (void)so_far, (void)ctx;
    return !cli_interrupted();
}

static nth_status label_aware(elasticity *e)
{
    nth_status          st = NTH_OK;
    const ptrdiff_t     n = e->p.n;
    nth_blocks          agnostic = { 0 }, label = { 0 }, se = { 0 };
    double             *y = NULL;
    nth_sampled_options opt = { .activation = e->shape.activation, .sigma_w = e->shape.sigma_w, .input_scale = e->shape.input_scale,
                                .target = SAMPLING, .least = 10240, .most = e->draws, .seed = e->c->cfg->seed, .progress = keep_sampling };
    CLI_TRY(cli_blocks_create(e->c, &agnostic, n, e->p.k, true));
    CLI_TRY(cli_blocks_create(e->c, &label, n, e->p.k, true));
    CLI_TRY(cli_blocks_create(e->c, &se, n, e->p.k, true));
    CLI_TRY(cli_doubles(e->c, &y, (double)n, "labels"));
    for (ptrdiff_t q = 0; q <= e->nth_permutations; ++q) {
        nth_sampled_result done;
        if (q == 0) memcpy(y, e->p.data->y.a, (size_t)n * sizeof *y);
        else CLI_TRY(nth_data_permute(nth_mat_of(y, n, 1), nth_const(e->p.data->y), e->c->cfg->seed + (uint64_t)q));
        CLI_TRY(nth_sampled_label(&agnostic, &label, &se, &done, e->p.X, e->p.X_test, y, e->t, &opt));
        e->sampling = fmax(e->sampling, done.relative);
        cli_add(agnostic.train, label.train, 1.0 / (double)e->width);
        cli_add(agnostic.test, label.test, 1.0 / (double)e->width);
        cli_add(agnostic.test_test, label.test_test, 1.0 / (double)e->width);
        cli_diagonal(e->D_test, agnostic.test_test);
        CLI_TRY(measure(e, q == 0 ? RR_NTH : RR_NTH_PERMUTED, "K^(NTH)", q == 0 ? 0 : q - 1, &agnostic, e->D_test));
    }
done:
    cli_blocks_free(&agnostic);
    cli_blocks_free(&label);
    cli_blocks_free(&se);
    free(y);
    return st;
}

nth_status rr_measure_all(elasticity *e)
{
    nth_status st = NTH_OK;
    CLI_TRY(cli_blocks_create(e->c, &e->ntk, e->p.n, e->p.k, true));
    CLI_TRY(nth_ntk_infinite(&e->ntk, &e->shape, e->p.X, e->p.X_test));
    cli_diagonal(e->own_test, e->ntk.test_test);
    CLI_TRY(measure(e, RR_NTK, "the NTK", 0, &e->ntk, e->own_test));
    CLI_TRY(networks(e));
    CLI_TRY(blends(e, RR_HR, "K + lambda Z (ls-v1)", NTH_LANTK_LS_V1));
    CLI_TRY(blends(e, RR_KR, "K + lambda Z (kr-v1)", NTH_LANTK_KR_V1));
    CLI_TRY(squares(e));
    CLI_TRY(label_aware(e));
done:
    return st;
}
