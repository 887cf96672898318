/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Common part of the benchmarks (bench.h). The reference rates are a DGEMM called by its Fortran
 * name, outside nth: what the same BLAS gives on the same threads at that moment, however the
 * library cuts its own products up; and a triad, whose three arrays do not fit any cache.
 */
#include "bench.h"

#include <math.h>
#include <string.h>
#include <time.h>

#include "nth/rng.h"

extern void dgemm_(const char *transa, const char *transb, const int *m, const int *n, const int *k,
                   const double *alpha, const double *a, const int *lda, const double *b,
                   const int *ldb, const double *beta, double *c, const int *ldc);

enum { GEMM_SIZE = 2048, TRIAD_SIZE = 1 << 23 };

double bench_now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

double *bench_doubles(ptrdiff_t count)
{
    double *a = calloc((size_t)count, sizeof *a);
    if (a == NULL) {
        fprintf(stderr, "cannot get %.1f MB\n", 8e-6 * (double)count);
        exit(3);
    }
    return a;
}

/* GFLOP/s of a square product on the present number of threads. */
static double dgemm_rate(const bench_opts *o)
{
    static double *a[3];
    const int      n = o->quick ? 256 : GEMM_SIZE;
    const double   one = 1.0, zero = 0.0, flops = 2.0 * (double)n * (double)n * (double)n;
    for (int k = 0; k < 3 && a[k] == NULL; ++k) {
        a[k] = bench_doubles((ptrdiff_t)n * n);
        nth_rand_normals(a[k], (ptrdiff_t)n * n, 1, NTH_STREAM_PROJECTION, 0, 0);
    }
    const double t = bench_now();
    dgemm_("N", "N", &n, &n, &n, &one, a[0], &n, a[1], &n, &zero, a[2], &n);
    return flops / (bench_now() - t) * 1e-9;
}

/* GB/s of a = b + s c: three arrays move. */
static double triad_rate(const bench_opts *o)
{
    static double *x[3];
    ptrdiff_t      n = o->quick ? 1 << 16 : TRIAD_SIZE;
    for (int k = 0; k < 3 && x[k] == NULL; ++k) {
        x[k] = bench_doubles(n);
        for (ptrdiff_t i = 0; i < n; ++i) x[k][i] = (double)k;
    }
    double      *a = x[0];
    const double s = 3.0, *b = x[1], *c = x[2], t = bench_now();
#pragma omp parallel for schedule(static)
    for (ptrdiff_t i = 0; i < n; ++i) a[i] = b[i] + s * c[i];
    return 24.0 * (double)n / (bench_now() - t) * 1e-9;
}

