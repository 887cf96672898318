/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Every kind of small network in a row: 8 activations x depths 2, 3, 4 x bias x input scale x
 * doubling, odd widths, 3 to 5 training and 1 to 3 test points, each with its slow twin. A loop over
 * the numbers 0 .. shape_count() - 1 sees them all.
 */
#ifndef NTH_TEST_SHAPES_H
#define NTH_TEST_SHAPES_H

#include "nth/hier.h"
#include "ntk_ref.h"

typedef struct shape {
    nth_net   *net;
    ref_net    ref;
    ref_points pts;                 /* training points first */
    int        n, k;                /* training, test points */
    double     X[REF_MAX_ROWS * 3]; /* (n + k) x 3 */
    double     v[4][REF_MAX_ROWS];  /* vectors of n entries */
    char       name[96];
} shape;

int  shape_count(void);
bool shape_open(shape *s, int number); /* false: reported */
void shape_close(shape *s);
bool shape_is_doubled(int number);
int  shape_layers(int number);

nth_cmat shape_train(const shape *s);
nth_cmat shape_test(const shape *s);

/* Room for the three blocks, with ld > cols; what lies between the rows must not be touched. */
typedef struct block_room {
    double     train[REF_MAX_ROWS * 11], test[REF_MAX_ROWS * 11], query[REF_MAX_ROWS * 11];
    nth_blocks K;
} block_room;

void room_open(block_room *room, int n, int k);
bool room_gaps_untouched(const block_room *room);
/* Largest error of the blocks against R (rows x rows) beyond the twin's own `noise`, over the largest
 * |R|; NaN sticks. */
double room_error(const block_room *room, const ref_real *R, double noise);
double room_max(const block_room *room);
/* Largest difference of the blocks of two rooms of the same shape. */
double room_distance(const block_room *a, const block_room *b);

/* Worst of the errors seen under a heading, printed by worst_report at the end of a case. */
typedef struct worst {
    double value;
    char   where[96];
} worst;
void worst_see(worst *w, double err, const char *where);
/* One line with the number, and the check that it stays below the bound. */
void worst_check(const worst *w, const char *what, double bound);

#endif
