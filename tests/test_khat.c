/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * The finite-width prediction: its four evaluations against each other (D11), the quadratic form in
 * the labels (D13), several times at once, what a shortcut would miss, bits, refusals.
 */
#include "nth_test.h"
#include "fixtures.h"
#include "hier_priv.h"
#include "linalg_priv.h"
#include "nth/rng.h"
#include "par_priv.h"
#include "shapes.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

enum { MAX = REF_MAX_ROWS, ROOM = MAX * MAX };

/* Everything by the definition: K2, dense K3 and K4 on all rows, the spectrum of the training kernel. */
typedef struct dense {
    int           n, k, rows;
    double        K2[ROOM], K3[MAX][ROOM], K4[MAX][MAX][ROOM], f0[MAX], K[ROOM];
    nth_spectral *sp;
} dense;

static bool slice(double *out, const shape *s, int order, const double *const *v)
{
    const int      rows = s->n + s->k;
    nth_blocks     K = { .train = nth_mat_of(out, rows, rows), .test = { 0 } };
    const nth_cmat all = nth_cmat_of(s->X, rows, 3);
    double         padded[2][MAX] = { { 0 } };
    const double  *w[2] = { padded[0], padded[1] };
    for (int a = 0; a < order - 2; ++a) memcpy(padded[a], v[a], sizeof(double) * (size_t)s->n);
    return NTH_CHECK_OK(nth_hier_contract(&K, s->net, all, (nth_cmat){ 0 }, order, w));
}

static bool dense_open(dense *D, const shape *s, const double *y)
{
    double r0[MAX];
    D->n = s->n, D->k = s->k, D->rows = s->n + s->k, D->sp = NULL;
    if (!slice(D->K2, s, 2, NULL)) return false;
    for (int i = 0; i < D->n; ++i) {
        double        ei[MAX] = { 0 };
        const double *one[1] = { ei };
        ei[i] = 1.0;
        if (!slice(D->K3[i], s, 3, one)) return false;
        for (int j = 0; j < D->n; ++j) {
            double        ej[MAX] = { 0 };
            const double *two[2] = { ei, ej };
            ej[j] = 1.0;
            if (!slice(D->K4[i][j], s, 4, two)) return false;
        }
        D->f0[i] = (double)ref_output(&s->ref, s->ref.theta, s->X + 3 * i);
        r0[i] = D->f0[i] - y[i];
    }
    for (int i = 0; i < D->n; ++i)
        for (int j = 0; j < D->n; ++j) D->K[i * D->n + j] = D->K2[i * D->rows + j];
    return NTH_CHECK_OK(nth_spectral_create(&D->sp, nth_cmat_of(D->K, D->n, D->n), r0));
}

/* term3 = -K3[alpha], term4 = sum Omega_ij K4_ij, and half = K4[alpha, alpha] / 2, all (rows x rows). */
static bool dense_terms(const dense *D, double t, double *term3, double *term4, double *half)
{
    double    alpha[MAX], omega[ROOM];
    const int n = D->n;
    if (!NTH_CHECK_OK(nth_spectral_alpha(D->sp, t, alpha))) return false;
    if (!NTH_CHECK_OK(nth_spectral_omega(D->sp, t, nth_mat_of(omega, n, n)))) return false;
    for (int q = 0; q < D->rows * D->rows; ++q) {
        term3[q] = term4[q] = half[q] = 0.0;
        for (int i = 0; i < n; ++i) {
            term3[q] -= alpha[i] * D->K3[i][q];
            for (int j = 0; j < n; ++j) {
                term4[q] += omega[i * n + j] * D->K4[i][j][q];
                half[q] += 0.5 * alpha[i] * alpha[j] * D->K4[i][j][q];
            }
        }
    }
    return true;
}

static double largest(const double *x, int count)
{
    double m = 0.0;
    for (int i = 0; i < count; ++i) m = nth_worst(m, fabs(x[i]));
    return m;
}

