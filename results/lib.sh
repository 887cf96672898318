# SPDX-License-Identifier: GPL-3.0-or-later
# shellcheck shell=bash disable=SC2034
#
# What every run.sh begins with. Source it with the script's arguments:
#
#   . "$(dirname "${BASH_SOURCE[0]}")/../lib.sh" "$@"
#
# Then: here (the folder of the script, where tables go), out (the first argument or build/results, made; kernels and
# other large files go there), nth (the tool: $NTH or build/cli/nth), number, attribute, needs_data.
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[1]}")" && pwd)
nth=$(realpath "${NTH:-$here/../../build/cli/nth}")
out=${1:-$here/../../build/results}
mkdir -p "$out"

# number JSON_FILE KEY: a number of the outermost object.
number() { sed -n "s/^  \"$2\": \(.*[^,]\),*$/\1/p" "$1" | head -n 1; }

# attribute HDF5_FILE KEY: an attribute of the root.
attribute() { "$nth" info "$1" | sed -n "s/^@$2 = //p"; }

# Ends the script, as skipped, unless NTH_DATA_DIR is set.
needs_data() {
    [ -n "${NTH_DATA_DIR-}" ] || { echo "skipped: NTH_DATA_DIR is not set" >&2; exit 77; }
}
