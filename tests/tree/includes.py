#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""Fails if a file of core, ui or app includes one that stands above or beside it in the order below.

A folder may include itself and what stands in lines before its own; folders of one line do not know
each other. An entry names a folder, without those below it, or a single file; * stands for all
folders there that have no entry of their own.
"""

import pathlib
import re
import sys

ORDER = """
core/base/version.h
core/runtime
core/runtime/payload core/runtime/trace core/runtime/workloads
core/runtime/sync
core/runtime/memory
core/runtime/ipc
core/runtime/task
core/runtime/objects
core/base
core/sync
core/trace
core/call core/ipc
core/process
core/memory core/pool core/program core/waits
core/executor
core/monitor
core/experiment/spec
core/experiment/run
core/experiment/explain core/experiment/python
core/experiment/run/result_json.cpp core/experiment/kinds/*
core/experiment/spec/kind.cpp
ui/shared
ui/charts
ui/experiment/charts ui/experiment/form ui/experiment/stage
ui/experiment/timeline
ui/*
ui/experiment/stage/stage_view.cpp
ui/experiment/run
ui/shell
app/cli app/lab app/worker
"""

TREE = pathlib.Path(__file__).resolve().parents[2]
LEVELS = {entry: level for level, line in enumerate(ORDER.split("\n")) for entry in line.split()}


def place_of(path):
    """The file or folder that has a place in ORDER, and its level; no level: it has none yet."""
    folder = str(pathlib.PurePath(path).parent)
    others = str(pathlib.PurePath(folder).parent / "*")
    for entry, place in ((path, path), (folder, folder), (others, folder)):
        if entry in LEVELS:
            return place, LEVELS[entry]
    return folder, None


def includes(file):
    """Line number and path of each include written from the root of the tree."""
    text = file.read_text(encoding="utf-8")
    for number, line in enumerate(text.splitlines(), 1):
        if found := re.match(r'\s*#\s*include\s+"((?:core|ui|app|tests)/[^"]+)"', line):
            yield number, found[1]


def faults():
    for file in sorted(TREE.glob("*/**/*.*")):
        path = str(file.relative_to(TREE))
        if not re.fullmatch(r"(core|ui|app)/.*\.(h|cpp)", path):
            continue
        own, level = place_of(path)
        if level is None:
            yield f"{path}: {own} has no place in the order of {pathlib.Path(__file__).name}"
            continue
        for number, included in includes(file):
            other, its_level = place_of(included)
            is_own = other == own or included == path.replace(".cpp", ".h")
            if not is_own and (its_level is None or its_level >= level):
                yield f"{path}:{number}: {own} must not include {included}"


found = list(faults())
print("\n".join(found) or f"all includes point down: {len(LEVELS)} entries in order")
sys.exit(1 if found else 0)
