// SPDX-License-Identifier: GPL-3.0-or-later
#include "ui/pipe/pipe_stage.h"

#include "core/experiment/kinds/pipe/pipe_kind.h"
#include "core/experiment/spec/kind.h"
#include "ui/experiment/stage/stage_painting.h"
#include "ui/shared/theme.h"

#include <QPainter>

#include <algorithm>
#include <cmath>

using namespace Qt::StringLiterals;

namespace proclab {

namespace {

constexpr double receivedHeight = 76;
constexpr double wayHeight = 52;
constexpr double titleHeight = 20;
constexpr double arrowRoom = 14;
constexpr double lowestReceived = 48;
constexpr double cellWidth = 14;
constexpr double cellGap = 3;

const ProcessRole &childRole()
{
    return findKind(u"pipe"_s)->roles[PipeRoles::Child];
}

QString messageCount(quint64 count)
{
    return groupedNumber(static_cast<qint64>(count));
}

} // namespace

PipeLayout arrangePipe(const QRectF &area)
{
    const double width = area.width();
    const double side = std::floor(std::clamp(width * 0.3, 60.0, 260.0));
    const double gap = std::clamp(width * 0.03, 6.0, 24.0);
    const double whole = std::min(width, 2 * side + 2 * gap + 420);
    const double left = std::floor(area.center().x() - whole / 2);
    const double share = std::min(receivedHeight, area.height() * 0.3);
    const double below = share < lowestReceived ? 0 : share; // All for the ways then.
    const double upper = std::max(40.0, area.height() - below - (below > 0 ? 16 : 0));
    const double cards = std::min(upper, 190.0);
    const double top = std::floor(area.top() + (upper - cards) / 2);

    PipeLayout layout;
    layout.parent = {left, top, side, cards};
    layout.child = {left + whole - side, top, side, cards};
    const double from = layout.parent.right() + gap;
    const double length = std::max(20.0, layout.child.left() - gap - from);
    const double each = cards / 2;
    layout.titleHeight = each < titleHeight + arrowRoom + 2 * cellGap ? cellGap : titleHeight;
    const double thick = std::max(2.0, std::min(wayHeight, each - layout.titleHeight - arrowRoom));
    layout.messages = {from, top + layout.titleHeight, length, thick};
    layout.answers = {from, top + each + layout.titleHeight, length, thick};
    if (below > 0)
        layout.result = {left, area.top() + upper + 16, whole, below};
    return layout;
}

PipeStage::PipeStage(QWidget *parent) : ProcessStage(parent)
{
    setAccessibleName(tr("Pipe stage"));
    setCardForm({.waits = {ProcessState::BlockedOnFull, ProcessState::WaitingOnEmpty}});
}

QList<ProcessRecord> PipeStage::idleProcesses() const
{
    return {idleParent(), idleProcess(childRole(), 1, 0)};
}

QString PipeStage::idleText() const
{
    const qint64 count = spec().bigInteger(u"pipe.messages"_s);
    const QString size = bytesText(messageBytes());
    const QString messages = count == 1 ? tr("1 message of %1").arg(size)
                                        : tr("%1 messages of %2").arg(groupedNumber(count), size);
    return isDuplex() ? tr("A child will send %1, and wait for the answer to each").arg(messages)
                      : tr("A child will send %1; nothing goes back").arg(messages);
}

QString PipeStage::idleTaskText(const ProcessRecord &process) const
{
    if (!process.isParent())
        return isDuplex() ? tr("sends, awaits answers") : tr("sends");
    return isDuplex() ? tr("receives and answers") : tr("receives");
}

bool PipeStage::isDuplex() const
{
    return spec().value(u"pipe.duplex"_s).toBool();
}

quint64 PipeStage::messageBytes() const
{
    return static_cast<quint64>(std::max<qint64>(0, spec().bigInteger(u"pipe.message_bytes"_s)));
}

PipeState PipeStage::state() const
{
    return snapshot() ? snapshot()->state<PipeState>() : PipeState();
}

bool PipeStage::hasReceivedAll() const
{
    return snapshot() && snapshot()->done == snapshot()->total;
}

int PipeStage::child() const
{
    int last = -1;
    for (int i = 0; i < processes().size(); ++i) {
        if (processes()[i].role == &childRole())
            last = i;
    }
    return last;
}

bool PipeStage::isChildsEndClosed() const
{
    const ProcessLive *now = live(child());
    return now && isOver(now->state);
}

void PipeStage::arrange(const QRectF &area)
{
    m_layout = arrangePipe(area);
    addCards(m_layout.parent, {0});
    addCards(m_layout.child, shownProcesses(processes(), childRole()));
}

void PipeStage::paintStill(QPainter &painter)
{
    if (!m_layout.result.isEmpty())
        drawBox(painter, m_layout.result);
}

void PipeStage::paintMoving(QPainter &painter)
{
    const PipeState now = state();
    paintWay(painter, m_layout.messages, tr("Messages"), now.toParent, true);
    if (isDuplex())
        paintWay(painter, m_layout.answers, tr("Answers"), now.toChild, false);
    else
        drawText(painter, m_layout.answers, Qt::AlignCenter, tr("one way: nothing goes back"),
                 textFont(TextSize::Small), Theme::current().text3);
    if (isChildsEndClosed())
        paintClosedEnd(painter);
    paintResult(painter);
}

void PipeStage::paintWay(QPainter &painter, const QRectF &way, const QString &title, qint64 count,
                         bool isTowardsParent)
{
    const Theme &theme = Theme::current();
    painter.setRenderHint(QPainter::Antialiasing, false);
    painter.fillRect(way, theme.sunken);
    painter.setPen(QPen(theme.axis, 1.5));
    painter.drawLine(way.topLeft(), way.topRight());
    painter.drawLine(way.bottomLeft(), way.bottomRight());

    paintCells(painter, way, count, isTowardsParent);
    const double y = way.bottom() + 9;
    const QPolygonF arrow = isTowardsParent ? QPolygonF({{way.right(), y}, {way.left(), y}})
                                            : QPolygonF({{way.left(), y}, {way.right(), y}});
    drawLink(painter, arrow, theme.borderStrong, Link::Tasks);
    if (m_layout.titleHeight < titleHeight)
        return;
    const QRectF head(way.left(), way.top() - titleHeight, way.width(), titleHeight - 4);
    const double used = drawText(painter, head, Qt::AlignVCenter, title,
                                 textFont(TextSize::Small, QFont::DemiBold), theme.text);
    if (isIdle())
        return;
    const QRectF room = head.adjusted(used + 8, 0, 0, 0);
    const QFont font = textFont(TextSize::Small);
    const QString number = count > 0 ? groupedNumber(count) : tr("none");
    QStringList texts{tr("%1 on the way").arg(number), number}; // The longest that has room.
    if (count > 0)
        texts.prepend(tr("%1 on the way, %2")
                          .arg(number, bytesText(static_cast<quint64>(count) * messageBytes())));
    const auto text = std::find_if(texts.cbegin(), texts.cend() - 1, [&](const QString &candidate) {
        return textWidth(candidate, font) <= room.width();
    });
    drawText(painter, room, Qt::AlignVCenter | Qt::AlignRight, *text, font, theme.text2);
}

/// The messages that wait, the next to be received at the receiver's end.
void PipeStage::paintCells(QPainter &painter, const QRectF &way, qint64 count, bool isTowardsParent)
{
    if (count <= 0)
        return;
    const Theme &theme = Theme::current();
    const int sender = isTowardsParent ? child() : 0;
    const QColor color = theme.process(sender >= 0 ? processes()[sender].colorIndex : -1);
    const double step = cellWidth + cellGap;
    const auto room = static_cast<qint64>(std::max(0.0, std::floor((way.width() - 8) / step)));
    // What does not fit is told instead of its last cells.
    constexpr qint64 forText = 5;
    const qint64 shown = count <= room ? count : std::max<qint64>(0, room - forText);
    const auto cellAt = [&](double i, double cells) {
        const double x = isTowardsParent ? way.left() + 4 + i * step
                                         : way.right() - 4 - (i + cells) * step + cellGap;
        return QRectF(x, way.top() + 6, cells * step - cellGap, way.height() - 12);
    };
    painter.setRenderHint(QPainter::Antialiasing, false);
    for (qint64 i = 0; i < shown; ++i) {
        const QRectF cell = cellAt(static_cast<double>(i), 1);
        painter.fillRect(cell, theme.tint(color, 0.25));
        painter.fillRect(
            QRectF(isTowardsParent ? cell.left() : cell.right() - 3, cell.top(), 3, cell.height()),
            color);
    }
    if (shown < count)
        drawText(painter, cellAt(static_cast<double>(shown), forText), Qt::AlignCenter,
                 tr("%1 more").arg(shortNumber(static_cast<double>(count - shown))),
                 textFont(TextSize::Caption), theme.text2);
}

/// Where the child's end was: nothing comes in any more.
void PipeStage::paintClosedEnd(QPainter &painter)
{
    const Theme &theme = Theme::current();
    const bool hasCrashed = live(child())->state == ProcessState::Crashed;
    const QColor color = hasCrashed ? theme.crash : theme.text3;
    for (const QRectF &way : {m_layout.messages, m_layout.answers}) {
        if (way == m_layout.answers && !isDuplex())
            continue;
        painter.fillRect(QRectF(way.right() - 2, way.top() - 1, 4, way.height() + 2), color);
    }
    const QRectF &way = m_layout.messages;
    if (state().toParent == 0)
        drawText(painter, way.adjusted(8, 0, -8, 0), Qt::AlignVCenter | Qt::AlignRight,
                 tr("end of file"), textFont(TextSize::Caption), color);
}

void PipeStage::paintResult(QPainter &painter)
{
    const Theme &theme = Theme::current();
    const QRectF box = m_layout.result.adjusted(12, 8, -12, -8);
    if (box.height() < 36)
        return;
    const auto total =
        static_cast<quint64>(std::max<qint64>(0, spec().bigInteger(u"pipe.messages"_s)));
    const quint64 received = snapshot() ? snapshot()->done : 0;
    const double line = isIdle() ? box.height() : box.height() / 2;
    const QRectF upper(box.left(), box.top(), box.width(), line);
    const QRectF lower(box.left(), box.top() + line, box.width(), line);
    const bool isAll = isEnded() && hasReceivedAll();
    const double used =
        drawText(painter, upper, Qt::AlignVCenter, isIdle() ? u"\u2013"_s : messageCount(received),
                 textFont(TextSize::Title, QFont::DemiBold), isAll ? theme.ok : theme.text);
    drawText(painter, upper.adjusted(used + 10, 0, 0, 0), Qt::AlignVCenter,
             total == 1 ? tr("of 1 message received")
                        : tr("of %1 messages received").arg(messageCount(total)),
             textFont(TextSize::Small), theme.text3);
    if (isIdle())
        return;
    drawText(painter, lower, Qt::AlignVCenter, bytesText(received * messageBytes()),
             textFont(TextSize::Small), theme.text2);
    if (const qint64 trip = state().meanRoundTripNs; trip > 0)
        drawText(
            painter, lower, Qt::AlignVCenter | Qt::AlignRight,
            tr("there and back: %1 on average").arg(durationText(static_cast<double>(trip) / 1e9)),
            textFont(TextSize::Small), theme.text2);
}

void PipeStage::describe(const ProcessLive &live, CardContent &content) const
{
    const bool isFull = live.state == ProcessState::BlockedOnFull;
    const bool isEmpty = live.state == ProcessState::WaitingOnEmpty;
    const QString share = tr("waits %1\u00A0%").arg(std::lround(100 * live.waitingShare));
    content.task.clear();
    content.taskTime.clear();
    content.taskText = isFull    ? tr("in send(), no room")
                       : isEmpty ? tr("in recv(), nothing there")
                                 : idleTaskText(content.process);
    content.count = content.process.isParent()
                        ? tr("%1 received").arg(shortNumber(static_cast<double>(live.done)))
                        : tr("%1 sent").arg(shortNumber(static_cast<double>(state().sent)));
    content.note = share;
    content.noteIsWarning = isFull && live.waitingShare >= 0.5;
    if (isEnded())
        content.taskText =
            content.process.isParent() && hasReceivedAll() ? tr("got the end of file") : QString();
}

QPolygonF PipeStage::path(bool isTowardsParent) const
{
    const QRectF &way = isTowardsParent ? m_layout.messages : m_layout.answers;
    const double y = way.center().y();
    return isTowardsParent ? QPolygonF({{way.right(), y}, {way.left(), y}})
                           : QPolygonF({{way.left(), y}, {way.right(), y}});
}

void PipeStage::findMoves(const StageSnapshot &before, const StageSnapshot &now)
{
    if (now.done <= before.done || child() < 0)
        return;
    const QString text = u'#' % QString::number(now.done - 1);
    moveToken(path(true), text, processes()[child()].colorIndex);
    if (isDuplex())
        moveToken(path(false), text, processes()[0].colorIndex);
}

QString PipeStage::summaryText() const
{
    if (!snapshot())
        return idleText();
    const PipeState now = state();
    const QString received = tr("%1 of %2 messages received, %3 on the way")
                                 .arg(messageCount(snapshot()->done),
                                      messageCount(snapshot()->total), groupedNumber(now.toParent));
    return isChildsEndClosed() ? tr("%1, the child's end is closed").arg(received) : received;
}

} // namespace proclab
