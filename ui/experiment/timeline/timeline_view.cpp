// SPDX-License-Identifier: GPL-3.0-or-later
#include "ui/experiment/timeline/timeline_view.h"

#include "core/experiment/spec/kind.h"
#include "ui/experiment/stage/process_look.h"
#include "ui/experiment/stage/stage_painting.h"
#include "ui/experiment/timeline/timeline_lane.h"
#include "ui/shared/theme.h"

#include <QHelpEvent>
#include <QScrollBar>
#include <QToolTip>

#include <algorithm>
#include <cmath>

using namespace Qt::StringLiterals;

namespace proclab {

namespace {

constexpr int headerHeight = 24;
constexpr int legendHeight = 26;
constexpr int roomyLane = 28;
constexpr int lowestRoomyLane = 20;
constexpr int denseLane = 17;
constexpr int maxRoomyLanes = 13; // The parent and twelve processes.
constexpr qint64 autoLengthNs = 10'000'000'000;
constexpr double keyFactor = 1.6;
constexpr qint64 shortestMarginNs = 1'000'000; // Around a single instant.

} // namespace

TimelineView::TimelineView(QWidget *parent)
    : QWidget(parent)
    , m_scrollBar(new QScrollBar(Qt::Vertical, this))
{
    enableAccessibleItems();
    setAccessibleName(tr("Timeline"));
    setFocusPolicy(Qt::StrongFocus);
    setMouseTracking(true);
    setAttribute(Qt::WA_OpaquePaintEvent);
    m_scrollBar->hide();
    connect(m_scrollBar, &QScrollBar::valueChanged, this, [this] { update(); });
}

void TimelineView::setSpec(const ExperimentSpec &spec)
{
    if (spec.kind() != m_spec.kind())
        m_legend = {};
    m_spec = spec;
    m_itemNames = ItemNames(spec);
    const Kind *kind = spec.kindInfo();
    m_tracks = kind ? kind->tracks : QList<TimelineTrack>();
    m_peaks.assign(static_cast<std::size_t>(m_tracks.size()), {});
    m_lanes.clear();
    m_bars.clear();
    m_heads = {};
    m_processes.clear();
    refreshProcesses();
    update();
}

void TimelineView::setRun(std::shared_ptr<const RunLog> log)
{
    m_log = std::move(log);
    m_snapshot.reset();
    m_indexes.clear();
    m_processes.clear();
    m_lanes.clear();
    m_bars.clear();
    m_heads = {};
    m_cursorNs.reset();
    m_peaks.assign(static_cast<std::size_t>(m_tracks.size()), {});
    setMode(Mode::Auto);
    refreshProcesses();
    update();
}

void TimelineView::setSnapshot(const StageSnapshotPointer &snapshot)
{
    m_snapshot = snapshot;
    refreshProcesses();
    // Neither the scroll bar nor the legend tells of time.
    update(0, 0, barsRect().right() + 1, lanesRect().bottom() + 1);
}

void TimelineView::refreshProcesses()
{
    if (!m_log)
        return;
    const qsizetype before = m_processes.size();
    m_processes = m_log->processes();
    if (m_processes.size() != before) {
        m_lanes = laneOrder(m_processes);
        m_indexes.resize(static_cast<std::size_t>(m_processes.size()));
        arrangeLanes();
        updateScrollBar();
    } else if (lacksTrack()) {
        arrangeLanes();
        updateScrollBar();
    }
}

void TimelineView::setSelectedProcess(int process)
{
    if (process == m_selected)
        return;
    m_selected = process;
    const int lane = currentItem();
    if (lane >= 0)
        scrollToLane(lane);
    announceCurrentItem(this, lane);
    update();
}

void TimelineView::setCursor(std::optional<qint64> timeNs)
{
    if (timeNs && (*timeNs < 0 || *timeNs > nowNs()))
        timeNs.reset();
    if (timeNs == m_cursorNs)
        return;
    m_cursorNs = timeNs;
    update();
}

void TimelineView::moveCursor(std::optional<qint64> timeNs)
{
    const std::optional<qint64> before = m_cursorNs;
    setCursor(timeNs);
    if (m_cursorNs != before)
        Q_EMIT cursorMoved(m_cursorNs);
}

bool TimelineView::isFollowing() const
{
    return m_mode != Mode::Free;
}

void TimelineView::setFollowing(bool following)
{
    if (following == isFollowing())
        return;
    if (following) {
        m_followNs = m_freeRange.length();
        setMode(Mode::Follow);
    } else {
        setFreeRange(visibleRange());
    }
}

void TimelineView::setMode(Mode mode)
{
    const bool followed = isFollowing();
    m_mode = mode;
    if (isFollowing() != followed)
        Q_EMIT followingChanged(isFollowing());
    update();
}

void TimelineView::setFreeRange(TimeRange range)
{
    // At least a quarter of the view keeps showing a part of the run.
    const qint64 quarter = range.length() / 4;
    const qint64 from =
        std::clamp(range.fromNs, -3 * quarter, std::max(nowNs(), quarter) - quarter);
    m_freeRange = {from, from + range.length()};
    setMode(Mode::Free);
}

TimeRange TimelineView::visibleRange() const
{
    const qint64 now = nowNs();
    const double pixels = barsRect().width() * devicePixelRatioF();
    switch (m_mode) {
    case Mode::Free:
        return m_freeRange;
    case Mode::Follow:
        return onWholePixels(followingRange(now, m_followNs), pixels);
    case Mode::Fit:
        return fittingRange(now);
    case Mode::Auto:
        break;
    }
    return now <= autoLengthNs || isEnded()
               ? fittingRange(now)
               : onWholePixels(followingRange(now, autoLengthNs), pixels);
}

void TimelineView::zoomIn()
{
    zoomBy(1 / keyFactor);
}

void TimelineView::zoomOut()
{
    zoomBy(keyFactor);
}

void TimelineView::zoomBy(double factor)
{
    const TimeRange range = visibleRange();
    const qint64 longest = longestRangeNs(nowNs());
    if (isFollowing()) {
        m_followNs = zoomed(range, factor, nowNs(), longest).length();
        setMode(Mode::Follow);
        return;
    }
    setFreeRange(zoomed(range, factor, range.fromNs + range.length() / 2, longest));
}

void TimelineView::fit()
{
    setMode(Mode::Fit);
}

void TimelineView::showRange(TimeRange range)
{
    const bool isNearlyAll = range.length() >= nowNs() / 10 * 9;
    if (isNearlyAll && range.fromNs <= 0)
        return fit();
    const qint64 margin = std::max(range.length() / 8, shortestMarginNs);
    setFreeRange({range.fromNs - margin, range.toNs + margin});
}

void TimelineView::pan(double pixels)
{
    TimeRange range = visibleRange();
    const auto ns = static_cast<qint64>(pixels * range.nsPerPixel(barsRect().width()));
    range.fromNs += ns;
    range.toNs += ns;
    setFreeRange(range);
}

qint64 TimelineView::nowNs() const
{
    return m_snapshot ? m_snapshot->timeNs : 0;
}

bool TimelineView::isEnded() const
{
    return m_snapshot && haveEnded(m_processes);
}

const ProcessLive *TimelineView::live(int process) const
{
    return m_snapshot && process < m_snapshot->processes.size() ? &m_snapshot->processes[process]
                                                                : nullptr;
}

std::optional<Span> TimelineView::openSpanOf(int process) const
{
    const ProcessLive *now = live(process);
    if (!now || process == 0 || m_processes[process].endNs >= 0)
        return std::nullopt;
    const AppendLog<Span> &spans = m_log->lane(process).spans;
    const std::size_t count = m_indexes[static_cast<std::size_t>(process)].spanCount();
    return openSpan(*now, m_processes[process], count > 0 ? spans[count - 1].endNs : 0, nowNs());
}

double TimelineView::busyShare(int process) const
{
    const ProcessRecord &record = m_processes[process];
    const qint64 endNs = record.endNs >= 0 ? record.endNs : nowNs();
    const qint64 lifeNs = endNs - std::max<qint64>(record.startNs, 0);
    if (lifeNs <= 0)
        return 0;
    TimeShares shares = m_indexes[static_cast<std::size_t>(process)].total();
    if (const auto open = openSpanOf(process))
        shares.add(*open, static_cast<double>(open->endNs - open->startNs));
    return std::min(1.0, shares.busy() / static_cast<double>(lifeNs));
}

bool TimelineView::isDense() const
{
    return laneHeight() < lowestRoomyLane;
}

/// Lower where that brings all lanes into view.
int TimelineView::laneHeight() const
{
    const int lanes = std::max(1, itemCount());
    return lanes > maxRoomyLanes ? denseLane
                                 : std::clamp(lanesRect().height() / lanes, denseLane, roomyLane);
}

QRect TimelineView::lanesRect() const
{
    return {0, headerHeight, width(), std::max(0, height() - headerHeight - legendHeight)};
}

QRect TimelineView::barsRect() const
{
    const int scrollWidth = m_scrollBar->isVisibleTo(this) ? m_scrollBar->width() : 0;
    return {gutterWidth, headerHeight, std::max(1, width() - gutterWidth - scrollWidth),
            lanesRect().height()};
}

int TimelineView::laneAt(int y) const
{
    if (!lanesRect().contains(0, y))
        return -1;
    const int lane = (y - headerHeight + m_scrollBar->value()) / laneHeight();
    return lane < m_lanes.size() ? lane : -1;
}

void TimelineView::updateScrollBar()
{
    const int content = laneHeight() * static_cast<int>(m_lanes.size());
    const int room = lanesRect().height();
    m_scrollBar->setVisible(content > room);
    m_scrollBar->setRange(0, std::max(0, content - room));
    m_scrollBar->setPageStep(room);
    m_scrollBar->setSingleStep(laneHeight());
    const int wide = m_scrollBar->sizeHint().width();
    m_scrollBar->setGeometry(width() - wide, headerHeight, wide, room);
}

void TimelineView::scrollToLane(int lane)
{
    const int top = lane * laneHeight();
    if (top < m_scrollBar->value())
        m_scrollBar->setValue(top);
    else if (top + laneHeight() > m_scrollBar->value() + lanesRect().height())
        m_scrollBar->setValue(top + laneHeight() - lanesRect().height());
}

void TimelineView::selectLane(int lane)
{
    const int process = lane >= 0 && lane < m_lanes.size() ? std::max(-1, m_lanes[lane]) : -1;
    setSelectedProcess(process);
    Q_EMIT processSelected(process);
}

int TimelineView::itemCount() const
{
    return static_cast<int>(m_lanes.size());
}

QString TimelineView::itemName(int lane) const
{
    if (m_lanes[lane] < 0)
        return m_tracks[trackOfLane(m_lanes[lane])].title;
    const ProcessRecord &process = m_processes[m_lanes[lane]];
    const ProcessLive *now = live(m_lanes[lane]);
    const QString state = process.endNs >= 0 ? endText(process)
                          : now              ? stateWord(now->state).toLower()
                                             : QString();
    return state.isEmpty() ? process.name : tr("%1, %2").arg(process.name, state);
}

QString TimelineView::itemValue(int lane) const
{
    const int process = m_lanes[lane];
    if (process < 0)
        return trackTip(m_tracks[trackOfLane(process)], nowNs());
    return tr("PID %1, busy %2\u00A0%").arg(m_processes[process].pid).arg(busyPercent(process));
}

QRect TimelineView::itemRect(int lane) const
{
    return {0, headerHeight + lane * laneHeight() - m_scrollBar->value(), width(), laneHeight()};
}

int TimelineView::currentItem() const
{
    return m_selected < 0 ? -1 : static_cast<int>(m_lanes.indexOf(m_selected));
}

bool TimelineView::event(QEvent *event)
{
    if (event->type() == QEvent::ToolTip) {
        const auto *help = static_cast<QHelpEvent *>(event);
        QToolTip::showText(help->globalPos() + QPoint(12, 12), tipAt(help->pos()), this);
        return true;
    }
    return QWidget::event(event);
}

QString TimelineView::tipAt(const QPoint &position) const
{
    if (legendRect().contains(position))
        return legendTipAt(position.x());
    const int lane = laneAt(position.y());
    if (lane < 0 || !m_log)
        return {};
    const int process = m_lanes[lane];
    const QString head = itemName(lane);
    if (position.x() < gutterWidth)
        return head % u'\n' % itemValue(lane);
    const TimeRange range = visibleRange();
    const qint64 timeNs = range.timeAt(position.x() - barsRect().left(), barsRect().width());
    if (process < 0)
        return head % u'\n' % trackTip(m_tracks[trackOfLane(process)], timeNs);
    const SpanIndex &index = m_indexes[static_cast<std::size_t>(process)];
    const AppendLog<Span> &spans = m_log->lane(process).spans;
    const qint64 span = spanAt(spans, index.spanCount(), timeNs);
    if (span >= 0)
        return head % u'\n' %
               spanText(spans[static_cast<std::size_t>(span)], m_processes[process].role,
                        m_itemNames);
    const auto open = openSpanOf(process);
    if (open && timeNs >= open->startNs && timeNs <= open->endNs)
        return head % u'\n' % spanText(*open, m_processes[process].role, m_itemNames);
    return head % u'\n' % tr("at %1").arg(durationText(static_cast<double>(timeNs) / 1e9));
}

void TimelineView::resizeEvent(QResizeEvent *)
{
    updateScrollBar();
}

void TimelineView::changeEvent(QEvent *event)
{
    if (event->type() == QEvent::PaletteChange) {
        m_bars.clear();
        m_heads = {};
        m_legend = {};
        update();
    }
    QWidget::changeEvent(event);
}

} // namespace proclab