static int ascending(const void *a, const void *b)
{
    const double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

static double median(const double *x, int n)
{
    double s[BENCH_MAX_TURNS];
    memcpy(s, x, (size_t)n * sizeof *s);
    qsort(s, (size_t)n, sizeof *s, ascending);
    return n % 2 ? s[n / 2] : 0.5 * (s[n / 2 - 1] + s[n / 2]);
}

double bench_median(const bench_item *a) { return median(a->t, a->turns); }

double bench_min(const bench_item *a)
{
    double best = a->t[0];
    for (int k = 1; k < a->turns; ++k) best = a->t[k] < best ? a->t[k] : best;
    return best;
}

double bench_ratio(const bench_item *a, const bench_item *b)
{
    double r[BENCH_MAX_TURNS];
    for (int k = 0; k < a->turns; ++k) r[k] = a->t[k] / b->t[k];
    return median(r, a->turns);
}

double bench_of_dgemm(const bench_item *a)
{
    double r[BENCH_MAX_TURNS];
    for (int k = 0; k < a->turns; ++k) r[k] = a->flops / a->t[k] * 1e-9 / a->dgemm[k];
    return median(r, a->turns);
}

double bench_growth(const bench_item *a, const bench_item *b, const bench_item *c,
                    const bench_item *d)
{
    double r[BENCH_MAX_TURNS];
    for (int k = 0; k < a->turns; ++k) r[k] = (a->t[k] - b->t[k]) / (c->t[k] - d->t[k]);
    return median(r, a->turns);
}

static void report(const bench_opts *o, const char *size, const bench_item *it, double triad)
{
    const double low = bench_min(it), mid = bench_median(it), dgemm = median(it->dgemm, it->turns);
    const int    threads = it->threads > 0 ? it->threads : nth_threads_get();
    const double rate = it->flops / low * 1e-9;
    printf("%-22s %-30s %3d %10.4g %10.4g %4d %8.1f %8.1f %6.2f %7.1f %9.1e\n", it->name, size,
           threads, low, mid, it->turns, rate, dgemm, it->flops > 0.0 ? bench_of_dgemm(it) : 0.0,
           triad, it->err);
    fflush(stdout);
    if (o->csv == NULL) return;
    fprintf(o->csv, "time,\"%s\",\"%s\",%d,%.6g,%.6g,%d,%.4g,%.4g,%.4g,%.4g,%.6g,%.6g,%.2e,,,\n",
            it->name, size, threads, low, mid, it->turns, rate, dgemm, bench_of_dgemm(it), triad,
            it->flops, it->bytes, it->err);
    fflush(o->csv);
}

void bench_turns(const bench_opts *o, const char *size, bench_item *items, int count)
{
    const int threads = nth_threads_get();
    double    triad[BENCH_MAX_TURNS], spent = 0.0;
    int       turn = 0;
    while (turn < BENCH_MAX_TURNS && (turn < o->repeats || spent < o->seconds * count)) {
        triad[turn] = triad_rate(o);
        for (int k = 0; k < count; ++k) {
            nth_threads_set(items[k].threads > 0 ? items[k].threads : threads);
            items[k].dgemm[turn] = k > 0 && items[k].threads == items[k - 1].threads
                                       ? items[k - 1].dgemm[turn]
                                       : dgemm_rate(o);
            const double t = bench_now();
            items[k].run(items[k].ctx);
            items[k].t[turn] = bench_now() - t;
            spent += items[k].t[turn];
        }
        nth_threads_set(threads);
        ++turn;
    }
    for (int k = 0; k < count; ++k) {
        items[k].turns = turn;
        report(o, size, &items[k], median(triad, turn));
    }
}

void bench_claim(const bench_opts *o, const char *name, const char *size, double value, int sign,
                 double bound)
{
    const bool  holds = sign > 0 ? value >= bound : value <= bound;
    const char *word = sign > 0 ? "at least" : "at most";
    printf("  %-50s %-26s %8.3g   (%s %.3g: %s)\n", name, size, value, word, bound,
           holds ? "holds" : "MISSED");
    fflush(stdout);
    if (o->csv != NULL)
        fprintf(o->csv, "ratio,\"%s\",\"%s\",%d,,,,,,,,,,,%.4g,%s %.3g,%s\n", name, size,
                nth_threads_get(), value, word, bound, holds ? "holds" : "missed");
}

void bench_require(const char *what, double err, double tol)
{
    if (err <= tol) return; /* NaN falls through */
    fprintf(stderr, "%s: error %.2e, at most %.0e expected: a wrong answer is not timed\n", what,
            err, tol);
    exit(1);
}

nth_net_config bench_config(ptrdiff_t d, ptrdiff_t m, int layers)
{
    nth_net_config cfg = { .activation = NTH_ACT_TANH, .layers = layers, .sigma_w = 1.0 };
    cfg.widths[0] = d;
    for (int l = 1; l < layers; ++l) cfg.widths[l] = m;
    cfg.widths[layers] = 1;
    return cfg;
}

nth_net *bench_net(ptrdiff_t d, ptrdiff_t m, int layers)
{
    const nth_net_config cfg = bench_config(d, m, layers);
    nth_net             *net = NULL;
    BENCH_TRY(nth_net_create(&net, &cfg, true));
    nth_net_init_gaussian(net, 1, 0);
    return net;
}

double *bench_points(ptrdiff_t n, ptrdiff_t d)
{
    double *X = bench_doubles(n * d);
    nth_rand_normals(X, n * d, 1, NTH_STREAM_INPUTS, 0, 0);
    for (ptrdiff_t i = 0; i < n; ++i) {
        double s = 0.0;
        for (ptrdiff_t a = 0; a < d; ++a) s += X[i * d + a] * X[i * d + a];
        s = sqrt((double)d / s);
        for (ptrdiff_t a = 0; a < d; ++a) X[i * d + a] *= s;
    }
    return X;
}

double bench_error(nth_cmat A, nth_cmat B)
{
    double gap = 0.0, size = 0.0;
    for (ptrdiff_t i = 0; i < B.rows; ++i)
        for (ptrdiff_t j = 0; j < B.cols; ++j) {
            const double g = fabs(A.a[i * A.ld + j] - B.a[i * B.ld + j]);
            if (!(g <= gap)) gap = g;
            if (!isfinite(gap)) return NAN;
            size = fmax(size, fabs(B.a[i * B.ld + j]));
        }
    return gap / size;
}

static bool parse(int argc, char **argv, bench_opts *o)
{
    for (int i = 1; i < argc; ++i) {
        const char *value = i + 1 < argc ? argv[i + 1] : NULL;
        if (strcmp(argv[i], "--quick") == 0) {
            o->quick = true, o->repeats = 2, o->seconds = 0.0;
            continue;
        }
        if (value == NULL) return false;
        ++i;
        if (strcmp(argv[i - 1], "--only") == 0) {
            o->only = value;
        } else if (strcmp(argv[i - 1], "--csv") == 0) {
            if ((o->csv = fopen(value, "w")) == NULL) return false;
        } else if (strcmp(argv[i - 1], "--seconds") == 0) {
            o->seconds = atof(value);
        } else if (strcmp(argv[i - 1], "--threads") == 0) {
            o->thread_counts = 0;
            for (const char *p = value; p != NULL && o->thread_counts < BENCH_MAX_THREADS;
                 p = strchr(p, ',') ? strchr(p, ',') + 1 : NULL)
                o->threads[o->thread_counts++] = atoi(p);
        } else {
            return false;
        }
    }
    return true;
}

static void banner(const bench_opts *o)
{
    const nth_build_info b = nth_build_info_get();
    FILE *const          out[2] = { stdout, o->csv };
    for (int k = 0; k < 2; ++k) {
        if (out[k] == NULL) continue;
        fprintf(out[k], "# nth %s, revision %.12s%s, %s build by %s\n", b.version, b.git_revision,
                b.git_dirty ? " with changes" : "", b.build_type, b.compiler);
        fprintf(out[k], "# %s; BLAS %s; vector math %s; date %ld\n", b.cpu, b.blas, b.vector_math,
                (long)time(NULL));
    }
    if (strcmp(b.build_type, "Release") != 0) puts("# not a Release build: the times mean nothing");
    if (getenv("OPENBLAS_CORETYPE") != NULL)
        puts("# OPENBLAS_CORETYPE is set: the BLAS does not choose its own kernels");
    printf("%-22s %-30s %3s %10s %10s %4s %8s %8s %6s %7s %9s\n", "item", "size", "thr", "min s",
           "median s", "runs", "GFLOP/s", "DGEMM", "ratio", "GB/s", "error");
    if (o->csv != NULL)
        fputs("kind,name,size,threads,seconds_min,seconds_median,repeats,gflops,dgemm_gflops,"
              "of_dgemm,triad_gbs,flops,bytes,error,value,bound,verdict\n",
              o->csv);
}

int bench_main(int argc, char **argv, const bench_case *cases, int count)
{
    bench_opts o = { .threads = { nth_threads_get() },
                     .thread_counts = 1,
                     .seconds = 3.0,
                     .repeats = 5 };
    if (!parse(argc, argv, &o)) {
        fprintf(stderr,
                "usage: %s [--quick] [--only PART] [--threads N,M..] [--seconds S] "
                "[--csv FILE]\ncases:",
                argv[0]);
        for (int k = 0; k < count; ++k) fprintf(stderr, " %s", cases[k].name);
        fputc('\n', stderr);
        return 2;
    }
    banner(&o);
    for (int i = 0; i < o.thread_counts; ++i)
        for (int k = 0; k < count; ++k) {
            if (o.only != NULL && strstr(cases[k].name, o.only) == NULL) continue;
            nth_threads_set(o.threads[i]);
            cases[k].run(&o);
        }
    if (o.csv != NULL) fclose(o.csv);
    return 0;
}
