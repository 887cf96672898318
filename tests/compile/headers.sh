#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-3.0-or-later
#
# usage: headers.sh CC       (from the repository root)
# Each public header compiles alone as C17 and as C++17 without a warning, and includes nothing but
# <stddef.h>, <stdint.h>, <stdbool.h> and other public headers: users inherit no dependency.
set -euo pipefail
cc=$1 status=0
flags="-Iinclude -Wall -Wextra -Wpedantic -Werror -fsyntax-only"

cxx=
for candidate in g++ clang++; do
    if [ -z "$cxx" ] && command -v "$candidate" >/dev/null; then cxx=$candidate; fi
done
[ -n "$cxx" ] || echo "skipped: no C++ compiler, headers checked as C17 only"

for header in include/nth/*.h; do
    own=nth/${header##*/}
    foreign=$(grep -nE '^ *# *include' "$header" |
        grep -vE '<(stddef|stdint|stdbool)\.h>|"nth/[a-z_]+\.(h|def)"' || true)
    [ -z "$foreign" ] || { echo "$header: includes something else: $foreign"; status=1; }
    # Included twice: the guard works.
    text=$(printf '#include "%s"\n#include "%s"\nint nth_use;\n' "$own" "$own")
    # shellcheck disable=SC2086
    "$cc" -std=c17 $flags -x c - <<<"$text" || { echo "$header: does not compile alone as C17"; status=1; }
    [ -n "$cxx" ] || continue
    # shellcheck disable=SC2086
    "$cxx" -std=c++17 $flags -x c++ - <<<"$text" || { echo "$header: does not compile alone as C++17"; status=1; }
done
exit $status
