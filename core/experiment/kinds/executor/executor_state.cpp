// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/experiment/kinds/executor/executor_state.h"

#include <algorithm>

namespace proclab {

namespace {

constexpr std::size_t headNumbers = 3;
constexpr std::size_t numbersPerRetry = 2;

} // namespace

/// Two facts, the number of retries, then each retry and each pending future.
std::vector<qint64> ExecutorState::packed(qint64) const
{
    std::vector<qint64> numbers{brokenBy, isTimedOut, static_cast<qint64>(retries.size())};
    for (const Retry &retry : retries)
        numbers.insert(numbers.end(), {retry.future, retry.process});
    numbers.insert(numbers.end(), next.begin(), next.end());
    return numbers;
}

std::shared_ptr<const KindState> ExecutorState::unpacked(std::span<const qint64> numbers,
                                                         qint64) const
{
    auto state = std::make_shared<ExecutorState>();
    if (numbers.size() < headNumbers)
        return state;
    state->brokenBy = numbers[0];
    state->isTimedOut = numbers[1];
    const auto count = static_cast<std::size_t>(std::max<qint64>(0, numbers[2]));
    std::span<const qint64> rest = numbers.subspan(headNumbers);
    for (; state->retries.size() < count && rest.size() >= numbersPerRetry;
         rest = rest.subspan(numbersPerRetry))
        state->retries.push_back({rest[0], rest[1]});
    for (const qint64 future : rest)
        state->next.append(static_cast<quint32>(future));
    return state;
}

} // namespace proclab
