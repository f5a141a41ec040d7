// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/base/cores.h"

#include <algorithm>
#include <cerrno>
#include <cstddef>
#include <memory>

#include <sched.h>

namespace proclab {

int usableCores()
{
    for (std::size_t cpus = 1024; cpus <= (1 << 20); cpus *= 2) {
        const std::unique_ptr<cpu_set_t, void (*)(cpu_set_t *)> set(
            CPU_ALLOC(cpus), [](cpu_set_t *mask) { CPU_FREE(mask); });
        const std::size_t size = CPU_ALLOC_SIZE(cpus);
        if (::sched_getaffinity(0, size, set.get()) == 0)
            return std::max(CPU_COUNT_S(size, set.get()), 1);
        if (errno != EINVAL) // EINVAL: this machine's mask is longer.
            break;
    }
    return 1;
}

} // namespace proclab
