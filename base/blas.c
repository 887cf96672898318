/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Products of matrix views through CBLAS, cut into fixed tiles; the only file that sees cblas.h.
 * Called by: every module on its right. See linalg_priv.h for the promise about bits and threads.
 */
#include "linalg_priv.h"
#include "alloc_priv.h"
#include "fail_priv.h"
#include "par_priv.h"

#include <cblas.h>
#include <limits.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

/* A tile is large enough to run at the full rate and small enough that 2 threads share the work. */
enum { TILE_ROWS = 256, TILE_COLS = 512 };
static const double TILE_MIN_FLOPS = 4e6; /* below, one call */

nth_status nth_blas_int(ptrdiff_t n, int *out)
{
    nth_status st = NTH_OK;
    NTH_REQUIRE(n >= 0 && n <= INT_MAX, NTH_E_RANGE, "dimension %td exceeds the BLAS integer", n);
    *out = (int)n;
done:
    return st;
}

/* A view of either precision. */
typedef struct operand {
    const void *a;
    ptrdiff_t   rows, cols, ld;
} operand;

typedef struct product {
    double    alpha, beta;
    nth_op    opa, opb;
    operand   A, B, C;
    void     *c; /* entries of C */
    bool      single;
    ptrdiff_t k;
    int       ik, lda, ldb, ldc;
} product;

#define OPERAND(M) { .a = (M).a, .rows = (M).rows, .cols = (M).cols, .ld = (M).ld }

/* One tile of C: rows [i, i+r), columns [j, j+c). The BLAS integers were checked before. */
static void tile(const product *p, ptrdiff_t i, ptrdiff_t j, ptrdiff_t r, ptrdiff_t c)
{
    const CBLAS_TRANSPOSE opa = p->opa == NTH_N ? CblasNoTrans : CblasTrans;
    const CBLAS_TRANSPOSE opb = p->opb == NTH_N ? CblasNoTrans : CblasTrans;
    const ptrdiff_t a = p->opa == NTH_N ? i * p->A.ld : i, b = p->opb == NTH_N ? j : j * p->B.ld, at = i * p->C.ld + j;
    if (p->single)
        cblas_sgemm(CblasRowMajor, opa, opb, (int)r, (int)c, p->ik, (float)p->alpha, (const float *)p->A.a + a, p->lda,
                    (const float *)p->B.a + b, p->ldb, (float)p->beta, (float *)p->c + at, p->ldc);
    else
        cblas_dgemm(CblasRowMajor, opa, opb, (int)r, (int)c, p->ik, p->alpha, (const double *)p->A.a + a, p->lda,
                    (const double *)p->B.a + b, p->ldb, p->beta, (double *)p->c + at, p->ldc);
}

static nth_status prepare(product *p)
{
    nth_status st = NTH_OK;
    int        rows, cols;
    p->k = p->opa == NTH_N ? p->A.cols : p->A.rows;
    const ptrdiff_t m = p->opa == NTH_N ? p->A.rows : p->A.cols;
    const ptrdiff_t kb = p->opb == NTH_N ? p->B.rows : p->B.cols;
    const ptrdiff_t n = p->opb == NTH_N ? p->B.cols : p->B.rows;
    NTH_REQUIRE(p->C.rows == m && p->C.cols == n && p->k == kb, NTH_E_SHAPE,
                "product of %td x %td and %td x %td into %td x %td", m, p->k, kb, n, p->C.rows,
                p->C.cols);
    NTH_TRY(nth_blas_int(m, &rows));
    NTH_TRY(nth_blas_int(n, &cols));
    NTH_TRY(nth_blas_int(p->k, &p->ik));
    NTH_TRY(nth_blas_int(p->A.ld > 0 ? p->A.ld : 1, &p->lda));
    NTH_TRY(nth_blas_int(p->B.ld > 0 ? p->B.ld : 1, &p->ldb));
    NTH_TRY(nth_blas_int(p->C.ld > 0 ? p->C.ld : 1, &p->ldc));
done:
    return st;
}

