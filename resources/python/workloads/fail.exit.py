# SPDX-License-Identifier: GPL-3.0-or-later
import sys

#: include burn


def fail_exit(index, code, every, work_s):
    """Every so many tasks one ends its process."""
    burn(work_s)
    if (index + 1) % every == 0:
        sys.exit(code)
    return index
