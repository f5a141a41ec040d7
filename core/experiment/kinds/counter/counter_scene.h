// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "core/experiment/run/scene.h"
#include "core/experiment/run/starting_line.h"
#include "core/memory/array.h"
#include "core/memory/value.h"

#include <tuple>

namespace proclab::counter {

enum class Mode : quint32 { None, Lock, Atomic, Local };

/// What all processes do alike.
struct Counting
{
    Mode mode = Mode::Lock;
    quint32 processes = 1;
    quint64 increments = 0; ///< Of each.
    qint64 gapNs = 0;       ///< Between reading and writing.
};

/// Adds 1 to a shared number so many times. @p Counter: Value<qint64>, or Array<qint64> whose
/// elements are taken in turn.
template<typename Counter>
struct Incrementer
{
    Cue cue;
    Counter counter;
    StartingLine line;
    Counting counting;

    void run() const;
    [[nodiscard]] auto parts() const { return std::tie(cue, counter, line, counting); }

private:
    [[nodiscard]] qint64 &number(quint64 i) const;
    void gap() const;
    void readAddWrite(quint64 i) const;
    void increment(quint64 i) const;
    void countAlone(quint64 begin, quint64 end, std::vector<qint64> &sums) const;
    void merge(const std::vector<qint64> &sums) const;
    [[nodiscard]] std::size_t size() const;
};

extern template struct Incrementer<Value<qint64>>;
extern template struct Incrementer<Array<qint64>>;

} // namespace proclab::counter
