/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * The sweep: its table of results, and one member.
 */
#ifndef NTH_VERIFY_SWEEP_PRIV_H
#define NTH_VERIFY_SWEEP_PRIV_H

#include "nth/infinite.h"
#include "nth/verify.h"
#include "rows_priv.h"

/* One member's numbers: norms [time][quantity][pairs][norm] of the quantities of its family, then by time the
 * mean over the training diagonal and the rms over generic test pairs of K_t - K_0, then the extras. */
enum { NTH_DRIFTS_PER_TIME = 2 };
typedef enum nth_drift { NTH_DRIFT_DIAGONAL, NTH_DRIFT_PAIRS } nth_drift;

typedef struct nth_member_job {
    const nth_data   *data;
    const nth_family *family;
    const nth_blocks *limit; /* E_init K_0, or NULL */
    ptrdiff_t         width; /* m of the whole net */
    uint64_t          seed;
} nth_member_job;

struct nth_sweep {
    const nth_data   *data;
    nth_sweep_options opt;
    ptrdiff_t         n_families;
    nth_family       *family;               /* (n_families) */
    nth_blocks        limit[NTH_SWEEP_MAX_FAMILIES];
    bool              has_limit[NTH_SWEEP_MAX_FAMILIES];
    double           *values[NTH_SWEEP_MAX_FAMILIES]; /* (widths x seeds x member size) */
    char             *state[NTH_SWEEP_MAX_FAMILIES];  /* (widths x seeds) */
};
enum { NTH_MEMBER_OPEN = 0, NTH_MEMBER_DONE = 1, NTH_MEMBER_WRITTEN = 2 };

/* The quantities [first, end) of a family. */
static inline nth_quantity nth_first_quantity(bool levels) { return levels ? NTH_Q_COUNT : NTH_Q_LIMIT_T; }
static inline nth_quantity nth_end_quantity(bool levels) { return levels ? NTH_Q_END : NTH_Q_COUNT; }
static inline ptrdiff_t    nth_norms_per_time(bool levels)
{
    return (ptrdiff_t)(nth_end_quantity(levels) - nth_first_quantity(levels)) * NTH_PAIRS_COUNT * NTH_NORM_COUNT;
}
static inline ptrdiff_t nth_member_size(const nth_family *f)
{
    return f->n_times * (nth_norms_per_time(f->level > 0) + NTH_DRIFTS_PER_TIME) + NTH_X_COUNT;
}
/* q tells which kind of family it is. */
static inline ptrdiff_t nth_norm_index(ptrdiff_t time, nth_quantity q, nth_pairs p, nth_norm n)
{
    const bool levels = q >= NTH_Q_COUNT;
    return time * nth_norms_per_time(levels) + ((ptrdiff_t)(q - nth_first_quantity(levels)) * NTH_PAIRS_COUNT + p) * NTH_NORM_COUNT + n;
}
static inline ptrdiff_t nth_drift_index(const nth_family *f, ptrdiff_t time, nth_drift d)
{
    return f->n_times * nth_norms_per_time(f->level > 0) + time * NTH_DRIFTS_PER_TIME + d;
}
static inline ptrdiff_t nth_extra_index(const nth_family *f, nth_extra x)
{
    return f->n_times * (nth_norms_per_time(f->level > 0) + NTH_DRIFTS_PER_TIME) + x;
}
/* The difference a family is about: E_t, or that of its largest even level. */
static inline nth_quantity nth_main_kernel(const nth_family *f)
{
    return f->level > 0 ? (nth_quantity)(NTH_Q_KERNEL_2 + f->level / 2 * 2 - 2) : NTH_Q_ERROR;
}
static inline nth_quantity nth_main_output(const nth_family *f) { return (nth_quantity)(nth_main_kernel(f) + NTH_Q_OUTPUT_2 - NTH_Q_KERNEL_2); }
/* "tanh_L2_antisymmetric", as files name it. */
void nth_priv_family_path(const nth_family *f, char *out, size_t size);
static inline const double *nth_member_values(const nth_sweep *s, ptrdiff_t f, ptrdiff_t w, ptrdiff_t seed)
{
    return s->values[f] + (w * s->family[f].seeds + seed) * nth_member_size(&s->family[f]);
}

/* Runs one network: initialization, prediction, flow, norms; out (member size). */
NTH_NODISCARD nth_status nth_priv_member_run(const nth_member_job *job, double *out);
double                   nth_priv_member_bytes(const nth_data *data, const nth_family *f, ptrdiff_t width);
/* The configuration of a member: hidden widths m, or m/2 in each copy. */
nth_net_config nth_priv_member_config(const nth_family *f, ptrdiff_t width);

extern const double nth_priv_floor; /* times max |K_0|: smaller differences are rounding */

/* How the values of many networks are summed up: median of |.|, modulus of the mean, root mean square, standard deviation. */
typedef enum nth_summary { NTH_SUMMARY_MEDIAN, NTH_SUMMARY_MEAN, NTH_SUMMARY_RMS, NTH_SUMMARY_SPREAD } nth_summary;

/* What an exponent is fitted to: at each point (a width or a time) values (seeds x entries) of networks. */
typedef struct nth_fit {
    ptrdiff_t     points, entries, seeds[NTH_FAMILY_MAX_WIDTHS];
    double        x[NTH_FAMILY_MAX_WIDTHS]; /* log of width or time */
    const double *v[NTH_FAMILY_MAX_WIDTHS];
    bool          paired; /* the same networks at all points: resampled together */
} nth_fit;

/* Slope, interval, local slopes and points of *rate; NaN with fewer than two points. */
NTH_NODISCARD nth_status nth_priv_fit_rate(nth_rate *rate, const nth_fit *f, nth_summary kind, ptrdiff_t draws, uint64_t seed);
/* Of v (seeds x entries); work as large. */
double nth_priv_summary(const double *v, ptrdiff_t seeds, ptrdiff_t entries, nth_summary kind, double *work);

/* Rates of one number of the members: index[i] for time i (small_time) or index[0] for all widths. */
NTH_NODISCARD nth_status nth_priv_rate(const nth_sweep *s, ptrdiff_t family, const ptrdiff_t *index,
                                       nth_summary summary, nth_rate *rate);

/* The verdict of a claim over `seeds` networks and `draws` resamples (nth_sweep_claims). */
nth_verdict nth_priv_judge(const nth_claim *c, ptrdiff_t seeds, ptrdiff_t draws);

#endif
