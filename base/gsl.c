/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * GSL behind our own interfaces; the only file that sees its headers. GSL's error handler is
 * global to the process and aborts: it is switched off once, before the first call, and GSL's
 * codes are turned into ours.
 */
#include "ode_priv.h"
#include "alloc_priv.h"
#include "fail_priv.h"

#include <gsl/gsl_errno.h>
#include <gsl/gsl_odeiv2.h>
#include <math.h>
#include <pthread.h>

struct nth_ode {
    ptrdiff_t             n;
    nth_ode_options       opt;
    nth_ode_rhs          *rhs;
    void                 *ctx;
    nth_status            rhs_status; /* of the last right-hand side that failed */
    gsl_odeiv2_system     sys;
    gsl_odeiv2_step      *step;
    gsl_odeiv2_control   *control;
    gsl_odeiv2_evolve    *evolve;
    double                h; /* last step size, kept from one advance to the next */
};

static pthread_once_t handler_once = PTHREAD_ONCE_INIT;
static void           handler_off(void) { gsl_set_error_handler_off(); }

/* A derivative that is not finite fails the step, which GSL then tries at half the length; its own
 * error estimate would let a NaN pass. */
static int call_rhs(double t, const double y[], double dydt[], void *self)
{
    nth_ode *ode = self;
    ode->rhs_status = ode->rhs(t, y, dydt, ode->ctx);
    if (ode->rhs_status != NTH_OK) return GSL_EBADFUNC;
    for (ptrdiff_t i = 0; i < ode->n; ++i)
        if (!isfinite(dydt[i])) return GSL_ERANGE;
    return GSL_SUCCESS;
}

static bool all_finite(const double *y, ptrdiff_t n)
{
    for (ptrdiff_t i = 0; i < n; ++i)
        if (!isfinite(y[i])) return false;
    return true;
}

nth_status nth_ode_create(nth_ode **out, ptrdiff_t n, const nth_ode_options *opt, nth_ode_rhs *rhs,
                          void *ctx)
{
    nth_status st = NTH_OK;
    nth_ode   *ode = NULL;
    pthread_once(&handler_once, handler_off);
    *out = NULL;
    NTH_REQUIRE(n >= 1, NTH_E_ARG, "system of %td unknowns", n);
    NTH_TRY(nth_priv_alloc(&ode, 1, sizeof *ode, "integrator"));
    ode->n = n, ode->opt = *opt, ode->rhs = rhs, ode->ctx = ctx;
    ode->sys = (gsl_odeiv2_system){ .function = call_rhs, .dimension = (size_t)n, .params = ode };
    ode->step = gsl_odeiv2_step_alloc(
        opt->method == NTH_ODE_RK8PD ? gsl_odeiv2_step_rk8pd : gsl_odeiv2_step_rkck, (size_t)n);
    ode->control = gsl_odeiv2_control_y_new(opt->atol, opt->rtol);
    ode->evolve = gsl_odeiv2_evolve_alloc((size_t)n);
    NTH_REQUIRE(ode->step && ode->control && ode->evolve, NTH_E_NOMEM, "integrator of %td unknowns", n);
    *out = ode, ode = NULL;
done:
    nth_ode_destroy(&ode);
    return st;
}

void nth_ode_destroy(nth_ode **ode)
{
    if (*ode == NULL) return;
    if ((*ode)->evolve) gsl_odeiv2_evolve_free((*ode)->evolve);
    if ((*ode)->control) gsl_odeiv2_control_free((*ode)->control);
    if ((*ode)->step) gsl_odeiv2_step_free((*ode)->step);
    nth_priv_free(*ode);
    *ode = NULL;
}

nth_status nth_ode_advance(nth_ode *ode, double *t, double t1, double *y, long *steps)
{
    nth_status st = NTH_OK;
    const double t0 = *t;
    if (!(t1 > t0)) return NTH_OK;
    if (!(ode->h > 0.0)) ode->h = (t1 - t0) * 1e-2;
    for (ptrdiff_t k = 0; ode->opt.fixed_steps > 0 ? k < ode->opt.fixed_steps : *t < t1; ++k) {
        int rc;
        if (ode->opt.fixed_steps > 0) {
            const double h = (t1 - t0) / (double)ode->opt.fixed_steps;
            rc = gsl_odeiv2_evolve_apply_fixed_step(ode->evolve, NULL, ode->step, &ode->sys, t, h, y);
            if (k + 1 == ode->opt.fixed_steps) *t = t1;
        } else {
            rc = gsl_odeiv2_evolve_apply(ode->evolve, ode->control, ode->step, &ode->sys, t, t1, &ode->h, y);
        }
        NTH_TRY(ode->rhs_status);
        NTH_REQUIRE(rc != GSL_ERANGE && all_finite(y, ode->n), NTH_E_NUMERIC,
                    "integration stopped at t = %g of %g: the state is not finite", *t, t1);
        NTH_REQUIRE(rc == GSL_SUCCESS, NTH_E_STEPSIZE, "integration stopped at t = %g of %g: %s", *t, t1, gsl_strerror(rc));
        NTH_REQUIRE(*t >= t1 || ode->opt.fixed_steps > 0 || ode->h > 1e-14 * (t1 - t0), NTH_E_STEPSIZE,
                    "step %.1e at t = %g is too small to reach t = %g", ode->h, *t, t1);
        ++*steps;
    }
done:
    if (st != NTH_OK) { /* the next advance starts afresh, also from another state */
        ode->h = 0.0;
        gsl_odeiv2_evolve_reset(ode->evolve);
        gsl_odeiv2_step_reset(ode->step);
    }
    return st;
}
