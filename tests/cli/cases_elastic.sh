# SPDX-License-Identifier: GPL-3.0-or-later
#
# nth elastic: what it prints, sums and other normalisers, where the diagonal of test inputs comes from, and refusals.

S='synthetic:sphere?n=40&d=6&test=20&seed=1'
expect 0 '' data "$S" --out d.h5
expect 0 '' kernel --kind ntk --activation relu --depth 3 --data "$S" --out K.h5
expect 0 '' kernel --kind ntk --activation relu --depth 3 --data "$S" --out K1.h5 --test-test no
expect 0 '' kernel --kind ntk --activation erf --depth 2 --data "$S" --out K2.h5
ask() { status=$1 message=$2; shift 2; expect "$status" "${message:+nth elastic: $message}" elastic --gram K.h5 --data d.h5 --quiet "$@"; }
# pairs train_train rr: a number of one of the objects.
pairs() { sed -n "/^  \"$1\"/,/^  }/s/^    \"$2\": \([^,]*\),*$/\1/p" out; }
near() { awk -v a="$1" -v b="$2" -v t="${3:-1e-12}" 'BEGIN { d = a / b - 1; exit !(d <= t && d >= -t) }'; }

ask 0 ''
holds 'what was looked at' test "$(head -n 1 out)" = '2 classes, 40 training and 20 test inputs, kernel K.h5/K, normalised by its own diagonal'
holds 'train-train' grep -qE '^\| train-train \| 760 \| 800 \| [0-9.]+ \| [0-9.]+ \| 0\.[0-9]{6} \+- [0-9.]+ \| \[0\.[0-9]{6}, 0\.[0-9]{6}\] \|$' out
holds 'test-train' grep -qE '^\| test-train \| 400 \| 400 \| ' out
ask 0 '' --json
train=$(pairs train_train rr) test=$(pairs test_train rr)
for set in train_train test_train; do
    holds "$set: RR is M1/(M1 + M2)" near "$(pairs $set rr)" "$(awk -v a="$(pairs $set m1)" -v b="$(pairs $set m2)" 'BEGIN { print a / (a + b) }')" 1e-5
    holds "$set: interval" awk -v l="$(pairs $set low)" -v r="$(pairs $set rr)" -v h="$(pairs $set high)" 'BEGIN { exit !(l < r && r < h && h - l < 0.2) }'
done
ask 0 '' --json --threads 1
cp out one
ask 0 '' --json --threads 3
holds 'same bits on 3 threads' cmp out one
ask 0 '' --json --seed 2
holds 'another seed, another interval' test "$(pairs train_train low)" != "$(sed -n 's/^    "low": \(.*\),$/\1/p' one | head -n 1)"
holds 'and the same ratio' test "$(pairs train_train rr)" = "$train"
ask 0 '' --self-pairs yes --bootstrap 0 --json
holds 'self pairs raise RR' awk -v a="$(pairs train_train rr)" -v b="$train" 'BEGIN { exit !(a > b + 0.005) }'
holds 'self pairs: 40 more' test "$(pairs train_train intra_pairs)" = 800
holds 'self pairs: not of test inputs' test "$(pairs test_train rr)" = "$test"
holds 'no resamples, no interval' test "$(grep -c '"low"' out)" = 0

# The diagonal of test inputs: /K_test_diag or /K_test_test; without both only training pairs.
expect 0 '' elastic --gram K1.h5 --data d.h5 --bootstrap 0 --json
holds 'K_test_diag is enough' test "$(pairs test_train rr)" = "$test"
expect 0 '' net --widths 6,9,1 --sigma-b 1 --out net.h5
expect 0 '' hierarchy --net net.h5 --order 2 --data d.h5 --out H.h5
expect 0 '' kernel --net net.h5 --data d.h5 --out E.h5
expect 0 '' elastic --gram H.h5:/K2 --data d.h5 --bootstrap 0 --json
one=$(pairs test_train rr)
expect 0 '' elastic --gram E.h5 --data d.h5 --bootstrap 0 --json
holds 'K_test_test is enough' near "$(pairs test_train rr)" "$one"
holds 'and K_test_diag is written' sh -c "'$nth' info E.h5 | grep -qx '/K_test_diag (20)'"
expect 0 '' hierarchy --net net.h5 --khat --times 1 --data d.h5 --out khat.h5
expect 0 '' elastic --gram khat.h5:/K0 --data d.h5
holds 'neither: training pairs' grep -qE '^\| train-train \| 760 \| ' out
holds 'neither: what is missing' grep -qx 'test-train pairs: not computed: khat.h5 has neither /K0_test_diag (20) nor /K0_test_test (20,20), the kernel of each test input with itself; nth kernel writes them' out
expect 0 '' elastic --gram khat.h5:/K0 --data d.h5 --json
holds 'neither: in JSON' grep -q '"refused": "khat.h5 has neither' out

