// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "core/experiment/run/run_log.h"

#include <deque>

namespace proclab {

/// The rate, per second, of a number that grows from 0 at the gate: its mean over a window that
/// ends now.
///
/// The window follows the pace. It begins where one of the readings was taken at which something
/// had happened, the latest since which at least `windowEvents` more have happened and at least
/// `shortestWindowNs` have passed; of what happens less often than eight times in `longestWindowNs`
/// the latest of at least that age. There is always an event in it, so while nothing happens the
/// rate falls with the time since, and never drops to 0. Until then it begins at the gate.
///
/// Shares of time have no events: their window is the shortest.
class RateMeter
{
public:
    static constexpr qint64 shortestWindowNs = 500'000'000;
    static constexpr qint64 longestWindowNs = 10'000'000'000;
    static constexpr int windowEvents = 8;

    /// Takes in that the number is @p value at @p timeNs, and that by then @p events have happened;
    /// per second. Time goes forward: a reading of the same instant changes nothing.
    double add(qint64 timeNs, double value, double events);
    /// The same for a number of which each unit is an event.
    double add(qint64 timeNs, double value) { return add(timeNs, value, value); }
    /// The same for a share of time: percent times seconds in @p value, percent in return.
    double addShare(qint64 timeNs, double value);

    /// The same as number @p gauge of @p sample.
    void add(GaugeSample &sample, int gauge, double value, double events);
    void add(GaugeSample &sample, int gauge, double value) { add(sample, gauge, value, value); }
    /// What is measured is @p most percent at most.
    void addShare(GaugeSample &sample, int gauge, double value, double most = 100);

private:
    struct Point
    {
        qint64 timeNs = 0;
        double value = 0;
        double events = 0;
    };

    double rateSinceFront(qint64 timeNs, double value);

    std::deque<Point> m_points{Point()}; ///< Where the window begins or may begin later.
    qint64 m_lastNs = 0;
    double m_rate = 0;
};

/// What the window of a rate is, for people: "Mean of the last 0.5 s or the last 8 tasks, …". @p
/// items is what it counts, in the plural; empty: it is a share of time.
[[nodiscard]] QString rateWindowText(const QString &items);

} // namespace proclab
