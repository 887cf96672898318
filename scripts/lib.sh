# SPDX-License-Identifier: GPL-3.0-or-later
# shellcheck shell=bash
#
# Shared by scripts/quickstart, scripts/test and .ci/run: messages, installing what is missing
# through apt-get, configuring and building a preset. Source it; it runs nothing by itself.

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
jobs=$(nproc 2>/dev/null || echo 1)

say() { printf '== %s\n' "$*"; }
die() { printf 'error: %s\n' "$*" >&2; exit 2; }

# What a build needs: Debian package, how to see that it is there (a command, or the package
# itself: -), what for.
requirements='
gcc                   gcc         C compiler
libc6-dev             -           headers of the C library
make                  make        runs the build
cmake                 cmake       describes the build, runs the tests
pkg-config            pkg-config  finds the libraries
libopenblas-openmp-dev -          BLAS and LAPACK: matrix products, factorizations
liblapacke-dev        -           C interface of LAPACK
libgsl-dev            -           ODE steppers, quadrature
libhdf5-dev           -           result files
libjansson-dev        -           configuration files and --json
librandom123-dev      -           reproducible random numbers
libcunit1-dev         -           unit tests
'

# What a build can do without; the tests cover it.
optional='
libdnnl-dev           -           oneDNN: convolutional networks in training
'

has_package() { [ "$(dpkg-query -W -f '${db:Status-Status}' "$1" 2>/dev/null)" = installed ]; }

as_root() {
    if [ "$(id -u)" = 0 ]; then "$@"; else sudo "$@"; fi
}

# need "package command-or-- purpose" lines on standard input: installs the missing ones.
need() {
    local missing=() package probe purpose
    if ! command -v apt-get >/dev/null; then
        say "no apt-get here: taking the requirements as installed (CONTRIBUTING.md lists them)"
        return 0
    fi
    while read -r package probe purpose; do
        [ -n "$package" ] || continue
        if [ "$probe" != - ] && command -v "$probe" >/dev/null; then continue; fi
        has_package "$package" && continue
        say "missing: $package ($purpose)"
        missing+=("$package")
    done
    [ ${#missing[@]} -gt 0 ] || return 0
    [ "$(id -u)" = 0 ] || command -v sudo >/dev/null ||
        die "installing needs root, and there is no sudo; as root, run: apt-get install ${missing[*]}"
    say "installing with apt-get: ${missing[*]}"
    as_root env DEBIAN_FRONTEND=noninteractive apt-get -qq update </dev/null ||
        die "apt-get update failed; is the network reachable?"
    as_root env DEBIAN_FRONTEND=noninteractive apt-get -qq install -y --no-install-recommends \
        -o Dpkg::Use-Pty=0 "${missing[@]}" </dev/null >"${TMPDIR:-/tmp}/nth-apt.$$" 2>&1 || {
        tail -n 20 "${TMPDIR:-/tmp}/nth-apt.$$" >&2
        die "apt-get install failed (its last lines are above)"
    }
    rm -f "${TMPDIR:-/tmp}/nth-apt.$$"
}

install_requirements() { need <<<"$requirements"; }
install_optional() { need <<<"$optional"; }

# Debian's cmake where there is one (another may stand earlier in PATH), or $CMAKE.
find_cmake() {
    cmake=${CMAKE:-$([ -x /usr/bin/cmake ] && echo /usr/bin/cmake || command -v cmake)} ||
        die "cmake (3.25 or later) not found"
    ctest=${cmake%cmake}ctest
}

# OPENBLAS_CORETYPE may hide the fast kernels of this CPU, and changes the last bits of results.
forget_coretype() {
    [ -n "${OPENBLAS_CORETYPE-}" ] || return 0
    say "OPENBLAS_CORETYPE=$OPENBLAS_CORETYPE is unset here: it may hide this CPU's kernels"
    unset OPENBLAS_CORETYPE
}

# build PRESET: configures and builds build/PRESET (CMakePresets.json).
build() {
    find_cmake
    mkdir -p "$root/build"
    say "configuring the preset $1 in build/$1"
    (cd "$root" && "$cmake" --preset "$1" >"$root/build/$1.log" 2>&1) || {
        cat "$root/build/$1.log" >&2
        die "configuring failed (see above)"
    }
    say "building with $jobs jobs"
    "$cmake" --build "$root/build/$1" -j "$jobs" >"$root/build/$1.log" 2>&1 || {
        grep -v -E '^\[ *[0-9]+%\]' "$root/build/$1.log" | tail -n 60 >&2
        die "the build failed (whole log: build/$1.log)"
    }
}
