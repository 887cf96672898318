# SPDX-License-Identifier: GPL-3.0-or-later
#
# nth verify mean-drift: predictions, relu's two forms, exponents, mistakes.

# The mean drift: both predictions, the verdict, what does not go with it.
expect 0 '' verify mean-drift --init antisymmetric --widths 128 --seeds 1000 --out drift.h5 --quiet --table D.tex
holds 'three pairs hold' test "$(grep -c '^| tanh antisymmetric | 128 | 3 .* | holds |$' out)" = 3
holds 'rows in LaTeX' test "$(grep -cE '^tanh antisymmetric & 128 & 3 & \([12],[12]\) &  & .* \$\\pm\$ .* & holds \\\\$' D.tex)" = 3
expect 0 '' info drift.h5
holds 'blocks in the file' grep -qx '/tanh_antisymmetric_128/measured (2,2)' out
expect 0 '' verify mean-drift --init gaussian --activation erf --widths 256 --seeds 500 --times 1 --quiet --json
holds 'rows in JSON' test "$(grep -c '"complete"' out)" = 3
expect 2 'nth verify: --depth does not go with mean-drift' verify mean-drift --depth 3
expect 2 'nth verify: --times: mean-drift takes one time, here are 2' verify mean-drift --times 1,2
for how in '' --exponents; do
    expect 2 'nth verify: --times: 0; mean-drift takes a positive, finite time' verify mean-drift $how --times 0
    expect 2 'nth verify: --times: inf; mean-drift takes a positive, finite time' verify mean-drift $how --times inf
    expect 2 'nth verify: --seeds: 1; mean-drift needs at least 2 networks for each width' verify mean-drift $how --seeds 1
    expect 2 'nth verify: --widths: 1; mean-drift takes even widths from 2 on' verify mean-drift $how --widths 64,1
done
expect 2 'nth verify: mean-drift is predicted for --sigma-w 1 --sigma-b 0' verify mean-drift --sigma-b 0.1
expect 2 'nth verify: mean-drift looks at pairs of test inputs, synthetic:sphere?n=3&d=3&test=0&seed=1 has none' verify mean-drift --data 'synthetic:sphere?n=3&d=3&test=0&seed=1'

# relu: both forms of the prediction and what the data say of them; few networks leave it open, which is a check that does not hold.
expect 0 '' verify mean-drift --activation relu --init gaussian --widths 64 --seeds 1500 --times 6 --out relu.h5 --quiet
holds 'says which form the data support' grep -qx 'relu Gaussian: the prediction almost everywhere is rejected, the one with delta terms supported' out
holds 'two forms of three pairs' test "$(grep -c '^| relu Gaussian | 64 | 6 | ([12],[12]) | with delta terms | .* | [a-z]* |$' out)" = 3 -a "$(grep -c '| almost everywhere |' out)" = 3
holds 'tells the rule' grep -q 'plus m^-1/2 of the largest entry' out
holds 'no rejected row of the one supported' test "$(grep -c '| with delta terms | .* | rejected |$' out)" = 0
holds 'steps are checked' grep -qE '^integrator, relu Gaussian, m = 64: twice the 20 steps .* standard errors: holds$' out
expect 0 '' info relu.h5
holds 'both predictions in the file' test "$(grep -cE '^/relu_gaussian_64/(measured|standard_error|label_part_ae|complete_ae|label_part_delta|complete_delta) \(2,2\)$' out)" = 6
expect 1 '' verify mean-drift --activation relu --init antisymmetric --widths 32,64,128 --seeds 50 --times 1 --quiet --json
holds 'undecided' grep -q '"with_delta_terms": "undecided"' out
holds 'forms in JSON' test "$(grep -c '"form": "with delta terms"' out)" = 12 -a "$(grep -c '"form": "almost everywhere"' out)" = 12
printf 'a,b,c,y\n1,0,0,1\n0,1,0,-1\n0,0,1,1\n2,0,0,0\n1,1,1,0\n' >parallel.csv # the fourth row is twice the first
expect 3 'nth verify: csv:parallel.csv?target=y&task=regress&train=3&test=2: no prediction for relu with delta terms on these test inputs (points 1 and 2; training inputs are 3 and 4): the mean of relu with its delta terms is infinite: points 1 and 4 lie on one line; only the a.e. form is finite there' verify mean-drift --activation relu --widths 32 --seeds 2 --data 'csv:parallel.csv?target=y&task=regress&train=3&test=2' --quiet

# Exponents: relu beside tanh, judged; too few networks are undecided.
expect 0 '' verify mean-drift --exponents --activation tanh --widths 64,128,256,512 --seeds 60 --out E.h5 --quiet --table E.md
holds '--table of exponents' test "$(grep '^|' E.md)" = "$(grep '^|' out)" -a "$(grep -c '^|' E.md)" = 4
holds 'mean like 1/m' grep -qE '^\| mean of K_T - K_0, training diagonal \| tanh antisymmetric \| -1 \| -(0\.9|1\.0).* \| holds \|$' out
holds 'scatter like m^-3/2' grep -qE '^\| standard deviation of K_T - K_0, test pairs \| tanh antisymmetric \| -1.5 \| -1\.[456].* \| holds \|$' out
expect 0 '' info E.h5
holds 'exponents in the file' grep -qx '/tanh_antisymmetric/exponents (2,3)' out
expect 1 '' verify mean-drift --exponents --widths 16,32 --seeds 4 --quiet --json
holds 'relu beside tanh' test "$(grep -c '"quantity"' out)" = 4 -a "$(grep -c '"activation": "relu"' out)" = 3
holds 'undecided' grep -q '"verdict": "UNDECIDED"' out
expect 2 'nth verify: --exponents goes with mean-drift, not with theorem-2.1' verify --exponents
expect 2 'nth verify: --widths: 64 after 64; --exponents takes them ascending' verify mean-drift --exponents --widths 64,64
expect 2 'nth verify: --widths: --exponents takes 2 to 24 widths, here are 1' verify mean-drift --exponents --widths 64
expect 2 'nth verify: --bootstrap does not go with mean-drift' verify mean-drift --bootstrap 10
expect 2 'nth verify: --exponents looks at pairs of different test inputs, synthetic:sphere?n=3&d=3&test=1&seed=1 has 1' verify mean-drift --exponents --data 'synthetic:sphere?n=3&d=3&test=1&seed=1'
rm -f relu.h5 E.h5 parallel.csv
