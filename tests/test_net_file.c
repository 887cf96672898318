/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Network files: what is written is read back to the bit; attributes, shapes and numbers that are
 * not what docs/formats.md says end in one clear message; damaged bytes break no promise.
 */
#include "nth_test.h"
#include "alloc_priv.h"
#include "fixtures.h"
#include "fuzz/fuzz_net.h"
#include "nth/rng.h"

#include <math.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

static const nth_provenance prov = { "nth test", "{}", 1, 1 };
static const char           path[] = "nth_test_net.h5";

static bool save(const nth_net *net, const char *group)
{
    nth_file *f = NULL;
    bool      ok = NTH_CHECK_OK(nth_file_create(&f, path, &prov)) && NTH_CHECK_OK(nth_net_write(net, f, group));
    if (ok) ok = NTH_CHECK_OK(nth_file_commit(&f));
    nth_file_close(&f);
    return ok;
}

static nth_status load(nth_net **net)
{
    nth_file  *f = NULL;
    nth_status st = nth_file_open(&f, path);
    if (st == NTH_OK) st = nth_net_read(net, f);
    nth_file_close(&f);
    return st;
}

static bool same(const nth_net *a, const nth_net *b)
{
    const nth_net_config *x = &a->cfg, *y = &b->cfg;
    bool ok = x->activation == y->activation && x->layers == y->layers && x->sigma_w == y->sigma_w && x->sigma_b == y->sigma_b &&
              x->input_scale == y->input_scale && x->doubled == y->doubled && x->frozen == y->frozen && a->copies == b->copies;
    for (int l = 0; ok && l <= x->layers; ++l) ok = x->widths[l] == y->widths[l];
    for (int c = 0; ok && c < a->copies; ++c)
        for (int l = 0; ok && l < x->layers; ++l) {
            const size_t rows = (size_t)x->widths[l + 1], cols = (size_t)x->widths[l];
            ok = memcmp(a->W[c][l].a, b->W[c][l].a, rows * cols * sizeof(double)) == 0 && (a->b[c][l] == NULL) == (b->b[c][l] == NULL);
            if (ok && a->b[c][l] != NULL) ok = memcmp(a->b[c][l], b->b[c][l], rows * sizeof(double)) == 0;
        }
    return ok && a->out_scale[0] == b->out_scale[0] && a->out_scale[1] == b->out_scale[1] && b->first_layer_stored;
}

static void round_trip(void)
{
    for (int kind = 0; kind < NTH_ACT_COUNT * 16; ++kind) {
        nth_net_config cfg = { .activation = (nth_activation)(kind / 16), .layers = 2 + kind % 3, .widths = { 3, 5, 2, 4, 1 },
                               .sigma_w = 1.0 / 3.0, .sigma_b = kind & 1 ? 0.1 : 0.0, .doubled = kind & 2,
                               .input_scale = kind & 4 ? NTH_INPUT_ONE : NTH_INPUT_FAN_IN, .frozen = kind & 8 ? 3 : 0 };
        nth_net       *got = NULL;
        cfg.widths[cfg.layers] = 1;
        nth_net *net = random_net(&cfg, (uint32_t)kind);
        if (!NTH_CHECK(net != NULL)) return;
        if (net->copies == 2) net->W[1][1].a[0] += 1.0; /* the copies of a trained net differ */
        if (save(net, kind % 5 ? "" : "/net") && NTH_CHECK_OK(load(&got))) NTH_CHECK(same(net, got));
        nth_net_destroy(&got);
        nth_net_destroy(&net);
    }
    (void)remove(path);
}

/* A network at the root is the file's; one under /net is found in a training result. */
static void root_before_group(void)
{
    const nth_net_config cfg = { .activation = NTH_ACT_SIN, .layers = 2, .widths = { 2, 3, 1 }, .sigma_w = 1 };
    nth_net             *a = random_net(&cfg, 1), *b = random_net(&cfg, 2), *got = NULL;
    nth_file            *f = NULL;
    if (!NTH_CHECK(a != NULL && b != NULL)) return;
    NTH_CHECK_OK(nth_file_create(&f, path, &prov));
    NTH_CHECK_OK(nth_net_write(b, f, "/net"));
    NTH_CHECK_OK(nth_net_write(b, f, ""));
    NTH_CHECK_OK(nth_net_write(a, f, "")); /* in its place */
    NTH_CHECK_OK(nth_file_commit(&f));
    if (NTH_CHECK_OK(load(&got))) NTH_CHECK(same(a, got));
    nth_net_destroy(&got);
    nth_net_destroy(&a);
    NTH_CHECK_OK(nth_net_create(&a, &cfg, false));
    NTH_CHECK_OK(nth_file_create(&f, path, &prov));
    NTH_CHECK_STATUS(nth_net_write(a, f, ""), NTH_E_ARG);
    NTH_CHECK_MESSAGE("the first layer of the network is not stored");
    nth_file_close(&f);
    nth_net_destroy(&a);
    nth_net_destroy(&b);
    (void)remove(path);
    (void)remove("nth_test_net.h5.partial");
}

