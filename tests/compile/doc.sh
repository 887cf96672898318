#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-3.0-or-later
#
# usage: doc.sh CMAKE BUILD_DIR     (from the repository root)
# doxygen reads every public header without a warning, and each has its page.
set -euo pipefail
cmake=$1 out=$2/tests/compile/doxygen
doxygen=$(command -v doxygen) || { echo "skipped: doxygen is not installed"; exit 77; }
rm -rf "$out"
mkdir -p "$out"
"$cmake" -DDOXYGEN="$doxygen" -DSOURCE="$PWD" -DOUT="$out" -P cmake/Doc.cmake
for header in include/nth/*.h; do
    name=$(basename "$header" .h | sed 's/_/__/g')
    [ -s "$out/html/${name}_8h.html" ] || { echo "$header has no page"; exit 1; }
done
