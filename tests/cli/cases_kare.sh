# SPDX-License-Identifier: GPL-3.0-or-later
#
# nth kare: KARE of a kernel file, training and what it leaves, and every way of asking for what is not there.

S='synthetic:sphere?n=40&d=6&test=20&seed=1'
expect 0 '' data "$S" --out d.h5
expect 0 '' kernel --kind ntk --activation relu --depth 3 --data "$S" --out K.h5
expect 0 '' net --widths 6,20,1 --activation gelu --sigma-b 0.2 --seed 4 --out N.h5
kare() { status=$1 message=$2; shift 2; expect "$status" "${message:+nth kare: $message}" kare --data d.h5 --quiet "$@"; }
field() { sed -n "s/^  \"$1\": \(.*[^,]\),*$/\1/p" out; } # of the outermost object
near() { awk -v a="$1" -v b="$2" -v tol="$3" 'BEGIN { d = a / b - 1; exit !(d < tol && d > -tol) }'; }

# A kernel file: GCV at ridge n z.
kare 0 '' --gram K.h5 --lambda 0.1 --evaluate --json
for key in kare lambda slope n columns; do holds "JSON has $key" test -n "$(field $key)"; done
one=$(field kare)
"$nth" regress --gram K.h5 --data d.h5 --ridge 4 --json >out
holds 'KARE is GCV' near "$one" "$(field gcv)" 1e-12
kare 0 '' --gram K.h5 --json
slope=$(field slope)
holds 'KARE is N/D^2' near "$one" "$(awk -v N="$(field signal)" -v D="$(field inverse_trace)" 'BEGIN { printf "%.17g", N / (D * D) }')" 1e-12
for z in 0.0999 0.1001; do kare 0 '' --gram K.h5 --lambda $z --json; cp out at$z; done
both() { sed -n 's/^  "kare": \(.*[^,]\),*$/\1/p' at0.0999 at0.1001; }
holds 'the slope is a difference' near "$slope" "$(both | awk 'NR == 1 { a = $1 } NR == 2 { printf "%.17g", ($1 - a) / 2e-4 }')" 1e-4
kare 0 '' --gram K.h5:/K
holds 'one line' grep -qE '^KARE [0-9.]+ at lambda 0.1, slope -?[0-9.]+; kernel K.h5/K, 40 samples, 1 column of targets$' out
kare 2 '--lambda: 0 is not above 0 and at most 1e+100' --gram K.h5 --lambda 0
kare 2 '--lambda: -1 is not above 0 and at most 1e+100' --gram K.h5 --lambda -1
kare 2 '--evaluate needs --gram FILE' --evaluate --net N.h5
kare 2 '--steps does not go with --gram; that kernel is evaluated as it is' --gram K.h5 --steps 3
kare 2 '--activation does not go with --gram; that kernel is evaluated as it is' --gram K.h5 --activation relu
kare 2 '--sigma-b does not go with --gram; that kernel is evaluated as it is' --gram K.h5 --sigma-b 1
kare 3 'absent.h5: cannot be opened: No such file or directory' --gram absent.h5
kare 3 'd.h5: /x is 40 x 6 (rank 2); 40 x 40 is expected: d.h5 has 40 training and 0 test inputs' --gram d.h5:/x

