// SPDX-License-Identifier: GPL-3.0-or-later
#include "tests/faults/fault_tasks.h"

#include "core/runtime/clock.h"

#include <cstring>
#include <stdexcept>

namespace proclab::test {

namespace {

void noteBegin(std::uint64_t call)
{
    static BeginNotes *const notes = SharedNote<BeginNotes>::find(beginNotesVariable);
    if (notes)
        notes->times[call % BeginNotes::capacity].fetch_add(1, std::memory_order_relaxed);
}

/// Several calls are several patterns, also when they begin alike.
std::byte byteOf(std::uint64_t call, std::size_t position)
{
    return static_cast<std::byte>((answerOf(call) >> (position % 8 * 8)) + position / 8);
}

} // namespace

std::uint64_t answerOf(std::uint64_t call)
{
    // The finishing steps of MurmurHash3: every number has an answer of its own.
    call = (call ^ call >> 33) * 0xff51afd7ed558ccd;
    call = (call ^ call >> 33) * 0xc4ceb9fe1a85ec53;
    return call ^ call >> 33;
}

std::vector<std::byte> patternOf(std::uint64_t call, std::size_t size)
{
    std::vector<std::byte> bytes(size);
    std::memcpy(bytes.data(), &call, sizeof call);
    for (std::size_t i = sizeof call; i < size; ++i)
        bytes[i] = byteOf(call, i);
    return bytes;
}

bool isPattern(const std::vector<std::byte> &bytes, std::uint64_t &call)
{
    if (bytes.size() < sizeof call)
        return false;
    std::memcpy(&call, bytes.data(), sizeof call);
    return bytes == patternOf(call, bytes.size());
}

std::tuple<std::uint64_t, std::uint64_t> answerSmall(const SmallJob &job)
{
    const auto [call, workUs] = job;
    noteBegin(call);
    const std::int64_t end = runtime::nowNs() + std::int64_t{workUs} * 1'000;
    while (workUs > 0 && runtime::nowNs() < end) {
    }
    return {call, answerOf(call)};
}

std::vector<std::byte> answerLarge(const LargeJob &job)
{
    const auto &[call, size, pattern] = job;
    noteBegin(call);
    std::uint64_t sent = 0;
    if (!isPattern(pattern, sent) || sent != call)
        throw std::runtime_error("the argument is not what was sent");
    return patternOf(call, static_cast<std::size_t>(size));
}

} // namespace proclab::test
