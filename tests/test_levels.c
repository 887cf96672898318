/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * nth verify truncation: one member against the public functions, what its families are refused for, where its numbers
 * lie, the claims made about them, the presets. What the two checks share is tested in test_sweep.c and test_verify.c.
 */
#include "nth_test.h"
#include "alloc_priv.h"
#include "linalg_priv.h"
#include "nth/truncation.h"
#include "sweep_case.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

enum { N = 4, K = 2, ENTRIES = N * N + K * N + K * K };

static nth_blocks blocks_of(double *a)
{
    return (nth_blocks){ nth_mat_of(a, N, N), nth_mat_of(a + N * N, K, N), nth_mat_of(a + N * N + K * N, K, K) };
}

static nth_family level_family(int level, ptrdiff_t n_widths, ptrdiff_t least, ptrdiff_t seeds)
{
    nth_family f = sweep_family(n_widths, least, seeds);
    f.level = level;
    return f;
}

/* Sizes of K_t - K_t^(p) and f_t - f_t^(p) at both times, the truncation integrated in its other form. */
static void by_public_functions(const nth_family *f, uint64_t seed, double *want)
{
    const nth_data *data = sweep_data();
    const nth_cmat  X = nth_const(data->x), Z = nth_const(data->x_test);
    nth_net_config  cfg = f->shape;
    nth_net        *net = NULL;
    nth_flow       *flow = NULL;
    nth_truncation *tr = NULL;
    double          Kt[ENTRIES], ft[N + K], Kp[2][ENTRIES], fp[2 * (N + K)];
    for (int l = 1; l < cfg.layers; ++l) cfg.widths[l] = cfg.doubled ? f->widths[0] / 2 : f->widths[0];
    cfg.widths[0] = 3, cfg.widths[cfg.layers] = 1;
    if (!NTH_CHECK_OK(nth_net_create(&net, &cfg, true))) return;
    nth_net_init_gaussian(net, seed, 0);
    if (!NTH_CHECK_OK(nth_flow_create(&flow, net, X, Z, data->y.a, &f->flow)) ||
        !NTH_CHECK_OK(nth_truncation_create(&tr, net, X, Z, data->y.a, f->level, 0, 1.0)))
        return;
    for (int t = 0; t < 2; ++t) {
        nth_blocks now = blocks_of(Kt);
        NTH_CHECK_OK(nth_flow_advance(flow, f->times[t]));
        NTH_CHECK_OK(nth_flow_outputs(flow, ft));
        NTH_CHECK_OK(nth_ntk_flow(&now, flow));
        for (int p = 2; p <= f->level; ++p) {
            nth_blocks to[2] = { blocks_of(Kp[0]), blocks_of(Kp[1]) };
            NTH_CHECK_OK(nth_truncation_run(tr, p, NTH_TRUNCATION_TENSORS, 1e-13, 2, f->times, fp, to, NULL));
            for (int q = 0; q < 6; ++q) { /* kernel and output blocks */
                const int first[6] = { 0, N * N, N * N + K * N, 0, 0, N }, end[6] = { N * N, N * N + K * N, ENTRIES, N, N + K, N + K };
                double    most = 0.0, square = 0.0;
                for (int i = first[q]; i < end[q]; ++i) {
                    const double d = q < 3 ? Kt[i] - Kp[t][i] : ft[i] - fp[t * (N + K) + i];
                    most = nth_worst(most, fabs(d)), square += d * d;
                }
                const nth_quantity what = (nth_quantity)((q < 3 ? NTH_Q_KERNEL_2 : NTH_Q_OUTPUT_2) + p - 2);
                want[nth_norm_index(t, what, (nth_pairs)(q % 3), NTH_NORM_SUP)] = most;
                want[nth_norm_index(t, what, (nth_pairs)(q % 3), NTH_NORM_FROBENIUS)] = sqrt(square);
            }
        }
    }
    nth_truncation_destroy(&tr);
    nth_flow_destroy(&flow);
    nth_net_destroy(&net);
}

