/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * The readers of CIFAR-10, idx, CSV and 121-UCI on tiny files of known content, and on damaged
 * ones, each of which must be refused with its place.
 */
#include "nth_test.h"
#include "data_fixture.h"
#include "nth/data.h"
#include "nth/rng.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static nth_status load(const char *spec)
{
    nth_data        *data = NULL;
    const nth_status st = nth_data_load(&data, spec, NULL);
    NTH_CHECK((st == NTH_OK) == (data != NULL));
    nth_data_destroy(&data);
    return st;
}

static void refused(const char *spec, nth_status want, const char *says)
{
    NTH_CHECK_STATUS(load(spec), want);
    NTH_CHECK_MESSAGE(says);
}

/* Pixel 0 of training record i is 7 i mod 256, of test record i 11 i mod 256; 7 * 183 = 11 * 163 = 1
 * mod 256. The label follows from i. */
enum { INVERSE_7 = 183, INVERSE_11 = 163 };
static int record_of(double pixel, int inverse) { return inverse * (int)pixel % 256; }

static void cifar_rows_are_records(void)
{
    const nth_data_options raw = { .pixels = NTH_PIXELS_RAW };
    nth_data              *d = NULL;
    bool                   used[100] = { false };
    NTH_CHECK_OK(nth_data_load(&d, nth_fixture_spec("cifar10:", "cifar", "?classes=7,2&train=14&test=3"), &raw));
    if (d == NULL) return;
    NTH_CHECK(d->x.rows == 14 && d->x.cols == 3072 && d->y.cols == 1 && d->x_test.rows == 3 && d->classes == 2);
    NTH_CHECK(strcmp(d->labels[0], "7") == 0 && strcmp(d->labels[1], "2") == 0);
    for (int r = 0; r < 14; ++r) {
        const double *x = d->x.a + 3072 * r;
        const int     i = record_of(x[0], INVERSE_7);
        if (!NTH_CHECK(i < 100 && !used[i])) continue;
        used[i] = true;
        NTH_CHECK(i % 10 == (r % 2 ? 2 : 7)); /* the classes in turn, first listed first */
        NTH_CHECK_CLOSE(d->y.a[r], r % 2 ? -1.0 : 1.0, 0.0, 0.0);
        bool same = true;
        for (int j = 0; j < 3072; ++j) same = same && x[j] == (7 * i + j) % 256;
        NTH_CHECK(same);
    }
    for (int r = 0; r < 3; ++r)
        NTH_CHECK((record_of(d->x_test.a[3072 * r], INVERSE_11) + 3) % 10 == (d->y_test.a[r] > 0 ? 7 : 2));
    nth_data_destroy(&d);
}

/* The sample by its definition: of class c, record after record with the least key above the last. */
static void samples_follow_the_keys(void)
{
    const nth_data_options raw = { .pixels = NTH_PIXELS_RAW };
    nth_data              *d = NULL;
    NTH_CHECK_OK(nth_data_load(&d, nth_fixture_spec("cifar10:", "cifar", "?classes=4,6&train=10&test=4&seed=5"), &raw));
    if (d == NULL) return;
    for (uint32_t run = 0; run < 2; ++run)
        for (int k = 0; k < 2; ++k) {
            double last = 0.0;
            for (int r = k; r < (run ? 4 : 10); r += 2) {
                double least = 2.0;
                int    record = -1;
                for (int i = 0; i < (run ? 20 : 100); ++i) {
                    const double key = nth_rand_uniform(5, NTH_STREAM_SPLIT, run, (uint64_t)i);
                    if ((run ? (i + 3) % 10 : i % 10) == (k ? 6 : 4) && key > last && key < least) least = key, record = i;
                }
                last = least;
                NTH_CHECK(record_of((run ? d->x_test.a : d->x.a)[3072 * r], run ? INVERSE_11 : INVERSE_7) == record);
            }
        }
    nth_data_destroy(&d);
}

