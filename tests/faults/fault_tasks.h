// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "tests/faults/shared_note.h"

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <tuple>
#include <vector>

/// What the kill harness lets workers do: calls whose right answer follows from their number, and
/// that note in shared memory how often they were begun.
namespace proclab::test {

/// How often each call of a batch was begun.
struct BeginNotes
{
    static constexpr std::size_t capacity = 1 << 16;
    std::array<std::atomic<std::uint32_t>, capacity> times;
};
constexpr const char *beginNotesVariable = "PROCLAB_FAULTS_BEGUN";

using SmallJob = std::tuple<std::uint64_t /* call */, int /* microseconds of work */>;
using LargeJob = std::tuple<std::uint64_t /* call */, int /* bytes of the answer */,
                            std::vector<std::byte> /* patternOf(call) */>;

[[nodiscard]] std::uint64_t answerOf(std::uint64_t call);
/// @p size bytes, at least 8, that begin with the call's number and all follow from it.
[[nodiscard]] std::vector<std::byte> patternOf(std::uint64_t call, std::size_t size);
/// Whether @p bytes are the pattern of the call with which they begin, which goes to @p call.
[[nodiscard]] bool isPattern(const std::vector<std::byte> &bytes, std::uint64_t &call);

/// Tasks. The call's number and its answer; the second throws if its argument is damaged.
[[nodiscard]] std::tuple<std::uint64_t, std::uint64_t> answerSmall(const SmallJob &job);
[[nodiscard]] std::vector<std::byte> answerLarge(const LargeJob &job);

} // namespace proclab::test