/* All tiles of C, or with `lower` those which meet the lower triangle. */
static void run_tiles(const product *p, bool lower)
{
    const ptrdiff_t m = p->C.rows, n = p->C.cols;
    const bool      whole = 2.0 * (double)m * (double)n * (double)p->k < TILE_MIN_FLOPS;
    const ptrdiff_t tr = whole ? m : TILE_ROWS, tc = whole ? n : lower ? TILE_ROWS : TILE_COLS;
    const ptrdiff_t nr = (m + tr - 1) / tr, nc = (n + tc - 1) / tc;
    if (nr * nc == 1) { /* OpenBLAS would share it out by the number of threads */
        const int threads = nth_priv_serial_begin();
        tile(p, 0, 0, m, n);
        nth_priv_serial_end(threads);
        return;
    }
#pragma omp parallel for schedule(dynamic, 1)
    for (ptrdiff_t q = 0; q < nr * nc; ++q) {
        const ptrdiff_t i = q / nc * tr, j = q % nc * tc;
        if (lower && j > i) continue;
        tile(p, i, j, m - i < tr ? m - i : tr, n - j < tc ? n - j : tc);
    }
}

static nth_status multiply(product *p)
{
    nth_status st = NTH_OK;
    NTH_TRY(prepare(p));
    if (p->C.rows > 0 && p->C.cols > 0) run_tiles(p, false);
done:
    return st;
}

nth_status nth_gemm(double alpha, nth_op opa, nth_cmat A, nth_op opb, nth_cmat B, double beta,
                    nth_mat C)
{
    product p = { .alpha = alpha, .beta = beta, .opa = opa, .opb = opb, .A = OPERAND(A), .B = OPERAND(B),
                  .C = OPERAND(C), .c = C.a };
    return multiply(&p);
}

nth_status nth_gemm_single(double alpha, nth_op opa, nth_csmat A, nth_op opb, nth_csmat B, double beta,
                           nth_smat C)
{
    product p = { .alpha = alpha, .beta = beta, .opa = opa, .opb = opb, .A = OPERAND(A), .B = OPERAND(B),
                  .C = OPERAND(C), .c = C.a, .single = true };
    return multiply(&p);
}

nth_status nth_gram(double alpha, nth_cmat A, double beta, nth_mat C)
{
    nth_status st = NTH_OK;
    product    p = { .alpha = alpha, .beta = beta, .opa = NTH_N, .opb = NTH_T, .A = OPERAND(A), .B = OPERAND(A),
                     .C = OPERAND(C), .c = C.a };
    NTH_TRY(prepare(&p));
    if (C.rows == 0) goto done;
    run_tiles(&p, true);
    nth_mirror_lower(C);
done:
    return st;
}

nth_status nth_gemv(double alpha, nth_op op, nth_cmat A, const double *x, double beta, double *y)
{
    const ptrdiff_t nx = op == NTH_N ? A.cols : A.rows, ny = op == NTH_N ? A.rows : A.cols;
    return nth_gemm(alpha, op, A, NTH_N, nth_cmat_of(x, nx, 1), beta, nth_mat_of(y, ny, 1));
}

nth_status nth_symv(nth_cmat A, const double *x, double *y)
{
    nth_status st = NTH_OK;
    int        n = 0, ld = 0;
    NTH_REQUIRE(A.rows == A.cols, NTH_E_SHAPE, "matrix %td x %td is not square", A.rows, A.cols);
    NTH_TRY(nth_blas_int(A.rows, &n));
    NTH_TRY(nth_blas_int(A.ld, &ld));
    const int threads = nth_priv_serial_begin();
    cblas_dsymv(CblasRowMajor, CblasLower, n, 1.0, A.a, ld, x, 1, 0.0, y, 1);
    nth_priv_serial_end(threads);
done:
    return st;
}

/* Square tiles: columns of a large matrix are far apart. */
enum { SQUARE = 64 };
static ptrdiff_t square_end(ptrdiff_t q, ptrdiff_t n) { return (q + 1) * SQUARE < n ? (q + 1) * SQUARE : n; }

void nth_mirror_lower(nth_mat A)
{
    const ptrdiff_t n = A.rows, tiles = (n + SQUARE - 1) / SQUARE;
#pragma omp parallel for schedule(dynamic, 1)
    for (ptrdiff_t q = 0; q < tiles; ++q)
        for (ptrdiff_t p = 0; p <= q; ++p)
            for (ptrdiff_t i = q * SQUARE; i < square_end(q, n); ++i)
                for (ptrdiff_t j = p * SQUARE; j < square_end(p, n) && j < i; ++j) A.a[j * A.ld + i] = A.a[i * A.ld + j];
}

