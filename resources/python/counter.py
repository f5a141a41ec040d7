# SPDX-License-Identifier: GPL-3.0-or-later
"""Several processes add to one shared number."""

import multiprocessing
import time

PROCESSES = 2  #: counter.processes
INCREMENTS = 10000  # of each process  #: counter.increments
GAP_NS = 100  # between reading and writing  #: counter.gap_ns  #: if not counter.gap_ns 0
ELEMENTS = 8  # of the array, taken in turn; the counter is their sum  #: if counter.type array
START_METHOD = "forkserver"  #: counter.start_method


#: if not counter.gap_ns 0
def wait_for_gap():
    """Takes up time, as other work between reading and writing would."""
    until = time.perf_counter_ns() + GAP_NS
    while time.perf_counter_ns() < until:
        pass


#: end
def count(counter, together):
    """What each process does."""
    together.wait()  # until all are there
    #: if counter.mode local
    own = 0  #: if counter.type value
    own = [0] * ELEMENTS  #: if counter.type array
    #: end
    for i in range(INCREMENTS):
        #: if counter.mode none
        # Between these lines others may write: what they have added is lost.
        value = counter.value  #: if counter.type value
        value = counter[i % ELEMENTS]  #: if counter.type array
        wait_for_gap()  #: if not counter.gap_ns 0
        counter.value = value + 1  #: if counter.type value
        counter[i % ELEMENTS] = value + 1  #: if counter.type array
        #: end
        #: if counter.mode lock
        with counter.get_lock():
            value = counter.value  #: if counter.type value
            value = counter[i % ELEMENTS]  #: if counter.type array
            wait_for_gap()  #: if not counter.gap_ns 0
            counter.value = value + 1  #: if counter.type value
            counter[i % ELEMENTS] = value + 1  #: if counter.type array
        #: end
        #: if counter.mode atomic
        wait_for_gap()  #: if not counter.gap_ns 0
        # Python has no atomic addition to shared memory: += reads, adds and writes, so it needs
        # the lock.
        with counter.get_lock():
            counter.value += 1  #: if counter.type value
            counter[i % ELEMENTS] += 1  #: if counter.type array
        #: end
        #: if counter.mode local
        wait_for_gap()  #: if not counter.gap_ns 0
        own += 1  #: if counter.type value
        own[i % ELEMENTS] += 1  #: if counter.type array
        #: end
    #: if counter.mode local
    with counter.get_lock():  # once for all
        counter.value += own  #: if counter.type value
        #: if counter.type array
        for i in range(ELEMENTS):
            counter[i] += own[i]
        #: end
    #: end


#: include result
#: include processes


def main():
    context = multiprocessing.get_context(START_METHOD)
    #: if counter.mode none
    counter = context.Value("q", 0, lock=False)  #: if counter.type value
    counter = context.Array("q", ELEMENTS, lock=False)  #: if counter.type array
    #: else
    counter = context.Value("q", 0)  # with a lock of its own  #: if counter.type value
    counter = context.Array("q", ELEMENTS)  # with a lock of its own  #: if counter.type array
    #: end
    together = context.Barrier(PROCESSES + 1)
    processes = [
        context.Process(target=count, args=(counter, together), daemon=True)
        for _ in range(PROCESSES)
    ]
    for process in processes:
        process.start()
    together.wait(120)
    begin = time.monotonic()
    # A process that is killed while it holds the lock never gives it back: the others wait for ever.  #: if not counter.mode none
    join_all(processes, begin)
    elapsed = time.monotonic() - begin
    counts = count_ends(processes, begin)
    made = counts["done"] * INCREMENTS
    numbers = counter.get_obj()  # without its lock, which may be lost  #: if not counter.mode none
    numbers = counter  #: if counter.mode none
    final = numbers.value  #: if counter.type value
    final = sum(numbers)  #: if counter.type array
    outcome = {
        "expected": PROCESSES * INCREMENTS,
        "final": final,
        "lost_updates": max(0, made - final),
        "increments_per_s": made / elapsed,
        "lock_wait_s": 0,  # there is no lock  #: if counter.mode none
        "lock_wait_s": None,  # to measure it would take longer than the lock itself  #: if not counter.mode none
    }
    print_result(elapsed, outcome, **counts)


if __name__ == "__main__":
    main()
