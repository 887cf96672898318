/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * One network of a sweep: drawn, predicted from its initialization, trained, compared. Blocks of
 * kernels are contiguous: train (n x n), test-train (k x n), test (k x k), one after the other.
 */
#include "sweep_priv.h"
#include "alloc_priv.h"
#include "fail_priv.h"
#include "flow_priv.h"
#include "hier_priv.h"
#include "linalg_priv.h"
#include "truncation_priv.h"

#include <math.h>
#include <string.h>

typedef struct member {
    const nth_member_job *job;
    ptrdiff_t             n, k, T, size; /* size of one set of blocks */
    nth_net              *net;
    nth_rows             *rows;
    nth_flow             *flow;
    double               *K0, *Kt, *diff, *term3, *term4; /* (size); the terms (T x size) */
    nth_blocks           *b3, *b4;                        /* (T) views of the terms */
    double               *f;                              /* (n + k) outputs */
    double               *level_f[NTH_HIER_MAX_ORDER + 1], *level_K[NTH_HIER_MAX_ORDER + 1]; /* (T x (n + k)), (T x size) */
} member;

static nth_blocks blocks_of(const member *m, double *a)
{
    const ptrdiff_t n = m->n, k = m->k;
    nth_blocks      b = { .train = nth_mat_of(a, n, n) };
    if (k > 0) {
        b.test = nth_mat_of(a + n * n, k, n);
        b.test_test = nth_mat_of(a + n * n + k * n, k, k);
    }
    return b;
}

nth_net_config nth_priv_member_config(const nth_family *f, ptrdiff_t width)
{
    nth_net_config cfg = f->shape;
    for (int l = 1; l < cfg.layers; ++l) cfg.widths[l] = cfg.doubled ? width / 2 : width;
    cfg.widths[cfg.layers] = 1;
    return cfg;
}

double nth_priv_member_bytes(const nth_data *data, const nth_family *f, ptrdiff_t width)
{
    const nth_net_config cfg = nth_priv_member_config(f, width);
    const ptrdiff_t      n = data->x.rows, k = data->x_test.rows;
    const double         flow = nth_flow_work_bytes(&cfg, n, k, &f->flow);
    const double         copies = cfg.doubled ? 2.0 : 1.0;
    double               neurons = 0.0, weights = 0.0;
    for (int l = 1; l < cfg.layers; ++l) neurons += copies * (double)cfg.widths[l];
    for (int l = 2; l < cfg.layers; ++l) weights += 8.0 * copies * (double)cfg.widths[l] * (double)cfg.widths[l - 1];
    const double khat = 8.0 * (nth_jet_doubles(&cfg, 2, n, true) + nth_jet_doubles(&cfg, 3, n + k, true) +
                               2.0 * (double)f->n_times * (double)n * neurons); /* two factors of a drift at each time */
    const double levels = f->level > 0 ? nth_truncation_bytes(n, k, f->level, 0, NTH_TRUNCATION_INTEGRALS) : 0.0;
    return flow + khat * (f->level > 4 ? 4.0 : f->level > 3 ? 2.0 : 1.0) + weights + levels + 8e6;
}

static nth_status member_alloc(member *m)
{
    nth_status           st = NTH_OK;
    const nth_data      *data = m->job->data;
    const nth_net_config cfg = nth_priv_member_config(m->job->family, m->job->width);
    m->n = data->x.rows, m->k = data->x_test.rows, m->T = m->job->family->n_times;
    m->size = m->n * m->n + m->k * m->n + m->k * m->k;
    NTH_TRY(nth_priv_doubles(&m->K0, m->size, "kernel"));
    NTH_TRY(nth_priv_doubles(&m->Kt, m->size, "kernel"));
    NTH_TRY(nth_priv_doubles(&m->diff, m->size, "kernel"));
    NTH_TRY(nth_priv_doubles(&m->term3, m->T * m->size, "K3 term"));
    NTH_TRY(nth_priv_doubles(&m->term4, m->T * m->size, "K4 term"));
    NTH_TRY(nth_priv_alloc(&m->b3, m->T, sizeof *m->b3, "K3 term"));
    NTH_TRY(nth_priv_alloc(&m->b4, m->T, sizeof *m->b4, "K4 term"));
    for (ptrdiff_t t = 0; t < m->T; ++t) {
        m->b3[t] = blocks_of(m, m->term3 + t * m->size);
        m->b4[t] = blocks_of(m, m->term4 + t * m->size);
    }
    NTH_TRY(nth_net_create(&m->net, &cfg, false));
    nth_net_init_gaussian(m->net, m->job->seed, 0);
    NTH_TRY(nth_rows_create(&m->rows, m->net, nth_const(data->x), nth_const(data->x_test)));
done:
    return st;
}

