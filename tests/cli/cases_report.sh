# SPDX-License-Identifier: GPL-3.0-or-later
#
# nth report: every kind of file, the numbers and files of a page, what it escapes, and input that cannot be shown.

S='synthetic:sphere?n=12&d=4&test=5&seed=1'
make() { "$nth" "$@" --quiet >/dev/null 2>err || { verdict 1 "making a file: nth $*: $(cat err)"; return 1; }; }
close() { awk -v a="$1" -v b="$2" -v t="${3:-1e-9}" 'BEGIN { d = a - b; if (d < 0) d = -d; s = b < 0 ? -b : b; exit !(a != "" && b != "" && d <= t * s) }'; }

make data "$S" --out d.h5
make net --widths 4,16,16,1 --out n.h5
make kernel --kind ntk --activation relu --depth 3 --data d.h5 --out K.h5
make kernel --kind nth --activation erf --mode exact --folds 3 --data d.h5 --out N.h5
make hierarchy --net n.h5 --data d.h5 --order 3 --direction d.h5:/y --out H.h5
make hierarchy --net n.h5 --data 'synthetic:sphere?n=5&d=4&test=2&seed=1' --order 3 --dense --out D.h5
make hierarchy --net n.h5 --data d.h5 --khat --times 0.25,1 --out P.h5
make train --net n.h5 --data d.h5 --times 0.25,1 --out T.h5
make train --net n.h5 --data d.h5 --optimizer adam --epochs 4 --batch 4 --kernel yes --out A.h5
make train --net n.h5 --data d.h5 --optimizer sgd --epochs 4 --batch 4 --out B.h5
make regress --gram K.h5 --data d.h5 --ridge 1e-3,0.1,1 --out R.h5
make regress --gram K.h5 --data d.h5 --times 1,10 --out F.h5
make lantk --variant ls-v1 --base K.h5 --data d.h5 --folds 2 --out Z.h5
"$nth" verify mean-drift --exponents --widths 16,32 --seeds 8 --activation tanh --out X.h5 --quiet >/dev/null 2>&1
"$nth" verify mean-drift --widths 16 --seeds 8 --activation tanh --init antisymmetric --out M.h5 --quiet >/dev/null 2>&1
"$nth" verify truncation --widths 8,16,32 --seeds 8 --times 0.5 --activation tanh --init antisymmetric --depth 2 --out L.h5 --quiet >/dev/null 2>&1
"$nth" verify --widths 16,32,64 --seeds 8 --times 1 --activation tanh --init antisymmetric --depth 2 --out V.h5 --json --quiet >v.json 2>/dev/null
"$nth" kernel --kind ntk --activation erf --data 'synthetic:sphere?n=128&d=4&test=0&seed=1' --out big.h5 >/dev/null

