#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-3.0-or-later
#
# Table 1 of Chen, He, Su 2020: five pairs of CIFAR-10 classes, 10,000 (TRAIN) training and 2,000 test images, the 8-layer
# CNTK alone, with label-aware kernels K^(HR) added, and with controls. The weight of what is added is chosen on a fifth of
# the training images, held out, whose labels it has not seen. Appends to table1-TRAIN.csv (a row that is there is not made
# again) and writes table1-TRAIN.md.
# usage: [TRAIN=10000] results/lantk-tables/table1.sh [OUT]. NTH names the tool (build/cli/nth); needs NTH_DATA_DIR.
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
nth=${NTH:-$here/../../build/cli/nth}
out=${1:-$here/../../build/results}
[ -n "${NTH_DATA_DIR-}" ] || { echo "skipped: NTH_DATA_DIR is not set" >&2; exit 0; }
mkdir -p "$out"
train=${TRAIN:-10000}
csv=$here/table1-$train.csv
[ -e "$csv" ] || echo 'classes,kernel,accuracy,standard_error,ratio,only_it,only_cntk,p,seconds' >"$csv"
there() { grep -q "^$classes,$1," "$csv"; }

fit() { # KERNEL OPTIONS.. ; --against comes last in the object
    local name=$1 start=$SECONDS
    shift
    "$nth" regress --gram "$base" --against "$base" --data "$data" --seed 1 --quiet --json "$@" >"$out/fit.json"
    echo "$classes,$name,$(sed -n 's/^  "accuracy": \(.*\),$/\1/p' "$out/fit.json"),$(sed -n 's/^  "standard_error": \([^,]*\),*$/\1/p' "$out/fit.json"),$(sed -n 's/^  "ratio": \([^,]*\),*$/\1/p' "$out/fit.json"),$(sed -n 's/^    "b": \([^,]*\),*$/\1/p' "$out/fit.json"),$(sed -n 's/^    "c": \([^,]*\),*$/\1/p' "$out/fit.json"),$(sed -n 's/^    "p": \([^,]*\),*$/\1/p' "$out/fit.json"),$((SECONDS - start))" >>"$csv"
    tail -n 1 "$csv" >&2
}

for pair in 4,5 3,4 3,6 4,6 2,6; do
    classes=${pair/,/-}
    data="cifar10:?classes=$pair&train=$train&test=2000&seed=1"
    base=$out/cntk-$classes-$train.h5
    [ -e "$base" ] || "$nth" kernel --kind cntk --preset lantk-cnn8 --data "$data" --test-test no --out "$base" --quiet >/dev/null
    there cntk || fit cntk
    there constant || fit constant --add constant --weight folds
    there squares || fit squares --add squares --weight folds
    for variant in kr-v1 kr-v2 ls-v1 ls-v2 permuted; do
        there $variant && continue
        options="--variant $variant"
        [ $variant = permuted ] && options='--variant ls-v2 --permute-labels 1'
        # shellcheck disable=SC2086
        "$nth" lantk $options --base "$base" --data "$data" --validation 0.2 --seed 1 --out "$out/Z.h5" --quiet >/dev/null
        fit $variant --add "$out/Z.h5:/Z" --weight folds
        rm -f "$out/Z.h5"
    done
done
"$here/table1.awk" -v train="$train" "$csv" >"$here/table1-$train.md"
