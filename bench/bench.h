/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * What the benchmarks share: options, the clock, the reference rates, the table and the CSV file.
 *
 * A benchmark checks its result first and refuses to time a wrong one. Then its items take turns,
 * each turn opened by a DGEMM and a triad on the same number of threads, until every item has its
 * share of repeats and seconds. A ratio is the median of the ratios of single turns, so a
 * neighbour's load, which slows a whole turn down, mostly cancels.
 */
#ifndef NTH_BENCH_H
#define NTH_BENCH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>

#include "nth/build_info.h"
#include "nth/hier.h"

enum { BENCH_MAX_TURNS = 64, BENCH_MAX_THREADS = 8 };

/* A failed call ends the program with the library's message. */
#define BENCH_TRY(call)                                                                            \
    do {                                                                                           \
        if ((call) != NTH_OK) {                                                                    \
            fprintf(stderr, "%s: %s\n", #call, nth_last_error().message);                          \
            exit(3);                                                                               \
        }                                                                                          \
    } while (0)

typedef struct bench_opts {
    int         threads[BENCH_MAX_THREADS], thread_counts;
    double      seconds; /* least time for each item */
    int         repeats; /* least number of turns */
    bool        quick;   /* small sizes: does it run, not how fast */
    const char *only;    /* part of a case's name, or NULL */
    FILE       *csv;     /* or NULL */
} bench_opts;

typedef struct bench_item {
    const char *name;
    void (*run)(void *ctx);
    void  *ctx;
    double flops, bytes; /* counted by hand for one run; the count is in README.md */
    double err;          /* of the check that came before */
    int    threads;      /* 0: those of the present case */
    double t[BENCH_MAX_TURNS], dgemm[BENCH_MAX_TURNS];
    int    turns;
} bench_item;

typedef struct bench_case {
    const char *name;
    void (*run)(const bench_opts *o);
} bench_case;

/* Each program defines its cases and ends main with this. */
int bench_main(int argc, char **argv, const bench_case *cases, int count);

/* Times the items in turns, prints a line of the table for each and writes it to the CSV file. */
void bench_turns(const bench_opts *o, const char *size, bench_item *items, int count);
/* Medians over turns: seconds of an item; ratio of two; rate of one over the DGEMM of its turns. */
double bench_median(const bench_item *a);
double bench_min(const bench_item *a);
double bench_ratio(const bench_item *a, const bench_item *b);
double bench_of_dgemm(const bench_item *a);
/* Median over the turns of (a - b) / (c - d): what grows from b to a, in units of d to c. */
double bench_growth(const bench_item *a, const bench_item *b, const bench_item *c,
                    const bench_item *d);
/* Prints and writes a derived figure beside its bound: at least (sign > 0) or at most (sign < 0). */
void bench_claim(const bench_opts *o, const char *name, const char *size, double value, int sign,
                 double bound);
/* Ends the program if err > tol or is not a number: a wrong answer is not timed. */
void bench_require(const char *what, double err, double tol);

double  bench_now(void);
double *bench_doubles(ptrdiff_t count); /* filled with zeros; ends the program on failure */

/* A tanh network of `layers` layers of this width on d inputs, without bias. */
nth_net_config bench_config(ptrdiff_t d, ptrdiff_t m, int layers);
nth_net       *bench_net(ptrdiff_t d, ptrdiff_t m, int layers);
/* n points on the sphere of radius sqrt(d); numbers from `first` on, so that sets can be nested. */
double *bench_points(ptrdiff_t n, ptrdiff_t d);
/* Largest entry of |A - B| over the largest of |B|. */
double bench_error(nth_cmat A, nth_cmat B);

/* The slow twin (bench_ref.c): loops over points and neurons, <math.h> only. */
double *bench_ref_k2(const nth_net *net, const double *X, ptrdiff_t n); /* (n x n), to be freed */
/* The network at theta + s sum_i v_i grad f(x_i). */
nth_net *bench_ref_moved(const nth_net *net, const double *X, ptrdiff_t n, const double *v,
                         double s);

#endif
