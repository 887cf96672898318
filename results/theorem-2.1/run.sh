#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-3.0-or-later
#
# Runs the reference measurements of Theorem 2.1 and writes, for each, its table (NAME.md) and its
# numbers (NAME.json) beside this script; the HDF5 files go to OUT. A run that was interrupted
# continues where it stopped. usage: results/theorem-2.1/run.sh [OUT] [NAME ...]
# NTH names the tool (build/cli/nth); the two cifar10 runs need NTH_DATA_DIR.
. "$(dirname "${BASH_SOURCE[0]}")/../lib.sh" "$@"
shift || true
widths=256,512,1024,2048,4096
cifar="cifar10:?classes=4,5&train=10&test=4"

run() {
    local name=$1
    shift
    [ ${#only[@]} -eq 0 ] || [[ " ${only[*]} " == *" $name "* ]] || return 0
    echo "== $name: nth verify --preset standard $*" >&2
    "$nth" verify --preset standard "$@" --out "$out/$name.h5" --table "$here/$name.md" --json \
        >"$out/$name.json" || [ $? -eq 1 ]
    mv "$out/$name.json" "$here/$name.json"
    [ -z "${NTH_DATA_DIR-}" ] || sed -i "s|:$NTH_DATA_DIR/cifar10?|:?|" "$here/$name.md" "$here/$name.json"
}

only=("$@")
run antisymmetric --activation tanh,erf,softplus --depth 2 --init antisymmetric --seeds 64 --widths $widths
run gaussian --activation tanh,erf,softplus --depth 2 --init gaussian --seeds 64 --widths $widths,8192,16384
if [ -n "${NTH_DATA_DIR-}" ]; then
    run cifar10-3072 --activation tanh --depth 2 --seeds 64 --data "$cifar"
    run cifar10-64-unscaled --activation tanh --depth 2 --seeds 64 --data "$cifar" --project 64
    run cifar10-64 --activation tanh --depth 2 --init antisymmetric --seeds 64 --widths $widths --data "$cifar" --project 64 --unit-norm yes --input-scale one
else
    echo "cifar10 runs skipped: NTH_DATA_DIR is not set" >&2
fi
run standard
run three-layers-gaussian --activation tanh,erf --depth 3 --init gaussian
