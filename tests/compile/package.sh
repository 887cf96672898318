#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-3.0-or-later
#
# usage: package.sh CMAKE BUILD_DIR CONFIG     (from the repository root)
# Makes the Debian package, unpacks it elsewhere and runs the tool from it.
set -euo pipefail
cmake=$1 build=$2 config=$3
for tool in dpkg-deb dpkg-shlibdeps; do
    command -v $tool >/dev/null || { echo "skipped: $tool is not installed"; exit 77; }
done
stage=$build/tests/compile/package
rm -rf "$stage"
mkdir -p "$stage"
run() { "$@" >"$stage/log" 2>&1 || { cat "$stage/log"; echo "failed: $*"; exit 1; }; }

run "${cmake%cmake}cpack" -G DEB -C "$config" --config "$build/CPackConfig.cmake" -B "$stage"
package=$(echo "$stage"/nth_*.deb)
[ -f "$package" ] || { echo "no package: $package"; exit 1; }
depends=$(dpkg-deb -f "$package" Depends)
for library in libc6 libgsl libhdf5 libjansson4 libopenblas liblapacke; do
    [[ $depends == *"$library"* ]] || { echo "Depends lacks $library: $depends"; exit 1; }
done
run dpkg-deb -x "$package" "$stage/unpacked"
for file in bin/nth lib/libnth.so include/nth/ntk.h lib/pkgconfig/nth.pc lib/cmake/nth/nthConfig.cmake share/man/man1/nth-kernel.1.gz \
    share/bash-completion/completions/nth share/zsh/vendor-completions/_nth share/doc/nth/copyright share/doc/nth/changelog.gz; do
    [ -e "$stage/unpacked/usr/$file" ] || { echo "$package has no /usr/$file"; exit 1; }
done
run env -u LD_LIBRARY_PATH "$stage/unpacked/usr/bin/nth" info
echo "$(basename "$package"): $(dpkg-deb -f "$package" Installed-Size) kB, depends on $depends"
