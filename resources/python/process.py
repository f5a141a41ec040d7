# SPDX-License-Identifier: GPL-3.0-or-later
"""Single processes: started side by side, joined one after the other."""

import multiprocessing
import threading  #: if not time_limit_s 0
import time

NAME = ""  # what they are called; else process-1, process-2, …  #: process.name
START_METHOD = "spawn"  #: process.start_method
JOIN_TIMEOUT_S = 1  # for each of them  #: process.join_timeout_s  #: if not process.join_timeout_s 0
TASKS = 4  # a process for each  #: tasks.count
#: if tasks.args_list
TASK_ARGS = []  # one for each task  #: tasks.args_list
#: else
TASK_ARGS = {}  # the same for each task  #: tasks.args
#: end
TIME_LIMIT_S = 60  # for the whole run  #: time_limit_s  #: if not time_limit_s 0
STARTS_MEASURED = 3  # of each start method

#: work tasks


def work(index, began, together):
    """What each child does. A value that it returned would reach nobody: all that its parent
    learns is an exit code, 1 after an exception."""
    began[index] = time.time()
    together.wait()  # until all are there
    args = TASK_ARGS  #: if not tasks.args_list
    args = TASK_ARGS[index]  #: if tasks.args_list
    __tasks__(index, **args)


def arrive(began):
    """Does nothing but tell when it was there."""
    began.value = time.time()


def start_cost(method):
    """What starting a process costs: from start() to its first line, the median of some."""
    context = multiprocessing.get_context(method)
    costs = []
    for _ in range(STARTS_MEASURED):
        began = context.Value("d", 0, lock=False)
        process = context.Process(target=arrive, args=(began,))
        called = time.time()
        process.start()
        process.join()
        costs.append(began.value - called)
    return sorted(costs)[STARTS_MEASURED // 2]


#: if not time_limit_s 0
def kill_all(processes):
    for process in processes:
        process.kill()


#: end
#: include result


def main():
    costs = {method: start_cost(method) for method in ("spawn", "forkserver", "fork")}
    context = multiprocessing.get_context(START_METHOD)
    together = context.Barrier(TASKS + 1)
    began = context.Array("d", TASKS, lock=False)
    processes = []
    called = []
    for index in range(TASKS):
        name = NAME or "process"
        if not NAME or TASKS > 1:
            name += f"-{index + 1}"
        process = context.Process(target=work, args=(index, began, together), name=name)
        process.daemon = True  # It ends with its parent.  #: if process.daemon True
        called.append(time.time())
        process.start()
        processes.append(process)
    together.wait(120)
    begin = time.monotonic()
    #: if not time_limit_s 0
    timer = threading.Timer(TIME_LIMIT_S, kill_all, args=(processes,))
    timer.start()
    #: end
    timed_out = 0
    for process in processes:
        process.join()  #: if process.join_timeout_s 0
        process.join(JOIN_TIMEOUT_S)  #: if not process.join_timeout_s 0
        timed_out += process.exitcode is None
    # What Python does at the end of its main program.
    for process in processes:
        #: if process.daemon True
        if process.exitcode is None:
            process.terminate()
        #: end
        process.join()
    elapsed = time.monotonic() - begin
    timer.cancel()  #: if not time_limit_s 0
    codes = [process.exitcode for process in processes]
    for process, code in zip(processes, codes):
        print(f"{process.name}, PID {process.pid}: exit code {code}")
    outcome = {
        "exit_codes": codes,
        "joins_timed_out": timed_out,
        "start_s": sum(there - call for there, call in zip(began, called)) / TASKS,
        "start_method_s": costs,
    }
    counts = {"done": codes.count(0), "failed": sum(code > 0 for code in codes)}
    counts["lost"] = sum(code < 0 for code in codes)
    #: if not time_limit_s 0
    if elapsed >= TIME_LIMIT_S:
        counts["cancelled"] = counts.pop("lost")
    #: end
    print_result(elapsed, outcome, **counts)


if __name__ == "__main__":
    main()