static void member_is_the_public_route(void)
{
    double worst = 0.0;
    for (int kind = 0; kind < 4; ++kind) {
        nth_family f = level_family(3 + kind, 1, 12, 1);
        double     got[512] = { 0 }, want[512];
        f.shape.activation = kind & 1 ? NTH_ACT_TANH : NTH_ACT_ERF, f.shape.doubled = kind & 2;
        nth_sweep *s = sweep_by_hand(&f, 1, 0);
        if (s == NULL) return;
        const nth_member_job job = { .data = sweep_data(), .family = &s->family[0], .limit = s->has_limit[0] ? &s->limit[0] : NULL,
                                     .width = 12, .seed = 91 + (uint64_t)kind };
        NTH_CHECK(nth_member_size(&f) == 2 * (12 * 6 + 2) + 4);
        NTH_CHECK_OK(nth_priv_member_run(&job, got));
        for (int i = 0; i < 512; ++i) want[i] = NAN; /* levels that are not made */
        by_public_functions(&f, job.seed, want);
        for (int t = 0; t < 2; ++t)
            for (ptrdiff_t i = nth_norm_index(t, NTH_Q_KERNEL_2, 0, 0); i <= nth_norm_index(t, NTH_Q_OUTPUT_6, NTH_PAIRS_TEST, 1); ++i) {
                NTH_CHECK(isnan(got[i]) == isnan(want[i]));
                if (!isnan(want[i])) worst = nth_worst(worst, fabs(got[i] - want[i]));
            }
        NTH_CHECK(isnan(got[nth_norm_index(0, NTH_Q_LEVELS_LIMIT_T, 0, 0)]) == (job.limit == NULL));
        NTH_CHECK(got[nth_extra_index(&f, NTH_X_KERNEL_MAX)] > 0.0 && got[nth_extra_index(&f, NTH_X_LAMBDA_MIN)] > 0.0);
        NTH_CHECK((got[nth_extra_index(&f, NTH_X_OUTPUT_MAX)] == 0.0) == f.shape.doubled);
        nth_sweep_destroy(&s);
    }
    printf("    worst difference %.1e\n", worst);
    NTH_CHECK_CLOSE(worst, 0.0, 0.0, 2e-12); /* flow and truncation at rtol 1e-12, kernels of order 1 */
}

/* Every number of a member has its own place. */
static void places(void)
{
    const nth_family f = level_family(5, 1, 8, 1);
    char             used[512] = { 0 };
    for (int t = 0; t < 2; ++t) {
        for (int q = NTH_Q_COUNT; q < NTH_Q_END; ++q)
            for (int pn = 0; pn < 6; ++pn) ++used[nth_norm_index(t, (nth_quantity)q, (nth_pairs)(pn / 2), (nth_norm)(pn % 2))];
        for (int d = 0; d < 2; ++d) ++used[nth_drift_index(&f, t, (nth_drift)d)];
    }
    for (int x = 0; x < NTH_X_COUNT; ++x) ++used[nth_extra_index(&f, (nth_extra)x)];
    for (ptrdiff_t i = 0; i < 512; ++i) NTH_CHECK(used[i] == (i < nth_member_size(&f)));
    NTH_CHECK(nth_main_kernel(&f) == NTH_Q_KERNEL_4 && nth_main_output(&f) == NTH_Q_OUTPUT_4);
    NTH_CHECK(strcmp(nth_quantity_name(NTH_Q_KERNEL_2), "kernel_2") == 0 && strcmp(nth_quantity_name(NTH_Q_OUTPUT_6), "output_6") == 0);
    NTH_CHECK(nth_quantity_name(NTH_Q_END) == NULL);
}

static void families_are_checked(void)
{
    const nth_sweep_options opt = { .seed = 1 };
    nth_sweep              *s = NULL;
    nth_rate                r;
    for (int level = -1; level <= 7; ++level) {
        const nth_family f = level_family(level, 3, 8, 2);
        const bool       good = level == 0 || (level >= 2 && level <= 6);
        NTH_CHECK_STATUS(nth_sweep_create(&s, sweep_data(), &f, 1, &opt), good ? NTH_OK : NTH_E_ARG);
        if (!good) NTH_CHECK_MESSAGE("truncation level");
        if (good && level > 0) NTH_CHECK_STATUS(nth_sweep_rate(s, 0, NTH_Q_ERROR, NTH_PAIRS_TRAIN, NTH_NORM_SUP, 0, &r), NTH_E_ARG);
        if (level == 0) NTH_CHECK_STATUS(nth_sweep_rate(s, 0, NTH_Q_KERNEL_4, NTH_PAIRS_TRAIN, NTH_NORM_SUP, 0, &r), NTH_E_ARG);
        nth_sweep_destroy(&s);
    }
    nth_family relu = level_family(3, 3, 8, 2);
    relu.shape.activation = NTH_ACT_RELU;
    NTH_CHECK_STATUS(nth_sweep_create(&s, sweep_data(), &relu, 1, &opt), NTH_E_ARG);
    NTH_CHECK_MESSAGE("relu lacks the derivatives");
    uint64_t hash[3];
    for (int i = 0; i < 3; ++i) { /* results of another level must not be mixed in */
        const nth_family f = level_family(i == 0 ? 0 : 3 + i, 3, 8, 2);
        NTH_CHECK_OK(nth_sweep_create(&s, sweep_data(), &f, 1, &opt));
        hash[i] = nth_sweep_hash(s);
        nth_sweep_destroy(&s);
    }
    NTH_CHECK(hash[0] != hash[1] && hash[1] != hash[2] && hash[0] != hash[2]);
}