void nth_mirror_upper(nth_mat A)
{
    const ptrdiff_t n = A.rows, tiles = (n + SQUARE - 1) / SQUARE;
#pragma omp parallel for schedule(dynamic, 1)
    for (ptrdiff_t q = 0; q < tiles; ++q)
        for (ptrdiff_t p = 0; p <= q; ++p)
            for (ptrdiff_t i = q * SQUARE; i < square_end(q, n); ++i)
                for (ptrdiff_t j = p * SQUARE; j < square_end(p, n) && j < i; ++j) A.a[i * A.ld + j] = A.a[j * A.ld + i];
}

double nth_asymmetry(nth_cmat A)
{
    const ptrdiff_t n = A.rows, tiles = (n + SQUARE - 1) / SQUARE;
    double          worst = 0.0;
#pragma omp parallel for schedule(dynamic, 1) reduction(max : worst)
    for (ptrdiff_t q = 0; q < tiles; ++q)
        for (ptrdiff_t p = 0; p <= q; ++p)
            for (ptrdiff_t i = q * SQUARE; i < square_end(q, n); ++i)
                for (ptrdiff_t j = p * SQUARE; j < square_end(p, n) && j < i; ++j)
                    worst = fmax(worst, fabs(A.a[i * A.ld + j] - A.a[j * A.ld + i]));
    return worst;
}

/* The strict upper triangle stays as it is: tiles on the diagonal are updated by syrk. */
void nth_chol_step(nth_mat A, ptrdiff_t k, ptrdiff_t nb)
{
    enum { TILE = 512 };
    const ptrdiff_t first = k + nb, tiles = (A.rows - first + TILE - 1) / TILE;
    const int       ld = (int)A.ld, depth = (int)nb;
#pragma omp parallel for schedule(dynamic, 1)
    for (ptrdiff_t p = 0; p < tiles; ++p) { /* panel <- panel L^{-T} */
        const ptrdiff_t i = first + p * TILE, r = A.rows - i < TILE ? A.rows - i : TILE;
        cblas_dtrsm(CblasRowMajor, CblasRight, CblasLower, CblasTrans, CblasNonUnit, (int)r, depth, 1.0,
                    A.a + k * A.ld + k, ld, A.a + i * A.ld + k, ld);
    }
#pragma omp parallel for schedule(dynamic, 1)
    for (ptrdiff_t q = 0; q < tiles * tiles; ++q) {
        const ptrdiff_t i = first + q / tiles * TILE, j = first + q % tiles * TILE;
        const int       r = (int)(A.rows - i < TILE ? A.rows - i : TILE);
        const double   *a = A.a + i * A.ld + k, *b = A.a + j * A.ld + k;
        double         *c = A.a + i * A.ld + j;
        if (j == i)
            cblas_dsyrk(CblasRowMajor, CblasLower, CblasNoTrans, r, depth, -1.0, a, ld, 1.0, c, ld);
        else if (j < i)
            cblas_dgemm(CblasRowMajor, CblasNoTrans, CblasTrans, r, TILE, depth, -1.0, a, ld, b, ld, 1.0, c, ld);
    }
}

/* Entries of a matrix worth sharing out: where another program takes a core, threads wait milliseconds for each other. */
static const ptrdiff_t SHARE_FROM = 4 << 20;

/* In chunks of the columns, each its own product. */
void nth_priv_subtract_rows(double *y, nth_cmat A, const double *c, ptrdiff_t stride)
{
    enum { CHUNK = 2048 };
    const ptrdiff_t chunks = (A.cols + CHUNK - 1) / CHUNK;
    const bool      share = A.rows * A.cols >= SHARE_FROM;
    if (A.rows == 0 || A.cols == 0) return;
    const int threads = share ? 0 : nth_priv_serial_begin();
#pragma omp parallel for schedule(static) if (share)
    for (ptrdiff_t q = 0; q < chunks; ++q) {
        const ptrdiff_t j = q * CHUNK, r = A.cols - j < CHUNK ? A.cols - j : CHUNK;
        cblas_dgemv(CblasRowMajor, CblasTrans, (int)A.rows, (int)r, -1.0, A.a + j, (int)A.ld, c, (int)stride, 1.0, y + j, 1);
    }
    if (!share) nth_priv_serial_end(threads);
}

