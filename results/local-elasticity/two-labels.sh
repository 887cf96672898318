#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-3.0-or-later
#
# Two label systems on the same images (the paper's Figure 1b, c, whose COCO pictures cannot be had): local elasticity RR of the
# tangent kernel of a network along training, by the labels it is trained on and by the other ones, and the test accuracy of
# kernel regression with that kernel on both. Images: synthetic:two-objects, texture (animal) and shape (furniture).
# Writes two-labels.csv and two-labels.md.
# usage: results/local-elasticity/two-labels.sh [OUT]. NTH names the tool (build/cli/nth); one minute.
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
nth=${NTH:-$here/../../build/cli/nth}
out=${1:-$here/../../build/results}
mkdir -p "$out"
spec() { echo "synthetic:two-objects?n=600&test=600&seed=1&label=$1"; }
of() { awk -v part="\"$2\"" -v key="\"$3\":" '$1 == part ":" { on = 1 } on && $1 == key { gsub(",", "", $2); print $2; exit }' "$1"; }
top() { sed -n "s/^  \"$2\": \([^,]*\),*$/\1/p" "$1" | head -n 1; }

echo 'trained_on,epochs,network_accuracy,labels,rr,low,high,kernel_accuracy' >"$out/two-labels.csv"
"$nth" net --widths 256,1024,1 --activation relu --parameterization standard --output-scale width --seed 1 --out "$out/two-net.h5" --quiet >/dev/null
for trained in animal furniture; do
    for epochs in 0 5 10 20 40 80 160; do
        if [ $epochs = 0 ]; then
            "$nth" kernel --kind empirical --net "$out/two-net.h5" --data "$(spec $trained)" --out "$out/two-K.h5" --quiet >/dev/null
            accuracy=
        else
            "$nth" train --net "$out/two-net.h5" --data "$(spec $trained)" --optimizer adam --epochs $epochs --batch 64 --learning-rate 1e-3 --record $epochs --seed 1 --save-net no --kernel yes --out "$out/two-K.h5" --quiet --json >"$out/two.json"
            accuracy=$(awk '/"accuracy_test"/ { gsub(/[ ,]/, ""); sub(/.*:/, ""); last = $0 } END { print last }' "$out/two.json")
        fi
        for labels in animal furniture; do
            "$nth" elastic --gram "$out/two-K.h5" --data "$(spec $labels)" --quiet --json >"$out/rr.json"
            "$nth" regress --gram "$out/two-K.h5" --data "$(spec $labels)" --ridge 1e-3 --quiet --json >"$out/fit.json" || echo '{}' >"$out/fit.json"
            echo "$trained,$epochs,$accuracy,$labels,$(of "$out/rr.json" train_train rr),$(of "$out/rr.json" train_train low),$(of "$out/rr.json" train_train high),$(top "$out/fit.json" accuracy)" >>"$out/two-labels.csv"
        done
    done
done
cp "$out/two-labels.csv" "$here/two-labels.csv"
{
    echo "| trained on | epochs | network's test accuracy | RR by texture | RR by shape | kernel's accuracy, texture | kernel's accuracy, shape |"
    echo "|---|---|---|---|---|---|---|"
    awk -F, 'NR > 1 { rr[$4] = sprintf("%.3f [%.3f, %.3f]", $5, $6, $7); a[$4] = $8 == "" ? "" : sprintf("%.3f", $8)
        if ($4 == "furniture") printf "| %s | %d | %s | %s | %s | %s | %s |\n", $1 == "animal" ? "texture" : "shape", $2, $3 == "" ? "" : sprintf("%.3f", $3), rr["animal"], rr["furniture"], a["animal"], a["furniture"] }' "$here/two-labels.csv"
    echo
    echo "600 training and 600 test images; two-layer relu network, m = 1024, uniform initialization, Adam at 1e-3, batches of 64; RR on train-train pairs without self"
    echo "pairs with 95 % bootstrap intervals; ridge 1e-3; revision $("$nth" info "$out/two-K.h5" | sed -n 's/^@git_revision = //p' | cut -c1-12)."
} >"$here/two-labels.md"
