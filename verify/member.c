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
    const double         khat = 8.0 * (nth_jet_doubles(&cfg, 2, n, true) + nth_jet_doubles(&cfg, 3, n + k, true) +
                               2.0 * (double)f->n_times * nth_jet_doubles(&cfg, 1, n, false) / 3.0);
    double               weights = 0.0;
    for (int l = 2; l < cfg.layers; ++l) weights += (cfg.doubled ? 16.0 : 8.0) * (double)cfg.widths[l] * (double)cfg.widths[l - 1];
    return flow + khat + weights + 8e6;
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
    NTH_TRY(nth_priv_khat(&K0, m->b3, m->b4, f0, m->rows, &req));
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

static void limit_norms(member *m, ptrdiff_t t, double *K, nth_quantity q, double *out)
{
    const nth_blocks *limit = m->job->limit;
    const nth_mat    *parts[3] = { &limit->train, &limit->test, &limit->test_test };
    double           *d = m->diff;
    for (int p = 0; p < 3; ++p)
        for (ptrdiff_t i = 0; i < parts[p]->rows * parts[p]->cols; ++i) *d++ = parts[p]->a[i];
    for (ptrdiff_t i = 0; i < m->size; ++i) m->diff[i] = K[i] - m->diff[i];
    norms(m, m->diff, t, q, out);
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
        if (m->job->limit != NULL) {
            limit_norms(m, t, m->Kt, NTH_Q_LIMIT_T, out);
            limit_norms(m, t, m->K0, NTH_Q_LIMIT_0, out);
        } else {
            for (ptrdiff_t i = nth_norm_index(t, NTH_Q_LIMIT_T, 0, 0); i < nth_norm_index(t, NTH_Q_MOVE, 0, 0); ++i)
                out[i] = NAN;
        }
        norms(m, m->term3 + t * m->size, t, NTH_Q_TERM3, out);
        norms(m, m->term4 + t * m->size, t, NTH_Q_TERM4, out);
        compare(m, t, NTH_Q_MOVE, false, false, out);
        compare(m, t, NTH_Q_NO_K3, false, true, out);
        compare(m, t, NTH_Q_NO_K4, true, false, out);
        compare(m, t, NTH_Q_ERROR, true, true, out);
        drifts(m, t, out);
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