# Sums and other normalisers.
ask 0 '' --add K2.h5:/K --weight 0 --json --bootstrap 0
holds 'weight 0 changes nothing' test "$(pairs train_train rr) $(pairs test_train rr)" = "$train $test"
ask 0 '' --add K.h5:/K --weight 2 --json --bootstrap 0
holds 'K + 2 K is K' near "$(pairs train_train rr) $(pairs test_train rr)" "$train $test"
ask 0 '' --add K2.h5:/K --weight 0.5
holds 'a sum is named' grep -q 'kernel K.h5/K + 0.5 K2.h5:/K, normalised by its own diagonal' out
ask 0 '' --normaliser K2.h5 --normaliser-of test
holds 'another normaliser is named' grep -q 'normalised by the diagonal of K2.h5/K for test inputs, its own for training inputs' out
ask 0 '' --normaliser K.h5 --json --bootstrap 0
holds 'its own as another' test "$(pairs train_train rr) $(pairs test_train rr)" = "$train $test"
expect 0 '' kernel --net net.h5 --data "$S" --out E.h5
ask 0 '' --normaliser E.h5 --json --bootstrap 0
holds 'another one changes RR' awk -v a="$(pairs train_train rr)" -v b="$train" 'BEGIN { exit !(a != b) }'
ask 0 '' --normaliser E.h5 --normaliser-of test --json --bootstrap 0
holds 'of test inputs only' test "$(pairs train_train rr)" = "$train" -a "$(pairs test_train rr)" != "$test"

# Several classes.
printf 'a,b,y\n0,1,x\n1,0,y\n1,1,z\n2,1,x\n1,3,y\n2,2,z\n' >three.csv
expect 0 '' kernel --kind ntk --activation erf --data 'csv:three.csv?target=y' --out three.h5
expect 0 '' elastic --gram three.h5 --data 'csv:three.csv?target=y'
holds 'three classes' grep -qE '^\| train-train \| 6 \| 24 \| ' out
holds 'resamples without a ratio are counted' grep -qE '\| [1-9][0-9]* resamples without a ratio \|$' out

# K + lambda Z: nth lantk writes Z of test inputs with themselves if it can.
expect 0 '' lantk --variant ls-v1 --base K.h5 --data d.h5 --out Z.h5 --quiet
ask 0 '' --add Z.h5:/Z --weight 0.1 --json --bootstrap 0
holds 'RR of K + 0.1 Z on test-train pairs' awk -v a="$(pairs test_train rr)" -v b="$test" 'BEGIN { exit !(a > b) }'

# The table in three formats.
cp K.h5 'a_1&2.h5'
for file in t.md t.csv t.tex; do expect 0 '' elastic --gram 'a_1&2.h5' --data d.h5 --quiet --table $file; done
holds 'Markdown as printed' test "$(cat t.md)" = "$(cat out)"
holds 'CSV: heads, and fields with commas quoted' grep -qx 'ordered pairs,one class,two classes,M1,M2,RR,95 % interval' t.csv
holds 'CSV: a row' grep -qE '^train-train,760,800,[0-9.]+,[0-9.]+,0\.[0-9]+ \+- [0-9.]+,"\[0\.[0-9]+, 0\.[0-9]+\]"$' t.csv
holds 'CSV: as many lines as rows' test "$(wc -l <t.csv)" = 3
for part in '\toprule' '\midrule' '\bottomrule' '\begin{tabular}{lrrrrrr}' '\end{table}'; do holds "LaTeX: $part" grep -qF "$part" t.tex; done
holds 'LaTeX: _ and & in the caption' grep -qF 'kernel a\_1\&2.h5/K,' t.tex
holds 'LaTeX: percent' grep -qF '& 95 \% interval \\' t.tex
holds 'LaTeX: plus-minus' grep -qE '^train-train & 760 & 800 & .* & 0\.[0-9]+ \$\\pm\$ [0-9.]+ & \[0\.[0-9]+, 0\.[0-9]+\] \\\\$' t.tex
holds 'LaTeX: nothing unescaped' test "$(grep -v '^\\' t.tex | grep -cE '(^|[^\\])[%_#]')" = 0
ask 0 '' --json --table t.md
holds 'with --json, too' test "$(grep -c '^|' t.md)" = 4
ask 2 '--table t.txt: a name that ends in .md, .csv or .tex is expected' --table t.txt
ask 2 '--table .md: a name that ends in .md, .csv or .tex is expected' --table .md
ask 3 '--table absent/t.md: No such file or directory' --table absent/t.md
holds 'refused before anything is written' test ! -e t.txt

