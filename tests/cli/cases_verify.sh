# SPDX-License-Identifier: GPL-3.0-or-later
#
# nth verify: verdict and exit status, what it records, mistakes, an interruption and its continuation.

small="--activation tanh --depth 2 --init antisymmetric --times 1"
ask() { status=$1 message=$2; shift 2; expect "$status" "${message:+nth verify: $message}" verify --quiet "$@"; }

# Enough networks: every check holds, status 0. The same with too few: undecided, status 1.
ask 0 '' $small --widths 64,128,256,512 --seeds 48 --out V.h5 --table T.md
holds 'says so' grep -qx 'All checks hold.' out
holds 'a table of claims' grep -q '^| Theorem 2.1: K_t - Khat_t | tanh L=2 antisymmetric | m^-2 | t=1: -[12].* | holds |$' out
holds 'controls beside it' grep -q '^| K4 dropped | tanh L=2 antisymmetric | m^-1 | t=1: -[01].* | holds |$' out
holds 'preconditions' grep -q '^| tanh L=2 antisymmetric | yes | yes | ' out
holds '--table has the same tables' test "$(grep '^|' T.md)" = "$(grep '^|' out)"
expect 0 '' info V.h5
for part in '@status = complete' '/members/tanh_L2_antisymmetric/m64/s48 (54)' '/members/tanh_L2_antisymmetric_small_t/m16/s1 (204)' \
    '/rates/tanh_L2_antisymmetric/E/median (1,3,2,4)' '/rates/tanh_L2_antisymmetric/E/slope (1,3,2,3)' \
    '/rates/tanh_L2_antisymmetric/widths (4)' '/rates/tanh_L2_antisymmetric/times (1)'; do
    holds "verify writes $part" grep -qFx "$part" out
done
holds 'the verdict is an attribute' grep -qa '"claim": "Theorem 2.1: K_t - Khat_t".*"verdict": "holds"' V.h5
holds 'nothing partial is left' test ! -e V.h5.partial
ask 1 '' $small --widths 32,64,128 --seeds 4
holds 'undecided is told' grep -qE '^\| Theorem 2.1.* UNDECIDED \|$' out
holds 'and counted' grep -qE '^[1-9][0-9]* checks do not hold\.$' out
ask 1 '' $small --widths 64,128 --seeds 48 # two points always lie on a line
ask 1 '' $small --widths 64 --seeds 8
"$nth" verify $small --widths 32,64 --seeds 2 --threads 1 --quiet >out 2>err
verdict "$([ $? = 1 ] && [ ! -s err ]; echo $?)" "--quiet is quiet: $(cat err)"

# JSON: one object, which nth itself parses whole before it wonders at its keys.
ask 0 '' $small --widths 64,128,256,512 --seeds 48 --json
holds 'claims' grep -q '"claim": "Theorem 2.1: K_t - Khat_t"' out
holds 'nothing has failed' grep -q '"failed_checks": 0' out
cp out V.json
"$nth" verify --config V.json >out 2>err
verdict "$([ $? = 2 ] && grep -q '^nth verify: V.json:2:3: "result" must be' err; echo $?)" "valid JSON: $(cat err)"
ask 1 '' $small --widths 32,64 --seeds 2 --json
holds 'a verdict for each claim' test "$(grep -c '"verdict"' out)" = "$(grep -c '"claim"' out)"
holds 'what failed is counted' grep -qE '"failed_checks": [1-9]' out

# relu has its own claims; other activations and depths give other families.
ask 1 '' --activation relu --widths 32,64 --seeds 2 --times 1
holds 'relu claims' grep -q '^| relu: mean of K_t - K_0, train diagonal | relu L=2 Gaussian | m^-0.5 |' out
holds 'no theorem for relu' test "$(grep -c 'Theorem 2.1' out)" = 0
ask 1 '' --activation erf,sin --depth 2 --init both --widths 8,16 --seeds 1 --times 1
holds 'families' test "$(grep '^| Theorem' out | cut -d'|' -f3 | LC_ALL=C sort | tr '\n' ',')" = ' erf L=2 Gaussian , erf L=2 antisymmetric , sin L=2 Gaussian , sin L=2 antisymmetric ,'
holds 'E_init K_0 of erf' grep -q 'E_init K_0 | erf' out

