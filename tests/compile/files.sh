#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-3.0-or-later
#
# usage: files.sh            (from the repository root)
# Every source opens with its licence, is a screenful of ideas (600 lines at most) and holds neither
# tabs nor spaces at line ends.
set -euo pipefail
limit=600 status=0
while read -r file; do
    head -n 3 "$file" | grep -q 'SPDX-License-Identifier: GPL-3.0-or-later' ||
        { echo "$file: no SPDX line among the first three"; status=1; }
    lines=$(wc -l <"$file")
    [ "$lines" -le $limit ] || { echo "$file: $lines lines, at most $limit"; status=1; }
    ! grep -nP '\t| +$' "$file" /dev/null | cut -c1-80 | head -n 3 | grep . || status=1
done < <(find base data nn ntk nth lantk verify cli bench examples tests include scripts .ci -type f \
    \( -name '*.c' -o -name '*.h' -o -name '*.def' -o -name '*.sh' -o -path 'scripts/*' -o -path '.ci/*' \) 2>/dev/null)
exit $status
