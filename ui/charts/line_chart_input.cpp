// SPDX-License-Identifier: GPL-3.0-or-later
#include "ui/charts/chart_overlay.h"
#include "ui/charts/line_chart.h"
#include "ui/shared/theme.h"

#include <QClipboard>
#include <QContextMenuEvent>
#include <QGuiApplication>
#include <QHelpEvent>
#include <QKeyEvent>
#include <QLayout>
#include <QMenu>
#include <QMouseEvent>
#include <QToolTip>

#include <algorithm>
#include <cmath>

using namespace Qt::StringLiterals;

namespace proclab {

namespace {

constexpr int keySteps = 100; // From one end of the time axis to the other by ← and →.

QString csvField(const QString &text)
{
    if (!text.contains(u',') && !text.contains(u'"') && !text.contains(u'\n'))
        return text;
    QString quoted = text;
    quoted.replace(u'"', u"\"\""_s);
    return u'"' % quoted % u'"';
}

} // namespace

double LineChart::secondsAt(int x) const
{
    const QRect plot = plotRect();
    return m_range * (x - plot.left()) / std::max(1, plot.width());
}

void LineChart::setCursor(std::optional<double> seconds)
{
    m_cursor = seconds;
    placeCursor();
}

void LineChart::placeCursor()
{
    const QRect plot = plotRect();
    if (!m_cursor || *m_cursor < 0 || *m_cursor > m_range || showsNoData()) {
        m_overlay->setCursorLine(std::nullopt);
        return;
    }
    const int x = plot.left() + static_cast<int>(std::lround(*m_cursor / m_range * plot.width()));
    m_overlay->setCursorLine(std::min(x, plot.right()), plot,
                             m_timeLabels ? durationText(*m_cursor) : QString());
}

void LineChart::moveCursor(std::optional<double> seconds)
{
    if (seconds == m_cursor)
        return;
    setCursor(seconds);
    Q_EMIT cursorMoved(seconds);
}

void LineChart::mouseMoveEvent(QMouseEvent *event)
{
    const bool inside = plotRect().contains(event->pos()) && !showsNoData();
    moveCursor(inside ? std::optional(secondsAt(event->pos().x())) : std::nullopt);
}

void LineChart::leaveEvent(QEvent *event)
{
    QWidget::leaveEvent(event);
    moveCursor(std::nullopt);
}

void LineChart::keyPressEvent(QKeyEvent *event)
{
    const bool left = event->key() == Qt::Key_Left;
    if (event->matches(QKeySequence::Copy)) {
        copyTable();
    } else if ((left || event->key() == Qt::Key_Right) && !showsNoData()) {
        const double from = m_cursor.value_or(std::max(0.0, m_now));
        const double step = m_range / keySteps;
        moveCursor(std::clamp(from + (left ? -step : step), 0.0, m_range));
    } else if (event->key() == Qt::Key_Escape && m_cursor) {
        moveCursor(std::nullopt);
    } else {
        QWidget::keyPressEvent(event);
    }
}

void LineChart::focusInEvent(QFocusEvent *event)
{
    QWidget::focusInEvent(event);
    m_overlay->update();
}

void LineChart::focusOutEvent(QFocusEvent *event)
{
    QWidget::focusOutEvent(event);
    m_overlay->update();
}

void LineChart::contextMenuEvent(QContextMenuEvent *event)
{
    auto *menu = new QMenu(this);
    menu->setAttribute(Qt::WA_DeleteOnClose);
    QAction *copy = menu->addAction(tr("Copy data"), this, &LineChart::copyTable);
    copy->setShortcut(QKeySequence::Copy);
    copy->setToolTip(tr("All values as a table of comma-separated values"));
    copy->setEnabled(!showsNoData());
    menu->popup(event->globalPos());
}

QString LineChart::nameOf(int series) const
{
    static const char *const bandNames[] = {QT_TR_NOOP("smallest"), QT_TR_NOOP("lower quartile"),
                                            QT_TR_NOOP("median"), QT_TR_NOOP("upper quartile"),
                                            QT_TR_NOOP("largest")};
    const QString &name = m_series[series].name;
    if (!name.isEmpty())
        return name;
    if (m_style == Style::Bands && series < bandSeries)
        return tr(bandNames[series]);
    return m_title;
}

QString LineChart::tableText() const
{
    QString text = u"time_s"_s;
    for (int i = 0; i < m_series.size(); ++i)
        text += u',' % csvField(nameOf(i) % u" (" % m_unit % u')');
    text += u'\n';
    for (const ChartHistory::Row &row : m_history.rows()) {
        text += QString::number(row.x, 'f', 6);
        for (const auto &mean : row.means)
            text += u',' % (mean ? QString::number(*mean, 'g', 9) : QString());
        text += u'\n';
    }
    return text;
}

void LineChart::copyTable() const
{
    QGuiApplication::clipboard()->setText(tableText());
}

void LineChart::setHelp(const QString &text)
{
    m_help = text;
    setWhatsThis(text);
}

bool LineChart::event(QEvent *event)
{
    if (event->type() != QEvent::ToolTip)
        return QWidget::event(event);
    const auto *help = static_cast<QHelpEvent *>(event);
    const int headBottom = layout()->contentsMargins().top();
    if (!m_help.isEmpty() && help->pos().y() < headBottom) {
        QToolTip::showText(help->globalPos(), m_help, this, {0, 0, width(), headBottom});
        return true;
    }
    if (showsNoData() || !plotRect().contains(help->pos())) {
        QToolTip::hideText();
        return true;
    }
    const double seconds = secondsAt(help->pos().x());
    QToolTip::showText(help->globalPos() + QPoint(12, 12), tipText(seconds), this);
    return true;
}

QString LineChart::tipText(double seconds) const
{
    QStringList lines{m_title % u' ' % tr("at %1").arg(durationText(std::max(0.0, seconds)))};
    for (int i = 0; i < m_series.size() && i < 12; ++i) {
        const QString name = m_series.size() > 1 ? nameOf(i) : QString();
        const auto there = valueAt(i, seconds);
        if (!there)
            continue;
        const QString value = shortNumber(*there);
        lines.append(name.isEmpty() ? QString(value % u' ' % m_unit)
                                    : QString(name % u": " % value));
    }
    return lines.join(u'\n');
}

} // namespace proclab
