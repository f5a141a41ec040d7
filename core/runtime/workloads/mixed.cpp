// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/runtime/workloads/workload.h"

#include "core/runtime/clock.h"
#include "core/runtime/workloads/pause.h"

#include <algorithm>
#include <cerrno>
#include <cmath>
#include <ctime>

namespace proclab::runtime {

namespace {

/// Sleeps until @p seconds after @p begin.
void sleepUntil(const timespec &begin, double seconds)
{
    timespec until = begin;
    const double whole = std::floor(seconds);
    until.tv_sec += static_cast<std::time_t>(whole);
    until.tv_nsec += static_cast<long>((seconds - whole) * 1e9);
    if (until.tv_nsec >= 1'000'000'000) {
        until.tv_nsec -= 1'000'000'000;
        ++until.tv_sec;
    }
    while (::clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &until, nullptr) == EINTR) {
    }
}

} // namespace

void pause(double seconds, ProgressRange progress)
{
    if (!(seconds > 0))
        return;
    constexpr double shortestStep = 0.05;
    const double step = progress.progress ? std::max(shortestStep, seconds / 100) : seconds;
    timespec begin = {};
    ::clock_gettime(CLOCK_MONOTONIC, &begin);
    progress.tell(0);
    for (double slept = 0; slept < seconds;) {
        slept = std::min(seconds, slept + step);
        sleepUntil(begin, slept);
        progress.tell(slept / seconds);
    }
}

void burn(double seconds, ProgressRange progress)
{
    if (!(seconds > 0))
        return;
    const std::int64_t begin = threadCpuNs();
    const auto length = static_cast<std::int64_t>(seconds * 1e9);
    LoopProgress told(progress, length);
    volatile double sink = 0;
    for (std::int64_t used = 0; used < length; used = threadCpuNs() - begin) {
        told.at(used);
        for (int i = 0; i < 1'000; ++i)
            sink = sink + std::sqrt(static_cast<double>(i));
    }
}

namespace {

constexpr ArgumentInfo mixedArguments[] = {
    {"cpu_s", ArgumentType::Number, "s", "CPU time to use first.", 0, 1e6, 0.01, {}},
    {"sleep_s", ArgumentType::Number, "s", "Time to sleep then.", 0, 1e6, 0.01, {}},
};

TaskValue mixed(const TaskContext &context)
{
    const double compute = context.args.number(0);
    const double sleep = context.args.number(1);
    const double all = compute + sleep;
    burn(compute, {context.progress, 0, compute / all});
    pause(sleep, {context.progress, compute / all, 1});
    return TaskValue::ofNumber(all);
}

constexpr ArgumentInfo squareArguments[] = {
    {"x",
     ArgumentType::Integer,
     "",
     "The whole number to square.",
     -3'000'000'000,
     3'000'000'000,
     2,
     {}},
};

TaskValue square(const TaskContext &context)
{
    const std::int64_t x = context.args.integer(0);
    return TaskValue::ofInteger(x * x);
}

TaskValue nothing(const TaskContext & /*context*/)
{
    return {};
}

constexpr WorkloadInfo mixedTable[] = {
    {"math.square", "Square a number", "Multiplies x with itself.", "x²", squareArguments, square},
    {"mixed", "Compute, then sleep", "Uses cpu_s of CPU time, then sleeps sleep_s.",
     "cpu_s + sleep_s, in seconds", mixedArguments, mixed},
    {"noop",
     "Do nothing",
     "Returns at once: what is left is the cost of handing a task over.",
     "nothing",
     {},
     nothing},
};

} // namespace

std::span<const WorkloadInfo> mixedWorkloads()
{
    return mixedTable;
}

} // namespace proclab::runtime
