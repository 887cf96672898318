# SPDX-License-Identifier: GPL-3.0-or-later
#
# nth verify elasticity: verdicts and exit status, each kernel against the commands that make it one by one, mistakes.

expect 0 '' verify elasticity --quiet --out E.h5 --table E.md
holds 'says so' grep -qx 'All checks hold.' out
for set in train-train test-train; do
    holds "training raises RR, $set" grep -qE "^\| training raises RR: K_t - K_0 \| $set \| 0\.0[0-9]+ \| \[0\.[0-9]+, 0\.[0-9]+\] \| holds \|\$" out
    for which in 'K + lambda Z (ls-v1)' 'K^(NTH)'; do
        holds "$which above NTK, $set" grep -qF "| $which - NTK | $set | 0.0" out
        holds "$which by the labels, $set" grep -qE "^\| $(printf '%s' "$which" | sed 's/[+^()]/\\&/g') - permuted: by the labels \| $set \| .* \| $([ $set = test-train ] && echo holds || echo reported) \|\$" out
    done
done
holds 'no claim of a control' test "$(grep -cE '^\| (control:|share of|gap:|K_t - K_t|K \+ lambda Z \(kr-v1\)).* \| reported \|$' out)" = "$(grep -cE '^\| (control:|share of|gap:|K_t - K_t|K \+ lambda Z \(kr-v1\)) ?' out)"
holds 'eight claims' test "$(grep -c ' | holds |$' out)" = 8
holds '--table has the same tables' test "$(grep '^|' E.md)" = "$(grep '^|' out)"
expect 0 '' info E.h5
for part in '/rr/network_initial (2,4)' '/rr/nth_permuted (2,4)' '/differences/training (2,5)' '/differences/hr_labels (2,5)' '@status = complete'; do
    holds "writes $part" grep -qFx "$part" out
done
expect 0 '' report E.h5 --out page --gnuplot no --quiet
holds 'kind in a report' grep -qx 'E.h5: verification of local elasticity' out
holds 'eleven kernels on two sets of pairs' test "$(wc -l <page/1-elasticity.csv)" = 23
holds 'eight claims in the report' test "$(grep -c ',holds$' page/1-differences.csv)" = 8

# A small problem by single commands: the same ratios and the same resamples.
S='synthetic:two-objects?n=30&test=20&seed=3&size=8'
run="verify elasticity --quiet --seeds 1 --widths 32 --data $S"
small() { status=$1; shift; expect "$status" '' $run --bootstrap 50 "$@"; }
# of KERNEL SET NUMBER: from the object of --json.
of() { sed -n "/\"kernel\": \"$1\"/,/\"kernel\"/p" whole | sed -n "/\"$2\"/,/}/s/^ *\"$3\": \([^,]*\),*\$/\1/p"; }
pairs() { sed -n "/^  \"$1\"/,/^  }/s/^    \"$2\": \([^,]*\),*$/\1/p" out; }
near() { awk -v a="$1" -v b="$2" -v t="$3" 'BEGIN { d = a / b - 1; exit !(a != "" && d <= t && d >= -t) }'; }
same() { # KERNEL BOUND, after nth elastic --json
    for set in train_train test_train; do
        holds "$1: RR, $set" near "$(of $1 $set value)" "$(pairs $set rr)" $2
        holds "$1: interval, $set" near "$(of $1 $set low)" "$(pairs $set low)" $2
    done
}
small 1 --times 100 --json --threads 1
cp out whole
small 1 --times 100 --json --threads 3
holds 'same bits on 3 threads' cmp out whole
expect 0 '' kernel --kind ntk --activation quadratic --data "$S" --out K.h5
expect 0 '' elastic --gram K.h5 --data "$S" --bootstrap 50 --json --quiet
same ntk 1e-9
expect 0 '' net --widths 64,16,1 --activation quadratic --init antisymmetric --seed 1 --out n.h5
expect 0 '' kernel --net n.h5 --data "$S" --out K0.h5
expect 0 '' elastic --gram K0.h5 --data "$S" --bootstrap 50 --json --quiet
same network_initial 1e-9
expect 0 '' train --net n.h5 --data "$S" --times 100 --rtol 1e-8 --out R.h5 --quiet
expect 0 '' kernel --net R.h5 --data "$S" --out Kt.h5
expect 0 '' elastic --gram Kt.h5 --data "$S" --bootstrap 50 --json --quiet
same network_trained 1e-4
for variant in ls-v1 kr-v1; do
    expect 0 '' lantk --variant $variant --base K.h5 --data "$S" --out Z.h5 --quiet
    weight=$(sed -n 's/.*: weight = \(.*\) r (E74)/\1/p' out | awk '{ printf "%.9g", 0.1 * $1 }')
    expect 0 '' elastic --gram K.h5 --add Z.h5:/Z --weight $weight --data "$S" --bootstrap 50 --json --quiet
    if [ $variant = ls-v1 ]; then same hr 1e-5; else same kr 1e-5; fi
