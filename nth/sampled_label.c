/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * The label-aware part of K^(NTH): the weights of the K4 term from the spectrum of the expected kernel,
 * and the sampled contraction with them.
 */
#include "alloc_priv.h"
#include "fail_priv.h"
#include "linalg_priv.h"
#include "nth/sampled.h"

nth_status nth_sampled_label(nth_blocks *agnostic, nth_blocks *label, nth_blocks *se, nth_sampled_result *result,
                             nth_cmat X, nth_cmat X_test, const double *y, double t, const nth_sampled_options *opt)
{
    nth_status    st = NTH_OK;
    nth_spectral *sp = NULL;
    nth_mat       Omega = { 0 };
    double       *r0 = NULL, *alpha = NULL;
    const nth_net_config shape = { .activation = opt->activation, .layers = 2, .widths = { X.cols, 1, 1 },
                                   .sigma_w = opt->sigma_w, .input_scale = opt->input_scale };
    NTH_REQUIRE(agnostic->train.a != NULL, NTH_E_ARG, "the training block of the expected kernel must be given");
    NTH_REQUIRE(t > 0.0, NTH_E_ARG, "time %g; must be positive", t);
    NTH_TRY(nth_ntk_infinite(agnostic, &shape, X, X_test));
    NTH_TRY(nth_priv_doubles(&r0, X.rows, "residual"));
    NTH_TRY(nth_priv_doubles(&alpha, X.rows, "integrated residual"));
    NTH_TRY(nth_priv_mat(&Omega, X.rows, X.rows, "weights of the K4 term"));
    for (ptrdiff_t i = 0; i < X.rows; ++i) r0[i] = -y[i];
    NTH_TRY(nth_spectral_create(&sp, nth_const(agnostic->train), r0));
    NTH_TRY(nth_spectral_alpha(sp, t, alpha));
    NTH_TRY(nth_spectral_omega(sp, t, Omega));
    nth_spectral_destroy(&sp);
    NTH_TRY(nth_sampled_k4(label, se, result, X, X_test, nth_const(Omega), alpha, opt));
done:
    nth_spectral_destroy(&sp);
    nth_priv_free(r0);
    nth_priv_free(alpha);
    nth_priv_free(Omega.a);
    return st;
}
