/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * nth verify elasticity: local elasticity (E85, E86) of kernels with and without label information, on one set of inputs.
 */
#ifndef NTH_CLI_VERIFY_ELASTICITY_H
#define NTH_CLI_VERIFY_ELASTICITY_H

#include "gram.h"

#include "nth/elastic.h"
#include "nth/lantk.h"

typedef enum rr_kernel {
    RR_INIT,         /* K_0 of finite networks */
    RR_TRAINED,      /* K_t of the same networks */
    RR_TRAINED_PERMUTED, /* trained on permuted labels, another permutation for each network */
    RR_NTK,          /* infinite width */
    RR_HR,           /* NTK + lambda Z, ls-v1 */
    RR_HR_PERMUTED,  /* Z made from permuted labels */
    RR_KR,           /* kr-v1 */
    RR_KR_PERMUTED,
    RR_SQUARES,      /* NTK + lambda K o K: a function of K free of labels */
    RR_NTH,          /* K^(NTH) at the networks' width */
    RR_NTH_PERMUTED,
    RR_KERNELS
} rr_kernel;

enum { RR_PAIRS = 2 }; /* train-train, test-train */

/* Ratios of one kind of kernel: of each copy (network, permutation), their mean, and one for each resample; NaN where there is none. */
typedef struct rr_ratios {
    ptrdiff_t copies;
    double    mean[RR_PAIRS], *sample[RR_PAIRS]; /* (bootstrap) */
} rr_ratios;

typedef struct elasticity {
    cli           *c;
    cli_problem    p;
    nth_net_config shape;     /* of the networks, antisymmetric */
    ptrdiff_t      width;     /* of both copies of a network together */
    ptrdiff_t      networks, permutations, nth_permutations;
    ptrdiff_t      done;      /* kernels */
    ptrdiff_t      draws;     /* of a sampled K^(NTH), at most */
    double         t, ratio;  /* flow time; r of E74 */
    double         sampling;  /* largest relative standard error of a sampled K^(NTH) reached */
    nth_blocks     ntk;
    double        *D, *D_test, *own_test, *draw; /* diagonals; the NTK's of test inputs; ratios of one copy */
    rr_ratios      rr[RR_KERNELS];
    ptrdiff_t      refused;   /* ratios that do not exist */
    char           why[640];  /* the first of them */
} elasticity;

NTH_NODISCARD nth_status cli_verify_elasticity(cli *c);

/* Makes each kernel and takes its ratios. */
NTH_NODISCARD nth_status rr_measure_all(elasticity *e);

#endif
