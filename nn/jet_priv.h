/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Jets: forward and backward passes of a network whose weights live in a nilpotent or Taylor
 * algebra. One component is the plain network; K2 and every contracted K^(2+k) come from the same
 * code (E15-E22). Nothing of the size of the parameters is made for a direction: the weight jet
 * is a sum of rank-n terms
 *
 *     W^l_S = c_l sum_terms coef * left^T diag(v) right,   left (n x p_l), right (n x q_l)   (E20)
 *
 * whose factors are the training set's own Delta and X jets. The bias is the weight of one more
 * input which is the constant sigma_b.
 */
#ifndef NTH_NN_JET_PRIV_H
#define NTH_NN_JET_PRIV_H

#include "algebra_priv.h"
#include "rows_priv.h"

enum { NTH_MAX_TERMS = 40, NTH_MAX_FACTORS = 8 };

typedef struct nth_term {
    int           comp;        /* component of the weights that the term belongs to, >= 1 */
    int           left, right; /* which factors */
    double        coef;
    const double *v;           /* (n), or NULL for ones */
} nth_term;

/* The weight jet beside its plain component. Factor 0 is the plain Delta and X: only right factor 0
 * carries the constant of the bias, and left factor 0 of the last layer is rows->top. */
typedef struct nth_directions {
    ptrdiff_t     n;
    int           terms;
    nth_term      term[NTH_MAX_TERMS];
    const double *left[2][NTH_MAX_LAYERS][NTH_MAX_FACTORS];  /* [copy][l-1][factor] (n x p_l) */
    const double *right[2][NTH_MAX_LAYERS][NTH_MAX_FACTORS]; /* [copy][l-1][factor] (n x q_l), l >= 2 */
} nth_directions;

typedef struct nth_jet {
    const nth_algebra *alg;
    const nth_rows    *src;
    ptrdiff_t          first, rows; /* rows [first, first + rows) of src */
    bool               staged;      /* components are added in several calls */
    bool               plain;       /* one component, at once: two arrays a layer and b */
    /* [copy][l-1] for l < L: (comps x rows x p_l), one component after the other */
    double            *h[2][NTH_MAX_LAYERS]; /* pre-activations; the same array as x if not staged */
    double            *x[2][NTH_MAX_LAYERS]; /* sigma(h) */
    double            *s[2][NTH_MAX_LAYERS]; /* sigma'(h); if plain the same array as d, lost at the end */
    double            *b[2][NTH_MAX_LAYERS]; /* df/dx; the same array as d if not staged, one of all layers if plain */
    double            *d[2][NTH_MAX_LAYERS]; /* Delta = df/dh */
} nth_jet;

/* Doubles that a jet takes. */
double nth_jet_doubles(const nth_net_config *cfg, int comps, ptrdiff_t rows, bool staged);

NTH_NODISCARD nth_status nth_jet_create(nth_jet **jet, const nth_algebra *alg, const nth_rows *src,
                                        ptrdiff_t first, ptrdiff_t rows, bool staged);
void                     nth_jet_destroy(nth_jet **jet);

/* Computes the components [lo, hi), those below lo being there. dirs may be NULL if hi = 1. */
NTH_NODISCARD nth_status nth_jet_advance(nth_jet *jet, const nth_directions *dirs, int lo, int hi);

/* Makes the plain components of a training jet factor 0 of both kinds, in all layers. */
void nth_directions_base(nth_directions *dirs, const nth_jet *train);
/* Makes component `comp` of the training jet factor `index` of both kinds. */
void nth_directions_factor(nth_directions *dirs, const nth_jet *train, int comp, int index);
/* Appends a term (E20). */
NTH_NODISCARD nth_status nth_directions_term(nth_directions *dirs, nth_term term);

/* Network outputs of the plain component: f (rows). */
NTH_NODISCARD nth_status nth_jet_outputs(const nth_jet *jet, double *f);

/* K[c] <- component c of K2(row of A, row of B), for every c whose K[c].a is not NULL; each
 * (A->rows x B->rows) (E15, E22). A and B are jets of the same weights; A may be B, then half the
 * products are made and the result is symmetric to the bit. */
NTH_NODISCARD nth_status nth_jet_gram(nth_mat *K, const nth_jet *A, const nth_jet *B);

#endif
