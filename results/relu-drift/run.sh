#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-3.0-or-later
#
# relu: mean drift of the kernel over 40,000 networks at each width beside both forms of its prediction, then the exponents
# of mean and scatter beside those of tanh. Writes table.md beside this script; the HDF5 files go to OUT.
# usage: results/relu-drift/run.sh [OUT]. NTH names the tool (build/cli/nth).
# duration: 6 minutes of processor time
. "$(dirname "${BASH_SOURCE[0]}")/../lib.sh" "$@"
"$nth" verify mean-drift --preset full --activation relu --widths 64,128,256 --out "$out/relu-drift.h5" >"$here/table.md"
echo >>"$here/table.md"
"$nth" verify mean-drift --exponents --preset standard --out "$out/relu-exponents.h5" >>"$here/table.md"
