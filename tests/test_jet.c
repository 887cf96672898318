/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Contracted kernels against the slow twin, on networks of every kind: J J^T (D1), derivatives of
 * the kernel below (E9, E13), Hessians (E11), the commutator of directions (D3); and the two
 * algebras of jets against each other (D17).
 */
#include "nth_test.h"
#include "fixtures.h"
#include "hier_priv.h"
#include "nth/rng.h"
#include "shapes.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

static ref_real R[REF_MAX_ROWS * REF_MAX_ROWS];

static bool contract(block_room *room, const shape *s, int order, const double *const *v)
{
    room_open(room, s->n, s->k);
    return NTH_CHECK_OK(
               nth_hier_contract(&room->K, s->net, shape_train(s), shape_test(s), order, v)) &&
           NTH_CHECK(room_gaps_untouched(room));
}

static void k2_is_jacobian_product(void)
{
    worst kernel = { 0 }, outputs = { 0 };
    for (int a = 0; a < shape_count(); ++a) {
        shape      s;
        block_room room;
        nth_rows  *rows = NULL;
        double     f[REF_MAX_ROWS];
        if (!shape_open(&s, a)) return;
        ref_contract(R, &s.ref, s.ref.theta, s.pts, 0, NULL);
        room_open(&room, s.n, s.k);
        NTH_CHECK_OK(nth_ntk_empirical(&room.K, s.net, shape_train(&s), shape_test(&s)));
        NTH_CHECK(room_gaps_untouched(&room));
        worst_see(&kernel, room_error(&room, R, 0.0), s.name);
        contract(&room, &s, 2, NULL);
        worst_see(&kernel, room_error(&room, R, 0.0), s.name);
        NTH_CHECK_OK(nth_rows_create(&rows, s.net, shape_train(&s), shape_test(&s)));
        NTH_CHECK_OK(nth_priv_ntk_rows(&room.K, f, rows));
        for (int i = 0; i < s.n + s.k; ++i) {
            const double want = (double)ref_output(&s.ref, s.ref.theta, s.X + 3 * i);
            worst_see(&outputs, fabs(f[i] - want) / (1.0 + fabs(want)), s.name);
        }
        nth_rows_destroy(&rows);
        shape_close(&s);
    }
    worst_check(&kernel, "K2 - J J^T", 1e-13);
    worst_check(&outputs, "outputs", 1e-13);
}

/* K3, K4 for all nets, K5 for single ones, K6 for those of depth 2 and 3 with bias. */
static bool wants(int number, int order)
{
    if (order <= 4) return true;
    if (number / 24 == NTH_ACT_RELU) return false; /* steps below the kinks: too short for these */
    if (shape_is_doubled(number) && number % 24 != 5) return false;
    return order == 5 ? number / 2 % 2 == 0 : number / 2 % 4 == 2 && shape_layers(number) < 4;
}

static void contractions_are_nested_differences(void)
{
    static const double bound[7] = { 0, 0, 0, 1e-13, 1e-12, 1e-11, 1e-10 };
    static const double dull[7] = {
        0, 0, 0, 1e-13, 1e-11, 2e-9, 1e-8
    }; /* how noisy the twin may be */
    worst err[7] = { 0 }, blur[7] = { 0 };
    for (int a = 0; a < shape_count(); ++a) {
        shape s;
        if (!shape_open(&s, a)) return;
        const double *const v[4] = { s.v[0], s.v[1], s.v[2], s.v[3] };
        for (int order = 3; order <= 6; ++order) {
            block_room room;
            if (!wants(a, order)) continue;
            contract(&room, &s, order, v);
            ref_order(&s.ref, order);
            ref_contract(R, &s.ref, s.ref.theta, s.pts, order - 2, v);
            const double noise = ref_noise(&s.ref, s.pts, order - 2, v), most = room_max(&room);
            worst_see(&err[order], room_error(&room, R, noise), s.name);
            if (most > 0.0) worst_see(&blur[order], noise / most, s.name);
        }
        shape_close(&s);
    }
    for (int order = 3; order <= 6; ++order) {
        worst_check(&blur[order], "rounding of the twin", dull[order]);
        char what[64];
        snprintf(what, sizeof what, "K%d - differences of K%d", order, order - 1);
        worst_check(&err[order], what, bound[order]);
    }
}

