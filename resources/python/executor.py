# SPDX-License-Identifier: GPL-3.0-or-later
"""The workers of a ProcessPoolExecutor share the calls; each call has a future."""

import concurrent.futures
import concurrent.futures.process
import multiprocessing
import os
import signal
import time

MAX_WORKERS = 4  # processes  #: executor.max_workers
START_METHOD = "forkserver"  #: executor.start_method
TASKS = 12  #: tasks.count
#: if tasks.args_list
TASK_ARGS = []  # one for each call  #: tasks.args_list
#: else
TASK_ARGS = {}  # the same for each call  #: tasks.args
#: end
TIMEOUT_S = 1  # for all results  #: executor.timeout_s  #: if not executor.timeout_s 0
TIME_LIMIT_S = 60  # for the whole run  #: time_limit_s  #: if not time_limit_s 0
SHOWN = 100  # results that are printed

#: work tasks


def prepare(barrier, places):
    """The first that each worker does."""
    global all_ready, begun
    all_ready, begun = barrier, places


def stand_ready():
    all_ready.wait()


def run_task(index, number):
    """Does one call, in a worker. Returns its value, what went wrong, and when it was done."""
    #: if tasks.task fail.crash
    global attempt
    attempt = number
    #: end
    begun[index] = os.getpid()
    try:
        args = TASK_ARGS  #: if not tasks.args_list
        args = TASK_ARGS[index]  #: if tasks.args_list
        return __tasks__(index, **args), None, time.monotonic()
    except Exception as error:
        return None, repr(error), time.monotonic()


def open_executor(context, places):
    """Returns an executor all of whose workers stand ready; by itself it would start them when
    calls need them."""
    workers = min(MAX_WORKERS, TASKS)
    barrier = context.Barrier(workers)
    executor = concurrent.futures.ProcessPoolExecutor(
        workers, context, initializer=prepare, initargs=(barrier, places)
    )
    for future in [executor.submit(stand_ready) for _ in range(workers)]:
        future.result()
    return executor


def time_left(begin):
    """How long results may still be waited for."""
    until = float("inf")
    until = min(until, begin + TIMEOUT_S)  #: if not executor.timeout_s 0
    until = min(until, begin + TIME_LIMIT_S)  #: if not time_limit_s 0
    return None if until == float("inf") else max(0, until - time.monotonic())


def run_round(executor, left, attempts, outcomes, begin):
    """Hands over the calls that are left and adds their outcomes. Whether the time was up."""
    timed_out = False
    workers = multiprocessing.active_children()
    #: if executor.mode submit
    futures = {executor.submit(run_task, index, attempts[index]): index for index in left}
    #: end
    try:
        #: if executor.mode map
        numbers = [attempts[index] for index in left]
        results = executor.map(run_task, left, numbers, timeout=time_left(begin))
        for index, outcome in zip(left, results):
            outcomes[index] = outcome
        #: else
        #: if executor.order as_completed
        for future in concurrent.futures.as_completed(futures, timeout=time_left(begin)):
            outcomes[futures[future]] = future.result()
        #: else
        for future, index in futures.items():
            outcomes[index] = future.result(timeout=time_left(begin))
        #: end
        #: end
    except concurrent.futures.TimeoutError:
        timed_out = True
    except concurrent.futures.process.BrokenProcessPool:
        pass  # One of its workers has died: no future that is not done will be.
    #: if not time_limit_s 0
    if time.monotonic() - begin >= TIME_LIMIT_S:
        for worker in workers:
            worker.kill()
    #: end
    # Waits for the calls that run. Some more are on their way to the workers and run too.
    executor.shutdown(cancel_futures=True)
    #: if executor.mode submit
    for future, index in futures.items():
        if not future.cancelled() and future.exception() is None:
            outcomes[index] = future.result()
    #: end
    return timed_out, [worker for worker in workers if has_died(worker)]


def has_died(worker):
    """An executor that is broken ends its other workers with SIGTERM."""
    worker.join(1)
    return worker.exitcode not in (None, 0, -signal.SIGTERM)


#: include result


def main():
    context = multiprocessing.get_context(START_METHOD)
    places = context.Array("q", TASKS, lock=False)  # The worker that has begun each call.
    attempts = [1] * TASKS
    outcomes = {}
    outcome = {"broken": False, "timed_out": False}
    retried = 0
    executor = open_executor(context, places)
    begin = time.monotonic()
    left = list(range(TASKS))
    while True:
        timed_out, dead = run_round(executor, left, attempts, outcomes, begin)
        left = [index for index in left if index not in outcomes]
        outcome["timed_out"] = timed_out  #: if not executor.timeout_s 0
        if not left or timed_out or not dead:
            break
        #: if executor.on_crash break
        outcome["broken"] = True
        outcome["broken_by"] = dead[0].name
        break
        #: else
        # Python's executor is broken for good: a fresh one does what was cut off with it.
        pids = [worker.pid for worker in dead]
        for index in [index for index in left if places[index] in pids]:
            #: if executor.on_crash retry
            if attempts[index] == 1:
                attempts[index] = 2
                retried += 1
                continue
            #: end
            outcomes[index] = (None, "its worker died", time.monotonic())
            left.remove(index)
        if not left:
            break
        executor = open_executor(context, places)
        #: end
    ended = sorted(outcomes, key=lambda index: outcomes[index][2])
    elapsed = time.monotonic() - begin
    shown = ended  #: if executor.order as_completed
    shown = sorted(outcomes)  #: if executor.order submitted
    for index in shown[:SHOWN]:
        value, error, _ = outcomes[index]
        print(f"task {index}: {value if error is None else error}")
    failed = sum(error is not None for _, error, _ in outcomes.values())
    counts = {"done": len(outcomes) - failed, "failed": failed, "retried": retried}
    counts["cancelled" if timed_out else "lost"] = len(left)
    if TASKS <= SHOWN:
        outcome["order_of_completion"] = ended
    print_result(elapsed, outcome, **counts)


if __name__ == "__main__":
    main()
