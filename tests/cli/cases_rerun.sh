# SPDX-License-Identifier: GPL-3.0-or-later
#
# nth rerun: every kind of result is made again to the bit; a changed number is found; what is missing is named.

field() { sed -n "s/^  \"$1\": \(.*[^,]\),*$/\1/p" out; } # of the outermost object
same() { # FILE OPTIONS..: made again, identical
    expect 0 '' rerun "$@" --quiet
    holds "$1: identical" grep -qE '^identical: [1-9][0-9]* datasets? and [0-9]+ attributes? compared$' out
}

S='synthetic:sphere?n=12&d=6&test=5&seed=3'
expect 0 '' data "$S" --out d.h5 --seed 3
expect 0 '' net --widths 6,16,1 --out net.h5
expect 0 '' net --widths 6,16,1 --parameterization standard --seed 4 --out std.h5
expect 0 '' kernel --kind ntk --activation relu --depth 3 --data d.h5 --out K.h5 --quiet
expect 0 '' kernel --net net.h5 --data d.h5 --out E.h5 --quiet
expect 0 '' kernel --kind nth --activation erf --mode exact --validation 0.2 --data d.h5 --out N.h5 --quiet
expect 0 '' train --net net.h5 --data d.h5 --times 0.5,2 --out T.h5 --quiet
expect 0 '' train --net std.h5 --data d.h5 --optimizer adam --epochs 3 --out A.h5 --quiet
expect 0 '' regress --gram K.h5 --data d.h5 --ridge 0.01,0.1 --intercept yes --out R.h5 --quiet
expect 0 '' regress --gram K.h5 --data d.h5 --times 1,2 --out F.h5 --quiet
expect 0 '' lantk --variant ls-v1 --base K.h5 --data d.h5 --validation 0.2 --out Z.h5 --quiet
expect 0 '' lantk --variant kr-v1 --base K.h5 --data d.h5 --out Z0.h5 --quiet
expect 0 '' hierarchy --net net.h5 --khat --times 1 --data d.h5 --out H.h5 --quiet
expect 0 '' hierarchy --net net.h5 --order 4 --direction R.h5:/alpha --direction R.h5:/loo --data d.h5 --out H4.h5 --quiet
expect 0 '' hierarchy --expected --depth 2 --width 16 --networks 8 --rse 1 --order 4 --direction R.h5:/alpha --direction R.h5:/loo --data d.h5 --out X.h5 --quiet
"$nth" verify --widths 32,64 --seeds 2 --times 1 --activation erf --depth 2 --init gaussian --bootstrap 50 --out V.h5 --quiet >out 2>err
for file in d net std K E N T A R F Z Z0 H H4 X V; do same $file.h5; done
expect 0 '' info Z.h5
holds 'the validation share counts though it is the default' grep -qFx '/fold_1/Z (12,12)' out
holds 'nothing is left behind' test -z "$(ls | grep rerun-)"
same T.h5 --out T2.h5
same T2.h5
expect 0 '' rerun K.h5 --threads 3 --quiet
holds 'threads said' grep -qE '^threads: recorded [0-9]+, now 3$' out
expect 0 '' rerun T.h5 --json --quiet
holds 'JSON' test "$(field verdict) $(field command) $(field absolute)" = '"identical" "train" 0'

# A recorded configuration as --config: its defaults are not options given.
record() { "$nth" info "$1" | sed -n 's/^@config = //p' >config.json; }
record E.h5
expect 0 '' kernel --config config.json --out E2.h5 --quiet
record H4.h5
expect 0 '' hierarchy --config config.json --out H5.h5 --quiet
record std.h5
expect 0 '' net --config config.json --out std2.h5
record T.h5
expect 0 '' train --config config.json --times 3 --out T3.h5 --quiet
expect 2 'nth kernel: --tolerance does not go with --kind empirical; empirical kernels are exact' kernel --net net.h5 --out E3.h5 --tolerance 1e-12

# Moved into a folder together, and looked at from elsewhere.
mkdir there && cp net.h5 d.h5 T.h5 R.h5 H4.h5 there/
mkdir elsewhere && cd elsewhere || exit 1
expect 0 '' rerun ../there/T.h5 --quiet
expect 0 '' rerun ../there/H4.h5 --quiet
cd .. || exit 1
rm there/net.h5
(cd elsewhere && "$nth" rerun ../there/T.h5 >out 2>err)
verdict "$([ $? = 3 ] && [ "$(cat elsewhere/err)" = 'nth rerun: --net net.h5: there is no such file here or in ../there' ]; echo $?)" "missing input: $(cat elsewhere/err)"