# FOLDER: the page is well-formed, fetches nothing, and all it names is there.
balanced() { # no markup is left open; text and attribute values have neither < nor >
    grep -o '<[^>]*>' "$1" | awk '/^<[?!]/ || /\/>$/ { next } { name = $0; gsub(/^<\/?|[ >].*$/, "", name) }
        /^<\// { if (stack[n--] != name) exit 1; next } { stack[++n] = name } END { exit n != 0 }'
}
sound() {
    holds "$1: page" test -s "$1/index.html"
    for f in "$1"/*.svg "$1/index.html"; do
        balanced "$f" || verdict 1 "$f: tags"
        ! command -v xmllint >/dev/null || xmllint --noout "$f" 2>err || verdict 1 "$f: $(head -n 1 err)"
        ! grep -qiE '(x|y|width|height|d)="[^"]*(nan|inf)' "$f" || verdict 1 "$f: a place that is no number"
    done
    ! grep -qE 'https?://|<script|<link|<iframe|@import|url\(' "$1/index.html"; verdict $? "$1: nothing is fetched"
    [ "$(wc -c <"$1/index.html")" -lt 5000000 ]; verdict $? "$1: size"
    for f in $(grep -oE 'href="[^"#]*"' "$1/index.html" | sed 's/href="//; s/"//' | grep -v '^data:'); do
        [ -s "$1/$f" ] || verdict 1 "$1: names $f"
        grep -qx "$f" "$1/files.txt" || verdict 1 "$1: $f is not listed"
    done
    ! ls "$1" | grep -vE '^files.txt$' | grep -vxFf "$1/files.txt"; verdict $? "$1: all files are listed"
    for f in "$1"/*.gp; do [ -e "$f" ] || continue; [ -s "${f%.gp}.dat" ] && [ -s "${f%.gp}.svg" ] || verdict 1 "$f without its data or SVG"; done
    verdict 0 "$1 is sound"
}

# KIND FILE PLOTS..: a report of this file alone, its kind, plots by name.
kind() {
    local what=$1 file=$2
    shift 2
    rm -rf one
    expect 0 '' report "$file" --out one --gnuplot no
    holds "$file: said what it is" grep -qx "$file: $what" out
    holds "$file: heading" grep -qF "<h2>1. $file: $what</h2>" one/index.html
    holds "$file: provenance" grep -q 'git_revision' one/1-provenance.csv
    sound one
    for plot in "$@"; do holds "$file: plot $plot" test -s "one/1-$plot.svg"; done
    holds "$file: as many plots as said" test "$(ls one/*.svg 2>/dev/null | wc -l)" = "$(sed -n 's/.*index.html, \([0-9]*\) plots.*/\1/p' out)"
}
kind network n.h5 W1 W2
kind data d.h5 x x_test
holds 'labels are counted' test "$(awk -F, 'NR > 1 && $1 == "y" { n += $3 } END { print n }' one/1-targets.csv)" = 12
kind kernel K.h5 K K_test K_test_test
kind 'label-aware kernel K^(NTH)' N.h5 K_agnostic K_label
kind 'kernel of the hierarchy' H.h5 K3
kind 'dense kernel of the hierarchy' D.h5 K3 K3_test
kind 'predicted kernel' P.h5 K0 Khat Khat-2 term-norms
kind 'gradient flow' T.h5 loss lambda_min f f_test K K-2 K-3
holds 'loss in full' test "$(wc -l <one/1-curves.csv)" = 3
kind 'training in mini-batches' A.h5 loss accuracy f K
kind 'kernel regression' R.h5 ridge
kind 'kernel regression along the flow' F.h5 f f_test
kind 'label-aware kernel Z' Z.h5 Z Z_test fold_1-Z
kind 'mean drift' M.h5 tanh_antisymmetric_16
kind 'exponents of the mean drift' X.h5 tanh_antisymmetric
kind 'verification of exponents' L.h5 tanh-L-2-antisymmetric-t-0-5
kind 'verification of exponents' V.h5 tanh-L-2-antisymmetric-t-1 tanh-L-2-antisymmetric-small-t

# The numbers are those of the files.
value() { sed -n "s/^ *\"$1\": \(.*[^,]\),*$/\1/p" "$2" | head -n 1; }
holds 'every claim has its row' test "$(($(wc -l <one/1-verdicts.csv) - 1))" = "$(grep -c '"claim":' v.json)"
holds 'first exponent' close "$(sed -n 2p one/1-verdicts.csv | cut -d, -f6)" "$(value slope v.json)" 1e-15
holds 'its interval' close "$(sed -n 2p one/1-verdicts.csv | cut -d, -f7)" "$(value low v.json)" 1e-15
holds 'preconditions' close "$(sed -n 2p one/1-preconditions.csv | cut -d, -f5)" "$(value lambda_min v.json)" 1e-15
holds 'points that are not fitted are told' grep -q '"dropped": \[' v.json
holds 'prediction in the plot' grep -qF 'predicted -2' one/1-tanh-L-2-antisymmetric-t-1.svg
holds 'fitted lines' test "$(grep -c 'class="w s0"' one/1-tanh-L-2-antisymmetric-t-1.svg)" -ge 1
holds 'intervals are shaded' grep -q 'class="b f0"' one/1-tanh-L-2-antisymmetric-t-1.svg
svg=one/1-tanh-L-2-antisymmetric-t-1.svg # programs that do not know var() find a plain colour before it
holds 'plain colours' test "$(grep -oE '(fill|stroke):#[0-9a-f]+;(fill|stroke):var' $svg | wc -l)" = "$(grep -oE '[{;](fill|stroke):var' $svg | wc -l)"
holds 'predicted slopes are dashed' grep -q 'class="w s0 d"' one/1-tanh-L-2-antisymmetric-t-1.svg
# the fitted line goes through the centre of the points and has the slope of the table
awk '/^# fit/ { on = 1; next } /^#/ { on = 0 } on && NF == 4 { x[++n] = log($1); y[n] = log($2) } /^# predicted/ && n > 2 { exit }
     END { print (y[3] - y[1]) / (x[3] - x[1]) }' one/1-tanh-L-2-antisymmetric-t-1.dat >slope