/* The blocks against a dense (rows x rows) array, over its largest entry. */
static double block_error(const block_room *room, const double *dense_array, double floor)
{
    const int     n = (int)room->K.train.rows, k = (int)room->K.test_test.rows, rows = n + k;
    const nth_mat part[3] = { room->K.train, room->K.test, room->K.test_test };
    const int     row0[3] = { 0, n, n }, col0[3] = { 0, 0, n };
    const double  scale = fmax(largest(dense_array, rows * rows), floor);
    double        err = 0.0;
    for (int b = 0; b < 3; ++b)
        for (ptrdiff_t i = 0; i < part[b].rows; ++i)
            for (ptrdiff_t j = 0; j < part[b].cols; ++j)
                err = nth_worst(err, fabs(part[b].a[i * part[b].ld + j] -
                                          dense_array[(row0[b] + i) * rows + col0[b] + j]));
    return err / (scale > 0.0 ? scale : 1.0);
}

/* D11. Times 0 .. infinity where K is well conditioned; residuals with f_0 from 0 to large. */
static void routes_agree(void)
{
    static const char *const name[3] = { "curve", "svd", "quadrature" };
    static dense             D;
    worst                    err[3] = { { 0 } }, err3 = { 0 };
    int                      infinite = 0;
    for (int a = 0; a < shape_count(); ++a) {
        shape  s;
        double times[4] = { 0.0, 0.4, 3.0, INFINITY }, y[MAX];
        if (!shape_open(&s, a)) return;
        for (int i = 0; i < s.n; ++i) y[i] = (i % 2 ? 1.0 : -1.0) * (a % 7 == 0 ? 0.01 : 1.0);
        if (!dense_open(&D, &s, y)) return;
        const double *d = nth_spectral_values(D.sp);
        if (!(d[0] > 0.02 * d[s.n - 1]))
            times[3] = 20.0;
        else
            ++infinite;
        for (int route = 0; route < 3; ++route) {
            block_room K0, t3[4], t4[4];
            nth_blocks b3[4], b4[4];
            if (route == NTH_KHAT_QUADRATURE && a % 5 > 0)
                continue; /* a hundred contractions for each time */
            /* quadrature: rates up to 100 only */
            for (int t = 0; t < 4; ++t)
                if (route == NTH_KHAT_QUADRATURE && !(times[t] * d[s.n - 1] / s.n < 60.0))
                    times[t] = 60.0 * s.n / d[s.n - 1];
            room_open(&K0, s.n, s.k);
            for (int t = 0; t < 4; ++t)
                room_open(&t3[t], s.n, s.k), room_open(&t4[t], s.n, s.k), b3[t] = t3[t].K,
                                                                          b4[t] = t4[t].K;
            NTH_CHECK_OK(nth_hier_khat(&K0.K, b3, b4, s.net, shape_train(&s), shape_test(&s), y, 4,
                                       times, (nth_khat_route)route));
            worst_see(&err3, block_error(&K0, D.K2, 0.0), s.name);
            for (int t = 0; t < 4; ++t) {
                double term3[ROOM], term4[ROOM], half[ROOM];
                if (!dense_terms(&D, times[t], term3, term4, half)) return;
                NTH_CHECK(room_gaps_untouched(&t3[t]) && room_gaps_untouched(&t4[t]) &&
                          room_gaps_untouched(&K0));
                worst_see(&err3, block_error(&t3[t], term3, 1e-3 * largest(term4, D.rows * D.rows)),
                          s.name);
                worst_see(&err[route],
                          block_error(&t4[t], term4, 1e-3 * largest(half, D.rows * D.rows)),
                          s.name);
            }
        }
        nth_spectral_destroy(&D.sp);
        shape_close(&s);
    }
    printf("    t = infinity in %d of %d nets\n", infinite, shape_count());
    NTH_CHECK(infinite > 20);
    for (int route = 0; route < 3; ++route) worst_check(&err[route], name[route], 1e-11);
    worst_check(&err3, "K0 and term3", 1e-12);
}

/* Half the square of the time integral is not the K4 term: it drops the order of the two times. */
static void half_rule_is_not_exact(void)
{
    static dense D;
    int          seen = 0;
    for (int a = 4; a < shape_count(); a += 12) { /* with bias, both scales, single nets */
        shape        s;
        const double y[MAX] = { -1, 1, -1, 1, -1, 1, -1, 1 };
        double       term3[ROOM], term4[ROOM], half[ROOM], off = 0.0;
        if (!shape_open(&s, a) || !dense_open(&D, &s, y)) return;
        if (!dense_terms(&D, 2.0, term3, term4, half)) return;
        for (int q = 0; q < D.rows * D.rows; ++q) off = nth_worst(off, fabs(term4[q] - half[q]));
        if (off > 1e-3 * largest(term4, D.rows * D.rows)) ++seen;
        nth_spectral_destroy(&D.sp);
        shape_close(&s);
    }
    NTH_CHECK(seen >= 12); /* of 16 */
}

