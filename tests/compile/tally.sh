#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-3.0-or-later
#
# usage: tally.sh            (from the repository root)
# The count behind scripts/test: programs by their own last line, everything else by ctest's verdict, a
# crash after passing cases as a failure, and nothing at all as a failure.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cat >"$work/output" <<'END'
1/8 Test #1: mat ..............................   Passed    0.00 sec
2/8 Test #2: crash ............................***Failed    0.00 sec
3/8 Test #3: wrong ............................***Failed    0.00 sec
4/8 Test #4: shell ............................   Passed    0.00 sec
5/8 Test #5: without ..........................***Skipped   0.00 sec
6/8 Test #6: slow .............................***Timeout   1.00 sec
7/8 Test #7: lost .............................***Not Run   0.00 sec
8/8 Test #8: early ............................***Exception: SegFault  0.00 sec
END
cat >"$work/log" <<'END'
1/8 Testing: mat
mat: 3 passed, 0 failed, 1 skipped
2/8 Testing: crash
crash: 3 passed, 0 failed, 0 skipped
3/8 Testing: wrong
wrong: 1 passed, 2 failed, 0 skipped
4/8 Testing: shell
shell: 2 passed, 0 failed
END
expect() {
    local got
    got=$(scripts/tally "$work/output" "$work/log") && status=0 || status=$?
    [ "$got" = "$1" ] && [ "$status" = "$2" ] || { echo "got \"$got\", status $status; want \"$1\", status $2"; exit 1; }
}
#      mat 3, crash 3, wrong 1, shell 2;  crash 1, wrong 2, slow, lost, early;  mat 1, without
expect "9 passed, 6 failed, 2 skipped" 1
head -n 1 "$work/output" >"$work/one" && mv "$work/one" "$work/output"
expect "3 passed, 0 failed, 1 skipped" 0
: >"$work/output"
expect "0 passed, 0 failed, 0 skipped" 1
