#!/usr/bin/env bash
# See to the system tools that some tests judge our formats with.
#
# Installs what is missing where this user may. Else it says what is missing; those tests skip and
# say so by name. Never fails.
set -euo pipefail
here=$(dirname "${BASH_SOURCE[0]}")
PATH=$PATH:/usr/sbin:/sbin

# Debian's package, and a command that it brings.
tools=(
    "zstd zstd"
    "ntfs-3g ntfscat"
    "cryptsetup-bin cryptsetup"
    "dislocker dislocker-file"
    "gdisk sgdisk"
    "sleuthkit fls"
    "fuse3 fusermount3"
    "libbde-utils bdeinfo"
    "user-mode-linux linux.uml"
    "kmod modprobe"
)

list_missing() {
    local package command
    for tool in "${tools[@]}"; do
        read -r package command <<<"$tool"
        command -v "$command" >/dev/null || printf '%s ' "$package"
    done
}

missing=$(list_missing)
[ -n "$missing" ] || exit 0
printf '\n== System tools\n'
# shellcheck disable=SC2086  # one word for each package
"$here/apt-install.sh" $missing || true
missing=$(list_missing)
[ -n "$missing" ] || exit 0
echo "Missing: $missing"
echo "Tests that need them skip and name them. To run them too: apt-get install $missing"
