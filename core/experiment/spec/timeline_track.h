// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <QString>

namespace proclab {

/// A lane of the timeline that belongs to no process: what lies between the processes.
struct TimelineTrack
{
    enum class Type {
        Count,      ///< A gauge, as a filled curve.
        LockHolder, ///< Who worked while others waited for a lock; there once one has waited.
    };

    QString title; ///< "Queue depth"
    Type type = Type::Count;
    int gauge = 0;           ///< Count: position in Kind::gauges.
    QString unit = {};       ///< Count: "items".
    QString limitField = {}; ///< Count: the field of the spec that bounds it.
    int aboveRole =
        -1; ///< Stands above the first process of this one of Kind::roles; -1: below all.
};

} // namespace proclab