static void samples_are_nested_and_seeded(void)
{
    nth_data *a = NULL, *b = NULL, *c = NULL, *all = NULL;
    NTH_CHECK_OK(nth_data_load(&a, nth_fixture_spec("cifar10:", "cifar", "?classes=1,2,3&train=7&test=4"), NULL));
    NTH_CHECK_OK(nth_data_load(&b, nth_fixture_spec("cifar10:", "cifar", "?classes=1,2,3&train=20&test=5"), NULL));
    NTH_CHECK_OK(nth_data_load(&c, nth_fixture_spec("cifar10:", "cifar", "?classes=1,2,3&train=7&seed=2"), NULL));
    NTH_CHECK_OK(nth_data_load(&all, nth_fixture_spec("cifar10:", "cifar", ""), NULL));
    if (a == NULL || b == NULL || c == NULL || all == NULL) return;
    NTH_CHECK(a->y.cols == 3 && all->y.cols == 10 && all->x.rows == 100 && all->x_test.rows == 20);
    NTH_CHECK(memcmp(a->x.a, b->x.a, 7 * 3072 * sizeof(double)) == 0);
    NTH_CHECK(memcmp(a->x_test.a, b->x_test.a, 4 * 3072 * sizeof(double)) == 0);
    NTH_CHECK(memcmp(a->x.a, c->x.a, 7 * 3072 * sizeof(double)) != 0);
    for (int r = 0; r < 7; ++r)
        for (int k = 0; k < 3; ++k) NTH_CHECK_CLOSE(a->y.a[3 * r + k], r % 3 == k ? 1.0 : 0.0, 0.0, 0.0);
    NTH_CHECK(strstr(c->source, "cifar?classes=1,2,3&train=7&test=6&seed=2") != NULL);
    nth_data_destroy(&a), nth_data_destroy(&b), nth_data_destroy(&c), nth_data_destroy(&all);
}

static void pixel_ranges(void)
{
    static const struct {
        nth_pixels range;
        double     scale, shift;
        const char *text;
    } of[] = { { NTH_PIXELS_DEFAULT, 1 / 127.5, -1.0, "pixels=signed" },
               { NTH_PIXELS_SIGNED, 1 / 127.5, -1.0, "pixels=signed" },
               { NTH_PIXELS_UNIT, 1 / 255.0, 0.0, "pixels=unit" },
               { NTH_PIXELS_RAW, 1.0, 0.0, "pixels=raw" } };
    for (size_t k = 0; k < sizeof of / sizeof of[0]; ++k) {
        nth_data *d = NULL;
        NTH_CHECK_OK(nth_data_load(&d, nth_fixture_spec("mnist:", "mnist", "?classes=0,1&train=2&test=0"),
                                   &(nth_data_options){ .pixels = of[k].range }));
        if (d == NULL) continue;
        const double p = 255.0 * (d->x.a[1] - d->x.a[0]) / (of[k].scale * 255.0); /* neighbours differ by 1 */
        NTH_CHECK_CLOSE(p, 1.0, 1e3 * 2.3e-16, 0.0);                             /* cancellation of 1/255 */
        const double level = (d->x.a[0] - of[k].shift) / of[k].scale;
        NTH_CHECK_CLOSE(level, 5.0 * (double)(int)(level / 5.0 + 0.5), 0.0, 255 * 2.3e-16 * 4);
        NTH_CHECK(strcmp(d->preprocessing, of[k].text) == 0);
        nth_data_destroy(&d);
    }
}

static void damaged_cifar(void)
{
    static unsigned char record[2 * 3073];
    const char          *spec = nth_fixture_spec("cifar10:", "cifar", "?classes=7,2&train=10");
    refused(nth_fixture_spec("cifar10:", "cifar", "?classes=7,2&train=22"), NTH_E_ARG,
            "train=22 asks for 11 images of class 7; there are 10");
    refused(nth_fixture_spec("cifar10:", "cifar", "?classes=7,2&test=5"), NTH_E_ARG,
            "test=5 asks for 3 images of class 7; there are 2");
    refused("cifar10:/nonexistent", NTH_E_IO, "cannot open /nonexistent/data_batch_1.bin: No such file");
    nth_fixture_write("cifar/data_batch_3.bin", record, sizeof record - 1);
    refused(spec, NTH_E_FORMAT, "data_batch_3.bin: 6145 bytes; expected a multiple of 3073");
    nth_fixture_write("cifar/data_batch_3.bin", record, 0);
    refused(spec, NTH_E_FORMAT, "data_batch_3.bin: 0 bytes");
    record[3073] = 10;
    nth_fixture_write("cifar/data_batch_3.bin", record, sizeof record);
    refused(spec, NTH_E_FORMAT, "data_batch_3.bin: label 10 of record 1, counted from 0; expected 0 to 9");
    unlink(nth_fixture_path("cifar/data_batch_3.bin"));
    refused(spec, NTH_E_IO, "data_batch_3.bin: No such file");
    mkdir(nth_fixture_path("cifar/data_batch_3.bin"), 0700);
    refused(spec, NTH_E_IO, "it is a folder");
    rmdir(nth_fixture_path("cifar/data_batch_3.bin"));
    nth_fixture_cifar();
    NTH_CHECK_OK(load(spec));
}

