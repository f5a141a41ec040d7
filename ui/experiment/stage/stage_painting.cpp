// SPDX-License-Identifier: GPL-3.0-or-later
#include "ui/experiment/stage/stage_painting.h"

#include <QPainterPath>

#include <algorithm>
#include <cmath>

namespace proclab {

namespace {

QPen roundPen(const QColor &color, double width)
{
    return {color, width, Qt::SolidLine, Qt::RoundCap, Qt::RoundJoin};
}

void drawMoon(QPainter &painter, QPointF center, const QColor &color)
{
    QPainterPath disc;
    disc.addEllipse(center, 5, 5);
    QPainterPath shadow;
    shadow.addEllipse(center + QPointF(3, -2), 4.4, 4.4);
    painter.setPen(Qt::NoPen);
    painter.setBrush(color);
    painter.drawPath(disc.subtracted(shadow));
}

void drawTriangle(QPainter &painter, QPointF center, const QColor &color, bool filled)
{
    painter.setPen(roundPen(color, filled ? 1 : 1.5));
    painter.setBrush(filled ? QBrush(color) : QBrush(Qt::NoBrush));
    painter.drawPolygon(QPolygonF(
        {center + QPointF(-3, -4.5), center + QPointF(4.5, 0), center + QPointF(-3, 4.5)}));
}

void drawPause(QPainter &painter, QPointF center, const QColor &color)
{
    for (const double x : {-4.0, 1.0})
        painter.fillRect(QRectF(center.x() + x, center.y() - 4.5, 3, 9), color);
}

void drawBars(QPainter &painter, QPointF center, const QColor &color)
{
    for (const double x : {-5.0, -1.25, 2.5})
        painter.fillRect(QRectF(center.x() + x, center.y() - 4.5, 2.5, 9), color);
}

void drawCross(QPainter &painter, QPointF center, double size, const QColor &color)
{
    painter.setPen(roundPen(color, 1.5));
    painter.drawLine(center + QPointF(-size, -size), center + QPointF(size, size));
    painter.drawLine(center + QPointF(-size, size), center + QPointF(size, -size));
}

void drawCheck(QPainter &painter, QPointF center, const QColor &color)
{
    painter.setPen(roundPen(color, 1.5));
    painter.setBrush(Qt::NoBrush);
    painter.drawPolyline(
        QPolygonF({center + QPointF(-4, 0), center + QPointF(-1, 3), center + QPointF(4, -3)}));
}

void drawCircle(QPainter &painter, QPointF center, const QColor &color, Qt::PenStyle style)
{
    painter.setPen(QPen(color, 1.5, style));
    painter.setBrush(Qt::NoBrush);
    painter.drawEllipse(center, 4.25, 4.25);
}

} // namespace

void drawBadge(QPainter &painter, const QRectF &rect, const QString &text, int colorIndex,
               bool outlined, TextSize size)
{
    const Theme &theme = Theme::current();
    const QColor color = theme.process(colorIndex);
    painter.setRenderHint(QPainter::Antialiasing);
    painter.setPen(outlined ? QPen(color, 1.5) : QPen(Qt::NoPen));
    painter.setBrush(outlined ? QBrush(Qt::NoBrush) : QBrush(color));
    const double inset = outlined ? 0.75 : 0;
    painter.drawRoundedRect(rect.adjusted(inset, inset, -inset, -inset), 3, 3);
    drawText(painter, rect.adjusted(1, 0, -1, 0), Qt::AlignCenter, text,
             textFont(size, QFont::Bold), outlined ? color : theme.onProcess(colorIndex));
}

bool isWarning(ProcessState state)
{
    return state == ProcessState::WaitingForLock || state == ProcessState::BlockedOnFull ||
           state == ProcessState::Stopped || state == ProcessState::Crashed;
}

QColor stateColor(ProcessState state, int colorIndex)
{
    const Theme &theme = Theme::current();
    switch (state) {
    case ProcessState::WaitingForLock:
    case ProcessState::Stopped:
        return theme.warn;
    case ProcessState::BlockedOnFull:
        return theme.full;
    case ProcessState::Crashed:
        return theme.crash;
    case ProcessState::Running:
    case ProcessState::ReadyToRun:
    case ProcessState::Sleeping:
        return theme.process(colorIndex);
    default:
        return theme.text3;
    }
}

void drawStateIcon(QPainter &painter, const QRectF &rect, ProcessState state, const QColor &color)
{
    painter.setRenderHint(QPainter::Antialiasing);
    const QPointF center = rect.center();
    switch (state) {
    case ProcessState::Running:
        drawTriangle(painter, center, color, true);
        break;
    case ProcessState::ReadyToRun:
        drawTriangle(painter, center, color, false);
        break;
    case ProcessState::Sleeping:
        drawMoon(painter, center, color);
        break;
    case ProcessState::Stopped:
        drawPause(painter, center, color);
        break;
    case ProcessState::WaitingForLock:
        drawPadlock(painter, center, 9, color);
        break;
    case ProcessState::BlockedOnFull:
        drawBars(painter, center, color);
        break;
    case ProcessState::Crashed:
        drawCrashDisc(painter, center, 6);
        break;
    case ProcessState::Ended:
        drawCheck(painter, center, color);
        break;
    case ProcessState::Starting:
    case ProcessState::AtGate:
        drawCircle(painter, center, color, Qt::DotLine);
        break;
    case ProcessState::Waiting:
    case ProcessState::WaitingOnEmpty:
        drawCircle(painter, center, color, Qt::SolidLine);
        break;
    }
}

void drawCrashDisc(QPainter &painter, QPointF center, double radius)
{
    const Theme &theme = Theme::current();
    painter.setRenderHint(QPainter::Antialiasing);
    painter.setPen(Qt::NoPen);
    painter.setBrush(theme.crash);
    painter.drawEllipse(center, radius, radius);
    drawCross(painter, center, radius * 0.4, theme.panel);
}

void drawPadlock(QPainter &painter, QPointF center, double size, const QColor &color)
{
    painter.setRenderHint(QPainter::Antialiasing);
    const double half = size / 2;
    QPainterPath shackle;
    const QRectF bow(center.x() - half * 0.6, center.y() - half * 1.1, size * 0.6, size * 0.7);
    shackle.moveTo(bow.left(), center.y());
    shackle.lineTo(bow.left(), bow.center().y());
    shackle.arcTo(bow, 180, -180);
    shackle.lineTo(bow.right(), center.y());
    painter.setBrush(Qt::NoBrush);
    painter.setPen(QPen(color, std::max(1.2, size * 0.14)));
    painter.drawPath(shackle);
    painter.setPen(Qt::NoPen);
    painter.setBrush(color);
    painter.drawRoundedRect(QRectF(center.x() - half, center.y() - size * 0.1, size, size * 0.65),
                            size * 0.12, size * 0.12);
}

void drawCard(QPainter &painter, const QRectF &rect, const QColor &edge, bool focused)
{
    const Theme &theme = Theme::current();
    painter.setRenderHint(QPainter::Antialiasing);
    QPainterPath outline;
    outline.addRoundedRect(rect.adjusted(0.5, 0.5, -0.5, -0.5), 6, 6);
    painter.fillPath(outline, theme.raised);
    if (edge.isValid()) {
        painter.save();
        painter.setClipPath(outline, Qt::IntersectClip);
        painter.fillRect(QRectF(rect.left(), rect.top(), 4.5, rect.height()), edge);
        painter.restore();
    }
    painter.setBrush(Qt::NoBrush);
    painter.setPen(focused ? QPen(theme.accent, 2) : QPen(theme.border, 1));
    painter.drawPath(outline);
}

void drawBox(QPainter &painter, const QRectF &rect)
{
    const Theme &theme = Theme::current();
    painter.setRenderHint(QPainter::Antialiasing);
    painter.setPen(QPen(theme.border, 1));
    painter.setBrush(theme.sunken);
    painter.drawRoundedRect(rect.adjusted(0.5, 0.5, -0.5, -0.5), 6, 6);
}

void drawLink(QPainter &painter, const QPolygonF &points, const QColor &color, Link link)
{
    if (points.size() < 2)
        return;
    constexpr double radius = 6;
    QPainterPath path(points.first());
    for (qsizetype i = 1; i + 1 < points.size(); ++i) {
        const QLineF in(points[i], points[i - 1]);
        const QLineF out(points[i], points[i + 1]);
        const double corner = std::min({radius, in.length() / 2, out.length() / 2});
        if (corner < 0.1)
            continue;
        path.lineTo(in.pointAt(corner / in.length()));
        path.quadTo(points[i], out.pointAt(corner / out.length()));
    }
    path.lineTo(points.last());
    painter.setRenderHint(QPainter::Antialiasing);
    painter.setBrush(Qt::NoBrush);
    QPen pen(color, 1.5);
    if (link == Link::Results)
        pen.setDashPattern({1.2, 2});
    painter.setPen(pen);
    painter.drawPath(path);

    const QLineF last(points.last(), points[points.size() - 2]);
    if (last.length() < 1)
        return;
    const QPointF back = (last.p2() - last.p1()) / last.length() * 5;
    const QPointF side(-back.y() * 0.7, back.x() * 0.7);
    painter.setPen(roundPen(color, 1.5));
    painter.drawPolyline(
        QPolygonF({points.last() + back + side, points.last(), points.last() + back - side}));
}

QPointF pointAlong(const QPolygonF &points, double share)
{
    double length = 0;
    for (qsizetype i = 1; i < points.size(); ++i)
        length += QLineF(points[i - 1], points[i]).length();
    double left = std::clamp(share, 0.0, 1.0) * length;
    for (qsizetype i = 1; i < points.size(); ++i) {
        const QLineF line(points[i - 1], points[i]);
        if (left <= line.length() && line.length() > 0)
            return line.pointAt(left / line.length());
        left -= line.length();
    }
    return points.isEmpty() ? QPointF() : points.last();
}

void drawSparkline(QPainter &painter, const QRectF &rect, const std::vector<float> &values,
                   const QColor &color)
{
    painter.setPen(QPen(Theme::current().border, 1));
    painter.drawLine(rect.bottomLeft(), rect.bottomRight());
    if (values.size() < 2)
        return;
    // Each value is the mean of an interval.
    const double step = rect.width() / static_cast<double>(values.size());
    QList<QRectF> means;
    QPolygonF line;
    for (std::size_t i = 0; i < values.size(); ++i) {
        const double share = std::clamp(static_cast<double>(values[i]) / 100, 0.0, 1.0);
        const double height = share * (rect.height() - 2);
        const QRectF mean(rect.left() + static_cast<double>(i) * step, rect.bottom() - height, step,
                          height);
        means.append(mean);
        line << mean.topLeft() << mean.topRight();
    }
    QColor fill = color;
    fill.setAlphaF(0.25F);
    painter.setRenderHint(QPainter::Antialiasing, false);
    painter.setPen(Qt::NoPen);
    painter.setBrush(fill);
    painter.drawRects(means);
    painter.setBrush(Qt::NoBrush);
    painter.setPen(QPen(color, 1));
    painter.drawPolyline(line);
}

void drawProgress(QPainter &painter, const QRectF &rect, double share, const QColor &color)
{
    const double radius = rect.height() / 2;
    QRectF done = rect;
    done.setWidth(rect.width() * share);
    painter.setRenderHint(QPainter::Antialiasing);
    painter.setPen(Qt::NoPen);
    painter.setBrush(Theme::current().hover);
    painter.drawRoundedRect(rect, radius, radius);
    painter.setBrush(color);
    painter.drawRoundedRect(done, radius, radius);
}

void drawToken(QPainter &painter, QPointF center, const QString &text, const QColor &fill,
               const QColor &textColor)
{
    const QFont font = textFont(TextSize::Caption, QFont::Bold);
    const double width = std::max(22.0, textWidth(text, font) + 12);
    const QRectF rect(center.x() - width / 2, center.y() - 9, width, 18);
    painter.setRenderHint(QPainter::Antialiasing);
    painter.setPen(Qt::NoPen);
    painter.setBrush(fill);
    painter.drawRoundedRect(rect, 4, 4);
    drawText(painter, rect, Qt::AlignCenter, text, font, textColor);
}

bool hasRoomForFact(const QRectF &rect, const QString &label, const QString &value)
{
    const QFont font = textFont(TextSize::Caption);
    return textWidth(label, font) + 6 + textWidth(value, font) <= rect.width();
}

void drawFact(QPainter &painter, const QRectF &rect, const QString &label, const QString &value,
              const QColor &valueColor)
{
    const double used = drawText(painter, rect, Qt::AlignVCenter | Qt::AlignRight, value,
                                 textFont(TextSize::Caption), valueColor);
    drawText(painter, rect.adjusted(0, 0, -used - 6, 0), Qt::AlignVCenter, label,
             textFont(TextSize::Caption), Theme::current().text3);
}

void drawCount(QPainter &painter, const QRectF &rect, const QString &text, const QString &brief)
{
    const QFont font = textFont(TextSize::Caption);
    for (const QString &candidate : {text, brief}) {
        if (textWidth(candidate, font) > rect.width())
            continue;
        drawText(painter, rect, Qt::AlignVCenter | Qt::AlignRight, candidate, font,
                 Theme::current().text2);
        return;
    }
}

} // namespace proclab
