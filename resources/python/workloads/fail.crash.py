# SPDX-License-Identifier: GPL-3.0-or-later
import os
import signal as signals

#: include attempt
#: include burn


def fail_crash(index, signal, every, work_s, attempts):
    """Every so many tasks one ends its process by a signal, in its first attempts or in each."""
    burn(work_s)
    if (index + 1) % every == 0 and (attempts == 0 or attempt <= attempts):
        if signal in (signals.SIGSTOP, signals.SIGTSTP, signals.SIGTTIN, signals.SIGTTOU):
            raise RuntimeError("the signal stops a process and does not end it")
        if signal != signals.SIGKILL:
            signals.signal(signal, signals.SIG_DFL)  # Python minds or ignores some of them.
        os.kill(os.getpid(), signal)
        raise RuntimeError("the signal did not end the process")
    return index
