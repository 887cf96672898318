/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Networks: fully connected nets of any depth (docs/equations.md, E1-E4), in NTK parameterization
 *
 *     h^1 = c_1 kappa W^1 x + sigma_b b^1,   h^l = c_l W^l sigma(h^{l-1}) + sigma_b b^l,   f = h^L
 *     c_l = sigma_w / sqrt(fan-in),  raw parameters N(0,1) at t = 0
 *
 * or in standard parameterization: c_l = kappa = 1, biases with factor 1, the scales in the initial
 * parameters, as common frameworks have it (E110).
 *
 * A doubled (antisymmetric) net is f = (F(theta_1) - F(theta_2)) / sqrt 2 with two copies of the
 * parameters, equal at t = 0 and trained freely (E4): then f_0 = 0 and every odd kernel vanishes.
 */
#ifndef NTH_NET_H
#define NTH_NET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "nth/file.h"
#include "nth/mat.h"
#include "nth/status.h"

#ifdef __cplusplus
extern "C" {
#endif

enum { NTH_MAX_LAYERS = 32, NTH_MAX_DERIVATIVE = 6 };

typedef enum nth_activation {
    NTH_ACT_TANH,
    NTH_ACT_ERF,
    NTH_ACT_SOFTPLUS,
    NTH_ACT_GELU,
    NTH_ACT_SIN,
    NTH_ACT_RELU,
    NTH_ACT_LINEAR,
    NTH_ACT_QUADRATIC,
    NTH_ACT_COUNT
} nth_activation;

/** Name of an activation as files and options spell it ("tanh"); NULL outside the list. */
NTH_API const char *nth_activation_name(nth_activation act);

/** True if all derivatives exist (only relu says false): the hypothesis of Theorem 2.1. */
NTH_API bool nth_activation_is_smooth(nth_activation act);

/**
 * The activation with this name.
 *
 * Errors     NTH_E_ARG, naming the valid ones.
 */
NTH_API NTH_NODISCARD nth_status nth_activation_parse(nth_activation *act, const char *name);

/**
 * An activation and its derivatives at many points.
 *
 *     out[r * stride + i] = sigma^(r)(z_i),   r = 0..order                     [docs/equations.md, E2]
 *
 * relu is differentiated almost everywhere: relu'(0) = 0 and relu'' = 0.
 *
 * Shapes     out ((order + 1) rows of at least n), z (n); 0 <= order <= NTH_MAX_DERIVATIVE, stride >= n.
 * Ownership  the caller's; z must not overlap out.
 * Cost       one vector-math call for each transcendental, n (order + 1) products; no workspace.
 * Accuracy   a few ulp of max |sigma^(r)|; test_net.c, activation_derivatives.
 * Errors     none.
 */
NTH_API void nth_activation_eval(nth_activation act, int order, const double *z, ptrdiff_t n,
                                 double *out, ptrdiff_t stride);

typedef enum nth_input_scale {
    NTH_INPUT_FAN_IN, /* first layer divided by sqrt(d): kappa = 1 of E1 */
    NTH_INPUT_ONE     /* not divided: kappa = sqrt(d), the papers' form E3 */
} nth_input_scale;

typedef enum nth_parameterization {
    NTH_PARAMETERIZATION_NTK,
    NTH_PARAMETERIZATION_STANDARD /* no factors: sigma_w = 1, sigma_b = 1, or 0 for no biases; input_scale is not used */
} nth_parameterization;

/* The shape and scales of a network. */
typedef struct nth_net_config {
    nth_activation  activation;
    int             layers;                     /* L >= 2, number of weight layers */
    ptrdiff_t       widths[NTH_MAX_LAYERS + 1]; /* (L + 1) d, m_1 .. m_{L-1}, outputs: 1 except where a function says otherwise */
    double          sigma_w, sigma_b;           /* weight and bias scales, E1 */
    nth_input_scale input_scale;
    bool            doubled;                    /* two copies, E4; widths are those of one copy */
    unsigned        frozen;                     /* bit l-1 set: layer l does not train */
    nth_parameterization parameterization;
    double          output_scale;               /* s: the output is s h^L, and K^(r) s^r times as large; 0 means 1 */
} nth_net_config;

typedef struct nth_net {
    nth_net_config cfg;
    int            copies;                      /* 1, or 2 for a doubled net */
    double         out_scale[2];                /* 1; or +1/sqrt 2 and -1/sqrt 2; times cfg.output_scale */
    nth_mat        W[2][NTH_MAX_LAYERS];        /* [copy][l-1] (p_l x q_l) raw weights, E1 */
    double        *b[2][NTH_MAX_LAYERS];        /* [copy][l-1] (p_l) raw biases; NULL if sigma_b = 0 */
    bool           first_layer_stored;          /* false: W[.][0] is drawn anew when it is needed */
    bool           uniform;                     /* initialized by nth_net_init_framework */
    uint64_t       seed;                        /* of the initialization */
    uint32_t       run;
} nth_net;

/**
 * Layer factor of weights, with the input scale inside for l = 1.
 *
 *     c_l = sigma_w / sqrt(q_l);   l = 1 with NTH_INPUT_ONE: sigma_w                      [E1]
 *     c_l = 1 in standard parameterization                                               [E110]
 */
NTH_API double nth_net_factor(const nth_net_config *cfg, int l);

/**
 * Checks a configuration: 2 <= L, positive widths, finite scales, sigma_w > 0; in standard
 * parameterization sigma_w = 1 and sigma_b = 0 or 1; output_scale finite, not negative.
 *
 * Errors     NTH_E_ARG, naming what was expected and found.
 */
NTH_API NTH_NODISCARD nth_status nth_net_config_check(const nth_net_config *cfg);

/**
 * A network with all parameters zero.
 *
 * Shapes     cfg->layers weight matrices for each copy.
 * Ownership  *net belongs to the caller: nth_net_destroy. cfg is copied.
 * Cost       8 P bytes (without the first layer's m_1 d where store_first is false).
 * Errors     NTH_E_ARG, NTH_E_NOMEM.
 */
NTH_API NTH_NODISCARD nth_status nth_net_create(nth_net **net, const nth_net_config *cfg,
                                                bool store_first);
NTH_API void                     nth_net_destroy(nth_net **net);

/**
 * Gaussian initialization: all raw parameters N(0,1); both copies of a doubled net alike (E4).
 *
 *     parameter (l, a, b) = standard normal number (l << 48) + a q_l + b of run `run` of the seed
 *
 * The numbers are addressed, so the net is the same for any number of threads, and a first layer
 * that is not stored is drawn in blocks when products with it are needed.
 *
 * Cost       about 3 ns for each parameter. Errors none.
 */
NTH_API void nth_net_init_gaussian(nth_net *net, uint64_t seed, uint32_t run);

/**
 * What common frameworks do by default: weights and biases uniform, variance 1/(3 fan-in).
 *
 *     parameter (l, a, b) = (2 u - 1) / sqrt(q_l),   u uniform in (0,1) at the same address          [E110]
 *
 * Both copies of a doubled net alike. Meant for standard parameterization; a net in NTK
 * parameterization takes it too, and is then small.
 *
 * Cost       about 10 ns for each parameter and thread. Errors none.
 */
NTH_API void nth_net_init_framework(nth_net *net, uint64_t seed, uint32_t run);

/**
 * Reads a network file (docs/formats.md): at its root, or under /net in a training result.
 *
 * Errors     NTH_E_IO; NTH_E_FORMAT, naming file, dataset, expected and found shape; NTH_E_NUMERIC.
 */
NTH_API NTH_NODISCARD nth_status nth_net_read(nth_net **net, nth_file *file);

/**
 * Writes a network under a group ("" for the root of a network file, "/net" in a training result).
 *
 * Errors     NTH_E_IO; NTH_E_ARG if the first layer is not stored.
 */
NTH_API NTH_NODISCARD nth_status nth_net_write(const nth_net *net, nth_file *file,
                                               const char *group);

/** Number of trainable raw parameters P, all copies. */
NTH_API ptrdiff_t nth_net_parameters(const nth_net *net);

/**
 * The trainable parameters as one vector, and back.
 *
 *     theta = copy after copy, layer after layer: W^l by rows, then b^l; frozen layers are left out
 *
 * Shapes     theta (P) of nth_net_parameters.
 * Scaling    raw parameters. Ownership the caller's. Cost P copies. Accuracy exact.
 * Errors     NTH_E_ARG (the first layer trains but is not stored).
 */
NTH_API NTH_NODISCARD nth_status nth_net_get_parameters(double *theta, const nth_net *net);
NTH_API NTH_NODISCARD nth_status nth_net_set_parameters(nth_net *net, const double *theta);

#ifdef __cplusplus
}
#endif
#endif
