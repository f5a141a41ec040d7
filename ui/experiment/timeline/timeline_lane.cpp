// SPDX-License-Identifier: GPL-3.0-or-later
#include "ui/experiment/timeline/timeline_lane.h"

#include "ui/experiment/stage/process_look.h"
#include "ui/experiment/stage/stage_painting.h"
#include "ui/shared/theme.h"

#include <QCoreApplication>
#include <QPaintDevice>

#include <algorithm>
#include <array>
#include <cmath>

using namespace Qt::StringLiterals;

namespace proclab {

namespace {

constexpr double crashHatchWidth = 32;
constexpr double narrowestText = 18;

QString tr(const char *text)
{
    return QCoreApplication::translate("Timeline", text);
}

QString barLabel(const Span &span, const ProcessRole *role, const ItemNames &names)
{
    if (span.count == 0 || span.activity == Span::Activity::Dropped)
        return {};
    if (span.count > 1 && role && !names.followEachOther(*role))
        return tr("%1 items").arg(groupedNumber(span.count));
    return names.namesFrom(span.index, span.count);
}

/// One lane being painted.
class LanePainter
{
public:
    LanePainter(QPainter &painter, const QRect &area, const TimeRange &range, const PixelSpan &part,
                const TimelineLane &lane)
        : m_painter(painter)
        , m_area(area)
        , m_range(range)
        , m_part(part)
        , m_lane(lane)
        , m_theme(Theme::current())
        , m_color(m_theme.process(lane.process.colorIndex))
        , m_ratio(painter.device()->devicePixelRatioF())
    {
        const int height = lane.dense ? 11 : 16;
        m_top = area.top() + (area.height() - height) / 2;
        m_height = height;
    }

    void paint()
    {
        // Hatches move with the time axis.
        m_painter.setBrushOrigin(
            QPointF(m_area.left() + snapped(m_range.pixel(0, m_area.width())), m_area.top()));
        paintIdleLine();
        // The log may be ahead of the picture's instant.
        m_painter.save();
        const double now = m_range.pixel(m_lane.nowNs, m_area.width());
        m_painter.setClipRect(QRectF(m_area.left(), m_area.top(),
                                     std::clamp(now + 1, 0.0, m_area.width() + 0.0),
                                     m_area.height()),
                              Qt::IntersectClip);
        const TimeRange shown{m_range.timeAt(m_part.begin, m_area.width()),
                              m_range.timeAt(m_part.end, m_area.width())};
        const LaneLayout layout =
            layoutLane(m_lane.spans, m_lane.index, shown, m_part.end - m_part.begin);
        paintColumns(layout.columns);
        for (const TimelineBar &bar : layout.bars) {
            const Span &span = m_lane.spans[bar.span];
            paintBar(span, m_range.pixel(span.startNs, m_area.width()),
                     m_range.pixel(span.endNs, m_area.width()), false);
        }
        if (m_lane.open)
            paintBar(*m_lane.open, m_range.pixel(m_lane.open->startNs, m_area.width()),
                     m_range.pixel(m_lane.open->endNs, m_area.width()), true);
        m_painter.restore();
        if (m_lane.process.endNs >= 0)
            paintEnd();
    }

private:
    /// To whole device pixels; what is half way goes the same way wherever the axis stands.
    [[nodiscard]] double snapped(double x) const
    {
        return std::floor(x * m_ratio + 0.501) / m_ratio;
    }

    void paintIdleLine()
    {
        const qint64 endNs = m_lane.process.endNs >= 0 ? m_lane.process.endNs : m_lane.nowNs;
        const double left = std::max(0.0, m_range.pixel(m_lane.process.startNs, m_area.width()));
        const double right = std::min<double>(m_area.width(), m_range.pixel(endNs, m_area.width()));
        if (right <= left)
            return;
        const double y = m_area.center().y() + 0.5;
        m_painter.setRenderHint(QPainter::Antialiasing, false);
        m_painter.fillRect(QRectF(m_area.left() + left, y, right - left, 1), m_theme.idle);
    }

