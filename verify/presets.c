/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * The presets of `nth verify theorem-2.1` and `nth verify truncation`: which networks, and the bands the verdict is taken by.
 * They are fixed here, before any run; docs/verify.md gives the reasons. Widths of a preset run from
 * `lo` to `hi` by a constant factor.
 */
#include "nth/verify.h"
#include "nth/hier.h"
#include "fail_priv.h"

#include <math.h>
#include <string.h>

enum { TANH = 1 << NTH_ACT_TANH, ERF = 1 << NTH_ACT_ERF, SOFTPLUS = 1 << NTH_ACT_SOFTPLUS, RELU = 1 << NTH_ACT_RELU };
enum { SMALL_WIDTH = 16, RELU_STEPS = 20 };

typedef struct row {
    int       depth;
    bool      doubled, small_time;
    unsigned  activations;
    ptrdiff_t lo, hi, factor, seeds;
    int       level; /* of the truncation; 0: Theorem 2.1 */
} row;

/* depth, doubled, small time, activations, first and last width, factor, seeds, level */
static const row quick[] = { { 2, true, false, TANH | ERF | SOFTPLUS, 256, 4096, 2, 24, 0 },
                             { 2, false, false, TANH | ERF, 256, 16384, 2, 32, 0 }, /* softplus: too noisy for few seeds */
                             { 3, true, false, TANH, 64, 512, 2, 24, 0 },
                             { 2, false, false, RELU, 256, 16384, 4, 64, 0 },
                             { 2, true, true, TANH | ERF | SOFTPLUS, SMALL_WIDTH, SMALL_WIDTH, 2, 24, 0 },
                             { 2, false, true, TANH | ERF | SOFTPLUS, SMALL_WIDTH, SMALL_WIDTH, 2, 24, 0 } };
static const row standard[] = { { 2, true, false, TANH | ERF, 256, 32768, 2, 128, 0 },
                                { 2, false, false, TANH | ERF, 256, 32768, 2, 128, 0 },
                                { 3, true, false, TANH | ERF, 64, 2048, 2, 32, 0 },
                                { 3, false, false, TANH | ERF, 64, 2048, 2, 64, 0 }, /* 32 leave intervals of +-0.16 */
                                { 2, false, false, RELU, 256, 65536, 4, 128, 0 },
                                { 2, true, true, TANH | ERF, SMALL_WIDTH, SMALL_WIDTH, 2, 128, 0 },
                                { 2, false, true, TANH | ERF, SMALL_WIDTH, SMALL_WIDTH, 2, 128, 0 } };
static const row full[] = { { 2, true, false, TANH | ERF | SOFTPLUS, 256, 131072, 2, 256, 0 },
                            { 2, false, false, TANH | ERF | SOFTPLUS, 256, 131072, 2, 256, 0 },
                            { 3, true, false, TANH | ERF | SOFTPLUS, 64, 8192, 2, 64, 0 },
                            { 3, false, false, TANH | ERF | SOFTPLUS, 64, 8192, 2, 64, 0 },
                            { 2, false, false, RELU, 256, 65536, 4, 256, 0 },
                            { 2, true, true, TANH | ERF | SOFTPLUS, SMALL_WIDTH, SMALL_WIDTH, 2, 256, 0 },
                            { 2, false, true, TANH | ERF | SOFTPLUS, SMALL_WIDTH, SMALL_WIDTH, 2, 256, 0 } };

/* Small times: one family for each level, which alone is run there. */
#define SMALL(level, seeds) NARROW(SMALL_WIDTH, level, seeds)
#define NARROW(m, level, seeds) { 2, true, true, TANH | ERF, m, m, 2, seeds, level }, { 2, false, true, TANH | ERF, m, m, 2, seeds, level }
static const row quick_levels[] = { { 2, true, false, TANH | ERF, 64, 512, 2, 24, 5 },
                                    { 2, false, false, TANH | ERF, 64, 2048, 2, 48, 5 },
                                    SMALL(2, 16), SMALL(3, 16), SMALL(4, 16), SMALL(5, 16) };
static const row standard_levels[] = { { 2, true, false, TANH | ERF, 128, 4096, 2, 128, 5 },
                                       { 2, false, false, TANH | ERF, 128, 8192, 2, 128, 5 },
                                       SMALL(2, 64), SMALL(3, 64), SMALL(4, 64), SMALL(5, 64) };
