/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Labels and what predictions are worth: checks of targets, accuracy, mean square error, and
 * McNemar's exact comparison of two classifiers on one test set.
 */
#include "nth/regress.h"
#include "fail_priv.h"
#include "linalg_priv.h"

#include <math.h>

/* ---- Targets ------------------------------------------------------------------------------------ */

/* Class of a row of targets; -1 if it is not a label. */
static ptrdiff_t class_of(nth_cmat Y, ptrdiff_t i)
{
    const double *y = Y.a + i * Y.ld;
    ptrdiff_t     found = -1;
    if (Y.cols == 1) return y[0] == 1.0 ? 0 : y[0] == -1.0 ? 1 : -1;
    for (ptrdiff_t j = 0; j < Y.cols; ++j) {
        if (y[j] == 0.0) continue;
        if (y[j] != 1.0 || found >= 0) return -1;
        found = j;
    }
    return found;
}

static nth_status refuse_row(nth_cmat Y, ptrdiff_t i)
{
    nth_status    st = NTH_OK;
    const double *y = Y.a + i * Y.ld;
    double        sum = 0.0;
    NTH_REQUIRE(Y.cols > 1, NTH_E_RANGE, "label %td is %.9g; two classes are labelled +1 and -1",
                i + 1, y[0]);
    for (ptrdiff_t j = 0; j < Y.cols; ++j) {
        sum += y[j];
        NTH_REQUIRE(
            y[j] == 0.0 || y[j] == 1.0, NTH_E_RANGE,
            "label row %td has the entry %.9g; each row must be one-hot: a single 1, else 0", i + 1,
            y[j]);
    }
    NTH_FAIL(NTH_E_RANGE,
             "label row %td has %.0f ones; each row must be one-hot: a single 1, else 0", i + 1,
             sum);
done:
    return st;
}

nth_status nth_targets_check(nth_cmat Y, nth_task task, bool all_classes)
{
    nth_status st = NTH_OK;
    ptrdiff_t  first = -1;
    bool       several = false;
    NTH_REQUIRE(Y.rows >= 1 && Y.cols >= 1, NTH_E_SHAPE, "targets are %td x %td", Y.rows, Y.cols);
    NTH_REQUIRE(task != NTH_TASK_BINARY || Y.cols == 1, NTH_E_SHAPE,
                "%td columns of labels; two classes are one column of +1 and -1", Y.cols);
    NTH_REQUIRE(task != NTH_TASK_MULTICLASS || Y.cols >= 2, NTH_E_SHAPE,
                "one column of labels; several classes are one-hot rows");
    for (ptrdiff_t i = 0; i < Y.rows; ++i) {
        for (ptrdiff_t j = 0; j < Y.cols; ++j)
            NTH_REQUIRE(isfinite(Y.a[i * Y.ld + j]), NTH_E_NUMERIC,
                        "target (%td,%td) is %g; numbers must be finite", i + 1, j + 1, Y.a[i * Y.ld + j]);
        if (task == NTH_TASK_REGRESSION) continue;
        const ptrdiff_t label = class_of(Y, i);
        if (label < 0) return refuse_row(Y, i);
        if (first < 0) first = label;
        several = several || label != first;
    }
    if (task == NTH_TASK_REGRESSION || !all_classes || several) goto done;
    NTH_REQUIRE(Y.cols > 1, NTH_E_RANGE,
                "one class only: all %td labels are %+d; both +1 and -1 are expected", Y.rows,
                first == 0 ? 1 : -1);
    NTH_FAIL(NTH_E_RANGE,
             "one class only: all %td labels are of class %td; at least two of the %td classes are "
             "expected",
             Y.rows, first + 1, Y.cols);
done:
    return st;
}

/* ---- Scores ------------------------------------------------------------------------------------- */

ptrdiff_t nth_classify(nth_cmat F, ptrdiff_t row)
{
    const double *f = F.a + row * F.ld;
    ptrdiff_t     best = 0;
    if (F.cols == 1) return f[0] >= 0.0 ? 0 : 1;
    for (ptrdiff_t j = 1; j < F.cols; ++j)
        if (f[j] > f[best]) best = j;
    return best;
}