# Training: KARE falls; the file's network has the file's kernel, whose KARE is the last one reported.
kare 0 '' --net N.h5 --steps 20 --learning-rate 2 --every 5 --json --out R.h5
holds '20 steps' test "$(field steps)" = 20
last=$(field kare) risk=$(field test_risk)
holds 'KARE falls' awk -v a="$last" -v b="$(sed -n 's/^ *"kare": \([0-9.e+-]*\),*$/\1/p' out | head -n 1)" 'BEGIN { exit !(a < b) }'
holds 'the gap is KARE - test risk' awk -v a="$last" -v b="$risk" -v gap="$(field gap)" 'BEGIN { d = a - b - gap; exit !(d < 1e-12 && d > -1e-12 && gap != 0) }'
expect 0 '' info R.h5
for part in '/step (5)' '/kare (5)' '/test_risk (5)' '/K (40,40)' '/K_test (20,40)' '/fits (11,6)' '/fits_initial (11,6)' '/fits_infinite (11,6)' '/net/W1 (20,6)' '@status = complete'; do holds "writes $part" grep -qFx "$part" out; done
kare 0 '' --gram R.h5 --json
holds 'KARE of the kernel written' near "$(field kare)" "$last" 1e-12
expect 0 '' kernel --net R.h5 --data d.h5 --out KR.h5
kare 0 '' --gram KR.h5 --json
holds 'KARE of the network written' near "$(field kare)" "$last" 1e-12
"$nth" regress --gram R.h5 --data d.h5 --ridge 4 --json >out
holds 'test risk is that of ridge n z' near "$(field mse)" "$risk" 1e-10

kare 0 '' --widths 6,9,8,1 --activation tanh --seed 4 --steps 0
holds 'one point' test "$(grep -cE '^ +0 +[0-9.]+ +[0-9.]+ ' out)" = 1
holds 'three kernels' test "$(grep -c '^ridge regression with the ' out)" = 3
holds 'eleven ridges each' test "$(grep -cE '^ +[0-9.e+-]+ +[0-9.e+-]+ +[0-9.]+ +[0-9.]+ +[0-9.]+ +[01]\.[0-9]{4}$' out)" = 33
holds 'choices of each kernel' test "$(grep -cE '^by (KARE|leave-one-out): alpha [0-9.e+-]+, test mse [0-9.]+, accuracy [01]\.[0-9]{4}$' out)" = 6
holds 'the least of each curve' test "$(grep -cE '^least of the curve \(optimistic, the test set chose it\): alpha ' out)" = 3
holds 'the mean target' grep -qE '^the mean training target: test mse 1 \+- ' out
for t in 1 3; do kare 0 '' --net N.h5 --steps 6 --batch 16 --threads $t --json; cp out bits$t; done
holds 'same bits on 3 threads' cmp bits1 bits3
kare 0 '' --net N.h5 --steps 6 --batch 16 --seed 2 --json
holds 'other batches' sh -c '! cmp -s out bits1'
kare 0 '' --net N.h5 --steps 1 --alpha 0.5 --json
holds 'one ridge, chosen three times' test "$(grep -c '"alpha"' out)" = 12

kare 0 '' --net N.h5 --steps 1 --learning-rate 1 --flow-time 30 --alpha 1e-3,1 --json
holds 'the network itself' test -n "$(field flow_mse)"
after=$(awk '/"after_flow"/ { on = 1 } on && /"mse"/ { gsub(/[ ,]/, ""); sub(/.*:/, ""); print; exit }' out)
expect 0 '' train --net N.h5 --data d.h5 --times 30 --out T.h5 --quiet
expect 0 '' kernel --net T.h5 --data d.h5 --out KT.h5
kare 0 '' --net N.h5 --steps 1 --learning-rate 1 --flow-time 30 --alpha 1e-3,1 --json
ridge=$(awk '/"after_flow"/ { on = 1 } on && /"z"/ { gsub(/[ ,]/, ""); sub(/.*:/, ""); print 40 * $0; exit }' OFMT=%.17g out)
"$nth" regress --gram KT.h5 --data d.h5 --ridge "$ridge" --json >out
holds 'regression with the kernel after the flow' near "$(field mse)" "$after" 1e-5
kare 0 '' --widths 6,9,1 --activation relu --steps 0 --flow-time 2 --alpha 1
holds 'relu flows, too' grep -qE '^the network itself after gradient flow to time 2: test mse [0-9.]+ \+- [0-9.]+, accuracy [01]\.[0-9]{4}; training mse [0-9.]+$' out
printf 'a,y\n1,a\n2,b\n3,c\n4,a\n5,b\n6,c\n' >three.csv
expect 2 'nth kare: --flow-time needs one column of targets for the network'"'"'s output, csv:three.csv?target=y&train=6&test=0 has 3' kare --data 'csv:three.csv?target=y&train=6&test=0' --widths 1,5,1 --flow-time 1 --quiet
expect 2 'nth kare: --net-steps needs an output for each column of targets: the network has 1, csv:three.csv?target=y&train=6&test=0 has 3' kare --data 'csv:three.csv?target=y&train=6&test=0' --widths 1,5,1 --net-steps 1 --quiet
expect 0 '' kare --data 'csv:three.csv?target=y&train=6&test=0' --widths 1,5,1 --steps 2 --quiet
holds 'without a test set the training set still chooses' grep -qE '^by leave-one-out: alpha [0-9.e+-]+$' out

