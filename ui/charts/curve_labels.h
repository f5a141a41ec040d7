// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <QList>
#include <QPolygonF>
#include <QRectF>

namespace proclab {

/// A label that belongs to the end of a line, in pixels.
struct CurveLabel
{
    QPointF end; ///< Of its line.
    QSizeF size;
};

/// Where @p labels stand in @p area so that they cross none of @p lines, no other label and none of
/// @p taken, as far as there is room: right of the line's end, or above or below its last stretch.
/// Points of a line go from left to right.
[[nodiscard]] QList<QRectF> placeCurveLabels(const QRectF &area, const QList<CurveLabel> &labels,
                                             const QList<QPolygonF> &lines,
                                             const QList<QRectF> &taken = {});

} // namespace proclab
