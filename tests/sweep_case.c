/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Small sweeps for tests (sweep_case.h).
 */
#include "sweep_case.h"
#include "nth/rng.h"
#include "nth_test.h"

#include <math.h>

const nth_data *sweep_data(void)
{
    static double   x[] = { 0.9, -0.2, 0.4, -0.7, 0.5, 0.3, 0.1, 0.8, -0.6, -0.4, -0.5, -0.8 }, y[] = { 1, -1, 1, -1 };
    static double   z[] = { 0.6, 0.6, -0.3, -0.2, 0.9, 0.5 }, y_test[] = { 1, -1 };
    static nth_data data;
    data = (nth_data){ .x = nth_mat_of(x, 4, 3), .y = nth_mat_of(y, 4, 1), .x_test = nth_mat_of(z, 2, 3),
                       .y_test = nth_mat_of(y_test, 2, 1), .classes = 2, .source = "by hand" };
    return &data;
}

const nth_data *rates_data(void)
{
    static double   x[] = { 0.018681, 0.742907,  0.669134, -0.644292, -0.376203, -0.665852,
                            0.605418, -0.059577, 0.793675, -0.762084, 0.646255,  -0.039782 };
    static double   y[] = { 1, -1, 1, -1 }, y_test[] = { 1, 1 };
    static double   z[] = { 0.860425, -0.172705, -0.479418, 0.478857, 0.852549, -0.209416 };
    static nth_data data;
    data = (nth_data){ .x = nth_mat_of(x, 4, 3), .y = nth_mat_of(y, 4, 1), .x_test = nth_mat_of(z, 2, 3),
                       .y_test = nth_mat_of(y_test, 2, 1), .classes = 2, .source = "rates" };
    return &data;
}

nth_family sweep_family(ptrdiff_t n_widths, ptrdiff_t least, ptrdiff_t seeds)
{
    nth_family f = { .shape = { .activation = NTH_ACT_ERF, .layers = 2, .sigma_w = 1, .input_scale = NTH_INPUT_ONE },
                     .n_widths = n_widths, .seeds = seeds, .times = { 0.5, 1.0 }, .n_times = 2,
                     .flow = { .stepper = NTH_STEPPER_COLLOCATION, .rtol = 1e-12 } };
    for (ptrdiff_t w = 0; w < n_widths && w < NTH_FAMILY_MAX_WIDTHS; ++w) f.widths[w] = least << w;
    return f;
}

double *sweep_member(nth_sweep *s, ptrdiff_t f, ptrdiff_t w, ptrdiff_t seed)
{
    return s->values[f] + (w * s->family[f].seeds + seed) * nth_member_size(&s->family[f]);
}

nth_sweep *sweep_by_hand(const nth_family *families, ptrdiff_t count, ptrdiff_t bootstrap)
{
    const nth_sweep_options opt = { .seed = 5, .bootstrap = bootstrap };
    nth_sweep              *s = NULL;
    if (!NTH_CHECK_OK(nth_sweep_create(&s, sweep_data(), families, count, &opt))) return NULL;
    for (ptrdiff_t f = 0; f < count; ++f)
        for (ptrdiff_t i = 0; i < families[f].n_widths * families[f].seeds; ++i) {
            double *v = sweep_member(s, f, 0, i);
            v[nth_extra_index(&families[f], NTH_X_KERNEL_MAX)] = 1.0;
            v[nth_extra_index(&families[f], NTH_X_LAMBDA_MIN)] = 0.5;
            s->state[f][i] = NTH_MEMBER_DONE;
        }
    return s;
}

void sweep_put(nth_sweep *s, ptrdiff_t f, nth_quantity q, double scale, double power, double noise, uint32_t run)
{
    const nth_family *fam = &s->family[f];
    for (ptrdiff_t w = 0; w < fam->n_widths; ++w)
        for (ptrdiff_t k = 0; k < fam->seeds; ++k)
            for (ptrdiff_t t = 0; t < fam->n_times; ++t) {
                double       z;
                const double x = fam->small_time ? fam->times[t] : (double)fam->widths[w];
                nth_rand_normals(&z, 1, 61, NTH_STREAM_TEST, run, (uint64_t)(w * fam->seeds + k));
                const double v = scale * pow(x, power) * exp(noise * z);
                for (int pn = 0; pn < NTH_PAIRS_COUNT * NTH_NORM_COUNT; ++pn)
                    sweep_member(s, f, w, k)[nth_norm_index(t, q, (nth_pairs)(pn / NTH_NORM_COUNT), (nth_norm)(pn % NTH_NORM_COUNT))] = v;
            }
}
