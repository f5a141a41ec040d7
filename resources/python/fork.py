# SPDX-License-Identifier: GPL-3.0-or-later
"""A process fills its memory and forks children, which write to a part of it."""

import array
import ctypes
import math  #: if time_limit_s 0
import mmap
import os
import signal
import struct
import threading  #: if fork.beside_thread True
import time

MEMORY_MIB = 64  #: fork.memory_mib
TOUCH_PERCENT = 25  # of the inherited pages, of each child  #: fork.touch_percent
CHILDREN = 1  #: fork.children
DEADLINE_S = 2  # for children that wait for ever  #: if fork.beside_thread True
TIME_LIMIT_S = 60  # for the whole run  #: time_limit_s  #: if not time_limit_s 0
PASS_S = 2.4  # for all pages, so that one can look on
BLOCKS = 64  # of pages, with a rest after each

VALUE = 10
PAGE = mmap.PAGESIZE
PAGES = MEMORY_MIB * 2**20 // PAGE
WRITTEN = round(PAGES * TOUCH_PERCENT / 100)
TOLD = struct.Struct("qqq")  # of each child: value, copied and shared pages; -1: not known

#: include result


def count_pages(memory):
    """How many pages of the memory are this process's own, and how many it shares."""
    address = ctypes.addressof(ctypes.c_char.from_buffer(memory))
    entries = array.array("Q")
    try:
        with open("/proc/self/pagemap", "rb", buffering=0) as pagemap:
            pagemap.seek(address // PAGE * 8)
            entries.frombytes(pagemap.read(PAGES * 8))
    except (OSError, ValueError):
        return -1, -1  # this kernel does not tell
    own = sum(entry >> 56 & 1 for entry in entries)
    return own, sum(entry >> 63 for entry in entries) - own


def go_through(memory):
    """Writes to a part of the pages and reads the others."""
    begin = time.monotonic()
    for block in range(BLOCKS):
        for page in range(PAGES * block // BLOCKS, PAGES * (block + 1) // BLOCKS):
            if page < WRITTEN:
                memory[page * PAGE] = 2  # now the kernel copies the page
            else:
                memory[page * PAGE]
        time.sleep(max(0, begin + PASS_S * (block + 1) / BLOCKS - time.monotonic()))


#: if fork.beside_thread True
def hold(lock, is_held, is_over):
    """What the other thread of the parent does."""
    with lock:
        is_held.set()
        is_over.wait()


#: end
def live(number, value, memory, told):  #: if fork.beside_thread False
def live(number, value, memory, told, lock):  #: if fork.beside_thread True
    """What a child does: all that it has is a copy."""
    TOLD.pack_into(told, number * TOLD.size, -1, *count_pages(memory))
    lock.acquire()  # for ever: its thread was not copied  #: if fork.beside_thread True
    value += number + 1
    go_through(memory)
    TOLD.pack_into(told, number * TOLD.size, value, *count_pages(memory))
    os._exit(0)


def wait_for(pids, until):
    """Returns the exit codes of the children, and which of them took too long and were killed."""
    codes = {}
    killed = set()
    while len(codes) < len(pids):
        for pid in pids:
            if pid in codes:
                continue
            ended, status = os.waitpid(pid, os.WNOHANG)
            if ended:
                codes[pid] = os.waitstatus_to_exitcode(status)
            elif time.monotonic() >= until and pid not in killed:
                killed.add(pid)
                os.kill(pid, signal.SIGKILL)
        time.sleep(0.01)
    return codes, killed


def main():
    memory = mmap.mmap(-1, PAGES * PAGE, flags=mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS)
    memory.madvise(mmap.MADV_NOHUGEPAGE)  # page by page, not 2 MiB at once
    for page in range(PAGES):
        memory[page * PAGE] = 1
    told = mmap.mmap(-1, CHILDREN * TOLD.size)  # memory that stays shared
    for number in range(CHILDREN):
        TOLD.pack_into(told, number * TOLD.size, -1, -1, -1)
    value = VALUE
    begin = time.monotonic()
    until = math.inf  #: if time_limit_s 0
    until = begin + TIME_LIMIT_S  #: if not time_limit_s 0
    #: if fork.beside_thread True
    until = min(until, begin + DEADLINE_S)
    lock, is_held, is_over = threading.Lock(), threading.Event(), threading.Event()
    threading.Thread(target=hold, args=(lock, is_held, is_over)).start()
    is_held.wait()
    #: end
    pids = []
    fork_s = 0
    for number in range(CHILDREN):
        called = time.monotonic()
        pid = os.fork()  # returns twice: 0 in the child, the child's PID in the parent
        if pid == 0:
            live(number, value, memory, told)  #: if fork.beside_thread False
            live(number, value, memory, told, lock)  #: if fork.beside_thread True
        fork_s += time.monotonic() - called
        pids.append(pid)
    is_over.set()  #: if fork.beside_thread True
    codes, killed = wait_for(pids, until)
    elapsed = time.monotonic() - begin
    children = []
    for number, pid in enumerate(pids):
        numbers = TOLD.unpack_from(told, number * TOLD.size)
        child_value, copied, shared = [None if n < 0 else n for n in numbers]
        children.append(
            {
                "value": child_value,
                "copied_bytes": None if copied is None else copied * PAGE,
                "shared_bytes": None if shared is None else shared * PAGE,
                "exit_code": codes[pid],
            }
        )
    copied = [child["copied_bytes"] for child in children if child["copied_bytes"] is not None]
    shared = [child["shared_bytes"] for child in children if child["shared_bytes"] is not None]
    outcome = {
        "parent_value_before": VALUE,
        "parent_value_after": value,
        "child_value": children[0]["value"],
        "shared_bytes": max(shared) if shared else None,
        "copied_bytes": sum(copied) if copied else None,
        "fork_s": fork_s / CHILDREN,
        "children": children,
    }
    ends = [0 if pid in killed else codes[pid] for pid in pids]
    counts = {"done": 1 + ends.count(0), "failed": sum(code > 0 for code in ends)}  # and the parent
    counts["lost"] = sum(code < 0 for code in ends)
    #: if fork.beside_thread False
    counts["done"] -= len(killed)
    counts["cancelled"] = len(killed)
    #: end
    print_result(elapsed, outcome, **counts)


if __name__ == "__main__":
    main()