/* In chunks of the rows. */
void nth_priv_subtract_columns(double *y, nth_cmat A, const double *x)
{
    enum { CHUNK = 16 };
    const ptrdiff_t chunks = (A.rows + CHUNK - 1) / CHUNK;
    const bool      share = A.rows * A.cols >= SHARE_FROM;
    if (A.rows == 0 || A.cols == 0) return;
    const int threads = share ? 0 : nth_priv_serial_begin();
#pragma omp parallel for schedule(static) if (share)
    for (ptrdiff_t q = 0; q < chunks; ++q) {
        const ptrdiff_t i = q * CHUNK, r = A.rows - i < CHUNK ? A.rows - i : CHUNK;
        cblas_dgemv(CblasRowMajor, CblasNoTrans, (int)r, (int)A.cols, -1.0, A.a + i * A.ld, (int)A.ld, x, 1, 1.0, y + i, 1);
    }
    if (!share) nth_priv_serial_end(threads);
}

/* The tile on the diagonal, of which the lower triangle alone may be written: by strips of columns. */
static void subtract_triangle(double *c, int ldc, const double *a, int lda, const double *b, int ldb, int r, int depth)
{
    enum { STRIP = 64 };
    double square[STRIP * STRIP];
    for (int j = 0; j < r; j += STRIP) {
        const int s = r - j < STRIP ? r - j : STRIP, below = j + s;
        cblas_dgemm(CblasRowMajor, CblasTrans, CblasNoTrans, s, s, depth, 1.0, a + j, lda, b + j, ldb, 0.0, square, STRIP);
        for (ptrdiff_t i = 0; i < s; ++i)
            for (ptrdiff_t k = 0; k <= i; ++k) c[(j + i) * ldc + j + k] -= square[i * STRIP + k];
        if (below < r)
            cblas_dgemm(CblasRowMajor, CblasTrans, CblasNoTrans, r - below, s, depth, -1.0, a + below, lda, b + j, ldb, 1.0,
                        c + (ptrdiff_t)below * ldc + j, ldc);
    }
}

void nth_priv_subtract_product(nth_mat C, nth_cmat A, nth_cmat B)
{
    enum { TILE = 512 };
    const ptrdiff_t tiles = (C.rows + TILE - 1) / TILE;
    const int       lda = (int)A.ld, ldb = (int)B.ld, ldc = (int)C.ld, depth = (int)A.rows;
    const int       threads = tiles == 1 ? nth_priv_serial_begin() : 0;
#pragma omp parallel for schedule(dynamic, 1) if (tiles > 1)
    for (ptrdiff_t q = 0; q < tiles * tiles; ++q) {
        const ptrdiff_t i = q / tiles * TILE, j = q % tiles * TILE;
        const int       r = (int)(C.rows - i < TILE ? C.rows - i : TILE);
        double         *c = C.a + i * C.ld + j;
        if (j == i) subtract_triangle(c, ldc, A.a + i, lda, B.a + j, ldb, r, depth);
        else if (j < i)
            cblas_dgemm(CblasRowMajor, CblasTrans, CblasNoTrans, r, TILE, depth, -1.0, A.a + i, lda, B.a + j, ldb, 1.0, c, ldc);
    }
    if (tiles == 1) nth_priv_serial_end(threads);
}

nth_status nth_chol_solve(nth_cmat L, nth_mat B)
{
    nth_status st = NTH_OK;
    int        n = 0, c = 0, ldl = 0, ldb = 0;
    NTH_REQUIRE(L.rows == L.cols && B.rows == L.rows, NTH_E_SHAPE, "factor %td x %td, right-hand side %td x %td",
                L.rows, L.cols, B.rows, B.cols);
    NTH_TRY(nth_blas_int(L.rows, &n));
    NTH_TRY(nth_blas_int(B.cols, &c));
    NTH_TRY(nth_blas_int(L.ld, &ldl));
    NTH_TRY(nth_blas_int(B.ld, &ldb));
    const int threads = nth_priv_serial_begin();
    for (int pass = 0; pass < 2 && n > 0 && c > 0; ++pass) { /* L, then L^T */
        const CBLAS_TRANSPOSE op = pass == 0 ? CblasNoTrans : CblasTrans;
        if (c == 1) cblas_dtrsv(CblasRowMajor, CblasLower, op, CblasNonUnit, n, L.a, ldl, B.a, ldb);
        else cblas_dtrsm(CblasRowMajor, CblasLeft, CblasLower, op, CblasNonUnit, n, c, 1.0, L.a, ldl, B.a, ldb);
    }
    nth_priv_serial_end(threads);
done:
    return st;
}