/* Entry q of k0 + a.y + y'By with the weights psi and Q in the eigenbasis U (E32). */
static double quadratic_form(const dense *D, int q, const double *U, const double *psi,
                             const double *Q, const double *y)
{
    const int n = D->n;
    double    B[MAX][MAX] = { { 0 } }, M[MAX][MAX] = { { 0 } }, sum = D->K2[q];
    for (int i = 0; i < n; ++i) /* M = (U' K4 U) o Q, B = U M U' */
        for (int j = 0; j < n; ++j) {
            for (int p = 0; p < n; ++p)
                for (int r = 0; r < n; ++r) M[i][j] += U[p * n + i] * D->K4[p][r][q] * U[r * n + j];
            M[i][j] *= Q[i * n + j];
        }
    for (int i = 0; i < n; ++i)
        for (int j = 0; j < n; ++j)
            for (int p = 0; p < n; ++p)
                for (int r = 0; r < n; ++r) B[i][j] += U[i * n + p] * M[p][r] * U[j * n + r];
    for (int i = 0; i < n; ++i) {
        double ai = 0.0;
        for (int j = 0; j < n; ++j) {
            for (int p = 0; p < n; ++p) ai += U[i * n + p] * psi[p] * U[j * n + p] * D->K3[j][q];
            sum += (y[i] * y[j] + D->f0[i] * D->f0[j]) * B[i][j];
        }
        sum -= ai * D->f0[i];
        for (int j = 0; j < n; ++j) ai -= (B[i][j] + B[j][i]) * D->f0[j];
        sum += ai * y[i];
    }
    return sum;
}

/* D13: Khat_t = k0 + a.y + y'By for random labels. */
static void quadratic_in_the_labels(void)
{
    static dense D;
    worst        err = { 0 };
    for (int a = 0; a < shape_count(); a += 7) {
        shape        s;
        const double none[MAX] = { 0 }, t = 1.7;
        double       d[MAX], U[ROOM], psi[MAX], Q[ROOM];
        if (!shape_open(&s, a) || !dense_open(&D, &s, none)) return;
        const int n = s.n;
        NTH_CHECK_OK(nth_eigh(nth_cmat_of(D.K, n, n), d, nth_mat_of(U, n, n)));
        for (int i = 0; i < n; ++i) {
            psi[i] = t / n * nth_phi(t * d[i] / n);
            for (int j = 0; j < n; ++j)
                Q[i * n + j] = t / n * (t / n) * nth_q(t * d[i] / n, t * d[j] / n);
        }
        for (int draw = 0; draw < 2; ++draw) {
            double     y[MAX];
            block_room t3, t4, K0;
            nth_rand_normals(y, n, 71, NTH_STREAM_TEST, (uint32_t)a, 100 * (uint64_t)draw);
            room_open(&K0, n, s.k), room_open(&t3, n, s.k), room_open(&t4, n, s.k);
            NTH_CHECK_OK(nth_hier_khat(&K0.K, &t3.K, &t4.K, s.net, shape_train(&s), shape_test(&s),
                                       y, 1, &t, NTH_KHAT_CURVE));
            const double scale = room_max(&K0) + room_max(&t3) + room_max(&t4);
            for (int i = 0; i < n; ++i)
                for (int j = 0; j < n; ++j) {
                    const int    at = i * (n + 3) + j;
                    const double got = K0.train[at] + t3.train[at] + t4.train[at];
                    const double want = quadratic_form(&D, i * D.rows + j, U, psi, Q, y);
                    worst_see(&err, fabs(got - want) / scale, s.name);
                }
        }
        nth_spectral_destroy(&D.sp);
        shape_close(&s);
    }
    worst_check(&err, "Khat - (k0 + a.y + y'By)", 1e-12);
}

