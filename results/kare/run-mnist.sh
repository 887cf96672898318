#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-3.0-or-later
#
# MNIST, 7 against 9, 1,000 training and 1,000 test images: training by KARE, the network and its kernel at depths 2 and 4
# (hidden layers 1 and 3) and widths 32, 64, 128. All learning rates of KARE are shown, none is chosen. Appends to mnist.csv
# beside this script what is not there yet, and writes mnist.md.
# usage: results/kare/run-mnist.sh ["DEPTH:WIDTH:RATE ..."]. NTH names the tool (build/cli/nth); needs NTH_DATA_DIR.
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
nth=${NTH:-$here/../../build/cli/nth} csv=$here/mnist.csv
[ -n "${NTH_DATA_DIR-}" ] || { echo "skipped: NTH_DATA_DIR is not set" >&2; exit 0; }
runs=${1:-2:32:0.1 4:32:0.1 2:32:0.01 4:32:0.01 2:64:0.1 4:64:0.1 2:128:0.1 4:128:0.1 2:64:0.01 4:64:0.01 2:128:0.01 4:128:0.01 2:32:1 4:32:1}
[ -f "$csv" ] || echo 'depth,width,rate,what,alpha_or_step,kare,loo,mse,accuracy' >"$csv"
part=$(mktemp)
trap 'rm -f "$part"' EXIT
for run in $runs; do
    IFS=: read -r depth width rate <<<"$run"
    if grep -q "^$depth,$width,$rate,mean," "$csv"; then continue; fi
    hidden=$width
    [ "$depth" = 2 ] || hidden=$width,$width,$width
    "$nth" kare --data 'mnist:?classes=7,9&train=1000&test=1000&seed=1' --widths "784,$hidden,1" --activation gelu --parameterization standard \
        --init framework --seed 1 --steps 100 --every 10 --learning-rate "$rate" --net-steps 1000 --net-learning-rate 0.01 \
        --threads 1 --json --quiet | awk -v prefix="$depth,$width,$rate" -f "$here/rows.awk" >"$part" || { echo "$depth,$width,$rate: failed" >&2; continue; }
    cat "$part" >>"$csv"
done
awk -F, -v revision="$("$nth" info | awk '$1 == "git_revision" { r = $2 } $1 == "git_dirty" { d = $2 } END { print r ", dirty: " d }')" '
    NR == 1 { next }
    { run = $1 ", " $2 ", " $3 }
    !(run in seen) { seen[run] = 1; runs[++n] = run }
    $4 == "curve" { last[run] = $5; kare[run] = $6; risk[run] = $8; next }
    { v[run, $4] = $8; a[run, $4] = $9 }
    function cell(r, w) { return v[r, w] == "" ? "" : sprintf("%.3f, %.1f", v[r, w], 100 * a[r, w]) }
    END {
        print "# MNIST, 7 against 9\n\nWritten by `results/kare/run-mnist.sh`; revision " revision ", seed 1 of data and network; 1,000 training and 1,000 test images."
        print "Test mean square error, accuracy in %. By leave-one-out: ridge chosen on the training set; least: of the curve, optimistic. Published minima: KARE .095-.115, after-NTK .098-.148, networks .102-.157.\n"
        print "| depth, width, rate | KARE by leave-one-out | KARE least | after-NTK by leave-one-out | least | network | initial NTK by leave-one-out | infinite width by leave-one-out | KARE at z = 0.1 | test risk | gap |\n|---|---|---|---|---|---|---|---|---:|---:|---:|"
        for (i = 1; i <= n; ++i) {
            r = runs[i]
            printf "| %s | %s | %s | %s | %s | %s | %s | %s | %.3f | %.3f | %.3f |\n", r, cell(r, "trained_loo"), cell(r, "trained_least"), cell(r, "after_network_loo"), cell(r, "after_network_least"), cell(r, "network"), cell(r, "initial_loo"), cell(r, "infinite_width_loo"), kare[r], risk[r], kare[r] - risk[r]
        }
    }' "$csv" >"$here/mnist.md"
