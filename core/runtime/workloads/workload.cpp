// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/runtime/workloads/workload.h"

#include <algorithm>
#include <vector>

namespace proclab::runtime {

TaskValue TaskValue::ofInteger(std::int64_t value)
{
    TaskValue result;
    result.type = Type::Integer;
    result.integer = value;
    return result;
}

TaskValue TaskValue::ofUnsigned(std::uint64_t value)
{
    TaskValue result;
    result.type = Type::Unsigned;
    result.unsignedInteger = value;
    return result;
}

TaskValue TaskValue::ofNumber(double value)
{
    TaskValue result;
    result.type = Type::Number;
    result.number = value;
    return result;
}

double TaskContext::uniform() const
{
    std::uint64_t z = seed + (index + 1) * 0x9E3779B97F4A7C15;
    z = (z ^ z >> 30) * 0xBF58476D1CE4E5B9;
    z = (z ^ z >> 27) * 0x94D049BB133111EB;
    z ^= z >> 31;
    return static_cast<double>(z >> 11) * 0x1p-53;
}

std::span<const WorkloadInfo> workloads()
{
    static const std::vector<WorkloadInfo> all = [] {
        std::vector<WorkloadInfo> list;
        for (const auto family :
             {cpuWorkloads(), memoryWorkloads(), ioWorkloads(), mixedWorkloads(), failWorkloads()})
            list.insert(list.end(), family.begin(), family.end());
        std::sort(list.begin(), list.end(),
                  [](const WorkloadInfo &a, const WorkloadInfo &b) { return a.name < b.name; });
        return list;
    }();
    return all;
}

const WorkloadInfo *findWorkload(std::string_view name)
{
    for (const WorkloadInfo &workload : workloads()) {
        if (workload.name == name)
            return &workload;
    }
    return nullptr;
}

} // namespace proclab::runtime
