#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-3.0-or-later
#
# CIFAR-10, deer against dog, 1,000 training and 1,000 test images: is a kernel trained by KARE label-aware, that is, more
# locally elastic than the NTK? One gelu network of width 64; its kernel at initialization, after training on the mean square
# error, after training by KARE at several learning rates and numbers of steps (none is chosen: all are shown), the
# infinite-width NTK, and label-aware kernels made from it. Writes cifar.csv and cifar.md beside this script. A row that is there is not made again.
# duration: 3 minutes on two shared cores
# usage: results/kare/run-cifar.sh [OUT]. NTH names the tool (build/cli/nth); needs NTH_DATA_DIR.
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
nth=${NTH:-$here/../../build/cli/nth} csv=$here/cifar.csv out=${1:-$here/../../build/results}
[ -n "${NTH_DATA_DIR-}" ] || { echo "skipped: NTH_DATA_DIR is not set" >&2; exit 0; }
mkdir -p "$out"
data='cifar10:?classes=4,5&train=1000&test=1000&seed=1'
shape='--widths 3072,64,1 --activation gelu --parameterization standard --init framework --seed 1'
[ -e "$csv" ] || echo 'kernel,rr_train,rr_low,rr_high,rr_test,rr_test_low,rr_test_high,ridge,loo_mse,mse,accuracy,accuracy_se,only_it,only_ntk,p,kare,test_risk,network_accuracy' >"$csv"
ridges=1e-4,1e-3,1e-2,1e-1,1,10,100,1e3,1e4,1e5,1e6
top() { sed -n "s/^  \"$2\": \([^,]*\),*$/\1/p" "$1" | head -n 1; }
of() { awk -v part="\"$2\"" -v key="\"$3\":" '$1 == part ":" { on = 1 } on && $1 == key { gsub(",", "", $2); print $2; exit }' "$1"; }