# Several classes: a network with an output for each, by the kernel of their sum or the mean of their kernels.
awk 'BEGIN { srand(3); print "a,b,c,y"; for (i = 0; i < 60; ++i) { a = rand() - 0.5; b = rand() - 0.5; print a "," b "," rand() "," (a > 0.1 ? "u" : b > 0 ? "v" : "w") } }' >classes.csv
expect 0 '' data 'csv:classes.csv?target=y&train=40&test=20' --out c.h5
expect 0 '' net --widths 3,9,3 --activation gelu --sigma-b 0.3 --seed 2 --out N3.h5
many() { status=$1 message=$2; shift 2; expect "$status" "${message:+nth kare: $message}" kare --data c.h5 --quiet "$@"; }
for outputs in sum trace; do
    many 0 '' --net N3.h5 --outputs $outputs --steps 20 --learning-rate 1 --every 5 --json --out R3.h5
    last=$(field kare) risk=$(field test_risk)
    cp out R3.$outputs
    holds "$outputs falls" awk -v a="$last" -v b="$(sed -n 's/^ *"kare": \([0-9.e+-]*\),*$/\1/p' out | head -n 1)" 'BEGIN { exit !(a < b) }'
    holds "says $outputs" test "$(field outputs)" = "\"$outputs\""
    holds 'accuracies' test "$(grep -c '"accuracy"' out)" = 42
    expect 0 '' kernel --net R3.h5 --data c.h5 --outputs $outputs --out K3.h5
    "$nth" kare --gram K3.h5 --data c.h5 --json >out
    holds "KARE of the network written, $outputs" near "$(field kare)" "$last" 1e-12
    holds 'three columns' test "$(field columns)" = 3
    first=$(awk '/"trained"/ { on = 1 } on && /"loo"/ { print $2 + 0; exit }' OFMT=%.17g R3.$outputs)
    "$nth" regress --gram K3.h5 --data c.h5 --ridge "$(awk '/"trained"/ { on = 1 } on && /"z"/ { printf "%.17g", 40 * $2; exit }' R3.$outputs)" --json >out
    holds "leave-one-out of three columns, $outputs" near "$(field loo_mse)" "$first" 1e-5
    "$nth" regress --gram K3.h5 --data c.h5 --ridge 4 --json >out
    holds 'test risk is that of ridge n z' near "$(field mse)" "$risk" 1e-10
    for t in 1 3; do many 0 '' --net N3.h5 --outputs $outputs --steps 4 --batch 16 --net-steps 3 --threads $t --json; cp out bits$t; done
    holds 'same bits on 3 threads' cmp bits1 bits3
    cp bits1 many.$outputs
