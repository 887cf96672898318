# SPDX-License-Identifier: GPL-3.0-or-later
#
# nth regress: what it prints, its choice by leave-one-out, and every way of asking for what is not there.

S='synthetic:sphere?n=40&d=6&test=20&seed=1'
expect 0 '' data "$S" --out d.h5
expect 0 '' kernel --kind ntk --activation relu --depth 3 --data "$S" --out K.h5
expect 0 '' kernel --kind ntk --activation erf --depth 2 --data "$S" --out K2.h5
ask() { status=$1 message=$2; shift 2; expect "$status" "${message:+nth regress: $message}" regress --gram K.h5 --data d.h5 --quiet "$@"; }
field() { sed -n "s/^  \"$1\": \(.*[^,]\),*$/\1/p" out; } # of the outermost object

ask 0 ''
holds 'what was fitted' test "$(head -n 1 out)" = 'binary classification: 40 training and 20 test inputs, kernel K.h5/K'
holds 'test score' grep -qE '^test accuracy 0\.[0-9]{4} \+- 0\.[0-9]{4} \([0-9]+ of 20 right\), mean square error [0-9.e-]+$' out
holds 'method' grep -qx 'method cholesky, eigenvalue and condition estimated' out
ask 0 '' --ridge 1e-6 --json
for key in accuracy standard_error mse ridge method loo_mse loo_error gcv smallest_eigenvalue condition n k task; do
    holds "JSON has $key" test -n "$(field $key)"
done
holds 'JSON ridge' test "$(field ridge)" = 1e-06
holds 'JSON task' test "$(field task)" = '"binary"'
holds 'se is sqrt(p(1-p)/k)' awk -v p="$(field accuracy)" -v s="$(field standard_error)" 'BEGIN { d = s * s - p * (1 - p) / 20; exit !(d < 1e-15 && d > -1e-15) }'
one=$(field loo_mse)
for method in cholesky ldlt eigen; do
    ask 0 '' --ridge 1e-6 --method $method --json
    holds "same leave-one-out by $method" awk -v a="$one" -v b="$(field loo_mse)" 'BEGIN { d = a / b - 1; exit !(d < 1e-10 && d > -1e-10) }'
done

for method in cholesky ldlt eigen; do
    ask 0 '' --method $method --ridge 0.1 --threads 1 --json
    cp out one
    ask 0 '' --method $method --ridge 0.1 --threads 3 --json
    holds "same bits by $method on 3 threads" cmp out one
done

# A list: one row each, the least leave-one-out error is chosen.
ask 0 '' --ridge 0,1e-3,0.1,1 --intercept yes --out R.h5
holds 'four rows' test "$(grep -cE '^ +[0-9.e-]+ +[0-9.]+ +[0-9.]{6} ' out)" = 4
holds 'chosen' test "$(sed -n 's/^ *\([0-9.e-]*\) .* \*$/\1/p' out)" = "$(grep -E '^ +[0-9.e-]+ +[0-9.]+ +[0-9.]{6} ' out | sort -g -k 2 | awk '{ print $1; exit }')"
holds 'said so' grep -qx '\* least leave-one-out mean square error of 4' out
expect 0 '' info R.h5
for part in '/alpha (40)' '/loo (40)' '/offset (1)' '/f_test (20)' '/fits (4,7)'; do holds "writes $part" grep -qFx "$part" out; done

