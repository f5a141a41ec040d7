// SPDX-License-Identifier: GPL-3.0-or-later
#include "ui/experiment/timeline/timeline_view.h"

#include <QApplication>
#include <QKeyEvent>
#include <QMouseEvent>
#include <QScrollBar>
#include <QWheelEvent>

#include <algorithm>
#include <cmath>

namespace proclab {

namespace {

constexpr double wheelFactor = 1.25;
constexpr double keyPan = 0.15;

} // namespace

void TimelineView::selectNext(int lane, int step)
{
    const int count = itemCount();
    int next = std::clamp(lane + step, 0, std::max(0, count - 1));
    if (next < count && m_lanes[next] < 0)
        next = std::clamp(next + step, 0, count - 1); // Past a lane that is no process's.
    if (next < count)
        selectLane(next);
}

void TimelineView::keyPressEvent(QKeyEvent *event)
{
    const int lane = currentItem();
    const int count = itemCount();
    switch (event->key()) {
    case Qt::Key_Plus:
    case Qt::Key_Equal:
        return zoomIn();
    case Qt::Key_Minus:
        return zoomOut();
    case Qt::Key_0:
        return fit();
    case Qt::Key_Left:
        return pan(-keyPan * barsRect().width());
    case Qt::Key_Right:
        return pan(keyPan * barsRect().width());
    case Qt::Key_Home:
        return setFreeRange({0, visibleRange().length()});
    case Qt::Key_End:
        return setFollowing(true);
    case Qt::Key_Up:
        return selectNext(lane < 0 ? count : lane, -1);
    case Qt::Key_Down:
        return selectNext(lane, 1);
    case Qt::Key_PageUp:
    case Qt::Key_PageDown:
        m_scrollBar->triggerAction(event->key() == Qt::Key_PageUp
                                       ? QAbstractSlider::SliderPageStepSub
                                       : QAbstractSlider::SliderPageStepAdd);
        return;
    case Qt::Key_Escape:
        if (m_selected >= 0)
            return selectLane(-1);
        break;
    default:
        break;
    }
    QWidget::keyPressEvent(event);
}

void TimelineView::wheelEvent(QWheelEvent *event)
{
    const QPointF at = event->position();
    const QPoint delta = event->angleDelta();
    const bool scrolls = at.x() < gutterWidth || event->modifiers().testFlag(Qt::ShiftModifier);
    event->accept();
    if (scrolls) {
        QCoreApplication::sendEvent(m_scrollBar, event);
        return;
    }
    if (delta.x() != 0 && delta.y() == 0)
        return pan(-delta.x());
    const TimeRange range = visibleRange();
    const qint64 around = range.timeAt(at.x() - barsRect().left(), barsRect().width());
    setFreeRange(
        zoomed(range, std::pow(wheelFactor, -delta.y() / 120.0), around, longestRangeNs(nowNs())));
}

void TimelineView::mousePressEvent(QMouseEvent *event)
{
    if (event->button() != Qt::LeftButton)
        return QWidget::mousePressEvent(event);
    m_pressed = true;
    m_panning = false;
    m_pressedAt = event->pos();
    m_pressedRange = visibleRange();
}

void TimelineView::leaveEvent(QEvent *event)
{
    QWidget::leaveEvent(event);
    moveCursor(std::nullopt);
}

void TimelineView::mouseMoveEvent(QMouseEvent *event)
{
    const QRect bars = barsRect();
    const bool onLanes = bars.contains(event->pos()) && !m_lanes.isEmpty();
    moveCursor(
        onLanes ? std::optional(visibleRange().timeAt(event->pos().x() - bars.left(), bars.width()))
                : std::nullopt);
    if (!m_pressed)
        return;
    const int distance = event->pos().x() - m_pressedAt.x();
    const bool onBars = m_pressedAt.x() >= gutterWidth;
    if (!m_panning && onBars && std::abs(distance) >= QApplication::startDragDistance()) {
        m_panning = true;
        setCursor(Qt::ClosedHandCursor);
    }
    if (!m_panning)
        return;
    const auto ns = static_cast<qint64>(-distance * m_pressedRange.nsPerPixel(barsRect().width()));
    setFreeRange({m_pressedRange.fromNs + ns, m_pressedRange.toNs + ns});
}

void TimelineView::mouseReleaseEvent(QMouseEvent *event)
{
    if (event->button() != Qt::LeftButton || !m_pressed)
        return QWidget::mouseReleaseEvent(event);
    m_pressed = false;
    if (m_panning)
        unsetCursor();
    else if (lanesRect().contains(event->pos()))
        selectLane(laneAt(event->pos().y()));
    m_panning = false;
}

void TimelineView::mouseDoubleClickEvent(QMouseEvent *event)
{
    if (event->button() == Qt::LeftButton)
        fit();
}

} // namespace proclab
