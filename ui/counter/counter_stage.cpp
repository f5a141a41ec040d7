// SPDX-License-Identifier: GPL-3.0-or-later
#include "ui/counter/counter_stage.h"

#include "core/experiment/kinds/counter/counter_kind.h"
#include "core/experiment/spec/kind.h"
#include "ui/experiment/stage/stage_painting.h"
#include "ui/shared/theme.h"

#include <QPainter>

#include <algorithm>
#include <cmath>

using namespace Qt::StringLiterals;

namespace proclab {

namespace {

constexpr double resultHeight = 118;
constexpr double lowestBar = 16;
constexpr double tallestBar = 28;
constexpr double lowestResult = 64;
constexpr double lowestThreeLines = 60;

const ProcessRole &processRole()
{
    return findKind(u"counter"_s)->roles[CounterRoles::Process];
}

QString percent(double share)
{
    if (share > 0 && share < 0.001)
        return CounterStage::tr("less than 0.1\u00A0%");
    return CounterStage::tr("%1\u00A0%")
        .arg(QString::number(100 * share, 'f', share > 0 && share < 0.1 ? 1 : 0));
}

} // namespace

CounterLayout arrangeCounter(const QRectF &area, int processes)
{
    const double width = area.width();
    const double share = std::min(resultHeight, area.height() * 0.42);
    const double below = share < lowestResult ? 0 : share; // All for the processes then.
    const double gap = std::clamp(width * 0.05, 16.0, 60.0);
    const double middle = std::floor(std::clamp(width * 0.24, 90.0, 180.0));
    const double side = std::floor(std::clamp((width - middle - 2 * gap) / 2, 60.0, 300.0));
    const double upper = std::max(20.0, area.height() - below - (below > 0 ? 16 : 0));
    const double counterHeight = std::min(104.0, upper - 24);

    CounterLayout layout;
    layout.counter = {std::floor(area.center().x() - middle / 2),
                      std::floor(area.top() + (upper - counterHeight) / 2 + 8), middle,
                      counterHeight};
    const double left = std::max(area.left(), layout.counter.left() - gap - side);
    layout.left = {left, area.top(), side, upper};
    if (processes > 1)
        layout.right = {layout.counter.right() + gap, area.top(), side, upper};
    if (below > 0) {
        layout.result = {left, area.top() + upper + 16,
                         std::min(area.right(), layout.counter.right() + gap + side) - left, below};
    }
    return layout;
}

CounterStage::CounterStage(QWidget *parent) : ProcessStage(parent)
{
    setAccessibleName(tr("Counter stage"));
    setCardForm({.waits = {ProcessState::WaitingForLock}});
}

QList<ProcessRecord> CounterStage::idleProcesses() const
{
    QList<ProcessRecord> processes{idleParent()};
    const int count = std::clamp(spec().integer(u"counter.processes"_s), 0, 256);
    for (int i = 0; i < count; ++i)
        processes.append(idleProcess(processRole(), i + 1, i));
    return processes;
}

QString CounterStage::idleText() const
{
    const auto count = static_cast<int>(processes().size()) - 1;
    const QString times = groupedNumber(spec().bigInteger(u"counter.increments"_s));
    const QString start = count == 1
                              ? tr("1 process will add 1, %1 times").arg(times)
                              : tr("%1 processes will add 1, %2 times each").arg(count).arg(times);
    if (mode() == u"none"_s)
        return count > 1 ? tr("%1, without a lock: some updates may be lost").arg(start) : start;
    if (mode() == u"atomic"_s)
        return tr("%1, as one indivisible step").arg(start);
    if (mode() == u"local"_s)
        return tr("%1, to a sum of their own, merged at the end").arg(start);
    return tr("%1, one at a time under a lock").arg(start);
}

QString CounterStage::idleTaskText(const ProcessRecord &) const
{
    return tr("adds 1, %1 \u00D7").arg(groupedNumber(spec().bigInteger(u"counter.increments"_s)));
}

QString CounterStage::mode() const
{
    return spec().text(u"counter.mode"_s);
}

CounterState CounterStage::state() const
{
    return snapshot() ? snapshot()->state<CounterState>() : CounterState();
}

qint64 CounterStage::expected() const
{
    if (const qint64 known = state().expected; known > 0)
        return known;
    return (static_cast<qint64>(processes().size()) - 1) *
           std::max<qint64>(0, spec().bigInteger(u"counter.increments"_s));
}

qint64 CounterStage::value() const
{
    return state().value;
}

qint64 CounterStage::made() const
{
    if (!snapshot())
        return 0;
    qint64 sum = 0;
    for (const ProcessLive &process : snapshot()->processes)
        sum += process.process > 0 ? static_cast<qint64>(process.done) : 0;
    return std::min(sum, expected());
}

qint64 CounterStage::lost() const
{
    if (!snapshot())
        return 0;
    if (snapshot()->lost > 0)
        return static_cast<qint64>(snapshot()->lost);
    // With a lock the value lags behind the processes' own counts for an instant: nothing is lost
    // by that.
    return mode() == u"none"_s || isEnded() ? std::max<qint64>(0, made() - value()) : 0;
}

bool CounterStage::isExact() const
{
    return isEnded() && value() == expected();
}

void CounterStage::arrange(const QRectF &area)
{
    const QList<int> shown = shownProcesses(processes(), processRole());
    const auto count = static_cast<int>(shown.size());
    m_layout = arrangeCounter(area, count);
    const int half = (count + 1) / 2;
    addCards(m_layout.left, shown.mid(0, half));
    addCards(m_layout.right, shown.mid(half));
}

void CounterStage::paintStill(QPainter &painter)
{
    if (!m_layout.result.isEmpty())
        drawBox(painter, m_layout.result);
    paintLinks(painter);
}

/// Each process reads the value and writes it back.
void CounterStage::paintLinks(QPainter &painter)
{
    const QColor color = Theme::current().borderStrong;
    const QRectF &counter = m_layout.counter;
    const auto both = [&](double from, double to, double y) {
        drawLink(painter, {{from, y - 4}, {to, y - 4}}, color, Link::Tasks);
        drawLink(painter, {{to, y + 4}, {from, y + 4}}, color, Link::Tasks);
    };
    const auto clampY = [&](double y) {
        return std::clamp(y, counter.top() + 12, counter.bottom() - 12);
    };
    for (const Place &place : places()) {
        const bool isLeft = place.rect.center().x() < counter.center().x();
        if (place.style == CardStyle::Square)
            continue;
        const double y = place.rect.center().y();
        const double from = isLeft ? place.rect.right() + 2 : place.rect.left() - 2;
        const double to = isLeft ? counter.left() - 3 : counter.right() + 3;
        if (clampY(y) == y)
            both(from, to, y);
        else
            drawLink(
                painter,
                {{from, y}, {(from + to) / 2, y}, {(from + to) / 2, clampY(y)}, {to, clampY(y)}},
                color, Link::Tasks);
    }
    if (places().isEmpty() || places().first().style != CardStyle::Square)
        return;
    both(m_layout.left.right() + 2, counter.left() - 3, counter.center().y());
    if (!m_layout.right.isEmpty())
        both(m_layout.right.left() - 2, counter.right() + 3, counter.center().y());
}

void CounterStage::paintMoving(QPainter &painter)
{
    paintCounter(painter);
    paintResult(painter);
}

QString CounterStage::lockText() const
{
    if (mode() == u"atomic"_s)
        return tr("atomic, no lock");
    if (mode() == u"local"_s)
        return tr("merged at the end");
    if (mode() != u"lock"_s)
        return tr("no lock");
    if (!snapshot() || isEnded())
        return tr("lock is free");
    const CounterState now = state();
    if (now.lockOwner < 0 || now.lockOwner >= processes().size())
        return now.lockWaiters > 0 ? tr("lock changes hands") : tr("lock is free");
    const QString holder = shortName(processes()[now.lockOwner]);
    return now.lockWaiters > 0 ? tr("held by %1, %2 waiting").arg(holder).arg(now.lockWaiters)
                               : tr("held by %1").arg(holder);
}

void CounterStage::paintCounter(QPainter &painter)
{
    const Theme &theme = Theme::current();
    const QRectF &box = m_layout.counter;
    const bool locks = mode() == u"lock"_s;
    const int owner = isEnded() ? -1 : state().lockOwner;
    const bool held = locks && owner >= 0 && owner < processes().size();
    painter.setRenderHint(QPainter::Antialiasing);
    if (locks) {
        painter.setBrush(Qt::NoBrush);
        painter.setPen(QPen(held ? theme.warn : theme.borderStrong, 1.5));
        painter.drawRoundedRect(box.adjusted(-6, -6, 6, 6), 8, 8);
    }
    painter.setPen(QPen(theme.field, 1));
    painter.setBrush(theme.raised);
    painter.drawRoundedRect(box.adjusted(0.5, 0.5, -0.5, -0.5), 6, 6);
    if (locks) {
        painter.setPen(Qt::NoPen);
        painter.setBrush(theme.panel);
        painter.drawRect(QRectF(box.center().x() - 11, box.top() - 16, 22, 18));
        drawPadlock(painter, QPointF(box.center().x(), box.top() - 7), 13,
                    held ? theme.warn : theme.text3);
    }
    if (box.height() < lowestThreeLines) {
        drawText(painter, box, Qt::AlignCenter, groupedNumber(value()),
                 textFont(TextSize::Title, QFont::DemiBold), held ? theme.warn : theme.text);
        return;
    }
    const double line = box.height() / 4;
    const QFont small = textFont(TextSize::Caption);
    const QRectF title(box.left() + 6, box.top() + line * 0.3, box.width() - 12, line);
    const QString whole = tr("counter in shared memory");
    drawText(painter, title, Qt::AlignCenter,
             textWidth(whole, small) <= title.width() ? whole : tr("shared memory"), small,
             theme.text3);
    drawText(painter, QRectF(box.left() + 6, box.top() + line * 1.25, box.width() - 12, line * 1.4),
             Qt::AlignCenter, groupedNumber(value()), textFont(TextSize::Title, QFont::DemiBold),
             theme.text);
    drawText(painter, QRectF(box.left() + 6, box.top() + line * 2.7, box.width() - 12, line),
             Qt::AlignCenter, lockText(), textFont(TextSize::Caption),
             held ? theme.warn : theme.text3);
}

void CounterStage::paintResult(QPainter &painter)
{
    const Theme &theme = Theme::current();
    const QRectF box = m_layout.result.adjusted(12, 8, -12, -8);
    if (box.height() < 40)
        return;
    const bool roomy = box.height() >= 92;
    const double numberHeight = roomy ? 40 : 24;
    const QColor color = isExact() ? theme.ok : isEnded() && lost() > 0 ? theme.crash : theme.text;
    const double used =
        drawText(painter, QRectF(box.left(), box.top(), box.width() * 0.6, numberHeight),
                 Qt::AlignVCenter, isIdle() ? u"\u2013"_s : groupedNumber(value()),
                 textFont(roomy ? TextSize::Result : TextSize::Title, QFont::DemiBold), color);
    drawText(painter, QRectF(box.left() + used + 10, box.top() + (roomy ? 12 : 0), 120, 24),
             Qt::AlignVCenter,
             isEnded()  ? tr("observed")
             : isIdle() ? QString()
                        : tr("so far"),
             textFont(TextSize::Small), theme.text3);
    const QString expectedText = groupedNumber(expected());
    const double expectedWidth =
        drawText(painter, QRectF(box.right() - 160, box.top(), 160, numberHeight),
                 Qt::AlignVCenter | Qt::AlignRight, expectedText,
                 textFont(TextSize::Body, QFont::DemiBold), theme.text2);
    drawText(painter,
             QRectF(box.left() + box.width() * 0.5, box.top(),
                    box.width() * 0.5 - expectedWidth - 8, numberHeight),
             Qt::AlignVCenter | Qt::AlignRight, tr("expected"), textFont(TextSize::Small),
             theme.text3);
    constexpr double gap = 4;
    constexpr double captionHeight = 18;
    const double barHeight =
        std::clamp(box.height() - numberHeight - captionHeight - 2 * gap, lowestBar, tallestBar);
    const QRectF bar(box.left(), box.top() + numberHeight + gap, box.width(), barHeight);
    paintBar(painter, bar);
    const QRectF caption(box.left(), bar.bottom() + gap, box.width(), captionHeight);
    if (isIdle() || caption.bottom() > m_layout.result.bottom() + 2)
        return;
    const auto whole = static_cast<double>(std::max<qint64>(expected(), 1));
    drawText(painter, caption, Qt::AlignVCenter,
             tr("kept %1").arg(percent(static_cast<double>(value()) / whole)),
             textFont(TextSize::Small), theme.text2);
    const QString lostText =
        lost() == 0 ? tr("0 lost")
                    : (lost() == 1 ? tr("%1 update lost (%2)") : tr("%1 updates lost (%2)"))
                          .arg(groupedNumber(lost()), percent(static_cast<double>(lost()) / whole));
    drawText(painter, caption, Qt::AlignVCenter | Qt::AlignRight, lostText,
             textFont(TextSize::Small),
             lost() > 0  ? theme.crash
             : isExact() ? theme.ok
                         : theme.text3);
}

void CounterStage::paintBar(QPainter &painter, const QRectF &bar)
{
    const Theme &theme = Theme::current();
    const auto whole = static_cast<double>(std::max<qint64>(expected(), 1));
    const double kept = bar.width() * std::clamp(static_cast<double>(value()) / whole, 0.0, 1.0);
    const double gone =
        std::min(bar.width() - kept, bar.width() * static_cast<double>(lost()) / whole);
    painter.setRenderHint(QPainter::Antialiasing);
    painter.setPen(Qt::NoPen);
    painter.setBrush(theme.hover);
    painter.drawRoundedRect(bar, 2, 2);
    painter.setBrush(isExact() ? theme.ok : theme.idle);
    if (kept > 0)
        painter.drawRoundedRect(QRectF(bar.left(), bar.top(), kept, bar.height()), 2, 2);
    if (gone > 0) {
        const QRectF part(bar.left() + kept, bar.top(), std::max(2.0, gone), bar.height());
        painter.setBrushOrigin(part.topLeft());
        painter.setBrush(
            theme.hatch(Theme::Hatch::Crashed, theme.crash, painter.device()->devicePixelRatioF()));
        painter.setPen(QPen(theme.crash, 1));
        painter.drawRect(part.adjusted(0.5, 0.5, -0.5, -0.5));
    }
    painter.fillRect(QRectF(bar.right() - 1, bar.top() - 4, 1.5, bar.height() + 8), theme.text);
}

void CounterStage::describe(const ProcessLive &live, CardContent &content) const
{
    content.task.clear();
    content.taskTime.clear();
    content.taskText = idleTaskText(content.process);
    content.count = tr("%1 added").arg(shortNumber(static_cast<double>(live.done)));
    if (mode() == u"lock"_s) {
        content.note = tr("waits %1").arg(percent(live.waitingShare));
        if (state().lockOwner == live.process && !isEnded())
            content.taskText = tr("holds the lock");
    }
}

QString CounterStage::summaryText() const
{
    if (!snapshot())
        return idleText();
    const QString text = lost() == 1 ? tr("counter at %1 of %2, %3 update lost, %4")
                                     : tr("counter at %1 of %2, %3 updates lost, %4");
    return text.arg(groupedNumber(value()), groupedNumber(expected()), groupedNumber(lost()),
                    lockText());
}

} // namespace proclab