# A second kernel: added, and compared with.
ask 0 '' --add K2.h5:/K --weight 0.5
holds 'remark on labels' grep -q '^leave-one-out is optimistic if ' out
ask 0 '' --add K2.h5:/K --weight loo --json
holds 'twelve weights' test "$(grep -c '"ridge"' out)" = 13
holds 'loo_optimistic' test "$(field loo_optimistic)" = true
ask 0 '' --add K2.h5:/K --weight loo --json
three=$(awk '/"weight"/ { gsub(/[ ,]/, ""); sub(/.*:/, ""); if (++n == 6) print }' out) # ratio 0.1 of the grid
ask 0 '' --add K2.h5:/K --weight hand --json
holds 'the published rule at its usual ratio' test "$(field weight) $(field ratio) $(field chosen_by)" = "$three 0.1 \"published rule\""
ask 0 '' --add K2.h5:/K --weight hand --label-ratio 0.3
holds 'the published rule is named' grep -qx 'weight by the published rule: 0.3 mean |K| / mean |Z| (E74), no sample held out' out
ask 0 '' --add K.h5:/K --weight hand --label-ratio 2 --json
holds 'mean |K| / mean |K| is 1' test "$(field weight)" = 2
ask 2 '--label-ratio goes with --weight hand only' --add K2.h5:/K --weight loo --label-ratio 0.3
ask 2 '--weight hand does not go with --times; give a number' --times 1 --add K2.h5:/K --weight hand
ask 0 '' --add K2.h5:/K --weight 0 --json
holds 'weight 0 changes nothing' test "$(field loo_mse)" = "$("$nth" regress --gram K.h5 --data d.h5 --json | sed -n 's/^  "loo_mse": \(.*\),$/\1/p')"
ask 0 '' --add K2.h5:/K --weight -5
holds 'indefinite: LDL^T' grep -qx 'method ldlt, eigenvalue and condition estimated' out
holds 'indefinite: said so' grep -qE '^the kernel with its ridge is indefinite: [1-9][0-9]* negative eigenvalues$' out

# Weights chosen on held-out samples. Each sample its own fold: at weight 0 that is leave-one-out.
ask 0 '' --ridge 0.01 --json
one=$(field loo_mse)
for z in constant squares; do
    ask 0 '' --ridge 0.01 --add $z --weight folds --folds 40 --json
    holds "$z: n folds are leave-one-out" awk -v a="$one" -v b="$(awk '/"choice"/ { on = 1 } on && /"mse"/ { gsub(/[ ,]/, ""); sub(/.*:/, ""); print; exit }' out)" 'BEGIN { d = a / b - 1; exit !(d < 1e-10 && d > -1e-10) }'
    holds "$z: no labels in it" test "$(field loo_optimistic) $(field held_out) $(field chosen_by)" = 'false 40 "held-out mean square error"'
done
ask 0 '' --add squares --weight folds --validation 0.25 --seed 3 --ridge 0.01,0.1 --out R.h5
holds 'ten held out' grep -qx 'choice on 10 held-out training samples' out
holds 'least of the curve' test "$(awk '/held-out mse/ { on = 1; next } on && NF > 5 { exit } on && /\*$/ { print $3 }' out)" = "$(awk '/held-out mse/ { on = 1; next } / weight / { exit } on { print $3 }' out | sort -g | head -n 1)"
expect 0 '' info R.h5
holds 'the curve is kept' grep -qFx '/choice (24,4)' out
expect 0 '' kernel --kind nth --activation erf --mode exact --folds 4 --data d.h5 --out N.h5
expect 0 '' kernel --kind nth --activation erf --mode exact --data d.h5 --out N0.h5
expect 0 '' info N.h5
for part in '/fold (40)' '/fold_1/K_label (40,40)' '/fold_4/K_label (40,40)'; do holds "writes $part" grep -qFx "$part" out; done
ask 0 '' --ridge 0.01 --add N.h5:/K_label --weight folds --json
holds 'folds of the file' test "$(field held_out)" = 40
ask 2 '--folds: the folds are those that N.h5 was made with' --ridge 0.01 --add N.h5:/K_label --weight folds --folds 3
ask 3 'N0.h5 has no /fold: make it with --validation or --folds, so that /K_label of held-out samples has not seen their labels' --add N0.h5:/K_label --weight folds
ask 2 '--folds goes with --weight folds only' --folds 3
ask 2 '--validation goes with --weight folds only' --add squares --weight loo --validation 0.3
ask 2 '--folds and --validation exclude each other' --add squares --weight folds --folds 4 --validation 0.3
ask 2 '--folds: 41 folds, d.h5 has 40 training inputs' --add squares --weight folds --folds 41
ask 0 '' --against K2.h5
holds 'McNemar' grep -qE '^only the first right [0-9]+, only the second [0-9]+; difference [+-][0-9.]+ \+- [0-9.]+, McNemar p = [0-9.e-]+ \(exact, two-sided\)$' out
ask 0 '' --against K.h5 --json
holds 'against itself' test "$(grep -A 20 '"against"' out | tr -d ' ,' | grep -E '^"(b|c|p)":' | tr '\n' ' ')" = '"b":0 "c":0 "p":1 '

