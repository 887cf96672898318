#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-3.0-or-later
#
# Local elasticity RR and test accuracy of kernels of two-layer relu networks on pairs of CIFAR-10 classes: of the network
# at initialization (uniform weights, as common frameworks draw them), of the trained network (10 epochs of Adam at
# 3e-4, batches of 128), of the infinite-width NTK, and of K^(HR) = NTK + lambda Z (exact least squares, V2) with lambda
# chosen on held-out images and by the published hand rule r = 0.1. Inputs are 3072 pixels in [-1,1] and a coordinate 1.
# Appends to FILE.csv (a pair that is there is not made again).
# duration: a minute a pair at m = 2,048 and n = 1,000; 20 at m = 40,960 and n = 10,000
# usage: pairs.sh FILE.csv WIDTH TRAIN TEST "A,B C,D .." [OUT]. NTH names the tool; needs NTH_DATA_DIR.
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
nth=${NTH:-$here/../../build/cli/nth}
csv=$1 width=$2 train=$3 test=$4 pairs=$5 out=${6:-$here/../../build/results}
[ -n "${NTH_DATA_DIR-}" ] || { echo "skipped: NTH_DATA_DIR is not set" >&2; exit 0; }
mkdir -p "$out"
[ -e "$csv" ] || echo 'classes,width,train,kernel,rr_self,rr_self_se,rr,rr_low,rr_high,rr_test_train,accuracy,accuracy_se,weight,network_accuracy,rr_test_train_se' >"$csv"
top() { sed -n "s/^  \"$2\": \([^,]*\),*$/\1/p" "$1" | head -n 1; }
of() { awk -v part="\"$2\"" -v key="\"$3\":" '$1 == part ":" { on = 1 } on && $1 == key { gsub(",", "", $2); print $2; exit }' "$1"; }

row() { # KERNEL GRAM [--add Z --weight W]
    local name=$1 gram=$2 network=$3
    shift 3
    "$nth" elastic --gram "$gram" --data "$data" --bias yes --self-pairs yes --bootstrap 200 --quiet --json "$@" >"$out/self.json"
    "$nth" elastic --gram "$gram" --data "$data" --bias yes --self-pairs no --bootstrap 1000 --quiet --json "$@" >"$out/rr.json"
    "$nth" regress --gram "$gram" --data "$data" --bias yes --quiet --json "$@" >"$out/fit.json" || echo '{}' >"$out/fit.json"
    local weight=
    [ $# -gt 0 ] && weight=$4
    echo "$classes,$width,$train,$name,$(of "$out/self.json" train_train rr),$(of "$out/self.json" train_train standard_error),$(of "$out/rr.json" train_train rr),$(of "$out/rr.json" train_train low),$(of "$out/rr.json" train_train high),$(of "$out/rr.json" test_train rr),$(top "$out/fit.json" accuracy),$(top "$out/fit.json" standard_error),$weight,$network,$(of "$out/rr.json" test_train standard_error)" >>"$out/rows"
}

for pair in $pairs; do
    classes=${pair/,/-}
    grep -q "^$classes,$width,$train," "$csv" && continue
    data="cifar10:?classes=$pair&train=$train&test=$test&seed=1"
    rm -f "$out"/pair-*.h5 "$out/rows"
    "$nth" net --widths "3073,$width,1" --activation relu --parameterization standard --output-scale width --seed 1 --out "$out/pair-net.h5" --quiet >/dev/null
    "$nth" kernel --kind empirical --net "$out/pair-net.h5" --data "$data" --bias yes --out "$out/pair-init.h5" --quiet >/dev/null
    "$nth" train --net "$out/pair-net.h5" --data "$data" --bias yes --optimizer adam --epochs 10 --batch 128 --learning-rate 3e-4 --precision single --seed 1 --save-net no --kernel yes --out "$out/pair-trained.h5" --quiet --json >"$out/train.json"
    "$nth" kernel --kind ntk --activation relu --depth 2 --data "$data" --bias yes --test-test no --out "$out/pair-ntk.h5" --quiet >/dev/null
    "$nth" lantk --variant ls-v2 --base "$out/pair-ntk.h5" --data "$data" --bias yes --validation 0.2 --seed 1 --out "$out/pair-Z.h5" --quiet --json >"$out/lantk.json"
    "$nth" regress --gram "$out/pair-ntk.h5" --add "$out/pair-Z.h5:/Z" --weight folds --data "$data" --bias yes --quiet --json >"$out/fit.json"
    chosen=$(top "$out/fit.json" weight)
    hand=$(awk -v k="$(top "$out/lantk.json" mean_abs_K)" -v z="$(top "$out/lantk.json" mean_abs_Z)" 'BEGIN { print 0.1 * k / z }')
    accuracy=$(awk '/"accuracy_test"/ { gsub(/[ ,]/, ""); sub(/.*:/, ""); last = $0 } END { print last }' "$out/train.json")
    row init "$out/pair-init.h5" ''
    row trained "$out/pair-trained.h5" "$accuracy"
    row ntk "$out/pair-ntk.h5" ''
    row lantk-chosen "$out/pair-ntk.h5" '' --add "$out/pair-Z.h5:/Z" --weight "$chosen"
    row lantk-hand "$out/pair-ntk.h5" '' --add "$out/pair-Z.h5:/Z" --weight "$hand"
    cat "$out/rows" >>"$csv"
    echo "$classes: $(cut -d, -f4,5,11 "$out/rows" | tr '\n' ' ')" >&2
done
