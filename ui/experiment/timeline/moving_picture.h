// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "ui/experiment/timeline/timeline_layout.h"

#include <QPixmap>
#include <QSize>

#include <optional>

namespace proclab {

/// A picture over a time axis that is kept from one instant to the next: it moves where the axis
/// has moved on, so that only what is new is painted.
class MovingPicture
{
public:
    /// Makes it one of @p range, of @p size logical pixels. The logical column from which on
    /// nothing is painted yet: the width if the axis stayed where it was, 0 if nothing could be
    /// kept.
    int moveTo(const TimeRange &range, QSize size, double devicePixelRatio);
    /// Nothing of it is to be kept.
    void clear() { m_range.reset(); }

    /// For a painter, whose logical pixels it has.
    [[nodiscard]] QPixmap &pixmap() { return m_pixmap; }

private:
    QPixmap m_pixmap;
    std::optional<TimeRange> m_range;
};

} // namespace proclab
