/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * The label-aware part of K^(NTH): the weights of the K4 term from the spectrum of the expected kernel,
 * and the sampled contraction with them.
 */
#include "alloc_priv.h"
#include "fail_priv.h"
#include "hier_priv.h"
#include "linalg_priv.h"
#include "nth/sampled.h"

#include <math.h>

nth_status nth_priv_label_weights(nth_blocks *agnostic, nth_khat_weights *w, const nth_net_config *shape, nth_cmat X,
                                  nth_cmat X_test, const double *y, double t)
{
    nth_status    st = NTH_OK;
    nth_spectral *sp = NULL;
    double       *r0 = NULL;
    NTH_REQUIRE(agnostic->train.a != NULL, NTH_E_ARG, "the training block of the expected kernel must be given");
    NTH_REQUIRE(t > 0.0, NTH_E_ARG, "time %g; must be positive", t);
    for (ptrdiff_t i = 0; i < X.rows; ++i) NTH_REQUIRE(isfinite(y[i]), NTH_E_NUMERIC, "label %td is not finite", i + 1);
    NTH_TRY(nth_ntk_infinite(agnostic, shape, X, X_test));
    NTH_TRY(nth_priv_doubles(&r0, X.rows, "residual"));
    for (ptrdiff_t i = 0; i < X.rows; ++i) r0[i] = -y[i];
    NTH_TRY(nth_spectral_create(&sp, nth_const(agnostic->train), r0));
    NTH_TRY(nth_priv_khat_weights(w, sp, 1, &t));
done:
    nth_spectral_destroy(&sp);
    nth_priv_free(r0);
    return st;
}

nth_status nth_sampled_label(nth_blocks *agnostic, nth_blocks *label, nth_blocks *se, nth_sampled_result *result,
                             nth_cmat X, nth_cmat X_test, const double *y, double t, const nth_sampled_options *opt)
{
    nth_status           st = NTH_OK;
    nth_khat_weights     w = { 0 };
    const nth_net_config shape = { .activation = opt->activation, .layers = 2, .widths = { X.cols, 1, 1 },
                                   .sigma_w = opt->sigma_w, .input_scale = opt->input_scale };
    NTH_TRY(nth_priv_label_weights(agnostic, &w, &shape, X, X_test, y, t));
    NTH_TRY(nth_sampled_k4(label, se, result, X, X_test, nth_const(w.omega), w.alpha.a, opt));
done:
    nth_priv_khat_weights_free(&w);
    return st;
}
