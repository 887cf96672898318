# SPDX-License-Identifier: GPL-3.0-or-later
#
# nth hierarchy: three results, and the options that belong to each.

expect 0 '' net --widths 6,12,1 --out net.h5
expect 0 '' data 'synthetic:sphere?n=4&d=6&test=2&seed=1' --out d.h5
ask() { status=$1 message=$2; shift 2; expect "$status" "${message:+nth hierarchy: $message}" hierarchy --net net.h5 --data d.h5 --quiet "$@"; }

ask 0 '' --direction d.h5:/y --out H.h5
holds 'K3 by default' test "$(sed 's/ *largest.*//; s/  */ /' out | tr '\n' ';')" = '/K3 (4,4);/K3_test (2,4);/K3_test_test (2,2);written to H.h5;'
ask 0 '' --order 6 --direction d.h5:/y --direction d.h5:/y --direction d.h5:/y --direction d.h5:/y --out H.h5 --json
holds 'K6 in JSON' grep -q '"/K6_test_test"' out
ask 0 '' --order 4 --dense --out H.h5
holds 'K4 dense' grep -qE '^/K4_test  *\(2,4,4,4\)  largest entry' out
ask 0 '' --khat --times 1,inf --out H.h5
holds 'a row for each time' grep -qE '^ *inf +[0-9.e+-]+ +[0-9.e+-]+ +[0-9.e+-]+$' out
expect 0 '' info H.h5
for part in '/K0 (4,4)' '/K0_test (2,4)' '/Khat (2,4,4)' '/Khat_test (2,2,4)' '/t (2)' '/term3 (2,4,4)' '/term4_test (2,2,4)'; do
    holds "khat writes $part" grep -qFx "$part" out
done
ask 0 '' --khat --times inf --out H.h5 --json
holds 'inf in JSON' grep -q '"t": "inf"' out

rm H.h5
ask 2 '--order 3 needs 1 --direction, found 0' --out H.h5
ask 2 '--order 4 needs 2 --direction, found 1' --order 4 --direction d.h5:/y --out H.h5
ask 2 '--order 2 needs 0 --direction, found 1' --order 2 --direction d.h5:/y --out H.h5
ask 2 '--order: 7 is not in the range 2 to 6' --order 7 --out H.h5
ask 2 '--direction: "d.h5" is not of the form FILE:/DATASET' --direction d.h5 --out H.h5
ask 2 '--direction: "d.h5:/" is not of the form FILE:/DATASET' --direction d.h5:/ --out H.h5
ask 2 '--direction does not go with --dense' --dense --direction d.h5:/y --out H.h5
ask 2 '--direction does not go with --khat' --khat --times 1 --direction d.h5:/y --out H.h5
ask 2 '--dense is for --order 3 and 4, found 5' --dense --order 5 --out H.h5
ask 2 '--khat does not go with --dense' --dense --khat --times 1 --out H.h5
ask 2 '--khat needs --times' --khat --out H.h5
ask 2 '--order does not go with --khat; its terms are of order 2, 3 and 4' --khat --times 1 --order 3 --out H.h5
ask 2 '--times goes with --khat only' --direction d.h5:/y --times 1 --out H.h5
ask 2 '--route goes with --khat only' --direction d.h5:/y --route svd --out H.h5
ask 2 '--times: -1 is not at least 0' --khat --times=-1 --out H.h5
ask 2 'quadrature in time needs a finite t with t lambda_max / n < 100, found inf' --khat --times inf --route quadrature --out H.h5
ask 3 'absent.h5: cannot be opened: No such file or directory' --direction absent.h5:/y --out H.h5
ask 3 'd.h5: has no dataset /z' --direction d.h5:/z --out H.h5
ask 3 '--direction d.h5:/y_test has rank 1 and length 2; a vector of length 4 is expected (one entry for each training input)' --direction d.h5:/y_test --out H.h5
ask 3 '--direction d.h5:/x has rank 2 and length 4; a vector of length 4 is expected (one entry for each training input)' --direction d.h5:/x --out H.h5

