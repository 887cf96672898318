# SPDX-License-Identifier: GPL-3.0-or-later
#
# nth train --optimizer: what it says and records, options of the flow and of the other rule, divergence, interruption.

expect 0 '' net --widths 6,32,1 --activation relu --parameterization standard --out net.h5
expect 0 '' data 'synthetic:sphere?n=8&d=6&test=4&seed=1' --out d.h5
ask() { status=$1 message=$2; shift 2; expect "$status" "${message:+nth train: $message}" train --net net.h5 --data d.h5 --quiet "$@"; }

ask 0 '' --optimizer adam --out R.h5
holds 'a table' grep -qE '^ +epoch +loss +accuracy +test loss +test accuracy$' out
holds 'all epochs' test "$(grep -cE '^ +[0-9]+ +[0-9.e-]+ +[0-9.]+ +[0-9.e-]+ +[0-9.]+$' out)" = 11
holds 'loss falls' awk '$1 == 0 { first = $2 } $1 == 10 { last = $2 } END { exit !(last < first) }' out
holds 'speed' grep -qE '^adam, double precision, [0-9.e-]+ s for each epoch of 1 batches, [0-9.e-]+ GFLOP/s$' out
expect 0 '' info R.h5
for part in '/epoch (11)' '/loss (11)' '/accuracy (11)' '/loss_test (11)' '/accuracy_test (11)' '/f (11,8)' '/f_test (11,4)' '/net/W1 (32,6)' \
    '/net@parameterization = standard' '@status = complete'; do
    holds "training writes $part" grep -qFx "$part" out
done
holds 'no kernel unless asked for' test "$(grep -c '^/K' out)" = 0
for part in '"optimizer": "adam", "epochs": 10, "batch": 128, "learning-rate": 0.001, "beta1": 0.9, "beta2": 0.999, "epsilon": 1e-08, "precision": "double"'; do
    holds 'what was left open is recorded' grep -qF "$part" out
done
ask 0 '' --optimizer sgd --momentum 0.5 --epochs 7 --batch 3 --learning-rate 0.1 --precision single --record 0,2,7 --kernel yes --save-net no --out S.h5 --json
holds 'JSON' grep -q '"accuracy_test": ' out
holds 'records' test "$(tr -d ' \n' <out | grep -oE '"epoch":[0-9]+' | tr '\n' ' ')" = '"epoch":0 "epoch":2 "epoch":7 '
expect 0 '' info S.h5
for part in '/epoch (3)' '/f (3,8)' '/K (8,8)' '/K_test (4,8)'; do holds "training writes $part" grep -qFx "$part" out; done
holds 'no network' test "$(grep -c '^/net' out)" = 0
expect 0 '' kernel --net R.h5 --data d.h5 --out K.h5
expect 0 '' regress --gram S.h5 --data d.h5 --ridge 1e-3
printf 'a,b,c,d,e,f,y\n1,0,0,0,0,1,1.5\n0,1,0,0,1,0,2\n0,0,1,0,0,1,-1\n' >numbers.csv
expect 0 '' train --net net.h5 --data 'csv:numbers.csv?target=y&task=regress&train=2&test=1' --optimizer sgd --epochs 1 --out N.h5 --quiet
holds 'no accuracy of numbers' grep -qE '^ +epoch +loss +test loss$' out
expect 0 '' net --widths 6,8,8,1 --init antisymmetric --out two.h5
expect 0 '' train --net two.h5 --data d.h5 --optimizer adam --epochs 2 --out two_R.h5 --quiet
holds 'starts at f = 0' grep -qE '^ +0 +0\.5 ' out
expect 0 '' info two_R.h5
holds 'two copies' grep -qx '/net/second/W2 (8,8)' out
"$nth" train --net net.h5 --data d.h5 --optimizer adam --epochs 1 --out R.h5 >out 2>err
verdict "$([ $? = 0 ] && grep -qE '^nth train: at most [0-9.e-]+ MB of memory for training, 0 MB for the kernel and [0-9.e-]+ MB for what is recorded$' err; echo $?)" "memory is told: $(cat err)"
rm -f R.h5

for option in '--times 1' '--rtol 1e-8' '--stepper rkck' '--steps 3'; do
    ask 2 "${option% *} does not go with --optimizer adam; it belongs to gradient flow" --optimizer adam $option --out R.h5
done
ask 2 '--momentum goes with --optimizer sgd; adam has --beta1' --optimizer adam --momentum 0.5 --out R.h5
ask 2 '--beta2 goes with --optimizer adam, not with sgd' --optimizer sgd --beta2 0.5 --out R.h5
ask 2 '--optimizer: "adma" is none of adam, sgd; did you mean "adam"?' --optimizer adma --out R.h5
ask 2 '--batch: 0 is not in the range 1 to 1000000000' --optimizer adam --batch 0 --out R.h5
ask 2 '--epochs: 0 is not in the range 1 to 1000000000' --optimizer adam --epochs 0 --out R.h5
ask 2 '--learning-rate: 0 is not above 0 and at most 1e+09' --optimizer adam --learning-rate 0 --out R.h5
ask 2 '--precision: "half" is none of single, double' --optimizer adam --precision half --out R.h5
ask 2 '--record: epoch 11; training ends after --epochs 10' --optimizer adam --record 0,11 --out R.h5
ask 2 '--record: 2 does not come after 2; ascending epochs are expected' --optimizer adam --record 2,2 --out R.h5
ask 3 'absent/R.h5.partial: cannot be written: No such file or directory' --optimizer adam --out absent/R.h5
holds 'nothing is left behind' test -z "$(ls | grep -E '^R\.h5|partial')"

# Divergence: status 3, the last good epoch, what was recorded.
"$nth" train --net net.h5 --data d.h5 --optimizer sgd --learning-rate 1e3 --epochs 50 --batch 4 --out R.h5 --quiet >out 2>err
verdict "$([ $? = 3 ] && [ ! -s out ] && [ "$(wc -l <err)" = 1 ] && grep -qE 'epoch [0-9]+.*loss is not finite.*\(what was recorded up to epoch [0-9]+ is in R\.h5\.partial\)$' err; echo $?)" "diverges: $(cat err)"
expect 0 '' info R.h5.partial
holds 'status' grep -qx '@status = partial' out
rm -f R.h5.partial

# Interrupted: one line, status 3, and the records so far.
"$nth" train --net net.h5 --data d.h5 --optimizer adam --epochs 1000000000 --record 0,1,1000000000 --out R.h5 --quiet >out 2>err &
run=$!
for _ in $(seq 100); do [ -e R.h5.partial ] && break; sleep 0.1; done
sleep 1
kill -TERM $run
wait $run
verdict "$([ $? = 3 ] && [ ! -s out ] && grep -qE '^nth train: interrupted \(what was recorded up to epoch 1 is in R\.h5\.partial\)$' err; echo $?)" "interrupted: $(cat err)"
holds 'no half result' test ! -e R.h5
expect 0 '' info R.h5.partial
holds 'two records' grep -qx '/f (2,8)' out