static nth_status check_pair(nth_cmat F, nth_cmat Y)
{
    nth_status st = NTH_OK;
    NTH_REQUIRE(F.rows == Y.rows && F.cols == Y.cols && Y.rows >= 1 && Y.cols >= 1, NTH_E_SHAPE,
                "predictions are %td x %td, targets %td x %td", F.rows, F.cols, Y.rows, Y.cols);
    for (ptrdiff_t i = 0; i < F.rows; ++i)
        for (ptrdiff_t j = 0; j < F.cols; ++j)
            NTH_REQUIRE(isfinite(F.a[i * F.ld + j]), NTH_E_NUMERIC, "prediction %td is not finite",
                        i + 1);
done:
    return st;
}

nth_status nth_score_accuracy(nth_score *score, nth_cmat F, nth_cmat Y)
{
    nth_status st = NTH_OK;
    NTH_TRY(check_pair(F, Y));
    NTH_TRY(nth_targets_check(Y, Y.cols == 1 ? NTH_TASK_BINARY : NTH_TASK_MULTICLASS, false));
    *score = (nth_score){ .count = Y.rows };
    for (ptrdiff_t i = 0; i < Y.rows; ++i) score->right += nth_classify(F, i) == class_of(Y, i);
    score->value = (double)score->right / (double)Y.rows;
    score->standard_error = sqrt(score->value * (1.0 - score->value) / (double)Y.rows);
done:
    return st;
}

/* (1/c) |F_i - Y_i|^2 */
static double row_error(nth_cmat F, nth_cmat Y, ptrdiff_t i)
{
    double q = 0.0;
    for (ptrdiff_t j = 0; j < Y.cols; ++j) {
        const double e = F.a[i * F.ld + j] - Y.a[i * Y.ld + j];
        q += e * e / (double)Y.cols;
    }
    return q;
}

nth_status nth_score_mse(nth_score *score, nth_cmat F, nth_cmat Y)
{
    nth_status   st = NTH_OK;
    const double k = (double)Y.rows;
    double       mean = 0.0, spread = 0.0;
    NTH_TRY(check_pair(F, Y));
    for (ptrdiff_t i = 0; i < Y.rows; ++i) mean += row_error(F, Y, i) / k;
    for (ptrdiff_t i = 0; i < Y.rows; ++i) spread += pow(row_error(F, Y, i) - mean, 2.0);
    *score = (nth_score){ .value = mean,
                          .standard_error = k > 1.0 ? sqrt(spread / (k - 1.0) / k) : (double)NAN,
                          .count = Y.rows };
    NTH_REQUIRE(isfinite(mean), NTH_E_NUMERIC, "mean square error is not finite");
done:
    return st;
}

/* P(Bin(n, 1/2) <= m), 2 m <= n: the largest term C(n,m) 2^-n, then the others by their ratios. */
static double binomial_tail(ptrdiff_t m, ptrdiff_t n)
{
    double    term = 1.0, sum = 0.0;
    ptrdiff_t power = -n; /* of 2, beside term */
    int       shift;
    for (ptrdiff_t i = 1; i <= m; ++i) {
        term = frexp(term * ((double)(n - m + i) / (double)i), &shift);
        power += shift;
    }
    term = ldexp(term, power < -4000 ? -4000 : (int)power);
    for (ptrdiff_t i = m; i >= 0; --i) {
        sum += term;
        term *= (double)i / (double)(n - i + 1);
    }
    return sum;
}

nth_status nth_mcnemar_compare(nth_mcnemar *m, nth_cmat F1, nth_cmat F2, nth_cmat Y)
{
    nth_status   st = NTH_OK;
    const double k = (double)Y.rows;
    NTH_TRY(check_pair(F1, Y));
    NTH_TRY(check_pair(F2, Y));
    NTH_TRY(nth_targets_check(Y, Y.cols == 1 ? NTH_TASK_BINARY : NTH_TASK_MULTICLASS, false));
    *m = (nth_mcnemar){ .count = Y.rows };
    for (ptrdiff_t i = 0; i < Y.rows; ++i) {
        const ptrdiff_t label = class_of(Y, i);
        const bool      first = nth_classify(F1, i) == label, second = nth_classify(F2, i) == label;
        m->b += first && !second, m->c += second && !first;
    }
    const double split = (double)(m->b - m->c), apart = (double)(m->b + m->c);
    m->p = fmin(1.0, 2.0 * binomial_tail(m->b < m->c ? m->b : m->c, m->b + m->c));
    m->difference = split / k;
    m->standard_error = sqrt(apart - split * split / k) / k;
done:
    return st;
}
