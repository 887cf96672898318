/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Convolutional networks in training: passes against the slow twin, the padding to the pixel, steps,
 * epochs, going on after a stop; and what is said without oneDNN.
 */
#include "nth/build_info.h"
#include "nth/cnn.h"
#include "cnn_ref.h"
#include "nth/rng.h"
#include "nth_test.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

static bool there(void) { return strcmp(nth_build_info_get().onednn, "not built in") != 0; }

static bool skipped(void)
{
    if (!there()) nth_test_skip("this build has no oneDNN");
    return !there();
}

/* Odd and even sizes, channels that fill oneDNN's blocks of 16 and that do not. */
static const nth_cnn_config shapes[] = {
    { .channels = 3, .height = 8, .width = 8, .convs = 3, .filters = { 16, 32, 16 }, .strides = { 1, 2, 1 }, .outputs = 1 },
    { .channels = 3, .height = 7, .width = 5, .convs = 4, .filters = { 5, 16, 3, 7 }, .strides = { 1, 2, 2, 1 }, .outputs = 3 },
    { .channels = 1, .height = 6, .width = 9, .convs = 1, .filters = { 4 }, .strides = { 2 }, .outputs = 2 },
    { .channels = 2, .height = 1, .width = 4, .convs = 2, .filters = { 3, 2 }, .strides = { 3, 1 }, .outputs = 1 },
};
enum { SHAPES = sizeof shapes / sizeof *shapes, N = 5, MOST = 20000 };

static double X[N * 200], Y[N * 4], theta[3 * MOST], g[MOST], want[MOST], f[N * 4], want_f[N * 4];

static ptrdiff_t dimension(const nth_cnn_config *c) { return c->channels * c->height * c->width; }

static nth_optimize_options options(ptrdiff_t batch)
{
    return (nth_optimize_options){ .rule = nth_optimizer_defaults(NTH_OPTIMIZER_ADAM), .batch = batch, .precision = NTH_PRECISION_SINGLE,
                                   .seed = 5 };
}

static nth_cnn *make(const nth_cnn_config *c, const nth_optimize_options *o)
{
    nth_cnn *n = NULL;
    nth_rand_normals(X, N * dimension(c), 3, NTH_STREAM_INPUTS, 0, 0);
    nth_rand_normals(Y, N * c->outputs, 3, NTH_STREAM_LABELS, 0, 0);
    NTH_CHECK_OK(nth_cnn_create(&n, c, nth_cmat_of(X, N, dimension(c)), nth_cmat_of(Y, N, c->outputs), o));
    return n;
}

/* Largest difference over the largest entry. */
static double apart(const double *a, const double *b, ptrdiff_t n)
{
    double worst = 0.0, largest = 0.0;
    for (ptrdiff_t i = 0; i < n; ++i) worst = nth_worst(worst, fabs(a[i] - b[i])), largest = fmax(largest, fabs(b[i]));
    return worst / largest;
}

/* The twin's outputs and gradient of the loss on the inputs [first, first + count). */
static double twin(const nth_cnn_config *c, const double *at, const ptrdiff_t *order, ptrdiff_t count)
{
    double loss = 0.0;
    memset(want, 0, sizeof want);
    for (ptrdiff_t i = 0; i < count; ++i) {
        const ptrdiff_t k = order != NULL ? order[i] : i;
        double          r[4], *out = want_f + i * c->outputs;
        NTH_CHECK(cnn_ref(out, NULL, c, at, X + k * dimension(c), NULL));
        for (ptrdiff_t o = 0; o < c->outputs; ++o) {
            r[o] = (out[o] - Y[k * c->outputs + o]) / (double)count;
            loss += 0.5 * r[o] * r[o] * (double)count;
        }
        NTH_CHECK(cnn_ref(out, want, c, at, X + k * dimension(c), r));
    }
    return loss;
}

static void matches_twin(void)
{
    if (skipped()) return;
    for (int s = 0; s < SHAPES; ++s)
        for (ptrdiff_t batch = 2; batch <= 8; batch += 3) {
            const nth_optimize_options o = options(batch);
            const nth_cnn_config      *c = &shapes[s];
            nth_cnn                   *n = make(c, &o);
            double                     loss = NAN;
            if (n == NULL) return;
            nth_cnn_get_state(n, theta);
            const double wanted = twin(c, theta, NULL, N);
            NTH_CHECK_OK(nth_cnn_outputs(n, nth_mat_of(f, N, c->outputs), nth_cmat_of(X, N, dimension(c))));
            NTH_CHECK_OK(nth_cnn_gradient(n, g, &loss));
            NTH_CHECK(apart(f, want_f, N * c->outputs) < 1e-5);
            NTH_CHECK(apart(g, want, nth_cnn_parameters(c)) < 1e-4);
            NTH_CHECK_CLOSE(loss, wanted, 1e-5, 0.0);
            nth_cnn_destroy(&n);
        }
}

