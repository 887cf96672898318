# SPDX-License-Identifier: GPL-3.0-or-later
#
# nth kernel at infinite width: all kinds, options that belong to others, interruption and its continuation.
# (The empirical kernel: cases_net.sh. The numbers: test_commands.c.)

expect 0 '' data 'synthetic:sphere?n=5&d=32&test=2&seed=1' --out d.h5
ask() { status=$1 message=$2; shift 2; expect "$status" "${message:+nth kernel: $message}" kernel --data d.h5 --quiet "$@"; }
conv='--image 2,4,4 --strides 1,2'

for kind in ntk nngp; do
    ask 0 '' --kind $kind --activation relu --depth 3 --out K.h5
    holds "$kind: blocks" test "$(sed 's/ *largest.*//; s/  */ /' out | tr '\n' ';')" = '/K (5,5);/K_test (2,5);/K_test_test (2,2);written to K.h5;'
done
for kind in cntk cnngp; do
    ask 0 '' --kind $kind $conv --sigma-w 1.5 --sigma-b 0.1 --out K.h5
    holds "$kind: blocks" test "$(sed 's/ *largest.*//; s/  */ /' out | tr '\n' ';')" = '/K (5,5);/K_test (2,5);/K_test_test (2,2);written to K.h5;'
    ask 0 '' --kind $kind $conv --pooling gap --test-test no --out K.h5 --json
    holds "$kind: kind in JSON" grep -q "\"kind\": \"$kind\"" out
    holds "$kind: no test-test block in JSON" test "$(grep -c '"/K' out)" = 2
    expect 0 '' info K.h5
    holds "$kind: nor in the file" test "$(grep -c '^/K_test_test' out)" = 0 -a "$(grep -c '^/K' out)" = 3
    holds "$kind: but the diagonal" grep -qx '/K_test_diag (2)' out
    holds "$kind: settings are recorded" grep -q '"strides": \[1, 2\], "pooling": "gap", "image": \[2, 4, 4\], "test-test": "no"' out
done
for activation in tanh erf softplus gelu sin relu linear quadratic leaky_relu abs cos cubic silu; do
    ask 0 '' --kind ntk --activation $activation --out K.h5 --json
    holds "$activation: JSON" grep -q '"kind": "ntk"' out
done
ask 0 '' --kind nngp --activation leaky_relu --slope 0.3 --out K.h5
ask 0 '' --kind ntk --activation tanh --tolerance 1e-6 --out K.h5
expect 0 '' info K.h5
holds 'error of dual activations' grep -qE '^@dual_error = [0-9.]+e-(0[7-9]|1[0-9])$' out
expect 0 '' kernel --kind ntk --data 'synthetic:sphere?n=5&d=6&test=0&seed=1' --test-test no --out K.h5 --quiet
holds 'no test inputs, no test blocks' test "$(grep -c '^/K' out)" = 1
ask 0 '' --kind cntk --image 2,4,4 --preset lantk-cnn8 --out K.h5
expect 0 '' data 'synthetic:sphere?n=2&d=784&test=0&seed=1' --out known.h5
expect 0 '' kernel --kind cntk --data known.h5 --strides 2,2 --out K.h5 --quiet
rm K.h5

# Mistakes: one line that names the option.
of_conv='convolutional kernels are --kind cntk and cnngp'
of_relu='convolutional kernels are of relu and take --preset or --strides'
for option in --activation=relu --slope=0.1 --depth=3 --tolerance=1e-6 --input-scale=one; do
    ask 2 "${option%=*} does not go with --kind cntk; $of_relu" --kind cntk $conv $option --out a.h5
    case $option in --tolerance*) why='empirical kernels are exact' ;; *) why='the network file says it' ;; esac
    ask 2 "${option%=*} does not go with --kind empirical; $why" --net x.h5 $option --out a.h5
