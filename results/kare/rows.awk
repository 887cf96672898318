# SPDX-License-Identifier: GPL-3.0-or-later
#
# The JSON of nth kare --json as rows of a CSV file: `prefix` (columns of the experiment), then
#
#     KERNEL,alpha,kare,loo,mse,accuracy    each ridge of each kernel
#     curve,step,kare,,test_risk,           each point of the training
#     WHAT_CRITERION,alpha,..               the ridge chosen by kare, loo, least (of the curve)
#     network,,,,mse,accuracy; mean,,,,mse, the network itself, the mean target; `mean` is the last row
function number(s) { gsub(/[ ,]/, "", s); return sprintf("%.6g", s) }
function put(name) { rows[++count] = prefix "," name "," v["alpha"] v["step"] "," v["kare"] "," v["loo"] "," v["mse"] v["test_risk"] "," v["accuracy"]; split("", v) }
/^  "(curve|fits|chosen)": / { part = $1; gsub(/[":]/, "", part) }
/^    "[a-z_]+": [[{]/ { kernel = $1; gsub(/[":]/, "", kernel) }
/^      "(kare|loo|least)": {/ { by = $1; gsub(/[":]/, "", by); next }
/^ +"(alpha|step|kare|loo|mse|test_risk|accuracy)": [^{]/ && /^    / { key = $1; gsub(/[":]/, "", key); v[key] = number($2) }
/^ +}/ && /^    / {
    if (part == "curve" && "step" in v) put("curve")
    if (part == "fits" && "alpha" in v) put(kernel)
    if (part == "chosen" && "alpha" in v) put(kernel "_" by)
}
/^  "network_mse"/ { network = number($2) }
/^  "network_accuracy"/ { network_accuracy = number($2) }
/^  "mean_mse"/ { mean = number($2) }
END {
    if (mean == "") { print "rows.awk: no complete result" >"/dev/stderr"; exit 1 }
    for (i = 1; i <= count; ++i) print rows[i]
    if (network != "") print prefix ",network,,,," network "," network_accuracy
    print prefix ",mean,,,," mean ","
}
