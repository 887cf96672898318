/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Held-out samples and permuted labels, by rank of their keys.
 */
#include "alloc_priv.h"
#include "fail_priv.h"
#include "nth/data.h"
#include "rank_priv.h"

#include <math.h>

/* All samples by rank; *order is the caller's to free. */
static nth_status rank_all(nth_ranked **order, ptrdiff_t n, uint64_t seed, uint32_t run)
{
    const nth_status st = nth_priv_alloc(order, n, sizeof **order, "order of samples");
    if (st != NTH_OK) return st;
    for (ptrdiff_t i = 0; i < n; ++i) (*order)[i].sample = i;
    nth_priv_rank(*order, n, seed, run);
    return NTH_OK;
}

nth_status nth_data_permute(nth_mat out, nth_cmat y, uint64_t seed)
{
    nth_status  st = NTH_OK;
    nth_ranked *order = NULL;
    NTH_REQUIRE(y.rows >= 1 && out.rows == y.rows && out.cols == y.cols, NTH_E_SHAPE, "targets %td x %td, permuted %td x %td", y.rows,
                y.cols, out.rows, out.cols);
    NTH_TRY(rank_all(&order, y.rows, seed, NTH_SPLIT_LABELS));
    for (ptrdiff_t i = 0; i < y.rows; ++i)
        for (ptrdiff_t j = 0; j < y.cols; ++j) out.a[i * out.ld + j] = y.a[order[i].sample * y.ld + j];
done:
    nth_priv_free(order);
    return st;
}

nth_status nth_data_folds(double *fold, ptrdiff_t n, ptrdiff_t folds, double share, uint64_t seed)
{
    nth_status  st = NTH_OK;
    nth_ranked *order = NULL;
    NTH_REQUIRE(n >= 2 && folds >= 1 && folds <= n, NTH_E_ARG, "%td folds of %td samples", folds, n);
    NTH_REQUIRE(folds > 1 || (share > 0.0 && share < 1.0), NTH_E_ARG, "share %g held out; must lie between 0 and 1", share);
    NTH_TRY(rank_all(&order, n, seed, NTH_SPLIT_FOLDS));
    const double    wanted = round(share * (double)n);
    const ptrdiff_t held = folds > 1 ? n : (ptrdiff_t)fmin(fmax(wanted, 1.0), (double)(n - 1));
    for (ptrdiff_t r = 0; r < n; ++r) fold[order[r].sample] = r < held ? (double)(1 + r % folds) : 0.0;
done:
    nth_priv_free(order);
    return st;
}