/* Level 6 has widths and times of its own: it leaves so little that wider nets and t = 0.25 drown in rounding. */
static const row full_levels[] = { { 2, true, false, TANH | ERF, 128, 8192, 2, 256, 5 },
                                   { 2, false, false, TANH | ERF, 128, 16384, 2, 256, 5 },
                                   { 2, true, false, TANH | ERF, 64, 512, 2, 256, 6 },
                                   { 2, false, false, TANH | ERF, 64, 1024, 2, 256, 6 },
                                   { 3, true, false, TANH, 64, 1024, 2, 64, 5 },
                                   { 3, false, false, TANH, 64, 1024, 2, 64, 5 },
                                   SMALL(2, 128), SMALL(3, 128), SMALL(4, 128), SMALL(5, 128), NARROW(4, 6, 128) };
#undef SMALL
#undef NARROW

static const struct preset {
    const char         *check, *name;
    const row          *rows;
    ptrdiff_t           count;
    nth_verdict_options verdict;
} presets[] = {
    /* Exponents that compete differ by 1/2: a band and half an interval together stay below it. */
    { "theorem-2.1", "quick", quick, sizeof quick / sizeof *quick, { .band = 0.2, .widest = 0.29, .growth = 4.0 } },
    { "theorem-2.1", "standard", standard, sizeof standard / sizeof *standard, { .band = 0.1, .widest = 0.15, .growth = 2.0 } },
    { "theorem-2.1", "full", full, sizeof full / sizeof *full, { .band = 0.1, .widest = 0.15, .growth = 2.0 } },
    { "truncation", "quick", quick_levels, sizeof quick_levels / sizeof *quick_levels, { .band = 0.2, .widest = 0.29, .growth = 4.0 } },
    { "truncation", "standard", standard_levels, sizeof standard_levels / sizeof *standard_levels,
      { .band = 0.1, .widest = 0.15, .growth = 2.0 } },
    { "truncation", "full", full_levels, sizeof full_levels / sizeof *full_levels, { .band = 0.1, .widest = 0.15, .growth = 2.0 } },
};

static const double times[] = { 0.25, 1.0, 4.0 };
static const double late_times[] = { 1.0, 4.0 }; /* relu: earlier too few neurons have crossed their kink; level 6: rounding */
static const double small_times[] = { 0.02, 0.04, 0.08, 0.16 };
/* First of four small times of each level: late enough to be seen above rounding, early enough for the leading power. */
static const double small_start[NTH_HIER_MAX_ORDER + 1] = { 0, 0, 0.02, 0.02, 0.02, 0.04, 0.16 };

static nth_status set_times(nth_family *f, const nth_preset_choice *c)
{
    nth_status    st = NTH_OK;
    const bool    late = f->shape.activation == NTH_ACT_RELU || f->level == NTH_HIER_MAX_ORDER;
    const double *from = f->small_time ? small_times : c->n_times > 0 ? c->times : late ? late_times : times;
    f->n_times = f->small_time ? 4 : c->n_times > 0 ? c->n_times : late ? 2 : 3;
    NTH_REQUIRE(f->n_times <= NTH_FAMILY_MAX_TIMES, NTH_E_ARG, "%td times; expected at most %d", f->n_times,
                NTH_FAMILY_MAX_TIMES);
    memcpy(f->times, from, (size_t)f->n_times * sizeof(double));
    for (ptrdiff_t t = 0; f->small_time && f->level > 0 && t < f->n_times; ++t) /* level 6 has less room above rounding */
        f->times[t] = small_start[f->level] * pow(f->level == NTH_HIER_MAX_ORDER ? 1.5 : 2.0, (double)t);
done:
    return st;
}

static nth_status set_widths(nth_family *f, const row *r, const nth_preset_choice *c)
{
    nth_status st = NTH_OK;
    const bool own = c->n_widths > 0 && !f->small_time;
    NTH_REQUIRE(!own || c->n_widths <= NTH_FAMILY_MAX_WIDTHS, NTH_E_ARG, "%td widths; expected at most %d", c->n_widths,
                NTH_FAMILY_MAX_WIDTHS);
    for (ptrdiff_t w = 0; own && w < c->n_widths; ++w) f->widths[f->n_widths++] = (ptrdiff_t)c->widths[w];
    for (ptrdiff_t m = r->lo; !own && m <= r->hi; m *= r->factor) f->widths[f->n_widths++] = m;
done:
    return st;
}

