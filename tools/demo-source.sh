#!/usr/bin/env bash
# Print the folder that the demo seeds by default: demo-source.sh PYTHON COPY
#
# That is the standard library of PYTHON. Where other people's packages lie inside of it, in
# site-packages, it is copied to COPY without them, and what was left out is told.
set -euo pipefail
python=$1
copy=$2
library=$("$python" -c 'import sysconfig; print(sysconfig.get_path("stdlib"))')

if [ ! -d "$library/site-packages" ]; then
    echo "$library"
    exit 0
fi

others=$(du -sm "$library/site-packages" | cut -f 1)
echo "Source: $library, in a copy without its site-packages ($others MiB that are not Python's)." >&2
echo "To seed all of it: make demo SOURCE='$library'" >&2
"$python" - "$library" "$copy" <<'PYTHON'
import shutil, sys

library, copy = sys.argv[1:]


def left_out(folder, names):
    return ["site-packages"] if folder == library else []


shutil.copytree(library, copy, symlinks=True, ignore=left_out)
PYTHON
echo "$copy"
