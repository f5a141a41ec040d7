# SPDX-License-Identifier: GPL-3.0-or-later
"""Producers put items into a queue, consumers take them out."""

import multiprocessing
import threading
import time

PRODUCERS = 1  #: pipeline.producers
CONSUMERS = 1  #: pipeline.consumers
CAPACITY = 16  # items in the queue; 0: no bound  #: pipeline.capacity
#: if pipeline.items
ITEMS = []  #: pipeline.items
#: else
ITEMS_PER_PRODUCER = 1000  #: pipeline.items_per_producer
ITEM_BYTES = 64  #: pipeline.item_bytes
#: end
PRODUCE_ARGS = {}  #: produce.args  #: if produce.task
CONSUME_ARGS = {}  #: consume.args  #: if consume.task
START_METHOD = "forkserver"  #: pipeline.start_method
END = None  # tells a consumer that nothing more will come

#: include filled  #: if not pipeline.items
#: work produce
#: work consume


class Figures:
    """Shared numbers in which each process tells what it has done so far: they outlive it."""

    def __init__(self, context, processes):
        self.items = context.Array("q", processes, lock=False)  # put or worked on
        self.failed = context.Array("q", processes, lock=False)
        self.waited_s = context.Array("d", processes, lock=False)  # in put() or get()
        self.deepest = context.Array("q", processes, lock=False)  # the most items in the queue


def produce(ordinal, items, figures, together):
    """What each producer does."""
    together.wait()  # until all are there
    last = len(ITEMS)  #: if pipeline.items
    last = PRODUCERS * ITEMS_PER_PRODUCER  #: if not pipeline.items
    for number in range(ordinal, last, PRODUCERS):  # The producers take turns.
        #: if produce.task
        try:
            __produce__(number, **PRODUCE_ARGS)
        except Exception:
            figures.failed[ordinal] += 1
            continue
        #: end
        content = ITEMS[number]  #: if pipeline.items
        content = filled(ITEM_BYTES, ordinal * 31 + number * 7)  #: if not pipeline.items
        begin = time.monotonic()
        items.put((ordinal, number, content))  # waits while the queue is full
        figures.waited_s[ordinal] += time.monotonic() - begin
        figures.items[ordinal] += 1
        figures.deepest[ordinal] = max(figures.deepest[ordinal], items.qsize())


def consume(ordinal, items, figures, together):
    """What each consumer does."""
    together.wait()
    while True:
        begin = time.monotonic()
        item = items.get()  # waits while the queue is empty
        figures.waited_s[ordinal] += time.monotonic() - begin
        if item is END:
            break
        producer, number, content = item
        try:
            #: if not pipeline.items
            if content != filled(ITEM_BYTES, producer * 31 + number * 7):
                raise ValueError(f"item {number} did not arrive whole")
            #: end
            __consume__(number, **CONSUME_ARGS)  #: if consume.task
        except Exception:
            figures.failed[ordinal] += 1
        else:
            figures.items[ordinal] += 1


def put_ends(items):
    """What the parent does once all producers have ended."""
    for _ in range(CONSUMERS):
        items.put(END)


def bottleneck_of(full_share, empty_share, margin):
    """Who sets the pace: those that make the others wait."""
    if full_share > empty_share + margin:
        return "consumers"
    return "producers" if empty_share > full_share + margin else "balanced"


#: include result
#: include processes


def main():
    context = multiprocessing.get_context(START_METHOD)
    items = context.Queue(CAPACITY)
    together = context.Barrier(PRODUCERS + CONSUMERS + 1)
    made = Figures(context, PRODUCERS)
    used = Figures(context, CONSUMERS)
    producers = [
        context.Process(target=produce, args=(ordinal, items, made, together), daemon=True)
        for ordinal in range(PRODUCERS)
    ]
    consumers = [
        context.Process(target=consume, args=(ordinal, items, used, together), daemon=True)
        for ordinal in range(CONSUMERS)
    ]
    for process in producers + consumers:
        process.start()
    together.wait(120)
    begin = time.monotonic()
    # Nothing takes the place of a process that dies. If it held the queue's lock, as a consumer
    # that waits for an item does, no other gets an item any more.
    join_all(producers, begin, needed=consumers)
    # A thread may wait for room for ever, where nobody is left to make some.
    threading.Thread(target=put_ends, args=(items,), daemon=True).start()
    join_all(consumers, begin)
    elapsed = time.monotonic() - begin
    items.cancel_join_thread()  # What nobody has taken, nobody takes.
    produced, consumed = sum(made.items), sum(used.items)
    blocked, idle = sum(made.waited_s), sum(used.waited_s)
    outcome = {
        "produced": produced,
        "consumed": consumed,
        "per_producer": list(made.items),
        "per_consumer": list(used.items),
        "failed_items": sum(made.failed) + sum(used.failed),
        "lost_items": produced - consumed - sum(used.failed),
        "max_depth": max(made.deepest),
        "blocked_on_full_s": blocked,
        "blocked_on_empty_s": idle,
        "items_per_s": consumed / elapsed,
        "bottleneck": bottleneck_of(blocked / PRODUCERS, idle / CONSUMERS, elapsed / 20),
    }
    print_result(elapsed, outcome, **count_ends(producers + consumers, begin))


if __name__ == "__main__":
    main()
