# SPDX-License-Identifier: GPL-3.0-or-later
#
# Compares two text files (tables, JSON, CSV, SVG) word by word: numbers may differ by `tolerance` times the larger one or by one
# unit in the last place that both show; all else must be the same. Times, memory, revisions and lines on the
# machine and images within an SVG are not compared. Prints each difference; exit status 1 if there is one.
# usage: awk -v tolerance=1e-6 -f scripts/compare-tables.awk RECORDED NOW
function plain(s) {
    if (s ~ /^nth [0-9]+\.[0-9]/) return "(machine)"
    gsub(/revision [0-9a-f]+/, "revision", s)
    gsub(/nth [0-9]+\.[0-9]+\.[0-9]+/, "nth", s)
    sub(/[0-9]+ threads, .*$/, "threads", s)
    gsub(/[0-9.]+ (s|ms|min|h|GB|MB|kB)([^a-zA-Z]|$)/, "(cost) ", s)
    if (s ~ /"(duration|seconds|peak_memory|threads|version|git_revision|cpu|blas|out)":/) return "(machine)"
    if (s ~ /^<(path|text|image|rect)/) { # coordinates: M12.5 3V40
        gsub(/data:image[^"]*/, "(image)", s)
        gsub(/[A-Za-z"<>\/]/, " & ", s)
    }
    gsub(/[][|,(){}:=;`]/, " & ", s)
    return s
}
function is_number(w) { return w ~ /^[-+]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][-+]?[0-9]+)?$/ }
function magnitude(x) { return x < 0 ? -x : x }
function unit(w,   exponent, digits) { # of the last place shown
    exponent = match(w, /[eE]/) ? substr(w, RSTART + 1) + 0 : 0
    sub(/[eE].*/, "", w)
    digits = index(w, ".") ? length(w) - index(w, ".") : 0
    return 10 ^ (exponent - digits)
}
function near(a, b,   by, most, step) {
    if (a == b) return 1
    if (!is_number(a) || !is_number(b)) return 0
    by = magnitude(a - b)
    most = magnitude(a) > magnitude(b) ? magnitude(a) : magnitude(b)
    step = a ~ /[.eE]/ && b ~ /[.eE]/ ? (unit(a) > unit(b) ? unit(a) : unit(b)) : 0
    return by <= tolerance * most || by <= 1.0000001 * step
}
FNR == NR { recorded[FNR] = $0; lines = FNR; next }
{
    now = FNR
    if (FNR > lines) next
    n = split(plain(recorded[FNR]), a, " ")
    m = split(plain($0), b, " ")
    for (i = 1; i <= n || i <= m; ++i)
        if (i > n || i > m || !near(a[i], b[i])) {
            print "  line " FNR ": " (i > n ? "(nothing)" : a[i]) ", now " (i > m ? "(nothing)" : b[i])
            different = 1
            if (++shown >= 10) { print "  ..."; exit 1 }
            break
        }
}
END {
    if (!shown && now != lines) { print "  " lines " lines, now " now + 0; different = 1 }
    exit different
}
