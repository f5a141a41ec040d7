# SPDX-License-Identifier: GPL-3.0-or-later
"""The workers of a Pool share the tasks."""

import multiprocessing
import queue
import threading  #: if pool.method imap imap_unordered
import time

WORKERS = 4  # processes  #: pool.workers
START_METHOD = "forkserver"  #: pool.start_method
MAX_TASKS_PER_WORKER = 100  # then a fresh one takes its place  #: pool.max_tasks_per_worker  #: if not pool.max_tasks_per_worker 0
TASKS = 24  #: tasks.count
#: if tasks.args_list
TASK_ARGS = []  # one for each task  #: tasks.args_list
#: else
TASK_ARGS = {}  # the same for each task  #: tasks.args
#: end
#: if pool.method map starmap imap imap_unordered
CHUNK_SIZE = 1  # tasks that a worker takes at once  #: pool.chunk_size  #: if not pool.chunk_size auto
CHUNK_SIZE = -(-TASKS // (WORKERS * 4))  # about four chunks for each worker  #: if pool.chunk_size auto
#: end
TASK_TIMEOUT_S = 1  #: pool.task_timeout_s  #: if not pool.task_timeout_s 0
TIME_LIMIT_S = 60  # for the whole run  #: time_limit_s  #: if not time_limit_s 0
PATIENCE_S = 5  # how long to wait for a result when a worker has died
SHOWN = 100  # results that are printed

#: include call_within  #: if not pool.task_timeout_s 0
#: work tasks


class NothingMore(Exception):
    """No result will come any more."""


def stand_ready(ready):
    """The first that each worker does."""
    ready.release()


def run_task(index):
    """Does one task, in a worker. Returns its number, its value, and what went wrong."""
    try:
        args = TASK_ARGS  #: if not tasks.args_list
        args = TASK_ARGS[index]  #: if tasks.args_list
        value = __tasks__(index, **args)  #: if pool.task_timeout_s 0
        value = call_within(TASK_TIMEOUT_S, __tasks__, index, **args)  # Pool knows no such limit.  #: if not pool.task_timeout_s 0
        return index, value, None
    except Exception as error:
        return index, None, repr(error)


def wait_for(get, workers, begin):
    """Returns what get() does. A Pool starts another worker for one that has died, but forgets
    the task that it had: get() alone would wait for its result for ever."""
    # Nor does it try that task once more, as ProcLab was told to.  #: if pool.on_crash retry
    give_up = time.monotonic() + PATIENCE_S
    while True:
        workers.update(multiprocessing.active_children())  # They come and go.  #: if not pool.max_tasks_per_worker 0
        try:
            return get(timeout=0.1)
        except (multiprocessing.TimeoutError, queue.Empty):
            #: if pool.max_tasks_per_worker 0
            has_died = any(worker.exitcode is not None for worker in workers)
            #: else
            has_died = any(worker.exitcode not in (None, 0) for worker in workers)
            #: end
            if has_died and time.monotonic() > give_up:
                raise NothingMore from None
            #: if not time_limit_s 0
            if time.monotonic() - begin > TIME_LIMIT_S:
                raise NothingMore from None
            #: end


#: if pool.method imap imap_unordered
def pass_on(results, done):
    """Hands on each result: in a thread of its own, for next() can't be told how long to wait."""
    for outcome in results:
        done.put(outcome)


#: end
def run_all(pool, outcomes, workers, begin):
    """Hands over all tasks and adds their outcomes to the list."""
    #: if pool.method apply
    for index in range(TASKS):
        # As pool.apply(run_task, (index,)), which waits for the result.
        result = pool.apply_async(run_task, (index,))
        outcomes.append(wait_for(result.get, workers, begin))
    #: end
    #: if pool.method apply_async
    done = queue.SimpleQueue()
    for index in range(TASKS):
        pool.apply_async(run_task, (index,), callback=done.put)
    for _ in range(TASKS):
        outcomes.append(wait_for(done.get, workers, begin))
    #: end
    #: if pool.method map
    # As pool.map(run_task, range(TASKS), CHUNK_SIZE), which waits: all results come at once.
    result = pool.map_async(run_task, range(TASKS), CHUNK_SIZE)
    outcomes += wait_for(result.get, workers, begin)
    #: end
    #: if pool.method starmap
    # As pool.starmap(), which waits: all results come at once.
    arguments = [(index,) for index in range(TASKS)]
    result = pool.starmap_async(run_task, arguments, CHUNK_SIZE)
    outcomes += wait_for(result.get, workers, begin)
    #: end
    #: if pool.method imap imap_unordered
    done = queue.SimpleQueue()
    results = pool.imap(run_task, range(TASKS), CHUNK_SIZE)  #: if pool.method imap
    results = pool.imap_unordered(run_task, range(TASKS), CHUNK_SIZE)  #: if pool.method imap_unordered
    threading.Thread(target=pass_on, args=(results, done), daemon=True).start()
    for _ in range(TASKS):
        outcomes.append(wait_for(done.get, workers, begin))
    #: end


#: include result


def main():
    context = multiprocessing.get_context(START_METHOD)
    ready = context.Semaphore(0)
    options = {"initializer": stand_ready, "initargs": (ready,)}
    options["maxtasksperchild"] = MAX_TASKS_PER_WORKER  #: if not pool.max_tasks_per_worker 0
    outcomes = []
    with context.Pool(WORKERS, **options) as pool:
        for _ in range(WORKERS):
            ready.acquire()
        workers = set(multiprocessing.active_children())
        begin = time.monotonic()
        try:
            run_all(pool, outcomes, workers, begin)
        except NothingMore:
            print(f"{TASKS - len(outcomes)} results are missing")
        elapsed = time.monotonic() - begin
    outcomes.sort(key=lambda outcome: outcome[0])  # They came as they were done.  #: if pool.method apply_async
    for index, value, error in outcomes[:SHOWN]:
        print(f"task {index}: {value if error is None else error}")
    failed = sum(error is not None for _, _, error in outcomes)
    missing = TASKS - len(outcomes)
    counts = {"done": len(outcomes) - failed, "failed": failed, "lost": missing}
    #: if not time_limit_s 0
    if elapsed > TIME_LIMIT_S:
        counts["cancelled"] = counts.pop("lost")
    #: end
    print_result(elapsed, {}, **counts)


if __name__ == "__main__":
    main()