holds 'slope of the line' close "$(cat slope)" "$(value slope v.json)" 1e-4
"$nth" regress --gram K.h5 --data d.h5 --ridge 0.1 --json --quiet >r.json
rm -rf one && expect 0 '' report R.h5 --out one --gnuplot no --quiet
row=$(grep ',0.1,' one/1-fits.csv)
holds 'ridge regression' close "$(cut -d, -f4 <<<"$row")" "$(value loo_mse r.json)" 1e-9
holds 'its test score' close "$(cut -d, -f8 <<<"$row")" "$(value accuracy r.json)" 1e-9
rm -rf one && expect 0 '' report big.h5 --out one --gnuplot no --json
holds 'JSON' test "$(value kind out) $(value gnuplot out)" = '"kernel" "not asked for"'
holds 'averaged' grep -qF '128 x 128, means of 64 x 64 cells' one/index.html
mean=$(awk '{ for (i = 1; i <= NF; ++i) { s += $i; ++n } } END { if (n == 4096) printf "%.12g", s / n }' one/1-K.dat)
holds 'mean of the cells' close "$mean" "$(awk -F, '$1 == "/K" { print $5 }' one/1-datasets.csv)" 1e-8

# Side by side.
rm -rf two && expect 0 '' report T.h5 P.h5 A.h5 B.h5 K.h5 H.h5 --out two --gnuplot no --title 'a <b> & "c"'
sound two
holds 'error of the prediction' test -s two/all-E.svg
holds 'loss of both' grep -qF 'B.h5, training set' two/all-loss.svg
holds 'title' grep -qF '<h1>a &lt;b&gt; &amp; &quot;c&quot;</h1>' two/index.html
"$nth" report T.h5 P.h5 --out three --gnuplot no --quiet >/dev/null
holds 'E is smaller than the movement' awk -F, 'NR > 1 { n += $5 > 0 && $5 < 0.1 * $6 } END { exit n != 4 }' three/all-prediction-error.csv
holds 'alone, nothing is compared' test -z "$(grep 'All files' one/index.html)"

# The folder: a report is replaced, nothing else is.
touch two/note.txt
expect 0 '' report K.h5 --out two --gnuplot no
holds 'the old report is gone' test ! -e two/all-E.svg
holds 'a note stays' test -e two/note.txt
mkdir empty full && touch full/data.csv
expect 0 '' report K.h5 --out empty --gnuplot no
expect 3 'nth report: full: holds data.csv, and no report; a new or empty folder, or that of an earlier report, is expected' report K.h5 --out full
holds 'untouched' test "$(ls full)" = data.csv
expect 3 'nth report: K.h5: is not a folder' report K.h5 --out K.h5
expect 3 'nth report: absent/x: cannot be made: No such file or directory' report K.h5 --out absent/x
rm empty/1-K.svg && mkdir empty/1-K.svg
"$nth" report K.h5 --out empty >out 2>err
verdict "$([ $? = 3 ] && grep -q '^nth report: empty/1-K.svg: ' err; echo $?)" "a folder in the way: $(cat err)"