static void member_free(member *m)
{
    nth_flow_destroy(&m->flow);
    nth_rows_destroy(&m->rows);
    nth_net_destroy(&m->net);
    nth_priv_free(m->K0);
    nth_priv_free(m->Kt);
    nth_priv_free(m->diff);
    nth_priv_free(m->term3);
    nth_priv_free(m->term4);
    nth_priv_free(m->b3);
    nth_priv_free(m->b4);
    nth_priv_free(m->f);
    for (int p = 0; p <= NTH_HIER_MAX_ORDER; ++p) {
        nth_priv_free(m->level_f[p]);
        nth_priv_free(m->level_K[p]);
    }
}

/* All levels of the truncated hierarchy from the frozen tensors. One that diverges leaves NaN. */
static nth_status truncate(member *m, double *f0)
{
    nth_status        st = NTH_OK;
    const nth_family *f = m->job->family;
    const ptrdiff_t   N = m->n + m->k;
    nth_truncation   *tr = NULL;
    nth_mat           V = { 0 };
    NTH_TRY(nth_priv_mat(&V, m->n, m->n, "directions"));
    for (ptrdiff_t i = 0; i < m->n; ++i) V.a[i * m->n + i] = 1.0;
    NTH_TRY(nth_priv_truncation_from_rows(&tr, m->rows, m->job->data->y.a, f->level, nth_const(V)));
    memcpy(f0, tr->f0, (size_t)N * sizeof *f0);
    NTH_TRY(nth_priv_doubles(&m->f, N, "outputs"));
    for (int p = f->small_time ? f->level : 2; p <= f->level; ++p) {
        nth_blocks K[NTH_FAMILY_MAX_TIMES];
        NTH_TRY(nth_priv_doubles(&m->level_f[p], m->T * N, "outputs of a truncation"));
        NTH_TRY(nth_priv_doubles(&m->level_K[p], m->T * m->size, "kernel of a truncation"));
        for (ptrdiff_t i = 0; i < m->T * N; ++i) m->level_f[p][i] = NAN;
        for (ptrdiff_t i = 0; i < m->T * m->size; ++i) m->level_K[p][i] = NAN;
        for (ptrdiff_t t = 0; t < m->T; ++t) K[t] = blocks_of(m, m->level_K[p] + t * m->size);
        st = nth_truncation_run(tr, p, NTH_TRUNCATION_INTEGRALS, f->flow.rtol, m->T, f->times, m->level_f[p], K, NULL);
        if (st != NTH_E_STEPSIZE && st != NTH_E_NUMERIC) NTH_TRY(st);
        st = NTH_OK;
    }
done:
    nth_truncation_destroy(&tr);
    nth_priv_free(V.a);
    return st;
}