static void default_folder_is_from_the_environment(void)
{
    char before[1024] = "", root[1024];
    if (getenv("NTH_DATA_DIR") != NULL) snprintf(before, sizeof before, "%s", getenv("NTH_DATA_DIR"));
    snprintf(root, sizeof root, "%s", nth_fixture_path("."));
    setenv("NTH_DATA_DIR", root, 1);
    NTH_CHECK_OK(load("mnist:?classes=0,1&train=2&test=2")); /* the fixture's folder is named mnist, too */
    unsetenv("NTH_DATA_DIR");
    refused("mnist:?classes=0,1", NTH_E_ARG, "NTH_DATA_DIR is not set; write mnist:DIR");
    refused("uci:iris", NTH_E_ARG, "NTH_DATA_DIR is not set");
    if (before[0] != '\0') setenv("NTH_DATA_DIR", before, 1);
}

static void damaged_idx(void)
{
    static const unsigned char images[] = { 0, 0, 8, 3, 0, 0, 0, 2, 0, 0, 0, 1, 0, 0, 0, 2, 9, 8, 7, 6 };
    static const unsigned char labels[] = { 0, 0, 8, 1, 0, 0, 0, 2, 0, 1 };
    unsigned char              bytes[sizeof images];
    const char                *spec = nth_fixture_spec("mnist:", "mnist", "?classes=0,1&train=2&test=0");
    const char                *x = "mnist/train-images-idx3-ubyte", *y = "mnist/train-labels-idx1-ubyte";
    nth_fixture_write(x, images, sizeof images), nth_fixture_write(y, labels, sizeof labels);
    NTH_CHECK_OK(load(spec));
    nth_fixture_write(x, images, sizeof images - 1);
    refused(spec, NTH_E_FORMAT, "train-images-idx3-ubyte: header says 2 images, the file has 3 bytes after it");
    nth_fixture_write(x, images, 7);
    refused(spec, NTH_E_FORMAT, "7 bytes, shorter than the idx header of 16");
    nth_fixture_write(x, labels, sizeof labels);
    refused(spec, NTH_E_FORMAT, "shorter than the idx header");
    memcpy(bytes, images, sizeof images);
    bytes[3] = 1;
    nth_fixture_write(x, bytes, sizeof bytes);
    refused(spec, NTH_E_FORMAT, "idx magic 0x00000801; expected 0x00000803");
    bytes[0] = 0x1f, bytes[1] = 0x8b;
    nth_fixture_write(x, bytes, sizeof bytes);
    refused(spec, NTH_E_FORMAT, "compressed with gzip");
    memcpy(bytes, images, sizeof images);
    memset(bytes + 4, 0xff, 12); /* 2^96 bytes announced */
    nth_fixture_write(x, bytes, sizeof bytes);
    refused(spec, NTH_E_FORMAT, "header says 4294967295 images");
    memcpy(bytes + 4, (const unsigned char[12]){ 128, 0, 0, 0, 128, 0, 0, 0, 0, 0, 0, 4 }, 12);
    nth_fixture_write(x, bytes, 16); /* 2^64 bytes, which wrap around to the 0 there are */
    refused(spec, NTH_E_FORMAT, "header says 2147483648 images");
    memcpy(bytes, images, sizeof images);
    bytes[11] = 0, bytes[7] = 2;
    nth_fixture_write(x, bytes, 16);
    refused(spec, NTH_E_FORMAT, "images of 0 x 2 pixels");
    nth_fixture_write(x, images, sizeof images);
    nth_fixture_write(y, (const unsigned char[]){ 0, 0, 8, 1, 0, 0, 0, 1, 0 }, 9);
    refused(spec, NTH_E_FORMAT, "train-labels-idx1-ubyte has 1 labels");
    nth_fixture_write(y, (const unsigned char[]){ 0, 0, 8, 1, 0, 0, 0, 2, 0, 200 }, 10);
    refused(spec, NTH_E_FORMAT, "label 200 of record 1, counted from 0; expected 0 to 9");
    nth_fixture_write(y, labels, sizeof labels);
    refused(nth_fixture_spec("mnist:", "mnist", "?classes=0,1&train=2&test=2"), NTH_E_FORMAT,
            "training images have 2 pixels, test images 6");
    refused(nth_fixture_spec("mnist:", "mnist", "?classes=5,6&test=0"), NTH_E_ARG, "there is no training image of class 5");
    refused(nth_fixture_spec("mnist:", "mnist", "?classes=0,6&test=0"), NTH_E_ARG, "there is no training image of class 6");
    refused(nth_fixture_spec("mnist:", "mnist", "?classes=0,6&train=2&test=0"), NTH_E_ARG, "train=2 asks for 1 images of class 6; there are 0");
    refused(nth_fixture_spec("mnist:", "mnist", "?classes=0,1&train=1&test=0"), NTH_E_ARG,
            "train=1 leaves class 1 without an image; 2 classes take 2 or more");
    nth_fixture_mnist();
}

