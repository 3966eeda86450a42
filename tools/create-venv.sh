#!/usr/bin/env bash
# Create a virtual environment: create-venv.sh FOLDER
#
# Takes $PYTHON where it is set, else the newest Python on PATH from 3.10 on that can make one.
# Debian and Ubuntu ship Python without ensurepip: it is installed where this user may, else the
# package to install is named.
set -euo pipefail
folder=$1
here=$(dirname "${BASH_SOURCE[0]}")

is_new_enough() { "$1" -c 'import sys; sys.exit(sys.version_info < (3, 10))' >/dev/null 2>&1; }
has_ensurepip() { "$1" -c 'import ensurepip, venv' >/dev/null 2>&1; }

# Newer versions than the tested ones come last: packages may not have wheels for them yet.
candidates=(python3.14 python3.13 python3.12 python3.11 python3.10 python3 python)

find_python() {
    local name
    for name in "${candidates[@]}"; do
        if is_new_enough "$name" && "$@" "$name"; then
            command -v "$name"
            return
        fi
    done
    return 1
}

if [ -x "$folder/bin/python" ] && is_new_enough "$folder/bin/python" \
    && "$folder/bin/python" -m pip --version >/dev/null 2>&1; then
    echo "$folder is there already: $("$folder/bin/python" --version)"
    exit 0
fi

if [ -n "${PYTHON:-}" ]; then
    if ! is_new_enough "$PYTHON"; then
        echo "PYTHON=$PYTHON does not run, or is older than 3.10: name another Python." >&2
        exit 1
    fi
    python=$PYTHON
elif ! python=$(find_python has_ensurepip) && ! python=$(find_python true); then
    echo "No Python from 3.10 on was found on PATH." >&2
    echo "Install one (Debian, Ubuntu: apt-get install python3 python3-venv)," >&2
    echo "or say where it is: make PYTHON=/path/to/python3 ..." >&2
    exit 1
fi

if ! has_ensurepip "$python"; then
    version=$("$python" -c 'import sys; print("%d.%d" % sys.version_info[:2])')
    echo "$python has no ensurepip: python$version-venv is needed."
    if ! "$here/apt-install.sh" "python$version-venv" || ! has_ensurepip "$python"; then
        echo "$python can't make virtual environments: its ensurepip module is missing." >&2
        echo "Install it: apt-get install python$version-venv (or python3-venv)," >&2
        echo "or name another Python: make PYTHON=/path/to/python3 ..." >&2
        exit 1
    fi
fi

echo "$("$python" --version) ($python)"
rm -rf "$folder"
"$python" -m venv "$folder"
