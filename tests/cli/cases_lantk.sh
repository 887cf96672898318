# SPDX-License-Identifier: GPL-3.0-or-later
#
# nth lantk: what it prints and writes, folds, permuted labels, and every way of asking for what is not there.

S='synthetic:sphere?n=40&d=6&test=20&seed=1'
expect 0 '' data "$S" --out d.h5
expect 0 '' kernel --kind ntk --activation relu --depth 2 --data d.h5 --out K.h5
ask() { status=$1 message=$2; shift 2; expect "$status" "${message:+nth lantk: $message}" lantk --base K.h5 --data d.h5 --quiet "$@"; }
field() { sed -n "s/^  \"$1\": \(.*[^,]\),*$/\1/p" out; } # of the outermost object

for variant in kr-v1 kr-v2 ls-v1 ls-v2 fjlt-v1 fjlt-v2; do
    ask 0 '' --variant $variant --out Z_$variant.h5
    holds "$variant: what it is" test "$(head -n 1 out)" = "$variant: 40 training and 20 test inputs, base kernel K.h5"
    holds "$variant: weight" grep -qE '^mean \|K\| [0-9.e-]+, mean \|Z\| [0-9.e-]+: weight = [0-9.e+-]+ r \(E74\)$' out
    expect 0 '' info Z_$variant.h5
    for part in '/Z (40,40)' '/Z_test (20,40)' '/Z_test_diag (20)'; do holds "$variant writes $part" grep -qFx "$part" out; done
    expect 0 '' regress --gram K.h5 --add Z_$variant.h5:/Z --weight 0.001 --data d.h5
    ask 0 '' --variant $variant --json --threads 1 --out Z.h5
    cp out one
    ask 0 '' --variant $variant --json --threads 3 --out Z.h5
    holds "$variant: same numbers on 3 threads" cmp out one
    rule=$(awk -v k="$(field mean_abs_K)" -v z="$(field mean_abs_Z)" 'BEGIN { printf "%.9g", k / z }')
    expect 0 '' regress --gram K.h5 --add Z.h5:/Z --weight hand --label-ratio 1e-3 --data d.h5 --json
    holds "$variant: means of |K| and |Z|" awk -v a="$(field weight)" -v b="$rule" 'BEGIN { d = 1000 * a / b - 1; exit !(a != "" && d < 1e-7 && d > -1e-7) }'
    cp one out
done
for key in variant n k folds permuted_labels mean_abs_K mean_abs_Z condition r2 dropped sketch_rows excess constant; do
    holds "JSON has $key" test -n "$(field $key)"
done
holds 'the published size of the sketch' test "$(field sketch_rows)" = 30445
holds 'twenty coefficients' test "$(sed -n '/"w"/,/}/p' out | grep -c '^    "')" = 20
holds 'no intercept' test "$(field constant)" = 0
ask 0 '' --variant ls-v1 --json --out Z.h5
plain=$(field r2)
ask 0 '' --variant ls-v1 --intercept yes --json --out Z.h5
holds 'an intercept fits no worse' awk -v a="$plain" -v b="$(field r2)" 'BEGIN { exit !(b >= a - 1e-12) }'
intercept=$(field r2)
ask 0 '' --variant ls-v1 --intercept yes --standardize yes --json --out Z.h5
holds 'with an intercept standardising changes nothing' awk -v a="$intercept" -v b="$(field r2)" 'BEGIN { exit !(b >= a - 1e-12 && b <= a + 1e-12) }'
ask 0 '' --variant ls-v1 --standardize yes --json --out Z.h5
holds 'without one it does: a constant, and no mean' test "$(field constant)" != 0 -a "$(field r2)" != "$plain"
ask 0 '' --variant fjlt-v1 --standardize yes --out Z.h5
holds 'the constant is said' grep -qE '^constant +-?[0-9.e-]+$' out
ask 0 '' --variant ls-v1 --ridge 0.1 --json --out Z.h5
holds 'a ridge fits no better' awk -v a="$plain" -v b="$(field r2)" 'BEGIN { exit !(b < a) }'
ask 0 '' --variant ls-v1 --permute-labels 3 --json --out Z.h5
holds 'permuted labels: said' test "$(field permuted_labels)" = true
holds 'permuted labels: another fit' test "$(field r2)" != "$plain"

