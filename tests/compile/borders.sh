#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-3.0-or-later
#
# usage: borders.sh          (from the repository root)
# Each third-party header is seen by one file (HDF5: by base/h5*, and by tests which write files as other programs do), so that a change of library is a change of one file;
# the tool, the benchmarks and the examples use the library as any user does.
set -euo pipefail
status=0
sources=$(find base data nn ntk nth lantk verify cli bench examples tests \( -name '*.c' -o -name '*.h' \) 2>/dev/null || true)

# only PATTERN FILE: no other file includes a header that matches.
only() {
    local found
    found=$(grep -nE "^ *# *include *[<\"]($1)" $sources /dev/null | grep -vE "^$2:" || true)
    [ -z "$found" ] || { printf '%s\n' "$found" "  (only $2 may include this)"; status=1; }
}
only 'cblas\.h|openblas_config\.h' base/blas.c
only 'lapack(e)?\.h' base/lapack.c
only 'gsl/' base/gsl.c
only 'hdf5(_hl)?\.h|H5' '(base|tests)/h5(_[a-z]+)?\.[ch]'
only 'jansson\.h' base/json.c
only 'Random123/' base/rng.c
only '(oneapi/|dnnl)' base/onednn.c
only 'omp\.h' base/par_priv.h
only 'mpi\.h' base/comm.c
only 'CUnit/' tests/nth_test.c

# The tool, benchmarks and examples: <...> and "nth/..." and headers of their own folder.
for folder in cli bench examples; do
    [ -d "$folder" ] || continue
    while IFS=: read -r file line text; do
        header=$(sed -E 's/.*include *"([^"]*)".*/\1/' <<<"$text")
        case $header in nth/*) [ -f "include/$header" ] && continue ;; esac
        [ -f "$(dirname "$file")/$header" ] && continue
        case $header in build_info.h | *_generated.h | *.inc) continue ;; esac
        echo "$file:$line: $header is neither public nor of this folder"
        status=1
    done < <(grep -rnE '^ *# *include *"' --include='*.[ch]' "$folder" || true)
done
exit $status
