/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Labels and scores: what passes for labels, ties, accuracy and errors with their standard errors, and
 * McNemar's comparison against values computed by hand.
 */
#include "nth_test.h"
#include "nth/regress.h"

#include <float.h>
#include <math.h>

#define COLUMN(...)                                                                                \
    nth_cmat_of((const double[]){ __VA_ARGS__ },                                                   \
                sizeof((const double[]){ __VA_ARGS__ }) / sizeof(double), 1)
#define ROWS(c, ...)                                                                               \
    nth_cmat_of((const double[]){ __VA_ARGS__ },                                                   \
                sizeof((const double[]){ __VA_ARGS__ }) / sizeof(double) / (c), (c))

static void labels(void)
{
    NTH_CHECK_OK(nth_targets_check(COLUMN(1, -1, 1), NTH_TASK_BINARY, true));
    NTH_CHECK_OK(nth_targets_check(COLUMN(1, 1), NTH_TASK_BINARY, false));
    NTH_CHECK_OK(nth_targets_check(COLUMN(0.5, 2), NTH_TASK_REGRESSION, true));
    NTH_CHECK_OK(nth_targets_check(ROWS(3, 0, 1, 0, 0, 0, 1), NTH_TASK_MULTICLASS, true));
    NTH_CHECK_STATUS(nth_targets_check(COLUMN(1, -1, 0), NTH_TASK_BINARY, true), NTH_E_RANGE);
    NTH_CHECK_MESSAGE("label 3 is 0; two classes are labelled +1 and -1");
    NTH_CHECK_STATUS(nth_targets_check(COLUMN(-1, -1), NTH_TASK_BINARY, true), NTH_E_RANGE);
    NTH_CHECK_MESSAGE("one class only: all 2 labels are -1; both +1 and -1 are expected");
    NTH_CHECK_STATUS(nth_targets_check(ROWS(3, 0, 1, 0, 0, 1, 0), NTH_TASK_MULTICLASS, true),
                     NTH_E_RANGE);
    NTH_CHECK_MESSAGE("one class only: all 2 labels are of class 2; at least two of the 3 classes");
    NTH_CHECK_STATUS(nth_targets_check(ROWS(2, 0, 1, 1, 1), NTH_TASK_MULTICLASS, true),
                     NTH_E_RANGE);
    NTH_CHECK_MESSAGE("label row 2 has 2 ones");
    NTH_CHECK_STATUS(nth_targets_check(ROWS(2, 0, 0, 1, 0), NTH_TASK_MULTICLASS, true),
                     NTH_E_RANGE);
    NTH_CHECK_MESSAGE("label row 1 has 0 ones");
    NTH_CHECK_STATUS(nth_targets_check(ROWS(2, 0, 1, -1, 1), NTH_TASK_MULTICLASS, true),
                     NTH_E_RANGE);
    NTH_CHECK_MESSAGE("label row 2 has the entry -1");
    NTH_CHECK_STATUS(nth_targets_check(COLUMN(1, NAN), NTH_TASK_BINARY, true), NTH_E_NUMERIC);
    NTH_CHECK_MESSAGE("target (2,1) is nan; numbers must be finite");
    NTH_CHECK_STATUS(nth_targets_check(COLUMN(1, INFINITY), NTH_TASK_REGRESSION, true),
                     NTH_E_NUMERIC);
    NTH_CHECK_STATUS(nth_targets_check(ROWS(2, 1, -1), NTH_TASK_BINARY, true), NTH_E_SHAPE);
    NTH_CHECK_STATUS(nth_targets_check(COLUMN(1, -1), NTH_TASK_MULTICLASS, true), NTH_E_SHAPE);
    NTH_CHECK_STATUS(nth_targets_check((nth_cmat){ 0 }, NTH_TASK_REGRESSION, true), NTH_E_SHAPE);
}

static void classes_and_ties(void)
{
    const nth_cmat f = COLUMN(0.3, -0.3, 0.0, -0.0), g = ROWS(3, 1, 2, 2, 5, 5, 5, -3, -2, -1);
    NTH_CHECK(nth_classify(f, 0) == 0 && nth_classify(f, 1) == 1 && nth_classify(f, 2) == 0 &&
              nth_classify(f, 3) == 0);
    NTH_CHECK(nth_classify(g, 0) == 1 && nth_classify(g, 1) == 0 && nth_classify(g, 2) == 2);
}

static void accuracy(void)
{
    nth_score s;
    NTH_CHECK_OK(nth_score_accuracy(&s, COLUMN(0.2, -3, 0.1, 0.7, -0.1), COLUMN(1, -1, -1, 1, -1)));
    NTH_CHECK(s.right == 4 && s.count == 5);
    NTH_CHECK_CLOSE(s.value, 0.8, DBL_EPSILON, 0.0);
    NTH_CHECK_CLOSE(s.standard_error, sqrt(0.8 * 0.2 / 5.0), 4.0 * DBL_EPSILON, 0.0);
    NTH_CHECK_OK(
        nth_score_accuracy(&s, ROWS(3, .1, .2, .3, .3, .1, .1), ROWS(3, 0, 0, 1, 0, 1, 0)));
    NTH_CHECK(s.right == 1 && s.value == 0.5);
    NTH_CHECK_STATUS(nth_score_accuracy(&s, COLUMN(1, NAN), COLUMN(1, 1)), NTH_E_NUMERIC);
    NTH_CHECK_MESSAGE("prediction 2 is not finite");
    NTH_CHECK_STATUS(nth_score_accuracy(&s, COLUMN(1, 1), COLUMN(1, 0.5)), NTH_E_RANGE);
    NTH_CHECK_STATUS(nth_score_accuracy(&s, COLUMN(1, 1, 1), COLUMN(1, 1)), NTH_E_SHAPE);
    NTH_CHECK_STATUS(nth_score_accuracy(&s, (nth_cmat){ 0 }, (nth_cmat){ 0 }), NTH_E_SHAPE);
}

