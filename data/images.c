/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * cifar10: and mnist:, balanced seeded samples of image sets. Record i of the training (test) files
 * has the key uniform(seed, NTH_STREAM_SPLIT, run 0 (1), i); each class is taken in the order of its
 * keys, and rows go through the classes in turn: first class, second class, ..., first class. So a
 * sample is balanced to one image, and a larger one begins with the smaller one's rows.
 */
#include "alloc_priv.h"
#include "data_priv.h"
#include "fail_priv.h"
#include "rank_priv.h"

#include <string.h>

enum { ALL = -1 };

typedef struct request {
    int       classes[NTH_IMAGE_CLASSES], count; /* in the order listed */
    ptrdiff_t train, test;                       /* images wanted, or ALL */
    uint64_t  seed;
} request;

/* Rows chosen from one set of files. */
typedef struct choice {
    ptrdiff_t *record; /* (count) */
    ptrdiff_t  count;
} choice;

static nth_status parse_classes(request *r, const nth_spec *spec)
{
    nth_status  st = NTH_OK;
    const char *text = nth_priv_spec_text(spec, "classes");
    bool        seen[NTH_IMAGE_CLASSES] = { false };
    if (text == NULL) text = "0,1,2,3,4,5,6,7,8,9";
    for (const char *at = text;; at += 2) {
        const int digit = *at - '0';
        NTH_REQUIRE(digit >= 0 && digit < NTH_IMAGE_CLASSES && (at[1] == ',' || at[1] == '\0'), NTH_E_ARG,
                    "%s: classes=%s; must be numbers from 0 to 9 with commas between", spec->scheme, text);
        NTH_REQUIRE(!seen[digit], NTH_E_ARG, "%s: classes=%s; class %d is listed twice", spec->scheme,
                    text, digit);
        seen[digit] = true;
        r->classes[r->count++] = digit;
        if (at[1] == '\0') break;
    }
    NTH_REQUIRE(r->count >= 2, NTH_E_ARG, "%s: classes=%s; at least two are needed", spec->scheme, text);
done:
    return st;
}

/* The records of one class in the order of their keys. */
static ptrdiff_t rank_class(nth_ranked *out, const nth_images *set, int cls, uint64_t seed, uint32_t run)
{
    ptrdiff_t n = 0;
    for (ptrdiff_t i = 0; i < set->count; ++i)
        if (set->labels[i] == cls) out[n++].sample = i;
    nth_priv_rank(out, n, seed, run);
    return n;
}

static nth_status choose(choice *c, const nth_images *set, const request *r, bool test, const nth_spec *spec)
{
    nth_status      st = NTH_OK;
    nth_ranked     *order = NULL;
    ptrdiff_t       start[NTH_IMAGE_CLASSES + 1] = { 0 };
    const ptrdiff_t wanted = test ? r->test : r->train;
    NTH_TRY(nth_priv_alloc(&order, set->count, sizeof *order, "order of images"));
    for (int k = 0; k < r->count; ++k) {
        const ptrdiff_t have = rank_class(order + start[k], set, r->classes[k], r->seed, test ? NTH_SPLIT_TEST : NTH_SPLIT_TRAIN);
        const ptrdiff_t need = wanted == ALL ? 0 : wanted / r->count + (k < wanted % r->count);
        NTH_REQUIRE(need <= have, NTH_E_ARG, "%s: %s=%td asks for %td images of class %d; there are %td",
                    spec->scheme, test ? "test" : "train", wanted, need, r->classes[k], have);
        NTH_REQUIRE(test || have > 0, NTH_E_ARG, "%s: there is no training image of class %d", spec->scheme, r->classes[k]);
        start[k + 1] = start[k] + have;
    }
    NTH_REQUIRE(test || wanted == ALL || wanted >= r->count, NTH_E_ARG,
                "%s: train=%td leaves class %d without an image; %d classes take %d or more", spec->scheme, wanted, r->classes[wanted], r->count,
                r->count);
    c->count = wanted == ALL ? start[r->count] : wanted;
    NTH_TRY(nth_priv_alloc(&c->record, c->count, sizeof *c->record, "chosen images"));
    ptrdiff_t row = 0;
    for (ptrdiff_t turn = 0; row < c->count; ++turn) /* a class used up is passed over */
        for (int k = 0; k < r->count && row < c->count; ++k)
            if (start[k] + turn < start[k + 1]) c->record[row++] = order[start[k] + turn].sample;
done:
    nth_priv_free(order);
    return st;
}

