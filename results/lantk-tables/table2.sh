#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-3.0-or-later
#
# Table 2 of Chen, He, Su 2020: ten classes of CIFAR-10, 2,000 to 20,000 (SIZES) training and all 10,000 test images
# (rows.sh). Appends to table2.csv (a row that is there is not made again) and writes table2.md.
# duration: 3 minutes for 2,000 images, 15 for 5,000, 45 for 10,000 on two shared cores
# usage: [SIZES="2000 5000 10000 20000"] results/lantk-tables/table2.sh [OUT]. NTH names the tool (build/cli/nth); needs NTH_DATA_DIR.
. "$(dirname "${BASH_SOURCE[0]}")/../lib.sh" "$@"
. "$here/rows.sh"
needs_data
csv=$here/table2.csv
[ -e "$csv" ] || echo 'train,kernel,accuracy,standard_error,ratio,only_it,only_cntk,p,seconds' >"$csv"
out=$out/table2
mkdir -p "$out"
for train in ${SIZES:-2000 5000 10000 20000}; do
    rows "$train" "cifar10:?train=$train&test=10000&seed=1"
done
"$here/table.awk" -v table=2 "$csv" >"$here/table2.md"
