#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""Lists which rows of rows.md a test names, and in which file; reasons.md says why others are left out.

usage: list.py            prints the list
       list.py --write    writes it to README.md beside this file
       list.py --check    ends with 1 if README.md is not that list, a test or reasons.md names an unknown row,
                          or reasons.md one that must hold or that a test proves
"""

import pathlib
import re
import sys

HERE = pathlib.Path(__file__).resolve().parent
TESTS = HERE.parent
ID = re.compile(r"\b(?:PR|PL|EX|Q|PC|VA|LK|SP|SC)-\d{2}\b")
REASON = re.compile(r"^\| ([A-Z]+-\d+) \| (.*) \|$")
ROW = re.compile(r"^\| ([A-Z]+-\d+) \| (.*?) \|.*\| (must|should) \|$")


def rows():
    """(id, area, priority) in the order of rows.md."""
    return [match.groups() for match in map(ROW.match, (HERE / "rows.md").read_text().splitlines()) if match]


def namings():
    """The files that name each id, relative to tests/."""
    found = {}
    for path in sorted(TESTS.rglob("*")):
        if path.suffix in (".cpp", ".h", ".py") and HERE not in path.parents:
            for row in ID.findall(path.read_text()):
                found.setdefault(row, set()).add(str(path.relative_to(TESTS)))
    return found


def reasons():
    """The reason by id of each row that is left out."""
    lines = (HERE / "reasons.md").read_text().splitlines()
    return dict(match.groups() for match in map(REASON.match, lines) if match)


def listing(known, found, left_out):
    must = [row for row, _, priority in known if priority == "must"]
    proved = [row for row in must if row in found]
    should = [row for row, _, priority in known if priority == "should"]
    lines = ["# Which behaviours are proved", "",
             "Made by `tests/conformance/list.py --write` from `rows.md` and the tests; a test checks that it is up to date.", "",
             f"Of {len(must)} rows that must hold {len(proved)} are proved, of {len(should)} that should hold "
             f"{sum(row in found for row in should)}; {len(left_out)} left out.", "",
             "| id | area | priority | state | test, or why left out |", "|---|---|---|---|---|"]
    for row, area, priority in known:
        tests = ", ".join(f"`{path}`" for path in sorted(found.get(row, ())))
        state = "proved" if tests else "left out" if row in left_out else "open"
        lines.append(f"| {row} | {area} | {priority} | {state} | {tests or left_out.get(row, '')} |")
    return "\n".join(lines) + "\n"


def main():
    known = rows()
    found = namings()
    unknown = sorted(set(found) - {row for row, _, _ in known})
    if unknown:
        sys.exit(f"tests name rows that rows.md does not have: {', '.join(unknown)}")
    left_out = reasons()
    may_be = {row for row, _, priority in known if priority == "should" and row not in found}
    if wrong := sorted(set(left_out) - may_be):
        sys.exit(f"reasons.md leaves out what is unknown, must hold or is proved: {', '.join(wrong)}")
    text = listing(known, found, left_out)
    readme = HERE / "README.md"
    if "--write" in sys.argv:
        readme.write_text(text)
    elif "--check" in sys.argv:
        if readme.read_text() != text:
            sys.exit("tests/conformance/README.md is out of date: run tests/conformance/list.py --write")
    else:
        print(text, end="")


main()