/* Squares 1, 4, 1: mean 2, variance 3. Rows of two columns: means of squares 2.5 and 0.5. */
static void mean_square_error(void)
{
    nth_score s;
    NTH_CHECK_OK(nth_score_mse(&s, COLUMN(1, 2, 3), COLUMN(2, 4, 2)));
    NTH_CHECK_CLOSE(s.value, 2.0, 2.0 * DBL_EPSILON, 0.0);
    NTH_CHECK_CLOSE(s.standard_error, 1.0, 4.0 * DBL_EPSILON, 0.0);
    NTH_CHECK_OK(nth_score_mse(&s, ROWS(2, 1, 2, 0, 1), ROWS(2, 0, 0, 0, 0)));
    NTH_CHECK_CLOSE(s.value, 1.5, 2.0 * DBL_EPSILON, 0.0);
    NTH_CHECK_CLOSE(s.standard_error, 1.0, 4.0 * DBL_EPSILON, 0.0);
    NTH_CHECK_OK(nth_score_mse(&s, COLUMN(1), COLUMN(3)));
    NTH_CHECK(s.value == 4.0 && isnan(s.standard_error)); /* one point has no spread */
    NTH_CHECK_STATUS(nth_score_mse(&s, COLUMN(1, NAN), COLUMN(1, 1)), NTH_E_NUMERIC);
}

enum { K = 3000 };
static double first[K], second[K], truth[K];

/* b points where only the first is right, c where only the second is, both right on the others. */
static nth_mcnemar compare(int b, int c, int k)
{
    nth_mcnemar m = { 0 };
    for (int i = 0; i < k; ++i) {
        truth[i] = i % 2 == 0 ? 1.0 : -1.0;
        first[i] = i >= b && i < b + c ? -truth[i] : truth[i];
        second[i] = i < b ? -truth[i] : truth[i];
    }
    NTH_CHECK_OK(nth_mcnemar_compare(&m, nth_cmat_of(first, k, 1), nth_cmat_of(second, k, 1),
                                     nth_cmat_of(truth, k, 1)));
    NTH_CHECK(m.b == b && m.c == c && m.count == k);
    return m;
}

static void mcnemar_by_hand(void)
{
    static const struct {
        int    b, c;
        double p;
    } row[] = { { 0, 0, 1.0 },          { 1, 0, 1.0 },         { 1, 5, 14.0 / 64.0 },
                { 5, 1, 14.0 / 64.0 },  { 0, 10, 2.0 / 1024 }, { 3, 3, 1.0 },
                { 2, 8, 112.0 / 1024 }, { 4, 5, 1.0 },         { 0, 1000, 0x1p-999 },
                { 0, 2000, 0.0 } };
    for (size_t i = 0; i < sizeof row / sizeof *row; ++i)
        NTH_CHECK_CLOSE(compare(row[i].b, row[i].c, K).p, row[i].p, 1e-14, 0.0);
    const nth_mcnemar m = compare(2, 8, 50);
    NTH_CHECK_CLOSE(m.difference, -6.0 / 50.0, DBL_EPSILON, 0.0);
    NTH_CHECK_CLOSE(m.standard_error, sqrt(10.0 - 36.0 / 50.0) / 50.0, 4.0 * DBL_EPSILON, 0.0);
    /* 480 against 560 of 1040: the sum of C(1040, i) 2^-1039 in long double, by logarithms. */
    long double want = 0.0L;
    for (int i = 0; i <= 480; ++i)
        want += expl(lgammal(1041.0L) - lgammal(i + 1.0L) - lgammal(1041.0L - i) -
                     1039.0L * logl(2.0L));
    NTH_CHECK_CLOSE(compare(480, 560, K).p, (double)want, 1e-12, 0.0);
    nth_mcnemar refused;
    NTH_CHECK_STATUS(nth_mcnemar_compare(&refused, COLUMN(1, 1), COLUMN(1, NAN), COLUMN(1, -1)),
                     NTH_E_NUMERIC);
    NTH_CHECK_STATUS(nth_mcnemar_compare(&refused, COLUMN(1, 1), COLUMN(1, 1, 1), COLUMN(1, -1)),
                     NTH_E_SHAPE);
}

int main(void)
{
    return nth_test_main("classify", (nth_test_case[]){ { "labels", labels },
                                                        { "classes_and_ties", classes_and_ties },
                                                        { "accuracy", accuracy },
                                                        { "mean_square_error", mean_square_error },
                                                        { "mcnemar_by_hand", mcnemar_by_hand },
                                                        { 0 } });
}
