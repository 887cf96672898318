/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * The slow twin of networks and kernels: nested loops, <math.h> and long double, no code of nth but
 * the types of net.h. All parameters, frozen ones included, lie in one vector theta; a kernel of the
 * hierarchy is its definition, a derivative of the kernel below along the gradients (E9, E13), and a
 * derivative is a central difference of order 8 along that direction. With 64-bit mantissas and the
 * steps of ref_order K3 is good to 1e-14, and each further order loses a digit.
 */
#ifndef NTH_TEST_NTK_REF_H
#define NTH_TEST_NTK_REF_H

#include "nth/net.h"

typedef long double ref_real;

enum { REF_MAX_P = 2048, REF_MAX_ROWS = 8, REF_MAX_LAYERS = 5, REF_MAX_WIDTH = 48 };

typedef struct ref_net {
    nth_net_config cfg;
    int            copies, P;
    int      W[2][REF_MAX_LAYERS], b[2][REF_MAX_LAYERS]; /* [copy][l-1] where they start in theta */
    bool     trains[REF_MAX_P];
    ref_real step; /* of differences, as a distance in theta */
    ref_real theta[REF_MAX_P];
} ref_net;

/* Points: the first n of `rows` are the training set. */
typedef struct ref_points {
    const double *X; /* (rows x d) */
    int           n, rows;
} ref_points;

void ref_read(ref_net *r, const nth_net *net);
/* Sets the step that suits kernels of this order, 2..6; ref_read sets that of order 4. */
void ref_order(ref_net *r, int order);
/* The parameters theta + e w, rounded, into a net of the same shape. */
void ref_write(nth_net *net, const ref_net *r, ref_real e, const ref_real *w);

ref_real ref_output(const ref_net *r, const ref_real *theta, const double *x);
/* Smallest |pre-activation| over all points and neurons: the distance from relu's kinks. */
ref_real ref_margin(const ref_net *r, ref_points pts);
/* g = gradient of the output at x, zero in frozen layers (E8). */
void ref_gradient(ref_real *g, const ref_net *r, const ref_real *theta, const double *x);
/* G = sum_i v_i g_i over the training set. */
void ref_direction(ref_real *G, const ref_net *r, const ref_real *theta, ref_points pts,
                   const double *v);
/* out = H_x w, the Hessian of the output at x times a fixed vector. */
void ref_hessian_vector(ref_real *out, const ref_net *r, const double *x, const ref_real *w);

/* K (rows x rows) = K^(2+k)[v_1..v_k] at theta; k = 0 is J J^T. */
void ref_contract(ref_real *K, const ref_net *r, const ref_real *theta, ref_points pts, int k,
                  const double *const *v);
/* What rounding leaves of K^(2+k)[v_1..v_k] here: 2^-60 max |K2| prod |G(v_j)| / step. */
double ref_noise(const ref_net *r, ref_points pts, int k, const double *const *v);
/* D (rows x rows) = <grad K2, w>, w fixed. */
void ref_kernel_derivative(ref_real *D, const ref_net *r, ref_points pts, const ref_real *w);

#endif
