#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
#
# usage: scripts/make_tables.py
# Writes tests/golden/*.inc: values that the tests compare with, computed with
# mpmath 1.3.0 at 60 digits and printed with 21. Shares no code with nth: activations are differentiated
# numerically by mpmath's Taylor coefficients, q(a,b) is its definition E29, and the infinite-width
# kernels of nearly parallel inputs are the arc-cosine recursion. Needed only to make the files anew.
import os
import mpmath as mp

mp.mp.dps = 60
here = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "tests", "golden")

HEAD = """/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * %s
 * Made by scripts/make_tables.py with mpmath %s at %d digits.
 */
"""


def text(v):
    """Decimal number that C reads; what underflows is 0."""
    v = mp.mpf(v)
    if abs(v) < mp.mpf(2) ** -1070:
        return "0"
    return mp.nstr(v, 21, min_fixed=-3, max_fixed=20)


def write(name, purpose, rows):
    with open(os.path.join(here, name), "w") as out:
        out.write(HEAD % (purpose, mp.__version__, mp.mp.dps))
        out.write("\n".join(rows) + "\n")


activations = {
    "NTH_ACT_TANH": mp.tanh,
    "NTH_ACT_ERF": mp.erf,
    "NTH_ACT_SOFTPLUS": lambda z: mp.log(1 + mp.exp(z)),
    "NTH_ACT_GELU": lambda z: z * mp.erfc(-z / mp.sqrt(2)) / 2,
    "NTH_ACT_SIN": mp.sin,
    "NTH_ACT_QUADRATIC": lambda z: z * z,
}
points = [0.0, -0.0, 1e-300, 1e-9, -1e-9, 0.001, -0.03, 0.3125, -0.625, 1.0, -1.0, 1.75, -2.5, 3.0, 4.5,
          -5.75, 8.0, -9.5, 14.0, -20.0, 37.5, -45.0, 300.0, -1000.0]


def derivatives(f, z):
    """f, f', .., f^(6): Taylor coefficients by a contour sum of 64 nodes, radius 1/2."""
    z, n, r = mp.mpf(z), 64, mp.mpf(1) / 2
    with mp.extradps(10):
        values = [f(z + r * mp.expjpi(mp.mpf(2) * k / n)) for k in range(n)]
        return [mp.re(mp.fsum(v * mp.expjpi(-mp.mpf(2) * k * j / n) for k, v in enumerate(values))) / n
                * mp.factorial(j) / r ** j for j in range(7)]


def activation_rows():
    rows = []
    for name, f in activations.items():
        for z in points:
            if name == "NTH_ACT_SOFTPLUS" and z < -100:
                d = [mp.exp(z)] * 7
            else:
                d = derivatives(f, z)
                d[0] = f(mp.mpf(z))
            rows.append("{ %s, %r,\n  { %s } }," % (name, z, ",\n    ".join(", ".join(map(text, p)) for p in (d[:3], d[3:5], d[5:]))))
    return rows


def phi(x):
    return mp.mpf(1) if x == 0 else -mp.expm1(-x) / x


def q(a, b):
    with mp.workdps(120):
        a, b = mp.mpf(a), mp.mpf(b)
        if b == 0:
            return -mp.diff(phi, a) if a != 0 else mp.mpf(1) / 2
        return (phi(a) - phi(a + b)) / b


def q_rows():
    grid = [float("1e%d" % k) for k in range(-12, 5)]
    extra = [(0.25, 0.25), (0.25, 0.2499999), (0.4999999, 1e-9), (1e-9, 0.5), (0.5, 1e-9), (0.1, 0.39), (0.3, 0.7),
             (2.0, 3.0), (7.5, 0.02), (0.02, 7.5), (-1e-17, 3.0), (3.0, -1e-17), (-1e-15, 1e-15), (-1e-3, 0.2),
             (700.0, 800.0)]
    return ["{ %r, %r, %s }," % (a, b, text(q(a, b))) for a, b in [(a, b) for a in grid for b in grid] + extra]


def relu_theta(angle, layers):
    """Raw-parameter kernel of unit inputs at this angle, sigma_w^2 = 2, no bias (E45, E52-E54)."""
    th, cov = mp.mpf(angle), 2 * mp.cos(angle)
    theta = cov
    for _ in range(layers - 1):
        cov = 2 * (mp.sin(th) + (mp.pi - th) * mp.cos(th)) / mp.pi
        theta = cov + 2 * (mp.pi - th) / (2 * mp.pi) * theta
        th = mp.acos(cov / 2)
    return theta


def dual_rows():
    angles = [1e-12, 1e-9, 1e-7, 1e-5, 1e-3, 0.03125]
    return ["{ %r, { %s } }," % (a, ", ".join(text(relu_theta(s, L)) for s in (mp.mpf(a), mp.pi - mp.mpf(a)) for L in (2, 3, 4)))
            for a in angles]


def relu_pair(x, z, layers, w2, b2):
    """The same for any two inputs, with bias: covariances by the arc-cosine formulas at full precision."""
    dot = lambda a, b: w2 * mp.fsum(mp.mpf(s) * mp.mpf(t) for s, t in zip(a, b)) + b2
    q1, q2, k = dot(x, x), dot(z, z), dot(x, z)
    theta = k
    for _ in range(layers - 1):
        th = mp.atan2(mp.sqrt(max(q1 * q2 - k * k, mp.mpf(0))), k)
        theta = w2 * (mp.pi - th) / (2 * mp.pi) * theta
        k = w2 * mp.sqrt(q1 * q2) * (mp.sin(th) + (mp.pi - th) * mp.cos(th)) / (2 * mp.pi) + b2
        q1, q2 = w2 * q1 / 2 + b2, w2 * q2 / 2 + b2
        theta += k
    return theta


def pair_rows():
    w2, b2 = mp.mpf(1.7), mp.mpf(0.3)
    pairs = [((1.25, -0.375), (0.5, 0.875)), ((1.25, -0.375), (2.5, -0.75)), ((1.25, -0.375), (-2.5, 0.75)),
             ((1.25, -0.375), (1.25, -0.375)), ((1.25, -0.375), (1.25, -0.375 + 2.0 ** -30)),
             ((1.25, -0.375), (1.25 + 2.0 ** -14, -0.375)), ((1.25, -0.375), (1.25 + 2.0 ** -45, -0.375)),
             ((0.0, 0.0), (0.5, 0.875)), ((64.0, 3.0), (0.015625, 0.0)), ((30.0, 1.0), (29.5, 1.0))]
    return ["{ { %r, %r }, { %r, %r },\n  { %s } }," % (*x, *z, ",\n    ".join(
        ", ".join(text(relu_pair(x, z, L, w2, b2)) for L in part) for part in ((2, 3), (4, 5)))) for x, z in pairs]


write("relu_pairs.inc", "{ x, z, { Theta^L, L = 2..5 } } of relu, sigma_w^2 = 1.7, sigma_b^2 = 0.3, inputs not scaled", pair_rows())
write("activations.inc", "{ activation, z, { sigma^(r)(z), r = 0..6 } }", activation_rows())
write("q.inc", "{ a, b, q(a,b) } of E29", q_rows())
write("dual.inc", "{ th, { relu, sigma_w^2 = 2: Theta^2, Theta^3, Theta^4 at angle th, the same at pi - th } }", dual_rows())
