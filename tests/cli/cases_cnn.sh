# SPDX-License-Identifier: GPL-3.0-or-later
#
# nth train --preset or --channels: convolutional networks; without oneDNN, what is said.

expect 0 '' data 'synthetic:sphere?n=8&d=48&test=4&seed=1' --out d.h5
expect 0 '' net --widths 48,8,1 --out net.h5
ask() { status=$1 message=$2; shift 2; expect "$status" "${message:+nth train: $message}" train --data d.h5 --quiet "$@"; }

# Mistakes that are told with and without oneDNN.
ask 2 '--net does not go with --channels: a convolutional network is drawn here' --channels 4 --strides 1 --net net.h5 --optimizer adam --out R.h5
ask 2 '--preset goes with --optimizer adam|sgd: convolutional networks are trained in batches' --preset lantk-cnn8 --times 1 --out R.h5
ask 2 '--precision double does not go with --preset: convolutional networks are trained in single precision' --preset lantk-cnn8 --optimizer adam --precision double --out R.h5
ask 2 '--kernel yes does not go with --channels: only networks of --net have one' --channels 4 --strides 1 --optimizer adam --kernel yes --out R.h5
ask 2 '--strides N,.. is missing: strides of the convolutions' --channels 4 --optimizer adam --out R.h5
ask 2 '--channels N,.. is missing: channels after each convolution' --strides 1 --optimizer adam --out R.h5
ask 2 '--channels are 2 and --strides 1; one of each is expected for each convolution' --channels 4,4 --strides 1 --optimizer adam --out R.h5
ask 2 '--channels are 2 and --strides 7; one of each is expected for each convolution' --preset lantk-cnn8 --channels 4,4 --optimizer adam --out R.h5
ask 2 '--channels: 0 is not in the range 1 to 65536' --channels 0 --strides 1 --optimizer adam --out R.h5
ask 2 '--strides: 17 is not in the range 1 to 16' --channels 4 --strides 17 --optimizer adam --out R.h5
ask 2 '--image goes with --preset or --channels; the network file says what its inputs are' --net net.h5 --image 3,4,4 --optimizer adam --out R.h5
ask 2 '--net FILE is missing: network file' --optimizer adam --out R.h5

small=(--channels 4,6 --strides 1,2 --image 3,4,4 --optimizer adam)
if "$nth" info | grep -q '^onednn *not built in$'; then
    ask 2 'this build has no oneDNN, through which convolutional networks are trained; install the package libdnnl-dev and build again' \
        "${small[@]}" --out R.h5
    holds 'nothing is left behind' test -z "$(ls | grep -E '^R\.h5')"
    return 0
fi

ask 2 '--image C,H,W is missing: channels, height and width of inputs of dimension 48' --channels 4 --strides 1 --optimizer adam --out R.h5
ask 2 '--image: 3 x 4 x 5 are 60 numbers, the inputs have 48' --channels 4 --strides 1 --image 3,4,5 --optimizer adam --out R.h5
holds 'nothing is left behind' test -z "$(ls | grep -E '^R\.h5')"

ask 0 '' "${small[@]}" --epochs 20 --batch 3 --record 0,10,20 --out R.h5
holds 'a table' grep -qE '^ +epoch +loss +accuracy +test loss +test accuracy$' out
holds 'loss falls' awk '$1 == 0 { first = $2 } $1 == 20 { last = $2 } END { exit !(last < first) }' out
holds 'speed' grep -qE '^adam, single precision, [0-9.e-]+ s for each epoch of 3 batches, [0-9.e-]+ GFLOP/s$' out
holds 'no state stays' test ! -e R.h5.state
cp out whole
expect 0 '' info R.h5
for part in '/epoch (3)' '/loss (3)' '/accuracy (3)' '/loss_test (3)' '/accuracy_test (3)' '/f (8,1)' '/f_test (4,1)' '/cnn/parameters (359)' \
    '/cnn@image = 3,4,4' '/cnn@channels = 4,6' '/cnn@strides = 1,2' '/cnn@outputs = 1' '@status = complete'; do
    holds "training writes $part" grep -qFx "$part" out
done
holds 'what was left open is recorded' grep -qF '"learning-rate": 0.0003' out
holds 'what was left open is recorded' grep -qF '"precision": "single"' out
ask 0 '' "${small[@]}" --epochs 2 --save-net no --out S.h5
expect 0 '' info S.h5
holds 'no network' test "$(grep -c '^/cnn' out)" = 0

# Memory is told; ten classes have ten outputs.
"$nth" train --data d.h5 "${small[@]}" --epochs 1 --out S.h5 >out 2>err
verdict "$([ $? = 0 ] && grep -qE '^nth train: 359 parameters, at most [0-9.e-]+ MB of memory for training$' err; echo $?)" "memory is told: $(cat err)"
{ echo "$(seq -s, 1 9),class"; for k in $(seq 12); do echo "$k,1,$((k % 3)),0,2,$((k * k % 7)),1,0,3,$((k % 3))"; done; } >classes.csv
expect 0 '' train --data 'csv:classes.csv?target=class&task=classify&train=9&test=3' --channels 4 --strides 1 --image 1,3,3 --optimizer adam --epochs 1 --out T.h5 --quiet
holds 'accuracy of classes' grep -qE '^ +1 +[0-9.]+ +[0-9.]+ +[0-9.]+ +[0-9.]+$' out
expect 0 '' info T.h5
holds 'three outputs' grep -qFx '/f (9,3)' out
holds 'three outputs' grep -qFx '/cnn@outputs = 3' out

# Interrupted in the midst, gone on with: the numbers of one run. Then a state of another command, and a broken one.
long=("${small[@]}" --epochs 4000 --batch 1 --record 0,1,2000,4000 --threads 1)
ask 0 '' "${long[@]}" --out W.h5
grep -E '^ +[0-9]' out >whole
"$nth" train --data d.h5 "${long[@]}" --out I.h5 --quiet >out 2>err &
run=$!
for _ in $(seq 100); do [ -e I.h5.partial ] && break; sleep 0.1; done
sleep 0.2
kill -TERM $run
wait $run
verdict "$([ $? = 3 ] && [ ! -s out ] && grep -qE '^nth train: interrupted; the same command goes on after [0-9]+ of 32000 batches \(I\.h5\.state\)$' err; echo $?)" "interrupted: $(cat err)"
holds 'a state alone' test -e I.h5.state -a ! -e I.h5 -a ! -e I.h5.partial
cp I.h5.state keep.state
ask 3 'I.h5.state was begun with other options; remove it or choose another --out' "${small[@]}" --epochs 3 --out I.h5
ask 0 '' "${long[@]}" --out I.h5
grep -E '^ +[0-9]' out >parts
holds 'the numbers of one run' cmp whole parts
holds 'the state is gone' test ! -e I.h5.state
head -c 3000 keep.state >B.h5.state
"$nth" train --data d.h5 "${long[@]}" --out B.h5 --quiet >out 2>err
verdict "$([ $? = 3 ] && grep -q 'B\.h5\.state' err && [ ! -e B.h5 ]; echo $?)" "broken state: $(cat err)"
