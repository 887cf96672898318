/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Means over one neuron of products of an activation and its derivatives at four points: all that the
 * mean kernels of a two-layer network are made of.
 */
#ifndef NTH_NTH_EXPECTED_PRIV_H
#define NTH_NTH_EXPECTED_PRIV_H

#include "nth/expected.h"

/* Four points. */
typedef struct nth_four {
    double x[4][4];   /* inner products */
    double gap[4][4]; /* of their directions, as nth_angles */
    bool   measured;  /* the gaps come from the vectors */
} nth_four;

/* E over w of products at z_i = w.x_i; {i,j,k,l} = {1,2,3,4}, i and j differ. */
typedef struct nth_means {
    double one;         /* s1' s2' s3' s4' */
    double pair[4][4];  /* s_i' s_j' s_k s_l, symmetric */
    double two[4][4];   /* s_i'' s_j s_k' s_l' */
    double both[4][4];  /* s_i'' s_j'' s_k' s_l', symmetric */
    double three[4];    /* s_i''' s_j' s_k' s_l' */
    double error;       /* relative to the largest entry */
    bool   kinks;       /* relu with its delta terms: */
    bool   parallel[4][4], planar;
} nth_means;

NTH_NODISCARD nth_status nth_priv_expected_check(const nth_expected_config *cfg);
NTH_NODISCARD nth_status nth_priv_means(nth_means *M, const nth_expected_config *cfg, const nth_four *p);
void                     nth_priv_means_erf(nth_means *M, const nth_four *p);
NTH_NODISCARD nth_status nth_priv_means_quadrature(nth_means *M, const nth_expected_config *cfg, const nth_four *p);
/* The kernels of the four points in this order (E60); fails where relu's mean is infinite. */
NTH_NODISCARD nth_status nth_priv_expected_order(nth_expected_value *out, const nth_means *M, const nth_four *p,
                                                 const nth_expected_config *cfg, const int order[4]);

/* The geometry of all points, training points first. */
typedef struct nth_geometry {
    ptrdiff_t n, points;
    nth_mat   x, gap; /* (points x points) */
} nth_geometry;

NTH_NODISCARD nth_status nth_priv_geometry(nth_geometry *g, nth_cmat X, nth_cmat X_test);
void                     nth_priv_geometry_fini(nth_geometry *g);

/* Adds sum_ij W_ij m E K4(x,x',x_i,x_j), or of E[K3(x,x',x_i) f_0(x_j)], to the blocks. */
typedef struct nth_weighted {
    bool        third;
    nth_cmat    W;   /* (n x n) over the training points */
    nth_blocks *out;
} nth_weighted;

NTH_NODISCARD nth_status nth_priv_expected_contract(const nth_weighted *jobs, int count,
                                                    const nth_expected_config *cfg, const nth_geometry *g);

#endif
