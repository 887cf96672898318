#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-3.0-or-later
#
# usage: install.sh CMAKE BUILD_DIR CC CONFIG OPENMP_FLAG     (from the repository root)
# Installs into a staged prefix and builds and runs a small program there as a user would: through
# find_package(nth), through pkg-config, and against the static library.
set -euo pipefail
cmake=$1 build=$2 cc=$3 config=$4 openmp=${5-}
here=$(cd "$(dirname "$0")" && pwd)
stage=$build/tests/compile/stage
rm -rf "$stage"
mkdir -p "$stage"
log=$stage/log
run() { "$@" >"$log" 2>&1 || { cat "$log"; echo "failed: $*"; exit 1; }; }

run "$cmake" --install "$build" --config "$config" --prefix "$stage/usr"
# A moved tree must work as well: nothing installed may name the place it was built for.
mv "$stage/usr" "$stage/moved"
prefix=$stage/moved
library=$(find "$prefix" -name libnth.so)
libdir=${library%/libnth.so}

for header in include/nth/*; do
    [ -f "$prefix/$header" ] || { echo "not installed: $header"; exit 1; }
done
run env -u LD_LIBRARY_PATH "$prefix/bin/nth" --help

# Manual pages: one for each command, without a complaint of the formatter, with every option.
for command in "" $("$prefix/bin/nth" --help | sed -n 's/^  \([a-z]*\) .*/\1/p'); do
    page=$prefix/share/man/man1/nth${command:+-$command}.1
    [ -s "$page" ] || { echo "not installed: $page"; exit 1; }
    if command -v groff >/dev/null && ! groff -ww -man -Tutf8 "$page" 2>&1 >"$log" | { ! grep .; }; then
        echo "$page: see the complaint above"
        exit 1
    fi
    [ -z "$command" ] && continue
    for option in $("$prefix/bin/nth" "$command" --help | sed -n 's/^  --\([a-z-]*\).*/\1/p'); do
        grep -qF -- "\\-\\-${option//-/\\-}" "$page" || { echo "$page: --$option is missing"; exit 1; }
    done
done

# Completions: the shell accepts them, and they complete.
bash=$prefix/share/bash-completion/completions/nth zsh=$prefix/share/zsh/site-functions/_nth
run bash -n "$bash"
if command -v zsh >/dev/null; then run zsh -n "$zsh"; else run test -s "$zsh"; fi
completes() { # EXPECTED WORD..: what the last word becomes
    local want=$1 got
    shift
    # shellcheck disable=SC2016
    got=$(bash -c '. "$1"; shift; COMP_WORDS=("$@") COMP_CWORD=$(($# - 1)); _nth; echo "${COMPREPLY[*]}"' bash "$bash" "$@")
    [ "$got" = "$want" ] || { echo "completion of \"$*\": \"$got\", expected \"$want\""; exit 1; }
}
completes kernel nth ker
completes '--activation' nth kernel --act
completes 'erf' nth kernel --activation er
completes 'theorem-2.1 truncation' nth verify t
completes '' nth kernel --depth ''
(cd "$stage" && : >some.h5 && completes 'some.h5' nth rerun so && completes 'some.h5' nth train --net so)

run "$cmake" -S "$here/consumer" -B "$stage/by-cmake" -DCMAKE_C_COMPILER="$cc" -DCMAKE_PREFIX_PATH="$prefix"
run "$cmake" --build "$stage/by-cmake"
run "$stage/by-cmake/consumer"

export PKG_CONFIG_PATH=$libdir/pkgconfig${PKG_CONFIG_PATH:+:$PKG_CONFIG_PATH}
# shellcheck disable=SC2046
run "$cc" -std=c17 "$here/consumer/main.c" -o "$stage/by-pkg-config" $(pkg-config --cflags --libs nth)
run env LD_LIBRARY_PATH="$libdir" "$stage/by-pkg-config"

# The examples, too, are programs of users, away from this tree: by pkg-config and as a CMake project.
cp -r examples "$stage/examples"
for example in "$stage"/examples/[0-9]*.c; do
    # shellcheck disable=SC2046
    run "$cc" -std=c17 "$example" -o "$stage/example" $(pkg-config --cflags --libs nth) -lm
done
run "$cmake" -S "$stage/examples" -B "$stage/by-examples" -DCMAKE_C_COMPILER="$cc" -DCMAKE_PREFIX_PATH="$prefix"
run "$cmake" --build "$stage/by-examples"
run "$stage/by-examples/example_00_hello"
run "$stage/by-examples/example_03_ntk"

# The static library with shared third parties, as most users of it would link.
if [ -f "$libdir/libnth.a" ]; then
    # shellcheck disable=SC2046
    run "$cc" -std=c17 "$here/consumer/main.c" -o "$stage/static" $(pkg-config --cflags nth) "$libdir/libnth.a" \
        $(pkg-config --libs $(pkg-config --print-requires-private nth)) $openmp -lm
    run "$stage/static"
fi
echo "find_package, pkg-config and static: the consumer runs"
