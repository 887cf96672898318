#!/usr/bin/awk -f
# SPDX-License-Identifier: GPL-3.0-or-later
#
# table1-TRAIN.csv (-v table=1 -v train=TRAIN) or table2.csv (-v table=2) as Markdown, the paper's figures beside ours: means
# over the five pairs in Table 1, at each size in Table 2.

# Two-sided exact p of b against c in b + c tosses of a coin (McNemar).
function mcnemar(b, c,    i, log_term, sum, n) {
    n = b + c
    log_term = -n * log(2)
    for (i = 0; i <= (b < c ? b : c); ++i) {
        sum += exp(log_term)
        log_term += log((n - i) / (i + 1))
    }
    return 2 * sum < 1 ? 2 * sum : 1
}
function paper_of(kernel, i) { return (kernel, table == 1 ? 1 : pair[i]) in paper ? paper[kernel, table == 1 ? 1 : pair[i]] : "" }
BEGIN {
    FS = ","
    kernels = split("cntk kr-v1 kr-v2 fjlt-v1 fjlt-v2 ls-v1 ls-v2 permuted constant squares cnn", kernel, " ")
    text["cntk"] = "CNTK alone"; text["kr-v1"] = "KR-V1"; text["kr-v2"] = "KR-V2"; text["ls-v1"] = "exact least squares V1"
    text["fjlt-v1"] = "FJLT-V1"; text["fjlt-v2"] = "FJLT-V2"; text["cnn"] = "CNN"
    text["ls-v2"] = "exact least squares V2"; text["permuted"] = "control: least squares V2 of permuted labels"
    text["constant"] = "control: constant kernel"; text["squares"] = "control: K o K"
    published["cntk"] = "85.91 44.01 50.44 55.18 60.12"; published["kr-v1"] = "86.41 44.49 51.39 55.74 60.87"
    published["kr-v2"] = "86.40 44.64 51.38 55.89 60.87"; published["fjlt-v1"] = "86.70 46.31 52.66 56.96 61.58"
    published["fjlt-v2"] = "86.64 45.72 52.50 56.26 failed"; published["cnn"] = "89.83 45.30 52.70 60.23 68.15"
    split("1 2000 5000 10000 20000", place, " ")
    for (k in published) {
        split(published[k], value, " ")
        for (i in place) paper[k, place[i]] = value[i]
    }
    name[2] = "bird"; name[3] = "cat"; name[4] = "deer"; name[5] = "dog"; name[6] = "frog"
}
NR > 1 {
    a[$1, $2] = $3; se[$1, $2] = $4; ratio[$1, $2] = $5; p[$1, $2] = $8; only[$1, $2] = $6; base[$1, $2] = $7
    if (!($1 in seen)) { seen[$1] = 1; pair[++pairs] = $1 }
}
END {
    printf "| kernel |"
    for (i = 1; i <= pairs; ++i) {
        split(pair[i], c, "-")
        if (table == 1) printf " %s/%s |", name[c[1]], name[c[2]]
        else printf " n = %d | the paper |", pair[i]
    }
    print table == 1 ? " mean of those complete | the paper |" : ""
    printf "|---|"
    for (i = 1; i <= (table == 1 ? pairs + 2 : 2 * pairs); ++i) printf "---|"
    printf "\n"
    for (i = 1; i <= pairs; ++i) {
        complete[i] = 1
        for (k = 1; k < kernels; ++k) if (!((pair[i], kernel[k]) in a)) complete[i] = 0
        whole += complete[i]
    }
    for (k = 1; k <= kernels; ++k) {
        sum = have = b = c_only = 0
        printf "| %s |", text[kernel[k]]
        for (i = 1; i <= pairs; ++i) {
            key = pair[i] SUBSEP kernel[k]
            if (!(key in a)) printf " not run |"
            else if (p[key] == "" || kernel[k] == "cntk") printf " %.2f +- %.2f |", 100 * a[key], 100 * se[key]
            else printf " %.2f (p %.2g%s) |", 100 * a[key], p[key], ratio[key] == "" ? "" : ", r " ratio[key]
            if (complete[i] && key in a) { sum += a[key]; ++have; b += only[key]; c_only += base[key] }
            if (table == 2) printf " %s |", paper_of(kernel[k], i)
        }
        if (table == 1) {
            if (whole > 0 && have == whole) printf " %.2f%s |", 100 * sum / whole, kernel[k] == "cntk" ? "" : sprintf(" (p %.2g)", mcnemar(b, c_only))
            else printf " |"
            printf " %s |", paper_of(kernel[k], 1)
        }
        printf "\n"
    }
    printf "\nTest accuracy in percent on %s images%s, ridgeless; p: exact McNemar test against the CNTK alone on the same images; r: ratio chosen (E74).\n", table == 1 ? "2,000" : "10,000", table == 1 ? ", " train " training images" : ""
    if (table == 1) printf "p of the mean: of the images of all complete pairs together. %d of 5 pairs complete (without the CNN).\n", whole
}