# What comes from files is text, never markup.
printf 'a,b,y\n0,1,<script>\n1,0,"q&""r"\n1,1,<script>\n2,1,"q&""r"\n' >t.csv
make data 'csv:t.csv?target=y' --out 'a&<i>b.h5'
rm -rf one && expect 0 '' report 'a&<i>b.h5' --out one --gnuplot no
sound one
holds 'escaped' grep -q 'a&amp;&lt;i&gt;b.h5' one/index.html
! grep -q '<script\|<i>' one/index.html one/*.md; verdict $? 'no markup from a file'
holds 'LaTeX' grep -qF '\&' one/1-provenance.tex

printf 'a,b,y\n0,1,[x] \\#&\n1,0,{*}|_\n1,1,[x] \\#&\n2,1,{*}|_\n' >t2.csv
make data 'csv:t2.csv?target=y' --out 'b~^$%%.h5'
expect 0 '' report 'b~^$%%.h5' --out tex --gnuplot no

# Partial, newer, truncated, none of ours.
sed 's/0\.1\.0/9.8.7/' K.h5 >newer.h5
rm -rf one && expect 0 '' report newer.h5 --out one --gnuplot no
holds 'newer' grep -qE '^  written by nth 9\.8\.7, newer than this one \([0-9.]+\): what is new in it is not shown$' out
holds 'and shown' test -s one/1-K.svg
sed 's/complete/partial\x00/' K.h5 >half.h5
expect 0 '' report half.h5 --out one --gnuplot no
holds 'partial' grep -q '^  partial: the run that writes it has not come to its end' out
head -c 3000 K.h5 >cut.h5
expect 3 'nth report: cut.h5: damaged or truncated HDF5 file' report cut.h5 --out bad
expect 3 'nth report: t.csv: not an HDF5 file' report t.csv --out bad
expect 3 'nth report: absent.h5: cannot be opened: No such file or directory; nor can any other file be shown' report absent.h5 cut.h5 --out bad
sed 's/nth_version/xyz_version/g; s/activation/aktivation/g' n.h5 >other.h5
expect 3 'nth report: other.h5: no file of nth: neither its provenance nor a dataset that it knows' report other.h5 --out bad
holds 'nothing is made' test ! -e bad
expect 1 '' report K.h5 cut.h5 --out one --gnuplot no --quiet
holds 'said in the list' grep -qx 'cut.h5: cut.h5: damaged or truncated HDF5 file' out
sound one

# RR that does not exist is said in the legend.
make data 'synthetic:two-objects?n=20&test=8&size=8' --out img.h5
make net --widths 64,32,1 --out n64.h5
make train --net n64.h5 --data img.h5 --elasticity yes --optimizer adam --epochs 1 --out E.h5
expect 0 '' report E.h5 --out one --gnuplot no
holds 'no ratio on test-train pairs' grep -q 'test set (no finite value)' one/1-rr-train_train.svg
holds 'and only there' test "$(cat one/*.svg | grep -c '(no finite value)')" = 1

# Damaged: what is amiss is said, what is left is shown, and the exit status is 1.
damaged() { # FILE EDIT NOTE PLOT
    LC_ALL=C sed "$2" "$1" >hurt.h5
    expect 1 '' report hurt.h5 --out one --gnuplot no
    holds "damaged by $2" grep -qF "  damaged: $3" out
    holds 'on the page, too' grep -qF "damaged: $3" one/index.html
    holds "the rest is shown: $4" test -s "one/$4"
    sound one
}
damaged T.h5 's/loss\x00/losx\x00/g' '/loss is missing' 1-K-2.svg
damaged T.h5 's/lambda_min/lambda_mix/g' 'what makes it a file of nth train is missing' 1-datasets.csv
damaged V.h5 's/rates\x00/ratez\x00/g' '/rates is missing' 1-verdicts.csv
damaged K.h5 's/"command"/"comma\x01d"/' 'config:1:7: control character 0x1' 1-K.svg

# Training by KARE: the curve against its step, and a table for each kernel compared.
expect 0 '' kare --widths 10,16,1 --activation gelu --steps 4 --data 'synthetic:cosine?n=24&test=12' --out kare.h5 --quiet
expect 0 '' report kare.h5 --out kare --gnuplot no --quiet
holds 'kind of a KARE file' grep -qx 'kare.h5: training by KARE' out
holds 'KARE and risk in one plot' test "$(grep -c 'KARE and test risk along training' kare/index.html)" -ge 1
holds 'ridges of the trained kernel' test "$(head -n 1 kare/1-fits.csv)" = 'fit,alpha,ridge z,KARE,test mse,test accuracy,leave-one-out mse,'
holds 'eleven of them' test "$(wc -l <kare/1-fits.csv)" = 12
sound kare

# LaTeX: every table compiles, of any text and of --table.
"$nth" verify --widths 16,32 --seeds 2 --times 1 --activation tanh --depth 2 --init gaussian --table tex/verify.tex --quiet >/dev/null 2>&1
if command -v pdflatex >/dev/null && kpsewhich booktabs.sty >/dev/null; then
    for f in two/*.tex kare/*.tex tex/*.tex; do
        printf '\\documentclass{article}\n\\usepackage{booktabs}\n\\begin{document}\n\\input{%s}\n\\end{document}\n' "$f" >t.tex
        pdflatex -interaction=nonstopmode -halt-on-error t.tex >tex.log 2>&1 </dev/null || verdict 1 "LaTeX: $f: $(grep -A 3 '^!' tex.log | head -n 4)"
    done
    verdict 0 "LaTeX: the tables compile"
else
    echo "SKIP: LaTeX tables are not compiled: pdflatex or booktabs.sty is missing"
fi

# Usage.
expect 2 'nth report: FILE is missing: a result file' report --out x
expect 2 'nth report: --out DIR is missing: folder for index.html, plots and tables: new, empty, or of an earlier report, which is replaced' report K.h5
expect 2 'nth report: --gnuplot: "yes" is none of auto, no' report K.h5 --out x --gnuplot yes

# Without gnuplot: said, and no failure; the scripts are there.
mkdir bin
PATH=$PWD/bin "$nth" report K.h5 --out nogp --quiet >out 2>err
verdict "$([ ! -s err ] && grep -qx 'gnuplot: not found: its scripts are there, PDF and PNG are not' out && [ -s nogp/1-K.gp ] && [ ! -e nogp/1-K.pdf ]; echo $?)" 'without gnuplot'
if command -v gnuplot >/dev/null; then
    expect 0 '' report K.h5 --out withgp --quiet
    holds 'PDF' test -s withgp/1-K.pdf
    holds 'PNG' grep -q '1-K.png' withgp/index.html
    sound withgp
fi
