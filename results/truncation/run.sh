#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-3.0-or-later
#
# Exponents of the hierarchy truncated at levels 2 to 5: writes standard.md, standard.json, standard.config.json and the figure
# standard.svg beside this script; the HDF5 file goes to OUT, and an interrupted run continues.
# usage: results/truncation/run.sh [OUT]. NTH names the tool (build/cli/nth).
# duration: 3 minutes on two cores
. "$(dirname "${BASH_SOURCE[0]}")/../lib.sh" "$@"
cd "$out"
"$nth" verify truncation --preset standard --out standard.h5 --table standard.md --json >standard.json
mv standard.md standard.json "$here/"
configuration standard
figure standard tanh-L-2-antisymmetric-t-1
