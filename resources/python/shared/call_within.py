# SPDX-License-Identifier: GPL-3.0-or-later
import signal


def on_alarm(number, frame):
    raise TimeoutError("it took too long")


def call_within(seconds, function, *args, **kwargs):
    """Calls the function, which gets a TimeoutError when it takes longer."""
    signal.signal(signal.SIGALRM, on_alarm)
    signal.setitimer(signal.ITIMER_REAL, seconds)
    try:
        return function(*args, **kwargs)
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