static void csv_kinds(void)
{
    nth_data *d = NULL;
    nth_fixture_text("k.csv", "\xef\xbb\xbf\"in, 1\" ,y,b\r\n 1e0 ,red,-2\r\n\r\n+.5,\"a \"\"q\"\"\",4\r\n3,red,5");
    NTH_CHECK_OK(nth_data_load(&d, nth_fixture_spec("csv:", "k.csv", "?target=y"), NULL));
    if (d == NULL) return;
    NTH_CHECK(d->x.rows == 3 && d->x.cols == 2 && d->classes == 2 && d->x_test.rows == 0);
    NTH_CHECK(strcmp(d->labels[0], "a \"q\"") == 0 && strcmp(d->labels[1], "red") == 0);
    NTH_CHECK(memcmp(d->x.a, (double[]){ 1, -2, 0.5, 4, 3, 5 }, 6 * sizeof(double)) == 0);
    NTH_CHECK(memcmp(d->y.a, (double[]){ -1, 1, -1 }, 3 * sizeof(double)) == 0); /* "a" sorts first */
    nth_data_destroy(&d);
    nth_fixture_text("n.csv", "a;f;y\n1;p;10\n2;q;9\n3;p;10\n4;q;-1\n");
    NTH_CHECK_OK(nth_data_load(&d, nth_fixture_spec("csv:", "n.csv", "?target=y&ignore=f"), NULL));
    if (d == NULL) return;
    NTH_CHECK(d->classes == 0 && d->x.cols == 1 && memcmp(d->y.a, (double[]){ 10, 9, 10, -1 }, 4 * sizeof(double)) == 0);
    nth_data_destroy(&d);
    NTH_CHECK_OK(nth_data_load(&d, nth_fixture_spec("csv:", "n.csv", "?target=y&task=classify&split=f&fold=q"), NULL));
    if (d == NULL) return;
    NTH_CHECK(d->classes == 3 && strcmp(d->labels[1], "9") == 0 && d->x.rows == 2 && d->x_test.rows == 2);
    NTH_CHECK(memcmp(d->y.a, (double[]){ 0, 0, 1, 0, 0, 1 }, 6 * sizeof(double)) == 0); /* -1 < 9 < 10 by value */
    NTH_CHECK(memcmp(d->y_test.a, (double[]){ 0, 1, 0, 1, 0, 0 }, 6 * sizeof(double)) == 0);
    NTH_CHECK(strstr(d->source, "n.csv?target=y&task=classify&split=f&fold=q") != NULL);
    nth_data_destroy(&d);
}