static double pixel_value(nth_pixels range, int p)
{
    if (range == NTH_PIXELS_RAW) return p;
    return range == NTH_PIXELS_UNIT ? p / 255.0 : p / 127.5 - 1.0;
}

static nth_status fill(nth_mat x, nth_mat y, nth_images *set, const choice *c, const request *r,
                       nth_pixels range)
{
    nth_status st = NTH_OK;
    uint8_t   *pixels = NULL;
    double     value[256];
    int        number[NTH_IMAGE_CLASSES] = { 0 }; /* class label -> place in the list */
    for (int p = 0; p < 256; ++p) value[p] = pixel_value(range, p);
    for (int k = 0; k < r->count; ++k) number[r->classes[k]] = k;
    NTH_TRY(nth_priv_alloc(&pixels, set->pixels, 1, "an image"));
    for (ptrdiff_t i = 0; i < c->count; ++i) {
        NTH_TRY(nth_priv_images_read(set, c->record[i], pixels));
        for (ptrdiff_t j = 0; j < set->pixels; ++j) x.a[i * x.ld + j] = value[pixels[j]];
        nth_priv_data_set_class(y, i, number[set->labels[c->record[i]]]);
    }
done:
    nth_priv_free(pixels);
    return st;
}

/* Labels, and the spec with every key resolved. */
static nth_status describe(nth_data *data, const request *r, const nth_spec *spec, const char *dir,
                           ptrdiff_t n, ptrdiff_t k)
{
    static const char *const digits[] = { "0", "1", "2", "3", "4", "5", "6", "7", "8", "9" };
    nth_status               st = NTH_OK;
    const char              *labels[NTH_IMAGE_CLASSES];
    char                     list[2 * NTH_IMAGE_CLASSES];
    for (int c = 0; c < r->count; ++c) {
        labels[c] = digits[r->classes[c]];
        list[2 * c] = digits[r->classes[c]][0];
        list[2 * c + 1] = c + 1 < r->count ? ',' : '\0';
    }
    NTH_TRY(nth_priv_data_labels(data, r->count, labels));
    NTH_TRY(nth_priv_format(&data->source, "%s:%s?classes=%s&train=%td&test=%td&seed=%llu", spec->scheme,
                            dir, list, n, k, (unsigned long long)r->seed));
done:
    return st;
}

nth_status nth_priv_load_images(nth_data *data, const nth_spec *spec, const nth_data_options *opt)
{
    nth_status st = NTH_OK;
    request    r = { .train = ALL, .test = ALL, .seed = 1 };
    nth_images train = { 0 }, test = { 0 };
    choice     train_rows = { 0 }, test_rows = { 0 };
    char      *dir = NULL;
    NTH_TRY(parse_classes(&r, spec));
    NTH_TRY(nth_priv_spec_count(spec, "train", 1, PTRDIFF_MAX, &r.train));
    NTH_TRY(nth_priv_spec_count(spec, "test", 0, PTRDIFF_MAX, &r.test));
    NTH_TRY(nth_priv_spec_seed(spec, "seed", &r.seed));
    NTH_TRY(nth_priv_data_dir(&dir, spec, spec->scheme));
    NTH_TRY(nth_priv_images_open(&train, spec->scheme, dir, false));
    NTH_TRY(choose(&train_rows, &train, &r, false, spec));
    if (r.test != 0) {
        NTH_TRY(nth_priv_images_open(&test, spec->scheme, dir, true));
        NTH_TRY(choose(&test_rows, &test, &r, true, spec));
        NTH_REQUIRE(test.pixels == train.pixels, NTH_E_FORMAT,
                    "%s: %s: training images have %td pixels, test images %td", spec->scheme, dir,
                    train.pixels, test.pixels);
    }
    NTH_TRY(nth_priv_data_alloc(data, train_rows.count, test_rows.count, train.pixels,
                                r.count == 2 ? 1 : r.count));
    NTH_TRY(describe(data, &r, spec, dir, train_rows.count, test_rows.count));
    NTH_TRY(fill(data->x, data->y, &train, &train_rows, &r, opt->pixels));
    if (r.test != 0) NTH_TRY(fill(data->x_test, data->y_test, &test, &test_rows, &r, opt->pixels));
done:
    nth_priv_images_fini(&train);
    nth_priv_images_fini(&test);
    nth_priv_free(train_rows.record);
    nth_priv_free(test_rows.record);
    nth_priv_free(dir);
    return st;
}
