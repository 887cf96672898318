/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Mean kernels of many points: contraction with weights over the training points, and the dense
 * tensor. The table of means belongs to a set of four points, so the training block visits sorted
 * quadruples and serves every way to split one into (x,x') and (x_i,x_j). Work is cut by the first
 * point; each piece sums by itself and pieces are added in order, whatever the number of threads.
 */
#include "expected_priv.h"
#include "alloc_priv.h"
#include "fail_priv.h"
#include "linalg_priv.h"
#include "ntk_priv.h"

#include <math.h>
#include <string.h>

enum { JOBS = 4 };

void nth_priv_geometry_fini(nth_geometry *g)
{
    nth_priv_free(g->x.a);
    nth_priv_free(g->gap.a);
    g->x.a = g->gap.a = NULL;
}

nth_status nth_priv_geometry(nth_geometry *g, nth_cmat X, nth_cmat X_test)
{
    nth_status      st = NTH_OK;
    const ptrdiff_t n = X.rows, k = X_test.a != NULL ? X_test.rows : 0, N = n + k, d = X.cols;
    nth_mat         U = { 0 };
    memset(g, 0, sizeof *g);
    g->n = n, g->points = N;
    NTH_REQUIRE(n >= 1 && d >= 1, NTH_E_SHAPE, "inputs are %td x %td", n, d);
    NTH_REQUIRE(k == 0 || X_test.cols == d, NTH_E_SHAPE, "inputs have %td columns, test inputs %td", d, X_test.cols);
    NTH_REQUIRE(nth_all_finite(X) && (k == 0 || nth_all_finite(X_test)), NTH_E_NUMERIC, "an input is not finite");
    NTH_TRY(nth_priv_mat(&U, N, d, "directions"));
    NTH_TRY(nth_priv_mat(&g->x, N, N, "inner products"));
    NTH_TRY(nth_priv_mat(&g->gap, N, N, "distances of directions"));
    nth_mat_copy(nth_block(U, 0, 0, n, d), X);
    if (k > 0) nth_mat_copy(nth_block(U, n, 0, k, d), X_test);
    NTH_TRY(nth_gram(1.0, nth_const(U), 0.0, g->x));
    for (ptrdiff_t i = 0; i < N; ++i)
        for (ptrdiff_t c = 0; c < d; ++c) U.a[i * d + c] /= g->x.a[i * N + i] > 0.0 ? sqrt(g->x.a[i * N + i]) : 1.0;
#pragma omp parallel for schedule(static) if (N * N * d > 100000)
    for (ptrdiff_t i = 0; i < N; ++i)
        for (ptrdiff_t j = 0; j < N; ++j) {
            const double sign = g->x.a[i * N + j] < 0.0 ? 1.0 : -1.0;
            double       s = 0.0;
            for (ptrdiff_t c = 0; c < d; ++c) {
                const double e = U.a[i * d + c] + sign * U.a[j * d + c];
                s += e * e;
            }
            g->gap.a[i * N + j] = sqrt(s);
        }
done:
    nth_priv_free(U.a);
    if (st != NTH_OK) nth_priv_geometry_fini(g);
    return st;
}

static void gather(nth_four *p, const nth_geometry *g, const ptrdiff_t *at)
{
    p->measured = true;
    for (int i = 0; i < 4; ++i)
        for (int j = 0; j < 4; ++j) {
            p->x[i][j] = g->x.a[at[i] * g->points + at[j]];
            p->gap[i][j] = at[i] == at[j] ? 0.0 : g->gap.a[at[i] * g->points + at[j]];
        }
}

typedef struct task {
    const nth_weighted        *jobs;
    int                        count;
    const nth_expected_config *cfg;
    const nth_geometry        *g;
} task;

/* sum[job] += both orders of the last two points, those at places c and d. */
static nth_status add_pair(double *sum, const task *t, const nth_means *M, const nth_four *p, const ptrdiff_t *at,
                           int a, int b, int c, int d)
{
    nth_status         st = NTH_OK;
    nth_expected_value v, w = { 0 };
    NTH_TRY(nth_priv_expected_order(&v, M, p, t->cfg, (const int[]){ a, b, c, d }));
    if (at[c] != at[d]) NTH_TRY(nth_priv_expected_order(&w, M, p, t->cfg, (const int[]){ a, b, d, c }));
    for (int j = 0; j < t->count; ++j) {
        const nth_cmat W = t->jobs[j].W;
        const double   cd = W.a[at[c] * W.ld + at[d]], dc = W.a[at[d] * W.ld + at[c]];
        sum[j] += t->jobs[j].third ? cd * v.K3f0 + dc * w.K3f0 : cd * v.K4 + dc * w.K4;
    }
done:
    return st;
}

/* All splits of the four places into (x,x') and the rest, or those with the first point as x; one whose
 * points repeat counts once. acc is indexed by job, then by x unless that is fixed, then by x'. */
static nth_status add_splits(double *acc, ptrdiff_t row_stride, ptrdiff_t job_stride, const task *t, const ptrdiff_t *at,
                             bool first_fixed)
{
    static const int split[6][4] = { { 0, 1, 2, 3 }, { 0, 2, 1, 3 }, { 0, 3, 1, 2 }, { 1, 2, 0, 3 }, { 1, 3, 0, 2 }, { 2, 3, 0, 1 } };
    nth_status       st = NTH_OK;
    nth_means        M;
    nth_four         p;
    const int        splits = first_fixed ? 3 : 6;
    gather(&p, t->g, at);
    NTH_TRY(nth_priv_means(&M, t->cfg, &p));
    for (int s = 0; s < splits; ++s) {
        const int *q = split[s];
        bool       seen = false;
        for (int r = 0; r < s; ++r) seen = seen || (at[split[r][0]] == at[q[0]] && at[split[r][1]] == at[q[1]]);
        if (seen) continue;
        double sum[JOBS] = { 0.0 };
        NTH_TRY(add_pair(sum, t, &M, &p, at, q[0], q[1], q[2], q[3]));
        for (int j = 0; j < t->count; ++j) acc[j * job_stride + (first_fixed ? 0 : at[q[0]] * row_stride) + at[q[1]]] += sum[j];
    }
done:
    return st;
}

/* Sorted quadruples of training points that begin with a; acc (count x n x n). */
static nth_status train_piece(double *acc, const task *t, ptrdiff_t a)
{
    nth_status      st = NTH_OK;
    const ptrdiff_t n = t->g->n;
    for (ptrdiff_t b = a; b < n; ++b)
        for (ptrdiff_t c = b; c < n; ++c)
            for (ptrdiff_t d = c; d < n; ++d)
                NTH_TRY(add_splits(acc, n, n * n, t, (const ptrdiff_t[]){ a, b, c, d }, false));
done:
    return st;
}

/* Test point x with every training point; acc (count x n). */
static nth_status test_piece(double *acc, const task *t, ptrdiff_t x)
{
    nth_status      st = NTH_OK;
    const ptrdiff_t n = t->g->n;
    for (ptrdiff_t b = 0; b < n; ++b)
        for (ptrdiff_t c = b; c < n; ++c)
            for (ptrdiff_t d = c; d < n; ++d)
                NTH_TRY(add_splits(acc, 0, n, t, (const ptrdiff_t[]){ n + x, b, c, d }, true));
done:
    return st;
}

/* Test point x with the test points before it and itself; acc (count x k). */
static nth_status pair_piece(double *acc, const task *t, ptrdiff_t x)
{
    nth_status      st = NTH_OK;
    const ptrdiff_t n = t->g->n, k = t->g->points - n;
    for (ptrdiff_t z = 0; z <= x; ++z)
        for (ptrdiff_t i = 0; i < n; ++i)
            for (ptrdiff_t j = i; j < n; ++j) {
                const ptrdiff_t at[4] = { n + x, n + z, i, j };
                nth_means       M;
                nth_four        p;
                double          sum[JOBS] = { 0.0 };
                gather(&p, t->g, at);
                NTH_TRY(nth_priv_means(&M, t->cfg, &p));
                NTH_TRY(add_pair(sum, t, &M, &p, at, 0, 1, 2, 3));
                for (int c = 0; c < t->count; ++c) acc[c * k + z] += sum[c];
            }
done:
    return st;
}

typedef nth_status piece_fn(double *acc, const task *t, ptrdiff_t piece);

/* All pieces into acc (pieces x size). A piece that failed is run again here for its message. */
static nth_status run(double *acc, ptrdiff_t pieces, ptrdiff_t size, const task *t, piece_fn *piece)
{
    nth_status st = NTH_OK;
    ptrdiff_t  bad = pieces;
#pragma omp parallel for schedule(dynamic, 1) reduction(min : bad)
    for (ptrdiff_t i = 0; i < pieces; ++i)
        if (i < bad && piece(acc + i * size, t, i) != NTH_OK) bad = i;
    if (bad < pieces) st = piece(acc + bad * size, t, bad);
    return st;
}

static nth_mat block_of(const nth_weighted *job, int which)
{
    return which == 0 ? job->out->train : which == 1 ? job->out->test : job->out->test_test;
}

static nth_status add_block(const task *t, int which)
{
    nth_status      st = NTH_OK;
    const ptrdiff_t n = t->g->n, k = t->g->points - n, pieces = which == 0 ? n : k;
    const ptrdiff_t size = t->count * (which == 0 ? n * n : which == 1 ? n : k);
    double         *acc = NULL;
    NTH_TRY(nth_priv_mem_check((double)pieces * (double)size * sizeof(double), "sums of mean kernels"));
    NTH_TRY(nth_priv_doubles(&acc, pieces * size, "sums of mean kernels"));
    NTH_TRY(run(acc, pieces, size, t, which == 0 ? train_piece : which == 1 ? test_piece : pair_piece));
    for (int j = 0; j < t->count; ++j) {
        const nth_mat out = block_of(&t->jobs[j], which);
        if (out.a == NULL) continue;
        for (ptrdiff_t i = 0; i < pieces; ++i) {
            const double *from = acc + i * size + j * (size / t->count);
            if (which == 0) /* rows hold x <= x' only */
                for (ptrdiff_t x = 0; x < n; ++x)
                    for (ptrdiff_t z = x; z < n; ++z) out.a[z * out.ld + x] += from[x * n + z];
            else
                for (ptrdiff_t z = 0; z < (which == 1 ? n : i + 1); ++z) out.a[i * out.ld + z] += from[z];
        }
        if (which != 1) nth_mirror_lower(out);
    }
done:
    nth_priv_free(acc);
    return st;
}

nth_status nth_priv_expected_contract(const nth_weighted *jobs, int count, const nth_expected_config *cfg,
                                      const nth_geometry *g)
{
    nth_status st = NTH_OK;
    const task t = { .jobs = jobs, .count = count, .cfg = cfg, .g = g };
    for (int which = 0; which < 3; ++which) {
        bool wanted = false;
        for (int j = 0; j < count; ++j) wanted = wanted || block_of(&jobs[j], which).a != NULL;
        NTH_REQUIRE(!wanted || which == 2 || cfg->activation != NTH_ACT_RELU || cfg->almost_everywhere, NTH_E_NUMERIC,
                    "the mean of relu with its delta terms is infinite on pairs with a training input (points 1 or 2 and 4 lie on "
                    "one line there); pairs of test inputs have one, and the a.e. form is finite everywhere");
        if (wanted) NTH_TRY(add_block(&t, which));
    }
done:
    return st;
}

nth_status nth_expected_contract(nth_blocks *K, const nth_expected_config *cfg, nth_expected_order order, nth_cmat X,
                                 nth_cmat X_test, nth_cmat W)
{
    nth_status         st = NTH_OK;
    nth_geometry       g = { 0 };
    const nth_weighted job = { .third = order == NTH_EXPECTED_K3_F0, .W = W, .out = K };
    nth_mat           *const out[3] = { &K->train, &K->test, &K->test_test };
    NTH_TRY(nth_priv_expected_check(cfg));
    NTH_REQUIRE(order == NTH_EXPECTED_K4 || order == NTH_EXPECTED_K3_F0, NTH_E_ARG, "no such mean kernel");
    NTH_TRY(nth_priv_geometry(&g, X, X_test));
    NTH_TRY(nth_priv_blocks_check(K, g.n, g.points - g.n));
    NTH_REQUIRE(W.rows == g.n && W.cols == g.n, NTH_E_SHAPE, "weights %td x %td for %td points", W.rows, W.cols, g.n);
    NTH_REQUIRE(nth_all_finite(W), NTH_E_NUMERIC, "a weight is not finite");
    for (int b = 0; b < 3; ++b)
        for (ptrdiff_t i = 0; out[b]->a != NULL && i < out[b]->rows; ++i)
            memset(out[b]->a + i * out[b]->ld, 0, (size_t)out[b]->cols * sizeof(double));
    NTH_TRY(nth_priv_expected_contract(&job, 1, cfg, &g));
done:
    nth_priv_geometry_fini(&g);
    return st;
}

typedef struct dense {
    double                    *T;
    const nth_expected_config *cfg;
    const nth_geometry        *g;
} dense;

/* Every order of the sorted quadruples that begin with a. */
static nth_status tensor_piece(const dense *t, ptrdiff_t a)
{
    nth_status      st = NTH_OK;
    const ptrdiff_t N = t->g->n;
    for (ptrdiff_t b = a; b < N; ++b)
        for (ptrdiff_t c = b; c < N; ++c)
            for (ptrdiff_t d = c; d < N; ++d) {
                const ptrdiff_t    at[4] = { a, b, c, d };
                nth_expected_value v;
                nth_means          M;
                nth_four           p;
                gather(&p, t->g, at);
                NTH_TRY(nth_priv_means(&M, t->cfg, &p));
                for (int o = 0; o < 256; ++o) {
                    const int q[4] = { o >> 6, o >> 4 & 3, o >> 2 & 3, o & 3 };
                    if ((1 << q[0] | 1 << q[1] | 1 << q[2] | 1 << q[3]) != 15) continue;
                    NTH_TRY(nth_priv_expected_order(&v, &M, &p, t->cfg, q));
                    t->T[((at[q[0]] * N + at[q[1]]) * N + at[q[2]]) * N + at[q[3]]] = v.K4;
                }
            }
done:
    return st;
}

nth_status nth_expected_tensor(double *T, const nth_expected_config *cfg, nth_cmat X)
{
    nth_status   st = NTH_OK;
    nth_geometry g = { 0 };
    NTH_TRY(nth_priv_expected_check(cfg));
    NTH_TRY(nth_priv_geometry(&g, X, (nth_cmat){ 0 }));
    const dense t = { .T = T, .cfg = cfg, .g = &g };
    ptrdiff_t   bad = g.n;
#pragma omp parallel for schedule(dynamic, 1) reduction(min : bad)
    for (ptrdiff_t a = 0; a < g.n; ++a)
        if (a < bad && tensor_piece(&t, a) != NTH_OK) bad = a;
    if (bad < g.n) NTH_TRY(tensor_piece(&t, bad));
done:
    nth_priv_geometry_fini(&g);
    return st;
}
