// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/experiment/kinds/process/process_state.h"

#include <algorithm>

namespace proclab {

namespace {

constexpr std::size_t numbersPerLife = 4;
constexpr std::size_t numbersPerJoin = 5;

} // namespace

/// The costs, the number of lives, then each life and each join: what has happened stays where it
/// is, so that there is little to tell of the next picture.
std::vector<qint64> LivesState::packed(qint64) const
{
    std::vector<qint64> numbers(startCostNs.begin(), startCostNs.end());
    numbers.push_back(static_cast<qint64>(lives.size()));
    for (const Life &life : lives)
        numbers.insert(numbers.end(),
                       {life.createdNs, life.startNs, life.joinedNs, life.parentPid});
    for (const Join &join : joins)
        numbers.insert(numbers.end(),
                       {join.child, join.beganNs, join.endedNs, join.end, join.isAtExit});
    return numbers;
}

std::shared_ptr<const KindState> LivesState::unpacked(std::span<const qint64> numbers, qint64) const
{
    auto state = std::make_shared<LivesState>();
    if (numbers.size() <= methods)
        return state;
    std::copy_n(numbers.begin(), methods, state->startCostNs.begin());
    const auto count = static_cast<std::size_t>(std::max<qint64>(0, numbers[methods]));
    std::span<const qint64> rest = numbers.subspan(methods + 1);
    for (; state->lives.size() < count && rest.size() >= numbersPerLife;
         rest = rest.subspan(numbersPerLife))
        state->lives.push_back({rest[0], rest[1], rest[2], rest[3]});
    for (; rest.size() >= numbersPerJoin; rest = rest.subspan(numbersPerJoin))
        state->joins.push_back({rest[0], rest[1], rest[2], rest[3], rest[4]});
    return state;
}

} // namespace proclab
