// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "core/experiment/run/run_log.h"
#include "core/experiment/run/stage_snapshot.h"
#include "ui/shared/draw_text.h"
#include "ui/shared/theme.h"

#include <QPainter>
#include <QPolygonF>

#include <vector>

namespace proclab {

/// What the stages and the timeline paint alike. All take logical pixels and the current theme.

/// The name of a process on its colour; @p outlined for one that is dead.
void drawBadge(QPainter &painter, const QRectF &rect, const QString &text, int colorIndex,
               bool outlined, TextSize size = TextSize::Caption);

/// The icon of @p state, 12 px in the middle of @p rect.
void drawStateIcon(QPainter &painter, const QRectF &rect, ProcessState state, const QColor &color);
/// The colour of the state's icon and, for a state that is a warning, of its word.
[[nodiscard]] QColor stateColor(ProcessState state, int colorIndex);
[[nodiscard]] bool isWarning(ProcessState state);

/// A disc with a cross.
void drawCrashDisc(QPainter &painter, QPointF center, double radius);
/// A closed padlock, @p size wide.
void drawPadlock(QPainter &painter, QPointF center, double size, const QColor &color);

/// A raised card with a 4 px edge in @p edge; an invalid colour: without.
void drawCard(QPainter &painter, const QRectF &rect, const QColor &edge, bool focused = false);
/// A sunken box, such as a queue.
void drawBox(QPainter &painter, const QRectF &rect);

/// "Running        4": a label and its value at both ends of @p rect.
void drawFact(QPainter &painter, const QRectF &rect, const QString &label, const QString &value,
              const QColor &valueColor);
[[nodiscard]] bool hasRoomForFact(const QRectF &rect, const QString &label, const QString &value);
/// A count at the right of @p rect, a box's head; @p brief where @p text has no room, if that has.
void drawCount(QPainter &painter, const QRectF &rect, const QString &text, const QString &brief);

/// Lines through @p points with 6 px corners and an arrow head at the end.
enum class Link { Tasks, Results };
void drawLink(QPainter &painter, const QPolygonF &points, const QColor &color, Link link);
/// The point at @p share (0 … 1) of the way along @p points.
[[nodiscard]] QPointF pointAlong(const QPolygonF &points, double share);

/// Means of 0 to 100, of one interval after the other, as steps with a pale fill.
void drawSparkline(QPainter &painter, const QRectF &rect, const std::vector<float> &values,
                   const QColor &color);

/// A thin bar that is @p share (0 … 1) full.
void drawProgress(QPainter &painter, const QRectF &rect, double share, const QColor &color);

/// A numbered token.
void drawToken(QPainter &painter, QPointF center, const QString &text, const QColor &fill,
               const QColor &textColor);

} // namespace proclab