# The truncated hierarchy: its own claims and data, the same forms of output, its own mistakes.
few="truncation --activation erf --init antisymmetric --times 1 --widths 64,128,256"
ask 0 '' $few --seeds 48 --out U.h5 --table T.md
holds 'says so' grep -qx 'All checks hold.' out
holds 'the outputs of level 4' grep -q '^| level 4: f_t - f_t^(4), training | erf L=2 antisymmetric | m^-2 | t=1: -[12].* | holds |$' out
holds 'level 2 at its own exponent' grep -q '^| level 2: K_t - K_t^(2) | erf L=2 antisymmetric | m^-1 | t=1: -[01].* | holds |$' out
holds 'odd levels as reports' grep -q '^| level 5: f_t - f_t^(5), training | .* | reported |$' out
holds 'powers of t' grep -qE '^\| level 5: small t, K_t - K_t\^\(5\) \| erf L=2 antisymmetric small t \| t\^4 \| (3\.[89]|4\.0).* \| holds \|$' out
holds 'four inputs' grep -q '^# nth verify truncation (quick): synthetic:sphere?n=4&d=6&test=2&seed=1, 4 training and 2 test' out
holds '--table has the same tables' test "$(grep '^|' T.md)" = "$(grep '^|' out)"
expect 0 '' info U.h5
for part in '@status = complete' '/members/erf_L2_antisymmetric/m64/s48 (78)' '/members/erf_L2_antisymmetric_small_t_level_5/m16/s1 (300)' \
    '/rates/erf_L2_antisymmetric/kernel_4/median (1,3,2,3)' '/rates/erf_L2_antisymmetric/output_4/slope (1,3,2,3)'; do
    holds "verify writes $part" grep -qFx "$part" out
done
ask 1 '' truncation --activation tanh --init gaussian --times 1 --widths 32,64 --seeds 2 --json
holds 'JSON claims' grep -q '"claim": "level 4: f_t - f_t^(4), training"' out
holds 'what failed is counted' grep -qE '"failed_checks": [1-9]' out
ask 2 'no network is left by the activations, depths and initializations chosen (relu runs with two layers and Gaussian initialization, and in theorem-2.1 only)' truncation --activation relu

rm -f V.h5 U.h5
ask 2 'family 1: time 0.5; times must be positive, finite and ascending' --times 1,0.5 --out V.h5
ask 2 'family 1: time 0; times must be positive, finite and ascending' --times 0 --out V.h5
ask 2 'family 1: time inf; times must be positive, finite and ascending' --times inf --out V.h5
ask 2 '--widths: 0 is not in the range 1 to 1000000000' --widths 0 --out V.h5
ask 2 'family 1: width 32; widths must be positive and ascending' --widths 64,32 --out V.h5
ask 2 'family 1: width 63; an antisymmetric net has two copies of half the width, so it must be even' --widths 63 --init antisymmetric --out V.h5
ask 2 '--activation: "tahn" is none of tanh, erf, softplus, gelu, sin, relu, linear, quadratic; did you mean "tanh"?' --activation tahn --out V.h5
ask 2 '--preset: "quik" is none of quick, standard, full; did you mean "quick"?' --preset quik --out V.h5
ask 2 '--check: "theorem-2.2" is none of theorem-2.1, truncation, mean-drift, elasticity, claim-1.1; did you mean "theorem-2.1"?' theorem-2.2
ask 2 '--depth: 1 is not in the range 2 to 32' --depth 1 --out V.h5
ask 2 '--seeds: 0 is not in the range 1 to 1000000' --seeds 0 --out V.h5
ask 2 '--stepper: "rk4" is none of collocation, rk8pd, rkck; did you mean "rkck"?' --stepper rk4 --out V.h5
ask 2 'no network is left by the activations, depths and initializations chosen (relu runs with two layers and Gaussian initialization, and in theorem-2.1 only)' --activation relu --init antisymmetric --out V.h5
ask 3 'absent/V.h5.partial: cannot be written: No such file or directory' $small --widths 32 --seeds 1 --out absent/V.h5
ask 3 '--table absent/T.md: No such file or directory' $small --widths 32 --seeds 1 --table absent/T.md
ask 2 '--table T.txt: a name that ends in .md, .csv or .tex is expected' $small --widths 32 --seeds 1 --table T.txt --out V.h5
ask 2 '--label-ratio goes with elasticity, not with theorem-2.1' --label-ratio 0.1
ask 1 '' $small --widths 32,64 --seeds 2 --table T.csv
holds 'CSV: a claim' grep -qE '^Theorem 2\.1: K_t - Khat_t,tanh L=2 antisymmetric,m\^-2,"t=1: .*\]",UNDECIDED$' T.csv
holds 'CSV: both tables' grep -q '^network,smooth,zero biases,' T.csv
ask 1 '' $small --widths 32,64 --seeds 2 --table T.tex
holds 'LaTeX: a claim' grep -qE '^Theorem 2\.1: K\\_t - Khat\\_t & tanh L=2 antisymmetric & m\\textasciicircum\{\}-2 & .* & UNDECIDED \\\\$' T.tex
holds 'LaTeX: both tables' test "$(grep -cx '\\bottomrule' T.tex)" = 2
ask 3 'absent.h5: cannot be opened: No such file or directory' --data absent.h5 --out V.h5
printf 'a,b,c,class\n1,0,0,x\n0,1,0,y\n0,0,1,z\n1,1,0,x\n' >three.csv
ask 2 'targets have 3 columns; the check takes one output (two classes)' --data 'csv:three.csv?target=class&train=4&test=0' --out V.h5
holds 'nothing is left behind' test -z "$(ls | grep -E '^V\.h5|partial')"