# Flow times; t = inf is ridgeless.
ask 0 '' --times 1,10,inf --json --out F.h5
last=$(grep '"mse"' out | tail -n 1 | tr -d ' ",:a-z')
holds 'inf in JSON' grep -q '"t": "inf"' out
ask 0 '' --json
holds 't = inf is ridgeless' awk -v a="$last" -v b="$(field mse)" 'BEGIN { d = a / b - 1; exit !(d < 1e-10 && d > -1e-10) }'
expect 0 '' info F.h5
for part in '/t (3)' '/f (3,40)' '/f_test (3,20)'; do holds "writes $part" grep -qFx "$part" out; done
rm R.h5 F.h5

# Usage.
expect 2 'nth regress: --gram FILE is missing: kernel file with /K and /K_test, or FILE:/NAME for the datasets NAME and NAME_test' regress --data d.h5
ask 2 '--ridge: -1 is not at least 0' --ridge=-1
ask 2 '--ridge: inf is not finite' --ridge inf
ask 2 '--method: "cholsky" is none of cholesky, ldlt, eigen; did you mean "cholesky"?' --method cholsky
ask 2 '--method ldlt takes one --ridge, 2 are given; eigen takes any number' --method ldlt --ridge 0,1
ask 2 '--weight goes with --add only' --weight 1
ask 2 '--add needs --weight W, a number, hand, loo or folds' --add K2.h5:/K
ask 2 '--add: "K2.h5" is not of the form FILE:/DATASET' --add K2.h5 --weight 1
ask 2 '--weight: "lo" is neither a number nor hand, loo or folds' --add K2.h5:/K --weight lo
ask 2 '--weight: "1x" is neither a number nor hand, loo or folds' --add K2.h5:/K --weight 1x
ask 2 '--weight: "nan" is neither a number nor hand, loo or folds' --add K2.h5:/K --weight nan
ask 2 '--ridge does not go with --times' --times 1 --ridge 1
ask 2 '--method does not go with --times' --times 1 --method eigen
ask 2 '--against does not go with --times' --times 1 --against K2.h5
ask 2 '--intercept yes does not go with --times' --times 1 --intercept yes
ask 2 '--weight loo does not go with --times; give a number' --times 1 --add K2.h5:/K --weight loo

# Files that do not fit.
expect 3 'nth regress: absent.h5: cannot be opened: No such file or directory' regress --gram absent.h5 --data d.h5
expect 3 'nth regress: absent.h5: cannot be opened: No such file or directory' regress --gram K.h5 --data absent.h5
expect 3 'nth regress: d.h5: has no dataset /K' regress --gram d.h5 --data d.h5
expect 3 'nth regress: K.h5: has no dataset /Z' regress --gram K.h5 --data d.h5 --add K.h5:/Z --weight 1
expect 3 'nth regress: K.h5: /K is 40 x 40 (rank 2); 30 x 30 is expected: synthetic:sphere?n=30&d=6&test=20&seed=1 has 30 training and 20 test inputs' regress --gram K.h5 --data 'synthetic:sphere?n=30&d=6&test=20&seed=1'
expect 3 'nth regress: K.h5: /K_test is 20 x 40 (rank 2); 9 x 40 is expected: synthetic:sphere?n=40&d=6&test=9&seed=1 has 40 training and 9 test inputs' regress --gram K.h5 --data 'synthetic:sphere?n=40&d=6&test=9&seed=1'
expect 0 '' kernel --kind ntk --activation erf --data 'synthetic:sphere?n=40&d=6&test=0&seed=1' --out bare.h5
expect 3 'nth regress: bare.h5: has no dataset /K_test' regress --gram bare.h5 --data d.h5
expect 0 '' regress --gram bare.h5 --data 'synthetic:sphere?n=40&d=6&test=0&seed=1'
holds 'no test score' test "$(grep -c 'accuracy' out)" = 0
expect 2 'nth regress: --against needs test inputs, synthetic:sphere?n=40&d=6&test=0&seed=1 has none' regress --gram bare.h5 --data 'synthetic:sphere?n=40&d=6&test=0&seed=1' --against K2.h5
expect 3 'nth regress: absent/R.h5.partial: cannot be written: No such file or directory' regress --gram K.h5 --data d.h5 --out absent/R.h5

