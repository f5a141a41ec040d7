// SPDX-License-Identifier: GPL-3.0-or-later
#include "ui/experiment/timeline/timeline_tracks.h"

#include "ui/experiment/stage/stage_painting.h"
#include "ui/shared/theme.h"

#include <algorithm>
#include <cmath>

namespace proclab {

namespace {

constexpr int trackMargin = 4;
constexpr double narrowestName = 14;

void include(CountColumn &column, float value)
{
    column.smallest = column.largest < 0 ? value : std::min(column.smallest, value);
    column.largest = std::max(column.largest, value);
}

} // namespace

std::vector<CountColumn> countColumns(const AppendLog<GaugeSample> &samples, int gauge,
                                      const TimeRange &range, int width, qint64 nowNs)
{
    std::vector<CountColumn> columns(static_cast<std::size_t>(std::max(0, width)));
    const std::size_t size = samples.size();
    if (columns.empty() || range.length() <= 0)
        return columns;
    const auto valueOf = [&samples, gauge](std::size_t i) {
        return static_cast<float>(samples[i].values[static_cast<std::size_t>(gauge)]);
    };
    const std::size_t first = sampleCountUntil(samples, range.fromNs);
    for (std::size_t i = first > 0 ? first - 1 : 0; i < size; ++i) {
        const qint64 startNs = samples[i].timeNs;
        const qint64 endNs = std::min(nowNs, i + 1 < size ? samples[i + 1].timeNs : nowNs);
        if (startNs > range.toNs || startNs > nowNs)
            break;
        const double left = std::floor(range.pixel(startNs, width));
        const double right = std::floor(range.pixel(endNs, width));
        const double last = std::min<double>(right, width - 1);
        for (double x = std::max(0.0, left); x <= last; ++x)
            include(columns[static_cast<std::size_t>(x)], valueOf(i));
    }
    return columns;
}

void paintCountTrack(QPainter &painter, const QRect &area, const std::vector<CountColumn> &columns,
                     double top, double limit)
{
    const Theme &theme = Theme::current();
    const QRect inner = area.adjusted(0, trackMargin, 0, -trackMargin);
    const QColor fill = theme.tint(theme.idle, 0.3);
    const auto heightOf = [&inner, top](double value) {
        return std::min(1.0, top > 0 ? value / top : 0) * inner.height();
    };
    painter.setRenderHint(QPainter::Antialiasing, false);
    for (std::size_t x = 0; x < columns.size(); ++x) {
        const CountColumn &column = columns[x];
        if (column.largest < 0)
            continue;
        const double left = inner.left() + static_cast<double>(x);
        const double bottom = inner.bottom() + 1;
        const double high = heightOf(static_cast<double>(column.largest));
        const double low = heightOf(static_cast<double>(column.smallest));
        painter.fillRect(QRectF(left, bottom - low, 1, low), fill);
        painter.fillRect(QRectF(left, bottom - high, 1, std::max(1.0, high - low)), theme.text3);
    }
    if (limit <= 0)
        return;
    QPen pen(theme.full, 1);
    pen.setDashPattern({4, 3});
    painter.setPen(pen);
    const double y = std::floor(inner.bottom() + 1 - heightOf(limit)) + 0.5;
    painter.drawLine(QPointF(area.left(), y), QPointF(area.right(), y));
}

void paintLockTrack(QPainter &painter, const QRect &area, const TimeRange &range,
                    const std::vector<LockHolder> &holders)
{
    const Theme &theme = Theme::current();
    const QRect inner = area.adjusted(0, trackMargin + 1, 0, -trackMargin);
    painter.setRenderHint(QPainter::Antialiasing, false);
    std::vector<double> filled(static_cast<std::size_t>(std::max(0, area.width())), 0.0);
    for (const LockHolder &holder : holders) {
        const QColor color = theme.process(holder.process.colorIndex);
        const LaneLayout layout = layoutLane(holder.spans, holder.index, range, area.width());
        for (const TimelineColumn &column : layout.columns) {
            double &base = filled[static_cast<std::size_t>(column.x)];
            const double share = std::min(column.shares.single, 1 - base);
            const double bottom = inner.bottom() + 1 - base * inner.height();
            const double height = share * inner.height();
            if (height >= 0.25)
                painter.fillRect(QRectF(area.left() + column.x, bottom - height, 1, height), color);
            base += share;
        }
        for (const TimelineBar &bar : layout.bars) {
            if (holder.spans[bar.span].activity != Span::Activity::Running)
                continue;
            const QRectF rect(area.left() + std::max(-2.0, bar.left), inner.top(),
                              std::min(bar.right, area.width() + 2.0) - std::max(-2.0, bar.left),
                              inner.height());
            painter.setPen(color);
            painter.setBrush(theme.tint(color, 0.2));
            painter.drawRect(rect.adjusted(0.5, 0.5, -0.5, -0.5));
            if (rect.width() >= narrowestName)
                drawText(painter, rect.intersected(QRectF(area)), Qt::AlignCenter,
                         shortName(holder.process), textFont(TextSize::Tick, QFont::DemiBold),
                         theme.text);
        }
    }
}

} // namespace proclab
