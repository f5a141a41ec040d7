# SPDX-License-Identifier: GPL-3.0-or-later
"""A child sends messages through a pipe to its parent."""

import multiprocessing
import threading  #: if not time_limit_s 0
import time

MESSAGES = 10000  #: pipe.messages
MESSAGE_BYTES = 64  #: pipe.message_bytes
START_METHOD = "forkserver"  #: pipe.start_method
TIME_LIMIT_S = 60  # for the whole run  #: time_limit_s  #: if not time_limit_s 0

#: include filled


#: if pipe.duplex True
def talk(end, together, sent, waited_s):
    """What the child does: it sends each message and waits for the answer."""
    together.wait()  # until both are there
    for number in range(MESSAGES):
        message = filled(MESSAGE_BYTES, number * 7)
        begin = time.perf_counter()
        end.send((number, message))
        sent.value += 1
        answer = end.recv()
        waited_s.value += time.perf_counter() - begin
        if answer != (number, filled(MESSAGE_BYTES, number * 7 + 1)):
            raise ValueError(f"a wrong answer to message {number}")


#: else
def talk(end, together, sent):
    """What the child does: it sends one message after the other."""
    together.wait()  # until both are there
    for number in range(MESSAGES):
        end.send((number, filled(MESSAGE_BYTES, number * 7)))
        sent.value += 1


#: end
def receive_all(end):
    """What the parent does, until nobody is left who could send."""
    received = 0
    while True:
        try:
            number, message = end.recv()
        except (EOFError, OSError):
            return received
        if number != received or message != filled(MESSAGE_BYTES, number * 7):
            raise ValueError(f"message {number} did not arrive whole")
        received += 1
        #: if pipe.duplex True
        try:
            end.send((number, filled(MESSAGE_BYTES, number * 7 + 1)))
        except ConnectionError:  # the child has died
            return received
        #: end


#: include result


def main():
    context = multiprocessing.get_context(START_METHOD)
    parent_end, child_end = context.Pipe()  #: if pipe.duplex True
    parent_end, child_end = context.Pipe(duplex=False)  #: if pipe.duplex False
    together = context.Barrier(2)
    sent = context.Value("q", 0, lock=False)
    waited_s = context.Value("d", 0, lock=False)  #: if pipe.duplex True
    arguments = (child_end, together, sent)  #: if pipe.duplex False
    arguments = (child_end, together, sent, waited_s)  #: if pipe.duplex True
    child = context.Process(target=talk, args=arguments, daemon=True)
    child.start()
    child_end.close()  # The child's own is the only one now, so that its end ends recv().
    together.wait(120)
    begin = time.monotonic()
    #: if not time_limit_s 0
    timer = threading.Timer(TIME_LIMIT_S, child.kill)
    timer.start()
    #: end
    received = receive_all(parent_end)
    elapsed = time.monotonic() - begin
    child.join()
    timer.cancel()  #: if not time_limit_s 0
    outcome = {
        "messages_sent": sent.value,
        "messages_received": received,
        "bytes": received * MESSAGE_BYTES,
        "messages_per_s": received / elapsed,
        "bytes_per_s": received * MESSAGE_BYTES / elapsed,
        "round_trip_s": waited_s.value / received if received else None,  #: if pipe.duplex True
        "round_trip_s": None,  # nobody answers  #: if pipe.duplex False
    }
    ended = "lost" if child.exitcode < 0 else "failed" if child.exitcode > 0 else "done"
    #: if not time_limit_s 0
    if ended == "lost" and elapsed >= TIME_LIMIT_S:
        ended = "cancelled"
    #: end
    print_result(elapsed, outcome, **{"done": 0, ended: 1})


if __name__ == "__main__":
    main()
