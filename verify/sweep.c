/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * A sweep over families, widths and seeds: set-up, running the members one to a thread, keeping
 * them in a file. Products inside a member are serial here; every member is computed the same way
 * wherever it runs.
 */
#include "sweep_priv.h"
#include "alloc_priv.h"
#include "fail_priv.h"
#include "linalg_priv.h"
#include "nth/hier.h"
#include "nth/rng.h"
#include "par_priv.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

const char *nth_quantity_name(nth_quantity q)
{
    static const char *const names[NTH_Q_END] = { "K_t-EK_0", "K_0-EK_0", "K_t-K_0",  "K3_term", "K4_term",  "no_K3",
                                                  "no_K4",    "E",        "K_t-EK_0", "K_0-EK_0", "kernel_2", "kernel_3",
                                                  "kernel_4", "kernel_5", "kernel_6", "output_2", "output_3", "output_4",
                                                  "output_5", "output_6" };
    return (unsigned)q < NTH_Q_END ? names[q] : NULL;
}

void nth_family_label(const nth_family *f, char *out, size_t size)
{
    snprintf(out, size, "%s L=%d %s%s", nth_activation_name(f->shape.activation), f->shape.layers,
             f->shape.doubled ? "antisymmetric" : "Gaussian",
             f->small_time ? " small t" : f->level == NTH_HIER_MAX_ORDER ? " to level 6" : "");
}

void nth_priv_family_path(const nth_family *f, char *out, size_t size)
{
    char level[24] = "";
    if ((f->small_time && f->level > 0) || f->level == NTH_HIER_MAX_ORDER) snprintf(level, sizeof level, "_level_%d", f->level);
    snprintf(out, size, "%s_L%d_%s%s%s", nth_activation_name(f->shape.activation), f->shape.layers,
             f->shape.doubled ? "antisymmetric" : "gaussian", f->small_time ? "_small_t" : "", level);
}

static nth_status check_family(const nth_family *f, ptrdiff_t number)
{
    nth_status st = NTH_OK;
    NTH_REQUIRE(f->shape.layers >= 2 && f->shape.layers <= NTH_MAX_LAYERS, NTH_E_ARG, "%d weight layers; expected 2 to %d",
                f->shape.layers, NTH_MAX_LAYERS);
    NTH_REQUIRE(f->n_widths >= 1 && f->n_widths <= NTH_FAMILY_MAX_WIDTHS, NTH_E_ARG, "%td widths; expected 1 to %d",
                f->n_widths, NTH_FAMILY_MAX_WIDTHS);
    NTH_REQUIRE(f->seeds >= 1 && f->seeds <= 1000000, NTH_E_ARG, "%td seeds; expected 1 to 1000000", f->seeds);
    NTH_REQUIRE(f->n_times >= 1 && f->n_times <= NTH_FAMILY_MAX_TIMES, NTH_E_ARG, "%td times; expected 1 to %d", f->n_times,
                NTH_FAMILY_MAX_TIMES);
    for (ptrdiff_t w = 0; w < f->n_widths; ++w) {
        NTH_REQUIRE(f->widths[w] >= 1 && (w == 0 || f->widths[w] > f->widths[w - 1]), NTH_E_ARG,
                    "width %td; widths must be positive and ascending", f->widths[w]);
        NTH_REQUIRE(!f->shape.doubled || f->widths[w] % 2 == 0, NTH_E_ARG,
                    "width %td; an antisymmetric net has two copies of half the width, so it must be even", f->widths[w]);
    }
    for (ptrdiff_t t = 0; t < f->n_times; ++t)
        NTH_REQUIRE(isfinite(f->times[t]) && f->times[t] > (t == 0 ? 0.0 : f->times[t - 1]), NTH_E_ARG,
                    "time %g; times must be positive, finite and ascending", f->times[t]);
    NTH_REQUIRE(f->level == 0 || (f->level >= 2 && f->level <= NTH_HIER_MAX_ORDER), NTH_E_ARG, "truncation level %d; expected 2 to %d",
                f->level, NTH_HIER_MAX_ORDER);
    NTH_REQUIRE(f->level <= 2 || nth_activation_is_smooth(f->shape.activation), NTH_E_ARG,
                "%s lacks the derivatives of a hierarchy truncated at level %d", nth_activation_name(f->shape.activation), f->level);
    const nth_net_config cfg = nth_priv_member_config(f, f->widths[0]);
    NTH_TRY(nth_net_config_check(&cfg));
done:
    if (st != NTH_OK) nth_priv_error_prefix("family %td", number + 1);
    return st;
}

static const double LIMIT_TOLERANCE = 1e-10; /* the differences measured are above 1e-4 */

