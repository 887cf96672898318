#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-3.0-or-later
#
# Two label systems on the same images (the paper's Figure 1b, c, whose COCO pictures cannot be had): local elasticity RR of the
# tangent kernel of a network along training, by the labels it is trained on and by the other ones, and the test accuracy of
# kernel regression with that kernel on both. Images: synthetic:two-objects, texture (animal) and shape (furniture).
# Writes two-labels.csv and two-labels.md.
# duration: 40 seconds
# usage: results/local-elasticity/two-labels.sh [OUT]. NTH names the tool (build/cli/nth).
. "$(dirname "${BASH_SOURCE[0]}")/../lib.sh" "$@"
epochs=0,5,10,20,40,80,160
spec() { echo "synthetic:two-objects?n=600&test=600&seed=1&label=$1"; }
# A line for each record: epoch, test accuracy, then RR and its interval by the labels trained on and by the other ones.
records() {
    awk '{ gsub(/[",:]/, "") }
        $1 == "epoch" { epoch = $2 }
        $1 == "accuracy_test" { accuracy = $2 }
        $2 == "{" { if ($1 ~ /^rr/) by = $1; else pairs = $1; next }
        pairs == "train_train" { v[by, $1] = $2 }
        by == "rr_other" && pairs == "train_train" && $1 == "high" {
            print epoch, accuracy, v["rr", "rr"] "," v["rr", "low"] "," v["rr", "high"], v[by, "rr"] "," v[by, "low"] "," v[by, "high"]
        }' "$1"
}

echo 'trained_on,epochs,network_accuracy,labels,rr,low,high,kernel_accuracy' >"$out/two-labels.csv"
"$nth" net --widths 256,1024,1 --activation relu --parameterization standard --output-scale width --seed 1 --out "$out/two-net.h5" --quiet >/dev/null
for trained in animal furniture; do
    other=$([ $trained = animal ] && echo furniture || echo animal)
    "$nth" train --net "$out/two-net.h5" --data "$(spec $trained)" --optimizer adam --epochs 160 --batch 64 --learning-rate 1e-3 --record $epochs --seed 1 --elasticity yes --elasticity-data "$(spec "$other")" --kernel each --save-net no --out "$out/two-K.h5" --quiet --json >"$out/two.json"
    while read -r epoch accuracy own others; do
        [ "$epoch" != 0 ] || accuracy=
        for labels in animal furniture; do
            "$nth" regress --gram "$out/two-K.h5:/epoch_$epoch/K" --data "$(spec $labels)" --ridge 1e-3 --quiet --json >"$out/fit.json" || echo '{}' >"$out/fit.json"
            rr=$([ $labels = $trained ] && echo "$own" || echo "$others")
            echo "$trained,$epoch,$accuracy,$labels,$rr,$(number "$out/fit.json" accuracy)" >>"$out/two-labels.csv"
        done
    done < <(records "$out/two.json")
done
cp "$out/two-labels.csv" "$here/two-labels.csv"
{
    echo "| trained on | epochs | network's test accuracy | RR by texture | RR by shape | kernel's accuracy, texture | kernel's accuracy, shape |"
    echo "|---|---|---|---|---|---|---|"
    awk -F, 'NR > 1 { rr[$4] = sprintf("%.3f [%.3f, %.3f]", $5, $6, $7); a[$4] = $8 == "" ? "" : sprintf("%.3f", $8)
        if ($4 == "furniture") printf "| %s | %d | %s | %s | %s | %s | %s |\n", $1 == "animal" ? "texture" : "shape", $2, $3 == "" ? "" : sprintf("%.3f", $3), rr["animal"], rr["furniture"], a["animal"], a["furniture"] }' "$here/two-labels.csv"
    echo
    echo "600 training and 600 test images; two-layer relu network, m = 1024, uniform initialization, Adam at 1e-3, batches of 64; RR on train-train pairs without self"
    echo "pairs with 95 % bootstrap intervals; ridge 1e-3; revision $(attribute "$out/two-K.h5" git_revision | cut -c1-12)."
} >"$here/two-labels.md"
