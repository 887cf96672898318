/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * The K4 term of the prediction by explicit contractions, the independent routes beside the curve
 * form: over the singular vectors of Omega, or over quadrature nodes in time (E35).
 */
#include "hier_priv.h"
#include "alloc_priv.h"
#include "fail_priv.h"
#include "legendre_priv.h"
#include "linalg_priv.h"

#include <math.h>
#include <string.h>

/* acc += weight * K4[a, b], block by block; `one` is scratch of the same shapes. */
static nth_status add_contraction(nth_blocks *acc, nth_blocks *one, const nth_rows *rows, const double *a,
                                  const double *b, double weight)
{
    nth_status          st = NTH_OK;
    const double *const v[2] = { a, b };
    nth_mat            *out[3] = { &acc->train, &acc->test, &acc->test_test };
    nth_mat            *in[3] = { &one->train, &one->test, &one->test_test };
    NTH_TRY(nth_priv_hier_contract(one, rows, 4, v));
    for (int k = 0; k < 3; ++k)
        for (ptrdiff_t i = 0; out[k]->a != NULL && i < out[k]->rows; ++i)
            nth_axpy(weight, in[k]->a + i * in[k]->ld, out[k]->a + i * out[k]->ld, out[k]->cols);
done:
    return st;
}

static nth_status by_svd(nth_blocks *acc, nth_blocks *one, const nth_rows *rows, const nth_spectral *sp, double t)
{
    nth_status      st = NTH_OK;
    const ptrdiff_t n = rows->n;
    nth_mat         O = { 0 }, U = { 0 }, Vt = { 0 };
    double         *s = NULL, *a = NULL;
    NTH_TRY(nth_priv_mat(&O, n, n, "time weights"));
    NTH_TRY(nth_priv_mat(&U, n, n, "singular vectors"));
    NTH_TRY(nth_priv_mat(&Vt, n, n, "singular vectors"));
    NTH_TRY(nth_priv_doubles(&s, n, "singular values"));
    NTH_TRY(nth_priv_doubles(&a, n, "direction"));
    NTH_TRY(nth_spectral_omega(sp, t, O));
    NTH_TRY(nth_svd(O, U, s, Vt));
    for (ptrdiff_t k = 0; k < n && s[k] > 1e-16 * s[0]; ++k) {
        for (ptrdiff_t i = 0; i < n; ++i) a[i] = U.a[i * n + k];
        NTH_TRY(add_contraction(acc, one, rows, a, Vt.a + k * n, s[k]));
    }
done:
    nth_priv_free(O.a);
    nth_priv_free(U.a);
    nth_priv_free(Vt.a);
    nth_priv_free(s);
    nth_priv_free(a);
    return st;
}

static nth_status by_quadrature(nth_blocks *acc, nth_blocks *one, const nth_rows *rows, const nth_spectral *sp,
                                double t)
{
    nth_status      st = NTH_OK;
    const ptrdiff_t n = rows->n;
    double          x[NTH_LEGENDRE_MAX], w[NTH_LEGENDRE_MAX], *u = NULL, *alpha = NULL;
    const double    z = t * nth_spectral_values(sp)[n - 1] / (double)n; /* decay rates over the interval */
    NTH_REQUIRE(isfinite(t) && z < 100.0, NTH_E_ARG,
                "quadrature in time needs a finite t with t lambda_max / n < 100, found %g", z);
    const int q = 24 + (int)(2.0 * z);
    NTH_TRY(nth_priv_doubles(&u, n, "residual"));
    NTH_TRY(nth_priv_doubles(&alpha, n, "integrated residual"));
    nth_legendre_nodes(q, x, w);
    for (int k = 0; k < q; ++k) {
        nth_spectral_residual(sp, t * x[k], u);
        NTH_TRY(nth_spectral_alpha(sp, t * x[k], alpha));
        NTH_TRY(add_contraction(acc, one, rows, u, alpha, t * w[k] / (double)n));
    }
done:
    nth_priv_free(u);
    nth_priv_free(alpha);
    return st;
}

static nth_status like(nth_mat *out, nth_mat shape)
{
    for (ptrdiff_t i = 0; shape.a != NULL && i < shape.rows; ++i)
        memset(shape.a + i * shape.ld, 0, (size_t)shape.cols * sizeof(double));
    return shape.a == NULL ? NTH_OK : nth_priv_mat(out, shape.rows, shape.cols, "contraction");
}

nth_status nth_priv_khat_contractions(nth_blocks *term4, const nth_rows *rows, const nth_spectral *sp, double t,
                                      nth_khat_route route)
{
    nth_status st = NTH_OK;
    nth_blocks one = { 0 };
    NTH_TRY(like(&one.train, term4->train));
    NTH_TRY(like(&one.test, term4->test));
    NTH_TRY(like(&one.test_test, term4->test_test));
    NTH_TRY(route == NTH_KHAT_SVD ? by_svd(term4, &one, rows, sp, t) : by_quadrature(term4, &one, rows, sp, t));
done:
    nth_priv_free(one.train.a);
    nth_priv_free(one.test.a);
    nth_priv_free(one.test_test.a);
    return st;
}