/* Rows 0..39 hold their own number. */
static void csv_splits(void)
{
    char      text[512];
    size_t    used = (size_t)snprintf(text, sizeof text, "x,y\n");
    nth_data *a = NULL, *b = NULL;
    int       seen[40] = { 0 };
    for (int i = 0; i < 40; ++i) used += (size_t)snprintf(text + used, sizeof text - used, "%d,%d\n", i, -i);
    nth_fixture_text("s.csv", text);
    NTH_CHECK_OK(nth_data_load(&a, nth_fixture_spec("csv:", "s.csv", "?target=y&train=10&seed=3"), NULL));
    NTH_CHECK_OK(nth_data_load(&b, nth_fixture_spec("csv:", "s.csv", "?target=y&train=25&test=5&seed=3"), NULL));
    if (a == NULL || b == NULL) return;
    NTH_CHECK(a->x.rows == 10 && a->x_test.rows == 30 && b->x.rows == 25 && b->x_test.rows == 5);
    NTH_CHECK(memcmp(a->x.a, b->x.a, 10 * sizeof(double)) == 0 && memcmp(a->x_test.a, b->x_test.a, 5 * sizeof(double)) == 0);
    for (int i = 0; i < 10; ++i) ++seen[(int)a->x.a[i]], NTH_CHECK_CLOSE(a->y.a[i], -a->x.a[i], 0.0, 0.0);
    for (int i = 0; i < 30; ++i) ++seen[(int)a->x_test.a[i]];
    bool once = true;
    for (int i = 0; i < 40; ++i) once = once && seen[i] == 1;
    NTH_CHECK(once);
    NTH_CHECK(a->x.a[0] != 0.0 || a->x.a[1] != 1.0 || a->x.a[2] != 2.0); /* not the order of the file */
    NTH_CHECK(strstr(a->source, "&task=regress&train=10&test=30&seed=3") != NULL);
    nth_data_destroy(&a), nth_data_destroy(&b);
    refused(nth_fixture_spec("csv:", "s.csv", "?target=y&test=40"), NTH_E_ARG, "there are 40 rows");
    refused(nth_fixture_spec("csv:", "s.csv", "?target=y&train=41"), NTH_E_ARG, "there are 40 rows");
    refused(nth_fixture_spec("csv:", "s.csv", "?target=y&train=30&test=11"), NTH_E_ARG, "there are 40 rows");
}

static void damaged_csv(void)
{
    static const struct {
        const char *text, *keys;
        nth_status  want;
        const char *says;
    } bad[] = {
        { "", "?target=y", NTH_E_FORMAT, "d.csv:1: no header" },
        { "a,y\n", "?target=y", NTH_E_FORMAT, "a header and no rows" },
        { "a,y\n1,2\n3\n", "?target=y", NTH_E_FORMAT, "d.csv:3: 1 fields; the header has 2" },
        { "a,y\n1,2\n3,4,5\n", "?target=y", NTH_E_FORMAT, "d.csv:3: 3 fields; the header has 2" },
        { "a,y\n1,2\nx\x1b,4\n", "?target=y", NTH_E_FORMAT, "d.csv:3:1: \"x?\" is not a number (a)" },
        { "a,y\n1,2\n3, ?\n", "?target=y", NTH_E_FORMAT, "d.csv:3:4: \"?\" is not a number (y)" },
        { "a,y\n,2\n", "?target=y", NTH_E_FORMAT, "d.csv:2:1: \"\" is not a number (a); fill in what is missing" },
        { "a,b,y\n1,2,2\n1,NA,2\n", "?target=y", NTH_E_FORMAT, "d.csv:3:3: \"NA\" is not a number (b); fill in what is missing" },
        { "id,b,y\nu1,2,2\n", "?target=y", NTH_E_FORMAT, "d.csv:2:1: \"u1\" is not a number (id); ignore=id leaves the column out" },
        { "5.1,red\n4.9,blue\n", "?target=y", NTH_E_FORMAT, "d.csv:1: target=y: no such column; the first line must name the columns, \"5.1\" is a number" },
        { "a,y\n0x10,2\n", "?target=y", NTH_E_FORMAT, "d.csv:2:1: \"0x10\" is not a number" },
        { "a,y\n1,nan\n", "?target=y", NTH_E_NUMERIC, "d.csv:2:3: \"nan\" is not finite" },
        { "a,y\n1e999,1\n", "?target=y", NTH_E_NUMERIC, "d.csv:2:1: \"1e999\" is not finite" },
        { "a,y\n1,red\n2,red\n", "?target=y", NTH_E_FORMAT, "one class only in column \"y\": \"red\"" },
        { "a,y\n1,red\n2,\n", "?target=y", NTH_E_FORMAT, "d.csv:3:3: no class (y)" },
        { "a,y\n1,\"red\n", "?target=y", NTH_E_FORMAT, "d.csv:2:3: no closing quote" },
        { "a,y\n1,\"red\"x\n", "?target=y", NTH_E_FORMAT, "d.csv:2:8: text after the closing quote" },
        { "a,y\n1,2\n", "?target=z", NTH_E_ARG, "d.csv:1: target=z: no such column; did you mean \"" },
        { "y,y\n1,2\n", "?target=y", NTH_E_FORMAT, "two columns are named \"y\"" },
        { "y\n1\n", "?target=y", NTH_E_FORMAT, "no column left" },
        { "a,y\n1,2\n", "?target=y&ignore=a,b", NTH_E_ARG, "ignore=b: no such column; did you mean \"a\"" },
        { "a,y\n1,2\n", "?target=y&ignore=y", NTH_E_ARG, "the target or the split" },
        { "a,b,y\n1,1,2\n", "?target=y&split=b&fold=2", NTH_E_ARG, "gives 1 training and 0 test rows" },
        { "a,y\n1,2\n", "?target=y&split=y&fold=2", NTH_E_ARG, "split=y is the target" },
    };
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; ++i) {
        nth_fixture_text("d.csv", bad[i].text);
        refused(nth_fixture_spec("csv:", "d.csv", bad[i].keys), bad[i].want, bad[i].says);
    }
    nth_fixture_write("d.csv", "a,y\n1,\0002\n", 9);
    refused(nth_fixture_spec("csv:", "d.csv", "?target=y"), NTH_E_FORMAT, "d.csv:2:3: a zero byte");
    refused(nth_fixture_spec("csv:", "no.csv", "?target=y"), NTH_E_IO, "no.csv: No such file");
    refused(nth_fixture_spec("", "d.csv", ""), NTH_E_ARG, "d.csv?target=NAME");
    refused(nth_fixture_spec("", "d.csv", "?target=y"), NTH_E_ARG, "write \"csv:");
}