# A singular kernel: the figures, and a ridge that does help.
expect 0 '' net --widths 6,1,1 --activation linear --out thin.h5
expect 0 '' kernel --net thin.h5 --data d.h5 --out thinK.h5
"$nth" regress --gram thinK.h5 --data d.h5 >out 2>err
verdict "$([ $? = 3 ] && [ ! -s out ] && grep -qE '^nth regress: thinK.h5: kernel with ridge 0 is numerically singular: not positive definite at pivot [0-9]+ of 40; its eigenvalues go from about [0-9.e+-]+ to about [0-9.e+-]+; a ridge of [0-9]e-[0-9]+ brings the condition number below 1e\+12$' err; echo $?)" "singular: $(cat err)"
ridge=$(sed 's/.*a ridge of \([^ ]*\) .*/\1/' err)
expect 0 '' regress --gram thinK.h5 --data d.h5 --ridge "$ridge"
expect 0 '' regress --gram thinK.h5 --data d.h5 --ridge "0,$ridge" --json
holds 'a refused ridge among others is told' grep -q '"refused": "kernel with ridge 0 is numerically singular' out
"$nth" regress --gram thinK.h5 --data d.h5 --ridge 0,1e-20 >out 2>err
verdict "$([ $? = 3 ] && [ ! -s out ] && grep -q 'thinK.h5: kernel with ridge 1e-20 is numerically singular' err; echo $?)" "all ridges refused: $(cat err)"
expect 0 '' regress --gram thinK.h5 --data d.h5 --times 1,100
"$nth" regress --gram thinK.h5 --data d.h5 --times inf >out 2>err
verdict "$([ $? = 3 ] && [ ! -s out ] && grep -q 't = inf needs a positive definite kernel' err; echo $?)" "singular at inf: $(cat err)"

# Labels. Tables of four and three inputs with kernels of that size.
table() { printf 'a,b,y\n0,1,%s\n1,0,%s\n1,1,%s\n2,1,%s\n' "$@" >t.csv; "$nth" data 'csv:t.csv?target=y&task=regress' --out t.h5 >out 2>err && "$nth" kernel --kind ntk --activation erf --data t.h5 --out tK.h5 >out 2>err; }
table 0 1 1 0
expect 3 'nth regress: t.h5: label 1 is 0; two classes are labelled +1 and -1 (--task regress fits them as numbers)' regress --gram tK.h5 --data t.h5
expect 0 '' regress --gram tK.h5 --data t.h5 --task regress
holds 'regression' grep -q '^regression: 4 training and 0 test inputs' out
table 1 1 1 1
expect 3 'nth regress: t.h5: one class only: all 4 labels are +1; both +1 and -1 are expected (--task regress fits them as numbers)' regress --gram tK.h5 --data t.h5
table 0.5 1 2 0
expect 0 '' regress --gram tK.h5 --data t.h5 --json
holds 'numbers are fitted' test "$(field task)" = '"regression"'
expect 3 'nth regress: t.h5: label 1 is 0.5; two classes are labelled +1 and -1' regress --gram tK.h5 --data t.h5 --task classify
expect 2 'nth regress: --against compares classifications; the targets are numbers' regress --gram tK.h5 --data t.h5 --against tK.h5
printf 'a,b,y,split\n0,1,x,1\n1,0,y,1\n1,1,z,1\n2,1,x,1\n1,3,y,0\n2,2,z,0\n' >three.csv
expect 0 '' kernel --kind ntk --activation erf --data 'csv:three.csv?target=y&train=4&test=2' --out three.h5
expect 0 '' regress --gram three.h5 --data 'csv:three.csv?target=y&train=4&test=2' --intercept yes
holds 'multi-class' grep -q '^multi-class classification: 4 training and 2 test inputs' out
holds 'nothing is left behind' test -z "$(ls | grep -E 'partial')"

