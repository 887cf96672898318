#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-3.0-or-later
#
# relu: mean drift of the kernel over 40,000 networks at each width beside both forms of its prediction, then the exponents
# of mean and scatter beside those of tanh. Writes, for drift and exponents, NAME.md, NAME.json, NAME.config.json, NAME.svg and
# NAME.h5 beside this script. usage: results/relu-drift/run.sh [OUT]. NTH names the tool (build/cli/nth).
# duration: 6 minutes of processor time
. "$(dirname "${BASH_SOURCE[0]}")/../lib.sh" "$@"
cd "$out"
run() { # NAME PLOT OPTIONS..
    local name=$1 plot=$2
    shift 2
    "$nth" verify mean-drift "$@" --out "$name.h5" --table "$name.md" --json >"$name.json"
    mv "$name.md" "$name.json" "$here/"
    configuration "$name"
    figure "$name" "$plot"
    keep "$name"
}
run drift relu_gaussian_256 --preset full --activation relu --widths 64,128,256
run exponents relu_antisymmetric --exponents --preset standard
