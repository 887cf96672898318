#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-3.0-or-later
#
# The published simulation of training by KARE: six panels, ten seeds. Appends to cosine.csv beside this script what is not
# there yet, so an interrupted run goes on, and writes cosine.md from it.
# usage: results/kare/run-cosine.sh [SEEDS [NAME ["GAMMA NOISE"]]]: NAME in place of cosine, one panel. NTH names the tool (build/cli/nth), JOBS the runs at a time (1).
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
nth=${NTH:-$here/../../build/cli/nth} name=${2:-cosine}
csv=$here/$name.csv
[ -f "$csv" ] || echo 'gamma,noise,seed,what,alpha_or_step,kare,loo,mse,accuracy' >"$csv"
one() { # gamma noise seed
    if grep -q "^$1,$2,$3,mean," "$csv"; then return; fi
    part=$(mktemp)
    "$nth" kare --data "synthetic:cosine?n=800&test=200&gamma=$1&noise=$2&d=10&seed=$3" --widths 10,64,1 --activation gelu \
        --parameterization standard --init framework --seed "$3" --lambda 0.1 --learning-rate 100 --steps 100 --every 10 \
        --net-steps 10000 --net-learning-rate 0.1 --threads 1 --json --quiet | awk -v prefix="$1,$2,$3" -f "$here/rows.awk" >"$part"
    cat "$part" >>"$csv" && rm "$part"
}
export -f one
export nth csv here
for seed in $(seq 1 "${1:-10}"); do
    if [ $# -gt 2 ]; then echo "$3 $seed"; continue; fi
    for noise in 0 0.1; do for gamma in 1 1.25 1.5; do echo "$gamma $noise $seed"; done; done
done | xargs -P "${JOBS:-1}" -L 1 bash -c 'set -euo pipefail; one "$@"' one
awk -v revision="$("$nth" info | awk '$1 == "git_revision" { r = $2 } $1 == "git_dirty" { d = $2 } END { print r ", dirty: " d }')" \
    -f "$here/cosine.awk" "$here/published.csv" "$csv" >"$here/$name.md"