    /// One call a colour: setting one takes longer than filling a column of a pixel.
    void paintColumns(const std::vector<TimelineColumn> &columns)
    {
        enum Layer { Ground, Work, Ready, Asleep, Blocked, Locked, Unknown, Failures, LayerCount };
        std::array<QList<QRectF>, LayerCount> rects;
        for (const TimelineColumn &column : columns) {
            const double x = m_area.left() + m_part.begin + column.x;
            QList<QRectF> &ground = rects[Ground];
            if (!ground.isEmpty() && ground.last().right() == x)
                ground.last().setRight(x + 1);
            else
                ground.append(QRectF(x, m_top, 1, m_height));
            double bottom = m_top + m_height;
            const auto stack = [&](double share, Layer layer) {
                const double height = std::min(share * m_height, bottom - m_top);
                if (height < 0.25)
                    return;
                rects[layer].append(QRectF(x, bottom - height, 1, height));
                bottom -= height;
            };
            stack(column.shares.work, Work);
            stack(column.shares.readyToRun, Ready);
            stack(column.shares.sleeping, Asleep);
            stack(column.shares.blockedOnFull, Blocked);
            stack(column.shares.waitingForLock, Locked);
            stack(column.shares.dropped, Unknown);
            if (column.shares.failed > 0)
                rects[Failures].append(QRectF(x, m_top, 1, 3));
        }
        const std::array<QBrush, LayerCount> brushes{
            m_theme.tint(m_color, 0.18),
            m_color,
            m_theme.hatch(Theme::Hatch::ReadyToRun, m_color, m_ratio),
            m_theme.tint(m_color, 0.45),
            m_theme.tint(m_theme.full, 0.5),
            m_theme.tint(m_theme.warn, 0.5),
            m_theme.idle,
            m_theme.crash};
        m_painter.setRenderHint(QPainter::Antialiasing, false);
        m_painter.setPen(Qt::NoPen);
        for (std::size_t layer = 0; layer < LayerCount; ++layer) {
            m_painter.setBrush(brushes[layer]);
            m_painter.drawRects(rects[layer]);
        }
    }

    void paintBar(const Span &span, double left, double right, bool open)
    {
        const double from = std::max(left, -4.0);
        const double to = std::min(right, m_area.width() + 4.0);
        QRectF rect(snapped(m_area.left() + from), m_top, 0, m_height);
        rect.setRight(snapped(m_area.left() + to) - (open || to - from < 4 ? 0 : 1));
        if (rect.width() <= 0 || span.activity == Span::Activity::WaitingOnEmpty)
            return;
        QColor textColor = m_theme.onProcess(m_lane.process.colorIndex);
        switch (span.activity) {
        case Span::Activity::ReadyToRun:
            outlined(rect, m_theme.hatch(Theme::Hatch::ReadyToRun, m_color, m_ratio), m_color);
            textColor = m_theme.text;
            break;
        case Span::Activity::Sleeping:
            outlined(rect, m_theme.tint(m_color, 0.2), m_color);
            textColor = m_theme.text;
            break;
        case Span::Activity::BlockedOnFull:
            outlined(rect, m_theme.hatch(Theme::Hatch::BlockedOnFull, m_theme.full, m_ratio),
                     m_theme.full);
            return;
        case Span::Activity::WaitingForLock:
            outlined(rect, m_theme.hatch(Theme::Hatch::WaitingForLock, m_theme.warn, m_ratio),
                     m_theme.warn);
            return;
        case Span::Activity::Dropped:
            outlined(rect, m_theme.hatch(Theme::Hatch::ReadyToRun, m_theme.idle, m_ratio),
                     m_theme.idle);
            return;
        case Span::Activity::Failed:
            if (span.busy < 0.5F) {
                outlined(rect, m_theme.tint(m_color, 0.2), m_color);
                textColor = m_theme.text;
            } else {
                solid(rect);
            }
            paintFailure(rect);
            break;
        case Span::Activity::Busy:
            paintSummary(rect, span);
            textColor = span.busy > 0.6F ? textColor : m_theme.text;
            break;
        default:
            solid(rect);
            break;
        }
        paintLabel(rect, span, open, textColor);
    }

