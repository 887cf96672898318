/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Mean kernels of a two-layer network at four points (E59, E60): one table of means over a neuron for
 * a set of points, then sums for each order of them. relu's means are orthants (orthant.c), erf's and
 * the quadrature are in means.c; contraction over many points in mean_contract.c.
 */
#include "expected_priv.h"
#include "fail_priv.h"
#include "orthant_priv.h"

#include <float.h>
#include <math.h>
#include <string.h>

static const double TURN = 6.28318530717958647693;

nth_status nth_priv_expected_check(const nth_expected_config *cfg)
{
    nth_status st = NTH_OK;
    NTH_REQUIRE(nth_activation_name(cfg->activation) != NULL, NTH_E_ARG, "no such activation");
    NTH_REQUIRE(!cfg->almost_everywhere || cfg->activation == NTH_ACT_RELU, NTH_E_ARG,
                "the a.e. form belongs to relu; the mean of %s has no kinks to leave out",
                nth_activation_name(cfg->activation));
    NTH_REQUIRE(cfg->readout == NTH_READOUT_GAUSSIAN || cfg->readout == NTH_READOUT_SIGNS, NTH_E_ARG,
                "no such distribution of read-out weights");
    NTH_REQUIRE(cfg->tolerance >= 0.0 && cfg->tolerance < 1.0, NTH_E_ARG, "tolerance %g", cfg->tolerance);
done:
    return st;
}

/* Density at 0 of (z_i, z_j). */
static double density(const nth_orthant_parts *o, const double *sd, int i, int j)
{
    return o->parallel[i][j] ? 0.0 : 1.0 / (TURN * sd[i] * sd[j] * o->sine[i][j]);
}

/* The delta terms of relu. Of two points on one line, s_j' at z_i = 0 counts one half, and the sums of
 * E59 hold total derivatives, so that the terms with two deltas there cancel. Three lines in a plane
 * have no such rule: what smooth activations do at the scale of their kink then stays. */
static void delta_terms(nth_means *M, const nth_orthant_parts *o, const nth_angles *a, const double *sd)
{
    for (int i = 0; i < 4; ++i)
        for (int j = 0; j < 4; ++j) {
            if (i == j) continue;
            const double both = density(o, sd, i, j) * o->rest[i][j];
            M->both[i][j] = both;
            M->three[i] -= sd[j] * a->r[i][j] / sd[i] * both;
            for (int k = 0; k < 4 && !o->parallel[i][j]; ++k) { /* E[delta(z_i) relu(z_j) 1_k 1_l] by boundary terms */
                const double cov = k == j ? o->sine[i][j] * o->sine[i][j] : a->r[j][k] - a->r[j][i] * a->r[k][i];
                if (k != i) M->two[i][j] += sd[j] * sd[k] * cov * density(o, sd, i, k) * o->rest[i][k];
            }
        }
    M->kinks = true, M->planar = o->planar;
    memcpy(M->parallel, o->parallel, sizeof M->parallel);
}

static nth_status means_relu(nth_means *M, const nth_expected_config *cfg, const nth_four *p)
{
    nth_status        st = NTH_OK;
    nth_orthant_parts o;
    nth_angles        a = { .n = 4, .measured = p->measured };
    double            sd[4];
    for (int i = 0; i < 4; ++i) {
        sd[i] = sqrt(p->x[i][i]);
        if (sd[i] == 0.0) return st; /* every term has a factor x_ij or relu(z_i) of this point */
    }
    for (int i = 0; i < 4; ++i)
        for (int j = 0; j < 4; ++j) {
            a.r[i][j] = i == j ? 1.0 : fmax(-1.0, fmin(1.0, p->x[i][j] / (sd[i] * sd[j])));
            a.gap[i][j] = i == j ? 0.0 : p->gap[i][j];
        }
    if (!p->measured) nth_priv_angles_close(&a);
    nth_priv_orthant(&o, &a);
    NTH_REQUIRE(o.defect <= 1e-9, NTH_E_ARG, "not a Gram matrix: a conditional variance of its cosines is %g", -o.defect);
    M->one = o.P, M->error = o.error;
    for (int i = 0; i < 4; ++i)
        for (int j = 0; j < 4; ++j) {
            const int k = i == 0 || j == 0 ? (i == 1 || j == 1 ? 2 : 1) : 0, l = 6 - i - j - k;
            if (i != j) M->pair[i][j] = sd[k] * sd[l] * o.m[k][l];
        }
    if (!cfg->almost_everywhere) delta_terms(M, &o, &a, sd);
done:
    return st;
}

nth_status nth_priv_means(nth_means *M, const nth_expected_config *cfg, const nth_four *p)
{
    memset(M, 0, sizeof *M);
    if (cfg->activation == NTH_ACT_RELU) return means_relu(M, cfg, p);
    if (cfg->activation != NTH_ACT_ERF) return nth_priv_means_quadrature(M, cfg, p);
    nth_priv_means_erf(M, p);
    return NTH_OK;
}

