# SPDX-License-Identifier: GPL-3.0-or-later
import time

#: include burn


def fail_hang(index, every, work_s):
    """Every so many tasks one never ends."""
    burn(work_s)
    if (index + 1) % every == 0:
        while True:
            time.sleep(3600)
    return index