enum { UNIT_VECTORS = 128 }; /* solved for together */

nth_status nth_priv_by_unit_vectors(ptrdiff_t n, nth_priv_unit_vectors *solve, const void *ctx)
{
    nth_status      st = NTH_OK;
    const ptrdiff_t blocks = (n + UNIT_VECTORS - 1) / UNIT_VECTORS;
    /* One block alone would be shared out by BLAS, and by the number of threads. */
    const int threads = blocks == 1 ? nth_priv_serial_begin() : 0;
    int       failures = 0;
#pragma omp parallel reduction(+ : failures)
    {
        double          *X;
        const nth_status mine = nth_priv_doubles(&X, n * UNIT_VECTORS, "unit vectors");
        failures += mine != NTH_OK;
#pragma omp for schedule(dynamic, 1)
        for (ptrdiff_t q = 0; q < blocks; ++q) {
            const ptrdiff_t first = q * UNIT_VECTORS, left = n - first;
            if (mine == NTH_OK) solve(ctx, first, left < UNIT_VECTORS ? left : UNIT_VECTORS, X);
        }
        nth_priv_free(X);
    }
    if (blocks == 1) nth_priv_serial_end(threads);
    NTH_REQUIRE(failures == 0, NTH_E_NOMEM, "diagonal of an inverse: cannot get %.1f MB for each thread",
                8e-6 * (double)n * UNIT_VECTORS);
done:
    return st;
}

typedef struct chol_diagonal {
    nth_cmat L;
    double  *diag;
} chol_diagonal;

/* (A^{-1})_jj = |L^{-1} e_j|^2 for j from `first`; X holds (n - first) x r. The first block is the longest: in order,
 * the threads end together. */
static void chol_columns(const void *ctx, ptrdiff_t first, ptrdiff_t r, double *X)
{
    const nth_cmat  L = ((const chol_diagonal *)ctx)->L;
    double         *diag = ((const chol_diagonal *)ctx)->diag + first;
    const ptrdiff_t m = L.rows - first;
    memset(X, 0, (size_t)(m * r) * sizeof *X);
    for (ptrdiff_t j = 0; j < r; ++j) X[j * r + j] = 1.0, diag[j] = 0.0;
    cblas_dtrsm(CblasRowMajor, CblasLeft, CblasLower, CblasNoTrans, CblasNonUnit, (int)m, (int)r, 1.0,
                L.a + first * L.ld + first, (int)L.ld, X, (int)r);
    for (ptrdiff_t i = 0; i < m; ++i)
        for (ptrdiff_t j = 0; j < r; ++j) diag[j] += X[i * r + j] * X[i * r + j];
}

nth_status nth_chol_inverse_diagonal(nth_cmat L, double *diag)
{
    nth_status st = NTH_OK;
    int        n = 0, ld = 0;
    NTH_REQUIRE(L.rows == L.cols, NTH_E_SHAPE, "factor %td x %td is not square", L.rows, L.cols);
    NTH_TRY(nth_blas_int(L.rows, &n));
    NTH_TRY(nth_blas_int(L.ld, &ld));
    NTH_TRY(nth_priv_by_unit_vectors(L.rows, chol_columns, &(chol_diagonal){ L, diag }));
done:
    return st;
}

void nth_priv_unit_lower_solve(nth_cmat L, nth_mat X)
{
    cblas_dtrsm(CblasRowMajor, CblasRight, CblasLower, CblasNoTrans, CblasUnit, (int)X.rows, (int)X.cols, 1.0, L.a, (int)L.ld, X.a,
                (int)X.ld);
}

/* With U = L^{-T}, by blocks of rows (unit vectors): M = U U^T, of which the part left of and on the
 * diagonal is made from the columns where neither factor is zero. */