done
holds 'two kernels' sh -c '! cmp -s many.sum many.trace'
many 0 '' --net N3.h5 --steps 4 --batch 16 --net-steps 3 --threads 1 --json
holds 'the sum unless told' cmp out many.sum
many 0 '' --net N3.h5 --steps 1 --net-steps 300 --net-learning-rate 0.5 --alpha 1 --outputs trace
holds 'says the kernel' grep -qFx 'kernel of 3 outputs: mean of the kernels of each' out
holds 'the network classifies' awk '/^the network itself after 300 steps: test mse / { sub(/.*accuracy /, ""); found = $1 + 0 >= 0.75 } END { exit !found }' out
# At a kernel times 3 and 3 z (of infinite width the sum is that) everything else is the same.
infinite() { awk -v key="\"${2-z}\":" '/"fits"/ { on = 1 } on && /"infinite_width"/ { in_it = 1 } in_it && $1 == key { print $2 + 0; exit }' OFMT=%.17g many.$1; }
holds 'infinite width' near "$(infinite sum)" "$(awk -v z="$(infinite trace)" 'BEGIN { printf "%.17g", 3 * z }')" 1e-12
for key in kare loo mse; do holds "infinite width, $key" near "$(infinite sum $key)" "$(infinite trace $key)" 1e-9; done
# Classes under other names are other columns: no error depends on their order.
sed 's/,u$/,z/' classes.csv >renamed.csv
expect 0 '' data 'csv:renamed.csv?target=y&train=40&test=20' --out cz.h5
many 0 '' --widths 3,5,3 --steps 0 --alpha 1 --json
mean=$(field mean_mse) risk=$(field test_risk)
expect 0 '' kare --data cz.h5 --widths 3,5,3 --steps 0 --alpha 1 --json --quiet
holds 'the mean target of three columns' near "$(field mean_mse)" "$mean" 1e-12
holds 'test risk of three columns' near "$(field test_risk)" "$risk" 1e-12
# The network of three outputs itself, wide: the loss is a mean over columns without the 1/2, so N steps are 2 N rate/3 of the flow's time.
many 0 '' --widths 3,3000,3 --activation gelu --sigma-b 0.3 --init antisymmetric --steps 0 --net-steps 50 --net-learning-rate 0.15 --alpha 1 --json
fit=$(field network_training_mse) mse=$(field network_mse)
expect 0 '' kernel --kind ntk --activation gelu --depth 2 --sigma-b 0.3 --data c.h5 --out KI.h5
expect 0 '' regress --gram KI.h5 --data c.h5 --times 5 --json
holds 'training error of three outputs' near "$fit" "$(sed -n 's/.*"train_mse": \([0-9.e+-]*\),*$/\1/p' out)" 0.02
holds 'test error of three outputs' near "$mse" "$(awk '$1 == "\"mse\":" { v = $2 + 0 } END { print v }' OFMT=%.17g out)" 0.02
many 2 '--outputs: "mean" is none of sum, trace' --net N3.h5 --outputs mean
many 2 '--outputs does not go with --gram; that kernel is evaluated as it is' --gram K3.h5 --outputs sum
many 2 '--outputs goes with a network of several outputs; --widths has one' --widths 3,5,1 --outputs sum
many 2 '--net-steps needs an output for each column of targets: the network has 2, c.h5 has 3' --widths 3,5,2 --net-steps 1
many 2 "--flow-time needs one column of targets for the network's output, c.h5 has 3" --net N3.h5 --flow-time 1
kare 2 '--flow-time needs a network of one output, this one has 3' --widths 6,5,3 --flow-time 1

# The choice is the least of its column; leave-one-out is that of nth regress.
kare 0 '' --net N.h5 --steps 1 --learning-rate 1 --alpha 1e-2,1,1e2 --json --out C.h5
best() { awk -v key="\"$1\"" '/"fits"/ { on = 1 } on && /"trained"/ { in_it = 1 } in_it && $1 == key ":" { v = $2 + 0; if (least == "" || v < least) least = v } in_it && /\]/ { print least; exit }' out; }
pick() { awk -v by="\"$1\"" -v key="\"$2\"" '/"chosen"/ { on = 1 } on && /"trained"/ { in_it = 1 } in_it && $1 == by ":" && $2 == "{" { here = 1; next } here && $1 == key ":" { print $2 + 0; exit }' OFMT=%.17g out; }
holds 'KARE chooses' near "$(best kare)" "$(pick kare kare)" 1e-5
holds 'leave-one-out chooses' near "$(best loo)" "$(pick loo loo)" 1e-5
holds 'the least is the least' near "$(best mse)" "$(pick least mse)" 1e-5
loo=$(pick loo loo) z=$(pick loo z)
"$nth" regress --gram C.h5 --data d.h5 --ridge "$(awk -v z="$z" 'BEGIN { printf "%.17g", 40 * z }')" --json >out
holds 'leave-one-out is that of regress' near "$(field loo_mse)" "$loo" 1e-5

