# SPDX-License-Identifier: GPL-3.0-or-later
#
# Every kind of mistake on a command line or in a configuration file: one line, exit status 2.

expect 0 '' --help
holds 'the overview lists commands' grep -q '^  data  ' out
expect 0 '' -h
expect 0 '' --version
holds 'version' grep -qE '^nth [0-9]+\.[0-9]+\.[0-9]+ \(revision ([0-9a-f]{40}|unknown)(, changed)?\)$' out
expect 0 '' data --help
holds 'help starts with the usage' grep -q '^usage: nth data SPEC --out FILE \[options\]$' out

expect 2 'nth: unknown command "dta"; did you mean "data"?' dta
expect 2 'nth: unknown command "frobnicate"; nth --help lists the commands' frobnicate
expect 2 'nth data: unknown option --ouy; did you mean --out?' data s --ouy x
expect 2 'nth data: unknown option --zzz; nth data --help lists the options' data --zzz
expect 2 'nth data: unknown option -o; options begin with --' data -o x
expect 2 'nth info: option --order is not one of nth info (but of nth hierarchy)' info --order 3
expect 2 'nth data: --out: a value is missing' data s --out
expect 2 'nth data: --out: a value is missing' data s --out --json
expect 2 'nth data: --out: a value is missing' data s --out=
expect 2 'nth data: --out FILE is missing: result file (HDF5)' data synthetic:sphere
expect 2 'nth data: --seed is given twice' data s --seed 1 --seed=2
expect 2 'nth data: --spec is given twice' data a b
expect 2 'nth data: --seed: "x" is not a whole number of 0 or more' data s --seed x
expect 2 'nth data: --threads: 5000 is not in the range 0 to 4096' data s --threads 5000
expect 2 'nth data: --pixels: "unt" is none of signed, unit, raw; did you mean "unit"?' data s --pixels unt
expect 2 'nth data: --quiet: "maybe" is neither true nor false' data s --quiet=maybe

# Without a command: the overview, on standard error.
"$nth" >out 2>err
verdict "$([ $? = 2 ] && [ ! -s out ] && grep -q '^usage: nth COMMAND' err; echo $?)" 'nth alone'

# Configuration files: the place, and the nearest key.
printf '{\n  "seed": 3,\n  "unit_norm": "yes"\n}\n' >run.json
expect 2 'nth data: run.json:3:3: unknown key "unit_norm"; did you mean "unit-norm"?' data s --config run.json
printf '{"order": 3}' >run.json
expect 2 'nth data: run.json:1:2: key "order" is not one of nth data (but of nth hierarchy)' data --config run.json
printf '{"seed": -3}' >run.json
expect 2 'nth data: run.json:1:2: "seed": "-3" is not a whole number of 0 or more' data --config=run.json s
printf '{"seed": 3' >run.json
expect 2 "nth data: run.json:1:10: '}' expected near end of file" data --config run.json
printf '{"seed": 3, "seed": 4}' >run.json
expect 2 'nth data: run.json:1:18: duplicate object key near '"'"'"seed"'"'" data --config run.json
printf '{"command": "train"}' >run.json
expect 2 'nth data: run.json:1:2: this is for nth train, not for nth data' data --config run.json
printf '[1]' >run.json
expect 2 'nth data: run.json: an object { .. } is expected' data --config run.json
expect 3 'nth data: absent.json: cannot be opened: No such file or directory' data --config absent.json
expect 3 'nth data: .: is a directory' data --config .

# The command line wins over the file; keys are option names.
printf '{"spec": "synthetic:sphere?n=3&d=2&test=0&seed=1", "out": "file.h5", "seed": 4, "quiet": true}' >run.json
expect 0 '' data --config run.json --out line.h5 --seed 9
holds 'written where the command line says' test -e line.h5 -a ! -e file.h5
expect 0 '' info line.h5
holds 'recorded configuration' grep -qF '@config = {"command": "data", "spec": "synthetic:sphere?n=3&d=2&test=0&seed=1", "seed": 9, "given": ["spec", "seed"]}' out
holds 'recorded command line' grep -qF '@command_line = nth data --config run.json --out line.h5 --seed 9' out
