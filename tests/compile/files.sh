#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-3.0-or-later
#
# usage: files.sh            (from the repository root)
# Every source opens with its licence, is a screenful of ideas (600 lines at most) and holds neither
# tabs nor spaces at line ends.
set -euo pipefail
{ find base data nn ntk nth lantk verify cli bench examples tests include scripts .ci -type f \
    \( -name '*.c' -o -name '*.h' -o -name '*.def' -o -name '*.sh' -o -path 'scripts/*' -o -path '.ci/*' \) \
    -not -name '*.pyc' -print0 2>/dev/null || true; } | xargs -0 awk '
    function close_file() {
        if (file == "") return
        if (!licence) { print file ": no SPDX line among the first three"; bad = 1 }
        if (lines > 600) { print file ": " lines " lines, at most 600"; bad = 1 }
    }
    FNR == 1 { close_file(); file = FILENAME; licence = 0 }
    { lines = FNR }
    FNR <= 3 && /SPDX-License-Identifier: GPL-3.0-or-later/ { licence = 1 }
    /\t| $/ { print FILENAME ":" FNR ": tab or blank at the end: " substr($0, 1, 60); bad = 1 }
    END { close_file(); exit bad }'
