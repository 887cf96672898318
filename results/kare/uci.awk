# SPDX-License-Identifier: GPL-3.0-or-later
#
# Table of uci.csv (run-uci.sh). Setting and ridge of each method: best accuracy on the tuning split, then least mse, then the first.
BEGIN {
    FS = ","
    m = split("trained after_network network initial infinite_width", what, " ")
    split("KARE,after-NTK,network,initial NTK,infinite width", name, ",")
}
FNR == 1 || $4 == "mean" { next }
!($1 in seen) { seen[$1] = 1; sets[++n] = $1 }
$4 == "failed" { failed[$1]++; failures++; next }
{
    key = $1 SUBSEP $4 SUBSEP $3 SUBSEP $5
    if ($2 > 0) { sum[key] += $8; folds[key]++; next }
    w = $1 SUBSEP $4
    if (!(w in best) || $8 > accuracy[w] || ($8 == accuracy[w] && $7 < mse[w])) { best[w] = key; accuracy[w] = $8; mse[w] = $7 }
}
END {
    print "# Small two-class UCI sets\n\nWritten by `results/kare/run-uci.sh`; revision " revision ", seed 1 of the network."
    print "Test accuracy, %, mean over the four given folds; setting and ridge chosen on the tuning split alone (best accuracy, then least error).\nAs in the collection, the tuning split is drawn from the same rows as the folds: absolute accuracies are a little optimistic, alike for all methods. Runs that diverged: " failures + 0 ".\n"
    line = "| set |"; rule = "|---|"
    for (k = 1; k <= m; ++k) { line = line " " name[k] " |"; rule = rule "---:|" }
    print line "\n" rule
    for (i = 1; i <= n; ++i) {
        complete = 1
        for (k = 1; k <= m; ++k) { key = best[sets[i], what[k]]; complete = complete && key != "" && folds[key] == 4; if (complete) a[k] = 100 * sum[key] / 4 }
        if (!complete) { print "| " sets[i] " | not complete |"; continue }
        ++used; line = "| " sets[i] " |"
        for (k = 1; k <= m; ++k) {
            rank = 1
            for (j = 1; j <= m; ++j) if (j != k) rank += (a[j] > a[k] + 1e-9) + 0.5 * (a[j] >= a[k] - 1e-9 && a[j] <= a[k] + 1e-9)
            total[k] += a[k]; ranks[k] += rank; line = line sprintf(" %.2f |", a[k])
            if (k > 1) { wins[k] += (a[1] > a[k] + 1e-9); losses[k] += (a[1] < a[k] - 1e-9) }
        }
        print line
    }
    if (used == 0) exit
    line = "| mean |"; for (k = 1; k <= m; ++k) line = line sprintf(" %.2f |", total[k] / used); print line
    line = "| Friedman rank |"; for (k = 1; k <= m; ++k) { line = line sprintf(" %.2f |", ranks[k] / used); chi += (ranks[k] / used) ^ 2 } print line
    line = "| KARE better, worse on |  |"; for (k = 2; k <= m; ++k) line = line sprintf(" %d, %d |", wins[k], losses[k]); print line
    chi = 12 * used / (m * (m + 1)) * (chi - m * (m + 1) ^ 2 / 4)
    printf "\n%d sets; Friedman chi^2 = %.2f of %d degrees of freedom (5 %%: 9.49 for 4), without correction for ties.\n", used, chi, m - 1
}
