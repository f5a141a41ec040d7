#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-3.0-or-later
#
# Installs the Debian packages that ProcLab needs and that are missing: setup.sh [build|test].
# build: to build and run it; test: also what the tests need. Asks nothing.
set -euo pipefail

fail() {
    echo "installer/setup.sh: $1" >&2
    exit 1
}

packages=(
    # To build.
    g++ cmake ninja-build
    qt6-base-dev qt6-base-private-dev qt6-svg-dev libgl-dev libqcustomplot-dev zlib1g-dev nettle-dev
    # To run: a window under X11 and Wayland, the run store, the fonts of the interface.
    qt6-qpa-plugins qt6-wayland libqt6svg6 libqt6sql6-sqlite
    fontconfig fonts-inter fonts-jetbrains-mono fonts-noto-cjk
)
case ${1:-build} in
    build) ;;
    test) packages+=(xvfb xauth python3 libboost-dev) ;;
    *) fail "$1 is not one of build, test" ;;
esac

# The file sets shell variables; the subshell keeps them to itself.
# shellcheck source=/dev/null
system=$([ -r /etc/os-release ] && . /etc/os-release && echo "${ID:-unknown} ${VERSION_ID:-}" || echo unknown)
[ "$system" = "debian 12" ] || fail "this needs Debian 12 (bookworm); this system is $system"

missing=()
for package in "${packages[@]}"; do
    status=$(dpkg-query -W -f='${Status}\n' "$package" 2>/dev/null || true)
    grep -q '^install ok installed$' <<<"$status" || missing+=("$package")
done
[ ${#missing[@]} -gt 0 ] || exit 0

command -v apt-get >/dev/null || fail "apt-get is not there to install: ${missing[*]}"
as_root=()
if [ "$(id -u)" -ne 0 ]; then
    command -v sudo >/dev/null || fail "run it as root, or install sudo; missing: ${missing[*]}"
    as_root=(sudo)
fi

echo "Installing: ${missing[*]}"
# A fresh machine may still hold the lock for its own updates, so wait for it.
apt_get() {
    "${as_root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get -q -y \
        -o DPkg::Lock::Timeout=300 -o Dpkg::Use-Pty=0 "$@" </dev/null
}
apt_get update || fail "apt-get update failed; is the network up?"
apt_get install --no-install-recommends "${missing[@]}" || fail "apt-get could not install: ${missing[*]}"