# A kernel of other data of the same size is told of, once, and used.
O='synthetic:sphere?n=40&d=6&test=20&seed=2'
sum() { "$nth" info "$1" | sed -n 's/^@data_checksum = //p'; }
expect 0 '' kernel --kind ntk --activation relu --depth 3 --data "$O" --out other.h5
told="other.h5 was made from other inputs or labels (checksum $(sum other.h5)) than those of d.h5 ($(sum K.h5))"
expect 0 "nth regress: $told" regress --gram other.h5 --data d.h5
expect 0 '' regress --gram other.h5 --data d.h5 --quiet
expect 0 "nth elastic: $told" elastic --gram other.h5 --data d.h5 --bootstrap 0
expect 0 "nth lantk: $told" lantk --variant ls-v1 --base other.h5 --data d.h5 --validation 0.2 --out O.h5
expect 0 "nth regress: $told" regress --gram K.h5 --add other.h5:/K --weight 0.1 --data d.h5
expect 0 '' regress --gram other.h5 --add O.h5:/Z --weight folds --data d.h5 --quiet
expect 0 '' regress --gram K.h5 --add O.h5:/Z --weight folds --data d.h5

# Outputs of another model in place of a second kernel.
versus() { grep -A 20 '"against"' out | tr -d ' ,' | grep -E '^"(accuracy|b|c|p|difference)":' | tr '\n' ' '; }
ask 0 '' --out first.h5
expect 0 '' regress --gram K2.h5 --data d.h5 --out second.h5 --quiet
ask 0 '' --against K2.h5 --json
two=$(versus)
ask 0 '' --against second.h5:/f_test --json
holds 'a kernel and its outputs compare alike' test "$(versus)" = "$two"
holds 'outputs have no ridge' test "$(grep -A 20 '"against"' out | grep -cE '"(gram|ridge)"')" = 0
ask 0 '' --against first.h5:/f_test
holds 'against its own outputs' grep -q '^only the first right 0, only the second 0; .* p = 1 ' out
holds 'no ridge is said' grep -qx 'against first.h5/f_test: accuracy 0\.[0-9]* +- 0\.[0-9]*' out
expect 0 '' net --widths 6,30,1 --activation tanh --seed 2 --out n.h5
expect 0 '' train --net n.h5 --data d.h5 --optimizer sgd --epochs 3 --record 0,3 --learning-rate 0.5 --save-net no --out t3.h5 --quiet
score=$(sed -n 's/^ *3 .* \([0-9.]*\)$/\1/p' out)
ask 0 '' --against t3.h5:/f_test
holds "the last record counts ($score)" awk -v s="$score" '/^against/ { sub(/.*accuracy /, ""); exit !($1 - s < 1e-4 && s - $1 < 1e-4) }' out
expect 0 '' train --net n.h5 --data d.h5 --times 0.5,1 --out flow.h5 --quiet
ask 0 '' --against flow.h5:/f_test
expect 0 '' regress --gram K2.h5 --data d.h5 --times 1,2 --out flow2.h5 --quiet
ask 0 '' --against flow2.h5:/f_test
ask 3 't3.h5: has no dataset /late/f_test' --against t3.h5:/late/f_test
expect 0 '' kernel --kind ntk --activation relu --depth 3 --data 'synthetic:sphere?n=40&d=6&test=9&seed=1' --out K9.h5
expect 3 'nth regress: t3.h5: /f_test has rank 2 and begins with 2 x 20; 9 x 1 are expected, outputs on the test inputs of synthetic:sphere?n=40&d=6&test=9&seed=1, or these at several times' \
    regress --gram K9.h5 --data 'synthetic:sphere?n=40&d=6&test=9&seed=1' --against t3.h5:/f_test --quiet