/* K3(1,2,3) = g_2 H_1 g_3 + g_1 H_2 g_3 with dense Hessians, slot 3 by unit vectors. */
static void k3_by_hessians(void)
{
    worst err = { 0 };
    for (int a = 0; a < shape_count(); a += 5) {
        shape           s;
        static ref_real g[REF_MAX_ROWS][REF_MAX_P], H[REF_MAX_ROWS][REF_MAX_P];
        if (!shape_open(&s, a)) return;
        const int rows = s.n + s.k;
        for (int i = 0; i < rows; ++i) ref_gradient(g[i], &s.ref, s.ref.theta, s.X + 3 * i);
        for (int slot = 0; slot < s.n; ++slot) {
            double              e[REF_MAX_ROWS] = { 0 };
            const double *const v[1] = { e };
            block_room          room;
            e[slot] = 1.0;
            for (int i = 0; i < rows; ++i) ref_hessian_vector(H[i], &s.ref, s.X + 3 * i, g[slot]);
            for (int i = 0; i < rows; ++i)
                for (int j = 0; j < rows; ++j) {
                    ref_real sum = 0;
                    for (int p = 0; p < s.ref.P; ++p) sum += g[j][p] * H[i][p] + g[i][p] * H[j][p];
                    R[i * rows + j] = sum;
                }
            contract(&room, &s, 3, v);
            worst_see(&err, room_error(&room, R, 0.0), s.name);
        }
        shape_close(&s);
    }
    worst_check(&err, "K3 - g H g", 1e-13);
}

/* K4 entry by entry in slots 3, 4 by unit vectors: slot order, and K4[u,v] as their sum. */
static void k4_tensor(void)
{
    worst err = { 0 }, sum = { 0 };
    for (int a = 0; a < shape_count(); a += 7) {
        shape      s;
        block_room room, whole;
        if (!shape_open(&s, a)) return;
        const int           rows = s.n + s.k;
        const double *const uv[2] = { s.v[0], s.v[1] };
        ref_real            total[REF_MAX_ROWS * REF_MAX_ROWS] = { 0 };
        for (int i = 0; i < s.n; ++i)
            for (int j = 0; j < s.n; ++j) {
                double              ei[REF_MAX_ROWS] = { 0 }, ej[REF_MAX_ROWS] = { 0 };
                const double *const v[2] = { ei, ej };
                ei[i] = ej[j] = 1.0;
                ref_contract(R, &s.ref, s.ref.theta, s.pts, 2, v);
                contract(&room, &s, 4, v);
                worst_see(&err, room_error(&room, R, ref_noise(&s.ref, s.pts, 2, v)), s.name);
                for (int q = 0; q < rows * rows; ++q) total[q] += s.v[0][i] * s.v[1][j] * R[q];
            }
        contract(&whole, &s, 4, uv);
        worst_see(&sum, room_error(&whole, total, s.n * s.n * ref_noise(&s.ref, s.pts, 2, uv)),
                  s.name);
        shape_close(&s);
    }
    worst_check(&err, "K4 entries", 1e-12);
    worst_check(&sum, "K4[u,v] - sum u_i v_j K4_ij", 1e-12);
}