static nth_status limit_kernel(nth_sweep *s, ptrdiff_t f)
{
    nth_status      st = NTH_OK;
    const ptrdiff_t n = s->data->x.rows, k = s->data->x_test.rows;
    const nth_net_config cfg = nth_priv_member_config(&s->family[f], s->family[f].widths[0]);
    nth_infinite   *kernel = NULL;
    nth_fc_config   fc;
    NTH_TRY(nth_fc_config_of(&fc, &cfg));
    fc.tolerance = LIMIT_TOLERANCE;
    st = nth_infinite_create_fc(&kernel, &fc, nth_const(s->data->x), nth_const(s->data->x_test));
    if (st == NTH_E_NUMERIC && !nth_dual_has_closed_form(&fc.activation))
        return NTH_OK; /* variances beyond the series: measured without this limit */
    NTH_TRY(st);
    NTH_TRY(nth_priv_mat(&s->limit[f].train, n, n, "infinite-width kernel"));
    if (k > 0) {
        NTH_TRY(nth_priv_mat(&s->limit[f].test, k, n, "infinite-width kernel"));
        NTH_TRY(nth_priv_mat(&s->limit[f].test_test, k, k, "infinite-width kernel"));
    }
    NTH_TRY(nth_infinite_fill(&s->limit[f], NULL, kernel, NULL, NULL));
    s->has_limit[f] = true;
done:
    nth_infinite_destroy(&kernel);
    return st;
}

nth_status nth_sweep_create(nth_sweep **out, const nth_data *data, const nth_family *families, ptrdiff_t n_families,
                            const nth_sweep_options *opt)
{
    nth_status st = NTH_OK;
    nth_sweep *s = NULL;
    *out = NULL;
    NTH_REQUIRE(n_families >= 1 && n_families <= NTH_SWEEP_MAX_FAMILIES, NTH_E_ARG, "%td families; expected 1 to %d",
                n_families, NTH_SWEEP_MAX_FAMILIES);
    NTH_REQUIRE(data->y.cols == 1, NTH_E_ARG, "targets have %td columns; the check takes one output (two classes)",
                data->y.cols);
    NTH_TRY(nth_priv_alloc(&s, 1, sizeof *s, "sweep"));
    s->data = data, s->opt = *opt, s->n_families = n_families;
    NTH_TRY(nth_priv_alloc(&s->family, n_families, sizeof *s->family, "sweep"));
    for (ptrdiff_t f = 0; f < n_families; ++f) {
        s->family[f] = families[f];
        s->family[f].flow.interrupted = opt->interrupted, s->family[f].flow.ctx = opt->ctx;
        s->family[f].shape.widths[0] = data->x.cols;
        NTH_TRY(check_family(&s->family[f], f));
        const ptrdiff_t members = s->family[f].n_widths * s->family[f].seeds;
        NTH_TRY(nth_priv_doubles(&s->values[f], members * nth_member_size(&s->family[f]), "results"));
        NTH_TRY(nth_priv_alloc(&s->state[f], members, 1, "results"));
        NTH_TRY(limit_kernel(s, f));
    }
    *out = s, s = NULL;
done:
    nth_sweep_destroy(&s);
    return st;
}

void nth_sweep_destroy(nth_sweep **sweep)
{
    nth_sweep *s = *sweep;
    if (s == NULL) return;
    for (ptrdiff_t f = 0; f < s->n_families; ++f) {
        nth_priv_free(s->values[f]);
        nth_priv_free(s->state[f]);
        nth_priv_free(s->limit[f].train.a);
        nth_priv_free(s->limit[f].test.a);
        nth_priv_free(s->limit[f].test_test.a);
    }
    nth_priv_free(s->family);
    nth_priv_free(s);
    *sweep = NULL;
}

ptrdiff_t nth_sweep_members(const nth_sweep *s)
{
    ptrdiff_t total = 0;
    for (ptrdiff_t f = 0; f < s->n_families; ++f) total += s->family[f].n_widths * s->family[f].seeds;
    return total;
}

ptrdiff_t nth_sweep_done(const nth_sweep *s)
{
    ptrdiff_t total = 0;
    for (ptrdiff_t f = 0; f < s->n_families; ++f)
        for (ptrdiff_t i = 0; i < s->family[f].n_widths * s->family[f].seeds; ++i) total += s->state[f][i] != NTH_MEMBER_OPEN;
    return total;
}

/* FNV-1a, eight bytes of a value at a time. */
static uint64_t mix(uint64_t h, uint64_t v)
{
    for (int k = 0; k < 8; ++k) h = (h ^ (v >> (8 * k) & 255u)) * 1099511628211u;
    return h;
}

static uint64_t mix_double(uint64_t h, double x)
{
    uint64_t v;
    memcpy(&v, &x, sizeof v);
    return mix(h, v);
}

