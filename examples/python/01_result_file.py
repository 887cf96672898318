# SPDX-License-Identifier: GPL-3.0-or-later
"""What is in a result file: how it was made, and its datasets.

    nth train --net net.h5 --times 0.25,1,4 --out trained.h5
    python3 examples/python/01_result_file.py trained.h5

Needs h5py. docs/formats.md lists attributes and datasets.
"""
import json
import sys

import h5py


def text(value):
    return value.decode() if isinstance(value, bytes) else value


def main(path):
    with h5py.File(path, "r") as f:
        config = json.loads(text(f.attrs["config"]))
        given = config.pop("given", [])
        print(f"nth {config.pop('command')}, version {text(f.attrs['nth_version'])}, "
              f"revision {text(f.attrs['git_revision'])[:12]}, {float(f.attrs['duration']):.1f} s")
        for key, value in config.items():
            print(f"  {key} = {value}{'' if key in given else '  (default)'}")
        f.visititems(lambda name, item: print(f"/{name} {item.shape}") if isinstance(item, h5py.Dataset) else None)


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    main(sys.argv[1])
