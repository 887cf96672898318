/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * data/ on the real files in $NTH_DATA_DIR (cifar10/ mnist/ fd121/ csv/): known sizes, counts and
 * first records of CIFAR-10 and MNIST, and every table loads. Skipped where they are not.
 */
#include "nth_test.h"
#include "alloc_priv.h"
#include "data_priv.h"

#include <dirent.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

/* "$NTH_DATA_DIR/sub", or NULL after skipping the case. */
static const char *folder(const char *sub)
{
    static char path[1024];
    struct stat info;
    const char *root = getenv("NTH_DATA_DIR");
    if (root == NULL || root[0] == '\0') {
        nth_test_skip("NTH_DATA_DIR is not set");
        return NULL;
    }
    snprintf(path, sizeof path, "%s/%s", root, sub);
    if (stat(path, &info) == 0) return path;
    nth_test_skip("there is no folder %s", path);
    return NULL;
}

static void check_counts(const nth_images *set, ptrdiff_t first, ptrdiff_t count, const int *want)
{
    int got[10] = { 0 };
    for (ptrdiff_t i = first; i < first + count; ++i) ++got[set->labels[i]];
    for (int c = 0; c < 10; ++c) NTH_CHECK_CLOSE(got[c], want[c], 0.0, 0.0);
}

static void check_start(nth_images *set, const uint8_t *labels, size_t count)
{
    NTH_CHECK(memcmp(set->labels, labels, count) == 0);
}

static void cifar10_is_the_known_set(void)
{
    static const int batch1[] = { 1005, 974, 1032, 1016, 999, 937, 1030, 1001, 1025, 981 };
    static const int all[] = { 5000, 5000, 5000, 5000, 5000, 5000, 5000, 5000, 5000, 5000 };
    static const int test_all[] = { 1000, 1000, 1000, 1000, 1000, 1000, 1000, 1000, 1000, 1000 };
    const char      *dir = folder("cifar10");
    nth_images       train = { 0 }, test = { 0 };
    uint8_t          pixels[3072];
    if (dir == NULL) return;
    NTH_CHECK_OK(nth_priv_images_open(&train, "cifar10", dir, false));
    NTH_CHECK_OK(nth_priv_images_open(&test, "cifar10", dir, true));
    if (!NTH_CHECK(train.count == 50000 && test.count == 10000 && train.pixels == 3072)) return;
    check_counts(&train, 0, 10000, batch1);
    check_counts(&train, 0, 50000, all);
    check_counts(&test, 0, 10000, test_all);
    check_start(&train, (const uint8_t[]){ 6, 9, 9, 4, 1, 1, 2, 7, 8, 3 }, 10); /* frog, truck, truck, ... */
    check_start(&test, (const uint8_t[]){ 3, 8, 8, 0, 6, 6, 1, 6, 3, 1 }, 10);  /* cat, ship, ship, ... */
    NTH_CHECK_OK(nth_priv_images_read(&train, 0, pixels));
    NTH_CHECK(pixels[0] == 59 && pixels[1] == 43 && pixels[1024] == 62 && pixels[2048] == 63); /* R R G B */
    nth_priv_images_fini(&train), nth_priv_images_fini(&test);
}

static void mnist_is_the_known_set(void)
{
    static const int train_counts[] = { 5923, 6742, 5958, 6131, 5842, 5421, 5918, 6265, 5851, 5949 };
    static const int test_counts[] = { 980, 1135, 1032, 1010, 982, 892, 958, 1028, 974, 1009 };
    const char      *dir = folder("mnist");
    nth_images       train = { 0 }, test = { 0 };
    uint8_t          pixels[784];
    double           sum = 0.0;
    if (dir == NULL) return;
    NTH_CHECK_OK(nth_priv_images_open(&train, "mnist", dir, false));
    NTH_CHECK_OK(nth_priv_images_open(&test, "mnist", dir, true));
    if (!NTH_CHECK(train.count == 60000 && test.count == 10000 && train.pixels == 784)) return;
    check_counts(&train, 0, 60000, train_counts);
    check_counts(&test, 0, 10000, test_counts);
    check_start(&train, (const uint8_t[]){ 5, 0, 4, 1, 9 }, 5);
    check_start(&test, (const uint8_t[]){ 7, 2, 1, 0, 4 }, 5);
    for (ptrdiff_t i = 0; i < train.count; ++i) {
        NTH_CHECK_OK(nth_priv_images_read(&train, i, pixels));
        for (int j = 0; j < 784; ++j) sum += pixels[j];
    }
    NTH_CHECK_CLOSE(sum / (60000.0 * 784.0 * 255.0), 0.1307, 0.0, 5e-5); /* the mean in everyone's code, 4 digits */
    nth_priv_images_fini(&train), nth_priv_images_fini(&test);
}

