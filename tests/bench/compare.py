#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""Measures ProcLab's engine and Python's multiprocessing in one run and prints both with their ratio.

usage: compare.py BIN_FOLDER [--quick]

BIN_FOLDER holds bench_engine, bench_ipc, bench_limits, proclab-cli and proclab-worker (build/release-like flags give
the figures that count). Every figure is the median of three. It judges nothing.
"""

import json
import multiprocessing as mp
import os
import statistics
import subprocess
import sys
import tempfile
import time

REPEATS = 3


def noop(_=None):
    return None


def burn(seconds):
    end = time.thread_time() + seconds
    while time.thread_time() < end:
        pass


def put_items(queue, count):
    item = bytes(64)
    for _ in range(count):
        queue.put(item)
    queue.put(None)


def echo_items(requests, answers):
    while (item := requests.get()) is not None:
        answers.put(item)


def echo_messages(connection):
    while message := connection.recv_bytes():
        connection.send_bytes(message)


def send_messages(connection, size, count):
    message = bytes(size)
    for _ in range(count):
        connection.send_bytes(message)
    connection.close()


def add_with_lock(value, count):
    for _ in range(count):
        with value.get_lock():
            value.value += 1


def seconds(work):
    begin = time.perf_counter()
    work()
    return time.perf_counter() - begin


def median(measure):
    return statistics.median(measure() for _ in range(REPEATS))


class Python:
    """The peer: CPython's multiprocessing, start method forkserver unless a figure names another."""

    def __init__(self, scale):
        self.scale = scale
        self.context = mp.get_context("forkserver")

    def pool(self):
        figures = {}
        with self.context.Pool(max(1, os.cpu_count() - 1)) as pool:
            pool.map(noop, range(100))
            count = 20_000 // self.scale
            figures["pool_single_per_s"] = median(lambda: count / seconds(
                lambda: [result.get() for result in [pool.apply_async(noop) for _ in range(count)]]))
            trips = []
            for _ in range(2_000 // self.scale):
                trips.append(seconds(lambda: pool.apply(noop)))
            figures["round_trip_us"] = statistics.median(trips) * 1e6
        with self.context.Pool(2) as pool:
            pool.map(noop, range(1_000))
            count = 1_000_000 // self.scale
            figures["pool_chunked_per_s"] = median(
                lambda: count / seconds(lambda: pool.map(noop, range(count), 1_000)))
        return figures

    def starts(self, method, count):
        context = mp.get_context(method)

        def start_all():
            processes = [context.Process(target=noop) for _ in range(count)]
            for process in processes:
                process.start()
            for process in processes:
                process.join()
        start_all()
        return count / seconds(start_all)

    def queue(self):
        count = 200_000 // self.scale

        def run():
            queue = self.context.Queue(1_024)
            producer = self.context.Process(target=put_items, args=(queue, count))
            producer.start()
            queue.get()
            begin = time.perf_counter()
            while queue.get() is not None:
                pass
            spent = time.perf_counter() - begin
            producer.join()
            return count / spent
        return median(run)

    def pipe(self, size, count):
        def run():
            reader, writer = self.context.Pipe(False)
            sender = self.context.Process(target=send_messages, args=(writer, size, count))
            sender.start()
            writer.close()
            reader.recv_bytes()
            begin = time.perf_counter()
            for _ in range(count - 1):
                reader.recv_bytes()
            spent = time.perf_counter() - begin
            sender.join()
            return (count - 1) / spent
        return median(run)

    def trips(self):
        """An item to another process and back, over two queues and over a pipe: awake, and asleep before each."""
        def measure(trip):
            def run(count, pause):
                spent = []
                for _ in range(count // self.scale):
                    time.sleep(pause)
                    spent.append(seconds(trip))
                return statistics.median(spent) * 1e6
            return run(2_000, 0), run(200, 0.003)
        requests, answers = self.context.Queue(16), self.context.Queue(16)
        near, far = self.context.Pipe()
        children = [self.context.Process(target=echo_items, args=(requests, answers)),
                    self.context.Process(target=echo_messages, args=(far,))]
        for child in children:
            child.start()
        item = bytes(64)
        by_queue = measure(lambda: (requests.put(item), answers.get()))
        by_pipe = measure(lambda: (near.send_bytes(item), near.recv_bytes()))
        requests.put(None)
        near.send_bytes(b"")
        for child in children:
            child.join()
        return by_queue, by_pipe

    def parked(self):
        with self.context.Pool(1) as pool:
            pool.apply(noop)
            trips = []
            for _ in range(200 // self.scale):
                time.sleep(0.005)
                trips.append(seconds(lambda: pool.apply(noop)))
        return statistics.median(trips) * 1e6

    def programs(self):
        count = 300 // self.scale
        return median(lambda: count / seconds(
            lambda: [subprocess.run(["true"], capture_output=True, check=True) for _ in range(count)]))

    def forks(self):
        """All started, then all waited for."""
        count = 300 // self.scale

        def run():
            pids = []
            for _ in range(count):
                pids.append(os.fork())
                if pids[-1] == 0:
                    os._exit(0)
            for pid in pids:
                os.waitpid(pid, 0)
        return median(lambda: count / seconds(run))

    def counter(self, processes):
        count = 200_000 // self.scale

        def run():
            value = self.context.Value("q", 0)
            children = [self.context.Process(target=add_with_lock, args=(value, count))
                        for _ in range(processes)]
            spent = seconds(lambda: ([c.start() for c in children], [c.join() for c in children]))
            assert value.value == processes * count
            return processes * count / spent
        return median(run)

    def efficiency(self):
        tasks = 200 // self.scale
        spent = {}
        for workers in (1, 2):
            with self.context.Pool(workers) as pool:
                pool.map(noop, range(10))
                spent[workers] = median(lambda: seconds(lambda: pool.map(burn, [0.01] * tasks, 1)))
        return spent[1] / spent[2] / 2


class ProcLab:
    def __init__(self, folder, scale):
        self.folder = folder
        self.scale = scale

    def figures(self, program, *arguments):
        runs = [json.loads(subprocess.run([os.path.join(self.folder, program), *arguments], check=True,
                                          capture_output=True, text=True).stdout)
                for _ in range(REPEATS)]
        return {name: statistics.median(run[name] for run in runs) for name in runs[0]}

    def run(self, spec):
        with tempfile.NamedTemporaryFile("w", suffix=".proclab.json") as file:
            json.dump({"version": 1, **spec}, file)
            file.flush()
            return json.loads(subprocess.run(
                [os.path.join(self.folder, "proclab-cli"), "run", file.name, "--json", "-", "--quiet"],
                check=True, capture_output=True, text=True).stdout)

    def queue(self, pairs=1):
        return median(lambda: self.run({"kind": "pipeline", "pipeline": {
            "producers": pairs, "consumers": pairs, "capacity": 1_024,
            "items_per_producer": 4_000_000 // pairs // self.scale}})["outcome"]["items_per_s"])

    def counter(self, processes, mode="lock"):
        return median(lambda: self.run({"kind": "counter", "counter": {
            "processes": processes, "mode": mode,
            "increments": 5_000_000 // self.scale}})["outcome"]["increments_per_s"])

    def efficiency(self):
        spent = {}
        for workers in (1, 2):
            spent[workers] = median(lambda: self.run({
                "kind": "pool", "pool": {"workers": workers},
                "tasks": {"task": "mixed", "args": {"cpu_s": 0.01, "sleep_s": 0},
                          "count": 200 // self.scale}})["elapsed_s"])
        return spent[1] / spent[2] / 2


def main():
    if len(sys.argv) < 2:
        sys.exit(__doc__)
    quick = [word for word in sys.argv if word == "--quick"]
    scale = 10 if quick else 1
    ours = ProcLab(sys.argv[1], scale)
    theirs = Python(scale)
    engine = ours.figures("bench_engine")
    ipc = ours.figures("bench_ipc")
    limits = ours.figures("bench_limits", *quick)
    calls = ours.figures("bench_calls")
    pool = theirs.pool()
    starts = max(4, 40 // scale)
    spawn, forkserver = (theirs.starts(method, starts) for method in ("spawn", "forkserver"))
    queue = theirs.queue()
    pipe, big_pipe = theirs.pipe(64, 200_000 // scale), theirs.pipe(1 << 20, 1_000 // scale)
    locked = [theirs.counter(processes) for processes in (1, 2)]
    queue_trips, pipe_trips = theirs.trips()
    rows = [
        ("no-op tasks, single, /s", engine["pool_single_per_s"], pool["pool_single_per_s"], "500,000"),
        ("no-op tasks, chunks of 1,000, /s", engine["pool_chunked_per_s"], pool["pool_chunked_per_s"], ""),
        ("own functions, call + future, /s", calls["future_per_s"], pool["pool_single_per_s"], "2,000,000"),
        ("the same, memory allocations each", calls["future_allocations"], None, "1"),
        ("own functions, map by 1,000, /s", calls["map_per_s"], pool["pool_chunked_per_s"], "20,000,000"),
        ("own functions, round trip, us", calls["apply_us"], pool["round_trip_us"], "2"),
        ("64 MiB argument, copied, us", calls["copied_64_mib_us"], None, ""),
        ("64 MiB argument, SharedBytes, us", calls["shared_64_mib_us"], None, "50"),
        ("64 MiB result, SharedBytes, us", calls["result_64_mib_us"], None, "50"),
        ("apply round trip, hot, us", engine["round_trip_us"], pool["round_trip_us"], "10"),
        ("workers started, spawn, /s", engine["spawn_per_s"], spawn, "400"),
        ("workers started, forkserver, /s", engine["forkserver_per_s"], forkserver, ""),
        ("queue 1:1, 64 bytes, items/s", ours.queue(), queue, "5,000,000"),
        ("queue 2:2, 64 bytes, items/s", ours.queue(2), None, ""),
        ("locked increments, 1 process, /s", ours.counter(1), locked[0], "30,000,000"),
        ("locked increments, 2 processes, /s", ours.counter(2), locked[1], ""),
        ("atomic increments, 2 processes, /s", ours.counter(2, "atomic"), None, ""),
        ("efficiency, 2 workers, 10 ms tasks", ours.efficiency(), theirs.efficiency(), "0.95"),
        ("Process, spawn, own program, /s", ipc["process_spawn_per_s"], spawn, "400"),
        ("Process, forkserver, /s", ipc["process_forkserver_per_s"], forkserver, "4,000"),
        ("Queue 1:1, 64 bytes, items/s", ipc["queue_1_1_per_s"], queue, "10,000,000"),
        ("Queue 2:2, 64 bytes, items/s", ipc["queue_2_2_per_s"], queue, "5,000,000"),
        ("Queue 1:1, unbounded, items/s", ipc["queue_unbounded_per_s"], queue, ""),
        ("Pipe, 64 bytes, messages/s", ipc["pipe_64_per_s"], pipe, "20,000,000"),
        ("Pipe, 1 MiB, MiB/s", ipc["pipe_1_mib_mib_per_s"], big_pipe, "8,000"),
        ("Queue, there and back, hot, us", ipc["queue_trip_hot_us"], queue_trips[0], ""),
        ("Queue, there and back, parked, us", ipc["queue_trip_parked_us"], queue_trips[1], ""),
        ("Pipe, there and back, hot, us", ipc["pipe_trip_hot_us"], pipe_trips[0], ""),
        ("Pipe, there and back, parked, us", ipc["pipe_trip_parked_us"], pipe_trips[1], ""),
        ("Value, lock, 1 process, /s", ipc["value_lock_1_per_s"], locked[0], "100,000,000"),
        ("Value, lock, 2 processes, /s", ipc["value_lock_2_per_s"], locked[1], "30,000,000"),
        ("Value, atomic, 2 processes, /s", ipc["value_atomic_2_per_s"], locked[1], "200,000,000"),
    ]
    rows += [
        ("apply round trip, parked, us", limits["round_trip_parked_us"], theirs.parked(), "60"),
        ("worker's death to error, median, us", limits["death_to_error_p50_us"], None, ""),
        ("worker's death to error, p99, us", limits["death_to_error_p99_us"], None, "5,000"),
        ("programs run, one by one, /s", limits["program_runs_per_s"], theirs.programs(), ""),
        ("trace, an event recorded, ns", limits["trace_record_ns"], None, "20"),
        ("forks of the caller, /s", limits["process_fork_per_s"], theirs.forks(), ""),
    ]
    others = [
        ("Queue 1:1 to Boost message_queue", ipc["queue_1_1_per_s"], ipc["boost_queue_per_s"]),
        ("Value, lock, 1 process, to Boost mutex", ipc["value_lock_1_per_s"], ipc["boost_mutex_1_per_s"]),
        ("Value, lock, 2, to Boost mutex", ipc["value_lock_2_per_s"], ipc["boost_mutex_2_per_s"]),
        ("Queue, there and back, hot, us, Boost", ipc["queue_trip_hot_us"], ipc["boost_queue_trip_hot_us"]),
        ("Queue, the same, parked, us, Boost", ipc["queue_trip_parked_us"], ipc["boost_queue_trip_parked_us"]),
        ("Pipe, there and back, hot, us, kernel", ipc["pipe_trip_hot_us"], ipc["kernel_pipe_trip_hot_us"]),
        ("Pipe, the same, parked, us, kernel", ipc["pipe_trip_parked_us"], ipc["kernel_pipe_trip_parked_us"]),
        ("Pipe, 64 bytes, to the kernel's", ipc["pipe_64_per_s"], ipc["kernel_pipe_64_per_s"]),
        ("Pipe, 1 MiB, to the kernel's", ipc["pipe_1_mib_mib_per_s"], ipc["kernel_pipe_1_mib_mib_per_s"]),
    ]
    print(f"{os.cpu_count()} cores, Python {sys.version.split()[0]}, median of {REPEATS}")
    print(f"{'figure':38}{'ProcLab':>14}{'Python':>14}{'ratio':>9}{'aim':>12}")
    for name, mine, peer, aim in rows:
        number = "{:>14,.2f}" if mine < 1_000 else "{:>14,.0f}"
        ratio = "" if peer is None else f"{(peer / mine if name.endswith(' us') else mine / peer):.1f}"
        print(f"{name:38}" + number.format(mine) + ("" if peer is None else number.format(peer)).rjust(14)
              + f"{ratio:>9}{aim:>12}")
    print(f"\n{'beside other peers':38}{'ProcLab':>14}{'peer':>14}{'ratio':>9}")
    for name, mine, peer in others:
        ratio = peer / mine if " us, " in name else mine / peer
        print(f"{name:38}{mine:>14,.1f}{peer:>14,.1f}{ratio:>9.1f}")
    print("\nwhat must stay flat")
    for title, prefix, unit in (("a task of a map, of so many", "map_ns_of_", "ns"),
                                ("a single task, with so many workers", "single_ns_with_", "ns"),
                                ("a call with an argument of so many bytes", "argument_us_of_", "us")):
        found = [(name[len(prefix):], limits[name]) for name in limits if name.startswith(prefix)]
        print(f"{title}: " + ", ".join(f"{int(at):,}: {value:,.0f} {unit}" for at, value in found))


if __name__ == "__main__":
    main()
