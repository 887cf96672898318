#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-3.0-or-later
#
# The cost of the label-aware part by every route, in one run on this machine: writes cost-dense.md beside this
# script from the CSV of bench_label, which checks the results first.
# usage: results/label-aware/cost.sh [OUT]. BENCH names the program (build/bench/bench_label); a file OUT/label.csv is not made again.
# duration: 10 minutes on one thread
. "$(dirname "${BASH_SOURCE[0]}")/../lib.sh" "$@"
bench=${BENCH:-$here/../../build/bench/bench_label}
csv=$out/label.csv
if [ ! -e "$csv" ]; then
    env -u OPENBLAS_CORETYPE OMP_NUM_THREADS=1 "$bench" --threads 1 --seconds 1 --csv "$csv.new"
    mv "$csv.new" "$csv"
fi
# Fields are quoted where they hold commas: item, size, threads, seconds (least), .., value.
awk '
function fields(line,    n, out, i, ch, inside) {
    n = 1; delete f
    for (i = 1; i <= length(line); ++i) {
        ch = substr(line, i, 1)
        if (ch == "\"") inside = !inside
        else if (ch == "," && !inside) ++n
        else f[n] = f[n] ch
    }
}
function number(x) { x += 0; return x >= 100 ? sprintf("%.0f", x) : sprintf("%.3g", x) }
/^# nth/ && !version { version = $0; sub(/^# /, "", version) }
/^# / && !/^# nth/ && !machine { machine = $0; sub(/^# /, "", machine); sub(/; date.*/, "", machine) }
/^time,/ {
    fields($0); seconds = f[5]; name = f[2]; note = ""
    if (name == "entry by entry, 1/16") { name = "entry by entry"; seconds *= 16; note = " *" }
    t[f[3], name] = number(seconds) note
    if (!(f[3] in seen)) { seen[f[3]] = 1; sizes[++count] = f[3] }
}
/^ratio,/ { fields($0); v[f[3], f[2]] = number(f[15]) }
END {
    print "| n | entry by entry (s) | tensor, then loops (s) | exact contraction (s) | sampled to 1 % (s) | entry by entry / sampled | tensor / sampled |"
    print "|---|---|---|---|---|---|---|"
    for (i = 1; i <= count; ++i) {
        s = sizes[i]
        if (!((s, "tensor, then loops") in t)) continue
        n = s; sub(/n=/, "", n)
        printf "| %s | %s | %s | %s | %s | %s | %s |\n", n, t[s, "entry by entry"], t[s, "tensor, then loops"], t[s, "exact contraction"], \
            t[s, "sampled to 1 %"], v[s, "entry by entry / sampled to 1 %"], v[s, "tensor, then loops / sampled to 1 %"]
    }
    print "\n\\* from 100 of the 1600 rows of the tensor, times 16. Times are the least of the turns, ratios medians over turns.\n"
    print "| n | 10,240 draws (s) | draws for 1 % | time for 1 % (s) |"
    print "|---|---|---|---|"
    for (i = 1; i <= count; ++i) {
        s = sizes[i]
        if (!((s, "10240 draws") in t)) continue
        n = s; sub(/n=/, "", n)
        printf "| %s | %s | %s | %s |\n", n, t[s, "10240 draws"], v[s, "draws for 1 %"], v[s, "seconds for 1 %"]
    }
    for (k in v) if (k ~ /exponent/) { split(k, part, SUBSEP); printf "\nExponent of the time in n, %s: %s.", part[1], v[k] }
    print " The last column is the time of 10,240 draws times the draws that 1 % needs, over 10,240.\n"
    print "| depth 3, relu | n^2 slices of the tensor (s) | curve (s) | ratio |"
    print "|---|---|---|---|"
    for (i = 1; i <= count; ++i) {
        s = sizes[i]
        if ((s, "depth 3, tensor") in t) printf "| %s | %s | %s | %s |\n", s, t[s, "depth 3, tensor"], t[s, "depth 3, curve"], v[s, "depth 3, tensor / curve"]
    }
    printf "\nrelu (a.e.), inputs on the unit sphere in 64 dimensions, one thread; %s; %s.\n", version, machine
}' "$csv" >"$here/cost-dense.md"