/* ---- Damage ------------------------------------------------------------------------------------ */

static nth_net *sound_net(bool doubled)
{
    const nth_net_config cfg = { .activation = NTH_ACT_TANH, .layers = 3, .widths = { 2, 3, 4, 1 }, .sigma_w = 1, .sigma_b = 0.5,
                                 .doubled = doubled };
    return random_net(&cfg, 7);
}

/* A sound file whose last change is undone by nothing; then it must be refused with this message. */
typedef nth_status damage(nth_file *f);

static void refuse_with(nth_status want, damage *change, const char *message)
{
    nth_net   *net = sound_net(false), *got = NULL;
    nth_file  *f = NULL;
    const long before = nth_test_live_blocks;
    NTH_CHECK_OK(nth_file_create(&f, path, &prov));
    if (net == NULL || f == NULL) return;
    NTH_CHECK_OK(nth_net_write(net, f, ""));
    NTH_CHECK_OK(change(f));
    NTH_CHECK_OK(nth_file_commit(&f));
    NTH_CHECK_STATUS(load(&got), want);
    NTH_CHECK_MESSAGE(message);
    NTH_CHECK(got == NULL && nth_test_live_blocks == before);
    nth_net_destroy(&got);
    nth_net_destroy(&net);
    (void)remove(path);
}

static nth_status set_widths(nth_file *f, const int64_t *w, ptrdiff_t n) { return nth_file_set_ints(f, "/", "widths", w, n); }
static nth_status short_widths(nth_file *f) { return set_widths(f, (int64_t[]){ 2, 1 }, 2); }
static nth_status other_widths(nth_file *f) { return set_widths(f, (int64_t[]){ 2, 3, 5, 1 }, 4); }
static nth_status zero_width(nth_file *f) { return set_widths(f, (int64_t[]){ 2, 0, 4, 1 }, 4); }
static nth_status negative_width(nth_file *f) { return set_widths(f, (int64_t[]){ 2, 3, -4, 1 }, 4); }
static nth_status huge_width(nth_file *f) { return set_widths(f, (int64_t[]){ 2, INT64_MAX, 4, 1 }, 4); }
static nth_status large_width(nth_file *f) { return set_widths(f, (int64_t[]){ 2, 2000000000, 4, 1 }, 4); }
static nth_status two_outputs(nth_file *f) { return set_widths(f, (int64_t[]){ 2, 3, 4, 2 }, 4); }
static nth_status deeper(nth_file *f) { return set_widths(f, (int64_t[]){ 2, 3, 4, 1, 1 }, 5); }
static nth_status too_deep(nth_file *f)
{
    int64_t w[40];
    for (int l = 0; l < 40; ++l) w[l] = 1;
    return set_widths(f, w, 40);
}
static nth_status text_widths(nth_file *f) { return nth_file_set_string(f, "/", "widths", "2,3,4,1"); }
static nth_status misspelt(nth_file *f) { return nth_file_set_string(f, "/", "activation", "tahn"); }
static nth_status long_word(nth_file *f)
{
    char word[200];
    memset(word, 'x', 199), word[199] = '\0';
    return nth_file_set_string(f, "/", "activation", word);
}
static nth_status number_for_word(nth_file *f) { return nth_file_set_double(f, "/", "activation", 1.0); }
static nth_status mean_field(nth_file *f) { return nth_file_set_string(f, "/", "parameterization", "mean_field"); }
static nth_status scaled_standard(nth_file *f) { return nth_file_set_string(f, "/", "parameterization", "standard"); }
static nth_status no_scale(nth_file *f) { return nth_file_set_double(f, "/", "sigma_w", 0.0); }
static nth_status nan_scale(nth_file *f) { return nth_file_set_double(f, "/", "sigma_w", NAN); }
static nth_status negative_bias(nth_file *f) { return nth_file_set_double(f, "/", "sigma_b", -0.5); }
static nth_status word_for_number(nth_file *f) { return nth_file_set_string(f, "/", "sigma_b", "half"); }
static nth_status odd_input(nth_file *f) { return nth_file_set_string(f, "/", "input_scale", "two"); }
static nth_status doubled(nth_file *f) { return nth_file_set_ints(f, "/", "doubled", (int64_t[]){ 1 }, 1); }
static nth_status tripled(nth_file *f) { return nth_file_set_ints(f, "/", "doubled", (int64_t[]){ 3 }, 1); }
static nth_status two_flags(nth_file *f) { return nth_file_set_ints(f, "/", "doubled", (int64_t[]){ 0, 1 }, 2); }
static nth_status frozen_more(nth_file *f) { return nth_file_set_ints(f, "/", "frozen", (int64_t[]){ 8 }, 1); }
static nth_status frozen_negative(nth_file *f) { return nth_file_set_ints(f, "/", "frozen", (int64_t[]){ -1 }, 1); }