/* The twin's gradient is the slope of its loss. */
static void twin_is_slope(void)
{
    const nth_cnn_config *c = &shapes[1];
    const ptrdiff_t       P = nth_cnn_parameters(c);
    nth_rand_normals(X, N * dimension(c), 3, NTH_STREAM_INPUTS, 0, 0);
    nth_rand_normals(Y, N * c->outputs, 3, NTH_STREAM_LABELS, 0, 0);
    nth_rand_normals(theta, P, 4, NTH_STREAM_WEIGHTS, 0, 0);
    twin(c, theta, NULL, N);
    memcpy(g, want, sizeof g);
    for (ptrdiff_t p = 0; p < P; p += 7) {
        const double keep = theta[p], h = 1e-6;
        theta[p] = keep + h;
        const double up = twin(c, theta, NULL, N);
        theta[p] = keep - h;
        const double down = twin(c, theta, NULL, N);
        theta[p] = keep;
        NTH_CHECK_CLOSE((up - down) / (2.0 * h), g[p], 1e-5, 1e-3 * fabs(up));
    }
}

/* One filter that reads one tap: with stride 2 and padding 1/1, row r of the result is row 2r + tap - 1. */
static void padding_is_one_and_one(void)
{
    if (skipped()) return;
    const nth_cnn_config       c = { .channels = 1, .height = 4, .width = 4, .convs = 1, .filters = { 1 }, .strides = { 2 }, .outputs = 4 };
    const nth_optimize_options o = options(1);
    const ptrdiff_t            P = nth_cnn_parameters(&c);
    for (int tap = 0; tap < 9; ++tap) {
        nth_cnn *n = make(&c, &o);
        double   out[4], image[16];
        if (n == NULL) return;
        for (int i = 0; i < 16; ++i) image[i] = i + 1;
        memset(theta, 0, sizeof theta);
        theta[tap] = 1.0;
        for (int k = 0; k < 4; ++k) theta[10 + 5 * k] = 1.0; /* outputs are the pixels of the map */
        NTH_CHECK_OK(nth_cnn_set_state(n, theta, 0));
        NTH_CHECK_OK(nth_cnn_outputs(n, nth_mat_of(out, 1, 4), nth_cmat_of(image, 1, 16)));
        for (int r = 0; r < 2; ++r)
            for (int q = 0; q < 2; ++q) {
                const int row = 2 * r + tap / 3 - 1, col = 2 * q + tap % 3 - 1;
                NTH_CHECK(out[2 * r + q] == (row < 0 || col < 0 ? 0.0 : 4.0 * row + col + 1.0));
            }
        nth_cnn_destroy(&n);
    }
    NTH_CHECK(P == 10 + 16 + 4);
}

static void sizes(void)
{
    nth_cnn_config c = nth_cnn_lantk8(1);
    NTH_CHECK(nth_cnn_parameters(&c) == 448 + 9280 + 36928 + 73856 + 147584 + 295168 + 590080 + 16385);
    /* 3 forward passes; nothing goes back through the first layer, of 0.9 MFLOP */
    NTH_CHECK_CLOSE(3.0 * nth_cnn_flops(&c), 0.97e9, 0.01, 0.0);
    c = nth_cnn_lantk8(10);
    NTH_CHECK(c.filters[0] == 16 && c.filters[1] == 128 && c.filters[6] == 512 && c.outputs == 10);
}