static void csv_has_a_limit_of_classes(void)
{
    static char text[16384];
    size_t      used = (size_t)snprintf(text, sizeof text, "a,y\n");
    for (int i = 0; i < 1001; ++i) used += (size_t)snprintf(text + used, sizeof text - used, "1,c%d\n", i);
    nth_fixture_text("c.csv", text);
    refused(nth_fixture_spec("csv:", "c.csv", "?target=y"), NTH_E_RANGE, "c.csv:1002: more than 1000 classes");
}

static void uci_splits(void)
{
    nth_data *d = NULL;
    NTH_CHECK_OK(nth_data_load(&d, nth_fixture_spec("uci:", "uci/tiny", ""), NULL));
    if (d == NULL) return;
    NTH_CHECK(d->x.rows == 4 && d->x.cols == 2 && d->x_test.rows == 4 && d->classes == 3 && d->y.cols == 3);
    NTH_CHECK(memcmp(d->x.a, (double[]){ 7, -7, 0, -0.0, 3, -3, 2, -2 }, 8 * sizeof(double)) == 0);
    NTH_CHECK(memcmp(d->y.a, (double[]){ 0, 1, 0, 1, 0, 0, 1, 0, 0, 0, 0, 1 }, 12 * sizeof(double)) == 0);
    nth_data_destroy(&d);
    NTH_CHECK_OK(nth_data_load(&d, nth_fixture_spec("uci:", "uci/tiny", "?fold=4"), NULL));
    if (d == NULL) return;
    NTH_CHECK(d->x.rows == 6 && d->x_test.rows == 2 && d->x_test.a[0] == 4.0 && d->x_test.a[2] == 5.0);
    nth_data_destroy(&d);
}