uint64_t nth_sweep_hash(const nth_sweep *s)
{
    uint64_t h = mix(mix(14695981039346656037u, nth_data_checksum(s->data)), s->opt.seed);
    for (ptrdiff_t i = 0; i < s->n_families; ++i) {
        const nth_family     *f = &s->family[i];
        const nth_net_config *c = &f->shape;
        h = mix(mix(mix(h, (uint64_t)c->activation), (uint64_t)c->layers), (uint64_t)c->input_scale);
        h = mix(mix(mix(h, (uint64_t)c->doubled), (uint64_t)f->small_time), (uint64_t)f->seeds);
        h = mix_double(mix_double(mix_double(h, c->sigma_w), c->sigma_b), f->flow.rtol);
        h = mix(mix(h, (uint64_t)f->flow.stepper), (uint64_t)f->flow.fixed_steps);
        if (f->level > 0) h = mix(h, (uint64_t)f->level);
        for (ptrdiff_t w = 0; w < f->n_widths; ++w) h = mix(h, (uint64_t)f->widths[w]);
        for (ptrdiff_t t = 0; t < f->n_times; ++t) h = mix_double(h, f->times[t]);
    }
    return h;
}

double nth_sweep_member_bytes(const nth_sweep *s)
{
    double most = 0.0;
    for (ptrdiff_t f = 0; f < s->n_families; ++f)
        most = fmax(most, nth_priv_member_bytes(s->data, &s->family[f], s->family[f].widths[s->family[f].n_widths - 1]));
    return most;
}

/* The seed of a member: a function of the master seed and of what the member is, not of its place
 * in a list, so that a longer sweep contains a shorter one. */
static uint64_t member_seed(const nth_sweep *s, const nth_family *f, ptrdiff_t width, ptrdiff_t seed)
{
    const uint32_t kind = (uint32_t)f->shape.activation | (uint32_t)f->shape.layers << 8 |
                          (uint32_t)f->shape.doubled << 16 | (uint32_t)f->small_time << 17;
    return nth_seed_derive(nth_seed_derive(s->opt.seed, kind, (uint32_t)width), (uint32_t)seed, 0);
}

typedef struct place {
    ptrdiff_t f, w, seed;
} place;

static nth_status run_one(nth_sweep *s, place at)
{
    const nth_family    *f = &s->family[at.f];
    const nth_member_job job = { .data = s->data,
                                 .family = f,
                                 .limit = s->has_limit[at.f] ? &s->limit[at.f] : NULL,
                                 .width = f->widths[at.w],
                                 .seed = member_seed(s, f, f->widths[at.w], at.seed) };
    double *out = s->values[at.f] + (at.w * f->seeds + at.seed) * nth_member_size(f);
    const nth_status st = nth_priv_member_run(&job, out);
    if (st != NTH_OK) {
        char label[96];
        nth_family_label(f, label, sizeof label);
        nth_priv_error_prefix("%s, width %td, seed %td", label, f->widths[at.w], at.seed + 1);
    }
    return st;
}

nth_status nth_sweep_integrator_change(const nth_sweep *s, ptrdiff_t family, double *change)
{
    nth_status      st = NTH_OK;
    double         *v[2] = { NULL, NULL };
    const nth_pairs pairs = s->data->x_test.rows > 0 ? NTH_PAIRS_TEST_TRAIN : NTH_PAIRS_TRAIN;
    NTH_REQUIRE(family >= 0 && family < s->n_families, NTH_E_ARG, "family %td: no such family", family);
    nth_family      f = s->family[family];
    const ptrdiff_t width = f.widths[f.n_widths - 1];
    const uint64_t  seed = member_seed(s, &f, width, 0);
    *change = 0.0;
    for (int k = 0; k < 2; ++k) {
        const nth_member_job job = { .data = s->data, .family = &f, .width = width, .seed = seed };
        NTH_TRY(nth_priv_doubles(&v[k], nth_member_size(&f), "results"));
        NTH_TRY(nth_priv_member_run(&job, v[k]));
        if (f.flow.fixed_steps > 0) f.flow.fixed_steps *= 2;
        else f.flow.rtol = fmax(0.1 * f.flow.rtol, 1e-14);
    }
    for (ptrdiff_t t = 0; t < f.n_times; ++t) {
        const ptrdiff_t i = nth_norm_index(t, nth_main_kernel(&f), pairs, NTH_NORM_SUP);
        const double    c = fabs(v[0][i] - v[1][i]) / v[0][i];
        if (!islessequal(v[0][i], nth_priv_floor * v[0][nth_extra_index(&f, NTH_X_KERNEL_MAX)])) *change = nth_keep_max(*change, c);
    }
done:
    nth_priv_free(v[0]);
    nth_priv_free(v[1]);
    return st;
}

