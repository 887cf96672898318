#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-3.0-or-later
#
# Test accuracy of infinite-width kernels on CIFAR-10, deer against dog, 10,000 training and 2,000 test
# images: writes table.md beside this script and of each kernel the regression's numbers (NAME.json) and the kernel's
# configuration (NAME.config.json); the kernels (about 1 GB each) go to OUT. A kernel that was
# interrupted continues where it stopped. usage: results/cifar10-deer-dog/run.sh [OUT]
# NTH names the tool (build/cli/nth); needs NTH_DATA_DIR.
# duration: 5 minutes on two cores
. "$(dirname "${BASH_SOURCE[0]}")/../lib.sh" "$@"
needs_data
data="cifar10:?classes=4,5&train=10000&test=2000"
rows=""

kernel() { # NAME 'WHAT' OPTIONS...
    local name=$1 what=$2 k="$out/deer-dog-$1.h5" r="$here/deer-dog-$1.json" start
    shift 2
    echo "== $name: nth kernel $*" >&2
    [ -e "$k" ] || "$nth" kernel "$@" --data "$data" --test-test no --out "$k" >&2
    start=$(date +%s.%N)
    "$nth" regress --gram "$k" --data "$data" --quiet --json >"$r"
    configuration "deer-dog-$name"
    rows+=$(awk -v what="$what" -v options="$*" -v a="$(number "$r" accuracy)" -v se="$(number "$r" standard_error)" \
        -v loo="$(number "$r" loo_error)" -v cond="$(number "$r" condition)" -v t="$(attribute "$k" duration)" \
        -v m="$(attribute "$k" peak_memory)" -v s="$start" -v e="$(date +%s.%N)" 'BEGIN {
            printf "| %s | %.2f +- %.2f | %.2f | %.1e | %.0f s, %.2f GB | %.0f s | `nth kernel %s` |", what, 100 * a,
                   100 * se, 100 * (1 - loo), cond, t, m / 1e9, e - s, options }')$'\n'
}

kernel relu2 'two-layer relu NTK' --kind ntk --activation relu --depth 2
kernel cnn8 'lantk-cnn8 CNTK' --kind cntk --preset lantk-cnn8
compared=$("$nth" regress --gram "$out/deer-dog-relu2.h5" --against "$out/deer-dog-cnn8.h5" --data "$data" --quiet | tail -1)
{
    echo "| kernel | test accuracy, % | leave-one-out, % | condition | kernel: time, peak memory | regression | command |"
    echo "|---|---|---|---|---|---|---|"
    printf '%s' "$rows"
    echo "| CNTK of the paper (LANTK, table of binary tasks) | 85.15 | | | | | |"
    echo
    echo "Ridgeless; \`nth regress --gram K.h5 --data '$data'\`. The two kernels on the same test images: $compared."
    echo
    echo "nth $("$nth" info | awk '/^version/ { print $2 }'), $(attribute "$out/deer-dog-cnn8.h5" cpu), $(attribute "$out/deer-dog-cnn8.h5" threads) threads, vector math $(attribute "$out/deer-dog-cnn8.h5" vector_math), kernel made at revision $(attribute "$out/deer-dog-cnn8.h5" git_revision | cut -c1-12)."
} >"$here/table.md"
