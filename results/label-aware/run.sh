#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-3.0-or-later
#
# The label-aware kernel K^(NTH) on CIFAR-10: class means on 60 draws of five planes and five ships, and what it
# costs on deer against dog. Writes classes.md and cost.md beside this script, the means of each draw (classes.csv), numbers,
# configuration and figure of the first draw (first-draw.*); kernels go to OUT.
# usage: results/label-aware/run.sh [OUT]. NTH names the tool (build/cli/nth); needs NTH_DATA_DIR.
# duration: 1 minute on two cores
. "$(dirname "${BASH_SOURCE[0]}")/../lib.sh" "$@"
needs_data
cd "$out" # names of files in what is recorded are short
command="nth kernel --kind nth --activation relu --mode exact --input-scale one --test-test no"

spread() { sort -g | awk '{ a[NR] = $1 } END { printf "%.2f / %.2f / %.2f", a[1], (a[int((NR + 1) / 2)] + a[int(NR / 2) + 1]) / 2, a[NR] }'; }

: >"$out/means"
for seed in $(seq 60 -1 1); do # the file of the first draw is left
    "$nth" ${command#nth } --data "cifar10:?classes=0,8&train=10&test=0&seed=$seed" --out first-draw.h5 --quiet --json >ten.json
    [ "$seed" != 1 ] || cp ten.json "$here/first-draw.json"
    echo "$(number ten.json label_mean_equal) $(number ten.json label_mean_equal_with_self) $(number ten.json label_mean_unequal)" >>"$out/means"
done
{
    echo "seed,equal,equal_with_self,unequal"
    awk -v OFS=, '{ print 61 - NR, $1, $2, $3 }' "$out/means" | sort -n
} >"$here/classes.csv"
configuration first-draw
figure first-draw K_label
{
    echo "| m times the label-aware part, mean over | min / median / max of 60 draws | the paper |"
    echo "|---|---|---|"
    echo "| pairs of one class, with self pairs | $(cut -d' ' -f2 "$out/means" | spread) | 98 |"
    echo "| pairs of one class, without self pairs | $(cut -d' ' -f1 "$out/means" | spread) | |"
    echo "| pairs of different classes | $(cut -d' ' -f3 "$out/means" | spread) | 48 |"
    echo
    echo "Within classes above between classes in $(awk '$1 > $3' "$out/means" | wc -l) of $(wc -l <"$out/means") draws (without self pairs). \`$command --data 'cifar10:?classes=0,8&train=10&test=0&seed=1..60'\`."
} >"$here/classes.md"

row() { # N TEST MODE OPTIONS..
    local n=$1 k=$2 mode=$3 f="$out/nth-$1-$3.h5"
    shift 3
    "$nth" kernel --kind nth --activation relu --mode "$mode" --data "cifar10:?classes=4,5&train=$n&test=$k" --out "$f" --quiet "$@" >/dev/null
    awk -v n="$n" -v k="$k" -v mode="$mode" -v d="$(attribute "$f" draws)" -v r="$(attribute "$f" relative_standard_error)" \
        -v t="$(attribute "$f" duration)" -v m="$(attribute "$f" peak_memory)" 'BEGIN {
            printf "| %d | %d | %s | %s | %s | %.2f s | %.2f GB |\n", n, k, mode, d == "" ? "" : d, r == "" ? "exact" : sprintf("%.4f", r), t, m / 1e9 }'
}
{
    echo "| n | test | mode | draws | relative standard error | time | peak memory |"
    echo "|---|---|---|---|---|---|---|"
    for n in 20 40 80; do row "$n" 0 exact; done
    row 40 0 sampled
    for n in 125 250 500; do row "$n" 0 sampled; done
    row 1000 400 sampled
    row 2000 0 sampled
    echo
    echo "\`nth kernel --kind nth --activation relu --mode MODE --data 'cifar10:?classes=4,5&train=N&test=K'\`, t = infinity, --rse 0.01; nth $("$nth" info | awk '/^version/ { print $2 }') at revision $(attribute "$out/nth-1000-sampled.h5" git_revision | cut -c1-12), $(attribute "$out/nth-1000-sampled.h5" threads) threads, $(attribute "$out/nth-1000-sampled.h5" cpu)."
} >"$here/cost.md"