nth_status nth_chol_inverse(nth_cmat L, nth_mat M)
{
    nth_status      st = NTH_OK;
    int             n = 0, ld = 0;
    nth_mat         U = { 0 };
    const ptrdiff_t blocks = (L.rows + UNIT_VECTORS - 1) / UNIT_VECTORS;
    NTH_REQUIRE(L.rows == L.cols && M.rows == L.rows && M.cols == L.rows, NTH_E_SHAPE,
                "factor %td x %td, inverse %td x %td", L.rows, L.cols, M.rows, M.cols);
    NTH_TRY(nth_blas_int(L.rows, &n));
    NTH_TRY(nth_blas_int(L.ld, &ld));
    NTH_TRY(nth_priv_mat(&U, L.rows, L.rows, "inverse of a factor"));
    const int threads = blocks == 1 ? nth_priv_serial_begin() : 0;
#pragma omp parallel for schedule(dynamic, 1)
    for (ptrdiff_t q = 0; q < blocks; ++q) {
        const ptrdiff_t i = q * UNIT_VECTORS, r = L.rows - i < UNIT_VECTORS ? L.rows - i : UNIT_VECTORS;
        for (ptrdiff_t k = i; k < i + r; ++k) U.a[k * U.ld + k] = 1.0;
        cblas_dtrsm(CblasRowMajor, CblasRight, CblasLower, CblasTrans, CblasNonUnit, (int)r, (int)(L.rows - i), 1.0,
                    L.a + i * L.ld + i, ld, U.a + i * U.ld + i, n);
    }
    if (blocks == 1) nth_priv_serial_end(threads);
    for (ptrdiff_t i = 0; i < L.rows; i += UNIT_VECTORS) {
        const ptrdiff_t r = L.rows - i < UNIT_VECTORS ? L.rows - i : UNIT_VECTORS, k = L.rows - i;
        NTH_TRY(nth_gemm(1.0, NTH_N, nth_cblock(nth_const(U), i, i, r, k), NTH_T, nth_cblock(nth_const(U), 0, i, i + r, k),
                         0.0, nth_block(M, i, 0, r, i + r)));
    }
    nth_mirror_lower(M);
done:
    nth_priv_free(U.a);
    return st;
}

/* Fixed chunks, summed in order: the bits do not depend on the threads. */
enum { DOT_CHUNK = 4096 };
double nth_dot(const double *x, const double *y, ptrdiff_t n)
{
    double s = 0.0;
    for (ptrdiff_t lo = 0; lo < n; lo += DOT_CHUNK) {
        const ptrdiff_t hi = n - lo < DOT_CHUNK ? n : lo + DOT_CHUNK;
        double          t = 0.0;
        for (ptrdiff_t i = lo; i < hi; ++i) t += x[i] * y[i];
        s += t;
    }
    return s;
}

void nth_axpy(double alpha, const double *x, double *y, ptrdiff_t n)
{
    for (ptrdiff_t i = 0; i < n; ++i) y[i] += alpha * x[i];
}

void nth_mat_copy(nth_mat dst, nth_cmat src)
{
    for (ptrdiff_t i = 0; i < src.rows; ++i)
        memcpy(dst.a + i * dst.ld, src.a + i * src.ld, (size_t)src.cols * sizeof(double));
}

double nth_max_abs(nth_cmat A)
{
    double worst = 0.0;
    for (ptrdiff_t i = 0; i < A.rows; ++i)
        for (ptrdiff_t j = 0; j < A.cols; ++j) {
            const double v = fabs(A.a[i * A.ld + j]);
            if (!islessequal(v, worst)) worst = v;
            if (isnan(worst)) return worst;
        }
    return worst;
}

double nth_frobenius(nth_cmat A)
{
    double s = 0.0;
    for (ptrdiff_t i = 0; i < A.rows; ++i) s += nth_dot(A.a + i * A.ld, A.a + i * A.ld, A.cols);
    return sqrt(s);
}

bool nth_all_finite(nth_cmat A)
{
    for (ptrdiff_t i = 0; i < A.rows; ++i)
        for (ptrdiff_t j = 0; j < A.cols; ++j)
            if (!isfinite(A.a[i * A.ld + j])) return false;
    return true;
}

const char *nth_priv_blas_name(void)
{
    static _Thread_local char text[96];
    snprintf(text, sizeof text, "OpenBLAS, %s kernels, %d threads", openblas_get_corename(),
             openblas_get_num_threads());
    return text;
}