static const nth_claim *find(const nth_claim *list, ptrdiff_t count, const char *name)
{
    for (ptrdiff_t i = 0; i < count; ++i)
        if (strcmp(list[i].name, name) == 0) return &list[i];
    return NULL;
}

/* Numbers of the predicted powers: every claim holds; one level off by a half: its claims fail, no others. */
static void claims_are_the_theory(void)
{
    static const nth_verdict_options strict = { .band = 0.1, .widest = 0.15, .growth = 2.0 };
    static const double              m_power[5] = { -1, -1, -2, -2, -3 };
    for (int wrong = 0; wrong <= 6; ++wrong)
        for (int doubled = 0; doubled < 2; ++doubled) {
            nth_family f = level_family(6, 5, 64, 24);
            nth_claim *list = NULL;
            ptrdiff_t  count = 0;
            long       fails = 0;
            f.shape.doubled = doubled;
            nth_sweep *s = sweep_by_hand(&f, 1, 100);
            if (s == NULL) return;
            sweep_put(s, 0, NTH_Q_LEVELS_LIMIT_T, 1.0, -0.5, 0.0, 0), sweep_put(s, 0, NTH_Q_LEVELS_LIMIT_0, 1.0, -0.5, 0.0, 0);
            for (int p = 2; p <= 6; ++p)
                for (int what = 0; what < 2; ++what)
                    sweep_put(s, 0, (nth_quantity)((what ? NTH_Q_OUTPUT_2 : NTH_Q_KERNEL_2) + p - 2), 1.0, m_power[p - 2] + (p == wrong ? 0.5 : 0.0),
                              0.02, (uint32_t)p);
            NTH_CHECK_OK(nth_sweep_claims(s, &strict, &list, &count));
            NTH_CHECK(count == 15);
            for (ptrdiff_t i = 0; i < count; ++i) fails += list[i].verdict == NTH_FAILS && strcmp(list[i].kind, "report") != 0;
            NTH_CHECK(fails == (wrong == 2 || wrong == 4 || wrong == 6 ? 3 : wrong == 3));
            const nth_claim *theorem = find(list, count, "level 4: f_t - f_t^(4), training");
            if (NTH_CHECK(theorem != NULL)) NTH_CHECK(strcmp(theorem->kind, "theorem") == 0 && theorem->predicted == -2.0);
            nth_claims_free(&list);
            nth_sweep_destroy(&s);
        }
}

/* In t: p - 1 for the kernel, p for the outputs, one more for equal copies and even p; only the family's own level. */
static void claims_in_time(void)
{
    static const nth_verdict_options strict = { .band = 0.1, .widest = 0.15, .growth = 2.0 };
    for (int level = 2; level <= 6; ++level)
        for (int doubled = 0; doubled < 2; ++doubled) {
            nth_family f = level_family(level, 1, 16, 8);
            nth_claim *list = NULL;
            ptrdiff_t  count = 0;
            const int  power = level - 1 + (doubled && level % 2 == 0);
            f.shape.doubled = doubled, f.small_time = true, f.n_times = 3;
            memcpy(f.times, (double[]){ 0.1, 0.2, 0.4 }, 3 * sizeof(double));
            nth_sweep *s = sweep_by_hand(&f, 1, 100);
            if (s == NULL) return;
            sweep_put(s, 0, (nth_quantity)(NTH_Q_KERNEL_2 + level - 2), 1.0, power, 0.0, 0);
            sweep_put(s, 0, (nth_quantity)(NTH_Q_OUTPUT_2 + level - 2), 1.0, power + 1, 0.0, 0);
            NTH_CHECK_OK(nth_sweep_claims(s, &strict, &list, &count));
            NTH_CHECK(count == 2);
            for (ptrdiff_t i = 0; i < count; ++i) NTH_CHECK(list[i].verdict == NTH_HOLDS && list[i].predicted == power + i);
            nth_claims_free(&list);
            nth_sweep_destroy(&s);
        }
}

