#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-3.0-or-later
#
# Mean drift of the kernel over 12,000 networks at each width: writes table.md, metrics.json, mean-drift.config.json, a figure
# and the HDF5 file beside this script. usage: results/mean-drift/run.sh [OUT]. NTH names the tool (build/cli/nth).
# duration: 36 seconds on two cores
. "$(dirname "${BASH_SOURCE[0]}")/../lib.sh" "$@"
cd "$out"
"$nth" verify mean-drift --preset standard --activation tanh,erf --out mean-drift.h5 --table mean-drift.md --json >mean-drift.json
mv mean-drift.md "$here/table.md"
mv mean-drift.json "$here/metrics.json"
configuration mean-drift
figure mean-drift tanh_gaussian_512
keep mean-drift
