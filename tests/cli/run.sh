#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-3.0-or-later
#
# usage: run.sh NTH CASES.sh
# Runs the cases of a file in an empty folder. A case is one call:
#
#   expect STATUS 'STDERR' ARGS...    exit status and the whole of standard error; standard output
#                                     is left in the file `out`, and must be empty if STATUS is 2 or 3
#   holds 'WHAT' COMMAND...           any other condition, on `out` or on files
#
# The last line is "NAME: N passed, N failed"; the exit status is 0 only if something ran and
# nothing failed.
set -u
nth=$(realpath "$1") cases=$(realpath "$2") name=$(basename "$2" .sh)
folder=$(mktemp -d) || exit 1
trap 'rm -rf "$folder"' EXIT
cd "$folder" || exit 1
passed=0 failed=0

verdict() { # OK? WHAT
    if [ "$1" = 0 ]; then passed=$((passed + 1)); else failed=$((failed + 1)); echo "FAILED: $2"; fi
}

expect() {
    local want_status=$1 want_err=$2 got bad=0
    shift 2
    "$nth" "$@" >out 2>err
    got=$?
    [ "$got" = "$want_status" ] || { echo "  exit status $got, expected $want_status"; bad=1; }
    [ "$(cat err)" = "$want_err" ] || { printf '  stderr:   %s\n  expected: %s\n' "$(cat err)" "$want_err"; bad=1; }
    case $want_status in 2 | 3) [ ! -s out ] || { echo "  something on standard output"; bad=1; } ;; esac
    verdict $bad "nth $*"
}

holds() {
    local what=$1
    shift
    "$@" >/dev/null 2>&1
    verdict $? "$what"
}

. "$cases"
echo "$name: $passed passed, $failed failed"
[ "$failed" = 0 ] && [ "$passed" -gt 0 ]