/* Prediction, and what is known of the initial kernel. */
static nth_status predict(member *m, double *out)
{
    nth_status             st = NTH_OK;
    const nth_family      *f = m->job->family;
    nth_blocks             K0 = blocks_of(m, m->K0);
    const nth_khat_request req = { .y = m->job->data->y.a, .T = m->T, .times = f->times, .route = NTH_KHAT_CURVE };
    double                *f0 = NULL, *d = NULL;
    nth_mat                U = { 0 };
    NTH_TRY(nth_priv_doubles(&f0, m->n + m->k, "outputs"));
    NTH_TRY(nth_priv_doubles(&d, m->n, "eigenvalues"));
    NTH_TRY(nth_priv_mat(&U, m->n, m->n, "eigenvectors"));
    if (f->level > 0) {
        NTH_TRY(nth_priv_ntk_rows(&K0, NULL, m->rows));
        NTH_TRY(truncate(m, f0));
    } else {
        NTH_TRY(nth_priv_khat(&K0, m->b3, m->b4, f0, m->rows, &req));
    }
    NTH_TRY(nth_eigh(nth_const(K0.train), d, U));
    out[nth_extra_index(f, NTH_X_LAMBDA_MIN)] = d[0];
    out[nth_extra_index(f, NTH_X_LAMBDA_MAX)] = d[m->n - 1];
    out[nth_extra_index(f, NTH_X_KERNEL_MAX)] = nth_max_abs(nth_const(K0.train));
    out[nth_extra_index(f, NTH_X_OUTPUT_MAX)] = nth_max_abs(nth_cmat_of(f0, m->n, 1));
done:
    nth_priv_free(f0);
    nth_priv_free(d);
    nth_priv_free(U.a);
    return st;
}

/* Sup and Frobenius norms of the blocks of `a`. */
static void norms(const member *m, double *a, ptrdiff_t t, nth_quantity q, double *out)
{
    const nth_blocks b = blocks_of(m, a);
    const nth_mat    part[NTH_PAIRS_COUNT] = { b.train, b.test, b.test_test };
    for (int p = 0; p < NTH_PAIRS_COUNT; ++p) {
        const bool any = part[p].a != NULL;
        out[nth_norm_index(t, q, (nth_pairs)p, NTH_NORM_SUP)] = any ? nth_max_abs(nth_const(part[p])) : NAN;
        out[nth_norm_index(t, q, (nth_pairs)p, NTH_NORM_FROBENIUS)] = any ? nth_frobenius(nth_const(part[p])) : NAN;
    }
}

/* diff <- Kt - K0 - [3] term3 - [4] term4, and its norms. */
static void compare(member *m, ptrdiff_t t, nth_quantity q, bool with3, bool with4, double *out)
{
    for (ptrdiff_t i = 0; i < m->size; ++i) {
        m->diff[i] = m->Kt[i] - m->K0[i];
        if (with3) m->diff[i] -= m->term3[t * m->size + i];
        if (with4) m->diff[i] -= m->term4[t * m->size + i];
    }
    norms(m, m->diff, t, q, out);
}

/* Signed drift of the training diagonal and rms drift of pairs of different test points. */
static void drifts(const member *m, ptrdiff_t t, double *out)
{
    const nth_family *f = m->job->family;
    const ptrdiff_t   n = m->n, k = m->k, at = n * n + k * n;
    double            diagonal = 0.0, pairs = 0.0;
    for (ptrdiff_t i = 0; i < n; ++i) diagonal += (m->Kt[i * n + i] - m->K0[i * n + i]) / (double)n;
    for (ptrdiff_t i = 0; i < k; ++i)
        for (ptrdiff_t j = 0; j < k; ++j) {
            const double d = m->Kt[at + i * k + j] - m->K0[at + i * k + j];
            if (i != j) pairs += d * d / (double)(k * (k - 1));
        }
    out[nth_drift_index(f, t, NTH_DRIFT_DIAGONAL)] = diagonal;
    out[nth_drift_index(f, t, NTH_DRIFT_PAIRS)] = k > 1 ? sqrt(pairs) : NAN;
}

/* Norms of K - E_init K_0, NaN if that is not known. */
static void limit_norms(member *m, ptrdiff_t t, double *K, nth_quantity q, double *out)
{
    const nth_blocks *limit = m->job->limit;
    for (ptrdiff_t i = 0; limit == NULL && i < NTH_PAIRS_COUNT * NTH_NORM_COUNT; ++i) out[nth_norm_index(t, q, 0, 0) + i] = NAN;
    if (limit == NULL) return;
    const nth_mat    *parts[3] = { &limit->train, &limit->test, &limit->test_test };
    double           *d = m->diff;
    for (int p = 0; p < 3; ++p)
        for (ptrdiff_t i = 0; i < parts[p]->rows * parts[p]->cols; ++i) *d++ = parts[p]->a[i];
    for (ptrdiff_t i = 0; i < m->size; ++i) m->diff[i] = K[i] - m->diff[i];
    norms(m, m->diff, t, q, out);
}

