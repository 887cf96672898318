/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Peak memory of K4[u,v] and Khat_t beyond weights and inputs: it grows like n m, not like m^2.
 * Each figure comes from a process of its own (this program again, with the word "measure"): the
 * high-water mark after the computation less the resident size before it, once a small one has
 * made the libraries' own buffers. Linux only; elsewhere there is nothing to read.
 */
#include "bench.h"

#include <math.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "nth/rng.h"

/* kB of a line of /proc/self/status, 0 where there is none. */
static double status_kb(const char *key)
{
    char   line[256];
    double kb = 0.0;
    FILE  *f = fopen("/proc/self/status", "r");
    if (f == NULL) return 0.0;
    while (fgets(line, sizeof line, f) != NULL)
        if (strncmp(line, key, strlen(key)) == 0) kb = atof(line + strlen(key));
    fclose(f);
    return kb;
}

static void compute(const char *what, const nth_net *net, const double *X, double *work,
                    ptrdiff_t n)
{
    const ptrdiff_t d = net->cfg.widths[0];
    const nth_cmat  train = nth_cmat_of(X, n, d), query = nth_cmat_of(X + n * d, n, d);
    double         *K = work, *v = work + 3 * n * n, t = 1e-10 * (double)n;
    const double   *dirs[2] = { v, v };
    nth_blocks      b[3] = { 0 };
    for (int k = 0; k < 3; ++k) b[k].test = nth_mat_of(K + k * n * n, n, n);
    if (strcmp(what, "Khat") == 0)
        BENCH_TRY(nth_hier_khat(&b[0], &b[1], &b[2], net, train, query, v, 1, &t, NTH_KHAT_CURVE));
    else
        BENCH_TRY(nth_hier_contract(&b[0], net, train, query, 4, dirs));
}

/* The child: prints the bytes. */
static int measure(const char *what, ptrdiff_t n, ptrdiff_t m)
{
    const ptrdiff_t d = 64, few = 8;
    double         *work = bench_doubles(3 * n * n + n), *X = bench_points(2 * n, d);
    nth_net        *small = bench_net(d, 512, 3), *net = bench_net(d, m, 3);
    for (ptrdiff_t i = 0; i < 3 * n * n + n; ++i) work[i] = 1.0; /* its pages are there */
    nth_rand_normals(work + 3 * few * few, few, 1, NTH_STREAM_LABELS, 0, 0);
    compute(what, small, X, work, few);
    nth_rand_normals(work + 3 * n * n, n, 1, NTH_STREAM_LABELS, 0, 0);
    const double before = status_kb("VmRSS:");
    compute(what, net, X, work, n);
    printf("%.0f\n", (status_kb("VmHWM:") - before) * 1024.0);
    nth_net_destroy(&net);
    nth_net_destroy(&small);
    free(work);
    free(X);
    return 0;
}

static double bytes_of(const char *what, ptrdiff_t n, ptrdiff_t m)
{
    char   ns[32], ms[32], text[64] = "";
    int    fd[2], status = 0;
    double bytes = 0.0;
    snprintf(ns, sizeof ns, "%td", n);
    snprintf(ms, sizeof ms, "%td", m);
    if (pipe(fd) != 0) return 0.0;
    const pid_t child = fork();
    if (child == 0) {
        dup2(fd[1], 1);
        close(fd[0]);
        execl("/proc/self/exe", "bench_memory", "measure", what, ns, ms, (char *)NULL);
        _exit(3);
    }
    close(fd[1]);
    if (read(fd[0], text, sizeof text - 1) > 0) bytes = atof(text);
    close(fd[0]);
    waitpid(child, &status, 0);
    if (status != 0 || bytes <= 0.0) {
        fprintf(stderr, "%s: no figure from the measuring process\n", what);
        exit(3);
    }
    return bytes;
}

static void line(const bench_opts *o, const char *what, ptrdiff_t n, ptrdiff_t m, double bytes)
{
    char         size[64];
    const double weights = 8.0 * (double)m * (double)(m + 65);
    snprintf(size, sizeof size, "n=k=%td m=%td L=3 d=64", n, m);
    printf("%-10s %-26s %9.1f MB  %6.2f x 8 n m  (weights %.1f MB)\n", what, size, 1e-6 * bytes,
           bytes / (8.0 * (double)(n * m)), 1e-6 * weights);
    if (o->csv != NULL)
        fprintf(o->csv, "memory,\"%s\",\"%s\",%d,,,,,,,,,%.6g,,,,\n", what, size, nth_threads_get(),
                bytes);
}

static void growth(const bench_opts *o, const char *what)
{
    const ptrdiff_t n = o->quick ? 64 : 256, m = o->quick ? 512 : 1024;
    double          by_m[3], by_n[3];
    char            label[64];
    for (int k = 0; k < 3; ++k) {
        by_m[k] = bytes_of(what, n, m << k);
        line(o, what, n, m << k, by_m[k]);
    }
    for (int k = 0; k < 3; ++k) {
        by_n[k] = bytes_of(what, n / 2 << k, 2 * m);
        line(o, what, n / 2 << k, 2 * m, by_n[k]);
    }
    snprintf(label, sizeof label, "%s: exponent in m", what);
    bench_claim(o, label, "from smallest to largest", log2(by_m[2] / by_m[0]) / 2.0, -1, 1.1);
    snprintf(label, sizeof label, "%s: exponent in n", what);
    bench_claim(o, label, "from smallest to largest", log2(by_n[2] / by_n[0]) / 2.0, -1, 1.3);
}

static void case_memory(const bench_opts *o)
{
    if (status_kb("VmHWM:") <= 0.0) {
        puts("skipped: this system does not tell the high-water mark of a process");
        return;
    }
    growth(o, "K4[u,v]");
    growth(o, "Khat");
}

int main(int argc, char **argv)
{
    static const bench_case cases[] = { { "memory", case_memory } };
    if (argc == 5 && strcmp(argv[1], "measure") == 0)
        return measure(argv[2], atol(argv[3]), atol(argv[4]));
    return bench_main(argc, argv, cases, 1);
}
