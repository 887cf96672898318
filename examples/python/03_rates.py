# SPDX-License-Identifier: GPL-3.0-or-later
"""Measured exponents in the width of a file of nth verify, family by family.

    nth verify --activation tanh --init antisymmetric --depth 2 --out V.h5
    python3 examples/python/03_rates.py V.h5

Needs h5py and numpy.
"""
import sys

import h5py
import numpy as np


def main(path):
    with h5py.File(path, "r") as f:
        for family, group in f["rates"].items():
            print(family, "widths", ", ".join(f"{m:g}" for m in group["widths"][:]))
            for quantity, rate in group.items():
                if not isinstance(rate, h5py.Group):
                    continue
                slope = rate["slope"][:]  # (T, pairs, norm, 3): exponent, low, high
                value = slope[0, 0, 0]  # first time, training pairs, largest entry
                if np.isfinite(value[0]):
                    print(f"  {quantity:12} {value[0]:6.2f} [{value[1]:.2f}, {value[2]:.2f}]")


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    main(sys.argv[1])
