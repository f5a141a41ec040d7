// SPDX-License-Identifier: GPL-3.0-or-later
#include "ui/experiment/timeline/timeline_view.h"

#include "ui/experiment/stage/process_look.h"
#include "ui/experiment/stage/stage_painting.h"
#include "ui/experiment/timeline/timeline_lane.h"
#include "ui/shared/theme.h"

#include <QFontMetricsF>
#include <QPainter>
#include <QScrollBar>

#include <algorithm>
#include <cmath>

using namespace Qt::StringLiterals;

namespace proclab {

namespace {

constexpr double tickSpacing = 90;
constexpr int margin = 12;
constexpr int pidLeft = 58;
constexpr int shareRight = 138;
constexpr double dimmedLane = 0.4;

} // namespace

void TimelineView::paintEvent(QPaintEvent *)
{
    const Theme &theme = Theme::current();
    QPainter painter(this);
    painter.fillRect(rect(), theme.panel);
    const QRect bars = barsRect();
    const QList<TimeTick> ticks = timeTicks(visibleRange(), bars.width(), tickSpacing);

    painter.setClipRect(lanesRect());
    const int first = m_scrollBar->value() / laneHeight();
    const int shown = lanesRect().height() / laneHeight() + 2;
    for (int lane = first; lane < std::min(first + shown, itemCount()); ++lane)
        paintLane(painter, lane, ticks);
    paintSuccession(painter);
    painter.setClipping(false);

    paintHeader(painter, ticks);
    paintNow(painter);
    paintCursor(painter);
    paintLegend(painter);
    if (m_lanes.isEmpty()) {
        drawText(painter, lanesRect(), Qt::AlignCenter,
                 tr("No data yet: each process gets a lane, each task a bar"),
                 textFont(TextSize::Small), theme.text3);
    }
    if (hasFocus()) {
        painter.setRenderHint(QPainter::Antialiasing, false);
        painter.setBrush(Qt::NoBrush);
        painter.setPen(QPen(theme.accent, 2));
        painter.drawRect(rect().adjusted(1, 1, -1, -1));
    }
}

void TimelineView::paintHeader(QPainter &painter, const QList<TimeTick> &ticks)
{
    const Theme &theme = Theme::current();
    const QRect header(0, 0, width(), barsRect().top());
    const QFont font = textFont(TextSize::Caption);
    drawText(painter, QRectF(margin, 0, pidLeft - margin, header.height()), Qt::AlignVCenter,
             tr("Process"), font, theme.text3);
    drawText(painter, QRectF(pidLeft, 0, 40, header.height()), Qt::AlignVCenter, tr("PID"), font,
             theme.text3);
    drawText(painter, QRectF(pidLeft + 30, 0, shareRight - pidLeft - 30, header.height()),
             Qt::AlignVCenter | Qt::AlignRight, tr("busy"), font, theme.text3);
    const TimeRange range = visibleRange();
    const QFont tickFont = textFont(TextSize::Tick);
    const QRectF chip = chipAt(nowNs());
    const QRectF cursorChip = m_cursorNs ? chipAt(*m_cursorNs) : QRectF();
    for (const TimeTick &tick : ticks) {
        const double x = barsRect().left() + range.pixel(tick.timeNs, barsRect().width());
        const double labelWidth = QFontMetricsF(tickFont).horizontalAdvance(tick.label);
        const QRectF label(x + 3, 0, labelWidth + 2, header.height());
        if (label.right() > width() || label.intersects(chip) || label.intersects(cursorChip))
            continue;
        drawText(painter, label, Qt::AlignVCenter, tick.label, tickFont, theme.text3);
    }
    painter.fillRect(QRect(0, header.bottom(), width(), 1), theme.border);
}

void TimelineView::paintLane(QPainter &painter, int lane, const QList<TimeTick> &ticks)
{
    const Theme &theme = Theme::current();
    const int process = m_lanes[lane];
    const QRect row = itemRect(lane);
    const QRect bars(barsRect().left(), row.top(), barsRect().width(), row.height());
    if (process == m_selected)
        painter.fillRect(row, theme.accentTint);
    painter.fillRect(QRect(0, row.bottom(), width(), 1), theme.grid);
    const TimeRange range = visibleRange();
    painter.setRenderHint(QPainter::Antialiasing, false);
    for (const TimeTick &tick : ticks) {
        const double x = std::floor(bars.left() + range.pixel(tick.timeNs, bars.width()));
        painter.fillRect(QRectF(x, row.top(), 1, row.height()), theme.grid);
    }
    if (process < 0)
        return paintTrack(painter, row, trackOfLane(process));
    SpanIndex &index = m_indexes[static_cast<std::size_t>(process)];
    const AppendLog<Span> &spans = m_log->lane(process).spans;
    index.update(spans);

    painter.setOpacity(m_selected >= 0 && process != m_selected ? dimmedLane : 1);
    paintTimelineLane(
        painter, bars, range,
        {m_processes[process], spans, index, openSpanOf(process), nowNs(), isDense()});
    if (process == 0)
        paintStarts(painter, bars);
    paintGutter(painter, row, process);
    painter.setOpacity(1);
}

void TimelineView::paintGutter(QPainter &painter, const QRect &row, int process)
{
    const Theme &theme = Theme::current();
    const ProcessRecord &record = m_processes[process];
    const double height = isDense() ? 13 : 18;
    const QRectF badge(margin, row.center().y() - height / 2 + 0.5, 38, height);
    drawBadge(painter, badge, badgeText(record), record.colorIndex, hasCrashed(record),
              isDense() ? TextSize::Tick : TextSize::Caption);
    const QFont font = monoFont(isDense() ? TextSize::Tick : TextSize::Small);
    drawText(painter, QRectF(pidLeft, row.top(), 50, row.height()), Qt::AlignVCenter,
             QString::number(record.pid), font, theme.text3);
    const QString share = tr("%1\u00A0%").arg(std::lround(100 * busyShare(process)));
    if (process != 0)
        drawText(painter, QRectF(pidLeft + 40, row.top(), shareRight - pidLeft - 40, row.height()),
                 Qt::AlignVCenter | Qt::AlignRight, share, font, theme.text2);
}

/// On the parent's lane: when it started others.
void TimelineView::paintStarts(QPainter &painter, const QRect &area)
{
    const Theme &theme = Theme::current();
    const TimeRange range = visibleRange();
    const QFont font = textFont(TextSize::Tick);
    painter.save();
    painter.setClipRect(area, Qt::IntersectClip);
    double labelsEnd = area.left();
    int child = 1;
    while (child < m_processes.size()) {
        // Those that start within 8 px of the first share a mark.
        const double x =
            area.left() + std::max(0.0, range.pixel(m_processes[child].startNs, area.width()));
        int next = child + 1;
        while (next < m_processes.size() &&
               area.left() + range.pixel(m_processes[next].startNs, area.width()) < x + 8)
            ++next;
        painter.fillRect(QRectF(std::floor(x), area.top() + 5, 2, area.height() - 10),
                         theme.parent);
        const QString text = next - child > 1 ? tr("starts %1 processes").arg(next - child)
                                              : tr("starts %1").arg(badgeText(m_processes[child]));
        const double textWidth = QFontMetricsF(font).horizontalAdvance(text);
        if (!isDense() && x + 8 > labelsEnd) {
            const QRectF place(x + 5, area.top() + 4, textWidth + 6, area.height() - 8);
            painter.fillRect(place, m_selected == 0 ? theme.accentTint : theme.panel);
            drawText(painter, place.adjusted(2, 0, 0, 0), Qt::AlignVCenter, text, font,
                     theme.text3);
            labelsEnd = place.right();
        }
        child = next;
    }
    painter.restore();
}

/// From the end of a process down to the start of the one that took its place.
void TimelineView::paintSuccession(QPainter &painter)
{
    if (isDense())
        return;
    const Theme &theme = Theme::current();
    const TimeRange range = visibleRange();
    const QRect bars = barsRect();
    QPen pen(theme.crash, 1);
    pen.setDashPattern({2, 2});
    for (int lane = 1; lane < itemCount(); ++lane) {
        if (m_lanes[lane] < 0)
            continue;
        const ProcessRecord &record = m_processes[m_lanes[lane]];
        const int before = record.replaces;
        if (before < 0 || before != m_lanes[lane - 1] || !hasCrashed(m_processes[before]))
            continue;
        const double x = bars.left() + range.pixel(m_processes[before].endNs, bars.width());
        if (x < bars.left() || x > bars.right())
            continue;
        painter.setRenderHint(QPainter::Antialiasing);
        painter.setPen(pen);
        painter.drawLine(QPointF(x, itemRect(lane - 1).center().y() + 8),
                         QPointF(x, itemRect(lane).center().y()));
    }
}

QRectF TimelineView::chipAt(qint64 timeNs) const
{
    const QRectF bars = barsRect();
    const double x = std::round(bars.left() + visibleRange().pixel(timeNs, bars.width()));
    if (timeNs <= 0 || x < bars.left() || x > bars.right())
        return {};
    const QString text = durationText(static_cast<double>(timeNs) / 1e9);
    const QFontMetricsF metrics(textFont(TextSize::Tick, QFont::DemiBold));
    const double labelWidth = metrics.horizontalAdvance(text) + 12;
    const double rightmost = std::max(bars.right() - labelWidth, bars.left());
    return {std::clamp(x - labelWidth / 2, bars.left(), rightmost), 3, labelWidth, 17};
}

void TimelineView::paintNow(QPainter &painter)
{
    const QRectF chip = chipAt(nowNs());
    if (chip.isEmpty())
        return;
    const Theme &theme = Theme::current();
    const QRect bars = barsRect();
    const double x = std::round(bars.left() + visibleRange().pixel(nowNs(), bars.width()));
    painter.setRenderHint(QPainter::Antialiasing, false);
    painter.fillRect(QRectF(x, bars.top() - 2, 1, bars.height() + 2), theme.text3);
    painter.setRenderHint(QPainter::Antialiasing);
    painter.setPen(Qt::NoPen);
    painter.setBrush(theme.hover);
    painter.drawRoundedRect(chip, 3, 3);
    drawText(painter, chip, Qt::AlignCenter, durationText(static_cast<double>(nowNs()) / 1e9),
             textFont(TextSize::Tick, QFont::DemiBold), theme.text);
}

void TimelineView::paintCursor(QPainter &painter)
{
    if (!m_cursorNs)
        return;
    const Theme &theme = Theme::current();
    const QRect bars = barsRect();
    const double x = std::round(bars.left() + visibleRange().pixel(*m_cursorNs, bars.width()));
    if (x < bars.left() || x > bars.right())
        return;
    painter.setRenderHint(QPainter::Antialiasing, false);
    painter.fillRect(QRectF(x, bars.top() - 2, 1, bars.height() + 2), theme.text2);
    const QRectF chip = chipAt(*m_cursorNs);
    if (chip.isEmpty())
        return;
    painter.setRenderHint(QPainter::Antialiasing);
    painter.setPen(theme.borderStrong);
    painter.setBrush(theme.raised);
    painter.drawRoundedRect(chip.adjusted(0.5, 0.5, -0.5, -0.5), 3, 3);
    drawText(painter, chip, Qt::AlignCenter, durationText(static_cast<double>(*m_cursorNs) / 1e9),
             textFont(TextSize::Tick, QFont::DemiBold), theme.text);
}

void TimelineView::paintLegend(QPainter &painter)
{
    const Theme &theme = Theme::current();
    const QRect legend(0, lanesRect().bottom() + 1, width(), height() - lanesRect().bottom() - 1);
    painter.fillRect(legend, theme.panel);
    painter.fillRect(QRect(0, legend.top(), width(), 1), theme.border);
    const QFont font = textFont(TextSize::Caption);
    const QFontMetricsF metrics(font);
    double x = margin;
    for (const BarStyle style : {BarStyle::OnCore, BarStyle::ReadyToRun, BarStyle::Sleeping,
                                 BarStyle::Waiting, BarStyle::Crashed, BarStyle::WaitingForLock,
                                 BarStyle::BlockedOnFull, BarStyle::Dropped}) {
        if (style == BarStyle::Dropped &&
            (!m_log || m_log->droppedSpans.load(std::memory_order_relaxed) == 0))
            continue;
        const QString text = barStyleText(style);
        const double textWidth = metrics.horizontalAdvance(text);
        if (x + 20 + textWidth + margin > width())
            break;
        paintBarSample(painter, QRectF(x, legend.center().y() - 4, 15, 10), style);
        drawText(painter, QRectF(x + 21, legend.top(), textWidth + 2, legend.height()),
                 Qt::AlignVCenter, text, font, theme.text3);
        x += 21 + textWidth + 18;
    }
}

} // namespace proclab