/* D3: K4[u,v] - K4[v,u] = <grad K2, sum_i u_i H_i G(v) - v_i H_i G(u)> (E12). */
static void commutator(void)
{
    worst err = { 0 };
    for (int a = 0; a < shape_count(); ++a) {
        shape           s;
        block_room      one, two;
        static ref_real Gu[REF_MAX_P], Gv[REF_MAX_P], Hu[REF_MAX_P], Hv[REF_MAX_P], w[REF_MAX_P];
        if (!shape_open(&s, a)) return;
        const int           rows = s.n + s.k;
        const double *const uv[2] = { s.v[0], s.v[1] }, *const vu[2] = { s.v[1], s.v[0] };
        ref_real left[REF_MAX_ROWS * REF_MAX_ROWS];
        double   scale;
        ref_direction(Gu, &s.ref, s.ref.theta, s.pts, s.v[0]);
        ref_direction(Gv, &s.ref, s.ref.theta, s.pts, s.v[1]);
        for (int p = 0; p < s.ref.P; ++p) w[p] = 0;
        for (int i = 0; i < s.n; ++i) {
            ref_hessian_vector(Hv, &s.ref, s.X + 3 * i, Gv);
            ref_hessian_vector(Hu, &s.ref, s.X + 3 * i, Gu);
            for (int p = 0; p < s.ref.P; ++p) w[p] += s.v[0][i] * Hv[p] - s.v[1][i] * Hu[p];
        }
        ref_kernel_derivative(R, &s.ref, s.pts, w);
        contract(&one, &s, 4, uv);
        contract(&two, &s, 4, vu);
        scale = room_max(&one) + room_max(&two);
        for (int i = 0; i < s.n; ++i)
            for (int j = 0; j < s.n; ++j) {
                left[i * rows + j] =
                    one.K.train.a[i * one.K.train.ld + j] - two.K.train.a[i * two.K.train.ld + j];
                worst_see(&err,
                          (double)fabsl(left[i * rows + j] - R[i * rows + j]) /
                              (scale > 1e-10 ? scale : 1.0),
                          s.name);
            }
        shape_close(&s);
    }
    worst_check(&err, "[D_v, D_u] K2", 1e-13);
}

/* D4: K^(r+1)[.., v] = d/de K^(r) along G(v), every order by the library itself, e = 3e-6. */
static void central_differences(void)
{
    worst err = { 0 };
    for (int a = 0; a < shape_count(); ++a) {
        shape           s;
        block_room      next, up, down;
        static ref_real G[REF_MAX_P];
        if (!shape_open(&s, a)) return;
        const double *const v[4] = { s.v[0], s.v[1], s.v[2], s.v[3] };
        for (int r = 2; r <= 5; ++r) {
            ref_real size = 0;
            ref_direction(G, &s.ref, s.ref.theta, s.pts, v[r - 2]);
            for (int p = 0; p < s.ref.P; ++p) size += G[p] * G[p];
            size = sqrtl(size);
            const ref_real e = 3e-6L / (size > 0 ? size : 1);
            ref_write(s.net, &s.ref, e, G);
            contract(&up, &s, r, v);
            ref_write(s.net, &s.ref, -e, G);
            contract(&down, &s, r, v);
            ref_write(s.net, &s.ref, 0, G);
            contract(&next, &s, r + 1, v);
            const double scale = room_max(&next) + (double)size * room_max(&up);
            for (int q = 0; q < s.n * (s.n + 3); ++q) {
                if (q % (s.n + 3) >= s.n) continue;
                const double slope = (up.train[q] - down.train[q]) / (double)(2 * e);
                worst_see(&err, fabs(slope - next.train[q]) / (scale > 0.0 ? scale : 1.0), s.name);
            }
        }
        shape_close(&s);
    }
    worst_check(&err, "central differences, r = 2..5", 1e-9);
}

