/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Rows of features with one target: what the CSV and UCI readers fill, and the way from there to
 * the matrices of a data set. Rows grow by doubling, so a file may come through a pipe.
 */
#include "alloc_priv.h"
#include "data_priv.h"
#include "fail_priv.h"

#include <stdlib.h>
#include <string.h>

enum { FIRST_ROWS = 64 };

nth_status nth_priv_table_reserve(nth_table *t)
{
    nth_status st = NTH_OK;
    double    *x = NULL, *target = NULL;
    uint8_t   *is_test = NULL;
    ptrdiff_t  cells = 0;
    if (t->rows < t->capacity) return NTH_OK;
    const ptrdiff_t capacity = t->capacity > 0 ? 2 * t->capacity : FIRST_ROWS;
    NTH_REQUIRE(!__builtin_mul_overflow(capacity, t->d, &cells), NTH_E_NOMEM,
                "a table of %td x %td does not fit the address space", capacity, t->d);
    NTH_TRY(nth_priv_doubles(&x, cells, "table"));
    NTH_TRY(nth_priv_doubles(&target, capacity, "targets of a table"));
    NTH_TRY(nth_priv_alloc(&is_test, capacity, 1, "split of a table"));
    if (t->rows > 0) {
        memcpy(x, t->x, (size_t)(t->rows * t->d) * sizeof *x);
        memcpy(target, t->target, (size_t)t->rows * sizeof *target);
        memcpy(is_test, t->is_test, (size_t)t->rows);
    }
    nth_priv_free(t->x), nth_priv_free(t->target), nth_priv_free(t->is_test);
    t->x = x, t->target = target, t->is_test = is_test, t->capacity = capacity;
    return NTH_OK;
done:
    nth_priv_free(x), nth_priv_free(target), nth_priv_free(is_test);
    return st;
}

nth_status nth_priv_table_class(nth_table *t, const char *label, double *number)
{
    nth_status st = NTH_OK;
    ptrdiff_t  c = 0;
    if (t->labels == NULL)
        NTH_TRY(nth_priv_alloc(&t->labels, NTH_MAX_CLASSES, sizeof *t->labels, "class labels"));
    while (c < t->classes && strcmp(t->labels[c], label) != 0) ++c;
    if (c == t->classes) {
        NTH_REQUIRE(c < NTH_MAX_CLASSES, NTH_E_RANGE, "more than %d classes in the target column",
                    NTH_MAX_CLASSES);
        NTH_TRY(nth_priv_strdup(&t->labels[c], label));
        ++t->classes;
    }
    *number = (double)c;
done:
    return st;
}

typedef struct class_order {
    char     *label;
    double    value; /* where all labels are numbers */
    ptrdiff_t old;
} class_order;

static int by_value(const void *a, const void *b)
{
    const class_order *p = a, *q = b;
    return p->value < q->value ? -1 : p->value > q->value;
}

static int by_text(const void *a, const void *b)
{
    const class_order *p = a, *q = b;
    return strcmp(p->label, q->label);
}

nth_status nth_priv_table_sort_classes(nth_table *t)
{
    nth_status   st = NTH_OK;
    class_order *order = NULL;
    double      *new_number = NULL;
    bool         numbers = true;
    NTH_TRY(nth_priv_alloc(&order, t->classes, sizeof *order, "order of classes"));
    NTH_TRY(nth_priv_doubles(&new_number, t->classes, "order of classes"));
    for (ptrdiff_t c = 0; c < t->classes; ++c) {
        char *end = NULL;
        order[c] = (class_order){ t->labels[c], strtod(t->labels[c], &end), c };
        numbers = numbers && end != t->labels[c] && *end == '\0' && order[c].value == order[c].value;
    }
    if (t->classes > 0) qsort(order, (size_t)t->classes, sizeof *order, numbers ? by_value : by_text);
    for (ptrdiff_t c = 0; c < t->classes; ++c) {
        t->labels[c] = order[c].label;
        new_number[order[c].old] = (double)c;
    }
    for (ptrdiff_t i = 0; i < t->rows; ++i) t->target[i] = new_number[(ptrdiff_t)t->target[i]];
done:
    nth_priv_free(order);
    nth_priv_free(new_number);
    return st;
}

static void take_rows(nth_mat x, nth_mat y, const nth_table *t, const ptrdiff_t *rows)
{
    for (ptrdiff_t i = 0; i < x.rows; ++i) {
        memcpy(x.a + i * x.ld, t->x + rows[i] * t->d, (size_t)t->d * sizeof(double));
        if (t->classes > 0) nth_priv_data_set_class(y, i, (ptrdiff_t)t->target[rows[i]]);
        else y.a[i * y.ld] = t->target[rows[i]];
    }
}

nth_status nth_priv_table_to_data(nth_data *data, const nth_table *t, const ptrdiff_t *train,
                                  ptrdiff_t n, const ptrdiff_t *test, ptrdiff_t k)
{
    nth_status st = NTH_OK;
    NTH_TRY(nth_priv_data_alloc(data, n, k, t->d, t->classes > 2 ? t->classes : 1));
    if (t->classes > 0)
        NTH_TRY(nth_priv_data_labels(data, t->classes, (const char *const *)t->labels));
    take_rows(data->x, data->y, t, train);
    take_rows(data->x_test, data->y_test, t, test);
done:
    return st;
}

void nth_priv_table_fini(nth_table *t)
{
    for (ptrdiff_t c = 0; t->labels != NULL && c < t->classes; ++c) nth_priv_free(t->labels[c]);
    nth_priv_free(t->labels);
    nth_priv_free(t->x);
    nth_priv_free(t->target);
    nth_priv_free(t->is_test);
    *t = (nth_table){ 0 };
}