# The mean over networks: no --net; the number of networks, or the error, decides.
mean() { status=$1 message=$2; shift 2; expect "$status" "${message:+nth hierarchy: $message}" hierarchy --expected --data d.h5 --quiet "$@"; }
yy='--order 4 --direction d.h5:/y --direction d.h5:/y'
mean 0 '' $yy --activation tanh --depth 3 --width 16 --networks 40 --out E.h5
holds 'mean and standard error' test "$(sed 's/ *largest.*//; s/  */ /' out | tr '\n' ';' | sed 's/error [0-9.e+-]*;/error X;/')" = '40 networks of width 16, relative standard error X;/K4 (4,4);/K4_test (2,4);/K4_test_test (2,2);/K4_se (4,4);/K4_se_test (2,4);/K4_se_test_test (2,2);written to E.h5;'
cp out one
mean 0 '' $yy --activation tanh --depth 3 --width 16 --networks 40 --threads 3 --out E.h5
holds 'the same on three threads' cmp out one
expect 0 '' info E.h5
holds 'networks recorded' grep -qx '@networks = 40' out
holds 'power of the width recorded' grep -qx '@power_of_width = 1' out
mean 0 '' $yy --width 64 --rse 0.9 --out E.h5 --json
holds 'networks in JSON' grep -q '"networks": 64' out
mean 1 '' $yy --width 16 --rse 1e-5 --networks 40 --out E.h5
holds 'what was reached is said' grep -qE '^40 networks of width 16, relative standard error 0\.[0-9]+ \(asked 1e-05\)$' out
mean 0 '' --order 2 --init antisymmetric --width 8 --networks 5 --out E.h5
holds 'K2, two copies' grep -qE '^5 networks of width 8 \(two copies\), relative' out
mean 0 '' --direction d.h5:/y --width 16 --networks 100 --out E.h5
holds 'K3 is 0 on the mean' grep -qE '^the mean of K3 is 0: measured [0-9.]+ standard errors \(Frobenius\)$' out
mean 0 '' --direction d.h5:/y --init antisymmetric --width 16 --networks 10 --out E.h5
holds 'K3 is 0 in each antisymmetric network' grep -qx 'K3 of an antisymmetric network is 0: entries are rounding' out
rm E.h5
mean 2 '--width M is missing: the width of every hidden layer' $yy --out H.h5
mean 2 '--net does not go with --expected; it is a mean over networks' $yy --net net.h5 --width 8 --out H.h5
mean 2 '--dense does not go with --expected' --order 4 --dense --width 8 --out H.h5
mean 2 '--khat does not go with --expected' --khat --times 1 --width 8 --out H.h5
mean 2 '--order 4 needs 2 --direction, found 1' --order 4 --direction d.h5:/y --width 8 --out H.h5
mean 2 '--order 3 --expected takes --networks and no --rse: its mean is 0' --direction d.h5:/y --width 8 --out H.h5
mean 2 '--order 5 --expected takes --networks and no --rse: its mean is 0' --order 5 --direction d.h5:/y --direction d.h5:/y --direction d.h5:/y --width 8 --networks 9 --rse 0.1 --out H.h5
mean 2 '--networks: 1 is not in the range 2 to 4000000000' $yy --width 8 --networks 1 --out H.h5
mean 2 '--activation: "tan" is none of tanh, erf, softplus, gelu, sin, relu, linear, quadratic; did you mean "tanh"?' $yy --width 8 --activation tan --out H.h5
mean 3 '--direction d.h5:/y_test has rank 1 and length 2; a vector of length 4 is expected (one entry for each training input)' --order 4 --direction d.h5:/y --direction d.h5:/y_test --width 8 --out H.h5
for option in --activation=relu --depth=3 --width=8 --init=antisymmetric --networks=9 --rse=0.1 --sigma-w=2 --sigma-b=1 --input-scale=one; do
    ask 2 "${option%=*} goes with --expected only" --direction d.h5:/y $option --out H.h5
done
expect 2 'nth hierarchy: --net FILE is missing: network file' hierarchy --direction d.h5:/y --data d.h5 --out H.h5
"$nth" hierarchy --expected --width 1000000000 $yy --depth 3 --data d.h5 --out H.h5 >out 2>err
verdict "$([ $? = 3 ] && [ ! -s out ] && grep -qE '^nth hierarchy: one network and its kernel: 8e\+09 GB of memory needed, the machine has [0-9.]+ GB$' err; echo $?)" "wide networks: $(cat err)"

# A kernel of rank 1 has no limit at t = inf; a large tensor is refused with its size.
expect 0 '' net --widths 6,1,1 --activation linear --out thin.h5
"$nth" hierarchy --net thin.h5 --data 'synthetic:sphere?n=9&d=6&test=0&seed=1' --khat --times inf --out H.h5 >out 2>err
verdict "$([ $? = 3 ] && [ ! -s out ] && grep -q 'nth hierarchy: .*eigenvalue' err; echo $?)" "singular kernel: $(cat err)"
"$nth" hierarchy --net net.h5 --data 'synthetic:sphere?n=3000&d=6&test=0&seed=1' --order 4 --dense --out H.h5 >out 2>err
verdict "$([ $? = 3 ] && [ ! -s out ] && grep -qE '^nth hierarchy: /K4 for 3000 inputs: 6.48e\+05 GB of memory needed, the machine has [0-9.]+ GB$' err; echo $?)" "large tensor: $(cat err)"
printf 'a,b,c,d,e,f,class\n1,0,0,0,0,1,x\n0,1,0,0,1,0,y\n0,0,1,1,0,0,z\n1,1,0,0,0,0,x\n' >three.csv
expect 3 'nth hierarchy: csv:three.csv?target=class&train=4&test=0 has 3 columns of targets; the network has one output, so one is expected' hierarchy --net net.h5 --data 'csv:three.csv?target=class&train=4&test=0' --khat --times 1 --out H.h5
expect 0 '' kernel --net net.h5 --data 'csv:three.csv?target=class&train=4&test=0' --out K.h5
holds 'nothing is left behind' test -z "$(ls | grep -E '^H\.h5|partial')"
