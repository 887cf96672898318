# SPDX-License-Identifier: GPL-3.0-or-later
# shellcheck shell=bash disable=SC2154
#
# What table1.sh and table2.sh share: the rows of one problem. Source it after lib.sh.

# fit KERNEL OPTIONS..: one row of $csv: the kernel $base with what the options add, against the outputs of $base alone on the
# same test images.
fit() {
    local name=$1 start=$SECONDS
    shift
    "$nth" regress --gram "$base" --against "$alone:/f_test" --data "$data" --seed 1 --quiet --json "$@" >"$out/fit.json"
    echo "$problem,$name,$(number "$out/fit.json" accuracy),$(number "$out/fit.json" standard_error),$(number "$out/fit.json" ratio),$(inner b),$(inner c),$(inner p),$((SECONDS - start))" >>"$csv"
    tail -n 1 "$csv" >&2
}

# The kernel $base and its regression $alone, unless they are there.
kernel() {
    [ -e "$base" ] || "$nth" kernel --kind cntk --preset lantk-cnn8 --data "$data" --test-test no --out "$base" --quiet >/dev/null
    [ -e "$alone" ] || "$nth" regress --gram "$base" --data "$data" --out "$alone" --quiet >/dev/null
}

# inner KEY: a number of the object of --against, which comes last in $out/fit.json.
inner() { sed -n "s/^    \"$1\": \([^,]*\),*$/\1/p" "$out/fit.json"; }

# cnn EPOCHS: the row of the 8-layer convolutional network, Adam at 3e-4, batches of 128, after its last epoch; the CNTK
# compared with its outputs. A network that is there is not trained again.
cnn() {
    local start=$SECONDS file=$out/cnn-$problem.h5
    kernel
    [ -e "$file" ] || "$nth" train --preset lantk-cnn8 --data "$data" --optimizer adam --epochs "$1" --record "$1" --seed 1 --out "$file" --quiet >/dev/null
    "$nth" regress --gram "$base" --against "$file:/f_test" --data "$data" --quiet --json >"$out/fit.json"
    echo "$problem,cnn,$(inner accuracy),$(inner standard_error),,$(inner c),$(inner b),$(inner p),$((SECONDS - start))" >>"$csv"
    tail -n 1 "$csv" >&2
}

# rows PROBLEM DATA: appends the rows of a problem to $csv, but for those that are there: the 8-layer CNTK alone, with
# label-aware kernels K^(HR) added, and with controls. The weight of what is added is chosen on a fifth of the training
# images, held out, whose labels it has not seen. The kernel stays in $out.
# KERNELS="NAME .." in the environment: only these, in this order. With CNN=EPOCHS also the network, which takes much longer.
rows() {
    problem=$1 data=$2 base=$out/cntk-$1.h5 alone=$out/alone-$1.h5
    local variant options
    there() { grep -q "^$problem,$1," "$csv"; }
    for variant in ${KERNELS-cntk constant squares kr-v1 kr-v2 ls-v1 ls-v2 fjlt-v1 fjlt-v2 permuted}; do
        there $variant && continue
        kernel
        case $variant in
        cntk) fit cntk ;;
        constant | squares) fit $variant --add $variant --weight folds ;;
        *)
            options="--variant $variant"
            [ $variant = permuted ] && options='--variant ls-v2 --permute-labels 1'
            # shellcheck disable=SC2086
            "$nth" lantk $options --base "$base" --data "$data" --validation 0.2 --seed 1 --out "$out/Z.h5" --quiet >/dev/null
            fit $variant --add "$out/Z.h5:/Z" --weight folds
            rm -f "$out/Z.h5"
            ;;
        esac
    done
    [ -z "${CNN-}" ] || there cnn || cnn "$CNN"
}
