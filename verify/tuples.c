/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * The condition on inputs under which the hierarchy is proved: no r of them are nearly dependent.
 */
#include "nth/verify.h"
#include "alloc_priv.h"
#include "fail_priv.h"
#include "linalg_priv.h"
#include "nth/rng.h"

#include <math.h>
#include <string.h>

static const double ALL_TUPLES = 1e5; /* more are sampled */

static double tuples(ptrdiff_t n, ptrdiff_t r)
{
    double c = 1.0;
    for (ptrdiff_t i = 0; i < r; ++i) c *= (double)(n - i) / (double)(i + 1);
    return c;
}

/* The next r of 0..n-1 in lexicographic order; false after the last. */
static bool next_tuple(ptrdiff_t *pick, ptrdiff_t n, ptrdiff_t r)
{
    ptrdiff_t i = r - 1;
    while (i >= 0 && pick[i] == n - r + i) --i;
    if (i < 0) return false;
    ++pick[i];
    for (ptrdiff_t j = i + 1; j < r; ++j) pick[j] = pick[j - 1] + 1;
    return true;
}

/* r different ones at random, by rejection: r is small. */
static void random_tuple(ptrdiff_t *pick, ptrdiff_t n, ptrdiff_t r, uint64_t seed, uint64_t *at)
{
    for (ptrdiff_t i = 0; i < r; ++i) {
        bool again = true;
        while (again) {
            pick[i] = (ptrdiff_t)nth_rand_below((uint64_t)n, seed, NTH_STREAM_SPLIT, (uint32_t)r, (*at)++);
            again = false;
            for (ptrdiff_t j = 0; j < i; ++j) again = again || pick[j] == pick[i];
        }
    }
}

typedef struct tuple_work {
    nth_mat A, U, Vt;
    double *s;
} tuple_work;

static nth_status smallest(nth_cmat X, const ptrdiff_t *pick, ptrdiff_t r, tuple_work *w, double *least)
{
    nth_status    st = NTH_OK;
    const nth_mat A = nth_mat_of(w->A.a, r, X.cols);
    for (ptrdiff_t i = 0; i < r; ++i) memcpy(A.a + i * X.cols, X.a + pick[i] * X.ld, (size_t)X.cols * sizeof(double));
    NTH_TRY(nth_svd(A, nth_mat_of(w->U.a, r, r), w->s, nth_mat_of(w->Vt.a, r, X.cols)));
    *least = fmin(*least, w->s[r - 1]);
done:
    return st;
}

nth_status nth_verify_input_tuples(nth_cmat X, ptrdiff_t r_max, uint64_t seed, double *out)
{
    nth_status st = NTH_OK;
    tuple_work w = { 0 };
    ptrdiff_t *pick = NULL;
    NTH_REQUIRE(r_max >= 1 && X.rows >= 1 && X.cols >= 1, NTH_E_ARG, "tuples of up to %td of %td inputs", r_max, X.rows);
    NTH_TRY(nth_priv_mat(&w.A, r_max, X.cols, "tuple of inputs"));
    NTH_TRY(nth_priv_mat(&w.U, r_max, r_max, "tuple of inputs"));
    NTH_TRY(nth_priv_mat(&w.Vt, r_max, X.cols, "tuple of inputs"));
    NTH_TRY(nth_priv_doubles(&w.s, r_max, "singular values"));
    NTH_TRY(nth_priv_alloc(&pick, r_max, sizeof *pick, "tuple of inputs"));
    for (ptrdiff_t r = 1; r <= r_max; ++r) {
        uint64_t at = 0;
        out[r - 1] = 0.0;
        if (r > X.rows || r > X.cols) continue; /* dependent by dimension */
        out[r - 1] = INFINITY;
        for (ptrdiff_t i = 0; i < r; ++i) pick[i] = i;
        if (tuples(X.rows, r) <= ALL_TUPLES) {
            do NTH_TRY(smallest(X, pick, r, &w, &out[r - 1]));
            while (next_tuple(pick, X.rows, r));
        } else {
            for (double k = 0.0; k < ALL_TUPLES; k += 1.0) {
                random_tuple(pick, X.rows, r, seed, &at);
                NTH_TRY(smallest(X, pick, r, &w, &out[r - 1]));
            }
        }
    }
done:
    nth_priv_free(w.A.a);
    nth_priv_free(w.U.a);
    nth_priv_free(w.Vt.a);
    nth_priv_free(w.s);
    nth_priv_free(pick);
    return st;
}
