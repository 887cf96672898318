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
for part in '/epoch (3)' '/f (3,8)' '/K (8,8)' '/K_test (4,8)' '/K_test_diag (4)'; do holds "training writes $part" grep -qFx "$part" out; done
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

# RR along training.
O='synthetic:two-objects?n=24&test=16&seed=3&size=8'
expect 0 '' net --widths 64,32,1 --activation relu --parameterization standard --out image.h5
rr() { status=$1 message=$2; shift 2; expect "$status" "${message:+nth train: $message}" train --net image.h5 --data "$O&label=animal" --optimizer adam --epochs 4 --batch 8 --quiet "$@"; }
rr 0 '' --elasticity yes --elasticity-data "$O&label=furniture" --record 0,4 --bootstrap 20 --kernel each --out L.h5
holds 'columns' grep -qE '^ +epoch +loss +accuracy +test loss +test accuracy +RR +test RR +other RR +other test RR$' out
holds 'both records' test "$(grep -cE '^ +[04]( +0\.[0-9]+){4}( +0\.[3-9][0-9]+){4}$' out)" = 2
expect 0 '' info L.h5
for part in '/rr/train_train (2,4)' '/rr/train_train_self (2,4)' '/rr/test_train (2,4)' '/rr_other/train_train (2,4)' '/rr_other/test_train (2,4)' \
    '/epoch_0/K (24,24)' '/epoch_4/K_test (16,24)' '/epoch_4/K_test_diag (16)'; do holds "training writes $part" grep -qFx "$part" out; done
holds 'no test-test block' test "$(grep -c 'test_test' out)" = 0
holds 'checksum of the other labels' grep -qE '^@elasticity_data_checksum = [0-9a-f]{16}$' out
expect 0 '' regress --gram L.h5:/epoch_4/K --data "$O&label=furniture" --ridge 1e-3 --quiet
expect 0 '' rerun L.h5 --quiet
holds 'made again: RR and kernels, the same bits' grep -q '^identical: ' out
expect 0 '' report L.h5 --out page --gnuplot no --quiet
for part in 1-rr-train_train 1-rr-train_train_self 1-rr_other-train_train 1-epoch_0-K; do holds "report: $part" test -s page/$part.svg; done
holds 'report: RR as numbers' grep -q '^epoch,loss,loss_test,accuracy,accuracy_test,rr/train_train,rr/test_train,rr/train_train_self,rr_other/train_train,' page/1-curves.csv
cp L.h5 L2.h5
expect 0 '' report L.h5 L2.h5 --out both --gnuplot no --quiet
holds 'report: RR of two runs' test -s both/all-rr-train_train.svg
rr 0 '' --elasticity yes --bootstrap 20 --threads 1 --json --out L.h5
grep -v '"gflops"\|"seconds' out >one
holds 'RR in JSON' test "$(tr -d ' \n' <one | grep -oE '"rr":\{"train_train":\{"rr":0\.[0-9]+,"standard_error":' | wc -l)" = 5
rr 0 '' --elasticity yes --bootstrap 20 --threads 3 --json --out L.h5
grep -v '"gflops"\|"seconds' out >three
holds 'the same on 3 threads' cmp one three
expect 0 '' info L.h5
holds 'one system of labels, one group' test "$(grep -c rr_other out)" = 0
rr 0 '' --elasticity yes --bootstrap 0 --out L.h5
expect 0 '' data "$O&label=furniture" --out furniture.h5
rr 0 '' --elasticity yes --elasticity-data furniture.h5 --record 4 --bootstrap 0 --out L.h5
mkdir -p elsewhere && mv furniture.h5 L.h5 elsewhere
expect 0 '' rerun elsewhere/L.h5 --quiet
holds 'the other data are found again' grep -q '^identical: ' out
expect 0 '' data "$O&label=animal" --out elsewhere/furniture.h5
expect 1 '' rerun elsewhere/L.h5 --quiet
holds 'other labels than recorded' grep -qE '^/@elasticity_data_checksum +different$' out

# Without a ratio: NaN in the file, told of; the training goes on.
expect 0 '' net --widths 64,24,1 --activation tanh --seed 4 --out odd.h5
expect 0 '' train --net odd.h5 --data "$O" --times 0,1 --elasticity yes --bootstrap 0 --out odd_R.h5 --quiet
holds 'a flow, too: columns' grep -qE '^ +t +loss +max \|f - y\| +lambda_min\(K\) +RR +test RR$' out
expect 0 '' info odd_R.h5
for part in '/rr/train_train (2,4)' '/K_test_diag (2,16)'; do holds "a flow writes $part" grep -qFx "$part" out; done
printf 'a,b,y\n1,0,1\n-1,0,1\n0,1,-1\n0,-1,-1\n' >opposite.csv
expect 0 '' net --widths 2,8,1 --activation linear --out linear.h5
expect 0 '' train --net linear.h5 --data 'csv:opposite.csv?target=y&train=4&test=0' --optimizer sgd --epochs 1 --elasticity yes --bootstrap 0 --out none.h5 --quiet
holds 'no ratio is told' grep -qE '^4 ratios RR do not exist; the first one is that of epoch 0, train_train: M1 = -' out
holds 'no ratio in the table' grep -qE '^ +1 .* nan$' out

rr 2 '--elasticity-data goes with --elasticity yes only' --elasticity-data "$O&label=furniture" --out X.h5
rr 2 '--bootstrap goes with --elasticity yes only' --bootstrap 5 --out X.h5
rr 2 '--elasticity: "maybe" is none of yes, no' --elasticity maybe --out X.h5
rr 2 '--kernel: "all" is none of yes, no, each' --kernel all --out X.h5
rr 3 '--elasticity-data synthetic:two-objects?n=23&test=16&seed=3&size=8&noise=0.1: its 23 training and 16 test inputs are not the 24 and 16 of synthetic:two-objects?n=24&test=16&seed=3&size=8&label=animal; the same inputs with other labels are expected' \
    --elasticity yes --elasticity-data 'synthetic:two-objects?n=23&test=16&seed=3&size=8&noise=0.1' --out X.h5
expect 3 'nth train: --elasticity yes needs labels: csv:numbers.csv?target=y&task=regress&train=2&test=1: label 2 is 2; two classes are labelled +1 and -1' \
    train --net net.h5 --data 'csv:numbers.csv?target=y&task=regress&train=2&test=1' --optimizer sgd --elasticity yes --out X.h5
expect 2 'nth train: --elasticity yes does not go with --preset: only networks of --net have a tangent kernel here' train --preset lantk-cnn8 --optimizer adam --elasticity yes --out X.h5
holds 'nothing of it is left' test -z "$(ls | grep '^X')"

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
