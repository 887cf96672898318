/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Small networks of every kind (shapes.h).
 */
#include "shapes.h"
#include "fixtures.h"
#include "nth/rng.h"
#include "nth_test.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

enum { GAP = 3 };
static const double GAP_MARK = -7.25e11;

int  shape_count(void) { return NTH_ACT_COUNT * 3 * 2 * 2 * 2; }
bool shape_is_doubled(int number) { return number % 2 == 1; }
int  shape_layers(int number) { return 2 + number / 8 % 3; }

nth_cmat shape_train(const shape *s) { return nth_cmat_of(s->X, s->n, 3); }
nth_cmat shape_test(const shape *s) { return nth_cmat_of(s->X + 3 * s->n, s->k, 3); }

static nth_net_config config(int number)
{
    nth_net_config cfg = { .activation = (nth_activation)(number / 24),
                           .layers = shape_layers(number),
                           .widths = { 3, 5, 7, 3, 1 },
                           .sigma_w = 1.1 };
    cfg.doubled = shape_is_doubled(number);
    cfg.input_scale = number / 2 % 2 ? NTH_INPUT_ONE : NTH_INPUT_FAN_IN;
    cfg.sigma_b = number / 4 % 2 ? 0.3 : 0.0;
    cfg.widths[cfg.layers] = 1;
    return cfg;
}

/* Both copies Gaussian, but different, as in the midst of training. */
static void draw(nth_net *net, uint32_t run)
{
    nth_net_init_gaussian(net, 11, run);
    for (int l = 1; l <= net->cfg.layers && net->copies == 2; ++l) {
        const nth_mat W = net->W[1][l - 1];
        nth_rand_normals(W.a, W.rows * W.cols, 12, NTH_STREAM_TEST, run, 1000 * (uint64_t)l);
        if (net->b[1][l - 1] != NULL)
            nth_rand_normals(net->b[1][l - 1], W.rows, 13, NTH_STREAM_TEST, run,
                             1000 * (uint64_t)l);
    }
}

bool shape_open(shape *s, int number)
{
    const nth_net_config cfg = config(number);
    memset(s, 0, sizeof *s);
    s->n = 3 + number % 3, s->k = 1 + number / 3 % 3;
    nth_rand_normals(s->X, 3 * (s->n + s->k), 14, NTH_STREAM_TEST, (uint32_t)number, 0);
    for (int a = 0; a < 4; ++a)
        nth_rand_normals(s->v[a], s->n, 15, NTH_STREAM_TEST, (uint32_t)number, 100 * (uint64_t)a);
    for (int i = 0; i < 3 * (s->n + s->k); ++i) s->X[i] *= 0.5;
    s->pts = (ref_points){ .X = s->X, .n = s->n, .rows = s->n + s->k };
    snprintf(s->name, sizeof s->name, "%s L=%d sigma_b=%g scale=%d copies=%d",
             nth_activation_name(cfg.activation), cfg.layers, cfg.sigma_b, (int)cfg.input_scale,
             cfg.doubled ? 2 : 1);
    if (!NTH_CHECK_OK(nth_net_create(&s->net, &cfg, true))) return false;
    for (uint32_t run = 0; run < 20000; ++run) { /* relu: no kink within reach of the differences */
        draw(s->net, run);
        ref_read(&s->ref, s->net);
        if (cfg.activation != NTH_ACT_RELU || ref_margin(&s->ref, s->pts) > 0.025L) return true;
    }
    shape_close(s);
    const bool found = false; /* a net away from the kinks */
    return NTH_CHECK(found);
}

void shape_close(shape *s) { nth_net_destroy(&s->net); }

static nth_mat gapped(double *a, ptrdiff_t rows, ptrdiff_t cols)
{
    return (nth_mat){ .a = a, .rows = rows, .cols = cols, .ld = cols + GAP };
}

void room_open(block_room *room, int n, int k)
{
    for (int i = 0; i < REF_MAX_ROWS * 11; ++i)
        room->train[i] = room->test[i] = room->query[i] = GAP_MARK;
    room->K = (nth_blocks){ .train = gapped(room->train, n, n) };
    if (k == 0) return;
    room->K.test = gapped(room->test, k, n);
    room->K.test_test = gapped(room->query, k, k);
}

bool room_gaps_untouched(const block_room *room)
{
    const nth_mat *part[3] = { &room->K.train, &room->K.test, &room->K.test_test };
    for (int b = 0; b < 3; ++b)
        for (ptrdiff_t i = 0; part[b]->a != NULL && i < part[b]->rows; ++i)
            for (ptrdiff_t j = part[b]->cols; j < part[b]->ld; ++j)
                if (part[b]->a[i * part[b]->ld + j] != GAP_MARK) return false;
    return true;
}

static double block_error(nth_mat K, const ref_real *R, int rows, int row0, int col0, double noise,
                          double scale)
{
    double err = 0.0;
    for (ptrdiff_t i = 0; i < K.rows; ++i)
        for (ptrdiff_t j = 0; j < K.cols; ++j) {
            const double e = (double)fabsl(K.a[i * K.ld + j] - R[(row0 + i) * rows + col0 + j]);
            err = nth_worst(err, islessequal(e, noise) ? 0.0 : (e - noise) / scale);
        }
    return err;
}

double room_error(const block_room *room, const ref_real *R, double noise)
{
    const int n = (int)room->K.train.rows, k = (int)room->K.test_test.rows, rows = n + k;
    double    scale = 0.0, err;
    for (int i = 0; i < rows * rows; ++i) scale = nth_worst(scale, (double)fabsl(R[i]));
    if (scale <= 10.0 * noise) scale = 1.0; /* a kernel that vanishes: the error stays absolute */
    err = block_error(room->K.train, R, rows, 0, 0, noise, scale);
    if (k == 0) return err;
    err = nth_worst(err, block_error(room->K.test, R, rows, n, 0, noise, scale));
    return nth_worst(err, block_error(room->K.test_test, R, rows, n, n, noise, scale));
}

double room_max(const block_room *room)
{
    const nth_mat part[3] = { room->K.train, room->K.test, room->K.test_test };
    double        most = 0.0;
    for (int b = 0; b < 3; ++b)
        for (ptrdiff_t i = 0; part[b].a != NULL && i < part[b].rows; ++i)
            for (ptrdiff_t j = 0; j < part[b].cols; ++j)
                most = nth_worst(most, fabs(part[b].a[i * part[b].ld + j]));
    return most;
}

double room_distance(const block_room *a, const block_room *b)
{
    const nth_mat A[3] = { a->K.train, a->K.test, a->K.test_test }, B[3] = { b->K.train, b->K.test, b->K.test_test };
    double        d = 0.0;
    for (int p = 0; p < 3; ++p)
        for (ptrdiff_t i = 0; i < A[p].rows; ++i)
            for (ptrdiff_t j = 0; j < A[p].cols; ++j) d = nth_worst(d, fabs(A[p].a[i * A[p].ld + j] - B[p].a[i * B[p].ld + j]));
    return d;
}

void worst_see(worst *w, double err, const char *where)
{
    if (isnan(w->value) || islessequal(err, w->value)) return;
    w->value = err;
    snprintf(w->where, sizeof w->where, "%s", where);
}

void worst_check(const worst *w, const char *what, double bound)
{
    printf("    %s: worst %.2e, bound %.0e (%s)\n", what, w->value, bound, w->where);
    NTH_CHECK_CLOSE(w->value, 0.0, 0.0, bound);
}
