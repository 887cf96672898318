#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-3.0-or-later
#
# Does K^(NTH) help regression? K + c Z with Z the label-aware part, c chosen on held-out training samples, on five
# pairs of CIFAR-10 classes and ten draws of 1,000 training images each, beside the controls: a constant kernel,
# squares of the kernel, the label-aware part of permuted labels. Appends to metrics.csv (a row that is there is not
# made again) and writes table.md.
# usage: results/label-aware-regression/run.sh [OUT]. NTH names the tool (build/cli/nth); needs NTH_DATA_DIR.
# duration: an hour on two shared cores
. "$(dirname "${BASH_SOURCE[0]}")/../lib.sh" "$@"
needs_data
csv=$here/metrics.csv
[ -e "$csv" ] || echo 'classes,seed,ridge,kernel,accuracy,ratio,held_out_mse' >"$csv"

kernel() { # FILE OPTIONS..
    local file=$1
    shift
    [ -e "$file" ] || "$nth" kernel --kind nth --activation relu --rse 0.02 --validation 0.2 --test-test no --seed "$seed" --data "$data" --out "$file" --quiet "$@" >/dev/null
}
fit() { # NAME OPTIONS..
    local name=$1
    shift
    "$nth" regress --gram "$out/label.h5:/K_agnostic" --data "$data" --ridge "$ridge" --seed "$seed" --quiet --json "$@" >"$out/fit.json"
    echo "$classes,$seed,$ridge,$name,$(number "$out/fit.json" accuracy),$(number "$out/fit.json" ratio),$(awk '/"choice"/ { on = 1 } on && /"mse"/ { gsub(/[ ,]/, ""); sub(/.*:/, ""); if (least == "" || $0 + 0 < least + 0) least = $0 } END { print least }' "$out/fit.json")" >>"$out/rows"
}

for pair in 4,5 3,4 3,6 4,6 2,6; do
    classes=${pair/,/-}
    for seed in $(seq 10); do
        [ "$(grep -c "^$classes,$seed," "$csv" || true)" = 10 ] && continue
        data="cifar10:?classes=$pair&train=1000&test=2000&seed=$seed"
        rm -f "$out/label.h5" "$out/permuted.h5" "$out/rows"
        kernel "$out/label.h5"
        kernel "$out/permuted.h5" --permute-labels "$seed"
        for ridge in 0 0.03; do
            fit NTK
            fit constant --add constant --weight folds
            fit squares --add squares --weight folds
            fit permuted --add "$out/permuted.h5:/K_label" --weight folds
            fit label-aware --add "$out/label.h5:/K_label" --weight folds
        done
        sed -i "/^$classes,$seed,/d" "$csv" # what an interrupted run left of this draw
        cat "$out/rows" >>"$csv"
        echo "$classes, draw $seed: $(grep "^$classes,$seed,0," "$csv" | cut -d, -f4,5 | tr '\n' ' ')" >&2
    done
done

{
    for ridge in 0 0.03; do
        echo "Ridge $ridge: mean test accuracy in percent over ten draws; difference from the NTK alone, its standard error over draws, and the exact"
        echo "two-sided p-value of the sign-flip test on the ten differences; median ratio chosen (the lower one of the two in the middle)."
        echo
        echo "| classes | kernel | accuracy | difference | p | ratio |"
        echo "|---|---|---|---|---|---|"
        awk -F, -v ridge="$ridge" '
            function p_value(d, n,   i, s, pattern, sum, total, extreme) { # all 2^n signs
                total = 0; for (i = 1; i <= n; ++i) total += d[i]
                for (pattern = 0; pattern < 2 ^ n; ++pattern) {
                    sum = 0; s = pattern
                    for (i = 1; i <= n; ++i) { sum += s % 2 ? d[i] : -d[i]; s = int(s / 2) }
                    if ((sum < 0 ? -sum : sum) >= (total < 0 ? -total : total) - 1e-12) ++extreme
                }
                return extreme / 2 ^ n
            }
            function line(c, k,   n, i, m, v, a, d, r, j, t) {
                for (i = 1; i <= 10; ++i) { d[i] = diff[c, k, i]; m += d[i] / 10; a += acc[c, k, i] / 10; r[i] = ratio[c, k, i] + 0 }
                for (i = 1; i <= 10; ++i) v += (d[i] - m) ^ 2
                for (i = 2; i <= 10; ++i) for (j = i; j > 1 && r[j - 1] > r[j]; --j) { t = r[j]; r[j] = r[j - 1]; r[j - 1] = t }
                if (k == "NTK") printf "| %s | %s | %.2f | | | |\n", c, k, 100 * a
                else printf "| %s | %s | %.2f | %+.2f +- %.2f | %.3f | %s |\n", c, k, 100 * a, 100 * m, 100 * sqrt(v / 90), p_value(d, 10), c == "all" ? "" : r[5]
            }
            NR == 1 || $3 != ridge { next }
            { acc[$1, $4, $2] = $5; ratio[$1, $4, $2] = $6; if (!($1 in seen)) { seen[$1] = 1; name[++count] = $1 } }
            END {
                split("NTK constant squares permuted label-aware", kernel, " ")
                for (c = 1; c <= count; ++c) for (k = 1; k <= 5; ++k) for (s = 1; s <= 10; ++s) {
                    diff[name[c], kernel[k], s] = acc[name[c], kernel[k], s] - acc[name[c], "NTK", s]
                    acc["all", kernel[k], s] += acc[name[c], kernel[k], s] / count
                    diff["all", kernel[k], s] += diff[name[c], kernel[k], s] / count
                }
                name[count + 1] = "all"
                for (c = 1; c <= count + 1; ++c) for (k = 1; k <= 5; ++k) line(name[c], kernel[k])
            }' "$csv"
        echo
    done
    echo "Two-layer relu networks, infinite width, t = infinity, K_label to a relative standard error of 0.02; 1,000 training and 2,000 test images,"
    echo "200 training images held out for the choice; made at revision $("$nth" info "$out/label.h5" | sed -n 's/^@git_revision = //p' | cut -c1-12)."
} >"$here/table.md"
