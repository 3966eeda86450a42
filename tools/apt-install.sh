#!/usr/bin/env bash
# Install Debian packages by name: apt-install.sh PACKAGE...
#
# Works as root, or with a sudo that asks for no password. Exits with 1 where this user may not, where
# there is no apt-get, or where a package could not be installed; the others are installed then.
set -euo pipefail

command -v apt-get >/dev/null || exit 1
if [ "$(id -u)" = 0 ]; then
    as_root=()
elif command -v sudo >/dev/null && sudo -n true 2>/dev/null; then
    as_root=(sudo -n)
else
    exit 1
fi

run_apt() {
    "${as_root[@]}" env DEBIAN_FRONTEND=noninteractive \
        apt-get -qq -o DPkg::Lock::Timeout=120 -o Dpkg::Use-Pty=0 "$@" >/dev/null
}

echo "Installing with apt-get: $*"
run_apt update || echo "apt-get update failed; trying with the lists that are there." >&2
run_apt install -y --no-install-recommends "$@" && exit 0
[ $# -gt 1 ] || exit 1
failed=0
for package in "$@"; do
    run_apt install -y --no-install-recommends "$package" || failed=1
done
exit "$failed"
