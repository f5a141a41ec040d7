// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/process/start_method.h"
#include "ui/experiment/stage/stage_painting.h"
#include "ui/process/lifeline_stage.h"
#include "ui/shared/theme.h"

#include <QPainter>

#include <algorithm>
#include <cmath>

using namespace Qt::StringLiterals;

namespace proclab {

namespace {

constexpr double endRoom = 78; ///< Beside the latest instant, for how a process ended.
constexpr double tickSpacing = 70;
constexpr double lowestText = 12; ///< Of a lane that has room for words.

double timesWidth(const QRectF &lane)
{
    return std::max(10.0, lane.width() - std::min(endRoom, lane.width() / 3));
}

double xOf(qint64 timeNs, const TimeRange &times, const QRectF &lane)
{
    return lane.left() + times.pixel(timeNs, timesWidth(lane));
}

double lifeBarHeight(const QRectF &lane)
{
    return std::clamp(std::floor(lane.height() * 0.4), 3.0, 18.0);
}

QRectF barBetween(const QRectF &lane, double from, double to)
{
    const double height = lifeBarHeight(lane);
    return {from, std::floor(lane.center().y() - height / 2), std::max(1.0, to - from), height};
}

} // namespace

void LifelineStage::paintStill(QPainter &painter)
{
    if (!m_layout.costs.isEmpty())
        drawBox(painter, m_layout.costs);
}

void LifelineStage::paintMoving(QPainter &painter)
{
    const LivesState now = state();
    const TimeRange times = range(now);
    if (!isIdle()) {
        paintAxes(painter, times);
        paintParent(painter, now, times);
    }
    for (int child = 0; child < m_layout.children.size(); ++child) {
        const auto place = static_cast<std::size_t>(child);
        painter.setOpacity(opacityOf(child + 1));
        paintLife(painter, child, place < now.lives.size() ? now.lives[place] : LivesState::Life(),
                  times);
    }
    painter.setOpacity(1);
    if (!m_layout.costs.isEmpty())
        paintCosts(painter, now);
}

void LifelineStage::paintAxes(QPainter &painter, const TimeRange &times)
{
    const Theme &theme = Theme::current();
    const QFont font = textFont(TextSize::Tick);
    for (const QRectF &axis : m_layout.axes) {
        const double width = timesWidth(axis);
        const QRectF &parent = m_layout.parent.lane;
        const double top = axis.left() == parent.left() ? parent.top() : parent.bottom();
        for (const TimeTick &tick : timeTicks(times, width, tickSpacing)) {
            const double x = std::floor(axis.left() + times.pixel(tick.timeNs, width)) + 0.5;
            painter.setRenderHint(QPainter::Antialiasing, false);
            painter.setPen(QPen(tick.timeNs == 0 ? theme.axis : theme.grid, 1));
            painter.drawLine(QPointF(x, top), QPointF(x, axis.top() + 3));
            const double text = textWidth(tick.label, font) + 2;
            const double left = std::clamp(x - text / 2, axis.left(), axis.right() - text);
            drawText(painter, QRectF(left, axis.top() + 3, text, axis.height() - 3),
                     Qt::AlignCenter, tick.label, font, theme.text3);
        }
    }
}

/// The parent's line, with a bracket for each join().
void LifelineStage::paintParent(QPainter &painter, const LivesState &now, const TimeRange &times)
{
    const QRectF &lane = m_layout.parent.lane;
    painter.setRenderHint(QPainter::Antialiasing, false);
    painter.setPen(QPen(Theme::current().parent, 1.5));
    const double y = std::floor(lane.center().y()) + 0.5;
    const qint64 endNs = isEnded() && !now.joins.empty() ? now.joins.back().endedNs : times.toNs;
    painter.drawLine(QPointF(xOf(times.fromNs, times, lane), y),
                     QPointF(xOf(endNs, times, lane), y));
    for (const LivesState::Join &join : now.joins)
        paintJoin(painter, join, times);
}

void LifelineStage::paintJoin(QPainter &painter, const LivesState::Join &join,
                              const TimeRange &times)
{
    const Theme &theme = Theme::current();
    const QRectF &lane = m_layout.parent.lane;
    const bool isOver = join.endedNs != LivesState::notYet;
    const double from = xOf(join.beganNs, times, lane);
    const double to = xOf(isOver ? join.endedNs : times.toNs, times, lane);
    const QRectF bar = barBetween(lane, from, to);
    const bool isLate = join.end == LivesState::TimedOut;
    const QColor color = isLate ? theme.warn : theme.parent;
    painter.fillRect(bar, isLate ? theme.warnTint : theme.tint(theme.parent, 0.15));
    painter.setPen(QPen(color, 1));
    const QRectF edge = bar.adjusted(0.5, 0.5, -0.5, -0.5);
    painter.drawLine(edge.topLeft(), edge.bottomLeft());
    if (isOver)
        painter.drawLine(edge.topRight(), edge.bottomRight());
    const QString name = childName(static_cast<int>(join.child));
    const QFont font = textFont(TextSize::Tick);
    // As much as there is room for.
    for (const QString &text : {join.isAtExit != 0 ? tr("at the end: %1").arg(name)
                                : isLate           ? tr("join(%1) timed out").arg(name)
                                                   : tr("join(%1)").arg(name),
                                name}) {
        if (bar.height() < lowestText || textWidth(text, font) + 8 > bar.width())
            continue;
        drawText(painter, bar, Qt::AlignCenter, text, font, isLate ? theme.warn : theme.text2);
        break;
    }
}

/// Created, at the gate, running, ended, joined.
void LifelineStage::paintLife(QPainter &painter, int child, const LivesState::Life &life,
                              const TimeRange &times)
{
    const Theme &theme = Theme::current();
    const QRectF &lane = m_layout.children[child].lane;
    const ProcessRecord &process = processes()[child + 1];
    const QColor color = theme.process(process.colorIndex);
    const double y = std::floor(lane.center().y()) + 0.5;
    painter.setRenderHint(QPainter::Antialiasing, false);
    if (isIdle() || life.createdNs == 0) {
        painter.setPen(QPen(theme.idle, 1, Qt::DotLine));
        painter.drawLine(QPointF(lane.left(), y), QPointF(lane.right() - endRoom / 2, y));
        return;
    }
    const double end = xOf(process.endNs >= 0 ? process.endNs : times.toNs, times, lane);
    const qint64 beganNs = life.startNs > 0 ? life.createdNs + life.startNs : times.toNs;
    const double began = std::min(end, xOf(beganNs, times, lane));
    const double gate = std::clamp(xOf(0, times, lane), began, end);
    painter.setPen(QPen(color, 1));
    painter.setBrush(theme.tint(color, 0.2));
    painter.drawRect(
        barBetween(lane, xOf(life.createdNs, times, lane), began).adjusted(0.5, 0.5, -0.5, -0.5));
    painter.drawLine(QPointF(began, y), QPointF(gate, y));
    if (snapshot()->timeNs > 0)
        painter.fillRect(barBetween(lane, gate, end), color);
    if (process.endNs < 0)
        return;
    const bool isJoined = life.joinedNs != LivesState::notYet;
    const double joined = xOf(isJoined ? life.joinedNs : times.toNs, times, lane);
    painter.setPen(QPen(theme.text3, 1, Qt::DashLine));
    painter.drawLine(QPointF(end, y), QPointF(joined, y));
    const double height = lifeBarHeight(lane);
    if (isJoined) {
        painter.setPen(QPen(theme.parent, 2));
        painter.drawLine(QPointF(joined, y - height / 2 - 2), QPointF(joined, y + height / 2 + 2));
    }
    paintEnd(painter, process, lane, end, joined);
}

/// How it ended: at @p x, with words where there is room behind @p joined.
void LifelineStage::paintEnd(QPainter &painter, const ProcessRecord &process, const QRectF &lane,
                             double x, double joined)
{
    const Theme &theme = Theme::current();
    const bool isGood = process.signal == 0 && process.exitCode == 0;
    const double radius = std::clamp(lifeBarHeight(lane) / 2 - 1, 1.5, 5.0);
    const QPointF center(x, lane.center().y());
    painter.setRenderHint(QPainter::Antialiasing);
    if (isGood || radius < 4) {
        painter.setPen(QPen(theme.panel, 1));
        painter.setBrush(isGood ? theme.ok : theme.crash);
        painter.drawEllipse(center, radius, radius);
    } else {
        drawCrashDisc(painter, center, radius + 1);
    }
    const QString text =
        process.signal != 0 ? signalName(process.signal) : tr("exit %1").arg(process.exitCode);
    const QFont font = textFont(TextSize::Caption);
    const double left = std::max(x + radius, joined) + 6;
    if (lane.height() >= lowestText && textWidth(text, font) <= lane.right() - left)
        drawText(painter, QRectF(left, lane.top(), lane.right() - left, lane.height()),
                 Qt::AlignVCenter, text, font, isGood ? theme.text2 : theme.crash);
}

/// A bar for each start method, on one scale.
void LifelineStage::paintCosts(QPainter &painter, const LivesState &now)
{
    const Theme &theme = Theme::current();
    const QRectF box = m_layout.costs.adjusted(12, 8, -12, -8);
    constexpr double head = 20;
    const double legend = std::min(box.width() * 0.4, 260.0);
    const QRectF bars(box.left(), box.top() + head, box.width() - legend - 24, box.height() - head);
    const QFont headFont = textFont(TextSize::Small, QFont::DemiBold);
    QString title = tr("Start of a process, measured before this run");
    if (textWidth(title, headFont) > bars.width())
        title = tr("Start of a process");
    drawText(painter, QRectF(box.left(), box.top(), bars.width(), head - 2), Qt::AlignVCenter,
             title, headFont, theme.text);
    const QStringList names = startMethodNames();
    const QFont font = textFont(TextSize::Small);
    double label = 0;
    qint64 longest = 1;
    for (const QString &name : names) {
        label = std::max(label, textWidth(name, font));
        longest = std::max(longest, now.startCostOf(*startMethodOf(name)));
    }
    const QString own = spec().text(u"process.start_method"_s);
    const double pitch = bars.height() / static_cast<double>(names.size());
    const double room = std::max(10.0, bars.width() - label - 8 - 64);
    for (qsizetype i = 0; i < names.size(); ++i) {
        const qint64 cost = now.startCostOf(*startMethodOf(names[i]));
        const QRectF row(bars.left(), bars.top() + pitch * static_cast<double>(i), bars.width(),
                         pitch);
        const bool isOwn = names[i] == own;
        drawText(painter, QRectF(row.left(), row.top(), label, row.height()), Qt::AlignVCenter,
                 names[i], font, isOwn ? theme.text : theme.text2);
        const double length = room * static_cast<double>(cost) / static_cast<double>(longest);
        const QRectF bar(row.left() + label + 8, row.center().y() - 4, std::max(1.0, length), 8);
        painter.setRenderHint(QPainter::Antialiasing, false);
        if (cost > 0)
            painter.fillRect(bar, isOwn ? theme.accent : theme.idle);
        drawText(painter,
                 QRectF(cost > 0 ? bar.right() + 6 : bar.left(), row.top(), 58, row.height()),
                 Qt::AlignVCenter,
                 cost > 0 ? durationText(static_cast<double>(cost) / 1e9) : u"\u2013"_s,
                 textFont(TextSize::Small), theme.text2);
    }
    paintLegend(painter, QRectF(box.right() - legend, box.top(), legend, box.height()));
}

void LifelineStage::paintLegend(QPainter &painter, const QRectF &room)
{
    const Theme &theme = Theme::current();
    const QFont font = textFont(TextSize::Caption);
    const QColor color = theme.process(0);
    const double pitch = room.height() / 4;
    const auto place = [&](int row) {
        return QRectF(room.left(), room.top() + pitch * row, 34, pitch);
    };
    const auto name = [&](int row, const QString &text) {
        drawText(painter,
                 QRectF(room.left() + 42, room.top() + pitch * row, room.width() - 42, pitch),
                 Qt::AlignVCenter, text, font, theme.text2);
    };
    painter.setRenderHint(QPainter::Antialiasing, false);
    painter.setPen(QPen(color, 1));
    painter.setBrush(theme.tint(color, 0.2));
    painter.drawRect(QRectF(place(0).left(), place(0).center().y() - 5, 33, 9));
    name(0, tr("starting"));
    painter.fillRect(QRectF(place(1).left(), place(1).center().y() - 5, 34, 10), color);
    name(1, tr("running"));
    painter.setPen(QPen(theme.text3, 1, Qt::DashLine));
    painter.drawLine(QPointF(place(2).left(), place(2).center().y()),
                     QPointF(place(2).right(), place(2).center().y()));
    name(2, tr("ended, not joined yet"));
    painter.setPen(QPen(theme.parent, 2));
    painter.drawLine(QPointF(place(3).center().x(), place(3).center().y() - 6),
                     QPointF(place(3).center().x(), place(3).center().y() + 6));
    name(3, tr("joined by the parent"));
}

} // namespace proclab
