#!/usr/bin/awk -f
# SPDX-License-Identifier: GPL-3.0-or-later
#
# table1-TRAIN.csv as Markdown. The paper's means over the five pairs: CNTK 85.91, KR-V1 86.41, KR-V2 86.40, FJLT-V1 86.70,
# FJLT-V2 86.64, CNN 89.83.
BEGIN {
    FS = ","
    split("cntk kr-v1 kr-v2 ls-v1 ls-v2 permuted constant squares", kernel, " ")
    paper["cntk"] = "85.91"; paper["kr-v1"] = "86.41"; paper["kr-v2"] = "86.40"
    paper["ls-v1"] = "86.70 (sketched)"; paper["ls-v2"] = "86.64 (sketched)"
    text["cntk"] = "CNTK alone"; text["kr-v1"] = "KR-V1"; text["kr-v2"] = "KR-V2"; text["ls-v1"] = "exact least squares V1"
    text["ls-v2"] = "exact least squares V2"; text["permuted"] = "control: least squares V2 of permuted labels"
    text["constant"] = "control: constant kernel"; text["squares"] = "control: K o K"
    split("bird-cat-deer-dog-frog", unused, "-")
    name[2] = "bird"; name[3] = "cat"; name[4] = "deer"; name[5] = "dog"; name[6] = "frog"
}
NR > 1 {
    a[$1, $2] = $3; se[$1, $2] = $4; ratio[$1, $2] = $5; p[$1, $2] = $8
    if (!($1 in seen)) { seen[$1] = 1; pair[++pairs] = $1 }
}
END {
    printf "| kernel |"
    for (i = 1; i <= pairs; ++i) { split(pair[i], c, "-"); printf " %s/%s |", name[c[1]], name[c[2]] }
    printf " mean of those complete | the paper |\n|---|"
    for (i = 1; i <= pairs + 2; ++i) printf "---|"
    printf "\n"
    for (i = 1; i <= pairs; ++i) { complete[i] = 1; for (k = 1; k <= 8; ++k) if (!((pair[i], kernel[k]) in a)) complete[i] = 0; whole += complete[i] }
    for (k = 1; k <= 8; ++k) {
        sum = 0
        printf "| %s |", text[kernel[k]]
        for (i = 1; i <= pairs; ++i) {
            key = pair[i] SUBSEP kernel[k]
            if (!(key in a)) { printf " not run |"; continue }
            if (complete[i]) sum += a[key]
            if (kernel[k] == "cntk") printf " %.2f +- %.2f |", 100 * a[key], 100 * se[key]
            else printf " %.2f (p %.2g, r %g) |", 100 * a[key], p[key], ratio[key]
        }
        if (whole > 0) printf " %.2f |", 100 * sum / whole
        else printf " |"
        printf " %s |\n", paper[kernel[k]]
    }
    printf "\n%d training images; test accuracy in percent on 2,000 images, ridgeless; p: exact McNemar test against the CNTK alone on the same images; r: ratio chosen (E74).\n", train
    printf "%d of 5 pairs complete.\n", whole
}