done
for option in --preset=lantk-cnn8 --strides=1,1 --pooling=gap --image=2,4,4; do
    ask 2 "${option%=*} does not go with --kind nngp; $of_conv" --kind nngp $option --out a.h5
    ask 2 "${option%=*} does not go with --kind empirical; $of_conv" --net x.h5 $option --out a.h5
done
ask 2 '--sigma-w does not go with --kind empirical; the network file says it' --net x.h5 --sigma-w 2 --out a.h5
ask 2 '--sigma-b does not go with --kind empirical; the network file says it' --net x.h5 --sigma-b 2 --out a.h5
ask 2 '--test-test does not go with --kind empirical; empirical kernels always have all blocks' --net x.h5 --test-test no --out a.h5
ask 2 '--net does not go with --kind cnngp; it is the kernel of an architecture' --kind cnngp $conv --net x.h5 --out a.h5
ask 2 '--slope goes with --activation leaky_relu, not with abs' --kind ntk --activation abs --slope 0.1 --out a.h5
ask 2 '--slope goes with --activation leaky_relu, not with tanh' --kind ntk --slope 0.1 --out a.h5
ask 2 '--depth: 1 is not in the range 2 to 32' --kind ntk --depth 1 --out a.h5
ask 2 '--tolerance: 0 is not in the range 2e-14 to 0.1' --kind ntk --tolerance 0 --out a.h5
ask 2 '--sigma-w: 0 is not above 0 and at most 1000' --kind ntk --sigma-w 0 --out a.h5
ask 2 '--activation: "leaky_rel" is none of tanh, erf, softplus, gelu, sin, relu, linear, quadratic, leaky_relu, abs, cos, cubic, silu; did you mean "leaky_relu"?' --kind ntk --activation leaky_rel --out a.h5
ask 2 '--preset or --strides is missing: the convolutions of the architecture' --kind cntk --image 2,4,4 --out a.h5
ask 2 '--preset: "lantk" is none of lantk-cnn8; did you mean "lantk-cnn8"?' --kind cntk --preset lantk --image 2,4,4 --out a.h5
ask 2 '--pooling: "mean" is none of flatten, gap' --kind cntk $conv --pooling mean --out a.h5
ask 2 '--test-test: "maybe" is none of yes, no' --kind cntk $conv --test-test maybe --out a.h5
ask 2 '--strides: 0 is not in the range 1 to 16' --kind cntk --image 2,4,4 --strides 1,0 --out a.h5
ask 2 '--strides: 17 is not in the range 1 to 16' --kind cntk --image 2,4,4 --strides 1,17 --out a.h5
ask 2 '--strides: 1 given; 2 to 32 are expected, one for each convolution' --kind cntk --image 2,4,4 --strides 1 --out a.h5
ask 2 '--strides: 33 given; 2 to 32 are expected, one for each convolution' --kind cntk --image 2,4,4 --strides "$(yes 1 | head -n 33 | paste -sd,)" --out a.h5
ask 2 '--image C,H,W is missing: channels, height and width of inputs of dimension 32' --kind cntk --strides 1,1 --out a.h5
ask 2 '--image: 2 given; 3 are expected: channels, height and width' --kind cntk --strides 1,1 --image 2,16 --out a.h5
ask 2 '--image: 2 x 4 x 5 are 40 numbers, the inputs have 32' --kind cntk --strides 1,1 --image 2,4,5 --out a.h5
ask 2 '--image: 0 is not in the range 1 to 1000000' --kind cntk --strides 1,1 --image 2,0,4 --out a.h5
ask 3 'absent/a.h5.partial: cannot be written: No such file or directory' --kind cntk $conv --out absent/a.h5
expect 3 'nth kernel: absent.h5: cannot be opened: No such file or directory' kernel --kind ntk --data absent.h5 --out a.h5
printf 'a,b,y\n1,2,1\n3e3,1e3,-1\n' >far.csv
far='csv:far.csv?target=y&task=regress&train=2&test=0'
"$nth" kernel --kind ntk --activation tanh --data "$far" --out a.h5 >out 2>err
verdict "$([ $? = 3 ] && [ ! -s out ] && [ "$(wc -l <err)" = 1 ] && grep -qE '^nth kernel: --activation tanh: .*largest variance 5e\+06, tolerance 1e-12 asked, .*; a larger --tolerance or smaller inputs may do$' err; echo $?)" "tolerance out of reach: $(cat err)"
printf 'a,b,y\n1,2,1\n1e200,1,-1\n' >far.csv
expect 3 'nth kernel: input 0 has variance inf at layer 1; 0 or 1e-140 to 1e+140 is within range: scale the inputs or sigma_w' kernel --kind ntk --activation relu --data "$far" --out a.h5
expect 3 'nth kernel: image 0 has a largest pixel of 1e+200; 0 or 1e-50 to 1e+50 is within range: scale the images' kernel --kind cntk --strides 1,1 --image 2,1,1 --data "$far" --out a.h5
holds 'nothing is left behind' test -z "$(ls | grep -E '^a\.h5|partial')"

