/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Ordinary differential equations through GSL's steppers (gsl.c).
 */
#ifndef NTH_BASE_ODE_PRIV_H
#define NTH_BASE_ODE_PRIV_H

#include <stddef.h>

#include "nth/status.h"

/* dydt <- f(t, y), arrays of the system's size. */
typedef nth_status nth_ode_rhs(double t, const double *y, double *dydt, void *ctx);

typedef enum nth_ode_method {
    NTH_ODE_RK8PD, /* Prince-Dormand 8(9): adaptive, the reference */
    NTH_ODE_RKCK   /* Cash-Karp 4(5): adaptive, or at fixed steps where the system has kinks */
} nth_ode_method;

typedef struct nth_ode_options {
    nth_ode_method method;
    double         rtol, atol;  /* GSL's test: max norm, |err_i| <= atol + rtol |y_i| */
    ptrdiff_t      fixed_steps; /* > 0: that many equal steps, no error control */
} nth_ode_options;

typedef struct nth_ode nth_ode;

/* Everything the integration of n unknowns needs is allocated here: about 19 n doubles (rk8pd) or
 * 12 n (rkck). */
NTH_NODISCARD nth_status nth_ode_create(nth_ode **ode, ptrdiff_t n, const nth_ode_options *opt,
                                        nth_ode_rhs *rhs, void *ctx);
/* Advances y (n) from *t to t1. NTH_E_STEPSIZE: the step underflows; NTH_E_NUMERIC: y not finite;
 * or whatever the right-hand side returned. *steps is increased by the steps taken. */
NTH_NODISCARD nth_status nth_ode_advance(nth_ode *ode, double *t, double t1, double *y,
                                         long *steps);
void                     nth_ode_destroy(nth_ode **ode);

#endif
