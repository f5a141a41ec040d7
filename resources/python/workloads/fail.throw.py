# SPDX-License-Identifier: GPL-3.0-or-later
#: include burn


def fail_throw(index, message, every, work_s):
    """Every so many tasks one raises an exception."""
    burn(work_s)
    if (index + 1) % every == 0:
        raise RuntimeError(message)
    return index
