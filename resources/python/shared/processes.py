# SPDX-License-Identifier: GPL-3.0-or-later
import math  #: if time_limit_s 0
import multiprocessing.connection
import time

TIME_LIMIT_S = 60  # for the whole run  #: time_limit_s  #: if not time_limit_s 0
PATIENCE_S = 4  # how long the others may go on when a process has died


def join_all(processes, begin, needed=()):
    """Waits for the ends of processes. When one of them has died, or one of those that they need
    has ended, the others may wait for it for ever: they are killed after a while."""
    until = math.inf  #: if time_limit_s 0
    until = begin + TIME_LIMIT_S  #: if not time_limit_s 0
    while any(process.is_alive() for process in processes):
        if any(process.exitcode not in (None, 0) for process in processes) or any(
            process.exitcode is not None for process in needed
        ):
            until = min(until, time.monotonic() + PATIENCE_S)
        if time.monotonic() >= until:
            for process in processes:
                process.kill()
        alive = [process.sentinel for process in processes if process.is_alive()]
        multiprocessing.connection.wait(alive, timeout=0.1)


def count_ends(processes, begin):
    """How many processes did their work, failed, and were killed."""
    codes = [process.exitcode for process in processes]
    counts = {"done": codes.count(0), "failed": sum(code > 0 for code in codes)}
    counts["lost"] = sum(code < 0 for code in codes)
    #: if not time_limit_s 0
    if time.monotonic() - begin >= TIME_LIMIT_S:
        counts["cancelled"] = counts.pop("lost")
    #: end
    return counts
