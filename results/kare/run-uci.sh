#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-3.0-or-later
#
# The 22 smallest two-class sets of the 121-UCI collection with their original splits: network, learning rates and ridge are
# chosen on the tuning split (fold 0 in uci.csv) alone, accuracy is the mean over the four given folds. One gelu network of
# width 64; settings: learning rates of KARE and of the network. Two classes only. Appends to
# uci.csv beside this script what is not there yet, and writes uci.md.
# usage: results/kare/run-uci.sh [SET ..]. NTH names the tool (build/cli/nth), JOBS the runs at a time (1); needs NTH_DATA_DIR.
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
nth=${NTH:-$here/../../build/cli/nth} csv=$here/uci.csv
[ -n "${NTH_DATA_DIR-}" ] || { echo "skipped: NTH_DATA_DIR is not set" >&2; exit 0; }
[ $# -gt 0 ] || set -- trains balloons fertility pittsburg-bridges-T-OR-D molec-biol-promoter acute-inflammation acute-nephritis \
    echocardiogram hepatitis planning parkinsons breast-cancer-wisc-prog conn-bench-sonar-mines-rocks statlog-heart breast-cancer \
    heart-hungarian haberman-survival vertebral-column-2clases ionosphere congressional-voting musk-1 cylinder-bands
[ -f "$csv" ] || echo 'set,fold,setting,what,alpha,kare,mse,accuracy' >"$csv"
one() { # set fold setting
    if grep -q "^$1,$2,$3,\(mean\|failed\)," "$csv"; then return; fi
    local spec="uci:$1" part d
    [ "$2" = 0 ] || spec="$spec?fold=$2"
    part=$(mktemp)
    d=$(sed -n 's/^n_entradas= *//p' "$NTH_DATA_DIR/fd121/$1/$1.txt" | tr -d '\r')
    if "$nth" kare --data "$spec" --widths "$d,64,1" --activation gelu --parameterization standard --init framework --seed 1 \
        --steps 100 --every 100 --learning-rate "${3%:*}" --net-steps 2000 --net-learning-rate "${3#*:}" --alpha 1e-3,1e-2,1e-1,1,10 \
        --threads 1 --json --quiet 2>"$part.err" >"$part.json"; then
        awk -v prefix="$1,$2,$3" -f "$here/rows.awk" "$part.json" |
            awk -F, '$4 !~ /^curve|_(kare|loo|least)$/ { printf "%s,%s,%s,%s,%s,%.4g,%.5g,%s\n", $1, $2, $3, $4, $5, $6, $8, $9 }' >"$part"
    else
        echo "$1,$2,$3,failed,,,," >"$part"
        echo "$1 fold $2 setting $3: $(tail -n 1 "$part.err")" >&2
    fi
    cat "$part" >>"$csv" && rm -f "$part" "$part.err" "$part.json"
}
export -f one
export nth csv here
for set in "$@"; do
    for fold in 0 1 2 3 4; do for setting in 0.1:0.01 1:0.03 10:0.1 100:0.1; do echo "$set $fold $setting"; done; done
done | xargs -P "${JOBS:-1}" -L 1 bash -c 'set -euo pipefail; one "$@"' one
awk -v revision="$("$nth" info | awk '$1 == "git_revision" { r = $2 } $1 == "git_dirty" { d = $2 } END { print r ", dirty: " d }')" -f "$here/uci.awk" "$csv" >"$here/uci.md"