kare 0 '' --net N.h5 --steps 0 --alpha 1e60,1e80 --json
holds 'of equal fits the largest ridge' test "$(pick kare alpha) $(pick least alpha)" = '1e+80 1e+80'
# A kernel of low rank: no regression at ridges below its rounding, and the others are as without these.
expect 0 '' kare --data d.h5 --widths 6,2,1 --activation relu --steps 1 --alpha 1e-20,1e-16,1 --json --quiet --out L.h5
rows() { awk '/"fits"/ { on = 1 } on && /"trained"/ { in_it = 1 } in_it && $1 == "\"'"$1"'\":" { ++n } in_it && /\]/ { print n + 0; exit }' out; }
holds 'three ridges' test "$(rows alpha)" = 3
holds 'one fit' test "$(rows kare) $(rows loo) $(rows mse)" = '1 1 1'
fit=$(pick kare kare)
expect 0 '' kare --data d.h5 --widths 6,2,1 --activation relu --steps 1 --alpha 1 --json --quiet
holds 'the same fit' near "$(pick kare kare)" "$fit" 1e-12
expect 0 '' kare --data d.h5 --widths 6,2,1 --activation relu --steps 1 --alpha 1e-20,1 --quiet
holds 'it says singular' grep -qE '^ +1e-20 +[0-9.e-]+ +singular$' out

# The network itself, as nth train trains it: its learning rate is for half the loss.
kare 0 '' --net N.h5 --steps 0 --net-steps 200 --net-learning-rate 0.05 --alpha 1,10 --json
mse=$(field network_mse) fit=$(field network_training_mse)
ridge=$(awk '/"after_network"/ { on = 1 } on && /"z"/ { gsub(/[ ,]/, ""); sub(/.*:/, ""); printf "%.17g", 40 * $0; exit }' out)
after=$(awk '/"after_network"/ { on = 1 } on && /"mse"/ { gsub(/[ ,]/, ""); sub(/.*:/, ""); print; exit }' out)
expect 0 '' train --net N.h5 --data d.h5 --optimizer sgd --batch 40 --epochs 200 --learning-rate 0.1 --record 200 --kernel yes --out O.h5 --json --quiet
holds 'training error' near "$fit" "$(awk '$1 == "\"loss\":" { print 2 * $2; exit }' OFMT=%.17g out)" 1e-6
holds 'test error' near "$mse" "$(awk '$1 == "\"loss_test\":" { print 2 * $2; exit }' OFMT=%.17g out)" 1e-6
"$nth" regress --gram O.h5 --data d.h5 --ridge "$ridge" --json >out
holds 'regression with the kernel after training' near "$(field mse)" "$after" 1e-6
expect 3 "nth kare: training the network by --net-learning-rate 1e+08: epoch 4, batch 1: the loss is not finite; epoch 3 was the last good one" kare --data d.h5 --widths 6,9,1 --activation quadratic --steps 0 --net-steps 500 --net-learning-rate 1e8 --quiet
kare 2 '--net-learning-rate goes with --net-steps N, the training of the network itself' --net N.h5 --net-learning-rate 0.1
kare 2 '--net-steps: 0 is not in the range 1 to 1000000000' --net N.h5 --net-steps 0