# Interrupted between tiles: what is done stays, and the same command ends with the same kernel.
expect 0 '' data 'synthetic:sphere?n=700&d=64&test=3&seed=1' --out b.h5
cp b.h5 b1.h5
long='kernel --kind cntk --data b.h5 --image 1,8,8 --strides 1,1 --pooling gap --threads 1 --quiet'
expect 0 '' $long --out whole.h5
cp out whole
"$nth" $long --out L.h5 >out 2>err &
run=$!
for _ in $(seq 100); do [ -e L.h5.partial ] && break; sleep 0.05; done
sleep 0.3
kill -INT $run
wait $run
verdict "$([ $? = 3 ] && [ ! -s out ] && grep -qxE 'nth kernel: interrupted; the same command goes on after [0-9]+ of 78 tiles \(L\.h5\.partial\)' err; echo $?)" "interrupted: $(cat err)"
holds 'no half result' test ! -e L.h5
expect 0 '' info L.h5.partial
holds 'status' grep -qx '@status = partial' out
cp L.h5.partial keep.partial
expect 0 '' data 'synthetic:sphere?n=700&d=64&test=3&seed=2' --out b.h5
sum() { "$nth" data "$1" --out c.h5 --json | sed -n 's/.*"checksum": "\(.*\)".*/\1/p'; }
expect 3 "nth kernel: L.h5.partial was begun with other data (checksum $(sum b1.h5), now $(sum b.h5)); remove it or choose another --out" $long --out L.h5
cp b1.h5 b.h5
for other in '--sigma-w 2' '--test-test no' '--seed 3'; do
    "$nth" $long $other --out L.h5 >out 2>err
    verdict "$([ $? = 3 ] && [ ! -s out ] && [ "$(wc -l <err)" = 1 ] && grep -q '^nth kernel: L.h5.partial: .*another configuration' err; echo $?)" "another configuration is refused: $(cat err)"
done
holds 'refusals leave the tiles that are done' test -e L.h5.partial
head -c 3000 keep.partial >L.h5.partial
expect 3 'nth kernel: L.h5.partial: left by an interrupted run and damaged; remove it or choose another --out' $long --out L.h5
holds 'damaged ones are left, too' test -e L.h5.partial
cp keep.partial L.h5.partial
expect 0 '' $long --out L.h5
sed 's/whole.h5/L.h5/' whole >whole.L
holds 'the same report as in one go' cmp out whole.L
holds 'complete' test -e L.h5 -a ! -e L.h5.partial
expect 0 '' info L.h5
holds 'resumed' grep -qx '@resumed = 1' out

