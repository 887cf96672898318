#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-3.0-or-later
#
# Table 1 of Chen, He, Su 2020: five pairs of CIFAR-10 classes, 10,000 (TRAIN) training and 2,000 test images (rows.sh).
# Appends to table1-TRAIN.csv (a row that is there is not made again) and writes table1-TRAIN.md.
# duration: 20 minutes a pair on two cores at TRAIN=10000, a minute at 2000; CNN=60 takes 10 minutes more a pair at 2000
# usage: [TRAIN=10000] results/lantk-tables/table1.sh [OUT]. NTH names the tool (build/cli/nth); needs NTH_DATA_DIR.
. "$(dirname "${BASH_SOURCE[0]}")/../lib.sh" "$@"
. "$here/rows.sh"
needs_data
train=${TRAIN:-10000}
csv=$here/table1-$train.csv
[ -e "$csv" ] || echo 'classes,kernel,accuracy,standard_error,ratio,only_it,only_cntk,p,seconds' >"$csv"
out=$out/table1-$train
mkdir -p "$out"
for pair in 4,5 3,4 3,6 4,6 2,6; do
    rows ${pair/,/-} "cifar10:?classes=$pair&train=$train&test=2000&seed=1"
done
"$here/table.awk" -v table=1 -v train="$train" "$csv" >"$here/table1-$train.md"
