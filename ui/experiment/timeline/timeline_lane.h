// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "core/experiment/run/run_log.h"
#include "core/experiment/spec/item_names.h"
#include "ui/experiment/timeline/timeline_layout.h"

#include <QPainter>
#include <QRect>

#include <optional>

namespace proclab {

/// What one lane of the timeline shows.
struct TimelineLane
{
    const ProcessRecord &process;
    const AppendLog<Span> &spans;
    const SpanIndex &index;
    const ItemNames &names;
    std::optional<Span> open; ///< What it is doing now; drawn open at the right.
    qint64 nowNs = 0;
    bool dense = false; ///< A 17 px row.
};

/// Paints the bars of @p lane into the columns @p part of @p area, which shows @p range.
void paintTimelineLane(QPainter &painter, const QRect &area, const TimeRange &range,
                       const PixelSpan &part, const TimelineLane &lane);

/// What a tooltip says about @p span of a process with @p role.
[[nodiscard]] QString spanText(const Span &span, const ProcessRole *role, const ItemNames &names);

} // namespace proclab