/* Differences from each truncation: kernels and outputs; levels that were not made are NaN. */
static nth_status compare_levels(member *m, ptrdiff_t t, double *out)
{
    nth_status      st = NTH_OK;
    const ptrdiff_t n = m->n, k = m->k, N = n + k, first[NTH_PAIRS_COUNT] = { 0, 0, n }, count[NTH_PAIRS_COUNT] = { n, k > 0 ? N : 0, k };
    double         *d = m->diff;
    NTH_TRY(nth_flow_outputs(m->flow, m->f));
    for (int p = 2; p <= NTH_HIER_MAX_ORDER; ++p) {
        const bool there = m->level_K[p] != NULL;
        for (ptrdiff_t i = 0; i < m->size; ++i) d[i] = there ? m->Kt[i] - m->level_K[p][t * m->size + i] : NAN;
        norms(m, d, t, (nth_quantity)(NTH_Q_KERNEL_2 + p - 2), out);
        for (ptrdiff_t i = 0; i < N; ++i) d[i] = there ? m->f[i] - m->level_f[p][t * N + i] : NAN; /* N <= size */
        for (int part = 0; part < NTH_PAIRS_COUNT; ++part) {
            const nth_cmat v = nth_cmat_of(d + first[part], 1, count[part]);
            double        *to = &out[nth_norm_index(t, (nth_quantity)(NTH_Q_OUTPUT_2 + p - 2), (nth_pairs)part, 0)];
            to[NTH_NORM_SUP] = count[part] > 0 ? nth_max_abs(v) : NAN;
            to[NTH_NORM_FROBENIUS] = count[part] > 0 ? nth_frobenius(v) : NAN;
        }
    }
done:
    return st;
}

static nth_status follow(member *m, double *out)
{
    nth_status        st = NTH_OK;
    const nth_family *f = m->job->family;
    NTH_TRY(nth_priv_flow_from_rows(&m->flow, &m->rows, m->net, m->job->data->y.a, &f->flow));
    for (ptrdiff_t t = 0; t < m->T; ++t) {
        nth_blocks Kt = blocks_of(m, m->Kt);
        NTH_TRY(nth_flow_advance(m->flow, f->times[t]));
        NTH_TRY(nth_ntk_flow(&Kt, m->flow));
        drifts(m, t, out);
        limit_norms(m, t, m->Kt, f->level > 0 ? NTH_Q_LEVELS_LIMIT_T : NTH_Q_LIMIT_T, out);
        limit_norms(m, t, m->K0, f->level > 0 ? NTH_Q_LEVELS_LIMIT_0 : NTH_Q_LIMIT_0, out);
        if (f->level > 0) {
            NTH_TRY(compare_levels(m, t, out));
            continue;
        }
        norms(m, m->term3 + t * m->size, t, NTH_Q_TERM3, out);
        norms(m, m->term4 + t * m->size, t, NTH_Q_TERM4, out);
        compare(m, t, NTH_Q_MOVE, false, false, out);
        compare(m, t, NTH_Q_NO_K3, false, true, out);
        compare(m, t, NTH_Q_NO_K4, true, false, out);
        compare(m, t, NTH_Q_ERROR, true, true, out);
    }
done:
    return st;
}

nth_status nth_priv_member_run(const nth_member_job *job, double *out)
{
    nth_status st = NTH_OK;
    member     m = { .job = job };
    NTH_TRY(member_alloc(&m));
    NTH_TRY(predict(&m, out));
    NTH_TRY(follow(&m, out));
done:
    member_free(&m);
    return st;
}
