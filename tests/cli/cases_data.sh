# SPDX-License-Identifier: GPL-3.0-or-later
#
# nth data: a file appears complete or not at all, whatever happens to the disk.

spec='synthetic:sphere?n=4&d=3&test=2&seed=1'
expect 0 '' data "$spec" --out a.h5
holds 'first line' grep -qx "$spec: 4 training and 2 test inputs of dimension 3, 1 target" out
holds 'nothing is left over' test ! -e a.h5.partial
expect 0 '' data a.h5 --out b.h5 --json
holds 'n' grep -q '"n": 4' out
sum() { "$nth" data "$1" --out c.h5 --json | grep '"checksum"'; }
holds 'a copy is the same' test "$(sum a.h5)" = "$(sum b.h5)"
expect 0 '' data "$spec" --bias yes --unit-norm yes --out c.h5
holds 'preprocessing is told' grep -q 'preprocessing .*unit-norm=yes.*bias=yes' out

expect 2 'nth data: synthetic:spere: no such synthetic set; did you mean "sphere"?' data synthetic:spere --out x.h5
expect 3 'nth data: absent/x.h5.partial: cannot be written: No such file or directory' data "$spec" --out absent/x.h5
expect 3 'nth data: a.h5/x.h5.partial: cannot be written: Not a directory' data "$spec" --out a.h5/x.h5
mkdir folder
expect 3 'nth data: folder.partial: cannot be renamed to folder: Is a directory' data "$spec" --out folder
rm -f folder.partial
if [ "$(id -u)" != 0 ]; then
    chmod a-w folder
    expect 3 'nth data: folder/x.h5.partial: cannot be written: Permission denied' data "$spec" --out folder/x.h5
    chmod u+w folder
fi
holds 'nothing was left behind' test "$(ls)" = "$(printf '%s\n' a.h5 b.h5 c.h5 err folder out)"

# Classes of which no row is for training: told by every command that takes labels, not refused.
printf 'a,b,y,s\n1,2,p,1\n1,5,q,1\n3,4,r,0\n3,4,p,0\n2,1,t,0\n' >absent.csv
A='csv:absent.csv?target=y&split=s&fold=0'
expect 0 "nth data: $A: 2 of 4 classes have no training input: r, t" data "$A" --out absent.h5
holds 'and the file is complete' grep -q '2 training and 3 test inputs of dimension 2, 4 targets' out
expect 0 '' kernel --kind ntk --activation erf --depth 2 --data "$A" --out K.h5 --quiet
expect 0 "nth regress: $A: 2 of 4 classes have no training input: r, t" regress --gram K.h5 --data "$A" --quiet
expect 0 "nth lantk: $A: 2 of 4 classes have no training input: r, t" lantk --variant kr-v1 --base K.h5 --data "$A" --out Z.h5 --quiet
"$nth" elastic --gram K.h5 --data "$A" --quiet >out 2>err
verdict "$([ $? = 3 ] && [ "$(cat err)" = "nth elastic: $A: 2 of 4 classes have no training input: r, t
nth elastic: $A: 0 pairs of one class and 2 of two; both are needed" ]; echo $?)" "elastic: $(cat err)"
rm -f absent.csv absent.h5 K.h5 Z.h5

# A limit on file sizes stands in for a full disk: one line, status 3, no result file.
(
    ulimit -f 8
    "$nth" data 'synthetic:sphere?n=400&d=30&test=2&seed=1' --out big.h5 >out2 2>err2
)
verdict "$([ $? = 3 ] && [ "$(cat err2)" = 'nth data: big.h5.partial: cannot be written: File too large' ]; echo $?)" "full disk: $(cat err2)"
holds 'no half result' test ! -e big.h5
