# SPDX-License-Identifier: GPL-3.0-or-later
#
# nth net and nth kernel: what they say, and every way of asking for something that is not there.

expect 0 '' net --widths 6,16,8,1 --seed 3 --out net.h5
holds 'one line' test "$(cat out)" = 'tanh network 6-16-8-1, 232 parameters, seed 3, written to net.h5'
expect 0 '' net --widths 6,16,1 --activation relu --init antisymmetric --sigma-b 0.5 --out two.h5 --json
holds 'JSON' test "$(tr -d ' \n' <out)" = '{"activation":"relu","widths":[6,16,1],"parameterization":"ntk","doubled":true,"parameters":258,"out":"two.h5"}'
expect 0 '' info two.h5
holds 'two copies' grep -qx '/second/W1 (16,6)' out
holds 'doubled' grep -qx '@doubled = 1' out
expect 2 'nth net: --widths WIDTH is missing: input dimension, hidden widths and outputs, in order; 1 output except for nth kare and nth kernel' net --out a.h5
expect 2 'nth net: --widths: 2 given; 3 to 33 are expected (inputs, hidden widths, outputs)' net --widths 6,1 --out a.h5
expect 0 '' net --widths 6,8,3 --sigma-b 0.3 --out many.h5
holds 'three outputs' test "$(cat out)" = 'tanh network 6-8-3, 83 parameters, seed 1, written to many.h5'
for outputs in sum trace; do expect 0 '' kernel --net many.h5 --outputs $outputs --out K$outputs.h5 --json; cp out $outputs.json; done
holds 'two kernels' sh -c '! cmp -s sum.json trace.json'
expect 0 '' kernel --net many.h5 --out K.h5 --json
holds 'the sum unless told' test "$(grep -v '"out"' out)" = "$(grep -v '"out"' sum.json)"
expect 2 'nth kernel: --outputs goes with a network of several outputs; net.h5 has one' kernel --net net.h5 --outputs sum --out a.h5
expect 2 'nth kernel: --outputs does not go with --kind ntk; it is the kernel of an architecture' kernel --kind ntk --outputs sum --out a.h5
expect 3 'nth train: many.h5 has 3 outputs; one is expected' train --net many.h5 --times 1 --out a.h5
expect 3 'nth train: many.h5 has 3 outputs; one is expected' train --net many.h5 --optimizer sgd --epochs 1 --batch 4 --out a.h5
expect 3 'nth hierarchy: many.h5 has 3 outputs; one is expected' hierarchy --net many.h5 --order 3 --direction ones --out a.h5
expect 2 'nth net: --widths: 0 is not in the range 1 to 1000000000' net --widths 6,0,1 --out a.h5
expect 2 'nth net: --activation: "tan" is none of tanh, erf, softplus, gelu, sin, relu, linear, quadratic; did you mean "tanh"?' net --widths 6,8,1 --activation tan --out a.h5
expect 2 'nth net: --sigma-w: 0 is not above 0 and at most 1000' net --widths 6,8,1 --sigma-w 0 --out a.h5
"$nth" net --widths 1000000000,1000000000,1 --out a.h5 >out 2>err
verdict "$([ $? = 3 ] && [ ! -s out ] && grep -qE '^nth net: network: 8e\+09 GB of memory needed, the machine has [0-9.]+ GB$' err; echo $?)" "too large: $(cat err)"
expect 3 'nth net: absent/a.h5.partial: cannot be written: No such file or directory' net --widths 6,8,1 --out absent/a.h5


# Standard parameterization: one initialization, biases unless told, no scales.
expect 0 '' net --widths 6,16,1 --activation relu --parameterization standard --init framework --out std.h5
holds 'standard' test "$(cat out)" = 'relu network 6-16-1, standard parameterization, 129 parameters, seed 1, written to std.h5'
expect 0 '' info std.h5
for part in '@parameterization = standard' '@sigma_w = 1' '@sigma_b = 1' '/b1 (16)'; do holds "standard net has $part" grep -qFx "$part" out; done
holds 'what was left open is recorded' grep -q '"init": "framework"' out
expect 0 '' net --widths 6,16,1 --parameterization standard --sigma-b 0 --out std0.h5
holds 'no biases' grep -q ' 112 parameters' out
expect 2 'nth net: --init framework goes with --parameterization standard' net --widths 6,8,1 --init framework --out a.h5
expect 2 'nth net: --init gaussian does not go with --parameterization standard; framework is expected' net --widths 6,8,1 --init gaussian --parameterization standard --out a.h5
expect 2 'nth net: --sigma-w does not go with --parameterization standard; its layers have no factors' net --widths 6,8,1 --sigma-w 1 --parameterization standard --out a.h5
expect 2 'nth net: --input-scale does not go with --parameterization standard; its layers have no factors' net --widths 6,8,1 --input-scale one --parameterization standard --out a.h5
expect 2 'nth net: --sigma-b: 0.5; standard parameterization has 1, or 0 for no biases' net --widths 6,8,1 --sigma-b 0.5 --parameterization standard --out a.h5
expect 2 'nth net: --parameterization: "std" is none of ntk, standard' net --widths 6,8,1 --parameterization std --out a.h5

spec='synthetic:sphere?n=5&d=6&test=2&seed=1'
expect 0 '' data "$spec" --out d.h5
expect 0 '' kernel --net net.h5 --data d.h5 --out K.h5
holds 'blocks' test "$(sed 's/ *largest.*//; s/  */ /' out | tr '\n' ';')" = '/K (5,5);/K_test (2,5);/K_test_test (2,2);written to K.h5;'
expect 0 '' kernel --net net.h5 --data "$spec" --out K1.h5 --threads 1
expect 0 '' kernel --kind ntk --activation gelu --data d.h5 --out K2.h5 --json
holds 'kind in JSON' grep -q '"kind": "ntk"' out
expect 0 '' kernel --net net.h5 --data 'synthetic:sphere?n=5&d=6&test=0&seed=1' --out K3.h5
holds 'no test blocks' test "$(grep -c /K out)" = 1

expect 2 'nth kernel: --net FILE is missing: network file' kernel --data d.h5 --out a.h5
expect 2 'nth kernel: --kind: "ngp" is none of empirical, ntk, nngp, cntk, cnngp, nth; did you mean "nngp"?' kernel --kind ngp --data d.h5 --out a.h5
expect 2 'nth kernel: --net does not go with --kind ntk; it is the kernel of an architecture' kernel --kind ntk --net net.h5 --data d.h5 --out a.h5
expect 2 'nth kernel: --depth does not go with --kind empirical; the network file says it' kernel --net net.h5 --depth 3 --data d.h5 --out a.h5
expect 3 'nth kernel: net.h5 expects inputs of dimension 6, synthetic:sphere?n=5&d=4&test=2&seed=1 has dimension 4' kernel --net net.h5 --data 'synthetic:sphere?n=5&d=4&test=2&seed=1' --out a.h5
expect 3 'nth kernel: absent.h5: cannot be opened: No such file or directory' kernel --net absent.h5 --data d.h5 --out a.h5
expect 3 'nth kernel: d.h5: / has no attribute activation' kernel --net d.h5 --data d.h5 --out a.h5
expect 3 'nth kernel: K.h5: has no dataset /x' kernel --net net.h5 --data K.h5 --out a.h5
holds 'nothing is left behind' test -z "$(ls | grep -E '^a\.h5|partial')"
