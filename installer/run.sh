#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-3.0-or-later
#
# Installs what is missing, builds ProcLab and opens it with the preset "pool": run.sh [ARG]…
# The arguments go to proclab; one that names a page, a preset or a file takes the place of "pool".
# Without a display the experiment runs in the terminal.
set -euo pipefail

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
build=$root/build/release
stamp=$build/.built
picture=$build/proclab-window.png

fail() {
    echo "installer/run.sh: $1" >&2
    exit 1
}

# True if one of these files and folders of the tree, or something in them, changed after the build.
changed() {
    (cd "$root" && [ -n "$(find "$@" -newer "$stamp" -print -quit)" ])
}

isBuilt() {
    [ -e "$stamp" ] && ! changed core ui app resources installer CMakeLists.txt CMakePresets.json
}

buildAll() {
    if [ ! -e "$stamp" ] || changed installer/setup.sh; then
        "$root/installer/setup.sh" build || exit 1
    fi
    # The stamp is as old as the beginning: what changes during the build is built next time.
    mkdir -p "$build"
    touch "$stamp.new"
    cd "$root"
    cmake --preset release || fail "cmake could not configure $build"
    cmake --build --preset release --target proclab proclab-cli proclab-worker ||
        fail "the build in $build failed"
    mv "$stamp.new" "$stamp"
    cd "$OLDPWD"
}

# Sets experiment (a preset or a file) and page (yes or no) to what the arguments name.
readArguments() {
    experiment='' page=no
    while [ $# -gt 0 ]; do
        case $1 in
            --page | --page=*) page=yes ;;
            --preset) experiment=${2:-} ;;
            --preset=*) experiment=${1#*=} ;;
            *.json | *.proclab-run) experiment=$1 ;;
        esac
        shift
    done
}

runInTerminal() {
    local name=${experiment:-pool} run=(--run) status=0
    [ -n "$experiment" ] || [ "$page" = no ] || run=() # A page without an experiment cannot run.
    echo "No display: running $name in the terminal."
    "$build/bin/proclab-cli" run "$name" || status=$?
    # Bad usage, or ended by a signal such as Ctrl+C: there is nothing to show.
    if [ "$status" -eq 2 ] || [ "$status" -ge 128 ]; then
        exit "$status"
    fi
    mkdir -p -m 700 "$build/runtime" # Where no session has made one, Qt asks for it.
    XDG_RUNTIME_DIR=${XDG_RUNTIME_DIR:-$build/runtime} QT_QPA_PLATFORM=offscreen \
        "$build/bin/proclab" "${preset[@]}" "${run[@]}" --size 1440x900 --screenshot "$picture" \
        --after 2 "$@" || fail "the picture of the window could not be made"
    echo "The window as it looks after two seconds: $picture"
    echo "For the window itself, start this script in a desktop session, over ssh -X,"
    echo "or on a virtual display (package xvfb): xvfb-run ./installer/run.sh"
    exit "$status"
}

isBuilt || buildAll
readArguments "$@"
preset=(--preset pool)
[ -z "$experiment" ] && [ "$page" = no ] || preset=()
if [ -z "${DISPLAY:-}" ] && [ -z "${WAYLAND_DISPLAY:-}" ]; then
    runInTerminal "$@"
fi
exec "$build/bin/proclab" "${preset[@]}" "$@"