/* D16: K2(theta - e G(c)) = K2 - e K3[c] + (e^2/2)(K4[c,c] - <grad K2, grad_G G>) + O(e^3). */
static void taylor_remainder(void)
{
    for (int act = 0; act < NTH_ACT_COUNT; ++act) {
        shape           s;
        block_room      k3, k4;
        static ref_real G[REF_MAX_P], GG[REF_MAX_P], H[REF_MAX_P], moved[REF_MAX_P];
        ref_real        K0[64], D[64], rest[5];
        if (!shape_open(&s, 24 * act + 12)) return;
        const int           rows = s.n + s.k;
        const double *const c[2] = { s.v[0], s.v[0] };
        ref_direction(G, &s.ref, s.ref.theta, s.pts, s.v[0]);
        for (int p = 0; p < s.ref.P; ++p) GG[p] = 0;
        for (int i = 0; i < s.n; ++i) {
            ref_hessian_vector(H, &s.ref, s.X + 3 * i, G);
            for (int p = 0; p < s.ref.P; ++p) GG[p] += s.v[0][i] * H[p];
        }
        ref_kernel_derivative(D, &s.ref, s.pts, GG);
        ref_contract(K0, &s.ref, s.ref.theta, s.pts, 0, NULL);
        contract(&k3, &s, 3, c);
        contract(&k4, &s, 4, c);
        for (int k = 0; k < 5; ++k) {
            const ref_real e = ldexpl(1e-3L, -k);
            for (int p = 0; p < s.ref.P; ++p) moved[p] = s.ref.theta[p] - e * G[p];
            ref_contract(R, &s.ref, moved, s.pts, 0, NULL);
            rest[k] = 0;
            for (int i = 0; i < s.n; ++i)
                for (int j = 0; j < s.n; ++j) {
                    const int      q = i * rows + j, at = i * (s.n + 3) + j;
                    const ref_real poly =
                        K0[q] - e * k3.train[at] + e * e / 2 * (k4.train[at] - D[q]);
                    rest[k] += fabsl(R[q] - poly);
                }
        }
        if (act == NTH_ACT_LINEAR) NTH_CHECK(s.ref.cfg.layers == 3);
        for (int k = 0; k < 4; ++k)
            NTH_CHECK_CLOSE((double)log2l(rest[k] / rest[k + 1]), 3.0, 0.0, 0.05);
        shape_close(&s);
    }
}

/* Coefficient of eps^order of K2 along the flow of G(v), by the Taylor algebra (E23). */
static bool by_taylor(double *K, const nth_rows *rows, int order, const double *v)
{
    nth_algebra           alg;
    nth_jet              *jet = NULL;
    static nth_directions dirs;
    nth_mat               out[NTH_MAX_COMPS] = { 0 };
    bool                  ok;
    nth_algebra_taylor(&alg, order);
    memset(&dirs, 0, sizeof dirs);
    ok = NTH_CHECK_OK(nth_jet_create(&jet, &alg, rows, 0, rows->n, true)) &&
         NTH_CHECK_OK(nth_jet_advance(jet, NULL, 0, 1));
    if (!ok) return false;
    nth_directions_base(&dirs, jet);
    for (int c = 0; c < order && ok; ++c) {
        if (c > 0) nth_directions_factor(&dirs, jet, c, c);
        for (int i = 0; i <= c; ++i)
            ok = ok && NTH_CHECK_OK(nth_directions_term(&dirs, (nth_term){ .comp = c + 1,
                                                                           .left = i,
                                                                           .right = c - i,
                                                                           .coef = 1.0 / (c + 1),
                                                                           .v = v }));
        ok = ok && NTH_CHECK_OK(nth_jet_advance(jet, &dirs, c + 1, c + 2));
    }
    out[order] = nth_mat_of(K, rows->n, rows->n);
    ok = ok && NTH_CHECK_OK(nth_jet_gram(out, jet, jet));
    nth_jet_destroy(&jet);
    return ok;
}

/* D17: K^(2+k)[v,..,v] = k! times the Taylor coefficient, k = 1..4. */
static void taylor_matches_nilpotent(void)
{
    worst err = { 0 };
    for (int a = 0; a < shape_count(); ++a) {
        shape      s;
        nth_rows  *rows = NULL;
        block_room room;
        double     K[REF_MAX_ROWS * REF_MAX_ROWS], factorial = 1.0;
        if (!shape_open(&s, a)) return;
        const double *const v[4] = { s.v[0], s.v[0], s.v[0], s.v[0] };
        NTH_CHECK_OK(nth_rows_create(&rows, s.net, shape_train(&s), (nth_cmat){ 0 }));
        for (int k = 1; k <= 4; ++k) {
            factorial *= k;
            if (!by_taylor(K, rows, k, s.v[0])) return;
            contract(&room, &s, 2 + k, v);
            const double scale = room_max(&room);
            for (int i = 0; i < s.n; ++i)
                for (int j = 0; j < s.n; ++j)
                    worst_see(&err,
                              fabs(factorial * K[i * s.n + j] - room.train[i * (s.n + 3) + j]) /
                                  (scale > 1e-10 ? scale : 1.0),
                              s.name);
        }
        nth_rows_destroy(&rows);
        shape_close(&s);
    }
    worst_check(&err, "Taylor - nilpotent, K3 to K6", 1e-13);
}

