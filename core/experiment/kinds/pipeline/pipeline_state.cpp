// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/experiment/kinds/pipeline/pipeline_state.h"

#include <algorithm>

namespace proclab {

namespace {

constexpr qint64 microsecondNs = 1'000;
constexpr std::size_t numbersPerItem = 4;

} // namespace

/// The capacity; then of all items the index, of all the producer, and so on.
std::vector<qint64> PipelineState::packed(qint64 timeNs) const
{
    std::vector<qint64> numbers{static_cast<qint64>(capacity)};
    numbers.reserve(1 + numbersPerItem * static_cast<std::size_t>(items.size()));
    for (const QueuedItem &item : items)
        numbers.push_back(item.index);
    for (const QueuedItem &item : items)
        numbers.push_back(item.producer);
    for (const QueuedItem &item : items)
        numbers.push_back(item.isEnd ? 1 : 0);
    // When an item was put stays the same as long as it waits; its age does not.
    for (const QueuedItem &item : items)
        numbers.push_back((timeNs - item.ageNs) / microsecondNs);
    return numbers;
}

std::shared_ptr<const KindState> PipelineState::unpacked(std::span<const qint64> numbers,
                                                         qint64 timeNs) const
{
    auto state = std::make_shared<PipelineState>();
    if (numbers.empty())
        return state;
    state->capacity = static_cast<quint64>(numbers[0]);
    const std::size_t count = (numbers.size() - 1) / numbersPerItem;
    for (std::size_t i = 1; i <= count; ++i) {
        QueuedItem item;
        item.index = static_cast<quint32>(numbers[i]);
        item.producer = static_cast<int>(numbers[i + count]);
        item.isEnd = numbers[i + 2 * count] != 0;
        item.ageNs = std::max<qint64>(0, timeNs - numbers[i + 3 * count] * microsecondNs);
        state->items.append(item);
    }
    return state;
}

} // namespace proclab