# K^(NTH): both modes, what belongs to which, a budget that does not suffice.
expect 0 '' kernel --kind nth --activation erf --mode exact --data d.h5 --out x.h5
holds 'agnostic and label parts' test "$(grep -c '^/K_\(agnostic\|label\)' out)" = 6
expect 0 '' kernel --kind nth --activation relu --data d.h5 --rse 0.05 --out s.h5 --quiet
holds 'standard errors' grep -q '^/K_label_se ' out
holds 'means over classes' grep -qE '^mean of /K_label over pairs of equal labels [0-9.e+-]+ \(with self pairs [0-9.e+-]+\), of unequal labels [0-9.e+-]+$' out
holds 'a.e. is said' grep -qx "relu: the almost-everywhere form (a.e.), sigma'' = 0" out
expect 0 '' kernel --kind nth --activation tanh --data d.h5 --rse 0.2 --time 2 --out s.h5 --quiet --json
holds 'draws in JSON' grep -q '"draws": 10240' out
expect 0 '' info s.h5
holds 'form recorded' grep -qx '@form = complete' out
expect 1 '' kernel --kind nth --activation relu --data d.h5 --rse 1e-5 --draws 10240 --out s.h5 --quiet
holds 'what was reached is said' grep -qE '^10240 draws in 20 batches, relative standard error 0\.0[0-9]+ \(asked 1e-05\)$' out

printf 'a,b,y\n1,2,1\n0,0,-1\n2,1,1\n-1,1,-1\n' >zero.csv
for mode in exact sampled; do
    expect 3 'nth kernel: csv:zero.csv?target=y: training input 1 has norm zero, so its kernel has no inverse and t = inf no value; leave it out or give --time T' kernel --kind nth --activation relu --mode $mode --data 'csv:zero.csv?target=y' --out a.h5
done
expect 0 '' kernel --kind nth --activation relu --mode exact --time 2 --data 'csv:zero.csv?target=y' --out z.h5 --quiet
holds 'a finite time takes it' grep -q '^/K_label ' out