/* Every choice of layers that do not train, against the twin. */
static void frozen_layers(void)
{
    worst err = { 0 };
    for (int a = 0; a < shape_count(); a += 3) {
        shape s;
        if (!shape_open(&s, a)) return;
        const double *const v[2] = { s.v[0], s.v[1] };
        const int           all = s.net->cfg.widths[0] == 3 ? (1 << s.net->cfg.layers) - 1 : 0;
        for (int mask = 1 + a % 2; mask <= all; mask += mask + 2 <= all ? 2 : 1) {
            block_room room;
            s.net->cfg.frozen = (unsigned)mask;
            ref_read(&s.ref, s.net);
            for (int order = 2; order <= 4; ++order) {
                contract(&room, &s, order, v);
                if (order > 2 && mask == (all >> 1)) { /* the read-out alone: linear in theta */
                    NTH_CHECK(room_max(&room) == 0.0);
                    continue;
                }
                ref_contract(R, &s.ref, s.ref.theta, s.pts, order - 2, v);
                worst_see(&err, room_error(&room, R, ref_noise(&s.ref, s.pts, order - 2, v)),
                          s.name);
                if (mask == all) NTH_CHECK(room_max(&room) == 0.0);
            }
        }
        shape_close(&s);
    }
    worst_check(&err, "frozen layers, K2 to K4", 1e-12);
}

/* One input of one coordinate, one neuron in each layer, one test point. */
static void smallest_net(void)
{
    worst err = { 0 };
    for (int act = 0; act < NTH_ACT_COUNT; ++act)
        for (int L = 2; L <= 4; ++L) {
            const nth_net_config cfg = { .activation = (nth_activation)act,
                                         .layers = L,
                                         .widths = { 1, 1, 1, 1, 1 },
                                         .sigma_w = 0.9,
                                         .sigma_b = L == 3 ? 0.4 : 0.0 };
            shape s = { .n = 1, .k = 1, .X = { 0.8, 0.6 }, .v = { { 0.7 }, { -1.3 } } };
            const double *const v[2] = { s.v[0], s.v[1] };
            s.net = random_net(&cfg, 2);
            if (!NTH_CHECK(s.net != NULL)) return;
            s.pts = (ref_points){ .X = s.X, .n = 1, .rows = 2 };
            ref_read(&s.ref, s.net);
            s.ref.step *= 0.25L; /* few parameters, some of them small */
            for (int order = 2; order <= 4; ++order) {
                block_room room;
                room_open(&room, 1, 1);
                NTH_CHECK_OK(nth_hier_contract(&room.K, s.net, nth_cmat_of(s.X, 1, 1),
                                               nth_cmat_of(s.X + 1, 1, 1), order, v));
                ref_contract(R, &s.ref, s.ref.theta, s.pts, order - 2, v);
                worst_see(&err, room_error(&room, R, ref_noise(&s.ref, s.pts, order - 2, v)),
                          nth_activation_name(cfg.activation));
            }
            shape_close(&s);
        }
    worst_check(&err, "K2 to K4 of one neuron", 1e-12);
}

