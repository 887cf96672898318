#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
#
# usage: scripts/make_arc_polynomials.py
# Writes ntk/arc_coefficients.inc: a Chebyshev fit of theta / (pi sqrt(2 g)), cos theta = 1 - g, on 0 <= g <= 1
# (ntk/loops_body_priv.h), as powers of 2 g, highest first: two, then four to a line. Needs mpmath; only to make the file anew.
import os
import mpmath as mp

mp.mp.dps = 60
path = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "ntk", "arc_coefficients.inc")


def series(first, ratio, g):
    """sum_j first * prod ratio(j) g^j, for small g."""
    term, total, j = first, mp.mpf(0), 0
    while abs(term) > mp.mpf(10) ** -70:
        total += term
        term *= ratio(j) * g
        j += 1
    return total


def angle(twice_g):
    """theta / (pi sqrt(2 g)), cos theta = 1 - g."""
    g = mp.mpf(twice_g) / 2
    if g < 0.01:  # arccos(1 - g) / sqrt(2 g) = sum_j ((2j)!/(j!)^2) / (2j + 1) (g / 8)^j
        return series(1 / mp.pi, lambda j: mp.mpf((2 * j + 1) ** 2) / (4 * (j + 1) * (2 * j + 3)), g)
    return mp.acos(1 - g) / (mp.pi * mp.sqrt(2 * g))


c, error = mp.chebyfit(angle, [0, 2], 18, error=True)
top, c = c[:2], c[2:]
quads = [", ".join(mp.nstr(v, 20) for v in c[j:j + 4]) for j in range(0, len(c), 4)]
with open(path, "w") as out:
    out.write("/* SPDX-License-Identifier: GPL-3.0-or-later\n *\n * Made by scripts/make_arc_polynomials.py with mpmath %s. Largest error %s.\n */\n"
              % (mp.__version__, mp.nstr(error, 2)))
    out.write("#define ARC_TOP(X) X(%s)\n" % ", ".join(mp.nstr(v, 20) for v in top))
    out.write("#define ARC_SECOND(X) X(%s)\n#define ARC_NEXT(X) \\\n" % quads[0])
    out.write(" \\\n".join("    X(%s)" % q for q in quads[1:]) + "\n")
