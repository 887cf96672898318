#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-3.0-or-later
#
# The example of the README: one network, the prediction Khat_t from its start, and the kernel and outputs after training.
# Writes table.md beside this script. usage: results/first-prediction/run.sh [OUT]. NTH names the tool (build/cli/nth).
# duration: 5 seconds
. "$(dirname "${BASH_SOURCE[0]}")/../lib.sh" "$@"
cd "$out" # names of files in what is printed are short
run() {
    echo "    \$ nth $*"
    "$nth" "$@" | sed 's/^/    /'
}
{
    run net --widths 6,1024,1 --seed 1 --out net.h5
    run hierarchy --net net.h5 --khat --times 0.25,1,4 --out khat.h5
    run train --net net.h5 --times 0.25,1,4 --out trained.h5 --quiet
} >"$here/table.md"
