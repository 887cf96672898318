/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Kernels, directions, prediction and weights of time against values computed at high precision by
 * programs that share no code with nth (docs/equations.md lists them: A1-A17, B1-B5).
 */
#include "nth_test.h"
#include "fixtures.h"
#include "nth/hier.h"
#include "hier_priv.h"

#include <math.h>

/* rows A1-A15 for F1, F2, F3 */
static const double A[3][15] = {
    { 0.43060430044159903, -0.38754193784349355, -0.33492199753797557, 0.51142876736581451, 0.5773588048448096,
      1.5159281878656626, 0.35123453210652625, 0.011526927767221233, -0.1040597120762087, -0.25810311684610677,
      0.043531654631225244, -0.0404716049033983, 0.41926410348966058, 0.23164867777448982, 0.22435259748214648 },
    { 1.3057544708834664, -1.2408170897428673, -0.94899149782628986, 1.5822516729336188, 3.1450102056868453,
      11.742549148486203, 3.345975282794097, -2.40172960585851, -1.4769467152924121, -5.4056077793661525,
      13.617345161467892, 10.232127824260505, -140.20333567808423, -1.9136811706778195, 35.739330609131934 },
    { 0.33612867703545746, -0.53267067132669628, -0.1957364607241131, 0.70693777736742026, 0.55316829985765157,
      1.5512015230627873, 0.41301209183688787, -0.022370954755711293, -0.046138475449653639, -0.059171804924636207,
      -0.0090764753432859865, -0.055561570205348183, 0.14603666444854199, 0.09016047802616627, 0.15641043817374378 }
};

static double K_train[9], K_test[6], K_query[4];
static nth_blocks blocks(void)
{
    return (nth_blocks){ .train = nth_mat_of(K_train, 3, 3),
                         .test = nth_mat_of(K_test, 2, 3),
                         .test_test = nth_mat_of(K_query, 2, 2) };
}

/* K^(2+k) contracted with the given vectors: fills K_train, K_test, K_query. */
static bool contract(const nth_net *net, int order, const double *a, const double *b, const double *c, const double *d)
{
    const double *const v[4] = { a, b, c, d };
    nth_blocks          K = blocks();
    return NTH_CHECK_OK(nth_hier_contract(&K, net, nth_cmat_of(fx_X, 3, 2), nth_cmat_of(fx_Q, 2, 2), order, v));
}

static void kernel_oracles(void)
{
    static const double e[3][3] = { { 1, 0, 0 }, { 0, 1, 0 }, { 0, 0, 1 } };
    fixture_points();
    for (int f = 0; f < 3; ++f) {
        const double *a = A[f];
        const double  abs14 = f == 1 ? 0.0 : 1e-14; /* rows A8, A11, A12 */
        nth_net      *net = fixture_net((fixture)f);
        nth_rows     *rows = NULL;
        double        out[5];
        nth_blocks    K = blocks();
        if (!NTH_CHECK(net != NULL)) return;
        NTH_CHECK_OK(nth_rows_create(&rows, net, nth_cmat_of(fx_X, 3, 2), nth_cmat_of(fx_Q, 2, 2)));
        NTH_CHECK_OK(nth_priv_ntk_rows(&K, out, rows));
        for (int i = 0; i < 4; ++i) NTH_CHECK_CLOSE(out[i], a[i], 1e-12, 0);
        NTH_CHECK_CLOSE(K_query[1], a[4], 1e-12, 0);
        NTH_CHECK_CLOSE(K_train[0], a[5], 1e-12, 0);
        NTH_CHECK_CLOSE(K_train[1], a[6], 1e-12, 0);
        contract(net, 3, e[0], NULL, NULL, NULL);
        NTH_CHECK_CLOSE(K_query[1], a[7], 1e-12, abs14);
        NTH_CHECK_CLOSE(K_train[1], a[9], 1e-12, 0);
        contract(net, 3, e[1], NULL, NULL, NULL);
        NTH_CHECK_CLOSE(K_query[1], a[8], 1e-12, 0);
        contract(net, 4, e[0], e[1], NULL, NULL);
        NTH_CHECK_CLOSE(K_query[1], a[10], 1e-12, abs14);
        contract(net, 4, e[1], e[0], NULL, NULL);
        NTH_CHECK_CLOSE(K_query[1], a[11], 1e-12, abs14);
        contract(net, 4, e[0], e[0], NULL, NULL);
        NTH_CHECK_CLOSE(K_train[1], a[12], 1e-12, 0);
        contract(net, 3, fx_u, NULL, NULL, NULL);
        NTH_CHECK_CLOSE(K_query[1], a[13], 1e-12, 0);
        contract(net, 4, fx_u, fx_v, NULL, NULL);
        NTH_CHECK_CLOSE(K_query[1], a[14], 1e-12, 0);
        NTH_CHECK_CLOSE(K_query[2], a[14], 1e-12, 0);
        if (f == 1) {
            contract(net, 5, fx_u, fx_v, fx_w, NULL);
            NTH_CHECK_CLOSE(K_query[1], -120.387925091382, 1e-11, 0);
            contract(net, 5, fx_w, fx_v, fx_u, NULL);
            NTH_CHECK_CLOSE(K_query[1], 342.999620024954, 1e-11, 0);
            contract(net, 6, fx_u, fx_v, fx_w, fx_u);
            NTH_CHECK_CLOSE(K_query[1], -3415.8840349985, 1e-11, 0);
        }
        nth_rows_destroy(&rows);
        nth_net_destroy(&net);
    }
}

