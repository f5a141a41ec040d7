// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/runtime/sync/futex.h"

#include <climits>
#include <ctime>

#include <linux/futex.h>
#include <sys/syscall.h>
#include <unistd.h>

namespace proclab::runtime {

void futexWait(const FutexWord &word, std::uint32_t expected, std::int64_t timeoutNs)
{
    timespec timeout = {};
    if (timeoutNs >= 0) {
        timeout.tv_sec = static_cast<std::time_t>(timeoutNs / 1'000'000'000);
        timeout.tv_nsec = static_cast<long>(timeoutNs % 1'000'000'000);
    }
    ::syscall(SYS_futex, &word, FUTEX_WAIT, expected, timeoutNs >= 0 ? &timeout : nullptr, nullptr,
              0);
}

int futexWake(const FutexWord &word, int count)
{
    return static_cast<int>(::syscall(SYS_futex, &word, FUTEX_WAKE, count, nullptr, nullptr, 0));
}

} // namespace proclab::runtime