row() { # KERNEL GRAM KARE TEST-RISK NETWORK-ACCURACY [FILE:/Z, added with the weight that held-out images choose]
    local fit=() elastic=()
    [ $# -lt 6 ] || fit=(--add "$6" --weight folds)
    "$nth" regress --gram "$2" --data "$data" --ridge "$ridges" --against "$out/kare-ntk.h5" "${fit[@]}" --quiet --json >"$out/fit.json"
    [ $# -lt 6 ] || elastic=(--add "$6" --weight "$(top "$out/fit.json" weight)")
    "$nth" elastic --gram "$2" --data "$data" --bootstrap 500 "${elastic[@]}" --quiet --json >"$out/rr.json" || echo '{}' >"$out/rr.json"
    echo "$1,$(of "$out/rr.json" train_train rr),$(of "$out/rr.json" train_train low),$(of "$out/rr.json" train_train high),$(of "$out/rr.json" test_train rr),$(of "$out/rr.json" test_train low),$(of "$out/rr.json" test_train high),$(top "$out/fit.json" ridge),$(top "$out/fit.json" loo_mse),$(top "$out/fit.json" mse),$(top "$out/fit.json" accuracy),$(top "$out/fit.json" standard_error),$(of "$out/fit.json" against b),$(of "$out/fit.json" against c),$(of "$out/fit.json" against p),$3,$4,$5" >>"$csv"
}
has() { grep -q "^$1," "$csv"; }

# shellcheck disable=SC2086
[ -e "$out/kare-net.h5" ] || "$nth" net $shape --out "$out/kare-net.h5" --quiet >/dev/null
# Of infinite width: the counterpart in NTK parameterization, sigma_w^2 = 1/3, sigma_b^2 = 1/(3 d).
[ -e "$out/kare-ntk.h5" ] || "$nth" kernel --kind ntk --activation gelu --depth 2 --sigma-w 0.5773502691896258 --sigma-b 0.010416666666666666 --data "$data" --out "$out/kare-ntk.h5" --quiet >/dev/null
has ntk || row ntk "$out/kare-ntk.h5" '' '' ''
for variant in kr-v1 ls-v2; do # label-aware kernels K^(HR)
    has "lantk $variant" && continue
    "$nth" lantk --variant $variant --base "$out/kare-ntk.h5" --data "$data" --validation 0.2 --seed 1 --out "$out/kare-Z.h5" --quiet >/dev/null
    row "lantk $variant" "$out/kare-ntk.h5" '' '' '' "$out/kare-Z.h5:/Z"
done
has initial || {
    "$nth" kernel --net "$out/kare-net.h5" --data "$data" --out "$out/kare-initial.h5" --quiet >/dev/null
    row initial "$out/kare-initial.h5" '' '' ''
}
has after-network || {
    "$nth" train --net "$out/kare-net.h5" --data "$data" --optimizer sgd --batch 1000 --epochs 1000 --learning-rate 0.02 --record 1000 --precision single --save-net yes --out "$out/kare-after.h5" --quiet --json >"$out/train.json"
    "$nth" kernel --net "$out/kare-after.h5" --data "$data" --out "$out/kare-after-kernel.h5" --quiet >/dev/null
    row after-network "$out/kare-after-kernel.h5" '' '' "$(awk '/"accuracy_test"/ { gsub(/[ ,]/, ""); sub(/.*:/, ""); last = $0 } END { print last }' "$out/train.json")"
}
for run in ${RUNS:-0.01:100 0.01:300 0.1:10 0.1:30 0.1:100 1:10 1:30 1:100 10:10 10:100 100:100}; do
    name="kare lr ${run%:*} steps ${run#*:}"
    has "$name" && continue
    # The kernel file lacks the test inputs' own diagonal, which elasticity needs: the network's kernel again.
    "$nth" kare --net "$out/kare-net.h5" --data "$data" --steps "${run#*:}" --learning-rate "${run%:*}" --every 1000 --alpha 1 --out "$out/kare-trained.h5" --quiet --json >"$out/kare.json" || { echo "$name,,,,,,,,,,,,,,,,failed," >>"$csv"; continue; }
    "$nth" kernel --net "$out/kare-trained.h5" --data "$data" --out "$out/kare-kernel.h5" --quiet >/dev/null
    row "$name" "$out/kare-kernel.h5" "$(top "$out/kare.json" kare)" "$(top "$out/kare.json" test_risk)" ''
done
awk -F, -v revision="$("$nth" info | awk '$1 == "git_revision" { r = $2 } $1 == "git_dirty" { d = $2 } END { print r ", dirty: " d }')" '
    NR == 1 {
        print "# CIFAR-10, deer against dog: is a kernel trained by KARE locally elastic?\n\nWritten by `results/kare/run-cifar.sh`; revision " revision ", seed 1 of data and network, 1,000 training and 1,000 test images."
        print "RR: within classes over within and across, pairs of different inputs, 95 % by bootstrap. Accuracy with the ridge of least leave-one-out error on the training set (lantk: ridge and weight of least error on held-out training images); b, c: images that this kernel alone, the infinite-width NTK alone gets right; McNemar. RR is undefined where a diagonal entry of the kernel is negative.\n"
        print "| kernel | RR train-train | RR test-train | ridge | leave-one-out mse | test mse | accuracy, % | b, c, p against NTK | KARE | test risk at z = 0.1 | network, % |\n|---|---|---|---:|---:|---:|---|---|---:|---:|---:|"
        next
    }
    $17 == "failed" { printf "| %s | diverged | | | | | | | | | |\n", $1; next }
    function rr(a, low, high) { return a == "" ? "undefined" : sprintf("%.4f (%.4f, %.4f)", a, low, high) }
    { printf "| %s | %s | %s | %g | %.3f | %.3f | %.1f +- %.1f | %s, %s, %s | %s | %s | %s |\n", $1, rr($2, $3, $4), rr($5, $6, $7), $8, $9, $10, 100 * $11, 100 * $12, $13, $14, ($15 == "" ? "" : sprintf("%.2g", $15)), ($16 == "" ? "" : sprintf("%.3f", $16)), ($17 == "" ? "" : sprintf("%.3f", $17)), ($18 == "" ? "" : sprintf("%.1f", 100 * $18)) }' "$csv" >"$here/cifar.md"
