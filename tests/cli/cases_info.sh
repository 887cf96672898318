# SPDX-License-Identifier: GPL-3.0-or-later
#
# nth info: this build, and files of all sorts.

expect 0 '' info
for key in version git_revision git_dirty compiler compiler_flags build_type blas gsl hdf5 jansson onednn vector_math cpu openmp threads; do
    holds "info tells $key" grep -qE "^$key +[^ ]" out
done
expect 0 '' info --json
holds 'one object' test "$(head -c 1 out)" = '{' -a "$(tail -n 1 out)" = '}'
holds 'vector math path' grep -qE '"vector_math": "(avx512|avx2|portable)"' out
expect 0 '' info --threads 3
holds 'threads are set' grep -qE '^threads +(3|1)$' out
expect 0 '' info --options-md
holds 'options.md' test "$(head -n 1 out)" = '# Commands and options'

expect 3 'nth info: absent.h5: cannot be opened: No such file or directory' info absent.h5
expect 3 'nth info: .: is a directory' info .
printf 'x,y\n1,2\n' >plain.csv
expect 3 'nth info: plain.csv: not an HDF5 file' info plain.csv
: >empty.h5
expect 3 'nth info: empty.h5: not an HDF5 file' info empty.h5

expect 0 '' data 'synthetic:sphere?n=3&d=2&test=1&seed=1' --out "it's.h5"
expect 0 '' info "it's.h5"
holds 'status' grep -qx '@status = complete' out
holds 'created' grep -qE '^@created = [0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}Z$' out
holds 'shape of x' grep -qx '/x (3,2)' out
holds 'quoted command line' grep -qFx "@command_line = nth data 'synthetic:sphere?n=3&d=2&test=1&seed=1' --out 'it'\\''s.h5'" out
expect 0 '' info "it's.h5" --json
holds 'shapes in JSON' grep -qF '"/x_test": [1, 2]' out
head -c 1000 "it's.h5" >short.h5
expect 3 'nth info: short.h5: damaged or truncated HDF5 file' info short.h5

# Standard output that cannot be written is a failure, too.
if [ -e /dev/full ]; then
    "$nth" info >/dev/full 2>err
    verdict "$([ $? = 3 ] && grep -qx 'nth: standard output: cannot be written' err; echo $?)" 'full standard output'
fi

# Completion: one script for each shell, with every command.
for shell in bash zsh; do
    expect 0 '' info --completion $shell
    holds "$shell: all commands" grep -qE '(compgen -W .|compadd -- )net data kernel hierarchy train regress lantk elastic kare verify rerun report info ' out
done
expect 2 'nth info: --completion: "fish" is none of bash, zsh; did you mean "bash"?' info --completion fish

# Damaged files: HDF5 itself crashes or hangs on some. Whatever a changed byte does, the tool ends by itself.
byte() { printf "\\x$(printf %02x "$3")" | dd of="$1" bs=1 seek="$2" conv=notrunc status=none; } # FILE OFFSET VALUE
ends() {                                                                                         # FILE COMMAND..
    local file=$1
    shift
    timeout 60 "$nth" "$@" >out 2>err
    case $? in
    0 | 1) ;;
    2 | 3) grep -qF "$file" err || echo "$* says: $(cat err)" ;;
    *) echo "$* ended with $?" ;;
    esac
}
expect 0 '' net --widths 2,4,1 --out n.h5
expect 0 '' data 'synthetic:sphere?n=3&d=2&test=1&seed=1' --out d.h5
expect 0 '' train --net n.h5 --data d.h5 --times 1 --out t.h5 --quiet
size=$(stat -c %s t.h5) heap=$(grep -abo GCOL t.h5 | head -n 1 | cut -d : -f 1)
cp t.h5 crash.h5
byte crash.h5 $((heap + 28)) 127 # the first string's length
expect 3 'nth info: crash.h5: damaged: the HDF5 library fails on it' info crash.h5
expect 3 'nth rerun: crash.h5: damaged: the HDF5 library fails on it' rerun crash.h5
expect 3 'nth kernel: crash.h5: damaged: the HDF5 library fails on it' kernel --data crash.h5 --kind ntk --out k.h5
expect 3 'nth kernel: crash.h5: damaged: the HDF5 library fails on it' kernel --net crash.h5 --data d.h5 --out k.h5
cp crash.h5 k.h5.partial
expect 3 'nth kernel: k.h5.partial: damaged: the HDF5 library fails on it' kernel --kind ntk --data d.h5 --out k.h5
"$nth" report crash.h5 t.h5 --gnuplot no --out page >out 2>err
holds 'a report says so and shows the other' grep -qF 'crash.h5: damaged: the HDF5 library fails on it' page/index.html
for i in $(seq 40); do # all over the file, and where the strings and the root are
    cp t.h5 m.h5
    [ $((i % 2)) = 0 ] && at=$((i * 7919 % size)) || at=$(((heap + i * 97) % size))
    byte m.h5 $at $((i * 73 % 256))
    wrong=$(ends m.h5 info m.h5)
    [ $((i % 4)) != 0 ] || wrong=$wrong$(ends '' rerun m.h5 --out again.h5 --quiet; rm -f again.h5*)
    verdict "$([ -z "$wrong" ]; echo $?)" "byte $at: $wrong"
done
mkfifo pipe.h5
expect 3 'nth info: pipe.h5: is not a regular file' info pipe.h5
