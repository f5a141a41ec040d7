// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/experiment/kinds/program/program_state.h"

#include <algorithm>
#include <array>
#include <cstring>

namespace proclab {

namespace {

constexpr std::size_t numbersPerInstance = 5;
constexpr std::size_t numbersPerDescendant = 5;

using NameNumbers = std::array<qint64, 2>;

NameNumbers packedName(const QByteArray &name)
{
    NameNumbers numbers = {};
    std::memcpy(numbers.data(), name.constData(),
                std::min(static_cast<std::size_t>(name.size()), sizeof numbers - 1));
    return numbers;
}

QByteArray unpackedName(const NameNumbers &numbers)
{
    std::array<char, sizeof numbers> bytes = {};
    std::memcpy(bytes.data(), numbers.data(), sizeof numbers - 1);
    return bytes.data();
}

} // namespace

/// The number of instances, each of them, then the descendants, which come and go.
std::vector<qint64> ProgramState::packed(qint64) const
{
    std::vector<qint64> numbers{static_cast<qint64>(instances.size())};
    for (const Instance &one : instances)
        numbers.insert(numbers.end(), {one.outputBytes, one.errorBytes, one.droppedBytes,
                                       one.takesInput, one.timedOut});
    for (const Descendant &one : descendants) {
        const NameNumbers name = packedName(one.name);
        numbers.insert(numbers.end(), {one.pid, one.parentPid, one.instance, name[0], name[1]});
    }
    return numbers;
}

std::shared_ptr<const KindState> ProgramState::unpacked(std::span<const qint64> numbers,
                                                        qint64) const
{
    auto state = std::make_shared<ProgramState>();
    if (numbers.empty())
        return state;
    const auto count = static_cast<std::size_t>(std::max<qint64>(0, numbers[0]));
    std::span<const qint64> rest = numbers.subspan(1);
    for (; state->instances.size() < count && rest.size() >= numbersPerInstance;
         rest = rest.subspan(numbersPerInstance))
        state->instances.push_back({rest[0], rest[1], rest[2], rest[3], rest[4]});
    for (; rest.size() >= numbersPerDescendant; rest = rest.subspan(numbersPerDescendant))
        state->descendants.push_back({rest[0], rest[1], rest[2], unpackedName({rest[3], rest[4]})});
    return state;
}

} // namespace proclab