done

# Labels that have nothing to do with the inputs: on test-train pairs nothing may be counted as gained by them.
awk 'function u() { x = (x * 16807) % 2147483647; return x / 2147483647 }
     BEGIN { x = 12345; print "a,b,c,d,e,f,y"
             for (i = 0; i < 160; ++i) { for (j = 0; j < 6; ++j) printf "%.6f,", u() + u() + u() - 1.5; print (u() < 0.5 ? "p" : "q") } }' >noise.csv
expect 1 '' verify elasticity --quiet --seeds 2 --widths 32 --times 30 --data 'csv:noise.csv?target=y&train=80&test=80'
holds 'no label information' test "$(grep -cE '^\| (K \+ lambda Z \(ls-v1\)|K\^\(NTH\)) - permuted: by the labels \| test-train .* (UNDECIDED|FAILS) \|$' out)" = 2
holds 'no elasticity gained by training' grep -qE '^\| training raises RR: K_t - K_0 \| test-train .* (UNDECIDED|FAILS) \|$' out

holds 'no gap, no share of it' test "$(grep -cE '^\| share of .* \| none \| none: [0-9]+ resamples undefined \| reported \|$' out)" = 8

# What does not hold, or cannot be said, is told: no training, no resamples, a kernel that is not definite.
small 1 --times 1e-9
holds 'no training, nothing gained' test "$(grep -cE '^\| training raises RR.* (FAILS|UNDECIDED) \|$' out)" = 2
holds 'checks are counted' grep -qE '^[1-9][0-9]* checks do not hold\.$' out
expect 1 '' $run --bootstrap 0 --times 100
holds 'no resamples, no verdict' test "$(grep -c ' | UNDECIDED |$' out)" = 8
small 1 --times 100 --label-ratio 1000
holds 'not definite: told' grep -qE '^[0-9]+ ratios do not exist; the first one is that of K \+ lambda Z \((ls|kr)-v1\): (diagonal entry [0-9]+ of the (training|test) inputs is -.*; the normaliser needs positive ones|M1 = .* and M2 = .*: their sum is not positive, so that M1/\(M1 \+ M2\) says nothing)\.$' out
holds 'not definite: undecided' grep -qE '^\| K \+ lambda Z \(ls-v1\) - NTK \| .* \| none \| none: [0-9]+ resamples undefined \| UNDECIDED \|$' out

# Mistakes.
ask() { status=$1 message=$2; shift 2; expect "$status" "nth verify: $message" verify elasticity --quiet "$@"; }
ask 2 '--depth does not go with elasticity' --depth 3
ask 2 '--sigma-b does not go with elasticity' --sigma-b 1
ask 2 '--widths: elasticity takes one, here are 2' --widths 32,64
ask 2 '--activation: elasticity takes one, here are 2' --activation relu,erf
ask 2 '--times: inf; elasticity takes a positive, finite time' --times inf
ask 2 '--widths: 33; an antisymmetric net has two copies of half the width, so it must be even' --widths 33
ask 2 '--label-ratio: 0 is not above 0 and at most 1e+06' --label-ratio 0
ask 2 '--table E.txt: a name that ends in .md, .csv or .tex is expected' --table E.txt
ask 2 'elasticity looks at pairs of test and training inputs, synthetic:two-objects?n=30&test=0 has no test inputs' --data 'synthetic:two-objects?n=30&test=0'
printf 'a,b,y,split\n0,1,0.5,1\n1,0,1,1\n2,1,-1,0\n' >half.csv
ask 3 'csv:half.csv?target=y&task=regress&split=split&fold=0: label 1 is 0.5; two classes are labelled +1 and -1' --data 'csv:half.csv?target=y&task=regress&split=split&fold=0'
expect 2 'nth verify: --label-ratio does not go with claim-1.1' verify claim-1.1 --label-ratio 1
holds 'nothing is left behind' test -z "$(ls | grep -E 'partial|E.txt')"