/* B1-B5 at t = 2 and the rows of Omega(2): F1, F3. Values of the K4 terms: nested central differences
 * at 70 digits (F1), and the sums over neurons E59 at 40 digits (F3). */
static void prediction_oracles(void)
{
    static const struct {
        fixture f;
        double  alpha[3], omega[9], term3, term4, half, khat;
    } B[2] = {
        { F1,
          { 0.87272334195984985, -0.7760071522169258, 0.48521427492953086 },
          { 0.38082301580078451, -0.35081940431157198, 0.20206210694484721, -0.32642015095592942, 0.30109355014591153,
            -0.17283103315688823, 0.22139571663827835, -0.20369871454617751, 0.11771644629769518 },
          -0.10245829942657023, 0.0048761129454777833, 0.0041159148700477299, 0.47977661836371715 },
        { F3,
          { 0.86569723770305391, -0.86978003900449112, 0.51738267049273101 },
          { 0.37471585368334891, -0.39283199474232369, 0.22299643227517777, -0.36013418243311876, 0.37825865812532704,
            -0.21430954150239907, 0.2249003164058088, -0.23569957781901628, 0.13384241386309493 },
          -0.041722487091109937, 0.0028131943071598637, 0.0029916073142511621, 0.51425900707370150 }
    };
    fixture_points();
    for (int k = 0; k < 2; ++k) {
        nth_net      *net = fixture_net(B[k].f);
        nth_spectral *sp = NULL;
        nth_blocks    K = blocks();
        double        r0[3], alpha[3], omega[9], t3[4], t4[4], t = 2.0;
        nth_blocks    b3 = { .test_test = nth_mat_of(t3, 2, 2) }, b4 = { .test_test = nth_mat_of(t4, 2, 2) };
        if (!NTH_CHECK(net != NULL)) return;
        NTH_CHECK_OK(nth_ntk_empirical(&K, net, nth_cmat_of(fx_X, 3, 2), nth_cmat_of(fx_Q, 2, 2)));
        for (int i = 0; i < 3; ++i) r0[i] = A[B[k].f][i] - fx_y[i];
        NTH_CHECK_OK(nth_spectral_create(&sp, nth_cmat_of(K_train, 3, 3), r0));
        NTH_CHECK_OK(nth_spectral_alpha(sp, t, alpha));
        NTH_CHECK_OK(nth_spectral_omega(sp, t, nth_mat_of(omega, 3, 3)));
        for (int i = 0; i < 3; ++i) NTH_CHECK_CLOSE(alpha[i], B[k].alpha[i], 1e-12, 0);
        for (int i = 0; i < 9; ++i) NTH_CHECK_CLOSE(omega[i], B[k].omega[i], 1e-11, 0);
        contract(net, 4, alpha, alpha, NULL, NULL);
        NTH_CHECK_CLOSE(0.5 * K_query[1], B[k].half, 1e-12, 0);
        for (int route = NTH_KHAT_CURVE; route <= NTH_KHAT_QUADRATURE; ++route) {
            K = blocks();
            NTH_CHECK_OK(nth_hier_khat(&K, &b3, &b4, net, nth_cmat_of(fx_X, 3, 2), nth_cmat_of(fx_Q, 2, 2), fx_y, 1, &t,
                                       (nth_khat_route)route));
            NTH_CHECK_CLOSE(t3[1], B[k].term3, 1e-12, 0);
            NTH_CHECK_CLOSE(t4[1], B[k].term4, 1e-12, 0);
            NTH_CHECK_CLOSE(K_query[1] + t3[1] + t4[1], B[k].khat, 1e-12, 0);
        }
        nth_spectral_destroy(&sp);
        nth_net_destroy(&net);
    }
}

int main(void)
{
    return nth_test_main("oracles", (nth_test_case[]){ { "kernel_oracles", kernel_oracles },
                                                       { "prediction_oracles", prediction_oracles },
                                                       { 0 } });
}