# Folds, and one fold.
ask 0 '' --variant ls-v1 --folds 4 --out F.h5
expect 0 '' info F.h5
for part in '/fold (40)' '/fold_1/Z (40,40)' '/fold_4/Z (40,40)' '/Z (40,40)'; do holds "writes $part" grep -qFx "$part" out; done
ask 0 '' --variant kr-v2 --validation 0.25 --out F.h5
expect 0 '' info F.h5
holds 'one fold' test "$(grep -c '^/fold_[0-9]*/Z (' out)" = 1
expect 0 '' regress --gram K.h5 --add F.h5:/Z --weight 0.001 --data d.h5

# Z of test inputs with themselves needs the kernel's: from /K_test_diag or /K_test_test, else it is left out.
expect 0 '' net --widths 6,9,1 --out n.h5
expect 0 '' kare --net n.h5 --data d.h5 --lambda 1 --steps 1 --out T.h5 --quiet
expect 0 '' lantk --variant ls-v1 --base T.h5 --data d.h5 --out Z.h5 --quiet
holds 'says what is missing' grep -qx '/Z_test_diag is left out: T.h5 has neither /K_test_diag (20) nor /K_test_test (20,20), the kernel of each test input with itself' out
expect 0 '' lantk --variant ls-v1 --base T.h5 --data d.h5 --out Z.h5 --quiet --json
holds 'in JSON, too' grep -q '"test_diagonal": false' out
expect 0 '' info Z.h5
holds 'and leaves it out' test "$(grep -c '^/Z_test_diag' out)" = 0
expect 0 '' elastic --gram K.h5 --add Z.h5:/Z --weight 0.001 --data d.h5 --quiet
holds 'elastic: training pairs only' grep -q '^test-train pairs: not computed: Z.h5 has neither /Z_test_diag (20)' out

# Usage.
expect 2 'nth lantk: --variant WORD is missing: regression on the kernel alone (kr), exact least squares on 10 (v1) or 20 (v2) features of a pair (ls), or the same sketched (fjlt)' lantk --base K.h5 --data d.h5 --out Z.h5
expect 2 'nth lantk: --base FILE is missing: file of the base kernel, with /K and /K_test' lantk --variant kr-v1 --data d.h5 --out Z.h5
ask 2 '--variant: "kr-v3" is none of kr-v1, kr-v2, ls-v1, ls-v2, fjlt-v1, fjlt-v2; did you mean "kr-v1"?' --variant kr-v3 --out Z.h5
ask 2 '--intercept yes does not go with --variant kr-v1; it belongs to ls and fjlt' --variant kr-v1 --intercept yes --out Z.h5
ask 2 '--standardize yes does not go with --variant kr-v2; it belongs to ls and fjlt' --variant kr-v2 --standardize yes --out Z.h5
ask 2 '--ridge does not go with --variant fjlt-v1; it belongs to kr-v2, ls-v1 and ls-v2' --variant fjlt-v1 --ridge 1 --out Z.h5
ask 2 '--folds and --validation exclude each other' --variant kr-v1 --folds 3 --validation 0.2 --out Z.h5
ask 2 '--folds: 41 folds, d.h5 has 40 training inputs' --variant kr-v1 --folds 41 --out Z.h5
ask 2 '--folds: 1 is not in the range 2 to 1000000' --variant kr-v1 --folds 1 --out Z.h5
ask 2 '--validation: 1 is not in the range 0.001 to 0.9' --variant kr-v1 --validation 1 --out Z.h5
ask 2 'epsilon = 1 gives a sketch of 2 rows for 11 columns' --variant fjlt-v1 --epsilon 1 --out Z.h5

