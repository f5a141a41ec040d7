// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/runtime/clock.h"

#include <charconv>
#include <ctime>

#include <fcntl.h>
#include <unistd.h>

namespace proclab::runtime {

namespace {

std::int64_t readClock(clockid_t id)
{
    timespec time = {};
    ::clock_gettime(id, &time);
    return static_cast<std::int64_t>(time.tv_sec) * 1'000'000'000 + time.tv_nsec;
}

} // namespace

std::int64_t nowNs()
{
    return readClock(CLOCK_MONOTONIC);
}

std::int64_t threadCpuNs()
{
    return readClock(CLOCK_THREAD_CPUTIME_ID);
}

std::int64_t processCpuNs()
{
    return readClock(CLOCK_PROCESS_CPUTIME_ID);
}

ThreadUsage threadUsage()
{
    // "time on a core, time on the run queue, slices"; opened once, read anew each time.
    thread_local const int file = ::open("/proc/thread-self/schedstat", O_RDONLY | O_CLOEXEC);
    ThreadUsage usage;
    usage.cpuNs = threadCpuNs();
    char text[96];
    const ssize_t size = file >= 0 ? ::pread(file, text, sizeof text, 0) : -1;
    for (ssize_t i = 0; i + 1 < size; ++i) {
        if (text[i] == ' ') {
            std::from_chars(text + i + 1, text + size, usage.readyNs);
            break;
        }
    }
    return usage;
}

} // namespace proclab::runtime
