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
