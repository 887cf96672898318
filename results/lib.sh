# SPDX-License-Identifier: GPL-3.0-or-later
# shellcheck shell=bash disable=SC2034
#
# What every run.sh begins with. Source it with the script's arguments:
#
#   . "$(dirname "${BASH_SOURCE[0]}")/../lib.sh" "$@"
#
# Then: here (the folder of the script, where tables go), out (the first argument or build/results, made; kernels and
# other large files go there), nth (the tool: $NTH or build/cli/nth), number, attribute, needs_data, and what puts
# files beside the script: configuration, figure, keep.
set -euo pipefail
unset OPENBLAS_CORETYPE # it may change the last bits
here=$(cd "$(dirname "${BASH_SOURCE[1]}")" && pwd)
nth=$(realpath "${NTH:-$here/../../build/cli/nth}")
out=${1:-$here/../../build/results}
mkdir -p "$out"
out=$(realpath "$out") # scripts may cd
[ -z "${NTH_DATA_DIR-}" ] || NTH_DATA_DIR=$(realpath "$NTH_DATA_DIR")

# number JSON_FILE KEY: a number of the outermost object.
number() { sed -n "s/^  \"$2\": \(.*[^,]\),*$/\1/p" "$1" | head -n 1; }

# attribute HDF5_FILE KEY: an attribute of the root.
attribute() { "$nth" info "$1" | sed -n "s/^@$2 = //p"; }

# Ends the script, as skipped, unless NTH_DATA_DIR is set.
needs_data() {
    [ -n "${NTH_DATA_DIR-}" ] || { echo "skipped: NTH_DATA_DIR is not set" >&2; exit 77; }
}

# configuration NAME: what $out/NAME.h5 was made with, all options resolved, as NAME.config.json;
# `nth COMMAND --config NAME.config.json --out FILE.h5` takes it.
configuration() {
    attribute "$out/$1.h5" config >"$here/$1.config.json"
}

# figure NAME PLOT [FIGURE]: this plot of the report on $out/NAME.h5 as FIGURE.svg (NAME.svg).
figure() {
    "$nth" report "$out/$1.h5" --out "$out/report-$1" --gnuplot no --quiet >/dev/null
    cp "$out/report-$1/1-$2.svg" "$here/${3:-$1}.svg"
}

# keep NAME: $out/NAME.h5 beside the script, where `nth rerun` makes it again. At most 200 kB are kept.
keep() {
    [ "$(wc -c <"$out/$1.h5")" -le 200000 ] || { echo "$1.h5 is too large to be kept" >&2; exit 3; }
    cp "$out/$1.h5" "$here/"
}
