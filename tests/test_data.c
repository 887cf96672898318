/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * data/: specs, the synthetic sphere, preprocessing, checksum.
 */
#include "nth_test.h"
#include "nth/data.h"

#include <math.h>
#include <string.h>

static void sphere_is_addressed(void)
{
    nth_data *a = NULL, *b = NULL, *c = NULL;
    NTH_CHECK_OK(nth_data_load(&a, NTH_DATA_DEFAULT_SPEC, NULL));
    NTH_CHECK_OK(nth_data_load(&b, "synthetic:sphere?n=20&test=9", NULL));
    NTH_CHECK_OK(nth_data_load(&c, "synthetic:sphere?seed=2", NULL));
    if (a == NULL || b == NULL || c == NULL) return;
    NTH_CHECK(a->x.rows == 8 && a->x.cols == 6 && a->x_test.rows == 4 && a->y.cols == 1 && b->x.rows == 20);
    NTH_CHECK(memcmp(a->x.a, b->x.a, 8 * 6 * sizeof(double)) == 0);
    NTH_CHECK(memcmp(a->x_test.a, b->x_test.a, 4 * 6 * sizeof(double)) == 0);
    NTH_CHECK(memcmp(a->x.a, a->x_test.a, 4 * 6 * sizeof(double)) != 0);
    NTH_CHECK(memcmp(a->x.a, c->x.a, 8 * 6 * sizeof(double)) != 0);
    for (ptrdiff_t i = 0; i < a->x.rows; ++i) {
        double sum = 0.0;
        for (ptrdiff_t j = 0; j < 6; ++j) sum += a->x.a[6 * i + j] * a->x.a[6 * i + j];
        NTH_CHECK_CLOSE(sum, 1.0, 0.0, 6 * 2.3e-16); /* d eps */
        NTH_CHECK_CLOSE(a->y.a[i], i % 2 ? -1.0 : 1.0, 0.0, 0.0);
    }
    NTH_CHECK(a->classes == 2 && strcmp(a->labels[0], "+1") == 0 && strcmp(a->labels[1], "-1") == 0);
    NTH_CHECK(strcmp(a->source, NTH_DATA_DEFAULT_SPEC) == 0 && strcmp(a->preprocessing, "none") == 0);
    NTH_CHECK(a->checksum == nth_data_checksum(a) && a->checksum != b->checksum && a->checksum != c->checksum);
    nth_data_destroy(&a), nth_data_destroy(&b), nth_data_destroy(&c);
}

int main(void)
{
    return nth_test_main("data", (nth_test_case[]){
        { "sphere_is_addressed", sphere_is_addressed },
        { 0 },
    });
}
