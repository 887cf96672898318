#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
#
# usage: make_training_golden.py >tests/golden/training.inc
# Full-batch training of small networks with Adam and SGD with momentum, in plain numpy, written from the
# formulas (E2, E5, E111, E112) and not from the C code. Needs numpy.
import numpy as np

N, STEPS = 5, 40
X = np.array([[np.cos(1.7 * i + 0.6 * k) for k in (1, 2, 3)] for i in range(1, N + 1)])
Y = np.array([1.0, -1.0, -1.0, 1.0, -1.0])


def parameters(widths):
    """The weights of the fixtures: 1.4 sin(2a + 3b + 5l), biases 0.9 cos(a + 2l)."""
    W, b = [], []
    for l in range(1, len(widths)):
        W.append(np.array([[1.4 * np.sin(2.0 * a + 3.0 * c + 5.0 * l) for c in range(1, widths[l - 1] + 1)]
                           for a in range(1, widths[l] + 1)]))
        b.append(np.array([0.9 * np.cos(a + 2.0 * l) for a in range(1, widths[l] + 1)]))
    return W, b


def gradient(W, b, act, slope, factor):
    x, h = [X], []
    for l in range(len(W)):
        h.append(factor[l] * x[-1] @ W[l].T + b[l])
        x.append(act(h[-1]) if l < len(W) - 1 else h[-1])
    r = x[-1][:, 0] - Y
    delta, gW, gb = (r / N)[:, None], [None] * len(W), [None] * len(W)
    for l in reversed(range(len(W))):
        gW[l], gb[l] = factor[l] * delta.T @ x[l], delta.sum(axis=0)
        if l > 0:
            delta = factor[l] * (delta @ W[l]) * slope(h[l - 1])
    return 0.5 * np.mean(r * r), x[-1][:, 0], gW, gb


def train(rule, widths, act, slope, ntk):
    W, b = parameters(widths)
    factor = [1.0 / np.sqrt(q) if ntk else 1.0 for q in widths[:-1]]
    theta = W + b
    m, v = [np.zeros_like(p) for p in theta], [np.zeros_like(p) for p in theta]
    for s in range(1, STEPS + 1):
        _, _, gW, gb = gradient(W, b, act, slope, factor)
        for p, g, mp, vp in zip(theta, gW + gb, m, v):
            if rule == "adam":
                mp += (1 - 0.9) * (g - mp)
                vp += (1 - 0.999) * (g * g - vp)
                p -= 0.01 * (mp / (1 - 0.9**s)) / (np.sqrt(vp / (1 - 0.999**s)) + 1e-8)
            else:
                mp *= 0.5
                mp += g
                p -= 0.02 * mp
    loss, f, _, _ = gradient(W, b, act, slope, factor)
    values = [loss, *f, W[0].sum(), W[1].sum(), b[0].sum()]
    print("    { " + ", ".join(f"{x:.17g}" for x in values) + " },")


print("/* SPDX-License-Identifier: GPL-3.0-or-later")
print(" *")
print(f" * Made by scripts/make_training_golden.py with numpy: loss, outputs, sums of W1, W2 and b1 after {STEPS} steps. */")
relu = (lambda z: np.maximum(z, 0.0), lambda z: (z > 0.0).astype(float))
tanh = (np.tanh, lambda z: 1.0 - np.tanh(z) ** 2)
train("adam", [3, 6, 1], *relu, ntk=False)
train("sgd", [3, 6, 1], *relu, ntk=False)
train("adam", [3, 5, 4, 1], *tanh, ntk=True)
train("sgd", [3, 5, 4, 1], *tanh, ntk=True)
