/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Measured rates against predicted ones: sweeps over widths and seeds of trained networks, each
 * compared with the prediction made from its own initialization (docs/equations.md, section 4).
 *
 * A sweep consists of families (activation, depth, initialization, widths, times); a member of a
 * family is one network, addressed by (family, width, seed), and gives one array of numbers. Members
 * are independent: they run in any order, on any number of threads, and can be kept in a file and
 * taken up again.
 */
#ifndef NTH_VERIFY_H
#define NTH_VERIFY_H

#include "nth/data.h"
#include "nth/flow.h"
#include "nth/json.h"
#include "nth/net.h"

#ifdef __cplusplus
extern "C" {
#endif

/* Differences whose size is measured. Those from NTH_Q_COUNT on belong to families of truncated hierarchies, the
 * others to families of Theorem 2.1. */
typedef enum nth_quantity {
    NTH_Q_LIMIT_T, /* K_t - E_init K_0 */
    NTH_Q_LIMIT_0, /* K_0 - E_init K_0 */
    NTH_Q_MOVE,    /* K_t - K_0 */
    NTH_Q_TERM3,   /* K3_0[alpha_t] */
    NTH_Q_TERM4,   /* the K4 term */
    NTH_Q_NO_K3,   /* K_t - K_0 - K4 term: K3 dropped */
    NTH_Q_NO_K4,   /* K_t - K_0 + K3_0[alpha_t]: K4 dropped */
    NTH_Q_ERROR,   /* E_t = K_t - Khat_t */
    NTH_Q_COUNT,
    NTH_Q_LEVELS_LIMIT_T = NTH_Q_COUNT, /* K_t - E_init K_0 */
    NTH_Q_LEVELS_LIMIT_0,               /* K_0 - E_init K_0 */
    NTH_Q_KERNEL_2, NTH_Q_KERNEL_3, NTH_Q_KERNEL_4, NTH_Q_KERNEL_5, NTH_Q_KERNEL_6, /* K_t - K_t^(p), level p (E38) */
    NTH_Q_OUTPUT_2, NTH_Q_OUTPUT_3, NTH_Q_OUTPUT_4, NTH_Q_OUTPUT_5, NTH_Q_OUTPUT_6, /* f_t - f_t^(p): NTH_PAIRS_TRAIN stands for
                                       training outputs, TEST for test outputs, TEST_TRAIN for all */
    NTH_Q_END
} nth_quantity;

typedef enum nth_pairs { NTH_PAIRS_TRAIN, NTH_PAIRS_TEST_TRAIN, NTH_PAIRS_TEST, NTH_PAIRS_COUNT } nth_pairs;
typedef enum nth_norm { NTH_NORM_SUP, NTH_NORM_FROBENIUS, NTH_NORM_COUNT } nth_norm;

/* What a member records beside the norms. */
typedef enum nth_extra {
    NTH_X_LAMBDA_MIN, /* smallest and largest eigenvalue of K_0 on the training set */
    NTH_X_LAMBDA_MAX,
    NTH_X_KERNEL_MAX, /* max |K_0| on the training set */
    NTH_X_OUTPUT_MAX, /* max |f_0| on the training set */
    NTH_X_COUNT
} nth_extra;

/** Short name of a quantity for tables and files ("E", "K_t-K_0"). */
NTH_API const char *nth_quantity_name(nth_quantity q);

enum { NTH_FAMILY_MAX_WIDTHS = 24, NTH_FAMILY_MAX_TIMES = 16, NTH_SWEEP_MAX_FAMILIES = 48 };

/* One family of networks. */
typedef struct nth_family {
    nth_net_config   shape;   /* activation, layers, scales, doubled; widths[0] = d, hidden ones unused */
    ptrdiff_t        widths[NTH_FAMILY_MAX_WIDTHS]; /* hidden width m of the whole net: both copies together */
    ptrdiff_t        n_widths, seeds;
    double           times[NTH_FAMILY_MAX_TIMES];
    ptrdiff_t        n_times;
    nth_flow_options flow;
    bool             small_time; /* exponents in t are read off, not in m */
    int              level;      /* 0: Theorem 2.1. 2 .. 6: hierarchies truncated at 2 .. level; with small_time that level only */
} nth_family;

typedef struct nth_sweep_options {
    uint64_t  seed;      /* master seed */
    ptrdiff_t bootstrap; /* resamples for each interval */
    /* Polled between members: true ends the sweep with NTH_E_INTERRUPTED. May be NULL. */
    bool (*interrupted)(void *ctx);
    /* Called once for each finished member, never by two threads at a time. May be NULL. */
    nth_status (*finished)(ptrdiff_t family, ptrdiff_t width, ptrdiff_t seed, void *ctx);
    void *ctx;
} nth_sweep_options;

typedef struct nth_sweep nth_sweep;

/**
 * Prepares a sweep: checks the families, computes E_init K_0 where it has a closed form, allocates
 * the table of results.
 *
 * Shapes     data->x (n x d), data->y (n x 1), data->x_test (k x d); n_families entries.
 * Ownership  *sweep belongs to the caller: nth_sweep_destroy; the families are copied, the data must
 *            outlive it.
 * Errors     NTH_E_ARG (no width, width odd in an antisymmetric family, times not ascending or not
 *            positive, more than one target, a level above 2 for relu), NTH_E_NOMEM.
 */
NTH_API NTH_NODISCARD nth_status nth_sweep_create(nth_sweep **sweep, const nth_data *data,
                                                  const nth_family *families, ptrdiff_t n_families,
                                                  const nth_sweep_options *opt);
NTH_API void                     nth_sweep_destroy(nth_sweep **sweep);

/** Number of members of all families. */
NTH_API ptrdiff_t nth_sweep_members(const nth_sweep *sweep);

/** Number of members whose results are there. */
NTH_API ptrdiff_t nth_sweep_done(const nth_sweep *sweep);

/**
 * 64-bit hash of all that decides the members' numbers: data, families, master seed. A member is
 * addressed by (hash, family, width, seed); results of another hash must not be mixed with these.
 */
NTH_API uint64_t nth_sweep_hash(const nth_sweep *sweep);

/** Bytes that the largest member takes while it runs; a run takes this once for each thread. */
NTH_API double nth_sweep_member_bytes(const nth_sweep *sweep);

/**
 * Runs all members whose results are not there yet, one to a thread.
 *
 * Cost       see docs/verify.md. Accuracy: results do not depend on the number of threads (memcmp;
 *            test_sweep.c).
 * Errors     NTH_E_INTERRUPTED (finished members are kept), or what the first failing member met, its
 *            family, width and seed named.
 */
NTH_API NTH_NODISCARD nth_status nth_sweep_run(nth_sweep *sweep);

/**
 * Writes the members that were not written yet under /members, one dataset each.
 *
 * Errors     NTH_E_IO.
 */
NTH_API NTH_NODISCARD nth_status nth_sweep_write_members(nth_sweep *sweep, nth_file *file);

/**
 * Takes up members from a file written by nth_sweep_write_members for the same sweep.
 *
 * Errors     NTH_E_FORMAT (a dataset of another size).
 */
NTH_API NTH_NODISCARD nth_status nth_sweep_read_members(nth_sweep *sweep, nth_file *file);

/* A measured exponent. */
typedef struct nth_rate {
    double slope, low, high; /* least squares on log-log medians; 95 % bootstrap interval over seeds */
    double local[NTH_FAMILY_MAX_WIDTHS]; /* slopes between neighbouring widths (or times) */
    double median[NTH_FAMILY_MAX_WIDTHS], upper[NTH_FAMILY_MAX_WIDTHS]; /* over seeds; upper: 90 % quantile */
    bool      dropped[NTH_FAMILY_MAX_WIDTHS]; /* below the rounding floor: not used */
    ptrdiff_t points;                         /* widths (or times) used */
} nth_rate;

/**
 * Exponent in the width m of a quantity's size at one time (small_time families: in t, `time` ignored).
 *
 *     slope of log median_seeds |.| against log m                                    [docs/equations.md, 4.5]
 *
 * Shapes     indices of family and time. Cost: bootstrap draws times seeds times widths.
 * Ownership  *rate is the caller's. Accuracy: test_verify.c, slope_of_exact_powers.
 * Errors     NTH_E_ARG; NTH_E_NUMERIC (fewer than two widths above the rounding floor of 2e-14 max |K_0|,
 *            or a value that is not finite).
 */
NTH_API NTH_NODISCARD nth_status nth_sweep_rate(const nth_sweep *sweep, ptrdiff_t family, nth_quantity q,
                                                nth_pairs pairs, nth_norm norm, ptrdiff_t time, nth_rate *rate);

/* The verdict on one claim about one family. */
typedef enum nth_verdict { NTH_HOLDS, NTH_FAILS, NTH_UNDECIDED } nth_verdict;

typedef struct nth_claim {
    ptrdiff_t   family;
    const char *name;      /* "Theorem 2.1: K_t - Khat_t" */
    const char *kind;      /* "theorem", "prediction", "control" or "report" (no verdict asked) */
    const char *variable;  /* "m" or "t" */
    double      predicted; /* exponent */
    double      band;      /* the interval must meet predicted +- band ... */
    double      widest;    /* ... and be no wider than +- this */
    ptrdiff_t   rates;     /* one for each time; 1 for exponents in t */
    nth_rate    rate[NTH_FAMILY_MAX_TIMES];
    nth_verdict verdict;
} nth_claim;

typedef struct nth_verdict_options {
    double band, widest; /* of exponents in m and t; a claim may have its own band (docs/verify.md) */
    double growth;       /* of the bound's constant from the smaller to the larger widths */
} nth_verdict_options;

/**
 * All claims about all families, measured and judged (docs/equations.md, table 4.3).
 *
 * A claim holds if at every time the 95 % interval meets the band around the predicted exponent and
 * is no wider than allowed; it fails if some interval misses the band. Otherwise it is undecided, and
 * always with fewer than 8 seeds, 100 resamples or 3 widths (times) above the rounding floor.
 *
 * Ownership  *claims belongs to the caller: nth_claims_free.
 * Errors     NTH_E_NOMEM, and those of nth_sweep_rate.
 */
NTH_API NTH_NODISCARD nth_status nth_sweep_claims(const nth_sweep *sweep, const nth_verdict_options *opt,
                                                  nth_claim **claims, ptrdiff_t *count);
NTH_API void                     nth_claims_free(nth_claim **claims);

/* What the theorem presupposes, as found for one family. */
typedef struct nth_preconditions {
    double lambda_min, lambda_max; /* of K_0 on the training set: least over members, largest over members */
    double window;                 /* min(sqrt(lambda_min m / n), m^{1/3}) at the smallest width, logs dropped */
    double output_max;             /* largest |f_0| on the training set */
    double constant, constant_growth; /* max over cells of the difference over the theorem's bound (logs dropped); ratio
                                         of its maxima over the larger and the smaller half of the widths */
    bool   smooth, unbiased;
} nth_preconditions;

/**
 * Preconditions of the theorem and the constant in its bound, for one family.
 *
 *     |E_t| <= C [t^2 (t^2 v 1)(1 + t^2/m)(t ^ n/lambda_min) + t^3 (1 v t)] / m^2                     [E39]
 *     |f_t - f_t^(p)|_2 <= C (1 + t) t^{p-1} sqrt(n) m^{-p/2} (t ^ n/lambda_min),  p the largest even level  [E42]
 *
 * Errors     NTH_E_ARG. Cost: negligible.
 */
NTH_API NTH_NODISCARD nth_status nth_sweep_preconditions(const nth_sweep *sweep, ptrdiff_t family,
                                                         nth_preconditions *pre);

/**
 * Smallest singular value of any matrix of r distinct training inputs, r = 1 .. r_max.
 *
 *     c_r = min over {i_1 < .. < i_r} of sigma_min([x_{i_1} .. x_{i_r}])        [HY condition 2.2]
 *
 * Shapes     out (r_max); 0 where r > min(n, d). All tuples up to 100,000, else that many at random.
 * Ownership  the caller's.
 * Cost       about 10 d r^2 flops a tuple.
 * Accuracy   of all tuples exact to rounding; of sampled ones an upper bound of c_r.
 * Errors     NTH_E_ARG, NTH_E_NOMEM, NTH_E_NUMERIC.
 */
NTH_API NTH_NODISCARD nth_status nth_verify_input_tuples(nth_cmat X, ptrdiff_t r_max, uint64_t seed,
                                                         double *out);

/**
 * Integrator and rounding floor of a family, measured: its first network at the largest width is run
 * again with a tenth of the tolerance (fixed steps: with twice as many).
 *
 *     *change = max over times of | |E_t|_sup - |E'_t|_sup | / |E_t|_sup, where |E_t| is above the floor
 *
 * and with K_t - K_t^(p), p the largest even level, in place of E_t in families of truncated hierarchies.
 *
 * Ownership  *change is the caller's. Cost: two members. Accuracy: none claimed; it is a measurement.
 * Errors     as nth_sweep_run.
 */
NTH_API NTH_NODISCARD nth_status nth_sweep_integrator_change(const nth_sweep *sweep, ptrdiff_t family,
                                                             double *change);

/* What a user may fix; the preset decides the rest. Counts of 0 mean: not fixed. */
typedef struct nth_preset_choice {
    const char           *check;  /* "theorem-2.1" or "truncation"; NULL: the first */
    const char           *preset; /* "quick", "standard" or "full" */
    const nth_activation *activations;
    const int64_t        *depths, *widths;
    const double         *times;
    ptrdiff_t             n_activations, n_depths, n_widths, n_times;
    ptrdiff_t             seeds;
    bool                  gaussian, antisymmetric; /* initializations wanted */
    double                sigma_w, sigma_b, rtol;
    nth_input_scale       input_scale;
    nth_stepper           stepper; /* of smooth activations */
} nth_preset_choice;

/**
 * The families of a preset of `nth verify theorem-2.1` or `truncation`, and the bands it is judged by. The table is in
 * verify/presets.c, its reasons in docs/verify.md.
 *
 * Shapes     families: room for NTH_SWEEP_MAX_FAMILIES entries; *count of them are filled.
 * Ownership  the caller's. Cost: none.
 * Errors     NTH_E_ARG (unknown check or preset, a choice that leaves no family, too many widths or times).
 */
NTH_API NTH_NODISCARD nth_status nth_verify_preset(const nth_preset_choice *choice, nth_family *families,
                                                   ptrdiff_t *count, nth_verdict_options *verdict);

/** The whole outcome as a JSON object: claims, rates, preconditions. NULL without memory. */
NTH_API nth_json *nth_sweep_json(const nth_sweep *sweep, const nth_claim *claims, ptrdiff_t count);

/** Writes medians, upper quantiles and rates of every quantity, norm and block under /rates. NTH_E_IO. */
NTH_API NTH_NODISCARD nth_status nth_sweep_write_rates(const nth_sweep *sweep, nth_file *file);

/** "tanh L=2 antisymmetric" into out (size). */
NTH_API void nth_family_label(const nth_family *family, char *out, size_t size);

#ifdef __cplusplus
}
#endif
#endif