/* Uniform within 1/sqrt(fan-in): bounds, and the second moment of a large layer. */
static void initial_parameters(void)
{
    if (skipped()) return;
    const nth_optimize_options o = options(2);
    const nth_cnn_config      *c = &shapes[0];
    const ptrdiff_t            at[] = { 0, 16 * 28, 16 * 28 + 32 * 145, 16 * 28 + 32 * 145 + 16 * 289, 16 * 28 + 32 * 145 + 16 * 289 + 257 };
    const double               fan_in[] = { 27, 144, 288, 256 };
    nth_cnn                   *n = make(c, &o);
    if (n == NULL) return;
    nth_cnn_get_state(n, theta);
    NTH_CHECK(at[4] == nth_cnn_parameters(c));
    for (int l = 0; l < 4; ++l) {
        double most = 0.0, square = 0.0;
        for (ptrdiff_t p = at[l]; p < at[l + 1]; ++p) most = nth_worst(most, fabs(theta[p])), square += theta[p] * theta[p];
        NTH_CHECK(most <= 1.0 / sqrt(fan_in[l]) && most > 0.97 / sqrt(fan_in[l]));
        NTH_CHECK_CLOSE(square / (double)(at[l + 1] - at[l]), 1.0 / (3.0 * fan_in[l]), 0.15, 0.0);
    }
    nth_cnn_destroy(&n);
}

/* Two epochs of Adam in batches of 2, 2, 1 against the twin's gradients and the rule in double. A large epsilon:
 * where a gradient is next to nothing its sign alone would count. */
static void epochs_match_twin(void)
{
    if (skipped()) return;
    nth_optimize_options o = options(2);
    o.rule.epsilon = 1e-2;
    const nth_cnn_config *c = &shapes[1];
    const ptrdiff_t       P = nth_cnn_parameters(c);
    nth_cnn              *n = make(c, &o);
    nth_optimizer        *rule = NULL;
    static double         end[3 * MOST], moved[MOST];
    ptrdiff_t             order[N];
    if (n == NULL) return;
    NTH_CHECK_OK(nth_optimizer_create(&rule, &o.rule, P));
    nth_cnn_get_state(n, theta);
    memcpy(moved, theta, (size_t)P * sizeof *moved);
    for (long e = 0; e < 2; ++e) {
        NTH_CHECK_OK(nth_cnn_epoch(n));
        nth_optimize_order(order, N, o.seed, 0, e);
        for (ptrdiff_t first = 0; first < N; first += 2) {
            twin(c, theta, order + first, N - first < 2 ? N - first : 2);
            nth_optimizer_step(rule, theta, want);
        }
    }
    NTH_CHECK(nth_cnn_steps(n) == 6);
    nth_cnn_get_state(n, end);
    for (ptrdiff_t p = 0; p < P; ++p) end[p] -= moved[p], theta[p] -= moved[p];
    NTH_CHECK(apart(end, theta, P) < 2e-4);
    nth_optimizer_destroy(&rule);
    nth_cnn_destroy(&n);
}

static bool after_three(void *ctx) { return ++*(int *)ctx == 4; }

/* Interrupted in the midst of an epoch, kept, and gone on with in another object: the bits of one run. */
static void goes_on_where_it_stopped(void)
{
    if (skipped()) return;
    const nth_cnn_config *c = &shapes[0];
    const ptrdiff_t       P = nth_cnn_parameters(c);
    static double         end[3 * MOST];
    for (int momentum = 0; momentum < 2; ++momentum) {
        nth_optimize_options o = options(1);
        int                  polls = 0;
        if (momentum) o.rule = nth_optimizer_defaults(NTH_OPTIMIZER_SGD), o.rule.momentum = 0.5;
        nth_cnn *whole = make(c, &o), *first, *second;
        o.interrupted = after_three, o.ctx = &polls;
        first = make(c, &o);
        o.interrupted = NULL;
        second = make(c, &o);
        if (whole == NULL || first == NULL || second == NULL) return;
        for (int e = 0; e < 2; ++e) NTH_CHECK_OK(nth_cnn_epoch(whole));
        NTH_CHECK_STATUS(nth_cnn_epoch(first), NTH_E_INTERRUPTED);
        NTH_CHECK(nth_cnn_steps(first) == 3);
        nth_cnn_get_state(first, theta);
        NTH_CHECK_OK(nth_cnn_set_state(second, theta, nth_cnn_steps(first)));
        for (int e = 0; e < 2; ++e) NTH_CHECK_OK(nth_cnn_epoch(second));
        for (int e = 0; e < 2; ++e) NTH_CHECK_OK(nth_cnn_epoch(first));
        nth_cnn_get_state(whole, end);
        nth_cnn_get_state(second, theta);
        NTH_CHECK(memcmp(end, theta, (size_t)(3 * P) * sizeof *end) == 0);
        nth_cnn_get_state(first, theta);
        NTH_CHECK(memcmp(end, theta, (size_t)(3 * P) * sizeof *end) == 0);
        NTH_CHECK(nth_cnn_steps(second) == 10);
        theta[P - 1] = NAN;
        NTH_CHECK_STATUS(nth_cnn_set_state(second, theta, 1), NTH_E_NUMERIC);
        theta[P - 1] = 1e40;
        NTH_CHECK_STATUS(nth_cnn_set_state(second, theta, 1), NTH_E_NUMERIC);
        NTH_CHECK_STATUS(nth_cnn_set_state(second, end, -1), NTH_E_ARG);
        nth_cnn_destroy(&whole), nth_cnn_destroy(&first), nth_cnn_destroy(&second);
    }
}

