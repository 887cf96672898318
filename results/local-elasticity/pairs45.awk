#!/usr/bin/awk -f
# SPDX-License-Identifier: GPL-3.0-or-later
#
# The summary of pairs45.csv: over pairs of classes, how often training raises RR and the accuracy of kernel regression.
BEGIN { FS = ","; split("init trained ntk lantk-chosen lantk-hand", kernel, " ") }
NR > 1 {
    rr[$1, $4] = $7; low[$1, $4] = $8; high[$1, $4] = $9; acc[$1, $4] = $11; w[$1] = $2; n = $3
    if ($4 == "trained") net[$1] = $14
    if (!($1 in seen)) { seen[$1] = 1; name[++count] = $1; width = $2 }
}
function mean(a, k,   i, s) { for (i = 1; i <= count; ++i) s += a[name[i], k]; return s / count }
function paired(a, k, b,   i, d, m, v, up) { # mean difference, its standard error over pairs, how many positive
    for (i = 1; i <= count; ++i) { d = a[name[i], k] - a[name[i], b]; m += d / count; up += d > 0 }
    for (i = 1; i <= count; ++i) v += (a[name[i], k] - a[name[i], b] - m) ^ 2
    return sprintf("%+.3f +- %.3f (%d of %d up)", m, sqrt(v / (count * (count - 1))), up, count)
}
END {
    print "| kernel | mean RR | against | difference of RR | mean accuracy | difference of accuracy |"
    print "|---|---|---|---|---|---|"
    for (k = 1; k <= 5; ++k) {
        base = kernel[k] == "trained" ? "init" : "ntk"
        printf "| %s | %.4f | ", kernel[k], mean(rr, kernel[k])
        if (k == 1 || k == 3) printf "| | %.4f | |\n", mean(acc, kernel[k])
        else printf "%s | %s | %.4f | %s |\n", base, paired(rr, kernel[k], base), mean(acc, kernel[k]), paired(acc, kernel[k], base)
    }
    for (i = 1; i <= count; ++i) apart += low[name[i], "trained"] > high[name[i], "init"]
    printf "\n%d pairs of classes, m = %d, %d training and 1,000 test images; RR on train-train pairs without self pairs; accuracies of ridgeless regression with the\n", count, width, n
    printf "kernel. The 95 %% intervals of RR before and after training do not overlap in %d pairs, the trained one above. Errors of differences are over pairs.\n", apart
}
