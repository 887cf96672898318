#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-3.0-or-later
#
# Mean drift of the kernel over 12,000 networks at each width: writes table.md beside this script; the HDF5 file
# goes to OUT. usage: results/mean-drift/run.sh [OUT]. NTH names the tool (build/cli/nth).
# duration: 6 minutes on two shared cores
. "$(dirname "${BASH_SOURCE[0]}")/../lib.sh" "$@"
"$nth" verify mean-drift --preset standard --activation tanh,erf --out "$out/mean-drift.h5" >"$here/table.md"