/* Several times at once are those asked for one by one; term3 also in its bits. */
static void times_together(void)
{
    static const double times[5] = { 2.0, 0.0, 0.1, 2.0, 7.0 };
    worst               err = { 0 };
    for (int a = 0; a < shape_count(); a += 5) {
        shape        s;
        block_room   t3[5], t4[5], o3, o4;
        nth_blocks   b3[5], b4[5];
        const double y[MAX] = { 1, -1, -1, 1, 0.5 };
        if (!shape_open(&s, a)) return;
        for (int t = 0; t < 5; ++t)
            room_open(&t3[t], s.n, s.k), room_open(&t4[t], s.n, s.k), b3[t] = t3[t].K,
                                                                      b4[t] = t4[t].K;
        NTH_CHECK_OK(nth_hier_khat(NULL, b3, b4, s.net, shape_train(&s), shape_test(&s), y, 5,
                                   times, NTH_KHAT_CURVE));
        for (int t = 0; t < 5; ++t) {
            room_open(&o3, s.n, s.k), room_open(&o4, s.n, s.k);
            NTH_CHECK_OK(nth_hier_khat(NULL, &o3.K, &o4.K, s.net, shape_train(&s), shape_test(&s),
                                       y, 1, &times[t], NTH_KHAT_CURVE));
            NTH_CHECK(memcmp(o3.train, t3[t].train, sizeof o3.train) == 0 &&
                      memcmp(o3.test, t3[t].test, sizeof o3.test) == 0 &&
                      memcmp(o3.query, t3[t].query, sizeof o3.query) == 0);
            const double scale = room_max(&o4) > 0.0 ? room_max(&o4) : 1.0;
            for (int q = 0; q < s.n * (s.n + 3); ++q)
                worst_see(&err, fabs(o4.train[q] - t4[t].train[q]) / scale, s.name);
            if (times[t] == 0.0) NTH_CHECK(room_max(&o3) == 0.0 && room_max(&o4) == 0.0);
        }
        shape_close(&s);
    }
    worst_check(&err, "term4 of several times", 1e-13);
}

/* Equal copies: every odd kernel is 0, so term3 is. */
static void equal_copies(void)
{
    worst err = { 0 };
    for (int a = 1; a < shape_count(); a += 6) {
        shape        s;
        block_room   t3, t4;
        const double y[MAX] = { 1, -1, -1, 1, 0.5 }, t = 1.5;
        if (!shape_open(&s, a)) return;
        nth_net_init_gaussian(s.net, 8, (uint32_t)a);
        room_open(&t3, s.n, s.k), room_open(&t4, s.n, s.k);
        NTH_CHECK_OK(nth_hier_khat(NULL, &t3.K, &t4.K, s.net, shape_train(&s), shape_test(&s), y, 1,
                                   &t, NTH_KHAT_CURVE));
        worst_see(&err, room_max(&t3) / (room_max(&t4) > 0.0 ? room_max(&t4) : 1.0), s.name);
        for (int route = 0; route < 3; ++route) { /* labels that are the outputs: nothing moves */
            const double zero[MAX] = { 0 };
            NTH_CHECK_OK(nth_hier_khat(NULL, &t3.K, &t4.K, s.net, shape_train(&s), shape_test(&s),
                                       zero, 1, &t, (nth_khat_route)route));
            NTH_CHECK(room_max(&t3) <= 1e-28 && room_max(&t4) <= 1e-28);
        }
        shape_close(&s);
    }
    worst_check(&err, "term3 of equal copies", 1e-13);
}