# Files that do not fit.
expect 3 'nth lantk: absent.h5: cannot be opened: No such file or directory' lantk --variant kr-v1 --base absent.h5 --data d.h5 --out Z.h5
expect 3 'nth lantk: d.h5: has no dataset /K' lantk --variant kr-v1 --base d.h5 --data d.h5 --out Z.h5
expect 3 'nth lantk: K.h5: /K is 40 x 40 (rank 2); 30 x 30 is expected: synthetic:sphere?n=30&d=6&test=20&seed=1 has 30 training and 20 test inputs' lantk --variant kr-v1 --base K.h5 --data 'synthetic:sphere?n=30&d=6&test=20&seed=1' --out Z.h5
expect 3 'nth lantk: K.h5: /K_test is 20 x 40 (rank 2); 9 x 40 is expected: synthetic:sphere?n=40&d=6&test=9&seed=1 has 40 training and 9 test inputs' lantk --variant kr-v1 --base K.h5 --data 'synthetic:sphere?n=40&d=6&test=9&seed=1' --out Z.h5
expect 0 '' kernel --kind ntk --activation relu --data 'synthetic:sphere?n=40&d=6&test=0&seed=1' --out bare.h5
expect 3 'nth lantk: bare.h5: has no dataset /K_test' lantk --variant kr-v1 --base bare.h5 --data d.h5 --out Z.h5
expect 0 '' lantk --variant ls-v1 --base bare.h5 --data 'synthetic:sphere?n=40&d=6&test=0&seed=1' --out Z.h5 --quiet
expect 0 '' info Z.h5
holds 'no /Z_test without test inputs' test "$(grep -c '^/Z_test' out)" = 0
expect 3 'nth lantk: absent/Z.h5.partial: cannot be written: No such file or directory' lantk --variant kr-v1 --base K.h5 --data d.h5 --out absent/Z.h5

# Labels and inputs.
table() { printf 'a,b,y\n%s,%s,%s\n1,0,%s\n1,2,%s\n2,1,%s\n' "$@" >t.csv; "$nth" data 'csv:t.csv?target=y&task=regress' --out t.h5 >out 2>err && "$nth" kernel --kind ntk --activation erf --data t.h5 --out tK.h5 --sigma-b 0.1 >out 2>err; }
table 0 1 1 1 1 1
expect 3 'nth lantk: t.h5: all 4 labels are of one class: T = 1 for every pair, there is nothing to learn from' lantk --variant kr-v1 --base tK.h5 --data t.h5 --out Z.h5
table 0 1 1 0.5 1 -1
expect 3 'nth lantk: t.h5: label 2 is 0.5; two classes are labelled +1 and -1' lantk --variant kr-v1 --base tK.h5 --data t.h5 --out Z.h5
table 0 0 1 1 -1 -1
expect 3 'nth lantk: t.h5: training input 1 is zero: it has no cosine with others' lantk --variant ls-v1 --base tK.h5 --data t.h5 --out Z.h5
expect 0 '' lantk --variant kr-v1 --base tK.h5 --data t.h5 --out Z.h5 --quiet
table 3 3 1 1 -1 -1
expect 3 'nth lantk: t.h5: all coordinates of training input 1 are alike: it has no correlation with others' lantk --variant ls-v1 --base tK.h5 --data t.h5 --out Z.h5
printf 'a,b,c,y,split\n0,1,0,x,1\n1,0,1,y,1\n1,1,3,z,1\n2,1,1,x,1\n1,3,0,y,0\n2,2,1,z,0\n' >three.csv
expect 0 '' kernel --kind ntk --activation relu --data 'csv:three.csv?target=y&train=4&test=2' --out three.h5
for variant in kr-v1 kr-v2 ls-v1; do expect 0 '' lantk --variant $variant --base three.h5 --data 'csv:three.csv?target=y&train=4&test=2' --out Z.h5 --quiet; done
holds 'nothing is left behind' test -z "$(ls | grep -E 'partial')"
