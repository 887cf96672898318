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
[ -d cli ] && [ -f cli/CMakeLists.txt ] && run env -u LD_LIBRARY_PATH "$prefix/bin/nth" --help

run "$cmake" -S "$here/consumer" -B "$stage/by-cmake" -DCMAKE_C_COMPILER="$cc" -DCMAKE_PREFIX_PATH="$prefix"
run "$cmake" --build "$stage/by-cmake"
run "$stage/by-cmake/consumer"

export PKG_CONFIG_PATH=$libdir/pkgconfig${PKG_CONFIG_PATH:+:$PKG_CONFIG_PATH}
# shellcheck disable=SC2046
run "$cc" -std=c17 "$here/consumer/main.c" -o "$stage/by-pkg-config" $(pkg-config --cflags --libs nth)
run env LD_LIBRARY_PATH="$libdir" "$stage/by-pkg-config"

# The examples, too, are programs of users: each compiles against what was installed.
for example in examples/[0-9]*.c; do
    [ -f "$example" ] || continue
    # shellcheck disable=SC2046
    run "$cc" -std=c17 "$example" -o "$stage/example" $(pkg-config --cflags --libs nth) -lm
done

# The static library with shared third parties, as most users of it would link.
if [ -f "$libdir/libnth.a" ]; then
    # shellcheck disable=SC2046
    run "$cc" -std=c17 "$here/consumer/main.c" -o "$stage/static" $(pkg-config --cflags nth) "$libdir/libnth.a" \
        $(pkg-config --libs $(pkg-config --print-requires-private nth)) $openmp -lm
    run "$stage/static"
fi
echo "find_package, pkg-config and static: the consumer runs"