/* The outputs at t = 0 of all rows come along, and blocks not asked for are not needed. */
static void outputs_and_single_blocks(void)
{
    for (int a = 2; a < shape_count(); a += 19) {
        shape            s;
        block_room       t3, t4, o3, o4;
        nth_rows        *rows = NULL;
        const double     y[MAX] = { 1, -1, -1, 1, 0.5 }, t = 1.5;
        double           f0[MAX];
        nth_khat_request req = { .y = y, .T = 1, .times = &t, .route = NTH_KHAT_CURVE };
        if (!shape_open(&s, a)) return;
        room_open(&t3, s.n, s.k), room_open(&t4, s.n, s.k);
        room_open(&o3, s.n, s.k), room_open(&o4, s.n, s.k);
        NTH_CHECK_OK(nth_rows_create(&rows, s.net, shape_train(&s), shape_test(&s)));
        NTH_CHECK_OK(nth_priv_khat(NULL, &t3.K, &t4.K, f0, rows, &req));
        for (int i = 0; i < s.n + s.k; ++i) {
            const double want = (double)ref_output(&s.ref, s.ref.theta, s.X + 3 * i);
            NTH_CHECK_CLOSE(f0[i], want, 1e-13, 1e-13);
        }
        for (int b = 0; b < 3; ++b) {
            nth_blocks one3 = { 0 }, one4 = { 0 };
            if (b == 0) one3.train = o3.K.train, one4.train = o4.K.train;
            if (b == 1) one3.test = o3.K.test, one4.test = o4.K.test;
            if (b == 2) one3.test_test = o3.K.test_test, one4.test_test = o4.K.test_test;
            NTH_CHECK_OK(nth_priv_khat(NULL, &one3, &one4, NULL, rows, &req));
        }
        nth_blocks alone3 = { .train = o3.K.train }, alone4 = { .train = o4.K.train };
        NTH_CHECK_OK(nth_hier_khat(NULL, &alone3, &alone4, s.net, shape_train(&s), (nth_cmat){ 0 },
                                   y, 1, &t, NTH_KHAT_CURVE)); /* no test inputs */
        NTH_CHECK(memcmp(&o3, &t3, offsetof(block_room, K)) == 0);
        NTH_CHECK(memcmp(&o4, &t4, offsetof(block_room, K)) == 0);
        nth_rows_destroy(&rows);
        shape_close(&s);
    }
}

/* Same bits for 1, 2, 3, 7 threads where products are cut into several tiles. */
static void same_bits_on_any_threads(void)
{
    enum { n = 48, k = 300, d = 7, m = 260, SIZE = n * n + k * n };
    const nth_net_config cfg = { .activation = NTH_ACT_TANH,
                                 .layers = 3,
                                 .widths = { d, m, m, 1 },
                                 .sigma_w = 1.3 };
    static const int     threads[4] = { 1, 2, 3, 7 };
    static double        X[(n + k) * d], y[n], first[2 * SIZE], again[2 * SIZE];
    const double         t = 1.5;
    const int            had = nth_priv_threads();
    nth_net             *net = random_net(&cfg, 5);
    if (!NTH_CHECK(net != NULL)) return;
    nth_rand_normals(X, (n + k) * d, 31, NTH_STREAM_TEST, 0, 0);
    nth_rand_normals(y, n, 31, NTH_STREAM_TEST, 1, 0);
    for (int a = 0; a < 4; ++a) {
        double    *to = a == 0 ? first : again;
        nth_blocks t3 = { .train = nth_mat_of(to, n, n), .test = nth_mat_of(to + n * n, k, n) };
        nth_blocks t4 = { .train = nth_mat_of(to + SIZE, n, n),
                          .test = nth_mat_of(to + SIZE + n * n, k, n) };
        nth_priv_set_threads(threads[a]);
        NTH_CHECK_OK(nth_hier_khat(NULL, &t3, &t4, net, nth_cmat_of(X, n, d),
                                   nth_cmat_of(X + n * d, k, d), y, 1, &t, NTH_KHAT_CURVE));
        if (a > 0) NTH_CHECK(memcmp(first, again, sizeof first) == 0);
    }
    nth_priv_set_threads(had);
    nth_net_destroy(&net);
}