# A sampling interrupted goes on from OUT.state to the same numbers.
expect 0 '' data 'synthetic:sphere?n=300&d=64&test=3&seed=1' --out b.h5
long='kernel --kind nth --activation tanh --data b.h5 --rse 1e-6 --draws 60000 --quiet'
expect 1 '' $long --out whole.h5
sed 's/whole.h5/S.h5/' out >whole
"$nth" $long --out S.h5 >out 2>err &
run=$!
for _ in $(seq 200); do [ -e S.h5.partial ] && break; sleep 0.02; done
sleep 0.3
kill -INT $run
wait $run
verdict "$([ $? = 3 ] && [ ! -s out ] && grep -qxE 'nth kernel: interrupted; the same command goes on after [0-9]+ draws \(S\.h5\.state\)' err; echo $?)" "interrupted: $(cat err)"
holds 'no half result' test ! -e S.h5 -a -e S.h5.state
cp S.h5.state keep.state
"$nth" $long --seed 9 --out S.h5 >out 2>err
verdict "$([ $? = 3 ] && grep -qx 'nth kernel: S.h5.state was begun with other options; remove it or choose another --out' err; echo $?)" "other options are refused: $(cat err)"
holds 'and the state kept' cmp S.h5.state keep.state
cp b.h5 b1.h5
expect 0 '' data 'synthetic:sphere?n=300&d=64&test=3&seed=2' --out b.h5
expect 3 "nth kernel: S.h5.state was begun with other data (checksum $(sum b1.h5), now $(sum b.h5)); remove it or choose another --out" $long --out S.h5
holds 'and the state kept, too' cmp S.h5.state keep.state
cp b1.h5 b.h5
head -c 3000 keep.state >S.h5.state
"$nth" $long --out S.h5 >out 2>err
verdict "$([ $? = 3 ] && [ "$(wc -l <err)" = 1 ] && grep -q 'S.h5.state' err; echo $?)" "a damaged state is named: $(cat err)"
cp keep.state S.h5.state
expect 1 '' $long --out S.h5
holds 'the numbers of one run' cmp out whole
holds 'and no state left' test ! -e S.h5.state
expect 0 '' kernel --kind nth --activation tanh --depth 3 --mode networks --width 16 --networks 30 --sigma-b 0.2 --data d.h5 --out s.h5 --quiet
holds 'networks: the same datasets' test "$(grep -o '^/K[a-z_]*\|^/K_label_se[a-z_]*' out | tr '\n' ' ')" = '/K_agnostic /K_agnostic_test /K_agnostic_test_test /K_label /K_label_test /K_label_test_test /K_label_se /K_label_se_test /K_label_se_test_test '
expect 0 '' kernel --kind nth --activation relu --depth 3 --mode networks --width 64 --rse 0.5 --time 2 --test-test no --data d.h5 --out s.h5 --quiet --json
holds 'networks in JSON' grep -q '"networks": 64' out
expect 0 '' info s.h5
holds 'networks recorded, and the form' test "$(grep -cx '@networks = 64\|@form = almost everywhere' out)" = 2
expect 1 '' kernel --kind nth --activation relu --mode networks --width 16 --rse 1e-5 --networks 20 --data d.h5 --out s.h5 --quiet
holds 'networks: what was reached is said' grep -qE '^20 networks of width 16, relative standard error 0\.[0-9]+ \(asked 1e-05\)$' out
expect 2 'nth kernel: --depth 3: --mode sampled is for two layers; deeper networks go with --mode networks' kernel --kind nth --depth 3 --data d.h5 --out a.h5
expect 2 'nth kernel: --width M is missing: the width of every hidden layer' kernel --kind nth --mode networks --data d.h5 --out a.h5
expect 2 'nth kernel: --width goes with --mode networks; two layers have the same K^(NTH) at every width' kernel --kind nth --width 64 --data d.h5 --out a.h5
expect 2 'nth kernel: --networks goes with --mode networks' kernel --kind nth --mode exact --activation erf --networks 64 --data d.h5 --out a.h5
expect 2 'nth kernel: --draws goes with --mode sampled' kernel --kind nth --mode networks --width 8 --draws 20000 --data d.h5 --out a.h5
expect 2 'nth kernel: --width does not go with --kind ntk; it belongs to --kind nth' kernel --kind ntk --width 8 --data d.h5 --out a.h5
expect 2 'nth kernel: --activation silu: K^(NTH) takes tanh erf softplus gelu sin relu linear quadratic' kernel --kind nth --activation silu --data d.h5 --out a.h5
expect 2 'nth kernel: --mode exact has relu and erf; tanh goes with --mode sampled' kernel --kind nth --mode exact --data d.h5 --out a.h5
expect 2 'nth kernel: --rse goes with --mode sampled and networks; exact values have no such error' kernel --kind nth --activation erf --mode exact --rse 0.1 --data d.h5 --out a.h5
expect 2 'nth kernel: --sigma-b goes with --mode networks; the other two have no biases' kernel --kind nth --sigma-b 0.1 --data d.h5 --out a.h5
expect 2 'nth kernel: --time does not go with --kind ntk; it belongs to --kind nth' kernel --kind ntk --time 2 --data d.h5 --out a.h5
expect 2 'nth kernel: --mode exact holds about 150 training inputs, here are 200; take --mode sampled' kernel --kind nth --activation erf --mode exact --data 'synthetic:sphere?n=200&d=6&test=0&seed=1' --out a.h5
expect 2 'nth kernel: --folds: 6 folds, d.h5 has 5 training inputs' kernel --kind nth --activation erf --mode exact --folds 6 --data d.h5 --out a.h5
expect 2 'nth kernel: --folds and --validation exclude each other' kernel --kind nth --activation erf --mode exact --folds 2 --validation 0.4 --data d.h5 --out a.h5
for mode in '--mode networks --width 8 --networks 20' '--draws 10240'; do
    expect 1 '' kernel --kind nth --activation relu $mode --rse 1e-5 --validation 0.4 --data d.h5 --out s.h5 --quiet
    holds "$mode: a fold known too little is told" grep -qE '^a fold: relative standard error [0-9.]+ \(asked 1e-05\)$' out
done
holds 'nothing is left behind by K^(NTH)' test -z "$(ls | grep -E '^(a|s|x)\.h5\.partial')"