static void cifar10_samples(void)
{
    nth_data              *a = NULL, *b = NULL, *z = NULL;
    const nth_data_options unit = { .centre = true, .unit_norm = true };
    double                 sum = 0.0, low = 0.0, high = 0.0, worst = 0.0;
    if (folder("cifar10") == NULL) return;
    NTH_CHECK_OK(nth_data_load(&a, "cifar10:?classes=4,5&train=100&test=50", NULL));
    NTH_CHECK_OK(nth_data_load(&b, "cifar10:?classes=4,5&train=300&test=50", NULL));
    NTH_CHECK_OK(nth_data_load(&z, "cifar10:?classes=4,5&train=100&test=50", &unit));
    if (a == NULL || b == NULL || z == NULL) return;
    NTH_CHECK(a->x.rows == 100 && a->x_test.rows == 50 && a->x.cols == 3072 && a->y.cols == 1);
    NTH_CHECK(memcmp(a->x.a, b->x.a, 100 * 3072 * sizeof(double)) == 0);
    for (int i = 0; i < 100; ++i) sum += a->y.a[i];
    NTH_CHECK_CLOSE(sum, 0.0, 0.0, 0.0); /* balanced */
    for (ptrdiff_t p = 0; p < 100 * 3072; ++p) low = fmin(low, a->x.a[p]), high = fmax(high, a->x.a[p]);
    NTH_CHECK_CLOSE(low, -1.0, 0.0, 0.0);
    NTH_CHECK_CLOSE(high, 1.0, 0.0, 0.0);
    for (int i = 0; i < 100; ++i) {
        double norm = 0.0;
        for (int j = 0; j < 3072; ++j) norm += z->x.a[3072 * i + j] * z->x.a[3072 * i + j];
        worst = nth_worst(worst, fabs(norm - 1.0));
    }
    NTH_CHECK_CLOSE(worst, 0.0, 0.0, 3072 * 2.3e-16); /* d eps */
    nth_data_destroy(&a), nth_data_destroy(&b), nth_data_destroy(&z);
    NTH_CHECK_STATUS(nth_data_load(&a, "cifar10:?classes=4,5&train=10002", NULL), NTH_E_ARG);
    NTH_CHECK_MESSAGE("asks for 5001 images of class 4; there are 5000");
}

/* Calls visit for each entry that ends so; returns how many there were. */
static int each_entry(const char *dir, const char *ending, void (*visit)(const char *dir, const char *name))
{
    int            count = 0;
    struct dirent *entry;
    DIR           *d = opendir(dir);
    while (d != NULL && (entry = readdir(d)) != NULL) {
        const size_t length = strlen(entry->d_name), tail = strlen(ending);
        if (entry->d_name[0] == '.' || length < tail || strcmp(entry->d_name + length - tail, ending) != 0) continue;
        visit(dir, entry->d_name);
        ++count;
    }
    if (d != NULL) closedir(d);
    return count;
}

static void load_uci(const char *dir, const char *name)
{
    char spec[1200];
    for (int fold = 0; fold <= 4; ++fold) {
        nth_data *data = NULL;
        if (fold == 0) snprintf(spec, sizeof spec, "uci:%s/%s", dir, name);
        else snprintf(spec, sizeof spec, "uci:%s/%s?fold=%d", dir, name, fold);
        if (!NTH_CHECK_OK(nth_data_load(&data, spec, NULL))) return;
        NTH_CHECK(data->classes >= 2 && data->y.cols == (data->classes == 2 ? 1 : data->classes));
        NTH_CHECK(data->x.rows >= data->x_test.rows && data->x_test.rows > 0);
        nth_data_destroy(&data);
    }
}