# Interrupted: status 3, one line, the finished networks kept; the same command goes on to the same table.
long="--activation tanh --depth 2 --init antisymmetric --times 1 --widths 64,128,256,512 --seeds 250 --threads 1 --bootstrap 100 --quiet"
"$nth" verify $long --json >whole.json 2>err
verdict "$([ $? -le 1 ] && [ ! -s err ]; echo $?)" "the whole sweep: $(cat err)"
"$nth" verify $long --json --out L.h5 >out 2>err &
run=$!
for _ in $(seq 100); do [ -e L.h5.partial ] && break; sleep 0.05; done
sleep 0.4
kill -INT $run
wait $run
verdict "$([ $? = 3 ] && [ ! -s out ] && grep -qE '^nth verify: interrupted; [1-9][0-9]* of 1250 networks are kept in L\.h5\.partial; the same command continues$' err; echo $?)" "interrupted: $(cat err)"
holds 'no half result' test ! -e L.h5
kept=$(sed 's/.*interrupted; \([0-9]*\) of.*/\1/' err)
expect 0 '' info L.h5.partial
holds 'partial' grep -qx '@status = partial' out
holds 'as many networks as it said' test "$(grep -c '^/members/' out)" = "$kept"
"$nth" verify $long --seed 2 --out L.h5 >out 2>err
verdict "$([ $? = 3 ] && [ ! -s out ] && [ "$(wc -l <err)" = 1 ] && grep -q 'L.h5.partial' err; echo $?)" "another configuration is refused: $(cat err)"
"$nth" verify ${long% --quiet} --json --out L.h5 >out 2>err
verdict "$([ $? -le 1 ] && grep -qE "^nth verify: 1250 networks \\($kept already there\\), at most [0-9]+ MB for each of 1 threads$" err; echo $?)" "continued: $(head -1 err)"
holds 'the same table as in one go' cmp out whole.json
holds 'complete' test -e L.h5 -a ! -e L.h5.partial

# Claim 1.1.
expect 0 '' verify claim-1.1 --out agnostic.h5 --quiet --table A.csv
holds 'claim-1.1: --table' test "$(grep -c ',holds$' A.csv)" = "$(grep -c '| holds |$' out)" -a "$(wc -l <A.csv)" = 11
holds 'claim-1.1: a kernel without labels' grep -qE "^\| signs \| x_1 x_1' \| u \| 0\.0000 \+- 0\.0000 \| 0 \| holds \|$" out
holds 'claim-1.1: knows one system' grep -qE "^\| signs \| x_1 x_1' \| v \| 0\.(4[89]|5[012])[0-9]* \+- 0\.0079 " out
holds 'claim-1.1: a label-aware kernel knows both' test "$(grep -cE "^\| signs \| x_1 x_1' \+ lambda Z of them \| [uv] \| 0\.0000 \+- 0\.0000 \| 0 \| holds \|$" out)" = 2
holds 'claim-1.1: trained kernels' test "$(grep -cE '^\| images \| K_t, trained on them \| (animal|furniture) .* holds \|$' out)" = 2
expect 0 '' info agnostic.h5
holds 'claim-1.1: in the file' grep -qx '/rows (10,3)' out
expect 2 'nth verify: --depth does not go with claim-1.1' verify claim-1.1 --depth 3
expect 2 'nth verify: --data does not go with claim-1.1' verify claim-1.1 --data d.h5
