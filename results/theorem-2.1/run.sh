#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-3.0-or-later
#
# Runs the reference measurements of Theorem 2.1 and writes, for each, its table (NAME.md), its numbers (NAME.json), its
# configuration (NAME.config.json) and a figure (NAME.svg) beside this script; the HDF5 files go to OUT, the smallest is
# kept here, too. A run that was interrupted continues where it stopped. usage: results/theorem-2.1/run.sh [OUT] [NAME ...]
# NTH names the tool (build/cli/nth); the cifar10 runs need NTH_DATA_DIR and are skipped without it.
# duration: 28 minutes on two cores, all but standard and cifar10-3072 11 minutes, quick a second
. "$(dirname "${BASH_SOURCE[0]}")/../lib.sh" "$@"
shift || true
widths=256,512,1024,2048,4096
cifar="cifar10:?classes=4,5&train=10&test=4"

run() { # NAME PLOT OPTIONS..
    local name=$1 plot=$2
    shift 2
    [ ${#only[@]} -eq 0 ] || [[ " ${only[*]} " == *" $name "* ]] || return 0
    echo "== $name: nth verify $*" >&2
    (cd "$out" && "$nth" verify "$@" --out "$name.h5" --table "$name.md" --json >"$name.json") || [ $? -eq 1 ]
    mv "$out/$name.md" "$out/$name.json" "$here/"
    configuration "$name"
    figure "$name" "$plot"
    [ -z "${NTH_DATA_DIR-}" ] || sed -i "s|:$NTH_DATA_DIR/cifar10?|:?|" "$here/$name.md" "$here/$name.json"
}

only=("$@")
run quick tanh-L-2-antisymmetric-t-1 --preset quick --activation tanh --depth 2 --init antisymmetric --seeds 16 --widths 128,512,2048
[ ! -e "$out/quick.h5" ] || keep quick
run antisymmetric tanh-L-2-antisymmetric-t-1 --preset standard --activation tanh,erf,softplus --depth 2 --init antisymmetric --seeds 64 --widths $widths
run gaussian tanh-L-2-Gaussian-t-1 --preset standard --activation tanh,erf,softplus --depth 2 --init gaussian --seeds 64 --widths $widths,8192,16384
if [ -n "${NTH_DATA_DIR-}" ]; then
    run cifar10-3072 tanh-L-2-antisymmetric-t-1 --preset standard --activation tanh --depth 2 --seeds 64 --data "$cifar"
    run cifar10-64-unscaled tanh-L-2-antisymmetric-t-1 --preset standard --activation tanh --depth 2 --seeds 64 --data "$cifar" --project 64
    run cifar10-64 tanh-L-2-antisymmetric-t-1 --preset standard --activation tanh --depth 2 --init antisymmetric --seeds 64 --widths $widths --data "$cifar" --project 64 --unit-norm yes --input-scale one
else
    echo "cifar10 runs skipped: NTH_DATA_DIR is not set" >&2
fi
run standard tanh-L-3-antisymmetric-t-1 --preset standard
run three-layers-gaussian tanh-L-3-Gaussian-t-1 --preset standard --activation tanh,erf --depth 3 --init gaussian