/* Layers so wide that the loops over entries take several blocks, the last one not full. */
static void wide_net(void)
{
    worst                err = { 0 };
    const nth_net_config cfg = { .activation = NTH_ACT_TANH,
                                 .layers = 3,
                                 .widths = { 3, 43, 37, 1 },
                                 .sigma_w = 1.2,
                                 .sigma_b = 0.2 };
    static shape         s;
    s.n = 4, s.k = 4;
    nth_rand_normals(s.X, 24, 16, NTH_STREAM_TEST, 0, 0);
    for (int a = 0; a < 4; ++a)
        nth_rand_normals(s.v[a], s.n, 16, NTH_STREAM_TEST, 1, 8 * (uint64_t)a);
    const double *const v[2] = { s.v[0], s.v[1] };
    s.net = random_net(&cfg, 3);
    if (!NTH_CHECK(s.net != NULL)) return;
    s.pts = (ref_points){ .X = s.X, .n = s.n, .rows = s.n + s.k };
    ref_read(&s.ref, s.net);
    for (int order = 2; order <= 4; ++order) {
        block_room room;
        contract(&room, &s, order, v);
        ref_contract(R, &s.ref, s.ref.theta, s.pts, order - 2, v);
        worst_see(&err, room_error(&room, R, ref_noise(&s.ref, s.pts, order - 2, v)), "wide");
    }
    shape_close(&s);
    worst_check(&err, "K2 to K4 of a wide net", 1e-12);
}

/* nth_jet_doubles counts the arrays which a jet has; components out of order are refused. */
static void jet_arrays(void)
{
    for (int a = 0; a < shape_count(); a += 11)
        for (int staged = 0; staged < 2; ++staged) {
            shape       s;
            nth_rows   *rows = NULL;
            nth_jet    *jet = NULL;
            nth_algebra alg;
            double      count = 0.0, shared = 0.0;
            if (!shape_open(&s, a)) return;
            nth_algebra_nilpotent(&alg, a % 4);
            NTH_CHECK_OK(nth_rows_create(&rows, s.net, shape_train(&s), shape_test(&s)));
            NTH_CHECK_OK(nth_jet_create(&jet, &alg, rows, 1, s.n, staged));
            for (int c = 0; c < 2; ++c)
                for (int l = 0; l < NTH_MAX_LAYERS; ++l) {
                    const double entries =
                        jet->x[c][l] ? (double)(alg.comps * s.n * s.net->cfg.widths[l + 1]) : 0.0;
                    const bool own_b = !jet->plain && jet->b[c][l] != jet->d[c][l];
                    count += entries * (2 + (jet->s[c][l] != jet->d[c][l]) + (jet->h[c][l] != jet->x[c][l]) + own_b);
                    shared = fmax(shared, l + 2 < s.net->cfg.layers ? entries : entries / (double)s.n);
                }
            NTH_CHECK(jet->plain == (alg.comps == 1 && !staged));
            if (jet->plain) count += shared;
            NTH_CHECK(nth_jet_doubles(&s.net->cfg, alg.comps, s.n, staged) == count);
            NTH_CHECK_STATUS(nth_jet_advance(jet, NULL, 0, 2), NTH_E_ARG);
            NTH_CHECK_STATUS(nth_jet_advance(jet, NULL, 1, 1), NTH_E_ARG);
            if (!staged && !jet->plain) NTH_CHECK_STATUS(nth_jet_advance(jet, NULL, 0, 1), NTH_E_ARG);
            nth_jet_destroy(&jet);
            NTH_CHECK_STATUS(nth_jet_create(&jet, &alg, rows, 0, 0, staged), NTH_E_SHAPE);
            NTH_CHECK_STATUS(nth_jet_create(&jet, &alg, rows, s.k + 1, s.n, staged), NTH_E_SHAPE);
            NTH_CHECK(jet == NULL);
            nth_rows_destroy(&rows);
            shape_close(&s);
        }
}

int main(void)
{
    return nth_test_main(
        "jet", (nth_test_case[]){
                   { "k2_is_jacobian_product", k2_is_jacobian_product },
                   { "contractions_are_nested_differences", contractions_are_nested_differences },
                   { "k3_by_hessians", k3_by_hessians },
                   { "k4_tensor", k4_tensor },
                   { "commutator", commutator },
                   { "central_differences", central_differences },
                   { "taylor_remainder", taylor_remainder },
                   { "taylor_matches_nilpotent", taylor_matches_nilpotent },
                   { "frozen_layers", frozen_layers },
                   { "smallest_net", smallest_net },
                   { "wide_net", wide_net },
                   { "jet_arrays", jet_arrays },
                   { 0 } });
}