/* Created for some threads, used with others: the bits stay; created for others they need not. */
static void threads_of_creation_count(void)
{
    if (skipped()) return;
    const nth_optimize_options o = options(3);
    const nth_cnn_config      *c = &shapes[0];
    const ptrdiff_t            P = nth_cnn_parameters(c);
    const int                  before = nth_threads_get();
    nth_threads_set(2);
    nth_cnn *n = make(c, &o);
    if (n == NULL) return;
    NTH_CHECK_OK(nth_cnn_gradient(n, g, NULL));
    nth_threads_set(1);
    NTH_CHECK_OK(nth_cnn_gradient(n, want, NULL));
    NTH_CHECK(memcmp(g, want, (size_t)P * sizeof *g) == 0);
    NTH_CHECK(nth_threads_get() == 1);
    nth_cnn_destroy(&n);
    n = make(c, &o);
    if (n == NULL) return;
    NTH_CHECK_OK(nth_cnn_gradient(n, want, NULL));
    NTH_CHECK(apart(g, want, P) < 1e-5);
    nth_threads_set(before);
    nth_cnn_destroy(&n);
}

/* 32 random images with random labels are learnt by heart. */
static void overfits(void)
{
    if (skipped()) return;
    enum { IMAGES = 32 };
    static double              x[IMAGES * 192], y[IMAGES];
    const nth_optimize_options o = options(IMAGES / 2);
    nth_cnn                   *n = NULL;
    double                     loss = NAN;
    nth_rand_normals(x, IMAGES * 192, 3, NTH_STREAM_INPUTS, 0, 0);
    for (ptrdiff_t i = 0; i < IMAGES; ++i) y[i] = nth_rand_below(2, 3, NTH_STREAM_LABELS, 0, (uint64_t)i) == 0 ? -1.0 : 1.0;
    NTH_CHECK_OK(nth_cnn_create(&n, &shapes[0], nth_cmat_of(x, IMAGES, 192), nth_cmat_of(y, IMAGES, 1), &o));
    if (n == NULL) return;
    NTH_CHECK_OK(nth_cnn_gradient(n, g, &loss));
    NTH_CHECK(loss > 0.3);
    for (int e = 0; e < 150; ++e) NTH_CHECK_OK(nth_cnn_epoch(n));
    NTH_CHECK_OK(nth_cnn_gradient(n, g, &loss));
    NTH_CHECK(loss < 1e-3);
    nth_cnn_destroy(&n);
}