# Rules of a step; standard parameterization has a counterpart of infinite width.
kare 0 '' --net N.h5 --steps 20 --optimizer adam --learning-rate 0.02 --json
holds 'adam learns' awk -v a="$(field kare)" -v b="$(sed -n 's/^ *"kare": \([0-9.e+-]*\),*$/\1/p' out | head -n 1)" 'BEGIN { exit !(a < b) }'
kare 2 '--optimizer: "adem" is none of sgd, adam; did you mean "adam"?' --net N.h5 --optimizer adem
kare 0 '' --widths 6,9,1 --activation gelu --parameterization standard --init framework --steps 1
holds 'a counterpart, named' grep -qFx 'ridge regression with the kernel of infinite width of the network in NTK parameterization (sigma_w^2 = 1/3, sigma_b^2 = 1/(3 d))' out
standard=$(awk '/infinite width/ { on = 1 } on && $1 == "1" { print $5; exit }' out) z=$(awk '/infinite width/ { on = 1 } on && $1 == "1" { printf "%.17g", 40 * $2; exit }' out)
expect 0 '' kernel --kind ntk --activation gelu --depth 2 --sigma-w 0.57735026918962573 --sigma-b 0.23570226039551584 --data d.h5 --out S.h5
"$nth" regress --gram S.h5 --data d.h5 --ridge "$z" --json >out
holds 'it is that kernel' near "$(field mse)" "$standard" 1e-4
kare 2 '--parameterization does not go with --net; the network file says it' --net N.h5 --parameterization standard

# The simulation of the paper, small.
expect 0 '' kare --data 'synthetic:cosine?n=60&test=20&gamma=1.25&noise=0.1' --widths 10,8,1 --steps 2 --quiet
expect 2 'nth kare: synthetic:cosine has no key "label"' kare --data 'synthetic:cosine?label=1' --widths 10,8,1 --quiet

# Bad input.
kare 2 '--net FILE or --widths WIDTH,.. is missing: the network to train (--gram FILE evaluates a kernel)'
kare 2 '--widths does not go with --net; the network file says it' --net N.h5 --widths 6,9,1
kare 2 '--widths: the first is 5, d.h5 has inputs of dimension 6' --widths 5,9,1
kare 2 '--alpha: 1 does not come after 10; ascending ridges are expected' --net N.h5 --alpha 10,1
kare 2 '--alpha: 0 is not above 0 and at most 1e+100' --net N.h5 --alpha 0,1
kare 2 '--learning-rate: 0 is not above 0 and at most 1e+300' --net N.h5 --learning-rate 0
kare 2 '--batch: 41; 2 to 40 samples are expected, or 0 for all' --net N.h5 --batch 41
kare 2 '--batch: 1; 2 to 40 samples are expected, or 0 for all' --net N.h5 --batch 1
kare 2 '--steps: -1 is not in the range 0 to 1000000000' --net N.h5 --steps -1
printf 'a,b,y\n1,2,7\n3,1,7\n0,5,7\n2,2,7\n' >flat.csv
expect 3 'nth kare: the targets of all 4 samples are equal: there is nothing to learn' kare --data 'csv:flat.csv?target=y&task=regress&train=4&test=0' --widths 2,5,1 --quiet
expect 3 'nth kare: regressions with the kernel before training: kernel with ridge 0 is numerically singular: condition number inf, above 1/(n eps) = 1.13e+14; its eigenvalues go from 0.000e+00 to 0.000e+00' kare --data d.h5 --widths 6,2,1 --sigma-w 1e-200 --activation relu --quiet
holds 'nothing is left behind' test -z "$(ls | grep partial)"

# A run that diverges: the last good step is named and kept, and is a network.
"$nth" kare --data d.h5 --net N.h5 --activation quadratic >out 2>err
holds 'an activation does not go with a file' grep -q -- '--activation does not go with --net' err
"$nth" kare --data d.h5 --widths 6,9,8,1 --activation quadratic --learning-rate 1e90 --out B.h5 --quiet >out 2>err ; got=$?
holds 'status 3' test $got = 3
holds 'the last good step' grep -qE '^nth kare: after 1 steps: row 1 of the kernel is not finite \(last good step 0; KARE [0-9.]+ at step 0; network and curve are in B.h5.partial\)$' err
expect 0 '' kernel --net B.h5.partial --data d.h5 --out KB.h5
expect 0 '' info B.h5.partial
holds 'the curve so far' grep -qx '/kare (1)' out
