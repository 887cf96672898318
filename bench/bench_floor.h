/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef NTH_BENCH_FLOOR_H
#define NTH_BENCH_FLOOR_H

/* acos and sqrt of `count` numbers on one thread; returns something that depends on them. */
double bench_floor(double count);

#endif
