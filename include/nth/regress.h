/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Kernel regression: coefficients, predictions, leave-one-out residuals and cross-validation from one
 * factorisation of K + rho I; gradient-flow predictions under a frozen kernel; scores of predictions.
 *
 * An object is made once from the training kernel and then asked. Order of use: create, solve, then
 * predict, loo, gcv. A kernel too close to singular for its ridge is refused with the figures found
 * and the ridge that would help; nothing is ever added silently.
 */
#ifndef NTH_REGRESS_H
#define NTH_REGRESS_H

#include <stdbool.h>

#include "nth/mat.h"
#include "nth/ntk.h"

#ifdef __cplusplus
extern "C" {
#endif

/* ---- Regression --------------------------------------------------------------------------------- */

typedef enum nth_regress_method {
    NTH_REGRESS_CHOLESKY, /* K + rho I positive definite */
    NTH_REGRESS_LDLT,     /* symmetric, perhaps indefinite (Bunch, Kaufman) */
    NTH_REGRESS_EIGEN,    /* spectral form: any number of ridges from one eigendecomposition (E88) */
    NTH_REGRESS_AUTO      /* CHOLESKY; LDLT where K + rho I is not positive definite */
} nth_regress_method;

typedef struct nth_regress_options {
    nth_regress_method method;
    double             ridge;     /* rho >= 0; 0 is ridgeless */
    bool               intercept; /* centred: subtract the mean of y, centre K (E87) */
} nth_regress_options;

/* What was found out about the kernel. With an intercept the eigenvalues are those of the centred
 * kernel without its constant eigenvector. */
typedef struct nth_regress_info {
    double    ridge;             /* rho */
    double    smallest, largest; /* eigenvalues of K */
    double    cond;              /* of K + rho I: largest over smallest absolute eigenvalue */
    ptrdiff_t negative;          /* number of negative eigenvalues of K + rho I */
    nth_regress_method method;   /* the one taken; never AUTO */
    bool      exact;             /* EIGEN: to rounding; else estimated by Lanczos: cond and largest from
                                    below, smallest + rho from above, to a few percent as a rule */
} nth_regress_info;

typedef struct nth_regress nth_regress;

/** Name of a method as options spell it ("cholesky"); NULL outside the list. */
NTH_API const char *nth_regress_method_name(nth_regress_method method);

/** Bytes that create and the calls after it take for n samples, but for some hundred n each thread. */
NTH_API double nth_regress_work_bytes(ptrdiff_t n, nth_regress_method method, bool in_place);

/**
 * Factors K + rho I, after centring K if there is an intercept.
 *
 *     alpha = (K + rho I)^{-1} y,   f(x) = k(x)^T alpha                                       [E87, E88]
 *
 * Shapes     K (n x n) symmetric, lower triangle used; n >= 1, with an intercept n >= 2.
 * Scaling    rho is added to the diagonal as it is; KARE's ridge (E93) is rho/n.
 * Ownership  *r is the caller's: nth_regress_destroy. K is not kept. On failure *r is NULL.
 * Cost       CHOLESKY, LDLT: n^3/3 flops, n^2 doubles; AUTO: one after the other at most; EIGEN: about 9 n^3 flops, 4 n^2 doubles (n^2 kept).
 * Accuracy   relative c n eps cond; test_regress.c, methods_agree. Same bits for any number of threads;
 *            LDLT and EIGEN take one.
 * Errors     NTH_E_SHAPE; NTH_E_ARG (ridge negative or NaN); NTH_E_NOMEM, before it starts; NTH_E_NUMERIC:
 *            K not finite, not symmetric (beyond 1e-6 of its largest entry), or K + rho I numerically
 *            singular - not positive definite (CHOLESKY, with the pivot) or cond above 1/(n eps); the
 *            message has the figures and the ridge that brings cond below 1e12 or 0.1/(n eps).
 */
NTH_API NTH_NODISCARD nth_status nth_regress_create(nth_regress **r, nth_cmat K,
                                                    const nth_regress_options *opt);

/**
 * The same in the memory of K, which is destroyed: one matrix in all but for EIGEN.
 *
 * Shapes     K (n x n) symmetric, lower triangle used. Scaling none.
 * Ownership  K.a stays the caller's and must outlive *r; its contents are lost, also on failure.
 * Cost       as nth_regress_create, n^2 doubles fewer.
 * Accuracy   the same numbers; test_regress.c, in_place_is_the_same.
 * Errors     as nth_regress_create.
 */
NTH_API NTH_NODISCARD nth_status nth_regress_create_in_place(nth_regress **r, nth_mat K,
                                                             const nth_regress_options *opt);

/** Frees an object and sets the pointer to NULL. Accepts a pointer to NULL. */
NTH_API void nth_regress_destroy(nth_regress **r);

/** EIGEN: the decomposition of K, centred if there is an intercept; it lives as long as r. Else NULL. */
NTH_API const nth_spectral *nth_regress_spectral(const nth_regress *r);

/** Eigenvalues and condition, as far as they are known. */
NTH_API nth_regress_info nth_regress_get_info(const nth_regress *r);

/**
 * Another ridge for the same eigendecomposition (EIGEN).
 *
 * Cost       n. Errors NTH_E_ARG (another method, ridge negative or NaN); NTH_E_NUMERIC as in create:
 *            then the old ridge stays.
 */
NTH_API NTH_NODISCARD nth_status nth_regress_set_ridge(nth_regress *r, double ridge);

/**
 * Coefficients of all columns of targets.
 *
 *     alpha = (K + rho I)^{-1} Y;   centred: alpha = (H K H + rho I)^{-1} H Y,  H = I - 1 1^T/n,
 *     offset = mean(Y) - mean(K)^T alpha, so that f(x) = k(x)^T alpha + offset with the plain k(x)   [E87]
 *
 * Shapes     alpha (n x c), Y (n x c), offset (c).
 * Scaling    none.
 * Ownership  the caller's; alpha may be Y; offset is zero without an intercept and may be NULL then.
 * Cost       2 n^2 c flops (EIGEN: 4 n^2 c); n c doubles.
 * Accuracy   as nth_regress_create; test_regress.c, methods_agree, intercept_is_a_bordered_system.
 * Errors     NTH_E_SHAPE; NTH_E_ARG (offset is missing); NTH_E_NUMERIC (Y not finite); NTH_E_NOMEM.
 */
NTH_API NTH_NODISCARD nth_status nth_regress_solve(nth_mat alpha, double *offset,
                                                   const nth_regress *r, nth_cmat Y);

/**
 * Predictions.
 *
 *     F = K_test alpha + 1 offset^T                                                             [E87]
 *
 * Shapes     F (k x c), K_test (k x n), alpha (n x c), offset (c) or NULL for zero.
 * Scaling    none.
 * Ownership  the caller's; F is none of the others.
 * Cost       2 k n c flops; no workspace.
 * Accuracy   n eps of the sum of absolute terms; same bits for any number of threads; test_regress.c.
 * Errors     NTH_E_SHAPE; NTH_E_NUMERIC (a prediction is not finite; names its row).
 */
NTH_API NTH_NODISCARD nth_status nth_regress_predict(nth_mat F, nth_cmat K_test, nth_cmat alpha,
                                                     const double *offset);

/**
 * Leave-one-out residuals: target minus the prediction of the model that never saw this sample.
 *
 *     e_i = alpha_i / M_ii,   M = (K + rho I)^{-1}                                              [E91]
 *
 * With an intercept M is the block of the bordered inverse, and mean and centring are refitted, too.
 * Shapes     E (n x c), alpha (n x c) of nth_regress_solve.
 * Scaling    none.
 * Ownership  the caller's; E may be alpha. The diagonal of M is kept in r.
 * Cost       first call: n^3/3 flops (EIGEN n^2 for each ridge); 128 n doubles for each thread (EIGEN none).
 * Accuracy   as alpha, equal to fitting n times; test_regress.c, loo_is_leaving_out.
 * Errors     NTH_E_SHAPE; NTH_E_NUMERIC (a residual is not finite: singular without that sample); NTH_E_NOMEM.
 */
NTH_API NTH_NODISCARD nth_status nth_regress_loo(nth_mat E, nth_regress *r, nth_cmat alpha);

/**
 * Generalised cross-validation of each column.
 *
 *     GCV = (|y - Hy|^2/n) / (tr(I - H)/n)^2 = (|alpha|^2/n) / (tr M/n)^2                       [E92, E96]
 *
 * Shapes     gcv (c), alpha (n x c).
 * Scaling    as a mean square error; equals KARE at z = rho/n.
 * Ownership  the caller's; the diagonal of M is kept in r.
 * Cost       as nth_regress_loo.
 * Accuracy   as alpha; the second form has the limit rho = 0; test_regress.c, stored_values.
 * Errors     NTH_E_SHAPE; NTH_E_NUMERIC (tr M = 0, indefinite kernels); NTH_E_NOMEM.
 */
NTH_API NTH_NODISCARD nth_status nth_regress_gcv(double *gcv, nth_regress *r, nth_cmat alpha);

/**
 * Outputs at time t of gradient flow under the frozen kernel.
 *
 *     f_t(x) = f_0(x) - k(x)^T alpha_t,   alpha_t of E26 with r_0 = F_0 - Y                     [E89]
 *
 * Shapes     F (k x c); sp of the training kernel (n x n); K_eval (k x n), the training kernel itself for
 *            outputs on the training set; Y (n x c); F0 (n x c) and F0_eval (k x c), or both empty for f_0 = 0.
 * Scaling    flow time with the 1/n of E6; t = INFINITY is ridgeless regression.
 * Ownership  the caller's; the residual held by sp is replaced.
 * Cost       4 n^2 c + 2 k n c flops; 2 n c doubles.
 * Accuracy   as nth_spectral_alpha; test_regress_flow.c.
 * Errors     NTH_E_SHAPE; NTH_E_ARG (t negative or NaN); NTH_E_NUMERIC (t = INFINITY and a singular kernel;
 *            a prediction is not finite); NTH_E_NOMEM.
 */
NTH_API NTH_NODISCARD nth_status nth_regress_flow(nth_mat F, nth_spectral *sp, nth_cmat K_eval,
                                                  nth_cmat Y, nth_cmat F0, nth_cmat F0_eval,
                                                  double t);

/* ---- Labels and scores -------------------------------------------------------------------------- */

typedef enum nth_task {
    NTH_TASK_REGRESSION, /* any finite targets */
    NTH_TASK_BINARY,     /* one column of +1 (class 0) and -1 (class 1) */
    NTH_TASK_MULTICLASS  /* one-hot rows, c >= 2 columns */
} nth_task;

/* A mean over a test set with its standard error. */
typedef struct nth_score {
    double    value;          /* accuracy, or mean square error */
    double    standard_error; /* sqrt(p(1-p)/k); of the mean of squares sd/sqrt(k) */
    ptrdiff_t right, count;   /* correct predictions (classification), test inputs k */
} nth_score;

/* Two classifiers on the same inputs. */
typedef struct nth_mcnemar {
    ptrdiff_t b, c, count; /* only the first right; only the second right; inputs k */
    double    p;           /* exact two-sided p-value: min(1, 2 P(Bin(b + c, 1/2) <= min(b, c))) */
    double    difference;  /* accuracy of the first minus that of the second, (b - c)/k */
    double    standard_error; /* paired: sqrt(b + c - (b - c)^2/k)/k */
} nth_mcnemar;

/**
 * Checks that targets are what the task says.
 *
 * Shapes     Y (n x c).
 * Scaling    none. Ownership reads only. Cost n c. Accuracy exact.
 * Errors     NTH_E_SHAPE (c does not suit the task); NTH_E_NUMERIC (not finite); NTH_E_RANGE: not +-1, not
 *            one-hot, or with `all_classes` one class only; the message has what was expected and found.
 */
NTH_API NTH_NODISCARD nth_status nth_targets_check(nth_cmat Y, nth_task task, bool all_classes);

/** Class of a row of predictions: one column by sign (0 counts as +1), else argmax, ties to the lowest. */
NTH_API ptrdiff_t nth_classify(nth_cmat F, ptrdiff_t row);

/**
 * Accuracy of predictions and its binomial standard error.
 *
 *     p = #right/k,   se = sqrt(p (1 - p)/k)
 *
 * Shapes     F, Y (k x c), k >= 1; Y of a classification.
 * Scaling    none. Ownership reads only. Cost k c. Accuracy exact counts; test_classify.c.
 * Errors     NTH_E_SHAPE; NTH_E_NUMERIC (a prediction is not finite; names its row).
 */
NTH_API NTH_NODISCARD nth_status nth_score_accuracy(nth_score *score, nth_cmat F, nth_cmat Y);

/**
 * Mean square error over all entries, and the standard error from the spread over rows.
 *
 *     q_i = mean_j (F_ij - Y_ij)^2,   mean(q) +- sd(q)/sqrt(k)      (sd with k - 1; NaN for k = 1)
 *
 * Shapes     F, Y (k x c), k >= 1.
 * Scaling    none. Ownership reads only. Cost k c. Accuracy k eps; test_classify.c.
 * Errors     NTH_E_SHAPE; NTH_E_NUMERIC (not finite).
 */
NTH_API NTH_NODISCARD nth_status nth_score_mse(nth_score *score, nth_cmat F, nth_cmat Y);

/**
 * McNemar's comparison of two classifiers on the same test set.
 *
 * Shapes     F1, F2, Y (k x c), k >= 1; Y of a classification.
 * Scaling    none. Ownership reads only. Cost k c + b + c.
 * Accuracy   p to (b + c) eps; test_classify.c, mcnemar_by_hand.
 * Errors     NTH_E_SHAPE; NTH_E_NUMERIC (a prediction is not finite).
 */
NTH_API NTH_NODISCARD nth_status nth_mcnemar_compare(nth_mcnemar *m, nth_cmat F1, nth_cmat F2,
                                                     nth_cmat Y);

#ifdef __cplusplus
}
#endif
#endif
