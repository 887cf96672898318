#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-3.0-or-later
#
# usage: docstrings.sh       (from the repository root)
# Every NTH_API function stands directly under a /** */ comment, or under another function which
# does (create and destroy share one). In the headers of the mathematics, a comment on a function
# that returns a status and takes arrays has the sections Shapes, Ownership, Cost, Accuracy, Errors.
set -euo pipefail
awk '
function check(    head, i, k, want, lacks) {
    name = declaration
    sub(/ *\(.*/, "", name); sub(/^.*[ *]/, "", name)
    head = declaration; sub(/\(.*/, "", head)
    if (!documented) { report("no comment"); return }
    if (kind != "/**" && strict) { report("comment does not start with /**"); return }
    if (!strict || head !~ /nth_status/ || shared) return
    if (declaration !~ /nth_c?mat |const double \*/) return
    lacks = ""
    k = split("Shapes Ownership Cost Accuracy Errors", want, " ")
    for (i = 1; i <= k; ++i) if (comment !~ ("(^|[ *])" want[i] " ")) lacks = lacks " " want[i]
    if (lacks != "") report("comment lacks" lacks)
}
function report(what) { printf "%s:%d: %s: %s\n", FILENAME, line, name, what; bad = 1 }
FNR == 1 { documented = 0; inside = 0; strict = FILENAME ~ /\/(net|flow|ntk|dual|infinite|hier|lantk|elastic|hoeffding|regress|verify|data)\.h$/ }
/^ *\/\*/ && !declaring { comment = ""; kind = $0 ~ /^ *\/\*\*/ ? "/**" : "/*"; inside = 1 }
inside { comment = comment "\n" $0; if (/\*\//) { inside = 0; documented = 1; shared = 0 } next }
!declaring && /NTH_API/ && !/#define/ { declaring = 1; declaration = ""; line = FNR }
declaring {
    declaration = declaration " " $0
    if (/;/) { declaring = 0; check(); shared = 1 }
    next
}
{ documented = 0 }
END { exit bad }
' include/nth/*.h
