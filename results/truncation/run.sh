#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-3.0-or-later
#
# Exponents of the hierarchy truncated at levels 2 to 5: writes standard.md and standard.json beside this script;
# the HDF5 file goes to OUT, and an interrupted run continues. usage: results/truncation/run.sh [OUT]
# NTH names the tool (build/cli/nth).
. "$(dirname "${BASH_SOURCE[0]}")/../lib.sh" "$@"
"$nth" verify truncation --preset standard --out "$out/truncation.h5" --table "$here/standard.md" --json >"$here/standard.json"