    /// Smaller for narrow bars, which would turn into ovals.
    [[nodiscard]] static double radius(const QRectF &rect)
    {
        return std::clamp(rect.width() / 4 - 0.5, 0.0, 2.0);
    }

    void solid(const QRectF &rect)
    {
        m_painter.setRenderHint(QPainter::Antialiasing);
        m_painter.setPen(Qt::NoPen);
        m_painter.setBrush(m_color);
        m_painter.drawRoundedRect(rect, radius(rect), radius(rect));
    }

    void outlined(const QRectF &rect, const QBrush &fill, const QColor &outline)
    {
        m_painter.setRenderHint(QPainter::Antialiasing);
        m_painter.setPen(QPen(outline, 1));
        m_painter.setBrush(fill);
        if (rect.width() < 3) {
            m_painter.fillRect(rect, outline);
            return;
        }
        m_painter.drawRoundedRect(rect.adjusted(0.5, 0.5, -0.5, -0.5), radius(rect), radius(rect));
    }

    void paintSummary(const QRectF &rect, const Span &span)
    {
        m_painter.setRenderHint(QPainter::Antialiasing, false);
        m_painter.fillRect(rect, m_theme.tint(m_color, 0.18));
        const double height = rect.height() * std::clamp(static_cast<double>(span.busy), 0.0, 1.0);
        m_painter.fillRect(QRectF(rect.left(), rect.bottom() - height, rect.width(), height),
                           m_color);
    }

    /// A task that did not end well: a crash-coloured edge at its end.
    void paintFailure(const QRectF &rect)
    {
        m_painter.setRenderHint(QPainter::Antialiasing, false);
        m_painter.fillRect(QRectF(rect.right() - 3, rect.top(), 3, rect.height()), m_theme.crash);
    }

    void paintLabel(const QRectF &rect, const Span &span, bool open, const QColor &color)
    {
        if (m_lane.dense || rect.width() < narrowestText)
            return;
        const QString name = barLabel(span, m_lane.process.role, m_lane.names);
        const QString whole =
            open ? name
                 : QString(name % u' ' %
                           durationText(static_cast<double>(span.endNs - span.startNs) / 1e9));
        const QFont font = textFont(TextSize::Tick, QFont::DemiBold);
        // A bar that begins left of the view keeps its label in view.
        const QRectF room = rect.intersected(QRectF(m_area)).adjusted(5, 0, -3, 0);
        const QString &text = textWidth(whole, font) <= room.width() ? whole : name;
        const double width = textWidth(text, font);
        if (width > room.width())
            return;
        if (span.activity == Span::Activity::ReadyToRun) // Letters among hatches are hard to read.
            m_painter.fillRect(
                QRectF(room.left() - 2, rect.top() + 2, width + 4, rect.height() - 4),
                m_theme.tint(m_color, 0.1));
        drawText(m_painter, room, Qt::AlignVCenter | Qt::AlignLeft, text, font, color);
    }

