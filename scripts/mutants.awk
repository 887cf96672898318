# SPDX-License-Identifier: GPL-3.0-or-later
#
# Lists the mutants of C files, one a line: file, line, first column, length, replacement, what.
# Comments, strings, preprocessor lines and argument checks are left alone. ` * ` with blanks on both
# sides is always a product in this code, so "x * y" becomes "x + 0 * y": the factor is dropped.
function mutate(pattern, replacement, what, lead,    from, rest) {
    from = 1
    rest = code
    while (match(rest, pattern)) {
        printf "%s\t%d\t%d\t%d\t%s\t%s\n", FILENAME, FNR, from + RSTART - 1 + lead, RLENGTH - lead, replacement, what
        from += RSTART + RLENGTH - 1
        rest = substr(code, from)
    }
}
BEGIN { OFS = "\t" }
FNR == 1 { comment = 0; check = 0 }
{
    code = $0
    # Blank out strings and comments, keeping the columns.
    while (match(code, /"([^"\\]|\\.)*"/)) {
        blank = sprintf("%" RLENGTH "s", ""); code = substr(code, 1, RSTART - 1) blank substr(code, RSTART + RLENGTH)
    }
    if (comment) {
        if (!(end = index(code, "*/"))) next
        code = sprintf("%" (end + 1) "s", "") substr(code, end + 2); comment = 0
    }
    while (match(code, /\/\*([^*]|\*+[^*\/])*\*+\//)) {
        blank = sprintf("%" RLENGTH "s", ""); code = substr(code, 1, RSTART - 1) blank substr(code, RSTART + RLENGTH)
    }
    if (start = index(code, "/*")) { code = substr(code, 1, start - 1); comment = 1 }
}
/^ *#/ { next }
code ~ /NTH_REQUIRE|NTH_FAIL|assert\(/ { check = 1 }
check { if (code ~ /; *$/) check = 0; next }
{
    mutate(" \\+ ", " - ", "sign: + to -", 0)
    mutate(" - ", " + ", "sign: - to +", 0)
    mutate(" \\+= ", " -= ", "sign: += to -=", 0)
    mutate(" -= ", " += ", "sign: -= to +=", 0)
    mutate("[=(,?:] -[a-z0-9(]", "@drop-minus", "sign: minus dropped", 0)
    mutate(" \\* ", " + 0 * ", "factor dropped", 0)
    mutate(" / ", " + 0 * ", "divisor dropped", 0)
    mutate(" \\*= ", " += 0 * ", "factor dropped", 0)
    mutate("[^a-z_0-9.]0\\.5", "1.0", "constant: 0.5 to 1.0", 1)
    mutate("[^a-z_0-9.]2\\.0", "3.0", "constant: 2.0 to 3.0", 1)
    mutate("\\[[a-z][a-z0-9_]* - 1\\]", "@shift", "index: - 1 dropped", 0)
    mutate("\\[[a-z][a-z0-9_]* \\+ 1\\]", "@shift", "index: + 1 dropped", 0)
    mutate(" = 0; [a-z]+ <", "@start", "loop starts at 1", 0)
    if (code ~ / \? /) next # a < b ? a : b is the same with <=
    mutate(" < ", " <= ", "bound: < to <=", 0)
    mutate(" <= ", " < ", "bound: <= to <", 0)
}
