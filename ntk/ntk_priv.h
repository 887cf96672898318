/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Kernels on inputs that are already reduced to rows (nn/rows_priv.h); the inside of nth_spectral.
 */
#ifndef NTH_NTK_NTK_PRIV_H
#define NTH_NTK_NTK_PRIV_H

#include "jet_priv.h"
#include "nth/ntk.h"

/* Gram blocks of component `comp`: train x train, test x train, test x test, from a jet on the
 * training rows and one on the test rows (NULL if there are none). */
NTH_NODISCARD nth_status nth_priv_gram_blocks(nth_blocks *K, int comp, const nth_jet *train,
                                              const nth_jet *test);
/* The same for several components at once, K[c] or NULL for each component c of the jets: products
 * of plain components are made once. */
NTH_NODISCARD nth_status nth_priv_gram_components(nth_blocks *const *K, const nth_jet *train,
                                                  const nth_jet *test);
/* nth_ntk_empirical on rows; f (rows) receives the outputs unless NULL. */
NTH_NODISCARD nth_status nth_priv_ntk_rows(nth_blocks *K, double *f, const nth_rows *rows);
/* Shapes of the blocks against n and k. */
NTH_NODISCARD nth_status nth_priv_blocks_check(const nth_blocks *K, ptrdiff_t n, ptrdiff_t k);

struct nth_spectral {
    ptrdiff_t n;
    nth_mat   U;     /* (n x n) eigenvectors in columns */
    double   *owned; /* U.a, or NULL if that is somebody else's */
    double   *d;     /* (n) eigenvalues, ascending */
    double   *c;     /* (n) U^T r_0 */
};

/* Diagonalises K in its own memory, with r_0 = 0. With `own` K.a (from nth_priv_alloc) belongs to *sp
 * after success. */
NTH_NODISCARD nth_status nth_priv_spectral_take(nth_spectral **sp, nth_mat K, bool own);
/* c <- U^T r0. */
NTH_NODISCARD nth_status nth_priv_spectral_project(nth_spectral *sp, const double *r0);

#endif
