// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <QList>
#include <QPolygonF>
#include <QRectF>

#include <optional>

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

/// A label that belongs to a level line, in pixels.
struct LevelLabel
{
    double y = 0; ///< Of its line.
    QSizeF size;
    bool atRight = false; ///< Else at the left, where there is room.
};

/// Where @p label stands in @p area: above its line, or below it where that crosses less of
/// @p lines and @p taken; away from its end where both cross.
[[nodiscard]] QRectF placeLineLabel(const QRectF &area, const LevelLabel &label,
                                    const QList<QPolygonF> &lines, const QList<QRectF> &taken);

/// What lies between a line and the axis.
enum class Below { Free, Filled };

/// The place for a note of @p size in @p area, close to the middle of its top, that touches none of
/// @p lines and @p taken; nullopt: there is none.
[[nodiscard]] std::optional<QRectF> placeNote(const QRectF &area, const QSizeF &size,
                                              const QList<QPolygonF> &lines,
                                              const QList<QRectF> &taken, Below below);

} // namespace proclab
