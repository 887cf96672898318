#!/usr/bin/awk -f
# SPDX-License-Identifier: GPL-3.0-or-later
#
# table3-10000.csv as Markdown: RR of each pair of classes in percent, train-train with self pairs (what the paper prints) and
# test-train, and the test accuracy of regression with the kernel. The paper quotes the figures of frog/ship in its text.
BEGIN {
    FS = ","
    kernels = split("init trained ntk lantk-chosen lantk-hand", kernel, " ")
    split("network at initialization|trained network|NTK|K^(HR), r chosen on held-out images|K^(HR), hand rule r = 0.1", text, "|")
    split("airplane car bird cat deer dog frog horse ship truck", name, " ")
    paper["init"] = "58.37"; paper["trained"] = "71.99"; paper["ntk"] = "63.83"; paper["lantk-hand"] = "66.62"
}
NR > 1 {
    self[$1, $4] = $5; se[$1, $4] = $6; cross[$1, $4] = $10; cross_se[$1, $4] = $15; acc[$1, $4] = $11; width = $2; n = $3
    if ($4 == "trained") net[$1] = $14
    if (!($1 in seen)) { seen[$1] = 1; pair[++pairs] = $1 }
}
function percent(x) { return x == "" ? "-" : sprintf("%.2f", 100 * x) }
END {
    print "| classes | kernel | RR train-train | the paper | RR test-train | test accuracy |\n|---|---|---|---|---|---|"
    for (i = 1; i <= pairs; ++i) {
        split(pair[i], c, "-")
        for (k = 1; k <= kernels; ++k) {
            key = pair[i] SUBSEP kernel[k]
            printf "| %s | %s | %s +- %s | %s | %s%s | %s%s |\n", k == 1 ? name[c[1] + 1] "/" name[c[2] + 1] : "", text[k], percent(self[key]), percent(se[key]), \
                pair[i] == "6-8" ? paper[kernel[k]] : "", percent(cross[key]), cross_se[key] == "" ? "" : " +- " percent(cross_se[key]), percent(acc[key]), kernel[k] == "trained" ? " (network " percent(net[pair[i]]) ")" : ""
        }
    }
    printf "\nm = %d, %d training images; train-train with self pairs. %d of 6 pairs.\n", width, n, pairs
}