static const double numbers[12] = { 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 1.0, 1.1, 1.2 };
static nth_status   transposed(nth_file *f) { return nth_file_write(f, "/W2", numbers, 2, (ptrdiff_t[]){ 3, 4 }); }
static nth_status   flat(nth_file *f) { return nth_file_write(f, "/W2", numbers, 1, (ptrdiff_t[]){ 12 }); }
static nth_status   vector_read_out(nth_file *f) { return nth_file_write(f, "/W3", numbers, 1, (ptrdiff_t[]){ 4 }); }
static nth_status   bias_matrix(nth_file *f) { return nth_file_write(f, "/b2", numbers, 2, (ptrdiff_t[]){ 4, 1 }); }
static nth_status   short_bias(nth_file *f) { return nth_file_write(f, "/b3", numbers, 1, (ptrdiff_t[]){ 2 }); }
static nth_status   infinite_weight(nth_file *f)
{
    double w[12];
    memcpy(w, numbers, sizeof w);
    w[5] = INFINITY;
    return nth_file_write(f, "/W2", w, 2, (ptrdiff_t[]){ 4, 3 });
}
static nth_status nan_bias(nth_file *f)
{
    const double b[3] = { 0, NAN, 1 };
    return nth_file_write(f, "/b1", b, 1, (ptrdiff_t[]){ 3 });
}

static void damaged_attributes(void)
{
    refuse_with(NTH_E_FORMAT, short_widths, "attribute widths has 2 entries; at least 3 are expected");
    refuse_with(NTH_E_FORMAT, other_widths, "the widths ask for rank 2 and 5 x 3");
    refuse_with(NTH_E_FORMAT, zero_width, "width 0 of layer 1");
    refuse_with(NTH_E_FORMAT, negative_width, "width -4 of layer 2");
    refuse_with(NTH_E_FORMAT, huge_width, "width 9223372036854775807 of layer 1");
    refuse_with(NTH_E_FORMAT, large_width, "the widths ask for rank 2 and 2000000000 x 2");
    refuse_with(NTH_E_FORMAT, two_outputs, "the widths ask for rank 2 and 2 x 4");
    refuse_with(NTH_E_FORMAT, deeper, "/W4");
    refuse_with(NTH_E_FORMAT, too_deep, "widths");
    refuse_with(NTH_E_FORMAT, text_widths, "widths");
    refuse_with(NTH_E_FORMAT, misspelt, "\"tahn\"");
    refuse_with(NTH_E_FORMAT, long_word, "activation");
    refuse_with(NTH_E_FORMAT, number_for_word, "activation");
    refuse_with(NTH_E_FORMAT, mean_field, "parameterization \"mean_field\"; expected ntk or standard");
    refuse_with(NTH_E_FORMAT, scaled_standard, "standard parameterization has 1, and 1 or 0 for no biases");
    refuse_with(NTH_E_FORMAT, no_scale, "sigma_w = 0");
    refuse_with(NTH_E_FORMAT, nan_scale, "sigma_w = ");
    refuse_with(NTH_E_FORMAT, negative_bias, "sigma_b = -0.5");
    refuse_with(NTH_E_FORMAT, word_for_number, "sigma_b");
    refuse_with(NTH_E_FORMAT, odd_input, "input_scale \"two\"; expected fan_in or one");
    refuse_with(NTH_E_FORMAT, doubled, "/first/W1");
    refuse_with(NTH_E_FORMAT, tripled, "doubled");
    refuse_with(NTH_E_FORMAT, two_flags, "doubled");
    refuse_with(NTH_E_FORMAT, frozen_more, "attribute frozen is 8 for 3 layers");
    refuse_with(NTH_E_FORMAT, frozen_negative, "attribute frozen is -1");
}