    void paintEnd()
    {
        const double x = m_area.left() + m_range.pixel(m_lane.process.endNs, m_area.width());
        if (x < m_area.left() - 40 || x > m_area.right() + 40)
            return;
        if (!hasCrashed(m_lane.process)) {
            m_painter.setRenderHint(QPainter::Antialiasing, false);
            m_painter.fillRect(QRectF(snapped(x), m_top + 2, 1, m_height - 4), m_theme.idle);
            return;
        }
        const Span *last = lastSpan();
        const bool diedInTask = last && last->activity == Span::Activity::Failed &&
                                last->endNs >= m_lane.process.endNs - 1'000'000;
        if (diedInTask) {
            const double left = m_area.left() + m_range.pixel(last->startNs, m_area.width());
            const double width = std::min(crashHatchWidth, x - left);
            m_painter.fillRect(QRectF(x - width, m_top, width, m_height),
                               m_theme.hatch(Theme::Hatch::Crashed, m_theme.crash, m_ratio));
        }
        drawCrashDisc(m_painter, QPointF(x, m_area.center().y() + 1), m_lane.dense ? 5 : 7);
        const QString brief = endText(m_lane.process);
        const QString whole =
            diedInTask
                ? QString(brief % u", "_s % tr("in %1").arg(m_lane.names.nameOf(last->index)))
                : brief;
        if (!paintEndText(x + 14, whole))
            paintEndText(x + 14, brief);
    }

    /// False if there is no room: nothing is painted.
    bool paintEndText(double left, const QString &text)
    {
        const QFont font = textFont(TextSize::Tick);
        const double width = textWidth(text, font);
        // Beside the line of the present, not under it.
        const double now = m_area.left() + m_range.pixel(m_lane.nowNs, m_area.width());
        if (now < left + width + 2)
            left = std::max(left, now + 5);
        if (left + width > m_area.right())
            return false;
        drawText(m_painter, QRectF(left, m_area.top(), width, m_area.height()),
                 Qt::AlignVCenter | Qt::AlignLeft, text, font, m_theme.crash);
        return true;
    }

    [[nodiscard]] const Span *lastSpan() const
    {
        const std::size_t count = m_lane.index.spanCount();
        return count > 0 ? &m_lane.spans[count - 1] : nullptr;
    }

    QPainter &m_painter;
    const QRect m_area;
    const TimeRange m_range;
    const PixelSpan m_part;
    const TimelineLane &m_lane;
    const Theme &m_theme;
    const QColor m_color;
    const double m_ratio;
    double m_top = 0;
    double m_height = 0;
};

QString kindText(Span::Activity kind)
{
    switch (kind) {
    case Span::Activity::Running:
        return tr("on a core");
    case Span::Activity::ReadyToRun:
        return tr("ready, waiting for a core");
    case Span::Activity::Sleeping:
        return tr("sleeping or in I/O");
    case Span::Activity::BlockedOnFull:
        return tr("blocked, the queue is full");
    case Span::Activity::WaitingOnEmpty:
        return tr("waiting, the queue is empty");
    case Span::Activity::WaitingForLock:
        return tr("waiting for the lock");
    case Span::Activity::Busy:
        return tr("many short ones");
    case Span::Activity::Failed:
        return tr("did not end well");
    case Span::Activity::Dropped:
        return tr("not recorded");
    }
    return {};
}

} // namespace

void paintTimelineLane(QPainter &painter, const QRect &area, const TimeRange &range,
                       const PixelSpan &part, const TimelineLane &lane)
{
    painter.save();
    painter.setClipRect(area, Qt::IntersectClip);
    LanePainter(painter, area, range, part, lane).paint();
    painter.restore();
}

QString spanText(const Span &span, const ProcessRole *role, const ItemNames &names)
{
    const double seconds = static_cast<double>(span.endNs - span.startNs) / 1e9;
    QString text = barLabel(span, role, names);
    if (!text.isEmpty())
        text += u": "_s;
    text += kindText(span.activity);
    if (span.activity == Span::Activity::Busy)
        text +=
            u", "_s % tr("busy %1\u00A0%").arg(std::lround(100 * static_cast<double>(span.busy)));
    const double fromSeconds = static_cast<double>(span.startNs) / 1e9;
    return text % u'\n' % tr("%1, from %2").arg(durationText(seconds), durationText(fromSeconds));
}

} // namespace proclab
