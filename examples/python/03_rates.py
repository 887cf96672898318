# SPDX-License-Identifier: GPL-3.0-or-later
"""Measured exponents of a file of nth verify, in the width, or in the time where one width was run (small t).

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
            widths, times = group["widths"][:], group["times"][:]
            in_width = len(widths) > 1
            print(family, "widths" if in_width else "times", ", ".join(f"{x:g}" for x in (widths if in_width else times)))
            for quantity, rate in group.items():
                if not isinstance(rate, h5py.Group):
                    continue
                slope = rate["slope"][:]  # (T, pairs, norm, 3): exponent, low, high
                pairs = 1 if np.isfinite(slope[0, 1, 0, 0]) else 0  # test-train, those with intervals; training without test inputs
                value = slope[0, pairs, 0]  # first time, largest entry
                if np.isfinite(value[0]):
                    print(f"  {quantity:12} {value[0]:6.2f} [{value[1]:.2f}, {value[2]:.2f}]")


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    main(sys.argv[1])
