#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-3.0-or-later
#
# Installs what the tests need, builds them and runs all of them: test.sh [CTEST-ARG]…
# Examples: test.sh -L quick; test.sh -R tst_pool; test.sh -LE long.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

fail() {
    echo "installer/test.sh: $1" >&2
    exit "${2:-1}"
}

installer/setup.sh test || exit 1
cmake --preset dev || fail "cmake could not configure build/dev"
cmake --build --preset dev || fail "the build in build/dev failed"
# Some tests mostly wait: one more at a time than there are cores keeps these busy.
ctest --preset dev --parallel "$(($(nproc) + 1))" "$@" || fail "ctest failed" $?
