#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-3.0-or-later
#
# usage: reproduce.sh NTH     (from the repository root)
# The smallest reference result is what the tool makes now; and scripts/reproduce notices when it is not.
set -euo pipefail
NTH=$(realpath "$1")
export NTH
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
fail() { echo "$*"; exit 1; }
[ -d results ] || { echo "skipped: no results/ here"; exit 77; }

scripts/reproduce >"$scratch/log"
grep -qE '^first-prediction +[0-9]+ seconds$' "$scratch/log" || fail "the experiments are not listed"
scripts/reproduce --tolerance 1e-4 first-prediction || fail "results/first-prediction is not what its run.sh makes"

# A copy of the tree's scripts with one number of the table changed.
mkdir -p "$scratch/results"
cp -r scripts "$scratch/"
cp -r results/first-prediction results/lib.sh "$scratch/results/"
sed -i 's/0\.269513\|0\.269514/0.279514/' "$scratch/results/first-prediction/table.md"
"$scratch/scripts/reproduce" --tolerance 1e-4 first-prediction >"$scratch/log" && fail "a changed number is not noticed"
grep -q '^  line 8: 0.279514, now 0.26951' "$scratch/log" || { cat "$scratch/log"; fail "the changed number is not named"; }

# What counts as the same: the tolerance, the last place, times, the machine.
compare() { printf '%s\n' "$2" >"$scratch/a"; printf '%s\n' "$3" >"$scratch/b"; awk -v tolerance="$1" -f scripts/compare-tables.awk "$scratch/a" "$scratch/b" >/dev/null; }
same() { compare "$@" || fail "not the same: $2 and $3"; }
differ() { ! compare "$@" || fail "not noticed: $2 and $3"; }
same 1e-6 '| 1.0000001 | holds |' '| 1.0000002 | holds |'
differ 1e-6 '| 1.00001 | holds |' '| 1.00004 | holds |'
same 1e-6 't=1: -1.99 [-2.04, -1.95]' 't=1: -1.98 [-2.03, -1.95]'
differ 1e-6 '12 networks' '13 networks'
differ 1e-6 '| 0.5 | holds |' '| 0.5 | fails |'
same 1e-6 'took 3.2 s, 0.3 GB at revision abc123' 'took 17 s, 0.4 GB at revision def456'
differ 1e-6 '"slope": -2.1874' '"slope": 2.1874'
differ 1e-6 '"slope": 1' '"slope": NaN'
same 1e-6 '"seconds": 3' '"seconds": 4'
