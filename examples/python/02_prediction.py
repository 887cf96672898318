# SPDX-License-Identifier: GPL-3.0-or-later
"""The predicted kernel beside the trained one: |K_t - K_0| and |K_t - Khat_t| (largest entries) at each time.

    nth net --widths 6,1024,1 --out net.h5
    nth hierarchy --net net.h5 --khat --times 0.25,1,4 --out khat.h5
    nth train --net net.h5 --times 0.25,1,4 --out trained.h5
    python3 examples/python/02_prediction.py khat.h5 trained.h5 [figure.svg]

Needs h5py and numpy; matplotlib for the figure only.
"""
import sys

import h5py
import numpy as np


def main(khat, trained, figure=None):
    with h5py.File(khat, "r") as h, h5py.File(trained, "r") as r:
        t, K0, Khat, K = h["t"][:], h["K0"][:], h["Khat"][:], r["K"][:]
        if not np.array_equal(t, r["t"][:]):
            sys.exit(f"{khat} and {trained} have different times")
    moved = np.abs(K - K0).max(axis=(1, 2))
    missed = np.abs(K - Khat).max(axis=(1, 2))
    print(f"{'t':>10} {'|K_t - K_0|':>14} {'|K_t - Khat_t|':>14}")
    for row in zip(t, moved, missed):
        print("{:10g} {:14.4e} {:14.4e}".format(*row))
    if figure:
        import matplotlib
        matplotlib.use("svg")
        import matplotlib.pyplot as plt
        plt.loglog(t, moved, "o-", label="|K_t - K_0|")
        plt.loglog(t, missed, "s-", label="|K_t - Khat_t|")
        plt.xlabel("t")
        plt.legend()
        plt.savefig(figure)


if __name__ == "__main__":
    if len(sys.argv) not in (3, 4):
        sys.exit(__doc__)
    main(*sys.argv[1:])
