// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <QList>
#include <QPainter>
#include <QRectF>
#include <QString>

namespace proclab {

struct Kind;

/// What the look of a bar in the timeline means.
enum class BarStyle {
    OnCore,
    ReadyToRun,
    Sleeping,
    Waiting,
    BlockedOnFull,
    WaitingForLock,
    Crashed,
    Dropped
};

struct LegendEntry
{
    BarStyle style = BarStyle::OnCore;
    QString text;
    QString tip;
    double left = 0; ///< Of its sample; the text follows.
    double right = 0;
};

/// The entries for what processes of @p kind can do, from left to right in @p width pixels. Where
/// they don't fit, texts get shorter, then entries are left out; that of crashes never is.
/// @p hasDropped: some of the run was not recorded. @p kind may be null.
[[nodiscard]] QList<LegendEntry> layoutLegend(const Kind *kind, bool hasDropped, double width);

void paintLegendEntry(QPainter &painter, const LegendEntry &entry, const QRectF &row);

} // namespace proclab
