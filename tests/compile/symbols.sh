#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-3.0-or-later
#
# usage: symbols.sh LIBNTH.SO [NM]
# The shared library exports nth_* only, nothing private (nth_priv_*), and every function which the
# headers promise.
set -euo pipefail
library=$1 nm=${2:-nm} status=0
exported=$("$nm" -D --defined-only "$library" | awk '{ sub(/@.*/, "", $3); print $3 }' | sort -u)

leaked=$(grep -vE '^nth_' <<<"$exported" || true)
private=$(grep -E '^nth_(priv|test)_' <<<"$exported" || true)
promised=$(cat include/nth/*.h | sed -n '/NTH_API/,/;/p' | grep -v '#define' | tr '\n' ' ' | tr ';' '\n' |
    sed -nE 's/^[^(]*[^a-z_0-9](nth_[a-z_0-9]+) *\(.*/\1/p' | sort -u)
missing=$(comm -23 <(echo "$promised") <(echo "$exported"))

[ -z "$leaked" ] || { echo "exported, but not nth_*:" $leaked; status=1; }
[ -z "$private" ] || { echo "exported, but private:" $private; status=1; }
[ -z "$missing" ] || { echo "declared NTH_API, but not exported:" $missing; status=1; }
[ -n "$exported" ] || { echo "$library exports nothing"; status=1; }
exit $status