/* relu's delta terms have a mean at this order of the points. Numbers in messages are those of the order. */
static nth_status has_mean(const nth_means *M, const int *o)
{
    nth_status st = NTH_OK;
    for (int i = 0; i < 2; ++i)
        NTH_REQUIRE(!M->parallel[o[i]][o[3]], NTH_E_NUMERIC,
                    "the mean of relu with its delta terms is infinite: points %d and 4 lie on one line; "
                    "only the a.e. form is finite there",
                    i + 1);
    NTH_REQUIRE(!(M->parallel[o[0]][o[1]] && M->parallel[o[0]][o[2]]), NTH_E_NUMERIC,
                "the mean of relu with its delta terms is not defined: points 1, 2 and 3 lie on one line");
    NTH_REQUIRE(!M->planar || (M->parallel[o[0]][o[1]] && M->parallel[o[2]][o[3]]), NTH_E_NUMERIC,
                "the mean of relu with its delta terms is not defined: all four points lie in one plane");
done:
    return st;
}

nth_status nth_priv_expected_order(nth_expected_value *out, const nth_means *M, const nth_four *p,
                                   const nth_expected_config *cfg, const int o[4])
{
    nth_status   st = NTH_OK;
    const int    a = o[0], b = o[1], c = o[2], d = o[3];
    const double x12 = p->x[a][b], x13 = p->x[a][c], x14 = p->x[a][d], x23 = p->x[b][c], x24 = p->x[b][d], x34 = p->x[c][d];
    if (M->kinks) NTH_TRY(has_mean(M, o));
    out->A = x13 * M->pair[a][c] + x23 * M->pair[b][c] + 2.0 * x12 * M->pair[a][b];
    out->B = 3.0 * x12 * (x13 * M->two[a][d] + x23 * M->two[b][d]);
    out->C = (x13 * x24 + x23 * x14 + 2.0 * x12 * x34) * M->one
             + x13 * (x14 * M->two[a][b] + x34 * M->two[c][b]) + x23 * (x24 * M->two[b][a] + x34 * M->two[c][a])
             + 2.0 * x12 * (x14 * M->two[a][c] + x24 * M->two[b][c]);
    out->D = x12 * (x34 * (x13 * M->both[c][a] + x23 * M->both[c][b]) + (x13 * x24 + x23 * x14) * M->both[a][b]
                    + x13 * x14 * M->three[a] + x23 * x24 * M->three[b]);
    if (cfg->readout == NTH_READOUT_GAUSSIAN) out->D *= 3.0;
    out->K4 = out->A + out->B + out->C + out->D;
    out->K3f0 = cfg->antisymmetric ? 0.0 : out->A + out->B;
    double size = 0.0, weight = 0.0;
    for (int i = 0; i < 4; ++i)
        for (int j = 0; j < 4; ++j) {
            weight = fmax(weight, fabs(p->x[i][j]));
            size = fmax(size, fabs(M->pair[i][j]) + weight * (fabs(M->one) + fabs(M->two[i][j])) + weight * weight * (fabs(M->both[i][j]) + fabs(M->three[i])));
        }
    out->error = 10.0 * M->error * weight * size;
    NTH_REQUIRE(isfinite(out->K4), NTH_E_NUMERIC, "the mean kernel is not finite");
done:
    return st;
}

nth_status nth_expected_four(nth_expected_value *out, const nth_expected_config *cfg, const double *C, const double *gap)
{
    nth_status st = NTH_OK;
    nth_four   p = { .measured = gap != NULL };
    nth_means  M;
    memset(out, 0, sizeof *out);
    NTH_TRY(nth_priv_expected_check(cfg));
    for (int i = 0; i < 4; ++i)
        for (int j = 0; j < 4; ++j) {
            const double most = sqrt(fmax(C[5 * i], 0.0)) * sqrt(fmax(C[5 * j], 0.0));
            NTH_REQUIRE(isfinite(C[4 * i + j]) && C[5 * i] >= 0.0 && fabs(C[4 * i + j]) <= (1.0 + 1e-9) * most
                            && fabs(C[4 * i + j] - C[4 * j + i]) <= 1e-12 * most,
                        NTH_E_ARG, "not a Gram matrix: entry (%d,%d) is %g", i + 1, j + 1, C[4 * i + j]);
            NTH_REQUIRE(gap == NULL || i == j || (gap[4 * i + j] >= 0.0 && gap[4 * i + j] < 1.415), NTH_E_ARG,
                        "gap (%d,%d) is %g; 0 to sqrt 2", i + 1, j + 1, gap[4 * i + j]);
            p.x[i][j] = C[4 * i + j], p.gap[i][j] = gap != NULL ? gap[4 * i + j] : 0.0;
        }
    NTH_TRY(nth_priv_means(&M, cfg, &p));
    NTH_TRY(nth_priv_expected_order(out, &M, &p, cfg, (const int[]){ 0, 1, 2, 3 }));
done:
    return st;
}
