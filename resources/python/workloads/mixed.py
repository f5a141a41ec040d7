# SPDX-License-Identifier: GPL-3.0-or-later
import time

#: include burn


def mixed(index, cpu_s, sleep_s):
    """Computes, then sleeps."""
    burn(cpu_s)
    time.sleep(sleep_s)
    return cpu_s + sleep_s