static void refusals(void)
{
    shape      s;
    block_room K0, t3, t4;
    double     y[MAX] = { 1, -1, 1, 0, 0 }, t = 1.0;
    if (!shape_open(&s, 12)) return;
    const nth_cmat X = shape_train(&s), Z = shape_test(&s);
    room_open(&K0, s.n, s.k), room_open(&t3, s.n, s.k), room_open(&t4, s.n, s.k);
#define KHAT(x, z, T, time, route)                                                                 \
    nth_hier_khat(&K0.K, &t3.K, &t4.K, s.net, x, z, y, T, time, route)
    NTH_CHECK_STATUS(KHAT(X, Z, 0, &t, NTH_KHAT_CURVE), NTH_E_ARG);
    NTH_CHECK_MESSAGE("no times");
    for (int k = 0; k < 2; ++k) {
        t = k ? NAN : -0.5;
        NTH_CHECK_STATUS(KHAT(X, Z, 1, &t, NTH_KHAT_CURVE), NTH_E_ARG);
        NTH_CHECK_MESSAGE("negative or not a number");
    }
    for (int k = 0; k < 2; ++k) {
        t = k ? INFINITY : 1e9;
        NTH_CHECK_STATUS(KHAT(X, Z, 1, &t, NTH_KHAT_QUADRATURE), NTH_E_ARG);
        NTH_CHECK_MESSAGE("quadrature in time needs a finite t");
    }
    t = 1.0, y[1] = NAN;
    NTH_CHECK_STATUS(KHAT(X, Z, 1, &t, NTH_KHAT_CURVE), NTH_E_NUMERIC);
    NTH_CHECK_MESSAGE("label 2 is not finite");
    y[1] = -1.0;
    NTH_CHECK_STATUS(KHAT(nth_cmat_of(s.X, s.n, 2), Z, 1, &t, NTH_KHAT_CURVE), NTH_E_SHAPE);
    for (int part = 0; part < 9; ++part) { /* each block of K0, term3, term4 */
        block_room *room = part < 3 ? &K0 : part < 6 ? &t3 : &t4;
        nth_mat    *block = part % 3 == 0   ? &room->K.train
                            : part % 3 == 1 ? &room->K.test
                                            : &room->K.test_test;
        block->rows += 1;
        for (int route = 0; route < 3; ++route)
            NTH_CHECK_STATUS(KHAT(X, Z, 1, &t, (nth_khat_route)route), NTH_E_SHAPE);
        block->rows -= 1;
    }
    memcpy(s.X + 3, s.X, 3 * sizeof(double)); /* two equal points: K is singular */
    NTH_CHECK_OK(KHAT(X, Z, 1, &t, NTH_KHAT_CURVE));
    t = INFINITY;
    for (int route = 0; route < 2; ++route) {
        NTH_CHECK_STATUS(KHAT(X, Z, 1, &t, (nth_khat_route)route), NTH_E_NUMERIC);
        NTH_CHECK_MESSAGE("positive definite");
    }
    s.X[0] = NAN, t = 1.0;
    NTH_CHECK_STATUS(KHAT(X, Z, 1, &t, NTH_KHAT_CURVE), NTH_E_NUMERIC);
#undef KHAT
    shape_close(&s);
}

static shape      sweep;
static int        sweep_route;
static nth_status sweep_khat(void)
{
    const double y[MAX] = { 1, -1, 1, 0, 0 }, times[2] = { 0.3, 1.0 };
    block_room   K0, t3[2], t4[2];
    room_open(&K0, sweep.n, sweep.k);
    for (int t = 0; t < 2; ++t)
        room_open(&t3[t], sweep.n, sweep.k), room_open(&t4[t], sweep.n, sweep.k);
    nth_blocks b3[2] = { t3[0].K, t3[1].K }, b4[2] = { t4[0].K, t4[1].K };
    return nth_hier_khat(&K0.K, b3, b4, sweep.net, shape_train(&sweep), shape_test(&sweep), y, 2,
                         times, (nth_khat_route)sweep_route);
}

static void survives_failing_allocations(void)
{
    if (!shape_open(&sweep, 13)) return; /* doubled, with bias, depth 3 */
    for (sweep_route = 0; sweep_route < 2; ++sweep_route)
        nth_test_every_allocation_fails(sweep_khat);
    shape_close(&sweep);
}

int main(void)
{
    return nth_test_main(
        "khat", (nth_test_case[]){ { "routes_agree", routes_agree },
                                   { "half_rule_is_not_exact", half_rule_is_not_exact },
                                   { "quadratic_in_the_labels", quadratic_in_the_labels },
                                   { "times_together", times_together },
                                   { "equal_copies", equal_copies },
                                   { "outputs_and_single_blocks", outputs_and_single_blocks },
                                   { "same_bits_on_any_threads", same_bits_on_any_threads },
                                   { "refusals", refusals },
                                   { "survives_failing_allocations", survives_failing_allocations },
                                   { 0 } });
}