# The result in a file: provenance, inputs, the report, made again.
ask 0 '' --out E.h5 --json
holds 'JSON says so' grep -qx '  "out": "E.h5"' out
holds 'with the rest' test "$(pairs test_train rr)" = "$test"
ask 0 '' --out E.h5
holds 'says so' test "$(tail -n 1 out)" = 'written to E.h5'
expect 0 '' info E.h5
for part in '/rr/kernel (2,4)' '/pairs/kernel (2,4)' '@status = complete'; do holds "writes $part" grep -qFx "$part" out; done
holds 'checksum of the kernel' grep -qE '^@inputs = \{"gram": "[0-9a-f]{16}"\}$' out
expect 0 '' report E.h5 --out page --gnuplot no --quiet
holds 'kind in a report' grep -qx 'E.h5: local elasticity' out
holds 'ratios in a report' grep -qE "^kernel,train-train,$train[0-9]*,0\.[0-9]+,0\.[0-9]+,0\.[0-9]+\$" page/1-elasticity.csv
holds 'ratios of test inputs' grep -qE "^kernel,test-train,$test[0-9]*," page/1-elasticity.csv
holds 'pairs in a report' grep -qE '^train-train,[0-9.]+,[0-9.]+,760,800$' page/1-means.csv
expect 0 '' rerun E.h5 --quiet
holds 'the same bits again' grep -q '^identical: 2 datasets' out
expect 0 '' elastic --gram khat.h5:/K0 --data d.h5 --out T.h5
expect 0 '' info T.h5
holds 'training pairs only: one row' grep -qx '/rr/kernel (1,4)' out
ask 3 'absent/E.h5.partial: cannot be written: No such file or directory' --out absent/E.h5

# Usage and refusals.
expect 2 'nth elastic: --gram FILE is missing: kernel file with /K and /K_test, or FILE:/NAME for the datasets NAME and NAME_test' elastic --data d.h5
ask 2 '--weight goes with --add only' --weight 1
ask 2 '--add needs --weight W, a number' --add K2.h5:/K
ask 2 '--weight: "loo" is not a number' --add K2.h5:/K --weight loo
ask 2 '--normaliser-of goes with --normaliser only' --normaliser-of test
ask 2 '--self-pairs: "maybe" is none of yes, no' --self-pairs maybe
ask 2 '--bootstrap: -1 is not in the range 0 to 1000000' --bootstrap=-1
ask 2 '--normaliser-of: "tests" is none of both, train, test; did you mean "test"?' --normaliser K2.h5 --normaliser-of tests
expect 3 'nth elastic: absent.h5: cannot be opened: No such file or directory' elastic --gram absent.h5 --data d.h5
ask 3 'absent.h5: cannot be opened: No such file or directory' --normaliser absent.h5
expect 3 'nth elastic: K.h5: /K is 40 x 40 (rank 2); 30 x 30 is expected: synthetic:sphere?n=30&d=6&test=20&seed=1 has 30 training and 20 test inputs' elastic --gram K.h5 --data 'synthetic:sphere?n=30&d=6&test=20&seed=1'
"$nth" elastic --gram K.h5 --data d.h5 --add K2.h5:/K --weight -50 >out 2>err
verdict "$([ $? = 3 ] && [ ! -s out ] && grep -qE '^nth elastic: K.h5: /K: diagonal entry 1 of the training inputs is -[0-9.]+; the normaliser needs positive ones$' err; echo $?)" "indefinite sum: $(cat err)"
printf 'a,b,y\n0,1,1\n1,0,1\n' >same.csv
"$nth" data 'csv:same.csv?target=y&task=regress' --out same.h5 >out 2>err
"$nth" kernel --kind ntk --activation erf --data same.h5 --out sameK.h5 >out 2>err
expect 3 'nth elastic: same.h5: one class only: all 2 labels are +1; both +1 and -1 are expected' elastic --gram sameK.h5 --data same.h5 --out same_E.h5
holds 'no file without a result' test ! -e same_E.h5
holds 'nothing is left behind' test -z "$(ls | grep -E 'partial')"