/* Members still open, seed by seed and the widest first: an interrupted sweep is balanced. */
static ptrdiff_t open_members(const nth_sweep *s, place *list)
{
    ptrdiff_t count = 0, seeds = 0;
    for (ptrdiff_t f = 0; f < s->n_families; ++f) seeds = s->family[f].seeds > seeds ? s->family[f].seeds : seeds;
    for (ptrdiff_t seed = 0; seed < seeds; ++seed)
        for (ptrdiff_t f = 0; f < s->n_families; ++f)
            for (ptrdiff_t w = s->family[f].n_widths - 1; w >= 0 && seed < s->family[f].seeds; --w)
                if (s->state[f][w * s->family[f].seeds + seed] == NTH_MEMBER_OPEN)
                    list[count++] = (place){ f, w, seed };
    return count;
}

nth_status nth_sweep_run(nth_sweep *s)
{
    nth_status st = NTH_OK;
    place     *list = NULL;
    ptrdiff_t  count;
    int        stop = 0;
    char       message[512] = "";
    const double bytes = nth_sweep_member_bytes(s);
    int          workers = nth_priv_threads();
    NTH_TRY(nth_priv_mem_check(bytes, "the widest network of the sweep"));
    while (workers > 1 && nth_priv_mem_check(bytes * workers, "the sweep") != NTH_OK) --workers;
    NTH_TRY(nth_priv_alloc(&list, nth_sweep_members(s), sizeof *list, "list of members"));
    count = open_members(s, list);
#pragma omp parallel for schedule(dynamic, 1) num_threads(workers)
    for (ptrdiff_t i = 0; i < count; ++i) {
        int halt;
#pragma omp atomic read
        halt = stop;
        if (halt) continue;
        nth_status one = s->opt.interrupted != NULL && s->opt.interrupted(s->opt.ctx)
                             ? nth_raise(NTH_E_INTERRUPTED, __FILE__, __LINE__, __func__, "interrupted")
                             : run_one(s, list[i]);
#pragma omp critical
        {
            if (one == NTH_OK) {
                s->state[list[i].f][list[i].w * s->family[list[i].f].seeds + list[i].seed] = NTH_MEMBER_DONE;
                if (s->opt.finished != NULL) one = s->opt.finished(list[i].f, list[i].w, list[i].seed, s->opt.ctx);
            }
            if (one != NTH_OK && st == NTH_OK) {
                st = one;
                snprintf(message, sizeof message, "%s", nth_last_error().message); /* records are per thread */
            }
            if (one != NTH_OK) {
#pragma omp atomic write
                stop = 1;
            }
        }
    }
    if (st != NTH_OK) NTH_FAIL(st, "%s", message);
done:
    nth_priv_free(list);
    return st;
}

/* "/members/tanh_L2_antisymmetric/m256/s1" */
static void member_name(const nth_family *f, ptrdiff_t w, ptrdiff_t seed, char *out, size_t size)
{
    char path[96];
    nth_priv_family_path(f, path, sizeof path);
    snprintf(out, size, "/members/%s/m%td/s%td", path, f->widths[w], seed + 1);
}

nth_status nth_sweep_write_members(nth_sweep *s, nth_file *file)
{
    nth_status st = NTH_OK;
    char       name[160];
    for (ptrdiff_t f = 0; f < s->n_families; ++f) {
        const nth_family *fam = &s->family[f];
        const ptrdiff_t   size = nth_member_size(fam);
        for (ptrdiff_t i = 0; i < fam->n_widths * fam->seeds; ++i) {
            if (s->state[f][i] != NTH_MEMBER_DONE) continue;
            member_name(fam, i / fam->seeds, i % fam->seeds, name, sizeof name);
            NTH_TRY(nth_file_write(file, name, s->values[f] + i * size, 1, &size));
            s->state[f][i] = NTH_MEMBER_WRITTEN;
        }
    }
done:
    return st;
}

nth_status nth_sweep_read_members(nth_sweep *s, nth_file *file)
{
    nth_status st = NTH_OK;
    char       name[160];
    for (ptrdiff_t f = 0; f < s->n_families; ++f) {
        const nth_family *fam = &s->family[f];
        const ptrdiff_t   size = nth_member_size(fam);
        for (ptrdiff_t i = 0; i < fam->n_widths * fam->seeds; ++i) {
            member_name(fam, i / fam->seeds, i % fam->seeds, name, sizeof name);
            if (!nth_file_has(file, name)) continue;
            NTH_TRY(nth_file_read_any(file, name, s->values[f] + i * size, size));
            s->state[f][i] = NTH_MEMBER_WRITTEN;
        }
    }
done:
    return st;
}
