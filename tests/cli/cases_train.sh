# SPDX-License-Identifier: GPL-3.0-or-later
#
# nth train: what it says and records, mistakes, interruption.

expect 0 '' net --widths 6,12,1 --out net.h5
expect 0 '' net --widths 6,12,1 --activation relu --out relu.h5
expect 0 '' data 'synthetic:sphere?n=4&d=6&test=2&seed=1' --out d.h5
ask() { status=$1 message=$2; shift 2; expect "$status" "${message:+nth train: $message}" train --data d.h5 --quiet "$@"; }

ask 0 '' --net net.h5 --times 0,1 --out R.h5
holds 'a table' grep -qE '^ +t +loss +max \|f - y\| +lambda_min\(K\)$' out
holds 'stepper' grep -qE '^stepper collocation, [1-9][0-9]* steps, [0-9]+ rejected, [0-9]+ passes over the training set$' out
expect 0 '' info R.h5
for part in '/t (2)' '/f (2,4)' '/f_test (2,2)' '/K (2,4,4)' '/K_test (2,2,4)' '/loss (2)' '/lambda_min (2)' '/net@activation = tanh' \
    '/net@widths = 6,12,1' '/net/W1 (12,6)' '/net/W2 (1,12)' '@status = complete'; do
    holds "train writes $part" grep -qFx "$part" out
done
holds 'no accuracy without fixed steps' test "$(grep -c accuracy out)" = 0
holds 'what was left open is recorded' grep -q '"stepper": "collocation"' out
ask 0 '' --net relu.h5 --times 1 --out relu_R.h5
holds 'relu tells its accuracy' grep -q 'accuracy of K$' out
expect 0 '' info relu_R.h5
holds 'relu steps are recorded' grep -q '"stepper": "rkck", "steps": 400' out
holds 'accuracy' grep -qx '/accuracy (1)' out
ask 0 '' --net R.h5 --times 1 --out again.h5 --json
holds 'JSON' grep -q '"lambda_min": ' out
"$nth" train --net net.h5 --data d.h5 --times 1 --out R.h5 >out 2>err
verdict "$([ $? = 0 ] && [ "$(wc -l <err)" = 1 ] && grep -qE '^nth train: at most [0-9.e-]+ MB of memory for the flow and [0-9.e-]+ MB for what is recorded$' err; echo $?)" "memory is told: $(cat err)"

rm R.h5
ask 2 '--times TIME is missing: flow times; or --optimizer adam|sgd: training in batches' --net net.h5 --out R.h5
ask 2 '--net FILE is missing: network file' --times 1 --out R.h5
ask 2 '--times: 1 does not come after 2; ascending times are expected' --net net.h5 --times 1,2,1 --out R.h5
ask 2 '--times: 1 does not come after 1; ascending times are expected' --net net.h5 --times 1,1 --out R.h5
ask 2 '--times: -1 is not at least 0' --net net.h5 --times=-1,1 --out R.h5
ask 2 '--times: inf is not finite; a flow ends at a finite time' --net net.h5 --times 1,inf --out R.h5
ask 2 '--stepper: "rk4" is none of collocation, rk8pd, rkck; did you mean "rkck"?' --net net.h5 --times 1 --stepper rk4 --out R.h5
ask 2 '--steps goes with --stepper rkck only; rk8pd controls its error' --net net.h5 --times 1 --stepper rk8pd --steps 10 --out R.h5
ask 2 '--rtol: 1e-15 is not in the range 1e-14 to 0.1' --net net.h5 --times 1 --rtol 1e-15 --out R.h5
ask 2 'stepper collocation needs a smooth activation, found relu; use rkck with fixed steps' --net relu.h5 --times 1 --stepper collocation --out R.h5
ask 3 'absent/R.h5.partial: cannot be written: No such file or directory' --net net.h5 --times 1 --out absent/R.h5
expect 0 '' net --widths 5,12,1 --out five.h5
ask 3 'five.h5 expects inputs of dimension 5, d.h5 has dimension 6' --net five.h5 --times 1 --out R.h5
head -c 3000 net.h5 >short.h5
ask 3 'short.h5: damaged or truncated HDF5 file' --net short.h5 --times 1 --out R.h5
printf 'a,b,c,d,e,f,class\n1,0,0,0,0,1,x\n0,1,0,0,1,0,y\n0,0,1,1,0,0,z\n1,1,0,0,0,0,x\n' >three.csv
expect 3 'nth train: csv:three.csv?target=class&train=4&test=0 has 3 columns of targets; the network has one output, so one is expected' train --net net.h5 --data 'csv:three.csv?target=class&train=4&test=0' --times 1 --out R.h5
holds 'nothing is left behind' test -z "$(ls | grep -E '^R\.h5|partial')"

ask 2 '--epochs goes with --optimizer; gradient flow has none' --net net.h5 --times 1 --epochs 3 --out R.h5
ask 2 '--save-net goes with --optimizer; gradient flow has none' --net net.h5 --times 1 --save-net no --out R.h5

# Interrupted: one line, status 3, and the times that are complete in the partial file.
expect 0 '' net --widths 6,256,256,1 --out wide.h5
"$nth" train --net wide.h5 --data d.h5 --times "$(seq -s, 1 2000)" --stepper rk8pd --out R.h5 --quiet >out 2>err &
run=$!
for _ in $(seq 100); do [ -e R.h5.partial ] && break; sleep 0.1; done
sleep 1
kill -TERM $run
wait $run
verdict "$([ $? = 3 ] && [ ! -s out ] && grep -qE '^nth train: interrupted \(the first [1-9][0-9]* of 2000 output times are in R\.h5\.partial\)$' err; echo $?)" "interrupted: $(cat err)"
holds 'no half result' test ! -e R.h5
expect 0 '' info R.h5.partial
holds 'status' grep -qx '@status = partial' out
holds 'as many kernels as times' test "$(sed -n 's|^/t (\([0-9]*\))$|\1|p' out)" = "$(sed -n 's|^/K (\([0-9]*\),4,4)$|\1|p' out)"

# A flow that diverges says so, and leaves no file when not even the first time was reached.
expect 0 '' net --widths 6,12,12,1 --activation quadratic --out quadratic.h5
printf 'a,b,c,d,e,f,y\n1e3,0,0,0,0,1,1\n0,1e4,0,0,1,0,1e5\n' >huge.csv
for how in '--stepper collocation' '--stepper rkck --steps 3'; do
    "$nth" train --net quadratic.h5 --data 'csv:huge.csv?target=y&task=regress&train=2&test=0' --times 1,2 $how --out huge.h5 --quiet >out 2>err
    verdict "$([ $? = 3 ] && [ ! -s out ] && [ "$(wc -l <err)" = 1 ] && grep -qE 'not finite|may diverge' err; echo $?)" "diverges: $(cat err)"
done
holds 'nothing of it is left' test -z "$(ls | grep huge.h5)"