static void damaged_datasets(void)
{
    refuse_with(NTH_E_FORMAT, transposed, "dataset /W2 has rank 2 and shape 3 x 4; the widths ask for rank 2 and 4 x 3");
    refuse_with(NTH_E_FORMAT, flat, "/W2 has rank 1");
    refuse_with(NTH_E_FORMAT, vector_read_out, "/W3 has rank 1");
    refuse_with(NTH_E_FORMAT, bias_matrix, "/b2 has rank 2");
    refuse_with(NTH_E_FORMAT, short_bias, "/b3 has rank 1 and shape 2 x 1");
    refuse_with(NTH_E_NUMERIC, infinite_weight, "/W2");
    refuse_with(NTH_E_NUMERIC, nan_bias, "/b1");
}

/* A file of something else. */
static void no_network(void)
{
    nth_file *f = NULL;
    nth_net  *net = NULL;
    NTH_CHECK_OK(nth_file_create(&f, path, &prov));
    NTH_CHECK_OK(nth_file_write(f, "/x", numbers, 1, (ptrdiff_t[]){ 3 }));
    NTH_CHECK_OK(nth_file_commit(&f));
    NTH_CHECK_STATUS(load(&net), NTH_E_FORMAT);
    NTH_CHECK_MESSAGE("activation");
    NTH_CHECK_MESSAGE(path);
    NTH_CHECK(net == NULL);
    (void)remove(path);
    NTH_CHECK_STATUS(load(&net), NTH_E_IO);
}

static nth_status build(void)
{
    nth_net         *net = NULL;
    const nth_status st = load(&net);
    nth_net_destroy(&net);
    return st;
}

static void survives_failing_allocations(void)
{
    nth_net *net = sound_net(true);
    if (NTH_CHECK(net != NULL) && save(net, "/net")) nth_test_every_allocation_fails(build);
    nth_net_destroy(&net);
    (void)remove(path);
}

/* ---- Damaged bytes ----------------------------------------------------------------------------- */

enum { ROOM = 1 << 16, ROUNDS = 40, CHILDREN = 12, BROKEN = 99 };

static void on_abort(int number)
{
    (void)number;
    if (nth_fuzz_net_broken) _exit(BROKEN);
}

/* HDF5 itself does not survive every damaged file, so the rounds run in children; only a broken
 * promise of ours counts. */
static int child(const uint8_t *sound, size_t size, uint32_t run)
{
    static uint8_t b[ROOM];
    const pid_t    pid = fork();
    int            status = -1;
    if (pid == 0) {
        uint64_t at = 0;
        (void)signal(SIGABRT, on_abort);
        alarm(5);
        for (int r = 0; r < ROUNDS; ++r) {
            memcpy(b, sound, size);
            for (int n = 0; n < 1 + r % 4; ++n) {
                const size_t where = (size_t)nth_rand_below(size, 81, NTH_STREAM_TEST, run, at++);
                b[where] = (uint8_t)nth_rand_below(256, 81, NTH_STREAM_TEST, run, at++);
            }
            nth_fuzz_net(b, r % 10 == 9 ? size / 2 : size);
        }
        _exit(0);
    }
    return pid > 0 && waitpid(pid, &status, 0) == pid ? status : -1;
}

static void damaged_bytes(void)
{
    static uint8_t sound[ROOM];
    nth_net       *net = sound_net(true);
    int            died = 0;
    if (!NTH_CHECK(net != NULL) || !save(net, "")) return;
    FILE        *f = fopen(path, "rb");
    const size_t size = f != NULL ? fread(sound, 1, ROOM, f) : 0;
    if (f != NULL) fclose(f);
    (void)remove(path);
    nth_net_destroy(&net);
    if (!NTH_CHECK(size > 1000 && size < ROOM)) return;
    nth_fuzz_net(sound, size);
    NTH_CHECK(nth_fuzz_net_accepted == 1);
    for (uint32_t i = 0; i < CHILDREN; ++i) {
        const int status = child(sound, size, i);
        NTH_CHECK(!WIFEXITED(status) || WEXITSTATUS(status) != BROKEN);
        died += status != 0;
    }
    if (died > 0) printf("    %d of %d children died inside HDF5\n", died, CHILDREN);
    NTH_CHECK(died < CHILDREN);
}

int main(void)
{
    return nth_test_main("net_file", (nth_test_case[]){ { "round_trip", round_trip },
                                                        { "root_before_group", root_before_group },
                                                        { "damaged_attributes", damaged_attributes },
                                                        { "damaged_datasets", damaged_datasets },
                                                        { "no_network", no_network },
                                                        { "survives_failing_allocations", survives_failing_allocations },
                                                        { "damaged_bytes", damaged_bytes },
                                                        { 0 } });
}
