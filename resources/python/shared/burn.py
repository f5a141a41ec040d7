# SPDX-License-Identifier: GPL-3.0-or-later
import time


def burn(seconds):
    """Uses so much CPU time."""
    until = time.thread_time() + seconds
    while time.thread_time() < until:
        pass
