# SPDX-License-Identifier: GPL-3.0-or-later
"""A program is run without a shell; what it prints is read."""

import concurrent.futures
import os
import subprocess
import time

COMMAND = ["ls", "-l"]  # no shell reads it  #: program.command
STDIN = ""  # all that it can read  #: program.stdin
TIMEOUT_S = 1  # then it is killed  #: program.timeout_s  #: if not program.timeout_s 0
ENCODING = "utf-8"  #: program.encoding
CHECK = False  # whether another exit code than 0 is a failure  #: program.check
ENVIRONMENT = {}  # beside the variables that are there  #: program.environment
WORKING_DIRECTORY = ""  # empty: where this program is  #: program.working_directory
INSTANCES = 1  # that run side by side  #: program.instances
TIME_LIMIT_S = 60  # for the whole run  #: time_limit_s  #: if not time_limit_s 0

#: include result


def text(output):
    """What a program printed until its timeout: bytes, or nothing."""
    return (output or b"").decode(ENCODING, "replace")


def run_program(begin):
    """Runs the program to its end. Returns whether it went well, and what there is to tell."""
    limit = None
    limit = TIMEOUT_S  #: if not program.timeout_s 0
    #: if not time_limit_s 0
    rest = max(0, begin + TIME_LIMIT_S - time.monotonic())
    limit = rest if limit is None else min(limit, rest)
    #: end
    try:
        # A child of the program that keeps the pipes open would be waited for, for ever.
        ended = subprocess.run(
            COMMAND,
            input=STDIN,
            capture_output=True,
            encoding=ENCODING,
            errors="replace",
            timeout=limit,
            env={**os.environ, **ENVIRONMENT},
            cwd=WORKING_DIRECTORY or None,
        )
        code, timed_out = ended.returncode, False
        stdout, stderr = ended.stdout, ended.stderr
    except subprocess.TimeoutExpired as error:  # run() has killed it by SIGKILL
        code, timed_out = -9, True
        stdout, stderr = text(error.stdout), text(error.stderr)
    outcome = {
        "exit_code": max(0, code),
        "signal": max(0, -code),
        "timed_out": timed_out,
        "stdout": stdout,
        "stderr": stderr,
        "dropped_bytes": 0,  # Python keeps all, however much it is
    }
    went_well = not timed_out and (code == 0 or not CHECK)
    return went_well, outcome


def main():
    begin = time.monotonic()
    with concurrent.futures.ThreadPoolExecutor(INSTANCES) as threads:
        runs = list(threads.map(run_program, [begin] * INSTANCES))
    elapsed = time.monotonic() - begin
    done = sum(went_well for went_well, outcome in runs)
    outcomes = [outcome for went_well, outcome in runs]
    ended = {"failed": INSTANCES - done}
    #: if not time_limit_s 0
    if elapsed >= TIME_LIMIT_S:
        ended = {"cancelled": INSTANCES - done}
    #: end
    print_result(elapsed, outcomes[0] if INSTANCES == 1 else outcomes, done, **ended)


if __name__ == "__main__":
    main()
