// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/runtime/sync/clock.h"

#include <ctime>

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

} // namespace proclab::runtime
