#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-3.0-or-later
#
# The example of the README: one network, the prediction Khat_t from its start, and the kernel and outputs after training.
# Writes table.md beside this script, what it prints as numbers (khat.json, trained.json), the result files with their
# configurations, and two figures. usage: results/first-prediction/run.sh [OUT]. NTH names the tool (build/cli/nth).
# duration: 5 seconds
. "$(dirname "${BASH_SOURCE[0]}")/../lib.sh" "$@"
cd "$out" # names of files in what is printed are short
run() {
    echo "    \$ nth $*"
    "$nth" "$@" | sed 's/^/    /'
}
"$nth" net --widths 6,1024,1 --seed 1 --out net.h5 --quiet >/dev/null
"$nth" hierarchy --net net.h5 --khat --times 0.25,1,4 --out khat.h5 --quiet --json >"$here/khat.json"
"$nth" train --net net.h5 --times 0.25,1,4 --out trained.h5 --quiet --json >"$here/trained.json"
{
    run net --widths 6,1024,1 --seed 1 --out net.h5
    run hierarchy --net net.h5 --khat --times 0.25,1,4 --out khat.h5
    run train --net net.h5 --times 0.25,1,4 --out trained.h5 --quiet
} >"$here/table.md"
for name in net khat trained; do
    configuration $name
    keep $name
done
figure khat term-norms
figure trained loss