static void refusals(void)
{
    nth_cnn             *n = NULL;
    nth_cnn_config       c = shapes[2];
    nth_optimize_options o = options(2);
    const nth_cmat       x = nth_cmat_of(X, N, 54), y = nth_cmat_of(Y, N, 2);
    if (!there()) {
        NTH_CHECK_STATUS(nth_cnn_create(&n, &c, x, y, &o), NTH_E_ARG);
        NTH_CHECK_MESSAGE("this build has no oneDNN, through which convolutional networks are trained; install the package libdnnl-dev");
        NTH_CHECK(n == NULL);
        return;
    }
    nth_rand_normals(X, N * 54, 3, NTH_STREAM_INPUTS, 0, 0);
    NTH_CHECK_STATUS(nth_cnn_create(&n, &c, nth_cmat_of(X, N, 53), y, &o), NTH_E_SHAPE);
    NTH_CHECK_MESSAGE("inputs have 53 columns, images of 1 x 6 x 9 have 54");
    NTH_CHECK_STATUS(nth_cnn_create(&n, &c, x, nth_cmat_of(Y, N, 1), &o), NTH_E_SHAPE);
    NTH_CHECK_STATUS(nth_cnn_create(&n, &c, nth_cmat_of(X, 0, 54), y, &o), NTH_E_SHAPE);
    o.precision = NTH_PRECISION_DOUBLE;
    NTH_CHECK_STATUS(nth_cnn_create(&n, &c, x, y, &o), NTH_E_ARG);
    NTH_CHECK_MESSAGE("single precision");
    o = options(0);
    NTH_CHECK_STATUS(nth_cnn_create(&n, &c, x, y, &o), NTH_E_ARG);
    o = options(2);
    o.rule.beta1 = 1.0;
    NTH_CHECK_STATUS(nth_cnn_create(&n, &c, x, y, &o), NTH_E_ARG);
    o = options(2);
    X[3] = NAN;
    NTH_CHECK_STATUS(nth_cnn_create(&n, &c, x, y, &o), NTH_E_NUMERIC);
    X[3] = 0.0;
    c.strides[0] = 0;
    NTH_CHECK_STATUS(nth_cnn_create(&n, &c, x, y, &o), NTH_E_ARG);
    NTH_CHECK_MESSAGE("convolution 1 has stride 0; 1 to 16 are expected");
    c = shapes[2], c.filters[0] = 0;
    NTH_CHECK_STATUS(nth_cnn_create(&n, &c, x, y, &o), NTH_E_ARG);
    c = shapes[2], c.convs = 0;
    NTH_CHECK_STATUS(nth_cnn_create(&n, &c, x, y, &o), NTH_E_ARG);
    c = shapes[2], c.outputs = 0;
    NTH_CHECK_STATUS(nth_cnn_create(&n, &c, x, y, &o), NTH_E_ARG);
    c = shapes[2], c.height = 0;
    NTH_CHECK_STATUS(nth_cnn_create(&n, &c, x, y, &o), NTH_E_ARG);
    NTH_CHECK(n == NULL);
    n = make(&shapes[2], &o);
    if (n == NULL) return;
    NTH_CHECK_STATUS(nth_cnn_outputs(n, nth_mat_of(f, N, 1), x), NTH_E_SHAPE);
    NTH_CHECK_STATUS(nth_cnn_outputs(n, nth_mat_of(f, N, 2), nth_cmat_of(X, N, 53)), NTH_E_SHAPE);
    nth_cnn_destroy(&n);
    o.rule = nth_optimizer_defaults(NTH_OPTIMIZER_SGD), o.rule.learning_rate = 1e30;
    n = make(&shapes[2], &o);
    if (n == NULL) return;
    nth_status st = nth_cnn_epoch(n);
    if (st == NTH_OK) st = nth_cnn_epoch(n);
    NTH_CHECK(st == NTH_E_NUMERIC);
    NTH_CHECK_MESSAGE("the loss is not finite; epoch");
    nth_cnn_destroy(&n);
}

static nth_status build(void)
{
    nth_status                 st;
    nth_cnn                   *n = NULL;
    const nth_optimize_options o = options(2);
    const nth_cnn_config      *c = &shapes[2];
    if ((st = nth_cnn_create(&n, c, nth_cmat_of(X, N, 54), nth_cmat_of(Y, N, 2), &o)) == NTH_OK) st = nth_cnn_epoch(n);
    nth_cnn_destroy(&n);
    return st;
}

static void survives_oom(void)
{
    if (skipped()) return;
    nth_rand_normals(X, N * 54, 3, NTH_STREAM_INPUTS, 0, 0);
    nth_test_every_allocation_fails(build);
}

static void bytes_are_told(void)
{
    const nth_cnn_config c = nth_cnn_lantk8(1);
    /* 245760 numbers in maps of an image, two gradients of 65536, image and both ends */
    NTH_CHECK_CLOSE(nth_cnn_work_bytes(&c, 10000, 128), 4.0 * (128.0 * (245760 + 2 * 65536 + 2 * 3072 + 2 * 16384) + 7.0 * 1169729), 0.01, 0.0);
}

int main(void)
{
    return nth_test_main("cnn", (nth_test_case[]){ { "matches_twin", matches_twin },
                                                   { "twin_is_slope", twin_is_slope },
                                                   { "padding_is_one_and_one", padding_is_one_and_one },
                                                   { "sizes", sizes },
                                                   { "initial_parameters", initial_parameters },
                                                   { "epochs_match_twin", epochs_match_twin },
                                                   { "goes_on_where_it_stopped", goes_on_where_it_stopped },
                                                   { "threads_of_creation_count", threads_of_creation_count },
                                                   { "overfits", overfits },
                                                   { "refusals", refusals },
                                                   { "survives_oom", survives_oom },
                                                   { "bytes_are_told", bytes_are_told },
                                                   { 0 } });
}
