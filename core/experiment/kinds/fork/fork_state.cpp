// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/experiment/kinds/fork/fork_state.h"

#include <algorithm>
#include <numeric>

namespace proclab {

namespace {

constexpr std::size_t headNumbers = 7;
constexpr std::size_t numbersPerChild = 9;

} // namespace

/// The head with the number of children, the children, the cells: each stays at its place.
std::vector<qint64> ForkState::packed(qint64) const
{
    std::vector<qint64> numbers{pages,
                                cells,
                                valueBefore,
                                valueAfter,
                                countsPages,
                                lockIsFree,
                                static_cast<qint64>(children.size())};
    numbers.reserve(headNumbers + children.size() * numbersPerChild + ownPages.size());
    for (const Child &child : children)
        numbers.insert(numbers.end(), {child.pid, child.returned, child.value, child.writtenPages,
                                       child.copiedBytes, child.sharedBytes, child.forkNs,
                                       child.endedByDeadline, child.waitsForLock});
    numbers.insert(numbers.end(), ownPages.begin(), ownPages.end());
    return numbers;
}

std::shared_ptr<const KindState> ForkState::unpacked(std::span<const qint64> numbers, qint64) const
{
    auto state = std::make_shared<ForkState>();
    if (numbers.size() < headNumbers)
        return state;
    state->pages = numbers[0];
    state->cells = numbers[1];
    state->valueBefore = numbers[2];
    state->valueAfter = numbers[3];
    state->countsPages = numbers[4];
    state->lockIsFree = numbers[5];
    const auto count = static_cast<std::size_t>(std::max<qint64>(0, numbers[6]));
    std::span<const qint64> rest = numbers.subspan(headNumbers);
    for (; state->children.size() < count && rest.size() >= numbersPerChild;
         rest = rest.subspan(numbersPerChild))
        state->children.push_back(
            {rest[0], rest[1], rest[2], rest[3], rest[4], rest[5], rest[6], rest[7], rest[8]});
    state->ownPages.assign(rest.begin(), rest.end());
    return state;
}

bool ForkState::isForked() const
{
    return std::ranges::any_of(
        children, [](const Child &child) { return child.pid != 0 || child.returned == 0; });
}

qint64 ForkState::parentsSharedPages() const
{
    if (!isForked() || countsPages == 0)
        return 0;
    const auto own = ownPages.begin();
    return pages -
           std::accumulate(own, own + std::min<qint64>(cells, std::ssize(ownPages)), qint64{0});
}

qint64 ForkState::copiedBytes() const
{
    qint64 sum = notKnown;
    for (const Child &child : children) {
        if (child.copiedBytes >= 0)
            sum = std::max<qint64>(sum, 0) + child.copiedBytes;
    }
    return sum;
}

qint64 ForkState::sharedBytes() const
{
    qint64 most = notKnown;
    for (const Child &child : children)
        most = std::max(most, child.sharedBytes);
    return most;
}

} // namespace proclab
