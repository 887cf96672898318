#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-3.0-or-later
#
# usage: reproduce.sh NTH     (from the repository root)
# The smallest reference result is what the tool makes now, file by file and dataset by dataset; and scripts/reproduce notices
# when it is not.
set -euo pipefail
NTH=$(realpath "$1")
export NTH
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
fail() { echo "$*"; exit 1; }
[ -d results ] || { echo "skipped: no results/ here"; exit 77; }

scripts/reproduce >"$scratch/log"
grep -qE '^first-prediction +[0-9]+ seconds$' "$scratch/log" || fail "the experiments are not listed"
for script in results/*/*.sh; do
    name=${script#results/}
    name=${name%.sh}
    listed=no
    if grep -qE "^${name%/run} " "$scratch/log"; then listed=yes; fi
    if [ -x "$script" ] && [ $listed = no ]; then fail "$script is not listed"; fi
    if [ ! -x "$script" ] && [ $listed = yes ]; then fail "$script is no experiment, but listed"; fi
done
scripts/reproduce --tolerance 1e-4 first-prediction || fail "results/first-prediction is not what its run.sh makes"
for file in net khat trained; do
    "$NTH" rerun results/first-prediction/$file.h5 --tolerance 1e-6 --out "$scratch/$file.h5" --quiet >"$scratch/log" ||
        { cat "$scratch/log"; fail "results/first-prediction/$file.h5 is not what the tool makes"; }
done

# Other scripts of a folder, with arguments; what needs data is skipped without it.
mkdir -p "$scratch/two/results/a"
cp -r scripts "$scratch/two/"
cp results/lib.sh "$scratch/two/results/"
printf '#!/usr/bin/env bash\n# usage: second.sh [OUT] [WORD]\n# duration: no time\n. "$(dirname "${BASH_SOURCE[0]}")/../lib.sh" "$@"\necho "${2-none}" >"$here/word.csv"\n' \
    >"$scratch/two/results/a/second.sh"
printf '#!/usr/bin/env bash\n# needs NTH_DATA_DIR\n' >"$scratch/two/results/a/data.sh"
chmod +x "$scratch"/two/results/a/*.sh
echo none >"$scratch/two/results/a/word.csv"
"$scratch/two/scripts/reproduce" >"$scratch/log"
grep -qE '^a/second +no time$' "$scratch/log" || fail "a/second is not listed"
"$scratch/two/scripts/reproduce" a/second >"$scratch/log" || fail "a/second is not the same"
if "$scratch/two/scripts/reproduce" a/second -- other >"$scratch/log"; then fail "the argument is not given"; fi
grep -q '^  line 1: none, now other$' "$scratch/log" || fail "its effect is not shown"
status=0
env -u NTH_DATA_DIR "$scratch/two/scripts/reproduce" a/data >"$scratch/log" 2>&1 || status=$?
[ $status = 77 ] || fail "status $status without data, not 77"
status=0
"$scratch/two/scripts/reproduce" a 2>"$scratch/log" || status=$?
[ $status = 2 ] && grep -q '^error: no experiment a; ' "$scratch/log" || fail "a folder without run.sh is not refused"

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
same 1e-6 '<path class="s0" d="M66.0 101.3L70.5 99.0"/>' '<path class="s0" d="M66.1 101.3L70.4 99.0"/>'
differ 1e-6 '<path class="s0" d="M66.0 101.3L70.5 99.0"/>' '<path class="s0" d="M66.0 101.3L70.5 98.0"/>'
differ 1e-6 '<path class="s0" d="M66.0 101.3"/>' '<path class="s1" d="M66.0 101.3"/>'