# Other inputs under the same names, and other numbers.
mkdir other && cp T.h5 R.h5 net.h5 other/ && cd other || exit 1
"$nth" data "${S/seed=3/seed=4}" --out d.h5 >/dev/null
expect 3 "nth rerun: T.h5 cannot be made again: d.h5: other data than those recorded: checksum $("$nth" info d.h5 | sed -n 's/^@data_checksum = //p'), not $("$nth" info T.h5 | sed -n 's/^@data_checksum = //p')" rerun T.h5 --quiet
cp ../d.h5 . && "$nth" net --widths 6,16,1 --seed 2 --out net.h5 >/dev/null
"$nth" rerun T.h5 --quiet >out 2>err
verdict "$([ $? = 3 ] && [ ! -s out ] && grep -qE '^nth rerun: --net net\.h5: another file than the one recorded: checksum [0-9a-f]{16}, not [0-9a-f]{16}$' err; echo $?)" "other network: $(cat err)"
holds 'nothing is left behind' test -z "$(ls | grep rerun-)"
cd .. || exit 1

# One number of a dataset changed, by one unit in its last place and by more. The bytes of 1234.5 are looked for.
printf 'a,b,y\n1,2,0.5\n1234.5,3,1.5\n2,5,2.5\n' >t.csv
expect 0 '' data 'csv:t.csv?target=y&task=regress' --out C.h5
same C.h5
at=$(LC_ALL=C grep -obUaP '\x00\x00\x00\x00\x00\x4a\x93\x40' C.h5 | head -n 1 | cut -d: -f1)
alter() { printf "$2" | dd of=C.h5 bs=1 seek=$((at + $1)) conv=notrunc 2>/dev/null; }
alter 0 '\001'
expect 1 '' rerun C.h5 --quiet
holds 'the dataset is named' grep -qE '^/x +\(3,2\) +2.27e-13 +1.84e-16 +different$' out
holds 'and counted' grep -qE '^different: 2 datasets and [0-9]+ attributes? compared, 1 differ$' out
expect 0 '' rerun C.h5 --quiet --tolerance 1e-12
holds 'within tolerance' grep -qE '^within tolerance: .*, 1 differ by no more than --tolerance 1e-12$' out
alter 6 '\224'
expect 1 '' rerun C.h5 --quiet --tolerance 1e-12
cp C.h5 C2.h5 && LC_ALL=C sed -i 's/checksum/checksun/g' C2.h5 # an attribute under another name
expect 1 '' rerun C2.h5 --quiet --tolerance 0.5
holds 'the attribute is named' grep -qE '^/x@checksum .* new$' out

# What cannot be run.
expect 2 'nth rerun: FILE is missing: an HDF5 file: to describe, or to make again' rerun
expect 2 'nth rerun: --tolerance: -1 is not in the range 0 to 1' rerun T.h5 --tolerance -1
expect 3 'nth rerun: absent.h5: cannot be opened: No such file or directory' rerun absent.h5
"$nth" train --net net.h5 --data d.h5 --optimizer sgd --epochs 100000000 --record 0,1,100000000 --out P.h5 --quiet >/dev/null 2>&1 &
sleep 1; kill -INT $!; wait $!
expect 3 'nth rerun: P.h5.partial: partial, left by an interrupted run; run its command again first' rerun P.h5.partial
patch() { LC_ALL=C sed "$1" T.h5 >T5.h5; } # as long as before: the file keeps its layout
patch 's/"rtol": /"rtox": /g'
expect 3 'nth rerun: T5.h5: the configuration recorded is damaged: config:1:74: unknown key "rtox"; did you mean "rtol"?' rerun T5.h5 --quiet
LC_ALL=C sed 's/0\.1\.0/9.8.7/' T5.h5 >T6.h5
expect 3 'nth rerun: T6.h5: recorded by nth 9.8.7, this is 0.1.0: config:1:74: unknown key "rtox"; did you mean "rtol"?' rerun T6.h5 --quiet
patch 's/"command": "train"/"command": "dance"/'
expect 3 'nth rerun: T5.h5: made by nth dance, which this version does not have' rerun T5.h5 --quiet
patch 's/config\x00/confix\x00/'
expect 3 'nth rerun: T5.h5: records no configuration; it is no result of nth' rerun T5.h5 --quiet
printf x >bad.h5
expect 3 'nth rerun: bad.h5: not an HDF5 file' rerun bad.h5
