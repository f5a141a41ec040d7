# SPDX-License-Identifier: GPL-3.0-or-later
import time

#: include uniform


def io_sleep(index, min_s, max_s):
    """Sleeps between min_s and max_s. Returns how long."""
    seconds = min_s + uniform(index) * (max_s - min_s)
    time.sleep(seconds)
    return seconds
