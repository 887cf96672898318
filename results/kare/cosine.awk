# SPDX-License-Identifier: GPL-3.0-or-later
#
# Tables of the cosine simulation from published.csv and cosine.csv (run-cosine.sh). Spread: standard deviation over seeds.
BEGIN { FS = ","; OFMT = "%.4f" }
FNR == 1 { next }
{ panel = $1 "," $2 }
$3 == "published" { pub[panel, $4, $5] = $8 + 0; next }
!(panel in seen) { seen[panel] = 1; panels[++np] = panel }
!((panel, $3) in run) { run[panel, $3] = 1; seeds[panel]++ }
$4 == "curve" {
    add(panel, "kare_at", $5, $6); add(panel, "risk_at", $5, $8); add(panel, "gap", $5, $6 - $8)
    if (!($5 in step)) { step[$5] = 1; steps[++ns] = $5 }
    next
}
$4 ~ /_least$/ { kernel = $4; sub(/_least$/, "", kernel); least_of[panel, $3, kernel] = $8 }
$4 ~ /_(kare|loo|least)$/ { add(panel, $4, "", $8); add(panel, $4 "_estimate", "", $4 ~ /kare$/ ? $6 : $7); next }
{ add(panel, $4, $5, $8) }
$4 == "trained" && !($5 in ridge) { ridge[$5] = 1; ridges[++nr] = $5 }
function add(p, what, x, value) { n[p, what, x]++; s[p, what, x] += value; q[p, what, x] += value * value }
function mean(p, what, x) { return s[p, what, x] / n[p, what, x] }
function sd(p, what, x,   m, k) { k = n[p, what, x]; if (k < 2) return 0; m = mean(p, what, x); m = (q[p, what, x] - k * m * m) / (k - 1); return m > 0 ? sqrt(m) : 0 }
function least(p, what,   i, m, v) { m = 1e9; for (i = 1; i <= nr; ++i) { v = mean(p, what, ridges[i]); if (v < m) m = v } return m }
# Distance of the least from the published one, in standard errors of the difference; the published mean is that of ten seeds.
function errors(p, what,   i, m, v, e) { m = 1e9; for (i = 1; i <= nr; ++i) { v = mean(p, what, ridges[i]); if (v < m) { m = v; e = sd(p, what, ridges[i]) } } return e > 0 ? (m - least_published(p, what)) / (e * sqrt(1 / seeds[p] + 1 / 10)) : 0 }
function least_published(p, what,   i, m) { m = 1e9; for (i = 1; i <= nr; ++i) if (pub[p, what, ridges[i]] < m) m = pub[p, what, ridges[i]]; return m }
function pm(p, what, x) { return sprintf("%.4f +- %.4f", mean(p, what, x), sd(p, what, x)) }
function curve(p, what, label, kind,   i, line) {
    line = "| " label " |"
    for (i = 1; i <= nr; ++i) line = line sprintf(" %.4f |", kind == "mean" ? mean(p, what, ridges[i]) : kind == "sd" ? sd(p, what, ridges[i]) : pub[p, what, ridges[i]])
    if (what == "after_network") line = line sprintf(" %.4f", kind == "mean" ? mean(p, "network", "") : kind == "sd" ? sd(p, "network", "") : pub[p, "network", ""])
    print line " |"
}
END {
    print "# The cosine simulation\n"
    print "Written by `results/kare/run-cosine.sh`; revision " revision "; network and data of seed 1 to " seeds[panels[1]] "."
    print "Test mean square error, mean +- standard deviation over seeds.\n"
    print "## Least error of the mean curve over ridges, next to the published one\n\nDistance: in standard errors of the difference of a mean over that many seeds and one over ten.\n"
    print "| gamma, noise | seeds | KARE | published | ratio, distance | after-NTK | published | ratio, distance | network | published | ratio | KARE < after-NTK | seeds where it is |"
    print "|---|---:|---:|---:|---:|---:|---:|---:|---:|---:|---:|---|---:|"
    for (i = 1; i <= np; ++i) {
        p = panels[i]; a = least(p, "trained"); b = least(p, "after_network"); c = mean(p, "network", "")
        A = least_published(p, "trained"); B = least_published(p, "after_network"); C = pub[p, "network", ""]
        ordered += (a < b)
        if (p == "1,0" || p == "1,0.1") { ++asked; near += (a / A <= 1.25 && a / A >= 0.75) }
        printf "| %s | %d | %.4f | %.4f | %.2f, %+.1f | %.4f | %.4f | %.2f, %+.1f | %s | %.4f | %.2f | %s | %s |\n", p, seeds[p], a, A, a / A, errors(p, "trained"), b, B, b / B, errors(p, "after_network"), pm(p, "network", ""), C, c / C, (a < b ? "yes" : "no"), wins(p)
    }
    printf "\nMinima ordered KARE < after-NTK: %d of %d panels (%s). Minimum of KARE within 25 %% of the published one at gamma = 1: %d of %d panels (%s).\n", ordered, np, (ordered == np ? "holds" : "does not hold"), near, asked, (near == asked ? "holds" : "does not hold")
    print "\n## Ridge chosen without the test set\n"
    print "Each seed's own choice; `least` is the least of the seed's curve, optimistic since the test set has chosen it. Estimate: what the criterion itself says.\n"
    print "| gamma, noise | kernel | by KARE | its estimate | by leave-one-out | its estimate | least |"
    print "|---|---|---:|---:|---:|---:|---:|"
    split("trained after_network initial infinite_width", kernels, " ")
    split("KARE,after-NTK,initial NTK,infinite width", names, ",")
    for (i = 1; i <= np; ++i) for (k = 1; k <= 4; ++k) {
        p = panels[i]; w = kernels[k]
        printf "| %s | %s | %s | %.4f | %s | %.4f | %s |\n", p, names[k], pm(p, w "_kare", ""), mean(p, w "_kare_estimate", ""), pm(p, w "_loo", ""), mean(p, w "_loo_estimate", ""), pm(p, w "_least", "")
    }
    for (i = 1; i <= np; ++i) printf "%s| %s | mean target | | | | | %s |", (i == 1 ? "" : "\n"), panels[i], pm(panels[i], "mean", "")
    print "\n\n## KARE along its training, ridge z = 0.1\n"
    print "Gap: KARE - test risk; negative where the estimate is optimistic.\n"
    for (i = 1; i <= np; ++i) {
        p = panels[i]
        print "gamma, noise = " p "\n\n| steps | KARE | test risk | gap | gap / test risk |\n|---:|---:|---:|---:|---:|"
        for (k = 1; k <= ns; ++k) { x = steps[k]; printf "| %d | %s | %s | %+.4f +- %.4f | %+.0f %% |\n", x, pm(p, "kare_at", x), pm(p, "risk_at", x), mean(p, "gap", x), sd(p, "gap", x), 100 * mean(p, "gap", x) / mean(p, "risk_at", x) }
        print ""
    }
    print "## Curves over ridges alpha\n"
    for (i = 1; i <= np; ++i) {
        p = panels[i]
        print "gamma, noise = " p "\n"
        line = "| kernel |"; rule = "|---|"
        for (k = 1; k <= nr; ++k) { line = line " " ridges[k] " |"; rule = rule "---:|" }
        print line " network |\n" rule "---:|"
        curve(p, "trained", "KARE", "mean"); curve(p, "trained", "deviation", "sd"); curve(p, "trained", "published", "pub")
        curve(p, "after_network", "after-NTK", "mean"); curve(p, "after_network", "deviation", "sd"); curve(p, "after_network", "published", "pub")
        curve(p, "initial", "initial NTK", "mean"); curve(p, "infinite_width", "infinite width", "mean")
        print ""
    }
}
# Seeds where the least of KARE's own curve is below that of after-NTK's.
function wins(p,   w, r, k) { for (k in run) { split(k, r, SUBSEP); if (r[1] == p) w += (least_of[p, r[2], "trained"] < least_of[p, r[2], "after_network"]) } return w + 0 }
