// SPDX-License-Identifier: GPL-3.0-or-later
#include "ui/experiment/timeline/timeline_legend.h"

#include "core/experiment/spec/kind.h"
#include "ui/shared/draw_text.h"
#include "ui/shared/theme.h"

#include <QCoreApplication>
#include <QPaintDevice>

#include <algorithm>
#include <array>
#include <cmath>

namespace proclab {

namespace {

constexpr double margin = 12;
constexpr double sampleWidth = 15;
constexpr double textGap = 6;
constexpr double wideGap = 18; // Between two entries.
constexpr double narrowGap = 12;

QString tr(const char *text)
{
    return QCoreApplication::translate("Timeline", text);
}

bool hasWait(const Kind *kind, WaitCause wait)
{
    return kind && kind->waits.contains(wait);
}

struct Texts
{
    QString whole;
    QString brief;
    QString tip;
};

Texts waitingTexts(const Kind *kind)
{
    if (hasWait(kind, WaitCause::Task))
        return {tr("Waiting for a task"), tr("No task"),
                tr("The process waits for its next task, or has not begun yet.")};
    if (hasWait(kind, WaitCause::EmptyQueue))
        return {tr("Waiting, queue empty"), tr("Queue empty"),
                tr("The process waits in get() for an item, or has not begun yet.")};
    if (hasWait(kind, WaitCause::EmptyPipe))
        return {tr("Waiting, pipe empty"), tr("Pipe empty"),
                tr("The process waits in recv() for a message, or has not begun yet.")};
    return {tr("Not working"), tr("Idle"), tr("The process has not begun yet, or is done.")};
}

Texts texts(BarStyle style, const Kind *kind)
{
    switch (style) {
    case BarStyle::OnCore:
        return {tr("On a core (process colour)"), tr("On a core"),
                tr("The process runs on a core and uses CPU time.")};
    case BarStyle::ReadyToRun:
        return {tr("Waiting for a core"), tr("Ready"),
                tr("The process could run, but every core that it may use is taken.")};
    case BarStyle::Sleeping:
        return {
            hasWait(kind, WaitCause::Task) ? tr("In a task, sleeping") : tr("At work, sleeping"),
            tr("Sleeping"), tr("The process sleeps in the middle of its work or waits for I/O.")};
    case BarStyle::Waiting:
        return waitingTexts(kind);
    case BarStyle::BlockedOnFull:
        return hasWait(kind, WaitCause::FullPipe)
                   ? Texts{tr("Blocked, pipe full"), tr("Pipe full"),
                           tr("The process waits in send() until there is room in the pipe.")}
                   : Texts{tr("Blocked, queue full"), tr("Queue full"),
                           tr("The process waits in put() until there is room in the queue.")};
    case BarStyle::WaitingForLock:
        return {tr("Waiting for the lock"), tr("Lock"),
                tr("The process waits until another one releases the lock.")};
    case BarStyle::Crashed:
        return {tr("Crashed"), tr("Crashed"),
                tr("The process ended by a signal or with an exit code other than 0.")};
    case BarStyle::Dropped:
        return {tr("Not recorded"), tr("Lost"),
                tr("More happened at once than could be recorded; counts are still right.")};
    }
    return {};
}

QList<BarStyle> stylesOf(const Kind *kind, bool hasDropped)
{
    QList<BarStyle> styles{BarStyle::OnCore, BarStyle::ReadyToRun, BarStyle::Sleeping,
                           BarStyle::Waiting};
    if (hasWait(kind, WaitCause::FullQueue) || hasWait(kind, WaitCause::FullPipe))
        styles << BarStyle::BlockedOnFull;
    if (hasWait(kind, WaitCause::Lock))
        styles << BarStyle::WaitingForLock;
    styles << BarStyle::Crashed;
    if (hasDropped)
        styles << BarStyle::Dropped;
    return styles;
}

enum class Length { Whole, Brief };

QList<LegendEntry> entries(const Kind *kind, const QList<BarStyle> &styles, Length length)
{
    const QFont font = textFont(TextSize::Caption);
    QList<LegendEntry> row;
    double x = margin;
    for (const BarStyle style : styles) {
        const Texts words = texts(style, kind);
        LegendEntry entry{style, length == Length::Whole ? words.whole : words.brief, words.tip, x};
        // A short text is explained by the long one.
        if (entry.text != words.whole)
            entry.tip = words.whole + u'\n' + words.tip;
        entry.right = x + sampleWidth + textGap + std::ceil(textWidth(entry.text, font));
        x = entry.right + (length == Length::Whole ? wideGap : narrowGap);
        row << entry;
    }
    return row;
}

} // namespace

QList<LegendEntry> layoutLegend(const Kind *kind, bool hasDropped, double width)
{
    QList<BarStyle> styles = stylesOf(kind, hasDropped);
    QList<LegendEntry> row = entries(kind, styles, Length::Whole);
    if (row.last().right + margin <= width)
        return row;
    row = entries(kind, styles, Length::Brief);
    // What explains itself goes first.
    for (const BarStyle style :
         {BarStyle::Dropped, BarStyle::Waiting, BarStyle::Sleeping, BarStyle::ReadyToRun,
          BarStyle::WaitingForLock, BarStyle::BlockedOnFull, BarStyle::OnCore}) {
        if (row.last().right + margin <= width)
            break;
        styles.removeOne(style);
        row = entries(kind, styles, Length::Brief);
    }
    return row;
}

namespace {

void paintBarSample(QPainter &painter, const QRectF &rect, BarStyle style)
{
    const Theme &theme = Theme::current();
    const double ratio = painter.device()->devicePixelRatioF();
    const QColor color = theme.process(0);
    const QRectF inner = rect.adjusted(0.5, 0.5, -0.5, -0.5);
    painter.setRenderHint(QPainter::Antialiasing);
    painter.setBrushOrigin(rect.topLeft());
    switch (style) {
    case BarStyle::OnCore:
        painter.setPen(Qt::NoPen);
        painter.setBrush(color);
        painter.drawRoundedRect(rect, 2, 2);
        break;
    case BarStyle::ReadyToRun:
        painter.setPen(color);
        painter.setBrush(theme.hatch(Theme::Hatch::ReadyToRun, color, ratio));
        painter.drawRoundedRect(inner, 2, 2);
        break;
    case BarStyle::Sleeping:
        painter.setPen(color);
        painter.setBrush(theme.tint(color, 0.2));
        painter.drawRoundedRect(inner, 2, 2);
        break;
    case BarStyle::Waiting:
        painter.fillRect(QRectF(rect.left(), std::floor(rect.center().y()), rect.width(), 1),
                         theme.idle);
        break;
    case BarStyle::WaitingForLock:
        painter.setPen(theme.warn);
        painter.setBrush(theme.hatch(Theme::Hatch::WaitingForLock, theme.warn, ratio));
        painter.drawRoundedRect(inner, 2, 2);
        break;
    case BarStyle::BlockedOnFull:
        painter.setPen(theme.full);
        painter.setBrush(theme.hatch(Theme::Hatch::BlockedOnFull, theme.full, ratio));
        painter.drawRoundedRect(inner, 2, 2);
        break;
    case BarStyle::Crashed:
        painter.fillRect(rect, theme.hatch(Theme::Hatch::Crashed, theme.crash, ratio));
        break;
    case BarStyle::Dropped:
        painter.setPen(theme.idle);
        painter.setBrush(theme.hatch(Theme::Hatch::ReadyToRun, theme.idle, ratio));
        painter.drawRoundedRect(inner, 2, 2);
        break;
    }
}

} // namespace

void paintLegendEntry(QPainter &painter, const LegendEntry &entry, const QRectF &row)
{
    paintBarSample(painter, QRectF(entry.left, std::floor(row.center().y()) - 4, sampleWidth, 10),
                   entry.style);
    const double textLeft = entry.left + sampleWidth + textGap;
    drawText(painter, QRectF(textLeft, row.top(), entry.right + 2 - textLeft, row.height()),
             Qt::AlignVCenter, entry.text, textFont(TextSize::Caption), Theme::current().text3);
}

} // namespace proclab