/* The constant of E42 by hand: errors c times the bound give c at every width and time, and growth 1. */
static void constant_of_the_bound(void)
{
    nth_family        f = level_family(5, 4, 64, 3);
    nth_preconditions pre;
    nth_sweep        *s = sweep_by_hand(&f, 1, 0);
    if (s == NULL) return;
    for (ptrdiff_t w = 0; w < 4; ++w)
        for (ptrdiff_t k = 0; k < 3; ++k)
            for (int t = 0; t < 2; ++t) {
                const double m = (double)f.widths[w], at = f.times[t], b = (1 + at) * at * at * at * sqrt(N) / (m * m) * fmin(at, N / 0.5);
                sweep_member(s, 0, w, k)[nth_norm_index(t, NTH_Q_OUTPUT_4, NTH_PAIRS_TRAIN, NTH_NORM_FROBENIUS)] = 0.3 * b;
            }
    NTH_CHECK_OK(nth_sweep_preconditions(s, 0, &pre));
    NTH_CHECK_CLOSE(pre.constant, 0.3, 1e-14, 0.0);
    NTH_CHECK_CLOSE(pre.constant_growth, 1.0, 1e-14, 0.0);
    nth_sweep_destroy(&s);
}

static void presets(void)
{
    static const char *const names[] = { "quick", "standard", "full" };
    static nth_family        f[NTH_SWEEP_MAX_FAMILIES];
    const nth_sweep_options  opt = { .seed = 1 };
    nth_preset_choice        c = { .check = "truncation", .gaussian = true, .antisymmetric = true, .sigma_w = 1, .rtol = 1e-12 };
    nth_verdict_options      v;
    ptrdiff_t                count = 0;
    for (int p = 0; p < 3; ++p) {
        nth_sweep *s = NULL;
        int        top = 0, small[7] = { 0 };
        c.preset = names[p];
        NTH_CHECK_OK(nth_verify_preset(&c, f, &count, &v));
        NTH_CHECK(v.band > 0.0 && v.widest > 0.0 && v.band + v.widest < 0.5 && v.growth > 1.0);
        NTH_CHECK_OK(nth_sweep_create(&s, sweep_data(), f, count, &opt));
        nth_sweep_destroy(&s);
        for (ptrdiff_t i = 0; i < count; ++i) {
            char mine[96], other[96];
            NTH_CHECK(f[i].level >= 2 && f[i].level <= 6 && (f[i].small_time || f[i].n_widths >= 4));
            if (f[i].small_time) ++small[f[i].level];
            else top = f[i].level > top ? f[i].level : top;
            nth_priv_family_path(&f[i], mine, sizeof mine);
            for (ptrdiff_t j = 0; j < i; ++j) {
                nth_priv_family_path(&f[j], other, sizeof other);
                NTH_CHECK(strcmp(mine, other) != 0);
            }
        }
        NTH_CHECK(top == (p == 2 ? 6 : 5));
        for (int level = 2; level <= top; ++level) NTH_CHECK(small[level] == 4);
    }
    c.check = "truncations";
    NTH_CHECK_STATUS(nth_verify_preset(&c, f, &count, &v), NTH_E_ARG);
    NTH_CHECK_MESSAGE("check \"truncations\"");
}

static nth_status run_small(void)
{
    nth_family           f = level_family(2, 1, 8, 1);
    double               out[256];
    const nth_member_job job = { .data = sweep_data(), .family = &f, .width = 8, .seed = 3 };
    f.n_times = 1, f.flow.rtol = 1e-3, f.shape.widths[0] = 3;
    return nth_priv_member_run(&job, out);
}
static void survives_failing_allocations(void) { nth_test_every_allocation_fails(run_small); }

int main(void)
{
    return nth_test_main("levels", (nth_test_case[]){ { "member_is_the_public_route", member_is_the_public_route },
                                                      { "places", places },
                                                      { "families_are_checked", families_are_checked },
                                                      { "claims_are_the_theory", claims_are_the_theory },
                                                      { "claims_in_time", claims_in_time },
                                                      { "constant_of_the_bound", constant_of_the_bound },
                                                      { "presets", presets },
                                                      { "survives_failing_allocations", survives_failing_allocations },
                                                      { 0 } });
}
