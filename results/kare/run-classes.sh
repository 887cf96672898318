#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-3.0-or-later
#
# MNIST, four digits, 400 training and 400 test images, a network with four outputs, depth 2, width 64: training by KARE of the
# kernel of the sum of the outputs and of the mean over the outputs of their kernels, beside the network and its kernel. Three
# seeds of data and network; all learning rates of KARE are shown, none is chosen. Appends to classes.csv beside this script what
# is not there yet, and writes classes.md.
# duration: 3 minutes on two shared cores
# usage: results/kare/run-classes.sh ["KERNEL:RATE ..."]. NTH names the tool (build/cli/nth); needs NTH_DATA_DIR.
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
nth=${NTH:-$here/../../build/cli/nth} csv=$here/classes.csv
[ -n "${NTH_DATA_DIR-}" ] || { echo "skipped: NTH_DATA_DIR is not set" >&2; exit 0; }
runs=${1:-sum:0.03 sum:0.1 sum:0.3 sum:1 sum:3 trace:0.03 trace:0.1 trace:0.3 trace:1 trace:3}
[ -f "$csv" ] || echo 'kernel,rate,seed,what,alpha_or_step,kare,loo,mse,accuracy' >"$csv"
part=$(mktemp)
trap 'rm -f "$part"' EXIT
for run in $runs; do
    IFS=: read -r kernel rate <<<"$run"
    for seed in 1 2 3; do
        if grep -q "^$kernel,$rate,$seed,mean," "$csv"; then continue; fi
        "$nth" kare --data "mnist:?classes=0,1,2,3&train=400&test=400&seed=$seed" --widths 784,64,4 --outputs "$kernel" --activation gelu \
            --parameterization standard --init framework --seed "$seed" --steps 100 --every 10 --learning-rate "$rate" --net-steps 1000 \
            --net-learning-rate 0.05 --threads 1 --json --quiet | awk -v prefix="$kernel,$rate,$seed" -f "$here/rows.awk" >"$part" ||
            { echo "$kernel,$rate,$seed: failed" >&2; continue; }
        cat "$part" >>"$csv"
    done
done
awk -F, -v revision="$("$nth" info | awk '$1 == "git_revision" { r = $2 } $1 == "git_dirty" { d = $2 } END { print r ", dirty: " d }')" '
    NR == 1 { next }
    { run = $1 ", " $2 }
    !(run in seen) { seen[run] = 1; runs[++n] = run }
    $4 == "curve" { if ($5 == 0) { ++seeds[run]; first[run] += $6 } at[run, $3] = $6; risk[run, $3] = $8; next }
    { v[run, $4] += $8; a[run, $4] += $9 }
    function cell(r, w) { return sprintf("%.4f, %.2f", v[r, w] / seeds[r], 100 * a[r, w] / seeds[r]) }
    function mean(x, r, i, s) { s = 0; for (i = 1; i <= 3; ++i) s += x[r, i]; return s / seeds[r] }
    END {
        print "# MNIST, digits 0 to 3\n\nWritten by `results/kare/run-classes.sh`; revision " revision "; 400 training and 400 test images, network 784-64-4, one-hot targets; means of the seeds 1, 2, 3 of data and network."
        print "Test mean square error over images and columns, accuracy in %. By leave-one-out: ridge chosen on the training set; least: of the curve, optimistic. 100 steps of KARE; the network: 1,000 steps.\n"
        print "| kernel, rate | KARE by leave-one-out | KARE least | after-NTK by leave-one-out | network | initial NTK by leave-one-out | infinite width by leave-one-out | KARE at z = 0.1 before | after | test risk | gap |\n|---|---|---|---|---|---|---|---:|---:|---:|---:|"
        for (i = 1; i <= n; ++i) {
            r = runs[i]
            printf "| %s | %s | %s | %s | %s | %s | %s | %.4f | %.4f | %.4f | %.4f |\n", r, cell(r, "trained_loo"), cell(r, "trained_least"), cell(r, "after_network_loo"), cell(r, "network"), cell(r, "initial_loo"), cell(r, "infinite_width_loo"), first[r] / seeds[r], mean(at, r), mean(risk, r), mean(at, r) - mean(risk, r)
        }
    }' "$csv" >"$here/classes.md"
