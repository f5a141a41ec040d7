# SPDX-License-Identifier: GPL-3.0-or-later
import json


def print_result(elapsed, outcome, done, failed=0, cancelled=0, lost=0, retried=0):
    """Prints what the run came to, as JSON; always the last line."""
    totals = {
        "tasks": done + failed + cancelled + lost,
        "done": done,
        "failed": failed,
        "cancelled": cancelled,
        "lost": lost,
        "retried": retried,
        "throughput_per_s": done / elapsed,
    }
    result = {"elapsed_s": elapsed, "totals": totals, "outcome": outcome}
    print(json.dumps(result), flush=True)