static void damaged_uci(void)
{
    static const struct {
        const char *file, *text, *says;
    } bad[] = {
        { "tiny.txt", "n_entradas= 2\n", "no line \"n_clases= \"" },
        { "tiny.txt", "n_entradas= 0\n", "tiny.txt:1: n_entradas= 0; must be an integer from 1" },
        { "tiny.txt", "n_entradas= 2\nn_clases= 1\nn_arquivos= 1\nn_patrons1= 8\n", "one class only" },
        { "tiny.txt", "n_entradas= 2\nn_clases= 3\nn_arquivos= 2\n", "tiny.txt:3: n_arquivos= 2; must be" },
        { "tiny.txt", "n_entradas= 3\nn_clases= 3\nn_arquivos= 1\nn_patrons1= 8\n", "tiny_R.dat:2: 4 fields; expected" },
        { "tiny.txt", "n_entradas= 2\nn_clases= 3\nn_arquivos= 1\nn_patrons1= 9\n", "8 rows; expected 9 (truncated?)" },
        { "tiny.txt", "n_entradas= 2\nn_clases= 3\nn_arquivos= 1\nn_patrons1= 7\n", "tiny_R.dat:9: more than the 7 rows" },
        { "tiny.txt", "n_entradas= 2\nn_clases= 2\nn_arquivos= 1\nn_patrons1= 8\n", "tiny_R.dat:4: class 2; expected an integer from 0 to 1" },
        { "tiny_R.dat", "", "tiny_R.dat: empty" },
        { "tiny_R.dat", "h\n1\t1\t1\t0\t0\n", "tiny_R.dat:2: 5 fields; expected" },
        { "tiny_R.dat", "h\n2\t1\t1\t0\n", "tiny_R.dat:2: row number 2; expected 1" },
        { "tiny_R.dat", "h\n1\t1\tx\t0\n", "tiny_R.dat:2:5: \"x\" is not a number (input)" },
        { "tiny_R.dat", "h\n1\t1\t1\t0.5\n", "class 0.5; expected" },
        { "conxuntos.dat", "", "0 lines; expected 2" },
        { "conxuntos.dat", "0 1\n", "1 lines; expected 2" },
        { "conxuntos.dat", "0 1\n\n", "conxuntos.dat:2: 0 row numbers" },
        { "conxuntos.dat", "0 1\n2 8\n", "conxuntos.dat:2:3: row number \"8\"; expected 0 to 7" },
        { "conxuntos.dat", "0 1\n2 -1\n", "row number \"-1\"; expected 0 to 7" },
        { "conxuntos.dat", "0 1\n2 1\n", "conxuntos.dat:2:3: row 1 is used twice" },
    };
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; ++i) {
        char name[64];
        snprintf(name, sizeof name, "uci/tiny/%s", bad[i].file);
        nth_fixture_text(name, bad[i].text);
        refused(nth_fixture_spec("uci:", "uci/tiny", ""), NTH_E_FORMAT, bad[i].says);
        nth_fixture_uci();
    }
    nth_fixture_text("uci/tiny/conxuntos_kfold.dat", "0 1\n2 3\n4 5\n");
    refused(nth_fixture_spec("uci:", "uci/tiny", "?fold=2"), NTH_E_FORMAT, "3 lines; expected 4");
    nth_fixture_uci();
    refused(nth_fixture_spec("uci:", "uci/none", ""), NTH_E_IO, "none.txt: No such file");
}

static const char *sweep_spec;

static nth_status build(void)
{
    nth_data        *data = NULL;
    const nth_status st = nth_data_load(&data, sweep_spec, NULL);
    nth_data_destroy(&data);
    return st;
}

static void every_allocation_fails_once(void)
{
    nth_fixture_text("o.csv", "a,f,y\n1,0,red\n2,1,blue\n3,0,blue\n4,1,green\n");
    const char *specs[] = { nth_fixture_spec("cifar10:", "cifar", "?classes=1,2&train=4&test=2"),
                            nth_fixture_spec("mnist:", "mnist", "?train=11&test=2"),
                            nth_fixture_spec("csv:", "o.csv", "?target=y&ignore=f&test=2"),
                            nth_fixture_spec("uci:", "uci/tiny", "") };
    for (size_t i = 0; i < sizeof specs / sizeof specs[0]; ++i) {
        sweep_spec = specs[i];
        nth_test_every_allocation_fails(build);
    }
}

int main(void)
{
    nth_fixture_begin();
    nth_fixture_cifar(), nth_fixture_mnist(), nth_fixture_uci();
    const int failed = nth_test_main("data_files", (nth_test_case[]){
        { "cifar_rows_are_records", cifar_rows_are_records },
        { "samples_follow_the_keys", samples_follow_the_keys },
        { "samples_are_nested_and_seeded", samples_are_nested_and_seeded },
        { "pixel_ranges", pixel_ranges },
        { "damaged_cifar", damaged_cifar },
        { "default_folder_is_from_the_environment", default_folder_is_from_the_environment },
        { "damaged_idx", damaged_idx },
        { "csv_kinds", csv_kinds },
        { "csv_splits", csv_splits },
        { "damaged_csv", damaged_csv },
        { "csv_has_a_limit_of_classes", csv_has_a_limit_of_classes },
        { "uci_splits", uci_splits },
        { "damaged_uci", damaged_uci },
        { "every_allocation_fails_once", every_allocation_fails_once },
        { 0 },
    });
    nth_fixture_end();
    return failed;
}