static void every_uci_set_loads(void)
{
    const char *dir = folder("fd121");
    if (dir != NULL) NTH_CHECK_CLOSE(each_entry(dir, "", load_uci), 90, 0.0, 0.0);
}

static void load_classification(const char *dir, const char *name)
{
    char      spec[1200];
    nth_data *data = NULL;
    const char *target = strncmp(name, "higgs", 5) == 0 ? "label" : "class";
    snprintf(spec, sizeof spec, "csv:%s/%s?target=%s&task=classify", dir, name, target);
    if (!NTH_CHECK_OK(nth_data_load(&data, spec, NULL))) return;
    NTH_CHECK(data->classes >= 2 && data->x.rows >= 100 && atof(data->labels[0]) == 0.0);
    nth_data_destroy(&data);
}

static void load_regression(const char *dir, const char *name)
{
    const bool  wine = strncmp(name, "winequality", 11) == 0, houses = strncmp(name, "california", 10) == 0;
    const char *keys = wine ? "quality" : houses ? "medianHouseValue" : "y&split=testfold&fold=0";
    char        spec[1200];
    nth_data   *data = NULL;
    snprintf(spec, sizeof spec, "csv:%s/%s?target=%s", dir, name, keys);
    if (!NTH_CHECK_OK(nth_data_load(&data, spec, NULL))) return;
    NTH_CHECK(data->classes == 0 && data->y.cols == 1 && data->x.rows >= 100);
    NTH_CHECK(data->x_test.rows == 0 || fabs(9.0 * (double)data->x_test.rows / (double)data->x.rows - 1.0) < 0.1); /* a tenth */
    nth_data_destroy(&data);
}

static void every_csv_loads(void)
{
    const char *dir = folder("csv/classification");
    if (dir == NULL) return;
    NTH_CHECK_CLOSE(each_entry(dir, ".csv", load_classification), 17, 0.0, 0.0);
    NTH_CHECK_CLOSE(each_entry(folder("csv/regression"), ".csv", load_regression), 10, 0.0, 0.0);
}

/* The CSV of iris has the rows of the collection's in their order: first training row is row 46. */
static void csv_and_uci_agree(void)
{
    const char *dir = folder("csv/classification");
    char        spec[1200];
    nth_data   *csv = NULL, *uci = NULL;
    if (dir == NULL) return;
    snprintf(spec, sizeof spec, "csv:%s/iris.csv?target=class&task=classify", dir);
    NTH_CHECK_OK(nth_data_load(&csv, spec, NULL));
    NTH_CHECK_OK(nth_data_load(&uci, "uci:iris", NULL));
    if (csv == NULL || uci == NULL) return;
    NTH_CHECK(csv->x.rows == 150 && uci->x.rows == 75 && uci->x_test.rows == 75 && uci->classes == 3);
    NTH_CHECK(memcmp(csv->x.a + 46 * 4, uci->x.a, 4 * sizeof(double)) == 0);
    NTH_CHECK(memcmp(csv->x.a + 21 * 4, uci->x.a + 4, 4 * sizeof(double)) == 0);
    NTH_CHECK(memcmp(csv->y.a + 46 * 3, uci->y.a, 3 * sizeof(double)) == 0);
    nth_data_destroy(&csv), nth_data_destroy(&uci);
}

int main(void)
{
    return nth_test_main("data_real", (nth_test_case[]){
        { "cifar10_is_the_known_set", cifar10_is_the_known_set },
        { "mnist_is_the_known_set", mnist_is_the_known_set },
        { "cifar10_samples", cifar10_samples },
        { "every_uci_set_loads", every_uci_set_loads },
        { "every_csv_loads", every_csv_loads },
        { "csv_and_uci_agree", csv_and_uci_agree },
        { 0 },
    });
}