static nth_status add_family(const row *r, int depth, nth_activation act, const nth_preset_choice *c, nth_family *families,
                             ptrdiff_t *count)
{
    nth_status st = NTH_OK;
    NTH_REQUIRE(*count < NTH_SWEEP_MAX_FAMILIES, NTH_E_ARG, "more than %d families; choose fewer activations or depths",
                NTH_SWEEP_MAX_FAMILIES);
    nth_family *f = &families[*count];
    *f = (nth_family){ .shape = { .activation = act, .layers = depth, .sigma_w = c->sigma_w, .sigma_b = c->sigma_b,
                                  .input_scale = c->input_scale, .doubled = r->doubled },
                       .seeds = c->seeds > 0 ? c->seeds : r->seeds,
                       .flow = { .stepper = c->stepper, .rtol = c->rtol },
                       .small_time = r->small_time,
                       .level = r->level };
    if (!nth_activation_is_smooth(act)) f->flow.stepper = NTH_STEPPER_RKCK, f->flow.fixed_steps = RELU_STEPS;
    NTH_TRY(set_times(f, c));
    NTH_TRY(set_widths(f, r, c));
    ++*count;
done:
    return st;
}

/* The activations of a row: its own, or those chosen (kinked ones only in a row of kinked ones). */
static nth_status add_row(const row *r, int depth, const nth_preset_choice *c, nth_family *families, ptrdiff_t *count)
{
    nth_status st = NTH_OK;
    const bool kinked = r->activations == RELU;
    for (int a = 0; a < NTH_ACT_COUNT; ++a) {
        bool wanted = c->n_activations == 0 && (r->activations >> a & 1u);
        for (ptrdiff_t k = 0; k < c->n_activations; ++k)
            wanted = wanted || ((int)c->activations[k] == a && nth_activation_is_smooth((nth_activation)a) == !kinked);
        if (wanted) NTH_TRY(add_family(r, depth, (nth_activation)a, c, families, count));
    }
done:
    return st;
}

/* Depths of a row: its own if wanted; a row of depth 3 also stands for deeper nets. */
static nth_status add_depths(const row *r, const nth_preset_choice *c, nth_family *families, ptrdiff_t *count)
{
    nth_status st = NTH_OK;
    if (c->n_depths == 0) return add_row(r, r->depth, c, families, count);
    for (ptrdiff_t k = 0; k < c->n_depths; ++k)
        for (ptrdiff_t j = 0; j < k; ++j)
            NTH_REQUIRE(c->depths[j] != c->depths[k], NTH_E_ARG, "depth %lld is given twice", (long long)c->depths[k]);
    for (ptrdiff_t k = 0; k < c->n_depths; ++k)
        if (c->depths[k] == r->depth || (r->depth == 3 && c->depths[k] > 3))
            NTH_TRY(add_row(r, (int)c->depths[k], c, families, count));
done:
    return st;
}

nth_status nth_verify_preset(const nth_preset_choice *c, nth_family *families, ptrdiff_t *count, nth_verdict_options *verdict)
{
    nth_status           st = NTH_OK;
    const struct preset *p = NULL;
    const char          *check = c->check != NULL ? c->check : "theorem-2.1";
    bool                 known = false;
    *count = 0;
    for (size_t i = 0; i < sizeof presets / sizeof *presets; ++i) {
        const bool asked = strcmp(presets[i].check, check) == 0;
        if (asked && strcmp(presets[i].name, c->preset) == 0) p = &presets[i];
        known = known || asked;
    }
    NTH_REQUIRE(known, NTH_E_ARG, "check \"%s\"; expected theorem-2.1 or truncation", check);
    NTH_REQUIRE(p != NULL, NTH_E_ARG, "preset \"%s\"; expected quick, standard or full", c->preset);
    for (ptrdiff_t r = 0; r < p->count; ++r) {
        const row *one = &p->rows[r];
        if (one->doubled ? !c->antisymmetric : !c->gaussian) continue;
        NTH_TRY(add_depths(one, c, families, count));
    }
    NTH_REQUIRE(*count > 0, NTH_E_ARG, "no network is left by the activations, depths and initializations chosen "
                                       "(relu runs with two layers and Gaussian initialization, and in theorem-2.1 only)");
    *verdict = p->verdict;
done:
    return st;
}
