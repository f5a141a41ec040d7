// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <QList>
#include <QString>

namespace proclab {

/// A chart that a kind asks for, beside CPU per process: series of numbers over time.
struct GaugeChart
{
    struct Series
    {
        QString name;    ///< Direct label; may be empty for a single series.
        int gauge = 0;   ///< Position in Kind::gauges.
        int events = -1; ///< Of a rate that does not count events itself, such as bytes per second:
                         ///< the gauge that does; -1: it does.
    };
    QString title; ///< "Throughput"
    QString unit;  ///< "tasks/s"
    QList<Series> series;
    bool steps = false; ///< Counts: drawn as steps.
    QString limitField =
        {}; ///< A field of the spec that is drawn as a threshold line, such as a queue's capacity.
    QString flagField = {}; ///< A field of the spec: where it is off, there is nothing to draw.
    double maximum = 0;     ///< No value can be above it, such as 100 for a share; 0: none.
    bool rate = false;      ///< The values are rates: GaugeSample::totals says of what.
    QString help = {};      ///< What the figure means, in a sentence or two.

    /// The values are shares of time.
    [[nodiscard]] bool isShare() const { return rate && maximum > 0; }
};

} // namespace proclab
